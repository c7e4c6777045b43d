//! In which country a scan was made, by the place as its source wrote it; where that is not sure, nothing is concluded.
//!
//! The last part of a place may be a country, as in `Lyon, FR` or `LYON - FRANCE`. Two letters may also be a state or a
//! province: `Wilmington, DE` is no place in Germany. So two letters tell nothing where the destination has a part by that
//! name, or where we do not know the names of its parts.

use crate::domain::country::CountryCode;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a place says of a parcel that is to go to one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In the country that it goes to.
    Home,
    /// In one of these, and for sure not in the country that it goes to.
    Elsewhere(Vec<CountryCode>),
    Unknown,
}

/// Parts of countries whose names are written as two letters, by country. A country without any is there with none; of one
/// that is missing we do not know.
///
/// Source: ISO 3166-2; for ES, IE and IT the codes of plates, for GB the postal areas, which stand in addresses there.
static PARTS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let rows = include_str!("../data/subdivisions.csv").lines().skip(1);
    rows.filter_map(|row| row.split_once(',')).map(|(country, codes)| (country, codes.split(' ').collect())).collect()
});

/// Countries in which a town is commonly written with its state alone, by parcel services that work nowhere else.
const WRITES_STATES: [&str; 4] = ["US", "CA", "AU", "BR"];

/// Names of countries that are also names of regions in others.
const ALSO_REGIONS: [(&str, &[&str]); 8] = [
    ("Georgia", &["US"]),
    ("Luxembourg", &["BE"]),
    ("Niger", &["NG"]),
    ("Macedonia", &["GR"]),
    ("Ireland", &["GB"]),
    ("Korea", &["KP", "KR"]),
    ("Congo", &["CD", "CG"]),
    ("Samoa", &["AS"]),
];

/// Names of countries that are also names of towns, mostly in the United States: alone, without a town in front, they say
/// nothing.
const ALSO_TOWNS: [&str; 30] = [
    "Angola",
    "Brazil",
    "Chile",
    "China",
    "Cuba",
    "Cyprus",
    "Denmark",
    "Egypt",
    "England",
    "Finland",
    "Holland",
    "Italy",
    "Jamaica",
    "Japan",
    "Jersey",
    "Jordan",
    "Lebanon",
    "Malta",
    "Mexico",
    "Morocco",
    "Norway",
    "Panama",
    "Peru",
    "Poland",
    "Portugal",
    "San Marino",
    "Scotland",
    "Sweden",
    "Turkey",
    "Wales",
];

/// Countries that one post serves, or that are written as one another: a parcel for one of them may well be seen in the
/// other.
const FAMILIES: [&[&str]; 12] = [
    &["CN", "HK", "MO", "TW"],
    &["US", "PR", "GU", "VI", "AS", "MP", "UM"],
    &["FR", "MC", "AD", "RE", "GP", "MQ", "GF", "YT", "PM", "BL", "MF", "NC", "PF", "WF", "TF"],
    &["GB", "JE", "GG", "IM"],
    &["NL", "AW", "CW", "SX", "BQ"],
    &["DK", "GL", "FO"],
    &["FI", "AX"],
    &["NO", "SJ"],
    &["IT", "SM", "VA"],
    &["CH", "LI"],
    &["ES", "AD"],
    &["RS", "XK"],
];

/// Whether two countries are surely two, as the post sees them.
pub(super) fn are_apart(one: CountryCode, other: CountryCode) -> bool {
    let is_of = |family: &[&str], country: CountryCode| family.contains(&country.as_str());
    one != other && !FAMILIES.iter().any(|family| is_of(family, one) && is_of(family, other))
}

/// Reads a place as its source wrote it.
pub(super) fn read(place: &str, destination: CountryCode) -> Whereabouts {
    let parts: Vec<&str> =
        place.split([',', ';', '(', ')', '/', '|']).flat_map(|part| part.split(" - ")).map(str::trim).collect();
    let mut parts = parts.into_iter().filter(|part| !part.is_empty()).rev();
    let Some(last) = parts.next() else { return Whereabouts::Unknown };
    let is_alone = parts.next().is_none();
    match named(last, is_alone, destination) {
        Some((own, _)) if !are_apart(own, destination) => Whereabouts::Home,
        Some((own, others)) if others.iter().all(|it| are_apart(*it, destination)) => {
            Whereabouts::Elsewhere([own].into_iter().chain(others).collect())
        }
        Some(_) | None => Whereabouts::Unknown,
    }
}

