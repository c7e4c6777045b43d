//! Reports as CSV, safe to open in a spreadsheet.

use super::delays::{Counts, Report};
use super::dispatch::{DispatchCounts, DispatchReport};
use super::lost::{LossCounts, LossReport};
use super::numbers::{NumberCounts, NumbersReport};
use super::query::GroupKey;
use super::row::ShipmentOut;
use crate::domain::report::Rate;
use crate::sheets::harmless;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

const DELAY_COUNTS: [&str; 13] = [
    "shipments",
    "delivered",
    "on_time",
    "late",
    "late_open",
    "undecided",
    "without_promise",
    "returned",
    "cancelled",
    "on_time_den",
    "on_time_rate",
    "on_time_ci_low",
    "on_time_ci_high",
];
const DAYS: [&str; 9] = [
    "transit_days_n",
    "transit_days_p50",
    "transit_days_p90",
    "transit_days_p95",
    "lateness_days_n",
    "lateness_days_p50",
    "lateness_days_p90",
    "lateness_days_p95",
    "lateness_days_max",
];
const LOSS_COUNTS: [&str; 7] =
    ["shipped", "never_delivered", "suspected_lost", "lost", "lost_rate", "lost_ci_low", "lost_ci_high"];
const DISPATCH_COUNTS: [&str; 10] = [
    "orders",
    "dispatched_on_time",
    "dispatched_late",
    "overdue",
    "undecided",
    "without_dispatch_by",
    "on_time_den",
    "on_time_rate",
    "on_time_ci_low",
    "on_time_ci_high",
];
const SHIPMENT: [&str; 20] = [
    "shipment_id",
    "shop",
    "order_number",
    "tracking_number",
    "carrier",
    "service",
    "origin_country",
    "origin_region",
    "destination_country",
    "destination_region",
    "shipped_on",
    "deliver_by_on",
    "first_attempt_on",
    "delivered_on",
    "milestone",
    "verdict",
    "cause",
    "reason",
    "threshold",
    "must_act",
];
const ORDER: [&str; 11] = [
    "order_id",
    "shop",
    "order_number",
    "carrier",
    "service",
    "destination_country",
    "ordered_on",
    "dispatch_by_at",
    "dispatched_at",
    "dispatched_by",
    "outcome",
];

const NUMBER_COUNTS: [&str; 17] = [
    "shipments",
    "valid",
    "ambiguous",
    "suspicious",
    "invalid",
    "unknown",
    "scanned",
    "valid_tracking_num",
    "valid_tracking_den",
    "valid_tracking_rate",
    "valid_tracking_ci_low",
    "valid_tracking_ci_high",
    "number_on_another_order",
    "number_reused",
    "scan_before_order",
    "destination_differs",
    "block_never_scanned",
];
const NUMBER: [&str; 10] = [
    "shipment_id",
    "shop",
    "order_number",
    "tracking_number",
    "carrier",
    "shipped_on",
    "validity",
    "code",
    "scanned",
    "doubts",
];

/// A report that can be written as CSV.
pub trait AsSheet {
    /// One line a group, its key first.
    ///
    /// # Errors
    ///
    /// None but those of writing into memory.
    fn groups_as_csv(&self, keys: &[GroupKey]) -> csv::Result<String>;

    /// One line a shipment or order.
    ///
    /// # Errors
    ///
    /// None but those of writing into memory.
    fn rows_as_csv(&self) -> csv::Result<String>;
}

impl AsSheet for Report {
    fn groups_as_csv(&self, keys: &[GroupKey]) -> csv::Result<String> {
        let lines = self.groups.iter().map(|group| {
            let (transit, late) = (&group.transit_days, &group.lateness_days);
            let days = [
                Some(transit.n.to_string()),
                transit.p50.map(text),
                transit.p90.map(text),
                transit.p95.map(text),
                Some(late.percentiles.n.to_string()),
                late.percentiles.p50.map(text),
                late.percentiles.p90.map(text),
                late.percentiles.p95.map(text),
                late.max.map(text),
            ];
            let days = days.into_iter().map(Option::unwrap_or_default);
            (&group.key, delay_counts(&group.counts).into_iter().chain(days).collect())
        });
        groups(keys, DELAY_COUNTS.into_iter().chain(DAYS), lines)
    }

    fn rows_as_csv(&self) -> csv::Result<String> {
        shipments(&self.shipments)
    }
}

impl AsSheet for LossReport {
    fn groups_as_csv(&self, keys: &[GroupKey]) -> csv::Result<String> {
        groups(keys, LOSS_COUNTS, self.groups.iter().map(|group| (&group.key, loss_counts(&group.counts).to_vec())))
    }

    fn rows_as_csv(&self) -> csv::Result<String> {
        shipments(&self.shipments)
    }
}

impl AsSheet for DispatchReport {
    fn groups_as_csv(&self, keys: &[GroupKey]) -> csv::Result<String> {
        let lines = self.groups.iter().map(|group| (&group.key, dispatch_counts(&group.counts).to_vec()));
        groups(keys, DISPATCH_COUNTS, lines)
    }

