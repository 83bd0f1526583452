//! The tree of parts by raw byte ranges, without recursion and within limits. Every byte of the mail belongs to a header
//! block, a leaf's body, a delimiter line or a gap.
//!
//! mail-parser 0.11 loses text and can be brought down by nesting (its destructor recurses), so this reading comes first
//! and decides whether the second opinion is asked at all.

use super::entity::{Entity, Reading, entity};
use super::fields::{Block, How, add, block, has_bare_cr, line_end, trimmed};
use crate::content::Spent;
use crate::types::PartPath;
use memchr::memmem;
use std::ops::Range;
use std::rc::Rc;

/// What the structure may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) depth: usize,
    pub(super) parts: usize,
    pub(super) headers: usize,
}

impl Bounds {
    /// For bytes that were read within limits before.
    pub(super) const NONE: Bounds = Bounds {
        depth: usize::MAX / 16,
        parts: usize::MAX / 16,
        headers: usize::MAX / 16,
    };

    /// Header fields of all parts together.
    fn fields(self) -> usize {
        (self.headers.saturating_mul(20)).max(self.parts.saturating_mul(8))
    }
}

/// One part: the mail itself, a multipart, or a leaf.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Path of its header: empty for the mail.
    pub(super) path: PartPath,
    /// From the start of its header to the end of its body.
    pub(super) range: Range<usize>,
    pub(super) block: Block,
    pub(super) entity: Entity,
    /// It was split at its boundary.
    pub(super) split: bool,
    /// What is read differently by different programs.
    pub(super) odd: Vec<&'static str>,
}

impl Part {
    pub(super) fn body(&self) -> Range<usize> {
        self.block.body..self.range.end
    }

    /// IMAP numbering: the body of a mail in one part is part 1.
    pub(super) fn leaf_path(&self) -> PartPath {
        if self.path.0.is_empty() {
            self.path.child(1)
        } else {
            self.path.clone()
        }
    }
}

/// A whole reading.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    /// In the order of the mail, a multipart before what is in it.
    pub(super) parts: Vec<Part>,
    /// Bytes outside all parts: preambles, epilogues, stray header lines.
    pub(super) gaps: Vec<(PartPath, Range<usize>)>,
    /// A limit was reached; from this byte on nothing was read.
    pub(super) stopped: Option<(Spent, PartPath, Range<usize>)>,
}

struct Open {
    path: PartPath,
    range: Range<usize>,
    digest: bool,
    /// Boundaries of the multiparts around it.
    around: Rc<Vec<Vec<u8>>>,
}

/// Reads the structure.
pub(super) fn read(bytes: &[u8], bounds: Bounds, reading: Reading) -> Tree {
    let mut tree = Tree::default();
    let mut fields = 0;
    let mut open = vec![Open {
        path: PartPath::default(),
        range: 0..bytes.len(),
        digest: false,
        around: Rc::default(),
    }];
    while let Some(next) = open.pop() {
        if next.path.0.len() > bounds.depth {
            tree.stopped.get_or_insert((Spent::Depth, next.path, next.range));
            continue;
        }
        if tree.parts.len() + open.len() > bounds.parts {
            tree.stopped = Some((Spent::Parts, next.path, next.range.start..bytes.len()));
            break;
        }
        if fields > bounds.fields() {
            tree.stopped = Some((Spent::Parts, next.path, next.range.start..bytes.len()));
            break;
        }
        let children = one(&mut tree, bytes, next, bounds, reading);
        fields += tree.parts.last().map_or(0, |part| part.block.fields.len());
        open.extend(children.into_iter().rev());
    }
    tree
}

/// Reads one part's header, and splits it when it is a multipart.
fn one(tree: &mut Tree, bytes: &[u8], this: Open, bounds: Bounds, reading: Reading) -> Vec<Open> {
    let how = How {
        mail: this.path.0.is_empty(),
        skip_strays: reading == Reading::Other,
        max: bounds.headers,
    };
    let block = block(bytes, this.range.clone(), how);
    let default = if this.digest { "message/rfc822" } else { "text/plain" };
    let entity = entity(bytes, &block, default, reading);
    let mut odd = block.odd.clone();
    for reason in &entity.odd {
        add(&mut odd, reason);
    }
    if block.over {
        let rest = block.body..this.range.end;
        tree.stopped.get_or_insert((Spent::Parts, this.path.clone(), rest));
    }
    tree.gaps
        .extend(block.strays.iter().map(|s| (this.path.clone(), s.clone())));
    let mut part = Part {
        path: this.path,
        range: this.range,
        block,
        entity,
        split: false,
        odd,
    };
    if part
        .entity
        .stray_boundary
        .as_ref()
        .is_some_and(|b| has_delimiter(bytes, &part, b))
    {
        add(
            &mut part.odd,
            "a part that is no multipart has a boundary and delimiters",
        );
    }
    let boundary = part.entity.boundary.clone().or_else(|| guess(bytes, &part, reading));
    let children = match boundary {
        Some(boundary) => split(tree, bytes, &mut part, boundary, this.around, bounds, reading),
        None => Vec::new(),
    };
    tree.parts.push(part);
    children
}

