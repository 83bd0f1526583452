//! Whether the sender may be told at all. Pure: the milter asks when it judges the mail.
//!
//! A notice to the wrong address tells a stranger what our filter found; a notice to a machine makes a loop (RFC 3834).

use crate::types::Envelope;

/// Whether, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender is to get a notice.
    Notify,
    /// The envelope sender is `<>`: a notice of a notice (RFC 5321 §6.1).
    NullSender,
    /// The sender is not one of ours: it may be forged, and is no business of theirs.
    Outside,
    /// A machine wrote it: `Auto-Submitted` other than `no` (RFC 3834 §5).
    Automatic,
    /// It came over a list, or is bulk mail (RFC 3834 §2).
    List,
    /// `NOTIFY=NEVER` for every recipient (RFC 3461 §4.1).
    NotWanted,
}

impl Verdict {
    /// A notice may go out.
    pub fn is_yes(self) -> bool {
        self == Verdict::Notify
    }

    /// The word for logs and audit records.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Notify => "notify",
            Verdict::NullSender => "null_sender",
            Verdict::Outside => "outside",
            Verdict::Automatic => "automatic",
            Verdict::List => "list",
            Verdict::NotWanted => "not_wanted",
        }
    }
}

/// `headers` are name and unfolded value as they came; `inside` says that the policy counts the sender among its own.
/// Loop checks come before all others.
pub fn may_notify<'a>(
    envelope: &Envelope,
    headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    inside: bool,
) -> Verdict {
    if envelope.sender.is_none() {
        return Verdict::NullSender;
    }
    let mut list = false;
    for (name, value) in headers {
        let name = name.trim_ascii();
        if name.eq_ignore_ascii_case(b"Auto-Submitted") && !first_word(value).eq_ignore_ascii_case(b"no") {
            return Verdict::Automatic;
        }
        list |= list_header(name, value);
    }
    if list {
        return Verdict::List;
    }
    if !inside {
        return Verdict::Outside;
    }
    let wanted = |args: &[String]| !args.iter().any(|arg| arg.trim().eq_ignore_ascii_case("NOTIFY=NEVER"));
    if !envelope.recipients.is_empty() && !envelope.recipients.iter().any(|recipient| wanted(&recipient.args)) {
        return Verdict::NotWanted;
    }
    Verdict::Notify
}

fn list_header(name: &[u8], value: &[u8]) -> bool {
    let list = [&b"List-Id"[..], b"List-Post", b"List-Unsubscribe", b"Mailing-List"];
    if list.iter().any(|list| name.eq_ignore_ascii_case(list)) {
        return true;
    }
    let bulk = [&b"bulk"[..], b"list", b"junk"];
    name.eq_ignore_ascii_case(b"Precedence") && bulk.iter().any(|word| first_word(value).eq_ignore_ascii_case(word))
}

/// The first word, without comments before it and parameters behind it.
fn first_word(value: &[u8]) -> &[u8] {
    let mut value = value.trim_ascii_start();
    while let Some(comment) = value.strip_prefix(b"(") {
        let end = comment
            .iter()
            .position(|&b| b == b')')
            .map_or(comment.len(), |at| at + 1);
        value = comment.get(end..).unwrap_or_default().trim_ascii_start();
    }
    let end = value
        .iter()
        .position(|&b| b.is_ascii_whitespace() || b == b';' || b == b'(')
        .unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Address, Recipient};

    fn envelope(sender: &str, notify: &[&str]) -> Envelope {
        let recipient = |args: &&str| Recipient {
            raw: b"<b@outside.example>".to_vec(),
            address: Address::parse(b"b@outside.example").ok(),
            args: args.split_whitespace().map(str::to_owned).collect(),
        };
        Envelope {
            sender_raw: sender.as_bytes().to_vec(),
            sender: Address::parse(sender.as_bytes()).ok(),
            recipients: notify.iter().map(recipient).collect(),
            ..Envelope::default()
        }
    }

    #[test]
    fn the_table_of_those_who_are_not_told() {
        const ANNA: &str = "<anna@kommune.example>";
        type Row<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], bool, Verdict);
        let rows: &[Row<'_>] = &[
            (ANNA, &[""], &[], true, Verdict::Notify),
            (ANNA, &[""], &[("Auto-Submitted", "no")], true, Verdict::Notify),
            (
                ANNA,
                &[""],
                &[("Auto-Submitted", " (a person) No; x=y")],
                true,
                Verdict::Notify,
            ),
            (ANNA, &[""], &[("Precedence", "normal")], true, Verdict::Notify),
            (ANNA, &["NOTIFY=NEVER", "NOTIFY=FAILURE"], &[], true, Verdict::Notify),
            (
                ANNA,
                &["NOTIFY=FAILURE ORCPT=rfc822;b@outside.example"],
                &[],
                true,
                Verdict::Notify,
            ),
            ("<>", &[""], &[], true, Verdict::NullSender),
            (ANNA, &[""], &[], false, Verdict::Outside),
            (
                ANNA,
                &[""],
                &[("Auto-Submitted", "auto-replied")],
                true,
                Verdict::Automatic,
            ),
            (
                ANNA,
                &[""],
                &[("auto-submitted", "auto-generated; owner-email=x")],
                true,
                Verdict::Automatic,
            ),
            (ANNA, &[""], &[("Auto-Submitted", "")], true, Verdict::Automatic),
            (ANNA, &[""], &[("Auto-Submitted", "(no")], true, Verdict::Automatic),
            (ANNA, &[""], &[("Auto-Submitted", "nobody")], true, Verdict::Automatic),
            (
                ANNA,
                &[""],
                &[("LIST-ID", "<ansatte.kommune.example>")],
                true,
                Verdict::List,
            ),
            (
                ANNA,
                &[""],
                &[("List-Unsubscribe", "<mailto:x@kommune.example>")],
                true,
                Verdict::List,
            ),
            (ANNA, &[""], &[("Precedence", "bulk")], true, Verdict::List),
            (ANNA, &[""], &[("Precedence", "List")], true, Verdict::List),
            (ANNA, &[""], &[("Precedence", "junk")], true, Verdict::List),
            (ANNA, &["NOTIFY=NEVER", "notify=never"], &[], true, Verdict::NotWanted),
            ("<>", &["NOTIFY=NEVER"], &[("List-Id", "x")], false, Verdict::NullSender),
        ];
        for (sender, notify, headers, inside, expected) in rows {
            let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let verdict = may_notify(&envelope(sender, notify), headers, *inside);
            assert_eq!(verdict, *expected, "{sender} {notify:?} inside {inside}");
        }
    }
}
