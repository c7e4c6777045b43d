//! What all reports share: going over shipments or orders, counting them in groups, keeping one page of rows.

use super::query::{GroupKey, ReportContext, ReportQuery, RowId, RowPage, Scope};
use super::row::{Fact, Moments};
use crate::domain::ids::{ShipmentId, ShopId};
use crate::store::report_rows::{OrderReportRow, ReportRow};
use crate::store::sellers::Seller;
use crate::store::{Reason, SellerTables, StoreError};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

const PAGE: i64 = 2000;

/// Whose a shipment or an order is.
pub(super) struct Whose<'a> {
    pub seller: &'a Seller,
    /// The shop's name.
    pub shop: Option<&'a str>,
    pub moments: &'a Moments,
}

/// The values of a group's keys, as they were asked for.
pub(super) type Key = Vec<Option<String>>;

/// Tallies under way.
pub(super) struct Counting<'q, T, R> {
    names: &'q [GroupKey],
    page: Option<RowPage>,
    totals: T,
    groups: HashMap<Key, T>,
    rows: Vec<R>,
    last: Option<RowId>,
    more: bool,
}

/// What came of it.
pub(super) struct Counted<T, R> {
    pub totals: T,
    /// The largest first.
    pub groups: Vec<(BTreeMap<&'static str, Option<String>>, T)>,
    pub rows: Vec<R>,
    pub next_cursor: Option<String>,
}

impl<'q, T: Default, R> Counting<'q, T, R> {
    pub(super) fn of(query: &'q ReportQuery) -> Self {
        Self {
            names: &query.group_by,
            page: query.rows,
            totals: T::default(),
            groups: HashMap::new(),
            rows: Vec::new(),
            last: None,
            more: false,
        }
    }

    pub(super) fn count(&mut self, key: Key, add: impl Fn(&mut T)) {
        add(&mut self.totals);
        add(self.groups.entry(key).or_default());
    }

    /// Keeps a row where it belongs to the page that was asked for. Rows must come in the order of their ids.
    pub(super) fn keep(&mut self, id: RowId, row: impl FnOnce() -> R) {
        let Some(page) = self.page else { return };
        if page.after.is_some_and(|after| id <= after) {
            return;
        }
        if self.rows.len() >= page.limit {
            self.more = true;
            return;
        }
        self.rows.push(row());
        self.last = Some(id);
    }

