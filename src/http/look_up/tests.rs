//! Nobody finds out by trying: every wrong answer is one answer, and right and wrong take equal time.

use super::*;
use crate::app::Clock;
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::ids::SellerId;
use crate::domain::order::{Contact, OrderLine, OrderRow, OrderState, Place};
use crate::flows::privacy::{Person, erase};
use crate::flows::sign_up::sign_up_seller;
use crate::flows::take_in::put::{Sender, put_order};
use crate::http::client::Client;
use crate::http::finish;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App as Application, web};
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Calls under way at once, and how often.
const TOGETHER: usize = 100;
const ROUNDS: usize = 22;
/// Beyond this the two differ; by chance alone they do once in a hundred thousand measurements.
const WELCH_T: f64 = 4.5;

struct Shop {
    app: Arc<App>,
    seller: SellerId,
    handle: String,
    _folder: tempfile::TempDir,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let database_url = format!("sqlite:{}", folder.path().join("test.db").display());
    let app = Arc::new(App::open(Config { database_url, ..Config::default() }, Clock::System).unwrap());
    let made = sign_up_seller(&app.store, "Lantern", None, Some("UTC"), app.now()).unwrap();
    let id = made.shop_id.0.simple().to_string();
    let handle = format!("lantern-{}", id.get(24..).unwrap());
    let (seller, long_ago) = (made.seller_id, app.now() - (24 * 130).hours());
    for (number, state, at) in
        [("1001", None, app.now()), ("ERASED", None, app.now()), ("OVER", Some(OrderState::Cancelled), long_ago)]
    {
        put(&app, seller, number, state, at);
    }
    let erased = Person::OrderNumber(None, "ERASED".to_owned());
    erase::erase(&app.store, seller, &erased, &Actor::system(), app.now()).unwrap();
    Shop { app, seller, handle, _folder: folder }
}

fn put(app: &App, seller: SellerId, number: &str, state: Option<OrderState>, now: Timestamp) {
    let sender = Sender { store: &app.store, secrets: &app.secrets, seller, shop: None, create_only: false, now };
    let email = Some("ada@example.com".to_owned());
    let row = OrderRow {
        order_number: number.to_owned(),
        order_ref: None,
        ordered: None,
        currency: None,
        contact: Contact { email, ..Contact::default() },
        destination: Place { postal_code: Some("SW1A 1AA".to_owned()), ..Place::default() },
        origin: Place::default(),
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        state,
        channel: None,
        line: OrderLine::default(),
        more_lines: Vec::new(),
        is_summary: false,
    };
    put_order(&sender, &[row]).unwrap();
}

/// What is asked, and whether it is right.
fn questions(handle: &str) -> Vec<(&'static str, Value, bool)> {
    let ask =
        |shop: &str, number: &str, proof: &str, told: &str| json!({"shop": shop, "order_number": number, proof: told});
    let ada = "ada@example.com";
    vec![
        ("by e-mail", ask(handle, "1001", "email", " Ada@Example.com"), true),
        ("by postal code", ask(handle, "1001", "postal_code", "sw1a1aa"), true),
        ("another e-mail", ask(handle, "1001", "email", "bob@example.com"), false),
        ("no e-mail at all", ask(handle, "1001", "email", "ada"), false),
        ("another postal code", ask(handle, "1001", "postal_code", "SW1A 1AB"), false),
        ("no such order", ask(handle, "1002", "email", ada), false),
        ("no such shop", ask("nowhere", "1001", "email", ada), false),
        ("an erased order", ask(handle, "ERASED", "email", ada), false),
        ("a postal code that was erased", ask(handle, "ERASED", "postal_code", "SW1A 1AA"), false),
        ("ended long ago", ask(handle, "OVER", "email", ada), false),
        ("no such parcel", json!({"shop": handle, "tracking_number": "1Z999AA10123456784", "email": ada}), false),
    ]
}

/// What a call of the running test waits for, in microseconds: its beat, and so much more work where the answer is right.
static TEST_BEAT: AtomicU64 = AtomicU64::new(1000);
static MORE_WORK_IF_RIGHT: AtomicU64 = AtomicU64::new(0);

async fn on_test_beat(app: Data<App>, told: Json<LookUpIn>) -> Result<HttpResponse, Problem> {
    let [beat, more_work] = [&TEST_BEAT, &MORE_WORK_IF_RIGHT].map(|it| Duration::from_micros(it.load(Relaxed)));
    let (app, question) = (app.into_inner(), told.into_inner().question()?);
    let work = async {
        let answer = answer(&app, question).await;
        if answer.is_ok() {
            tokio::time::sleep(more_work).await;
        }
        answer
    };
    on_the_beat(beat, work).await
}

macro_rules! serve {
    ($shop:expr) => {
        init_service({
            let app = Arc::clone(&$shop.app);
            Application::new()
                .wrap(from_fn(move |request, next| finish(Arc::clone(&app), request, next)))
                .app_data(Data::from(Arc::clone(&$shop.app)))
                .route("/", web::post().to(on_test_beat))
        })
        .await
    };
}

fn asked(question: &Value) -> TestRequest {
    TestRequest::post().uri("/").insert_header(("x-request-id", "same-for-all")).set_json(question)
}

