//! Tables from a source's codes to our sub-statuses, kept as data beside the adapters.

use crate::domain::milestone::SubStatus;
use std::collections::HashMap;

/// A source's codes and our words for them.
#[derive(Debug, Clone, Default)]
pub struct CodeTable(HashMap<String, SubStatus>);

/// A table that must not be used, with the line at fault, the header being the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeTableError {
    /// Which of the two would win is nobody's choice.
    #[error("line {line}: the code `{code}` stands twice")]
    Twice {
        /// The second line.
        line: usize,
        /// The code.
        code: String,
    },
    /// No such sub-status in the contract.
    #[error("line {line}: `{word}` is no sub-status")]
    NoSubStatus {
        /// The line.
        line: usize,
        /// What stands there instead.
        word: String,
    },
}

impl CodeTable {
    /// Reads `code,sub_status,meaning` under a header; cells are not quoted and the meaning may be left out.
    ///
    /// # Errors
    ///
    /// [`CodeTableError`], which a test turns into a failed build for every table that we ship.
    pub fn read(text: &str) -> Result<Self, CodeTableError> {
        let mut table = HashMap::new();
        for (line, row) in (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.trim().is_empty()) {
            let mut cells = row.splitn(3, ',').map(str::trim);
            let code = cells.next().unwrap_or_default().to_owned();
            let word = cells.next().unwrap_or_default();
            let Ok(sub_status) = word.parse() else {
                return Err(CodeTableError::NoSubStatus { line, word: word.to_owned() });
            };
            if table.contains_key(&code) {
                return Err(CodeTableError::Twice { line, code });
            }
            table.insert(code, sub_status);
        }
        Ok(Self(table))
    }

    /// A table of ours, which a test has read. Were it broken, every code would be unknown rather than wrong.
    pub(crate) fn shipped(text: &str) -> Self {
        Self::read(text).unwrap_or_default()
    }

    /// Our word for the code; `None` where the table does not have it.
    pub fn sub_status(&self, code: &str) -> Option<SubStatus> {
        self.0.get(code).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn a_table_is_refused_by_its_line() {
        for (what, rows, error) in [
            ("a code twice", "A,in_transit.moving\n\nA,in_transit.moving", Some("line 4: the code `A` stands twice")),
            ("no such word", "A,in_transit.flying", Some("line 2: `in_transit.flying` is no sub-status")),
            ("a bare milestone", "A,in_transit", Some("line 2: `in_transit` is no sub-status")),
            ("half a row", "A", Some("line 2: `` is no sub-status")),
            ("good", "A,in_transit.moving,it moves, and fast", None),
        ] {
            let read = CodeTable::read(&format!("code,sub_status,meaning\n{rows}\n"));
            assert_eq!(read.err().map(|it| it.to_string()).as_deref(), error, "{what}");
        }
    }

    #[test]
    fn every_table_that_we_ship_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!()).with_file_name("data");
        let tables: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        assert!(!tables.is_empty());
        for path in tables {
            let table = CodeTable::read(&fs::read_to_string(&path).unwrap());
            assert!(table.is_ok_and(|it| !it.0.is_empty()), "{}", path.display());
        }
    }
}
