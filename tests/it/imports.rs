//! Sheets that come in: good rows, bad rows, and what must be refused without a trace.

use crate::parcels::ups;
use crate::server::{Database, Seller, Server, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;

on_both!(
    each_row_has_its_result,
    a_dry_run_writes_nothing_until_it_is_made_real,
    the_same_file_twice_changes_nothing,
    tracking_for_an_unknown_order_is_rejected_or_makes_one,
    a_sheet_may_come_as_a_form_or_packed,
    a_file_that_cannot_be_read_stores_nothing,
    an_oversize_file_leaves_no_trace,
    what_is_refused_at_the_door_leaves_no_trace,
);

const TABLES: [&str; 8] =
    ["orders", "order_lines", "order_contacts", "shipments", "trackers", "tracking_events", "legs", "standings"];

const ORDERS: &str = "order_number,order_date,sku,quantity,country,deliver_by\n\
    1001,2026-09-01,LAMP,2,US,2026-09-12\n\
    1002,2026-09-01,LAMP,two,US,2026-09-12\n\
    1003,2026-02-30,SHADE,1,US,2026-09-12\n\
    1003,2026-09-02,SHADE,1,XQ,2026-09-12\n\
    1004,2026-09-02,SHADE,1,DE,2026-09-12\n";

fn stored(server: &Server) -> Vec<(&'static str, i64)> {
    TABLES.map(|table| (table, server.count(table))).to_vec()
}

fn start(database: Database) -> (Server, Seller) {
    let server = Server::start(database);
    let seller = server.seller("Sheets Ltd", "America/New_York");
    (server, seller)
}

fn each_row_has_its_result(database: Database) {
    let (server, seller) = start(database);
    let import = server.import(&seller.key, "kind=orders", ORDERS);
    for (field, expected) in [
        ("state", json!("completed")),
        ("kind", json!("orders")),
        ("shop", json!("main")),
        ("dry_run", json!(false)),
        ("rows_total", json!(5)),
        ("rows_accepted", json!(2)),
        ("rows_created", json!(2)),
        ("rows_rejected", json!(3)),
    ] {
        assert_eq!(import[field], expected, "{field}: {import}");
    }
    for code in ["not_an_integer", "invalid_date", "unknown_country"] {
        assert!(
            import["problems"].as_array().unwrap().contains(&json!({"code": code, "count": 1})),
            "{code}: {import}"
        );
    }

    let rows = server.rows(&seller.key, &import);
    let results: Vec<Value> = rows
        .iter()
        .map(|row| json!([row["line"], row["outcome"], row["errors"][0]["column"], row["errors"][0]["code"]]))
        .collect();
    assert_eq!(
        results,
        [
            json!([2, "created", null, null]),
            json!([3, "rejected", "quantity", "not_an_integer"]),
            json!([4, "rejected", "order_date", "invalid_date"]),
            json!([5, "rejected", "country", "unknown_country"]),
            json!([6, "created", null, null]),
        ]
    );
    for row in &rows {
        let rejected = row["outcome"] == "rejected";
        assert_eq!(row["order_id"].is_null(), rejected, "{row}");
        assert!(!rejected || row["errors"][0]["detail"].as_str().is_some_and(|it| it.len() > 10), "{row}");
    }
    let id = text(&import["id"]);
    let rejected = server.all(&seller.key, &format!("/v1/imports/{id}/rows?outcome=rejected"));
    assert_eq!(rejected.len(), 3);
    assert_eq!(server.count("orders"), 2);
    assert_eq!(server.all(&seller.key, "/v1/imports").len(), 1);
    server.check_invariants();
}

fn a_dry_run_writes_nothing_until_it_is_made_real(database: Database) {
    let (server, seller) = start(database);
    let dry = server.import(&seller.key, "kind=orders&dry_run=true", ORDERS);
    assert_eq!(
        (&dry["dry_run"], &dry["rows_created"], &dry["rows_rejected"]),
        (&json!(true), &json!(2), &json!(3)),
        "{dry}"
    );
    assert!(stored(&server).iter().all(|&(_, rows)| rows == 0), "{:?}", stored(&server));

    let id = text(&dry["id"]);
    let commit = server.send(&Method::POST, &seller.key, &format!("/v1/imports/{id}/commit"), None);
    assert!([200, 202].contains(&commit.status), "{}", commit.text());
    let real = server.end_of_import(&seller.key, &text(&commit.json()["id"]));
    assert_eq!(
        (&real["dry_run"], &real["rows_created"], &real["rows_rejected"]),
        (&json!(false), &json!(2), &json!(3)),
        "{real}"
    );
    assert_eq!(server.count("orders"), 2);
    server.check_invariants();
}

fn the_same_file_twice_changes_nothing(database: Database) {
    let (server, seller) = start(database);
    let combined = format!(
        "order_number,sku,quantity,country,deliver_by,tracking_number,carrier,shipped_at,delivered_at,status\n\
         2001,LAMP,1,US,2026-09-12,{},ups,2026-09-02,2026-09-08,delivered\n\
         2001,SHADE,1,US,2026-09-12,{},ups,2026-09-03,,shipped\n\
         2002,LAMP,4,DE,2026-09-12,,,,,\n",
        ups(1),
        ups(2)
    );
    let first = server.import(&seller.key, "kind=combined", combined.clone());
    assert_eq!((&first["rows_accepted"], &first["rows_rejected"]), (&json!(3), &json!(0)), "{first}");
    let before = stored(&server);

    let second = server.import(&seller.key, "kind=combined", combined);
    assert_ne!(first["id"], second["id"], "the same file again is a new import");
    assert_eq!((&second["rows_unchanged"], &second["rows_accepted"]), (&json!(3), &json!(0)), "{second}");
    assert_eq!(stored(&server), before);
    server.check_invariants();
}

fn tracking_for_an_unknown_order_is_rejected_or_makes_one(database: Database) {
    let (server, seller) = start(database);
    let sheet = format!("order_number,tracking_number,carrier\nNOBODY,{},ups\n", ups(3));
    let import = server.import(&seller.key, "kind=tracking", sheet.clone());
    let row = &server.rows(&seller.key, &import)[0];
    assert_eq!((&row["outcome"], &row["errors"][0]["code"]), (&json!("rejected"), &json!("order_not_found")), "{row}");
    assert!(stored(&server).iter().all(|&(_, rows)| rows == 0), "{:?}", stored(&server));

    let import = server.import(&seller.key, "kind=tracking&create_orders=true", sheet);
    assert_eq!(import["rows_created"], 1, "{import}");
    assert_eq!(server.shipment(&seller.key, &ups(3))["order_number"], "NOBODY");
    server.check_invariants();
}

fn a_file_that_cannot_be_read_stores_nothing(database: Database) {
    let (server, seller) = start(database);
    let xlsx = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml".to_vec();
    for (what, query, sheet, code) in [
        ("a spreadsheet of Excel", "kind=orders", xlsx, "not_csv_xlsx"),
        ("nothing at all", "kind=orders", vec![], "empty_file"),
        ("another kind than was said", "kind=events", ORDERS.as_bytes().to_vec(), "header_not_recognised"),
        ("no order number", "kind=orders", b"sku,country\nLAMP,US\n".to_vec(), "missing_column"),
        ("two columns of one name", "kind=orders", b"order_number,order_number\n1,2\n".to_vec(), "duplicate_header"),
    ] {
        let import = server.import(&seller.key, query, sheet);
        assert_eq!(import["state"], "failed", "{what}: {import}");
        let told = import.to_string();
        assert!(told.contains(&format!("\"{code}\"")), "{what}: {code} is not in {told}");
        assert!(server.rows(&seller.key, &import).is_empty(), "{what}");
    }
    assert!(stored(&server).iter().all(|&(_, rows)| rows == 0), "{:?}", stored(&server));
    server.check_invariants();
}

fn a_sheet_may_come_as_a_form_or_packed(database: Database) {
    let (server, seller) = start(database);
    let form = "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"orders.csv\"\r\n\
                Content-Type: text/csv\r\n\r\norder_number,country\nF-1,FR\n\r\n--edge--\r\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"order_number,country\nG-1,FR\n").unwrap();
    for (content_type, body) in
        [("multipart/form-data; boundary=edge", form.as_bytes().to_vec()), ("text/csv", packed.finish().unwrap())]
    {
        let path = "/v1/imports?kind=orders";
        let accepted = server.send(&Method::POST, &seller.key, path, Some((content_type, body))).must_be(202).json();
        let import = server.end_of_import(&seller.key, &text(&accepted["id"]));
        assert_eq!((&import["state"], &import["rows_created"]), (&json!("completed"), &json!(1)), "{import}");
    }
    assert_eq!(server.order(&seller.key, "F-1")["shop"], "main");
    server.order(&seller.key, "G-1");
}

fn an_oversize_file_leaves_no_trace(database: Database) {
    let server = Server::start_with(database, &[("PARCELTRAIL_MAX_UPLOAD_BYTES", "100000")]);
    let seller = server.seller("Sheets Ltd", "America/New_York");
    let sheet = format!("order_number,country\n{}", "1001,US\n".repeat(50_000));
    server.upload(&seller.key, "kind=orders", sheet).must_be_problem(413, "too_large");
    for table in ["imports", "import_chunks", "orders"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
}

fn what_is_refused_at_the_door_leaves_no_trace(database: Database) {
    let (server, seller) = start(database);
    let other = server.seller("Somebody else", "Europe/Paris");
    let import = server.import(&other.key, "kind=orders", "order_number,country\nX-1,FR\n");
    let theirs = text(&server.order(&other.key, "X-1")["id"]);
    let (before, imports) = (stored(&server), server.count("imports"));

    no_key_no_answer(&server, &seller.key);
    another_seller_s_object_is_like_none(&server, &seller.key, &theirs, &text(&import["id"]));
    bad_requests_get_clear_problems(&server, &seller.key);

    assert_eq!(stored(&server), before);
    assert_eq!(server.count("imports"), imports);
    server.check_invariants();
}

fn no_key_no_answer(server: &Server, key: &str) {
    let mistyped = format!("{}x", key.get(..key.len() - 1).unwrap());
    for (what, key) in [("no key", ""), ("nonsense", "nonsense"), ("a mistyped key", &mistyped)] {
        for path in ["/v1/orders", "/v1/imports", "/v1/reports/delays"] {
            let answer = server.get(key, path);
            answer.must_be_problem(401, "unauthorized");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{what}, {path}");
        }
        server.upload(key, "kind=orders", ORDERS).must_be_problem(401, "unauthorized");
    }
}

fn another_seller_s_object_is_like_none(server: &Server, key: &str, order: &str, import: &str) {
    let nobody_s = "0199f2c8-0000-7000-8000-000000000000";
    for (route, theirs) in [("orders", order), ("imports", import), ("shipments", order)] {
        let [foreign, none] = [theirs, nobody_s].map(|id| {
            let mut problem = server.get(key, &format!("/v1/{route}/{id}")).must_be_problem(404, "not_found");
            problem["request_id"] = Value::Null;
            problem.to_string().replace(id, "ID")
        });
        assert_eq!(foreign, none, "{route}");
    }
    assert!(server.all(key, "/v1/orders").is_empty());
}

fn bad_requests_get_clear_problems(server: &Server, key: &str) {
    let json_type = "application/json";
    let post =
        |path: &str, body: &str| server.send(&Method::POST, key, path, Some((json_type, body.as_bytes().to_vec())));
    post("/v1/orders", "{\"order_number\": ").must_be_problem(400, "bad_json");
    post("/v1/orders", "{\"shop\":\"main\",\"order_number\":\"1\",\"colour\":\"red\"}")
        .must_be_problem(422, "invalid_request");
    post("/v1/orders", "{\"shop\":\"main\"}").must_be_problem(422, "invalid_request");
    post("/v1/orders", &format!("{{\"order_number\":\"{}\"}}", "9".repeat(1_200_000)))
        .must_be_problem(413, "too_large");
    server.upload(key, "kind=poems", ORDERS).must_be_problem(400, "bad_parameter");
    server.upload(key, "kind=orders&shop=nowhere", ORDERS).must_be_problem(400, "bad_parameter");
    server.get(key, "/v1/orders?limit=0").must_be_problem(400, "bad_parameter");
    server.get(key, "/v1/orders?cursor=%21").must_be_problem(400, "bad_parameter");
    server.get(key, "/v1/orders/not-an-id").must_be_problem(404, "not_found");
    server.get(key, "/v1/nothing-here").must_be_problem(404, "no_such_route");
    server.get(key, "/nothing-here").must_be_problem(404, "no_such_route");
    server.send(&Method::DELETE, key, "/v1/imports", None).must_be_problem(405, "method_not_allowed");
}
