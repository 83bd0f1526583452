//! Where mail goes after it was judged: aliases, blind copies and redirections that lead from the inside out. The milter
//! judges recipients as the client wrote them, before Postfix follows any of these.

use super::entry;
use super::facts::{Facts, Service};
use super::lists::some;
use super::tables::Listing;
use super::{Finding, Fix, Severity};

/// Tables that turn one recipient into others. `alias_maps` is for local delivery alone.
const ALIASES: [&str; 4] = [
    "virtual_alias_maps",
    "canonical_maps",
    "recipient_canonical_maps",
    "alias_maps",
];
const BLIND: [&str; 2] = ["sender_bcc_maps", "recipient_bcc_maps"];
const CHECKS: [&str; 5] = [
    "header_checks",
    "body_checks",
    "mime_header_checks",
    "nested_header_checks",
    "milter_header_checks",
];
const RESTRICTIONS: [&str; 7] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
];
const DEPENDENT: [&str; 2] = [
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
];

/// Every table that is looked into, with the parameter that names it.
pub(super) fn tables(postfix: &super::Postfix) -> Vec<(String, String)> {
    let plain = ALIASES
        .iter()
        .chain(&BLIND)
        .chain(&CHECKS)
        .chain(&["smtpd_milter_maps"]);
    let mut tables = Vec::new();
    for name in plain.chain(&RESTRICTIONS) {
        for (service, value) in postfix.everywhere(name) {
            let raw = postfix.raw.get(*name).map_or("", String::as_str);
            if service.is_none() && raw.starts_with("$header_checks") {
                continue; // the default of two others: said once
            }
            for word in entry::words(value).into_iter().filter(|word| is_table(word)) {
                tables.push(((*name).to_owned(), word));
            }
        }
    }
    tables.sort();
    tables.dedup();
    tables
}

/// Words of restrictions are names, tables have a type before them.
fn is_table(word: &str) -> bool {
    let kind = word.split(':').next().unwrap_or_default();
    word.contains(':') && !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric())
}

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for (name, table) in tables(&facts.postfix) {
        match facts.tables.get(&table) {
            Some(Listing::Entries(entries)) => entries_of(facts, &name, &table, entries, found),
            Some(Listing::Unlisted(why)) if matters(&name) => found.push(unlisted(&name, &table, why)),
            _ => {}
        }
    }
    single(facts, "always_bcc", found);
    if !facts.postfix.main("mydestination").is_empty() {
        single(facts, "luser_relay", found);
        forward_files(facts, found);
    }
    dependent(facts, found);
}

/// Access tables of a blocklist or a database are common, and hardly ever redirect.
fn matters(name: &str) -> bool {
    !RESTRICTIONS.contains(&name)
}

fn entries_of(facts: &Facts<'_>, name: &str, table: &str, entries: &[(String, String)], found: &mut Vec<Finding>) {
    let place = format!("{name} ({table})");
    if ALIASES.contains(&name) {
        if name != "alias_maps" || !facts.postfix.main("mydestination").is_empty() {
            aliases(facts, place, name, entries, found);
        }
    } else if BLIND.contains(&name) {
        let out: Vec<String> = entries.iter().filter(|(_, to)| outside(facts, to)).map(shown).collect();
        blind(place, &out, found);
    } else if name != "smtpd_milter_maps" {
        redirections(facts, &place, entries, found);
    }
}

fn shown((from, to): &(String, String)) -> String {
    format!("{from} -> {to}")
}

/// An address of Postfix's: without a domain it is of this house's own, `$1` of a pattern may be anything.
fn outside(facts: &Facts<'_>, address: &str) -> bool {
    let address = address.trim().trim_matches(['<', '>', '"']);
    if address.is_empty() || address.starts_with(['|', '/', ':', '\\']) {
        return false;
    }
    !(facts.inside)(&complete(facts, address))
}

