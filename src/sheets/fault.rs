//! What is wrong with a file, a row or a cell, in words for a clerk.

use super::encoding::Encoding;
use serde::{Deserialize, Serialize};
use std::{fmt, io};

/// One thing that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// The physical line, 1-based; faults of a row leave it out, since the row says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The canonical name of the column, where one cell is to blame.
    pub column: Option<String>,
    /// Stable, for programs.
    pub code: String,
    /// What is wrong and what to do, for people.
    pub detail: String,
    /// What the cell should hold, where that can be proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
}

impl Fault {
    /// A fault of one cell.
    pub fn of_cell(column: &str, code: &str, detail: impl Into<String>) -> Self {
        let (column, code) = (Some(column.to_owned()), code.to_owned());
        Self { line: None, column, code, detail: detail.into(), repair: None }
    }

    /// A fault of a whole row.
    pub fn of_row(code: &str, detail: impl Into<String>) -> Self {
        Self { line: None, column: None, code: code.to_owned(), detail: detail.into(), repair: None }
    }

    /// A fault of the file, seen at a line.
    pub fn of_file(line: u64, code: &str, detail: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of_row(code, detail) }
    }

    /// The same fault, with what the cell should hold.
    #[must_use]
    pub fn with_repair(self, repair: Option<String>) -> Self {
        Self { repair, ..self }
    }

    /// The same fault of the file, laid on a column.
    #[must_use]
    pub(super) fn in_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

/// A file of which no row can be read, and what was found out before that was clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRejected {
    /// At least one.
    pub errors: Vec<Fault>,
    /// Found along the way.
    pub warnings: Vec<Fault>,
    /// `None` where the file is no text.
    pub encoding: Option<Encoding>,
    /// `None` where no header was found.
    pub delimiter: Option<char>,
    /// Every header with its canonical name, where one was found.
    pub columns: Vec<(String, Option<&'static str>)>,
}

impl FileRejected {
    /// Nothing was found out but this.
    pub(super) fn because(errors: Vec<Fault>) -> Self {
        Self { errors, warnings: Vec::new(), encoding: None, delimiter: None, columns: Vec::new() }
    }
}

impl fmt::Display for FileRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<&str> = self.errors.iter().map(|it| it.detail.as_str()).collect();
        f.write_str(&sentences.join(" "))
    }
}

/// Why a sheet was not read to its end.
///
/// The two are worth telling apart: a rejected file must be mended by its sender, a failed read may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The file itself is at fault.
    #[error("{0}")]
    Rejected(Box<FileRejected>),
    /// The bytes could not be had.
    #[error("the file could not be read")]
    Io(#[source] io::Error),
}

/// A refusal on its way up through the layers of `io::Read`.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.detail)]
pub(super) struct Refusal(pub(super) Fault);

impl Refusal {
    pub(super) fn into_io(fault: Fault) -> io::Error {
        io::Error::other(Self(fault))
    }
}

impl From<io::Error> for SheetError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(Refusal(fault)) => Self::Rejected(Box::new(FileRejected::because(vec![fault]))),
            Err(error) => Self::Io(error),
        }
    }
}

impl From<FileRejected> for SheetError {
    fn from(rejected: FileRejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}
