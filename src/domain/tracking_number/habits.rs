//! What a seller's own numbers tell of the next one: which carriers, which accounts, which serials.
//!
//! Habits rank carriers and narrow repairs down. They never make a wrong check digit right.

use super::detect::{self, Match};
use super::normalise;
use crate::domain::carrier::DeclaredCarrier;
use std::collections::{BTreeMap, BTreeSet};

/// A shorter start says nothing of an account.
const SHORTEST_PREFIX: usize = 4;

/// Digits at the end that count parcels up; what stands before them is the account's.
const SERIAL_DIGITS: usize = 7;

/// A serial this near to the known ones belongs to them, however few they are.
const NEAR_SERIALS: u64 = 1_000;

/// So many rows of a file are looked at for what they have in common.
const MOST_ROWS: usize = 500;

/// With fewer numbers alike, that they all pass one check may be chance.
const ENOUGH_ROWS: usize = 10;

/// How well the seller's past knows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Familiarity {
    None,
    /// The seller uses this carrier.
    Carrier,
    /// Numbers of the same format began just so.
    Prefix,
}

/// What is known of the numbers that a seller used: the last ones on file, and those of the file at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Habits {
    ranges: BTreeMap<Account, (u64, u64)>,
    carriers: BTreeMap<String, usize>,
}

/// Numbers of one format that differ in the serial alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    format: &'static str,
    prefix: String,
    length: usize,
}

impl Habits {
    /// Learns from numbers in their plain form, each with its carrier's slug. Numbers that fail that carrier's check teach
    /// nothing.
    pub fn of<'a>(numbers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut habits = Self::default();
        for (carrier, number) in numbers {
            habits.learn(carrier, number);
        }
        habits
    }

    /// Learns from one more number.
    pub fn learn(&mut self, carrier: &str, number: &str) {
        let found = detect::matches(number);
        let Some(own) = found.iter().find(|it| it.stands() && it.carrier == Some(carrier)) else { return };
        *self.carriers.entry(carrier.to_owned()).or_default() += 1;
        if let Some((account, serial)) = Account::of(own, number) {
            let (low, high) = self.ranges.entry(account).or_insert((serial, serial));
            (*low, *high) = ((*low).min(serial), (*high).max(serial));
        }
    }

    fn merge(&mut self, other: Self) {
        for (carrier, count) in other.carriers {
            *self.carriers.entry(carrier).or_default() += count;
        }
        for (account, (low, high)) in other.ranges {
            let range = self.ranges.entry(account).or_insert((low, high));
            *range = (range.0.min(low), range.1.max(high));
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.carriers.is_empty()
    }

    pub(super) fn familiarity(&self, found: &Match, number: &str) -> Familiarity {
        if !found.carrier.is_some_and(|it| self.carriers.contains_key(it)) {
            return Familiarity::None;
        }
        match Account::of(found, number) {
            Some((account, _)) if self.ranges.contains_key(&account) => Familiarity::Prefix,
            _ => Familiarity::Carrier,
        }
    }

    /// Whether the serial lies among those that the seller used, or close to them.
    pub(super) fn is_in_range(&self, found: &Match, number: &str) -> bool {
        let Some((account, serial)) = Account::of(found, number) else { return false };
        self.ranges.get(&account).is_some_and(|(low, high)| {
            let slack = (high - low).max(NEAR_SERIALS);
            (low.saturating_sub(slack)..=high.saturating_add(slack)).contains(&serial)
        })
    }
}

/// The numbers of one column, seen before its rows are judged.
#[derive(Debug, Clone, Default)]
pub struct Column {
    habits: Habits,
    undeclared: Vec<String>,
    seen: usize,
}

impl Column {
    /// Notes a cell as typed, and the carrier declared beside it. Later rows of a long file tell nothing new.
    pub fn see(&mut self, typed: &str, declared: Option<&DeclaredCarrier>) {
        self.seen += 1;
        if self.seen > MOST_ROWS {
            return;
        }
        let Ok(normalised) = normalise(typed) else { return };
        let declared = declared.filter(|it| it.declares()).or(normalised.named_carrier.as_ref());
        match declared {
            Some(declared) => self.habits.learn(declared.slug.as_str(), &normalised.number),
            None => self.undeclared.push(normalised.number),
        }
    }

    /// What the column adds to what is known of the seller already.
    ///
    /// Where no carrier is declared, one whose check passes on all numbers of a form that others share is taken to be theirs:
    /// by chance that happens to ten of them in one case of ten thousand millions.
    pub fn added_to(self, known: &Habits) -> Habits {
        let mut habits = known.clone();
        habits.merge(self.habits);
        for (carrier, numbers) in all_pass(&self.undeclared) {
            for number in numbers {
                habits.learn(carrier, number);
            }
        }
        habits
    }
}

