//! The customer's status: what the holder of an order's link may see, and nothing else.

pub mod look_up;

use crate::domain::carrier::CarrierSlug;
use crate::domain::carrier::own::{self, OwnCarrier};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{ShipmentId, TrackerId};
use crate::domain::milestone::{Actor, Milestone, SubStatus};
use crate::domain::scan::{ScanDetails, TrackingEvent};
use crate::domain::verdict::VerdictKind;
use crate::secrets::{seller_in_token, status_token_key};
use crate::store::orders::Order;
use crate::store::shipment_lists::ShipmentView;
use crate::store::shipments::{Leg, Shipment};
use crate::store::standings::StandingRow;
use crate::store::{SellerTables, Store, StoreError};
use jiff::{Timestamp, ToSpan};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

/// So long after its end an order's link still works.
const LINK_DAYS_AFTER_END: i64 = 120;

/// What the customer may see of an order. Every field is on the allow-list: no names, no addresses, no prices.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Status {
    pub order_number: String,
    /// The seller's name.
    pub seller: String,
    #[schema(value_type = Option<String>, format = Date)]
    pub ordered_on: Option<jiff::civil::Date>,
    pub cancelled: bool,
    pub parcels: Vec<Parcel>,
}

/// One parcel of the order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Parcel {
    pub carrier: Option<String>,
    pub tracking_number: String,
    /// The carrier's own page.
    pub tracking_url: Option<String>,
    #[schema(value_type = String)]
    pub milestone: Milestone,
    #[schema(value_type = String)]
    pub sub_status: SubStatus,
    /// Where it stands, in one sentence.
    pub status: &'static str,
    #[schema(value_type = Option<crate::domain::event_time::EventTimeSchema>)]
    pub since: Option<EventTime>,
    pub expected: Option<Expected>,
    /// What the customer can do now.
    pub what_to_do: &'static str,
    /// Newest first.
    pub timeline: Vec<Stop>,
}

/// The days within which the parcel should arrive, both inclusive.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Expected {
    #[schema(value_type = Option<String>, format = Date)]
    pub from_on: Option<jiff::civil::Date>,
    #[schema(value_type = String, format = Date)]
    pub by_on: jiff::civil::Date,
    /// The last day has passed, and the parcel is not there.
    pub overdue: bool,
}

/// One thing that happened.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Stop {
    #[schema(value_type = crate::domain::event_time::EventTimeSchema)]
    pub occurred: EventTime,
    #[schema(value_type = Option<String>)]
    pub milestone: Option<Milestone>,
    pub what: String,
    pub place: Option<String>,
}

/// Why there is no status to show.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error("this link leads to no order; open the newest link that the seller sent you")]
    NotFound,
    #[error("this order ended long ago, and its page is gone; ask the seller about it")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The status behind a link's token.
///
/// # Errors
///
/// [`StatusError::NotFound`] for a wrong token, [`StatusError::Gone`] 120 days after the last parcel's end.
pub fn show_status(store: &Store, token: &str, now: Timestamp) -> Result<Status, StatusError> {
    let seller = store.seller_of_links(&seller_in_token(token))?.ok_or(StatusError::NotFound)?;
    store.seller(seller).reserved().read(|tables| {
        let order = tables.order_by_token(&status_token_key(token))?.ok_or(StatusError::NotFound)?;
        status_of(tables, order, now)
    })
}

fn status_of(tables: &mut SellerTables, order: Order, now: Timestamp) -> Result<Status, StatusError> {
    let seller = tables.profile()?.ok_or(StatusError::NotFound)?;
    let views = tables.shipment_views_of_order(order.id)?;
    let own = tables.own_carriers()?;
    let mut timelines = timelines(tables, &views, now)?;
    let mut parcels = Vec::with_capacity(views.len());
    for view in &views {
        let timeline = timelines.remove(&view.shipment.id).unwrap_or_default();
        parcels.push((parcel(view, &own, timeline), view.standing.is_open));
    }
    if has_ended_long_ago(&order, &parcels, now) {
        return Err(StatusError::Gone);
    }
    Ok(Status {
        ordered_on: order.ordered().map(|time| time.date_in(&seller.zone())),
        cancelled: order.state == "cancelled",
        order_number: order.order_number,
        seller: seller.name,
        parcels: parcels.into_iter().map(|(parcel, _)| parcel).collect(),
    })
}

fn has_ended_long_ago(order: &Order, parcels: &[(Parcel, bool)], now: Timestamp) -> bool {
    let cancelled = order.state == "cancelled";
    if parcels.iter().any(|(_, is_open)| *is_open) || (parcels.is_empty() && !cancelled) {
        return false;
    }
    // What was uploaded long after the fact is still shown for as long as the seller may want to look at it.
    let ended = parcels.iter().filter_map(|(parcel, _)| parcel.since.map(|time| time.sort_instant())).max();
    let ended = ended.unwrap_or(order.updated_at.0).max(order.updated_at.0);
    ended.checked_add((LINK_DAYS_AFTER_END * 24).hours()).is_ok_and(|end| end < now)
}

