//! Serials: a number taken apart into what stands still on a roll of labels, what counts up, and its check digit.

use super::detect::{Match, matches};

/// A number taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    pub series: Series,
    /// What counts up: the digits at the end of what the check digit is worked out from, 18 at most.
    pub serial: u64,
    /// None where the format has none.
    pub check_digit: Option<char>,
}

/// What two numbers of one roll of labels have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    /// The format's name in our table.
    pub format: String,
    /// All that stands before the serial.
    pub prefix: String,
    /// How many digits the serial has.
    pub digits: usize,
    /// All that stands behind the check digit, such as the country of an S10 number.
    pub suffix: String,
}

/// A serial of more digits would not fit, and none counts that far.
const MOST_DIGITS: usize = 18;

/// Takes a number in its plain form apart, by the format of its carrier; a format of another carrier serves where the
/// carrier has none of this shape. `None` where no format has it, or nothing in it counts.
///
/// A check digit that is wrong is left out of the serial all the same.
pub fn split(number: &str, carrier: &str) -> Option<Serial> {
    let found = matches(number);
    let rank = |it: &&Match| (it.carrier != Some(carrier), it.failed(), !it.passed());
    let it = found.iter().min_by_key(rank)?;
    let is_checked = it.format.check.is_some();
    let end = it.serial_end();
    let body = number.get(it.shape.body.0..end)?;
    let digits = body.bytes().rev().take_while(u8::is_ascii_digit).take(MOST_DIGITS).count();
    let begin = end - digits;
    let check_digit = if is_checked { number.get(end..)?.chars().next() } else { None };
    let series = Series {
        format: it.format.id.clone(),
        prefix: number.get(..begin)?.to_owned(),
        digits,
        suffix: number.get(end + usize::from(is_checked)..)?.to_owned(),
    };
    Some(Serial { series, serial: number.get(begin..end)?.parse().ok()?, check_digit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_apart_by_the_format_of_its_carrier() {
        for (what, number, carrier, prefix, serial, check_digit, suffix) in [
            ("a shipper's account in front", "1ZA1B2C30000000018", "ups", "1ZA1B2C", 3_000_000_001, Some('8'), ""),
            ("a waybill", "3141592672", "dhl-express", "", 314_159_267, Some('2'), ""),
            ("its country behind", "RX417302859GB", "royal-mail", "RX", 41_730_285, Some('9'), "GB"),
            ("a check digit that is wrong", "RX417302858GB", "royal-mail", "RX", 41_730_285, Some('8'), "GB"),
            ("more digits than count", "9407136897846214009912", "usps", "940", 713_689_784_621_400_991, Some('2'), ""),
            ("no check digit", "JVGL06895130579714", "dhl-express", "JVGL", 6_895_130_579_714, None, ""),
            ("another carrier than its own", "1ZA1B2C30000000018", "dpd", "1ZA1B2C", 3_000_000_001, Some('8'), ""),
        ] {
            let Serial { series, serial: told, check_digit: check } = split(number, carrier).unwrap();
            assert_eq!((series.prefix.as_str(), told, check), (prefix, serial, check_digit), "{what}");
            assert_eq!(series.suffix, suffix, "{what}");
        }
        for (what, number) in [("no format on file", "PARCEL-48"), ("nothing", ""), ("a letter nobody uses", "Ü")] {
            assert_eq!(split(number, "ups"), None, "{what}");
        }
    }

    #[test]
    fn neighbours_on_a_roll_of_labels_count_up_by_one() {
        let [first, second] = ["1ZA1B2C30000000018", "1ZA1B2C30000000027"].map(|number| split(number, "ups").unwrap());
        assert_eq!((&first.series, first.serial + 1), (&second.series, second.serial));
    }
}
