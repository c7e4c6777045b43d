//! How often an import is claimed before it is given up, and which lane takes which file, on both databases.

use super::super::tests::{now, seller};
use super::super::upload::{self, ImportRequest, UploadError};
use super::*;
use crate::domain::ids::{PrincipalId, SellerId};
use crate::store::on_both::on_both;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn secrets() -> Secrets {
    Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + seconds.seconds()
}

/// Uploads two orders; `unpacked` is the size that their file is said to have.
fn uploaded(store: &Store, seller: SellerId, unpacked: Option<u64>) -> Import {
    let mut incoming = upload::begin(store, seller, &ImportRequest::default(), PrincipalId::SYSTEM, now()).unwrap();
    incoming.take(b"order_number,sku,quantity\nA-1,LAMP,1\nA-2,LAMP,2\n");
    incoming.note_unpacked(unpacked);
    incoming.complete(store, None).unwrap()
}

/// What a worker does whose process is then killed.
fn claim_and_die(store: &Store, at: Timestamp) -> Option<Import> {
    let claim = ClaimId::new(at);
    store.platform(Reason::JobClaim).write(|tables| tables.claim_import(at, held_until(at), claim, None)).unwrap()
}

fn work(store: &Store, secrets: &Secrets, at: Timestamp, lane: Lane) -> bool {
    let place = Workplace { store, secrets, clock: &|| at, stopping: &|| false };
    work_off_one(&place, lane).unwrap()
}

fn import(store: &Store, import: &Import) -> Import {
    store.seller(import.seller_id).read(|tables| tables.import(import.id)).unwrap().unwrap()
}

#[test]
fn an_import_whose_workers_die_is_given_up_at_the_sixth_claim() {
    on_both(|store| {
        let secrets = secrets();
        let import_before = uploaded(store, seller(store, &secrets), None);
        for turn in 1..=5 {
            let claimed = claim_and_die(store, later(turn * 10)).unwrap();
            assert_eq!((claimed.id, claimed.claims), (import_before.id, turn));
            assert!(claim_and_die(store, later(turn * 10 + 1)).is_none(), "it is held for a while");
        }
        assert!(work(store, &secrets, later(60), Lane::Any));
        let given_up = import(store, &import_before);
        assert_eq!((given_up.state.as_str(), given_up.rows_done()), ("failed", 0));
        let failure = given_up.about.failure.unwrap();
        assert_eq!(failure[0]["code"], "import_keeps_failing");
        assert!(failure[0]["detail"].as_str().unwrap().starts_with("The work on this file broke off 5 times."));
        let chunk = store.seller(given_up.seller_id).read(|tables| tables.chunk(given_up.id, 0)).unwrap();
        assert_eq!(chunk, None, "a file of which nothing was read is not kept");
        assert!(!work(store, &secrets, later(90), Lane::Any), "it is over");
    });
}

#[test]
fn the_fifth_claim_still_does_the_work_and_its_progress_ends_the_count() {
    on_both(|store| {
        let secrets = secrets();
        let before = uploaded(store, seller(store, &secrets), None);
        for turn in 1..=4 {
            claim_and_die(store, later(turn * 10)).unwrap();
        }
        assert!(work(store, &secrets, later(60), Lane::Any));
        let done = import(store, &before);
        assert_eq!((done.state.as_str(), done.rows_created, done.claims), ("completed", 2, 0));
    });
}

#[test]
fn a_server_that_is_stopped_in_order_is_no_failure_of_the_file() {
    on_both(|store| {
        let secrets = secrets();
        let before = uploaded(store, seller(store, &secrets), None);
        for turn in 1..=3 {
            claim_and_die(store, later(turn * 10)).unwrap();
        }
        for turn in 1..=9 {
            let place = Workplace { store, secrets: &secrets, clock: &|| later(50 + turn), stopping: &|| true };
            assert!(work_off_one(&place, Lane::Any).unwrap());
            let stopped = import(store, &before);
            assert_eq!((stopped.state.as_str(), stopped.claims, stopped.claimed_until), ("running", 3, None));
        }
        assert!(work(store, &secrets, later(80), Lane::Any));
        assert_eq!(import(store, &before).state, "completed");
    });
}

