//! The time of day as people and programs write it, with or without an offset.

use super::dates::is_number;
use jiff::civil::Time;
use jiff::tz::Offset;

/// `10:15`, `10:15:45.123`, `10:15 AM`, each with `Z`, `UTC`, `+02:00`, `+0200` or `+02` behind it.
pub(super) fn read(text: &str) -> Option<(Time, Option<Offset>)> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':' || c == '.' || c == ',');
    let clock = text.strip_suffix(digits)?.trim_end_matches('.');
    let rest = digits.to_ascii_uppercase().replace(['.', ' ', '\u{a0}', '\u{202f}'], "");
    let (half, zone) = match rest.get(..2) {
        Some("AM") => (Some(0), rest.get(2..)?),
        Some("PM") => (Some(12), rest.get(2..)?),
        _ => (None, rest.as_str()),
    };
    let mut fields = clock.split(':');
    let hour: i8 = fields.next()?.parse().ok()?;
    let minute: i8 = two_digits(fields.next()?)?;
    let (second, nanos) = fields.next().map_or(Some((0, 0)), read_seconds)?;
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    let time = Time::new(hour, minute, second, nanos).ok()?;
    if fields.next().is_some() {
        return None;
    }
    let offset = if zone.is_empty() { None } else { Some(read_offset(zone)?) };
    Some((time, offset))
}

fn two_digits(text: &str) -> Option<i8> {
    (text.len() == 2 && is_number(text)).then(|| text.parse().ok())?
}

/// Seconds with a fraction, cut to the microsecond.
fn read_seconds(text: &str) -> Option<(i8, i32)> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some((two_digits(whole)?, micros.parse::<i32>().ok()? * 1000))
}

fn read_offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "Z" | "UTC" | "GMT") {
        return Some(Offset::UTC);
    }
    let zone = zone.strip_suffix("UTC").unwrap_or(zone);
    let zone = zone.strip_prefix("UTC").or_else(|| zone.strip_prefix("GMT")).unwrap_or(zone);
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits.replace(':', "")),
        ("-", digits) => (-1, digits.replace(':', "")),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { i32::from(two_digits(minutes)?) };
    let hours = i32::from(two_digits(hours)?);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}
