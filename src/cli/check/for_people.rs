//! The answer for a person: a summary, the problems by kind, then the bad rows.

use super::tally::{Problem, Tally};
use crate::sheets::{Fault, FileRejected, Survey};
use std::io::{self, Write};
use std::path::Path;

/// A file that was read.
pub(super) fn tell(file: &Path, survey: &Survey, tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    let (kind, encoding) = (survey.kind, survey.encoding.name());
    writeln!(out, "{}: {kind}, {encoding}, {}", file.display(), delimiter(survey.delimiter))?;
    let Tally { accepted, unchanged, rejected, warnings, .. } = tally;
    let total = accepted + unchanged + rejected;
    let (orders, shipments) = (tally.orders.len(), tally.shipments.len());
    writeln!(
        out,
        "{total} rows: {accepted} accepted, {unchanged} repeated, {rejected} rejected; {warnings} warnings."
    )?;
    writeln!(out, "{orders} orders, {shipments} shipments.")?;
    tell_columns(&survey.columns, out)?;
    for warning in &survey.warnings {
        tell_fault("warning", warning, out)?;
    }
    tell_problems("Errors", tally.problems(false), out)?;
    tell_problems("Warnings", tally.problems(true), out)?;
    tell_bad_rows(tally, out)
}

/// A file of which no row can be read.
pub(super) fn tell_rejected(file: &Path, rejected: &FileRejected, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} cannot be read.", file.display())?;
    rejected.errors.iter().try_for_each(|it| tell_fault("error", it, out))?;
    rejected.warnings.iter().try_for_each(|it| tell_fault("warning", it, out))
}

fn tell_problems<'a>(
    title: &str,
    problems: impl Iterator<Item = (&'a str, &'a Problem)>,
    out: &mut impl Write,
) -> io::Result<()> {
    for (place, (code, problem)) in problems.enumerate() {
        if place == 0 {
            writeln!(out, "\n{title}")?;
        }
        let lines: Vec<String> = problem.first_lines.iter().map(u64::to_string).collect();
        let all = u64::try_from(lines.len()).is_ok_and(|told| told == problem.count);
        let (lines, more) = (lines.join(", "), if all { "" } else { ", ..." });
        writeln!(out, "  {code}: {}, on line {lines}{more}\n    for example: {}", problem.count, problem.example)?;
    }
    Ok(())
}

fn tell_bad_rows(tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    if !tally.bad_rows.is_empty() {
        writeln!(out, "\nRejected rows")?;
    }
    for (line, faults) in &tally.bad_rows {
        for fault in faults {
            let column = fault.column.as_deref().map(|it| format!(", {it}")).unwrap_or_default();
            let repair = fault.repair.as_ref().map(|it| format!(" Meant was probably {it}.")).unwrap_or_default();
            writeln!(out, "  line {line}{column}: {}{repair}", fault.detail)?;
        }
    }
    let untold = tally.rejected.saturating_sub(u64::try_from(tally.bad_rows.len()).unwrap_or(0));
    if untold == 0 { Ok(()) } else { writeln!(out, "  and {untold} more; --repaired OUT.csv writes all of them.") }
}

fn tell_fault(what: &str, fault: &Fault, out: &mut impl Write) -> io::Result<()> {
    let line = fault.line.map(|it| format!(" on line {it}")).unwrap_or_default();
    writeln!(out, "{what}{line}: {} ({})", fault.detail, fault.code)
}

fn tell_columns(columns: &[(String, Option<&'static str>)], out: &mut impl Write) -> io::Result<()> {
    let left: Vec<&str> =
        columns.iter().filter(|(_, name)| name.is_none()).map(|(header, _)| header.as_str()).collect();
    if left.is_empty() { Ok(()) } else { writeln!(out, "Columns that are not read: {}", left.join(", ")) }
}

fn delimiter(delimiter: char) -> &'static str {
    match delimiter {
        ',' => "comma",
        ';' => "semicolon",
        '\t' => "tab",
        '|' => "pipe",
        _ => "a delimiter of its own",
    }
}
