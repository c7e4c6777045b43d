//! What a person may ask of a seller: to be forgotten, and to be told what is kept. What grows old is forgotten alike.

pub mod erase;
pub mod expire;
pub mod export;
pub mod reapply;

use crate::domain::ids::{OrderId, ShopId};
use crate::domain::order::{Contact, is_same_phone, phone_key};
use crate::store::contacts::FoundBy;
use crate::store::import_rows::RowName;
use crate::store::{SellerTables, StoreError};

/// Who is meant.
#[derive(Debug, Clone)]
pub enum Person {
    /// As it is compared: [`crate::domain::order::email_key`].
    Email(String),
    /// As it was written, with six digits or more.
    Phone(String),
    /// Whoever gets this order.
    Order(OrderId),
    /// The same, by a shop's name, `main` where absent, and the order's number.
    OrderNumber(Option<String>, String),
}

/// Why nobody can be looked for.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    #[error("you have no shop `{0}`; leave `shop` out for your first shop")]
    Shop(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Person {
    /// By what the person is named; never the name itself, since this goes into the audit log.
    fn way(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
            Self::Order(_) => "order_id",
            Self::OrderNumber(..) => "order_number",
        }
    }

    /// A page of the orders that go to this person, oldest first, and where the next page begins.
    fn orders(
        &self,
        tables: &mut SellerTables,
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<(Vec<OrderId>, Option<OrderId>), PrivacyError> {
        let page = match self {
            Self::Email(key) => tables.orders_to((FoundBy::Email, key), after, limit)?,
            Self::Phone(phone) => {
                let key = phone_key(phone).unwrap_or_default();
                tables.orders_to((FoundBy::Phone, &key), after, limit)?
            }
            Self::Order(id) => return Ok((tables.order(*id)?.into_iter().map(|order| order.id).collect(), None)),
            Self::OrderNumber(shop, number) => {
                let shop = shop_of(tables, shop.as_deref())?;
                let order = tables.order_by_number(shop, number)?;
                return Ok((order.into_iter().map(|order| order.id).collect(), None));
            }
        };
        let full = i64::try_from(page.len()).unwrap_or(i64::MAX) >= limit;
        let next = page.last().copied().filter(|_| full);
        let mut orders = Vec::new();
        for order in page {
            if self.is(tables.contact(order)?) {
                orders.push(order);
            }
        }
        Ok((orders, next))
    }

    /// Telephone numbers are found by their last digits, which two people of two countries may share.
    fn is(&self, contact: Option<Contact>) -> bool {
        match self {
            Self::Phone(phone) => contact.and_then(|it| it.phone).is_some_and(|on_file| is_same_phone(&on_file, phone)),
            Self::Email(_) | Self::Order(_) | Self::OrderNumber(..) => true,
        }
    }

    /// By what rows are found that led to no order.
    fn row_names(&self, tables: &mut SellerTables) -> Result<Vec<RowName>, PrivacyError> {
        Ok(match self {
            Self::Email(key) => vec![RowName::Email(key.clone())],
            Self::Phone(phone) => phone_key(phone).map(|_| RowName::Phone(phone.clone())).into_iter().collect(),
            Self::Order(_) => Vec::new(),
            Self::OrderNumber(shop, number) => {
                vec![RowName::Order(shop_of(tables, shop.as_deref())?, number.clone())]
            }
        })
    }
}

fn shop_of(tables: &mut SellerTables, name: Option<&str>) -> Result<ShopId, PrivacyError> {
    let wanted = name.unwrap_or("main");
    let shop = tables.shops()?.into_iter().find(|shop| shop.name == wanted);
    shop.map(|shop| shop.id).ok_or_else(|| PrivacyError::Shop(wanted.to_owned()))
}

/// The rows of imports that tell of an order, its parcels, and whoever shares a parcel with it.
fn rows_of(tables: &mut SellerTables, id: OrderId) -> Result<crate::store::import_rows::RowsOf, StoreError> {
    let mut of = crate::store::import_rows::RowsOf { orders: vec![id], ..Default::default() };
    let Some(order) = tables.order(id)? else { return Ok(of) };
    of.names.push(RowName::Order(order.shop_id, order.order_number));
    let shipments = tables.shipments_of_order(id)?;
    let ids: Vec<_> = shipments.iter().map(|shipment| shipment.id).collect();
    for was in tables.corrections_of(&ids)?.into_values().flatten() {
        of.names.extend([was.tracking_number, was.typed_number].map(RowName::TrackingNumber));
    }
    for shipment in shipments {
        of.names.extend([shipment.tracking_number, shipment.typed_number].map(RowName::TrackingNumber));
        for leg in tables.legs(shipment.id)? {
            of.shipments.extend(tables.shipments_under(leg.tracker_id)?);
        }
    }
    Ok(of)
}

#[cfg(test)]
mod tests;
