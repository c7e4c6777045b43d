//! The pages: who may open which, what they show, and what their forms do.

use crate::browser::{Browser, escaped, path_of};
use crate::parcels::{days_ago, ups};
use crate::server::{Database, Server, text};
use reqwest::Method;
use serde_json::json;
use std::fmt::Write;

on_both!(
    each_role_opens_its_pages,
    shipments_are_found_and_shown,
    a_list_goes_on_over_pages,
    settings_are_made_on_the_page,
    strictness_is_a_box_to_tick,
    shops_and_settings_are_changed_by_rest,
    cookies_are_kept_from_scripts_and_other_sites,
);

const PASSWORD: &str = "correct horse battery";
const NONE: &str = "0199f2c8-0000-7000-8000-000000000000";

fn each_role_opens_its_pages(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let roles = ["seller-viewer", "seller-clerk", "seller-manager"];
    let mut people =
        roles.map(|role| (role, Browser::joined(&server, &key, (&format!("{role}@example.com"), PASSWORD), role)));
    let shipment = format!("/shipments/{NONE}");
    let (shop, revoke) = (format!("/settings/shops/{NONE}"), format!("/settings/keys/{NONE}/revoke"));
    let remove_carrier = "/settings/carriers/bobs-bikes/remove";
    let (remove, correct) = (format!("/settings/people/{NONE}/remove"), format!("{shipment}/number"));
    for (method, path, of_managers, found) in [
        (Method::GET, "/shipments", false, 200),
        (Method::GET, shipment.as_str(), false, 404),
        (Method::GET, "/shipments/none", false, 404),
        (Method::POST, &correct, true, 400),
        (Method::GET, "/settings", true, 200),
        (Method::POST, "/settings", true, 400),
        (Method::POST, "/settings/shops", true, 400),
        (Method::POST, &shop, true, 400),
        (Method::POST, "/settings/keys", true, 400),
        (Method::POST, &revoke, true, 404),
        (Method::POST, "/settings/people", true, 400),
        (Method::POST, &remove, true, 404),
        (Method::POST, "/settings/carriers", true, 400),
        (Method::POST, remove_carrier, true, 404),
    ] {
        for (role, browser) in &mut people {
            browser.get("/shipments").must_be(200);
            let csrf = browser.csrf.clone();
            let fields = [("csrf", csrf.as_str())];
            let fields = (method == Method::POST).then_some(&fields[..]);
            let answer = browser.send(&method, path, &[], fields);
            let expected = if of_managers && *role != "seller-manager" { 403 } else { found };
            assert_eq!(answer.status, expected, "{role} {method} {path}: {}", answer.text());
            assert!(answer.header("content-type").starts_with("text/html"), "{role} {method} {path}");
            assert_eq!(answer.text().contains("href=\"/settings\""), *role == "seller-manager", "{role} {path}");
        }
        let fields: &[(&str, &str)] = &[];
        let answer = Browser::new(&server).send(&method, path, &[], (method == Method::POST).then_some(fields));
        assert_eq!(answer.status, 303, "nobody {method} {path}");
        assert!(answer.header("location").starts_with("/sign-in"), "nobody {method} {path}");
    }
}

/// Two orders with a parcel each; one is delivered.
fn upload(server: &Server, key: &str) {
    let sheet = format!(
        "order_number,order_date,sku,quantity,recipient_name,address1,city,country,email,deliver_by\n\
         LL-1001,{0},LAMP-7,1,Ada <Quill>,5 Elm Street,Albany,US,ada@example.com,{1}\n\
         LL-1002,{0},LOOM-1,1,Ben Reed,6 Elm Street,Salem,US,ben@example.com,{1}\n",
        days_ago(20),
        days_ago(10)
    );
    assert_eq!(server.import(key, "kind=orders", sheet)["rows_accepted"], 2);
    let sheet = format!(
        "order_number,tracking_number,carrier,shipped_at,delivered_at\nLL-1001,{},UPS,{},{}\nLL-1002,{},UPS,{},\n",
        ups(1),
        days_ago(18),
        days_ago(12),
        ups(2),
        days_ago(18)
    );
    assert_eq!(server.import(key, "kind=tracking", sheet)["rows_accepted"], 2);
}

