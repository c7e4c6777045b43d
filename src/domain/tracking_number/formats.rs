//! The formats of tracking numbers on file: read from the data file once, checked, and indexed by length and first
//! character.

use super::check_digit::Rule;
use super::pattern::{DIGITS, SYMBOLS, bit, compiled};
use super::repair::MOST_ZEROS;
use super::{CheckOutcome, detect};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const DATA: &str = include_str!("../data/formats.json");

/// No format on file is longer; `IMpb` with a routing prefix is the longest of all at 38.
pub(super) const LONGEST: usize = 40;

/// From here on a shape alone tells the carrier: it has a prefix that nobody else uses.
pub(super) const DISTINCTIVE: u8 = 85;

static READ: LazyLock<Result<Table, FormatFault>> = LazyLock::new(|| Table::read(DATA));

/// The table; empty where [`audit`] refuses it.
pub(super) static TABLE: LazyLock<&'static Table> = LazyLock::new(|| {
    static EMPTY: LazyLock<Table> = LazyLock::new(Table::default);
    READ.as_ref().unwrap_or(&EMPTY)
});

/// Refuses a data file whose rules cannot work or contradict each other. To be asked at the start: nothing can be proved
/// without it.
///
/// # Errors
///
/// [`FormatFault`], which names the row.
pub fn audit() -> Result<(), &'static FormatFault> {
    READ.as_ref().map(drop)
}

/// What is wrong with the data file.
#[derive(Debug, thiserror::Error)]
pub enum FormatFault {
    #[error("the file of formats cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("`{0}` stands twice")]
    Twice(String),
    #[error("a format of `{0}` has no name")]
    Unnamed(String),
    #[error("`{0}` names no source")]
    NoSource(String),
    #[error("`{0}` has a carrier that is not on file")]
    NoCarrier(String),
    #[error("`{0}` has a pattern that means nothing: {1}")]
    Pattern(String, String),
    #[error("`{0}` has a check rule, or a place for it, that cannot work")]
    Check(String),
    #[error("`{0}` says that its shape is its carrier's alone, and so does `{1}`, which has the same")]
    Overlap(String, String),
    #[error("`{0}` has an example, {1}, that it does not take")]
    Example(String, String),
}

/// The data file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    version: String,
    formats: Vec<Format>,
    s10: Issuers,
}

/// One row of the data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Format {
    pub(super) id: String,
    /// Whose numbers these are; `postal` where [`Issuer`] tells the operator.
    pub(super) carrier: String,
    pub(super) service: Option<String>,
    /// Where it is in use; none where that is in many countries.
    pub(super) country: Option<String>,
    shapes: Vec<ShapeRow>,
    pub(super) check: Option<Check>,
    pub(super) issuer: Option<Issuer>,
    /// How sure we are that the carrier uses this form.
    pub(super) confidence: Evidence,
    /// 0 to 99: how seldom something else has this shape. A shape may say otherwise of itself.
    specificity: u8,
    /// Of random digits where it can be all digits, else of random letters and digits, of the length at which most do:
    /// how many this format takes.
    pub(super) false_positive_rate: f64,
    /// Made up by us, with right check digits.
    pub(super) examples: [String; 2],
    /// Carriers that hand parcels with such numbers over to `carrier`.
    #[serde(default)]
    pub(super) partners: Vec<Partner>,
    /// The carrier's test numbers, or what they begin with; most fail the check.
    #[serde(default)]
    pub(super) sandbox: Vec<String>,
    pub(super) source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShapeRow {
    /// Parts apart by blanks: `=text` as it is, or `digit`, `letter`, `alnum`, `[A-F0]`, each with `*times`.
    pattern: String,
    /// The part that the carrier tracks, where it is not the whole.
    tracked: Option<(usize, usize)>,
    specificity: Option<u8>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Check {
    #[serde(flatten)]
    pub(super) rule: Rule,
    /// The characters that are weighed; the check character stands right behind them. Where none is given: all of
    /// the tracked part but its last character.
    body: Option<(usize, usize)>,
    /// Digits that count though they are not printed; several mean that any of them may have been meant.
    #[serde(default)]
    pub(super) prepend: Vec<String>,
}

/// Who issued a number that many carriers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Issuer {
    /// The postal operator of the country in the last two letters.
    S10,
}

/// How well a format is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Evidence {
    High,
    Medium,
    /// Told by hearsay: counts only where the carrier is declared.
    Low,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Partner {
    pub(super) carrier: String,
    pub(super) prefixes: Vec<String>,
}

/// Countries that issue S10 numbers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuers {
    #[serde(rename = "source")]
    _source: String,
    operators: HashMap<String, String>,
    /// Codes that are no countries, with the carrier that uses them.
    pseudo_countries: HashMap<String, String>,
    /// Countries whose operator we have no name for: `post-` and the country is its slug.
    other_countries: String,
}

