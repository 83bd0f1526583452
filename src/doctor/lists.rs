//! The lists of milters: what Postfix does when we are away, in which order the milters see a mail, and which clients
//! are taken out by a table.

use super::entry::{self, Entry, Kind};
use super::facts::{Facts, Service};
use super::limits::{TOO_SHORT_COMMAND, TOO_SHORT_CONNECT, seconds};
use super::tables::Listing;
use super::{Finding, Fix, Severity};

/// A list in which we stand, and whose it is.
pub(super) struct List<'a> {
    /// Accepts the mail.
    pub entrance: &'a Service,
    /// Reads the list: the entrance itself, or its `cleanup`.
    pub reader: &'a Service,
    /// `smtpd_milters` or `non_smtpd_milters`.
    pub name: &'static str,
    /// Its entries.
    pub entries: Vec<Entry>,
}

impl List<'_> {
    /// A `milter_*` setting for us: the entry's own, or the process's.
    pub fn setting(&self, facts: &Facts<'_>, name: &str) -> String {
        let own = self.ours(facts).and_then(|entry| entry.own(name));
        match own {
            Some(value) => value.to_owned(),
            None => facts.postfix.of(self.reader, &format!("milter_{name}")).into_owned(),
        }
    }

    /// Our entry.
    pub fn ours(&self, facts: &Facts<'_>) -> Option<&Entry> {
        let us = |entry: &&Entry| matches!(facts.kind(entry, self.reader.chroot), Kind::Ours | Kind::Unreachable);
        self.entries.iter().find(us)
    }

    /// Sets a `milter_*` setting where it comes from.
    pub fn set(&self, facts: &Facts<'_>, name: &str, value: &str) -> Vec<Fix> {
        if self.ours(facts).is_some_and(|entry| entry.own(name).is_some()) {
            let mut fixes = vec![self.relist(facts)];
            // Once its own setting is gone, the common one holds, which may be no better.
            if facts.postfix.of(self.reader, &format!("milter_{name}")) != value {
                fixes.push(Fix::wherever(self.reader, &format!("milter_{name}"), value));
            }
            return fixes;
        }
        vec![Fix::wherever(self.reader, &format!("milter_{name}"), value)]
    }

    /// The whole list as it should be, so that the fixes of two findings are one line.
    pub fn relist(&self, facts: &Facts<'_>) -> Fix {
        let raw = facts.postfix.raw.get(self.name).map_or("", String::as_str);
        let borrowed = self.name == "non_smtpd_milters" && matches!(raw.trim(), "$smtpd_milters" | "${smtpd_milters}");
        let name = match borrowed && !self.reader.own.contains_key(self.name) {
            true => "smtpd_milters",
            false => self.name,
        };
        match mended(facts, &self.entries, self.reader.chroot) {
            Some(entries) => Fix::wherever(self.reader, name, &entry::write(&entries)),
            None => Fix::hand(out_of_reach(facts)),
        }
    }
}

/// What no `postconf` can mend.
pub(super) fn out_of_reach(facts: &Facts<'_>) -> String {
    let queue = facts.postfix.main("queue_directory");
    let listen = &facts.house.listen;
    format!("{listen} lies outside of Postfix's chroot; set `listen:` to a path below {queue}, then run doctor again")
}

/// Every list in which we stand.
pub(super) fn with_us<'a>(facts: &'a Facts<'_>) -> Vec<List<'a>> {
    let of_entrance = |entrance: &'a Service| {
        let (reader, name) = match entrance.program.as_str() {
            "smtpd" => (entrance, "smtpd_milters"),
            "pickup" | "qmqpd" => (facts.postfix.cleanup_of(entrance)?, "non_smtpd_milters"),
            _ => return None,
        };
        let entries = entry::parse(&facts.postfix.of(reader, name));
        let list = List {
            entrance,
            reader,
            name,
            entries,
        };
        list.ours(facts).is_some().then_some(list)
    };
    let ours = facts.reinject().map(Service::place);
    let services = facts.postfix.services.iter();
    services
        .filter(|service| Some(service.place()) != ours)
        .filter_map(of_entrance)
        .collect()
}

