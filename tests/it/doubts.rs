//! Doubts about numbers: told at import and later, listed, counted, and told of other sellers to admins alone.

use crate::browser::Browser;
use crate::parcels::{days_ago, ups};
use crate::server::{Answer, Database, Seller, Server, text};
use serde_json::{Value, json};

on_both!(
    a_number_on_two_orders_is_told_at_import_and_on_both_shipments,
    the_shop_system_is_warned_too,
    a_corrected_number_takes_its_doubts_along,
    what_carriers_tell_is_held_against_the_order,
    numbers_are_counted_by_hand,
    what_sellers_share_is_told_to_admins_alone,
);

const ANOTHER: &str = "number_on_another_order";

/// Two orders of September 2026, to Leipzig and to Vienna.
fn start(database: Database) -> (Server, Seller) {
    let server = Server::start(database);
    let seller = server.seller("Lantern & Loom", "Europe/Berlin");
    let orders = "order_number,order_date,country,postal_code\n\
                  D-1,2026-09-10,DE,04109\nD-2,2026-09-10,AT,1010\n";
    assert_eq!(server.import(&seller.key, "kind=orders", orders)["rows_created"], 2);
    (server, seller)
}

fn tracking(order: &str, number: &str) -> String {
    format!("order_number,tracking_number,carrier,shipped_at\n{order},{number},ups,2026-09-12\n")
}

/// The codes of a list of doubts or warnings.
fn codes(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

/// The shipment of an order.
#[track_caller]
fn shipment(server: &Server, seller: &Seller, order: &str) -> Value {
    let found = server.all(&seller.key, &format!("/v1/shipments?order_number={order}"));
    assert_eq!(found.len(), 1, "{order}: {found:?}");
    found[0].clone()
}

/// What was told of doubts: each code with `found` or `settled`, in order.
fn told(server: &Server, seller: &Seller) -> Vec<String> {
    let feed = server.get(&seller.key, "/v1/changes?types=shipment.number_doubted&limit=200").must_be(200).json();
    let word = |it: &Value| format!("{} {}", text(&it["data"]["state"]), text(&it["data"]["code"]));
    feed["data"].as_array().unwrap().iter().map(word).collect()
}

fn a_number_on_two_orders_is_told_at_import_and_on_both_shipments(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let first = server.import(key, "kind=tracking", tracking("D-1", &ups(1)));
    assert_eq!((&first["rows_created"], &first["rows_warned"]), (&json!(1), &json!(0)), "{first}");
    for (what, query, outcome) in [
        ("tried", "kind=tracking&dry_run=true", "created"),
        ("in earnest, and strict", "kind=tracking&strictness=strict", "created"),
        ("again", "kind=tracking", "unchanged"),
    ] {
        let import = server.import(key, query, tracking("D-2", &ups(1)));
        assert_eq!((&import["rows_rejected"], &import["rows_warned"]), (&json!(0), &json!(1)), "{what}: {import}");
        assert!(import["problems"].as_array().unwrap().contains(&json!({"code": ANOTHER, "count": 1})), "{import}");
        let rows = server.rows(key, &import);
        assert_eq!(rows[0]["outcome"], outcome, "{what}: {rows:?}");
        let warning = rows[0]["warnings"].as_array().unwrap().iter().find(|it| it["code"] == ANOTHER).unwrap();
        assert_eq!(warning["column"], "tracking_number", "{warning}");
        let detail = text(&warning["detail"]);
        assert!(detail.contains("order D-1:") && detail.contains("one parcel"), "{detail}");
    }
    assert_eq!(told(&server, &seller), [format!("found {ANOTHER}"), format!("found {ANOTHER}")]);

    let other = shipment(&server, &seller, "D-2");
    assert_eq!(codes(&other["doubts"]), [ANOTHER]);
    assert!(other["doubts"][0]["since"].is_string(), "{other}");
    let listed = |query: &str| server.all(key, &format!("/v1/shipments?{query}")).len();
    let lists = ["doubt=any", &format!("doubt={ANOTHER}"), "doubt=number_reused", "doubt=any&order_number=D-1"];
    assert_eq!(lists.map(listed), [2, 2, 0, 1]);
    server.get(key, "/v1/shipments?doubt=eaten").must_be_problem(400, "bad_parameter");

    let mut ada = Browser::joined(&server, key, ("ada@lantern.example", "correct horse battery"), "seller-viewer");
    let page = ada.get(&format!("/shipments/{}", text(&other["id"]))).must_be(200).text();
    assert!(page.contains("Doubts about the number") && page.contains("order D-1:"), "{page}");

    let order = format!("/v1/orders/{}", text(&server.order(key, "D-2")["id"]));
    server.post(key, &format!("{order}/cancel"), &Value::Null).must_be(200);
    assert_eq!(listed("doubt=any"), 0);
    let page = ada.get(&format!("/shipments/{}", text(&other["id"]))).must_be(200).text();
    assert!(!page.contains("Doubts about the number"), "{page}");
    server.check_invariants();
}

fn the_shop_system_is_warned_too(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let parcel = |order: &str| json!({"order_number": order, "tracking_number": ups(1), "carrier": "ups"});
    let first = server.post(key, "/v1/shipments", &parcel("D-1")).must_be(201).json();
    assert_eq!((codes(&first["warnings"]), codes(&first["doubts"])), (vec![], vec![]));
    let second = server.post(key, "/v1/shipments", &parcel("D-2")).must_be(201).json();
    assert_eq!((codes(&second["warnings"]), codes(&second["doubts"])), (vec![ANOTHER], vec![ANOTHER]));
    assert_eq!(second["warnings"][0]["pointer"], "/tracking_number");

    let order = |n: usize| json!({"order_number": format!("D-{n}"), "ship_to": {"country": "FR"}});
    server.made_order(key, &order(3));
    let batch = json!({"shipments": [parcel("D-3"), parcel("D-9"), parcel("D-1")]});
    let answer = server.post(key, "/v1/shipments/batch", &batch).must_be(200).json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.iter().map(|it| &it["outcome"]).collect::<Vec<_>>(), ["created", "failed", "unchanged"]);
    assert_eq!([codes(&results[0]["warnings"]), codes(&results[2]["warnings"])], [[ANOTHER], [ANOTHER]], "{answer}");
    assert!(text(&results[0]["warnings"][0]["detail"]).contains("orders D-1, D-2:"), "{answer}");
}

