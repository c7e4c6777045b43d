//! Whole files, read as an import reads them.

use super::{
    DateOrder, FileRejected, Kind, Limits, Neighbour, Neighbours, Options, Record, RepairedWriter, SheetError, Survey,
    records, survey, template,
};
use crate::domain::tracking_number::Known;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{Read, Write};

pub(super) fn options() -> Options {
    Options {
        kind: None,
        time_zone: TimeZone::UTC,
        date_order: None,
        preset: None,
        encoding: None,
        mapping: BTreeMap::new(),
        strict: false,
        today: date(2026, 11, 22),
        known: Known::default(),
        limits: Limits::default(),
    }
}

pub(super) fn read_with(file: &[u8], options: &Options) -> (Survey, Vec<Record>) {
    let survey = survey(file, options).unwrap();
    let rows = records(file, &survey, options).unwrap().map(Result::unwrap).collect();
    (survey, rows)
}

fn read(text: &str) -> (Survey, Vec<Record>) {
    read_with(text.as_bytes(), &options())
}

fn refused(file: &[u8], options: &Options) -> FileRejected {
    match survey(file, options) {
        Err(SheetError::Rejected(rejected)) => *rejected,
        Err(SheetError::Io(error)) => panic!("{error}"),
        Ok(survey) => panic!("{survey:?}"),
    }
}

/// What a row holds in a column, as read.
fn cell<'a>(record: &'a Record, column: &str) -> Option<&'a str> {
    record.read.iter().find(|(name, _)| *name == column).map(|(_, value)| value.as_str())
}

/// `column code` of each fault of a row, errors marked.
fn faults(record: &Record) -> Vec<String> {
    let column = |it: &super::Fault| it.column.clone().unwrap_or_default();
    let errors = record.errors.iter().map(|it| format!("! {} {}", column(it), it.code));
    errors.chain(record.warnings.iter().map(|it| format!("{} {}", column(it), it.code))).collect()
}

