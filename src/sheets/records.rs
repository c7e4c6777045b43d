//! The second pass: row by row, each with what was read and what is wrong with it.

use super::cells::Cells;
use super::events;
use super::fault::{Fault, SheetError};
use super::kind::Kind;
use super::legs;
use super::lines::{Lines, RawRecord};
use super::options::Options;
use super::orders;
use super::source;
use super::survey::Survey;
use super::tracking;
use crate::domain::order::OrderRow;
use crate::domain::shipment::{CombinedRow, EventRow, LegRow, TrackingRow};
use std::io::Read;

/// One row of a sheet.
#[derive(Debug, Clone)]
pub struct Record {
    /// The physical line on which it starts, 1-based, the header included.
    pub line: u64,
    /// Canonical column and value as read; blank cells are left out. A time with an offset is shown in UTC besides.
    pub read: Vec<(&'static str, String)>,
    /// The cells as they stand in the file.
    pub cells: Vec<String>,
    /// `None` where there are errors.
    pub row: Option<Row>,
    /// Why the row cannot be taken.
    pub errors: Vec<Fault>,
    /// What is doubtful about it.
    pub warnings: Vec<Fault>,
}

/// A row that can be taken, by the kind of its sheet.
#[derive(Debug, Clone)]
pub enum Row {
    /// Of a sheet of orders.
    Order(Box<OrderRow>),
    /// Of a sheet of tracking numbers.
    Tracking(Box<TrackingRow>),
    /// Of a sheet of both.
    Combined(Box<CombinedRow>),
    /// Of a sheet of events.
    Event(Box<EventRow>),
    /// Of a sheet of legs.
    Leg(Box<LegRow>),
}

impl Row {
    /// Events name no order, and legs need not.
    pub fn order_number(&self) -> Option<&str> {
        match self {
            Self::Order(order) => Some(&order.order_number),
            Self::Tracking(tracking) => Some(&tracking.order_number),
            Self::Combined(both) => Some(&both.order.order_number),
            Self::Leg(leg) => leg.order_number.as_deref(),
            Self::Event(_) => None,
        }
    }

    /// What the row says about a parcel of an order.
    pub fn tracking(&self) -> Option<&TrackingRow> {
        match self {
            Self::Tracking(tracking) => Some(tracking),
            Self::Combined(both) => both.tracking.as_ref(),
            Self::Order(_) | Self::Event(_) | Self::Leg(_) => None,
        }
    }

    /// What the row says about an order itself.
    pub fn order(&self) -> Option<&OrderRow> {
        match self {
            Self::Order(order) => Some(order),
            Self::Combined(both) => Some(&both.order),
            Self::Tracking(_) | Self::Event(_) | Self::Leg(_) => None,
        }
    }
}

/// The rows of a file, one after the other.
pub struct Records<'a> {
    lines: Lines<Box<dyn Read + 'a>>,
    raw: RawRecord,
    survey: &'a Survey,
    options: &'a Options,
    ended: bool,
    is_first: bool,
}

/// Reads the rows of a file that was surveyed before, as a stream. Blank lines and footers are no rows.
///
/// # Errors
///
/// [`SheetError`] where the file cannot be opened; later ones come as items, and nothing comes after them.
pub fn records<'a, R: Read + 'a>(file: R, survey: &'a Survey, options: &'a Options) -> Result<Records<'a>, SheetError> {
    let source = source::open(file, options)?;
    let delimiter = u8::try_from(survey.delimiter).unwrap_or(b',');
    let mut lines = Lines::new(source.text, (delimiter, survey.encoding), &options.limits);
    lines.set_unquoted(survey.is_unquoted());
    Ok(Records { lines, raw: RawRecord::default(), survey, options, ended: false, is_first: true })
}

impl Iterator for Records<'_> {
    type Item = Result<Record, SheetError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.lines.read(&mut self.raw) {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
            }
            if self.ended || self.raw.line <= self.survey.header_line || self.raw.is_blank() {
                continue;
            }
            let cells: Vec<String> = self.raw.cells().map(|it| self.survey.encoding.text(it).into_owned()).collect();
            if is_footer(cells.iter(), self.survey.places.len()) || self.leaves_out(&cells) {
                continue;
            }
            self.is_first = false;
            return Some(Ok(self.judged(cells)));
        }
        None
    }
}

impl Records<'_> {
    fn leaves_out(&self, cells: &[String]) -> bool {
        let text = |place: usize| cells.get(place).map_or("", |it| it);
        self.survey.recipe.as_ref().is_some_and(|recipe| recipe.leaves_out(&text, self.is_first))
    }

    fn judged(&self, raw: Vec<String>) -> Record {
        let made = self.survey.recipe.as_ref().map(|recipe| {
            let text = |place: usize| raw.get(place).map_or("", |it| it);
            (recipe.cells(&text), recipe.overlong(&self.raw.overlong))
        });
        let (fields, overlong) = made.as_ref().map_or((&raw, &self.raw.overlong), |(made, long)| (made, long));
        let mut cells = Cells::new(self.survey, self.options, (&raw, fields), overlong);
        cells.compare_with_header();
        let row = match self.survey.kind {
            Kind::Orders => orders::read(&mut cells).map(|it| Row::Order(Box::new(it))),
            Kind::Tracking => tracking::read(&mut cells).map(|it| Row::Tracking(Box::new(it))),
            Kind::Combined => tracking::read_combined(&mut cells).map(|it| Row::Combined(Box::new(it))),
            Kind::Events => events::read(&mut cells).map(|it| Row::Event(Box::new(it))),
            Kind::Legs => legs::read(&mut cells).map(|it| Row::Leg(Box::new(it))),
        };
        let Cells { read, errors, warnings, .. } = cells;
        let row = row.filter(|_| errors.is_empty());
        Record { line: self.raw.line, read, cells: raw, row, errors, warnings }
    }
}

/// Whether a line stands below the table instead of in it: a count of records, a total, a word on the export.
pub(super) fn is_footer<T: AsRef<str>>(cells: impl Iterator<Item = T>, columns: usize) -> bool {
    const OPENINGS: [&str; 8] = [
        "seller id",
        "record(s) downloaded",
        "records downloaded",
        "total records",
        "end of report",
        "end of file",
        "report generated",
        "generated on",
    ];
    const TOTALS: [&str; 8] = ["total", "totals", "grand total", "subtotal", "sum", "summe", "gesamt", "total:"];
    let (mut filled, mut opens, mut sums) = (0, false, false);
    for cell in cells {
        let cell = cell.as_ref().trim();
        if cell.is_empty() {
            continue;
        }
        filled += 1;
        if filled <= 2 && cell.len() < 200 {
            let word = cell.to_lowercase();
            opens |= OPENINGS.iter().any(|it| word.starts_with(it));
            sums |= filled == 1 && TOTALS.contains(&word.as_str());
        }
    }
    let mostly_blank = filled * 2 <= columns || filled <= 2;
    (opens || sums) && mostly_blank
}
