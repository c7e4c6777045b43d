//! Rows of orders: the head of an order with one of its lines.

use super::amounts;
use super::cells::{Cells, ORDER_NUMBER_CHARS, TEXT_CHARS};
use super::fault::Fault;
use super::presets::{self, PackedLine};
use super::status::Word;
use super::typed::{END_OF_DAY, Told};
use crate::domain::money::{self, Currency};
use crate::domain::order::{Contact, OrderLine, OrderRow};
use jiff::civil::Time;

/// Reads one row of a sheet of orders; faults are left with the cells.
pub(super) fn read(cells: &mut Cells<'_>) -> Option<OrderRow> {
    let status = cells.status().and_then(|(_, word)| word);
    read_with(cells, status.as_ref()).1
}

/// The same, where the status was read before; the time of the order is handed out for comparing.
pub(super) fn read_with(cells: &mut Cells<'_>, status: Option<&Word>) -> (Option<Told>, Option<OrderRow>) {
    let order_number = cells.required("order_number", ORDER_NUMBER_CHARS);
    let order_ref = cells.identity("order_ref", TEXT_CHARS);
    let ordered = cells.time("order_date", Time::midnight());
    let currency = cells.currency();
    let destination = cells.destination();
    let contact = contact(cells);
    let origin = cells.origin();
    let deliver_from_on = cells.day("deliver_from", destination.country, destination.region.as_deref());
    let shipping_method = cells.text("shipping_method");
    let shipping_charged_minor = cells.amount("shipping_charged", currency);
    let channel = cells.text("channel");
    let mut line = line(cells, currency);
    let more_lines = cells.packed_lines(&mut line, currency);
    line.deliver_by_on = cells.day("deliver_by", destination.country, destination.region.as_deref());
    let ordered_at = ordered.map(|it| it.time);
    let row = order_number.map(|order_number| OrderRow {
        order_number,
        order_ref,
        ordered: ordered_at,
        currency,
        contact,
        destination,
        origin,
        deliver_from_on,
        shipping_method,
        shipping_charged_minor,
        state: status.map(|it| it.order),
        channel,
        line,
        more_lines,
        is_summary: cells.sums_up(),
    });
    (ordered, row)
}

fn contact(cells: &mut Cells<'_>) -> Contact {
    let contact = Contact {
        recipient_name: cells.text("recipient_name"),
        company: cells.text("company"),
        address1: cells.text("address1"),
        address2: cells.text("address2"),
        city: cells.text("city"),
        email: cells.text("email"),
        phone: cells.identity("phone", 64),
        note: cells.text("note"),
    };
    if let Some(email) = contact.email.as_deref().filter(|it| !it.contains('@') || it.contains(char::is_whitespace)) {
        cells.warn("email", "bad_email", format!("`{email}` is no e-mail address, so nothing can be sent to it."));
    }
    contact
}

fn line(cells: &mut Cells<'_>, currency: Option<Currency>) -> OrderLine {
    let line = OrderLine {
        line_id: cells.identity("line_id", TEXT_CHARS),
        sku: cells.identity("sku", TEXT_CHARS),
        item_name: cells.text("item_name"),
        quantity: cells.quantity(),
        unit_price_minor: cells.amount("unit_price", currency),
        declared_value_minor: cells.amount("declared_value", currency),
        hs_code: cells.identity("hs_code", 32),
        origin_country: cells.country("origin_country"),
        weight_g: cells.weight(),
        ship_by: cells.time("ship_by", END_OF_DAY).map(|it| it.time),
        deliver_by_on: None,
        seller_ref: cells.text("seller_ref"),
    };
    if let Some(code) = &line.hs_code {
        let digits = code.chars().filter(char::is_ascii_digit).count();
        if !(6..=10).contains(&digits) || code.chars().any(char::is_alphabetic) {
            cells.warn(
                "hs_code",
                "bad_hs_code",
                format!("`{code}` is no customs tariff code, which has 6 to 10 digits."),
            );
        }
    }
    line
}

/// The total is that of all pieces; where it does not come out even, no price is told.
fn unpacked(packed: PackedLine, currency: Option<Currency>) -> OrderLine {
    let quantity = packed.quantity.as_deref().and_then(|text| amounts::count(text).ok());
    let total = packed.total.as_deref().and_then(|text| amounts::decimal(text, '.'));
    let total = total.and_then(|total| money::minor_units(&total, currency.map_or(2, |it| it.exponent())));
    let price = total.zip(quantity).filter(|(total, quantity)| *quantity > 0 && total % quantity == 0);
    OrderLine {
        sku: packed.sku,
        item_name: packed.item_name,
        quantity,
        unit_price_minor: price.map(|(total, quantity)| total / quantity),
        ..OrderLine::default()
    }
}

impl Cells<'_> {
    /// Whether the row sums up an order whose lines follow.
    fn sums_up(&self) -> bool {
        let text = |place: usize| self.raw.get(place).map_or("", |it| it);
        self.survey.recipe.as_ref().is_some_and(|recipe| recipe.sums_up(&text))
    }

    /// The lines that stand packed in cells of the row: the first becomes the row's own.
    fn packed_lines(&mut self, line: &mut OrderLine, currency: Option<Currency>) -> Vec<OrderLine> {
        let Some(recipe) = &self.survey.recipe else { return Vec::new() };
        let cells = recipe.packed_lines.iter().filter_map(|place| self.raw.get(*place));
        let packed: Vec<PackedLine> = cells.flat_map(|cell| presets::packed_lines(cell)).collect();
        let mut lines = packed.into_iter().map(|packed| unpacked(packed, currency));
        let Some(first) = lines.next() else { return Vec::new() };
        *line = OrderLine { ship_by: line.ship_by, ..first };
        let more: Vec<OrderLine> = lines.collect();
        for (column, value) in [("sku", line.sku.clone()), ("item_name", line.item_name.clone())] {
            if let Some(value) = value {
                self.note(column, value);
            }
        }
        if let Some(quantity) = line.quantity {
            self.note("quantity", quantity.to_string());
        }
        more
    }

    fn currency(&mut self) -> Option<Currency> {
        const SIGNS: [(&str, &str); 4] = [("€", "EUR"), ("£", "GBP"), ("US$", "USD"), ("R$", "BRL")];
        let text = self.take_unless_placeholder("currency")?;
        let meant = SIGNS.iter().find(|(sign, _)| *sign == text).map_or(text.as_str(), |(_, code)| code);
        let currency = Currency::parse(meant);
        self.note("currency", currency.map_or_else(|| text.clone(), |it| it.to_string()));
        if currency.is_none() {
            let detail = format!("`{text}` is no currency. Write its three-letter code, such as USD or EUR.");
            self.errors.push(Fault::of_cell("currency", "unknown_currency", detail));
        }
        currency
    }
}
