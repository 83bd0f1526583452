//! Office documents that are bent, and those that must not be edited: each ends within its limits, as a doubt where programs
//! would read different things, and no text of any part falls out.

use super::office::{bytes, options};
use cpr_milter::content::Limits;
use cpr_milter::cpr::{IdKind, Secret};
use cpr_milter::inspect::{Options, inspect};
use cpr_milter::redact::{NotClean, Targets, redact};
use cpr_milter::types::{DoubtKind, Report, SealKind};
use proptest::prelude::*;
use std::io::{Cursor, Read, Write};
use std::time::{Duration, Instant};
use zip::write::SimpleFileOptions;

const NUMBER: &str = "010190-1234";
const TYPES: &str = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>";
const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut out);
    for (name, data) in parts {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .expect("started");
        archive.write_all(data).expect("written");
    }
    archive.finish().expect("finished");
    out.into_inner()
}

fn word(body: &str) -> Vec<u8> {
    let document = format!("<w:document xmlns:w='{WORD}'><w:body>{body}</w:body></w:document>");
    package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

fn excel(sheet: &str, strings: &str) -> Vec<u8> {
    let sheet = format!("<worksheet xmlns='{SHEET}'>{sheet}</worksheet>");
    package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        (
            "xl/sharedStrings.xml",
            format!("<sst xmlns='{SHEET}'>{strings}</sst>").as_bytes(),
        ),
    ])
}

fn odf(content: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'><office:body>{content}</office:body></office:document-content>"
    );
    let mut parts: Vec<(&str, &[u8])> = vec![
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content.as_bytes()),
    ];
    parts.extend_from_slice(more);
    package(&parts)
}

fn report_of(bytes: &[u8]) -> Report {
    inspect(bytes, &options("prøve")).expect("no identifiers")
}

