//! Which parcel takes which journey, and what has been seen of it by a given time.

use crate::domain::carrier::CarrierSlug;
use crate::domain::country::CountryCode;
use crate::domain::event_time::EventTime;
use crate::simulator::journeys::{End, Journey, Step};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// One parcel and how it fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its tracking number; upper and lower case are one.
    pub number: String,
    /// Who carries it; shown in answers, `null` for a parcel that was made up on the spot.
    pub carrier: Option<CarrierSlug>,
    /// How it fares.
    pub journey: Journey,
    /// When the carrier takes it over. The announcement is four hours older.
    pub handed_over_at: Timestamp,
    /// Such as `Leipzig, DE`; the last word names the country, whose time the scans are written in.
    pub origin: String,
    /// Such as `Austin, TX, US`.
    pub destination: String,
    /// Whether the carrier writes local times without their offset, as some do.
    #[serde(default)]
    pub without_offset: bool,
}

/// A parcel as the wire shows it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Parcel {
    number: String,
    carrier: Option<CarrierSlug>,
    found: bool,
    events: Vec<Event>,
    /// `YYYY-MM-DD` at the destination.
    estimated_on: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Event {
    id: String,
    at: String,
    offset: Option<String>,
    code: &'static str,
    place: String,
    text: &'static str,
}

/// Numbers that begin with this are never found, so that this too can be tried out.
const NEVER_FOUND: &str = "NF";

/// More parcels than this are not remembered, so that a flood of numbers fills no memory.
const MOST_SCRIPTS: usize = 200_000;

/// From where to where a made-up parcel goes; the first two cross a border with customs.
const LANES: [(&str, &str); 4] = [
    ("Shenzhen, CN", "Lyon, FR"),
    ("Leipzig, DE", "Austin, TX, US"),
    ("Leipzig, DE", "Madrid, ES"),
    ("Sao Paulo, SP, BR", "Recife, PE, BR"),
];

/// How a made-up parcel fares: half of them well.
const LOTS: [Journey; 10] = [
    Journey::OnTime,
    Journey::OnTime,
    Journey::OnTime,
    Journey::OnTime,
    Journey::OnTime,
    Journey::Late,
    Journey::CustomsHold,
    Journey::FailedAttempt,
    Journey::Returned,
    Journey::Silent,
];

/// All parcels of the simulator.
#[derive(Debug, Default)]
pub(crate) struct Registry(HashMap<String, Script>);

impl Registry {
    /// Adds scripts; a newer one for the same number replaces the older. `false` where there are too many.
    pub(crate) fn add(&mut self, scripts: Vec<Script>) -> bool {
        if self.0.len().saturating_add(scripts.len()) > MOST_SCRIPTS {
            return false;
        }
        self.0.extend(scripts.into_iter().map(|it| (it.number.to_ascii_uppercase(), it)));
        true
    }

    /// What the carrier shows of a number. With `make_up`, a number without a script is handed over at first sight.
    pub(crate) fn parcel(&mut self, number: &str, now: Timestamp, make_up: bool) -> Parcel {
        let key = number.to_ascii_uppercase();
        let plausible = (5..=50).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        let new = make_up && plausible && !key.starts_with(NEVER_FOUND) && self.0.len() < MOST_SCRIPTS;
        if new && !self.0.contains_key(&key) {
            self.0.insert(key.clone(), made_up(&key, now));
        }
        let nothing =
            Parcel { number: number.to_owned(), carrier: None, found: false, events: Vec::new(), estimated_on: None };
        let Some(script) = self.0.get(&key) else { return nothing };
        let events = script.events_by(now);
        if events.is_empty() {
            return nothing;
        }
        let estimated_on = script.estimated_on(now);
        Parcel { carrier: script.carrier.clone(), found: true, events, estimated_on, ..nothing }
    }
}

fn made_up(number: &str, now: Timestamp) -> Script {
    let journey = pick(&LOTS, number, "journey").unwrap_or(Journey::OnTime);
    let lanes = if journey == Journey::CustomsHold { LANES.split_at(2).0 } else { &LANES };
    let (origin, destination) = pick(lanes, number, "lane").unwrap_or_default();
    Script {
        number: number.to_owned(),
        carrier: None,
        journey,
        handed_over_at: now,
        origin: origin.to_owned(),
        destination: destination.to_owned(),
        without_offset: false,
    }
}

impl Script {
    fn events_by(&self, now: Timestamp) -> Vec<Event> {
        let steps = (0_usize..).zip(self.journey.steps());
        let happened = steps.map(|(place, step)| (place, step, self.happens_at(step)));
        happened.filter(|(.., at)| *at <= now).map(|(place, step, at)| self.event(place, step, at)).collect()
    }

    fn event(&self, place: usize, step: &Step, at: Timestamp) -> Event {
        let label = match step.end {
            End::Origin => &self.origin,
            End::Destination => &self.destination,
        };
        let zone = zone_of(label);
        let local = EventTime::with_offset(zone.to_datetime(at), zone.to_offset(at));
        Event {
            id: format!("{}-{place}", self.number),
            at: local.local_text(),
            offset: if self.without_offset { None } else { local.offset_text() },
            code: step.code,
            place: label.clone(),
            text: step.text,
        }
    }

    /// At its hour, and up to 44 minutes later, to the second: the same for the same number at all times.
    fn happens_at(&self, step: &Step) -> Timestamp {
        let late = i64::try_from(lot(&self.number, &step.hour.to_string()) % (45 * 60)).unwrap_or(0);
        let due = self.after_hand_over(step.hour);
        let second = due.checked_add(SignedDuration::from_secs(late)).unwrap_or(due).as_second();
        Timestamp::from_second(second).unwrap_or(due)
    }

