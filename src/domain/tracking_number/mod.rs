//! Tracking numbers: what a cell holds, whose number it is, whether its check digit is right, and what to do if not.
//!
//! A text is first put into its plain form ([`normalise`]), then held against every format on file, and judged: for
//! the declared carrier where there is one, among all carriers otherwise. Formats are rows of `data/formats.json`.

mod check_digit;
mod detect;
mod example;
mod formats;
mod habits;
mod judge;
mod labels;
mod link;
mod normalise;
mod own;
mod own_pattern;
mod pattern;
mod placeholder;
mod repair;
mod serial;

pub use example::{NumberFormat, formats_of, own_formats, postal_operators};
pub use formats::audit;
pub use habits::{Column, Habits};
pub use normalise::{Refusal, normalise};
pub use own_pattern::{NumberPattern, PatternFault};
pub use serial::{Series, split};

use crate::domain::carrier::own::{self as own_carrier, OwnCarrier};
use crate::domain::carrier::{CarrierSlug, DeclaredCarrier};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What is known of a parcel besides its number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The carrier as declared, in any spelling.
    pub carrier: Option<&'a str>,
    /// ISO 3166-1 alpha-2, as is `destination_country`; a country ranks carriers, it never mends a failed check.
    pub origin_country: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    pub destination_country: Option<&'a str>,
    /// What the seller's own numbers tell.
    pub habits: Option<&'a Habits>,
    /// The carriers that the seller defined.
    pub own: &'a [OwnCarrier],
}

/// What is known of a seller that bears on any number: carriers of their own, and what their last numbers have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The carriers that the seller defined.
    pub own: Vec<OwnCarrier>,
    /// What the seller's numbers have in common.
    pub habits: Habits,
}

impl Known {
    /// Hints that hold no more than this.
    pub fn hints(&self) -> Hints<'_> {
        Hints { habits: Some(&self.habits), own: &self.own, ..Hints::default() }
    }
}

/// What we think of a number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NumberCheck {
    /// As it was typed.
    pub input: String,
    /// The number in capitals without blanks and dashes; none where the text holds no single number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalized: Option<String>,
    /// For the declared carrier where one is declared.
    pub validity: Validity,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<NumberCode>,
    /// One sentence for the seller.
    pub detail: String,
    /// Whose number it may be, likeliest first; failed ones last.
    pub candidates: Vec<Candidate>,
    /// Numbers that may have been meant. They are offered, never put in silently.
    pub repairs: Vec<Repair>,
    /// The page of the declared carrier, else of the likeliest one; none for an invalid number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
}

impl NumberCheck {
    /// The number by which the carrier follows the parcel: [`Self::normalized`] without routing digits.
    pub fn tracked_number(&self) -> Option<&str> {
        let tracked = self.candidates.first().filter(|it| it.check != CheckOutcome::Failed);
        tracked.and_then(|it| it.tracked_number.as_deref()).or(self.normalized.as_deref())
    }
}

/// How far a number can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// One carrier's, and its check digit is right or its prefix tells enough.
    Valid,
    /// More than one carrier's check passes, or one on a form that several carriers use; name the carrier.
    Ambiguous,
    /// Nothing proves it and nothing disproves it.
    Suspicious,
    /// Wrong as it stands, with a number at hand that was probably meant.
    Repairable,
    /// Wrong, or no number at all: see the code.
    Invalid,
}

impl Validity {
    /// As it is written in answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Ambiguous => "ambiguous",
            Self::Suspicious => "suspicious",
            Self::Repairable => "repairable",
            Self::Invalid => "invalid",
        }
    }
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberCode {
    /// The check digit is wrong; the sentence names the right one.
    BadChecksum,
    /// It begins as a number of this carrier, and is too long or too short.
    BadLength,
    /// The last two letters of an S10 number are no issuing country; `UK` never is.
    BadCountry,
    /// No number of this carrier has this form.
    BadFormat,
    /// A spreadsheet wrote `9.40011E+21`: the digits are lost.
    ScientificNotation,
    /// A spreadsheet kept 15 digits and made zeros of the others.
    PrecisionLost,
    /// Several numbers in one place.
    MultipleNumbers,
    /// A filler such as `N/A`, `000000` or `123456789012`, though it may pass a check.
    Placeholder,
    /// A right number, but not of the declared carrier.
    CarrierMismatch,
    /// A spreadsheet took the zeros in front away.
    LostLeadingZero,
    /// One of the carrier's published test numbers.
    SandboxNumber,
    /// There is nothing there.
    Empty,
}

/// What a code means for the number it was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// There is no number to follow: digits are gone, or it was never one.
    Damage,
    /// It may be a slip of the pen; where a carrier was declared, the seller should look.
    Doubt,
    /// A carrier's published test number: no fault.
    Test,
}

