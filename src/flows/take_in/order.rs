//! Orders: validated rows become orders, lines and contacts.

use super::{Desk, Outcome, TakeInError, doubts, settle, take};
use crate::domain::ids::OrderId;
use crate::domain::order::{ContactEdit, OrderLine, OrderRow, OrderState};
use crate::secrets::status_token_key;
use crate::store::orders::{Line, Order};
use crate::store::{At, SellerTables, StoreError};
use jiff::Timestamp;

/// An order of which only the number is known: for tracking rows of marketplaces that export no orders.
pub fn bare_order(desk: &Desk<'_>, number: &str) -> Result<Order, TakeInError> {
    let now = desk.moment.now;
    let (seller_id, id) = (desk.shop.seller_id, OrderId::new(now));
    let token = desk.tokens.fresh()?;
    Ok(Order {
        seller_id,
        id,
        shop_id: desk.shop.id,
        order_number: number.to_owned(),
        order_ref: None,
        state: OrderState::Open.code().to_owned(),
        ordered_local: None,
        ordered_offset: None,
        currency: None,
        country: None,
        region: None,
        postal_code: None,
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        channel: None,
        dispatch_by_at: None,
        deliver_by_on: None,
        token_hash: status_token_key(&token),
        token_sealed: desk.secrets.seal(id.0.as_bytes(), &token)?,
        contact_erased_at: None,
        created_at: At(now),
        updated_at: At(now),
        version: 1,
    })
}

/// What was erased with the contact is not told again.
pub(super) fn tell_head(order: &mut Order, row: &OrderRow) {
    take(&mut order.order_ref, row.order_ref.clone());
    if let Some(ordered) = row.ordered {
        order.ordered_local = Some(ordered.local_text());
        order.ordered_offset = ordered.offset_text();
    }
    take(&mut order.currency, row.currency.map(|it| it.to_string()));
    take(&mut order.country, row.destination.country.map(|it| it.to_string()));
    take(&mut order.region, row.destination.region.clone());
    if order.contact_erased_at.is_none() {
        take(&mut order.postal_code, row.destination.postal_code.clone());
    }
    take(&mut order.origin_country, row.origin.country.map(|it| it.to_string()));
    take(&mut order.origin_region, row.origin.region.clone());
    take(&mut order.origin_postal_code, row.origin.postal_code.clone());
    take(&mut order.deliver_from_on, row.deliver_from_on.map(|it| it.to_string()));
    take(&mut order.shipping_method, row.shipping_method.clone());
    take(&mut order.shipping_charged_minor, row.shipping_charged_minor);
    take(&mut order.channel, row.channel.clone());
    if let Some(state) = row.state {
        state.code().clone_into(&mut order.state);
    }
}

/// Tells whether anything changed. What was erased stays erased, whatever is told later.
pub(super) fn edit_contact(tables: &mut SellerTables, order: &Order, edit: ContactEdit) -> Result<bool, StoreError> {
    if order.contact_erased_at.is_some() || edit == ContactEdit::default() {
        return Ok(false);
    }
    let stored = tables.contact(order.id)?.unwrap_or_default();
    let contact = stored.clone().edited(edit);
    if contact == stored {
        return Ok(false);
    }
    tables.put_contact(order.id, &contact)?;
    Ok(true)
}

/// Days, and no goods: said of the order as a whole.
pub(super) fn is_about_the_order(line: &OrderLine) -> bool {
    let days = OrderLine { ship_by: line.ship_by, deliver_by_on: line.deliver_by_on, ..OrderLine::default() };
    *line == days
}

pub(super) fn line_key(line: &OrderLine, repeat: usize) -> String {
    match (&line.line_id, &line.sku) {
        (Some(id), _) => format!("id:{id}"),
        (None, Some(sku)) => format!("sku:{sku}#{repeat}"),
        (None, None) => format!("line#{repeat}"),
    }
}

pub(super) fn bare_line(order: &Order, line_key: String, line_no: i32) -> Line {
    Line {
        seller_id: order.seller_id,
        order_id: order.id,
        line_key,
        line_no,
        line_id: None,
        sku: None,
        item_name: None,
        quantity: 1,
        unit_price_minor: None,
        declared_value_minor: None,
        hs_code: None,
        origin_country: None,
        weight_g: None,
        ship_by_local: None,
        ship_by_offset: None,
        deliver_by_on: None,
        seller_ref: None,
    }
}

/// Tells whether anything changed.
pub(super) fn tell_line(line: &mut Line, told: &OrderLine) -> bool {
    let before = line.clone();
    take(&mut line.line_id, told.line_id.clone());
    take(&mut line.sku, told.sku.clone());
    take(&mut line.item_name, told.item_name.clone());
    line.quantity = told.quantity.unwrap_or(line.quantity);
    take(&mut line.unit_price_minor, told.unit_price_minor);
    take(&mut line.declared_value_minor, told.declared_value_minor);
    take(&mut line.hs_code, told.hs_code.clone());
    take(&mut line.origin_country, told.origin_country.map(|it| it.to_string()));
    take(&mut line.weight_g, told.weight_g);
    if let Some(ship_by) = told.ship_by {
        line.ship_by_local = Some(ship_by.local_text());
        line.ship_by_offset = ship_by.offset_text();
    }
    take(&mut line.deliver_by_on, told.deliver_by_on.map(|it| it.to_string()));
    take(&mut line.seller_ref, told.seller_ref.clone());
    before != *line
}

/// An order is due when its first line is due.
pub(super) fn sum_up(order: &mut Order, lines: &[Line], desk: &Desk<'_>) {
    let ship_by = lines.iter().filter_map(Line::ship_by).map(|it| it.instant_in(&desk.moment.seller_zone)).min();
    take(&mut order.dispatch_by_at, ship_by.map(At));
    take(&mut order.deliver_by_on, lines.iter().filter_map(|line| line.deliver_by_on.clone()).min());
}

pub(super) fn changed(is_changed: bool) -> Outcome {
    if is_changed { Outcome::Updated } else { Outcome::Unchanged }
}

/// Writes the head of an order that was changed, where anything changed, and what follows from it; `rest` tells whether its
/// lines or its contact did.
pub(super) fn finish(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    (before, mut order): (&Order, Order),
    rest: Outcome,
) -> Result<(OrderId, Outcome), TakeInError> {
    let id = order.id;
    if *before == order && rest == Outcome::Unchanged {
        return Ok((id, Outcome::Unchanged));
    }
    order.updated_at = At(desk.moment.now);
    order.version += 1;
    write_head(tables, desk, before, &order)?;
    Ok((id, Outcome::Updated))
}

/// Writes a new version of an order's head, and what follows where it says something else.
pub(super) fn write_head(
    tables: &mut SellerTables,
    desk: &Desk<'_>,
    before: &Order,
    order: &Order,
) -> Result<(), TakeInError> {
    tables.update_order(order)?;
    let same_version = Order { updated_at: before.updated_at, version: before.version, ..order.clone() };
    if *before != same_version {
        resettle(tables, desk, order, desk.moment.now)?;
        if doubts::bears_on_order(before, order) {
            doubts::look_at_order(tables, desk, order)?;
        }
    }
    Ok(())
}

/// Another destination or another day may change what its shipments are judged by.
fn resettle(tables: &mut SellerTables, desk: &Desk<'_>, order: &Order, now: Timestamp) -> Result<(), StoreError> {
    for mut shipment in tables.shipments_of_order(order.id)? {
        shipment.updated_at = At(now);
        settle(tables, desk, order, &mut shipment)?;
    }
    Ok(())
}
