//! What the MIME fields of one header block declare: type, boundary, encoding, file name; and what in them mail programs
//! read in different ways (reliability table: repeated fields, comments, odd boundaries, odd encodings).

use super::fields::{Block, Field, add};
use super::params::{Param, Structured, structured};
use super::transfer::Encoding;
use super::words::{self, Text};
use crate::content::Hint;
use std::ops::Range;

/// Where programs differ there are two readings; both are inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The first of repeated fields, odd encodings understood, boundaries compared whole.
    Usual,
    /// The last of repeated fields, odd encodings not understood (or guessed), boundaries compared as prefix.
    Other,
}

/// One declared file name.
#[derive(Clone, Debug)]
pub(super) struct FileName {
    /// Range, quoted, percent-encoded, in the order of RFC 2231.
    sections: Vec<(Range<usize>, bool, bool)>,
}

impl FileName {
    /// Its text, with the way back.
    pub(super) fn text(&self, bytes: &[u8]) -> Text {
        words::parameter(bytes, &self.sections)
    }

    /// The raw ranges of its values.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.sections.iter().map(|(range, _, _)| range.clone())
    }
}

/// What one header block declares.
#[derive(Clone, Debug, Default)]
pub(super) struct Entity {
    /// Lower case; the default type when none is declared.
    pub(super) media_type: String,
    /// Of a multipart.
    pub(super) boundary: Option<Vec<u8>>,
    /// Declared for a part that is no multipart.
    pub(super) stray_boundary: Option<Vec<u8>>,
    pub(super) encoding: Encoding,
    /// The encoding is unknown: the other reading guesses from the body.
    pub(super) guess: bool,
    /// The declared encoding is odd or repeated: the raw source is scanned, too.
    pub(super) encoding_odd: bool,
    pub(super) names: Vec<FileName>,
    /// Other parameters that are written in pieces, or percent-encoded (RFC 2231).
    pub(super) continued: Vec<FileName>,
    pub(super) hint: Hint,
    /// `smime-type` parameter, lower case.
    pub(super) smime_type: Option<String>,
    pub(super) odd: Vec<&'static str>,
}

/// Reads the MIME fields of `block`.
pub(super) fn entity(bytes: &[u8], block: &Block, default_type: &str, reading: Reading) -> Entity {
    let mut entity = Entity {
        media_type: default_type.to_owned(),
        ..Entity::default()
    };
    if let Some(field) = pick(bytes, block, "content-type", reading, &mut entity.odd) {
        let value = structured(bytes, field.value_range.clone());
        content_type(&mut entity, bytes, &value, default_type, reading);
    }
    if let Some(field) = pick(bytes, block, "content-disposition", reading, &mut entity.odd) {
        let value = structured(bytes, field.value_range.clone());
        repeated(&value.params, &mut entity.odd);
        entity.hint.attachment = value.head == "attachment";
        // The name a mail program shows comes from here first.
        let mut names = file_names(&value.params, "filename");
        entity.continued.extend(continued(&value.params, "filename"));
        names.append(&mut entity.names);
        entity.names = names;
    }
    transfer_encoding(&mut entity, bytes, block, reading);
    entity.hint.name = entity.names.first().map(|name| name.text(bytes).text);
    entity.hint.attachment |= entity.is_file();
    if entity.is_multipart() && !entity.encoding.is_identity() {
        add(&mut entity.odd, "a multipart declares a transfer encoding");
    }
    entity
}

impl Entity {
    pub(super) fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    /// Shown as a file rather than as the text of the mail: it has a name, or is neither text nor structure.
    fn is_file(&self) -> bool {
        let shown = self.media_type.starts_with("text/") || self.is_multipart();
        !self.names.is_empty() || !shown
    }

    /// A whole mail inside: read by `message::read` again, never in place.
    pub(super) fn is_mail(&self) -> bool {
        matches!(
            self.media_type.as_str(),
            "message/rfc822"
                | "message/global"
                | "message/news"
                | "text/rfc822"
                | "text/rfc822-headers"
                | "message/global-headers"
        )
    }

    /// Value of a parameter of the Content-Type that seals need.
    pub(super) fn smime(&self) -> Option<&str> {
        self.smime_type.as_deref()
    }
}

