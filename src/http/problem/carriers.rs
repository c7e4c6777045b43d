//! The words for what goes wrong with a seller's own carriers.

use super::Problem;
use crate::domain::carrier::own::OwnCarrierFault;
use crate::flows::manage_carriers::CarrierError;
use actix_web::http::StatusCode;

impl From<CarrierError> for Problem {
    fn from(error: CarrierError) -> Self {
        let detail = error.to_string();
        match error {
            CarrierError::Definition(fault) => fault.into(),
            CarrierError::NameTaken { .. } | CarrierError::ThereAlready(_) => {
                Self::new(StatusCode::CONFLICT, "name_taken", detail)
            }
            CarrierError::TooMany => Self::new(StatusCode::CONFLICT, "too_many_carriers", detail),
            CarrierError::NotYourOwn(_) => Self::new(StatusCode::CONFLICT, "carrier_on_file", detail),
            CarrierError::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            CarrierError::Store(error) => error.into(),
        }
    }
}

impl From<OwnCarrierFault> for Problem {
    fn from(fault: OwnCarrierFault) -> Self {
        let detail = fault.to_string();
        match fault {
            OwnCarrierFault::OnFile(_) | OwnCarrierFault::ReadAsOnFile { .. } => {
                Self::new(StatusCode::CONFLICT, "carrier_on_file", detail)
            }
            OwnCarrierFault::NoSlug(_) | OwnCarrierFault::OtherSlug { .. } => Self::invalid("slug", "bad_slug", detail),
            OwnCarrierFault::NamesNone(_) => Self::invalid("", "names_no_carrier", detail),
            OwnCarrierFault::Name => Self::invalid("/name", "bad_name", detail),
            OwnCarrierFault::Alias(at) => Self::invalid(&format!("/aliases/{at}"), "bad_name", detail),
            OwnCarrierFault::TooManyAliases => Self::invalid("/aliases", "bad_count", detail),
            OwnCarrierFault::TooManyPatterns => Self::invalid("/patterns", "bad_count", detail),
            OwnCarrierFault::Country(_) => Self::invalid("/country", "unknown_country", detail),
            OwnCarrierFault::TrackingUrl(_) => Self::invalid("/tracking_url", "bad_url", detail),
            OwnCarrierFault::Pattern(at, _) => Self::invalid(&format!("/patterns/{at}"), "bad_pattern", detail),
        }
    }
}
