//! Requests that are sent again under an `Idempotency-Key`: done once, answered alike.

use crate::parcels::ups;
use crate::server::{Answer, Body, Database, Seller, Server, text};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

on_both!(
    a_hundred_at_once_have_one_effect_and_one_answer,
    another_body_or_path_under_the_key_is_refused,
    a_refused_request_leaves_its_key_free,
    who_hung_up_comes_back_for_the_answer,
    keys_of_another_seller_are_other_keys,
    a_key_that_is_no_key_is_refused,
    an_upload_sent_again_is_one_import,
    an_upload_whose_answer_was_lost_is_one_import,
    what_is_kept_holds_no_contacts_in_the_clear,
);

fn start(database: Database) -> (Server, Seller) {
    let server = Server::start(database);
    let seller = server.seller("Twice Ltd", "UTC");
    (server, seller)
}

fn order(number: &str) -> Value {
    json!({
        "order_number": number, "deliver_by_on": "2026-09-12", "lines": [{"sku": "LAMP", "quantity": 2}],
        "recipient": {"name": "Canary Quill", "email": "canary@example.com"},
    })
}

fn json_body(told: &Value) -> Body {
    ("application/json", told.to_string().into_bytes())
}

fn post(server: &Server, seller: &Seller, path: &str, key: &str, body: Body) -> Answer {
    let bearer = format!("Bearer {}", seller.key);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    server.try_send(&Method::POST, path, &headers, Some(body)).unwrap()
}

/// Sends until the answer is there.
fn post_until_answered(server: &Server, seller: &Seller, path: &str, key: &str, body: &Body) -> Answer {
    loop {
        let answer = post(server, seller, path, key, body.clone());
        if answer.status != 409 {
            return answer;
        }
        answer.must_be_problem(409, "idempotency_in_progress");
        assert_eq!(answer.header("retry-after"), "1");
    }
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotent-replayed")
}

