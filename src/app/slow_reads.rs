//! Reads that go over many rows: reports, exports, and lists with filters that no index answers. They run on threads of their
//! own, a few at once, at a lower priority than the threads that answer everybody, and end when their reader has gone.

use super::App;
use crate::limits::turns::{Turn, Turns};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Reports and exports at once: in all, and of one seller.
const REPORTS: (usize, usize) = (4, 2);
/// Lists at once that no index answers: in all, and of one seller.
const SCANS: (usize, usize) = (4, 2);
/// Turns are bounded apart, so that there is a thread for each.
const THREADS: usize = 8;
/// On Linux, how much less than others these threads are given where the processors are busy: 0 to 19.
const NICENESS: i32 = 10;
/// A list that no index answers waits so long for its turn.
const SCAN_WAIT: Duration = Duration::from_secs(10);
/// An admin works for no seller.
const NOBODY: Uuid = Uuid::nil();

/// The threads, and who may use them when.
pub struct SlowReads {
    reports: Turns,
    scans: Turns,
    pool: rayon::ThreadPool,
}

/// Too many slow reads are under way; worth trying again in some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    #[error("two reports or exports of yours are under way, or four of all sellers; wait for one of them to end")]
    Reports,
    #[error(
        "lists with filters like this one take long, and several of yours are under way; wait for one of them to end"
    )]
    Scans,
}

/// Set once nobody waits for a result any more.
#[derive(Debug, Clone, Default)]
pub struct Cancelled(Arc<AtomicBool>);

impl Cancelled {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets the mark when it is dropped, as it is when a client hangs up.
struct CancelOnDrop(Cancelled);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl SlowReads {
    /// # Errors
    ///
    /// Where the system has no threads left.
    pub fn new() -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(THREADS)
            .thread_name(|number| format!("slow-reads-{number}"))
            .start_handler(|_| step_back())
            // A panic is in the log already; who waits for the result finds that there is none.
            .panic_handler(|_| ())
            .build()?;
        Ok(Self { reports: Turns::new(REPORTS.0, REPORTS.1), scans: Turns::new(SCANS.0, SCANS.1), pool })
    }

    /// A turn at a report or an export, or none at all right now.
    ///
    /// # Errors
    ///
    /// [`TooMany::Reports`].
    pub fn report_turn(&self, seller: Option<Uuid>) -> Result<Turn, TooMany> {
        self.reports.try_take(seller.unwrap_or(NOBODY)).ok_or(TooMany::Reports)
    }
}

/// On Linux the priority of a process is that of the calling thread alone; elsewhere it is left as it is.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "slow reads run at the priority of all others");
    }
}

/// Runs a report or a part of an export on a thread for slow reads. `None` where it panicked.
pub async fn in_turn<T: Send + 'static>(
    app: &Arc<App>,
    turn: Arc<Turn>,
    read: impl FnOnce(&App, &Cancelled) -> T + Send + 'static,
) -> Option<T> {
    let (send, receive) = oneshot::channel();
    let (cancelled, span, owned) = (Cancelled::default(), tracing::Span::current(), Arc::clone(app));
    let waiting = CancelOnDrop(cancelled.clone());
    app.slow_reads.pool.spawn(move || {
        // Who hung up while this waited for a thread costs nothing.
        let done = (!cancelled.is_set()).then(|| span.in_scope(|| read(&owned, &cancelled)));
        // The turn goes along: whoever hangs up makes no room while the work still ends. It ends before the answer is there, so
        // that whoever asks for one report after the other finds it free.
        drop(turn);
        if let Some(done) = done {
            // Nobody may be left to take it.
            drop(send.send(done));
        }
    });
    let done = receive.await.ok();
    drop(waiting);
    done
}

/// Runs a list that no index answers, when it is its turn.
///
/// # Errors
///
/// [`TooMany::Scans`] where that does not come within ten seconds.
pub async fn scan<T: Send + 'static>(
    app: &Arc<App>,
    seller: Uuid,
    read: impl FnOnce(&App) -> T + Send + 'static,
) -> Result<Option<T>, TooMany> {
    let turn = app.slow_reads.scans.take(seller, SCAN_WAIT).await.ok_or(TooMany::Scans)?;
    Ok(in_turn(app, Arc::new(turn), |app, _| read(app)).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seller_has_two_reports_at_once_and_all_sellers_four() {
        let reads = SlowReads::new().unwrap();
        let (one, other) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
        let held = [reads.report_turn(one).unwrap(), reads.report_turn(one).unwrap()];
        assert_eq!(reads.report_turn(one).unwrap_err(), TooMany::Reports);
        let more = [reads.report_turn(other).unwrap(), reads.report_turn(None).unwrap()];
        assert_eq!(reads.report_turn(None).unwrap_err(), TooMany::Reports, "four in all, an admin's among them");
        drop((held, more));
        assert!(reads.report_turn(one).is_ok());
    }

    #[test]
    fn who_hangs_up_cancels() {
        let cancelled = Cancelled::default();
        let waiting = CancelOnDrop(cancelled.clone());
        assert!(!cancelled.is_set());
        drop(waiting);
        assert!(cancelled.is_set());
    }
}
