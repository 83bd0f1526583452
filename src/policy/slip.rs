//! What a YAML parser says of a slip, in words for people who have never read its grammar.

use super::problem::Problems;
use super::yaml::Spot;

/// Tells what is wrong where reading ended.
pub(super) fn tell(source: &str, at: Spot, info: &str, problems: &mut Problems) {
    if let Some(open) = unclosed(source, at) {
        problems.error(
            open,
            "this bracket is not closed",
            "close it on the same line: `[a, b]`, `{key: value}`; a text that begins with a bracket needs \"quotes\"",
        );
        return;
    }
    let line = source.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    let trimmed = line.trim_start();
    let indentation = line.len() - trimmed.len();
    if trimmed.starts_with('-') && !trimmed.starts_with("- ") && trimmed != "-" {
        problems.error(
            Spot {
                column: indentation + 1,
                ..at
            },
            "a dash needs a space behind it",
            "write `- ` at the beginning of each item of a list; a text that begins with a dash needs \"quotes\"",
        );
        return;
    }
    let begins = source
        .lines()
        .nth(at.line.saturating_sub(1))
        .and_then(|line| line.chars().nth(at.column.saturating_sub(1)));
    if let Some(c) = begins.filter(|c| info.contains("unexpected character") && matches!(c, '@' | '`' | '%')) {
        problems.error(
            at,
            format!(
                "a text that begins with `{}` needs \"quotes\"",
                if c == '`' { '\'' } else { c }
            ),
            "put the whole text into \"quotes\"",
        );
        return;
    }
    if info.contains("mapping values are not allowed") {
        let colons = trimmed.matches(": ").count();
        match colons > 1 || trimmed.ends_with(':') && colons == 1 {
            true => problems.error(
                at,
                "a second colon stands in this line",
                "put the text that holds `: ` into \"quotes\"",
            ),
            false => problems.error(
                at,
                "this line is indented other than those that it belongs to, or the line before is not finished",
                "keys of one map begin in one column; a value stands behind its colon, or indented below it",
            ),
        }
        return;
    }
    if info.contains("did not find expected") {
        problems.error(
            at,
            "this line does not belong where it stands",
            "keys of one map begin in one column, items of one list with dashes in one column; look at this line and the one before",
        );
        return;
    }
    problems.error(
        at,
        format!("this is not YAML: {info}"),
        "look at the indentation and the brackets of this line and the one before; a text that holds `: ` or begins with a mark needs \"quotes\"",
    );
}

/// The innermost bracket before `end` that is open still. Brackets in quotes and comments are none.
fn unclosed(source: &str, end: Spot) -> Option<Spot> {
    let mut open: Vec<(char, Spot)> = Vec::new();
    let mut quote: Option<char> = None;
    for (i, line) in source.lines().enumerate().take(end.line) {
        let mut before = ' ';
        for (column, c) in line.chars().enumerate() {
            let at = Spot {
                file: end.file,
                line: i + 1,
                column: column + 1,
            };
            if at.line == end.line && at.column >= end.column {
                break;
            }
            let begins = before == ' ' || matches!(before, '[' | '{' | ',' | ':');
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '#') if before == ' ' => break,
                (None, '"' | '\'') if begins => quote = Some(c),
                (None, '[' | '{') if begins => open.push((c, at)),
                (None, ']' | '}') if !open.is_empty() => {
                    open.pop();
                }
                _ => {}
            }
            before = c;
        }
    }
    // A line with a key of its own behind it cannot be within the bracket any more.
    open.pop().filter(|(_, at)| at.line < end.line).map(|(_, at)| at)
}
