//! What a seller's own carriers make of a number, beside the verdict that the table came to.

use super::judge::Verdict;
use super::{Candidate, CheckOutcome, Gravity, NumberCode, Validity};
use crate::domain::carrier::DeclaredCarrier;
use crate::domain::carrier::own::{OwnCarrier, find, name_of, page_of};
use std::borrow::Cow;

/// Where the carrier is declared, its pattern says as much as a telling form on file.
const DECLARED: f64 = 0.95;

/// A pattern has no check digit, and only its seller vouches for it.
const UNDECLARED: f64 = 0.6;

/// The verdict as the seller's own carriers have it. What is damaged stays so, whatever a pattern says.
pub(super) fn amended(
    number: &str,
    declared: Option<&DeclaredCarrier>,
    own: &[OwnCarrier],
    verdict: Verdict,
) -> Verdict {
    let is_damaged = verdict.code.is_some_and(|it| it.gravity() == Gravity::Damage);
    match declared {
        _ if own.is_empty() || is_damaged => verdict,
        None => among_own(number, own, verdict),
        Some(declared) => match find(declared.slug.as_str(), own) {
            Some(carrier) => for_own(number, carrier, verdict),
            None => verdict,
        },
    }
}

/// The page of a number at the seller's own carrier; none where the verdict stands for no such carrier.
pub(super) fn tracking_url(
    number: &str,
    declared: Option<&DeclaredCarrier>,
    own: &[OwnCarrier],
    verdict: &Verdict,
) -> Option<String> {
    if own.is_empty() || matches!(verdict.validity, Validity::Invalid | Validity::Repairable) {
        return None;
    }
    let first = verdict.candidates.first().filter(|it| it.check != CheckOutcome::Failed);
    let slug = declared.map(|it| &it.slug).or(first.map(|it| &it.carrier))?;
    let tracked = first.and_then(|it| it.tracked_number.as_deref()).unwrap_or(number);
    page_of(find(slug.as_str(), own)?.slug.as_str(), tracked, own)
}

/// The name by which the pattern at this place is known in answers.
pub(super) fn format_id(carrier: &OwnCarrier, at: usize) -> String {
    format!("{}-{}", carrier.slug, at + 1)
}

fn for_own(number: &str, carrier: &OwnCarrier, mut verdict: Verdict) -> Verdict {
    let name = &carrier.name;
    if let Some((at, _)) = carrier.fitting(number) {
        verdict.candidates.insert(0, candidate(carrier, at, DECLARED));
        return valid(carrier, verdict);
    }
    if carrier.patterns.is_empty() {
        let detail = format!("You gave no form of {name} numbers, so it can't be proved.");
        return reworded(Validity::Suspicious, None, detail, verdict);
    }
    // The table is sure whose number it is, as it has to be before it contradicts any carrier that was declared.
    if verdict.code == Some(NumberCode::CarrierMismatch) {
        let other = verdict.candidates.first().map_or("another carrier", |it| it.carrier.as_str());
        let detail = format!("It is a number of {}, not of {name}.", name_of(other, &[]).unwrap_or(other));
        return reworded(Validity::Invalid, verdict.code, detail, verdict);
    }
    let detail = format!("It has none of the forms that you gave for numbers of {name}.");
    reworded(Validity::Suspicious, Some(NumberCode::BadFormat), detail, verdict)
}

