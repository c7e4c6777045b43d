//! The laws of the house: who may import whom, read from the sources and broken by file and line.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may name. `main.rs` and `lib.rs` name all.
const MAY_IMPORT: [(&str, &[&str]); 15] = [
    ("domain", &["domain"]),
    ("sheets", &["sheets", "domain"]),
    ("carriers", &["carriers", "domain"]),
    ("shops", &["shops", "domain"]),
    ("store", &["store", "domain", "secrets"]),
    ("simulator", &["simulator", "domain"]),
    ("secrets", &["secrets"]),
    ("limits", &["limits"]),
    ("config", &["config", "domain"]),
    ("telemetry", &["telemetry"]),
    ("flows", &["flows", "sheets", "carriers", "shops", "store", "domain", "secrets"]),
    ("app", &["app", "flows", "sheets", "carriers", "shops", "store", "domain", "secrets", "config", "limits"]),
    ("jobs", &["jobs", "flows", "app", "domain", "config", "telemetry"]),
    ("http", &["http", "flows", "app", "domain", "config", "limits", "telemetry"]),
    (
        "cli",
        &["cli", "http", "jobs", "flows", "app", "sheets", "simulator", "domain", "secrets", "config", "telemetry"],
    ),
];

/// Crates that the words of the trade must not know, and the one crate that only the store knows.
const NOT_IN_DOMAIN: [&str; 8] =
    ["actix_web", "actix_multipart", "diesel", "diesel_migrations", "reqwest", "tokio", "csv", "tracing"];
const ONLY_IN_STORE: [&str; 2] = ["diesel", "diesel_migrations"];

