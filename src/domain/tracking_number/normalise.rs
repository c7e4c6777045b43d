//! The plain form of a tracking number: what people, spreadsheets and browsers wrap around it taken off.

use super::labels::{is_edge, without_labels};
use super::{NumberCode, formats, link, placeholder};
use crate::domain::carrier::DeclaredCarrier;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Longer texts are not read: no number, and no link to one, needs more.
const LONGEST_TEXT: usize = 200;

/// Shorter ones are order names or counters; the shortest form that a carrier uses has eight characters.
const SHORTEST: usize = 5;

/// A number in its plain form: capitals and digits only, with at least one digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised {
    pub number: String,
    /// Whether it was taken out of a link.
    pub from_url: bool,
    /// The carrier whose name stood beside the number.
    pub named_carrier: Option<DeclaredCarrier>,
}

/// Why a text holds no single number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub code: NumberCode,
    pub detail: String,
    /// The numbers found, where there are several.
    pub numbers: Vec<String>,
}

impl Refusal {
    fn new(code: NumberCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), numbers: Vec::new() }
    }
}

/// Puts a number into its plain form. What comes out is its own plain form.
///
/// # Errors
///
/// [`Refusal`] where the text holds no number, several of them, or one that a spreadsheet has spoiled: each is mended
/// in another way, and none can be mended here.
pub fn normalise(input: &str) -> Result<Normalised, Refusal> {
    let trimmed = input.trim();
    if is_plain(trimmed) {
        return Ok(Normalised { number: trimmed.to_ascii_uppercase(), from_url: false, named_carrier: None });
    }
    if trimmed.chars().nth(LONGEST_TEXT).is_some() {
        let detail = format!("The text is longer than {LONGEST_TEXT} characters; give the number alone.");
        return Err(Refusal::new(NumberCode::BadFormat, detail));
    }
    let visible = visible(trimmed);
    let text = unwrapped(&visible);
    if text.is_empty() {
        return Err(Refusal::new(NumberCode::Empty, "There is no tracking number here."));
    }
    if placeholder::is_filler_word(text) {
        let detail = format!("\"{text}\" stands where a tracking number should; leave it blank or fill it in.");
        return Err(Refusal::new(NumberCode::Placeholder, detail));
    }
    let linked = link::link_in(text).map(|it| link::number_in(it).ok_or_else(no_number_in_link)).transpose()?;
    let mut normalised = single_number(linked.as_deref().map_or(text, unwrapped))?;
    normalised.from_url = linked.is_some();
    Ok(normalised)
}

fn no_number_in_link() -> Refusal {
    Refusal::new(NumberCode::BadFormat, "The link holds no tracking number.")
}

fn is_plain(text: &str) -> bool {
    (SHORTEST..=formats::LONGEST).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric())
        && text.bytes().any(|it| it.is_ascii_digit())
}

/// NFKC, which turns full-width letters and odd blanks into plain ones, without marks that nobody sees.
fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let unseen = |c: &char| matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    Cow::Owned(text.nfkc().filter(|c| !unseen(c)).collect())
}

/// The text without quotes, brackets, and the `="..."` or `'` by which spreadsheets are told to leave it alone.
fn unwrapped(text: &str) -> &str {
    let quotes = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\''
                    | '`'
                    | '´'
                    | '‘'
                    | '’'
                    | '“'
                    | '”'
                    | '„'
                    | '«'
                    | '»'
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '{'
                    | '}'
                    | '<'
                    | '>'
            )
    };
    let inner = text.trim_matches(quotes);
    inner.strip_prefix('=').map_or(inner, |it| it.trim_matches(quotes))
}

fn single_number(text: &str) -> Result<Normalised, Refusal> {
    if !text.bytes().any(|it| it.is_ascii_digit()) {
        return Err(Refusal::new(
            NumberCode::BadFormat,
            "There is no digit in it, and every tracking number has some.",
        ));
    }
    if is_scientific(text) {
        let detail = "A spreadsheet shortened the number and its last digits are lost; format the column as text and \
                      export it again.";
        return Err(Refusal::new(NumberCode::ScientificNotation, detail));
    }
    let ungrouped = without_thousands(text);
    let part = only_number_of(&ungrouped)?;
    let (bare, named_carrier) = without_labels(part);
    if let Some(shop) = order_number_of(bare) {
        let detail = format!("This is the form of {shop} order numbers, not a tracking number.");
        return Err(Refusal::new(NumberCode::BadFormat, detail));
    }
    let bare = several_by_blanks(bare)?;
    let number = joined(without_decimals(bare))?;
    Ok(Normalised { number, from_url: false, named_carrier })
}

