//! Whose number it may be: every format that has its shape, what the check digit says, and how sure we are.

use super::formats::{DISTINCTIVE, Evidence, Format, Issuer, Shape, TABLE};
use super::habits::Familiarity;
use super::{Candidate, CheckOutcome, Hints};
use crate::domain::carrier::{CarrierSlug, DeclaredCarrier};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Reverse;

/// From here on a shape says something; below it neither the shape nor a right check digit proves the carrier, and a
/// shape without a check digit needs a declared one.
const TELLING: u8 = 50;

/// A format that has the number's shape.
#[derive(Clone, Copy)]
pub(super) struct Match {
    pub(super) format: &'static Format,
    /// None for an S10 number of a country that issues none.
    pub(super) carrier: Option<&'static str>,
    pub(super) outcome: CheckOutcome,
    /// The right check character and its place.
    pub(super) expected: Option<(u8, usize)>,
    pub(super) shape: &'static Shape,
}

impl Match {
    pub(super) fn passed(&self) -> bool {
        self.outcome == CheckOutcome::Passed && self.carrier.is_some()
    }

    pub(super) fn failed(&self) -> bool {
        self.outcome == CheckOutcome::Failed
    }

    /// Whether it can be a number of this format.
    pub(super) fn stands(&self) -> bool {
        !self.failed() && self.carrier.is_some()
    }

    /// Whether the shape alone tells the carrier.
    pub(super) fn is_distinctive(&self) -> bool {
        self.shape.specificity >= DISTINCTIVE && !self.is_hearsay()
    }

    pub(super) fn is_telling(&self) -> bool {
        self.shape.specificity >= TELLING
    }

    /// Whether it is a number of this carrier for certain, if nothing else is.
    pub(super) fn names_carrier(&self) -> bool {
        self.stands() && self.is_distinctive()
    }

    /// Whether the check tells the carrier, and not merely that several carriers count alike.
    pub(super) fn proves(&self) -> bool {
        self.passed() && self.is_telling() && !self.is_hearsay()
    }

    /// Known by hearsay only: it may be listed, and decides nothing.
    pub(super) fn is_hearsay(&self) -> bool {
        self.format.confidence == Evidence::Low
    }

    /// Where what counts up ends: before the check digit, or at the end of what is tracked.
    pub(super) fn serial_end(&self) -> usize {
        if self.format.check.is_some() { self.shape.body.1 } else { self.shape.tracked.1 }
    }

    pub(super) fn is_s10(&self) -> bool {
        self.format.issuer == Some(Issuer::S10)
    }

    /// Whether it is a number of the declared carrier, or of a parcel that it hands over to another.
    pub(super) fn fits(&self, declared: &DeclaredCarrier, number: &str) -> bool {
        self.carrier.is_some_and(|it| declared.accepts(it) || declared.slug.as_str() == self.format.carrier)
            || self.is_handed_over(declared, number)
    }

    pub(super) fn is_handed_over(&self, declared: &DeclaredCarrier, number: &str) -> bool {
        let tracked = number.get(self.shape.tracked.0..).unwrap_or(number);
        let mut partners = self.format.partners.iter().filter(|it| declared.accepts(&it.carrier));
        partners.any(|it| it.prefixes.iter().any(|prefix| tracked.starts_with(prefix.as_str())))
    }

    /// Whether either end of the journey is in the format's country.
    pub(super) fn is_near(&self, hints: &Hints<'_>) -> bool {
        let ends = [hints.origin_country, hints.destination_country];
        let country = self.format.country.as_deref();
        country.is_some_and(|it| ends.iter().flatten().any(|end| end.eq_ignore_ascii_case(it)))
    }

    /// How well the seller's own past knows such numbers.
    pub(super) fn familiarity(&self, number: &str, hints: &Hints<'_>) -> Familiarity {
        hints.habits.map_or(Familiarity::None, |habits| habits.familiarity(self, number))
    }

