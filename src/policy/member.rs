//! In which groups one address is. An address whose mail may end in several places ([`Address::routes`]) has several
//! readings: a rule speaks when one of them is meant, an exception only when all are.

use super::asked::Answers;
use super::bits::Bits;
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
    any: Bits,
    all: Bits,
    /// Every reading is in `inside`.
    pub inside: bool,
    /// One reading is.
    maybe_inside: bool,
}

/// One reading: where mail may go.
pub(super) struct Reading {
    lookups: Vec<Address>,
    pub domain: String,
}

impl Reading {
    /// The keys by which it is looked up.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.lookups.iter().map(Address::key)
    }
}

/// The readings of an address. `None`: one that nobody can read.
pub(super) fn readings(address: &Address, delimiters: &str) -> Vec<Option<Reading>> {
    let reading = |route: Address| Reading {
        lookups: lookups(&route, delimiters),
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
        let (mut any, mut all) = (Bits::default(), None);
        for reading in &readings {
            let mut of: Bits = named.iter().copied().collect();
            if let Some(reading) = reading {
                of.add(&groups.of_reading(reading, given));
            }
            any.add(&of);
            all = Some(all.map_or_else(|| of.clone(), |all: Bits| all.and(&of)));
        }
        let all = all.unwrap_or_default();
        let inside = |of: &Bits| groups.inside().is_some_and(|i| of.has(i));
        Member {
            inside: inside(&all),
            maybe_inside: inside(&any),
            any,
            all,
        }
    }

    /// The same words for those who are treated alike.
    pub fn write(&self, to: &mut Vec<u64>) {
        self.any.write(to);
        self.all.write(to);
        to.push(u64::from(self.inside) | u64::from(self.maybe_inside) << 1);
    }

    /// Indices of the groups that one reading at least is in.
    pub fn groups(&self) -> impl Iterator<Item = usize> + '_ {
        self.any.iter()
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
                Who::Group(i) => groups.has(*i),
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
