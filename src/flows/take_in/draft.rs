//! Orders on their way in: read once, told row by row, written once, however many rows tell of them.
//!
//! One row from the shop system and ten thousand rows of a sheet go through the same drafts, so they come to the same.

use super::order::{bare_line, bare_order, changed, is_about_the_order, line_key, sum_up, tell_head, tell_line};
use super::{Desk, Outcome, TakeInError};
use crate::domain::ids::OrderId;
use crate::domain::order::{Contact, OrderLine, OrderRow};
use crate::store::orders::{Line, Order};
use crate::store::outbox::Change;
use crate::store::{At, SellerTables, StoreError};
use serde_json::json;
use std::collections::HashMap;

/// The orders that some rows tell of.
pub struct Drafts {
    /// In the order in which they were first told of.
    drafts: Vec<Draft>,
    places: HashMap<String, usize>,
}

/// An order as it is on file, and as the rows so far leave it.
struct Draft {
    stored: Option<Facts>,
    told: Facts,
}

/// An order with its lines and with whom it goes to.
#[derive(Debug, Clone, PartialEq)]
struct Facts {
    order: Order,
    /// By their numbers.
    lines: Vec<Line>,
    contact: Contact,
}

impl Drafts {
    /// Reads what is on file under these order numbers.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn load(tables: &mut SellerTables, desk: &Desk<'_>, numbers: &[&str]) -> Result<Self, StoreError> {
        let mut loaded = Self { drafts: Vec::new(), places: HashMap::new() };
        if numbers.is_empty() {
            return Ok(loaded);
        }
        let orders = tables.orders_by_numbers(desk.shop.id, numbers)?;
        let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::new();
        let mut contacts = HashMap::new();
        if !ids.is_empty() {
            for line in tables.lines_of(&ids)? {
                lines.entry(line.order_id).or_default().push(line);
            }
            contacts = tables.contacts_of(&ids)?;
        }
        for order in orders {
            let (lines, contact) = (lines.remove(&order.id).unwrap_or_default(), contacts.remove(&order.id));
            let facts = Facts { order, lines, contact: contact.unwrap_or_default() };
            loaded.add(Draft { stored: Some(facts.clone()), told: facts });
        }
        Ok(loaded)
    }

    fn add(&mut self, draft: Draft) -> usize {
        let place = self.drafts.len();
        self.places.insert(draft.told.order.order_number.clone(), place);
        self.drafts.push(draft);
        place
    }

    /// Takes a row in; `repeat` is 1 for the first line of its SKU in the order, 2 for the second, and so on: it tells
    /// lines apart that have no id of their own.
    ///
    /// # Errors
    ///
    /// [`TakeInError`] where no secret could be made for a new order.
    pub fn tell(&mut self, desk: &Desk<'_>, row: &OrderRow, repeat: usize) -> Result<(OrderId, Outcome), TakeInError> {
        if let Some(draft) = self.places.get(&row.order_number).and_then(|place| self.drafts.get_mut(*place)) {
            let outcome = draft.told.tell_again(desk, row, repeat);
            return Ok((draft.told.order.id, outcome));
        }
        let mut facts =
            Facts { order: bare_order(desk, &row.order_number)?, lines: Vec::new(), contact: Contact::default() };
        facts.tell(desk, row, repeat);
        let id = facts.order.id;
        self.add(Draft { stored: None, told: facts });
        Ok((id, Outcome::Created))
    }

    /// Writes what is new and what changed, and what follows from it.
    ///
    /// # Errors
    ///
    /// [`TakeInError`]; then the caller's transaction must not be kept.
    pub fn write(self, tables: &mut SellerTables, desk: &Desk<'_>) -> Result<(), TakeInError> {
        let (mut orders, mut lines, mut contacts) = (Vec::new(), Vec::new(), Vec::new());
        for Draft { stored, told } in self.drafts {
            match stored {
                None => {
                    contacts.push((told.order.id, told.contact));
                    lines.extend(told.lines);
                    orders.push(told.order);
                }
                Some(stored) if stored != told => write_changes(tables, desk, &stored, &told)?,
                Some(_) => {}
            }
        }
        contacts.retain(|(_, contact)| *contact != Contact::default());
        let contacts: Vec<(OrderId, &Contact)> = contacts.iter().map(|(id, contact)| (*id, contact)).collect();
        let write_orders = |tables: &mut SellerTables| {
            tables.insert_orders(&orders)?;
            tables.insert_lines(&lines)
        };
        tables.insert_contacts_after(write_orders, &contacts)?;
        let told = |order: &Order| (order.id.0, json!({"order_number": order.order_number, "shop": desk.shop.name}));
        let told = orders.iter().map(told).collect();
        Ok(tables.tell_all(Change::OrderCreated, told, desk.moment.now)?)
    }
}

