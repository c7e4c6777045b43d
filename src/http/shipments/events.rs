//! What happened to a shipment.

use crate::app::{self, App};
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::domain::ids::ShipmentId;
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::scan::{ScanDetails, Source, TrackingEvent};
use crate::flows::list_shipments;
use crate::http::auth::Caller;
use crate::http::problem::Problem;
use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use uuid::Uuid;

/// A tracking event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventOut {
    id: Uuid,
    #[schema(value_type = EventTimeSchema)]
    occurred: EventTime,
    #[schema(value_type = String, format = DateTime)]
    heard_at: jiff::Timestamp,
    /// `null` where the source's code is not on our map.
    #[schema(value_type = Option<String>)]
    milestone: Option<Milestone>,
    #[schema(value_type = Option<String>)]
    sub_status: Option<SubStatus>,
    raw_code: String,
    source: Source,
    place: Option<String>,
    description: Option<String>,
}

/// The events of a shipment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Events {
    data: Vec<EventOut>,
    next_cursor: Option<String>,
}

/// What happened to a shipment, oldest first
#[utoipa::path(
    get, path = "/v1/shipments/{id}/events", tag = "Shipments", params(("id" = Uuid, Path)),
    responses(
        (status = 200, description = "The events.", body = Events),
        (status = 404, description = "No such shipment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn list_events(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<Json<Events>, Problem> {
    let (app, seller, id) = (app.into_inner(), caller.seller()?, ShipmentId(*id));
    let found = app::read(&app, move |app| list_shipments::list_events(&app.store, seller, id, app.now())).await;
    let events = found.ok_or_else(Problem::internal)??.ok_or_else(|| Problem::not_found("shipment"))?;
    let data = events.into_iter().map(|(event, details)| told(event, details));
    Ok(Json(Events { data: data.collect(), next_cursor: None }))
}

/// An event as it is shown; who signed is not.
pub fn told(event: TrackingEvent, details: ScanDetails) -> EventOut {
    EventOut {
        id: event.id.0,
        occurred: event.occurred,
        heard_at: event.heard_at,
        milestone: event.sub_status.map(SubStatus::milestone),
        sub_status: event.sub_status,
        raw_code: event.raw_code,
        source: event.source,
        place: details.place,
        description: details.description,
    }
}
