//! HTML and XML source cut into tags, text and comments, each with its place; as forgiving as browsers are, since a
//! recipient's browser is. Not a tree builder: nesting is the walker's business.

use std::ops::Range;

/// One piece of source.
#[derive(Debug)]
pub(in crate::document) enum Token {
    /// Text between tags, entities not yet decoded.
    Text(Range<usize>),
    /// A start tag.
    Start {
        /// Without angle bracket.
        name: Range<usize>,
        /// In order.
        attributes: Vec<Attribute>,
        /// `/>`, which means something in XML only.
        closed: bool,
        /// From `<` to `>`.
        all: Range<usize>,
    },
    /// An end tag.
    End {
        /// Without `</`.
        name: Range<usize>,
        /// From `<` to `>`.
        all: Range<usize>,
    },
    /// Inside of `<!-- -->`.
    Comment(Range<usize>),
    /// Inside of `<![CDATA[ ]]>`, in XML only.
    Cdata(Range<usize>),
    /// Declarations, processing instructions and junk that a browser drops.
    Dropped(Range<usize>),
}

/// One attribute.
#[derive(Debug)]
pub(in crate::document) struct Attribute {
    /// As written.
    pub name: Range<usize>,
    /// Without quotes, entities not yet decoded; empty without a value.
    pub value: Range<usize>,
}

/// The cursor over the source.
pub(in crate::document) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    xml: bool,
    /// A tag had no end; from here on quotes no longer protect `>`, and what still has no end is text.
    broken: bool,
}

impl<'t> Tokens<'t> {
    /// At the start of `range` of `text`.
    pub fn new(text: &'t str, range: Range<usize>, xml: bool) -> Tokens<'t> {
        let text = text.get(..range.end).unwrap_or(text);
        Tokens {
            text,
            at: range.start,
            xml,
            broken: false,
        }
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes().get(at).copied().unwrap_or(0)
    }

    fn rest(&self, at: usize) -> &'t [u8] {
        self.bytes().get(at..).unwrap_or_default()
    }

