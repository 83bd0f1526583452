//! One claimed entry of the outbox: what is to be said to whom, said once, and what became of it.

use super::dates::mail_date;
use super::envelope::Transaction;
use super::gateway::Gateways;
use super::notice::{Desk, Letter, kind_at_intake};
use super::outbox::{Outbox, Task, next_try};
use super::reply::Reply;
use super::smtp::{Peer, Sent};
use super::templates::{Kind, Templates};
use crate::config::Config;
use crate::policy::Language;
use crate::store::{DsnCause, JobKind, Opened, Outcome, StoreError, Turn};
use crate::types::Address;
use std::sync::Arc;
use time::OffsetDateTime;

/// Gives the languages of notices, asked anew for each: policies are reloaded while we run.
pub type Languages = Arc<dyn Fn() -> Vec<Language> + Send + Sync>;

/// Whether a sender is one of ours, by the policy of this moment.
pub type Inside = Arc<dyn Fn(&Address) -> bool + Send + Sync>;

/// What the courier asks the policy.
#[derive(Clone)]
pub struct Voice {
    /// Languages of notices.
    pub languages: Languages,
    /// Who may hear what was found.
    pub inside: Inside,
}

/// Sends entries, one at a time.
pub(super) struct Carrier<O> {
    pub(super) outbox: O,
    pub(super) config: Config,
    pub(super) voice: Voice,
    pub(super) peer: Peer,
    pub(super) gateways: Gateways,
}

/// What became of an entry.
pub(super) struct Carried {
    pub(super) outcome: Outcome,
    /// Nobody answered: wait before the next entry.
    pub(super) away: bool,
}

/// What a notice is about, and for whom.
enum About {
    /// The mail, to its sender.
    Mail,
    /// The mail, to somebody else whom a rule wants told: number among those, and address.
    MailTo(usize, String),
    /// One recipient, to the sender.
    Recipient(usize, DsnCause),
}

/// A notice, or the reason why there is none.
enum Said {
    Kind(Kind),
    Nothing(&'static str),
}

impl<O: Outbox> Carrier<O> {
    /// Sends one entry.
    pub(super) fn carry(&mut self, task: &Task, ticket: &O::Ticket) -> Result<Carried, StoreError> {
        let opened = self.outbox.open(ticket)?;
        match task.kind {
            JobKind::Delivery { recipient, .. } => Ok(self.deliver(task, &opened, recipient)),
            JobKind::Notice => self.tell(task, ticket, &opened, &About::Mail),
            JobKind::Copy { to } => match opened.facts.tell.get(to).cloned() {
                Some(address) => self.tell(task, ticket, &opened, &About::MailTo(to, address)),
                None => Ok(failed("nobody is to be told under this number")),
            },
            JobKind::Dsn { recipient, cause } => self.tell(task, ticket, &opened, &About::Recipient(recipient, cause)),
        }
    }

    fn deliver(&mut self, task: &Task, opened: &Opened, index: usize) -> Carried {
        let Some(mail) = &opened.mail else {
            return failed("the content is no longer there");
        };
        let Some(recipient) = opened.envelope.recipients.get(index) else {
            return failed("the envelope has no such recipient");
        };
        let trace = self.trace(&task.incident);
        let content = [trace.as_bytes(), mail.as_slice()];
        let transaction = Transaction {
            sender: &opened.envelope.sender_raw,
            sender_args: &opened.envelope.sender_args,
            recipient: &recipient.raw,
            recipient_args: &recipient.args,
            content: &content,
        };
        match &task.gateway {
            None => settlement(task, self.peer.send(&transaction)),
            Some(name) => {
                let sent = self.gateways.send(name, &self.config, &transaction);
                // The next mail goes elsewhere: a gateway that is away is no reason to pause.
                Carried {
                    away: false,
                    ..settlement(task, sent)
                }
            }
        }
    }

    /// RFC 5321 §4.4 trace, so that a loop is counted. No `for`: it would show one recipient to another.
    fn trace(&self, incident: &str) -> String {
        let date = mail_date(OffsetDateTime::now_utc());
        format!(
            "Received: from cpr-milter (hold {incident})\r\n\tby {} with ESMTP;\r\n\t{date}\r\n",
            self.config.hostname
        )
    }

    fn tell(&mut self, task: &Task, ticket: &O::Ticket, opened: &Opened, about: &About) -> Result<Carried, StoreError> {
        let kind = match self.what_to_say(ticket, opened, about)? {
            Said::Kind(kind) => kind,
            Said::Nothing(why) => {
                return Ok(Carried {
                    outcome: Outcome::NotNeeded { why },
                    away: false,
                });
            }
        };
        let mail = self.write(task, opened, kind, about);
        let utf8 = opened.envelope.smtputf8().then(|| "SMTPUTF8".to_owned());
        let sent = self.peer.send(&Transaction {
            sender: b"<>",
            sender_args: utf8.as_slice(),
            recipient: match about {
                About::MailTo(_, address) => address.as_bytes(),
                _ => &opened.envelope.sender_raw,
            },
            // RFC 3461 §4.1: a notice that cannot be delivered must not make another one.
            recipient_args: &["NOTIFY=NEVER".to_owned()],
            content: &[&mail],
        });
        Ok(settlement(task, sent))
    }

