//! The mail of a test with HTML or attached files, built as a mail program builds one, so that it is read as a real mail is.

use super::cases::{Case, Text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

const BOUNDARY: &str = "=_cpr-milter-policy-test";

/// The whole mail, CRLF lines, all content in base64: what a text holds cannot be taken for structure.
pub(super) fn compose(case: &Case, texts: &[(Text, String)], files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let text = |wanted: Text| texts.iter().find(|(t, _)| *t == wanted).map(|(_, text)| text.as_str());
    let to: Vec<String> = case.to.iter().map(|to| format!("<{}>", to.address)).collect();
    let mut out = format!("From: <{}>\r\nTo: {}\r\n", case.from, to.join(",\r\n "));
    if let Some(subject) = text(Text::Subject) {
        let _ = write!(out, "Subject: {}\r\n", words(subject));
    }
    let _ = write!(
        out,
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n"
    );
    for (kind, body) in [("plain", text(Text::Body)), ("html", text(Text::Html))] {
        if let Some(body) = body {
            part(
                &mut out,
                &format!("Content-Type: text/{kind}; charset=utf-8\r\n"),
                body.as_bytes(),
            );
        }
    }
    // `file_name` and `attachment` belong together, whichever of them is there.
    if text(Text::FileName).or(text(Text::Attachment)).is_some() {
        let name = text(Text::FileName).unwrap_or("vedlagt.txt");
        attachment(&mut out, name, text(Text::Attachment).unwrap_or_default().as_bytes());
    }
    for (path, bytes) in files {
        attachment(&mut out, path.rsplit('/').next().unwrap_or(path), bytes);
    }
    let _ = write!(out, "--{BOUNDARY}--\r\n");
    out.into_bytes()
}

fn attachment(out: &mut String, name: &str, bytes: &[u8]) {
    // RFC 2231 §4: every byte as %XX is always right.
    let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let head = format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''{name}\r\n"
    );
    part(out, &head, bytes);
}

fn part(out: &mut String, head: &str, bytes: &[u8]) {
    let _ = write!(out, "--{BOUNDARY}\r\n{head}Content-Transfer-Encoding: base64\r\n\r\n");
    for line in STANDARD.encode(bytes).as_bytes().chunks(76) {
        out.extend(line.iter().map(|&b| char::from(b)));
        out.push_str("\r\n");
    }
}

/// RFC 2047 encoded words of 45 bytes, cut between characters.
fn words(text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    encoded.collect::<Vec<_>>().join("\r\n ")
}
