//! The feed of changes: what happened is told, oldest first, to the seller it happened to.

use crate::parcels::ups;
use crate::server::{Database, Seller, Server, text};
use serde_json::{Value, json};

on_both!(what_happens_is_told_in_its_order_and_without_contacts, a_wrong_question_is_refused);

fn feed(server: &Server, seller: &Seller, query: &str) -> Value {
    server.get(&seller.key, &format!("/v1/changes?{query}")).must_be(200).json()
}

fn types(feed: &Value) -> Vec<&str> {
    feed["data"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect()
}

fn what_happens_is_told_in_its_order_and_without_contacts(database: Database) {
    let server = Server::start(database);
    let (seller, other) = (server.seller("Feeder", "UTC"), server.seller("Bystander", "UTC"));
    let order = json!({
        "order_number": "F1", "deliver_by_on": "2026-09-12",
        "recipient": {"name": "Canary Quill", "email": "canary@example.com"},
    });
    let order = server.post(&seller.key, "/v1/orders", &order).must_be(201).json();
    let start = feed(&server, &seller, "");
    assert_eq!((types(&start), &start["has_more"]), (vec!["order.created"], &json!(false)), "{start}");
    assert_eq!(start["data"][0]["subject_id"], order["id"]);
    assert_eq!(start["data"][0]["data"], json!({"order_number": "F1", "shop": "main"}));

    let parcel = json!({"order_number": "F1", "tracking_number": ups(1), "carrier": "ups"});
    let parcel = server.post(&seller.key, "/v1/shipments", &parcel).must_be(201).json();
    let path = format!("/v1/shipments/{}/scans", text(&parcel["id"]));
    let scan = json!({"scans": [{"occurred_at": "2026-09-14T10:00:00Z", "sub_status": "delivered.to_recipient"}]});
    server.post(&seller.key, &path, &scan).must_be(200);
    server.import(&seller.key, "kind=orders", "order_number,sku,quantity\nF2,LAMP,1\n");

    let mut after = text(&start["next_cursor"]);
    let mut told = Vec::new();
    loop {
        let part = feed(&server, &seller, &format!("limit=1&after={after}"));
        assert!(!part.to_string().contains("Canary") && !part.to_string().contains("canary@"), "{part}");
        told.extend(types(&part).into_iter().map(str::to_owned));
        after = text(&part["next_cursor"]);
        if part["has_more"] == false {
            break;
        }
    }
    let by_name = |name: &str| told.iter().position(|it| it == name).unwrap_or_else(|| panic!("{name}: {told:?}"));
    assert!(by_name("shipment.promise_changed") < by_name("shipment.milestone_changed"), "{told:?}");
    assert_eq!(told[told.len() - 2..], ["order.created", "import.completed"], "{told:?}");

    let one_type = feed(&server, &seller, "types=shipment.verdict_changed,import.completed");
    assert!(types(&one_type).iter().all(|it| ["shipment.verdict_changed", "import.completed"].contains(it)));
    assert_eq!(one_type["next_cursor"], json!(after), "both have seen all there is");
    let nothing = feed(&server, &other, "");
    assert_eq!((types(&nothing).len(), &nothing["has_more"]), (0, &json!(false)));
}

fn a_wrong_question_is_refused(database: Database) {
    let server = Server::start(database);
    let (seller, other) = (server.seller("Asker", "UTC"), server.seller("Other", "UTC"));
    let foreign = text(&feed(&server, &other, "")["next_cursor"]);
    for (query, parameter) in [
        ("after=0", "after"),
        ("after=bm9uZQ", "after"),
        (&*format!("after={foreign}"), "after"),
        ("types=order.created,order.eaten", "types"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
    ] {
        let answer = server.get(&seller.key, &format!("/v1/changes?{query}"));
        let problem = answer.must_be_problem(400, "bad_parameter");
        assert_eq!(problem["errors"][0]["pointer"], parameter, "{query}: {problem}");
    }
    let unknown = server.get(&seller.key, "/v1/changes?types=order.eaten").json();
    assert!(text(&unknown["detail"]).contains("shipment.verdict_changed"), "the known types are named: {unknown}");
}
