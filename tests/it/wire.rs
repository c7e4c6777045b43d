//! How the server behaves on the wire, whatever is asked: limits, bounds, words for what the framework refuses, headers,
//! a log without secrets, and meters.

use crate::server::{Answer, Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

on_both!(
    a_key_may_ask_so_often_and_no_more,
    the_log_tells_the_request_and_no_secret,
    meters_tell_what_is_done_and_what_waits
);

const NOBODY: &str = "/v1/orders/0199f2c8-0000-7000-8000-000000000000";

fn a_key_may_ask_so_often_and_no_more(database: Database) {
    const QUOTA: usize = 30;
    let server = Server::start_with(database, &[("PARCELTRAIL_RATE_LIMIT_PER_MINUTE", "30")]);
    let seller = server.seller("Eager", "UTC");
    let begun = Instant::now();
    let answers: Vec<Answer> = (0..QUOTA + 20).map(|_| server.get(&seller.key, "/v1/carriers")).collect();
    // One comes back every two seconds.
    let back = usize::try_from(begun.elapsed().as_secs() / 2 + 1).unwrap();
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((QUOTA..=QUOTA + back).contains(&passed), "{passed} passed in {:?}", begun.elapsed());
    assert!(answers.iter().take(QUOTA).all(|answer| answer.status == 200), "the whole quota passes at once");
    assert_eq!(answers[0].header("ratelimit-policy"), "\"default\";q=30;w=60");
    assert_eq!(answers[0].header("ratelimit"), "\"default\";r=29;t=2");

    let refused = answers.iter().find(|answer| answer.status != 200).unwrap();
    refused.must_be_problem(429, "rate_limited");
    assert!(refused.header("ratelimit").starts_with("\"default\";r=0;t="), "{}", refused.header("ratelimit"));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");

    let other = server.seller("Calm", "UTC");
    server.get(&other.key, "/v1/carriers").must_be(200);
    for path in ["/healthz", "/readyz"] {
        let answer = server.get("", path).must_be(200);
        assert!(answer.headers.get("ratelimit").is_none(), "{path}");
    }
}

#[test]
fn without_a_valid_key_the_address_is_counted() {
    let server = Server::start_with(Database::Sqlite, &[("PARCELTRAIL_ADDRESS_RATE_LIMIT_PER_MINUTE", "6")]);
    let seller = server.seller("Known", "UTC");
    let wrong_key = "pt_live_0000";
    let begun = Instant::now();
    for (key, path, status) in [
        ("", "/track/nothing", 404),
        ("", "/nothing", 404),
        ("", "/v1/orders", 401),
        (wrong_key, "/v1/orders", 401),
        ("", "/v1/pigeons/nothing", 404),
        ("", "/v1/import-templates/orders.csv", 200),
    ] {
        let answer = server.get(key, path).must_be(status);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=6;w=60", "{path}");
    }
    if begun.elapsed().as_secs() < 10 {
        for (key, path) in [("", "/nothing"), ("", "/v1/orders"), (wrong_key, "/v1/orders"), ("", "/openapi.json")] {
            server.get(key, path).must_be_problem(429, "rate_limited");
        }
    }
    server.get(&seller.key, "/v1/orders").must_be(200);
    for _ in 0..20 {
        server.get("", "/healthz").must_be(200);
    }
}

#[test]
fn only_a_trusted_proxy_tells_addresses_apart() {
    for (trusted, tells_apart) in [("", false), ("192.0.2.1", false), ("10.0.0.0/8, 127.0.0.1", true)] {
        let settings = [("PARCELTRAIL_ADDRESS_RATE_LIMIT_PER_MINUTE", "3"), ("PARCELTRAIL_TRUSTED_PROXIES", trusted)];
        let server = Server::start_with(Database::Sqlite, &settings);
        let left: Vec<String> = ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.1"]
            .map(|client| {
                let told = [("x-forwarded-for", client)];
                let answer = server.try_send(&Method::GET, "/nothing", &told, None).unwrap();
                answer.header("ratelimit").chars().skip_while(|it| *it != 'r').take(3).collect()
            })
            .to_vec();
        let expected = if tells_apart { ["r=2", "r=2", "r=1"] } else { ["r=2", "r=1", "r=0"] };
        assert_eq!(left, expected, "trusted: `{trusted}`");
    }
}

#[test]
fn a_proxy_that_is_none_stops_the_start() {
    let server = Server::start(Database::Sqlite);
    let output = server.run_with(&["check-invariants"], &[("PARCELTRAIL_TRUSTED_PROXIES", "proxy.example")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("`proxy.example` is no network"), "{told}");
}

#[test]
fn whatever_the_framework_refuses_is_a_problem_document() {
    let server = Server::start(Database::Sqlite);
    let key = server.seller("Careless", "UTC").key;
    let json_of = |bytes: Vec<u8>| Some(("application/json", bytes));
    let long_path = format!("/v1/orders?shop={}", "x".repeat(9_000));
    let order = |number: &str| json!({"order_number": number}).to_string().into_bytes();
    for (what, method, path, body, status, code) in [
        ("no JSON", "POST", "/v1/orders", json_of(b"{".to_vec()), 400, "bad_json"),
        ("a tower of brackets", "POST", "/v1/orders", json_of(b"[".repeat(100_000)), 422, "invalid_request"),
        ("deep JSON", "POST", "/v1/orders", json_of(deep_order()), 422, "invalid_request"),
        ("no UTF-8", "POST", "/v1/orders", json_of(b"{\"order_number\":\"\xff\"}".to_vec()), 400, "bad_json"),
        ("an unknown field", "POST", "/v1/orders", json_of(b"{\"order_no\":\"1\"}".to_vec()), 422, "invalid_request"),
        ("another type of body", "POST", "/v1/orders", Some(("text/plain", order("1"))), 415, "unsupported_media_type"),
        ("no body", "POST", "/v1/orders", None, 415, "unsupported_media_type"),
        ("a large body", "POST", "/v1/orders", json_of(order(&"x".repeat(1 << 20))), 413, "too_large"),
        ("a form as a file", "POST", "/v1/imports", json_of(b"{}".to_vec()), 415, "unsupported_media_type"),
        ("no such route", "GET", "/v1/nothing", None, 404, "no_such_route"),
        ("no such method", "DELETE", "/v1/orders", None, 405, "method_not_allowed"),
        ("a method made up", "BREW", "/v1/orders", None, 405, "method_not_allowed"),
        ("no id", "GET", "/v1/orders/no-id", None, 404, "not_found"),
        ("no character", "GET", "/v1/orders/%ff", None, 404, "not_found"),
        ("half an escape", "GET", "/v1/orders/%zz", None, 404, "not_found"),
        ("an unknown parameter", "GET", "/v1/orders?colour=red", None, 400, "bad_parameter"),
        ("a parameter of another type", "GET", "/v1/orders?limit=many", None, 400, "bad_parameter"),
        ("half an escape in the query", "GET", "/v1/orders?limit=%zz", None, 400, "bad_parameter"),
        ("a long query", "GET", &long_path, None, 414, "uri_too_long"),
    ] {
        let answer = server.send(&method.parse().unwrap(), &key, path, body);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        answer.must_be_problem(status, code);
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
    let allow = server.send(&Method::DELETE, &key, "/v1/orders", None).header("allow").to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    let binary = [("authorization", "Bearer \u{fe}")];
    server.try_send(&Method::GET, "/v1/orders", &binary, None).unwrap().must_be_problem(401, "unauthorized");
    let wide = "y".repeat(17 << 10);
    let answer = server.try_send(&Method::GET, "/v1/orders", &[("x-wide", &wide)], None).unwrap();
    answer.must_be_problem(431, "headers_too_large");
    server.get(&key, "/v1/orders").must_be(200);
}

fn deep_order() -> Vec<u8> {
    [br#"{"order_number":"1","lines":"#.to_vec(), b"[".repeat(200), b"]".repeat(200), b"}".to_vec()].concat()
}

#[test]
fn html_is_sent_only_where_it_is_accepted_by_name() {
    let server = Server::start(Database::Sqlite);
    let seller = server.seller("Bilingual", "UTC");
    server.post(&seller.key, "/v1/orders", &json!({"order_number": "L-1"})).must_be(201);
    let link = text(&server.order(&seller.key, "L-1")["status_url"]);
    let path = link.get(link.find("/track/").unwrap()..).unwrap();
    let in_browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("text/*", "application/json"),
        ("text/html;q=0", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("image/png", "application/json"),
        ("text/html", "text/html"),
        ("application/xhtml+xml", "text/html"),
        ("text/html;q=0.1", "text/html"),
        ("application/json;q=0.5, text/html", "text/html"),
        (in_browser, "text/html"),
    ] {
        let answer = server.track(&link, accept).must_be(200);
        assert!(answer.header("content-type").starts_with(kind), "{accept}: {:?}", answer.headers);
        let problem = if kind == "text/html" { kind } else { "application/problem+json" };
        let answer = server.track("/track/nothing", accept).must_be(404);
        assert!(answer.header("content-type").starts_with(problem), "{accept}: {:?}", answer.headers);
    }
    let answer = without_accept(&server, path);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-type: application/json"), "{answer}");
}

/// The raw answer to a request without an `Accept` header, which the tests' client always sends.
fn without_accept(server: &Server, path: &str) -> String {
    let address = server.address();
    let mut connection = TcpStream::connect(address).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn small_routes_take_small_bodies() {
    let server = Server::start(Database::Sqlite);
    let key = server.seller("Talkative", "UTC").key;
    let numbers = |count: usize| json!({"numbers": vec![json!({"number": "1Z999AA10123456784"}); count]});
    server.post(&key, "/v1/tracking-numbers/check", &numbers(1_000)).must_be(200);
    server.post(&key, "/v1/tracking-numbers/check", &numbers(40_000)).must_be_problem(413, "too_large");
    let scans = format!("/v1/shipments/{}/scans", NOBODY.rsplit('/').next().unwrap());
    let large = json!({"padding": "x".repeat(9 << 20)});
    server.post(&key, &scans, &large).must_be_problem(413, "too_large");
}

#[test]
fn the_docs_work_under_their_policy() {
    let server = Server::start(Database::Sqlite);
    let page = server.get("", "/docs/").must_be(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("script-src 'self' 'unsafe"), "{policy}");
    assert!(policy.contains("connect-src 'self'"), "the specification must be had: {policy}");
    let text = page.text();
    for script in text.split("<script").skip(1) {
        assert!(script.trim_start().starts_with("src=\"./"), "a script that the policy forbids: {script}");
        let file = script.split('"').nth(1).unwrap().trim_start_matches("./");
        let script_file = server.get("", &format!("/docs/{file}")).must_be(200);
        assert!(
            script_file.header("content-type").contains("javascript"),
            "{file}: {}",
            script_file.header("content-type")
        );
    }
}

fn the_log_tells_the_request_and_no_secret(database: Database) {
    let settings = [("PARCELTRAIL_LOG", "debug,parceltrail=trace"), ("PARCELTRAIL_LOG_JSON", "true")];
    let server = Server::start_with(database, &settings);
    let seller = server.seller("Discreet", "UTC");
    let order = json!({"order_number": "L-1", "lines": [{"sku": "LAMP", "quantity": 1}],
        "recipient": {"name": "Ada Quill", "email": "ada.quill@example.com", "phone": "+49 30 1234567"}});
    let made = server.post(&seller.key, "/v1/orders", &order);
    let status_url = made.must_be(201).json()["status_url"].as_str().unwrap().to_owned();
    server.track(&status_url, "application/json").must_be(200);
    let asked = [("x-request-id", "my-own-id-0001"), ("authorization", &*format!("Bearer {}", seller.key))];
    let path = format!("{NOBODY}?q=hunter2");
    server.try_send(&Method::GET, &path, &asked, None).unwrap();
    server.get("pt_live_of_somebody_else_altogether", "/v1/orders").must_be(401);

    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mine = lines.iter().find(|line| line["span"]["request_id"] == "my-own-id-0001" && answered(line)).unwrap();
    let fields = &mine["fields"];
    let told = json!([fields["method"], fields["route"], fields["client"], fields["status"]]);
    assert_eq!(told, json!(["GET", "/v1/orders/{id}", "127.0.0.0/24", 404]), "{mine}");
    assert!(mine["fields"]["duration_ms"].is_u64() && mine["fields"]["principal"].is_string(), "{mine}");
    assert_eq!(mine["level"], "INFO", "{mine}");
    let token = status_url.rsplit('/').next().unwrap();
    for secret in [&seller.key, token, "ada.quill", "1234567", "hunter2", "somebody_else", "Ada Quill"] {
        let told = log.lines().find(|line| line.contains(secret));
        assert!(told.is_none(), "`{secret}` is in the log: {}", told.unwrap());
    }
}

fn answered(line: &Value) -> bool {
    line["fields"]["message"] == "answered"
}

/// The meters of a server, from the address that it told.
fn meters_of(server: &Server) -> String {
    let log = server.log();
    let line = log.lines().find(|line| line.contains("meters are at /metrics")).expect("the address is told");
    let address = line.split("address=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let answer = server.try_send_to(&format!("http://{address}/metrics")).unwrap().must_be(200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{:?}", answer.headers);
    answer.text()
}

/// The value of a meter with exactly these labels.
#[track_caller]
fn meter(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no meter {name} in:\n{text}")).parse().unwrap()
}

fn meters_tell_what_is_done_and_what_waits(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Measured", "UTC");
    let sheet = "order_number,order_date,sku,quantity\nM-1,2026-09-01,LAMP,1\nM-2,2026-09-01,LAMP,1\n,,,\nM-3,nonsense,LAMP,1\n";
    server.import(&seller.key, "kind=orders", sheet);
    for id in ["0199f2c8-0000-7000-8000-000000000001", "0199f2c8-0000-7000-8000-000000000002", "no-id"] {
        server.get(&seller.key, &format!("/v1/orders/{id}")).must_be(404);
    }
    server.get("", "/made/up").must_be(404);
    let text = meters_of(&server);
    assert!(!text.contains("0199f2c8") && !text.contains("no-id") && !text.contains("/made/up"), "raw paths:\n{text}");
    assert!(!text.contains(&seller.id), "a seller's id:\n{text}");
    let route = text.lines().find(|line| line.contains("/v1/orders/{") && line.contains("4xx")).unwrap();
    assert!(route.starts_with("parceltrail_http_requests_total{method=\"GET\"") && route.ends_with(" 3"), "{route}");
    let unmatched = "parceltrail_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"4xx\"}";
    assert!(meter(&text, unmatched) >= 1.0);
    assert!(
        text.contains("parceltrail_http_request_duration_seconds_bucket{method=\"POST\",route=\"/v1/imports\",le=")
    );
    assert!(meter(&text, "parceltrail_import_rows_total{outcome=\"created\"}") >= 2.0);
    assert!(meter(&text, "parceltrail_import_rows_total{outcome=\"rejected\"}") >= 1.0);
    assert!((meter(&text, "parceltrail_imports{state=\"waiting\"}")).abs() < 0.5);
    assert!((meter(&text, "parceltrail_database_up") - 1.0).abs() < 0.5);
    assert!(meter(&text, "process_start_time_seconds") > 1.7e9);
    for name in ["parceltrail_oldest_waiting_import_seconds", "parceltrail_standings_due", "parceltrail_trackers_due"] {
        assert!(meter(&text, name) >= 0.0);
    }
    assert!(text.contains("parceltrail_database_wait_seconds_count{for="), "{text}");
    assert!(server.try_send(&Method::GET, "/metrics", &[], None).unwrap().status == 404, "not for clients");
}

#[test]
fn without_an_address_for_meters_the_server_goes_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (bind, warns) in [(address.as_str(), true), ("off", false)] {
        let server = Server::start_with(Database::Sqlite, &[("PARCELTRAIL_METRICS_BIND", bind)]);
        server.get("", "/readyz").must_be(200);
        let log = server.log();
        let warning = log.lines().find(|line| line.contains("WARN") && line.contains("PARCELTRAIL_METRICS_BIND"));
        assert_eq!(warning.is_some(), warns, "{bind}:\n{log}");
        assert!(!log.contains("meters are at"), "{bind}:\n{log}");
    }
}

#[test]
fn a_healthcheck_tells_by_its_exit_code() {
    let mut server = Server::start(Database::Sqlite);
    let address = server.address().to_owned();
    let asked = |server: &Server| server.run_with(&["healthcheck"], &[("PARCELTRAIL_BIND", &address)]).status.code();
    assert_eq!(asked(&server), Some(0));
    server.kill();
    assert_eq!(asked(&server), Some(1));
}
