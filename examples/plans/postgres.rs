//! Plans of PostgreSQL for values that it does not know, with scans of whole tables only where nothing else will do.
//!
//! With statistics, which the server and autovacuum see to: without them PostgreSQL takes a seller to have a two-hundredth of all
//! rows, and reads those hundred instead of looking for each of a list of ids.

use crate::statement::grows;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use std::collections::BTreeSet;

pub struct Explainer {
    connection: PgConnection,
    /// Tables without rows have no plan worth looking at; SQLite's plans show that their indexes serve.
    empty: BTreeSet<String>,
}

#[derive(QueryableByName)]
struct Explained {
    #[diesel(sql_type = Text)]
    plan: String,
}

/// What stands above a step.
#[derive(Clone, Copy)]
struct Above {
    /// Whether the rows wanted are few, however many there are.
    limited: bool,
}

impl Explainer {
    pub fn open(url: &str) -> Self {
        let mut connection = PgConnection::establish(url).expect("the PostgreSQL database");
        connection
            .batch_execute(
                "ANALYZE; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; \
                 CREATE FUNCTION pg_temp.plan_of(command text) RETURNS text LANGUAGE plpgsql AS \
                 $$ DECLARE plan text; BEGIN EXECUTE command INTO plan; RETURN plan; END $$",
            )
            .expect("a superuser's connection");
        let empty = "SELECT relname::text AS plan FROM pg_class WHERE relkind = 'r' AND reltuples < 1";
        let empty: Vec<Explained> = sql_query(empty).load(&mut connection).expect("the tables");
        Self { connection, empty: empty.into_iter().map(|row| row.plan).collect() }
    }

    /// The ways through growing tables that a statement should not take.
    pub fn walks(&mut self, statement: &str) -> Vec<String> {
        // Rows that are given as arrays are read from nowhere.
        if statement.contains("FROM UNNEST($1") {
            return Vec::new();
        }
        match self.explain(statement) {
            Ok(plan) => {
                let mut walks = Vec::new();
                let limited = statement.to_ascii_lowercase().starts_with("select max(");
                self.visit(&plan[0]["Plan"], Above { limited }, &mut walks);
                walks
            }
            Err(error) => vec![format!("cannot be explained: {error}")],
        }
    }

    fn explain(&mut self, statement: &str) -> diesel::QueryResult<Value> {
        self.connection.batch_execute(&format!("PREPARE explained AS {statement}"))?;
        let last = (1..100).rev().find(|number| statement.contains(&format!("${number}"))).unwrap_or(0);
        let nulls = vec!["NULL"; last].join(", ");
        let values = if last == 0 { String::new() } else { format!("({nulls})") };
        let explained: diesel::QueryResult<Explained> =
            sql_query(format!("SELECT pg_temp.plan_of('EXPLAIN (FORMAT JSON) EXECUTE explained{values}') AS plan"))
                .get_result(&mut self.connection);
        self.connection.batch_execute("DEALLOCATE explained")?;
        Ok(serde_json::from_str(&explained?.plan).expect("a plan as JSON"))
    }
}

impl Explainer {
    fn visit(&self, step: &Value, above: Above, walks: &mut Vec<String>) {
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let kind = text("Node Type");
        let below = match kind.as_str() {
            "Limit" => Above { limited: true },
            "Sort" | "Aggregate" | "Hash" | "Materialize" | "Unique" | "WindowAgg" => Above { limited: false },
            _ => above,
        };
        let table = text("Relation Name");
        if kind.contains("Scan") && grows(&table) && !self.empty.contains(&table) {
            let condition = condition(step);
            let is_filtered = !text("Filter").is_empty();
            if !is_bounded(&condition) && (is_filtered || !above.limited) {
                let what = format!(
                    "`{kind} on {table}` by {condition:?}, filter {:?}, ends early {}",
                    text("Filter"),
                    above.limited
                );
                walks.push(what);
            }
        }
        for child in step["Plans"].as_array().into_iter().flatten() {
            self.visit(child, below, walks);
        }
    }
}

/// The index condition of a scan; of a bitmap scan, that of what is below it.
fn condition(step: &Value) -> String {
    let own = step["Index Cond"].as_str().or_else(|| step["Recheck Cond"].as_str());
    own.map_or_else(String::new, str::to_owned)
}

/// Whether a condition asks that another column than the seller be equal to something.
fn is_bounded(condition: &str) -> bool {
    condition.split(" AND ").any(|part| {
        let part = part.trim_matches(['(', ')']);
        part.split_once(" = ").is_some_and(|(column, _)| !column.ends_with("seller_id"))
    })
}
