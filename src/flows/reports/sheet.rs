//! Reports as CSV, safe to open in a spreadsheet.

use super::{Counts, GroupKey, Report};
use crate::sheets::harmless;
use serde_json::Value;

const COUNTS: [&str; 13] = [
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

/// One line a group, its key first.
///
/// # Errors
///
/// None but those of writing into memory.
pub fn groups_as_csv(report: &Report, keys: &[GroupKey]) -> csv::Result<String> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    let names = keys.iter().map(|key| key.code());
    sheet.write_record(names.chain(COUNTS).chain(DAYS))?;
    for group in &report.groups {
        let (transit, late) = (&group.transit_days, &group.lateness_days);
        let key = keys.iter().map(|key| group.key.get(key.code()).cloned().flatten().unwrap_or_default());
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
        let cells: Vec<String> = key
            .map(|cell| harmless(&cell).into_owned())
            .chain(counts(&group.counts))
            .chain(days.into_iter().map(Option::unwrap_or_default))
            .collect();
        sheet.write_record(cells)?;
    }
    finished(sheet)
}

fn text(days: i32) -> String {
    days.to_string()
}

fn counts(counts: &Counts) -> [String; 13] {
    let rate = &counts.on_time_rate;
    let share = |share: Option<f64>| share.map(|it| format!("{it:.5}")).unwrap_or_default();
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
        rate.den.to_string(),
        share(rate.rate),
        share(rate.ci_low),
        share(rate.ci_high),
    ]
}

/// One line a shipment.
///
/// # Errors
///
/// None but those of writing into memory.
pub fn shipments_as_csv(report: &Report) -> csv::Result<String> {
    const COLUMNS: [&str; 20] = [
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
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(COLUMNS)?;
    for shipment in &report.shipments {
        let shown = serde_json::to_value(shipment).unwrap_or_default();
        let cell = |column: &&str| match shown.get(*column) {
            Some(Value::String(text)) => harmless(text).into_owned(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        sheet.write_record(COLUMNS.iter().map(cell))?;
    }
    finished(sheet)
}

fn finished(sheet: csv::Writer<Vec<u8>>) -> csv::Result<String> {
    let bytes = sheet.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
