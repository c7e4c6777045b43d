//! One import on its way through its file: one thread reads and judges, another writes chunk by chunk, each chunk with
//! its rows, their results and the cursor in one transaction.

mod trial;

use super::notes::{Erased, note_doubts, note_rows};
use super::row::{Done, Judged, Terms, line_of, take_in_all, take_in_alone};
use super::work::{WorkError, Workplace, held_until, import_options};
use super::{Desk, TakeInError, is_refusal};
use crate::domain::ids::ClaimId;
use crate::sheets::{Fault, FileRejected, Neighbours, Record, Records, Row, SheetError};
use crate::store::imports::Import;
use crate::store::outbox::Change;
use crate::store::sellers::{Seller, Shop};
use crate::store::{At, SellerStore, SellerTables};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use trial::{Trial, undone};

/// So many rows are handed from the reader to the writer at once.
const ROWS_A_PIECE: usize = 250;
/// So many pieces the reader is ahead at most: with the chunk that is being written, all that is in memory.
const PIECES_AHEAD: usize = 8;
const ROWS_A_CHUNK: std::ops::RangeInclusive<usize> = 250..=5_000;
/// Chunks grow and shrink towards this: others who want to write wait no longer, and a hold is renewed in time.
const CHUNK_TIME: Duration = Duration::from_secs(1);
/// So long the writer waits for one more piece before it writes what it has.
const PATIENCE: Duration = Duration::from_millis(20);
/// So many rows of a chunk are taken in together; more would only hold more memory.
const ROWS_AT_ONCE: usize = 1_000;
/// Where a chunk is refused, it is tried again in parts of so many rows, and only the part that is refused row by row.
const ROWS_A_PART: usize = 100;

/// How the way through a file ended, where nothing broke.
pub(super) enum End {
    Reached,
    /// The file turned out unreadable on the way.
    Refused(Box<FileRejected>),
}

/// What the reader hands over.
enum Piece {
    Rows(Vec<Judged>),
    Broken(SheetError),
    End,
}

