//! The data file, and rows that must be refused.

use super::*;

#[test]
fn the_data_file_loads() {
    let table = Table::read(DATA).unwrap();
    assert!(!table.version().is_empty());
    assert!(table.formats.iter().all(|it| it.specificity < 100));
    assert_eq!(table.s10_issuer(b"GB"), Some("royal-mail"));
    assert_eq!(table.s10_issuer(b"UK"), None, "the United Kingdom issues as GB");
    assert_eq!(table.s10_issuer(b"YP"), Some("yanwen"), "no country, and yet in use");
    for carrier in table.issuers.values() {
        assert!(carrier.starts_with("post-") || crate::domain::carrier::by_slug(carrier).is_some(), "{carrier}");
    }
}

fn sheet(row: &str) -> String {
    let s10 = r#"{"source":"UPU","operators":{},"pseudo_countries":{},"other_countries":""}"#;
    format!(r#"{{"version":"1","s10":{s10},"formats":[{row}]}}"#)
}

/// A row of nine digits, with two examples whose last digit is the rest of the others by seven.
fn row(pattern: &str, check: &str, source: &str) -> String {
    let [a, b] = [7, 2].map(|start| {
        let body = start * 10_000_000 + 1_234_567;
        format!("{body}{}", body % 7)
    });
    format!(
        r#"{{"id":"a","carrier":"ups","shapes":[{{"pattern":"{pattern}"}}],"check":{check},"confidence":"high",
           "specificity":90,"false_positive_rate":0.1,"examples":["{a}","{b}"],"source":"{source}"}}"#
    )
}

#[test]
fn a_row_that_cannot_work_is_refused() {
    const MOD7: &str = r#"{"rule":"mod7"}"#;
    let good = row("digit*9", MOD7, "a standard");
    assert!(Table::read(&sheet(&good)).is_ok(), "{:?}", Table::read(&sheet(&good)).err());
    let of_fedex = |row: String| row.replace(r#""a","carrier":"ups""#, r#""b","carrier":"fedex""#);
    for (what, rows) in [
        ("an id that stands twice", format!("{good},{good}")),
        ("no id", good.replace(r#""id":"a""#, r#""id":" ""#)),
        ("a rule that has no name", row("digit*9", r#"{"rule":"mod8"}"#, "a standard")),
        ("a rule without weights", row("digit*9", r#"{"rule":"weighted_mod11","weights":[]}"#, "a standard")),
        ("a body beyond the end", row("digit*9", r#"{"rule":"mod7","body":[0,9]}"#, "a standard")),
        ("no source", row("digit*9", MOD7, " ")),
        ("a class that has no name", row("number*9", MOD7, "a standard")),
        ("a letter in lower case", row("=a digit*9", MOD7, "a standard")),
        ("a number beyond all lengths", row("digit*41", MOD7, "a standard")),
        ("a carrier not on file", good.replace("ups", "pigeon-post")),
        ("an example of another shape", row("=7 digit*8", MOD7, "a standard")),
        ("an example that fails the check", good.replace("\"71234567", "\"71234568")),
        (
            "two carriers with one shape for their own",
            format!("{good},{}", of_fedex(row("[0-9] digit*8", MOD7, "a b"))),
        ),
    ] {
        assert!(Table::read(&sheet(&rows)).is_err(), "{what}");
    }
    let apart = format!("{good},{}", of_fedex(good.replace("90,", "40,")));
    assert!(Table::read(&sheet(&apart)).is_ok(), "one of them may say that others have its shape");
}

/// The share of random texts of one length that a format takes: how many have the shape, reckoned, times how many of
/// those pass the check, tried.
pub(in crate::domain::tracking_number) fn measured_false_positives(format: &Format) -> f64 {
    let shapes: Vec<&Shape> =
        TABLE.shapes.iter().filter(|it| TABLE.format_of(it).is_some_and(|of| of.id == format.id)).collect();
    let class =
        if shapes.iter().any(|it| it.places.iter().all(|place| place & DIGITS != 0)) { DIGITS } else { !0 >> 28 };
    let within = |inner: &Shape, outer: &Shape| {
        inner.length() == outer.length() && inner.places.iter().zip(&outer.places).all(|(a, b)| a & !b == 0)
    };
    let widest =
        shapes.iter().filter(|it| !shapes.iter().any(|other| !std::ptr::eq(*other, **it) && within(it, other)));
    let mut by_length = std::collections::BTreeMap::<usize, f64>::new();
    for shape in widest {
        let share = |place: &u64| f64::from((place & class).count_ones()) / f64::from(class.count_ones());
        *by_length.entry(shape.length()).or_default() += shape.places.iter().map(share).product::<f64>();
    }
    let tried = shapes.iter().find(|it| it.places.iter().all(|place| place & class != 0)).unwrap();
    by_length.into_values().fold(0.0, f64::max) * share_that_passes(format, tried, class)
}

fn share_that_passes(format: &Format, shape: &Shape, class: u64) -> f64 {
    const TRIES: u32 = 20_000;
    let mut state = 7_u64;
    let mut symbol_of = |place: u64| {
        let symbols: Vec<u8> = SYMBOLS.iter().copied().filter(|it| place & class & bit(*it) != 0).collect();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        symbols[usize::try_from(state >> 33).unwrap() % symbols.len()]
    };
    let passed = (0..TRIES).filter(|_| {
        let number: Vec<u8> = shape.places.iter().map(|place| symbol_of(*place)).collect();
        detect::outcome(&number, format, shape).0 != CheckOutcome::Failed
    });
    f64::from(u32::try_from(passed.count()).unwrap()) / f64::from(TRIES)
}
