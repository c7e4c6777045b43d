//! Orders and their lines, as a sheet or the shop system tells them.

use crate::domain::country::CountryCode;
use crate::domain::edit::Edit;
use crate::domain::event_time::EventTime;
use crate::domain::money::Currency;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One end of a lane: what a report needs of an address, and no more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Place {
    pub country: Option<CountryCode>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
}

impl Place {
    /// What is known here, filled up with what the other knows.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            country: self.country.or(other.country),
            region: self.region.or_else(|| other.region.clone()),
            postal_code: self.postal_code.or_else(|| other.postal_code.clone()),
        }
    }
}

/// Who gets the parcel. Kept apart from the order, so that it can be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    pub recipient_name: Option<String>,
    pub company: Option<String>,
    pub address1: Option<String>,
    pub address2: Option<String>,
    pub city: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub note: Option<String>,
}

impl Contact {
    /// The contact after an edit, member by member.
    #[must_use]
    pub fn edited(mut self, edit: ContactEdit) -> Self {
        edit.recipient_name.apply(&mut self.recipient_name);
        edit.company.apply(&mut self.company);
        edit.address1.apply(&mut self.address1);
        edit.address2.apply(&mut self.address2);
        edit.city.apply(&mut self.city);
        edit.email.apply(&mut self.email);
        edit.phone.apply(&mut self.phone);
        edit.note.apply(&mut self.note);
        self
    }

    /// What its e-mail address is found by.
    pub fn email_key(&self) -> Option<String> {
        self.email.as_deref().and_then(email_key)
    }

    /// What its telephone number is found by.
    pub fn phone_key(&self) -> Option<String> {
        self.phone.as_deref().and_then(phone_key)
    }
}

/// An e-mail address as it is compared: without blanks, in small letters. `None` of a text without `@`.
pub fn email_key(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    (bare.len() > 2 && bare.contains('@')).then_some(bare)
}

/// A telephone number as it is compared: its last nine digits, since `+49 170`, `0049170` and `0170` are one.
pub fn phone_key(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 6).then(|| digits.iter().skip(digits.len().saturating_sub(9)).collect())
}

/// Whether two telephone numbers may be one: the shorter, without the zeros in front, ends the longer.
pub fn is_same_phone(one: &str, other: &str) -> bool {
    let significant = |text: &str| -> String {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.trim_start_matches('0').to_owned()
    };
    let (one, other) = (significant(one), significant(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short.len() >= 6 && long.ends_with(&short)
}

/// A postal code as it is compared: its letters and digits, in capitals. `None` of a text with neither.
pub fn postal_key(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    (!bare.is_empty()).then_some(bare)
}

/// What a change says of a [`Contact`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactEdit {
    pub recipient_name: Edit<String>,
    pub company: Edit<String>,
    pub address1: Edit<String>,
    pub address2: Edit<String>,
    pub city: Edit<String>,
    pub email: Edit<String>,
    pub phone: Edit<String>,
    pub note: Edit<String>,
}

impl ContactEdit {
    /// Clears every member.
    pub fn clear() -> Self {
        Self {
            recipient_name: Edit::Clear,
            company: Edit::Clear,
            address1: Edit::Clear,
            address2: Edit::Clear,
            city: Edit::Clear,
            email: Edit::Clear,
            phone: Edit::Clear,
            note: Edit::Clear,
        }
    }
}

/// What is told over what is stored: a blank keeps it.
impl From<Contact> for ContactEdit {
    fn from(told: Contact) -> Self {
        Self {
            recipient_name: told.recipient_name.into(),
            company: told.company.into(),
            address1: told.address1.into(),
            address2: told.address2.into(),
            city: told.city.into(),
            email: told.email.into(),
            phone: told.phone.into(),
            note: told.note.into(),
        }
    }
}

/// What a change says of a [`Place`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceEdit {
    pub country: Edit<CountryCode>,
    pub region: Edit<String>,
    pub postal_code: Edit<String>,
}

impl PlaceEdit {
    /// Clears every member.
    pub fn clear() -> Self {
        Self { country: Edit::Clear, region: Edit::Clear, postal_code: Edit::Clear }
    }
}

/// What a change says of an order; of its lines it says days alone, for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderEdit {
    pub order_ref: Edit<String>,
    pub ordered: Edit<EventTime>,
    pub currency: Edit<Currency>,
    pub contact: ContactEdit,
    pub destination: PlaceEdit,
    pub origin: PlaceEdit,
    pub deliver_from_on: Edit<Date>,
    pub deliver_by_on: Edit<Date>,
    pub ship_by: Edit<EventTime>,
    pub shipping_method: Edit<String>,
    pub channel: Edit<String>,
}

/// What was bought: one line of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OrderLine {
    /// The shop's own identity of the line; where blank, the n-th repeat of the SKU is one line.
    pub line_id: Option<String>,
    pub sku: Option<String>,
    pub item_name: Option<String>,
    /// 1 to 10,000,000; 1 where nothing was ever said.
    pub quantity: Option<i64>,
    pub unit_price_minor: Option<i64>,
    pub declared_value_minor: Option<i64>,
    pub hs_code: Option<String>,
    pub origin_country: Option<CountryCode>,
    pub weight_g: Option<i64>,
    pub ship_by: Option<EventTime>,
    pub deliver_by_on: Option<Date>,
    pub seller_ref: Option<String>,
}

/// The shop's own word about an order; only a cancellation changes anything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState {
    Open,
    Cancelled,
}

impl OrderState {
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One row of a sheet of orders: an order's head with one of its lines. Blank cells leave what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderRow {
    /// Text: `000123`, `#1001` and `1001` differ.
    pub order_number: String,
    pub order_ref: Option<String>,
    pub ordered: Option<EventTime>,
    pub currency: Option<Currency>,
    pub contact: Contact,
    pub destination: Place,
    pub origin: Place,
    pub deliver_from_on: Option<Date>,
    pub shipping_method: Option<String>,
    pub shipping_charged_minor: Option<i64>,
    pub state: Option<OrderState>,
    pub channel: Option<String>,
    pub line: OrderLine,
    /// Some systems write all lines of an order into one row.
    pub more_lines: Vec<OrderLine>,
    /// The row sums up an order whose lines follow: it holds none itself.
    pub is_summary: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_telephone_number_is_written_in_many_ways() {
        for (what, one, other, same) in [
            ("with and without its country", "+49 170 1234567", "0170/1234567", true),
            ("two zeros for the plus", "0049 170 1234567", "+491701234567", true),
            ("two countries", "+49 170 1234567", "+43 170 1234567", false),
            ("two people", "+49 170 1234567", "+49 170 1234568", false),
            ("too short to tell", "12345", "0012345", false),
        ] {
            assert_eq!(is_same_phone(one, other), same, "{what}");
            assert_eq!(is_same_phone(other, one), same, "{what}, the other way about");
            assert!(!same || phone_key(one) == phone_key(other), "{what}: found by its key");
        }
    }
}
