//! Access tokens: what opens, what does not, and what ends them.

use crate::server::{Database, Server, text};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_token_opens_what_its_key_opens,
    a_token_reaches_as_far_as_its_scopes,
    a_revoked_key_ends_its_tokens,
    no_hostile_token_opens_anything,
    keys_are_made_listed_and_revoked
);

fn token_for(server: &Server, key: &str, asked: &Value) -> String {
    text(&server.post(key, "/v1/tokens", asked).must_be(201).json()["access_token"])
}

fn a_token_opens_what_its_key_opens(database: Database) {
    let server = Server::start(database);
    let (seller, other) = (server.seller("Lantern & Loom", "Europe/Berlin"), server.seller("Other", "UTC"));
    let made = server.post(&seller.key, "/v1/orders", &json!({"order_number": "LL-1"})).must_be(201).json();
    let order = format!("/v1/orders/{}", text(&made["id"]));
    let answer = server.post(&seller.key, "/v1/tokens", &json!({"expires_in_s": 60})).must_be(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let told = answer.json();
    assert_eq!(told["token_type"], "Bearer");
    let token = text(&told["access_token"]);
    assert_eq!(server.get(&token, &order).must_be(200).json()["order_number"], "LL-1");
    server.post(&token, "/v1/orders", &json!({"order_number": "LL-2"})).must_be(201);
    server.get(&token_for(&server, &other.key, &json!({})), &order).must_be_problem(404, "not_found");
    server.get(&token_for(&server, &server.admin(), &json!({})), "/v1/admin/sellers").must_be(200);
    server.post(&token, "/v1/tokens", &json!({})).must_be_problem(403, "forbidden");
    for (body, code) in [
        (json!({"expires_in_s": 901}), "out_of_range"),
        (json!({"expires_in_s": 0}), "out_of_range"),
        (json!({"scopes": []}), "no_scope"),
    ] {
        let problem = server.post(&seller.key, "/v1/tokens", &body).must_be_problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["code"], code, "{body}");
    }
    let keys = server.get("", "/.well-known/jwks.json").must_be(200).json();
    let kid = part(&token, 0)["kid"].clone();
    // Whoever asks for the first token may make a second key beside the job's.
    let signing = keys["keys"].as_array().unwrap().iter().find(|it| it["kid"] == kid).unwrap();
    assert_eq!((&signing["alg"], &signing["crv"]), (&json!("EdDSA"), &json!("Ed25519")));
}

fn a_token_reaches_as_far_as_its_scopes(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let order = json!({"order_number": "LL-1"});
    for (scopes, reads, writes, manages) in
        [(json!(["read"]), 200, 403, 403), (json!(["write"]), 200, 201, 403), (json!(["manage"]), 200, 200, 200)]
    {
        let token = token_for(&server, &key, &json!({"scopes": scopes}));
        assert_eq!(server.get(&token, "/v1/orders").status, reads, "{scopes}");
        assert_eq!(server.post(&token, "/v1/orders", &order).status, writes, "{scopes}");
        assert_eq!(server.get(&token, "/v1/api-keys").status, manages, "{scopes}");
    }
}

fn a_revoked_key_ends_its_tokens(database: Database) {
    let server = Server::start(database);
    let manager = server.seller("Lantern & Loom", "Europe/Berlin");
    let made = server.post(&manager.key, "/v1/api-keys", &json!({"name": "till", "role": "seller-clerk"}));
    let made = made.must_be(201).json();
    let (key, id) = (text(&made["api_key"]), text(&made["id"]));
    let token = token_for(&server, &key, &json!({}));
    for credential in [&key, &token] {
        server.get(credential, "/v1/orders").must_be(200);
    }
    server.send(&Method::DELETE, &manager.key, &format!("/v1/api-keys/{id}"), None).must_be(204);
    for credential in [&key, &token] {
        server.get(credential, "/v1/orders").must_be_problem(401, "unauthorized");
    }
}

