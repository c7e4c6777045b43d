//! A person is forgotten everywhere and for good, on both databases, and everything else stays as it was.

use super::erase::erase;
use super::expire::{expire_contacts, expire_imports};
use super::export::traces;
use super::reapply::{Reapplied, reapply};
use super::{Person, PrivacyError};
use crate::domain::actor::Actor;
use crate::domain::ids::{ImportId, OrderId, PrincipalId, SellerId, ShopId};
use crate::secrets::digest;
use crate::store::contacts::FoundBy;
use crate::store::erasures::{ImportErasures, SellerErasures};
use crate::store::import_rows::{ImportRow, RowName, RowReport};
use crate::store::imports::{About, Import};
use crate::store::on_both::on_both;
use crate::store::orders::Order;
use crate::store::sellers::{Seller, Shop};
use crate::store::{At, Json, Reason, SellerTables, Store};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

fn now() -> Timestamp {
    "2026-09-30T12:00:00Z".parse().unwrap()
}

fn days_on(days: i64) -> Timestamp {
    now() + (24 * days).hours()
}

/// A seller who keeps uploads for 14 days and contacts for 30.
fn seller(store: &Store) -> (SellerId, ShopId) {
    let (id, shop_id) = (SellerId::new(now()), ShopId::new(now()));
    let (name, time_zone) = ("Lantern".to_owned(), "Europe/Berlin".to_owned());
    let seller =
        Seller { id, name, country: None, time_zone, upload_days: 14, created_at: At(now()), strict_imports: false };
    let (name, handle) = ("main".to_owned(), shop_id.to_string());
    let shop = Shop { seller_id: id, id: shop_id, name, handle, contact_days: Some(30), created_at: At(now()) };
    store.platform(Reason::Admin).write(|tables| tables.insert_seller(&seller, &shop)).unwrap();
    (id, shop_id)
}

fn order(tables: &mut SellerTables, (seller_id, shop_id): (SellerId, ShopId), number: &str, phone: &str) -> OrderId {
    let id = OrderId::new(now());
    let order = Order {
        seller_id,
        id,
        shop_id,
        order_number: number.to_owned(),
        order_ref: None,
        state: "open".to_owned(),
        ordered_local: None,
        ordered_offset: None,
        currency: None,
        country: None,
        region: None,
        postal_code: Some("12207".to_owned()),
        origin_country: None,
        origin_region: None,
        origin_postal_code: None,
        deliver_from_on: None,
        shipping_method: None,
        shipping_charged_minor: None,
        channel: None,
        dispatch_by_at: None,
        deliver_by_on: None,
        token_hash: digest(number),
        token_sealed: Vec::new(),
        contact_erased_at: None,
        created_at: At(now()),
        updated_at: At(now()),
        version: 1,
    };
    tables.insert_order(&order).unwrap();
    let told = Some("ada@example.com".to_owned());
    let contact = crate::domain::order::Contact { email: told, phone: Some(phone.to_owned()), ..Default::default() };
    tables.put_contact(id, &contact).unwrap();
    id
}

fn import(tables: &mut SellerTables, (seller_id, shop_id): (SellerId, ShopId), state: &str, rows: i64) -> ImportId {
    let id = ImportId::new(now());
    let over = (state != "running").then_some(At(now()));
    let import = Import {
        seller_id,
        id,
        shop_id,
        kind: Some("orders".to_owned()),
        state: state.to_owned(),
        dry_run: false,
        options: Json(json!({})),
        about: About { file_name: Some("ada.csv".to_owned()), survey: Some(json!({})), failure: None },
        file_bytes: 4,
        problems: Json(json!({})),
        cursor_line: rows + 1,
        rows_total: rows,
        rows_created: 0,
        rows_updated: 0,
        rows_unchanged: 0,
        rows_rejected: rows,
        rows_warned: 0,
        uploaded_by: PrincipalId::SYSTEM,
        created_at: At(now()),
        finished_at: over,
        claimed_until: None,
        claim: None,
        claims: 0,
        unpacked_bytes: None,
        expired_at: None,
        file_erased_at: None,
        proved: false,
        undone_at: None,
    };
    tables.insert_import(&import).unwrap();
    tables.insert_chunk(id, 0, b"Ada,").unwrap();
    id
}

fn row(tables: &mut SellerTables, import_id: ImportId, line: i64, order_id: Option<OrderId>) {
    let report = RowReport { cells: json!({"recipient_name": "Ada"}), errors: json!([]), warnings: json!([]) };
    let (outcome, shipment_id) = ("rejected".to_owned(), None);
    tables.insert_import_rows(vec![ImportRow { import_id, line, outcome, order_id, shipment_id, report }]).unwrap();
}

fn by_email() -> Person {
    Person::Email("ada@example.com".to_owned())
}

