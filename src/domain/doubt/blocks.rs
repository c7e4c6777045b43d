//! Blocks of labels that no carrier ever scanned: numbers in a row that were made up, or printed and not used.

use super::GRACE;
use crate::domain::tracking_number::{Series, split};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// So many in a row are no accident.
const FEWEST: usize = 5;

/// One label of a seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Under which carrier it is followed.
    pub carrier: String,
    pub number: String,
    /// When it was uploaded, or shipped by the seller's word, whichever is later.
    pub used_at: Timestamp,
    /// Its first scan by the carrier.
    pub scanned_at: Option<Timestamp>,
    /// When its carrier was asked last, where it answered.
    pub asked_at: Option<Timestamp>,
}

/// Consecutive labels of one carrier and prefix, none of them ever scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The lowest number.
    pub first: String,
    /// The highest number.
    pub last: String,
    /// How many numbers; two orders under one number count once.
    pub numbers: usize,
    /// The places of its labels in the list that was given, in the order of their numbers.
    pub labels: Vec<usize>,
}

/// Labels of one number, each with its place in the list that was given.
type Place<'a> = (u64, Vec<(usize, &'a Label)>);

/// The labels of one carrier and prefix, by serial.
type Roll<'a> = BTreeMap<u64, Vec<(usize, &'a Label)>>;

/// Finds the blocks that can be told by `now`: five consecutive numbers or more, none of them scanned 72 hours after the
/// last of them was used, though the carrier answered after that about each of them, or scanned another label of the same
/// seller since.
///
/// A number between them that was scanned parts two blocks. Numbers that cannot be taken apart are in none.
pub fn never_scanned(labels: &[Label], now: Timestamp) -> Vec<Block> {
    let mut last_scans: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut rolls: BTreeMap<(&str, Series), Roll<'_>> = BTreeMap::new();
    for (place, label) in labels.iter().enumerate() {
        if let Some(at) = label.scanned_at {
            let last = last_scans.entry(&label.carrier).or_insert(at);
            *last = at.max(*last);
        }
        if let Some(it) = split(&label.number, &label.carrier) {
            let roll = rolls.entry((&label.carrier, it.series)).or_default();
            roll.entry(it.serial).or_default().push((place, label));
        }
    }
    let told = |((carrier, _), roll): ((&str, Series), Roll<'_>)| {
        let last_scan = last_scans.get(carrier).copied();
        runs(roll).into_iter().filter_map(move |run| block(&run, last_scan, now)).collect::<Vec<_>>()
    };
    rolls.into_iter().flat_map(told).collect()
}