fn shipments_are_found_and_shown(database: Database) {
    let server = Server::start(database);
    let (key, other) = (server.seller("Lantern & Loom", "Europe/Berlin").key, server.seller("Kites", "UTC").key);
    upload(&server, &key);
    upload(&server, &other);
    let mut ada = Browser::joined(&server, &key, ("ada@lantern.example", PASSWORD), "seller-viewer");
    let (first, second) = (ups(1), ups(2));
    let typed = format!("{} {}", first.get(..6).unwrap().to_lowercase(), first.get(6..).unwrap());
    for (what, query, shown) in [
        ("everything", String::new(), vec![&second, &first]),
        ("a tracking number", format!("q={first}"), vec![&first]),
        ("the same, as people type it", format!("q={}", escaped(&typed)), vec![&first]),
        ("an order number", "q=%20LL-1002%20".to_owned(), vec![&second]),
        ("a part of a number", "q=LL-100".to_owned(), vec![]),
        ("an address", format!("q={}", escaped(" ADA@example.com")), vec![&first]),
        ("an unknown address", format!("q={}", escaped("cy@example.com")), vec![]),
        ("what is late", "verdict=late_open".to_owned(), vec![&second]),
        ("what is under way", "open=yes".to_owned(), vec![&second]),
        ("what has ended", "open=no".to_owned(), vec![&first]),
        ("an address of what has ended, and late", "q=ada%40example.com&verdict=late_open&open=".to_owned(), vec![]),
    ] {
        let page = ada.get(&format!("/shipments?{query}")).must_be(200).text();
        let listed: Vec<&String> =
            [&second, &first].into_iter().filter(|it| page.contains(&format!(">{it}</a>"))).collect();
        assert_eq!(listed, shown, "{what}: {page}");
    }
    let page = ada.get(&format!("/shipments?q={}", escaped("\"><b>"))).must_be(200).text();
    assert!(page.contains("Nothing found") && !page.contains("<b>"), "{page}");
    ada.get("/shipments?cursor=none").must_be(400);

    let shipment = server.shipment(&key, &first);
    let page = ada.get(&format!("/shipments/{}", text(&shipment["id"]))).must_be(200).text();
    for words in ["LL-1001", "UPS", "On time", "Evidence", "5 Elm Street", "ada@example.com", "Delivered on", "seller"]
    {
        assert!(page.contains(words), "{words} is not on the page: {page}");
    }
    assert!(page.contains("Ada &#60;Quill&#62;") && page.contains(&text(&shipment["status_url"])), "{page}");
    let page = ada.get(&format!("/shipments/{}", text(&server.shipment(&key, &second)["id"]))).must_be(200).text();
    assert!(page.contains("Who must act") || page.contains("Late"), "{page}");

    let theirs = text(&server.shipment(&other, &first)["id"]);
    let foreign = ada.get(&format!("/shipments/{theirs}")).must_be(404);
    let none = ada.get(&format!("/shipments/{NONE}")).must_be(404);
    let told = |page: String| page.lines().filter(|line| !line.contains("Request ")).collect::<String>();
    assert_eq!(told(foreign.text()), told(none.text()), "what is another's is what never was");
    assert!(foreign.header("content-type").starts_with("text/html"));
}

fn a_list_goes_on_over_pages(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let mut sheet = "order_number,tracking_number,carrier,shipped_at,sku\n".to_owned();
    for n in 0..60 {
        writeln!(sheet, "LL-{n},{},UPS,{},A", ups(n), days_ago(3)).unwrap();
    }
    assert_eq!(server.import(&key, "kind=tracking&create_orders=true", sheet)["rows_total"], 60);
    let mut ada = Browser::joined(&server, &key, ("ada@lantern.example", PASSWORD), "seller-viewer");
    let numbers = |page: &str| -> Vec<String> {
        page.split("class=\"number\" href=\"").skip(1).map(|it| it.split('>').nth(1).unwrap().to_owned()).collect()
    };
    let first = ada.get("/shipments?open=yes").must_be(200).text();
    let (_, rest) = first.split_once("rel=\"next\" href=\"").unwrap_or_else(|| panic!("no next page: {first}"));
    let next = rest.split('"').next().unwrap().replace("&amp;", "&");
    assert!(next.contains("open=yes"), "the filter stays: {next}");
    let second = ada.get(&next).must_be(200).text();
    assert!(!second.contains("rel=\"next\"") && second.contains("Newest"), "{second}");
    let mut all = [numbers(&first), numbers(&second)].concat();
    assert_eq!(numbers(&first).len(), 50);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60, "each once");
}