/// No carrier is declared: an own pattern comes behind every check digit that is right, and decides where none is.
fn among_own(number: &str, own: &[OwnCarrier], mut verdict: Verdict) -> Verdict {
    let mut fitting: Vec<(&OwnCarrier, usize, bool)> =
        own.iter().filter_map(|it| it.fitting(number).map(|(at, pattern)| (it, at, pattern.is_telling()))).collect();
    fitting.sort_by_key(|(_, _, is_telling)| !is_telling);
    let last_passed = verdict.candidates.iter().rposition(|it| it.check == CheckOutcome::Passed);
    let is_decided = last_passed.is_some() || verdict.validity == Validity::Valid;
    // Where the table is sure without a check digit, its carrier stays in front too.
    let place = if is_decided { last_passed.map_or(1, |it| it + 1).min(verdict.candidates.len()) } else { 0 };
    let candidates = fitting.iter().map(|(it, at, _)| candidate(it, *at, UNDECLARED));
    drop(verdict.candidates.splice(place..place, candidates.collect::<Vec<_>>()));
    let telling: Vec<&OwnCarrier> = fitting.iter().filter(|it| it.2).map(|it| it.0).collect();
    match telling.as_slice() {
        [only] if !is_decided => valid(only, verdict),
        [_, _, ..] if !is_decided => {
            let detail = "It has the form of several of your carriers' numbers; name the carrier.".to_owned();
            reworded(Validity::Ambiguous, None, detail, verdict)
        }
        _ => verdict,
    }
}

fn valid(carrier: &OwnCarrier, verdict: Verdict) -> Verdict {
    let detail = format!("It has a form that you gave for numbers of {}.", carrier.name);
    reworded(Validity::Valid, None, detail, verdict)
}

/// The same candidates under another verdict, which has no need of repairs.
fn reworded(validity: Validity, code: Option<NumberCode>, detail: String, verdict: Verdict) -> Verdict {
    Verdict { validity, code, detail, repairs: Vec::new(), ..verdict }
}

