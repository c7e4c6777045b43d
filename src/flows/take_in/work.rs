//! Works imports off: claims one, finds out what its file is, and sends it through [`super::run`].
//!
//! After a crash the next worker reads the file again up to the cursor, without writing, and goes on behind it.

use super::run::{End, Run};
use super::stored_file::StoredFile;
use super::upload::ImportOptions;
use super::{TakeInError, is_refusal};
use crate::domain::ids::{ClaimId, TrackerId};
use crate::domain::tracking_number::Known;
use crate::secrets::Secrets;
use crate::sheets::{self, Fault, FileRejected, Neighbours, SheetError, Survey};
use crate::store::imports::Import;
use crate::store::outbox::Change;
use crate::store::sellers::{Seller, Shop};
use crate::store::{At, Reason, SellerTables, Store, StoreError};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// So long a worker that died holds an import.
const HOLD_SECONDS: i64 = 8;
/// So often a worker that lives renews its hold, whatever it is at.
const RENEWED_EVERY: Duration = Duration::from_millis(2_500);

/// So many claims without progress an import gets. Whoever claims it once more gives it up: perhaps it is the file that
/// ends the process.
const MOST_CLAIMS: i64 = 5;

/// Until when a sign of life from a worker holds an import.
pub(super) fn held_until(now: Timestamp) -> Timestamp {
    now.saturating_add(HOLD_SECONDS.seconds()).unwrap_or(now)
}

/// Why a worker stopped before the end of a file.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Another worker took over, or the import was cancelled: nothing more is written here.
    #[error("the hold on the import was lost")]
    HoldLost,
    #[error("the file of this import is not kept any more; upload it again")]
    Expired,
    #[error("the stored file could not be read")]
    File(#[source] io::Error),
    #[error(transparent)]
    Row(#[from] TakeInError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the worker stands on.
pub struct Workplace<'a> {
    pub store: &'a Store,
    pub secrets: &'a Secrets,
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Asked between chunks; `true` lets go of the import, so that another worker goes on at once.
    pub stopping: &'a (dyn Fn() -> bool + Sync),
}

/// How large a file may be that a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Any,
    /// Nobody's short sheet waits behind the long ones of others.
    Short,
}

impl Lane {
    /// The largest size, unpacked: what a file costs does not show by how it is packed.
    fn most_bytes(self) -> Option<i64> {
        match self {
            Self::Any => None,
            Self::Short => Some(4 * 1024 * 1024),
        }
    }
}

/// Works on the oldest import that waits in a lane; `false` where none does.
///
/// # Errors
///
/// [`WorkError`]; the import stays where it is, and is taken up again when the hold has run out.
pub fn work_off_one(place: &Workplace<'_>, lane: Lane) -> Result<bool, WorkError> {
    let now = (place.clock)();
    let claim = ClaimId::new(now);
    let until = held_until(now);
    let most = lane.most_bytes();
    let claimed =
        place.store.platform(Reason::JobClaim).write(|tables| tables.claim_import(now, until, claim, most))?;
    let Some(import) = claimed else { return Ok(false) };
    if import.claims > MOST_CLAIMS {
        fail(place, import, claim, &[keeps_failing()])?;
        return Ok(true);
    }
    let worked = while_held(place, &import, claim, || work_off(place, import.clone(), claim));
    match worked {
        Err(error) if is_lost(place, &import, claim, &error) => {
            tracing::info!(import = %import.id, "another worker goes on with the import, or it was cancelled");
            Ok(true)
        }
        // The file was put down in the middle, so that another worker goes on at once.
        Err(WorkError::File(_)) if (place.stopping)() => {
            put_down(place, &import, claim)?;
            Ok(true)
        }
        Err(WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error)) if is_refusal(&error) => {
            fail(place, import, claim, &[broken_import(&error)])?;
            Ok(true)
        }
        Err(error) => {
            if is_passing(&error) {
                place.store.seller(import.seller_id).write(|tables| tables.uncount_claim(import.id, claim))?;
            }
            Err(error)
        }
        Ok(()) => Ok(true),
    }
}

