//! Carries out the operators of a content stream on a [`Canvas`] (ISO 32000-1, annex A): the glyph walker. For each glyph it
//! knows what it stands for, where it is, and which operator drew it.

use super::canvas::{Aside, Canvas, Cover, Glyph, Key, Origin, is_black};
use super::font::Font;
use super::object::{name, numbers, resolve, sub};
use super::outline::Outline;
use super::space::{Area, Matrix};
use super::state::{Paint, State};
use super::store::Store;
use super::token::{Operation, Token, Tokens};
use crate::content::{Budget, Spent};
use lopdf::{Dictionary, ObjectId, Stream};
use std::ops::Range;
use std::rc::Rc;

/// Forms within forms.
const DEPTH: usize = 24;
/// Graphics states saved at a time.
const SAVED: usize = 512;
/// Operators of one document: far above any real one, and a few seconds of work.
const OPERATORS: usize = 20 << 20;
/// Glyphs and covers of one page.
const GLYPHS: usize = 1 << 20;
const COVERS: usize = 1 << 16;

/// Limits that all pages of a document share.
#[derive(Default)]
pub(super) struct Work {
    pub operators: usize,
}

/// Carries out content.
pub(super) struct Painter<'p, 'd> {
    pub store: &'p mut Store<'d>,
    pub budget: &'p mut Budget,
    pub work: &'p mut Work,
    pub canvas: Canvas,
    order: u32,
    forms: Vec<ObjectId>,
    /// Inside content that is switched off.
    off: usize,
}

/// What belongs to one content stream.
struct Run<'r> {
    bytes: &'r [u8],
    key: Key,
    resources: &'r Dictionary,
    state: State,
    saved: Vec<State>,
    matrix: Matrix,
    line: Matrix,
    path: Outline,
    pen: (f64, f64),
    /// Marked content: whether each level is switched off.
    marks: Vec<bool>,
}

impl<'p, 'd> Painter<'p, 'd> {
    pub fn new(store: &'p mut Store<'d>, budget: &'p mut Budget, work: &'p mut Work) -> Painter<'p, 'd> {
        Painter {
            store,
            budget,
            work,
            canvas: Canvas::default(),
            order: 0,
            forms: Vec::new(),
            off: 0,
        }
    }

    /// Carries out `bytes`; gives the matrix that a box appended to them would be under, and the states left open.
    pub fn run(&mut self, bytes: &[u8], key: Key, resources: &Dictionary, state: State) -> (Matrix, usize) {
        let mut run = Run {
            bytes,
            key,
            resources,
            saved: Vec::new(),
            matrix: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            path: Outline::default(),
            pen: (0.0, 0.0),
            marks: Vec::new(),
            state,
        };
        let mut tokens = Tokens::new(bytes);
        let mut reuse = Vec::new();
        while let Some(operation) = tokens.operation(reuse) {
            self.work.operators += 1;
            if self.work.operators > OPERATORS {
                self.store.spent.get_or_insert(Spent::Time);
            }
            if self.work.operators.is_multiple_of(1024) {
                self.store.in_time(self.budget);
            }
            if self.store.spent.is_some() {
                break;
            }
            if bytes.get(operation.operator.clone()) == Some(b"BI") {
                tokens.skip_inline_image();
                self.picture(&run.state, false, None);
            } else {
                self.operation(&mut run, &operation);
            }
            reuse = operation.operands;
        }
        self.off -= run.marks.iter().filter(|off| **off).count();
        let first = run.saved.first().map_or(run.state.ctm, |state| state.ctm);
        (first, run.saved.len())
    }

    fn operation(&mut self, run: &mut Run<'_>, operation: &Operation) {
        let operands = operation.operands.as_slice();
        let operator = run.bytes.get(operation.operator.clone()).unwrap_or_default();
        match operator {
            b"Tj" | b"TJ" | b"'" | b"\"" => self.show_operator(run, operator, operation),
            b"q" if run.saved.len() < SAVED => run.saved.push(run.state.clone()),
            b"Q" => {
                if let Some(state) = run.saved.pop() {
                    run.state = state;
                }
            }
            b"cm" => {
                if let Some(matrix) = floats::<6>(operands) {
                    run.state.ctm = Matrix(matrix).then(run.state.ctm);
                }
            }
            b"gs" => {
                if let Some(key) = last_name(operands) {
                    run.state.extended(self.store, run.resources, key);
                }
            }
            b"Do" => self.draw(run, operands),
            b"BMC" | b"BDC" | b"DP" | b"EMC" => self.mark(run, operator, operands),
            b"sh" => {
                let (area, colours) = (run.state.clip, run.state.fill.of_no_colour());
                self.cover(&run.state, area, &colours, false);
            }
            _ if self.text_operator(run, operator, operands) => {}
            _ if colour_operator(self.store, run, operator, operands) => {}
            _ => self.path_operator(run, operator, operands),
        }
    }

