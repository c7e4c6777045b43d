//! Runs a test's scenario on SQLite and on PostgreSQL, each on a database of its own.

mod parcel;

pub use parcel::a_parcel;

use super::Store;
use super::sellers::{Seller, Shop};
use super::{At, Reason};
use crate::domain::ids::{SellerId, ShopId};
use crate::secrets::Secrets;
use diesel::{Connection, PgConnection, RunQueryDsl};
use jiff::Timestamp;
use std::sync::Once;

/// Runs the scenario twice. The second time needs a server, which `scripts/test` starts.
pub fn on_both(scenario: impl Fn(&Store)) {
    LOG_STATEMENTS.call_once(log_statements);
    let folder = tempfile::tempdir().unwrap();
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    let file = format!("sqlite:{}", folder.path().join("test.db").display());
    for url in [file, fresh_postgres()] {
        scenario(&Store::open(&url, secrets.clone()).unwrap());
    }
}

static LOG_STATEMENTS: Once = Once::new();

/// Keeps the statements of unit tests for `examples/plans`, where somebody collects them.
#[allow(clippy::disallowed_methods, reason = "a test's environment is its own; the server's is read in config.rs")]
fn log_statements() {
    let Some(folder) = std::env::var_os("PARCELTRAIL_TEST_STATEMENTS") else { return };
    let file = std::fs::File::create(std::path::Path::new(&folder).join("unit-tests")).unwrap();
    let statements = tracing_subscriber::fmt().with_env_filter("parceltrail::statements=trace").without_time();
    let lines = statements.with_level(false).with_target(false).with_ansi(false).with_writer(file);
    // Whoever logs already keeps its log.
    drop(lines.try_init());
}

/// A seller in Berlin with a shop `main`.
pub fn a_seller(store: &Store, now: Timestamp) -> SellerId {
    let seller = Seller {
        id: SellerId::new(now),
        name: "Lantern".to_owned(),
        country: None,
        time_zone: "Europe/Berlin".to_owned(),
        upload_days: 14,
        created_at: At(now),
        strict_imports: false,
    };
    let id = ShopId::new(now);
    let shop = Shop {
        seller_id: seller.id,
        id,
        name: "main".to_owned(),
        handle: id.to_string(),
        contact_days: Some(365),
        created_at: At(now),
    };
    store.platform(Reason::Admin).write(|tables| tables.insert_seller(&seller, &shop)).unwrap();
    seller.id
}

#[allow(clippy::disallowed_methods, reason = "a test's environment is its own; the server's is read in config.rs")]
fn fresh_postgres() -> String {
    let server = std::env::var("PARCELTRAIL_TEST_POSTGRES")
        .expect("no PostgreSQL to test on: run ./scripts/test, which starts one and sets PARCELTRAIL_TEST_POSTGRES");
    let name = format!("unit_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::establish(&server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut connection).unwrap();
    let (address, query) = server.split_once('?').unwrap_or((&server, ""));
    let host = address.rsplit_once('/').unwrap().0;
    if query.is_empty() { format!("{host}/{name}") } else { format!("{host}/{name}?{query}") }
}
