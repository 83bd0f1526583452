//! The recursion over parts, and what becomes of views on the way.

use super::closer::Closer;
use super::{Aid, Input, Options, turned};
use crate::content::{Budget, Child, Content, Hint, SourceMap, Spent, View};
use crate::cpr::{Confidence, Detected, Detector, Hit, LETTERS_LIKE_DIGITS, Secret, letters_as_digits};
use crate::document::{self, Family};
use crate::message;
use crate::types::{Doubt, DoubtKind, Finding, Location, OfficePlace, PartPath, Place, Report, Seal};
use std::collections::{BTreeSet, HashMap, HashSet};

/// One thing on the walk: a mail, a part, a file, at its place in the whole.
pub struct Node<'a> {
    /// Decoded bytes.
    pub bytes: &'a [u8],
    /// What the outside declares.
    pub hint: Hint,
    /// Where in the whole.
    pub path: PartPath,
    /// File names from the outermost in, joined with `/`.
    pub name: Option<String>,
    /// A second reading of a part that was already read.
    pub alternative: bool,
    /// Levels below the input.
    pub depth: u32,
    /// The input itself was named a mail, or a document.
    pub forced: Input,
}

impl<'a> Node<'a> {
    /// The input itself.
    pub fn root(bytes: &'a [u8], options: &Options) -> Node<'a> {
        let attachment = options.input == Input::Document;
        Node {
            bytes,
            hint: Hint {
                name: options.name.clone(),
                attachment,
                ..Hint::default()
            },
            path: PartPath::default(),
            name: if attachment { options.name.clone() } else { None },
            alternative: false,
            depth: 0,
            forced: options.input,
        }
    }

    /// A child of this node.
    pub fn child<'c>(&self, child: &'c Child<'_>) -> Node<'c> {
        Node {
            bytes: &child.bytes,
            hint: Hint {
                attachment: self.is_file(child),
                ..child.hint.clone()
            },
            path: self.below(&child.path),
            name: self.chained(child.hint.name.as_deref()),
            alternative: self.alternative || child.alternative,
            depth: self.depth + 1,
            forced: Input::Auto,
        }
    }

    /// Who reads this node.
    pub fn family(&self) -> Family {
        match self.forced {
            Input::Message => Family::Mail,
            // A file by itself is a mail already when its header begins as one: Maildir and exports have no names.
            Input::Auto if self.depth == 0 && message::looks_like_mail(self.bytes) => Family::Mail,
            Input::Document | Input::Auto | Input::Text => document::family(self.bytes, &self.hint),
        }
    }

    /// Parts of the mail itself are what they are declared to be; whatever is inside a part is in a file.
    fn is_file(&self, child: &Child<'_>) -> bool {
        child.hint.attachment || self.hint.attachment || self.depth > 0
    }

    fn below(&self, relative: &PartPath) -> PartPath {
        PartPath(self.path.0.iter().chain(&relative.0).copied().collect())
    }

    fn chained(&self, name: Option<&str>) -> Option<String> {
        match (&self.name, name) {
            (Some(outer), Some(inner)) => Some(format!("{outer}/{inner}")),
            (outer, inner) => inner.map(str::to_owned).or_else(|| outer.clone()),
        }
    }

    /// A place in this node, or in the part at `relative` that is no node of its own.
    fn place(&self, relative: &PartPath, location: &Location, content: &Content<'_>) -> Place {
        let child = content
            .children
            .iter()
            .find(|child| !relative.0.is_empty() && child.path == *relative);
        let hint = child.map_or(&self.hint, |child| &child.hint);
        Place {
            part: self.below(relative),
            name: match child {
                Some(child) => self.chained(child.hint.name.as_deref()),
                None => self.name.clone(),
            },
            media_type: hint.media_type.clone(),
            attachment: child.map_or(self.hint.attachment, |child| self.is_file(child)),
            location: location.clone(),
        }
    }
}

/// Asks the right reader for a node's content, and the programs for what no reader of ours can read.
pub(crate) fn open<'a>(node: &Node<'a>, budget: &mut Budget, aid: &mut Aid<'_>) -> (Family, Content<'a>) {
    let family = node.family();
    let mut content = match family {
        Family::Mail => message::read(node.bytes, budget),
        _ => document::read(node.bytes, &node.hint, budget),
    };
    aid.add(family, node.bytes, &mut content, budget);
    // A PDF document is read as displayed; its writer compares what it reads twice.
    if family != Family::Pdf {
        turned::add(&mut content, budget);
    }
    (family, content)
}

/// Text of plain bytes with its way back: UTF-8 when it is, else whatever charset `document` takes it for.
pub fn text_of(bytes: &[u8]) -> (String, SourceMap) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), SourceMap::identity(text.len(), 0));
    }
    let mut map = SourceMap::default();
    let mut text = String::with_capacity(bytes.len() * 2);
    for (i, &byte) in bytes.iter().enumerate() {
        let start = text.len();
        text.push(byte as char);
        if byte.is_ascii() {
            map.linear(start, i, 1);
        } else {
            map.unit(start..text.len(), i..i + 1);
        }
    }
    (text, map)
}

