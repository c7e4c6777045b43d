//! Why a source could not be asked: facts about the source, never about a parcel.

use crate::carriers::guard::Forbidden;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The address is one that we never call.
    #[error("the source's address is not allowed")]
    Forbidden(#[source] Forbidden),
    /// The request cannot be built: a malformed header, say.
    #[error("the request to the source cannot be built")]
    Unsendable(#[source] reqwest::Error),
    /// We leave the source alone for a while.
    #[error("the source is left alone for another {} s: {because}", wait.as_secs().max(1))]
    Resting {
        /// For how long.
        wait: Duration,
        /// Why.
        because: RestReason,
    },
    /// It says that we ask too often.
    #[error("the source says that we ask too often, and to come back in {} s", retry_after.as_secs())]
    RateLimited {
        /// When to come back.
        retry_after: Duration,
    },
    /// It does not accept our credentials, a fresh token included.
    #[error("the source does not accept our credentials")]
    Unauthorized,
    /// No connection, or it broke before an answer came.
    #[error("the source cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Connecting or answering took too long.
    #[error("the source did not answer in time")]
    TimedOut,
    /// It answered with a failure of its own.
    #[error("the source failed with status {status}")]
    Failed {
        /// The status, 500 to 599.
        status: u16,
        /// When to come back, where it says so.
        retry_after: Option<Duration>,
    },
    /// It sent us elsewhere; we never follow.
    #[error("the source redirects with status {status}, and redirects are not followed")]
    Redirected {
        /// The status, 300 to 399.
        status: u16,
    },
    /// The body is longer than we read.
    #[error("the source's answer is longer than {limit} bytes")]
    TooLong {
        /// Where we stopped.
        limit: usize,
    },
    /// The body ended before its end.
    #[error("the source's answer broke off")]
    BrokeOff(#[source] reqwest::Error),
    /// The answer came whole and makes no sense.
    #[error("the source's answer cannot be read: {0}")]
    Unreadable(String),
    /// The client cannot be built at all.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// Why a source is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestReason {
    /// It failed several times in a row.
    Failures,
    /// It told us to wait.
    ToldToWait,
    /// It does not accept our credentials.
    Credentials,
    /// Our own limit for it is used up.
    OwnLimit,
}

impl std::fmt::Display for RestReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Failures => "it failed several times in a row",
            Self::ToldToWait => "it told us to wait",
            Self::Credentials => "it does not accept our credentials",
            Self::OwnLimit => "our own limit for it is used up",
        })
    }
}

impl AskError {
    /// The kind of error in one word, for meters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Unsendable(_) => "unsendable",
            Self::Resting { .. } => "resting",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Failed { .. } => "failed",
            Self::Redirected { .. } => "redirected",
            Self::TooLong { .. } => "too_long",
            Self::BrokeOff(_) => "broke_off",
            Self::Unreadable(_) => "unreadable",
            Self::Client(_) => "client",
        }
    }

    /// When it is worth asking again, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Resting { wait, .. } => Some(*wait),
            Self::RateLimited { retry_after } => Some(*retry_after),
            Self::Failed { retry_after, .. } => *retry_after,
            Self::Forbidden(_)
            | Self::Unsendable(_)
            | Self::Unauthorized
            | Self::Unreachable(_)
            | Self::TimedOut
            | Self::Redirected { .. }
            | Self::TooLong { .. }
            | Self::BrokeOff(_)
            | Self::Unreadable(_)
            | Self::Client(_) => None,
        }
    }

    /// Whether the next attempt may go better at once.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::BrokeOff(_) | Self::Failed { retry_after: None, .. })
    }

    /// Sorts what the client says; secrets in the address are cut off.
    pub(crate) fn from_client(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(forbidden) = Forbidden::within(&error) {
            Self::Forbidden(forbidden)
        } else if error.is_timeout() {
            Self::TimedOut
        } else if error.is_builder() {
            Self::Unsendable(error)
        } else if error.is_body() || error.is_decode() {
            Self::BrokeOff(error)
        } else {
            Self::Unreachable(error)
        }
    }
}