#[test]
fn every_import_goes_down() {
    let faults = faults(&sources());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_opens_with_a_sentence_about_itself() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = String::new();
    for folder in ["src", "tests", "examples", "benches"] {
        for file in rust_files(&project.join(folder)) {
            if !fs::read_to_string(&file).unwrap().starts_with("//! ") {
                writeln!(faults, "{}:1: does not open with `//!`", file.display()).unwrap();
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let migrations = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let whole = migrations.inspect(|migration| {
            for file in ["up.sql", "down.sql"] {
                assert!(migration.join(file).is_file(), "{} has no {file}", migration.display());
            }
        });
        whole.map(|migration| migration.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn a_broken_law_is_found_by_file_and_line() {
    let src = tempfile::tempdir().unwrap();
    let planted = [
        ("domain/order.rs", "//! Orders.\nuse crate::store::orders;\n", "order.rs:2: domain may not import store"),
        ("domain/clock.rs", "//! Clock.\nuse tokio::time;\n", "clock.rs:2: domain may not know tokio"),
        (
            "sheets/orders.rs",
            "//! Rows.\n\nuse crate::carriers::Wire;\n",
            "orders.rs:3: sheets may not import carriers",
        ),
        (
            "http/imports.rs",
            "//! Door.\nuse crate::{\n    flows,\n    store,\n};\n",
            "imports.rs:4: http may not import store",
        ),
        (
            "http/reports.rs",
            "//! Door.\nfn f() { crate::sheets::read() }\n",
            "reports.rs:2: http may not import sheets",
        ),
        ("jobs.rs", "//! Jobs.\nuse super::carriers::runner;\n", "jobs.rs:2: jobs may not import carriers"),
        (
            "flows/poll.rs",
            "//! Poll.\nuse crate::flows::judge;\n",
            "poll.rs:2: the flow poll may not import the flow judge",
        ),
        ("flows/judge.rs", "//! Judge.\nuse super::poll;\n", "judge.rs:2: the flow judge may not import the flow poll"),
        ("flows/sell.rs", "//! Sell.\nuse diesel::prelude::*;\n", "sell.rs:2: only store may know diesel"),
        ("odd.rs", "//! Odd.\n", "odd.rs:1: odd is no room of the house"),
    ];
    let sound = [
        ("flows/record_events.rs", "//! The gate.\nuse crate::store::events;\n"),
        ("flows/take_in/mod.rs", "//! Take in.\nuse crate::flows::record_events::judge;\nuse super::take_in::order;\n"),
        ("flows/take_in/order.rs", "//! Orders.\nuse super::mend;\nuse crate::flows::take_in::Desk;\n"),
        ("store/mod.rs", "//! Store, unlike `crate::flows`.\nuse diesel::prelude::*;\n// crate::http is far away\n"),
        ("lib.rs", "//! House.\nmod domain;\n"),
    ];
    let files = planted.iter().map(|&(path, source, _)| (path, source)).chain(sound);
    for (path, source) in files {
        let file = src.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, source).unwrap();
    }
    let found = faults(src.path());
    for (path, _, fault) in planted {
        assert!(found.iter().any(|it| it.ends_with(fault)), "{path}: {fault} is not among {found:#?}");
    }
    assert_eq!(found.len(), planted.len(), "{found:#?}");
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn faults(src: &Path) -> Vec<String> {
    let flows = rust_files(&src.join("flows")).iter().filter_map(|file| flow_of(src, file)).collect();
    rust_files(src).iter().flat_map(|file| faults_of_file(src, file, &flows)).collect()
}

fn faults_of_file(src: &Path, file: &Path, flows: &BTreeSet<String>) -> Vec<String> {
    let home = module_path(src, file);
    let Some(room) = home.first() else { return vec![] };
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| name == room) else {
        return vec![format!("{}:1: {room} is no room of the house", file.display())];
    };
    let source = code_of(&fs::read_to_string(file).unwrap());
    let flow = flow_of(src, file);
    let mut faults = Vec::new();
    for (line, path) in imports(&source, &home) {
        let Some(named) = path.first() else { continue };
        let is_room = MAY_IMPORT.iter().any(|(name, _)| name == named);
        if is_room && !allowed.contains(&named.as_str()) {
            faults.push(format!("{}:{line}: {room} may not import {named}", file.display()));
        }
        if let (Some(own), "flows", Some(other)) = (&flow, named.as_str(), path.get(1))
            && flows.contains(other)
            && other != own
            && other != "record_events"
        {
            faults.push(format!("{}:{line}: the flow {own} may not import the flow {other}", file.display()));
        }
    }
    faults.extend(foreign_crates(file, room, &source));
    faults
}

fn foreign_crates(file: &Path, room: &str, source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in source.lines().enumerate() {
        let known = |name: &&&str| names_crate(line, name);
        if room == "domain" {
            let named = NOT_IN_DOMAIN.iter().filter(known);
            faults.extend(named.map(|it| format!("{}:{}: domain may not know {it}", file.display(), number + 1)));
        } else if room != "store" {
            let named = ONLY_IN_STORE.iter().filter(known);
            faults.extend(named.map(|it| format!("{}:{}: only store may know {it}", file.display(), number + 1)));
        }
    }
    faults
}

/// Whether `name::` stands in the line as a path's first part.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default().chars().next_back();
        before.is_none_or(|it| !it.is_alphanumeric() && it != '_' && it != ':')
    })
}

/// The source with comments blanked out, line for line.
fn code_of(source: &str) -> String {
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every path that starts at `crate::` or climbs by `super::`, from the root of the crate, with its line.
fn imports(source: &str, home: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let before = source.get(..at).unwrap_or_default().chars().next_back();
        if before.is_none_or(|it| !it.is_alphanumeric() && it != '_' && it != '$') {
            found.extend(paths_at(source, at + "crate::".len(), &[]));
        }
    }
    for (at, _) in source.match_indices("super::") {
        if source.get(..at).is_some_and(|before| before.ends_with("super::")) {
            continue;
        }
        let climbs = source.get(at..).unwrap_or_default().split("::").take_while(|part| *part == "super").count();
        let base = home.get(..home.len().saturating_sub(climbs)).unwrap_or_default();
        found.extend(paths_at(source, at + climbs * "super::".len(), base));
    }
    found
}

/// The path, or the paths of a group in braces, that start at an offset.
fn paths_at(source: &str, at: usize, base: &[String]) -> Vec<(usize, Vec<String>)> {
    let rest = source.get(at..).unwrap_or_default();
    let Some(group) = rest.strip_prefix('{') else {
        let names = rest.split("::").take(2).map(first_word);
        return vec![(line_of(source, at), base.iter().cloned().chain(names).filter(|it| !it.is_empty()).collect())];
    };
    let (mut depth, mut starts) = (0_usize, vec![0]);
    for (offset, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(offset + 1),
            _ => {}
        }
    }
    let members = starts.into_iter().map(|start| {
        let member = group.get(start..).unwrap_or_default();
        at + 1 + start + (member.len() - member.trim_start().len())
    });
    members.flat_map(|start| paths_at(source, start, base)).collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || *it == '_').collect()
}

fn line_of(source: &str, at: usize) -> usize {
    source.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// `src/flows/take_in/order.rs` is `flows, take_in, order`; a `mod.rs` is its folder; `main.rs` and `lib.rs` are none.
fn module_path(src: &Path, file: &Path) -> Vec<String> {
    let parts = file.strip_prefix(src).unwrap().with_extension("");
    let mut path: Vec<String> = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod")
        || matches!(path.as_slice(), [one] if one == "main" || one == "lib")
    {
        path.pop();
    }
    path
}

/// The flow that a file belongs to: `flows/take_in/order.rs` belongs to `take_in`.
fn flow_of(src: &Path, file: &Path) -> Option<String> {
    match module_path(src, file).as_slice() {
        [flows, flow, ..] if flows == "flows" => Some(flow.clone()),
        _ => None,
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect();
    files.sort();
    files
}