#[test]
fn a_person_is_forgotten_in_all_orders_and_rows() {
    on_both(|store| {
        let owner = seller(store);
        let tables = store.seller(owner.0);
        let import = tables
            .write(|tables| {
                let import = import(tables, owner, "completed", 122);
                for n in 0..120 {
                    let order = order(tables, owner, &format!("A-{n}"), "+49 170 1234567");
                    row(tables, import, n + 2, Some(order));
                }
                row(tables, import, 122, None);
                tables.name_import_row(import, 122, &[RowName::Email("ada@example.com".to_owned())])?;
                row(tables, import, 123, None);
                tables.name_import_row(import, 123, &[RowName::Email("bob@example.com".to_owned())])?;
                Ok::<_, crate::store::StoreError>(import)
            })
            .unwrap();
        let traces = traces(store, owner.0, &by_email(), &Actor::system(), now()).unwrap();
        assert_eq!((traces.orders.len(), traces.rows.len(), traces.truncated), (120, 121, false));

        let erasure = erase(store, owner.0, &by_email(), &Actor::system(), now()).unwrap();
        assert_eq!((erasure.orders, erasure.parcels, erasure.imports), (120, 0, 1));
        tables
            .read(|tables| {
                assert!(tables.orders_to((FoundBy::Email, "ada@example.com"), None, 10)?.is_empty());
                let rows = tables.import_rows_page(import, None, 0, 200)?;
                let kept: Vec<i64> =
                    rows.iter().filter(|row| row.report != RowReport::erased()).map(|row| row.line).collect();
                assert_eq!((rows.len(), kept), (122, vec![123]), "the row of somebody else stays");
                assert_eq!(tables.chunk(import, 0)?, None);
                let import = tables.import(import)?.unwrap();
                assert!(import.file_erased_at.is_some() && import.about.file_name.is_none());
                let order = tables.order(traces.orders[0])?.unwrap();
                assert_eq!((order.postal_code, order.version), (None, 2));
                assert!(order.contact_erased_at.is_some());
                let log = tables.audit_page(0, 100)?;
                let deeds: Vec<&str> = log.iter().map(|row| row.action.as_str()).collect();
                assert_eq!(deeds, ["privacy.exported", "privacy.erased", "privacy.erased", "privacy.erased"]);
                assert!(log.iter().all(|row| !row.detail.0.to_string().contains("example.com")));
                Ok::<_, crate::store::StoreError>(())
            })
            .unwrap();

        let again = erase(store, owner.0, &by_email(), &Actor::system(), now()).unwrap();
        assert_eq!((again.orders, again.parcels, again.imports), (0, 0, 0), "nobody is forgotten twice");
    });
}

#[test]
fn a_telephone_number_of_another_country_is_another_person_s() {
    on_both(|store| {
        let owner = seller(store);
        let tables = store.seller(owner.0);
        let (theirs, ours) = tables
            .write(|tables| {
                let theirs = order(tables, owner, "DE", "+49 170 1234567");
                Ok::<_, crate::store::StoreError>((theirs, order(tables, owner, "AT", "+43 170 1234567")))
            })
            .unwrap();
        let person = Person::Phone("0043 170 123 45 67".to_owned());
        let erasure = erase(store, owner.0, &person, &Actor::system(), now()).unwrap();
        assert_eq!(erasure.orders, 1);
        assert!(tables.read(|tables| tables.contact(theirs)).unwrap().is_some());
        assert!(tables.read(|tables| tables.contact(ours)).unwrap().is_none());
    });
}

#[test]
fn an_unknown_shop_is_an_error_and_an_unknown_order_is_none() {
    on_both(|store| {
        let owner = seller(store);
        let ask = |person: &Person| erase(store, owner.0, person, &Actor::system(), now());
        let nowhere = Person::OrderNumber(Some("nowhere".to_owned()), "1".to_owned());
        assert!(matches!(ask(&nowhere), Err(PrivacyError::Shop(_))));
        for person in [Person::OrderNumber(None, "1".to_owned()), Person::Order(OrderId::new(now()))] {
            let erasure = ask(&person).unwrap();
            assert_eq!((erasure.orders, erasure.imports), (0, 0), "{person:?}");
        }
        let other = seller(store);
        let theirs = store
            .seller(other.0)
            .write(|tables| Ok::<_, crate::store::StoreError>(order(tables, other, "1", "+49 170 1234567")));
        let theirs = theirs.unwrap();
        assert_eq!(ask(&Person::Order(theirs)).unwrap().orders, 0);
        assert!(store.seller(other.0).read(|tables| tables.contact(theirs)).unwrap().is_some());
    });
}

#[test]
fn the_file_of_an_import_under_way_goes_when_the_work_has_ended() {
    on_both(|store| {
        let owner = seller(store);
        let tables = store.seller(owner.0);
        let mut running = tables
            .write(|tables| {
                let order = order(tables, owner, "A-1", "+49 170 1234567");
                let id = import(tables, owner, "running", 1);
                row(tables, id, 2, Some(order));
                tables.import(id)
            })
            .unwrap()
            .unwrap();
        erase(store, owner.0, &by_email(), &Actor::system(), now()).unwrap();
        let chunk = || tables.read(|tables| tables.chunk(running.id, 0)).unwrap();
        assert!(chunk().is_some(), "the rest of the file is still to be read");

        "completed".clone_into(&mut running.state);
        running.finished_at = Some(At(now()));
        let id = running.id;
        tables
            .write(|tables| {
                tables.update_import(&running)?;
                tables.drop_erased_file(id)
            })
            .unwrap();
        assert!(chunk().is_none());
        let ended = tables.read(|tables| tables.import(id)).unwrap().unwrap();
        assert!(ended.file_erased_at.is_some() && ended.about.file_name.is_none(), "the worker knew nothing of it");
    });
}

