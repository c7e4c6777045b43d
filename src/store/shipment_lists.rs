//! Lists of shipments, each with its order and standing: by filters that an index answers, and by any others.

use super::schema::{number_doubts, order_contacts, orders, shipments, standings};
use super::shipments::Shipment;
use super::types::At;
use super::{SellerTables, StoreError};
use crate::domain::doubt::{DoubtAsked, DoubtCode};
use crate::domain::ids::{OrderId, ShipmentId, ShopId};
use crate::store::standings::StandingRow;
use diesel::prelude::*;
use jiff::Timestamp;

/// A list whose shipments are found beforehand holds so many of them, the newest.
const MOST_FOUND: i64 = 1000;

/// Which shipments a list holds.
#[derive(Debug, Clone, Default)]
pub struct ShipmentFilter {
    pub order_id: Option<OrderId>,
    pub order_number: Option<String>,
    pub tracking_number: Option<String>,
    pub shop: Option<ShopId>,
    /// The word; `late_open` finds all that are past their promise, whatever their word.
    pub verdict: Option<String>,
    pub milestone: Option<String>,
    pub carrier: Option<String>,
    pub destination_country: Option<String>,
    pub open: Option<bool>,
    pub updated_since: Option<Timestamp>,
    /// Those in doubt now.
    pub doubt: Option<DoubtAsked>,
    pub search: Option<Search>,
}

/// What somebody looks for who does not say what it is: any of these.
#[derive(Debug, Clone)]
pub struct Search {
    pub order_number: String,
    pub tracking_number: String,
    /// As it is compared; `None` where the text is no address.
    pub email: Option<String>,
}

/// A shipment with what a reader wants beside it.
#[derive(Debug, Clone, Queryable)]
pub struct ShipmentView {
    pub shipment: Shipment,
    pub order: super::orders::Order,
    pub standing: StandingRow,
}

impl ShipmentFilter {
    /// Whether an index leads to the shipments that are wanted, so that the others are not even looked at.
    pub fn is_indexed(&self) -> bool {
        let is_narrow = self.order_id.is_some()
            || self.order_number.is_some()
            || self.tracking_number.is_some()
            || self.search.is_some();
        is_narrow || !self.has_conditions()
    }

    /// Whether each shipment must be looked at to tell whether it is wanted; doubts are listed by an index of their own.
    fn has_conditions(&self) -> bool {
        self.shop.is_some()
            || self.verdict.is_some()
            || self.milestone.is_some()
            || self.carrier.is_some()
            || self.destination_country.is_some()
            || self.open.is_some()
            || self.updated_since.is_some()
    }
}

/// What an index found beforehand.
enum Found {
    Everything,
    Shipments(Vec<ShipmentId>),
}

/// Shipments joined with their order and standing.
macro_rules! views {
    () => {
        shipments::table
            .inner_join(
                orders::table.on(orders::seller_id.eq(shipments::seller_id).and(orders::id.eq(shipments::order_id))),
            )
            .inner_join(
                standings::table
                    .on(standings::seller_id.eq(shipments::seller_id).and(standings::shipment_id.eq(shipments::id))),
            )
            .select((Shipment::as_select(), super::orders::Order::as_select(), StandingRow::as_select()))
    };
}

/// Ids of shipments that are in doubt now, as it is asked.
macro_rules! doubted {
    ($seller:expr, $asked:expr) => {
        number_doubts::table
            .filter(number_doubts::seller_id.eq($seller))
            .filter(number_doubts::settled_at.is_null())
            .filter(number_doubts::code.eq_any($asked.codes().into_iter().map(DoubtCode::code).collect::<Vec<_>>()))
            .select(number_doubts::shipment_id)
    };
}

