//! `cpr-milter policy explain MAIL`: what would become of a mail, for each recipient, and why, in text and JSON. No digit of
//! a number comes out, and nothing says whether a number is a protected person's.

use super::asked::{addresses, bare, given};
use super::compare::Format;
use super::replay::wrapped;
use super::{input, lookup, policy};
use crate::config::{self, Config, Programs, Workers};
use crate::content::Limits;
use crate::courier::{Desk, Letter, Templates, kind_at_intake};
use crate::cpr::mask;
use crate::directory::Directory;
use crate::inspect::{Input, Options};
use crate::milter::{Dry, Explained, explain};
use crate::policy::{Answers, Policy, words};
use crate::types::{Address, Decision, Envelope, FateWord, Matched, Recipient, danish_date};
use crate::worker::{Pool, PoolConfig};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use time::{Date, OffsetDateTime};

/// The administrator's file, where nobody named one.
const SHIPPED: &str = "/etc/cpr-milter/policies/municipality.yaml";

/// What would become of a mail, for each recipient, and why.
#[derive(Args)]
pub(super) struct Explain {
    /// The mail; `-` is standard input.
    mail: PathBuf,
    /// The policy; else the one of --config, else the shipped one.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The configuration: policy, limits, TLS domains, notices. Its store is not opened.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Envelope sender; else the From header.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Envelope recipient, may be repeated; else To and Cc.
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// Name with which the sender logged in.
    #[arg(long, value_name = "NAME")]
    login: Option<String>,
    /// Mail to this domain, and all below it, goes over enforced TLS. May be repeated.
    #[arg(long, value_name = "DOMAIN")]
    tls_enforced: Vec<String>,
    /// Take this sender or recipient to be in a group. May be repeated.
    #[arg(long, value_name = "ADDRESS=GROUP")]
    given: Vec<String>,
    /// Take every number for a protected person's.
    #[arg(long)]
    protected: bool,
    /// Ask the directory and the tables of --config for the members of groups that the policy does not list.
    #[arg(long, requires = "config")]
    lookup: bool,
    /// For people, or one JSON object.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What the notice would say, or why there is none.
struct Notice {
    subject: String,
    body: String,
}

impl Explain {
    pub(super) fn run(&self, today: Date) -> Result<String, String> {
        let config = self.config.as_deref().map(Config::load).transpose();
        let config = config.map_err(|error| error.to_string())?;
        let file = self
            .policy
            .clone()
            .or_else(|| config.as_ref().map(|c| c.policy.clone()));
        let file = file.unwrap_or_else(|| PathBuf::from(SHIPPED));
        let opened = policy::open(&file, today).map_err(|refused| refused.to_string().trim_end().to_owned())?;
        let policy = opened.loaded.policy;
        let mail = input::read(&self.mail, input::Kind::Message)?.into_iter().next();
        let mail = mail
            .ok_or_else(|| format!("{}: no mail in it", self.mail.display()))?
            .bytes;
        let envelope = self.envelope(&mail)?;
        let mut tls_enforced = self.tls_enforced.clone();
        tls_enforced.extend(config.iter().flat_map(|c| c.tls_enforced.iter().cloned()));
        let dry = Dry {
            given: given(&self.given, &envelope, &policy)?,
            directory: match (&config, self.lookup) {
                (Some(config), true) => Some(Directory::new(&config.directory)?),
                _ => None,
            },
            tls_enforced,
            protected: self.protected,
            pool: Pool::new(PoolConfig::new(&Workers {
                count: 1,
                ..Workers::default()
            })),
            options: Options {
                input: Input::Message,
                name: None,
                limits: config.as_ref().map_or_else(Limits::default, |c| c.limits.clone()),
                today: danish_date(OffsetDateTime::now_utc()),
                identifiers: policy.identifiers().to_vec(),
                style: policy.style(),
                programs: config.as_ref().map_or_else(Programs::default, |c| c.programs.clone()),
            },
            milter: config
                .as_ref()
                .map_or_else(config::Milter::default, |c| c.milter.clone()),
            policy,
        };
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        let until = Instant::now() + Duration::from_secs(300);
        let explained = runtime.block_on(explain(dry, envelope, &mail, until));
        let explained =
            explained.map_err(|trouble| format!("the gateway would answer 4xx, try again later: {trouble}"))?;
        let notice = notice(&explained, config.as_ref());
        Ok(match self.format {
            Format::Json => format!("{}\n", as_json(&explained, notice.as_ref(), &self.given)),
            Format::Text => self.text(&explained, notice.as_ref()),
        })
    }

