//! Sheets to fill in.

use crate::sheets;

/// The header of a kind of sheet with one row as an example; `None` where there is no such kind.
pub fn template(kind: &str) -> Option<String> {
    kind.parse().ok().map(sheets::template)
}
