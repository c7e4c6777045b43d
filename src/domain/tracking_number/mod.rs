//! Tracking numbers: what a cell holds, whose number it is, whether its check digit is right, and what to do if not.
//!
//! A text is first put into its plain form ([`normalise`]), then held against every format on file, and judged: for
//! the declared carrier where there is one, among all carriers otherwise. Formats are rows of `data/formats.json`.

mod check_digit;
mod detect;
mod formats;
mod judge;
mod labels;
mod link;
mod normalise;
mod pattern;
mod placeholder;
mod repair;
mod serial;

pub use normalise::{Refusal, normalise};
pub use serial::{Series, split};

use crate::domain::carrier::{self, CarrierSlug, DeclaredCarrier};
use serde::Serialize;
use utoipa::ToSchema;

/// What is known of a parcel besides its number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The carrier as declared, in any spelling.
    pub carrier: Option<&'a str>,
    /// ISO 3166-1 alpha-2, as is `destination_country`; a country ranks carriers, it never mends a failed check.
    pub origin_country: Option<&'a str>,
    pub destination_country: Option<&'a str>,
}

/// What we think of a number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NumberCheck {
    pub input: String,
    /// The number in capitals without blanks and dashes; none where the text holds no single number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalized: Option<String>,
    /// For the declared carrier where one is declared.
    pub validity: Validity,
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
    Invalid,
}

impl Validity {
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
    BadChecksum,
    BadLength,
    /// The last two letters of an S10 number are no issuing country; `UK` never is.
    BadCountry,
    BadFormat,
    /// A spreadsheet wrote `9.40011E+21`: the digits are lost.
    ScientificNotation,
    /// A spreadsheet kept 15 digits and made zeros of the others.
    PrecisionLost,
    MultipleNumbers,
    /// A filler such as `N/A`, `000000` or `123456789012`, though it may pass a check.
    Placeholder,
    /// A right number, but not of the declared carrier.
    CarrierMismatch,
    /// A spreadsheet took the zeros in front away.
    LostLeadingZero,
    /// One of the carrier's published test numbers.
    SandboxNumber,
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
    pub carrier: CarrierSlug,
    /// The format's name in our table.
    pub format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub check: CheckOutcome,
    /// 0 to 1.
    pub confidence: f64,
    pub reason: String,
    /// The number that this carrier tracks, where it is only a part of what was printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracked_number: Option<String>,
}

/// What the check digit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Passed,
    Failed,
    /// The format has no check digit.
    None,
}

/// A number that may have been meant; its check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Repair {
    pub number: String,
    pub carrier: CarrierSlug,
    pub code: RepairCode,
    pub detail: String,
}

/// What probably happened to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairCode {
    LostLeadingZero,
    /// A letter was typed for the digit that looks like it.
    LookalikeLetter,
}

/// The version of the table of formats, to be stored with a verdict that may be passed anew by a later one.
pub fn formats_version() -> &'static str {
    formats::TABLE.version()
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
    let declared = hints.carrier.and_then(carrier::recognise).filter(DeclaredCarrier::declares);
    let declared = declared.or(normalised.named_carrier);
    let verdict = judge::judge(&normalised.number, declared.as_ref(), hints);
    NumberCheck {
        input: input.to_owned(),
        tracking_url: judge::tracking_url(&normalised.number, declared.as_ref(), &verdict),
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
mod tests;
