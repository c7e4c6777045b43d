//! Cells that hold a carrier and a tracking number.

use super::cells::{Cells, TEXT_CHARS};
use super::excel::Sort;
use super::fault::Fault;
use crate::domain::carrier::DeclaredCarrier;
use crate::domain::carrier::own;
use crate::domain::country::CountryCode;
use crate::domain::order::Place;
use crate::domain::shipment::ProvenNumber;
use crate::domain::tracking_number::{
    self, Candidate, CheckOutcome, Gravity, Hints, NumberCheck, NumberCode, formats_of,
};

impl Cells<'_> {
    /// The carrier as declared.
    pub(super) fn carrier(&mut self, column: &'static str) -> Option<DeclaredCarrier> {
        let text = self.take_unless_placeholder(column)?;
        if text.chars().count() > 128 {
            self.error(column, "too_long", "The name of the carrier is longer than 128 characters. Shorten it.");
            return None;
        }
        let declared = own::recognise(&text, &self.options.known.own);
        self.note(column, declared.as_ref().map_or(text, |it| it.slug.to_string()));
        declared
    }

    /// The service as written, else the one that comes with the carrier's name.
    pub(super) fn service(&mut self, declared: Option<&DeclaredCarrier>) -> Option<String> {
        let written = self.text("service");
        let named = declared.and_then(|it| it.service.clone());
        if let (None, Some(named)) = (&written, &named) {
            self.note("service", named.clone());
        }
        written.or(named)
    }

    /// The number, proved as far as it can be; `None` where the cell is blank or at fault.
    pub(super) fn number(
        &mut self,
        column: &'static str,
        declared: Option<&DeclaredCarrier>,
        (from, to): (&Place, &Place),
    ) -> Option<ProvenNumber> {
        let typed = self.take(column, Sort::Code)?;
        if typed.chars().count() > TEXT_CHARS {
            self.error(column, "too_long", "The cell is far too long for a tracking number. Write the number alone.");
            return None;
        }
        let binding = declared.filter(|it| it.declares());
        let hints = Hints {
            carrier: binding.map(|it| it.slug.as_str()),
            origin_country: from.country.as_ref().map(CountryCode::as_str),
            destination_country: to.country.as_ref().map(CountryCode::as_str),
            habits: Some(&self.survey.habits),
            own: &self.options.known.own,
        };
        let check = tracking_number::check(&typed, &hints);
        let tracked = check.tracked_number().unwrap_or(&typed).to_owned();
        self.note(column, tracked.clone());
        let suspicious = self.judge(column, &check, binding)?;
        let link = tracking_number::normalise(&typed).ok().filter(|it| it.from_url);
        if link.is_some() {
            self.warn(
                column,
                "tracking_url_parsed",
                format!("The cell holds a link; the number {tracked} was read from it."),
            );
        }
        let named_by_link = link.and_then(|it| it.named_carrier).map(|it| it.slug);
        let mut number = ProvenNumber::of(&check, declared.map(|it| it.slug.clone()), suspicious);
        number.detected = number.detected.or(named_by_link);
        Some(number)
    }

    /// Whether the number is suspicious; `None` where it cannot be taken.
    fn judge(&mut self, column: &str, check: &NumberCheck, declared: Option<&DeclaredCarrier>) -> Option<bool> {
        let repair = match check.repairs.as_slice() {
            [repair] => Some(repair.number.clone()),
            _ => None,
        };
        let fault = |code: &str| Fault::of_cell(column, code, check.detail.clone()).with_repair(repair);
        let Some(code) = check.code else { return Some(false) };
        let refused = match code.gravity() {
            Gravity::Test => return Some(false),
            // Small carriers do issue 123456789012; where no check digit can tell, the seller's word does.
            Gravity::Damage if may_be_issued(check, declared) && !self.options.strict => {
                self.warnings.push(fault(cell_code(code)));
                return Some(true);
            }
            Gravity::Damage => fault(cell_code(code)),
            Gravity::Doubt if declared.is_none() => return Some(false),
            Gravity::Doubt if !self.options.strict => {
                self.warnings.push(fault(code.code()));
                return Some(true);
            }
            Gravity::Doubt => fault(code.code()),
        };
        self.errors.push(refused);
        None
    }
}

/// Whether digits that look made up are declared for a carrier whose numbers nobody has described, or have no check digit
/// that could tell.
fn may_be_issued(check: &NumberCheck, declared: Option<&DeclaredCarrier>) -> bool {
    let Some(declared) = declared else { return false };
    let fits = |it: &Candidate| it.check == CheckOutcome::None && declared.accepts(it.carrier.as_str());
    let digits = check.normalized.as_deref().unwrap_or_default();
    let is_long = digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_unproved = formats_of(declared.slug.as_str()).is_empty() || check.candidates.iter().any(fits);
    check.code == Some(NumberCode::Placeholder) && is_long && is_unproved
}

/// Damage is named for a cell of a sheet as other cells' damage is.
#[allow(clippy::wildcard_enum_match_arm, reason = "three codes have another name in a sheet")]
fn cell_code(code: NumberCode) -> &'static str {
    match code {
        NumberCode::MultipleNumbers => "multiple_tracking_numbers",
        NumberCode::Placeholder => "placeholder_value",
        NumberCode::Empty => "missing_field",
        other => other.code(),
    }
}
