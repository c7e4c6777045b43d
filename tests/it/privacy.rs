//! A consignee's data is where it can be erased, and nowhere else: canaries go in by every door, and are looked for in
//! every byte that is kept.

use crate::parcels::{days_ago, ups};
use crate::server::{Database, Seller, Server, text};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

on_both!(
    a_consignee_is_kept_sealed_and_forgotten_for_good,
    an_export_tells_everything,
    what_is_old_goes_by_itself,
    a_link_that_is_wrong_is_one_page,
);

/// Words that stand nowhere else.
const CANARIES: [&str; 12] = [
    "Quillonia",
    "Xanthippe",
    "Vortigern",
    "qcanary7",
    "zcanary8",
    "876543210987",
    "Mockingbird",
    "Zephyrine",
    "Basilisk",
    "Gryphonia",
    "Wyvernette",
    "Chimaerine",
];
/// Stands in the clear on purpose: if it is not found, the search is broken.
const CONTROL: &str = "CTRL-1001";
const PLACE: &str = "/v1/privacy/erasures";

fn a_consignee_is_kept_sealed_and_forgotten_for_good(database: Database) {
    let mut server = Server::start_with(database, &[("PARCELTRAIL_LOG", "trace")]);
    let seller = server.seller("Lantern", "Europe/Berlin");
    let key = &seller.key;
    let link = canaries_come_in(&server, key);
    let answers = answers_of(&server, &seller);
    for canary in CANARIES {
        assert!(answers.contains(canary), "{canary} came in by no door, so nothing can be told of where it lies");
    }
    customers_ask(&server, &seller);

    let before = reports(&server, key);
    for person in [
        json!({"email": "QCanary7@example.com"}),
        json!({"phone": "+49 30 876543210987"}),
        json!({"order_number": CONTROL}),
        json!({"order_number": "BAD-1"}),
        json!({"order_number": "REST-1", "shop": "main"}),
    ] {
        server.post(key, PLACE, &person).must_be(201);
    }
    let nobody = server.post(key, PLACE, &json!({"email": "nobody@example.com"})).must_be(201).json();
    assert_eq!([&nobody["orders"], &nobody["parcels"], &nobody["imports"]], [0, 0, 0], "{nobody}");

    assert_eq!(reports(&server, key), before, "a report has changed");
    server.track(&link, "application/json").must_be(200);
    must_hold_no_canary("an answer", answers_of(&server, &seller).as_bytes());
    what_comes_again_brings_nothing_back(&server, &seller);
    files_are_gone(&server, key);
    server.check_invariants();

    server.kill();
    let kept = server.everything_kept();
    must_hold_no_canary("the database", &kept);
    assert!(contains(&kept, CONTROL.as_bytes()), "the search finds nothing at all");
    let log = std::fs::read(server.log_path()).unwrap();
    must_hold_no_canary("the log", &log);
    assert!(contains(&log, b"TRACE"), "the log is not at trace");
}