    fn reason(&self) -> &'static str {
        match (self.outcome, self.is_distinctive()) {
            (CheckOutcome::Passed, true) => "The form is this carrier's alone and the check digit is right.",
            (CheckOutcome::Passed, false) => "The check digit is right, but others use the same form.",
            (CheckOutcome::Failed, _) => "The form fits, but the check digit is wrong.",
            (CheckOutcome::None, true) => "The form is this carrier's alone; it has no check digit.",
            (CheckOutcome::None, false) => "The form fits; it has no check digit.",
        }
    }
}

/// Few numbers have the shape of more formats than find room here without an allocation.
pub(super) type Matches = SmallVec<[Match; 10]>;

/// Every format that has this number's shape; of a format's several shapes the one whose check passes, then the one that
/// tells most.
pub(super) fn matches(number: &str) -> Matches {
    let number = number.as_bytes();
    let mut found = Matches::new();
    for shape in TABLE.shapes_of(number) {
        let Some(format) = TABLE.format_of(shape) else { continue };
        let fresh = held_against(number, format, shape);
        match found.last_mut().filter(|it| it.shape.format == shape.format) {
            Some(other) if rank_within(&fresh) > rank_within(other) => *other = fresh,
            Some(_) => {}
            None => found.push(fresh),
        }
    }
    found
}

fn rank_within(it: &Match) -> (bool, u8) {
    (!it.failed(), it.shape.specificity)
}

fn held_against(number: &[u8], format: &'static Format, shape: &'static Shape) -> Match {
    let (outcome, expected) = outcome(number, format, shape);
    let carrier = match format.issuer {
        Some(Issuer::S10) => TABLE.s10_issuer(number),
        None => Some(format.carrier.as_str()),
    };
    Match { format, carrier, outcome, expected, shape }
}

/// What the check of a format says, and which character would be right in which place.
pub(super) fn outcome(number: &[u8], format: &Format, shape: &Shape) -> (CheckOutcome, Option<(u8, usize)>) {
    let Some(check) = &format.check else { return (CheckOutcome::None, None) };
    let (start, end) = shape.body;
    let (Some(body), Some(found)) = (number.get(start..end), number.get(end)) else {
        return (CheckOutcome::Failed, None);
    };
    let expected = |prefix: &str| check.rule.expected(prefix.as_bytes(), body);
    if check.prepend.is_empty() {
        let right = expected("");
        let outcome = if right == Some(*found) { CheckOutcome::Passed } else { CheckOutcome::Failed };
        return (outcome, right.map(|it| (it, end)));
    }
    let passed = check.prepend.iter().any(|it| expected(it) == Some(*found));
    let right = if let [only] = check.prepend.as_slice() { expected(only) } else { None };
    (if passed { CheckOutcome::Passed } else { CheckOutcome::Failed }, right.map(|it| (it, end)))
}

/// A match, with what ranks it among the others.
struct Ranked {
    it: Match,
    is_own: bool,
    familiarity: Familiarity,
    is_near: bool,
    kind: Kind,
    /// Its share among those of its kind, before they are added up.
    weight: f64,
}

/// How sure a match can be, apart from its rivals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Distinctive,
    /// Of the declared carrier, and its check passes.
    Own,
    Passed,
    /// No check, but a shape that says something.
    Telling,
    /// Nothing but the shape, or a check that is hearsay itself.
    ShapeOnly,
}

impl Ranked {
    fn of(it: &Match, is_own: bool, number: &str, hints: &Hints<'_>) -> Self {
        let (familiarity, is_near) = (it.familiarity(number, hints), it.is_near(hints));
        let near = if is_near { 3.0 } else { 1.0 };
        let familiar = match familiarity {
            Familiarity::None => 1.0,
            Familiarity::Carrier => 2.0,
            Familiarity::Prefix => 6.0,
        };
        let kind = match it.outcome {
            CheckOutcome::Failed => Kind::Failed,
            _ if it.is_distinctive() => Kind::Distinctive,
            CheckOutcome::Passed if is_own => Kind::Own,
            CheckOutcome::Passed if !it.is_hearsay() => Kind::Passed,
            CheckOutcome::None if it.is_telling() && !it.is_hearsay() => Kind::Telling,
            CheckOutcome::None | CheckOutcome::Passed => Kind::ShapeOnly,
        };
        let weight = f64::from(it.shape.specificity) * near * familiar;
        Self { it: *it, is_own, familiarity, is_near, kind, weight }
    }

