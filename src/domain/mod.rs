//! The words of the trade and their rules: pure, without clock, I/O or framework.
//!
//! Glossary. A *shop* is one account of one sales channel; every *order* belongs to one and has *order lines*. A
//! *shipment* is one consignment of one order and has *legs*; a leg points to the *tracker* that is followed. A
//! tracker is a carrier's number in one generation and owns its *tracking events*. A *scan* is what a source told us,
//! raw; the gate turns scans into tracking events. *Progress* is derived from events: nine *milestones*, thirty-six
//! *sub-statuses*. A *promise* is the day by which a shipment should arrive; a *verdict* says whether it is kept, why,
//! and when that may change by the clock alone. A *doubt* is a ground to think that a number is not true, though it is
//! right in form. A *lane* is origin to destination. An *import* is one uploaded file,
//! each of its rows ends in a *row result*. A *principal* is who acts: an API key, a user, or the program itself. A *user*
//! is a person of a seller who came by *invitation*, signs in with a password, and then has a *session*.

pub mod access_token;
pub mod actor;
pub mod calendar;
pub mod carrier;
pub mod chain;
pub mod country;
pub mod dispatch;
pub mod docket;
pub mod doubt;
pub mod edit;
pub mod event_time;
pub mod ids;
pub mod losses;
pub mod milestone;
pub mod money;
pub mod name;
pub mod order;
pub mod patience;
pub mod person;
pub mod progress;
pub mod promise;
pub mod report;
pub mod role;
pub mod scan;
pub mod shipment;
pub mod shop;
pub mod silence;
pub mod standing;
pub mod tracking_number;
pub mod valid_tracking;
pub mod verdict;
