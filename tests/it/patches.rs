//! Changes of orders and shipments: absent stays, `null` clears, and what follows follows as from a sheet.

use crate::parcels::{days_ago, ups};
use crate::server::{Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    absent_stays_and_null_clears,
    an_order_is_found_by_its_number,
    another_day_is_another_promise,
    a_day_taken_back_is_no_promise,
    a_word_taken_back_is_no_news,
    what_changes_nothing_is_unchanged,
    what_cannot_be_is_refused_and_changes_nothing,
    another_seller_s_are_not_there,
);

fn full_order(number: &str) -> Value {
    json!({
        "order_number": number, "order_ref": "ref-1", "ordered_at": "2026-09-01T10:00:00+02:00", "currency": "EUR",
        "recipient": {"name": "Ada Quill", "city": "Albany", "email": "ada@example.com"},
        "ship_to": {"country": "US", "region": "NY", "postal_code": "12207"},
        "ship_from": {"country": "DE", "region": "BE"},
        "deliver_from_on": "2026-09-08", "deliver_by_on": "2026-09-12", "ship_by": "2026-09-03",
        "shipping_method": "express", "channel": "web",
        "lines": [{"sku": "LAMP-7", "quantity": 2, "unit_price_minor": 1990}, {"sku": "LOOM-1"}],
    })
}

fn absent_stays_and_null_clears(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "Europe/Berlin").key;
    let path = server.made_order(&key, &full_order("1001"));
    let before = server.get(&key, &path).json();
    let change = json!({
        "order_ref": null, "currency": "USD", "recipient": {"city": null, "company": "Quill & Co"},
        "ship_to": {"region": null}, "ship_from": null, "ship_by": null, "deliver_from_on": null, "channel": "shop",
    });
    let after = server.patch(&key, &path, &change).must_be(200).json();
    assert_eq!(after["outcome"], "updated");
    let mut expected = before;
    expected["order_ref"] = Value::Null;
    expected["currency"] = json!("USD");
    expected["lines"][0]["unit_price"]["currency"] = json!("USD");
    expected["recipient"]["city"] = Value::Null;
    expected["recipient"]["company"] = json!("Quill & Co");
    expected["ship_to"]["region"] = Value::Null;
    expected["ship_from"] = json!({"country": null, "region": null, "postal_code": null});
    expected["deliver_from_on"] = Value::Null;
    expected["promise"]["dispatch_by_at"] = Value::Null;
    expected["channel"] = json!("shop");
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(server.get(&key, &path).json(), expected);

    server.patch(&key, &path, &json!({"recipient": null, "ordered_at": null})).must_be(200);
    let cleared = server.get(&key, &path).json();
    assert!(cleared["recipient"].as_object().unwrap().values().all(Value::is_null), "{cleared}");
    assert_eq!((&cleared["ordered"], &cleared["lines"].as_array().unwrap().len()), (&Value::Null, &2), "{cleared}");
}

fn an_order_is_found_by_its_number(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    for (number, written) in [("#1001", "%231001"), ("2026/77", "2026%2F77"), ("100%", "100%25"), ("Ä 1", "%C3%84%201")]
    {
        server.made_order(&key, &json!({"order_number": number}));
        let path = format!("/v1/orders/by-number/main/{written}");
        assert_eq!(server.get(&key, &path).must_be(200).json()["order_number"], number);
        let changed = server.patch(&key, &path, &json!({"channel": "web"})).must_be(200).json();
        assert_eq!((&changed["order_number"], &changed["channel"]), (&json!(number), &json!("web")));
    }
    for path in ["/v1/orders/by-number/main/none", "/v1/orders/by-number/nowhere/%231001"] {
        server.get(&key, path).must_be_problem(404, "not_found");
        server.patch(&key, path, &json!({"channel": "web"})).must_be_problem(404, "not_found");
    }
}

/// An order promised in ten days with a parcel under way, as told by `parcel`.
fn under_way(server: &Server, key: &str, order: &Value, parcel: &Value) -> (String, String) {
    let mut told = json!({"order_number": order["order_number"], "tracking_number": ups(1), "carrier": "ups"});
    told.as_object_mut().unwrap().extend(parcel.as_object().unwrap().clone());
    (server.made_order(key, order), server.made_shipment(key, &told))
}

