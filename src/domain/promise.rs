//! Promises: the day by which a shipment should arrive, and where it comes from.
//!
//! The order's own date, else the marketplace's rule, else the seller's policy, else the carrier's service standard,
//! else none.

use crate::domain::calendar::Calendar;
use crate::domain::country::CountryCode;
use crate::domain::ids::ShopId;
use jiff::civil::{Date, Weekday};
use serde::Serialize;
use std::str::FromStr;
use std::sync::LazyLock;

/// Where a promise comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromiseSource {
    /// The order or the tracking row names the day.
    Order,
    /// The sales channel's published rule.
    Marketplace,
    /// The seller's own working days by shop, shipping method and destination.
    Policy,
    /// The carrier's published standard for the service.
    ServiceStandard,
}

impl PromiseSource {
    pub fn code(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Marketplace => "marketplace",
            Self::Policy => "policy",
            Self::ServiceStandard => "service_standard",
        }
    }
}

impl FromStr for PromiseSource {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Order, Self::Marketplace, Self::Policy, Self::ServiceStandard];
        all.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

/// A promised day, inclusive, in the destination's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Promise {
    pub deliver_by_on: Date,
    pub source: PromiseSource,
}

/// The seller's own word: so many working days from the day it was shipped, or else ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub shop: Option<ShopId>,
    pub shipping_method: Option<String>,
    pub country: Option<CountryCode>,
    pub working_days: u16,
}

/// What a promise is made from.
#[derive(Debug, Clone, Default)]
pub struct Terms<'a> {
    pub own_date: Option<Date>,
    pub shop: Option<ShopId>,
    pub channel: Option<&'a str>,
    pub shipping_method: Option<&'a str>,
    pub carrier: Option<&'a str>,
    pub service: Option<&'a str>,
    pub destination: Option<CountryCode>,
    pub ordered_on: Option<Date>,
    pub shipped_on: Option<Date>,
}

/// The days that somebody outside has published.
struct Standard {
    /// A carrier's slug, or a channel's word.
    of: &'static str,
    /// A service's code, or a market.
    within: &'static str,
    name: &'static str,
    days: u16,
    unit: DayUnit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DayUnit {
    Working,
    MondayToSaturday,
    Calendar,
}

static SERVICES: LazyLock<Vec<Standard>> = LazyLock::new(|| standards(include_str!("data/service_standards.csv")));
static MARKETPLACES: LazyLock<Vec<Standard>> =
    LazyLock::new(|| standards(include_str!("data/marketplace_promises.csv")));

fn standards(table: &'static str) -> Vec<Standard> {
    table.lines().skip(1).filter_map(standard).collect()
}

fn standard(row: &'static str) -> Option<Standard> {
    let mut cells = row.split(',');
    let (of, within, name, days) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?.parse().ok()?);
    let unit = match cells.next()? {
        "working" => DayUnit::Working,
        "mon_sat" => DayUnit::MondayToSaturday,
        "calendar" => DayUnit::Calendar,
        _ => return None,
    };
    Some(Standard { of, within, name, days, unit })
}

impl Promise {
    /// The strongest promise that the terms give; `None` where nothing says anything.
    pub fn under(terms: &Terms<'_>, policies: &[Policy]) -> Option<Self> {
        let own = terms.own_date.map(|deliver_by_on| Self { deliver_by_on, source: PromiseSource::Order });
        own.or_else(|| by_marketplace(terms)).or_else(|| by_policy(terms, policies)).or_else(|| by_service(terms))
    }
}

fn by_marketplace(terms: &Terms<'_>) -> Option<Promise> {
    let channel = bare(terms.channel?);
    let market = terms.destination?;
    let rule = MARKETPLACES.iter().find(|it| channel.starts_with(&bare(it.of)) && it.within == market.as_str())?;
    let deliver_by_on = days_after(terms.ordered_on?, rule, terms.destination)?;
    Some(Promise { deliver_by_on, source: PromiseSource::Marketplace })
}

