//! Tells a person's traces: which orders go there, and which rows of imports name it.

use super::{Person, PrivacyError, rows_of};
use crate::domain::actor::Actor;
use crate::domain::ids::{OrderId, SellerId};
use crate::store::Store;
use crate::store::audit::{Deed, Entry};
use crate::store::import_rows::{ImportRow, RowsOf};
use jiff::Timestamp;
use serde_json::json;

/// So many orders are told at most.
pub const MOST_ORDERS: usize = 1000;
const MOST_ROWS: usize = 10_000;
const ORDERS_A_PAGE: i64 = 200;

/// Where a person is found.
#[derive(Debug)]
pub struct Traces {
    /// Oldest first.
    pub orders: Vec<OrderId>,
    pub rows: Vec<ImportRow>,
    /// There is more than is told at once.
    pub truncated: bool,
}

/// Finds a person's traces, and writes down that somebody asked.
///
/// # Errors
///
/// [`PrivacyError`].
pub fn traces(
    store: &Store,
    seller: SellerId,
    person: &Person,
    actor: &Actor,
    now: Timestamp,
) -> Result<Traces, PrivacyError> {
    store.seller(seller).write(|tables| {
        let (mut orders, mut place) = person.orders(tables, None, ORDERS_A_PAGE)?;
        while let Some(after) = place.filter(|_| orders.len() <= MOST_ORDERS) {
            let (more, next) = person.orders(tables, Some(after), ORDERS_A_PAGE)?;
            orders.extend(more);
            place = next;
        }
        let mut truncated = orders.len() > MOST_ORDERS;
        orders.truncate(MOST_ORDERS);
        let mut of = RowsOf { names: person.row_names(tables)?, ..RowsOf::default() };
        for order in &orders {
            let rows = rows_of(tables, *order)?;
            of.orders.extend(rows.orders);
            of.shipments.extend(rows.shipments);
            of.names.extend(rows.names);
        }
        let mut rows = tables.rows_of(&of)?;
        truncated |= rows.len() > MOST_ROWS;
        rows.truncate(MOST_ROWS);
        let detail = json!({"by": person.way(), "orders": orders, "rows": rows.len()});
        tables.audit(actor, Entry { deed: Deed::PrivacyExported, object: None, detail }, now)?;
        Ok(Traces { orders, rows, truncated })
    })
}
