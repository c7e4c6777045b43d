//! What we ask of carriers and aggregators, and what they answer: adapters are pure, the runner alone owns sockets.
//!
//! To add a carrier: write `<name>.rs` that implements [`CarrierApi`], a code table `data/<name>.csv`, and a table of
//! recorded answers as its tests. An adapter names its limits and how it signs in; it never waits, retries or counts.

mod answer;
mod codes;
mod error;
mod guard;
mod json;
mod pace;
mod runner;
mod sign_in;
mod simulated;
mod wire;

pub use answer::{Answer, Asked};
pub use error::AskError;
pub use pace::Limits;
pub use runner::{Reply, Runner, RunnerConfig};
pub use simulated::Simulated;
pub use wire::{HttpReply, HttpRequest, Secret, Token};

/// What we ask of a source. It sees no socket and no clock, so every recorded answer is a test.
pub trait CarrierApi: Send + Sync {
    /// The source's name, as in configuration and logs.
    fn name(&self) -> &'static str;

    /// Which of our accounts at the source this speaks for, without any secret. Limits, tokens and the circuit breaker
    /// are kept for each account, so one seller's empty budget does not stop another.
    fn account(&self) -> &str;

    /// How many numbers go into one request at most.
    fn batch_size(&self) -> usize;

    /// How often the source may be asked.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// The call that fetches a token, where the source wants one. The runner keeps the token until shortly before its
    /// end and adds it as a bearer to every request.
    fn sign_in(&self) -> Option<HttpRequest> {
        None
    }

    /// Reads the answer to [`CarrierApi::sign_in`]; `None` where it holds no token.
    fn token(&self, _reply: &HttpReply) -> Option<Token> {
        None
    }

    /// The requests that ask for these numbers, at most [`CarrierApi::batch_size`] of them; each says whom it covers.
    fn requests(&self, asked: &[Asked]) -> Vec<HttpRequest>;

    /// Reads one answer. It never fails as a whole: what it cannot read is told in the answer.
    fn parse(&self, reply: &HttpReply) -> Answer;
}
