//! `user invite`: asks a seller's first person in; the link is shown here, once.

use super::{open, say};
use crate::app::StartError;
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::ids::SellerId;
use crate::domain::role::Role;
use crate::flows::people::invite::{self, InviteError, Invitee};
use clap::Subcommand;
use serde_json::json;
use std::io;

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Ask a person in; prints the link to join by as JSON, which works for seven days and once
    Invite {
        #[arg(long, value_name = "ID")]
        seller: SellerId,
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// seller-viewer, seller-clerk or seller-manager
        #[arg(long, default_value = "seller-manager", value_parser = role)]
        role: Role,
    },
}

/// Why nobody was asked in.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Invite(#[from] InviteError),
    #[error("the link could not be shown; invite again")]
    Io(#[from] io::Error),
}

fn role(text: &str) -> Result<Role, InviteError> {
    let known = text.parse().ok().filter(|role| Role::OF_SELLERS.contains(role));
    known.ok_or(InviteError::Role)
}

pub fn run(command: UserCommand, config: Config) -> Result<u8, UserError> {
    let UserCommand::Invite { seller, email, role } = command;
    let app = open(config)?;
    let person = Invitee { email, name: None, role };
    let invited = invite::invite(&app.store, seller, &Actor::system(), &person, app.now())?;
    let (url, expires_at) = (app.invitation_url(&invited.token), invited.invitation.expires_at.0);
    say(&json!({"invitation_url": url, "expires_at": expires_at}))?;
    Ok(0)
}
