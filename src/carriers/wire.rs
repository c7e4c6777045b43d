//! HTTP as data: what an adapter wants sent, and what came back.

use crate::carriers::answer::Asked;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::fmt;
use std::time::Duration;

/// The methods that sources use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a body, which is sent again when an attempt fails; so it must be safe to send twice.
    #[allow(dead_code, reason = "tokens of real sources are fetched so; the simulator needs none")]
    Post,
}

/// A request to be sent. Its `Debug` shows neither headers nor body, since both may hold credentials.
#[derive(Clone)]
pub struct HttpRequest {
    /// How.
    pub method: Method,
    /// Where, with the query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Sent as it is; the adapter sets `content-type`.
    pub body: Option<Vec<u8>>,
    /// Whom the answer will speak of.
    pub covers: Vec<Asked>,
}

impl HttpRequest {
    /// A GET that covers these parcels.
    pub fn get(url: String, covers: &[Asked]) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: None, covers: covers.to_vec() }
    }

    /// With this credential as bearer.
    #[must_use]
    pub fn bearer(mut self, secret: &Secret) -> Self {
        self.headers.push(("authorization", format!("Bearer {}", secret.0)));
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("HttpRequest").field("method", &self.method).field("url", &place).finish_non_exhaustive()
    }
}

/// A credential, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A token that a source gave us for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bearer.
    pub secret: Secret,
    /// How long it is good for, from now.
    pub lives: Duration,
}

/// A reply, whole.
#[derive(Debug, Clone)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// At most as long as the runner allows.
    pub body: Vec<u8>,
    /// Our own time at which it came.
    pub heard_at: Timestamp,
}

/// Nobody is made to hurry, and nobody to wait for more than an hour, by what a header says.
const RETRY_AFTER_S: std::ops::RangeInclusive<u64> = 1..=3600;

impl HttpReply {
    /// The first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Whether it says that it is JSON, or says nothing.
    pub fn may_be_json(&self) -> bool {
        self.header("content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("json"))
    }

    /// `Retry-After` as a wait of 1 second to 1 hour; `None` where it is missing or unreadable.
    ///
    /// A date is measured from the reply's own `Date`, so that our clock and the source's need not agree.
    ///
    /// Source: RFC 9110, section 10.2.3.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let seconds = if !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit()) {
            text.parse().unwrap_or(u64::MAX)
        } else {
            let sent_at = self.header("date").and_then(http_date).unwrap_or(self.heard_at);
            u64::try_from(http_date(text)?.duration_since(sent_at).as_secs()).unwrap_or(0)
        };
        Some(Duration::from_secs(seconds.clamp(*RETRY_AFTER_S.start(), *RETRY_AFTER_S.end())))
    }
}

/// Reads `Thu, 17 Sep 2026 10:04:00 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let date = "Thu, 17 Sep 2026 10:00:00 GMT";
        for (what, header, date, seconds) in [
            ("seconds", "120", None, Some(120)),
            ("at once", "0", None, Some(1)),
            ("a year", "31536000", None, Some(3600)),
            ("more than a number holds", "99999999999999999999999", None, Some(3600)),
            ("a date, from our clock", "Thu, 17 Sep 2026 10:01:30 GMT", None, Some(90)),
            ("a date, from theirs", "Thu, 17 Sep 2026 10:01:30 GMT", Some("Thu, 17 Sep 2026 10:01:00 GMT"), Some(30)),
            ("a date gone by", "Thu, 17 Sep 2026 09:00:00 GMT", Some(date), Some(1)),
            ("a wrong weekday", "Mon, 17 Sep 2026 10:00:10 GMT", Some(date), Some(10)),
            ("nonsense", "soon", None, None),
            ("negative", "-5", None, None),
            ("empty", "", None, None),
        ] {
            let mut headers = vec![("retry-after".to_owned(), header.to_owned())];
            headers.extend(date.map(|date| ("date".to_owned(), date.to_owned())));
            let heard_at = "2026-09-17T10:00:00Z".parse().unwrap();
            let reply = HttpReply { status: 429, headers, body: Vec::new(), heard_at };
            assert_eq!(reply.retry_after(), seconds.map(Duration::from_secs), "{what}");
        }
    }

    #[test]
    fn a_printed_request_holds_no_secret() {
        let secret = Secret("hunter2".to_owned());
        let request = HttpRequest::get("https://api.test/v1?key=hunter2".to_owned(), &[]).bearer(&secret);
        assert!(!format!("{request:?} {secret:?}").contains("hunter2"));
    }
}
