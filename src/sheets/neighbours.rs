//! What the rows before said, so far as it bears on the next one: hashes only.

use super::fault::Fault;
use super::records::{Record, Row};
use crate::domain::order::OrderRow;
use hashbrown::HashTable;
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

/// The memory of one file: some fifty bytes an order, and twenty for each further row of it.
#[derive(Debug, Default)]
pub struct Neighbours {
    strict: bool,
    orders: Orders,
    /// Rows that are not the first of their order, or of none.
    rows: HashSet<u64>,
    /// Lines, order and SKU, that are not the first of their order.
    lines: HashSet<u64>,
    /// How often an order has had a line of this SKU so far, where that is more than once.
    repeats: HashMap<u64, usize>,
    /// Carrier and number to the order that used it first.
    numbers: HashMap<u64, u64>,
}

impl Neighbours {
    /// An empty memory for a file of so many rows; when strict, a number under two orders is an error.
    pub fn new(strict: bool, rows: u64) -> Self {
        Self { strict, orders: Orders::expecting(usize::try_from(rows).unwrap_or(0)), ..Self::default() }
    }

    /// Holds a row against those before it, adds what is to be said, and remembers it if it is good.
    pub fn look(&mut self, record: &mut Record) -> Neighbour {
        if record.row.is_none() {
            return Neighbour::Fresh;
        }
        if self.stood_above(record) {
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

    /// Which line of its SKU in its order a row is, as it was looked at: 1 for the first, and for what is no line.
    pub fn repeat_of_line(&mut self, record: &Record) -> usize {
        let Some(row) = record.row.as_ref().and_then(Row::order) else { return 1 };
        let line = hash(&(&row.order_number, &row.line.sku));
        let first = &mut self.orders.first(hash(&row.order_number.as_str())).line;
        if *first == 0 {
            *first = short(line);
            return 1;
        }
        if *first != short(line) && self.lines.insert(line) {
            return 1;
        }
        let count = self.repeats.entry(line).or_insert(1);
        *count += 1;
        *count
    }

    fn stood_above(&mut self, record: &Record) -> bool {
        let row = hash(&record.cells);
        if let Some(order) = record.row.as_ref().and_then(Row::order_number) {
            let first = &mut self.orders.first(hash(&order)).row;
            if *first == 0 {
                *first = short(row);
                return false;
            }
            if *first == short(row) {
                return true;
            }
        }
        !self.rows.insert(row)
    }

    fn look_at_order(&mut self, record: &mut Record) {
        let Some(order) = record.row.as_ref().and_then(Row::order) else { return };
        let told = head_of(order);
        let known = &mut self.orders.first(hash(&order.order_number.as_str())).head;
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

/// The orders of a file. There may be a million, so each is a few bytes.
#[derive(Debug, Default)]
struct Orders {
    firsts: Vec<First>,
    /// Places in `firsts`, by the hash of the order.
    places: HashTable<u32>,
}

/// What is remembered of an order, and of the first of its rows; zero is not told yet.
#[derive(Debug)]
struct First {
    order: u64,
    row: u32,
    line: u32,
    head: [u16; HEAD.len()],
}

impl Orders {
    /// Room is made at once: a list that grows is there twice for a moment.
    fn expecting(rows: usize) -> Self {
        Self { firsts: Vec::with_capacity(rows), places: HashTable::new() }
    }

    #[allow(clippy::indexing_slicing, reason = "what the table holds are places in the list")]
    fn first(&mut self, order: u64) -> &mut First {
        let Self { firsts, places } = self;
        let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        let of = |place: u32, firsts: &[First]| firsts.get(at(place)).map_or(0, |first| first.order);
        let entry = places.entry(order, |place| of(*place, firsts) == order, |place| of(*place, firsts));
        let next = u32::try_from(firsts.len()).unwrap_or(u32::MAX);
        let place = at(*entry.or_insert(next).get());
        if place == firsts.len() {
            firsts.push(First { order, row: 0, line: 0, head: [0; HEAD.len()] });
        }
        &mut firsts[place]
    }
}

/// Enough of a hash to tell the rows of one order apart; never zero.
fn short(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(0).max(1)
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
    let told = |text: &String| u16::try_from(hash(&text.to_lowercase()) >> 48).unwrap_or(0).max(1);
    fields.map(|field| field.map_or(0, told))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
