//! The words for what goes wrong with people, keys, shops and settings.

use super::Problem;
use crate::domain::person::PersonFault;
use crate::flows::manage_keys::KeyError;
use crate::flows::manage_settings::SettingsError;
use crate::flows::manage_shops::ShopError;
use crate::flows::people::invite::InviteError;
use crate::flows::people::join::JoinError;
use crate::flows::people::session::SessionError;
use actix_web::http::StatusCode;

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Secret(error) => error.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}

impl From<PersonFault> for Problem {
    fn from(fault: PersonFault) -> Self {
        let (pointer, code) = match fault {
            PersonFault::Name => ("/name", "bad_name"),
            PersonFault::Email => ("/email", "bad_email"),
            PersonFault::ShortPassword => ("/password", "short_password"),
            PersonFault::LongPassword => ("/password", "long_password"),
            PersonFault::OtherPassword => ("/again", "other_password"),
        };
        Self::invalid(pointer, code, fault.to_string())
    }
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        let detail = error.to_string();
        match error {
            InviteError::Person(fault) => fault.into(),
            InviteError::Role => Self::invalid("/role", "unknown_role", detail),
            InviteError::InAlready => Self::new(StatusCode::CONFLICT, "user_exists", detail),
            InviteError::NoSeller => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            InviteError::Secret(error) => error.into(),
            InviteError::Store(error) => error.into(),
        }
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        let detail = error.to_string();
        match error {
            JoinError::NoInvitation => Self::new(StatusCode::NOT_FOUND, "no_invitation", detail),
            JoinError::Person(fault) => fault.into(),
            JoinError::Secret(error) => error.into(),
            JoinError::Store(error) => error.into(),
        }
    }
}

impl From<ShopError> for Problem {
    fn from(error: ShopError) -> Self {
        let detail = error.to_string();
        match error {
            ShopError::Name => Self::invalid("/name", "bad_name", detail),
            ShopError::NameTaken => Self::new(StatusCode::CONFLICT, "name_taken", detail),
            ShopError::ContactDays => Self::invalid("/contact_days", "bad_days", detail),
            ShopError::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            ShopError::Store(error) => error.into(),
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        let detail = error.to_string();
        match error {
            SettingsError::Name => Self::invalid("/name", "bad_name", detail),
            SettingsError::Country(_) => Self::invalid("/country", "unknown_country", detail),
            SettingsError::TimeZone(_) => Self::invalid("/time_zone", "unknown_time_zone", detail),
            SettingsError::UploadDays => Self::invalid("/upload_days", "bad_days", detail),
            SettingsError::Store(error) => error.into(),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let detail = error.to_string();
        match error {
            KeyError::Name => Self::invalid("/name", "bad_text", detail),
            KeyError::Role => Self::invalid("/role", "unknown_role", detail),
            KeyError::Expired => Self::invalid("/expires_at", "out_of_range", detail),
            KeyError::NoSeller => Self::not_found("seller"),
            KeyError::Secret(error) => error.into(),
            KeyError::Store(error) => error.into(),
        }
    }
}