/// As [`text_of`], but of large bytes that are no text only the ASCII: a map for each of the others is larger than a worker.
fn raw_text(bytes: &[u8]) -> (String, SourceMap) {
    const LARGE: usize = 64 << 10;
    if bytes.len() <= LARGE || std::str::from_utf8(bytes).is_ok() {
        return text_of(bytes);
    }
    let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{1a}' };
    (bytes.iter().map(ascii).collect(), SourceMap::identity(bytes.len(), 0))
}

/// What stands in a view, as sure as the view allows.
pub(crate) fn detect(detector: &Detector, view: &View) -> Detected {
    let mut found = detector.find_all(&view.text);
    if view.guess {
        let sound = |hit: &Hit| hit.why.contains(&"modulus_11");
        let (kept, dropped): (Vec<Hit>, Vec<Hit>) = found.hits.into_iter().partition(sound);
        found.hits = kept;
        found.faint.splice(0..0, dropped);
        found
            .hits
            .iter_mut()
            .for_each(|hit| hit.confidence = Confidence::Possible);
    }
    if view.location == Location::Ocr {
        recognised(detector, &view.text, &mut found);
    }
    found
}

/// Programs that read pictures take one digit for another: what they read is never certain. They take digits for letters,
/// too: a number that is one only when letters are taken for the digits that they look like is possible, no more.
fn recognised(detector: &Detector, text: &str, found: &mut Detected) {
    for hit in &mut found.hits {
        let most = if hit.why.contains(&LETTERS_LIKE_DIGITS) {
            Confidence::Possible
        } else {
            Confidence::Likely
        };
        hit.confidence = hit.confidence.min(most);
    }
    let Some(repaired) = letters_as_digits(text) else {
        return;
    };
    let more = detector.find_all(&repaired);
    let is_new = |hit: &Hit, known: &[Hit]| {
        let same = |other: &Hit| other.digits == hit.digits && other.kind == hit.kind;
        text.get(hit.span.clone()) != repaired.get(hit.span.clone()) && !known.iter().any(same)
    };
    let mut hits: Vec<Hit> = more.hits.into_iter().filter(|hit| is_new(hit, &found.hits)).collect();
    for hit in &mut hits {
        hit.confidence = Confidence::Possible;
        hit.why.push(LETTERS_LIKE_DIGITS);
    }
    found.hits.extend(hits);
    found.hits.sort_by_key(|hit| (hit.span.start, hit.span.end));
    let faint = more.faint.into_iter().filter(|hit| is_new(hit, &found.faint));
    let faint: Vec<Hit> = faint.collect();
    found.faint.extend(faint);
}

/// Gathers the report of one input.
pub(super) struct Walk<'w, 'p> {
    detector: &'w Detector,
    budget: &'w mut Budget,
    aid: &'w mut Aid<'p>,
    report: Report,
    /// What was found in a part by its first reading; second readings add only what is new.
    seen: HashSet<(PartPath, String)>,
    faint: BTreeSet<Secret>,
    /// Findings of the node in hand by identifier and first source byte: two views may show the same bytes.
    shown: HashMap<(String, usize), usize>,
    full: bool,
    /// What reviewers are shown, when one asks.
    pub(super) closer: Option<Closer>,
}

impl<'w, 'p> Walk<'w, 'p> {
    pub(super) fn new(detector: &'w Detector, budget: &'w mut Budget, aid: &'w mut Aid<'p>) -> Walk<'w, 'p> {
        Walk {
            detector,
            budget,
            aid,
            report: Report::default(),
            seen: HashSet::new(),
            faint: BTreeSet::new(),
            shown: HashMap::new(),
            full: false,
            closer: None,
        }
    }

    pub(super) fn finish(mut self) -> Report {
        self.report.parts = self.budget.parts();
        self.report
    }

    pub(super) fn node(&mut self, node: &Node<'_>) {
        if let Err(spent) = self.budget.enter(node.depth) {
            self.spent(node, spent);
            return self.raw(node);
        }
        if let Some(closer) = &mut self.closer {
            closer.enter(node);
        }
        let (_, content) = open(node, self.budget, self.aid);
        for doubt in &content.doubts {
            self.report.doubts.push(Doubt {
                kind: doubt.kind,
                place: node.place(&doubt.part, &doubt.location, &content),
                reason: doubt.reason.clone(),
            });
        }
        for (part, kind) in &content.seals {
            self.report.seals.push(Seal {
                kind: *kind,
                place: node.place(part, &Location::Whole, &content),
            });
        }
        self.shown.clear();
        for view in &content.views {
            self.view(node, &content, view);
        }
        // First readings before second ones: the second add only what the first did not find.
        for alternative in [false, true] {
            for child in content.children.iter().filter(|child| child.alternative == alternative) {
                self.node(&node.child(child));
            }
        }
    }