/// The list with us in it, under an address that works, behind filters and before signers, without settings of ours
/// that are too weak. `None` when no address works.
pub(super) fn mended(facts: &Facts<'_>, entries: &[Entry], chroot: bool) -> Option<Vec<Entry>> {
    let kinds: Vec<Kind> = entries.iter().map(|entry| facts.kind(entry, chroot)).collect();
    let us = kinds
        .iter()
        .position(|kind| matches!(kind, Kind::Ours | Kind::Unreachable));
    let mut mine = match us {
        Some(at) => entries[at].clone(),
        None => Entry {
            address: String::new(),
            own: Vec::new(),
        },
    };
    if us.is_none_or(|at| kinds[at] == Kind::Unreachable) {
        mine.address = our_address(facts)?;
    }
    mine.own.retain(|(name, value)| keeps(facts, name, value));
    let rank = |at: usize| match kinds[at] {
        Kind::Signer => 2,
        Kind::Other if us.is_some_and(|us| at > us) => 1,
        _ => 0,
    };
    let others = (0..entries.len()).filter(|at| Some(*at) != us);
    let mut ranked: Vec<(u8, Entry)> = others.map(|at| (rank(at), entries[at].clone())).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let before = ranked.iter().take_while(|(rank, _)| *rank == 0).count();
    ranked.insert(before, (1, mine));
    Some(ranked.into_iter().map(|(_, entry)| entry).collect())
}

fn keeps(facts: &Facts<'_>, name: &str, value: &str) -> bool {
    match name {
        "default_action" => matches!(value, "tempfail" | "shutdown"),
        "protocol" => value == "6",
        "content_timeout" => seconds(value) > facts.house.deadline,
        "command_timeout" => seconds(value) >= TOO_SHORT_COMMAND,
        "connect_timeout" => seconds(value) >= TOO_SHORT_CONNECT,
        _ => true,
    }
}

/// How Postfix reaches us from wherever it runs: relative to the queue directory when the socket lies below it.
fn our_address(facts: &Facts<'_>) -> Option<String> {
    let listen = &facts.house.listen;
    let Some(path) = listen.strip_prefix("unix:") else {
        return Some(listen.clone());
    };
    let queue = facts.postfix.main("queue_directory").trim_end_matches('/');
    if let Some(below) = path.strip_prefix(queue).and_then(|rest| rest.strip_prefix('/')) {
        return Some(format!("unix:{below}"));
    }
    let caged = |service: &Service| service.chroot && matches!(service.program.as_str(), "smtpd" | "cleanup");
    (!facts.postfix.services.iter().any(caged)).then(|| listen.clone())
}

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in with_us(facts) {
        default_action(facts, &list, found);
        order(facts, &list, found);
        unreachable(facts, &list, found);
        protocol(facts, &list, found);
    }
    for service in facts.entrances() {
        milter_maps(facts, service, found);
    }
}

fn default_action(facts: &Facts<'_>, list: &List<'_>, found: &mut Vec<Finding>) {
    let action = list.setting(facts, "default_action");
    let (severity, why) = match action.as_str() {
        "accept" => (
            Severity::Leak,
            "While the milter is down, restarting or too slow, all mail goes out uninspected; if it dies in the middle \
             of an answer, copies are delivered unredacted or are silently gone.",
        ),
        "quarantine" => (
            Severity::Leak,
            "While the milter is away mail goes to Postfix's own hold queue, from which `postsuper -H` lets it out \
             without inspection and without a trace.",
        ),
        "reject" => (
            Severity::Loss,
            "While the milter is away for a moment, sound mail is refused for good instead of being tried again.",
        ),
        _ => return,
    };
    found.push(Finding {
        id: "default-action",
        severity,
        place: list.entrance.place(),
        what: format!("when cpr-milter does not answer, Postfix is set to `{action}` here (milter_default_action)."),
        why: why.to_owned(),
        action: "Set it to `tempfail`: the client tries again, nothing is lost.".to_owned(),
        fixes: list.set(facts, "default_action", "tempfail"),
    });
}

