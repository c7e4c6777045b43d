//! What would wear a server down, bit by bit: uploads that are cut off, imports without end, characters that a database cannot
//! keep, and a database that goes away at the worst moment.

use crate::browser::Browser;
use crate::server::{Answer, Database, Seller, Server, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

on_both!(
    a_cut_upload_is_deleted_when_its_client_goes,
    only_so_many_imports_of_a_seller_wait,
    a_name_with_the_letters_of_nul_leaves_the_audit_log_whole,
);

/// So long the server may take to notice that a client is gone.
const NOTICED_WITHIN: Duration = Duration::from_mins(1);

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < NOTICED_WITHIN, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn begin_upload(server: &Server, headers: &str, body: &[u8]) -> TcpStream {
    let mut wire = TcpStream::connect(server.address()).unwrap();
    let head = format!("POST /v1/imports?kind=orders HTTP/1.1\r\nhost: {}\r\n{headers}\r\n\r\n", server.address());
    wire.write_all(head.as_bytes()).unwrap();
    wire.write_all(body).unwrap();
    wire
}

fn a_cut_upload_is_deleted_when_its_client_goes(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Cut off", "UTC");
    let bearer = format!("authorization: Bearer {}", seller.key);
    let rows = b"order_number,sku,quantity\n".repeat(100_000);
    let form =
        [b"--frontier\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n".as_slice(), &rows]
            .concat();
    let piece = [format!("{:x}\r\n", rows.len()).as_bytes(), &rows, b"\r\n"].concat();
    for (what, headers, body) in [
        ("a body", "content-type: text/csv\r\ncontent-length: 9000000", &rows),
        ("a body in pieces", "content-type: text/csv\r\ntransfer-encoding: chunked", &piece),
        ("a form", "content-type: multipart/form-data; boundary=frontier\r\ncontent-length: 9000000", &form),
        ("under a key", "content-type: text/csv\r\ncontent-length: 9000000\r\nidempotency-key: cut", &rows),
    ] {
        let wire = begin_upload(&server, &format!("{bearer}\r\n{headers}"), body);
        wait_until(what, || server.count("import_chunks") >= 2);
        wire.shutdown(Shutdown::Both).unwrap();
        drop(wire);
        wait_until(what, || server.count("import_chunks") == 0 && server.count("imports") == 0);
    }
    wait_until("the key is free", || server.count("idempotency_keys") == 0);
    assert_eq!(server.import(&seller.key, "kind=orders", "order_number\n1\n")["state"], "completed");
}

fn only_so_many_imports_of_a_seller_wait(database: Database) {
    let server = Server::start(database);
    let (seller, other) = (server.seller("Eager", "UTC"), server.seller("Calm", "UTC"));
    let mut ada = Browser::joined(&server, &seller.key, ("ada@eager.example", "a long enough one"), "seller-manager");
    server.import(&seller.key, "kind=orders", "order_number\n1\n");
    // Uploads that are still arriving, so that no worker takes one.
    let new_id = if database == Database::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let more = format!("UPDATE copied SET id = {new_id}; INSERT INTO imports SELECT * FROM copied;").repeat(100);
    server.execute(&format!(
        "CREATE TABLE copied AS SELECT * FROM imports; UPDATE copied SET state = 'receiving'; {more} DROP TABLE copied;"
    ));
    let refused = server.upload(&seller.key, "kind=orders", "order_number\n2\n");
    let problem = refused.must_be_problem(429, "too_many_imports_waiting");
    assert_eq!(refused.header("retry-after"), "30");
    assert!(text(&problem["detail"]).starts_with("100 of your imports are waiting"), "{problem}");

    let bearer = format!("authorization: Bearer {}", seller.key);
    let head = format!("{bearer}\r\ncontent-type: text/csv\r\ncontent-length: 9000000");
    let mut answer = [0; 12];
    begin_upload(&server, &head, b"").read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429", "answered before the body has come");

    ada.get("/imports").must_be(200);
    let form =
        b"--frontier\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\norder_number\n3\n\r\n\
        --frontier--\r\n";
    let cookies: Vec<String> = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = format!("/imports?csrf={}", crate::browser::escaped(&ada.csrf));
    let body = Some(("multipart/form-data; boundary=frontier", form.to_vec()));
    let page = server.try_send(&Method::POST, &path, &[("cookie", &cookies.join("; "))], body).unwrap();
    assert!(page.must_be(429).text().contains("100 of your imports are waiting"));

    assert_eq!(server.import(&other.key, "kind=orders", "order_number\n4\n")["state"], "completed");
    server.execute("UPDATE imports SET state = 'cancelled' WHERE state = 'receiving'");
    assert_eq!(server.import(&seller.key, "kind=orders", "order_number\n5\n")["state"], "completed");
}

fn a_name_with_the_letters_of_nul_leaves_the_audit_log_whole(database: Database) {
    let server = Server::start(database);
    let key = server.seller("Escape", "UTC").key;
    let plain = r"six plain \u0000";
    let made = server.post(&key, "/v1/shops", &json!({"name": plain})).must_be(201).json();
    assert_eq!(made["name"], plain);
    let carrier = |name: &str| {
        let body = json!({"name": name, "patterns": ["=BB digit*8"]}).to_string().into_bytes();
        server.send(&Method::PUT, &key, "/v1/carriers/escaped", Some(("application/json", body)))
    };
    let told = carrier(plain);
    assert!([201, 422].contains(&told.status), "{}", told.text());
    // A real one is no character of a name.
    server.post(&key, "/v1/shops", &json!({"name": "a real \0"})).must_be(422);
    carrier("a real \0").must_be(422);
    let order = json!({"order_number": "N-1", "recipient": {"name": "Nil \0 Quill"}, "lines": [{"sku": "A\0B", "quantity": 1}]});
    let answer = server.post(&key, "/v1/orders", &order);
    assert!([201, 422].contains(&answer.status), "{}", answer.text());
    server.check_invariants();
    let log = server.all(&server.admin(), "/v1/admin/audit");
    assert!(log.iter().any(|row| row["detail"]["name"] == plain), "{log:?}");
}

/// Stands between the server and PostgreSQL, and cuts the connection at the commit of an order.
struct Proxy {
    port: u16,
    cut: Arc<Cut>,
}

#[derive(Default)]
struct Cut {
    /// Before the database hears of the commit.
    before: AtomicBool,
    /// When it has done it, and before the server hears of that.
    after: AtomicBool,
}

impl Proxy {
    fn start(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, cut) = (listener.local_addr().unwrap().port(), Arc::new(Cut::default()));
        let shared = Arc::clone(&cut);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&upstream).unwrap());
                let silent = Arc::new(AtomicBool::new(false));
                let (back, cut) = ((server.try_clone().unwrap(), client.try_clone().unwrap()), Arc::clone(&shared));
                let is_silent = Arc::clone(&silent);
                std::thread::spawn(move || answers(back.0, back.1, &is_silent));
                std::thread::spawn(move || questions(client, server, &cut, &silent));
            }
        });
        Self { port, cut }
    }
}

