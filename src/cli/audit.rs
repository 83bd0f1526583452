//! `cpr-milter audit`: is the trail whole, what does it say, and where has a number gone.

use super::people::canonical;
use super::table::{Said, minute, plain, table};
use crate::store::{Decider, Head, Sighting, Store, StoreError, Verified};
use std::io::{BufRead, Write};
use std::path::Path;

/// `audit verify [--head FILE]`. Exit status 1 for a broken trail.
pub fn verify(store: &Store, head_file: Option<&Path>) -> Said {
    let head = match head_file.map(read_head).transpose() {
        Ok(head) => head,
        Err(said) => return said,
    };
    match store.verify(head.as_ref()) {
        Ok(Verified::Sound(head)) => (
            format!("The audit trail is whole: {} records, {}.\n", head.seq, head.hash),
            0,
        ),
        Ok(Verified::Bad { seq, what }) => (format!("The audit trail is broken at record {seq}: {what}.\n"), 1),
        Err(error) => failed(&error),
    }
}

/// `audit head FILE`: writes the end of the trail down, for a place that somebody else guards. A head that is no longer
/// in the trail is not overwritten: it is the evidence.
pub fn head(store: &Store, file: &Path) -> Said {
    if file.exists() {
        let (text, status) = verify(store, Some(file));
        if status != 0 {
            return (text, status);
        }
    }
    let head = match store.head() {
        Ok(head) => head,
        Err(error) => return failed(&error),
    };
    let folder = file
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut new| {
        writeln!(new, "{head}")?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)
    });
    match written {
        Ok(_) => (format!("Record {} written to {}.\n", head.seq, file.display()), 0),
        Err(error) => (
            format!(
                "{} could not be written: {}; name a file in a folder that is there and that you may write\n",
                file.display(),
                error.kind()
            ),
            2,
        ),
    }
}

/// `audit export [--from N]`: JSON lines to `out`.
pub fn export(store: &Store, from: i64, out: &mut dyn Write) -> Said {
    match store.export(from, out) {
        Ok(_) => (String::new(), 0),
        Err(error) => failed(&error),
    }
}

/// `audit find`: one number on standard input. Exit status 1 when nothing is known of it.
pub fn find(store: &Store, input: &mut dyn BufRead, by: &Decider<'_>) -> Said {
    let mut line = zeroize::Zeroizing::new(String::new());
    if input.read_line(&mut line).is_err() {
        return ("standard input could not be read as text\n".to_owned(), 2);
    }
    let Some(number) = canonical(line.trim()) else {
        return ("standard input holds no CPR number\n".to_owned(), 2);
    };
    match store.find(&number, by) {
        Ok(found) if found.is_empty() => ("Nothing is known of this number.\n".to_owned(), 1),
        Ok(found) => (found.iter().map(described).collect::<Vec<_>>().join("\n"), 0),
        Err(error) => failed(&error),
    }
}

fn described(sighting: &Sighting) -> String {
    let summary = &sighting.summary;
    let states: Vec<String> = summary
        .states
        .iter()
        .map(|(state, n)| format!("{n} {}", state.word()))
        .collect();
    let states = if states.is_empty() {
        "not held".to_owned()
    } else {
        states.join(", ")
    };
    let mut out = format!(
        "{}  received {}, {}, ours: {states}\n",
        summary.id,
        minute(summary.received),
        sighting.confidence
    );
    if !sighting.places.is_empty() {
        out.push_str(&format!("  in: {}\n", plain(&sighting.places.join("; "))));
    }
    let outcomes = summary.facts.iter().flat_map(|facts| &facts.outcomes);
    let fate = |fate: crate::types::FateWord| format!("{fate:?}").to_lowercase();
    let rule = |outcome: &crate::types::Outcome| outcome.rule.as_ref().map_or_else(|| "-".to_owned(), |r| r.id.clone());
    let rows: Vec<Vec<String>> = outcomes
        .map(|o| vec![o.recipient.clone(), fate(o.fate), rule(o)])
        .collect();
    if !rows.is_empty() {
        out.push_str(&table(&["TO", "AT FIRST", "RULE"], &rows));
    }
    out
}

fn read_head(file: &Path) -> Result<Head, Said> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        (
            format!("the head file {} could not be read: {}\n", file.display(), error.kind()),
            2,
        )
    })?;
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .and_then(Head::parse);
    last.ok_or_else(|| {
        (
            format!("the head file {} holds no head (number, blank, hash)\n", file.display()),
            2,
        )
    })
}

fn failed(error: &StoreError) -> Said {
    (format!("{error}\n"), 2)
}