/// By sheets good and bad, by REST, in names of files, in what carriers wrote. Gives the link of an order.
fn canaries_come_in(server: &Server, key: &str) -> String {
    let number = ups(81);
    let orders = format!(
        "order_number,order_date,sku,quantity,recipient_name,company,address1,address2,city,postal_code,country,email,phone,note\n\
         {CONTROL},2026-09-01,LAMP,1,Ada Quillonia,Xanthippe Ltd,5 Vortigern Street,Zephyrine Wing,Berlin,10115,DE,qcanary7@example.com,+49 30 876543210987,ring Mockingbird\n\
         {CONTROL},2026-09-01,LAMP,1,Ada Quillonia,Xanthippe Ltd,5 Vortigern Street,Zephyrine Wing,Berlin,10115,DE,qcanary7@example.com,+49 30 876543210987,ring Mockingbird\n\
         BAD-1,2026-02-30,LAMP,two,Bob Quillonia,,6 Vortigern Street,,Berlin,10115,DE,,,Mockingbird\n\
         BAD-2,2026-02-30,LAMP,two,Cyd Quillonia,,,,,,DE,qcanary7@example.com,,\n"
    );
    import_file(server, key, "kind=orders", "Quillonia orders.csv", &orders);
    server.import(key, "kind=orders&dry_run=true", orders.clone());
    let combined = format!(
        "order_number,sku,quantity,recipient_name,country,email,phone,tracking_number,carrier,shipped_at\n\
         {CONTROL},LAMP,1,Ada Quillonia,DE,qcanary7@example.com,+49 30 876543210987,{number},ups,2026-09-02\n\
         BAD-1,LAMP,1,Bob Quillonia,DE,zcanary8@example.com,,NOT A NUMBER!,ups,2026-09-02\n"
    );
    server.import(key, "kind=combined", combined);
    let headerless =
        "7001,2026-09-01,LAMP,1,Dan Quillonia,5 Vortigern Street,Berlin,DE,qcanary7@example.com,876543210987\n";
    let refused = server.import(key, "kind=orders", headerless);
    assert_eq!(refused["state"], "failed", "{refused}");
    let events = format!(
        "tracking_number,carrier,event_at,status,location,description\n\
         {number},ups,{day}T09:00:00+01:00,in_transit,Basilisk Road 5,Left with Quillonia\n\
         {number},ups,{day}T10:00:00+01:00,Handed to Mr Gryphonia,Basilisk Road 5,at the door\n\
         {number},ups,some day,in_transit,Basilisk Road 5,Left with Quillonia\n",
        day = days_ago(3)
    );
    server.import(key, "kind=events", events);
    let order = json!({
        "order_number": "REST-1",
        "recipient": {"name": "Eve Wyvernette", "email": "zcanary8@example.com", "note": "Wyvernette"},
        "ship_to": {"country": "FR", "postal_code": "75001"},
    });
    server.post(key, "/v1/orders", &order).must_be(201);
    let parcel = json!({"order_number": "REST-1", "tracking_number": ups(83), "carrier": "ups"});
    let parcel = server.post(key, "/v1/shipments", &parcel).must_be(201).json();
    let scans = json!({"scans": [{
        "occurred_at": format!("{}T10:00:00Z", days_ago(2)),
        "sub_status": "in_transit.moving",
        "place": "Chimaerine House",
        "description": "Wyvernette signed",
    }]});
    server.post(key, &format!("/v1/shipments/{}/scans", text(&parcel["id"])), &scans).must_be(200);
    text(&server.order(key, CONTROL)["status_url"])
}

fn import_file(server: &Server, key: &str, query: &str, name: &str, sheet: &str) {
    let form = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n{sheet}\r\n--edge--\r\n"
    );
    let body = ("multipart/form-data; boundary=edge", form.into_bytes());
    let accepted = server.send(&Method::POST, key, &format!("/v1/imports?{query}"), Some(body)).must_be(202).json();
    server.end_of_import(key, &text(&accepted["id"]));
}

/// All that the seller's routes tell, one after the other.
fn answers_of(server: &Server, seller: &Seller) -> String {
    let key = &seller.key;
    let mut told = String::new();
    let mut get = |path: String| told.push_str(&server.get(key, &path).text());
    for list in ["orders", "shipments", "imports"] {
        get(format!("/v1/{list}?limit=200"));
        for object in server.all(key, &format!("/v1/{list}")) {
            let id = text(&object["id"]);
            get(format!("/v1/{list}/{id}"));
            match list {
                "shipments" => get(format!("/v1/shipments/{id}/events")),
                "imports" => {
                    get(format!("/v1/imports/{id}/rows?limit=200"));
                    get(format!("/v1/imports/{id}/repaired.csv"));
                }
                _ => {}
            }
        }
    }
    for report in ["delays?rows=shipments", "lanes", "carriers"] {
        get(format!("/v1/reports/{report}"));
    }
    for number in [CONTROL, "REST-1"] {
        get(format!("/v1/privacy/export?order_number={number}"));
    }
    get("/v1/privacy/export?email=qcanary7@example.com".to_owned());
    told
}

