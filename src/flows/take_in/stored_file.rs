//! The uploaded file, read from its stored pieces.

use crate::domain::ids::ImportId;
use crate::store::SellerStore;
use crate::store::imports::Import;
use std::io::{self, Read};

/// The uploaded file, read from its stored pieces.
pub(super) struct StoredFile<'a> {
    store: SellerStore<'a>,
    import: ImportId,
    next_chunk: i32,
    chunk: io::Cursor<Vec<u8>>,
    /// Asked between pieces; `true` breaks the reading off.
    stopping: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl<'a> StoredFile<'a> {
    pub(super) fn open(store: SellerStore<'a>, import: &Import) -> Self {
        Self { store, import: import.id, next_chunk: 0, chunk: io::Cursor::default(), stopping: None }
    }

    /// The same, for a reader that may be asked to stop.
    pub(super) fn until(self, stopping: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { stopping: Some(stopping), ..self }
    }
}

impl Read for StoredFile<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            if self.stopping.is_some_and(|stopping| stopping()) {
                return Err(io::Error::other("the file is put down: the process is asked to stop"));
            }
            let next =
                self.store.read(|tables| tables.chunk(self.import, self.next_chunk)).map_err(io::Error::other)?;
            let Some(bytes) = next else { return Ok(0) };
            self.next_chunk += 1;
            self.chunk = io::Cursor::new(bytes);
        }
    }
}