fn complete(facts: &Facts<'_>, address: &str) -> String {
    let address: String = address
        .replace("${", "$")
        .replace("$(", "$")
        .replace(['$', '}', ')'], "");
    match address.split_once('@') {
        Some(("", domain)) => format!("postmaster@{domain}"),
        Some(_) => address,
        None => format!("{address}@{}", facts.postfix.main("myorigin")),
    }
}

/// The pieces of an alias's value, quoted ones whole.
fn targets(value: &str) -> Vec<String> {
    let (mut targets, mut quoted) = (vec![String::new()], false);
    for c in value.chars() {
        match (c, targets.last_mut()) {
            ('"', Some(_)) => quoted = !quoted,
            (',' | ' ' | '\t', _) if !quoted => targets.push(String::new()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    targets.retain(|target| !target.is_empty());
    targets
}

/// A pattern may match anybody, and so people of the house.
fn is_pattern(key: &str) -> bool {
    key == "*" || !key.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '@' | '_' | '.' | '-'))
}

fn aliases(facts: &Facts<'_>, place: String, name: &str, entries: &[(String, String)], found: &mut Vec<Finding>) {
    let from_inside = |key: &str| is_pattern(key) || (facts.inside)(&complete(facts, key));
    let leads_out = |value: &str| match name {
        // canonical(5): a domain alone, or a name alone, keeps the rest.
        "canonical_maps" | "recipient_canonical_maps" => outside(facts, value),
        _ => targets(value).iter().any(|target| outside(facts, target)),
    };
    let such = |(key, value): &&(String, String)| from_inside(key) && leads_out(value);
    let out: Vec<String> = entries.iter().filter(such).map(shown).collect();
    if out.is_empty() {
        return;
    }
    let shown: Vec<&str> = out.iter().map(String::as_str).collect();
    found.push(Finding {
        id: "alias-outside",
        severity: Severity::Leak,
        place,
        what: format!("addresses of the house lead out of it: {}.", some(&shown)),
        why: "The milter judges the address that the client wrote, which is inside; the copy goes outside.".to_owned(),
        action:
            "Take these entries out, or take the addresses out of the policy's group `inside`, or attach the milter \
                 where aliases are followed already (the hop behind)."
                .to_owned(),
        fixes: vec![Fix::hand(
            "change the table's entries that lead outside, or the policy's group `inside`",
        )],
    });
}

fn blind(place: String, out: &[String], found: &mut Vec<Finding>) {
    if out.is_empty() {
        return;
    }
    let shown: Vec<&str> = out.iter().map(String::as_str).collect();
    found.push(Finding {
        id: "bcc-outside",
        severity: Severity::Leak,
        place,
        what: format!("blind copies go out of the house: {}.", some(&shown)),
        why:
            "Postfix adds the copy after the milter's verdict: nobody judged that recipient, and a copy goes even when \
              another recipient is held."
                .to_owned(),
        action: "Send the copies to an address inside, or count the archive as inside in the policy.".to_owned(),
        fixes: vec![Fix::hand(
            "change the table's entries, or count the archive as inside in the policy",
        )],
    });
}

/// Parameters that hold one address.
fn single(facts: &Facts<'_>, name: &str, found: &mut Vec<Finding>) {
    for (service, value) in facts.postfix.everywhere(name) {
        if !outside(facts, value) {
            continue;
        }
        let mut report = Vec::new();
        let place = service.map_or("main.cf".to_owned(), Service::place);
        blind(place, &[format!("{name} -> {value}")], &mut report);
        for mut finding in report {
            finding.fixes = vec![match service {
                Some(service) => Fix::service(service, name, ""),
                None => Fix::main(name, ""),
            }];
            if name == "luser_relay" {
                finding.id = "alias-outside";
                finding.what = format!("mail for unknown local names goes out of the house: {value} (luser_relay).");
                finding.why = "The milter judges the unknown address, which is inside.".to_owned();
            }
            found.push(finding);
        }
    }
}

/// local(8) follows `~/.forward`, and what it sends on meets no milter.
fn forward_files(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let files = facts.postfix.main("forward_path");
    let domains = entry::words(facts.postfix.main("mydestination"));
    let house = |domain: &&String| !is_table(domain) && (facts.inside)(&format!("postmaster@{domain}"));
    let Some(domain) = domains.iter().find(house).filter(|_| !files.is_empty()) else {
        return;
    };
    found.push(Finding {
        id: "forward-files",
        severity: Severity::Note,
        place: "main.cf".to_owned(),
        what: format!("mail to {domain} is delivered on this machine, and people may send theirs on (forward_path)."),
        why: "What a .forward file sends out of the house was judged as mail to the inside.".to_owned(),
        action: "Switch these files off, unless nobody has a home here.".to_owned(),
        fixes: vec![Fix::main("forward_path", "")],
    });
}

fn redirections(facts: &Facts<'_>, place: &str, entries: &[(String, String)], found: &mut Vec<Finding>) {
    let mut report = |id, severity, all: &[&str], what: &str, why: &str| {
        if all.is_empty() {
            return;
        }
        found.push(Finding {
            id,
            severity,
            place: place.to_owned(),
            what: format!("{what}: {}.", some(all)),
            why: why.to_owned(),
            action: "Take these entries out, or be sure that where they lead needs no inspection.".to_owned(),
            fixes: vec![Fix::hand("change the table's entries that redirect or filter")],
        });
    };
    let with = |words: &[&str]| -> Vec<(&str, &str)> {
        let split = |(_, value): &'_ (String, String)| -> Option<(usize, usize)> {
            let (word, rest) = value.split_once(char::is_whitespace)?;
            let known = words.iter().any(|known| word.eq_ignore_ascii_case(known));
            known.then_some((value.len() - rest.trim_start().len(), value.len()))
        };
        let such = entries.iter().filter_map(|entry| {
            let (from, to) = split(entry)?;
            Some((entry.1.as_str(), &entry.1[from..to]))
        });
        such.collect()
    };
    let sent: Vec<&str> = with(&["REDIRECT", "BCC"])
        .into_iter()
        .filter(|(_, to)| outside(facts, to))
        .map(|(whole, _)| whole)
        .collect();
    report(
        "redirect-outside",
        Severity::Leak,
        &sent,
        "mail is sent on to the outside",
        "Postfix changes or adds the recipient after the milter's verdict: nobody judged that one.",
    );
    let filtered: Vec<&str> = with(&["FILTER"]).into_iter().map(|(whole, _)| whole).collect();
    report(
        "filter-action",
        Severity::Weak,
        &filtered,
        "mail takes another way (FILTER)",
        "The policy may count on the usual way (delivery: tls_enforced), and does not know of this one.",
    );
}