fn kinds(report: &Report) -> Vec<DoubtKind> {
    let mut kinds: Vec<_> = report.doubts.iter().map(|doubt| doubt.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

fn found(report: &Report) -> usize {
    report
        .findings
        .iter()
        .filter(|f| f.number.reveal() == "0101901234")
        .count()
}

fn targets() -> Targets {
    [(IdKind::Cpr, Secret::new("0101901234".to_owned()))]
        .into_iter()
        .collect()
}

#[test]
fn no_text_of_any_part_falls_out() {
    let bodies = [
        format!("<w:p><w:r><w:t>{NUMBER}</w:t></w:r></w:p>"),
        format!("<w:unknown>{NUMBER}</w:unknown>"),
        format!("<w:p><w:r><w:unknown>{NUMBER}</w:unknown></w:r></w:p>"),
        format!("<w:unknown w:odd='{NUMBER}'/>"),
        format!("<w:id w:val='{NUMBER}'/>"),
        format!("<w:p><!-- {NUMBER} --></w:p>"),
        format!("<?odd {NUMBER}?>"),
        format!("<w:p><w:r><w:t><![CDATA[{NUMBER}]]></w:t></w:r></w:p>"),
        "<w:p><w:r><w:t>0&#49;&#x30;190-1234</w:t></w:r></w:p>".to_owned(),
        format!("<w:tbl><w:tr>{NUMBER}<w:tc/></w:tr></w:tbl>"),
        format!("</w:tr></w:tc><w:p><w:r><w:t>{NUMBER}</w:t></w:r></w:p>"),
        format!("<w:p><w:r><w:t>{NUMBER}</w:t>"),
        format!("<w:txbxContent><w:p><w:r><w:t>{NUMBER}"),
        format!("<w:p><w:del><w:ins><w:r><w:t>{NUMBER}</w:t></w:r></w:ins></w:del></w:p>"),
    ];
    for body in bodies {
        let bytes = word(&body);
        let report = report_of(&bytes);
        assert_eq!(found(&report), 1, "{body}");
        // Of another part, a foreign vocabulary, and another charset.
        let wide: Vec<u8> = "\u{feff}<?xml version='1.0' encoding='UTF-16'?><a>"
            .encode_utf16()
            .chain(NUMBER.encode_utf16())
            .chain("</a>".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for data in [format!("<a>{NUMBER}</a>").into_bytes(), wide] {
            let bytes = package(&[("[Content_Types].xml", TYPES.as_bytes()), ("odd/part.xml", &data)]);
            assert_eq!(found(&report_of(&bytes)), 1);
        }
    }
    let texts = [
        format!("<office:text><text:p xmlns:text='t'>{NUMBER}</text:p></office:text>"),
        format!("<office:text>{NUMBER}</office:text>"),
        format!("<office:text><text:notes><draw:page/></text:notes><text:p>{NUMBER}</text:p></office:text>"),
        format!("<office:text><draw:page><text:notes>{NUMBER}</text:notes></draw:page></office:text>"),
        format!("<office:text><text:p><draw:unknown draw:odd='{NUMBER}'/></text:p></office:text>"),
        format!("<office:text><table:table><table:table-row>{NUMBER}</table:table-row></table:table></office:text>"),
    ];
    for text in texts {
        assert_eq!(found(&report_of(&odf(&text, &[]))), 1, "{text}");
    }
}

#[test]
fn what_programs_read_differently_is_in_doubt() {
    let doctype = "<!DOCTYPE w:document [<!ENTITY a \"010190\"><!ENTITY b \"&a;&a;&a;&a;\">]><w:document xmlns:w='w'><w:p><w:r><w:t>&a;-1234 &b;</w:t></w:r></w:p></w:document>";
    let bytes = package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", doctype.as_bytes()),
    ]);
    assert_eq!(kinds(&report_of(&bytes)), [DoubtKind::Malformed]);
    let named = "<!DOCTYPE office:document-content PUBLIC \"-//OpenOffice.org//DTD OfficeDocument 1.0//EN\" \"office.dtd\"><a/>";
    assert!(kinds(&report_of(&odf("", &[("styles.xml", named.as_bytes())]))).is_empty());
    let own = "<!DOCTYPE a [<!ENTITY b \"010190\">]><a>&b;-1234</a>";
    assert_eq!(
        kinds(&report_of(&odf("", &[("styles.xml", own.as_bytes())]))),
        [DoubtKind::Malformed]
    );
    for body in ["<w:p><w:r></w:p></w:r>", "<w:p>", "<w:p></w:p></w:p>", "<w:p w:a='"] {
        assert_eq!(kinds(&report_of(&word(body))), [DoubtKind::Malformed], "{body}");
    }
    assert!(kinds(&report_of(&word("<w:p/>"))).is_empty());
}

#[test]
fn bombs_end_within_their_limits() {
    let deep = "<w:a>".repeat(300_000);
    let shut = "</w:a>".repeat(300_000);
    let many = "<w:p/>".repeat(500_000);
    let attributes: String = (0..200_000).map(|i| format!(" a{i}='{NUMBER}'")).collect();
    let columns: String = (0..200_000).map(|i| format!("<c r='XFD1'><v>{i}</v></c>")).collect();
    let hidden: String = (0..200_000)
        .map(|_| "<col min='1' max='4294967295' hidden='1'/>")
        .collect();
    let cells = "<row><c t='s'><v>0</v></c></row>".repeat(100_000);
    let long = format!("<si><t>{}</t></si>", "bred streng ".repeat(4_000));
    let lines = format!("<si><t>{}</t></si>", "a\n&amp;".repeat(200_000));
    let repeated = "<table:table><table:table-row table:number-rows-repeated='4294967295'><table:table-cell table:number-columns-repeated='4294967295'><text:p>1</text:p></table:table-cell></table:table-row></table:table>".repeat(2_000);
    let changes: String = (0..2_000).map(|_| "<text:changed-region text:id='a'><text:deletion><text:p>0101</text:p></text:deletion></text:changed-region><text:p><text:change text:change-id='a'/></text:p>").collect();
    let cases: [(&str, Vec<u8>, Option<DoubtKind>); 12] = [
        ("deep", word(&format!("{deep}{NUMBER}{shut}")), Some(DoubtKind::TooDeep)),
        ("deep and open", word(&deep), Some(DoubtKind::TooDeep)),
        ("many", word(&many), None),
        ("attributes", word(&format!("<w:p{attributes}/>")), None),
        ("long attribute", word(&format!("<w:p w:a='{}'/>", "0101 ".repeat(400_000))), None),
        ("columns", excel(&format!("<sheetData><row>{columns}</row></sheetData>"), ""), None),
        ("hidden columns", excel(&format!("<cols>{hidden}</cols><sheetData><row>{columns}</row></sheetData>"), ""), None),
        ("strings", excel(&format!("<sheetData>{cells}</sheetData>"), &long), Some(DoubtKind::TooLarge)),
        ("lines", excel("<sheetData><row><c t='s'><v>0</v></c></row></sheetData>", &lines), None),
        ("repeated", odf(&format!("<office:spreadsheet>{repeated}</office:spreadsheet>"), &[]), None),
        ("changes", odf(&format!("<office:text>{changes}</office:text>"), &[]), None),
        ("format", package(&[
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("xl/styles.xml", format!("<styleSheet><numFmts><numFmt numFmtId='200' formatCode='{}'/></numFmts><cellXfs><xf numFmtId='200'/></cellXfs></styleSheet>", "0".repeat(1_000_000)).as_bytes()),
            ("xl/worksheets/sheet1.xml", format!("<worksheet><sheetData><row>{}</row></sheetData></worksheet>", "<c><v>1</v></c>".repeat(20_000)).as_bytes()),
        ]), None),
    ];
    for (name, bytes, doubt) in cases {
        let started = Instant::now();
        // What compresses a thousandfold is told for that alone.
        let limits = Limits {
            ratio: 1_000_000,
            ..Limits::default()
        };
        let report = inspect(
            &bytes,
            &Options {
                limits,
                ..options(name)
            },
        )
        .expect("no identifiers");
        let took = started.elapsed();
        println!("{name}: {took:?}");
        assert!(took < Duration::from_secs(60), "{name} takes {took:?}");
        assert!(!kinds(&report).contains(&DoubtKind::TooSlow), "{name}");
        if let Some(doubt) = doubt {
            assert!(kinds(&report).contains(&doubt), "{name}: {:?}", kinds(&report));
        }
    }
}

#[test]
fn signed_documents_are_sealed_and_never_edited() {
    let body = format!("<w:document xmlns:w='{WORD}'><w:p><w:r><w:t>{NUMBER}</w:t></w:r></w:p></w:document>");
    let ooxml = package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", body.as_bytes()),
        ("_xmlsignatures/sig1.xml", b"<Signature/>"),
    ]);
    let text = format!("<office:text><text:p>{NUMBER}</text:p></office:text>");
    let open = odf(&text, &[("META-INF/documentsignatures.xml", b"<document-signatures/>")]);
    for bytes in [ooxml, open] {
        let report = report_of(&bytes);
        assert_eq!(found(&report), 1);
        assert_eq!(report.seals.first().map(|seal| seal.kind), Some(SealKind::Signed));
        assert!(matches!(
            redact(&bytes, &targets(), &options("s")),
            Err(NotClean::CannotEdit { .. })
        ));
    }
}

