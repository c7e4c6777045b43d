//! The columns of our own form, and the names under which people write them.

use super::kind::Kind;

/// One column of our own form.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    kinds: &'static [Kind],
    /// What its cells look like, where the whole file has to be seen to read one.
    pub(super) holds: Holds,
    /// Other names, as [`folded`] leaves them, the better ones first.
    aliases: &'static [&'static str],
}

/// What has to be settled over the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Nothing.
    Plain,
    /// The order of day and month.
    Time,
    /// The decimal mark.
    Decimal,
}

impl Column {
    pub(super) fn is_in(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// How good a name this is for the column: 0 is its own, larger is an alias, `None` is another column's.
    fn rank(&self, folded: &str) -> Option<usize> {
        if self.name.replace('_', " ") == folded || self.name.replace('_', "") == folded {
            return Some(0);
        }
        self.aliases.iter().position(|alias| *alias == folded).map(|place| place + 1)
    }
}

const O: &[Kind] = &[Kind::Orders, Kind::Combined];
const T: &[Kind] = &[Kind::Tracking, Kind::Combined];
const OT: &[Kind] = &[Kind::Orders, Kind::Tracking, Kind::Combined];
const OTL: &[Kind] = &[Kind::Orders, Kind::Tracking, Kind::Combined, Kind::Legs];
const N: &[Kind] = &[Kind::Tracking, Kind::Combined, Kind::Events];
const OTE: &[Kind] = &[Kind::Orders, Kind::Tracking, Kind::Combined, Kind::Events];
const E: &[Kind] = &[Kind::Events];
const L: &[Kind] = &[Kind::Legs];

macro_rules! columns {
    ($($name:literal $kinds:ident $holds:ident $([$($alias:literal),* $(,)?])?;)*) => {
        /// Every column, in the order of the templates.
        pub(super) static ALL: &[Column] = &[$(Column {
            name: $name,
            kinds: $kinds,
            holds: Holds::$holds,
            aliases: &[$($($alias),*)?],
        }),*];
    };
}

columns! {
    "order_number" OTL Plain [
        "order no", "order #", "order id", "order", "order num", "order code", "order name", "sales order",
        "sales order number", "shop order number", "customer order number",
    ];
    "order_ref" O Plain ["order reference", "customer reference", "reference", "ref", "po number", "external order id"];
    "order_date" O Time [
        "ordered at", "date ordered", "order time", "order datetime", "order placed", "order placed at", "placed at",
        "order created", "order created at", "created at", "purchase date", "purchased at", "sale date", "date of order",
    ];
    "line_id" OT Plain ["order line id", "order item id", "line item id", "item id", "line", "line number", "line no"];
    "sku" OT Plain [
        "item sku", "product sku", "seller sku", "merchant sku", "lineitem sku", "custom label", "article number",
        "part number", "product code", "item code",
    ];
    "item_name" O Plain [
        "item", "item title", "product", "product name", "product title", "title", "item description", "lineitem name",
        "article",
    ];
    "quantity" OT Plain [
        "qty", "quantity ordered", "qty ordered", "order quantity", "item quantity", "quantity purchased",
        "lineitem quantity", "quantity shipped", "qty shipped", "units", "pieces", "pcs",
    ];
    "unit_price" O Decimal ["price", "item price", "price each", "price per unit", "lineitem price", "sold for"];
    "currency" OT Plain ["currency code", "order currency", "iso currency"];
    "recipient_name" O Plain [
        "recipient", "ship to name", "ship to", "shipping name", "ship name", "customer name", "customer", "full name",
        "buyer name", "receiver name", "receiver", "consignee name", "consignee", "deliver to", "recipient full name",
    ];
    "company" O Plain ["company name", "ship to company", "shipping company", "recipient company", "organization"];
    "address1" O Plain [
        "address 1", "address line 1", "address", "street", "street 1", "street address", "ship to address 1",
        "ship to address line 1", "ship to address", "shipping address 1", "shipping address1", "ship address 1",
        "shipping address", "shipping street", "recipient address 1", "address line1", "addr1",
    ];
    "address2" O Plain [
        "address 2", "address line 2", "street 2", "ship to address 2", "ship to address line 2", "shipping address 2",
        "shipping address2", "ship address 2", "recipient address 2", "address line2", "addr2", "apartment", "apt",
    ];
    "city" O Plain ["ship to city", "shipping city", "ship city", "recipient city", "town", "city/town", "town/city"];
    "region" O Plain [
        "state", "province", "state/province", "state / province", "province/state", "state or province", "county",
        "region/state", "ship to state", "ship to state/province", "shipping province", "shipping state", "ship state",
        "recipient state", "state code", "province code",
    ];
    "postal_code" OT Plain [
        "zip", "zip code", "zipcode", "postcode", "post code", "postal", "zip/postal code", "postal/zip code",
        "zip / postal code", "ship to zip", "ship to postal code", "ship to postcode", "shipping zip",
        "shipping postal code", "shipping postcode", "ship zip", "ship postal code", "recipient zip",
        "recipient postal code", "destination postal code", "destination zip", "plz",
    ];
    "country" OT Plain [
        "country code", "country iso", "ship to country", "ship to country code", "shipping country",
        "shipping country code", "ship country", "recipient country", "destination country", "country/region",
    ];
    "email" O Plain ["e mail", "email address", "e mail address", "customer email", "buyer email", "recipient email", "mail"];
    "phone" O Plain [
        "phone number", "phone no", "telephone", "telephone number", "tel", "mobile", "mobile number", "contact phone",
        "shipping phone", "ship to phone", "ship phone number", "buyer phone", "buyer phone number", "customer phone",
    ];
    "ship_by" O Time [
        "ship by date", "ship by at", "dispatch by", "dispatch by date", "ship before", "latest ship date", "must ship by",
        "expected ship date",
    ];
    "deliver_by" OT Time [
        "deliver by date", "deliver by on", "deliver before", "promised delivery date", "promised date", "promise date",
        "promised by", "promised delivery", "latest delivery date", "delivery due", "delivery due date", "due date",
    ];
    "deliver_from" O Time ["deliver from date", "deliver from on", "deliver after", "earliest delivery date"];
    "shipping_method" O Plain [
        "delivery method", "ship method", "shipping option", "delivery option", "shipping service", "requested service",
        "requested shipping service", "ship service level",
    ];
    "shipping_charged" O Decimal [
        "shipping price", "shipping fee", "shipping charge", "shipping amount", "shipping paid", "shipping", "postage",
        "delivery charge",
    ];
    "declared_value" O Decimal ["customs value", "declared amount", "value"];
    "hs_code" O Plain ["hs", "hs tariff code", "tariff code", "tariff number", "hts code", "commodity code", "harmonized code"];
    "origin_country" O Plain ["country of origin", "country of manufacture", "made in", "coo", "manufacture country"];
    "weight_g" O Decimal ["weight (g)", "weight in g", "weight grams", "weight (grams)", "grams"];
    "weight_kg" O Decimal ["weight (kg)", "weight in kg", "weight kgs", "weight (kgs)", "kg"];
    "weight_oz" O Decimal ["weight (oz)", "weight in oz", "weight ounces", "weight (ounces)", "oz"];
    "weight_lb" O Decimal ["weight (lb)", "weight (lbs)", "weight lbs", "weight in lbs", "weight pounds", "lbs", "lb"];
    "ship_from_postal" O Plain [
        "ship from postal code", "ship from postcode", "ship from zip", "origin postal code", "origin zip", "sender zip",
        "sender postal code",
    ];
    "ship_from_region" OT Plain ["ship from state", "ship from province", "origin region", "origin state", "sender state"];
    "ship_from_country" OT Plain ["ship from country code", "from country", "dispatch country", "sender country"];
    "status" OTE Plain [
        "shipment status", "tracking status", "delivery status", "order status", "fulfillment status", "fulfilment status",
        "event status", "event", "scan", "status word",
    ];
    "channel" O Plain ["sales channel", "marketplace", "store", "store name", "shop", "source"];
    "seller_ref" O Plain ["seller reference", "seller", "seller id", "vendor", "vendor ref", "supplier"];
    "tracking_number" N Plain [
        "tracking #", "tracking no", "tracking num", "tracking id", "tracking code", "tracking", "tracking numbers",
        "shipment tracking number", "carrier tracking number", "waybill number", "waybill no", "waybill", "awb number",
        "awb", "air waybill", "airway bill", "parcel number", "consignment number", "consignment no", "shipment number",
    ];
    "carrier" N Plain [
        "carrier name", "carrier code", "courier", "courier name", "shipping carrier", "shipping provider",
        "logistics provider", "tracking company", "carrier used", "delivery company", "shipped with",
    ];
    "service" T Plain ["carrier service", "service level", "service name", "service code", "service type"];
    "shipped_at" T Time [
        "ship date", "shipped date", "shipped on", "shipped", "date shipped", "shipping date", "shipment date",
        "dispatch date", "dispatched at", "dispatched on", "dispatched", "shipped time", "shipped at date", "fulfilled at",
    ];
    "delivered_at" T Time [
        "delivered on", "delivered date", "delivered", "date delivered", "delivered time", "actual delivery date",
        "delivery date",
    ];
    "parcel_ref" T Plain ["parcel reference", "parcel id", "package id", "package reference", "shipment id", "shipment ref", "parcel"];
    "shipping_cost" T Decimal ["shipping label cost", "label cost", "postage cost", "carrier cost"];
    "tracking_url" T Plain ["tracking link", "track url"];
    "event_at" E Time [
        "event date", "event time", "event datetime", "event timestamp", "occurred at", "scanned at", "scan time",
        "scan date", "timestamp", "date time", "datetime", "date", "time",
    ];
    "forwarder_number" L Plain [
        "forwarder no", "forwarder tracking number", "forwarder tracking no", "forwarder order number", "first mile number",
        "first mile tracking number", "consolidator number", "tracking number", "tracking no", "waybill number", "waybill no",
    ];
    "forwarder" L Plain [
        "forwarder name", "freight forwarder", "first mile carrier", "consolidator", "carrier", "logistics provider",
    ];
    "last_mile_number" L Plain [
        "last mile no", "last mile tracking number", "last mile tracking no", "last mile tracking", "lastmile number",
        "local tracking number", "local tracking no", "final mile number", "final mile tracking number",
        "delivery tracking number", "destination tracking number", "second tracking number", "partner tracking number",
    ];
    "last_mile_carrier" L Plain [
        "last mile", "last mile courier", "last mile provider", "lastmile carrier", "local carrier", "local courier",
        "final mile carrier", "delivery carrier", "destination carrier", "delivery partner",
    ];
    "handed_over_at" L Time [
        "handed over", "handed over on", "handover", "handover at", "handover date", "handover time", "hand over date",
        "handed over date", "injected at", "injection date", "transferred at", "transfer date",
    ];
    "location" E Plain ["event location", "scan location", "place", "site", "facility", "city"];
    "description" E Plain ["event description", "status description", "details", "message", "text"];
    "note" OT Plain ["notes", "comment", "comments", "customer note", "buyer note", "order note", "remark", "remarks"];
}

/// What is left of a header when all that people vary is taken away.
pub(super) fn folded(header: &str) -> String {
    let header = header.replace("(required)", " ").replace("(Required)", " ").replace("(REQUIRED)", " ");
    let blank = |c: char| c.is_whitespace() || c == '_' || c == '-';
    let kept = header.chars().filter(|c| !is_dropped(*c)).map(|c| if blank(c) { ' ' } else { c });
    let words = kept.collect::<String>().to_lowercase();
    let words = words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.trim_end_matches(['*', '.', ':', ' ']).trim_start_matches(['*', '\'', ' ']).to_owned()
}

fn is_dropped(c: char) -> bool {
    super::lines::is_invisible(c) || is_curly(c) || c == '"' || (c.is_control() && !c.is_whitespace())
}

/// Quotation marks as word processors write them.
pub(super) fn is_curly(c: char) -> bool {
    matches!(c, '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}')
}

/// The column that a header names in sheets of a kind.
pub(super) fn named(header: &str, kind: Kind) -> Option<&'static str> {
    ranked(header, kind).map(|(column, _)| column.name)
}

