//! Doubts about a tracking number that is right in form: whether it is true. Each is said to the seller before a
//! marketplace says it, and none is an error.
//!
//! A doubt holds order numbers, tracking numbers, dates and codes of countries, and names nobody.

mod blocks;
mod whereabouts;

pub use blocks::{Block, Label, never_scanned};

use crate::domain::country::CountryCode;
use crate::domain::event_time::EventTime;
use crate::domain::milestone::{Milestone, SubStatus};
use crate::domain::scan::{Source, TrackingEvent};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::str::FromStr;
use whereabouts::{Whereabouts, are_apart};

/// So long after it was uploaded or shipped a label may go unscanned.
pub const GRACE: SignedDuration = SignedDuration::from_hours(72);

/// So many other orders are named in a doubt.
const MOST_ORDERS: usize = 5;

/// What is doubtful about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoubtCode {
    /// Another order stands under the same carrier and number, and goes elsewhere.
    NumberOnAnotherOrder,
    /// A parcel came to its end under it before.
    NumberReused,
    /// The carrier scanned it before the order was made.
    ScanBeforeOrder,
    /// It was brought to another country than the order goes to.
    DestinationDiffers,
    /// It is one of a run of consecutive labels, none of them ever scanned.
    BlockNeverScanned,
}

impl DoubtCode {
    pub const ALL: [Self; 5] = [
        Self::NumberOnAnotherOrder,
        Self::NumberReused,
        Self::ScanBeforeOrder,
        Self::DestinationDiffers,
        Self::BlockNeverScanned,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::NumberOnAnotherOrder => "number_on_another_order",
            Self::NumberReused => "number_reused",
            Self::ScanBeforeOrder => "scan_before_order",
            Self::DestinationDiffers => "destination_differs",
            Self::BlockNeverScanned => "block_never_scanned",
        }
    }
}

impl FromStr for DoubtCode {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

/// Which doubts somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoubtAsked {
    Any,
    Of(DoubtCode),
}

impl DoubtAsked {
    pub fn codes(self) -> Vec<DoubtCode> {
        match self {
            Self::Any => DoubtCode::ALL.to_vec(),
            Self::Of(code) => vec![code],
        }
    }
}

impl FromStr for DoubtAsked {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "any" { Ok(Self::Any) } else { text.parse().map(Self::Of) }
    }
}

/// A doubt with its grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", content = "detail", rename_all = "snake_case")]
pub enum Doubt {
    NumberOnAnotherOrder {
        /// Numbers of the other orders, five at most.
        orders: Vec<String>,
        /// There are others besides.
        more: bool,
    },
    NumberReused {
        /// When the parcel before came to its end, or was last heard of.
        ended_on: Option<Date>,
    },
    ScanBeforeOrder {
        scanned_on: Date,
        ordered_on: Date,
    },
    DestinationDiffers {
        /// Where it was brought; several where the place may be in any of them.
        seen_in: Vec<CountryCode>,
        destination: CountryCode,
    },
    BlockNeverScanned {
        first: String,
        last: String,
        numbers: u64,
    },
}

/// What is to be thought by what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    Doubted(Doubt),
    /// There is no ground, or none any more.
    Clear,
    /// What is known does not tell: what was thought before stays.
    Untold,
}

impl From<Option<Doubt>> for Finding {
    fn from(doubt: Option<Doubt>) -> Self {
        doubt.map_or(Self::Clear, Self::Doubted)
    }
}

impl Doubt {
    pub fn code(&self) -> DoubtCode {
        match self {
            Self::NumberOnAnotherOrder { .. } => DoubtCode::NumberOnAnotherOrder,
            Self::NumberReused { .. } => DoubtCode::NumberReused,
            Self::ScanBeforeOrder { .. } => DoubtCode::ScanBeforeOrder,
            Self::DestinationDiffers { .. } => DoubtCode::DestinationDiffers,
            Self::BlockNeverScanned { .. } => DoubtCode::BlockNeverScanned,
        }
    }

    /// The grounds, as they are stored.
    pub fn grounds(&self) -> Value {
        json!(self).get("detail").cloned().unwrap_or_default()
    }

    /// Reads back what [`Doubt::grounds`] wrote; `None` of a code that is not known here.
    pub fn from_stored(code: &str, grounds: &Value) -> Option<Self> {
        serde_json::from_value(json!({"code": code, "detail": grounds})).ok()
    }

    /// What is doubtful and what to do, in one sentence for the seller.
    pub fn sentence(&self) -> String {
        match self {
            Self::NumberOnAnotherOrder { orders, more } => {
                let noun = if orders.len() == 1 && !more { "order" } else { "orders" };
                let more = if *more { " and more" } else { "" };
                format!(
                    "This number also stands on {noun} {}{more}: that is fine where one parcel holds them together, else \
                     correct the number of the order that it does not belong to.",
                    orders.join(", ")
                )
            }
            Self::NumberReused { ended_on } => {
                let when = ended_on.map(|day| format!(" on {day}")).unwrap_or_default();
                format!(
                    "Another parcel came to its end under this number{when}, before this one was sent: look at the label, \
                     and correct the number if it was copied from an older order."
                )
            }
            Self::ScanBeforeOrder { scanned_on, ordered_on } => format!(
                "The carrier scanned this number on {scanned_on}, but the order was made on {ordered_on}: correct the \
                 number if it belongs to an older parcel, or the date of the order."
            ),
            Self::DestinationDiffers { seen_in, destination } => {
                let names: Vec<&str> = seen_in.iter().map(CountryCode::name).collect();
                format!(
                    "The carrier brought this parcel to {}, but the order goes to {}: correct the number if it belongs to \
                     another parcel, or the country of the order.",
                    names.join(" or "),
                    destination.name()
                )
            }
            Self::BlockNeverScanned { first, last, numbers } => format!(
                "None of the {numbers} consecutive numbers from {first} to {last} was ever scanned, 72 hours after the last \
                 of them was used: hand these parcels over, or correct or cancel what was not sent with these labels."
            ),
        }
    }
}

