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
    /// One row per parcel that a forwarder handed over to another carrier.
    Legs,
}

/// The text names no kind of sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of sheet; write orders, tracking, combined, events or legs")]
pub struct UnknownKind(pub String);

impl Kind {
    /// Every kind, in the order in which they are named to people.
    pub const ALL: [Self; 5] = [Self::Orders, Self::Tracking, Self::Combined, Self::Events, Self::Legs];

    /// The word of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Tracking => "tracking",
            Self::Combined => "combined",
            Self::Events => "events",
            Self::Legs => "legs",
        }
    }

    /// The columns without which a sheet of this kind cannot be read.
    pub fn required(self) -> &'static [&'static str] {
        match self {
            Self::Orders => &["order_number"],
            Self::Tracking | Self::Combined => &["order_number", "tracking_number"],
            Self::Events => &["tracking_number", "event_at", "status"],
            Self::Legs => &["last_mile_number"],
        }
    }

    /// Tells the kind from a header: `None` where neither orders nor tracking numbers are in it.
    pub(super) fn of_header(headers: &[String]) -> Option<Self> {
        let has = |kind: Self, name: &str| headers.iter().any(|it| columns::named(it, kind) == Some(name));
        if has(Self::Legs, "last_mile_number") {
            return Some(Self::Legs);
        }
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
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or_else(|| UnknownKind(text.to_owned()))
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
            ("order_number,forwarder_number,last_mile_carrier,last_mile_number", Some(Kind::Legs)),
            ("sku,country", None),
        ] {
            let headers: Vec<String> = header.split(',').map(str::to_owned).collect();
            assert_eq!(Kind::of_header(&headers), kind, "{header}");
        }
    }

    #[test]
    fn a_kind_goes_by_the_word_of_the_contract() {
        for kind in Kind::ALL {
            assert_eq!(kind.code().parse(), Ok(kind));
        }
        assert!("Legs".parse::<Kind>().unwrap_err().to_string().contains("orders, tracking, combined, events or legs"));
    }
}
