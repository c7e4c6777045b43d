//! Countries as people write them, and the time zone in which a parcel's arrival there is dated.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// An ISO 3166-1 alpha-2 code, upper case; `XK` for Kosovo besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

/// Not a country that we know by this code or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no country we know; write its two-letter ISO code, such as US or DE")]
pub struct UnknownCountry(pub String);

struct Country {
    code: CountryCode,
    alpha3: &'static str,
    zone: &'static str,
    names: Vec<&'static str>,
}

static COUNTRIES: LazyLock<Vec<Country>> =
    LazyLock::new(|| include_str!("data/countries.csv").lines().skip(1).filter_map(country).collect());

static BY_WORD: LazyLock<HashMap<String, CountryCode>> = LazyLock::new(|| {
    let words = COUNTRIES.iter().flat_map(|it| {
        let codes = [it.code.as_str(), it.alpha3];
        codes.into_iter().chain(it.names.iter().copied()).map(|word| (folded(word), it.code))
    });
    words.collect()
});

/// Zones of regions that do not keep the time of their country's main zone, by (country, region).
static REGION_ZONES: LazyLock<HashMap<(&'static str, &'static str), &'static str>> = LazyLock::new(|| {
    let rows = include_str!("data/region_zones.csv").lines().skip(1);
    rows.filter_map(|row| {
        let mut cells = row.split(',');
        Some(((cells.next()?, cells.next()?), cells.next()?))
    })
    .collect()
});

fn country(row: &'static str) -> Option<Country> {
    let mut cells = row.splitn(4, ',');
    let code = CountryCode(cells.next()?.as_bytes().try_into().ok()?);
    let (alpha3, zone) = (cells.next()?, cells.next()?);
    Some(Country { code, alpha3, zone, names: cells.next()?.split('|').collect() })
}

/// Letters and digits only, lower case, accents dropped: `Côte d'Ivoire` and `COTE D IVOIRE` are one word.
fn folded(word: &str) -> String {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

impl CountryCode {
    /// Reads a code, a three-letter code or a name in any of the languages on file; `UK` is read as `GB`.
    ///
    /// # Errors
    ///
    /// [`UnknownCountry`] with the text as it came.
    pub fn recognise(text: &str) -> Result<Self, UnknownCountry> {
        BY_WORD.get(&folded(text)).copied().ok_or_else(|| UnknownCountry(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The zone in which things that happen there are dated: the region's where the country has several.
    ///
    /// Regions are the short codes of US, CA, BR, AU, MX, ES, PT and ID; any other is in its country's main zone.
    pub fn time_zone(self, region: Option<&str>) -> TimeZone {
        let region = region.map(str::to_ascii_uppercase).unwrap_or_default();
        let of_region = REGION_ZONES.get(&(self.as_str(), region.as_str())).copied();
        let of_country = || COUNTRIES.iter().find(|it| it.code == self).map(|it| it.zone);
        of_region.or_else(of_country).and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }

    /// The name in English.
    pub fn name(&self) -> &str {
        let known = COUNTRIES.iter().find(|it| it.code == *self);
        known.and_then(|it| it.names.first().copied()).unwrap_or_else(|| self.as_str())
    }
}

impl FromStr for CountryCode {
    type Err = UnknownCountry;

    /// Reads an upper-case alpha-2 code only.
    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let known = COUNTRIES.iter().find(|it| it.code.as_str() == text);
        known.map(|it| it.code).ok_or_else(|| UnknownCountry(text.to_owned()))
    }
}

impl TryFrom<String> for CountryCode {
    type Error = UnknownCountry;
    fn try_from(text: String) -> Result<Self, UnknownCountry> {
        text.parse()
    }
}

impl From<CountryCode> for String {
    fn from(code: CountryCode) -> Self {
        code.as_str().to_owned()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_as_people_write_it() {
        for (text, code) in [
            ("us", "US"),
            ("USA", "US"),
            ("United States", "US"),
            ("UK", "GB"),
            ("Deutschland", "DE"),
            ("Côte d'Ivoire", "CI"),
            ("  south korea ", "KR"),
        ] {
            assert_eq!(CountryCode::recognise(text).map(|it| it.to_string()).as_deref(), Ok(code), "{text}");
        }
        assert!(CountryCode::recognise("Narnia").is_err());
    }

    #[test]
    fn every_zone_on_file_exists() {
        for country in COUNTRIES.iter() {
            assert!(TimeZone::get(country.zone).is_ok(), "{}", country.zone);
        }
        for (key, zone) in REGION_ZONES.iter() {
            assert!(TimeZone::get(zone).is_ok(), "{key:?}");
        }
        assert_eq!(COUNTRIES.len(), 250);
    }

    #[test]
    fn a_region_of_its_own_time_is_dated_in_it() {
        let us: CountryCode = "US".parse().unwrap();
        assert_eq!(us.time_zone(Some("ca")).iana_name(), Some("America/Los_Angeles"));
        assert_eq!(us.time_zone(Some("Georgia")).iana_name(), Some("America/New_York"));
    }
}
