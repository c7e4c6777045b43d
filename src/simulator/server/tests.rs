//! The server's doors, one by one.

use super::*;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use serde_json::Value;

fn simulator(config: SimulatorConfig) -> Data<Simulator> {
    let mut registry = Registry::default();
    registry.add(config.scripts);
    Data::new(Simulator {
        clock: Arc::new(|| "2026-09-18T10:00:00Z".parse().unwrap()),
        registry: Mutex::new(registry),
        token: config.token,
        limit: config.limit,
        make_up: config.make_up,
        asked: Mutex::default(),
    })
}

async fn call(simulator: &Data<Simulator>, method: Method, uri: &str, body: &str) -> (u16, Option<String>, Value) {
    let app = init_service(App::new().app_data(simulator.clone()).configure(routes)).await;
    let mut request = TestRequest::default().method(method).uri(uri).set_payload(body.to_owned());
    if let Some(token) = uri.split("bearer=").nth(1) {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    let response = call_service(&app, request.to_request()).await;
    let retry_after = response.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = read_body(response).await;
    (status, retry_after, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[actix_web::test]
async fn a_registered_parcel_is_told_and_others_are_not_found() {
    let simulator = simulator(SimulatorConfig { make_up: false, ..SimulatorConfig::default() });
    let script = json!({"scripts": [{
        "number": "PT0001", "carrier": "dhl", "journey": "on_time", "handed_over_at": "2026-09-18T09:00:00Z",
        "origin": "Leipzig, DE", "destination": "Madrid, ES",
    }]});
    let (status, _, body) = call(&simulator, Method::POST, "/v1/scripts", &script.to_string()).await;
    assert_eq!((status, body), (201, json!({"registered": 1})));
    let (status, _, body) = call(&simulator, Method::GET, "/v1/parcels?numbers=PT0001,%20XX9999", "").await;
    assert_eq!(status, 200);
    let told = &body["parcels"][0];
    assert_eq!((&told["number"], &told["carrier"], &told["found"]), (&json!("PT0001"), &json!("dhl"), &json!(true)));
    assert_eq!(told["events"][1]["code"], "PU");
    assert_eq!(told["events"][1]["offset"], "+02:00");
    assert_eq!(told["estimated_on"], "2026-09-20");
    let unknown = json!({"number": "XX9999", "carrier": null, "found": false, "events": [], "estimated_on": null});
    assert_eq!(body["parcels"][1], unknown);
}

#[actix_web::test]
async fn bad_questions_are_refused_with_a_word() {
    let simulator = simulator(SimulatorConfig::default());
    let many = format!("/v1/parcels?numbers={}", vec!["A1234"; 41].join(","));
    for (what, method, uri, body, status, code) in [
        ("no numbers", Method::GET, "/v1/parcels", "", 400, "no_numbers"),
        ("41 numbers", Method::GET, many.as_str(), "", 400, "too_many_numbers"),
        ("no JSON", Method::POST, "/v1/scripts", "<html>", 400, "no_scripts"),
        ("no such journey", Method::POST, "/v1/scripts", r#"{"scripts":[{"journey":"fast"}]}"#, 400, "no_scripts"),
    ] {
        let (got, _, body) = call(&simulator, method, uri, body).await;
        assert_eq!((got, &body["error"]["code"]), (status, &json!(code)), "{what}");
    }
    let (status, _, _) = call(&simulator, Method::GET, "/healthz", "").await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn a_stranger_is_refused() {
    let simulator = simulator(SimulatorConfig { token: Some("secret".to_owned()), ..SimulatorConfig::default() });
    for (uri, status) in [
        ("/v1/parcels?numbers=A1234", 401),
        ("/v1/parcels?numbers=A1234&bearer=secre", 401),
        ("/v1/parcels?numbers=A1234&bearer=secret", 200),
    ] {
        assert_eq!(call(&simulator, Method::GET, uri, "").await.0, status, "{uri}");
    }
    assert_eq!(call(&simulator, Method::POST, "/v1/scripts", r#"{"scripts":[]}"#).await.0, 401);
}

#[actix_web::test]
async fn whoever_asks_too_often_is_told_to_wait() {
    let limit = Limit { requests: 2, per: Duration::from_secs(30) };
    let simulator = simulator(SimulatorConfig { limit: Some(limit), ..SimulatorConfig::default() });
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (status, retry_after, _) = call(&simulator, Method::GET, "/v1/parcels?numbers=A1234", "").await;
        answers.push((status, retry_after));
    }
    assert_eq!(answers, [(200, None), (200, None), (429, Some("30".to_owned()))]);
    let later = Instant::now() + Duration::from_secs(31);
    assert_eq!(simulator.wait(limit, later), None, "counted anew");
}
