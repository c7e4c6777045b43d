//! People: invited, joined, signed in and out, and shut out; whose form is whose.

use crate::browser::{Browser, path_of};
use crate::server::{Answer, Database, Server, text};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    a_person_is_invited_joins_and_signs_in_and_out,
    a_wrong_password_and_an_unknown_address_are_one_answer,
    only_forms_of_our_own_are_taken,
    a_session_is_new_at_every_sign_in_and_ends_for_good,
    who_is_removed_is_out_with_the_next_request,
    an_invitation_works_once_and_can_be_taken_back,
    one_address_at_two_sellers_opens_the_door_of_its_password,
    what_people_do_is_written_down_without_their_names,
);

const EMAIL: &str = "Ada@Lantern-Loom.example";
const PASSWORD: &str = "correct horse battery";
const SESSION: &str = "parceltrail";

fn a_person_is_invited_joins_and_signs_in_and_out(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lantern & Loom", "Europe/Berlin");
    let invited = server.run_for_json(&["user", "invite", "--seller", &seller.id, "--email", EMAIL]);
    let path = path_of(&text(&invited["invitation_url"])).to_owned();

    let mut ada = Browser::new(&server);
    let welcome = ada.get(&path).must_be(200).text();
    assert!(welcome.contains("Join Lantern &#38; Loom") && welcome.contains(EMAIL), "{welcome}");
    for (what, fields, said) in [
        ("a short password", [("name", "Ada"), ("password", "short"), ("again", "short")], "at least 12 characters"),
        ("two passwords", [("name", "Ada"), ("password", PASSWORD), ("again", "another horse!")], "not the same"),
        ("no name", [("name", " "), ("password", PASSWORD), ("again", PASSWORD)], "Write a name"),
    ] {
        let page = ada.post(&path, &fields).must_be(422).text();
        assert!(page.contains(said) && page.contains("aria-invalid"), "{what}: {page}");
        assert!(!page.contains(PASSWORD), "{what}: the page tells the password");
    }
    let joined = ada.post(&path, &[("name", "Ada Quill"), ("password", PASSWORD), ("again", PASSWORD)]).must_be(303);
    assert_eq!(joined.header("location"), "/shipments");
    let page = ada.get("/shipments").must_be(200);
    assert!(page.text().contains("No shipments yet") && page.text().contains("Ada Quill"), "{}", page.text());
    assert!(page.header("content-security-policy").contains("default-src 'none'; style-src 'sha256-"));
    assert!(page.header("cache-control").contains("no-store"));
    assert!(!page.text().contains("<script") && !page.text().contains(" style="), "{}", page.text());
    ada.get("/settings").must_be(200);

    let out = ada.post("/sign-out", &[]).must_be(303);
    assert_eq!((out.header("location"), ada.cookies.get(SESSION)), ("/sign-in", None));
    let asked = ada.get("/shipments?q=LL-1001").must_be(303);
    assert_eq!(asked.header("location"), "/sign-in?next=/shipments%3Fq%3DLL%2D1001".replace("%2D", "-"));
    assert_eq!(ada.get("/").must_be(303).header("location"), "/sign-in");

    assert_eq!(ada.sign_in(" ada@lantern-loom.EXAMPLE ", PASSWORD).must_be(303).header("location"), "/shipments");
    assert_eq!(ada.get("/").must_be(303).header("location"), "/shipments");
    assert_eq!(ada.get("/sign-in").must_be(303).header("location"), "/shipments");
    server.check_invariants();
}

/// Everything of an answer but what is drawn anew each time.
fn said(answer: &Answer) -> (u16, String) {
    let page = answer.text();
    let without_token = page
        .split_once("name=\"csrf\" value=\"")
        .map(|(start, rest)| format!("{start}{}", rest.split_once('"').unwrap().1));
    (answer.status, without_token.unwrap_or(page))
}

