//! Conditional requests: tags, what a reader holds already, and changes that are made for one version.

use crate::parcels::ups;
use crate::server::{Database, Server};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

on_both!(
    a_reader_is_not_sent_what_it_holds,
    a_change_for_an_old_version_is_refused,
    news_of_a_parcel_does_not_break_its_seller_s_edit,
    create_only_makes_what_is_new_alone,
    of_two_changes_for_one_version_one_is_made,
);

fn a_reader_is_not_sent_what_it_holds(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let made = server.post(&key, "/v1/orders", &json!({"order_number": "1001"})).must_be(201);
    let order = format!("/v1/orders/{}", made.json()["id"].as_str().unwrap());
    let shipment =
        server.made_shipment(&key, &json!({"order_number": "1001", "tracking_number": ups(1), "carrier": "ups"}));
    assert_eq!(server.get(&key, &order).header("etag"), made.header("etag"), "as its maker was told");
    for path in [order.as_str(), "/v1/orders/by-number/main/1001", shipment.as_str()] {
        let tag = server.get(&key, path).must_be(200).header("etag").to_owned();
        let held = |held: &str| server.ask(&key, (&Method::GET, path), ("if-none-match", held), &Value::Null);
        for it in [tag.clone(), format!("W/{tag}"), format!("\"0-00\", {tag}"), "*".to_owned()] {
            let answer = held(&it).must_be(304);
            assert_eq!((answer.header("etag"), answer.text().as_str()), (tag.as_str(), ""), "{path} {it}");
        }
        held("\"0-00\"").must_be(200);
    }
    let told = server.patch(&key, &order, &json!({"channel": "web"})).must_be(200);
    assert_ne!(told.header("etag"), made.header("etag"));
    assert_eq!(server.get(&key, &order).header("etag"), told.header("etag"), "as its changer was told");
}

fn a_change_for_an_old_version_is_refused(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let order = server.made_order(&key, &json!({"order_number": "1001"}));
    let shipment =
        server.made_shipment(&key, &json!({"order_number": "1001", "tracking_number": ups(1), "carrier": "ups"}));
    for (path, change) in [(&order, json!({"channel": "web"})), (&shipment, json!({"service": "Ground"}))] {
        let old = server.get(&key, path).header("etag").to_owned();
        let patch = |tag: &str, body: &Value| server.ask(&key, (&Method::PATCH, path), ("if-match", tag), body);
        let changed = patch(&old, &change).must_be(200);
        assert_eq!(changed.json()["outcome"], "updated", "{path}");
        let new = changed.header("etag").to_owned();
        for tag in [old.as_str(), "\"1\"", "nonsense", "", "\"99-00\""] {
            patch(tag, &json!({})).must_be_problem(412, "precondition_failed");
            let cancel = server.ask(&key, (&Method::POST, &format!("{path}/cancel")), ("if-match", tag), &Value::Null);
            cancel.must_be_problem(412, "precondition_failed");
        }
        for tag in [new.as_str(), "*", &format!("{old}, {new}"), &format!("W/{new}")] {
            assert_eq!(patch(tag, &change).must_be(200).json()["outcome"], "unchanged", "{path} {tag}");
        }
        let cancel = server.ask(&key, (&Method::POST, &format!("{path}/cancel")), ("if-match", &new), &Value::Null);
        assert_eq!(cancel.must_be(200).json()["outcome"], "updated", "{path}");
    }
    let nowhere = "/v1/orders/0199f2c8-0000-7000-8000-000000000000";
    server.ask(&key, (&Method::PATCH, nowhere), ("if-match", "*"), &json!({})).must_be_problem(404, "not_found");
}

fn news_of_a_parcel_does_not_break_its_seller_s_edit(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    server.made_order(&key, &json!({"order_number": "1001"}));
    let shipment =
        server.made_shipment(&key, &json!({"order_number": "1001", "tracking_number": ups(1), "carrier": "ups"}));
    let tag = server.get(&key, &shipment).header("etag").to_owned();
    let scans = json!({"scans": [{"occurred_at": "2026-09-17T10:04:00Z", "sub_status": "in_transit.moving"}]});
    server.post(&key, &format!("{shipment}/scans"), &scans).must_be(200);
    let read = server.ask(&key, (&Method::GET, &shipment), ("if-none-match", &tag), &Value::Null).must_be(200);
    assert_eq!(read.json()["milestone"], "in_transit", "a reader is told the news");
    assert_ne!(read.header("etag"), tag);
    server.ask(&key, (&Method::PATCH, &shipment), ("if-match", &tag), &json!({"service": "Ground"})).must_be(200);
}

fn create_only_makes_what_is_new_alone(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let parcel = json!({"order_number": "1001", "tracking_number": ups(1), "carrier": "ups"});
    for (path, body, other) in [
        ("/v1/orders", json!({"order_number": "1001"}), json!({"order_number": "1001", "channel": "web"})),
        ("/v1/shipments", parcel.clone(), {
            let mut other = parcel;
            other["service"] = json!("Ground");
            other
        }),
    ] {
        let put = |body: &Value| server.ask(&key, (&Method::POST, path), ("if-none-match", "*"), body);
        let made = put(&body).must_be(201).json();
        put(&body).must_be_problem(412, "precondition_failed");
        put(&other).must_be_problem(412, "precondition_failed");
        let stored = server.get(&key, &format!("{path}/{}", made["id"].as_str().unwrap())).json();
        assert_eq!(
            (&stored["channel"], &stored["service"]),
            (&made["channel"], &made["service"]),
            "nothing was written"
        );
    }
}

fn of_two_changes_for_one_version_one_is_made(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let path = server.made_order(&key, &json!({"order_number": "1001"}));
    for round in 0..50 {
        let tag = server.get(&key, &path).must_be(200).header("etag").to_owned();
        let together = Barrier::new(2);
        let change = |channel: String| {
            together.wait();
            server.ask(&key, (&Method::PATCH, &path), ("if-match", &tag), &json!({"channel": channel}))
        };
        let answers = thread::scope(|scope| {
            let other = scope.spawn(|| change(format!("b{round}")));
            [change(format!("a{round}")), other.join().unwrap()]
        });
        let mut statuses = answers.each_ref().map(|it| it.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "round {round}: {} {}", answers[0].text(), answers[1].text());
        let made = answers.iter().find(|it| it.status == 200).unwrap().json();
        assert_eq!(server.get(&key, &path).json()["channel"], made["channel"], "round {round}");
    }
}
