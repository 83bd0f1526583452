//! Damaged and hostile PDF files: each ends within its limits, as a finding or a doubt, never as silence or a panic.
//!
//! `CPR_FUZZ_ROUNDS=20000 cargo test --test document pdf_hostile -- --nocapture` fuzzes for as long as one likes.

use super::pdf::{folder, options, report};
use cpr_milter::content::Limits;
use cpr_milter::inspect::{inspect, inspect_first};
use cpr_milter::redact::redact_seen;
use cpr_milter::types::{DoubtKind, Report};
use std::time::{Duration, Instant};

/// A file of these objects, numbered from 1; the first is the catalog.
fn file(objects: &[&str]) -> Vec<u8> {
    let objects: Vec<Vec<u8>> = objects.iter().map(|object| object.as_bytes().to_vec()).collect();
    raw_file(&objects)
}

pub fn raw_file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = String::new();
    for (number, object) in (1..).zip(objects) {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let (start, count) = (out.len(), objects.len() + 1);
    let tail = format!(
        "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    out.extend_from_slice(tail.as_bytes());
    out
}

pub fn stream(dict: &str, data: &str) -> String {
    format!("<< {dict} /Length {} >>\nstream\n{data}\nendstream", data.len())
}

pub fn packed(dict: &str, data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("in memory");
    let data = encoder.finish().expect("in memory");
    let mut out = format!("<< {dict} /Filter /FlateDecode /Length {} >>\nstream\n", data.len()).into_bytes();
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\nendstream");
    out
}

pub const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";
pub const PAGES: &str = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

/// Reads within the time, and says what of.
fn soon(bytes: &[u8]) -> Report {
    let start = Instant::now();
    let report = report(bytes);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        start.elapsed()
    );
    report
}

fn has(report: &Report, kind: DoubtKind) -> bool {
    report.doubts.iter().any(|doubt| doubt.kind == kind)
}

#[test]
fn trees_and_chains_that_bite_their_tails_come_to_an_end() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources 5 0 R /MediaBox 6 0 R >>";
    let cases = [
        file(&[CATALOG, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 /Parent 2 0 R >>"]),
        file(&[CATALOG, PAGES, "<< /Type /Page /Parent 3 0 R >>"]),
        file(&[CATALOG, PAGES, page, "4 0 R", "5 0 R", "6 0 R"]),
        file(&[
            CATALOG,
            PAGES,
            page,
            "[4 0 R 4 0 R]",
            "[5 0 R]",
            "[6 0 R 6 0 R 6 0 R 6 0 R]",
        ]),
        file(&["1 0 R", PAGES]),
        file(&[CATALOG, PAGES, page, "<< /Length 4 0 R >>\nstream\nBT\nendstream"]),
    ];
    for bytes in cases {
        soon(&bytes);
    }
    let text = String::from_utf8(file(&[CATALOG, PAGES, page])).expect("ASCII");
    let start = text.rfind("xref\n0").expect("a table");
    soon(
        text.replace("/Root 1 0 R", &format!("/Root 1 0 R /Prev {start}"))
            .as_bytes(),
    );
}

#[test]
fn forms_that_draw_each_other_are_drawn_within_the_limits() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>";
    let mut objects = vec![
        CATALOG.to_owned(),
        PAGES.to_owned(),
        page.to_owned(),
        stream("", "/F Do"),
    ];
    for next in 6..40 {
        let dict = format!("/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F {next} 0 R >> >>");
        objects.push(stream(&dict, "/F Do ".repeat(20).as_str()));
    }
    objects.push(stream(
        "/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >>",
        "/F Do",
    ));
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut options = options();
    options.limits.seconds = 5;
    let report = inspect(&file(&objects), &options).expect("no custom identifiers");
    assert!(start.elapsed() < Duration::from_secs(20));
    assert!(has(&report, DoubtKind::TooSlow), "{:?}", report.doubts);
}

#[test]
fn bombs_end_at_the_limit() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>";
    let mut objects: Vec<Vec<u8>> = [CATALOG, PAGES, page]
        .iter()
        .map(|object| object.as_bytes().to_vec())
        .collect();
    objects.push(packed("", &vec![b' '; 40 << 20]));
    assert!(has(&soon(&raw_file(&objects)), DoubtKind::TooLarge));
    // An object stream is unpacked while the file is loaded.
    objects.pop();
    objects.push(packed("/Type /ObjStm /N 1 /First 4", &vec![b' '; 300 << 20]));
    assert!(has(&soon(&raw_file(&objects)), DoubtKind::TooLarge));
    let mut options = options();
    options.limits = Limits {
        produced_bytes: 1 << 20,
        ..Limits::default()
    };
    let whole = std::fs::read(folder().join("chromium.pdf")).expect("a sample");
    let shown = b"BT /F1 12 Tf (et referat) Tj ET\n".repeat(60_000);
    objects.pop();
    objects.push(packed("", &shown));
    let report = inspect(&raw_file(&objects), &options).expect("no custom identifiers");
    assert!(has(&report, DoubtKind::TooLarge));
    assert!(
        inspect(&whole, &options)
            .expect("no custom identifiers")
            .doubts
            .is_empty()
    );
}

