//! The first pass: what the whole file tells about each of its rows.

use super::columns::{self, Holds};
use super::dates::DateOrder;
use super::encoding::{Encoding, Guess};
use super::excel::{Sort, cleaned};
use super::fault::{Fault, FileRejected, SheetError};
use super::header::{self, Header, Places, Plan};
use super::kind::Kind;
use super::lines::{Lines, RawRecord};
use super::options::Options;
use super::presets::Recipe;
use super::records::is_footer;
use super::source;
use super::{amounts, dates::Evidence};
use crate::domain::carrier;
use crate::domain::tracking_number::{Column, Habits};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Cursor, Read};

/// What was found out about a file; [`super::records`] reads its rows by it.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What its rows are.
    pub kind: Kind,
    /// By which form the columns were read.
    pub preset: &'static str,
    /// How its characters are written.
    pub encoding: Encoding,
    /// What stands between its cells.
    pub delimiter: char,
    /// Every header with its canonical name, `None` where the column is not read.
    pub columns: Vec<(String, Option<&'static str>)>,
    /// About the file as a whole, with their lines.
    pub warnings: Vec<Fault>,
    /// Rows below the header; blank lines and footers are none.
    pub rows_total: u64,
    pub(super) header_line: u64,
    pub(super) sep_line: bool,
    pub(super) byte_order_mark: bool,
    pub(super) curly_quotes: bool,
    /// Where each column stands in the cells as they are read: those of the file, or what the recipe makes of them.
    pub(super) places: Places,
    pub(super) recipe: Option<Recipe>,
    pub(super) date_orders: HashMap<&'static str, DateOrder>,
    pub(super) decimal_marks: HashMap<&'static str, char>,
    /// What the seller's numbers have in common, those of this file included.
    pub(super) habits: Habits,
}

impl Survey {
    /// The one cell of the file that a column is read from.
    pub(super) fn place_in_file(&self, column: &str) -> Option<usize> {
        let Some(recipe) = &self.recipe else { return self.places.get(column).copied() };
        let part = recipe.parts.iter().find(|part| part.column == column)?;
        part.sources.first().copied().filter(|_| part.sources.len() == 1)
    }

    pub(super) fn is_unquoted(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| recipe.preset.is_unquoted())
    }
}

/// Reads a whole file once, as a stream, without judging its rows.
///
/// # Errors
///
/// [`SheetError::Rejected`] where no row of it can be read, with what to do about it.
pub fn survey<R: Read>(file: R, options: &Options) -> Result<Survey, SheetError> {
    let mut source = source::open(file, options)?;
    let head = source::head_of(&mut source.text)?;
    let known = |mut rejected: Box<FileRejected>| {
        rejected.encoding = Some(source.encoding);
        SheetError::Rejected(rejected)
    };
    let header = header::find(&head, source.encoding_of(&head), options).map_err(known)?;
    let mut plan = header.plan(options).map_err(known)?;
    plan.warnings.extend(source.warning);
    let mut lines =
        Lines::new(Cursor::new(head).chain(source.text), (header.delimiter, source.encoding), &options.limits);
    lines.set_unquoted(plan.is_unquoted());
    let mut tally = Tally::of(&plan, header.has_curly_quotes());
    let mut record = RawRecord::default();
    let mut read_all = |lines: &mut Lines<_>, tally: &mut Tally| -> Result<(), SheetError> {
        while lines.read(&mut record)? {
            if record.line > header.line {
                tally.see(&record);
            }
            if tally.rows > options.limits.rows {
                return Err(too_many_rows(record.line, options.limits.rows).into());
            }
        }
        Ok(())
    };
    if let Err(error) = read_all(&mut lines, &mut tally) {
        return Err(with_what_was_found(error, &header, plan, source.encoding));
    }
    let encoding = tally.encoding((source.encoding, source.byte_order_mark), &plan, options);
    Ok(tally.into_survey(&header, plan, options, (encoding, source.byte_order_mark)))
}

fn too_many_rows(line: u64, limit: u64) -> FileRejected {
    let detail = format!("The file has more than {limit} rows. Split it into several files.");
    FileRejected::because(vec![Fault::of_file(line, "too_many_rows", detail)])
}

fn with_what_was_found(error: SheetError, header: &Header, plan: Plan, encoding: Encoding) -> SheetError {
    match error {
        SheetError::Rejected(mut rejected) => {
            (rejected.columns, rejected.warnings) = (plan.columns, plan.warnings);
            (rejected.encoding, rejected.delimiter) = (Some(encoding), Some(char::from(header.delimiter)));
            SheetError::Rejected(rejected)
        }
        SheetError::Io(error) => SheetError::Io(error),
    }
}

