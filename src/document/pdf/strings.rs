//! The texts that stand in objects rather than on pages: metadata, bookmarks, notes, form values, links, names of files.
//! Every string of every object is taken, known or not; the keys around only say what to call its place.

use super::encoding::text_string;
use super::object::{dict, name};
use super::units::{Step, Target, Units};
use crate::content::{Form, SourceMap, View};
use crate::types::{Location, PartPath};
use lopdf::{Dictionary, Document, Object, ObjectId};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Objects within objects; lopdf's parser stops there too.
const DEPTH: usize = 128;
/// Between strings that have nothing to do with each other, so that no number is made of two.
pub(super) const BETWEEN: &str = "\n;\n";
/// A name with this many digits may be more than a name.
const DIGITS: usize = 8;

/// Texts seen before, as hashes: an earlier version adds only what is new.
#[derive(Default)]
pub(super) struct Seen(std::collections::HashSet<u64>);

impl Seen {
    /// Notes a text; gives whether it is new.
    pub fn is_new(&mut self, text: &str) -> bool {
        self.note(text.as_bytes())
    }

    /// The same for an attached file.
    pub fn is_new_file(&mut self, bytes: &[u8]) -> bool {
        self.note(bytes)
    }

    fn note(&mut self, bytes: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        self.0.insert(hasher.finish())
    }
}

/// Texts gathered by place.
pub(super) struct Strings<'u> {
    pub units: &'u mut Units,
    places: BTreeMap<String, (Location, String, SourceMap)>,
    /// Pages of annotations.
    pub pages: HashMap<ObjectId, u32>,
    pub info: Option<ObjectId>,
    /// A signature stands among the objects.
    pub signed: bool,
}

/// Where the walk is.
struct Spot<'s> {
    object: ObjectId,
    path: Vec<Step>,
    /// The objects are not written to the copy.
    dropped: bool,
    seen: &'s mut Seen,
}

