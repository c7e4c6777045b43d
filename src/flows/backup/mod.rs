//! Backups: a consistent copy of the database with a manifest beside it, and the way back.

mod error;
mod files;
pub mod manifest;
mod postgres_tools;
pub mod restore;
pub mod take;

pub use error::BackupError;
pub use manifest::Manifest;

#[cfg(test)]
mod tests;