    /// A node that the budget does not reach is not opened, but what stands in it in the clear is found all the same.
    fn raw(&mut self, node: &Node<'_>) {
        if self.budget.produce(node.bytes.len() as u64).is_err() {
            return;
        }
        let (text, map) = raw_text(node.bytes);
        let view = View {
            location: Location::Source,
            hidden: true,
            fake_redaction: false,
            text,
            map,
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        };
        self.view(node, &Content::default(), &view);
    }

    fn view(&mut self, node: &Node<'_>, content: &Content<'_>, view: &View) {
        if let Err(spent) = self.budget.in_time() {
            self.spent(node, spent);
            return;
        }
        let Detected { hits, faint } = detect(self.detector, view);
        if hits.is_empty() && faint.is_empty() {
            return;
        }
        let place = node.place(&view.part, &view.location, content);
        let second = node.alternative || view.guess || matches!(view.location, Location::Source);
        for hit in hits {
            let identifier = format!("{} {}", hit.kind.word(), hit.number.reveal());
            let key = (place.part.clone(), identifier.clone());
            if second && self.seen.contains(&key) {
                continue;
            }
            self.seen.insert(key);
            let (location, hidden) = view.place_at(hit.span.start);
            let place = Place {
                location,
                ..place.clone()
            };
            let first = hit
                .digits
                .first()
                .and_then(|digit| view.map.source_of(digit.clone()).ok());
            let known = first.map(|source| (identifier, source.start));
            let same = known.as_ref().and_then(|known| self.shown.get(known)).copied();
            match same.filter(|index| !self.is_other_cell(*index, &place)) {
                Some(index) => self.again(index, place, view, hidden, &hit),
                None => {
                    self.shown
                        .extend(known.map(|known| (known, self.report.findings.len())));
                    self.finding(place, view, hidden, hit);
                }
            }
        }
        for hit in faint {
            if self.room(self.report.faint.len(), &place) && self.faint.insert(hit.number.clone()) {
                let (location, hidden) = view.place_at(hit.span.start);
                let place = Place {
                    location,
                    ..place.clone()
                };
                self.report.faint.push(finding(place, view, hidden, hit));
            }
        }
    }

    /// A workbook keeps equal texts once; the cells that show them are different places.
    fn is_other_cell(&self, index: usize, place: &Place) -> bool {
        let known = self.report.findings.get(index).map(|finding| &finding.place.location);
        match (known, &place.location) {
            (
                Some(Location::Office(known @ OfficePlace::Cell { .. })),
                Location::Office(new @ OfficePlace::Cell { .. }),
            ) => known != new,
            _ => false,
        }
    }

    /// The same number on the same bytes, read in another view: still one finding. It is named by the view that shows it, and
    /// as sure as the surest.
    fn again(&mut self, index: usize, place: Place, view: &View, hidden: bool, hit: &Hit) {
        let Some(finding) = self.report.findings.get_mut(index) else {
            return;
        };
        finding.fake_redaction |= view.fake_redaction;
        if finding.hidden && !hidden {
            finding.hidden = false;
            finding.place = place;
            finding.span = hit.span.clone();
            if let Some(closer) = &mut self.closer {
                closer.found_again(index, view, hit);
            }
        }
        if hit.confidence > finding.confidence {
            finding.confidence = hit.confidence;
            finding.why = hit.why.iter().map(|&feature| feature.to_owned()).collect();
        }
    }

    fn finding(&mut self, place: Place, view: &View, hidden: bool, hit: Hit) {
        if self.room(self.report.findings.len(), &place) {
            if let Some(closer) = &mut self.closer {
                closer.found(view, &hit);
            }
            self.report.findings.push(finding(place, view, hidden, hit));
        }
    }

    /// Whether one more may be kept; that there were more is a doubt, once.
    fn room(&mut self, kept: usize, place: &Place) -> bool {
        let room = kept < self.budget.limits().findings as usize;
        if !room && !std::mem::replace(&mut self.full, true) {
            self.report.doubts.push(Doubt {
                kind: DoubtKind::TooLarge,
                place: place.clone(),
                reason: "it holds more numbers than are counted".to_owned(),
            });
        }
        room
    }

    /// One doubt for each node that the budget does not reach, but not thousands of them.
    fn spent(&mut self, node: &Node<'_>, spent: Spent) {
        let kind = spent.doubt();
        if self.report.doubts.iter().filter(|doubt| doubt.kind == kind).count() < 20 {
            let place = node.place(&PartPath::default(), &Location::Whole, &Content::default());
            self.report.doubts.push(Doubt {
                kind,
                place,
                reason: spent.to_string(),
            });
        }
    }
}

fn finding(place: Place, view: &View, hidden: bool, hit: Hit) -> Finding {
    Finding {
        kind: hit.kind,
        number: hit.number,
        confidence: hit.confidence,
        place,
        span: hit.span,
        hidden,
        fake_redaction: view.fake_redaction,
        why: hit.why.iter().map(|&feature| feature.to_owned()).collect(),
    }
}