fn a_wrong_password_and_an_unknown_address_are_one_answer(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    drop(Browser::joined(&server, &key, (EMAIL, PASSWORD), "seller-viewer"));
    let mut browser = Browser::new(&server);
    let wrong = browser.sign_in(EMAIL, "correct horse batterz");
    let unknown = browser.sign_in("nobody@lantern-loom.example", PASSWORD);
    assert_eq!(wrong.status, 422);
    let (wrong, unknown) = (said(&wrong), said(&unknown));
    assert_eq!(wrong.0, unknown.0);
    assert_eq!(wrong.1.replace(EMAIL, ""), unknown.1.replace("nobody@lantern-loom.example", ""));
    for (what, email, password) in [("no address", "ada", PASSWORD), ("nothing", "", "")] {
        let answer = browser.sign_in(email, password).must_be(422);
        assert!(answer.text().contains("is wrong"), "{what}");
    }
    assert!(!browser.cookies.contains_key(SESSION), "{:?}", browser.cookies);
}

fn only_forms_of_our_own_are_taken(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let mut ada = Browser::joined(&server, &key, (EMAIL, PASSWORD), "seller-manager");
    let mut eve = Browser::joined(&server, &key, ("eve@example.com", PASSWORD), "seller-manager");
    ada.get("/settings").must_be(200);
    eve.get("/settings").must_be(200);
    let (ours, theirs) = (ada.csrf.clone(), eve.csrf.clone());
    let shop = [("name", "market"), ("contact_days", "30")];
    for (what, csrf) in [("none", None), ("a blank one", Some("")), ("another's", Some(theirs.as_str()))] {
        let fields: Vec<_> = shop.into_iter().chain(csrf.map(|csrf| ("csrf", csrf))).collect();
        let page = ada.send(&Method::POST, "/settings/shops", &[], Some(&fields)).must_be(403);
        assert!(page.text().contains("not sent from a page of ours"), "{what}: {}", page.text());
        assert!(page.header("content-type").starts_with("text/html"), "{what}");
    }
    let address = server.url("");
    let fields: Vec<_> = shop.into_iter().chain([("csrf", ours.as_str())]).collect();
    for (what, header, value) in [
        ("another site", "sec-fetch-site", "cross-site"),
        ("a neighbour", "sec-fetch-site", "same-site"),
        ("another origin", "origin", "https://evil.example"),
        ("no origin", "origin", "null"),
    ] {
        let answer = ada.send(&Method::POST, "/settings/shops", &[(header, value)], Some(&fields));
        assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    }
    let headers = [("sec-fetch-site", "same-origin"), ("origin", address.as_str())];
    ada.send(&Method::POST, "/settings/shops", &headers, Some(&fields)).must_be(303);
    ada.send(&Method::POST, "/sign-out", &[], Some(&[])).must_be(403);
    ada.get("/shipments").must_be(200);

    let mut nobody = Browser::new(&server);
    let told = [("email", EMAIL), ("password", PASSWORD), ("csrf", ours.as_str())];
    nobody.send(&Method::POST, "/sign-in", &[], Some(&told)).must_be(403);
    nobody.get("/sign-in").must_be(200);
    nobody.cookies.clear();
    nobody.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).must_be(403);
    nobody.get("/sign-in").must_be(200);
    nobody.post("/sign-in", &[("email", EMAIL)]).must_be(400);
    // The key of the API opens no page, and a session opens nothing of the API.
    assert_eq!(server.get(&key, "/shipments").must_be(303).header("location"), "/sign-in?next=/shipments");
    ada.get("/v1/shipments").must_be_problem(401, "unauthorized");
}

fn a_session_is_new_at_every_sign_in_and_ends_for_good(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let first = Browser::joined(&server, &key, (EMAIL, PASSWORD), "seller-viewer").cookies[SESSION].clone();

    let mut browser = Browser::new(&server);
    let planted = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    browser.cookies.insert(SESSION.to_owned(), planted.to_owned());
    browser.get("/shipments").must_be(303);
    browser.sign_in(EMAIL, PASSWORD).must_be(303);
    let second = browser.cookies[SESSION].clone();
    assert!(second != planted && second != first, "a planted session was taken");
    assert!(second.len() >= 43, "256 bits in base64url: {second}");

    // Signing in again in the same browser ends the session that it had.
    let mut again = Browser::new(&server);
    again.get("/sign-in").must_be(200);
    again.cookies.insert(SESSION.to_owned(), second.clone());
    again.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).must_be(303);
    assert_ne!(again.cookies[SESSION], second);
    browser.get("/shipments").must_be(303);

    let mut stolen = Browser::new(&server);
    stolen.cookies.insert(SESSION.to_owned(), again.cookies[SESSION].clone());
    stolen.get("/shipments").must_be(200);
    again.get("/shipments").must_be(200);
    again.post("/sign-out", &[]).must_be(303);
    stolen.get("/shipments").must_be(303);

    again.sign_in(EMAIL, PASSWORD).must_be(303);
    again.get("/shipments").must_be(200);
    server.execute("UPDATE sessions SET expires_at = created_at");
    assert_eq!(again.get("/settings").must_be(303).header("location"), "/sign-in?next=/settings");
    assert_eq!(server.count("sessions"), 2);
    again.sign_in(EMAIL, PASSWORD).must_be(303);
    assert_eq!(server.count("sessions"), 1, "sessions that are over are gone");
    assert_eq!(server.count("users WHERE password_hash NOT LIKE '$argon2id$%'"), 0);
}

