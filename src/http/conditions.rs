//! Conditional requests: for which version a change is made, and what a reader holds already (RFC 9110, 13).
//!
//! A tag is `"{version}-{digest}"`: the version counts the seller's own changes, the digest is of the whole answer. Reads
//! compare both. Changes compare the version alone, so that news of a parcel does not break its seller's edit.

use super::problem::Problem;
use crate::flows::take_in::edit::Expected;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};

/// What a request says in `If-Match` and `If-None-Match`.
#[derive(Debug, Clone)]
pub struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    /// For which versions a change is made.
    pub fn expected(&self) -> Expected {
        match self.if_match.as_deref().map(str::trim) {
            None | Some("*") => Expected::Any,
            Some(tags) => Expected::Versions(tags.split(',').filter_map(version_in).collect()),
        }
    }

    /// Whether only something new may be made.
    pub fn create_only(&self) -> bool {
        self.if_none_match.as_deref().is_some_and(|it| it.trim() == "*")
    }

    /// Answers a read: 304 where the reader holds just this.
    pub fn answer<T: Serialize>(&self, version: i64, body: &T) -> Result<HttpResponse, Problem> {
        let tag = tag(version, body)?;
        if self.if_none_match.as_deref().is_some_and(|held| holds(held, &tag)) {
            return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
        }
        Ok(HttpResponse::Ok().insert_header((ETAG, tag)).json(body))
    }
}

impl FromRequest for Conditions {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let told = |name| told(request.headers(), name);
        ready(Ok(Self { if_match: told(IF_MATCH), if_none_match: told(IF_NONE_MATCH) }))
    }
}

/// All that the headers of this name say; what is no text is blank, and so matches nothing.
fn told(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let all: Vec<&str> = headers.get_all(name).map(|value| value.to_str().unwrap_or_default()).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// The tag of an answer: of what a reader is shown, without what only the answer to a write says.
pub fn tag<T: Serialize>(version: i64, body: &T) -> Result<String, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Problem::internal()
    })?;
    let digest = Sha256::digest(bytes).iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(format!("\"{version}-{digest:012x}\""))
}

/// The answer to a write: `body` is what a reader is shown, `told` what the writer is told beside it.
pub fn written<T: Serialize>(
    status: StatusCode,
    version: i64,
    mut body: T,
    told: impl FnOnce(&mut T),
) -> Result<HttpResponse, Problem> {
    let tag = tag(version, &body)?;
    told(&mut body);
    Ok(HttpResponse::build(status).insert_header((ETAG, tag)).json(body))
}

/// A tag that went through a gzipping proxy came back weak; its version is still its version.
fn version_in(tag: &str) -> Option<i64> {
    let (version, digest) = bare(tag).strip_prefix('"')?.strip_suffix('"')?.split_once('-')?;
    let is_ours = !digest.is_empty() && digest.bytes().all(|it| it.is_ascii_hexdigit());
    version.parse().ok().filter(|_| is_ours)
}

fn holds(held: &str, tag: &str) -> bool {
    held.trim() == "*" || held.split(',').any(|it| bare(it) == tag)
}

fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(if_match: &str) -> Expected {
        Conditions { if_match: Some(if_match.to_owned()), if_none_match: None }.expected()
    }

    #[test]
    fn only_the_version_of_a_tag_counts_for_a_change() {
        let of = |versions: &[i64]| Expected::Versions(versions.to_vec());
        for (what, header, expected) in [
            ("one tag", "\"3-00ff00ff00ff\"", of(&[3])),
            ("several", "\"3-0a\" , \"12-0b\"", of(&[3, 12])),
            ("made weak on the way", "W/\"3-0a\"", of(&[3])),
            ("anything that is there", " * ", Expected::Any),
            ("no quotes", "3-0a", of(&[])),
            ("no digest", "\"3\"", of(&[])),
            ("an empty digest", "\"3-\"", of(&[])),
            ("somebody else's tag", "\"5f2c-zz\"", of(&[])),
            ("blank", "", of(&[])),
        ] {
            assert_eq!(said(header), expected, "{what}");
        }
    }

    #[test]
    fn a_reader_holds_what_has_the_same_tag_to_the_last_letter() {
        for (what, held, expected) in [
            ("the same", "\"3-0a\"", true),
            ("among others", "\"2-0a\",\"3-0a\"", true),
            ("weak", "W/\"3-0a\"", true),
            ("any", "*", true),
            ("the same version, other news", "\"3-0b\"", false),
        ] {
            assert_eq!(holds(held, "\"3-0a\""), expected, "{what}");
        }
    }
}
