//! Workbooks that are small on the wire and would be large in memory.

use super::super::tests::{BOOK, PACKAGE, RELATIONS, packed, refused, sheet_of, workbook};
use super::*;
use crate::sheets::survey;
use crate::sheets::tests::options;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const ROWS: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>order_number</t></is></c></row>
    <row r="2"><c r="A2" t="inlineStr"><is><t>1001</t></is></c></row>"#;

fn with_styles(styles: &str) -> Vec<u8> {
    let styles = format!("<styleSheet>{styles}</styleSheet>");
    packed(&[
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", &styles),
        ("xl/worksheets/sheet2.xml", &sheet_of(ROWS)),
    ])
}

#[track_caller]
fn assert_refused(what: &str, file: &[u8], code: &str, sentence: &str) {
    assert!(file.len() < 2_000_000, "{what} is packed small: {}", file.len());
    let (found, detail) = refused(file, &options());
    assert_eq!((found.as_str(), detail.starts_with(sentence)), (code, true), "{what}: {detail}");
}

#[test]
fn millions_of_empty_texts_are_refused() {
    let file = workbook(ROWS, &"<si><t/></si>".repeat(2_000_001));
    assert_refused("texts", &file, "too_large", "The workbook has more than 2,000,000 different texts. Copy the rows");
    let file = workbook(ROWS, &"<si/>".repeat(2_000_001));
    assert_refused("empty texts", &file, "too_large", "The workbook has more than 2,000,000 different texts.");
    assert!(survey(workbook(ROWS, &"<si><t/></si>".repeat(200_000)).as_slice(), &options()).is_ok());
}

#[test]
fn more_styles_than_any_workbook_has_are_refused() {
    let file = with_styles(&format!("<cellXfs>{}</cellXfs>", "<xf/>".repeat(131_001)));
    assert_refused("styles", &file, "too_large", "The workbook has more than 131,000 cell styles.");
    let file = with_styles(&format!("<fonts>{}</fonts>", "<font/>".repeat(66_001)));
    assert_refused("fonts", &file, "too_large", "The workbook has more than 66,000 fonts.");
    let long = format!(r#"<numFmts><numFmt numFmtId="200" formatCode="{}"/></numFmts>"#, "0".repeat(100_000));
    let file = with_styles(&format!("{long}<cellXfs>{}</cellXfs>", r#"<xf numFmtId="200"/>"#.repeat(1000)));
    assert_refused(
        "a long format in many styles",
        &file,
        "too_large",
        "The cell styles of the workbook are too large.",
    );
    let usual = with_styles(&format!("<cellXfs>{}</cellXfs>", r#"<xf numFmtId="14"/>"#.repeat(64_000)));
    assert!(survey(usual.as_slice(), &options()).is_ok());
}

#[test]
fn a_cell_longer_than_any_is_refused_however_it_is_made() {
    let long = "x".repeat(9 << 20);
    let cell = |inside: &str| format!(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>{inside}</t></is></c></row>"#);
    for (what, file) in [
        ("one text", workbook(&cell(&long), "")),
        ("many comments", workbook(&cell(&"<!-- -->".repeat(1_200_000)), "")),
        ("cells within a text", workbook(&cell(&"<c></c>".repeat(1_300_000)), "")),
        ("a shared text", workbook(ROWS, &format!("<si><t>{long}</t></si>"))),
        ("a comment between rows", workbook(&format!("<!-- {long} -->{ROWS}"), "")),
    ] {
        assert_refused(what, &file, "too_large", "A cell of the workbook is longer than 8 MiB.");
    }
    let file = workbook(&cell("</is><is>"), "");
    assert_eq!(refused(&file, &options()).0, "not_csv_xlsx", "tags that close each other");
    let file = workbook(&"<row>".repeat(300), "");
    assert_eq!(refused(&file, &options()).0, "not_csv_xlsx", "a tower of tags");
}

#[test]
fn only_so_many_parts_and_links_are_read() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..=PARTS {
        archive.start_file(format!("{number}"), SimpleFileOptions::default()).unwrap();
    }
    let many = archive.finish().unwrap().into_inner();
    assert_refused("parts", &many, "too_large", "The workbook has more than 10,000 parts.");
    let links = RELATIONS.replace("</Relationships>", &"<Relationship/>".repeat(20_000));
    let file = packed(&[("_rels/.rels", PACKAGE), ("xl/workbook.xml", BOOK), ("xl/_rels/workbook.xml.rels", &links)]);
    assert_refused("links", &file, "too_large", "The workbook has more than 20,000 links between its parts.");
    let sheets = BOOK.replace("<sheets>", &format!("<sheets>{}", r#"<sheet name="" id="rId1"/>"#.repeat(10_000)));
    let file = packed(&[("_rels/.rels", PACKAGE), ("xl/workbook.xml", &sheets)]);
    assert_refused("sheets", &file, "too_large", "The workbook has more than 10,000 sheets.");
}

#[test]
fn the_record_of_a_large_archive_may_not_claim_millions_of_parts() {
    let claiming = |parts: u64, before: usize| {
        let record = [b"PK\x06\x06".as_slice(), &[0; 20], &3_u64.to_le_bytes(), &parts.to_le_bytes()].concat();
        [vec![0; before], record].concat()
    };
    for before in [0, 7, 65_510, 65_536, 200_000] {
        assert!(refuse_many_parts(&mut Cursor::new(claiming(PARTS, before))).is_ok(), "{before}");
        assert!(refuse_many_parts(&mut Cursor::new(claiming(PARTS + 1, before))).is_err(), "{before}");
    }
}

#[test]
fn a_cell_too_many_is_refused() {
    let cells = |before: u64| {
        let mut scan = Scan::new(false);
        scan.counts.insert("c", before);
        let inner = sheet_of(ROWS);
        let part = Bounded { inner: inner.as_bytes(), left: 10_000, left_of_item: 10_000, exceeded: None };
        scan.run(&mut Reader::from_reader(BufReader::new(part)))
    };
    assert!(cells(20_000_000 - 2).is_ok());
    assert!(cells(20_000_000 - 1).is_err());
}

#[test]
fn a_sheet_is_only_read_from_a_part_that_was_looked_over() {
    let hidden = RELATIONS.replace("worksheets/sheet2.xml", "worksheets/sheet2.bin");
    let file = packed(&[
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", &hidden),
        ("xl/worksheets/sheet2.bin", &sheet_of(ROWS)),
    ]);
    assert_eq!(refused(&file, &options()).0, "not_csv_xlsx");
}

#[test]
fn an_archive_that_was_written_as_a_stream_is_read() {
    let mut archive = ZipWriter::new_stream(Vec::new());
    for (name, text) in [
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet2.xml", &sheet_of(ROWS)),
    ] {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let file = archive.finish().unwrap().into_inner();
    assert_eq!(survey(file.as_slice(), &options()).unwrap().rows_total, 1);
}
