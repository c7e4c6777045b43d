//! Sheets to fill in.

use crate::sheets;

/// The header of a kind of sheet with one row as an example; `None` where there is no such kind.
pub fn template(kind: &str) -> Option<String> {
    kind.parse().ok().map(sheets::template)
}

pub use sheets::presets::PresetShown;

/// The forms of shop systems, marketplaces and carriers that are read.
pub fn presets() -> impl Iterator<Item = PresetShown> {
    sheets::presets::shown()
}
