//! Mistakes in a policy file: gathered, sorted, and shown with the line and a mark under the spot.
//!
//! What a message or a shown line quotes from the file goes through the mask: a policy is no place for a number, but
//! somebody will paste one into it, and the error must not carry it on into a log.

use super::yaml::Spot;
use crate::cpr;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// One mistake in a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The policy file, or a list that it names.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What is likely meant, or what to do.
    pub help: Option<String>,
    /// A warning does not keep the policy from loading.
    pub warning: bool,
}

/// Collects mistakes while a file is read.
pub(super) struct Problems {
    /// The policy itself, then files that are included.
    files: Vec<String>,
    found: Vec<Problem>,
}

impl Problems {
    pub fn new(file: &str) -> Problems {
        Problems {
            files: vec![file.to_owned()],
            found: Vec::new(),
        }
    }

    /// The number for places in one more file.
    pub fn file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }

    /// Where something stands, for a message about something else.
    pub fn line(&self, at: Spot, from: Spot) -> String {
        match self.files.get(at.file) {
            Some(name) if at.file != from.file => format!("line {} of {name}", at.line),
            _ => format!("line {}", at.line),
        }
    }

    /// Keeps the policy from loading.
    pub fn error(&mut self, at: Spot, message: impl Into<String>, help: impl Into<String>) {
        self.put(None, at, message.into(), help.into(), false);
    }

    /// Worth a look.
    pub fn warning(&mut self, at: Spot, message: impl Into<String>, help: impl Into<String>) {
        self.put(None, at, message.into(), help.into(), true);
    }

    /// A mistake in a list that the policy names.
    pub fn error_in(&mut self, file: &str, line: usize, message: impl Into<String>, help: impl Into<String>) {
        self.put(
            Some(file),
            Spot {
                file: 0,
                line,
                column: 1,
            },
            message.into(),
            help.into(),
            false,
        );
    }

    fn put(&mut self, file: Option<&str>, at: Spot, message: String, help: String, warning: bool) {
        self.found.push(Problem {
            file: file
                .or(self.files.get(at.file).map(String::as_str))
                .unwrap_or_default()
                .to_owned(),
            line: at.line.max(1),
            column: at.column.max(1),
            message,
            help: (!help.is_empty()).then_some(help),
            warning,
        });
    }

    /// How many so far.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Something keeps the policy from loading.
    pub fn any_errors(&self) -> bool {
        self.found.iter().any(|p| !p.warning)
    }

    /// In the order of the file, each once.
    pub fn finish(mut self) -> Vec<Problem> {
        let main = self.files.into_iter().next().unwrap_or_default();
        self.found.sort_by(|a, b| {
            (a.file != main, &a.file, a.line, a.column).cmp(&(b.file != main, &b.file, b.line, b.column))
        });
        self.found.dedup();
        self.found
    }
}

/// A word from the file, for a message: short, masked, in back quotes.
pub(super) fn quote(word: &str) -> String {
    let mut short: String = word
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if word.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{}`", masked(&short))
}

/// [`cpr::mask`], but a date stays readable: a wrong expiry date must be seen to be mended.
fn masked(text: &str) -> String {
    let hidden: Vec<char> = cpr::mask(text).chars().collect();
    let clear: Vec<char> = text.chars().collect();
    if hidden.len() != clear.len() {
        return hidden.into_iter().collect();
    }
    let mut out = hidden.clone();
    let mut at = 0;
    while at < clear.len() {
        let start = at;
        while at < clear.len() && (clear[at].is_ascii_digit() || matches!(clear[at], '-' | '/' | '.')) {
            at += 1;
        }
        if clear[start..at].iter().filter(|c| c.is_ascii_digit()).count() == 8 && is_alone(&clear, start, at) {
            out[start..at].copy_from_slice(&clear[start..at]);
        }
        at = at.max(start + 1);
    }
    out.into_iter().collect()
}

/// No further digits follow or precede at one separator's distance, which would make it part of a number.
fn is_alone(text: &[char], start: usize, end: usize) -> bool {
    let digit = |i: Option<usize>| i.and_then(|i| text.get(i)).is_some_and(|c| c.is_alphanumeric());
    let before = digit(start.checked_sub(1)) || digit(start.checked_sub(2)) && text[start - 1] == ' ';
    let after = digit(Some(end)) || digit(Some(end + 1)) && text[end] == ' ';
    !before && !after
}

/// Shows problems as compilers do: the words, `file:line:column`, the line, a mark under the spot, and what to do.
/// `source` is the text of the policy file named `file`; problems in other files are shown without their line.
pub fn render(problems: &[Problem], file: &str, source: &str) -> String {
    render_with(problems, &[(file, source)], &Renderer::plain().term_width(120))
}

/// As [`render`], in colours for a terminal.
pub fn render_coloured(problems: &[Problem], file: &str, source: &str) -> String {
    render_with(problems, &[(file, source)], &Renderer::styled().term_width(120))
}

/// As [`render`], with the texts of all files that were read.
pub fn render_files(problems: &[Problem], files: &[(&str, &str)]) -> String {
    render_with(problems, files, &Renderer::plain().term_width(120))
}

fn render_with(problems: &[Problem], files: &[(&str, &str)], renderer: &Renderer) -> String {
    let mut out = String::new();
    for problem in problems {
        let source = files.iter().find(|(name, _)| *name == problem.file);
        let line = source.and_then(|(_, text)| text.lines().nth(problem.line.saturating_sub(1)));
        out.push_str(&one(problem, line.map(masked), renderer));
        out.push_str("\n\n");
    }
    out
}

fn one(problem: &Problem, line: Option<String>, renderer: &Renderer) -> String {
    let level = if problem.warning { Level::WARNING } else { Level::ERROR };
    let title = level.primary_title(problem.message.as_str());
    let group = match &line {
        Some(line) => {
            let span = mark(line, problem.column);
            title.element(
                Snippet::source(line.as_str())
                    .line_start(problem.line.max(1))
                    .path(problem.file.as_str())
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        }
        None => title.element(
            Origin::path(problem.file.as_str())
                .line(problem.line)
                .char_column(problem.column),
        ),
    };
    let group = match &problem.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    };
    renderer.render(&[group])
}

/// Byte range of the word that begins in that column (from 1, in characters).
fn mark(line: &str, column: usize) -> std::ops::Range<usize> {
    let start = line
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(line.len(), |(i, _)| i);
    let rest = &line[start..];
    let length = match rest.chars().next() {
        Some(q @ ('"' | '\'')) => rest[1..].find(q).map_or(rest.len(), |i| i + 2),
        Some('[' | '{' | '-') => 1,
        _ => rest.find([',', ']', '}', ':', ' ', '#']).unwrap_or(rest.len()),
    };
    start..start + length.max(usize::from(!rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_its_line_and_a_mark() {
        let mut problems = Problems::new("p.yaml");
        problems.error(
            Spot {
                file: 0,
                line: 2,
                column: 9,
            },
            "unknown action `quarantien`",
            "did you mean `quarantine`?",
        );
        let text = render(&problems.finish(), "p.yaml", "rules:\n  then: quarantien\n");
        assert!(text.contains("p.yaml:2:9"), "{text}");
        assert!(text.contains("^^^^^^^^^^"), "{text}");
        assert!(text.contains("did you mean `quarantine`?"), "{text}");
    }

    #[test]
    fn a_wide_first_character_does_not_break_the_mark() {
        assert_eq!(mark("é", 1), 0..2);
        assert_eq!(mark("a", 9), 1..1);
    }
}
