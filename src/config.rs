//! Configuration: one struct from file and environment, read once. The default file is its documentation.

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
    /// The address under which customers reach this server; status links start with it.
    pub public_url: Option<String>,
    pub secret_key: Option<String>,
    /// Where the bound address is written, for programs that let the system choose a port.
    pub address_file: Option<PathBuf>,
    pub simulator_url: Option<String>,
    pub simulator_token: Option<String>,
    pub max_upload_bytes: u64,
    pub log: String,
    pub log_json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:parceltrail.db".to_owned(),
            bind: "127.0.0.1:8080".to_owned(),
            public_url: None,
            secret_key: None,
            address_file: None,
            simulator_url: None,
            simulator_token: None,
            max_upload_bytes: 256 * 1024 * 1024,
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
        let ours = ["bind", "public_url", "secret_key", "address_file", "simulator_url", "simulator_token"];
        let rest = ["max_upload_bytes", "log", "log_json"];
        let environment = Env::prefixed("PARCELTRAIL_").only(&[ours.as_slice(), &rest].concat());
        let config = figment.merge(environment).merge(Env::raw().only(&["database_url"]));
        config.extract().map_err(|error| ConfigError(Box::new(error)))
    }
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
        let default = Config::default();
        assert_eq!((told.database_url, told.bind), (default.database_url, default.bind));
        assert_eq!(
            (told.max_upload_bytes, told.log, told.log_json),
            (default.max_upload_bytes, default.log, default.log_json)
        );
    }
}
