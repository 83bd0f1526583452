//! Text of header fields and parameters: unfolded, encoded words (RFC 2047) and percent-encoding (RFC 2231) taken off,
//! and the way back for each character.
//!
//! Encoded words are decoded wherever they stand, also in quoted strings and glued to other text, because mail programs
//! show them decoded there. Only the bytes of a changed character are written again.

use super::charset;
use super::encoded::{self, Found, Start};
use super::fields::add;
use super::transfer::base64;
use crate::content::{CannotEdit, SourceMap, Splice};
use std::collections::BTreeMap;
use std::ops::Range;

/// A source byte of header text, after folds and escapes are taken off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub(super) byte: u8,
    origin: Origin,
}

/// Where a byte of header text comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Itself, perhaps behind a backslash: place and length.
    Plain(usize, usize),
    /// `%XX` or, in an encoded word, `=XX`, by the place of its sign.
    Escape(usize),
    /// `_` or a literal in a Q word.
    Q(usize),
    /// Byte of a B word.
    B { word: usize, at: usize },
}

/// A B word: its base64 text and what it decodes to.
#[derive(Clone, Debug)]
struct Word {
    payload: Range<usize>,
    bytes: Vec<u8>,
}

/// One character.
#[derive(Clone, Debug)]
struct Unit {
    text: Range<usize>,
    bytes: Range<usize>,
    /// ASCII can be written over it.
    stateless: bool,
}

/// Decoded header text.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    units: Vec<Unit>,
    bytes: Vec<Atom>,
    words: Vec<Word>,
    /// What a stricter or laxer reader would do otherwise.
    pub(super) odd: Vec<&'static str>,
    /// Some of it is in a charset that is not known here.
    pub(super) unknown: bool,
}

/// How backslashes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backslash {
    /// As any character (unstructured fields).
    Literal,
    /// Escapes the next character in double quotes (addresses).
    InQuotes,
    /// Escapes the next character (the range stands in quotes already).
    Always,
}

/// Reads header text from raw bytes, without the ranges of `skip` (they are views of their own).
pub(super) fn header(bytes: &[u8], range: Range<usize>, backslash: Backslash, skip: &[Range<usize>]) -> Text {
    let mut atoms = unfolded(bytes, range, backslash);
    let mut skip = skip.to_vec();
    skip.sort_by_key(|s| s.start);
    let skipped = |at| {
        skip.get(skip.partition_point(|s| s.end <= at))
            .is_some_and(|s| s.contains(&at))
    };
    atoms.retain(|a| !matches!(a.origin, Origin::Plain(at, _) if skipped(at)));
    let mut text = Text::default();
    text.read(&atoms);
    text
}

/// Reads the sections of one parameter, in order: range, quoted, percent-encoded.
pub(super) fn parameter(bytes: &[u8], sections: &[(Range<usize>, bool, bool)]) -> Text {
    let mut atoms = Vec::new();
    let mut label = None;
    for (n, (range, quoted, extended)) in sections.iter().enumerate() {
        let how = if *quoted { Backslash::Always } else { Backslash::Literal };
        let mut section = unfolded(bytes, range.clone(), how);
        if *extended {
            if n == 0 {
                label = take_charset(&mut section);
            }
            section = percent(&section);
        }
        atoms.append(&mut section);
    }
    let mut text = Text::default();
    match label {
        Some(label) => text.plain(&atoms, Some(&label)),
        None => text.read(&atoms),
    }
    text
}

/// Takes `charset'language'` off the front (RFC 2231 §4).
fn take_charset(atoms: &mut Vec<Atom>) -> Option<String> {
    let mut quotes = atoms
        .iter()
        .enumerate()
        .filter(|(_, a)| a.byte == b'\'')
        .map(|(i, _)| i);
    let (first, second) = (quotes.next()?, quotes.next()?);
    let label = atoms.iter().take(first).map(|a| char::from(a.byte)).collect();
    atoms.drain(..=second);
    Some(label)
}

