//! A seller's shipments as pages: the list with its search, and one shipment with all that is known of it.

use super::guard::Visitor;
use super::number_pages::NumberForm;
use super::{Frame, page, words};
use crate::app::{self, App};
use crate::domain::carrier;
use crate::domain::ids::ShipmentId;
use crate::domain::milestone::SubStatus;
use crate::domain::order::Contact;
use crate::domain::scan::{ScanDetails, TrackingEvent};
use crate::domain::verdict::VerdictKind;
use crate::flows::list_shipments::{self, Correction, ShipmentDetail, ShipmentFilter};
use crate::flows::manage_settings;
use crate::http::orders::status_url;
use crate::http::paging;
use crate::http::problem::Problem;
use crate::http::shipments;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

const ROWS: i64 = 50;

/// Which shipments the list shows. A field that is blank asks for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ShipmentsPageQuery {
    /// A tracking number, an order number or the e-mail address of a customer, in full.
    #[serde(default)]
    q: String,
    /// A verdict's code.
    #[serde(default)]
    verdict: String,
    /// `yes` or `no`.
    #[serde(default)]
    open: String,
    /// The place in the list, from the link to the next page.
    #[serde(default)]
    cursor: String,
}

impl ShipmentsPageQuery {
    fn filter(&self) -> ShipmentFilter {
        let verdict = Some(self.verdict.clone()).filter(|verdict| !verdict.is_empty());
        let open = match self.open.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        ShipmentFilter { verdict, open, search: list_shipments::search(&self.q), ..ShipmentFilter::default() }
    }

    fn is_blank(&self) -> bool {
        [&self.q, &self.verdict, &self.open].iter().all(|field| field.trim().is_empty())
    }
}

/// One line of the list.
struct Row {
    id: ShipmentId,
    order_number: String,
    tracking_number: String,
    suspicious: bool,
    carrier: String,
    milestone: String,
    verdict: String,
    mood: &'static str,
    promise: Option<String>,
    last_event: Option<String>,
}

