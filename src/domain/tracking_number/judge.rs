//! The verdict on a number in its plain form: for the declared carrier, or among all carriers.

use super::detect::{self, Match};
use super::formats::{DISTINCTIVE, Evidence, Format, Issuer, Shape, TABLE};
use super::habits::Familiarity;
use super::repair::{Letters, Slips};
use super::{Candidate, CheckOutcome, Hints, NumberCode, Repair, RepairCode, Validity, placeholder, repair};
use crate::domain::carrier::{self, DeclaredCarrier};
use smallvec::SmallVec;
use std::borrow::Cow;

/// A spreadsheet keeps fifteen digits; this many zeros behind them are no chance, whatever the check says.
const CERTAIN_ZEROS: usize = 5;

/// With fewer zeros than this the number may well end so.
const TELLING_ZEROS: usize = 2;

/// Those of the matches that have something in common.
type Picked<'a> = SmallVec<[&'a Match; 10]>;

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

fn for_carrier(number: &str, found: &[Match], declared: &DeclaredCarrier, hints: &Hints<'_>) -> Verdict {
    let own = || found.iter().filter(|it| it.fits(declared, number));
    let foreign = |names: fn(&Match) -> bool| found.iter().find(|it| !it.fits(declared, number) && names(it));
    let wanted = |it: &Match, number: &str| it.fits(declared, number);
    if let Some(right) = own().find(|it| it.passed()) {
        return test_number(number, right).unwrap_or_else(|| Verdict::valid(praise(right, declared, number)));
    }
    let shaped = own().filter(|it| it.stands()).max_by_key(|it| it.shape.specificity);
    let formed = |it: &Match| {
        format!("It has the form of a {} number, which has no check digit.", name_of(it.carrier.unwrap_or_default()))
    };
    if let Some(shaped) = shaped.filter(|it| it.is_telling()) {
        return Verdict::valid(formed(shaped));
    }
    if let Some(other) = foreign(Match::names_carrier).filter(|_| declared.known) {
        return mismatch(other, declared, hints);
    }
    if let Some(shaped) = shaped {
        return Verdict { repairs: repair::with_zeros(number, wanted), ..Verdict::suspicious(formed(shaped)) };
    }
    if let Some(wrong) = own().next() {
        return wrong_digit(number, wrong, repair::with_digits(number, Letters::AmidDigits, wanted), hints);
    }
    let of_nowhere = found.iter().find(|it| it.carrier.is_none());
    if let Some(wrong) = of_nowhere.filter(|_| declared.known) {
        return bad_country(number, wrong);
    }
    without_own_shape(number, declared, foreign(Match::proves), hints)
}

/// A number that its carrier published for tests, though it passes the check; nothing travels under it.
fn test_number(number: &str, it: &Match) -> Option<Verdict> {
    let detail = format!("It is one of {}'s published test numbers; no parcel goes under it.", name_of(it.carrier?));
    is_test(number, it).then(|| Verdict::of(Validity::Valid, Some(NumberCode::SandboxNumber), detail))
}

fn is_test(number: &str, it: &Match) -> bool {
    it.format.sandbox.iter().any(|test| number.starts_with(test.as_str()))
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
    let has_formats = TABLE.formats.iter().any(|it| is_attested(it) && declared.accepts(&it.carrier));
    if let Some(other) = other.filter(|_| has_formats) {
        return mismatch(other, declared, hints);
    }
    let counts = |it: &&Shape| {
        TABLE.format_of(it).is_some_and(|format| match format.issuer {
            Some(Issuer::S10) => is_operator,
            None => is_attested(format) && declared.accepts(&format.carrier),
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
    Verdict::suspicious(format!("No well-attested format of {name} is on file, so it can't be proved."))
}

/// Whether more than hearsay speaks for the format.
fn is_attested(format: &Format) -> bool {
    format.confidence != Evidence::Low
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

fn among_all(number: &str, found: &[Match], hints: &Hints<'_>) -> Verdict {
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
    if let Some(wrong) = failed.filter(|it| shaped.is_none_or(|shaped| it.shape.specificity > shaped.shape.specificity))
    {
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
