//! Postfix's own tables, made and asked by Postfix's own program.

use super::{LONG, directory, members, policy};
use cpr_milter::config;
use cpr_milter::directory::{Directory, NoAnswer};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A folder with Postfix's configuration and a table, made by Postfix's own program.
struct Tables(tempfile::TempDir);

impl Tables {
    fn new() -> Tables {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("main.cf"), "compatibility_level = 3.6\n").expect("written");
        // Which types Postfix has beyond its own stands beside main.cf.
        let dynamic = Path::new("/etc/postfix/dynamicmaps.cf");
        if dynamic.exists() {
            fs::copy(dynamic, folder.path().join("dynamicmaps.cf")).expect("copied");
        }
        Tables(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, kind: &str, text: &str) -> String {
        fs::write(self.path("table"), text).expect("written");
        let spec = format!("{kind}:{}", self.path("table").display());
        if !["texthash", "regexp"].contains(&kind) {
            let made = Command::new("postmap").arg("-c").arg(self.0.path()).arg(&spec).status();
            assert!(made.expect("Debian's postfix").success(), "{spec}");
        }
        spec
    }

    fn directory(&self, spec: String, times: (u64, u64, u64)) -> config::Directory {
        config::Directory {
            postfix: Some(self.0.path().to_owned()),
            ..directory(None, &[("press", spec)], times)
        }
    }
}

const PRESS: &str = "Anna@avis.example\tyes\n\"a b\"@avis.example\tyes\nblad.example\tREJECT no\n\
                     .tv.example\tyes\n@radio.example\tyes\nrødovre.example\tyes\nxn--lsing-uua.example\tyes\n";

#[tokio::test]
async fn tables_of_every_kind_are_asked_as_postfix_asks_them() {
    let tables = Tables::new();
    let press = policy("table: press");
    let people = [
        ("anna@avis.example", true),
        ("ANNA@AVIS.EXAMPLE.", true),
        ("anna+tip@avis.example", true),
        ("\"A B\"@avis.example", true),
        ("bo@avis.example", false),
        ("x@blad.example", true),
        ("x@mail.blad.example", true),
        ("x@dr.tv.example", true),
        ("x@radio.example", true),
        ("x@rødovre.example", true),
        ("x@xn--rdovre-bya.example", true),
        ("x@post.example", false),
        ("<>", false),
        ("x%avis.example@kommune.example", false),
        ("x%blad.example@kommune.example", true),
        ("anna@[192.0.2.1]", false),
    ];
    let asked: Vec<&str> = people.iter().map(|(raw, _)| *raw).collect();
    let expected: Vec<bool> = people.iter().map(|(_, is_in)| *is_in).collect();
    for kind in ["hash", "btree", "texthash", "cdb"] {
        let directory = Directory::new(&tables.directory(tables.write(kind, PRESS), LONG)).expect("sound");
        assert_eq!(
            members(&directory, &press, &asked).await,
            Ok(expected.clone()),
            "{kind}"
        );
    }
    let spec = tables.write("regexp", "/avis\\.example$/ yes\n/^[^@]+$/ yes\n");
    let directory = Directory::new(&tables.directory(spec, LONG)).expect("sound");
    let asked = ["anna@avis.example", "x@post.example"];
    assert_eq!(
        members(&directory, &press, &asked).await,
        Ok(vec![true, false]),
        "patterns see whole addresses only"
    );
}

