//! Reads `groups:` and the lists that it names.

use super::{Group, Groups, Index, List, number};
use crate::policy::ReadList;
use crate::policy::asked::Source;
use crate::policy::fields::{self, Fields, Word};
use crate::policy::problem::{Problems, quote};
use crate::policy::words::{GROUP, INSIDE, OUTSIDE};
use crate::policy::yaml::{Node, Spot};
use crate::types::{Address, fold_local};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::HashSet;

/// Reads `groups:`. `delimiters`: what begins an extension.
pub fn read(
    node: Option<&Node>,
    delimiters: String,
    lists: ReadList<'_>,
    problems: &mut Problems,
) -> (Groups, Vec<List>) {
    let mut groups = Groups {
        delimiters,
        ..Groups::default()
    };
    let mut texts = Vec::new();
    let Some(entries) = node.and_then(|n| fields::map(n, "`groups`", problems)) else {
        return (groups, texts);
    };
    for entry in entries {
        if entry.key == OUTSIDE {
            problems.error(
                entry.at,
                "`outside` is built in: everybody who is not in `inside`",
                "take this group away, or give it another name",
            );
            continue;
        }
        let mut draft = Draft::default();
        draft.fill(&entry.value, entry.at, lists, &mut texts, problems);
        if let (INSIDE, Some((at, _))) = (entry.key.as_str(), draft.sources.first()) {
            problems.error(
                *at,
                "who is `inside` must be known without asking",
                "write your own domains, or a `file` of them",
            );
        }
        let sources = std::mem::take(&mut draft.sources).into_iter();
        let sources = sources.map(|(_, source)| number(&mut groups.sources, source)).collect();
        groups
            .all
            .push(draft.finish(entry.key.clone(), entry.at, sources, problems));
    }
    groups.inside = groups.all.iter().position(|g| g.name == INSIDE);
    groups.index = Index::of(&groups.all);
    let stranger = Address::parse(b"nobody@nowhere.invalid").ok();
    if let (true, Some(inside)) = (
        groups.is_inside(stranger.as_ref()),
        groups.inside.and_then(|i| groups.all.get(i)),
    ) {
        problems.error(
            inside.at,
            "everybody is `inside`, so nobody is `outside`",
            "write your own domains only",
        );
    }
    if let (None, Some(node)) = (groups.inside, node) {
        problems.error(
            node.at,
            "there is no group `inside`",
            "write your own domains, e.g. `inside: {domains: [kommune.example]}`; everybody else is `outside`",
        );
    }
    (groups, texts)
}

#[derive(Default)]
struct Draft {
    addresses: HashSet<String>,
    domains: HashSet<String>,
    patterns: Vec<Glob>,
    sources: Vec<(Spot, Source)>,
    count: usize,
}

impl Draft {
    fn fill(&mut self, node: &Node, at: Spot, lists: ReadList<'_>, texts: &mut Vec<List>, problems: &mut Problems) {
        let Some(fields) = Fields::open(node, at, "a group", GROUP, problems) else {
            return;
        };
        // A mistake in the group is one mistake; that the group is therefore empty is not a second one.
        let errors = problems.count();
        for word in fields.words("addresses", problems) {
            self.tell(self_address, &word, problems);
        }
        for word in fields.words("domains", problems) {
            self.tell(self_domain, &word, problems);
        }
        for word in fields.words("patterns", problems) {
            self.tell(self_pattern, &word, problems);
        }
        for word in fields.words("file", problems) {
            match lists(&word.text) {
                Ok(text) => {
                    self.list(&word.text, &text, problems);
                    texts.push(List { file: word.text, text });
                }
                Err(why) => problems.error(
                    word.at,
                    format!("the list {} cannot be read: {why}", quote(&word.text)),
                    "paths are taken from the folder of the policy file",
                ),
            }
        }
        for (key, source) in [("ldap", Source::Ldap as fn(String) -> Source), ("table", Source::Table)] {
            for word in fields.words(key, problems) {
                self.count += 1;
                self.sources.push((word.at, source(word.text)));
            }
        }
        if self.count == 0 && problems.count() == errors {
            problems.error(
                at,
                "this group is empty",
                "give it `addresses`, `domains`, `patterns` or a `file` with entries, or say who knows it: `ldap`, `table`",
            );
        }
    }

    fn tell(&mut self, take: Take, word: &Word, problems: &mut Problems) {
        match take(self, &word.text) {
            Ok(()) => self.count += 1,
            Err(Wrong { message, help }) => problems.error(word.at, message, help),
        }
    }

