//! The status for a customer without the link, who names the order and proves to be its customer.

use super::{Status, StatusError, status_of};
use crate::domain::ids::ShopId;
use crate::domain::order::{email_key, postal_key};
use crate::domain::tracking_number::{self, Hints};
use crate::secrets::digest;
use crate::store::orders::Order;
use crate::store::{Reason, SellerTables, Store, StoreError};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

/// More orders of one shop than this are not in one parcel.
const MOST_ORDERS: i64 = 20;

/// What a customer asks.
#[derive(Debug, Clone)]
pub struct Question {
    /// The handle of a shop.
    pub shop: String,
    pub subject: Subject,
    pub proof: Proof,
}

/// What is asked about.
#[derive(Debug, Clone)]
pub enum Subject {
    OrderNumber(String),
    TrackingNumber(String),
}

/// What only the customer should know besides.
#[derive(Debug, Clone)]
pub enum Proof {
    Email(String),
    PostalCode(String),
}

/// The status of the order that is asked about; `None` for everything that is wrong, so that nobody finds out what: the
/// shop, the number, the proof, or that the order is erased or long over.
///
/// # Errors
///
/// [`StoreError`] alone.
pub fn look_up(store: &Store, question: &Question, now: Timestamp) -> Result<Option<Status>, StoreError> {
    let shop = store.platform(Reason::StatusLookUp).read(|tables| tables.shop_by_handle(question.shop.trim()))?;
    let Some((seller, shop)) = shop else { return Ok(None) };
    store.seller(seller).reserved().read(|tables| {
        for order in candidates(tables, shop, &question.subject)? {
            let proven = proves(tables, &order, &question.proof)?;
            // Made before it is known whether it may be told: a wrong proof costs what a right one costs.
            let status = match status_of(tables, order, now) {
                Ok(status) => Some(status),
                Err(StatusError::NotFound | StatusError::Gone) => None,
                Err(StatusError::Store(error)) => return Err(error),
            };
            if proven && status.is_some() {
                return Ok(status);
            }
        }
        Ok(None)
    })
}

fn candidates(tables: &mut SellerTables, shop: ShopId, subject: &Subject) -> Result<Vec<Order>, StoreError> {
    match subject {
        Subject::OrderNumber(number) => Ok(tables.order_by_number(shop, number.trim())?.into_iter().collect()),
        Subject::TrackingNumber(typed) => {
            let check = tracking_number::check(typed, &Hints::default());
            let spellings = [check.tracked_number().unwrap_or(typed), typed.trim()];
            tables.orders_under(shop, &spellings, MOST_ORDERS)
        }
    }
}

/// Compared by digest, so that the time taken tells nothing of how much was right.
fn proves(tables: &mut SellerTables, order: &Order, proof: &Proof) -> Result<bool, StoreError> {
    let contact = tables.contact(order.id)?.unwrap_or_default();
    let (on_file, told) = match proof {
        Proof::Email(email) => (contact.email_key(), email_key(email)),
        Proof::PostalCode(code) => (order.postal_code.as_deref().and_then(postal_key), postal_key(code)),
    };
    let known = on_file.is_some() && told.is_some() && order.contact_erased_at.is_none();
    let same = digest(&on_file.unwrap_or_default()).ct_eq(&digest(&told.unwrap_or_default()));
    Ok(known & bool::from(same))
}