/// One shape of a format, ready to be matched.
pub(super) struct Shape {
    pub(super) format: usize,
    /// One set of allowed characters each place: bit 0 for `0`, bit 10 for `A`.
    pub(super) places: Vec<u64>,
    pub(super) specificity: u8,
    /// Whether a letter stands in every number of this shape.
    pub(super) has_letters: bool,
    /// Whether its places hold any digit, and nothing else.
    is_any_digits: bool,
    /// Characters at the start that are fixed.
    pub(super) literal: String,
    pub(super) tracked: (usize, usize),
    pub(super) body: (usize, usize),
}

impl Shape {
    pub(super) fn length(&self) -> usize {
        self.places.len()
    }

    /// Whether a number of this length has the shape, its symbols being sets already; `digits` where all are digits.
    fn takes(&self, symbols: &[u64], digits: bool) -> bool {
        if self.is_any_digits {
            return digits;
        }
        self.places.iter().zip(symbols).all(|(place, symbol)| place & symbol != 0)
    }

    /// Whether some text has both shapes.
    fn overlaps(&self, other: &Self) -> bool {
        self.length() == other.length()
            && self.places.iter().zip(&other.places).all(|(mine, theirs)| mine & theirs != 0)
    }

    /// Whether number and shape agree as far as both go: true of a number with a character lost or doubled at its end.
    pub(super) fn begins(&self, number: &[u8]) -> bool {
        self.places.iter().zip(number).all(|(place, symbol)| place & bit(*symbol) != 0)
    }
}

/// All formats, indexed.
#[derive(Default)]
pub(super) struct Table {
    version: String,
    pub(super) formats: Vec<Format>,
    pub(super) shapes: Vec<Shape>,
    /// Shapes by length and first character.
    index: Vec<Vec<usize>>,
    issuers: HashMap<[u8; 2], String>,
    /// Lengths of shapes that are a carrier's own and begin with a zero.
    zero_led: Vec<usize>,
}

impl Table {
    /// The version of the data file, to be kept with what was judged by it.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// The shapes that this number has; none for one longer than [`LONGEST`].
    pub(super) fn shapes_of(&self, number: &[u8]) -> impl Iterator<Item = &Shape> {
        let mut symbols = [0; LONGEST];
        symbols.iter_mut().zip(number).for_each(|(symbol, byte)| *symbol = bit(*byte));
        let digits = number.iter().all(u8::is_ascii_digit);
        let slot = number.first().and_then(|first| slot(number.len(), *first)).and_then(|slot| self.index.get(slot));
        let alike = slot.into_iter().flatten().filter_map(|it| self.shapes.get(*it));
        alike.filter(move |it| it.takes(&symbols, digits))
    }

    /// Whether with a zero or more in front a number of this length might be one carrier's own.
    pub(super) fn may_lack_zeros(&self, length: usize) -> bool {
        self.zero_led.iter().any(|it| (length + 1..=length + MOST_ZEROS).contains(it))
    }

    pub(super) fn format_of(&self, shape: &Shape) -> Option<&Format> {
        self.formats.get(shape.format)
    }

    /// The carrier behind the last two letters of an S10 number; none for codes that nobody issues, such as UK.
    pub(super) fn s10_issuer(&self, number: &[u8]) -> Option<&str> {
        self.issuers.get(number.last_chunk::<2>()?).map(String::as_str)
    }

    /// The countries in which this carrier is the postal operator.
    pub(super) fn posts_in<'a>(&'a self, carrier: &'a str) -> impl Iterator<Item = &'a str> {
        let of_carrier = self.issuers.iter().filter(move |(_, it)| it.as_str() == carrier);
        of_carrier.filter_map(|(country, _)| std::str::from_utf8(country).ok())
    }