/// The country that a word names, and others that it may stand for.
fn named(word: &str, is_alone: bool, destination: CountryCode) -> Option<(CountryCode, Vec<CountryCode>)> {
    if word.len() == 2 {
        return named_by_two_letters(word, destination);
    }
    // Three letters are as often an airport.
    let is_name = word.chars().count() > 3 || matches!(word, "USA");
    let same = |name: &str| name.eq_ignore_ascii_case(word);
    if !is_name || (is_alone && ALSO_TOWNS.into_iter().any(same)) {
        return None;
    }
    let own = CountryCode::recognise(word).ok()?;
    let others = ALSO_REGIONS.iter().find(|(name, _)| same(name)).map_or(&[][..], |(_, others)| others);
    Some((own, others.iter().filter_map(|code| code.parse().ok()).filter(|it| *it != own).collect()))
}

fn named_by_two_letters(word: &str, destination: CountryCode) -> Option<(CountryCode, Vec<CountryCode>)> {
    let own: CountryCode = if word == "UK" { "GB".parse().ok()? } else { word.parse().ok()? };
    let is_part_of = |country: &str| PARTS.get(country).is_some_and(|codes| codes.contains(&word));
    let known = PARTS.contains_key(destination.as_str());
    if own != destination && (!known || is_part_of(destination.as_str())) {
        return None;
    }
    let others = WRITES_STATES.into_iter().filter(|country| *country != own.as_str() && is_part_of(country));
    Some((own, others.filter_map(|code| code.parse().ok()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(place: &str, destination: &str) -> String {
        match read(place, destination.parse().unwrap()) {
            Whereabouts::Home => "home".to_owned(),
            Whereabouts::Elsewhere(countries) => {
                countries.iter().map(CountryCode::as_str).collect::<Vec<_>>().join(" ")
            }
            Whereabouts::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn a_country_is_read_only_where_it_is_sure() {
        for (what, place, destination, expected) in [
            ("the code of another country", "Lyon, FR", "GB", "FR"),
            ("its own code", "Lyon, FR", "FR", "home"),
            ("a name behind a dash", "PARIS - FRANCE", "DE", "FR"),
            ("a name in another language", "Lyon (Frankreich)", "DE", "FR"),
            ("a name alone", "FRANCE", "DE", "FR"),
            ("a country that is also a town, alone", "JAMAICA", "DE", "unknown"),
            ("and behind a town", "Kingston, Jamaica", "US", "JM"),
            ("a state that is also a country's name", "Atlanta, Georgia", "US", "unknown"),
            ("the same, of a parcel for elsewhere", "Atlanta, Georgia", "DE", "GE US"),
            ("a state that is also a country's code", "Wilmington, DE", "US", "unknown"),
            ("the same, of a parcel for elsewhere", "Wilmington, DE", "FR", "DE US"),
            ("the same, of a parcel for the country of that code", "Berlin, DE", "DE", "home"),
            ("a state that is no country's code", "Austin, TX", "DE", "unknown"),
            ("a state and its country", "Austin, TX, US", "DE", "US"),
            ("a province of the destination", "Bergamo, BG", "IT", "unknown"),
            ("a canton of the destination", "Fribourg, FR", "CH", "unknown"),
            ("a postal area of the destination", "London, SE", "GB", "unknown"),
            ("two letters, and a destination whose parts we do not know", "Bratislava, BA", "SK", "unknown"),
            ("a name, and such a destination", "Bratislava, Austria", "SK", "AT"),
            ("an airport", "Guangzhou, CAN", "DE", "unknown"),
            ("a town", "Leipzig", "FR", "unknown"),
            ("nothing", " , ", "FR", "unknown"),
            ("one post", "San Juan, Puerto Rico", "US", "home"),
            ("written as one another", "Hong Kong, China", "HK", "home"),
            ("the part that is not sure", "Belfast, Ireland", "GB", "unknown"),
            ("lower case is no code", "hallo de", "FR", "unknown"),
        ] {
            assert_eq!(told(place, destination), expected, "{what}: {place} to {destination}");
        }
    }

    #[test]
    fn every_country_on_file_is_one() {
        let codes = PARTS.keys().chain(FAMILIES.iter().copied().flatten()).chain(WRITES_STATES.iter());
        for code in codes.chain(ALSO_REGIONS.iter().flat_map(|(_, others)| others.iter())) {
            assert!(code.parse::<CountryCode>().is_ok(), "{code}");
        }
        for name in ALSO_REGIONS.iter().map(|(name, _)| name).chain(&ALSO_TOWNS) {
            assert!(CountryCode::recognise(name).is_ok(), "{name}");
        }
        for codes in PARTS.values().flatten().filter(|code| !code.is_empty()) {
            assert!(codes.len() == 2 && codes.bytes().all(|it| it.is_ascii_uppercase()), "{codes}");
        }
    }
}