#[test]
fn what_is_old_is_forgotten_and_what_is_not_is_kept() {
    on_both(|store| {
        let owner = seller(store);
        let tables = store.seller(owner.0);
        let (order, import) = tables
            .write(|tables| {
                let order = order(tables, owner, "A-1", "+49 170 1234567");
                let import = import(tables, owner, "completed", 1);
                row(tables, import, 2, Some(order));
                tables.name_import_row(import, 2, &[RowName::Email("ada@example.com".to_owned())])?;
                Ok::<_, crate::store::StoreError>((order, import))
            })
            .unwrap();
        for (what, at, imports, contacts) in [
            ("on the last day of the file", days_on(14), 0, 0),
            ("after it", days_on(15), 1, 0),
            ("long after it", days_on(29), 0, 0),
            ("after the last day of the contact", days_on(31), 0, 1),
            ("long after that", days_on(99), 0, 0),
        ] {
            assert_eq!(expire_imports(store, at).unwrap(), imports, "{what}");
            assert_eq!(expire_contacts(store, at).unwrap(), contacts, "{what}");
        }
        tables
            .read(|tables| {
                assert_eq!(tables.contact(order)?, None);
                assert_eq!((tables.chunk(import, 0)?, tables.count_import_rows(import)?), (None, 0));
                let import = tables.import(import)?.unwrap();
                assert_eq!((import.rows_rejected, import.expired_at.is_some()), (1, true), "its counts stay");
                let log = tables.audit_page(0, 10)?;
                assert_eq!((log.len(), log[0].action.as_str()), (1, "privacy.expired"));
                assert_eq!(log[0].actor_id, PrincipalId::SYSTEM);
                Ok::<_, crate::store::StoreError>(())
            })
            .unwrap();
    });
}

#[test]
fn what_was_erased_in_another_database_is_erased_here_once() {
    on_both(|store| {
        let owner = seller(store);
        let tables = store.seller(owner.0);
        let (order, [running, old, named]) = tables
            .write(|tables| {
                let order = order(tables, owner, "A-1", "+49 170 1234567");
                let imports = ["running", "completed", "completed"].map(|state| import(tables, owner, state, 2));
                row(tables, imports[1], 2, Some(order));
                for (line, person) in [(2, "ada@example.com"), (3, "bob@example.com")] {
                    row(tables, imports[2], line, None);
                    tables.name_import_row(imports[2], line, &[RowName::Email(person.to_owned())])?;
                }
                Ok::<_, crate::store::StoreError>((order, imports))
            })
            .unwrap();
        let erased = |id, (is_file_erased, is_expired), lines: &[i64]| ImportErasures {
            id,
            state: "completed".to_owned(),
            dry_run: false,
            is_file_erased,
            is_expired,
            named_lines: lines.iter().copied().collect(),
        };
        let imports = vec![
            erased(running, (true, false), &[]),
            erased(old, (true, true), &[]),
            erased(named, (false, false), &[3]),
        ];
        let orders = vec![order, OrderId::new(now())];
        let here = SellerErasures { seller: owner.0, orders, trackers: Vec::new(), imports };
        let unknown = SellerErasures { seller: SellerId::new(now()), orders: vec![order], ..here.clone() };
        let erasures = [here, unknown];

        let done = reapply(store, &erasures, now()).unwrap();
        let expected =
            Reapplied { orders: 1, trackers: 0, imports: 2, rows: 1, cancelled_imports: 1, missing_orders: 2 };
        assert_eq!(done, expected);
        let again = reapply(store, &erasures, now()).unwrap();
        assert_eq!(again, Reapplied { missing_orders: 2, ..Reapplied::default() });
        tables
            .read(|tables| {
                assert_eq!(tables.contact(order)?, None);
                let cancelled = tables.import(running)?.unwrap();
                assert_eq!((cancelled.state.as_str(), tables.chunk(running, 0)?), ("cancelled", None));
                assert_eq!((tables.count_import_rows(old)?, tables.chunk(old, 0)?), (0, None));
                let rows = tables.import_rows_page(named, None, 0, 10)?;
                let is_erased: Vec<bool> = rows.iter().map(|row| row.report == RowReport::erased()).collect();
                assert_eq!(is_erased, [true, false], "the row of somebody else stays");
                assert!(tables.chunk(named, 0)?.is_some());
                let log = tables.audit_page(0, 10)?;
                assert!(log.iter().all(|row| row.action == "privacy.erased" && row.detail.0["by"] == "restore"));
                assert_eq!(log.len(), 4, "one for the order, and one for each import");
                Ok::<_, crate::store::StoreError>(())
            })
            .unwrap();
    });
}
