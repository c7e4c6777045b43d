//! Tracking numbers that pass their check, and dates near today.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// A UPS number of a serial: `1Z`, 15 characters and their check digit.
pub(crate) fn ups(serial: u32) -> String {
    let body = format!("A1B2C3{serial:09}");
    let values = body.bytes().map(|it| if it.is_ascii_digit() { u32::from(it - b'0') } else { u32::from(it - 3) % 10 });
    let sum: u32 = values.enumerate().map(|(at, value)| if at % 2 == 1 { value * 2 } else { value }).sum();
    format!("1Z{body}{}", (10 - sum % 10) % 10)
}

/// A DHL Express waybill of a serial: nine digits and their remainder by seven.
pub(crate) fn dhl_express(serial: u32) -> String {
    let body = 314_159_265 + serial;
    format!("{body}{}", body % 7)
}

/// The date some days before today, in UTC.
#[allow(
    clippy::disallowed_methods,
    reason = "what a customer sees depends on the server's clock, which is the real one"
)]
pub(crate) fn days_ago(days: i32) -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date() - days.days()
}

#[test]
fn the_numbers_pass_their_checks() {
    assert_eq!((ups(1), dhl_express(2)), ("1ZA1B2C30000000018".to_owned(), "3141592672".to_owned()));
}