fn a_hundred_at_once_have_one_effect_and_one_answer(database: Database) {
    let (server, seller) = start(database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let told: Vec<(u16, bool, Vec<u8>)> = runtime.block_on(async {
        let send = || async {
            let request = client.post(server.url("/v1/orders")).bearer_auth(&seller.key);
            let request = request.header("idempotency-key", "hundred").header("content-type", "application/json");
            let response = request.body(order("H1").to_string()).send().await.unwrap();
            let replayed = response.headers().contains_key("idempotent-replayed");
            (response.status().as_u16(), replayed, response.bytes().await.unwrap().to_vec())
        };
        futures_util::future::join_all((0..100).map(|_| send())).await
    });
    let first: Vec<_> = told.iter().filter(|(status, replayed, _)| *status == 201 && !replayed).collect();
    assert_eq!(first.len(), 1, "{told:?}");
    for (status, replayed, body) in &told {
        assert!(*status == 409 || (*status == 201 && *body == first[0].2), "{status} {replayed}");
    }
    let again = post_until_answered(&server, &seller, "/v1/orders", "hundred", &json_body(&order("H1"))).must_be(201);
    assert!(replayed(&again));
    assert_eq!(again.body, first[0].2);
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(again.json()["outcome"], "created");
    assert_eq!((server.count("orders"), server.count("outbox"), server.count("idempotency_keys")), (1, 1, 1));
    server.check_invariants();
}

fn another_body_or_path_under_the_key_is_refused(database: Database) {
    let (server, seller) = start(database);
    let made = post(&server, &seller, "/v1/orders", "k", json_body(&order("A1"))).must_be(201);
    assert!(!replayed(&made));
    let other = post(&server, &seller, "/v1/orders", "k", json_body(&order("A2")));
    other.must_be_problem(422, "idempotency_key_reused");
    assert_eq!(server.count("orders"), 1);

    let mut paths = Vec::new();
    for serial in [1, 2] {
        let parcel = json!({"order_number": "A1", "tracking_number": ups(serial), "carrier": "ups"});
        let parcel = post(&server, &seller, "/v1/shipments", &format!("k{serial}"), json_body(&parcel)).must_be(201);
        paths.push(format!("/v1/shipments/{}/scans", text(&parcel.json()["id"])));
    }
    let scans = json!({"scans": [{"occurred_at": "2026-09-03T10:00:00Z", "sub_status": "in_transit.moving"}]});
    let recorded = post(&server, &seller, &paths[0], "k", json_body(&scans)).must_be(200);
    assert_eq!(recorded.json()["recorded"], 1, "the key of another route is another key");
    let again = post(&server, &seller, &paths[0], "k", json_body(&scans)).must_be(200);
    assert!(replayed(&again));
    assert_eq!(again.body, recorded.body, "recorded once, and told so twice");
    let elsewhere = post(&server, &seller, &paths[1], "k", json_body(&scans));
    elsewhere.must_be_problem(422, "idempotency_key_reused");
}

fn a_refused_request_leaves_its_key_free(database: Database) {
    let (server, seller) = start(database);
    for (what, body, status) in [
        ("no JSON", ("application/json", b"{".to_vec()), 400),
        ("not as documented", json_body(&json!({"order_nummer": "R1"})), 422),
        ("not sent as JSON", ("text/plain", b"R1".to_vec()), 415),
        ("too large", ("application/json", vec![b' '; 2 << 20]), 413),
    ] {
        let refused = post(&server, &seller, "/v1/orders", "k", body);
        assert_eq!(refused.status, status, "{what}: {}", refused.text());
        assert_eq!(server.count("idempotency_keys"), 0, "{what}");
    }
    let mended = post(&server, &seller, "/v1/orders", "k", json_body(&order("R1"))).must_be(201);
    assert!(!replayed(&mended));
}

/// Makes each new order take about a second.
fn slow_down(server: &Server, database: Database) {
    server.execute(match database {
        Database::Sqlite => {
            "CREATE TRIGGER slow BEFORE INSERT ON orders BEGIN SELECT (WITH RECURSIVE n(x) AS \
             (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000000) SELECT count(*) FROM n); END;"
        }
        Database::Postgres => {
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$; \
             CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow();"
        }
    });
}

fn who_hung_up_comes_back_for_the_answer(database: Database) {
    let (server, seller) = start(database);
    slow_down(&server, database);
    let body = order("W1").to_string();
    let mut wire = TcpStream::connect(server.address()).unwrap();
    // The first answer is left unread: that makes of hanging up a reset, which the server cannot overlook.
    let requests = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nPOST /v1/orders HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer {}\r\nidempotency-key: k\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        seller.key,
        body.len()
    );
    wire.write_all(requests.as_bytes()).unwrap();
    let begun = Instant::now();
    while server.count("idempotency_keys") == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the request was never worked on:\n{}", server.log_tail());
        std::thread::yield_now();
    }
    drop(wire);
    let answer = post_until_answered(&server, &seller, "/v1/orders", "k", &json_body(&order("W1"))).must_be(201);
    assert!(replayed(&answer));
    assert_eq!((&answer.json()["outcome"], server.count("orders")), (&json!("created"), 1));
}

fn keys_of_another_seller_are_other_keys(database: Database) {
    let (server, seller) = start(database);
    let other = server.seller("Other Ltd", "UTC");
    let mine = post(&server, &seller, "/v1/orders", "k", json_body(&order("S1"))).must_be(201);
    let theirs = post(&server, &other, "/v1/orders", "k", json_body(&order("S1"))).must_be(201);
    assert!(!replayed(&theirs));
    assert_ne!(mine.json()["id"], theirs.json()["id"]);
}

fn a_key_that_is_no_key_is_refused(database: Database) {
    let (server, seller) = start(database);
    let longest = "k".repeat(255);
    for key in ["", "two words", "a\ttab", &format!("{longest}k")] {
        let refused = post(&server, &seller, "/v1/orders", key, json_body(&order("K1")));
        refused.must_be_problem(400, "bad_idempotency_key");
    }
    let bearer = format!("Bearer {}", seller.key);
    let twice = [("authorization", bearer.as_str()), ("idempotency-key", "a"), ("idempotency-key", "b")];
    let refused = server.try_send(&Method::POST, "/v1/orders", &twice, Some(json_body(&order("K1")))).unwrap();
    refused.must_be_problem(400, "bad_idempotency_key");
    assert_eq!(server.count("orders"), 0);
    post(&server, &seller, "/v1/orders", &longest, json_body(&order("K1"))).must_be(201);
}

