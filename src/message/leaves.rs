//! The parts with their transfer encoding taken off, and the second readings of those in doubt.

use super::entity::Entity;
use super::fields::{add as note, has_bare_cr};
use super::structure::{Part, Tree};
use super::transfer::{self, Decoded, Encoding, base64, quoted};
use super::{doubt, doubt_spent, uu, views};
use crate::content::{Budget, Child, Content, ContentDoubt, Hint};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Adds all leaves of the usual reading as children, with their doubts.
pub(super) fn add<'a>(content: &mut Content<'a>, bytes: &'a [u8], tree: &Tree, budget: &mut Budget) {
    for part in &tree.parts {
        for reason in &part.odd {
            doubt(content, part.path.clone(), reason);
        }
        if part.entity.boundary.is_some() && !part.entity.encoding.is_identity() {
            encoded_multipart(content, bytes, part, budget);
        }
        if !part.split {
            leaf(content, bytes, part, budget);
        }
    }
}

fn leaf<'a>(content: &mut Content<'a>, bytes: &'a [u8], part: &Part, budget: &mut Budget) {
    let path = part.leaf_path();
    let source = bytes.get(part.body()).unwrap_or_default();
    let Some(decoded) = decode(content, part.entity.encoding, source, &path, budget) else {
        return;
    };
    let mut odd = decoded.odd;
    let unsound = !odd.is_empty();
    check(&part.entity, source, &mut odd);
    for reason in &odd {
        doubt(content, path.clone(), reason);
    }
    content.children.push(Child {
        path: path.clone(),
        bytes: decoded.bytes,
        hint: hint(&part.entity),
        alternative: false,
    });
    if part.entity.media_type.starts_with("text/") {
        old_files(content, &path, budget);
    }
    if unsound {
        second_decoding(content, (part, source), &path, budget);
    }
    let encoded = !part.entity.encoding.is_identity();
    if unsound || part.entity.encoding_odd && encoded {
        views::raw(content, bytes, part.body(), path, Location::Source, budget);
    }
}

/// Takes the encoding off within the budget.
fn decode<'a>(
    content: &mut Content<'_>,
    encoding: Encoding,
    source: &'a [u8],
    path: &PartPath,
    budget: &mut Budget,
) -> Option<Decoded<'a>> {
    // Decoding never makes more bytes than it reads.
    let most = if encoding.is_identity() { 0 } else { source.len() as u64 };
    let booked = budget.produce(if encoding == Encoding::Base64 {
        most / 4 * 3
    } else {
        most
    });
    if let Err(spent) = booked {
        doubt_spent(content, path.clone(), spent);
        return None;
    }
    Some(transfer::decode(encoding, source))
}

/// What the outside declares; a multipart that could not be split is text.
fn hint(entity: &Entity) -> Hint {
    let mut hint = entity.hint.clone();
    if entity.is_mail() {
        hint.media_type = "message/rfc822".to_owned();
    } else if entity.is_multipart() {
        hint.media_type = "text/plain".to_owned();
    }
    hint
}

/// Doubts of a leaf's own bytes.
fn check(entity: &Entity, source: &[u8], odd: &mut Vec<&'static str>) {
    match entity.media_type.as_str() {
        "message/partial" => note(odd, "the part is a piece of a mail; the other pieces are elsewhere"),
        "message/external-body" => note(odd, "the content of the part lies elsewhere"),
        _ => {}
    }
    if entity.encoding == Encoding::Binary {
        return;
    }
    if memchr::memchr(0, source).is_some() {
        note(odd, "there is a NUL byte in the body of the part");
    }
    if has_bare_cr(source) {
        note(
            odd,
            "there is a carriage return without line feed in the body of the part",
        );
    }
}

