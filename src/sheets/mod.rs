//! Sheets in and out: CSV files and workbooks of orders, tracking numbers and events, and the repaired file that goes back.
//!
//! A file is read twice as a stream. [`survey`] goes over the whole of it and settles what one row cannot tell: dialect,
//! encoding, header, and per column the order of dates and the decimal mark. [`records`] then reads row by row; each
//! row is judged by itself, and [`Neighbours`] knows what the rows before it said.

mod amounts;
mod cells;
mod clock;
mod columns;
mod dates;
mod encoding;
mod events;
mod excel;
mod fault;
mod header;
mod kind;
mod legs;
mod lines;
mod neighbours;
mod numbers;
mod options;
mod orders;
mod places;
pub mod presets;
mod records;
mod repaired;
mod source;
mod status;
mod survey;
mod template;
mod tracking;
mod typed;
mod unpacked;
mod workbook;
pub mod writeback;

pub use dates::DateOrder;
pub use encoding::{Encoding, UnknownEncoding};
pub use fault::{Fault, FileRejected, SheetError};
pub use kind::{Kind, UnknownKind};
pub use neighbours::{Neighbour, Neighbours};
pub use options::{Limits, Options};
pub use records::{Record, Records, Row, records};
pub use repaired::{RepairedWriter, harmless};
pub use survey::{Survey, survey};
pub use template::template;
pub use unpacked::UnpackedSize;

#[cfg(test)]
mod tests;
