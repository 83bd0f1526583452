//! Pages one by one: what a reader sees, what is there and not seen, what is covered; then the appearances of annotations.

use super::canvas::{Aside, Canvas, Cover, Glyph, Key, Sight, is_black, sights};
use super::encoding::text_string;
use super::layout::{Composed, Lines};
use super::object::{array, dict, get, name, number, numbers, resolve, sub};
use super::paint::{Painter, Work};
use super::space::{Area, Matrix};
use super::state::State;
use super::store::Store;
use super::strings::{Seen, write_units};
use super::units::{Target, Units};
use super::unread;
use crate::content::{Budget, Content, Form, SourceMap, Spent, View};
use crate::types::{Location, PartPath};
use lopdf::{Dictionary, Object, ObjectId, Stream};
use std::collections::HashSet;

/// Steps up the page tree, for inherited entries.
const PARENTS: usize = 64;

/// What all pages of one document share.
pub(super) struct Pages<'p, 'd> {
    pub store: &'p mut Store<'d>,
    pub budget: &'p mut Budget,
    pub units: &'p mut Units,
    pub work: &'p mut Work,
    pub seen: &'p mut Seen,
    /// Pictures of scanned pages that were handed out.
    pub scans: HashSet<ObjectId>,
    /// An earlier version of the document: its texts count when they are new, and are not written to a copy.
    pub earlier: bool,
}

/// An entry of a page, or of the nodes above it.
pub(super) fn inherited<'d>(store: &Store<'d>, page: &'d Dictionary, key: &[u8]) -> Option<&'d Object> {
    let mut node = page;
    for _ in 0..PARENTS {
        match get(store.doc, node, key) {
            Object::Null => node = sub(store.doc, node, b"Parent")?,
            found => return Some(found),
        }
    }
    None
}

fn area_of(store: &Store<'_>, page: &Dictionary, key: &[u8]) -> Option<Area> {
    let holder = inherited(store, page, key)?;
    let Object::Array(list) = holder else {
        return None;
    };
    let sides: Vec<f64> = list
        .iter()
        .filter_map(|object| number(resolve(store.doc, object)))
        .collect();
    let [x0, y0, x1, y1] = sides.as_slice().try_into().ok()?;
    Some(Area::between(x0, y0, x1, y1)).filter(|area| area.size() > 0.0)
}

/// The part of the page that is shown.
fn visible(store: &Store<'_>, page: &Dictionary) -> Area {
    let media = area_of(store, page, b"MediaBox").unwrap_or(Area::between(0.0, 0.0, 612.0, 792.0));
    let crop = area_of(store, page, b"CropBox").map(|crop| crop.common(media));
    crop.filter(|crop| crop.size() > 0.0).unwrap_or(media)
}

/// The content of a page: its streams one after the other with a line break between (ISO 32000-1, 7.8.2).
pub(super) fn content_of(store: &mut Store<'_>, page: &Dictionary, budget: &mut Budget) -> Vec<u8> {
    let doc = store.doc;
    let Ok(contents) = page.get(b"Contents") else {
        return Vec::new();
    };
    let single = std::slice::from_ref(contents);
    let list = match resolve(doc, contents) {
        Object::Array(list) => list.as_slice(),
        _ => single,
    };
    let mut bytes = Vec::new();
    for object in list.iter().take(4096) {
        if let Object::Reference(id) = object {
            store.visited.insert(*id);
        }
        if let Ok(stream) = resolve(doc, object).as_stream() {
            bytes.extend(store.decode(stream, budget));
            bytes.push(b'\n');
        }
    }
    bytes
}

