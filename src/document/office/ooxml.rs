//! WordprocessingML, DrawingML and PresentationML: one walk for all of them, since they stand inside each other (text boxes in
//! Word, charts and shapes everywhere). Elements are known by their local names; prefixes are the producer's choice.

use super::attributes::{self, loose};
use super::flow::Flows;
use super::format::{Format, Shown, as_shown};
use super::gather::{COVERED, DELETED, HIDDEN, INSERTED, Piece, Sheaf, What, pieces};
use super::xml::{Event, Events, Faults, Part, Tag, decoded};
use crate::content::{Budget, Spent, Spot};
use crate::types::{Location, OfficePlace};
use std::collections::HashSet;
use std::ops::Range;

/// What the walk must know from other parts.
#[derive(Default)]
pub(super) struct Setting<'s> {
    /// Styles whose text is hidden.
    pub hidden_styles: Option<&'s HashSet<String>>,
    /// How sheets show the numbers that charts keep copies of.
    pub shown: Option<&'s Shown>,
    /// Where the text of this part belongs.
    pub place: Option<Location>,
    /// All of it is hidden.
    pub hidden: bool,
    /// Stretches of the source whose text something lies over.
    pub covered: Vec<Range<usize>>,
}

/// How the run in hand looks.
#[derive(Clone, Copy, Default)]
struct Run {
    vanish: bool,
    tiny: bool,
    white: bool,
    black: bool,
    light: bool,
    shaded: bool,
    black_behind: bool,
    /// Black as a shading, on which letters of no colour of their own turn white.
    black_ground: bool,
}

/// Reads one part.
///
/// # Errors
/// The limit that is over; what was read until then is in the sheaf.
pub(super) fn read(
    part: &Part<'_>,
    setting: &Setting<'_>,
    sheaf: &mut Sheaf,
    budget: &mut Budget,
) -> Result<Faults, Spent> {
    let mut events = Events::of(part.text);
    let mut walk = Walk::new(part, setting);
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
    setting: &'p Setting<'p>,
    flows: Flows<'t>,
    base: OfficePlace,
    place: Location,
    hidden: bool,
    rooted: bool,
    deleted: u32,
    inserted: u32,
    run: Run,
    /// The paragraph's style is hidden; its and the cell's shading.
    paragraph: Run,
    cell_shaded: bool,
    cell_black: bool,
    /// The shape in hand is hidden.
    shape_hidden: bool,
    in_run: u32,
    span: u32,
    /// In a definition of tab stops.
    tabs: u32,
    /// In a fallback for programs that do not know what stands beside it.
    fallback: u32,
    chosen: bool,
    label: String,
    /// How the cached numbers of a chart are shown.
    format: Format,
    /// Room for the pieces of one run, empty in between.
    scratch: Vec<Piece<'t>>,
}

