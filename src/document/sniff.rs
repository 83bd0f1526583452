//! What a thing is, by its first bytes; names and declared types only break ties, since both lie.

use super::{Family, ar, charset, mbox, pdf, picture, rtf, sevenz, sqlite, stream, tar};
use crate::content::Hint;
use crate::message;

/// How much of the start is looked at for text-like signs.
const HEAD: usize = 4096;

/// Formats without a reader yet, by their magic number, in words for people.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"%!PS", "PostScript document"),
    (4, b"ftyp", "HEIF picture or MP4 video"),
    (0, b"\0\0\x01\0", "icon"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"\x1f\x9d", "compress file"),
    (0, b"MSCF", "cabinet archive"),
    (0, b"\x89LZO\0\r\n\x1a\n", "lzop file"),
    (0, b"xar!\0", "xar archive"),
    (2, b"-lh", "LHA archive"),
    (2, b"-lz", "LHA archive"),
    (0, b"\x60\xea", "ARJ archive"),
    (0x8001, b"CD001", "disc image (ISO 9660)"),
    (0, b"\x7fELF", "program"),
    (0, b"OggS", "Ogg sound"),
    (0, b"ID3", "MP3 sound"),
    (0, b"RIFF", "RIFF media"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"\x01\0\0\0\x58\0\0\0", "EMF picture"),
    (0, b"\xd7\xcd\xc6\x9a", "WMF picture"),
    (0, b"!BDN", "Outlook data file (PST)"),
    (0, b"PAR1", "Parquet file"),
];

/// Magic numbers that could as well begin a text: they count when the rest is not text.
const WEAK: &[(&[u8], &str)] = &[
    (b"BM", "BMP picture"),
    (b"MZ", "Windows program"),
    (b"\x30\x82", "signed or encrypted data (PKCS #7) or certificate"),
    (b"\x30\x80", "signed or encrypted data (PKCS #7)"),
    (b"\x85", "PGP data"),
    (b"\xc1", "PGP data"),
];

/// Which family reads these bytes.
pub(super) fn family(bytes: &[u8], hint: &Hint) -> Family {
    // A signed archive ends in one, nearly.
    if bytes.first() == Some(&0x30) && message::envelope(bytes).is_some() {
        return Family::Other;
    }
    if is_zip(bytes) {
        return Family::Zip;
    }
    if bytes.starts_with(b"\x1f\x8b") {
        return Family::Gzip;
    }
    if let Some(family) = own(bytes) {
        return family;
    }
    if pdf::is_pdf(bytes) {
        return Family::Pdf;
    }
    if let Some(family) = container(bytes) {
        return family;
    }
    if strong(bytes).is_some() {
        return Family::Other;
    }
    let text = !charset::control_heavy(bytes) || charset::is_wide(bytes);
    let head = head(bytes);
    if is_mail(&head, hint) {
        return Family::Mail;
    }
    if declares_html(hint) && (text || !is_weak(bytes)) || (text && looks_html(&head)) {
        return Family::Html;
    }
    if text || (hint.media_type.starts_with("text/") && !is_weak(bytes)) {
        return Family::Text;
    }
    Family::Other
}

/// Archives, packed files and pictures.
fn container(bytes: &[u8]) -> Option<Family> {
    if stream::kind(bytes).is_some() {
        return Some(Family::Stream);
    }
    if let Some(kind) = picture::kind(bytes) {
        return Some(Family::Picture(kind));
    }
    if sevenz::is_7z(bytes) {
        Some(Family::SevenZip)
    } else if sqlite::is_sqlite(bytes) {
        Some(Family::Sqlite)
    } else if tar::is_tar(bytes) {
        Some(Family::Tar)
    } else if ar::is_archive(bytes) {
        Some(Family::Ar)
    } else {
        mbox::is_mbox(bytes).then_some(Family::Mbox)
    }
}

/// The name of a format without a reader.
pub(super) fn name(bytes: &[u8]) -> &'static str {
    strong(bytes)
        .or_else(|| {
            WEAK.iter()
                .find(|(magic, _)| bytes.starts_with(magic))
                .map(|(_, name)| *name)
        })
        .unwrap_or("file of unknown type")
}

fn strong(bytes: &[u8]) -> Option<&'static str> {
    let found = MAGIC
        .iter()
        .find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    let found = found.or_else(|| pdf::is_pdf(bytes).then_some(&(0, b"%PDF-", "PDF document")));
    // `ID3` can begin a word; a control byte follows in the real ones.
    found.map(|(_, _, name)| *name).filter(|name| match *name {
        "MP3 sound" => bytes.get(3..6).is_some_and(|b| b.iter().any(|b| *b < 32)),
        "LHA archive" => bytes.get(6) == Some(&b'-') && bytes.get(7..21).is_some_and(|b| b.contains(&0)),
        "HEIF picture or MP4 video" | "cabinet archive" | "RIFF media" | "ARJ archive" => {
            bytes.get(..12).is_some_and(|b| b.contains(&0)) || charset::control_heavy(bytes)
        }
        _ => true,
    })
}

/// Microsoft's formats with readers, by their first bytes.
fn own(bytes: &[u8]) -> Option<Family> {
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some(Family::Ole);
    }
    if bytes.starts_with(b"\x78\x9f\x3e\x22") {
        return Some(Family::Tnef);
    }
    rtf::is_rtf(bytes).then_some(Family::Rtf)
}

