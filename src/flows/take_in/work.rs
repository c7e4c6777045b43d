//! Works imports off: chunk by chunk, each with its rows, their results and the cursor in one transaction.
//!
//! After a crash the next worker reads the file again up to the cursor, without writing, and goes on behind it.

use super::notes::{Erased, note_doubts, note_row};
use super::stored_file::{Hold, StoredFile};
use super::upload::ImportOptions;
use super::{Desk, Outcome, Remark, TakeInError, event, is_refusal, order, shipment};
use crate::domain::ids::{ClaimId, OrderId, ShipmentId, TrackerId};
use crate::domain::tracking_number::Known;
use crate::secrets::Secrets;
use crate::sheets::{self, Fault, FileRejected, Neighbour, Neighbours, Record, Row, SheetError, Survey};
use crate::store::imports::Import;
use crate::store::outbox::Change;
use crate::store::sellers::{Seller, Shop};
use crate::store::{At, Reason, SellerStore, SellerTables, Store, StoreError};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

const ROWS_A_CHUNK: usize = 500;
/// So long a silent worker holds an import; each piece of the file that is read, and each chunk that is written, renews
/// it.
pub(super) const HOLD_SECONDS: i64 = 15;

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
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Asked between chunks; `true` lets go of the import, so that another worker goes on at once.
    pub stopping: &'a dyn Fn() -> bool,
}

/// Works on the oldest import that waits; `false` where none does.
///
/// # Errors
///
/// [`WorkError`]; the import stays where it is, and is taken up again when the hold has run out.
pub fn work_off_one(place: &Workplace<'_>) -> Result<bool, WorkError> {
    let now = (place.clock)();
    let claim = ClaimId::new(now);
    let until = now.saturating_add(HOLD_SECONDS.seconds()).unwrap_or(now);
    let claimed = place.store.platform(Reason::JobClaim).write(|tables| tables.claim_import(now, until, claim))?;
    let Some(import) = claimed else { return Ok(false) };
    match work_off(place, import.clone(), claim) {
        Err(WorkError::HoldLost) => Ok(true),
        // The file was put down in the middle, so that another worker goes on at once.
        Err(WorkError::File(_)) if (place.stopping)() => {
            put_down(place, &import, claim)?;
            Ok(true)
        }
        Err(WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error)) if is_refusal(&error) => {
            fail(place, import, claim, &[broken_import(&error)])?;
            Ok(true)
        }
        other => other.map(|()| true),
    }
}

fn put_down(place: &Workplace<'_>, import: &Import, claim: ClaimId) -> Result<(), StoreError> {
    place.store.seller(import.seller_id).write(|tables| {
        let Some(mut import) = tables.import(import.id)? else { return Ok(()) };
        import.claimed_until = None;
        tables.update_held_import(&import, claim).map(drop)
    })
}

fn broken_import(error: &StoreError) -> Fault {
    tracing::error!(%error, "an import was given up");
    Fault::of_row("internal", "Something went wrong on our side. Rows that are done stay; send the file again later.")
}

