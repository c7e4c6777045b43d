//! Dispatch: which orders left by their dispatch-by time, and which did not.

use super::counting::{Counting, Key, Whose, over_orders};
use super::query::{Basis, GroupKey, ReportContext, ReportQuery, RowId, Scope};
use super::row::{Fact, time};
use crate::domain::dispatch::{DispatchTally, DispatchedBy, Dispatching, Leaving, dispatched};
use crate::domain::event_time::{EventTime, EventTimeSchema};
use crate::domain::ids::{OrderId, SellerId};
use crate::domain::report::Rate;
use crate::store::StoreError;
use crate::store::report_rows::OrderReportRow;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of a report of dispatch. Cancelled orders are in none.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DispatchCounts {
    /// The sum of the five counts that follow.
    pub orders: u64,
    pub dispatched_on_time: u64,
    pub dispatched_late: u64,
    /// Not dispatched, and the time has passed.
    pub overdue: u64,
    /// Not dispatched, and the time has not come.
    pub undecided: u64,
    /// Nothing says by when they must leave.
    pub without_dispatch_by: u64,
    /// On time over on time, late and overdue.
    pub on_time_rate: Rate,
}

/// One group of a report of dispatch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DispatchGroup {
    /// The asked keys with this group's values; what is not known is `null`. Carrier, service and origin are those of
    /// the parcel that left first.
    #[schema(value_type = std::collections::HashMap<String, Option<String>>)]
    pub key: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    pub counts: DispatchCounts,
}

/// A report of dispatch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DispatchReport {
    /// The moment by which things happened.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// The moment by which we had heard of them.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Timestamp,
    pub totals: DispatchCounts,
    /// The largest first.
    pub groups: Vec<DispatchGroup>,
    /// Only with `rows=orders`: those that are overdue or left late.
    pub orders: Vec<MissedOrder>,
    pub next_cursor: Option<String>,
}

/// One order that missed its dispatch-by time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MissedOrder {
    #[schema(value_type = uuid::Uuid)]
    pub seller_id: SellerId,
    #[schema(value_type = uuid::Uuid)]
    pub order_id: OrderId,
    pub shop: Option<String>,
    pub order_number: String,
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub destination_country: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    pub ordered_on: Option<Date>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub dispatch_by_at: Option<Timestamp>,
    #[schema(value_type = Option<EventTimeSchema>)]
    pub dispatched: Option<EventTime>,
    /// By whose word it left: the first carrier scan of any of its parcels, else the seller's.
    pub dispatched_by: Option<DispatchedBy>,
    /// `dispatched_late` or `overdue`.
    pub outcome: Dispatching,
}

/// Counts orders by their dispatch-by time as asked.
///
/// # Errors
///
/// [`StoreError`].
pub fn report_dispatch(
    context: &ReportContext<'_>,
    scope: Scope,
    query: &ReportQuery,
) -> Result<DispatchReport, StoreError> {
    let mut counting = Counting::<DispatchTally, MissedOrder>::of(query);
    let as_of = over_orders(context, scope, query, |whose, order, parcels| {
        let Some(leaving) = Left::of(whose, order, parcels).filter(|it| it.is_asked_for(whose, query)) else { return };
        counting.count(leaving.key(whose, query), |tally| tally.add(leaving.dispatching));
        if leaving.dispatching.is_missed() {
            counting.keep(leaving.id(whose), || leaving.shown(whose));
        }
    })?;
    let counted = counting.finish(|tally| tally.orders);
    let group = |(key, tally): (_, DispatchTally)| DispatchGroup { key, counts: DispatchCounts::from(&tally) };
    Ok(DispatchReport {
        as_of,
        known_at: query.known_at.unwrap_or(context.now),
        totals: DispatchCounts::from(&counted.totals),
        groups: counted.groups.into_iter().map(group).collect(),
        orders: counted.rows,
        next_cursor: counted.next_cursor,
    })
}

/// One order with how it left.
struct Left<'a> {
    order: &'a OrderReportRow,
    parcels: Vec<&'a Fact>,
    /// The parcel that left first, else the first one made.
    first: Option<&'a Fact>,
    ordered_on: Option<Date>,
    dispatched: Option<(EventTime, DispatchedBy)>,
    dispatching: Dispatching,
}

