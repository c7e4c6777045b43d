//! Reports over a handful of shipments, each number counted by hand.

use crate::parcels::{dhl_express, ups};
use crate::server::{Database, Seller, Server, text};
use serde_json::{Value, json};
use std::fmt::Write;

on_both!(
    delays_are_counted_by_hand,
    the_moment_of_a_report_can_be_chosen_and_repeated,
    an_admin_reads_over_sellers_and_a_seller_only_its_own,
);

/// Order, carrier, destination, shipped, promised, delivered.
///
/// At the end of October 2026: came in time, R-2 in the last minutes of its day; R-3 came two days late; R-4
/// has not come; R-5 was promised for no day; R-6 came in time; R-7 is not due yet.
const SHIPMENTS: [(&str, &str, &str, &str, &str, &str); 7] = [
    ("R-1", "ups", "US,NY", "2026-09-01", "2026-09-10", "2026-09-08T10:00:00"),
    ("R-2", "ups", "US,NY", "2026-09-01", "2026-09-10", "2026-09-10T23:58:00"),
    ("R-3", "ups", "US,NY", "2026-09-02", "2026-09-10", "2026-09-12T00:02:00"),
    ("R-4", "ups", "US,CA", "2026-09-03", "2026-09-10", ""),
    ("R-5", "dhl-express", "FR,IDF", "2026-09-04", "", "2026-09-06T12:00:00"),
    ("R-6", "dhl-express", "FR,IDF", "2026-09-05", "2026-09-08", "2026-09-07T12:00:00"),
    ("R-7", "dhl-express", "FR,IDF", "2026-09-05", "2027-01-31", ""),
];

fn number_of(at: usize) -> String {
    let serial = u32::try_from(at).unwrap() + 500;
    if SHIPMENTS[at].1 == "ups" { ups(serial) } else { dhl_express(serial) }
}

fn take_in_shipments(server: &Server, seller: &Seller) {
    let mut orders =
        "order_number,order_date,country,region,deliver_by,ship_from_country,ship_from_region\n".to_owned();
    let mut tracking = "order_number,tracking_number,carrier,shipped_at,delivered_at\n".to_owned();
    for (at, (order, carrier, destination, shipped, promised, delivered)) in SHIPMENTS.iter().enumerate() {
        writeln!(orders, "{order},2026-08-30,{destination},{promised},DE,BY").unwrap();
        writeln!(tracking, "{order},{},{carrier},{shipped},{delivered}", number_of(at)).unwrap();
    }
    for (kind, sheet) in [("orders", orders), ("tracking", tracking)] {
        let import = server.import(&seller.key, &format!("kind={kind}"), sheet);
        assert_eq!(import["rows_created"], 7, "{kind}: {import}");
    }
}

/// Shipments, delivered, on time, late, late and open, undecided, without promise.
fn counts(of: &Value) -> Value {
    let fields = ["shipments", "delivered", "on_time", "late", "late_open", "undecided", "without_promise"];
    fields.iter().map(|field| of[field].clone()).collect()
}

/// The counts of the group whose key has this value.
#[track_caller]
fn group<'a>(report: &'a Value, key: &str, value: &str) -> &'a Value {
    let groups = report["groups"].as_array().unwrap();
    groups.iter().find(|it| it["key"][key] == value).unwrap_or_else(|| panic!("no group {key}={value}: {report}"))
}

fn delays_are_counted_by_hand(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Counting House", "Europe/Berlin");
    take_in_shipments(&server, &seller);
    let query = "as_of=2026-10-31&group_by=destination_country";
    let report = server.delays(&seller.key, query);

    assert_eq!(counts(&report["totals"]), json!([7, 5, 3, 1, 1, 1, 1]), "{report}");
    let rate = &report["totals"]["on_time_rate"];
    assert_eq!((&rate["num"], &rate["den"], &rate["undecided"]), (&json!(3), &json!(5), &json!(1)), "{rate}");
    for (field, expected) in [("rate", 0.6), ("ci_low", 0.230_72), ("ci_high", 0.882_38)] {
        assert!((rate[field].as_f64().unwrap() - expected).abs() < 1e-4, "{field}: {rate}");
    }

    let america = group(&report, "destination_country", "US");
    assert_eq!(counts(america), json!([4, 3, 2, 1, 1, 0, 0]), "{america}");
    assert_eq!(america["transit_days"], json!({"n": 3, "p50": 9, "p90": 10, "p95": 10}));
    assert_eq!(america["lateness_days"], json!({"n": 1, "p50": 2, "p90": 2, "p95": 2, "max": 2}));
    let france = group(&report, "destination_country", "FR");
    assert_eq!(counts(france), json!([3, 2, 1, 0, 0, 1, 1]), "{france}");
    assert_eq!(france["transit_days"], json!({"n": 2, "p50": 2, "p90": 2, "p95": 2}));
    assert_eq!(france["lateness_days"], json!({"n": 0, "p50": null, "p90": null, "p95": null, "max": null}));

    let by_lane = server.delays(&seller.key, "as_of=2026-10-31&group_by=origin_region,destination_region,carrier");
    assert_eq!(by_lane["groups"].as_array().unwrap().len(), 3, "{by_lane}");
    let california = group(&by_lane, "destination_region", "CA");
    assert_eq!(california["key"], json!({"origin_region": "BY", "destination_region": "CA", "carrier": "ups"}));
    the_same_comes_as_csv(&server, &seller, query);
    filters_narrow(&server, &seller);
}

