//! `demo`: the main job in one go, on a database of its own: sample sheets through the real API, parcels followed through
//! the simulator over real HTTP on a fast clock, and then the addresses to look at.

mod parcels;
mod story;

use super::say;
use super::serve::{self, ServeError};
use crate::app::{App, Clock, StartError, system_now};
use crate::config::Config;
use crate::domain::actor::Actor;
use crate::domain::ids::SellerId;
use crate::domain::role::Role;
use crate::flows::people::invite::{self, InviteError, Invitee};
use crate::flows::people::join::{self, JoinError, Newcomer};
use crate::flows::sign_up::{self, SignUpError};
use crate::jobs;
use crate::secrets::{SecretError, Secrets};
use crate::simulator::{self, SimulatorConfig};
use jiff::{SignedDuration, Timestamp};
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the main job done on sample rows, on a database of its own
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// End when the story is told; exit code 0 only if every step held
    #[arg(long)]
    exit: bool,
}

/// Why the demo came to no end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    SignUp(#[from] SignUpError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Invite(#[from] InviteError),
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error("the demo's folder or output cannot be written")]
    Io(#[from] io::Error),
    #[error("the demo's server cannot be reached")]
    Server(#[from] reqwest::Error),
    #[error("this step did not hold: {0}")]
    Step(String),
}

/// The story takes place in the days before now.
const DAYS: i64 = 24;
/// Simulated seconds a second: the days pass in about forty seconds.
const SPEED: i32 = 52_000;

pub fn run(arguments: &DemoArgs, config: Config) -> Result<u8, DemoError> {
    let folder = Folder::make()?;
    actix_web::rt::System::new().block_on(demo(arguments.exit, config, &folder))
}

/// Where the demo keeps its database; gone when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("parceltrail-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).map(|()| Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn demo(exit: bool, config: Config, folder: &Folder) -> Result<u8, DemoError> {
    say(&"parceltrail demo: a seller's last weeks, told in about a minute.\n")?;
    let from = system_now().checked_sub(SignedDuration::from_hours(DAYS * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
    let clock = Clock::CatchingUp { began: Instant::now(), from, speed: SPEED };
    let parcels = parcels::sample(from);
    let simulator_url = start_simulator(&parcels, clock)?;
    let (app, listener) = open(config, clock, folder, simulator_url)?;
    let seller = sign_up::sign_up_seller(&app.store, "Lantern & Loom", "DE".parse().ok(), None, app.now())?;
    let admin = sign_up::sign_up_admin(&app.store, app.now())?;
    let server = serve::server(&app, listener, serve::Connections::default())?;
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let working = actix_web::rt::spawn(jobs::run(Arc::clone(&app), jobs::Pace { idle: Duration::from_millis(40) }));
    let person = sign_up_person(&app, seller.seller_id)?;
    let keys = story::Keys { seller: seller.api_key, admin, person };
    let told = story::tell(&app, &keys, &parcels).await;
    if let Ok(ending) = &told {
        say(ending)?;
    }
    if told.is_ok() && !exit {
        say(&"\nThe server stays up until you press Ctrl-C.")?;
        tokio::signal::ctrl_c().await?;
    }
    app.stop();
    handle.stop(true).await;
    drop(tokio::time::timeout(Duration::from_secs(10), working).await);
    app.close();
    told.map(|_| 0)
}

/// A manager who can sign in to the pages, as e-mail address and password.
fn sign_up_person(app: &App, seller: SellerId) -> Result<(String, String), DemoError> {
    let (email, name) = ("ada@lantern-loom.example", "Ada Quill");
    let password: String = Secrets::fresh_key()?.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let person = Invitee { email: email.to_owned(), name: None, role: Role::SellerManager };
    let invited = invite::invite(&app.store, seller, &Actor::system(), &person, app.now())?;
    let newcomer =
        Newcomer { name: name.to_owned(), password: password.clone(), again: password.clone(), request_id: None };
    join::join(&app.store, &invited.token, &newcomer, app.now())?;
    Ok((email.to_owned(), password))
}

fn start_simulator(parcels: &[parcels::Parcel], clock: Clock) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let scripts = parcels.iter().map(parcels::Parcel::script).collect();
    let config = SimulatorConfig { scripts, make_up: false, ..SimulatorConfig::default() };
    actix_web::rt::spawn(simulator::serve(listener, Arc::new(move || clock.now()), config)?);
    Ok(url)
}

/// The demo's own database and key; the configured address, or any that is free.
fn open(
    mut config: Config,
    clock: Clock,
    folder: &Folder,
    simulator_url: String,
) -> Result<(Arc<App>, TcpListener), DemoError> {
    let listener = match serve::listen(&mut config) {
        Ok(listener) => listener,
        Err(_taken) => {
            "127.0.0.1:0".clone_into(&mut config.bind);
            serve::listen(&mut config)?
        }
    };
    config.database_url = format!("sqlite:{}", folder.0.join("demo.db").display());
    (config.public_url, config.secret_key) = (None, None);
    (config.simulator_url, config.simulator_token) = (Some(simulator_url), None);
    Ok((Arc::new(App::open(config, clock)?), listener))
}
