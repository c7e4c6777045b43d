//! The power goes off, again and again, while a large sheet is being taken in.

use crate::server::{Database, Server, text};
use serde_json::Value;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const ROWS: usize = 10_000;
/// An import that a dead process held must go on this soon, however slow the machine.
const RESUMED_WITHIN: Duration = Duration::from_secs(30);

#[test]
fn twenty_kills_lose_and_double_nothing_on_sqlite() {
    survives(Database::Sqlite, 20);
}

#[test]
fn twenty_kills_lose_and_double_nothing_on_postgres() {
    survives(Database::Postgres, 20);
}

/// Uploads a sheet and kills the server at random moments until it was killed `kills` times at work; a sheet that is
/// done before that is followed by another one.
fn survives(database: Database, kills: usize) {
    let mut server = Server::start(database);
    let seller = server.seller("Unlucky", "UTC");
    let (mut sheets, mut killed_at) = (0, Vec::new());
    while killed_at.len() < kills {
        sheets += 1;
        let accepted = server.upload(&seller.key, "kind=combined", sheet(sheets)).must_be(202).json();
        let id = text(&accepted["id"]);
        while killed_at.len() < kills
            && let Some(rows) = rows_once_at_work(&server, &seller.key, &id)
        {
            std::thread::sleep(Duration::from_millis(random_below(700)));
            server.kill();
            server.launch();
            killed_at.push(rows);
        }
        let import = server.end_of_import(&seller.key, &id);
        for (field, expected) in [
            ("rows_total", ROWS),
            ("rows_accepted", ROWS),
            ("rows_created", ROWS),
            ("rows_unchanged", 0),
            ("rows_rejected", 0),
        ] {
            assert_eq!(import[field], expected, "{field}, killed after rows {killed_at:?}: {import}");
        }
    }
    for table in ["orders", "order_lines", "order_contacts", "shipments", "trackers", "legs", "standings"] {
        let rows = usize::try_from(server.count(table)).unwrap();
        assert_eq!(rows, sheets * ROWS, "{table}, killed after rows {killed_at:?}");
    }
    let distinct = server.count("(SELECT DISTINCT seller_id, shop_id, order_number FROM orders) AS distinct_orders");
    assert_eq!(usize::try_from(distinct).unwrap(), sheets * ROWS);
    server.check_invariants();
    an_upload_cut_off_stores_nothing(database, &mut server, &seller.key);
}

/// Waits until the import has come further than it was, and tells how far; `None` where it has come to its end.
fn rows_once_at_work(server: &Server, key: &str, id: &str) -> Option<u64> {
    let look = || server.get(key, &format!("/v1/imports/{id}")).must_be(200).json();
    let rows = |import: &Value| import["rows_accepted"].as_u64().unwrap();
    let (begun, before) = (Instant::now(), rows(&look()));
    loop {
        let import = look();
        if import["state"] == "completed" {
            return None;
        }
        if rows(&import) > before {
            return Some(rows(&import));
        }
        assert!(begun.elapsed() < RESUMED_WITHIN, "the import does not go on: {import}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A file that did not arrive whole was never promised to be kept.
fn an_upload_cut_off_stores_nothing(database: Database, server: &mut Server, key: &str) {
    let (orders, imports) = (server.count("orders"), server.all(key, "/v1/imports").len());
    let mut wire = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /v1/imports?kind=combined HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\
         content-type: text/csv\r\ncontent-length: 9000000\r\n\r\n",
        server.address()
    );
    wire.write_all(head.as_bytes()).unwrap();
    wire.write_all(&sheet(99)).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.kill();
    server.launch();
    assert_eq!(server.count("orders"), orders);
    assert_eq!(server.all(key, "/v1/imports").len(), imports);
    if database == Database::Sqlite {
        assert_eq!(server.count("imports WHERE state = 'receiving'"), 0, "deleted at the start");
    }
}

/// One order and one parcel a row.
fn sheet(number: usize) -> Vec<u8> {
    let mut sheet = "order_number,order_date,sku,quantity,recipient_name,country,deliver_by,tracking_number,carrier,\
                     shipped_at,delivered_at\n"
        .to_owned();
    for row in 0..ROWS {
        writeln!(
            sheet,
            "K{number}-{row},2026-09-01,LAMP,1,Ada Quill,US,2026-09-12,KX{number:02}{row:07}Q,other,2026-09-02,2026-09-09"
        )
        .unwrap();
    }
    sheet.into_bytes()
}

/// Random enough to find another moment on every run.
fn random_below(bound: u64) -> u64 {
    RandomState::new().hash_one(bound) % bound
}
