//! Streams that no page draws: attached files, metadata, and whatever else may hold text.

use super::encoding::text_string;
use super::object::{dict, get, name, resolve, sub};
use super::page::Pages;
use super::strings::BETWEEN;
use super::token::{Token, Tokens, is_space};
use crate::content::{Child, Content, Hint};
use crate::document::charset;
use crate::types::{Location, PartPath};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The data of one stream, to be read as text.
pub(super) struct Data {
    pub id: ObjectId,
    pub bytes: Vec<u8>,
    pub place: Location,
    /// No copy keeps it (a drawing is a program's private copy, `erase` leaves those away).
    pub dropped: bool,
}

/// What a stream is by its dictionary.
enum Kind {
    File,
    Metadata,
    Content,
    /// Fonts, pictures, profiles, functions, tables of objects: no text.
    Other,
    Unknown,
}

fn kind(doc: &Document, stream: &Stream) -> Kind {
    let dict = &stream.dict;
    let has = |keys: &[&str]| keys.iter().any(|key| dict.has(key.as_bytes()));
    match (name(doc, dict, b"Type"), name(doc, dict, b"Subtype")) {
        (b"XRef" | b"ObjStm" | b"CMap" | b"Sound", _) => Kind::Other,
        (b"EmbeddedFile", _) => Kind::File,
        (b"Metadata", _) | (_, b"XML") => Kind::Metadata,
        (_, b"Image" | b"Type1C" | b"CIDFontType0C" | b"OpenType") => Kind::Other,
        (_, b"Form") => Kind::Content,
        _ if is_picture(doc, stream) => Kind::Other,
        _ if has(&["BBox", "PatternType"]) => Kind::Content,
        _ if has(&[
            "Length1",
            "FunctionType",
            "ShadingType",
            "HalftoneType",
            "Alternate",
            "N",
            "CMapName",
        ]) =>
        {
            Kind::Other
        }
        _ => Kind::Unknown,
    }
}

/// Thumbnails and the like do not say that they are pictures.
fn is_picture(doc: &Document, stream: &Stream) -> bool {
    let single = std::slice::from_ref(get(doc, &stream.dict, b"Filter"));
    let filters = match single {
        [Object::Array(list)] => list.as_slice(),
        single => single,
    };
    let packed = |filter: &Object| {
        matches!(resolve(doc, filter), Object::Name(name)
            if matches!(name.as_slice(), b"DCTDecode" | b"DCT" | b"JPXDecode" | b"CCITTFaxDecode" | b"CCF" | b"JBIG2Decode"))
    };
    filters.iter().any(packed) || stream.dict.has(b"Width") && stream.dict.has(b"Height")
}

/// Reads every stream that was not read before; gives those whose data is text.
pub(super) fn rest(
    reader: &mut Pages<'_, '_>,
    content: &mut Content<'_>,
    resources: &Dictionary,
    reached: &HashSet<ObjectId>,
) -> Vec<Data> {
    let doc = reader.store.doc;
    let names = file_names(doc);
    let mut texts = Vec::new();
    for (id, object) in &doc.objects {
        let Object::Stream(stream) = object else {
            continue;
        };
        if reader.store.visited.contains(id) || !reader.store.in_time(reader.budget) {
            continue;
        }
        let dropped = reader.earlier || !reached.contains(id);
        match kind(doc, stream) {
            Kind::Other => {}
            Kind::File => file(reader, content, *id, stream, names.get(id), dropped),
            Kind::Content => reader.stray(content, *id, stream, resources, dropped),
            known => {
                let bytes = reader.store.decode(stream, reader.budget);
                if draws_text(&bytes) {
                    reader.stray(content, *id, stream, resources, dropped);
                } else if !bytes.starts_with(b"/CIDInit") && is_text(&bytes) {
                    let place = match known {
                        _ if dropped => Location::EarlierVersion,
                        Kind::Metadata => Location::Metadata,
                        _ => Location::HiddenText,
                    };
                    let drawing = is_postscript(&bytes) || draws(&bytes);
                    texts.push(Data {
                        id: *id,
                        bytes: if drawing { strings_of(&bytes) } else { bytes },
                        place,
                        dropped: dropped || drawing,
                    });
                }
            }
        }
    }
    texts
}