fn reports(server: &Server, key: &str) -> Vec<String> {
    let (from, to) = (days_ago(400), days_ago(-1));
    let until = format!("as_of={to}&known_at={to}T00:00:00Z&from={from}&to={to}");
    [
        "delays?rows=groups&group_by=destination_country,destination_region&",
        "lanes?",
        "carriers?",
        "delays?rows=shipments&",
    ]
    .map(|report| server.get(key, &format!("/v1/reports/{report}{until}")).must_be(200).text())
    .to_vec()
}

fn handle(seller: &Seller) -> String {
    let id = seller.shop.replace('-', "");
    format!("lantern-{}", id.get(24..).unwrap())
}

/// Right and wrong look-ups carry canaries too.
fn customers_ask(server: &Server, seller: &Seller) {
    let (shop, number) = (handle(seller), ups(81));
    for (what, question, status) in [
        ("by number and e-mail", json!({"order_number": CONTROL, "email": "qcanary7@example.com"}), 200),
        ("by number and postal code", json!({"order_number": CONTROL, "postal_code": "10 115"}), 200),
        ("by parcel", json!({"tracking_number": number.to_lowercase(), "email": "qcanary7@example.com"}), 200),
        ("of another", json!({"order_number": CONTROL, "email": "zcanary8@example.com"}), 404),
    ] {
        let mut question = question;
        question["shop"] = json!(shop);
        let answer = server.post("", "/v1/status/lookup", &question);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert!(!answer.text().contains("Quillonia"), "{what}: {}", answer.text());
        if status == 200 {
            assert_eq!(answer.json()["order_number"], CONTROL, "{what}");
            assert!(answer.header("cache-control").contains("no-store"), "{what}");
        }
    }
}

/// The same again, by every door: taken, and not kept.
fn what_comes_again_brings_nothing_back(server: &Server, seller: &Seller) {
    let key = &seller.key;
    let link = canaries_come_in_again(server, key);
    let told = answers_of(server, seller);
    for canary in CANARIES {
        assert!(!told.contains(canary), "{canary} came back");
    }
    let order = server.order(key, CONTROL);
    assert_eq!(
        (&order["recipient"]["name"], &order["ship_to"]["postal_code"]),
        (&Value::Null, &Value::Null),
        "{order}"
    );
    server.track(&link, "text/html").must_be(200);
    let question = json!({"shop": handle(seller), "order_number": CONTROL, "email": "qcanary7@example.com"});
    server.post("", "/v1/status/lookup", &question).must_be_problem(404, "not_found");
}

fn canaries_come_in_again(server: &Server, key: &str) -> String {
    let (number, day) = (ups(81), days_ago(1));
    for (kind, sheet) in [
        (
            "orders",
            format!(
                "order_number,sku,quantity,recipient_name,postal_code,country,email\n\
                 {CONTROL},LAMP,3,Ada Quillonia,10115,DE,qcanary7@example.com\n\
                 {CONTROL},LAMP,some,Ada Quillonia,10115,DE,qcanary7@example.com\n"
            ),
        ),
        (
            "events",
            format!(
                "tracking_number,carrier,event_at,status,location,description\n\
                 {number},ups,{day}T09:00:00+01:00,out_for_delivery,Basilisk Road 5,Left with Quillonia\n"
            ),
        ),
    ] {
        server.import(key, &format!("kind={kind}"), sheet);
    }
    let order =
        json!({"order_number": "REST-1", "recipient": {"name": "Eve Wyvernette"}, "ship_to": {"postal_code": "75001"}});
    let order = server.post(key, "/v1/orders", &order).must_be(200).json();
    assert_eq!(
        (&order["recipient"]["name"], &order["ship_to"]["postal_code"]),
        (&Value::Null, &Value::Null),
        "{order}"
    );
    text(&server.order(key, CONTROL)["status_url"])
}

