//! Whose number it may be: every format that has its shape, what the check digit says, and how sure we are.

use super::formats::{DISTINCTIVE, Evidence, Format, Issuer, Shape, TABLE};
use super::{Candidate, CheckOutcome, Hints};
use crate::domain::carrier::{CarrierSlug, DeclaredCarrier};

/// From here on a shape says something; below it neither the shape nor a right check digit proves the carrier, and a
/// shape without a check digit needs a declared one.
const TELLING: u8 = 50;

/// A format that has the number's shape.
pub(super) struct Match {
    pub(super) format: &'static Format,
    /// None for an S10 number of a country that issues none.
    pub(super) carrier: Option<&'static str>,
    pub(super) outcome: CheckOutcome,
    /// The right check character and its place.
    pub(super) expected: Option<(u8, usize)>,
    pub(super) body: (usize, usize),
    tracked: (usize, usize),
}

impl Match {
    pub(super) fn passed(&self) -> bool {
        self.outcome == CheckOutcome::Passed && self.carrier.is_some()
    }

    pub(super) fn failed(&self) -> bool {
        self.outcome == CheckOutcome::Failed
    }

    /// Whether the shape alone tells the carrier.
    pub(super) fn is_distinctive(&self) -> bool {
        self.format.specificity >= DISTINCTIVE
    }

    pub(super) fn is_telling(&self) -> bool {
        self.format.specificity >= TELLING
    }

    /// Whether the check tells the carrier, and not merely that several carriers count alike.
    pub(super) fn proves(&self) -> bool {
        self.passed() && self.speaks_alone() && self.is_telling()
    }

    /// Whether it counts where no carrier is declared.
    pub(super) fn speaks_alone(&self) -> bool {
        self.format.confidence != Evidence::Low && (self.format.check.is_some() || self.is_telling())
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
        let tracked = number.get(self.tracked.0..).unwrap_or(number);
        let mut partners = self.format.partners.iter().filter(|it| declared.accepts(&it.carrier));
        partners.any(|it| it.prefixes.iter().any(|prefix| tracked.starts_with(prefix.as_str())))
    }

    /// Whether either end of the journey is in the format's country.
    pub(super) fn is_near(&self, hints: &Hints<'_>) -> bool {
        let ends = [hints.origin_country, hints.destination_country];
        let country = self.format.country.as_deref();
        country.is_some_and(|it| ends.iter().flatten().any(|end| end.eq_ignore_ascii_case(it)))
    }

    /// How sure this match is, `rivals` being the carriers whose checks pass on the same digits.
    fn confidence(&self, is_own: bool, rivals: u32) -> f64 {
        match self.outcome {
            CheckOutcome::Failed => 0.05,
            CheckOutcome::Passed if self.is_distinctive() => 0.99,
            CheckOutcome::Passed if is_own => 0.95,
            CheckOutcome::Passed if rivals > 1 || !self.is_telling() => 0.60 / f64::from(rivals.max(1)),
            CheckOutcome::Passed => 0.80,
            CheckOutcome::None if self.is_distinctive() => 0.95,
            CheckOutcome::None if self.is_telling() => 0.70,
            CheckOutcome::None => 0.30,
        }
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

    fn candidate(&self, number: &str, is_own: bool, rivals: u32) -> Option<Candidate> {
        let tracked = number.get(self.tracked.0..self.tracked.1).filter(|it| it.len() < number.len());
        Some(Candidate {
            carrier: CarrierSlug::on_file(self.carrier?),
            format: self.format.id.clone(),
            service: self.format.service.clone(),
            check: self.outcome,
            confidence: self.confidence(is_own, rivals),
            reason: self.reason().to_owned(),
            tracked_number: tracked.map(str::to_owned),
        })
    }
}

/// Every format that has this number's shape; of a format's several shapes the one whose check passes.
pub(super) fn matches(number: &str) -> Vec<Match> {
    let number = number.as_bytes();
    let mut found: Vec<Match> = Vec::new();
    for shape in TABLE.shapes_like(number).filter(|it| it.fits(number)) {
        let Some(format) = TABLE.format_of(shape) else { continue };
        let fresh = held_against(number, format, shape);
        match found.last_mut().filter(|it| it.format.id == format.id) {
            Some(other) if other.failed() => *other = fresh,
            Some(_) => {}
            None => found.push(fresh),
        }
    }
    found
}

fn held_against(number: &[u8], format: &'static Format, shape: &'static Shape) -> Match {
    let (outcome, expected) = outcome(number, format, shape);
    let carrier = match format.issuer {
        Some(Issuer::S10) => TABLE.s10_issuer(number),
        None => Some(format.carrier.as_str()),
    };
    Match { format, carrier, outcome, expected, body: shape.body, tracked: shape.tracked }
}

fn outcome(number: &[u8], format: &Format, shape: &Shape) -> (CheckOutcome, Option<(u8, usize)>) {
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

/// The carriers of the matches, likeliest first: the declared one, then those at either end of the journey.
///
/// A failed check is listed where it tells something: the shape is the carrier's alone, or nothing else passes.
pub(super) fn candidates(
    number: &str,
    found: &[Match],
    declared: Option<&DeclaredCarrier>,
    hints: &Hints<'_>,
) -> Vec<Candidate> {
    let rivals = rivals(found);
    let any_passed = found.iter().any(Match::passed);
    let own = |it: &Match| declared.is_some_and(|declared| it.fits(declared, number));
    let telling = |it: &&Match| {
        let failed_aside = it.failed() && any_passed && !it.is_distinctive();
        own(it) || (it.speaks_alone() && !failed_aside)
    };
    let mut ranked: Vec<(&Match, bool, Candidate)> = found
        .iter()
        .filter(telling)
        .filter_map(|it| it.candidate(number, own(it), rivals).map(|candidate| (it, own(it), candidate)))
        .collect();
    let key = |(it, is_own, _): &(&Match, bool, Candidate)| {
        (it.failed(), !is_own, !it.is_distinctive(), !it.is_near(hints), !it.passed(), 100 - it.format.specificity)
    };
    if ranked.len() > 1 {
        ranked.sort_by_key(key);
    }
    ranked.into_iter().map(|(_, _, candidate)| candidate).collect()
}

/// How many carriers' checks pass on a shape that is nobody's own.
fn rivals(found: &[Match]) -> u32 {
    let passing = || found.iter().filter(|it| it.passed() && !it.is_distinctive() && it.speaks_alone());
    let mut carriers: Vec<_> = passing().filter_map(|it| it.carrier).collect();
    carriers.sort_unstable();
    carriers.dedup();
    u32::try_from(carriers.len()).unwrap_or(u32::MAX)
}
