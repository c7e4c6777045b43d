//! Rows of tracking numbers, alone or beside the order line that they carry.

use super::cells::{Cells, ORDER_NUMBER_CHARS, TEXT_CHARS};
use super::orders;
use super::typed::Told;
use crate::domain::order::{OrderRow, Place};
use crate::domain::shipment::{CombinedRow, ProvenNumber, TrackingRow};
use jiff::civil::Time;

const NUMBER: &str = "tracking_number";

/// What a row says about the parcel itself.
struct Parcel {
    number: Option<ProvenNumber>,
    service: Option<String>,
    shipped: Option<Told>,
    delivered: Option<Told>,
    reference: Option<String>,
}

/// Reads one row of a sheet of tracking numbers; faults are left with the cells.
pub(super) fn read(cells: &mut Cells<'_>) -> Option<TrackingRow> {
    let order_number = cells.required("order_number", ORDER_NUMBER_CHARS);
    let destination = cells.destination();
    let origin = cells.origin();
    let faults = cells.errors.len();
    let parcel = parcel(cells, &origin, &destination);
    if parcel.number.is_none() && !cells.errors.iter().skip(faults).any(|it| it.column.as_deref() == Some(NUMBER)) {
        cells.error(NUMBER, "missing_field", "The tracking number is blank. Delete the row, or fill in the number.");
    }
    let status = cells.status().and_then(|(_, word)| word);
    let deliver_by_on = cells.day("deliver_by", destination.country, None);
    let (line_id, sku) = (cells.identity("line_id", TEXT_CHARS), cells.identity("sku", TEXT_CHARS));
    let quantity = cells.quantity();
    cells.show("currency");
    cells.show("note");
    let number = parcel.number;
    let row = |number| TrackingRow {
        order_number: order_number.unwrap_or_default(),
        number,
        service: parcel.service,
        shipped: parcel.shipped.map(|it| it.time),
        delivered: parcel.delivered.map(|it| it.time),
        status: status.and_then(|it| it.parcel),
        deliver_by_on,
        line_id,
        sku,
        quantity,
        parcel_ref: parcel.reference,
        destination,
        origin,
    };
    number.map(row)
}

/// Reads one row of a sheet of both. A line without a tracking number is not shipped yet.
pub(super) fn read_combined(cells: &mut Cells<'_>) -> Option<CombinedRow> {
    let status = cells.status().and_then(|(_, word)| word);
    let (ordered, order) = orders::read_with(cells, status.as_ref());
    let nowhere = Place::default();
    let (origin, destination) = order.as_ref().map_or((&nowhere, &nowhere), |it| (&it.origin, &it.destination));
    let faults = cells.errors.len();
    let parcel = parcel(cells, origin, destination);
    cells.in_sequence(("order_date", ordered), ("shipped_at", parcel.shipped));
    if parcel.number.is_none()
        && cells.errors.len() == faults
        && (parcel.shipped.is_some() || parcel.delivered.is_some())
    {
        let detail = "The row says when the parcel was shipped, but not under which number, so it cannot be followed.";
        cells.warn(NUMBER, "missing_field", detail);
    }
    let order = order?;
    let status = status.and_then(|it| it.parcel);
    let tracking = parcel.number.clone().map(|number| TrackingRow { status, ..beside(&order, &parcel, number) });
    Some(CombinedRow { order, tracking })
}

/// What the row of a parcel shares with the order line beside it.
fn beside(order: &OrderRow, parcel: &Parcel, number: ProvenNumber) -> TrackingRow {
    TrackingRow {
        order_number: order.order_number.clone(),
        number,
        service: parcel.service.clone(),
        shipped: parcel.shipped.map(|it| it.time),
        delivered: parcel.delivered.map(|it| it.time),
        status: None,
        deliver_by_on: order.line.deliver_by_on,
        line_id: order.line.line_id.clone(),
        sku: order.line.sku.clone(),
        quantity: order.line.quantity,
        parcel_ref: parcel.reference.clone(),
        destination: order.destination.clone(),
        origin: order.origin.clone(),
    }
}

fn parcel(cells: &mut Cells<'_>, origin: &Place, destination: &Place) -> Parcel {
    let declared = cells.carrier("carrier");
    let number = cells.number(NUMBER, declared.as_ref(), (origin, destination));
    let service = cells.service(declared.as_ref());
    let shipped = cells.time("shipped_at", Time::midnight());
    let delivered = cells.time("delivered_at", Time::midnight());
    cells.in_sequence(("shipped_at", shipped), ("delivered_at", delivered));
    let reference = cells.identity("parcel_ref", TEXT_CHARS);
    cells.show("shipping_cost");
    cells.show("tracking_url");
    Parcel { number, service, shipped, delivered, reference }
}
