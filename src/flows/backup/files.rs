//! Files of backups: their space, their checksums, and how they are put in place.

use super::BackupError;
use crate::store::free_bytes;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Read and written at once.
const PIECE: usize = 1 << 20;
/// Left free beside a copy: for the log of a server on the same disk, and for the manifest.
const SPARE_BYTES: u64 = 16 << 20;

/// Size and SHA-256 of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) bytes: u64,
    /// In hexadecimal.
    pub(super) sha256: String,
}

/// The folder that a path lies in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// Refuses where a copy of so many bytes does not fit. Where the system does not say how much is free, it is tried.
pub(super) fn require_space(folder: &Path, bytes: u64) -> Result<(), BackupError> {
    let needed = bytes.saturating_add(SPARE_BYTES);
    match free_bytes(folder) {
        Some(free) if free < needed => Err(BackupError::NoRoom { folder: folder.to_owned(), needed, free }),
        Some(_) | None => Ok(()),
    }
}

/// The checksum of a file.
pub(super) fn checksum(path: &Path) -> Result<Checksum, BackupError> {
    let mut file = File::open(path).map_err(BackupError::io(path))?;
    copy_and_sum(&mut file, &mut io::sink()).map_err(BackupError::io(path))
}

/// Copies a file into a new one of mode 0600, and sums what was copied.
pub(super) fn copy(from: &Path, into: &Path) -> Result<Checksum, BackupError> {
    let mut source = File::open(from).map_err(BackupError::io(from))?;
    let mut target = private_file(into).map_err(BackupError::io(into))?;
    let sum = copy_and_sum(&mut source, &mut target).map_err(BackupError::io(into))?;
    target.sync_all().map_err(BackupError::io(into))?;
    Ok(sum)
}

fn copy_and_sum(from: &mut impl Read, into: &mut impl Write) -> io::Result<Checksum> {
    let (mut hasher, mut bytes, mut piece) = (Sha256::new(), 0_u64, vec![0; PIECE]);
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = piece.get(..read).unwrap_or_default();
        hasher.update(filled);
        into.write_all(filled)?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or_default());
    }
    let mut sha256 = String::new();
    for byte in hasher.finalize() {
        let _written = write!(sha256, "{byte:02x}");
    }
    Ok(Checksum { bytes, sha256 })
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Writes what the system holds of a file to the disk.
pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(BackupError::io(path))
}

/// Writes the names in a folder to the disk, so that a file that was put there stays there.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    sync(folder)
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> Result<(), BackupError> {
    Ok(())
}
