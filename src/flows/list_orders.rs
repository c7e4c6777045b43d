//! Orders as their seller sees them, with lines, contact and status link.

use crate::domain::ids::{OrderId, SellerId};
use crate::domain::order::Contact;
use crate::secrets::{SecretError, Secrets};
use crate::store::orders::{Line, Order};
use crate::store::{SellerTables, Store, StoreError};

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
        Some(order) => view(tables, secrets, order).map(Some),
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
            Some(order) => view(tables, secrets, order).map(Some),
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
        page.into_iter().map(|order| view(tables, secrets, order)).collect()
    })
}

fn view(tables: &mut SellerTables, secrets: &Secrets, order: Order) -> Result<OrderView, StoreError> {
    let shop = tables.shops()?.into_iter().find(|shop| shop.id == order.shop_id).map(|shop| shop.name);
    let lines = tables.order_lines(order.id)?;
    let contact = tables.contact(order.id)?;
    let token: Result<String, SecretError> = secrets.open(order.id.0.as_bytes(), &order.token_sealed);
    Ok(OrderView { order, shop: shop.unwrap_or_default(), lines, contact, token: token.ok() })
}
