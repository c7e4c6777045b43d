//! Forms of shop systems, marketplaces and carriers: which header feeds which column, and the habits of each.
//!
//! The rows of `data/presets.json` are all there is to a form; a new one is a new row.

use super::columns::{self, folded};
use super::dates::DateOrder;
use super::kind::Kind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

/// The id of our own form.
pub const CANONICAL: &str = "canonical";
/// The form of a file without a header: an order number and a tracking number.
pub(super) const HEADERLESS: &str = "generic/headerless_two_columns";

/// A form as it stands in the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// `system/form`.
    pub id: String,
    /// For people.
    pub name: String,
    #[serde(deserialize_with = "kind_by_code")]
    kind: Kind,
    #[serde(default = "comma")]
    delimiter: char,
    /// What its files are written in, where that is not UTF-8.
    pub encoding: Option<String>,
    /// How it writes dates of bare numbers.
    date_order: Option<String>,
    /// Headers that are all there in a file of this form; `|` stands between other names of one.
    detect: Vec<String>,
    /// All headers that its files are known to have.
    headers: Vec<String>,
    /// Canonical column to the headers that feed it: the first that is filled counts.
    fields: BTreeMap<String, Vec<String>>,
    /// Columns that all of their headers feed, with blanks between.
    #[serde(default)]
    joined: Vec<String>,
    /// What a column holds where the file says nothing.
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    /// The first row below the header explains the columns.
    #[serde(default)]
    description_row: bool,
    /// Quotation marks are part of the text.
    #[serde(default)]
    unquoted: bool,
    /// The unit price is that of all pieces of the line.
    #[serde(default)]
    line_totals: bool,
    /// What its numbers of states mean, in words.
    #[serde(default)]
    status_words: BTreeMap<String, String>,
    /// Words in the columns of carriers that name none.
    #[serde(default)]
    not_carriers: Vec<String>,
    /// The carrier stands behind the last of these.
    carrier_behind: Option<char>,
    /// Rows with a yes here were taken back.
    void_column: Option<String>,
    /// A row where this is blank sums an order up, whose items follow.
    summary_without: Option<String>,
    /// Headers, or their beginnings, whose cells hold lines of the order.
    #[serde(default)]
    packed_lines: Vec<String>,
    /// A whole address in one cell, with commas.
    packed_address: Option<String>,
}

fn comma() -> char {
    ','
}

fn kind_by_code<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Kind, D::Error> {
    String::deserialize(text)?.parse().map_err(serde::de::Error::custom)
}

static TABLE: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let table: Vec<Preset> = serde_json::from_str(include_str!("data/presets.json")).unwrap_or_default();
    debug_assert!(!table.is_empty(), "the table of presets cannot be read");
    table
});

static NORMALISED: LazyLock<Vec<Normalised>> = LazyLock::new(|| TABLE.iter().map(Normalised::of).collect());

/// A form ready for comparing with a header.
struct Normalised {
    detect: Vec<Vec<String>>,
    headers: HashSet<String>,
}

impl Normalised {
    fn of(preset: &Preset) -> Self {
        let detect = preset.detect.iter().map(|any| any.split('|').map(folded).collect()).collect();
        let named = preset.headers.iter().chain(preset.fields.values().flatten());
        Self { detect, headers: named.map(|header| folded(header)).collect() }
    }

    fn is_complete_in(&self, header: &HashSet<&str>) -> bool {
        !self.detect.is_empty() && self.detect.iter().all(|any| any.iter().any(|name| header.contains(name.as_str())))
    }
}

/// Every form.
pub fn all() -> &'static [Preset] {
    &TABLE
}

/// The form of this id.
pub fn named(id: &str) -> Option<&'static Preset> {
    TABLE.iter().find(|preset| preset.id == id)
}

/// A form that a header fits, and how well.
#[derive(Clone, Copy)]
pub(super) struct Fit {
    pub(super) preset: &'static Preset,
    /// Headers of the file that it knows.
    pub(super) covered: usize,
    /// Whether the file has all of its headers, and no other.
    pub(super) is_exact: bool,
}

