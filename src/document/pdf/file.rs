//! The file: told apart, loaded, and its earlier versions with it.

use crate::content::{Budget, Spent};
use lopdf::xref::{XrefEntry, XrefRecovery};
use lopdf::{DecompressError, Dictionary, Document, Error, LoadOptions, Object};

/// Viewers look for the header this far from the start (ISO 32000-1, annex H, note 13).
const HEAD: usize = 1024;
/// Earlier versions that are read, the latest first.
const VERSIONS: usize = 16;
/// No object stream of a real file is larger.
const LARGEST: u64 = 64 << 20;

/// A document.
pub(super) struct Loaded {
    pub doc: Document,
    /// The table of objects was made anew.
    pub repaired: bool,
    /// It was encrypted, with the empty password.
    pub decrypted: bool,
}

/// Why there is none.
pub(super) enum Unloadable {
    Locked,
    Broken,
    Spent(Spent),
}

/// A header near the start, and objects behind it.
pub(in crate::document) fn is_pdf(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    bytes.starts_with(b"%PDF-")
        || memchr::memmem::find(head, b"%PDF-").is_some_and(|at| {
            let rest = bytes.get(at..).unwrap_or_default();
            memchr::memmem::find(rest, b"endobj").is_some() && memchr::memmem::find(rest, b" obj").is_some()
        })
}

/// Object streams are unpacked by lopdf while it loads: together they get what is left of the budget.
fn options(bytes: &[u8], budget: &Budget) -> LoadOptions {
    let packed = memchr::memmem::find_iter(bytes, b"ObjStm").count().max(1) as u64;
    let each = (budget.bytes_left() / packed).clamp(1 << 16, LARGEST);
    LoadOptions::with_max_decompressed_size(usize::try_from(each).unwrap_or(usize::MAX))
}

/// Loads the document as it is now.
pub(super) fn load(bytes: &[u8], budget: &mut Budget) -> Result<Loaded, Unloadable> {
    budget.produce(bytes.len() as u64).map_err(Unloadable::Spent)?;
    let doc = match Document::load_mem_with_options(bytes, options(bytes, budget)) {
        Ok(doc) => doc,
        Err(Error::Decompress(DecompressError::MemoryLimitExceeded { .. })) => {
            return Err(Unloadable::Spent(Spent::Bytes));
        }
        Err(_) if memchr::memmem::find(bytes, b"/Encrypt").is_some() => return Err(Unloadable::Locked),
        Err(_) => return Err(Unloadable::Broken),
    };
    let mut doc = doc;
    if doc.trailer.has(b"Encrypt") {
        let again = referred(bytes, &doc.trailer).ok_or(Unloadable::Locked)?;
        doc = Document::load_mem_with_options(&again, options(bytes, budget)).map_err(|_| Unloadable::Locked)?;
    }
    if doc.trailer.has(b"Encrypt") {
        return Err(Unloadable::Locked);
    }
    mend(&mut doc, bytes, budget).map_err(Unloadable::Spent)?;
    if doc.objects.is_empty() {
        return Err(Unloadable::Broken);
    }
    Ok(Loaded {
        repaired: doc.xref_recovery == Some(XrefRecovery::Reconstructed),
        decrypted: doc.encryption_state.is_some(),
        doc,
    })
}

/// The same file with its encryption dictionary as an object of its own, added as an update: MuPDF writes it directly into the
/// trailer (ISO 32000-1, table 15, allows that), where lopdf does not look for it.
fn referred(bytes: &[u8], trailer: &Dictionary) -> Option<Vec<u8>> {
    let encrypt = trailer.get(b"Encrypt").ok().filter(|found| found.as_dict().is_ok())?;
    let number = trailer.get(b"Size").and_then(Object::as_i64).ok()?;
    let header = memchr::memmem::find(bytes, b"%PDF-")?;
    let start = memchr::memmem::rfind(bytes, b"startxref")?;
    let previous = bytes.get(start + 9..)?.trim_ascii_start();
    let digits = previous.iter().take_while(|b| b.is_ascii_digit()).count();
    let previous = std::str::from_utf8(previous.get(..digits)?).ok()?;
    let mut all = bytes.to_vec();
    let at = all.len() + 1 - header;
    all.extend(format!("\n{number} 0 obj\n").bytes());
    written(&mut all, encrypt)?;
    let table = all.len() + "\nendobj\n".len() - header;
    all.extend(
        format!("\nendobj\nxref\n{number} 1\n{at:010} 00000 n \ntrailer\n<</Encrypt {number} 0 R/Prev {previous}")
            .bytes(),
    );
    all.extend(format!("/Size {}", number.checked_add(1)?).bytes());
    for key in ["Root", "Info", "ID"] {
        if let Ok(value) = trailer.get(key.as_bytes()) {
            all.extend(format!("/{key} ").bytes());
            written(&mut all, value)?;
        }
    }
    all.extend(format!(">>\nstartxref\n{table}\n%%EOF\n").bytes());
    Some(all)
}

