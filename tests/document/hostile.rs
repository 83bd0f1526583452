//! Bombs and loops that cross the formats: each file ends within its limits, and what was not read is a doubt. Those of one format alone
//! stand beside its other hostile tests.

use super::collection::{bytes, options};
use cpr_milter::config::Ocr;
use cpr_milter::content::Limits;
use cpr_milter::inspect::{Options, inspect};
use cpr_milter::types::{DoubtKind, Report};
use std::io::{Cursor, Write};
use std::time::{Duration, Instant};
use zip::write::SimpleFileOptions;

const NUMBER: &str = "CPR 010190-1234";
/// Of an unoptimised build on a busy machine; the product's own goal is ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

fn without_ocr(name: &str) -> Options {
    let mut options = options(name);
    options.programs.ocr = Ocr::Off;
    options
}

/// Reads under the limits of the product.
fn soon(name: &str, bytes: &[u8]) -> Report {
    with_limits(name, bytes, Limits::default())
}

fn with_limits(name: &str, bytes: &[u8], limits: Limits) -> Report {
    let options = Options {
        limits,
        ..without_ocr(name)
    };
    let started = Instant::now();
    let report = inspect(bytes, &options).expect("no identifiers");
    let took = started.elapsed();
    println!("{name}: {} bytes, {took:.2?}", bytes.len());
    assert!(took < PATIENCE, "{name} took {took:?}");
    report
}

fn has(report: &Report, kind: DoubtKind) -> bool {
    report.doubts.iter().any(|doubt| doubt.kind == kind)
}

fn found(report: &Report) -> bool {
    report.findings.iter().any(|f| f.number.reveal() == "0101901234")
}

fn zipped(entries: &[(String, &[u8])]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut out);
    for (name, data) in entries {
        archive.start_file(name, SimpleFileOptions::default()).expect("started");
        archive.write_all(data).expect("written");
    }
    archive.finish().expect("finished");
    out.into_inner()
}

fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("written");
    encoder.finish().expect("finished")
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("written");
    encoder.finish().expect("finished")
}

#[test]
fn an_archive_of_archives_of_archives_ends_at_the_limit() {
    // As 42.zip: sixteen of the last layer in each, five layers, four megabytes in each of the million at the bottom.
    let tight = Limits {
        produced_bytes: 20 << 20,
        ..Limits::default()
    };
    let mut layer = zipped(&[("0.dll".to_owned(), &vec![0; 4 << 20])]);
    for _ in 0..5 {
        let entries: Vec<(String, &[u8])> = (0..16).map(|i| (format!("lib {i:x}.zip"), layer.as_slice())).collect();
        layer = zipped(&entries);
    }
    let report = with_limits("42.zip", &layer, tight);
    assert!(has(&report, DoubtKind::TooLarge), "{:?}", report.doubts);
}

#[test]
fn a_file_packed_a_hundred_times_is_too_deep() {
    let mut packed = NUMBER.as_bytes().to_vec();
    for _ in 0..100 {
        packed = gzipped(&packed);
    }
    assert!(has(&soon("a.gz", &packed), DoubtKind::TooDeep));
    // Within the limit it is read.
    let mut packed = NUMBER.as_bytes().to_vec();
    for _ in 0..20 {
        packed = gzipped(&packed);
    }
    assert!(found(&soon("a.gz", &packed)));
}

#[test]
fn a_bomb_in_a_bomb_is_paid_for_twice_and_no_more() {
    // Tight, since this is about where it ends and not about how long an unoptimised build looks at zeros.
    let tight = Limits {
        produced_bytes: 3 << 20,
        ..Limits::default()
    };
    let twice = gzipped(&gzipped(&vec![0; 80 << 20]));
    assert!(twice.len() < 10_000);
    let bomb = bytes("archives", "bomb.7z");
    for (name, bytes) in [("a.gz", &twice), ("bomb.7z", &bomb)] {
        assert!(has(&with_limits(name, bytes, tight.clone()), DoubtKind::TooLarge));
    }
}

