//! The carrier simulator's wire: `GET {base}/v1/parcels?numbers=a,b`.

use crate::carriers::CarrierApi;
use crate::carriers::answer::{Answer, AnswerError, Asked, Eta, Outcome, ParcelAnswer};
use crate::carriers::codes::CodeTable;
use crate::carriers::json;
use crate::carriers::pace::Limits;
use crate::carriers::wire::{HttpReply, HttpRequest, Secret};
use crate::domain::carrier::CarrierSlug;
use crate::domain::scan::{Scan, ScanDetails};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

static CODES: LazyLock<CodeTable> = LazyLock::new(|| CodeTable::shipped(include_str!("data/simulated.csv")));

/// The simulator at one address.
#[derive(Debug, Clone)]
pub struct Simulated {
    base: String,
    token: Option<Secret>,
    limits: Limits,
}

impl Simulated {
    /// The name under which the operator allows its private address.
    pub const NAME: &'static str = "simulated";

    /// `base` is such as `http://127.0.0.1:8090`; the token is whatever the simulator was started with.
    pub fn new(base: &str, token: Option<Secret>) -> Self {
        let limits = Limits { requests: 50, per: Duration::from_secs(1), burst: 50, at_once: 8 };
        Self { base: base.trim_end_matches('/').to_owned(), token, limits }
    }
}

impl CarrierApi for Simulated {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn account(&self) -> &str {
        &self.base
    }

    fn batch_size(&self) -> usize {
        40
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn requests(&self, asked: &[Asked]) -> Vec<HttpRequest> {
        let numbers: Vec<_> = asked.iter().map(|it| escaped(&it.number)).collect();
        let request = HttpRequest::get(format!("{}/v1/parcels?numbers={}", self.base, numbers.join(",")), asked);
        vec![match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        }]
    }

    fn parse(&self, reply: &HttpReply) -> Answer {
        match reply.status {
            200 => parcels(reply),
            401 | 403 => Answer::whole(Outcome::AuthError, "The simulator wants another token."),
            404 => Answer::whole(Outcome::Error, "There is no simulator at this address."),
            429 => {
                Answer { retry_after: reply.retry_after(), ..Answer::whole(Outcome::RateLimited, "Asked too often.") }
            }
            400..=499 => Answer::whole(Outcome::Rejected, "The simulator refuses this question."),
            other => Answer::whole(Outcome::Error, &format!("The simulator answered with status {other}.")),
        }
    }
}

fn parcels(reply: &HttpReply) -> Answer {
    if !reply.may_be_json() {
        return Answer::whole(Outcome::Error, "it is no JSON");
    }
    let body: Value = match serde_json::from_slice(&reply.body) {
        Ok(body) => body,
        Err(error) => return Answer::whole(Outcome::Error, &format!("it is no JSON: {error}")),
    };
    let Some(told) = body.get("parcels").and_then(Value::as_array) else {
        return Answer::whole(Outcome::Error, "it has no list of parcels");
    };
    let mut answer = Answer::of(Vec::new());
    let parcels: Vec<_> = told.iter().filter_map(|it| parcel(it, &mut answer)).collect();
    let unread = told.len() - parcels.len();
    let mut read = Answer { unknown_codes: answer.unknown_codes, ..Answer::of(parcels) };
    if unread > 0 {
        read.outcome = Outcome::Partial;
        read.detail = Some(format!("{unread} of {} parcels have no number", told.len()));
    }
    read
}

fn parcel(told: &Value, answer: &mut Answer) -> Option<ParcelAnswer> {
    let number = json::text(told, "number", 100)?;
    if told.get("found").and_then(Value::as_bool) == Some(false) {
        return Some(ParcelAnswer::without_news(number, Some(AnswerError::not_found())));
    }
    let events = json::list(told, "events");
    let scans: Vec<_> = events.iter().filter_map(|it| scan(it, answer)).collect();
    let unread = events.len() - scans.len();
    let error = (unread > 0).then(|| {
        let detail = format!("{unread} of {} events have no code, or no time that can be read.", events.len());
        AnswerError::new("unreadable_event", &detail, false)
    });
    let carrier = json::text(told, "carrier", 40).map(CarrierSlug::from_stored);
    let eta = json::text(told, "estimated_on", 10).and_then(|it| it.parse().ok()).map(Eta::Date);
    Some(ParcelAnswer { number, carrier, scans, eta, error })
}

fn scan(told: &Value, answer: &mut Answer) -> Option<Scan> {
    let code = json::text(told, "code", 64)?;
    let occurred = json::time(told, "at", "offset")?;
    Some(Scan {
        occurred,
        sub_status: answer.place(&code, &CODES),
        raw_code: code,
        source_event_id: json::text(told, "id", 100),
        piece: None,
        details: ScanDetails {
            place: json::text(told, "place", 200),
            description: json::text(told, "text", 1000),
            signed_by: json::text(told, "signed_by", 200),
        },
    })
}

/// A number as part of a query; what is neither letter nor digit is written in hexadecimal.
fn escaped(number: &str) -> String {
    let byte = |it: u8| if it.is_ascii_alphanumeric() { char::from(it).to_string() } else { format!("%{it:02X}") };
    number.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests;
