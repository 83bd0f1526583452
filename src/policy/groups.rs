//! `groups:`: who is who. Addresses are compared by [`Address::key`], with and without their extension, domains as
//! A-labels with all subdomains, so that neither a capital nor the way a Danish letter is written makes anybody slip out
//! of a group.

use super::ReadList;
use super::asked::{Answers, Source};
use super::bits::Bits;
use super::fields::{self, Fields, Word};
use super::member::{Member, Reading};
use super::problem::{Problems, quote};
use super::words::{self, GROUP, INSIDE, OUTSIDE};
use super::yaml::{Node, Spot};
use crate::types::{Address, fold_local};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::{HashMap, HashSet};

/// One compiled group.
#[derive(Debug)]
pub(super) struct Group {
    pub name: String,
    pub at: Spot,
    addresses: HashSet<String>,
    domains: HashSet<String>,
    patterns: GlobSet,
    /// Indices into [`Groups::sources`].
    sources: Vec<usize>,
    /// As they were compiled.
    globs: Vec<String>,
}

/// One entry of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Listed {
    /// With all below it.
    Domain(String),
    Address(String),
    Pattern(String),
}

impl Group {
    /// All that the group lists, sorted.
    pub fn listed(&self) -> Vec<Listed> {
        let domains = self.domains.iter().cloned().map(Listed::Domain);
        let addresses = self.addresses.iter().cloned().map(Listed::Address);
        let globs = self.globs.iter().cloned().map(Listed::Pattern);
        let mut all: Vec<Listed> = domains.chain(addresses).chain(globs).collect();
        all.sort_unstable();
        all
    }
}

/// All groups of a policy; `inside` is one of them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    inside: Option<usize>,
    sources: Vec<Source>,
    delimiters: String,
    index: Index,
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

    /// Wherever its mail may go, that is in `inside`.
    pub fn is_inside(&self, address: Option<&Address>) -> bool {
        self.of(address, &Answers::offline(), &[]).inside
    }

    /// In which groups the address is, also when `named` says so (for tests in the file).
    pub fn of(&self, address: Option<&Address>, given: &Answers, named: &[usize]) -> Member {
        Member::new(self, address, given, named)
    }

    /// The groups of one reading: by the lists, and by what those said who were asked.
    pub fn of_reading(&self, reading: &Reading, given: &Answers) -> Bits {
        let mut groups = self.index.of_reading(reading);
        for &i in &self.index.asked {
            let sources = self
                .all
                .get(i)
                .map(|group| group.sources.as_slice())
                .unwrap_or_default();
            let is_in = |key: String| given.of(&key).iter().any(|s| sources.contains(s));
            if reading.keys().any(is_in) {
                groups.set(i);
            }
        }
        groups
    }

    /// Index of `inside`.
    pub fn inside(&self) -> Option<usize> {
        self.inside
    }

    /// What begins an extension.
    pub fn delimiters(&self) -> &str {
        &self.delimiters
    }

    /// Whom this group's members must be asked of.
    pub fn sources_of(&self, group: usize) -> impl Iterator<Item = &Source> {
        let sources = self.all.get(group).into_iter().flat_map(|g| &g.sources);
        sources.filter_map(|i| self.sources.get(*i))
    }

    /// What must be asked, each once.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The groups whose members must be asked for, with whom to ask.
    pub fn asked(&self) -> impl Iterator<Item = (&Group, Vec<&Source>)> {
        let sources = |g: &Group| g.sources.iter().filter_map(|i| self.sources.get(*i)).collect();
        let asked = self.all.iter().filter(|g| !g.sources.is_empty());
        asked.map(move |g| (g, sources(g)))
    }

    /// For groups that no rule and no exception names, nobody is asked: that nobody answers must hold up no mail.
    pub fn ask_only(&mut self, used: impl Fn(Who) -> bool) {
        let old = std::mem::take(&mut self.sources);
        for (i, group) in self.all.iter_mut().enumerate() {
            let wanted = std::mem::take(&mut group.sources);
            let wanted = wanted
                .iter()
                .filter(|_| used(Who::Group(i)))
                .filter_map(|s| old.get(*s));
            group.sources = wanted.map(|source| number(&mut self.sources, source.clone())).collect();
        }
        self.index = Index::of(&self.all);
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

/// The source's index, as a new one if need be.
fn number(sources: &mut Vec<Source>, source: Source) -> usize {
    sources.iter().position(|s| *s == source).unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    })
}

