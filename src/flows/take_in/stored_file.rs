//! The uploaded file, read from its stored pieces; reading on renews the worker's hold on its import.

use super::work::HOLD_SECONDS;
use crate::domain::ids::{ClaimId, ImportId};
use crate::store::imports::Import;
use crate::store::{SellerStore, StoreError};
use jiff::{Timestamp, ToSpan};
use std::io::{self, Read};

/// The uploaded file, read from its stored pieces.
pub(super) struct StoredFile<'a> {
    store: SellerStore<'a>,
    import: ImportId,
    next_chunk: i32,
    chunk: io::Cursor<Vec<u8>>,
    hold: Option<Hold<'a>>,
}

/// A worker's hold on an import, which reading on renews.
#[derive(Clone, Copy)]
pub(super) struct Hold<'a> {
    pub(super) claim: ClaimId,
    pub(super) clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Asked between pieces; `true` breaks the reading off.
    pub(super) stopping: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> StoredFile<'a> {
    pub(super) fn open(store: SellerStore<'a>, import: &Import) -> Self {
        Self { store, import: import.id, next_chunk: 0, chunk: io::Cursor::default(), hold: None }
    }

    pub(super) fn held(store: SellerStore<'a>, import: &Import, hold: Hold<'a>) -> Self {
        Self { hold: Some(hold), ..Self::open(store, import) }
    }

    fn renew(&self) -> Result<(), StoreError> {
        let Some(hold) = self.hold else { return Ok(()) };
        let now = (hold.clock)();
        let until = now.saturating_add(HOLD_SECONDS.seconds()).unwrap_or(now);
        // A hold that was lost shows at the next chunk's writing.
        self.store.write(|tables| tables.renew_import(self.import, hold.claim, until)).map(drop)
    }
}

impl Read for StoredFile<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            if self.hold.is_some_and(|hold| (hold.stopping)()) {
                return Err(io::Error::other("the file is put down: the process is asked to stop"));
            }
            let next =
                self.store.read(|tables| tables.chunk(self.import, self.next_chunk)).map_err(io::Error::other)?;
            let Some(bytes) = next else { return Ok(0) };
            self.renew().map_err(io::Error::other)?;
            self.next_chunk += 1;
            self.chunk = io::Cursor::new(bytes);
        }
    }
}