/// `9.40011E+21`, also with a decimal comma; `12E10` has neither fraction nor sign and may be a number.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let (mantissa, exponent) = (mantissa.trim(), exponent.trim());
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let power = exponent.strip_prefix(['+', '-', '−']).unwrap_or(exponent);
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    whole.len() == 1
        && digits(whole)
        && digits(fraction)
        && (1..=3).contains(&power.len())
        && digits(power)
        && (power.len() < exponent.len() || !fraction.is_empty())
}

/// `986,578,788,855` as `986578788855`.
fn without_thousands(text: &str) -> Cow<'_, str> {
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = whole.split(',');
    let digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    let starts = groups.next().is_some_and(|it| (1..=3).contains(&it.len()) && digits(it));
    let grouped = whole.contains(',') && starts && groups.all(|it| it.len() == 3 && digits(it));
    if grouped { Cow::Owned(text.replace(',', "")) } else { Cow::Borrowed(text) }
}

/// The one part of a list that looks like a number, or the whole where there is no list.
fn only_number_of(text: &str) -> Result<&str, Refusal> {
    const BETWEEN: [char; 9] = [',', ';', '|', '\n', '\r', '\t', '&', '+', '/'];
    if !text.contains(BETWEEN) && !text.contains(" and ") && !text.contains(" und ") {
        return Ok(text);
    }
    let parts = text.split(BETWEEN).flat_map(|it| it.split(" and ")).flat_map(|it| it.split(" und "));
    let numbers: Vec<&str> = parts.filter(|it| looks_like_number(without_labels(unwrapped(it)).0)).collect();
    match numbers.as_slice() {
        [] => Ok(text),
        [only] if digits_in(text) != digits_in(only) || looks_like_number(without_labels(text).0) => Ok(text),
        [only] => Ok(unwrapped(only)),
        [first, ..] => {
            let plain: Vec<String> = numbers.iter().map(|it| alphanumerics(without_labels(unwrapped(it)).0)).collect();
            let alike = plain.iter().all(|it| Some(it) == plain.first());
            if alike { Ok(unwrapped(first)) } else { Err(several(plain)) }
        }
    }
}

fn digits_in(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn looks_like_number(text: &str) -> bool {
    let harmless = |it: char| it.is_ascii_alphanumeric() || is_separator(it);
    digits_in(text) >= 5 && text.chars().all(harmless) && alphanumerics(text).len() >= 8
}

fn several(mut numbers: Vec<String>) -> Refusal {
    numbers.dedup();
    let detail =
        format!("There are {} numbers in one place: {}. Give each its own row.", numbers.len(), numbers.join(", "));
    Refusal { code: NumberCode::MultipleNumbers, detail, numbers }
}

/// Blanks also stand within numbers, so only long parts with many digits each are numbers of their own.
fn several_by_blanks(text: &str) -> Result<&str, Refusal> {
    let mut parts = text.split_whitespace();
    let Some(first) = parts.next() else { return Ok(text) };
    let is_whole = |it: &str| alphanumerics(it).len() >= 10 && digits_in(it) >= 6;
    if parts.clone().next().is_none() || !is_whole(first) || !parts.clone().all(is_whole) {
        return Ok(text);
    }
    if parts.all(|it| alphanumerics(it) == alphanumerics(first)) {
        return Ok(first);
    }
    Err(several(text.split_whitespace().map(alphanumerics).collect()))
}

fn alphanumerics(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_uppercase()).collect()
}

/// The shop whose order numbers have this form: Amazon's 3-7-7 digits, eBay's 2-5-5.
fn order_number_of(text: &str) -> Option<&'static str> {
    let groups = || text.split('-').map(|it| if it.bytes().all(|it| it.is_ascii_digit()) { it.len() } else { 0 });
    match () {
        () if groups().eq([3, 7, 7]) => Some("Amazon"),
        () if groups().eq([2, 5, 5]) => Some("eBay"),
        () => None,
    }
}

/// Takes off the `.0` that a spreadsheet put behind a number.
fn without_decimals(text: &str) -> &str {
    let text = text.trim_end_matches(is_edge);
    let Some((whole, decimals)) = text.rsplit_once(['.', ',']) else { return text };
    let all_digits = whole.bytes().all(|it| it.is_ascii_digit() || it == b' ');
    let all_zeros = matches!(decimals, "0" | "00") && all_digits;
    if all_zeros { whole } else { text }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '.' | '·' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{ff0d}')
}