/// For each length, the carriers whose check passes on every number of it, where there are enough.
fn all_pass(numbers: &[String]) -> Vec<(&'static str, Vec<&str>)> {
    let mut by_length = BTreeMap::<usize, Vec<&str>>::new();
    for number in numbers {
        by_length.entry(number.len()).or_default().push(number);
    }
    let passing = |number: &str| -> BTreeSet<&'static str> {
        detect::matches(number)
            .iter()
            .filter(|it| it.passed() && !it.is_hearsay())
            .filter_map(|it| it.carrier)
            .collect()
    };
    let mut told = Vec::new();
    for alike in by_length.into_values().filter(|it| it.len() >= ENOUGH_ROWS) {
        let common = alike.iter().map(|it| passing(it)).reduce(|all, next| &all & &next).unwrap_or_default();
        if let (Some(carrier), 1) = (common.first(), common.len()) {
            told.push((*carrier, alike));
        }
    }
    told
}

impl Account {
    /// The account and the serial of a number; none where nothing is left before the serial.
    fn of(found: &Match, number: &str) -> Option<(Self, u64)> {
        let end = found.serial_end();
        let digits = number.get(..end)?.bytes().rev().take(SERIAL_DIGITS).take_while(u8::is_ascii_digit).count();
        let (prefix, serial) = number.get(..end)?.split_at_checked(end - digits)?;
        let account = Self { format: &found.format.id, prefix: prefix.to_owned(), length: number.len() };
        (prefix.len() >= SHORTEST_PREFIX).then_some((account, serial.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hints, NumberCode, RepairCode, Validity, check};
    use super::*;

    const FEDEX: [(&str, &str); 3] = [("fedex", "390780214612"), ("fedex", "390780214623"), ("fedex", "390780214634")];

    fn with(habits: &Habits, number: &str) -> super::super::NumberCheck {
        check(number, &Hints { habits: Some(habits), ..Hints::default() })
    }

    #[test]
    fn an_account_that_is_known_tells_the_carrier_of_a_form_that_many_use() {
        let habits = Habits::of(FEDEX);
        let alone = check("390780214645", &Hints::default());
        assert_eq!(alone.validity, Validity::Ambiguous, "{}", alone.detail);
        let known = with(&habits, "390780214645");
        assert_eq!((known.validity, known.candidates[0].carrier.as_str()), (Validity::Valid, "fedex"));
        assert_ne!(with(&habits, "390780214646").validity, Validity::Valid, "a wrong check digit stays wrong");
    }

    #[test]
    fn a_slip_within_the_sellers_own_serials_is_offered_back_where_one_number_alone_can_be_meant() {
        let habits = Habits::of([("ups", "1Z2F5X380312345674"), ("ups", "1Z2F5X380312345692")]);
        let declared =
            |number| check(number, &Hints { carrier: Some("ups"), habits: Some(&habits), ..Hints::default() });
        for (what, typed, meant, code) in [
            (
                "neighbours swapped in the account",
                "1Z2F5X830312345674",
                "1Z2F5X380312345674",
                RepairCode::SwappedNeighbours,
            ),
            ("one digit of the account", "1Z2F5X390312345674", "1Z2F5X380312345674", RepairCode::ChangedDigit),
        ] {
            let read = declared(typed);
            assert_eq!((read.validity, read.code), (Validity::Repairable, Some(NumberCode::BadChecksum)), "{what}");
            let offered: Vec<_> = read.repairs.iter().map(|it| (it.number.as_str(), it.code)).collect();
            assert_eq!(offered, [(meant, code)], "{what}");
        }
        let many = declared("1Z2F5X380312345675");
        assert_eq!((many.validity, many.repairs.len()), (Validity::Invalid, 0));
        assert!(many.detail.contains("one slip away"), "{}", many.detail);
    }

    #[test]
    fn a_column_whose_numbers_all_pass_one_check_is_that_carriers() {
        let fedex = |serial: u32| {
            let body = format!("3907802{serial:04}");
            let weighed = body.bytes().zip([3, 1, 7].iter().cycle()).map(|(it, weight)| u32::from(it - b'0') * weight);
            format!("{body}{}", weighed.sum::<u32>() % 11 % 10)
        };
        let seen = |numbers: &[String]| {
            let mut column = Column::default();
            for number in numbers {
                column.see(number, None);
            }
            column.added_to(&Habits::default())
        };
        let numbers: Vec<String> = (1100..1112).map(fedex).collect();
        let habits = seen(&numbers);
        for number in &numbers {
            assert_eq!(with(&habits, number).validity, Validity::Valid, "{number}");
        }
        assert!(seen(&numbers[..5]).is_empty(), "five may pass by chance");
        let mut with_another = numbers.clone();
        with_another.push("390780211299".to_owned());
        assert!(seen(&with_another).is_empty(), "not all of them pass");
        let mut declared = Column::default();
        declared.see("UPS 1Z2F5X380312345674", None);
        declared.see("390780214612", crate::domain::carrier::recognise("FedEx").as_ref());
        let habits = declared.added_to(&Habits::default());
        assert_eq!(habits.carriers.keys().collect::<Vec<_>>(), ["fedex", "ups"]);
    }

    #[test]
    fn wrong_numbers_teach_nothing() {
        assert!(Habits::of([("fedex", "390780214617"), ("ups", "390780214612"), ("x", "")]).is_empty());
    }
}