    fn rows_as_csv(&self) -> csv::Result<String> {
        let shown = self.orders.iter().map(|order| {
            let mut shown = serde_json::to_value(order).unwrap_or_default();
            // The instant where its offset is known, else the time as it was written.
            let time = |field| shown.pointer(field).filter(|it| !it.is_null()).cloned();
            let at = time("/dispatched/utc").or_else(|| time("/dispatched/local"));
            if let (Some(at), Some(fields)) = (at, shown.as_object_mut()) {
                fields.insert("dispatched_at".to_owned(), at);
            }
            shown
        });
        rows(&ORDER, shown)
    }
}

impl AsSheet for NumbersReport {
    fn groups_as_csv(&self, keys: &[GroupKey]) -> csv::Result<String> {
        let lines = self.groups.iter().map(|group| (&group.key, number_counts(&group.counts).to_vec()));
        groups(keys, NUMBER_COUNTS, lines)
    }

    fn rows_as_csv(&self) -> csv::Result<String> {
        let shown = self.shipments.iter().map(|row| {
            let mut shown = shown(row);
            let codes: Vec<&str> = row.doubts.iter().map(|code| code.code()).collect();
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("doubts".to_owned(), codes.join(" ").into());
            }
            shown
        });
        rows(&NUMBER, shown)
    }
}

fn text(days: i32) -> String {
    days.to_string()
}

fn share(share: Option<f64>) -> String {
    share.map(|it| format!("{it:.5}")).unwrap_or_default()
}

fn shares(rate: &Rate) -> [String; 3] {
    [share(rate.rate), share(rate.ci_low), share(rate.ci_high)]
}

fn delay_counts(counts: &Counts) -> [String; 13] {
    let [rate, low, high] = shares(&counts.on_time_rate);
    [
        counts.shipments.to_string(),
        counts.delivered.to_string(),
        counts.on_time.to_string(),
        counts.late.to_string(),
        counts.late_open.to_string(),
        counts.undecided.to_string(),
        counts.without_promise.to_string(),
        counts.returned.to_string(),
        counts.cancelled.to_string(),
        counts.on_time_rate.den.to_string(),
        rate,
        low,
        high,
    ]
}

fn loss_counts(counts: &LossCounts) -> [String; 7] {
    let [rate, low, high] = shares(&counts.lost_rate);
    [
        counts.shipped.to_string(),
        counts.never_delivered.to_string(),
        counts.suspected_lost.to_string(),
        counts.lost.to_string(),
        rate,
        low,
        high,
    ]
}

fn dispatch_counts(counts: &DispatchCounts) -> [String; 10] {
    let [rate, low, high] = shares(&counts.on_time_rate);
    [
        counts.orders.to_string(),
        counts.dispatched_on_time.to_string(),
        counts.dispatched_late.to_string(),
        counts.overdue.to_string(),
        counts.undecided.to_string(),
        counts.without_dispatch_by.to_string(),
        counts.on_time_rate.den.to_string(),
        rate,
        low,
        high,
    ]
}

fn number_counts(counts: &NumberCounts) -> [String; 17] {
    let (rate, doubts) = (&counts.valid_tracking_rate, &counts.doubts);
    let [share, low, high] = shares(rate);
    [
        counts.shipments.to_string(),
        counts.valid.to_string(),
        counts.ambiguous.to_string(),
        counts.suspicious.to_string(),
        counts.invalid.to_string(),
        counts.unknown.to_string(),
        counts.scanned.to_string(),
        rate.num.to_string(),
        rate.den.to_string(),
        share,
        low,
        high,
        doubts.number_on_another_order.to_string(),
        doubts.number_reused.to_string(),
        doubts.scan_before_order.to_string(),
        doubts.destination_differs.to_string(),
        doubts.block_never_scanned.to_string(),
    ]
}

type GroupKeys = BTreeMap<&'static str, Option<String>>;

fn groups<'a>(
    keys: &[GroupKey],
    counts: impl IntoIterator<Item = &'static str>,
    lines: impl Iterator<Item = (&'a GroupKeys, Vec<String>)>,
) -> csv::Result<String> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(keys.iter().map(|key| key.code()).chain(counts))?;
    for (key, counts) in lines {
        let key = keys.iter().map(|name| key.get(name.code()).cloned().flatten().unwrap_or_default());
        let cells: Vec<String> = key.map(|cell| harmless(&cell).into_owned()).chain(counts).collect();
        sheet.write_record(cells)?;
    }
    finished(sheet)
}

fn shipments(shipments: &[ShipmentOut]) -> csv::Result<String> {
    rows(&SHIPMENT, shipments.iter().map(shown))
}

fn shown(row: &impl Serialize) -> Value {
    serde_json::to_value(row).unwrap_or_default()
}

fn rows(columns: &[&str], rows: impl Iterator<Item = Value>) -> csv::Result<String> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(columns)?;
    for row in rows {
        let cell = |column: &&str| match row.get(*column) {
            Some(Value::String(text)) => harmless(text).into_owned(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        sheet.write_record(columns.iter().map(cell))?;
    }
    finished(sheet)
}

fn finished(sheet: csv::Writer<Vec<u8>>) -> csv::Result<String> {
    let bytes = sheet.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
