//! Numbers on both sides that must fit each other, and settings and versions of Postfix that keep what we rely on.

use super::facts::{Facts, Service};
use super::lists::{List, with_us};
use super::{Finding, Fix, Severity};
use std::collections::BTreeSet;

/// A slow disk or a full machine may keep any of our answers waiting for some seconds; a lookup of a group for ten.
pub(super) const TOO_SHORT_COMMAND: u64 = 20;
/// A restart takes a moment, in which the socket waits for us.
pub(super) const TOO_SHORT_CONNECT: u64 = 5;
/// Postfix's own default, for `--fix`.
const COMMAND_DEFAULT: &str = "30s";
const CONTENT_DEFAULT: u64 = 300;

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for list in with_us(facts) {
        timeouts(facts, &list, found);
    }
    sizes(facts, found);
    processes(facts, found);
    open_files(facts, found);
    newline(facts, found);
    recipients(facts, found);
    strip(facts, found);
    misspelt(facts, found);
    instances(facts, found);
}

/// `300s`, `5m`, `1h` (postconf(5): default unit of all milter timeouts is seconds).
pub(super) fn seconds(text: &str) -> u64 {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => 1,
    };
    digits.parse::<u64>().unwrap_or(0).saturating_mul(factor)
}

fn timeouts(facts: &Facts<'_>, list: &List<'_>, found: &mut Vec<Finding>) {
    let deadline = facts.house.deadline;
    let content = list.setting(facts, "content_timeout");
    if seconds(&content) <= deadline {
        found.push(Finding {
            id: "content-timeout",
            severity: Severity::Loss,
            place: list.entrance.place(),
            what: format!("milter_content_timeout is {content}, milter.deadline_seconds is {deadline}."),
            why: "Postfix gives up while the milter is still allowed to work: the client gets 451 and sends again, \
                  perhaps for ever, and a hold may be of a mail that is sent again."
                .to_owned(),
            action: "Postfix's time must be the longer one.".to_owned(),
            fixes: list.set(
                facts,
                "content_timeout",
                &format!("{}s", CONTENT_DEFAULT.max(deadline + 60)),
            ),
        });
    }
    for (name, least, good) in [
        ("command_timeout", TOO_SHORT_COMMAND, COMMAND_DEFAULT),
        ("connect_timeout", TOO_SHORT_CONNECT, COMMAND_DEFAULT),
    ] {
        let time = list.setting(facts, name);
        if seconds(&time) < least {
            found.push(Finding {
                id: "command-timeout",
                severity: Severity::Weak,
                place: list.entrance.place(),
                what: format!("milter_{name} is {time}."),
                why:
                    "A milter that restarts or a machine that is busy is taken for one that is down, and mail gets 451."
                        .to_owned(),
                action: format!("Give it {least} seconds or more; Postfix's default is {good}."),
                fixes: list.set(facts, name, good),
            });
        }
    }
}

fn sizes(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (ours, theirs) = (facts.house.size, facts.postfix.main("message_size_limit"));
    let number = theirs.parse::<u64>().unwrap_or(0);
    let why = match number {
        n if n == ours => return,
        n if n != 0 && n < ours => {
            "A redacted mail may be allowed to grow past what Postfix takes, and is refused with 552 although it is sound."
        }
        _ => {
            "Postfix takes mail that is larger than the milter plans for (milter.spool_total): it gets 451 until its \
             sender gives up."
        }
    };
    let mut fixes = vec![Fix::main("message_size_limit", &ours.to_string())];
    // local(8) stops all deliveries when a mailbox may be smaller than one mail.
    let mailbox = facts.postfix.main("mailbox_size_limit").parse::<u64>().unwrap_or(0);
    if mailbox != 0 && mailbox < ours {
        fixes.push(Fix::main("mailbox_size_limit", &ours.to_string()));
    }
    found.push(Finding {
        id: "size-limit",
        severity: Severity::Weak,
        place: "main.cf".to_owned(),
        what: format!("message_size_limit is {theirs}, milter.message_size_limit in cpr-milter.yaml is {ours}."),
        why: why.to_owned(),
        action: "Give both the same number (here, or in cpr-milter.yaml).".to_owned(),
        fixes,
    });
}

