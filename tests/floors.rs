//! The house has floors, and imports go down only: this test reads every `crate::…` path in the source, and every
//! `super::…` that climbs as far. The order of the `pub mod` lines in `src/lib.rs` is the order of the house from the
//! ground up; a module may name those before it and none behind it, so that no circle can close.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules in the order of `lib.rs`.
fn order() -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(source("lib.rs")).expect("lib.rs");
    let modules = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned));
    modules.enumerate().map(|(i, name)| (name, i)).collect()
}

fn source(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(below)
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The code without its comments, line breaks kept. Only comments that rustfmt leaves alone on their line or behind a
/// space: `"https://…"` ends no line.
fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.trim_start().starts_with("//") {
        true => String::new(),
        false => line.split(" // ").next().unwrap_or_default().to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The top-level modules named in the code behind one `crate::`, braces over several lines included.
fn named(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(inner) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let (mut depth, mut pieces) = (1, vec![String::new()]);
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match c {
            _ if depth == 0 => break,
            ',' if depth == 1 => pieces.push(String::new()),
            _ => pieces.last_mut().expect("never empty").push(c),
        }
    }
    pieces
        .iter()
        .map(|piece| word(piece))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Where paths from the root of the crate begin: behind `crate::`, and behind as many `super::` as the module is deep.
fn roots(code: &str, depth: usize) -> Vec<usize> {
    let mut roots: Vec<usize> = code.match_indices("crate::").map(|(at, m)| at + m.len()).collect();
    for (at, step) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let steps = code[at..]
            .split("super::")
            .skip(1)
            .position(|between| !between.is_empty());
        let steps = steps.map_or(1, |n| n + 1);
        // rustfmt writes a module within the file from the first column to the first column.
        let before = &code[..at];
        let opened = before.rfind("\nmod ").max(before.rfind("\npub mod "));
        let inline = opened.is_some_and(|at| before[at..].contains('{') && !before[at..].contains("\n}"));
        if steps >= depth + usize::from(inline) {
            roots.push(at + steps * step.len());
        }
    }
    roots
}

/// Every import that goes up, sideways in a circle, or to a module that is not in the list. `depth`: of the file's
/// module, 1 for `src/cpr/mod.rs`, 2 for `src/cpr/date.rs`.
fn upward(module: &str, depth: usize, text: &str, order: &BTreeMap<String, usize>) -> Vec<String> {
    let here = order[module];
    let code = without_comments(text);
    let mut wrong = Vec::new();
    for at in roots(&code, depth) {
        let line = code[..at].matches('\n').count() + 1;
        for name in named(&code[at..]) {
            match order.get(&name) {
                Some(&there) if there <= here => {}
                Some(_) => wrong.push(format!("line {line}: names `{name}`, which is above it")),
                None => wrong.push(format!("line {line}: `{name}` is no module of lib.rs")),
            }
        }
    }
    wrong
}

#[test]
fn imports_go_down_only() {
    let order = order();
    assert!(order.len() >= 14, "lib.rs lists the modules one a line: {order:?}");
    let mut files = Vec::new();
    rust_files(&source(""), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let below = file.strip_prefix(source("")).expect("below src");
        let first = below
            .iter()
            .next()
            .expect("a name")
            .to_string_lossy()
            .replace(".rs", "");
        if first == "lib" || first == "main" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("source");
        let names_itself = below.ends_with("mod.rs");
        let depth = below.iter().count() - usize::from(names_itself);
        for line in upward(&first, depth, &text, &order) {
            wrong.push(format!("{}: {line}", below.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_would_be_seen() {
    let order = order();
    assert_eq!(upward("cpr", 1, "use crate::store::Store;", &order).len(), 1);
    assert_eq!(
        upward(
            "content",
            1,
            "use crate::{\n    cpr::{self, Cpr},\n    milter::run,\n};",
            &order
        )
        .len(),
        1
    );
    assert_eq!(upward("store", 1, "    crate::nowhere::f();", &order).len(), 1);
    assert_eq!(upward("store", 1, "use crate::*;", &order).len(), 1);
    assert!(upward("milter", 1, "use crate::store::Store; // crate::cli", &order).is_empty());
    let hidden = r#"let url = "http://x"; crate::cli::f(url);"#;
    assert_eq!(upward("store", 1, hidden, &order).len(), 1);
}

#[test]
fn an_import_by_way_of_super_would_be_seen() {
    let order = order();
    let seen = |depth, text| upward("cpr", depth, text, &order).len();
    assert_eq!(seen(1, "use super::store::Store;"), 1);
    assert_eq!(seen(2, "use super::super::{store::Store, milter};"), 2);
    assert_eq!(seen(2, "use super::store::Store;"), 0, "this is crate::cpr::store");
    assert_eq!(seen(1, "\nmod tests {\n    use super::*;\n}\n"), 0);
    assert_eq!(seen(1, "\nmod tests {\n    use super::super::store;\n}\n"), 1);
    assert_eq!(seen(1, "\nmod tests {\n}\nuse super::store;\n"), 1);
}

#[test]
fn a_circle_would_be_seen_whichever_of_the_two_closes_it() {
    let order = order();
    for (one, other) in [("store", "courier"), ("cpr", "types"), ("inspect", "worker")] {
        let there = upward(one, 1, &format!("use crate::{other}::A;"), &order).len();
        let back = upward(other, 1, &format!("use crate::{one}::B;"), &order).len();
        assert_eq!(there + back, 1, "{one} and {other}");
    }
}

#[test]
fn no_indymilter_outside_the_milter_and_no_async_on_the_lower_floors() {
    let mut files = Vec::new();
    rust_files(&source(""), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("source");
        let path = file
            .strip_prefix(source(""))
            .expect("below src")
            .to_string_lossy()
            .into_owned();
        let code: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let code = code.join("\n");
        if !path.starts_with("milter/") {
            assert!(!code.contains("indymilter::"), "{path} names indymilter");
        }
        let floors = ["cpr", "types", "policy", "content", "message", "document"];
        if floors.iter().any(|floor| path.starts_with(floor)) {
            assert!(
                !code.contains("async fn") && !code.contains("tokio::"),
                "{path} is asynchronous"
            );
            assert!(
                !code.contains("std::fs") && !code.contains("std::net::Tcp"),
                "{path} reaches for the world"
            );
        }
    }
}
