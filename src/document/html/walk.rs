//! From tags to texts: what is shown, what is hidden, what stands in attributes.

use super::element;
use super::sink::{Gap, Manner, Sink};
use super::style::{self, Display, Hidden, Style};
use super::token::{Attribute, Token, Tokens};
use crate::content::{Budget, Spent};
use std::collections::BTreeMap;
use std::ops::Range;

/// Browsers stop nesting at about this depth too; deeper elements lie flat.
const DEPTH: usize = 512;
/// Different attribute names kept apart; the rest share one.
const NAMES: usize = 100;

/// Which language the source is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// HTML.
    Html,
    /// XML of unknown meaning: every element stands for itself.
    Xml,
    /// Office or OpenDocument XML: runs touch.
    Office,
}

/// One open element.
struct Open {
    name: String,
    display: Display,
    hidden: bool,
    tiny: bool,
    unseen: bool,
    pre: bool,
    color: String,
    background: String,
    /// Its text runs from right to left, digits too.
    turned: bool,
}

/// The texts gathered from one source.
pub(super) struct Walk<'t> {
    text: &'t str,
    dialect: Dialect,
    stack: Vec<Open>,
    sheets: Hidden,
    /// As displayed.
    pub shown: Sink,
    /// In the source, not displayed.
    pub hidden: Sink,
    /// In its own dark colour: blacked out to the eye, and still there.
    pub covered: Sink,
    /// Displayed or not, in order: a number may stand half in each.
    pub all: Sink,
    /// Places in `all` where shown and hidden text meet.
    pub seams: Vec<usize>,
    was_hidden: bool,
    /// By attribute name.
    pub attributes: BTreeMap<String, Sink>,
    /// Values that are percent-encoded, embedded data or documents: for a closer look.
    pub special: Vec<(String, Range<usize>)>,
}

impl<'t> Walk<'t> {
    /// Walks all of `text`; stops when time is up, and says so.
    pub fn over(text: &'t str, dialect: Dialect, budget: &Budget) -> (Walk<'t>, Result<(), Spent>) {
        let mut walk = Walk {
            text,
            dialect,
            stack: Vec::new(),
            sheets: Hidden::default(),
            shown: Sink::new(),
            hidden: Sink::new(),
            covered: Sink::new(),
            all: Sink::new(),
            seams: Vec::new(),
            was_hidden: false,
            attributes: BTreeMap::new(),
            special: Vec::new(),
        };
        let outcome = walk.range(0..text.len(), false, budget);
        (walk, outcome)
    }

    fn html(&self) -> bool {
        self.dialect == Dialect::Html
    }

    fn get(&self, range: &Range<usize>) -> &'t str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Walks a range; `inside` a comment everything is hidden and comments do not nest.
    fn range(&mut self, range: Range<usize>, inside: bool, budget: &Budget) -> Result<(), Spent> {
        let mut tokens = Tokens::new(self.text, range, !self.html());
        let mut count = 0u32;
        while let Some(token) = tokens.next() {
            count = count.wrapping_add(1);
            if count.is_multiple_of(4096) {
                budget.in_time()?;
            }
            match token {
                Token::Text(range) => self.chars(range, inside),
                Token::Cdata(range) => self.put(range, Manner::RAW, inside),
                Token::Comment(range) if !inside && self.get(&range).contains('<') => {
                    let depth = self.stack.len();
                    self.hidden.gap(Gap::Line);
                    self.range(range, true, budget)?;
                    self.hidden.gap(Gap::Line);
                    self.stack.truncate(depth);
                }
                Token::Comment(range) | Token::Dropped(range) => self.aside(range),
                Token::End { name, all } => self.end(name, all, inside),
                Token::Start {
                    name,
                    attributes,
                    closed,
                    all,
                } => {
                    let raw = self.start(name, &attributes, closed, all, inside);
                    if let Some(name) = raw {
                        let range = tokens.raw_text(&name);
                        self.raw(&name, range, inside);
                    }
                }
            }
        }
        Ok(())
    }

    fn concealed(&self, inside: bool) -> bool {
        inside || self.stack.last().is_some_and(Open::concealed)
    }

    /// Text between tags.
    fn chars(&mut self, range: Range<usize>, inside: bool) {
        let text = self.get(&range);
        if !self.html() && text.trim_ascii().is_empty() && text.contains('\n') {
            return self.gap(Gap::Line, inside);
        }
        let pre = self.stack.last().is_some_and(|open| open.pre);
        self.put(range, Manner { pre, references: true }, inside);
    }