/// Whether an error is of the database or the disk at this moment, and not of the file: its claim is not counted.
fn is_passing(error: &WorkError) -> bool {
    let of_store = |error: &StoreError| match error {
        StoreError::Unavailable(_) | StoreError::CommitUnknown(_) | StoreError::Full => true,
        StoreError::Refused(_) | StoreError::Taken(_) | StoreError::BadText => false,
    };
    match error {
        WorkError::Store(error) | WorkError::Row(TakeInError::Store(error)) => of_store(error),
        WorkError::File(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>());
            error.kind() == io::ErrorKind::StorageFull || inner.is_some_and(of_store)
        }
        WorkError::Row(_) | WorkError::HoldLost | WorkError::Expired => false,
    }
}

/// Does some work, and renews the hold on an import beside it: to unpack a workbook takes long, and so does a full disk.
fn while_held<T>(place: &Workplace<'_>, import: &Import, claim: ClaimId, work: impl FnOnce() -> T) -> T {
    let renew = || -> Result<(), StoreError> {
        let until = held_until((place.clock)());
        // A hold that was lost shows at the next chunk's writing.
        place.store.seller(import.seller_id).write(|tables| tables.renew_import(import.id, claim, until)).map(drop)
    };
    std::thread::scope(|scope| {
        let (working, done) = channel::<()>();
        scope.spawn(move || {
            while done.recv_timeout(RENEWED_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = renew() {
                    tracing::warn!(%error, "the hold on an import could not be renewed");
                }
            }
        });
        let worked = work();
        drop(working);
        worked
    })
}

/// Whether a worker ended because it does not hold its import any more, whatever broke on the way: whoever took over
/// writes the same rows, and deletes the file when it is done.
fn is_lost(place: &Workplace<'_>, import: &Import, claim: ClaimId, error: &WorkError) -> bool {
    if matches!(error, WorkError::HoldLost) {
        return true;
    }
    let held = place.store.seller(import.seller_id).read(|tables| tables.holds_import(import.id, claim));
    // Where that cannot be found out either, the error is reported.
    matches!(held, Ok(false))
}

fn put_down(place: &Workplace<'_>, import: &Import, claim: ClaimId) -> Result<(), StoreError> {
    place.store.seller(import.seller_id).write(|tables| {
        let Some(mut import) = tables.import(import.id)? else { return Ok(()) };
        import.claimed_until = None;
        // A server that is asked to stop is no failure of the file.
        import.claims = (import.claims - 1).max(0);
        tables.update_held_import(&import, claim).map(drop)
    })
}

fn keeps_failing() -> Fault {
    tracing::error!("an import was given up: its worker ended {MOST_CLAIMS} times without a word");
    let detail = format!(
        "The work on this file broke off {MOST_CLAIMS} times. Nothing more of it is read, and rows that were taken in stay. \
         Save the file anew or split it into smaller ones, then send it again."
    );
    Fault::of_row("import_keeps_failing", detail)
}

fn broken_import(error: &StoreError) -> Fault {
    tracing::error!(%error, "an import was given up");
    Fault::of_row("internal", "Something went wrong on our side. Rows that are done stay; send the file again later.")
}

fn work_off(place: &Workplace<'_>, mut import: Import, claim: ClaimId) -> Result<(), WorkError> {
    let seller_store = place.store.seller(import.seller_id);
    let Context { seller, shop, known } = seller_store.read(|tables| context(tables, &import))?;
    let options = sheet_options(&import, &seller, known, (place.clock)());
    let file = || StoredFile::open(seller_store, &import).until(place.stopping);
    let survey = match sheets::survey(file(), &options) {
        Ok(survey) => survey,
        Err(SheetError::Rejected(rejected)) => return refuse(place, import, claim, &rejected),
        Err(SheetError::Io(error)) => return Err(WorkError::File(error)),
    };
    let file = file();
    note_survey(&mut import, &survey);
    let mut run = Run::new(place, (seller, shop), import, claim);
    let (survey, options) = (&survey, &options);
    let neighbours = Neighbours::new(options.strict, survey.rows_total);
    match run.through(move || sheets::records(file, survey, options), neighbours)? {
        End::Reached => Ok(()),
        End::Refused(rejected) => refuse(place, run.import, claim, &rejected),
    }
}