fn settings_are_made_on_the_page(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let mut ada = Browser::joined(&server, &key, ("ada@lantern.example", PASSWORD), "seller-manager");
    ada.get("/settings").must_be(200);

    let made = ada.post("/settings/keys", &[("name", "the <shop>"), ("role", "seller-clerk")]).must_be(201).text();
    let (_, rest) = made.split_once("<code class=\"once\">").unwrap();
    let fresh = rest.split('<').next().unwrap().to_owned();
    server.get(&fresh, "/v1/orders").must_be(200);
    let page = ada.get("/settings").must_be(200).text();
    assert!(!page.contains(&fresh) && page.contains("the &#60;shop&#62;"), "a key is shown once: {page}");
    let at = page.find("the &#60;shop&#62;").unwrap();
    let (_, rest) = page.get(at..).unwrap().split_once("action=\"").unwrap();
    let revoke = rest.split('"').next().unwrap().to_owned();
    assert_eq!(ada.post(&revoke, &[]).must_be(303).header("location"), "/settings?done=key");
    assert!(ada.get("/settings?done=key").must_be(200).text().contains("The key is revoked"));
    server.get(&fresh, "/v1/orders").must_be(401);
    ada.post(&revoke, &[]).must_be(404);

    let invited = ada.post("/settings/people", &[("email", "ben@example.com"), ("role", "seller-viewer")]).must_be(201);
    let page = invited.text();
    let (_, rest) = page.split_once("<code class=\"once\">").unwrap();
    let link = rest.split('<').next().unwrap().to_owned();
    Browser::new(&server).get(path_of(&link)).must_be(200);
    let page = ada.get("/settings").must_be(200).text();
    let at = page.find("ben@example.com").unwrap();
    let (_, rest) = page.get(at..).unwrap().split_once("action=\"").unwrap();
    let remove = rest.split('"').next().unwrap().to_owned();
    ada.post(&remove, &[]).must_be(303);
    Browser::new(&server).get(path_of(&link)).must_be(404);

    let settings =
        |name, zone, days| [("name", name), ("country", "Germany"), ("time_zone", zone), ("upload_days", days)];
    ada.post("/settings", &settings("Lamps", "Europe/Vienna", "30")).must_be(303);
    let told = server.get(&key, "/v1/settings").must_be(200).json();
    assert_eq!(json!([told["name"], told["country"], told["upload_days"]]), json!(["Lamps", "DE", 30]), "{told}");
    for (what, path, fields, status, said) in [
        ("no zone", "/settings", settings("Lamps", "Moon", "30").to_vec(), 422, "is no time zone"),
        ("no number", "/settings", settings("Lamps", "UTC", "many").to_vec(), 422, "is no number of days"),
        ("too many days", "/settings", settings("Lamps", "UTC", "91").to_vec(), 422, "1 to 90 days"),
        ("a taken name", "/settings/shops", vec![("name", "main"), ("contact_days", "")], 409, "of this name already"),
        (
            "a nameless key",
            "/settings/keys",
            vec![("name", " "), ("role", "seller-clerk")],
            422,
            "of 1 to 64 characters",
        ),
        ("no address", "/settings/people", vec![("email", "ben"), ("role", "seller-clerk")], 422, "Write an e-mail"),
    ] {
        let page = ada.post(path, &fields).must_be(status).text();
        assert!(page.contains(said) && page.contains("role=\"alert\""), "{what}: {page}");
    }
    for (path, fields) in [
        ("/settings/keys", [("name", "a"), ("role", "admin")]),
        ("/settings/people", [("email", "e@example.com"), ("role", "admin")]),
    ] {
        ada.post(path, &fields).must_be(422);
    }
    assert_eq!(server.get(&key, "/v1/settings").must_be(200).json()["time_zone"], "Europe/Vienna");
    server.check_invariants();
}

fn strictness_is_a_box_to_tick(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let mut ada = Browser::joined(&server, &key, ("ada@lantern.example", PASSWORD), "seller-manager");
    let all =
        [("name", "Lamps"), ("country", ""), ("time_zone", "UTC"), ("upload_days", "7"), ("strict_imports", "yes")];
    ada.get("/settings").must_be(200);
    for (fields, strictness, is_ticked) in [(&all[..], "strict", true), (&all[..4], "normal", false)] {
        ada.post("/settings", fields).must_be(303);
        assert_eq!(server.get(&key, "/v1/settings").must_be(200).json()["import_strictness"], strictness);
        for (page, field) in [("/settings", "strict_imports"), ("/imports", "strict")] {
            let page = ada.get(page).must_be(200).text();
            assert_eq!(page.contains(&format!("name=\"{field}\" value=\"yes\" checked")), is_ticked, "{page}");
        }
    }
}