fn work_off(place: &Workplace<'_>, mut import: Import, claim: ClaimId) -> Result<(), WorkError> {
    let seller_store = place.store.seller(import.seller_id);
    let Context { seller, shop, known } = seller_store.read(|tables| context(tables, &import))?;
    let options = sheet_options(&import, &seller, known, (place.clock)());
    let hold = Hold { claim, clock: place.clock, stopping: place.stopping };
    let survey = match sheets::survey(StoredFile::held(seller_store, &import, hold), &options) {
        Ok(survey) => survey,
        Err(SheetError::Rejected(rejected)) => return refuse(place, import, claim, &rejected),
        Err(SheetError::Io(error)) => return Err(WorkError::File(error)),
    };
    note_survey(&mut import, &survey);
    let mut run = Run {
        place,
        store: seller_store,
        claim,
        seller,
        shop,
        neighbours: Neighbours::new(options.strict),
        repeats: HashMap::new(),
        would_exist: HashSet::new(),
        import,
    };
    let records = match sheets::records(StoredFile::held(seller_store, &run.import, hold), &survey, &options) {
        Ok(records) => records,
        Err(SheetError::Rejected(rejected)) => return refuse(place, run.import, claim, &rejected),
        Err(SheetError::Io(error)) => return Err(WorkError::File(error)),
    };
    run.through(records)
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

fn import_options(import: &Import) -> ImportOptions {
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
        mapping: told.mapping,
        strict: told.strict.unwrap_or(seller.strict_imports),
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

/// One import on its way through a file.
struct Run<'a> {
    place: &'a Workplace<'a>,
    store: SellerStore<'a>,
    claim: ClaimId,
    seller: Seller,
    shop: Shop,
    import: Import,
    neighbours: Neighbours,
    /// How often an order has had a line of this SKU so far.
    repeats: HashMap<u64, usize>,
    /// What chunks of a dry run that were taken back would have made, so that it is not made a second time.
    would_exist: HashSet<String>,
}

/// A record with what the rows before it make of it.
pub(super) struct Judged {
    pub(super) record: Record,
    neighbour: Neighbour,
    repeat: usize,
}

/// What became of a record.
pub(super) struct Done {
    pub(super) outcome: &'static str,
    pub(super) order_id: Option<OrderId>,
    pub(super) shipment_id: Option<ShipmentId>,
    pub(super) errors: Vec<Fault>,
    /// What turned out to be doubtful when it was taken in; what the sheet itself says is with the record.
    pub(super) warnings: Vec<Fault>,
}

impl Done {
    fn new(outcome: &'static str, errors: Vec<Fault>) -> Self {
        Self { outcome, order_id: None, shipment_id: None, errors, warnings: Vec::new() }
    }
}

impl Run<'_> {
    fn through(&mut self, records: impl Iterator<Item = Result<Record, SheetError>>) -> Result<(), WorkError> {
        let mut chunk = Vec::with_capacity(ROWS_A_CHUNK);
        for record in records {
            let mut record = match record {
                Ok(record) => record,
                Err(SheetError::Io(error)) => return Err(WorkError::File(error)),
                Err(SheetError::Rejected(rejected)) => {
                    return refuse(self.place, self.import.clone(), self.claim, &rejected);
                }
            };
            let neighbour = self.neighbours.look(&mut record);
            let repeat = self.repeat_of(&record);
            if line_of(&record) <= self.import.cursor_line {
                continue;
            }
            chunk.push(Judged { record, neighbour, repeat });
            if chunk.len() >= ROWS_A_CHUNK {
                self.write(&chunk, false)?;
                chunk.clear();
                if (self.place.stopping)() {
                    return self.let_go();
                }
            }
        }
        self.write(&chunk, true)
    }

    /// Which line of its SKU in its order a record is: 1 for the first.
    fn repeat_of(&mut self, record: &Record) -> usize {
        let Some(row) = record.row.as_ref().and_then(Row::order) else { return 1 };
        let mut hasher = DefaultHasher::new();
        (&row.order_number, &row.line.sku).hash(&mut hasher);
        let count = self.repeats.entry(hasher.finish()).or_default();
        *count += 1;
        *count
    }

    /// Writes a chunk whole; where one row breaks it, row by row, so that only that row fails.
    fn write(&mut self, chunk: &[Judged], last: bool) -> Result<(), WorkError> {
        let before = self.import.clone();
        let written = match self.try_write(chunk, last, false) {
            Err(WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error)) if is_refusal(&error) => {
                self.import = before.clone();
                self.try_write(chunk, last, true)
            }
            other => other,
        };
        written?;
        count_rows(&before, &self.import);
        tracing::debug!(import = %self.import.id, line = self.import.cursor_line, "chunk written");
        Ok(())
    }

    fn try_write(&mut self, chunk: &[Judged], last: bool, one_by_one: bool) -> Result<(), WorkError> {
        let now = (self.place.clock)();
        let store = self.store;
        store.write(|tables| {
            let desk = Desk::set_up(tables, &self.seller, self.shop.clone(), self.place.secrets, now)?;
            let done = self.take_in_all(tables, &desk, chunk, one_by_one)?;
            let erased = Erased::among(tables, self.shop.id, chunk, &done)?;
            for (judged, done) in chunk.iter().zip(done) {
                self.count(&judged.record, &done);
                note_row(tables, &self.import, (&judged.record, &done), &erased)?;
            }
            self.keep(tables, now, last)
        })
    }

    fn take_in_all(
        &mut self,
        tables: &mut SellerTables,
        desk: &Desk<'_>,
        chunk: &[Judged],
        one_by_one: bool,
    ) -> Result<Vec<Done>, WorkError> {
        let create_orders = import_options(&self.import).create_orders;
        let mut done = Vec::with_capacity(chunk.len());
        let mut all = |tables: &mut SellerTables| -> Result<(), WorkError> {
            for judged in chunk {
                done.push(if one_by_one {
                    take_in_alone(tables, desk, judged, create_orders)?
                } else {
                    take_in(tables, desk, judged, create_orders)?
                });
            }
            note_doubts(tables, chunk, &mut done)
        };
        if self.import.dry_run {
            // The same engine, and then everything is taken back.
            let undone = tables.savepoint(|tables| -> Result<(), Undo> {
                all(tables)?;
                Err(Undo::Dry)
            });
            if let Err(Undo::Work(error)) = undone {
                return Err(error);
            }
            self.remember_dry(chunk, &mut done);
        } else {
            all(tables)?;
        }
        Ok(done)
    }

    /// An order whose rows lie in two chunks of a dry run is made once, and brought up to date after that.
    fn remember_dry(&mut self, chunk: &[Judged], done: &mut [Done]) {
        let mut made = HashSet::new();
        for (judged, done) in chunk.iter().zip(done) {
            let order = judged.record.row.as_ref().and_then(Row::order);
            let Some(order) = order.filter(|_| done.outcome == "created") else { continue };
            if self.would_exist.contains(&order.order_number) {
                done.outcome = "updated";
            }
            made.insert(order.order_number.clone());
        }
        self.would_exist.extend(made);
    }

    fn count(&mut self, record: &Record, done: &Done) {
        self.import.cursor_line = line_of(record);
        match done.outcome {
            "created" => self.import.rows_created += 1,
            "updated" => self.import.rows_updated += 1,
            "unchanged" => self.import.rows_unchanged += 1,
            _ => self.import.rows_rejected += 1,
        }
        self.import.rows_warned += i64::from(!record.warnings.is_empty() || !done.warnings.is_empty());
        count_problems(&mut self.import, done.errors.iter().chain(&record.warnings).chain(&done.warnings));
    }

    fn keep(&mut self, tables: &mut SellerTables, now: Timestamp, last: bool) -> Result<(), WorkError> {
        self.import.claimed_until = now.checked_add(HOLD_SECONDS.seconds()).ok().map(At);
        if last {
            "completed".clone_into(&mut self.import.state);
            self.import.finished_at = Some(At(now));
            self.import.rows_total = self.import.rows_done();
        }
        if !tables.update_held_import(&self.import, self.claim)? {
            return Err(WorkError::HoldLost);
        }
        if last {
            tables.drop_erased_file(self.import.id)?;
            let body = json!({"state": "completed", "rows_rejected": self.import.rows_rejected});
            tables.tell(Change::ImportCompleted, self.import.id.0, body, now)?;
        }
        Ok(())
    }

    fn let_go(&mut self) -> Result<(), WorkError> {
        self.import.claimed_until = None;
        self.store.write(|tables| tables.update_held_import(&self.import, self.claim))?;
        Err(WorkError::HoldLost)
    }
}

