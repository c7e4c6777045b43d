//! A chunk taken in at once comes to the same as its rows one after the other.

use super::super::tests::now;
use super::*;
use crate::domain::ids::SellerId;
use crate::flows::record_events::Moment;
use crate::secrets::{Secrets, StatusTokens};
use crate::sheets::{self, Neighbours};
use crate::store::on_both::{a_seller, on_both};
use crate::store::{SellerStore, Store, StoreError};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const TERMS: Terms = Terms { create_orders: false, writes_orders: true };

/// A few orders, numbers and days, so that rows meet.
fn sheet() -> impl Strategy<Value = (bool, Vec<String>)> {
    const NUMBERS: &[&str] =
        &["", "1Z5R89390357567127", "1Z879E930346834440", "9400111206206406260787", "986578788855", "RR123456785CN"];
    const CARRIERS: &[&str] = &["", "UPS", "USPS", "other"];
    const DAYS: &[&str] = &["", "2026-09-01", "2026-09-05T10:00:00Z", "2026-09-20"];
    let cell = |cells: &'static [&'static str]| proptest::sample::select(cells);
    let row = (
        (0..5_u8, cell(&["", "A", "B"]), cell(&["", "1", "3"]), cell(&["DE", "US", ""])),
        (cell(&["", "Ida", "Bo"]), cell(NUMBERS), cell(CARRIERS)),
        (cell(DAYS), cell(DAYS), cell(&["", "2026-09-10", "2026-09-12"]), cell(&["", "delivered", "cancelled"])),
    );
    let row =
        row.prop_map(|((order, sku, quantity, country), (name, number, carrier), (shipped, delivered, by, status))| {
            format!("N{order},{sku},{quantity},{country},{name},{number},{carrier},{shipped},{delivered},{by},{status}")
        });
    (any::<bool>(), proptest::collection::vec(row, 1..25))
}

/// The rows as a reader hands them over.
fn judged((with_orders, rows): &(bool, Vec<String>)) -> Vec<Judged> {
    let header = "order_number,sku,quantity,country,recipient_name,tracking_number,carrier,shipped_at,delivered_at,deliver_by,status";
    let text = format!("{header}\n{}\n", rows.join("\n"));
    let options = sheets::Options {
        kind: Some(if *with_orders { sheets::Kind::Combined } else { sheets::Kind::Tracking }),
        preset: None,
        mapping: std::collections::BTreeMap::new(),
        time_zone: TimeZone::UTC,
        date_order: None,
        encoding: None,
        strict: false,
        today: jiff::civil::date(2026, 9, 30),
        known: crate::domain::tracking_number::Known::default(),
        limits: sheets::Limits::default(),
    };
    let survey = sheets::survey(text.as_bytes(), &options).unwrap();
    let records = sheets::records(text.as_bytes(), &survey, &options).unwrap();
    let mut neighbours = Neighbours::new(false, survey.rows_total);
    let judge = |record: Result<Record, _>| {
        let mut record = record.unwrap();
        let neighbour = neighbours.look(&mut record);
        Judged { record, neighbour, repeat: 1 }
    };
    records.map(judge).collect()
}

fn desk<'a>(tables: &mut SellerTables, secrets: &'a Secrets) -> Result<Desk<'a>, StoreError> {
    let seller = tables.profile()?.unwrap();
    let shop = tables.shops()?.remove(0);
    let (moment, tokens) = (Moment { now: now(), seller_zone: seller.zone() }, StatusTokens::of_seller(b"seller")?);
    Ok(Desk { moment, shop, policies: Vec::new(), secrets, tokens })
}

