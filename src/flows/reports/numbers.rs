//! Numbers: how many are right in form, how many the carrier has scanned, and what is doubtful about them.

use super::counting::{Counting, Whose, over_shipments_with};
use super::query::{ReportContext, ReportQuery, Scope};
use super::row::{Fact, Moments};
use crate::domain::doubt::DoubtCode;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::domain::report::Rate;
use crate::domain::valid_tracking::NumberTally;
use crate::store::{SellerTables, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Counts of a report of numbers. Cancelled shipments are in none.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumberCounts {
    /// The sum of the five counts that follow.
    pub shipments: u64,
    pub valid: u64,
    /// Right for several carriers, and none was named.
    pub ambiguous: u64,
    /// Nothing proves the form, and nothing disproves it.
    pub suspicious: u64,
    /// Wrong as it stands, or right and another carrier's.
    pub invalid: u64,
    /// Taken in before this was kept.
    pub unknown: u64,
    /// By the carrier, at least once; the seller's own word is no scan.
    pub scanned: u64,
    /// Valid and scanned among the shipped.
    pub valid_tracking_rate: Rate,
    pub doubts: DoubtCounts,
}

/// How many shipments were in which doubt.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct DoubtCounts {
    pub number_on_another_order: u64,
    pub number_reused: u64,
    pub scan_before_order: u64,
    pub destination_differs: u64,
    pub block_never_scanned: u64,
}

/// One group of a report of numbers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumberGroup {
    /// The asked keys with this group's values; what is not known is `null`.
    #[schema(value_type = std::collections::HashMap<String, Option<String>>)]
    pub key: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    pub counts: NumberCounts,
}

/// A report of numbers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumbersReport {
    /// The moment by which things happened.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// The moment by which we had heard of them.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Timestamp,
    pub totals: NumberCounts,
    /// The largest first.
    pub groups: Vec<NumberGroup>,
    /// Only with `rows=shipments`: those that lower the rate, and those in doubt.
    pub shipments: Vec<NumberRow>,
    pub next_cursor: Option<String>,
}

/// One shipment of a report of numbers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumberRow {
    #[schema(value_type = uuid::Uuid)]
    pub seller_id: SellerId,
    #[schema(value_type = uuid::Uuid)]
    pub shipment_id: ShipmentId,
    pub shop: Option<String>,
    pub order_number: String,
    pub tracking_number: String,
    pub carrier: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    pub shipped_on: Option<Date>,
    /// What the number proved to be; `null` where it was taken in before this was kept.
    pub validity: Option<String>,
    /// What is wrong with it.
    pub code: Option<String>,
    pub scanned: bool,
    pub doubts: Vec<DoubtCode>,
}

/// Counts numbers as asked.
///
/// # Errors
///
/// [`StoreError`].
pub fn report_numbers(
    context: &ReportContext<'_>,
    scope: Scope,
    query: &ReportQuery,
) -> Result<NumbersReport, StoreError> {
    let mut counting = Counting::<NumberTally, NumberRow>::of(query);
    let take = |whose: &Whose<'_>, fact: &Fact, doubts: &HashMap<ShipmentId, Vec<DoubtCode>>| {
        if fact.is_cancelled() {
            return;
        }
        let doubts = doubts.get(&fact.row.shipment_id).map(Vec::as_slice).unwrap_or_default();
        let fate = fact.number_fate(whose.moments);
        counting.count(fact.key(whose, query), |tally| tally.add(fate, doubts));
        if fate.spoils() || !doubts.is_empty() {
            counting.keep(fact.id(whose), || shown(whose, fact, (fate.is_scanned, doubts)));
        }
    };
    let load =
        |tables: &mut SellerTables, ids: &[ShipmentId], moments: &Moments| tables.doubts_known(ids, moments.known_at);
    let as_of = over_shipments_with(context, (scope, query), load, take)?;
    let counted = counting.finish(|tally| tally.shipments);
    let group = |(key, tally): (_, NumberTally)| NumberGroup { key, counts: NumberCounts::from(&tally) };
    Ok(NumbersReport {
        as_of,
        known_at: query.known_at.unwrap_or(context.now),
        totals: NumberCounts::from(&counted.totals),
        groups: counted.groups.into_iter().map(group).collect(),
        shipments: counted.rows,
        next_cursor: counted.next_cursor,
    })
}

fn shown(whose: &Whose<'_>, fact: &Fact, (scanned, doubts): (bool, &[DoubtCode])) -> NumberRow {
    let (validity, code) = fact.row.number.clone();
    NumberRow {
        seller_id: whose.seller.id,
        shipment_id: fact.row.shipment_id,
        shop: whose.shop.map(str::to_owned),
        order_number: fact.row.order_number.clone(),
        tracking_number: fact.row.tracking_number.clone(),
        carrier: fact.row.carrier.clone(),
        shipped_on: fact.outcome.shipped_on,
        validity,
        code,
        scanned,
        doubts: doubts.to_vec(),
    }
}

impl From<&NumberTally> for NumberCounts {
    fn from(tally: &NumberTally) -> Self {
        let doubts = |code| tally.doubts.get(&code).copied().unwrap_or(0);
        Self {
            shipments: tally.shipments,
            valid: tally.valid,
            ambiguous: tally.ambiguous,
            suspicious: tally.suspicious,
            invalid: tally.invalid,
            unknown: tally.unknown,
            scanned: tally.scanned,
            valid_tracking_rate: tally.valid_tracking_rate(),
            doubts: DoubtCounts {
                number_on_another_order: doubts(DoubtCode::NumberOnAnotherOrder),
                number_reused: doubts(DoubtCode::NumberReused),
                scan_before_order: doubts(DoubtCode::ScanBeforeOrder),
                destination_differs: doubts(DoubtCode::DestinationDiffers),
                block_never_scanned: doubts(DoubtCode::BlockNeverScanned),
            },
        }
    }
}