    fn envelope(&self, mail: &[u8]) -> Result<Envelope, String> {
        let from = self.from.iter().map(|a| ("--from", a));
        for (option, address) in from.chain(self.to.iter().map(|a| ("--to", a))) {
            bare(option, address)?;
        }
        let from = self
            .from
            .clone()
            .or_else(|| addresses(mail, &["from"]).into_iter().next());
        let to = match self.to.is_empty() {
            true => addresses(mail, &["to", "cc"]),
            false => self.to.clone(),
        };
        if to.is_empty() {
            return Err(format!(
                "{}: no recipient in its headers; name one with --to",
                self.mail.display()
            ));
        }
        Ok(Envelope {
            sender: from.as_deref().and_then(|f| Address::parse(f.as_bytes()).ok()),
            sender_raw: from.unwrap_or_else(|| "<>".to_owned()).into_bytes(),
            login: self.login.clone(),
            recipients: to
                .into_iter()
                .map(|raw| Recipient {
                    address: Address::parse(raw.as_bytes()).ok(),
                    raw: raw.into_bytes(),
                    args: Vec::new(),
                })
                .collect(),
            ..Envelope::default()
        })
    }

    fn text(&self, e: &Explained, notice: Option<&Notice>) -> String {
        let mut out = row("policy", &format!("{} ({})", mask(e.policy.name()), e.policy.hash()));
        let sender = who(e.envelope.sender.as_ref(), &e.policy, &self.given);
        let login = e
            .envelope
            .login
            .as_deref()
            .map(|l| format!(", logged in as {}", mask(l)));
        out.push_str(&row("from", &format!("{sender}{}", login.unwrap_or_default())));
        out.push_str(&found(e));
        for ((decision, recipient), fate) in e.decisions.iter().zip(&e.envelope.recipients).zip(&e.fates) {
            out.push('\n');
            out.push_str(&row("to", &who(recipient.address.as_ref(), &e.policy, &self.given)));
            out.push_str(&one(decision, *fate, &e.policy));
        }
        out.push('\n');
        match (&e.refused, notice) {
            (Some(reply), _) => out.push_str(&row("reply", reply)),
            (None, None) => out.push_str(&row("notice", "none: the sender hears nothing")),
            (None, Some(notice)) => {
                out.push_str(&row("notice", &format!("to the sender: {}", notice.subject)));
                for line in notice.body.lines() {
                    let wrapped = wrapped(line, "  | ", "  | ");
                    out.push_str(
                        &wrapped
                            .lines()
                            .map(|l| format!("{}\n", l.trim_end()))
                            .collect::<String>(),
                    );
                }
            }
        }
        out.push('\n');
        if !self.lookup {
            out.push_str(&lookup::unknown(&e.policy));
        }
        for line in [
            "Nobody is looked up in the list of protected persons; --protected takes every number for one of theirs.",
            "Whose number it is is not known here: no number belongs to a recipient.",
        ] {
            out.push_str(&wrapped(line, "", ""));
        }
        out
    }
}

/// A label and what belongs to it, in 78 columns.
fn row(label: &str, text: &str) -> String {
    wrapped(text, &format!("{label:8}"), "        ")
}

fn part(text: &str) -> String {
    wrapped(text, "        ", "          ")
}

/// `anna@kommune.example (inside, aktindsigt)`.
fn who(address: Option<&Address>, policy: &Policy, given: &[String]) -> String {
    let groups = groups(address, policy, given).join(", ");
    match address {
        Some(address) => format!("{} ({groups})", mask(&address.to_string())),
        None => format!("<> ({groups})"),
    }
}

fn groups<'p>(address: Option<&Address>, policy: &'p Policy, given: &[String]) -> Vec<&'p str> {
    let key = address.map(Address::key);
    let also: Vec<usize> = given
        .iter()
        .filter_map(|g| g.rsplit_once('='))
        .filter(|(whom, _)| Address::parse(whom.as_bytes()).ok().map(|a| a.key()) == key)
        .filter_map(|(_, group)| policy.group(group).ok())
        .collect();
    policy.groups_of(address, &Answers::offline(), &also)
}