#[test]
fn tables_of_a_font_that_promise_everything_cost_nothing() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>";
    let cmap = "1 begincodespacerange <00000000> <ffffffff> endcodespacerange \
                1 beginbfrange <00000000> <ffffffff> <0030> endbfrange";
    let bytes = file(&[
        CATALOG,
        PAGES,
        page,
        &stream("", "BT /F 12 Tf (0101901234) Tj ET"),
        "<< /Type /Font /Subtype /Type0 /Encoding 7 0 R /ToUnicode 7 0 R /DescendantFonts [6 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType2 /W [0 4294967295 500 0 [1 2 3] 5] >>",
        &stream("", cmap),
    ]);
    soon(&bytes);
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>";
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let dicts = format!("{}{}", "<< /A ".repeat(100_000), ">>".repeat(100_000));
    let states = format!("{} BT /F1 9 Tf 9 9 Td (CPR 251248-9996) Tj ET", "q ".repeat(200_000));
    let marks = format!("{deep} 0 Td {dicts} {}", "/A BMC ".repeat(200_000));
    for content in [deep.clone(), dicts.clone(), states, marks] {
        soon(&file(&[
            CATALOG,
            PAGES,
            page,
            &stream("", &content),
            FONT,
            &deep,
            &dicts,
        ]));
    }
}

#[test]
fn numbers_without_measure_move_nothing() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 1e38 -1e38] /Resources << /Font << /F1 5 0 R >> >> >>";
    let wild = "1e308 9999999999999999999999999999999999999999999 0 0 0 0 cm 0 0 0 0 0 0 cm \
                BT /F1 99999999999999999999999999999999999999999999999999999999 Tf (CPR 251248-9996) Tj \
                /F1 0 Tf (x) Tj 1e400 1 Td (CPR 251248-9996) Tj ET";
    let bytes = file(&[CATALOG, PAGES, page, &stream("", wild), FONT]);
    let found = soon(&bytes);
    assert!(!found.findings.is_empty() || !found.doubts.is_empty());
}

#[test]
fn cutting_and_turning_bits_ends_in_a_finding_or_a_doubt() {
    let rounds: usize = std::env::var("CPR_FUZZ_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(6);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below.max(1) as u64) as usize
    };
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder")
        .flatten()
        .map(|e| e.path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pdf"));
    files.sort();
    // For the pictures of a file and of its copy.
    let mut options = options();
    options.programs.ocr_seconds = 4;
    for path in files {
        let whole = std::fs::read(&path).expect("a sample");
        for round in 0..rounds {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(next(whole.len())),
                1 => (0..=next(20)).for_each(|_| bytes[next(whole.len())] ^= 1 << next(8)),
                _ => {
                    let (from, to) = (next(whole.len()), next(whole.len()));
                    let piece = whole[from..(from + next(200)).min(whole.len())].to_vec();
                    bytes.splice(to..(to + next(100)).min(whole.len()), piece);
                }
            }
            let start = Instant::now();
            let (found, seen) = inspect_first(&bytes, &options).expect("no custom identifiers");
            let targets = found
                .findings
                .iter()
                .map(|f| (f.kind.clone(), f.number.clone()))
                .collect();
            // What is cut short was not read whole, and says so; the last bytes are only the end mark. The first version of
            // an updated file is whole by itself.
            let updated = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("update-"));
            let cut = round % 3 == 0 && bytes.len() + 8 < whole.len() && !updated;
            assert!(
                !cut || !found.doubts.is_empty() || !bytes.starts_with(b"%PDF-"),
                "{}: cut at {} in silence",
                path.display(),
                bytes.len()
            );
            let _ = redact_seen(&bytes, seen, &targets, &options);
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{}: round {round}",
                path.display()
            );
        }
    }
}

/// The drawn page shows nothing that OCR reads, and the recognised text says what stands in the picture.
#[test]
fn a_number_in_recognised_text_over_a_picture_that_nobody_painted_over_is_not_redacted() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 595 842] \
        /Resources << /Font << /F 5 0 R >> /XObject << /P 6 0 R >> >> >>";
    let text = "BT 3 Tr /F 12 Tf 60 300 Td (CPR-nr. 010190-1234 og mere) Tj ET";
    let rows = "/Type /XObject /Subtype /Image /Width 1200 /Height 1700";
    let jpeg2000 = stream(&format!("{rows} /Filter /JPXDecode"), "not a picture");
    let drawn = format!("q 595 0 0 842 0 0 cm /P Do Q {text}");
    let inline = format!(
        "q 595 0 0 842 0 0 cm BI /W 8 /H 8 /BPC 1 /CS /G ID {}\nEI Q {text}",
        "~".repeat(8)
    );
    for content in [drawn, inline] {
        let bytes = file(&[CATALOG, PAGES, page, &stream("", &content), FONT, &jpeg2000]);
        let found = report(&bytes);
        assert!(
            found.findings.iter().any(|finding| finding.hidden),
            "{:?}",
            found.doubts
        );
        let targets = found.findings.iter().map(|f| (f.kind.clone(), f.number.clone()));
        let copy = super::support::redact(&bytes, &targets.collect(), &options());
        assert!(copy.is_err(), "{content}");
    }
}

/// A browser's text is a mask, and what the mask shows is asked of its own mask in turn.
#[test]
fn masks_that_mask_each_other_come_to_an_end() {
    let page = "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 595 842] \
        /Resources << /XObject << /P 5 0 R >> >> >>";
    let image = |mask: &str| {
        let dict = "/Type /XObject /Subtype /Image /Width 40 /Height 40 /BitsPerComponent 8 /ColorSpace /DeviceGray";
        stream(&format!("{dict} /SMask {mask}"), &"~".repeat(1600))
    };
    let drawn = stream("", "q 595 0 0 842 0 0 cm /P Do Q");
    for (one, other) in [("5 0 R", "5 0 R"), ("6 0 R", "5 0 R"), ("6 0 R", "6 0 R")] {
        soon(&file(&[CATALOG, PAGES, page, &drawn, &image(one), &image(other)]));
    }
}
