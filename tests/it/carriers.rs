//! Carriers: those on file with their formats, and those that a seller defined, from the definition to the customer's page.

use crate::browser::Browser;
use crate::server::{Answer, Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    every_carrier_is_listed_with_examples_that_prove_right,
    an_own_carrier_goes_from_its_definition_to_the_customer_s_page,
    an_own_carrier_is_replaced_and_removed,
    nobody_else_sees_or_profits_from_an_own_carrier,
    what_cannot_be_an_own_carrier_is_refused,
    own_carriers_are_kept_on_the_settings_page,
);

const BOBS: &str = "/v1/carriers/bobs-bikes";

fn bobs() -> Value {
    json!({"name": "Bob's Bikes", "aliases": ["BB Couriers"], "country": "Germany",
        "tracking_url": "https://bobs.example/track?parcel={n}", "patterns": ["=BB digit*8"]})
}

#[track_caller]
fn put(server: &Server, key: &str, path: &str, body: &Value) -> Answer {
    server.send(&Method::PUT, key, path, Some(("application/json", body.to_string().into_bytes())))
}

#[track_caller]
fn delete(server: &Server, key: &str, path: &str) -> Answer {
    server.send(&Method::DELETE, key, path, None)
}

#[track_caller]
fn check(server: &Server, key: &str, number: &Value) -> Value {
    let checked = server.post(key, "/v1/tracking-numbers/check", &json!({"numbers": [number]}));
    checked.must_be(200).json()["data"][0].clone()
}

fn every_carrier_is_listed_with_examples_that_prove_right(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    put(&server, &key, BOBS, &bobs()).must_be(201);
    let listed = server.get(&key, "/v1/carriers").must_be(200);
    let carriers = listed.json()["data"].as_array().unwrap().clone();
    let (mut numbers, mut formats) = (Vec::new(), Vec::new());
    for carrier in &carriers {
        for format in carrier["formats"].as_array().unwrap() {
            let lengths = format["lengths"].as_array().unwrap();
            assert!(lengths.contains(&json!(text(&format["example"]).len())), "{carrier}");
            assert!(["high", "medium", "low"].contains(&text(&format["confidence"]).as_str()), "{format}");
            assert!(!text(&format["source"]).is_empty(), "{format}");
            // The slug of a post that is known by its country alone may read as another carrier's name.
            let is_nameless = text(&carrier["slug"]).starts_with("post-");
            let declared = if is_nameless { Value::Null } else { carrier["slug"].clone() };
            numbers.push(json!({"number": format["example"], "carrier": declared}));
            formats.push((carrier["slug"].clone(), format.clone()));
        }
    }
    let mut checks = Vec::new();
    for numbers in numbers.chunks(1000) {
        let answer = server.post(&key, "/v1/tracking-numbers/check", &json!({"numbers": numbers})).must_be(200).json();
        checks.extend(answer["data"].as_array().unwrap().clone());
    }
    assert!(formats.len() > 150 && checks.len() == formats.len());
    for ((slug, format), check) in formats.iter().zip(&checks) {
        let candidates = check["candidates"].as_array().unwrap();
        let found = candidates.iter().find(|it| it["format"] == format["id"] && it["carrier"] == *slug);
        let expected = if format["check"] == "none" { "none" } else { "passed" };
        assert_eq!(found.map(|it| &it["check"]), Some(&json!(expected)), "{slug} {format} {check}");
    }
    let find = |slug: &str| carriers.iter().find(|it| it["slug"] == slug).unwrap();
    assert_eq!(find("ups")["own"], false);
    assert!(find("ups")["aliases"].as_array().unwrap().contains(&json!("united parcel service")));
    assert_eq!(find("post-ad")["name"], "Post of Andorra");
    let own = find("bobs-bikes");
    assert_eq!((&own["own"], &own["country"], &own["patterns"]), (&json!(true), &json!("DE"), &bobs()["patterns"]));
    assert_eq!(own["formats"][0]["lengths"], json!([10]));

    for path in ["/v1/carriers", "/v1/carriers/ups", "/v1/carriers/post-ad", BOBS] {
        let answer = server.get(&key, path).must_be(200);
        let held = ("if-none-match", answer.header("etag"));
        server.ask(&key, (&Method::GET, path), held, &Value::Null).must_be(304);
        if path != "/v1/carriers" {
            assert_eq!(&answer.json(), find(path.rsplit('/').next().unwrap()), "as it is listed");
        }
    }
    delete(&server, &key, BOBS).must_be(204);
    let held = ("if-none-match", listed.header("etag"));
    server.ask(&key, (&Method::GET, "/v1/carriers"), held, &Value::Null).must_be(200);
    server.get(&key, BOBS).must_be_problem(404, "not_found");
}

