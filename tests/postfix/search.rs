//! The search for made-up numbers in every byte that the suite produced: copies, notices, logs, the store and its
//! write-ahead log, what commands printed.

use crate::numbers::Planted;
use crate::play::Played;
use crate::reader::views;
use crate::story::Fate;
use crate::world::World;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::path::Path;

/// Where a number stands and must not.
pub fn leaks(world: &World, all: &[Played]) -> Vec<String> {
    let search = Search::new(all.iter().flat_map(|played| played.case.names.numbers.values()));
    let mut failures = Vec::new();
    for copy in world.sink.taken() {
        let id = copy.test_id().unwrap_or_default();
        let allowed = world.bare() || may_hold_numbers(all, &id, &copy.recipient());
        let mut views = if allowed {
            vec![copy.data.clone()]
        } else {
            views(&copy.data)
        };
        views.push(format!("{} {:?}", copy.mail, copy.rcpt).into_bytes());
        for owner in views.iter().flat_map(|view| search.all(view)) {
            let own = owner
                .split(' ')
                .next()
                .is_some_and(|case| id.starts_with(&format!("{case}.")));
            if !(allowed && own) {
                let what = if id.is_empty() { "a notice or report" } else { "a copy" };
                failures.push(format!("the number {owner} stands in {what} for {}", copy.recipient()));
            }
        }
    }
    if !world.bare() {
        failures.extend(
            search
                .all(&world.printed)
                .into_iter()
                .map(|owner| format!("a command printed {owner}")),
        );
    }
    search_folder(world.folder(), &search, &mut failures);
    failures.sort();
    failures.dedup();
    failures
}

fn may_hold_numbers(all: &[Played], id: &str, address: &str) -> bool {
    all.iter()
        .flat_map(|played| played.case.expectations(true))
        .any(|(expected, to, what)| {
            let (fate, closely) = what.parts();
            let keeps = closely.is_some_and(|closely| !closely.keeps.is_empty());
            expected == id
                && to.to_lowercase() == address.to_lowercase()
                && (fate == Fate::Delivered || (fate == Fate::Redacted && keeps))
        })
}

/// Logs, store, write-ahead log, configuration, whatever lies there.
fn search_folder(folder: &Path, search: &Search, failures: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            search_folder(&path, search, failures);
        } else if kind.is_file() {
            // A file that went in the meantime holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            failures.extend(
                search
                    .all(&bytes)
                    .into_iter()
                    .map(|owner| format!("{} holds {owner}", path.display())),
            );
        }
    }
}

/// All forms of many numbers at once.
pub struct Search {
    forms: HashMap<Vec<u8>, String>,
    pattern: Option<Regex>,
}

impl Search {
    pub fn new<'a>(numbers: impl Iterator<Item = &'a Planted>) -> Search {
        let forms: HashMap<Vec<u8>, String> = numbers
            .flat_map(|number| number.forms().into_iter().map(|form| (form, number.owner.clone())))
            .collect();
        let written: Vec<String> = forms
            .keys()
            .map(|form| form.iter().map(|b| format!(r"\x{b:02x}")).collect::<String>())
            .collect();
        let pattern = (!written.is_empty()).then(|| {
            let text = format!("(?-u:{})", written.join("|"));
            RegexBuilder::new(&text)
                .size_limit(1 << 28)
                .build()
                .expect("plain bytes")
        });
        Search { forms, pattern }
    }

    /// Whose numbers stand in there.
    pub fn all(&self, bytes: &[u8]) -> Vec<String> {
        let found = self.pattern.iter().flat_map(|pattern| pattern.find_iter(bytes));
        found.filter_map(|at| self.forms.get(at.as_bytes()).cloned()).collect()
    }

    /// One of them.
    pub fn first(&self, bytes: &[u8]) -> Option<String> {
        self.all(bytes).into_iter().next()
    }
}

#[test]
fn numbers_are_found_in_every_disguise_and_only_there() {
    let number = Planted::new("07", "cpr");
    let search = Search::new([&number].into_iter());
    let mut names = crate::text::Names::default();
    names.numbers.insert("cpr".to_owned(), number);
    let disguises = [
        "{cpr}",
        "{cpr:plain}",
        "x{base64|a long line before the number, so that it is wrapped {cpr} and some text after it}",
        "{base64|{gzip|a|{cpr}}}",
        "{base64|{zip|a|{utf16|{cpr}}}}",
        "{qp|{cpr}}",
        "<b>{cpr:first3}</b>{cpr:next3}-{cpr:serial}",
        "{cpr:date}=\n-{cpr:serial}",
    ];
    for disguise in disguises {
        let bytes = names.mail(&format!("Subject: x\n\n{disguise}\n"));
        assert!(
            views(&bytes).iter().any(|view| search.first(view).is_some()),
            "{disguise}"
        );
    }
    let clean = names.mail("Subject: x\n\n{cpr:date} {base64|{cpr:serial}} {fill|2K}");
    assert!(views(&clean).iter().all(|view| search.first(view).is_none()));
}