#[test]
fn an_encrypted_open_document_is_encrypted_and_nothing_else() {
    let manifest = "<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'><manifest:file-entry manifest:full-path='content.xml'><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let bytes = package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", manifest.as_bytes()),
        ("content.xml", &[0x9f, 0x01, 0xee, 0x00, 0x7b, 0x33, 0x81, 0x02]),
    ]);
    assert_eq!(kinds(&report_of(&bytes)), [DoubtKind::Encrypted]);
}

/// The text of one entry.
fn entry(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut text = String::new();
    archive
        .by_name(name)
        .expect("the entry")
        .read_to_string(&mut text)
        .expect("UTF-8");
    text
}

#[test]
fn a_number_cell_becomes_a_text_cell_and_a_cached_number_becomes_zeros() {
    let sheet = "<sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>CPR</t></is></c></row>\
                 <row r='2'><c r='A2' s='0'><v>101901234</v></c></row><row r='3'><c r='A3' t='n'><v>1.01901234E8</v></c></row></sheetData>";
    let redacted = redact(&excel(sheet, ""), &targets(), &options("s")).expect("clean");
    let after = entry(&redacted.bytes, "xl/worksheets/sheet1.xml");
    assert!(
        after.contains("<c t=\"str\" r='A2' s='0'><v>XXXXXXXXX</v></c>"),
        "{after}"
    );
    assert!(after.contains("<c r='A3' t='str'><v>X</v></c>"), "{after}");
    let chart = "<c:chartSpace xmlns:c='c'><c:tx><c:v>CPR-numre</c:v></c:tx><c:numCache><c:pt idx='0'><c:v>101901234</c:v></c:pt></c:numCache></c:chartSpace>";
    let bytes = package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("xl/charts/chart1.xml", chart.as_bytes()),
    ]);
    let redacted = redact(&bytes, &targets(), &options("s")).expect("clean");
    let after = entry(&redacted.bytes, "xl/charts/chart1.xml");
    assert!(after.contains("<c:v>000000000</c:v>"), "{after}");
}

