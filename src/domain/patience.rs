//! Patience: from which days on a silence is a stall, a suspicion of loss, or a loss, by rule.
//!
//! The rules know no past parcels: they rest on the carrier's published standard of the service, on when the carrier
//! itself takes a parcel as lost, and on bare days. Whatever learns from past parcels answers with [`Limits`] too.

use crate::domain::calendar::Calendar;
use crate::domain::country::CountryCode;
use crate::domain::promise::ServiceStandard;
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt;
use std::sync::LazyLock;

/// The days on which a silence changes its meaning, each the first day of the new one, at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub stalled_on: Date,
    /// In working days of the destination.
    pub stalled_after: u16,
    /// Never before `stalled_on`.
    pub suspected_on: Date,
    pub suspected_by: Suspicion,
    pub lost_on: Date,
    /// In calendar days.
    pub lost_after: u16,
}

/// By what a parcel is suspected to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// By so many working days of silence, within one country or across a border.
    Silence { working_days: u16, across_a_border: bool },
    /// By the carrier's own rule, which has passed in a silence of at least five working days.
    Carrier(&'static LossRule),
}

/// When a carrier itself takes a parcel as lost, or begins to search for it.
#[derive(Debug, PartialEq, Eq)]
pub struct LossRule {
    carrier: &'static str,
    scope: Scope,
    days: u16,
    unit: Unit,
    from: From,
    /// Its row is `high` or `medium`; a `low` one is on file to be known, and judges nothing.
    is_trusted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Any,
    Domestic,
    CrossBorder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Working,
    Calendar,
}

/// From which day a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The carrier's first scan, else the day it was said to be shipped.
    Posting,
    /// The day by which the carrier's standard has it delivered, else the promised day.
    Due,
    LastScan,
}

/// At least so long a silence before the carrier's own rule is believed.
const LEAST_WORKING_DAYS: u16 = 5;

/// Of a parcel whose origin or destination is not known: the more patient.
const ACROSS_A_BORDER: Bare = Bare { suspected_working_days: 21, lost_days: 60 };
const WITHIN_ONE_COUNTRY: Bare = Bare { suspected_working_days: 15, lost_days: 30 };

struct Bare {
    suspected_working_days: u16,
    lost_days: u16,
}

static RULES: LazyLock<Vec<LossRule>> =
    LazyLock::new(|| include_str!("data/loss_rules.csv").lines().skip(1).filter_map(rule).collect());

fn rule(row: &'static str) -> Option<LossRule> {
    let mut cells = row.split(',');
    let carrier = cells.next()?;
    let scope = match cells.next()? {
        "any" => Scope::Any,
        "domestic" => Scope::Domestic,
        "cross_border" => Scope::CrossBorder,
        _ => return None,
    };
    let days = cells.next()?.parse().ok()?;
    let unit = match cells.next()? {
        "working" => Unit::Working,
        "calendar" => Unit::Calendar,
        _ => return None,
    };
    let from = match cells.next()? {
        "posting" => From::Posting,
        "due" => From::Due,
        "last_scan" => From::LastScan,
        _ => return None,
    };
    let is_trusted = match cells.next()? {
        "high" | "medium" => true,
        "low" => false,
        _ => return None,
    };
    Some(LossRule { carrier, scope, days, unit, from, is_trusted })
}

/// What the patience with a parcel depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patience<'a> {
    /// A slug.
    pub carrier: Option<&'a str>,
    pub service: Option<&'a str>,
    pub origin: Option<CountryCode>,
    pub destination: Option<CountryCode>,
    pub deliver_by_on: Option<Date>,
}

