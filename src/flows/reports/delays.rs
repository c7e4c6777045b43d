//! Delays: exact counts of what came in time and what did not, by any group.

use super::counting::{Counting, over_shipments};
use super::query::{ReportContext, ReportQuery, Scope};
use super::row::ShipmentOut;
use crate::domain::report::{Lateness, Percentiles, Rate, Tally};
use crate::store::StoreError;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

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

/// A report of delays.
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

/// Counts shipments as asked.
///
/// # Errors
///
/// [`StoreError`].
pub fn report_delays(context: &ReportContext<'_>, scope: Scope, query: &ReportQuery) -> Result<Report, StoreError> {
    let mut counting = Counting::<Tally, ShipmentOut>::of(query);
    let as_of = over_shipments(context, scope, query, |whose, fact| {
        counting.count(fact.key(whose, query), |tally| tally.add(&fact.outcome));
        counting.keep(fact.id(whose), || ShipmentOut::of(whose, fact));
    })?;
    let counted = counting.finish(|tally| tally.shipments);
    let group = |(key, tally): (_, Tally)| Group {
        key,
        transit_days: tally.transit_days(),
        lateness_days: tally.lateness_days(),
        counts: Counts::from(&tally),
    };
    Ok(Report {
        as_of,
        known_at: query.known_at.unwrap_or(context.now),
        totals: Counts::from(&counted.totals),
        groups: counted.groups.into_iter().map(group).collect(),
        shipments: counted.rows,
        next_cursor: counted.next_cursor,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::on_both::{a_seller, on_both};

    #[test]
    fn a_report_that_nobody_waits_for_ends() {
        on_both(|store| {
            let now: Timestamp = "2026-09-17T10:04:00Z".parse().unwrap();
            let (scope, query) = (Scope::Seller(a_seller(store, now)), ReportQuery::default());
            let report = |is_cancelled: &dyn Fn() -> bool| {
                report_delays(&ReportContext { store, now, is_cancelled }, scope, &query)
            };
            assert_eq!(report(&|| false).unwrap().totals.shipments, 0);
            assert!(matches!(report(&|| true), Err(StoreError::Unavailable(_))));
        });
    }
}