fn candidate(carrier: &OwnCarrier, at: usize, confidence: f64) -> Candidate {
    Candidate {
        carrier: carrier.slug.clone(),
        format: Cow::Owned(format_id(carrier, at)),
        service: None,
        check: CheckOutcome::None,
        confidence,
        reason: Cow::Borrowed("You gave this form for the carrier's numbers; it has no check digit."),
        tracked_number: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hints, NumberCheck, check};
    use super::*;
    use crate::domain::carrier::own::Told;

    fn carrier(slug: &str, patterns: &[&str]) -> OwnCarrier {
        let patterns = patterns.iter().map(|&it| it.to_owned()).collect();
        let tracking_url = Some(format!("https://{slug}.example/{{n}}"));
        let aliases = vec![format!("{slug} Ltd")];
        let told = Told { name: slug.replace('-', " "), aliases, tracking_url, patterns, ..Told::default() };
        OwnCarrier::define(slug, told).unwrap()
    }

    fn own() -> [OwnCarrier; 4] {
        [
            carrier("bobs-bikes", &["=BB digit*8", "digit*7"]),
            carrier("vans", &["=VV digit*8", "=BB digit*8 =V", "=12 digit*10"]),
            carrier("lone-rider", &[]),
            carrier("night-owls", &["=VV digit*8", "letter digit*9"]),
        ]
    }

    fn of(carrier: Option<&str>, number: &str) -> NumberCheck {
        check(number, &Hints { carrier, own: &own(), ..Hints::default() })
    }

    #[test]
    fn a_declared_own_carrier_s_number_is_proved_by_its_patterns() {
        use NumberCode as Code;
        use Validity::{Invalid, Suspicious, Valid};
        for (what, carrier, number, validity, code) in [
            ("a pattern fits", "bobs-bikes", "BB20417735", Valid, None),
            ("typed with blanks", "Bobs Bikes", "bb 2041 7735", Valid, None),
            ("named by its alias, the second pattern fits", "BOBS BIKES LTD.", "4187206", Valid, None),
            ("with a service behind the name", "Bobs Bikes Same Day", "4187206", Valid, None),
            ("no pattern fits", "bobs-bikes", "BB2041773", Suspicious, Some(Code::BadFormat)),
            (
                "not its number, but UPS's beyond doubt",
                "bobs-bikes",
                "1Z2F5X380312345674",
                Invalid,
                Some(Code::CarrierMismatch),
            ),
            ("an S10 number of Royal Mail", "bobs-bikes", "RX417302859GB", Invalid, Some(Code::CarrierMismatch)),
            ("the form of S10, of no country", "bobs-bikes", "RX417302859UK", Suspicious, Some(Code::BadFormat)),
            (
                "twelve digits that pass FedEx's check by chance",
                "bobs-bikes",
                "390780214612",
                Suspicious,
                Some(Code::BadFormat),
            ),
            ("UPS's number with a slip", "bobs-bikes", "1Z2F5X380312345675", Suspicious, Some(Code::BadFormat)),
            ("a pattern fits, and FedEx's check passes too", "vans", "123049586714", Valid, None),
            ("a carrier without patterns", "lone-rider", "BB20417735", Suspicious, None),
            ("without patterns, and UPS's number", "lone-rider", "1Z2F5X380312345674", Suspicious, None),
            ("a filler, whatever the patterns say", "bobs-bikes", "1234567", Invalid, Some(Code::Placeholder)),
            ("spoiled by a spreadsheet", "bobs-bikes", "9.40011E+21", Invalid, Some(Code::ScientificNotation)),
        ] {
            let read = of(Some(carrier), number);
            assert_eq!((read.validity, read.code), (validity, code), "{what}: {}", read.detail);
        }
    }

    #[test]
    fn the_answer_for_a_declared_own_carrier_names_it_and_links_its_page() {
        let read = of(Some("bobs bikes ltd"), "bb-2041-7735");
        let first = &read.candidates[0];
        assert_eq!((first.carrier.as_str(), &*first.format), ("bobs-bikes", "bobs-bikes-1"));
        assert_eq!((first.check, first.confidence), (CheckOutcome::None, DECLARED));
        assert_eq!(read.tracking_url.as_deref(), Some("https://bobs-bikes.example/BB20417735"));
        assert_eq!(read.detail, "It has a form that you gave for numbers of bobs bikes.");

        let doubtful = of(Some("lone-rider"), "BB20417735");
        assert_eq!(doubtful.tracking_url.as_deref(), Some("https://lone-rider.example/BB20417735"));
        let wrong = of(Some("bobs-bikes"), "1Z2F5X380312345674");
        assert_eq!(wrong.detail, "It is a number of UPS, not of bobs bikes.");
        assert_eq!((wrong.candidates[0].carrier.as_str(), wrong.tracking_url), ("ups", None));
    }

    #[test]
    fn without_a_declared_carrier_an_own_pattern_comes_behind_what_is_proved() {
        use Validity::{Ambiguous, Suspicious, Valid};
        for (what, number, validity, carriers) in [
            ("a start that tells the carrier", "BB20417735", Valid, &["bobs-bikes"][..]),
            ("digits alone tell nobody", "4187206", Suspicious, &["bobs-bikes"]),
            ("two own carriers with one form", "VV20417735", Ambiguous, &["vans", "night-owls"]),
            ("a check digit that is right wins", "123049586714", Ambiguous, &["fedex", "vans", "delhivery"]),
            ("UPS's waybill, its check digit right", "H7311999384", Valid, &["ups"]),
            ("nobody's", "QQ20417735", Suspicious, &[]),
        ] {
            let read = of(None, number);
            let found: Vec<_> = read.candidates.iter().map(|it| it.carrier.as_str()).collect();
            assert_eq!((read.validity, found.as_slice()), (validity, carriers), "{what}: {}", read.detail);
        }
        let read = of(None, "BB20417735");
        assert_eq!((read.candidates[0].confidence, read.code), (UNDECLARED, None));
        assert_eq!(read.tracking_url.as_deref(), Some("https://bobs-bikes.example/BB20417735"));
    }

    #[test]
    fn own_carriers_change_nothing_for_a_carrier_on_file_or_a_seller_without_any() {
        for number in ["1Z2F5X380312345674", "1Z2F5X380312345675", "BB20417735", "390780214612"] {
            let asked = |own| check(number, &Hints { carrier: Some("UPS"), own, ..Hints::default() });
            assert_eq!(asked(&own()), asked(&[]), "{number}");
        }
        let elsewhere = check("BB20417735", &Hints { carrier: Some("bobs-bikes"), ..Hints::default() });
        assert_eq!((elsewhere.validity, elsewhere.tracking_url), (Validity::Suspicious, None));
        assert_eq!(elsewhere.candidates, []);
    }
}
