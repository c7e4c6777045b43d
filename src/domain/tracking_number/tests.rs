//! What the whole of it answers to a number, with and without a declared carrier.

use super::formats::{Format, TABLE};
use super::*;
use std::collections::BTreeSet;

fn of(number: &str) -> NumberCheck {
    check(number, &Hints::default())
}

fn declared(carrier: &str, number: &str) -> NumberCheck {
    check(number, &Hints { carrier: Some(carrier), ..Hints::default() })
}

/// The examples of the data file, whose check digits were worked out apart from this code.
fn examples() -> impl Iterator<Item = (&'static Format, &'static str)> {
    TABLE.formats.iter().flat_map(|format| format.examples.iter().map(move |number| (format, number.as_str())))
}

#[test]
fn every_example_is_right_for_its_carrier() {
    for (format, number) in examples() {
        let carrier = of(number).candidates.iter().find(|it| it.format == format.id).map(|it| it.carrier.to_string());
        let read = declared(&carrier.unwrap_or_else(|| panic!("{number} is not listed as {}", format.id)), number);
        let first = read.candidates.first().unwrap();
        assert_eq!((&*first.format, read.code), (&*format.id, None), "{number}: {}", read.detail);
        match first.check {
            CheckOutcome::Passed => assert_eq!(read.validity, Validity::Valid, "{number}: {}", read.detail),
            CheckOutcome::None => {
                assert!(matches!(read.validity, Validity::Valid | Validity::Suspicious), "{number}: {}", read.detail);
            }
            CheckOutcome::Failed => panic!("{number} fails the check of {}", format.id),
        }
    }
}

#[test]
fn an_example_alone_tells_its_carrier_where_the_form_is_its_own_and_never_a_wrong_one() {
    for (format, number) in examples() {
        let read = of(number);
        let found = detect::matches(number);
        let own = found.iter().find(|it| it.format.id == format.id).unwrap();
        let first = read.candidates.first().unwrap();
        if own.is_distinctive() {
            assert_eq!((read.validity, Some(first.carrier.as_str())), (Validity::Valid, own.carrier), "{number}");
        }
        if number.bytes().all(|it| it.is_ascii_digit()) && !own.is_distinctive() {
            assert_ne!(read.validity, Validity::Valid, "{number}: {}", read.detail);
        }
        if read.validity == Validity::Valid {
            assert_eq!(Some(first.carrier.as_str()), own.carrier, "{number}");
        }
        let sure: Vec<f64> = read.candidates.iter().map(|it| it.confidence).collect();
        assert!(sure.is_sorted_by(|before, after| before >= after), "{number}: {sure:?}");
    }
}

#[test]
fn every_other_check_character_is_refused_for_the_carrier() {
    for (format, number) in examples().filter(|(format, _)| format.check.is_some()) {
        let found = detect::matches(number);
        let own = found.iter().find(|it| it.format.id == format.id).unwrap();
        let place = own.shape.body.1;
        for other in b'0'..=b'9' {
            let mut bytes = number.as_bytes().to_vec();
            bytes[place] = other;
            let slip = String::from_utf8(bytes).unwrap();
            let passes = detect::matches(&slip).iter().any(|it| it.format.id == format.id && it.passed());
            let variants = format.check.as_ref().map_or(1, |it| it.prepend.len().max(1));
            assert!(slip == number || !passes || variants > 1, "{}: {slip}", format.id);
            let read = declared(own.carrier.unwrap(), &slip);
            let carrier = own.carrier.unwrap();
            assert_eq!(
                read.validity == Validity::Valid,
                passes || is_right_otherwise(&read, carrier, format),
                "{slip}"
            );
        }
    }
}

/// A number that fails one format of a carrier may be right under another of the same carrier.
fn is_right_otherwise(read: &NumberCheck, carrier: &str, format: &Format) -> bool {
    let others = || read.candidates.iter().filter(|it| it.carrier.as_str() == carrier && it.format != format.id);
    others().any(|it| it.check != CheckOutcome::Failed)
}

#[test]
fn a_false_positive_rate_is_what_random_numbers_measure() {
    for format in &TABLE.formats {
        let measured = formats::tests::measured_false_positives(format);
        let told = format.false_positive_rate;
        assert!((measured - told).abs() <= told * 0.25, "{}: told {told:e}, measured {measured:e}", format.id);
    }
}

#[test]
fn there_are_all_formats_and_carriers() {
    let carriers: BTreeSet<&str> = TABLE.formats.iter().map(|it| it.carrier.as_str()).collect();
    assert!(TABLE.formats.len() >= 76 && carriers.len() >= 50, "{} {}", TABLE.formats.len(), carriers.len());
    assert!(audit().is_ok());
}

