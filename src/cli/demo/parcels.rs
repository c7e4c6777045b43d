//! The parcels of the demo: whose they are, how they fare, and the sheets that tell of them.

use crate::domain::carrier::CarrierSlug;
use crate::domain::tracking_number::{self, Hints, Validity};
use crate::simulator::{Journey, Script};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// One parcel with what must come of it.
pub struct Parcel {
    pub order_number: &'static str,
    pub carrier: &'static str,
    pub number: String,
    journey: Journey,
    recipient: &'static str,
    city: &'static str,
    place: (&'static str, &'static str, &'static str),
    item: &'static str,
    ordered_on: Date,
    shipped_on: Date,
    deliver_by_on: Date,
    handed_over_at: Timestamp,
    pub milestone: &'static str,
    pub verdict: &'static str,
    pub cause: Option<&'static str>,
}

/// Days that the seller promises from the hand-over.
const PROMISED_DAYS: i64 = 5;

struct Sample {
    carrier: &'static str,
    number: &'static str,
    journey: Journey,
    recipient: &'static str,
    city: &'static str,
    place: (&'static str, &'static str, &'static str),
    item: &'static str,
    comes_to: (&'static str, &'static str, Option<&'static str>),
}

const SAMPLES: [Sample; 7] = [
    Sample {
        carrier: "dhl-express",
        number: "482019375?",
        journey: Journey::OnTime,
        recipient: "Mara Lindqvist",
        city: "Stockholm",
        place: ("SE", "", "111 29"),
        item: "Brass lantern",
        comes_to: ("delivered", "on_time", None),
    },
    Sample {
        carrier: "ups",
        number: "1ZLL4820681000000?",
        journey: Journey::OnTime,
        recipient: "Theo Almeida",
        city: "Austin",
        place: ("US", "TX", "78701"),
        item: "Wool throw",
        comes_to: ("delivered", "on_time", None),
    },
    Sample {
        carrier: "fedex",
        number: "61299874013?",
        journey: Journey::Late,
        recipient: "Ines Okafor",
        city: "Lisbon",
        place: ("PT", "", "1100-148"),
        item: "Linen runner",
        comes_to: ("delivered", "delivered_late", Some("carrier")),
    },
    Sample {
        carrier: "usps",
        number: "940011120255584327106?",
        journey: Journey::CustomsHold,
        recipient: "Joan Whitaker",
        city: "Portland",
        place: ("US", "OR", "97205"),
        item: "Lantern pair",
        comes_to: ("delivered", "delivered_late", Some("customs")),
    },
    Sample {
        carrier: "ups",
        number: "1ZLL4820681000001?",
        journey: Journey::FailedAttempt,
        recipient: "Piet de Vries",
        city: "Utrecht",
        place: ("NL", "", "3511 LX"),
        item: "Table loom",
        comes_to: ("delivered", "on_time", None),
    },
    Sample {
        carrier: "deutsche-post",
        number: "RR48201937?DE",
        journey: Journey::Returned,
        recipient: "Aoife Brennan",
        city: "Galway",
        place: ("IE", "", "H91 E9W2"),
        item: "Silk cord",
        comes_to: ("returned", "on_time", None),
    },
    Sample {
        carrier: "fedex",
        number: "61299874055?",
        journey: Journey::Silent,
        recipient: "Bruno Castellani",
        city: "Bologna",
        place: ("IT", "", "40121"),
        item: "Oak bobbins",
        comes_to: ("in_transit", "stalled", Some("carrier")),
    },
];

/// The parcels of a story that begins at `from`.
pub fn sample(from: Timestamp) -> Vec<Parcel> {
    let handed_over_at = from.checked_add(36.hours()).unwrap_or(from);
    let shipped_on = TimeZone::UTC.to_datetime(handed_over_at).date();
    let parcel = |(n, sample): (usize, &Sample)| Parcel {
        order_number: ["LL-1001", "LL-1002", "LL-1003", "LL-1004", "LL-1005", "LL-1006", "LL-1007"]
            .get(n)
            .copied()
            .unwrap_or("LL-1099"),
        carrier: sample.carrier,
        number: with_check_digit(sample.number, sample.carrier),
        journey: sample.journey,
        recipient: sample.recipient,
        city: sample.city,
        place: sample.place,
        item: sample.item,
        ordered_on: shipped_on.checked_sub(1.day()).unwrap_or(shipped_on),
        shipped_on,
        deliver_by_on: shipped_on.checked_add(PROMISED_DAYS.days()).unwrap_or(shipped_on),
        handed_over_at,
        milestone: sample.comes_to.0,
        verdict: sample.comes_to.1,
        cause: sample.comes_to.2,
    };
    SAMPLES.iter().enumerate().map(parcel).collect()
}

/// The number with the digit in place of `?` that makes it pass its carrier's check.
fn with_check_digit(pattern: &str, carrier: &str) -> String {
    let hints = Hints { carrier: Some(carrier), ..Hints::default() };
    let numbers = ('0'..='9').map(|digit| pattern.replace('?', &digit.to_string()));
    let passes = |number: &String| tracking_number::check(number, &hints).validity == Validity::Valid;
    numbers.into_iter().find(passes).unwrap_or_else(|| pattern.replace('?', "0"))
}

impl Parcel {
    pub fn script(&self) -> Script {
        let (country, region, _) = self.place;
        let region = if region.is_empty() { String::new() } else { format!("{region}, ") };
        Script {
            number: self.number.clone(),
            carrier: Some(CarrierSlug::from_stored(self.carrier.to_owned())),
            journey: self.journey,
            handed_over_at: self.handed_over_at,
            origin: "Leipzig, DE".to_owned(),
            destination: format!("{}, {region}{country}", self.city),
            without_offset: false,
        }
    }
}

/// The sheet of orders, with one row that cannot be taken.
pub fn orders_csv(parcels: &[Parcel]) -> String {
    let mut sheet = "order_number,order_date,sku,item_name,quantity,unit_price,currency,recipient_name,city,region,\
                     postal_code,country,email,deliver_by,ship_from_country\n"
        .to_owned();
    for (n, parcel) in parcels.iter().enumerate() {
        let (country, region, postal_code) = parcel.place;
        let row = format!(
            "{},{},SKU-{n},{},1,39.00,EUR,{},{},{region},{postal_code},{country},buyer{n}@example.com,{},DE\n",
            parcel.order_number, parcel.ordered_on, parcel.item, parcel.recipient, parcel.city, parcel.deliver_by_on,
        );
        sheet.push_str(&row);
    }
    sheet.push_str("LL-1008,2026-02-30,SKU-8,Cedar box,0,12.50,EUR,Nobody,Nowhere,,,Narnia,,,DE\n");
    sheet
}

/// The sheet of tracking numbers, with one that a spreadsheet has spoilt.
pub fn tracking_csv(parcels: &[Parcel]) -> String {
    let mut sheet = "order_number,tracking_number,carrier,shipped_at\n".to_owned();
    for parcel in parcels {
        let row = [parcel.order_number, &parcel.number, parcel.carrier, &parcel.shipped_on.to_string()].join(",");
        sheet.push_str(&row);
        sheet.push('\n');
    }
    sheet.push_str("LL-1001,9.40011E+21,USPS,\n");
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_demo_passes_its_carrier_s_check() {
        for parcel in sample("2026-09-01T00:00:00Z".parse().unwrap()) {
            let hints = Hints { carrier: Some(parcel.carrier), ..Hints::default() };
            let check = tracking_number::check(&parcel.number, &hints);
            assert_eq!(check.validity, Validity::Valid, "{}: {}", parcel.number, check.detail);
        }
    }
}