/// The field of that name which this reading believes.
fn pick<'f>(
    bytes: &[u8],
    block: &'f Block,
    name: &str,
    reading: Reading,
    odd: &mut Vec<&'static str>,
) -> Option<&'f Field> {
    let mut found = block.fields.iter().filter(|f| f.is(bytes, name));
    let first = found.next()?;
    let last = found.next_back();
    if last.is_some() {
        add(
            odd,
            match name {
                "content-type" => "there is more than one Content-Type",
                "content-disposition" => "there is more than one Content-Disposition",
                _ => "there is more than one Content-Transfer-Encoding",
            },
        );
    }
    match reading {
        Reading::Usual => Some(first),
        Reading::Other => Some(last.unwrap_or(first)),
    }
}

fn content_type(entity: &mut Entity, bytes: &[u8], value: &Structured, default_type: &str, reading: Reading) {
    for odd in &value.odd {
        add(&mut entity.odd, odd);
    }
    repeated(&value.params, &mut entity.odd);
    if is_type(&value.head) {
        entity.media_type.clone_from(&value.head);
        entity.hint.media_type.clone_from(&value.head);
    } else {
        add(&mut entity.odd, "the Content-Type is not of the form type/subtype");
        default_type.clone_into(&mut entity.media_type);
    }
    let text = |name: &str| {
        let mut all = value
            .params
            .iter()
            .filter(|p| p.name == name && p.section.is_none_or(|n| n == 0));
        let first = all.next()?;
        let param = if reading == Reading::Other {
            all.next_back().unwrap_or(first)
        } else {
            first
        };
        if param.extended || param.section.is_some() {
            let sections = [(param.value.clone(), param.quoted, param.extended)];
            return Some(words::parameter(bytes, &sections).text);
        }
        param.text(bytes)
    };
    let is = |name: &str, word: &str| text(name).is_some_and(|v| v.trim().eq_ignore_ascii_case(word));
    entity.hint.charset = text("charset");
    entity.hint.flowed = is("format", "flowed");
    entity.hint.delsp = is("delsp", "yes");
    entity.smime_type = text("smime-type").map(|t| t.trim().to_ascii_lowercase());
    entity.names = file_names(&value.params, "name");
    entity.continued = continued(&value.params, "name");
    if entity.is_multipart() {
        entity.boundary = boundary(bytes, &value.params, reading, &mut entity.odd);
    } else {
        entity.stray_boundary = text("boundary").map(String::into_bytes).filter(|b| !b.is_empty());
    }
}

/// `type/subtype`, both tokens (RFC 2045 §5.1).
fn is_type(head: &str) -> bool {
    let token = |t: &str| {
        !t.is_empty()
            && t.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+%'*`{|}~".contains(&b))
    };
    head.split_once('/')
        .is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// The same parameter twice: the first counts for some, the last for others (CVE-2024-28054).
fn repeated(params: &[Param], odd: &mut Vec<&'static str>) {
    let mut seen: Vec<(&str, Option<u32>, bool)> = params
        .iter()
        .map(|p| (p.name.as_str(), p.section, p.extended))
        .collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair.first() == pair.last()) {
        add(odd, "a MIME parameter is repeated");
    }
}

fn boundary(bytes: &[u8], params: &[Param], reading: Reading, odd: &mut Vec<&'static str>) -> Option<Vec<u8>> {
    let mut all: Vec<&Param> = params.iter().filter(|p| p.name == "boundary").collect();
    let split = all.iter().any(|p| p.extended || p.section.is_some());
    if split {
        add(odd, "the boundary is encoded or split");
        all.sort_by_key(|p| p.section);
        let plain = all.iter().find(|p| !p.extended && p.section.is_none());
        if let (Some(plain), Reading::Usual) = (plain, reading) {
            all = vec![plain];
        }
    }
    let value = if split && all.len() > 1 || all.first().is_some_and(|p| p.extended) {
        let sections: Vec<_> = all.iter().map(|p| (p.value.clone(), p.quoted, p.extended)).collect();
        words::parameter(bytes, &sections).text
    } else {
        let param = if reading == Reading::Other {
            all.last()
        } else {
            all.first()
        };
        let Some(param) = param else {
            add(odd, "a multipart has no boundary");
            return None;
        };
        if let Some(reason) = param.odd {
            add(odd, reason);
        }
        let raw = bytes.get(param.value.clone()).unwrap_or_default();
        check_boundary(raw, odd);
        boundary_text(bytes, param, raw, reading)
    };
    let value = value.trim_end();
    if value.is_empty() {
        add(odd, "the boundary is empty");
        return None;
    }
    Some(value.as_bytes().to_vec())
}

