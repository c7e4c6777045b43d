//! Questions and answers in our own words; the carrier's words stop here.

use crate::carriers::codes::CodeTable;
use crate::domain::carrier::CarrierSlug;
use crate::domain::event_time::EventTime;
use crate::domain::milestone::SubStatus;
use crate::domain::scan::Scan;
use jiff::civil::Date;
use serde::Serialize;
use std::time::Duration;

/// One number that we ask about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The carrier as we know it; an aggregator may need it, and may find another.
    pub carrier: CarrierSlug,
    /// The normalised tracking number.
    pub number: String,
}

/// What an answer as a whole comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every parcel in it is known to the source.
    Tracked,
    /// The source knows none of the parcels.
    NotFound,
    /// The source does not accept our credentials.
    AuthError,
    /// We asked too often.
    RateLimited,
    /// The source refuses what we asked, and would refuse it again.
    Rejected,
    /// Some parcels are known, others are not or cannot be read.
    Partial,
    /// The numbers are followed from now on; there is no news yet.
    #[allow(dead_code, reason = "real sources register numbers first, the simulator does not")]
    Registered,
    /// The source has stopped following the parcel.
    #[allow(dead_code, reason = "real sources stop following, the simulator does not")]
    Stopped,
    /// An answer without news, such as a quota.
    #[allow(dead_code, reason = "real sources answer so, the simulator does not")]
    Ok,
    /// The source failed, or sent what cannot be read.
    Error,
}

/// One reply, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it comes to.
    pub outcome: Outcome,
    /// One entry a parcel that the answer names; an answer that names none speaks of every parcel asked for.
    pub parcels: Vec<ParcelAnswer>,
    /// Codes that are not on our map, each once: kept as scans without a sub-status, and listed for the operator.
    pub unknown_codes: Vec<String>,
    /// Why the whole is no good, where it is not. It quotes no body.
    pub detail: Option<String>,
    /// How long the source wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a source says of one parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelAnswer {
    /// The number, as the source writes it; as we asked it once the runner has matched the two.
    pub number: String,
    /// The carrier whom the source names, where it names one. It may be another than we thought.
    pub carrier: Option<CarrierSlug>,
    /// In no particular order.
    pub scans: Vec<Scan>,
    /// When the carrier means to deliver.
    pub eta: Option<Eta>,
    /// Why there is nothing, or not all, of this parcel. Scans beside an error are still good.
    pub error: Option<AnswerError>,
}

/// When a carrier means to deliver, by the clock of the place that it goes to. No zone is invented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eta {
    /// On this day.
    Date(Date),
    /// Between two times, both inclusive.
    #[allow(dead_code, reason = "real sources name windows, the simulator names days")]
    Window(EventTime, EventTime),
}

/// What is wrong with one parcel's part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerError {
    /// Our word for it, such as `not_found`.
    pub code: String,
    /// One sentence.
    pub detail: String,
    /// Whether the same question may have another answer later.
    pub retryable: bool,
}

impl AnswerError {
    /// The source does not know the number; it may know it tomorrow.
    pub fn not_found() -> Self {
        Self::new("not_found", "The source does not know this number.", true)
    }

    /// An error in our words.
    pub fn new(code: &str, detail: &str, retryable: bool) -> Self {
        Self { code: code.to_owned(), detail: detail.to_owned(), retryable }
    }
}

impl ParcelAnswer {
    /// A parcel of which there is only this to say.
    pub fn without_news(number: String, error: Option<AnswerError>) -> Self {
        Self { number, carrier: None, scans: Vec::new(), eta: None, error }
    }
}

impl Answer {
    /// An answer about these parcels; the outcome follows from them.
    pub fn of(parcels: Vec<ParcelAnswer>) -> Self {
        let outcome = outcome_of(&parcels);
        Self { outcome, parcels, unknown_codes: Vec::new(), detail: None, retry_after: None }
    }

    /// An answer that is no good as a whole.
    pub fn whole(outcome: Outcome, detail: &str) -> Self {
        Self { outcome, detail: Some(detail.to_owned()), ..Self::of(Vec::new()) }
    }

    /// Notes a code of the source and finds its place on our map; a code that is not there is listed, never guessed.
    pub fn place(&mut self, code: &str, table: &CodeTable) -> Option<SubStatus> {
        let place = table.sub_status(code);
        if place.is_none() && !self.unknown_codes.iter().any(|it| it == code) {
            self.unknown_codes.push(code.to_owned());
        }
        place
    }

