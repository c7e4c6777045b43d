//! Cancels an order or a shipment: nothing more is expected, and nobody is asked any more. A second time changes nothing.

use super::edit::{Expected, Parcel, find_order, find_parcel};
use super::put::{OrderRef, Sender};
use super::{ChangeError, Outcome, order, shipment};
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::order::OrderState;

/// Cancels an order and with it each of its shipments that is not delivered; a delivered one stays delivered.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn cancel_order(sender: &Sender<'_>, id: OrderId, expected: &Expected) -> Result<(OrderId, Outcome), ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let (desk, before) = find_order(tables, sender, &OrderRef::Id(id), expected)?;
        let mut order = before.clone();
        OrderState::Cancelled.code().clone_into(&mut order.state);
        Ok(order::finish(tables, &desk, (&before, order), Outcome::Unchanged)?)
    })
}

/// Cancels one shipment; a delivered one stays delivered.
///
/// # Errors
///
/// [`ChangeError`]; then nothing was written.
pub fn cancel_shipment(
    sender: &Sender<'_>,
    id: ShipmentId,
    expected: &Expected,
) -> Result<(ShipmentId, Outcome), ChangeError> {
    sender.store.seller(sender.seller).write(|tables| {
        let Parcel { desk, order, tracker, before, .. } = find_parcel(tables, sender, id, expected)?;
        let mut shipment = before.clone();
        "cancelled".clone_into(&mut shipment.state);
        let written = shipment::Written { before, shipment, is_new: false, news: 0 };
        Ok(shipment::finish(tables, &desk, &order, &tracker, written)?)
    })
}
