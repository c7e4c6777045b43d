//! The repaired file: rejected rows in the seller's own columns, with what is wrong and what can be proved.

use super::fault::Fault;
use super::records::Record;
use super::survey::Survey;
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes rejected rows in the seller's own columns and dialect, with the columns `problem` and `suggestion` behind.
pub struct RepairedWriter<'a, W: Write> {
    out: csv::Writer<W>,
    survey: &'a Survey,
}

impl<'a, W: Write> RepairedWriter<'a, W> {
    /// Opens the file with its header. A byte order mark goes in front where the seller's file was not plain UTF-8, so
    /// that a spreadsheet reads the file as UTF-8.
    ///
    /// # Errors
    ///
    /// Whatever writing gives.
    pub fn new(mut out: W, survey: &'a Survey) -> io::Result<Self> {
        if survey.byte_order_mark || survey.encoding != super::Encoding::Utf8 {
            out.write_all("\u{feff}".as_bytes())?;
        }
        if survey.sep_line {
            write!(out, "sep={}\r\n", survey.delimiter)?;
        }
        let delimiter = u8::try_from(survey.delimiter).unwrap_or(b',');
        let mut builder = csv::WriterBuilder::new();
        let out = builder.delimiter(delimiter).terminator(csv::Terminator::CRLF).flexible(true).from_writer(out);
        let mut writer = Self { out, survey };
        let headers = survey.columns.iter().map(|(header, _)| header.as_str());
        writer.row(headers.chain(["problem", "suggestion"]))?;
        Ok(writer)
    }

    /// Writes one row. Cells with a proved repair hold it, and the suggestion says so.
    ///
    /// # Errors
    ///
    /// Whatever writing gives.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let width = self.survey.columns.len().max(record.cells.len());
        let mut cells: Vec<&str> = record.cells.iter().map(String::as_str).collect();
        cells.resize(width, "");
        let mut suggestions = Vec::new();
        for fault in record.errors.iter().chain(&record.warnings) {
            let place = fault.column.as_deref().and_then(|column| self.survey.place_in_file(column));
            let (Some(place), Some(repair)) = (place, &fault.repair) else { continue };
            if let (Some(cell), Some(column)) = (cells.get_mut(place), &fault.column) {
                suggestions.push(format!("{column}: filled in {repair} instead of {}.", cell.trim()));
                *cell = repair;
            }
        }
        let problem = |fault: &Fault| match &fault.column {
            Some(column) => format!("{column}: {}", fault.detail),
            None => fault.detail.clone(),
        };
        let problems: Vec<String> = record.errors.iter().map(problem).collect();
        let (problems, suggestions) = (problems.join(" "), suggestions.join(" "));
        self.row(cells.into_iter().chain([problems.as_str(), suggestions.as_str()]))
    }

    /// Writes out what is still held back.
    ///
    /// # Errors
    ///
    /// Whatever writing gives.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn row<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
        for cell in cells {
            self.out.write_field(harmless(cell).as_bytes()).map_err(io_error)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(io_error)
    }
}

fn io_error(error: csv::Error) -> io::Error {
    if error.is_io_error()
        && let csv::ErrorKind::Io(error) = error.into_kind()
    {
        return error;
    }
    io::Error::other("the repaired file could not be written")
}

/// A cell that no spreadsheet takes for a formula: an apostrophe goes before `=`, `+`, `-`, `@`, TAB, CR and LF, unless
/// the cell is a plain number.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let dangerous =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if dangerous && !is_plain_number(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

fn is_plain_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-5.00", "-5.00"),
            ("+49", "+49"),
            ("+49 30 1", "'+49 30 1"),
            ("-2+3", "'-2+3"),
            ("\tx", "'\tx"),
            ("plain", "plain"),
        ] {
            assert_eq!(harmless(cell), expected, "{cell}");
        }
    }
}
