//! Words beside a number: labels such as "Tracking #:" and the carrier's name.

use crate::domain::carrier::{self, DeclaredCarrier};

/// Words before a number that say no more than that it is one.
const LABELS: [&str; 32] = [
    "tracking",
    "track",
    "trackingnumber",
    "trackingnr",
    "trackingno",
    "trackingid",
    "tracknr",
    "trackno",
    "number",
    "num",
    "code",
    "awb",
    "waybill",
    "airwaybill",
    "shipment",
    "parcel",
    "package",
    "consignment",
    "barcode",
    "label",
    "piece",
    "sendungsnummer",
    "sendungsnr",
    "sendung",
    "paketnummer",
    "nummer",
    "suivi",
    "numero",
    "colis",
    "seguimiento",
    "envio",
    "spedizione",
];

/// Words too short to be taken for a label alone, since S10 numbers begin with two letters.
const SHORT_LABELS: [&str; 10] = ["no", "nr", "id", "de", "of", "is", "tn", "n", "the", "del"];

/// Takes labels and the carrier's name off both ends: "UPS tracking no: 1Z..." is a number of UPS.
pub(super) fn without_labels(text: &str) -> (&str, Option<DeclaredCarrier>) {
    let mut named = None;
    let mut rest = text.trim_matches(is_edge);
    let mut labelled = false;
    loop {
        let word_end = rest.find(|it: char| !it.is_alphabetic()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(word_end).unwrap_or((rest, ""));
        if word.is_empty() {
            break;
        }
        let certain = labelled || behind.starts_with([':', '.', '#']);
        if !behind.starts_with(char::is_numeric) && (is_in(&LABELS, word) || certain && is_in(&SHORT_LABELS, word)) {
            labelled = true;
            rest = behind.trim_start_matches(is_edge);
        } else if let Some((carrier, behind)) = carrier_before(rest).filter(|_| named.is_none()) {
            named = Some(carrier);
            rest = behind.trim_start_matches(is_edge);
        } else {
            break;
        }
    }
    if let Some((number, carrier)) = carrier_behind(rest).filter(|_| named.is_none()) {
        return (number, Some(carrier));
    }
    (rest, named)
}

fn is_in(words: &[&str], word: &str) -> bool {
    words.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// What may stand between a label and its number, or behind it.
pub(super) fn is_edge(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ':' | '#' | '.' | ',' | ';' | '=' | '-' | '–' | '—' | '!' | '(' | ')' | '"' | '\'' | '/' | '*')
}

/// A carrier's name of up to five words without digits; names of two letters may be the start of an S10 number.
fn carrier_before(text: &str) -> Option<(DeclaredCarrier, &str)> {
    let name_end =
        text.find(|it: char| it.is_ascii_digit() || matches!(it, ':' | '#' | '(' | ',')).unwrap_or(text.len());
    let head = text.get(..name_end)?;
    let ends = head.char_indices().filter(|(_, it)| it.is_whitespace() || *it == '-').map(|(at, _)| at);
    let whole = text.get(name_end..).filter(|it| !it.starts_with(char::is_numeric)).map(|_| name_end);
    let ends: Vec<usize> = ends.chain(whole).take(6).collect();
    ends.into_iter().rev().find_map(|end| {
        let (name, rest) = text.split_at_checked(end)?;
        Some((carrier_named(name)?, rest))
    })
}

fn carrier_behind(text: &str) -> Option<(&str, DeclaredCarrier)> {
    let (number, name) = text.rsplit_once(|it: char| it.is_whitespace() || it == '(')?;
    if !name.chars().all(char::is_alphabetic) || !number.bytes().any(|it| it.is_ascii_digit()) {
        return None;
    }
    let carrier = carrier_named(name)?;
    let number = number.trim_end_matches(is_edge);
    let by = number.rsplit_once(' ').filter(|(_, word)| is_in(&["via", "by", "with", "per", "mit"], word));
    Some((by.map_or(number, |(number, _)| number), carrier))
}

fn carrier_named(name: &str) -> Option<DeclaredCarrier> {
    let long_enough = name.chars().filter(|it| it.is_alphabetic()).count() >= 3;
    long_enough.then(|| carrier::recognise(name)).flatten().filter(|it| it.known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_names_come_off_and_the_letters_of_a_number_stay() {
        for (text, bare, carrier) in [
            ("Tracking no. 390780214612", "390780214612", None),
            ("Sendungsnummer: RX 417302859 GB", "RX 417302859 GB", None),
            ("USPS Priority - 9407136897846214009912", "9407136897846214009912", Some("usps")),
            ("390780214612 via FedEx", "390780214612", Some("fedex")),
            ("NO 417302859 GB", "NO 417302859 GB", None),
            ("SF 1234567890128", "SF 1234567890128", None),
            ("tracking", "", None),
        ] {
            let (rest, named) = without_labels(text);
            assert_eq!((rest, named.as_ref().map(|it| it.slug.as_str())), (bare, carrier), "{text}");
        }
    }
}
