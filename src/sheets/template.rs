//! The files that a seller may fill in.

use super::columns;
use super::kind::Kind;

/// A value for each column, so that a template shows how it is filled.
const EXAMPLES: &[(&str, &str)] = &[
    ("order_number", "1001"),
    ("order_date", "2026-09-16"),
    ("line_id", "1"),
    ("sku", "MUG-BLUE"),
    ("item_name", "Blue mug"),
    ("quantity", "2"),
    ("unit_price", "19.99"),
    ("currency", "USD"),
    ("recipient_name", "Pat Example"),
    ("address1", "1 Main St"),
    ("city", "Boston"),
    ("region", "MA"),
    ("postal_code", "02108"),
    ("country", "US"),
    ("email", "pat@example.com"),
    ("ship_by", "2026-09-18"),
    ("deliver_by", "2026-09-25"),
    ("shipping_method", "standard"),
    ("weight_g", "640"),
    ("ship_from_country", "US"),
    ("tracking_number", "9400111201080805483016"),
    ("carrier", "usps"),
    ("shipped_at", "2026-09-17"),
    ("event_at", "2026-09-17T10:04:00-04:00"),
    ("forwarder_number", "4PX3000123456789CN"),
    ("forwarder", "4px"),
    ("last_mile_number", "9400111201080805483016"),
    ("last_mile_carrier", "usps"),
    ("handed_over_at", "2026-09-21"),
    ("location", "Boston MA"),
    ("description", "Arrived at the sorting centre"),
];

/// An empty sheet of a kind: its header, and one row that shows how it is filled.
pub fn template(kind: Kind) -> String {
    // One column for the weight is enough.
    let other_weight = |name: &str| matches!(name, "weight_kg" | "weight_oz" | "weight_lb");
    let names = || columns::ALL.iter().filter(move |it| it.is_in(kind) && !other_weight(it.name)).map(|it| it.name);
    let example = |name: &str| match (name, kind) {
        ("status", Kind::Events) => "in_transit",
        _ => EXAMPLES.iter().find(|(column, _)| *column == name).map_or("", |(_, value)| value),
    };
    let header = names().collect::<Vec<_>>().join(",");
    let row = names().map(example).collect::<Vec<_>>().join(",");
    format!("{header}\r\n{row}\r\n")
}
