//! The one place that talks to sources: limits, retries, tokens, and answers that are not to be trusted.

use crate::carriers::CarrierApi;
use crate::carriers::answer::{Answer, Asked, Outcome};
use crate::carriers::error::{AskError, RestReason};
use crate::carriers::guard::{PublicOnly, checked};
use crate::carriers::pace::{Breaker, Pace};
use crate::carriers::sign_in::TokenShelf;
use crate::carriers::wire::{HttpReply, HttpRequest, Method, Secret};
use futures_util::future::join_all;
use reqwest::{Client, ClientBuilder, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

mod config;

pub use config::RunnerConfig;

/// What came of one request: the parcels it covered, and what the source says of each of them, in the same order.
#[derive(Debug)]
pub struct Reply {
    /// Whom it was about.
    pub covers: Vec<Asked>,
    /// The answer with one entry for each of `covers`, or why there is none. An error speaks of the source alone.
    pub answer: Result<Answer, AskError>,
}

/// Asks sources. One runner serves the whole program, since limits, tokens and circuits live in it.
pub struct Runner {
    config: RunnerConfig,
    public: Client,
    private: Client,
    accounts: Mutex<HashMap<(&'static str, String), Arc<Account>>>,
}

/// What we keep of one account at one source.
struct Account {
    pace: Mutex<Pace>,
    at_once: Semaphore,
    token: TokenShelf,
}

impl Account {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runner {
    /// Builds the clients. One resolves public names only; the other is for the sources that the operator trusts.
    ///
    /// # Errors
    ///
    /// [`AskError::Client`] where TLS cannot be set up.
    pub fn new(config: RunnerConfig) -> Result<Self, AskError> {
        let public = client(&config, |builder| builder.dns_resolver(Arc::new(PublicOnly::system())))?;
        let private = client(&config, |builder| builder)?;
        Ok(Self { config, public, private, accounts: Mutex::default() })
    }

    /// Asks about these parcels, in as many requests as it takes, several at the same time within the limits.
    ///
    /// There is one [`Reply`] a request; a failed one leaves the others as they are. A parcel that the adapter made no
    /// request for is in none of them.
    pub async fn ask(&self, api: &dyn CarrierApi, asked: &[Asked]) -> Vec<Reply> {
        let batches = asked.chunks(api.batch_size().max(1));
        let requests = batches.flat_map(|batch| api.requests(batch));
        join_all(requests.map(|request| self.ask_once(api, request))).await
    }

    async fn ask_once(&self, api: &dyn CarrierApi, request: HttpRequest) -> Reply {
        let account = self.account(api);
        let answer = self.answered(api, &account, &request).await;
        if let Err(error) = &answer {
            metrics::counter!("parceltrail_carrier_errors_total", "source" => api.name(), "kind" => error.code())
                .increment(1);
        }
        Reply { answer: answer.map(|it| it.matched_to(&request.covers)), covers: request.covers }
    }

    async fn answered(
        &self,
        api: &dyn CarrierApi,
        account: &Account,
        request: &HttpRequest,
    ) -> Result<Answer, AskError> {
        let Some(first) = self.token(api, account).await? else {
            return self.judged(api, account, request).await;
        };
        match self.judged(api, account, &request.clone().bearer(&first)).await {
            Err(AskError::Unauthorized) => account.token.open().await.forget(&first),
            other => return other,
        }
        let Some(second) = self.token(api, account).await? else { return Err(AskError::Unauthorized) };
        let answer = self.judged(api, account, &request.clone().bearer(&second)).await;
        if let Err(error @ AskError::Unauthorized) = &answer {
            account.pace().failed(error, Instant::now());
        }
        answer
    }

    /// Sends, reads, and notes how it went. With a token in play the caller judges refused credentials.
    async fn judged(&self, api: &dyn CarrierApi, account: &Account, request: &HttpRequest) -> Result<Answer, AskError> {
        let reply = self.sent(api, account, request).await?;
        let mut answer = api.parse(&reply);
        let retry_after = answer.retry_after.or_else(|| reply.retry_after()).unwrap_or(self.config.circuit_pause);
        let error = match answer.outcome {
            Outcome::AuthError => AskError::Unauthorized,
            Outcome::RateLimited => AskError::RateLimited { retry_after },
            Outcome::Error => {
                AskError::Unreadable(answer.detail.take().unwrap_or_else(|| format!("status {}", reply.status)))
            }
            Outcome::Tracked
            | Outcome::NotFound
            | Outcome::Rejected
            | Outcome::Partial
            | Outcome::Registered
            | Outcome::Stopped
            | Outcome::Ok => {
                account.pace().succeeded();
                return Ok(answer);
            }
        };
        if !matches!(error, AskError::Unauthorized) || api.sign_in().is_none() {
            account.pace().failed(&error, Instant::now());
        }
        Err(error)
    }

    async fn token(&self, api: &dyn CarrierApi, account: &Account) -> Result<Option<Secret>, AskError> {
        let Some(request) = api.sign_in() else { return Ok(None) };
        let mut kept = account.token.open().await;
        if let Some(secret) = kept.good(Instant::now()) {
            return Ok(Some(secret));
        }
        let reply = self.sent(api, account, &request).await?;
        if let Some(token) = api.token(&reply) {
            // A circuit that lets one request through must not spend it on the sign-in alone.
            account.pace().succeeded();
            return Ok(Some(kept.keep(token, Instant::now())));
        }
        let error = match reply.status {
            429 => AskError::RateLimited { retry_after: reply.retry_after().unwrap_or(self.config.circuit_pause) },
            _ => AskError::Unauthorized,
        };
        account.pace().failed(&error, Instant::now());
        Err(error)
    }

    /// Sends until a reply comes that an adapter can judge; what failed on the way is noted with the account.
    async fn sent(
        &self,
        api: &dyn CarrierApi,
        account: &Account,
        request: &HttpRequest,
    ) -> Result<HttpReply, AskError> {
        let mut longest_pause = self.config.retry_pause;
        for attempts_left in (0..self.config.attempts.max(1)).rev() {
            let error = match self.attempt(api, account, request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            account.pace().failed(&error, Instant::now());
            if attempts_left == 0 || !error.is_passing() {
                return Err(error);
            }
            tokio::time::sleep(drawn_up_to(longest_pause)).await;
            longest_pause *= 2;
        }
        Err(AskError::TimedOut)
    }

    async fn attempt(
        &self,
        api: &dyn CarrierApi,
        account: &Account,
        request: &HttpRequest,
    ) -> Result<HttpReply, AskError> {
        let private_allowed = self.config.private_sources.contains(api.name());
        let url = checked(&request.url, private_allowed).map_err(AskError::Forbidden)?;
        let client = if private_allowed { &self.private } else { &self.public };
        let _permit = self.turn(account).await?;
        let wait = account.pace().take_place(Instant::now(), self.config.patience)?;
        tokio::time::sleep(wait).await;
        let mut outgoing = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
        };
        for (name, value) in &request.headers {
            outgoing = outgoing.header(*name, value);
        }
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        self.read(outgoing.send().await.map_err(AskError::from_client)?).await
    }

    /// Waits until few enough requests are in flight. The circuit is looked at only then, so that a source which has
    /// just failed is spared all requests that were waiting.
    async fn turn<'a>(&self, account: &'a Account) -> Result<Option<SemaphorePermit<'a>>, AskError> {
        let patience = self.config.patience;
        match tokio::time::timeout(patience, account.at_once.acquire()).await {
            // The semaphore is never closed, so there is always a permit to be had.
            Ok(permit) => Ok(permit.ok()),
            Err(_elapsed) => Err(AskError::Resting { wait: patience, because: RestReason::OwnLimit }),
        }
    }

    /// Reads a reply as far as we dare; redirects and the source's own failures are no replies.
    async fn read(&self, mut incoming: Response) -> Result<HttpReply, AskError> {
        let limit = self.config.body_limit;
        let status = incoming.status().as_u16();
        let headers = incoming.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let mut reply =
            HttpReply { status, headers: headers.collect(), body: Vec::new(), heard_at: (self.config.clock)() };
        match status {
            300..=399 => return Err(AskError::Redirected { status }),
            500..=599 => return Err(AskError::Failed { status, retry_after: reply.retry_after() }),
            _ => {}
        }
        while let Some(piece) = incoming.chunk().await.map_err(AskError::from_client)? {
            if reply.body.len().saturating_add(piece.len()) > limit {
                return Err(AskError::TooLong { limit });
            }
            reply.body.extend_from_slice(&piece);
        }
        Ok(reply)
    }

    fn account(&self, api: &dyn CarrierApi) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry((api.name(), api.account().to_owned())).or_insert_with(|| {
            let limits = self.config.limits.get(api.name()).copied().unwrap_or_else(|| api.limits());
            let breaker = Breaker { failures: self.config.circuit_failures, pause: self.config.circuit_pause };
            Arc::new(Account {
                pace: Mutex::new(Pace::new(limits, breaker)),
                at_once: Semaphore::new(limits.at_once.max(1)),
                token: TokenShelf::default(),
            })
        });
        Arc::clone(account)
    }
}

/// A client that follows nothing and asks no environment. A machine without any certificates gets one that can speak
/// plain HTTP only, so that the simulator works there too.
fn client(config: &RunnerConfig, finish: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, AskError> {
    let builder = || {
        let builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(config.connect_timeout)
            .timeout(config.total_timeout)
            .user_agent(concat!("parceltrail/", env!("CARGO_PKG_VERSION")));
        finish(builder)
    };
    builder().build().or_else(|error| {
        let cause: &dyn std::error::Error = &error;
        tracing::warn!(cause, "no certificates found: https sources will fail");
        builder().tls_certs_only([]).build().map_err(AskError::Client)
    })
}

/// Between nothing and `longest`, at random; without randomness, all of it.
fn drawn_up_to(longest: Duration) -> Duration {
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX - 1);
    getrandom::u64().map_or(longest, |drawn| Duration::from_nanos(drawn % (nanos + 1)))
}

#[cfg(test)]
mod tests;