fn another_day_is_another_promise(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let (soon, past) = (days_ago(-10).to_string(), days_ago(3).to_string());
    let (order, shipment) =
        under_way(&server, &key, &json!({"order_number": "1001", "deliver_by_on": soon}), &json!({}));
    assert_eq!(server.get(&key, &shipment).json()["verdict"]["verdict"], "undecided");
    let told = server.count("outbox");

    server.patch(&key, &order, &json!({"deliver_by_on": past})).must_be(200);
    let late = server.get(&key, &shipment).json();
    assert_eq!((&late["promise"]["deliver_by_on"], &late["verdict"]["verdict"]), (&json!(past), &json!("late_open")));
    assert_eq!(server.count("outbox"), told + 2, "the promise and the verdict changed, and somebody is told");

    let own = server.patch(&key, &shipment, &json!({"deliver_by_on": soon})).must_be(200).json();
    assert_eq!((&own["promise"]["deliver_by_on"], &own["verdict"]["verdict"]), (&json!(soon), &json!("undecided")));
    let back = server.patch(&key, &shipment, &json!({"deliver_by_on": null})).must_be(200).json();
    assert_eq!(back["promise"]["deliver_by_on"], past, "the order's own day counts again: {back}");
    server.check_invariants();
}

fn a_day_taken_back_is_no_promise(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let order = json!({"order_number": "1001", "deliver_by_on": days_ago(3), "ship_to": {"country": "US"},
        "lines": [{"sku": "LAMP-7"}, {"sku": "LOOM-1"}]});
    let shipped = format!("{}T08:00:00Z", days_ago(9));
    let (order, shipment) = under_way(&server, &key, &order, &json!({"shipped_at": shipped}));
    let cleared = server.patch(&key, &order, &json!({"deliver_by_on": null})).must_be(200).json();
    assert_eq!((&cleared["promise"]["deliver_by_on"], &cleared["promise"]["source"]), (&Value::Null, &Value::Null));
    let free = server.get(&key, &shipment).json();
    assert_eq!(
        (&free["promise"]["source"], &free["verdict"]["timeliness"]),
        (&Value::Null, &json!("undecided")),
        "{free}"
    );
    let totals = &server.delays(&key, "")["totals"];
    assert_eq!((&totals["shipments"], &totals["without_promise"]), (&json!(1), &json!(1)), "{totals}");

    let standard = server.patch(&key, &shipment, &json!({"service": "Ground"})).must_be(200).json();
    assert_eq!(standard["promise"]["source"], "service_standard", "{standard}");
    server.patch(&key, &order, &json!({"deliver_by_on": days_ago(2)})).must_be(200);
    server.patch(&key, &order, &json!({"deliver_by_on": null})).must_be(200);
    let again = server.get(&key, &shipment).json();
    assert_eq!(again["promise"], standard["promise"], "the standard stands behind the own day: {again}");
    server.check_invariants();
}

fn a_word_taken_back_is_no_news(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let times = json!({"shipped_at": "2026-09-10T08:00:00Z", "delivered_at": "2026-09-12T08:00:00Z"});
    let (_, shipment) = under_way(&server, &key, &json!({"order_number": "1001"}), &times);
    let state = |it: &Value| (it["milestone"].clone(), it["open"].clone(), it["next_check_at"].is_null());
    let events = || server.all(&key, &format!("{shipment}/events")).len();
    let delivered = server.get(&key, &shipment).json();
    assert_eq!((state(&delivered), events()), ((json!("delivered"), json!(false), true), 2), "{delivered}");

    let back = server.patch(&key, &shipment, &json!({"delivered_at": null})).must_be(200).json();
    assert_eq!((state(&back), events()), ((json!("info_received"), json!(true), false), 1), "{back}");
    assert_eq!(back["delivered_on"], Value::Null);
    let unshipped = server.patch(&key, &shipment, &json!({"shipped_at": null})).must_be(200).json();
    assert_eq!((&unshipped["milestone"], &unshipped["shipped"], events()), (&json!("pending"), &Value::Null, 0));
    let again = server.patch(&key, &shipment, &times).must_be(200).json();
    assert_eq!(
        (state(&again), events()),
        ((json!("delivered"), json!(false), true), 2),
        "said again, and meant: {again}"
    );
    server.check_invariants();
}

