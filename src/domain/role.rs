//! Roles: what a key may do.

use serde::Serialize;
use std::str::FromStr;

/// What the holder of a key may do. A seller's role holds all that the ones before it hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads what is the seller's.
    SellerViewer,
    /// Also uploads and writes orders, shipments and scans.
    SellerClerk,
    /// Also keys, shops and settings.
    SellerManager,
    /// Reads over all sellers; belongs to none, and sees no contacts.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::SellerViewer, Self::SellerClerk, Self::SellerManager, Self::Admin];

    /// What a seller's own keys and people can be, from the least on.
    pub const OF_SELLERS: [Self; 3] = [Self::SellerViewer, Self::SellerClerk, Self::SellerManager];

    pub fn code(self) -> &'static str {
        match self {
            Self::SellerViewer => "seller-viewer",
            Self::SellerClerk => "seller-clerk",
            Self::SellerManager => "seller-manager",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = crate::domain::milestone::UnknownCode;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.code() == text).ok_or(crate::domain::milestone::UnknownCode)
    }
}