/// The form that knows the most headers of a file, among those whose telling headers are all there; of equals, the one of
/// the wanted kind, else the one that needs more telling headers.
pub(super) fn best_fit(header: &[String], kind: Option<Kind>) -> Option<Fit> {
    let filled: HashSet<&str> = header.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let fits = TABLE.iter().zip(NORMALISED.iter()).filter(|(_, it)| it.is_complete_in(&filled));
    let fit = |(preset, it): (&'static Preset, &Normalised)| {
        let covered = filled.iter().filter(|name| it.headers.contains(**name)).count();
        let own: HashSet<String> = preset.headers.iter().map(|header| folded(header)).collect();
        let is_exact = covered == filled.len() && own.iter().all(|name| filled.contains(name.as_str()));
        Fit { preset, covered, is_exact }
    };
    fits.map(fit).max_by_key(|fit| (fit.covered, Some(fit.preset.kind) == kind, fit.preset.detect.len()))
}

/// How many of these headers a form knows at best; for finding the header of a file.
pub(super) fn headers_known(header: &[String], named: Option<&Preset>) -> usize {
    if let Some(preset) = named {
        let it = Normalised::of(preset);
        return header.iter().filter(|name| !name.is_empty() && it.headers.contains(*name)).count();
    }
    best_fit(header, None).map_or(0, |fit| fit.covered)
}

/// What a preset does, for those who choose one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PresetShown {
    /// `system/form`, as an upload names it.
    pub id: &'static str,
    pub name: &'static str,
    /// `orders`, `tracking`, `combined`, `events` or `legs`.
    pub kind: &'static str,
    pub delimiter: char,
    /// `dmy` or `mdy`, where its dates are bare numbers and the file does not settle it.
    pub date_order: Option<&'static str>,
    /// A file with all of these headers is taken for this form, unless another knows more of its headers; `|` stands between
    /// other names of one. Without any, it is taken only where it is named, or where there is no header.
    pub detect: &'static [String],
    /// Canonical column to the headers that feed it, the first filled one first.
    #[schema(value_type = std::collections::HashMap<String, Vec<String>>)]
    pub columns: &'static BTreeMap<String, Vec<String>>,
    /// Whether `GET /v1/exports/tracking` writes this form too.
    pub is_written: bool,
}

/// Every preset, for those who choose one.
pub fn shown() -> impl Iterator<Item = PresetShown> {
    TABLE.iter().map(|preset| PresetShown {
        id: &preset.id,
        name: &preset.name,
        kind: preset.kind.code(),
        delimiter: preset.delimiter,
        date_order: preset.date_order.as_deref(),
        detect: &preset.detect,
        columns: &preset.fields,
        is_written: super::writeback::form(&preset.id).is_some(),
    })
}

impl Preset {
    /// What its rows are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether its files have all that a sheet of this kind needs.
    pub(super) fn serves(&self, kind: Kind) -> bool {
        kind.required().iter().all(|column| self.fields.contains_key(*column))
    }

    pub(super) fn date_order(&self) -> Option<DateOrder> {
        self.date_order.as_deref().and_then(|order| order.parse().ok())
    }

    pub(super) fn is_unquoted(&self) -> bool {
        self.unquoted
    }

    /// How its columns come out of the places of a header.
    pub(super) fn recipe(&'static self, header: &[String], kind: Kind) -> Recipe {
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (place, name) in header.iter().enumerate() {
            places.entry(name).or_insert(place);
        }
        let place = |name: &String| places.get(folded(name).as_str()).copied();
        let mut parts = Vec::new();
        for column in columns::ALL.iter().filter(|column| column.is_in(kind)) {
            let sources = self.fields.get(column.name).into_iter().flatten().filter_map(place);
            let mut sources: Vec<usize> = sources.collect();
            let mut seen = HashSet::new();
            sources.retain(|source| seen.insert(*source));
            let default = self.defaults.get(column.name).cloned();
            if !sources.is_empty() || default.is_some() {
                let is_joined = self.joined.iter().any(|name| name == column.name);
                parts.push(Part { column: column.name, sources, is_joined, default });
            }
        }
        let packed_address = self.packed_address.as_ref().and_then(place);
        if packed_address.is_some() {
            for column in ADDRESS {
                parts.push(Part { column, sources: Vec::new(), is_joined: false, default: None });
            }
        }
        let packed_lines = self.packed_lines.iter().map(|name| folded(name)).collect::<Vec<_>>();
        let holds_lines = |name: &String| packed_lines.iter().any(|it| name.starts_with(it.as_str()));
        Recipe {
            parts,
            packed_address,
            packed_lines: (0..).zip(header).filter(|(_, name)| holds_lines(name)).map(|(place, _)| place).collect(),
            void: self.void_column.as_ref().and_then(place),
            summary_without: self.summary_without.as_ref().and_then(place),
            order_number: self.fields.get("order_number").into_iter().flatten().find_map(place),
            preset: self,
        }
    }
}

