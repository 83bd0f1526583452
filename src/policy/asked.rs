//! What the policy's files do not say: who is in groups that a directory or a Postfix table keeps.
//!
//! The policy names what must be asked ([`Asks`]) and takes the [`Answers`]; asking is the world's business. A mail
//! about whose addresses something was not answered gets no decision at all: unknown is never "not a member".

use crate::types::Address;
use std::collections::HashMap;
use std::fmt;

/// Where the members of a group stand when no file of the policy has them, by the name that the policy gives it. Where
/// that is and how it is reached stands in the administrator's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A group in the organisation's directory, by its name or distinguished name.
    Ldap(String),
    /// A Postfix table.
    Table(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Ldap(name) => write!(f, "LDAP group `{name}`"),
            Source::Table(name) => write!(f, "table `{name}`"),
        }
    }
}

/// What must be known before one mail can be judged.
#[derive(Debug)]
pub struct Asks<'p> {
    /// Whom to ask.
    pub sources: &'p [Source],
    /// About whom: senders and recipients, with and without their extensions, each once. None: nothing need be asked.
    pub addresses: Vec<Address>,
}

/// Who is in which source.
#[derive(Clone, Debug)]
pub struct Answers {
    /// By [`Address::key`]; `None`: nothing was asked.
    answers: Option<HashMap<String, Vec<usize>>>,
}

impl Answers {
    /// Nobody was asked and nobody is a member: for the tests in the file and for looking at a policy away from its
    /// gateway. No mail is judged by it.
    pub fn offline() -> Answers {
        Answers { answers: None }
    }

    /// No answers yet.
    pub fn unanswered() -> Answers {
        Answers {
            answers: Some(HashMap::new()),
        }
    }

    /// The address is in these sources (indices into [`Asks::sources`]) and in no other.
    pub fn answer(&mut self, address: &Address, sources: Vec<usize>) {
        let answers = self.answers.get_or_insert_default();
        answers.insert(address.key(), sources);
    }

    /// Every one of them was answered for.
    pub(super) fn cover(&self, addresses: &[Address]) -> bool {
        let known = |answers: &HashMap<String, Vec<usize>>| addresses.iter().all(|a| answers.contains_key(&a.key()));
        self.answers.as_ref().is_none_or(known)
    }

    /// The sources of the address with this key.
    pub(super) fn of(&self, key: &str) -> &[usize] {
        let answers = self.answers.as_ref();
        answers.and_then(|answers| answers.get(key)).map_or(&[], Vec::as_slice)
    }
}
