//! Who may do what: each route with each role, and keys that are no keys.

use crate::server::{Database, Server};
use reqwest::Method;
use serde_json::json;

on_both!(each_role_opens_its_doors_and_no_others, open_doors_need_no_key);

/// From which role on a door opens to sellers' keys, or whether it opens to admins too.
#[derive(Clone, Copy, PartialEq)]
enum Door {
    Viewer,
    Clerk,
    Manager,
    Admin,
    /// Sellers from viewers on, and admins.
    Reports,
}

/// Bodies are left out: a door that opens then answers anything but 401 and 403.
const DOORS: [(Door, &str, &str); 27] = [
    (Door::Viewer, "GET", "/v1/imports"),
    (Door::Viewer, "GET", "/v1/imports/0199f2c8-0000-7000-8000-000000000000"),
    (Door::Viewer, "GET", "/v1/imports/0199f2c8-0000-7000-8000-000000000000/rows"),
    (Door::Viewer, "GET", "/v1/orders"),
    (Door::Viewer, "GET", "/v1/orders/0199f2c8-0000-7000-8000-000000000000"),
    (Door::Viewer, "GET", "/v1/shipments"),
    (Door::Viewer, "GET", "/v1/shipments/0199f2c8-0000-7000-8000-000000000000"),
    (Door::Viewer, "GET", "/v1/shipments/0199f2c8-0000-7000-8000-000000000000/events"),
    (Door::Clerk, "POST", "/v1/imports"),
    (Door::Clerk, "POST", "/v1/imports/0199f2c8-0000-7000-8000-000000000000/commit"),
    (Door::Clerk, "POST", "/v1/imports/0199f2c8-0000-7000-8000-000000000000/cancel"),
    (Door::Clerk, "POST", "/v1/orders"),
    (Door::Clerk, "POST", "/v1/shipments"),
    (Door::Clerk, "POST", "/v1/shipments/0199f2c8-0000-7000-8000-000000000000/scans"),
    (Door::Viewer, "GET", "/v1/shops"),
    (Door::Manager, "POST", "/v1/shops"),
    (Door::Manager, "PATCH", "/v1/shops/0199f2c8-0000-7000-8000-000000000000"),
    (Door::Manager, "GET", "/v1/settings"),
    (Door::Manager, "PATCH", "/v1/settings"),
    (Door::Manager, "GET", "/v1/users"),
    (Door::Manager, "POST", "/v1/users"),
    (Door::Manager, "DELETE", "/v1/users/0199f2c8-0000-7000-8000-000000000000"),
    (Door::Admin, "GET", "/v1/admin/sellers"),
    (Door::Admin, "GET", "/v1/admin/audit"),
    (Door::Reports, "GET", "/v1/reports/delays"),
    (Door::Reports, "GET", "/v1/reports/lanes"),
    (Door::Reports, "GET", "/v1/reports/carriers"),
];

fn each_role_opens_its_doors_and_no_others(database: Database) {
    let server = Server::start(database);
    let keys = [
        ("seller-viewer", server.key_of_role("seller-viewer")),
        ("seller-clerk", server.key_of_role("seller-clerk")),
        ("seller-manager", server.seller("Manager", "UTC").key),
        ("admin", server.admin()),
    ];
    for (door, method, path) in DOORS {
        let method: Method = method.parse().unwrap();
        server.send(&method, "", path, None).must_be_problem(401, "unauthorized");
        for (role, key) in &keys {
            let opens = match (door, *role) {
                (Door::Reports, _) => true,
                (Door::Admin, role) => role == "admin",
                (_, "admin") | (Door::Clerk | Door::Manager, "seller-viewer") | (Door::Manager, "seller-clerk") => {
                    false
                }
                (Door::Viewer | Door::Clerk | Door::Manager, _) => true,
            };
            let answer = server.send(&method, key, path, None);
            if opens {
                assert!(![401, 403, 405].contains(&answer.status), "{role} {method} {path}: {}", answer.text());
                assert!(answer.status < 500, "{role} {method} {path}: {}", answer.text());
            } else {
                answer.must_be_problem(403, "forbidden");
            }
        }
    }
}

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
