//! What the program does, one verb a file. A flow knows the leaves and the domain, and no other flow save the gate.

pub mod access_tokens;
pub mod answer_once;
pub mod backup;
pub mod check_invariants;
pub mod count_waiting;
pub mod doubt_numbers;
pub mod export_tracking;
pub mod judge_shipments;
pub mod list_changes;
pub mod list_imports;
pub mod list_orders;
pub mod list_sellers;
pub mod list_shared_numbers;
pub mod list_shipments;
pub mod manage_carriers;
pub mod manage_keys;
pub mod manage_settings;
pub mod manage_shops;
pub mod people;
pub mod poll_carriers;
pub mod privacy;
pub mod read_audit;
pub mod record_events;
pub mod refresh_shipment;
pub mod reports;
pub mod retention;
pub mod show_status;
pub mod sign_in;
pub mod sign_up;
pub mod take_in;
pub mod templates;

pub use crate::secrets::SecretError;
pub use crate::store::StoreError;
