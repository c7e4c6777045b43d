//! The answer as JSON lines, by the contract.

use crate::sheets::{Encoding, FileRejected, Kind, Record, Survey};
use serde_json::{Map, Value, json};

pub(super) fn of_survey(survey: &Survey) -> Value {
    json!({
        "outcome": "accepted",
        "preset": survey.preset,
        "kind": survey.kind.code(),
        "encoding": survey.encoding.name(),
        "delimiter": survey.delimiter.to_string(),
        "columns": of_columns(&survey.columns),
        "errors": [],
        "warnings": survey.warnings,
    })
}

pub(super) fn of_rejected(rejected: &FileRejected, kind: Option<Kind>) -> Value {
    json!({
        "outcome": "rejected",
        "preset": null,
        "kind": kind.map(Kind::code),
        "encoding": rejected.encoding.map(Encoding::name),
        "delimiter": rejected.delimiter.map(String::from),
        "columns": of_columns(&rejected.columns),
        "errors": rejected.errors,
        "warnings": rejected.warnings,
    })
}

fn of_columns(columns: &[(String, Option<&'static str>)]) -> Value {
    columns.iter().map(|(header, name)| (header.clone(), json!(name))).collect::<Map<_, _>>().into()
}

pub(super) fn of_record(record: &Record, outcome: &str) -> Value {
    let read: Map<String, Value> = record.read.iter().map(|(name, it)| ((*name).to_owned(), json!(it))).collect();
    json!({ "line": record.line, "outcome": outcome, "read": read, "errors": record.errors, "warnings": record.warnings })
}
