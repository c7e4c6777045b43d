//! What the caller knows and allows when a sheet is read.

use super::dates::DateOrder;
use super::encoding::Encoding;
use super::kind::Kind;
use crate::domain::tracking_number::Known;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How a sheet is to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Told by the header where it is `None`.
    pub kind: Option<Kind>,
    /// The form of a shop system by its id; told by the header where it is `None`.
    pub preset: Option<String>,
    /// How the characters of the file are written; told by its bytes where it is `None`. A byte order mark goes before it.
    pub encoding: Option<Encoding>,
    /// Headers of the file, as they stand there, to the canonical names that they are read as; it goes before all else.
    pub mapping: BTreeMap<String, String>,
    /// The seller's zone: it puts zone-less times in order beside times with an offset, and is never written into them.
    pub time_zone: TimeZone,
    /// For columns of dates such as `03/04/2026` that the file itself does not settle.
    pub date_order: Option<DateOrder>,
    /// Whether a doubtful tracking number is an error instead of a warning.
    pub strict: bool,
    /// For dates that lie too far ahead.
    pub today: Date,
    /// What is known of the seller's numbers; what the file's own tell is added to it.
    pub known: Known,
    /// How much is read before the file is refused.
    pub limits: Limits,
}

/// How much is read before a file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Columns of the header.
    pub columns: usize,
    /// Bytes of one cell, in UTF-8; a longer one is an error of its row alone.
    pub cell_bytes: usize,
    /// Rows below the header, blank lines aside.
    pub rows: u64,
    /// Bytes of the file, unpacked.
    pub bytes: u64,
}

impl Limits {
    /// Where nobody sets another limit.
    pub const UNPACKED_BYTES: u64 = 256 * 1024 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self { columns: 512, cell_bytes: 64 * 1024, rows: 1_000_000, bytes: Self::UNPACKED_BYTES }
    }
}