impl<'u> Strings<'u> {
    pub fn new(units: &'u mut Units) -> Strings<'u> {
        Strings {
            units,
            places: BTreeMap::new(),
            pages: HashMap::new(),
            info: None,
            signed: false,
        }
    }

    /// Takes all strings of one object; `place` overrides what the keys say.
    pub fn object(&mut self, doc: &Document, id: ObjectId, object: &Object, place: Option<&Location>, seen: &mut Seen) {
        let start = match place {
            Some(place) => place.clone(),
            None if self.info == Some(id) => Location::Metadata,
            None => Location::HiddenText,
        };
        let mut spot = Spot {
            object: id,
            path: Vec::new(),
            dropped: place.is_some(),
            seen,
        };
        self.walk(doc, object, &start, &mut spot);
    }

    fn walk(&mut self, doc: &Document, object: &Object, place: &Location, spot: &mut Spot<'_>) {
        if spot.path.len() >= DEPTH {
            return;
        }
        match object {
            Object::String(bytes, _) => self.string(bytes, place, spot),
            Object::Name(name) if name.iter().filter(|b| b.is_ascii_digit()).count() >= DIGITS => {
                let text = String::from_utf8_lossy(name).into_owned();
                self.fixed(&text, place, spot);
            }
            Object::Array(list) => {
                // A palette: bytes, not text.
                if matches!(list.first(), Some(Object::Name(name)) if name == b"Indexed" || name == b"I") {
                    return;
                }
                for (i, object) in list.iter().enumerate() {
                    spot.path.push(Step::Index(i));
                    self.walk(doc, object, place, spot);
                    spot.path.pop();
                }
            }
            Object::Dictionary(_) | Object::Stream(_) => {
                if let Some(dict) = dict(object) {
                    self.dictionary(doc, dict, place, spot);
                }
            }
            _ => {}
        }
    }

    fn dictionary(&mut self, doc: &Document, dict: &Dictionary, place: &Location, spot: &mut Spot<'_>) {
        let signature = dict.has(b"ByteRange") && dict.has(b"Contents");
        self.signed |= signature && !spot.dropped;
        let own = if spot.dropped {
            None
        } else {
            self.place(doc, dict, spot.object)
        };
        let place = own.as_ref().unwrap_or(place);
        for (key, value) in dict.iter() {
            if signature && key == b"Contents" || matches!(key.as_slice(), b"Parent" | b"ID" | b"Length") {
                continue;
            }
            if key.iter().filter(|b| b.is_ascii_digit()).count() >= DIGITS {
                self.fixed(&String::from_utf8_lossy(key), place, spot);
            }
            spot.path.push(Step::Key(key.clone()));
            self.walk(doc, value, place, spot);
            spot.path.pop();
        }
    }

    /// What to call the strings of a dictionary.
    fn place(&self, doc: &Document, dict: &Dictionary, object: ObjectId) -> Option<Location> {
        let has = |key: &str| dict.has(key.as_bytes());
        if has("FT") || name(doc, dict, b"Subtype") == b"Widget" || has("T") && (has("Kids") || has("V")) {
            return Some(Location::FormField);
        }
        if has("Rect") && has("Subtype") {
            let page = self.pages.get(&object).copied().unwrap_or_default();
            return Some(Location::Annotation { page });
        }
        if has("Title") && has("Parent") {
            return Some(Location::Bookmark);
        }
        if has("URI") {
            return Some(Location::Link);
        }
        if has("EF") || name(doc, dict, b"Type") == b"Filespec" {
            return Some(Location::FileName);
        }
        if has("ActualText") || has("Alt") || name(doc, dict, b"Type") == b"StructElem" {
            return Some(Location::Attribute("alt".to_owned()));
        }
        None
    }

    fn string(&mut self, bytes: &[u8], place: &Location, spot: &mut Spot<'_>) {
        let chars = text_string(bytes);
        if !chars.iter().any(|(c, _)| c.is_alphanumeric()) {
            return;
        }
        let text: String = chars.iter().map(|(c, _)| *c).collect();
        if spot.dropped && !spot.seen.is_new(&text) {
            return;
        }
        if !spot.dropped {
            spot.seen.is_new(&text);
        }
        let target = |unit: usize, found: &mut Vec<Target>| {
            found.push(match chars.get(unit) {
                _ if spot.dropped => Target::Dropped,
                Some((_, bytes)) => Target::Text {
                    object: spot.object,
                    path: spot.path.clone(),
                    bytes: bytes.clone(),
                },
                None => Target::Fixed,
            });
        };
        let base = self.units.block(chars.len(), target);
        self.add(place, chars.iter().map(|(c, _)| *c), base);
    }

    fn fixed(&mut self, text: &str, place: &Location, spot: &mut Spot<'_>) {
        if spot.dropped && !spot.seen.is_new(text) {
            return;
        }
        let dropped = spot.dropped;
        let base = self.units.block(text.chars().count(), |_, found| {
            found.push(if dropped { Target::Dropped } else { Target::Fixed });
        });
        self.add(place, text.chars(), base);
    }

    /// The data of a stream that is text, byte for byte.
    pub fn data(&mut self, id: ObjectId, bytes: &[u8], place: &Location, dropped: bool, seen: &mut Seen) {
        let chars = text_string(bytes);
        let text: String = chars.iter().map(|(c, _)| *c).collect();
        if !seen.is_new(&text) && dropped {
            return;
        }
        let target = |unit: usize, found: &mut Vec<Target>| {
            let range: Option<Range<usize>> = chars.get(unit).map(|(_, bytes)| bytes.clone());
            found.push(match range {
                _ if dropped => Target::Dropped,
                Some(bytes) => Target::Data { object: id, bytes },
                None => Target::Fixed,
            });
        };
        let base = self.units.block(chars.len(), target);
        self.add(place, chars.iter().map(|(c, _)| *c), base);
    }

    fn add(&mut self, place: &Location, chars: impl Iterator<Item = char>, base: usize) {
        let slot = self.places.entry(format!("{place:?}"));
        let (_, text, map) = slot.or_insert_with(|| (place.clone(), String::new(), SourceMap::new(Form::Units)));
        if !text.is_empty() {
            text.push_str(BETWEEN);
        }
        write_units(text, map, chars, base);
    }

    pub fn views(self) -> impl Iterator<Item = View> {
        self.places.into_values().map(|(location, text, map)| View {
            hidden: is_hidden(&location),
            fake_redaction: false,
            location,
            text,
            map,
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        })
    }
}

/// Appends characters, the first of them being unit `base`.
pub(super) fn write_units(text: &mut String, map: &mut SourceMap, chars: impl Iterator<Item = char>, base: usize) {
    for (unit, c) in (base..).zip(chars) {
        let start = text.len();
        text.push(c);
        if c.is_ascii() {
            map.linear(start, unit, 1);
        } else {
            map.unit(start..text.len(), unit..unit + 1);
        }
    }
}

/// A reader of the document is not shown it without asking for it.
fn is_hidden(location: &Location) -> bool {
    !matches!(
        location,
        Location::FormField | Location::Annotation { .. } | Location::Bookmark | Location::FileName
    )
}