/// What a whole address is taken apart into.
const ADDRESS: [&str; 4] = ["address1", "city", "region", "postal_code"];

/// One column of our own form and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) column: &'static str,
    pub(super) sources: Vec<usize>,
    is_joined: bool,
    default: Option<String>,
}

/// How the cells of a foreign form become those of our own; settled once a file.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    pub(super) parts: Vec<Part>,
    packed_address: Option<usize>,
    pub(super) packed_lines: Vec<usize>,
    void: Option<usize>,
    summary_without: Option<usize>,
    order_number: Option<usize>,
    pub(super) preset: &'static Preset,
}

impl Recipe {
    /// Feeds a column from one header alone, whatever the form says: the caller's word.
    pub(super) fn feed(&mut self, column: &'static str, place: usize) {
        self.parts.retain(|part| part.column != column);
        self.parts.iter_mut().for_each(|part| part.sources.retain(|source| *source != place));
        self.parts.push(Part { column, sources: vec![place], is_joined: false, default: None });
        if column == "order_number" {
            self.order_number = Some(place);
        }
    }

    pub(super) fn feeds(&self, column: &str) -> bool {
        self.parts.iter().any(|part| part.column == column)
    }

    /// Where each column stands in what [`Recipe::cells`] gives.
    pub(super) fn places(&self) -> HashMap<&'static str, usize> {
        self.parts.iter().enumerate().map(|(place, part)| (part.column, place)).collect()
    }

    /// The cells of our own form; `raw` gives the cells of the file.
    pub(super) fn cells<'r>(&self, raw: &dyn Fn(usize) -> &'r str) -> Vec<String> {
        let mut cells: Vec<String> = self.parts.iter().map(|part| self.cell(part, raw)).collect();
        if let Some(place) = self.packed_address {
            let taken = taken_apart(raw(place));
            for (part, cell) in self.parts.iter().zip(&mut cells) {
                if let Some((_, text)) = taken.iter().find(|(column, _)| *column == part.column) {
                    cell.clone_from(text);
                }
            }
        }
        if self.preset.line_totals {
            self.divide_totals(&mut cells);
        }
        cells
    }

    /// The overlong cells, by where they stand in our own form.
    pub(super) fn overlong(&self, raw: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let made = |(place, length): &(usize, usize)| {
            let part = self.parts.iter().position(|part| part.sources.contains(place))?;
            Some((part, *length))
        };
        raw.iter().filter_map(made).collect()
    }

    /// One of the cells of our own form.
    pub(super) fn cell<'r>(&self, part: &Part, raw: &dyn Fn(usize) -> &'r str) -> String {
        let filled = part.sources.iter().map(|place| raw(*place)).filter(|text| !is_blank(text));
        let text = if part.is_joined {
            filled.map(str::trim).collect::<Vec<_>>().join(" ")
        } else if part.column == "carrier" {
            let mut filled = filled.map(|text| self.carrier_in(text));
            filled.find(|text| !self.names_no_carrier(text)).unwrap_or_default().to_owned()
        } else {
            filled.map(str::to_owned).next().unwrap_or_default()
        };
        let told = self.preset.status_words.get(text.trim()).filter(|_| part.column == "status");
        match told.or(part.default.as_ref().filter(|_| text.is_empty())) {
            Some(told) => told.clone(),
            None => text,
        }
    }

    fn carrier_in<'t>(&self, text: &'t str) -> &'t str {
        self.preset.carrier_behind.map_or(text, |mark| text.rsplit_once(mark).map_or("", |(_, carrier)| carrier.trim()))
    }

    fn names_no_carrier(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        text.is_empty() || self.preset.not_carriers.iter().any(|word| text == *word || text.ends_with(word))
    }

    /// The price of one piece, where what is told is that of all; where it does not come out even, none is told.
    fn divide_totals(&self, cells: &mut [String]) {
        let place = |name: &str| self.parts.iter().position(|part| part.column == name);
        let (Some(price), Some(quantity)) = (place("unit_price"), place("quantity")) else { return };
        let pieces: i64 = cells.get(quantity).and_then(|text| text.trim().parse().ok()).unwrap_or(1);
        if let Some(cell) = cells.get_mut(price).filter(|_| pieces > 1) {
            *cell = divided(cell, pieces).unwrap_or_default();
        }
    }

    /// Whether a row tells nothing of an order: it was taken back, or explains the columns, or sums up what follows.
    pub(super) fn leaves_out<'r>(&self, raw: &dyn Fn(usize) -> &'r str, is_first: bool) -> bool {
        let yes = |text: &str| matches!(text.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "true" | "1");
        let describes = || {
            let told = self.order_number.map(raw).unwrap_or_default().trim();
            told.contains(' ') || told.ends_with('.')
        };
        let explains = is_first && self.preset.description_row && describes();
        self.void.is_some_and(|place| yes(raw(place))) || explains
    }

    /// Whether a row sums up an order whose items follow, and is no line itself.
    pub(super) fn sums_up<'r>(&self, raw: &dyn Fn(usize) -> &'r str) -> bool {
        self.summary_without.is_some_and(|place| is_blank(raw(place)))
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\'')
}

