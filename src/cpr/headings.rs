//! Headings: a CPR word at the top of a column or of a list speaks for what stands under it.

use super::context::{after, before};
use std::ops::Range;

/// A line longer than this is no heading, and no table row we count columns in.
const LINE: usize = 1024;
/// CPR columns in one heading line that are looked at.
const WORDS: usize = 32;
/// A heading without columns reaches this far.
const LIST: usize = 4000;

/// Where a text says that a column, or a list, holds CPR numbers.
#[derive(Debug, Default)]
pub(super) struct Headings {
    found: Vec<Heading>,
    /// Where the latest word stood, and how many before it on its line.
    latest: usize,
    on_line: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Heading {
    end: usize,
    delimiter: Option<char>,
    column: usize,
    columns: usize,
}

impl Headings {
    /// Notes the CPR word at `at`. Words come in the order of the text.
    pub(super) fn note(&mut self, text: &str, at: usize) {
        let same_line = text.get(self.latest..at).is_some_and(|between| !between.contains('\n'));
        self.on_line = if same_line { self.on_line + 1 } else { 0 };
        self.latest = at;
        if self.on_line > WORDS {
            return;
        }
        let Some((lead, tail)) = line(text, at) else { return };
        let delimiter = delimiter(lead, tail);
        let heading = Heading {
            end: at + tail.len(),
            delimiter,
            column: delimiter.map_or(0, |sign| lead.matches(sign).count()),
            columns: delimiter.map_or(0, |sign| lead.matches(sign).count() + tail.matches(sign).count()),
        };
        // A list's heading stands for itself: `CPR-numre:`.
        let short = lead.chars().all(|c| !c.is_ascii_digit()) && lead.len() + tail.len() <= 40;
        let row = tail.bytes().filter(u8::is_ascii_digit).count() >= 9;
        if let Some(sign) = delimiter
            && !is_title(cell(lead, tail, sign))
        {
            return;
        }
        if !row && (delimiter.is_some() || short) && self.found.last() != Some(&heading) {
            self.found.push(heading);
        }
    }

    /// The span stands under a heading, alone in its cell.
    pub(super) fn above(&self, text: &str, span: &Range<usize>) -> bool {
        let at = span.start;
        let known = self.found.partition_point(|heading| heading.end < at);
        let Some(nearest) = known.checked_sub(1).and_then(|last| self.found.get(last)) else {
            return false;
        };
        let Some((lead, tail)) = line(text, at) else {
            return false;
        };
        match nearest.delimiter {
            None => {
                lead.trim_start_matches(['>', '-', '*', '"', ' ', '\t', '•']).is_empty() && at - nearest.end <= LIST
            }
            Some(sign) => {
                let alone = |part: Option<&str>| part.unwrap_or("").trim_matches(['"', '\'', ' ', '\u{a0}']).is_empty();
                let behind = line(text, span.end).and_then(|(_, tail)| tail.split(sign).next());
                if !alone(lead.rsplit(sign).next()) || !alone(behind) {
                    return false;
                }
                // Several CPR columns in one heading line: any of them.
                let column = lead.matches(sign).count();
                let columns = column + tail.matches(sign).count();
                let same_line = self
                    .found
                    .get(..known)
                    .unwrap_or(&[])
                    .iter()
                    .rev()
                    .take_while(|h| h.end == nearest.end);
                let mut fitting = same_line.filter(|h| h.column == column);
                // Date and serial may take two columns.
                fitting.any(|heading| columns == heading.columns || columns == heading.columns + 1)
            }
        }
    }
}

/// The cell of the offset at which a line was cut in two.
fn cell<'t>(lead: &'t str, tail: &'t str, sign: char) -> (&'t str, &'t str) {
    (
        lead.rsplit(sign).next().unwrap_or(""),
        tail.split(sign).next().unwrap_or(""),
    )
}

/// A heading's cell is short and has no digits (but for `10 cifre`, `cpr4`) and no signs of a program.
fn is_title((lead, tail): (&str, &str)) -> bool {
    let all = || lead.chars().chain(tail.chars());
    lead.len() + tail.len() <= 48
        && all().filter(char::is_ascii_digit).count() <= 2
        && !all().any(|c| matches!(c, '=' | '<' | '>' | '@' | '*'))
}

/// The parts of a line before and after an offset, when it is not too long.
fn line(text: &str, at: usize) -> Option<(&str, &str)> {
    let lead = before(text, at, LINE);
    let tail = after(text, at, LINE);
    let start = lead
        .rfind('\n')
        .map(|end| end + 1)
        .or((lead.len() == at).then_some(0))?;
    let end = tail
        .bytes()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .or((at + tail.len() == text.len()).then_some(tail.len()))?;
    Some((lead.get(start..)?, tail.get(..end)?))
}

/// The sign that parts the columns of a line.
fn delimiter(lead: &str, tail: &str) -> Option<char> {
    let count = |sign: char| lead.matches(sign).count() + tail.matches(sign).count();
    [';', '\t', '|', ','].into_iter().find(|&sign| count(sign) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(text: &str) -> bool {
        let mut headings = Headings::default();
        text.match_indices("CPR").for_each(|(at, _)| headings.note(text, at));
        let at = text.find('#').unwrap_or(0);
        headings.above(text, &(at..at + 1))
    }

    #[test]
    fn a_column_is_under_its_own_heading_only() {
        assert!(above("Navn;CPR;By\nA;1;B\nC;#;D\n"));
        assert!(!above("Navn;CPR;By\nA;1;B\n#;x;D\n"));
        assert!(!above("Navn;CPR;By\nSlut på tabellen\n\n#\n"));
    }

    #[test]
    fn a_list_is_under_its_heading() {
        assert!(above("CPR-numre:\nx\n- #\n"));
        assert!(!above("CPR-numre:\nx\nog så # her\n"));
    }
}