    fn put(&mut self, range: Range<usize>, manner: Manner, inside: bool) {
        let concealed = self.concealed(inside);
        if inside {
            self.hidden.piece(self.text, range, manner);
            return;
        }
        if concealed != self.was_hidden {
            self.was_hidden = concealed;
            self.seams.push(self.all.text.len());
        }
        self.all.piece(self.text, range.clone(), manner);
        if concealed {
            if self.stack.last().is_some_and(Open::covered) {
                self.covered.piece(self.text, range.clone(), manner);
            }
            self.hidden.piece(self.text, range, manner);
        } else {
            self.covered.gap(Gap::Line);
            self.shown.piece(self.text, range, manner);
            self.hidden.gap(Gap::Line);
        }
    }

    /// Source that is shown to nobody and has no structure.
    fn aside(&mut self, range: Range<usize>) {
        self.hidden.line(self.text, range, Manner::RAW);
    }

    fn gap(&mut self, gap: Gap, inside: bool) {
        self.hidden.gap(gap);
        if !inside {
            self.all.gap(gap);
        }
        if !self.concealed(inside) {
            self.shown.gap(gap);
        }
    }

    /// Content of `script`, `title` and their like.
    fn raw(&mut self, name: &str, range: Range<usize>, inside: bool) {
        if name == "style" {
            let sheet = self.get(&range);
            self.sheets.learn(sheet);
        }
        let references = matches!(name, "title" | "textarea");
        if matches!(name, "iframe" | "noembed" | "noframes" | "xmp") {
            self.special.push(("content".to_owned(), range.clone()));
        }
        if element::is_hidden(name) || inside {
            self.hidden.line(self.text, range, Manner { pre: true, references });
        } else {
            self.put(range, Manner { pre: true, references }, inside);
        }
    }

    /// A start tag; gives its name when its content is no markup.
    fn start(
        &mut self,
        name: Range<usize>,
        attributes: &[Attribute],
        closed: bool,
        all: Range<usize>,
        inside: bool,
    ) -> Option<String> {
        let name = self.get(&name).to_ascii_lowercase();
        self.attributes(&name, attributes, all.clone());
        while self.html() && self.stack.last().is_some_and(|open| element::ends(&open.name, &name)) {
            self.close(inside);
        }
        let open = self.open(&name, attributes);
        if self.html() && element::is_raw(&name) {
            if !element::is_hidden(&name) {
                self.gap(gap_of(open.display), inside);
            }
            return Some(name);
        }
        if !open.hidden || inside {
            self.gap(self.boundary(&name, open.display), inside);
        } else {
            self.hidden.gap(gap_of(open.display));
        }
        self.character_of(&name, all, inside);
        let void = if self.html() { element::is_void(&name) } else { closed };
        if void {
            self.gap(self.boundary(&name, open.display), inside);
        } else if self.stack.len() < DEPTH {
            let turned = open.turned;
            self.stack.push(open);
            if turned {
                self.mark('\u{202e}');
            }
        }
        None
    }

    /// A mark of direction, which stands for an element.
    fn mark(&mut self, mark: char) {
        self.all.unit(mark, 0..0);
        match self.concealed(false) {
            true => self.hidden.unit(mark, 0..0),
            false => self.shown.unit(mark, 0..0),
        }
    }

    /// Office elements that stand for a character.
    fn character_of(&mut self, name: &str, all: Range<usize>, inside: bool) {
        if self.dialect != Dialect::Office || self.concealed(inside) {
            return;
        }
        let c = match local(name) {
            "nobreakhyphen" => '-',
            "s" => ' ',
            _ => return,
        };
        self.shown.unit(c, all.clone());
        self.all.unit(c, all);
    }

    fn boundary(&self, name: &str, display: Display) -> Gap {
        match self.dialect {
            Dialect::Html => gap_of(display),
            _ if matches!(local(name), "row" | "tr" | "p" | "si" | "table-row" | "h" | "br") => Gap::Line,
            Dialect::Office if element::runs_on(local(name)) => Gap::None,
            // SVG writes a tspan where the font or the place changes.
            Dialect::Xml if local(name) == "tspan" => Gap::None,
            _ => Gap::Tab,
        }
    }

