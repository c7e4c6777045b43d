//! Batches: each item for itself.

use crate::parcels::ups;
use crate::server::{Answer, Database, Server, text};
use serde_json::{Value, json};

on_both!(
    a_bad_order_does_not_stop_the_rest,
    a_bad_parcel_does_not_stop_the_rest,
    a_bad_scan_does_not_stop_the_rest,
    what_the_database_refuses_fails_alone,
    a_batch_has_its_bounds,
);

#[track_caller]
fn put(server: &Server, key: &str, of: &str, items: &Value) -> Answer {
    server.post(key, &format!("/v1/{of}/batch"), &json!({of: items}))
}

/// Total, created, updated, unchanged, failed; and the outcomes in order.
#[track_caller]
fn told(answer: &Answer) -> (Value, Vec<String>) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (body, mut outcomes) = (answer.json(), Vec::new());
    for (index, result) in body["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!(result["index"], index, "{result}");
        let failed = result["outcome"] == "failed";
        assert_eq!((result.get("problem").is_some(), result.get("id").is_some()), (failed, !failed), "{result}");
        outcomes.push(text(&result["outcome"]));
    }
    let sum = &body["summary"];
    (json!([sum["total"], sum["created"], sum["updated"], sum["unchanged"], sum["failed"]]), outcomes)
}

/// Where and how the item of an index failed.
#[track_caller]
fn fault(answer: &Answer, index: usize) -> (String, String) {
    let problem = &answer.json()["results"][index]["problem"];
    let fault = &problem["errors"][0];
    if fault.is_null() {
        return (String::new(), text(&problem["code"]));
    }
    (text(&fault["pointer"]), text(&fault["code"]))
}

