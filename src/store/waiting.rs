//! What waits for the jobs, counted over all sellers: for those who watch the server.

use super::types::{At, sql};
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

/// Counting goes no further: beyond that it is many, and counting them all would cost more the more there are.
const MOST_COUNTED: i64 = 10_000;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    rows: i64,
}

#[derive(QueryableByName)]
struct OpenImports {
    #[diesel(sql_type = sql::Text)]
    state: String,
    #[diesel(sql_type = sql::BigInt)]
    rows: i64,
    #[diesel(sql_type = sql::Instant)]
    oldest_at: At,
}

/// In the words of the index, so that it is used.
const OPEN_IMPORTS: &str = "SELECT state, count(*) AS rows, min(created_at) AS oldest_at FROM imports \
     WHERE state IN ('received', 'running') GROUP BY state";

impl PlatformTables<'_> {
    /// Counts what waits by `now`, up to ten thousand of each.
    pub fn waiting(&mut self, now: Timestamp) -> Result<Waiting, StoreError> {
        let imports: Vec<OpenImports> = diesel::sql_query(OPEN_IMPORTS).load(self.connection)?;
        let of = |state: &str| imports.iter().find(|it| it.state == state);
        Ok(Waiting {
            imports_waiting: of("received").map_or(0, |it| it.rows),
            imports_running: of("running").map_or(0, |it| it.rows),
            oldest_import_at: of("received").map(|it| it.oldest_at.0),
            standings_due: self.count_due("standings", "reconsider_at", now)?,
            trackers_due: self.count_due("trackers", "next_check_at", now)?,
        })
    }

    fn count_due(&mut self, table: &str, due_at: &str, now: Timestamp) -> Result<i64, StoreError> {
        let due = format!("SELECT 1 FROM {table} WHERE {due_at} <= $1 LIMIT {MOST_COUNTED}");
        let counted: Count = diesel::sql_query(format!("SELECT count(*) AS rows FROM ({due}) AS due"))
            .bind::<sql::Instant, _>(At(now))
            .get_result(self.connection)?;
        Ok(counted.rows)
    }
}