fn who_is_removed_is_out_with_the_next_request(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let other = server.seller("Other", "UTC").key;
    let mut ada = Browser::joined(&server, &key, (EMAIL, PASSWORD), "seller-manager");
    ada.get("/shipments").must_be(200);
    let people = server.get(&key, "/v1/users").must_be(200).json();
    let id = text(&people["data"][0]["id"]);
    let path = format!("/v1/users/{id}");
    server.send(&Method::DELETE, &other, &path, None).must_be_problem(404, "not_found");
    ada.get("/shipments").must_be(200);
    server.send(&Method::DELETE, &key, &path, None).must_be(204);
    ada.get("/shipments").must_be(303);
    ada.sign_in(EMAIL, PASSWORD).must_be(422);
    server.send(&Method::DELETE, &key, &path, None).must_be_problem(404, "not_found");
    let people = server.get(&key, "/v1/users").must_be(200).json();
    assert_eq!(people["data"][0]["state"], "disabled", "{people}");

    // Asked in again the person is the same one, and the old password opens nothing.
    let mut ada = Browser::joined(&server, &key, (EMAIL, "another horse battery"), "seller-viewer");
    let people = server.get(&key, "/v1/users").must_be(200).json();
    let expected = json!([1, id, "active", "seller-viewer"]);
    let told = &people["data"];
    assert_eq!(
        json!([told.as_array().unwrap().len(), told[0]["id"], told[0]["state"], told[0]["role"]]),
        expected,
        "{people}"
    );
    ada.post("/sign-out", &[]).must_be(403);
    ada.get("/shipments").must_be(200);
    ada.post("/sign-out", &[]).must_be(303);
    ada.sign_in(EMAIL, PASSWORD).must_be(422);
    ada.sign_in(EMAIL, "another horse battery").must_be(303);
    server.check_invariants();
}

fn an_invitation_works_once_and_can_be_taken_back(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Lantern & Loom", "Europe/Berlin").key;
    let invite = |email: &str| {
        let told = json!({"email": email, "role": "seller-clerk", "name": "Ben"});
        server.post(&key, "/v1/users", &told).must_be(201).json()
    };
    let link = |invited: &Value| path_of(&text(&invited["invitation_url"])).to_owned();
    let fields = [("name", "Ben Reed"), ("password", PASSWORD), ("again", PASSWORD)];

    let (first, second) = (invite("ben@example.com"), invite("BEN@example.com"));
    let mut ben = Browser::new(&server);
    ben.get(&link(&first)).must_be(404);
    assert!(ben.get(&link(&second)).must_be(200).text().contains("value=\"Ben\""), "the name is there to be kept");
    ben.post(&link(&second), &fields).must_be(303);
    ben.get(&link(&second)).must_be(404);
    server
        .post(&key, "/v1/users", &json!({"email": "ben@EXAMPLE.com", "role": "seller-viewer"}))
        .must_be_problem(409, "user_exists");

    let back = invite("cy@example.com");
    let listed = server.get(&key, "/v1/users").must_be(200).json();
    let states: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["active", "invited"], "{listed}");
    assert!(listed["data"][1]["invitation_url"].is_null(), "a link is shown once: {listed}");
    server.send(&Method::DELETE, &key, &format!("/v1/users/{}", text(&back["id"])), None).must_be(204);
    Browser::new(&server).get(&link(&back)).must_be(404);

    let late = invite("dee@example.com");
    let mut dee = Browser::new(&server);
    dee.get(&link(&late)).must_be(200);
    server.execute("UPDATE invitations SET expires_at = created_at");
    let page = dee.post(&link(&late), &fields).must_be(404);
    assert!(page.text().contains("Ask for another one"), "{}", page.text());
    Browser::new(&server).get("/invitations/none").must_be(404);

    for (what, told, code) in [
        ("no address", json!({"email": "ben", "role": "seller-clerk"}), "invalid_request"),
        ("an admin", json!({"email": "e@example.com", "role": "admin"}), "invalid_request"),
        ("no role", json!({"email": "e@example.com", "role": "king"}), "invalid_request"),
        ("an unknown field", json!({"email": "e@example.com", "role": "seller-clerk", "x": 1}), "invalid_request"),
    ] {
        let problem = server.post(&key, "/v1/users", &told).must_be_problem(422, code);
        assert!(problem["errors"][0]["pointer"].is_string(), "{what}: {problem}");
    }
    let missing = ["user", "invite", "--seller", "0199f2c8-0000-7000-8000-000000000000", "--email", "e@example.com"];
    assert_eq!(server.run(&missing).status.code(), Some(2));
}

