//! Cancelling, and asking the carrier before its time.

use crate::parcels::ups;
use crate::server::{Answer, Database, Server};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_cancelled_order_ends_what_is_under_way,
    a_cancelled_shipment_ends_alone,
    a_shipment_is_due_when_it_is_refreshed,
);

fn act(server: &Server, key: &str, path: &str, what: &str) -> Answer {
    server.send(&Method::POST, key, &format!("{path}/{what}"), None)
}

fn parcel(server: &Server, key: &str, serial: u32, delivered: Option<&str>) -> String {
    let parcel =
        json!({"order_number": "1001", "tracking_number": ups(serial), "carrier": "ups", "delivered_at": delivered});
    server.made_shipment(key, &parcel)
}

/// Milestone, whether more is expected, whether a carrier is asked.
fn state(server: &Server, key: &str, path: &str) -> (String, bool, bool) {
    let it = server.get(key, path).must_be(200).json();
    (it["milestone"].as_str().unwrap().to_owned(), it["open"].as_bool().unwrap(), !it["next_check_at"].is_null())
}

fn a_cancelled_order_ends_what_is_under_way(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let order = server.made_order(&key, &json!({"order_number": "1001", "deliver_by_on": "2026-09-01"}));
    let (open, done) = (parcel(&server, &key, 1, None), parcel(&server, &key, 2, Some("2026-09-03T10:00:00Z")));
    assert_eq!(server.get(&key, &open).json()["verdict"]["verdict"], "late_open");

    let first = act(&server, &key, &order, "cancel").must_be(200);
    assert_eq!((&first.json()["state"], &first.json()["outcome"]), (&json!("cancelled"), &json!("updated")));
    let second = act(&server, &key, &order, "cancel").must_be(200);
    assert_eq!((&second.json()["state"], &second.json()["outcome"]), (&json!("cancelled"), &json!("unchanged")));
    assert_eq!(first.header("etag"), second.header("etag"));

    assert_eq!(state(&server, &key, &open), ("pending".to_owned(), false, false));
    assert_eq!(server.get(&key, &open).json()["verdict"]["verdict"], "undecided");
    assert_eq!(state(&server, &key, &done), ("delivered".to_owned(), false, false));
    let totals = &server.delays(&key, "basis=promised")["totals"];
    assert_eq!(
        (&totals["cancelled"], &totals["late"], &totals["late_open"]),
        (&json!(1), &json!(1), &json!(0)),
        "{totals}"
    );
    server.check_invariants();
}

fn a_cancelled_shipment_ends_alone(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let order = server.made_order(&key, &json!({"order_number": "1001"}));
    let (one, other) = (parcel(&server, &key, 1, None), parcel(&server, &key, 2, None));
    for outcome in ["updated", "unchanged"] {
        assert_eq!(act(&server, &key, &one, "cancel").must_be(200).json()["outcome"], outcome);
    }
    assert_eq!(state(&server, &key, &one), ("pending".to_owned(), false, false));
    assert_eq!(state(&server, &key, &other), ("pending".to_owned(), true, true));
    assert_eq!(server.get(&key, &order).json()["state"], "open");

    let delivered = parcel(&server, &key, 3, Some("2026-09-03T10:00:00Z"));
    act(&server, &key, &delivered, "cancel").must_be(200);
    assert_eq!(state(&server, &key, &delivered), ("delivered".to_owned(), false, false), "it stays delivered");
    act(&server, &key, "/v1/shipments/0199f2c8-0000-7000-8000-000000000000", "cancel")
        .must_be_problem(404, "not_found");
    server.check_invariants();
}

fn a_shipment_is_due_when_it_is_refreshed(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    server.made_order(&key, &json!({"order_number": "1001"}));
    let path = parcel(&server, &key, 1, None);
    let first = server.get(&key, &path).json()["next_check_at"].clone();
    server.execute("UPDATE trackers SET next_check_at = created_at");
    let due = act(&server, &key, &path, "refresh").must_be(202);
    assert_eq!(due.json()["next_check_at"], first, "what is due already stays due");
    assert_eq!(due.header("etag"), server.get(&key, &path).header("etag"));

    let later = if database == Database::Sqlite { "4102444800000000" } else { "'2100-01-01T00:00:00Z'" };
    server.execute(&format!("UPDATE trackers SET next_check_at = {later}"));
    assert_eq!(server.get(&key, &path).json()["next_check_at"], "2100-01-01T00:00:00Z");
    let due = act(&server, &key, &path, "refresh").must_be(202).json();
    assert!(due["next_check_at"].as_str() < Some("2100"), "{due}");
    assert_eq!((&due["outcome"], &due["open"]), (&Value::Null, &json!(true)));

    act(&server, &key, &path, "cancel").must_be(200);
    act(&server, &key, &path, "refresh").must_be_problem(409, "tracking_ended");
    act(&server, &key, "/v1/shipments/0199f2c8-0000-7000-8000-000000000000", "refresh")
        .must_be_problem(404, "not_found");
}