/// A boundary that is neither split nor percent-encoded.
fn boundary_text(bytes: &[u8], param: &Param, raw: &[u8], reading: Reading) -> String {
    let lossy = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    match (param.quoted, reading) {
        (_, Reading::Other) if raw.starts_with(b"=?") => {
            words::parameter(bytes, &[(param.value.clone(), param.quoted, false)]).text
        }
        (true, Reading::Other) => lossy(raw),
        // An unquoted boundary ends at a blank for those who read tokens.
        (false, Reading::Other) => {
            let ends = |b: &u8| b.is_ascii_whitespace() || b",(".contains(b);
            let end = raw.iter().position(ends).unwrap_or(raw.len());
            lossy(raw.get(..end).unwrap_or_default())
        }
        _ => param.text(bytes).unwrap_or_else(|| lossy(raw)),
    }
}

/// What makes a boundary mean different things to different programs (RFC 2046 §5.1.1 has the rules).
fn check_boundary(raw: &[u8], odd: &mut Vec<&'static str>) {
    if raw.len() > 70 {
        add(odd, "the boundary is longer than 70 characters");
    }
    if raw.ends_with(b" ") || raw.ends_with(b"\t") || raw.starts_with(b" ") || raw.starts_with(b"\t") {
        add(odd, "the boundary starts or ends with a blank");
    }
    if raw
        .iter()
        .any(|b| !(b.is_ascii_graphic() || *b == b' ') || b"\"\\".contains(b))
    {
        add(odd, "the boundary holds characters that do not belong in one");
    }
    if memchr::memmem::find(raw, b"=?").is_some() && raw.ends_with(b"?=") {
        add(odd, "the boundary is written as an encoded word");
    }
}

/// The parameters that only RFC 2231 puts together, but for the file name.
fn continued(params: &[Param], name: &str) -> Vec<FileName> {
    let mut others: Vec<&str> = params
        .iter()
        .filter(|p| (p.section.is_some() || p.extended) && p.name != name)
        .map(|p| p.name.as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    others.into_iter().flat_map(|other| file_names(params, other)).collect()
}

/// The file names declared under `name`: the plain one and the one of RFC 2231 each count.
fn file_names(params: &[Param], name: &str) -> Vec<FileName> {
    let mut names = Vec::new();
    let mut sections: Vec<&Param> = params
        .iter()
        .filter(|p| p.name == name && p.section.is_some())
        .collect();
    sections.sort_by_key(|p| p.section);
    for param in params.iter().filter(|p| p.name == name && p.section.is_none()) {
        let one = FileName {
            sections: vec![(param.value.clone(), param.quoted, param.extended)],
        };
        // Programs that know RFC 2231 show the encoded form.
        if param.extended {
            names.insert(0, one)
        } else {
            names.push(one)
        }
    }
    if !sections.is_empty() {
        let sections = sections
            .iter()
            .map(|p| (p.value.clone(), p.quoted, p.extended))
            .collect();
        names.insert(0, FileName { sections });
    }
    names
}

fn transfer_encoding(entity: &mut Entity, bytes: &[u8], block: &Block, reading: Reading) {
    let before = entity.odd.len();
    let Some(field) = pick(bytes, block, "content-transfer-encoding", reading, &mut entity.odd) else {
        return;
    };
    entity.encoding_odd = entity.odd.len() > before;
    let raw = bytes.get(field.value_range.clone()).unwrap_or_default();
    let value = String::from_utf8_lossy(raw);
    let value = value.trim_matches(|c| " \t\r\n".contains(c));
    if let Some(encoding) = Encoding::named(value) {
        entity.encoding = encoding;
        return;
    }
    entity.encoding_odd = true;
    let odd = &mut entity.odd;
    match lenient_name(bytes, field.value_range.clone()) {
        Some(encoding) => {
            add(odd, "the Content-Transfer-Encoding is written oddly");
            if reading == Reading::Usual {
                entity.encoding = encoding;
            }
        }
        None => {
            add(odd, "the Content-Transfer-Encoding is unknown");
            entity.guess = reading == Reading::Other;
        }
    }
}

/// The encoding behind comments, quotes and parameters.
fn lenient_name(bytes: &[u8], range: Range<usize>) -> Option<Encoding> {
    let head = structured(bytes, range).head;
    let mut words = head
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|w| !w.is_empty());
    words.find_map(Encoding::named)
}