fn found(e: &Explained) -> String {
    let count = |n: usize, one: &str, several: &str| match n {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        n => format!("{n} {several}"),
    };
    let numbers = count(e.numbers.len(), "number", "different numbers");
    let doubts = count(e.report.doubts.len(), "doubt", "doubts");
    let mut out = row("found", &format!("{numbers}, {doubts}"));
    for (i, told) in e.numbers.iter().enumerate() {
        let n = &told.number;
        let sure = n.sightings.iter().map(|s| s.confidence).max().map_or("", |c| c.word());
        let mut text = format!("no. {}: {} {}, {sure}, in ", i + 1, n.kind.word(), told.masked);
        text.push_str(&told.places.iter().take(3).cloned().collect::<Vec<_>>().join("; "));
        if told.places.len() > 3 {
            text.push_str(&format!("; and {} more places", told.places.len() - 3));
        }
        if n.sightings.iter().any(|s| s.hidden) {
            text.push_str("; hidden");
        }
        if n.sightings.iter().any(|s| s.fake_redaction) {
            text.push_str("; covered but still there");
        }
        out.push_str(&part(&text));
    }
    for doubt in &e.report.doubts {
        let name = doubt
            .place
            .name
            .as_deref()
            .map(|n| format!(", {}", mask(n)))
            .unwrap_or_default();
        out.push_str(&part(&format!("doubt: {}{name}: {}", doubt.kind.word(), doubt.reason)));
    }
    out
}

fn one(decision: &Decision, fate: FateWord, policy: &Policy) -> String {
    let reason = match &decision.rule {
        Some(rule) => format!("by rule `{}` ({})", rule.id, mask(&rule.title)),
        None if !decision.lifted.is_empty() => "since exceptions lifted all that rules matched".to_owned(),
        None => "since no rule matched".to_owned(),
    };
    let becomes = match fate {
        FateWord::Delivered => "delivered as it is",
        FateWord::Redacted => "delivered without the numbers; the copy was made and came out clean",
        FateWord::Held => "held for review",
        FateWord::Refused => "refused",
    };
    let mut out = part(&format!("{}, {reason}: {becomes}", decision.action.word()));
    if !decision.redact.is_empty() {
        out.push_str(&part(&format!("removed from this copy: {}", numbers(&decision.redact))));
    }
    if fate == FateWord::Held {
        let people = match decision.release.people {
            1 => "one person".to_owned(),
            n => format!("{n} different people"),
        };
        out.push_str(&part(&format!(
            "released by {people} with the role {}",
            decision.release.by
        )));
    }
    let mut won = false;
    for m in &decision.matched {
        let wins = !won && !m.watch && decision.rule.as_ref() == Some(&m.rule);
        won |= wins;
        out.push_str(&part(&format!("{} {}", if wins { "*" } else { "-" }, matched(m))));
    }
    for l in &decision.lifted {
        let title = policy.exception_title(&l.exception).unwrap_or("removed from this copy");
        out.push_str(&part(&format!(
            "- exception `{}` ({}) lifts {} from rule `{}`",
            l.exception,
            mask(title),
            numbers(&l.numbers),
            l.rule.id
        )));
    }
    out
}

fn matched(m: &Matched) -> String {
    let mut why = Vec::new();
    if !m.numbers.is_empty() {
        why.push(numbers(&m.numbers));
    }
    why.extend(m.doubts.iter().map(|d| d.word().to_owned()));
    let watch = if m.watch { " (watched only)" } else { "" };
    let title = mask(&m.rule.title);
    format!(
        "rule `{}` ({title}) says {}{watch}: {}",
        m.rule.id,
        m.action.word(),
        why.join(", ")
    )
}

