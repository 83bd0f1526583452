//! Mail as MIME (RFC 5322, RFC 2045 ff.): every text of the headers, every part with its transfer encoding taken off,
//! every byte in between, and a doubt wherever mail programs read the same bytes in different ways.
//!
//! The raw bytes stay the reference: positions, never re-serialised values, so that redaction changes the digits and
//! nothing else. mail-parser is the second opinion, behind [`opinion`]. What stands inside a part is `document`'s
//! business; a mail inside a mail comes out as a child and is read by [`read`] again, by whoever walks.

mod charset;
mod cms;
mod encoded;
mod entity;
mod fields;
mod leaves;
mod opinion;
mod params;
mod rebuild;
mod seals;
mod structure;
mod transfer;
mod uu;
mod views;
mod words;

pub use cms::{Envelope, envelope};
pub use fields::Field;
pub use rebuild::rebuild;

use crate::content::{Budget, Content, ContentDoubt, Spent};
use crate::types::{DoubtKind, Location, PartPath};
use entity::Reading;
use structure::{Bounds, Tree};

/// Reads one mail (RFC 5322 with MIME): header views, parts as children, doubts. Never fails: what cannot be read is a
/// doubt.
///
/// The views of headers, file names and gaps come first, in the order of the mail; [`rebuild`] counts on that.
pub fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let limits = budget.limits();
    let bounds = Bounds {
        depth: limits.depth as usize,
        parts: limits.parts.saturating_sub(budget.parts()) as usize,
        headers: limits.headers as usize,
    };
    let mut content = Content::default();
    let tree = structure::read(bytes, bounds, Reading::Usual);
    views::add(&mut content, bytes, &tree, budget);
    leaves::add(&mut content, bytes, &tree, budget);
    seals::add(&mut content, &tree);
    if stopped(&mut content, bytes, &tree, budget) {
        return content;
    }
    if !content.doubts.is_empty() {
        let other = structure::read(bytes, bounds, Reading::Other);
        leaves::add_other(&mut content, bytes, &tree, &other, budget);
        views::add_other(&mut content, bytes, &tree, &other, budget);
        if fields::has_bare_cr(bytes) {
            leaves::add_unbroken(&mut content, bytes, budget);
        }
    }
    opinion::add(&mut content, bytes, &tree, budget);
    content
}

/// When a limit was reached: the doubt, and the unread rest as raw text.
fn stopped(content: &mut Content<'_>, bytes: &[u8], tree: &Tree, budget: &mut Budget) -> bool {
    let Some((spent, path, range)) = tree.stopped.clone() else {
        return false;
    };
    doubt_spent(content, path.clone(), spent);
    views::raw(content, bytes, range, path, Location::Source, budget);
    true
}

/// Adds a doubt of the kind `Malformed`.
fn doubt(content: &mut Content<'_>, part: PartPath, reason: &str) {
    content.doubts.push(ContentDoubt {
        kind: DoubtKind::Malformed,
        part,
        location: Location::Whole,
        reason: reason.to_owned(),
    });
}

/// Adds the doubt of a limit, once for each part and kind.
fn doubt_spent(content: &mut Content<'_>, part: PartPath, spent: Spent) {
    if content.doubts.iter().any(|d| d.kind == spent.doubt() && d.part == part) {
        return;
    }
    content.doubts.push(ContentDoubt {
        kind: spent.doubt(),
        part,
        location: Location::Whole,
        reason: spent.to_string(),
    });
}

/// The header fields of a mail, in order: what the milter compares before and after, since it edits them by index.
pub fn headers(bytes: &[u8]) -> Vec<Field> {
    top(bytes).fields
}

/// Where the body starts: behind the blank line that ends the header.
pub fn body_offset(bytes: &[u8]) -> usize {
    top(bytes).body
}

fn top(bytes: &[u8]) -> fields::Block {
    let how = fields::How {
        mail: true,
        skip_strays: false,
        max: usize::MAX - 1,
    };
    fields::block(bytes, 0..bytes.len(), how)
}

/// Whether bytes of unknown kind are a mail: two header fields at least, one of them a field that mails have and other
/// texts do not.
pub fn looks_like_mail(bytes: &[u8]) -> bool {
    const TELLING: [&str; 10] = [
        "received",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "return-path",
        "delivered-to",
        "dkim-signature",
    ];
    let start = bytes.get(..bytes.len().min(65_536)).unwrap_or_default();
    let block = top(start);
    let mut telling: Vec<String> = block
        .fields
        .iter()
        .map(|f| String::from_utf8_lossy(f.name(start)).to_ascii_lowercase())
        .filter(|name| TELLING.contains(&name.as_str()))
        .collect();
    telling.sort_unstable();
    telling.dedup();
    telling.len() >= 2
}
