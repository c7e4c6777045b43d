//! Reports of delays over one seller or all: exact counts at any moment, as it was known at any moment.
//!
//! As of now, counts come from the stored standings; as of another moment they are derived from the events again.

mod row;
mod sheet;

pub use row::ShipmentOut;
pub use sheet::{groups_as_csv, shipments_as_csv};

use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::report::{Lateness, Outcome, Percentiles, Rate, Tally};
use crate::store::report_rows::ReportRow;
use crate::store::sellers::Seller;
use crate::store::{Reason, SellerTables, Store, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use row::{Fact, Moments};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

const PAGE: i64 = 2000;

/// Which date of a shipment `from` and `to` cut by, and `month` groups by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Basis {
    #[default]
    Shipped,
    Ordered,
    Promised,
    Delivered,
}

/// By what shipments are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    Carrier,
    Service,
    OriginCountry,
    OriginRegion,
    DestinationCountry,
    DestinationRegion,
    Shop,
    Seller,
    Month,
}

impl GroupKey {
    pub const ALL: [Self; 9] = [
        Self::Carrier,
        Self::Service,
        Self::OriginCountry,
        Self::OriginRegion,
        Self::DestinationCountry,
        Self::DestinationRegion,
        Self::Shop,
        Self::Seller,
        Self::Month,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Service => "service",
            Self::OriginCountry => "origin_country",
            Self::OriginRegion => "origin_region",
            Self::DestinationCountry => "destination_country",
            Self::DestinationRegion => "destination_region",
            Self::Shop => "shop",
            Self::Seller => "seller",
            Self::Month => "month",
        }
    }
}

impl FromStr for GroupKey {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

/// A moment as a caller names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The end of the day in the seller's zone.
    Day(Date),
    At(Timestamp),
}

/// What a report is asked for.
#[derive(Debug, Clone, Default)]
pub struct ReportQuery {
    /// Half open, by the basis: `from` is in, `to` is out. A shipment without that date is in only where neither is set.
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub basis: Basis,
    /// Cuts by when a thing happened; now where absent.
    pub as_of: Option<AsOf>,
    /// Cuts by when we heard of it; now where absent.
    pub known_at: Option<Timestamp>,
    pub shop: Option<String>,
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub origin_country: Option<String>,
    pub destination_country: Option<String>,
    pub verdict: Option<String>,
    pub cause: Option<String>,
    pub group_by: Vec<GroupKey>,
    /// Shipments besides the groups, this many after the cursor.
    pub shipments: Option<ShipmentPage>,
}

/// One page of a report's shipments.
#[derive(Debug, Clone, Copy)]
pub struct ShipmentPage {
    pub limit: usize,
    pub after: Option<(SellerId, ShipmentId)>,
}

/// Counts of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Counts {
    pub shipments: u64,
    pub delivered: u64,
    pub on_time: u64,
    pub late: u64,
    pub late_open: u64,
    pub undecided: u64,
    pub without_promise: u64,
    pub returned: u64,
    pub cancelled: u64,
    pub on_time_rate: Rate,
}

/// One group of a report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Group {
    /// The asked keys with this group's values; what is not known is `null`.
    #[schema(value_type = std::collections::HashMap<String, Option<String>>)]
    pub key: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    pub counts: Counts,
    pub transit_days: Percentiles,
    pub lateness_days: Lateness,
}

/// A report.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// The moment by which things happened.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// The moment by which we had heard of them.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Timestamp,
    pub totals: Counts,
    /// The largest first.
    pub groups: Vec<Group>,
    /// Only with `rows=shipments`.
    pub shipments: Vec<ShipmentOut>,
    pub next_cursor: Option<String>,
}

/// Whose shipments a report counts.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    Seller(SellerId),
    Everyone,
}

/// Counts shipments as asked.
///
/// # Errors
///
/// [`StoreError`].
pub fn report_delays(store: &Store, scope: Scope, query: &ReportQuery, now: Timestamp) -> Result<Report, StoreError> {
    let sellers: Vec<Seller> = match scope {
        Scope::Seller(id) => store.seller(id).read(|tables| tables.profile())?.into_iter().collect(),
        Scope::Everyone => store.platform(Reason::Admin).read(|tables| tables.sellers())?,
    };
    let mut counting = Counting::new(query, now);
    for seller in sellers {
        store.seller(seller.id).read(|tables| counting.count_seller(tables, &seller))?;
    }
    Ok(counting.finish())
}

type Key = Vec<Option<String>>;

struct Counting<'q> {
    query: &'q ReportQuery,
    now: Timestamp,
    as_of: Timestamp,
    totals: Tally,
    groups: HashMap<Key, Tally>,
    shipments: Vec<ShipmentOut>,
    more: bool,
}