fn order(facts: &Facts<'_>, list: &List<'_>, found: &mut Vec<Finding>) {
    let kinds = list.entries.iter().map(|entry| facts.kind(entry, list.reader.chroot));
    let kinds: Vec<Kind> = kinds.collect();
    let us = kinds
        .iter()
        .position(|kind| matches!(kind, Kind::Ours | Kind::Unreachable));
    let Some(us) = us else {
        return;
    };
    let mut report = |id, at: usize, what: &str, why: &str| {
        found.push(Finding {
            id,
            severity: Severity::Weak,
            place: list.entrance.place(),
            what: format!("{}: {} {what}", list.name, list.entries[at].address),
            why: why.to_owned(),
            action: "Put cpr-milter behind spam filters and before the DKIM signer.".to_owned(),
            fixes: vec![list.relist(facts)],
        });
    };
    if let Some(at) = (0..us).find(|at| kinds[*at] == Kind::Signer) {
        report(
            "order-signer",
            at,
            "signs the mail before cpr-milter sees it.",
            "A redaction after the signature breaks it, and the recipient's server may throw the mail away.",
        );
    }
    if let Some(at) = (us + 1..kinds.len()).find(|at| kinds[*at] == Kind::Filter) {
        report(
            "order-filter",
            at,
            "filters after cpr-milter.",
            "It may refuse a mail that we have taken into custody already: the client is told no, and the hold stays; \
             and after our own verdict it does not see the mail at all.",
        );
    }
}

fn unreachable(facts: &Facts<'_>, list: &List<'_>, found: &mut Vec<Finding>) {
    let Some(ours) = list.ours(facts) else {
        return;
    };
    if facts.kind(ours, list.reader.chroot) != Kind::Unreachable {
        return;
    }
    let root = match list.reader.chroot {
        true => format!("from within the chroot {}", facts.postfix.main("queue_directory")),
        false => "without a chroot".to_owned(),
    };
    found.push(Finding {
        id: "socket-chroot",
        severity: Severity::Loss,
        place: list.entrance.place(),
        what: format!(
            "`{}` in {} is another file {root}; cpr-milter listens at {}.",
            ours.address, list.name, facts.house.listen
        ),
        why: "Postfix does not reach the milter, and its default action befalls every mail.".to_owned(),
        action: "Name the socket by its path relative to the queue directory: that works in and out of the chroot."
            .to_owned(),
        fixes: vec![list.relist(facts)],
    });
}

fn protocol(facts: &Facts<'_>, list: &List<'_>, found: &mut Vec<Finding>) {
    let version = list.setting(facts, "protocol");
    if version.parse::<u32>().unwrap_or(0) >= 6 {
        return;
    }
    found.push(Finding {
        id: "milter-protocol",
        severity: Severity::Loss,
        place: list.entrance.place(),
        what: format!("milter_protocol is {version}."),
        why: "Before version 6 the milter cannot ask for time, nor for headers with their leading blanks: negotiation \
              fails, and the default action befalls every mail."
            .to_owned(),
        action: "Set it to 6, Postfix's default.".to_owned(),
        fixes: list.set(facts, "protocol", "6"),
    });
}

/// `smtpd_milter_maps` replaces the list for a client; DISABLE empties it (postconf(5)).
fn milter_maps(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    for table in entry::words(&facts.postfix.of(service, "smtpd_milter_maps")) {
        let Some(Listing::Entries(entries)) = facts.tables.get(&table) else {
            continue; // that it could not be listed is said with the other tables
        };
        let past = |value: &str| !facts.lists_us(value, service.chroot);
        let clients: Vec<&str> = entries
            .iter()
            .filter(|(_, v)| past(v))
            .map(|(k, _)| k.as_str())
            .collect();
        if clients.is_empty() {
            continue;
        }
        found.push(Finding {
            id: "milter-maps",
            severity: Severity::Leak,
            place: service.place(),
            what: format!(
                "smtpd_milter_maps ({table}) takes cpr-milter away for {}.",
                some(&clients)
            ),
            why: "Whatever these clients send is not inspected.".to_owned(),
            action: "Take these entries out, or name cpr-milter in each; the line below empties the whole setting."
                .to_owned(),
            fixes: vec![match service.own.contains_key("smtpd_milter_maps") {
                true => Fix::service(service, "smtpd_milter_maps", ""),
                false => Fix::main("smtpd_milter_maps", ""),
            }],
        });
    }
}

/// A few of them, and how many more.
pub(super) fn some(words: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = words.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
