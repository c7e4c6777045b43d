//! Decimal numbers as people write them, and the decimal mark settled over a column; never through floats.

/// What the numbers of one column say about their decimal mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    point: bool,
    comma: bool,
}

impl Evidence {
    pub(super) fn see(&mut self, text: &str) {
        match decimal_mark(bare(text).trim_start_matches('-')) {
            Some('.') => self.point = true,
            Some(',') => self.comma = true,
            _ => {}
        }
    }

    /// What both columns have shown.
    pub(super) fn with(self, other: Self) -> Self {
        Self { point: self.point || other.point, comma: self.comma || other.comma }
    }

    /// The mark, where the values agree on one.
    pub(super) fn settled(self) -> Option<char> {
        match (self.point, self.comma) {
            (true, false) => Some('.'),
            (false, true) => Some(','),
            (true, true) | (false, false) => None,
        }
    }
}

/// The number without currency, blanks, and marks of thousands that can be nothing else; brackets mean minus.
fn bare(text: &str) -> String {
    let text = text.trim();
    let (text, minus) = match text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let is_currency = |c: char| c.is_alphabetic() || c.is_whitespace() || "$€£¥₹₩₺₽฿₫₪₱₦₴".contains(c);
    let text = text.trim_start_matches(is_currency).trim_end_matches(is_currency);
    let (text, minus) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (rest.trim_start_matches(is_currency), true),
        None => (text.strip_prefix('+').unwrap_or(text), minus),
    };
    let digits: String =
        text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}')).collect();
    if minus { format!("-{digits}") } else { digits }
}

/// The mark that this one number proves to be the decimal one.
fn decimal_mark(digits: &str) -> Option<char> {
    let last = digits.rfind(['.', ','])?;
    let (before, after) = digits.split_at_checked(last)?;
    let mark = after.chars().next()?;
    let other = if mark == '.' { ',' } else { '.' };
    if before.contains(mark) {
        return Some(other);
    }
    let decimals = after.len().saturating_sub(1);
    let unlike_thousands = decimals != 3 || before.is_empty() || before.starts_with('0') || before.len() > 3;
    (before.contains(other) || unlike_thousands).then_some(mark)
}

/// The number with a point and without marks of thousands: `1.234,50` is `1234.50` where the comma is the decimal mark.
///
/// The decimals stay as they are written. `None` where it is no number.
pub(super) fn decimal(text: &str, decimal_mark: char) -> Option<String> {
    let bare = bare(text);
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", bare.as_str()),
    };
    let (whole, fraction) = digits.split_once(decimal_mark).unwrap_or((digits, ""));
    let thousands = if decimal_mark == '.' { ',' } else { '.' };
    let mut groups = whole.split(thousands);
    let first = groups.next().unwrap_or_default();
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = whole.contains(thousands);
    let groups_fit = !grouped || (!first.is_empty() && first.len() <= 3 && groups.all(|it| matches!(it.len(), 2 | 3)));
    let whole: String = whole.chars().filter(|c| *c != thousands).collect();
    if !groups_fit || !plain(&whole) || !plain(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole.as_str() };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Grams of a decimal weight in a unit of so many billionths of a gram, rounded to the nearest gram.
pub(super) fn grams(decimal: &str, nanograms_per_unit: i128) -> Option<i64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let fraction: String = fraction.chars().take(9).collect();
    let scaled: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    let billionths_of_nanograms = scaled.checked_mul(nanograms_per_unit)?;
    let gram = 1_000_000_000_i128 * 1_000_000_000;
    i64::try_from(billionths_of_nanograms.checked_add(gram / 2)?.div_euclid(gram)).ok()
}

/// Why a cell is no count of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoCount {
    /// No whole number, or one that could be read in two ways.
    NotWhole,
    /// Less than one or more than ten million.
    OutOfRange,
}

/// A count of pieces, 1 to 10,000,000. `2.0` is two; `1.000` could be one or a thousand and is refused.
pub(super) fn count(text: &str) -> Result<i64, NoCount> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let plain = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || fraction.len() == 3 || fraction.bytes().any(|byte| byte != b'0') {
        return Err(NoCount::NotWhole);
    }
    let number: i64 = whole.parse().ok().ok_or(NoCount::OutOfRange)?;
    if (1..=10_000_000).contains(&number) { Ok(number) } else { Err(NoCount::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_its_decimal_mark_or_not() {
        for (text, mark) in [
            ("1.234,50", Some(',')),
            ("1,234.50", Some('.')),
            ("9,99", Some(',')),
            ("1.234.567", Some(',')),
            ("0.125", Some('.')),
            ("$ 1 234.5", Some('.')),
            ("1.234", None),
            ("1500", None),
        ] {
            let mut evidence = Evidence::default();
            evidence.see(text);
            assert_eq!(evidence.settled(), mark, "{text}");
        }
    }

    #[test]
    fn a_number_is_read_with_the_mark_of_its_column() {
        for (text, mark, expected) in [
            ("1.234,50", ',', Some("1234.50")),
            ("1.234", ',', Some("1234")),
            ("1.234", '.', Some("1.234")),
            ("€ 9,99", ',', Some("9.99")),
            ("1'234.50 CHF", '.', Some("1234.50")),
            ("-$5.00", '.', Some("-5.00")),
            ("(5.00)", '.', Some("-5.00")),
            (".5", '.', Some("0.5")),
            ("12,34", '.', Some("1234")),
            ("1,2", '.', None),
            ("1e3", '.', None),
            ("free", '.', None),
            ("", '.', None),
        ] {
            assert_eq!(decimal(text, mark).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn weights_become_whole_grams() {
        for (decimal, nanograms, expected) in [
            ("1.234", 1_000_000_000_000, 1234),
            ("1", 28_349_523_125, 28),
            ("2.5", 453_592_370_000, 1134),
            ("12.5", 1_000_000_000, 13),
        ] {
            assert_eq!(grams(decimal, nanograms), Some(expected), "{decimal}");
        }
    }

    #[test]
    fn pieces_are_counted_in_whole_numbers() {
        for (text, expected) in [
            ("2", Ok(2)),
            ("2.0", Ok(2)),
            ("10000000", Ok(10_000_000)),
            ("-1", Err(NoCount::OutOfRange)),
            ("0", Err(NoCount::OutOfRange)),
            ("99999999999", Err(NoCount::OutOfRange)),
            ("1.5", Err(NoCount::NotWhole)),
            ("1.000", Err(NoCount::NotWhole)),
            ("two", Err(NoCount::NotWhole)),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }
}
