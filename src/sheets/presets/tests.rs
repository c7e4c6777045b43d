//! What comes out of a file in each form, and which form a header is taken for.

use super::super::tests::{self, options};
use super::super::{Options, Record, SheetError, Survey, records, survey};
use super::*;

/// A form, rows in it (the header is the form's own), and what must be read of each row.
type Case = (&'static str, &'static [&'static [(&'static str, &'static str)]], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "shopify/orders",
        &[
            &[
                ("Name", "#2001"),
                ("Email", "ida@example.com"),
                ("Created at", "2026-03-04 08:00:00 -0500"),
                ("Lineitem quantity", "2"),
                ("Lineitem name", "Candle"),
                ("Lineitem price", "12.50"),
                ("Lineitem sku", "CAN-1"),
                ("Shipping Name", "Ida Example"),
                ("Shipping Zip", "'02139"),
                ("Shipping Country", "US"),
                ("Currency", "USD"),
                ("Fulfillment Status", "unfulfilled"),
            ],
            &[("Name", "#2001"), ("Lineitem quantity", "1"), ("Lineitem name", "Wick"), ("Lineitem sku", "WIC-1")],
        ],
        &[
            "order_number=#2001 order_date_utc=2026-03-04T13:00:00Z postal_code=02139 unit_price=12.50 sku=CAN-1 quantity=2",
            "order_number=#2001 sku=WIC-1 quantity=1",
        ],
    ),
    (
        "shopify/matrixify_fulfillments",
        &[&[
            ("Name", "#7"),
            ("Line: SKU", "A"),
            ("Line: Quantity", "3"),
            ("Fulfillment: Status", "success"),
            ("Fulfillment: Tracking Company", "UPS"),
            ("Fulfillment: Tracking Number", "1Z5R89390357567127"),
        ]],
        &["order_number=#7 carrier=ups tracking_number=1Z5R89390357567127 quantity=3"],
    ),
    (
        "woocommerce/webtoffee",
        &[&[
            ("order_id", "55"),
            ("order_number", "W-55"),
            ("order_date", "2026-05-06 07:08:09"),
            ("shipping_first_name", "Eva"),
            ("shipping_last_name", "Muster"),
            ("shipping_country", "AT"),
            ("order_currency", "EUR"),
            ("line_item_1", "name:Bowl|sku:B-1|quantity:2|total:9.00"),
            ("line_item_2", "name:Cup|sku:C-1|quantity:1|total:4.00"),
        ]],
        &["order_number=W-55 order_ref=55 recipient_name=Eva_Muster sku=B-1 quantity=2 country=AT"],
    ),
    (
        "woocommerce/analytics",
        &[&[("Date", "2026-01-31"), ("Order #", "90"), ("Items sold", "4"), ("Customer", "Max Muster")]],
        &["order_number=90 quantity=4 order_date=2026-01-31 recipient_name=Max_Muster"],
    ),
    (
        "woocommerce/ast",
        &[&[
            ("order_id", "9"),
            ("tracking_provider", "FedEx"),
            ("tracking_number", "986578788855"),
            ("date_shipped", "03-04-2026"),
            ("status_shipped", "1"),
        ]],
        &["order_number=9 carrier=fedex shipped_at=2026-04-03 status=completed"],
    ),
    (
        "magento/grid",
        &[&[
            ("ID", "000000777"),
            ("Purchase Point", "Main"),
            ("Purchase Date", "Feb 3, 2026 1:05:00 PM"),
            ("Ship-to Name", "Ola Nord"),
            ("Shipping Address", "Suite 5, 7 Fjord Rd,Tampa,Florida,33601"),
        ]],
        &[
            "order_number=000000777 order_date=2026-02-03T13:05:00 address1=Suite_5,_7_Fjord_Rd city=Tampa region=Florida postal_code=33601",
        ],
    ),
    (
        "prestashop/orders",
        &[&[
            ("ID", "4"),
            ("Reference", "QWERTZUIO"),
            ("Delivery", "Italy"),
            ("Customer", "L. ROSSI"),
            ("Date", "2026-02-01 10:00:00"),
        ]],
        &["order_number=QWERTZUIO order_ref=4 country=IT order_date=2026-02-01T10:00:00"],
    ),
    (
        "bigcommerce/orders",
        &[&[
            ("Order ID", "31"),
            ("Ship Method", "Air"),
            ("Shipping First Name", "Bo"),
            ("Shipping Last Name", "Li"),
            ("Shipping Country", "Canada"),
            ("Order Date", "02/25/2026"),
            (
                "Product Details",
                "Product ID: 1, Product Qty: 2, Product SKU: P-1, Product Name: Pin|Product ID: 2, Product Qty: 1, Product SKU: P-2, Product Name: Pad",
            ),
        ]],
        &["order_number=31 recipient_name=Bo_Li sku=P-1 quantity=2 order_date=2026-02-25 country=CA"],
    ),
    (
        "squarespace/orders",
        &[&[
            ("Order ID", "00042"),
            ("Financial Status", "PAID"),
            ("Lineitem variant", "L"),
            ("Lineitem sku", "SQ1"),
            ("Created at", "2026-02-03 04:05:06 -0400"),
            ("Shipping Country", "United States"),
            ("Shipping Name", "Al Bee"),
        ]],
        &["order_number=00042 sku=SQ1 country=US order_date_utc=2026-02-03T08:05:06Z"],
    ),
    (
        "etsy/sold_order_items",
        &[&[
            ("Sale Date", "02/28/26"),
            ("Transaction ID", "71"),
            ("Order ID", "311"),
            ("Ship Zipcode", "04101"),
            ("Ship Country", "United States"),
            ("Quantity", "2"),
            ("Price", "5.25"),
            ("Date Shipped", "03/01/2026"),
        ]],
        &["order_number=311 line_id=71 order_date=2026-02-28 quantity=2 unit_price=5.25 postal_code=04101 country=US"],
    ),
    (
        "etsy/sold_orders",
        &[&[
            ("Sale Date", "02/28/26"),
            ("Order ID", "312"),
            ("Number of Items", "3"),
            ("Full Name", "Cy Dee"),
            ("Ship Country", "France"),
        ]],
        &["order_number=312 quantity=3 recipient_name=Cy_Dee country=FR"],
    ),
    (
        "ebay/orders_report",
        &[
            &[
                ("Sales Record Number", "5"),
                ("Order Number", "11-1"),
                ("Buyer Username", "x"),
                ("Ship To Name", "Gil Hay"),
                ("Ship To Country", "United Kingdom"),
                ("Sale Date", "Mar-04-26"),
                ("Quantity", "2"),
            ],
            &[
                ("Sales Record Number", "5"),
                ("Order Number", "11-1"),
                ("Item Number", "901"),
                ("Custom Label", "K1"),
                ("Quantity", "1"),
                ("Sold For", "$7.10"),
                ("Tracking Number", "9400111206206406260787"),
                ("Shipped On Date", "Mar-05-26"),
            ],
            &[("Sales Record Number", "6"), ("Item Number", "902"), ("Custom Label", "K2"), ("Quantity", "1")],
        ],
        &[
            "order_number=11-1 recipient_name=Gil_Hay country=GB order_date=2026-03-04",
            "order_number=11-1 sku=K1 unit_price=7.10 tracking_number=9400111206206406260787 shipped_at=2026-03-05",
            "order_number=6 sku=K2",
        ],
    ),
    (
        "ebay/tracking_upload",
        &[&[("Order ID", "11-2"), ("Shipment Carrier", "USPS"), ("Shipment Tracking", "9400111206206406260787")]],
        &["order_number=11-2 carrier=usps tracking_number=9400111206206406260787"],
    ),
    (
        "amazon/unshipped",
        &[&[
            ("order-id", "701-1"),
            ("order-item-id", "8"),
            ("promise-date", "2026-03-09T06:59:59+00:00"),
            ("product-name", "5\" Bolt"),
            ("quantity-to-ship", "4"),
            ("ship-country", "US"),
            ("sku", "007"),
        ]],
        &["order_number=701-1 line_id=8 ship_by_utc=2026-03-09T06:59:59Z quantity=4 sku=007 item_name=5\"_Bolt"],
    ),
    (
        "amazon/new_orders",
        &[&[
            ("order-id", "701-2"),
            ("order-item-id", "9"),
            ("item-price", "9.99"),
            ("quantity-purchased", "3"),
            ("currency", "USD"),
        ]],
        &["order_number=701-2 unit_price=3.33 quantity=3"],
    ),
    (
        "amazon/ship_confirm",
        &[&[
            ("order-id", "701-3"),
            ("ship-date", "2026-03-04"),
            ("carrier-code", "Other"),
            ("carrier-name", "OnTrac"),
            ("tracking-number", "D10011354453707"),
        ]],
        &["order_number=701-3 carrier=ontrac shipped_at=2026-03-04"],
    ),
    (
        "walmart/orders",
        &[&[
            ("PO#", "4801"),
            ("Order#", "2001"),
            ("Line#", "1"),
            ("FLIDS", ""),
            ("Qty", "2"),
            ("Item Cost", "4.00"),
            ("Order Date", "2026-03-01"),
            ("Ship By", "2026-03-02"),
            ("Zip", "85014"),
            ("Shipping Tier", "Standard"),
        ]],
        &["order_number=4801 order_ref=2001 line_id=1 country=US quantity=2 ship_by=2026-03-02"],
    ),
    (
        "tiktok/orders",
        &[
            &[
                ("Order ID", "Platform unique order ID."),
                ("Order Status", "Current order status."),
                ("Quantity", "How many."),
            ],
            &[
                ("Order ID", "576900000000000001\t"),
                ("Order Substatus", "x"),
                ("Seller SKU", "T-1"),
                ("SKU ID", "17\t"),
                ("Shipping Provider Name", "USPS"),
                ("Tracking ID", "9400111206206406260787"),
                ("Quantity", "1"),
                ("Created Time", "03/04/2026 01:02:03 PM\t"),
                ("Country", "United States"),
            ],
        ],
        &["order_number=576900000000000001 line_id=17 order_date=2026-03-04T13:02:03 carrier=usps country=US"],
    ),
    (
        "tiktok/bulk_ship",
        &[&[("Order ID", "5769"), ("Shipping Provider Name", "UPS"), ("Tracking ID", "1Z5R89390357567127")]],
        &["order_number=5769 carrier=ups tracking_number=1Z5R89390357567127"],
    ),
    (
        "shopee/orders",
        &[&[
            ("Order ID", "2603X"),
            ("Tracking Number*", "SPXMY012345678B"),
            ("Estimated Ship Out Date", "2026-03-05 23:59"),
            ("Shipping Option", "Standard-SPX Express"),
            ("Deal Price", "1.50"),
            ("Quantity", "2"),
            ("Country", "MY"),
        ]],
        &["order_number=2603X carrier=spx-express ship_by=2026-03-05T23:59:00 unit_price=1.50"],
    ),
    (
        "lazada/orders",
        &[
            &[
                ("orderItemId", "1"),
                ("orderNumber", "66"),
                ("sellerSku", "S"),
                ("trackingCode", ""),
                ("createTime", "2 Mar 2026 09:00"),
            ],
            &[
                ("orderItemId", "2"),
                ("orderNumber", "66"),
                ("sellerSku", "S"),
                ("trackingCode", ""),
                ("createTime", "2 Mar 2026 09:00"),
            ],
        ],
        &["order_number=66 line_id=1 order_date=2026-03-02T09:00:00", "order_number=66 line_id=2"],
    ),
    (
        "shipstation/shipments",
        &[&[
            ("Order - Number", "S1"),
            ("Shipment - Tracking Number", "=\"9400111206206406260787\""),
            ("Ship To - Country", "US"),
            ("Shipment - Carrier", "Stamps.com"),
            ("Shipment - Service", "USPS Priority Mail"),
            ("Date - Shipped Date", "3/14/2026"),
        ]],
        &["order_number=S1 carrier=usps tracking_number=9400111206206406260787 shipped_at=2026-03-14"],
    ),
    (
        "shipstation/order_import",
        &[&[
            ("Order ID (required)", "S2"),
            ("Order Date", "3/14/2026"),
            ("Requested Service", "Fast"),
            ("Ship To - Country", "US"),
        ]],
        &["order_number=S2 order_date=2026-03-14 shipping_method=Fast country=US"],
    ),
    (
        "aftership/import",
        &[&[
            ("tracking_number", "9400111206206406260787"),
            ("courier", "usps"),
            ("title", "#9"),
            ("destination_country", "CAN"),
            ("tracking_ship_date", "20260314"),
        ]],
        &["order_number=#9 carrier=usps country=CA shipped_at=2026-03-14"],
    ),
    (
        "17track/import",
        &[&[("Tracking Number", "RR123456785CN"), ("Carrier", "China Post"), ("Order No.", "71")]],
        &["order_number=71 carrier=china-post tracking_number=RR123456785CN"],
    ),
    (
        "parcelpanel/import",
        &[&[
            ("Order number", "#8"),
            ("Tracking number", "1Z5R89390357567127"),
            ("Courier", "UPS"),
            ("Date shipped", "2026/03/14"),
        ]],
        &["order_number=#8 carrier=ups shipped_at=2026-03-14"],
    ),
    (
        "pirateship/import",
        &[&[
            ("Name", "Jo Kay"),
            ("Address", "1 A St"),
            ("Zipcode", "02139"),
            ("Country", "US"),
            ("Order ID", "P1"),
            ("Pounds", "2"),
        ]],
        &["order_number=P1 recipient_name=Jo_Kay postal_code=02139 weight_lb=2"],
    ),
    (
        "pirateship/export",
        &[&[
            ("Created Date", "Friday, March 13, 2026"),
            ("Ship Date", "03/14/2026"),
            ("Recipient", "Jo Kay"),
            ("Tracking Number", "9400111206206406260787"),
            ("Tracking Status", "In Transit"),
            ("Carrier", "USPS"),
            ("Order ID", "P2"),
            ("Batch", "1"),
            ("Country", "US"),
        ]],
        &["order_number=P2 carrier=usps shipped_at=2026-03-14 status=In_Transit"],
    ),
    (
        "royalmail/clickdrop_import",
        &[&[
            ("Order reference", "R1"),
            ("Order date", "2026-03-14"),
            ("Recipient postcode", "OX1 1BP"),
            ("Recipient country", "GB"),
            ("Weight", "0.25"),
        ]],
        &["order_number=R1 postal_code=OX1_1BP weight_kg=0.25 country=GB"],
    ),
    (
        "royalmail/clickdrop_export",
        &[&[
            ("Order reference", "R2"),
            ("Dispatch date", "03/04/2026"),
            ("Tracking number", "QM123456785GB"),
            ("Country", "United Kingdom"),
        ]],
        &["order_number=R2 shipped_at=2026-04-03 tracking_number=QM123456785GB country=GB"],
    ),
    (
        "dhl_de/geschaeftskunden",
        &[&[
            ("Sendungsreferenz", "D1"),
            ("Empfänger PLZ", "01067"),
            ("Empfänger Straße", "Ring"),
            ("Empfänger Hausnummer", "3b"),
            ("Empfänger Land", "DEU"),
            ("Gewicht", "1,5"),
            ("Empfänger Name 1", "Ute Groß"),
        ]],
        &["order_number=D1 address1=Ring_3b postal_code=01067 country=DE weight_kg=1.5"],
    ),
    (
        "ups/worldship_import",
        &[&[
            ("ShipTo_CompanyOrName", "Acme"),
            ("ShipTo_Attention", "Lu Wu"),
            ("Package_Weight", "3"),
            ("Package_Reference1", "U1"),
            ("ShipTo_Country", "US"),
        ]],
        &["order_number=U1 recipient_name=Lu_Wu company=Acme weight_lb=3"],
    ),
    (
        "ups/worldship_export",
        &[
            &[
                ("Package Tracking Number", "1Z5R89390357567127"),
                ("Package Reference Number 1", "U2"),
                ("Shipment Information Void Indicator", "Y"),
            ],
            &[
                ("Package Tracking Number", "1Z5R89390357567127"),
                ("Package Reference Number 1", "U3"),
                ("Shipment Information Void Indicator", "N"),
                ("Shipment Information Collection Date", "20260314101500"),
            ],
        ],
        &["order_number=U3 tracking_number=1Z5R89390357567127 shipped_at=2026-03-14T10:15:00"],
    ),
    (
        "qapla/import",
        &[&[
            ("Courier Code", "GLS"),
            ("Tracking Number", "518212345670"),
            ("Reference", "Q1"),
            ("Shipping Date", "2026-03-14"),
            ("Country", "IT"),
        ]],
        &["order_number=Q1 carrier=gls shipped_at=2026-03-14 country=IT"],
    ),
    (
        "channeladvisor/tracking",
        &[&[
            ("Invoice Number", "C1"),
            ("Tracking Number", "1Z5R89390357567127"),
            ("Shipping Carrier", "UPS"),
            ("Ship Date", "3/14/2026"),
            ("Quantity", "2"),
        ]],
        &["order_number=C1 carrier=ups shipped_at=2026-03-14 quantity=2"],
    ),
];

