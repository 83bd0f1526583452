//! A notice in words: facts of one mail to a text that a caseworker can act on, and round it a mail that no machine
//! answers.
//!
//! Not here: whether it may be sent (`may`), how the machine-readable half looks (`dsn`).

use super::dates::{mail_date, spoken};
use super::dsn::{self, Part, Status};
use super::guard;
use super::mime::{self, Header};
use super::templates::{Fields, Kind, Rendered, RuleLine, Templates, minimal};
use super::words::{clean, doubt, found, subject};
use crate::policy::Language;
use crate::types::{Envelope, FateWord, NoticeFacts};
use time::OffsetDateTime;

/// Who writes notices, and in which languages.
pub struct Desk<'a> {
    /// Our name.
    pub hostname: &'a str,
    /// From header; empty for `cpr-milter@HOSTNAME`.
    pub from: &'a str,
    /// In this order.
    pub languages: &'a [Language],
    /// The texts.
    pub templates: &'a Templates,
    /// Notices an hour, for the summary.
    pub per_hour: u32,
}

/// One notice.
pub struct Letter<'a> {
    /// What it says.
    pub kind: Kind,
    /// Incident as people type it.
    pub incident: &'a str,
    /// Of the mail it is about.
    pub envelope: &'a Envelope,
    /// Of the mail it is about.
    pub facts: &'a NoticeFacts,
    /// The one recipient it is about (a DSN); `None` for the notice at intake.
    pub recipient: Option<usize>,
    /// A reviewer decided.
    pub reviewed: bool,
    /// When held content goes.
    pub expires: Option<OffsetDateTime>,
    /// Masked reply of the next hop.
    pub reply: Option<&'a str>,
    /// The sender is not one of ours, and may be forged: told that the mail did not get through, and nothing else.
    pub outside: bool,
    /// The same for every try of the same notice.
    pub date: OffsetDateTime,
}

/// A notice ready to be sent.
#[derive(Debug)]
pub struct Composed {
    /// CRLF lines.
    pub mail: Vec<u8>,
    /// The full text would have carried a number.
    pub minimal: bool,
}

