//! Outlook messages ([MS-OXMSG]): one stream a property; recipients and attachments in storages; a message in a message is a
//! storage within an attachment.

use super::file::{Compound, Entry, utf16};
use super::write;
use crate::content::{Budget, Content, Spent};
use crate::document::mapi::{self, Attached, Owner, id};
use crate::document::{doubt, strings};
use crate::types::{DoubtKind, PartPath};

const PROPERTY: &str = "__substg1.0_";

/// Reads the message whose storage is the root.
pub(super) fn read(file: &mut Compound<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    storage(file, 0, &Owner::Message, &mut Attached::default(), content, budget)?;
    for index in file.within(0) {
        let Some(name) = storage_name(file, index) else {
            continue;
        };
        if name.starts_with("__recip_version") {
            storage(
                file,
                index,
                &Owner::Recipient,
                &mut Attached::default(),
                content,
                budget,
            )?;
        } else if name.starts_with("__attach_version") {
            attachment(file, index, content, budget)?;
        } else {
            // Names of named properties, and whatever else somebody has put there.
            for below in file.below(index) {
                if file.entries.get(below).is_some_and(Entry::is_stream) {
                    let bytes = file.stream(below, budget)?;
                    strings::add(content, &bytes, PartPath::default());
                }
            }
        }
    }
    Ok(())
}

fn storage_name(file: &Compound<'_>, index: usize) -> Option<String> {
    let entry = file.entries.get(index).filter(|entry| entry.is_storage())?;
    Some(entry.name.to_ascii_lowercase())
}

fn attachment(
    file: &mut Compound<'_>,
    index: usize,
    content: &mut Content<'_>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    let number = mapi::next(content);
    let mut attached = Attached::default();
    storage(file, index, &Owner::Attachment(number), &mut attached, content, budget)?;
    for inner in file.within(index) {
        // The data is a storage: a message, or an object of another program.
        if storage_name(file, inner).is_some() {
            attached.data = Some(write::storage(file, inner, budget)?);
        }
    }
    attached.push(content, number);
    Ok(())
}

/// The properties of one storage.
fn storage(
    file: &mut Compound<'_>,
    index: usize,
    owner: &Owner,
    attached: &mut Attached,
    content: &mut Content<'_>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    for stream in file.within(index) {
        let Some(name) = file
            .entries
            .get(stream)
            .filter(|e| e.is_stream())
            .map(|e| e.name.clone())
        else {
            continue;
        };
        budget.in_time()?;
        let bytes = file.stream(stream, budget)?;
        let tag = name
            .get(..PROPERTY.len())
            .filter(|start| start.eq_ignore_ascii_case(PROPERTY))
            .and_then(|_| u32::from_str_radix(name.get(PROPERTY.len()..PROPERTY.len() + 8)?, 16).ok());
        let Some(tag) = tag else {
            strings::add(content, &bytes, part(owner));
            continue;
        };
        let (property, kind) = ((tag >> 16) as u16, (tag & 0xffff) as u16);
        match kind {
            0x1e | 0x1f | 0x101e | 0x101f => {
                // Several values: this stream holds their lengths, one stream each holds a value.
                if kind >= 0x1000 && name.len() == PROPERTY.len() + 8 {
                    continue;
                }
                let text = if kind & 1 == 1 {
                    utf16(&bytes)
                } else {
                    mapi::narrow(&bytes)
                };
                if property == id::MESSAGE_CLASS && text.to_ascii_uppercase().contains("RPMSG") {
                    let reason = "the message is protected by rights management";
                    content.doubts.push(doubt(DoubtKind::Encrypted, reason));
                }
                attached.learn(property, &text);
                mapi::text(content, owner, property, None, text);
            }
            _ if property == id::ATTACH_DATA && *owner != Owner::Message => attached.data = Some(bytes),
            _ => mapi::binary(content, owner, property, &bytes, budget)?,
        }
    }
    Ok(())
}

fn part(owner: &Owner) -> PartPath {
    match owner {
        Owner::Attachment(number) => PartPath(vec![*number]),
        _ => PartPath::default(),
    }
}