/// A file with the form's own header, in its dialect.
fn file(preset: &Preset, rows: &[&[(&str, &str)]]) -> String {
    let header = own_header(preset);
    let mark = preset.delimiter.to_string();
    let quoted = |text: &str| {
        let needs = !preset.unquoted && (text.contains(['"', '\n']) || text.contains(preset.delimiter));
        if needs { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let mut lines = vec![header.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(&mark)];
    for row in rows {
        for (name, _) in *row {
            assert!(header.iter().any(|it| it == name), "{}: {name}", preset.id);
        }
        let cell = |name: &String| row.iter().find(|(it, _)| it == name).map_or("", |(_, text)| text);
        lines.push(header.iter().map(|name| quoted(cell(name))).collect::<Vec<_>>().join(&mark));
    }
    lines.join("\r\n") + "\r\n"
}

/// Other names of one header do not stand beside it.
fn own_header(preset: &Preset) -> Vec<String> {
    let english =
        |name: &&String| !preset.detect.iter().any(|any| any.split('|').skip(1).any(|it| it == name.as_str()));
    preset.headers.iter().filter(english).cloned().collect()
}

#[test]
fn every_form_is_known_by_its_header_and_its_fields_come_out() {
    let mut untested: Vec<&str> = all().iter().map(|it| it.id.as_str()).filter(|id| *id != HEADERLESS).collect();
    for (id, rows, expected) in CASES {
        untested.retain(|it| it != id);
        let preset = named(id).unwrap();
        let (survey, records) = read_with(&file(preset, rows), &options());
        assert_eq!(survey.preset, *id, "{:?}", survey.columns);
        assert_eq!(records.len(), expected.len(), "{id}");
        for (record, expected) in records.iter().zip(*expected) {
            assert_eq!(record.errors, [], "{id}");
            for told in expected.split(' ') {
                let (column, value) = told.split_once('=').unwrap();
                let read = record.read.iter().find(|(name, _)| *name == column).map(|(_, it)| it.replace(' ', "_"));
                assert_eq!(read.as_deref(), Some(value), "{id}, {column}");
            }
        }
    }
    assert_eq!(untested, [""; 0], "each form has a case");
}

#[test]
fn two_columns_without_a_header_are_an_order_and_its_number() {
    let (survey, records) = read_with("100004,9400111206206406260787\n100005,1Z5R89390357567127\n", &options());
    assert_eq!((survey.preset, records.len(), records[0].line), (HEADERLESS, 2, 1));
    assert_eq!(records[1].read[0], ("order_number", "100005".to_owned()));
}

#[test]
fn columns_may_be_moved_left_out_and_added() {
    for (id, rows, _) in CASES {
        let preset = named(id).unwrap();
        let mut cells: Vec<Vec<String>> =
            file(preset, rows).lines().map(|line| line.split(preset.delimiter).map(str::to_owned).collect()).collect();
        if cells.iter().any(|row| row.len() != cells[0].len()) {
            continue; // Cells in quotation marks do not move by splitting.
        }
        for row in &mut cells {
            row.reverse();
            row.push(String::new());
        }
        cells[0].last_mut().unwrap().push_str("Warehouse mood");
        cells[0].iter_mut().for_each(|name| *name = format!(" {} ", name.to_uppercase()));
        let mark = preset.delimiter.to_string();
        let text = cells.iter().map(|row| row.join(&mark)).collect::<Vec<_>>().join("\n");
        let (survey, _) = read_with(&text, &options());
        // Ours knows as many of the headers of this one, and one is nobody's.
        let known_as = if *id == "17track/import" { CANONICAL } else { id };
        assert_eq!(survey.preset, known_as, "{text}");
    }
}

#[test]
fn packed_lines_are_unpacked() {
    let line = |sku: &str, name: &str, quantity: &str, total: Option<&str>| PackedLine {
        sku: Some(sku.to_owned()),
        item_name: Some(name.to_owned()),
        quantity: Some(quantity.to_owned()),
        total: total.map(str::to_owned),
    };
    assert_eq!(packed_lines("name:Mug|sku:M|quantity:2|total:30.00"), [line("M", "Mug", "2", Some("30.00"))]);
    assert_eq!(
        packed_lines(
            "Product Qty: 1, Product SKU: A, Product Name: Box|Product Qty: 2, Product SKU: B, Product Name: Lid"
        ),
        [line("A", "Box", "1", None), line("B", "Lid", "2", None)]
    );
    assert_eq!(packed_lines("two mugs"), []);
    assert_eq!((divided("9.99", 3), divided("10.00", 3)), (Some("3.33".to_owned()), None));
}

#[test]
fn the_caller_names_a_form_or_maps_columns() {
    let told = |preset: Option<&str>, mapping: &[(&str, &str)]| Options {
        preset: preset.map(str::to_owned),
        mapping: mapping.iter().map(|(header, name)| ((*header).to_owned(), (*name).to_owned())).collect(),
        ..options()
    };
    let text = "Beleg;Paket;Bote\nB-1;1Z5R89390357567127;UPS\n";
    let mapping = [("beleg", "order_number"), ("Paket", "tracking_number"), ("Bote", "carrier")];
    let (survey, rows) = read_with(text, &told(None, &mapping));
    assert_eq!((survey.preset, rows[0].read[0].1.as_str()), (CANONICAL, "B-1"));
    assert_eq!(survey.columns[1], ("Paket".to_owned(), Some("tracking_number")));

    let refused = |text: &str, options: &Options| match survey_of(text, options) {
        Err(SheetError::Rejected(rejected)) => rejected.errors.iter().map(|it| it.code.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(text, &told(Some("shopfy/orders"), &[])), ["unknown_preset"]);
    assert_eq!(refused("Order ID,Tracking ID\n1,2\n", &told(Some("shopify/orders"), &[])), ["missing_column"]);
    assert_eq!(refused(text, &told(None, &[("Beleg", "order_nr"), ("Paket", "tracking_number")]))[0], "unknown_column");
    assert_eq!(
        refused(text, &told(None, &[("Nummer", "order_number"), ("Paket", "tracking_number")]))[0],
        "missing_column"
    );

    // A form and a map together: the map's word counts.
    let header = "Order ID,Shipping Provider Name,Tracking ID,My number\n5,UPS,1Z5R89390357567127,77\n";
    let (survey, rows) = read_with(header, &told(Some("tiktok/bulk_ship"), &[("My number", "order_number")]));
    assert_eq!((survey.preset, rows[0].read[0].clone()), ("tiktok/bulk_ship", ("order_number", "77".to_owned())));
}

fn read_with(text: &str, options: &Options) -> (Survey, Vec<Record>) {
    tests::read_with(text.as_bytes(), options)
}

fn survey_of(text: &str, options: &Options) -> Result<Survey, SheetError> {
    let survey = survey(text.as_bytes(), options)?;
    drop(records(text.as_bytes(), &survey, options)?);
    Ok(survey)
}