impl Patience<'_> {
    /// The limits of a silence that began on `since`. `posted_on` is the day on which the carrier took the parcel in.
    pub fn limits(&self, since: Date, posted_on: Date) -> Limits {
        let calendar = Calendar::of(self.destination);
        let across_a_border = self.crosses_a_border();
        let bare = if across_a_border { ACROSS_A_BORDER } else { WITHIN_ONE_COUNTRY };
        let stalled_after = self.stalled_after();
        let stalled_on = calendar.add_working_days(since, stalled_after);
        let working_days = bare.suspected_working_days;
        let by_silence = calendar.add_working_days(since, working_days);
        let by_carrier = self.rule().and_then(|rule| Some((self.passes_on(rule, since, posted_on)?, rule)));
        let earliest = calendar.add_working_days(since, LEAST_WORKING_DAYS).max(stalled_on);
        let (suspected_on, suspected_by) = match by_carrier.map(|(day, rule)| (day.max(earliest), rule)) {
            Some((day, rule)) if day < by_silence => (day, Suspicion::Carrier(rule)),
            Some(_) | None => (by_silence.max(stalled_on), Suspicion::Silence { working_days, across_a_border }),
        };
        let lost_on = since.saturating_add(i64::from(bare.lost_days).days());
        Limits { stalled_on, stalled_after, suspected_on, suspected_by, lost_on, lost_after: bare.lost_days }
    }

    fn crosses_a_border(&self) -> bool {
        self.origin.is_none() || self.origin != self.destination
    }

    fn standard(&self) -> Option<ServiceStandard> {
        ServiceStandard::of(self.carrier?, self.service?)
    }

    /// Three working days for the fastest services, else five, or half of the standard where that is more, fifteen at
    /// most.
    fn stalled_after(&self) -> u16 {
        match self.standard().map(ServiceStandard::days) {
            Some(..=2) => 3,
            Some(days) => days.div_ceil(2).clamp(5, 15),
            None => 5,
        }
    }

    fn rule(&self) -> Option<&'static LossRule> {
        let scope = if self.crosses_a_border() { Scope::CrossBorder } else { Scope::Domestic };
        let carrier = self.carrier?;
        RULES.iter().find(|it| it.is_trusted && it.carrier == carrier && (it.scope == scope || it.scope == Scope::Any))
    }

    /// The first day after which the carrier's rule has passed; `None` where nothing says when the parcel is due.
    fn passes_on(&self, rule: &LossRule, since: Date, posted_on: Date) -> Option<Date> {
        let start = match rule.from {
            From::Posting => posted_on,
            From::LastScan => since,
            From::Due => {
                let by_standard = self.standard().and_then(|it| it.due_on(posted_on, self.destination));
                by_standard.or(self.deliver_by_on)?
            }
        };
        Some(match rule.unit {
            Unit::Working => Calendar::of(self.destination).add_working_days(start, rule.days),
            Unit::Calendar => start.saturating_add(i64::from(rule.days).days()),
        })
    }
}

/// The line that was crossed, as a verdict tells it.
impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence { working_days, across_a_border: true } => {
                write!(f, "{working_days} working days without a scan, across a border")
            }
            Self::Silence { working_days, across_a_border: false } => {
                write!(f, "{working_days} working days without a scan, within one country")
            }
            Self::Carrier(rule) => {
                write!(f, "the carrier's own rule ({rule}) and {LEAST_WORKING_DAYS} working days without a scan")
            }
        }
    }
}

