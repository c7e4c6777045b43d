//! The written API is the served one.

use crate::server::{Database, Server};
use reqwest::Method;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// `UPDATE=1` writes the file anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a switch of the test, not of the server")]
fn the_written_spec_is_the_served_one() {
    let server = Server::start(Database::Sqlite);
    let spec = server.get("", "/openapi.json").must_be(200).json();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/parceltrail.json");
    if std::env::var("UPDATE").is_ok() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let written = server.run(&["openapi"]);
        assert!(written.status.success());
        fs::write(&path, written.stdout).unwrap();
    }
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(
        written == spec,
        "{} is not what is served; read the change, then write it by `UPDATE=1 scripts/test`",
        path.display()
    );
    assert!(server.run(&["openapi", "--check", &path.display().to_string()]).status.success());
    every_written_path_is_served(&server, &spec);
}

fn every_written_path_is_served(server: &Server, spec: &Value) {
    let mut seen = 0;
    for (path, item) in spec["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
            seen += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let concrete = filled_in(path);
            let answer = server.send(&method, "", &concrete, None);
            assert_ne!(answer.status, 405, "{method} {path}");
            let needs_key = operation["security"][0]["api_key"].is_array();
            assert!(!needs_key || answer.status == 401, "{method} {path} asks for no key: {}", answer.text());
            let answers = operation["responses"].as_object().unwrap();
            assert!(!answers.is_empty(), "{method} {path} answers nothing");
        }
    }
    assert!(seen >= 20, "only {seen} operations are written down");
    for path in ["/v1/imports", "/v1/orders", "/v1/shipments", "/v1/reports/delays", "/track/{token}"] {
        assert!(spec["paths"][path].is_object(), "{path} is not written down");
    }
    for page in parceltrail::pages() {
        assert!(spec["paths"].get(&page.path).is_none(), "{} is a page, and written down", page.path);
    }
}

/// The path with an id in each place.
fn filled_in(path: &str) -> String {
    let parts =
        path.split('/').map(|part| if part.starts_with('{') { "0199f2c8-0000-7000-8000-000000000000" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