fn keys_are_made_listed_and_revoked(database: Database) {
    let server = Server::start(database);
    let (seller, other) = (server.seller("Lantern & Loom", "Europe/Berlin"), server.seller("Other", "UTC"));
    for (body, code) in [
        (json!({"name": "x", "role": "admin"}), "unknown_role"),
        (json!({"name": "x", "role": "owner"}), "unknown_role"),
        (json!({"name": " ", "role": "seller-clerk"}), "bad_text"),
        (json!({"name": "x", "role": "seller-clerk", "expires_at": "2001-01-01T00:00:00Z"}), "out_of_range"),
        (json!({"name": "x", "role": "seller-clerk", "expires_at": "soon"}), "invalid_date"),
    ] {
        let problem = server.post(&seller.key, "/v1/api-keys", &body).must_be_problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["code"], code, "{body}");
    }
    let made = server.post(&seller.key, "/v1/api-keys", &json!({"name": "till", "role": "seller-viewer"}));
    let made = made.must_be(201).json();
    let keys = server.get(&seller.key, "/v1/api-keys").must_be(200);
    assert!(!keys.text().contains(&text(&made["api_key"])), "shown once");
    assert_eq!(keys.json()["data"].as_array().unwrap().len(), 2);
    let path = format!("/v1/api-keys/{}", text(&made["id"]));
    server.send(&Method::DELETE, &other.key, &path, None).must_be_problem(404, "not_found");
    server.send(&Method::DELETE, &text(&made["api_key"]), &path, None).must_be_problem(403, "forbidden");
    server.send(&Method::DELETE, &seller.key, &path, None).must_be(204);
    server.send(&Method::DELETE, &seller.key, &path, None).must_be_problem(404, "not_found");
    let listed = server.run(&["key", "list", "--seller", &seller.id]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 2);
    let made = server.run(&["key", "create", "--seller", &seller.id, "--role", "seller-clerk"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    server.get(&text(&made["api_key"]), "/v1/orders").must_be(200);
    assert!(server.run(&["key", "revoke", "--seller", &seller.id, &text(&made["id"])]).status.success());
    server.get(&text(&made["api_key"]), "/v1/orders").must_be_problem(401, "unauthorized");
    server.check_invariants();
}

/// The header (0) or the claims (1) of a token.
fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// With members of one object put over those of another.
fn with(object: &Value, over: &Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    object.extend(over.as_object().unwrap().clone());
    Value::Object(object)
}

/// Tokens that somebody might make of one of ours, or out of nothing. None is signed by us as it stands.
fn hostile_tokens(token: &str, public_key: &str) -> Vec<(String, String)> {
    let (header, claims) = (part(token, 0), part(token, 1));
    let parts: Vec<&str> = token.split('.').collect();
    let (claims_part, signature) = (parts[1], parts[2]);
    let mut hostile: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| hostile.push((what.to_owned(), token));
    for alg in ["none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS256", "ES256", "PS256", ""] {
        let head = segment(&with(&header, &json!({"alg": alg})));
        add(&format!("alg {alg}, our signature"), format!("{head}.{claims_part}.{signature}"));
        add(&format!("alg {alg}, no signature"), format!("{head}.{claims_part}."));
    }
    let symmetric = segment(&with(&header, &json!({"alg": "HS256"})));
    add("signed with the public key as a password", hmac_signed(&format!("{symmetric}.{claims_part}"), public_key));
    for (member, value) in [
        ("jku", json!("https://evil.example.com/jwks.json")),
        ("x5u", json!("https://evil.example.com/cert.pem")),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": public_key})),
        ("x5c", json!([STANDARD.encode("cert")])),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("")),
        ("kid", json!(null)),
        ("kid", json!(1)),
        ("typ", json!("JWT")),
        ("crit", json!(["exp"])),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
    ] {
        let head = segment(&with(&header, &json!({member: value})));
        add(&format!("header {member}: {value}"), format!("{head}.{claims_part}.{signature}"));
    }
    for (member, value) in [
        ("exp", json!(9_999_999_999_i64)),
        ("exp", json!(null)),
        ("nbf", json!(0)),
        ("aud", json!("other")),
        ("iss", json!("https://evil.example.com")),
        ("sub", json!("00000000-0000-7000-8000-000000000001")),
        ("scope", json!("read write manage admin")),
    ] {
        let body = segment(&with(&claims, &json!({member: value})));
        add(&format!("claim {member}: {value}"), format!("{}.{body}.{signature}", parts[0]));
    }
    let doubled = URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"x\",{}", claims.to_string().trim_start_matches('{')));
    add("a claim twice", format!("{}.{doubled}.{signature}", parts[0]));
    add("a signature of zeros", format!("{}.{claims_part}.{}", parts[0], URL_SAFE_NO_PAD.encode([0; 64])));
    add("half a signature", format!("{}.{claims_part}.{}", parts[0], signature.get(..43).unwrap()));
    add("a long signature", format!("{}.{claims_part}.{signature}{signature}", parts[0]));
    add("padded", format!("{token}="));
    add("four parts", format!("{token}.{signature}"));
    add("two parts", format!("{}.{claims_part}", parts[0]));
    add("dots", "...".to_owned());
    add("huge", format!("{}.{}.{signature}", parts[0], "A".repeat(6000)));
    add("deep", format!("{}.{}.{signature}", parts[0], URL_SAFE_NO_PAD.encode("[".repeat(900))));
    hostile
}

fn hmac_signed(message: &str, secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn no_hostile_token_opens_anything(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let token = token_for(&server, &key, &json!({}));
    server.get(&token, "/v1/orders").must_be(200);
    let keys = server.get("", "/.well-known/jwks.json").json();
    let hostile = hostile_tokens(&token, &text(&keys["keys"][0]["x"]));
    assert!(hostile.len() >= 40, "{}", hostile.len());
    for (what, token) in hostile {
        assert_eq!(server.get(&token, "/v1/orders").status, 401, "{what}");
    }
    let short = token_for(&server, &key, &json!({"expires_in_s": 1}));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    server.get(&short, "/v1/orders").must_be_problem(401, "unauthorized");
}