#[test]
fn cells_that_share_a_string_are_places_of_their_own() {
    let sheet = "<sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='D1' t='s'><v>0</v></c></row><row r='9'><c r='B9' t='s'><v>0</v></c></row></sheetData>";
    let report = report_of(&excel(sheet, &format!("<si><t>Borger {NUMBER}</t></si>")));
    let places: Vec<String> = report.findings.iter().map(|f| f.place.location.to_string()).collect();
    let cell = |name: &str| format!("sheet sheet1.xml, cell {name}");
    assert_eq!(places, [cell("A1"), cell("D1"), cell("B9")]);
}

#[test]
fn sheets_that_would_be_called_the_same_are_not_redacted() {
    let workbook =
        "<workbook><sheets><sheet name='Borger 010190-1234'/><sheet name='Borger XXXXXX-XXXX'/></sheets></workbook>";
    let bytes = package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
    ]);
    assert!(matches!(
        redact(&bytes, &targets(), &options("s")),
        Err(NotClean::CannotEdit { .. })
    ));
}

#[test]
fn names_inside_the_archive_and_what_points_to_them_change_together() {
    let rels =
        format!("<Relationships><Relationship Id='rId1' Type='x/image' Target='media/{NUMBER}.txt'/></Relationships>");
    let media = format!("word/media/{NUMBER}.txt");
    let bytes = package(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("word/document.xml", b"<w:document xmlns:w='w'/>"),
        ("word/_rels/document.xml.rels", rels.as_bytes()),
        (&media, b"intet"),
    ]);
    let redacted = redact(&bytes, &targets(), &options("s")).expect("clean");
    assert_eq!(entry(&redacted.bytes, "word/media/XXXXXX-XXXX.txt"), "intet");
    assert!(entry(&redacted.bytes, "word/_rels/document.xml.rels").contains("media/XXXXXX-XXXX.txt"));
}

/// All entries of an archive.
fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .collect();
    let read = |name: String| {
        let mut data = Vec::new();
        archive
            .by_name(&name)
            .expect("the entry")
            .read_to_end(&mut data)
            .expect("data");
        (name, data)
    };
    names.into_iter().map(read).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn damaged_parts_are_read_and_redacted_or_refused(
        pick in any::<prop::sample::Index>(),
        part in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..8),
    ) {
        const FILES: [&str; 8] = [
            "docx/deleted-half-lo.docx", "docx/textbox-py.docx", "xlsx/number-format-hyphen-py.xlsx", "xlsx/pivot-numbers-py.xlsx",
            "pptx/table-lo.pptx", "odt/deleted-half-lo.odt", "ods/chart-numbers-lo.ods", "odp/notes-lo.odp",
        ];
        let mut all = entries(&bytes(FILES[pick.index(FILES.len())]));
        let xml: Vec<usize> = (0..all.len()).filter(|i| all[*i].0.ends_with(".xml") && !all[*i].1.is_empty()).collect();
        let data = &mut all[xml[part.index(xml.len())]].1;
        for (at, value, how) in &damage {
            let at = at.index(data.len());
            match how {
                0 => data[at] = *value,
                1 => data.insert(at, b"<>&\"'/;-"[usize::from(*value) % 8]),
                2 if data.len() > 1 => drop(data.remove(at)),
                _ => {
                    let end = (at + usize::from(*value)).min(data.len());
                    let piece = data[at..end].to_vec();
                    data.splice(at..at, piece);
                }
            }
        }
        let parts: Vec<(&str, &[u8])> = all.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
        let bytes = package(&parts);
        let report = report_of(&bytes);
        let targets: Targets = report.findings.iter().map(|f| (f.kind.clone(), f.number.clone())).collect();
        if let Ok(redacted) = redact(&bytes, &targets, &options("d")) {
            prop_assert!(redacted.report.findings.iter().all(|f| !targets.contains(&(f.kind.clone(), f.number.clone()))));
        }
    }
}
