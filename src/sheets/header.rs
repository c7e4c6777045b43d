//! Where the table begins: the delimiter, the header under its preamble, and which column is which.

use super::columns;
use super::encoding::Encoding;
use super::fault::{Fault, FileRejected};
use super::kind::Kind;
use super::lines::{Lines, RawRecord};
use super::options::Options;
use super::presets::{self, Fit, Preset, Recipe};
use super::source::empty_file;
use std::borrow::Cow;
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
    /// What each cell is compared by: the caller's name for it, else itself, folded.
    names: Vec<String>,
    /// The first filled line above the header that is no `sep=` line.
    pub(super) preamble_line: Option<u64>,
}

/// The columns that are read, by canonical name.
pub(super) type Places = HashMap<&'static str, usize>;

/// Finds the header in the beginning of a file: under any delimiter, the line that names the most columns.
pub(super) fn find(head: &[u8], encoding: Encoding, options: &Options) -> Result<Header, Box<FileRejected>> {
    let told = sep_line(head);
    let named = named_preset(options)?;
    let delimiters = told.as_ref().map_or(&DELIMITERS[..], std::slice::from_ref);
    let kinds = options.kind.as_ref().map_or(&Kind::ALL[..], std::slice::from_ref);
    let mut best: Option<((usize, usize), Header)> = None;
    for delimiter in delimiters {
        let records = first_records(head, (*delimiter, encoding), options, told.is_some());
        let first_line = records.first().map(|(line, _)| *line);
        for (line, cells) in records {
            let preamble_line = first_line.filter(|first| *first < line);
            let folded = names_of(&cells, options);
            let own = kinds.iter().map(|kind| columns_named(&folded, *kind)).max().unwrap_or(0);
            let score = own.max(presets::headers_known(&folded, named));
            // A line without a name we know is told back only where it is the first.
            let width = if score > 0 || preamble_line.is_none() { cells.len() } else { 0 };
            if best.as_ref().is_none_or(|(most, _)| (score, width) > *most) {
                let header = Header {
                    line,
                    delimiter: *delimiter,
                    sep_line: told.is_some(),
                    cells,
                    names: folded,
                    preamble_line,
                };
                best = Some(((score, width), header));
            }
        }
    }
    match best {
        None => Err(Box::new(FileRejected::because(vec![empty_file()]))),
        Some(((0, _), header)) => header
            .of_two_numbers(options)
            .ok_or_else(|| Box::new(not_recognised(&header, options.kind.unwrap_or(Kind::Orders)))),
        Some((_, header)) => Ok(header),
    }
}

/// The form that the caller names; our own is none of the table.
fn named_preset(options: &Options) -> Result<Option<&'static Preset>, Box<FileRejected>> {
    let Some(id) = options.preset.as_deref().filter(|id| *id != presets::CANONICAL) else { return Ok(None) };
    let unknown = || {
        let system = id.split('/').next().unwrap_or_default();
        let near: Vec<&str> =
            presets::all().iter().map(|it| it.id.as_str()).filter(|it| it.starts_with(system)).collect();
        let near =
            if near.is_empty() { "canonical, shopify/orders, amazon/unshipped".to_owned() } else { near.join(", ") };
        let detail = format!("`{id}` is no preset that we know; there are {near}, and more under /v1/presets.");
        Box::new(FileRejected::because(vec![Fault::of_file(1, "unknown_preset", detail)]))
    };
    presets::named(id).map(Some).ok_or_else(unknown)
}