#[test]
fn a_hole_that_is_larger_than_the_disk_is_not_filled() {
    let archive = bytes("archives", "sparse-gnu.tar");
    // The real size of an old GNU sparse entry: twelve octal digits at 483; so large in binary, too.
    for size in [&b"77777777777\0"[..], b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"] {
        let mut bent = archive.clone();
        let header = (0..bent.len() / 512)
            .map(|block| block * 512)
            .find(|at| bent[at + 156] == b'S');
        let header = header.expect("a sparse entry");
        bent[header + 483..header + 495].copy_from_slice(size);
        bent[header + 148..header + 156].fill(b' ');
        let sum: u32 = bent[header..header + 512].iter().map(|byte| u32::from(*byte)).sum();
        bent[header + 148..header + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let report = soon("sparse.tar", &bent);
        assert!(!report.doubts.is_empty());
    }
}

#[test]
fn hundreds_of_thousands_of_tags_in_each_other_hide_nothing() {
    let html = format!("<html>{}{NUMBER}", "<b><i>".repeat(100_000));
    let report = soon("a.html", html.as_bytes());
    assert!(found(&report));
    let tables = format!("<html>{}{NUMBER}", "<table><tr><td>".repeat(60_000));
    let report = soon("a.html", tables.as_bytes());
    assert!(found(&report));
}

#[test]
fn hundreds_of_thousands_of_groups_hide_nothing() {
    let rtf = format!("{{\\rtf1 {}{NUMBER}}}", "{\\b x}".repeat(300_000));
    assert!(found(&soon("a.rtf", rtf.as_bytes())));
    let deep = format!("{{\\rtf1 {}{NUMBER}{}}}", "{\\b ".repeat(200_000), "}".repeat(200_000));
    let report = soon("a.rtf", deep.as_bytes());
    assert!(has(&report, DoubtKind::TooDeep) && found(&report));
}

#[test]
fn entities_that_grow_are_not_expanded() {
    let laughs: String = (1..20)
        .map(|i| format!("<!ENTITY a{i} \"{}\">", format!("&a{};", i - 1).repeat(10)))
        .collect();
    let laughs = format!("<!DOCTYPE x [<!ENTITY a0 \"0101\">{laughs}]>");
    let quadratic = format!("<!DOCTYPE x [<!ENTITY a19 \"{}\">]>", "01".repeat(50_000));
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    for doctype in [laughs, quadratic] {
        let body = format!("<p>{NUMBER} {}</p>", "&a19;".repeat(50_000));
        let xml = format!("<?xml version='1.0'?>{doctype}<document>{body}</document>");
        let entries = [
            ("[Content_Types].xml".to_owned(), types.as_bytes()),
            ("word/document.xml".to_owned(), xml.as_bytes()),
        ];
        let report = soon("a.docx", &zipped(&entries));
        assert!(has(&report, DoubtKind::Malformed) && found(&report));
        assert!(found(&soon("a.xml", xml.as_bytes())));
    }
}

#[test]
fn a_sheet_costs_what_stands_in_it_and_not_its_dimension() {
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
    let rows: String = (1..=64)
        .map(|i| format!("<row r='{}'><c r='XFD{}'><v>{i}</v></c></row>", i * 16_384, i * 16_384))
        .collect();
    let sheet = format!(
        "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><dimension ref='A1:XFD1048576'/>\
         <cols><col min='1' max='16384' hidden='1'/></cols><sheetData>{rows}<row r='4294967295'>\
         <c r='ZZZZZZZZ99999999999' t='inlineStr'><is><t>{NUMBER}</t></is></c></row></sheetData>\
         <mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells></worksheet>"
    );
    let entries = [
        ("[Content_Types].xml".to_owned(), types.as_bytes()),
        ("xl/worksheets/sheet1.xml".to_owned(), sheet.as_bytes()),
    ];
    let report = soon("a.xlsx", &zipped(&entries));
    assert!(found(&report));
}

#[test]
fn a_directory_of_a_picture_that_points_to_itself_ends() {
    // One entry, the size of the directory next; then the same directory again; EXIF and GPS directories that are it, too.
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend(3u16.to_le_bytes());
    for tag in [0x8769u16, 0x8825, 0x014a] {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(4u16.to_le_bytes());
        tiff.extend(1u32.to_le_bytes());
        tiff.extend(8u32.to_le_bytes());
    }
    tiff.extend(8u32.to_le_bytes());
    tiff.extend(NUMBER.as_bytes());
    assert!(found(&soon("a.tif", &tiff)));
    let segment = [b"Exif\0\0".as_slice(), &tiff].concat();
    let length = u16::try_from(segment.len() + 2).expect("short").to_be_bytes();
    let jpeg = [b"\xff\xd8\xff\xe1".as_slice(), &length, &segment, b"\xff\xd9"].concat();
    assert!(found(&soon("a.jpg", &jpeg)));
}

#[test]
fn a_picture_costs_what_it_holds_and_not_what_it_would_show() {
    let crc = |data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        crc.sum().to_be_bytes()
    };
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        [&length[..], &body, &crc(&body)].concat()
    };
    let side = 0x7fff_ffffu32.to_be_bytes();
    let head = [&side[..], &side, &[8, 6, 0, 0, 0]].concat();
    let text = chunk(
        b"zTXt",
        &[b"Comment\0\0".as_slice(), &deflated(NUMBER.as_bytes())].concat(),
    );
    let bomb = chunk(
        b"zTXt",
        &[b"Comment\0\0".as_slice(), &deflated(&vec![b'7'; 60 << 20])].concat(),
    );
    let png = |chunks: &[&[u8]]| {
        [
            b"\x89PNG\r\n\x1a\n".as_slice(),
            &chunk(b"IHDR", &head),
            &chunks.concat(),
        ]
        .concat()
    };
    let pixels = chunk(b"IDAT", &deflated(&[0; 1000]));
    let report = soon("a.png", &png(&[&text, &pixels, &chunk(b"IEND", b"")]));
    assert!(found(&report) && has(&report, DoubtKind::NotOcred));
    let report = soon("a.png", &png(&[&bomb, &pixels, &chunk(b"IEND", b"")]));
    assert!(has(&report, DoubtKind::TooLarge), "{:?}", report.doubts);
    // With OCR on nobody hands it to the program that would make the pixels.
    let report = inspect(&png(&[&text, &pixels]), &options("a.png")).expect("no identifiers");
    assert!(found(&report) && has(&report, DoubtKind::NotOcred));
}

