//! From text to cells: quotes, delimiters, and physical line numbers that count every kind of line end.

use super::encoding::Encoding;
use super::fault::{Fault, Refusal};
use super::options::Limits;
use std::io::{self, BufRead, BufReader, Read};
use std::mem;

/// One record as it stands in the file: its cells as bytes. Reused from record to record.
#[derive(Debug, Default)]
pub(super) struct RawRecord {
    /// The physical line on which it starts, 1-based.
    pub(super) line: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The cells that were longer than the limit, with their true length; only their beginning is kept.
    pub(super) overlong: Vec<(usize, usize)>,
    /// The length of the cell that is being read.
    length: usize,
}

impl RawRecord {
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells().all(|cell| String::from_utf8_lossy(cell).chars().all(|c| c.is_whitespace() || is_invisible(c)))
    }

    fn clear(&mut self, line: u64) {
        self.line = line;
        self.bytes.clear();
        self.ends.clear();
        self.overlong.clear();
        self.length = 0;
    }
}

/// Zero-width characters that are worth nothing at the ends of a cell.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but blanks so far.
    Start,
    Plain,
    Quoted,
    /// Behind a quote that may close the cell or be the first of two.
    Closing,
}

enum Step {
    More,
    RecordEnds,
    QuoteStandsOpen,
}

/// Splits text into records.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    machine: Machine,
}

struct Machine {
    delimiter: u8,
    /// Quotation marks are part of the text.
    unquoted: bool,
    /// A record is a line, however many lines its cells have.
    counts_records: bool,
    cell_bytes: usize,
    /// Cells kept of one record.
    columns: usize,
    line: u64,
    after_cr: bool,
    state: State,
    /// Where the last quote was opened.
    quote_line: u64,
    /// Blanks behind a closing quote.
    blanks: usize,
}

impl<R: Read> Lines<R> {
    /// A record of a workbook is one line, as a row is there, however many lines its cells have.
    pub(super) fn new(text: R, (delimiter, encoding): (u8, Encoding), limits: &Limits) -> Self {
        let machine = Machine {
            delimiter,
            unquoted: false,
            counts_records: encoding == Encoding::Workbook,
            cell_bytes: limits.cell_bytes,
            columns: limits.columns.saturating_add(1),
            line: 1,
            after_cr: false,
            state: State::Start,
            quote_line: 1,
            blanks: 0,
        };
        Self { input: BufReader::with_capacity(64 * 1024, text), machine }
    }

    /// Takes quotation marks for text from here on.
    pub(super) fn set_unquoted(&mut self, unquoted: bool) {
        self.machine.unquoted = unquoted;
    }

    /// Reads the next record; `false` at the end of the file.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] where a quote stands open to the end or swallows other lines, and whatever reading gives.
    pub(super) fn read(&mut self, record: &mut RawRecord) -> io::Result<bool> {
        // The second half of a CR LF belongs to the record before.
        if self.machine.after_cr && self.input.fill_buf()?.first() == Some(&b'\n') {
            self.input.consume(1);
        }
        self.machine.after_cr = false;
        record.clear(self.machine.line);
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return self.machine.end(record);
            }
            let mut used = 0;
            let mut step = Step::More;
            for byte in chunk {
                used += 1;
                step = self.machine.feed(*byte, record);
                if !matches!(step, Step::More) {
                    break;
                }
            }
            self.input.consume(used);
            match step {
                Step::More => {}
                Step::RecordEnds => return Ok(true),
                Step::QuoteStandsOpen => return Err(self.machine.quote_stands_open()),
            }
        }
    }
}

impl Machine {
    fn feed(&mut self, byte: u8, record: &mut RawRecord) -> Step {
        let after_cr = mem::take(&mut self.after_cr);
        match (self.state, byte) {
            (State::Quoted, b'"') => (self.state, self.blanks) = (State::Closing, 0),
            (State::Quoted, _) => {
                if !self.counts_records {
                    self.count(byte, after_cr);
                }
                self.push(byte, record);
            }
            (State::Closing, b'"') if self.blanks == 0 => {
                self.push(b'"', record);
                self.state = State::Quoted;
            }
            (_, b'\r' | b'\n') => {
                self.count(byte, after_cr);
                self.end_cell(record);
                return Step::RecordEnds;
            }
            (_, byte) if byte == self.delimiter => self.end_cell(record),
            (State::Start, b'"') if !self.unquoted => {
                record.bytes.truncate(record.ends.last().copied().unwrap_or(0));
                record.length = 0;
                (self.state, self.quote_line) = (State::Quoted, self.line);
            }
            (State::Closing, b' ' | b'\t') => self.blanks += 1,
            (State::Closing, _) if self.quote_line < self.line => return Step::QuoteStandsOpen,
            (State::Closing, _) => {
                // A quote inside a quoted cell that was not doubled, as in "12" screen".
                self.push(b'"', record);
                (0..mem::take(&mut self.blanks)).for_each(|_| self.push(b' ', record));
                self.push(byte, record);
                self.state = State::Plain;
            }
            (state, _) => {
                self.state = if state == State::Start && byte == b' ' { State::Start } else { State::Plain };
                self.push(byte, record);
            }
        }
        Step::More
    }

