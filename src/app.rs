//! Wires store, secrets, carriers and clock together: [`App`].

mod secret_key;
pub mod slow_reads;

use crate::carriers::{AskError, CarrierApi, Runner, RunnerConfig, Secret, Simulated};
use crate::config::Config;
use crate::domain::ids::SellerId;
use crate::flows::take_in::put::Sender;
use crate::flows::take_in::work::Workplace;
use crate::limits::Limits;
use crate::limits::turns::Turns;
use crate::secrets::{SecretError, Secrets};
use crate::store::{OpenError, OpenLock, Store};
use jiff::{SignedDuration, Timestamp};
use slow_reads::SlowReads;
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Notify, Semaphore, watch};

/// So many passwords are hashed at once.
const HASHING: usize = 2;

/// Requests with a key that are worked on at once: in all, and of one seller. Each may hold a thread.
const REQUESTS_IN_ALL: usize = 256;
const REQUESTS_OF_A_SELLER: usize = 16;

/// Everything that doors and jobs share.
pub struct App {
    pub config: Config,
    pub store: Arc<Store>,
    pub secrets: Secrets,
    pub runner: Runner,
    /// Who is asked about numbers. Empty: nobody is, and events come by upload alone.
    pub sources: Vec<Box<dyn CarrierApi>>,
    /// Rung when an import has come in, so that it does not wait for the next round.
    pub import_bell: Notify,
    pub limits: Limits,
    pub slow_reads: SlowReads,
    /// Requests at work, of each seller only so many: the others of a crowd wait without a thread or a connection.
    pub requests: Turns,
    /// Hashing a password takes a core and 19 MiB for a while: so many at once and no more.
    hashing: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    clock: Clock,
}

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(
        "PARCELTRAIL_SECRET_KEY is not set. With PostgreSQL it must be: make one with `openssl rand -base64 32`, keep a \
         copy, and give every instance the same."
    )]
    NoSecretKey,
    #[error("the key file {} cannot be used: {source}", .path.display())]
    KeyFile { path: PathBuf, source: io::Error },
    #[error("the database file {} cannot be read: {source}", .path.display())]
    DatabaseFile { path: PathBuf, source: io::Error },
    #[error(
        "the key file {} is missing. Restore it from where you keep it, or set PARCELTRAIL_SECRET_KEY to the key.",
        .0.display()
    )]
    NoKeyFile(PathBuf),
    #[error(
        "the key file {} is missing, and the database {} cannot be read without it. Restore the key file, or set \
         PARCELTRAIL_SECRET_KEY to the key. No new key was made.",
        .key_file.display(), .database.display()
    )]
    NoKeyForDatabase { database: PathBuf, key_file: PathBuf },
    #[error(
        "the database file {} is missing, but its key file {} is there. Put the database back, or run `parceltrail \
         restore`; to begin with an empty database under the same key, set PARCELTRAIL_NEW_DATABASE=true, or start \
         `parceltrail serve --new-database`.",
        .database.display(), .key_file.display()
    )]
    NoDatabaseForKey { database: PathBuf, key_file: PathBuf },
    #[error("the client for carriers cannot be made")]
    Runner(#[from] AskError),
    #[error("the system has no threads left for slow reads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// What time it is.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    /// Starts in the past and runs fast until it has caught up with the system's clock: for demonstrations.
    CatchingUp {
        began: Instant,
        from: Timestamp,
        speed: i32,
    },
}

impl Clock {
    /// To the microsecond, since the databases keep no more.
    pub fn now(&self) -> Timestamp {
        let system = system_now();
        match self {
            Self::System => system,
            Self::CatchingUp { began, from, speed } => {
                let passed = SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::ZERO);
                let fast = passed.checked_mul(*speed).and_then(|fast| from.checked_add(fast).ok());
                to_the_microsecond(fast.unwrap_or(system).min(system))
            }
        }
    }
}

/// The one place that reads the clock.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn system_now() -> Timestamp {
    to_the_microsecond(Timestamp::now())
}

fn to_the_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