impl Pages<'_, '_> {
    /// Reads one page; 0 is the number of one that no reader is shown.
    pub fn page(&mut self, content: &mut Content<'_>, number: u32, id: ObjectId) {
        let doc = self.store.doc;
        let Ok(page) = doc.get_dictionary(id) else {
            return;
        };
        let bytes = content_of(self.store, page, self.budget);
        let none = Dictionary::new();
        let resources = inherited(self.store, page, b"Resources")
            .and_then(dict)
            .unwrap_or(&none);
        let area = visible(self.store, page);
        let mut painter = Painter::new(self.store, self.budget, self.work);
        painter.run(
            &bytes,
            Key::Page(id),
            resources,
            State::new(Matrix::IDENTITY, Area::EVERYTHING),
        );
        let canvas = painter.canvas;
        let (notes, marks) = self.annotations(page);
        let mut sights = sights(&canvas, area, &marks).unwrap_or_else(|| {
            self.store.spent.get_or_insert(Spent::Time);
            vec![Sight::Shown; canvas.glyphs.len()]
        });
        if number == 0 {
            sights.fill(Sight::Hidden);
        }
        let place = self.place(match number {
            0 => Location::HiddenText,
            _ => Location::Page(number),
        });
        self.views(content, &canvas, &sights, &place, Some(id));
        if !self.earlier {
            unread::fonts(content, &canvas, &place);
            if let Some(scan) = unread::pictures(content, &canvas, &sights, area, &place) {
                self.scanned(content, &scan, &place);
            }
        }
        for (note, canvas) in notes {
            let hidden = |dict: &Dictionary| number_of(self.store, dict, b"F") as i64 & 0b10_0010 != 0;
            let sight = if hidden(note) { Sight::Hidden } else { Sight::Shown };
            let sights: Vec<Sight> = canvas.glyphs.iter().map(|glyph| seen_as(glyph, sight)).collect();
            let location = match name(doc, note, b"Subtype") {
                b"Widget" => Location::FormField,
                _ => Location::Annotation { page: number },
            };
            let place = self.place(location);
            self.views(content, &canvas, &sights, &place, None);
            if !self.earlier {
                unread::fonts(content, &canvas, &place);
            }
        }
    }

    fn place(&self, location: Location) -> Location {
        if self.earlier {
            Location::EarlierVersion
        } else {
            location
        }
    }

    /// A stream that nobody refers to as content, read as if it were some.
    pub fn stray(
        &mut self,
        content: &mut Content<'_>,
        id: ObjectId,
        stream: &Stream,
        resources: &Dictionary,
        dropped: bool,
    ) {
        let mut painter = Painter::new(self.store, self.budget, self.work);
        painter.form(
            Some(id),
            stream,
            resources,
            State::new(Matrix::IDENTITY, Area::EVERYTHING),
        );
        let canvas = painter.canvas;
        let sights = vec![Sight::Hidden; canvas.glyphs.len()];
        let was = self.earlier;
        self.earlier |= dropped;
        let place = self.place(Location::HiddenText);
        self.views(content, &canvas, &sights, &place, None);
        self.earlier = was;
    }

    fn views(
        &mut self,
        content: &mut Content<'_>,
        canvas: &Canvas,
        sights: &[Sight],
        place: &Location,
        page: Option<ObjectId>,
    ) {
        let earlier = self.earlier;
        let glyphs = &canvas.glyphs;
        let mut twins = Twins::default();
        let base = self.units.block(glyphs.len(), |unit, found| {
            for i in twins.of(glyphs, unit) {
                let (Some(glyph), Some(sight)) = (glyphs.get(i), sights.get(i)) else {
                    continue;
                };
                found.push(if earlier {
                    Target::Dropped
                } else {
                    let (shown, hidden) = (*sight == Sight::Shown, *sight == Sight::Hidden);
                    let glyph = Box::new(glyph.clone());
                    Target::Glyph {
                        page,
                        glyph,
                        shown,
                        hidden,
                    }
                });
            }
        });
        let lines = Lines::new(glyphs);
        let shown = lines.shown(sights, base);
        self.push(content, shown, place.clone(), false, false);
        for (kind, fake) in [(Sight::Covered, true), (Sight::Hidden, false)] {
            if sights.contains(&kind) {
                let unseen = lines.unseen(sights, kind, base);
                self.push(content, unseen, place.clone(), true, fake);
            }
        }
        if let Some(drawn) = lines.as_drawn(sights, base)
            && !earlier
        {
            self.push(content, drawn, Location::Source, false, false);
        }
        self.asides(content, &canvas.asides, place);
    }