    /// Text state and position (9.3, 9.4.2).
    fn text_operator(&mut self, run: &mut Run<'_>, operator: &[u8], operands: &[(Token, Range<usize>)]) -> bool {
        let one = || floats::<1>(operands).map(|[value]| value);
        let state = &mut run.state;
        match operator {
            b"BT" => (run.matrix, run.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            b"ET" => {}
            b"Tf" => {
                if let Some((Token::Name(key), _)) = operands.iter().rev().nth(1) {
                    state.font = Some(self.store.font(run.resources, key, self.budget));
                }
                state.size = one().unwrap_or(state.size);
            }
            b"Tc" => state.char_space = one().unwrap_or(0.0),
            b"Tw" => state.word_space = one().unwrap_or(0.0),
            b"Tz" => state.stretch = one().unwrap_or(100.0) / 100.0,
            b"TL" => state.leading = one().unwrap_or(0.0),
            b"Ts" => state.rise = one().unwrap_or(0.0),
            b"Tr" => state.mode = one().unwrap_or(0.0).clamp(0.0, 7.0) as u8,
            b"Tm" => {
                if let Some(matrix) = floats::<6>(operands) {
                    (run.matrix, run.line) = (Matrix(matrix), Matrix(matrix));
                }
            }
            b"Td" | b"TD" => {
                if let Some([x, y]) = floats::<2>(operands) {
                    if operator == b"TD" {
                        state.leading = -y;
                    }
                    run.next_line(x, y);
                }
            }
            b"T*" => run.next_line(0.0, -run.state.leading),
            _ => return false,
        }
        true
    }

    fn show_operator(&mut self, run: &mut Run<'_>, operator: &[u8], operation: &Operation) {
        let operands = operation.operands.as_slice();
        if operator == b"\""
            && let Some([word, char]) = operands.get(..2).and_then(floats::<2>)
        {
            (run.state.word_space, run.state.char_space) = (word, char);
        }
        if matches!(operator, b"'" | b"\"") {
            run.next_line(0.0, -run.state.leading);
        }
        let range = operation.range.start as u32..operation.range.end as u32;
        for (i, (token, _)) in operands.iter().enumerate() {
            match token {
                Token::Text(text) => self.show(run, text, &range, i as u32),
                Token::Number(back) if operator == b"TJ" => {
                    let state = &run.state;
                    let step = -back / 1000.0 * state.size;
                    let vertical = state.font.as_ref().is_some_and(|font| font.vertical);
                    let shift = if vertical {
                        (0.0, step)
                    } else {
                        (step * state.stretch, 0.0)
                    };
                    run.matrix = Matrix::shift(shift.0, shift.1).then(run.matrix);
                }
                _ => {}
            }
        }
    }

    fn show(&mut self, run: &mut Run<'_>, text: &[u8], range: &Range<u32>, operand: u32) {
        let font = run.state.font.clone().unwrap_or_else(|| Rc::new(Font::unknown()));
        let state = &run.state;
        let paint = if matches!(state.mode, 1 | 5) {
            &state.stroke
        } else {
            &state.fill
        };
        let faint = paint.alpha < 0.02;
        let (colour, invisible) = (paint.colour, matches!(state.mode, 3 | 7) || faint || self.off > 0);
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            if self.canvas.glyphs.len() >= GLYPHS {
                self.store.spent.get_or_insert(Spent::Bytes);
                return;
            }
            let code = font.next(rest);
            let extra = state.char_space + if code.space { state.word_space } else { 0.0 };
            let (dx, dy, em) = if font.vertical {
                (0.0, -state.size + extra, -1.0)
            } else {
                ((code.width * state.size + extra) * state.stretch, 0.0, code.width)
            };
            let back = if state.size == 0.0 {
                0.0
            } else {
                -(em + extra / state.size) * 1000.0
            };
            let page = run.matrix.then(state.ctm);
            let (start, end) = (page.apply(0.0, state.rise), page.apply(dx, dy + state.rise));
            let top = page.apply(0.0, state.rise + state.size * font.em);
            let glyph = Glyph {
                text: code.text,
                at: start,
                advance: (end.0 - start.0, end.1 - start.1),
                up: (top.0 - start.0, top.1 - start.1),
                order: self.order,
                colour,
                unseen: invisible,
                origin: Origin {
                    key: run.key,
                    range: range.clone(),
                    operand,
                    bytes: at as u32..(at + code.len) as u32,
                    back: back as f32,
                },
            };
            let cut = !state.clip.grown(0.5).holds(glyph.centre()) || glyph.em() < 0.8;
            self.canvas.glyphs.push(Glyph {
                unseen: glyph.unseen || cut,
                ..glyph
            });
            run.matrix = Matrix::shift(dx, dy).then(run.matrix);
            at += code.len;
        }
        self.order += 1;
    }

