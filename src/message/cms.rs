//! Just enough of CMS (RFC 5652) in DER or BER to tell signed from encrypted and to take the signed content out.
//!
//! Nothing is verified here: what matters is what a recipient reads.

use super::seals::signed_hint;
use crate::content::Hint;
use std::ops::Range;

/// What a CMS object is, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Signed,
    Encrypted,
    Other,
}

impl Sort {
    /// By the `smime-type` parameter (RFC 8551 §3.2.2).
    pub(super) fn named(smime_type: &str) -> Sort {
        match smime_type {
            "signed-data" => Sort::Signed,
            "enveloped-data" | "authenveloped-data" => Sort::Encrypted,
            _ => Sort::Other,
        }
    }
}

/// A CMS object.
pub(super) struct Read {
    pub(super) sort: Sort,
    /// The signed content.
    pub(super) content: Option<Vec<u8>>,
}

/// What a CMS object by itself holds, for a file that is one.
pub enum Envelope {
    /// A signature alone, with the certificates that go with it.
    Signature,
    /// Signed content, and what it is.
    Signed(Vec<u8>, Hint),
    /// Nothing that can be read without a key.
    Encrypted,
}

/// Reads a file that is a CMS object; `None` when it is another one, or none.
pub fn envelope(bytes: &[u8]) -> Option<Envelope> {
    let read = read(bytes)?;
    match (read.sort, read.content) {
        (Sort::Signed, Some(inner)) => {
            let hint = signed_hint(&inner);
            Some(Envelope::Signed(inner, hint))
        }
        (Sort::Signed, None) if is_detached(bytes) => Some(Envelope::Signature),
        (Sort::Encrypted, _) => Some(Envelope::Encrypted),
        _ => None,
    }
}

/// The signed content is left out on purpose: its type stands alone.
fn is_detached(bytes: &[u8]) -> bool {
    encapsulated(bytes).is_some_and(|(kind, wrapper)| kind.end >= wrapper.end || bytes.get(kind.end) == Some(&0))
}

/// 1.2.840.113549.1.7: PKCS #7; signedData is 2, envelopedData 3, encryptedData 6.
const PKCS7: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
/// id-ct-authEnvelopedData, 1.2.840.113549.1.9.16.1.23.
const AUTH_ENVELOPED: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x17];
/// Constructed values inside one another, at most.
const DEPTH: usize = 8;

/// Reads a CMS object; `None` when it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Read> {
    let outer = element(bytes, 0..bytes.len())?;
    let kind = element(bytes, outer.inside.clone())?;
    if outer.tag != 0x30 || kind.tag != 0x06 {
        return None;
    }
    let oid = bytes.get(kind.inside.clone())?;
    let sort = match oid.strip_prefix(PKCS7) {
        Some([2]) => Sort::Signed,
        Some([3 | 6]) => Sort::Encrypted,
        _ if oid == AUTH_ENVELOPED => Sort::Encrypted,
        _ => Sort::Other,
    };
    let content = match sort {
        Sort::Signed => signed(bytes, kind.end..outer.inside.end),
        _ => None,
    };
    Some(Read { sort, content })
}

/// `[0] SEQUENCE { version, digestAlgorithms, SEQUENCE { contentType, [0] OCTET STRING } … }`.
fn signed(bytes: &[u8], rest: Range<usize>) -> Option<Vec<u8>> {
    let (kind, inside) = signed_parts(bytes, rest)?;
    let wrapper = element(bytes, kind.end..inside.end).filter(|w| w.tag == 0xA0)?;
    let octets = element(bytes, wrapper.inside)?;
    let mut out = Vec::new();
    gather(bytes, &octets, DEPTH, &mut out)?;
    Some(out)
}

/// The type of the signed content, and the inside of what holds it.
fn encapsulated(bytes: &[u8]) -> Option<(Element, Range<usize>)> {
    let outer = element(bytes, 0..bytes.len())?;
    let kind = element(bytes, outer.inside.clone())?;
    signed_parts(bytes, kind.end..outer.inside.end)
}

