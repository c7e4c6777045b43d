//! What a clerk may do with a whole file: name its form, map its columns, take it whole or not at all, take it back; and what
//! a file may not do to the server.

use crate::browser::Browser;
use crate::parcels::ups;
use crate::server::{Database, Seller, Server, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{Cursor, Write};

on_both!(
    an_import_is_taken_back_unless_somebody_touched_it,
    one_bad_row_keeps_all_out_where_that_is_asked,
    a_form_is_known_named_or_mapped,
    a_small_file_that_unpacks_to_gigabytes_is_refused_at_the_door,
    a_short_sheet_does_not_wait_for_a_long_one,
    tracking_numbers_go_back_as_the_shop_s_own_file,
    a_clerk_does_it_all_on_the_page,
    a_seller_may_keep_doubtful_numbers_out,
    a_workbook_goes_in_and_what_is_wrong_comes_back,
);

const FORM: &str = "multipart/form-data; boundary=frontier";
const ORDERS: &str = "order_number,sku,quantity,country,recipient_name\nA-1,LAMP,1,US,Ida\nA-2,LAMP,1,DE,Bo\n";

fn start(database: Database) -> (Server, Seller) {
    let server = Server::start(database);
    let seller = server.seller("Sheets Ltd", "America/New_York");
    (server, seller)
}

fn an_import_is_taken_back_unless_somebody_touched_it(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let undo = |import: &Value| server.post(key, &format!("/v1/imports/{}/undo", text(&import["id"])), &json!({}));
    let orders = server.import(key, "kind=orders", ORDERS);
    let sheet = format!(
        "order_number,tracking_number,carrier,shipped_at\nA-1,{},UPS,2026-09-01\nA-2,{},UPS,2026-09-01\n",
        ups(1),
        ups(2)
    );
    let tracking = server.import(key, "kind=tracking", sheet.clone());

    let refused = undo(&orders).must_be(409).json();
    assert_eq!(refused["code"], "import_was_touched", "its orders have parcels: {refused}");
    assert!(text(&refused["detail"]).contains("shipment"), "{refused}");

    let undone = undo(&tracking).must_be(200).json();
    assert!(undone["undone_at"].is_string(), "{undone}");
    for table in ["shipments", "legs", "standings", "promise_changes"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
    assert_eq!((server.count("orders"), server.count("tracking_events")), (2, 2), "orders and events stay");
    assert_eq!(undo(&tracking).must_be(409).json()["code"], "import_undone");
    server.check_invariants();

    let again = server.import(key, "kind=tracking", sheet);
    assert_eq!(again["rows_created"], 2, "{again}");
    undo(&again).must_be(200);
    undo(&orders).must_be(200);
    for table in ["orders", "order_lines", "order_contacts"] {
        assert_eq!(server.count(table), 0, "{table}");
    }
    let told = server.get(key, "/v1/changes?types=order.removed").must_be(200).json();
    assert_eq!(told["data"].as_array().unwrap().len(), 2, "{told}");

    let changed = server.import(key, "kind=orders", ORDERS);
    let more = server.import(key, "kind=orders", ORDERS.replace("LAMP,1", "LAMP,4"));
    assert_eq!(undo(&more).must_be(409).json()["code"], "import_changed_others");
    assert_eq!(undo(&changed).must_be(409).json()["code"], "import_was_touched");
    let other = server.seller("Somebody else", "UTC");
    let path = format!("/v1/imports/{}/undo", text(&changed["id"]));
    server.post(&other.key, &path, &json!({})).must_be(404);
    server.check_invariants();
}

fn one_bad_row_keeps_all_out_where_that_is_asked(database: Database) {
    let (server, seller) = start(database);
    let bad = ORDERS.replace("DE", "Narnia");
    let import = server.import(&seller.key, "kind=orders&all_or_nothing=true", bad);
    assert_eq!(
        (&import["state"], &import["dry_run"], &import["rows_rejected"]),
        (&json!("failed"), &json!(true), &json!(1))
    );
    assert_eq!(import["errors"][0]["code"], "all_or_nothing", "{import}");
    assert_eq!(server.count("orders"), 0);
    assert_eq!(server.rows(&seller.key, &import).len(), 2, "what became of each row is told all the same");
    let import = server.import(&seller.key, "kind=orders&all_or_nothing=true", ORDERS);
    assert_eq!((&import["state"], &import["rows_created"]), (&json!("completed"), &json!(2)), "{import}");
    let rows = server.rows(&seller.key, &import);
    assert_eq!(rows[1]["read"]["recipient_name"], "Bo", "{rows:?}");
    assert_eq!(server.count("orders"), 2);
    server.check_invariants();
}

fn a_form_is_known_named_or_mapped(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let presets = server.get("", "/v1/presets").must_be(200).json();
    let presets = presets.as_array().unwrap();
    assert_eq!(presets.len(), 36);
    assert!(presets.iter().any(|it| it["id"] == "tiktok/bulk_ship" && it["is_written"] == true), "{presets:?}");

    let sheet = format!("Order ID,Shipping Provider Name,Tracking ID\n5769,UPS,{}\n", ups(3));
    let import = server.import(key, "create_orders=true", sheet.clone());
    assert_eq!((&import["preset"], &import["rows_created"]), (&json!("tiktok/bulk_ship"), &json!(1)), "{import}");
    let unknown = server.upload(key, "preset=tiktak/bulk", sheet.into_bytes()).must_be(400).json();
    assert!(text(&unknown["detail"]).contains("tiktak/bulk"), "{unknown}");

    let boundary = "frontier";
    let part = |name: &str, rest: &str, body: &str| {
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{body}\r\n")
    };
    let sent = |mapping: &str| {
        let file = part("file", "; filename=\"beleg.csv\"", &format!("Beleg;Paket\nB-1;{}\n", ups(4)));
        let body = part("mapping", "", mapping) + &file + &format!("--{boundary}--\r\n");
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        let body = Some((FORM, body.into_bytes()));
        server.try_send(&Method::POST, "/v1/imports?create_orders=true", &headers, body).unwrap()
    };
    let told = sent(r#"{"Beleg": "order_number", "Paket": "tracking_number"}"#).must_be(202).json();
    let import = server.end_of_import(key, &text(&told["id"]));
    assert_eq!((&import["state"], &import["rows_created"]), (&json!("completed"), &json!(1)), "{import}");
    assert_eq!(import["file"]["columns"]["Beleg"], "order_number", "{import}");
    assert_eq!(sent("Beleg=order_number").must_be(422).json()["errors"][0]["code"], "bad_mapping");
}

fn a_small_file_that_unpacks_to_gigabytes_is_refused_at_the_door(database: Database) {
    let (server, seller) = start(database);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..300 {
        bomb.write_all(&zeros).unwrap();
    }
    let one = bomb.finish().unwrap();
    // More members than any disk would hold, one behind the other.
    let bomb = one.repeat(30);
    let refused = server.upload(&seller.key, "kind=orders", bomb).must_be(413).json();
    assert_eq!(refused["code"], "too_large", "{refused}");
    assert_eq!((server.count("imports"), server.count("import_chunks")), (0, 0));
}

fn a_short_sheet_does_not_wait_for_a_long_one(database: Database) {
    let (server, seller) = start(database);
    let other = server.seller("Somebody else", "UTC");
    let rows: Vec<String> =
        (0..30_000).map(|row| format!("L-{row},LAMP,{},US,Person {row} of a long sheet", row % 9 + 1)).collect();
    let long = format!("order_number,sku,quantity,country,recipient_name\n{}\n", rows.join("\n"));
    let long = server.upload(&seller.key, "kind=orders", long.into_bytes()).must_be(202).json();
    let short = server.import(&other.key, "kind=orders", ORDERS);
    assert_eq!(short["rows_created"], 2, "{short}");
    let id = text(&long["id"]);
    let still = server.get(&seller.key, &format!("/v1/imports/{id}")).must_be(200).json();
    assert_ne!(still["state"], "completed", "the long one was done first: {still}");
    let done = server.end_of_import(&seller.key, &id);
    assert_eq!((&done["rows_created"], &done["progress"]), (&json!(30_000), &json!(1.0)), "{done}");
    let page = server.get(&seller.key, &format!("/v1/imports/{id}/rows?limit=3&outcome=created")).must_be(200).json();
    let lines: Vec<&Value> = page["data"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [2, 3, 4]);
    assert_eq!(page["data"][2]["read"]["recipient_name"], "Person 2 of a long sheet");
    server.check_invariants();
}

fn tracking_numbers_go_back_as_the_shop_s_own_file(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    server.import(key, "kind=orders", ORDERS);
    server.import(key, "kind=tracking", format!("order_number,tracking_number,carrier,shipped_at\nA-1,{},UPS,2026-09-01\nA-2,1Z999AA10123456785,UPS,2026-09-02\n", ups(5)));
    let file = server.get(key, "/v1/exports/tracking?preset=amazon/ship_confirm").must_be(200);
    let header =
        "order-id\torder-item-id\tquantity\tship-date\tcarrier-code\tcarrier-name\ttracking-number\tship-method";
    assert_eq!(
        file.text(),
        format!("{header}\r\nA-1\t\t\t2026-09-01\tUPS\t\t{}\t\r\n", ups(5)),
        "the doubtful one is left out"
    );
    let file = server.get(key, "/v1/exports/tracking?preset=tiktok/bulk_ship&include=suspicious").must_be(200).text();
    assert_eq!(file.lines().count(), 3, "{file}");
    let file =
        server.get(key, "/v1/exports/tracking?preset=tiktok/bulk_ship&since=2100-01-01T00:00:00Z").must_be(200).text();
    assert_eq!(file.lines().count(), 1, "{file}");
    let refused = server.get(key, "/v1/exports/tracking?preset=shopify/orders").must_be(400).json();
    assert!(text(&refused["detail"]).contains("amazon/ship_confirm"), "{refused}");
}

fn a_clerk_does_it_all_on_the_page(database: Database) {
    let (server, seller) = start(database);
    let mut clerk =
        Browser::joined(&server, &seller.key, ("cleo@example.com", "correct horse battery"), "seller-clerk");
    clerk.get("/imports").must_be(200);
    let boundary = "frontier";
    let file = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"dry_run\"\r\n\r\nyes\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"two.csv\"\r\n\r\n{}\r\n--{boundary}--\r\n",
        ORDERS.replace("DE", "Narnia")
    );
    let send = |clerk: &Browser<'_>, csrf: &str| {
        let cookies =
            clerk.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let path = format!("/imports?csrf={}", crate::browser::escaped(csrf));
        server.try_send(&Method::POST, &path, &[("cookie", &cookies)], Some((FORM, file.clone().into_bytes()))).unwrap()
    };
    send(&clerk, "somebody-else-s").must_be(403);
    let page = send(&clerk, &clerk.csrf.clone()).must_be(303).header("location").to_owned();
    let id = page.rsplit('/').next().unwrap().to_owned();
    server.end_of_import(&seller.key, &id);
    let tried = clerk.get(&page).must_be(200).text();
    for words in ["two.csv", "Tried", "Narnia", "Unknown country", "Take the good rows in"] {
        assert!(tried.contains(words), "{words}: {tried}");
    }
    let only = clerk.get(&format!("{page}?code=unknown_country")).must_be(200).text();
    assert!(only.contains("Narnia") && !only.contains("Ida"), "{only}");
    assert_eq!(server.count("orders"), 0);
    clerk.post(&format!("{page}/commit"), &[]).must_be(303);
    server.end_of_import(&seller.key, &id);
    assert_eq!(server.count("orders"), 1);
    let repaired = clerk.get(&format!("{page}/repaired.csv")).must_be(200).text();
    assert!(repaired.contains("A-2") && !repaired.contains("A-1"), "{repaired}");
    clerk.get(&page).must_be(200);
    clerk.post(&format!("{page}/undo"), &[]).must_be(303);
    assert_eq!(server.count("orders"), 0);
    assert!(clerk.get(&page).must_be(200).text().contains("Taken back"));
    clerk.post(&format!("{page}/undo"), &[]).must_be(409);
}

fn a_seller_may_keep_doubtful_numbers_out(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let sheet = "order_number,tracking_number,carrier\nA-1,1ZA1B2C30000000017,UPS\n";
    let sent =
        |query: &str| server.import(key, &format!("kind=tracking&create_orders=true&dry_run=true{query}"), sheet);
    assert_eq!(sent("")["rows_created"], 1, "a check digit that fails is a warning");
    assert_eq!(sent("&strictness=strict")["rows_rejected"], 1);
    let strict = json!({"import_strictness": "strict"});
    server
        .send(&Method::PATCH, key, "/v1/settings", Some(("application/json", strict.to_string().into_bytes())))
        .must_be(200);
    assert_eq!(sent("")["rows_rejected"], 1);
    assert_eq!(sent("&strictness=normal")["rows_created"], 1, "the upload has the last word");
}

fn a_workbook_goes_in_and_what_is_wrong_comes_back(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    let import = server.import(
        key,
        "",
        workbook(&[["order_number", "quantity", "country"], ["X-1", "2", "US"], ["X-2", "many", "DE"]]),
    );
    assert_eq!(
        (&import["kind"], &import["rows_created"], &import["rows_rejected"]),
        (&json!("orders"), &json!(1), &json!(1)),
        "{import}"
    );
    assert_eq!(import["file"]["encoding"], "xlsx", "{import}");
    let rows = server.rows(key, &import);
    assert_eq!(rows.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 3], "{rows:?}");
    assert_eq!(server.order(key, "X-1")["lines"][0]["quantity"], 2);
    let repaired = server.get(key, &format!("/v1/imports/{}/repaired.csv", text(&import["id"]))).must_be(200).text();
    assert!(repaired.contains("X-2,many,DE,"), "{repaired}");
    server.check_invariants();
}

/// The least that is a workbook: one sheet, its cells written in place.
fn workbook(rows: &[[&str; 3]]) -> Vec<u8> {
    const NAMES: &str = "http://schemas.openxmlformats.org";
    let row = |(number, cells): (usize, &[&str; 3])| {
        let cell = |(letter, text): (char, &&str)| {
            format!("<c r=\"{letter}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>", number = number + 1)
        };
        format!("<row r=\"{}\">{}</row>", number + 1, ('A'..).zip(cells).map(cell).collect::<String>())
    };
    let rows: String = rows.iter().enumerate().map(row).collect();
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{NAMES}/package/2006/relationships\"><Relationship Id=\"rId1\" \
             Type=\"{NAMES}/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{NAMES}/spreadsheetml/2006/main\" \
                 xmlns:r=\"{NAMES}/officeDocument/2006/relationships\"><sheets><sheet name=\"Orders\" sheetId=\"1\" \
                 r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{NAMES}/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