fn unfolded(bytes: &[u8], range: Range<usize>, backslash: Backslash) -> Vec<Atom> {
    let raw = bytes.get(range.clone()).unwrap_or_default();
    let mut atoms = Vec::with_capacity(raw.len());
    let mut quoted = backslash == Backslash::Always;
    let mut escape = None;
    for (i, &byte) in raw.iter().enumerate() {
        let at = range.start + i;
        if byte == b'\n' || byte == b'\r' && raw.get(i + 1).is_none_or(|&b| b == b'\n') {
            continue;
        }
        if byte == b'"' && escape.is_none() && backslash == Backslash::InQuotes {
            quoted = !quoted;
        }
        if byte == b'\\' && quoted && escape.is_none() && backslash != Backslash::Literal {
            escape = Some(at);
            continue;
        }
        let start = escape.take().unwrap_or(at);
        atoms.push(Atom {
            byte,
            origin: Origin::Plain(start, at + 1 - start),
        });
    }
    atoms
}

fn percent(atoms: &[Atom]) -> Vec<Atom> {
    let mut out = Vec::with_capacity(atoms.len());
    let mut i = 0;
    while let Some(atom) = atoms.get(i) {
        let hex = (atom.byte == b'%').then(|| hex_at(atoms, i + 1)).flatten();
        match (hex, atom.origin) {
            (Some(byte), Origin::Plain(at, _)) => {
                out.push(Atom {
                    byte,
                    origin: Origin::Escape(at),
                });
                i += 3;
            }
            _ => {
                out.push(*atom);
                i += 1;
            }
        }
    }
    out
}

fn hex_at(atoms: &[Atom], i: usize) -> Option<u8> {
    let digit = |n: usize| char::from(atoms.get(n)?.byte).to_digit(16);
    Some((digit(i)? << 4 | digit(i + 1)?) as u8)
}

impl Text {
    fn read(&mut self, atoms: &[Atom]) {
        let (mut at, mut plain) = (0, 0);
        while at < atoms.len() {
            match encoded::at(atoms, at) {
                Start::Word(word) => {
                    self.plain(atoms.get(plain..at).unwrap_or_default(), None);
                    at = self.words_from(atoms, word);
                    plain = at;
                }
                Start::Nearly => {
                    add(&mut self.odd, "something in a header only looks like an encoded word");
                    at += 1;
                }
                Start::Other => at += 1,
            }
        }
        self.plain(atoms.get(plain..).unwrap_or_default(), None);
    }