    fn after_hand_over(&self, hours: i32) -> Timestamp {
        let base = self.handed_over_at;
        base.checked_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(base)
    }

    /// None before hand-over, and none once the last scan is made.
    fn estimated_on(&self, now: Timestamp) -> Option<String> {
        let over =
            self.journey != Journey::Silent && self.journey.steps().last().is_some_and(|it| self.happens_at(it) <= now);
        let known = self.journey.estimates().iter().rfind(|it| self.after_hand_over(it.known) <= now)?;
        let arrival = zone_of(&self.destination).to_datetime(self.after_hand_over(known.arrival));
        (!over).then(|| arrival.date().to_string())
    }
}

/// The zone of the country and region that end a label; UTC where it names none.
fn zone_of(label: &str) -> TimeZone {
    let mut words = label.rsplit(',').map(str::trim);
    let country = words.next().and_then(|it| CountryCode::recognise(it).ok());
    country.map_or(TimeZone::UTC, |it| it.time_zone(words.next()))
}

fn pick<T: Copy>(from: &[T], number: &str, purpose: &str) -> Option<T> {
    let place = usize::try_from(lot(number, purpose) >> 33).ok()?.checked_rem(from.len())?;
    from.get(place).copied()
}

/// A number drawn for this parcel and purpose, always the same.
fn lot(number: &str, purpose: &str) -> u64 {
    let digest = Sha256::digest(format!("{}\n{purpose}", number.to_ascii_uppercase()));
    digest.iter().take(8).fold(0, |drawn, byte| (drawn << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn script(journey: Journey) -> Script {
        Script {
            number: "PT0001".to_owned(),
            carrier: Some(CarrierSlug::from_stored("dhl".to_owned())),
            journey,
            handed_over_at: at("2026-09-17T10:00:00Z"),
            origin: "Leipzig, DE".to_owned(),
            destination: "Austin, TX, US".to_owned(),
            without_offset: false,
        }
    }

    fn codes(parcel: &Parcel) -> String {
        parcel.events.iter().map(|it| it.code).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_has_happened_is_shown() {
        let mut registry = Registry::default();
        assert!(registry.add(vec![script(Journey::Late)]));
        for (what, now, seen, estimated_on) in [
            ("before the announcement", "2026-09-17T05:59:00Z", "", None),
            ("announced", "2026-09-17T07:00:00Z", "MA", None),
            ("handed over", "2026-09-17T11:00:00Z", "MA PU", Some("2026-09-19")),
            ("delayed", "2026-09-19T03:00:00Z", "MA PU FS DP DY", Some("2026-09-24")),
            ("delivered", "2026-09-30T00:00:00Z", "MA PU FS DP DY FS OD DL", None),
        ] {
            let parcel = registry.parcel("pt0001", at(now), false);
            assert_eq!((codes(&parcel).as_str(), parcel.estimated_on.as_deref()), (seen, estimated_on), "{what}");
            assert_eq!(parcel.found, !seen.is_empty(), "{what}");
        }
    }

    #[test]
    fn scans_are_written_in_the_time_of_their_place() {
        let parcel_of = |script: Script| {
            let mut registry = Registry::default();
            registry.add(vec![script]);
            registry.parcel("PT0001", at("2026-09-20T00:00:00Z"), false)
        };
        let parcel = parcel_of(script(Journey::OnTime));
        let ends = parcel.events.first().zip(parcel.events.last());
        let (first, last) = ends.unwrap();
        assert_eq!((first.offset.as_deref(), first.place.as_str()), (Some("+02:00"), "Leipzig, DE"));
        assert_eq!((last.offset.as_deref(), last.place.as_str()), (Some("-05:00"), "Austin, TX, US"));
        assert!(first.at.starts_with("2026-09-17T08:"), "{}", first.at);
        let parcel = parcel_of(Script { without_offset: true, ..script(Journey::OnTime) });
        assert!(parcel.events.iter().all(|it| it.offset.is_none()));
    }

    #[test]
    fn a_number_without_a_script_gets_a_journey_of_its_own_for_good() {
        let mut registry = Registry::default();
        let now = at("2026-09-17T10:00:00Z");
        let later = at("2026-10-17T10:00:00Z");
        for (what, number, make_up, found) in [
            ("made up", "1Z999AA10123456784", true, true),
            ("not to be made up", "1Z999AA10123456785", false, false),
            ("never found", "NF000001", true, false),
            ("no number", "'; DROP TABLE", true, false),
            ("empty", "", true, false),
        ] {
            assert_eq!(registry.parcel(number, now, make_up).found, found, "{what}");
        }
        let seen = registry.parcel("1Z999AA10123456784", later, true);
        let mut elsewhere = Registry::default();
        elsewhere.parcel("1Z999AA10123456784", now, true);
        assert_eq!(seen, elsewhere.parcel("1z999aa10123456784", later, true).named(&seen.number));
        let fates: std::collections::HashSet<_> =
            (0..200).map(|it| made_up(&format!("PT{it:04}"), now).journey).collect();
        assert_eq!(fates.len(), Journey::ALL.len(), "every journey is taken by some number");
    }

    impl Parcel {
        fn named(self, number: &str) -> Self {
            Self { number: number.to_owned(), ..self }
        }
    }
}