    /// Every postal operator with its countries, or what stands in their place.
    pub(super) fn issuers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.issuers.iter().filter_map(|(country, it)| Some((it.as_str(), std::str::from_utf8(country).ok()?)))
    }

    fn read(data: &str) -> Result<Self, FormatFault> {
        let sheet: Sheet = serde_json::from_str(data).map_err(FormatFault::Unreadable)?;
        let mut table = Self { version: sheet.version, issuers: issuers(&sheet.s10), ..Self::default() };
        table.index.resize_with((LONGEST + 1) * 36, Vec::new);
        let mut ids = HashSet::new();
        for (number, format) in sheet.formats.iter().enumerate() {
            if !ids.insert(format.id.as_str()) {
                return Err(FormatFault::Twice(format.id.clone()));
            }
            for shape in shapes_of(number, format)? {
                let first = shape.places.first().copied().unwrap_or_default();
                for symbol in SYMBOLS.iter().filter(|it| first & bit(**it) != 0) {
                    let slot = slot(shape.places.len(), *symbol).and_then(|it| table.index.get_mut(it));
                    slot.ok_or_else(|| fault(format, "too long"))?.push(table.shapes.len());
                }
                table.shapes.push(shape);
            }
        }
        let own = table.shapes.iter().filter(|it| it.specificity >= DISTINCTIVE && it.literal.starts_with('0'));
        table.zero_led = own.map(Shape::length).collect();
        table.formats = sheet.formats;
        table.audit()?;
        Ok(table)
    }

    /// No two carriers have one shape for their own, and every format takes its own examples.
    fn audit(&self) -> Result<(), FormatFault> {
        let of = |shape: &Shape| self.format_of(shape).map_or(("", ""), |it| (it.id.as_str(), it.carrier.as_str()));
        let own: Vec<&Shape> = self.shapes.iter().filter(|it| it.specificity >= DISTINCTIVE).collect();
        for (at, shape) in own.iter().enumerate() {
            let (id, carrier) = of(shape);
            let rival = own.iter().skip(at + 1).find(|it| of(it).1 != carrier && it.overlaps(shape));
            if let Some(rival) = rival {
                return Err(FormatFault::Overlap(id.to_owned(), of(rival).0.to_owned()));
            }
        }
        for format in &self.formats {
            let takes = |number: &&String| {
                let mut fitting = self.shapes_of(number.as_bytes()).filter(|it| of(it).0 == format.id);
                fitting.any(|it| detect::outcome(number.as_bytes(), format, it).0 != CheckOutcome::Failed)
            };
            if let Some(example) = format.examples.iter().find(|it| !takes(it)) {
                return Err(FormatFault::Example(format.id.clone(), example.clone()));
            }
        }
        Ok(())
    }
}

fn slot(length: usize, first: u8) -> Option<usize> {
    let bit = bit(first);
    let place = usize::try_from(bit.trailing_zeros()).ok()?;
    (bit != 0 && length <= LONGEST).then_some(length * 36 + place)
}

fn issuers(s10: &Issuers) -> HashMap<[u8; 2], String> {
    let named =
        s10.operators.iter().chain(&s10.pseudo_countries).map(|(code, carrier)| (code.as_str(), carrier.as_str()));
    let named = named.map(|(code, carrier)| (code, carrier.to_owned()));
    let others = s10.other_countries.split(' ').map(|code| (code, format!("post-{}", code.to_ascii_lowercase())));
    others.chain(named).filter_map(|(code, carrier)| Some((code.as_bytes().try_into().ok()?, carrier))).collect()
}

fn fault(format: &Format, pattern: &str) -> FormatFault {
    FormatFault::Pattern(format.id.clone(), pattern.to_owned())
}

fn shapes_of(number: usize, format: &Format) -> Result<Vec<Shape>, FormatFault> {
    if format.id.trim().is_empty() {
        return Err(FormatFault::Unnamed(format.carrier.clone()));
    }
    if format.source.trim().is_empty() {
        return Err(FormatFault::NoSource(format.id.clone()));
    }
    let carriers = [&format.carrier].into_iter().chain(format.partners.iter().map(|it| &it.carrier));
    if carriers.into_iter().any(|it| crate::domain::carrier::by_slug(it).is_none()) {
        return Err(FormatFault::NoCarrier(format.id.clone()));
    }
    let mut shapes = Vec::new();
    for row in &format.shapes {
        for places in compiled(&row.pattern).ok_or_else(|| fault(format, &row.pattern))? {
            let tracked = row.tracked.unwrap_or((0, places.len()));
            let body = format.check.as_ref().and_then(|it| it.body).unwrap_or((tracked.0, tracked.1.saturating_sub(1)));
            let sound = format.check.as_ref().is_none_or(|it| it.rule.is_sound());
            if !sound || tracked.1 > places.len() || body.0 >= body.1 || body.1 >= places.len() {
                return Err(FormatFault::Check(format.id.clone()));
            }
            let fixed = places.iter().take_while(|it| it.is_power_of_two()).map(|it| it.trailing_zeros());
            let literal =
                fixed.filter_map(|it| SYMBOLS.get(usize::try_from(it).ok()?)).map(|it| char::from(*it)).collect();
            shapes.push(Shape {
                format: number,
                specificity: row.specificity.unwrap_or(format.specificity),
                has_letters: places.iter().any(|it| it & DIGITS == 0),
                is_any_digits: places.iter().all(|it| *it == DIGITS),
                places,
                literal,
                tracked,
                body,
            });
        }
    }
    Ok(shapes)
}

#[cfg(test)]
pub(super) mod tests;
