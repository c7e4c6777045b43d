//! What a report is asked for, as it stands in the query.

use super::paging;
use super::problem::Problem;
use crate::domain::event_time::instant_from_text;
use crate::domain::ids::SellerId;
use crate::domain::verdict::{Cause, VerdictKind};
use crate::flows::reports::{AsOf, Basis, GroupKey, ReportQuery, RowPage};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

/// What a report is asked for. Dates and instants are in the seller's zone unless they say more.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportParams {
    /// The first day, by the basis.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The day after the last, by the basis.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// `shipped` unless said, of dispatch `promised`; or `ordered`, `promised`, `delivered`.
    basis: Option<BasisWord>,
    /// Cuts by when a thing happened: an instant, or a date, which is the end of that day.
    as_of: Option<String>,
    /// Cuts by when we heard of it: an instant, or a date, which is the end of that day in UTC.
    known_at: Option<String>,
    shop: Option<String>,
    carrier: Option<String>,
    service: Option<String>,
    origin_country: Option<String>,
    destination_country: Option<String>,
    /// One word. `late_open` finds all that are counted as such, also where their word is about silence.
    verdict: Option<String>,
    cause: Option<String>,
    /// Admins only.
    pub seller_id: Option<Uuid>,
    /// A comma list of `carrier`, `service`, `origin_country`, `origin_region`, `destination_country`,
    /// `destination_region`, `shop`, `seller`, `month`.
    group_by: Option<String>,
    /// `groups` unless said, or `shipments`; of dispatch `orders`.
    rows: Option<Rows>,
    /// `json` unless said here or by Accept, or `csv`.
    pub format: Option<FormatWord>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Which date a report cuts by.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BasisWord {
    Shipped,
    Ordered,
    Promised,
    Delivered,
}

/// What the rows of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    Groups,
    Shipments,
    Orders,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormatWord {
    Json,
    Csv,
}

/// How one report reads what it is asked for.
#[derive(Clone, Copy)]
pub struct Habits {
    /// Where nobody says.
    pub groups: &'static [GroupKey],
    pub basis: Basis,
    /// Its rows are orders, which have no day of delivery.
    pub rows_are_orders: bool,
}

impl Habits {
    /// Of a report over shipments.
    pub const fn of_shipments(groups: &'static [GroupKey]) -> Self {
        Self { groups, basis: Basis::Shipped, rows_are_orders: false }
    }
}

impl ReportParams {
    /// Reads it as this report does.
    pub fn read(self, habits: Habits) -> Result<ReportQuery, Problem> {
        let rows = match self.rows {
            None | Some(Rows::Groups) => None,
            Some(Rows::Orders) if !habits.rows_are_orders => {
                return Err(Problem::bad_parameter("rows", "Only the report of dispatch has rows of orders."));
            }
            Some(Rows::Shipments | Rows::Orders) => Some(self.page()?),
        };
        Ok(ReportQuery {
            from: self.from,
            to: self.to,
            basis: match self.basis {
                None => habits.basis,
                Some(BasisWord::Shipped) => Basis::Shipped,
                Some(BasisWord::Ordered) => Basis::Ordered,
                Some(BasisWord::Promised) => Basis::Promised,
                Some(BasisWord::Delivered) if habits.rows_are_orders => {
                    return Err(Problem::bad_parameter("basis", "An order has no day of delivery; its parcels have."));
                }
                Some(BasisWord::Delivered) => Basis::Delivered,
            },
            as_of: self.as_of.as_deref().map(|text| moment("as_of", text)).transpose()?,
            known_at: self.known_at.as_deref().map(known_at).transpose()?,
            shop: self.shop,
            carrier: self.carrier,
            service: self.service,
            origin_country: self.origin_country,
            destination_country: self.destination_country,
            verdict: known("verdict", self.verdict, |it| it.parse::<VerdictKind>().is_ok())?,
            cause: known("cause", self.cause, |it| it.parse::<Cause>().is_ok())?,
            group_by: groups(self.group_by.as_deref(), habits.groups)?,
            rows,
        })
    }

    fn page(&self) -> Result<RowPage, Problem> {
        let limit = usize::try_from(paging::limit(self.limit)?).unwrap_or(50);
        let Some(text) = &self.cursor else { return Ok(RowPage { limit, after: None }) };
        let bad =
            || Problem::bad_parameter("cursor", "This is no cursor of ours; send the next_cursor of the page before.");
        let (seller, row) = text.split_once('.').ok_or_else(bad)?;
        let seller: SellerId = seller.parse().map_err(|_unreadable| bad())?;
        let row: Uuid = row.parse().map_err(|_unreadable| bad())?;
        Ok(RowPage { limit, after: Some((seller, row)) })
    }
}

fn groups(asked: Option<&str>, usual: &[GroupKey]) -> Result<Vec<GroupKey>, Problem> {
    let Some(asked) = asked else { return Ok(usual.to_vec()) };
    let mut keys = Vec::new();
    for word in asked.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let known: Vec<&str> = GroupKey::ALL.iter().map(|key| key.code()).collect();
        let unknown = |_| Problem::bad_parameter("group_by", format!("`{word}` is none of {}.", known.join(", ")));
        let key: GroupKey = word.parse().map_err(unknown)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn moment(name: &str, text: &str) -> Result<AsOf, Problem> {
    if let (10, Ok(day)) = (text.len(), text.parse::<Date>()) {
        return Ok(AsOf::Day(day));
    }
    let detail = "Write a date as 2026-09-17, or an instant as 2026-09-17T10:04:00Z.";
    instant_from_text(text).map(AsOf::At).ok_or_else(|| Problem::bad_parameter(name, detail))
}

fn known_at(text: &str) -> Result<jiff::Timestamp, Problem> {
    match moment("known_at", text)? {
        AsOf::At(at) => Ok(at),
        AsOf::Day(day) => crate::domain::verdict::end_of_day(day, &jiff::tz::TimeZone::UTC)
            .ok_or_else(|| Problem::bad_parameter("known_at", "This day is too far ahead.")),
    }
}

fn known(name: &str, word: Option<String>, is_known: impl Fn(&str) -> bool) -> Result<Option<String>, Problem> {
    match word {
        Some(word) if !is_known(&word) => {
            Err(Problem::bad_parameter(name, format!("`{word}` is no {name}; see /docs.")))
        }
        word => Ok(word),
    }
}