fn one_address_at_two_sellers_opens_the_door_of_its_password(database: Database) {
    let server = Server::start(database);
    let (ours, theirs) = (server.seller("Lantern & Loom", "Europe/Berlin"), server.seller("Kites", "UTC"));
    drop(Browser::joined(&server, &ours.key, (EMAIL, PASSWORD), "seller-viewer"));
    drop(Browser::joined(&server, &theirs.key, (EMAIL, "kites fly in the wind"), "seller-viewer"));
    let mut ada = Browser::new(&server);
    for (seller, password) in [("Lantern &#38; Loom", PASSWORD), ("Kites", "kites fly in the wind")] {
        ada.sign_in(EMAIL, password).must_be(303);
        let page = ada.get("/shipments").must_be(200).text();
        assert!(page.contains(seller), "{seller}: {page}");
        ada.post("/sign-out", &[]).must_be(303);
    }
    ada.sign_in(EMAIL, "neither of the two").must_be(422);
}

fn what_people_do_is_written_down_without_their_names(database: Database) {
    let server = Server::start(database);
    let (seller, admin) = (server.seller("Lantern & Loom", "Europe/Berlin"), server.admin());
    let mut ada = Browser::joined(&server, &seller.key, (EMAIL, PASSWORD), "seller-manager");
    ada.get("/settings").must_be(200);
    ada.post("/settings/shops", &[("name", "market"), ("contact_days", "30")]).must_be(303);
    ada.post("/sign-out", &[]).must_be(303);
    ada.sign_in(EMAIL, "correct horse batterz").must_be(422);
    ada.sign_in("nobody@example.com", PASSWORD).must_be(422);
    ada.sign_in(EMAIL, PASSWORD).must_be(303);

    let mine = server.all(&admin, &format!("/v1/admin/audit?seller_id={}", seller.id));
    let actions: Vec<String> = mine.iter().rev().map(|row| text(&row["action"])).collect();
    let expected = [
        "seller.created",
        "key.created",
        "user.invited",
        "user.joined",
        "shop.created",
        "user.sign_in_failed",
        "user.signed_in",
    ];
    assert_eq!(actions, expected, "{mine:?}");
    assert_eq!(mine[0]["actor_id"], mine[2]["actor_id"], "a person acts as itself: {mine:?}");
    assert!(mine.iter().take(5).all(|row| row["request_id"].is_string()), "{mine:?}");
    let all = server.all(&admin, "/v1/admin/audit");
    assert!(all.iter().any(|row| row["action"] == "user.sign_in_failed" && row["seller_id"].is_null()), "{all:?}");
    let told = json!(all).to_string().to_lowercase();
    for secret in ["ada@", "nobody@", "quill", PASSWORD] {
        assert!(!told.contains(secret), "the log tells {secret}: {told}");
    }
    let page = server.get(&admin, "/v1/admin/audit?limit=2").must_be(200).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert!(page["next_cursor"].is_string());
    server.get(&seller.key, "/v1/admin/audit").must_be_problem(403, "forbidden");
    server.check_invariants();
}
