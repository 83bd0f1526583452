//! Who can send to whom, as far as two policies tell people apart: one class for all whom both treat alike. Each class has
//! somebody who stands for it, made from what the groups list, so that a list that overlaps another one is judged as it is.

use crate::policy::groups::{Groups, Listed, Who};
use crate::policy::words::{INSIDE, OUTSIDE};
use crate::policy::{Answers, Policy, Source};
use crate::types::Address;
use std::collections::{BTreeMap, BTreeSet};

/// The local part of those who stand for a domain: long and odd, so that no list has it.
const SOMEBODY: &str = "zq-somebody-zq";

/// All whom both policies treat alike.
#[derive(Debug)]
pub(super) struct Class {
    /// Who stands for them; `None` is the null sender.
    pub address: Option<Address>,
    /// Groups in which they are taken to be, for groups that do not list their members, by policy.
    pub given: [Vec<usize>; 2],
    /// Names of groups that count, `inside` and `outside` among them, by policy.
    pub names: [BTreeSet<String>; 2],
    /// Whom it was made from, as the lists have them.
    pub listed: Vec<String>,
}

/// Somebody who is listed, or nobody in particular.
struct Somebody {
    address: Option<Address>,
    given: [Vec<usize>; 2],
    listed: Option<String>,
}

/// Who is in a group now, and was not before, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// The group.
    pub group: String,
    /// Addresses, domains, patterns, and those who are asked for members, that are in it now.
    pub joined: Vec<String>,
    /// Those that no longer are.
    pub left: Vec<String>,
}

/// All classes, in a fixed order.
pub(super) fn classes(old: &Policy, new: &Policy) -> Vec<Class> {
    let policies = [old, new];
    let used = policies.map(used_groups);
    type Key = [Vec<usize>; 2];
    let mut classes: BTreeMap<Key, Class> = BTreeMap::new();
    for somebody in everybody(policies) {
        let of = |p: usize| {
            let member = policies[p]
                .groups
                .of(somebody.address.as_ref(), &Answers::offline(), &somebody.given[p]);
            let groups: Vec<usize> = member.groups().filter(|g| used[p].contains(g)).collect();
            (groups, member.inside)
        };
        let [(old_groups, old_inside), (new_groups, new_inside)] = [of(0), of(1)];
        let names = |p: usize, groups: &[usize], inside: bool| -> BTreeSet<String> {
            let named = groups.iter().filter_map(|g| policies[p].groups.all.get(*g));
            let named = named.map(|g| g.name.clone()).filter(|n| n != INSIDE);
            let side = if inside { INSIDE } else { OUTSIDE };
            named.chain([side.to_owned()]).collect()
        };
        let names = [names(0, &old_groups, old_inside), names(1, &new_groups, new_inside)];
        let class = classes.entry([old_groups, new_groups]).or_insert_with(|| Class {
            address: somebody.address.clone(),
            given: somebody.given.clone(),
            names,
            listed: Vec::new(),
        });
        class.listed.extend(somebody.listed);
    }
    let mut classes: Vec<Class> = classes.into_values().collect();
    for class in &mut classes {
        class.listed.sort();
        class.listed.dedup();
    }
    classes
}

/// Groups that a rule or exception names, and `inside`, on which directions hang.
fn used_groups(policy: &Policy) -> BTreeSet<usize> {
    let rules = policy.rules.iter().map(|r| &r.when.parties);
    let all = rules.chain(policy.exceptions.all.iter().map(|e| &e.parties));
    let named = all.flat_map(|p| p.from.iter().chain(&p.to)).copied();
    named
        .chain(policy.groups.find(INSIDE))
        .filter_map(|who| match who {
            Who::Group(i) => Some(i),
            Who::Outside => None,
        })
        .collect()
}