fn signed_parts(bytes: &[u8], rest: Range<usize>) -> Option<(Element, Range<usize>)> {
    let explicit = element(bytes, rest)?;
    let data = element(bytes, explicit.inside)?;
    let version = element(bytes, data.inside.clone())?;
    let digests = element(bytes, version.end..data.inside.end)?;
    let encapsulated = element(bytes, digests.end..data.inside.end)?;
    let kind = element(bytes, encapsulated.inside.clone())?;
    Some((kind, encapsulated.inside))
}

/// An OCTET STRING, primitive or in pieces (BER).
fn gather(bytes: &[u8], octets: &Element, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    match octets.tag {
        0x04 => out.extend_from_slice(bytes.get(octets.inside.clone())?),
        0x24 if depth > 0 => {
            let mut at = octets.inside.start;
            while at < octets.inside.end {
                let piece = element(bytes, at..octets.inside.end)?;
                if piece.tag == 0 {
                    break;
                }
                gather(bytes, &piece, depth - 1, out)?;
                at = piece.end;
            }
        }
        _ => return None,
    }
    Some(())
}

struct Element {
    tag: u8,
    inside: Range<usize>,
    /// Behind the element.
    end: usize,
}

/// The element at the start of `range`. Of indefinite length: it reaches to the end of the range, since its parts are
/// read one after the other anyway; pieces of OCTET STRINGs are of definite length in practice.
fn element(bytes: &[u8], range: Range<usize>) -> Option<Element> {
    let raw = bytes.get(range.clone())?;
    let (tag, first) = (*raw.first()?, *raw.get(1)?);
    if tag & 0x1F == 0x1F {
        return None;
    }
    let (head, len) = match first {
        0x80 => (2, raw.len() - 2),
        0..0x80 => (2, usize::from(first)),
        _ => {
            let size = usize::from(first & 0x7F);
            let digits = raw.get(2..2 + size).filter(|d| d.len() <= 6)?;
            (2 + size, digits.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b)))
        }
    };
    let inside = range.start + head..range.start.checked_add(head)?.checked_add(len)?;
    (inside.end <= range.end).then_some(Element {
        tag,
        inside: inside.clone(),
        end: inside.end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, inside: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, 0x82, (inside.len() >> 8) as u8, inside.len() as u8];
        out.extend_from_slice(inside);
        out
    }

    fn object(kind: u8, octets: Vec<u8>) -> Vec<u8> {
        let oid = |n: u8| der(0x06, &[PKCS7, &[n]].concat());
        let encapsulated = der(0x30, &[oid(1), der(0xA0, &octets)].concat());
        let data = der(0x30, &[der(0x02, &[1]), der(0x31, &[]), encapsulated].concat());
        der(0x30, &[oid(kind), der(0xA0, &data)].concat())
    }

    #[test]
    fn signed_content_comes_out_whole_or_in_pieces() {
        let whole = read(&object(2, der(0x04, b"hello"))).expect("CMS");
        assert_eq!(
            (whole.sort, whole.content.as_deref()),
            (Sort::Signed, Some(&b"hello"[..]))
        );
        let pieces = der(0x24, &[der(0x04, b"hel"), der(0x04, b"lo")].concat());
        assert_eq!(
            read(&object(2, pieces)).expect("CMS").content.as_deref(),
            Some(&b"hello"[..])
        );
        // The same with indefinite lengths, as streaming signers write it.
        let open = |tag: u8, inside: &[u8]| [&[tag, 0x80], inside, &[0, 0]].concat();
        let oid = |n: u8| der(0x06, &[PKCS7, &[n]].concat());
        let octets = open(0x24, &[der(0x04, b"hel"), der(0x04, b"lo")].concat());
        let inner = open(0x30, &[oid(1), open(0xA0, &octets)].concat());
        let data = open(0x30, &[der(0x02, &[1]), der(0x31, &[]), inner].concat());
        let all = open(0x30, &[oid(2), open(0xA0, &data)].concat());
        assert_eq!(read(&all).expect("CMS").content.as_deref(), Some(&b"hello"[..]));
    }

    #[test]
    fn enveloped_is_encrypted_and_noise_is_nothing() {
        assert_eq!(read(&object(3, Vec::new())).expect("CMS").sort, Sort::Encrypted);
        assert!(
            read(b"").is_none() && read(b"hello").is_none() && read(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).is_none()
        );
    }
}
