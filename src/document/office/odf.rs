//! OpenDocument: text, spreadsheets, presentations and drawings share one vocabulary, and one walk.

use super::attributes::{self, loose};
use super::flow::Flows;
use super::format::Shown;
use super::gather::{COVERED, DELETED, HIDDEN, INSERTED, Piece, Sheaf, pieces};
use super::odf_styles::Styles;
use super::odf_table::Table;
use super::xml::{Event, Events, Faults, Part, Tag, decoded};
use crate::content::{Budget, Spent, Spot};
use crate::types::{Location, OfficePlace};
use std::collections::HashMap;
use std::ops::Range;

/// Blanks that one `text:s` may stand for.
const BLANKS: u32 = 64;

/// Reads one part; `styles` are those of the other parts too.
///
/// # Errors
/// The limit that is over; what was read until then is in the sheaf.
pub(super) fn read(
    part: &Part<'_>,
    styles: &Styles,
    shown: &mut Shown,
    sheaf: &mut Sheaf,
    budget: &mut Budget,
) -> Result<Faults, Spent> {
    let mut events = Events::of(part.text);
    let mut walk = Walk::new(part, styles, shown);
    let outcome = loop {
        match events.next(budget) {
            Ok(Some(event)) => walk.event(event, &events, sheaf),
            Ok(None) => break Ok(events.faults),
            Err(spent) => break Err(spent),
        }
    };
    walk.flows.finish(sheaf);
    sheaf.book(budget)?;
    outcome
}

struct Walk<'p, 't> {
    part: &'p Part<'t>,
    styles: &'p Styles,
    shown: &'p mut Shown,
    flows: Flows<'t>,
    base: OfficePlace,
    /// Paragraphs that stand open.
    paragraphs: u32,
    /// What is hidden around, innermost last.
    marks: Vec<u8>,
    /// Changed stretches that stand open.
    inserted: u32,
    deleted: u32,
    /// Deleted text by the id of its change, and the one being read.
    deletions: HashMap<String, Vec<Piece<'t>>>,
    deletion: Option<(String, Vec<Piece<'t>>)>,
    /// Changes by id: insertions, or deletions.
    kinds: HashMap<String, bool>,
    change: String,
    tables: Vec<Table<'t>>,
    notes: [u32; 2],
    slide: u32,
    hidden_slide: bool,
    label: String,
}

impl<'p, 't> Walk<'p, 't> {
    fn new(part: &'p Part<'t>, styles: &'p Styles, shown: &'p mut Shown) -> Walk<'p, 't> {
        let base = match part.name.rsplit('/').next().unwrap_or_default() {
            "meta.xml" => OfficePlace::Property("title".to_owned()),
            "settings.xml" => OfficePlace::Settings,
            "manifest.xml" => OfficePlace::Data,
            "styles.xml" => OfficePlace::Style,
            _ => OfficePlace::Data,
        };
        let place = if styles.chart {
            Location::Office(OfficePlace::Chart)
        } else {
            Location::Text
        };
        Walk {
            part,
            styles,
            shown,
            flows: Flows::new(part.number, place, false),
            base,
            paragraphs: 0,
            marks: Vec::new(),
            inserted: 0,
            deleted: 0,
            deletions: HashMap::new(),
            deletion: None,
            kinds: HashMap::new(),
            change: String::new(),
            tables: Vec::new(),
            notes: [0; 2],
            slide: 0,
            hidden_slide: false,
            label: String::new(),
        }
    }

    fn event(&mut self, event: Event<'t>, events: &Events<'t>, sheaf: &mut Sheaf) {
        match event {
            Event::Start(tag) => self.start(&tag, events, sheaf),
            Event::End(name) => self.end(name, events, sheaf),
            Event::Text(range, raw) => self.text(range, raw, events, sheaf),
            Event::Aside(range) => loose(self.part, range, true, &Location::HiddenText, true, None, sheaf),
        }
    }

    fn mark(&self) -> u8 {
        let around = self.marks.iter().fold(0, |all, mark| all | mark);
        let deleted = if self.deleted > 0 { DELETED } else { 0 };
        around | deleted | if self.inserted > 0 { INSERTED } else { 0 }
    }

    fn style(&self, tag: &Tag<'t>) -> u8 {
        tag.get("style-name").map_or(0, |style| self.styles.marks(style))
    }

