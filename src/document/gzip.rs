//! gzip (RFC 1952): one or several members, whose contents make one file.

use super::inflate::{End, crc32, deflate, inflate};
use super::{charset, doubt, text, view};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, Splice, TextEdit, splice};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;

/// Where the parts of a member's header are.
struct Header {
    extra: Range<usize>,
    name: Range<usize>,
    comment: Range<usize>,
    end: usize,
    crc: bool,
}

/// Reads a gzip file.
pub(super) fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let mut data = Vec::new();
    let mut inner = None;
    let mut at = 0;
    let mut members = 0u32;
    while let Some(header) = header(bytes, at) {
        members += 1;
        if members > budget.limits().parts {
            content
                .doubts
                .push(doubt(DoubtKind::TooLarge, "it has more members than the limit allows"));
            break;
        }
        inner = inner.or_else(|| labels(&mut content, bytes, &header));
        let out = inflate(bytes.get(header.end..).unwrap_or_default(), budget);
        let crc = crc32(&out.bytes);
        let len = out.bytes.len();
        data.extend_from_slice(&out.bytes);
        at = header.end + out.used;
        match out.end {
            End::Whole => {}
            End::Broken => {
                content
                    .doubts
                    .push(doubt(DoubtKind::Broken, "the compressed data is damaged or cut short"));
                break;
            }
            End::Spent(spent) => {
                content.doubts.push(doubt(spent.doubt(), spent.to_string()));
                break;
            }
        }
        if bytes.get(at..at + 8) != Some(&trailer(crc, len)) {
            content
                .doubts
                .push(doubt(DoubtKind::Broken, "the checksum does not agree with the data"));
        }
        at = bytes.len().min(at + 8);
    }
    if members == 0 {
        content
            .doubts
            .push(doubt(DoubtKind::Broken, "the gzip header is damaged"));
    }
    rest(&mut content, bytes, at);
    content.children.push(Child {
        path: PartPath(vec![1]),
        bytes: Cow::Owned(data),
        hint: Hint {
            name: inner.or_else(|| stem(hint)),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    content
}

/// Bytes behind the last member; zeros are padding.
fn rest(content: &mut Content<'_>, bytes: &[u8], at: usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.iter().all(|b| *b == 0) {
        return;
    }
    if content.doubts.is_empty() {
        content.doubts.push(doubt(
            DoubtKind::Malformed,
            "there is something behind the compressed data",
        ));
    }
    let mut gap = view(Location::Gap, charset::latin1(rest));
    gap.map = gap.map.shifted(at);
    gap.hidden = true;
    content.views.push(gap);
}

/// Name, comment and extra field as views; gives the name.
fn labels(content: &mut Content<'_>, bytes: &[u8], header: &Header) -> Option<String> {
    let labels = [
        (&header.name, Location::FileName),
        (&header.comment, Location::ArchiveComment),
        (&header.extra, Location::ArchiveComment),
    ];
    for (range, location) in labels {
        if range.is_empty() {
            continue;
        }
        let raw = bytes.get(range.clone()).unwrap_or_default();
        // RFC 1952 says Latin-1, programs write what their file system has.
        let reading = if std::str::from_utf8(raw).is_ok() {
            charset::utf8(raw)
        } else {
            charset::latin1(raw)
        };
        let mut label = view(location, reading);
        label.map = label.map.shifted(range.start);
        content.views.push(label);
    }
    let name = bytes.get(header.name.clone()).filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// `bilag.txt.gz` holds `bilag.txt`.
fn stem(hint: &Hint) -> Option<String> {
    let name = hint.name.as_deref()?;
    let (stem, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "gz" | "gzip" => Some(stem.to_owned()),
        "tgz" => Some(format!("{stem}.tar")),
        _ => Some(name.to_owned()),
    }
}

fn header(bytes: &[u8], start: usize) -> Option<Header> {
    let fixed = bytes.get(start..start + 10)?;
    if !fixed.starts_with(b"\x1f\x8b\x08") {
        return None;
    }
    let flags = *fixed.get(3)?;
    let mut at = start + 10;
    let mut extra = at..at;
    if flags & FEXTRA != 0 {
        let [low, high] = bytes.get(at..at + 2)?.try_into().ok()?;
        extra = at + 2..at + 2 + usize::from(u16::from_le_bytes([low, high]));
        at = extra.end;
    }
    let name = field(bytes, &mut at, flags & FNAME != 0)?;
    let comment = field(bytes, &mut at, flags & FCOMMENT != 0)?;
    let crc = flags & FHCRC != 0;
    if crc {
        at += 2;
    }
    (at <= bytes.len()).then_some(Header {
        extra,
        name,
        comment,
        end: at,
        crc,
    })
}

/// A field that ends in NUL.
fn field(bytes: &[u8], at: &mut usize, present: bool) -> Option<Range<usize>> {
    let start = *at;
    if !present {
        return Some(start..start);
    }
    let len = memchr::memchr(0, bytes.get(start..)?)?;
    *at = start + len + 1;
    Some(start..start + len)
}

fn trailer(crc: u32, len: usize) -> [u8; 8] {
    let [a, b, c, d] = crc.to_le_bytes();
    // ISIZE is the size modulo 2^32.
    let [e, f, g, h] = (len as u32).to_le_bytes();
    [a, b, c, d, e, f, g, h]
}

/// Compresses the changed content behind the header as it was; several members become one.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let header = header(bytes, 0).ok_or_else(|| CannotEdit::Unsound("the gzip header is damaged".to_owned()))?;
    let mut splices = Vec::new();
    if let Some((_, child)) = changes.children.last() {
        if content.views.iter().any(|view| view.location == Location::Gap) {
            return Err(CannotEdit::Unsupported("there is something behind the compressed data"));
        }
        let mut with = deflate(child);
        with.extend_from_slice(&trailer(crc32(child), child.len()));
        splices.push(Splice {
            range: header.end..bytes.len(),
            with,
        });
    }
    let edits = changes.texts.iter().map(|edit| TextEdit {
        with: edit.with.replace('\0', ""),
        ..edit.clone()
    });
    let mut in_header = text::splices(content, edits)?;
    if in_header
        .iter()
        .any(|s| s.range.end > header.end || !header.extra.is_empty() && header.extra.contains(&s.range.start))
    {
        return Err(CannotEdit::Unsupported("a gzip field with a format of its own"));
    }
    if header.crc && !in_header.is_empty() {
        in_header.push(header_checksum(bytes, &header, &in_header)?);
    }
    splices.append(&mut in_header);
    splice(bytes, splices)
}

/// The header's own CRC-16 after the edits.
fn header_checksum(bytes: &[u8], header: &Header, edits: &[Splice]) -> Result<Splice, CannotEdit> {
    let at = header.end - 2;
    let edited = splice(bytes.get(..at).unwrap_or_default(), edits.to_vec())?;
    let with = (crc32(&edited) as u16).to_le_bytes().to_vec();
    Ok(Splice {
        range: at..header.end,
        with,
    })
}