/// Bob's page of a number.
fn page(number: &str) -> Value {
    json!(format!("https://bobs.example/track?parcel={number}"))
}

fn numbers_are_checked(server: &Server, key: &str) {
    for (number, validity, code, url) in [
        (json!({"number": "bb 2041 7735", "carrier": "BB couriers"}), "valid", Value::Null, page("BB20417735")),
        (json!({"number": "BB20417735"}), "valid", Value::Null, page("BB20417735")),
        (json!({"number": "BB2041", "carrier": "Bob's Bikes"}), "suspicious", json!("bad_format"), page("BB2041")),
        (
            json!({"number": "1Z999AA10123456784", "carrier": "bobs-bikes"}),
            "invalid",
            json!("carrier_mismatch"),
            Value::Null,
        ),
    ] {
        let told = check(server, key, &number);
        assert_eq!(
            (&told["validity"], &told["code"], &told["tracking_url"]),
            (&json!(validity), &code, &url),
            "{told}"
        );
    }
}

fn an_own_carrier_goes_from_its_definition_to_the_customer_s_page(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    put(&server, &key, BOBS, &bobs()).must_be(201);
    numbers_are_checked(&server, &key);
    server.import(&key, "kind=orders", "order_number\nLL-1\nLL-2\nLL-3\nLL-4\nLL-5\n");
    let sheet = "order_number,tracking_number,carrier\nLL-1,BB-2041-7735,BB Couriers\nLL-2,BB 2041 7736,\n\
                 LL-3,BB2041,bobs bikes same day\n";
    let import = server.import(&key, "kind=tracking", sheet);
    assert_eq!((&import["rows_accepted"], &import["rows_warned"]), (&json!(3), &json!(1)), "{import}");
    let strict = server.import(
        &key,
        "kind=tracking&strictness=strict",
        "order_number,tracking_number,carrier\nLL-4,BB2041,bobs bikes\n",
    );
    assert_eq!(strict["rows_rejected"], 1, "{strict}");
    let by_rest = json!({"order_number": "LL-4", "tracking_number": "bb20417737", "carrier": "BB Couriers Express"});
    server.made_shipment(&key, &by_rest);
    let in_batch = json!({"order_number": "LL-5", "tracking_number": "BB20417738"});
    let batch = server.post(&key, "/v1/shipments/batch", &json!({"shipments": [in_batch]})).must_be(200).json();
    assert_eq!(batch["results"][0]["outcome"], "created", "{batch}");

    for (number, suspicious, service) in [
        ("BB20417735", false, Value::Null),
        ("BB20417736", false, Value::Null),
        ("BB2041", true, json!("same day")),
        ("BB20417737", false, json!("express")),
        ("BB20417738", false, Value::Null),
    ] {
        let shipment = server.shipment(&key, number);
        assert_eq!(shipment["carrier"], "bobs-bikes", "{shipment}");
        assert_eq!(shipment["tracking_url"], page(number), "{shipment}");
        assert_eq!((&shipment["suspicious"], &shipment["service"]), (&json!(suspicious), &service), "{shipment}");
    }
    let scan = json!({"tracking_number": "BB20417735", "carrier": "bb couriers", "occurred_at": "2026-11-04T10:00:00Z",
        "sub_status": "in_transit.moving"});
    let scans = server.post(&key, "/v1/scans/batch", &json!({"scans": [scan]})).must_be(200).json();
    assert_eq!(scans["results"][0]["outcome"], "created", "{scans}");

    let link = text(&server.order(&key, "LL-1")["status_url"]);
    let status = server.track(&link, "application/json").must_be(200).json();
    let parcel = &status["parcels"][0];
    assert_eq!((&parcel["carrier"], &parcel["tracking_url"]), (&json!("Bob's Bikes"), &page("BB20417735")));
    let html = server.track(&link, "text/html").must_be(200).text();
    assert!(html.contains("https://bobs.example/track?parcel=BB20417735"), "{html}");

    delete(&server, &key, BOBS).must_be(204);
    let left = server.shipment(&key, "BB20417735");
    assert_eq!((&left["carrier"], &left["tracking_url"]), (&json!("bobs-bikes"), &Value::Null), "the word stays");
    let status = server.track(&link, "application/json").must_be(200).json();
    assert_eq!(status["parcels"][0]["carrier"], "bobs-bikes");
    server.check_invariants();
}

