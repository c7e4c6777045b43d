//! `key create`, `key list` and `key revoke`: a seller's API keys, from the command line.

use super::{open, say};
use crate::app::StartError;
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::ids::{PrincipalId, SellerId};
use crate::domain::role::Role;
use crate::flows::StoreError;
use crate::flows::manage_keys::{self, KeyError, NewKey};
use clap::Subcommand;
use serde_json::json;
use std::io;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key of a seller; prints it as JSON, once
    Create {
        /// The seller's id
        #[arg(long, value_name = "ID")]
        seller: SellerId,
        /// seller-viewer, seller-clerk or seller-manager
        #[arg(long, default_value = "seller-manager", value_parser = role)]
        role: Role,
        /// Such as the system that will use it
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// Print the keys of a seller, one JSON object a line; never the keys themselves
    List {
        /// The seller's id
        #[arg(long, value_name = "ID")]
        seller: SellerId,
    },
    /// Revoke a key of a seller: from the next request on nobody comes in with it
    Revoke {
        /// The seller's id
        #[arg(long, value_name = "ID")]
        seller: SellerId,
        /// The key's id, from `key list`
        id: PrincipalId,
    },
}

/// Why nothing was done about keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the seller has no such key that still opens anything; `key list` shows all")]
    NoKey,
    #[error("the answer could not be written")]
    Io(#[from] io::Error),
}

fn role(text: &str) -> Result<Role, &'static str> {
    let role = text.parse().ok().filter(|role| *role != Role::Admin);
    role.ok_or("write seller-viewer, seller-clerk or seller-manager")
}

pub fn run(command: KeyCommand, config: Config) -> Result<u8, KeysError> {
    let app = open(config)?;
    match command {
        KeyCommand::Create { seller, role, name } => {
            let wanted = NewKey { name, role, expires_at: None };
            let (key, text) = manage_keys::create_key(&app.store, seller, &Actor::system(), &wanted, app.now())?;
            say(&json!({"id": key.id, "role": key.role, "api_key": text}))?;
        }
        KeyCommand::List { seller } => {
            for key in manage_keys::list_keys(&app.store, seller)? {
                let revoked_at = key.revoked_at.map(|at| at.0.to_string());
                let (id, prefix) = (key.id, key.prefix);
                say(
                    &json!({"id": id, "role": key.role, "name": key.name, "prefix": prefix, "revoked_at": revoked_at}),
                )?;
            }
        }
        KeyCommand::Revoke { seller, id } => {
            if !manage_keys::revoke_key(&app.store, seller, &Actor::system(), id, app.now())? {
                return Err(KeysError::NoKey);
            }
            say(&json!({"id": id, "revoked": true}))?;
        }
    }
    Ok(0)
}
