//! Every door through which mail comes in, and whether we stand at it. `sendmail` and QMQP mail meets milters in `cleanup`
//! (MILTER_README: `non_smtpd_milters`).

use super::entry;
use super::facts::{Facts, Service, without_milters};
use super::lists::{mended, out_of_reach};
use super::{Finding, Fix, Severity};

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for service in facts.entrances() {
        smtpd(facts, service, found);
        no_milters(facts, service, found);
    }
    for service in &facts.postfix.services {
        if matches!(service.program.as_str(), "pickup" | "qmqpd") {
            other(facts, service, found);
            no_milters(facts, service, found);
        }
    }
    internal_mail(facts, found);
}

fn smtpd(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    let proxy = facts.postfix.of(service, "smtpd_proxy_filter");
    let behind = entrance_behind(facts, &proxy);
    if !proxy.is_empty() {
        if behind.is_none() {
            found.push(proxied(service, &proxy));
        }
        return; // what comes back from the proxy is looked at where it comes back
    }
    let list = facts.postfix.of(service, "smtpd_milters");
    if facts.lists_us(&list, service.chroot) {
        return;
    }
    let who = match facts.postfix.is_loopback(service) {
        true => "Every program on this machine can send through it uninspected.",
        false => "Everything sent through it leaves uninspected.",
    };
    found.push(Finding {
        id: "no-milter-smtpd",
        severity: Severity::Leak,
        place: service.place(),
        what: format!(
            "this SMTP service accepts mail without cpr-milter (smtpd_milters {}).",
            is(&list)
        ),
        why: who.to_owned(),
        action: "Attach the milter; only the listener named in `reinject:` of cpr-milter.yaml goes without. A service \
                 that nobody needs should go altogether (`postconf -MX SERVICE/TYPE`)."
            .to_owned(),
        fixes: attach(facts, service, "smtpd_milters"),
    });
}

fn is(value: &str) -> String {
    match value.is_empty() {
        true => "is empty".to_owned(),
        false => format!("is {value}"),
    }
}

/// The smtpd on this machine that takes mail back from a before-queue proxy, if we stand there.
///
/// The port of the proxy itself is known, the port it hands on to is not: any loopback listener with us will do, apart
/// from those that have a proxy themselves.
fn entrance_behind<'a>(facts: &'a Facts<'_>, proxy: &str) -> Option<&'a Service> {
    if proxy.is_empty() {
        return None;
    }
    let takes_back = |service: &&Service| {
        facts.postfix.is_loopback(service)
            && facts.postfix.of(service, "smtpd_proxy_filter").is_empty()
            && facts.lists_us(&facts.postfix.of(service, "smtpd_milters"), service.chroot)
    };
    facts.entrances().find(takes_back)
}

fn proxied(service: &Service, proxy: &str) -> Finding {
    Finding {
        id: "proxy-filter",
        severity: Severity::Leak,
        place: service.place(),
        what: format!(
            "mail goes to the before-queue proxy {proxy} (smtpd_proxy_filter), and comes back where cpr-milter \
                       is not attached."
        ),
        why: "Before a proxy, milters see SMTP commands and never the content (MILTER_README, limitations).".to_owned(),
        action:
            "Attach the milter to the loopback service that takes the mail back from the proxy, or take the proxy out."
                .to_owned(),
        fixes: vec![match service.own.contains_key("smtpd_proxy_filter") {
            true => Fix::service(service, "smtpd_proxy_filter", ""),
            false => Fix::main("smtpd_proxy_filter", ""),
        }],
    }
}

fn other(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    let Some(cleanup) = facts.postfix.cleanup_of(service) else {
        return; // it could not hand on any mail
    };
    let list = facts.postfix.of(cleanup, "non_smtpd_milters");
    if facts.lists_us(&list, cleanup.chroot) {
        return;
    }
    let what = match service.program.as_str() {
        "pickup" => "mail from the sendmail command (cron, web applications)",
        _ => "mail over QMQP",
    };
    found.push(Finding {
        id: "no-milter-sendmail",
        severity: Severity::Leak,
        place: service.place(),
        what: format!(
            "{what} is accepted without cpr-milter (non_smtpd_milters {}).",
            is(&list)
        ),
        why: "smtpd_milters covers SMTP alone; everything sent this way leaves uninspected.".to_owned(),
        action: "Attach the milter to it too.".to_owned(),
        fixes: attach(facts, cleanup, "non_smtpd_milters"),
    });
}

/// Puts us into a list, where the list comes from.
fn attach(facts: &Facts<'_>, service: &Service, name: &str) -> Vec<Fix> {
    let main = facts.postfix.main(name);
    let own = service.own.get(name);
    let mut fixes = Vec::new();
    // An empty `-o` goes, and `main.cf` says it for all.
    if own.is_some_and(String::is_empty) {
        fixes.push(Fix::unset(service, name));
        if facts.lists_us(main, service.chroot) {
            return fixes;
        }
    }
    let list = match own {
        Some(list) if !list.is_empty() => list.as_str(),
        _ => main,
    };
    let smtpd = facts.lists_us(facts.postfix.main("smtpd_milters"), service.chroot);
    if name == "non_smtpd_milters" && list.is_empty() && smtpd && !service.own.contains_key("smtpd_milters") {
        fixes.push(Fix::main(name, "$smtpd_milters"));
        return fixes;
    }
    fixes.push(match mended(facts, &entry::parse(list), service.chroot) {
        Some(entries) if own.is_some_and(|own| !own.is_empty()) => Fix::service(service, name, &entry::write(&entries)),
        Some(entries) => Fix::main(name, &entry::write(&entries)),
        None => Fix::hand(out_of_reach(facts)),
    });
    fixes
}

fn no_milters(facts: &Facts<'_>, service: &Service, found: &mut Vec<Finding>) {
    let options = facts.postfix.of(service, "receive_override_options");
    if !without_milters(&options) {
        return;
    }
    let rest: Vec<String> = entry::words(&options)
        .into_iter()
        .filter(|word| word != "no_milters")
        .collect();
    found.push(Finding {
        id: "no-milters-option",
        severity: Severity::Leak,
        place: service.place(),
        what: "receive_override_options contains no_milters.".to_owned(),
        why: "It switches all milters off here, whatever the lists of milters say.".to_owned(),
        action: "Take that word out.".to_owned(),
        fixes: vec![Fix::wherever(service, "receive_override_options", &rest.join(","))],
    });
}

/// Postfix's own bounces go from the null sender: one that is refused is gone (postconf(5) warns of it).
fn internal_mail(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (service, classes) in facts.postfix.everywhere("internal_mail_filter_classes") {
        if classes.is_empty() {
            continue;
        }
        found.push(Finding {
            id: "internal-mail",
            severity: Severity::Loss,
            place: service.map_or("main.cf".to_owned(), Service::place),
            what: format!("internal_mail_filter_classes is {classes}."),
            why: "Postfix's own bounces and notices are then held or refused like any mail, and nobody is told: there is \
                  no sender to tell."
                .to_owned(),
            action: "Leave it empty, as Postfix's manual advises.".to_owned(),
            fixes: vec![match service {
                Some(service) => Fix::service(service, "internal_mail_filter_classes", ""),
                None => Fix::main("internal_mail_filter_classes", ""),
            }],
        });
    }
}
