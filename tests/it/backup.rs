//! Backups of a running server, and the way back: whole, verified, and without what was erased since.

use crate::parcels::{days_ago, ups};
use crate::server::{Database, Seller, Server, create_postgres_database, drop_postgres_database, text};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

on_both!(a_backup_under_load_is_whole, what_was_erased_since_is_erased_again);

/// Where a backup goes, and the database that is restored from it.
struct Place {
    folder: TempDir,
    url: String,
    key: String,
}

impl Place {
    fn of(server: &Server, database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("restored.db").display()),
            Database::Postgres => create_postgres_database(),
        };
        Self { folder, url, key: server.secret_key() }
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("parceltrail.backup")
    }

    fn manifest(&self) -> Value {
        let path = self.folder.path().join("parceltrail.backup.manifest.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn make(&self, server: &Server) {
        must_succeed(&server.run(&["backup", &self.backup().display().to_string()]));
    }

    /// Runs `restore` with this place as the database.
    fn restore(&self, server: &Server, more: &[&str]) -> Output {
        let backup = self.backup().display().to_string();
        let arguments: Vec<&str> = ["restore", &backup].iter().chain(more).copied().collect();
        server.run_with(&arguments, &self.settings())
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [("DATABASE_URL", &self.url), ("PARCELTRAIL_SECRET_KEY", &self.key)]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.url.starts_with("postgres") {
            drop_postgres_database(&self.url);
        }
    }
}

#[track_caller]
fn must_succeed(output: &Output) -> String {
    let said = words(output);
    assert!(output.status.success(), "{}\n{said}", output.status);
    said
}

