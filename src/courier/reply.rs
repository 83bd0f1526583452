//! What the other side said, as far as it may be kept: an SMTP reply names the recipient and sometimes quotes content,
//! so it is masked the moment it arrives.

use crate::cpr::mask;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::response::Response;
use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

/// Characters of a reply that are kept; RFC 5321 §4.5.3.1.5 allows 512 octets a line.
const KEPT: usize = 400;

/// A reply, or a failure in our own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three-digit code; `None` when there was no reply.
    pub code: Option<u16>,
    /// Text without the code: masked, one line, local parts removed.
    pub text: String,
}

impl Reply {
    /// A failure in our own words.
    pub fn ours(text: impl Into<String>) -> Reply {
        Reply {
            code: None,
            text: shown(&text.into()),
        }
    }

    pub(super) fn of(response: &Response) -> Reply {
        let lines: Vec<&str> = response.message().collect();
        Reply {
            code: Some(response.code().into()),
            text: shown(&lines.join(" ")),
        }
    }

    /// A negative reply (then `code` is there), or a failure of the connection.
    pub(super) fn of_error(error: &LettreError) -> Reply {
        if let Some(code) = error.status() {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            return Reply {
                code: Some(code.into()),
                text: shown(&text),
            };
        }
        Reply::ours(failure(error))
    }

    /// The enhanced status (RFC 3463) at the start of the text: safe to log, as the code is.
    pub fn status(&self) -> Option<&str> {
        let word = self.text.split_whitespace().next()?;
        let mut fields = word.split('.');
        let class = fields.next()?;
        let numbers = [fields.next()?, fields.next()?];
        let short = |n: &str| (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
        let sound = matches!(class, "2" | "4" | "5") && fields.next().is_none() && numbers.into_iter().all(short);
        sound.then_some(word)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code} {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Words for a connection that failed. lettre's own text may quote what the peer sent, so it is not used.
fn failure(error: &LettreError) -> &'static str {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time",
                ErrorKind::ConnectionRefused => "nobody listens there (connection refused)",
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                    "the connection was cut"
                }
                ErrorKind::InvalidData => "the answer was not text",
                _ => "the connection failed",
            };
        }
        source = cause.source();
    }
    if error.is_response() {
        "the connection ended, or what came was no SMTP reply"
    } else {
        "the connection failed"
    }
}

/// Postfix's queue ID in `2.0.0 Ok: queued as 4XyZ…`.
pub(super) fn queue_id(response: &Response) -> Option<String> {
    let rest = response.message().find_map(|line| line.split_once("queued as "))?.1;
    let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).take(24).collect();
    (id.len() >= 6).then_some(id)
}

/// One masked line: control characters become spaces, addresses keep their domain alone.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(4 * KEPT) {
        out.push(if c.is_control() { ' ' } else { c });
    }
    let masked = mask(&without_local_parts(&out));
    masked.trim().chars().take(KEPT).collect()
}

/// `<anna@kommune.example>` becomes `<…@kommune.example>`.
fn without_local_parts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        out.push('<');
        let Some((inner, tail)) = after.split_once('>') else {
            out.push('…');
            return out;
        };
        match inner.rsplit_once('@') {
            Some((_, domain)) => {
                out.push_str("…@");
                out.push_str(domain);
            }
            None if inner.is_empty() => {}
            None => out.push('…'),
        }
        out.push('>');
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(lines: &[&str]) -> Response {
        let text: String = lines.iter().enumerate().fold(String::new(), |text, (i, line)| {
            text + "250" + if i + 1 == lines.len() { " " } else { "-" } + line + "\r\n"
        });
        text.parse().expect("a reply")
    }

    #[test]
    fn postfix_names_its_queue_id() {
        assert_eq!(
            queue_id(&response(&["2.0.0 Ok: queued as 4Yb1Zk0vQhz9rD"])),
            Some("4Yb1Zk0vQhz9rD".to_owned())
        );
        assert_eq!(
            queue_id(&response(&["first", "2.0.0 Ok: queued as 9F3A21B0C4"])),
            Some("9F3A21B0C4".to_owned())
        );
        assert_eq!(queue_id(&response(&["2.0.0 Ok"])), None);
        assert_eq!(queue_id(&response(&["queued as ."])), None);
    }

    #[test]
    fn local_parts_and_control_characters_are_not_kept() {
        let reply = Reply::ours("5.1.1 <anna.b@kommune.example>: no\r\nsuch user <>");
        assert_eq!(reply.text, "5.1.1 <…@kommune.example>: no  such user <>");
        assert_eq!(Reply::ours("<open").text, "<…");
        assert_eq!(Reply::ours("x".repeat(9000)).text.len(), KEPT);
    }

    #[test]
    fn the_enhanced_status_is_told_from_text_that_looks_like_it() {
        assert_eq!(Reply::ours("5.1.1 no").status(), Some("5.1.1"));
        for text in ["", "no", "5.1", "5.1.1.1 x", "9.1.1 x", "5.1.1234 x", "5..1"] {
            assert_eq!(Reply::ours(text).status(), None, "{text}");
        }
    }
}
