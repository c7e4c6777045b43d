//! Orders and their lines.

use super::bulk;
use super::schema::{order_lines, orders, shipments};
use super::types::At;
use super::{SellerTables, StoreError};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{OrderId, SellerId, ShopId};
use crate::domain::order::Place;
use diesel::prelude::*;
use jiff::civil::Date;

/// An order, without whom it goes to: that is a contact, and kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = orders, primary_key(seller_id, id), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Order {
    pub seller_id: SellerId,
    pub id: OrderId,
    pub shop_id: ShopId,
    pub order_number: String,
    pub order_ref: Option<String>,
    pub state: String,
    pub ordered_local: Option<String>,
    pub ordered_offset: Option<String>,
    pub currency: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub origin_country: Option<String>,
    pub origin_region: Option<String>,
    pub origin_postal_code: Option<String>,
    pub deliver_from_on: Option<String>,
    pub shipping_method: Option<String>,
    pub shipping_charged_minor: Option<i64>,
    pub channel: Option<String>,
    pub dispatch_by_at: Option<At>,
    /// The earliest of the lines' own days.
    pub deliver_by_on: Option<String>,
    /// SHA-256 of the status link's token.
    pub token_hash: Vec<u8>,
    /// The token under the instance's secret key, so that the link can be given again.
    pub token_sealed: Vec<u8>,
    /// Its contact was erased: no later upload brings one back.
    pub contact_erased_at: Option<At>,
    pub created_at: At,
    pub updated_at: At,
    pub version: i64,
}

impl Order {
    pub fn ordered(&self) -> Option<EventTime> {
        EventTime::from_texts(self.ordered_local.as_deref()?, self.ordered_offset.as_deref())
    }

    pub fn destination(&self) -> Place {
        place(self.country.as_deref(), self.region.as_deref(), self.postal_code.as_deref())
    }

    pub fn origin(&self) -> Place {
        place(self.origin_country.as_deref(), self.origin_region.as_deref(), self.origin_postal_code.as_deref())
    }

    pub fn own_deliver_by(&self) -> Option<Date> {
        self.deliver_by_on.as_deref().and_then(|day| day.parse().ok())
    }
}

