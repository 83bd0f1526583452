//! A copy without the targets: their glyphs taken out of the content, a box drawn in their place, everything else written
//! once, in its latest version.

use super::canvas::{Canvas, Glyph, Key, Origin};
use super::encoding::Written;
use super::object::{dict, resolve};
use super::page::{content_of, inherited};
use super::paint::{Painter, Work};
use super::space::{Area, Matrix};
use super::state::State;
use super::store::{Store, decode};
use super::token::{Token, Tokens};
use super::units::{Gone, Step, Target, Units};
use super::{label, recognised, scan};
use crate::content::{Budget, CannotEdit, Changes, Content, Limits, Splice, splice};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Start and end of each piece that is to go, and what comes in its place.
type Spans<'t> = BTreeMap<(usize, usize), &'t str>;

/// Everything that is to go, by what it is in.
#[derive(Default)]
struct Plan<'t> {
    /// By content, by operator: operand and bytes, and how far each moved the pen.
    glyphs: BTreeMap<Key, BTreeMap<(u32, u32), Vec<&'t Origin>>>,
    /// By content, by token.
    asides: BTreeMap<Key, BTreeMap<(usize, usize), Spans<'t>>>,
    texts: BTreeMap<(ObjectId, &'t [Step]), Spans<'t>>,
    data: BTreeMap<ObjectId, Spans<'t>>,
    boxes: BTreeMap<ObjectId, Vec<(&'t Glyph, &'t str)>>,
    /// By page: glyphs that nobody sees.
    hidden: BTreeMap<ObjectId, Vec<&'t Glyph>>,
}