/// Each process that accepts mail holds one connection for as long as its client stays. `Some(0)` and no limit are the
/// same to master(8).
fn processes(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let common = facts
        .postfix
        .main("default_process_limit")
        .parse::<u64>()
        .unwrap_or(100);
    let doors: Vec<&Service> = with_us(facts).into_iter().map(|list| list.entrance).collect();
    let room = facts.house.connections;
    let endless: Vec<&&Service> = doors.iter().filter(|service| service.limit == Some(0)).collect();
    let needed: u64 = doors.iter().map(|service| service.limit.unwrap_or(common)).sum();
    if endless.is_empty() && needed <= room {
        return;
    }
    let what = match endless.first() {
        Some(service) => format!("{} may start any number of processes (maxproc 0).", service.place()),
        None => format!("the services with cpr-milter may start {needed} processes."),
    };
    // Shares for all that were not told their own number, which keep theirs as far as it fits.
    let share = (room / u64::try_from(doors.len().max(1)).unwrap_or(1)).max(1);
    let set = |service: &&Service| {
        let value = service
            .limit
            .filter(|limit| (1..=share).contains(limit))
            .unwrap_or(share);
        let setting = format!("{}/process_limit = {value}", service.place());
        Fix::Postconf(vec!["-F".to_owned(), setting])
    };
    let above = |service: &&&Service| !service.limit.is_some_and(|limit| (1..=share).contains(&limit));
    found.push(Finding {
        id: "connections",
        severity: Severity::Weak,
        place: "master.cf".to_owned(),
        what: format!("{what} milter.connections in cpr-milter.yaml is {room}."),
        why: "Under load the last clients find no free connection to the milter and get 451.".to_owned(),
        action: format!(
            "Raise milter.connections to {} or more (with LimitNOFILE at four times as many), or lower the processes.",
            needed + needed / 4
        ),
        fixes: doors.iter().filter(above).map(set).collect(),
    });
}

fn open_files(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let needed = facts.house.connections.saturating_mul(4);
    let Some(limit) = facts.open_files.filter(|limit| *limit < needed) else {
        return;
    };
    found.push(Finding {
        id: "open-files",
        severity: Severity::Weak,
        place: "cpr-milter.service".to_owned(),
        what: format!(
            "LimitNOFILE is {limit}, milter.connections is {}.",
            facts.house.connections
        ),
        why: "A connection with its worker and spool file needs four; without them new connections have to wait."
            .to_owned(),
        action: format!("Give the unit {needed} or more."),
        fixes: vec![Fix::hand(format!(
            "systemctl edit cpr-milter, [Service] LimitNOFILE={needed}, then systemctl restart cpr-milter"
        ))],
    });
}

/// First releases with `smtpd_forbid_bare_newline` and with its value `normalize` (CVE-2023-51764;
/// postfix.org/smtp-smuggling.html). 3.9 has both, as its default.
const SINCE: [((u32, u32), u32, u32); 4] = [((3, 5), 23, 24), ((3, 6), 13, 14), ((3, 7), 9, 10), ((3, 8), 4, 5)];

fn newline(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let (major, minor, patch) = facts.postfix.version();
    let series = SINCE.iter().find(|(series, _, _)| *series == (major, minor));
    let (knows, normalizes) = match series {
        Some((_, since, normalize)) => (patch >= *since, patch >= *normalize),
        None => ((major, minor) >= (3, 9), (major, minor) >= (3, 9)),
    };
    let why = "A bare line feed lets a client end the mail early for Postfix and go on with a second one, with a sender \
               and recipients of its own making, or the other way round for the next server.";
    if !knows {
        found.push(Finding {
            id: "version",
            severity: Severity::Weak,
            place: "Postfix".to_owned(),
            what: format!(
                "version {} has no smtpd_forbid_bare_newline (CVE-2023-51764).",
                facts.postfix.main("mail_version")
            ),
            why: why.to_owned(),
            action: "Upgrade to 3.5.24, 3.6.14, 3.7.10, 3.8.5, 3.9 or later.".to_owned(),
            fixes: vec![Fix::hand("upgrade Postfix, then run doctor again")],
        });
        return;
    }
    let good = if normalizes { "normalize" } else { "yes" };
    for service in facts.listeners() {
        let value = facts.postfix.of(service, "smtpd_forbid_bare_newline");
        if matches!(value.as_ref(), "yes" | "normalize" | "reject") {
            continue;
        }
        found.push(Finding {
            id: "bare-newline",
            severity: Severity::Weak,
            place: service.place(),
            what: format!("smtpd_forbid_bare_newline is {value}."),
            why: why.to_owned(),
            action: format!("Set it to `{good}`."),
            fixes: vec![Fix::wherever(service, "smtpd_forbid_bare_newline", good)],
        });
    }
}

/// DELRCPT is matched against the original recipient (`cleanup_milter.c`, `cleanup_del_rcpt`).
fn recipients(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (service, value) in facts.postfix.everywhere("enable_original_recipient") {
        if value == "yes" || (service.is_none() && value.is_empty()) {
            continue;
        }
        found.push(Finding {
            id: "original-recipient",
            severity: Severity::Leak,
            place: service.map_or("main.cf".to_owned(), Service::place),
            what: format!("enable_original_recipient is {value}."),
            why: "When one of several recipients is held, Postfix takes it off by the address that the client wrote. \
                  Without that address nothing is taken off, and the held mail is delivered."
                .to_owned(),
            action: "Set it to yes, Postfix's default.".to_owned(),
            fixes: vec![match service {
                Some(service) => Fix::service(service, "enable_original_recipient", "yes"),
                None => Fix::main("enable_original_recipient", "yes"),
            }],
        });
    }
}

