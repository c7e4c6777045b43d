//! An honest start: what is missing is said, and nothing is made in its place.

use crate::server::{Database, Server, postgres_url, text};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A stopped server with a seller in its database, and the name of that.
fn stopped() -> (Server, String) {
    let mut server = Server::start_with(Database::Sqlite, &[("PARCELTRAIL_DRAIN_DELAY_MS", "0")]);
    server.seller("Lantern", "UTC");
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(30)), Some(0));
    let database = server.database_url().trim_start_matches("sqlite:").to_owned();
    (server, database)
}

const STARTS: [&[&str]; 3] = [&["serve"], &["migrate"], &["seller", "create", "--name", "Other"]];

#[test]
fn a_missing_key_file_is_said_and_none_is_made() {
    let (server, database) = stopped();
    let key_file = format!("{database}.key");
    let key = fs::read_to_string(&key_file).unwrap();
    fs::remove_file(&key_file).unwrap();
    for start in STARTS {
        let output = server.run(start);
        let said = words(&output);
        assert_eq!(output.status.code(), Some(2), "{start:?}: {said}");
        assert!(said.contains(&key_file) && said.contains("PARCELTRAIL_SECRET_KEY"), "{start:?}: {said}");
        assert!(!Path::new(&key_file).exists(), "{start:?} made a key");
    }
    assert_eq!(server.count("sellers"), 1);
    let output = server.run_with(&["check-invariants"], &[("PARCELTRAIL_SECRET_KEY", &key)]);
    assert!(output.status.success(), "{}", words(&output));
}

#[test]
fn a_missing_database_is_said_and_none_is_made() {
    let (mut server, database) = stopped();
    let aside = format!("{database}.aside");
    fs::rename(&database, &aside).unwrap();
    for start in STARTS {
        for is_empty in [false, true] {
            if is_empty {
                fs::write(&database, "").unwrap();
            }
            let output = server.run(start);
            let said = words(&output);
            assert_eq!(output.status.code(), Some(2), "{start:?}: {said}");
            assert!(said.contains(&database) && said.contains("--new-database"), "{start:?}: {said}");
            assert_eq!(fs::read(&database).unwrap_or_default().len(), 0, "{start:?} made a database");
            drop(fs::remove_file(&database));
        }
    }
    let allowed = server.run_with(&["migrate"], &[("PARCELTRAIL_NEW_DATABASE", "true")]);
    assert!(allowed.status.success(), "{}", words(&allowed));
    assert_eq!(server.count("sellers"), 0);
    server.launch();
    fs::rename(&aside, &database).unwrap();
}

#[test]
fn row_security_that_cannot_be_had_stops_the_start() {
    let owner = postgres_url().expect("scripts/test starts a PostgreSQL and names it");
    let server = Server::start(Database::Postgres);
    // The role exists by now, and this user may not use it.
    let user = format!("plain_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::establish(&owner).unwrap();
    // A statement each: a database is made outside of transactions only.
    connection.batch_execute(&format!("CREATE ROLE {user} LOGIN PASSWORD 'plain'")).unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {user} OWNER {user}")).unwrap();
    let (scheme, rest) = owner.split_once("://").unwrap();
    let hosts = rest.rsplit_once('/').unwrap().0.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
    let url = format!("{scheme}://{user}:plain@{hosts}/{user}");
    let refused = server.run_with(&["migrate"], &[("DATABASE_URL", &url)]);
    let settings = [("DATABASE_URL", url.as_str()), ("PARCELTRAIL_ALLOW_NO_ROW_SECURITY", "true")];
    let allowed = server.run_with(&["seller", "create", "--name", "Lantern"], &settings);
    connection.batch_execute(&format!("DROP DATABASE {user}")).unwrap();
    connection.batch_execute(&format!("DROP ROLE {user}")).unwrap();
    let said = words(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for part in ["row-level security", "CREATE ROLE parceltrail_app", "PARCELTRAIL_ALLOW_NO_ROW_SECURITY"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(allowed.status.success(), "{}", words(&allowed));
    let made: serde_json::Value = serde_json::from_slice(&allowed.stdout).unwrap();
    assert!(text(&made["api_key"]).starts_with("pt_live_"));
    assert!(words(&allowed).contains("row-level security is off"), "{}", words(&allowed));
}