fn names_of(cells: &[String], options: &Options) -> Vec<String> {
    let told = |cell: &String| {
        let told = options.mapping.iter().find(|(header, _)| columns::folded(header) == columns::folded(cell));
        told.map_or_else(|| columns::folded(cell), |(_, canonical)| columns::folded(canonical))
    };
    cells.iter().map(told).collect()
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

fn first_records(
    head: &[u8],
    (delimiter, encoding): (u8, Encoding),
    options: &Options,
    skip_first: bool,
) -> Vec<(u64, Vec<String>)> {
    let mut lines = Lines::new(head, (delimiter, encoding), &options.limits);
    let (mut record, mut found) = (RawRecord::default(), Vec::new());
    // A quote that stands open at the end of the head may well be closed behind it.
    while found.len() < LINES_LOOKED_AT && lines.read(&mut record).unwrap_or(false) {
        let is_sep_line = skip_first && record.line == 1;
        if !record.is_blank() && !is_sep_line {
            found.push((record.line, record.cells().map(|cell| header_text(cell, encoding)).collect()));
        }
    }
    found
}

/// A header is read before it is known whether the whole file is UTF-8.
fn header_text(cell: &[u8], older: Encoding) -> String {
    let text = std::str::from_utf8(cell).map_or_else(|_older| older.text(cell), Cow::Borrowed);
    let text = text.replace(char::is_control, " ");
    text.trim_matches(|c: char| c.is_whitespace() || super::lines::is_invisible(c)).to_owned()
}

fn columns_named(cells: &[String], kind: Kind) -> usize {
    let mut names: Vec<&str> = cells.iter().filter_map(|cell| columns::named(cell, kind)).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

/// Whether a cell may be a tracking number: nothing but letters and digits, most of them digits.
fn may_be_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() >= 8 && digits * 2 >= text.len() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
    /// The form by which the columns are read.
    pub(super) preset: &'static str,
    /// How the form's cells become ours; `None` where they are.
    pub(super) recipe: Option<Recipe>,
    pub(super) columns: Vec<(String, Option<&'static str>)>,
    pub(super) places: Places,
    pub(super) warnings: Vec<Fault>,
}

impl Plan {
    pub(super) fn is_unquoted(&self) -> bool {
        self.recipe.as_ref().is_some_and(|recipe| recipe.preset.is_unquoted())
    }

    /// What files of this form are written in where they are not UTF-8.
    pub(super) fn usual_encoding(&self) -> Option<Encoding> {
        self.recipe.as_ref().and_then(|recipe| recipe.preset.encoding.as_deref()?.parse().ok())
    }
}

impl Header {
    /// Gives every column its meaning.
    ///
    /// # Errors
    ///
    /// Missing and doubled columns, all of them at once.
    pub(super) fn plan(&self, options: &Options) -> Result<Plan, Box<FileRejected>> {
        let mut errors = self.faults_of_mapping(options);
        if self.cells.len() > options.limits.columns {
            let detail = format!(
                "The sheet has more than {} columns. Delete those that are not needed.",
                options.limits.columns
            );
            errors.push(Fault::of_file(self.line, "too_many_columns", detail));
        }
        let plan = match self.preset(options)? {
            Some(preset) => self.plan_by(preset, options),
            None => self.own_plan(options, &mut errors)?,
        };
        errors.extend(self.missing(&plan));
        if errors.is_empty() {
            return Ok(plan);
        }
        let mut rejected = FileRejected::because(errors);
        (rejected.columns, rejected.warnings) = (plan.columns, plan.warnings);
        rejected.delimiter = Some(char::from(self.delimiter));
        Err(Box::new(rejected))
    }

    /// The form of the file, where it is not our own: the one that is named, else one that knows more of the header.
    fn preset(&self, options: &Options) -> Result<Option<&'static Preset>, Box<FileRejected>> {
        if options.preset.is_some() || self.line == 0 {
            let named = named_preset(options)?;
            return Ok(named.or_else(|| presets::named(presets::HEADERLESS).filter(|_| self.line == 0)));
        }
        let Some(Fit { preset, covered, is_exact }) = presets::best_fit(&self.names, options.kind) else {
            return Ok(None);
        };
        let kind = options.kind.or_else(|| Kind::of_header(&self.names));
        let own = kind.map_or(0, |kind| columns_named(&self.names, kind));
        let filled = self.names.iter().filter(|name| !name.is_empty()).count();
        let is_ours = kind
            .is_some_and(|kind| self.names.iter().all(|name| columns::ranked(name, kind).is_some_and(|it| it.1 == 0)));
        let serves = options.kind.is_none_or(|kind| preset.serves(kind));
        let fits_better = if own == filled { is_exact && !is_ours } else { covered > own };
        Ok(Some(preset).filter(|_| serves && fits_better))
    }

    fn plan_by(&self, preset: &'static Preset, options: &Options) -> Plan {
        let mut kind = options.kind.unwrap_or_else(|| preset.kind());
        let mut recipe = preset.recipe(&self.names, kind);
        // Nothing was shipped yet.
        if options.kind.is_none() && kind == Kind::Combined && !recipe.feeds("tracking_number") {
            kind = Kind::Orders;
            recipe = preset.recipe(&self.names, kind);
        }
        if self.line == 0 {
            recipe.feed("order_number", 0);
            recipe.feed("tracking_number", 1);
        }
        let told = options.mapping.iter().filter_map(|(header, canonical)| {
            let place = self.cells.iter().position(|cell| columns::folded(cell) == columns::folded(header))?;
            columns::ALL.iter().find(|it| it.name == canonical && it.is_in(kind)).map(|column| (column.name, place))
        });
        told.for_each(|(column, place)| recipe.feed(column, place));
        let read_as =
            |place: usize| recipe.parts.iter().find(|part| part.sources.contains(&place)).map(|part| part.column);
        let columns = self.cells.iter().enumerate().map(|(place, cell)| (cell.clone(), read_as(place))).collect();
        let places = recipe.places();
        Plan { kind, preset: &preset.id, columns, places, warnings: self.warnings(), recipe: Some(recipe) }
    }

    fn own_plan(&self, options: &Options, errors: &mut Vec<Fault>) -> Result<Plan, Box<FileRejected>> {
        let Some(kind) = options.kind.or_else(|| Kind::of_header(&self.names)) else {
            return Err(Box::new(not_recognised(self, Kind::Orders)));
        };
        let mut plan = Plan {
            kind,
            preset: presets::CANONICAL,
            recipe: None,
            columns: Vec::new(),
            places: Places::new(),
            warnings: self.warnings(),
        };
        let mut taken: HashMap<&'static str, (usize, usize)> = HashMap::new();
        for (place, (cell, name)) in self.cells.iter().zip(&self.names).enumerate() {
            let named = columns::ranked(name, kind).map(|(column, rank)| (column.name, rank));
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
        Ok(plan)
    }

    /// What is wrong with the caller's map of columns.
    fn faults_of_mapping(&self, options: &Options) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (header, canonical) in &options.mapping {
            if columns::ALL.iter().all(|column| column.name != canonical) {
                let detail =
                    format!("`{canonical}` in your map is no column of ours; write a name such as order_number.");
                faults.push(Fault::of_file(self.line, "unknown_column", detail).in_column(canonical));
            } else if self.cells.iter().all(|cell| columns::folded(cell) != columns::folded(header)) {
                let detail = format!(
                    "Your map reads `{header}` as {canonical}, but the file has no such header. {}",
                    self.told(options.kind.unwrap_or(Kind::Orders))
                );
                faults.push(Fault::of_file(self.line, "missing_column", detail).in_column(canonical));
            }
        }
        faults
    }

    /// The same first line as data: an order number and a tracking number, and nothing above them.
    fn of_two_numbers(&self, options: &Options) -> Option<Self> {
        let named = options.preset.as_deref();
        let [order, number] = self.cells.as_slice() else { return None };
        let is_told = named == Some(presets::HEADERLESS);
        let is_plain =
            named.is_none() && self.preamble_line.is_none() && options.kind.is_none_or(|it| it == Kind::Tracking);
        let looks_so = !order.is_empty() && !order.contains(' ') && may_be_number(number);
        (is_told || (is_plain && looks_so)).then(|| Self {
            line: 0,
            delimiter: self.delimiter,
            sep_line: self.sep_line,
            cells: vec!["order_number".to_owned(), "tracking_number".to_owned()],
            names: vec!["order number".to_owned(), "tracking number".to_owned()],
            preamble_line: None,
        })
    }

    /// What the line holds. Its cells are quoted only where two of them name columns, since a line of data may name people,
    /// and this sentence is kept.
    fn told(&self, kind: Kind) -> String {
        let filled: Vec<&str> = self.cells.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        if columns_named(&self.names, kind) < 2 && presets::headers_known(&self.names, None) < 2 {
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

    fn missing(&self, plan: &Plan) -> Vec<Fault> {
        let kind = plan.kind;
        let missing = kind.required().iter().copied().filter(|name| !plan.places.contains_key(name));
        let missing: Vec<&str> = missing.collect();
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
