//! Who gets a key, when it is free again, and who is answered what, on both databases.

use super::*;
use crate::store::idempotency::KeyUse;
use crate::store::on_both::{a_seller, on_both};
use jiff::ToSpan;

fn now() -> Timestamp {
    "2026-09-17T10:04:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + seconds.seconds()
}

const A_DAY: i64 = 24 * 60 * 60;

fn secrets() -> Secrets {
    Secrets::from_text(&Secrets::fresh_key().unwrap()).unwrap()
}

fn seller(store: &Store) -> SellerId {
    a_seller(store, now())
}

fn asked(seller: SellerId, key: &str) -> Asked {
    Asked { seller, route: "POST /v1/orders".to_owned(), key: key.to_owned() }
}

fn answer() -> Answer {
    Answer { status: 201, headers: vec![("etag".to_owned(), "\"1\"".to_owned())], body: "{\"canary\":1}".to_owned() }
}

/// Takes a key that must be free.
fn take(store: &Store, secrets: &Secrets, asked: &Asked, at: Timestamp) -> Hold {
    match begin(store, secrets, asked, Some(b"body"), at).unwrap() {
        Turn::Mine(hold) => hold,
        taken @ (Turn::Done(_) | Turn::InProgress | Turn::OtherRequest) => panic!("the key is not free: {taken:?}"),
    }
}

#[test]
fn the_same_request_is_answered_the_same_until_a_day_has_passed() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let hold = take(store, &secrets, &asked, now());
        keep(store, &secrets, &hold, &answer()).unwrap();
        for at in [now(), later(61), later(A_DAY - 1)] {
            let Turn::Done(done) = begin(store, &secrets, &asked, Some(b"body"), at).unwrap() else { panic!("{at}") };
            assert_eq!(done.answer, Some(answer()), "{at}");
            let other = begin(store, &secrets, &asked, Some(b"another body"), at).unwrap();
            assert!(matches!(other, Turn::OtherRequest), "{at}: {other:?}");
        }
        take(store, &secrets, &asked, later(A_DAY));
    });
}

#[test]
fn a_key_is_held_while_the_work_goes_on_and_free_once_its_process_is_dead() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let dead = take(store, &secrets, &asked, now());
        renew(store, &dead, later(40)).unwrap();
        let busy = begin(store, &secrets, &asked, Some(b"body"), later(99)).unwrap();
        assert!(matches!(busy, Turn::InProgress), "{busy:?}");
        let other = begin(store, &secrets, &asked, Some(b"another body"), later(100)).unwrap();
        assert!(matches!(other, Turn::OtherRequest), "it may have been carried out: {other:?}");

        let alive = take(store, &secrets, &asked, later(100));
        keep(store, &secrets, &dead, &Answer { status: 200, ..answer() }).unwrap();
        let_go(store, &dead, later(101)).unwrap();
        let busy = begin(store, &secrets, &asked, Some(b"body"), later(101)).unwrap();
        assert!(matches!(busy, Turn::InProgress), "the dead one has no say any more: {busy:?}");
        keep(store, &secrets, &alive, &answer()).unwrap();
        let done = begin(store, &secrets, &asked, Some(b"body"), later(102)).unwrap();
        assert!(matches!(&done, Turn::Done(done) if done.answer == Some(answer())), "{done:?}");
    });
}

#[test]
fn a_refused_request_leaves_its_key_free_for_the_mended_one() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let hold = take(store, &secrets, &asked, now());
        let_go(store, &hold, now()).unwrap();
        let mended = begin(store, &secrets, &asked, Some(b"mended"), now()).unwrap();
        assert!(matches!(mended, Turn::Mine(_)), "{mended:?}");
    });
}

#[test]
fn a_key_of_another_seller_or_route_is_another_key() {
    on_both(|store| {
        let (secrets, mine) = (secrets(), asked(seller(store), "k"));
        let hold = take(store, &secrets, &mine, now());
        keep(store, &secrets, &hold, &answer()).unwrap();
        take(store, &secrets, &asked(seller(store), "k"), now());
        take(store, &secrets, &Asked { route: "POST /v1/shipments".to_owned(), ..mine.clone() }, now());
        take(store, &secrets, &Asked { key: "K".to_owned(), ..mine }, now());
    });
}

