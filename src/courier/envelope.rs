//! The envelope of one transaction as SMTP words: addresses byte for byte, parameters as far as the server offers them,
//! and nothing that could smuggle a second command.

use std::fmt::Write;

/// One mail to one recipient.
#[derive(Clone, Copy)]
pub struct Transaction<'a> {
    /// MAIL FROM as it came, with or without angle brackets; `<>` for the null sender.
    pub sender: &'a [u8],
    /// ESMTP parameters of MAIL as they came.
    pub sender_args: &'a [String],
    /// RCPT TO as it came.
    pub recipient: &'a [u8],
    /// ESMTP parameters of RCPT as they came.
    pub recipient_args: &'a [String],
    /// The mail, CRLF lines, without dot-stuffing, in pieces that follow each other.
    pub content: &'a [&'a [u8]],
}

/// Why an envelope cannot be said in SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Carriage return, line feed, NUL or another control character.
    #[error("5.1.3 the address or a parameter holds a control character")]
    Control,
    /// Not UTF-8: SMTP knows no other encoding of addresses (RFC 6531 §3.3).
    #[error("5.1.3 the address is not UTF-8")]
    NotUtf8,
    /// A space, `<` or `>` outside quotes, or an unclosed quote: the command would mean something else.
    #[error("5.1.3 the address cannot be written in SMTP")]
    Syntax,
    /// No recipient.
    #[error("5.1.3 the recipient is empty")]
    Empty,
}

/// The two commands, without CRLF.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commands {
    pub(super) mail: String,
    pub(super) rcpt: String,
}

/// Parameters that are passed on, and the extension that must be offered for each. SIZE would be false (we added a
/// line), AUTH is not ours to vouch for, and BODY and SMTPUTF8 are set anew.
const PASSED: [(&str, &str); 5] = [
    ("RET", "DSN"),
    ("ENVID", "DSN"),
    ("NOTIFY", "DSN"),
    ("ORCPT", "DSN"),
    ("REQUIRETLS", "REQUIRETLS"),
];

impl Transaction<'_> {
    /// Puts the envelope into words for a server that offers `offers` (extension keywords in capitals).
    pub(super) fn commands(&self, offers: &[String]) -> Result<Commands, Refused> {
        let sender = address(self.sender)?;
        let recipient = address(self.recipient)?;
        if recipient.is_empty() {
            return Err(Refused::Empty);
        }
        let mut mail = format!("MAIL FROM:<{sender}>");
        if self.eight_bit() && offered(offers, "8BITMIME") {
            mail.push_str(" BODY=8BITMIME");
        }
        let utf8 = has(self.sender_args, "SMTPUTF8") || !sender.is_ascii() || !recipient.is_ascii();
        if utf8 && offered(offers, "SMTPUTF8") {
            mail.push_str(" SMTPUTF8");
        }
        pass(self.sender_args, offers, &mut mail)?;
        let mut rcpt = format!("RCPT TO:<{recipient}>");
        pass(self.recipient_args, offers, &mut rcpt)?;
        Ok(Commands { mail, rcpt })
    }

    fn eight_bit(&self) -> bool {
        self.content.iter().any(|piece| !piece.is_ascii())
    }
}

fn offered(offers: &[String], keyword: &str) -> bool {
    offers.iter().any(|offer| offer == keyword)
}

fn has(args: &[String], keyword: &str) -> bool {
    args.iter().any(|arg| arg.eq_ignore_ascii_case(keyword))
}

/// Appends the parameters that may be passed on.
fn pass(args: &[String], offers: &[String], command: &mut String) -> Result<(), Refused> {
    for arg in args {
        if arg.chars().any(char::is_control) {
            return Err(Refused::Control);
        }
        let keyword = arg.split_once('=').map_or(arg.as_str(), |(keyword, _)| keyword);
        let known = PASSED.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword));
        // A space would begin another parameter. Postfix splits at spaces, so it cannot have come that way.
        if known.is_some_and(|(_, extension)| offered(offers, extension)) && !arg.contains(char::is_whitespace) {
            let _ = write!(command, " {arg}");
        }
    }
    Ok(())
}