fn strip(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let value = facts.postfix.main("message_strip_characters");
    if value.contains("\\0") {
        return;
    }
    found.push(Finding {
        id: "null-bytes",
        severity: Severity::Note,
        place: "main.cf".to_owned(),
        what: "message_strip_characters does not contain \\0.".to_owned(),
        why:
            "NUL bytes in a body are delivered as they are, and mail programs disagree about what they mean: some show \
              nothing behind them, others leave them out."
                .to_owned(),
        action: "Let Postfix strip them.".to_owned(),
        fixes: vec![Fix::main("message_strip_characters", &format!("{value}\\0"))],
    });
}

/// The parameters whose misspelling would silently leave a door open.
const MEANT: [&str; 8] = [
    "smtpd_milters",
    "non_smtpd_milters",
    "milter_default_action",
    "milter_protocol",
    "milter_content_timeout",
    "milter_command_timeout",
    "smtpd_forbid_bare_newline",
    "enable_original_recipient",
];

fn misspelt(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let names: BTreeSet<&String> = facts.postfix.unused.iter().collect();
    for name in names {
        let near = MEANT.iter().find(|meant| strsim::damerau_levenshtein(meant, name) <= 2);
        let Some(meant) = near.filter(|meant| facts.postfix.main.contains_key(**meant)) else {
            continue;
        };
        found.push(Finding {
            id: "misspelt",
            severity: Severity::Note,
            place: "main.cf".to_owned(),
            what: format!("nothing reads the setting {name}; {meant} was probably meant."),
            why: "The setting that was meant has another value than was written.".to_owned(),
            action: "Take it out; what the meant setting should be is said by the other findings.".to_owned(),
            fixes: vec![Fix::Postconf(vec!["-X".to_owned(), name.clone()])],
        });
    }
}

fn instances(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let folders = facts.postfix.main("multi_instance_directories");
    if folders.is_empty() {
        return;
    }
    found.push(Finding {
        id: "instances",
        severity: Severity::Note,
        place: "main.cf".to_owned(),
        what: format!("there are more instances of Postfix: {folders}."),
        why: "Each accepts mail on its own, and was not looked at.".to_owned(),
        action: "Run `cpr-milter doctor --postfix FOLDER` for each that sends mail out.".to_owned(),
        fixes: vec![Fix::hand("run cpr-milter doctor --postfix FOLDER for each instance")],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{House, Postfix, Reached};
    use std::collections::BTreeMap;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("300s", 300),
            ("5m", 300),
            ("1h", 3600),
            ("30", 30),
            ("1d", 86_400),
            ("", 0),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    fn facts(version: &str, master: &str) -> Facts<'static> {
        let main = format!("mail_version = {version}\nsmtpd_forbid_bare_newline = no\n");
        Facts {
            postfix: Postfix::parse(&main, &main, master, "", ""),
            house: House {
                listen: "unix:/q/m".to_owned(),
                reinject: "127.0.0.1:10026".parse().expect("address"),
                connections: 250,
                deadline: 200,
                size: 1,
                vouches: false,
            },
            tables: BTreeMap::new(),
            inside: &|_| true,
            socket: Reached::Unknown(String::new()),
            open_files: Some(999),
            rspamd_signs: false,
        }
    }

    #[test]
    fn a_version_is_judged_by_its_series() {
        for (version, expected) in [
            ("3.4.27", Some("version")),
            ("3.5.22", Some("version")),
            ("3.5.23", Some("bare-newline")),
            ("3.7.8", Some("version")),
            ("3.7.11", Some("bare-newline")),
            ("3.8.3", Some("version")),
            ("3.9-20240109", Some("bare-newline")),
            ("3.11.0", Some("bare-newline")),
        ] {
            let mut found = Vec::new();
            newline(&facts(version, "smtp inet n - n - - smtpd\n"), &mut found);
            assert_eq!(found.first().map(|finding| finding.id), expected, "{version}");
        }
        let mut found = Vec::new();
        newline(&facts("3.7.9", "smtp inet n - n - - smtpd\n"), &mut found);
        assert!(
            found[0].fixes[0].line(None).contains("= yes"),
            "3.7.9 has no `normalize`"
        );
    }

    #[test]
    fn four_files_for_each_connection() {
        let mut facts = facts("3.7.11", "");
        let mut found = Vec::new();
        open_files(&facts, &mut found);
        assert_eq!(found.len(), 1);
        facts.open_files = Some(1000);
        open_files(&facts, &mut found);
        assert_eq!(found.len(), 1);
    }
}