impl fmt::Display for LossRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = match (self.days, self.unit) {
            (1, Unit::Working) => "working day",
            (1, Unit::Calendar) => "day",
            (_, Unit::Working) => "working days",
            (_, Unit::Calendar) => "days",
        };
        let from = match self.from {
            From::Posting => "after posting",
            From::Due => "after it was due",
            From::LastScan => "after the last scan",
        };
        write!(f, "{} {days} {from}", self.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn of<'a>(carrier: &'a str, service: &'a str, lane: [&str; 2]) -> Patience<'a> {
        let [origin, destination] = lane.map(|code| code.parse().ok());
        Patience { carrier: Some(carrier), service: Some(service), origin, destination, deliver_by_on: None }
    }

    /// Thursday, 10 September 2026; in the United States and Britain no holiday follows within a month but Columbus Day.
    const LAST_SCAN: Date = date(2026, 9, 10);

    #[test]
    fn a_stall_is_measured_by_the_service() {
        for (what, patience, working_days, stalled_on) in [
            ("overnight", of("ups", "next_day", ["US", "US"]), 3, date(2026, 9, 15)),
            ("two days", of("fedex", "2Day", ["US", "US"]), 3, date(2026, 9, 15)),
            ("three days", of("ups", "3_day", ["US", "US"]), 5, date(2026, 9, 17)),
            ("ten days", of("canada-post", "regular", ["CA", "CA"]), 5, date(2026, 9, 17)),
            ("no service on file", of("ups", "by camel", ["US", "US"]), 5, date(2026, 9, 17)),
            ("over Thanksgiving", of("ups", "ground", ["US", "US"]), 5, date(2026, 11, 30)),
        ] {
            let since = if what == "over Thanksgiving" { date(2026, 11, 20) } else { LAST_SCAN };
            let limits = patience.limits(since, since);
            assert_eq!((limits.stalled_after, limits.stalled_on), (working_days, stalled_on), "{what}");
        }
    }

    #[test]
    fn a_loss_is_suspected_by_the_carrier_s_rule_or_by_bare_days() {
        let promised = |on| Patience { deliver_by_on: Some(on), ..of("ups", "", ["US", "US"]) };
        for (what, patience, posted_on, suspected_on, by_carrier) in [
            ("a week after posting", of("usps", "", ["US", "US"]), date(2026, 9, 9), date(2026, 9, 17), true),
            ("posted long before", of("usps", "", ["US", "US"]), date(2026, 8, 1), date(2026, 9, 17), true),
            ("after it was due by the standard", of("ups", "ground", ["US", "US"]), LAST_SCAN, date(2026, 9, 18), true),
            ("after it was due by the promise", promised(date(2026, 9, 24)), LAST_SCAN, date(2026, 9, 25), true),
            ("due far in the future", promised(date(2026, 12, 24)), LAST_SCAN, date(2026, 10, 1), false),
            ("due at no known day", of("ups", "", ["US", "US"]), LAST_SCAN, date(2026, 10, 1), false),
            ("a rule of low confidence", of("fedex", "", ["US", "US"]), LAST_SCAN, date(2026, 10, 1), false),
            ("across a border", of("fedex", "", ["DE", "US"]), LAST_SCAN, date(2026, 10, 9), false),
            ("from nobody knows where", of("fedex", "", ["", "US"]), LAST_SCAN, date(2026, 10, 9), false),
            ("to nobody knows where", of("", "", ["", ""]), LAST_SCAN, date(2026, 10, 9), false),
            ("at home", of("royal-mail", "tracked24", ["GB", "GB"]), LAST_SCAN, date(2026, 9, 25), true),
            (
                "abroad, later than by bare days",
                of("royal-mail", "", ["GB", "US"]),
                LAST_SCAN,
                date(2026, 10, 9),
                false,
            ),
        ] {
            let limits = patience.limits(LAST_SCAN, posted_on);
            let told = (limits.suspected_on, matches!(limits.suspected_by, Suspicion::Carrier(_)));
            assert_eq!(told, (suspected_on, by_carrier), "{what}");
            assert!(limits.stalled_on <= limits.suspected_on && limits.suspected_on < limits.lost_on, "{what}");
        }
    }

    #[test]
    fn the_hard_cap_is_a_month_at_home_and_two_abroad() {
        for (lane, lost_on) in
            [(["US", "US"], date(2026, 10, 10)), (["DE", "US"], date(2026, 11, 9)), (["", "US"], date(2026, 11, 9))]
        {
            assert_eq!(of("ups", "", lane).limits(LAST_SCAN, LAST_SCAN).lost_on, lost_on, "{lane:?}");
        }
    }

    #[test]
    fn every_rule_on_file_is_read() {
        assert_eq!(RULES.len(), include_str!("data/loss_rules.csv").lines().count() - 1);
    }
}
