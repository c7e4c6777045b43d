//! The clockwork: imports, judging, polling, until it is told to stop. Each round does what is due and no more.

use crate::app::{App, in_background};
use crate::flows;
use crate::flows::take_in::work::{Lane, work_off_one};
use crate::telemetry::{chain, meters};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

const SWEEP: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What is done once a day waits so long after a start, when there is other work.
const AFTER_START: SignedDuration = SignedDuration::from_mins(10);

/// How long a round waits where nothing was due.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { idle: Duration::from_millis(500) }
    }
}

/// Runs all jobs until [`App::stop`].
pub async fn run(app: Arc<App>, pace: Pace) {
    tokio::join!(
        imports(&app, pace, Lane::Any),
        imports(&app, pace, Lane::Any),
        imports(&app, pace, Lane::Short),
        judging(&app, pace),
        polling(&app, pace),
        sweeping(&app, pace),
        doubting(&app, pace)
    );
}

/// One worker of imports. Several take turns at writing, chunk by chunk, so one seller's long sheet holds up nobody else's.
async fn imports(app: &Arc<App>, pace: Pace, lane: Lane) {
    while !app.is_stopping() {
        let worked = in_background(app, move |app| app.workplace(|place| work_off_one(place, lane))).await;
        let busy = match worked {
            Some(Ok(busy)) => {
                if busy {
                    let updated = in_background(app, |app| app.store.update_statistics().map(|()| 0));
                    done(updated.await, "updating statistics");
                }
                busy
            }
            Some(Err(error)) => {
                meters::job_failed("imports");
                tracing::error!(
                    error = tracing::field::display(chain(&error)),
                    "an import stopped; it is taken up again"
                );
                false
            }
            None => false,
        };
        if !busy {
            let bell = app.import_bell.notified();
            let _rang = tokio::time::timeout(pace.idle, bell).await;
        }
    }
}

async fn judging(app: &Arc<App>, pace: Pace) {
    while !app.is_stopping() {
        let judged = in_background(app, |app| flows::judge_shipments::judge_shipments(&app.store, app.now())).await;
        if done(judged, "judging") == 0 {
            tokio::time::sleep(pace.idle).await;
        }
    }
}

async fn polling(app: &Arc<App>, pace: Pace) {
    while !app.is_stopping() {
        let mut asked = 0;
        for source in &app.sources {
            let polled = flows::poll_carriers::poll_carriers(
                &app.store,
                &app.runner,
                source.as_ref(),
                || app.now(),
                app.stopped(),
            )
            .await;
            asked += done(Some(polled), "polling");
        }
        if asked == 0 {
            tokio::time::sleep(pace.idle).await;
        }
    }
}

/// What is done once an hour, by the clock of the application.
async fn sweeping(app: &Arc<App>, pace: Pace) {
    let mut next = app.now();
    while !app.is_stopping() {
        if app.now() >= next {
            done(in_background(app, |app| sweep(app).map(|()| 0)).await, "sweeping");
            let expired = in_background(app, |app| flows::privacy::expire::expire_imports(&app.store, app.now()));
            done(expired.await, "deleting old uploads");
            let expired = in_background(app, |app| flows::privacy::expire::expire_contacts(&app.store, app.now()));
            done(expired.await, "deleting old contacts");
            let deleted = in_background(app, |app| flows::retention::shorten_changes(&app.store, app.now()));
            done(deleted.await, "deleting old changes");
            let deleted = in_background(app, |app| flows::retention::delete_import_headers(&app.store, app.now()));
            done(deleted.await, "deleting headers of old imports");
            done(in_background(app, |app| app.store.update_statistics().map(|()| 0)).await, "updating statistics");
            next = app.now().saturating_add(SWEEP).unwrap_or(next);
        }
        tokio::time::sleep(pace.idle).await;
    }
}

/// What is done once a day, by the clock of the application; a day begins anew with each start.
async fn doubting(app: &Arc<App>, pace: Pace) {
    let mut next = app.now().saturating_add(AFTER_START).unwrap_or_else(|_overflow| app.now());
    while !app.is_stopping() {
        if app.now() >= next {
            let looked = in_background(app, |app| flows::doubt_numbers::doubt_numbers(&app.store, app.now()));
            done(looked.await, "looking for labels that nobody scanned");
            next = app.now().saturating_add(DAY).unwrap_or(next);
        }
        tokio::time::sleep(pace.idle).await;
    }
}

fn sweep(app: &App) -> Result<(), flows::StoreError> {
    flows::take_in::upload::sweep_broken(&app.store, app.now())?;
    flows::answer_once::forget_old(&app.store, app.now())?;
    flows::people::invite::forget_old(&app.store, app.now())?;
    flows::access_tokens::rotate(&app.store, &app.secrets, app.now())
}

fn done(worked: Option<Result<usize, flows::StoreError>>, what: &'static str) -> usize {
    match worked {
        Some(Ok(count)) => count,
        Some(Err(error)) => {
            meters::job_failed(what);
            tracing::error!(
                error = tracing::field::display(chain(&error)),
                "{what} stopped; it goes on in the next round"
            );
            0
        }
        None => 0,
    }
}
