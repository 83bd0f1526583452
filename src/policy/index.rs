//! What a decision looks up rather than goes through: which rules can concern a recipient, which exceptions those rules
//! name, and which rules ask the same of the content. Narrows only; whether a rule fits is asked of the rule.

use super::bits::Bits;
use super::exceptions::Exceptions;
use super::groups::{Groups, Who};
use super::member::Member;
use super::rules::{Rule, When};
use super::words;
use std::sync::Arc;

/// Made once a policy.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// For each group: rules whose `to` names it.
    to_group: Vec<Bits>,
    /// Rules whose `to` names `outside`.
    to_outside: Bits,
    /// Rules without `to`.
    to_anyone: Bits,
    /// For each rule: its exceptions.
    except: Vec<Bits>,
    /// For each rule: its content, by an index that rules with the same content share.
    content: Vec<usize>,
    contents: usize,
    /// An exception asks whose number it is.
    pub asks_whose: bool,
    /// The name of the built-in exception.
    pub redacted: Arc<str>,
}

impl Index {
    pub fn of(groups: &Groups, exceptions: &Exceptions, rules: &[Rule]) -> Index {
        let mut index = Index {
            to_group: groups.all.iter().map(|_| Bits::default()).collect(),
            redacted: Arc::from(words::REDACTED),
            asks_whose: exceptions.all.iter().any(|e| e.own_number),
            ..Index::default()
        };
        let mut contents: Vec<&When> = Vec::new();
        for (r, rule) in rules.iter().enumerate() {
            let to = &rule.when.parties.to;
            if to.is_empty() {
                index.to_anyone.set(r);
            }
            for who in to {
                match who {
                    Who::Outside => index.to_outside.set(r),
                    Who::Group(g) => {
                        if let Some(bits) = index.to_group.get_mut(*g) {
                            bits.set(r);
                        }
                    }
                }
            }
            let known = |e: &&usize| **e < exceptions.all.len();
            index.except.push(rule.except.iter().filter(known).copied().collect());
            let same = contents.iter().position(|when| when.same_content(&rule.when));
            index.content.push(same.unwrap_or(contents.len()));
            if same.is_none() {
                contents.push(&rule.when);
            }
        }
        index.contents = contents.len();
        index
    }

    /// Rules whose `to` does not rule this recipient out.
    pub fn rules_to(&self, member: &Member) -> Bits {
        let mut rules = self.to_anyone.clone();
        if !member.inside {
            rules.add(&self.to_outside);
        }
        for bits in member.groups().filter_map(|g| self.to_group.get(g)) {
            rules.add(bits);
        }
        rules
    }

    /// Exceptions that any of these rules names.
    pub fn exceptions_of(&self, rules: &Bits) -> Bits {
        let mut exceptions = Bits::default();
        for bits in rules.iter().filter_map(|r| self.except.get(r)) {
            exceptions.add(bits);
        }
        exceptions
    }

    /// One index for each different content.
    pub fn contents(&self) -> std::ops::Range<usize> {
        0..self.contents
    }

    /// The content of a rule.
    pub fn content_of(&self, rule: usize) -> usize {
        self.content.get(rule).copied().unwrap_or(usize::MAX)
    }
}