#[track_caller]
fn must_be_refused(output: &Output, says: &str) {
    let said = words(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(says), "`{says}` is not in: {said}");
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The restored database of a place, served.
fn served(server: &mut Server, place: &Place) {
    server.kill();
    server.move_to(&place.url, &place.key);
    server.launch();
}

fn a_backup_under_load_is_whole(database: Database) {
    const CLIENTS: usize = 4;
    let mut server = Server::start_with(database, &[("PARCELTRAIL_RATE_LIMIT_PER_MINUTE", "0")]);
    let seller = server.seller("Busy", "UTC");
    let place = Place::of(&server, database);
    let (made, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (mut before, mut after) = (0, 0);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (address, key, made, is_over) = (server.address(), &seller.key, &made, &is_over);
            scope.spawn(move || {
                for turn in (0..).take_while(|_| !is_over.load(Ordering::SeqCst)) {
                    post_order(address, key, &format!("B-{client}-{turn}"));
                    made.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let begun = Instant::now();
        while made.load(Ordering::SeqCst) < 40 && begun.elapsed() < Duration::from_mins(2) {
            std::thread::sleep(Duration::from_millis(5));
        }
        before = made.load(Ordering::SeqCst);
        let output = server.run(&["backup", &place.backup().display().to_string()]);
        after = made.load(Ordering::SeqCst);
        // Writes go on after the backup too, so that it is not the end that is copied.
        while made.load(Ordering::SeqCst) < after + 20 && begun.elapsed() < Duration::from_mins(3) {
            std::thread::sleep(Duration::from_millis(5));
        }
        is_over.store(true, Ordering::SeqCst);
        must_succeed(&output);
    });
    let manifest = place.manifest();
    let orders = usize::try_from(manifest["rows"]["orders"].as_i64().unwrap()).unwrap();
    assert!(before >= 40 && (before..=after + CLIENTS).contains(&orders), "{before} {orders} {after}");
    assert!(usize::try_from(server.count("orders")).unwrap() > orders, "nothing was written after the backup");

    let said = must_succeed(&place.restore(&server, &[]));
    assert!(said.contains("All invariants hold.") && said.contains("Repeat every erasure made after"), "{said}");
    served(&mut server, &place);
    for (table, rows) in manifest["rows"].as_object().unwrap() {
        if table != "audit_log" {
            assert_eq!(Some(server.count(table)), rows.as_i64(), "{table}");
        }
    }
    let order = server.order(&seller.key, "B-0-0");
    assert_eq!(order["recipient"]["name"], "Ada Quill", "the key opens what is sealed: {order}");
    server.check_invariants();
}

/// On a connection of its own, without the client of the test's thread.
fn post_order(address: &str, key: &str, number: &str) {
    use std::io::{Read, Write};
    let body = json!({"order_number": number, "ordered_at": "2026-11-02", "recipient": {"name": "Ada Quill"},
        "lines": [{"sku": "LAMP", "quantity": 1}]})
    .to_string();
    let mut wire = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    wire.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

/// Ada and Bob each have an order with a parcel and a row that was rejected. Bob is erased after the backup.
fn what_was_erased_since_is_erased_again(database: Database) {
    let mut server = Server::start(database);
    let seller = server.seller("Lantern", "Europe/Berlin");
    two_people(&server, &seller);
    let place = Place::of(&server, database);
    place.make(&server);
    server.post(&seller.key, "/v1/orders", &order("LATER-1", "Cyd", "cyd@example.com")).must_be(201);
    for person in [
        json!({"email": "bob@example.com"}),
        json!({"order_number": "BOB-1"}),
        json!({"order_number": "BAD-BOB"}),
        json!({"order_number": "LATER-1"}),
    ] {
        server.post(&seller.key, "/v1/privacy/erasures", &person).must_be(201);
    }
    let said = match database {
        Database::Sqlite => replace_in_place(&mut server, &place),
        Database::Postgres => {
            let old = server.database_url().to_owned();
            let said = must_succeed(&place.restore(&server, &["--erasures-from", &old]));
            served(&mut server, &place);
            said
        }
    };
    assert!(said.contains("contacts of orders: 1") && said.contains("rows of uploads: 1"), "{said}");
    assert!(said.contains("not in the backup: 1"), "{said}");
    only_ada_is_left(&server, &seller);
    let erased = server.count("audit_log WHERE action = 'privacy.erased'");
    assert!(erased >= 2, "what is erased again is in the audit log: {erased}");
    server.check_invariants();
}

fn order(number: &str, name: &str, email: &str) -> Value {
    json!({"order_number": number, "recipient": {"name": name, "email": email}, "lines": [{"sku": "LAMP", "quantity": 1}]})
}

fn two_people(server: &Server, seller: &Seller) {
    let key = &seller.key;
    for (number, name, tracking) in [("ADA-1", "Ada", ups(91)), ("BOB-1", "Bob", ups(92))] {
        let email = format!("{}@example.com", name.to_lowercase());
        server.post(key, "/v1/orders", &order(number, name, &email)).must_be(201);
        let parcel = json!({"order_number": number, "tracking_number": tracking, "carrier": "ups"});
        let parcel = server.post(key, "/v1/shipments", &parcel).must_be(201).json();
        let scan = json!({"scans": [{"occurred_at": format!("{}T10:00:00Z", days_ago(2)),
            "sub_status": "in_transit.moving", "description": format!("Left with {name}")}]});
        server.post(key, &format!("/v1/shipments/{}/scans", text(&parcel["id"])), &scan).must_be(200);
    }
    // Rows of a sheet that lead to no order: whom they name is in their results alone.
    let sheet = "order_number,order_date,sku,quantity,recipient_name,email\n\
                 BAD-ADA,2026-02-30,LAMP,two,Ada,ada@example.com\n\
                 BAD-BOB,2026-02-30,LAMP,two,Bob,bob@example.com\n";
    server.import(key, "kind=orders", sheet);
}

/// Refused while the server runs, and without `--replace`.
fn replace_in_place(server: &mut Server, place: &Place) -> String {
    let backup = place.backup().display().to_string();
    let database = server.database_url().trim_start_matches("sqlite:").to_owned();
    must_be_refused(&server.run(&["restore", &backup]), "--replace");
    must_be_refused(&server.run(&["restore", &backup, "--replace"]), "Stop the server");
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(30)), Some(0));
    let later = "orders WHERE order_number = 'LATER-1'";
    assert_eq!(server.count(later), 1);
    let said = must_succeed(&server.run(&["restore", &backup, "--replace"]));
    assert_eq!(server.count(later), 0);
    let kept = said.split("is kept as ").nth(1).and_then(|rest| rest.split(". Delete").next()).unwrap();
    assert!(kept.starts_with(&database) && Path::new(kept).is_file(), "{said}");
    let kept_has = |condition: &str| Server::count_in(kept, condition);
    assert_eq!(kept_has(later), 1, "the old database is kept whole");
    server.launch();
    said
}

fn only_ada_is_left(server: &Server, seller: &Seller) {
    let key = &seller.key;
    assert_eq!(server.order(key, "ADA-1")["recipient"]["name"], "Ada");
    assert_eq!(server.order(key, "BOB-1")["recipient"]["name"], Value::Null);
    let details = |number: &str| {
        let id = text(&server.shipment(key, &ups(if number == "ADA-1" { 91 } else { 92 }))["id"]);
        server.get(key, &format!("/v1/shipments/{id}/events")).must_be(200).text()
    };
    assert!(details("ADA-1").contains("Left with Ada"));
    assert!(!details("BOB-1").contains("Left with Bob"));
    let import = server.all(key, "/v1/imports").into_iter().next().unwrap();
    let rows = server.rows(key, &import);
    assert_eq!(rows[0]["read"]["recipient_name"], "Ada", "{rows:?}");
    assert_eq!(rows[1]["read"], json!({"erased": true}), "{rows:?}");
    let path = format!("/v1/imports/{}/repaired.csv", text(&import["id"]));
    server.get(key, &path).must_be_problem(410, "import_expired");
    // What was erased does not come back by another upload either.
    server.post(key, "/v1/orders", &order("BOB-1", "Bob", "bob@example.com")).must_be(200);
    assert_eq!(server.order(key, "BOB-1")["recipient"]["name"], Value::Null);
}

#[test]
fn a_backup_that_was_changed_or_has_another_key_changes_nothing() {
    let mut server = Server::start(Database::Sqlite);
    let seller = server.seller("Lantern", "UTC");
    server.post(&seller.key, "/v1/orders", &order("A-1", "Ada", "ada@example.com")).must_be(201);
    let place = Place::of(&server, Database::Sqlite);
    place.make(&server);
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(30)), Some(0));
    let (backup, manifest) = (place.backup(), place.folder.path().join("parceltrail.backup.manifest.json"));
    let (whole, described) = (fs::read(&backup).unwrap(), fs::read(&manifest).unwrap());
    let target = PathBuf::from(server.database_url().trim_start_matches("sqlite:"));
    let (present, listed) = (fs::read(&target).unwrap(), names_in(target.parent().unwrap()));
    let name = backup.display().to_string();
    let refused = |what: &str, settings: &[(&str, &str)], says: &str| {
        must_be_refused(&server.run_with(&["restore", &name, "--replace"], settings), says);
        assert!(fs::read(&target).unwrap() == present, "{what}: the database was changed");
        assert_eq!(names_in(target.parent().unwrap()), listed, "{what}: files were left");
    };

    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&backup, &changed).unwrap();
    refused("one bit", &[], "SHA-256");
    fs::write(&backup, &whole[..middle]).unwrap();
    refused("half", &[], "bytes");
    fs::write(&backup, &whole).unwrap();
    fs::remove_file(&manifest).unwrap();
    refused("no manifest", &[], "has no manifest");
    fs::write(&manifest, "{}").unwrap();
    refused("an empty manifest", &[], "cannot be read");
    fs::write(&manifest, &described).unwrap();
    let other = "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI";
    refused("another key", &[("PARCELTRAIL_SECRET_KEY", other)], "secret key is not the one");
    must_succeed(&server.run(&["restore", &name, "--replace"]));
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    // SQLite's own files come and go with each connection.
    let mut names: Vec<String> = entries.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[test]