/// `no. 1 and no. 3`.
fn numbers(indices: &[usize]) -> String {
    let words: Vec<String> = indices.iter().map(|i| format!("no. {}", i + 1)).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The notice as the courier would write it, but for the id of a hold that there is none of.
fn notice(e: &Explained, config: Option<&Config>) -> Option<Notice> {
    if !e.notify || e.refused.is_some() {
        return None;
    }
    let (templates, _) = Templates::load(config.and_then(|c| c.notices.templates.as_deref()));
    let own = config::Notices::default();
    let notices = config.map_or(&own, |c| &c.notices);
    let desk = Desk {
        hostname: config.map_or("localhost", |c| c.hostname.as_str()),
        from: &notices.from,
        languages: e.policy.languages(),
        templates: &templates,
        per_hour: notices.per_hour,
    };
    let held = e.fates.contains(&FateWord::Held);
    let days = config.map_or(config::Retention::default().content_days, |c| c.retention.content_days);
    let (subject, body) = desk.read(&Letter {
        kind: kind_at_intake(&e.facts),
        incident: "xxxx-xxxx-xxxx-xxxx",
        envelope: &e.envelope,
        facts: &e.facts,
        recipient: None,
        reviewed: false,
        expires: held.then(|| e.facts.received + time::Duration::days(i64::from(days))),
        reply: None,
        outside: false,
        date: e.facts.received,
    });
    Some(Notice { subject, body })
}

fn as_json(e: &Explained, notice: Option<&Notice>, given: &[String]) -> Value {
    let numbers: Vec<Value> = e
        .numbers
        .iter()
        .enumerate()
        .map(|(i, told)| {
            let n = &told.number;
            let classes: BTreeSet<&str> = n.sightings.iter().map(|s| words::place(s.class)).collect();
            json!({
                "no": i + 1,
                "kind": n.kind.word(),
                "masked": told.masked,
                "confidence": n.sightings.iter().map(|s| s.confidence).max().map(|c| c.word()),
                "classes": classes,
                "places": told.places,
                "sightings": n.sightings.len(),
                "hidden": n.sightings.iter().any(|s| s.hidden),
                "fake_redaction": n.sightings.iter().any(|s| s.fake_redaction),
            })
        })
        .collect();
    let doubts: Vec<Value> = e
        .report
        .doubts
        .iter()
        .map(|d| {
            json!({
                "kind": d.kind.word(), "name": d.place.name.as_deref().map(mask), "reason": d.reason,
            })
        })
        .collect();
    let each = e.decisions.iter().zip(&e.envelope.recipients).zip(&e.fates);
    let recipients: Vec<Value> = each
        .map(|((decision, recipient), fate)| {
            let groups = groups(recipient.address.as_ref(), &e.policy, given);
            recipient_json(decision, recipient, *fate, &groups)
        })
        .collect();
    json!({
        "policy": {"name": mask(e.policy.name()), "hash": e.policy.hash()},
        "from": e.envelope.sender.as_ref().map(|a| mask(&a.to_string())),
        "from_groups": groups(e.envelope.sender.as_ref(), &e.policy, given),
        "login": e.envelope.login.as_deref().map(mask),
        "numbers": numbers,
        "doubts": doubts,
        "recipients": recipients,
        "reply": e.refused,
        "notice": notice.map(|n| json!({"subject": n.subject, "text": n.body})),
    })
}

fn recipient_json(decision: &Decision, recipient: &Recipient, fate: FateWord, groups: &[&str]) -> Value {
    let from_one = |numbers: &[usize]| numbers.iter().map(|n| n + 1).collect::<Vec<_>>();
    let matched: Vec<Value> = decision
        .matched
        .iter()
        .map(|m| {
            json!({
                "rule": m.rule.id,
                "title": mask(&m.rule.title),
                "action": m.action.word(),
                "watch": m.watch,
                "numbers": from_one(&m.numbers),
                "doubts": m.doubts.iter().map(|d| d.word()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let lifted: Vec<Value> = decision
        .lifted
        .iter()
        .map(|l| {
            json!({
                "rule": l.rule.id, "exception": &*l.exception, "numbers": from_one(&l.numbers),
            })
        })
        .collect();
    let rule = |rule: &Option<std::sync::Arc<crate::types::RuleRef>>| {
        rule.as_ref().map(|r| json!({"id": r.id, "title": mask(&r.title)}))
    };
    json!({
        "to": match &recipient.address {
            Some(address) => mask(&address.to_string()),
            None => mask(&String::from_utf8_lossy(&recipient.raw)),
        },
        "groups": groups,
        "action": decision.action.word(),
        "fate": fate,
        "rule": rule(&decision.rule),
        "told": rule(&decision.told),
        "removed": from_one(&decision.redact),
        "release": (fate == FateWord::Held).then_some(&decision.release),
        "matched": matched,
        "lifted": lifted,
    })
}
