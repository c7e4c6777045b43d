//! Excel workbooks: the first sheet that is shown, as the text of a CSV file, a line a row.

mod bounds;

use super::fault::{Fault, Refusal};
use super::options::Limits;
use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use zip::result::ZipError;

/// Above this, Excel has no digits left to keep all of a number.
const DIGITS_ARE_GONE: f64 = 1e15;

/// The text of a workbook, and what there is to say about it.
pub(super) struct Workbook {
    pub(super) text: BufReader<File>,
    pub(super) warning: Option<Fault>,
}

/// Whether this is the beginning of a ZIP archive, as workbooks are.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Reads a workbook, by way of two temporary files without a name: what is packed can only be read from its end.
///
/// # Errors
///
/// A [`Refusal`] where it is no workbook, damaged, or larger than the limits, and whatever reading and writing gives.
pub(super) fn open(mut packed: impl Read, limits: &Limits) -> io::Result<Workbook> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut packed, &mut file)?;
    file.rewind()?;
    bounds::refuse_bombs(&mut BufReader::new(&file), limits)?;
    file.rewind()?;
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(unreadable)?;
    let (sheet, others) = first_sheet(&workbook)?;
    let mut text = Text { out: BufWriter::new(tempfile::tempfile()?), left: limits.bytes, limit: limits.bytes };
    write_sheet(&mut workbook, &sheet, &mut text, limits)?;
    let mut text = text.out.into_inner().map_err(io::IntoInnerError::into_error)?;
    text.rewind()?;
    Ok(Workbook { text: BufReader::new(text), warning: (others > 0).then(|| only_one_was_read(&sheet, others)) })
}

/// The first sheet that its reader sees, and how many more there are.
fn first_sheet(workbook: &Xlsx<BufReader<File>>) -> io::Result<(String, usize)> {
    let shown = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
    let mut sheets = workbook.sheets_metadata().iter().filter(shown);
    let first = sheets.next().ok_or_else(|| {
        let detail =
            "The workbook has no sheet with cells that is shown. Show the sheet with the rows, and save it again.";
        Refusal::into_io(Fault::of_file(1, "no_sheet", detail))
    })?;
    Ok((first.name.clone(), sheets.count()))
}

fn only_one_was_read(sheet: &str, others: usize) -> Fault {
    let (what, those) = if others == 1 { ("one more", "it") } else { ("more", "them") };
    let detail = format!(
        "Only the sheet `{sheet}` was read; the workbook has {what}. Save each of {those} as a file of its own where its \
         rows are wanted too."
    );
    Fault::of_file(1, "other_sheets", detail)
}

/// Writes each row on the line of its number, so that a clerk finds it again.
fn write_sheet(
    workbook: &mut Xlsx<BufReader<File>>,
    sheet: &str,
    text: &mut Text<BufWriter<File>>,
    limits: &Limits,
) -> io::Result<()> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(unreadable)?;
    let (mut row, mut column) = (0, 0);
    // One more than the limit is, so that it shows.
    let columns = u32::try_from(limits.columns).unwrap_or(u32::MAX);
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let place = cell.get_position();
        let value = written(cell.get_value());
        if value.is_empty() || place.1 > columns {
            continue;
        }
        if place < (row, column) {
            return Err(damaged(&"its cells stand in no order"));
        }
        while row < place.0 {
            text.write(b"\n")?;
            (row, column) = (row + 1, 0);
        }
        while column < place.1 {
            text.write(b",")?;
            column += 1;
        }
        text.write_quoted(&value)?;
    }
    text.write(b"\n")
}

/// A cell as somebody would write it: days as ISO has them, and no digit that Excel does not have.
fn written(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.abs() >= DIGITS_ARE_GONE => format!("{number:E}").replace('E', "E+"),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) => written_moment(moment),
        DataRef::Error(error) => error.to_string(),
    }
}

fn written_moment(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let day = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    match moment.as_f64() {
        of_day if of_day < 1.0 => time,
        _ if (hour, minute, second, milli) == (0, 0, 0, 0) => day,
        _ if milli == 0 => format!("{day} {time}"),
        _ => format!("{day} {time}.{milli:03}"),
    }
}

/// Text that grows up to its limit.
struct Text<W> {
    out: W,
    left: u64,
    limit: u64,
}

impl<W: Write> Text<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or_else(|| too_large(self.limit))?;
        self.out.write_all(bytes)
    }

    fn write_quoted(&mut self, cell: &str) -> io::Result<()> {
        self.write(b"\"")?;
        self.write(cell.replace('"', "\"\"").as_bytes())?;
        self.write(b"\"")
    }
}

fn too_large(limit: u64) -> io::Error {
    let megabytes = limit / (1024 * 1024);
    let detail = format!("The workbook is larger than {megabytes} MiB unpacked. Split it into several files.");
    Refusal::into_io(Fault::of_file(1, "too_large", detail))
}

fn no_workbook() -> io::Error {
    let detail =
        format!("This is a ZIP archive that holds no Excel workbook, not a CSV file. {}", super::source::HOW_TO_EXPORT);
    Refusal::into_io(Fault::of_file(1, "not_csv_xlsx", detail))
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    tracing::debug!(%error, "a damaged workbook");
    let detail = format!(
        "The workbook is damaged or cut short. Open it in Excel and save it again. {}",
        super::source::HOW_TO_EXPORT
    );
    Refusal::into_io(Fault::of_file(1, "not_csv_xlsx", detail))
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
fn no_archive(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) if !is_of_content(&error) => error,
        other => damaged(&other),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a foreign enum that may grow")]
fn unreadable(error: XlsxError) -> io::Error {
    match error {
        XlsxError::Io(error) if !is_of_content(&error) => error,
        XlsxError::Zip(error) => no_archive(error),
        XlsxError::FileNotFound(_) | XlsxError::WorksheetNotFound(_) => no_workbook(),
        other => damaged(&other),
    }
}

/// Whether the bytes are to blame, and not the disk.
fn is_of_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof | Other)
}

#[cfg(test)]
mod tests;