/// What the rows add up to.
struct Tally {
    rows: u64,
    /// Rows that hold more than ASCII, by whether they are UTF-8.
    utf8: u64,
    not_utf8: u64,
    first_not_utf8: u64,
    older: Guess,
    curly_quotes: bool,
    columns_read: usize,
    times: Vec<(&'static str, usize, Evidence)>,
    decimals: Vec<(&'static str, usize, amounts::Evidence)>,
    number_place: Option<usize>,
    carrier_place: Option<usize>,
    numbers: Column,
    recipe: Option<Recipe>,
}

impl Tally {
    fn of(plan: &Plan, curly_quotes: bool) -> Self {
        let holding = |holds: Holds| {
            let here = columns::ALL.iter().filter(move |it| it.holds == holds);
            here.filter_map(|it| plan.places.get(it.name).map(|place| (it.name, *place))).collect::<Vec<_>>()
        };
        let times = holding(Holds::Time).into_iter().map(|(name, place)| (name, place, Evidence::default()));
        let decimals =
            holding(Holds::Decimal).into_iter().map(|(name, place)| (name, place, amounts::Evidence::default()));
        Self {
            rows: 0,
            utf8: 0,
            not_utf8: 0,
            first_not_utf8: 0,
            older: Guess::new(),
            curly_quotes,
            columns_read: plan.places.len(),
            times: times.collect(),
            decimals: decimals.collect(),
            number_place: plan.places.get("tracking_number").copied(),
            carrier_place: plan.places.get("carrier").copied(),
            numbers: Column::default(),
            recipe: plan.recipe.clone(),
        }
    }

    fn see(&mut self, record: &RawRecord) {
        if record.is_blank() {
            return;
        }
        let cells: Vec<&[u8]> = record.cells().collect();
        // Delimiters, digits and the words of footers are ASCII, so the encoding can wait.
        let raw = |place: usize| String::from_utf8_lossy(cells.get(place).copied().unwrap_or_default());
        if is_footer((0..cells.len()).map(raw), self.columns_read) {
            return;
        }
        let made = match &self.recipe {
            Some(recipe) => {
                let texts: Vec<Cow<'_, str>> = (0..cells.len()).map(raw).collect();
                let text = |place: usize| texts.get(place).map_or("", |it| it);
                if recipe.leaves_out(&text, self.rows == 0) {
                    return;
                }
                Some(recipe.cells(&text))
            }
            None => None,
        };
        let text = |place: usize| match &made {
            Some(made) => Cow::Borrowed(made.get(place).map_or("", |it| it)),
            None => raw(place),
        };
        self.rows += 1;
        if !record.bytes().is_ascii() && record.overlong.is_empty() {
            if std::str::from_utf8(record.bytes()).is_ok() {
                self.utf8 += 1;
            } else {
                self.not_utf8 += 1;
                self.older.see(record.bytes());
                self.first_not_utf8 = if self.not_utf8 == 1 { record.line } else { self.first_not_utf8 };
            }
        }
        let clean = |place: usize| cleaned(&text(place), Sort::Code, self.curly_quotes);
        for (_, place, evidence) in &mut self.times {
            evidence.see(&clean(*place));
        }
        for (_, place, evidence) in &mut self.decimals {
            evidence.see(&clean(*place));
        }
        if let Some(place) = self.number_place {
            let declared = self.carrier_place.and_then(|it| carrier::recognise(&clean(it)));
            self.numbers.see(&clean(place), declared.as_ref());
        }
    }

    /// A few broken rows among many good ones do not make a file Windows-1252: they are broken.
    fn is_utf8(&self) -> bool {
        self.not_utf8 == 0 || self.utf8 > 10 * self.not_utf8
    }

    /// What is told by a mark or by the caller, else UTF-8 where it is, else what the form is usually written in, else
    /// what the bytes look like.
    fn encoding(&self, (encoding, mark): (Encoding, bool), plan: &Plan, options: &Options) -> Encoding {
        if encoding != Encoding::Utf8 || mark || options.encoding.is_some() || self.is_utf8() {
            return encoding;
        }
        plan.usual_encoding().unwrap_or_else(|| self.older.settled())
    }

    fn into_survey(self, header: &Header, plan: Plan, options: &Options, (encoding, mark): (Encoding, bool)) -> Survey {
        let is_usual = options.encoding.is_some() || plan.usual_encoding().is_some();
        let mut warnings = plan.warnings;
        if let Encoding::Legacy(_) = encoding
            && !is_usual
        {
            let detail = format!(
                "The file is not UTF-8 (line {} is the first to show it) and was read as {}. Look at names with accents; if \
                 they are wrong, say in which encoding the file is, or export it as \"CSV UTF-8\".",
                self.first_not_utf8,
                encoding.name()
            );
            warnings.push(Fault::of_file(1, "encoding_guessed", detail));
        }
        if self.rows == 0 {
            let detail = "There is a header, but not one row below it.";
            warnings.push(Fault::of_file(header.line, "no_rows", detail));
        }
        let usual_order = plan.recipe.as_ref().and_then(|recipe| recipe.preset.date_order());
        let told_order = options.date_order.or(usual_order);
        let date_orders = self.times.iter().filter_map(|(name, _, seen)| Some((*name, seen.settled(told_order)?)));
        // A column that cannot tell goes with the others; a file that cannot tell goes with its delimiter.
        let all = self.decimals.iter().fold(amounts::Evidence::default(), |all, (_, _, seen)| all.with(*seen));
        let usual = if header.delimiter == b';' { ',' } else { '.' };
        let mark_of = |seen: &amounts::Evidence| seen.settled().or(all.settled()).unwrap_or(usual);
        let decimal_marks = self.decimals.iter().map(|(name, _, seen)| (*name, mark_of(seen)));
        Survey {
            kind: plan.kind,
            preset: plan.preset,
            encoding,
            delimiter: char::from(header.delimiter),
            columns: plan.columns,
            warnings,
            rows_total: self.rows,
            header_line: header.line,
            sep_line: header.sep_line,
            byte_order_mark: mark,
            curly_quotes: self.curly_quotes,
            places: plan.places,
            recipe: plan.recipe,
            date_orders: date_orders.collect(),
            decimal_marks: decimal_marks.collect(),
            habits: self.numbers.added_to(&options.known.habits),
        }
    }
}