fn an_own_carrier_is_replaced_and_removed(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lantern", "UTC");
    let key = &seller.key;
    let made = put(&server, key, BOBS, &bobs()).must_be(201);
    assert_eq!(server.get(key, BOBS).header("etag"), made.header("etag"), "as its maker was told");
    let again = put(&server, key, BOBS, &bobs()).must_be(200);
    assert_eq!(again.header("etag"), made.header("etag"), "the same again changes nothing");
    let bare = json!({"name": "Bob's Vans"});
    let changed = put(&server, key, BOBS, &bare).must_be(200);
    assert_ne!(changed.header("etag"), made.header("etag"));
    let expected = json!({"slug": "bobs-bikes", "name": "Bob's Vans", "country": null, "tracking_url": null, "aliases": [],
        "formats": [], "patterns": [], "own": true});
    assert_eq!(server.get(key, BOBS).json(), expected, "what is not told again is gone");
    let told = check(&server, key, &json!({"number": "BB20417735", "carrier": "Bob's Vans"}));
    assert_eq!(
        (&told["validity"], &told["code"], &told["tracking_url"]),
        (&json!("suspicious"), &Value::Null, &Value::Null)
    );
    delete(&server, key, BOBS).must_be(204);
    delete(&server, key, BOBS).must_be_problem(404, "not_found");
    delete(&server, key, "/v1/carriers/ups").must_be_problem(409, "carrier_on_file");
    for odd in ["bobs%00bikes", "%FF", "a%2Fb"] {
        delete(&server, key, &format!("/v1/carriers/{odd}")).must_be_problem(404, "not_found");
        server.get(key, &format!("/v1/carriers/{odd}")).must_be_problem(404, "not_found");
    }
    put(&server, key, BOBS, &bobs()).must_be(201);

    let audit = server.all(&server.admin(), &format!("/v1/admin/audit?seller_id={}", seller.id));
    let deeds: Vec<_> =
        audit.iter().rev().filter(|it| it["object"] == "bobs-bikes").map(|it| text(&it["action"])).collect();
    assert_eq!(deeds, ["carrier.defined", "carrier.changed", "carrier.removed", "carrier.defined"]);
    server.check_invariants();
}

