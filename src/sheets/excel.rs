//! What spreadsheets do to cells: wrappers that can be taken off, and damage that can only be named.

use super::columns::is_curly;
use super::lines::is_invisible;
use encoding_rs::WINDOWS_1252;

/// How a cell is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A number, code, date or other word for machines.
    Code,
    /// Words for people, where an apostrophe in front may belong to a name.
    Prose,
}

/// The cell without blanks at its ends, `="..."`, the apostrophe that keeps text as text, and curly quotes where the
/// file uses them as quotation marks. Line breaks become one blank.
pub(super) fn cleaned(cell: &str, sort: Sort, curly: bool) -> String {
    let trimmed = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)).to_owned();
    let mut text = trimmed(cell);
    if curly {
        text = trimmed(text.trim_matches(is_curly));
    }
    if let Some(rest) = text.strip_prefix('\'')
        && !rest.ends_with('\'')
        && (sort == Sort::Code
            || rest.starts_with(['=', '+', '-', '@'])
            || rest.starts_with(|c: char| c.is_ascii_digit()))
    {
        text = trimmed(rest);
    }
    if let Some(inner) = text.strip_prefix("=\"").and_then(|it| it.strip_suffix('"')) {
        text = trimmed(inner);
    }
    if text.contains(['\r', '\n', '\t']) {
        let pieces = text.split(['\r', '\n', '\t']).map(str::trim).filter(|it| !it.is_empty());
        text = pieces.collect::<Vec<_>>().join(" ");
    }
    text
}

/// A control character, as a person may look it up.
pub(super) fn control_character(text: &str) -> Option<String> {
    let found = text.chars().find(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t'))?;
    Some(if found == '\0' {
        "a NUL character".to_owned()
    } else {
        format!("the control character U+{:04X}", u32::from(found))
    })
}

/// Whether a spreadsheet could not work out this cell, or found its column too narrow to show it.
pub(super) fn is_error_value(text: &str) -> bool {
    const ERRORS: [&str; 10] =
        ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#ERROR!"];
    ERRORS.iter().any(|it| it.eq_ignore_ascii_case(text)) || (text.len() >= 3 && text.bytes().all(|byte| byte == b'#'))
}

/// `9.40011E+21`, also with a comma: the digits that are not shown are gone.
pub(super) fn is_scientific(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let Some((digits, power)) = upper.split_once("E+") else { return false };
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() == 1 && plain(whole) && plain(fraction) && !power.is_empty() && power.len() <= 3 && plain(power)
}

/// A word that stands where a value is missing.
pub(super) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 10] = ["n/a", "n.a.", "none", "null", "nil", "-", "--", "---", "tbd", "tba"];
    WORDS.iter().any(|it| it.eq_ignore_ascii_case(text))
}

/// What a text was before it was read as Windows-1252 by mistake: `ZoÃ«` was `Zoë`.
pub(super) fn before_mojibake(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (bytes, _, failed) = WINDOWS_1252.encode(text);
    if failed {
        return None;
    }
    std::str::from_utf8(&bytes).ok().filter(|it| !it.contains('\u{fffd}')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_taken_off_and_names_left_alone() {
        for (cell, sort, expected) in [
            ("=\"9400\"", Sort::Code, "9400"),
            ("'9400", Sort::Code, "9400"),
            ("'=\"9400\"", Sort::Code, "9400"),
            ("'+49 30 1", Sort::Code, "+49 30 1"),
            ("\u{a0} 9400\u{200b}", Sort::Code, "9400"),
            ("'t Hart", Sort::Prose, "'t Hart"),
            ("1 Main St\r\nApt 4\n", Sort::Prose, "1 Main St Apt 4"),
        ] {
            assert_eq!(cleaned(cell, sort, false), expected, "{cell}");
        }
        assert_eq!(cleaned("\u{201c}1001\u{201d}", Sort::Code, true), "1001", "curly quotes, where the file has them");
    }

    #[test]
    fn damage_is_told_from_data() {
        for text in ["9.40011E+21", "9,40011e+21", "1E+15"] {
            assert!(is_scientific(text), "{text}");
        }
        for text in ["12E3", "LE+5", "9400E+21", "E+2"] {
            assert!(!is_scientific(text), "{text}");
        }
        for (text, is) in [("#N/A", true), ("########", true), ("#ref!", true), ("#1001", false), ("#", false)] {
            assert_eq!(is_error_value(text), is, "{text}");
        }
    }

    #[test]
    fn text_that_was_read_wrongly_before_can_be_told() {
        assert_eq!(before_mojibake("ZoÃ« MÃ¼ller").as_deref(), Some("Zoë Müller"));
        for text in ["Zoë Müller", "Köln", "plain", "Nguyễn", "王小明"] {
            assert_eq!(before_mojibake(text), None, "{text}");
        }
    }
}
