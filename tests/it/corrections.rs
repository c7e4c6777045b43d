//! Correcting what a parcel goes under: the slip stays in its history, tracking begins anew, and nothing brings it back.

use crate::browser::Browser;
use crate::parcels::{dhl_express, ups};
use crate::server::{Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_wrong_number_that_was_delivered_is_corrected,
    a_number_is_proved_as_when_it_is_put,
    a_correction_is_made_for_one_version,
    a_parcel_of_two_orders_is_corrected_for_one,
    the_sheet_with_the_slip_undoes_nothing,
    a_report_of_before_is_repeated,
    whoever_gets_it_is_forgotten_under_the_old_number_too,
    a_manager_corrects_on_the_page,
);

const PASSWORD: &str = "correct horse battery";
const DELIVERED: &str = "2026-09-14T10:00:00Z";

/// An order with a parcel under a UPS number of this serial.
fn parcel(server: &Server, key: &str, order: &str, serial: u32) -> String {
    let number = json!({"order_number": order, "tracking_number": ups(serial), "carrier": "UPS"});
    server.post(key, "/v1/orders", &json!({"order_number": order, "deliver_by_on": "2026-09-12"}));
    server.made_shipment(key, &number)
}

fn deliver(server: &Server, key: &str, shipment: &str) {
    let scan = json!({"occurred_at": DELIVERED, "sub_status": "delivered.to_recipient", "place": "Basilisk Road 5"});
    server.post(key, &format!("{shipment}/scans"), &json!({"scans": [scan]})).must_be(200);
}

/// Milestone, whether more is expected of it, whether a carrier is asked, and how many events there are.
fn state(server: &Server, key: &str, shipment: &str) -> Value {
    let it = server.get(key, shipment).must_be(200).json();
    let events = server.all(key, &format!("{shipment}/events")).len();
    json!([it["milestone"], it["open"], !it["next_check_at"].is_null(), events])
}

fn a_wrong_number_that_was_delivered_is_corrected(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let shipment = parcel(&server, &key, "1001", 1);
    deliver(&server, &key, &shipment);
    let wrong = server.get(&key, &shipment).json();
    assert_eq!(state(&server, &key, &shipment), json!(["delivered", false, false, 1]), "{wrong}");
    assert_eq!((&wrong["number_history"], &wrong["number_validity"]), (&json!([]), &json!("valid")), "{wrong}");
    let seen = text(&server.get(&key, "/v1/changes").json()["next_cursor"]);
    let (events, trackers) = (server.count("tracking_events"), server.count("trackers"));

    let typed = ups(2).to_lowercase();
    let right = server.patch(&key, &shipment, &json!({"tracking_number": typed})).must_be(200).json();
    let told = json!([right["outcome"], right["warnings"], right["suspicious"], right["number_code"]]);
    assert_eq!(told, json!(["updated", [], false, null]), "{right}");
    assert_eq!(state(&server, &key, &shipment), json!(["pending", true, true, 0]));
    assert_eq!((&right["promise"], &right["delivered_on"]), (&wrong["promise"], &Value::Null), "the promise stays");
    assert_eq!(right["verdict"]["verdict"], "late_open", "{right}");
    assert_eq!((&right["tracking_number"], &right["typed_number"]), (&json!(ups(2)), &json!(typed)), "{right}");
    assert_eq!(right["legs"], json!([{"leg": 1, "handed_over": null, "carrier": "ups", "tracking_number": ups(2)}]));
    assert!(text(&right["tracking_url"]).contains(&ups(2)) && right["formats_version"].is_string(), "{right}");
    let was = |at: usize, of: &Value| {
        let it = of["number_history"][at].clone();
        assert!(text(&it["until"]).starts_with("20"), "{it}");
        json!([it["carrier"], it["tracking_number"], it["typed_number"]])
    };
    assert_eq!(was(0, &right), json!(["ups", ups(1), ups(1)]));
    assert_eq!(server.count("tracking_events"), events, "nothing that was heard is lost");
    assert_eq!(server.count("trackers"), trackers + 1);
    let listed = &server.all(&key, "/v1/shipments")[0];
    assert_eq!(listed["number_history"], right["number_history"], "a list tells it too");
    assert!(server.all(&key, &format!("/v1/shipments?tracking_number={}", ups(1))).is_empty());

    let changes = server.get(&key, &format!("/v1/changes?after={seen}")).json();
    let told: Vec<&Value> = changes["data"].as_array().unwrap().iter().collect();
    let kinds: Vec<String> = told.iter().map(|it| text(&it["type"])).collect();
    let expected = ["shipment.number_corrected", "shipment.milestone_changed", "shipment.verdict_changed"];
    assert_eq!(kinds, expected);
    let under = |serial: u32| json!({"carrier": "ups", "tracking_number": ups(serial)});
    assert_eq!(told[0]["data"], json!({"from": under(1), "to": under(2)}));
    assert_eq!(told[0]["subject_id"], right["id"]);

    let again = server.patch(&key, &shipment, &json!({"tracking_number": typed, "carrier": "ups"})).must_be(200).json();
    assert_eq!((&again["outcome"], &again["number_history"]), (&json!("unchanged"), &right["number_history"]));
    let back = server.patch(&key, &shipment, &json!({"tracking_number": ups(1)})).must_be(200).json();
    assert_eq!(state(&server, &key, &shipment), json!(["delivered", false, false, 1]), "{back}");
    assert_eq!([was(0, &back), was(1, &back)], [json!(["ups", ups(2), typed]), json!(["ups", ups(1), ups(1)])]);
    assert_eq!(server.count("trackers"), trackers + 1, "both are known");
    server.check_invariants();

    server.execute(&format!("UPDATE shipments SET tracking_number = '{}'", ups(2)));
    let broken = server.run(&["check-invariants"]);
    let told = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert!(
        !broken.status.success() && told.contains("is followed"),
        "a leg that follows another number is found: {told}"
    );
}

