//! `check-number`: one answer a number, in order.

use crate::domain::tracking_number::{self, Hints, NumberCheck, Validity};
use serde::Deserialize;
use std::io::{self, BufRead, Write};

/// Prove tracking numbers, given here or one a line on the standard input
#[derive(Debug, clap::Args)]
pub struct CheckNumberArgs {
    /// One JSON object a number; lines of the standard input may then be objects too
    #[arg(long)]
    json: bool,
    /// The carrier as declared, for every number that names none itself
    #[arg(long)]
    carrier: Option<String>,
    /// Where parcels come from: two letters
    #[arg(long, value_name = "CC")]
    origin: Option<String>,
    /// Where parcels go: two letters
    #[arg(long, value_name = "CC")]
    destination: Option<String>,
    #[arg(value_name = "NUMBER")]
    numbers: Vec<String>,
}

/// A line of the standard input, where it is an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    number: String,
    carrier: Option<String>,
    origin_country: Option<String>,
    destination_country: Option<String>,
}

/// Exit code 0 where every number can be right, 1 where one is invalid.
pub fn run(arguments: &CheckNumberArgs) -> Result<u8, io::Error> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut all_good = true;
    let mut answer = |asked: &Asked| -> io::Result<()> {
        let check = arguments.check(asked);
        all_good &= check.validity != Validity::Invalid;
        if arguments.json { writeln!(out, "{}", serde_json::json!(check)) } else { write_for_people(&mut out, &check) }
    };
    for number in &arguments.numbers {
        answer(&Asked { number: number.clone(), ..Asked::default() })?;
    }
    if arguments.numbers.is_empty() {
        for line in io::stdin().lock().lines() {
            answer(&arguments.read(&line?))?;
        }
    }
    out.flush()?;
    Ok(u8::from(!all_good))
}

impl CheckNumberArgs {
    /// A line that is no object is the number itself, as typed.
    fn read(&self, line: &str) -> Asked {
        let object = (self.json && line.trim_start().starts_with('{')).then(|| serde_json::from_str(line).ok());
        object.flatten().unwrap_or_else(|| Asked { number: line.to_owned(), ..Asked::default() })
    }

    fn check(&self, asked: &Asked) -> NumberCheck {
        let hints = Hints {
            carrier: asked.carrier.as_deref().or(self.carrier.as_deref()),
            origin_country: asked.origin_country.as_deref().or(self.origin.as_deref()),
            destination_country: asked.destination_country.as_deref().or(self.destination.as_deref()),
            ..Hints::default()
        };
        tracking_number::check(&asked.number, &hints)
    }
}

fn write_for_people(out: &mut impl Write, check: &NumberCheck) -> io::Result<()> {
    writeln!(out, "{}: {}. {}", check.input, check.validity.code(), check.detail)?;
    for candidate in &check.candidates {
        writeln!(out, "  {} ({:.2}): {}", candidate.carrier, candidate.confidence, candidate.reason)?;
    }
    for repair in &check.repairs {
        writeln!(out, "  perhaps {} ({}): {}", repair.number, repair.carrier, repair.detail)?;
    }
    match &check.tracking_url {
        Some(url) => writeln!(out, "  {url}"),
        None => Ok(()),
    }
}