    /// Texts that stand for what is drawn; a program that copies takes them.
    fn asides(&mut self, content: &mut Content<'_>, asides: &[Aside], place: &Location) {
        let (mut text, mut map) = (String::new(), SourceMap::new(Form::Units));
        for aside in asides {
            let chars = text_string(&aside.bytes);
            let earlier = self.earlier;
            let base = self.units.block(chars.len(), |unit, found| {
                found.push(match chars.get(unit) {
                    _ if earlier => Target::Dropped,
                    Some((_, bytes)) => Target::Aside {
                        key: aside.key,
                        token: aside.token.clone(),
                        bytes: bytes.clone(),
                    },
                    None => Target::Fixed,
                });
            });
            write_units(&mut text, &mut map, chars.iter().map(|(c, _)| *c), base);
        }
        let place = if self.earlier {
            place.clone()
        } else {
            Location::Attribute("alt".to_owned())
        };
        self.push(content, Composed { text, map }, place, true, false);
    }

    fn push(&mut self, content: &mut Content<'_>, composed: Composed, location: Location, hidden: bool, fake: bool) {
        if composed.text.trim().is_empty() {
            return;
        }
        let new = self.seen.is_new(&composed.text);
        if self.earlier && !new {
            return;
        }
        content.views.push(View {
            location,
            hidden: hidden || self.earlier,
            fake_redaction: fake,
            text: composed.text,
            map: composed.map,
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        });
    }

