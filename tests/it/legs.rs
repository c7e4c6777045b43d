//! Sheets of legs: what a forwarder tells of the parcels that it handed over.

use crate::parcels::ups;
use crate::server::{Database, Seller, Server, text};
use serde_json::{Value, json};

on_both!(
    a_parcel_is_followed_under_both_of_its_numbers,
    the_forwarder_may_be_the_first_to_tell_of_a_parcel,
    a_row_that_could_mean_any_parcel_is_sent_back,
);

const ORDERS: &str =
    "order_number,order_date,quantity,country\nA-1,2026-08-30,1,US\nA-2,2026-08-30,1,US\nA-3,2026-08-30,1,US\n";
const HEADER: &str = "order_number,forwarder_number,forwarder,last_mile_carrier,last_mile_number,handed_over_at";

fn start(database: Database) -> (Server, Seller) {
    let server = Server::start(database);
    let seller = server.seller("Far Away Ltd", "Asia/Shanghai");
    server.import(&seller.key, "kind=orders", ORDERS);
    (server, seller)
}

fn legs(server: &Server, seller: &Seller, rows: &str) -> Value {
    server.import(&seller.key, "kind=legs", format!("{HEADER}\n{rows}"))
}

fn codes(server: &Server, seller: &Seller, import: &Value) -> Vec<String> {
    let rows = server.rows(&seller.key, import);
    rows.iter().map(|row| row["errors"][0]["code"].as_str().unwrap_or("none").to_owned()).collect()
}

fn a_parcel_is_followed_under_both_of_its_numbers(database: Database) {
    let (server, seller) = start(database);
    let key = &seller.key;
    server.import(
        key,
        "kind=tracking",
        "order_number,tracking_number,carrier,shipped_at\nA-1,FWD0000017,other,2026-09-01\nA-2,FWD0000017,other,2026-09-01\n",
    );
    // One parcel of the forwarder's holds both orders, and its number is enough to tell them.
    let row = format!(",FWD0000017,other,UPS,{},2026-09-08T14:00:00\n", ups(1));
    let import = legs(&server, &seller, &row);
    assert_eq!((&import["kind"], &import["rows_updated"]), (&json!("legs"), &json!(1)), "{import}");
    assert_eq!(server.count("legs"), 4);
    let listed = server.all(key, "/v1/shipments");
    assert_eq!(listed.len(), 2);
    for shipment in listed {
        let shipment = server.get(key, &format!("/v1/shipments/{}", text(&shipment["id"]))).must_be(200).json();
        assert_eq!(shipment["tracking_number"], "FWD0000017", "it goes under the number that it was sent under");
        assert_eq!(shipment["legs"][1]["tracking_number"], json!(ups(1)), "{shipment}");
        assert_eq!(shipment["legs"][1]["carrier"], "ups");
        assert_eq!(
            shipment["legs"][1]["handed_over"],
            json!({"local": "2026-09-08T14:00:00", "offset": null, "utc": null}),
            "{shipment}"
        );
        assert_eq!(shipment["legs"][0]["handed_over"], Value::Null);
        assert_eq!(shipment["sub_status"], "in_transit.handed_over", "{shipment}");
    }

    assert_eq!(legs(&server, &seller, &row)["rows_unchanged"], 1, "the same sheet again");
    let blank = row.replace("2026-09-08T14:00:00", "");
    assert_eq!(legs(&server, &seller, &blank)["rows_unchanged"], 1, "a blank cell leaves what is stored");
    let later = row.replace("2026-09-08T14", "2026-09-09T14");
    assert_eq!(legs(&server, &seller, &later)["rows_updated"], 1);
    assert_eq!(server.count("legs"), 4);
    let history =
        server.get(key, &format!("/v1/shipments/{}/events", text(&server.all(key, "/v1/shipments")[0]["id"])));
    let told: Vec<Value> = history.must_be(200).json()["data"].as_array().unwrap().clone();
    let handed = told.iter().filter(|it| it["sub_status"] == "in_transit.handed_over");
    assert_eq!(
        handed.map(|it| text(&it["occurred"]["local"])).collect::<Vec<_>>(),
        ["2026-09-09T14:00:00"],
        "{told:?}"
    );

    let delivered = format!("tracking_number,carrier,event_at,status\n{},UPS,2026-09-12T10:00:00,delivered\n", ups(1));
    server.import(key, "kind=events", delivered);
    for shipment in server.all(key, "/v1/shipments") {
        assert_eq!(shipment["milestone"], "delivered", "what the last mile says is said of the parcel: {shipment}");
    }
    let undo = server.post(key, &format!("/v1/imports/{}/undo", text(&import["id"])), &json!({}));
    assert_eq!(undo.must_be(409).json()["code"], "import_changed_others");
    server.check_invariants();
}

fn the_forwarder_may_be_the_first_to_tell_of_a_parcel(database: Database) {
    let (server, seller) = start(database);
    let import =
        legs(&server, &seller, &format!("A-1,FWD0000017,other,UPS,{},2026-09-08\nA-2,,,UPS,{},\n", ups(1), ups(2)));
    assert_eq!(import["rows_created"], 2, "{import}");
    let numbers = |number: &str| {
        let shipment = server.shipment(&seller.key, number);
        let legs = shipment["legs"].as_array().unwrap().iter();
        legs.map(|leg| text(&leg["tracking_number"])).collect::<Vec<_>>()
    };
    assert_eq!(numbers("FWD0000017"), ["FWD0000017".to_owned(), ups(1)]);
    assert_eq!(numbers(&ups(2)), [ups(2)]);
    server.check_invariants();
    server.post(&seller.key, &format!("/v1/imports/{}/undo", text(&import["id"])), &json!({})).must_be(200);
    assert_eq!((server.count("legs"), server.count("shipments"), server.count("orders")), (0, 0, 3));
    server.check_invariants();
}

fn a_row_that_could_mean_any_parcel_is_sent_back(database: Database) {
    let (server, seller) = start(database);
    let sheet = format!(
        "order_number,tracking_number,carrier\nA-1,FWD0000017,other\nA-1,FWD0000018,other\nA-2,FWD0000019,other\nA-2,{},UPS\n",
        ups(9)
    );
    server.import(&seller.key, "kind=tracking", sheet);
    let rows = format!(
        "A-1,,,UPS,{one},\nNOBODY,,,UPS,{one},\n,FWD0009999,other,UPS,{one},\n,,,UPS,{one},\nA-1,FWD0000017,other,UPS,,\n\
         A-1,FWD0000017,other,UPS,9.4E+21,\nA-2,FWD0000019,other,UPS,{taken},\n",
        one = ups(1),
        taken = ups(9)
    );
    let import = legs(&server, &seller, &rows);
    let told = codes(&server, &seller, &import);
    let expected = [
        "which_parcel",
        "order_not_found",
        "tracking_number_not_found",
        "missing_field",
        "missing_field",
        "scientific_notation",
        "number_taken",
    ];
    assert_eq!(told, expected, "{import}");
    let row = &server.rows(&seller.key, &import)[0];
    assert!(text(&row["errors"][0]["detail"]).contains("2 parcels"), "{row}");
    assert_eq!(server.count("legs"), 4, "nothing of it was taken");
    server.check_invariants();
}
