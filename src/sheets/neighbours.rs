//! What the rows before said, so far as it bears on the next one: hashes only.

use super::fault::Fault;
use super::records::{Record, Row};
use crate::domain::order::OrderRow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How a row stands to those before it in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbour {
    /// It says something new, or is at fault.
    Fresh,
    /// The very same row stood there before, so it changes nothing.
    Repeat,
}

/// The fields of an order on which all of its rows must agree, the most telling first.
const HEAD: [&str; 9] =
    ["country", "currency", "recipient_name", "postal_code", "region", "city", "address1", "address2", "company"];

/// The memory of one file: some sixty bytes a row.
#[derive(Debug, Default)]
pub struct Neighbours {
    strict: bool,
    rows: HashSet<u64>,
    /// Carrier and number to the order that used it first.
    numbers: HashMap<u64, u64>,
    /// Order to its head; zero is not told yet.
    heads: HashMap<u64, [u16; HEAD.len()]>,
}

impl Neighbours {
    /// An empty memory; when strict, a number under two orders is an error.
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Holds a row against those before it, adds what is to be said, and remembers it if it is good.
    pub fn look(&mut self, record: &mut Record) -> Neighbour {
        if record.row.is_none() {
            return Neighbour::Fresh;
        }
        if !self.rows.insert(hash(&record.cells)) {
            let column = match &record.row {
                Some(Row::Leg(_)) => "last_mile_number",
                Some(row) if row.tracking().is_none() && row.order_number().is_some() => "order_number",
                _ => "tracking_number",
            };
            let detail = "The very same row stands above, so this one was not taken again.";
            record.warnings.push(Fault::of_cell(column, "duplicate_row", detail));
            return Neighbour::Repeat;
        }
        self.look_at_order(record);
        self.look_at_number(record);
        if !record.errors.is_empty() {
            record.row = None;
        }
        Neighbour::Fresh
    }

    fn look_at_order(&mut self, record: &mut Record) {
        let Some(order) = record.row.as_ref().and_then(Row::order) else { return };
        let told = head_of(order);
        let known = self.heads.entry(hash(&order.order_number)).or_insert([0; HEAD.len()]);
        let differs = |(_, (known, told)): &(&str, (&u16, &u16))| **known != 0 && **told != 0 && known != told;
        if let Some((column, _)) = HEAD.into_iter().zip(known.iter().zip(&told)).find(differs) {
            let detail = format!(
                "Order {} stands above with another {column}. All rows of an order go to one recipient; give one of them another \
                 order number, or make them alike.",
                order.order_number
            );
            record.errors.push(Fault::of_cell(column, "conflicting_order_fields", detail));
            return;
        }
        // Rows that only add lines may leave the country blank.
        if known.first().is_some_and(|country| *country != 0) {
            record.warnings.retain(|it| it.code != "missing_field" || it.column.as_deref() != Some("country"));
        }
        known.iter_mut().zip(told).filter(|(_, told)| *told != 0).for_each(|(known, told)| *known = told);
    }

    fn look_at_number(&mut self, record: &mut Record) {
        let Some(tracking) = record.row.as_ref().and_then(Row::tracking).filter(|_| record.errors.is_empty()) else {
            return;
        };
        let number = hash(&(tracking.number.followed_as(), &tracking.number.number));
        let order = hash(&tracking.order_number);
        if *self.numbers.entry(number).or_insert(order) == order {
            return;
        }
        let detail = format!(
            "{} stands above under another order. That is right only where one parcel carries both orders.",
            tracking.number.number
        );
        let fault = Fault::of_cell("tracking_number", "tracking_number_reused", detail);
        if self.strict { record.errors.push(fault) } else { record.warnings.push(fault) }
    }
}

/// A hash for each field of [`HEAD`], zero where the row is silent.
fn head_of(order: &OrderRow) -> [u16; HEAD.len()] {
    let country = order.destination.country.map(|it| it.as_str().to_owned());
    let currency = order.currency.map(|it| it.to_string());
    let fields = [
        country.as_ref(),
        currency.as_ref(),
        order.contact.recipient_name.as_ref(),
        order.destination.postal_code.as_ref(),
        order.destination.region.as_ref(),
        order.contact.city.as_ref(),
        order.contact.address1.as_ref(),
        order.contact.address2.as_ref(),
        order.contact.company.as_ref(),
    ];
    let short = |text: &String| u16::try_from(hash(&text.to_lowercase()) >> 48).unwrap_or(0).max(1);
    fields.map(|field| field.map_or(0, short))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
