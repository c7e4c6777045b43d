//! Access tokens: what they say, how long they hold, and how far they reach.

use crate::domain::role::Role;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The longest that a token holds, and how long one holds unless less is asked for.
pub const LONGEST_SECONDS: i64 = 900;

/// For whom our tokens are.
pub const AUDIENCE: &str = "parceltrail-api";

/// What a token says. Who acts, and whether they still may, is read from the row of the key each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The id of the API key.
    pub sub: String,
    /// Seconds since 1970, as the two below.
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: String,
    /// Words with blanks between them.
    pub scope: String,
}

impl Claims {
    /// Whether the token is one of this issuer, for us, and holds now.
    pub fn hold(&self, issuer: &str, now: Timestamp) -> bool {
        let now = now.as_second();
        let lasts = self.exp.checked_sub(self.nbf);
        self.iss == issuer
            && self.aud == AUDIENCE
            && self.nbf <= now
            && now < self.exp
            && lasts.is_some_and(|seconds| seconds <= LONGEST_SECONDS)
    }

    /// How far the token reaches in the hand of a key of this role: never further than the key itself.
    pub fn role(&self, of_key: Role) -> Option<Role> {
        let scopes: Vec<Scope> = self.scope.split(' ').filter_map(|word| word.parse().ok()).collect();
        Scope::reach(&scopes, of_key)
    }
}

/// A part of what a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Read,
    Write,
    Manage,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Manage];

    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Read => Role::SellerViewer,
            Self::Write => Role::SellerClerk,
            Self::Manage => Role::SellerManager,
        }
    }

    /// The role that scopes leave of a key's; `None` where they leave nothing. Admins only read, so any scope leaves them
    /// what they are.
    pub fn reach(scopes: &[Self], of_key: Role) -> Option<Role> {
        let widest = scopes.iter().max()?;
        Some(if of_key == Role::Admin { Role::Admin } else { widest.role().min(of_key) })
    }
}

impl FromStr for Scope {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: "https://track.example.com".to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: String::new(),
            iat: 1000,
            nbf: 1000,
            exp: 1900,
            jti: String::new(),
            scope: "read write".to_owned(),
        }
    }

    #[test]
    fn a_token_holds_for_its_time_and_place_alone() {
        for (what, claims, now, holds) in [
            ("at its first second", claims(), 1000, true),
            ("at its last", claims(), 1899, true),
            ("before it", claims(), 999, false),
            ("after it", claims(), 1900, false),
            ("longer than any of ours", Claims { exp: 1901, ..claims() }, 1500, false),
            ("without end", Claims { nbf: i64::MIN, exp: i64::MAX, ..claims() }, 1500, false),
            ("for somebody else", Claims { aud: "other".to_owned(), ..claims() }, 1500, false),
            ("of another issuer", Claims { iss: "https://evil.example.com".to_owned(), ..claims() }, 1500, false),
        ] {
            let now = Timestamp::from_second(now).unwrap();
            assert_eq!(claims.hold("https://track.example.com", now), holds, "{what}");
        }
    }

    #[test]
    fn a_token_reaches_no_further_than_its_key() {
        for (scope, of_key, role) in [
            ("read", Role::SellerManager, Some(Role::SellerViewer)),
            ("read write", Role::SellerManager, Some(Role::SellerClerk)),
            ("manage", Role::SellerClerk, Some(Role::SellerClerk)),
            ("read", Role::Admin, Some(Role::Admin)),
            ("", Role::SellerManager, None),
            ("everything", Role::SellerManager, None),
        ] {
            let claims = Claims { scope: scope.to_owned(), ..claims() };
            assert_eq!(claims.role(of_key), role, "{scope} of {of_key:?}");
        }
    }
}
