//! The verdict for a declared carrier.

use super::super::detect::Match;
use super::super::formats::{Evidence, Format, Issuer, Shape, TABLE};
use super::super::repair::{self, Letters};
use super::super::{Hints, NumberCode, Validity};
use super::{Verdict, bad_country, name_of, test_number, wrong_digit};
use crate::domain::carrier::DeclaredCarrier;

pub(super) fn for_carrier(number: &str, found: &[Match], declared: &DeclaredCarrier, hints: &Hints<'_>) -> Verdict {
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
