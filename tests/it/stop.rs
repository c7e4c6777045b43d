//! The server is asked to end while it is at work: nobody who was let in is cut off, and nothing stays claimed.

use crate::server::{Database, Server, text};
use reqwest::Method;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

on_both!(a_stop_under_load_cuts_nobody_off, a_stop_lets_go_of_what_is_being_asked);

const CLIENTS: usize = 8;
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// What the clients have seen.
#[derive(Default)]
struct Seen {
    is_stopping: AtomicBool,
    is_over: AtomicBool,
    answered: AtomicUsize,
    orders_made: AtomicUsize,
    closing: AtomicUsize,
}

/// Sends the clients home where the test fails, so that it does not wait for them.
struct Over<'a>(&'a Seen);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.is_over.store(true, Ordering::Relaxed);
        }
    }
}

fn a_stop_under_load_cuts_nobody_off(database: Database) {
    let mut server = Server::start(database);
    let seller = server.seller("Busy", "UTC");
    let import = server.upload(&seller.key, "kind=combined", sheet()).must_be(202).json();
    let seen = Seen::default();
    let cut_off: Vec<String> = std::thread::scope(|scope| {
        let (address, key, seen) = (server.address().to_owned(), seller.key.as_str(), &seen);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let address = address.clone();
                scope.spawn(move || ask_until_refused(&address, key, client, seen))
            })
            .collect();
        let _over = Over(seen);
        let begun = Instant::now();
        while seen.answered.load(Ordering::Relaxed) < 10 * CLIENTS {
            assert!(begun.elapsed() < Duration::from_mins(3), "the server is too slow to be stopped");
            std::thread::sleep(Duration::from_millis(10));
        }
        seen.is_stopping.store(true, Ordering::Relaxed);
        let asked_to_end = Instant::now();
        server.terminate();
        told_to_go_elsewhere(&server);
        assert_eq!(server.exit_code(ENDS_WITHIN), Some(0));
        assert!(asked_to_end.elapsed() < ENDS_WITHIN);
        clients.into_iter().filter_map(|client| client.join().unwrap().err()).collect()
    });
    assert_eq!(cut_off, Vec::<String>::new());
    assert!(seen.closing.load(Ordering::Relaxed) >= 1, "no answer said that the connection is closed");
    let made = seen.orders_made.load(Ordering::Relaxed);
    let kept = server.count("(SELECT id FROM orders WHERE order_number LIKE 'LOAD-%') AS made");
    assert_eq!(usize::try_from(kept).unwrap(), made, "what was acknowledged and what is kept");
    assert_eq!(server.count("imports WHERE state = 'running' AND claimed_until IS NOT NULL"), 0);

    server.launch();
    let ended = server.end_of_import(&seller.key, &text(&import["id"]));
    assert_eq!((&ended["state"], &ended["rows_created"]), (&json!("completed"), &json!(SHEET_ROWS)), "{ended}");
    server.check_invariants();
}

/// Readiness is withdrawn at once, while requests are still taken.
fn told_to_go_elsewhere(server: &Server) {
    let begun = Instant::now();
    loop {
        let answer = server.try_send(&Method::GET, "/readyz", &[], None).unwrap();
        if answer.status == 503 {
            answer.must_be_problem(503, "stopping");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "still ready: {}", answer.text());
    }
}

/// Asks on one connection after the other until nobody listens any more. An error is a request that was cut off.
fn ask_until_refused(address: &str, key: &str, client: usize, seen: &Seen) -> Result<(), String> {
    let mut wire: Option<BufReader<TcpStream>> = None;
    for turn in (0..).take_while(|_| !seen.is_over.load(Ordering::Relaxed)) {
        let mut connected = match wire.take() {
            Some(kept) => kept,
            None => match TcpStream::connect(address) {
                Ok(stream) => BufReader::new(stream),
                Err(error)
                    if error.kind() == ErrorKind::ConnectionRefused && seen.is_stopping.load(Ordering::Relaxed) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(format!("client {client} cannot connect: {error}")),
            },
        };
        let posts = turn % 4 == 0;
        let request = if posts { put_order(address, key, client, turn) } else { list_orders(address, key) };
        let answer = exchange(&mut connected, &request).map_err(|error| {
            format!("client {client} was cut off in turn {turn}: {error}, stopping: {:?}", seen.is_stopping)
        })?;
        if answer.status / 100 != 2 {
            return Err(format!("client {client} turn {turn}: {}", answer.status));
        }
        seen.answered.fetch_add(1, Ordering::Relaxed);
        seen.orders_made.fetch_add(usize::from(posts), Ordering::Relaxed);
        seen.closing.fetch_add(usize::from(answer.closes), Ordering::Relaxed);
        wire = (!answer.closes).then_some(connected);
    }
    Ok(())
}

