//! What Postfix and we are set to, as data.

use super::entry::{self, Entry, Kind};
use super::tables::Listing;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// All that the doctor looks at.
pub struct Facts<'a> {
    /// Postfix.
    pub postfix: Postfix,
    /// Us.
    pub house: House,
    /// Tables that the configuration names, by `type:name`.
    pub tables: BTreeMap<String, Listing>,
    /// Whether the policy counts an address as inside.
    pub inside: &'a dyn Fn(&str) -> bool,
    /// The socket of `listen:`.
    pub socket: Reached,
    /// `LimitNOFILE` of the running unit.
    pub open_files: Option<u64>,
    /// rspamd has a file that makes it sign.
    pub rspamd_signs: bool,
}

/// Our own settings that have to fit Postfix's.
#[derive(Clone, Debug)]
pub struct House {
    /// `unix:/path` or `inet:127.0.0.1:PORT`.
    pub listen: String,
    /// Where the courier hands over.
    pub reinject: SocketAddr,
    /// `milter.connections`.
    pub connections: u64,
    /// `milter.deadline_seconds`.
    pub deadline: u64,
    /// `milter.message_size_limit`.
    pub size: u64,
    /// Whether mail to some domains counts as secure (`tls_enforced:`).
    pub vouches: bool,
}

/// One file on the way to the socket.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where.
    pub path: String,
    /// Owner, group and permission bits.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// How the socket is reached.
#[derive(Clone, Debug)]
pub enum Reached {
    /// Not looked at.
    Unknown(String),
    /// There, but nobody answers, or not there.
    Missing(String),
    /// It answers. The way to a UNIX socket, root first, the socket last; user and group of Postfix's `mail_owner`.
    Answers {
        /// Empty for TCP.
        way: Vec<Step>,
        /// Uid and gid. Postfix drops all other groups (`set_ugid.c`: `setgroups(1, &gid)`).
        owner: Option<(u32, u32)>,
    },
}

/// One line of `master.cf`.
#[derive(Clone, Debug)]
pub struct Service {
    /// First column.
    pub name: String,
    /// Second column.
    pub kind: String,
    /// Runs in the queue directory as its root.
    pub chroot: bool,
    /// Most processes; `None`: `default_process_limit`; 0: no limit.
    pub limit: Option<u64>,
    /// The program.
    pub program: String,
    /// Its `-o` settings, references followed.
    pub own: BTreeMap<String, String>,
}

impl Service {
    /// As `postconf -P` names it.
    pub fn place(&self) -> String {
        format!("{}/{}", self.name, self.kind)
    }

    /// Port of an inet service.
    pub fn port(&self) -> Option<u16> {
        let port = self.name.rsplit(':').next().unwrap_or_default();
        match port {
            "smtp" => Some(25),
            "submission" => Some(587),
            "submissions" | "smtps" => Some(465),
            other => other.parse().ok(),
        }
    }

    /// The addresses an inet service listens on, as written; none when `inet_interfaces` says it.
    fn host(&self) -> Option<&str> {
        self.name
            .rsplit_once(':')
            .map(|(host, _)| host.trim_matches(['[', ']']))
    }
}

/// What `postconf` says.
#[derive(Clone, Debug)]
pub struct Postfix {
    /// `main.cf` with the defaults, references followed.
    pub main: BTreeMap<String, String>,
    /// The same as written.
    pub raw: BTreeMap<String, String>,
    /// `master.cf`.
    pub services: Vec<Service>,
    /// Names in `main.cf` that no program reads.
    pub unused: Vec<String>,
}

impl Postfix {
    /// From the output of `postconf -x`, `postconf`, `postconf -M`, `postconf -Px`, and the warnings of the first.
    pub fn parse(main: &str, raw: &str, master: &str, own: &str, warnings: &str) -> Postfix {
        let mut postfix = Postfix {
            main: settings(main),
            raw: settings(raw),
            services: Vec::new(),
            unused: unused(warnings),
        };
        let chroot = postfix.chroot_by_default();
        postfix.services = master.lines().filter_map(|line| service(line, chroot)).collect();
        for (path, value) in settings(own) {
            let Some((place, name)) = path.rsplit_once('/') else {
                continue;
            };
            if let Some(service) = postfix.services.iter_mut().find(|service| service.place() == place) {
                service.own.insert(name.to_owned(), value);
            }
        }
        postfix
    }

    /// `compatibility_level` 1 made `n` the default of the chroot column (RELEASE_NOTES-3.0).
    fn chroot_by_default(&self) -> bool {
        let level = self.main("compatibility_level").split('.').next().unwrap_or_default();
        level.parse::<u32>().unwrap_or(0) < 1
    }

    /// A parameter of `main.cf`; empty when this Postfix does not know it.
    pub fn main(&self, name: &str) -> &str {
        self.main.get(name).map_or("", String::as_str)
    }