impl From<ShipmentDetail> for Row {
    fn from(detail: ShipmentDetail) -> Self {
        let (shipment, standing) = (detail.view.shipment, detail.view.standing);
        Self {
            id: shipment.id,
            order_number: detail.view.order.order_number,
            carrier: detail.carrier_name.unwrap_or_else(|| carrier_name(None)),
            tracking_number: shipment.tracking_number,
            suspicious: shipment.suspicious,
            milestone: words::plain(&standing.milestone),
            verdict: words::verdict(&standing.verdict),
            mood: words::mood(&standing.verdict),
            promise: shipment.deliver_by_on.as_deref().map(words::day),
            last_event: words::moment_of(standing.detail.0.pointer("/progress/last_event")),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/shipments.html")]
struct ShipmentsPage {
    frame: Frame,
    query: ShipmentsPageQuery,
    /// Code and words.
    verdicts: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    next_cursor: Option<String>,
}

/// The seller's shipments, newest first
#[utoipa::path(get, path = "/shipments")]
pub async fn list_shipments(
    app: Data<App>,
    visitor: Visitor,
    query: Query<ShipmentsPageQuery>,
) -> Result<HttpResponse, Problem> {
    let (app, query, seller) = (app.into_inner(), query.into_inner(), visitor.seller);
    let before = paging::cursor(Some(query.cursor.as_str()).filter(|cursor| !cursor.is_empty()))?;
    let filter = query.filter();
    let fetched = shipments::fetch(&app, seller, (filter, None), (before, ROWS + 1)).await?;
    let listed = paging::page(fetched, ROWS, |detail| detail.view.shipment.id.to_string(), Row::from);
    let frame = Frame::of(&app, &visitor, "Shipments");
    let verdicts = VerdictKind::ALL.map(|kind| (kind.code(), words::verdict(kind.code()))).to_vec();
    page(StatusCode::OK, &ShipmentsPage { frame, query, verdicts, rows: listed.data, next_cursor: listed.next_cursor })
}

/// One thing that happened.
struct Stop {
    what: String,
    detail: Option<String>,
    place: Option<String>,
    at: String,
    source: &'static str,
}

impl From<(TrackingEvent, ScanDetails)> for Stop {
    fn from((event, details): (TrackingEvent, ScanDetails)) -> Self {
        Self {
            what: event.sub_status.map_or_else(|| format!("Unknown code {}", event.raw_code), sub_status_words),
            detail: details.description,
            place: details.place,
            at: words::moment(event.occurred.local),
            source: event.source.code(),
        }
    }
}

/// A fact under the verdict, and when.
struct Fact {
    what: String,
    when: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/shipment.html")]
pub(super) struct ShipmentPage {
    frame: Frame,
    detail: ShipmentDetail,
    carrier: String,
    status_url: Option<String>,
    stands: String,
    /// Newest first.
    stops: Vec<Stop>,
    facts: Vec<Fact>,
    contact: Option<Contact>,
    /// What is doubtful about the number.
    doubt: Option<String>,
    /// Newest first.
    history: Vec<Former>,
    pub(super) form: NumberForm,
    note: Note,
}

/// What it went under until a day.
struct Former {
    number: String,
    carrier: String,
    until: String,
}

/// What is said above the page.
pub(super) struct Note {
    pub(super) done: Option<&'static str>,
    pub(super) fault: Option<String>,
}

impl ShipmentPage {
    fn may_correct(&self) -> bool {
        self.frame.visitor.as_ref().is_some_and(Visitor::is_manager)
    }

    /// A text of the verdict, where it says something.
    fn verdict(&self, member: &str) -> Option<&str> {
        let told = self.detail.view.standing.detail.0.pointer(&format!("/verdict/{member}")).and_then(Value::as_str);
        told.filter(|text| !text.is_empty() && *text != "none")
    }

    fn verdict_words(&self) -> String {
        words::verdict(&self.detail.view.standing.verdict)
    }

    fn mood(&self) -> &'static str {
        words::mood(&self.detail.view.standing.verdict)
    }

    /// Where it goes, without the street.
    fn destination(&self) -> String {
        let order = &self.detail.view.order;
        let parts = [order.postal_code.as_deref(), order.region.as_deref(), order.country.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// What was done before the page is shown.
#[derive(Debug, Deserialize)]
pub struct ShipmentPageQuery {
    done: Option<String>,
}

/// What was done, in the address of the page that tells it, and in words.
const DONE: [(&str, &str); 2] = [
    ("number", "The number is corrected, and followed from now on."),
    ("nothing", "It goes under this number already. Nothing was changed."),
];

/// One shipment
#[utoipa::path(get, path = "/shipments/{id}")]
pub async fn show_shipment(
    app: Data<App>,
    visitor: Visitor,
    id: Path<String>,
    query: Query<ShipmentPageQuery>,
) -> Result<HttpResponse, Problem> {
    let done = DONE.iter().find(|(code, _)| Some(*code) == query.done.as_deref()).map(|(_, words)| *words);
    let note = Note { done, fault: None };
    page(StatusCode::OK, &shipment_page(&app.into_inner(), &visitor, read_id(&id)?, note).await?)
}

pub(super) fn read_id(text: &str) -> Result<ShipmentId, Problem> {
    text.parse().map_err(|_no_id| Problem::not_found("shipment"))
}

/// What a page of one shipment is made of.
struct Found {
    detail: ShipmentDetail,
    events: Vec<(TrackingEvent, ScanDetails)>,
    contact: Option<Contact>,
    zone: TimeZone,
}

pub(super) async fn shipment_page(
    app: &Arc<App>,
    visitor: &Visitor,
    id: ShipmentId,
    note: Note,
) -> Result<ShipmentPage, Problem> {
    let seller = visitor.seller;
    let found = app::read(app, move |app| {
        let Some(detail) = list_shipments::show_shipment(&app.store, &app.secrets, seller, id)? else {
            return Ok(None);
        };
        let events = list_shipments::list_events(&app.store, seller, id, app.now())?.unwrap_or_default();
        let contact = list_shipments::contact(&app.store, seller, detail.view.order.id)?;
        let zone = manage_settings::show_settings(&app.store, seller)?.zone();
        Ok::<_, crate::flows::StoreError>(Some(Found { detail, events, contact, zone }))
    });
    let found = found.await.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    let frame = Frame::of(app, visitor, format!("Shipment {}", found.detail.view.shipment.tracking_number));
    Ok(filled_in(app, frame, found, note))
}

fn filled_in(app: &App, frame: Frame, found: Found, note: Note) -> ShipmentPage {
    let Found { mut detail, events, contact, zone } = found;
    let former = |was: Correction| Former {
        until: words::day(&zone.to_datetime(was.corrected_at.0).date().to_string()),
        carrier: carrier_name(was.carrier.as_deref()),
        number: was.tracking_number,
    };
    let history = std::mem::take(&mut detail.history).into_iter().map(former).collect();
    let stands = detail.view.standing.sub_status.as_deref().and_then(|code| code.parse().ok());
    ShipmentPage {
        carrier: detail.carrier_name.clone().unwrap_or_else(|| carrier_name(None)),
        status_url: detail.token.as_deref().map(|token| status_url(&app.public_url(), token)),
        stands: stands.map_or_else(|| words::plain(&detail.view.standing.milestone), sub_status_words),
        stops: events.into_iter().rev().map(Stop::from).collect(),
        facts: facts(&detail.view.standing.detail.0),
        doubt: list_shipments::doubt(&detail.view),
        form: NumberForm::of(&detail),
        history,
        contact,
        frame,
        note,
        detail,
    }
}

fn facts(standing: &Value) -> Vec<Fact> {
    let evidence = standing.pointer("/verdict/evidence").and_then(Value::as_array).into_iter().flatten();
    let text = |fact: &Value, member: &str| fact.get(member).and_then(Value::as_str).map(str::to_owned);
    let fact = |it: &Value| {
        let sub_status = text(it, "sub_status").and_then(|code| code.parse().ok()).map(sub_status_words);
        let what = words::plain(&text(it, "fact")?);
        Some(Fact {
            what: sub_status.map_or_else(|| what.clone(), |stood| format!("{what}: {stood}")),
            when: words::moment_of(it.get("at")).or_else(|| text(it, "on").map(|day| words::day(&day))),
        })
    };
    evidence.filter_map(fact).collect()
}

/// `In transit, customs processing`
fn sub_status_words(sub_status: SubStatus) -> String {
    let (milestone, finer) = sub_status.code().split_once('.').unwrap_or((sub_status.code(), ""));
    [words::plain(milestone), finer.replace('_', " ")].join(", ")
}

fn carrier_name(slug: Option<&str>) -> String {
    let known = slug.and_then(carrier::by_slug).map(|it| it.name.clone());
    known.or_else(|| slug.map(str::to_owned)).unwrap_or_else(|| "Unknown".to_owned())
}
