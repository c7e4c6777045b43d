//! What a workbook may hold, measured as a stream before the library that reads it builds anything of it in memory.
//!
//! A workbook of a few KiB can hold millions of empty texts, styles or parts, and each takes memory. The XML is parsed here by
//! the parser that the library uses, so both see the same elements.

use super::super::fault::{Fault, Refusal};
use super::super::options::Limits;
use super::{damaged, no_archive, too_large};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;

/// What is packed holds markup besides its text; so many times the limit of the text it may be.
const MARKUP: u64 = 2;
/// Excel writes some tens of parts. The list of parts takes some 500 bytes for each.
const PARTS: u64 = 10_000;
/// All parts but sheets may be so large: the texts of a million rows.
const PART_BYTES: u64 = 64 * 1024 * 1024;
/// Parts that describe the workbook are held in memory as a whole, about twice.
const STRUCTURE_BYTES: u64 = 16 * 1024 * 1024;
/// One cell or one shared text with its markup. Excel holds 32,767 characters; a few copies are made of each.
const ITEM_BYTES: u64 = 8 * 1024 * 1024;
/// Elements within each other. Excel needs about ten; the parser remembers the name of each.
const DEPTH: usize = 256;
/// A style takes some 300 bytes, and its number format and font are copied into it: so much together.
const STYLE_BYTES: u64 = 64 * 1024 * 1024;

/// How many elements of a name one part may have, and how people call them. A shared text takes 24 bytes besides its
/// characters, twice while the list grows: 2 million take up to 150 MiB. Cells are not held, but cost time.
const MOST: [Most; 9] = [
    Most { element: "si", most: 2_000_000, what: "different texts" },
    Most { element: "c", most: 20_000_000, what: "cells on one sheet" },
    Most { element: "xf", most: 131_000, what: "cell styles" },
    Most { element: "font", most: 66_000, what: "fonts" },
    Most { element: "fill", most: 66_000, what: "fill patterns" },
    Most { element: "border", most: 66_000, what: "borders" },
    Most { element: "numFmt", most: 66_000, what: "number formats" },
    Most { element: "definedName", most: 100_000, what: "defined names" },
    Most { element: "Relationship", most: 20_000, what: "links between its parts" },
];
const SHARED_TEXTS: u64 = 2_000_000;
const SHEETS: u64 = 10_000;

struct Most {
    element: &'static str,
    most: u64,
    what: &'static str,
}

/// Refuses a workbook that holds more than the limits. What is packed may lie about its size, so all of it is unpacked once,
/// into nothing.
pub(super) fn refuse_bombs(file: &mut (impl Read + Seek), limits: &Limits) -> io::Result<()> {
    refuse_many_parts(file)?;
    file.rewind()?;
    let mut archive = ZipArchive::new(file).map_err(no_archive)?;
    let mut left = limits.bytes.saturating_mul(MARKUP);
    // An archive that was written as a stream tells no sizes at first.
    if archive.decompressed_size().is_some_and(|told| told > u128::from(left)) {
        return Err(too_large(limits.bytes));
    }
    for number in 0..archive.len() {
        let part = archive.by_index(number).map_err(no_archive)?;
        let path = part.name().map_err(no_archive)?.to_ascii_lowercase();
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let (told, most) = (part.size(), if name.starts_with("sheet") { left } else { left.min(PART_BYTES) });
        let bounded = Bounded { inner: part, left: most, left_of_item: ITEM_BYTES, exceeded: None };
        let unpacked = most - read_part(name, bounded, limits)?;
        if unpacked > told {
            return Err(damaged(&"a part is larger than the archive says"));
        }
        left = left.saturating_sub(unpacked);
    }
    Ok(())
}

