//! Asks sources about the numbers that are due, and takes their answers through the gate.
//!
//! A source that fails is a fact about the source: the parcel's standing stays, and it is asked again later.

use crate::carriers::{Answer, Asked, CarrierApi, Reply, Runner};
use crate::domain::carrier::CarrierSlug;
use crate::domain::ids::{SellerId, TrackerId};
use crate::domain::milestone::Milestone;
use crate::domain::scan::{Scan, Source};
use crate::flows::record_events::{Moment, record_events};
use crate::store::trackers::Tracker;
use crate::store::{Reason, SellerTables, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

const BATCH: i64 = 200;
/// So long a worker that died keeps others from asking.
const HOLD: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// Claims what is due, asks, and records; tells how many numbers were asked about. Once `stopping` has come to its end,
/// nobody is waited for any more: what was claimed and not answered is let go of.
///
/// # Errors
///
/// [`StoreError`]; the claims run out by themselves.
pub async fn poll_carriers(
    store: &Arc<Store>,
    runner: &Runner,
    source: &dyn CarrierApi,
    clock: impl Fn() -> Timestamp,
    stopping: impl Future<Output = ()>,
) -> Result<usize, StoreError> {
    let now = clock();
    let until = now.saturating_add(HOLD).unwrap_or(now);
    let claimed = blocking(store, move |store| {
        store.platform(Reason::JobClaim).write(|tables| tables.claim_trackers(now, until, BATCH))
    })
    .await?;
    let mut by_number: HashMap<Asked, Vec<Tracker>> = HashMap::new();
    for tracker in claimed {
        let carrier = CarrierSlug::from_stored(tracker.carrier.clone());
        by_number.entry(Asked { carrier, number: tracker.number.clone() }).or_default().push(tracker);
    }
    let asked: Vec<Asked> = by_number.keys().cloned().collect();
    if asked.is_empty() {
        return Ok(0);
    }
    let replies = tokio::select! {
        replies = runner.ask(source, &asked) => replies,
        () = stopping => {
            let held: Vec<_> = by_number.into_values().flatten().map(|it| (it.seller_id, it.id, until)).collect();
            blocking(store, move |store| let_go(store, &held)).await?;
            return Ok(0);
        }
    };
    for reply in replies {
        let trackers = reply.covers.iter().filter_map(|asked| by_number.remove(asked)).flatten().collect();
        let now = clock();
        blocking(store, move |store| {
            take_reply(store, trackers, &reply, now);
            Ok(())
        })
        .await?;
    }
    Ok(asked.len())
}

fn let_go(store: &Store, held: &[(SellerId, TrackerId, Timestamp)]) -> Result<(), StoreError> {
    store.platform(Reason::JobClaim).write(|tables| tables.let_go_of_trackers(held))
}

async fn blocking<T: Send + 'static>(
    store: &Arc<Store>,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = Arc::clone(store);
    let done = tokio::task::spawn_blocking(move || work(&store)).await;
    done.unwrap_or_else(|error| Err(StoreError::Refused(error.to_string())))
}

fn take_reply(store: &Store, trackers: Vec<Tracker>, reply: &Reply, now: Timestamp) {
    if let Err(error) = &reply.answer {
        tracing::warn!(%error, "a source could not be asked");
    }
    for tracker in trackers {
        let taken = store.seller(tracker.seller_id).write(|tables| match &reply.answer {
            Ok(answer) => take_answer(tables, &tracker, answer, now),
            Err(error) => try_later(tables, &tracker, error.wait(), now),
        });
        if let Err(error) = taken {
            // One that cannot be written must not cost the others their news; its claim runs out by itself.
            tracing::error!(tracker = %tracker.id, %error, "news of a parcel could not be written");
        }
    }
}

fn take_answer(
    tables: &mut SellerTables,
    tracker: &Tracker,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let parcel = answer.parcels.iter().find(|parcel| parcel.number == tracker.number);
    if parcel.is_none_or(|parcel| parcel.error.as_ref().is_some_and(|error| error.code == "no_answer")) {
        return try_later(tables, tracker, answer.retry_after, now);
    }
    let scans: &[Scan] = parcel.map_or(&[], |parcel| &parcel.scans);
    let moment = Moment::of_seller(tables, now)?;
    // Each answer tells the whole story again, so nearly always there is nothing new and nothing to judge.
    let news = record_events(tables, &moment, tracker, scans, Source::Poll)?;
    if news > 0 {
        tracing::debug!(number = tracker.number, news, "news of a parcel");
    }
    tables.note_check(tracker.id, now, 0)?;
    if is_still_asked(tables, tracker)? {
        let next = now.saturating_add(pause_after(tables, tracker)?).unwrap_or(now);
        tables.schedule_check(tracker.id, Some(next))?;
    }
    Ok(())
}

fn is_still_asked(tables: &mut SellerTables, tracker: &Tracker) -> Result<bool, StoreError> {
    Ok(tables.tracker_by_id(tracker.id)?.is_some_and(|it| it.next_check_at.is_some()))
}

/// How long until a number is asked about again: the nearer the door, the shorter.
fn pause_after(tables: &mut SellerTables, tracker: &Tracker) -> Result<SignedDuration, StoreError> {
    let shipment = tables.shipments_under(tracker.id)?.first().copied();
    let standing = shipment.map(|id| tables.standing(id)).transpose()?.flatten();
    let milestone = standing.and_then(|it| it.milestone.parse().ok()).unwrap_or(Milestone::Pending);
    Ok(SignedDuration::from_hours(match milestone {
        Milestone::OutForDelivery => 1,
        Milestone::InTransit | Milestone::FailedAttempt | Milestone::AvailableForPickup => 4,
        Milestone::Pending
        | Milestone::InfoReceived
        | Milestone::Exception
        | Milestone::Returned
        | Milestone::Delivered => 6,
    }))
}

fn try_later(
    tables: &mut SellerTables,
    tracker: &Tracker,
    wait: Option<std::time::Duration>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = tracker.failed_checks.saturating_add(1);
    let doublings = u32::try_from(failed.clamp(1, 10)).unwrap_or(1);
    let pause = SignedDuration::from_mins(2_i64.saturating_pow(doublings)).min(LONGEST_PAUSE);
    let told = wait.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or(SignedDuration::ZERO);
    tables.note_check(tracker.id, now, failed)?;
    if !is_still_asked(tables, tracker)? {
        return Ok(());
    }
    tables.schedule_check(tracker.id, Some(now.saturating_add(pause.max(told)).unwrap_or(now)))
}