#[tokio::test]
async fn a_table_that_cannot_be_read_is_not_one_without_members() {
    let tables = Tables::new();
    let press = policy("table: press");
    let ask = async |spec: &str| {
        let directory = Directory::new(&tables.directory(spec.to_owned(), LONG)).expect("sound");
        members(&directory, &press, &["anna@avis.example"]).await
    };
    for (spec, why) in [
        (format!("hash:{}", tables.path("none").display()), "No such file"),
        (format!("texthash:{}", tables.path("none").display()), "No such file"),
        ("nonsense:x".to_owned(), "unsupported dictionary type"),
    ] {
        match ask(&spec).await {
            Err(NoAnswer::Silent(_, said)) => assert!(said.contains(why), "{spec}: {said}"),
            other => panic!("{spec}: {other:?}"),
        }
    }
    let other = config::Directory::default();
    let unknown = members(&Directory::new(&other).expect("sound"), &press, &["anna@avis.example"]).await;
    assert!(matches!(unknown, Err(NoAnswer::NotConfigured(..))), "{unknown:?}");
    let no_program = config::Directory {
        postmap: PathBuf::from("/nonexistent/postmap"),
        ..tables.directory(tables.write("hash", PRESS), LONG)
    };
    let unknown = members(
        &Directory::new(&no_program).expect("sound"),
        &press,
        &["anna@avis.example"],
    )
    .await;
    assert!(matches!(unknown, Err(NoAnswer::Silent(..))), "{unknown:?}");
}

#[tokio::test]
async fn the_last_answers_of_a_table_hold_to_their_limit() {
    let tables = Tables::new();
    let press = policy("table: press");
    let spec = tables.write("texthash", PRESS);
    let directory = Directory::new(&tables.directory(spec, (1, 4, 10))).expect("sound");
    let asked = ["anna@avis.example", "bo@avis.example"];
    assert_eq!(members(&directory, &press, &asked).await, Ok(vec![true, false]));
    fs::remove_file(tables.path("table")).expect("ours");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        members(&directory, &press, &asked).await,
        Ok(vec![true, false]),
        "known before"
    );
    let stranger = members(&directory, &press, &["ny@avis.example"]).await;
    assert!(stranger.is_err(), "nobody asked about this one before: {stranger:?}");
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let late = members(&directory, &press, &asked).await;
    assert!(late.is_err(), "too old: {late:?}");
    tables.write("texthash", "bo@avis.example yes\n");
    assert_eq!(
        members(&directory, &press, &asked).await,
        Ok(vec![false, true]),
        "mended"
    );
}

/// Any user of the machine reads command lines; and a program that hangs must not hold up mail for long.
#[tokio::test]
async fn addresses_stand_on_no_command_line_and_a_hanging_program_is_ended() {
    let tables = Tables::new();
    let press = policy("table: press");
    let program = |text: String| {
        let path = tables.path("program");
        let source = path.with_extension("txt");
        fs::write(&source, format!("#!/bin/sh\n{text}\n")).expect("written");
        // By another process, see `Slapd::start`.
        let mut install = std::process::Command::new("install");
        let done = install
            .args(["-m", "755"])
            .arg(&source)
            .arg(&path)
            .status()
            .expect("install runs");
        assert!(done.success());
        path
    };
    let (words, pid) = (tables.path("words"), tables.path("pid"));
    let config = config::Directory {
        postmap: program(format!("echo \"$@\" >{}\nexec postmap \"$@\"", words.display())),
        ..tables.directory(tables.write("hash", PRESS), LONG)
    };
    let asked = ["anna@avis.example"];
    let directory = Directory::new(&config).expect("sound");
    assert_eq!(members(&directory, &press, &asked).await, Ok(vec![true]));
    let words = fs::read_to_string(words).expect("it ran");
    assert!(words.contains("-q -") && !words.contains("avis"), "{words}");

    let config = config::Directory {
        postmap: program(format!("echo $$ >{}\nexec sleep 600", pid.display())),
        timeout_seconds: 2,
        ..config
    };
    let directory = Directory::new(&config).expect("sound");
    let began = Instant::now();
    let answer = members(&directory, &press, &asked).await;
    assert!(
        answer.is_err() && began.elapsed() < Duration::from_secs(20),
        "{answer:?}"
    );
    let pid = fs::read_to_string(pid).expect("it ran");
    let proc = Path::new("/proc").join(pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    while proc.exists() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!proc.exists(), "the program still runs");
}