impl Desk<'_> {
    /// Writes the notice: in full; without reference to the original when its Message-ID holds a number; or, when the
    /// full text would carry a number, one that says only that there is something to ask about.
    pub fn write(&self, letter: &Letter<'_>) -> Composed {
        let text = self.text(letter);
        let report = dsn::report(letter, self.hostname);
        for reference in [letter.facts.message_id.as_deref(), None] {
            if let Some(mail) = self.sealed(letter, &text, report.as_ref(), reference) {
                return Composed { mail, minimal: false };
            }
        }
        Composed {
            mail: self.minimal(letter),
            minimal: true,
        }
    }

    /// Subject and text of the notice, for reading: nothing is sent.
    pub fn read(&self, letter: &Letter<'_>) -> (String, String) {
        let text = self.text(letter);
        (text.subject, text.body)
    }

    /// The mail, or nothing when a number is in it.
    fn sealed(
        &self,
        letter: &Letter<'_>,
        text: &Rendered,
        report: Option<&Part>,
        reference: Option<&str>,
    ) -> Option<Vec<u8>> {
        let mut headers = self.headers(letter, &text.subject);
        headers.insert(1, Header::new("To", recipient_header(letter)));
        if let Some(id) = reference.filter(|id| mime::is_message_id(id)) {
            headers.push(Header::new("In-Reply-To", id.trim()));
            headers.push(Header::new("References", id.trim()));
        }
        let date = mail_date(letter.date);
        let arrival = mail_date(letter.facts.received);
        let until = letter.expires.map(mail_date).unwrap_or_default();
        let made = [date.as_str(), arrival.as_str(), until.as_str()];
        // What is encoded in the mail is looked at as it reads.
        let shown: String = headers.iter().map(|header| format!("{}\n", header.text())).collect();
        let machine = report.map(|part| part.text.as_str()).unwrap_or_default();
        let mail = mime::assemble(&headers, &text.body, report, letter.incident);
        let whole = format!("{shown}\n{}\n{machine}\n{mail}", text.body);
        guard::is_clean(&whole, &made, letter.date.date()).then(|| mail.into_bytes())
    }

    fn minimal(&self, letter: &Letter<'_>) -> Vec<u8> {
        let contact = clean(&letter.facts.contact);
        let sound = guard::is_clean(&contact, &[], letter.date.date());
        let texts: Vec<Rendered> = self
            .languages()
            .iter()
            .map(|&language| {
                let other = if language == Language::Da {
                    "jeres it-afdeling"
                } else {
                    "your IT department"
                };
                minimal(language, if sound { &contact } else { other }, letter.incident)
            })
            .collect();
        let text = join(&texts);
        let mut headers = self.headers(letter, &text.subject);
        headers.insert(1, Header::new("To", "undisclosed-recipients:;"));
        mime::assemble(&headers, &text.body, None, letter.incident).into_bytes()
    }

    fn headers(&self, letter: &Letter<'_>, subject: &str) -> Vec<Header> {
        let own = format!("cpr-milter@{}", self.hostname);
        let from = if self.from.trim().is_empty() {
            own.as_str()
        } else {
            self.from.trim()
        };
        let part = letter.recipient.map(|index| format!(".r{index}")).unwrap_or_default();
        // Made of nothing that changes from try to try: a notice sent twice is recognised as one.
        let id = format!("<{}.{}{part}@{}>", letter.incident, letter.kind.word(), self.hostname);
        vec![
            Header::new("From", from),
            Header::new("Subject", subject),
            Header::new("Date", mail_date(letter.date)),
            Header::new("Message-ID", id),
            // RFC 3834 §5; the second one is what Exchange heeds.
            Header::new("Auto-Submitted", "auto-replied"),
            Header::new("X-Auto-Response-Suppress", "All"),
        ]
    }

    fn languages(&self) -> &[Language] {
        if self.languages.is_empty() {
            &[Language::Da, Language::En]
        } else {
            self.languages
        }
    }

    fn text(&self, letter: &Letter<'_>) -> Rendered {
        let texts: Vec<Rendered> = self
            .languages()
            .iter()
            .enumerate()
            .map(|(index, &language)| {
                let hint = if index == 0 {
                    further(self.languages())
                } else {
                    String::new()
                };
                let kind = if letter.outside { Kind::Outside } else { letter.kind };
                let rendered = self.templates.render(kind, language, &self.fields(letter, language));
                let own = self.templates.own_lines(kind, language);
                Rendered {
                    subject: clean(&rendered.subject),
                    body: hint + &guard::masked(&rendered.body, &own),
                }
            })
            .collect();
        join(&texts)
    }

    fn fields(&self, letter: &Letter<'_>, language: Language) -> Fields {
        if letter.outside {
            return self.fields_outside(letter);
        }
        let facts = letter.facts;
        let fate = |word: FateWord| -> Vec<String> {
            // A later DSN is about one recipient; what the others got may have changed since.
            let now = letter.recipient.is_none() || (letter.kind == Kind::Refused && !letter.reviewed);
            let aligned = facts.outcomes.len() == letter.envelope.recipients.len();
            let all = facts.outcomes.iter().enumerate();
            all.filter(|(_, outcome)| now && outcome.fate == word)
                .map(|(index, outcome)| match aligned {
                    // As the sender typed it: facts have domains as A-labels (`xn--…`).
                    true => dsn::shown_recipient(letter.envelope, index),
                    false => clean(&outcome.recipient),
                })
                .collect()
        };
        Fields {
            received: spoken(facts.received, language),
            subject: facts
                .subject
                .as_deref()
                .map(subject)
                .filter(|subject| !subject.is_empty()),
            incident: letter.incident.to_owned(),
            found: facts.found.iter().map(|line| found(line, language)).collect(),
            doubts: facts.doubts.iter().map(|line| doubt(line, language)).collect(),
            people: facts.people,
            held: fate(FateWord::Held),
            redacted: fate(FateWord::Redacted),
            refused: fate(FateWord::Refused),
            delivered: fate(FateWord::Delivered),
            rules: rules(letter),
            // Why the next hop would not take a mail is no policy's doing, nor a rule's.
            policy: match letter.kind {
                Kind::Undelivered => String::new(),
                _ => clean(&facts.policy),
            },
            contact: clean(&facts.contact),
            until: letter.expires.map(|moment| spoken(moment, language)),
            recipient: letter
                .recipient
                .map(|index| dsn::shown_recipient(letter.envelope, index)),
            reviewed: letter.reviewed,
            reply: letter.reply.map(dsn::shown_reply),
            limit: self.per_hour,
            hostname: self.hostname.to_owned(),
        }
    }

    /// All that a template for a stranger may use; what was found cannot get into it by mistake.
    fn fields_outside(&self, letter: &Letter<'_>) -> Fields {
        Fields {
            incident: letter.incident.to_owned(),
            contact: clean(&letter.facts.contact),
            recipient: letter
                .recipient
                .map(|index| dsn::shown_recipient(letter.envelope, index)),
            hostname: self.hostname.to_owned(),
            ..Fields::default()
        }
    }
}

