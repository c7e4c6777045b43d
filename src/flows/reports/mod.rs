//! Reports over one seller or all: exact counts at any moment, as it was known at any moment.
//!
//! As of now, counts come from the stored standings; as of another moment they are derived from the events again.

mod counting;
mod delays;
mod dispatch;
mod lost;
mod numbers;
mod query;
mod row;
mod sheet;

pub use delays::{Report, report_delays};
pub use dispatch::{DispatchReport, report_dispatch};
pub use lost::{LossReport, report_lost};
pub use numbers::{NumbersReport, report_numbers};
pub use query::{AsOf, Basis, GroupKey, ReportContext, ReportQuery, RowPage, Scope};
pub use sheet::AsSheet;
