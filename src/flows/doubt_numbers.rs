//! Looks, once a day, for blocks of labels that no carrier ever scanned: numbers that were made up, or printed and not used.
//!
//! It looks at the labels of the last fourteen days. The first scan of such a label settles the doubt at the gate, and so
//! does a cancellation; nothing is settled here.

use crate::domain::doubt::{Block, Doubt, DoubtCode, Finding, Label, never_scanned};
use crate::domain::event_time::EventTime;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::flows::record_events::doubts::is_live;
use crate::store::doubts::RecentLabel;
use crate::store::sellers::Seller;
use crate::store::standings::first_scan_in;
use crate::store::{Reason, SellerTables, Store, StoreError};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// So far back, from the day on which a label was uploaded.
const WINDOW: SignedDuration = SignedDuration::from_hours(14 * 24);
const PAGE: i64 = 2000;
/// So many labels of one seller are looked at, the oldest of the window first.
const MOST_LABELS: usize = 100_000;
/// So many shipments are written in one transaction.
const A_BATCH: usize = 200;

/// Looks at the labels of every seller; tells how many shipments are in doubt that were not before.
///
/// # Errors
///
/// [`StoreError`] where the sellers cannot be listed; one whose labels cannot be read keeps no other waiting.
pub fn doubt_numbers(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut doubted = 0;
    for seller in store.platform(Reason::JobClaim).read(|tables| tables.sellers())? {
        match doubt_labels_of(store, &seller, now) {
            Ok(count) => doubted += count,
            Err(error) => tracing::error!(seller = %seller.id, %error, "a seller's labels could not be looked at"),
        }
    }
    Ok(doubted)
}

fn doubt_labels_of(store: &Store, seller: &Seller, now: Timestamp) -> Result<usize, StoreError> {
    let since = now.checked_sub(WINDOW).unwrap_or(now);
    let (ids, labels) = store.seller(seller.id).read(|tables| labels_since(tables, since, &seller.zone()))?;
    let mut doubted = 0;
    for block in never_scanned(&labels, now) {
        let members: Vec<ShipmentId> = block.labels.iter().filter_map(|at| ids.get(*at).copied()).collect();
        let doubt = doubt_of(&block);
        for batch in members.chunks(A_BATCH) {
            doubted += doubt_batch(store, seller.id, batch, &doubt, now)?;
        }
    }
    Ok(doubted)
}

fn labels_since(
    tables: &mut SellerTables,
    since: Timestamp,
    zone: &TimeZone,
) -> Result<(Vec<ShipmentId>, Vec<Label>), StoreError> {
    let (mut ids, mut labels, mut after) = (Vec::new(), Vec::new(), None);
    while labels.len() < MOST_LABELS {
        let page = tables.recent_labels(since, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.shipment_id);
        ids.extend(page.iter().map(|it| it.shipment_id));
        labels.extend(page.into_iter().map(|it| label(it, zone)));
    }
    Ok((ids, labels))
}

fn label(told: RecentLabel, zone: &TimeZone) -> Label {
    let shipped = told.shipped.0.as_deref().and_then(|local| EventTime::from_texts(local, told.shipped.1.as_deref()));
    let shipped_at = shipped.map_or(told.created_at.0, |it| it.instant_in(zone));
    Label {
        used_at: shipped_at.max(told.created_at.0),
        scanned_at: first_scan_in(&told.standing).map(|it| it.sort_instant()),
        asked_at: told.last_checked_at.filter(|_| told.failed_checks == 0).map(Timestamp::from),
        carrier: told.carrier,
        number: told.number,
    }
}

fn doubt_of(block: &Block) -> Doubt {
    Doubt::BlockNeverScanned {
        first: block.first.clone(),
        last: block.last.clone(),
        numbers: u64::try_from(block.numbers).unwrap_or(u64::MAX),
    }
}

/// Writes the doubt to those of a block that are not in just this doubt already. What was scanned or cancelled since the
/// labels were read is left out.
fn doubt_batch(
    store: &Store,
    seller: SellerId,
    batch: &[ShipmentId],
    doubt: &Doubt,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let code = DoubtCode::BlockNeverScanned;
    let seller = store.seller(seller);
    let open = seller.read(|tables| tables.open_doubts(batch))?;
    let is_said = |id: &ShipmentId| open.get(id).is_some_and(|doubts| doubts.iter().any(|it| it.doubt == *doubt));
    let news: Vec<ShipmentId> = batch.iter().copied().filter(|id| !is_said(id)).collect();
    if news.is_empty() {
        return Ok(0);
    }
    seller.write(|tables| {
        let stored = tables.doubts(&news)?;
        let mut doubted = 0;
        for id in &news {
            if is_unscanned(tables, *id)? {
                tables.note_doubt(*id, &stored, (code, &Finding::Doubted(doubt.clone())), now)?;
                doubted += usize::from(!open.get(id).is_some_and(|it| it.iter().any(|it| it.doubt.code() == code)));
            }
        }
        Ok(doubted)
    })
}

fn is_unscanned(tables: &mut SellerTables, id: ShipmentId) -> Result<bool, StoreError> {
    let Some(shipment) = tables.shipment(id)? else { return Ok(false) };
    let Some(order) = tables.order(shipment.order_id)? else { return Ok(false) };
    let scanned = tables.standing(id)?.is_some_and(|it| it.first_scan().is_some());
    Ok(is_live(&shipment, &order) && !scanned)
}

#[cfg(test)]
mod tests;
