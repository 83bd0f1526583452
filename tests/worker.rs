//! Workers that die, hang or lie: none of them may end in an empty report.

use cpr_milter::content::Limits;
use cpr_milter::inspect::{Input, Options};
use cpr_milter::redact::Targets;
use cpr_milter::worker::{Pool, PoolConfig, Uninspected};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn options() -> Options {
    Options {
        input: Input::Message,
        name: None,
        limits: Limits {
            seconds: 1,
            ..Limits::default()
        },
        today: time::macros::date!(2026 - 11 - 23),
        identifiers: Vec::new(),
        style: cpr_milter::types::Style::Box,
        programs: cpr_milter::config::Programs::default(),
    }
}

fn pool(program: PathBuf) -> Pool {
    Pool::new(PoolConfig {
        program,
        count: 1,
        mails: 200,
        memory: 2 << 30,
    })
}

/// A program that behaves as the shell lines say.
fn impostor(folder: &Path, lines: &str) -> PathBuf {
    let path = folder.join("worker.sh");
    let source = path.with_extension("txt");
    std::fs::write(&source, format!("#!/bin/sh\n{lines}\n")).expect("script");
    // By another process: a child that another test starts may hold what this one has open for writing, and it is then busy.
    let mut install = std::process::Command::new("install");
    let done = install
        .args(["-m", "755"])
        .arg(&source)
        .arg(&path)
        .status()
        .expect("install runs");
    assert!(done.success());
    path
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

const MAIL: &[u8] = b"From: a@kommune.example\r\nSubject: x\r\n\r\nhej\r\n";

#[tokio::test]
async fn a_real_worker_answers_many_times() {
    let pool = pool(PathBuf::from(env!("CARGO_BIN_EXE_cpr-milter")));
    for _ in 0..5 {
        let inspected = pool.inspect(MAIL, &options(), in_seconds(30)).await.expect("a report");
        assert!(inspected.report().parts > 0, "a mail that was read has parts");
        assert!(inspected.report().findings.is_empty());
    }
}

fn picture() -> (Vec<u8>, Options) {
    let file = "tests/data/documents/images/page.png";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let options = Options {
        input: Input::Document,
        limits: Limits::default(),
        ..options()
    };
    (std::fs::read(path).expect("a picture"), options)
}

#[tokio::test]
async fn a_confined_worker_reads_pictures() {
    if !Path::new("/usr/bin/tesseract").exists() {
        eprintln!("tesseract is not installed: pictures are not read");
        return;
    }
    let pool = pool(PathBuf::from(env!("CARGO_BIN_EXE_cpr-milter")));
    let (page, mut options) = picture();
    options.programs.ocr_seconds = 50;
    let inspected = pool.inspect(&page, &options, in_seconds(60)).await.expect("a report");
    let report = inspected.report();
    assert!(report.doubts.is_empty(), "{:?}", report.doubts);
    let [finding] = report.findings.as_slice() else {
        panic!("{:?}", report.findings);
    };
    // Its redaction has the words from the inspection, and reads the copy.
    let targets = Targets::from([(finding.kind.clone(), finding.number.clone())]);
    let copy = pool.redact(&page, &inspected, &targets, &options, in_seconds(60)).await;
    let copy = copy.expect("a clean copy");
    assert!(copy.bytes != page && copy.inspected.report().findings.is_empty());
}

#[tokio::test]
async fn a_program_that_hangs_is_a_doubt_and_the_worker_lives_on() {
    let folder = tempfile::tempdir().expect("folder");
    // The odd time makes the process known again.
    let script = "[ \"$1\" = --list-langs ] && echo dan && exit\nexec sleep 613.25";
    let pool = pool(PathBuf::from(env!("CARGO_BIN_EXE_cpr-milter")));
    let (page, mut options) = picture();
    options.programs.tesseract = impostor(folder.path(), script);
    options.programs.ocr_seconds = 2;
    let inspected = pool.inspect(&page, &options, in_seconds(60)).await.expect("a report");
    let [doubt] = inspected.report().doubts.as_slice() else {
        panic!("{:?}", inspected.report().doubts);
    };
    assert_eq!(doubt.kind, cpr_milter::types::DoubtKind::NotOcred);
    assert!(doubt.reason.contains("longer"), "{}", doubt.reason);
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    assert!(
        !lines.into_iter().any(|line| line.ends_with(b"613.25\0")),
        "it was killed"
    );
    let again = pool.inspect(MAIL, &self::options(), in_seconds(30)).await;
    assert!(again.is_ok_and(|inspected| inspected.report().doubts.is_empty()));
}

/// A map of every byte took more than the memory of a worker, which died of it.
#[tokio::test]
async fn a_large_file_of_no_known_kind_does_not_fill_the_worker() {
    let mut seed = 4u64;
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()
    })
    .take(20 << 17)
    .flatten()
    .collect();
    bytes[..4].copy_from_slice(b"\0\x01\x02\x03");
    let at = bytes.len() / 2;
    bytes[at..at + 18].copy_from_slice(b"\0CPR: 010190-1234\0");
    let (_, options) = picture();
    let pool = pool(PathBuf::from(env!("CARGO_BIN_EXE_cpr-milter")));
    let inspected = pool.inspect(&bytes, &options, in_seconds(90)).await.expect("a report");
    let report = inspected.report();
    assert!(report.findings.iter().any(|f| f.number.reveal() == "0101901234"));
    assert!(
        report
            .doubts
            .iter()
            .any(|d| d.kind == cpr_milter::types::DoubtKind::Unread)
    );
}

