//! Orders as their seller sees them, with lines, contact and status link.

use crate::domain::ids::{OrderId, SellerId, ShopId};
use crate::domain::order::Contact;
use crate::secrets::Secrets;
use crate::store::orders::{Line, Order};
use crate::store::{SellerTables, Store, StoreError};
use std::collections::HashMap;

/// An order with all that belongs to it.
pub struct OrderView {
    pub order: Order,
    pub shop: String,
    pub lines: Vec<Line>,
    pub contact: Option<Contact>,
    /// The token of the status link; `None` where it was sealed under another secret key.
    pub token: Option<String>,
}

/// One order; `None` where the seller has none of this id.
pub fn show_order(
    store: &Store,
    secrets: &Secrets,
    seller: SellerId,
    id: OrderId,
) -> Result<Option<OrderView>, StoreError> {
    store.seller(seller).read(|tables| match tables.order(id)? {
        Some(order) => Ok(views(tables, secrets, vec![order])?.pop()),
        None => Ok(None),
    })
}

/// The order of this number in the shop of this name; `None` where the seller has none.
pub fn show_order_by_number(
    store: &Store,
    secrets: &Secrets,
    seller: SellerId,
    (shop, number): (&str, &str),
) -> Result<Option<OrderView>, StoreError> {
    store.seller(seller).read(|tables| {
        let Some(shop) = tables.shops()?.into_iter().find(|it| it.name == shop) else { return Ok(None) };
        match tables.order_by_number(shop.id, number)? {
            Some(order) => Ok(views(tables, secrets, vec![order])?.pop()),
            None => Ok(None),
        }
    })
}

/// Orders before the cursor, newest first; of one number where one is asked for.
pub fn list_orders(
    store: &Store,
    secrets: &Secrets,
    seller: SellerId,
    (before, number): (Option<OrderId>, Option<&str>),
    limit: i64,
) -> Result<Vec<OrderView>, StoreError> {
    store.seller(seller).read(|tables| {
        let page = tables.orders_page(before, number, limit)?;
        views(tables, secrets, page)
    })
}

/// What belongs to each order is read for all of them at once.
fn views(tables: &mut SellerTables, secrets: &Secrets, orders: Vec<Order>) -> Result<Vec<OrderView>, StoreError> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let shops: HashMap<ShopId, String> = tables.shops()?.into_iter().map(|shop| (shop.id, shop.name)).collect();
    let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::new();
    for line in tables.lines_of(&ids)? {
        lines.entry(line.order_id).or_default().push(line);
    }
    let mut contacts = tables.contacts_of(&ids)?;
    let view = |order: Order| OrderView {
        shop: shops.get(&order.shop_id).cloned().unwrap_or_default(),
        lines: lines.remove(&order.id).unwrap_or_default(),
        contact: contacts.remove(&order.id),
        token: secrets.open(order.id.0.as_bytes(), &order.token_sealed).ok(),
        order,
    };
    Ok(orders.into_iter().map(view).collect())
}