const SHEET: &str = "order_number,sku,quantity\nI1,LAMP,1\nI2,SHADE,2\n";

/// A form as a client makes it, with a boundary of its own each time.
fn form(content_type: &'static str, file: &str) -> Body {
    let (_, boundary) = content_type.split_once("boundary=").unwrap();
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--{boundary}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"orders.csv\"\r\ncontent-type: text/csv\r\n\r\n\
         {file}\r\n--{boundary}--\r\n"
    );
    (content_type, body.into_bytes())
}

fn file(text: &str) -> Body {
    ("text/csv", text.as_bytes().to_vec())
}

fn upload(server: &Server, seller: &Seller, key: &str, body: Body) -> Answer {
    post(server, seller, "/v1/imports?kind=orders", key, body)
}

fn an_upload_sent_again_is_one_import(database: Database) {
    let (server, seller) = start(database);
    let (one, two) = ("multipart/form-data; boundary=one", "multipart/form-data; boundary=two");
    let other_sheet = SHEET.replace("LAMP,1", "LAMP,3");
    for (key, sent, again, other) in [
        ("file", file(SHEET), file(SHEET), file(&other_sheet)),
        ("form", form(one, SHEET), form(two, SHEET), form(one, &other_sheet)),
    ] {
        let before = server.count("imports");
        let first = upload(&server, &seller, key, sent).must_be(202);
        server.end_of_import(&seller.key, &text(&first.json()["id"]));
        let second = upload(&server, &seller, key, again).must_be(202);
        assert!(replayed(&second) && !replayed(&first), "{key}");
        assert_eq!(second.body, first.body, "{key}");
        assert_eq!(second.header("location"), first.header("location"), "{key}");
        upload(&server, &seller, key, other).must_be_problem(422, "idempotency_key_reused");
        assert_eq!(server.count("imports"), before + 1, "{key}");
    }
    assert_eq!(server.count("orders"), 2);
    let new = upload(&server, &seller, "new", file(SHEET)).must_be(202);
    assert_eq!(server.end_of_import(&seller.key, &text(&new.json()["id"]))["rows_unchanged"], 2);
    server.check_invariants();
}

fn an_upload_whose_answer_was_lost_is_one_import(database: Database) {
    let (server, seller) = start(database);
    let first = upload(&server, &seller, "k", file(SHEET)).must_be(202);
    server.end_of_import(&seller.key, &text(&first.json()["id"]));
    server.execute("UPDATE idempotency_keys SET answer = NULL");
    upload(&server, &seller, "k", file(SHEET)).must_be_problem(409, "idempotency_in_progress");

    server.execute("UPDATE idempotency_keys SET locked_until = created_at");
    let again = upload(&server, &seller, "k", file(SHEET)).must_be(202);
    assert!(replayed(&again));
    assert_eq!((&again.json()["id"], &again.json()["state"]), (&first.json()["id"], &json!("completed")));
    assert_eq!(again.header("location"), first.header("location"));
    let other = upload(&server, &seller, "k", file("order_number\nX\n"));
    other.must_be_problem(422, "idempotency_key_reused");
    assert_eq!((server.count("imports"), server.count("orders")), (1, 2));
}

fn what_is_kept_holds_no_contacts_in_the_clear(database: Database) {
    let (server, seller) = start(database);
    let made = post(&server, &seller, "/v1/orders", "k", json_body(&order("C1"))).must_be(201);
    assert!(made.text().contains("canary@example.com"));
    let holding = |word: &str| match database {
        Database::Sqlite => format!("idempotency_keys WHERE instr(answer, CAST('{word}' AS BLOB)) > 0"),
        Database::Postgres => format!("idempotency_keys WHERE position('{word}'::bytea IN answer) > 0"),
    };
    assert_eq!(server.count("idempotency_keys WHERE length(answer) > 300"), 1);
    for word in ["Canary", "example.com", "order_number"] {
        assert_eq!(server.count(&holding(word)), 0, "{word}");
    }
}
