//! Pages: `?limit=1..200&cursor=`, answered as `{"data":[..],"next_cursor":null}`.

use super::problem::Problem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

const LARGEST: i64 = 200;
const USUAL: i64 = 50;

/// Which page is asked for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at most; 50 unless said.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// Send it as `cursor` for the next page; `null` on the last.
    pub next_cursor: Option<String>,
}

/// The asked limit, within bounds.
pub fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    match asked.unwrap_or(USUAL) {
        limit @ 1..=LARGEST => Ok(limit),
        _ => Err(Problem::bad_parameter("limit", format!("limit must be from 1 to {LARGEST}"))),
    }
}

/// Reads a cursor of ours.
pub fn cursor<T: FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let told = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match told.and_then(|text| text.parse().ok()) {
        Some(place) => Ok(Some(place)),
        None => {
            Err(Problem::bad_parameter("cursor", "This is no cursor of ours; send the next_cursor of the page before."))
        }
    }
}

pub fn to_cursor(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// A page of what was fetched with one more than asked for, which tells whether there is a next page.
pub fn page<S, T>(mut fetched: Vec<S>, limit: i64, place: impl Fn(&S) -> String, show: impl Fn(S) -> T) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = fetched.len() > limit;
    fetched.truncate(limit);
    let next_cursor = fetched.last().filter(|_| more).map(|last| to_cursor(&place(last)));
    Page { data: fetched.into_iter().map(show).collect(), next_cursor }
}
