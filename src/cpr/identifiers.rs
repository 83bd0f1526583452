//! Custom identifiers: what a policy's `identifiers:` defines, found the same way and reported as the same [`Hit`].
//!
//! Patterns run on the `regex` crate only, within a size limit. Finding *all* matches may cost the square of the text
//! even there, so long texts are searched in overlapping pieces.

use super::context::{after, before};
use super::features::{self as f, Evidence};
use super::find::Hit;
use super::{Checksum, IdKind, Secret};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Compiled size of one pattern, and of its lazy automaton.
const SIZE_LIMIT: usize = 1 << 20;
/// Piece of a text that is searched at once.
const PIECE: usize = 1 << 16;
/// Longest match that is found for certain across pieces.
const LONGEST: usize = 1 << 10;
/// The group of a pattern that is the identifier itself, where the pattern also asks for a label: `konto (?P<number>…)`.
const NUMBER: &str = "number";
/// Bytes looked at for context words, on both sides.
const NEAR: usize = 80;

/// A custom identifier as the policy defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// Name in `found:`.
    pub name: String,
    /// Linear-time regular expression.
    pub pattern: String,
    /// A named checksum that raises confidence (one that belongs to a country's number also rejects).
    pub checksum: Option<Checksum>,
    /// Words near by that raise confidence.
    pub context: Vec<String>,
}

/// Why a custom identifier cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identifier {name}: {problem}")]
pub struct IdentifierError {
    /// Which.
    pub name: String,
    /// What is wrong with it, in words for the policy's author.
    pub problem: String,
}

/// An identifier ready for use.
#[derive(Clone, Debug)]
pub(super) struct Custom {
    name: String,
    regex: Regex,
    /// The pattern has a group `number`: the identifier is that part of the match.
    part: bool,
    checksum: Option<Checksum>,
    context: Vec<String>,
}

impl Custom {
    /// Checks and compiles.
    pub(super) fn new(identifier: &Identifier) -> Result<Custom, IdentifierError> {
        let wrong = |problem: &str| IdentifierError {
            name: identifier.name.clone(),
            problem: problem.to_owned(),
        };
        if identifier.name.trim().is_empty() {
            return Err(wrong("it has no name; give it one, so that rules can say found: NAME"));
        }
        if identifier.name == IdKind::Cpr.word() {
            return Err(wrong("the name cpr is taken by the built-in detector; choose another"));
        }
        if identifier.pattern.is_empty() {
            return Err(wrong("the pattern is empty; it would be found everywhere"));
        }
        let mut builder = RegexBuilder::new(&identifier.pattern);
        let regex = builder
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| wrong(&words(&error)))?;
        if regex.find("").is_some() {
            return Err(wrong(
                "the pattern matches the empty text, so it would be found everywhere; ask for at least one character",
            ));
        }
        let context = identifier.context.iter().map(|word| word.trim().to_lowercase());
        Ok(Custom {
            name: identifier.name.clone(),
            part: regex.capture_names().flatten().any(|name| name == NUMBER),
            regex,
            checksum: identifier.checksum,
            context: context.filter(|word| !word.is_empty()).collect(),
        })
    }

    /// Adds every match to `hits`.
    pub(super) fn find(&self, text: &str, hits: &mut Vec<Hit>) {
        let mut at = 0;
        while at <= text.len() {
            let end = text.floor_char_boundary((at + PIECE).min(text.len()));
            let last = end == text.len();
            // A match that begins later may go on behind the piece: the next piece finds it whole.
            let surely = if last {
                end + 1
            } else {
                text.floor_char_boundary(end - LONGEST)
            };
            let Some(piece) = text.get(..end) else { return };
            let mut next = surely;
            while let Some(found) = self.regex.find_at(piece, at).filter(|found| found.start() < surely) {
                let range = if self.part {
                    self.number(piece, &found)
                } else {
                    Some(found.range())
                };
                hits.extend(range.and_then(|range| self.hit(text, range)));
                at = found.end().max(text.ceil_char_boundary(found.start() + 1));
                next = next.max(at);
                if at > piece.len() {
                    break;
                }
            }
            at = next;
        }
    }

    /// The group `number` of a match.
    fn number(&self, piece: &str, found: &regex::Match<'_>) -> Option<Range<usize>> {
        let captures = self.regex.captures_at(piece, found.start())?;
        captures.name(NUMBER).map(|part| part.range())
    }

    fn hit(&self, text: &str, span: Range<usize>) -> Option<Hit> {
        let written = text.get(span.clone())?;
        let marks = written.char_indices().filter(|(_, c)| c.is_alphanumeric());
        let digits: Vec<Range<usize>> = marks
            .map(|(at, c)| span.start + at..span.start + at + c.len_utf8())
            .collect();
        let number: String = written
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect();
        if digits.is_empty() || self.checksum.is_some_and(|checksum| !checksum.allows(&number)) {
            return None;
        }
        let mut evidence = Evidence::default();
        evidence.when(self.checksum.is_none() && self.context.is_empty(), f::PATTERN);
        evidence.when(
            self.checksum.is_some_and(|checksum| checksum.holds(&number)),
            f::CHECKSUM,
        );
        evidence.when(self.has_context(text, &span), f::CONTEXT);
        let confidence = evidence.confidence();
        let kind = IdKind::Custom(self.name.clone());
        Some(Hit {
            kind,
            span,
            digits,
            number: Secret::new(number),
            confidence,
            why: evidence.why(),
        })
    }

    fn has_context(&self, text: &str, span: &Range<usize>) -> bool {
        if self.context.is_empty() {
            return false;
        }
        let lead = before(text, span.start, NEAR).to_lowercase();
        let tail = after(text, span.end, NEAR).to_lowercase();
        self.context
            .iter()
            .any(|word| lead.contains(word.as_str()) || tail.contains(word.as_str()))
    }
}

/// The regex crate's complaint for somebody who may never have met one.
fn words(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern becomes too large; use smaller counts in {…}, or fewer alternatives".to_owned()
        }
        regex::Error::Syntax(details) => {
            let reason = details
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix("error: "));
            match reason {
                Some(reason) if reason.contains("look-around") || reason.contains("backreference") => {
                    format!("the pattern uses {reason}; only patterns that run in linear time are possible")
                }
                Some(reason) => format!("the pattern is not a regular expression: {reason}"),
                None => "the pattern is not a regular expression".to_owned(),
            }
        }
        _ => "the pattern cannot be used".to_owned(),
    }
}
