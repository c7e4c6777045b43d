//! The verdict on a number in its plain form: for the declared carrier, or among all carriers.

mod declared;
mod undeclared;

use super::detect::{self, Match};
use super::repair::Slips;
use super::{Candidate, CheckOutcome, Hints, NumberCode, Repair, RepairCode, Validity, placeholder, repair};
use crate::domain::carrier::{self, DeclaredCarrier};
use std::borrow::Cow;

/// A spreadsheet keeps fifteen digits; this many zeros behind them are no chance, whatever the check says.
const CERTAIN_ZEROS: usize = 5;

/// With fewer zeros than this the number may well end so.
const TELLING_ZEROS: usize = 2;

pub(super) struct Verdict {
    pub(super) validity: Validity,
    pub(super) code: Option<NumberCode>,
    pub(super) detail: String,
    pub(super) candidates: Vec<Candidate>,
    pub(super) repairs: Vec<Repair>,
}

impl Verdict {
    fn of(validity: Validity, code: Option<NumberCode>, detail: impl Into<String>) -> Self {
        Self { validity, code, detail: detail.into(), candidates: Vec::new(), repairs: Vec::new() }
    }

    fn valid(detail: impl Into<String>) -> Self {
        Self::of(Validity::Valid, None, detail)
    }

    fn suspicious(detail: impl Into<String>) -> Self {
        Self::of(Validity::Suspicious, None, detail)
    }

    fn invalid(code: NumberCode, detail: impl Into<String>) -> Self {
        Self::of(Validity::Invalid, Some(code), detail)
    }

    /// None where there is nothing to offer; `code` is what is wrong where no zero was lost.
    fn repairable(code: NumberCode, repairs: Vec<Repair>) -> Option<Self> {
        let first = repairs.first()?;
        let code = if first.code == RepairCode::LostLeadingZero { NumberCode::LostLeadingZero } else { code };
        let detail = match repairs.as_slice() {
            [only] => format!("{} was probably meant. {}", only.number, only.detail),
            several => {
                let numbers: Vec<&str> = several.iter().map(|it| it.number.as_str()).collect();
                format!(
                    "One of {} numbers may have been meant: {}. Look at the label.",
                    numbers.len(),
                    numbers.join(", ")
                )
            }
        };
        Some(Self { repairs, ..Self::of(Validity::Repairable, Some(code), detail) })
    }
}

pub(super) fn judge(number: &str, declared: Option<&DeclaredCarrier>, hints: &Hints<'_>) -> Verdict {
    let found = detect::matches(number);
    let verdict = spoiled(number, &found).unwrap_or_else(|| match declared {
        Some(declared) => declared::for_carrier(number, &found, declared, hints),
        None => undeclared::among_all(number, &found, hints),
    });
    Verdict { candidates: detect::candidates(number, &found, declared, hints), ..verdict }
}

/// The page of the carrier that the verdict stands for; a wrong number has none.
pub(super) fn tracking_url(number: &str, declared: Option<&DeclaredCarrier>, verdict: &Verdict) -> Option<String> {
    if matches!(verdict.validity, Validity::Invalid | Validity::Repairable) {
        return None;
    }
    let right = verdict.candidates.first().filter(|it| it.check != CheckOutcome::Failed);
    let fitting = right.filter(|it| declared.is_none_or(|declared| declared.accepts(it.carrier.as_str())));
    let tracked = right.and_then(|it| it.tracked_number.as_deref()).unwrap_or(number);
    let slug = fitting.map(|it| &it.carrier).or(declared.map(|it| &it.slug))?;
    carrier::by_slug(slug.as_str())?.url_for(tracked)
}

/// Fillers and numbers that a spreadsheet spoiled, whether or not some check passes on them.
fn spoiled(number: &str, found: &[Match]) -> Option<Verdict> {
    let uniform = |it: &Match| {
        let body = number.as_bytes().get(it.shape.body.0..it.shape.body.1);
        it.format.check.is_some() && body.is_some_and(placeholder::is_uniform)
    };
    if placeholder::is_made_up(number.as_bytes()) || found.iter().any(uniform) {
        let detail = format!("{number} looks made up; give the number that the carrier issued.");
        return Some(Verdict::invalid(NumberCode::Placeholder, detail));
    }
    let zeros = zeros_behind_fifteen(number);
    if zeros >= CERTAIN_ZEROS || (zeros >= TELLING_ZEROS && !found.iter().any(Match::passed)) {
        let detail = "A spreadsheet kept the first 15 digits and made the others zeros; format the column as text and \
                      export it again.";
        return Some(Verdict::invalid(NumberCode::PrecisionLost, detail));
    }
    None
}

