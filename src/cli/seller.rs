//! `seller create` and `admin create`: keys are shown here, once.

use super::{open, say};
use crate::app::StartError;
use crate::config::Config;
use crate::domain::country::{CountryCode, UnknownCountry};
use crate::flows::sign_up::{self, SignUpError};
use clap::Subcommand;
use serde_json::json;
use std::io;

#[derive(Debug, Subcommand)]
pub enum SellerCommand {
    /// Make a seller with a shop `main`; prints seller, shop and a manager's key as JSON
    Create {
        #[arg(long)]
        name: String,
        /// Two letters, such as US
        #[arg(long, value_name = "CC", value_parser = country)]
        country: Option<CountryCode>,
        /// Such as Europe/Berlin; the country's where left out
        #[arg(long, value_name = "TZ")]
        time_zone: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an admin's key; prints it as JSON
    Create,
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SellerError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    SignUp(#[from] SignUpError),
    #[error("the key could not be shown; make another")]
    Io(#[from] io::Error),
}

fn country(text: &str) -> Result<CountryCode, UnknownCountry> {
    CountryCode::recognise(text)
}

pub fn run_seller(command: SellerCommand, config: Config) -> Result<u8, SellerError> {
    let SellerCommand::Create { name, country, time_zone } = command;
    let app = open(config)?;
    let seller = sign_up::sign_up_seller(&app.store, &name, country, time_zone.as_deref(), app.now())?;
    say(&json!(seller))?;
    Ok(0)
}

pub fn run_admin(command: &AdminCommand, config: Config) -> Result<u8, SellerError> {
    let AdminCommand::Create = command;
    let app = open(config)?;
    let key = sign_up::sign_up_admin(&app.store, app.now())?;
    say(&json!({"api_key": key}))?;
    Ok(0)
}