/// The column that a header names, and how good a name it is; 0 is the best.
pub(super) fn ranked(header: &str, kind: Kind) -> Option<(&'static Column, usize)> {
    let folded = folded(header);
    let here = ALL.iter().filter(|it| it.is_in(kind));
    here.filter_map(|it| it.rank(&folded).map(|rank| (it, rank))).min_by_key(|(_, rank)| *rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_known_as_people_write_it() {
        for (header, kind, name) in [
            ("ORDER_NUMBER", Kind::Orders, Some("order_number")),
            (" Order\u{a0} Number *", Kind::Orders, Some("order_number")),
            ("Tracking #", Kind::Tracking, Some("tracking_number")),
            ("\u{feff}Order ID (required)", Kind::Tracking, Some("order_number")),
            ("Ship Date", Kind::Tracking, Some("shipped_at")),
            ("Qty.", Kind::Orders, Some("quantity")),
            ("\u{201c}carrier\u{201d}", Kind::Tracking, Some("carrier")),
            ("Zip", Kind::Orders, Some("postal_code")),
            ("State", Kind::Combined, Some("region")),
            ("E-mail", Kind::Orders, Some("email")),
            ("OrderNumber", Kind::Orders, Some("order_number")),
            ("carrier", Kind::Orders, None),
            ("Favourite colour", Kind::Orders, None),
        ] {
            assert_eq!(named(header, kind), name, "{header}");
        }
    }

    #[test]
    fn no_name_stands_for_two_columns_of_one_kind() {
        for kind in Kind::ALL {
            let here = || ALL.iter().filter(|it| it.is_in(kind));
            for alias in here().flat_map(|it| it.aliases) {
                let owners: Vec<&str> = here().filter(|it| it.rank(alias).is_some()).map(|it| it.name).collect();
                assert_eq!(owners.len(), 1, "{alias} in {kind}: {owners:?}");
                assert_eq!(folded(alias), **alias, "aliases are written folded");
            }
        }
    }
}