impl App {
    /// Opens everything that the configuration names.
    ///
    /// # Errors
    ///
    /// [`StartError`], whose sentence says what to do.
    pub fn open(config: Config, clock: Clock) -> Result<Self, StartError> {
        let lock = OpenLock::take(&config.database_url)?;
        let secrets = Secrets::from_text(&secret_key::for_start(&config)?)?;
        let store = Store::open_locked(&config.database_url, lock, secrets.clone(), config.allow_no_row_security)?;
        let mut runner = RunnerConfig::new(Arc::new(move || clock.now()));
        runner.private_sources = HashSet::from([Simulated::NAME.to_owned()]);
        let token = config.simulator_token.clone().map(Secret);
        let simulator = config.simulator_url.as_deref().map(|url| Simulated::new(url, token));
        let limits = Limits::new(config.rate_limit_per_minute, config.address_rate_limit_per_minute);
        let sources = simulator.into_iter().map(|it| -> Box<dyn CarrierApi> { Box::new(it) }).collect();
        Ok(Self {
            config,
            store: Arc::new(store),
            secrets,
            runner: Runner::new(runner)?,
            sources,
            import_bell: Notify::new(),
            limits,
            slow_reads: SlowReads::new()?,
            requests: Turns::new(REQUESTS_IN_ALL, REQUESTS_OF_A_SELLER),
            hashing: Arc::new(Semaphore::new(HASHING)),
            stopping: watch::Sender::new(false),
            clock,
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Wakes the workers of imports, also the one that is just about to wait.
    pub fn ring_for_import(&self) {
        self.import_bell.notify_waiters();
        self.import_bell.notify_one();
    }

    /// Asks everything that works in the background to come to an end.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
        self.ring_for_import();
    }

    /// Closes an embedded database, when nothing works on it any more, so that a copy of its file alone is whole.
    pub fn close(&self) {
        match self.store.close() {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                "the database file alone is not whole, because another process still reads its log: copy it with \
                 `parceltrail backup`, or together with its -wal file"
            ),
            Err(error) => tracing::warn!(
                %error,
                "the database could not be closed: its -wal file belongs to it; the next start writes it into the file"
            ),
        }
    }

    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Comes to its end once the application is asked to stop.
    pub async fn stopped(&self) {
        // The sender lives as long as the application, so there is always somebody to wait for.
        drop(self.stopping.subscribe().wait_for(|stopping| *stopping).await);
    }

    /// Where the workers of imports stand.
    pub fn workplace<T>(&self, work: impl FnOnce(&Workplace<'_>) -> T) -> T {
        let (clock, stopping) = (|| self.now(), || self.is_stopping());
        work(&Workplace { store: &self.store, secrets: &self.secrets, clock: &clock, stopping: &stopping })
    }

    /// Who gives out access tokens.
    pub fn issuer(&self) -> String {
        self.config.public_url.clone().unwrap_or_else(|| "parceltrail".to_owned())
    }

    /// Who sends into the shop of this name, now; `main` where it is absent.
    pub fn sender<'a>(&'a self, seller: SellerId, shop: Option<&'a str>) -> Sender<'a> {
        Sender { store: &self.store, secrets: &self.secrets, seller, shop, create_only: false, now: self.now() }
    }

    /// The link by which an invitation is taken.
    pub fn invitation_url(&self, token: &str) -> String {
        format!("{}/invitations/{token}", self.public_url().trim_end_matches('/'))
    }

    /// The address that status links start with.
    pub fn public_url(&self) -> String {
        self.config.public_url.clone().unwrap_or_else(|| format!("http://{}", self.config.bind))
    }
}

/// Runs a short read: on this thread where the database is embedded, else where waiting holds up nobody.
pub async fn read<T: Send + 'static>(app: &Arc<App>, read: impl FnOnce(&App) -> T + Send + 'static) -> Option<T> {
    if app.store.reads_inline() { Some(read(app)) } else { in_background(app, read).await }
}

/// Runs what may take long, or writes, on a thread of its own; `None` where it panicked.
pub async fn in_background<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> T + Send + 'static,
) -> Option<T> {
    let (app, span) = (Arc::clone(app), tracing::Span::current());
    let done = tokio::task::spawn_blocking(move || span.in_scope(|| work(&app))).await;
    done.inspect_err(|error| tracing::error!(%error, "work in the background broke off")).ok()
}

/// Runs work that hashes passwords: it waits for its turn, and then has a thread of its own.
pub async fn hashing<T: Send + 'static>(app: &Arc<App>, work: impl FnOnce(&App) -> T + Send + 'static) -> Option<T> {
    let turn = Arc::clone(&app.hashing).acquire_owned().await.ok()?;
    // The turn goes along: a browser that hangs up does not make room while its password is still being hashed.
    in_background(app, move |app| {
        let done = work(app);
        drop(turn);
        done
    })
    .await
}

/// The key of a database that was there before, such as a backup; no key is made.
///
/// # Errors
///
/// [`StartError::NoKeyFile`] or [`StartError::NoSecretKey`] where there is none, [`StartError::Secret`] where it is none.
pub fn existing_secrets(config: &Config) -> Result<Secrets, StartError> {
    Ok(Secrets::from_text(&secret_key::existing(config)?)?)
}