/// All groups by what they list, so that an address is looked up once and not once for each group.
#[derive(Debug, Default)]
struct Index {
    domains: HashMap<String, Domain>,
    patterns: Vec<(usize, GlobSet)>,
    /// Groups with members that others must be asked for.
    asked: Vec<usize>,
}

/// What groups list at one domain.
#[derive(Debug, Default)]
struct Domain {
    /// Groups that list the domain itself.
    groups: Bits,
    /// Groups that list addresses there, by [`Address::key`].
    addresses: HashMap<String, Bits>,
}

impl Index {
    fn of(groups: &[Group]) -> Index {
        let mut index = Index::default();
        for (i, group) in groups.iter().enumerate() {
            for address in &group.addresses {
                // As `Address::key` writes it: what follows the last `@` is the domain, if there is one.
                let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
                let there = index.domains.entry(domain.to_owned()).or_default();
                there.addresses.entry(address.clone()).or_default().set(i);
            }
            for domain in &group.domains {
                index.domains.entry(domain.clone()).or_default().groups.set(i);
            }
            if !group.patterns.is_empty() {
                index.patterns.push((i, group.patterns.clone()));
            }
            if !group.sources.is_empty() {
                index.asked.push(i);
            }
        }
        index
    }

    /// The groups that list one reading of an address.
    fn of_reading(&self, reading: &Reading) -> Bits {
        let mut groups = Bits::default();
        let own = self.domains.get(&reading.domain);
        let listed = own.filter(|own| !own.addresses.is_empty());
        if listed.is_some() || !self.patterns.is_empty() {
            for key in reading.keys() {
                if let Some(named) = listed.and_then(|own| own.addresses.get(&key)) {
                    groups.add(named);
                }
                for (group, globs) in &self.patterns {
                    if globs.is_match(&key) {
                        groups.set(*group);
                    }
                }
            }
        }
        if let Some(own) = own {
            groups.add(&own.groups);
        }
        // All that the domain lies under.
        let mut rest = reading.domain.split_once('.');
        while let Some((_, parent)) = rest.filter(|(_, parent)| !parent.is_empty()) {
            if let Some(above) = self.domains.get(parent) {
                groups.add(&above.groups);
            }
            rest = parent.split_once('.');
        }
        groups
    }
}

/// Reads `groups:`. `delimiters`: what begins an extension.
pub(super) fn read(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::member::Need;
    use crate::policy::yaml;

    fn groups(source: &str) -> Groups {
        let mut problems = Problems::new("p.yaml");
        let node = yaml::read(source, &mut problems).expect("yaml");
        let lists = |_: &str| Ok("# aviser\navis.example # dagblad\nred@blad.example\n*@*.tv.example\n".to_owned());
        let (groups, _) = read(Some(&node), "+".to_owned(), &lists, &mut problems);
        assert_eq!(problems.finish(), Vec::new());
        groups
    }

    fn is_in(groups: &Groups, name: &str, address: &str) -> bool {
        let who = groups.find(name).expect(name);
        groups
            .of(
                Address::parse(address.as_bytes()).ok().as_ref(),
                &Answers::offline(),
                &[],
            )
            .fits(&[who], Need::Any)
    }

    #[test]
    fn domains_hold_their_subdomains_and_not_their_lookalikes() {
        let groups = groups("inside: {domains: [rødovre.example]}");
        assert!(is_in(&groups, "inside", "a@Rødovre.example"));
        assert!(is_in(&groups, "inside", "a@xn--rdovre-bya.example"));
        assert!(is_in(&groups, "inside", "a@skole.rødovre.example"));
        assert!(is_in(&groups, "outside", "a@ikkerødovre.example"));
        assert!(is_in(&groups, "outside", "a@rødovre.example.evil.example"));
        let nobody = groups.of(None, &Answers::offline(), &[]);
        assert!(nobody.fits(&[Who::Outside], Need::Any), "no address is outside");
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
