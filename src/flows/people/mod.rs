//! People of a seller: who is asked in, who joins, who is signed in to the pages.

pub mod invite;
pub mod join;
pub mod session;

pub use crate::store::users::{Invitation, User};
