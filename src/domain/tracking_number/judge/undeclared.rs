//! The verdict where no carrier is declared: among all of them.

use super::super::detect::Match;
use super::super::formats::{DISTINCTIVE, Format, Shape, TABLE};
use super::super::habits::Familiarity;
use super::super::repair::{self, Letters};
use super::super::{Hints, NumberCode, Validity};
use super::{Verdict, bad_country, expectation, name_of, test_number, wrong_digit};
use smallvec::SmallVec;

/// Those of the matches that have something in common.
type Picked<'a> = SmallVec<[&'a Match; 10]>;

pub(super) fn among_all(number: &str, found: &[Match], hints: &Hints<'_>) -> Verdict {
    let standing: Picked<'_> = found.iter().filter(|it| it.stands()).collect();
    let passing: Picked<'_> = standing.iter().copied().filter(|it| it.passed() && !it.is_hearsay()).collect();
    if let Some(certain) = certain(number, &standing, &passing, hints) {
        return test_number(number, certain).unwrap_or_else(|| Verdict::valid(certainty(certain)));
    }
    if !passing.is_empty() {
        return undecided(&passing);
    }
    if standing.iter().any(|it| it.is_distinctive()) {
        let detail = "It has the form of several carriers' numbers; name the carrier.";
        return Verdict::of(Validity::Ambiguous, None, detail);
    }
    if let Some(wrong) = found.iter().find(|it| it.carrier.is_none()) {
        return bad_country(number, wrong);
    }
    let repaired = |letters| repair::with_digits(number, letters, |it, _| it.is_distinctive());
    if let Some(wrong) = found.iter().find(|it| it.failed() && it.is_distinctive()) {
        return wrong_digit(number, wrong, repaired(Letters::AmidDigits), hints);
    }
    let mut repairs = repaired(Letters::Anywhere);
    if TABLE.may_lack_zeros(number.len()) {
        repairs.extend(repair::with_zeros(number, |it, _| it.is_distinctive()));
    }
    if let Some(verdict) = Verdict::repairable(NumberCode::BadFormat, repairs) {
        return verdict;
    }
    unproved(number, &standing, found)
}

/// The match that tells the carrier beyond doubt.
///
/// A shape that is the carrier's alone does, and so does a right check digit under a shape with letters that nothing else
/// has. Digits alone pass some check by chance in one case of ten: they need a hint besides, and no rival.
fn certain<'a>(number: &str, standing: &[&'a Match], passing: &[&'a Match], hints: &Hints<'_>) -> Option<&'a Match> {
    let distinctive: Picked<'_> = standing.iter().copied().filter(|it| it.is_distinctive()).collect();
    if single_carrier(&distinctive).is_some() {
        return distinctive.into_iter().max_by_key(|it| it.passed());
    }
    if !distinctive.is_empty() {
        return None;
    }
    let only_passing = single_carrier(passing).and_then(|_| passing.iter().copied().find(|it| it.proves()));
    let lettered = only_passing.filter(|it| it.shape.has_letters && single_carrier(standing).is_some());
    let near = || only_passing.filter(|it| it.is_near(hints));
    let known = |it: &&&Match| it.familiarity(number, hints) == Familiarity::Prefix;
    let familiar =
        || Some(passing.iter().filter(known).copied().collect::<Vec<_>>()).filter(|it| single_carrier(it).is_some());
    lettered.or_else(near).or_else(|| hints.habits.and_then(|_| familiar()?.into_iter().next()))
}

fn certainty(it: &Match) -> String {
    let name = name_of(it.carrier.unwrap_or_default());
    if it.passed() {
        return format!("The check digit is right for {name}.");
    }
    format!("It has the form of a {name} number, which has no check digit.")
}

/// Check digits that are right, and yet do not tell whose number it is.
fn undecided(passing: &[&Match]) -> Verdict {
    let detail = match single_carrier(passing) {
        Some(carrier) => {
            let name = name_of(carrier);
            format!("The check digit is right for {name}, but others use the same form; name the carrier.")
        }
        None => "The check digit is right for several carriers; name the carrier.".to_owned(),
    };
    Verdict::of(Validity::Ambiguous, None, detail)
}

fn unproved(number: &str, standing: &[&Match], found: &[Match]) -> Verdict {
    let shaped = standing.iter().copied().max_by_key(|it| it.shape.specificity);
    let failed = found.iter().filter(|it| it.failed() && !it.is_hearsay()).max_by_key(|it| it.shape.specificity);
    let tells_more = |it: &Match, shaped: &Match| it.is_telling() && it.shape.specificity > shaped.shape.specificity;
    if let Some(wrong) = failed.filter(|it| shaped.is_none_or(|shaped| tells_more(it, shaped))) {
        return Verdict::suspicious(expectation(number, wrong));
    }
    if let Some(shaped) = shaped {
        let name = name_of(shaped.carrier.unwrap_or_default());
        return Verdict::suspicious(format!("It may be a {name} number, but its form alone does not prove it."));
    }
    if let Some((length, format)) = nearly_begun(number) {
        let name = name_of(&format.carrier);
        let detail = format!("It has {} characters; a {name} number that begins so has {length}.", number.len());
        return Verdict::invalid(NumberCode::BadLength, detail);
    }
    Verdict::suspicious("No format on file fits this number, so it can't be proved.")
}

/// The shape with a carrier's own letters in front that the number has but for a character or two.
fn nearly_begun(number: &str) -> Option<(usize, &'static Format)> {
    if number.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let names_carrier = |it: &&Shape| {
        it.specificity >= DISTINCTIVE
            && it.literal.bytes().any(|it| it.is_ascii_alphabetic())
            && it.length().abs_diff(number.len()) <= 2
    };
    let begun =
        TABLE.shapes.iter().filter(names_carrier).filter(|it| number.len() >= 10 && it.begins(number.as_bytes()));
    let nearest = begun.min_by_key(|it| it.length().abs_diff(number.len()))?;
    Some((nearest.length(), TABLE.format_of(nearest)?))
}

/// The carrier of all these matches, if it is one.
fn single_carrier(matches: &[&Match]) -> Option<&'static str> {
    let first = matches.first()?.carrier?;
    matches.iter().all(|it| it.carrier == Some(first)).then_some(first)
}