impl<'t> Plan<'t> {
    fn of(gone: &'t [Gone]) -> Result<Plan<'t>, CannotEdit> {
        let mut plan = Plan::default();
        for Gone { target, with } in gone {
            match target {
                Target::Glyph {
                    page,
                    glyph,
                    shown,
                    hidden,
                } => {
                    let range = (glyph.origin.range.start, glyph.origin.range.end);
                    let content = plan.glyphs.entry(glyph.origin.key).or_default();
                    content.entry(range).or_default().push(&glyph.origin);
                    if let Some(page) = page {
                        let boxes = plan.boxes.entry(*page).or_default();
                        boxes.extend(shown.then_some((glyph.as_ref(), with.as_str())));
                        if *hidden {
                            plan.hidden.entry(*page).or_default().push(glyph);
                        }
                    }
                }
                Target::Aside { key, token, bytes } => {
                    let content = plan.asides.entry(*key).or_default();
                    let edits = content.entry((token.start, token.end)).or_default();
                    edits.insert((bytes.start, bytes.end), with);
                }
                Target::Text { object, path, bytes } => {
                    let edits = plan.texts.entry((*object, path.as_slice())).or_default();
                    edits.insert((bytes.start, bytes.end), with);
                }
                Target::Data { object, bytes } => {
                    let edits = plan.data.entry(*object).or_default();
                    edits.insert((bytes.start, bytes.end), with);
                }
                Target::Dropped => {}
                Target::Fixed => return Err(CannotEdit::Unsupported("a name in the PDF document")),
            }
        }
        if plan.glyphs.contains_key(&Key::Nowhere) || plan.asides.contains_key(&Key::Nowhere) {
            return Err(CannotEdit::Unsupported("content written where it is used"));
        }
        Ok(plan)
    }
}

/// Writes the copy.
pub(super) fn erase(
    mut doc: Document,
    units: &Units,
    content: &Content<'_>,
    changes: &Changes,
) -> Result<Vec<u8>, CannotEdit> {
    let plan = Plan::of(&units.found)?;
    let mut budget = Budget::new(Limits::default());
    for (page, glyphs) in &plan.hidden {
        let (canvas, _) = drawn(&doc, *page, &mut budget)?;
        recognised::is_gone_from(&doc, &canvas, glyphs, units, content, changes)?;
    }
    let keys: BTreeSet<Key> = plan.glyphs.keys().chain(plan.asides.keys()).copied().collect();
    let pages = plan.boxes.keys().map(|page| Key::Page(*page));
    let keys: BTreeSet<Key> = keys.into_iter().chain(pages).collect();
    let mut written = Vec::new();
    for key in keys {
        written.push((key, edited(&doc, key, &plan, &mut budget)?));
    }
    let mut replaced = BTreeSet::new();
    for (key, bytes) in written {
        if let Key::Page(page) = key {
            replaced.extend(streams_of(&doc, page));
        }
        put_content(&mut doc, key, bytes)?;
        if let Key::Page(page) = key
            && plan.boxes.get(&page).is_some_and(|glyphs| label::writes(glyphs))
        {
            label::font(&mut doc, page)?;
        }
    }
    for ((object, path), edits) in &plan.texts {
        let root = doc.objects.get_mut(object).ok_or_else(unsound)?;
        edit_text(root, path, edits)?;
    }
    for (object, edits) in &plan.data {
        let stream = doc
            .objects
            .get(object)
            .and_then(|object| object.as_stream().ok())
            .ok_or_else(unsound)?;
        let (data, _) = decode(&doc, stream, &mut budget).map_err(|_| unsound())?;
        let edited = marked(&data, edits)?;
        put_stream(&mut doc, *object, edited)?;
    }
    for (child, bytes) in &changes.children {
        if let Some(id) = units.scans.get(child) {
            scan::put_back(&mut doc, *id, bytes)?;
            continue;
        }
        let id = units.files.get(child).ok_or_else(unsound)?;
        put_stream(&mut doc, *id, bytes.clone())?;
        if let Some(Object::Stream(stream)) = doc.objects.get_mut(id)
            && let Ok(parameters) = stream.dict.get_mut(b"Params").and_then(Object::as_dict_mut)
        {
            parameters.remove(b"CheckSum");
            parameters.set("Size", bytes.len() as i64);
        }
    }
    save(doc, &replaced)
}

/// The content streams of a page.
fn streams_of(doc: &Document, page: ObjectId) -> Vec<ObjectId> {
    let contents = doc
        .get_dictionary(page)
        .ok()
        .and_then(|page| page.get(b"Contents").ok());
    let single = contents.map(std::slice::from_ref).unwrap_or_default();
    let list = match contents.map(|contents| resolve(doc, contents)) {
        Some(Object::Array(list)) => list.as_slice(),
        _ => single,
    };
    list.iter().filter_map(|object| object.as_reference().ok()).collect()
}

fn unsound() -> CannotEdit {
    CannotEdit::Unsound("the PDF document does not read twice alike".to_owned())
}

/// New bytes of one content.
fn edited(doc: &Document, key: Key, plan: &Plan<'_>, budget: &mut Budget) -> Result<Vec<u8>, CannotEdit> {
    let mut store = Store::new(doc);
    let bytes = match key {
        Key::Page(page) => {
            let page = doc.get_dictionary(page).map_err(|_| unsound())?;
            content_of(&mut store, page, budget)
        }
        Key::Stream(id) => {
            let stream = doc
                .objects
                .get(&id)
                .and_then(|object| object.as_stream().ok())
                .ok_or_else(unsound)?;
            store.decode(stream, budget)
        }
        Key::Nowhere => return Err(unsound()),
    };
    let mut splices = Vec::new();
    for ((start, end), gone) in plan.glyphs.get(&key).into_iter().flatten() {
        let range = *start as usize..*end as usize;
        let operator = bytes.get(range.clone()).ok_or_else(unsound)?;
        let with = without(operator, gone)?;
        splices.push(Splice { range, with });
    }
    for ((start, end), edits) in plan.asides.get(&key).into_iter().flatten() {
        let range = *start..*end;
        let token = bytes.get(range.clone()).ok_or_else(unsound)?;
        let Some((Token::Text(text), _)) = Tokens::new(token).next_token() else {
            return Err(unsound());
        };
        let mut with = Vec::new();
        write_string(&mut with, &marked(&text, edits)?);
        splices.push(Splice { range, with });
    }
    let mut edited = splice(&bytes, splices)?;
    if let Key::Page(page) = key
        && let Some(glyphs) = plan.boxes.get(&page).filter(|glyphs| !glyphs.is_empty())
    {
        let (_, (matrix, open)) = drawn(doc, page, budget)?;
        label::draw(&mut edited, glyphs, matrix, open);
    }
    Ok(edited)
}

/// What a page's content draws; the matrix at its end, once the states that are still open are closed.
fn drawn(doc: &Document, page: ObjectId, budget: &mut Budget) -> Result<(Canvas, (Matrix, usize)), CannotEdit> {
    let none = Dictionary::new();
    let key = Key::Page(page);
    let page = doc.get_dictionary(page).map_err(|_| unsound())?;
    let (mut store, mut work) = (Store::new(doc), Work::default());
    let bytes = content_of(&mut store, page, budget);
    let resources = inherited(&store, page, b"Resources").and_then(dict).unwrap_or(&none);
    let mut painter = Painter::new(&mut store, budget, &mut work);
    let state = State::new(Matrix::IDENTITY, Area::EVERYTHING);
    let end = painter.run(&bytes, key, resources, state);
    Ok((painter.canvas, end))
}

/// The operator without some glyphs: a `TJ` that moves the pen over where they stood. Neighbours that go together leave one
/// number, so that it does not tell one width from the next.
fn without(operator: &[u8], gone: &[&Origin]) -> Result<Vec<u8>, CannotEdit> {
    let operation = Tokens::new(operator).operation(Vec::new()).ok_or_else(unsound)?;
    let mut out = Vec::new();
    match operator.get(operation.operator.clone()).unwrap_or_default() {
        b"'" => out.extend_from_slice(b"T* "),
        b"\"" => {
            let number = |i: usize| match operation.operands.get(i) {
                Some((Token::Number(value), _)) => *value,
                _ => 0.0,
            };
            out.extend_from_slice(format!("{} Tw {} Tc T* ", number(0), number(1)).as_bytes());
        }
        _ => {}
    }
    let array = operator.ends_with(b"TJ");
    out.push(b'[');
    let mut back = 0.0;
    for (i, (token, _)) in operation.operands.iter().enumerate() {
        match token {
            Token::Number(value) if array => back += value,
            Token::Text(text) => {
                let mut here: Vec<(Range<usize>, f32)> = gone
                    .iter()
                    .filter(|origin| origin.operand as usize == i)
                    .map(|origin| (origin.bytes.start as usize..origin.bytes.end as usize, origin.back))
                    .collect();
                here.sort_by_key(|(range, _)| range.start);
                here.dedup_by_key(|(range, _)| range.start);
                let mut at = 0;
                for (range, moved) in here {
                    piece(&mut out, text.get(at..range.start).ok_or_else(unsound)?, &mut back);
                    back += f64::from(moved);
                    at = range.end;
                }
                piece(&mut out, text.get(at..).ok_or_else(unsound)?, &mut back);
            }
            _ => {}
        }
    }
    if back != 0.0 {
        write_number(&mut out, back);
    }
    out.extend_from_slice(b"] TJ");
    Ok(out)
}

fn piece(out: &mut Vec<u8>, text: &[u8], back: &mut f64) {
    if text.is_empty() {
        return;
    }
    if *back != 0.0 {
        write_number(out, std::mem::take(back));
    }
    write_string(out, text);
}

fn write_number(out: &mut Vec<u8>, value: f64) {
    let text = format!("{value:.4}");
    out.extend_from_slice(text.trim_end_matches('0').trim_end_matches('.').as_bytes());
    out.push(b' ');
}

fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'<');
    out.extend(text.iter().flat_map(|b| format!("{b:02x}").into_bytes()));
    out.push(b'>');
}

