//! The same archives and pictures cut short and with bits turned: each ends within its limits, and what was lost is a doubt.

use super::collection::{bytes, options, report, rows};
use cpr_milter::config::Ocr;
use cpr_milter::content::{Budget, Changes, Hint, Limits};
use cpr_milter::document;
use cpr_milter::inspect::Options;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn alone(file: &str) -> Options {
    let mut options = options(file);
    options.programs.ocr = Ocr::Off;
    options.programs.bsdtar = PathBuf::from("/nowhere/bsdtar");
    options.limits.produced_bytes = 8 << 20;
    options
}

/// All files of both folders but the bombs, which take their time to reach the limit.
fn samples() -> Vec<(String, String, Vec<u8>)> {
    let mut samples = Vec::new();
    for folder in ["archives", "images"] {
        for row in rows(folder).iter().filter(|row| !row.file.starts_with("bomb")) {
            samples.push((row.file.clone(), row.digits.clone(), bytes(folder, &row.file)));
        }
    }
    samples
}

#[test]
fn a_file_cut_short_is_found_or_doubted() {
    let mut silent = Vec::new();
    // A text that is cut short is a shorter text: nothing tells.
    let all = samples();
    // And what stands behind an archive can be missing without anybody seeing it.
    let told = |file: &str| !matches!(file, "mails.mbox" | "behind.tar");
    for (file, digits, whole) in all.iter().filter(|(file, digits, _)| !digits.is_empty() && told(file)) {
        for part in 1..16 {
            let cut = whole.len() * part / 16;
            if cut < 16 {
                continue;
            }
            let started = Instant::now();
            let report = report(&whole[..cut], &alone(file));
            assert!(started.elapsed() < Duration::from_secs(20), "{file} cut at {cut}");
            let found = report.findings.iter().any(|f| f.number.reveal() == digits);
            if !found && report.doubts.is_empty() {
                silent.push(format!("{file} cut at {cut} of {}", whole.len()));
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn turned_bits_end_within_their_limits() {
    for (file, _, whole) in samples() {
        for turn in 0..24usize {
            let mut bytes = whole.clone();
            // Headers are at the start and at the end; the rest is spread.
            let at = match turn % 3 {
                0 => turn * 7 % bytes.len().min(600),
                1 => bytes.len() - 1 - turn * 5 % bytes.len().min(200),
                _ => (turn * 7919 + 13) % bytes.len(),
            };
            bytes[at] ^= 1 << (turn % 8);
            let hint = Hint {
                attachment: true,
                ..Hint::default()
            };
            let limits = Limits {
                produced_bytes: 8 << 20,
                ..Limits::default()
            };
            let started = Instant::now();
            let content = document::read(&bytes, &hint, &mut Budget::new(limits));
            let children = content
                .children
                .iter()
                .enumerate()
                .filter(|(_, child)| !child.alternative);
            let changes = Changes {
                texts: Vec::new(),
                children: children.map(|(i, _)| (i, b"new".to_vec())).collect(),
            };
            // Whether it can be rebuilt does not matter; that it ends does.
            let _ = document::rebuild(&bytes, &hint, &content, changes);
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{file} with a bit turned at {at}"
            );
        }
    }
}

#[test]
fn few_bytes_do_not_become_many() {
    for file in ["bomb.bz2", "bomb.xz", "bomb.zst", "bomb.lz4", "bomb.lz", "bomb.lzma"] {
        let bomb = bytes("archives", file);
        let limits = Limits {
            produced_bytes: 3 << 20,
            ..Limits::default()
        };
        let content = document::read(&bomb, &Hint::default(), &mut Budget::new(limits));
        let produced: usize = content.children.iter().map(|child| child.bytes.len()).sum();
        assert!(produced <= (3 << 20) + (64 << 10), "{file}: {produced}");
        assert!(!content.doubts.is_empty(), "{file}");
    }
}

#[test]
fn holes_are_filled() {
    for file in ["sparse-gnu.tar", "sparse-0.0.tar", "sparse-0.1.tar", "sparse-1.0.tar"] {
        let archive = bytes("archives", file);
        let content = document::read(&archive, &Hint::default(), &mut Budget::new(Limits::default()));
        let child = content
            .children
            .iter()
            .find(|child| child.hint.name.as_deref() == Some("hul.txt"));
        let child = child.unwrap_or_else(|| panic!("{file} has the file under its name"));
        assert_eq!(child.bytes.len(), 1 << 19, "{file}");
        assert!(child.bytes.starts_with(b"begynder her\n\0"), "{file}");
        assert!(child.bytes[1 << 18..].starts_with(b"Notat om borgeren"), "{file}");
    }
}