    fn what_to_say(&self, ticket: &O::Ticket, opened: &Opened, about: &About) -> Result<Said, StoreError> {
        let other = match about {
            About::MailTo(_, address) => Address::parse(address.as_bytes()).ok(),
            _ => None,
        };
        let Some(reader) = other.as_ref().or(opened.envelope.sender.as_ref()) else {
            return Ok(Said::Nothing("the sender is <>"));
        };
        let &About::Recipient(index, cause) = about else {
            // The milter asked the policy of its moment; this one may know the reader no longer.
            if !(self.voice.inside)(reader) {
                return Ok(Said::Nothing("the reader is not one of ours"));
            }
            let per_hour = self.config.notices.per_hour;
            return Ok(
                match self.outbox.turn(ticket, reader, per_hour, OffsetDateTime::now_utc())? {
                    Turn::Send => Said::Kind(kind_at_intake(&opened.facts)),
                    Turn::Summary => Said::Kind(Kind::Summary),
                    Turn::Quiet => Said::Nothing("over the hourly limit of notices to this reader"),
                },
            );
        };
        let good_news = matches!(cause, DsnCause::Released | DsnCause::ReleasedRedacted);
        if good_news && !(self.voice.inside)(reader) {
            return Ok(Said::Nothing("the sender is not one of ours"));
        }
        let recipient = opened.envelope.recipients.get(index);
        if recipient.is_some_and(|recipient| !recipient.notify().failure) {
            return Ok(Said::Nothing("NOTIFY does not ask for failures"));
        }
        Ok(Said::Kind(match cause {
            DsnCause::Rule | DsnCause::Reviewer => Kind::Refused,
            DsnCause::Released => Kind::Released,
            DsnCause::ReleasedRedacted => Kind::ReleasedRedacted,
            DsnCause::Expired => Kind::Expired,
            DsnCause::NextHop => Kind::Undelivered,
        }))
    }

    fn write(&self, task: &Task, opened: &Opened, kind: Kind, about: &About) -> Vec<u8> {
        let (templates, problems) = Templates::load(self.config.notices.templates.as_deref());
        for problem in problems {
            tracing::warn!("notice template {problem}");
        }
        let languages = (self.voice.languages)();
        let desk = Desk {
            hostname: &self.config.hostname,
            from: &self.config.notices.from,
            languages: &languages,
            templates: &templates,
            per_hour: self.config.notices.per_hour,
        };
        let composed = desk.write(&Letter {
            kind,
            incident: &task.incident,
            envelope: &opened.envelope,
            facts: &opened.facts,
            recipient: match about {
                About::Recipient(index, _) => Some(*index),
                _ => None,
            },
            copy_to: match about {
                About::MailTo(number, address) => Some((*number, address)),
                _ => None,
            },
            reviewed: matches!(about, About::Recipient(_, DsnCause::Reviewer)),
            expires: opened.expires,
            reply: opened.reply.as_deref(),
            outside: !matches!(about, About::MailTo(..))
                && opened
                    .envelope
                    .sender
                    .as_ref()
                    .is_none_or(|sender| !(self.voice.inside)(sender)),
            date: task.created,
        });
        if composed.minimal {
            tracing::error!(incident = %task.incident, kind = kind.word(),
                "the full notice would have carried a number; a short one was sent in its place");
        }
        composed.mail
    }
}

fn failed(why: &str) -> Carried {
    Carried {
        outcome: Outcome::Failed { reply: why.to_owned() },
        away: false,
    }
}

/// What the store is to write down.
fn settlement(task: &Task, sent: Sent) -> Carried {
    let now = OffsetDateTime::now_utc();
    let again = next_try(task.attempts, task.created, now);
    let away = matches!(sent, Sent::Away(_));
    let given_up = |reply: &Reply| Outcome::Failed {
        reply: format!("given up after five days; last answer: {reply}"),
    };
    let outcome = match sent {
        Sent::Accepted { reply, queue_id } => Outcome::Sent {
            reply: reply.to_string(),
            queue_id,
        },
        Sent::Permanent(reply) => Outcome::Failed {
            reply: reply.to_string(),
        },
        Sent::Transient(reply) | Sent::Away(reply) => match again {
            Some(at) => Outcome::Retry {
                reply: reply.to_string(),
                at,
            },
            None => given_up(&reply),
        },
        Sent::Unknown(reply) => match again {
            Some(at) => Outcome::Unknown {
                reply: reply.to_string(),
                at,
            },
            None => given_up(&reply),
        },
    };
    Carried { outcome, away }
}