    fn count(&mut self, byte: u8, after_cr: bool) {
        match byte {
            b'\r' => (self.line, self.after_cr) = (self.line + 1, true),
            b'\n' if !after_cr => self.line += 1,
            _ => {}
        }
    }

    fn push(&self, byte: u8, record: &mut RawRecord) {
        record.length += 1;
        if record.length <= self.cell_bytes && record.ends.len() < self.columns {
            record.bytes.push(byte);
        }
    }

    /// Cells beyond the last column that is kept are dropped: one more than the limit is, so that it shows.
    fn end_cell(&mut self, record: &mut RawRecord) {
        if record.length > self.cell_bytes {
            record.overlong.push((record.ends.len(), record.length));
        }
        if record.ends.len() < self.columns {
            record.ends.push(record.bytes.len());
        }
        record.length = 0;
        self.state = State::Start;
    }

    fn end(&mut self, record: &mut RawRecord) -> io::Result<bool> {
        if self.state == State::Quoted {
            return Err(self.quote_stands_open());
        }
        if record.ends.is_empty() && record.length == 0 && self.state == State::Start {
            return Ok(false);
        }
        self.end_cell(record);
        Ok(true)
    }

    fn quote_stands_open(&self) -> io::Error {
        let line = self.quote_line;
        let detail = format!(
            "The quotation mark that opens on line {line} is never closed, so the lines after it cannot be told apart. \
             Close it, or write it twice (\"\") where it belongs to the text."
        );
        Refusal::into_io(Fault::of_file(line, "unclosed_quote", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, delimiter: u8) -> Result<Vec<(u64, Vec<String>)>, String> {
        let mut lines =
            Lines::new(text.as_bytes(), (delimiter, Encoding::Utf8), &Limits { cell_bytes: 40, ..Limits::default() });
        let (mut record, mut all) = (RawRecord::default(), Vec::new());
        while lines.read(&mut record).map_err(|error| error.to_string())? {
            let cells = record.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
            all.push((record.line, cells.collect()));
        }
        Ok(all)
    }

    #[test]
    fn a_line_is_split_into_cells() {
        for (what, text, cells) in [
            ("plain", "a,b", &["a", "b"][..]),
            ("a quoted delimiter", "\"a,b\",c", &["a,b", "c"]),
            ("a doubled quote", "\"a\"\"b\",c", &["a\"b", "c"]),
            ("a quote behind blanks", "x,  \"a,b\" ,c", &["x", "a,b", "c"]),
            ("a quote that was not doubled", "\"12\" screen\",c", &["12\" screen\"", "c"]),
            ("a quote inside a cell", "12\" screen,c", &["12\" screen", "c"]),
            ("an empty last cell", "a,", &["a", ""]),
            ("a quoted nothing", "\"\"", &[""]),
        ] {
            assert_eq!(read(text, b',').unwrap(), [(1, cells.iter().map(|&it| it.to_owned()).collect())], "{what}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let starts = |text| read(text, b',').unwrap().iter().map(|(line, _)| *line).collect::<Vec<_>>();
        assert_eq!(starts("a\r\nb\nc\rd"), [1, 2, 3, 4], "three kinds of line end");
        assert_eq!(starts("a\n\n\nb"), [1, 2, 3, 4], "blank lines count");
        assert_eq!(starts("\"a\r\nb\nc\rd\",e\r\nf"), [1, 5], "line ends inside quotes count");
    }

    #[test]
    fn a_quote_that_stands_open_names_its_line() {
        for text in ["a\nb,\"c\nd\ne", "a\nb,\"c\nd,\"e\"\n"] {
            assert!(read(text, b',').unwrap_err().contains("opens on line 2"), "{text}");
        }
    }

    #[test]
    fn an_overlong_cell_is_cut_and_measured() {
        let mut lines =
            Lines::new(&b"a,xxxxxxxxxx,b"[..], (b',', Encoding::Utf8), &Limits { cell_bytes: 4, ..Limits::default() });
        let mut record = RawRecord::default();
        assert!(lines.read(&mut record).unwrap());
        assert_eq!(record.overlong, [(1, 10)]);
        assert_eq!(record.cells().collect::<Vec<_>>(), [&b"a"[..], b"xxxx", b"b"]);
    }
}
