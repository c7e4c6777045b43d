//! How large a file is when it is unpacked, found out while it streams in: a small one may hold more than any disk.

use super::options::Limits;
use flate2::write::MultiGzDecoder;
use std::io::{self, Write};

/// So many bytes tell how a file is packed.
const START_BYTES: usize = 4;
/// The end of an archive holds the list of its parts; that of a workbook is a few KiB long.
const TAIL_BYTES: usize = 64 * 1024;

/// The unpacked size of a file, so far as it has come in.
#[derive(Default)]
pub struct UnpackedSize {
    packed: u64,
    start: Vec<u8>,
    form: Form,
}

#[derive(Default)]
enum Form {
    /// Too few bytes have come in.
    #[default]
    Unknown,
    Plain,
    Gzip(Box<MultiGzDecoder<Counter>>),
    /// An archive such as a workbook, of which the last bytes are kept.
    Archive(Vec<u8>),
    /// Reading the file reports what is wrong with it.
    Damaged,
    TooLarge,
}

impl UnpackedSize {
    /// Takes the next bytes of the file.
    pub fn see(&mut self, bytes: &[u8]) {
        self.packed = self.packed.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if !matches!(self.form, Form::Unknown) {
            self.form.see(bytes);
            return;
        }
        self.start.extend_from_slice(bytes);
        if self.start.len() >= START_BYTES {
            let start = std::mem::take(&mut self.start);
            self.form = Form::of(&start);
            self.form.see(&start);
        }
    }

    /// Whether it is larger than [`Limits::UNPACKED_BYTES`].
    pub fn is_too_large(&self) -> bool {
        matches!(self.form, Form::TooLarge)
    }

    /// The size of the whole file; `None` where it cannot be known without reading it.
    pub fn total(&mut self) -> Option<u64> {
        match &mut self.form {
            Form::Unknown | Form::Plain => Some(self.packed),
            Form::Gzip(decoder) => {
                decoder.try_finish().ok()?;
                let counter = decoder.get_ref();
                (!counter.holds_archive()).then_some(counter.bytes)
            }
            Form::Archive(tail) => size_of_parts(tail),
            Form::Damaged | Form::TooLarge => None,
        }
    }
}

impl Form {
    fn of(start: &[u8]) -> Self {
        if start.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip(Box::new(MultiGzDecoder::new(Counter::default())))
        } else if super::workbook::is_archive(start) {
            Self::Archive(Vec::new())
        } else {
            Self::Plain
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        match self {
            Self::Gzip(decoder) => {
                let written = decoder.write_all(bytes);
                if decoder.get_ref().is_too_large() {
                    *self = Self::TooLarge;
                } else if written.is_err() {
                    *self = Self::Damaged;
                }
            }
            Self::Archive(tail) => {
                tail.extend_from_slice(bytes);
                if tail.len() > 2 * TAIL_BYTES {
                    tail.drain(..tail.len() - TAIL_BYTES);
                }
            }
            Self::Unknown | Self::Plain | Self::Damaged | Self::TooLarge => {}
        }
    }
}

/// Counts, and stops once there is too much.
#[derive(Default)]
struct Counter {
    bytes: u64,
    start: Vec<u8>,
}

impl Counter {
    fn is_too_large(&self) -> bool {
        self.bytes > Limits::UNPACKED_BYTES
    }

    /// Whether a packed workbook was packed once more.
    fn holds_archive(&self) -> bool {
        super::workbook::is_archive(&self.start)
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let missing = START_BYTES.saturating_sub(self.start.len());
        self.start.extend(bytes.iter().take(missing));
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.is_too_large() { Err(io::Error::other("too large")) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the list at the end of an archive says that its parts hold. Reading the workbook refuses a part that holds more.
fn size_of_parts(tail: &[u8]) -> Option<u64> {
    const END: &[u8] = b"PK\x05\x06";
    const PART: &[u8] = b"PK\x01\x02";
    let end = tail.windows(END.len()).rposition(|it| it == END)?;
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = tail.get(at..at.checked_add(length)?)?;
        bytes.iter().rev().try_fold(0_usize, |number, byte| number.checked_mul(256)?.checked_add(usize::from(*byte)))
    };
    let (parts, list_bytes) = (number(end + 10, 2)?, number(end + 12, 4)?);
    let (mut at, mut total) = (end.checked_sub(list_bytes)?, 0_u64);
    for _ in 0..parts {
        let size = number(at + 24, 4)?;
        // A size of more than 4 GiB stands elsewhere.
        if tail.get(at..at + PART.len()) != Some(PART) || size == 0xffff_ffff {
            return None;
        }
        total = total.checked_add(u64::try_from(size).ok()?)?;
        at += 46 + number(at + 28, 2)? + number(at + 30, 2)? + number(at + 32, 2)?;
    }
    (at == end).then_some(total)
}

#[cfg(test)]
mod tests;