#[test]
fn one_cell_is_read_or_named() {
    for (what, column, value, expected, problems) in [
        ("an order number is text", "order_number", "000123", Some("000123"), &[][..]),
        ("a quantity", "quantity", "2.0", Some("2"), &[]),
        ("a country by name", "country", "Deutschland", Some("DE"), &[]),
        ("no country", "country", "Narnia", Some("Narnia"), &["! country unknown_country"]),
        ("a blank country", "country", "", None, &["country missing_field"]),
        ("a day", "order_date", "2026-09-16", Some("2026-09-16"), &[]),
        ("no day", "order_date", "2026-02-30", Some("2026-02-30"), &["! order_date invalid_date"]),
        ("either of two days", "order_date", "03/04/2026", Some("03/04/2026"), &["! order_date ambiguous_date"]),
        ("a year mistyped", "order_date", "2062-09-16", Some("2062-09-16"), &["order_date implausible_date"]),
        ("a price", "unit_price", "$1,234.50", Some("1234.50"), &[]),
        ("a price too fine", "unit_price", "0.12345", Some("0.12345"), &["! unit_price too_many_decimals"]),
        ("no price", "unit_price", "free", Some("free"), &["! unit_price not_a_number"]),
        ("a placeholder", "unit_price", "-", None, &["unit_price placeholder_value"]),
        ("a weight", "weight_kg", "0.5", Some("0.5"), &[]),
        ("an error of the spreadsheet", "sku", "#REF!", Some("#REF!"), &["! sku spreadsheet_error"]),
        ("a formula", "sku", "=A1", Some("=A1"), &["! sku formula"]),
        ("digits lost", "order_number", "1.0E+15", Some("1.0E+15"), &["! order_number scientific_notation"]),
        ("the wrong encoding", "city", "KÃ¶ln", Some("KÃ¶ln"), &["city suspected_mojibake"]),
        ("a control character", "city", "Bos\u{1}ton", Some("Boston"), &["! city control_character"]),
        ("a word for the order", "status", "canceled", Some("canceled"), &[]),
        ("an unknown word", "status", "teleported", Some("teleported"), &["status unknown_status"]),
    ] {
        let text = if column == "order_number" {
            format!("order_number,sku\n\"{value}\",A\n")
        } else {
            format!("order_number,{column}\n1,\"{value}\"\n")
        };
        let (_, rows) = read(&text);
        assert_eq!(
            (cell(&rows[0], column), faults(&rows[0])),
            (expected, problems.iter().map(|&it| it.to_owned()).collect()),
            "{what}"
        );
        assert_eq!(rows[0].row.is_some(), rows[0].errors.is_empty(), "{what}");
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let strict_limits = Options { limits: Limits { columns: 2, rows: 1, bytes: 60, ..Limits::default() }, ..options() };
    let tracking = Options { kind: Some(Kind::Tracking), ..options() };
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&vec![b'a'; 100_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    for (what, file, options, code, line) in [
        ("nothing", &b""[..], &options(), "empty_file", 1),
        ("blank lines", b"\n\n  \n", &options(), "empty_file", 1),
        ("a workbook", b"PK\x03\x04rest", &options(), "not_csv_xlsx", 1),
        ("a document", b"%PDF-1.7", &options(), "not_csv", 1),
        ("a web page", b"\n<!DOCTYPE html><html>", &options(), "not_csv", 1),
        ("bytes", &[1, 2, 3, 0, 4, 5], &options(), "not_csv", 1),
        ("no header", b"\nfoo,bar\n1,2\n", &options(), "header_not_recognised", 2),
        ("a column too few", b"order_number,carrier\n1,ups\n", &tracking, "missing_column", 1),
        ("a column twice", b"order_number,SKU,sku\n", &options(), "duplicate_header", 1),
        ("a quote left open", b"order_number,sku\n1,\"A\n2,B\n", &options(), "unclosed_quote", 2),
        ("too many columns", b"order_number,sku,city\n", &strict_limits, "too_many_columns", 1),
        ("too many rows", b"order_number,sku\n1,A\n2,B\n", &strict_limits, "too_many_rows", 3),
        ("a bomb", &bomb, &strict_limits, "too_large", 1),
        ("half a gzip file", &bomb[..bomb.len() / 2], &options(), "damaged_gzip", 1),
    ] {
        let rejected = refused(file, options);
        let found = (rejected.errors[0].code.as_str(), rejected.errors[0].line);
        assert_eq!(found, (code, Some(line)), "{what}");
    }
}

#[test]
fn a_file_is_read_whatever_wrote_it() {
    let text = "order_number;recipient_name\r\n1;Jürgen\r\n";
    let utf16 = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let mut marked = vec![0xff, 0xfe];
    marked.extend(utf16(u16::to_le_bytes));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    for (what, file, encoding) in [
        ("UTF-8", text.as_bytes().to_vec(), "utf-8"),
        ("UTF-8 with a mark", [b"\xef\xbb\xbf", text.as_bytes()].concat(), "utf-8"),
        ("UTF-16 with a mark", marked, "utf-16le"),
        ("UTF-16 without one", utf16(u16::to_be_bytes), "utf-16be"),
        ("Windows-1252", text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(), "windows-1252"),
        ("with a sep= line", [b"sep=;\r\n", text.as_bytes()].concat(), "utf-8"),
        ("packed", packed.finish().unwrap(), "utf-8"),
    ] {
        let (survey, rows) = read_with(&file, &options());
        assert_eq!((survey.encoding.name(), survey.delimiter, survey.rows_total), (encoding, ';', 1), "{what}");
        assert_eq!(cell(&rows[0], "recipient_name"), Some("Jürgen"), "{what}");
    }
}

#[test]
fn what_is_no_row_is_left_out_and_lines_stay_physical() {
    let text = "My shop, September\n\norder_number,tracking_number,carrier\n\n1,1Z999AA10123456784,UPS\n,,\nTotal,1,\n";
    let (survey, rows) = read(text);
    assert_eq!(
        survey.warnings.iter().map(|it| (it.code.as_str(), it.line)).collect::<Vec<_>>(),
        [("preamble_skipped", Some(1))]
    );
    assert_eq!((survey.rows_total, rows.len(), rows[0].line), (1, 1, 5));
}

#[test]
fn a_column_is_settled_by_the_whole_file() {
    let (_, rows) = read("order_number;order_date;unit_price\n1;03.04.2026;1.234\n2;31.05.2026;9,99\n");
    assert_eq!((cell(&rows[0], "order_date"), cell(&rows[0], "unit_price")), (Some("2026-04-03"), Some("1234")));

    let told = Options { date_order: Some(DateOrder::Mdy), ..options() };
    let (_, rows) = read_with(b"order_number,order_date\n1,03/04/2026\n", &told);
    assert_eq!(cell(&rows[0], "order_date"), Some("2026-03-04"));
}

#[test]
fn times_keep_their_offset_and_days_move_only_by_one() {
    let text = "order_number,country,ship_by,deliver_by,order_date\n\
                1,JP,2026-09-17,2026-09-17T20:00:00Z,2026-09-16T23:30:00-05:00\n";
    let (_, rows) = read(text);
    let order = rows[0].row.as_ref().and_then(|it| it.order()).unwrap();
    assert_eq!(order.line.ship_by.unwrap().local_text(), "2026-09-17T23:59:59", "the end of the day");
    assert_eq!(order.line.deliver_by_on, Some(date(2026, 9, 18)), "already the next day in Japan");
    assert_eq!(cell(&rows[0], "order_date_utc"), Some("2026-09-17T04:30:00Z"));
}

#[test]
fn a_doubtful_number_is_a_warning_and_when_strict_an_error() {
    let text = b"order_number,tracking_number,carrier\n1,1Z999AA10123456785,UPS\n2,1Z999AA10123456785,other\n";
    let (_, rows) = read_with(text, &options());
    assert_eq!(faults(&rows[0]), ["tracking_number bad_checksum"]);
    assert!(rows[0].row.as_ref().unwrap().tracking().unwrap().number.suspicious);
    assert!(faults(&rows[1]).is_empty(), "`other` declares nothing");
    let (_, rows) = read_with(text, &Options { strict: true, ..options() });
    assert_eq!(faults(&rows[0]), ["! tracking_number bad_checksum"]);
}

#[test]
fn rows_are_held_against_those_before_them() {
    let text = "order_number,country,city,tracking_number,carrier\n\
                1,US,Boston,1Z999AA10123456784,UPS\n\
                1,US,Boston,1Z999AA10123456784,UPS\n\
                1,,,1Z5R89390357567127,UPS\n\
                1,CA,Ottawa,,\n\
                2,US,Boston,1Z999AA10123456784,UPS\n";
    let (_, mut rows) = read(text);
    let mut neighbours = Neighbours::new(false, 0);
    let found: Vec<(Neighbour, Vec<String>)> = rows.iter_mut().map(|row| (neighbours.look(row), faults(row))).collect();
    let fresh = |problems: &[&str]| (Neighbour::Fresh, problems.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());
    assert_eq!(found[0], fresh(&[]), "the first of its order");
    assert_eq!(found[1], (Neighbour::Repeat, vec!["tracking_number duplicate_row".to_owned()]), "the same again");
    assert_eq!(found[2], fresh(&[]), "more of the order, its address left blank");
    assert_eq!(found[3], fresh(&["! country conflicting_order_fields"]), "the order to another country");
    assert!(rows[3].row.is_none());
    assert_eq!(found[4], fresh(&["tracking_number tracking_number_reused"]), "one number under two orders");
    let mut strict = Neighbours::new(true, 0);
    let (_, mut rows) = read(text);
    for row in &mut rows {
        strict.look(row);
    }
    assert!(rows[4].row.is_none(), "when strict, that is an error");
}

#[test]
fn an_encoding_is_what_the_caller_says_or_what_the_bytes_tell() {
    let japanese = "order_number,recipient_name,country\nS-1,山田太郎,JP\nS-2,佐藤花子,JP\n";
    let (file, ..) = encoding_rs::SHIFT_JIS.encode(japanese);
    let told = Options { encoding: "sjis".parse().ok(), ..options() };
    for (options, warnings) in [(options(), vec!["encoding_guessed"]), (told, vec![])] {
        let (survey, rows) = read_with(&file, &options);
        assert_eq!((survey.encoding.name(), rows.len()), ("Shift_JIS", 2));
        assert_eq!(survey.warnings.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), warnings);
        let name = rows[0].row.as_ref().and_then(|row| row.order()).and_then(|it| it.contact.recipient_name.clone());
        assert_eq!(name.as_deref(), Some("山田太郎"), "{:?}", rows[0].errors);
    }
}

#[test]
fn the_repaired_file_can_be_mended_and_sent_again() {
    let text = "Order ID;Zip;Country;Qty;Remark of ours\n1;2108;US;two;=cmd()\n";
    let (survey, rows) = read(text);
    let mut out = Vec::new();
    let mut writer = RepairedWriter::new(&mut out, &survey).unwrap();
    for row in &rows {
        writer.write(row).unwrap();
    }
    writer.finish().unwrap();
    let repaired = String::from_utf8(out).unwrap();
    assert!(
        repaired.starts_with("Order ID;Zip;Country;Qty;Remark of ours;problem;suggestion\r\n1;02108;US;two;'=cmd();"),
        "{repaired}"
    );
    assert!(repaired.contains("filled in 02108 instead of 2108"), "{repaired}");
    let (_, again) = read(&repaired.replace("two", "2"));
    assert!(again[0].errors.is_empty());
}

#[test]
fn a_template_is_read_without_fault() {
    for kind in Kind::ALL {
        let (survey, rows) = read(&template(kind));
        assert_eq!(survey.kind, kind);
        assert!(survey.columns.iter().all(|(header, name)| Some(header.as_str()) == *name), "{kind}");
        assert_eq!((rows.len(), faults(&rows[0])), (1, Vec::new()), "{kind}");
    }
}

/// A file that is made while it is read, so that only a stream can read it cheaply.
struct Generated {
    rows: u64,
    ready: Vec<u8>,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() && self.rows > 0 {
            self.rows -= 1;
            self.ready = format!("ORDER-{:08},SKU-{:08},Köln,{}\n", self.rows, self.rows, "x".repeat(200)).into_bytes();
        }
        let given = self.ready.len().min(buffer.len());
        buffer[..given].copy_from_slice(&self.ready[..given]);
        self.ready.drain(..given);
        Ok(given)
    }
}

