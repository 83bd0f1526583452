//! Well-formed mails of any shape: read whole, without a doubt, and redacted without touching anything else.

use crate::cases::number;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cpr_milter::content::{Budget, Changes, Content, Limits};
use cpr_milter::message;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Node {
    Leaf(Encoding, String),
    Mail(Box<Node>),
    Multi(&'static str, Vec<Node>),
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    None,
    EightBit,
    Quoted,
    Base64(usize),
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::None),
        Just(Encoding::EightBit),
        Just(Encoding::Quoted),
        (1_usize..25).prop_map(|n| Encoding::Base64(n * 4)),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let text = "([-a-zæøå0-9=<>. ]{0,50}\n){0,6}[-a-zæøå =.]{0,20}";
    let leaf = (encoding(), text, 0_usize..1000, any::<bool>()).prop_map(|(encoding, text, seed, planted)| {
        let number = if planted { number(seed) } else { String::new() };
        Node::Leaf(encoding, format!("{text}x{number}y"))
    });
    leaf.prop_recursive(4, 12, 4, |inner| {
        let kinds = prop::sample::select(vec!["mixed", "alternative", "related", "report"]);
        prop_oneof![
            3 => (kinds, prop::collection::vec(inner.clone(), 1..4)).prop_map(|(kind, nodes)| Node::Multi(kind, nodes)),
            1 => inner.prop_map(|node| Node::Mail(Box::new(node))),
        ]
    })
}

/// Writes header and body; `leaves` collects what must be read back.
fn write(node: &Node, next: &mut usize, out: &mut String, leaves: &mut Vec<String>) {
    match node {
        Node::Leaf(encoding, text) => {
            leaves.push(text.clone());
            let (name, body) = match encoding {
                Encoding::None => ("", text.clone()),
                Encoding::EightBit => ("Content-Transfer-Encoding: 8bit\n", text.clone()),
                Encoding::Quoted => ("Content-Transfer-Encoding: quoted-printable\n", quoted(text)),
                Encoding::Base64(width) => ("Content-Transfer-Encoding: base64\n", wrapped(text, *width)),
            };
            out.push_str(&format!("Content-Type: text/plain; charset=utf-8\n{name}\n{body}"));
        }
        Node::Mail(inner) => {
            let mut mail = String::from("Subject: inde\n");
            write(inner, next, &mut mail, &mut Vec::new());
            leaves.push(mail.clone());
            out.push_str(&format!("Content-Type: message/rfc822\n\n{mail}"));
        }
        Node::Multi(kind, nodes) => {
            *next += 1;
            let boundary = format!("----=_Part_{next}_{}.x", *next * 7919);
            out.push_str(&format!(
                "Content-Type: multipart/{kind};\n boundary=\"{boundary}\"\n\n"
            ));
            for node in nodes {
                out.push_str(&format!("--{boundary}\n"));
                write(node, next, out, leaves);
                out.push('\n');
            }
            out.push_str(&format!("--{boundary}--\n"));
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        for (n, b) in line.trim_end_matches('\n').bytes().enumerate() {
            if n > 0 && n % 20 == 0 {
                out.push_str("=\n");
            }
            if b.is_ascii_alphanumeric() || b == b'-' && n % 2 == 0 {
                out.push(char::from(b));
            } else {
                out.push_str(&format!("={b:02X}"));
            }
        }
        if line.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// base64 of the text with CRLF, as canonical text has it.
fn wrapped(text: &str, width: usize) -> String {
    let encoded = STANDARD.encode(text);
    let lines: Vec<_> = encoded.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}

fn read(bytes: &[u8]) -> Content<'_> {
    message::read(bytes, &mut Budget::new(Limits::default()))
}

/// Ten digits with a dash, starred.
fn starred(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    for at in 0..out.len().saturating_sub(10) {
        let found = out[at..at + 11]
            .iter()
            .enumerate()
            .all(|(n, b)| if n == 6 { *b == b'-' } else { b.is_ascii_digit() });
        if found {
            out[at..at + 11].copy_from_slice(b"******-****");
        }
    }
    String::from_utf8(out).expect("only ASCII changed")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn well_formed_mail_is_read_whole_and_redacted_exactly(node in node(), crlf in any::<bool>()) {
        let mut leaves = Vec::new();
        let mut raw = String::from("From: a@kommune.example\nMIME-Version: 1.0\n");
        write(&node, &mut 0, &mut raw, &mut leaves);
        let lines = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        let raw = lines(&raw).into_bytes();
        let content = read(&raw);
        prop_assert!(content.doubts.is_empty(), "{:?}", content.doubts);
        prop_assert_eq!(content.children.len(), leaves.len());
        for (child, leaf) in content.children.iter().zip(&leaves) {
            // Line breaks inside base64 are those of the text itself.
            let got = String::from_utf8_lossy(&child.bytes).replace("\r\n", "\n");
            prop_assert_eq!(&got, leaf);
        }
        // Texts change; nested mails stay as they are.
        let changes = Changes {
            children: content.children.iter().enumerate().filter(|(_, c)| c.hint.media_type == "text/plain").map(|(n, c)| {
                (n, starred(&String::from_utf8_lossy(&c.bytes)).into_bytes())
            }).collect(),
            ..Changes::default()
        };
        let result = message::rebuild(&raw, &content, changes).expect("well-formed");
        prop_assert_eq!(message::headers(&result), message::headers(&raw));
        let after = read(&result);
        prop_assert!(after.doubts.is_empty());
        for (child, leaf) in after.children.iter().zip(&leaves) {
            let text = child.hint.media_type == "text/plain";
            let wanted = if text { starred(leaf) } else { leaf.clone() };
            prop_assert_eq!(String::from_utf8_lossy(&child.bytes).replace("\r\n", "\n"), wanted);
        }
    }
}
