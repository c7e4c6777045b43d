//! `simulate`: the carrier simulator as a server of its own.

use crate::simulator::{SimulatorConfig, serve};
use jiff::{SignedDuration, Timestamp};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// Runs a carrier that is not there: it tells scripted journeys over HTTP, for trying things out.
#[derive(Debug, Clone, clap::Args)]
pub struct SimulateArgs {
    /// Where to listen; port 0 takes any free port.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub bind: SocketAddr,
    /// How many simulated seconds pass in one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1_000_000))]
    pub speed: i32,
    /// The bearer token that callers must send; without it anyone may call.
    #[arg(long)]
    pub token: Option<String>,
}

/// Serves until it is interrupted. The exit code is 0, or 2 where it cannot listen.
pub fn run(args: SimulateArgs, now: fn() -> Timestamp) -> u8 {
    match simulate(args, now) {
        Ok(()) => 0,
        Err(error) => {
            // Where not even stderr takes a line, the exit code has to do.
            let _ = writeln!(io::stderr(), "The simulator cannot run: {error}");
            2
        }
    }
}

fn simulate(args: SimulateArgs, now: fn() -> Timestamp) -> io::Result<()> {
    let listener = TcpListener::bind(args.bind)?;
    let base = format!("http://{}", listener.local_addr()?);
    greet(&mut io::stdout().lock(), &base, &args)?;
    let (started_at, speed) = (now(), args.speed);
    let clock = Arc::new(move || sped_up(started_at, now(), speed));
    let config = SimulatorConfig { token: args.token, handle_signals: true, ..SimulatorConfig::default() };
    actix_web::rt::System::new().block_on(async { serve(listener, clock, config)?.await })
}

fn greet(out: &mut impl Write, base: &str, args: &SimulateArgs) -> io::Result<()> {
    let header = if args.token.is_some() { " -H 'Authorization: Bearer <token>'" } else { "" };
    writeln!(out, "The carrier simulator listens on {base}; {} simulated seconds pass in one.", args.speed)?;
    writeln!(out, "Any number of 5 to 50 letters and digits is handed over when it is first asked for;")?;
    writeln!(out, "numbers that begin with NF are never found.\n")?;
    writeln!(out, "  curl{header} '{base}/v1/parcels?numbers=PT0001,NF0001'")?;
    out.flush()
}

/// `speed` seconds after the start for each one that has passed; it stands still where time ends.
fn sped_up(started_at: Timestamp, now: Timestamp, speed: i32) -> Timestamp {
    let passed = now.duration_since(started_at).checked_mul(speed).unwrap_or(SignedDuration::MAX);
    started_at.checked_add(passed).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_as_fast_as_it_is_told() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let start = at("2026-09-17T10:00:00Z");
        for (now, speed, expected) in [
            ("2026-09-17T10:00:01Z", 1, at("2026-09-17T10:00:01Z")),
            ("2026-09-17T10:00:01Z", 3600, at("2026-09-17T11:00:00Z")),
            ("2026-09-17T10:00:00Z", 1_000_000, start),
            ("9000-01-01T00:00:00Z", 1_000_000, Timestamp::MAX),
        ] {
            assert_eq!(sped_up(start, at(now), speed), expected, "{now} x {speed}");
        }
    }

    #[test]
    fn the_greeting_shows_a_call_that_works_and_no_token() {
        let args = SimulateArgs { bind: "127.0.0.1:0".parse().unwrap(), speed: 60, token: Some("hunter2".to_owned()) };
        let mut out = Vec::new();
        greet(&mut out, "http://127.0.0.1:8090", &args).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("curl -H 'Authorization: Bearer <token>' 'http://127.0.0.1:8090/v1/parcels?"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
