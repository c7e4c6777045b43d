//! The status for a customer without the link. Wrong and right take equal time, and every wrong answer is one answer.
//!
//! The answer is made first and given at a fixed moment after the request was read, so that the clock tells nothing of
//! the work: not whether the shop, the number or the second factor was right.

use super::client::ClientAddress;
use super::fields::text;
use super::problem::Problem;
use super::status::private;
use crate::app::{self, App};
use crate::domain::tracking_number::{self, Hints};
use crate::flows::show_status::Status;
use crate::flows::show_status::look_up::{self, Proof, Question, Subject};
use crate::limits::{Limit, Limits};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Answers are given at a multiple of this after the request: longer than the work takes on a machine with work to do.
const BEAT: Duration = Duration::from_millis(150);
const LONGEST: usize = 254;

/// What a customer knows: the order or its parcel, and one thing besides.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpIn {
    /// The handle of the shop.
    #[schema(max_length = 254)]
    shop: String,
    /// This or `tracking_number`.
    #[schema(max_length = 254)]
    order_number: Option<String>,
    #[schema(max_length = 254)]
    tracking_number: Option<String>,
    /// This or `postal_code`.
    #[schema(max_length = 254)]
    email: Option<String>,
    #[schema(max_length = 254)]
    postal_code: Option<String>,
}

impl LookUpIn {
    fn question(self) -> Result<Question, Problem> {
        let told = |pointer: &str, told: Option<String>| told.map(|told| text(pointer, &told, LONGEST)).transpose();
        let one_of = |detail: &str| Problem::invalid("", "one_way", detail);
        let number = told("/order_number", self.order_number)?.map(Subject::OrderNumber);
        let parcel = told("/tracking_number", self.tracking_number)?.map(Subject::TrackingNumber);
        let email = told("/email", self.email)?.map(Proof::Email);
        let code = told("/postal_code", self.postal_code)?.map(Proof::PostalCode);
        Ok(Question {
            shop: text("/shop", &self.shop, LONGEST)?,
            subject: one(number, parcel)
                .ok_or_else(|| one_of("Send either order_number or tracking_number, and not both."))?,
            proof: one(email, code).ok_or_else(|| one_of("Send either email or postal_code, and not both."))?,
        })
    }
}

fn one<T>(this: Option<T>, that: Option<T>) -> Option<T> {
    match (this, that) {
        (Some(one), None) | (None, Some(one)) => Some(one),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// Where is my parcel? For customers who have lost their link
///
/// Name the shop by its handle, then the order or the parcel, then the e-mail address or the postal code that the order
/// goes to. Whatever is wrong, the answer is the same 404, and it comes no sooner and no later than a status.
#[utoipa::path(
    post, path = "/v1/status/lookup", tag = "Customer", request_body = LookUpIn,
    responses(
        (status = 200, description = "The status.", body = Status),
        (status = 404, description = "No such order, or not yours.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many tries.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn look_up_status(
    app: Data<App>,
    client: ClientAddress,
    told: Json<LookUpIn>,
) -> Result<HttpResponse, Problem> {
    let (app, question) = (app.into_inner(), told.into_inner().question()?);
    admit(&app.limits, client, &question)?;
    on_the_beat(BEAT, answer(&app, question)).await
}

/// Counts a try, before anything is looked up: of this caller, and about this order or parcel. Right and wrong are
/// refused alike.
fn admit(limits: &Limits, client: ClientAddress, question: &Question) -> Result<(), Problem> {
    limits.check(Limit::LookUp, client.key())?;
    limits.check(Limit::LookUpOf, subject_of(question))?;
    Ok(())
}

/// Does the work, then waits until a whole number of beats has passed since it began.
async fn on_the_beat<T>(beat: Duration, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.await;
    let beats = began.elapsed().as_nanos() / beat.as_nanos().max(1) + 1;
    sleep_until(began + beat.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))).await;
    done
}

async fn answer(app: &Arc<App>, question: Question) -> Result<HttpResponse, Problem> {
    // Not on the thread that answers: there one caller's work would delay the next one's answer.
    let found = app::in_background(app, move |app| look_up::look_up(&app.store, &question, app.now())).await;
    let status = found.ok_or_else(Problem::internal)??.ok_or_else(Problem::nothing_to_show)?;
    Ok(private(&mut HttpResponse::Ok()).json(status))
}

/// Under what tries are counted: the shop with the order, or the parcel's number, however it is written.
fn subject_of(question: &Question) -> String {
    match &question.subject {
        Subject::OrderNumber(number) => format!("order {} {number}", question.shop),
        Subject::TrackingNumber(typed) => {
            let check = tracking_number::check(typed, &Hints::default());
            format!("parcel {}", check.tracked_number().unwrap_or(typed))
        }
    }
}

#[cfg(test)]
mod tests;
