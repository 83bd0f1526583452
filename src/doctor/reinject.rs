//! The listener without the milter through which the courier sends what was released, redacted or written by us.

use super::entry::{self, Entry, Kind};
use super::facts::{Facts, Service, without_milters};
use super::{Finding, Fix, Severity};

const OWN: [(&str, &str); 3] = [
    ("smtpd_milters", ""),
    ("mynetworks", "127.0.0.0/8,[::1]/128"),
    ("smtpd_recipient_restrictions", "permit_mynetworks,reject"),
];

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(service) = facts.reinject() else {
        found.push(missing(facts));
        return;
    };
    if facts.postfix.is_loopback(service) {
        filtered(facts, service, found);
        unsigned(facts, service, found);
    } else {
        found.push(open(facts, service));
    }
}

/// A new service, on loopback alone, with settings of its own.
fn made(facts: &Facts<'_>) -> Vec<Fix> {
    let place = format!("{}/inet", facts.house.reinject);
    let line = format!("{place}={} inet n - n - - smtpd", facts.house.reinject);
    let mut fixes = vec![Fix::Postconf(vec!["-M".to_owned(), line])];
    let signers = entry::write(&signers(facts));
    for (name, value) in OWN {
        let value = if name == "smtpd_milters" { &signers } else { value };
        fixes.push(Fix::own(&place, name, value));
    }
    fixes
}

fn missing(facts: &Facts<'_>) -> Finding {
    Finding {
        id: "reinject-missing",
        severity: Severity::Loss,
        place: "master.cf".to_owned(),
        what: format!(
            "no SMTP service listens at {} (`reinject:` in cpr-milter.yaml).",
            facts.house.reinject
        ),
        why: "Released and redacted mail and all notices wait for it and do not leave.".to_owned(),
        action: "Make it: on loopback, without the milter.".to_owned(),
        fixes: made(facts),
    }
}

fn open(facts: &Facts<'_>, service: &Service) -> Finding {
    let mut fixes = vec![Fix::Postconf(vec!["-MX".to_owned(), service.place()])];
    fixes.extend(made(facts));
    Finding {
        id: "reinject-open",
        severity: Severity::Leak,
        place: service.place(),
        what: "the listener for the courier (`reinject:`) can be reached from other machines.".to_owned(),
        why: "It goes without inspection: whoever reaches it sends past the milter.".to_owned(),
        action: format!("Bind it to loopback alone: {}.", facts.house.reinject),
        fixes,
    }
}

fn filtered(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    let list = facts.postfix.of(service, "smtpd_milters");
    let off = without_milters(&facts.postfix.of(service, "receive_override_options"));
    if off || !facts.lists_us(&list, service.chroot) {
        return;
    }
    let mut entries = entry::parse(&list);
    entries.retain(|entry| !matches!(facts.kind(entry, service.chroot), Kind::Ours | Kind::Unreachable));
    found.push(Finding {
        id: "reinject-filtered",
        severity: Severity::Loss,
        place: service.place(),
        what: "the listener for the courier (`reinject:`) has cpr-milter attached.".to_owned(),
        why: "What a person released is held a second time, and never arrives.".to_owned(),
        action: "Give it a list of milters of its own, without cpr-milter; a DKIM signer belongs into it.".to_owned(),
        fixes: vec![Fix::service(service, "smtpd_milters", &entry::write(&entries))],
    });
}

/// Signers that `main.cf` names.
fn signers(facts: &Facts<'_>) -> Vec<Entry> {
    let mut entries = entry::parse(facts.postfix.main("smtpd_milters"));
    entries.retain(|entry| facts.kind(entry, false) == Kind::Signer);
    entries
}

fn unsigned(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    let signers = signers(facts);
    let list = facts.postfix.of(service, "smtpd_milters");
    let options = facts.postfix.of(service, "receive_override_options");
    let signs = |entry: &Entry| facts.kind(entry, service.chroot) == Kind::Signer;
    if signers.is_empty() || (entry::parse(&list).iter().any(signs) && !without_milters(&options)) {
        return;
    }
    let mut fixes = vec![Fix::service(service, "smtpd_milters", &entry::write(&signers))];
    if without_milters(&options) {
        let rest: Vec<String> = entry::words(&options)
            .into_iter()
            .filter(|word| word != "no_milters")
            .collect();
        fixes.push(Fix::service(service, "receive_override_options", &rest.join(",")));
    }
    found.push(Finding {
        id: "reinject-unsigned",
        severity: Severity::Weak,
        place: service.place(),
        what: "other mail is signed with DKIM, what the courier sends is not.".to_owned(),
        why: "Released and redacted mail leaves without a signature, and other servers may refuse it.".to_owned(),
        action: "Attach the signer, and only it, to the listener for the courier.".to_owned(),
        fixes,
    });
}
