//! Explains every statement that the tests sent, and fails on those whose cost grows with the number of parcels: a walk over
//! a seller's rows or a whole table, or a sort of them, that an index should spare.
//!
//! `plans STATEMENTS`: the folder holds files with a line a statement, `sqlite: SELECT ...` or `postgres: SELECT ...`, as tests
//! write them where `PARCELTRAIL_TEST_STATEMENTS` names it. The databases are made here: 20,000 parcels, 18,000 of them of
//! one seller; on SQLite without statistics.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a check that cannot go on has failed, and its findings are printed"
)]

#[allow(dead_code, reason = "the scenarios of the integration tests use the rest of it")]
#[path = "../../tests/it/server.rs"]
mod server;

mod allowed;
mod postgres;
mod sqlite;
mod statement;

use server::{Database, Server};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// A statement, and what is wrong with its plan.
struct Fault {
    statement: String,
    what: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else {
        println!("usage: plans STATEMENTS");
        return ExitCode::from(2);
    };
    let statements = read(Path::new(folder));
    let (on_sqlite, on_postgres) = (grown(Database::Sqlite), grown(Database::Postgres));
    let sqlite_file = on_sqlite.database_url().trim_start_matches("sqlite:");
    let mut sqlite = sqlite::Explainer::open(sqlite_file);
    let mut postgres = postgres::Explainer::open(on_postgres.database_url());
    let mut faults = sqlite.foreign_keys_without_index();
    let mut used = BTreeSet::new();
    for (database, statement) in &statements {
        if statement::is_empty(statement) {
            continue;
        }
        let walks = match database.as_str() {
            "sqlite" => sqlite.walks(statement),
            _ => postgres.walks(statement),
        };
        for what in walks {
            match allowed::of(statement) {
                Some(allowance) => drop(used.insert(allowance.part)),
                None => faults.push(Fault { statement: format!("{database}: {statement}"), what }),
            }
        }
    }
    for fault in &faults {
        println!("{}\n    {}", fault.what, fault.statement);
    }
    for unused in allowed::ALL.iter().filter(|allowance| !used.contains(allowance.part)) {
        println!("note: no statement needed this allowance ({}): {}", unused.reason, unused.part);
    }
    println!("{} statements explained, {} with a cost that grows with the data", statements.len(), faults.len());
    ExitCode::from(u8::from(!faults.is_empty() || statements.is_empty()))
}

/// The distinct statements of all files, by database.
fn read(folder: &Path) -> BTreeSet<(String, String)> {
    let mut statements = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder of statements") {
        let text = std::fs::read_to_string(entry.expect("a file of statements").path()).expect("a file of statements");
        for line in text.lines() {
            if let Some((database, statement)) = line.split_once(": ") {
                statements.insert((database.to_owned(), statement::with_short_lists(statement)));
            }
        }
    }
    statements
}

/// A database with parcels of a large seller and of a small one; its server is down.
fn grown(database: Database) -> Server {
    let mut server = Server::start(database);
    for (name, parcels) in [("Large", 18_000), ("Small", 2_000)] {
        let seller = server.seller(name, "UTC");
        let import = server.import(&seller.key, "kind=combined", sheet(parcels));
        assert_eq!(import["rows_created"], parcels, "{import}");
    }
    server.kill();
    server
}

/// Postal numbers (UPU S10) with their check digits, each of an order of its own.
fn sheet(parcels: u32) -> String {
    let row = |number: u32| {
        let digits = format!("{:08}", 10_000_000 + number);
        let sum: u32 = digits
            .bytes()
            .map(|digit| u32::from(digit - b'0'))
            .zip([8, 6, 4, 2, 3, 5, 9, 7])
            .map(|(digit, weight)| digit * weight)
            .sum();
        let check = match 11 - sum % 11 {
            10 => 0,
            11 => 5,
            check => check,
        };
        let day = number % 28 + 1;
        format!(
            "T-{number},LAMP,1,Ada {number},{number} Main Street,12207,US,p{number}@example.com,2026-10-{day:02},China Post,\
             RR{digits}{check}CN,2026-09-{day:02}\n"
        )
    };
    let rows: String = (0..parcels).map(row).collect();
    let header = "order_number,sku,quantity,recipient_name,address1,postal_code,country,email,deliver_by,carrier,tracking_number,\
         shipped_at";
    format!("{header}\n{rows}")
}
