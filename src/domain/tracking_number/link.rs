//! Links to tracking pages: the number is in a query parameter, else in the path or behind the `#`.

/// Query parameters that hold a number on the pages of carriers and aggregators, without `-` and `_`.
const KEYS: [&str; 37] = [
    "tracknum",
    "tracknums",
    "tracknumber",
    "tracknumbers",
    "tracktrace",
    "trackingnumber",
    "trackingnumbers",
    "trackingno",
    "trackingnum",
    "trackingid",
    "trackingcode",
    "tracking",
    "trknbr",
    "tlabels",
    "qtclabels1",
    "origtracknum",
    "inquirynumber1",
    "nums",
    "num",
    "number",
    "piececode",
    "idc",
    "snr",
    "itemcode",
    "item",
    "items",
    "objeto",
    "objects",
    "barcode",
    "code",
    "reqcodeno1",
    "searchfor",
    "pin",
    "awb",
    "match",
    "searchid",
    "numero",
];

/// The link in a text: everything from `https://`, or a text that is a bare `host/path`.
pub(super) fn link_in(text: &str) -> Option<&str> {
    if let Some((scheme_end, _)) = text.match_indices("://").next() {
        let before = text.get(..scheme_end)?;
        let start = before.rfind(|it: char| !it.is_ascii_alphabetic()).map_or(0, |it| it + 1);
        let start = (start..=scheme_end).find(|it| text.is_char_boundary(*it))?;
        return text.get(start..)?.split_whitespace().next();
    }
    let (host, _) = text.split_once(['/', '?'])?;
    let (_, ending) = host.rsplit_once('.')?;
    let is_host =
        !host.contains(char::is_whitespace) && ending.len() >= 2 && ending.bytes().all(|it| it.is_ascii_alphabetic());
    is_host.then(|| text.split_whitespace().next()).flatten()
}

/// The text in the link that looks like a number; it may be several with commas between.
pub(super) fn number_in(link: &str) -> Option<String> {
    let address = link.split_once("://").map_or(link, |(_, it)| it);
    let beyond_host = address.get(address.find(['/', '?', '#'])?..)?;
    let pieces = || beyond_host.split(['/', '?', '#', '&', '!', ';']);
    let named = pieces().filter_map(|it| it.split_once('=')).filter(|(key, _)| is_number_key(key));
    let named = named.map(|(_, value)| decoded(value)).find(|it| looks_like_number(it));
    let values = || pieces().rev().map(|it| it.split_once('=').map_or(it, |(_, value)| value));
    named.or_else(|| values().map(decoded).find(|it| looks_like_number(it)))
}

fn is_number_key(key: &str) -> bool {
    let plain = || key.bytes().filter(|it| !matches!(it, b'-' | b'_')).map(|it| it.to_ascii_lowercase());
    KEYS.iter().any(|it| plain().eq(it.bytes()))
}

fn looks_like_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 5 && text.bytes().filter(u8::is_ascii_alphanumeric).count() >= 8
}

fn decoded(text: &str) -> String {
    let mut left = text.as_bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some((byte, rest)) = left.split_first() {
        let hex =
            rest.get(..2).and_then(|it| std::str::from_utf8(it).ok()).and_then(|it| u8::from_str_radix(it, 16).ok());
        left = rest;
        match (byte, hex) {
            (b'%', Some(value)) => {
                plain.push(value);
                left = rest.get(2..).unwrap_or_default();
            }
            (b'+', _) => plain.push(b' '),
            _ => plain.push(*byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_wherever_a_carrier_puts_it() {
        for (text, number) in [
            (
                "https://www.ups.com/track?loc=en_US&tracknum=1Z2F5X380312345671&requester=WT",
                Some("1Z2F5X380312345671"),
            ),
            (
                "https://tools.usps.com/go/TrackConfirmAction?tLc=2&text28777=&tLabels=9400136897846214009915%2C",
                Some("9400136897846214009915,"),
            ),
            ("https://www.royalmail.com/track-your-item#/tracking-results/QX417302859GB", Some("QX417302859GB")),
            ("https://www.posti.fi/en/tracking#/lahetys/RX417302859FI?t=1", Some("RX417302859FI")),
            ("see https://www.laposte.fr/outils/suivre-vos-envois?code=RX417302859FR thanks", Some("RX417302859FR")),
            ("ups.com/track?tracknum=1Z2F5X380312345671", Some("1Z2F5X380312345671")),
            ("https://www.ups.com/", None),
            ("https://x?%", None),
        ] {
            assert_eq!(link_in(text).and_then(number_in).as_deref(), number, "{text}");
        }
        assert_eq!(link_in("N/A"), None);
        assert_eq!(link_in("12.05/1234567890"), None);
    }
}