    /// Everything up to `</name`, for elements whose content is no markup.
    pub fn raw_text(&mut self, name: &str) -> Range<usize> {
        let start = self.at;
        let mut at = start;
        while let Some(i) = memchr::memmem::find(self.rest(at), b"</") {
            at += i + 2;
            let found = self.rest(at).get(..name.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                && !is_name(self.byte(at + name.len()))
            {
                self.at = at - 2;
                return start..self.at;
            }
        }
        self.at = self.text.len();
        start..self.at
    }

    fn text_from(&mut self, start: usize) -> Token {
        let mut at = start;
        loop {
            match memchr::memchr(b'<', self.rest(at)) {
                None => {
                    self.at = self.text.len();
                    return Token::Text(start..self.at);
                }
                Some(i) if at + i > start && self.opens(at + i) => {
                    self.at = at + i;
                    return Token::Text(start..self.at);
                }
                Some(i) => at += i + 1,
            }
        }
    }

    /// `<` here begins markup; else it is text ("a < b").
    fn opens(&self, at: usize) -> bool {
        match self.byte(at + 1) {
            b'/' => self.text.len() > at + 2,
            b'!' | b'?' => true,
            b if self.xml => is_name(b) && b != b'-' && b != b'.',
            b => b.is_ascii_alphabetic(),
        }
    }

    fn markup(&mut self) -> Token {
        let start = self.at;
        let rest = self.rest(start);
        if rest.starts_with(b"<!--") {
            return self.comment(start);
        }
        if self.xml && rest.starts_with(b"<![CDATA[") {
            let inner = start + 9;
            let end = memchr::memmem::find(self.rest(inner), b"]]>").map(|i| inner + i);
            self.at = end.map_or(self.text.len(), |end| end + 3);
            return Token::Cdata(inner..end.unwrap_or(self.text.len()));
        }
        match self.byte(start + 1) {
            b'!' | b'?' => self.dropped(start),
            b'/' if !is_name(self.byte(start + 2)) => self.dropped(start),
            b'/' => self.end_tag(start),
            _ => self.start_tag(start),
        }
    }

    fn dropped(&mut self, start: usize) -> Token {
        self.at = memchr::memchr(b'>', self.rest(start)).map_or(self.text.len(), |i| start + i + 1);
        Token::Dropped(start..self.at)
    }

    /// Ends at `-->` or `--!>`; `<!-->` and `<!--->` are empty (HTML Standard, 13.2.5.43 on).
    fn comment(&mut self, start: usize) -> Token {
        let inner = start + 4;
        for empty in [&b">"[..], b"->"] {
            if self.rest(inner).starts_with(empty) {
                self.at = inner + empty.len();
                return Token::Comment(inner..inner);
            }
        }
        for i in memchr::memchr_iter(b'>', self.rest(inner)) {
            let before = self.rest(inner).get(..i).unwrap_or_default();
            if let Some(text) = before.strip_suffix(b"--").or_else(|| before.strip_suffix(b"--!")) {
                self.at = inner + i + 1;
                return Token::Comment(inner..inner + text.len());
            }
        }
        self.at = self.text.len();
        Token::Comment(inner..self.at)
    }

    fn end_tag(&mut self, start: usize) -> Token {
        let name = start + 2..self.name_end(start + 2);
        match memchr::memchr(b'>', self.rest(name.end)) {
            Some(i) => {
                self.at = name.end + i + 1;
                Token::End {
                    name,
                    all: start..self.at,
                }
            }
            None => self.unclosed(start),
        }
    }

    fn start_tag(&mut self, start: usize) -> Token {
        let name = start + 1..self.name_end(start + 1);
        let mut attributes = Vec::new();
        let mut at = name.end;
        let mut closed = false;
        loop {
            match self.byte(at) {
                _ if at >= self.text.len() => return self.unclosed(start),
                b'>' => break,
                b'/' => {
                    closed = self.byte(at + 1) == b'>';
                    at += 1;
                }
                b if is_space(b) => at += 1,
                _ => match self.attribute(at) {
                    Some((attribute, next)) => {
                        attributes.push(attribute);
                        at = next;
                    }
                    None => return self.unclosed(start),
                },
            }
        }
        self.at = at + 1;
        Token::Start {
            name,
            attributes,
            closed,
            all: start..self.at,
        }
    }

    /// The attribute at `at`, and where it ends; `None` when its quote is never closed.
    fn attribute(&self, at: usize) -> Option<(Attribute, usize)> {
        // A name may begin with `=` (HTML Standard, "unexpected-equals-sign-before-attribute-name").
        let ends_name = |b: u8| is_space(b) || matches!(b, b'=' | b'>' | b'/');
        let name_end = at + 1 + self.rest(at + 1).iter().take_while(|b| !ends_name(**b)).count();
        let name = at..name_end;
        let equals = self.skip_space(name_end);
        if self.byte(equals) != b'=' {
            let value = name_end..name_end;
            return Some((Attribute { name, value }, name_end));
        }
        let value = self.skip_space(equals + 1);
        match self.byte(value) {
            quote @ (b'"' | b'\'') if !self.broken => {
                let end = value + 1 + memchr::memchr(quote, self.rest(value + 1))?;
                let value = value + 1..end;
                Some((Attribute { name, value }, end + 1))
            }
            _ => {
                let len = self
                    .rest(value)
                    .iter()
                    .take_while(|b| !is_space(**b) && **b != b'>')
                    .count();
                let value = value..value + len;
                let end = value.end;
                Some((Attribute { name, value }, end))
            }
        }
    }

    /// A tag that never ends. A browser drops the rest of the page; another program may not, so the rest is read again,
    /// with quotes no longer protecting `>`.
    fn unclosed(&mut self, start: usize) -> Token {
        if self.broken {
            self.at = self.text.len();
            return Token::Text(start..self.at);
        }
        self.broken = true;
        self.at = start;
        self.markup()
    }

    fn name_end(&self, at: usize) -> usize {
        let ends = |b: u8| is_space(b) || b == b'/' || b == b'>';
        at + self.rest(at).iter().take_while(|b| !ends(**b)).count()
    }

    fn skip_space(&self, at: usize) -> usize {
        at + self.rest(at).iter().take_while(|b| is_space(**b)).count()
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.at >= self.text.len() {
            return None;
        }
        if self.byte(self.at) == b'<' && self.opens(self.at) {
            Some(self.markup())
        } else {
            let start = self.at;
            Some(self.text_from(start))
        }
    }
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.') || b >= 128
}

/// White space of HTML: tab, line feed, form feed, carriage return, space.
pub(in crate::document) fn is_space(b: u8) -> bool {
    matches!(b, b'\t' | b'\n' | 12 | b'\r' | b' ')
}
