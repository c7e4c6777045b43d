//! `/metrics`, on an address of its own: for those who watch the server, and not for its clients.

use crate::app::{App, in_background};
use crate::flows::count_waiting;
use crate::telemetry::meters::{self, Meters, Waiting};
use actix_web::dev::Server;
use actix_web::{App as Application, HttpResponse, HttpServer, web};
use jiff::SignedDuration;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// The server of the meters on a bound listener; it takes no signals of its own.
///
/// # Errors
///
/// Where the listener cannot be used.
pub fn server(app: &Arc<App>, meters: Meters, listener: TcpListener) -> io::Result<Server> {
    let app = Arc::clone(app);
    let server = HttpServer::new(move || {
        Application::new()
            .app_data(web::Data::from(Arc::clone(&app)))
            .app_data(web::Data::new(meters.clone()))
            .route("/metrics", web::get().to(show))
    });
    Ok(server.workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

async fn show(app: web::Data<App>, meters: web::Data<Meters>) -> HttpResponse {
    meters::waiting(waiting(&app.into_inner()).await);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(meters.text())
}

async fn waiting(app: &Arc<App>) -> Option<Waiting> {
    let counted = in_background(app, |app| count_waiting::count_waiting(&app.store, app.now())).await?;
    // A database that is away is told by a meter; each request that misses it is in the log.
    let counted = counted.inspect_err(|error| tracing::debug!(%error, "what waits could not be counted")).ok()?;
    let waited = counted.oldest_import_at.map_or(SignedDuration::ZERO, |since| app.now().duration_since(since));
    Some(Waiting {
        imports_waiting: counted.imports_waiting,
        imports_running: counted.imports_running,
        oldest_import: Duration::try_from(waited).unwrap_or(Duration::ZERO),
        standings_due: counted.standings_due,
        trackers_due: counted.trackers_due,
    })
}
