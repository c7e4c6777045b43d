//! The cells of one row, taken by canonical name, and the faults found on the way.

use super::excel::{self, Sort, cleaned};
use super::fault::Fault;
use super::options::Options;
use super::survey::Survey;

/// How long an order number may be.
pub(super) const ORDER_NUMBER_CHARS: usize = 128;
/// How long words for people may be.
pub(super) const TEXT_CHARS: usize = 1_000;

/// One row on its way to be read.
pub(super) struct Cells<'a> {
    pub(super) survey: &'a Survey,
    pub(super) options: &'a Options,
    /// As they stand in the file.
    pub(super) raw: &'a [String],
    /// As our own form has them.
    fields: &'a [String],
    overlong: &'a [(usize, usize)],
    pub(super) read: Vec<(&'static str, String)>,
    pub(super) errors: Vec<Fault>,
    pub(super) warnings: Vec<Fault>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(
        survey: &'a Survey,
        options: &'a Options,
        (raw, fields): (&'a [String], &'a [String]),
        overlong: &'a [(usize, usize)],
    ) -> Self {
        Self { survey, options, raw, fields, overlong, read: Vec::new(), errors: Vec::new(), warnings: Vec::new() }
    }

    /// A row that is longer than its header has moved cells; a shorter one lacks its last.
    pub(super) fn compare_with_header(&mut self) {
        let width = self.survey.columns.len();
        let surplus = self.raw.iter().skip(width).filter(|it| !it.trim().is_empty()).count();
        if surplus > 0 {
            let detail = format!(
                "The row has {surplus} more filled cells than the header has columns ({width}). A cell that holds a `{}` must \
                 stand in quotation marks.",
                self.survey.delimiter
            );
            self.errors.push(Fault::of_row("too_many_fields", detail));
        }
        let required = self.survey.kind.required();
        for (_, name) in self.survey.columns.iter().skip(self.raw.len()) {
            if let Some(name) = name.filter(|it| !required.contains(it)) {
                self.warn(name, "missing_field", format!("The row ends before {name}, which was taken as blank."));
            }
        }
    }

    pub(super) fn error(&mut self, column: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(Fault::of_cell(column, code, detail));
    }

    pub(super) fn warn(&mut self, column: &str, code: &str, detail: impl Into<String>) {
        self.warnings.push(Fault::of_cell(column, code, detail));
    }

    pub(super) fn note(&mut self, column: &'static str, value: impl Into<String>) {
        self.read.push((column, value.into()));
    }

    /// Whether the sheet has this column, and this row reaches it.
    pub(super) fn reaches(&self, column: &str) -> bool {
        self.survey.places.get(column).is_some_and(|place| *place < self.fields.len())
    }

    /// The cleaned cell; `None` where it is blank or past using, which is then a fault.
    pub(super) fn take(&mut self, column: &'static str, sort: Sort) -> Option<String> {
        let place = *self.survey.places.get(column)?;
        let text = cleaned(self.fields.get(place)?, sort, self.survey.curly_quotes);
        if text.is_empty() {
            return None;
        }
        if let Some((_, bytes)) = self.overlong.iter().find(|(it, _)| *it == place) {
            let beginning: String = text.chars().take(60).collect();
            let kilobytes = self.options.limits.cell_bytes / 1024;
            let detail =
                format!("The cell holds {bytes} bytes; {kilobytes} kB is the most. A quotation mark may be missing.");
            return self.unusable(column, format!("{beginning}…"), "too_long", detail);
        }
        if let Some(found) = excel::control_character(&text) {
            let shown = text.chars().filter(|c| !c.is_control()).collect();
            let detail = format!("The cell holds {found}, which cannot be stored. Type the value again.");
            return self.unusable(column, shown, "control_character", detail);
        }
        if text.contains('\u{fffd}') {
            let detail = "A character of this cell was lost when the file was made. Type the value again, and save as \"CSV UTF-8\".";
            return self.unusable(column, text, "lost_character", detail.to_owned());
        }
        if excel::is_error_value(&text) {
            let detail = if text.starts_with("##") {
                "The spreadsheet column was too narrow to show the value, and `####` was saved instead. Widen the column and \
                 export again."
            } else {
                "The spreadsheet could not work out this cell and wrote an error instead. Put the value itself there."
            };
            return self.unusable(column, text, "spreadsheet_error", detail.to_owned());
        }
        if sort == Sort::Code && text.starts_with('=') {
            let detail = format!("`{text}` is a formula, not its result. Paste the value in its place.");
            return self.unusable(column, text, "formula", detail);
        }
        Some(text)
    }

    fn unusable(&mut self, column: &'static str, shown: String, code: &str, detail: String) -> Option<String> {
        self.note(column, shown);
        self.error(column, code, detail);
        None
    }

    /// A cell that a placeholder leaves blank, with a warning.
    pub(super) fn take_unless_placeholder(&mut self, column: &'static str) -> Option<String> {
        let text = self.take(column, Sort::Code)?;
        if excel::is_placeholder(&text) {
            self.warn(column, "placeholder_value", format!("`{text}` stands for no value and was taken as blank."));
            return None;
        }
        Some(text)
    }

    /// Words for people.
    pub(super) fn text(&mut self, column: &'static str) -> Option<String> {
        let text = self.take(column, Sort::Prose)?;
        let text = self.within(column, text, TEXT_CHARS)?;
        if let Some(repair) = excel::before_mojibake(&text) {
            let detail = format!("`{text}` looks like `{repair}` read in the wrong encoding. It was kept as it is.");
            self.warnings.push(Fault::of_cell(column, "suspected_mojibake", detail).with_repair(Some(repair)));
        }
        self.note(column, text.clone());
        Some(text)
    }

    /// A number or code that is text: zeros in front and signs count.
    pub(super) fn identity(&mut self, column: &'static str, chars: usize) -> Option<String> {
        let text = self.take(column, Sort::Code)?;
        let text = self.within(column, text, chars)?;
        if excel::is_scientific(&text) {
            let detail = format!(
                "The spreadsheet shortened this number to `{text}`, and its last digits are lost. Format the column as text, \
                 and paste the number again from where it came."
            );
            return self.unusable(column, text, "scientific_notation", detail);
        }
        self.note(column, text.clone());
        Some(text)
    }

    /// A cell without which the row is nothing.
    pub(super) fn required(&mut self, column: &'static str, chars: usize) -> Option<String> {
        let faults = self.errors.len();
        let text = self.identity(column, chars);
        match &text {
            Some(text) if excel::is_placeholder(text) => {
                self.error(
                    column,
                    "placeholder_value",
                    format!("`{text}` stands for no value, but {column} is needed."),
                );
            }
            None if self.errors.len() == faults => {
                self.error(column, "missing_field", format!("{column} is blank, but it is needed."));
            }
            Some(_) | None => {}
        }
        text
    }

    /// A cell that is only shown, not kept.
    pub(super) fn show(&mut self, column: &'static str) {
        let place = self.survey.places.get(column).copied();
        if let Some(cell) = place.and_then(|place| self.fields.get(place)) {
            let text = cleaned(cell, Sort::Prose, self.survey.curly_quotes);
            if !text.is_empty() && excel::control_character(&text).is_none() {
                self.note(column, text.chars().take(TEXT_CHARS).collect::<String>());
            }
        }
    }

    fn within(&mut self, column: &'static str, text: String, chars: usize) -> Option<String> {
        let long = text.chars().count();
        if long <= chars {
            return Some(text);
        }
        let beginning: String = text.chars().take(60).collect();
        let detail = format!("The cell holds {long} characters; {chars} is the most. Shorten it.");
        self.unusable(column, format!("{beginning}…"), "too_long", detail)
    }
}