fn files_are_gone(server: &Server, key: &str) {
    let imports = server.all(key, "/v1/imports");
    let import = imports.iter().rev().find(|import| import["kind"] == "orders").unwrap();
    let id = text(&import["id"]);
    server.get(key, &format!("/v1/imports/{id}/repaired.csv")).must_be_problem(410, "import_expired");
    let rows = server.all(key, &format!("/v1/imports/{id}/rows"));
    assert_eq!(rows[0]["read"], json!({"erased": true}), "{rows:?}");
    let dry = imports.iter().find(|import| import["dry_run"] == true).unwrap();
    let commit = format!("/v1/imports/{}/commit", text(&dry["id"]));
    server.send(&Method::POST, key, &commit, None).must_be_problem(410, "import_expired");
}

#[track_caller]
fn must_hold_no_canary(what: &str, kept: &[u8]) {
    for canary in CANARIES {
        for (form, bytes) in forms(canary) {
            assert!(!contains(kept, &bytes), "{what} holds {canary} as {form}");
        }
    }
}

/// As it is, in small letters, in UTF-16, and in base64 wherever it may begin.
fn forms(canary: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![
        ("text".to_owned(), canary.as_bytes().to_vec()),
        ("small letters".to_owned(), canary.to_lowercase().into_bytes()),
        ("UTF-16".to_owned(), canary.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 the other way about".to_owned(), canary.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hexadecimal".to_owned(), canary.bytes().flat_map(|it| format!("{it:02x}").into_bytes()).collect()),
    ];
    for shift in 0..3 {
        let padded = ["x".repeat(shift).as_bytes(), canary.as_bytes()].concat();
        let coded = STANDARD_NO_PAD.encode(&padded);
        // What lies before and after the canary changes the letters at both ends.
        let whole = coded.get((8 * shift).div_ceil(6)..8 * padded.len() / 6).unwrap();
        forms.push((format!("base64 from {shift}"), whole.as_bytes().to_vec()));
    }
    forms
}

fn contains(kept: &[u8], sought: &[u8]) -> bool {
    memchr::memmem::find(kept, sought).is_some()
}

#[test]
fn every_form_of_a_canary_is_found() {
    let canary = "Quillonia";
    for before in ["", "a", "ab", "abc"] {
        let coded = STANDARD.encode(format!("{before}{canary} and more"));
        let seen = forms(canary).iter().any(|(_, form)| contains(coded.as_bytes(), form));
        assert!(seen, "{coded}");
    }
    let wide: Vec<u8> = "x Quillonia y".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(forms(canary).iter().any(|(_, form)| contains(&wide, form)));
}

fn an_export_tells_everything(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lantern", "Europe/Berlin");
    let key = &seller.key;
    canaries_come_in(&server, key);
    let told = server.get(key, "/v1/privacy/export?email=qcanary7@example.com").must_be(200).json();
    assert_eq!((&told["truncated"], told["orders"].as_array().unwrap().len()), (&json!(false), 1), "{told}");
    let order = &told["orders"][0];
    assert_eq!((&order["order_number"], &order["recipient"]["name"]), (&json!(CONTROL), &json!("Ada Quillonia")));
    assert_eq!(order["lines"][0]["sku"], "LAMP", "{order}");
    let events = order["shipments"][0]["events"].as_array().unwrap();
    let places: Vec<&Value> = events.iter().map(|event| &event["place"]).filter(|it| !it.is_null()).collect();
    assert_eq!(places, ["Basilisk Road 5", "Basilisk Road 5"], "{order}");
    let rows = told["import_rows"].as_array().unwrap();
    let rejected = rows.iter().filter(|row| row["outcome"] == "rejected").count();
    assert!(rejected >= 2 && rows.len() >= 6, "rows that led to no order are told too: {rows:#?}");

    for (what, query) in [
        ("nobody", ""),
        ("two ways at once", "?email=a@b.c&phone=123456"),
        ("a shop alone", "?shop=main"),
        ("no address", "?email=ada"),
        ("too short a number", "?phone=123"),
        ("no such shop", "?shop=nowhere&order_number=1"),
    ] {
        let answer = server.get(key, &format!("/v1/privacy/export{query}"));
        assert_eq!(answer.status, 422, "{what}: {}", answer.text());
        answer.must_be_problem(422, "invalid_request");
    }
    let other = server.seller("Somebody else", "UTC");
    let theirs = server.get(&other.key, &format!("/v1/privacy/export?order_id={}", text(&order["id"]))).must_be(200);
    assert_eq!((&theirs.json()["orders"], &theirs.json()["import_rows"]), (&json!([]), &json!([])));
    server.check_invariants();
}