    fn path_operator(&mut self, run: &mut Run<'_>, operator: &[u8], operands: &[(Token, Range<usize>)]) {
        let ctm = run.state.ctm;
        match operator {
            b"m" | b"l" => {
                if let Some([x, y]) = floats::<2>(operands) {
                    run.pen = (x, y);
                    let point = ctm.apply(x, y);
                    if operator == b"m" {
                        run.path.start(point)
                    } else {
                        run.path.on(point)
                    }
                }
            }
            b"c" => {
                if let Some([x1, y1, x2, y2, x3, y3]) = floats::<6>(operands) {
                    for (x, y) in [(x1, y1), (x2, y2), (x3, y3)] {
                        run.path.on(ctm.apply(x, y));
                    }
                }
            }
            b"v" | b"y" => {
                if let Some([x2, y2, x3, y3]) = floats::<4>(operands) {
                    run.path.on(ctm.apply(x2, y2));
                    run.path.on(ctm.apply(x3, y3));
                }
            }
            b"re" => {
                if let Some(sides) = floats::<4>(operands) {
                    run.path.rectangle(ctm, sides);
                }
            }
            b"W" | b"W*" => run.path.clips = true,
            b"f" | b"F" | b"f*" | b"S" | b"s" | b"B" | b"B*" | b"b" | b"b*" | b"n" => self.paint_path(run, operator),
            _ => {}
        }
    }

    fn paint_path(&mut self, run: &mut Run<'_>, operator: &[u8]) {
        let path = std::mem::take(&mut run.path);
        let state = &run.state;
        if matches!(operator, b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*") {
            self.canvas.outlines += path.segments;
            for (area, rough) in path.filled(operator.ends_with(b"*")) {
                self.cover(state, area, &state.fill, rough);
            }
        }
        if matches!(operator, b"S" | b"s" | b"B" | b"B*" | b"b" | b"b*") {
            let [a, b, c, d, ..] = state.ctm.0;
            let pen = state.line_width * (a * d - b * c).abs().sqrt();
            for area in path.stroked(pen) {
                self.cover(state, area, &state.stroke, false);
            }
        }
        if path.clips
            && let Some(area) = path.area()
        {
            run.state.clip = run.state.clip.common(area);
        }
    }

    fn cover(&mut self, state: &State, area: Area, paint: &Paint, rough: bool) {
        let black = paint.colour.is_some_and(is_black);
        self.lay(Cover {
            area: area.common(state.clip),
            order: self.order,
            colour: paint.colour,
            // Black stays black however it is mixed with what is under it.
            opaque: paint.alpha > 0.9 && !state.masked && (!state.blended || black),
            picture: false,
            image: None,
            matrix: None,
            rough,
        });
    }

    fn picture(&mut self, state: &State, clear: bool, image: Option<ObjectId>) {
        self.lay(Cover {
            area: state.ctm.around(Area::UNIT).common(state.clip),
            order: self.order,
            colour: None,
            opaque: !clear && state.fill.alpha > 0.9 && !state.masked && !state.blended,
            picture: true,
            image,
            matrix: Some(state.ctm),
            rough: false,
        });
    }

    fn lay(&mut self, cover: Cover) {
        if self.off == 0 && self.canvas.covers.len() < COVERS {
            self.canvas.covers.push(cover);
        }
        self.order += 1;
    }

