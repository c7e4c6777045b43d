//! `check`: the dry run of an import, without server or database.

mod as_json;
mod for_people;
mod tally;
#[cfg(test)]
mod tests;

use self::tally::Tally;
use crate::domain::tracking_number::Known;
use crate::sheets::{
    self, DateOrder, Encoding, Fault, Kind, Limits, Neighbour, Neighbours, Options, Record, RepairedWriter, SheetError,
    Survey,
};
use indicatif::ProgressBar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

/// Every row can be taken.
const GOOD: u8 = 0;
/// Some rows were rejected.
const SOME_REJECTED: u8 = 1;
/// No row of the file can be read.
const FILE_REJECTED: u8 = 2;

/// Look over a CSV file or a workbook as an import would, without sending it anywhere
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The CSV file, also packed with gzip, or the workbook (.xlsx)
    file: PathBuf,
    /// What the rows are: orders, tracking, combined, events or legs; told by the header if left out
    #[arg(long, value_parser = |text: &str| text.parse::<Kind>())]
    kind: Option<Kind>,
    /// Print one JSON object a line: the file, its rows, a summary
    #[arg(long)]
    json: bool,
    /// Write the rejected rows here, in their own columns, with what is wrong and what was mended
    #[arg(long, value_name = "OUT.csv")]
    repaired: Option<PathBuf>,
    /// The seller's time zone, such as `America/New_York`
    #[arg(long, value_name = "TZ", default_value = "UTC", value_parser = time_zone)]
    time_zone: TimeZone,
    /// How dates such as 03/04/2026 are meant where the file does not tell: dmy, mdy or ymd
    #[arg(long, value_parser = |text: &str| text.parse::<DateOrder>())]
    date_order: Option<DateOrder>,
    /// The form of the file, such as `shopify/orders`; `canonical` is our own
    #[arg(long)]
    preset: Option<String>,
    /// In which encoding the file is, such as windows-1252 or gbk; told by its bytes where absent
    #[arg(long, value_parser = |text: &str| text.parse::<Encoding>())]
    encoding: Option<Encoding>,
    /// A header of the file and the column that it is read as; may be given several times
    #[arg(long = "map", value_name = "HEADER=COLUMN", value_parser = mapped)]
    mapping: Vec<(String, String)>,
    /// The day to take for today, such as 2026-12-31
    #[arg(long)]
    today: Option<Date>,
    /// Take doubtful tracking numbers for errors
    #[arg(long)]
    strict: bool,
    /// A file of the order numbers that exist, one a line; `none` if there are none; `any` to leave that unasked
    #[arg(long, value_name = "FILE|none|any", default_value = "any")]
    known_orders: String,
}

fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).ok().ok_or_else(|| format!("`{name}` is no time zone; write one like America/New_York"))
}

fn mapped(text: &str) -> Result<(String, String), String> {
    let parts = text.rsplit_once('=').filter(|(header, column)| !header.is_empty() && !column.is_empty());
    let (header, column) = parts.ok_or_else(|| format!("`{text}` is no HEADER=COLUMN, such as Beleg=order_number"))?;
    Ok((header.to_owned(), column.to_owned()))
}

/// Runs the command; the answer is the exit code: 0 all rows good, 1 some rejected, 2 the file rejected or not to be had.
pub fn run(args: &CheckArgs, today: Date) -> u8 {
    let stdout = io::stdout();
    let mut out = BufWriter::new(stdout.lock());
    match check(args, today, &mut out).and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => code,
        // Whoever reads our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => SOME_REJECTED,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}: {error}", args.file.display());
            FILE_REJECTED
        }
    }
}

