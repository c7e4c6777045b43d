//! Scores the program against cases from outside the project: a line a folder, `name reached/all`.
//!
//! `conformance DIR [--floor FILE] [--raise] [--details]` fails below the scores of the floor file. Nothing of the cases
//! is kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and its scores are printed"
)]

#[allow(dead_code, reason = "the scenarios of the integration tests use the rest of it")]
#[path = "../../tests/it/server.rs"]
mod server;

mod deliveries;
mod numbers;
mod sheets;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

/// How many cases of how many came out as expected, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) name: String,
    pub(crate) reached: usize,
    pub(crate) all: usize,
    pub(crate) details: Vec<String>,
}

impl Score {
    pub(crate) fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Counts one case; `fault` says what is wrong with it.
    pub(crate) fn count(&mut self, case: &str, fault: Option<String>) {
        self.all += 1;
        match fault {
            None => self.reached += 1,
            Some(fault) => self.details.push(format!("{case}: {fault}")),
        }
    }

    /// Counts one case that holds or does not.
    pub(crate) fn check(&mut self, case: &str, holds: bool, otherwise: impl FnOnce() -> String) {
        self.count(case, (!holds).then(otherwise));
    }
}

struct Arguments {
    cases: PathBuf,
    floor: Option<PathBuf>,
    raise: bool,
    details: bool,
}

fn main() -> ExitCode {
    let arguments = arguments();
    let mut scores = Vec::new();
    let mut tell = |score: Score| {
        println!("{} {}/{}", score.name, score.reached, score.all);
        if arguments.details {
            score.details.iter().for_each(|detail| println!("    {detail}"));
        }
        scores.push(score);
    };
    sheets::dirty(&arguments.cases.join("csv-dirty")).into_iter().for_each(&mut tell);
    tell(sheets::shops(&arguments.cases.join("csv-shops")));
    numbers::scores(&arguments.cases.join("numbers/numbers.jsonl")).into_iter().for_each(&mut tell);
    tell(carrier_answers(&arguments.cases.join("carrier-answers")));
    deliveries::scores(&arguments.cases.join("deliveries"), &mut tell);
    let Some(floor) = &arguments.floor else { return ExitCode::SUCCESS };
    if arguments.raise {
        let lines: String = scores.iter().flat_map(|it| [it.name.clone(), format!(" {}\n", it.reached)]).collect();
        fs::write(floor, lines).unwrap();
        return ExitCode::SUCCESS;
    }
    compare_with_floor(floor, &scores)
}

fn arguments() -> Arguments {
    let mut given = std::env::args().skip(1);
    let cases = PathBuf::from(given.next().expect("usage: conformance DIR [--floor FILE] [--raise] [--details]"));
    let mut arguments = Arguments { cases, floor: None, raise: false, details: false };
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--floor" => arguments.floor = given.next().map(PathBuf::from),
            "--raise" => arguments.raise = true,
            "--details" => arguments.details = true,
            other => panic!("no such option: {other}"),
        }
    }
    arguments
}

/// A score that is not in the file may be anything; one that is in it and was not reached, or not scored, is a failure.
fn compare_with_floor(file: &Path, scores: &[Score]) -> ExitCode {
    let reached: BTreeMap<&str, usize> = scores.iter().map(|it| (it.name.as_str(), it.reached)).collect();
    let has_postgres = server::postgres_url().is_some();
    let mut code = ExitCode::SUCCESS;
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let Some((name, floor)) = line.rsplit_once(' ') else { continue };
        let floor: usize = floor.parse().unwrap();
        if name.ends_with("/postgres") && !has_postgres {
            continue;
        }
        let now = reached.get(name).copied().unwrap_or(0);
        if now < floor {
            println!("below the floor: {name} reached {now}, was {floor}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Runs the binary, feeding it `input`.
pub(crate) fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(server::binary());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // What it does not read is its own loss: it may end early.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// How many recorded answers there are; what we make of them is not compared yet.
fn carrier_answers(folder: &Path) -> Score {
    let mut score = Score::of("carrier-answers");
    for source in folders_and_files(folder).into_iter().filter(|it| it.is_dir()) {
        for expectation in folders_and_files(&source).iter().filter(|it| it.to_string_lossy().ends_with(".expect.json"))
        {
            score.count(&expectation.display().to_string(), Some("not compared yet".to_owned()));
        }
    }
    score
}

/// What a folder holds, by name.
pub(crate) fn folders_and_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
