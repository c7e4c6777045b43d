//! Read-only connections to an SQLite file. A read takes the one that was used last, so that few caches are warm rather than
//! many cold; how many reads run at once is up to those who start them.

use crate::store::connection::AnyConnection;
use crate::store::error::{OpenError, StoreError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// So many idle connections are kept. Each has a page cache of its own, so this bounds memory.
const MOST_IDLE: usize = 8;

/// Idle connections, the last used last.
pub struct ReaderPool {
    path: PathBuf,
    open: fn(&std::path::Path) -> Result<AnyConnection, OpenError>,
    idle: Mutex<Vec<AnyConnection>>,
}

impl ReaderPool {
    /// Opens nothing yet; `open` makes a connection to the file at `path`.
    pub fn new(path: PathBuf, open: fn(&std::path::Path) -> Result<AnyConnection, OpenError>) -> Self {
        Self { path, open, idle: Mutex::default() }
    }

    /// Runs a read on a connection that nobody else uses meanwhile. One on which a read panics is closed.
    pub fn with<T, E: From<StoreError>>(&self, read: impl FnOnce(&mut AnyConnection) -> Result<T, E>) -> Result<T, E> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => (self.open)(&self.path).map_err(|error| StoreError::Unavailable(error.to_string()))?,
        };
        let done = read(&mut connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        done
    }

    /// Closes all idle connections.
    pub fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite_file::open_sqlite_reader;
    use std::cell::Cell;

    fn pool(folder: &tempfile::TempDir) -> ReaderPool {
        ReaderPool::new(folder.path().join("test.db"), open_sqlite_reader)
    }

    #[test]
    fn one_reader_serves_one_read_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool(&folder);
        for _ in 0..3 {
            pool.with(|_| Ok::<(), StoreError>(())).unwrap();
            assert_eq!(pool.idle.lock().unwrap().len(), 1);
        }
        pool.clear();
        assert!(pool.idle.lock().unwrap().is_empty());
    }

    #[test]
    fn reads_at_once_have_readers_of_their_own_and_few_are_kept() {
        fn nested(pool: &ReaderPool, depth: usize, deepest: &Cell<usize>) {
            deepest.set(deepest.get().max(depth));
            if depth < MOST_IDLE + 3 {
                let deeper = |_: &mut AnyConnection| {
                    nested(pool, depth + 1, deepest);
                    Ok::<(), StoreError>(())
                };
                pool.with(deeper).unwrap();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (pool, deepest) = (pool(&folder), Cell::new(0));
        nested(&pool, 0, &deepest);
        assert_eq!(deepest.get(), MOST_IDLE + 3);
        assert_eq!(pool.idle.lock().unwrap().len(), MOST_IDLE);
    }
}