/// The boundary of a multipart that declares none: some programs take the first line that looks like a delimiter.
fn guess(bytes: &[u8], part: &Part, reading: Reading) -> Option<Vec<u8>> {
    if reading == Reading::Usual || !part.entity.is_multipart() {
        return None;
    }
    let mut lines = bytes.get(part.body())?.split(|&b| b == b'\n');
    let line = lines.find(|line| line.starts_with(b"--"))?.trim_ascii_end();
    line.strip_prefix(b"--").map(<[u8]>::to_vec)
}

/// Some programs split wherever a boundary is declared.
fn has_delimiter(bytes: &[u8], part: &Part, boundary: &[u8]) -> bool {
    let line = [b"\n--", boundary].concat();
    let body = bytes.get(part.body()).unwrap_or_default();
    body.starts_with(line.get(1..).unwrap_or_default()) || memmem::find(body, &line).is_some()
}

/// A delimiter line.
struct Delimiter {
    line: Range<usize>,
    next: usize,
    close: bool,
}

fn split(
    tree: &mut Tree,
    bytes: &[u8],
    part: &mut Part,
    boundary: Vec<u8>,
    around: Rc<Vec<Vec<u8>>>,
    bounds: Bounds,
    reading: Reading,
) -> Vec<Open> {
    if around.contains(&boundary) {
        add(&mut part.odd, "a multipart has the boundary of one around it");
    }
    let body = part.body();
    let found = delimiters(bytes, body.clone(), &boundary, reading, bounds.parts, &mut part.odd);
    if !found.iter().any(|d| !d.close) {
        // A delivery report brings back the header alone (RFC 6522 §2): nothing is there to be read in two ways.
        let header_alone = around.is_empty() && bytes.get(body).unwrap_or_default().trim_ascii().is_empty();
        if !header_alone {
            add(&mut part.odd, "a multipart holds no part");
        }
        return Vec::new();
    }
    part.split = true;
    let around = Rc::new([around.as_slice(), &[boundary]].concat());
    let digest = part.entity.media_type == "multipart/digest";
    let mut children = Vec::new();
    let mut gap = body.start;
    let mut closed = false;
    for (n, delimiter) in found.iter().enumerate() {
        if delimiter.close {
            closed = true;
            gap = delimiter.next;
            if n + 1 < found.len() {
                add(&mut part.odd, "a delimiter follows the end of its multipart");
            }
            break;
        }
        if n == 0 {
            take_gap(tree, bytes, part, gap..delimiter.line.start, &around);
        }
        let end = found
            .get(n + 1)
            .map_or(body.end, |next| before_break(bytes, delimiter.next, next.line.start));
        children.push(Open {
            path: part.path.child(u32::try_from(children.len() + 1).unwrap_or(u32::MAX)),
            range: delimiter.next.min(end)..end,
            digest,
            around: Rc::clone(&around),
        });
        gap = body.end;
    }
    if closed {
        take_gap(tree, bytes, part, gap..body.end, &around);
    } else {
        add(&mut part.odd, "a multipart is not closed");
    }
    children
}

/// The lines that start with the boundary, in order.
fn delimiters(
    bytes: &[u8],
    body: Range<usize>,
    boundary: &[u8],
    reading: Reading,
    max: usize,
    odd: &mut Vec<&'static str>,
) -> Vec<Delimiter> {
    let needle = [b"--", boundary].concat();
    let raw = bytes.get(body.clone()).unwrap_or_default();
    let mut found = Vec::new();
    let mut after = 0;
    for i in memmem::find_iter(raw, &needle) {
        let at = body.start + i;
        if i < after || i > 0 && raw.get(i - 1) != Some(&b'\n') {
            continue;
        }
        let next = line_end(bytes, at, body.end);
        after = next - body.start;
        let line = trimmed(bytes, at, next);
        let rest = bytes.get(at + needle.len()..line.end).unwrap_or_default();
        let blank = |text: &[u8]| text.iter().all(|b| b" \t".contains(b));
        let closing = rest.strip_prefix(b"--");
        let exact = blank(rest) || closing.is_some_and(blank);
        if !exact {
            add(odd, "a line only starts with the boundary");
        }
        if exact || reading == Reading::Other {
            found.push(Delimiter {
                close: closing.is_some(),
                line,
                next,
            });
        }
        if found.len() > max {
            break;
        }
    }
    found
}

