//! One row of a sheet, taken in: what becomes of it, and of which order and parcel it is.

use super::draft::Drafts;
use super::fresh::{order_of, take_in_fresh};
use super::work::WorkError;
use super::{Desk, Outcome, Remark, TakeInError, event, is_refusal, leg, shipment};
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::shipment::TrackingRow;
use crate::sheets::{Fault, Neighbour, Record, Row};
use crate::store::SellerTables;
use crate::store::outbox::Change;
use serde_json::json;

/// A record with what the rows before it make of it.
pub(super) struct Judged {
    pub(super) record: Record,
    pub(super) neighbour: Neighbour,
    pub(super) repeat: usize,
}

/// What became of a record.
pub(super) struct Done {
    pub(super) outcome: &'static str,
    pub(super) order_id: Option<OrderId>,
    pub(super) shipment_id: Option<ShipmentId>,
    pub(super) errors: Vec<Fault>,
    /// What turned out to be doubtful when it was taken in; what the sheet itself says is with the record.
    pub(super) warnings: Vec<Fault>,
}

impl Done {
    pub(super) fn new(outcome: &'static str, errors: Vec<Fault>) -> Self {
        Self { outcome, order_id: None, shipment_id: None, errors, warnings: Vec::new() }
    }
}

impl Judged {
    /// What it says about an order; not where the very same row stood above.
    fn order(&self) -> Option<&crate::domain::order::OrderRow> {
        self.record.row.as_ref().and_then(Row::order).filter(|_| self.neighbour == Neighbour::Fresh)
    }
}

pub(super) fn line_of(record: &Record) -> i64 {
    i64::try_from(record.line).unwrap_or(i64::MAX)
}

/// How rows are taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Whether a tracking row for an unknown order makes a bare order.
    pub(super) create_orders: bool,
    /// Whether orders are written, or only what would become of them is told.
    pub(super) writes_orders: bool,
}

/// Takes rows in, orders first and all at once: a parcel's order is on file before it is looked for.
pub(super) fn take_in_all(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    chunk: &[Judged],
    terms: Terms,
) -> Result<Vec<Done>, WorkError> {
    let numbers: Vec<&str> = chunk.iter().filter_map(Judged::order).map(|row| row.order_number.as_str()).collect();
    let mut drafts = Drafts::load(tables, desk, &numbers)?;
    let mut orders = Vec::with_capacity(chunk.len());
    for judged in chunk {
        orders.push(judged.order().map(|row| drafts.tell(desk, row, judged.repeat)).transpose()?);
    }
    if terms.writes_orders {
        drafts.write(tables, desk)?;
    }
    let fresh = take_in_fresh(tables, desk, chunk, terms)?;
    let mut done = Vec::with_capacity(chunk.len());
    for (place, (judged, order)) in chunk.iter().zip(orders).enumerate() {
        done.push(match fresh.get(&place) {
            Some((order, shipment)) => self::done((Some(*order), Some(*shipment), Outcome::Created, None)),
            None => take_in(tables, desk, (judged, order), terms.create_orders)?,
        });
    }
    Ok(done)
}

fn rejected(errors: Vec<Fault>) -> Done {
    Done::new("rejected", errors)
}

/// Takes a row in under a savepoint: a row that the database refuses is a fault of that row alone.
pub(super) fn take_in_alone(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    judged: &Judged,
    terms: Terms,
) -> Result<Vec<Done>, WorkError> {
    match tables.savepoint(|tables| take_in_all(tables, desk, std::slice::from_ref(judged), terms)) {
        Err(WorkError::Row(TakeInError::Store(error)) | WorkError::Store(error)) if is_refusal(&error) => {
            tracing::warn!(%error, line = judged.record.line, "a row was refused by the database");
            let detail = "This row could not be stored; look for odd characters in it.";
            Ok(vec![rejected(vec![Fault::of_row("refused", detail)])])
        }
        other => other,
    }
}

/// Takes the rest of a row in, whose order was told before.
fn take_in(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    (judged, order): (&Judged, Option<(OrderId, Outcome)>),
    create_orders: bool,
) -> Result<Done, WorkError> {
    let record = &judged.record;
    let Some(row) = &record.row else { return Ok(rejected(record.errors.clone())) };
    if judged.neighbour == Neighbour::Repeat {
        return Ok(Done::new("unchanged", Vec::new()));
    }
    let (order_id, of_order) = order.map_or((None, Outcome::Unchanged), |(id, outcome)| (Some(id), outcome));
    let taken = match row {
        Row::Order(_) => Ok((order_id, None, of_order, None)),
        Row::Combined(both) => match &both.tracking {
            Some(row) => take_in_tracking(tables, desk, row, false)
                .map(|(order, shipment, it, remark)| (order, shipment, of_order.max(it), remark)),
            None => Ok((order_id, None, of_order, None)),
        },
        Row::Tracking(row) => take_in_tracking(tables, desk, row, create_orders),
        Row::Leg(row) => leg::take_in_leg(tables, desk, row).map(|(order, id, it)| (Some(order), Some(id), it, None)),
        Row::Event(row) => event::take_in_event(tables, desk, row).map(|(id, it)| (None, id, it, None)),
    };
    match taken {
        Ok(taken) => Ok(done(taken)),
        Err(error @ TakeInError::OrderNotFound(_)) => {
            Ok(rejected(vec![Fault::of_cell("order_number", "order_not_found", error.to_string())]))
        }
        Err(error @ TakeInError::TrackingNumberNotFound(_)) => {
            Ok(rejected(vec![Fault::of_cell("tracking_number", "tracking_number_not_found", error.to_string())]))
        }
        Err(TakeInError::Leg { column, code, detail }) => Ok(rejected(vec![Fault::of_cell(column, code, detail)])),
        Err(error @ TakeInError::Number { .. }) => {
            Ok(rejected(vec![Fault::of_cell("tracking_number", "bad_format", error.to_string())]))
        }
        Err(error @ (TakeInError::Shop(_) | TakeInError::Secret(_) | TakeInError::Store(_))) => Err(error.into()),
    }
}

/// Of which order and parcel a row is, what became of it, and what its seller should know.
type Taken = (Option<OrderId>, Option<ShipmentId>, Outcome, Option<Remark>);

fn done((order_id, shipment_id, outcome, remark): Taken) -> Done {
    let warning = remark.map(|(code, detail)| Fault::of_cell("tracking_number", &code, detail));
    let warnings = warning.into_iter().collect();
    Done { order_id, shipment_id, warnings, ..Done::new(outcome.code(), Vec::new()) }
}

fn take_in_tracking(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    row: &TrackingRow,
    create_orders: bool,
) -> Result<Taken, TakeInError> {
    let order = match tables.order_by_number(desk.shop.id, &row.order_number)? {
        Some(order) => order,
        None if create_orders => {
            let bare = order_of(desk, row)?;
            tables.insert_order(&bare)?;
            let body = json!({"order_number": bare.order_number, "shop": desk.shop.name});
            tables.tell(Change::OrderCreated, bare.id.0, body, desk.moment.now)?;
            bare
        }
        None => return Err(TakeInError::OrderNotFound(row.order_number.clone())),
    };
    let taken = shipment::take_in_shipment(tables, desk, &order, row)?;
    Ok((Some(order.id), Some(taken.id), taken.outcome, taken.remark))
}

#[cfg(test)]
mod tests;