#[test]
fn ten_megabytes_are_read_as_a_stream() {
    let file = || Generated { rows: 42_000, ready: b"order_number,sku,city,note\n".to_vec() };
    let options = options();
    let survey = survey(file(), &options).unwrap();
    assert_eq!(survey.rows_total, 42_000);
    let last = records(file(), &survey, &options).unwrap().map(Result::unwrap).last().unwrap();
    assert_eq!((last.line, cell(&last, "order_number")), (42_001, Some("ORDER-00000000")));
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..400), cells in "[ -~\"\r\n,;\t.0-9:/é“#=+']{0,200}") {
        let headers = ["", "order_number,tracking_number,shipped_at,unit_price,quantity,country,carrier,status,ship_by\n"];
        for header in headers {
            for file in [[header.as_bytes(), &bytes].concat(), [header, &cells].concat().into_bytes()] {
                let options = options();
                let Ok(survey) = survey(&file[..], &options) else { continue };
                let mut neighbours = Neighbours::new(false, 0);
                let mut writer = RepairedWriter::new(Vec::new(), &survey).unwrap();
                let mut read = 0;
                for record in records(&file[..], &survey, &options).unwrap() {
                    let mut record = record.unwrap();
                    neighbours.look(&mut record);
                    writer.write(&record).unwrap();
                    prop_assert_eq!(record.row.is_none(), !record.errors.is_empty());
                    read += 1;
                }
                prop_assert_eq!(read, survey.rows_total);
            }
        }
    }
}