fn what_changes_nothing_is_unchanged(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "Europe/Berlin").key;
    let times =
        json!({"shipped_at": "2026-09-10T08:00:00", "delivered_at": "2026-09-12T08:00:00", "service": "Ground"});
    let (order, shipment) = under_way(&server, &key, &full_order("1001"), &times);
    let mut head = full_order("1001");
    for known_by in ["order_number", "lines"] {
        head.as_object_mut().unwrap().remove(known_by);
    }
    let told = server.count("outbox");
    for (path, change) in [
        (&order, json!({})),
        (&order, head),
        (&order, json!({"recipient": {"phone": null}, "ship_to": {"country": "United States"}})),
        (&shipment, json!({})),
        (&shipment, times),
        (&shipment, json!({"parcel_ref": null})),
    ] {
        let before = server.get(&key, path);
        let answer = server.patch(&key, path, &change).must_be(200);
        assert_eq!(answer.json()["outcome"], "unchanged", "{path} {change}");
        assert_eq!(answer.header("etag"), before.header("etag"), "{path} {change}");
    }
    assert_eq!(server.count("outbox"), told, "nobody is told of nothing");
}

fn what_cannot_be_is_refused_and_changes_nothing(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let (order, shipment) = under_way(&server, &key, &full_order("1001"), &json!({"service": "Ground"}));
    for (path, change, pointer, code) in [
        (&order, json!({"lines": []}), "/lines", "not_patchable"),
        (&order, json!({"lines": null, "channel": "x"}), "/lines", "not_patchable"),
        (&order, json!({"order_number": null}), "", "invalid_body"),
        (&order, json!({"shop": "main"}), "", "invalid_body"),
        (&order, json!({"recipient": {"shoe_size": 43}}), "", "invalid_body"),
        (&order, json!({"recipient": []}), "", "invalid_body"),
        (&order, json!({"ship_to": ["DE"]}), "", "invalid_body"),
        (&order, json!({"channel": 7}), "", "invalid_body"),
        (&order, json!({"deliver_by_on": "soon"}), "", "invalid_body"),
        (&order, json!({"currency": "euros"}), "/currency", "unknown_currency"),
        (&order, json!({"ship_to": {"country": "Atlantis"}}), "/ship_to/country", "unknown_country"),
        (&order, json!({"channel": "x", "ordered_at": "yesterday"}), "/ordered_at", "invalid_date"),
        (&order, json!([]), "", "invalid_body"),
        (&shipment, json!({"order_number": "1002"}), "", "invalid_body"),
        (&shipment, json!({"service": "x", "shipped_at": "noon"}), "/shipped_at", "invalid_date"),
        (&shipment, json!({"ship_from_country": "Atlantis"}), "/ship_from_country", "unknown_country"),
    ] {
        let problem = server.patch(&key, path, &change).must_be_problem(422, "invalid_request");
        let fault = (&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]);
        assert_eq!(fault, (&json!(pointer), &json!(code)), "{change}: {problem}");
    }
    let send = |kind: &'static str, body: &str| {
        server.send(&Method::PATCH, &key, &order, Some((kind, body.as_bytes().to_vec())))
    };
    send("application/merge-patch+json", "{").must_be_problem(400, "bad_json");
    for kind in ["application/json-patch+json", "text/plain", "application/vnd.shop+json"] {
        send(kind, r#"{"channel":"x"}"#).must_be_problem(415, "unsupported_media_type");
    }
    server.send(&Method::PATCH, &key, &order, None).must_be_problem(415, "unsupported_media_type");
    send("application/json; charset=utf-8", "{}").must_be(200);
    assert_eq!(server.get(&key, &order).json()["channel"], "web");
    assert_eq!(server.get(&key, &shipment).json()["service"], "Ground");
}

fn another_seller_s_are_not_there(database: Database) {
    let server = Server::start(database);
    let (key, stranger) = (server.seller("Lantern", "UTC").key, server.seller("Stranger", "UTC").key);
    let (order, shipment) = under_way(&server, &key, &full_order("1001"), &json!({}));
    for path in [&order, "/v1/orders/by-number/main/1001", &shipment] {
        server.get(&stranger, path).must_be_problem(404, "not_found");
        let answer = server.patch(&stranger, path, &json!({}));
        answer.must_be_problem(404, "not_found");
        assert!(!answer.text().contains(&text(&server.get(&key, path).json()["id"])));
    }
    for path in [format!("{order}/cancel"), format!("{shipment}/cancel"), format!("{shipment}/refresh")] {
        server.send(&Method::POST, &stranger, &path, None).must_be_problem(404, "not_found");
    }
    assert_eq!(server.get(&key, &order).json()["state"], "open");
}