/// The address between the angle brackets, checked but not changed.
pub(super) fn address(raw: &[u8]) -> Result<&str, Refused> {
    let text = std::str::from_utf8(raw).map_err(|_| Refused::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(Refused::Control);
    }
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(text);
    let mut quoted = false;
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '<' | '>' if !quoted => return Err(Refused::Syntax),
            _ if c.is_whitespace() && !quoted => return Err(Refused::Syntax),
            _ => {}
        }
    }
    if quoted || escaped {
        Err(Refused::Syntax)
    } else {
        Ok(inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(
        sender: &str,
        sender_args: &[&str],
        to: &str,
        to_args: &[&str],
        body: &[u8],
        offers: &[&str],
    ) -> Commands {
        let own = |args: &[&str]| args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
        Transaction {
            sender: sender.as_bytes(),
            sender_args: &own(sender_args),
            recipient: to.as_bytes(),
            recipient_args: &own(to_args),
            content: &[body],
        }
        .commands(&own(offers))
        .expect("an envelope")
    }

    #[test]
    fn parameters_follow_what_the_server_offers() {
        let args = [
            "SIZE=100",
            "AUTH=<>",
            "BODY=7BIT",
            "SMTPUTF8",
            "RET=HDRS",
            "ENVID=a+20b",
        ];
        let rcpt = ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;b@x.example"];
        let all = commands(
            "<a@x.example>",
            &args,
            "<b@x.example>",
            &rcpt,
            "ø".as_bytes(),
            &["8BITMIME", "SMTPUTF8", "DSN"],
        );
        assert_eq!(
            all.mail,
            "MAIL FROM:<a@x.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b"
        );
        assert_eq!(
            all.rcpt,
            "RCPT TO:<b@x.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@x.example"
        );
        let none = commands("a@x.example", &args, "b@x.example", &rcpt, "ø".as_bytes(), &[]);
        assert_eq!(none.mail, "MAIL FROM:<a@x.example>");
        assert_eq!(none.rcpt, "RCPT TO:<b@x.example>");
    }

    #[test]
    fn addresses_stay_as_they_came() {
        for raw in [
            "<\"a b>\"@x.example>",
            "<Søren.Ø@rødovre.example>",
            "<a..b@x.example>",
            "<@r.example:a@x.example>",
            "<root>",
        ] {
            let said = commands("<>", &[], raw, &[], b"x", &[]);
            assert_eq!(said.rcpt, format!("RCPT TO:{raw}"));
            assert_eq!(said.mail, "MAIL FROM:<>");
        }
        let utf8 = commands("<>", &[], "<ø@x.example>", &[], b"x", &["SMTPUTF8"]);
        assert_eq!(utf8.mail, "MAIL FROM:<> SMTPUTF8");
    }

    #[test]
    fn nothing_smuggles_a_second_command() {
        let cases: [(&[u8], Refused); 8] = [
            (b"<a@x.example>\r\nRCPT TO:<b@x.example>", Refused::Control),
            (b"<a\n@x.example>", Refused::Control),
            (b"<a\0@x.example>", Refused::Control),
            (b"<a@x.example> SIZE=1", Refused::Syntax),
            (b"<a@x.example><b@x.example>", Refused::Syntax),
            (b"<\"a@x.example>", Refused::Syntax),
            (b"<s\xf8ren@x.example>", Refused::NotUtf8),
            (b"<a@x.example\\>", Refused::Syntax),
        ];
        for (raw, expected) in cases {
            assert_eq!(address(raw), Err(expected), "{}", String::from_utf8_lossy(raw));
        }
        let args = ["ENVID=a\r\nDATA".to_owned()];
        let transaction = Transaction {
            sender: b"<>",
            sender_args: &args,
            recipient: b"<a@x.example>",
            recipient_args: &[],
            content: &[],
        };
        assert_eq!(transaction.commands(&[]), Err(Refused::Control));
    }
}