/// Operators that show text, between those that begin and end it.
fn draws_text(bytes: &[u8]) -> bool {
    let has = |operator: &[u8]| {
        memchr::memmem::find_iter(bytes, operator).any(|at| {
            let after = bytes.get(at + operator.len());
            after.is_none_or(|b| is_space(*b) || b"(<[/".contains(b))
        })
    };
    has(b"BT") && (has(b"Tj") || has(b"TJ") || has(b"'") || has(b"\""))
}

/// Numbers with short operators between them: coordinates, in which the eye of no reader and every eye of a program finds
/// numbers of ten digits.
fn draws(bytes: &[u8]) -> bool {
    const LOOK: usize = 1 << 21;
    // A short text full of numbers is read: it may be somebody's list.
    const MANY: usize = 500;
    let mut tokens = Tokens::new(bytes);
    let (mut all, mut numbers, mut operators) = (0, 0, 0);
    while let Some((token, range)) = tokens.next_token().filter(|_| all < LOOK) {
        all += 1;
        match token {
            Token::Number(_) => numbers += 1,
            Token::Word(_) if range.len() <= 3 => operators += 1,
            _ => {}
        }
    }
    numbers > MANY && numbers * 2 > all && operators * 20 > all
}

/// Drawing programs put their own document beside the pages, in PostScript.
fn is_postscript(bytes: &[u8]) -> bool {
    let has = |mark: &[u8]| memchr::memmem::find_iter(bytes, mark).take(3).count() == 3;
    bytes.starts_with(b"%!PS") || bytes.starts_with(b"%AI") || has(b"%AI5_") || has(b"\r%_") || has(b"\n%_")
}

/// The strings of a program, a line each: its coordinates are no text.
fn strings_of(program: &[u8]) -> Vec<u8> {
    // A longer one is a bracket that was never closed, with the program behind it.
    const LONGEST: usize = 1000;
    let mut tokens = Tokens::new(program);
    let mut out = Vec::new();
    while let Some((token, _)) = tokens.next_token() {
        if let Token::Text(text) = token
            && text.len() <= LONGEST
        {
            out.extend_from_slice(&text);
            out.extend_from_slice(BETWEEN.as_bytes());
        }
    }
    out
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && (matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) || !charset::control_heavy(bytes))
}

/// An attached file becomes a child.
fn file(
    reader: &mut Pages<'_, '_>,
    content: &mut Content<'_>,
    id: ObjectId,
    stream: &Stream,
    file_name: Option<&String>,
    dropped: bool,
) {
    let bytes = reader.store.decode(stream, reader.budget);
    if !reader.seen.is_new_file(&bytes) && dropped {
        return;
    }
    let number = content.children.len() + 1;
    if !dropped {
        reader.units.files.insert(number - 1, id);
    }
    let media_type = String::from_utf8_lossy(name(reader.store.doc, &stream.dict, b"Subtype")).to_ascii_lowercase();
    content.children.push(Child {
        path: PartPath(vec![u32::try_from(number).unwrap_or(u32::MAX)]),
        bytes: Cow::Owned(bytes),
        hint: Hint {
            media_type,
            name: file_name.cloned(),
            attachment: true,
            ..Hint::default()
        },
        alternative: dropped,
    });
}

/// Names of attached files, by their streams.
fn file_names(doc: &Document) -> HashMap<ObjectId, String> {
    let mut names = HashMap::new();
    let mut todo: Vec<&Object> = doc.objects.values().collect();
    while let Some(object) = todo.pop() {
        match object {
            Object::Array(list) => todo.extend(list),
            other => {
                let Some(dict) = dict(other) else {
                    continue;
                };
                if let Some(files) = sub(doc, dict, b"EF") {
                    let label = [b"UF".as_slice(), b"F"]
                        .iter()
                        .find_map(|key| match get(doc, dict, key) {
                            Object::String(bytes, _) => {
                                Some(text_string(bytes).iter().map(|(c, _)| *c).collect::<String>())
                            }
                            _ => None,
                        });
                    for (_, file) in files {
                        if let (Object::Reference(id), Some(label)) = (file, &label) {
                            names.insert(*id, label.clone());
                        }
                    }
                }
                todo.extend(dict.iter().map(|(_, value)| value).filter(|value| {
                    matches!(value, Object::Array(_) | Object::Dictionary(_))
                        && !matches!(resolve(doc, value), Object::Null)
                }));
            }
        }
    }
    names
}
