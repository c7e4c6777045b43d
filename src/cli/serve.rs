//! `serve`: API, pages and jobs in one process, until it is told to stop.

mod drain;

pub use drain::Connections;

use crate::app::{App, Clock, StartError, in_background, system_now};
use crate::config::Config;
use crate::telemetry::meters::Meters;
use crate::{flows, http, jobs};
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App as Application, HttpServer};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Run API, pages and jobs in one process
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Answer requests only; another process does the jobs
    #[arg(long, conflicts_with = "jobs_only")]
    no_jobs: bool,
    /// Do the jobs only; other processes answer requests
    #[arg(long)]
    jobs_only: bool,
    /// Make a new database where its key file exists and the database file does not
    #[arg(long)]
    new_database: bool,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the address {0} cannot be listened on; set PARCELTRAIL_BIND to a free one")]
    Bind(String, #[source] io::Error),
    #[error("the server stopped")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] flows::StoreError),
}

/// Work under way has this long to come to its end.
const DRAIN_SECONDS: u64 = 25;
/// Of these, requests on connections that are still open when all idle ones are closed.
const END_SECONDS: u64 = 19;
/// Longer than proxies keep theirs, so that it is they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const FOLD_EVERY: Duration = Duration::from_secs(5);

pub fn run(arguments: &ServeArgs, mut config: Config) -> Result<u8, ServeError> {
    let listener = if arguments.jobs_only { None } else { Some(listen(&mut config)?) };
    let metrics = listen_for_meters(&config.metrics_bind);
    config.new_database |= arguments.new_database;
    let app = Arc::new(App::open(config, Clock::System)?);
    if !arguments.no_jobs {
        app.store.take_over()?;
    }
    if !arguments.no_jobs && !arguments.jobs_only {
        flows::take_in::upload::sweep_at_start(&app.store, app.now())?;
    }
    let jobs = (!arguments.no_jobs).then_some(jobs::Pace::default());
    actix_web::rt::System::new().block_on(serve(app, listener, metrics, jobs))?;
    Ok(0)
}

/// Binds the configured address, and puts what was bound in its place: port 0 takes any that is free.
pub fn listen(config: &mut Config) -> Result<TcpListener, ServeError> {
    let failed = |error| ServeError::Bind(config.bind.clone(), error);
    let listener = TcpListener::bind(&config.bind).map_err(failed)?;
    config.bind = listener.local_addr()?.to_string();
    Ok(listener)
}

/// Binds the address of the meters. Without it the server is as good, so it goes on where it cannot be had.
fn listen_for_meters(bind: &str) -> Option<TcpListener> {
    if bind.eq_ignore_ascii_case("off") {
        return None;
    }
    let bound = TcpListener::bind(bind).inspect_err(|error| {
        tracing::warn!(
            address = bind,
            %error,
            "no meters: the address cannot be listened on; set PARCELTRAIL_METRICS_BIND to a free one, or to off"
        );
    });
    bound.ok()
}

/// Serves and works until a signal comes, then lets everything under way come to its end.
async fn serve(
    app: Arc<App>,
    listener: Option<TcpListener>,
    metrics: Option<TcpListener>,
    pace: Option<jobs::Pace>,
) -> Result<(), ServeError> {
    let mut signals = Signals::listen()?;
    let metrics = metrics.and_then(|listener| serve_meters(&app, listener));
    let serving = listener.map(|listener| Serving::start(&app, listener)).transpose()?;
    let working = pace.map(|pace| tokio::task::spawn_local(jobs::run(Arc::clone(&app), pace)));
    tell_address(&app)?;
    tracing::info!(address = app.config.bind, "ready");
    signals.next().await;
    tracing::info!("stopping: what is under way comes to its end");
    drain::watch();
    app.stop();
    tokio::select! {
        ended = come_to_an_end(&app, serving, working) => ended?,
        () = signals.next() => {
            tracing::warn!("stopping at once: a second signal came");
            std::process::exit(1);
        }
    }
    if let Some(metrics) = metrics {
        metrics.stop(false).await;
    }
    tracing::info!("stopped");
    Ok(())
}

async fn come_to_an_end(
    app: &Arc<App>,
    serving: Option<Serving>,
    working: Option<JoinHandle<()>>,
) -> Result<(), ServeError> {
    let work_ends = async {
        let Some(working) = working else { return };
        match tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS), working).await {
            Ok(ended) => drop(ended.inspect_err(|error| tracing::error!(%error, "the jobs broke"))),
            Err(_elapsed) => tracing::warn!("a job does not come to its end; what it holds is free again by and by"),
        }
    };
    let serving_ends = async {
        match serving {
            Some(serving) => serving.end(Duration::from_millis(app.config.drain_delay_ms)).await,
            None => Ok(()),
        }
    };
    let ((), served) = tokio::join!(work_ends, serving_ends);
    // It waits for the disk, and for a writer that has not come to its end: a second signal must still be heard.
    let _closed = in_background(app, App::close).await;
    served
}

/// The server at work, and what is needed to end it.
struct Serving {
    door: TcpListener,
    connections: Connections,
    handle: ServerHandle,
    ended: JoinHandle<io::Result<()>>,
}

impl Serving {
    fn start(app: &Arc<App>, listener: TcpListener) -> io::Result<Self> {
        let (door, connections) = (listener.try_clone()?, Connections::default());
        let server = server(app, listener, connections.clone())?;
        Ok(Self { door, connections, handle: server.handle(), ended: actix_web::rt::spawn(server) })
    }

    async fn end(self, delay: Duration) -> Result<(), ServeError> {
        drain::drain(self.handle, self.door, &self.connections, delay).await;
        Ok(self.ended.await.map_err(io::Error::other)??)
    }
}

fn serve_meters(app: &Arc<App>, listener: TcpListener) -> Option<ServerHandle> {
    let address = listener.local_addr().map(|it| it.to_string()).unwrap_or_default();
    let meters = Meters::install(system_now().as_duration().as_secs_f64());
    let meters = meters.inspect_err(|error| tracing::warn!(%error, "no meters")).ok()?;
    let server = http::meters::server(app, meters.clone(), listener);
    let server = server.inspect_err(|error| tracing::warn!(%error, "no meters")).ok()?;
    let handle = server.handle();
    actix_web::rt::spawn(server);
    actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(FOLD_EVERY).await;
            meters.fold();
        }
    });
    tracing::info!(address, "meters are at /metrics");
    Some(handle)
}

/// The server of all routes on a bound listener; it takes no signals of its own. Open connections are counted.
pub fn server(app: &Arc<App>, listener: TcpListener, connections: Connections) -> io::Result<Server> {
    let app = Arc::clone(app);
    let server = HttpServer::new(move || {
        let finishing = Arc::clone(&app);
        Application::new()
            .wrap(from_fn(move |request, next| http::finish(Arc::clone(&finishing), request, next)))
            .configure(|config| http::configure(config, &app))
    });
    let server = server.disable_signals().shutdown_timeout(END_SECONDS).keep_alive(KEEP_ALIVE);
    let server = server.on_connect(move |_stream, connection| drop(connection.insert(connections.open())));
    Ok(server.client_request_timeout(Duration::from_secs(10)).listen(listener)?.run())
}

fn tell_address(app: &App) -> io::Result<()> {
    match &app.config.address_file {
        Some(file) => std::fs::write(file, format!("{}\n", app.config.bind)),
        None => Ok(()),
    }
}

/// The signals that end the program.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
