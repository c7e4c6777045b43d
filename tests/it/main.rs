//! The whole program, tested from outside: each scenario has a server and a database of its own, and holds on either
//! kind of database alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed; clippy lets only functions marked as tests do so"
)]

/// Makes two tests of each scenario, one a database.
macro_rules! on_both {
    ($($scenario:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $scenario() { super::$scenario(crate::server::Database::Sqlite); })*
        }
        mod on_postgres {
            $(#[test] fn $scenario() { super::$scenario(crate::server::Database::Postgres); })*
        }
    };
}

mod auth;
mod backup;
mod batches;
mod browser;
mod bulk_imports;
mod cancels;
mod carriers;
mod changes;
mod conditions;
mod corrections;
mod crash;
mod doubts;
mod growth;
mod house;
mod idempotency;
mod imports;
mod legs;
mod matrix;
mod openapi;
mod page_matrix;
mod pages;
mod parcels;
mod patches;
mod people;
mod poison;
mod privacy;
mod reports;
mod schema;
mod server;
mod start;
mod stop;
mod story;
mod tokens;
mod verdicts;
mod wire;
