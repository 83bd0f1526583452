//! RTF, compound files and winmail.dat that are cut, bent or built to hurt: each ends within its limits, and never in silence.

use super::office::{bytes, options};
use cpr_milter::content::{Budget, Content, Hint, Limits};
use cpr_milter::document;
use cpr_milter::inspect::inspect;
use cpr_milter::types::{DoubtKind, Report};
use std::time::{Duration, Instant};

const SEEDS: [&str; 15] = [
    "xlsb/hidden-sheet-px.xlsb",
    "rtf/runs-hand.rtf",
    "rtf/object-hand.rtf",
    "rtf/shift-jis-hand.rtf",
    "rtf/footnote-lo.rtf",
    "doc/body-lo.doc",
    "doc/object-as.doc",
    "xls/string-lo.xls",
    "xls/package-as.xls",
    "xls/continued-xw.xls",
    "msg/nested-as.msg",
    "msg/rtf-as.msg",
    "tnef/nested-own.dat",
    "tnef/rtf-own.dat",
    "tnef/recipient-own.dat",
];

fn tight() -> Limits {
    Limits {
        produced_bytes: 16 << 20,
        seconds: 10,
        ..Limits::default()
    }
}

fn report(bytes: &[u8]) -> Report {
    let mut options = options("fil");
    options.limits = tight();
    inspect(bytes, &options).expect("no identifiers")
}

/// All parts of a thing, to any depth.
fn walk(bytes: &[u8]) -> Duration {
    let start = Instant::now();
    assert!(report(bytes).parts <= tight().parts);
    start.elapsed()
}

fn read(bytes: &[u8]) -> Content<'_> {
    document::read(bytes, &Hint::default(), &mut Budget::new(tight()))
}

fn kinds(bytes: &[u8]) -> Vec<DoubtKind> {
    read(bytes).doubts.iter().map(|doubt| doubt.kind).collect()
}

struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn files_cut_anywhere_end_in_time() {
    for seed in SEEDS {
        let bytes = bytes(seed);
        for tenth in 0..24 {
            let cut = bytes.len() * tenth / 24;
            assert!(walk(&bytes[..cut]) < Duration::from_secs(11), "{seed} cut at {cut}");
        }
    }
}

#[test]
fn a_file_that_is_cut_is_never_silent() {
    for seed in SEEDS {
        let bytes = bytes(seed);
        for part in 1..48 {
            let cut = bytes.len() * part / 48;
            let report = report(&bytes[..cut]);
            // winmail.dat has no end mark: cut between two attributes it is whole, and the number is not in it.
            let gone = seed.starts_with("tnef") && !bytes[..cut].windows(3).any(|three| three == b"CPR");
            let silent = report.findings.is_empty() && report.doubts.is_empty() && !gone;
            assert!(!silent, "{seed} cut at {cut}");
        }
    }
}

#[test]
fn files_with_bent_bytes_end_in_time() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for seed in SEEDS {
        let good = bytes(seed);
        for round in 0..40 {
            let mut bent = good.clone();
            for _ in 0..1 + chance.next(12) {
                let at = chance.next(bent.len());
                bent[at] = match chance.next(4) {
                    0 => 0xff,
                    1 => 0,
                    _ => chance.next(256) as u8,
                };
            }
            assert!(walk(&bent) < Duration::from_secs(11), "{seed} round {round}");
        }
    }
}

#[test]
fn chains_that_loop_end() {
    let mut bytes = bytes("doc/body-lo.doc");
    // Every sector of the first table follows itself.
    let fat = 512 * (1 + u32::from_le_bytes(bytes[76..80].try_into().expect("four")) as usize);
    for sector in 0..128usize {
        let at = fat + 4 * sector;
        bytes[at..at + 4].copy_from_slice(&(sector as u32).to_le_bytes());
    }
    assert!(walk(&bytes) < Duration::from_secs(5));
    assert!(!kinds(&bytes).is_empty());
}

#[test]
fn a_stream_that_claims_to_be_huge_is_a_doubt() {
    let mut bytes = bytes("xls/string-lo.xls");
    let name: Vec<u8> = "Workbook".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entry = bytes
        .windows(name.len())
        .position(|window| window == name)
        .expect("its entry");
    bytes[entry + 120..entry + 124].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    assert!(kinds(&bytes).contains(&DoubtKind::Broken));
}

#[test]
fn a_compound_file_without_directory_is_still_searched() {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0xff);
    bytes.extend(b"CPR-nr. 010190-1234 ");
    let content = read(&bytes);
    assert!(content.views.iter().any(|view| view.text.contains("010190-1234")));
    assert!(kinds(&bytes).contains(&DoubtKind::Broken));
}

#[test]
fn groups_without_end_are_a_doubt() {
    let mut deep = b"{\\rtf1 ".to_vec();
    deep.extend(std::iter::repeat_n(b'{', 3 << 20));
    assert!(walk(&deep) < Duration::from_secs(5));
    assert!(kinds(&deep).contains(&DoubtKind::TooDeep));
    // What comes behind is still looked at.
    deep.extend(b"CPR-nr. 010190-1234");
    assert!(read(&deep).views.iter().any(|view| view.text.contains("010190-1234")));
}