#[tokio::test]
async fn a_worker_that_dies_is_no_empty_report() {
    let folder = tempfile::tempdir().expect("folder");
    let log = folder.path().join("starts");
    let pool = pool(impostor(
        folder.path(),
        &format!("echo start >> {}; exit 0", log.display()),
    ));
    let answer = pool.inspect(MAIL, &options(), in_seconds(30)).await;
    assert!(matches!(answer, Err(Uninspected::Crashed(_))), "{answer:?}");
    let starts = std::fs::read_to_string(log).expect("log");
    assert_eq!(
        starts.lines().count(),
        2,
        "one more try with a fresh worker, and no third"
    );
}

#[tokio::test]
async fn a_worker_that_answers_nonsense_is_no_empty_report() {
    let folder = tempfile::tempdir().expect("folder");
    // A frame of one byte head, no body: postcard variant 0 is a report, but it ends there.
    let pool = pool(impostor(
        folder.path(),
        r"printf '\001\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'; cat >/dev/null",
    ));
    let answer = pool.inspect(MAIL, &options(), in_seconds(30)).await;
    assert!(matches!(answer, Err(Uninspected::Crashed(_))), "{answer:?}");
}

#[tokio::test]
async fn a_worker_that_claims_an_endless_answer_is_cut_off() {
    let folder = tempfile::tempdir().expect("folder");
    let pool = pool(impostor(
        folder.path(),
        r"printf '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\177'; cat >/dev/null",
    ));
    let answer = pool.inspect(MAIL, &options(), in_seconds(30)).await;
    assert!(matches!(answer, Err(Uninspected::Crashed(_))), "{answer:?}");
}

#[tokio::test]
async fn a_worker_that_hangs_is_late_and_killed() {
    let folder = tempfile::tempdir().expect("folder");
    let pid = folder.path().join("pid");
    let pool = pool(impostor(
        folder.path(),
        &format!("echo $$ > {}; exec sleep 600", pid.display()),
    ));
    let answer = pool.inspect(MAIL, &options(), in_seconds(60)).await;
    assert!(matches!(answer, Err(Uninspected::Late)), "{answer:?}");
    let pid = std::fs::read_to_string(pid).expect("pid");
    let process = PathBuf::from(format!("/proc/{}/cmdline", pid.trim()));
    for _ in 0..50 {
        if std::fs::read(&process).unwrap_or_default().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the hung worker still runs");
}

#[tokio::test]
async fn the_deadline_of_the_message_is_not_the_fault_of_the_mail() {
    let folder = tempfile::tempdir().expect("folder");
    let pool = pool(impostor(folder.path(), "exec sleep 600"));
    let answer = pool.inspect(MAIL, &options(), in_seconds(1)).await;
    assert!(matches!(answer, Err(Uninspected::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_missing_program_is_unavailable() {
    let answer = pool(PathBuf::from("/nowhere/cpr-milter"))
        .inspect(MAIL, &options(), in_seconds(5))
        .await;
    assert!(matches!(answer, Err(Uninspected::Unavailable(_))), "{answer:?}");
}
