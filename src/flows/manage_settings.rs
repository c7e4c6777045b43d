//! What a seller decides for all shops: name, country, time zone, how long uploads are kept and how strictly they are read.

use crate::domain::actor::Actor;
use crate::domain::country::{CountryCode, UnknownCountry};
use crate::domain::edit::Edit;
use crate::domain::ids::SellerId;
use crate::domain::name;
use crate::flows::record_events::{Moment, judge};
use crate::store::audit::{Deed, Entry};
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

pub use crate::store::sellers::Seller;

const MOST_UPLOAD_DAYS: i32 = 90;
const LONGEST_NAME: usize = 100;

/// What is told of the settings; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct SettingsEdit {
    pub name: Option<String>,
    pub country: Edit<String>,
    /// A name of the tz database.
    pub time_zone: Option<String>,
    pub upload_days: Option<i32>,
    /// Whether a doubtful tracking number of an upload is an error, where the upload does not say.
    pub strict_imports: Option<bool>,
}

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("A seller's name has 1 to {LONGEST_NAME} characters.")]
    Name,
    #[error(transparent)]
    Country(#[from] UnknownCountry),
    #[error("`{0}` is no time zone; write a name such as Europe/Berlin")]
    TimeZone(String),
    #[error("Uploads are kept for 1 to {MOST_UPLOAD_DAYS} days.")]
    UploadDays,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A seller's settings.
pub fn show_settings(store: &Store, seller: SellerId) -> Result<Seller, StoreError> {
    let found = store.seller(seller).read(|tables| tables.profile())?;
    found.ok_or_else(|| StoreError::Refused("the seller is gone".to_owned()))
}

/// Changes settings. With a new time zone zone-less times mean other instants, so every shipment is judged again, in the
/// same transaction.
///
/// # Errors
///
/// [`SettingsError`]; then nothing was written.
pub fn change_settings(
    store: &Store,
    seller: SellerId,
    actor: &Actor,
    told: SettingsEdit,
    now: Timestamp,
) -> Result<Seller, SettingsError> {
    store.seller(seller).write(|tables| {
        let stored = tables.profile()?.ok_or_else(|| StoreError::Refused("the seller is gone".to_owned()))?;
        let mut settings = stored.clone();
        edit(&mut settings, told)?;
        if settings != stored {
            tables.update_profile(&settings)?;
            if settings.time_zone != stored.time_zone {
                judge_all(tables, &Moment { now, seller_zone: settings.zone() })?;
            }
            let detail = json!({"changed": changed(&stored, &settings)});
            tables.audit(actor, Entry { deed: Deed::SettingsChanged, object: None, detail }, now)?;
        }
        Ok(settings)
    })
}

fn judge_all(tables: &mut SellerTables, moment: &Moment) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = tables.shipment_ids(after, 1000)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for shipment in page {
            judge(tables, moment, shipment)?;
        }
    }
}

fn edit(settings: &mut Seller, told: SettingsEdit) -> Result<(), SettingsError> {
    if let Some(name) = told.name {
        let name = name::plain(&name, LONGEST_NAME).ok_or(SettingsError::Name)?;
        name.clone_into(&mut settings.name);
    }
    let code = |told: String| CountryCode::recognise(&told).map(String::from);
    told.country.try_map(code)?.apply(&mut settings.country);
    if let Some(zone) = told.time_zone {
        let known = TimeZone::get(zone.trim()).ok().and_then(|it| it.iana_name().map(str::to_owned));
        settings.time_zone = known.ok_or(SettingsError::TimeZone(zone))?;
    }
    if let Some(days) = told.upload_days {
        if !(1..=MOST_UPLOAD_DAYS).contains(&days) {
            return Err(SettingsError::UploadDays);
        }
        settings.upload_days = days;
    }
    settings.strict_imports = told.strict_imports.unwrap_or(settings.strict_imports);
    Ok(())
}

fn changed(before: &Seller, after: &Seller) -> Vec<&'static str> {
    let fields = [
        ("name", before.name != after.name),
        ("country", before.country != after.country),
        ("time_zone", before.time_zone != after.time_zone),
        ("upload_days", before.upload_days != after.upload_days),
        ("import_strictness", before.strict_imports != after.strict_imports),
    ];
    fields.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::At;

    #[test]
    fn what_cannot_be_is_refused_and_what_is_not_told_stays() {
        let now: Timestamp = "2026-09-17T10:00:00Z".parse().unwrap();
        let stored = Seller {
            id: SellerId::new(now),
            name: "Lantern".to_owned(),
            country: Some("DE".to_owned()),
            time_zone: "Europe/Berlin".to_owned(),
            upload_days: 14,
            created_at: At(now),
            strict_imports: false,
        };
        let told = SettingsEdit::default;
        for (what, told) in [
            ("no name", SettingsEdit { name: Some(" ".to_owned()), ..told() }),
            ("Narnia", SettingsEdit { country: Edit::Set("Narnia".to_owned()), ..told() }),
            ("the zone of the moon", SettingsEdit { time_zone: Some("Moon/Crater".to_owned()), ..told() }),
            ("no day", SettingsEdit { upload_days: Some(0), ..told() }),
            ("too many days", SettingsEdit { upload_days: Some(91), ..told() }),
        ] {
            assert!(edit(&mut stored.clone(), told).is_err(), "{what}");
        }
        let mut settings = stored.clone();
        edit(&mut settings, told()).unwrap();
        assert_eq!(settings, stored);
        let told = SettingsEdit { country: Edit::Clear, upload_days: Some(90), strict_imports: Some(true), ..told() };
        edit(&mut settings, told).unwrap();
        assert_eq!(changed(&stored, &settings), ["country", "upload_days", "import_strictness"]);
    }
}