fn parcel(view: &ShipmentView, own: &[OwnCarrier], timeline: Vec<Stop>) -> Parcel {
    let shipment = &view.shipment;
    let sub_status = view.standing.sub_status.as_deref().and_then(|it| it.parse().ok()).unwrap_or(SubStatus::NotFound);
    let carrier = shipment.carrier.as_deref().filter(|it| *it != CarrierSlug::OTHER);
    let since = timeline.iter().find(|stop| stop.milestone == Some(sub_status.milestone())).map(|stop| stop.occurred);
    Parcel {
        carrier: carrier.map(|slug| own::name_of(slug, own).unwrap_or(slug).to_owned()),
        tracking_number: shipment.tracking_number.clone(),
        tracking_url: carrier.and_then(|slug| own::page_of(slug, &shipment.tracking_number, own)),
        milestone: sub_status.milestone(),
        sub_status,
        status: sub_status.sentence(),
        since,
        expected: expected(shipment, &view.order, &view.standing.timeliness, sub_status),
        what_to_do: what_to_do(sub_status, &view.standing),
        timeline,
    }
}

/// What happened to each of these shipments on all of its legs, newest first.
fn timelines(
    tables: &mut SellerTables,
    views: &[ShipmentView],
    now: Timestamp,
) -> Result<HashMap<ShipmentId, Vec<Stop>>, StoreError> {
    let shipments: Vec<ShipmentId> = views.iter().map(|view| view.shipment.id).collect();
    let legs = tables.legs_of(&shipments)?;
    let trackers: Vec<TrackerId> = legs.values().flatten().map(|leg| leg.tracker_id).collect();
    let events = tables.standing_events_in_full(&trackers, now)?;
    let timeline = |legs: &Vec<Leg>| {
        let is_on_a_leg = |event: &TrackingEvent| legs.iter().any(|leg| leg.tracker_id == event.tracker_id);
        let is_shown = |event: &TrackingEvent| is_on_a_leg(event) && event.may_have_happened_by(now);
        let mut mine: Vec<_> = events.iter().filter(|(event, _)| is_shown(event)).collect();
        mine.sort_by_key(|(event, _)| Reverse(event.order()));
        mine.into_iter().map(|(event, details)| stop(event, details)).collect()
    };
    Ok(legs.iter().map(|(shipment, legs)| (*shipment, timeline(legs))).collect())
}

fn stop(event: &TrackingEvent, details: &ScanDetails) -> Stop {
    let sentence = event.sub_status.map(|sub_status| sub_status.sentence().to_owned());
    let description = || details.description.clone();
    Stop {
        occurred: event.occurred,
        milestone: event.sub_status.map(SubStatus::milestone),
        what: sentence.or_else(description).unwrap_or_else(|| event.raw_code.clone()),
        place: details.place.clone(),
    }
}

fn expected(shipment: &Shipment, order: &Order, timeliness: &str, stands: SubStatus) -> Option<Expected> {
    if matches!(stands.milestone(), Milestone::Delivered | Milestone::Returned) || stands.ends() {
        return None;
    }
    let by_on = shipment.deliver_by_on().or(order.own_deliver_by())?;
    let from_on = order.deliver_from_on.as_deref().and_then(|day| day.parse().ok()).filter(|from| *from <= by_on);
    Some(Expected { from_on, by_on, overdue: timeliness == "late_open" })
}

#[allow(clippy::wildcard_enum_match_arm, reason = "only some of thirty-six sub-statuses ask the customer for anything")]
fn what_to_do(stands: SubStatus, standing: &StandingRow) -> &'static str {
    let overdue = standing.timeliness == "late_open";
    let verdict = standing.verdict.parse().ok();
    match stands {
        SubStatus::CustomsHold => {
            "Look for mail from customs or the carrier, and send the papers or the payment it asks for."
        }
        SubStatus::RecipientUnavailable | SubStatus::AttemptFailed | SubStatus::Scheduled => {
            "Choose another day or place of delivery on the carrier's page."
        }
        SubStatus::AttemptAddressProblem | SubStatus::AddressProblem => "Write to the seller with your full address.",
        SubStatus::ReadyForPickup | SubStatus::Unclaimed => "Collect it at the pickup point, with a proof of identity.",
        SubStatus::DeliveredToNeighbour => "Ask your neighbours and look in a safe place at the door.",
        _ if stands.milestone() == Milestone::Delivered => "Nothing. If you do not have it, write to the seller soon.",
        _ if stands.milestone() == Milestone::Returned => "Write to the seller about a new parcel or your money.",
        _ if stands.actor() == Actor::Seller => {
            "Nothing for now; the seller has to act. Write to the seller if you hear nothing."
        }
        _ if matches!(verdict, Some(VerdictKind::SuspectedLost | VerdictKind::Lost)) => {
            "Write to the seller, who can ask the carrier where it is. We keep looking out for it."
        }
        _ if overdue => "It is later than promised. Write to the seller if it does not move within a few days.",
        _ if verdict == Some(VerdictKind::Stalled) => {
            "Nothing for now. It has not been scanned for some days; write to the seller if that goes on."
        }
        _ => "Nothing. This page shows every step as it happens.",
    }
}