#[test]
fn twenty_digits_are_never_anyones_for_certain() {
    let [usps, fedex] = ["70030294513795613414", "61859828067251469745"];
    let to_the_us = Hints { destination_country: Some("US"), ..Hints::default() };
    for (number, carrier, other) in [(usps, "usps", "fedex"), (fedex, "fedex", "usps")] {
        assert_eq!(check(number, &to_the_us).validity, Validity::Ambiguous, "both are at home there");
        assert_eq!(of(number).candidates[0].carrier.as_str(), carrier);
        assert_eq!(declared(other, number).code, Some(NumberCode::BadChecksum), "no number passes both checks");
        assert_eq!(declared("ups", number).code, Some(NumberCode::BadFormat), "nor is it said to be another's");
    }
    // The digit before the check digit is one too high; two check digits would be right, so none is named.
    let slip = declared("usps", "70030294513795613424");
    assert_eq!(slip.code, Some(NumberCode::BadChecksum));
    assert!(!slip.detail.contains("should be"), "{}", slip.detail);
}

#[test]
fn a_barcode_is_followed_by_the_number_within() {
    for (barcode, number) in [
        ("9616821953131786298626", "953131786298626"),
        ("1019381135784997166300634821957178", "634821957178"),
        ("9622179870450440251100337522489606", "337522489606"),
        ("30401370381790731995574247202375", "199557424720"),
    ] {
        assert_eq!(of(barcode).tracked_number(), Some(number));
        assert_eq!(declared("fedex", number).validity, Validity::Valid, "{number}");
        assert!(of(barcode).tracking_url.is_some_and(|it| it.ends_with(number)));
    }
}

#[test]
fn a_slip_in_one_digit_is_told_with_the_digit_that_is_expected() {
    for (carrier, number, expected) in [
        ("UPS", "1Z2F5X380312345671", "should be 4, not 1"),
        ("usps", "9407136897846214009915", "should be 2, not 5"),
        ("FedEx Ground", "390780214617", "should be 2, not 7"),
        ("fedex", "961144081277305", "should be 1, not 5"),
        ("DHL", "4182309575", "should be 4, not 5"),
        ("royal_mail", "RX417302858GB", "should be 9, not 8"),
    ] {
        let read = declared(carrier, number);
        assert_eq!((read.validity, read.code), (Validity::Invalid, Some(NumberCode::BadChecksum)), "{number}");
        assert!(read.detail.contains(expected), "{number}: {}", read.detail);
        assert_eq!(read.tracking_url, None);
    }
}

#[test]
fn without_a_carrier_a_failed_check_counts_only_on_a_form_that_is_one_carriers_own() {
    assert_eq!(of("1Z2F5X380312345671").code, Some(NumberCode::BadChecksum));
    let digits = of("390780214617");
    assert_eq!((digits.validity, digits.code), (Validity::Suspicious, None), "any counter has twelve digits");
}

#[test]
fn what_is_wrong_has_its_own_code() {
    use NumberCode as Code;
    use Validity::{Invalid, Repairable, Suspicious, Valid};
    for (what, carrier, number, validity, code) in [
        ("UPS has no 17 characters", "ups", "1Z2F5X38031234567", Invalid, Some(Code::BadLength)),
        ("FedEx has no 13 digits", "fedex", "3907802146123", Invalid, Some(Code::BadLength)),
        ("a form that UPS does not use", "ups", "2Z2F5X380312345674", Invalid, Some(Code::BadFormat)),
        ("the United Kingdom is GB", "royal-mail", "RX417302859UK", Invalid, Some(Code::BadCountry)),
        ("counted up, though it passes", "fedex", "123456789012", Invalid, Some(Code::Placeholder)),
        ("a serial of zeros", "usps", "RX000000000US", Invalid, Some(Code::Placeholder)),
        ("fifteen digits and zeros", "usps", "9407136897846210000000", Invalid, Some(Code::PrecisionLost)),
        ("UPS's test shipper, and wrong", "ups", "1Z12345E0300000014", Invalid, Some(Code::SandboxNumber)),
        ("the zero in front is gone", "fedex", "61144081277300", Repairable, Some(Code::LostLeadingZero)),
        ("a UPS waybill with a slip", "ups", "H7311999386", Invalid, Some(Code::BadChecksum)),
        ("USPS's with 34 digits", "fedex", "4209021012349200190001234567890127", Invalid, Some(Code::CarrierMismatch)),
        ("a letter O for a zero", "ups", "1Z2F5X38O312345674", Repairable, Some(Code::BadChecksum)),
        ("a small L for a one", "ups", "lZ2F5X380312345674", Repairable, Some(Code::BadFormat)),
        ("USPS's number declared as UPS", "ups", "9407136897846214009912", Invalid, Some(Code::CarrierMismatch)),
        ("a carrier without a format on file", "swiss-post", "996012345678901234", Suspicious, None),
        ("a carrier whose format is hearsay", "delhivery", "AB12345678", Suspicious, None),
        ("a form of several carriers, declared", "dpd", "75238464634056", Suspicious, None),
        ("a number of Amazon declared as UPS", "ups", "TBC752575267100", Invalid, Some(Code::CarrierMismatch)),
        ("a number that FedEx published for tests", "fedex", "403934084723025", Valid, Some(Code::SandboxNumber)),
        ("a seller's own courier", "Bob's Bikes", "B-12345", Suspicious, None),
        ("a seller's own courier, UPS's number", "Bob's Bikes", "1Z2F5X380312345674", Suspicious, None),
        ("a word that declares nothing", "other", "1Z2F5X380312345674", Valid, None),
    ] {
        let read = declared(carrier, number);
        assert_eq!((read.validity, read.code), (validity, code), "{what}: {}", read.detail);
    }
}

