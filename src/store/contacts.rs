//! Contacts: who gets the parcels of an order. Sealed, found by keyed hash, and erased on their own.

use super::bulk;
use super::schema::{order_contacts, orders, shops};
use super::types::{At, sql};
use super::{PlatformTables, SellerTables, StoreError};
use crate::domain::ids::{OrderId, SellerId};
use crate::domain::order::Contact;
use crate::secrets::Vault;
use diesel::prelude::*;
use jiff::Timestamp;
use std::collections::HashMap;

/// A contact as it lies in the database.
#[derive(Insertable)]
#[diesel(table_name = order_contacts, treat_none_as_default_value = false)]
pub(super) struct ContactRow {
    pub(super) seller_id: SellerId,
    pub(super) order_id: OrderId,
    pub(super) sealed: Vec<u8>,
    pub(super) email_hash: Option<Vec<u8>>,
    pub(super) phone_hash: Option<Vec<u8>>,
}

/// So many contacts are worth a thread that seals them.
const WORTH_A_THREAD: usize = 50;

/// By what a person is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    Email,
    Phone,
}

fn purpose(order: OrderId) -> Vec<u8> {
    [b"contact".as_slice(), order.0.as_bytes()].concat()
}

fn sealed(vault: &Vault, seller_id: SellerId, contacts: &[(OrderId, &Contact)]) -> Result<Vec<ContactRow>, StoreError> {
    let row = |(order_id, contact): &(OrderId, &Contact)| -> Result<ContactRow, StoreError> {
        Ok(ContactRow {
            seller_id,
            order_id: *order_id,
            sealed: vault.seal_document(&purpose(*order_id), contact)?,
            email_hash: contact.email_key().map(|key| vault.find_by("email", &key)),
            phone_hash: contact.phone_key().map(|key| vault.find_by("phone", &key)),
        })
    };
    contacts.iter().map(row).collect()
}

