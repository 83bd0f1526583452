//! `groups:`: who is who. Addresses are compared by [`Address::key`], domains as A-labels with all subdomains, so that
//! neither a capital nor the way a Danish letter is written makes anybody slip out of a group.

use super::ReadList;
use super::fields::{self, Fields, Word};
use super::problem::{Problems, quote};
use super::words::{self, GROUP, INSIDE, OUTSIDE};
use super::yaml::{Node, Spot};
use crate::types::Address;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::HashSet;

/// One compiled group.
#[derive(Debug)]
pub(super) struct Group {
    pub name: String,
    pub at: Spot,
    addresses: HashSet<String>,
    domains: HashSet<String>,
    patterns: GlobSet,
}

/// All groups of a policy; `inside` is one of them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    inside: Option<usize>,
}

/// Who a condition names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody who is not in `inside`.
    Outside,
    /// Index into [`Groups::all`].
    Group(usize),
}

/// A list file that was read, for the policy's hash and for the search for real numbers.
pub(super) struct List {
    pub file: String,
    pub text: String,
}

impl Groups {
    pub fn find(&self, name: &str) -> Option<Who> {
        if name == OUTSIDE {
            return Some(Who::Outside);
        }
        self.all.iter().position(|g| g.name == name).map(Who::Group)
    }

    pub fn is_inside(&self, address: Option<&Address>) -> bool {
        self.inside
            .and_then(|i| self.all.get(i))
            .is_some_and(|group| group.has(address))
    }

    /// For each group: the address is in it, also when `given` says so (for tests in the file).
    pub fn of(&self, address: Option<&Address>, given: &[usize]) -> Member {
        let groups: Vec<bool> = self
            .all
            .iter()
            .enumerate()
            .map(|(i, g)| given.contains(&i) || g.has(address))
            .collect();
        let inside = self.inside.and_then(|i| groups.get(i)).copied().unwrap_or(false);
        Member { groups, inside }
    }

    /// Names of the groups that an address is in.
    pub fn names_of(&self, address: Option<&Address>) -> Vec<&str> {
        let all = self.all.iter().filter(|group| group.has(address));
        all.map(|group| group.name.as_str()).collect()
    }

    /// The word names `inside` itself. Any other group may hold strangers.
    pub fn is_named_inside(&self, who: Who) -> bool {
        matches!(who, Who::Group(i) if self.inside == Some(i))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.all.iter().map(|g| g.name.as_str()).chain([OUTSIDE])
    }

    /// The group that a word names.
    pub fn resolve(&self, word: &Word, problems: &mut Problems) -> Option<Who> {
        let who = self.find(&word.text);
        if who.is_none() {
            let help = if let Some(help) = words::as_list(&word.text) {
                help
            } else if word.text.contains('@') || word.text.contains('.') {
                "conditions name groups: put this address or domain into a group".to_owned()
            } else {
                words::help(&word.text, self.names())
            };
            problems.error(word.at, format!("there is no group {}", quote(&word.text)), help);
        }
        who
    }
}

/// In which groups one address is.
#[derive(Debug)]
pub(super) struct Member {
    groups: Vec<bool>,
    pub inside: bool,
}

impl Member {
    /// No condition, or any of those named.
    pub fn is_any(&self, who: &[Who]) -> bool {
        who.is_empty()
            || who.iter().any(|w| match w {
                Who::Outside => !self.inside,
                Who::Group(i) => self.groups.get(*i).copied().unwrap_or(false),
            })
    }
}

impl Group {
    fn has(&self, address: Option<&Address>) -> bool {
        let Some(address) = address else {
            return false;
        };
        let key = address.key();
        self.addresses.contains(&key) || self.has_domain(&address.domain) || self.patterns.is_match(&key)
    }

    /// The domain or one that it lies under.
    fn has_domain(&self, domain: &str) -> bool {
        let mut rest = Some(domain);
        while let Some(name) = rest.filter(|n| !n.is_empty()) {
            if self.domains.contains(name) {
                return true;
            }
            rest = name.split_once('.').map(|(_, parent)| parent);
        }
        false
    }
}

/// Reads `groups:`.
pub(super) fn read(node: Option<&Node>, lists: ReadList<'_>, problems: &mut Problems) -> (Groups, Vec<List>) {
    let mut groups = Groups::default();
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
        groups.all.push(draft.finish(entry.key.clone(), entry.at, problems));
    }
    groups.inside = groups.all.iter().position(|g| g.name == INSIDE);
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
        if self.count == 0 && problems.count() == errors {
            problems.error(
                at,
                "this group is empty",
                "give it `addresses`, `domains`, `patterns` or a `file` with entries",
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

    fn finish(self, name: String, at: Spot, problems: &mut Problems) -> Group {
        let mut patterns = GlobSetBuilder::new();
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
    let glob = GlobBuilder::new(&format!("{}@{domain}", local.to_lowercase()))
        .case_insensitive(true)
        .literal_separator(false)
        .build()
        .map_err(|_| bad("`*` stands for any characters, `?` for one"))?;
    draft.patterns.push(glob);
    Ok(())
}

/// Labels without wildcards as A-labels; a wildcard within a label of other letters cannot be matched in that form.
fn pattern_domain(domain: &str) -> Option<String> {
    let labels: Option<Vec<String>> = domain
        .split('.')
        .map(|label| match label.is_ascii() {
            true => Some(label.to_ascii_lowercase()),
            false if label.contains(['*', '?', '[', '{']) => None,
            false => idna::domain_to_ascii(label).ok(),
        })
        .collect();
    Some(labels?.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::yaml;

    fn groups(source: &str) -> Groups {
        let mut problems = Problems::new("p.yaml");
        let node = yaml::read(source, &mut problems).expect("yaml");
        let lists = |_: &str| Ok("# aviser\navis.example # dagblad\nred@blad.example\n*@*.tv.example\n".to_owned());
        let (groups, _) = read(Some(&node), &lists, &mut problems);
        assert_eq!(problems.finish(), Vec::new());
        groups
    }

    fn is_in(groups: &Groups, name: &str, address: &str) -> bool {
        let who = groups.find(name).expect(name);
        groups
            .of(Address::parse(address.as_bytes()).ok().as_ref(), &[])
            .is_any(&[who])
    }

    #[test]
    fn domains_hold_their_subdomains_and_not_their_lookalikes() {
        let groups = groups("inside: {domains: [rødovre.example]}");
        assert!(is_in(&groups, "inside", "a@Rødovre.example"));
        assert!(is_in(&groups, "inside", "a@xn--rdovre-bya.example"));
        assert!(is_in(&groups, "inside", "a@skole.rødovre.example"));
        assert!(is_in(&groups, "outside", "a@ikkerødovre.example"));
        assert!(is_in(&groups, "outside", "a@rødovre.example.evil.example"));
        assert!(groups.of(None, &[]).is_any(&[Who::Outside]), "no address is outside");
    }

    #[test]
    fn lists_and_patterns_are_read() {
        let groups = groups(
            "inside: {domains: [k.example]}\nmedia: {file: m.txt}\npress: {patterns: ['presse*@*.example', 'blad.*']}",
        );
        for address in ["x@avis.example", "RED@blad.example", "y@dr.tv.example"] {
            assert!(is_in(&groups, "media", address), "{address}");
        }
        assert!(!is_in(&groups, "media", "anden@blad.example"));
        assert!(is_in(&groups, "press", "Pressen@x.example"));
        assert!(is_in(&groups, "press", "a@blad.dk"));
    }
}
