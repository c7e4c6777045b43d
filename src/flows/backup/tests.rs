//! Backups of a real store: private, described without the key, and refused where they do not fit.

use super::files::require_space;
use super::restore::{Request, restore};
use super::take::take;
use super::{BackupError, Manifest};
use crate::secrets::Secrets;
use crate::store::Store;
use crate::store::on_both::a_seller;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn now() -> Timestamp {
    "2026-12-01T16:00:00Z".parse().unwrap()
}

/// An embedded database with a seller, and a backup of it.
struct Scene {
    folder: TempDir,
    key: String,
    url: String,
    backup: PathBuf,
}

impl Scene {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Secrets::fresh_key().unwrap();
        let url = format!("sqlite:{}", folder.path().join("trail.db").display());
        let store = Store::open(&url, Secrets::from_text(&key).unwrap()).unwrap();
        a_seller(&store, now());
        let backup = folder.path().join("backup.db");
        take(&url, &backup, now()).unwrap();
        Self { folder, key, url, backup }
    }

    fn request(&self, target: &str) -> Request {
        Request {
            backup: self.backup.clone(),
            url: format!("sqlite:{}", self.folder.path().join(target).display()),
            secrets: Secrets::from_text(&self.key).unwrap(),
            replace: false,
            allow_no_row_security: false,
        }
    }

    /// Changes the manifest, and tells how the backup is refused.
    fn refused_with(&self, change: impl FnOnce(&mut Manifest)) -> String {
        let path = Manifest::path_of(&self.backup);
        let before = std::fs::read(&path).unwrap();
        let mut manifest = Manifest::read(&self.backup).unwrap();
        change(&mut manifest);
        std::fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
        let refused = restore(&self.request("new.db")).err().expect("it is refused").to_string();
        std::fs::write(&path, before).unwrap();
        assert!(!self.folder.path().join("new.db").exists(), "{refused}");
        refused
    }
}

#[test]
fn a_backup_is_private_and_names_everything_but_the_key() {
    let scene = Scene::set();
    let manifest_path = Manifest::path_of(&scene.backup);
    let text = std::fs::read_to_string(&manifest_path).unwrap();
    assert!(!text.contains(&scene.key), "{text}");
    let manifest = Manifest::read(&scene.backup).unwrap();
    assert_eq!((manifest.rows["sellers"], manifest.rows["shops"], manifest.made_at), (1, 1, now()));
    assert!(manifest.key.needed && manifest.key.check.is_some());
    assert_eq!(manifest.file.bytes, scene.backup.metadata().unwrap().len());
    #[cfg(unix)]
    for path in [&scene.backup, &manifest_path] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let names: Vec<String> = std::fs::read_dir(scene.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(names.is_empty(), "left over: {names:?}");
}

#[test]
fn a_backup_goes_over_nothing_and_into_no_missing_folder() {
    let scene = Scene::set();
    assert!(matches!(take(&scene.url, &scene.backup, now()), Err(BackupError::Exists(path)) if path == scene.backup));
    let nowhere = scene.folder.path().join("no/such/backup.db");
    assert!(matches!(take(&scene.url, &nowhere, now()), Err(BackupError::NoFolder(_))));
    let other = scene.folder.path().join("other.db");
    let missing = format!("sqlite:{}", scene.folder.path().join("missing.db").display());
    assert!(matches!(take(&missing, &other, now()), Err(BackupError::Open(_))));
    assert!(!other.exists() && !scene.folder.path().join("missing.db").exists());
}

#[test]
fn a_copy_that_does_not_fit_on_the_disk_is_not_begun() {
    let refused = require_space(Path::new("/"), u64::MAX / 2).unwrap_err().to_string();
    assert!(refused.contains("not enough space") && refused.contains("are needed"), "{refused}");
    require_space(Path::new("/"), 1).unwrap();
}

#[test]
fn a_manifest_that_does_not_fit_refuses_the_backup() {
    let scene = Scene::set();
    for (refused, says) in [
        (scene.refused_with(|manifest| manifest.format = 99), "newer parceltrail"),
        (scene.refused_with(|manifest| manifest.schema_version = "29991231000001".to_owned()), "newer parceltrail"),
        (scene.refused_with(|manifest| manifest.schema_version = "20200101000001".to_owned()), "does not know"),
        (scene.refused_with(|manifest| manifest.file.bytes += 1), "bytes"),
        (scene.refused_with(|manifest| manifest.file.sha256 = "0".repeat(64)), "SHA-256"),
        (scene.refused_with(|manifest| *manifest.rows.get_mut("sellers").unwrap() += 1), "sellers has 1 rows"),
        (scene.refused_with(|manifest| manifest.key.check = None), "key check"),
        (scene.refused_with(|manifest| manifest.key.check = Some("AAAA".to_owned())), "secret key is not the one"),
    ] {
        assert!(refused.contains(says), "{says}: {refused}");
    }
    let restored = restore(&scene.request("new.db")).unwrap();
    assert!(restored.store.close().unwrap());
    assert_eq!(restored.staged.unwrap().place(now()).unwrap(), None);
    assert!(scene.folder.path().join("new.db").is_file());
}

#[test]
fn the_log_of_a_lost_database_is_not_taken_for_that_of_the_restored_one() {
    let scene = Scene::set();
    let request = scene.request("new.db");
    std::fs::write(scene.folder.path().join("new.db-wal"), b"of another database").unwrap();
    let restored = restore(&request).unwrap();
    assert!(restored.store.close().unwrap());
    restored.staged.unwrap().place(now()).unwrap();
    assert!(!scene.folder.path().join("new.db-wal").exists());
    assert!(scene.folder.path().join("new.db.replaced-20261201T160000Z-wal").is_file());
}
