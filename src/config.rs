//! Configuration: one struct from file and environment, read once. The default file is its documentation.

mod networks;

pub use networks::Networks;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What an operator can set. Each field is a line of the default file, where it is explained.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database_url: String,
    pub bind: String,
    /// Where meters are read; `off` for nowhere.
    pub metrics_bind: String,
    /// The address under which customers reach this server; status links start with it.
    pub public_url: Option<String>,
    pub secret_key: Option<String>,
    /// Whether a new database may be made beside a key file that is there already.
    pub new_database: bool,
    /// Whether to run on PostgreSQL without row-level security where it cannot be set up.
    pub allow_no_row_security: bool,
    /// Where the bound address is written, for programs that let the system choose a port.
    pub address_file: Option<PathBuf>,
    pub simulator_url: Option<String>,
    pub simulator_token: Option<String>,
    pub max_upload_bytes: u64,
    /// Whose word about the client's address is taken.
    pub trusted_proxies: Networks,
    /// Requests a minute of one key; 0 for no limit.
    pub rate_limit_per_minute: u32,
    /// Requests a minute without a valid key, by client address; 0 for no limit.
    pub address_rate_limit_per_minute: u32,
    /// How long requests are still taken after the signal to stop, in milliseconds.
    pub drain_delay_ms: u64,
    pub log: String,
    pub log_json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:parceltrail.db".to_owned(),
            bind: "127.0.0.1:8080".to_owned(),
            metrics_bind: "127.0.0.1:9090".to_owned(),
            public_url: None,
            secret_key: None,
            new_database: false,
            allow_no_row_security: false,
            address_file: None,
            simulator_url: None,
            simulator_token: None,
            max_upload_bytes: 256 * 1024 * 1024,
            trusted_proxies: Networks::default(),
            rate_limit_per_minute: 6000,
            address_rate_limit_per_minute: 600,
            drain_delay_ms: 2000,
            log: "info".to_owned(),
            log_json: false,
        }
    }
}

/// The configuration cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be read: {0}")]
pub struct ConfigError(Box<figment::Error>);

impl Config {
    /// Reads the file, where there is one, and then the environment, which wins.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for a line that is unknown or of another type.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        figment = match file {
            Some(file) => figment.merge(Toml::file_exact(file)),
            None => figment.merge(Toml::file("parceltrail.toml")),
        };
        let names = names();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != "database_url").collect();
        let environment = Env::prefixed("PARCELTRAIL_").only(&names);
        let config = figment.merge(environment).merge(Env::raw().only(&["database_url"]));
        config.extract().map_err(|error| ConfigError(Box::new(error)))
    }
}

/// The name of every setting. Other variables of the environment may begin like ours, and are not ours.
fn names() -> Vec<String> {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    defaults.as_object().map(|settings| settings.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT_FILE: &str = include_str!("../parceltrail.default.toml");

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let uncommented: String = DEFAULT_FILE
            .lines()
            .filter_map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).or(Some(line)))
            .filter(|line| !line.starts_with('#'))
            .collect::<Vec<_>>()
            .join("\n");
        let told: Config =
            Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(&uncommented)).extract().unwrap();
        assert_eq!(serde_json::to_value(told).unwrap(), serde_json::to_value(Config::default()).unwrap());
    }

    #[test]
    fn the_default_file_tells_of_every_setting() {
        // The last is for programs that start a server, not for operators.
        let told = |name: &String| {
            DEFAULT_FILE.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(&format!("{name} = ")))
        };
        let untold: Vec<String> = names().into_iter().filter(|name| name != "address_file" && !told(name)).collect();
        assert_eq!(untold, Vec::<String>::new());
    }
}
