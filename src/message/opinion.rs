//! The second opinion: mail-parser reads the same structure, and where it disagrees the mail is in doubt.
//!
//! It gets a copy in which the bodies of parts are one word each: the structure is the question, not the content, and so
//! its cost and its appetite for memory stay small however large the mail is. Nested mails are cut out the same way (its
//! destructor recurses once for each level; 7,700 levels end the process).

use super::structure::{Part, Tree};
use super::transfer::Encoding;
use super::{doubt, doubt_spent};
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::types::PartPath;
use mail_parser::{Message, MessageParser, MessagePart, PartType};
use memchr::memmem;
use std::borrow::Cow;

/// Parts and nested mails that mail-parser is trusted with; each level of nesting needs a Content-Type field of its own.
const MOST: usize = 1_000;

/// Asks mail-parser, adds a doubt where it reads otherwise and its reading as a second one.
pub(super) fn add(content: &mut Content<'_>, bytes: &[u8], tree: &Tree, budget: &mut Budget) {
    let skeleton = Skeleton::new(bytes, tree);
    if skeleton.nesting() > MOST {
        return doubt_spent(content, PartPath::default(), Spent::Parts);
    }
    let Some(message) = MessageParser::default().parse(&skeleton.bytes) else {
        if !tree.parts.iter().all(|p| p.block.fields.is_empty()) {
            doubt(content, PartPath::default(), "a second parser cannot read the mail");
        }
        return;
    };
    let Err(path) = agree(&skeleton, tree, &message) else {
        return;
    };
    doubt(content, path.clone(), "a second parser sees other parts in the mail");
    for part in &message.parts {
        second(content, &path, part, budget);
    }
}

/// The mail with short bodies.
struct Skeleton {
    bytes: Vec<u8>,
    /// Original end of each cut body and the bytes cut up to there.
    cuts: Vec<(usize, usize)>,
}

impl Skeleton {
    fn new(bytes: &[u8], tree: &Tree) -> Skeleton {
        let boundaries: Vec<Vec<u8>> = tree
            .parts
            .iter()
            .filter_map(|p| p.entity.boundary.as_ref())
            .map(|b| [b"--", b.as_slice()].concat())
            .collect();
        let mut skeleton = Skeleton {
            bytes: Vec::new(),
            cuts: Vec::new(),
        };
        let (mut at, mut cut) = (0, 0);
        for part in tree.parts.iter().filter(|p| !p.split) {
            let body = part.body();
            let source = bytes.get(body.clone()).unwrap_or_default();
            let short = placeholder(part);
            // A body in which some boundary stands is left whole: that is where parsers differ.
            let kept = body.start < at
                || source.len() <= short.len()
                || !part.odd.is_empty()
                || memmem::find(source, b"--").is_some()
                    && boundaries.iter().take(64).any(|b| memmem::find(source, b).is_some());
            if kept {
                continue;
            }
            skeleton
                .bytes
                .extend_from_slice(bytes.get(at..body.start).unwrap_or_default());
            skeleton.bytes.extend_from_slice(short);
            at = body.end;
            cut += source.len() - short.len();
            skeleton.cuts.push((body.end, cut));
        }
        skeleton.bytes.extend_from_slice(bytes.get(at..).unwrap_or_default());
        skeleton
    }

    /// Where a byte of the mail stands in the skeleton.
    fn place(&self, at: usize) -> usize {
        let before = self.cuts.partition_point(|(end, _)| *end <= at);
        at - before
            .checked_sub(1)
            .and_then(|i| self.cuts.get(i))
            .map_or(0, |(_, cut)| *cut)
    }

    /// How deep mail-parser could nest at most, and how many parts it could make.
    fn nesting(&self) -> usize {
        let lower = self.bytes.to_ascii_lowercase();
        let types = memmem::find_iter(&lower, b"content-type").count();
        let delimiters = memmem::find_iter(&lower, b"\n--").count();
        types.max(delimiters / 4)
    }
}

fn placeholder(part: &Part) -> &'static [u8] {
    match (part.entity.is_mail(), part.entity.encoding) {
        (true, Encoding::Base64) => b"QTogYg0KDQpj",
        (true, _) => b"A: b\r\n\r\nc",
        (false, Encoding::Base64) => b"QUJD",
        (false, _) => b"x",
    }
}

/// Compares part by part; the path of the first that differs.
fn agree(skeleton: &Skeleton, tree: &Tree, message: &Message<'_>) -> Result<(), PartPath> {
    for (n, ours) in tree.parts.iter().enumerate() {
        let theirs = message.parts.get(n).ok_or_else(|| ours.path.clone())?;
        if !same(skeleton, ours, theirs) {
            return Err(ours.path.clone());
        }
    }
    match message.parts.len() == tree.parts.len() {
        true => Ok(()),
        false => Err(PartPath::default()),
    }
}

fn same(skeleton: &Skeleton, ours: &Part, theirs: &MessagePart<'_>) -> bool {
    let body = skeleton.place(ours.block.body);
    if ours.body().is_empty() && !ours.split {
        // The blank line behind the header is the line break of the delimiter, too; mail-parser counts it twice.
        return theirs.offset_end <= theirs.offset_body && (theirs.offset_body as usize).abs_diff(body) <= 2;
    }
    let split = matches!(theirs.body, PartType::Multipart(_));
    if theirs.offset_body as usize != body || split != ours.split {
        return false;
    }
    if split {
        return true;
    }
    let nested = matches!(theirs.body, PartType::Message(_));
    let encoding = match ours.entity.encoding {
        Encoding::Base64 => mail_parser::Encoding::Base64,
        Encoding::QuotedPrintable => mail_parser::Encoding::QuotedPrintable,
        _ => mail_parser::Encoding::None,
    };
    let end = skeleton.place(ours.range.end);
    nested || theirs.encoding == encoding && theirs.offset_end as usize == end
}

/// The bytes of a nested mail; `raw_message` is the whole mail around it, and to read that again would never end.
fn own_bytes<'m>(message: &'m Message<'_>) -> &'m [u8] {
    let range = message
        .parts
        .first()
        .map(|root| root.offset_header as usize..root.offset_end as usize);
    range.and_then(|r| message.raw_message.get(r)).unwrap_or_default()
}

/// One part as mail-parser reads it.
fn second(content: &mut Content<'_>, path: &PartPath, part: &MessagePart<'_>, budget: &mut Budget) {
    let (bytes, media_type): (&[u8], &str) = match &part.body {
        PartType::Text(text) => (text.as_bytes(), "text/plain"),
        PartType::Html(text) => (text.as_bytes(), "text/html"),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => (bytes, ""),
        PartType::Message(message) => (own_bytes(message), "message/rfc822"),
        PartType::Multipart(_) => return,
    };
    if let Err(spent) = budget.produce(bytes.len() as u64) {
        return doubt_spent(content, path.clone(), spent);
    }
    content.children.push(Child {
        path: path.clone(),
        bytes: Cow::Owned(bytes.to_vec()),
        hint: Hint {
            media_type: media_type.to_owned(),
            charset: media_type.starts_with("text/").then(|| "utf-8".to_owned()),
            ..Hint::default()
        },
        alternative: true,
    });
}