fn nobody_else_sees_or_profits_from_an_own_carrier(database: Database) {
    let server = Server::start(database);
    let (key, other) = (server.seller("Lantern", "UTC").key, server.seller("Loom", "UTC").key);
    put(&server, &key, BOBS, &bobs()).must_be(201);
    server.get(&other, BOBS).must_be_problem(404, "not_found");
    delete(&server, &other, BOBS).must_be_problem(404, "not_found");
    assert!(!server.get(&other, "/v1/carriers").must_be(200).text().contains("bobs"));
    for number in [json!({"number": "BB20417735"}), json!({"number": "BB20417735", "carrier": "bobs-bikes"})] {
        let told = check(&server, &other, &number);
        assert_eq!((&told["validity"], &told["candidates"]), (&json!("suspicious"), &json!([])), "{told}");
        assert_eq!(told["tracking_url"], Value::Null);
    }
    let sheet = "order_number,tracking_number,carrier\nLL-1,BB20417735,BB Couriers\n";
    server.import(&other, "kind=tracking&create_orders=true", sheet);
    let shipment = server.shipment(&other, "BB20417735");
    assert_eq!((&shipment["carrier"], &shipment["tracking_url"]), (&json!("bb-couriers"), &Value::Null));

    // Each has a carrier of the slug, and its own page.
    let theirs = json!({"name": "BB Couriers", "tracking_url": "https://loom.example/{n}"});
    put(&server, &other, BOBS, &theirs).must_be(201);
    assert_eq!(server.get(&key, BOBS).json()["name"], "Bob's Bikes");
    let link = |key: &str| {
        let told = check(&server, key, &json!({"number": "BB20417735", "carrier": "bb couriers"}));
        text(&told["tracking_url"])
    };
    assert_eq!(link(&other), "https://loom.example/BB20417735");
    assert_eq!(link(&key), "https://bobs.example/track?parcel=BB20417735");
}

fn what_cannot_be_an_own_carrier_is_refused(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    put(&server, &key, BOBS, &bobs()).must_be(201);
    let with = |member: &str, value: Value| {
        let mut body = json!({"name": "Vans"});
        body[member] = value;
        body
    };
    let named = |name: &str| json!({"name": name});
    for (slug, body, status, code, said) in [
        ("ups", named("Vans"), 409, "carrier_on_file", "`ups` is on file already"),
        ("post-ad", named("Vans"), 409, "carrier_on_file", "`post-ad` is on file already"),
        ("ups-bikes", named("Vans"), 409, "carrier_on_file", "`ups-bikes` is read as UPS"),
        ("Vans", named("Vans"), 422, "bad_slug", "write `vans`"),
        ("vans%20and%20more", named("Vans"), 422, "bad_slug", "write `vans-and-more`"),
        ("--", named("Vans"), 422, "bad_slug", "`--` is no slug"),
        ("other", named("Vans"), 422, "names_no_carrier", "`other` names no carrier"),
        ("vans", named(" "), 422, "bad_name", "1 to 64 characters"),
        ("vans", named("Royal Mail"), 409, "carrier_on_file", "`Royal Mail` is on file already"),
        ("vans", with("aliases", json!(["V", "DHL"])), 409, "carrier_on_file", "`DHL` is on file already"),
        ("vans", with("aliases", json!(["V", "..."])), 422, "bad_name", "An alias has"),
        ("vans", with("aliases", json!(vec!["V"; 21])), 422, "bad_count", "at most 20 aliases"),
        ("vans", named("BOBS BIKES"), 409, "name_taken", "`BOBS BIKES` is a name of your carrier `bobs-bikes`"),
        ("vans", with("aliases", json!(["bb couriers"])), 409, "name_taken", "`bb couriers` is a name of"),
        ("bobsbikes", named("Vans"), 409, "name_taken", "`bobsbikes` is a name of"),
        ("vans", with("country", json!("Narnia")), 422, "unknown_country", "`Narnia` is no country"),
        ("vans", with("tracking_url", json!("ftp://vans.example/{n}")), 422, "bad_url", "https://"),
        ("vans", with("tracking_url", json!("https://vans.example/")), 422, "bad_url", "holds {n} once"),
        ("vans", with("tracking_url", json!("https://a:b@vans.example/{n}")), 422, "bad_url", "without a user"),
        ("vans", with("patterns", json!(["=VV digit*6", "vv*6"])), 422, "bad_pattern", "`vv*6` means nothing"),
        ("vans", with("patterns", json!(["=VV digit*39"])), 422, "bad_pattern", "at most 40"),
        ("vans", with("patterns", json!(["digit*5"])), 422, "bad_pattern", "`digit*5` is too short"),
        ("vans", with("patterns", json!(vec!["=VV digit*6"; 11])), 422, "bad_count", "at most 10 patterns"),
        ("vans", with("page", json!("https://vans.example")), 422, "invalid_body", "unknown field"),
        ("vans", json!({}), 422, "invalid_body", "name"),
    ] {
        let answer = put(&server, &key, &format!("/v1/carriers/{slug}"), &body);
        let problem = answer.must_be_problem(status, if status == 422 { "invalid_request" } else { code });
        assert!(text(&problem["detail"]).contains(said), "{slug} {body}: {problem}");
        if status == 422 {
            assert_eq!(problem["errors"][0]["code"], code, "{slug} {body}: {problem}");
        }
    }
    let refused = put(&server, &key, "/v1/carriers/vans", &with("patterns", json!(["=VV digit*6", "vv*6"])));
    assert_eq!(refused.json()["errors"][0]["pointer"], "/patterns/1");
    assert_eq!(server.count("seller_carriers"), 1, "nothing was kept");
    for n in 1..200 {
        put(&server, &key, &format!("/v1/carriers/van-{n}"), &named(&format!("Van {n}"))).must_be(201);
    }
    put(&server, &key, "/v1/carriers/vans", &named("Vans")).must_be_problem(409, "too_many_carriers");
    put(&server, &key, "/v1/carriers/van-7", &named("Seven")).must_be(200);
}

