//! Real deliveries: sheets in over HTTP, the report out, compared with counts made apart, on both databases.

use crate::Score;
use crate::server::{Database, Seller, Server, postgres_url};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Both databases at once: each import keeps one core busy.
pub(crate) fn scores(folder: &Path, tell: &mut impl FnMut(Score)) {
    if !folder.is_dir() {
        return;
    }
    let databases = match postgres_url() {
        Some(_) => vec![(Database::Sqlite, "sqlite"), (Database::Postgres, "postgres")],
        None => vec![(Database::Sqlite, "sqlite")],
    };
    std::thread::scope(|scope| {
        let running: Vec<_> =
            databases.into_iter().map(|(database, name)| scope.spawn(move || on(database, name, folder))).collect();
        running.into_iter().flat_map(|it| it.join().unwrap()).for_each(&mut *tell);
    });
}

fn on(database: Database, name: &str, folder: &Path) -> [Score; 2] {
    let server = Server::start(database);
    let mut of_olist = Score::of(format!("deliveries/olist/{name}"));
    let seller = server.seller("Olist", "America/Sao_Paulo");
    take_in(&mut of_olist, &server, &seller, &folder.join("olist"));
    olist(&mut of_olist, &server, &seller, &folder.join("olist"));

    let mut of_scms = Score::of(format!("deliveries/scms/{name}"));
    let seller = server.seller("SCMS", "UTC");
    take_in(&mut of_scms, &server, &seller, &folder.join("scms"));
    scms(&mut of_scms, &server, &seller, &folder.join("scms"));
    of_scms.check("invariants", server.run(&["check-invariants"]).status.success(), || "broken".to_owned());
    [of_olist, of_scms]
}

/// Every row must be accepted.
fn take_in(score: &mut Score, server: &Server, seller: &Seller, folder: &Path) {
    for kind in ["orders", "tracking"] {
        let sheet = fs::read(folder.join(format!("{kind}.csv"))).unwrap();
        let begun = std::time::Instant::now();
        let import = server.import(&seller.key, &format!("kind={kind}"), sheet);
        score.details.push(format!("{kind}: {} rows in {:.1?}", import["rows_total"], begun.elapsed()));
        let whole = import["state"] == "completed" && import["rows_rejected"] == 0;
        score.check(&format!("{kind}.csv"), whole, || import.to_string());
    }
}

fn olist(score: &mut Score, server: &Server, seller: &Seller, folder: &Path) {
    let query = "as_of=2018-10-18&group_by=origin_region,destination_region";
    let report = server.delays(&seller.key, query);
    let truth: Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let truth = &truth["public"];
    for (what, wanted) in [
        ("shipments", &truth["shipped"]),
        ("delivered", &truth["delivered_with_date"]),
        ("on_time", &truth["on_time_by_date"]),
        ("late", &truth["late_by_date"]),
    ] {
        same(score, what, &report["totals"][what], wanted);
    }
    let lanes = by_key(&report, &["origin_region", "destination_region"]);
    let (mut known, truth) = (0, sheet(&folder.join("truth_lanes.csv")));
    for lane in &truth {
        let key = vec![lane["origin"].clone(), lane["destination"].clone()];
        // A lane on which nothing was shipped has no group.
        known += usize::from(lanes.contains_key(&key));
        let told = lanes.get(&key).cloned().unwrap_or_default();
        let days = &told["transit_days"];
        let counts = ["shipments", "delivered", "on_time", "late"].map(|it| told[it].as_i64().unwrap_or(0));
        let days = ["n", "p50", "p90", "p95"].map(|it| days[it].as_i64().unwrap_or(0));
        let wanted = ["shipped", "delivered", "on_time", "late"].map(|it| whole(&lane[it]));
        let wanted_days =
            ["transit_n", "transit_cal_p50_nearest", "transit_cal_p90_nearest", "transit_cal_p95_nearest"]
                .map(|it| whole(&lane[it]));
        score.check(&format!("lane {}", key.join("-")), (counts, days) == (wanted, wanted_days), || {
            format!("{counts:?} {days:?} for {wanted:?} {wanted_days:?}")
        });
    }
    score.check("no lane too many", known == lanes.len(), || format!("{} groups, {known} known", lanes.len()));
}

fn scms(score: &mut Score, server: &Server, seller: &Seller, folder: &Path) {
    let report = server.delays(&seller.key, "group_by=destination_country,service");
    let truth: Value = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let (truth, totals) = (&truth["public"], &report["totals"]);
    for what in ["shipments", "on_time", "late"] {
        same(score, what, &totals[what], &truth[what]);
    }
    same(score, "delivered", &totals["delivered"], &truth["shipments"]);
    let groups = by_key(&report, &["destination_country", "service"]);
    for lane in sheet(&folder.join("truth_lanes.csv")) {
        let key = vec![lane["country"].clone(), lane["mode"].clone()];
        let told = groups.get(&key).cloned().unwrap_or_default();
        let counts = ["shipments", "on_time", "late"].map(|it| told[it].as_i64().unwrap_or(0));
        let wanted = ["shipments", "on_time", "late"].map(|it| whole(&lane[it]));
        score.check(&format!("lane {}", key.join("-")), counts == wanted, || format!("{counts:?} for {wanted:?}"));
    }
    let report = server.delays(&seller.key, "group_by=seller");
    for (ours, theirs) in [("p50", "p50"), ("p90", "p90"), ("p95", "p95")] {
        let told = &report["groups"][0]["lateness_days"][ours];
        same(score, &format!("lateness {ours}"), told, &truth["late_days_nearest"][theirs]);
    }
    same(score, "lateness max", &report["groups"][0]["lateness_days"]["max"], &truth["late_days_max"]);
}

fn same(score: &mut Score, what: &str, told: &Value, wanted: &Value) {
    score.check(what, told == wanted || told.as_f64().is_some_and(|it| wanted.as_f64() == Some(it)), || {
        format!("{told} for {wanted}")
    });
}

/// A report's groups by the named parts of their keys; a missing part is blank.
fn by_key(report: &Value, parts: &[&str]) -> BTreeMap<Vec<String>, Value> {
    let groups = report["groups"].as_array().cloned().unwrap_or_default();
    let key = |group: &Value| -> Vec<String> {
        parts.iter().map(|part| group["key"][part].as_str().unwrap_or_default().to_owned()).collect()
    };
    groups.into_iter().map(|group| (key(&group), group)).collect()
}

fn sheet(file: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn whole(text: &str) -> i64 {
    text.parse().unwrap_or_else(|error| panic!("{error}: {}", json!(text)))
}
