//! Merge patches (RFC 7396): what is absent stays, `null` clears, objects are merged member by member.

use super::fields;
use super::problem::{self, Problem};
use actix_web::dev::Payload;
use actix_web::web::Json;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A body that is sent as a merge patch or as plain JSON, which is read as one.
pub struct MergePatch<T>(pub T);

/// An object within a merge patch: a list is none, though its items might fit.
#[derive(Debug)]
pub struct Members<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::deserialize(deserializer)?;
        T::deserialize(Value::Object(members)).map(Self).map_err(D::Error::custom)
    }
}

const TYPES: [&str; 2] = ["application/merge-patch+json", "application/json"];

impl<T: DeserializeOwned> FromRequest for MergePatch<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.content_type().to_ascii_lowercase();
        let body = Json::<Map<String, Value>>::from_request(request, payload);
        Box::pin(async move {
            // Another kind of patch is JSON too, and would be misread.
            if !TYPES.contains(&kind.as_str()) {
                return Err(no_merge_patch().into());
            }
            Ok(Self(fields::object(Value::Object(body.await?.into_inner()))?))
        })
    }
}

fn no_merge_patch() -> Problem {
    problem::unsupported_media_type("Send a merge patch, with the header Content-Type: application/merge-patch+json.")
}
