//! The house has floors, and imports go down only: this test reads every `crate::…` path in the source. The order of the
//! `pub mod` lines in `src/lib.rs` is the order of the house from the ground up; a module may name those before it.

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

/// The code without its comments, line breaks kept.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
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

/// Every import that goes up, sideways in a circle, or to a module that is not in the list.
fn upward(module: &str, text: &str, order: &BTreeMap<String, usize>) -> Vec<String> {
    let here = order[module];
    let code = without_comments(text);
    let mut wrong = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        for name in named(&code[at + "crate::".len()..]) {
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
        for line in upward(&first, &text, &order) {
            wrong.push(format!("{}: {line}", below.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_would_be_seen() {
    let order = order();
    assert_eq!(upward("cpr", "use crate::store::Store;", &order).len(), 1);
    assert_eq!(
        upward(
            "content",
            "use crate::{\n    cpr::{self, Cpr},\n    milter::run,\n};",
            &order
        )
        .len(),
        1
    );
    assert_eq!(upward("store", "    crate::nowhere::f();", &order).len(), 1);
    assert!(upward("milter", "use crate::store::Store; // crate::cli", &order).is_empty());
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
