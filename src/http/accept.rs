//! Chooses between the forms of a response by the `Accept` headers (RFC 9110, section 12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header as _, Quality};

/// A form that a route can respond in, and its media type.
pub struct Offer<F> {
    pub media_type: &'static str,
    pub form: F,
}

/// The form whose media type is named with the highest quality above 0, and of equals the one named first. `None` where
/// no offer is named: wildcards name nothing, so clients that accept anything get what the route sends by default.
pub fn named<F: Copy>(request: &HttpRequest, offers: &[Offer<F>]) -> Option<F> {
    let accept = Accept::parse(request).ok()?;
    let mut best = (Quality::ZERO, None);
    for range in accept.iter() {
        let offer = offers.iter().find(|offer| offer.media_type == range.item.essence_str());
        if let Some(offer) = offer.filter(|_| range.quality > best.0) {
            best = (range.quality, Some(offer.form));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const OFFERS: [Offer<&str>; 2] =
        [Offer { media_type: "text/html", form: "html" }, Offer { media_type: "application/json", form: "json" }];

    #[test]
    fn only_a_media_type_that_is_named_is_chosen() {
        for (accept, expected) in [
            ("", None),
            ("*/*", None),
            ("text/*", None),
            ("text/*, */*;q=0.1", None),
            ("text/htm", None),
            ("text/html;q=0", None),
            ("text/html;q=2", None),
            ("text/html", Some("html")),
            ("TEXT/HTML; charset=utf-8", Some("html")),
            ("text/html;q=0.001, */*", Some("html")),
            ("application/json, text/html", Some("json")),
            ("text/html, application/json", Some("html")),
            ("application/json;q=0.8, text/html;q=0.9", Some("html")),
            ("text/html;q=0.8, application/json", Some("json")),
            ("text/html;q=0, application/json;q=0.1", Some("json")),
            ("image/png, nonsense, text/html", Some("html")),
        ] {
            let request = TestRequest::default().insert_header(("accept", accept)).to_http_request();
            assert_eq!(named(&request, &OFFERS), expected, "{accept}");
        }
        assert_eq!(named(&TestRequest::default().to_http_request(), &OFFERS), None);
    }

    #[test]
    fn several_headers_count_as_one_list() {
        let request = TestRequest::default()
            .append_header(("accept", "application/json;q=0.5"))
            .append_header(("accept", "text/html"))
            .to_http_request();
        assert_eq!(named(&request, &OFFERS), Some("html"));
    }
}