    /// Adds a word and those that follow with only blanks between; gives the place behind the last.
    fn words_from<'t>(&mut self, atoms: &'t [Atom], mut word: Found<'t>) -> usize {
        loop {
            // Adjacent words of one charset are decoded as one run: clients split characters across them.
            let label = word.charset.clone();
            let mut run = Vec::new();
            let mut end = word.end;
            let mut more = true;
            while more && word.charset.eq_ignore_ascii_case(&label) {
                self.take_word(&word, &mut run);
                end = word.end;
                let gap = atoms.get(end..).unwrap_or_default();
                let blanks = gap.iter().take_while(|a| a.byte == b' ' || a.byte == b'\t').count();
                match encoded::at(atoms, end + blanks) {
                    Start::Word(next) => word = next,
                    _ => more = false,
                }
            }
            self.plain(&run, Some(&label));
            if !more {
                return end;
            }
        }
    }

    /// Adds the decoded bytes of one word to `run`.
    fn take_word(&mut self, found: &Found<'_>, run: &mut Vec<Atom>) {
        if found.odd {
            add(&mut self.odd, "the end of an encoded word in a header is in doubt");
        }
        if !found.base64 {
            return self.take_q(found.payload, run);
        }
        let Some(payload) = span(found.payload) else {
            return;
        };
        let text: Vec<u8> = found.payload.iter().map(|a| a.byte).collect();
        let decoded = base64::decode(&text);
        if !decoded.odd.is_empty() {
            add(&mut self.odd, "the base64 of an encoded word in a header is not sound");
        }
        let word = self.words.len();
        run.extend(decoded.bytes.iter().enumerate().map(|(at, &byte)| Atom {
            byte,
            origin: Origin::B { word, at },
        }));
        self.words.push(Word {
            payload,
            bytes: decoded.bytes.into_owned(),
        });
    }

    fn take_q(&mut self, payload: &[Atom], run: &mut Vec<Atom>) {
        let mut i = 0;
        while let Some(atom) = payload.get(i) {
            let Origin::Plain(at, _) = atom.origin else {
                i += 1;
                continue;
            };
            let escape = (atom.byte == b'=').then(|| hex_at(payload, i + 1)).flatten();
            let (byte, origin, step) = match (atom.byte, escape) {
                (_, Some(byte)) => (byte, Origin::Escape(at), 3),
                (b'_', _) => (b' ', Origin::Q(at), 1),
                (byte, _) => (byte, Origin::Q(at), 1),
            };
            if atom.byte == b'=' && escape.is_none() {
                add(
                    &mut self.odd,
                    "an encoded word in a header holds an equals sign that starts no escape",
                );
            }
            run.push(Atom { byte, origin });
            i += step;
        }
    }

    /// Adds bytes in one charset.
    fn plain(&mut self, atoms: &[Atom], label: Option<&str>) {
        if atoms.is_empty() {
            return;
        }
        let base = self.bytes.len();
        self.bytes.extend_from_slice(atoms);
        let raw: Vec<u8> = atoms.iter().map(|a| a.byte).collect();
        let stateless = charset::is_stateless(label);
        self.unknown |= !raw.is_ascii() && !charset::is_known(label);
        charset::characters(&raw, label, |c, range| {
            // Mail programs drop NUL, and what stands beside it touches.
            if c == '\0' {
                return;
            }
            let start = self.text.len();
            self.text.push(c);
            self.units.push(Unit {
                text: start..self.text.len(),
                bytes: base + range.start..base + range.end,
                stateless,
            });
        });
    }

    /// The source of each character, for the view.
    pub(super) fn map(&self) -> SourceMap {
        let mut map = SourceMap::default();
        for unit in &self.units {
            let atoms = self.bytes.get(unit.bytes.clone()).unwrap_or_default();
            let Some(source) = self.source_of(atoms) else {
                continue;
            };
            let raw = atoms.iter().map(|a| a.byte);
            let text = self.text.get(unit.text.clone()).unwrap_or_default();
            if source.len() == unit.text.len() && raw.eq(text.bytes()) {
                map.linear(unit.text.start, source.start, source.len());
            } else {
                map.unit(unit.text.clone(), source);
            }
        }
        map
    }

    fn source_of(&self, atoms: &[Atom]) -> Option<Range<usize>> {
        let place = |atom: &Atom| match atom.origin {
            Origin::Plain(at, len) => Some(at..at + len),
            Origin::Escape(at) => Some(at..at + 3),
            Origin::Q(at) => Some(at..at + 1),
            Origin::B { word, .. } => self.words.get(word).map(|w| w.payload.clone()),
        };
        let (first, last) = (place(atoms.first()?)?, place(atoms.last()?)?);
        (first.start <= last.end).then_some(first.start..last.end)
    }

    /// The splices that carry out `edits`: byte ranges of the text and what stands there afterwards.
    ///
    /// # Errors
    /// When a character cannot be written over.
    pub(super) fn splices(&self, bytes: &[u8], edits: &[(Range<usize>, &str)]) -> Result<Vec<Splice>, CannotEdit> {
        let mut changed: BTreeMap<usize, Option<u8>> = BTreeMap::new();
        for (range, with) in edits {
            self.change(range.clone(), with, &mut changed)?;
        }
        let mut splices = Vec::new();
        let mut words: BTreeMap<usize, Vec<(usize, Option<u8>)>> = BTreeMap::new();
        for (n, new) in changed {
            let atom = self.bytes.get(n).ok_or(CannotEdit::Untraceable("it has no source"))?;
            let (range, with) = match atom.origin {
                Origin::B { word, at } => {
                    words.entry(word).or_default().push((at, new));
                    continue;
                }
                Origin::Plain(at, len) => (at..at + len, new.into_iter().collect()),
                Origin::Q(at) => (at..at + 1, new.map(|b| q_written(b, b'=')).unwrap_or_default()),
                Origin::Escape(at) => {
                    let sign = bytes.get(at).copied().unwrap_or(b'=');
                    (
                        at..at + 3,
                        new.map(|b| format!("{}{b:02X}", char::from(sign)).into_bytes())
                            .unwrap_or_default(),
                    )
                }
            };
            splices.push(Splice { range, with });
        }
        for (word, edits) in words {
            splices.extend(self.word_splices(bytes, word, &edits)?);
        }
        Ok(splices)
    }

    /// Notes the byte changes for one replacement.
    fn change(
        &self,
        range: Range<usize>,
        with: &str,
        changed: &mut BTreeMap<usize, Option<u8>>,
    ) -> Result<(), CannotEdit> {
        if !with
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" *-._#~".contains(&b))
        {
            return Err(CannotEdit::Unsupported("only plain ASCII can be written into a header"));
        }
        let first = self.units.partition_point(|u| u.text.end <= range.start);
        let units: Vec<&Unit> = self
            .units
            .iter()
            .skip(first)
            .take_while(|u| u.text.start < range.end)
            .collect();
        if units.first().is_none_or(|u| u.text.start != range.start)
            || units.last().is_none_or(|u| u.text.end != range.end)
        {
            return Err(CannotEdit::Untraceable("the range does not cover whole characters"));
        }
        let paired = units.len() == with.len();
        for (n, unit) in units.iter().enumerate() {
            let new = match (paired, n) {
                (true, _) => with.get(n..=n),
                (false, 0) => Some(with),
                _ => Some(""),
            };
            self.change_unit(unit, new.unwrap_or_default(), changed)?;
        }
        Ok(())
    }

    fn change_unit(&self, unit: &Unit, new: &str, changed: &mut BTreeMap<usize, Option<u8>>) -> Result<(), CannotEdit> {
        let atoms = self.bytes.get(unit.bytes.clone()).unwrap_or_default();
        let old = self.text.as_bytes().get(unit.text.clone()).unwrap_or_default();
        let own = atoms.iter().rposition(|a| [a.byte] == old);
        match (own, new.as_bytes()) {
            // One ASCII character for another: the byte that is it, in UTF-16 the other one is zero.
            (Some(n), [with]) => changed.insert(unit.bytes.start + n, Some(*with)),
            (_, [with]) if unit.stateless && !atoms.is_empty() => {
                for n in unit.bytes.clone() {
                    changed.insert(n, (n == unit.bytes.start).then_some(*with));
                }
                None
            }
            (_, []) if unit.stateless => {
                changed.extend(unit.bytes.clone().map(|n| (n, None)));
                None
            }
            _ => {
                return Err(CannotEdit::Untraceable(
                    "a character of this charset cannot be replaced",
                ));
            }
        };
        Ok(())
    }

    /// A B word with changed bytes: only the changed groups when the length stays, else its whole base64.
    fn word_splices(
        &self,
        bytes: &[u8],
        word: usize,
        edits: &[(usize, Option<u8>)],
    ) -> Result<Vec<Splice>, CannotEdit> {
        let word = self
            .words
            .get(word)
            .ok_or(CannotEdit::Untraceable("it has no source"))?;
        let source = bytes.get(word.payload.clone()).unwrap_or_default();
        let mut new: Vec<Option<u8>> = word.bytes.iter().copied().map(Some).collect();
        for (at, with) in edits {
            if let Some(slot) = new.get_mut(*at) {
                *slot = *with;
            }
        }
        let new: Vec<u8> = new.into_iter().flatten().collect();
        if !base64::decode(source).odd.is_empty() {
            return Err(CannotEdit::Untraceable("the encoded word is not sound"));
        }
        if new.len() == word.bytes.len() {
            let mut splices = base64::splices(source, &word.bytes, &new);
            for splice in &mut splices {
                splice.range = word.payload.start + splice.range.start..word.payload.start + splice.range.end;
            }
            return Ok(splices);
        }
        Ok(vec![Splice {
            range: word.payload.clone(),
            with: base64::one_line(&new),
        }])
    }
}

/// A byte in a Q word (RFC 2047 §4.2, §5): what every context allows stands for itself.
fn q_written(byte: u8, sign: u8) -> Vec<u8> {
    if byte.is_ascii_alphanumeric() || byte == b'*' || byte == b'-' {
        return vec![byte];
    }
    format!("{}{byte:02X}", char::from(sign)).into_bytes()
}

/// First to last byte of atoms that are plain.
fn span(atoms: &[Atom]) -> Option<Range<usize>> {
    match (atoms.first()?.origin, atoms.last()?.origin) {
        (Origin::Plain(start, _), Origin::Plain(at, len)) => Some(start..at + len),
        _ => None,
    }
}