fn shops_and_settings_are_changed_by_rest(database: Database) {
    let server = Server::start(database);
    let (key, other) = (server.seller("Lantern & Loom", "Europe/Berlin").key, server.seller("Kites", "UTC").key);
    let change = |key: &str, path: &str, told: serde_json::Value| {
        server.send(&Method::PATCH, key, path, Some(("application/json", told.to_string().into_bytes())))
    };
    let made = server.post(&key, "/v1/shops", &json!({"name": " market ", "contact_days": 30})).must_be(201).json();
    let handle = text(&made["handle"]);
    assert!(handle.starts_with("lantern-loom-market-"), "{made}");
    assert_eq!(json!([made["name"], made["contact_days"]]), json!(["market", 30]), "{made}");
    server.post(&key, "/v1/shops", &json!({"name": "market"})).must_be_problem(409, "name_taken");
    server.post(&other, "/v1/shops", &json!({"name": "market"})).must_be(201);
    let path = format!("/v1/shops/{}", text(&made["id"]));
    let changed = change(&key, &path, json!({"name": "bazaar"})).must_be(200).json();
    assert_eq!(json!([changed["name"], changed["contact_days"], changed["handle"]]), json!(["bazaar", 30, handle]));
    let changed = change(&key, &path, json!({"contact_days": null})).must_be(200).json();
    assert_eq!(json!([changed["name"], changed["contact_days"]]), json!(["bazaar", null]));
    change(&other, &path, json!({"name": "mine"})).must_be_problem(404, "not_found");
    let sheet = format!("order_number,order_date,sku,quantity\nLL-1,{},A,1\n", days_ago(1));
    assert_eq!(server.import(&key, "kind=orders&shop=bazaar", sheet)["rows_accepted"], 1);
    for (what, path, told) in [
        ("no name", path.as_str(), json!({"name": null})),
        ("a blank name", &path, json!({"name": " "})),
        ("a name too long", &path, json!({"name": "a".repeat(65)})),
        ("no day", &path, json!({"contact_days": 0})),
        ("an unknown field", &path, json!({"handle": "mine"})),
        ("no zone", "/v1/settings", json!({"time_zone": "Moon"})),
        ("no country", "/v1/settings", json!({"country": "Narnia"})),
        ("too many days", "/v1/settings", json!({"upload_days": 91})),
        ("days cleared", "/v1/settings", json!({"upload_days": null})),
        ("no such strictness", "/v1/settings", json!({"import_strictness": "lax"})),
    ] {
        let problem = change(&key, path, told).must_be_problem(422, "invalid_request");
        assert!(problem["errors"][0]["pointer"].is_string(), "{what}: {problem}");
    }
    let told = change(&key, "/v1/settings", json!({"upload_days": 7, "country": "us"})).must_be(200).json();
    let expected = json!({"name": "Lantern & Loom", "country": "US", "time_zone": "Europe/Berlin", "upload_days": 7, "import_strictness": "normal"});
    assert_eq!(told, expected);
    assert_eq!(change(&key, "/v1/settings", json!({"country": null})).must_be(200).json()["country"], json!(null));
    assert_eq!(change(&key, "/v1/settings", json!({})).must_be(200).json()["upload_days"], 7);
}

fn cookies_are_kept_from_scripts_and_other_sites(database: Database) {
    for (public_url, session, form, secure) in [
        ("http://track.example", "parceltrail=", "parceltrail_form=", false),
        ("https://track.example", "__Host-parceltrail=", "__Host-parceltrail_form=", true),
    ] {
        let server = Server::start_with(database, &[("PARCELTRAIL_PUBLIC_URL", public_url)]);
        let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
        let mut ada = Browser::joined(&server, &key, ("ada@example.com", PASSWORD), "seller-viewer");
        ada.get("/shipments").must_be(200);
        ada.post("/sign-out", &[]).must_be(303);
        let asked = ada.get("/sign-in").must_be(200);
        let opened = ada.post("/sign-in", &[("email", "ada@example.com"), ("password", PASSWORD)]).must_be(303);
        for (answer, name) in [(&asked, form), (&opened, session)] {
            let set = answer.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap().to_owned());
            let cookie = set.into_iter().find(|it| it.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
            for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Max-Age="] {
                assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        // After signing in a browser goes to a path of ours or home.
        for (next, expected) in [
            ("/shipments?open=yes", "/shipments?open=yes"),
            ("//evil.example", "/shipments"),
            ("https://evil.example", "/shipments"),
            ("/\\evil.example", "/shipments"),
            ("/\t/evil.example", "/shipments"),
        ] {
            let told = ada.get(&format!("/sign-in?next={}", escaped(next))).must_be(303);
            assert_eq!(told.header("location"), expected, "signed in, {next:?}");
            let mut fresh = Browser::new(&server);
            fresh.get("/sign-in").must_be(200);
            let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", next)];
            assert_eq!(fresh.post("/sign-in", &fields).must_be(303).header("location"), expected, "{next:?}");
        }
    }
}
