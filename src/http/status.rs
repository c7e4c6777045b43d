//! The customer's page: where the parcel is, when it comes, what to do. No script is needed to read it.

use super::accept::{self, Offer};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::event_time::EventTime;
use crate::domain::milestone::Milestone;
use crate::flows::show_status::{self, Parcel, Status, StatusError};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use jiff::civil::Date;
use std::cmp::Ordering;

#[derive(Template)]
#[template(path = "track.html")]
struct StatusPage<'a> {
    status: &'a Status,
}

#[derive(Template)]
#[template(path = "no_track.html")]
struct NoStatusPage<'a> {
    title: &'a str,
    detail: &'a str,
}

/// What a page may load and do: its own style, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The status of an order, for the holder of its link: JSON, or a page where `Accept` names `text/html`
#[utoipa::path(
    get, path = "/track/{token}", tag = "Customer", params(("token" = String, Path)),
    responses(
        (status = 200, description = "The status.", content((Status = "application/json"), (String = "text/html"))),
        (status = 404, description = "No such link.", content((Problem = "application/problem+json"), (String = "text/html"))),
        (status = 410, description = "It ended long ago.", content((Problem = "application/problem+json"), (String = "text/html"))),
    ),
)]
pub async fn show_status(app: Data<App>, token: Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let found = app::read(&app.into_inner(), move |app| show_status::show_status(&app.store, &token, app.now())).await;
    let found = found.ok_or_else(Problem::internal)?;
    if !wants_page(&request) {
        return Ok(match found {
            Ok(status) => private(&mut HttpResponse::Ok()).json(status),
            Err(error) => private_problem(&error.into()),
        });
    }
    match found {
        Ok(status) => page(StatusCode::OK, &StatusPage { status: &status }),
        Err(error @ StatusError::NotFound) => no_page(StatusCode::NOT_FOUND, "No such order", &error),
        Err(error @ StatusError::Gone) => no_page(StatusCode::GONE, "This page is gone", &error),
        Err(error @ StatusError::Store(_)) => Err(error.into()),
    }
}

/// Browsers name HTML. Programs often accept anything, or say nothing, and get JSON.
fn wants_page(request: &HttpRequest) -> bool {
    const OFFERS: [Offer<bool>; 4] = [
        Offer { media_type: "text/html", form: true },
        Offer { media_type: "application/xhtml+xml", form: true },
        Offer { media_type: "application/json", form: false },
        Offer { media_type: "application/problem+json", form: false },
    ];
    accept::named(request, &OFFERS).unwrap_or(false)
}

fn no_page(code: StatusCode, title: &str, error: &StatusError) -> Result<HttpResponse, Problem> {
    page(code, &NoStatusPage { title, detail: &error.to_string() })
}

fn page(code: StatusCode, template: &impl Template) -> Result<HttpResponse, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be made");
        Problem::internal()
    })?;
    Ok(private(&mut HttpResponse::build(code)).content_type("text/html; charset=utf-8").body(html))
}

fn private_problem(problem: &Problem) -> HttpResponse {
    let mut response = problem.error_response();
    for (name, value) in private(&mut HttpResponse::Ok()).finish().headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// The link is a secret between the seller and the customer: it is not kept, not indexed and not passed on.
pub(super) fn private(response: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    response
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
}

/// `Thu 17 Sep 2026`
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the template passes references")]
fn day(date: &Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

/// `Thu 17 Sep, 10:04`, as the clock at the place showed it.
fn moment(time: &EventTime) -> String {
    time.local.strftime("%a %-d %b, %H:%M").to_string()
}

/// The steps that the page draws, with how far the parcel has come.
fn steps(parcel: &Parcel) -> Vec<(&'static str, &'static str)> {
    let come = match parcel.milestone {
        Milestone::Pending => 0,
        Milestone::InfoReceived => 1,
        Milestone::InTransit | Milestone::Exception => 2,
        Milestone::OutForDelivery | Milestone::FailedAttempt | Milestone::AvailableForPickup => 3,
        Milestone::Returned | Milestone::Delivered => 4,
    };
    let last = if parcel.milestone == Milestone::Returned { "Sent back" } else { "Delivered" };
    let names = ["Announced", "On the way", "At the door", last];
    let reached = |n: usize| match (n + 1).cmp(&come) {
        Ordering::Less => "done",
        Ordering::Equal => "now",
        Ordering::Greater => "",
    };
    names.into_iter().enumerate().map(|(n, name)| (name, reached(n))).collect()
}

/// The colour of a parcel's headline.
fn mood(parcel: &Parcel) -> &'static str {
    let overdue = parcel.expected.as_ref().is_some_and(|expected| expected.overdue);
    if overdue {
        return "bad";
    }
    match parcel.milestone {
        Milestone::Delivered => "good",
        Milestone::Exception | Milestone::FailedAttempt | Milestone::Returned => "bad",
        Milestone::Pending
        | Milestone::InfoReceived
        | Milestone::InTransit
        | Milestone::OutForDelivery
        | Milestone::AvailableForPickup => "calm",
    }
}