#[test]
fn pages_of_a_database_that_lead_to_each_other_end() {
    for file in ["text.sqlite", "overflow.sqlite", "deleted.sqlite", "dropped.sqlite"] {
        let whole = bytes("archives", file);
        let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
        for target in [1u32, 2, 3] {
            // Chains of free and overflow pages begin with the next one; free pages are listed in the header, too.
            let mut bent = whole.clone();
            for start in (page..bent.len()).step_by(page) {
                bent[start..start + 4].copy_from_slice(&target.to_be_bytes());
            }
            bent[32..36].copy_from_slice(&target.to_be_bytes());
            bent[36..40].copy_from_slice(&u32::MAX.to_be_bytes());
            soon(file, &bent);
            // Every page an inner page whose children are that page.
            let mut bent = whole.clone();
            for start in (page..bent.len()).step_by(page) {
                bent[start] = 5;
                bent[start + 8..start + 12].copy_from_slice(&target.to_be_bytes());
                let first = usize::from(u16::from_be_bytes([bent[start + 12], bent[start + 13]]));
                if let Some(child) = bent.get_mut(start + first..start + first + 4) {
                    child.copy_from_slice(&target.to_be_bytes());
                }
            }
            soon(file, &bent);
        }
    }
}

#[test]
fn filters_of_a_stream_upon_each_other_end_at_the_limit() {
    let head = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
                3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n";
    let twice = deflated(&deflated(&vec![b' '; 60 << 20]));
    let whole = "/DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 /BitsPerComponent 16 >>";
    let cases = [
        ("/Filter [/FlateDecode /FlateDecode]".to_owned(), twice.clone()),
        (format!("/Filter /FlateDecode {whole}"), deflated(NUMBER.as_bytes())),
        (format!("/Filter [{}]", "/FlateDecode ".repeat(5000)), twice),
        (
            "/Filter [/RunLengthDecode /RunLengthDecode]".to_owned(),
            vec![0x81; 200_000],
        ),
    ];
    for (dict, data) in cases {
        let mut file = format!("{head}4 0 obj\n<< {dict} /Length {} >>\nstream\n", data.len()).into_bytes();
        file.extend(data);
        file.extend(b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n");
        let report = soon("a.pdf", &file);
        assert!(!report.doubts.is_empty(), "{dict:.60}");
    }
}

#[test]
fn parts_within_parts_without_end_are_too_deep() {
    let mut mail = String::new();
    for i in 0..20_000 {
        mail.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"
        ));
    }
    mail.push_str(&format!("\r\n{NUMBER}\r\n"));
    let mut options = without_ocr("a.eml");
    options.input = cpr_milter::inspect::Input::Message;
    let started = Instant::now();
    let report = inspect(mail.as_bytes(), &options).expect("no identifiers");
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    assert!(has(&report, DoubtKind::TooDeep), "{:?}", report.doubts);
    let many = "From a Mon Nov 23 12:00:00 2026\r\nSubject: a\r\n\r\nb\r\n\r\n".repeat(20_000);
    assert!(has(&soon("a.mbox", many.as_bytes()), DoubtKind::TooLarge));
}