impl<'a> Left<'a> {
    /// `None` of an order that is cancelled, or was ordered only after the report's moment.
    fn of(whose: &Whose<'_>, order: &'a OrderReportRow, parcels: &'a [Fact]) -> Option<Self> {
        let moments = whose.moments;
        let ordered = time(order.ordered.0.as_deref(), order.ordered.1.as_deref());
        let later = ordered.is_some_and(|it| it.instant_in(&moments.zone) > moments.as_of);
        if later || order.state == "cancelled" {
            return None;
        }
        let parcels: Vec<&Fact> = parcels.iter().filter(|fact| !fact.is_cancelled()).collect();
        let leavings: Vec<Leaving> = parcels.iter().map(|fact| fact.leaving(moments)).collect();
        let left = dispatched(&leavings, &moments.zone);
        let left_first = leavings.chunks(1).position(|one| left.is_some() && dispatched(one, &moments.zone) == left);
        let left_at = left.map(|(at, _)| at.instant_in(&moments.zone));
        Some(Self {
            order,
            first: parcels.get(left_first.unwrap_or(0)).copied(),
            parcels,
            ordered_on: ordered.map(|it| it.date_in(&moments.zone)),
            dispatched: left,
            dispatching: Dispatching::of(order.dispatch_by_at.map(Timestamp::from), left_at, moments.as_of),
        })
    }

    /// The day that `from`, `to` and `month` go by: `promised` is the dispatch-by day. No order has a day of delivery.
    fn basis_date(&self, whose: &Whose<'_>, basis: Basis) -> Option<Date> {
        let zone = &whose.moments.zone;
        match basis {
            Basis::Shipped => self.dispatched.map(|(at, _)| at.date_in(zone)),
            Basis::Ordered => self.ordered_on,
            Basis::Promised => self.order.dispatch_by_at.map(|at| zone.to_datetime(at.0).date()),
            Basis::Delivered => None,
        }
    }

    /// An order has the verdicts and causes of all of its parcels.
    fn is_asked_for(&self, whose: &Whose<'_>, query: &ReportQuery) -> bool {
        let same =
            |asked: &Option<String>, key: GroupKey| asked.is_none() || *asked == self.value(key, whose, query.basis);
        query.covers(self.basis_date(whose, query.basis))
            && same(&query.shop, GroupKey::Shop)
            && same(&query.carrier, GroupKey::Carrier)
            && same(&query.service, GroupKey::Service)
            && same(&query.origin_country, GroupKey::OriginCountry)
            && same(&query.destination_country, GroupKey::DestinationCountry)
            && (query.verdict.is_none() || self.parcels.iter().any(|fact| fact.has_verdict(query)))
            && (query.cause.is_none() || self.parcels.iter().any(|fact| fact.has_cause(query)))
    }

    fn key(&self, whose: &Whose<'_>, query: &ReportQuery) -> Key {
        query.group_by.iter().map(|key| self.value(*key, whose, query.basis)).collect()
    }

    fn value(&self, key: GroupKey, whose: &Whose<'_>, basis: Basis) -> Option<String> {
        let upper = |region: &Option<String>| region.as_deref().map(|it| it.trim().to_uppercase());
        let of_parcel = || self.first.and_then(|fact| fact.value(key, basis));
        match key {
            GroupKey::Carrier | GroupKey::Service => of_parcel(),
            GroupKey::OriginCountry => of_parcel().or_else(|| self.order.origin.0.clone()),
            GroupKey::OriginRegion => of_parcel().or_else(|| upper(&self.order.origin.1)),
            GroupKey::DestinationCountry => self.order.destination.0.clone(),
            GroupKey::DestinationRegion => upper(&self.order.destination.1),
            GroupKey::Shop => whose.shop.map(str::to_owned),
            GroupKey::Seller => Some(whose.seller.id.to_string()),
            GroupKey::Month => self.basis_date(whose, basis).map(|day| day.strftime("%Y-%m").to_string()),
        }
    }

    fn id(&self, whose: &Whose<'_>) -> RowId {
        (whose.seller.id, self.order.order_id.0)
    }

    fn shown(&self, whose: &Whose<'_>) -> MissedOrder {
        let value = |key| self.value(key, whose, Basis::Promised);
        MissedOrder {
            seller_id: whose.seller.id,
            order_id: self.order.order_id,
            shop: value(GroupKey::Shop),
            order_number: self.order.order_number.clone(),
            carrier: value(GroupKey::Carrier),
            service: value(GroupKey::Service),
            destination_country: value(GroupKey::DestinationCountry),
            ordered_on: self.ordered_on,
            dispatch_by_at: self.order.dispatch_by_at.map(Timestamp::from),
            dispatched: self.dispatched.map(|(at, _)| at),
            dispatched_by: self.dispatched.map(|(_, by)| by),
            outcome: self.dispatching,
        }
    }
}

impl From<&DispatchTally> for DispatchCounts {
    fn from(tally: &DispatchTally) -> Self {
        Self {
            orders: tally.orders,
            dispatched_on_time: tally.dispatched_on_time,
            dispatched_late: tally.dispatched_late,
            overdue: tally.overdue,
            undecided: tally.undecided,
            without_dispatch_by: tally.without_dispatch_by,
            on_time_rate: tally.on_time_rate(),
        }
    }
}