#[test]
fn a_repair_is_offered_and_its_number_is_right() {
    for (carrier, number, meant) in [
        ("fedex", "61144081277300", "061144081277300"),
        ("dhl-express", "418230956", "0418230956"),
        ("ups", "1Z2F5X38O312345674", "1Z2F5X380312345674"),
        ("ups", "lZ2F5X380312345674", "1Z2F5X380312345674"),
        ("usps", "94O7136897846214OO9912", "9407136897846214009912"),
    ] {
        let read = declared(carrier, number);
        assert_eq!(read.repairs.iter().map(|it| it.number.as_str()).collect::<Vec<_>>(), [meant]);
        assert_eq!(declared(carrier, meant).validity, Validity::Valid);
        assert_ne!(read.normalized.as_deref(), Some(meant), "never put in silently");
    }
}

#[test]
fn the_post_at_the_destination_may_be_declared_for_a_number_from_abroad() {
    let check = |destination_country| {
        let hints = Hints { carrier: Some("usps"), destination_country, ..Hints::default() };
        let read = check("LX551209349CN", &hints);
        (read.validity, read.code)
    };
    assert_eq!(check(Some("US")), (Validity::Valid, None));
    assert_eq!(check(Some("GB")), (Validity::Invalid, Some(NumberCode::CarrierMismatch)));
    assert_eq!(check(None), (Validity::Suspicious, Some(NumberCode::CarrierMismatch)));
    assert_eq!(declared("china-ems", "LX551209349CN").validity, Validity::Valid);
}

#[test]
fn bare_dhl_is_right_for_any_dhl_and_a_partner_for_what_it_hands_over() {
    assert_eq!(declared("DHL", "4182309574").validity, Validity::Valid);
    assert_eq!(declared("DHL", "CP908172638DE").validity, Validity::Valid);
    let handed_over = declared("fedex", "9261290123456789012340");
    assert_eq!((handed_over.validity, handed_over.candidates[0].carrier.as_str()), (Validity::Valid, "usps"));
}

#[test]
fn a_page_is_named_for_the_carrier_with_routing_digits_left_out() {
    let usps = of("420902109407136897846214009912");
    assert_eq!(usps.normalized.as_deref(), Some("420902109407136897846214009912"));
    assert_eq!(usps.tracked_number(), Some("9407136897846214009912"));
    assert!(usps.tracking_url.unwrap().ends_with("tLabels=9407136897846214009912"));
    assert!(declared("yodel", "JD0001234567890123").tracking_url.unwrap().contains("yodel"));
}

#[test]
fn a_carrier_named_in_the_cell_counts_unless_another_is_declared() {
    assert_eq!(of("FedEx 1Z2F5X380312345674").code, Some(NumberCode::CarrierMismatch));
    assert_eq!(declared("ups", "FedEx 1Z2F5X380312345674").validity, Validity::Valid);
}

#[test]
fn no_single_slip_passes_a_check_with_weights_3_and_1() {
    // Three and one have no divisor in common with ten; weight 2 of UPS does, and lets a slip by 5 pass.
    for (carrier, number) in [("usps", "9407136897846214009912"), ("fedex", "961144081277301")] {
        for place in 2..number.len() {
            for digit in b'0'..=b'9' {
                let mut slip = number.as_bytes().to_vec();
                slip[place] = digit;
                let slip = String::from_utf8(slip).unwrap();
                assert_eq!(declared(carrier, &slip).validity == Validity::Valid, slip == number, "{slip}");
            }
        }
    }
}

#[test]
fn an_answer_is_written_in_the_words_of_the_api() {
    let written = serde_json::to_value(declared("ups", "1Z2F5X380312345671")).unwrap();
    assert_eq!(written["validity"], "invalid");
    assert_eq!(written["code"], "bad_checksum");
    assert_eq!(written["candidates"][0]["check"], "failed");
    let codes = [NumberCode::ScientificNotation, NumberCode::LostLeadingZero, NumberCode::Empty];
    assert!(codes.iter().all(|it| serde_json::to_value(it).unwrap() == it.code()));
}
