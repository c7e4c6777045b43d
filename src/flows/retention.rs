//! Shortens what only grows: the feed of changes, and the headers of imports whose files and rows are long deleted. Piece by
//! piece, so that no write waits long.
//!
//! The audit log is not shortened: each of its rows proves the one before it.

use crate::store::{Reason, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// A change is kept so long for those who read the feed. Who reads later is refused, and starts again.
pub const CHANGES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// The header of an import is kept so long after its file and rows were deleted.
const IMPORT_HEADERS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);
/// Rows in one transaction.
const PIECE: i64 = 1_000;

/// Deletes changes that are older than ninety days, but never a seller's last one, which counts on. Returns how many.
///
/// # Errors
///
/// [`StoreError`]; the next call does the rest.
pub fn shorten_changes(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let before = now.saturating_sub(CHANGES_KEPT).unwrap_or(now);
    let mut deleted = 0;
    for seller in store.platform(Reason::Retention).read(|tables| tables.seller_ids())? {
        while let Some(end) = store.seller(seller).read(|tables| tables.old_changes_end(before, PIECE))? {
            deleted += store.seller(seller).write(|tables| tables.delete_changes_to(end))?;
        }
    }
    Ok(deleted)
}

/// Deletes the headers of imports that expired more than four hundred days ago. Returns how many.
///
/// # Errors
///
/// [`StoreError`]; the next call does the rest.
pub fn delete_import_headers(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let before = now.saturating_sub(IMPORT_HEADERS_KEPT).unwrap_or(now);
    let mut deleted = 0;
    loop {
        let piece = store.platform(Reason::Retention).write(|tables| tables.delete_imports_expired(before, PIECE))?;
        deleted += piece;
        if piece == 0 {
            return Ok(deleted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ImportId, OrderId, PrincipalId, SellerId, ShopId};
    use crate::store::imports::{About, Import};
    use crate::store::on_both::{a_seller, on_both};
    use crate::store::outbox::Change;
    use crate::store::{At, Json};
    use jiff::ToSpan;
    use serde_json::json;

    fn day(number: i64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start.checked_add((number * 24).hours()).unwrap()
    }

    #[test]
    fn old_changes_go_and_the_last_one_stays() {
        on_both(|store| {
            let (one, other) = (a_seller(store, day(0)), a_seller(store, day(0)));
            let change = |seller, at| {
                let body = json!({});
                let id = OrderId::new(at).0;
                store.seller(seller).write(|tables| tables.tell(Change::OrderCreated, id, body, at)).unwrap();
            };
            for number in 0..5 {
                change(one, day(number));
            }
            change(one, day(100));
            change(other, day(0));
            assert_eq!(shorten_changes(store, day(92)).unwrap(), 2, "days 0 and 1 of one; of the other the last stays");
            let left = |seller| {
                let all = store.seller(seller).read(|tables| tables.changes_between(0, i64::MAX, &[], 100)).unwrap();
                all.iter().map(|change| change.seq).collect::<Vec<_>>()
            };
            assert_eq!((left(one), left(other)), (vec![3, 4, 5, 6], vec![1]));
            assert_eq!(shorten_changes(store, day(400)).unwrap(), 3);
            change(one, day(400));
            assert_eq!(left(one), [6, 7], "the count goes on");
        });
    }

    fn expired_import(seller_id: SellerId, shop_id: ShopId, expired_at: Option<Timestamp>) -> Import {
        Import {
            seller_id,
            id: ImportId::new(day(0)),
            shop_id,
            kind: None,
            state: "completed".to_owned(),
            dry_run: false,
            options: Json(json!({})),
            about: About::default(),
            file_bytes: 0,
            unpacked_bytes: None,
            problems: Json(json!({})),
            cursor_line: 0,
            rows_total: 0,
            rows_created: 0,
            rows_updated: 0,
            rows_unchanged: 0,
            rows_rejected: 0,
            rows_warned: 0,
            uploaded_by: PrincipalId::SYSTEM,
            created_at: At(day(0)),
            finished_at: Some(At(day(0))),
            claimed_until: None,
            claim: None,
            claims: 0,
            expired_at: expired_at.map(At),
            file_erased_at: None,
            proved: false,
            undone_at: None,
        }
    }

    #[test]
    fn only_headers_of_long_expired_imports_go() {
        on_both(|store| {
            let seller = a_seller(store, day(0));
            let shop = store.seller(seller).read(|tables| tables.shops()).unwrap().remove(0).id;
            let import = |expired_at| {
                let import = expired_import(seller, shop, expired_at);
                store.seller(seller).write(|tables| tables.insert_import(&import)).unwrap();
                import.id
            };
            let (old, young, kept): (ImportId, ImportId, ImportId) =
                (import(Some(day(1))), import(Some(day(300))), import(None));
            assert_eq!(delete_import_headers(store, day(402)).unwrap(), 1);
            let is_there = |id| store.seller(seller).read(|tables| tables.import(id)).unwrap().is_some();
            assert_eq!([old, young, kept].map(is_there), [false, true, true]);
        });
    }
}