/// The bytes with each of the ranges written over.
fn marked(bytes: &[u8], edits: &Spans<'_>) -> Result<Vec<u8>, CannotEdit> {
    let written = Written::of(bytes);
    let splices = edits.iter().map(|((start, end), with)| Splice {
        range: *start..*end,
        with: written.encode(with),
    });
    splice(bytes, splices.collect())
}

fn edit_text(object: &mut Object, path: &[Step], edits: &Spans<'_>) -> Result<(), CannotEdit> {
    let mut object = object;
    for step in path {
        object = match (step, object) {
            (Step::Index(i), Object::Array(list)) => list.get_mut(*i).ok_or_else(unsound)?,
            (Step::Key(key), Object::Dictionary(dict)) => dict.get_mut(key).map_err(|_| unsound())?,
            (Step::Key(key), Object::Stream(stream)) => stream.dict.get_mut(key).map_err(|_| unsound())?,
            _ => return Err(unsound()),
        };
    }
    let Object::String(bytes, format) = object else {
        return Err(unsound());
    };
    *bytes = marked(bytes, edits)?;
    if !bytes.is_ascii() {
        *format = StringFormat::Hexadecimal;
    }
    Ok(())
}

fn put_stream(doc: &mut Document, id: ObjectId, data: Vec<u8>) -> Result<(), CannotEdit> {
    let Some(Object::Stream(stream)) = doc.objects.get_mut(&id) else {
        return Err(unsound());
    };
    let packed = stream.dict.has(b"Filter");
    stream.set_plain_content(data);
    if packed {
        stream.compress().map_err(|_| unsound())?;
    }
    Ok(())
}