    /// Declared before distinctive before familiar before near: hints rank, and a failed check comes last all the same.
    fn key(&self) -> impl Ord + use<> {
        let Self { it, is_own, familiarity, is_near, .. } = self;
        let specificity = Reverse(it.shape.specificity);
        (it.failed(), !is_own, !it.is_distinctive(), Reverse(*familiarity), !is_near, !it.passed(), specificity)
    }
}

/// The carriers of the matches, likeliest first: the declared one, then those that the seller or the journey is near to.
///
/// A failed check is listed where it tells something: the shape is the carrier's alone, or nothing else passes.
pub(super) fn candidates(
    number: &str,
    found: &[Match],
    declared: Option<&DeclaredCarrier>,
    hints: &Hints<'_>,
) -> Vec<Candidate> {
    let any_passed = found.iter().any(|it| it.passed() && !it.is_hearsay());
    let own = |it: &Match| declared.is_some_and(|declared| it.fits(declared, number));
    let telling = |it: &Match| !it.failed() || it.is_distinctive() || !(any_passed || it.is_hearsay());
    let listed = found.iter().filter(|it| it.carrier.is_some()).map(|it| (it, own(it)));
    let mut ranked: SmallVec<[Ranked; 10]> = listed
        .filter(|(it, is_own)| *is_own || telling(it))
        .map(|(it, is_own)| Ranked::of(it, is_own, number, hints))
        .collect();
    if ranked.len() > 1 {
        ranked.sort_by_key(Ranked::key);
    }
    let sum = |kind: Kind| ranked.iter().filter(|it| it.kind == kind).map(|it| it.weight).sum::<f64>();
    let sums = (sum(Kind::Passed), sum(Kind::ShapeOnly));
    // Nobody is surer than the one ranked before.
    let mut ceiling = 1.0;
    let mut candidates = Vec::with_capacity(ranked.len());
    candidates.extend(ranked.iter().filter_map(|it| {
        ceiling = confidence(it, sums, any_passed).min(ceiling);
        candidate(number, it, (ceiling * 1000.0).round() / 1000.0)
    }));
    candidates
}

/// How sure this one is, given what those add up to whose check passes, and those that have the shape alone.
fn confidence(it: &Ranked, (passed, shape_only): (f64, f64), any_passed: bool) -> f64 {
    match it.kind {
        Kind::Failed => 0.05,
        Kind::Distinctive if it.it.passed() => 0.99,
        Kind::Distinctive | Kind::Own => 0.95,
        Kind::Passed if it.weight >= passed => 0.80,
        Kind::Passed => 0.60 * it.weight / passed,
        Kind::Telling => 0.70,
        Kind::ShapeOnly if any_passed => 0.10 * it.weight / shape_only,
        Kind::ShapeOnly => 0.30 * it.weight / shape_only,
    }
}

fn candidate(number: &str, Ranked { it, .. }: &Ranked, confidence: f64) -> Option<Candidate> {
    let (start, end) = it.shape.tracked;
    let tracked = number.get(start..end).filter(|it| it.len() < number.len());
    Some(Candidate {
        carrier: CarrierSlug::on_file(it.carrier?),
        format: Cow::Borrowed(&it.format.id),
        service: it.format.service.as_deref().map(Cow::Borrowed),
        check: it.outcome,
        confidence,
        reason: Cow::Borrowed(it.reason()),
        tracked_number: tracked.map(str::to_owned),
    })
}
