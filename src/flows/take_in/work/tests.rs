//! A worker that another one takes over from, on both databases.

use super::super::tests::{now, seller};
use super::super::upload::{ImportRequest, begin};
use super::{Lane, Workplace, work_off_one};
use crate::domain::ids::PrincipalId;
use crate::secrets::Secrets;
use crate::store::on_both::on_both;
use jiff::ToSpan;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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
        let mut incoming = begin(store, seller, &request, PrincipalId::SYSTEM, now()).unwrap();
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
