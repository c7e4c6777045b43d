//! The kinds of sheets, and how one is told from another by its header.

use super::columns::{self, Column};
use std::fmt;
use std::str::FromStr;

/// What the rows of a sheet are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One row per order line.
    Orders,
    /// One row per parcel, or per parcel and line.
    Tracking,
    /// Order lines with their tracking numbers beside them.
    Combined,
    /// One row per scan.
    Events,
}

/// The text names no kind of sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownKind {
    /// Known to the trade, but not read here.
    #[error("sheets of legs are not read yet; send orders, tracking, combined or events")]
    Legs,
    /// Not a kind at all.
    #[error("`{0}` is no kind of sheet; write orders, tracking, combined or events")]
    Other(String),
}

impl Kind {
    /// Every kind, in the order in which they are named to people.
    pub const ALL: [Self; 4] = [Self::Orders, Self::Tracking, Self::Combined, Self::Events];

    /// The word of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Tracking => "tracking",
            Self::Combined => "combined",
            Self::Events => "events",
        }
    }

    /// The columns without which a sheet of this kind cannot be read.
    pub fn required(self) -> &'static [&'static str] {
        match self {
            Self::Orders => &["order_number"],
            Self::Tracking | Self::Combined => &["order_number", "tracking_number"],
            Self::Events => &["tracking_number", "event_at", "status"],
        }
    }

    /// Tells the kind from a header: `None` where neither orders nor tracking numbers are in it.
    pub(super) fn of_header(headers: &[String]) -> Option<Self> {
        let has = |kind: Self, name: &str| headers.iter().any(|it| columns::named(it, kind) == Some(name));
        let only_in_orders = |column: &&Column| column.is_in(Self::Orders) && !column.is_in(Self::Tracking);
        match (has(Self::Combined, "order_number"), has(Self::Combined, "tracking_number")) {
            (true, true) if columns::ALL.iter().filter(only_in_orders).any(|it| has(Self::Combined, it.name)) => {
                Some(Self::Combined)
            }
            (true, false) => Some(Self::Orders),
            (false, true) if has(Self::Events, "event_at") => Some(Self::Events),
            (_, true) => Some(Self::Tracking),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        if text == "legs" {
            return Err(UnknownKind::Legs);
        }
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or_else(|| UnknownKind::Other(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_what_its_rows_are() {
        for (header, kind) in [
            ("order_number,sku,country", Some(Kind::Orders)),
            ("order_number,tracking_number,carrier,country", Some(Kind::Tracking)),
            ("order_number,recipient_name,tracking_number", Some(Kind::Combined)),
            ("tracking_number,event_at,status", Some(Kind::Events)),
            ("sku,country", None),
        ] {
            let headers: Vec<String> = header.split(',').map(str::to_owned).collect();
            assert_eq!(Kind::of_header(&headers), kind, "{header}");
        }
    }

    #[test]
    fn legs_are_refused_with_a_sentence() {
        assert!("legs".parse::<Kind>().unwrap_err().to_string().contains("not read yet"));
        assert_eq!("events".parse(), Ok(Kind::Events));
    }
}