    fn start(&mut self, tag: &Tag<'t>, events: &Events<'t>, sheaf: &mut Sheaf) {
        let parent = events.parent(2);
        match tag.name {
            "p" | "h" => {
                self.paragraphs += 1;
                self.marks.push(self.style(tag));
                self.flows.paragraph(sheaf);
            }
            "span" | "a" | "meta-field" => self.marks.push(self.style(tag)),
            "section" | "hidden-text" | "hidden-paragraph" => {
                let away = tag.name != "section" || tag.get("display").is_some_and(|d| d != "true");
                self.marks.push(if away { HIDDEN } else { 0 });
            }
            "s" => {
                for _ in 0..tag.number("c").unwrap_or(1).clamp(1, BLANKS) {
                    self.stand_in(' ', tag, sheaf);
                }
            }
            "tab" if parent != "tab-stops" => self.stand_in('\t', tag, sheaf),
            "line-break" => self.stand_in('\n', tag, sheaf),
            "soft-hyphen" => self.stand_in('\u{ad}', tag, sheaf),
            "note" => self.note(tag),
            "annotation" => self.open(OfficePlace::Comment, None),
            "text-box" | "custom-shape" | "rect" | "ellipse" | "caption" if !self.styles.slides => {
                self.open(OfficePlace::TextBox, None);
            }
            "header" | "header-left" | "header-first" if parent == "master-page" => {
                self.open(OfficePlace::PageHeader, None)
            }
            "footer" | "footer-left" | "footer-first" if parent == "master-page" => {
                self.open(OfficePlace::PageFooter, None)
            }
            "master-page" => self.open(OfficePlace::Master, None),
            "page" => self.page(tag),
            "notes" if self.slide > 0 => self.open(OfficePlace::Notes(0), Some(Spot::Number(self.slide))),
            "changed-region" => self.change = tag.get("id").unwrap_or_default().to_owned(),
            "insertion" => {
                self.kinds.insert(self.change.clone(), true);
            }
            "deletion" if parent == "changed-region" => {
                self.kinds.insert(self.change.clone(), false);
                self.flows
                    .open(Location::Office(OfficePlace::TrackedChange), true, None);
                self.deletion = Some((self.change.clone(), Vec::new()));
            }
            "cell-content-change" | "previous" | "cut-offs" => self.open(OfficePlace::TrackedChange, None),
            "help-message" | "error-message" => self.open(OfficePlace::Validation, None),
            "change" => self.deleted_here(tag, sheaf),
            "change-start" => self.changes(tag, true),
            "change-end" => self.changes(tag, false),
            "table" | "table-row" | "table-cell" | "covered-table-cell" | "table-column" => self.table(tag),
            "user-defined" => self.label = tag.get("name").map(decoded).unwrap_or_default(),
            _ => {}
        }
        attributes::read(self.part, tag, &self.attribute_base(tag), sheaf);
    }

    fn attribute_base(&self, tag: &Tag<'t>) -> OfficePlace {
        match tag.name {
            "table-cell" | "covered-table-cell" if tag.get("formula").is_some() => {
                let sheet = self.tables.last().map(|table| table.name.clone()).unwrap_or_default();
                OfficePlace::Formula {
                    sheet,
                    cell: String::new(),
                }
            }
            _ => self.base.clone(),
        }
    }

    fn open(&mut self, place: OfficePlace, spot: Option<Spot>) {
        let hidden = place.is_hidden();
        self.flows.open(Location::Office(place), hidden, spot);
    }

    fn note(&mut self, tag: &Tag<'t>) {
        let end = tag.get("note-class") == Some("endnote");
        let number = match self.notes.get_mut(usize::from(end)) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => 0,
        };
        let place = if end {
            OfficePlace::Endnote(0)
        } else {
            OfficePlace::Footnote(0)
        };
        self.open(place, Some(Spot::Number(number)));
    }

    fn page(&mut self, tag: &Tag<'t>) {
        self.slide += 1;
        self.hidden_slide = tag
            .get("style-name")
            .is_some_and(|style| self.styles.is_hidden_page(style));
        let place = if self.hidden_slide {
            OfficePlace::HiddenSlide(0)
        } else {
            OfficePlace::Slide(0)
        };
        self.open(place, Some(Spot::Number(self.slide)));
    }

    /// A changed stretch begins or ends. Deleted text may stand where it was (LibreOffice with changes shown) as well as in
    /// the list of changes.
    fn changes(&mut self, tag: &Tag<'t>, begins: bool) {
        let kind = tag.get("change-id").and_then(|id| self.kinds.get(id));
        let count = match kind {
            Some(true) => &mut self.inserted,
            Some(false) => &mut self.deleted,
            None => return,
        };
        *count = if begins {
            count.saturating_add(1)
        } else {
            count.saturating_sub(1)
        };
    }

    /// Where something was deleted: it reads on from there.
    fn deleted_here(&mut self, tag: &Tag<'t>, sheaf: &mut Sheaf) {
        let id = tag.get("change-id").unwrap_or_default();
        if let Some(pieces) = self.deletions.get(id) {
            self.flows.pieces(sheaf, &mut pieces.clone());
        }
    }

    fn table(&mut self, tag: &Tag<'t>) {
        match tag.name {
            "table" => {
                let away = tag
                    .get("style-name")
                    .is_some_and(|style| self.styles.is_hidden_table(style));
                let name = tag.get("name").map(decoded).unwrap_or_default();
                let table = Table::new(
                    name,
                    away,
                    self.part.name.ends_with("content.xml") && self.styles.spreadsheet,
                );
                if table.sheet {
                    self.flows.open(table.location(), away, None);
                } else {
                    self.flows.open_same();
                }
                self.tables.push(table);
            }
            "table-column" => {
                if let Some(table) = self.tables.last_mut() {
                    table.columns(tag);
                }
            }
            "table-row" => {
                self.flows.row(false, true);
                if let Some(table) = self.tables.last_mut() {
                    table.row(tag);
                }
            }
            _ => {
                self.marks.push(self.style(tag));
                if let Some(table) = self.tables.last_mut() {
                    table.cell(tag);
                    let spot = table.spot();
                    self.flows.begin_cell(spot);
                }
            }
        }
    }