    /// A parameter as a service sees it.
    pub fn of(&self, service: &Service, name: &str) -> Cow<'_, str> {
        match service.own.get(name) {
            Some(value) => Cow::Owned(value.clone()),
            None => self.seen_by(service, name),
        }
    }

    /// `$smtpd_milters` in `main.cf` means what the service's own `-o smtpd_milters` says.
    fn seen_by(&self, service: &Service, name: &str) -> Cow<'_, str> {
        let raw = self.raw.get(name).map_or("", String::as_str).trim();
        let referred = ["${", "$(", "$"].iter().find_map(|mark| raw.strip_prefix(mark));
        let referred = referred.map(|rest| rest.trim_end_matches(['}', ')']));
        match referred.and_then(|referred| service.own.get(referred)) {
            Some(value) => Cow::Owned(value.clone()),
            None => Cow::Borrowed(self.main(name)),
        }
    }

    /// Where a parameter is set: `main.cf`, and every service that has its own.
    pub fn everywhere<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (Option<&'a Service>, &'a str)> {
        let own = self.services.iter().filter_map(move |service| {
            let value = service.own.get(name)?;
            Some((Some(service), value.as_str()))
        });
        std::iter::once((None, self.main(name))).chain(own)
    }

    /// The `cleanup` that a service hands its mail to.
    pub fn cleanup_of(&self, service: &Service) -> Option<&Service> {
        let name = self.of(service, "cleanup_service_name");
        let unix = |service: &&Service| service.kind == "unix";
        self.services.iter().filter(unix).find(|service| service.name == name)
    }

    /// Nobody else reaches it than programs on this machine.
    pub fn is_loopback(&self, service: &Service) -> bool {
        let local = |host: &str| {
            let host = host.trim_matches(['[', ']']);
            let ip = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            ip || matches!(host, "localhost" | "loopback-only")
        };
        match (service.kind.as_str(), service.host()) {
            ("inet", Some(host)) if !host.is_empty() => local(host),
            ("inet", _) => entry::words(self.main("inet_interfaces"))
                .iter()
                .all(|host| local(host)),
            _ => false,
        }
    }

    /// Whether it listens where the courier connects.
    pub fn listens_on(&self, service: &Service, at: SocketAddr) -> bool {
        let there = match service.host() {
            None | Some("" | "localhost" | "0.0.0.0" | "::") => true,
            Some(host) => host.parse::<IpAddr>().is_ok_and(|ip| ip == at.ip()),
        };
        service.kind == "inet" && service.port() == Some(at.port()) && there
    }

    /// Version as numbers; snapshots (`3.9-20240109`) count as the release that they lead to.
    pub fn version(&self) -> (u32, u32, u32) {
        let text = self.main("mail_version");
        let text = text.split('-').next().unwrap_or_default();
        let mut numbers = text.split('.').map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        (next(), next(), next())
    }
}

impl Facts<'_> {
    /// `smtpd` is what answers SMTP; `postscreen` hands its clients on and needs no milter.
    pub fn listeners(&self) -> impl Iterator<Item = &Service> {
        self.postfix
            .services
            .iter()
            .filter(|service| service.program == "smtpd")
    }

    /// The listener that the courier uses, whatever is wrong with it.
    pub fn reinject(&self) -> Option<&Service> {
        self.listeners()
            .find(|service| self.postfix.listens_on(service, self.house.reinject))
    }

    /// Listeners for others.
    pub fn entrances(&self) -> impl Iterator<Item = &Service> {
        let ours = self.reinject().map(Service::place);
        self.listeners().filter(move |service| Some(service.place()) != ours)
    }

    /// What an entry of a milter list is, for a process in or out of the chroot.
    pub fn kind(&self, entry: &Entry, chroot: bool) -> Kind {
        entry::kind(
            entry,
            &self.house.listen,
            self.postfix.main("queue_directory"),
            chroot,
            self.rspamd_signs,
        )
    }

    /// We are in the list, be it under an address that does not work.
    pub fn lists_us(&self, list: &str, chroot: bool) -> bool {
        let us = |entry: &Entry| matches!(self.kind(entry, chroot), Kind::Ours | Kind::Unreachable);
        entry::parse(list).iter().any(us)
    }
}

/// Whether a list of `receive_override_options` switches milters off.
pub(super) fn without_milters(options: &str) -> bool {
    entry::words(options).iter().any(|word| word == "no_milters")
}

fn settings(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

fn service(line: &str, chroot_by_default: bool) -> Option<Service> {
    let columns: Vec<&str> = line.split_whitespace().take(8).collect();
    let [name, kind, _, _, chroot, _, limit, program] = columns[..] else {
        return None;
    };
    Some(Service {
        name: name.to_owned(),
        kind: kind.to_owned(),
        chroot: match chroot {
            "-" => chroot_by_default,
            word => word == "y",
        },
        limit: limit.parse().ok(),
        program: program.to_owned(),
        own: BTreeMap::new(),
    })
}

fn unused(warnings: &str) -> Vec<String> {
    let name = |line: &str| {
        let (_, rest) = line.split_once("unused parameter: ")?;
        Some(rest.split('=').next().unwrap_or(rest).trim().to_owned())
    };
    warnings.lines().filter_map(name).collect()
}