impl<'q> Counting<'q> {
    fn new(query: &'q ReportQuery, now: Timestamp) -> Self {
        Self {
            query,
            now,
            as_of: now,
            totals: Tally::default(),
            groups: HashMap::new(),
            shipments: Vec::new(),
            more: false,
        }
    }

    fn count_seller(&mut self, tables: &mut SellerTables, seller: &Seller) -> Result<(), StoreError> {
        let moments = Moments::of(self.query, seller, self.now);
        self.as_of = moments.as_of;
        let shops: HashMap<_, _> = tables.shops()?.into_iter().map(|shop| (shop.id, shop.name)).collect();
        let mut after = None;
        loop {
            let page = tables.report_page(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.shipment_id);
            for fact in Self::facts(tables, &moments, page)? {
                let shop = shops.get(&fact.row.shop_id).map(String::as_str);
                self.count(seller, shop, &fact);
            }
        }
    }

    fn facts(tables: &mut SellerTables, moments: &Moments, page: Vec<ReportRow>) -> Result<Vec<Fact>, StoreError> {
        if moments.is_now {
            return Ok(page.into_iter().map(|row| Fact::as_stored(row, moments)).collect());
        }
        let ids: Vec<_> = page.iter().map(|row| row.shipment_id).collect();
        let promises = tables.promises_known(&ids, moments.known_at)?;
        let legs = tables.trackers_of(&ids)?;
        let trackers: Vec<_> = legs.iter().map(|(_, tracker)| *tracker).collect();
        let mut events: HashMap<_, Vec<_>> = HashMap::new();
        for event in tables.standing_events(&trackers, moments.known_at)? {
            events.entry(event.tracker_id).or_default().push(event);
        }
        let mut by_shipment: HashMap<_, Vec<_>> = HashMap::new();
        for (shipment, tracker) in legs {
            by_shipment.entry(shipment).or_default().extend(events.get(&tracker).into_iter().flatten().cloned());
        }
        let known = page.into_iter().filter(|row| row.created_at.0 <= moments.known_at);
        Ok(known
            .map(|row| {
                let events = by_shipment.remove(&row.shipment_id).unwrap_or_default();
                let promise = promises.get(&row.shipment_id).cloned().flatten();
                Fact::derived(ReportRow { deliver_by_on: promise, ..row }, &events, moments)
            })
            .collect())
    }

    fn count(&mut self, seller: &Seller, shop: Option<&str>, fact: &Fact) {
        if !fact.is_asked_for(self.query, shop) {
            return;
        }
        let outcome: &Outcome = &fact.outcome;
        self.totals.add(outcome);
        let value = |key: &GroupKey| match key {
            GroupKey::Seller => Some(seller.id.to_string()),
            GroupKey::Shop => shop.map(str::to_owned),
            GroupKey::Carrier
            | GroupKey::Service
            | GroupKey::OriginCountry
            | GroupKey::OriginRegion
            | GroupKey::DestinationCountry
            | GroupKey::DestinationRegion
            | GroupKey::Month => fact.value(*key, self.query.basis),
        };
        let key: Key = self.query.group_by.iter().map(value).collect();
        self.groups.entry(key).or_default().add(outcome);
        self.keep_shipment(seller, shop, fact);
    }

    fn keep_shipment(&mut self, seller: &Seller, shop: Option<&str>, fact: &Fact) {
        let Some(page) = self.query.shipments else { return };
        if page.after.is_some_and(|after| (seller.id, fact.row.shipment_id) <= after) {
            return;
        }
        if self.shipments.len() >= page.limit {
            self.more = true;
            return;
        }
        self.shipments.push(ShipmentOut::of(seller.id, shop, fact));
    }

    fn finish(self) -> Report {
        let names = &self.query.group_by;
        let mut groups: Vec<Group> = self
            .groups
            .into_iter()
            .map(|(key, tally)| Group {
                key: names.iter().map(|name| name.code()).zip(key).collect(),
                transit_days: tally.transit_days(),
                lateness_days: tally.lateness_days(),
                counts: Counts::from(&tally),
            })
            .collect();
        groups.sort_by(|a, b| b.counts.shipments.cmp(&a.counts.shipments).then_with(|| a.key.cmp(&b.key)));
        let last = self.shipments.last().filter(|_| self.more);
        Report {
            as_of: self.as_of,
            known_at: self.query.known_at.unwrap_or(self.now),
            totals: Counts::from(&self.totals),
            groups,
            next_cursor: last.map(|row| format!("{}.{}", row.seller_id, row.shipment_id)),
            shipments: self.shipments,
        }
    }
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        Self {
            shipments: tally.shipments,
            delivered: tally.delivered,
            on_time: tally.on_time,
            late: tally.late,
            late_open: tally.late_open,
            undecided: tally.undecided,
            without_promise: tally.without_promise,
            returned: tally.returned,
            cancelled: tally.cancelled,
            on_time_rate: tally.on_time_rate(),
        }
    }
}