/// How many digits follow the fifteenth significant one, if all of them are zeros.
fn zeros_behind_fifteen(number: &str) -> usize {
    let significant = number.trim_start_matches('0');
    let behind = significant.get(15..).unwrap_or_default();
    let lost = significant.bytes().all(|it| it.is_ascii_digit()) && behind.bytes().all(|it| it == b'0');
    if lost { behind.len() } else { 0 }
}

fn name_of(slug: &str) -> Cow<'_, str> {
    match (carrier::by_slug(slug), slug.strip_prefix("post-")) {
        (Some(known), _) => Cow::Borrowed(&known.name),
        (None, Some(country)) => Cow::Owned(format!("the post of {}", country.to_ascii_uppercase())),
        (None, None) => Cow::Borrowed(slug),
    }
}

/// A number that its carrier published for tests, though it passes the check; nothing travels under it.
fn test_number(number: &str, it: &Match) -> Option<Verdict> {
    let detail = format!("It is one of {}'s published test numbers; no parcel goes under it.", name_of(it.carrier?));
    is_test(number, it).then(|| Verdict::of(Validity::Valid, Some(NumberCode::SandboxNumber), detail))
}

fn is_test(number: &str, it: &Match) -> bool {
    it.format.sandbox.iter().any(|test| number.starts_with(test.as_str()))
}

fn bad_country(number: &str, wrong: &Match) -> Verdict {
    let country = number.get(number.len().saturating_sub(2)..).unwrap_or_default();
    let instead = if country == "UK" { "; the United Kingdom's is GB" } else { "" };
    let also = if wrong.failed() { " Its check digit is wrong besides." } else { "" };
    Verdict::invalid(
        NumberCode::BadCountry,
        format!("{country} is no country that issues such numbers{instead}.{also}"),
    )
}

fn wrong_digit(number: &str, wrong: &Match, repairs: Vec<Repair>, hints: &Hints<'_>) -> Verdict {
    let name = name_of(wrong.carrier.unwrap_or_default());
    if is_test(number, wrong) {
        let detail = format!("It is one of {name}'s test numbers, and its check digit is wrong.");
        return Verdict::invalid(NumberCode::SandboxNumber, detail);
    }
    if let Some(verdict) = Verdict::repairable(NumberCode::BadChecksum, repairs) {
        return verdict;
    }
    let expected = expectation(number, wrong);
    let Some(habits) = hints.habits else { return Verdict::invalid(NumberCode::BadChecksum, expected) };
    match repair::one_slip_away(number, wrong, habits) {
        Slips::None => Verdict::invalid(NumberCode::BadChecksum, expected),
        Slips::One(repair) => {
            let detail = format!("{expected} {} was probably meant. {}", repair.number, repair.detail);
            let verdict = Verdict::of(Validity::Repairable, Some(NumberCode::BadChecksum), detail);
            Verdict { repairs: vec![repair], ..verdict }
        }
        Slips::Several(count) => {
            let detail =
                format!("{expected} {count} numbers of your own series are one slip away, so none is offered.");
            Verdict::invalid(NumberCode::BadChecksum, detail)
        }
    }
}

fn expectation(number: &str, wrong: &Match) -> String {
    let name = name_of(wrong.carrier.unwrap_or_default());
    let right = wrong
        .expected
        .and_then(|(right, at)| Some((char::from(right), char::from(*number.as_bytes().get(at)?), at + 1)));
    match right {
        Some((right, found, at)) => {
            format!(
                "As a {name} number its check digit, character {at}, should be {right}, not {found}; look for a slip."
            )
        }
        None => format!("As a {name} number it has a wrong check digit; look for a slip."),
    }
}