fn the_same_comes_as_csv(server: &Server, seller: &Seller, query: &str) {
    let answer = server.get(&seller.key, &format!("/v1/reports/delays?{query}&format=csv")).must_be(200);
    assert!(answer.header("content-type").starts_with("text/csv"), "{:?}", answer.headers);
    let sheet = answer.text();
    let mut lines = sheet.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|it| *it == name).unwrap_or_else(|| panic!("no {name}: {sheet}"));
    let mut rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    rows.sort_by_key(|row| row[at("destination_country")]);
    assert_eq!(rows.len(), 2, "{sheet}");
    for (row, expected) in rows.iter().zip([["FR", "3", "2", "1", "0"], ["US", "4", "3", "2", "1"]]) {
        let told = ["destination_country", "shipments", "delivered", "on_time", "late"].map(|name| row[at(name)]);
        assert_eq!(told, expected, "{sheet}");
    }
}

fn filters_narrow(server: &Server, seller: &Seller) {
    for (query, shipments) in [
        ("from=2026-09-01&to=2026-09-02", 2),
        ("from=2026-09-02&to=2026-09-04", 2),
        ("basis=delivered&from=2026-09-07&to=2026-09-09", 2),
        ("basis=promised&from=2026-09-10&to=2026-09-11", 4),
        ("carrier=dhl-express", 3),
        ("destination_country=US", 4),
        ("origin_country=FR", 0),
    ] {
        let report = server.delays(&seller.key, &format!("as_of=2026-10-31&{query}"));
        assert_eq!(report["totals"]["shipments"], shipments, "{query}: {report}");
    }
    for query in ["as_of=yesterday", "from=2026-13-01", "group_by=colour", "basis=guessed", "format=pdf"] {
        server.get(&seller.key, &format!("/v1/reports/delays?{query}")).must_be_problem(400, "bad_parameter");
    }
}

fn the_moment_of_a_report_can_be_chosen_and_repeated(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Counting House", "Europe/Berlin");
    take_in_shipments(&server, &seller);

    let early = server.delays(&seller.key, "as_of=2026-09-09");
    assert_eq!(counts(&early["totals"]), json!([7, 3, 2, 0, 0, 4, 1]), "{early}");
    let known_at = text(&server.delays(&seller.key, "as_of=2026-10-31")["known_at"]);
    let query = format!("as_of=2026-10-31&known_at={known_at}&group_by=carrier");
    let before = server.delays(&seller.key, &query);

    let news =
        format!("tracking_number,carrier,event_at,status\n{},ups,2026-09-20T11:00:00-07:00,delivered\n", number_of(3));
    assert_eq!(server.import(&seller.key, "kind=events", news)["rows_created"], 1);
    let now = server.delays(&seller.key, "as_of=2026-10-31");
    assert_eq!(counts(&now["totals"]), json!([7, 6, 3, 2, 0, 1, 1]), "{now}");
    assert_eq!(server.delays(&seller.key, &query), before, "what we heard later must not change a report of before");
    let long_ago = server.delays(&seller.key, "as_of=2026-10-31&known_at=2026-01-01T00:00:00Z");
    assert_eq!(long_ago["totals"]["delivered"], 0, "{long_ago}");
}

fn an_admin_reads_over_sellers_and_a_seller_only_its_own(database: Database) {
    let server = Server::start(database);
    let (first, second) = (server.seller("First", "Europe/Berlin"), server.seller("Second", "America/New_York"));
    let admin = server.admin();
    take_in_shipments(&server, &first);
    let sheet = format!(
        "order_number,country,deliver_by,tracking_number,carrier,shipped_at,delivered_at\n\
         R-1,US,2026-09-10,{},ups,2026-09-01,2026-09-14\n",
        ups(900)
    );
    server.import(&second.key, "kind=combined", sheet);

    let report = server.delays(&admin, "as_of=2026-10-31&group_by=seller");
    assert_eq!(counts(&report["totals"]), json!([8, 6, 3, 2, 1, 1, 1]), "{report}");
    assert_eq!(counts(group(&report, "seller", &second.id)), json!([1, 1, 0, 1, 0, 0, 0]), "{report}");
    let one = server.delays(&admin, &format!("as_of=2026-10-31&seller_id={}", first.id));
    assert_eq!(one["totals"]["shipments"], 7, "{one}");

    assert_eq!(server.delays(&second.key, "as_of=2026-10-31")["totals"]["shipments"], 1);
    let peeking = server.get(&second.key, &format!("/v1/reports/delays?seller_id={}", first.id));
    assert!(peeking.status >= 400 || peeking.json()["totals"]["shipments"] == 1, "{}", peeking.text());
    let [shipments, orders] = ["/v1/shipments", "/v1/orders"].map(|path| server.all(&second.key, path));
    assert_eq!((shipments.len(), orders.len()), (1, 1), "{shipments:?} {orders:?}");
}