fn a_corrected_number_takes_its_doubts_along(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    for order in ["D-1", "D-2"] {
        server.import(key, "kind=tracking", tracking(order, &ups(1)));
    }
    server.import(key, "kind=tracking&create_orders=true", tracking("D-3", &ups(2)));
    let wrong = format!("/v1/shipments/{}", text(&shipment(&server, &seller, "D-2")["id"]));
    let corrected = server.patch(key, &wrong, &json!({"tracking_number": ups(2)})).must_be(200).json();
    assert_eq!((codes(&corrected["warnings"]), codes(&corrected["doubts"])), (vec![ANOTHER], vec![ANOTHER]));
    let [one, two, three] = ["D-1", "D-2", "D-3"].map(|order| shipment(&server, &seller, order));
    assert_eq!([codes(&one["doubts"]).len(), codes(&two["doubts"]).len(), codes(&three["doubts"]).len()], [0, 1, 1]);
    assert!(text(&two["doubts"][0]["detail"]).contains("order D-3:"), "{two}");
}

fn what_carriers_tell_is_held_against_the_order(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    server.import(key, "kind=tracking", tracking("D-1", &ups(1)));
    let events = format!(
        "tracking_number,carrier,event_at,status,location\n\
         {0},ups,2026-09-02T10:00:00Z,in transit,\"Louisville, KY, US\"\n\
         {0},ups,2026-09-14T10:00:00Z,delivered,\"Lyon, France\"\n",
        ups(1)
    );
    for turn in ["at first", "again"] {
        let import = server.import(key, "kind=events", events.clone());
        assert_eq!((&import["rows_rejected"], &import["rows_warned"]), (&json!(0), &json!(0)), "{import}");
        let doubted = shipment(&server, &seller, "D-1");
        assert_eq!(codes(&doubted["doubts"]), ["destination_differs", "scan_before_order"], "{turn}: {doubted}");
        let details = doubted["doubts"].to_string();
        assert!(details.contains("France") && details.contains("2026-09-02") && !details.contains("Lyon"), "{details}");
        assert_eq!(told(&server, &seller), ["found scan_before_order", "found destination_differs"], "{turn}");
    }
    let order = format!("/v1/orders/{}", text(&server.order(key, "D-1")["id"]));
    let right = json!({"ship_to": {"country": "FR"}, "ordered_at": "2026-09-01"});
    server.patch(key, &order, &right).must_be(200);
    assert_eq!(shipment(&server, &seller, "D-1")["doubts"], json!([]));
    let import = server.import(key, "kind=tracking", tracking("D-1", &ups(1)));
    assert_eq!((&import["rows_unchanged"], &import["rows_warned"]), (&json!(1), &json!(0)), "{import}");
    server.check_invariants();
}