pub(super) fn place(country: Option<&str>, region: Option<&str>, postal_code: Option<&str>) -> Place {
    Place {
        country: country.and_then(|code| code.parse().ok()),
        region: region.map(str::to_owned),
        postal_code: postal_code.map(str::to_owned),
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = order_lines, primary_key(seller_id, order_id, line_key), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Line {
    pub seller_id: SellerId,
    pub order_id: OrderId,
    /// The line's own id, else its SKU with the number of its repeat.
    pub line_key: String,
    pub line_no: i32,
    pub line_id: Option<String>,
    pub sku: Option<String>,
    pub item_name: Option<String>,
    pub quantity: i64,
    pub unit_price_minor: Option<i64>,
    pub declared_value_minor: Option<i64>,
    pub hs_code: Option<String>,
    pub origin_country: Option<String>,
    pub weight_g: Option<i64>,
    pub ship_by_local: Option<String>,
    pub ship_by_offset: Option<String>,
    pub deliver_by_on: Option<String>,
    pub seller_ref: Option<String>,
}

impl Line {
    pub fn ship_by(&self) -> Option<EventTime> {
        EventTime::from_texts(self.ship_by_local.as_deref()?, self.ship_by_offset.as_deref())
    }
}

impl SellerTables<'_> {
    pub fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let found = orders::table.filter(orders::seller_id.eq(self.seller)).filter(orders::id.eq(id));
        Ok(found.select(Order::as_select()).get_result(self.connection).optional()?)
    }

    /// The order whose status link carries the token of this digest.
    pub fn order_by_token(&mut self, token_hash: &[u8]) -> Result<Option<Order>, StoreError> {
        let found = orders::table.filter(orders::seller_id.eq(self.seller)).filter(orders::token_hash.eq(token_hash));
        Ok(found.select(Order::as_select()).get_result(self.connection).optional()?)
    }

    pub fn order_by_number(&mut self, shop: ShopId, number: &str) -> Result<Option<Order>, StoreError> {
        let found = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::shop_id.eq(shop))
            .filter(orders::order_number.eq(number));
        Ok(found.select(Order::as_select()).get_result(self.connection).optional()?)
    }

    /// The orders of a shop with a parcel under one of these spellings of a tracking number, newest first.
    pub fn orders_under(&mut self, shop: ShopId, numbers: &[&str], limit: i64) -> Result<Vec<Order>, StoreError> {
        let under: Vec<OrderId> = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::tracking_number.eq_any(numbers))
            .select(shipments::order_id)
            .load(self.connection)?;
        let found = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::shop_id.eq(shop))
            .filter(orders::id.eq_any(under))
            .order(orders::id.desc())
            .limit(limit);
        Ok(found.select(Order::as_select()).load(self.connection)?)
    }

    /// Orders made before `before`, newest first.
    pub fn orders_page(
        &mut self,
        before: Option<OrderId>,
        number: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Order>, StoreError> {
        let mut query = orders::table.filter(orders::seller_id.eq(self.seller)).into_boxed();
        if let Some(before) = before {
            query = query.filter(orders::id.lt(before));
        }
        if let Some(number) = number {
            query = query.filter(orders::id.eq_any(self.orders_numbered(number)?));
        }
        let page = query.order(orders::id.desc()).limit(limit).select(Order::as_select());
        Ok(page.load(self.connection)?)
    }

    /// The orders of a shop under these numbers.
    pub fn orders_by_numbers(&mut self, shop: ShopId, numbers: &[&str]) -> Result<Vec<Order>, StoreError> {
        let found = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::shop_id.eq(shop))
            .filter(orders::order_number.eq_any(numbers));
        Ok(found.select(Order::as_select()).load(self.connection)?)
    }

    pub fn insert_orders(&mut self, orders: &[Order]) -> Result<(), StoreError> {
        Ok(bulk::insert_orders(self.connection, orders)?)
    }

    pub fn insert_order(&mut self, order: &Order) -> Result<(), StoreError> {
        diesel::insert_into(orders::table).values(order).execute(self.connection)?;
        Ok(())
    }

    pub fn update_order(&mut self, order: &Order) -> Result<(), StoreError> {
        let mine = orders::table.filter(orders::seller_id.eq(self.seller)).filter(orders::id.eq(order.id));
        diesel::update(mine).set(order).execute(self.connection)?;
        Ok(())
    }

    pub fn order_lines(&mut self, order: OrderId) -> Result<Vec<Line>, StoreError> {
        let mine = order_lines::table
            .filter(order_lines::seller_id.eq(self.seller))
            .filter(order_lines::order_id.eq(order))
            .order(order_lines::line_no);
        Ok(mine.select(Line::as_select()).load(self.connection)?)
    }

    /// The lines of many orders, each order's by their numbers.
    pub fn lines_of(&mut self, orders: &[OrderId]) -> Result<Vec<Line>, StoreError> {
        let found = order_lines::table
            .filter(order_lines::seller_id.eq(self.seller))
            .filter(order_lines::order_id.eq_any(orders))
            .order((order_lines::order_id, order_lines::line_no));
        Ok(found.select(Line::as_select()).load(self.connection)?)
    }

    pub fn insert_lines(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        Ok(bulk::insert_lines(self.connection, lines)?)
    }

    pub fn update_line(&mut self, line: &Line) -> Result<(), StoreError> {
        let mine = order_lines::table
            .filter(order_lines::seller_id.eq(self.seller))
            .filter(order_lines::order_id.eq(line.order_id))
            .filter(order_lines::line_key.eq(&line.line_key));
        diesel::update(mine).set(line).execute(self.connection)?;
        Ok(())
    }
}