#[test]
fn only_what_is_known_to_be_short_is_taken_by_the_lane_for_short_files() {
    on_both(|store| {
        let secrets = secrets();
        for (what, unpacked, is_short) in
            [("not known", None, false), ("a small bomb", Some(5 << 20), false), ("short", Some(4 << 20), true)]
        {
            let before = uploaded(store, seller(store, &secrets), unpacked);
            assert_eq!(work(store, &secrets, later(1), Lane::Short), is_short, "{what}");
            assert_eq!(work(store, &secrets, later(2), Lane::Any), !is_short, "{what}");
            assert_eq!(import(store, &before).state, "completed", "{what}");
        }
    });
}

#[test]
fn a_seller_has_only_so_many_imports_open() {
    on_both(|store| {
        let secrets = secrets();
        let (busy, other) = (seller(store, &secrets), seller(store, &secrets));
        let begin = |seller| upload::begin(store, seller, &ImportRequest::default(), PrincipalId::SYSTEM, now());
        let arriving = begin(busy).unwrap();
        for _ in 1..upload::OPEN_IMPORTS {
            uploaded(store, busy, None);
        }
        assert!(matches!(begin(busy), Err(UploadError::TooManyWaiting)));
        assert!(begin(other).is_ok(), "another seller is not bound by that");
        upload::discard(store, busy, arriving.id()).unwrap();
        let last = begin(busy).unwrap();
        assert!(matches!(begin(busy), Err(UploadError::TooManyWaiting)));
        upload::discard(store, busy, last.id()).unwrap();
        assert!(work(store, &secrets, later(1), Lane::Any));
        assert!(begin(busy).and_then(|_| begin(busy)).is_ok(), "two places are free");
        assert!(matches!(begin(busy), Err(UploadError::TooManyWaiting)));
    });
}

#[test]
fn only_a_file_that_is_not_whole_can_be_discarded() {
    on_both(|store| {
        let before = uploaded(store, seller(store, &secrets()), None);
        upload::discard(store, before.seller_id, before.id).unwrap();
        assert_eq!(import(store, &before).state, "received");
    });
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_worker_whose_hold_was_taken_over_writes_nothing_and_reports_no_error() {
    let secrets = Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap();
    on_both(|store| {
        let seller = seller(store, &secrets);
        let request = ImportRequest { kind: Some("orders".to_owned()), ..ImportRequest::default() };
        let mut incoming = upload::begin(store, seller, &request, PrincipalId::SYSTEM, now()).unwrap();
        incoming.take(b"order_number,order_date,sku,quantity\nA-1,2026-09-01,LAMP,1\nA-2,2026-09-01,LAMP,1\n");
        let import = incoming.complete(store, None).unwrap();

        let later = now().checked_add(1.hour()).unwrap();
        let rival = Workplace { store, secrets: &secrets, clock: &|| later, stopping: &|| false };
        let looks = AtomicUsize::new(0);
        // Once the first worker holds the import and looks at the clock again, the other one does all the work.
        let clock = || {
            if looks.fetch_add(1, Ordering::SeqCst) == 1 {
                assert!(work_off_one(&rival, Lane::Any).unwrap());
            }
            now()
        };
        let place = Workplace { store, secrets: &secrets, clock: &clock, stopping: &|| false };
        let log = Log::default();
        let subscriber = {
            let log = log.clone();
            tracing_subscriber::fmt().with_writer(move || log.clone()).finish()
        };
        assert!(tracing::subscriber::with_default(subscriber, || work_off_one(&place, Lane::Any)).unwrap());

        let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(logged.contains("another worker goes on with the import"), "{logged}");
        assert!(!logged.contains("ERROR"), "{logged}");
        let done = store.seller(seller).read(|tables| tables.import(import.id)).unwrap().unwrap();
        assert_eq!((done.state.as_str(), done.rows_created, done.rows_rejected), ("completed", 2, 0));
        assert!(done.about.failure.is_none());
    });
}
