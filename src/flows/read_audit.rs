//! The audit log, for admins.

use crate::domain::ids::{AuditId, SellerId};
use crate::store::{Reason, Store, StoreError};

pub use crate::store::audit::AuditRow;

/// Rows before the cursor, newest first; of one seller where one is named.
pub fn read_audit(
    store: &Store,
    seller: Option<SellerId>,
    before: Option<AuditId>,
    limit: i64,
) -> Result<Vec<AuditRow>, StoreError> {
    store.platform(Reason::Admin).read(|tables| tables.audit_log_page(seller, before, limit))
}
