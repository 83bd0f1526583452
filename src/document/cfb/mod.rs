//! Compound files (OLE): legacy Office, Outlook messages, objects, and the wrapping of encrypted Office files. Text by place
//! where a rule knows it; besides, every stream is looked at for readable runs, so that nothing in the file is passed over.
//! Nothing here is ever written back.

mod blips;
mod doc;
mod file;
mod msg;
pub(super) mod ole1;
mod ppt;
mod props;
mod vba;
mod write;
mod xls;

pub(super) use xls::cells;

use super::mapi::next;
use super::{doubt, sniff, strings};
use crate::content::{Budget, Child, Content, Hint, Spent};
use crate::types::{DoubtKind, PartPath};
use file::{Compound, Entry};
use std::borrow::Cow;
use std::collections::HashSet;

/// Reads a compound file.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let outcome = match Compound::open(bytes, budget) {
        Ok(Some(mut file)) => all(&mut file, &mut content, budget),
        Ok(None) => {
            content
                .doubts
                .push(doubt(DoubtKind::Broken, "the compound file has no directory"));
            strings::add(&mut content, bytes, PartPath::default());
            Ok(())
        }
        Err(spent) => Err(spent),
    };
    if let Err(spent) = outcome {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
    }
    content
}

fn all(file: &mut Compound<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    let mut taken = HashSet::new();
    let has = |file: &Compound<'_>, name: &str| file.find(0, name).is_some();
    if has(file, "__properties_version1.0") {
        msg::read(file, content, budget)?;
        taken.extend(file.below(0));
    } else if has(file, "EncryptedPackage") || has(file, "\u{9}DRMContent") {
        let reason = "the document is encrypted";
        content.doubts.push(doubt(DoubtKind::Encrypted, reason));
        taken.extend(file.find(0, "EncryptedPackage"));
    } else if !office(file, content, &mut taken, budget)? {
        unknown(file, content);
    }
    properties(file, content, budget)?;
    objects(file, content, &mut taken, budget)?;
    rest(file, content, &taken, budget)?;
    if file.damaged {
        content
            .doubts
            .push(doubt(DoubtKind::Broken, "the compound file is damaged or cut short"));
    }
    // Views of a rule first: second readings add only what is new.
    content
        .views
        .sort_by_key(|view| view.location == crate::types::Location::Source);
    Ok(())
}

/// The three programs' own streams; `false` when none is there.
fn office(
    file: &mut Compound<'_>,
    content: &mut Content<'_>,
    taken: &mut HashSet<usize>,
    budget: &mut Budget,
) -> Result<bool, Spent> {
    let mut known = false;
    if let Some(main) = file.named(0, "WordDocument", budget)? {
        known = true;
        doc::read(file, &main, content, budget)?;
        blips::find(content, &main, budget)?;
    }
    for name in ["Workbook", "Book"] {
        if let Some(book) = file.named(0, name, budget)? {
            known = true;
            xls::read(&book, content, budget)?;
            xls::pivots(file, content, budget)?;
            blips::find(content, &book, budget)?;
        }
    }
    if let Some(show) = file.named(0, "PowerPoint Document", budget)? {
        known = true;
        let locked = has_locked_user(file, budget)?;
        ppt::read(&show, locked, content, budget)?;
    }
    for name in ["Data", "Pictures"] {
        if let Some(index) = file.find(0, name).filter(|_| known) {
            let bytes = file.stream(index, budget)?;
            blips::find(content, &bytes, budget)?;
            if name == "Pictures" {
                taken.insert(index);
            }
        }
    }
    Ok(known)
}

/// The stream in which PowerPoint says that the other one is encrypted ([MS-PPT] 2.3.2).
fn has_locked_user(file: &mut Compound<'_>, budget: &mut Budget) -> Result<bool, Spent> {
    const ENCRYPTED: u32 = 0xf3d1_c4df;
    let user = file.named(0, "Current User", budget)?.unwrap_or_default();
    Ok(file::u32_at(&user, 12) == Some(ENCRYPTED) || file.find(0, "EncryptedSummary").is_some())
}