/// Parts a roll where a number is missing, or was scanned.
fn runs(roll: Roll<'_>) -> Vec<Vec<Place<'_>>> {
    let mut runs: Vec<Vec<Place<'_>>> = Vec::new();
    let silent = |(_, labels): &Place<'_>| labels.iter().all(|(_, label)| label.scanned_at.is_none());
    for place in roll.into_iter().filter(silent) {
        match runs.last_mut().filter(|run| run.last().is_some_and(|(serial, _)| serial + 1 == place.0)) {
            Some(run) => run.push(place),
            None => runs.push(vec![place]),
        }
    }
    runs
}

fn block(run: &[Place<'_>], last_scan: Option<Timestamp>, now: Timestamp) -> Option<Block> {
    let labels = || run.iter().flat_map(|(_, labels)| labels);
    let last_used = labels().map(|(_, label)| label.used_at).max()?;
    let due = last_used.checked_add(GRACE).ok()?;
    let answered = labels().all(|(_, label)| label.asked_at.is_some_and(|at| at >= due));
    let others_move = last_scan.is_some_and(|at| at > last_used);
    if run.len() < FEWEST || now < due || !(answered || others_move) {
        return None;
    }
    let number = |place: Option<&Place<'_>>| Some(place?.1.first()?.1.number.clone());
    Some(Block {
        first: number(run.first())?,
        last: number(run.last())?,
        numbers: run.len(),
        labels: labels().map(|(place, _)| *place).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn start() -> Timestamp {
        "2026-09-01T00:00:00Z".parse().unwrap()
    }

    /// A UPS number of a serial.
    fn ups(serial: u32) -> String {
        let body = format!("A1B2C3{serial:09}");
        let value = |it: u8| if it.is_ascii_digit() { u32::from(it - b'0') } else { u32::from(it - 3) % 10 };
        let sum: u32 = body.bytes().enumerate().map(|(at, it)| value(it) * (1 + u32::from(at % 2 == 1))).sum();
        format!("1Z{body}{}", (10 - sum % 10) % 10)
    }

    /// A label used at the start, about which the carrier answered when its time was up.
    fn label(serial: u32) -> Label {
        Label {
            carrier: "ups".to_owned(),
            number: ups(serial),
            used_at: start(),
            scanned_at: None,
            asked_at: Some(start() + 80.hours()),
        }
    }

    fn scanned(serial: u32, hour: i64) -> Label {
        Label { scanned_at: Some(start() + hour.hours()), ..label(serial) }
    }

    fn roll(serials: impl IntoIterator<Item = u32>) -> Vec<Label> {
        serials.into_iter().map(label).collect()
    }

    fn with(mut labels: Vec<Label>, more: impl IntoIterator<Item = Label>) -> Vec<Label> {
        labels.extend(more);
        labels
    }

    #[test]
    fn a_block_is_five_in_a_row_that_nobody_scanned_in_three_days() {
        let unasked = |serial| Label { asked_at: None, ..label(serial) };
        let asked_early = |serial| Label { asked_at: Some(start() + 71.hours()), ..label(serial) };
        let used_later = Label { used_at: start() + 30.hours(), ..label(14) };
        let elsewhere = Label { carrier: "fedex".to_owned(), ..scanned(99, 50) };
        for (what, labels, hour, blocks) in [
            ("five in a row", roll(10..15), 80, vec![5]),
            ("in any order", roll([14, 10, 12, 13, 11]), 80, vec![5]),
            ("four in a row", roll(10..14), 80, vec![]),
            ("before their time is up", roll(10..15), 71, vec![]),
            (
                "on the stroke of it",
                with(vec![], (10..15).map(|it| Label { asked_at: Some(start() + 72.hours()), ..label(it) })),
                72,
                vec![5],
            ),
            ("the last was used later", with(roll(10..14), [used_later]), 80, vec![]),
            ("one is missing", roll([10, 11, 12, 14, 15, 16]), 80, vec![]),
            ("one was scanned after all", with(roll((10..15).filter(|it| *it != 12)), [scanned(12, 5)]), 80, vec![]),
            ("the rest of a roll", with(roll(10..16), [scanned(9, 5), scanned(16, 5)]), 80, vec![6]),
            ("two blocks of a roll", with(roll((10..21).filter(|it| *it != 15)), [scanned(15, 5)]), 80, vec![5, 5]),
            ("nobody answered", (10..15).map(unasked).collect(), 80, vec![]),
            ("nobody answered since", (10..15).map(asked_early).collect(), 80, vec![]),
            ("nobody answered, but others move", with((10..15).map(unasked).collect(), [scanned(99, 50)]), 80, vec![5]),
            ("others moved before", with((10..15).map(unasked).collect(), [scanned(99, -1)]), 80, vec![]),
            ("another carrier's move", with((10..15).map(unasked).collect(), [elsewhere]), 80, vec![]),
            ("two orders in a parcel", with(roll(10..14), [label(13)]), 80, vec![]),
            ("no numbers that count up", vec![Label { number: "PARCEL".to_owned(), ..label(1) }; 9], 80, vec![]),
            ("nothing", vec![], 80, vec![]),
        ] {
            let found = never_scanned(&labels, start() + hour.hours());
            assert_eq!(found.iter().map(|it| it.numbers).collect::<Vec<_>>(), blocks, "{what}");
        }
    }

    #[test]
    fn a_block_names_its_ends_and_its_labels() {
        let labels = roll([14, 10, 12, 13, 11, 12, 77]);
        let found = never_scanned(&labels, start() + 80.hours());
        let expected = Block { first: ups(10), last: ups(14), numbers: 5, labels: vec![1, 4, 2, 5, 3, 0] };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn rolls_of_two_carriers_and_of_two_prefixes_are_apart() {
        let s10 = |prefix: &str, serial: u32| Label {
            carrier: "royal-mail".to_owned(),
            number: format!("{prefix}{serial:08}0GB"),
            ..label(1)
        };
        let mixed = (10..13).map(|it| s10("RX", it)).chain((13..16).map(|it| s10("RY", it)));
        assert_eq!(never_scanned(&mixed.collect::<Vec<_>>(), start() + 80.hours()), []);
        let one: Vec<Label> = (10..16).map(|it| s10("RX", it)).collect();
        assert_eq!(never_scanned(&one, start() + 80.hours()).len(), 1);
    }
}
