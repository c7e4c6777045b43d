//! Takes an import back: what it made goes, as long as nobody has touched any of it since.

use super::upload::visible;
use crate::domain::actor::Actor;
use crate::domain::ids::{ImportId, OrderId, SellerId, ShipmentId};
use crate::store::audit::{Deed, Entry};
use crate::store::imports::Import;
use crate::store::outbox::Change;
use crate::store::{SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;

/// Rows, orders and shipments looked at, or taken away, at once.
const AT_ONCE: usize = 500;
/// So many of what was touched are named.
const NAMED: usize = 5;

/// Why an import is not taken back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    #[error("no import has this id")]
    NotFound,
    #[error("only a completed import can be taken back; this one is {0}")]
    NotCompleted(String),
    #[error("this import was taken back already")]
    Undone,
    #[error("the rows of this import are not kept any more, so it cannot be taken back")]
    Expired,
    #[error(
        "this import changed {0} orders or parcels that were there before it, and what they were is not kept; it cannot be taken back"
    )]
    ChangedOthers(usize),
    #[error(
        "{count} of what this import made was touched since, such as {named}; it cannot be taken back as a whole. Cancel or change those orders by themselves"
    )]
    Touched { count: usize, named: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import made.
#[derive(Default)]
struct Made {
    orders: BTreeSet<OrderId>,
    shipments: BTreeSet<ShipmentId>,
    /// Of rows that changed something.
    changed: BTreeSet<OrderId>,
}

/// Takes back what a completed import made, all of it or nothing.
///
/// # Errors
///
/// [`UndoError`]; then nothing was changed.
pub fn undo(store: &Store, seller: SellerId, id: ImportId, actor: &Actor, now: Timestamp) -> Result<usize, UndoError> {
    store.seller(seller).write(|tables| {
        let import = visible(tables, id).map_err(|_gone| UndoError::NotFound)?;
        check(&import)?;
        let made = made_by(tables, &import)?;
        refuse_if_touched(tables, &import, &made)?;
        for some in chunks(&made.shipments) {
            tables.remove_shipments(&some)?;
        }
        for some in chunks(&made.orders) {
            let marks = tables.order_marks(&some)?;
            tables.remove_orders(&some)?;
            let told = marks.iter().map(|it| (it.id.0, json!({"order_number": it.order_number}))).collect();
            tables.tell_all(Change::OrderRemoved, told, now)?;
        }
        tables.note_undone(id, now)?;
        let detail = json!({"orders": made.orders.len(), "shipments": made.shipments.len()});
        tables.audit(actor, Entry { deed: Deed::ImportUndone, object: Some(id.to_string()), detail }, now)?;
        Ok(made.orders.len() + made.shipments.len())
    })
}

fn check(import: &Import) -> Result<(), UndoError> {
    match () {
        () if import.undone_at.is_some() => Err(UndoError::Undone),
        () if import.dry_run => Err(UndoError::NotCompleted("a dry run".to_owned())),
        () if !matches!(import.state.as_str(), "completed" | "cancelled") => {
            Err(UndoError::NotCompleted(import.state.clone()))
        }
        () if import.expired_at.is_some() => Err(UndoError::Expired),
        () => Ok(()),
    }
}

/// Orders are made by sheets of orders, and by sheets of tracking numbers that may make bare ones; an order that is older
/// than the import was there before.
fn made_by(tables: &mut SellerTables, import: &Import) -> Result<Made, StoreError> {
    let (mut made, mut after) = (Made::default(), 0);
    loop {
        let rows = tables.taken_rows(import.id, after, 1000)?;
        let Some(last) = rows.iter().map(|row| row.line).max() else { break };
        after = last;
        let orders: Vec<OrderId> = rows.iter().filter_map(|row| row.order_id).collect();
        let marks = tables.order_marks(&orders)?;
        let is_new = |id: OrderId| marks.iter().any(|it| it.id == id && it.created_at.0 >= import.created_at.0);
        for row in rows {
            let order = row.order_id.filter(|id| is_new(*id));
            match row.outcome.as_str() {
                "created" => {
                    made.shipments.extend(row.shipment_id);
                    made.orders.extend(order);
                }
                "updated" => made.changed.extend(row.order_id),
                _ => {}
            }
        }
    }
    let makes_orders = import.kind.as_deref() != Some("tracking")
        || import.options.0.get("create_orders").and_then(serde_json::Value::as_bool) == Some(true);
    if !makes_orders {
        made.orders.clear();
    }
    Ok(made)
}

fn refuse_if_touched(tables: &mut SellerTables, import: &Import, made: &Made) -> Result<(), UndoError> {
    let others = made.changed.difference(&made.orders).count();
    if others > 0 {
        return Err(UndoError::ChangedOthers(others));
    }
    let end = import.finished_at.map_or(Timestamp::MAX, |at| at.0);
    let mut touched = BTreeSet::new();
    for some in chunks(&made.orders) {
        let later = tables.order_marks(&some)?.into_iter().filter(|it| it.updated_at.0 > end);
        touched.extend(later.map(|it| format!("order {}", it.order_number)));
        let beside = tables.shipment_marks(&some, &[])?.into_iter().filter(|it| !made.shipments.contains(&it.id));
        touched.extend(beside.map(|it| format!("shipment {}", it.id)));
    }
    for some in chunks(&made.shipments) {
        let later = tables.shipment_marks(&[], &some)?.into_iter().filter(|it| it.updated_at.0 > end);
        touched.extend(later.map(|it| format!("shipment {}", it.id)));
        touched.extend(tables.heard_of(&some)?.into_iter().map(|id| format!("shipment {id}")));
    }
    if touched.is_empty() {
        return Ok(());
    }
    let named = touched.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    Err(UndoError::Touched { count: touched.len(), named })
}

fn chunks<T: Copy>(ids: &BTreeSet<T>) -> Vec<Vec<T>> {
    let all: Vec<T> = ids.iter().copied().collect();
    all.chunks(AT_ONCE).map(<[T]>::to_vec).collect()
}
