//! A trial: the same engine finds out what would become of the rows, and then everything is taken back.

use super::super::row::{Done, Judged};
use super::super::work::WorkError;
use crate::sheets::{Fault, Row};
use crate::store::imports::Import;
use crate::store::{SellerTables, StoreError};
use serde_json::json;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Which orders a trial would have made, so that none is made a second time; hashes of their numbers.
#[derive(Default)]
pub(super) struct Trial {
    in_chunks: HashSet<u64>,
    /// In the chunk that is being written: should it be refused, it is tried again.
    in_this_chunk: HashSet<u64>,
}

impl Trial {
    /// Begins a chunk, for the first time or once more.
    pub(super) fn begin_chunk(&mut self) {
        self.in_this_chunk.clear();
    }

    pub(super) fn keep_chunk(&mut self) {
        self.in_chunks.extend(self.in_this_chunk.drain());
    }

    /// An order is made once, and brought up to date by rows that were taken back apart from those that made it.
    pub(super) fn remember(&mut self, rows: &[Judged], done: &mut [Done]) {
        let mut made = Vec::new();
        for (judged, done) in rows.iter().zip(done) {
            let order = judged.record.row.as_ref().and_then(Row::order);
            let Some(order) = order.filter(|_| done.outcome == "created") else { continue };
            let hash = hash_of(&order.order_number);
            if self.in_chunks.contains(&hash) || self.in_this_chunk.contains(&hash) {
                done.outcome = "updated";
            }
            made.push(hash);
        }
        self.in_this_chunk.extend(made);
    }
}

/// Does some work and takes it back; what it found out stays with the caller.
pub(super) fn undone(
    tables: &mut SellerTables,
    work: impl FnOnce(&mut SellerTables) -> Result<(), WorkError>,
) -> Result<(), WorkError> {
    let undone = tables.savepoint(|tables| -> Result<(), Undo> {
        work(tables)?;
        Err(Undo::Trial)
    });
    if let Err(Undo::Work(error)) = undone { Err(error) } else { Ok(()) }
}

/// Every row can be taken, so all are: the next worker finds the import as if it had just come in, and proved.
pub(super) fn begin_for_real(import: &mut Import, tables: &mut SellerTables) -> Result<(), StoreError> {
    tables.delete_import_rows(import.id)?;
    import.begin_anew();
    import.proved = true;
    Ok(())
}

/// A row that cannot be taken keeps all others out: what was found out stays, as that of a dry run.
pub(super) fn refuse_all(import: &mut Import) {
    let (rejected, total) = (import.rows_rejected, import.rows_total);
    let detail = format!(
        "{rejected} of {total} rows cannot be taken, so none was, as you asked. Mend them in the repaired file, and send \
         the whole file again."
    );
    "failed".clone_into(&mut import.state);
    import.dry_run = true;
    import.about.failure = Some(json!([Fault::of_row("all_or_nothing", detail)]));
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Why a savepoint is taken back.
enum Undo {
    Trial,
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