    fn draw(&mut self, run: &mut Run<'_>, operands: &[(Token, Range<usize>)]) {
        let doc = self.store.doc;
        let objects = sub(doc, run.resources, b"XObject");
        let Some(object) = last_name(operands).and_then(|key| objects?.get(key).ok()) else {
            return;
        };
        let Ok(stream) = resolve(doc, object).as_stream() else {
            return;
        };
        let id = object.as_reference().ok();
        let off = stream.dict.get(b"OC").is_ok_and(|layer| self.store.is_off(layer));
        self.off += usize::from(off);
        match name(doc, &stream.dict, b"Subtype") {
            b"Image" => {
                self.store.visited.extend(id);
                let clear = [b"SMask".as_slice(), b"Mask", b"ImageMask"]
                    .iter()
                    .any(|key| stream.dict.has(key));
                self.picture(&run.state, clear, id);
            }
            _ => self.form(id, stream, run.resources, run.state.clone()),
        }
        self.off -= usize::from(off);
    }

    /// A form XObject, or an appearance, with `state` as it is where it is drawn.
    pub fn form(&mut self, id: Option<ObjectId>, stream: &Stream, outer: &Dictionary, mut state: State) {
        if self.forms.len() >= DEPTH || id.is_some_and(|id| self.forms.contains(&id)) {
            return;
        }
        self.store.visited.extend(id);
        self.work.operators += 64;
        let doc = self.store.doc;
        if let Some(matrix) = numbers::<6>(doc, &stream.dict, b"Matrix") {
            state.ctm = Matrix(matrix).then(state.ctm);
        }
        if let Some([x0, y0, x1, y1]) = numbers::<4>(doc, &stream.dict, b"BBox") {
            state.clip = state.clip.common(state.ctm.around(Area::between(x0, y0, x1, y1)));
        }
        let bytes = self.store.form(id, stream, self.budget);
        let resources = sub(doc, &stream.dict, b"Resources").unwrap_or(outer);
        self.forms.push(id.unwrap_or((0, 0)));
        self.run(&bytes, id.map_or(Key::Nowhere, Key::Stream), resources, state);
        self.forms.pop();
    }

    /// Marked content (14.6): layers, and texts that stand for what is drawn.
    fn mark(&mut self, run: &mut Run<'_>, operator: &[u8], operands: &[(Token, Range<usize>)]) {
        match operator {
            b"EMC" => {
                if run.marks.pop() == Some(true) {
                    self.off -= 1;
                }
                return;
            }
            b"DP" => {}
            _ if run.marks.len() > 4096 => {}
            _ => {
                let layer = matches!(operands, [(Token::Name(tag), _), ..] if tag == b"OC");
                let doc = self.store.doc;
                let properties = sub(doc, run.resources, b"Properties");
                let group = last_name(operands)
                    .filter(|_| layer)
                    .and_then(|key| properties?.get(key).ok());
                let off = group.is_some_and(|group| self.store.is_off(group));
                self.off += usize::from(off);
                run.marks.push(off);
            }
        }
        for (token, place) in operands {
            if let Token::Text(bytes) = token
                && bytes.len() > 1
            {
                self.canvas.asides.push(Aside {
                    key: run.key,
                    token: place.clone(),
                    bytes: bytes.clone(),
                });
            }
        }
    }
}

impl Run<'_> {
    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::shift(x, y).then(self.line);
        self.matrix = self.line;
    }
}

fn colour_operator(store: &Store<'_>, run: &mut Run<'_>, operator: &[u8], operands: &[(Token, Range<usize>)]) -> bool {
    match operator {
        b"g" | b"rg" | b"k" => run.state.fill.device(operands),
        b"G" | b"RG" | b"K" => run.state.stroke.device(operands),
        b"sc" | b"scn" => run.state.fill.set(operands),
        b"SC" | b"SCN" => run.state.stroke.set(operands),
        b"cs" | b"CS" => {
            let paint = if operator == b"cs" {
                &mut run.state.fill
            } else {
                &mut run.state.stroke
            };
            if let Some(key) = last_name(operands) {
                paint.choose(store, run.resources, key);
            }
        }
        b"w" => run.state.line_width = floats::<1>(operands).map_or(1.0, |[width]| width),
        _ => return false,
    }
    true
}

/// The last `N` operands, if they are numbers.
fn floats<const N: usize>(operands: &[(Token, Range<usize>)]) -> Option<[f64; N]> {
    let mut out = [0.0; N];
    let from = operands.len().checked_sub(N)?;
    for (slot, (token, _)) in out.iter_mut().zip(operands.get(from..)?) {
        match token {
            Token::Number(value) => *slot = *value,
            _ => return None,
        }
    }
    Some(out)
}

fn last_name(operands: &[(Token, Range<usize>)]) -> Option<&[u8]> {
    match operands.last() {
        Some((Token::Name(name), _)) => Some(name),
        _ => None,
    }
}