fn a_damaged_database_is_replaced_and_its_erasures_are_named() {
    let mut server = Server::start(Database::Sqlite);
    server.seller("Lantern", "UTC");
    let place = Place::of(&server, Database::Sqlite);
    place.make(&server);
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(30)), Some(0));
    let target = server.database_url().trim_start_matches("sqlite:").to_owned();
    fs::write(&target, "this is no database at all, however long it may be").unwrap();
    let backup = place.backup().display().to_string();
    must_be_refused(&server.run(&["restore", &backup]), "--replace");
    let said = must_succeed(&server.run(&["restore", &backup, "--replace"]));
    assert!(said.contains("cannot be read") && said.contains("Repeat every erasure made after"), "{said}");
    assert_eq!(server.count("sellers"), 1);
}

#[test]
fn postgresql_is_restored_into_an_empty_database_only() {
    let server = Server::start(Database::Postgres);
    server.seller("Lantern", "UTC");
    let place = Place::of(&server, Database::Postgres);
    place.make(&server);
    must_be_refused(&server.run(&["restore", &place.backup().display().to_string()]), "not empty");
    must_be_refused(&place.restore(&server, &["--replace"]), "--replace works with SQLite only");
    let sqlite = format!("sqlite:{}", place.folder.path().join("other.db").display());
    let settings = [("DATABASE_URL", sqlite.as_str()), ("PARCELTRAIL_SECRET_KEY", &place.key)];
    let other = server.run_with(&["restore", &place.backup().display().to_string()], &settings);
    must_be_refused(&other, "a backup of PostgreSQL");
    let nowhere = [("PATH", "/nowhere")];
    let second = place.folder.path().join("second.backup").display().to_string();
    let no_program = server.run_with(&["backup", &second], &nowhere);
    must_be_refused(&no_program, "pg_dump --dbname 'postgres");
    assert!(!Path::new(&second).exists());
    must_succeed(&place.restore(&server, &[]));
}
