//! Doors that are open to anybody. Who may open the others is asked by `matrix`, route by route.

use crate::server::{Database, Server};
use serde_json::json;

on_both!(open_doors_need_no_key);

fn open_doors_need_no_key(database: Database) {
    let server = Server::start(database);
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        server.get("", path).must_be(200);
    }
    let mut docs = server.get("", "/docs");
    if docs.status / 100 == 3 {
        let to = docs.header("location").to_owned();
        docs = server.get("", if to.starts_with('/') { &to } else { "/docs/" });
    }
    let page = docs.must_be(200).text();
    assert!(!page.contains("https://cdn") && !page.contains("unpkg.com"), "the docs need the internet:\n{page}");

    let checked = server.post(
        &server.seller("Checker", "UTC").key,
        "/v1/tracking-numbers/check",
        &json!({"numbers": [{"number": "1Z999AA10123456784"}, {"number": "1Z999AA10123456785"}]}),
    );
    let answers = checked.must_be(200).json();
    assert!(answers.to_string().contains("bad_checksum"), "{answers}");
}
