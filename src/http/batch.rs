//! Batches: 1 to 500 items, each for itself, one result an item.

use super::problem::Problem;
use super::shipments::Warning;
use crate::flows::take_in::{ChangeError, Outcome};
use serde::Serialize;
use uuid::Uuid;

/// What became of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BatchOut {
    summary: BatchSummary,
    /// One an item, in order.
    results: Vec<BatchResult>,
}

/// How many items had which outcome.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct BatchSummary {
    total: usize,
    created: usize,
    updated: usize,
    unchanged: usize,
    failed: usize,
}

/// What became of one item.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BatchResult {
    /// From 0.
    index: usize,
    outcome: BatchOutcome,
    /// Of the order or the shipment; absent where the item failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Only where the item failed; pointers go from the root of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    /// What is doubtful about it and was let through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

/// The outcome of an item; nothing of a failed one was written.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum BatchOutcome {
    Created,
    Updated,
    Unchanged,
    Failed,
}

const MOST_ITEMS: usize = 500;

/// What became of an item that was taken in: of which thing, how, and what its sender should know.
pub type DoneItem = (Uuid, Outcome, Vec<Warning>);

/// How the items of a batch were read: for each its warnings, or what is wrong with it.
pub struct Readings {
    member: &'static str,
    items: Vec<Result<Vec<Warning>, Problem>>,
}

/// Reads the items under `member`, each for itself: what can be taken in, and how all were read.
pub fn read<I, T>(
    member: &'static str,
    told: Vec<I>,
    mut read: impl FnMut(I) -> Result<(T, Vec<Warning>), Problem>,
) -> Result<(Vec<T>, Readings), Problem> {
    if told.is_empty() || told.len() > MOST_ITEMS {
        let detail = format!("Send 1 to {MOST_ITEMS} {member}.");
        return Err(Problem::invalid(&format!("/{member}"), "bad_count", detail));
    }
    let mut good = Vec::new();
    let mut keep = |(item, warnings)| {
        good.push(item);
        warnings
    };
    let items = told.into_iter().map(|item| read(item).map(&mut keep)).collect();
    Ok((good, Readings { member, items }))
}

impl Readings {
    /// Puts together how items were read and what became of those that could be, in order.
    pub fn answer<D>(self, done: Vec<Result<D, ChangeError>>, mut told: impl FnMut(D) -> DoneItem) -> BatchOut {
        let mut done = done.into_iter();
        let mut summary = BatchSummary::default();
        let mut results = Vec::with_capacity(self.items.len());
        for (index, read) in self.items.into_iter().enumerate() {
            let result = read.and_then(|mut warnings| {
                let (id, outcome, more) = told(done.next().ok_or_else(Problem::internal)??);
                warnings.extend(more);
                Ok((id, outcome, warnings))
            });
            let result = result.map_err(|problem| problem.within(&format!("/{}/{index}", self.member)));
            results.push(summary.count(index, result));
        }
        BatchOut { summary, results }
    }
}

impl BatchSummary {
    fn count(&mut self, index: usize, result: Result<(Uuid, Outcome, Vec<Warning>), Problem>) -> BatchResult {
        self.total += 1;
        let (id, outcome, warnings) = match result {
            Ok(done) => done,
            Err(problem) => {
                self.failed += 1;
                let problem = Some(problem);
                return BatchResult { index, outcome: BatchOutcome::Failed, id: None, problem, warnings: Vec::new() };
            }
        };
        let outcome = match outcome {
            Outcome::Created => {
                self.created += 1;
                BatchOutcome::Created
            }
            Outcome::Updated => {
                self.updated += 1;
                BatchOutcome::Updated
            }
            Outcome::Unchanged => {
                self.unchanged += 1;
                BatchOutcome::Unchanged
            }
        };
        BatchResult { index, outcome, id: Some(id), problem: None, warnings }
    }
}
