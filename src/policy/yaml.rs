//! YAML text -> a tree in which everything knows its line and column, so that every mistake can be shown at its place
//! and all of them at once.
//!
//! Policies are plain YAML: no anchors, aliases, tags or merge keys, since a reader who does not program must see what
//! applies where it stands. serde_yaml reads the same text afterwards ([`readers_agree`]): a text that two readers
//! understand differently is refused.

use super::problem::{Problems, quote};
use super::slip;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

/// Larger policies are a mistake; the bound also keeps a wrong file (a mailbox, a disk image) from being read at length.
const MAX_BYTES: usize = 4 << 20;
/// A policy needs six levels.
const MAX_DEPTH: usize = 16;
/// More mistakes of one kind than this are one mistake, made everywhere.
const MANY: usize = 20;
const ALIAS: &str = "an alias (`*name`)";

/// A place in a file: line and column from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// 0: the policy itself; else the number of a file that is included, as [`Problems::file`] gave it.
    pub file: usize,
    pub line: usize,
    pub column: usize,
}

/// One value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub at: Spot,
    pub value: Value,
}

/// What a value is. Scalars stay text: the place where one stands decides what type it has.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text; `plain` when it stood without quotes.
    Scalar { text: String, plain: bool },
    /// `[a, b]` or dashes.
    List(Vec<Node>),
    /// Keys in file order.
    Map(Vec<Entry>),
}

/// One `key: value`.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub at: Spot,
    pub value: Node,
}

impl Node {
    /// For messages: "a list", "a word".
    pub fn what(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a word",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value under a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.value),
            _ => None,
        }
    }
}

/// A list or map that is not closed yet.
enum Open {
    List(Spot, Vec<Node>),
    Map(Spot, Vec<Entry>, Option<(String, Spot)>),
}

/// Reads one document, the policy itself. `None` after a problem that leaves nothing to go on with.
pub(super) fn read(source: &str, problems: &mut Problems) -> Option<Node> {
    read_file(source, 0, problems)
}

/// The same for the file of that number.
pub(super) fn read_file(source: &str, file: usize, problems: &mut Problems) -> Option<Node> {
    let first = || Spot {
        file,
        line: 1,
        column: 1,
    };
    if source.len() > MAX_BYTES {
        problems.error(
            first(),
            "this file is too large for a policy",
            "a policy has at most 4 MiB",
        );
        return None;
    }
    if any_invisible(source, file, problems) {
        return None;
    }
    let mut tree = Tree {
        file,
        ..Tree::default()
    };
    let mut parser = Parser::new_from_str(source);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                if !tree.take(event, span, problems) {
                    return None;
                }
            }
            Err(error) => {
                let at = spot(*error.marker(), file);
                if error.info().contains("unknown anchor") {
                    refuse(at, ALIAS, problems);
                } else if !odd_indentation(source, at, problems) {
                    slip::tell(source, at, error.info(), problems);
                }
                return None;
            }
        }
    }
    if tree.root.is_none() {
        problems.error(first(), "the file is empty", "begin with `version: 1`");
    }
    tree.root
}

/// What cannot be seen could make a file mean something else than it says: two words that look alike, or a line that an
/// editor shows in another order (CVE-2021-42574). In "quotes" such a character can be written as `\u200b`.
fn any_invisible(source: &str, file: usize, problems: &mut Problems) -> bool {
    let before = problems.count();
    for (line, text) in (1..).zip(source.split('\n')) {
        let text = text.strip_suffix('\r').unwrap_or(text);
        for (column, c) in (1..).zip(text.chars()).filter(|(_, c)| is_invisible(*c)) {
            problems.error(
                Spot { file, line, column },
                format!("an invisible character stands here (U+{:04X})", u32::from(c)),
                "take it away, or write the line anew; in \"quotes\" it can be written as `\\u` and four digits",
            );
            if problems.count() - before >= MANY {
                return true;
            }
        }
    }
    problems.count() > before
}