/// Number, shipped days ago, scanned by the carrier.
///
/// Two are valid and scanned; one was shipped long ago and never scanned; one was shipped yesterday; one has a wrong check
/// digit; one is not shipped; and one is cancelled. Two orders share the number of the first.
fn numbers_are_counted_by_hand(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Counting House", "UTC");
    let key = &seller.key;
    let wrong = ups(5).replace("0000000", "0100000");
    let parcels = [
        ("N-1", ups(1), 20, true),
        ("N-2", ups(1), 20, true),
        ("N-3", ups(3), 20, false),
        ("N-4", ups(4), 1, false),
        ("N-5", wrong, 20, false),
        ("N-6", ups(6), 0, false),
        ("N-7", ups(7), 20, false),
    ];
    for (order, number, days, scanned) in &parcels {
        server.made_order(key, &json!({"order_number": order, "ship_to": {"country": "DE"}}));
        let mut parcel = json!({"order_number": order, "tracking_number": number, "carrier": "ups"});
        if *order != "N-6" {
            parcel["shipped_at"] = json!(format!("{}T08:00:00Z", days_ago(*days)));
        }
        let path = server.made_shipment(key, &parcel);
        if *order == "N-7" {
            server.post(key, &format!("{path}/cancel"), &Value::Null).must_be(200);
        }
        if *scanned {
            let at = days_ago(19);
            let event = format!("tracking_number,carrier,event_at,status\n{number},ups,{at}T10:00:00Z,in transit\n");
            server.import(key, "kind=events", event);
        }
    }
    let report = server.get(key, "/v1/reports/numbers").must_be(200).json();
    let [group] = report["groups"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(group["key"], json!({"shop": "main", "carrier": "ups"}));
    let counts = ["shipments", "valid", "ambiguous", "suspicious", "invalid", "unknown", "scanned"];
    for of in [group, &report["totals"]] {
        assert_eq!(counts.map(|it| of[it].as_u64().unwrap()), [6, 5, 0, 0, 1, 0, 2], "{of}");
        let rate = &of["valid_tracking_rate"];
        assert_eq!((&rate["num"], &rate["den"], &rate["undecided"]), (&json!(2), &json!(4), &json!(1)), "{rate}");
        assert_eq!((&of["doubts"][ANOTHER], &of["doubts"]["number_reused"]), (&json!(2), &json!(0)), "{of}");
    }
    let rows = server.get(key, "/v1/reports/numbers?rows=shipments").must_be(200).json();
    let listed = rows["shipments"].as_array().unwrap();
    let named: Vec<(String, bool)> =
        listed.iter().map(|it| (text(&it["order_number"]), it["scanned"].as_bool().unwrap())).collect();
    let expected = [("N-1", true), ("N-2", true), ("N-3", false), ("N-5", false)];
    assert_eq!(named, expected.map(|(order, scanned)| (order.to_owned(), scanned)), "{rows}");
    assert_eq!((&listed[3]["validity"], &listed[3]["code"]), (&json!("repairable"), &json!("bad_checksum")), "{rows}");

    let long_ago = server.get(key, "/v1/reports/numbers?known_at=2026-01-01").must_be(200).json();
    assert_eq!(long_ago["totals"]["shipments"], 0, "{long_ago}");
    the_same_comes_as_csv(&server.get(key, "/v1/reports/numbers?format=csv"));
    let sheet = server.get(key, "/v1/reports/numbers?format=csv&rows=shipments").must_be(200).text();
    assert!(sheet.lines().nth(1).unwrap().ends_with(&format!(",valid,,true,{ANOTHER}")), "{sheet}");
}

fn the_same_comes_as_csv(answer: &Answer) {
    assert!(answer.header("content-type").starts_with("text/csv"), "{:?}", answer.headers);
    let sheet = answer.text();
    let lines: Vec<Vec<&str>> = sheet.lines().map(|line| line.split(',').collect()).collect();
    let [header, row] = lines.as_slice() else { panic!("{sheet}") };
    for (column, value) in [
        ("shop", "main"),
        ("carrier", "ups"),
        ("shipments", "6"),
        ("valid", "5"),
        ("invalid", "1"),
        ("scanned", "2"),
        ("valid_tracking_num", "2"),
        ("valid_tracking_den", "4"),
        ("valid_tracking_rate", "0.50000"),
        (ANOTHER, "2"),
        ("block_never_scanned", "0"),
    ] {
        let at = header.iter().position(|it| *it == column).unwrap_or_else(|| panic!("no {column}: {sheet}"));
        assert_eq!(row[at], value, "{column}: {sheet}");
    }
}

fn what_sellers_share_is_told_to_admins_alone(database: Database) {
    let server = Server::start(database);
    let admin = server.admin();
    let sellers = ["First", "Second", "Third"].map(|name| server.seller(name, "UTC"));
    for (seller, serials) in sellers.iter().zip([&[1, 2, 3][..], &[2, 3, 4], &[3]]) {
        for serial in serials {
            let sheet = tracking(&format!("S-{serial}"), &ups(*serial));
            let import = server.import(&seller.key, "kind=tracking&create_orders=true", sheet);
            assert_eq!((&import["rows_created"], &import["rows_warned"]), (&json!(1), &json!(0)), "no hint: {import}");
        }
        assert_eq!(server.all(&seller.key, "/v1/shipments?doubt=any").len(), 0, "no hint");
        let refused = server.get(&seller.key, "/v1/admin/shared-numbers").must_be_problem(403, "forbidden");
        assert!(!refused.to_string().contains("1Z"), "{refused}");
    }
    let shared = server.all(&admin, "/v1/admin/shared-numbers");
    let names = |it: &Value| -> Vec<String> {
        it["sellers"].as_array().unwrap().iter().map(|seller| text(&seller["name"])).collect()
    };
    let told: Vec<(String, Vec<String>)> = shared.iter().map(|it| (text(&it["tracking_number"]), names(it))).collect();
    let both = ["First", "Second"].map(str::to_owned).to_vec();
    let all = ["First", "Second", "Third"].map(str::to_owned).to_vec();
    assert_eq!(told, [(ups(2), both), (ups(3), all)], "{shared:?}");
    assert_eq!((&shared[0]["carrier"], &shared[0]["sellers"][0]["id"]), (&json!("ups"), &json!(sellers[0].id)));
    assert_eq!(shared[0]["first_seen_at"], shared[0]["sellers"][0]["first_seen_at"]);

    let page = server.get(&admin, "/v1/admin/shared-numbers?limit=1").must_be(200).json();
    assert_eq!(page["data"], json!([shared[0]]));
    let next = text(&page["next_cursor"]);
    let page = server.get(&admin, &format!("/v1/admin/shared-numbers?limit=1&cursor={next}")).must_be(200).json();
    assert_eq!((&page["data"], &page["next_cursor"]), (&json!([shared[1]]), &Value::Null));
}
