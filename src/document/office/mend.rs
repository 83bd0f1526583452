//! What an edit of digits leaves unsound in the XML of a package, put right: a cell that was a number becomes text, a number that
//! must stay one becomes zeros.

use super::xml::{Event, Events, Tag, local};
use crate::content::{Budget, CannotEdit, Limits, Splice};
use std::collections::HashSet;
use std::ops::Range;

/// The splices of one part with what they need beside them.
///
/// # Errors
/// When time is up.
pub(super) fn mend(name: &str, bytes: &[u8], mut splices: Vec<Splice>) -> Result<Vec<Splice>, CannotEdit> {
    splices.sort_by_key(|s| (s.range.start, s.range.end));
    splices.dedup();
    let Some(text) = super::plain_text(bytes) else {
        return Ok(splices);
    };
    let mark = bytes.len() - text.len();
    let budget = Budget::new(Limits::default());
    let mut mender = Mender {
        text,
        mark,
        splices: &mut splices,
        added: Vec::new(),
        cell: None,
        root: "",
    };
    let mut events = Events::of(text);
    loop {
        match events.next(&budget) {
            Ok(Some(Event::Start(tag))) => mender.start(&tag),
            Ok(Some(Event::Text(range, _))) => mender.text(range, &events),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(spent) => return Err(CannotEdit::Unsound(format!("{name}: {spent}"))),
        }
    }
    let added = mender.added;
    splices.extend(added);
    Ok(splices)
}

struct Mender<'m, 't> {
    text: &'t str,
    mark: usize,
    splices: &'m mut Vec<Splice>,
    added: Vec<Splice>,
    /// The cell that stands open: where its type is or goes, and whether it is text already.
    cell: Option<(Splice, bool)>,
    root: &'t str,
}

impl<'t> Mender<'_, 't> {
    fn touched(&self, range: &Range<usize>) -> bool {
        let (start, end) = (range.start + self.mark, range.end + self.mark);
        let first = self.splices.partition_point(|s| s.range.end <= start);
        self.splices
            .get(first)
            .is_some_and(|s| s.range.start < end && s.range.end > start)
    }

    fn start(&mut self, tag: &Tag<'t>) {
        if self.root.is_empty() {
            self.root = tag.name;
        }
        match (self.root, tag.name) {
            ("worksheet" | "macrosheet" | "dialogsheet", "c") => {
                let text = matches!(tag.get("t"), Some("s" | "str" | "inlineStr"));
                let splice = match tag.value_of("t") {
                    Some(range) => self.replace(range, "str"),
                    None => {
                        let at = tag.all.start + 1 + self.name_len(tag);
                        self.replace(at..at, " t=\"str\"")
                    }
                };
                self.cell = Some((splice, text));
            }
            ("pivotCacheRecords" | "pivotCacheDefinition", "n") => self.zeros(tag.value_of("v")),
            ("pivotCacheDefinition", "sharedItems") => {
                self.zeros(tag.value_of("minValue"));
                self.zeros(tag.value_of("maxValue"));
            }
            _ => self.value_attribute(tag),
        }
    }

    /// Length of the tag's name as written, prefix included.
    fn name_len(&self, tag: &Tag<'t>) -> usize {
        let inner = self.text.get(tag.all.start + 1..tag.all.end).unwrap_or_default();
        inner.find([' ', '\t', '\n', '\r', '/', '>']).unwrap_or(inner.len())
    }

    fn replace(&self, range: Range<usize>, with: &str) -> Splice {
        Splice {
            range: range.start + self.mark..range.end + self.mark,
            with: with.as_bytes().to_vec(),
        }
    }

    /// `office:value-type="float" office:value="…"` becomes a string.
    fn value_attribute(&mut self, tag: &Tag<'t>) {
        let find = |wanted: &str| {
            tag.iter()
                .find(|(name, _, _)| *name == wanted || local(name) == wanted && name.contains(':'))
        };
        let Some((name, value, range)) = find("value") else {
            return;
        };
        let typed = tag.iter().filter(|(name, _, _)| local(name) == "value-type");
        if !self.touched(&range) || value.parse::<f64>().is_err() {
            return;
        }
        let types: Vec<_> = typed.map(|(_, _, range)| range).collect();
        if types.is_empty() {
            return self.zeros(Some(range));
        }
        for at in types {
            let splice = self.replace(at, "string");
            self.added.push(splice);
        }
        // The attribute's name ends just before `="`.
        let end = self.text.get(..range.start).and_then(|before| before.rfind('='));
        let start = end.map(|end| end.saturating_sub(name.len()));
        if let Some((start, end)) = start.zip(end) {
            let prefix = name.strip_suffix("value").unwrap_or_default();
            let splice = self.replace(start..end, &format!("{prefix}string-value"));
            self.added.push(splice);
        }
    }

    fn text(&mut self, range: Range<usize>, events: &Events<'t>) {
        if !self.touched(&range) {
            return;
        }
        let number = self
            .text
            .get(range.clone())
            .is_some_and(|text| text.trim().parse::<f64>().is_ok());
        match events.parent(1) {
            "v" if self.root != "chartSpace" => {
                if let Some((splice, false)) = self.cell.take() {
                    self.added.push(splice);
                }
            }
            "v" if number && events.parent(3) == "numCache" => self.zeros(Some(range)),
            "i1" | "i2" | "i4" | "i8" | "int" | "uint" | "ui1" | "ui2" | "ui4" | "ui8" | "r4" | "r8" | "decimal" => {
                self.zeros(Some(range));
            }
            _ => {}
        }
    }

    /// Digits that must stay a number.
    fn zeros(&mut self, range: Option<Range<usize>>) {
        let Some(range) = range.filter(|range| self.touched(range)) else {
            return;
        };
        let (start, end) = (range.start + self.mark, range.end + self.mark);
        let first = self.splices.partition_point(|s| s.range.start < start);
        let inside = self.splices.iter_mut().skip(first);
        for splice in inside.take_while(|s| s.range.start < end) {
            splice.with = vec![b'0'];
        }
    }
}

/// Names that must stay different: two sheets or two names that were different only in their digits.
///
/// # Errors
/// [`CannotEdit::Unsound`] then.
pub(super) fn check(name: &str, before: &[u8], after: &[u8]) -> Result<(), CannotEdit> {
    let twins = |bytes: &[u8]| {
        let text = super::plain_text(bytes).unwrap_or_default();
        let budget = Budget::new(Limits::default());
        let mut events = Events::of(text);
        let mut seen = HashSet::new();
        let mut twins = 0usize;
        while let Ok(Some(event)) = events.next(&budget) {
            let Event::Start(tag) = event else { continue };
            let unique = match tag.name {
                "sheet" => Some((tag.name, tag.get("name"), None)),
                "definedName" => Some((tag.name, tag.get("name"), tag.get("localSheetId"))),
                "table" if name.ends_with("content.xml") => Some((tag.name, tag.get("name"), None)),
                "tableColumn" => Some((tag.name, tag.get("name"), None)),
                _ => None,
            };
            if let Some((kind, Some(value), scope)) = unique {
                let key = (kind, value.to_lowercase(), scope.map(str::to_owned));
                twins += usize::from(!seen.insert(key));
            }
        }
        twins
    };
    if twins(after) > twins(before) {
        return Err(CannotEdit::Unsound(
            "two sheets or names would be called the same".to_owned(),
        ));
    }
    Ok(())
}