/// Counts the rows of a chunk that is written, for those who watch the server.
fn count_rows(before: &Import, after: &Import) {
    for (outcome, before, after) in [
        ("created", before.rows_created, after.rows_created),
        ("updated", before.rows_updated, after.rows_updated),
        ("unchanged", before.rows_unchanged, after.rows_unchanged),
        ("rejected", before.rows_rejected, after.rows_rejected),
    ] {
        let rows = u64::try_from(after - before).unwrap_or(0);
        metrics::counter!("parceltrail_import_rows_total", "outcome" => outcome).increment(rows);
    }
}

/// Why a savepoint is taken back.
enum Undo {
    Dry,
    Work(WorkError),
}

impl From<StoreError> for Undo {
    fn from(error: StoreError) -> Self {
        Self::Work(error.into())
    }
}

impl From<WorkError> for Undo {
    fn from(error: WorkError) -> Self {
        Self::Work(error)
    }
}

pub(super) fn line_of(record: &Record) -> i64 {
    i64::try_from(record.line).unwrap_or(i64::MAX)
}

fn count_problems<'f>(import: &mut Import, faults: impl Iterator<Item = &'f Fault>) {
    let Value::Object(counts) = &mut import.problems.0 else { return };
    for fault in faults {
        let count = counts.get(&fault.code).and_then(Value::as_u64).unwrap_or(0);
        counts.insert(fault.code.clone(), json!(count + 1));
    }
}

