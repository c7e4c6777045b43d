//! What a report is asked for.

use crate::domain::ids::SellerId;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use std::str::FromStr;
use uuid::Uuid;

/// Which date of a shipment `from` and `to` cut by, and `month` groups by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Basis {
    #[default]
    Shipped,
    Ordered,
    Promised,
    Delivered,
}

/// By what shipments are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    Carrier,
    Service,
    OriginCountry,
    OriginRegion,
    DestinationCountry,
    DestinationRegion,
    Shop,
    Seller,
    Month,
}

impl GroupKey {
    pub const ALL: [Self; 9] = [
        Self::Carrier,
        Self::Service,
        Self::OriginCountry,
        Self::OriginRegion,
        Self::DestinationCountry,
        Self::DestinationRegion,
        Self::Shop,
        Self::Seller,
        Self::Month,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Service => "service",
            Self::OriginCountry => "origin_country",
            Self::OriginRegion => "origin_region",
            Self::DestinationCountry => "destination_country",
            Self::DestinationRegion => "destination_region",
            Self::Shop => "shop",
            Self::Seller => "seller",
            Self::Month => "month",
        }
    }
}

impl FromStr for GroupKey {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

/// A moment as a caller names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The end of the day in the seller's zone.
    Day(Date),
    At(Timestamp),
}

/// What a report is asked for.
#[derive(Debug, Clone, Default)]
pub struct ReportQuery {
    /// Half open, by the basis: `from` is in, `to` is out. A shipment without that date is in only where neither is set.
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub basis: Basis,
    /// Cuts by when a thing happened; now where absent.
    pub as_of: Option<AsOf>,
    /// Cuts by when we heard of it; now where absent.
    pub known_at: Option<Timestamp>,
    pub shop: Option<String>,
    pub carrier: Option<String>,
    pub service: Option<String>,
    pub origin_country: Option<String>,
    pub destination_country: Option<String>,
    /// One word; `late_open` finds all that are counted as such, whatever their word.
    pub verdict: Option<String>,
    pub cause: Option<String>,
    pub group_by: Vec<GroupKey>,
    /// Rows besides the groups, this many after the cursor.
    pub rows: Option<RowPage>,
}

impl ReportQuery {
    /// Whether a row of this day is within `from` and `to`.
    pub fn covers(&self, day: Option<Date>) -> bool {
        self.from.is_none_or(|from| day.is_some_and(|day| day >= from))
            && self.to.is_none_or(|to| day.is_some_and(|day| day < to))
    }
}

/// One page of a report's rows: shipments, or orders.
#[derive(Debug, Clone, Copy)]
pub struct RowPage {
    pub limit: usize,
    /// The seller and the row that the page before ended with.
    pub after: Option<RowId>,
}

/// The seller and its shipment or order.
pub type RowId = (SellerId, Uuid);

/// What a report works with.
pub struct ReportContext<'a> {
    pub store: &'a Store,
    pub now: Timestamp,
    /// Whether nobody waits for the report any more; looked at between pages of rows.
    pub is_cancelled: &'a dyn Fn() -> bool,
}

impl ReportContext<'_> {
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where the report was cancelled: nobody is there to read that.
    pub(super) fn go_on(&self) -> Result<(), StoreError> {
        if (self.is_cancelled)() {
            return Err(StoreError::Unavailable("the report was cancelled".to_owned()));
        }
        Ok(())
    }
}

/// Whose shipments a report counts.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    Seller(SellerId),
    Everyone,
}
