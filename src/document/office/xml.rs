//! The XML of a package part as a run of events with local names; nesting is kept here, so that no reader recurses, and what
//! is not well-formed is told.

use crate::content::{Budget, Spent};
use crate::document::html::entity::reference;
use crate::document::html::token::{Attribute, Token, Tokens};
use std::ops::Range;

/// Deeper elements lie flat; no program writes half of it.
const DEPTH: usize = 1024;

/// One XML part of a package, or a whole flat document.
#[derive(Clone, Copy)]
pub(super) struct Part<'t> {
    /// Its text.
    pub text: &'t str,
    /// Where the text starts in the source of the thing.
    pub base: usize,
    /// Entry number in the archive; 0 for the thing itself.
    pub number: u32,
    /// Path in the package.
    pub name: &'t str,
}

/// One start tag.
pub(super) struct Tag<'t> {
    /// Without prefix.
    pub name: &'t str,
    text: &'t str,
    attributes: Vec<Attribute>,
    /// Where it stands, from `<` to `>`.
    pub all: Range<usize>,
}

impl<'t> Tag<'t> {
    /// Raw value of the attribute with this local name.
    pub fn get(&self, name: &str) -> Option<&'t str> {
        self.iter()
            .find(|(full, _, _)| local(full) == name)
            .map(|(_, value, _)| value)
    }

    /// All attributes: full name, raw value, its place.
    pub fn iter(&self) -> impl Iterator<Item = (&'t str, &'t str, Range<usize>)> + '_ {
        self.attributes.iter().map(|attribute| {
            let get = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
            (get(&attribute.name), get(&attribute.value), attribute.value.clone())
        })
    }

    /// Where the value of this attribute stands.
    pub fn value_of(&self, name: &str) -> Option<Range<usize>> {
        self.iter()
            .find(|(full, _, _)| local(full) == name)
            .map(|(_, _, range)| range)
    }

    /// An attribute that is on unless it says otherwise (`w:val="0"`).
    pub fn on(&self, name: &str) -> bool {
        !matches!(self.get(name), Some("0" | "false" | "off" | "none"))
    }

    /// Its value is one of the words for yes.
    pub fn yes(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true" | "on" | "t"))
    }

    /// Its value is a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.trim().parse().ok()
    }
}

/// What happens next in a part.
pub(super) enum Event<'t> {
    /// An element begins; one that ends itself has its `End` next.
    Start(Tag<'t>),
    /// An element ends.
    End(&'t str),
    /// Text; references in it mean something unless it is raw (CDATA).
    Text(Range<usize>, bool),
    /// Comments, instructions, declarations.
    Aside(Range<usize>),
}

/// What is wrong with the XML of a part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// Start and end tags do not match.
    pub unbalanced: bool,
    /// It has a document type.
    pub doctype: bool,
    /// The document type defines entities, or other things of its own.
    pub subset: bool,
    /// It is nested deeper than any program writes.
    pub deep: bool,
}

/// The events of one part.
pub(super) struct Events<'t> {
    text: &'t str,
    tokens: Tokens<'t>,
    open: Vec<&'t str>,
    /// Open elements that end before anything else happens.
    ending: usize,
    flat: usize,
    count: u32,
    /// What was wrong so far.
    pub faults: Faults,
}

impl<'t> Events<'t> {
    /// At the start of a part.
    pub fn of(text: &'t str) -> Events<'t> {
        Events {
            text,
            tokens: Tokens::new(text, 0..text.len(), true),
            open: Vec::new(),
            ending: 0,
            flat: 0,
            count: 0,
            faults: Faults::default(),
        }
    }

    /// The local name of the innermost open element, and of the ones around it.
    pub fn parent(&self, levels: usize) -> &'t str {
        let index = self.open.len().checked_sub(levels);
        index.and_then(|i| self.open.get(i)).copied().unwrap_or_default()
    }

    /// The next event.
    ///
    /// # Errors
    /// [`Spent::Time`].
    pub fn next(&mut self, budget: &Budget) -> Result<Option<Event<'t>>, Spent> {
        if self.ending > 0 {
            self.ending -= 1;
            return Ok(self.open.pop().map(Event::End));
        }
        self.count = self.count.wrapping_add(1);
        if self.count.is_multiple_of(4096) {
            budget.in_time()?;
        }
        let text = self.text;
        let get = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let Some(token) = self.tokens.next() else {
            self.faults.unbalanced |= !self.open.is_empty();
            return Ok(self.open.pop().map(Event::End));
        };
        Ok(Some(match token {
            Token::Text(range) => Event::Text(range, false),
            Token::Cdata(range) => Event::Text(range, true),
            Token::Comment(range) => Event::Aside(range),
            Token::Dropped(range) => {
                let head = get(&range);
                let doctype = head.get(..9).is_some_and(|h| h.eq_ignore_ascii_case("<!doctype"));
                self.faults.doctype |= doctype;
                self.faults.subset |= doctype && head.contains('[') || head.starts_with("<!ENTITY");
                if head.starts_with("<?xml ") {
                    return self.next(budget);
                }
                Event::Aside(range)
            }
            Token::Start {
                name,
                attributes,
                closed,
                all,
            } => {
                let name = local(get(&name));
                if self.open.len() < DEPTH {
                    self.open.push(name);
                    self.ending = usize::from(closed);
                } else {
                    self.faults.deep = true;
                    self.flat += usize::from(!closed);
                }
                Event::Start(Tag {
                    name,
                    text,
                    attributes,
                    all,
                })
            }
            Token::End { name, all } => {
                let name = local(get(&name));
                if self.flat > 0 {
                    self.flat -= 1;
                    return Ok(Some(Event::Aside(all)));
                }
                if self.open.last() == Some(&name) {
                    self.open.pop();
                    return Ok(Some(Event::End(name)));
                }
                self.faults.unbalanced = true;
                match self.open.iter().rposition(|open| *open == name) {
                    // What stands open inside is ended first, one by one.
                    Some(index) => {
                        self.ending = self.open.len() - index - 1;
                        Event::End(self.open.pop().unwrap_or_default())
                    }
                    None => Event::Aside(all),
                }
            }
        }))
    }
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    // Names are short: a search that must first be set up costs more than a look at each byte.
    match name.bytes().rposition(|b| b == b':') {
        Some(at) => name.get(at + 1..).unwrap_or(name),
        None => name,
    }
}

/// A value or text with its references decoded, for looking at only.
pub(super) fn decoded(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        match reference(after) {
            Some(found) => {
                out.push(found.character);
                rest = after.get(found.len..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}
