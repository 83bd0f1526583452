//! What lies over what: filled shapes and pictures drawn over text, which hide it from the eye and from nobody else. Only what the file
//! itself says of positions is used; where a line of a Word document ends up on paper it does not say.

use super::xml::{Event, Events, Tag};
use crate::content::{Budget, Spent};
use std::ops::Range;

/// A rectangle of cells.
pub(super) struct Cells {
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Cells {
    pub fn contains(&self, column: u32, row: u32) -> bool {
        self.columns.contains(&column) && self.rows.contains(&row)
    }
}

/// Shapes of one part that are looked at; each is compared with those above it.
const MOST: usize = 500;

/// One shape.
#[derive(Default)]
struct Shape {
    /// Where it stands in the part.
    source: Range<usize>,
    /// Where the outermost paragraph around it begins.
    paragraph: Option<usize>,
    /// Left, top, width, height.
    place: [i64; 4],
    group: usize,
    filled: bool,
    empty: bool,
    clear: bool,
    black: bool,
    /// Its text has a colour of its own that is not black, or one that its style chooses.
    coloured: bool,
    text: bool,
    picture: bool,
    /// It floats over the text.
    over: bool,
    from: [i64; 4],
    to: [i64; 4],
}

impl Shape {
    fn covers(&self) -> bool {
        (self.filled || self.picture) && !self.empty && !self.clear
    }

    /// It lies on most of the other, or mostly on the other.
    fn lies_on(&self, other: &Shape) -> bool {
        let side = |at: usize, size: usize| {
            let end = |shape: &Shape| shape.place[at].saturating_add(shape.place[size]);
            (end(self).min(end(other)) - self.place[at].max(other.place[at])).max(0)
        };
        let area = |shape: &Shape| shape.place[2] as f64 * shape.place[3] as f64;
        let common = side(0, 2) as f64 * side(1, 3) as f64;
        self.group == other.group && common > 0.0 && (common >= 0.5 * area(other) || common >= 0.6 * area(self))
    }
}

/// Stretches of a slide's or document's source whose text is covered.
pub(super) fn texts(part: &str, budget: &Budget) -> Result<Vec<Range<usize>>, Spent> {
    // The small parts of a package, and most documents, have no shape at all.
    if memchr::memmem::find(part.as_bytes(), b"spPr").is_none() {
        return Ok(Vec::new());
    }
    let (shapes, paragraphs) = shapes(part, budget)?;
    let mut covered = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        let above = shapes.get(index + 1..).unwrap_or_default();
        let hidden = shape.black && !shape.coloured || above.iter().any(|over| over.covers() && over.lies_on(shape));
        if shape.text && hidden {
            covered.push(shape.source.clone());
        }
        let floats = shape.over && shape.covers() && !shape.picture && !shape.text;
        if let Some(start) = shape.paragraph.filter(|_| floats) {
            covered.extend(paragraphs.iter().find(|range| range.start == start).cloned());
        }
    }
    Ok(covered)
}

/// Cells of a sheet that its drawing covers.
pub(super) fn cells(drawing: &str, budget: &Budget) -> Result<Vec<Cells>, Spent> {
    let (shapes, _) = shapes(drawing, budget)?;
    let covering = shapes.iter().filter(|shape| shape.covers() && shape.group == 0);
    Ok(covering.map(Shape::cells).collect())
}

impl Shape {
    /// A cell counts when much of it is covered; offsets are in units of 1/914,400 inch, a cell is some 600,000 by 190,000.
    fn cells(&self) -> Cells {
        let from = |at: usize, most: i64| self.from[at] + i64::from(self.from[at + 1] > most);
        let to = |at: usize, least: i64| self.to[at] + i64::from(self.to[at + 1] > least);
        let range = |from: i64, to: i64| {
            let number = |value: i64| u32::try_from(value.max(0)).unwrap_or(u32::MAX);
            number(from)..number(to)
        };
        Cells {
            columns: range(from(0, 300_000), to(0, 150_000)),
            rows: range(from(2, 100_000), to(2, 60_000)),
        }
    }
}

/// The shapes of a part from the lowest to the highest, and its outermost paragraphs.
fn shapes(part: &str, budget: &Budget) -> Result<(Vec<Shape>, Vec<Range<usize>>), Spent> {
    let mut reading = Reading::default();
    let mut events = Events::of(part);
    while let Some(event) = events.next(budget)? {
        match event {
            Event::Start(tag) => reading.start(&tag, &events),
            Event::End(name) => reading.end(name),
            Event::Text(range, _) => {
                let text = part.get(range.clone()).unwrap_or_default();
                reading.at = range.end;
                reading.text(text, &events);
            }
            Event::Aside(_) => {}
        }
    }
    Ok((reading.shapes, reading.paragraphs))
}

#[derive(Default)]
struct Reading {
    shapes: Vec<Shape>,
    /// Those that stand open, the innermost last; `None` is one too many.
    open: Vec<Option<usize>>,
    groups: Vec<usize>,
    paragraphs: Vec<Range<usize>>,
    depth: u32,
    start_of_paragraph: usize,
    over: bool,
    from: [i64; 4],
    to: [i64; 4],
    /// End of what was read last.
    at: usize,
}

impl Reading {
    fn shape(&mut self) -> Option<&mut Shape> {
        let index = (*self.open.last()?)?;
        self.shapes.get_mut(index)
    }