    fn stand_in(&mut self, c: char, tag: &Tag<'t>, sheaf: &mut Sheaf) {
        let source = self.part.base + tag.all.start..self.part.base + tag.all.end;
        let marks = self.mark();
        let source_start = source.start;
        self.flows.character(sheaf, c, source, marks);
        if let Some(table) = self.tables.last_mut() {
            table.shown(c, source_start);
        }
    }

    fn end(&mut self, name: &str, events: &Events<'t>, sheaf: &mut Sheaf) {
        let parent = events.parent(1);
        match name {
            "p" | "h" => {
                self.flows.paragraph(sheaf);
                self.paragraphs = self.paragraphs.saturating_sub(1);
                self.marks.pop();
            }
            "span" | "a" | "meta-field" | "section" | "hidden-text" | "hidden-paragraph" => {
                self.marks.pop();
            }
            "text-box" | "custom-shape" | "rect" | "ellipse" | "caption" if !self.styles.slides => {
                self.flows.close(sheaf)
            }
            "note"
            | "annotation"
            | "master-page"
            | "cell-content-change"
            | "previous"
            | "cut-offs"
            | "help-message"
            | "error-message" => self.flows.close(sheaf),
            "header" | "header-left" | "header-first" | "footer" | "footer-left" | "footer-first"
                if parent == "master-page" =>
            {
                self.flows.close(sheaf);
            }
            "notes" if self.slide > 0 => self.flows.close(sheaf),
            "page" => self.flows.close(sheaf),
            "deletion" if parent == "changed-region" => {
                self.flows.close(sheaf);
                self.deletions.extend(self.deletion.take());
            }
            "table-cell" | "covered-table-cell" => {
                self.marks.pop();
                if let Some(table) = self.tables.last_mut() {
                    let (columns, value) = table.end_cell(self.part, self.shown, sheaf);
                    self.flows.mirror(value);
                    self.flows.cell(columns);
                }
            }
            "table-row" if self.flows.in_row() => {
                self.flows.close(sheaf);
                if let Some(table) = self.tables.last_mut() {
                    table.end_row();
                }
            }
            "table" if !self.tables.is_empty() => {
                if let Some(table) = self.tables.pop() {
                    sheaf.guess(table.location(), table.guesses);
                }
                self.flows.close(sheaf);
            }
            _ => {}
        }
    }

    fn text(&mut self, range: Range<usize>, raw: bool, events: &Events<'t>, sheaf: &mut Sheaf) {
        let parent = events.parent(1);
        let source = self.part.text.get(range.clone()).unwrap_or_default();
        let in_paragraph =
            self.paragraphs > 0 && !matches!(parent, "creator" | "date" | "creator-initials" | "title" | "desc");
        if !in_paragraph {
            return self.other_text(range, raw, events, sheaf);
        }
        let mut found = Vec::new();
        pieces(self.part, range.clone(), raw, self.mark(), &mut found);
        if let Some((_, deleted)) = &mut self.deletion {
            deleted.extend(found.iter().map(|piece| Piece {
                marks: DELETED,
                ..*piece
            }));
        }
        if let Some(table) = self.tables.last_mut() {
            let start = self.part.base + range.start;
            source.char_indices().for_each(|(at, c)| table.shown(c, start + at));
        }
        self.flows.pieces(sheaf, &mut found);
    }

    /// Properties, settings, alternative texts, code.
    fn other_text(&mut self, range: Range<usize>, raw: bool, events: &Events<'t>, sheaf: &mut Sheaf) {
        use OfficePlace as P;
        let parent = events.parent(1);
        // Pictures and print settings within the XML are base64, read as what they are elsewhere.
        if parent == "binary-data" || range.len() > 4096 && parent == "config-item" {
            return;
        }
        let (place, label) = match (&self.base, parent) {
            (_, "title" | "desc") if events.parent(3) != "meta" && events.parent(2) != "meta" => (P::AltText, None),
            (_, "creator" | "creator-initials") if events.parent(2) != "meta" => (P::Author, None),
            (_, "header-decl") => (P::PageHeader, None),
            (_, "footer-decl") => (P::PageFooter, None),
            (_, "user-defined") => (P::Property(self.label.clone()), Some(self.label.clone())),
            (P::Property(_), name) => (P::Property(name.to_owned()), None),
            (_, _) if events.parent(2) == "meta" => (P::Property(parent.to_owned()), None),
            (base, _) => (base.clone(), None),
        };
        let hidden = place.is_hidden();
        loose(
            self.part,
            range,
            raw,
            &Location::Office(place),
            hidden,
            label.as_deref(),
            sheaf,
        );
    }
}

/// Marks of a text style.
pub(super) fn style_marks(hidden: bool, covered: bool) -> u8 {
    (if hidden { HIDDEN } else { 0 }) | if covered { COVERED } else { 0 }
}