/// What an import needs to know besides its file.
pub(super) struct Context {
    pub(super) seller: Seller,
    pub(super) shop: Shop,
    pub(super) known: Known,
}

pub(super) fn context(tables: &mut SellerTables, import: &Import) -> Result<Context, StoreError> {
    let gone = || StoreError::Refused("the import's seller or shop is gone".to_owned());
    let seller = tables.profile()?.ok_or_else(gone)?;
    let shop = tables.shops()?.into_iter().find(|shop| shop.id == import.shop_id).ok_or_else(gone)?;
    Ok(Context { seller, shop, known: tables.known_before(TrackerId(import.id.0))? })
}

pub(super) fn import_options(import: &Import) -> ImportOptions {
    serde_json::from_value(import.options.0.clone()).unwrap_or_default()
}

/// How the file of an import is read; the same at every reading, since only what was there before it is known.
pub(super) fn sheet_options(import: &Import, seller: &Seller, known: Known, now: Timestamp) -> sheets::Options {
    let told = import_options(import);
    let zone = told.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| seller.zone());
    sheets::Options {
        kind: import.kind.as_deref().and_then(|kind| kind.parse().ok()),
        today: zone.to_datetime(now).date(),
        time_zone: zone,
        date_order: told.date_order.and_then(|order| order.parse().ok()),
        preset: told.preset,
        encoding: told.encoding.and_then(|encoding| encoding.parse().ok()),
        mapping: told.mapping,
        strict: told.strict.unwrap_or_default(),
        known,
        limits: sheets::Limits::default(),
    }
}

fn note_survey(import: &mut Import, survey: &Survey) {
    let columns: Map<String, Value> =
        survey.columns.iter().map(|(header, name)| (header.clone(), json!(name))).collect();
    import.kind = Some(survey.kind.code().to_owned());
    import.rows_total = i64::try_from(survey.rows_total).unwrap_or(i64::MAX);
    import.about.survey = Some(json!({
        "preset": survey.preset,
        "encoding": survey.encoding.name(),
        "delimiter": survey.delimiter.to_string(),
        "columns": columns,
        "warnings": survey.warnings,
    }));
}

fn refuse(place: &Workplace<'_>, import: Import, claim: ClaimId, rejected: &FileRejected) -> Result<(), WorkError> {
    Ok(fail(place, import, claim, &rejected.errors)?)
}

fn fail(place: &Workplace<'_>, mut import: Import, claim: ClaimId, errors: &[Fault]) -> Result<(), StoreError> {
    let now = (place.clock)();
    place.store.seller(import.seller_id).write(|tables| {
        if let Some(current) = tables.import(import.id)? {
            import = current;
        }
        "failed".clone_into(&mut import.state);
        import.about.failure = Some(json!(errors));
        import.finished_at = Some(At(now));
        if tables.update_held_import(&import, claim)? {
            drop_useless_file(tables, &import)?;
            tables.tell(Change::ImportCompleted, import.id.0, json!({"state": import.state}), now)?;
        }
        Ok(())
    })
}

/// A file of which no row could be read serves nobody any more, and may name anybody.
fn drop_useless_file(tables: &mut SellerTables, import: &Import) -> Result<(), StoreError> {
    if import.about.survey.is_none() { tables.delete_chunks(import.id) } else { tables.drop_erased_file(import.id) }
}

#[cfg(test)]
mod tests;
