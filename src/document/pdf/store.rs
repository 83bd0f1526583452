//! The document's streams, decoded within the budget, its fonts and layers; remembers what was damaged.

use super::font::Font;
use super::object::{array, get, name, reference, resolve, sub};
use crate::content::{Budget, Spent};
use crate::document::inflate::{End, inflate};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Decoded forms kept for their next use.
const CACHE: usize = 16 << 20;

/// One document being read.
pub(super) struct Store<'d> {
    pub doc: &'d Document,
    /// Streams that were read for what they are.
    pub visited: HashSet<ObjectId>,
    /// A stream that matters was damaged or is packed in an unknown way.
    pub broken: bool,
    /// The first limit that was reached.
    pub spent: Option<Spent>,
    fonts: HashMap<ObjectId, Rc<Font>>,
    forms: HashMap<ObjectId, Rc<Vec<u8>>>,
    cached: usize,
    hidden_layers: HashSet<ObjectId>,
}

impl<'d> Store<'d> {
    pub fn new(doc: &'d Document) -> Store<'d> {
        Store {
            doc,
            visited: HashSet::new(),
            broken: false,
            spent: None,
            fonts: HashMap::new(),
            forms: HashMap::new(),
            cached: 0,
            hidden_layers: hidden_layers(doc),
        }
    }

    /// Notes a limit; gives whether there is any use in going on.
    pub fn in_time(&mut self, budget: &Budget) -> bool {
        if let Err(spent) = budget.in_time() {
            self.spent.get_or_insert(spent);
        }
        self.spent.is_none()
    }

    /// A stream's data without its filters, as far as it goes.
    pub fn decode(&mut self, stream: &Stream, budget: &mut Budget) -> Vec<u8> {
        match decode(self.doc, stream, budget) {
            Ok((bytes, whole)) => {
                self.broken |= !whole;
                bytes
            }
            Err(spent) => {
                self.spent.get_or_insert(spent);
                Vec::new()
            }
        }
    }

    /// The same for a form that may be drawn many times.
    pub fn form(&mut self, id: Option<ObjectId>, stream: &Stream, budget: &mut Budget) -> Rc<Vec<u8>> {
        if let Some(bytes) = id.and_then(|id| self.forms.get(&id)) {
            return Rc::clone(bytes);
        }
        let bytes = Rc::new(self.decode(stream, budget));
        if let Some(id) = id.filter(|_| self.cached + bytes.len() <= CACHE) {
            self.cached += bytes.len();
            self.forms.insert(id, Rc::clone(&bytes));
        }
        bytes
    }

    /// A font of these resources.
    pub fn font(&mut self, resources: &Dictionary, key: &[u8], budget: &mut Budget) -> Rc<Font> {
        let doc = self.doc;
        let Some(fonts) = sub(doc, resources, b"Font") else {
            return Rc::new(Font::unknown());
        };
        let id = reference(fonts, key);
        if let Some(font) = id.and_then(|id| self.fonts.get(&id)) {
            return Rc::clone(font);
        }
        let font = match sub(doc, fonts, key) {
            Some(font) => Rc::new(Font::load(doc, font, &mut |object| {
                if let Object::Reference(id) = object {
                    self.visited.insert(*id);
                }
                let stream = resolve(doc, object).as_stream().ok()?;
                decode(doc, stream, budget).ok().map(|(bytes, _)| bytes)
            })),
            None => Rc::new(Font::unknown()),
        };
        if let Some(id) = id {
            self.fonts.insert(id, Rc::clone(&font));
        }
        font
    }

    /// Whether an optional-content group or membership (ISO 32000-1, 8.11) is not shown.
    pub fn is_off(&self, object: &Object) -> bool {
        if let Object::Reference(id) = object
            && self.hidden_layers.contains(id)
        {
            return true;
        }
        let Some(membership) = super::object::dict(resolve(self.doc, object)) else {
            return false;
        };
        let off = |object: &Object| matches!(object, Object::Reference(id) if self.hidden_layers.contains(id));
        let groups: Vec<bool> = match membership.get(b"OCGs") {
            Ok(one @ Object::Reference(_)) if resolve(self.doc, one).as_array().is_err() => vec![off(one)],
            _ => array(self.doc, membership, b"OCGs").iter().map(off).collect(),
        };
        if groups.is_empty() {
            return false;
        }
        match name(self.doc, membership, b"P") {
            b"AllOn" => groups.contains(&true),
            b"AnyOff" => !groups.contains(&true),
            b"AllOff" => groups.contains(&false),
            _ => !groups.contains(&false),
        }
    }
}

/// The groups that a viewer does not show at first.
fn hidden_layers(doc: &Document) -> HashSet<ObjectId> {
    let mut hidden = HashSet::new();
    let Some(properties) = doc
        .catalog()
        .ok()
        .and_then(|catalog| sub(doc, catalog, b"OCProperties"))
    else {
        return hidden;
    };
    let refs = |parent: &Dictionary, key: &[u8]| -> Vec<ObjectId> {
        let all = array(doc, parent, key).iter();
        all.filter_map(|object| object.as_reference().ok()).collect()
    };
    if let Some(config) = sub(doc, properties, b"D") {
        if name(doc, config, b"BaseState") == b"OFF" {
            hidden.extend(refs(properties, b"OCGs"));
            for id in refs(config, b"ON") {
                hidden.remove(&id);
            }
        }
        hidden.extend(refs(config, b"OFF"));
    }
    hidden
}

/// A stream's data without its filters, and whether that is all of it.
pub(super) fn decode(doc: &Document, stream: &Stream, budget: &mut Budget) -> Result<(Vec<u8>, bool), Spent> {
    const RATIO_FROM: u64 = 1 << 20;
    let parameters = get(doc, &stream.dict, b"DecodeParms");
    let predictor = match parameters {
        Object::Dictionary(dict) => dict.has(b"Predictor"),
        Object::Array(_) => true,
        _ => false,
    };
    let filter = get(doc, &stream.dict, b"Filter");
    if stream.content.is_empty() {
        return Ok((Vec::new(), true));
    }
    let flate = match filter {
        Object::Null => {
            budget.produce(stream.content.len() as u64)?;
            return Ok((stream.content.clone(), true));
        }
        Object::Name(name) => is_flate(name),
        Object::Array(list) => matches!(list.as_slice(), [Object::Name(name)] if is_flate(name)),
        _ => false,
    };
    let mut whole = true;
    if flate {
        // Some programs leave the two bytes of RFC 1950 away.
        let skip = if zlib_header(&stream.content) { 2 } else { 0 };
        let out = inflate(stream.content.get(skip..).unwrap_or_default(), budget);
        whole = match out.end {
            End::Spent(spent) => return Err(spent),
            end => end == End::Whole,
        };
        if !predictor {
            return Ok((out.bytes, whole));
        }
    }
    let ratio = (stream.content.len() as u64)
        .saturating_mul(budget.limits().ratio)
        .max(RATIO_FROM);
    let most = usize::try_from(budget.bytes_left().min(ratio)).unwrap_or(usize::MAX);
    let mut plain = Stream::new(Dictionary::new(), Vec::new());
    plain.content.clone_from(&stream.content);
    // lopdf does not follow references here.
    plain.dict.set("Filter", direct(doc, filter));
    plain.dict.set("DecodeParms", direct(doc, parameters));
    match plain.decompressed_content_with_limit(most) {
        Ok(bytes) => {
            budget.produce(bytes.len() as u64)?;
            Ok((bytes, whole))
        }
        Err(lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. })) => Err(Spent::Bytes),
        Err(_) => Ok((Vec::new(), false)),
    }
}

