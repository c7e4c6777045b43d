//! Dirty sheets and the exports of shop systems, through `parceltrail check`.

use crate::{Score, folders_and_files, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Line, column, code.
type Fault = (u64, Option<String>, String);

/// What must come of a sheet. Where `loose_warnings` is set, a missing warning is forgiven.
#[derive(Debug, Clone)]
struct Expected {
    rejected: bool,
    ok: Option<u64>,
    bad: Option<u64>,
    shipments: Option<u64>,
    orders: Option<u64>,
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    loose_warnings: bool,
}

/// What came of a sheet.
#[derive(Debug, Default)]
struct Checked {
    rejected: bool,
    preset: Value,
    ok: u64,
    bad: u64,
    orders: u64,
    shipments: u64,
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    rows: Vec<Value>,
}

/// How many dirty sheets came out as expected, and how many of their values were read as expected.
pub(crate) fn dirty(folder: &Path) -> Vec<Score> {
    let (mut score, mut values) = (Score::of("csv-dirty"), Score::of("csv-dirty/values"));
    for file in folders_and_files(folder).iter().filter(|it| it.to_string_lossy().ends_with(".expect.json")) {
        let expectation: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let name = expectation["file"].as_str().unwrap();
        let known = if name.starts_with("35-") { "none" } else { "any" };
        let kind = expectation["kind"].as_str().unwrap();
        let checked = check(&folder.join(name), &["--kind", kind, "--known-orders", known]);
        let fault = match &checked {
            Err(fault) => Some(fault.clone()),
            Ok(checked) => difference(checked, name, &expectation),
        };
        score.count(name, fault);
        if let Some(wanted) = expectation["check"].as_object() {
            for (key, value) in wanted.iter().filter(|(key, value)| is_comparable(key, value)) {
                let told = checked.as_ref().map(|it| read_value(&it.rows, key)).unwrap_or_default();
                values.check(&format!("{name} {key}"), is_same(&told, value), || format!("{told} for {value}"));
            }
        }
    }
    vec![score, values]
}

/// How many exports were known as what they are, with every row accepted.
pub(crate) fn shops(folder: &Path) -> Score {
    let mut score = Score::of("csv-shops");
    for line in fs::read_to_string(folder.join("INDEX.md")).unwrap_or_default().lines() {
        let cells: Vec<&str> = line.split('|').collect();
        let Some((preset, file)) = cells.get(1).zip(cells.get(2).and_then(|it| it.strip_prefix("csv/"))) else {
            continue;
        };
        let fault = match check(&folder.join(file), &["--known-orders", "any"]) {
            Err(fault) => Some(fault),
            Ok(it) if it.rejected => Some(format!("rejected: {:?}", it.errors)),
            Ok(it) if it.preset != *preset => Some(format!("taken for {}", it.preset)),
            Ok(it) if it.bad > 0 || it.ok == 0 => Some(format!("{} rows rejected of {}", it.bad, it.bad + it.ok)),
            Ok(_) => None,
        };
        score.count(preset, fault);
    }
    score
}

/// Runs the dry run; an error is a crash or an answer that cannot be read.
fn check(file: &Path, options: &[&str]) -> Result<Checked, String> {
    let file = file.display().to_string();
    let mut arguments = vec!["check", &file, "--json", "--today", "2026-11-22", "--time-zone", "America/New_York"];
    arguments.extend(options);
    let output = run(&arguments, "");
    if !matches!(output.status.code(), Some(0..=2)) {
        return Err(format!("crashed: {}, {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let mut checked = Checked::default();
    let mut is_summed_up = false;
    for line in told.lines() {
        let told: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        if let Some(file) = told.get("file") {
            checked.rejected = file["outcome"] == "rejected";
            checked.preset = file["preset"].clone();
            take_faults(&mut checked, file, 1);
        } else if let Some(summary) = told.get("summary") {
            is_summed_up = true;
            let count = |field: &str| summary[field].as_u64().unwrap_or(u64::MAX);
            checked.ok = count("rows_accepted") + count("rows_unchanged");
            (checked.bad, checked.orders, checked.shipments) =
                (count("rows_rejected"), count("orders"), count("shipments"));
        } else {
            let line = told["line"].as_u64().ok_or_else(|| format!("no line: {line}"))?;
            take_faults(&mut checked, &told, line);
            checked.rows.push(told);
        }
    }
    let code = u8::from(checked.bad > 0) + 2 * u8::from(checked.rejected);
    match output.status.code() {
        _ if !is_summed_up && !checked.rejected => Err("no summary".to_owned()),
        Some(status) if status != i32::from(code) => Err(format!("exit {status} for {code}")),
        _ => Ok(checked),
    }
}

fn take_faults(checked: &mut Checked, told: &Value, line: u64) {
    let faults = |kind: &str| -> Vec<Fault> { faults_of(&told[kind], line) };
    checked.errors.extend(faults("errors"));
    checked.warnings.extend(faults("warnings"));
}

fn faults_of(list: &Value, line: u64) -> Vec<Fault> {
    let one = |fault: &Value| {
        let line = fault["line"].as_u64().unwrap_or(line);
        (line, fault["column"].as_str().map(str::to_owned), fault["code"].as_str().unwrap_or_default().to_owned())
    };
    list.as_array().map(|faults| faults.iter().map(one).collect()).unwrap_or_default()
}

/// What is wrong, in the eyes of the most lenient reading that the case allows.
fn difference(checked: &Checked, name: &str, expectation: &Value) -> Option<String> {
    let expected = Expected {
        rejected: expectation["outcome"] == "reject_file",
        ok: expectation["records_ok"].as_u64(),
        bad: expectation["records_error"].as_u64(),
        shipments: expectation["shipments"].as_u64(),
        orders: expectation["orders"].as_u64(),
        errors: faults_of(&expectation["errors"], 1),
        warnings: faults_of(&expectation["warnings"], 1),
        loose_warnings: false,
    };
    let mut faults = readings(name, expected).into_iter().map(|reading| departs(checked, &reading));
    let strict = faults.next().flatten()?;
    faults.all(|fault| fault.is_some()).then_some(strict)
}

/// The expectation, and what its judgement allows instead.
fn readings(name: &str, strict: Expected) -> Vec<Expected> {
    let mut all = vec![strict.clone()];
    let mut other = strict;
    match name.get(..3).unwrap_or_default() {
        // A warning is welcome, not required.
        "07-" => other.loose_warnings = true,
        // The carrier may be read from the number instead.
        "22-" => {
            (other.ok, other.bad, other.shipments) = (Some(1), Some(3), Some(1));
            other.errors.retain(|fault| fault.0 != 4);
        }
        "23-" => {
            (other.rejected, other.ok, other.bad, other.shipments) = (true, Some(0), None, None);
            (other.errors, other.warnings) = (vec![(1, None, "header_not_recognised".to_owned())], vec![]);
        }
        // A blank country may be an error.
        "28-" => {
            (other.ok, other.bad, other.orders) = (Some(5), Some(2), Some(5));
            other.errors.append(&mut other.warnings);
        }
        // The repeat may count as a good row.
        "30-" => other.ok = Some(4),
        // Two numbers in a cell may be an error instead of two parcels.
        "32-" => {
            (other.ok, other.bad, other.shipments) = (Some(3), Some(1), Some(3));
            let joined = other.warnings.iter().position(|fault| fault.0 == 5);
            other.errors.extend(joined.map(|at| other.warnings.remove(at)));
        }
        // It may wait for its order, as long as that is told.
        "35-" => {
            (other.ok, other.bad, other.shipments) = (Some(1), Some(0), None);
            std::mem::swap(&mut other.errors, &mut other.warnings);
        }
        _ => return all,
    }
    all.push(other);
    all
}

fn departs(checked: &Checked, expected: &Expected) -> Option<String> {
    if checked.rejected != expected.rejected {
        return Some(format!("file rejected: {}, {:?}", checked.rejected, checked.errors));
    }
    for (what, told, wanted) in [
        ("good rows", checked.ok, expected.ok),
        ("bad rows", checked.bad, expected.bad),
        ("orders", checked.orders, expected.orders),
        ("shipments", checked.shipments, expected.shipments),
    ] {
        if !expected.rejected && wanted.is_some_and(|wanted| wanted != told) {
            return Some(format!("{what}: {told} for {}; errors {:?}", wanted.unwrap_or_default(), checked.errors));
        }
    }
    differ("errors", &checked.errors, &expected.errors, false)
        .or_else(|| differ("warnings", &checked.warnings, &expected.warnings, expected.loose_warnings))
}

/// Compares as sets; an expectation that names no column holds for any.
fn differ(what: &str, told: &[Fault], wanted: &[Fault], may_miss: bool) -> Option<String> {
    let fits =
        |it: &Fault, wanted: &Fault| it.0 == wanted.0 && it.2 == wanted.2 && (wanted.1.is_none() || it.1 == wanted.1);
    let missing: BTreeSet<&Fault> = wanted.iter().filter(|want| !told.iter().any(|it| fits(it, want))).collect();
    let extra: BTreeSet<&Fault> = told.iter().filter(|it| !wanted.iter().any(|want| fits(it, want))).collect();
    ((!missing.is_empty() && !may_miss) || !extra.is_empty())
        .then(|| format!("{what}: missing {missing:?}, extra {extra:?}"))
}

/// Values of single cells, told plainly; what is told in prose, or in another's slugs, is not compared.
fn is_comparable(key: &str, value: &Value) -> bool {
    let plain = value.as_str().is_some_and(|it| !it.contains(" or ") && !it.contains('('));
    plain && key.contains('.') && !key.starts_with("record")
}

/// The cell of an order's row, as text; an instant where the key asks for one in UTC.
fn read_value(rows: &[Value], key: &str) -> Value {
    let (order, column) = key.split_once('.').unwrap_or_default();
    let row = rows.iter().find(|row| row["read"]["order_number"] == order);
    let cell = |column: &str| row.map(|row| row["read"][column].clone()).unwrap_or_default();
    match column.strip_suffix("_utc") {
        Some(column) if cell(column).is_object() => cell(column)["utc"].clone(),
        Some(column) => {
            let instant: Option<jiff::Timestamp> = cell(column).as_str().and_then(|it| it.parse().ok());
            json!(instant.map(|it| it.to_string()))
        }
        None => cell(column),
    }
}

/// Equal as text, as a number, or as the day of a time.
fn is_same(told: &Value, wanted: &Value) -> bool {
    let wanted = wanted.as_str().unwrap_or_default();
    let told = match told {
        Value::String(told) => told.clone(),
        Value::Object(time) => time.get("local").and_then(Value::as_str).unwrap_or_default().to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => told.to_string(),
    };
    let as_number = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    told == wanted
        || told.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('T'))
        || (wanted.contains('.') && as_number(&told) == as_number(wanted))
}
