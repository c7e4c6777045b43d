//! `serve`: API, pages and jobs in one process, until it is told to stop.

use crate::app::{App, Clock, StartError};
use crate::config::Config;
use crate::{flows, http, jobs};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as Application, HttpServer};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tracing_actix_web::TracingLogger;

/// Run API, pages and jobs in one process
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Answer requests only; another process does the jobs
    #[arg(long, conflicts_with = "jobs_only")]
    no_jobs: bool,
    /// Do the jobs only; other processes answer requests
    #[arg(long)]
    jobs_only: bool,
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

/// Accepted requests have this long to come to their end.
const DRAIN_SECONDS: u64 = 25;

pub fn run(arguments: &ServeArgs, mut config: Config) -> Result<u8, ServeError> {
    let listener = if arguments.jobs_only { None } else { Some(listen(&mut config)?) };
    let app = Arc::new(App::open(config, Clock::System)?);
    if !arguments.no_jobs {
        app.store.take_over()?;
    }
    let jobs = (!arguments.no_jobs).then_some(jobs::Pace::default());
    actix_web::rt::System::new().block_on(serve(app, listener, jobs))?;
    Ok(0)
}

/// Binds the configured address, and puts what was bound in its place: port 0 takes any that is free.
pub fn listen(config: &mut Config) -> Result<TcpListener, ServeError> {
    let failed = |error| ServeError::Bind(config.bind.clone(), error);
    let listener = TcpListener::bind(&config.bind).map_err(failed)?;
    config.bind = listener.local_addr()?.to_string();
    Ok(listener)
}

/// Serves and works until a signal comes, then lets everything under way come to its end.
async fn serve(app: Arc<App>, listener: Option<TcpListener>, pace: Option<jobs::Pace>) -> Result<(), ServeError> {
    let server = listener.map(|listener| server(&app, listener)).transpose()?;
    let handle = server.as_ref().map(Server::handle);
    let serving = server.map(actix_web::rt::spawn);
    let working = pace.map(|pace| tokio::task::spawn_local(jobs::run(Arc::clone(&app), pace)));
    tell_address(&app)?;
    tracing::info!(address = app.config.bind, "ready");
    signal().await?;
    tracing::info!("stopping: what is under way comes to its end");
    app.stop();
    if let Some(handle) = handle {
        handle.stop(true).await;
    }
    if let Some(serving) = serving {
        serving.await.map_err(io::Error::other)??;
    }
    if let Some(working) = working {
        let ended = tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS), working).await;
        ended.map_err(io::Error::other)?.map_err(io::Error::other)?;
    }
    Ok(())
}

/// The server of all routes on a bound listener; it takes no signals of its own.
pub fn server(app: &Arc<App>, listener: TcpListener) -> io::Result<Server> {
    let app = Arc::clone(app);
    let server = HttpServer::new(move || {
        Application::new()
            .wrap(from_fn(http::finish))
            .wrap(TracingLogger::<Quiet>::new())
            .configure(|config| http::configure(config, &app))
    });
    let server = server.disable_signals().shutdown_timeout(DRAIN_SECONDS);
    Ok(server.client_request_timeout(Duration::from_secs(10)).listen(listener)?.run())
}

/// One line a request at debug, and no addresses or tokens: the path of a status link is a secret.
struct Quiet;

impl tracing_actix_web::RootSpanBuilder for Quiet {
    fn on_request_start(request: &actix_web::dev::ServiceRequest) -> tracing::Span {
        tracing::debug_span!("request", method = %request.method())
    }

    fn on_request_end<B: actix_web::body::MessageBody>(
        _span: tracing::Span,
        outcome: &Result<actix_web::dev::ServiceResponse<B>, actix_web::Error>,
    ) {
        if let Ok(response) = outcome {
            let route = response.request().match_pattern().unwrap_or_default();
            tracing::debug!(route, status = response.status().as_u16(), "answered");
        }
    }
}

fn tell_address(app: &App) -> io::Result<()> {
    match &app.config.address_file {
        Some(file) => std::fs::write(file, format!("{}\n", app.config.bind)),
        None => Ok(()),
    }
}

#[cfg(unix)]
async fn signal() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