/// Each rule once, in order of the recipients; for a DSN the rule of its recipient alone. Why somebody got the mail as it
/// was written is a reason only where that is what the notice is about.
fn rules(letter: &Letter<'_>) -> Vec<RuleLine> {
    if letter.kind == Kind::Undelivered {
        return Vec::new();
    }
    let outcomes = &letter.facts.outcomes;
    let aligned = outcomes.len() == letter.envelope.recipients.len();
    let own = letter.recipient.filter(|_| aligned);
    let mut lines: Vec<RuleLine> = Vec::new();
    let told = |fate: FateWord| fate != FateWord::Delivered || letter.kind == Kind::Warned;
    let chosen = outcomes
        .iter()
        .enumerate()
        .filter(|(index, outcome)| own.is_none_or(|own| own == *index) && told(outcome.fate));
    for rule in chosen.filter_map(|(_, outcome)| outcome.rule.as_ref()) {
        let line = RuleLine {
            id: clean(&rule.id),
            title: clean(&rule.title),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// One after the other, the later ones announced at the top.
fn join(texts: &[Rendered]) -> Rendered {
    let subjects: Vec<&str> = texts.iter().map(|text| text.subject.as_str()).collect();
    let bodies: Vec<&str> = texts.iter().map(|text| text.body.as_str()).collect();
    let rule = format!("\n\n{}\n\n", "=".repeat(60));
    Rendered {
        subject: subjects.join(" / "),
        body: bodies.join(&rule),
    }
}

/// What stands below in another language, said in that language.
fn further(languages: &[Language]) -> String {
    let hints = languages.iter().skip(1).map(|language| match language {
        Language::Da => "(Dansk tekst nedenfor.)\n",
        Language::En => "(English text below.)\n",
    });
    let hints: String = hints.collect();
    if hints.is_empty() { hints } else { hints + "\n" }
}

fn recipient_header(letter: &Letter<'_>) -> String {
    match super::envelope::address(&letter.envelope.sender_raw) {
        Ok(address) if !address.is_empty() => format!("<{address}>"),
        _ => "undisclosed-recipients:;".to_owned(),
    }
}

/// What the notice at intake is about: the strictest fate of all recipients.
pub fn kind_at_intake(facts: &NoticeFacts) -> Kind {
    let any = |word: FateWord| facts.outcomes.iter().any(|outcome| outcome.fate == word);
    if any(FateWord::Held) {
        Kind::Held
    } else if any(FateWord::Refused) {
        Kind::Refused
    } else if any(FateWord::Redacted) {
        Kind::Redacted
    } else {
        Kind::Warned
    }
}

/// A status line of a DSN for this letter, if it reports on anyone.
pub(super) fn status(letter: &Letter<'_>) -> Option<Status> {
    match (letter.kind, letter.recipient) {
        (Kind::Held, None) => Some(Status::Delayed),
        (Kind::Refused, Some(_)) => Some(Status::Refused),
        (Kind::Expired, Some(_)) => Some(Status::Expired),
        (Kind::Undelivered, Some(_)) => Some(Status::NextHop),
        _ => None,
    }
}