#[test]
fn many_notes_and_many_escapes_end_in_time() {
    let notes = [b"{\\rtf1 ".to_vec(), b"a{\\footnote b}".repeat(200_000), b"}".to_vec()].concat();
    assert!(walk(&notes) < Duration::from_secs(10));
    let escapes = [
        b"{\\rtf1 ".to_vec(),
        b"\\'30\\u48?{\\v x}".repeat(200_000),
        b"}".to_vec(),
    ]
    .concat();
    assert!(walk(&escapes) < Duration::from_secs(10));
}

#[test]
fn counts_that_lie_do_not_make_work() {
    let mut file = b"\x78\x9f\x3e\x22\x01\x00".to_vec();
    let properties = [0xffu8, 0xff, 0xff, 0xff, 0x1f, 0x10, 0x37, 0x00, 0xff, 0xff, 0xff, 0xff];
    file.extend([1, 3, 0x90, 6, 0]);
    file.extend((properties.len() as u32).to_le_bytes());
    file.extend(properties);
    file.extend([0, 0]);
    assert!(walk(&file) < Duration::from_secs(2));
    assert!(kinds(&file).contains(&DoubtKind::Broken));
}

#[test]
fn one_string_in_many_cells_is_paid_for_each_time() {
    // A workbook of one string of 8,000 characters that 100,000 cells show.
    let record = |id: u16, data: &[u8]| {
        let mut out = id.to_le_bytes().to_vec();
        out.extend((data.len() as u16).to_le_bytes());
        out.extend(data);
        out
    };
    let bof = record(0x809, &[0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let text = vec![b'7'; 8000];
    let shared = [&[1, 0, 0, 0, 1, 0, 0, 0][..], &8000u16.to_le_bytes(), &[0], &text].concat();
    let at = bof.len() + 4 + 9 + record(0xfc, &shared).len() + 4;
    let sheet = [&(at as u32).to_le_bytes()[..], &[0, 0, 1, 0, b'A']].concat();
    let mut book = [
        bof.clone(),
        record(0x85, &sheet),
        record(0xfc, &shared),
        record(0x0a, &[]),
    ]
    .concat();
    assert_eq!(book.len(), at);
    book.extend(&bof);
    for row in 0..50_000u16 {
        book.extend(record(0xfd, &[&row.to_le_bytes()[..], &[0; 8]].concat()));
    }
    let file = compound(&[("Workbook", &book)]);
    assert!(kinds(&file).contains(&DoubtKind::TooLarge), "{:?}", kinds(&file));
}

/// A compound file of large streams, each in sectors of its own.
pub fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    let mut body = Vec::new();
    let mut fat: Vec<u32> = Vec::new();
    let mut entries = vec![("Root Entry", 5u8, END, 0, 1u32)];
    for (i, (name, data)) in streams.iter().enumerate() {
        assert!(data.len() >= 4096, "small streams stand elsewhere");
        let start = fat.len() as u32;
        body.extend_from_slice(data);
        body.resize(body.len().div_ceil(512) * 512, 0);
        fat.extend(start + 1..(body.len() / 512) as u32);
        fat.push(END);
        let next = if i + 1 < streams.len() { i as u32 + 2 } else { u32::MAX };
        entries.push((name, 2, start, data.len(), next));
    }
    let directory = fat.len() as u32;
    fat.push(END);
    for (i, (name, kind, start, size, link)) in entries.iter().enumerate() {
        let mut entry = vec![0u8; 128];
        for (i, unit) in name.encode_utf16().enumerate() {
            entry[2 * i..2 * i + 2].copy_from_slice(&unit.to_le_bytes());
        }
        entry[64] = 2 * name.len() as u8 + 2;
        entry[66] = *kind;
        entry[68..80].copy_from_slice(&[0xff; 12]);
        let slot = if i == 0 { 76 } else { 72 };
        entry[slot..slot + 4].copy_from_slice(&link.to_le_bytes());
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..124].copy_from_slice(&(*size as u32).to_le_bytes());
        body.extend(entry);
    }
    assert!(entries.len() <= 4, "the directory is one sector");
    body.resize(body.len().div_ceil(512) * 512, 0);
    let fats = (fat.len() + 1).div_ceil(127);
    let first = fat.len() as u32;
    fat.extend(std::iter::repeat_n(0xffff_fffd, fats));
    fat.resize(fats * 128, u32::MAX);
    let mut out = vec![0u8; 512];
    out[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    out[30..32].copy_from_slice(&9u16.to_le_bytes());
    let mut put = |at: usize, value: u32| out[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(48, directory);
    put(60, END);
    put(68, END);
    for i in 0..109u32 {
        put(
            76 + 4 * i as usize,
            if (i as usize) < fats { first + i } else { u32::MAX },
        );
    }
    out.extend(body);
    out.extend(fat.iter().flat_map(|n| n.to_le_bytes()));
    out
}