/// The end of a part: the line break before the delimiter belongs to the delimiter (RFC 2046 §5.1.1).
fn before_break(bytes: &[u8], start: usize, delimiter: usize) -> usize {
    let raw = bytes.get(start..delimiter).unwrap_or_default();
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    start + raw.strip_suffix(b"\r").unwrap_or(raw).len()
}

/// Notes a preamble or epilogue, and doubts it when it looks like MIME.
fn take_gap(tree: &mut Tree, bytes: &[u8], part: &mut Part, gap: Range<usize>, boundaries: &[Vec<u8>]) {
    let raw = bytes.get(gap.clone()).unwrap_or_default();
    if raw.trim_ascii().is_empty() {
        return;
    }
    if looks_like_mime(raw, boundaries) {
        add(
            &mut part.odd,
            "the text before or behind the parts looks like a part itself",
        );
    }
    if memchr::memchr(0, raw).is_some() || has_bare_cr(raw) {
        add(
            &mut part.odd,
            "there is a NUL byte or a lone carriage return outside the parts",
        );
    }
    tree.gaps.push((part.path.clone(), gap));
}

/// A MIME header line, a delimiter, or lines of base64.
fn looks_like_mime(raw: &[u8], boundaries: &[Vec<u8>]) -> bool {
    let starts = |line: &[u8], name: &[u8]| line.get(..name.len()).is_some_and(|l| l.eq_ignore_ascii_case(name));
    let mut run = Vec::new();
    raw.split(|&b| b == b'\n').any(|line| {
        let line = line.trim_ascii();
        if line.is_empty() || !line.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)) {
            run.clear();
        } else {
            run.extend_from_slice(line);
        }
        starts(line, b"content-")
            || looks_like_base64(line)
            || run.len() > line.len() && looks_like_base64(&run)
            || boundaries
                .iter()
                .any(|b| line.strip_prefix(b"--").is_some_and(|l| l.starts_with(b)))
    })
}

/// A long word is not enough: capitals stand in it, and small letters or digits.
fn looks_like_base64(text: &[u8]) -> bool {
    text.len() >= 16
        && text.len().is_multiple_of(4)
        && text.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
        && text.iter().any(u8::is_ascii_uppercase)
        && text.iter().any(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        depth: 32,
        parts: 100,
        headers: 100,
    };

    fn paths(raw: &str, reading: Reading) -> Vec<(String, String)> {
        let tree = read(raw.as_bytes(), BOUNDS, reading);
        let leaves = tree.parts.iter().filter(|p| !p.split);
        leaves
            .map(|p| (p.leaf_path().to_string(), raw[p.body()].to_owned()))
            .collect()
    }

    #[test]
    fn parts_are_numbered_as_imap_does() {
        assert_eq!(
            paths("A: 1\n\nx\n", Reading::Usual),
            [("1".to_owned(), "x\n".to_owned())]
        );
        let nested = "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n\
                      --i\n\na\n--i\n\nb\n--i--\n--o\n\nc\n--o--\n";
        let got: Vec<String> = paths(nested, Reading::Usual)
            .into_iter()
            .map(|(p, b)| format!("{p}={b}"))
            .collect();
        assert_eq!(got, ["1.1=a", "1.2=b", "2=c"]);
    }

    #[test]
    fn a_prefix_of_a_boundary_has_two_readings() {
        let raw = "Content-Type: multipart/mixed; boundary=B\n\n--B\n\na\n--BB\n\nb\n--B--\n";
        assert_eq!(paths(raw, Reading::Usual).len(), 1);
        assert_eq!(paths(raw, Reading::Other).len(), 2);
    }

    #[test]
    fn limits_stop_the_reading_and_say_where() {
        let mut raw = String::from("Content-Type: multipart/mixed; boundary=B\n\n");
        raw.push_str(&"--B\n\n\n".repeat(200));
        let tree = read(raw.as_bytes(), BOUNDS, Reading::Usual);
        assert!(matches!(tree.stopped, Some((Spent::Parts, _, _))));
        let mut raw = String::new();
        for n in 0..100 {
            raw.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}x\n\n--b{n}x\n"));
        }
        let tree = read(raw.as_bytes(), BOUNDS, Reading::Usual);
        assert!(matches!(tree.stopped, Some((Spent::Depth, _, _))));
    }
}