fn put_content(doc: &mut Document, key: Key, data: Vec<u8>) -> Result<(), CannotEdit> {
    match key {
        Key::Page(page) => {
            // Other pages may share the streams of this one: it gets one of its own.
            let mut stream = Stream::new(Dictionary::new(), data);
            stream.compress().map_err(|_| unsound())?;
            let id = doc.add_object(stream);
            let page = doc.get_dictionary_mut(page).map_err(|_| unsound())?;
            page.set("Contents", Object::Reference(id));
            Ok(())
        }
        Key::Stream(id) => put_stream(doc, id, data),
        Key::Nowhere => Err(unsound()),
    }
}

/// Writes the whole document, without what nothing leads to, without pictures of its pages as they were, and without
/// programs' private copies of its data.
fn save(mut doc: Document, replaced: &BTreeSet<ObjectId>) -> Result<Vec<u8>, CannotEdit> {
    for object in doc.objects.values_mut() {
        let dict = match object {
            Object::Dictionary(dict) => dict,
            Object::Stream(stream) => &mut stream.dict,
            _ => continue,
        };
        dict.remove(b"PieceInfo");
        dict.remove(b"Thumb");
    }
    for key in ["Prev", "XRefStm"] {
        doc.trailer.remove(key.as_bytes());
    }
    doc.prune_objects();
    // What pages drew before may be held by something else that leads to it, but to no page.
    let is_page = |object: &Object| matches!(object, Object::Dictionary(dict) if dict.has_type(b"Page"));
    let pages = doc
        .objects
        .iter()
        .filter(|(_, object)| is_page(object))
        .map(|(id, _)| *id);
    let drawn: BTreeSet<ObjectId> = pages.flat_map(|page| streams_of(&doc, page)).collect();
    for id in replaced.difference(&drawn) {
        if let Some(Object::Stream(stream)) = doc.objects.get_mut(id) {
            stream.set_plain_content(Vec::new());
        }
    }
    // The table says how many objects there are, and qpdf minds.
    doc.max_id = doc.objects.keys().next_back().map_or(0, |id| id.0);
    let mut out = Vec::new();
    doc.save_to(&mut out)
        .map_err(|_| CannotEdit::Unsound("the PDF document could not be written".to_owned()))?;
    Ok(out)
}
