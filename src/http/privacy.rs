//! What a person may ask of you: to be forgotten, and to be told what you keep.

use super::auth::Caller;
use super::fields::text;
use super::imports::{RowOut, row_shown};
use super::orders::{self, OrderOut};
use super::problem::Problem;
use super::shipments::{self, EventOut, ShipmentOut};
use crate::app::{self, App};
use crate::domain::ids::{OrderId, SellerId};
use crate::domain::order::{email_key, phone_key};
use crate::flows::privacy::export::{self, Traces};
use crate::flows::privacy::{Person, erase};
use crate::flows::{StoreError, list_orders, list_shipments};
use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who is meant, in exactly one way: `email`, `phone`, `order_id`, or `order_number` with `shop`.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PersonIn {
    email: Option<String>,
    /// Six digits or more; with the country, since people of two countries may share the rest.
    phone: Option<String>,
    order_id: Option<Uuid>,
    /// The name of a shop; `main` where absent.
    shop: Option<String>,
    order_number: Option<String>,
}

impl PersonIn {
    fn person(self) -> Result<Person, Problem> {
        match (self.email, self.phone, self.order_id, self.order_number) {
            (Some(email), None, None, None) if self.shop.is_none() => {
                let bad = || Problem::invalid("/email", "bad_email", "Write an e-mail address.");
                email_key(&email).map(Person::Email).ok_or_else(bad)
            }
            (None, Some(phone), None, None) if self.shop.is_none() => {
                let bad = || Problem::invalid("/phone", "bad_phone", "Write a telephone number of six digits or more.");
                phone_key(&phone).map(|_key| Person::Phone(phone)).ok_or_else(bad)
            }
            (None, None, Some(id), None) if self.shop.is_none() => Ok(Person::Order(OrderId(id))),
            (None, None, None, Some(number)) => {
                Ok(Person::OrderNumber(self.shop, text("/order_number", &number, 128)?))
            }
            _ => {
                let detail =
                    "Name the person in exactly one way: email, phone, order_id, or order_number with its shop.";
                Err(Problem::invalid("", "one_way", detail))
            }
        }
    }
}

/// What was forgotten.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErasureOut {
    /// It is in the audit log under this id.
    id: Uuid,
    orders: usize,
    /// Their parcels: what carriers wrote about them is gone too.
    parcels: usize,
    /// Uploads that named the person: their files are gone.
    imports: usize,
    #[schema(value_type = String, format = DateTime)]
    erased_at: jiff::Timestamp,
}

/// Forget a person
///
/// Name, address, e-mail, telephone and notes of every order that goes there, what carriers wrote about its parcels, what
/// your uploads said, and their files. Orders, events and reports stay as they are, and so does the status link. A later
/// upload or request brings none of it back. A person whom nobody knows is an answer of zeros.
#[utoipa::path(
    post, path = "/v1/privacy/erasures", tag = "Privacy", request_body = PersonIn,
    responses(
        (status = 201, description = "Forgotten.", body = ErasureOut),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn erase_person(app: Data<App>, caller: Caller, told: Json<PersonIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, actor) = (app.into_inner(), caller.seller()?, caller.actor());
    let person = told.into_inner().person()?;
    let erased = app::in_background(&app, move |app| erase::erase(&app.store, seller, &person, &actor, app.now()));
    let erasure = erased.await.ok_or_else(Problem::internal)??;
    Ok(HttpResponse::Created().json(ErasureOut {
        id: erasure.id.0,
        orders: erasure.orders,
        parcels: erasure.parcels,
        imports: erasure.imports,
        erased_at: erasure.erased_at,
    }))
}

/// Everything on a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonOut {
    /// Oldest first; 1,000 at most.
    orders: Vec<PersonOrder>,
    /// Rows of uploads that name the person or these orders.
    import_rows: Vec<PersonRow>,
    /// There is more than is told here: ask for the rest order by order.
    truncated: bool,
    #[schema(value_type = String, format = DateTime)]
    exported_at: jiff::Timestamp,
}

/// An order with its parcels.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonOrder {
    #[serde(flatten)]
    order: OrderOut,
    shipments: Vec<PersonShipment>,
}

/// A parcel with all that was heard of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonShipment {
    #[serde(flatten)]
    shipment: ShipmentOut,
    events: Vec<PersonEvent>,
}

/// A tracking event with who signed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonEvent {
    #[serde(flatten)]
    event: EventOut,
    signed_by: Option<String>,
}

/// A row of an upload.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PersonRow {
    import_id: Uuid,
    #[serde(flatten)]
    row: RowOut,
}

/// Tell everything on a person, to hand it over
///
/// Orders with contact and lines, parcels with events, and the rows of uploads that name them, as one document of 1,000
/// orders at most. That you asked is written down; whom you asked for is not.
#[utoipa::path(
    get, path = "/v1/privacy/export", tag = "Privacy", params(PersonIn),
    responses(
        (status = 200, description = "What there is.", body = PersonOut),
        (status = 400, description = "A bad parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not as documented.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn export_person(app: Data<App>, caller: Caller, told: Query<PersonIn>) -> Result<HttpResponse, Problem> {
    let (app, seller, actor) = (app.into_inner(), caller.seller()?, caller.actor());
    let person = told.into_inner().person()?;
    let told = app::in_background(&app, move |app| {
        let traces = export::traces(&app.store, seller, &person, &actor, app.now())?;
        Ok::<_, Problem>(told_of(app, seller, traces)?)
    });
    let person = told.await.ok_or_else(Problem::internal)??;
    Ok(HttpResponse::Ok()
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Disposition", "attachment; filename=\"person.json\""))
        .json(person))
}

fn told_of(app: &App, seller: SellerId, traces: Traces) -> Result<PersonOut, StoreError> {
    let mut told = Vec::new();
    for id in traces.orders {
        if let Some(view) = list_orders::show_order(&app.store, &app.secrets, seller, id)? {
            let shipments = shipments_of(app, seller, id)?;
            told.push(PersonOrder { order: orders::shown(view, &app.public_url()), shipments });
        }
    }
    let rows = traces.rows.into_iter().map(|row| PersonRow { import_id: row.import_id.0, row: row_shown(row) });
    Ok(PersonOut { orders: told, import_rows: rows.collect(), truncated: traces.truncated, exported_at: app.now() })
}

const MOST_SHIPMENTS: i64 = 1000;

fn shipments_of(app: &App, seller: SellerId, order: OrderId) -> Result<Vec<PersonShipment>, StoreError> {
    let filter = list_shipments::ShipmentFilter { order_id: Some(order), ..Default::default() };
    let place = (None, MOST_SHIPMENTS);
    let parcels = list_shipments::list_shipments(&app.store, &app.secrets, seller, (filter, None), place)?;
    let mut told = Vec::new();
    for parcel in parcels {
        let id = parcel.view.shipment.id;
        let events = list_shipments::list_events(&app.store, seller, id, app.now())?.unwrap_or_default();
        let events = events.into_iter().map(|(event, details)| {
            let signed_by = details.signed_by.clone();
            PersonEvent { event: shipments::event_told(event, details), signed_by }
        });
        told.push(PersonShipment { events: events.collect(), shipment: shipments::shown(parcel, &app.public_url()) });
    }
    Ok(told)
}
