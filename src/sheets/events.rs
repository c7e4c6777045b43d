//! Rows of events: one scan of one parcel.

use super::cells::Cells;
use crate::domain::order::Place;
use crate::domain::scan::{self, Scan, ScanDetails};
use crate::domain::shipment::EventRow;
use jiff::civil::Time;

/// Reads one row of a sheet of events; faults are left with the cells.
pub(super) fn read(cells: &mut Cells<'_>) -> Option<EventRow> {
    let declared = cells.carrier("carrier");
    let nowhere = Place::default();
    let number = cells.number("tracking_number", declared.as_ref(), (&nowhere, &nowhere));
    needed(cells, "tracking_number", number.is_some());
    let occurred = cells.time("event_at", Time::midnight());
    needed(cells, "event_at", occurred.is_some());
    let status = cells.status();
    needed(cells, "status", status.is_some());
    let (status, word) = status?;
    let mut details =
        ScanDetails { place: cells.text("location"), description: cells.text("description"), signed_by: None };
    let raw_code = match word {
        Some(_) => status,
        None => keep_apart(status, &mut details),
    };
    let scan = Scan {
        occurred: occurred?.time,
        sub_status: word.and_then(|it| it.parcel),
        raw_code,
        source_event_id: None,
        piece: None,
        details,
    };
    Some(EventRow { number: number?, scan })
}

/// Words that are not on our list may name anybody: they go where they can be erased, and a mark stays with the event.
fn keep_apart(words: String, details: &mut ScanDetails) -> String {
    let mark = format!("unknown {}", scan::mark_of(&words));
    details.description = Some(match details.description.take() {
        Some(description) => format!("{words}: {description}"),
        None => words,
    });
    mark
}

/// A cell without which the row is nothing: where it is blank, and no other fault of it says so, that is one.
fn needed(cells: &mut Cells<'_>, column: &str, found: bool) {
    if !found && !cells.errors.iter().any(|it| it.column.as_deref() == Some(column)) {
        cells.error(column, "missing_field", format!("{column} is blank, but an event is nothing without it."));
    }
}