impl Facts {
    /// A row that comes on top of others.
    fn tell_again(&mut self, desk: &Desk<'_>, row: &OrderRow, repeat: usize) -> Outcome {
        let before = self.order.clone();
        let told = self.tell(desk, row, repeat);
        if told == Outcome::Unchanged && before == self.order {
            return Outcome::Unchanged;
        }
        self.order.updated_at = At(desk.moment.now);
        self.order.version += 1;
        Outcome::Updated
    }

    /// Tells whether anything but the head changed.
    fn tell(&mut self, desk: &Desk<'_>, row: &OrderRow, repeat: usize) -> Outcome {
        tell_head(&mut self.order, row);
        let contact = self.tell_contact(&row.contact);
        let mut line = if row.is_summary { Outcome::Unchanged } else { self.tell_line(&row.line, repeat) };
        for (place, more) in row.more_lines.iter().enumerate() {
            let alike = row.more_lines.iter().take(place).chain([&row.line]).filter(|it| it.sku == more.sku).count();
            line = line.max(self.tell_line(more, alike + repeat));
        }
        if line == Outcome::Unchanged {
            return contact;
        }
        sum_up(&mut self.order, &self.lines, desk);
        line
    }

    /// What was erased stays erased, whatever is told later.
    fn tell_contact(&mut self, told: &Contact) -> Outcome {
        if self.order.contact_erased_at.is_some() || *told == Contact::default() {
            return Outcome::Unchanged;
        }
        let before = self.contact.clone();
        self.contact = before.clone().edited(told.clone().into());
        changed(before != self.contact)
    }

    fn tell_line(&mut self, told: &OrderLine, repeat: usize) -> Outcome {
        let key = line_key(told, repeat);
        if let Some(line) = self.lines.iter_mut().find(|line| line.line_key == key) {
            return changed(tell_line(line, told));
        }
        if repeat == 1 && !self.lines.is_empty() && is_about_the_order(told) {
            let news = self.lines.iter_mut().filter_map(|line| tell_line(line, told).then_some(())).count();
            return changed(news > 0);
        }
        let next_no = self.lines.iter().map(|line| line.line_no).max().unwrap_or(0) + 1;
        let mut line = bare_line(&self.order, key, next_no);
        tell_line(&mut line, told);
        self.lines.push(line);
        Outcome::Created
    }
}

fn write_changes(tables: &mut SellerTables, desk: &Desk<'_>, stored: &Facts, told: &Facts) -> Result<(), TakeInError> {
    if stored.contact != told.contact {
        tables.put_contact(told.order.id, &told.contact)?;
    }
    // Lines are never taken away, so those on file come first.
    for (before, line) in stored.lines.iter().zip(&told.lines).filter(|(before, line)| before != line) {
        debug_assert_eq!(before.line_key, line.line_key);
        tables.update_line(line)?;
    }
    tables.insert_lines(told.lines.get(stored.lines.len()..).unwrap_or_default())?;
    super::order::write_head(tables, desk, &stored.order, &told.order)
}
