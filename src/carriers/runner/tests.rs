//! The runner against a small server that misbehaves in one way at a time.

use super::*;
use crate::carriers::answer::{AnswerError, ParcelAnswer};
use crate::carriers::guard::Forbidden;
use crate::carriers::pace::Limits;
use crate::carriers::simulated::Simulated;
use crate::carriers::wire::Token;
use crate::domain::carrier::CarrierSlug;
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Server {
    base: String,
    hits: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each connection with what `answer` makes of its place in the row, from 1, and its request's head.
    fn start(answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                let hit = counted.fetch_add(1, Ordering::SeqCst) + 1;
                std::thread::spawn(move || {
                    let mut head = [0; 4096];
                    let length = stream.read(&mut head).unwrap_or(0);
                    // A client that hangs up early is part of these tests.
                    let _ = stream.write_all(&answer(hit, &String::from_utf8_lossy(&head[..length])));
                });
            }
        });
        Self { base, hits }
    }

    fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

fn found() -> Vec<u8> {
    http("200 OK", "content-type: application/json\r\n", r#"{"parcels":[{"number":"A1","found":true,"events":[]}]}"#)
}

fn config() -> RunnerConfig {
    RunnerConfig {
        total_timeout: Duration::from_millis(700),
        body_limit: 64 * 1024,
        attempts: 1,
        retry_pause: Duration::from_millis(1),
        circuit_pause: Duration::from_millis(400),
        private_sources: HashSet::from([Simulated::NAME.to_owned()]),
        ..RunnerConfig::new(Arc::new(|| "2026-09-17T10:00:00Z".parse().unwrap()))
    }
}

fn a1() -> Asked {
    Asked { carrier: CarrierSlug::from_stored("dhl".to_owned()), number: "A1".to_owned() }
}

async fn ask(runner: &Runner, base: &str) -> Result<Answer, AskError> {
    let mut replies = runner.ask(&Simulated::new(base, None), &[a1()]).await;
    assert_eq!((replies.len(), &replies[0].covers), (1, &vec![a1()]));
    replies.remove(0).answer
}

#[tokio::test]
async fn a_bad_answer_is_told_apart_and_speaks_of_the_source_alone() {
    let json = "content-type: application/json\r\n";
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("HTML", http("200 OK", "content-type: text/html\r\n", "<html>"), "cannot be read: it is no JSON"),
        ("truncated JSON", http("200 OK", json, r#"{"parcels":[{"#), "cannot be read: it is no JSON: EOF"),
        ("a body that ends early", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"parcels\"".to_vec(), "broke off"),
        ("nothing", Vec::new(), "cannot be reached"),
        ("no HTTP", b"220 mail.example.com ESMTP\r\n".to_vec(), "cannot be reached"),
        ("too long by its own word", http("200 OK", json, &" ".repeat(70_000)), "longer than 65536 bytes"),
        ("a redirect", http("302 Found", "location: http://127.0.0.1:1/\r\n", ""), "redirects with status 302"),
        ("a failure", http("500 Oops", "", ""), "failed with status 500"),
        ("refused token", http("401 No", "", ""), "does not accept our credentials"),
        ("asked too often", http("429 Slow", "retry-after: 7\r\n", "slow"), "come back in 7 s"),
    ];
    for (what, bytes, expected) in cases {
        let server = Server::start(move |_, _| bytes.clone());
        let error = ask(&Runner::new(config()).unwrap(), &server.base).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{what}: {error}");
        assert_eq!(server.hits(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let target = Server::start(|_, _| found());
    let to = format!("location: {}/v1/parcels\r\n", target.base);
    for status in ["301 Moved", "307 Temporary", "308 Permanent"] {
        let to = to.clone();
        let server = Server::start(move |_, _| http(status, &to, ""));
        let error = ask(&Runner::new(config()).unwrap(), &server.base).await.unwrap_err();
        assert!(matches!(error, AskError::Redirected { .. }), "{status}: {error}");
    }
    assert_eq!(target.hits(), 0);
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let server = Server::start(|_, _| {
        let mut bytes =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n".to_vec();
        bytes.resize(20_000_000, b' ');
        bytes
    });
    let error = ask(&Runner::new(config()).unwrap(), &server.base).await.unwrap_err();
    assert!(matches!(error, AskError::TooLong { limit: 65_536 }), "{error}");
}

#[tokio::test]
async fn a_silent_source_is_given_up() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(2));
        found()
    });
    let error = ask(&Runner::new(config()).unwrap(), &server.base).await.unwrap_err();
    assert!(matches!(error, AskError::TimedOut), "{error}");
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_others_are_not() {
    let patient = || Runner::new(RunnerConfig { attempts: 3, ..config() }).unwrap();
    let server = Server::start(|hit, _| if hit == 1 { http("500 Oops", "", "") } else { found() });
    assert_eq!(ask(&patient(), &server.base).await.unwrap().outcome, Outcome::Tracked);
    assert_eq!(server.hits(), 2, "500, then 200");

    let server = Server::start(|_, _| http("502 Bad", "", ""));
    assert!(ask(&patient(), &server.base).await.is_err());
    assert_eq!(server.hits(), 3, "502 as often as allowed");

    let server = Server::start(|_, _| http("503 Full", "retry-after: 9\r\n", ""));
    let runner = patient();
    assert_eq!(ask(&runner, &server.base).await.unwrap_err().wait(), Some(Duration::from_secs(9)));
    let error = ask(&runner, &server.base).await.unwrap_err();
    assert!(matches!(error, AskError::Resting { because: RestReason::ToldToWait, .. }), "{error}");
    assert_eq!(server.hits(), 1, "told to wait");
}

#[tokio::test]
async fn the_circuit_opens_after_five_failures_and_other_sources_go_on() {
    let broken = Server::start(|hit, _| if hit <= 5 { http("500 Oops", "", "") } else { found() });
    let sound = Server::start(|_, _| found());
    let runner = Runner::new(config()).unwrap();
    for _ in 0..9 {
        assert!(ask(&runner, &broken.base).await.is_err());
        assert!(ask(&runner, &sound.base).await.is_ok());
    }
    assert_eq!((broken.hits(), sound.hits()), (5, 9));
    let error = ask(&runner, &broken.base).await.unwrap_err();
    assert!(matches!(error, AskError::Resting { because: RestReason::Failures, .. }), "{error}");
    tokio::time::sleep(Duration::from_millis(450)).await;
    assert!(ask(&runner, &broken.base).await.is_ok(), "half open, and the answer is good");
    assert!(ask(&runner, &broken.base).await.is_ok(), "closed");
}

#[tokio::test]
async fn a_crowd_does_not_run_through_an_opening_circuit() {
    let broken = Server::start(|_, _| http("500 Oops", "", ""));
    let asked: Vec<_> = (1..=1200).map(|it| Asked { number: format!("A{it}"), ..a1() }).collect();
    let api = Simulated::new(&broken.base, None);
    let replies = Runner::new(config()).unwrap().ask(&api, &asked).await;
    assert_eq!(replies.len(), 30);
    assert!(broken.hits() < 5 + api.limits().at_once, "five, and those in flight: {}", broken.hits());
}

#[tokio::test]
async fn whoever_would_wait_too_long_is_told_to_come_back() {
    let slow = Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(200));
        found()
    });
    let one = Limits { requests: 100, per: Duration::from_secs(1), burst: 100, at_once: 1 };
    let limits = HashMap::from([(Simulated::NAME.to_owned(), one)]);
    let runner = Runner::new(RunnerConfig { patience: Duration::from_millis(300), limits, ..config() }).unwrap();
    let asked = vec![a1(); 160];
    let replies = runner.ask(&Simulated::new(&slow.base, None), &asked).await;
    let told: Vec<_> = replies.iter().map(|it| it.answer.is_ok()).collect();
    assert_eq!(told, [true, true, false, false]);
    let error = replies[3].answer.as_ref().unwrap_err();
    assert!(matches!(error, AskError::Resting { because: RestReason::OwnLimit, .. }), "{error}");
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_allowed() {
    let server = Server::start(|_, _| found());
    let runner = Runner::new(RunnerConfig { private_sources: HashSet::new(), ..config() }).unwrap();
    for base in [server.base.as_str(), "http://localhost", "http://127.0.0.1", "http://[::1]", "file:///etc/passwd"] {
        let error = ask(&runner, base).await.unwrap_err();
        assert!(matches!(error, AskError::Forbidden(_)), "{base}: {error}");
    }
    let by_name = ask(&runner, "http://localhost").await.unwrap_err();
    assert!(matches!(by_name, AskError::Forbidden(Forbidden::Private(_))), "the resolver refuses it: {by_name:?}");
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn numbers_go_in_batches_and_each_is_answered() {
    let server = Server::start(|_, _| found());
    let asked: Vec<_> = (1..=90).map(|it| Asked { number: format!("A{it}"), ..a1() }).collect();
    let replies = Runner::new(config()).unwrap().ask(&Simulated::new(&server.base, None), &asked).await;
    assert_eq!(replies.iter().map(|it| it.covers.len()).collect::<Vec<_>>(), [40, 40, 10]);
    let first = replies[0].answer.as_ref().unwrap();
    assert_eq!((first.outcome, first.parcels.len()), (Outcome::Partial, 40));
    assert_eq!(first.parcels[0], ParcelAnswer::without_news("A1".to_owned(), None));
    assert_eq!(first.parcels[1].error.as_ref().map(|it| it.code.as_str()), Some("no_answer"));
    let third = replies[2].answer.as_ref().unwrap();
    assert!(third.parcels.iter().all(|it| it.number != "A1"), "another parcel's number is dropped");
}

/// A source that wants a token; the server calls tokens good from `t2` on.
struct WithToken(Simulated, String);

impl CarrierApi for WithToken {
    fn name(&self) -> &'static str {
        Simulated::NAME
    }
    fn account(&self) -> &str {
        self.0.account()
    }
    fn batch_size(&self) -> usize {
        1
    }
    fn sign_in(&self) -> Option<HttpRequest> {
        Some(HttpRequest { method: Method::Post, ..HttpRequest::get(format!("{}/token", self.1), &[]) })
    }
    fn token(&self, reply: &HttpReply) -> Option<Token> {
        let secret = Secret(String::from_utf8(reply.body.clone()).ok()?);
        (reply.status == 200).then_some(Token { secret, lives: Duration::from_hours(1) })
    }
    fn requests(&self, asked: &[Asked]) -> Vec<HttpRequest> {
        self.0.requests(asked)
    }
    fn parse(&self, reply: &HttpReply) -> Answer {
        self.0.parse(reply)
    }
}

