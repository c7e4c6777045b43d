//! Fillers: what people and systems write where a number has yet to come.

/// Words in place of a number, letters and digits only.
const WORDS: [&str; 34] = [
    "na",
    "none",
    "null",
    "nil",
    "undefined",
    "nan",
    "pending",
    "test",
    "testing",
    "tbd",
    "tba",
    "tbc",
    "todo",
    "unknown",
    "shipped",
    "sent",
    "notavailable",
    "notracking",
    "notrackingnumber",
    "notracked",
    "untracked",
    "nottracked",
    "xxx",
    "xxxx",
    "sample",
    "example",
    "dummy",
    "empty",
    "missing",
    "soon",
    "later",
    "awaiting",
    "keine",
    "hand delivered",
];

/// What spreadsheets leave where a formula failed.
const SHEET_ERRORS: [&str; 9] =
    ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"];

/// Whether the text is a word that stands for "no number yet", or a spreadsheet's error.
pub(super) fn is_filler_word(text: &str) -> bool {
    let letters = || text.chars().filter(|it| it.is_alphanumeric()).map(|it| it.to_ascii_lowercase());
    let is_word = |word: &str| letters().eq(word.chars().filter(|it| *it != ' '));
    SHEET_ERRORS.iter().any(|it| it.eq_ignore_ascii_case(text)) || WORDS.iter().any(|it| is_word(it))
}

/// Whether digits were made up: all alike, counted up or down, or zeros but for the start.
///
/// The last digit may differ in ten or more, since fillers are often made to pass a check. `123456789012` passes
/// the check of `FedEx` and `7777777770` that of DHL.
pub(super) fn is_made_up(digits: &[u8]) -> bool {
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    if digits.len() >= 10
        && let Some((_, body)) = digits.split_last()
        && (is_regular(body) || is_mostly_zeros(digits))
    {
        return true;
    }
    digits.iter().all(|it| *it == b'0') || (digits.len() >= 5 && is_regular(digits))
}

/// Whether the characters that a check weighs are all one: `1Z9999999999999999`, `EA000000000US`.
pub(super) fn is_uniform(body: &[u8]) -> bool {
    body.len() >= 6 && body.iter().all(|it| Some(it) == body.first())
}

fn is_regular(digits: &[u8]) -> bool {
    let steps = |step: u8| digits.windows(2).all(|pair| matches!(pair, [a, b] if (a - b'0' + step) % 10 == b - b'0'));
    steps(0) || steps(1) || steps(9)
}

/// More zeros at the end than a spreadsheet leaves of a real number, which keeps its first 15 digits.
fn is_mostly_zeros(digits: &[u8]) -> bool {
    let significant = digits.iter().rposition(|it| *it != b'0').map_or(0, |it| it + 1);
    significant <= digits.len().min(15).saturating_sub(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_digits_are_told_from_real_ones() {
        for (what, digits, made_up) in [
            ("nothing but zeros", "000000000000", true),
            ("a single zero", "0", true),
            ("counted up, and passing FedEx's check", "123456789012", true),
            ("counted up with a check digit behind", "12345678905", true),
            ("counted down", "9876543210", true),
            ("sevens with a check digit behind", "7777777770", true),
            ("a prefix and zeros", "9400100000000000000000", true),
            ("fifteen digits kept by a spreadsheet", "9405511899561460000000", false),
            ("a number like another", "390780214617", false),
            ("a short number", "1234", false),
        ] {
            assert_eq!(is_made_up(digits.as_bytes()), made_up, "{what}");
        }
    }

    #[test]
    fn words_and_sheet_errors_are_fillers() {
        assert!(
            ["N/A", "n.a.", "None", "TBD", "#REF!", "Not available", "no tracking"].iter().all(|it| is_filler_word(it))
        );
        assert!(!is_filler_word("1Z"));
        assert!(!is_filler_word(""));
    }
}
