//! Carriers: those on file with their number formats, and those that a seller defined.

use super::auth::Caller;
use super::conditions::{self, Conditions};
use super::problem::Problem;
use crate::app::{self, App};
use crate::domain::carrier::own::{OwnCarrier, Told};
use crate::domain::carrier::{self, Carrier};
use crate::domain::country::CountryCode;
use crate::domain::ids::SellerId;
use crate::domain::tracking_number::{self, Known, NumberFormat};
use crate::flows::manage_carriers;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Path};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is on file changes with the program alone.
const VERSION_ON_FILE: i64 = 0;

/// A carrier of your own.
///
/// It is then recognised by slug, name and aliases wherever a carrier is written, case, blanks, dots and dashes aside, and
/// its numbers are proved by its patterns. None of its names may be that of a carrier on file.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CarrierIn {
    /// 1 to 64 characters.
    #[schema(example = "Bob's Bikes")]
    name: String,
    /// Other names that your sheets and systems write; at most 20.
    #[schema(example = json!(["BB Couriers"]))]
    aliases: Option<Vec<String>>,
    #[schema(example = "GB")]
    country: Option<String>,
    /// Its page of a parcel, `{n}` standing once for the number; at most 500 characters.
    #[schema(example = "https://track.bobsbikes.example/?parcel={n}")]
    tracking_url: Option<String>,
    /// What its numbers look like; at most 10.
    ///
    /// A pattern is parts apart by blanks, each for one or more characters in their order: `=AB` is those characters,
    /// digits or capitals; `digit`, `letter` and `alnum` are any such character, `[A-F0]` one of these; `*9` behind them
    /// repeats, and `*7-9` repeats seven to nine times. So `=BB digit*8` fits BB20417735. Numbers are compared in
    /// capitals, without blanks and dashes, and have 5 to 40 characters, 6 where all are digits.
    #[schema(example = json!(["=BB digit*8"]))]
    patterns: Option<Vec<String>>,
}

impl CarrierIn {
    fn told(self) -> Told {
        let Self { name, aliases, country, tracking_url, patterns } = self;
        Told {
            name,
            aliases: aliases.unwrap_or_default(),
            country,
            tracking_url,
            patterns: patterns.unwrap_or_default(),
        }
    }
}

/// A carrier.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CarrierOut {
    #[schema(example = "ups")]
    slug: String,
    name: String,
    country: Option<String>,
    /// The carrier's page of a number, which stands at `{n}`.
    tracking_url: Option<String>,
    /// Other names by which it is recognised.
    aliases: Vec<String>,
    formats: Vec<NumberFormat>,
    /// As you gave them, where it is your own.
    patterns: Vec<String>,
    /// Whether you defined it.
    own: bool,
}

/// All carriers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Carriers {
    data: Vec<CarrierOut>,
    /// Of the table of number formats that checks go by.
    formats_version: &'static str,
    next_cursor: Option<String>,
}

impl From<&Carrier> for CarrierOut {
    fn from(carrier: &Carrier) -> Self {
        Self {
            slug: carrier.slug.clone(),
            name: carrier.name.clone(),
            country: carrier.country.clone(),
            tracking_url: carrier.tracking_url.clone(),
            aliases: carrier.aliases.clone(),
            formats: tracking_number::formats_of(&carrier.slug).to_vec(),
            patterns: Vec::new(),
            own: false,
        }
    }
}

impl From<&OwnCarrier> for CarrierOut {
    fn from(carrier: &OwnCarrier) -> Self {
        Self {
            slug: carrier.slug.to_string(),
            name: carrier.name.clone(),
            country: carrier.country.clone(),
            tracking_url: carrier.tracking_url.clone(),
            aliases: carrier.aliases.clone(),
            formats: tracking_number::own_formats(carrier),
            patterns: carrier.patterns.iter().map(|it| it.as_str().to_owned()).collect(),
            own: true,
        }
    }
}

impl CarrierOut {
    /// A postal operator that is known by its country alone.
    fn of_post((slug, country): (&str, &str)) -> Self {
        let name =
            country.parse().map_or_else(|_no_country| country.to_owned(), |it: CountryCode| it.name().to_owned());
        Self {
            slug: slug.to_owned(),
            name: format!("Post of {name}"),
            country: Some(country.to_owned()),
            tracking_url: None,
            aliases: Vec::new(),
            formats: tracking_number::formats_of(slug).to_vec(),
            patterns: Vec::new(),
            own: false,
        }
    }

    fn on_file(slug: &str) -> Option<Self> {
        let post = || tracking_number::postal_operators().into_iter().find(|(it, _)| *it == slug).map(Self::of_post);
        carrier::by_slug(slug).map(Self::from).or_else(post)
    }
}