fn unlisted(name: &str, table: &str, why: &str) -> Finding {
    Finding {
        id: "table-unlisted",
        severity: Severity::Note,
        place: format!("{name} ({table})"),
        what: format!("this table cannot be listed: {why}."),
        why: "It may lead past the milter, or from addresses of the house to the outside.".to_owned(),
        action: "Look through it yourself, where it is kept.".to_owned(),
        fixes: vec![Fix::hand(format!("look through {table} yourself"))],
    }
}

/// They change the way of mail by its sender, and with it what `tls_enforced:` vouches for.
fn dependent(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for name in DEPENDENT {
        let value = facts.postfix.main(name);
        if value.is_empty() || !facts.house.vouches {
            continue;
        }
        found.push(Finding {
            id: "sender-dependent",
            severity: Severity::Note,
            place: "main.cf".to_owned(),
            what: format!("{name} is {value}, and cpr-milter.yaml vouches for TLS to some domains (tls_enforced:)."),
            why: "Mail of these senders takes another way, on which TLS may not be enforced, and an exception of the \
                  policy counts on it."
                .to_owned(),
            action: "Enforce TLS on that way too (smtp_tls_policy_maps holds for next hops), or take the setting out."
                .to_owned(),
            fixes: vec![Fix::main(name, "")],
        });
    }
}