/// Room is made for as many parts as an archive says that it has, so they are counted before it is opened: entries of its
/// list by their signature, and what the record of large archives claims. Other bytes that look the same are too rare to
/// matter.
fn refuse_many_parts(file: &mut (impl Read + Seek)) -> io::Result<()> {
    const ENTRY: &[u8] = b"PK\x01\x02";
    const LARGE_END: &[u8] = b"PK\x06\x06";
    /// Where the record of large archives has its two counts, 8 bytes each.
    const COUNTS: std::ops::Range<usize> = 24..40;
    file.seek(SeekFrom::Start(0))?;
    let (mut window, mut entries) = (Vec::new(), 0);
    loop {
        let read = file.by_ref().take(64 * 1024).read_to_end(&mut window)?;
        // What is found within the last bytes is looked at with the next ones.
        let looked_at = if read == 0 { window.len() } else { window.len().saturating_sub(COUNTS.end) };
        for at in (0..looked_at).filter(|at| window.get(*at) == Some(&b'P')) {
            let here = window.get(at..).unwrap_or_default();
            entries += u64::from(here.starts_with(ENTRY));
            let claims = here.get(COUNTS).filter(|_| here.starts_with(LARGE_END)).unwrap_or_default();
            let claims_too_many = claims.chunks(8).any(|count| {
                count
                    .iter()
                    .rev()
                    .fold(0, |number: u64, byte| number.saturating_mul(256).saturating_add(u64::from(*byte)))
                    > PARTS
            });
            if entries > PARTS || claims_too_many {
                return Err(too_many(PARTS, "parts"));
            }
        }
        window.drain(..looked_at);
        if read == 0 {
            return Ok(());
        }
    }
}

/// Reads a part to its end; how many of the bytes that it might have are left.
fn read_part<R: Read>(name: &str, mut part: Bounded<R>, limits: &Limits) -> io::Result<u64> {
    let is_package = name == ".rels";
    if has_extension(name, "xml") || has_extension(name, "rels") {
        let mut reader = Reader::from_reader(BufReader::new(part));
        let scanned = Scan::new(is_package).run(&mut reader);
        part = reader.into_inner().into_inner();
        if let Some(exceeded) = part.exceeded {
            return Err(exceeded.refusal(limits));
        }
        scanned?;
        part.left_of_item = u64::MAX;
    } else {
        part.left_of_item = u64::MAX;
    }
    match io::copy(&mut part, &mut io::sink()) {
        Ok(_) => Ok(part.left),
        Err(error) => Err(part.exceeded.map_or_else(|| damaged(&error), |exceeded| exceeded.refusal(limits))),
    }
}

fn has_extension(name: &str, wanted: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case(wanted))
}

/// Reads no further than its limits.
struct Bounded<R> {
    inner: R,
    left: u64,
    /// Of the cell or the text at hand.
    left_of_item: u64,
    exceeded: Option<Exceeded>,
}

#[derive(Debug, Clone, Copy)]
enum Exceeded {
    Part,
    Item,
}

impl Exceeded {
    fn refusal(self, limits: &Limits) -> io::Error {
        match self {
            Self::Part => too_large(limits.bytes),
            Self::Item => {
                let megabytes = ITEM_BYTES / (1024 * 1024);
                refused(format!(
                    "A cell of the workbook is longer than {megabytes} MiB. Shorten it, and send the file again."
                ))
            }
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        let exceeded = match (self.left.checked_sub(bytes), self.left_of_item.checked_sub(bytes)) {
            (Some(left), Some(left_of_item)) => {
                (self.left, self.left_of_item) = (left, left_of_item);
                return Ok(read);
            }
            (None, _) => Exceeded::Part,
            (Some(_), None) => Exceeded::Item,
        };
        self.exceeded = Some(exceeded);
        Err(io::Error::other("more than is read"))
    }
}

/// What was seen of one part.
struct Scan {
    /// Whether this part names the workbook itself.
    is_package: bool,
    counts: HashMap<&'static str, u64>,
    sheets: u64,
    depth: usize,
    /// At which depth the cell or the text at hand began.
    item_depth: Option<usize>,
    /// Below the root.
    longest_tag: u64,
    bytes: u64,
}

impl Scan {
    fn new(is_package: bool) -> Self {
        let counts = HashMap::new();
        Self { is_package, counts, sheets: 0, depth: 0, item_depth: None, longest_tag: 0, bytes: 0 }
    }

