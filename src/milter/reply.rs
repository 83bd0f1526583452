//! What the client reads: one ASCII line with the right codes.
//!
//! Postfix blanks bytes that are not ASCII and takes `%` as an escape (`milter8_valid_smtp_reply`), and the milter library
//! drops the text silently when its class does not match the status; so both are made together here and nowhere else.

use super::world::Trouble;
use crate::cpr::mask;
use crate::store::IncidentId;
use indymilter::{SetErrorReply, SmtpReply, Status};
use std::fmt::Write as _;

/// Longest text; RFC 5321 §4.5.3.1.5 allows 512 octets for the line.
const LONGEST: usize = 400;

/// 550 5.7.1 with the rule and the incident, for the person who reads the bounce.
pub fn refuse(reply: &mut SmtpReply, rule: &str, incident: &IncidentId) -> Status {
    answer(reply, "550", "5.7.1", &refusal(rule, incident))
}

/// Its text.
pub fn refusal(rule: &str, incident: &IncidentId) -> String {
    let mut text = String::from("Message refused: it holds personal numbers that must not be sent to this recipient");
    let _ = write!(text, " (rule {}, incident {incident})", mask(rule));
    text
}

/// 451 (452 when a disk is full): the client keeps the mail and tries again.
pub fn defer(reply: &mut SmtpReply, trouble: &Trouble) -> Status {
    match trouble {
        Trouble::Store { full: true, .. } => {
            answer(reply, "452", "4.3.1", "No room to keep the message, try again later")
        }
        Trouble::Busy | Trouble::Stopping => answer(reply, "451", "4.7.1", "Mail filter is busy, try again later"),
        _ => answer(
            reply,
            "451",
            "4.7.1",
            "Message could not be checked now, try again later",
        ),
    }
}

fn answer(reply: &mut SmtpReply, code: &str, enhanced: &str, text: &str) -> Status {
    // A line that is refused here leaves the bare status, which has the same class: the fate stays, the words are lost.
    let line = escape(text);
    if let Err(error) = reply.set_error_reply(code, Some(enhanced), [line.as_str()]) {
        tracing::error!(%error, "a reply text was not accepted");
    }
    if code.starts_with('5') {
        Status::Reject
    } else {
        Status::Tempfail
    }
}

/// ASCII with `%` doubled; Danish letters are transliterated as in file names and old telegrams.
fn escape(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'æ' | 'ä' => line.push_str("ae"),
            'ø' | 'ö' => line.push_str("oe"),
            'å' => line.push_str("aa"),
            'Æ' | 'Ä' => line.push_str("Ae"),
            'Ø' | 'Ö' => line.push_str("Oe"),
            'Å' => line.push_str("Aa"),
            'é' => line.push('e'),
            '•' => line.push('*'),
            '%' => line.push_str("%%"),
            ' '..='~' => line.push(c),
            _ => line.push('?'),
        }
        if line.len() >= LONGEST {
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_ascii_with_doubled_percent_signs() {
        assert_eq!(escape("Børn på 100 % ÆØÅ\r\n—"), "Boern paa 100 %% AeOeAa???");
    }

    #[test]
    fn replies_are_never_longer_than_a_line() {
        assert!(escape(&"%".repeat(5_000)).len() <= LONGEST + 1);
        assert!(escape(&"å".repeat(5_000)).len() <= LONGEST + 1);
    }
}