fn what_is_old_goes_by_itself(database: Database) {
    let mut server = Server::start(database);
    let seller = server.seller("Lantern", "Europe/Berlin");
    let key = &seller.key;
    canaries_come_in(&server, key);
    let done = json!({"order_number": "DONE-1", "recipient": {"name": "Fay Wyvernette"}});
    server.post(key, "/v1/orders", &done).must_be(201);
    let before = server.all(key, "/v1/imports");
    server.execute("UPDATE sellers SET upload_days = 0; UPDATE shops SET contact_days = 0");
    server.kill();
    server.launch();
    let began = Instant::now();
    while !server.order(key, "DONE-1")["recipient"]["name"].is_null()
        || server.all(key, "/v1/imports").iter().any(|import| import["expired_at"].is_null())
    {
        assert!(began.elapsed() < Duration::from_mins(1), "nothing is swept: {}", server.log_tail());
        std::thread::sleep(Duration::from_millis(50));
    }
    for (import, before) in server.all(key, "/v1/imports").iter().zip(&before) {
        for kept in ["id", "state", "kind", "rows_total", "rows_created", "rows_rejected", "problems"] {
            assert_eq!(import[kept], before[kept], "{kept}");
        }
        assert!(import["file_name"].is_null(), "a file may be called after somebody: {import}");
        let id = text(&import["id"]);
        for of in ["rows", "repaired.csv"] {
            server.get(key, &format!("/v1/imports/{id}/{of}")).must_be_problem(410, "import_expired");
        }
        let commit = format!("/v1/imports/{id}/commit");
        server.send(&Method::POST, key, &commit, None).must_be_problem(410, "import_expired");
    }
    for table in ["import_rows", "import_row_names", "import_chunks"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
    // What is under way is not over: its contact and its events stay as they are.
    assert_eq!(server.order(key, CONTROL)["recipient"]["name"], "Ada Quillonia");
    server.check_invariants();
}

fn a_link_that_is_wrong_is_one_page(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lantern", "Europe/Berlin");
    server.post(&seller.key, "/v1/orders", &json!({"order_number": "L-1"})).must_be(201);
    let link = text(&server.order(&seller.key, "L-1")["status_url"]);
    let head = |path: &str| server.try_send(&Method::HEAD, path, &[("accept", "text/html")], None).unwrap();
    let path = link.get(link.find("/track/").unwrap()..).unwrap();
    let page = head(path).must_be(200);
    assert!(page.body.is_empty() && page.header("content-security-policy").contains("default-src 'none'"));
    head("/track/nothing").must_be(404);

    let long = format!("/track/{}", "A".repeat(4000));
    let wrong = ["/track/nothing", &long, "/track/%C3%A4%E2%82%AC", "/track/%FF%FE", "/track/a%2Fb%00", "/track/%20"];
    let mut pages = Vec::new();
    for path in wrong {
        for (accept, kind) in [("text/html", "text/html"), ("application/json", "application/problem+json")] {
            let answer = server.try_send(&Method::GET, path, &[("accept", accept)], None).unwrap();
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            assert!(answer.header("content-type").starts_with(kind), "{path}");
            assert!(answer.header("x-robots-tag").contains("noindex"), "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert!(answer.header("cache-control").contains("private"), "{path}");
            if accept == "text/html" {
                pages.push(answer.text());
            }
        }
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
    let token = path.rsplit_once('/').unwrap().1;
    assert!(token.len() >= 32, "a seller part and 128 random bits: {token}");
}