/// One import on its way through a file.
pub(super) struct Run<'a> {
    place: &'a Workplace<'a>,
    store: SellerStore<'a>,
    claim: ClaimId,
    seller: Seller,
    shop: Shop,
    pub(super) import: Import,
    /// Where it is only found out what would become of the rows.
    trial: Option<Trial>,
    terms: Terms,
    rows_a_chunk: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        place: &'a Workplace<'a>,
        (seller, shop): (Seller, Shop),
        import: Import,
        claim: ClaimId,
    ) -> Self {
        let told = import_options(&import);
        let is_trial = import.dry_run || (told.all_or_nothing && !import.proved);
        // Only what hangs on an order must find it on file.
        let of_orders_alone = import.kind.as_deref() == Some("orders");
        Self {
            place,
            store: place.store.seller(import.seller_id),
            claim,
            seller,
            shop,
            trial: is_trial.then(Trial::default),
            terms: Terms { create_orders: told.create_orders, writes_orders: !(is_trial && of_orders_alone) },
            rows_a_chunk: *ROWS_A_CHUNK.start(),
            import,
        }
    }

    /// Reads and judges on a thread of its own, and writes on this one.
    pub(super) fn through<'f>(
        &mut self,
        open: impl FnOnce() -> Result<Records<'f>, SheetError> + Send,
        neighbours: Neighbours,
    ) -> Result<End, WorkError> {
        let mut reader = Reader { neighbours, cursor_line: self.import.cursor_line };
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(PIECES_AHEAD);
            scope.spawn(move || match open() {
                Ok(records) => reader.read(records, &sender),
                Err(error) => drop(sender.send(Piece::Broken(error))),
            });
            self.write_all(&receiver)
        })
    }

    fn write_all(&mut self, pieces: &Receiver<Piece>) -> Result<End, WorkError> {
        let mut chunk: Vec<Judged> = Vec::new();
        loop {
            // A chunk is filled up as long as the reader is quick; where it is slower, nothing waits for it.
            let piece = if chunk.is_empty() {
                pieces.recv().map_err(|_gone| RecvTimeoutError::Disconnected)
            } else {
                pieces.recv_timeout(PATIENCE)
            };
            match piece {
                Ok(Piece::Rows(rows)) => {
                    chunk.extend(rows);
                    if chunk.len() < self.rows_a_chunk {
                        continue;
                    }
                }
                Ok(Piece::End) => return self.write(&chunk, true).map(|()| End::Reached),
                Ok(Piece::Broken(SheetError::Rejected(rejected))) => return Ok(End::Refused(rejected)),
                Ok(Piece::Broken(SheetError::Io(error))) => return Err(WorkError::File(error)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(WorkError::File(std::io::Error::other("the reading of the file broke off")));
                }
            }
            self.write(&chunk, false)?;
            chunk.clear();
            if (self.place.stopping)() {
                return self.let_go();
            }
        }
    }

    /// Writes a chunk whole; where one row breaks it, in parts, so that only that row fails.
    fn write(&mut self, chunk: &[Judged], last: bool) -> Result<(), WorkError> {
        let (began, before) = (Instant::now(), self.import.clone());
        match self.try_write(chunk, last, false) {
            Err(error) if is_refused(&error) => {
                self.import = before.clone();
                self.write_parts(chunk, last)?;
            }
            written => written?,
        }
        self.rows_a_chunk = next_size(self.rows_a_chunk, began.elapsed());
        self.look_at_sizes(&before);
        count_rows(&before, &self.import);
        tracing::debug!(import = %self.import.id, line = self.import.cursor_line, rows = chunk.len(), "chunk written");
        Ok(())
    }

    /// When an import has brought a thousand rows, ten thousand, and so on.
    fn look_at_sizes(&self, before: &Import) {
        let digits = |rows: i64| rows.checked_ilog10().unwrap_or(0);
        let (before, now) = (before.rows_created, self.import.rows_created);
        if now >= 1000
            && digits(before) < digits(now)
            && let Err(error) = self.place.store.look_at_sizes()
        {
            tracing::warn!(%error, "the database could not look at the sizes of its tables");
        }
    }

    fn write_parts(&mut self, chunk: &[Judged], last: bool) -> Result<(), WorkError> {
        let parts = chunk.len().div_ceil(ROWS_A_PART).max(1);
        for number in 0..parts {
            let part = chunk.chunks(ROWS_A_PART).nth(number).unwrap_or_default();
            let (last, before) = (last && number + 1 == parts, self.import.clone());
            match self.try_write(part, last, false) {
                Err(error) if is_refused(&error) => {
                    self.import = before;
                    self.try_write(part, last, true)?;
                }
                written => written?,
            }
        }
        Ok(())
    }

    fn try_write(&mut self, chunk: &[Judged], last: bool, one_by_one: bool) -> Result<(), WorkError> {
        let now = (self.place.clock)();
        let store = self.store;
        if let Some(trial) = &mut self.trial {
            trial.begin_chunk();
        }
        store.write(|tables| {
            // The rows of whoever took over stand there already, and would refuse these.
            if !tables.holds_import(self.import.id, self.claim)? {
                return Err(WorkError::HoldLost);
            }
            let desk = Desk::set_up(tables, &self.seller, self.shop.clone(), self.place.secrets, now)?;
            for rows in chunk.chunks(ROWS_AT_ONCE) {
                let done = self.take_in(tables, &desk, rows, one_by_one)?;
                let erased = Erased::among(tables, self.shop.id, rows, &done)?;
                for (judged, done) in rows.iter().zip(&done) {
                    self.count(&judged.record, done);
                }
                note_rows(tables, &self.import, (rows, &done), (&erased, self.trial.is_some()))?;
            }
            self.keep(tables, now, last)
        })?;
        if let Some(trial) = &mut self.trial {
            trial.keep_chunk();
        }
        Ok(())
    }

    fn take_in(
        &mut self,
        tables: &mut SellerTables,
        desk: &Desk<'_>,
        chunk: &[Judged],
        one_by_one: bool,
    ) -> Result<Vec<Done>, WorkError> {
        let (terms, mut done) = (self.terms, Vec::new());
        let mut all = |tables: &mut SellerTables| -> Result<(), WorkError> {
            if one_by_one {
                for judged in chunk {
                    done.extend(take_in_alone(tables, desk, judged, terms)?);
                }
            } else {
                done = take_in_all(tables, desk, chunk, terms)?;
            }
            note_doubts(tables, chunk, &mut done)
        };
        match &mut self.trial {
            Some(trial) => {
                undone(tables, all)?;
                trial.remember(chunk, &mut done);
            }
            None => all(tables)?,
        }
        Ok(done)
    }

    fn count(&mut self, record: &Record, done: &Done) {
        // A file that goes on is no file that keeps failing.
        (self.import.cursor_line, self.import.claims) = (line_of(record), 0);
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
        self.import.claimed_until = Some(At(held_until(now)));
        let is_proof = self.trial.is_some() && !self.import.dry_run;
        if last && is_proof && self.import.rows_rejected == 0 {
            trial::begin_for_real(&mut self.import, tables)?;
            return self.keep_import(tables);
        }
        if last {
            self.import.finished_at = Some(At(now));
            self.import.rows_total = self.import.rows_done();
            "completed".clone_into(&mut self.import.state);
        }
        if last && is_proof {
            trial::refuse_all(&mut self.import);
        }
        self.keep_import(tables)?;
        if last {
            tables.drop_erased_file(self.import.id)?;
            let body = json!({"state": self.import.state, "rows_rejected": self.import.rows_rejected});
            tables.tell(Change::ImportCompleted, self.import.id.0, body, now)?;
        }
        Ok(())
    }

    fn keep_import(&self, tables: &mut SellerTables) -> Result<(), WorkError> {
        if tables.update_held_import(&self.import, self.claim)? { Ok(()) } else { Err(WorkError::HoldLost) }
    }

    fn let_go(&mut self) -> Result<End, WorkError> {
        self.import.claimed_until = None;
        self.store.write(|tables| tables.update_held_import(&self.import, self.claim))?;
        Err(WorkError::HoldLost)
    }
}

