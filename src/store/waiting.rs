//! What waits for the jobs, counted over all sellers: for those who watch the server.

use super::schema::{imports, standings, trackers};
use super::types::At;
use super::{PlatformTables, StoreError};
use diesel::prelude::*;
use jiff::Timestamp;

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub imports_waiting: i64,
    pub imports_running: i64,
    /// When the one that waits longest came in.
    pub oldest_import_at: Option<Timestamp>,
    pub standings_due: i64,
    pub trackers_due: i64,
}

impl PlatformTables<'_> {
    /// Counts what waits by `now`.
    pub fn waiting(&mut self, now: Timestamp) -> Result<Waiting, StoreError> {
        let received = || imports::table.filter(imports::state.eq("received"));
        let oldest: Option<At> =
            received().order(imports::created_at).select(imports::created_at).first(self.connection).optional()?;
        Ok(Waiting {
            imports_waiting: received().count().get_result(self.connection)?,
            imports_running: imports::table.filter(imports::state.eq("running")).count().get_result(self.connection)?,
            oldest_import_at: oldest.map(|At(at)| at),
            standings_due: standings::table
                .filter(standings::reconsider_at.le(At(now)))
                .count()
                .get_result(self.connection)?,
            trackers_due: trackers::table
                .filter(trackers::next_check_at.le(At(now)))
                .count()
                .get_result(self.connection)?,
        })
    }
}