fn a_number_is_proved_as_when_it_is_put(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let (shipment, other) = (parcel(&server, &key, "1001", 1), parcel(&server, &key, "1001", 3));
    let before = server.get(&key, &shipment).json();
    for (change, pointer, code) in [
        (json!({"tracking_number": null}), "/tracking_number", "not_clearable"),
        (json!({"tracking_number": null, "carrier": "ups"}), "/tracking_number", "not_clearable"),
        (json!({"tracking_number": " "}), "/tracking_number", "bad_text"),
        (json!({"tracking_number": "1.23E+11"}), "/tracking_number", "scientific_notation"),
        (json!({"tracking_number": "N/A", "service": "Ground"}), "/tracking_number", "placeholder"),
        (json!({"tracking_number": format!("{}, {}", ups(4), ups(5))}), "/tracking_number", "multiple_numbers"),
        (json!({"tracking_number": 7}), "", "invalid_body"),
    ] {
        let problem = server.patch(&key, &shipment, &change).must_be_problem(422, "invalid_request");
        let fault = &problem["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!(pointer), &json!(code)), "{change}: {problem}");
        assert!(text(&fault["detail"]).ends_with('.'), "{problem}");
    }
    let taken = server.patch(&key, &shipment, &json!({"tracking_number": ups(3)}));
    let named = text(&taken.must_be_problem(409, "number_taken")["detail"]);
    assert!(named.contains(other.rsplit('/').next().unwrap()) && named.contains(&ups(3)), "{named}");
    assert_eq!(server.get(&key, &shipment).json(), before);

    let slip = ups(2).replace('2', "7");
    for (what, change, carrier, code) in [
        ("a slip of the pen", json!({"tracking_number": slip}), json!("ups"), json!("bad_checksum")),
        ("another carrier's", json!({"tracking_number": dhl_express(1)}), json!("ups"), json!("carrier_mismatch")),
        ("nothing declared: the number tells", json!({"carrier": null}), json!("dhl-express"), Value::Null),
        ("still nothing declared", json!({"tracking_number": ups(2)}), json!("ups"), Value::Null),
        ("a word that says nothing", json!({"carrier": "other"}), json!("other"), Value::Null),
        ("a name with its service", json!({"carrier": "UPS Ground"}), json!("ups"), Value::Null),
    ] {
        let told = server.patch(&key, &shipment, &change).must_be(200).json();
        assert_eq!((&told["outcome"], &told["carrier"]), (&json!("updated"), &carrier), "{what}: {told}");
        let doubts = (&told["suspicious"], &told["number_code"], &told["warnings"][0]["code"]);
        assert_eq!(doubts, (&json!(!code.is_null()), &code, &code), "{what}: {told}");
        let again = server.patch(&key, &shipment, &change).must_be(200).json();
        assert_eq!((&again["outcome"], &again["warnings"]), (&json!("unchanged"), &told["warnings"]), "{what}");
    }
    assert_eq!(server.get(&key, &shipment).json()["service"], "ground");
    server.check_invariants();
}

fn a_correction_is_made_for_one_version(database: Database) {
    let server = Server::start(database);
    let (key, stranger) = (server.seller("Lantern", "UTC").key, server.seller("Stranger", "UTC").key);
    let shipment = parcel(&server, &key, "1001", 1);
    let tag = server.get(&key, &shipment).header("etag").to_owned();
    let correct = |tag: &str, serial: u32| {
        server.ask(&key, (&Method::PATCH, &shipment), ("if-match", tag), &json!({"tracking_number": ups(serial)}))
    };
    let corrected = correct(&tag, 2).must_be(200);
    assert_eq!(server.get(&key, &shipment).header("etag"), corrected.header("etag"));
    correct(&tag, 3).must_be_problem(412, "precondition_failed");
    assert_eq!(server.get(&key, &shipment).json()["tracking_number"], ups(2));
    correct(corrected.header("etag"), 3).must_be(200);
    let viewer = server.post(&key, "/v1/api-keys", &json!({"name": "v", "role": "seller-viewer"})).json();
    let change = json!({"tracking_number": ups(4)});
    server.patch(&text(&viewer["api_key"]), &shipment, &change).must_be_problem(403, "forbidden");
    server.patch(&stranger, &shipment, &change).must_be_problem(404, "not_found");
    server.check_invariants();
}

fn a_parcel_of_two_orders_is_corrected_for_one(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let (first, second) = (parcel(&server, &key, "1001", 1), parcel(&server, &key, "1002", 1));
    deliver(&server, &key, &first);
    server.patch(&key, &first, &json!({"tracking_number": ups(2)})).must_be(200);
    assert_eq!(state(&server, &key, &first), json!(["pending", true, true, 0]));
    assert_eq!(
        state(&server, &key, &second),
        json!(["delivered", false, false, 1]),
        "the other is under its number still"
    );
    server.patch(&key, &second, &json!({"tracking_number": ups(2)})).must_be(200);
    let scan = json!({"scans": [{"occurred_at": DELIVERED, "sub_status": "in_transit.moving"}]});
    server.post(&key, &format!("{second}/scans"), &scan).must_be(200);
    for shipment in [&first, &second] {
        assert_eq!(state(&server, &key, shipment), json!(["in_transit", true, true, 1]), "both in one parcel again");
    }
    server.check_invariants();
}

fn the_sheet_with_the_slip_undoes_nothing(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    server.import(&key, "kind=orders", "order_number,sku,quantity\n1001,LAMP,1\n1002,LAMP,1\n");
    let sheet = format!(
        "order_number,tracking_number,carrier,shipped_at,delivered_at\n1001,{},UPS,2026-09-10,2026-09-11\n1002,{},UPS,2026-09-10,\n",
        ups(1),
        ups(9)
    );
    assert_eq!(server.import(&key, "kind=tracking", sheet.clone())["rows_created"], 2);
    let shipment = format!("/v1/shipments/{}", text(&server.shipment(&key, &ups(1))["id"]));
    server.patch(&key, &shipment, &json!({"tracking_number": ups(2), "delivered_at": null})).must_be(200);
    let corrected = server.get(&key, &shipment);
    let rows_of = |tables: [&str; 4]| tables.map(|table| server.count(table));
    let stored = ["shipments", "trackers", "tracking_events", "event_withdrawals"];
    let before = rows_of(stored);

    let combined = format!("order_number,sku,quantity,tracking_number,carrier\n1001,LAMP,1,{},UPS\n", ups(1));
    for (query, sheet, unchanged) in
        [("kind=tracking", &sheet, 2), ("kind=tracking&dry_run=true", &sheet, 2), ("kind=combined", &combined, 1)]
    {
        let import = server.import(&key, query, sheet.clone());
        let counts = json!([import["rows_unchanged"], import["rows_warned"], import["problems"]]);
        let problems = json!([{"code": "number_was_corrected", "count": 1}]);
        assert_eq!(counts, json!([unchanged, 1, problems]), "{query}: {import}");
        let row = &server.rows(&key, &import)[0];
        let warning = &row["warnings"][0];
        assert_eq!((&warning["column"], &warning["code"]), (&json!("tracking_number"), &json!("number_was_corrected")));
        let detail = text(&warning["detail"]);
        assert!([ups(1), ups(2), "1001".to_owned()].iter().all(|it| detail.contains(it)), "{detail}");
        assert_eq!(row["shipment_id"], corrected.json()["id"], "{row}");
    }
    let old = json!({"order_number": "1001", "tracking_number": ups(1), "carrier": "UPS", "service": "Ground"});
    let put = server.post(&key, "/v1/shipments", &old).must_be(200).json();
    assert_eq!((&put["outcome"], &put["id"]), (&json!("unchanged"), &corrected.json()["id"]), "{put}");
    assert_eq!(put["warnings"][0]["code"], "number_was_corrected", "{put}");
    let right = json!({"order_number": "1001", "tracking_number": ups(2), "carrier": "UPS"});
    let batch = server.post(&key, "/v1/shipments/batch", &json!({"shipments": [old, right]})).must_be(200).json();
    assert_eq!(batch["summary"]["unchanged"], 2, "{batch}");
    assert_eq!(batch["results"][0]["warnings"][0]["pointer"], "/tracking_number", "{batch}");
    assert!(batch["results"][1].get("warnings").is_none(), "{batch}");

    assert_eq!(rows_of(stored), before);
    assert_eq!(server.get(&key, &shipment).header("etag"), corrected.header("etag"));
    let news = format!("tracking_number,carrier,event_at,status\n{},ups,2026-09-12T10:00:00Z,delivered\n", ups(1));
    let import = server.import(&key, "kind=events", news);
    assert_eq!(import["rows_created"], 1, "what is told of the old number goes there: {import}");
    assert_eq!(server.get(&key, &shipment).header("etag"), corrected.header("etag"));
    server.check_invariants();
}

fn a_report_of_before_is_repeated(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let shipment = parcel(&server, &key, "1001", 1);
    server.patch(&key, &shipment, &json!({"shipped_at": "2026-09-10T08:00:00Z"})).must_be(200);
    deliver(&server, &key, &shipment);
    let known_at = text(&server.delays(&key, "as_of=2026-09-30")["known_at"]);
    let query = format!("as_of=2026-09-30&known_at={known_at}&group_by=carrier&rows=shipments");
    let before = server.delays(&key, &query);
    assert_eq!(before["totals"]["delivered"], 1, "{before}");

    server.patch(&key, &shipment, &json!({"tracking_number": dhl_express(1), "carrier": "dhl-express"})).must_be(200);
    server.patch(&key, &shipment, &json!({"tracking_number": dhl_express(2)})).must_be(200);
    assert_eq!(server.delays(&key, &query), before, "what was corrected later must not change a report of before");
    let now = server.delays(&key, "as_of=2026-09-30&group_by=carrier&rows=shipments");
    let row = &now["shipments"][0];
    assert_eq!((&now["totals"]["delivered"], &row["carrier"]), (&json!(0), &json!("dhl-express")), "{now}");
    assert_eq!(row["tracking_number"], dhl_express(2), "{now}");
}

fn whoever_gets_it_is_forgotten_under_the_old_number_too(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let (shipment, neighbour) = (parcel(&server, &key, "1001", 1), parcel(&server, &key, "1002", 3));
    for shipment in [&shipment, &neighbour] {
        deliver(&server, &key, shipment);
    }
    let place = |shipment: &str| server.all(&key, &format!("{shipment}/events"))[0]["place"].clone();
    for serial in [3, 2] {
        server.patch(&key, &shipment, &json!({"tracking_number": ups(serial)})).must_be(200);
    }
    let news = format!(
        "tracking_number,carrier,event_at,status,location\n{},ups,2026-09-12T10:00:00Z,delivered,Gryphon Lane 3\n",
        ups(1)
    );
    let import = server.import(&key, "kind=events", news);
    assert_eq!(import["rows_created"], 1, "{import}");
    let export = server.get(&key, "/v1/privacy/export?order_number=1001").must_be(200).json();
    let history = &export["orders"][0]["shipments"][0]["number_history"];
    assert_eq!((&history[0]["tracking_number"], &history[1]["tracking_number"]), (&json!(ups(3)), &json!(ups(1))));
    assert!(export["import_rows"].to_string().contains("Gryphon Lane 3"), "{export}");

    server.post(&key, "/v1/privacy/erasures", &json!({"order_number": "1001"})).must_be(201);
    let row = &server.rows(&key, &import)[0];
    assert!(row.to_string().contains("erased") && !row.to_string().contains("Gryphon"), "{row}");
    server.patch(&key, &shipment, &json!({"tracking_number": ups(1)})).must_be(200);
    assert_eq!(state(&server, &key, &shipment), json!(["delivered", false, false, 2]), "what happened stays");
    assert_eq!((place(&shipment), place(&neighbour)), (Value::Null, json!("Basilisk Road 5")));
    server.patch(&key, &shipment, &json!({"tracking_number": ups(3)})).must_be(200);
    assert_eq!(place(&neighbour), "Basilisk Road 5", "the neighbour was not forgotten");
    server.patch(&key, &shipment, &json!({"tracking_number": ups(1)})).must_be(200);
    server.patch(&key, &neighbour, &json!({"tracking_number": ups(5)})).must_be(200);
    server.patch(&key, &shipment, &json!({"tracking_number": ups(3)})).must_be(200);
    assert_eq!(place(&shipment), Value::Null, "where nobody else is, nothing is told of who was forgotten");
    server.check_invariants();
}

fn a_manager_corrects_on_the_page(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let (shipment, _) = (parcel(&server, &key, "1001", 1), parcel(&server, &key, "1001", 3));
    let page = shipment.replace("/v1", "");
    let form = format!("{page}/number");
    let mut ben = Browser::joined(&server, &key, ("ben@lantern.example", PASSWORD), "seller-clerk");
    let seen = ben.get(&page).must_be(200).text();
    assert!(!seen.contains("Correct the number"), "{seen}");
    ben.post(&form, &[("tracking_number", &ups(2)), ("carrier", "UPS")]).must_be(403);

    let mut ada = Browser::joined(&server, &key, ("ada@lantern.example", PASSWORD), "seller-manager");
    let seen = ada.get(&page).must_be(200).text();
    let (field, carrier) = (format!("value=\"{}\"", ups(1)), "name=\"carrier\" value=\"UPS\"");
    assert!(seen.contains(&field) && seen.contains(carrier) && !seen.contains("Before it was corrected"), "{seen}");
    for (what, number, status, said) in [
        ("damage", "1.23E+11", 422, "spreadsheet"),
        ("nothing", " ", 422, "Write 1 to 200 characters"),
        ("another parcel's", &*ups(3), 409, "goes under"),
    ] {
        let refused = ada.post(&form, &[("tracking_number", number), ("carrier", "<UPS>")]).must_be(status).text();
        assert!(refused.contains(said) && refused.contains("role=\"alert\""), "{what}: {refused}");
        assert!(refused.contains("value=\"&#60;UPS&#62;\"") && refused.contains("<details open"), "{what}: {refused}");
    }
    ada.post(&form, &[("tracking_number", &ups(2))]).must_be(400);
    assert_eq!(server.get(&key, &shipment).json()["tracking_number"], ups(1));

    let sent_on = |answer: crate::server::Answer| answer.must_be(303).header("location").to_owned();
    let corrected = sent_on(ada.post(&form, &[("tracking_number", &ups(2)), ("carrier", "UPS")]));
    assert_eq!(corrected, format!("{page}?done=number"));
    let seen = ada.get(&corrected).must_be(200).text();
    assert!(seen.contains("The number is corrected") && seen.contains("Before it was corrected"), "{seen}");
    assert!(seen.contains(&ups(1)) && !seen.contains("look at it once more"), "{seen}");
    let again = sent_on(ada.post(&form, &[("tracking_number", &ups(2)), ("carrier", "UPS")]));
    assert!(ada.get(&again).must_be(200).text().contains("Nothing was changed"));

    let doubtful = sent_on(ada.post(&form, &[("tracking_number", &dhl_express(1)), ("carrier", "UPS")]));
    let seen = ada.get(&doubtful).must_be(200).text();
    assert!(seen.contains("look at it once more") && seen.contains("Check the number"), "{seen}");
    let told = sent_on(ada.post(&form, &[("tracking_number", &dhl_express(1)), ("carrier", " ")]));
    assert!(!ada.get(&told).must_be(200).text().contains("Check the number"));
    let stored = server.get(&key, &shipment).json();
    assert_eq!((&stored["carrier"], &stored["suspicious"]), (&json!("dhl-express"), &json!(false)), "{stored}");
    assert_eq!(stored["number_history"].as_array().unwrap().len(), 3, "{stored}");
    assert!(ben.get(&page).must_be(200).text().contains("Before it was corrected"), "everybody sees what it was");
}
