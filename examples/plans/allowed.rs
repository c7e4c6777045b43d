//! Statements that may cost more the more rows there are, each with its reason.

/// An exception.
pub struct Allowance {
    /// A part of the statement's text, without quotes, that no other statement has.
    pub part: &'static str,
    pub reason: &'static str,
}

pub const ALL: &[Allowance] = &[
    Allowance {
        part: "DELETE FROM idempotency_keys WHERE (idempotency_keys.created_at <=",
        reason: "all that it finds is deleted, once an hour",
    },
    Allowance {
        part: "DELETE FROM idempotency_keys WHERE (((idempotency_keys.seller_id",
        reason: "an erasure; keys are kept for a day",
    },
    Allowance { part: "UPDATE idempotency_keys SET answer", reason: "an erasure; keys are kept for a day" },
    Allowance { part: "UPDATE idempotency_keys SET claim", reason: "a test's own" },
    Allowance { part: "DELETE FROM outbox WHERE", reason: "all that it finds is deleted, a thousand rows at a time" },
    Allowance { part: "outbox.kind", reason: "looks at ten thousand changes and no more" },
    Allowance { part: "import_runs.first_order <=", reason: "an erasure; a run holds thousands of rows" },
    Allowance { part: "SELECT DISTINCT import_runs.import_id", reason: "an erasure; a run holds thousands of rows" },
    Allowance { part: "imports.finished_at <", reason: "once an hour; a seller has few imports beside parcels" },
    Allowance {
        part: "imports.shop_id, imports.created_at, imports.uploaded_by",
        reason: "of a seller's imports at most a hundred are still on their way in",
    },
    Allowance { part: "state IN ('receiving', 'received', 'running')", reason: "at most a hundred of a seller" },
    Allowance {
        part: "WHERE state = 'receiving' AND created_at",
        reason: "all that it finds is deleted, once an hour",
    },
    Allowance { part: "min(created_at) AS oldest_at", reason: "at most a hundred of a seller wait" },
    Allowance {
        part: "UPDATE imports SET claimed_until = NULL",
        reason: "at the start; at most a hundred of a seller wait",
    },
    Allowance {
        part: "UPDATE imports SET state = 'running', claimed_until",
        reason: "at most a hundred of a seller wait",
    },
    Allowance {
        part: "DELETE FROM imports WHERE (seller_id, id) IN",
        reason: "a thousand at a time, and all that it finds is deleted",
    },
    Allowance {
        part: "UPDATE trackers SET claimed_until = $1 WHERE (seller_id, id) IN",
        reason: "due ones by their index; few of them are claimed",
    },
    Allowance {
        part: "trackers.claimed_until IS NOT NULL",
        reason: "at the start; only claimed ones are in the index",
    },
    Allowance {
        part: "SELECT o.id AS order_id",
        reason: "once an hour, and outside of the writer: over a seller's orders",
    },
    Allowance { part: "sellers.name, trackers.created_at", reason: "an admin's report over all sellers" },
    Allowance { part: "count(DISTINCT seller_id) > 1", reason: "an admin's report over all sellers" },
    Allowance { part: "SELECT DISTINCT number_doubts.shipment_id", reason: "only doubts that stand are in the index" },
    Allowance {
        part: "number_doubts.detail, number_doubts.found_at",
        reason: "once a day; only doubts that stand are in the index",
    },
    Allowance {
        part: "trackers.failed_checks, standings.detail",
        reason: "once a day; labels of the last days, page by page",
    },
    Allowance {
        part: "(standings.is_open = ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance {
        part: "(standings.verdict = ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance {
        part: "(standings.timeliness = ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance {
        part: "(standings.milestone = ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance {
        part: "(shipments.carrier = ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance { part: "(orders.country = ", reason: "a filter that no index answers: on the threads for slow reads" },
    Allowance {
        part: "(orders.shop_id = $2) ORDER BY shipments.id",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance {
        part: "(shipments.updated_at >= ",
        reason: "a filter that no index answers: on the threads for slow reads",
    },
    Allowance { part: "SELECT count(*) AS n FROM", reason: "a test's own" },
    Allowance { part: "DELETE FROM audit_log", reason: "a test's own, which is refused" },
    Allowance { part: "UPDATE audit_log SET action", reason: "a test's own, which is refused" },
    Allowance { part: "DELETE FROM tracking_events", reason: "a test's own, which is refused" },
    Allowance { part: "UPDATE tracking_events SET raw_code", reason: "a test's own, which is refused" },
];

/// The allowance of a statement.
pub fn of(statement: &str) -> Option<&'static Allowance> {
    let plain: String = statement.chars().filter(|c| !matches!(c, '`' | '"')).collect();
    ALL.iter().find(|allowance| plain.contains(allowance.part))
}
