//! Signed and encrypted parts: S/MIME (RFC 8551), PGP/MIME (RFC 3156), PGP armor in text (RFC 9580 §6, §7).
//!
//! A DKIM signature is none: the signer runs behind us, and an upstream one vouches for what arrived, not for what leaves.

use super::cms;
use super::structure::{Part, Tree};
use super::transfer::{self, Encoding};
use crate::content::{Child, Content, ContentDoubt, Hint};
use crate::types::{DoubtKind, Location, PartPath, SealKind};
use std::borrow::Cow;
use std::collections::HashMap;

/// Adds the seals, and what they keep from us as doubts.
pub(super) fn add(content: &mut Content<'_>, tree: &Tree) {
    let mut leaves = HashMap::new();
    for (n, child) in content.children.iter().enumerate().filter(|(_, c)| !c.alternative) {
        leaves.insert(child.path.clone(), n);
    }
    for part in &tree.parts {
        match part.entity.media_type.as_str() {
            "multipart/signed" => seal(content, part.path.clone(), SealKind::Signed),
            "multipart/encrypted" | "application/pgp-encrypted" => locked(content, part.path.clone()),
            _ if !part.split => {
                if let Some(n) = leaves.get(&part.leaf_path()) {
                    leaf(content, part, *n);
                }
            }
            _ => {}
        }
    }
}

fn seal(content: &mut Content<'_>, path: PartPath, kind: SealKind) {
    content.seals.push((path, kind));
}

fn locked(content: &mut Content<'_>, path: PartPath) {
    // One doubt for a multipart and the parts inside it.
    let inside = |outer: &PartPath| path.0.starts_with(&outer.0);
    if content
        .seals
        .iter()
        .any(|(outer, kind)| *kind == SealKind::Encrypted && inside(outer))
    {
        return;
    }
    doubt(content, path.clone(), DoubtKind::Encrypted, "the part is encrypted");
    seal(content, path, SealKind::Encrypted);
}

fn doubt(content: &mut Content<'_>, part: PartPath, kind: DoubtKind, reason: &str) {
    content.doubts.push(ContentDoubt {
        kind,
        part,
        location: Location::Whole,
        reason: reason.to_owned(),
    });
}

fn leaf(content: &mut Content<'_>, part: &Part, n: usize) {
    let path = part.leaf_path();
    let Some(child) = content.children.get(n) else {
        return;
    };
    if is_pkcs7(part) {
        let plain = pem(&child.bytes);
        let (sort, inner) = match cms::read(plain.as_deref().unwrap_or(&child.bytes)) {
            Some(read) => (read.sort, read.content),
            None => (cms::Sort::named(part.entity.smime().unwrap_or_default()), None),
        };
        // Whatever it was declared as: it need not be opened again.
        if let Some(child) = content.children.get_mut(n) {
            child.hint.media_type = "application/pkcs7-mime".to_owned();
        }
        return pkcs7(content, path, sort, inner);
    }
    if part.entity.media_type.starts_with("text/") {
        match armor(&child.bytes) {
            Some(SealKind::Signed) => seal(content, path, SealKind::Signed),
            Some(SealKind::Encrypted) => locked(content, path),
            None => {}
        }
    }
}

fn is_pkcs7(part: &Part) -> bool {
    let named = part
        .entity
        .hint
        .name
        .as_deref()
        .is_some_and(|n| n.to_ascii_lowercase().ends_with(".p7m"));
    matches!(
        part.entity.media_type.as_str(),
        "application/pkcs7-mime" | "application/x-pkcs7-mime"
    ) || named
}

fn pkcs7(content: &mut Content<'_>, path: PartPath, sort: cms::Sort, inner: Option<Vec<u8>>) {
    match sort {
        cms::Sort::Encrypted => return locked(content, path),
        cms::Sort::Signed => seal(content, path.clone(), SealKind::Signed),
        cms::Sort::Other => doubt(
            content,
            path.clone(),
            DoubtKind::Unread,
            "the S/MIME part is of a kind that cannot be read",
        ),
    }
    match (sort, inner) {
        (cms::Sort::Signed, Some(inner)) => content.children.push(Child {
            path,
            hint: signed_hint(&inner),
            bytes: Cow::Owned(inner),
            alternative: true,
        }),
        (cms::Sort::Signed, None) => doubt(
            content,
            path,
            DoubtKind::Unread,
            "the content inside the S/MIME signature cannot be read",
        ),
        _ => {}
    }
}

/// What is signed is a MIME entity with its own header, or any file (`bilag.docx.p7m`).
pub(super) fn signed_hint(inner: &[u8]) -> Hint {
    let line = inner.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let name = line.iter().position(|b| *b == b':').and_then(|colon| line.get(..colon));
    let is_field =
        name.is_some_and(|name| !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-'));
    match is_field {
        true => Hint {
            media_type: "message/rfc822".to_owned(),
            ..Hint::default()
        },
        false => Hint {
            attachment: true,
            ..Hint::default()
        },
    }
}

/// The DER behind the text form (RFC 7468).
fn pem(bytes: &[u8]) -> Option<Vec<u8>> {
    let rest = bytes.trim_ascii_start().strip_prefix(b"-----BEGIN ")?;
    let start = memchr::memmem::find(rest, b"-----")? + 5;
    let body = rest.get(start..)?;
    let body = body.get(..memchr::memmem::find(body, b"-----END")?)?;
    Some(transfer::decode(Encoding::Base64, body).bytes.into_owned())
}

/// PGP armor that starts a line, or a line of HTML.
fn armor(text: &[u8]) -> Option<SealKind> {
    let starts = |marker: &[u8]| {
        memchr::memmem::find_iter(text, marker).any(|i| i == 0 || matches!(text.get(i - 1), Some(b'\n' | b'>')))
    };
    if starts(b"-----BEGIN PGP MESSAGE") {
        Some(SealKind::Encrypted)
    } else if starts(b"-----BEGIN PGP SIGNED MESSAGE-----") {
        Some(SealKind::Signed)
    } else {
        None
    }
}