impl NumberCode {
    /// Whether a number with this code can be followed all the same.
    pub fn gravity(self) -> Gravity {
        match self {
            Self::ScientificNotation
            | Self::PrecisionLost
            | Self::MultipleNumbers
            | Self::Placeholder
            | Self::Empty => Gravity::Damage,
            Self::BadChecksum
            | Self::BadLength
            | Self::BadCountry
            | Self::BadFormat
            | Self::CarrierMismatch
            | Self::LostLeadingZero => Gravity::Doubt,
            Self::SandboxNumber => Gravity::Test,
        }
    }

    /// As it is written in answers.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadChecksum => "bad_checksum",
            Self::BadLength => "bad_length",
            Self::BadCountry => "bad_country",
            Self::BadFormat => "bad_format",
            Self::ScientificNotation => "scientific_notation",
            Self::PrecisionLost => "precision_lost",
            Self::MultipleNumbers => "multiple_numbers",
            Self::Placeholder => "placeholder",
            Self::CarrierMismatch => "carrier_mismatch",
            Self::LostLeadingZero => "lost_leading_zero",
            Self::SandboxNumber => "sandbox_number",
            Self::Empty => "empty",
        }
    }
}

/// A carrier whose number this may be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Candidate {
    /// Its slug.
    pub carrier: CarrierSlug,
    /// The format's name in our table.
    #[schema(value_type = String)]
    pub format: Cow<'static, str>,
    /// Which of the carrier's numbers this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub service: Option<Cow<'static, str>>,
    /// What its check digit says.
    pub check: CheckOutcome,
    /// 0 to 1.
    pub confidence: f64,
    /// Why it is listed: one sentence.
    #[schema(value_type = String)]
    pub reason: Cow<'static, str>,
    /// The number that this carrier tracks, where it is only a part of what was printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked_number: Option<String>,
}

/// What the check digit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It is right.
    Passed,
    /// It is wrong.
    Failed,
    /// The format has no check digit.
    None,
}

/// A number that may have been meant; its check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Repair {
    /// In its plain form.
    pub number: String,
    /// Whose check it passes.
    pub carrier: CarrierSlug,
    /// What probably happened.
    pub code: RepairCode,
    /// One sentence for the seller.
    pub detail: String,
}

/// What probably happened to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairCode {
    /// A spreadsheet took zeros from the front.
    LostLeadingZero,
    /// A letter was typed for the digit that looks like it.
    LookalikeLetter,
    /// Another digit in one place.
    ChangedDigit,
    /// Two characters beside each other in the wrong order.
    SwappedNeighbours,
}

/// The version of the table of formats, to be stored with a verdict that may be passed anew by a later one.
pub fn formats_version() -> &'static str {
    formats::TABLE.version()
}

/// Whether this is the slug of a country's postal operator, which need not be on file by name.
pub fn is_postal_operator(slug: &str) -> bool {
    formats::TABLE.posts_in(slug).next().is_some()
}

/// Judges a number as it was typed, pasted or exported.
///
/// A carrier's name in front of the number ("UPS 1Z...") declares it where `hints` do not. This cannot fail and
/// takes time in proportion to the text; texts beyond 200 characters are refused unread.
pub fn check(input: &str, hints: &Hints<'_>) -> NumberCheck {
    let normalised = match normalise(input) {
        Ok(normalised) => normalised,
        Err(refusal) => return refused(input, refusal),
    };
    let declared = hints.carrier.and_then(|it| own_carrier::recognise(it, hints.own));
    let declared = declared.filter(DeclaredCarrier::declares).or(normalised.named_carrier);
    let verdict = judge::judge(&normalised.number, declared.as_ref(), hints);
    let verdict = own::amended(&normalised.number, declared.as_ref(), hints.own, verdict);
    let tracking_url = own::tracking_url(&normalised.number, declared.as_ref(), hints.own, &verdict)
        .or_else(|| judge::tracking_url(&normalised.number, declared.as_ref(), &verdict));
    NumberCheck {
        input: input.to_owned(),
        tracking_url,
        normalized: Some(normalised.number),
        validity: verdict.validity,
        code: verdict.code,
        detail: verdict.detail,
        candidates: verdict.candidates,
        repairs: verdict.repairs,
    }
}

fn refused(input: &str, refusal: Refusal) -> NumberCheck {
    NumberCheck {
        input: input.to_owned(),
        normalized: None,
        validity: Validity::Invalid,
        code: Some(refusal.code),
        detail: refusal.detail,
        candidates: Vec::new(),
        repairs: Vec::new(),
        tracking_url: None,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
