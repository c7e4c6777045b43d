//! Tracking numbers with what must come of them, through `parceltrail check-number --json`.

use crate::{Score, run};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What is asked of the numbers: which of them, with which hint, and what must come of each.
struct Measure {
    name: &'static str,
    picks: fn(&Value) -> bool,
    hint: Hint,
    holds: fn(&Value, &Value) -> bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    /// The number alone.
    None,
    /// What the case says was known.
    OfCase,
    /// The carrier that it truly is of.
    Carrier,
}

const MEASURES: [Measure; 11] = [
    Measure {
        name: "right-first-real",
        picks: |it| is(it, "valid") && it["kind"] == "real",
        hint: Hint::None,
        holds: first,
    },
    Measure { name: "right-first-all", picks: |it| is(it, "valid"), hint: Hint::None, holds: first },
    Measure {
        name: "right-in-list",
        picks: |it| is(it, "valid") || is(it, "ambiguous"),
        hint: Hint::None,
        holds: in_list,
    },
    Measure {
        name: "right-with-hint",
        picks: |it| is(it, "valid") || is(it, "ambiguous"),
        hint: Hint::Carrier,
        holds: first,
    },
    Measure {
        name: "as-typed",
        picks: |it| is(it, "messy"),
        hint: Hint::None,
        holds: |case, it| normal(case, it) && in_list(case, it),
    },
    Measure { name: "bad-never-valid", picks: is_bad, hint: Hint::Carrier, holds: |_, it| it["validity"] != "valid" },
    Measure {
        name: "published-bad-never-valid",
        picks: |it| is_bad(it) && it["kind"] == "real",
        hint: Hint::Carrier,
        holds: |_, it| it["validity"] != "valid",
    },
    Measure {
        name: "exact-code",
        picks: |it| code_of(it).is_some(),
        hint: Hint::OfCase,
        holds: |case, it| it["code"].as_str() == code_of(case),
    },
    Measure {
        name: "repair-offered",
        picks: |it| it["expect"] == "suggest_repair",
        hint: Hint::OfCase,
        holds: repaired,
    },
    Measure {
        name: "junk-never-valid",
        picks: |it| is(it, "junk"),
        hint: Hint::None,
        holds: |_, it| it["validity"] != "valid",
    },
    Measure {
        name: "never-certain-but-wrong",
        picks: |it| it["valid"] == true,
        hint: Hint::None,
        holds: |case, it| it["validity"] != "valid" || first(case, it),
    },
];

/// Random digits of the lengths that carriers use.
const RANDOM_LENGTHS: [usize; 13] = [10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 26, 30, 34];
const RANDOM_EACH: usize = 200;

pub(crate) fn scores(file: &Path) -> Vec<Score> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hints = [Hint::None, Hint::OfCase, Hint::Carrier];
    let answers = hints.map(|hint| ask(&cases.iter().map(|case| question(case, hint)).collect::<Vec<_>>()));
    let mut scores: Vec<Score> = MEASURES
        .iter()
        .map(|measure| {
            let told = &answers[hints.iter().position(|it| *it == measure.hint).unwrap()];
            measured(measure, &cases, told)
        })
        .collect();
    scores.push(random_digits());
    scores
}

fn measured(measure: &Measure, cases: &[Value], answers: &[Value]) -> Score {
    let mut score = Score::of(format!("numbers/{}", measure.name));
    for (case, answer) in cases.iter().zip(answers).filter(|(case, _)| (measure.picks)(case)) {
        let what = format!("{} {} {}", case["id"], case["number"], case["carrier"]);
        score.check(&what, (measure.holds)(case, answer), || {
            let candidates = answer["candidates"].as_array().cloned().unwrap_or_default();
            let carriers: Vec<&str> = candidates.iter().filter_map(|it| it["carrier"].as_str()).collect();
            format!("{} {} {carriers:?}", answer["validity"], answer["code"])
        });
    }
    score
}

fn question(case: &Value, hint: Hint) -> Value {
    let (number, hints) = (&case["number"], &case["hints"]);
    match hint {
        Hint::None => json!({"number": number}),
        Hint::Carrier => json!({"number": number, "carrier": case["carrier"]}),
        Hint::OfCase => json!({
            "number": number,
            "carrier": hints["declared_carrier"],
            "origin_country": hints["ship_from"],
            "destination_country": hints["destination_country"],
        }),
    }
}

/// One answer a question, in order; nothing at all where the program fails.
fn ask(questions: &[Value]) -> Vec<Value> {
    let input: String = questions.iter().flat_map(|question| [question.to_string(), "\n".to_owned()]).collect();
    let output = run(&["check-number", "--json"], &input);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers: Vec<Value> = told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if answers.len() == questions.len() {
        return answers;
    }
    println!("check-number gave {} answers to {} numbers: {}", answers.len(), questions.len(), output.status);
    println!("{}", String::from_utf8_lossy(&output.stderr).lines().take(5).collect::<Vec<_>>().join("\n"));
    vec![json!({"validity": "valid"}); questions.len()]
}

fn random_digits() -> Score {
    let mut score = Score::of("numbers/random-never-valid");
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut digit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + u8::try_from((state >> 33) % 10).unwrap())
    };
    let numbers: Vec<Value> = RANDOM_LENGTHS
        .iter()
        .flat_map(|length| std::iter::repeat_n(*length, RANDOM_EACH))
        .map(|length| json!({"number": (0..length).map(|_| digit()).collect::<String>()}))
        .collect();
    for (question, answer) in numbers.iter().zip(ask(&numbers)) {
        let what = question["number"].to_string();
        score.check(&what, answer["validity"] != "valid", || answer["candidates"].to_string());
    }
    score
}

fn is(case: &Value, category: &str) -> bool {
    case["category"] == category
}

/// Broken, and of a carrier that is known.
fn is_bad(case: &Value) -> bool {
    case["category"].as_str().is_some_and(|it| it.starts_with("bad_")) && case["carrier"].is_string()
}

/// The code that a case asks for by name.
fn code_of(case: &Value) -> Option<&str> {
    let (verb, code) = case["expect"].as_str()?.split_once(':')?;
    ["reject", "warn_or_reject"].contains(&verb).then_some(code)
}

fn first(case: &Value, answer: &Value) -> bool {
    answer["candidates"][0]["carrier"] == case["carrier"]
}

fn in_list(case: &Value, answer: &Value) -> bool {
    let candidates = answer["candidates"].as_array();
    candidates.is_some_and(|all| all.iter().any(|it| it["carrier"] == case["carrier"]))
}

fn normal(case: &Value, answer: &Value) -> bool {
    answer["normalized"] == case["normalized"]
}

fn repaired(case: &Value, answer: &Value) -> bool {
    let wanted = case["normalized"].as_str().unwrap_or_default();
    let why = case["why"].as_str().unwrap_or_default();
    let repairs = answer["repairs"].as_array();
    repairs.is_some_and(|all| {
        all.iter().any(|it| it["number"] == wanted || it["number"].as_str().is_some_and(|it| why.ends_with(it)))
    })
}
