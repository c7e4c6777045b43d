//! What is told of a carrier's formats, each with a number made up to show it: its check digit is right.
//!
//! A made-up number may be somebody's parcel by chance. It is taken only if it is judged right by the same rules as any.

use super::formats::{Evidence, Format, Issuer, Shape, TABLE};
use super::own::format_id;
use super::pattern::{SYMBOLS, bit};
use super::{Hints, NumberPattern, check};
use crate::domain::carrier::by_slug;
use crate::domain::carrier::own::OwnCarrier;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::LazyLock;
use utoipa::ToSchema;

/// So many fillings are tried: some look made up, or pass the check of a test number.
const MOST_FILLINGS: usize = 40;

/// A form that a carrier's numbers have.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NumberFormat {
    /// As `format` of a checked number's candidates.
    #[schema(example = "ups-1z")]
    pub id: String,
    pub service: Option<String>,
    /// How many characters such a number has: any of these.
    pub lengths: Vec<usize>,
    /// A made-up number of this form, its check digit right; none where every such number would be taken for a filler.
    #[schema(example = "1Z6938419889148398")]
    pub example: Option<String>,
    /// Of random digits where it can be all digits, else of random letters and digits: the share that would be taken for
    /// such a number. None for forms that you gave.
    #[schema(example = 0.1)]
    pub false_positive_rate: Option<f64>,
    /// The rule of the check digit in a few words, or `none`.
    #[schema(example = "weights 1 2 from the left, modulo 10")]
    pub check: String,
    /// How well it is attested that the carrier uses this form: `high`, `medium` or `low`. A low one counts only where
    /// the carrier is declared.
    #[schema(example = "high")]
    pub confidence: &'static str,
    /// Where we have it from.
    pub source: String,
}

static BY_CARRIER: LazyLock<HashMap<String, Vec<NumberFormat>>> = LazyLock::new(|| {
    let mut by_carrier: HashMap<String, Vec<NumberFormat>> = HashMap::new();
    for (number, format) in TABLE.formats.iter().enumerate() {
        let shapes: Vec<&Shape> = TABLE.shapes.iter().filter(|it| it.format == number).collect();
        for (carrier, ending) in carriers_of(format) {
            by_carrier.entry(carrier.to_owned()).or_default().push(told(format, &shapes, ending));
        }
    }
    by_carrier
});

/// The formats of the carrier of this slug, also of a postal operator that is not on file by name.
pub fn formats_of(slug: &str) -> &'static [NumberFormat] {
    BY_CARRIER.get(slug).map(Vec::as_slice).unwrap_or_default()
}

/// The postal operators that are known by their country alone, with that country, by slug.
pub fn postal_operators() -> Vec<(&'static str, &'static str)> {
    let mut nameless: Vec<_> = TABLE.issuers().filter(|(slug, _)| by_slug(slug).is_none()).collect();
    nameless.sort_unstable();
    nameless
}

/// The patterns of a seller's own carrier, told as formats are.
pub fn own_formats(carrier: &OwnCarrier) -> Vec<NumberFormat> {
    let told = |(at, pattern): (usize, &NumberPattern)| NumberFormat {
        id: format_id(carrier, at),
        service: None,
        lengths: sorted(pattern.shapes().iter().map(Vec::len)),
        example: own_example(carrier, pattern),
        false_positive_rate: None,
        check: "none".to_owned(),
        confidence: "medium",
        source: "your own".to_owned(),
    };
    carrier.patterns.iter().enumerate().map(told).collect()
}

/// Whose format it is, and what such a number of theirs ends in.
fn carriers_of(format: &Format) -> Vec<(&str, &str)> {
    if format.issuer != Some(Issuer::S10) {
        return vec![(&format.carrier, "")];
    }
    let mut operators: Vec<_> = TABLE.issuers().collect();
    // An operator of several countries shows the number of its own.
    let is_home =
        |(slug, country): &(&str, &str)| by_slug(slug).is_some_and(|it| it.country.as_deref() == Some(country));
    operators.sort_unstable_by_key(|it| (it.0, !is_home(it), it.1));
    operators.dedup_by_key(|it| it.0);
    operators
}

fn told(format: &Format, shapes: &[&Shape], ending: &str) -> NumberFormat {
    NumberFormat {
        id: format.id.clone(),
        service: format.service.clone(),
        lengths: sorted(shapes.iter().map(|it| it.length())),
        example: Some(example(format, ending)),
        false_positive_rate: Some(format.false_positive_rate),
        check: format.check.as_ref().map_or_else(|| "none".to_owned(), |it| it.rule.in_words()),
        confidence: match format.confidence {
            Evidence::High => "high",
            Evidence::Medium => "medium",
            Evidence::Low => "low",
        },
        source: format.source.clone(),
    }
}