/// Street, city, region and postal code of an address with commas, from behind.
fn taken_apart(text: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let Some(street_parts) = parts.len().checked_sub(3).filter(|it| *it > 0) else {
        return vec![("address1", text.trim().to_owned())];
    };
    let (street, rest) = parts.split_at(street_parts);
    let mut taken = vec![("address1", street.join(", "))];
    taken.extend(["city", "region", "postal_code"].into_iter().zip(rest.iter().map(|part| (*part).to_owned())));
    taken
}

/// `5.16` by 2 is `2.58`; `None` where it does not come out even in as many decimals.
fn divided(text: &str, pieces: i64) -> Option<String> {
    let text = text.trim();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let amount: i64 = format!("{whole}{decimals}").parse().ok()?;
    if amount % pieces != 0 {
        return None;
    }
    let each = amount / pieces;
    let scale = 10_i64.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let digits = decimals.len();
    Some(if digits == 0 { each.to_string() } else { format!("{}.{:0digits$}", each / scale, each % scale) })
}

/// One line of an order as it stands in a packed cell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PackedLine {
    pub(super) sku: Option<String>,
    pub(super) item_name: Option<String>,
    pub(super) quantity: Option<String>,
    /// Of all pieces.
    pub(super) total: Option<String>,
}

/// The lines in a packed cell: `name:Mug|sku:MUG|quantity:2` is one, `Product SKU: A, Product Qty: 1|Product SKU: B, ..` two.
pub(super) fn packed_lines(cell: &str) -> Vec<PackedLine> {
    if cell.trim().is_empty() {
        return Vec::new();
    }
    let by_bar: Vec<&str> = cell.split('|').collect();
    // Where each piece between bars is a member of its own, all of them are one line.
    let one_line = by_bar.iter().all(|piece| member(piece).is_some() && piece.matches(": ").count() == 0);
    let members = |pieces: Vec<&str>| {
        let mut line = PackedLine::default();
        for (name, value) in pieces.iter().filter_map(|piece| member(piece)) {
            let value = (!value.is_empty()).then(|| value.to_owned());
            match name.as_str() {
                "sku" | "product sku" => line.sku = value,
                "name" | "product name" => line.item_name = value,
                "quantity" | "qty" | "product qty" | "product quantity" => line.quantity = value,
                "total" | "product total" => line.total = value,
                _ => {}
            }
        }
        line
    };
    let lines: Vec<PackedLine> = if one_line {
        vec![members(by_bar)]
    } else {
        by_bar.into_iter().map(|piece| members(piece.split(", ").collect())).collect()
    };
    lines.into_iter().filter(|line| *line != PackedLine::default()).collect()
}

fn member(piece: &str) -> Option<(String, &str)> {
    let (name, value) = piece.split_once(':')?;
    Some((name.trim().to_lowercase(), value.trim()))
}

#[cfg(test)]
mod tests;
