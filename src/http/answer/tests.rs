//! What every answer has, asked of a small application of its own.

use super::*;
use crate::app::Clock;
use crate::config::Config;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
use actix_web::{App as Application, HttpServer, web};
use serde_json::Value;
use tempfile::TempDir;

/// An application on a database that is gone with the folder.
fn app(public_url: Option<&str>) -> (Arc<App>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        database_url: format!("sqlite:{}", folder.path().join("parceltrail.db").display()),
        public_url: public_url.map(str::to_owned),
        trusted_proxies: "127.0.0.1".parse().unwrap(),
        ..Config::default()
    };
    (Arc::new(App::open(config, Clock::System).unwrap()), folder)
}

async fn breaks() -> HttpResponse {
    panic!("for the test");
}

async fn page() -> HttpResponse {
    let own = (header::CONTENT_SECURITY_POLICY, "default-src 'self'");
    HttpResponse::NotFound().insert_header(own).content_type("text/html").body("<p>Nothing.</p>")
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/breaks", web::get().to(breaks))
        .route("/page", web::get().to(page))
        .route("/v1/things/{id}", web::get().to(HttpResponse::Ok))
        .default_service(web::route().to(HttpResponse::NotFound));
}

/// Asks, and tells the answer whichever way it came.
async fn ask(app: &Arc<App>, request: TestRequest) -> HttpResponse {
    let app = Arc::clone(app);
    let finishing = from_fn(move |request, next| finish(Arc::clone(&app), request, next));
    let service = init_service(Application::new().wrap(finishing).configure(routes)).await;
    match try_call_service(&service, request.to_request()).await {
        Ok(response) => response.into_parts().1,
        Err(error) => error.error_response(),
    }
}

fn header_of<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    let mut values = response.headers().get_all(name);
    let value = values.next().map(|value| value.to_str().unwrap());
    assert!(values.next().is_none(), "{name} stands twice");
    value
}

#[actix_web::test]
async fn a_handler_that_panics_answers_a_problem_and_the_server_lives() {
    let (app, _folder) = app(None);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        let app = Arc::clone(&app);
        let finishing = from_fn(move |request, next| finish(Arc::clone(&app), request, next));
        Application::new().wrap(finishing).configure(routes)
    });
    let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    #[allow(clippy::disallowed_methods, reason = "a test speaks with itself")]
    let client = reqwest::Client::new();
    for turn in 1..=3 {
        let broken = client.get(format!("{url}/breaks")).header("x-request-id", "turn-0001").send().await.unwrap();
        assert_eq!(broken.status(), 500, "turn {turn}");
        assert_eq!(broken.headers()["content-type"], "application/problem+json");
        assert_eq!(broken.headers()["x-content-type-options"], "nosniff");
        let problem: Value = broken.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["request_id"]), (&"internal".into(), &"turn-0001".into()));
        assert_eq!(client.get(format!("{url}/v1/things/1")).send().await.unwrap().status(), 200, "turn {turn}");
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn every_answer_has_the_headers_once_and_a_page_keeps_its_own() {
    let (app, _folder) = app(None);
    for (path, status, cache, policy) in [
        ("/v1/things/1", 200, Some("no-store"), content_policy("/")),
        ("/v1/nothing", 404, Some("no-store"), content_policy("/")),
        ("/nothing", 404, Some("no-store"), content_policy("/")),
        ("/docs/nothing", 404, Some("no-store"), content_policy("/docs/")),
        ("/breaks", 500, Some("no-store"), content_policy("/")),
        ("/page", 404, None, "default-src 'self'"),
    ] {
        let response = ask(&app, TestRequest::get().uri(path)).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(header_of(&response, "cache-control"), cache, "{path}");
        assert_eq!(header_of(&response, "content-security-policy"), Some(policy), "{path}");
        for (name, value) in POLICY {
            assert_eq!(header_of(&response, name.as_str()), Some(value), "{path}");
        }
        assert_eq!(header_of(&response, "strict-transport-security"), None, "{path}");
        assert!(header_of(&response, "x-request-id").is_some_and(|id| id.len() >= 8), "{path}");
    }
}

#[actix_web::test]
async fn browsers_are_held_to_tls_only_where_there_is_tls() {
    let peer = |address: &str| TestRequest::get().uri("/v1/things/1").peer_addr(address.parse().unwrap());
    let told = |request: TestRequest, proto: &str| request.insert_header(("x-forwarded-proto", proto));
    for (what, public_url, request, held) in [
        ("no TLS", Some("http://t.example"), peer("192.0.2.1:9"), false),
        ("by our own address", Some("https://t.example"), peer("192.0.2.1:9"), true),
        ("by our proxy's word", None, told(peer("127.0.0.1:9"), "https"), true),
        ("against our proxy's word", Some("https://t.example"), told(peer("127.0.0.1:9"), "http"), false),
        ("by a stranger's word", None, told(peer("192.0.2.1:9"), "https"), false),
    ] {
        let (app, _folder) = app(public_url);
        let response = ask(&app, request).await;
        assert_eq!(header_of(&response, "strict-transport-security").is_some(), held, "{what}");
    }
}

#[actix_web::test]
async fn what_is_too_long_is_not_read() {
    let (app, _folder) = app(None);
    let path = |bytes: usize| format!("/v1/things/{}", "x".repeat(bytes - "/v1/things/".len()));
    let with_header = |bytes: usize| TestRequest::get().uri("/v1/things/1").insert_header(("x", "y".repeat(bytes)));
    for (what, request, status, code) in [
        ("the longest path", TestRequest::get().uri(&path(LONGEST_URI)), 200, None),
        ("a longer one", TestRequest::get().uri(&path(LONGEST_URI + 1)), 414, Some("uri_too_long")),
        ("the longest headers", with_header(LONGEST_HEADERS - 1), 200, None),
        ("longer ones", with_header(LONGEST_HEADERS), 431, Some("headers_too_large")),
    ] {
        let response = ask(&app, request).await;
        assert_eq!(response.status(), status, "{what}");
        if let Some(code) = code {
            let request = TestRequest::default().to_http_request();
            let problem: Value = read_body_json(ServiceResponse::new(request, response)).await;
            assert_eq!(problem["code"], code, "{what}");
            assert!(problem["request_id"].is_string(), "{what}");
        }
    }
}

#[actix_web::test]
async fn on_the_way_down_connections_are_not_kept() {
    let (app, _folder) = app(None);
    assert!(ask(&app, TestRequest::get().uri("/v1/things/1")).await.head().keep_alive());
    app.stop();
    assert!(!ask(&app, TestRequest::get().uri("/v1/things/1")).await.head().keep_alive());
}

#[actix_web::test]
async fn a_callers_own_id_is_kept_where_it_is_plain() {
    let (app, _folder) = app(None);
    for (told, kept) in [("abc-DEF_0123", true), ("short", false), ("with blanks in", false), (&*"x".repeat(65), false)]
    {
        let request = TestRequest::get().uri("/v1/things/1").insert_header(("x-request-id", told));
        let response = ask(&app, request).await;
        assert_eq!(header_of(&response, "x-request-id") == Some(told), kept, "{told}");
    }
}
