//! What the numbers of a seller's own carrier look like, in the little language of the data file.

use super::formats::LONGEST;
use super::pattern::{SYMBOLS, bit, compiled};

/// Longer ones are not read; what a pattern can say has room in it.
const LONGEST_TEXT: usize = 200;

/// Shorter texts are taken for no tracking number; with digits alone they are counters and order numbers.
const SHORTEST: usize = 5;
const SHORTEST_OF_DIGITS: usize = 6;

/// With fewer fixed characters at the start a pattern tells no carrier.
const TELLING_START: usize = 2;

/// What the places of a number may hold. `=AB digit*9` is `AB` and nine digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberPattern {
    text: String,
    shapes: Vec<Vec<u64>>,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    #[error(
        "The pattern `{0}` means nothing. Write its parts apart by blanks: =AB for what stands there as it is, in \
         capitals; digit, letter, alnum or [A-F0] for one character, and with *9 or *7-9 for several."
    )]
    Meaningless(String),
    #[error("A pattern has at most {LONGEST_TEXT} characters, and its numbers have at most {LONGEST}.")]
    TooLong,
    #[error(
        "The pattern `{0}` is too short: its numbers need {SHORTEST} characters, or {SHORTEST_OF_DIGITS} where all \
         are digits."
    )]
    TooShort(String),
    #[error("The pattern `{0}` has no place for a digit, and every tracking number has some.")]
    NoDigit(String),
}

impl NumberPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternFault`], whose sentence tells the seller what to write.
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        if text.chars().nth(LONGEST_TEXT).is_some() {
            return Err(PatternFault::TooLong);
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shapes = compiled(&text).ok_or_else(|| PatternFault::Meaningless(text.clone()))?;
        if shapes.iter().any(|it| it.len() > LONGEST) {
            return Err(PatternFault::TooLong);
        }
        if shapes.iter().any(|it| is_too_short(it)) {
            return Err(PatternFault::TooShort(text));
        }
        if !shapes.iter().all(|it| it.iter().any(|place| may_be(*place, |symbol| symbol.is_ascii_digit()))) {
            return Err(PatternFault::NoDigit(text));
        }
        Ok(Self { text, shapes })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a number in its plain form has this form.
    pub fn fits(&self, number: &str) -> bool {
        let all_fit =
            |shape: &Vec<u64>| shape.iter().zip(number.bytes()).all(|(place, symbol)| place & bit(symbol) != 0);
        self.shapes.iter().any(|it| it.len() == number.len() && all_fit(it))
    }

    /// Whether it begins with characters that tell whose number it is.
    pub(super) fn is_telling(&self) -> bool {
        self.shapes.iter().all(|it| it.iter().take_while(|place| place.is_power_of_two()).count() >= TELLING_START)
    }

    pub(super) fn shapes(&self) -> &[Vec<u64>] {
        &self.shapes
    }
}

fn is_too_short(shape: &[u64]) -> bool {
    let all_digits = !shape.iter().any(|place| may_be(*place, |symbol| symbol.is_ascii_alphabetic()));
    shape.len() < if all_digits { SHORTEST_OF_DIGITS } else { SHORTEST }
}

fn may_be(place: u64, wanted: impl Fn(&u8) -> bool) -> bool {
    SYMBOLS.iter().filter(|it| wanted(it)).any(|it| place & bit(*it) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_numbers_of_its_form_alone() {
        let pattern = NumberPattern::parse("  =BB  digit*6-7 [XYZ] ").unwrap();
        assert_eq!(pattern.as_str(), "=BB digit*6-7 [XYZ]");
        for (number, fits) in [
            ("BB123456X", true),
            ("BB1234567Z", true),
            ("BB123456A", false),
            ("BB12345X", false),
            ("BC123456X", false),
            ("BB123456XX", false),
            ("", false),
        ] {
            assert_eq!(pattern.fits(number), fits, "{number}");
        }
    }

    #[test]
    fn a_start_of_two_fixed_characters_tells_the_carrier() {
        for (pattern, telling) in [
            ("=BB digit*6", true),
            ("=12 digit*8", true),
            ("=B digit*8", false),
            ("letter*2 digit*6", false),
            ("digit*9 =BB", false),
        ] {
            assert_eq!(NumberPattern::parse(pattern).unwrap().is_telling(), telling, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_a_pattern_is_refused() {
        let long = "=AB digit*6 ".repeat(20);
        for (text, expected) in [
            ("", PatternFault::TooShort(String::new())),
            ("number*9", PatternFault::Meaningless("number*9".to_owned())),
            ("=ab digit*9", PatternFault::Meaningless("=ab digit*9".to_owned())),
            ("AB digit*9", PatternFault::Meaningless("AB digit*9".to_owned())),
            ("=AB digit*nine", PatternFault::Meaningless("=AB digit*nine".to_owned())),
            ("=AB digit*9-7", PatternFault::Meaningless("=AB digit*9-7".to_owned())),
            ("digit*41", PatternFault::Meaningless("digit*41".to_owned())),
            ("=AB digit*39", PatternFault::TooLong),
            (long.as_str(), PatternFault::TooLong),
            ("digit*5", PatternFault::TooShort("digit*5".to_owned())),
            ("=123 [0-4]*2", PatternFault::TooShort("=123 [0-4]*2".to_owned())),
            ("digit*5-8", PatternFault::TooShort("digit*5-8".to_owned())),
            ("=AB digit*2", PatternFault::TooShort("=AB digit*2".to_owned())),
            ("=ABC letter*6", PatternFault::NoDigit("=ABC letter*6".to_owned())),
        ] {
            assert_eq!(NumberPattern::parse(text), Err(expected), "{text}");
        }
        for text in ["digit*6", "=A digit*4", "alnum*5", "=AB digit*38"] {
            assert!(NumberPattern::parse(text).is_ok(), "{text}");
        }
    }
}