async fn ask_with_tokens(good: &'static str, asked: usize) -> (Vec<Result<Answer, AskError>>, usize) {
    let tokens = Arc::new(AtomicUsize::new(0));
    let fetched = Arc::clone(&tokens);
    let server = Server::start(move |_, head| {
        if head.starts_with("POST /token") {
            return http("200 OK", "", &format!("t{}", fetched.fetch_add(1, Ordering::SeqCst) + 1));
        }
        if head.contains(&format!("Bearer {good}\r\n")) { found() } else { http("401 No", "", "") }
    });
    let api = WithToken(Simulated::new(&server.base, None), server.base.clone());
    let runner = Runner::new(config()).unwrap();
    let replies = runner.ask(&api, &vec![a1(); asked]).await;
    (replies.into_iter().map(|it| it.answer).collect(), tokens.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_once_when_it_is_refused() {
    let (answers, fetched) = ask_with_tokens("t1", 6).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(fetched, 1, "six requests share it");
    let (answers, fetched) = ask_with_tokens("t2", 1).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert_eq!(fetched, 2);
    let (answers, fetched) = ask_with_tokens("t9", 1).await;
    assert!(matches!(answers[0], Err(AskError::Unauthorized)), "{answers:?}");
    assert_eq!(fetched, 2, "no loop");
}

#[test]
fn a_pause_is_drawn_between_nothing_and_its_longest() {
    let longest = Duration::from_millis(5);
    let drawn: HashSet<_> = (0..100).map(|_| drawn_up_to(longest)).collect();
    assert!(drawn.len() > 1 && drawn.iter().all(|it| *it <= longest));
    assert_eq!(drawn_up_to(Duration::ZERO), Duration::ZERO);
    assert!(AnswerError::not_found().retryable);
}