    /// The annotations' appearances, and what of them lies over the page.
    fn annotations<'x>(&mut self, page: &'x Dictionary) -> (Vec<(&'x Dictionary, Canvas)>, Vec<Cover>)
    where
        Self: 'x,
    {
        let doc = self.store.doc;
        let (mut notes, mut marks) = (Vec::new(), Vec::new());
        let list: Vec<&Object> = array(doc, page, b"Annots").iter().take(20_000).collect();
        for object in list {
            let Some(note) = dict(resolve(doc, object)) else {
                continue;
            };
            let area = numbers::<4>(doc, note, b"Rect").map(|[a, b, c, d]| Area::between(a, b, c, d));
            let Some(area) = area else {
                continue;
            };
            let kind = name(doc, note, b"Subtype");
            let seen = number_of(self.store, note, b"F") as i64 & 0b10_0010 == 0;
            if kind == b"Redact" {
                // Marked to be blacked out, and never carried out.
                marks.extend(
                    quads(self.store, note)
                        .unwrap_or_else(|| vec![area])
                        .into_iter()
                        .map(over),
                );
            }
            let drawn = self.appearance(note, area);
            let over_page = !matches!(kind, b"Widget" | b"Popup" | b"Underline" | b"StrikeOut" | b"Squiggly");
            if drawn.is_none() && seen {
                marks.extend(undrawn(self.store, note, kind, area));
            }
            if let Some(canvas) = drawn {
                if seen && over_page {
                    // Viewers draw a marker as if it were ink on the paper.
                    let marker = kind == b"Highlight";
                    let hides = |cover: &&Cover| !marker || cover.colour.is_some_and(is_black);
                    let last = |cover: &Cover| Cover {
                        order: u32::MAX,
                        ..cover.clone()
                    };
                    marks.extend(canvas.covers.iter().filter(hides).map(last));
                }
                notes.push((note, canvas));
            }
        }
        (notes, marks)
    }

    /// Draws the normal appearance, in all its states (ISO 32000-1, 12.5.5).
    fn appearance(&mut self, note: &Dictionary, area: Area) -> Option<Canvas> {
        let doc = self.store.doc;
        let all = sub(doc, note, b"AP")?;
        let normal = all.get(b"N").ok()?;
        let mut streams: Vec<(&Object, bool)> = Vec::new();
        match resolve(doc, normal) {
            Object::Stream(_) => streams.push((normal, true)),
            Object::Dictionary(states) => {
                let current = name(doc, note, b"AS");
                streams.extend(states.iter().map(|(state, object)| (object, state == current)));
            }
            _ => return None,
        }
        let mut painter = Painter::new(self.store, self.budget, self.work);
        for (object, current) in streams.into_iter().take(64) {
            let Ok(stream) = resolve(doc, object).as_stream() else {
                continue;
            };
            let state = State::new(onto(stream, doc, area), Area::EVERYTHING);
            let covers = painter.canvas.covers.len();
            painter.form(object.as_reference().ok(), stream, &Dictionary::new(), state);
            if !current {
                painter.canvas.covers.truncate(covers);
            }
        }
        Some(painter.canvas)
    }
}

/// Finds the glyphs that lie on a glyph and show the same: drawn twice for boldness, it is to go twice.
#[derive(Default)]
struct Twins {
    /// From left to right; made when first asked.
    order: Vec<usize>,
}

impl Twins {
    fn of(&mut self, glyphs: &[Glyph], at: usize) -> Vec<usize> {
        if self.order.len() != glyphs.len() {
            self.order = (0..glyphs.len()).collect();
            let left = |i: &usize| glyphs.get(*i).map_or(0.0, |glyph| glyph.at.0);
            self.order.sort_by(|a, b| left(a).total_cmp(&left(b)));
        }
        let Some(one) = glyphs.get(at) else {
            return Vec::new();
        };
        let reach = 0.3 * one.em();
        let left = |i: &usize| glyphs.get(*i).map_or(0.0, |glyph| glyph.at.0);
        let from = self.order.partition_point(|i| left(i) < one.at.0 - reach);
        let beside = self.order.iter().skip(from).take_while(|i| left(i) <= one.at.0 + reach);
        let near = |i: &&usize| {
            **i == at
                || glyphs.get(**i).is_some_and(|other| {
                    let (dx, dy) = (other.at.0 - one.at.0, other.at.1 - one.at.1);
                    other.text == one.text && dx.hypot(dy) < reach
                })
        };
        let mut all: Vec<usize> = beside.filter(near).copied().collect();
        // A glyph of no size, or nowhere, is still itself.
        if !all.contains(&at) {
            all.push(at);
        }
        all
    }
}

fn seen_as(glyph: &Glyph, sight: Sight) -> Sight {
    if glyph.unseen { Sight::Hidden } else { sight }
}

fn number_of(store: &Store<'_>, dict: &Dictionary, key: &[u8]) -> f64 {
    number(get(store.doc, dict, key)).unwrap_or_default()
}

fn over(area: Area) -> Cover {
    Cover {
        area,
        order: u32::MAX,
        colour: None,
        opaque: true,
        picture: false,
        image: None,
        matrix: None,
        rough: false,
    }
}

fn quads(store: &Store<'_>, note: &Dictionary) -> Option<Vec<Area>> {
    let numbers: Vec<f64> = array(store.doc, note, b"QuadPoints")
        .iter()
        .filter_map(|object| number(resolve(store.doc, object)))
        .collect();
    let quad = |points: &[f64]| {
        points.chunks(2).fold(Area::NOTHING, |area, point| match point {
            [x, y] => area.with(*x, *y),
            _ => area,
        })
    };
    let all: Vec<Area> = numbers.chunks(8).take(4096).map(quad).collect();
    (!all.is_empty()).then_some(all)
}

/// What viewers draw of a mark that has no appearance of its own, if it hides anything.
fn undrawn(store: &Store<'_>, note: &Dictionary, kind: &[u8], area: Area) -> Vec<Cover> {
    let colour = |key: &[u8]| {
        let parts = array(store.doc, note, key)
            .iter()
            .map(|object| number(resolve(store.doc, object)));
        parts.collect::<Option<Vec<f64>>>().filter(|parts| !parts.is_empty())
    };
    let dark = colour(b"C").is_some_and(|parts| match parts.as_slice() {
        [.., black] if parts.len() == 4 => *black > 0.85,
        parts => parts.iter().all(|part| *part < 0.15),
    });
    match kind {
        b"Square" | b"Polygon" | b"Circle" if colour(b"IC").is_some() => vec![over(area)],
        b"Highlight" if dark => quads(store, note)
            .unwrap_or_else(|| vec![area])
            .into_iter()
            .map(over)
            .collect(),
        _ => Vec::new(),
    }
}

/// The matrix that puts an appearance into the annotation's box.
fn onto(stream: &Stream, doc: &lopdf::Document, area: Area) -> Matrix {
    let own = numbers::<6>(doc, &stream.dict, b"Matrix").map_or(Matrix::IDENTITY, Matrix);
    let Some([x0, y0, x1, y1]) = numbers::<4>(doc, &stream.dict, b"BBox") else {
        return Matrix::shift(area.left, area.low);
    };
    let drawn = own.around(Area::between(x0, y0, x1, y1));
    let scale = |to: f64, from: f64| if from.abs() < 1e-9 { 1.0 } else { to / from };
    let (sx, sy) = (
        scale(area.right - area.left, drawn.right - drawn.left),
        scale(area.high - area.low, drawn.high - drawn.low),
    );
    Matrix([sx, 0.0, 0.0, sy, area.left - drawn.left * sx, area.low - drawn.low * sy])
}
