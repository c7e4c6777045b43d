//! Checks what must hold over the whole database, whatever happened to the process before.

use crate::domain::chain;
use crate::domain::ids::{SellerId, ShipmentId};
use crate::flows::record_events::{Moment, derive};
use crate::store::audit::AuditRow;
use crate::store::events::ChainedEvent;
use crate::store::sellers::Seller;
use crate::store::standings::StandingRow;
use crate::store::{Reason, SellerTables, Store, StoreError};
use jiff::Timestamp;
use serde::Serialize;

/// What was looked at, and what does not hold.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    pub sellers: usize,
    pub shipments: usize,
    pub trackers: usize,
    pub imports: usize,
    /// Rows of the audit log.
    pub audit_rows: usize,
    /// One sentence a break.
    pub breaks: Vec<String>,
}

const PAGE: i64 = 1000;

/// Goes over every seller.
///
/// # Errors
///
/// [`StoreError`] where the database cannot be read to its end.
pub fn check_invariants(store: &Store, now: Timestamp) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    for seller in store.platform(Reason::Admin).read(|tables| tables.sellers())? {
        findings.sellers += 1;
        store.seller(seller.id).read(|tables| {
            check_shipments(tables, &seller, now, &mut findings)?;
            check_doubts(tables, seller.id, &mut findings)?;
            check_chains(tables, seller.id, &mut findings)?;
            check_imports(tables, seller.id, &mut findings)?;
            let whose = format!("seller {}", seller.id);
            check_audit(|after| tables.audit_page(after, PAGE), &whose, &mut findings)
        })?;
    }
    store
        .platform(Reason::Admin)
        .read(|tables| check_audit(|after| tables.own_audit_page(after, PAGE), "the platform", &mut findings))?;
    Ok(findings)
}

/// Each event carries the hash of all before it, and of its details where they are still on file.
fn check_chains(tables: &mut SellerTables, seller: SellerId, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = tables.tracker_ids(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for tracker in page {
            findings.trackers += 1;
            if let Some(number) = broken_link(&tables.chain(tracker)?) {
                findings
                    .breaks
                    .push(format!("tracker {tracker} of seller {seller}: its chain breaks at event {number}"));
            }
        }
    }
}

/// The number of the first event that is not what its chain says.
fn broken_link(chained: &[ChainedEvent]) -> Option<i64> {
    let mut before: Option<&[u8]> = None;
    for (number, it) in (1..).zip(chained) {
        let hash = chain::link(before, &it.event, it.details_digest.as_deref());
        let details_hold = it.details_on_file.is_none_or(|on_file| it.details_digest.as_deref() == Some(&on_file));
        if it.chain_no != number || it.chain_hash != hash || !details_hold {
            return Some(number);
        }
        before = Some(&it.chain_hash);
    }
    None
}

fn check_audit(
    mut page: impl FnMut(i64) -> Result<Vec<AuditRow>, StoreError>,
    whose: &str,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let (mut number, mut before): (i64, Option<Vec<u8>>) = (0, None);
    loop {
        let rows = page(number)?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            number += 1;
            findings.audit_rows += 1;
            if row.chain_no != number || row.chain_hash != row.link(before.as_deref()) {
                findings.breaks.push(format!("the audit log of {whose} breaks at row {}", row.chain_no));
                return Ok(());
            }
            before = Some(row.chain_hash);
        }
    }
}

fn check_shipments(
    tables: &mut SellerTables,
    seller: &Seller,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = tables.shipment_ids(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(*last);
        for shipment in page {
            findings.shipments += 1;
            if let Some(broken) = broken_shipment(tables, seller, shipment, now)? {
                findings.breaks.push(broken);
            }
        }
    }
}

/// The stored standing must be what the events say: as of when it was judged, and still now unless it is due.
fn broken_shipment(
    tables: &mut SellerTables,
    seller: &Seller,
    id: ShipmentId,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let gone = |what: &str| Ok(Some(format!("shipment {id} of seller {} has no {what}", seller.id)));
    let Some(shipment) = tables.shipment(id)? else { return gone("row") };
    let Some(order) = tables.order(shipment.order_id)? else { return gone("order") };
    let Some(stored) = tables.standing(id)? else { return gone("standing") };
    let legs = tables.legs(id)?;
    let Some(leg) = legs.first() else { return gone("leg") };
    if leg.number != shipment.tracking_number {
        let (goes, follows) = (&shipment.tracking_number, &leg.number);
        return Ok(Some(format!("shipment {id} of seller {} goes under {goes}, but {follows} is followed", seller.id)));
    }
    let due = stored.reconsider_at.is_some_and(|at| at.0 <= now);
    let judged_at = if due { stored.judged_at.0 } else { now };
    let moment = Moment { now: judged_at, seller_zone: seller.zone() };
    let rebuilt = StandingRow::of(seller.id, id, &derive(tables, &moment, &shipment, &order)?);
    let holds = stored.says_the_same_as(&rebuilt);
    Ok((!holds).then(|| {
        format!(
            "shipment {id} of seller {}: stored {} / {}, but its events say {} / {}",
            seller.id, stored.milestone, stored.verdict, rebuilt.milestone, rebuilt.verdict
        )
    }))
}

/// No number of a cancelled shipment is in doubt.
fn check_doubts(tables: &mut SellerTables, seller: SellerId, findings: &mut Findings) -> Result<(), StoreError> {
    for (shipment, code) in tables.doubts_left_over(PAGE)? {
        findings.breaks.push(format!("shipment {shipment} of seller {seller}: cancelled, and still in doubt: {code}"));
    }
    Ok(())
}

/// Rows in = created + updated + unchanged + rejected = row results on file.
fn check_imports(tables: &mut SellerTables, seller: SellerId, findings: &mut Findings) -> Result<(), StoreError> {
    let mut before = None;
    loop {
        let page = tables.imports_page(before, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        before = Some(last.id);
        for import in page {
            findings.imports += 1;
            if import.expired_at.is_some() {
                continue;
            }
            let on_file = tables.count_import_rows(import.id)?;
            let finished = import.state == "completed";
            if on_file != import.rows_done() || (finished && import.rows_total != import.rows_done()) {
                findings.breaks.push(format!(
                    "import {} of seller {seller}: {} rows in, {} done, {on_file} row results",
                    import.id,
                    import.rows_total,
                    import.rows_done()
                ));
            }
        }
    }
}
