//! Plain text: all charsets, `format=flowed`, quoted lines, and what is encoded inside a text.

pub(super) mod blocks;
mod contact;
mod flowed;
mod inline;
mod ldif;
mod quotes;
mod words;
mod yenc;

use super::charset::{self, Reading};
use super::{doubt, sniff, view};
use crate::content::{Budget, CannotEdit, Changes, Content, Hint, Splice, TextEdit, splice};
use crate::types::{DoubtKind, Location};

/// Reads plain text.
pub(super) fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let declared: Vec<&str> = hint.charset.as_deref().into_iter().collect();
    let readings = charset::readings(bytes, &declared);
    if readings.unknown {
        content
            .doubts
            .push(doubt(DoubtKind::Unread, "its declared charset is not known"));
    }
    if let Some(reason) = sniff::no_text(bytes, &declared) {
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
    let contact = contact::is_contact(bytes);
    for reading in readings.all {
        if let Some(unfolded) = contact.then(|| contact::unfolded(&reading)).flatten() {
            content.views.push(view(Location::Source, unfolded));
        }
        one(&mut content, reading, hint);
        if let Err(spent) = budget.in_time() {
            content.doubts.push(doubt(spent.doubt(), spent.to_string()));
            return content;
        }
    }
    inline::look(&mut content, bytes, budget);
    let more = match contact {
        // Its values are base64 by their own parameters.
        true => contact::values(&mut content, bytes, budget)
            .and_then(|()| blocks::add_announced(&mut content, bytes, budget).map(drop)),
        false => blocks::add(&mut content, bytes, budget)
            .and_then(|()| match quotes::without(bytes) {
                Some(unquoted) => blocks::add(&mut content, &unquoted, budget),
                None => Ok(()),
            })
            .and_then(|()| ldif::add(&mut content, bytes, budget)),
    };
    if let Err(spent) = more {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content
}

/// The views of one reading.
fn one(content: &mut Content<'_>, reading: Reading, hint: &Hint) {
    let location = if reading.raw { Location::Source } else { Location::Text };
    let reading = without_nuls(reading);
    let unfolded = flowed::unfold(&reading, hint);
    match unfolded {
        Some(unfolded) if hint.flowed => {
            content.views.push(view(location, unfolded.reading));
            // A program that does not know the format shows the lines as they are.
            if unfolded.digits_meet {
                content.views.push(view(Location::Source, reading));
            }
        }
        Some(unfolded) if unfolded.digits_meet => {
            content.views.push(view(location, reading));
            content.views.push(view(Location::Source, unfolded.reading));
        }
        _ => content.views.push(view(location, reading)),
    }
}

/// Mail programs drop NUL, and the digits beside it touch.
fn without_nuls(reading: Reading) -> Reading {
    if !reading.text.contains('\0') {
        return reading;
    }
    let mut out = Reading::over(&reading);
    let mut at = 0;
    for piece in reading.text.split('\0') {
        out.plain(piece, at);
        at += piece.len() + 1;
    }
    out.map = out.map.through(&reading.map);
    out
}

/// Splices edits in.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    splice(bytes, splices(content, changes.texts.iter().cloned())?)
}

/// The splices of all edits in all views.
pub(super) fn splices(content: &Content<'_>, edits: impl Iterator<Item = TextEdit>) -> Result<Vec<Splice>, CannotEdit> {
    let mut splices = Vec::new();
    for edit in edits {
        let view = content
            .views
            .get(edit.view)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        splices.extend(view.splices([&edit])?);
    }
    Ok(splices)
}
