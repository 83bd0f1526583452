//! `value; name=value` header fields (RFC 2045 §5.1, RFC 2183, RFC 2231): where each parameter stands.
//!
//! Lenient, since file names come unquoted and with blanks, but it says what a stricter reader would read otherwise.

use super::fields::add;
use std::ops::Range;

/// One parameter, or one section of one (`name*1*=`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    /// Lower case, without `*`.
    pub(super) name: String,
    /// RFC 2231 section number.
    pub(super) section: Option<u32>,
    /// RFC 2231: percent-encoded.
    pub(super) extended: bool,
    /// The value in the raw bytes, without quotes.
    pub(super) value: Range<usize>,
    /// It stood in quotes.
    pub(super) quoted: bool,
    /// Why this parameter may be read otherwise.
    pub(super) odd: Option<&'static str>,
}

impl Param {
    /// The value with folds and backslashes taken off. `None`: not UTF-8, or RFC 2231 percent-encoded.
    pub(super) fn text(&self, bytes: &[u8]) -> Option<String> {
        let raw = bytes.get(self.value.clone())?;
        let mut out = Vec::with_capacity(raw.len());
        let mut escaped = false;
        for &b in raw {
            match b {
                b'\\' if self.quoted && !escaped => escaped = true,
                b'\r' | b'\n' => {}
                _ => {
                    out.push(b);
                    escaped = false;
                }
            }
        }
        String::from_utf8(out).ok()
    }
}

/// A structured value.
#[derive(Clone, Debug, Default)]
pub(super) struct Structured {
    /// What stands before the first `;`, lower case, blanks and comments taken off.
    pub(super) head: String,
    pub(super) params: Vec<Param>,
    pub(super) odd: Vec<&'static str>,
}

/// Reads one structured value.
pub(super) fn structured(bytes: &[u8], range: Range<usize>) -> Structured {
    let mut cursor = Cursor {
        bytes,
        at: range.start,
        end: range.end,
        odd: Vec::new(),
        open_comment: false,
    };
    let head = cursor.head();
    let mut params = Vec::new();
    while cursor.peek() == Some(b';') {
        cursor.at += 1;
        if let Some(param) = cursor.param() {
            params.push(param);
        }
    }
    Structured {
        head,
        params,
        odd: cursor.odd,
    }
}

struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
    end: usize,
    odd: Vec<&'static str>,
    /// A comment is never closed: further openings are not searched again (linear time).
    open_comment: bool,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        (self.at < self.end).then(|| self.bytes.get(self.at).copied()).flatten()
    }

    /// Skips blanks, folds and comments.
    fn blanks(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'(' => {
                    add(&mut self.odd, "a MIME header field holds a comment");
                    self.comment();
                }
                _ => return,
            }
        }
    }

    /// Skips a comment with those inside it; one that is never closed is skipped by its opening only.
    fn comment(&mut self) {
        let (start, mut depth) = (self.at, 0_usize);
        if self.open_comment {
            self.at += 1;
            return;
        }
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => self.at += 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
        self.open_comment = true;
        self.at = start + 1;
    }

    fn head(&mut self) -> String {
        let mut head = Vec::new();
        self.blanks();
        while let Some(b) = self.peek() {
            match b {
                b';' => break,
                b' ' | b'\t' | b'\r' | b'\n' | b'(' => {
                    self.blanks();
                    if !head.is_empty() && self.peek().is_some_and(|b| b != b';') {
                        add(&mut self.odd, "a MIME value goes on behind a blank");
                    }
                }
                0 => self.at += 1,
                _ => {
                    head.push(b.to_ascii_lowercase());
                    self.at += 1;
                }
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    fn param(&mut self) -> Option<Param> {
        self.blanks();
        let start = self.at;
        while self.peek().is_some_and(|b| !b" \t\r\n=;(\"".contains(&b)) {
            self.at += 1;
        }
        let name = self.bytes.get(start..self.at)?.to_ascii_lowercase();
        self.blanks();
        if self.peek() != Some(b'=') {
            if !name.is_empty() {
                add(&mut self.odd, "a MIME parameter has no value");
            }
            self.skip_to_semicolon();
            return None;
        }
        self.at += 1;
        self.blanks();
        let (name, section, extended) = sections(&String::from_utf8_lossy(&name));
        let (value, quoted, odd) = if self.peek() == Some(b'"') {
            self.quoted()
        } else {
            self.token()
        };
        Some(Param {
            name,
            section,
            extended,
            value,
            quoted,
            odd,
        })
    }

    fn skip_to_semicolon(&mut self) {
        while self.peek().is_some_and(|b| b != b';') {
            self.at += 1;
        }
    }

    fn quoted(&mut self) -> (Range<usize>, bool, Option<&'static str>) {
        self.at += 1;
        let start = self.at;
        while let Some(b) = self.peek() {
            match b {
                b'"' => {
                    let value = start..self.at;
                    self.at += 1;
                    return (value, true, self.behind_quote());
                }
                b'\\' => self.at = (self.at + 2).min(self.end),
                _ => self.at += 1,
            }
        }
        (start..self.end, true, Some("a quoted MIME parameter is not closed"))
    }

    /// What follows a closing quote: `;` or the end, else somebody reads on.
    fn behind_quote(&mut self) -> Option<&'static str> {
        self.blanks();
        match self.peek() {
            None | Some(b';') => None,
            Some(_) => {
                self.skip_to_semicolon();
                Some("something follows the quotes of a MIME parameter")
            }
        }
    }

    /// An unquoted value: to the `;`, blanks inside kept, since file names come that way.
    fn token(&mut self) -> (Range<usize>, bool, Option<&'static str>) {
        let start = self.at;
        self.skip_to_semicolon();
        let raw = self.bytes.get(start..self.at).unwrap_or_default();
        let value = start..start + raw.trim_ascii_end().len();
        let odd = raw
            .trim_ascii_end()
            .iter()
            .any(|b| b" \t\r\n()<>@,;:\\\"[]?".contains(b))
            .then_some("an unquoted MIME parameter holds special characters");
        (value, false, odd)
    }
}

/// Splits `name*1*` (RFC 2231 §3, §4).
fn sections(name: &str) -> (String, Option<u32>, bool) {
    let (stem, extended) = match name.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (name, false),
    };
    match stem.rsplit_once('*') {
        Some((base, n)) if !n.is_empty() && n.len() < 9 && n.bytes().all(|b| b.is_ascii_digit()) => {
            (base.to_owned(), n.parse().ok(), extended)
        }
        _ => (stem.to_owned(), None, extended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Structured {
        structured(raw.as_bytes(), 0..raw.len())
    }

    #[test]
    fn parameters_are_found_quoted_and_unquoted() {
        let raw = " Multipart/Mixed;\r\n boundary=\"a;\\\"b\"; charset = UTF-8 ; name=my file.pdf";
        let read = read(raw);
        assert_eq!(read.head, "multipart/mixed");
        let texts: Vec<_> = read
            .params
            .iter()
            .map(|p| p.text(raw.as_bytes()).expect("utf-8"))
            .collect();
        assert_eq!(texts, ["a;\"b", "UTF-8", "my file.pdf"]);
        assert!(read.odd.is_empty());
        assert!(read.params[0].odd.is_none() && read.params[2].odd.is_some());
    }

    #[test]
    fn sections_of_rfc_2231_are_split_off() {
        assert_eq!(sections("filename*1*"), ("filename".to_owned(), Some(1), true));
        assert_eq!(sections("filename*"), ("filename".to_owned(), None, true));
        assert_eq!(sections("filename"), ("filename".to_owned(), None, false));
    }

    #[test]
    fn comments_and_open_quotes_are_odd() {
        assert!(!read("text/plain (hello); charset=x").odd.is_empty());
        assert!(read("text/plain; name=\"open").params[0].odd.is_some());
        assert_eq!(read("text/plain (open; charset=x").head, "text/plainopen");
    }
}