impl<'p, 't> Walk<'p, 't> {
    fn new(part: &'p Part<'t>, setting: &'p Setting<'p>) -> Walk<'p, 't> {
        let place = setting.place.clone().unwrap_or(Location::Text);
        let base = match &place {
            Location::Office(place) => place.clone(),
            _ => OfficePlace::Data,
        };
        Walk {
            part,
            setting,
            flows: Flows::new(part.number, place.clone(), setting.hidden),
            base,
            place,
            hidden: setting.hidden,
            rooted: setting.place.is_some(),
            deleted: 0,
            inserted: 0,
            run: Run::default(),
            paragraph: Run::default(),
            cell_shaded: false,
            cell_black: false,
            shape_hidden: false,
            in_run: 0,
            span: 1,
            tabs: 0,
            fallback: 0,
            chosen: false,
            label: String::new(),
            format: Format::General,
            scratch: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'t>, events: &Events<'t>, sheaf: &mut Sheaf) {
        match event {
            Event::Start(tag) => self.start(&tag, events, sheaf),
            Event::End(name) => self.end(name, sheaf),
            Event::Text(range, raw) => self.text(range, raw, events, sheaf),
            Event::Aside(range) => {
                loose(self.part, range, true, &Location::HiddenText, true, None, sheaf);
            }
        }
    }

    /// The root says what the part is.
    fn root(&mut self, name: &str, sheaf: &mut Sheaf) {
        use OfficePlace as P;
        self.rooted = true;
        let place = match name {
            "document" | "wordDocument" | "package" | "PageContents" => None,
            "hdr" => Some(P::PageHeader),
            "ftr" => Some(P::PageFooter),
            "footnotes" => Some(P::Footnote(0)),
            "endnotes" => Some(P::Endnote(0)),
            "comments" | "commentsEx" | "cmLst" | "ThreadedComments" => Some(P::Comment),
            "people" | "personList" | "cmAuthorLst" | "authorLst" => Some(P::Author),
            "glossaryDocument" => Some(P::BuildingBlock),
            "settings" | "webSettings" | "tagLst" | "presentationPr" | "viewPr" => Some(P::Settings),
            "styles" | "styleSheet" | "numbering" | "fonts" | "theme" | "tblStyleLst" => Some(P::Style),
            "Properties" | "coreProperties" => Some(P::Property("title".to_owned())),
            "Relationships" => Some(P::Link),
            "chartSpace" | "chart" => Some(P::Chart),
            "wsDr" | "drawing" | "userShapes" | "drawingML" | "dataModel" => Some(P::TextBox),
            "sldMaster" | "MasterContents" | "sldLayout" | "notesMaster" | "handoutMaster" => Some(P::Master),
            "externalLink" | "connections" | "queryTable" => Some(P::External),
            "pivotCacheDefinition" | "pivotCacheRecords" | "pivotTableDefinition" => Some(P::PivotCache),
            _ => Some(P::Data),
        };
        self.base = place.clone().unwrap_or(OfficePlace::Data);
        self.hidden = place.as_ref().is_some_and(OfficePlace::is_hidden);
        self.place = place.map_or(Location::Text, Location::Office);
        let flows = Flows::new(self.part.number, self.place.clone(), self.hidden);
        std::mem::replace(&mut self.flows, flows).finish(sheaf);
    }

    fn start(&mut self, tag: &Tag<'t>, events: &Events<'t>, sheaf: &mut Sheaf) {
        let parent = events.parent(2);
        if !self.rooted || parent == "xmlData" {
            self.root(tag.name, sheaf);
        }
        match tag.name {
            "p" | "h" => {
                self.paragraph = Run::default();
                self.flows.paragraph(sheaf);
            }
            "tr" => {
                self.flows.row(false, false);
            }
            "tc" => {
                self.span = tag.number("gridSpan").unwrap_or(1);
                self.cell_shaded = false;
                self.cell_black = false;
            }
            "gridSpan" => self.span = tag.number("val").unwrap_or(1),
            "r" => {
                self.in_run += 1;
                self.run = Run::default();
            }
            "del" | "moveFrom" if parent != "rPr" && parent != "trPr" => self.deleted += 1,
            "ins" | "moveTo" if parent != "rPr" && parent != "trPr" => self.inserted += 1,
            "tabs" => self.tabs += 1,
            "tab" if self.tabs == 0 && parent != "tabs" => self.stand_in('\t', tag, sheaf),
            "br" | "cr" => self.stand_in('\n', tag, sheaf),
            "noBreakHyphen" => self.stand_in('-', tag, sheaf),
            "softHyphen" => self.stand_in('\u{ad}', tag, sheaf),
            "sym" => self.symbol(tag, sheaf),
            "txbxContent" | "footnote" | "endnote" | "comment" | "docPart" | "cm" | "threadedComment" => {
                self.open(tag, sheaf);
            }
            "Fallback" => self.fallback += 1,
            "cNvPr" => self.shape_hidden = tag.yes("hidden"),
            "Choice" => self.chosen = true,
            "fldChar" | "rPr" | "pPr" => {}
            _ => self.look(tag, parent, events),
        }
        if tag.name == "property" || tag.name == "cacheField" {
            self.label = tag.get("name").map(decoded).unwrap_or_default();
        }
        attributes::read(self.part, tag, &self.base, sheaf);
    }

    /// Text with a place of its own begins.
    fn open(&mut self, tag: &Tag<'t>, _sheaf: &mut Sheaf) {
        use OfficePlace as P;
        let number = tag.number("id").unwrap_or(0);
        let (place, spot) = match tag.name {
            "txbxContent" if self.fallback > 0 && self.chosen => (Location::Source, None),
            "txbxContent" => (Location::Office(P::TextBox), None),
            "footnote" => (Location::Office(P::Footnote(0)), Some(Spot::Number(number))),
            "endnote" => (Location::Office(P::Endnote(0)), Some(Spot::Number(number))),
            "docPart" => (Location::Office(P::BuildingBlock), None),
            _ => (Location::Office(P::Comment), None),
        };
        let hidden = self.hidden || matches!(place, Location::Source);
        self.flows.open(place, hidden, spot);
    }

    /// How runs look.
    fn look(&mut self, tag: &Tag<'t>, parent: &str, events: &Events<'t>) {
        let in_run = parent == "rPr" && events.parent(3) == "r";
        let black = |value: Option<&str>| matches!(value, Some("000000" | "black"));
        match tag.name {
            "vanish" | "webHidden" | "specVanish" if in_run && tag.name == "vanish" => self.run.vanish = tag.on("val"),
            "rStyle" if in_run => self.run.vanish |= self.styled_away(tag),
            "pStyle" => self.paragraph.vanish |= self.styled_away(tag),
            "color" if in_run => {
                let value = tag.get("val").unwrap_or("auto");
                self.run.white = value.eq_ignore_ascii_case("ffffff") || tag.get("themeColor") == Some("background1");
                self.run.light = self.run.white || !matches!(value, "auto" | "000000");
                self.run.black = value == "000000";
            }
            "sz" if in_run => self.run.tiny = tag.number("val").is_some_and(|half_points| half_points <= 2),
            "highlight" if in_run => self.run.black_behind |= black(tag.get("val")),
            "shd" => {
                // Of a solid pattern the colour is seen, not the ground.
                let solid = tag.get("val") == Some("solid");
                let fill = if solid { tag.get("color") } else { tag.get("fill") };
                let shaded = !matches!(fill, None | Some("auto" | "FFFFFF" | "ffffff"));
                match parent {
                    "rPr" if in_run => {
                        self.run.shaded = shaded;
                        self.run.black_behind |= black(fill);
                    }
                    "pPr" => {
                        self.paragraph.shaded = shaded;
                        self.paragraph.black_ground = black(fill);
                    }
                    "tcPr" => {
                        self.cell_shaded = shaded;
                        self.cell_black = black(fill);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        if parent == "highlight" && tag.name == "srgbClr" && black(tag.get("val")) {
            self.run.black_behind = true;
        }
    }

    fn styled_away(&self, tag: &Tag<'t>) -> bool {
        tag.get("val")
            .zip(self.setting.hidden_styles)
            .is_some_and(|(style, hidden)| hidden.contains(style))
    }

    fn marks(&self) -> u8 {
        let run = &self.run;
        let shaded = run.shaded || self.paragraph.shaded || self.cell_shaded || run.black_behind;
        let mut marks = 0;
        if run.vanish || self.shape_hidden || self.paragraph.vanish || run.tiny || run.white && !shaded {
            marks |= HIDDEN;
        }
        let ground = self.paragraph.black_ground || self.cell_black;
        if run.black_behind && !run.light || ground && run.black {
            marks |= COVERED;
        }
        if self.deleted > 0 {
            marks |= DELETED;
        } else if self.inserted > 0 {
            marks |= INSERTED;
        }
        marks
    }

    fn stand_in(&mut self, c: char, tag: &Tag<'t>, sheaf: &mut Sheaf) {
        let source = self.part.base + tag.all.start..self.part.base + tag.all.end;
        let marks = self.marks();
        self.flows.character(sheaf, c, source, marks);
    }

    /// A character of a symbol font, which keeps ASCII at U+F000 and above.
    fn symbol(&mut self, tag: &Tag<'t>, sheaf: &mut Sheaf) {
        let code = tag.get("char").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let c = code.map(|code| {
            if (0xf020..0xf0ff).contains(&code) {
                code - 0xf000
            } else {
                code
            }
        });
        let Some((c, value)) = c.and_then(char::from_u32).zip(tag.value_of("char")) else {
            return;
        };
        let source = self.part.base + value.start..self.part.base + value.end;
        let marks = self.marks();
        self.flows.character(sheaf, c, source, marks);
    }

    fn end(&mut self, name: &str, sheaf: &mut Sheaf) {
        match name {
            "p" | "h" | "Text" => {
                self.flows.paragraph(sheaf);
                self.paragraph = Run::default();
            }
            "tr" if self.flows.in_row() => self.flows.close(sheaf),
            "tc" => self.flows.cell(std::mem::replace(&mut self.span, 1)),
            "r" => {
                self.in_run = self.in_run.saturating_sub(1);
                self.run = Run::default();
            }
            "del" | "moveFrom" => self.deleted = self.deleted.saturating_sub(1),
            "ins" | "moveTo" => self.inserted = self.inserted.saturating_sub(1),
            "tabs" => self.tabs = self.tabs.saturating_sub(1),
            "txbxContent" | "footnote" | "endnote" | "comment" | "docPart" | "cm" | "threadedComment" => {
                self.flows.close(sheaf);
            }
            "Fallback" => {
                self.fallback = self.fallback.saturating_sub(1);
            }
            "AlternateContent" => self.chosen = false,
            "sp" | "pic" | "graphicFrame" | "cxnSp" => self.shape_hidden = false,
            _ => {}
        }
    }

    fn text(&mut self, range: Range<usize>, raw: bool, events: &Events<'t>, sheaf: &mut Sheaf) {
        let parent = events.parent(1);
        match parent {
            // Of Visio, where marks of format stand in the text.
            "t" | "delText" | "Text" => {
                let mut found = std::mem::take(&mut self.scratch);
                let deleted = if parent == "delText" { DELETED } else { 0 };
                let under = self.setting.covered.iter().any(|under| under.contains(&range.start));
                let covered = if under { COVERED } else { 0 };
                pieces(self.part, range, raw, self.marks() | deleted | covered, &mut found);
                self.flows.pieces(sheaf, &mut found);
                self.scratch = found;
            }
            // A field code may go on over several runs.
            "instrText" | "delInstrText" => {
                let mut found = Vec::new();
                pieces(self.part, range, raw, 0, &mut found);
                let code = sheaf.office(self.part.number, OfficePlace::FieldCode);
                found.iter().for_each(|piece| code.add(&piece.what));
                if code.text.ends_with(' ') {
                    code.wall();
                }
            }
            "formatCode" if self.base == OfficePlace::Chart => {
                self.format = Format::of(&decoded(self.part.text.get(range).unwrap_or_default()));
            }
            "v" if events.parent(3) == "numCache" => self.cached(range, sheaf),
            _ => self.other_text(range, raw, parent, events, sheaf),
        }
    }

    /// A number that a chart keeps, as it shows it.
    fn cached(&mut self, range: Range<usize>, sheaf: &mut Sheaf) {
        let value = self.part.text.get(range.clone()).unwrap_or_default();
        let source = self.part.base + range.start;
        let text = sheaf.office(self.part.number, OfficePlace::Chart);
        match self.setting.shown.and_then(|shown| shown.get(value)) {
            Some(known) => as_shown(known, value, source)
                .iter()
                .for_each(|piece| text.add(&piece.what)),
            None => self
                .format
                .show(value, source, false)
                .iter()
                .for_each(|what| text.add(what)),
        }
        text.add(&What::Gap('\n'));
        text.wall();
    }

    /// Text outside runs: properties, chart data, comments of spreadsheets and slides.
    fn other_text(&mut self, range: Range<usize>, raw: bool, parent: &str, events: &Events<'t>, sheaf: &mut Sheaf) {
        let (place, hidden, label) = match (&self.base, parent) {
            (OfficePlace::Property(_), _) => {
                let own = events.parent(2) == "property" && !self.label.is_empty();
                let name = if own { self.label.clone() } else { parent.to_owned() };
                let label = own.then(|| self.label.clone());
                (Location::Office(OfficePlace::Property(name)), true, label)
            }
            (_, "definedName") => (Location::Office(OfficePlace::DefinedName), true, None),
            (OfficePlace::Comment, _) => (self.place.clone(), false, None),
            _ => (self.place.clone(), self.hidden, None),
        };
        loose(self.part, range, raw, &place, hidden, label.as_deref(), sheaf);
    }
}
