//! What the whole of it answers to a number, with and without a declared carrier.

use super::formats::TABLE;
use super::*;
use std::collections::BTreeSet;

fn of(number: &str) -> NumberCheck {
    check(number, &Hints::default())
}

fn declared(carrier: &str, number: &str) -> NumberCheck {
    check(number, &Hints { carrier: Some(carrier), ..Hints::default() })
}

/// Two numbers of each format that tells its carrier, their check digits worked out apart from this code.
const NUMBERS: [(&str, &str, &str); 27] = [
    ("ups-1z", "ups", "1Z2F5X380312345674"),
    ("ups-1z", "ups", "1Z88W1420398765436"),
    ("ups-waybill", "ups", "H7311999384"),
    ("ups-waybill", "ups", "K4751182597"),
    ("usps-impb-n", "usps", "9407136897846214009912"),
    ("usps-impb-n", "usps", "940713689784621400991501234562"),
    ("usps-impb-c", "usps", "9303312345678901234568"),
    ("usps-impb-c", "usps", "9505516789012345678904"),
    ("usps-91", "usps", "9102938475610293847563"),
    ("usps-91", "usps", "9102938475610293847570"),
    ("usps-impb-420", "usps", "420902109407136897846214009912"),
    ("usps-impb-420", "usps", "4209021012349200190001234567890127"),
    ("fedex-12", "fedex", "390780214612"),
    ("fedex-12", "fedex", "785133094268"),
    ("fedex-15", "fedex", "961144081277301"),
    ("fedex-15", "fedex", "061144081277300"),
    ("fedex-22-96", "fedex", "9616821953131786298626"),
    ("fedex-22-96", "fedex", "9621292940906046373018"),
    ("fedex-34", "fedex", "1019381135784997166300634821957178"),
    ("fedex-34", "fedex", "9622179870450440251100337522489606"),
    ("fedex-astra-32", "fedex", "30401370381790731995574247202375"),
    ("fedex-astra-32", "fedex", "30326060457180821567201966023020"),
    ("dhl-express-10", "dhl-express", "4182309574"),
    ("dhl-express-10", "dhl-express", "7033164821"),
    ("s10", "royal-mail", "RX417302859GB"),
    ("s10", "yanwen", "EE309182745YP"),
    ("s10", "post-ro", "RR204819365RO"),
];

/// Two numbers of each format whose carrier has to be declared, with the verdict where it is not.
const NUMBERS_TO_DECLARE: [(&str, &str, &str, Validity); 12] = [
    // The check digit is reckoned from what is printed, then with 91 in front.
    ("usps-20", "usps", "70030294513795613414", Validity::Ambiguous),
    ("usps-20", "usps", "03763855926785171702", Validity::Ambiguous),
    ("fedex-20", "fedex", "61859828067251469745", Validity::Ambiguous),
    ("fedex-20", "fedex", "02493722189696479063", Validity::Ambiguous),
    ("fedex-sscc18", "fedex", "001603389329403173", Validity::Ambiguous),
    ("fedex-sscc18", "fedex", "046855344693895278", Validity::Ambiguous),
    ("fedex-34-long", "fedex", "1031546825146109195748292304451452", Validity::Suspicious),
    ("fedex-34-long", "fedex", "9611121068647922611707695601495509", Validity::Suspicious),
    ("dhl-express-11", "dhl-express", "92648211316", Validity::Suspicious),
    ("dhl-express-11", "dhl-express", "17773278202", Validity::Suspicious),
    ("dhl-express-piece", "dhl-express", "JD010453891491483261", Validity::Suspicious),
    ("dhl-express-piece", "dhl-express", "JVGL06895130579714", Validity::Suspicious),
];

#[test]
fn a_right_number_is_known_with_and_without_its_carrier() {
    for (format, carrier, number) in NUMBERS {
        let alone = of(number);
        let likeliest = alone.candidates.first().unwrap();
        assert_eq!((alone.validity, alone.code), (Validity::Valid, None), "{number}: {}", alone.detail);
        assert_eq!((likeliest.format.as_str(), likeliest.carrier.as_str()), (format, carrier), "{number}");
        assert_eq!(likeliest.check, CheckOutcome::Passed);
        assert_eq!(declared(carrier, number).validity, Validity::Valid, "{number}");
    }
}

#[test]
fn a_number_of_a_form_that_proves_nothing_is_right_once_its_carrier_is_declared() {
    for (format, carrier, number, alone) in NUMBERS_TO_DECLARE {
        let read = declared(carrier, number);
        assert_eq!((read.validity, read.code), (Validity::Valid, None), "{number}: {}", read.detail);
        assert_eq!((read.candidates[0].format.as_str(), read.candidates[0].carrier.as_str()), (format, carrier));
        let read = of(number);
        assert_eq!((read.validity, read.code), (alone, None), "{number}: {}", read.detail);
        assert!(read.candidates.iter().all(|it| it.confidence <= 0.7), "{number}");
    }
}

#[test]
fn every_format_of_the_table_has_two_numbers_here() {
    let told = NUMBERS.map(|(format, _, number)| (format, number));
    let to_declare = NUMBERS_TO_DECLARE.map(|(format, _, number, _)| (format, number));
    let numbers: BTreeSet<_> = told.into_iter().chain(to_declare).collect();
    for format in &TABLE.formats {
        assert!(numbers.iter().filter(|it| it.0 == format.id).count() >= 2, "{}", format.id);
    }
    assert_eq!(numbers.len(), NUMBERS.len() + NUMBERS_TO_DECLARE.len());
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
        ("a carrier without a format on file", "yodel", "JD0001234567890123", Suspicious, None),
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
