//! Who acts: a key, a user, or the program itself.

use crate::domain::ids::PrincipalId;

/// Who did a thing, and in which request: what the audit log writes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub id: PrincipalId,
    /// `None` for the command line and for jobs.
    pub request_id: Option<String>,
}

impl Actor {
    /// The program itself: its jobs, and the operator at the command line.
    pub fn system() -> Self {
        Self { id: PrincipalId::SYSTEM, request_id: None }
    }
}

/// What kind of principal acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    ApiKey,
    User,
}

impl PrincipalKind {
    pub fn code(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::User => "user",
        }
    }
}
