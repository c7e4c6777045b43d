//! Tracking numbers in the forms in which marketplaces and other systems take them.

use super::repaired::harmless;
use jiff::civil::Date;

/// A parcel as far as such a form asks.
#[derive(Debug, Clone, Default)]
pub struct Parcel {
    pub order_number: String,
    pub tracking_number: String,
    /// Our word for the carrier.
    pub carrier: Option<String>,
    /// As people know the carrier.
    pub carrier_name: Option<String>,
    pub service: Option<String>,
    pub shipped_on: Option<Date>,
    pub tracking_url: Option<String>,
    pub country: Option<String>,
    pub postal_code: Option<String>,
}

/// A form that is written.
pub struct Form {
    /// The id of the preset that reads the same form.
    pub preset: &'static str,
    delimiter: char,
    /// Quotation marks would be part of the text.
    unquoted: bool,
    date: &'static str,
    columns: &'static [(&'static str, Field)],
    /// Our word for a carrier to the form's.
    carriers: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy)]
enum Field {
    OrderNumber,
    TrackingNumber,
    /// The form's own word for the carrier; `Other` where it has none.
    CarrierCode,
    /// The carrier's name where the form has no word for it.
    OtherCarrier,
    /// The form's word, else the carrier's name.
    Carrier,
    Service,
    ShippedOn,
    Url,
    Country,
    PostalCode,
    Word(&'static str),
    Blank,
}

use Field::{
    Blank, Carrier, CarrierCode, Country, OrderNumber, OtherCarrier, PostalCode, Service, ShippedOn, TrackingNumber,
    Url, Word,
};

/// As Amazon and others spell those that they know by name.
const CARRIERS: &[(&str, &str)] = &[
    ("usps", "USPS"),
    ("ups", "UPS"),
    ("fedex", "FedEx"),
    ("dhl", "DHL"),
    ("dhl-express", "DHL"),
    ("dhl-paket", "DHL"),
    ("dhl-ecommerce", "DHL eCommerce"),
    ("ontrac", "OnTrac"),
    ("royal-mail", "Royal Mail"),
    ("canada-post", "Canada Post"),
    ("australia-post", "Australia Post"),
    ("deutsche-post", "Deutsche Post"),
    ("china-post", "China Post"),
    ("dpd", "DPD"),
    ("gls", "GLS"),
    ("hermes", "Hermes"),
    ("yodel", "Yodel"),
    ("la-poste", "La Poste"),
    ("colissimo", "Colissimo"),
    ("chronopost", "Chronopost"),
    ("poste-italiane", "Poste Italiane"),
    ("correos", "Correos"),
    ("postnl", "PostNL"),
    ("yanwen", "Yanwen"),
    ("4px", "4PX"),
    ("tnt", "TNT"),
    ("lasership", "Lasership"),
];
/// Slugs, as systems that follow parcels spell carriers.
const SLUGS: &[(&str, &str)] =
    &[("dhl-express", "dhl"), ("dhl-paket", "dhl-germany"), ("deutsche-post", "deutsch-post")];

const FORMS: &[Form] = &[
    Form {
        preset: "amazon/ship_confirm",
        delimiter: '\t',
        unquoted: true,
        date: "%Y-%m-%d",
        columns: &[
            ("order-id", OrderNumber),
            ("order-item-id", Blank),
            ("quantity", Blank),
            ("ship-date", ShippedOn),
            ("carrier-code", CarrierCode),
            ("carrier-name", OtherCarrier),
            ("tracking-number", TrackingNumber),
            ("ship-method", Service),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "tiktok/bulk_ship",
        delimiter: ',',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[("Order ID", OrderNumber), ("Shipping Provider Name", Carrier), ("Tracking ID", TrackingNumber)],
        carriers: CARRIERS,
    },
    Form {
        preset: "ebay/tracking_upload",
        delimiter: ',',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[
            ("Order ID", OrderNumber),
            ("Order Line Item ID", Blank),
            ("Logistics Status", Word("SHIPPED")),
            ("Shipment Carrier", Carrier),
            ("Shipment Tracking", TrackingNumber),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "shopify/matrixify_fulfillments",
        delimiter: ',',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[
            ("Name", OrderNumber),
            ("Command", Word("UPDATE")),
            ("Line: Type", Word("Fulfillment Line")),
            ("Fulfillment: Status", Word("success")),
            ("Fulfillment: Tracking Company", Carrier),
            ("Fulfillment: Tracking Number", TrackingNumber),
            ("Fulfillment: Tracking URL", Url),
            ("Fulfillment: Send Receipt", Word("FALSE")),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "woocommerce/ast",
        delimiter: ',',
        unquoted: false,
        date: "%d-%m-%Y",
        columns: &[
            ("order_id", OrderNumber),
            ("tracking_provider", Carrier),
            ("tracking_number", TrackingNumber),
            ("date_shipped", ShippedOn),
            ("status_shipped", Word("1")),
            ("sku", Blank),
            ("qty", Blank),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "aftership/import",
        delimiter: ',',
        unquoted: false,
        date: "%Y%m%d",
        columns: &[
            ("tracking_number", TrackingNumber),
            ("courier", Carrier),
            ("title", OrderNumber),
            ("destination_country", Country),
            ("tracking_postal_code", PostalCode),
            ("tracking_ship_date", ShippedOn),
        ],
        carriers: SLUGS,
    },
    Form {
        preset: "17track/import",
        delimiter: ',',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[
            ("Tracking Number", TrackingNumber),
            ("Carrier", Carrier),
            ("Order No.", OrderNumber),
            ("Title", Blank),
            ("Note", Blank),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "parcelpanel/import",
        delimiter: ',',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[
            ("Order number", OrderNumber),
            ("Tracking number", TrackingNumber),
            ("Courier", Carrier),
            ("SKU", Blank),
            ("Qty", Blank),
            ("Date shipped", ShippedOn),
            ("Mark order as", Blank),
        ],
        carriers: SLUGS,
    },
    Form {
        preset: "channeladvisor/tracking",
        delimiter: ',',
        unquoted: false,
        date: "%m/%d/%Y",
        columns: &[
            ("Invoice Number", OrderNumber),
            ("SKU", Blank),
            ("Tracking Number", TrackingNumber),
            ("Quantity", Blank),
            ("Shipping Carrier", Carrier),
            ("Shipping Class", Service),
            ("Ship Date", ShippedOn),
            ("Ship Cost", Blank),
            ("DC Code", Blank),
        ],
        carriers: CARRIERS,
    },
    Form {
        preset: "qapla/import",
        delimiter: ';',
        unquoted: false,
        date: "%Y-%m-%d",
        columns: &[
            ("Courier Code", Carrier),
            ("Tracking Number", TrackingNumber),
            ("Shipping Date", ShippedOn),
            ("Reference", OrderNumber),
            ("Country", Country),
            ("Zip Code", PostalCode),
        ],
        carriers: CARRIERS,
    },
];

/// The form of this preset, where it is written.
pub fn form(preset: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.preset == preset)
}

/// The presets of all forms that are written.
pub fn written() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.preset)
}

impl Form {
    /// The first line.
    pub fn header(&self) -> String {
        self.line(self.columns.iter().map(|(name, _)| (*name).to_owned()))
    }

    /// The line of one parcel.
    pub fn row(&self, parcel: &Parcel) -> String {
        self.line(self.columns.iter().map(|(_, field)| harmless(&self.cell(*field, parcel)).into_owned()))
    }

    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let cells: Vec<String> = cells.map(|cell| self.written(cell)).collect();
        cells.join(&self.delimiter.to_string()) + "\r\n"
    }

    fn written(&self, cell: String) -> String {
        if self.unquoted {
            return cell.replace(['\t', '\r', '\n'], " ");
        }
        let needs = cell.contains(['"', '\r', '\n']) || cell.contains(self.delimiter);
        if needs { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    }

    fn cell(&self, field: Field, parcel: &Parcel) -> String {
        let known = || {
            let slug = parcel.carrier.as_deref()?;
            self.carriers.iter().find(|(ours, _)| *ours == slug).map(|(_, theirs)| (*theirs).to_owned())
        };
        let slug = || parcel.carrier.clone().filter(|_| std::ptr::eq(self.carriers, SLUGS));
        let name = || parcel.carrier_name.clone().or_else(|| parcel.carrier.clone());
        let text = match field {
            OrderNumber => Some(parcel.order_number.clone()),
            TrackingNumber => Some(parcel.tracking_number.clone()),
            CarrierCode => known().or_else(|| Some("Other".to_owned())),
            OtherCarrier => {
                if known().is_some() {
                    None
                } else {
                    name()
                }
            }
            Carrier => known().or_else(slug).or_else(name),
            Service => parcel.service.clone(),
            ShippedOn => parcel.shipped_on.map(|day| day.strftime(self.date).to_string()),
            Url => parcel.tracking_url.clone(),
            Country => parcel.country.clone(),
            PostalCode => parcel.postal_code.clone(),
            Word(word) => Some(word.to_owned()),
            Blank => None,
        };
        text.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{options, read_with};
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_is_written_is_read_again_as_the_same() {
        let parcels = [
            ("ups", "UPS", "1Z5R89390357567127"),
            ("usps", "USPS", "9400111206206406260787"),
            ("ontrac", "OnTrac", "D10011354453707"),
        ];
        for form in FORMS {
            let mut file = form.header();
            for (number, (carrier, name, tracking_number)) in parcels.iter().enumerate() {
                file += &form.row(&Parcel {
                    order_number: format!("A-{number}"),
                    tracking_number: (*tracking_number).to_owned(),
                    carrier: Some((*carrier).to_owned()),
                    carrier_name: Some((*name).to_owned()),
                    shipped_on: Some(date(2026, 9, 14)),
                    ..Parcel::default()
                });
            }
            let told = super::super::Options { preset: Some(form.preset.to_owned()), ..options() };
            let (_, rows) = read_with(file.as_bytes(), &told);
            assert_eq!(rows.len(), 3, "{}: {file}", form.preset);
            for (number, (row, (carrier, _, tracking_number))) in rows.iter().zip(parcels).enumerate() {
                let tracking = row.row.as_ref().and_then(|row| row.tracking()).unwrap_or_else(|| panic!("{row:?}"));
                assert_eq!(tracking.order_number, format!("A-{number}"), "{}", form.preset);
                assert_eq!(tracking.number.number, tracking_number, "{}", form.preset);
                assert_eq!(tracking.number.declared.as_ref().map(AsRef::as_ref), Some(carrier), "{}", form.preset);
            }
        }
    }

    #[test]
    fn no_cell_is_a_formula_and_no_line_breaks() {
        let nasty = Parcel {
            order_number: "=cmd|'/c calc'!A1".to_owned(),
            service: Some("a\tb\nc,\"d\"".to_owned()),
            ..Parcel::default()
        };
        for form in FORMS {
            let row = form.row(&nasty);
            assert!(!row.starts_with('=') && !row.contains(&format!("{}=", form.delimiter)), "{}: {row}", form.preset);
            assert!(!form.unquoted || row.trim_end().matches(['\n', '"']).count() == 2, "{}: {row}", form.preset);
        }
    }
}
