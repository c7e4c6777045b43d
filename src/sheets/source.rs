//! From stored bytes to text that ASCII splits: unpacking, byte order marks, workbooks, and what is no text at all.

use super::encoding::{Encoding, Guess};
use super::fault::{Fault, Refusal};
use super::options::Options;
use super::workbook::{self, Workbook};
use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use std::io::{self, Cursor, Read};

/// How many bytes are looked at before the rest is read.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// A file made ready for reading.
pub(super) struct Source<'a> {
    /// Text without its byte order mark; whether it is UTF-8 or older shows only at its end.
    pub(super) text: Box<dyn Read + 'a>,
    /// [`Encoding::Utf8`] stands for "not known better", save where there is a mark.
    pub(super) encoding: Encoding,
    pub(super) byte_order_mark: bool,
    pub(super) warning: Option<Fault>,
}

impl Source<'_> {
    /// How the beginning of the file is written, where it is not UTF-8.
    pub(super) fn encoding_of(&self, head: &[u8]) -> Encoding {
        if self.encoding != Encoding::Utf8 || self.byte_order_mark {
            return self.encoding;
        }
        let mut guess = Guess::new();
        guess.see(head);
        guess.settled()
    }
}

/// Opens a file, unpacking it where it is gzip.
///
/// # Errors
///
/// A [`Refusal`] where it is empty or no text, and whatever reading it gives.
pub(super) fn open<'a, R: Read + 'a>(mut file: R, options: &Options) -> io::Result<Source<'a>> {
    let limits = &options.limits;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    let packed = start == [0x1f, 0x8b];
    let whole = Cursor::new(start).chain(file);
    let mut raw: Box<dyn Read + 'a> =
        if packed { Box::new(Unpacked(MultiGzDecoder::new(whole))) } else { Box::new(whole) };
    raw = Box::new(Bounded { inner: raw, left: limits.bytes, limit: limits.bytes });
    let head = head_of(&mut raw)?;
    if workbook::is_archive(&head) {
        let Workbook { text, warning } = workbook::open(Cursor::new(head).chain(raw), limits)?;
        return Ok(Source { text: Box::new(text), encoding: Encoding::Workbook, byte_order_mark: false, warning });
    }
    refuse_what_is_no_text(&head).map_err(Refusal::into_io)?;
    let (mut encoding, mark) = told_by_marks(&head);
    if let Some(told) = options.encoding.filter(|_| mark == 0) {
        encoding = told;
    }
    if !matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
        refuse_binary(&head).map_err(Refusal::into_io)?;
    }
    let rest = Cursor::new(head.get(mark..).unwrap_or_default().to_vec()).chain(raw);
    let text: Box<dyn Read + 'a> = match encoding {
        Encoding::Utf16Le => Box::new(Recoded::new(rest, UTF_16LE.new_decoder_without_bom_handling())),
        Encoding::Utf16Be => Box::new(Recoded::new(rest, UTF_16BE.new_decoder_without_bom_handling())),
        Encoding::Utf8 | Encoding::Legacy(_) | Encoding::Workbook => Box::new(rest),
    };
    Ok(Source { text, encoding, byte_order_mark: mark > 0, warning: None })
}

/// The first [`HEAD_BYTES`], or less where the file is shorter.
pub(super) fn head_of(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut head)?;
    Ok(head)
}

pub(super) const HOW_TO_EXPORT: &str = "In Excel choose File, Save As, \"CSV UTF-8 (comma delimited)\"; in Google Sheets choose File, \
                             Download, Comma-separated values. Then send that file.";

