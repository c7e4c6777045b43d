//! Statements that may cost more the more parcels there are, each with its reason.

pub struct Allowance {
    /// A part of the statement's text that no other has.
    pub part: &'static str,
    pub table: &'static str,
    #[allow(dead_code, reason = "for whoever reads this list")]
    pub reason: &'static str,
}

pub const ALL: &[Allowance] = &[];

/// The allowance of a statement for a table.
pub fn reason(statement: &str, table: &str) -> Option<&'static Allowance> {
    let plain: String = statement.chars().filter(|c| !matches!(c, '`' | '"')).collect();
    ALL.iter().find(|allowance| allowance.table == table && plain.contains(allowance.part))
}