    /// One entry for each of `asked`, in that order. A parcel that nobody asked for is dropped, so that no source can
    /// write into another's history; one that is missing gets the error that the whole answer deserves.
    #[must_use]
    pub fn matched_to(mut self, asked: &[Asked]) -> Self {
        let silent = self.parcels.is_empty();
        let parcels: Vec<_> = asked.iter().map(|asked| self.about(asked, silent)).collect();
        let strangers = self.parcels.iter().filter(|it| !asked.iter().any(|asked| same_number(it, asked))).count();
        if strangers > 0 {
            tracing::warn!(strangers, "a source answered about parcels that it was not asked for");
        }
        if !silent {
            self.outcome = outcome_of(&parcels);
        }
        self.parcels = parcels;
        self
    }

    fn about(&self, asked: &Asked, silent: bool) -> ParcelAnswer {
        let mut named = self.parcels.iter().filter(|it| same_number(it, asked));
        let by_carrier = named.clone().find(|it| it.carrier.as_ref() == Some(&asked.carrier));
        if let Some(found) = by_carrier.or_else(|| named.next()) {
            return ParcelAnswer { number: asked.number.clone(), ..found.clone() };
        }
        let error = if silent { self.whole_error() } else { Some(unanswered()) };
        ParcelAnswer::without_news(asked.number.clone(), error)
    }

    fn whole_error(&self) -> Option<AnswerError> {
        let detail = self.detail.as_deref();
        match self.outcome {
            Outcome::NotFound => Some(AnswerError::not_found()),
            Outcome::Rejected => {
                let detail = detail.unwrap_or("The source refuses this question.");
                Some(AnswerError::new("rejected", detail, false))
            }
            Outcome::Registered | Outcome::Stopped | Outcome::Ok => None,
            Outcome::Tracked | Outcome::Partial | Outcome::AuthError | Outcome::RateLimited | Outcome::Error => {
                Some(unanswered())
            }
        }
    }
}

fn unanswered() -> AnswerError {
    AnswerError::new("no_answer", "The source's answer does not speak of this number.", true)
}

fn same_number(parcel: &ParcelAnswer, asked: &Asked) -> bool {
    parcel.number.eq_ignore_ascii_case(&asked.number)
}

fn outcome_of(parcels: &[ParcelAnswer]) -> Outcome {
    let unknown = |it: &ParcelAnswer| it.error.as_ref().is_some_and(|error| error.code == "not_found");
    if parcels.iter().all(|it| it.error.is_none()) {
        Outcome::Tracked
    } else if parcels.iter().all(unknown) {
        Outcome::NotFound
    } else if parcels.iter().all(|it| it.error.as_ref().is_some_and(|error| !error.retryable) && it.scans.is_empty()) {
        Outcome::Rejected
    } else {
        Outcome::Partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(carrier: &str, number: &str) -> Asked {
        Asked { carrier: CarrierSlug::from_stored(carrier.to_owned()), number: number.to_owned() }
    }

    fn tracked(number: &str) -> ParcelAnswer {
        ParcelAnswer::without_news(number.to_owned(), None)
    }

    #[test]
    fn each_parcel_asked_for_is_answered_once_and_no_other() {
        let answer = Answer::of(vec![tracked("stranger"), tracked("a1")]);
        let matched = answer.matched_to(&[asked("ups", "A1"), asked("ups", "B2")]);
        let told: Vec<_> = matched.parcels.iter().map(|it| (it.number.as_str(), it.error.clone())).collect();
        assert_eq!(told, [("A1", None), ("B2", Some(unanswered()))]);
        assert_eq!(matched.outcome, Outcome::Partial);
    }

    #[test]
    fn an_answer_that_names_no_parcel_speaks_of_all() {
        for (outcome, code) in [
            (Outcome::NotFound, Some("not_found")),
            (Outcome::Rejected, Some("rejected")),
            (Outcome::Tracked, Some("no_answer")),
            (Outcome::Registered, None),
        ] {
            let answer = Answer { outcome, ..Answer::of(Vec::new()) }.matched_to(&[asked("ups", "A1")]);
            assert_eq!(answer.outcome, outcome);
            let error = answer.parcels[0].error.as_ref().map(|it| it.code.as_str());
            assert_eq!(error, code, "{outcome:?}");
        }
    }

    #[test]
    fn a_number_that_two_carriers_use_is_answered_by_the_right_one() {
        let of = |slug: &str| ParcelAnswer { carrier: Some(asked(slug, "").carrier), ..tracked("A1") };
        let matched = Answer::of(vec![of("dhl"), of("ups")]).matched_to(&[asked("ups", "A1")]);
        assert_eq!(matched.parcels, [of("ups")]);
    }
}