fn is_invisible(c: char) -> bool {
    c != '\t' && c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// YAML indents with spaces only; what a parser says of a tab or a no-break space names neither it nor its line.
fn odd_indentation(source: &str, end: Spot, problems: &mut Problems) -> bool {
    let last = end.line + 1;
    let before = problems.count();
    for (line, text) in (1..).zip(source.lines()) {
        let indentation = text.chars().take_while(|c| c.is_whitespace());
        let odd = (1..).zip(indentation).find(|(_, c)| *c != ' ');
        // Behind the place where reading ended, a tab behind spaces may belong to a text.
        if let Some((column, c)) = odd.filter(|(column, _)| line <= last || *column == 1) {
            let what = if c == '\t' { "a tab" } else { "an unusual space" };
            let file = end.file;
            problems.error(
                Spot { file, line, column },
                format!("{what} stands in the indentation"),
                "indent with spaces only; most editors can replace all tabs at once",
            );
        }
        if problems.count() - before >= MANY {
            break;
        }
    }
    problems.count() > before
}

fn spot(mark: Marker, file: usize) -> Spot {
    Spot {
        file,
        line: mark.line().max(1),
        column: mark.col() + 1,
    }
}

#[derive(Default)]
struct Tree {
    file: usize,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Tree {
    /// `false` stops the reading.
    fn take(&mut self, event: Event<'_>, span: Span, problems: &mut Problems) -> bool {
        let at = spot(span.start, self.file);
        match event {
            Event::Alias(_) => return refuse(at, ALIAS, problems),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return refuse(at, "an anchor (`&name`)", problems);
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return refuse(at, "a tag (`!name`)", problems);
            }
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    problems.error(
                        at,
                        "a second document begins here",
                        "a policy is one document: take `---` away",
                    );
                    return false;
                }
            }
            Event::Scalar(text, style, _, _) => return self.scalar(text.into_owned(), style, at, problems),
            Event::SequenceStart(..) => self.open.push(Open::List(at, Vec::new())),
            Event::MappingStart(..) => self.open.push(Open::Map(at, Vec::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => return self.close(problems),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        if self.open.len() > MAX_DEPTH {
            problems.error(
                at,
                "this is nested too deeply",
                "a policy needs no more than six levels",
            );
            return false;
        }
        true
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, at: Spot, problems: &mut Problems) -> bool {
        let plain = style == ScalarStyle::Plain;
        // Texts go into notices, logs and terminals.
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            problems.error(
                at,
                "this text holds a control character",
                "take it away; in 'single quotes' a pattern's `\\b` stays what it is",
            );
        }
        if let Some(Open::Map(_, entries, key @ None)) = self.open.last_mut() {
            if let Some(earlier) = entries.iter().find(|e| e.key == text) {
                problems.error(
                    at,
                    format!("{} stands here a second time", quote(&text)),
                    format!("it was first given in line {}; keep one of the two", earlier.at.line),
                );
            }
            if text.trim() != text {
                problems.error(
                    at,
                    "this key begins or ends with a space",
                    "an unusual space, perhaps copied from elsewhere? Write the key anew",
                );
            }
            *key = Some((text, at));
            return true;
        }
        let null = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if null {
            Value::Null
        } else {
            Value::Scalar { text, plain }
        };
        self.put(Node { at, value })
    }

    fn close(&mut self, problems: &mut Problems) -> bool {
        let node = match self.open.pop() {
            Some(Open::List(at, list)) => Node {
                at,
                value: Value::List(list),
            },
            Some(Open::Map(at, entries, _)) => Node {
                at,
                value: Value::Map(entries),
            },
            None => return false,
        };
        if let Some(Open::Map(_, _, None)) = self.open.last() {
            problems.error(node.at, "a key must be a word", "write `key: value`");
            return false;
        }
        self.put(node)
    }

    fn put(&mut self, node: Node) -> bool {
        match self.open.last_mut() {
            Some(Open::List(_, list)) => list.push(node),
            Some(Open::Map(_, entries, key)) => {
                if let Some((key, at)) = key.take()
                    && !entries.iter().any(|e| e.key == key)
                {
                    entries.push(Entry { key, at, value: node });
                }
            }
            None => self.root = Some(node),
        }
        true
    }
}

fn refuse(at: Spot, what: &str, problems: &mut Problems) -> bool {
    problems.error(
        at,
        format!("{what} is not allowed in a policy"),
        "write the value out where it applies; a text that begins with `*`, `&` or `!` needs \"quotes\"",
    );
    false
}

/// The first place at which serde_yaml sees another key, list or text.
pub(super) fn disagreement(source: &str, node: &Node) -> Option<Spot> {
    match serde_yaml::from_str::<serde_yaml::Value>(source) {
        Ok(other) => differing(node, &other),
        Err(error) => {
            let line = error.location().map_or(1, |place| place.line());
            Some(Spot {
                file: node.at.file,
                line,
                column: 1,
            })
        }
    }
}

fn differing(node: &Node, other: &serde_yaml::Value) -> Option<Spot> {
    use serde_yaml::Value as Other;
    let here = |same: bool| (!same).then_some(node.at);
    match (&node.value, other) {
        (Value::Null, Other::Null) => None,
        (Value::Scalar { text, plain: false }, other) => here(other.as_str() == Some(text)),
        (Value::Scalar { text, .. }, Other::String(other)) => here(text == other),
        // Numbers and truth values keep no text to compare; the place in the file decides how ours is read.
        (Value::Scalar { plain: true, .. }, Other::Number(_) | Other::Bool(_)) => None,
        (Value::List(ours), Other::Sequence(theirs)) if ours.len() == theirs.len() => {
            ours.iter().zip(theirs).find_map(|(a, b)| differing(a, b))
        }
        (Value::Map(ours), Other::Mapping(theirs)) if ours.len() == theirs.len() => {
            ours.iter().zip(theirs.iter()).find_map(|(a, (key, b))| {
                let same_key = key.as_str().is_none_or(|key| key == a.key);
                if same_key { differing(&a.value, b) } else { Some(a.at) }
            })
        }
        _ => here(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(source: &str) -> (Option<Node>, Vec<String>) {
        let mut problems = Problems::new("p.yaml");
        let node = read(source, &mut problems);
        let found = problems.finish();
        (
            node,
            found
                .iter()
                .map(|p| format!("{}:{} {}", p.line, p.column, p.message))
                .collect(),
        )
    }

    #[test]
    fn every_value_knows_its_place_counted_in_characters() {
        let (node, problems) = read_one("name: Ærø\ngroups:\n  inside: {domains: [ærø.example, b]}\n");
        assert_eq!(problems, Vec::<String>::new());
        let node = node.expect("read");
        let domains = node
            .get("groups")
            .and_then(|g| g.get("inside"))
            .and_then(|g| g.get("domains"));
        let Some(Value::List(list)) = domains.map(|n| &n.value) else {
            panic!("no list");
        };
        let there = Spot {
            file: 0,
            line: 3,
            column: 35,
        };
        assert_eq!(list[1].at, there);
        let source = "name: Ærø\ngroups:\n  inside: {domains: [ærø.example, b]}\n";
        assert_eq!(disagreement(source, &node), None);
        let other = source.replace("b]", "c]");
        assert_eq!(disagreement(&other, &node), Some(there));
    }

    #[test]
    fn a_second_key_is_shown_where_it_stands() {
        let (_, problems) = read_one("a: 1\nb: 2\na: 3\n");
        assert_eq!(problems, ["3:1 `a` stands here a second time"]);
    }

    #[test]
    fn anchors_aliases_and_tags_are_refused() {
        for source in ["a: &x 1\n", "a: *x\n", "a: !x 1\n", "a: !!str 1\n"] {
            let (_, problems) = read_one(source);
            assert_eq!(problems.len(), 1, "{source}");
            assert!(problems[0].ends_with("is not allowed in a policy"), "{problems:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown_at_its_place() {
        let (_, problems) = read_one("a: 1\n\tb: 2\n");
        assert_eq!(problems, ["2:1 a tab stands in the indentation"]);
        let (_, problems) = read_one("a: 1\n\u{a0}b: 2\n");
        assert_eq!(problems, ["2:1 this key begins or ends with a space"]);
        for c in ['\u{200b}', '\u{202e}', '\u{2028}', '\u{85}', '\u{7}', '\u{feff}'] {
            let (_, problems) = read_one(&format!("a: 1\nb: x{c}y\n"));
            let told = format!("2:5 an invisible character stands here (U+{:04X})", u32::from(c));
            assert_eq!(problems, [told]);
        }
        let (_, problems) = read_one("a: \"x\\u200by\"\r\nb: |\r\n  c\td\r\n");
        assert_eq!(
            problems,
            Vec::<String>::new(),
            "an escape can be seen, and a tab in a text is one"
        );
        let (_, problems) = read_one("a: \"x\\e[31m\"\n");
        assert_eq!(problems, ["1:4 this text holds a control character"]);
    }

    #[test]
    fn nesting_is_bounded() {
        let (node, problems) = read_one(&"[".repeat(100));
        assert!(node.is_none());
        assert_eq!(problems.len(), 1);
    }
}
