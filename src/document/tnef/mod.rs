//! Outlook's winmail.dat ([MS-OXTNEF]): a mail's properties and attachments in one file.

mod props;

use super::mapi::{self, Attached, Owner};
use super::{doubt, strings};
use crate::content::{Budget, Content, Spent};
use crate::types::{DoubtKind, PartPath};

const ATTACH_BEGIN: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_PROPS: u32 = 0x0006_9005;
const MESSAGE_PROPS: u32 = 0x0006_9003;
const RECIPIENTS: u32 = 0x0006_9004;
const BODY: u32 = 0x0002_800c;
const SUBJECT: u32 = 0x0001_8004;

/// Reads a file.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let mut reader = Reader {
        attached: None,
        number: 0,
    };
    let outcome = reader.all(bytes, &mut content, budget);
    reader.finish(&mut content);
    if let Err(spent) = outcome {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content
}

struct Reader {
    attached: Option<Attached>,
    number: u32,
}

impl Reader {
    fn all(&mut self, bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
        // The mark and a key.
        let mut at = 6;
        if bytes.len() <= at {
            let reason = "the file ends before its first attribute";
            content.doubts.push(doubt(DoubtKind::Broken, reason));
        }
        while at < bytes.len() {
            budget.in_time()?;
            let Some((id, data)) = attribute(bytes, at) else {
                let rest = bytes.get(at..).unwrap_or_default();
                if rest.iter().any(|b| *b != 0) {
                    let reason = "the file is damaged or cut short";
                    content.doubts.push(doubt(DoubtKind::Broken, reason));
                    strings::add(content, rest, PartPath::default());
                }
                break;
            };
            at += 9 + data.len() + 2;
            budget.produce(data.len() as u64)?;
            self.attribute(id, data, content, budget)?;
        }
        Ok(())
    }

    fn attribute(&mut self, id: u32, data: &[u8], content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
        match id {
            ATTACH_BEGIN => {
                self.finish(content);
                self.number = mapi::next(content);
                self.attached = Some(Attached::default());
            }
            ATTACH_TITLE => {
                let name = mapi::narrow(data);
                let owner = Owner::Attachment(self.number);
                mapi::text(content, &owner, mapi::id::ATTACH_NAME, None, name.clone());
                self.attached().learn(mapi::id::ATTACH_NAME, &name);
            }
            ATTACH_DATA => self.attached().data = Some(data.to_vec()),
            ATTACH_PROPS => {
                let number = self.number;
                let found = props::read(content, data, &Owner::Attachment(number), self.attached(), budget)?;
                tell(content, found);
            }
            MESSAGE_PROPS => {
                let found = props::read(content, data, &Owner::Message, &mut Attached::default(), budget)?;
                tell(content, found);
            }
            RECIPIENTS => {
                let found = props::rows(content, data, budget)?;
                tell(content, found);
            }
            BODY => mapi::text(content, &Owner::Message, mapi::id::BODY, None, mapi::narrow(data)),
            SUBJECT => mapi::text(content, &Owner::Message, 0x0037, None, mapi::narrow(data)),
            _ => strings::add(content, data, PartPath::default()),
        }
        Ok(())
    }

    fn attached(&mut self) -> &mut Attached {
        self.attached.get_or_insert_default()
    }

    fn finish(&mut self, content: &mut Content<'_>) {
        if let Some(attached) = self.attached.take() {
            attached.push(content, self.number.max(1));
        }
    }
}

fn tell(content: &mut Content<'_>, whole: bool) {
    if !whole {
        let reason = "its list of properties is damaged";
        content.doubts.push(doubt(DoubtKind::Broken, reason));
    }
}

/// Level, identifier, length, data, checksum.
fn attribute(bytes: &[u8], at: usize) -> Option<(u32, &[u8])> {
    let head = bytes.get(at..at + 9)?;
    let (level, rest) = head.split_first()?;
    let (id, len) = rest.split_at_checked(4)?;
    let id = u32::from_le_bytes(id.try_into().ok()?);
    let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
    let data = bytes.get(at + 9..at.checked_add(9)?.checked_add(len)?)?;
    matches!(level, 1 | 2).then_some((id, data))
}