/// A format that is told by its first bytes, read here or not.
pub(super) fn is_known(bytes: &[u8]) -> bool {
    is_zip(bytes)
        || own(bytes).is_some()
        || container(bytes).is_some()
        || bytes.starts_with(b"\x1f\x8b")
        || strong(bytes).is_some()
}

/// A format that is told by the very first bytes: not an archive by its end, which may be one part among others.
pub(super) fn is_marked(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
        || own(bytes).is_some()
        || container(bytes).is_some()
        || bytes.starts_with(b"\x1f\x8b")
        || strong(bytes).is_some()
}

/// Why bytes that are taken for text may be none, or not one that can be read.
pub(super) fn no_text(bytes: &[u8], charsets: &[&str]) -> Option<&'static str> {
    if charset::is_wide(bytes) || std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let control = |b: &&u8| **b < 32 && !matches!(**b, b'\t' | b'\n' | b'\r' | 12 | 27);
    if bytes.iter().filter(control).count() > bytes.len() / 32 {
        return Some("it holds bytes that no text has");
    }
    let high = bytes.iter().filter(|b| **b >= 128).count();
    if charsets.is_empty() && high * 4 > bytes.len() {
        return Some("its charset is not told");
    }
    None
}

fn is_weak(bytes: &[u8]) -> bool {
    charset::control_heavy(bytes) && !charset::is_wide(bytes) && WEAK.iter().any(|(magic, _)| bytes.starts_with(magic))
}

/// A ZIP archive by its first bytes, or (self-extracting, prepended junk) by a directory near the end.
fn is_zip(bytes: &[u8]) -> bool {
    const TAIL: usize = 66_000;
    if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]
        .iter()
        .any(|magic| bytes.starts_with(*magic))
    {
        return true;
    }
    let tail = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
    // An OLE or PDF file may end in a ZIP archive of its own; programs open it as what it starts with.
    own(bytes).is_none()
        && container(bytes).is_none()
        && strong(bytes).is_none_or(|name| name == "program")
        && memchr::memmem::find(tail, b"PK\x05\x06").is_some()
        && memchr::memmem::find(bytes, b"PK\x01\x02").is_some()
}

/// Start of the text in lower case, marks and NULs left out, so that UTF-16 looks like ASCII.
fn head(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let keep = |b: &&u8| !matches!(**b, 0 | 0xfe | 0xff);
    bytes
        .iter()
        .take(HEAD)
        .filter(keep)
        .map(u8::to_ascii_lowercase)
        .collect()
}

/// The name of a header field line (RFC 5322 §2.2), as written.
fn field(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let good = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    good.then_some(name)
}

/// Declared as a mail, or a file that begins as one.
fn is_mail(head: &[u8], hint: &Hint) -> bool {
    let declared = matches!(
        hint.media_type.as_str(),
        "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers"
    );
    let named = hint
        .name
        .as_deref()
        .is_some_and(|name| name.to_ascii_lowercase().ends_with(".eml"));
    if declared {
        return true;
    }
    // The text of a mail may begin with the header of the mail it answers; it is still text.
    if !hint.attachment && hint.media_type.starts_with("text/") {
        return false;
    }
    let (known, whole) = known_fields(head);
    if named { known >= 1 } else { known >= 2 && whole }
}

/// Different well-known fields among the first header lines, and whether the header goes on to a blank line: a text that
/// only begins like a mail is read as text.
fn known_fields(head: &[u8]) -> (usize, bool) {
    const KNOWN: [&[u8]; 12] = [
        b"from",
        b"received",
        b"subject",
        b"mime-version",
        b"date",
        b"to",
        b"message-id",
        b"return-path",
        b"content-type",
        b"delivered-to",
        b"dkim-signature",
        b"reply-to",
    ];
    let mut seen = [false; KNOWN.len()];
    let mut whole = true;
    let cut = head.len() >= HEAD;
    for line in head.split(|b| *b == b'\n').take(60) {
        if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
            continue;
        }
        let Some(name) = field(line) else {
            let last = head.ends_with(line);
            whole = line.trim_ascii().is_empty() || last && cut;
            break;
        };
        for (known, seen) in KNOWN.iter().zip(&mut seen) {
            *seen |= *known == name;
        }
    }
    (seen.iter().filter(|seen| **seen).count(), whole)
}

fn declares_html(hint: &Hint) -> bool {
    let media_type = hint.media_type.as_str();
    matches!(
        media_type,
        "text/html" | "application/xhtml+xml" | "text/xml" | "application/xml" | "text/enriched" | "text/richtext"
    ) || media_type.ends_with("+xml")
}

fn looks_html(head: &[u8]) -> bool {
    const STARTS: [&[u8]; 9] = [
        b"<!doctype",
        b"<html",
        b"<?xml",
        b"<head",
        b"<body",
        b"<svg",
        b"<table",
        b"<!--",
        b"<meta",
    ];
    const WITHIN: [&[u8]; 4] = [b"<html", b"<body", b"</p>", b"<!doctype html"];
    let start = head.trim_ascii_start();
    STARTS.iter().any(|magic| start.starts_with(magic))
        || (start.starts_with(b"<") && WITHIN.iter().any(|tag| memchr::memmem::find(start, tag).is_some()))
}