#[actix_web::test]
async fn every_wrong_answer_is_one_answer() {
    let shop = shop();
    let service = serve!(shop);
    let mut wrong = Vec::new();
    for (what, question, is_right) in questions(&shop.handle) {
        let answer = call_service(&service, asked(&question).to_request()).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let headers: BTreeMap<_, _> = headers.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        let body = read_body(answer).await;
        if is_right {
            assert_eq!(status, StatusCode::OK, "{what}");
            let told: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&told["order_number"], &told["seller"]), (&json!("1001"), &json!("Lantern")), "{what}");
            assert!(!told.to_string().contains("token") && !told.to_string().contains("/track/"), "{what}: {told}");
        } else {
            assert_eq!(status, StatusCode::NOT_FOUND, "{what}");
            wrong.push((headers, body));
        }
    }
    assert!(wrong.iter().all(|answer| *answer == wrong[0]), "{wrong:?}");
}

/// Times calls from request to answer, none left out; at once and in turns, so that what else the machine does falls on
/// right and wrong alike. Right answers are given much more work, so that the beat has something to hide; without it the
/// same measurement sees that. A busy machine may still stumble in one measurement, so of three one must pass: what is not
/// hidden would fail all three.
#[actix_web::test]
async fn right_and_wrong_take_equal_time() {
    let shop = shop();
    let service = serve!(shop);
    let questions = questions(&shop.handle);
    let (right, wrong): (Vec<_>, Vec<_>) = questions.iter().partition(|(_, _, is_right)| *is_right);
    let time = async |question: &Value| {
        let began = std::time::Instant::now();
        call_service(&service, asked(question).to_request()).await;
        began.elapsed()
    };
    let round = async |round: usize| {
        let calls = (0..TOGETHER).map(|n| {
            let is_right = (n + round).is_multiple_of(2);
            let of = if is_right { &right } else { &wrong };
            let (_, question, _) = &of[(n / 2 + round) % of.len()];
            let time = &time;
            async move { (is_right, time(question).await.as_secs_f64()) }
        });
        join_all(calls).await
    };
    let measure = async |rounds: usize| {
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..rounds {
            for (is_right, seconds) in round(number).await {
                times[usize::from(is_right)].push(seconds);
            }
        }
        (welch_t(&times[0], &times[1]), times.iter().map(Vec::len).sum::<usize>())
    };
    round(0).await;
    let began = std::time::Instant::now();
    round(1).await;
    let of_a_round = u64::try_from(began.elapsed().as_micros()).unwrap();
    MORE_WORK_IF_RIGHT.store(of_a_round / 2, Relaxed);
    let (seen, _) = measure(4).await;
    assert!(seen.abs() > WELCH_T, "the measurement sees nothing: t = {seen}");

    TEST_BEAT.store((of_a_round * 3).max(20_000), Relaxed);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let (t, calls) = measure(ROUNDS).await;
        assert!(calls >= 2_000);
        if t.abs() < WELCH_T {
            return;
        }
        seen.push(t);
    }
    panic!("right and wrong differ in time: t = {seen:?}, on a beat of {TEST_BEAT:?} microseconds");
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a few thousand")]
fn welch_t(one: &[f64], other: &[f64]) -> f64 {
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    let variance = |times: &[f64]| {
        let middle = mean(times);
        times.iter().map(|it| (it - middle).powi(2)).sum::<f64>() / (times.len() - 1) as f64
    };
    let spread = variance(one) / one.len() as f64 + variance(other) / other.len() as f64;
    (mean(one) - mean(other)) / spread.sqrt()
}

#[test]
fn a_difference_is_seen_where_there_is_one() {
    let noise = |n: u32| f64::from(n * 7919 % 1000) / 1e5;
    let slow: Vec<f64> = (0..1000).map(|n| 0.150 + noise(n)).collect();
    let fast: Vec<f64> = (0..1000).map(|n| 0.149 + noise(n + 1)).collect();
    assert!(welch_t(&slow, &fast) > WELCH_T);
    assert!(welch_t(&slow, &slow).abs() < WELCH_T);
}

/// A hundred thousand guesses at the postal code of one order, from as many addresses, the right one among them; and as
/// many from one address at as many orders.
#[actix_web::test]
async fn no_guess_hits_past_the_limits() {
    let shop = shop();
    put(&shop.app, shop.seller, "2002", None, shop.app.now());
    let guess = |number: &str, code: &str| Question {
        shop: shop.handle.clone(),
        subject: Subject::OrderNumber(number.to_owned()),
        proof: Proof::PostalCode(code.to_owned()),
    };
    let address = |n: u32| {
        let peer = SocketAddr::from((Ipv4Addr::from_bits(0x0a00_0000 + n), 443));
        Client::of(Some(peer), &HeaderMap::new(), &shop.app).address
    };
    let limits = Limits::new(0, 0);
    let right = guess("2002", "SW1A1AA");
    assert!(answer(&shop.app, right).await.is_ok(), "it can be guessed");
    let (mut admitted, mut hits) = (0, 0);
    for n in 0..100_000 {
        let is_right = n > 0 && n % 1_000 == 0;
        let question = guess("2002", if is_right { "SW1A1AA" } else { "SW1A 9ZZ" });
        if admit(&limits, address(n), &question).is_ok() {
            admitted += 1;
            hits += u32::from(answer(&shop.app, question).await.is_ok());
        }
    }
    assert!((10..20).contains(&admitted), "{admitted} of one order");
    assert_eq!(hits, 0);
    let (mut admitted, one) = (0, address(200_000));
    for n in 0..100_000 {
        admitted += u32::from(admit(&limits, one, &guess(&format!("KANARI-{n}"), "1")).is_ok());
    }
    assert!((20..60).contains(&admitted), "{admitted} of one address");
}
