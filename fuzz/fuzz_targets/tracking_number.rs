//! Any text, any declared carrier: a number is judged without a panic, what comes out is its own plain form, and what is
//! offered as a repair is right for the carrier it is offered for.
//!
//! The text is cut at its first line break: number, carrier, origin, destination.

#![no_main]

#[allow(dead_code, unused_imports, missing_docs, reason = "the target calls one room of it")]
#[path = "../../src/domain/mod.rs"]
mod domain;

use domain::tracking_number::{CheckOutcome, Habits, Hints, Validity, check, normalise};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(4, '\n');
    let number = parts.next().unwrap_or_default();
    let habits = Habits::of([("ups", "1Z2F5X380312345674"), ("fedex", "390780214612")]);
    let hints = Hints {
        carrier: parts.next(),
        origin_country: parts.next(),
        destination_country: parts.next(),
        habits: Some(&habits),
        own: &[],
    };
    for hints in [Hints::default(), Hints { habits: None, ..hints }, hints] {
        let read = check(number, &hints);
        assert!(read.candidates.is_sorted_by(|before, after| before.confidence >= after.confidence));
        if read.validity == Validity::Valid {
            assert!(read.candidates.first().is_none_or(|it| it.check != CheckOutcome::Failed));
        }
        for repair in &read.repairs {
            let mended = check(&repair.number, &Hints { carrier: Some(repair.carrier.as_str()), ..Hints::default() });
            assert_eq!(mended.validity, Validity::Valid, "{number:?} -> {}", repair.number);
        }
    }
    if let Ok(read) = normalise(number) {
        assert_eq!(normalise(&read.number).map(|it| it.number), Ok(read.number));
    }
});