fn joined(text: &str) -> Result<String, Refusal> {
    let text = text.trim_matches(is_edge);
    let mut number = String::with_capacity(text.len());
    for c in text.chars().filter(|it| !is_separator(*it)) {
        if !c.is_ascii_alphanumeric() {
            let detail = format!("\"{}\" cannot be part of a tracking number.", c.escape_debug());
            return Err(Refusal::new(NumberCode::BadFormat, detail));
        }
        number.push(c.to_ascii_uppercase());
    }
    match number.len() {
        _ if digits_in(&number) == 0 => {
            Err(Refusal::new(NumberCode::BadFormat, "There is no number beside the words."))
        }
        _ if number.bytes().all(|it| it == b'0') => {
            Err(Refusal::new(NumberCode::Placeholder, "Nothing but zeros is no tracking number."))
        }
        length @ 0..SHORTEST => {
            let detail = format!("It has {length} characters; no carrier's number is as short.");
            Err(Refusal::new(NumberCode::BadLength, detail))
        }
        length if length > formats::LONGEST => {
            let detail = format!("It has {length} characters; no carrier's number is as long.");
            Err(Refusal::new(NumberCode::BadLength, detail))
        }
        _ => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_around_a_number_comes_off() {
        for (what, text, number) in [
            ("blanks in groups of four", " 9405 5118 9956 1460 0000 12 ", "9405511899561460000012"),
            ("odd blanks and dashes", "9405\u{a0}5118\u{3000}9956–1460‑0000—12", "9405511899561460000012"),
            ("a spreadsheet's text formula", "=\"012345678901237\"", "012345678901237"),
            ("an apostrophe in front", "'390780214617", "390780214617"),
            ("full-width letters in lower case", "ｒｘ417302859gb", "RX417302859GB"),
            ("marks that nobody sees", "\u{feff}3907\u{200b}8021\u{ad}4617\u{200e}", "390780214617"),
            ("a decimal", "390780214617.0", "390780214617"),
            ("a full stop", "RX417302859GB.", "RX417302859GB"),
            ("thousands", "390,780,214,617", "390780214617"),
            ("brackets", "(RX 417 302 859 GB)", "RX417302859GB"),
            ("a label", "Tracking #: RX417302859GB", "RX417302859GB"),
            ("a longer label", "Tracking number is: RX417302859GB", "RX417302859GB"),
            ("letters that are no label", "NO 417302859 GB", "NO417302859GB"),
            ("the same number twice", "RX417302859GB, RX417302859GB", "RX417302859GB"),
            ("a link", "https://www.ups.com/track?tracknum=1Z2F5X380312345671&x=1", "1Z2F5X380312345671"),
        ] {
            let read = normalise(text).map(|it| it.number);
            assert_eq!(read.as_deref(), Ok(number), "{what}");
        }
    }

    #[test]
    fn a_carrier_named_beside_the_number_is_heard() {
        for (text, slug, number) in [
            ("FedEx 390780214617", "fedex", "390780214617"),
            ("USPS Priority: 9405511899561460000012", "usps", "9405511899561460000012"),
            ("Royal Mail tracking no. RX417302859GB", "royal-mail", "RX417302859GB"),
            ("390780214617 (FedEx)", "fedex", "390780214617"),
            ("UPS, 1Z2F5X380312345671", "ups", "1Z2F5X380312345671"),
        ] {
            let read = normalise(text).unwrap();
            let named = read.named_carrier.unwrap();
            assert_eq!((named.slug.as_str(), read.number.as_str()), (slug, number), "{text}");
        }
    }

    #[test]
    fn a_text_without_a_single_number_is_refused_by_its_own_name() {
        for (text, code) in [
            ("", NumberCode::Empty),
            (" \u{a0}\u{200b} ", NumberCode::Empty),
            ("N/A", NumberCode::Placeholder),
            ("#REF!", NumberCode::Placeholder),
            ("0", NumberCode::Placeholder),
            ("9.40011E+21", NumberCode::ScientificNotation),
            ("9,40011E+21", NumberCode::ScientificNotation),
            ("4e+11", NumberCode::ScientificNotation),
            ("RX417302859GB, 390780214617", NumberCode::MultipleNumbers),
            ("RX417302859GB\n390780214617", NumberCode::MultipleNumbers),
            ("RX417302859GB 390780214617", NumberCode::MultipleNumbers),
            ("UPS: 1Z2F5X380312345671 / FedEx: 390780214617", NumberCode::MultipleNumbers),
            ("112-5550123-4567890", NumberCode::BadFormat),
            ("hello", NumberCode::BadFormat),
            ("12345📦", NumberCode::BadFormat),
            ("#1001", NumberCode::BadLength),
            ("https://www.ups.com/", NumberCode::BadFormat),
        ] {
            assert_eq!(normalise(text).map_err(|it| it.code), Err(code), "{text}");
        }
        assert_eq!(normalise(&"9".repeat(201)).map_err(|it| it.code), Err(NumberCode::BadFormat));
        let both = normalise("RX417302859GB; 390780214617").unwrap_err();
        assert_eq!(both.numbers, ["RX417302859GB", "390780214617"]);
    }
}
