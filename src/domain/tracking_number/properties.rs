//! What holds of every text, tried on made-up ones.

use super::detect::Match;
use super::*;
use crate::domain::carrier;
use proptest::prelude::*;

/// Texts that look like numbers with what people put around them, and any texts at all.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ '\"=(]{0,3}(Tracking #: |UPS |FedEx:|https://x.io/t\\?n=)?[0-9A-Zaz\u{ff10}-\u{ff19}]{1,40}[ .0)\"-]{0,4}",
        2 => "[0-9]{8,40}",
        2 => "[A-Z]{0,4}[0-9]{7,22}[A-Z]{0,2}",
        1 => "([0-9]{4}[ \u{a0}\u{2013}-]){2,6}[0-9]{1,4}",
        1 => "[0-9]{10,22}[,;/ &\\n][0-9A-Z]{10,22}",
        1 => any::<String>(),
    ]
}

fn carriers() -> impl Strategy<Value = Option<String>> {
    let on_file: Vec<String> = carrier::all().iter().map(|it| it.name.clone()).collect();
    prop_oneof![Just(None), proptest::sample::select(on_file).prop_map(Some), any::<String>().prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_plain_number_is_its_own_plain_form(text in texts()) {
        if let Ok(read) = normalise(&text) {
            prop_assert!(read.number.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase()));
            prop_assert_eq!(normalise(&read.number).map(|it| it.number), Ok(read.number));
        }
    }

    #[test]
    fn what_is_called_valid_did_not_fail_and_what_is_offered_is_valid(text in texts(), declared in carriers()) {
        let read = check(&text, &Hints { carrier: declared.as_deref(), ..Hints::default() });
        prop_assert!(read.candidates.is_sorted_by(|before, after| before.confidence >= after.confidence));
        prop_assert!(!read.detail.is_empty());
        prop_assert!(read.validity != Validity::Repairable || !read.repairs.is_empty());
        if read.validity == Validity::Valid {
            prop_assert!(read.candidates.first().is_none_or(|it| it.check != CheckOutcome::Failed), "{:?}", read);
        }
        for repair in &read.repairs {
            let mended = check(&repair.number, &Hints { carrier: Some(repair.carrier.as_str()), ..Hints::default() });
            prop_assert_eq!(mended.validity, Validity::Valid, "{:?} -> {}", text, repair.number);
        }
    }

    #[test]
    fn hints_never_revive_a_failed_check(number in "[0-9]{10,16}|1Z[0-9]{16}|[A-Z]{2}[0-9]{9}[A-Z]{2}") {
        let found = detect::matches(&number);
        let known: Vec<(&str, &str)> = found.iter().filter_map(|it| Some((it.carrier?, number.as_str()))).collect();
        let habits = Habits::of(known);
        let near = Hints { habits: Some(&habits), origin_country: Some("US"), ..Hints::default() };
        for it in found.iter().filter(|it| it.failed()) {
            let read = check(&number, &Hints { carrier: it.carrier, ..near });
            let first = read.candidates.first().map(|it| it.check);
            prop_assert!(read.validity != Validity::Valid || first != Some(CheckOutcome::Failed));
        }
        let read = check(&number, &near);
        prop_assert!(read.validity != Validity::Valid || found.iter().any(Match::stands));
    }
}

/// However long a text is, no more of it is read than any number, or link to one, has.
#[test]
fn a_text_of_any_length_is_read_to_a_bound() {
    for text in ["9".repeat(10_000_000), "1Z ".repeat(1_000_000), "=\"(".repeat(1_000_000), "\u{2014}".repeat(100_000)]
    {
        let read = check(&text, &Hints::default());
        assert_eq!((read.validity, read.normalized), (Validity::Invalid, None));
        assert!(read.detail.len() < 300);
    }
}