#[cfg(test)]
mod tests {
    use super::super::fields::{How, block};
    use super::*;

    fn read(raw: &str, reading: Reading) -> Entity {
        let how = How {
            mail: false,
            skip_strays: false,
            max: 100,
        };
        let block = block(raw.as_bytes(), 0..raw.len(), how);
        entity(raw.as_bytes(), &block, "text/plain", reading)
    }

    #[test]
    fn two_readings_of_repeated_and_odd_encodings() {
        let raw = "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n";
        assert_eq!(read(raw, Reading::Usual).encoding, Encoding::Base64);
        assert_eq!(read(raw, Reading::Other).encoding, Encoding::SevenBit);
        for odd in [
            "base64 (c)",
            "\"base64\"",
            "base64;",
            "base64; x=y",
            "(c) base64",
            "base64,",
        ] {
            let raw = format!("Content-Transfer-Encoding: {odd}\r\n");
            assert_eq!(read(&raw, Reading::Usual).encoding, Encoding::Base64, "{odd}");
            assert_eq!(read(&raw, Reading::Other).encoding, Encoding::SevenBit, "{odd}");
            assert!(read(&raw, Reading::Usual).encoding_odd);
        }
        assert!(!read("Content-Transfer-Encoding: 8BIT\r\n", Reading::Usual).encoding_odd);
        assert!(read("Content-Transfer-Encoding: x-b\r\n", Reading::Other).guess);
    }

    #[test]
    fn file_names_in_all_forms() {
        let names = |value: &str| {
            let raw = format!("Content-Disposition: attachment; {value}\r\n");
            let entity = read(&raw, Reading::Usual);
            (
                entity
                    .names
                    .iter()
                    .map(|n| n.text(raw.as_bytes()).text)
                    .collect::<Vec<_>>(),
                entity.odd.len(),
            )
        };
        assert_eq!(names("filename=\"a b.txt\"").0, ["a b.txt"]);
        assert_eq!(names("filename=a b.txt").0, ["a b.txt"]);
        assert_eq!(names("filename*=utf-8''%C3%A6%201.txt; filename=x").0, ["æ 1.txt", "x"]);
        assert_eq!(names("filename*1*=%31.txt; filename*0*=iso-8859-1''%E6").0, ["æ1.txt"]);
        assert_eq!(names("filename*0=\"a \"; filename*1=b.txt").0, ["a b.txt"]);
        assert_eq!(names("filename=\"=?utf-8?B?w6Y=?= =?utf-8?Q?=31?=.txt\"").0, ["æ1.txt"]);
        assert_eq!(names("filename=a; filename=b").1, 1);
    }

    #[test]
    fn boundaries_in_doubt_have_two_readings() {
        let raw = "Content-Type: multipart/mixed; boundary=A; boundary=B\r\n";
        assert_eq!(read(raw, Reading::Usual).boundary.as_deref(), Some(&b"A"[..]));
        assert_eq!(read(raw, Reading::Other).boundary.as_deref(), Some(&b"B"[..]));
        for odd in [
            "",
            "; boundary=",
            "; boundary=\"\"",
            "; boundary*=us-ascii''B",
            "; boundary*0=B; boundary*1=C",
            "; boundary=\"=?us-ascii?Q?B?=\"",
            "; boundary=\"B \"",
            "; boundary=\"B",
            "; boundary=\"B\"C",
            "; boundary=B,C",
        ] {
            let raw = format!("Content-Type: multipart/mixed{odd}\r\n");
            assert_eq!(
                read(&raw, Reading::Usual).odd.len(),
                1,
                "{odd}: {:?}",
                read(&raw, Reading::Usual).odd
            );
        }
        assert!(
            read(
                "Content-Type: multipart/mixed; boundary=----=_Part_1\r\n",
                Reading::Usual
            )
            .odd
            .is_empty()
        );
    }
}