fn at(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

fn a_bad_order_does_not_stop_the_rest(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    server.made_order(&key, &json!({"order_number": "1", "channel": "web"}));
    let orders = json!([
        {"order_number": "1", "channel": "web"},
        {"order_number": "2", "lines": [{"sku": "A"}, {"sku": "B", "quantity": 0}]},
        {"order_number": "3", "colour": "red"},
        "no order",
        ["main", "4"],
        {"order_number": 5},
        {"order_number": "6", "shop": "nowhere"},
        {"order_number": "7", "lines": [{"sku": "A"}, {"sku": "B"}]},
        {"order_number": "1", "channel": "shop"},
        {"order_number": "8", "ship_to": {"country": "Atlantis"}},
        {"order_number": "7", "lines": [{"sku": "A"}, {"sku": "B"}]},
    ]);
    let answer = put(&server, &key, "orders", &orders);
    let (counts, outcomes) = told(&answer);
    let failed = "failed";
    let expected =
        ["unchanged", failed, failed, failed, failed, failed, failed, "created", "updated", failed, "unchanged"];
    assert_eq!(
        (counts, outcomes),
        (json!([11, 1, 1, 2, 7]), expected.map(str::to_owned).to_vec()),
        "{}",
        answer.text()
    );
    for (index, pointer, code) in [
        (1, "/orders/1/lines/1/quantity", "out_of_range"),
        (2, "/orders/2", "invalid_body"),
        (3, "/orders/3", "invalid_body"),
        (4, "/orders/4", "invalid_body"),
        (5, "/orders/5", "invalid_body"),
        (6, "/orders/6/shop", "shop_not_found"),
        (9, "/orders/9/ship_to/country", "unknown_country"),
    ] {
        assert_eq!(fault(&answer, index), at(pointer, code), "{}", answer.text());
    }
    assert_eq!(server.all(&key, "/v1/orders").len(), 2, "of a failed order nothing is written");
    let seven = server.order(&key, "7");
    assert_eq!((&seven["id"], &answer.json()["results"][7]["id"]), (&answer.json()["results"][10]["id"], &seven["id"]));
    assert_eq!(server.order(&key, "1")["channel"], "shop");
}

fn a_bad_parcel_does_not_stop_the_rest(database: Database) {
    let server = Server::start(database);
    let (key, stranger) = (server.seller("Lantern", "UTC").key, server.seller("Stranger", "UTC").key);
    let order = server.post(&key, "/v1/orders", &json!({"order_number": "1"})).must_be(201).json();
    let foreign = server.post(&stranger, "/v1/orders", &json!({"order_number": "1"})).must_be(201).json();
    let wrong = "1Z999AA10123456785";
    let parcels = json!([
        {"order_number": "1", "tracking_number": ups(1), "carrier": "ups"},
        {"order_id": order["id"], "tracking_number": ups(1), "carrier": "ups", "service": "Ground"},
        {"order_id": foreign["id"], "tracking_number": ups(2), "carrier": "ups"},
        {"order_number": "none", "tracking_number": ups(3), "carrier": "ups"},
        {"order_number": "1", "tracking_number": "1.23E+11", "carrier": "ups"},
        {"order_number": "1", "tracking_number": wrong, "carrier": "ups"},
        {"order_number": "1", "tracking_number": ups(1), "carrier": "ups"},
    ]);
    let answer = put(&server, &key, "shipments", &parcels);
    let (counts, outcomes) = told(&answer);
    let expected = ["created", "updated", "failed", "failed", "failed", "created", "unchanged"];
    assert_eq!((counts, outcomes), (json!([7, 2, 1, 1, 3]), expected.map(str::to_owned).to_vec()), "{}", answer.text());
    for index in [2, 3] {
        let pointer = format!("/shipments/{index}/order_number");
        assert_eq!(fault(&answer, index), at(&pointer, "order_not_found"), "{}", answer.text());
    }
    assert_eq!(fault(&answer, 4), at("/shipments/4/tracking_number", "scientific_notation"));
    assert_eq!(answer.json()["results"][5]["warnings"][0]["code"], "bad_checksum", "{}", answer.text());
    assert_eq!(server.all(&key, "/v1/shipments").len(), 2);
    assert!(server.all(&stranger, "/v1/shipments").is_empty());
    server.check_invariants();
}

fn a_bad_scan_does_not_stop_the_rest(database: Database) {
    let server = Server::start(database);
    let (key, stranger) = (server.seller("Lantern", "UTC").key, server.seller("Stranger", "UTC").key);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let parcel = |key: &str, serial: u32| {
        json!({"order_id": id(&server.made_order(key, &json!({"order_number": serial.to_string()}))),
            "tracking_number": ups(serial), "carrier": "ups"})
    };
    let [one, two] = [1, 2].map(|serial| server.made_shipment(&key, &parcel(&key, serial)));
    let foreign = server.made_shipment(&stranger, &parcel(&stranger, 3));
    let (moving, delivered) = ("in_transit.moving", "delivered.to_recipient");
    let scans = json!([
        {"shipment_id": id(&one), "occurred_at": "2026-09-12T08:00:00Z", "sub_status": delivered, "place": "Albany"},
        {"shipment_id": id(&one), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"tracking_number": ups(2), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"tracking_number": ups(2), "carrier": "ups", "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"shipment_id": id(&foreign), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"tracking_number": ups(3), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"shipment_id": id(&one), "tracking_number": ups(1), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": moving},
        {"shipment_id": id(&one), "occurred_at": "2026-09-11T08:00:00Z", "sub_status": "in_transit.flying"},
        {"shipment_id": id(&one), "occurred_at": "noon", "sub_status": moving},
    ]);
    let answer = put(&server, &key, "scans", &scans);
    let (counts, outcomes) = told(&answer);
    let failed = "failed";
    let expected = ["created", "created", "created", "unchanged", failed, failed, failed, failed, failed];
    assert_eq!((counts, outcomes), (json!([9, 3, 0, 1, 5]), expected.map(str::to_owned).to_vec()), "{}", answer.text());
    assert_eq!(answer.json()["results"][2]["id"], id(&two));
    for (index, pointer, code) in [
        (4, "", "not_found"),
        (5, "/scans/5/tracking_number", "tracking_number_not_found"),
        (6, "/scans/6/shipment_id", "which_shipment"),
        (7, "/scans/7/sub_status", "unknown_status"),
        (8, "/scans/8/occurred_at", "invalid_date"),
    ] {
        assert_eq!(fault(&answer, index), at(pointer, code), "{}", answer.text());
    }
    for (path, milestone, events) in [(&one, "delivered", 2), (&two, "in_transit", 1)] {
        assert_eq!(server.get(&key, path).json()["milestone"], milestone);
        assert_eq!(server.all(&key, &format!("{path}/events")).len(), events);
    }
    assert_eq!(server.get(&stranger, &foreign).json()["milestone"], "pending");
    server.check_invariants();
}

/// PostgreSQL keeps no NUL in a text, SQLite does.
fn what_the_database_refuses_fails_alone(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let lines = json!([{"sku": "A"}, {"sku": "B\u{0}"}]);
    let orders = json!([{"order_number": "1"}, {"order_number": "2", "lines": lines}, {"order_number": "3"}]);
    let answer = put(&server, &key, "orders", &orders);
    let (_, outcomes) = told(&answer);
    let (second, count) = if database == Database::Postgres { ("failed", 2) } else { ("created", 3) };
    assert_eq!(outcomes, ["created", second, "created"], "{}", answer.text());
    assert_eq!(server.all(&key, "/v1/orders").len(), count, "of a failed order nothing is written");
    if database == Database::Postgres {
        assert_eq!(fault(&answer, 1), at("", "bad_text"));
    }
}

fn a_batch_has_its_bounds(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let orders = |count: usize| (0..count).map(|n| json!({"order_number": n.to_string()})).collect::<Vec<_>>();
    for of in ["orders", "shipments", "scans"] {
        for items in [json!([]), json!(vec![json!({}); 501])] {
            let problem = put(&server, &key, of, &items).must_be_problem(422, "invalid_request");
            assert_eq!(problem["errors"][0]["code"], "bad_count", "{of}: {problem}");
        }
        put(&server, &key, of, &json!({})).must_be_problem(422, "invalid_request");
        let path = format!("/v1/{of}/batch");
        server.post(&key, &path, &json!({of: [], "dry_run": true})).must_be_problem(422, "invalid_request");
    }
    let note = "x".repeat(8_000);
    let mut many = orders(500);
    many[0]["recipient"] = json!({"note": note.repeat(200)});
    let answer = put(&server, &key, "orders", &json!(many));
    assert_eq!(told(&answer).0, json!([500, 500, 0, 0, 0]), "more than 1 MiB is taken");
    many[0]["recipient"] = json!({"note": note.repeat(1_100)});
    put(&server, &key, "orders", &json!(many)).must_be_problem(413, "too_large");

    let lines: Vec<Value> = (0..500).map(|n| json!({"sku": n.to_string()})).collect();
    // None of them is written, but what can be read is counted.
    let long =
        |shop: &str, currency: &str| json!({"order_number": "1", "shop": shop, "currency": currency, "lines": lines});
    let mut wide = vec![long("main", "euros")];
    wide.extend((0..10).map(|_| long("nowhere", "EUR")));
    wide.push(json!({"order_number": "one more", "lines": [{"sku": "A"}]}));
    let answer = put(&server, &key, "orders", &json!(wide));
    assert_eq!(fault(&answer, 0), at("/orders/0/currency", "unknown_currency"));
    assert_eq!(fault(&answer, 10), at("/orders/10/shop", "shop_not_found"));
    assert_eq!(fault(&answer, 11), at("/orders/11/lines", "bad_count"), "5,000 lines are in already");
}