/// Whether the carrier's first scan lies before the order by more than a day, by dates: where no offset is known the date
/// is the one as written, which may be a day off.
pub fn scan_before_order(first_scan: Option<EventTime>, ordered: Option<EventTime>, zone: &TimeZone) -> Option<Doubt> {
    let (scanned_on, ordered_on) = (first_scan?.date_in(zone), ordered?.date_in(zone));
    is_before(scanned_on, ordered_on).then_some(Doubt::ScanBeforeOrder { scanned_on, ordered_on })
}

/// Whether a parcel came to its end under the number before this one can have been sent: the order's day counts, else the
/// day on which the seller says that it was shipped.
pub fn number_reused(ended_on: Option<Date>, began_on: Option<Date>) -> Option<Doubt> {
    let (ended_on, began_on) = (ended_on?, began_on?);
    is_before(ended_on, began_on).then_some(Doubt::NumberReused { ended_on: Some(ended_on) })
}

/// By more than a day.
fn is_before(one: Date, other: Date) -> bool {
    one.checked_add(1.day()).is_ok_and(|next| next < other)
}

/// An order under a number, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderUnder {
    pub number: String,
    pub country: Option<String>,
    pub postal_code: Option<String>,
    /// Its postal code is not kept any more.
    pub is_erased: bool,
}

impl OrderUnder {
    /// Whether both go to one country and postal code, so that one parcel likely holds them; `None` where that was known
    /// and is erased.
    fn shares_parcel_with(&self, other: &Self) -> Option<bool> {
        let plain = |code: &Option<String>| code.as_deref().map(postal_key);
        match (self.country.is_some() && self.country == other.country, plain(&self.postal_code)) {
            (true, Some(code)) if Some(&code) == plain(&other.postal_code).as_ref() => Some(true),
            (true, _) if self.is_erased || other.is_erased => None,
            _ => Some(false),
        }
    }
}

fn postal_key(code: &str) -> String {
    code.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Which of the other orders under a number are doubtful.
pub fn number_on_another_order<'a>(own: &OrderUnder, others: impl Iterator<Item = &'a OrderUnder>) -> Finding {
    let (mut orders, mut untold) = (Vec::new(), false);
    for other in others {
        match own.shares_parcel_with(other) {
            Some(true) => {}
            Some(false) => orders.push(other.number.clone()),
            None => untold = true,
        }
    }
    let more = orders.len() > MOST_ORDERS;
    orders.truncate(MOST_ORDERS);
    match (orders.is_empty(), untold) {
        (false, _) => Finding::Doubted(Doubt::NumberOnAnotherOrder { orders, more }),
        (true, true) => Finding::Untold,
        (true, false) => Finding::Clear,
    }
}

/// A carrier's scan on the vehicle or at the door: the only ones that say where a parcel is brought to.
pub fn is_at_the_door(sub_status: Option<SubStatus>) -> bool {
    sub_status.is_some_and(|it| it == SubStatus::OnVehicle || it.milestone() == Milestone::Delivered)
}

/// Whether the carrier brought a parcel to another country than its order goes to, by its latest scan at the door.
///
/// `place_of` gives the place of an event as its source wrote it. Of a parcel that is, or was, on its way back nothing is
/// concluded, and nothing by the seller's own scans.
pub fn destination_differs<'p>(
    events: &[TrackingEvent],
    place_of: impl Fn(&TrackingEvent) -> Option<&'p str>,
    destination: Option<CountryCode>,
) -> Finding {
    let Some(destination) = destination else { return Finding::Clear };
    if events.iter().any(|it| it.sub_status.is_some_and(|it| it.milestone() == Milestone::Returned)) {
        return Finding::Untold;
    }
    let at_the_door = events.iter().filter(|it| it.source != Source::Seller && is_at_the_door(it.sub_status));
    let latest = at_the_door.max_by(|a, b| a.order().cmp(&b.order()));
    let Some(place) = latest.and_then(place_of) else { return Finding::Untold };
    match whereabouts::read(place, destination) {
        Whereabouts::Elsewhere(seen_in) => Finding::Doubted(Doubt::DestinationDiffers { seen_in, destination }),
        Whereabouts::Home => Finding::Clear,
        Whereabouts::Unknown => Finding::Untold,
    }
}

/// What is left of a doubt about the destination when the order goes elsewhere now, and no place is on file any more.
pub fn destination_changed(seen_in: &[CountryCode], destination: Option<CountryCode>) -> Finding {
    let Some(destination) = destination.filter(|it| seen_in.iter().all(|seen| are_apart(*seen, *it))) else {
        return Finding::Clear;
    };
    Finding::Doubted(Doubt::DestinationDiffers { seen_in: seen_in.to_vec(), destination })
}

#[cfg(test)]
mod tests;