/// One for everything that a group of either policy lists, and two who are in no list.
fn everybody(policies: [&Policy; 2]) -> Vec<Somebody> {
    let nobody = |raw: &str| Somebody {
        address: Address::parse(raw.as_bytes()).ok(),
        given: Default::default(),
        listed: None,
    };
    let mut all = vec![nobody(&format!("{SOMEBODY}@nowhere.invalid")), nobody("<>")];
    let mut seen = BTreeSet::new();
    let mut known = BTreeSet::new();
    for policy in policies {
        for (g, group) in policy.groups.all.iter().enumerate() {
            let listed = group.listed();
            let asked: Vec<&Source> = policy.groups.sources_of(g).collect();
            if listed.is_empty() && asked.is_empty() {
                let named = |groups: &Groups| {
                    groups
                        .all
                        .iter()
                        .position(|other| other.name == group.name)
                        .into_iter()
                        .collect()
                };
                all.extend(unlisted(policies, policies.map(|p| named(&p.groups)), None));
            }
            for source in asked.into_iter().filter(|s| known.insert(*s)) {
                let having = |groups: &Groups| -> Vec<usize> {
                    let has = |i: &usize| groups.sources_of(*i).any(|s| s == source);
                    (0..groups.all.len()).filter(has).collect()
                };
                let shown = Some(source.to_string());
                all.extend(unlisted(policies, policies.map(|p| having(&p.groups)), shown));
            }
            all.extend(listed.into_iter().filter(|l| seen.insert(l.clone())).map(somebody));
        }
    }
    all
}

fn somebody(listed: Listed) -> Somebody {
    let (raw, shown) = match listed {
        Listed::Address(address) => (address.clone(), address),
        Listed::Domain(domain) => (format!("{SOMEBODY}@{domain}"), domain),
        Listed::Pattern(glob) => (glob.replace(['*', '?'], "x"), glob),
    };
    Somebody {
        address: Address::parse(raw.as_bytes()).ok(),
        given: Default::default(),
        listed: Some(shown),
    }
}

/// Members whom the policy does not list, in these groups of either policy: once as one of us and once as a stranger.
fn unlisted(policies: [&Policy; 2], groups: [Vec<usize>; 2], listed: Option<String>) -> Vec<Somebody> {
    let inside = policies.map(|p| p.groups.inside());
    let one = |also: [Option<usize>; 2]| Somebody {
        address: Address::parse(format!("{SOMEBODY}@nowhere.invalid").as_bytes()).ok(),
        given: [0, 1].map(|p| groups[p].iter().copied().chain(also[p]).collect()),
        listed: listed.clone(),
    };
    vec![one([None, None]), one(inside)]
}

/// Groups of the same name that hold others than before.
pub(super) fn moved(old: &Policy, new: &Policy) -> Vec<Moved> {
    let mut all = Vec::new();
    for (o, group) in old.groups.all.iter().enumerate() {
        let Some(n) = new.groups.all.iter().position(|g| g.name == group.name) else {
            continue;
        };
        let listed: BTreeSet<Listed> = group
            .listed()
            .into_iter()
            .chain(new.groups.all.get(n).map(|g| g.listed()).unwrap_or_default())
            .collect();
        let mut moved = Moved {
            group: group.name.clone(),
            joined: Vec::new(),
            left: Vec::new(),
        };
        for listed in listed {
            let somebody = somebody(listed);
            let is_in = |policy: &Policy, g: usize| {
                let member = policy.groups.of(somebody.address.as_ref(), &Answers::offline(), &[]);
                member.groups().any(|i| i == g)
            };
            match (is_in(old, o), is_in(new, n)) {
                (false, true) => moved.joined.extend(somebody.listed),
                (true, false) => moved.left.extend(somebody.listed),
                _ => {}
            }
        }
        let asked = |policy: &Policy, g| {
            policy
                .groups
                .sources_of(g)
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        };
        let (before, now) = (asked(old, o), asked(new, n));
        moved.joined.extend(now.difference(&before).cloned());
        moved.left.extend(before.difference(&now).cloned());
        if !moved.joined.is_empty() || !moved.left.is_empty() {
            all.push(moved);
        }
    }
    all
}

