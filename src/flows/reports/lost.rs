//! Losses: what was shipped and never came, what is suspected to be lost, and what is lost.

use super::counting::{Counting, over_shipments};
use super::query::{ReportContext, ReportQuery, Scope};
use super::row::ShipmentOut;
use crate::domain::losses::LossTally;
use crate::domain::report::Rate;
use crate::store::StoreError;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of a report of losses.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LossCounts {
    /// Shipments that are not cancelled and that, by the report's moment, the seller said were shipped or delivered, or a
    /// carrier had scanned.
    pub shipped: u64,
    /// Of the shipped: not delivered by the report's moment, whether on the way, sent back or lost.
    pub never_delivered: u64,
    /// Of the never delivered: the verdict is `suspected_lost`. Those that are `lost` are not among them.
    pub suspected_lost: u64,
    /// Of the never delivered: the verdict is `lost`.
    pub lost: u64,
    /// Lost over shipped; its `undecided` are those that are open and not lost.
    pub lost_rate: Rate,
}

/// One group of a report of losses.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LossGroup {
    /// The asked keys with this group's values; what is not known is `null`.
    #[schema(value_type = std::collections::HashMap<String, Option<String>>)]
    pub key: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    pub counts: LossCounts,
}

/// A report of losses.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LossReport {
    /// The moment by which things happened.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// The moment by which we had heard of them.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Timestamp,
    pub totals: LossCounts,
    /// Those with the most shipped first. A group of which nothing was shipped is left out.
    pub groups: Vec<LossGroup>,
    /// Only with `rows=shipments`: those that are lost or suspected to be.
    pub shipments: Vec<ShipmentOut>,
    pub next_cursor: Option<String>,
}

/// Counts shipped and lost shipments as asked.
///
/// # Errors
///
/// [`StoreError`].
pub fn report_lost(context: &ReportContext<'_>, scope: Scope, query: &ReportQuery) -> Result<LossReport, StoreError> {
    let mut counting = Counting::<LossTally, ShipmentOut>::of(query);
    let as_of = over_shipments(context, scope, query, |whose, fact| {
        let fate = fact.fate();
        counting.count(fact.key(whose, query), |tally| tally.add(fate));
        if fate.is_lost_or_suspected() {
            counting.keep(fact.id(whose), || ShipmentOut::of(whose, fact));
        }
    })?;
    let counted = counting.finish(|tally| tally.shipped);
    let shipped = counted.groups.into_iter().filter(|(_, tally)| tally.shipped > 0);
    Ok(LossReport {
        as_of,
        known_at: query.known_at.unwrap_or(context.now),
        totals: LossCounts::from(&counted.totals),
        groups: shipped.map(|(key, tally)| LossGroup { key, counts: LossCounts::from(&tally) }).collect(),
        shipments: counted.rows,
        next_cursor: counted.next_cursor,
    })
}

impl From<&LossTally> for LossCounts {
    fn from(tally: &LossTally) -> Self {
        Self {
            shipped: tally.shipped,
            never_delivered: tally.never_delivered,
            suspected_lost: tally.suspected_lost,
            lost: tally.lost,
            lost_rate: tally.lost_rate(),
        }
    }
}