impl SellerTables<'_> {
    /// `None` where nothing is known of whom it goes to, or it was erased.
    pub fn contact(&mut self, order: OrderId) -> Result<Option<Contact>, StoreError> {
        let mine = order_contacts::table
            .filter(order_contacts::seller_id.eq(self.seller))
            .filter(order_contacts::order_id.eq(order));
        let sealed: Option<Vec<u8>> = mine.select(order_contacts::sealed).get_result(self.connection).optional()?;
        sealed.map(|sealed| self.open(&purpose(order), &sealed)).transpose()
    }

    /// Writes a contact over the one on file.
    pub fn put_contact(&mut self, order: OrderId, contact: &Contact) -> Result<(), StoreError> {
        self.insert_contacts_after(|tables| tables.delete_contact(order).map(drop), &[(order, contact)])
    }

    /// Writes the contacts of orders that have none on file, after what must be written first, such as the orders. Many are
    /// sealed beside that.
    pub fn insert_contacts_after(
        &mut self,
        write_first: impl FnOnce(&mut Self) -> Result<(), StoreError>,
        contacts: &[(OrderId, &Contact)],
    ) -> Result<(), StoreError> {
        let (vault, seller) = (self.vault()?, self.seller);
        let rows = if contacts.len() < WORTH_A_THREAD {
            write_first(self)?;
            sealed(&vault, seller, contacts)?
        } else {
            std::thread::scope(|scope| {
                let sealing = scope.spawn(|| sealed(&vault, seller, contacts));
                write_first(self)?;
                sealing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })?
        };
        Ok(bulk::insert_contacts(self.connection, &rows)?)
    }

    /// The contacts of many orders; those of whom nothing is known are left out.
    pub fn contacts_of(&mut self, orders: &[OrderId]) -> Result<HashMap<OrderId, Contact>, StoreError> {
        let found = order_contacts::table
            .filter(order_contacts::seller_id.eq(self.seller))
            .filter(order_contacts::order_id.eq_any(orders));
        let found: Vec<(OrderId, Vec<u8>)> =
            found.select((order_contacts::order_id, order_contacts::sealed)).load(self.connection)?;
        let vault = self.vault()?;
        found.into_iter().map(|(order, sealed)| Ok((order, vault.open_document(&purpose(order), &sealed)?))).collect()
    }

    pub fn delete_contact(&mut self, order: OrderId) -> Result<bool, StoreError> {
        let mine = order_contacts::table
            .filter(order_contacts::seller_id.eq(self.seller))
            .filter(order_contacts::order_id.eq(order));
        Ok(diesel::delete(mine).execute(self.connection)? > 0)
    }

    /// The orders that go to the person of this e-mail address or telephone number, oldest first, `limit` after `after`.
    pub fn orders_to(
        &mut self,
        (by, key): (FoundBy, &str),
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<Vec<OrderId>, StoreError> {
        let vault = self.vault()?;
        let mut query = order_contacts::table.filter(order_contacts::seller_id.eq(self.seller)).into_boxed();
        query = match by {
            FoundBy::Email => query.filter(order_contacts::email_hash.eq(vault.find_by("email", key))),
            FoundBy::Phone => query.filter(order_contacts::phone_hash.eq(vault.find_by("phone", key))),
        };
        if let Some(after) = after {
            query = query.filter(order_contacts::order_id.gt(after));
        }
        let page = query.order(order_contacts::order_id).limit(limit).select(order_contacts::order_id);
        Ok(page.load(self.connection)?)
    }

    /// Marks an order as erased: what is uploaded later brings its contact back no more.
    pub fn note_contact_erased(&mut self, order: OrderId, now: Timestamp) -> Result<(), StoreError> {
        let mine = orders::table.filter(orders::seller_id.eq(self.seller)).filter(orders::id.eq(order));
        let erased = (
            orders::contact_erased_at.eq(Some(At(now))),
            orders::postal_code.eq(None::<String>),
            orders::version.eq(orders::version + 1),
        );
        diesel::update(mine).set(erased).execute(self.connection)?;
        Ok(())
    }

    /// Orders whose contacts have been kept for as long as their shop keeps them: nothing of them is under way, and
    /// nothing changed since then. So is what carriers wrote about their parcels, where there is no contact.
    pub fn overdue_contacts(&mut self, now: Timestamp, limit: i64) -> Result<Vec<OrderId>, StoreError> {
        #[derive(QueryableByName)]
        struct Overdue {
            #[diesel(sql_type = sql::Id)]
            order_id: OrderId,
        }
        let mut overdue = Vec::new();
        for shop in self.shops()? {
            let Some(days) = shop.contact_days else { continue };
            let cutoff = now.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now);
            let statement = format!(
                "SELECT o.id AS order_id FROM orders o WHERE o.seller_id = $1 AND o.shop_id = $2 AND o.updated_at < $3 \
                 AND o.contact_erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM shipments s \
                 JOIN standings t ON t.seller_id = s.seller_id AND t.shipment_id = s.id \
                 WHERE s.seller_id = o.seller_id AND s.order_id = o.id AND (t.is_open OR t.judged_at >= $3)) \
                 ORDER BY o.id LIMIT {limit}"
            );
            let found: Vec<Overdue> = diesel::sql_query(statement)
                .bind::<sql::Id, _>(self.seller)
                .bind::<sql::Id, _>(shop.id)
                .bind::<sql::Instant, _>(At(cutoff))
                .load(self.connection)?;
            overdue.extend(found.into_iter().map(|row| row.order_id));
        }
        Ok(overdue)
    }
}

impl PlatformTables<'_> {
    /// Sellers with a shop that keeps contacts for a time only.
    pub fn sellers_that_forget(&mut self) -> Result<Vec<SellerId>, StoreError> {
        let forget = shops::table.filter(shops::contact_days.is_not_null()).select(shops::seller_id).distinct();
        Ok(forget.load(self.connection)?)
    }
}
