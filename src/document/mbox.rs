//! Mailboxes (RFC 4155): each mail a child, written back where it stood.

use super::{charset, text, view};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, Splice, splice};
use crate::types::{Location, PartPath};
use std::borrow::Cow;
use std::ops::Range;

/// Starts with a separator line, and a header field stands in the next.
pub(super) fn is_mbox(bytes: &[u8]) -> bool {
    bytes.starts_with(b"From ") && begins_mail(bytes, 0)
}

/// The line at `at` is a separator: what follows is the header of a mail.
fn begins_mail(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(end) = memchr::memchr(b'\n', rest) else {
        return false;
    };
    let next = rest.get(end + 1..).unwrap_or_default();
    let line = next.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = line.strip_prefix(b">").unwrap_or(line);
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(|b| (33..=126).contains(b))
}

/// Separator lines, each with the mail behind it. Programs differ in whether an empty line must come before one; a header
/// behind it tells more.
fn mails(bytes: &[u8]) -> Vec<(Range<usize>, Range<usize>)> {
    let starts = memchr::memmem::find_iter(bytes, b"From ");
    let starts: Vec<usize> = starts
        .filter(|at| *at == 0 || bytes.get(at - 1) == Some(&b'\n'))
        .filter(|at| begins_mail(bytes, *at))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let mails = starts.iter().zip(ends).map(|(start, end)| {
        let line = memchr::memchr(b'\n', bytes.get(*start..end).unwrap_or_default());
        let mail = line.map_or(end, |len| start + len + 1);
        (*start..mail, mail..end)
    });
    mails.collect()
}

/// Reads a mailbox.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    for (index, (line, mail)) in mails(bytes).into_iter().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let raw = bytes.get(line.clone()).unwrap_or_default();
        if raw.iter().any(u8::is_ascii_digit) {
            let mut separator = view(Location::Gap, charset::latin1(raw));
            separator.map = separator.map.shifted(line.start);
            content.views.push(separator);
        }
        if let Err(spent) = budget.in_time() {
            content.doubts.push(super::doubt(spent.doubt(), spent.to_string()));
            break;
        }
        content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Borrowed(bytes.get(mail).unwrap_or_default()),
            hint: Hint {
                media_type: "message/rfc822".to_owned(),
                attachment: true,
                ..Hint::default()
            },
            alternative: false,
        });
    }
    content
}

/// Puts changed mails in their places.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let mails = mails(bytes);
    let mut splices = text::splices(content, changes.texts.iter().cloned())?;
    for (index, mail) in &changes.children {
        let (_, range) = mails
            .get(*index)
            .ok_or(CannotEdit::Unsupported("a mail without a place"))?;
        splices.push(Splice {
            range: range.clone(),
            with: mail.clone(),
        });
    }
    splice(bytes, splices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_followed_by_a_header() {
        let text = b"From a@x.example Mon Nov 23 10:00:00 2026\nSubject: 1\n\nFrom here on\nall is text\n>From x\n\n\
                     From b@x.example Mon Nov 23 10:00:01 2026\nSubject: 2\n\nbody\n";
        let mails = mails(text);
        assert_eq!(mails.len(), 2);
        assert!(text[mails[1].1.clone()].starts_with(b"Subject: 2"));
        assert!(!is_mbox(b"From here on all is text\nand more\n"));
    }
}