    /// Reads elements to the end of the part, or to where it cannot be read as XML: there the library stops too.
    fn run<R: Read>(mut self, reader: &mut Reader<BufReader<Bounded<R>>>) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Start(tag)) => {
                    self.depth += 1;
                    self.see(&tag)?;
                    if matches!(tag.local_name().as_ref(), "c" | "si") {
                        self.item_depth.get_or_insert(self.depth);
                    }
                }
                Ok(Event::Empty(tag)) => {
                    self.depth += 1;
                    self.see(&tag)?;
                    self.depth -= 1;
                }
                Ok(Event::End(_)) => {
                    self.item_depth = self.item_depth.filter(|began| *began != self.depth);
                    self.depth = self.depth.saturating_sub(1);
                }
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                // The library would go on behind a tag that is closed by another one.
                Err(quick_xml::Error::IllFormed(error)) => return Err(damaged(&error)),
                Err(_unreadable) => return Ok(()),
            }
            self.bytes = reader.buffer_position();
            if self.describes_the_workbook() && self.bytes > STRUCTURE_BYTES {
                return Err(refused(format!(
                    "What describes the workbook is larger than {} MiB. {NEW_WORKBOOK}",
                    STRUCTURE_BYTES / (1024 * 1024)
                )));
            }
            if self.item_depth.is_none() {
                reader.get_mut().get_mut().left_of_item = ITEM_BYTES;
            }
        }
    }

    fn count(&self, element: &str) -> u64 {
        self.counts.get(element).copied().unwrap_or(0)
    }

    fn describes_the_workbook(&self) -> bool {
        self.sheets > 0 || ["definedName", "Relationship", "xf"].iter().any(|element| self.count(element) > 0)
    }

    fn see(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        if self.depth > DEPTH {
            return Err(damaged(&"its elements are nested too deep"));
        }
        let name = tag.local_name();
        let name: &str = name.as_ref();
        if let Some(Most { element, most, what }) = MOST.iter().find(|it| it.element == name) {
            let count = self.counts.entry(element).or_default();
            *count += 1;
            if *count > *most {
                return Err(too_many(*most, what));
            }
        }
        match name {
            "sst" => refuse_many_texts(tag)?,
            "sheet" => self.sheets += 1,
            "Relationship" => refuse_odd_target(tag, self.is_package)?,
            _ => {}
        }
        if self.sheets > SHEETS {
            return Err(too_many(SHEETS, "sheets"));
        }
        if self.depth > 1 {
            self.longest_tag = self.longest_tag.max(u64::try_from(tag.len()).unwrap_or(u64::MAX));
        }
        if self.count("xf").saturating_mul(self.longest_tag) > STYLE_BYTES {
            return Err(refused(format!("The cell styles of the workbook are too large. {NEW_WORKBOOK}")));
        }
        Ok(())
    }
}

/// Room is made for as many texts as the list says that it has.
fn refuse_many_texts(tag: &BytesStart<'_>) -> io::Result<()> {
    for behind in tag.attributes_raw().split("uniqueCount").skip(1) {
        let digits: String =
            behind.chars().skip_while(|it| !it.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        // A number too long to be read is a large one.
        if !digits.is_empty() && digits.parse::<u64>().unwrap_or(u64::MAX) > SHARED_TEXTS {
            return Err(too_many(SHARED_TEXTS, "different texts"));
        }
    }
    Ok(())
}

/// What is read as the workbook or as a sheet must be a part that is looked over here, and no sheet may pose as the workbook.
fn refuse_odd_target(tag: &BytesStart<'_>, is_package: bool) -> io::Result<()> {
    const READ: [&str; 4] = ["worksheet", "chartsheet", "dialogsheet", "officeDocument"];
    let (mut is_read, mut is_odd) = (false, false);
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| damaged(&error))?;
        let value = attribute.value.as_ref();
        match attribute.key.local_name().as_ref() {
            "Type" => is_read |= value.rsplit('/').next().is_some_and(|last| READ.contains(&last)),
            "Target" => {
                let poses = is_package && value.to_ascii_lowercase().contains("sheet");
                is_odd |= value.contains('&') || !has_extension(value, "xml") || poses;
            }
            _ => {}
        }
    }
    if is_read && is_odd { Err(damaged(&"odd relations")) } else { Ok(()) }
}

const NEW_WORKBOOK: &str = "Copy the rows into a new workbook, and send that.";

fn too_many(most: u64, what: &str) -> io::Error {
    refused(format!("The workbook has more than {} {what}. {NEW_WORKBOOK}", with_commas(most)))
}

fn refused(detail: String) -> io::Error {
    Refusal::into_io(Fault::of_file(1, "too_large", detail))
}

/// `2000000` as people write it.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests;