/// Words for some of all classes; nothing for all of them.
pub(super) fn words(classes: &[Class], chosen: &[usize]) -> Option<String> {
    let chosen: BTreeSet<usize> = chosen.iter().copied().collect();
    if chosen.len() == classes.len() {
        return None;
    }
    let names: BTreeSet<&str> = classes
        .iter()
        .flat_map(|c| c.names.iter().flatten())
        .map(String::as_str)
        .collect();
    let holding = |name: &str| -> BTreeSet<usize> {
        let steady = |c: &Class| [0, 1].into_iter().filter(|p| c.names[*p].contains(name)).count();
        let known = [0, 1].map(|p| classes.iter().any(|c| c.names[p].contains(name)));
        let wanted = if known == [true, true] { 2 } else { 1 };
        let all = classes.iter().enumerate();
        all.filter(|(_, c)| steady(c) == wanted).map(|(i, _)| i).collect()
    };
    let named: Vec<(&str, BTreeSet<usize>)> = names.iter().map(|name| (*name, holding(name))).collect();
    if let Some((name, _)) = named.iter().find(|(_, set)| *set == chosen) {
        return Some((*name).to_owned());
    }
    if let Some(text) = except(&named, &chosen) {
        return Some(text);
    }
    // The largest groups that lie within what was chosen, then each rest by itself.
    let mut left = chosen.clone();
    let mut parts = Vec::new();
    while let Some((name, set)) = named
        .iter()
        .filter(|(_, set)| !set.is_empty() && set.is_subset(&chosen) && !set.is_disjoint(&left))
        .max_by_key(|(_, set)| set.intersection(&left).count())
    {
        parts.push((*name).to_owned());
        left = left.difference(set).copied().collect();
    }
    parts.extend(left.into_iter().filter_map(|i| classes.get(i)).map(alone));
    Some(parts.join(" or "))
}

/// `outside except media`.
fn except(named: &[(&str, BTreeSet<usize>)], chosen: &BTreeSet<usize>) -> Option<String> {
    let everybody: BTreeSet<usize> = named.iter().flat_map(|(_, set)| set.iter().copied()).collect();
    let side = |name: &str| named.iter().find(|(n, _)| *n == name).map(|(_, set)| set);
    for (side, all) in [
        (OUTSIDE, side(OUTSIDE)),
        (INSIDE, side(INSIDE)),
        ("anyone", Some(&everybody)),
    ] {
        let Some(all) = all.filter(|all| chosen.is_subset(all)) else {
            continue;
        };
        let mut missing: BTreeSet<usize> = all.difference(chosen).copied().collect();
        let mut parts = Vec::new();
        for (name, set) in named.iter().filter(|(name, _)| *name != OUTSIDE && *name != INSIDE) {
            let within: BTreeSet<usize> = set.intersection(all).copied().collect();
            if !within.is_empty() && within.is_disjoint(chosen) && !within.is_disjoint(&missing) {
                missing = missing.difference(&within).copied().collect();
                parts.push(*name);
            }
        }
        if missing.is_empty() && !parts.is_empty() {
            return Some(format!("{side} except {}", parts.join(" and ")));
        }
    }
    None
}

/// One class by its groups; by who is in it when the two policies do not agree on that.
fn alone(class: &Class) -> String {
    let [old, new] = &class.names;
    let special = |names: &BTreeSet<String>| -> Vec<String> {
        let named = names.iter().filter(|n| *n != INSIDE && *n != OUTSIDE);
        named.cloned().collect()
    };
    let side = if new.contains(INSIDE) { INSIDE } else { OUTSIDE };
    if old != new && !class.listed.is_empty() {
        return some(&class.listed);
    }
    let groups = special(new);
    match groups.as_slice() {
        [] => format!("anyone else {side}"),
        [one] => format!("{one} ({side})"),
        several => format!("members of {} at once ({side})", several.join(" and ")),
    }
}

/// The first three, and how many more.
pub(super) fn some(names: &[String]) -> String {
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(shown.len()) {
        0 => match shown.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => shown.concat(),
        },
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