/// Objects and macro projects are files of other programs too, and are known by their streams.
fn unknown(file: &Compound<'_>, content: &mut Content<'_>) {
    let name = |index: usize| file.entries.get(index).map(|e| e.name.as_str()).unwrap_or_default();
    let carrier = |index: usize| {
        let name = name(index);
        name.starts_with('\u{1}')
            || ["CONTENTS", "Package", "VBA", "PROJECT", "MsoDataStore", "EmbeddedOdf"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
    };
    let item = |index: usize| name(index).eq_ignore_ascii_case("Properties");
    let within = file.within(0);
    let store = within
        .iter()
        .any(|storage| file.within(*storage).iter().any(|i| item(*i)));
    if !store && !within.iter().any(|index| carrier(*index)) {
        let reason = "no reader for this kind: compound file (OLE) of an unknown program";
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
}

/// Title, author and the like, of this file.
fn properties(file: &mut Compound<'_>, content: &mut Content<'_>, budget: &mut Budget) -> Result<(), Spent> {
    for index in file.within(0) {
        let is_set = |entry: &&Entry| entry.is_stream() && entry.name.starts_with('\u{5}');
        if file.entries.get(index).filter(is_set).is_some() {
            let bytes = file.stream(index, budget)?;
            props::read(content, &bytes, budget)?;
        }
    }
    Ok(())
}

/// Objects of other programs become children, macros views.
fn objects(
    file: &mut Compound<'_>,
    content: &mut Content<'_>,
    taken: &mut HashSet<usize>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    for index in file.within(0) {
        if taken.contains(&index) {
            continue;
        }
        let Some((name, storage)) = file.entries.get(index).map(|e| (e.name.clone(), e.is_storage())) else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        if !storage {
            if name == "\u{1}Ole10Native" {
                let bytes = file.stream(index, budget)?;
                ole1::native_stream(content, &bytes, budget)?;
                taken.insert(index);
            } else if !matches!(
                name.as_str(),
                "WordDocument" | "Workbook" | "Book" | "PowerPoint Document"
            ) {
                let bytes = file.stream(index, budget)?;
                if sniff::is_marked(&bytes) {
                    child(content, bytes, budget)?;
                    taken.insert(index);
                }
            }
            continue;
        }
        let pool: Vec<usize> = match lower.as_str() {
            "objectpool" => file.within(index),
            _ if lower.starts_with("mbd") => vec![index],
            "macros" | "_vba_project_cur" | "vba" => {
                vba::read(file, index, content, taken, budget)?;
                continue;
            }
            _ => continue,
        };
        for object in pool {
            if file.entries.get(object).is_some_and(Entry::is_storage) {
                let bytes = write::storage(file, object, budget)?;
                taken.extend(file.below(object));
                child(content, bytes, budget)?;
            }
        }
    }
    Ok(())
}

fn child(content: &mut Content<'_>, bytes: Vec<u8>, budget: &mut Budget) -> Result<(), Spent> {
    budget.in_time()?;
    content.children.push(Child {
        path: PartPath(vec![next(content)]),
        bytes: Cow::Owned(bytes),
        hint: Hint {
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    Ok(())
}

/// Readable runs in all streams that are not children, in streams that were deleted, and in sectors that nothing owns.
fn rest(
    file: &mut Compound<'_>,
    content: &mut Content<'_>,
    taken: &HashSet<usize>,
    budget: &mut Budget,
) -> Result<(), Spent> {
    let mut streams = file.below(0);
    streams.extend(file.orphans());
    for index in streams {
        if taken.contains(&index) || !file.entries.get(index).is_some_and(Entry::is_stream) {
            continue;
        }
        let bytes = file.stream(index, budget)?;
        strings::add(content, &bytes, PartPath::default());
    }
    let names: String = file.entries.iter().map(|entry| format!("{}\n", entry.name)).collect();
    strings::add(content, names.as_bytes(), PartPath::default());
    let unused = file.unused();
    strings::add(content, &unused, PartPath::default());
    Ok(())
}
