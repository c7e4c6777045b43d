//! The verdict on a number in its plain form: for the declared carrier, or among all carriers.

use super::detect::{self, Match};
use super::formats::{DISTINCTIVE, Issuer, Shape, TABLE};
use super::repair::Letters;
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
        let detail = format!("{} was probably meant. {}", first.number, first.detail);
        Some(Self { repairs, ..Self::of(Validity::Repairable, Some(code), detail) })
    }
}

pub(super) fn judge(number: &str, declared: Option<&DeclaredCarrier>, hints: &Hints<'_>) -> Verdict {
    let found = detect::matches(number);
    let verdict = spoiled(number, &found).unwrap_or_else(|| match declared {
        Some(declared) => for_carrier(number, &found, declared, hints),
        None => among_all(number, &found, hints),
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
        let body = number.as_bytes().get(it.body.0..it.body.1);
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

fn for_carrier(number: &str, found: &[Match], declared: &DeclaredCarrier, hints: &Hints<'_>) -> Verdict {
    let own = || found.iter().filter(|it| it.fits(declared, number));
    let foreign = || found.iter().filter(|it| !it.fits(declared, number) && it.proves());
    if let Some(right) = own().find(|it| it.passed()) {
        return Verdict::valid(praise(right, declared, number));
    }
    if let Some(shaped) = own().filter(|it| !it.failed()).max_by_key(|it| it.format.specificity) {
        let name = name_of(shaped.carrier.unwrap_or_default());
        let detail = format!("It has the form of a {name} number, which has no check digit.");
        return if shaped.is_telling() { Verdict::valid(detail) } else { Verdict::suspicious(detail) };
    }
    if let Some(other) = foreign().find(|it| it.is_distinctive()).filter(|_| declared.known) {
        return mismatch(other, declared, hints);
    }
    if let Some(wrong) = own().next() {
        let wanted = |it: &Match, number: &str| it.fits(declared, number);
        return wrong_digit(number, wrong, repair::with_digits(number, Letters::AmidDigits, wanted));
    }
    let of_nowhere = found.iter().find(|it| it.carrier.is_none());
    if let Some(wrong) = of_nowhere.filter(|_| declared.known) {
        return bad_country(number, wrong);
    }
    without_own_shape(number, declared, foreign().next(), hints)
}

fn praise(right: &Match, declared: &DeclaredCarrier, number: &str) -> String {
    let name = name_of(right.carrier.unwrap_or_default());
    if right.is_handed_over(declared, number) && !declared.accepts(right.carrier.unwrap_or_default()) {
        return format!(
            "The check digit is right; {} hands such parcels over to {name}.",
            name_of(declared.slug.as_str())
        );
    }
    format!("The check digit is right for {name}.")
}

/// A number that has none of the shapes we hold of its declared carrier.
fn without_own_shape(number: &str, declared: &DeclaredCarrier, other: Option<&Match>, hints: &Hints<'_>) -> Verdict {
    let wanted = |it: &Match, number: &str| it.fits(declared, number);
    let mut repairs = repair::with_zeros(number, wanted);
    repairs.extend(repair::with_digits(number, Letters::Anywhere, wanted));
    if let Some(verdict) = Verdict::repairable(NumberCode::BadFormat, repairs) {
        return verdict;
    }
    let name = name_of(declared.slug.as_str());
    let is_operator = TABLE.posts_in(declared.slug.as_str()).next().is_some();
    let has_formats = TABLE.formats.iter().any(|it| declared.accepts(&it.carrier));
    if let Some(other) = other.filter(|_| has_formats) {
        return mismatch(other, declared, hints);
    }
    let counts = |it: &&Shape| {
        TABLE.format_of(it).is_some_and(|format| match format.issuer {
            Some(Issuer::S10) => is_operator,
            None => declared.accepts(&format.carrier),
        })
    };
    let mut lengths: Vec<usize> =
        TABLE.shapes.iter().filter(counts).filter(|it| it.begins(number.as_bytes())).map(Shape::length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    if !lengths.is_empty() && !lengths.contains(&number.len()) {
        let lengths = lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let detail = format!("It has {} characters; a {name} number that begins so has {lengths}.", number.len());
        return Verdict::invalid(NumberCode::BadLength, detail);
    }
    if has_formats {
        return Verdict::invalid(NumberCode::BadFormat, format!("No {name} number on file has this form."));
    }
    if is_operator {
        return Verdict::suspicious(format!(
            "Only international numbers of {name} are on file, so it can't be proved."
        ));
    }
    Verdict::suspicious(format!("No format of {name} is on file, so it can't be proved."))
}

/// A right number of somebody else.
///
/// The operator at the far end of the journey delivers S10 numbers of other countries, so such a number is right where
/// the destination is the declared operator's country, in doubt where no destination is known, and wrong otherwise.
fn mismatch(other: &Match, declared: &DeclaredCarrier, hints: &Hints<'_>) -> Verdict {
    let (name, issuer) = (name_of(declared.slug.as_str()), name_of(other.carrier.unwrap_or_default()));
    let mut countries = TABLE.posts_in(declared.slug.as_str()).peekable();
    let code = Some(NumberCode::CarrierMismatch);
    let plain = format!("It is a number of {issuer}, not of {name}.");
    if !other.is_s10() || countries.peek().is_none() {
        return Verdict::of(Validity::Invalid, code, plain);
    }
    match hints.destination_country {
        Some(end) if countries.any(|it| it.eq_ignore_ascii_case(end)) => {
            Verdict::valid(format!("The check digit is right; {issuer} issued it and {name} delivers it."))
        }
        Some(_) => Verdict::of(Validity::Invalid, code, plain),
        None => {
            let detail = format!("It is a number of {issuer}; {name} has it only if it goes to {name}'s country.");
            Verdict::of(Validity::Suspicious, code, detail)
        }
    }
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

fn wrong_digit(number: &str, wrong: &Match, repairs: Vec<Repair>) -> Verdict {
    let name = name_of(wrong.carrier.unwrap_or_default());
    if wrong.format.sandbox.iter().any(|it| number.starts_with(it.as_str())) {
        let detail = format!("It is one of {name}'s test numbers, and its check digit is wrong.");
        return Verdict::invalid(NumberCode::SandboxNumber, detail);
    }
    if let Some(verdict) = Verdict::repairable(NumberCode::BadChecksum, repairs) {
        return verdict;
    }
    Verdict::invalid(NumberCode::BadChecksum, expectation(number, wrong))
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

fn among_all(number: &str, found: &[Match], hints: &Hints<'_>) -> Verdict {
    let passing: Vec<&Match> = found.iter().filter(|it| it.passed() && it.speaks_alone()).collect();
    let near: Vec<&Match> = passing.iter().copied().filter(|it| it.is_near(hints)).collect();
    let proven = |among: &[&Match]| single_carrier(among).filter(|_| among.iter().any(|it| it.proves()));
    if let Some(carrier) = proven(&passing).or_else(|| proven(&near)) {
        return Verdict::valid(format!("The check digit is right for {}.", name_of(carrier)));
    }
    if !passing.is_empty() {
        return undecided(&passing);
    }
    let shaped = || found.iter().filter(|it| !it.failed() && it.speaks_alone() && it.carrier.is_some());
    let distinctive: Vec<&Match> = shaped().filter(|it| it.is_distinctive()).collect();
    if let Some(carrier) = single_carrier(&distinctive) {
        return Verdict::valid(format!("It has the form of a {} number, which has no check digit.", name_of(carrier)));
    }
    if !distinctive.is_empty() {
        return Verdict::of(
            Validity::Ambiguous,
            None,
            "It has the form of several carriers' numbers; name the carrier.",
        );
    }
    if let Some(wrong) = found.iter().find(|it| it.carrier.is_none()) {
        return bad_country(number, wrong);
    }
    let repaired = |letters| repair::with_digits(number, letters, |it, _| it.is_distinctive());
    if let Some(wrong) = found.iter().find(|it| it.failed() && it.is_distinctive()) {
        return wrong_digit(number, wrong, repaired(Letters::AmidDigits));
    }
    let mut repairs = repaired(Letters::Anywhere);
    repairs.extend(repair::with_zeros(number, |it, _| it.is_distinctive()));
    if let Some(verdict) = Verdict::repairable(NumberCode::BadFormat, repairs) {
        return verdict;
    }
    unproved(number, shaped().next(), found)
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

fn unproved(number: &str, shaped: Option<&Match>, found: &[Match]) -> Verdict {
    if let Some(shaped) = shaped {
        let name = name_of(shaped.carrier.unwrap_or_default());
        return Verdict::suspicious(format!("It may be a {name} number, but its form alone does not prove it."));
    }
    if let Some(wrong) = found.iter().find(|it| it.failed() && it.speaks_alone()) {
        return Verdict::suspicious(expectation(number, wrong));
    }
    let begun = TABLE.shapes.iter().find(|it| {
        let is_own = TABLE.format_of(it).is_some_and(|it| it.specificity >= DISTINCTIVE);
        let names_carrier = it.literal.bytes().any(|it| it.is_ascii_alphabetic());
        is_own && names_carrier && number.len() >= 10 && it.begins(number.as_bytes())
    });
    match begun.and_then(|it| Some((it, TABLE.format_of(it)?))) {
        Some((shape, format)) if shape.length().abs_diff(number.len()) <= 2 => {
            let (name, length) = (name_of(&format.carrier), shape.length());
            let detail = format!("It has {} characters; a {name} number that begins so has {length}.", number.len());
            Verdict::invalid(NumberCode::BadLength, detail)
        }
        _ => Verdict::suspicious("No format on file fits this number, so it can't be proved."),
    }
}

/// The carrier of all these matches, if it is one.
fn single_carrier(matches: &[&Match]) -> Option<&'static str> {
    let first = matches.first()?.carrier?;
    matches.iter().all(|it| it.carrier == Some(first)).then_some(first)
}
