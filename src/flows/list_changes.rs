//! The feed of a seller's changes, oldest first, for those who ask instead of being told.
//!
//! A reader that goes on from the cursor it was given misses nothing and sees nothing twice, whoever writes meanwhile.

use crate::domain::ids::SellerId;
use crate::secrets::digest;
use crate::store::outbox::Change;
use crate::store::{Store, StoreError};
use std::fmt::Write as _;

pub use crate::store::outbox::Told;

/// Changes that one call looks at where it wants some kinds alone.
const MOST_LOOKED_AT: i64 = 10_000;

/// What a reader asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// A cursor of ours; from the beginning where absent.
    pub after: Option<String>,
    /// Kinds of change, with commas between; all where absent.
    pub types: Option<String>,
    pub limit: i64,
}

/// A part of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub changes: Vec<Told>,
    /// Where to go on: after the last of `changes`, or, where there are no more for now, after all that was looked at.
    pub next_cursor: String,
    pub has_more: bool,
}

/// Why the feed is not given.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("this is no cursor of your feed; send a next_cursor that it gave, or leave `after` out to start again")]
    Cursor,
    /// The database was put back to an older state: going on from here would miss what happens next.
    #[error(
        "this cursor is ahead of all that is known here, so the database was restored from a backup; leave `after` out \
         and start again"
    )]
    Ahead,
    /// Changes are kept for a time only.
    #[error(
        "changes after this cursor were deleted, because they are older than 90 days; leave `after` out to read all that is \
         kept, and compare your records with the lists of orders and shipments"
    )]
    TooOld,
    #[error("`{told}` is no type of change; the types are {known}")]
    Type { told: String, known: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The changes after a cursor.
///
/// # Errors
///
/// [`FeedError`]. A cursor of another seller is none of this one's: to take it for one would skip changes.
pub fn list_changes(store: &Store, seller: SellerId, asked: &Asked) -> Result<Feed, FeedError> {
    let after = asked.after.as_deref().map_or(Ok(0), |text| place_of(seller, text).ok_or(FeedError::Cursor))?;
    let kinds = asked.types.as_deref().map(kinds).transpose()?.unwrap_or_default();
    let (first, end, looked_at_to, mut changes) = store.seller(seller).read(|tables| {
        let first = tables.first_change()?.unwrap_or(1);
        // The end is read first: what is committed after that belongs to the next part.
        let end = tables.last_change()?;
        let start = after.max(first - 1);
        // Where few of many kinds are wanted, one part of the feed looks at no more than so many changes.
        let to = if kinds.is_empty() { end } else { end.min(start.saturating_add(MOST_LOOKED_AT)) };
        Ok::<_, StoreError>((first, end, to, tables.changes_between(start, to, &kinds, asked.limit.saturating_add(1))?))
    })?;
    if after > end {
        return Err(FeedError::Ahead);
    }
    if asked.after.is_some() && after > 0 && after < first - 1 {
        return Err(FeedError::TooOld);
    }
    let limit = usize::try_from(asked.limit).unwrap_or(0);
    let is_full = changes.len() > limit;
    changes.truncate(limit);
    let reached = if is_full { changes.last().map_or(after, |last| last.seq) } else { looked_at_to };
    Ok(Feed { changes, next_cursor: cursor(seller, reached), has_more: is_full || looked_at_to < end })
}

fn kinds(types: &str) -> Result<Vec<Change>, FeedError> {
    let known = || Change::ALL.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
    let kind = |told: &str| {
        let found = Change::ALL.iter().copied().find(|kind| kind.code() == told);
        found.ok_or_else(|| FeedError::Type { told: told.to_owned(), known: known() })
    };
    types.split(',').map(str::trim).map(kind).collect()
}

/// A place in a seller's feed, with digits that tell a cursor of this feed from a mistyped one or another seller's.
fn cursor(seller: SellerId, seq: i64) -> String {
    let mut text = format!("{seq}-");
    for byte in digest(&format!("changes of {seller} up to {seq}")).iter().take(6) {
        // Writing to a text does not fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

fn place_of(seller: SellerId, text: &str) -> Option<i64> {
    let (seq, _check) = text.split_once('-')?;
    seq.parse().ok().filter(|seq| cursor(seller, *seq) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::OrderId;
    use crate::store::on_both::{a_seller, on_both};
    use jiff::Timestamp;
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use uuid::Uuid;

    fn now() -> Timestamp {
        "2026-09-17T10:04:00Z".parse().unwrap()
    }

    fn seller(store: &Store) -> SellerId {
        a_seller(store, now())
    }

    fn tell(store: &Store, seller: SellerId, kinds: &[Change]) -> Vec<Uuid> {
        let told = store.seller(seller).write(|tables| {
            kinds
                .iter()
                .map(|kind| {
                    let subject = OrderId::new(now()).0;
                    tables.tell(*kind, subject, json!({}), now()).map(|()| subject)
                })
                .collect::<Result<Vec<_>, StoreError>>()
        });
        told.unwrap()
    }

    fn ask(store: &Store, seller: SellerId, after: Option<&str>, types: Option<&str>, limit: i64) -> Feed {
        let asked = Asked { after: after.map(str::to_owned), types: types.map(str::to_owned), limit };
        list_changes(store, seller, &asked).unwrap()
    }

    fn subjects(feed: &Feed) -> Vec<Uuid> {
        feed.changes.iter().map(|told| told.subject_id.0).collect()
    }

    #[test]
    fn a_reader_goes_on_where_it_stopped_also_at_the_end() {
        on_both(|store| {
            let seller = seller(store);
            let nothing = ask(store, seller, None, None, 2);
            assert_eq!((nothing.changes.len(), nothing.has_more), (0, false));

            let told = tell(store, seller, &[Change::OrderCreated, Change::VerdictChanged, Change::ImportCompleted]);
            let first = ask(store, seller, Some(&nothing.next_cursor), None, 2);
            assert_eq!((subjects(&first).as_slice(), first.has_more), (&told[..2], true));
            let second = ask(store, seller, Some(&first.next_cursor), None, 2);
            assert_eq!((subjects(&second).as_slice(), second.has_more), (&told[2..], false));
            let end = ask(store, seller, Some(&second.next_cursor), None, 2);
            assert_eq!((end.changes.len(), end.has_more), (0, false));

            let later = tell(store, seller, &[Change::OrderCreated]);
            assert_eq!(subjects(&ask(store, seller, Some(&end.next_cursor), None, 2)), later);
        });
    }

    #[test]
    fn who_asks_for_one_type_passes_by_the_others() {
        on_both(|store| {
            let seller = seller(store);
            let told = tell(store, seller, &[Change::OrderCreated, Change::VerdictChanged, Change::OrderCreated]);
            let types = Some("shipment.verdict_changed, import.completed");
            let feed = ask(store, seller, None, types, 1);
            assert_eq!((subjects(&feed).as_slice(), feed.has_more), (&told[1..2], false));
            let rest = ask(store, seller, Some(&feed.next_cursor), None, 10);
            assert!(rest.changes.is_empty(), "the cursor is past what was looked at: {rest:?}");
        });
    }

    #[test]
    fn a_cursor_that_is_not_of_this_feed_is_refused() {
        on_both(|store| {
            let (mine, theirs) = (seller(store), seller(store));
            tell(store, mine, &[Change::OrderCreated; 3]);
            tell(store, theirs, &[Change::OrderCreated; 3]);
            let own = ask(store, mine, None, None, 2).next_cursor;
            let foreign = ask(store, theirs, None, None, 2).next_cursor;
            let moved = own.replacen('2', "1", 1);
            for wrong in [
                foreign.as_str(),
                &moved,
                "",
                "2",
                "-",
                "2-",
                own.trim_start_matches('2'),
                &format!("{own}0"),
                "9223372036854775808-0",
            ] {
                let asked = Asked { after: Some(wrong.to_owned()), types: None, limit: 2 };
                let refused = list_changes(store, mine, &asked);
                assert!(matches!(refused, Err(FeedError::Cursor)), "{wrong}: {refused:?}");
            }
            let ahead = Asked { after: Some(cursor(mine, 4)), types: None, limit: 2 };
            assert!(matches!(list_changes(store, mine, &ahead), Err(FeedError::Ahead)));
        });
    }

    #[test]
    fn what_is_taken_back_is_not_told_and_the_rest_keeps_its_order() {
        on_both(|store| {
            let seller = seller(store);
            let subjects_told: Vec<Uuid> = (0..3).map(|_| OrderId::new(now()).0).collect();
            let told = store.seller(seller).write(|tables| {
                tables.tell(Change::OrderCreated, subjects_told[0], json!({}), now())?;
                let taken_back: Result<(), StoreError> = tables.savepoint(|tables| {
                    tables.tell(Change::OrderCreated, subjects_told[1], json!({}), now())?;
                    Err(StoreError::Full)
                });
                assert!(taken_back.is_err());
                tables.savepoint(|tables| tables.tell(Change::OrderCreated, subjects_told[2], json!({}), now()))
            });
            told.unwrap();
            let feed = ask(store, seller, None, None, 10);
            assert_eq!(subjects(&feed), [subjects_told[0], subjects_told[2]]);
            assert!(feed.changes.is_sorted_by_key(|it| it.seq));
        });
    }

    #[test]
    fn a_change_that_is_being_written_while_the_reader_reads_is_not_missed() {
        on_both(|store| {
            let seller = seller(store);
            let (told, may_commit) = (mpsc::channel(), mpsc::channel());
            let cursor = std::thread::scope(|scope| {
                scope.spawn(move || {
                    let kept: Result<(), StoreError> = store.seller(seller).write(|tables| {
                        tables.tell(Change::OrderCreated, Uuid::nil(), json!({}), now())?;
                        told.0.send(()).unwrap();
                        may_commit.1.recv().unwrap();
                        Ok(())
                    });
                    kept.unwrap();
                });
                told.1.recv().unwrap();
                let cursor = ask(store, seller, None, None, 10).next_cursor;
                may_commit.0.send(()).unwrap();
                cursor
            });
            tell(store, seller, &[Change::VerdictChanged]);
            let feed = ask(store, seller, Some(&cursor), None, 10);
            let kinds: Vec<_> = feed.changes.iter().map(|it| it.kind.as_str()).collect();
            assert_eq!(kinds, ["order.created", "shipment.verdict_changed"]);
        });
    }

    #[test]
    fn a_reader_beside_many_writers_misses_nothing_and_sees_nothing_twice() {
        const WRITERS: usize = 6;
        on_both(|store| {
            let seller = seller(store);
            let at_work = AtomicUsize::new(WRITERS);
            let (mut written, read) = std::thread::scope(|scope| {
                let writers: Vec<_> = (0..WRITERS)
                    .map(|writer| {
                        let at_work = &at_work;
                        scope.spawn(move || {
                            let turns = (0..20)
                                .map(|turn| tell(store, seller, &[Change::OrderCreated; 3][..=(writer + turn) % 3]));
                            let told: Vec<Uuid> = turns.flatten().collect();
                            at_work.fetch_sub(1, Ordering::SeqCst);
                            told
                        })
                    })
                    .collect();
                let (mut read, mut cursor) = (Vec::new(), None);
                loop {
                    let last_round = at_work.load(Ordering::SeqCst) == 0;
                    let feed = ask(store, seller, cursor.as_deref(), None, 7);
                    read.extend(subjects(&feed));
                    cursor = Some(feed.next_cursor);
                    if last_round && !feed.has_more {
                        break;
                    }
                }
                let written: Vec<Uuid> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
                (written, read)
            });
            let mut seen = read;
            seen.sort_unstable();
            written.sort_unstable();
            assert_eq!(seen, written);
        });
    }
}
