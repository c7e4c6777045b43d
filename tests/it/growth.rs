//! What a page costs does not grow with what it shows: the number of statements is the same for one row and for two hundred.

use crate::server::{Database, Server, text};
use serde_json::json;
use std::fmt::Write as _;

on_both!(a_page_costs_the_same_number_of_statements_whatever_it_shows, a_status_page_costs_few_statements);

/// No jobs: whatever is counted was asked for by the test.
fn quiet(database: Database) -> (Server, String) {
    let mut server = Server::start(database);
    let key = server.seller("Lantern", "UTC").key;
    let mut sheet = "order_number,recipient_name,sku,quantity,carrier,tracking_number,shipped_at\n".to_owned();
    for row in 0..210 {
        writeln!(sheet, "G-{row},Ada {row},LAMP,1,other,GROWTH{:06},2026-09-01", 100_000 + row).unwrap();
    }
    let import = server.import(&key, "kind=combined", sheet);
    assert_eq!(import["rows_created"], 210, "{import}");
    server.kill();
    server.launch_with(&["serve", "--no-jobs"]);
    (server, key)
}

/// Statements that a request sends, once what can be remembered is.
fn statements(server: &Server, key: &str, path: &str) -> u64 {
    server.get(key, path).must_be(200);
    // Reading the meters costs statements too.
    let (first, before) = (server.statements(), server.statements());
    server.get(key, path).must_be(200);
    server.statements() - before - (before - first)
}

fn a_page_costs_the_same_number_of_statements_whatever_it_shows(database: Database) {
    let (server, key) = quiet(database);
    for list in ["/v1/orders", "/v1/shipments", "/v1/imports", "/v1/changes"] {
        let (one, many) = (format!("{list}?limit=1"), format!("{list}?limit=200"));
        let counts = (statements(&server, &key, &one), statements(&server, &key, &many));
        assert_eq!(counts.0, counts.1, "{list}");
        assert!(counts.0 <= 14, "{list} costs {}", counts.0);
    }
}

fn a_status_page_costs_few_statements(database: Database) {
    let (server, key) = quiet(database);
    let order = server.order(&key, "G-7");
    let url = text(&order["status_url"]);
    let path = url.split_once("/track/").map(|(_, token)| format!("/track/{token}")).unwrap();
    // Two parcels cost no more than one.
    let with_one = statements(&server, "", &path);
    let second = json!({"order_number": "G-7", "tracking_number": "GROWTH999999", "carrier": "other"});
    server.post(&key, "/v1/shipments", &second).must_be(201);
    let with_two = statements(&server, "", &path);
    assert_eq!(with_one, with_two);
    assert!(with_one <= 8, "/track costs {with_one}");
}
