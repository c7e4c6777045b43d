//! The journeys as data: what is scanned how many hours after hand-over, where, and in which words.

use serde::{Deserialize, Serialize};

/// How a simulated parcel fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Journey {
    /// Delivered two days after hand-over, as promised.
    OnTime,
    /// Stuck in a sorting centre; delivered on the eighth day.
    Late,
    /// Held by customs for four days, then delivered.
    CustomsHold,
    /// Nobody at home; delivered on the next day.
    FailedAttempt,
    /// Nobody at home twice, not collected, sent back.
    Returned,
    /// Three scans, and then nothing more.
    Silent,
}

/// Whose end of the way a scan is made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Origin,
    Destination,
}

/// One scan. Hours before hand-over are negative.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) hour: i32,
    pub(crate) code: &'static str,
    pub(crate) end: End,
    pub(crate) text: &'static str,
}

/// From `known` hours on, the carrier means to deliver `arrival` hours after hand-over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    pub(crate) known: i32,
    pub(crate) arrival: i32,
}

const fn at(hour: i32, code: &'static str, text: &'static str) -> Step {
    Step { hour, code, end: End::Origin, text }
}

const fn far(hour: i32, code: &'static str, text: &'static str) -> Step {
    Step { hour, code, end: End::Destination, text }
}

const ANNOUNCED: Step = at(-4, "MA", "The shipment was announced by the sender");
const TAKEN_OVER: Step = at(0, "PU", "Taken over from the sender");
const SORTED: Step = at(7, "FS", "Scanned in the sorting centre");
const LEFT: Step = at(12, "DP", "Left the sorting centre");
const ARRIVED: Step = far(30, "FS", "Scanned in the sorting centre of the region");
const ON_VEHICLE: Step = far(44, "OD", "On the delivery vehicle");
const NOBODY_HOME: Step = far(50, "AT", "Nobody at home");

const ON_TIME: [Step; 7] =
    [ANNOUNCED, TAKEN_OVER, SORTED, LEFT, ARRIVED, ON_VEHICLE, far(50, "DL", "Delivered to the recipient")];

const LATE: [Step; 8] = [
    ANNOUNCED,
    TAKEN_OVER,
    SORTED,
    LEFT,
    at(40, "DY", "Delayed: too many parcels in the sorting centre"),
    far(140, "FS", "Scanned in the sorting centre of the region"),
    far(164, "OD", "On the delivery vehicle"),
    far(170, "DL", "Delivered to the recipient"),
];

const CUSTOMS_HOLD: [Step; 11] = [
    ANNOUNCED,
    TAKEN_OVER,
    SORTED,
    at(20, "EX", "Left the country of origin"),
    far(40, "IM", "Reached the country of destination"),
    far(44, "CP", "Presented to customs"),
    far(52, "CH", "Held by customs: papers are missing"),
    far(148, "CR", "Released by customs"),
    far(156, "HO", "Handed to the local carrier"),
    far(172, "OD", "On the delivery vehicle"),
    far(178, "DL", "Delivered to the recipient"),
];

const FAILED_ATTEMPT: [Step; 9] = [
    ANNOUNCED,
    TAKEN_OVER,
    SORTED,
    LEFT,
    ARRIVED,
    ON_VEHICLE,
    NOBODY_HOME,
    far(68, "OD", "On the delivery vehicle"),
    far(74, "DL", "Delivered to the recipient"),
];

const RETURNED: [Step; 13] = [
    ANNOUNCED,
    TAKEN_OVER,
    SORTED,
    LEFT,
    ARRIVED,
    ON_VEHICLE,
    NOBODY_HOME,
    far(68, "OD", "On the delivery vehicle"),
    far(74, "AT", "Nobody at home"),
    far(80, "PK", "Ready at the pickup point"),
    far(248, "UC", "Not collected in time"),
    far(252, "RT", "On its way back to the sender"),
    at(300, "RS", "Back with the sender"),
];

const SILENT: [Step; 4] = [ANNOUNCED, TAKEN_OVER, SORTED, LEFT];

const TWO_DAYS: Estimate = Estimate { known: 0, arrival: 50 };
const IN_TIME: [Estimate; 1] = [TWO_DAYS];
const LATER: [Estimate; 2] = [TWO_DAYS, Estimate { known: 40, arrival: 170 }];
const AFTER_CUSTOMS: [Estimate; 2] = [Estimate { known: 0, arrival: 98 }, Estimate { known: 148, arrival: 178 }];
const NEXT_DAY: [Estimate; 2] = [TWO_DAYS, Estimate { known: 50, arrival: 74 }];

impl Journey {
    /// Every journey.
    #[cfg(test)]
    pub const ALL: [Self; 6] =
        [Self::OnTime, Self::Late, Self::CustomsHold, Self::FailedAttempt, Self::Returned, Self::Silent];

    /// In order of time, an hour or more apart.
    pub(crate) fn steps(self) -> &'static [Step] {
        match self {
            Self::OnTime => &ON_TIME,
            Self::Late => &LATE,
            Self::CustomsHold => &CUSTOMS_HOLD,
            Self::FailedAttempt => &FAILED_ATTEMPT,
            Self::Returned => &RETURNED,
            Self::Silent => &SILENT,
        }
    }

    /// In the order in which they replace each other.
    pub(crate) fn estimates(self) -> &'static [Estimate] {
        match self {
            Self::OnTime | Self::Silent => &IN_TIME,
            Self::Late => &LATER,
            Self::CustomsHold => &AFTER_CUSTOMS,
            Self::FailedAttempt | Self::Returned => &NEXT_DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_an_hour_apart_so_that_no_delay_can_swap_them() {
        for journey in Journey::ALL {
            let hours: Vec<_> = journey.steps().iter().map(|it| it.hour).collect();
            assert!(hours.windows(2).all(|pair| pair[0] < pair[1]), "{journey:?}");
        }
    }

    #[test]
    fn each_journey_ends_as_its_name_says() {
        for (journey, code) in [
            (Journey::OnTime, "DL"),
            (Journey::Late, "DL"),
            (Journey::CustomsHold, "DL"),
            (Journey::FailedAttempt, "DL"),
            (Journey::Returned, "RS"),
            (Journey::Silent, "DP"),
        ] {
            assert_eq!(journey.steps().last().map(|it| it.code), Some(code), "{journey:?}");
        }
    }
}
