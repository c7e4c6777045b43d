//! The command line: one file a command. A command wires, asks flows, and words the outcome.

mod backup;
mod check;
mod check_invariants;
mod check_number;
mod demo;
mod healthcheck;
mod key;
mod openapi;
mod restore;
mod seller;
mod serve;
mod simulate;
mod upload;
mod user;

use crate::app::{App, Clock, StartError, system_now};
use crate::config::{Config, ConfigError};
use crate::domain::tracking_number;
use crate::telemetry;
use clap::{Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// What a command did not do, in an exit code: the command itself failed.
const FAILED: u8 = 2;

/// Orders and tracking numbers in, one honest status out, delays found and explained
#[derive(Debug, Parser)]
#[command(name = "parceltrail", version)]
struct CommandLine {
    /// The configuration file; `parceltrail.toml` in this folder, if there is one, where left out
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run API, pages and jobs in one process
    Serve(serve::ServeArgs),
    /// See the main job done on sample rows, on a database of its own
    Demo(demo::DemoArgs),
    /// Bring the database to this version's schema
    Migrate,
    /// Sellers
    #[command(subcommand)]
    Seller(seller::SellerCommand),
    /// Admins
    #[command(subcommand)]
    Admin(seller::AdminCommand),
    /// API keys of a seller
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// People who sign in to a seller's pages
    #[command(subcommand)]
    User(user::UserCommand),
    Check(Box<check::CheckArgs>),
    /// Prove tracking numbers, given here or one a line on the standard input
    CheckNumber(check_number::CheckNumberArgs),
    /// Upload a file to a server, wait for it, and save the rows to be repaired
    Upload(upload::UploadArgs),
    Simulate(simulate::SimulateArgs),
    /// Print the specification of the API, or compare it with a file
    Openapi(openapi::OpenapiArgs),
    /// Check the whole database; exit code 1 where something does not hold
    CheckInvariants,
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    /// Ask the server of this configuration, on this machine, whether it lives; exit code 1 where it does not
    Healthcheck,
}

/// Runs the command line of this process; the answer is its exit code.
pub fn run() -> u8 {
    let line = CommandLine::parse();
    if let Err(fault) = tracking_number::audit() {
        complain(&format!("this build is broken: {}", telemetry::chain(fault)));
        return FAILED;
    }
    match &line.command {
        Command::Check(arguments) => check::run(arguments, jiff::tz::TimeZone::UTC.to_datetime(system_now()).date()),
        Command::CheckNumber(arguments) => told(check_number::run(arguments)),
        Command::Simulate(arguments) => simulate::run(arguments.clone(), system_now),
        Command::Openapi(arguments) => told(openapi::run(arguments)),
        Command::Upload(arguments) => told(upload::run(arguments)),
        Command::Serve(_)
        | Command::Demo(_)
        | Command::Migrate
        | Command::Seller(_)
        | Command::Admin(_)
        | Command::Key(_)
        | Command::User(_)
        | Command::CheckInvariants
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Healthcheck => match Config::read(line.config.as_deref()) {
            Ok(config) => with_config(line.command, config),
            Err(error) => told::<ConfigError>(Err(error)),
        },
    }
}

fn with_config(command: Command, config: Config) -> u8 {
    // The demo tells its own story; the server's log would only talk over it.
    let log = if matches!(command, Command::Demo(_)) { "warn" } else { &config.log };
    telemetry::set_up(log, config.log_json);
    match command {
        Command::Serve(arguments) => told(serve::run(&arguments, config)),
        Command::Demo(arguments) => told(demo::run(&arguments, config)),
        Command::Migrate => told(open(config).map(|_migrated| 0)),
        Command::Seller(command) => told(seller::run_seller(command, config)),
        Command::Admin(command) => told(seller::run_admin(&command, config)),
        Command::Key(command) => told(key::run(command, config)),
        Command::User(command) => told(user::run(command, config)),
        Command::CheckInvariants => told(check_invariants::run(config)),
        Command::Backup(arguments) => told(backup::run(&arguments, &config)),
        Command::Restore(arguments) => told(restore::run(&arguments, &config)),
        Command::Healthcheck => told(healthcheck::run(&config)),
        Command::Check(_)
        | Command::CheckNumber(_)
        | Command::Simulate(_)
        | Command::Openapi(_)
        | Command::Upload(_) => FAILED,
    }
}

fn open(config: Config) -> Result<Arc<App>, StartError> {
    App::open(config, Clock::System).map(Arc::new)
}

/// The exit code; a failure is told with all of its causes.
fn told<E: std::error::Error + 'static>(outcome: Result<u8, E>) -> u8 {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            complain(&telemetry::chain(&error));
            FAILED
        }
    }
}

/// Writes a line to the standard error stream. Where not even that takes a line, the exit code has to do.
fn complain(line: &impl Display) {
    drop(writeln!(io::stderr().lock(), "parceltrail: {line}"));
}

/// Writes a line to the standard output stream.
fn say(line: &impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}
