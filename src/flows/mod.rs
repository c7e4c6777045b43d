//! What the program does, one verb a file. A flow knows the leaves and the domain, and no other flow save the gate.

pub mod check_invariants;
pub mod judge_shipments;
pub mod list_imports;
pub mod list_orders;
pub mod list_sellers;
pub mod list_shipments;
pub mod manage_keys;
pub mod manage_settings;
pub mod manage_shops;
pub mod people;
pub mod poll_carriers;
pub mod read_audit;
pub mod record_events;
pub mod report_delays;
pub mod show_status;
pub mod sign_in;
pub mod sign_up;
pub mod take_in;
pub mod templates;

pub use crate::secrets::SecretError;
pub use crate::store::StoreError;