    fn start(&mut self, tag: &Tag<'_>, events: &Events<'_>) {
        self.at = tag.all.end;
        let parent = events.parent(2);
        match tag.name {
            "p" => {
                if self.depth == 0 {
                    self.start_of_paragraph = tag.all.start;
                }
                self.depth += 1;
            }
            "grpSp" | "wgp" => self.groups.push(tag.all.start),
            "anchor" => self.over = !tag.yes("behindDoc"),
            "wrapSquare" | "wrapTight" | "wrapThrough" | "wrapTopAndBottom" => self.over = false,
            "sp" | "pic" | "wsp" => self.open(tag),
            _ => self.look(tag, parent, events),
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if self.shapes.len() >= MOST {
            return self.open.push(None);
        }
        self.open.push(Some(self.shapes.len()));
        self.shapes.push(Shape {
            source: tag.all.start..tag.all.end,
            paragraph: (self.depth > 0).then_some(self.start_of_paragraph),
            group: self.groups.last().copied().unwrap_or(0),
            picture: tag.name == "pic",
            over: self.over,
            from: self.from,
            to: self.to,
            ..Shape::default()
        });
    }

    /// How the shape in hand looks.
    fn look(&mut self, tag: &Tag<'_>, parent: &str, events: &Events<'_>) {
        let number = |name: &str| {
            tag.get(name)
                .and_then(|value| value.trim().parse::<i64>().ok())
                .unwrap_or(0)
        };
        let black = matches!(
            (tag.name, tag.get("val")),
            ("srgbClr", Some("000000")) | ("schemeClr", Some("tx1" | "dk1")) | ("prstClr", Some("black"))
        );
        let colour = matches!(tag.name, "srgbClr" | "schemeClr" | "prstClr" | "sysClr");
        let (second, third) = (events.parent(3), events.parent(4));
        let Some(shape) = self.shape() else { return };
        match (tag.name, parent) {
            ("off", "xfrm") => (shape.place[0], shape.place[1]) = (number("x"), number("y")),
            ("ext", "xfrm") => (shape.place[2], shape.place[3]) = (number("cx"), number("cy")),
            ("noFill", "spPr") => shape.empty = true,
            ("solidFill" | "gradFill" | "pattFill" | "blipFill", "spPr") => shape.filled = true,
            ("fillRef", _) => shape.filled |= number("idx") > 0,
            ("fontRef", _) => shape.coloured = true,
            ("alpha", _) if second == "solidFill" && third == "spPr" => shape.clear = number("val") < 90_000,
            _ if colour && parent == "solidFill" && second == "spPr" => shape.black = black,
            _ if colour && parent == "solidFill" && second == "rPr" => shape.coloured = !black,
            _ => {}
        }
    }

    fn text(&mut self, text: &str, events: &Events<'_>) {
        let side = match events.parent(1) {
            "col" => 0,
            "colOff" => 1,
            "row" => 2,
            "rowOff" => 3,
            "t" => {
                if let Some(shape) = self.shape().filter(|_| !text.trim().is_empty()) {
                    shape.text = true;
                }
                return;
            }
            _ => return,
        };
        let value = text.trim().parse().unwrap_or(0);
        match events.parent(2) {
            "from" => self.from[side] = value,
            "to" => self.to[side] = value,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        let at = self.at;
        match name {
            "p" => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.paragraphs.push(self.start_of_paragraph..at);
                }
            }
            "grpSp" | "wgp" => {
                self.groups.pop();
            }
            "anchor" => self.over = false,
            "sp" | "pic" | "wsp" => {
                if let Some(shape) = self.shape() {
                    shape.source.end = at;
                }
                self.open.pop();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    fn slide(first: &str, second: &str) -> usize {
        let shape = |place: &str, fill: &str, text: &str| {
            format!(
                "<p:sp><p:spPr><a:xfrm>{place}</a:xfrm>{fill}</p:spPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
            )
        };
        let large = r#"<a:off x="0" y="0"/><a:ext cx="900" cy="100"/>"#;
        let part = format!(
            "<p:sld>{}{}</p:sld>",
            shape(large, first, "tekst"),
            shape(second, "<a:solidFill/>", "")
        );
        texts(&part, &Budget::new(Limits::default())).expect("in time").len()
    }

    #[test]
    fn a_filled_shape_over_a_text_covers_it_and_one_beside_it_does_not() {
        assert_eq!(slide("", r#"<a:off x="300" y="20"/><a:ext cx="200" cy="50"/>"#), 1);
        assert_eq!(slide("", r#"<a:off x="300" y="200"/><a:ext cx="200" cy="50"/>"#), 0);
        let black = r#"<a:solidFill><a:srgbClr val="000000"/></a:solidFill>"#;
        assert_eq!(slide(black, r#"<a:off x="300" y="200"/><a:ext cx="200" cy="50"/>"#), 1);
    }

    #[test]
    fn a_drawing_covers_the_cells_between_its_corners() {
        let corner = |name: &str, column: u32, row: u32| {
            format!(
                "<xdr:{name}><xdr:col>{column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:{name}>"
            )
        };
        let part = format!(
            "<xdr:wsDr><xdr:twoCellAnchor>{}{}<xdr:sp><xdr:spPr><a:solidFill/></xdr:spPr></xdr:sp></xdr:twoCellAnchor></xdr:wsDr>",
            corner("from", 1, 1),
            corner("to", 3, 2)
        );
        let cells = cells(&part, &Budget::new(Limits::default())).expect("in time");
        assert!(cells[0].contains(1, 1) && cells[0].contains(2, 1));
        assert!(!cells[0].contains(3, 1) && !cells[0].contains(1, 2) && !cells[0].contains(0, 1));
    }
}
