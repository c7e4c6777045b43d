//! Plans of SQLite, which has no statistics here: what it does follows from the schema alone.

use crate::Fault;
use crate::statement::{compared, grows, is_limited, table_of};
use diesel::sql_types::{Integer, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

pub struct Explainer(SqliteConnection);

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct KeyColumn {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Integer)]
    key: i32,
    #[diesel(sql_type = Text)]
    column: String,
}

#[derive(QueryableByName)]
struct IndexColumn {
    #[diesel(sql_type = Text)]
    index: String,
    #[diesel(sql_type = Text)]
    column: String,
}

/// Rows of these are never deleted, so nobody looks for their children.
const KEPT: [&str; 4] = ["sellers", "principals", "shops", "tracking_events"];

impl Explainer {
    pub fn open(file: &str) -> Self {
        let mut connection = SqliteConnection::establish(file).expect("the SQLite database");
        let analysed = sql_query("DELETE FROM sqlite_stat1").execute(&mut connection);
        if analysed.is_ok() {
            connection = SqliteConnection::establish(file).expect("the SQLite database");
        }
        Self(connection)
    }

    /// The ways through growing tables that a statement should not take.
    pub fn walks(&mut self, statement: &str) -> Vec<String> {
        let explained = sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load::<Step>(&mut self.0);
        let steps = match explained {
            Ok(steps) => steps,
            Err(error) => {
                return vec![format!("cannot be explained: {error}")];
            }
        };
        let sorts = steps.iter().any(|step| step.detail.starts_with("USE TEMP B-TREE"));
        let walks = steps.iter().filter_map(|step| {
            let used = unbounded(statement, &step.detail)?;
            let left: Vec<String> = compared(statement).into_iter().filter(|column| !used.contains(column)).collect();
            let ends_early = is_limited(statement) && !sorts && left.is_empty();
            let what = format!("`{}`, filters left {left:?}, sorts {sorts}", step.detail);
            (!ends_early).then_some(what)
        });
        walks.collect()
    }

    /// Deleting a parent looks for its children: a foreign key without an index walks over them all.
    pub fn foreign_keys_without_index(&mut self) -> Vec<Fault> {
        let keys: Vec<KeyColumn> = sql_query(
            "SELECT m.name AS child, f.\"table\" AS parent, f.id AS key, f.\"from\" AS column \
             FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 3, f.seq",
        )
        .load(&mut self.0)
        .expect("foreign keys");
        let mut faults = Vec::new();
        for group in keys.chunk_by(|a, b| a.child == b.child && a.key == b.key) {
            let (child, parent) = (&group[0].child, &group[0].parent);
            let columns: Vec<&str> = group.iter().map(|it| it.column.as_str()).collect();
            let is_served = self
                .indexes(child)
                .iter()
                .any(|index| columns.iter().all(|column| index.iter().take(columns.len()).any(|it| it == column)));
            if !is_served && !KEPT.contains(&parent.as_str()) {
                let what = format!("no index of {child} leads with ({}), which refers to {parent}", columns.join(", "));
                faults.push(Fault { statement: format!("DELETE FROM {parent}"), what });
            }
        }
        faults
    }

    fn indexes(&mut self, table: &str) -> Vec<Vec<String>> {
        let columns: Vec<IndexColumn> = sql_query(format!(
            "SELECT l.name AS \"index\", c.name AS column FROM pragma_index_list('{table}') l \
             JOIN pragma_index_info(l.name) c ORDER BY 1, c.seqno"
        ))
        .load(&mut self.0)
        .expect("indexes");
        columns
            .chunk_by(|a, b| a.index == b.index)
            .map(|index| index.iter().map(|it| it.column.clone()).collect())
            .collect()
    }
}

/// The columns by which a step finds rows of a growing table, where no bound comes of them.
fn unbounded(statement: &str, step: &str) -> Option<Vec<String>> {
    let mut words = step.split_whitespace();
    let (verb, name) = (words.next()?, words.next()?);
    let table = table_of(statement, name);
    if !matches!(verb, "SCAN" | "SEARCH") || !grows(table) {
        return None;
    }
    let found = step.split_once('(').map(|(_, columns)| columns.trim_end_matches(')')).unwrap_or_default();
    let conditions: Vec<&str> = found.split(" AND ").collect();
    let is_bounded = conditions.iter().any(|it| it.ends_with("=?") && *it != "seller_id=?");
    let columns = conditions.iter().flat_map(|it| it.split(['=', '<', '>'])).filter(|it| *it != "?");
    (!is_bounded).then(|| columns.map(str::to_owned).collect())
}