    pub(super) fn finish(self, size: impl Fn(&T) -> u64) -> Counted<T, R> {
        let named = |key: Key| self.names.iter().map(|name| name.code()).zip(key).collect();
        let mut groups: Vec<(BTreeMap<_, _>, T)> =
            self.groups.into_iter().map(|(key, tally)| (named(key), tally)).collect();
        groups.sort_by(|a, b| size(&b.1).cmp(&size(&a.1)).then_with(|| a.0.cmp(&b.0)));
        let last = self.last.filter(|_| self.more);
        Counted {
            totals: self.totals,
            groups,
            rows: self.rows,
            next_cursor: last.map(|(seller, row)| format!("{seller}.{row}")),
        }
    }
}

/// Shows every shipment that is asked for to `take`, in the order of seller and id; tells the report's moment.
pub(super) fn over_shipments(
    context: &ReportContext<'_>,
    scope: Scope,
    query: &ReportQuery,
    mut take: impl FnMut(&Whose<'_>, &Fact),
) -> Result<Timestamp, StoreError> {
    over_shipments_with(context, (scope, query), |_, _, _| Ok(()), |whose, fact, ()| take(whose, fact))
}

/// The same, with what `load` reads besides of each page of shipments.
pub(super) fn over_shipments_with<L>(
    context: &ReportContext<'_>,
    (scope, query): (Scope, &ReportQuery),
    load: impl Fn(&mut SellerTables, &[ShipmentId], &Moments) -> Result<L, StoreError>,
    mut take: impl FnMut(&Whose<'_>, &Fact, &L),
) -> Result<Timestamp, StoreError> {
    over_sellers(context, scope, query, |tables, seller, moments| {
        let shops = shops(tables)?;
        let mut after = None;
        loop {
            context.go_on()?;
            let page = tables.report_page(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.shipment_id);
            let ids: Vec<ShipmentId> = page.iter().map(|row| row.shipment_id).collect();
            let loaded = load(tables, &ids, moments)?;
            for fact in facts(tables, moments, page)? {
                let shop = shops.get(&fact.row.shop_id).map(String::as_str);
                if fact.is_asked_for(query, shop) {
                    take(&Whose { seller, shop, moments }, &fact, &loaded);
                }
            }
        }
    })
}

/// Shows every order that was known, with its shipments, to `take`, in the order of seller and id; tells the report's
/// moment.
pub(super) fn over_orders(
    context: &ReportContext<'_>,
    scope: Scope,
    query: &ReportQuery,
    mut take: impl FnMut(&Whose<'_>, &OrderReportRow, &[Fact]),
) -> Result<Timestamp, StoreError> {
    over_sellers(context, scope, query, |tables, seller, moments| {
        let shops = shops(tables)?;
        let mut after = None;
        loop {
            context.go_on()?;
            let page = tables.order_report_page(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.order_id);
            let ids: Vec<_> = page.iter().map(|order| order.order_id).collect();
            let rows = tables.report_rows_of(&ids)?;
            let mut parcels: HashMap<_, Vec<Fact>> = HashMap::new();
            for fact in facts(tables, moments, rows)? {
                parcels.entry(fact.row.order_id).or_default().push(fact);
            }
            for order in page.iter().filter(|order| order.created_at.0 <= moments.known_at) {
                let shop = shops.get(&order.shop_id).map(String::as_str);
                let parcels = parcels.remove(&order.order_id).unwrap_or_default();
                take(&Whose { seller, shop, moments }, order, &parcels);
            }
        }
    })
}

fn over_sellers(
    context: &ReportContext<'_>,
    scope: Scope,
    query: &ReportQuery,
    mut go_over: impl FnMut(&mut SellerTables, &Seller, &Moments) -> Result<(), StoreError>,
) -> Result<Timestamp, StoreError> {
    let (store, now) = (context.store, context.now);
    let sellers: Vec<Seller> = match scope {
        Scope::Seller(id) => store.seller(id).read(|tables| tables.profile())?.into_iter().collect(),
        Scope::Everyone => store.platform(Reason::Admin).read(|tables| tables.sellers())?,
    };
    let mut as_of = now;
    for seller in sellers {
        let moments = Moments::of(query, &seller, now);
        as_of = moments.as_of;
        store.seller(seller.id).read(|tables| go_over(tables, &seller, &moments))?;
    }
    Ok(as_of)
}

fn shops(tables: &mut SellerTables) -> Result<HashMap<ShopId, String>, StoreError> {
    Ok(tables.shops()?.into_iter().map(|shop| (shop.id, shop.name)).collect())
}

fn facts(tables: &mut SellerTables, moments: &Moments, rows: Vec<ReportRow>) -> Result<Vec<Fact>, StoreError> {
    if moments.is_now {
        return Ok(rows.into_iter().map(|row| Fact::as_stored(row, moments)).collect());
    }
    let ids: Vec<_> = rows.iter().map(|row| row.shipment_id).collect();
    let promises = tables.promises_known(&ids, moments.known_at)?;
    // What was corrected later went under its old number then.
    let mut former = tables.numbers_known(&ids, moments.known_at)?;
    let mut legs = tables.trackers_of(&ids)?;
    for (shipment, tracker) in &mut legs {
        *tracker = former.get(shipment).map_or(*tracker, |it| it.tracker_id);
    }
    let trackers: Vec<_> = legs.iter().map(|(_, tracker)| *tracker).collect();
    let mut events: HashMap<_, Vec<_>> = HashMap::new();
    for event in tables.standing_events(&trackers, moments.known_at)? {
        events.entry(event.tracker_id).or_default().push(event);
    }
    let mut by_shipment: HashMap<_, Vec<_>> = HashMap::new();
    for (shipment, tracker) in legs {
        by_shipment.entry(shipment).or_default().extend(events.get(&tracker).into_iter().flatten().cloned());
    }
    let known = rows.into_iter().filter(|row| row.created_at.0 <= moments.known_at);
    Ok(known
        .map(|row| {
            let events = by_shipment.remove(&row.shipment_id).unwrap_or_default();
            let promise = promises.get(&row.shipment_id).cloned().flatten();
            let row = match former.remove(&row.shipment_id) {
                Some(it) => ReportRow { carrier: it.carrier, tracking_number: it.tracking_number, ..row },
                None => row,
            };
            Fact::derived(ReportRow { deliver_by_on: promise, ..row }, &events, moments)
        })
        .collect())
}