impl SellerTables<'_> {
    pub fn shipment_view(&mut self, id: ShipmentId) -> Result<Option<ShipmentView>, StoreError> {
        let found = views!().filter(shipments::seller_id.eq(self.seller)).filter(shipments::id.eq(id));
        Ok(found.get_result(self.connection).optional()?)
    }

    /// The shipments of an order with what a reader wants beside them, oldest first.
    pub fn shipment_views_of_order(&mut self, order: OrderId) -> Result<Vec<ShipmentView>, StoreError> {
        let mine = views!().filter(shipments::seller_id.eq(self.seller)).filter(shipments::order_id.eq(order));
        Ok(mine.order(shipments::id).load(self.connection)?)
    }

    /// Shipments made before `before`, newest first.
    pub fn shipments_page(
        &mut self,
        filter: &ShipmentFilter,
        before: Option<ShipmentId>,
        limit: i64,
    ) -> Result<Vec<ShipmentView>, StoreError> {
        let mut query = views!().filter(shipments::seller_id.eq(self.seller)).into_boxed();
        query = match self.find(filter, before, limit)? {
            Found::Everything => query,
            Found::Shipments(ids) if ids.is_empty() => return Ok(Vec::new()),
            Found::Shipments(ids) => query.filter(shipments::id.eq_any(ids)),
        };
        let text = |text: &Option<String>| text.clone();
        if let Some(before) = before {
            query = query.filter(shipments::id.lt(before));
        }
        if let Some(order) = filter.order_id {
            query = query.filter(shipments::order_id.eq(order));
        }
        if let Some(number) = text(&filter.tracking_number) {
            query = query.filter(shipments::tracking_number.eq(number));
        }
        if let Some(shop) = filter.shop {
            query = query.filter(orders::shop_id.eq(shop));
        }
        if let Some(verdict) = text(&filter.verdict) {
            query = match verdict.as_str() {
                "late_open" => query.filter(standings::timeliness.eq(verdict)),
                _ => query.filter(standings::verdict.eq(verdict)),
            };
        }
        if let Some(milestone) = text(&filter.milestone) {
            query = query.filter(standings::milestone.eq(milestone));
        }
        if let Some(carrier) = text(&filter.carrier) {
            query = query.filter(shipments::carrier.eq(carrier));
        }
        if let Some(country) = text(&filter.destination_country) {
            query = query.filter(orders::country.eq(country));
        }
        if let Some(open) = filter.open {
            query = query.filter(standings::is_open.eq(open));
        }
        if let Some(since) = filter.updated_since {
            query = query.filter(shipments::updated_at.ge(At(since)));
        }
        if let Some(asked) = filter.doubt.filter(|_| !filter.is_indexed()) {
            query = query.filter(shipments::id.eq_any(doubted!(self.seller, asked)));
        }
        Ok(query.order(shipments::id.desc()).limit(limit).load(self.connection)?)
    }

    fn find(&mut self, filter: &ShipmentFilter, before: Option<ShipmentId>, limit: i64) -> Result<Found, StoreError> {
        if let Some(search) = &filter.search {
            return Ok(Found::Shipments(self.search(search)?));
        }
        if let Some(number) = &filter.order_number {
            let orders = self.orders_numbered(number)?;
            return Ok(Found::Shipments(self.shipment_ids_of(&orders)?));
        }
        if let Some(since) = filter.updated_since
            && let Some(few) = self.few_updated(since)?
        {
            return Ok(Found::Shipments(few));
        }
        match filter.doubt {
            Some(asked) if filter.is_indexed() => Ok(Found::Shipments(self.doubted(asked, before, limit)?)),
            Some(_) | None => Ok(Found::Everything),
        }
    }

    /// The orders of this number in any of the seller's shops.
    pub fn orders_numbered(&mut self, number: &str) -> Result<Vec<OrderId>, StoreError> {
        let shops: Vec<ShopId> = self.shops()?.into_iter().map(|shop| shop.id).collect();
        let found = orders::table
            .filter(orders::seller_id.eq(self.seller))
            .filter(orders::shop_id.eq_any(shops))
            .filter(orders::order_number.eq(number));
        Ok(found.select(orders::id).load(self.connection)?)
    }

    /// The shipments of these orders, in no order: one that is asked for leads SQLite to an index that has it.
    fn shipment_ids_of(&mut self, orders: &[OrderId]) -> Result<Vec<ShipmentId>, StoreError> {
        let mine =
            shipments::table.filter(shipments::seller_id.eq(self.seller)).filter(shipments::order_id.eq_any(orders));
        Ok(mine.select(shipments::id).load(self.connection)?)
    }

    /// The shipments that changed at or after `since`; `None` where they are many.
    fn few_updated(&mut self, since: Timestamp) -> Result<Option<Vec<ShipmentId>>, StoreError> {
        let updated = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::updated_at.ge(At(since)))
            .order(shipments::updated_at.desc())
            .limit(MOST_FOUND + 1);
        let ids: Vec<ShipmentId> = updated.select(shipments::id).load(self.connection)?;
        Ok(i64::try_from(ids.len()).is_ok_and(|count| count <= MOST_FOUND).then_some(ids))
    }

    /// Shipments with a doubt that stands, newest first.
    fn doubted(
        &mut self,
        asked: DoubtAsked,
        before: Option<ShipmentId>,
        limit: i64,
    ) -> Result<Vec<ShipmentId>, StoreError> {
        let mut query = doubted!(self.seller, asked).distinct().into_boxed();
        if let Some(before) = before {
            query = query.filter(number_doubts::shipment_id.lt(before));
        }
        Ok(query.order(number_doubts::shipment_id.desc()).limit(limit).load(self.connection)?)
    }

    /// The newest shipments that somebody may mean.
    fn search(&mut self, search: &Search) -> Result<Vec<ShipmentId>, StoreError> {
        let mut orders = self.orders_numbered(&search.order_number)?;
        if let Some(email) = &search.email {
            let hash = self.vault()?.find_by("email", email);
            let to_them = order_contacts::table
                .filter(order_contacts::seller_id.eq(self.seller))
                .filter(order_contacts::email_hash.eq(hash))
                .order(order_contacts::order_id.desc())
                .limit(MOST_FOUND)
                .select(order_contacts::order_id);
            orders.extend(to_them.load::<OrderId>(self.connection)?);
        }
        let under: Vec<ShipmentId> = shipments::table
            .filter(shipments::seller_id.eq(self.seller))
            .filter(shipments::tracking_number.eq(&search.tracking_number))
            .order(shipments::id.desc())
            .limit(MOST_FOUND)
            .select(shipments::id)
            .load(self.connection)?;
        Ok(under.into_iter().chain(self.shipment_ids_of(&orders)?).collect())
    }
}
