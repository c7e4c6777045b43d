//! Every route with every identity of another seller, asked as nobody and in each role: what is declared, and not a byte
//! of the other. The routes come from the specification that the server serves, so a new one without an entry here fails.
//! Pages have a matrix of their own.

use crate::server::{Answer, Body, Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

on_both!(nobody_sees_a_byte_of_another_seller);

/// What one ask should come to where the door opens.
#[derive(Clone, Copy, PartialEq)]
enum Comes {
    /// To a 404 that is the same as for an id that never was.
    NotFound,
    /// To anything that holds nothing of the other seller.
    ToNothing,
}

/// One ask of a route.
struct Ask {
    path: String,
    body: Option<Body>,
    comes: Comes,
}

/// The seller whom the others must not see, with what they might try.
pub(crate) struct Victim {
    key: String,
    seller_id: String,
    order: String,
    pub(crate) shipment: String,
    pub(crate) import: String,
    pub(crate) api_key: String,
    pub(crate) shop: String,
    pub(crate) user: String,
    handle: String,
    /// Texts that stand in its rows, and nowhere else.
    pub(crate) canaries: Vec<String>,
    /// Those of them that name people.
    contacts: Vec<String>,
}

pub(crate) const ORDER: &str = "KANARI-1001";
pub(crate) const NUMBER: &str = "1Z12345E0205271688";
/// A carrier that the victim defined.
pub(crate) const CARRIER: &str = "kanari-bikes";
pub(crate) const EMAIL: &str = "kanari.ada@example.com";

fn sheet() -> String {
    format!(
        "order_number,order_date,sku,item_name,recipient_name,company,address1,city,postal_code,country,email,phone,note\n\
         {ORDER},2026-11-02,KANARI-SKU,Kanari lamp,Kanari Quill,Kanari Ltd,Kanari Lane 7,Kanariville,12207,US,{EMAIL},\
         +1 555 010 7788,kanari at the back door\n\
         ,2026-11-02,KANARI-BAD,Kanari loom,Kanari Reed,,,,97205,US,kanari.ben@example.com,,\n"
    )
}

pub(crate) fn victim(server: &Server) -> Victim {
    let seller = server.seller("Kanari & Sons", "Europe/Berlin");
    let key = seller.key.clone();
    let import = server.import(&key, "kind=orders", sheet());
    let order = text(&server.order(&key, ORDER)["id"]);
    let parcel = json!({"order_number": ORDER, "tracking_number": NUMBER, "carrier": "ups", "parcel_ref": "KANARI-BOX",
        "shipped_at": "2026-11-03T10:00:00Z"});
    let shipment = text(&server.post(&key, "/v1/shipments", &parcel).must_be(201).json()["id"]);
    let scan = json!({"scans": [{"occurred_at": "2026-11-04T10:00:00Z", "sub_status": "in_transit.moving",
        "place": "Kanari Hub", "description": "kanari signed"}]});
    server.post(&key, &format!("/v1/shipments/{shipment}/scans"), &scan).must_be(200);
    let made = server.post(&key, "/v1/api-keys", &json!({"name": "kanari till", "role": "seller-viewer"}));
    let api_key = text(&made.must_be(201).json()["id"]);
    let invited = server.post(&key, "/v1/users", &json!({"email": "kanari.boss@example.com", "role": "seller-clerk"}));
    let user = text(&invited.must_be(201).json()["id"]);
    let carrier = json!({"name": "Kanari Bikes", "patterns": ["=KANARI digit*6"]});
    let carrier = ("application/json", carrier.to_string().into_bytes());
    server.send(&Method::PUT, &key, &format!("/v1/carriers/{CARRIER}"), Some(carrier)).must_be(201);
    let shops = server.get(&key, "/v1/shops").must_be(200).json();
    let (shop, handle) = (text(&shops["data"][0]["id"]), text(&shops["data"][0]["handle"]));
    let import = text(&import["id"]);
    let ids = [&seller.id, &order, &shipment, &import, &api_key, &user, &shop].map(Clone::clone);
    let contacts =
        ["anari Quill", "anari Ltd", "anari Lane", "anariville", "kanari.", "010 7788", "back door", "anari Reed"];
    let words = ["KANARI", "Kanari", "kanari", NUMBER];
    Victim {
        canaries: ids.into_iter().chain(words.map(str::to_owned)).collect(),
        contacts: contacts.map(str::to_owned).to_vec(),
        seller_id: seller.id,
        key,
        order,
        shipment,
        import,
        api_key,
        shop,
        user,
        handle,
    }
}

fn ask(path: impl Into<String>, body: Option<Value>, comes: Comes) -> Ask {
    let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
    Ask { path: path.into(), body, comes }
}

fn nothing(path: &str) -> Vec<Ask> {
    vec![ask(path, None, Comes::ToNothing)]
}

fn sent(path: &str, body: Value) -> Vec<Ask> {
    vec![ask(path, Some(body), Comes::ToNothing)]
}

/// A path that holds an id: with the other's, and one where a body goes along.
fn object(path: &str, id: &str, body: Option<Value>) -> Vec<Ask> {
    vec![ask(path.replace("{id}", id), body, Comes::NotFound)]
}

/// How a route is tried; `None` for one that nobody has thought of.
#[allow(clippy::too_many_lines, clippy::match_same_arms, reason = "one line a route, in the order of the routes")]
fn asks(method: &str, path: &str, it: &Victim) -> Option<Vec<Ask>> {
    let scan = json!({"occurred_at": "2026-11-05T10:00:00Z", "sub_status": "delivered.to_recipient"});
    let order = json!({"order_number": "OWN-1"});
    let of_order = json!({"order_id": it.order, "tracking_number": "1Z999AA10123456793"});
    Some(match (method, path) {
        ("GET", "/v1/presets" | "/healthz" | "/readyz" | "/openapi.json" | "/.well-known/jwks.json") => nothing(path),
        ("GET", "/v1/exports/tracking") => nothing("/v1/exports/tracking?preset=tiktok/bulk_ship&include=suspicious"),
        ("GET", "/v1/import-templates/{kind}.csv") => nothing("/v1/import-templates/orders.csv"),
        ("GET", "/track/{token}") => object("/track/{id}", &it.order, None),
        ("POST", "/v1/status/lookup") => {
            sent(path, json!({"shop": it.handle, "order_number": ORDER, "email": "somebody@example.com"}))
        }
        ("POST", "/v1/tokens") => sent(path, json!({})),
        ("GET", "/v1/carriers" | "/v1/settings" | "/v1/shops" | "/v1/users" | "/v1/api-keys") => nothing(path),
        ("GET" | "DELETE", "/v1/carriers/{slug}") => {
            vec![ask(format!("/v1/carriers/{CARRIER}"), None, Comes::NotFound)]
        }
        // The other's names are free to everybody else.
        ("PUT", "/v1/carriers/{slug}") => vec![ask(
            "/v1/carriers/own-bikes",
            Some(json!({"name": "Own Bikes", "aliases": [CARRIER, "Kanari Bikes"]})),
            Comes::ToNothing,
        )],
        ("GET", "/v1/imports") => nothing(path),
        ("GET", "/v1/changes") => nothing(path),
        ("GET", "/v1/orders") => nothing(&format!("/v1/orders?order_number={ORDER}")),
        ("GET", "/v1/shipments") => nothing(&format!("/v1/shipments?tracking_number={NUMBER}")),
        ("GET", "/v1/admin/sellers" | "/v1/admin/audit" | "/v1/admin/shared-numbers") => nothing(path),
        ("GET", reports) if reports.starts_with("/v1/reports/") => ["", "&rows=shipments", "&format=csv"]
            .iter()
            .map(|more| ask(format!("{reports}?group_by=seller,shop,carrier{more}"), None, Comes::ToNothing))
            .chain([ask(format!("{reports}?seller_id={}", it.seller_id), None, Comes::ToNothing)])
            .collect(),
        ("POST", "/v1/imports") => vec![Ask {
            path: format!("{path}?kind=tracking"),
            body: Some(("text/csv", format!("order_number,tracking_number\n{ORDER},{NUMBER}\n").into_bytes())),
            comes: Comes::ToNothing,
        }],
        ("GET", "/v1/imports/{id}" | "/v1/imports/{id}/rows" | "/v1/imports/{id}/repaired.csv") => {
            object(path, &it.import, None)
        }
        ("POST", "/v1/imports/{id}/cancel" | "/v1/imports/{id}/commit" | "/v1/imports/{id}/undo") => {
            object(path, &it.import, None)
        }
        ("POST", "/v1/orders") => sent(path, order),
        ("POST", "/v1/orders/batch") => sent(path, json!({"orders": [order]})),
        ("GET", "/v1/orders/{id}") => object(path, &it.order, None),
        ("PATCH", "/v1/orders/{id}") => object(path, &it.order, Some(json!({"order_ref": "taken over"}))),
        ("POST", "/v1/orders/{id}/cancel") => object(path, &it.order, None),
        ("GET", "/v1/orders/by-number/{shop}/{number}") => {
            vec![ask(format!("/v1/orders/by-number/main/{ORDER}"), None, Comes::NotFound)]
        }
        ("PATCH", "/v1/orders/by-number/{shop}/{number}") => {
            let body = json!({"order_ref": "taken over"});
            vec![ask(format!("/v1/orders/by-number/main/{ORDER}"), Some(body), Comes::NotFound)]
        }
        ("POST", "/v1/shipments") => sent(path, of_order),
        ("POST", "/v1/shipments/batch") => sent(path, json!({"shipments": [of_order]})),
        ("GET", "/v1/shipments/{id}" | "/v1/shipments/{id}/events") => object(path, &it.shipment, None),
        ("PATCH", "/v1/shipments/{id}") => object(path, &it.shipment, Some(json!({"parcel_ref": "taken over"}))),
        ("POST", "/v1/shipments/{id}/cancel" | "/v1/shipments/{id}/refresh") => object(path, &it.shipment, None),
        ("POST", "/v1/shipments/{id}/scans") => object(path, &it.shipment, Some(json!({"scans": [scan]}))),
        ("POST", "/v1/scans/batch") => {
            let mut by_id = scan.clone();
            let mut by_number = scan;
            by_id["shipment_id"] = json!(it.shipment);
            by_number["tracking_number"] = json!(NUMBER);
            sent(path, json!({"scans": [by_id, by_number]}))
        }
        ("POST", "/v1/tracking-numbers/check") => {
            let of_carrier = json!({"number": "KANARI204177", "carrier": CARRIER});
            sent(path, json!({"numbers": [{"number": NUMBER}, {"number": "KANARI204177"}, of_carrier]}))
        }
        ("POST", "/v1/api-keys") => sent(path, json!({"name": "own", "role": "seller-viewer"})),
        ("DELETE", "/v1/api-keys/{id}") => object(path, &it.api_key, None),
        ("POST", "/v1/users") => sent(path, json!({"email": "kanari.boss@example.com", "role": "seller-viewer"})),
        ("DELETE", "/v1/users/{id}") => object(path, &it.user, None),
        ("POST", "/v1/shops") => sent(path, json!({"name": "second"})),
        ("PATCH", "/v1/shops/{id}") => object(path, &it.shop, Some(json!({"contact_days": 1}))),
        ("PATCH", "/v1/settings") => sent(path, json!({"upload_days": 20})),
        ("POST", "/v1/privacy/erasures") => {
            vec![
                ask(path, Some(json!({"email": EMAIL})), Comes::ToNothing),
                ask(path, Some(json!({"order_id": it.order})), Comes::ToNothing),
            ]
        }
        ("GET", "/v1/privacy/export") => [format!("email={EMAIL}"), format!("order_id={}", it.order)]
            .map(|query| ask(format!("{path}?{query}"), None, Comes::ToNothing))
            .into(),
        _ => return None,
    })
}

/// Who asks, and what the door's word lets them do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Nobody,
    Viewer,
    Clerk,
    Manager,
    Admin,
}

