//! Tracking numbers and carriers.

use super::problem::Problem;
use crate::domain::carrier;
use crate::domain::tracking_number::{self, Hints, NumberCheck};
use actix_web::web::Json;
use serde::{Deserialize, Serialize};

const MOST: usize = 1000;

/// Numbers to check.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumbersIn {
    /// 1 to 1,000.
    numbers: Vec<NumberIn>,
}

/// One number, with what is known of it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberIn {
    /// As typed.
    #[schema(example = "1Z 999 AA1 01 2345 6784")]
    number: String,
    /// As declared; the validity is then for this carrier.
    carrier: Option<String>,
    origin_country: Option<String>,
    destination_country: Option<String>,
}

/// One answer a number, in the same order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumberChecks {
    data: Vec<NumberCheck>,
}

/// Prove tracking numbers against their carriers' formats
#[utoipa::path(
    post, path = "/v1/tracking-numbers/check", tag = "Numbers", security(("api_key" = [])),
    request_body = NumbersIn,
    responses(
        (status = 200, description = "One answer a number, in order.", body = NumberChecks),
        (status = 400, description = "No JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not sent as JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn check_numbers(asked: Json<NumbersIn>) -> Result<Json<NumberChecks>, Problem> {
    if asked.numbers.is_empty() || asked.numbers.len() > MOST {
        return Err(Problem::invalid("/numbers", "bad_count", format!("Send 1 to {MOST} numbers.")));
    }
    let check = |it: &NumberIn| {
        let hints = Hints {
            carrier: it.carrier.as_deref(),
            origin_country: it.origin_country.as_deref(),
            destination_country: it.destination_country.as_deref(),
            ..Hints::default()
        };
        tracking_number::check(&it.number, &hints)
    };
    Ok(Json(NumberChecks { data: asked.numbers.iter().map(check).collect() }))
}

/// A carrier that is known by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CarrierOut {
    slug: String,
    name: String,
    country: Option<String>,
    /// The carrier's page of a number, which stands at `{n}`.
    tracking_url: Option<String>,
}

/// All carriers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Carriers {
    data: Vec<CarrierOut>,
    /// Of the table of number formats that checks go by.
    formats_version: &'static str,
    next_cursor: Option<String>,
}

/// The carriers that are known by name
#[utoipa::path(
    get, path = "/v1/carriers", tag = "Numbers", security(("api_key" = [])),
    responses(
        (status = 200, description = "The carriers.", body = Carriers),
        (status = 401, description = "No valid key.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An admin's key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_carriers() -> Json<Carriers> {
    let data = carrier::all().iter().map(|it| CarrierOut {
        slug: it.slug.clone(),
        name: it.name.clone(),
        country: it.country.clone(),
        tracking_url: it.tracking_url.clone(),
    });
    Json(Carriers { data: data.collect(), formats_version: tracking_number::formats_version(), next_cursor: None })
}
