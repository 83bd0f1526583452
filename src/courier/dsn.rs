//! The half of a notice that mail programs read: RFC 3464 fields for each recipient that waits or gets nothing.
//!
//! A notice about copies that did go out (redacted, warned) is no DSN: programs would show it as a failure.

use super::dates::mail_date;
use super::envelope::address;
use super::notice::{Letter, status};
use super::words::clean;
use crate::cpr::mask;
use crate::types::{Envelope, FateWord};
use std::fmt::Write;

/// What is reported of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Waits for review: delayed, 4.7.1.
    Delayed,
    /// A rule or a reviewer decided: failed, 5.7.1.
    Refused,
    /// Nobody decided in time: failed, 5.4.7.
    Expired,
    /// The next hop decided: failed, with its status.
    NextHop,
}

/// A body part.
pub(super) struct Part {
    /// `message/delivery-status`, or its `global` form (RFC 6533) when an address is not ASCII.
    pub(super) media_type: &'static str,
    /// LF lines.
    pub(super) text: String,
}

/// The status part; `None` when nobody is to be reported on.
pub(super) fn report(letter: &Letter<'_>, hostname: &str) -> Option<Part> {
    let status = status(letter)?;
    let mut fields = String::new();
    let mut global = false;
    for index in reported(letter, status) {
        let recipient = shown_recipient(letter.envelope, index);
        global |= !ascii(&recipient).1;
        fields.push('\n');
        per_recipient(letter, status, index, &recipient, &mut fields);
    }
    if fields.is_empty() {
        return None;
    }
    let mut text = format!("Reporting-MTA: dns; {}\n", ascii(hostname).0);
    if let Some(id) = parameter(&letter.envelope.sender_args, "ENVID") {
        let _ = writeln!(text, "Original-Envelope-Id: {id}");
    }
    let _ = writeln!(text, "Arrival-Date: {}", mail_date(letter.facts.received));
    text.push_str(&fields);
    Some(Part {
        media_type: if global {
            "message/global-delivery-status"
        } else {
            "message/delivery-status"
        },
        text,
    })
}

/// Recipients that a DSN may name: those whose `NOTIFY` asks for it (RFC 3461 §4.1).
fn reported(letter: &Letter<'_>, status: Status) -> Vec<usize> {
    let outcomes = &letter.facts.outcomes;
    let recipients = &letter.envelope.recipients;
    match letter.recipient {
        Some(index) => recipients.get(index).map(|_| index).into_iter().collect(),
        None if outcomes.len() != recipients.len() => Vec::new(),
        None => {
            let held = outcomes.iter().zip(recipients).enumerate();
            held.filter(|(_, (outcome, recipient))| {
                status == Status::Delayed && outcome.fate == FateWord::Held && recipient.notify().delay
            })
            .map(|(index, _)| index)
            .collect()
        }
    }
}

fn per_recipient(letter: &Letter<'_>, status: Status, index: usize, recipient: &str, out: &mut String) {
    let args = letter
        .envelope
        .recipients
        .get(index)
        .map(|recipient| recipient.args.as_slice())
        .unwrap_or_default();
    if let Some(original) = parameter(args, "ORCPT").filter(|value| value.contains(';')) {
        let _ = writeln!(out, "Original-Recipient: {original}");
    }
    let (plain, is_ascii) = ascii(recipient);
    if is_ascii {
        let _ = writeln!(out, "Final-Recipient: rfc822; {plain}");
    } else {
        let _ = writeln!(out, "Final-Recipient: utf-8; {recipient}");
    }
    let (action, code) = match status {
        Status::Delayed => ("delayed", "4.7.1"),
        Status::Refused => ("failed", "5.7.1"),
        Status::Expired => ("failed", "5.4.7"),
        Status::NextHop => ("failed", next_hop_status(letter.reply)),
    };
    let _ = writeln!(out, "Action: {action}\nStatus: {code}");
    if let (Status::NextHop, Some(reply)) = (status, letter.reply) {
        let _ = writeln!(out, "Diagnostic-Code: smtp; {}", diagnostic(reply));
    }
    if let (Status::Delayed, Some(expires)) = (status, letter.expires) {
        let _ = writeln!(out, "Will-Retry-Until: {}", mail_date(expires));
    }
}

