//! `groups:`: who is who. Addresses are compared by [`Address::key`], with and without their extension, domains as
//! A-labels with all subdomains, so that neither a capital nor the way a Danish letter is written makes anybody slip out
//! of a group.

mod read;

pub(super) use read::read;

use super::asked::{Answers, Source};
use super::bits::Bits;
use super::fields::Word;
use super::member::{Member, Reading};
use super::problem::{Problems, quote};
use super::words::{self, OUTSIDE};
use super::yaml::Spot;
use crate::types::Address;
use globset::GlobSet;
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
