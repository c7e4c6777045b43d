//! Where the table begins: the delimiter, the header under its preamble, and which column is which.

use super::columns;
use super::fault::{Fault, FileRejected};
use super::kind::Kind;
use super::lines::{Lines, RawRecord};
use super::options::Options;
use super::source::{Encoding, empty_file};
use std::collections::HashMap;

/// How many filled lines are looked at for a header.
const LINES_LOOKED_AT: usize = 30;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A header and where it was found.
pub(super) struct Header {
    pub(super) line: u64,
    pub(super) delimiter: u8,
    /// Whether a `sep=;` line opens the file.
    pub(super) sep_line: bool,
    pub(super) cells: Vec<String>,
    /// The first filled line above the header that is no `sep=` line.
    pub(super) preamble_line: Option<u64>,
}

/// The columns that are read, by canonical name.
pub(super) type Places = HashMap<&'static str, usize>;

/// Finds the header in the beginning of a file: under any delimiter, the line that names the most columns.
pub(super) fn find(head: &[u8], options: &Options) -> Result<Header, Box<FileRejected>> {
    let told = sep_line(head);
    let delimiters = told.as_ref().map_or(&DELIMITERS[..], std::slice::from_ref);
    let kinds = options.kind.as_ref().map_or(&Kind::ALL[..], std::slice::from_ref);
    let mut best: Option<((usize, usize), Header)> = None;
    for delimiter in delimiters {
        let records = first_records(head, *delimiter, options, told.is_some());
        let first_line = records.first().map(|(line, _)| *line);
        for (line, cells) in records {
            let preamble_line = first_line.filter(|first| *first < line);
            let score = kinds.iter().map(|kind| columns_named(&cells, *kind)).max().unwrap_or(0);
            // A line without a name we know is told back only where it is the first.
            let width = if score > 0 || preamble_line.is_none() { cells.len() } else { 0 };
            if best.as_ref().is_none_or(|(most, _)| (score, width) > *most) {
                let header = Header { line, delimiter: *delimiter, sep_line: told.is_some(), cells, preamble_line };
                best = Some(((score, width), header));
            }
        }
    }
    match best {
        None => Err(Box::new(FileRejected::because(vec![empty_file()]))),
        Some(((0, _), header)) => Err(Box::new(not_recognised(&header, options.kind.unwrap_or(Kind::Orders)))),
        Some((_, header)) => Ok(header),
    }
}

/// `sep=;` as Excel reads and writes it.
fn sep_line(head: &[u8]) -> Option<u8> {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let line = line.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\"")).unwrap_or(line);
    let (name, delimiter) = line.split_at_checked(4)?;
    match delimiter {
        [delimiter] if name.eq_ignore_ascii_case(b"sep=") => Some(*delimiter),
        _ => None,
    }
}

fn first_records(head: &[u8], delimiter: u8, options: &Options, skip_first: bool) -> Vec<(u64, Vec<String>)> {
    let mut lines = Lines::new(head, delimiter, &options.limits);
    let (mut record, mut found) = (RawRecord::default(), Vec::new());
    // A quote that stands open at the end of the head may well be closed behind it.
    while found.len() < LINES_LOOKED_AT && lines.read(&mut record).unwrap_or(false) {
        let is_sep_line = skip_first && record.line == 1;
        if !record.is_blank() && !is_sep_line {
            found.push((record.line, record.cells().map(header_text).collect()));
        }
    }
    found
}

/// A header may be read before the encoding of the whole file is known.
fn header_text(cell: &[u8]) -> String {
    let encoding = if std::str::from_utf8(cell).is_ok() { Encoding::Utf8 } else { Encoding::Windows1252 };
    let text = encoding.text(cell).replace(char::is_control, " ");
    text.trim_matches(|c: char| c.is_whitespace() || super::lines::is_invisible(c)).to_owned()
}

fn columns_named(cells: &[String], kind: Kind) -> usize {
    let mut names: Vec<&str> = cells.iter().filter_map(|cell| columns::named(cell, kind)).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn not_recognised(header: &Header, kind: Kind) -> FileRejected {
    let detail = format!(
        "No header was found. {} A sheet of {kind} needs the columns {}. Put their names into the first line, or take our \
         template.",
        header.told(kind),
        kind.required().join(", ")
    );
    let mut rejected = FileRejected::because(vec![Fault::of_file(header.line, "header_not_recognised", detail)]);
    rejected.delimiter = Some(char::from(header.delimiter));
    rejected
}

/// Which column is which, and what there is to say about it.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) columns: Vec<(String, Option<&'static str>)>,
    pub(super) places: Places,
    pub(super) warnings: Vec<Fault>,
}

