//! Answers of the simulator, good and bad.

use super::*;
use crate::domain::event_time::EventTime;
use crate::domain::milestone::SubStatus;
use serde_json::json;

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> HttpReply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let heard_at = "2026-09-17T10:00:00Z".parse().unwrap();
    HttpReply { status, headers, body: body.as_bytes().to_vec(), heard_at }
}

fn parse(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Simulated::new("http://127.0.0.1:8090", None).parse(&reply(status, headers, body))
}

fn parse_parcels(parcels: &Value) -> Answer {
    parse(200, &[("content-type", "application/json")], &json!({ "parcels": parcels }).to_string())
}

fn event(code: &str, at: &str) -> Value {
    json!({"id": "A1-1", "at": at, "offset": "+01:00", "code": code, "place": "Leipzig, DE", "text": "Taken over"})
}

#[test]
fn a_parcel_is_read_whole() {
    let told = json!([{
        "number": "A1", "carrier": "dhl", "found": true,
        "events": [event("PU", "2026-09-17T10:04:00")], "estimated_on": "2026-09-20",
    }]);
    let answer = parse_parcels(&told);
    assert_eq!((answer.outcome, answer.unknown_codes.len()), (Outcome::Tracked, 0));
    let expected = ParcelAnswer {
        number: "A1".to_owned(),
        carrier: Some(CarrierSlug::from_stored("dhl".to_owned())),
        scans: vec![Scan {
            occurred: EventTime::from_texts("2026-09-17T10:04:00", Some("+01:00")).unwrap(),
            sub_status: Some(SubStatus::Accepted),
            raw_code: "PU".to_owned(),
            source_event_id: Some("A1-1".to_owned()),
            piece: None,
            details: ScanDetails {
                place: Some("Leipzig, DE".to_owned()),
                description: Some("Taken over".to_owned()),
                signed_by: None,
            },
        }],
        eta: Some(Eta::Date(jiff::civil::date(2026, 9, 20))),
        error: None,
    };
    assert_eq!(answer.parcels, [expected]);
}

#[test]
fn what_is_wrong_with_one_parcel_leaves_the_others() {
    let good = json!({"number": "A1", "found": true, "events": [event("PU", "2026-09-17T10:04:00")]});
    let unknown = json!({"number": 4711, "found": false});
    for (what, told, outcome, errors) in [
        ("not one is known", json!([unknown]), Outcome::NotFound, vec![Some("not_found")]),
        ("one of two is known", json!([good, unknown]), Outcome::Partial, vec![None, Some("not_found")]),
        ("no events yet", json!([{"number": "A1", "events": null}]), Outcome::Tracked, vec![None]),
        ("no number", json!([good, {"found": true}, 5]), Outcome::Partial, vec![None]),
        (
            "an event without a time",
            json!([{"number": "A1", "events": [event("PU", "yesterday"), event("DL", "2026-09-17T10:04:00")]}]),
            Outcome::Partial,
            vec![Some("unreadable_event")],
        ),
        ("no parcels at all", json!([]), Outcome::Tracked, vec![]),
    ] {
        let answer = parse_parcels(&told);
        assert_eq!(answer.outcome, outcome, "{what}");
        let told: Vec<_> = answer.parcels.iter().map(|it| it.error.as_ref().map(|error| error.code.as_str())).collect();
        assert_eq!(told, errors, "{what}");
    }
}

#[test]
fn an_unknown_code_is_kept_and_listed_and_moves_nothing() {
    let events =
        [event("ZZ", "2026-09-17T10:04:00"), event("ZZ", "2026-09-17T11:04:00"), event("DL", "2026-09-18T10:00:00")];
    let answer = parse_parcels(&json!([{"number": "A1", "events": events}]));
    assert_eq!((answer.outcome, answer.unknown_codes), (Outcome::Tracked, vec!["ZZ".to_owned()]));
    let scans = answer.parcels[0].scans.iter().map(|it| (it.raw_code.as_str(), it.sub_status));
    let expected = [("ZZ", None), ("ZZ", None), ("DL", Some(SubStatus::DeliveredToRecipient))];
    assert!(scans.eq(expected));
}

#[test]
fn a_time_without_an_offset_stays_without_one() {
    for (what, offset, expected) in [
        ("null", json!(null), Some(None)),
        ("empty", json!(""), Some(None)),
        ("given", json!("-03:00"), Some(Some("-03:00"))),
        ("nonsense", json!("Mars"), None),
    ] {
        let told = json!([{"number": "A1", "events": [{"at": "2026-09-17T10:04:00", "offset": offset, "code": "PU"}]}]);
        let answer = parse_parcels(&told);
        let scan = answer.parcels[0].scans.first();
        assert_eq!(scan.map(|it| it.occurred.offset_text()), expected.map(|it| it.map(str::to_owned)), "{what}");
    }
}

#[test]
fn an_answer_that_is_no_good_as_a_whole_says_why() {
    let nested = "[".repeat(100_000);
    for (what, status, content_type, body, outcome) in [
        ("refused token", 401, "application/json", "{}", Outcome::AuthError),
        ("refused question", 400, "application/json", "{}", Outcome::Rejected),
        ("another server", 404, "text/html", "<html>", Outcome::Error),
        ("a failure", 500, "text/plain", "oops", Outcome::Error),
        ("no content", 204, "application/json", "", Outcome::Error),
        ("HTML", 200, "text/html; charset=utf-8", "<html>{}</html>", Outcome::Error),
        ("HTML that says it is JSON", 200, "application/json", "<html></html>", Outcome::Error),
        ("cut short", 200, "application/json", r#"{"parcels":[{"number":"A1","#, Outcome::Error),
        ("nested too deep", 200, "application/json", &nested, Outcome::Error),
        ("another shape", 200, "application/json", r#"{"parcels":{"A1":{}}}"#, Outcome::Error),
        ("no object", 200, "application/json", "null", Outcome::Error),
        ("empty", 200, "application/json", "", Outcome::Error),
    ] {
        let answer = parse(status, &[("content-type", content_type)], body);
        assert_eq!((answer.outcome, answer.parcels.len()), (outcome, 0), "{what}");
        assert!(answer.detail.is_some(), "{what}");
    }
}

#[test]
fn being_asked_too_often_gives_the_wait() {
    for (what, header, seconds) in [
        ("seconds", Some("30"), Some(30)),
        ("a date", Some("Thu, 17 Sep 2026 10:02:00 GMT"), Some(120)),
        ("nothing", None, None),
    ] {
        let headers: Vec<_> = header.map(|it| ("retry-after", it)).into_iter().collect();
        let answer = parse(429, &headers, "slow down");
        assert_eq!(answer.outcome, Outcome::RateLimited, "{what}");
        assert_eq!(answer.retry_after, seconds.map(Duration::from_secs), "{what}");
    }
}

#[test]
fn a_number_cannot_change_the_request() {
    let asked = |number: &str| Asked { carrier: CarrierSlug::from_stored("dhl".to_owned()), number: number.to_owned() };
    let asked = [asked("A1"), asked("B2,C3&x=/../#é")];
    let requests = Simulated::new("http://127.0.0.1:8090/", Some(Secret("t".to_owned()))).requests(&asked);
    let expected = "http://127.0.0.1:8090/v1/parcels?numbers=A1,B2%2CC3%26x%3D%2F%2E%2E%2F%23%C3%A9";
    assert_eq!(requests[0].url, expected);
    assert_eq!(requests[0].headers, [("authorization", "Bearer t".to_owned())]);
    assert_eq!(requests[0].covers, asked);
}
