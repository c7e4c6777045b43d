//! Takes orders, tracking numbers and events in, from a sheet or from the shop system: one row by one set of rules.
//!
//! Blank cells leave what is stored. The same row again changes nothing.

pub mod batch;
pub mod cancel;
mod correct;
mod doubts;
mod draft;
pub mod edit;
pub mod event;
mod fresh;
mod leg;
mod notes;
pub mod order;
pub mod put;
pub mod repaired;
mod row;
pub mod rows;
mod run;
pub mod shipment;
mod stored_file;
pub mod undo;
pub mod upload;
pub mod work;

use crate::domain::ids::ShipmentId;
use crate::domain::promise::{Policy, Promise, PromiseSource, Terms};
use crate::flows::record_events::{Moment, judge};
use crate::secrets::{SecretError, Secrets, StatusTokens};
use crate::store::orders::Order;
use crate::store::outbox::Change;
use crate::store::sellers::{Seller, Shop};
use crate::store::shipments::Shipment;
use crate::store::{SellerTables, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What taking a row in needs to know besides the row.
pub struct Desk<'a> {
    pub moment: Moment,
    pub shop: Shop,
    pub policies: Vec<Policy>,
    pub secrets: &'a Secrets,
    /// For the orders that are made at this desk.
    pub tokens: StatusTokens,
}

impl<'a> Desk<'a> {
    /// Sets up for one seller and shop.
    pub fn set_up(
        tables: &mut SellerTables,
        seller: &Seller,
        shop: Shop,
        secrets: &'a Secrets,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (policies, tokens) = (tables.policies()?, StatusTokens::of_seller(shop.seller_id.0.as_bytes())?);
        Ok(Self { moment: Moment { now, seller_zone: seller.zone() }, shop, policies, secrets, tokens })
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Unchanged,
    Updated,
    Created,
}

impl Outcome {
    pub fn code(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Updated => "updated",
            Self::Created => "created",
        }
    }
}

/// A code and its sentence: what the seller should know of something that was let through, or left as it is.
pub type Remark = (String, String);

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub id: ShipmentId,
    pub outcome: Outcome,
    /// About its number.
    pub remark: Option<Remark>,
}

/// Why a row could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum TakeInError {
    #[error("no order {0} is known in this shop; upload the order first, or pass create_orders=true")]
    OrderNotFound(String),
    #[error("no shipment goes under the tracking number {0}; upload its tracking row first")]
    TrackingNumberNotFound(String),
    #[error("{detail}")]
    Number { code: String, detail: String },
    /// Of a sheet of legs alone.
    #[error("{detail}")]
    Leg { column: &'static str, code: &'static str, detail: String },
    #[error("you have no shop `{0}`; leave `shop` out for your first shop")]
    Shop(String),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something that was asked for one by one was not done.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Also where it belongs to another seller.
    #[error("there is no {0}")]
    NotFound(&'static str),
    #[error("it was changed since it was read")]
    Stale,
    #[error("it is there already")]
    ThereAlready,
    /// To make one parcel of two is not ours to do.
    #[error("another shipment of this order, {other}, goes under {number} already")]
    NumberTaken { other: ShipmentId, number: String },
    #[error(transparent)]
    TakeIn(#[from] TakeInError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the database refuses just this, and would take something else.
fn is_refusal(error: &StoreError) -> bool {
    match error {
        StoreError::Refused(_) | StoreError::Taken(_) | StoreError::BadText => true,
        StoreError::Unavailable(_) | StoreError::CommitUnknown(_) | StoreError::Full => false,
    }
}

/// Sets a shipment's promise where none is set or its own day changed, and judges it.
fn settle(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    order: &Order,
    shipment: &mut Shipment,
) -> Result<(), StoreError> {
    if let Some(body) = promise(desk, order, shipment) {
        tables.update_shipment(shipment)?;
        tables.note_promise(shipment, desk.moment.now)?;
        tables.tell(Change::PromiseChanged, shipment.id.0, body, desk.moment.now)?;
    }
    judge(tables, &desk.moment, shipment.id)
}

/// Sets a shipment's promise where none is set or its own day changed; what is to be told of it, where it did.
///
/// A promise is frozen when it is first made: a policy or a standard that changes later changes nothing, only another
/// day of the order's own does. Where the own day was taken back, the promise is made anew from what is left.
fn promise(desk: &Desk<'_>, order: &Order, shipment: &mut Shipment) -> Option<Value> {
    let ordered = order.ordered();
    let terms = Terms {
        own_date: shipment.own_deliver_by_on().or(order.own_deliver_by()),
        shop: Some(order.shop_id),
        channel: order.channel.as_deref(),
        shipping_method: order.shipping_method.as_deref(),
        carrier: shipment.carrier.as_deref(),
        service: shipment.service.as_deref(),
        destination: order.destination().country,
        ordered_on: ordered.map(|time| time.date_in(&desk.moment.seller_zone)),
        shipped_on: shipment.shipped_on(),
    };
    let was_own = shipment.promise_source.as_deref() == Some(PromiseSource::Order.code());
    let taken_back = was_own && terms.own_date.is_none();
    let promise = if terms.own_date.is_some() || shipment.deliver_by_on.is_none() || taken_back {
        Promise::under(&terms, &desk.policies)
    } else {
        None
    };
    let day = promise.map(|it| it.deliver_by_on.to_string());
    if !taken_back && (promise.is_none() || day == shipment.deliver_by_on) {
        return None;
    }
    let before = std::mem::replace(&mut shipment.deliver_by_on, day);
    let source = promise.map(|it| it.source);
    shipment.promise_source = source.map(|it| it.code().to_owned());
    Some(json!({"from": before, "to": shipment.deliver_by_on, "source": source}))
}

/// Takes a told value over a stored one; tells whether that changed anything. A blank leaves what is stored.
fn take<T: PartialEq>(stored: &mut Option<T>, told: Option<T>) {
    if told.is_some() {
        *stored = told;
    }
}

#[cfg(test)]
mod tests;