impl Header {
    /// Gives every column its meaning.
    ///
    /// # Errors
    ///
    /// Missing and doubled columns, all of them at once.
    pub(super) fn plan(&self, options: &Options) -> Result<Plan, Box<FileRejected>> {
        let Some(kind) = options.kind.or_else(|| Kind::of_header(&self.cells)) else {
            return Err(Box::new(not_recognised(self, Kind::Orders)));
        };
        let mut errors = Vec::new();
        if self.cells.len() > options.limits.columns {
            let detail = format!(
                "The sheet has more than {} columns. Delete those that are not needed.",
                options.limits.columns
            );
            errors.push(Fault::of_file(self.line, "too_many_columns", detail));
        }
        let mut plan = Plan { kind, columns: Vec::new(), places: Places::new(), warnings: self.warnings() };
        let mut taken: HashMap<&'static str, (usize, usize)> = HashMap::new();
        for (place, cell) in self.cells.iter().enumerate() {
            let named = columns::ranked(cell, kind).map(|(column, rank)| (column.name, rank));
            plan.columns.push((cell.clone(), named.map(|(name, _)| name)));
            let Some((name, rank)) = named else { continue };
            match taken.get(name).copied() {
                Some((_, other)) if other == rank => errors.push(self.doubled(name, cell)),
                Some((other_place, other)) => {
                    let left = if rank < other { other_place } else { place };
                    plan.warnings.push(self.left_aside(name, left, if rank < other { place } else { other_place }));
                    plan.columns.iter_mut().skip(left).take(1).for_each(|it| it.1 = None);
                    taken.insert(name, if rank < other { (place, rank) } else { (other_place, other) });
                }
                None => {
                    taken.insert(name, (place, rank));
                }
            }
        }
        plan.places = taken.into_iter().map(|(name, (place, _))| (name, place)).collect();
        errors.extend(self.missing(kind, &plan.places));
        if errors.is_empty() {
            return Ok(plan);
        }
        let mut rejected = FileRejected::because(errors);
        (rejected.columns, rejected.warnings) = (plan.columns, plan.warnings);
        rejected.delimiter = Some(char::from(self.delimiter));
        Err(Box::new(rejected))
    }

    /// What the line holds. Its cells are quoted only where two of them name columns, since a line of data may name people,
    /// and this sentence is kept.
    fn told(&self, kind: Kind) -> String {
        let filled: Vec<&str> = self.cells.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        if columns_named(&self.cells, kind) < 2 {
            return format!("Line {} has {} cells, which are no names of columns.", self.line, filled.len());
        }
        let quoted: Vec<&str> = filled.into_iter().take(20).collect();
        format!("Line {} holds: {}.", self.line, quoted.join(", "))
    }

    /// Whether curly quotes stand where quotation marks belong.
    pub(super) fn has_curly_quotes(&self) -> bool {
        self.cells.iter().any(|cell| cell.starts_with(columns::is_curly) && cell.ends_with(columns::is_curly))
    }

    fn warnings(&self) -> Vec<Fault> {
        let mut warnings = Vec::new();
        if let Some(line) = self.preamble_line {
            let detail = format!("The lines above the header on line {} were skipped.", self.line);
            warnings.push(Fault::of_file(line, "preamble_skipped", detail));
        }
        if self.has_curly_quotes() {
            let detail = "The cells stand in curly quotation marks, as word processors write them; these were taken off. \
                          Export the file straight from the shop or the spreadsheet.";
            warnings.push(Fault::of_file(self.line, "smart_quotes_stripped", detail));
        }
        warnings
    }

    fn doubled(&self, name: &str, cell: &str) -> Fault {
        let detail =
            format!("Two columns are headed `{cell}`, and both would be read as {name}. Delete or rename one of them.");
        Fault::of_file(self.line, "duplicate_header", detail).in_column(name)
    }

    fn left_aside(&self, name: &str, left: usize, kept: usize) -> Fault {
        let header = |place: usize| self.cells.get(place).map(String::as_str).unwrap_or_default();
        let detail = format!(
            "`{}` and `{}` both mean {name}; `{}` was read and the other left aside. Delete or rename one of them if that is wrong.",
            header(kept),
            header(left),
            header(kept)
        );
        Fault::of_file(self.line, "column_left_aside", detail).in_column(name)
    }

    fn missing(&self, kind: Kind, places: &Places) -> Vec<Fault> {
        let missing: Vec<&str> = kind.required().iter().copied().filter(|name| !places.contains_key(name)).collect();
        let fault = |name: &&str| {
            let detail = format!(
                "A sheet of {kind} needs the column {name}, which is not there. {} Add it, or give the column that holds it \
                 this name.",
                self.told(kind)
            );
            Fault::of_file(self.line, "missing_column", detail).in_column(name)
        };
        missing.iter().map(fault).collect()
    }
}