fn rejected(errors: Vec<Fault>) -> Done {
    Done::new("rejected", errors)
}

/// Takes a row in under a savepoint: a row that the database refuses is a fault of that row alone.
fn take_in_alone(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    judged: &Judged,
    create_orders: bool,
) -> Result<Done, WorkError> {
    match tables.savepoint(|tables| take_in(tables, desk, judged, create_orders)) {
        Err(WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error)) if is_refusal(&error) => {
            tracing::warn!(%error, line = judged.record.line, "a row was refused by the database");
            Ok(rejected(vec![Fault::of_row("refused", "This row could not be stored; look for odd characters in it.")]))
        }
        other => other,
    }
}

fn take_in(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    judged: &Judged,
    create_orders: bool,
) -> Result<Done, WorkError> {
    let record = &judged.record;
    let Some(row) = &record.row else { return Ok(rejected(record.errors.clone())) };
    if judged.neighbour == Neighbour::Repeat {
        return Ok(Done::new("unchanged", Vec::new()));
    }
    let taken = match row {
        Row::Order(row) => {
            order::take_in_order(tables, desk, row, judged.repeat).map(|(id, it)| (Some(id), None, it, None))
        }
        Row::Combined(both) => take_in_combined(tables, desk, judged.repeat, both),
        Row::Tracking(row) => take_in_tracking(tables, desk, row, create_orders),
        Row::Event(row) => event::take_in_event(tables, desk, row).map(|(id, it)| (None, id, it, None)),
    };
    match taken {
        Ok(taken) => Ok(done(taken)),
        Err(error @ TakeInError::OrderNotFound(_)) => {
            Ok(rejected(vec![Fault::of_cell("order_number", "order_not_found", error.to_string())]))
        }
        Err(error @ TakeInError::TrackingNumberNotFound(_)) => {
            Ok(rejected(vec![Fault::of_cell("tracking_number", "tracking_number_not_found", error.to_string())]))
        }
        Err(error @ TakeInError::Number { .. }) => {
            Ok(rejected(vec![Fault::of_cell("tracking_number", "bad_format", error.to_string())]))
        }
        Err(error @ (TakeInError::Shop(_) | TakeInError::Secret(_) | TakeInError::Store(_))) => Err(error.into()),
    }
}

/// Of which order and parcel a row is, what became of it, and what its seller should know.
type Taken = (Option<OrderId>, Option<ShipmentId>, Outcome, Option<Remark>);

fn done((order_id, shipment_id, outcome, remark): Taken) -> Done {
    let warning = remark.map(|(code, detail)| Fault::of_cell("tracking_number", &code, detail));
    let warnings = warning.into_iter().collect();
    Done { order_id, shipment_id, warnings, ..Done::new(outcome.code(), Vec::new()) }
}

fn take_in_combined(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    repeat: usize,
    row: &crate::domain::shipment::CombinedRow,
) -> Result<Taken, TakeInError> {
    let (order_id, of_order) = order::take_in_order(tables, desk, &row.order, repeat)?;
    let Some(tracking) = &row.tracking else { return Ok((Some(order_id), None, of_order, None)) };
    let (order, shipment, of_shipment, remark) = take_in_tracking(tables, desk, tracking, false)?;
    Ok((order, shipment, of_order.max(of_shipment), remark))
}

fn take_in_tracking(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    row: &crate::domain::shipment::TrackingRow,
    create_orders: bool,
) -> Result<Taken, TakeInError> {
    let order = match tables.order_by_number(desk.shop.id, &row.order_number)? {
        Some(order) => order,
        None if create_orders => {
            let mut bare = order::bare_order(desk, &row.order_number)?;
            bare.country = row.destination.country.map(|it| it.to_string());
            bare.region.clone_from(&row.destination.region);
            bare.postal_code.clone_from(&row.destination.postal_code);
            tables.insert_order(&bare)?;
            let body = json!({"order_number": bare.order_number, "shop": desk.shop.name});
            tables.tell(Change::OrderCreated, bare.id.0, body, desk.moment.now)?;
            bare
        }
        None => return Err(TakeInError::OrderNotFound(row.order_number.clone())),
    };
    let taken = shipment::take_in_shipment(tables, desk, &order, row)?;
    Ok((Some(order.id), Some(taken.id), taken.outcome, taken.remark))
}
