//! What is written where a number stood: one edit a character, in the style that the policy asks for.

use super::Targets;
use super::glued::glued;
use crate::content::{Form, TextEdit, View};
use crate::cpr::{Detector, Hit, IdKind, Secret};
use crate::inspect::detect;
use crate::types::{Location, OfficePlace, Style};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// What stands where a digit stood; on pages and in pictures a filled box.
const MARK: &str = "X";
/// Characters between two digits of a number, at most, that go with them.
const GAP: usize = 3;

/// Makes the edits of one thing after the other.
pub(super) struct Writer<'w> {
    pub detector: &'w Detector,
    pub targets: &'w Targets,
    pub style: Style,
}

impl Writer<'_> {
    /// One edit a character of every target in these views; where two identifiers share characters, each once. A copy of the
    /// number in a message's id, or behind another label, is a copy too.
    pub fn edits(&self, views: &[View]) -> Vec<TextEdit> {
        let found: Vec<Vec<Hit>> = views.iter().map(|view| self.hits(view)).collect();
        let tied = tied(views, &found);
        // Two views may show the same bytes: what is written there must be the same in both.
        let mut written: HashMap<(bool, usize), String> = HashMap::new();
        let mut all = Vec::new();
        for (index, (view, hits)) in views.iter().zip(&found).enumerate() {
            let mut edits: BTreeMap<(usize, usize), String> = BTreeMap::new();
            for hit in hits {
                let free = is_free(view) && !tied.contains(&hit.number);
                let style = if free { self.style } else { Style::Box };
                for (range, with) in replaced(view, hit, style) {
                    let before = edits.entry((range.start, range.end)).or_default();
                    if before.is_empty() {
                        *before = with;
                    }
                }
            }
            for range in glued(&view.text, self.targets) {
                edits.entry((range.start, range.end)).or_insert_with(|| MARK.to_owned());
            }
            for ((start, end), with) in edits {
                let source = view.map.source_of(start..end).ok();
                let with = match source {
                    Some(source) => {
                        let key = (view.map.form() == Form::Units, source.start);
                        written.entry(key).or_insert(with).clone()
                    }
                    None => with,
                };
                all.push(TextEdit {
                    view: index,
                    range: start..end,
                    with,
                });
            }
        }
        all
    }

    fn hits(&self, view: &View) -> Vec<Hit> {
        let hits = detect(self.detector, view).all();
        hits.filter(|hit| self.targets.contains(&(hit.kind.clone(), hit.number.clone())))
            .collect()
    }
}

/// Numbers that also stand in a name or formula of an office document: all places of such a number must stay equal, or a table
/// no longer knows its column.
fn tied(views: &[View], found: &[Vec<Hit>]) -> HashSet<Secret> {
    let in_office = |view: &View| matches!(view.location, Location::Office(_));
    if !views.iter().any(in_office) {
        return HashSet::new();
    }
    let is_name = |view: &View| in_office(view) || matches!(view.location, Location::Attribute(_));
    let both = views.iter().zip(found);
    let names = both.filter(|(view, _)| is_name(view) && !is_free(view));
    names
        .flat_map(|(_, hits)| hits.iter().map(|hit| hit.number.clone()))
        .collect()
}

/// The ranges of a hit with what stands there afterwards.
fn replaced(view: &View, hit: &Hit, style: Style) -> Vec<(Range<usize>, String)> {
    let first = match style {
        Style::Box => {
            return hit
                .digits
                .iter()
                .map(|range| (range.clone(), MARK.to_owned()))
                .collect();
        }
        Style::Label => label(&hit.kind),
        Style::Remove => String::new(),
    };
    let mut out = Vec::new();
    let mut last: Option<Range<usize>> = None;
    for range in &hit.digits {
        if let Some(last) = &last {
            out.extend(
                gap(view, last.end..range.start)
                    .into_iter()
                    .map(|range| (range, String::new())),
            );
        }
        out.push((
            range.clone(),
            if last.is_none() { first.clone() } else { String::new() },
        ));
        last = Some(range.clone());
    }
    out
}

/// The signs between two digits, when they are nothing but signs, and each has a place in the source.
fn gap(view: &View, range: Range<usize>) -> Vec<Range<usize>> {
    let Some(text) = view.text.get(range.clone()) else {
        return Vec::new();
    };
    let sign = |c: char| !c.is_alphanumeric() && !c.is_control() && !matches!(c, '\u{2028}' | '<' | '>' | '|');
    if text.chars().count() > GAP || !text.chars().all(sign) {
        return Vec::new();
    }
    let each = text
        .char_indices()
        .map(|(at, c)| range.start + at..range.start + at + c.len_utf8());
    let all: Vec<Range<usize>> = each.collect();
    let traced = all.iter().all(|range| view.map.source_of(range.clone()).is_ok());
    if traced { all } else { Vec::new() }
}

/// `[CPR]`; another identifier by the name that the policy gives it, where every charset has its letters.
fn label(kind: &IdKind) -> String {
    match kind {
        IdKind::Custom(name) if name.is_ascii() => format!("[{name}]"),
        IdKind::Custom(_) => "[ID]".to_owned(),
        IdKind::Cpr => "[CPR]".to_owned(),
    }
}

/// Text that people read, where anything may stand. Headers, names, addresses and formulas keep their form: an X for each digit.
fn is_free(view: &View) -> bool {
    use OfficePlace as Office;
    match &view.location {
        // What a page shows, in the order in which it is drawn.
        Location::Source => view.map.form() == Form::Units,
        Location::Text
        | Location::HiddenText
        | Location::Page(_)
        | Location::Annotation { .. }
        | Location::FormField
        | Location::Bookmark
        | Location::Ocr => true,
        Location::Attribute(name) => matches!(name.as_str(), "alt" | "title" | "label" | "placeholder"),
        Location::Office(place) => matches!(
            place,
            Office::PageHeader
                | Office::PageFooter
                | Office::Footnote(_)
                | Office::Endnote(_)
                | Office::Comment
                | Office::TrackedChange
                | Office::TextBox
                | Office::AltText
                | Office::Property(_)
                | Office::Sheet(..)
                | Office::Cell { .. }
                | Office::Chart
                | Office::Slide(_)
                | Office::HiddenSlide(_)
                | Office::Notes(_)
                | Office::Master
        ),
        _ => false,
    }
}