    fn open(&self, name: &str, attributes: &[Attribute]) -> Open {
        let outer = self.stack.last();
        let value = |wanted: &str| {
            let find = |a: &&Attribute| self.get(&a.name).eq_ignore_ascii_case(wanted);
            attributes.iter().find(find).map(|a| self.decoded(&a.value))
        };
        let style = if self.html() {
            value("style").map_or_else(Style::default, |css| style::declarations(&css))
        } else {
            Style::default()
        };
        let inherit = |own: Option<String>, outer: Option<&String>, initial: &str| {
            own.unwrap_or_else(|| outer.map_or_else(|| initial.to_owned(), Clone::clone))
        };
        let attribute = |name: &str| value(name).as_deref().and_then(style::color);
        let text_color = style.color.or_else(|| {
            if name == "font" {
                attribute("color")
            } else if name == "body" {
                attribute("text")
            } else {
                None
            }
        });
        let by_sheet = self.html()
            && self
                .sheets
                .covers(&value("class").unwrap_or_default(), &value("id").unwrap_or_default());
        let hidden = self.html() && (element::is_hidden(name) || style.hidden || by_sheet || value("hidden").is_some());
        Open {
            display: style.display.unwrap_or_else(|| element::display(name)),
            hidden: hidden || outer.is_some_and(|o| o.hidden),
            tiny: style.tiny.unwrap_or_else(|| outer.is_some_and(|o| o.tiny)),
            unseen: style.unseen.unwrap_or_else(|| outer.is_some_and(|o| o.unseen)),
            pre: style.pre || (self.html() && element::is_pre(name)) || outer.is_some_and(|o| o.pre),
            color: inherit(text_color, outer.map(|o| &o.color), "000000"),
            background: inherit(
                style.background.or_else(|| attribute("bgcolor")),
                outer.map(|o| &o.background),
                "ffffff",
            ),
            turned: self.html()
                && (style.turned || name == "bdo" && value("dir").is_some_and(|dir| dir.eq_ignore_ascii_case("rtl"))),
            name: name.to_owned(),
        }
    }

    /// An attribute value with its references decoded, for looking at only.
    fn decoded(&self, value: &Range<usize>) -> String {
        let mut sink = Sink::new();
        sink.piece(self.text, value.clone(), Manner::VALUE);
        sink.text
    }

    fn attributes(&mut self, element: &str, attributes: &[Attribute], all: Range<usize>) {
        let mut left_over = digits(element);
        for attribute in attributes {
            let name = self.get(&attribute.name).to_ascii_lowercase();
            left_over += digits(&name);
            if attribute.value.is_empty() {
                continue;
            }
            let value = self.get(&attribute.value);
            if (element::is_address(&name) && (value.contains('%') || value.contains("ata:")))
                || value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"))
                || name == "srcdoc"
            {
                self.special.push((name.clone(), attribute.value.clone()));
            }
            // Embedded pictures are read as what they are, not as base64.
            if value.len() > 4096 && value.contains(";base64,") {
                continue;
            }
            let known = self.attributes.contains_key(&name);
            let name = if known || self.attributes.len() < NAMES {
                name
            } else {
                "other".to_owned()
            };
            let sink = self.attributes.entry(name).or_insert_with(Sink::new);
            sink.line(self.text, attribute.value.clone(), Manner::VALUE);
        }
        // Six digits where no digit belongs: the tag itself is text to somebody.
        if left_over >= 6 {
            self.aside(all);
        }
    }

    fn end(&mut self, name: Range<usize>, all: Range<usize>, inside: bool) {
        if digits(self.get(&all)) >= 6 {
            self.aside(all);
        }
        let name = self.get(&name).to_ascii_lowercase();
        match self.stack.iter().rposition(|open| open.name == name) {
            Some(depth) => {
                while self.stack.len() > depth {
                    self.close(inside);
                }
            }
            None if self.html() && name != "br" && name != "p" => {}
            None => self.gap(self.boundary(&name, element::display(&name)), inside),
        }
    }

    fn close(&mut self, inside: bool) {
        if self.stack.last().is_some_and(|open| open.turned) {
            self.mark('\u{202c}');
        }
        if let Some(open) = self.stack.pop() {
            let gap = self.boundary(&open.name, open.display);
            // What is not there makes no gap in what is.
            if open.hidden && !self.concealed(inside) {
                self.hidden.gap(gap.max(Gap::None));
            } else {
                self.gap(gap, inside);
            }
        }
    }
}

impl Open {
    /// Of one colour with its ground, and that is not the white of paper.
    fn covered(&self) -> bool {
        let light = |pair: &str| u8::from_str_radix(pair, 16).is_ok_and(|value| value > 0xc0);
        let pale = self.background.len() == 6
            && [0..2, 2..4, 4..6]
                .into_iter()
                .all(|pair| self.background.get(pair).is_some_and(light));
        self.color == self.background && self.color != "transparent" && !pale
    }

    fn concealed(&self) -> bool {
        self.hidden || self.tiny || self.unseen || self.color == self.background || self.color == "transparent"
    }
}

fn gap_of(display: Display) -> Gap {
    match display {
        Display::Inline => Gap::None,
        Display::Block => Gap::Line,
        Display::Cell => Gap::Tab,
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}