/// Twice the rows where a chunk took less than half its time, half of them where it took twice its time.
fn next_size(rows: usize, took: Duration) -> usize {
    let wanted = match took {
        _ if took < CHUNK_TIME / 2 => rows * 2,
        _ if took > CHUNK_TIME * 2 => rows / 2,
        _ => rows,
    };
    wanted.clamp(*ROWS_A_CHUNK.start(), *ROWS_A_CHUNK.end())
}

/// Judges the records of a file by those before them.
struct Reader {
    neighbours: Neighbours,
    cursor_line: i64,
}

impl Reader {
    /// Hands over, piece by piece, what lies behind the cursor, until the end or until nobody takes it any more.
    fn read(&mut self, records: impl Iterator<Item = Result<Record, SheetError>>, writer: &SyncSender<Piece>) {
        let mut piece = Vec::with_capacity(ROWS_A_PIECE);
        for record in records {
            let mut record = match record {
                Ok(record) => record,
                Err(error) => {
                    let _nobody_listens = writer.send(Piece::Broken(error));
                    return;
                }
            };
            let neighbour = self.neighbours.look(&mut record);
            // What is kept of a row is what was read of it; and nothing of a plain order, which only its file tells.
            record.cells = Vec::new();
            if record.warnings.is_empty() && matches!(record.row, Some(Row::Order(_))) {
                record.read = Vec::new();
            }
            let repeat = self.neighbours.repeat_of_line(&record);
            if line_of(&record) <= self.cursor_line {
                continue;
            }
            piece.push(Judged { record, neighbour, repeat });
            if piece.len() >= ROWS_A_PIECE {
                let full = std::mem::replace(&mut piece, Vec::with_capacity(ROWS_A_PIECE));
                if writer.send(Piece::Rows(full)).is_err() {
                    return;
                }
            }
        }
        let _nobody_listens = writer.send(Piece::Rows(piece)).and_then(|()| writer.send(Piece::End));
    }
}

fn is_refused(error: &WorkError) -> bool {
    matches!(error, WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error) if is_refusal(error))
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

fn count_problems<'f>(import: &mut Import, faults: impl Iterator<Item = &'f Fault>) {
    let Value::Object(counts) = &mut import.problems.0 else { return };
    for fault in faults {
        let count = counts.get(&fault.code).and_then(Value::as_u64).unwrap_or(0);
        counts.insert(fault.code.clone(), json!(count + 1));
    }
}