/// What the server asks.
fn questions(mut from: TcpStream, mut to: TcpStream, cut: &Cut, silent: &AtomicBool) {
    let (mut buffer, mut makes_order) = (vec![0; 64 * 1024], false);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let said = buffer.get(..read).unwrap();
        let says = |words: &str| memchr::memmem::find(said, words.as_bytes()).is_some();
        makes_order |= says("INSERT INTO orders") || says("INSERT INTO \"orders\"");
        if says("COMMIT\0") && std::mem::take(&mut makes_order) {
            if cut.before.swap(false, Ordering::SeqCst) {
                break;
            }
            silent.store(cut.after.swap(false, Ordering::SeqCst), Ordering::SeqCst);
        }
        if to.write_all(said).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

/// What the database answers.
fn answers(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if silent.load(Ordering::SeqCst) || to.write_all(buffer.get(..read).unwrap()).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

#[test]
fn a_commit_whose_answer_is_lost_is_told_as_unknown_and_can_be_sent_again() {
    let mut server = Server::start(Database::Postgres);
    let seller = server.seller("Unsure", "UTC");
    for (number, is_written) in [("U-1", true), ("U-2", false)] {
        let address = server.database_url().rsplit_once('@').unwrap().1.to_owned();
        let (host, name) = address.split_once('/').unwrap();
        let proxy = Proxy::start(host.to_owned());
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}", proxy.port);
        server.kill();
        server.set("DATABASE_URL", &url);
        server.launch();
        let cut = if is_written { &proxy.cut.after } else { &proxy.cut.before };
        cut.store(true, Ordering::SeqCst);
        let before = server.count("orders");
        let order = json!({"order_number": number, "lines": [{"sku": "LAMP", "quantity": 1}]});
        let refused = put_once(&server, &seller, number, &order);
        let problem = refused.must_be_problem(503, "outcome_unknown");
        assert!(!text(&problem["detail"]).contains("Nothing was written"), "{problem}");
        assert!(text(&problem["detail"]).contains("Send it again with the same Idempotency-Key"), "{problem}");
        assert_eq!(server.count("orders") - before, i64::from(is_written));

        let other = json!({"order_number": "another"});
        put_once(&server, &seller, number, &other).must_be_problem(422, "idempotency_key_reused");
        let again = put_once(&server, &seller, number, &order);
        assert_eq!(again.status, if is_written { 200 } else { 201 }, "{}", again.text());
        assert_eq!(server.count("orders") - before, 1);
        let replayed = put_once(&server, &seller, number, &order);
        assert_eq!((replayed.status, replayed.header("idempotent-replayed")), (again.status, "true"));
    }
    server.check_invariants();
}

#[track_caller]
fn put_once(server: &Server, seller: &Seller, key: &str, order: &Value) -> Answer {
    server.ask(&seller.key, (&Method::POST, "/v1/orders"), ("idempotency-key", key), order)
}
