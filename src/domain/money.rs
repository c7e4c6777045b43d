//! Money as whole minor units of a currency: never a float, never summed over currencies.

use serde::Serialize;
use std::fmt;

/// An ISO 4217 code, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

const WITHOUT_MINOR_UNIT: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];
const WITH_THREE_DIGITS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    /// Three letters, in either case. Whether such a currency exists is not asked: new ones come.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_alphabetic).then(|| Self(letters.map(|letter| letter.to_ascii_uppercase())))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the decimal point, by ISO 4217.
    pub fn exponent(self) -> u32 {
        match self.as_str() {
            code if WITHOUT_MINOR_UNIT.contains(&code) => 0,
            code if WITH_THREE_DIGITS.contains(&code) => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units: `1999` with `USD` is 19.99 dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Money {
    pub amount_minor: i64,
    pub currency: Option<String>,
}

/// A decimal number with a point, such as `1234.50`, in units of `10^-exponent`.
///
/// `None` where it is no such number, has more digits after the point than the currency (trailing zeros aside), or is
/// too large.
pub fn minor_units(decimal: &str, exponent: u32) -> Option<i64> {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, decimal),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let places = usize::try_from(exponent).ok()?;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse::<i64>().ok().map(|amount| sign * amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_into_whole_minor_units() {
        for (text, exponent, amount) in [
            ("19.99", 2, Some(1999)),
            ("6.2", 2, Some(620)),
            ("29", 2, Some(2900)),
            ("-0.5", 2, Some(-50)),
            ("1500", 0, Some(1500)),
            ("1.500", 2, Some(150)),
            ("0.125", 2, None),
            ("1e3", 2, None),
            ("", 2, None),
            ("99999999999999999999", 2, None),
        ] {
            assert_eq!(minor_units(text, exponent), amount, "{text}");
        }
    }
}
