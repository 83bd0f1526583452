//! In which groups one address is. An address whose mail may end in several places ([`Address::routes`]) has several
//! readings: a rule speaks when one of them is meant, an exception only when all are.

use super::asked::Answers;
use super::groups::{Groups, Who};
use crate::types::Address;

/// How many of an address's readings must be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// What makes an outcome stricter.
    Any,
    /// What makes it milder.
    All,
}

/// In which groups one address is.
#[derive(Debug)]
pub(super) struct Member {
    any: Vec<bool>,
    all: Vec<bool>,
    /// Every reading is in `inside`.
    pub inside: bool,
    /// One reading is.
    maybe_inside: bool,
}

/// One reading: where mail may go, under the keys by which it is looked up.
pub(super) struct Reading {
    pub keys: Vec<String>,
    pub domain: String,
}

/// The readings of an address. `None`: one that nobody can read.
pub(super) fn readings(address: &Address, delimiters: &str) -> Vec<Option<Reading>> {
    let reading = |route: Address| Reading {
        keys: lookups(&route, delimiters).iter().map(Address::key).collect(),
        domain: route.domain,
    };
    let routes = address.routes().into_iter();
    routes.map(|route| route.map(reading)).collect()
}

/// The address, and the same without its extension.
pub(super) fn lookups(address: &Address, delimiters: &str) -> Vec<Address> {
    let mut all = vec![address.clone()];
    all.extend(address.without_extension(delimiters));
    all
}

impl Member {
    /// `named`: groups in which a test in the file puts the address.
    pub fn new(groups: &Groups, address: Option<&Address>, given: &Answers, named: &[usize]) -> Member {
        let readings = match address {
            Some(address) => readings(address, groups.delimiters()),
            None => vec![None],
        };
        let count = groups.all.len();
        let (mut any, mut all) = (vec![false; count], vec![true; count]);
        for reading in &readings {
            let each = groups.all.iter().enumerate().zip(any.iter_mut().zip(all.iter_mut()));
            for ((i, group), (any, all)) in each {
                let is_in = named.contains(&i) || reading.as_ref().is_some_and(|r| group.has(r, given));
                *any |= is_in;
                *all &= is_in;
            }
        }
        let inside = |of: &[bool]| groups.inside().and_then(|i| of.get(i)).copied().unwrap_or(false);
        Member {
            inside: inside(&all),
            maybe_inside: inside(&any),
            any,
            all,
        }
    }

    /// No condition, or any of those named.
    pub fn fits(&self, who: &[Who], need: Need) -> bool {
        let outside = !self.may_be_inside(need);
        let groups = match need {
            Need::Any => &self.any,
            Need::All => &self.all,
        };
        who.is_empty()
            || who.iter().any(|w| match w {
                Who::Outside => outside,
                Who::Group(i) => groups.get(*i).copied().unwrap_or(false),
            })
    }

    /// Whether it can be inside (`true` among them) and outside.
    pub fn sides(&self) -> &'static [bool] {
        match (self.inside, self.maybe_inside) {
            (true, _) => &[true],
            (false, true) => &[true, false],
            (false, false) => &[false],
        }
    }

    /// For a rule that asks for `outside`, somebody is inside only when every reading is; for an exception, when one is.
    fn may_be_inside(&self, need: Need) -> bool {
        match need {
            Need::Any => self.inside,
            Need::All => self.maybe_inside,
        }
    }
}