fn refuse_what_is_no_text(head: &[u8]) -> Result<(), Fault> {
    let refused = |code, what: &str| Err(Fault::of_file(1, code, format!("{what} {HOW_TO_EXPORT}")));
    if head.is_empty() {
        return Err(empty_file());
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return refused(
            "not_csv_xlsx",
            "This is an Excel workbook of the old kind (.xls) or one that a password locks: neither can be read here. Save it \
             without a password as \"Excel Workbook (.xlsx)\", or as CSV.",
        );
    }
    if head.starts_with(b"%PDF") {
        return refused("not_csv", "This is a PDF document, not a CSV file. Export the sheet that it was made from.");
    }
    let opening: Vec<u8> = head.iter().copied().skip_while(u8::is_ascii_whitespace).take(9).collect();
    let opening = opening.to_ascii_lowercase();
    if opening.starts_with(b"<!doctype") || opening.starts_with(b"<html") || opening.starts_with(b"<?xml") {
        return refused(
            "not_csv",
            "This is a web page or an XML file, not a CSV file; perhaps a log-in page was saved.",
        );
    }
    Ok(())
}

/// What a file without a single filled cell is told.
pub(super) fn empty_file() -> Fault {
    Fault::of_file(
        1,
        "empty_file",
        "The file is empty. Export it again, and look whether it holds rows before you send it.",
    )
}

/// One control character in twenty makes a file binary; a stray NUL is a fault of its own row.
fn refuse_binary(head: &[u8]) -> Result<(), Fault> {
    let strange = head.iter().filter(|byte| byte.is_ascii_control() && !b"\t\r\n\x0b\x0c\x1a".contains(byte)).count();
    if strange * 20 <= head.len() {
        return Ok(());
    }
    Err(Fault::of_file(1, "not_csv", format!("This is no text file, so it cannot be a CSV file. {HOW_TO_EXPORT}")))
}

/// The encoding and the length of the mark that told it; UTF-16 without a mark shows by its zero bytes.
fn told_by_marks(head: &[u8]) -> (Encoding, usize) {
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        return (Encoding::Utf8, 3);
    }
    if head.starts_with(&[0xff, 0xfe]) {
        return (Encoding::Utf16Le, 2);
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return (Encoding::Utf16Be, 2);
    }
    let pairs = head.len() / 2;
    let zeros = |place: usize| head.iter().skip(place).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if pairs >= 8 && odd * 10 >= pairs * 7 && even * 10 < pairs => (Encoding::Utf16Le, 0),
        () if pairs >= 8 && even * 10 >= pairs * 7 && odd * 10 < pairs => (Encoding::Utf16Be, 0),
        () => (Encoding::Utf8, 0),
    }
}

/// Refuses a file that goes on beyond its limit, so that a small packed file cannot fill anything.
struct Bounded<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(left) = self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)) {
            self.left = left;
            return Ok(read);
        }
        let megabytes = self.limit / (1024 * 1024);
        let detail = format!("The file is larger than {megabytes} MiB unpacked. Split it into several files.");
        Err(Refusal::into_io(Fault::of_file(1, "too_large", detail)))
    }
}

/// Turns what the unpacking finds wrong into a refusal.
struct Unpacked<R>(R);

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        self.0.read(buffer).map_err(|error| {
            if !matches!(error.kind(), InvalidInput | InvalidData | UnexpectedEof) {
                return error;
            }
            let detail = "The gzip file is damaged or cut short. Pack it again, or send the CSV file unpacked.";
            Refusal::into_io(Fault::of_file(1, "damaged_gzip", detail))
        })
    }
}

/// Makes UTF-8 of UTF-16, piece by piece.
struct Recoded<R> {
    inner: R,
    decoder: Decoder,
    ready: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Recoded<R> {
    fn new(inner: R, decoder: Decoder) -> Self {
        Self { inner, decoder, ready: Cursor::new(Vec::new()), ended: false }
    }
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.ready.read(buffer)?;
            if given > 0 || self.ended || buffer.is_empty() {
                return Ok(given);
            }
            let mut raw = [0; 8 * 1024];
            let read = self.inner.read(&mut raw)?;
            self.ended = read == 0;
            let raw = raw.get(..read).unwrap_or_default();
            let mut text = String::with_capacity(self.decoder.max_utf8_buffer_length(read).unwrap_or(64 * 1024));
            let _ = self.decoder.decode_to_string(raw, &mut text, self.ended);
            self.ready = Cursor::new(text.into_bytes());
        }
    }
}