fn check(args: &CheckArgs, today: Date, out: &mut impl Write) -> io::Result<u8> {
    let options = Options {
        kind: args.kind,
        time_zone: args.time_zone.clone(),
        date_order: args.date_order,
        preset: args.preset.clone(),
        encoding: args.encoding,
        mapping: args.mapping.iter().cloned().collect(),
        strict: args.strict,
        today: args.today.unwrap_or(today),
        known: Known::default(),
        limits: Limits::default(),
    };
    let known = KnownOrders::read(&args.known_orders)?;
    let survey = match sheets::survey(File::open(&args.file)?, &options) {
        Ok(survey) => survey,
        Err(SheetError::Rejected(rejected)) => {
            if args.json {
                writeln!(out, "{}", json!({ "file": as_json::of_rejected(&rejected, args.kind) }))?;
                writeln!(out, "{}", json!({ "summary": Tally::default().summary() }))?;
            } else {
                for_people::tell_rejected(&args.file, &rejected, out)?;
            }
            return Ok(FILE_REJECTED);
        }
        Err(SheetError::Io(error)) => return Err(error),
    };
    if args.json {
        writeln!(out, "{}", json!({ "file": as_json::of_survey(&survey) }))?;
    }
    let mut run = Run {
        args,
        survey: &survey,
        known,
        neighbours: Neighbours::new(args.strict, survey.rows_total),
        tally: Tally::default(),
    };
    run.rows(&options, out)?;
    if args.json {
        writeln!(out, "{}", json!({ "summary": run.tally.summary() }))?;
    } else {
        for_people::tell(&args.file, &survey, &run.tally, out)?;
    }
    Ok(if run.tally.rejected == 0 { GOOD } else { SOME_REJECTED })
}

/// Which orders the dry run takes for existing.
enum KnownOrders {
    Any,
    These(HashSet<String>),
}

impl KnownOrders {
    fn read(word: &str) -> io::Result<Self> {
        Ok(match word {
            "any" => Self::Any,
            "none" => Self::These(HashSet::new()),
            file => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| io::Error::new(error.kind(), format!("the known orders in {file}: {error}")))?;
                let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|it| !it.is_empty());
                Self::These(lines.map(str::to_owned).collect())
            }
        })
    }

    fn holds(&self, order_number: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(orders) => orders.contains(order_number),
        }
    }
}

struct Run<'a> {
    args: &'a CheckArgs,
    survey: &'a Survey,
    known: KnownOrders,
    neighbours: Neighbours,
    tally: Tally,
}

impl Run<'_> {
    fn rows(&mut self, options: &Options, out: &mut impl Write) -> io::Result<()> {
        let repaired = self.args.repaired.as_ref().map(File::create).transpose()?;
        let mut repaired = repaired.map(|file| RepairedWriter::new(BufWriter::new(file), self.survey)).transpose()?;
        let bar = progress_bar(self.survey.rows_total);
        let records = sheets::records(File::open(&self.args.file)?, self.survey, options).map_err(as_io)?;
        for record in records {
            let mut record = record.map_err(as_io)?;
            let outcome = self.judge(&mut record);
            self.tally.add(&record, outcome);
            if self.args.json {
                writeln!(out, "{}", as_json::of_record(&record, outcome))?;
            }
            if let (Some(repaired), "rejected") = (&mut repaired, outcome) {
                repaired.write(&record)?;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        repaired.map_or(Ok(()), RepairedWriter::finish)
    }

    fn judge(&mut self, record: &mut Record) -> &'static str {
        if matches!(self.survey.kind, Kind::Tracking | Kind::Legs) {
            let order = record.row.as_ref().and_then(|it| it.order_number()).map(str::to_owned);
            if let Some(order) = order.filter(|it| !self.known.holds(it)) {
                let detail = format!(
                    "There is no order {order}. Import the order first, or look whether its number is written alike."
                );
                record.errors.push(Fault::of_cell("order_number", "order_not_found", detail));
                record.row = None;
            }
        }
        let neighbour = self.neighbours.look(record);
        match neighbour {
            Neighbour::Fresh if !record.errors.is_empty() => "rejected",
            Neighbour::Fresh => "created",
            Neighbour::Repeat => "unchanged",
        }
    }
}

fn as_io(error: SheetError) -> io::Error {
    match error {
        SheetError::Io(error) => error,
        SheetError::Rejected(_) => io::Error::other("the file changed while it was read; check it again"),
    }
}

/// Shown on a terminal only.
fn progress_bar(rows: u64) -> ProgressBar {
    if io::stderr().is_terminal() { ProgressBar::new(rows) } else { ProgressBar::hidden() }
}
