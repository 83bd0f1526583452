//! What has no reader yet: its kind is told, and its bytes are looked at as they are, so that what is not compressed is
//! found all the same. Office, pictures and further archives get files of their own beside this one.

use super::{charset, doubt, sniff, view};
use crate::content::{Budget, Child, Content, Hint};
use crate::message::{self, Envelope};
use crate::types::{DoubtKind, Location, PartPath, SealKind};
use std::borrow::Cow;

/// Reads a thing of another kind.
pub(super) fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    if bytes.is_empty() {
        return content;
    }
    let name = sniff::name(bytes);
    if name.contains("PKCS #7")
        && let Some(envelope) = message::envelope(bytes)
    {
        return signed(bytes, hint, envelope, content, budget);
    }
    if is_locked(bytes, name) {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, format!("it is encrypted: {name}")));
    }
    content
        .doubts
        .push(doubt(DoubtKind::Unread, format!("no reader for this kind: {name}")));
    if let Err(spent) = budget.in_time() {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
        return content;
    }
    if is_picture(name) {
        return content;
    }
    content.views.push(view(Location::Source, charset::latin1(bytes)));
    // Windows programs write text in UTF-16, at even or odd places of a binary file.
    if name.contains("OLE") || name.contains("unknown") || name.contains("TNEF") || name.contains("PST") {
        for skip in [0, 1] {
            let reading = charset::utf16le(bytes, skip);
            if reading.text.contains(|c: char| c.is_ascii_digit()) {
                content.views.push(view(Location::Source, reading));
            }
        }
    }
    for view in &mut content.views {
        view.hidden = true;
    }
    content
}

/// A file of S/MIME. A part of a mail that calls itself one has been opened with the mail.
fn signed<'a>(
    bytes: &'a [u8],
    hint: &Hint,
    envelope: Envelope,
    mut content: Content<'a>,
    budget: &mut Budget,
) -> Content<'a> {
    let opened = hint.media_type.ends_with("pkcs7-mime");
    let kind = match &envelope {
        Envelope::Encrypted => SealKind::Encrypted,
        Envelope::Signature | Envelope::Signed(..) => SealKind::Signed,
    };
    match envelope {
        Envelope::Encrypted => content.doubts.push(doubt(DoubtKind::Encrypted, "it is encrypted")),
        // Names in certificates are text.
        Envelope::Signature => content.views.push(view(Location::Source, charset::latin1(bytes))),
        Envelope::Signed(..) if opened => {}
        Envelope::Signed(inner, hint) => match budget.produce(inner.len() as u64) {
            Ok(()) => content.children.push(Child {
                path: PartPath(vec![1]),
                bytes: Cow::Owned(inner),
                hint,
                alternative: true,
            }),
            Err(spent) => content.doubts.push(doubt(spent.doubt(), spent.to_string())),
        },
    }
    if kind == SealKind::Encrypted || !content.children.is_empty() {
        content.seals.push((PartPath::default(), kind));
    }
    content.views.iter_mut().for_each(|view| view.hidden = true);
    content
}

/// Encrypted Office files say so in the clear.
fn is_locked(bytes: &[u8], name: &str) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(bytes, needle).is_some();
    match name {
        "legacy Office document or Outlook message (OLE)" => has(b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"),
        _ => {
            is_pgp_locked(bytes)
                || [&b"Salted__"[..], b"age-encryption.org/"]
                    .iter()
                    .any(|magic| bytes.starts_with(magic))
        }
    }
}

/// Begins with a session key encrypted to a public key or a passphrase (RFC 9580 §5.1, §5.3), in either form of the packet's head.
fn is_pgp_locked(bytes: &[u8]) -> bool {
    let version = match bytes {
        [0x84 | 0x8c, _, version, ..] | [0x85 | 0x8d, _, _, version, ..] => *version,
        [0xc1 | 0xc3, 0..=191, version, ..] | [0xc1 | 0xc3, 192..=223, _, version, ..] => *version,
        _ => return false,
    };
    (3..=6).contains(&version)
}

/// Their bytes hold no text worth a look but metadata, which the doubt covers.
fn is_picture(name: &str) -> bool {
    name.contains("sound") || name == "font" || name == "program"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    #[test]
    fn files_locked_by_gnupg_and_openssl_are_told_as_encrypted() {
        let kinds = |bytes: &[u8]| {
            let content = read(bytes, &Hint::default(), &mut Budget::new(Limits::default()));
            content.doubts.iter().map(|doubt| doubt.kind).collect::<Vec<_>>()
        };
        // What `gpg -e`, `gpg -c` and `openssl enc` begin with.
        for head in [
            &b"\x85\x01\x0c\x03\xd2"[..],
            b"\x84\x5e\x03\x12",
            b"\x8c\x0d\x04\x09\x03",
            b"Salted__\x01\x02",
        ] {
            assert!(kinds(head).contains(&DoubtKind::Encrypted), "{head:?}");
        }
        assert_eq!(kinds(b"\x90\x0d\x03\x00\x13"), [DoubtKind::Unread]);
    }
}
