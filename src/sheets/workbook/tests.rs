//! Workbooks made here, part by part, and read as sheets.

use super::*;
use crate::sheets::tests::{options, read_with};
use crate::sheets::{Options, SheetError, survey};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub(super) const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>
    <sheet name="Notes" sheetId="1" state="hidden" r:id="rId1"/>
    <sheet name="Orders" sheetId="2" r:id="rId2"/>
    <sheet name="Stock" sheetId="3" r:id="rId3"/></sheets></workbook>"#;

pub(super) const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
    <Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
    <Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/>
    <Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet3.xml"/>
    <Relationship Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>
    <Relationship Id="rId5" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>
    </Relationships>"#;

pub(super) const PACKAGE: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
    <Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>
    </Relationships>"#;

/// Style 1 is a day, style 2 a day with its time.
pub(super) const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
    <cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>
    </styleSheet>"#;

pub(super) fn sheet_of(rows: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    )
}

pub(super) fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook whose second sheet is the first one shown.
pub(super) fn workbook(rows: &str, strings: &str) -> Vec<u8> {
    let strings = format!(r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{strings}</sst>"#);
    let decoy = sheet_of(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>tracking_number</t></is></c></row>"#);
    packed(&[
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", &strings),
        ("xl/worksheets/sheet1.xml", &decoy),
        ("xl/worksheets/sheet2.xml", &sheet_of(rows)),
        ("xl/worksheets/sheet3.xml", &decoy),
    ])
}

pub(super) fn refused(file: &[u8], options: &Options) -> (String, String) {
    match survey(file, options) {
        Err(SheetError::Rejected(rejected)) => (rejected.errors[0].code.clone(), rejected.errors[0].detail.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workbook_is_read_as_its_file_would_be() {
    let strings = "<si><t>order_number</t></si><si><t>order_date</t></si><si><t>Recipient\nname</t></si>\
                   <si><t>unit_price</t></si><si><t>note</t></si><si><t>line_id</t></si>\
                   <si><t>Ada \"A.\" Quill, 3rd floor</t></si><si><t>first line\nsecond line</t></si>";
    let rows = r#"
        <row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s"><v>1</v></c><c r="C3" t="s"><v>2</v></c><c r="D3" t="s"><v>3</v></c><c r="E3" t="s"><v>4</v></c><c r="F3" t="s"><v>5</v></c></row>
        <row r="5"><c r="A5"><v>123456789012</v></c><c r="B5" s="1"><v>46281</v></c><c r="C5" t="s"><v>6</v></c><c r="D5"><v>19.9</v></c><c r="E5" t="s"><v>7</v></c></row>
        <row r="9"><c r="A9" t="str"><f>"A"&amp;"-7"</f><v>A-7</v></c><c r="B9" s="2"><v>46281.43</v></c><c r="D9"><v>1200</v></c><c r="F9"><v>9.40011120108080E+21</v></c></row>
        <row r="10"><c r="A10" t="e"><v>#N/A</v></c><c r="B10" s="1"><v>46281</v></c></row>"#;
    let (survey, records) = read_with(&workbook(rows, strings), &options());
    assert_eq!((survey.encoding.name(), survey.preset, survey.rows_total), ("xlsx", "canonical", 3));
    let warnings: Vec<&str> = survey.warnings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(warnings, ["other_sheets"], "{:?}", survey.warnings);
    let read = |line: u64, column: &str| {
        let record = records.iter().find(|record| record.line == line).unwrap();
        record.read.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert_eq!(records.iter().map(|it| it.line).collect::<Vec<_>>(), [5, 9, 10], "the rows as Excel counts them");
    assert_eq!(read(5, "order_number"), "123456789012");
    assert_eq!(read(5, "order_date"), "2026-09-16");
    assert_eq!(read(5, "recipient_name"), "Ada \"A.\" Quill, 3rd floor");
    assert_eq!(read(5, "unit_price"), "19.9");
    assert_eq!(read(9, "order_number"), "A-7");
    assert!(read(9, "order_date").starts_with("2026-09-16T10:19:12"), "{}", read(9, "order_date"));
    let codes = |line: u64| {
        let record = records.iter().find(|record| record.line == line).unwrap();
        record.errors.iter().chain(&record.warnings).map(|it| it.code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes(9), ["scientific_notation"], "the digits are gone");
    assert_eq!(codes(10)[0], "spreadsheet_error");
}

#[test]
fn what_is_no_workbook_is_refused_with_what_to_do() {
    let good = workbook(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>order_number</t></is></c></row>"#, "");
    let nothing_shown = BOOK.replace(r#"state="hidden""#, "").replace("<sheet ", r#"<sheet state="hidden" "#);
    let hidden = packed(&[
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", &nothing_shown),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
    ]);
    let mut flipped = good.clone();
    flipped.iter_mut().skip(40).step_by(7).for_each(|byte| *byte ^= 0x55);
    for (what, file, code) in [
        ("an archive of other things", packed(&[("readme.txt", "hello")]), "not_csv_xlsx"),
        ("cut short", good[..good.len() / 2].to_vec(), "not_csv_xlsx"),
        ("flipped bits", flipped, "not_csv_xlsx"),
        ("no sheet is shown", hidden, "no_sheet"),
    ] {
        assert_eq!(refused(&file, &options()).0, code, "{what}");
    }
}

#[test]
fn a_workbook_larger_than_allowed_is_refused_however_small_it_is_packed() {
    let limits = Limits { bytes: 100_000, ..Limits::default() };
    let small = Options { limits, ..options() };
    let row = |line: usize| format!(r#"<row r="{line}"><c r="A{line}"><v>1</v></c></row>"#);
    let blanks = " ".repeat(250_000);
    for (what, file) in [
        ("its markup", workbook(&blanks, "")),
        ("its strings", workbook("", &blanks)),
        ("its text", workbook(&row(200_000), "")),
    ] {
        assert!(file.len() < 100_000, "{what} is packed small");
        assert_eq!(refused(&file, &small).0, "too_large", "{what}");
    }
    // The archive says that its parts are small: what it unpacks to counts.
    let mut lying = workbook(&blanks, "");
    let told = u32::try_from(sheet_of(&blanks).len()).unwrap().to_le_bytes();
    let places: Vec<usize> = (0..lying.len() - 4).filter(|place| lying[*place..*place + 4] == told).collect();
    assert!(!places.is_empty());
    for place in places {
        lying[place..place + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    assert!(["too_large", "not_csv_xlsx"].contains(&refused(&lying, &small).0.as_str()));
}

#[test]
fn a_workbook_that_lies_to_its_reader_is_refused() {
    let good = [
        ("_rels/.rels", PACKAGE.to_owned()),
        ("xl/workbook.xml", BOOK.to_owned()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.to_owned()),
        ("xl/sharedStrings.xml", "<sst uniqueCount='1' count='1'><si><t>order_number</t></si></sst>".to_owned()),
        ("xl/worksheets/sheet2.xml", sheet_of(r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#)),
    ];
    let changed = |part: usize, from: &str, to: &str| {
        let mut parts = good.clone();
        parts[part].1 = parts[part].1.replace(from, to);
        packed(&parts.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>())
    };
    assert!(survey(changed(0, "", "").as_slice(), &options()).is_ok());
    let endless = changed(3, "uniqueCount='1'", "uniqueCount = '18446744073709551615'");
    assert_eq!(refused(&endless, &options()).0, "too_large");
    for (what, file) in [
        ("a sheet for the workbook", changed(0, "xl/workbook.xml", "xl/worksheets/sheet2.xml")),
        ("a sheet for the workbook, in disguise", changed(0, "xl/workbook.xml", "xl/worksheets/she&#101;t2.xml")),
    ] {
        assert_eq!(refused(&file, &options()).0, "not_csv_xlsx", "{what}");
    }
}