    fn list(&mut self, file: &str, text: &str, problems: &mut Problems) {
        let before = self.count;
        let mut wrong = false;
        for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let entry = without_comment(line).trim();
            if entry.is_empty() {
                continue;
            }
            let take: Take = match () {
                () if entry.contains(['*', '?']) => self_pattern,
                () if entry.contains('@') && !entry.starts_with('@') => self_address,
                () => self_domain,
            };
            match take(self, entry) {
                Ok(()) => self.count += 1,
                Err(Wrong { message, help }) => {
                    wrong = true;
                    problems.error_in(file, i + 1, message, help);
                }
            }
        }
        if self.count == before && !wrong {
            problems.error_in(
                file,
                1,
                "this list is empty",
                "write one address, domain or pattern a line",
            );
            self.count += 1;
        }
    }

    fn finish(self, name: String, at: Spot, sources: Vec<usize>, problems: &mut Problems) -> Group {
        let mut patterns = GlobSetBuilder::new();
        let globs = self.patterns.iter().map(|glob| glob.glob().to_owned()).collect();
        for glob in self.patterns {
            patterns.add(glob);
        }
        // Each is sound by itself; together they can still be too large for the engine.
        let patterns = patterns.build().unwrap_or_else(|_| {
            problems.error(
                at,
                "this group has too many patterns",
                "write domains where you can, or split the group",
            );
            GlobSet::empty()
        });
        Group {
            name,
            at,
            addresses: self.addresses,
            domains: self.domains,
            patterns,
            sources,
            globs,
        }
    }
}

/// `#` begins a comment at the start of a line or behind a space; within a word it is a letter of an address.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (i, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line.get(..i).unwrap_or(line);
        }
        before = c;
    }
    line
}

struct Wrong {
    message: String,
    help: String,
}

type Take = fn(&mut Draft, &str) -> Result<(), Wrong>;

fn wrong(what: &str, text: &str, help: &str) -> Wrong {
    Wrong {
        message: format!("{} is no {what}", quote(text)),
        help: help.to_owned(),
    }
}

fn self_address(draft: &mut Draft, text: &str) -> Result<(), Wrong> {
    let bad = |help: &str| wrong("mail address", text, help);
    if text.contains(['*', '?']) {
        return Err(bad("write it under `patterns`"));
    }
    if !fields::is_address(text) {
        return Err(bad(if text.contains('@') {
            "write one address, e.g. anna@kommune.example"
        } else {
            "write a domain under `domains`"
        }));
    }
    let address = Address::parse(text.as_bytes()).map_err(|_| bad("its domain is not a valid name"))?;
    draft.addresses.insert(address.key());
    Ok(())
}

fn self_domain(draft: &mut Draft, text: &str) -> Result<(), Wrong> {
    let bad = |help: &str| wrong("domain", text, help);
    let name = text.trim_start_matches(['@', '*', '.']);
    // Elsewhere `*.x` and `.x` mean what lies below x without x itself, `@x` the contrary; here x is always both.
    if name != text && fields::is_domain(name) {
        return Err(bad(&format!(
            "write {}: the domain and all its subdomains",
            quote(name)
        )));
    }
    if name.contains('@') {
        return Err(bad("write an address under `addresses`"));
    }
    if fields::is_domain(name) && !name.trim_end_matches('.').contains('.') {
        return Err(bad(
            "write the whole name, such as kommune.example: this one would hold all domains that end so",
        ));
    }
    if !fields::is_domain(name) {
        return Err(bad(
            "write a name such as kommune.example; subdomains are always included",
        ));
    }
    let address = Address::parse(format!("x@{name}").as_bytes()).map_err(|_| bad("it is not a valid name"))?;
    draft.domains.insert(address.domain);
    Ok(())
}

fn self_pattern(draft: &mut Draft, text: &str) -> Result<(), Wrong> {
    let bad = |help: &str| wrong("pattern", text, help);
    let whole = if text.contains('@') {
        text.to_owned()
    } else {
        format!("*@{text}")
    };
    let Some((local, domain)) = whole.rsplit_once('@') else {
        return Err(bad("write e.g. *@avis.example"));
    };
    if !text.contains(['@', '.']) && text != "*" {
        return Err(bad(&format!(
            "write {} for the part before the `@`, or a domain with its dots",
            quote(&format!("{text}@*"))
        )));
    }
    if local.is_empty() || domain.is_empty() || text.contains(char::is_whitespace) {
        return Err(bad("write e.g. *@avis.example or presse*@*.example"));
    }
    let domain = pattern_domain(domain).ok_or_else(|| bad("write a label with Danish letters without `*` or `?`"))?;
    let glob = GlobBuilder::new(&format!("{}@{domain}", literally(&fold_local(local))))
        .case_insensitive(true)
        .literal_separator(false)
        .backslash_escape(false)
        .build()
        .map_err(|_| bad("`*` stands for any characters, `?` for one"))?;
    draft.patterns.push(glob);
    Ok(())
}

/// `*` and `?` are all that this language has; what else the engine knows stands for itself.
fn literally(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '[' | ']' | '{' | '}' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out
}

/// Labels without wildcards as A-labels; a wildcard within a label of other letters cannot be matched in that form.
fn pattern_domain(domain: &str) -> Option<String> {
    let labels: Option<Vec<String>> = domain
        .split('.')
        .map(|label| match label.is_ascii() {
            true => Some(literally(&label.to_ascii_lowercase())),
            false if label.contains(['*', '?']) => None,
            false => idna::domain_to_ascii(label).ok(),
        })
        .collect();
    Some(labels?.join("."))
}