/// A reply of the next hop, taken apart: six digits in a row are masked wherever they stand, and `550 5.1.1` are six.
#[derive(Debug, PartialEq, Eq)]
struct Answer<'a> {
    code: Option<&'a str>,
    status: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Answer<'a> {
    fn read(reply: &'a str) -> Answer<'a> {
        let digits = |word: &str| (1..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
        let enhanced = |word: &str| word.split('.').count() == 3 && word.split('.').all(digits);
        let masked = |word: &str| !word.is_empty() && word.chars().all(|c| c == '•' || c == '.');
        let mut answer = Answer {
            code: None,
            status: None,
            rest: reply.trim(),
        };
        // The code and the status at most, known or masked.
        for _ in 0..2 {
            let (word, rest) = answer.rest.split_once(' ').unwrap_or((answer.rest, ""));
            if word.len() == 3 && digits(word) && answer.code.is_none() {
                answer.code = Some(word);
            } else if enhanced(word) && answer.status.is_none() {
                answer.status = Some(word);
            } else if !masked(word) {
                break;
            }
            answer.rest = rest.trim_start();
        }
        answer
    }
}

/// The next hop's reply for people: `550, status 5.1.1: User unknown`.
pub(super) fn shown_reply(reply: &str) -> String {
    let answer = Answer::read(reply);
    let status = answer.status.map(|status| format!("status {status}"));
    let codes: Vec<String> = answer.code.map(str::to_owned).into_iter().chain(status).collect();
    let rest = clean(answer.rest);
    if codes.is_empty() {
        rest
    } else {
        format!("{}: {rest}", codes.join(", "))
    }
}

/// The next hop's reply for programs: `550 5.1.1 User unknown`.
fn diagnostic(reply: &str) -> String {
    let answer = Answer::read(reply);
    let words = [
        answer.code.unwrap_or("550"),
        answer.status.unwrap_or_default(),
        &clean(answer.rest),
    ]
    .join(" ");
    ascii(&words).0
}

/// Its status, if it is one of failure; 5.0.0 when the server gave none.
fn next_hop_status(reply: Option<&str>) -> &str {
    let status = reply.and_then(|reply| Answer::read(reply).status);
    status.filter(|status| status.starts_with("5.")).unwrap_or("5.0.0")
}

/// The recipient's address as it may be shown: masked.
pub(super) fn shown_recipient(envelope: &Envelope, index: usize) -> String {
    let Some(recipient) = envelope.recipients.get(index) else {
        return "(unknown)".to_owned();
    };
    match address(&recipient.raw) {
        Ok(text) => clean(text),
        Err(_) => recipient
            .address
            .as_ref()
            .map_or_else(|| "(unknown)".to_owned(), |known| clean(&known.to_string())),
    }
}

/// For fields that are ASCII: marks of masking become `x`. False when other characters are in it.
fn ascii(text: &str) -> (String, bool) {
    let plain: String = text.chars().map(|c| if c == '•' { 'x' } else { c }).collect();
    let is_ascii = plain.is_ascii();
    (
        plain.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
        is_ascii,
    )
}

/// An ESMTP parameter out of its xtext (RFC 3461 §4), unless it is not plain ASCII text or a number may be in it.
fn parameter(args: &[String], name: &str) -> Option<String> {
    let value = args.iter().find_map(|arg| {
        let (keyword, value) = arg.split_once('=')?;
        keyword.eq_ignore_ascii_case(name).then_some(value)
    })?;
    let mut out = String::new();
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c == '+' {
            let hex: String = rest.by_ref().take(2).collect();
            out.push(char::from(u8::from_str_radix(&hex, 16).ok()?));
        } else {
            out.push(c);
        }
    }
    let plain = !out.is_empty() && out.len() <= 400 && out.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    (plain && mask(&out) == out).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_is_undone_and_nothing_odd_is_repeated() {
        let args = |text: &str| vec![text.to_owned()];
        assert_eq!(
            parameter(&args("orcpt=rfc822;a+2Bb@x.example"), "ORCPT").as_deref(),
            Some("rfc822;a+b@x.example")
        );
        for odd in ["ENVID=", "ENVID=a+0D+0Ab", "ENVID=a+2", "ENVID=a+zz", "RET=HDRS"] {
            assert_eq!(parameter(&args(odd), "ENVID"), None, "{odd}");
        }
    }

    #[test]
    fn the_next_hop_is_quoted_by_its_status() {
        assert_eq!(next_hop_status(Some("550 5.1.1 no such user")), "5.1.1");
        assert_eq!(next_hop_status(Some("5.1.3 not UTF-8")), "5.1.3");
        assert_eq!(next_hop_status(Some("450 4.2.0 later")), "5.0.0");
        assert_eq!(shown_reply("550 5.1.1 no such user"), "550, status 5.1.1: no such user");
        assert_eq!(shown_reply("••• •.•.• no such user"), "no such user");
        assert_eq!(shown_reply("given up after five days"), "given up after five days");
        assert_eq!(diagnostic("550 5.1.1 <…@x.example> no"), "550 5.1.1 <?@x.example> no");
        assert_eq!(next_hop_status(Some("550 no")), "5.0.0");
        assert_eq!(next_hop_status(None), "5.0.0");
    }
}
