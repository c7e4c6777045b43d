//! Numbers a second on one core, beside the regular expressions alone that most tools go by, in one run.
//!
//! `cargo bench --bench tracking_numbers`. The two take turns, since the machine is rarely alone; a rate is that of the
//! best round. The baseline says which shapes fit: it knows no check digit, no ranking and no plain form.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on has failed, and prints its figures"
)]

use parceltrail::tracking_number::{Hints, check};
use regex::RegexSet;
use serde_json::Value;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FORMATS: &str = include_str!("../src/domain/data/formats.json");
/// Many short rounds: the best of them were not interrupted.
const ROUNDS: usize = 400;
const NUMBERS: usize = 3_900;

/// Numbers with the carrier that was declared for them, if one was.
type Numbers = Vec<(String, Option<String>)>;

fn main() {
    let formats: Value = serde_json::from_str(FORMATS).unwrap();
    let formats = formats["formats"].as_array().unwrap();
    let baseline = RegexSet::new(formats.iter().flat_map(shapes).map(|it| regex_of(&it))).unwrap();
    println!("{:<28}{:>14}{:>14}{:>10}{:>12}{:>12}", "numbers", "checks/s", "regexes/s", "ratio", "p50", "p99");
    for (name, numbers) in [
        ("right, undeclared", right(formats, false)),
        ("right, carrier declared", right(formats, true)),
        ("random digits, undeclared", random_digits()),
        ("as typed, declared", typed(formats)),
    ] {
        side_by_side(name, &numbers, &baseline);
    }
}

fn side_by_side(name: &str, numbers: &Numbers, baseline: &RegexSet) {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(took(|| numbers.iter().for_each(|it| drop(black_box(checked(it))))));
        theirs.push(took(|| numbers.iter().for_each(|it| drop(black_box(baseline.matches(&it.0))))));
    }
    let singly = (0..10).flat_map(|_| numbers).map(|it| took(|| drop(black_box(checked(it)))));
    let mut singly: Vec<Duration> = singly.collect();
    singly.sort_unstable();
    let rate = |rounds: &mut Vec<Duration>| {
        rounds.sort_unstable();
        numbers.len() as f64 / rounds[0].as_secs_f64()
    };
    let (ours, theirs) = (rate(&mut ours), rate(&mut theirs));
    let at = |share: usize| format!("{:.2?}", singly[singly.len() * share / 100]);
    println!("{name:<28}{ours:>14.0}{theirs:>14.0}{:>10.2}{:>12}{:>12}", ours / theirs, at(50), at(99));
}

fn checked((number, carrier): &(String, Option<String>)) -> parceltrail::tracking_number::NumberCheck {
    check(number, &Hints { carrier: carrier.as_deref(), ..Hints::default() })
}

fn took(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The examples on file, over and over.
fn right(formats: &[Value], declared: bool) -> Numbers {
    let examples: Numbers = formats
        .iter()
        .flat_map(|format| {
            let carrier = format["carrier"].as_str().filter(|it| declared && *it != "postal").map(str::to_owned);
            let numbers = format["examples"].as_array().unwrap().iter();
            numbers.map(move |it| (it.as_str().unwrap().to_owned(), carrier.clone()))
        })
        .collect();
    examples.iter().cycle().take(NUMBERS).cloned().collect()
}

/// In blocks of four with a label in front, as people paste them.
fn typed(formats: &[Value]) -> Numbers {
    let blocks = |number: String| {
        let blocks: Vec<String> =
            number.as_bytes().chunks(4).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        format!("Tracking #: {}", blocks.join(" "))
    };
    right(formats, true).into_iter().map(|(number, carrier)| (blocks(number), carrier)).collect()
}

fn random_digits() -> Numbers {
    const LENGTHS: [usize; 13] = [10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 26, 30, 34];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_digit(u32::try_from((state >> 33) % 10).unwrap(), 10).unwrap()
    };
    let lengths = LENGTHS.iter().cycle().take(NUMBERS);
    lengths.map(|length| ((0..*length).map(|_| digit()).collect(), None)).collect()
}

fn shapes(format: &Value) -> Vec<String> {
    format["shapes"].as_array().unwrap().iter().map(|it| it["pattern"].as_str().unwrap().to_owned()).collect()
}

/// `=1Z alnum*15 digit` as `^1Z[0-9A-Z]{15}[0-9]$`.
fn regex_of(pattern: &str) -> String {
    let part = |part: &str| {
        if let Some(text) = part.strip_prefix('=') {
            return text.to_owned();
        }
        let (class, times) = part.split_once('*').unwrap_or((part, "1"));
        let class = match class {
            "digit" => "[0-9]",
            "letter" => "[A-Z]",
            "alnum" => "[0-9A-Z]",
            other => other,
        };
        format!("{class}{{{}}}", times.replace('-', ","))
    };
    format!("^{}$", pattern.split_whitespace().map(part).collect::<String>())
}