/// All that is on file, without ids and secrets, and what became of the rows.
fn state(store: SellerStore<'_>, done: &[Done], with_news: bool) -> Vec<String> {
    let mut state: Vec<String> = done.iter().map(|it| format!("row {} {:?}", it.outcome, it.warnings)).collect();
    store
        .read(|tables| -> Result<(), StoreError> {
            for order in tables.orders_page(None, None, 100)? {
                let number = &order.order_number;
                state.push(format!(
                    "order {number} {} {:?} {:?} v{}",
                    order.state, order.country, order.deliver_by_on, order.version
                ));
                state.push(format!("contact {number} {:?}", tables.contact(order.id)?));
                for line in tables.order_lines(order.id)? {
                    state.push(format!(
                        "line {number} {} {} {} {:?}",
                        line.line_key, line.line_no, line.quantity, line.deliver_by_on
                    ));
                }
                for shipment in tables.shipments_of_order(order.id)? {
                    let standing = tables.standing(shipment.id)?.unwrap();
                    state.push(format!(
                        "shipment {number} {} {:?} {:?} {:?} {:?} {} v{} | {} {} {} {:?}",
                        shipment.tracking_number,
                        shipment.carrier,
                        shipment.shipped_on,
                        shipment.deliver_by_on,
                        shipment.promise_source,
                        shipment.state,
                        shipment.version,
                        standing.milestone,
                        standing.verdict,
                        standing.is_open,
                        standing.detail
                    ));
                    for leg in tables.legs(shipment.id)? {
                        let chain = tables.chain(leg.tracker_id)?;
                        let keys: Vec<_> =
                            chain.iter().map(|it| (it.chain_no, it.event.raw_code.clone(), it.event.sort_at)).collect();
                        state.push(format!(
                            "leg {number} {} {} {:?} {keys:?}",
                            leg.carrier,
                            leg.number,
                            leg.next_check_at.is_some()
                        ));
                    }
                }
            }
            let last = tables.last_change()?;
            let mut told: Vec<String> = tables
                .changes_between(0, last, &[], 10_000)?
                .into_iter()
                .map(|it| format!("told {} {:?}", it.kind, it.body))
                .collect();
            // What an order was between two rows of a chunk is not told.
            told.retain(|it| with_news && !it.contains("order_number"));
            told.sort();
            state.extend(told);
            Ok(())
        })
        .unwrap();
    state.sort();
    state
}

fn taken(
    (store, secrets, seller): (&Store, &Secrets, SellerId),
    chunk: &[Judged],
    take: impl Fn(&mut SellerTables, &Desk<'_>, &[Judged]) -> Result<Vec<Done>, WorkError>,
) -> Vec<String> {
    let store = store.seller(seller);
    let done = store.write(|tables| -> Result<_, WorkError> {
        let desk = desk(tables, secrets)?;
        take(tables, &desk, chunk)
    });
    let with_news = chunk.iter().all(|judged| judged.order().is_none());
    state(store, &done.unwrap(), with_news)
}

#[test]
fn rows_of_parcels_at_once_come_to_the_same_as_one_by_one() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&sheet(), |sheet| {
            let sellers = [a_seller(store, now()), a_seller(store, now())];
            if !sheet.0 {
                // Tracking numbers alone want their orders on file.
                for seller in sellers {
                    let orders = judged(&(true, (0..5).map(|it| format!("N{it},A,1,DE,,,,,,2026-09-12,")).collect()));
                    taken((store, &secrets, seller), &orders, |tables, desk, chunk| {
                        take_in_all(tables, desk, chunk, TERMS)
                    });
                }
            }
            let chunk = judged(&sheet);
            let at_once = taken((store, &secrets, sellers[0]), &chunk, |tables, desk, chunk| {
                take_in_all(tables, desk, chunk, TERMS)
            });
            let one_by_one = taken((store, &secrets, sellers[1]), &chunk, |tables, desk, chunk| {
                chunk.iter().map(|judged| Ok(take_in_alone(tables, desk, judged, TERMS)?.remove(0))).collect()
            });
            let only_in = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|it| !those.contains(it)).cloned().collect()
            };
            prop_assert_eq!(only_in(&at_once, &one_by_one), only_in(&one_by_one, &at_once));
            prop_assert_eq!(at_once.len(), one_by_one.len());
            Ok(())
        });
        outcome.unwrap();
    });
}
