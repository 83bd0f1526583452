//! What `scan` and `redact` are given: files, folders, mbox, Maildir, standard input.

use crate::inspect;
use clap::ValueEnum;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How to read a PATH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// By content.
    Auto,
    /// A mail (RFC 5322).
    Message,
    /// A file as one would attach it.
    Document,
    /// Plain text; offsets count in its bytes.
    Text,
}

impl From<Kind> for inspect::Input {
    fn from(kind: Kind) -> inspect::Input {
        match kind {
            Kind::Auto => inspect::Input::Auto,
            Kind::Message => inspect::Input::Message,
            Kind::Document => inspect::Input::Document,
            Kind::Text => inspect::Input::Text,
        }
    }
}

/// One thing to inspect.
pub(super) struct Item {
    /// As shown: the path, for a mail in an mbox followed by `#` and its number from 1.
    pub path: String,
    pub bytes: Vec<u8>,
    pub input: inspect::Input,
    /// File name for a document.
    pub name: Option<String>,
}

/// Every file below the given paths, in their order; folders sorted by name, `tmp` of a Maildir left out (those mails are
/// still being written). `-` stands for standard input.
pub(super) fn files(paths: &[PathBuf]) -> Vec<Result<PathBuf, String>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files);
        } else {
            files.push(Ok(path.clone()));
        }
    }
    files
}

fn walk(folder: &Path, files: &mut Vec<Result<PathBuf, String>>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            files.push(Err(format!("{}: {error}", folder.display())));
            return;
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(error) => files.push(Err(format!("{}: {error}", folder.display()))),
        }
    }
    paths.sort();
    let maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
    for path in paths {
        // A link could lead round in a circle, and what it points to is scanned where it lies.
        if path.is_symlink() || (maildir && path.ends_with("tmp")) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files);
        } else if path.is_file() {
            files.push(Ok(path));
        }
    }
}

/// Reads a file into items: one, or one for each mail of an mbox.
///
/// # Errors
/// In one sentence, with the path.
pub(super) fn read(path: &Path, kind: Kind) -> Result<Vec<Item>, String> {
    let shown = if path == Path::new("-") {
        "(standard input)".to_owned()
    } else {
        path.display().to_string()
    };
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("{shown}: {error}"))?;
    if matches!(kind, Kind::Auto | Kind::Message) && is_mbox(&bytes) {
        let mails = mbox(&bytes);
        return Ok(mails
            .into_iter()
            .enumerate()
            .map(|(i, mail)| Item {
                path: format!("{shown}#{}", i + 1),
                bytes: mail,
                input: inspect::Input::Message,
                name: None,
            })
            .collect());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(vec![Item {
        path: shown,
        bytes,
        input: kind.into(),
        name,
    }])
}

/// An mbox starts with a separator line (RFC 4155).
fn is_mbox(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"From ") && line.iter().filter(|&&byte| byte == b':').count() >= 2
}

/// The mails of an mbox: a separator is `From ` at the start or after an empty line; `>From ` loses its mark (mboxrd).
fn mbox(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut mails: Vec<Vec<u8>> = Vec::new();
    let mut empty = true;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if empty && line.starts_with(b"From ") {
            mails.push(Vec::new());
        } else if let Some(mail) = mails.last_mut() {
            let marks = line.iter().take_while(|&&byte| byte == b'>').count();
            let quoted = marks > 0 && line[marks..].starts_with(b"From ");
            mail.extend_from_slice(if quoted { &line[1..] } else { line });
        }
        empty = line == b"\n" || line == b"\r\n";
    }
    mails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mbox_is_taken_apart_at_its_separators_and_nowhere_else() {
        let text = b"From a@x.example Mon Nov 23 10:00:00 2026\nSubject: 1\n\nFrom here on\n>From there\n\n\
                     From b@x.example Mon Nov 23 10:00:01 2026\nSubject: 2\n\nbody\n";
        assert!(is_mbox(text));
        let mails = mbox(text);
        // `From here on` follows the empty line behind the headers: by RFC 4155 that is a separator, and writers quote it.
        assert_eq!(mails.len(), 3);
        assert!(mails[1].starts_with(b"From there"));
        assert!(!is_mbox(b"From: a@x.example\n\nbody\n"));
    }
}