/// Numbers that look random and are the same at each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[test]
fn ten_thousand_files_are_read_as_another_reader_reads_them() {
    const PIECES: [&str; 16] =
        ["a", "Lamp", " ", "\"", ",", ";", "\t", "|", "\r\n", "\n", "\r", "é", "日本", "🎁", "12.50", "''"];
    let mut dice = Dice(7);
    for number in 0..10_000 {
        let delimiter = b",;\t|"[dice.below(4)];
        let terminator = if dice.below(2) == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let style = if dice.below(3) == 0 { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new();
        let writer = writer.delimiter(delimiter).terminator(terminator).quote_style(style).flexible(true);
        let mut writer = writer.from_writer(Vec::new());
        writer.write_record(["order_number", "sku", "note"]).unwrap();
        for row in 0..=dice.below(4) {
            let mut cells = vec![format!("N{number}-{row}")];
            for _ in 0..dice.below(3) {
                cells.push((0..dice.below(5)).map(|_| PIECES[dice.below(PIECES.len())]).collect());
            }
            writer.write_record(&cells).unwrap();
        }
        let mut file = writer.into_inner().unwrap();
        let mut other = csv::ReaderBuilder::new();
        let mut other = other.delimiter(delimiter).flexible(true).from_reader(file.as_slice());
        let expected: Vec<Vec<String>> =
            other.records().map(|it| it.unwrap().iter().map(str::to_owned).collect()).collect();
        match dice.below(4) {
            0 => file.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
            1 => {
                let text = String::from_utf8(file).unwrap();
                file = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            }
            _ => {}
        }
        let (_, rows) = read_with(&file, &Options { kind: Some(Kind::Orders), ..options() });
        let cells: Vec<Vec<String>> = rows.into_iter().map(|row| row.cells).collect();
        assert_eq!(cells, expected, "{}", String::from_utf8_lossy(&file));
    }
}
