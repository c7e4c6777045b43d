//! Rows of legs: a parcel that its forwarder handed over, under another carrier's number from then on.

use super::cells::{Cells, ORDER_NUMBER_CHARS};
use crate::domain::order::Place;
use crate::domain::shipment::LegRow;
use jiff::civil::Time;

const LAST_MILE: &str = "last_mile_number";

/// Reads one row of a sheet of legs; faults are left with the cells.
pub(super) fn read(cells: &mut Cells<'_>) -> Option<LegRow> {
    let nowhere = Place::default();
    let order_number = cells.identity("order_number", ORDER_NUMBER_CHARS);
    let faults = cells.errors.len();
    let forwarder = cells.carrier("forwarder");
    let first_mile = cells.number("forwarder_number", forwarder.as_ref(), (&nowhere, &nowhere));
    if order_number.is_none() && first_mile.is_none() && cells.errors.len() == faults {
        let detail = "The row names neither the order nor the forwarder's number, so nobody can tell whose parcel it is. Fill \
                      in one of them.";
        cells.error("order_number", "missing_field", detail);
    }
    let faults = cells.errors.len();
    let carrier = cells.carrier("last_mile_carrier");
    let last_mile = cells.number(LAST_MILE, carrier.as_ref(), (&nowhere, &nowhere));
    if last_mile.is_none() && cells.errors.len() == faults {
        cells.error(
            LAST_MILE,
            "missing_field",
            "The number of the last mile is blank. Delete the row, or fill in the number.",
        );
    }
    let handed_over = cells.time("handed_over_at", Time::midnight()).map(|told| told.time);
    Some(LegRow { order_number, first_mile, last_mile: last_mile?, handed_over })
}
