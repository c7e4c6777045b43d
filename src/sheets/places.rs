//! Cells that say where a parcel goes and where it comes from.

use super::cells::Cells;
use super::excel::Sort;
use super::fault::Fault;
use super::kind::Kind;
use crate::domain::country::CountryCode;
use crate::domain::order::Place;

/// Digits of postal codes that may begin with a zero, which spreadsheets take away.
const POSTAL_DIGITS: [(&str, usize); 14] = [
    ("US", 5),
    ("PR", 5),
    ("DE", 5),
    ("FR", 5),
    ("IT", 5),
    ("ES", 5),
    ("MX", 5),
    ("KR", 5),
    ("TR", 5),
    ("FI", 5),
    ("EE", 5),
    ("JP", 7),
    ("AU", 4),
    ("NO", 4),
];

impl Cells<'_> {
    pub(super) fn country(&mut self, column: &'static str) -> Option<CountryCode> {
        let text = self.take(column, Sort::Code)?;
        match CountryCode::recognise(&text) {
            Ok(country) => {
                self.note(column, country.as_str());
                Some(country)
            }
            Err(unknown) => {
                self.error(column, "unknown_country", format!("{unknown}."));
                self.note(column, text);
                None
            }
        }
    }

    /// Where the parcel goes. An order without a country is in no lane, so a blank one is worth a warning.
    pub(super) fn destination(&mut self) -> Place {
        let faults = self.errors.len();
        let country = self.country("country");
        let told = country.is_some() || self.errors.len() > faults;
        if !told && self.survey.kind != Kind::Tracking && self.reaches("country") {
            let detail =
                "The country is blank, so the parcel counts in no lane and its delivery cannot be dated exactly.";
            self.warn("country", "missing_field", detail);
        }
        let region = if self.survey.kind == Kind::Tracking { None } else { self.text("region") };
        let postal_code = self.identity("postal_code", 32);
        if let (Some(country), Some(code)) = (country, &postal_code) {
            self.weigh_postal_code(country, code);
        }
        Place { country, region, postal_code }
    }

    pub(super) fn origin(&mut self) -> Place {
        let country = self.country("ship_from_country");
        let region = self.text("ship_from_region");
        Place { country, region, postal_code: self.identity("ship_from_postal", 32) }
    }

    fn weigh_postal_code(&mut self, country: CountryCode, code: &str) {
        let Some((_, digits)) = POSTAL_DIGITS.iter().find(|(it, _)| *it == country.as_str()) else { return };
        let bare: String = code.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let plain = bare.bytes().all(|byte| byte.is_ascii_digit());
        let zip_plus_four = country.as_str() == "US" && bare.len() == 9;
        if plain && (bare.len() == *digits || zip_plus_four) {
            return;
        }
        let name = country.name();
        let lost_zeros = plain && bare.len() < *digits && bare.len() + 2 >= *digits;
        let repair = lost_zeros.then(|| format!("{bare:0>digits$}"));
        let detail = match &repair {
            Some(repair) => format!(
                "`{code}` is too short for {name}; a spreadsheet has probably taken the zeros in front, and it was {repair}. \
                 Format the column as text."
            ),
            None => format!("`{code}` is no postal code of {name}, which has {digits} digits."),
        };
        self.warnings.push(Fault::of_cell("postal_code", "postal_code_length", detail).with_repair(repair));
    }
}
