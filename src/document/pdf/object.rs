//! Short ways through lopdf's objects: references followed, wrong types read as nothing.

use lopdf::{Dictionary, Document, Object, ObjectId};

static NULL: Object = Object::Null;

/// The object itself, or what it refers to; null when that is missing.
pub(super) fn resolve<'d>(doc: &'d Document, object: &'d Object) -> &'d Object {
    match object {
        Object::Reference(_) => doc.dereference(object).map_or(&NULL, |(_, object)| object),
        _ => object,
    }
}

/// The value of a key, resolved.
pub(super) fn get<'d>(doc: &'d Document, dict: &'d Dictionary, key: &[u8]) -> &'d Object {
    dict.get(key).map_or(&NULL, |object| resolve(doc, object))
}

/// A dictionary, or that of a stream.
pub(super) fn dict(object: &Object) -> Option<&Dictionary> {
    match object {
        Object::Dictionary(dict) => Some(dict),
        Object::Stream(stream) => Some(&stream.dict),
        _ => None,
    }
}

pub(super) fn sub<'d>(doc: &'d Document, parent: &'d Dictionary, key: &[u8]) -> Option<&'d Dictionary> {
    dict(get(doc, parent, key))
}

pub(super) fn array<'d>(doc: &'d Document, parent: &'d Dictionary, key: &[u8]) -> &'d [Object] {
    match get(doc, parent, key) {
        Object::Array(array) => array,
        _ => &[],
    }
}

pub(super) fn name<'d>(doc: &'d Document, parent: &'d Dictionary, key: &[u8]) -> &'d [u8] {
    match get(doc, parent, key) {
        Object::Name(name) => name,
        _ => b"",
    }
}

pub(super) fn number(object: &Object) -> Option<f64> {
    match object {
        Object::Integer(value) => Some(*value as f64),
        Object::Real(value) if value.is_finite() => Some(f64::from(*value)),
        _ => None,
    }
}

/// The numbers of an array, `None` unless there are exactly `N` or more.
pub(super) fn numbers<const N: usize>(doc: &Document, parent: &Dictionary, key: &[u8]) -> Option<[f64; N]> {
    let all: Vec<f64> = array(doc, parent, key)
        .iter()
        .map(|object| number(resolve(doc, object)))
        .collect::<Option<_>>()?;
    all.get(..N)?.try_into().ok()
}

pub(super) fn reference(parent: &Dictionary, key: &[u8]) -> Option<ObjectId> {
    parent.get(key).ok().and_then(|object| object.as_reference().ok())
}
