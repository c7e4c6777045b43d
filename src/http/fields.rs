//! Reads the fields of a body: what cannot be is a problem that points at it.

use super::problem::Problem;
use crate::domain::country::CountryCode;
use crate::domain::event_time::EventTime;
use crate::domain::money::Currency;
use crate::domain::name;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads an object; a list is none, though its items might fit.
pub fn object<T: DeserializeOwned>(told: Value) -> Result<T, Problem> {
    if !told.is_object() {
        return Err(Problem::invalid("", "invalid_body", "Send an object here."));
    }
    serde_json::from_value(told)
        .map_err(|error| Problem::invalid("", "invalid_body", format!("The body is not as documented: {error}.")))
}

/// A text that must be there, without blanks around it.
pub fn text(pointer: &str, told: &str, longest: usize) -> Result<String, Problem> {
    let detail = || format!("Write 1 to {longest} characters, without control characters.");
    let bare = name::plain(told, longest).ok_or_else(|| Problem::invalid(pointer, "bad_text", detail()))?;
    Ok(bare.to_owned())
}

pub fn country(pointer: &str, told: &str) -> Result<CountryCode, Problem> {
    CountryCode::recognise(told).map_err(|error| Problem::invalid(pointer, "unknown_country", error.to_string()))
}

pub fn currency(told: &str) -> Result<Currency, Problem> {
    let unknown = || Problem::invalid("/currency", "unknown_currency", "A currency is three letters, such as EUR.");
    Currency::parse(told).ok_or_else(unknown)
}

pub fn time(pointer: &str, told: &str) -> Result<EventTime, Problem> {
    let detail = "Write a time as 2026-09-17T10:04:00, with Z or an offset where you know it.";
    EventTime::parse(told).ok_or_else(|| Problem::invalid(pointer, "invalid_date", detail))
}

/// A time by which something must be done: a bare date is the end of that day.
pub fn end_time(pointer: &str, told: &str) -> Result<EventTime, Problem> {
    match told.parse::<Date>() {
        Ok(day) if told.len() == 10 => Ok(EventTime::zoneless(day.at(23, 59, 59, 0))),
        _ => time(pointer, told),
    }
}