impl Who {
    const ALL: [Self; 5] = [Self::Nobody, Self::Viewer, Self::Clerk, Self::Manager, Self::Admin];

    /// `None` where the door opens, else the refusal.
    fn refusal(self, access: &str) -> Option<u16> {
        let rank = |who: Self| Self::ALL.iter().position(|it| *it == who).unwrap();
        let from = |lowest: Self| self != Self::Admin && rank(self) >= rank(lowest);
        let opens = match access {
            "public" => true,
            "any key" | "seller-viewer or admin" => self != Self::Nobody,
            "seller-viewer" => from(Self::Viewer),
            "seller-clerk" => from(Self::Clerk),
            "seller-manager" => from(Self::Manager),
            "admin" => self == Self::Admin,
            other => panic!("no such access: {other}"),
        };
        if opens { None } else { Some(if self == Self::Nobody { 401 } else { 403 }) }
    }
}

/// The problem without what differs from answer to answer.
fn bare(answer: &Answer) -> Value {
    let mut problem: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(answer.text()));
    if let Some(members) = problem.as_object_mut() {
        members.remove("request_id");
    }
    problem
}

/// All that the victim can see of its own, to be the same afterwards.
pub(crate) fn state(server: &Server, it: &Victim) -> String {
    let lists = [
        "/v1/orders",
        "/v1/shipments",
        "/v1/imports",
        "/v1/api-keys",
        "/v1/users",
        "/v1/shops",
        "/v1/settings",
        "/v1/carriers",
    ];
    let mut seen = String::new();
    for path in lists {
        writeln!(seen, "{}", server.get(&it.key, path).must_be(200).text()).unwrap();
    }
    let events = server.get(&it.key, &format!("/v1/shipments/{}/events", it.shipment)).must_be(200);
    seen + &events.text()
}

