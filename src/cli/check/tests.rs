//! The command on small files of its own.

use super::{CheckArgs, check};
use serde_json::Value;
use std::path::Path;

#[derive(clap::Parser)]
struct Alone {
    #[command(flatten)]
    args: CheckArgs,
}

fn run(file: &Path, args: &[&str]) -> (u8, String) {
    let words = ["check", file.to_str().unwrap()].into_iter().chain(args.iter().copied());
    let alone = <Alone as clap::Parser>::parse_from(words);
    let mut out = Vec::new();
    let code = check(&alone.args, jiff::civil::date(2026, 11, 22), &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

fn on_text(text: &str, args: &[&str]) -> (u8, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sheet.csv");
    std::fs::write(&file, text).unwrap();
    run(&file, args)
}

const TRACKING: &str = "order_number,tracking_number,carrier,shipped_at\n\
                        1001,1Z999AA10123456784,UPS,2026-09-17\n\
                        1001,1Z999AA10123456784,UPS,2026-09-17\n\
                        1002,9.40011E+21,USPS,2026-09-17\n";

#[test]
fn json_lines_tell_the_file_then_its_rows_then_a_summary() {
    let (code, out) = on_text(TRACKING, &["--json"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(code, 1);
    assert_eq!(lines[0]["file"]["outcome"], "accepted");
    assert_eq!(lines[0]["file"]["kind"], "tracking");
    assert_eq!(lines[0]["file"]["columns"]["carrier"], "carrier");
    let outcomes: Vec<&Value> = lines[1..4].iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["created", "unchanged", "rejected"]);
    assert_eq!(lines[1]["read"]["carrier"], "ups");
    assert_eq!(lines[3]["line"], 4);
    assert_eq!(lines[3]["errors"][0]["code"], "scientific_notation");
    let summary = &lines[4]["summary"];
    for (name, count) in [
        ("rows_total", 3),
        ("rows_accepted", 1),
        ("rows_unchanged", 1),
        ("rows_rejected", 1),
        ("orders", 1),
        ("shipments", 1),
    ] {
        assert_eq!(summary[name], count, "{name}");
    }
}

#[test]
fn a_person_reads_sums_problems_and_rows() {
    let (code, out) = on_text(TRACKING, &[]);
    assert_eq!(code, 1);
    for part in
        ["3 rows: 1 accepted, 1 repeated, 1 rejected", "scientific_notation: 1, on line 4", "line 4, tracking_number:"]
    {
        assert!(out.contains(part), "{part}\n{out}");
    }
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let good = "order_number,sku\n1,A\n";
    for (what, text, args, code) in [
        ("all good", good, &[][..], 0),
        ("no order is known", TRACKING, &["--known-orders", "none"], 1),
        ("a needed column is missing", good, &["--kind", "tracking"], 2),
        ("nothing in it", "", &["--json"], 2),
    ] {
        assert_eq!(on_text(text, args).0, code, "{what}");
    }
}

#[test]
fn known_orders_are_read_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let (sheet, known) = (folder.path().join("sheet.csv"), folder.path().join("known.txt"));
    std::fs::write(&sheet, TRACKING.replace("1002,9.40011E+21", "1003,9400111201080805483016")).unwrap();
    std::fs::write(&known, "1001\r\n1002\r\n").unwrap();
    let (code, out) = run(&sheet, &["--json", "--known-orders", known.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(out.contains("order_not_found") && out.contains("There is no order 1003"), "{out}");
}

#[test]
fn the_repaired_file_holds_the_rejected_rows_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (sheet, repaired) = (folder.path().join("sheet.csv"), folder.path().join("repaired.csv"));
    std::fs::write(&sheet, TRACKING).unwrap();
    run(&sheet, &["--repaired", repaired.to_str().unwrap()]);
    let text = std::fs::read_to_string(&repaired).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "order_number,tracking_number,carrier,shipped_at,problem,suggestion");
    assert!(lines[1].starts_with("1002,9.40011E+21,USPS,2026-09-17,"), "{text}");
    assert_eq!(lines.len(), 2);
}