fn is_flate(name: &[u8]) -> bool {
    matches!(name, b"FlateDecode" | b"Fl")
}

/// RFC 1950, 2.2: deflate, no preset dictionary.
fn zlib_header(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..]
        if first & 15 == 8 && second & 32 == 0 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Filters and parameters with their references followed and their short names (8.9.7) written out.
fn direct(doc: &Document, object: &Object) -> Object {
    match resolve(doc, object) {
        Object::Array(list) => Object::Array(list.iter().take(64).map(|object| direct_one(doc, object)).collect()),
        other => direct_one(doc, other),
    }
}

fn direct_one(doc: &Document, object: &Object) -> Object {
    match resolve(doc, object) {
        Object::Name(name) => Object::Name(
            match name.as_slice() {
                b"Fl" => b"FlateDecode".as_slice(),
                b"AHx" => b"ASCIIHexDecode",
                b"A85" => b"ASCII85Decode",
                b"LZW" => b"LZWDecode",
                b"RL" => b"RunLengthDecode",
                other => other,
            }
            .to_vec(),
        ),
        Object::Dictionary(dict) => {
            let entries = dict
                .iter()
                .take(64)
                .map(|(key, value)| (key.clone(), resolve(doc, value).clone()));
            Object::Dictionary(entries.collect())
        }
        other => other.clone(),
    }
}
