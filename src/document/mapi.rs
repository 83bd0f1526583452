//! Properties of Outlook items ([MS-OXPROPS]), as `.msg` files and winmail.dat both hold them.

use super::{charset, doubt, entry_doubt, lzfu, strings};
use crate::content::{Budget, Child, Content, Hint, SourceMap, Spent, View};
use crate::types::{DoubtKind, Location, OfficePlace, PartPath};
use std::borrow::Cow;

/// A property's identifier.
pub(super) mod id {
    pub const BODY: u16 = 0x1000;
    pub const RTF: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const HEADERS: u16 = 0x007d;
    pub const DISPLAY_NAME: u16 = 0x3001;
    pub const ATTACH_DATA: u16 = 0x3701;
    pub const ATTACH_NAME: u16 = 0x3704;
    pub const ATTACH_LONG_NAME: u16 = 0x3707;
    pub const ATTACH_TYPE: u16 = 0x370e;
    pub const MESSAGE_CLASS: u16 = 0x001a;
}

/// Whose property it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Message,
    Recipient,
    /// The child of that number.
    Attachment(u32),
}

/// What is known of a file attached to an item.
#[derive(Default)]
pub(super) struct Attached {
    pub long_name: Option<String>,
    pub name: Option<String>,
    pub display_name: Option<String>,
    pub media_type: Option<String>,
    pub data: Option<Vec<u8>>,
}

impl Attached {
    /// Keeps what names the file.
    pub fn learn(&mut self, property: u16, text: &str) {
        let text = text.trim_end_matches('\0').to_owned();
        match property {
            id::ATTACH_LONG_NAME => self.long_name = Some(text),
            id::ATTACH_NAME => self.name = Some(text),
            id::DISPLAY_NAME => self.display_name = Some(text),
            id::ATTACH_TYPE => self.media_type = Some(text.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// The child. Data that is none is a doubt: a link to a file elsewhere, or something in a form of its own.
    pub fn push(self, content: &mut Content<'_>, number: u32) {
        let name = self.long_name.or(self.name).or(self.display_name);
        let Some(data) = self.data else {
            let reason = "an attachment without data of its own";
            content.doubts.push(entry_doubt(DoubtKind::Unread, number, reason));
            return;
        };
        content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Owned(data),
            hint: Hint {
                media_type: self.media_type.unwrap_or_default(),
                name: name.filter(|name| !name.is_empty()),
                attachment: true,
                ..Hint::default()
            },
            alternative: false,
        });
    }
}

/// The number of the next child.
pub(super) fn next(content: &Content<'_>) -> u32 {
    let listed = content.children.iter().filter_map(|child| child.path.0.first());
    let doubted = content.doubts.iter().filter_map(|doubt| doubt.part.0.first());
    listed.chain(doubted).max().map_or(1, |last| last.saturating_add(1))
}

/// Text of eight bits, in the charset that it seems to be in.
pub(super) fn narrow(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let mut all = charset::readings(bytes, &[]).all;
    if all.is_empty() {
        String::new()
    } else {
        all.swap_remove(0).text
    }
}

/// One string property.
pub(super) fn text(content: &mut Content<'_>, owner: &Owner, property: u16, name: Option<&str>, text: String) {
    let text = text.trim_end_matches('\0').to_owned();
    if text.is_empty() {
        return;
    }
    if *owner == Owner::Message {
        match property {
            id::HEADERS => headers(content, &text),
            id::HTML => return body(content, text.into_bytes(), "text/html", Some("utf-8")),
            _ => {}
        }
    }
    let location = location(owner, property, name);
    let hidden = match &location {
        Location::Office(place) => place.is_hidden(),
        _ => false,
    };
    let part = match owner {
        Owner::Attachment(number) => PartPath(vec![*number]),
        _ => PartPath::default(),
    };
    content.views.push(View {
        location,
        hidden,
        fake_redaction: false,
        text,
        map: SourceMap::default(),
        part,
        spots: Vec::new(),
        guess: false,
    });
}

/// One binary property.
pub(super) fn binary(
    content: &mut Content<'_>,
    owner: &Owner,
    property: u16,
    bytes: &[u8],
    budget: &mut Budget,
) -> Result<(), Spent> {
    if *owner == Owner::Message && property == id::HTML {
        budget.produce(bytes.len() as u64)?;
        body(content, bytes.to_vec(), "text/html", None);
        return Ok(());
    }
    if *owner == Owner::Message && property == id::RTF {
        match lzfu::decompress(bytes, budget)? {
            Some(rtf) => body(content, rtf, "text/rtf", None),
            None => content.doubts.push(doubt(
                DoubtKind::Broken,
                "the message's formatted text cannot be unpacked",
            )),
        }
        return Ok(());
    }
    let part = match owner {
        Owner::Attachment(number) => PartPath(vec![*number]),
        _ => PartPath::default(),
    };
    strings::add(content, bytes, part);
    Ok(())
}

/// The text of the item in a format of its own.
fn body(content: &mut Content<'_>, bytes: Vec<u8>, media_type: &str, charset: Option<&str>) {
    let number = next(content);
    content.children.push(Child {
        path: PartPath(vec![number]),
        bytes: Cow::Owned(bytes),
        hint: Hint {
            media_type: media_type.to_owned(),
            charset: charset.map(str::to_owned),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
}

/// The header that the mail came with, read as a mail without a body: names may be in encoded words.
fn headers(content: &mut Content<'_>, text: &str) {
    let mut kept = String::new();
    let mut keep = true;
    for line in text.lines().filter(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            let lower = line.to_ascii_lowercase();
            // What they say of a body that is not here.
            keep = !lower.starts_with("content-") && line.contains(':');
        }
        if keep {
            kept.push_str(line);
            kept.push_str("\r\n");
        }
    }
    if kept.is_empty() {
        return;
    }
    kept.push_str("\r\n");
    body(content, kept.into_bytes(), "message/rfc822", Some("utf-8"));
}

fn location(owner: &Owner, property: u16, name: Option<&str>) -> Location {
    let header = |name: &str| Location::Header {
        name: name.to_owned(),
        index: 1,
    };
    let person = |header: &str| Location::DisplayName {
        header: header.to_owned(),
    };
    let own = |name: &str| Location::Office(OfficePlace::Property(name.to_owned()));
    if let Some(name) = name {
        return own(name);
    }
    match (owner, property) {
        (Owner::Recipient, _) => person("To"),
        (Owner::Attachment(_), id::ATTACH_LONG_NAME | id::ATTACH_NAME | id::DISPLAY_NAME) => Location::FileName,
        (Owner::Message, id::BODY) => Location::Text,
        (Owner::Message, 0x0037 | 0x0e1d | 0x003d) => header("Subject"),
        (Owner::Message, 0x0070) => header("Thread-Topic"),
        (Owner::Message, id::HEADERS) => header("Received"),
        (Owner::Message, 0x1035) => header("Message-ID"),
        (Owner::Message, 0x0e04) => person("To"),
        (Owner::Message, 0x0e03) => person("Cc"),
        (Owner::Message, 0x0e02) => person("Bcc"),
        (Owner::Message, 0x0042 | 0x0065 | 0x0c1a | 0x0c1f | 0x5d01 | 0x5d02) => person("From"),
        (_, 0x3a06 | 0x3a11 | 0x3a02 | 0x3a1c) => own("contact"),
        _ => own(&format!("0x{property:04X}")),
    }
}