fn put_order(address: &str, key: &str, client: usize, turn: usize) -> String {
    let body = json!({"order_number": format!("LOAD-{client}-{turn}"), "ordered_at": "2026-11-02",
        "lines": [{"sku": "LAMP", "quantity": 1}]})
    .to_string();
    format!(
        "POST /v1/orders HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn list_orders(address: &str, key: &str) -> String {
    format!("GET /v1/orders?limit=5 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\r\n")
}

struct Answered {
    status: u16,
    closes: bool,
}

/// Sends a request and reads its whole answer.
fn exchange(wire: &mut BufReader<TcpStream>, request: &str) -> io::Result<Answered> {
    wire.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    let mut next_line = |wire: &mut BufReader<TcpStream>| -> io::Result<String> {
        line.clear();
        if wire.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_ascii_lowercase())
    };
    let status = next_line(wire)?.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let (mut length, mut closes) = (0, false);
    loop {
        let header = next_line(wire)?;
        if header.is_empty() {
            break;
        }
        if let Some(told) = header.strip_prefix("content-length:") {
            length = told.trim().parse().unwrap();
        }
        assert!(!header.starts_with("transfer-encoding:"), "these answers have a length");
        closes |= header == "connection: close";
    }
    wire.read_exact(&mut vec![0; length])?;
    Ok(Answered { status, closes })
}

const SHEET_ROWS: usize = 1_200;

fn sheet() -> Vec<u8> {
    let mut sheet = "order_number,order_date,sku,quantity,country,tracking_number,carrier,shipped_at\n".to_owned();
    for row in 0..SHEET_ROWS {
        writeln!(sheet, "S-{row},2026-09-01,LAMP,1,US,SX{row:09}Q,other,2026-09-02").unwrap();
    }
    sheet.into_bytes()
}

/// A source that takes every question and answers none.
fn silent_source() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, listener)
}

fn a_stop_lets_go_of_what_is_being_asked(database: Database) {
    let (url, _kept_open) = silent_source();
    let settings = [("PARCELTRAIL_SIMULATOR_URL", url.as_str()), ("PARCELTRAIL_DRAIN_DELAY_MS", "0")];
    let mut server = Server::start_with(database, &settings);
    let seller = server.seller("Patient", "UTC");
    server.import(
        &seller.key,
        "kind=combined",
        "order_number,order_date,sku,quantity,tracking_number,carrier\nP-1,2026-09-01,LAMP,1,PT0000001,other\n",
    );
    let begun = Instant::now();
    while server.count("trackers WHERE claimed_until IS NOT NULL") == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody is asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.terminate();
    assert_eq!(server.exit_code(ENDS_WITHIN), Some(0));
    assert_eq!(server.count("trackers"), 1);
    assert_eq!(server.count("trackers WHERE claimed_until IS NOT NULL"), 0);
}

#[test]
fn after_a_stop_the_database_file_alone_is_whole() {
    let mut server = Server::start_with(Database::Sqlite, &[("PARCELTRAIL_DRAIN_DELAY_MS", "0")]);
    let seller = server.seller("Copied", "UTC");
    server.import(&seller.key, "kind=combined", sheet());
    // Readers of several threads stay open, and idle.
    for _ in 0..20 {
        server.get(&seller.key, "/v1/orders?limit=5").must_be(200);
    }
    server.terminate();
    assert_eq!(server.exit_code(ENDS_WITHIN), Some(0));
    assert!(!server.log().contains("not whole"), "{}", server.log_tail());
    let database = server.database_url().trim_start_matches("sqlite:").to_owned();
    let log = std::fs::metadata(format!("{database}-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the log holds something still");

    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db").display().to_string();
    std::fs::copy(&database, &copy).unwrap();
    for table in ["orders", "order_lines", "shipments", "trackers", "tracking_events", "standings", "audit_log"] {
        assert_eq!(Server::count_in(&copy, table), server.count(table), "{table}");
    }
    assert_eq!(Server::count_in(&copy, "orders"), i64::try_from(SHEET_ROWS).unwrap());
    let settings = [("DATABASE_URL", format!("sqlite:{copy}")), ("PARCELTRAIL_SECRET_KEY", server.secret_key())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let checked = server.run_with(&["check-invariants"], &settings);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut server = Server::start_with(Database::Sqlite, &[("PARCELTRAIL_DRAIN_DELAY_MS", "60000")]);
    server.terminate();
    told_to_go_elsewhere(&server);
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(5)), Some(1));
}
