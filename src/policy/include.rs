//! `include:`: one policy of several files. What stands in an included file counts as if it stood in the policy; each place
//! keeps its file, so that a mistake is shown where it was made.

use super::ReadList;
use super::fields::{self, Fields, Word};
use super::problem::{Problems, quote};
use super::words::PART;
use super::yaml::{self, Entry, Node, Spot, Value};

/// Files within files within files; more is a knot that nobody can read.
const MAX_DEPTH: usize = 8;
/// Files in all.
const MAX_FILES: usize = 100;

/// One file that was read.
pub(super) struct Source {
    /// As it is written in `include`; of the policy itself empty.
    pub name: String,
    pub text: String,
    pub node: Node,
}

/// The policy with everything that it includes laid into it, and all its files, itself the first.
pub(super) fn gather(source: &str, read: ReadList<'_>, problems: &mut Problems) -> Option<(Node, Vec<Source>)> {
    let text = source.trim_start_matches('\u{feff}');
    let mut root = yaml::read(text, problems)?;
    let mut gathering = Gathering {
        read,
        sources: vec![Source {
            name: String::new(),
            text: text.to_owned(),
            node: root.clone(),
        }],
        open: Vec::new(),
    };
    let words = named(&root, problems);
    gathering.take(&words, &mut root, problems);
    Some((root, gathering.sources))
}

struct Gathering<'r> {
    read: ReadList<'r>,
    sources: Vec<Source>,
    /// Files that are being read, the outermost first.
    open: Vec<String>,
}

impl Gathering<'_> {
    fn take(&mut self, words: &[Word], root: &mut Node, problems: &mut Problems) {
        for word in words {
            self.one(word, root, problems);
        }
    }

    fn one(&mut self, word: &Word, root: &mut Node, problems: &mut Problems) {
        let name = plain(&word.text);
        if self.open.contains(&name) {
            let way: Vec<String> = self.open.iter().chain([&name]).map(|name| quote(name)).collect();
            problems.error(
                word.at,
                format!("these files include each other in a circle: {}", way.join(", ")),
                "take one of the `include` away",
            );
            return;
        }
        if self.sources.iter().any(|source| source.name == name) {
            problems.error(
                word.at,
                format!("{} is included already", quote(&name)),
                "include each file once; what stands in it counts for the whole policy",
            );
            return;
        }
        if self.open.len() >= MAX_DEPTH || self.sources.len() > MAX_FILES {
            problems.error(
                word.at,
                "files are included too deeply here, or there are too many",
                format!("at most {MAX_DEPTH} within each other and {MAX_FILES} in all"),
            );
            return;
        }
        let text = match (self.read)(&word.text) {
            Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
            Err(why) => {
                problems.error(
                    word.at,
                    format!("the file {} cannot be read: {why}", quote(&word.text)),
                    "paths are taken from the folder of the policy file",
                );
                return;
            }
        };
        let file = problems.file(&word.text);
        let Some(node) = yaml::read_file(&text, file, problems) else {
            return;
        };
        Fields::open(&node, node.at, "an included file", PART, problems);
        let words = named(&node, problems);
        lay_in(&node, root, problems);
        self.sources.push(Source {
            name: name.clone(),
            text,
            node,
        });
        self.open.push(name);
        self.take(&words, root, problems);
        self.open.pop();
    }
}

/// `./a//b` and `a/b` are one file.
fn plain(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    parts.join("/")
}

/// The words of its `include`.
fn named(node: &Node, problems: &mut Problems) -> Vec<Word> {
    match node.get("include") {
        Some(include) => fields::list_of_words(include, "include", problems),
        None => Vec::new(),
    }
}

/// Its sections behind those of the policy.
fn lay_in(from: &Node, root: &mut Node, problems: &mut Problems) {
    let (Value::Map(theirs), Value::Map(ours)) = (&from.value, &mut root.value) else {
        return;
    };
    for entry in theirs
        .iter()
        .filter(|e| !matches!(e.key.as_str(), "version" | "include"))
    {
        if !PART.iter().any(|key| key.name == entry.key) {
            continue;
        }
        match ours.iter_mut().find(|e| e.key == entry.key) {
            None => ours.push(entry.clone()),
            Some(section) => append(section, entry, problems),
        }
    }
}

fn append(section: &mut Entry, more: &Entry, problems: &mut Problems) {
    match (&mut section.value.value, &more.value.value) {
        (Value::List(ours), Value::List(theirs)) => ours.extend(theirs.iter().cloned()),
        (Value::Map(ours), Value::Map(theirs)) => {
            for entry in theirs {
                match ours.iter().find(|e| e.key == entry.key) {
                    Some(first) => twice(entry, first.at, problems),
                    None => ours.push(entry.clone()),
                }
            }
        }
        (_, Value::List(_)) => {
            let what = format!("`{}`", section.key);
            fields::list(&section.value, &what, problems);
        }
        (Value::List(_), _) => {
            fields::list(&more.value, &format!("`{}`", more.key), problems);
        }
        (Value::Map(_), _) => {
            fields::map(&more.value, &format!("`{}`", more.key), problems);
        }
        _ => {}
    }
}

fn twice(entry: &Entry, first: Spot, problems: &mut Problems) {
    let place = problems.line(first, entry.at);
    problems.error(
        entry.at,
        format!("{} stands here a second time", quote(&entry.key)),
        format!("it was first given in {place}; a name may be given once in all files together"),
    );
}