fn sorted(lengths: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut lengths: Vec<usize> = lengths.collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// The first example on file; a number that many posts share ends in the country at hand, which no check digit weighs.
fn example(format: &Format, ending: &str) -> String {
    let [example, _] = &format.examples;
    let start = example.get(..example.len() - ending.len()).unwrap_or(example);
    format!("{start}{ending}")
}

fn own_example(carrier: &OwnCarrier, pattern: &NumberPattern) -> Option<String> {
    let own = std::slice::from_ref(carrier);
    let is_right = |number: &String| {
        let hints = Hints { carrier: Some(carrier.slug.as_str()), own, ..Hints::default() };
        pattern.fits(number) && check(number, &hints).code.is_none()
    };
    let fillings = (0..MOST_FILLINGS).flat_map(|filling| pattern.shapes().iter().map(move |it| filled(it, filling)));
    fillings.filter_map(|it| String::from_utf8(it).ok()).find(is_right)
}

/// Each place filled with a digit where it may hold one, else with a letter. The steps grow from place to place, so that
/// it neither counts nor stands still.
fn filled(places: &[u64], filling: usize) -> Vec<u8> {
    let fill = |(at, place): (usize, &u64)| {
        let fitting = |wanted: fn(&u8) -> bool| {
            SYMBOLS.iter().copied().filter(|it| place & bit(*it) != 0 && wanted(it)).collect::<Vec<_>>()
        };
        let digits = fitting(u8::is_ascii_digit);
        let symbols = if digits.is_empty() { fitting(u8::is_ascii_alphabetic) } else { digits };
        let nth = (at * (at + 1) / 2 + filling * (at + 1) + 3) % symbols.len().max(1);
        symbols.get(nth).copied().unwrap_or(b'0')
    };
    places.iter().enumerate().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{CheckOutcome, NumberCheck};
    use super::*;
    use crate::domain::carrier::own::Told;
    use std::collections::BTreeSet;

    /// As the number of this carrier; a postal operator without a name, whose slug may read as somebody else's name, is told
    /// by its numbers alone.
    fn judged(number: &str, carrier: &str) -> NumberCheck {
        let declared = by_slug(carrier).map(|it| it.slug.as_str());
        check(number, &Hints { carrier: declared, ..Hints::default() })
    }

    #[test]
    fn every_format_has_an_example_that_is_found_under_it_and_passes_its_check() {
        let mut shown = BTreeSet::new();
        for (carrier, formats) in &*BY_CARRIER {
            for format in formats {
                let number = format.example.as_deref().unwrap_or_else(|| panic!("{carrier} {}: no example", format.id));
                assert!(format.lengths.contains(&number.len()), "{number}");
                let judged = judged(number, carrier);
                let found = judged.candidates.iter().find(|it| it.format == format.id).unwrap();
                assert_eq!(found.carrier.as_str(), carrier, "{number}");
                let expected = if format.check == "none" { CheckOutcome::None } else { CheckOutcome::Passed };
                assert_eq!((found.check, judged.code), (expected, None), "{} {number}", format.id);
                shown.insert(format.id.as_str());
            }
        }
        assert_eq!(shown, TABLE.formats.iter().map(|it| it.id.as_str()).collect(), "a format is nobody's");
    }

    #[test]
    fn a_postal_operator_s_example_ends_in_its_country() {
        for (carrier, country) in [("royal-mail", "GB"), ("usps", "US"), ("post-ad", "AD"), ("yanwen", "YN")] {
            let s10 = formats_of(carrier).iter().find(|it| it.id == "s10").unwrap();
            let number = s10.example.as_deref().unwrap();
            assert!(number.len() == 13 && number.ends_with(country), "{carrier}: {number}");
        }
        assert!(postal_operators().contains(&("post-ad", "AD")));
        assert!(postal_operators().iter().all(|(slug, country)| slug.ends_with(&country.to_ascii_lowercase())));
    }

    #[test]
    fn an_own_pattern_has_an_example_that_it_fits() {
        let patterns = ["=BB digit*8", "[01]*12", "[1-7]*9", "letter*3 digit*6-8 =X", "alnum*5"];
        let patterns: Vec<String> = patterns.map(str::to_owned).into();
        let told = Told { name: "Bob's Bikes".to_owned(), patterns, ..Told::default() };
        let bobs = OwnCarrier::define("bobs-bikes", told).unwrap();
        let formats = own_formats(&bobs);
        for (format, pattern) in formats.iter().zip(&bobs.patterns) {
            let number = format.example.as_deref().unwrap_or_else(|| panic!("{}: no example", pattern.as_str()));
            assert!(pattern.fits(number), "{} {number}", pattern.as_str());
        }
        assert_eq!((formats[3].id.as_str(), formats[3].lengths.as_slice()), ("bobs-bikes-4", &[10, 11, 12][..]));
        assert_eq!((formats[3].check.as_str(), formats[3].source.as_str()), ("none", "your own"));
    }

    #[test]
    fn a_format_is_told_in_full() {
        let find = |id: &str| formats_of("ups").iter().find(|it| it.id == id).unwrap();
        let (parcel, waybill) = (find("ups-1z"), find("ups-waybill"));
        assert_eq!((parcel.lengths.as_slice(), parcel.confidence), (&[18][..], "high"));
        assert_eq!(parcel.check, "weights 1 2 from the left, modulo 10");
        assert_eq!(waybill.service.as_deref(), Some("Waybill"));
        assert!(!parcel.source.is_empty());
        assert!(formats_of("bobs-bikes").is_empty());
    }
}
