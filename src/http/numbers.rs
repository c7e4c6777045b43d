//! Tracking numbers, proved without a parcel.

use super::auth::Caller;
use super::carriers::known_numbers;
use super::problem::Problem;
use crate::app::App;
use crate::domain::tracking_number::{self, Hints, NumberCheck};
use actix_web::web::{Data, Json};
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
    /// As declared, one of your own too; the validity is then for this carrier.
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
    post, path = "/v1/tracking-numbers/check", tag = "Numbers",
    request_body = NumbersIn,
    responses(
        (status = 200, description = "One answer a number, in order.", body = NumberChecks),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn check_numbers(
    app: Data<App>,
    caller: Caller,
    asked: Json<NumbersIn>,
) -> Result<Json<NumberChecks>, Problem> {
    if asked.numbers.is_empty() || asked.numbers.len() > MOST {
        return Err(Problem::invalid("/numbers", "bad_count", format!("Send 1 to {MOST} numbers.")));
    }
    let known = known_numbers(&app.into_inner(), caller.seller()?).await?;
    let check = |it: &NumberIn| {
        let hints = Hints {
            carrier: it.carrier.as_deref(),
            origin_country: it.origin_country.as_deref(),
            destination_country: it.destination_country.as_deref(),
            ..known.hints()
        };
        tracking_number::check(&it.number, &hints)
    };
    Ok(Json(NumberChecks { data: asked.numbers.iter().map(check).collect() }))
}