/// Files written into the text that was added last.
fn old_files(content: &mut Content<'_>, path: &PartPath, budget: &mut Budget) {
    let Some(text) = content.children.last() else {
        return;
    };
    // A whole one in plain text is read with the text.
    let read = text.hint.media_type == "text/plain" && uu::has_whole_yenc(&text.bytes);
    if uu::has_yenc(&text.bytes) && !read {
        content.doubts.push(ContentDoubt {
            kind: DoubtKind::Unread,
            part: path.clone(),
            location: Location::Whole,
            reason: "the text holds a file in yEnc".to_owned(),
        });
        return;
    }
    for (n, file) in (1..).zip(uu::files(&text.bytes)) {
        if let Err(spent) = budget.produce(file.bytes.len() as u64) {
            return doubt_spent(content, path.clone(), spent);
        }
        content.children.push(Child {
            path: path.child(n),
            bytes: Cow::Owned(file.bytes),
            hint: Hint {
                name: Some(file.name),
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
    }
}

/// Lone carriage returns are line breaks for some: the whole mail with those as a second reading.
pub(super) fn add_unbroken(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) {
    if let Err(spent) = budget.produce(bytes.len() as u64) {
        return doubt_spent(content, PartPath::default(), spent);
    }
    let mut broken = Vec::with_capacity(bytes.len());
    for (i, &b) in bytes.iter().enumerate() {
        broken.push(b);
        if b == b'\r' && bytes.get(i + 1) != Some(&b'\n') {
            broken.push(b'\n');
        }
    }
    content.children.push(Child {
        path: PartPath::default(),
        bytes: Cow::Owned(broken),
        hint: Hint {
            media_type: "message/rfc822".to_owned(),
            ..Hint::default()
        },
        alternative: true,
    });
}

/// What another decoder makes of an unsound source.
fn second_decoding(content: &mut Content<'_>, (part, source): (&Part, &[u8]), path: &PartPath, budget: &mut Budget) {
    if let Err(spent) = budget.produce(source.len() as u64) {
        return doubt_spent(content, path.clone(), spent);
    }
    let bytes = match part.entity.encoding {
        Encoding::Base64 => base64::without_padding(source),
        _ => quoted::without_bad(source),
    };
    let known = |c: &Child<'_>| c.path == *path && *c.bytes == *bytes;
    if content.children.iter().rev().take(2).any(known) {
        return;
    }
    content.children.push(Child {
        path: path.clone(),
        bytes: Cow::Owned(bytes),
        hint: hint(&part.entity),
        alternative: true,
    });
}

/// A multipart under base64 or quoted-printable (RFC 2045 §6.4 forbids it): some decode first and split then.
fn encoded_multipart(content: &mut Content<'_>, bytes: &[u8], part: &Part, budget: &mut Budget) {
    let source = bytes.get(part.body()).unwrap_or_default();
    let Some(decoded) = decode(content, part.entity.encoding, source, &part.path, budget) else {
        return;
    };
    let value = part.block.fields.iter().find(|f| f.is(bytes, "content-type"));
    let value = value.and_then(|f| bytes.get(f.value_range.clone())).unwrap_or_default();
    content.children.push(Child {
        path: part.path.clone(),
        bytes: Cow::Owned([b"Content-Type:", value, b"\r\n\r\n", &decoded.bytes].concat()),
        hint: Hint {
            media_type: "message/rfc822".to_owned(),
            ..Hint::default()
        },
        alternative: true,
    });
}

/// Adds the leaves of the other reading that the usual one does not have.
pub(super) fn add_other<'a>(
    content: &mut Content<'a>,
    bytes: &'a [u8],
    usual: &Tree,
    other: &Tree,
    budget: &mut Budget,
) {
    let key = |part: &Part, encoding: Encoding| -> (usize, usize, Encoding, String) {
        let body: Range<usize> = part.body();
        let encoding = if encoding.is_identity() {
            Encoding::SevenBit
        } else {
            encoding
        };
        (body.start, body.end, encoding, part.entity.media_type.clone())
    };
    let leaves = |tree: &'_ Tree| tree.parts.iter().filter(|p| !p.split).cloned().collect::<Vec<_>>();
    let known: BTreeSet<_> = leaves(usual).iter().map(|p| key(p, p.entity.encoding)).collect();
    for part in leaves(other) {
        let source = bytes.get(part.body()).unwrap_or_default();
        let encodings = match part.entity.guess {
            true => vec![Encoding::Base64, Encoding::QuotedPrintable],
            false => vec![part.entity.encoding],
        };
        for encoding in encodings.into_iter().filter(|e| !known.contains(&key(&part, *e))) {
            let Some(decoded) = decode(content, encoding, source, &part.leaf_path(), budget) else {
                return;
            };
            content.children.push(Child {
                path: part.leaf_path(),
                bytes: decoded.bytes,
                hint: hint(&part.entity),
                alternative: true,
            });
        }
    }
}