fn nobody_sees_a_byte_of_another_seller(database: Database) {
    let server = Server::start(database);
    let it = victim(&server);
    let before = state(&server, &it);
    let own = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let key_of =
        |role: &str| text(&server.post(&own, "/v1/api-keys", &json!({"name": role, "role": role})).json()["api_key"]);
    let keys = [String::new(), key_of("seller-viewer"), key_of("seller-clerk"), own.clone(), server.admin()];
    let spec = server.get("", "/openapi.json").must_be(200).json();
    let mut faults = Vec::new();
    let mut asked = 0;
    for (path, item) in spec["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let (method, access) = (method.to_uppercase(), text(&operation["x-access"]));
            let Some(asks) = asks(&method, path, &it) else {
                faults.push(format!("{method} {path}: a new route has no entry in this matrix"));
                continue;
            };
            for (who, key) in Who::ALL.into_iter().zip(&keys) {
                for ask in &asks {
                    asked += 1;
                    faults.extend(tried(&server, &it, (who, key), (&method, &access), ask));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(asked > 200, "{asked}");
    assert_eq!(state(&server, &it), before, "something of the other seller was changed");
    server.check_invariants();
}

/// What is wrong with the answer to one ask.
fn tried(
    server: &Server,
    it: &Victim,
    (who, key): (Who, &str),
    (method, access): (&str, &str),
    ask: &Ask,
) -> Vec<String> {
    let method: Method = method.parse().unwrap();
    let answer = server.send(&method, key, &ask.path, ask.body.clone());
    let name = format!("{method} {} as {who:?}", ask.path);
    if let Some(refusal) = who.refusal(access) {
        return if answer.status == refusal {
            vec![]
        } else {
            vec![format!("{name}: {} instead of {refusal}", answer.status)]
        };
    }
    let mut faults = Vec::new();
    if [401, 403, 500].contains(&answer.status) {
        faults.push(format!("{name}: {} {}", answer.status, answer.text()));
    }
    if ask.comes == Comes::NotFound {
        let ids = [&it.order, &it.shipment, &it.import, &it.api_key, &it.user, &it.shop];
        let mut other =
            ids.iter().fold(ask.path.clone(), |path, id| path.replace(*id, "0199f2c8-0000-7000-8000-00000000abcd"));
        other = other.replace(ORDER, "NEVER-1").replace(CARRIER, "never-was");
        let never = server.send(&method, key, &other, ask.body.clone());
        if answer.status != 404 || bare(&answer) != bare(&never) {
            faults.push(format!("{name}: {} {}, but {} {}", answer.status, answer.text(), never.status, never.text()));
        }
    }
    // What was sent may come back; admins see all sellers, but no contacts.
    let sent = ask.path.clone()
        + &ask.body.as_ref().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
    let seen = answer.text();
    let secret = if who == Who::Admin { &it.contacts } else { &it.canaries };
    let leaked = secret.iter().filter(|canary| seen.contains(canary.as_str()) && !sent.contains(canary.as_str()));
    faults.extend(leaked.map(|canary| format!("{name}: tells {canary}: {seen}")));
    faults
}
