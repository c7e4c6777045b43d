//! Numbers that several sellers use, for admins: never for a seller, in any form.

use crate::domain::ids::SellerId;
use crate::store::shared_numbers::SharerRow;
use crate::store::{Reason, Store, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A number that stands on shipments of several sellers.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedNumber {
    pub carrier: String,
    pub number: String,
    pub first_seen_at: Timestamp,
    /// Whoever came first is first.
    pub sellers: Vec<Sharer>,
}

/// One of its sellers.
#[derive(Debug, Clone, PartialEq)]
pub struct Sharer {
    pub id: SellerId,
    pub name: String,
    pub first_seen_at: Timestamp,
}

/// A place in the list: a carrier's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPlace {
    carrier: String,
    number: String,
}

impl SharedNumber {
    pub fn place(&self) -> SharedPlace {
        SharedPlace { carrier: self.carrier.clone(), number: self.number.clone() }
    }
}

impl fmt::Display for SharedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.carrier, self.number)
    }
}

impl FromStr for SharedPlace {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (carrier, number) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self { carrier: carrier.to_owned(), number: number.to_owned() })
    }
}

/// Shared numbers behind a place, by carrier and number.
///
/// # Errors
///
/// [`StoreError`].
pub fn list_shared_numbers(
    store: &Store,
    after: Option<&SharedPlace>,
    limit: i64,
) -> Result<Vec<SharedNumber>, StoreError> {
    store.platform(Reason::Admin).read(|tables| {
        let after = after.map_or(("", ""), |it| (it.carrier.as_str(), it.number.as_str()));
        let shared = tables.shared_numbers(after, limit)?;
        let numbers: Vec<&str> = shared.iter().map(|it| it.number.as_str()).collect();
        let mut sharers: HashMap<(String, String), Vec<Sharer>> = HashMap::new();
        for SharerRow { carrier, number, seller_id, name, first_seen_at } in tables.sharers_of(&numbers)? {
            let of_number = sharers.entry((carrier, number)).or_default();
            if of_number.iter().all(|it| it.id != seller_id) {
                of_number.push(Sharer { id: seller_id, name, first_seen_at: first_seen_at.0 });
            }
        }
        let with_sellers = |it: crate::store::shared_numbers::SharedRow| SharedNumber {
            sellers: sharers.remove(&(it.carrier.clone(), it.number.clone())).unwrap_or_default(),
            carrier: it.carrier,
            number: it.number,
            first_seen_at: it.first_seen_at.0,
        };
        Ok(shared.into_iter().map(with_sellers).collect())
    })
}
