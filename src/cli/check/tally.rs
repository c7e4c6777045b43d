//! What the rows of a file add up to.

use crate::domain::shipment::TrackingRow;
use crate::sheets::{Fault, Record};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// How many bad rows are told to a person; all of them stand in the repaired file and in the JSON lines.
const ROWS_TOLD: usize = 50;
/// How many lines are named beside a problem.
const LINES_TOLD: usize = 5;

/// What the rows add up to.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) unchanged: u64,
    pub(super) rejected: u64,
    pub(super) warnings: u64,
    /// Order numbers of good rows.
    pub(super) orders: HashSet<String>,
    /// Order, carrier and number of good rows.
    pub(super) shipments: HashSet<(String, String, String)>,
    /// By whether it is a warning, and code.
    problems: BTreeMap<(bool, String), Problem>,
    /// The first rejected rows, by line.
    pub(super) bad_rows: Vec<(u64, Vec<Fault>)>,
}

/// One kind of fault in all of the file.
#[derive(Default)]
pub(super) struct Problem {
    pub(super) count: u64,
    pub(super) first_lines: Vec<u64>,
    /// The detail of the first.
    pub(super) example: String,
}

impl Tally {
    pub(super) fn summary(&self) -> Value {
        json!({
            "rows_total": self.accepted + self.unchanged + self.rejected,
            "rows_accepted": self.accepted,
            "rows_unchanged": self.unchanged,
            "rows_rejected": self.rejected,
            "warnings": self.warnings,
            "orders": self.orders.len(),
            "shipments": self.shipments.len(),
        })
    }

    /// What goes wrong, by code.
    pub(super) fn problems(&self, are_warnings: bool) -> impl Iterator<Item = (&str, &Problem)> {
        self.problems
            .iter()
            .filter(move |((it, _), _)| *it == are_warnings)
            .map(|((_, code), problem)| (code.as_str(), problem))
    }

    pub(super) fn add(&mut self, record: &Record, outcome: &str) {
        match outcome {
            "rejected" => self.rejected += 1,
            "unchanged" => self.unchanged += 1,
            _ => self.accepted += 1,
        }
        for (is_warning, fault) in
            record.errors.iter().map(|it| (false, it)).chain(record.warnings.iter().map(|it| (true, it)))
        {
            self.warnings += u64::from(is_warning);
            let problem = self.problems.entry((is_warning, fault.code.clone())).or_default();
            problem.count += 1;
            if problem.count == 1 {
                problem.example.clone_from(&fault.detail);
            }
            if problem.first_lines.len() < LINES_TOLD {
                problem.first_lines.push(record.line);
            }
        }
        if !record.errors.is_empty() && self.bad_rows.len() < ROWS_TOLD {
            self.bad_rows.push((record.line, record.errors.clone()));
        }
        let Some(row) = &record.row else { return };
        self.orders.extend(row.order_number().map(str::to_owned));
        let key =
            |it: &TrackingRow| (it.order_number.clone(), it.number.followed_as().to_string(), it.number.number.clone());
        self.shipments.extend(row.tracking().map(key));
    }
}
