//! `format=flowed` (RFC 3676), and quoted replies in plain text: lines that a reader sees as one paragraph are joined, so
//! that a number over a soft line break or a quote mark is one number.

use super::Reading;
use crate::content::Hint;

/// The text with its soft breaks taken out.
pub(super) struct Unfolded {
    /// Text and map.
    pub reading: Reading,
    /// Somewhere a digit stands on both sides of a join, so that the two forms can give different numbers.
    pub digits_meet: bool,
}

struct Line<'t> {
    /// Where its text starts, quote marks and stuffed space left out.
    start: usize,
    quotes: usize,
    text: &'t str,
    /// Where the whole line starts and ends, line break included.
    all: (usize, usize),
}

/// Joins soft-broken lines of flowed text; in other text joins quoted lines where a number may go on behind the quote
/// mark. `None` when nothing is joined.
pub(super) fn unfold(reading: &Reading, hint: &Hint) -> Option<Unfolded> {
    let source = reading.text.as_str();
    if !hint.flowed && !source.contains("\n>") {
        return None;
    }
    let mut out = Reading::over(reading);
    let mut joined = false;
    let mut digits_meet = false;
    let mut soft: Option<usize> = None;
    for line in lines(source) {
        let goes_on = soft.take().is_some_and(|quotes| quotes == line.quotes);
        let skip = if goes_on {
            joined = true;
            digits_meet |= meets(&out.text, line.text);
            line.start
        } else {
            line.all.0
        };
        let (_, ended) = line.all;
        let text_end = line.start + line.text.len();
        let breaks = if hint.flowed {
            is_soft(line.text)
        } else {
            is_open(line.text) && line.quotes > 0
        };
        let end = match breaks {
            true if hint.flowed && hint.delsp => text_end - 1,
            true => text_end,
            false => ended,
        };
        soft = breaks.then_some(line.quotes);
        out.plain(source.get(skip..end).unwrap_or_default(), skip);
    }
    out.map = out.map.through(&reading.map);
    joined.then_some(Unfolded {
        reading: out,
        digits_meet,
    })
}

/// RFC 3676 §4.2: a line ending in a space is soft, the signature mark excepted.
fn is_soft(text: &str) -> bool {
    text.ends_with(' ') && text != "-- "
}

/// A number may go on in the next line.
fn is_open(text: &str) -> bool {
    text.trim_end()
        .ends_with(|c: char| c.is_numeric() || matches!(c, '-' | '–' | '.' | '/'))
}

fn meets(before: &str, after: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let apart = |c: &char| matches!(c, ' ' | '-' | '–' | '.' | '/');
    digit(before.chars().rev().find(|c| !apart(c))) && digit(after.chars().find(|c| !apart(c)))
}

fn lines(source: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    source.split_inclusive('\n').map(move |whole| {
        let from = at;
        at += whole.len();
        let body = whole.strip_suffix('\n').unwrap_or(whole);
        let body = body.strip_suffix('\r').unwrap_or(body);
        let quotes = quote_depth(body);
        let unquoted = body.get(quotes.1..).unwrap_or_default();
        let stuffed = usize::from(unquoted.starts_with(' '));
        Line {
            start: from + quotes.1 + stuffed,
            quotes: quotes.0,
            text: unquoted.get(stuffed..).unwrap_or_default(),
            all: (from, at),
        }
    })
}

/// Number of quote marks, and where they end; `> > ` counts as `>> `, since other programs write it so.
fn quote_depth(body: &str) -> (usize, usize) {
    let (mut depth, mut end) = (0, 0);
    for (i, b) in body.bytes().enumerate() {
        match b {
            b'>' => {
                depth += 1;
                end = i + 1;
            }
            b' ' if end == i && depth > 0 => {}
            _ => break,
        }
    }
    (depth, end)
}