/// The policy that names the most of shop, shipping method and destination, and contradicts none.
fn by_policy(terms: &Terms<'_>, policies: &[Policy]) -> Option<Promise> {
    let start = terms.shipped_on.or(terms.ordered_on)?;
    let method = terms.shipping_method.map(bare);
    let fits = |it: &&Policy| {
        it.shop.is_none_or(|shop| terms.shop == Some(shop))
            && it.shipping_method.as_deref().is_none_or(|wanted| method.as_deref() == Some(bare(wanted).as_str()))
            && it.country.is_none_or(|country| terms.destination == Some(country))
    };
    let named = |it: &&Policy| {
        u8::from(it.shop.is_some()) + u8::from(it.shipping_method.is_some()) + u8::from(it.country.is_some())
    };
    let policy = policies.iter().filter(fits).max_by_key(named)?;
    let deliver_by_on = Calendar::of(terms.destination).add_working_days(start, policy.working_days);
    Some(Promise { deliver_by_on, source: PromiseSource::Policy })
}

fn by_service(terms: &Terms<'_>) -> Option<Promise> {
    let standard = ServiceStandard::of(terms.carrier?, terms.service?)?;
    let deliver_by_on = standard.due_on(terms.shipped_on?, terms.destination)?;
    Some(Promise { deliver_by_on, source: PromiseSource::ServiceStandard })
}

/// The days in which a carrier says that it delivers by a service.
#[derive(Clone, Copy)]
pub struct ServiceStandard(&'static Standard);

impl ServiceStandard {
    /// By the carrier's slug and the code or name of the service; `None` where none is on file.
    pub fn of(carrier: &str, service: &str) -> Option<Self> {
        let service = bare(service);
        let fits = |it: &&Standard| it.of == carrier && (bare(it.within) == service || bare(it.name) == service);
        SERVICES.iter().find(fits).map(Self)
    }

    /// In working days, in days from Monday to Saturday, or in calendar days, as the carrier counts.
    pub fn days(self) -> u16 {
        self.0.days
    }

    /// The last day by the standard, inclusive.
    pub fn due_on(self, shipped_on: Date, destination: Option<CountryCode>) -> Option<Date> {
        days_after(shipped_on, self.0, destination)
    }
}

fn days_after(start: Date, standard: &Standard, country: Option<CountryCode>) -> Option<Date> {
    let calendar = Calendar::of(country);
    let mut date = start;
    let mut left = standard.days;
    while left > 0 {
        date = date.tomorrow().ok()?;
        let counts = match standard.unit {
            DayUnit::Working => calendar.is_working_day(date),
            DayUnit::MondayToSaturday => date.weekday() != Weekday::Sunday,
            DayUnit::Calendar => true,
        };
        left -= u16::from(counts);
    }
    Some(date)
}

fn bare(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn terms() -> Terms<'static> {
        Terms {
            carrier: Some("ups"),
            service: Some("Ground"),
            destination: "US".parse().ok(),
            ordered_on: Some(date(2026, 9, 16)),
            shipped_on: Some(date(2026, 9, 17)),
            ..Terms::default()
        }
    }

    #[test]
    fn the_strongest_promise_wins() {
        let policy = Policy { shop: None, shipping_method: None, country: None, working_days: 3 };
        let fast_to_us = Policy { country: "US".parse().ok(), working_days: 1, ..policy.clone() };
        let own = Terms { own_date: Some(date(2026, 9, 30)), ..terms() };
        let tiktok = Terms { channel: Some("TikTok Shop"), ..terms() };
        let unknown = Terms { service: Some("by camel"), ..terms() };
        for (what, terms, policies, day, source) in [
            ("the order's own", &own, &[policy.clone()][..], 30, PromiseSource::Order),
            ("the marketplace's", &tiktok, std::slice::from_ref(&policy), 24, PromiseSource::Marketplace),
            ("the seller's", &terms(), std::slice::from_ref(&policy), 22, PromiseSource::Policy),
            ("the closest of the seller's", &terms(), &[policy.clone(), fast_to_us], 18, PromiseSource::Policy),
            ("the carrier's", &terms(), &[], 24, PromiseSource::ServiceStandard),
        ] {
            let expected = Some(Promise { deliver_by_on: date(2026, 9, day), source });
            assert_eq!(Promise::under(terms, policies), expected, "{what}");
        }
        assert_eq!(Promise::under(&unknown, &[]), None, "nobody said anything");
    }

    #[test]
    fn every_row_on_file_is_read() {
        let rows = |table: &str| table.lines().count() - 1;
        assert_eq!(SERVICES.len(), rows(include_str!("data/service_standards.csv")));
        assert_eq!(MARKETPLACES.len(), rows(include_str!("data/marketplace_promises.csv")));
    }
}