/// What stands in encryption dictionaries; `None` for anything else.
fn written(out: &mut Vec<u8>, object: &Object) -> Option<()> {
    match object {
        Object::Boolean(truth) => out.extend(truth.to_string().bytes()),
        Object::Integer(number) => out.extend(number.to_string().bytes()),
        Object::Reference((number, generation)) => out.extend(format!("{number} {generation} R").bytes()),
        Object::Name(name) if name.iter().all(u8::is_ascii_alphanumeric) => {
            out.push(b'/');
            out.extend(name);
        }
        Object::String(bytes, _) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            out.extend(format!("<{hex}>").bytes());
        }
        Object::Array(list) => {
            out.push(b'[');
            for item in list {
                written(out, item)?;
                out.push(b' ');
            }
            out.push(b']');
        }
        Object::Dictionary(dict) => {
            out.extend(b"<<");
            for (key, value) in dict {
                written(out, &Object::Name(key.clone()))?;
                out.push(b' ');
                written(out, value)?;
            }
            out.extend(b">>");
        }
        _ => return None,
    }
    Some(())
}

/// Streams without a length that can be used, which viewers read up to their end mark, and lopdf leaves empty.
fn mend(doc: &mut Document, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    let header = memchr::memmem::find(bytes, b"%PDF-").unwrap_or(0);
    let bytes = bytes.get(header..).unwrap_or_default();
    let marks: Vec<usize> = memchr::memmem::find_iter(bytes, b"endstream").collect();
    // The data of an encrypted document is decrypted when it is loaded.
    let plain = doc.encryption_state.is_none();
    for object in doc.objects.values_mut() {
        let Object::Stream(stream) = object else {
            continue;
        };
        let Some(start) = stream.start_position.filter(|_| plain && stream.content.is_empty()) else {
            continue;
        };
        let end = marks.get(marks.partition_point(|mark| *mark < start));
        let data = end.and_then(|end| bytes.get(start..*end)).unwrap_or_default();
        let data = data.strip_suffix(b"\n").unwrap_or(data);
        let data = data.strip_suffix(b"\r").unwrap_or(data);
        budget.produce(data.len() as u64)?;
        stream.set_content(data.to_vec());
        stream.start_position = None;
    }
    Ok(())
}

/// An earlier version, or what is left of one.
pub(super) enum Version {
    /// The file was once as long as this.
    Until(usize),
    /// Objects that no table lists any more, found by searching.
    Search,
    /// There are more than are read.
    More,
}

/// What the file may still hold of earlier versions: each `%%EOF` but the last ended one (a linearized file has one for its
/// first page), and objects that no table lists are left from somewhere.
pub(super) fn versions(bytes: &[u8], loaded: &Loaded) -> Vec<Version> {
    let listed = loaded.doc.reference_table.entries.values();
    let listed = listed.filter(|entry| matches!(entry, XrefEntry::Normal { .. })).count();
    let written = memchr::memmem::find_iter(bytes, b"endobj").count();
    let mut ends: Vec<usize> = memchr::memmem::find_iter(bytes, b"%%EOF").map(|at| at + 5).collect();
    ends.pop();
    if loaded.doc.linearization.is_some() && !ends.is_empty() {
        ends.remove(0);
    }
    if ends.is_empty() && written <= listed {
        return Vec::new();
    }
    let more = ends.len() > VERSIONS;
    let latest = ends.into_iter().rev().take(VERSIONS).map(Version::Until);
    latest
        .chain([Version::Search])
        .chain(more.then_some(Version::More))
        .collect()
}

/// Loads one of them, if it can be loaded.
pub(super) fn earlier(bytes: &[u8], version: &Version, budget: &mut Budget) -> Result<Option<Document>, Spent> {
    let (until, search) = match version {
        Version::Until(end) => (*end, false),
        Version::Search => (bytes.len(), true),
        Version::More => return Err(Spent::Parts),
    };
    let bytes = bytes.get(..until).unwrap_or_default();
    budget.produce(bytes.len() as u64)?;
    let options = LoadOptions {
        force_reconstruct: search,
        ..options(bytes, budget)
    };
    let Ok(mut doc) = Document::load_mem_with_options(bytes, options) else {
        return Ok(None);
    };
    mend(&mut doc, bytes, budget)?;
    Ok(Some(doc))
}
