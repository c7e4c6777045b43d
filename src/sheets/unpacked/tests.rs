//! Sizes of files as they stream in, in pieces of every length.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn size(file: &[u8], piece: usize) -> Option<u64> {
    let mut size = UnpackedSize::default();
    file.chunks(piece).for_each(|piece| size.see(piece));
    size.total()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(parts: &[usize]) -> Vec<u8> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (number, length) in parts.iter().enumerate() {
        archive.start_file(format!("xl/part{number}.xml"), SimpleFileOptions::default()).unwrap();
        archive.write_all(&vec![b'x'; *length]).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn the_unpacked_size_counts_however_the_file_is_packed() {
    let text = b"order_number\r\n1001\r\n".repeat(50_000);
    let length = u64::try_from(text.len()).unwrap();
    let two_members = [gzip(&text), gzip(b"1002\r\n")].concat();
    for piece in [1, 3, 1000, usize::MAX] {
        for (what, file, expected) in [
            ("nothing", Vec::new(), Some(0)),
            ("three bytes", b"PK\x03".to_vec(), Some(3)),
            ("text", text.get(..999).unwrap().to_vec(), Some(999)),
            ("gzip", gzip(&text), Some(length)),
            ("two members of gzip", two_members.clone(), Some(length + 6)),
            ("gzip cut short", gzip(&text).get(..900).unwrap().to_vec(), None),
            ("a workbook", archive(&[10, 900_000, 7]), Some(900_017)),
            ("a workbook cut short", archive(&[10, 900_000]).get(..300).unwrap().to_vec(), None),
            ("a workbook within gzip", gzip(&archive(&[10])), None),
        ] {
            assert_eq!(size(&file, piece), expected, "{what} in pieces of {piece}");
        }
    }
    assert_eq!(size(&archive(&vec![1; 2000]), 64), None, "a list longer than what is kept is not known");
}

#[test]
fn a_bomb_is_too_large_before_it_has_come_in() {
    let mut size = UnpackedSize::default();
    let bomb = gzip(&vec![0; 1 << 20]);
    let pieces = (0..=257).take_while(|_| {
        size.see(&bomb);
        !size.is_too_large()
    });
    assert_eq!(pieces.count(), 256);
    assert_eq!(size.total(), None);
}