#[test]
fn an_answer_lies_sealed_and_opens_where_it_belongs_alone() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let hold = take(store, &secrets, &asked, now());
        keep(store, &secrets, &hold, &answer()).unwrap();
        let tables = store.seller(asked.seller);
        let kept: KeyUse = tables.read(|tables| tables.key_use(&asked.route, "k")).unwrap().unwrap();
        let sealed = kept.answer.clone().unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("canary"));

        let moved = KeyUse { key: "moved".to_owned(), ..kept };
        tables.write(|tables| tables.put_key_use(&moved)).unwrap();
        let elsewhere = begin(store, &secrets, &Asked { key: "moved".to_owned(), ..asked }, Some(b"body"), later(60));
        assert!(matches!(elsewhere, Ok(Turn::Mine(_))), "it does not open under another key: {elsewhere:?}");
    });
}

#[test]
fn an_import_is_remembered_though_its_answer_is_lost() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let Turn::Mine(hold) = begin(store, &secrets, &asked, None, now()).unwrap() else { panic!("not free") };
        let import = ImportId::new(now());
        let noted = store.seller(asked.seller).write(|tables| tables.note_import(&hold, b"file", import));
        assert!(noted.unwrap());
        let busy = begin(store, &secrets, &asked, None, later(59)).unwrap();
        assert!(matches!(busy, Turn::InProgress), "{busy:?}");
        let Turn::Done(dead) = begin(store, &secrets, &asked, None, later(60)).unwrap() else { panic!("free") };
        assert_eq!((&dead.answer, dead.import), (&None, Some(import)));
        assert!(dead.is_of(b"file") && !dead.is_of(b"another file"));

        let_go(store, &hold, later(30)).unwrap();
        let refused = begin(store, &secrets, &asked, None, later(30)).unwrap();
        assert!(matches!(&refused, Turn::Done(done) if *done == dead), "an error leaves the import too: {refused:?}");
    });
}

#[test]
fn old_keys_are_forgotten_and_young_ones_kept() {
    on_both(|store| {
        let (secrets, old) = (secrets(), asked(seller(store), "old"));
        take(store, &secrets, &old, now());
        take(store, &secrets, &Asked { key: "young".to_owned(), ..old.clone() }, later(1));
        assert_eq!(forget_old(store, later(A_DAY - 1)).unwrap(), 0);
        assert_eq!(forget_old(store, later(A_DAY)).unwrap(), 1);
        let left = store.seller(old.seller).read(|tables| tables.key_use(&old.route, "young")).unwrap();
        assert!(left.is_some());
    });
}

#[test]
fn of_many_at_once_one_has_the_turn() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let turns: Vec<Turn> = std::thread::scope(|scope| {
            let ask = || begin(store, &secrets, &asked, Some(b"body"), now()).unwrap();
            let askers: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        let mine = turns.iter().filter(|turn| matches!(turn, Turn::Mine(_))).count();
        let waiting = turns.iter().filter(|turn| matches!(turn, Turn::InProgress)).count();
        assert_eq!((mine, waiting), (1, 15), "{turns:?}");
    });
}

#[test]
fn parts_of_a_request_do_not_run_into_each_other() {
    let of = |parts: &[&str], body: &[u8]| {
        let mut fingerprint = Fingerprint::of(parts);
        body.chunks(3).for_each(|bytes| fingerprint.take(bytes));
        fingerprint.end()
    };
    let one = of(&["POST", "/v1/orders", ""], b"a body");
    let mut whole = Fingerprint::of(&["POST", "/v1/orders", ""]);
    whole.take(b"a body");
    assert_eq!(one, whole.end(), "in whatever pieces it comes");
    for (what, other) in [
        ("another border", of(&["POST/", "v1/orders", ""], b"a body")),
        ("query or body", of(&["POST", "/v1/orders", "a"], b" body")),
        ("another body", of(&["POST", "/v1/orders", ""], b"a bodY")),
    ] {
        assert_ne!(one, other, "{what}");
    }
}

#[test]
fn a_key_of_an_unknown_outcome_is_free_at_once_for_the_same_request_alone() {
    on_both(|store| {
        let (secrets, asked) = (secrets(), asked(seller(store), "k"));
        let hold = take(store, &secrets, &asked, now());
        leave_unknown(store, &hold, later(1)).unwrap();
        let other = begin(store, &secrets, &asked, Some(b"another body"), later(1)).unwrap();
        assert!(matches!(other, Turn::OtherRequest), "{other:?}");
        take(store, &secrets, &asked, later(1));
    });
}
