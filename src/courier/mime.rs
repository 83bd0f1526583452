//! The mail round a notice: headers, encoded words, `multipart/report`, lines that fit.

use super::dsn::Part;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where text is folded for reading; SMTP's own limit is 998 (RFC 5322 §2.1.1).
const WIDTH: usize = 76;

/// A header field, with its text as it reads.
pub(super) struct Header {
    name: &'static str,
    value: String,
}

impl Header {
    /// Line breaks become spaces: a value never makes a second field.
    pub(super) fn new(name: &'static str, value: impl Into<String>) -> Header {
        let value: String = value
            .into()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Header { name, value }
    }

    /// As it reads.
    pub(super) fn text(&self) -> String {
        format!("{}: {}", self.name, self.value)
    }

    /// As it is written. Addresses stay UTF-8 (RFC 6532), a display name before one is encoded.
    fn written(&self) -> String {
        let value = match self.name {
            "Subject" => encoded(&self.value),
            "From" => match self.value.rsplit_once('<') {
                Some((name, address)) if !name.is_ascii() => {
                    format!("{} <{address}", encoded(name.trim().trim_matches('"')))
                }
                _ => self.value.clone(),
            },
            _ => self.value.clone(),
        };
        format!("{}: {value}\r\n", self.name)
    }
}

/// Plain text folded at spaces; other text as RFC 2047 encoded words of at most 75 characters, one a line.
fn encoded(text: &str) -> String {
    if text.is_ascii() && text.split(' ').all(|word| word.len() < WIDTH) {
        return folded_at_spaces(text);
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        // 45 octets make 60 characters, with `=?utf-8?B?` and `?=` 72.
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

/// RFC 5322 §2.2.3: a line break goes before a space that is there already.
fn folded_at_spaces(text: &str) -> String {
    let mut out = String::new();
    let mut length = "Subject:".len();
    for word in text.split_whitespace() {
        if length + 1 + word.len() > WIDTH {
            out.push_str("\r\n");
            length = 0;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        length += 1 + word.len();
        out.push_str(word);
    }
    out
}

/// `<left@right>` without spaces or more.
pub(super) fn is_message_id(text: &str) -> bool {
    let text = text.trim();
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| {
        inner.contains('@')
            && inner.len() < 900
            && inner.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
    })
}

/// The whole mail. With a report it is `multipart/report` (RFC 6522) of two parts; the third, the original's headers, is
/// optional and would repeat what we keep back.
pub(super) fn assemble(headers: &[Header], body: &str, report: Option<&Part>, incident: &str) -> String {
    let mut mail: String = headers.iter().map(Header::written).collect();
    mail.push_str("MIME-Version: 1.0\r\n");
    let text = format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}",
        crlf(&folded(body))
    );
    let Some(report) = report else {
        return mail + &text;
    };
    let boundary = format!(
        "=_cpr-milter_{}",
        incident.replace(|c: char| !c.is_ascii_alphanumeric(), "")
    );
    mail.push_str(&format!(
        "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\r\n"
    ));
    mail.push_str(&format!(
        "This is a MIME-encapsulated message.\r\n\r\n--{boundary}\r\n{text}\r\n--{boundary}\r\n"
    ));
    let eight_bit = if report.text.is_ascii() {
        ""
    } else {
        "Content-Transfer-Encoding: 8bit\r\n"
    };
    mail.push_str(&format!(
        "Content-Type: {}\r\n{eight_bit}\r\n{}\r\n",
        report.media_type,
        crlf(&report.text)
    ));
    mail.push_str(&format!("--{boundary}--\r\n"));
    mail
}

fn crlf(text: &str) -> String {
    text.lines().map(|line| format!("{line}\r\n")).collect()
}

/// Lines of at most [`WIDTH`] characters, list items with a hanging indent, never two empty lines together.
fn folded(text: &str) -> String {
    let mut out = String::new();
    let mut empty = false;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            empty = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut empty) {
            out.push('\n');
        }
        fold_line(line, &mut out);
    }
    out
}

fn fold_line(line: &str, out: &mut String) {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let mut length = 0;
    for word in line.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > WIDTH {
            out.push('\n');
            out.push_str(indent);
            length = indent.len();
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        // A word that fits no line is cut, so that no line is ever too long for SMTP.
        while word.len() > 4 * WIDTH {
            let rest = word.split_off(4 * WIDTH);
            out.extend(word);
            out.push('\n');
            word = rest;
        }
        length += word.len();
        out.extend(word);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_and_lists_keep_their_indent() {
        let item = format!("- {}", "ord ".repeat(40));
        let out = folded(&format!("\n\nHej\n\n\n\n{item}\n{}\n", "x".repeat(1000)));
        assert!(out.starts_with("Hej\n\n- ord"));
        assert!(out.lines().all(|line| line.chars().count() <= 4 * WIDTH + 2));
        assert!(
            out.lines().filter(|line| line.starts_with("  ord")).count() >= 2,
            "{out}"
        );
        assert_eq!(out.replace(['\n', ' '], "").len(), "Hej-".len() + 40 * 3 + 1000);
    }

    #[test]
    fn a_header_stays_one_header() {
        let header = Header::new("Subject", "a\r\nBcc: b@x.example");
        assert_eq!(header.written(), "Subject: a Bcc: b@x.example\r\n");
        let danish = Header::new("Subject", "Din mail er sløret ".repeat(20)).written();
        assert!(danish.split("\r\n").all(|line| line.len() <= 78 + "Subject: ".len()));
        assert!(danish.is_ascii());
        let from = Header::new("From", "Mailfilter på kommunen <filter@kommune.example>").written();
        assert!(
            from.is_ascii() && from.ends_with(" <filter@kommune.example>\r\n"),
            "{from}"
        );
    }

    #[test]
    fn message_ids_are_repeated_only_when_they_are_some() {
        assert!(is_message_id(" <a.b@x.example> "));
        for odd in ["", "a@x", "<a>", "<a b@x>", "<a@x>\r\nBcc: b", "<a@x><b@x>"] {
            assert!(!is_message_id(odd), "{odd}");
        }
    }
}
