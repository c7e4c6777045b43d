//! One parcel, from the sheet that announces it to the report that counts it late.

use crate::parcels::{days_ago, ups};
use crate::server::{Database, Server, text};
use serde_json::{Value, json};

on_both!(one_parcel_from_sheet_to_report);

fn one_parcel_from_sheet_to_report(database: Database) {
    let server = Server::start(database);
    let seller = server.seller("Lantern & Loom", "Europe/Berlin");
    let number = ups(70);

    an_order_comes_in_by_sheet(&server, &seller.key);
    its_parcel_is_followed(&server, &seller.key, &number);
    it_is_delivered_three_days_late(&server, &seller.key, &number);
    the_customer_sees_where_it_is(&server, &seller.key);
    the_report_counts_it_late(&server, &seller.key);
    server.check_invariants();
}

fn an_order_comes_in_by_sheet(server: &Server, key: &str) {
    let sheet = format!(
        "order_number,order_date,sku,item_name,quantity,unit_price,currency,recipient_name,address1,city,region,\
         postal_code,country,email,deliver_by,ship_from_country,ship_from_region\n\
         LL-1001,{},LAMP-7,Paper lantern,2,19.90,EUR,Ada Quill,5 Elm Street,Albany,NY,12207,US,ada@example.com,{},DE,BE\n",
        days_ago(20),
        days_ago(10)
    );
    let import = server.import(key, "kind=orders", sheet);
    assert_eq!(counts(&import), json!(["completed", 1, 1, 1, 0, 0, 0]), "{import}");
    let row = &server.rows(key, &import)[0];
    let order = server.order(key, "LL-1001");
    assert_eq!(
        (&row["line"], &row["outcome"], &row["order_id"]),
        (&json!(2), &json!("created"), &order["id"]),
        "{row}"
    );
    assert_eq!(order["promise"]["deliver_by_on"], days_ago(10).to_string(), "{order}");
}

fn its_parcel_is_followed(server: &Server, key: &str, number: &str) {
    let sheet = format!(
        "order_number,tracking_number,carrier,shipped_at\nLL-1001,{},UPS,{}T09:30:00\n",
        number.to_lowercase(),
        days_ago(18)
    );
    let import = server.import(key, "kind=tracking", sheet);
    assert_eq!(counts(&import), json!(["completed", 1, 1, 1, 0, 0, 0]), "{import}");
    let shipment = server.shipment(key, number);
    assert_eq!(shipment["id"], server.rows(key, &import)[0]["shipment_id"], "{shipment}");
    assert_eq!(shipment["carrier"], "ups", "{shipment}");
    assert_eq!(shipment["promise"]["deliver_by_on"], days_ago(10).to_string(), "{shipment}");
    assert!(text(&shipment["tracking_url"]).contains(number), "{shipment}");
}

fn it_is_delivered_three_days_late(server: &Server, key: &str, number: &str) {
    let [accepted, moving, on_the_van, delivered] = [18, 15, 7, 7].map(days_ago);
    let sheet = format!(
        "tracking_number,carrier,event_at,status,location,description\n\
         {number},ups,{delivered}T14:05:00-05:00,delivered,\"Albany, NY, US\",Left with the recipient\n\
         {number},ups,{accepted}T17:20:00+01:00,accepted,\"Berlin, DE\",Collected\n\
         {number},ups,{moving}T03:00:00-05:00,in_transit,\"Newark, NJ, US\",Arrived\n\
         {number},ups,{moving}T03:00:00-05:00,in_transit,\"Newark, NJ, US\",Arrived\n\
         {number},ups,{on_the_van}T08:11:00-05:00,out_for_delivery,\"Albany, NY, US\",On the van\n"
    );
    let import = server.import(key, "kind=events", sheet);
    assert_eq!((&import["state"], &import["rows_rejected"]), (&json!("completed"), &json!(0)), "{import}");
    assert_eq!(import["rows_unchanged"], 1, "a scan told twice is one scan: {import}");
    let shipment = server.shipment(key, number);
    assert_eq!(shipment["milestone"], "delivered", "{shipment}");
    let id = text(&shipment["id"]);
    let events = server.all(key, &format!("/v1/shipments/{id}/events"));
    let milestones: Vec<&Value> = events.iter().map(|event| &event["milestone"]).collect();
    assert_eq!(
        milestones,
        ["info_received", "in_transit", "in_transit", "out_for_delivery", "delivered"],
        "{events:?}"
    );
}

fn the_customer_sees_where_it_is(server: &Server, key: &str) {
    let link = text(&server.order(key, "LL-1001")["status_url"]);
    let status = server.track(&link, "application/json").must_be(200);
    let told = status.text();
    assert!(told.contains("LL-1001") && told.contains("delivered"), "{told}");
    for secret in ["Ada Quill", "Elm Street", "ada@example.com", key] {
        assert!(!told.contains(secret), "the page tells {secret}: {told}");
    }

    let page = server.track(&link, "text/html").must_be(200);
    let html = page.text();
    for words in ["LL-1001", "Delivered", "width=device-width"] {
        assert!(html.contains(words), "{words} is not on the page:\n{html}");
    }
    assert!(!html.contains("Ada Quill") && !html.contains("Elm Street"), "{html}");
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("x-robots-tag").contains("noindex"));
    assert!(page.header("cache-control").contains("private") || page.header("cache-control").contains("no-store"));
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));

    let (start, token) = link.rsplit_once('/').unwrap();
    let other: String = token.chars().rev().collect();
    server.track(&format!("{start}/{other}"), "application/json").must_be(404);
}

fn the_report_counts_it_late(server: &Server, key: &str) {
    let report = server.delays(key, "group_by=origin_country,destination_country,carrier");
    let totals = &report["totals"];
    assert_eq!(
        (&totals["delivered"], &totals["on_time"], &totals["late"]),
        (&json!(1), &json!(0), &json!(1)),
        "{report}"
    );
    let group = &report["groups"][0];
    assert_eq!(
        group["key"],
        json!({"origin_country": "DE", "destination_country": "US", "carrier": "ups"}),
        "{report}"
    );
    assert_eq!((&group["transit_days"]["p50"], &group["lateness_days"]["max"]), (&json!(11), &json!(3)), "{report}");

    let report = server.delays(key, "rows=shipments");
    let shipment = &report["shipments"][0];
    assert_eq!(
        (&shipment["order_number"], &shipment["verdict"]),
        (&json!("LL-1001"), &json!("delivered_late")),
        "{report}"
    );
}

/// State, then rows: all, accepted, created, updated, unchanged, rejected.
fn counts(import: &Value) -> Value {
    let fields =
        ["state", "rows_total", "rows_accepted", "rows_created", "rows_updated", "rows_unchanged", "rows_rejected"];
    fields.iter().map(|field| import[field].clone()).collect()
}