fn own_carriers_are_kept_on_the_settings_page(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let mut browser = Browser::joined(&server, &key, ("ada@example.com", "correct horse battery"), "seller-manager");
    assert!(browser.get("/settings").must_be(200).text().contains("Your carriers"));
    let form = |name, url| {
        [
            ("name", name),
            ("aliases", " BB Couriers , Bob's, "),
            ("country", ""),
            ("tracking_url", url),
            ("patterns", "=BB digit*8\r\n\r\ndigit*7\r\n"),
        ]
    };
    let (page, good) = ("https://bobs.example/<{n}", "https://bobs.example/{n}");
    let refused = browser.post("/settings/carriers", &form("Bob's Bikes", page)).must_be(422).text();
    assert!(refused.contains("A tracking URL holds no blanks"), "{refused}");
    let added = browser.post("/settings/carriers", &form("Bob's Bikes", good)).must_be(303);
    let shown = browser.get(added.header("location")).must_be(200).text();
    assert!(shown.contains("The carrier is added"), "{shown}");
    for part in ["<code>bobs-bikes</code>", "https://bobs.example/{n}", "BB Couriers", "<code>digit*7</code>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let kept = server.get(&key, BOBS).must_be(200).json();
    assert_eq!(kept["aliases"], json!(["BB Couriers", "Bob's"]));
    assert_eq!((&kept["patterns"], &kept["country"]), (&json!(["=BB digit*8", "digit*7"]), &Value::Null));

    for (name, said) in [("bobs BIKES", "You have a carrier `bobs-bikes` already"), ("FedEx", "`FedEx` is on file")] {
        let refused = browser.post("/settings/carriers", &form(name, good)).must_be(409).text();
        assert!(refused.contains(said), "{name}: {refused}");
    }
    let sheet = "order_number,tracking_number,carrier\nLL-1,BB20417735,BB Couriers\n";
    server.import(&key, "kind=tracking&create_orders=true", sheet);
    let listed = browser.get("/shipments").must_be(200).text();
    assert!(listed.contains("Bob&#39;s Bikes") && !listed.contains("bobs-bikes"), "{listed}");
    let shipment = text(&server.shipment(&key, "BB20417735")["id"]);
    let shown = browser.get(&format!("/shipments/{shipment}")).must_be(200).text();
    assert!(shown.contains("href=\"https://bobs.example/BB20417735\""), "{shown}");

    browser.get("/settings").must_be(200);
    let gone = browser.post("/settings/carriers/bobs-bikes/remove", &[]).must_be(303);
    assert!(browser.get(gone.header("location")).must_be(200).text().contains("The carrier is removed"));
    browser.post("/settings/carriers/bobs-bikes/remove", &[]).must_be(404);
    server.get(&key, BOBS).must_be_problem(404, "not_found");
}
