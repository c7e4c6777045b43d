//! Silence, loss and finding again, and the reports of losses and of dispatch, each number counted by hand.

use crate::parcels::{days_ago, ups};
use crate::server::{Database, Seller, Server, text};
use serde_json::{Value, json};
use std::fmt::Write;

on_both!(
    silence_is_told_and_lifted,
    losses_are_counted_as_of_any_moment,
    losses_come_by_group_and_as_csv,
    dispatch_is_counted_by_order,
);

fn report(server: &Server, key: &str, path: &str) -> Value {
    server.get(key, &format!("/v1/reports/{path}")).must_be(200).json()
}

fn csv_rows(server: &Server, key: &str, path: &str) -> Vec<Vec<String>> {
    let answer = server.get(key, &format!("/v1/reports/{path}")).must_be(200);
    assert!(answer.header("content-type").starts_with("text/csv"), "{:?}", answer.headers);
    let sheet = answer.text();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(sheet.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn word(shipment: &Value) -> (String, String, String) {
    let verdict = &shipment["verdict"];
    (text(&verdict["verdict"]), text(&verdict["timeliness"]), text(&verdict["must_act"]))
}

/// Parcels within the United States by a carrier without a rule of its own: order, days ago shipped, days ago scanned.
///
/// Whatever the day of the week, the holidays and the hour: 15 days hold from 5 to 14 working days, 28 at least 15 and
/// are less than 30, 40 are more.
const SILENT: [(&str, i32, Option<i32>); 5] =
    [("V-1", 3, Some(1)), ("V-2", 17, Some(15)), ("V-3", 29, Some(28)), ("V-4", 41, Some(40)), ("V-5", 15, None)];

fn number_of(order: &str) -> String {
    format!("PARCEL-{}", order.strip_prefix("V-").unwrap())
}

fn scan(order: &str, at: &str, status: &str) -> String {
    format!("{},other,{at},{status}\n", number_of(order))
}

const EVENTS: &str = "tracking_number,carrier,event_at,status\n";

fn take_in_silent(server: &Server, seller: &Seller) {
    let mut sheet = "order_number,country,deliver_by,ship_from_country,tracking_number,carrier,shipped_at\n".to_owned();
    let mut events = EVENTS.to_owned();
    let promised = days_ago(2);
    for (order, shipped, scanned) in SILENT {
        let (number, shipped) = (number_of(order), days_ago(shipped));
        writeln!(sheet, "{order},US,{promised},US,{number},other,{shipped}").unwrap();
        if let Some(scanned) = scanned {
            events += &scan(order, &format!("{}T12:00:00Z", days_ago(scanned)), "in_transit");
        }
    }
    let import = server.import(&seller.key, "kind=combined", sheet);
    assert_eq!(import["rows_accepted"], 5, "{import}");
    let import = server.import(&seller.key, "kind=events", events);
    assert_eq!(import["rows_accepted"], 4, "{import} {:?}", server.rows(&seller.key, &import));
}

fn silence_is_told_and_lifted(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Silent House", "America/New_York");
    take_in_silent(&server, &seller);
    for (order, verdict, must_act) in [
        ("V-1", "late_open", "none"),
        ("V-2", "stalled", "none"),
        ("V-3", "suspected_lost", "seller"),
        ("V-4", "lost", "seller"),
        ("V-5", "stalled", "seller"),
    ] {
        let shipment = server.shipment(&seller.key, &number_of(order));
        let expected = (verdict.to_owned(), "late_open".to_owned(), must_act.to_owned());
        assert_eq!(word(&shipment), expected, "{order}: {shipment}");
        assert_eq!(shipment["open"], true, "{order} is still followed");
        let link = text(&server.order(&seller.key, order)["status_url"]);
        let status = server.track(&link, "application/json").must_be(200).json();
        assert_eq!(status["parcels"][0]["expected"]["overdue"], true, "{order}: {status}");
        let html = server.track(&link, "text/html").must_be(200).text();
        assert!(!html.contains("lost") && html.contains("Write to the seller"), "{order}: {html}");
    }
    let totals = server.delays(&seller.key, "")["totals"].clone();
    assert_eq!(
        (&totals["late_open"], &totals["undecided"]),
        (&json!(5), &json!(0)),
        "dates count, not words: {totals}"
    );
    the_late_are_found_whatever_their_word(&server, &seller);
    server.check_invariants();

    let now = format!("{}T13:00:00Z", days_ago(1));
    let news = ["V-2", "V-3", "V-4"].map(|order| scan(order, &now, "out_for_delivery")).concat();
    assert_eq!(server.import(&seller.key, "kind=events", EVENTS.to_owned() + &news)["rows_created"], 3);
    for (order, verdict) in [("V-2", "late_open"), ("V-3", "found"), ("V-4", "found")] {
        assert_eq!(word(&server.shipment(&seller.key, &number_of(order))).0, verdict, "{order}");
    }
    let end = scan("V-3", &format!("{}T14:00:00Z", days_ago(1)), "delivered") + &scan("V-1", &now, "lost");
    assert_eq!(server.import(&seller.key, "kind=events", EVENTS.to_owned() + &end)["rows_created"], 2);
    for (order, verdict) in [("V-3", "delivered_late"), ("V-1", "lost")] {
        assert_eq!(word(&server.shipment(&seller.key, &number_of(order))).0, verdict, "{order}");
    }
    server.check_invariants();
}

fn the_late_are_found_whatever_their_word(server: &Server, seller: &Seller) {
    for (verdict, shipments) in [("late_open", 5), ("stalled", 2), ("suspected_lost", 1), ("lost", 1), ("found", 0)] {
        let found = server.all(&seller.key, &format!("/v1/shipments?verdict={verdict}"));
        assert_eq!(found.len(), shipments, "{verdict}");
        let report = server.delays(&seller.key, &format!("verdict={verdict}"));
        assert_eq!(report["totals"]["shipments"], shipments, "{verdict}: {report}");
    }
}

/// Order, carrier, state, shipped, scanned, delivered; all within the United States, promised for nothing.
const SHIPPED: [(&str, &str, &str, &str, &str, &str); 6] = [
    ("V-11", "other", "US,NY", "2026-03-02", "2026-03-03", ""),
    ("V-12", "other", "US,NY", "2026-03-02", "2026-03-03", "2026-03-06"),
    ("V-13", "other", "US,CA", "2026-03-02", "", ""),
    ("V-14", "other", "US,CA", "2026-03-20", "2026-03-20", ""),
    ("V-15", "other", "US,CA", "2026-03-02", "2026-03-03", "2026-04-20"),
    ("V-16", "other", "US,CA", "", "", ""),
];

fn take_in_shipped(server: &Server, seller: &Seller) {
    let mut sheet =
        "order_number,order_date,country,region,ship_from_country,tracking_number,carrier,shipped_at\n".to_owned();
    let mut events = EVENTS.to_owned();
    for (order, carrier, to, shipped, scanned, delivered) in SHIPPED {
        writeln!(sheet, "{order},2026-03-01,{to},US,{},{carrier},{shipped}", number_of(order)).unwrap();
        for (day, status) in [(scanned, "in_transit"), (delivered, "delivered")] {
            if !day.is_empty() {
                events += &scan(order, &format!("{day}T15:00:00-05:00"), status);
            }
        }
    }
    let import = server.import(&seller.key, "kind=combined", sheet);
    assert_eq!(import["rows_accepted"], 6, "{import}");
    let import = server.import(&seller.key, "kind=events", events);
    assert_eq!(import["rows_accepted"], 6, "{import}");
}

/// Shipped, never delivered, suspected lost, lost.
fn losses(of: &Value) -> Value {
    ["shipped", "never_delivered", "suspected_lost", "lost"].map(|field| of[field].clone()).into_iter().collect()
}

fn losses_are_counted_as_of_any_moment(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lost House", "America/New_York");
    take_in_shipped(&server, &seller);
    for (as_of, expected) in [
        ("2026-03-01", [0, 0, 0, 0]),
        ("2026-03-05", [4, 4, 0, 0]),
        ("2026-03-10", [4, 3, 0, 0]),
        ("2026-03-22", [5, 4, 0, 0]),
        ("2026-03-23", [5, 4, 1, 0]),
        ("2026-03-24", [5, 4, 3, 0]),
        ("2026-04-01", [5, 4, 2, 1]),
        ("2026-04-02", [5, 4, 0, 3]),
        ("2026-04-30", [5, 3, 0, 3]),
    ] {
        let told = report(&server, &seller.key, &format!("lost?as_of={as_of}"));
        assert_eq!(losses(&told["totals"]), json!(expected), "{as_of}: {told}");
    }
    let rate = report(&server, &seller.key, "lost?as_of=2026-04-01")["totals"]["lost_rate"].clone();
    assert_eq!((&rate["num"], &rate["den"], &rate["undecided"]), (&json!(1), &json!(5), &json!(3)), "{rate}");
    for (field, expected) in [("rate", 0.2), ("ci_low", 0.036_22), ("ci_high", 0.624_46)] {
        assert!((rate[field].as_f64().unwrap() - expected).abs() < 1e-4, "{field}: {rate}");
    }

    let known_at = text(&report(&server, &seller.key, "lost")["known_at"]);
    let query = format!("lost?as_of=2026-04-30&known_at={known_at}&rows=shipments&group_by=destination_region");
    let before = report(&server, &seller.key, &query);
    let word = scan("V-14", "2026-04-02T10:00:00-05:00", "out_for_delivery");
    assert_eq!(server.import(&seller.key, "kind=events", EVENTS.to_owned() + &word)["rows_created"], 1);
    assert_eq!(report(&server, &seller.key, &query), before, "what we heard later changes no report of before");
    let after = report(&server, &seller.key, "lost?as_of=2026-04-30");
    assert_eq!(losses(&after["totals"]), json!([5, 3, 1, 2]), "{after}");
}

fn losses_come_by_group_and_as_csv(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lost House", "America/New_York");
    take_in_shipped(&server, &seller);
    let query = "as_of=2026-04-01&group_by=destination_region";
    let told = report(&server, &seller.key, &format!("lost?{query}&rows=shipments&limit=2"));
    let by_region: Vec<(Value, Value)> = told["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["key"]["destination_region"].clone(), losses(it)))
        .collect();
    assert_eq!(by_region, [(json!("CA"), json!([3, 3, 1, 1])), (json!("NY"), json!([2, 1, 1, 0]))], "{told}");

    let next = text(&told["next_cursor"]);
    let rest = report(&server, &seller.key, &format!("lost?{query}&rows=shipments&limit=2&cursor={next}"));
    let pages = [&told, &rest].map(|page| page["shipments"].as_array().unwrap().clone()).concat();
    let listed: Vec<_> = pages.iter().map(|it| (text(&it["order_number"]), text(&it["verdict"]))).collect();
    let expected = [("V-11", "suspected_lost"), ("V-13", "lost"), ("V-15", "suspected_lost")];
    assert_eq!(listed, expected.map(|(order, verdict)| (order.to_owned(), verdict.to_owned())), "{pages:?}");
    assert_eq!(rest["next_cursor"], Value::Null);
    for shipment in &pages {
        for field in ["reason", "threshold", "would_change", "must_act", "evidence", "cause"] {
            assert!(!shipment[field].is_null(), "{field}: {shipment}");
        }
    }

    let sheet = csv_rows(&server, &seller.key, &format!("lost?{query}&format=csv"));
    let names = ["destination_region", "shipped", "never_delivered", "suspected_lost", "lost", "lost_rate"];
    assert_eq!(sheet[0][..6], names.map(str::to_owned));
    assert_eq!(sheet[1][..6], ["CA", "3", "3", "1", "1", "0.33333"].map(str::to_owned));
    let sheet = csv_rows(&server, &seller.key, &format!("lost?{query}&rows=shipments&format=csv"));
    assert_eq!(sheet.len(), 4, "{sheet:?}");
    let only_lost = report(&server, &seller.key, "lost?as_of=2026-04-01&verdict=lost");
    assert_eq!(losses(&only_lost["totals"]), json!([1, 1, 0, 1]), "{only_lost}");

    let other = server.seller("Other", "UTC");
    assert_eq!(losses(&report(&server, &other.key, "lost")["totals"]), json!([0, 0, 0, 0]));
    let admin = server.admin();
    let all = report(&server, &admin, "lost?as_of=2026-04-01&group_by=seller");
    assert_eq!(all["groups"][0]["key"]["seller"], json!(seller.id), "{all}");
    let one = report(&server, &admin, &format!("lost?as_of=2026-04-01&seller_id={}", other.id));
    assert_eq!(one["totals"]["shipped"], 0);
    server.get(&seller.key, "/v1/reports/lost?rows=orders").must_be_problem(400, "bad_parameter");
}

/// Order, dispatch by, carrier, shipped, scanned.
///
/// At noon of 10 March 2026 in Berlin: D-1 left in time by its scan, though shipped late by the seller's word; D-2 left
/// late by its scan, though shipped in time by the seller's word; D-3 in time by the seller's word; D-4 is overdue; D-5
/// has time; D-6 has no time set.
const ORDERS: [(&str, &str, &str, &str, &str); 6] = [
    ("D-1", "2026-03-05", "ups", "2026-03-06T09:00:00", "2026-03-05T18:00:00+01:00"),
    ("D-2", "2026-03-05", "ups", "2026-03-05T09:00:00", "2026-03-06T18:00:00+01:00"),
    ("D-3", "2026-03-05", "ups", "2026-03-05T09:00:00", ""),
    ("D-4", "2026-03-05", "", "", ""),
    ("D-5", "2026-03-20", "", "", ""),
    ("D-6", "", "ups", "2026-03-05T09:00:00", ""),
];

fn take_in_orders(server: &Server, seller: &Seller) {
    let mut orders = "order_number,order_date,country,ship_by,status\n".to_owned();
    let mut tracking = "order_number,tracking_number,carrier,shipped_at\n".to_owned();
    let mut events = EVENTS.to_owned();
    for (serial, (order, by, carrier, shipped, scanned)) in (8000..).zip(ORDERS) {
        writeln!(orders, "{order},2026-03-04,DE,{by},").unwrap();
        if !carrier.is_empty() {
            writeln!(tracking, "{order},{},{carrier},{shipped}", ups(serial)).unwrap();
        }
        if !scanned.is_empty() {
            writeln!(events, "{},{carrier},{scanned},picked_up", ups(serial)).unwrap();
        }
    }
    orders += "D-7,2026-03-04,DE,2026-03-05,cancelled\n";
    for (kind, sheet, rows) in [("orders", orders, 7), ("tracking", tracking, 4), ("events", events, 2)] {
        let import = server.import(&seller.key, &format!("kind={kind}"), sheet);
        assert_eq!(import["rows_accepted"], rows, "{kind}: {import} {:?}", server.rows(&seller.key, &import));
    }
}

/// Orders, on time, late, overdue, undecided, without a time.
fn dispatch(of: &Value) -> Value {
    let fields = ["orders", "dispatched_on_time", "dispatched_late", "overdue", "undecided", "without_dispatch_by"];
    fields.map(|field| of[field].clone()).into_iter().collect()
}

fn dispatch_is_counted_by_order(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Prompt House", "Europe/Berlin");
    take_in_orders(&server, &seller);
    for (query, expected) in [
        ("as_of=2026-03-10T12:00:00", [6, 2, 1, 1, 1, 1]),
        ("as_of=2026-03-05T12:00:00", [6, 2, 0, 0, 3, 1]),
        ("as_of=2026-03-03", [0, 0, 0, 0, 0, 0]),
        ("as_of=2026-03-10&from=2026-03-05&to=2026-03-06", [4, 2, 1, 1, 0, 0]),
        ("as_of=2026-03-10&basis=shipped&from=2026-03-06", [1, 0, 1, 0, 0, 0]),
        ("as_of=2026-03-10&carrier=ups", [4, 2, 1, 0, 0, 1]),
        ("as_of=2026-03-10&destination_country=FR", [0, 0, 0, 0, 0, 0]),
        ("as_of=2026-03-10&known_at=2026-01-01T00:00:00Z", [0, 0, 0, 0, 0, 0]),
        ("", [6, 2, 1, 2, 0, 1]),
    ] {
        let query = if query.contains('T') && !query.contains('Z') { format!("{query}Z") } else { query.to_owned() };
        let told = report(&server, &seller.key, &format!("dispatch?{query}"));
        assert_eq!(dispatch(&told["totals"]), json!(expected), "{query}: {told}");
    }

    let told = report(&server, &seller.key, "dispatch?as_of=2026-03-10&group_by=carrier,month&rows=orders");
    let rate = &told["totals"]["on_time_rate"];
    assert_eq!((&rate["num"], &rate["den"], &rate["undecided"]), (&json!(2), &json!(4), &json!(1)), "{rate}");
    let keys: Vec<_> =
        told["groups"].as_array().unwrap().iter().map(|it| (it["key"].clone(), it["orders"].clone())).collect();
    let key = |carrier: Option<&str>, month: Option<&str>| json!({"carrier": carrier, "month": month});
    let expected = [
        (key(Some("ups"), Some("2026-03")), json!(3)),
        (key(None, Some("2026-03")), json!(2)),
        (key(Some("ups"), None), json!(1)),
    ];
    assert_eq!(keys, expected, "{told}");
    let missed = told["orders"].as_array().unwrap();
    let listed: Vec<_> = missed.iter().map(|it| [&it["order_number"], &it["outcome"], &it["dispatched_by"]]).collect();
    let expected = [
        [&json!("D-2"), &json!("dispatched_late"), &json!("carrier_scan")],
        [&json!("D-4"), &json!("overdue"), &Value::Null],
    ];
    assert_eq!(listed, expected, "{told}");

    let sheet = csv_rows(&server, &seller.key, "dispatch?as_of=2026-03-10&rows=orders&format=csv");
    let at = |name: &str| sheet[0].iter().position(|it| it == name).unwrap();
    assert_eq!(
        (sheet.len(), &sheet[1][at("order_number")], sheet[1][at("dispatched_at")].as_str()),
        (3, &"D-2".to_owned(), "2026-03-06T17:00:00Z")
    );
    let sheet = csv_rows(&server, &seller.key, "dispatch?as_of=2026-03-10&group_by=shop&format=csv");
    assert_eq!(sheet[1][..7], ["main", "6", "2", "1", "1", "1", "1"].map(str::to_owned));
    server.get(&seller.key, "/v1/reports/dispatch?basis=delivered").must_be_problem(400, "bad_parameter");
}