/// What is known of the seller, for whoever proves numbers.
pub async fn known_numbers(app: &Arc<App>, seller: SellerId) -> Result<Known, Problem> {
    let known = app::read(app, move |app| manage_carriers::known_numbers(&app.store, seller, app.now())).await;
    Ok(known.ok_or_else(Problem::internal)??)
}

async fn own_carriers(app: &Arc<App>, seller: SellerId) -> Result<Vec<OwnCarrier>, Problem> {
    let own = app::read(app, move |app| manage_carriers::list_carriers(&app.store, seller)).await;
    Ok(own.ok_or_else(Problem::internal)??)
}

/// All carriers: your own, those on file, and postal operators that are known by their country alone
///
/// Each with the forms of its numbers and a made-up example of each form.
#[utoipa::path(
    get, path = "/v1/carriers", tag = "Numbers",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag that you hold: 304 where nothing changed.")),
    responses(
        (status = 200, description = "The carriers.", body = Carriers, headers(("ETag" = String, description = "A digest."))),
        (status = 304, description = "You hold just this.", headers(("ETag" = String, description = "A digest."))),
    ),
)]
pub async fn list_carriers(app: Data<App>, caller: Caller, conditions: Conditions) -> Result<HttpResponse, Problem> {
    let own = own_carriers(&app.into_inner(), caller.seller()?).await?;
    let posts = tracking_number::postal_operators().into_iter().map(CarrierOut::of_post);
    let data =
        own.iter().map(CarrierOut::from).chain(carrier::all().iter().map(CarrierOut::from)).chain(posts).collect();
    let formats_version = tracking_number::formats_version();
    conditions.answer(VERSION_ON_FILE, &Carriers { data, formats_version, next_cursor: None })
}

/// One carrier
#[utoipa::path(
    get, path = "/v1/carriers/{slug}", tag = "Numbers",
    params(
        ("slug" = String, Path),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that you hold: 304 where nothing changed."),
    ),
    responses(
        (status = 200, description = "The carrier.", body = CarrierOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 304, description = "You hold just this.", headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "Neither on file nor your own.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn show_carrier(
    app: Data<App>,
    caller: Caller,
    slug: Path<String>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let (app, seller, slug) = (app.into_inner(), caller.seller()?, slug.into_inner());
    let asked = slug.clone();
    let own = app::read(&app, move |app| manage_carriers::show_carrier(&app.store, seller, &asked)).await;
    let own = own.ok_or_else(Problem::internal)??.map(|own| (own.version, CarrierOut::from(&own.carrier)));
    let found = own.or_else(|| CarrierOut::on_file(&slug).map(|it| (VERSION_ON_FILE, it)));
    let (version, carrier) = found.ok_or_else(|| Problem::not_found("carrier"))?;
    conditions.answer(version, &carrier)
}

/// Define a carrier of your own, or replace it
///
/// The slug is its name in lower case, words with dashes between: `bobs-bikes`. From then on it is recognised in sheets and
/// requests, its numbers are proved by its patterns, and its page is linked for your customers.
#[utoipa::path(
    put, path = "/v1/carriers/{slug}", tag = "Numbers", params(("slug" = String, Path)),
    request_body = CarrierIn,
    responses(
        (status = 200, description = "Replaced, or the same as before.", body = CarrierOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 201, description = "Defined.", body = CarrierOut, headers(("ETag" = String, description = "Its version and a digest."))),
        (status = 404, description = "The path holds no text.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A name is on file, or that of another carrier of yours; or you have 200.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn put_carrier(
    app: Data<App>,
    caller: Caller,
    slug: Path<String>,
    told: Json<CarrierIn>,
) -> Result<HttpResponse, Problem> {
    let (app, seller, told) = (app.into_inner(), caller.seller()?, told.into_inner().told());
    let put = app::in_background(&app, move |app| {
        manage_carriers::put_carrier(&app.store, seller, &caller.actor(), (&slug, told), app.now())
    });
    let (defined, is_new) = put.await.ok_or_else(Problem::internal)??;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    conditions::written(status, defined.version, CarrierOut::from(&defined.carrier), |_| ())
}

/// Remove a carrier of your own
///
/// Parcels that went under it stay, with its slug as a word and without its page.
#[utoipa::path(
    delete, path = "/v1/carriers/{slug}", tag = "Numbers", params(("slug" = String, Path)),
    responses(
        (status = 204, description = "Removed."),
        (status = 404, description = "You have none of this slug.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is on file for everybody.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn remove_carrier(app: Data<App>, caller: Caller, slug: Path<String>) -> Result<HttpResponse, Problem> {
    let (app, seller) = (app.into_inner(), caller.seller()?);
    let removed = app::in_background(&app, move |app| {
        manage_carriers::remove_carrier(&app.store, seller, &caller.actor(), &slug, app.now())
    });
    removed.await.ok_or_else(Problem::internal)??;
    Ok(HttpResponse::NoContent().finish())
}
