//! Archives without a reader of ours, written anew by libarchive's `bsdtar` as the tar that we read ourselves.

use super::aid::whole;
use super::program::run;
use crate::content::{Budget, Child, Content, Hint};
use crate::document::Family;
use crate::types::{DoubtKind, PartPath};
use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

/// What libarchive reads from a pipe and we do not, by its magic number.
const MAGIC: &[(usize, &[u8])] = &[
    (0, b"Rar!\x1a\x07"),
    // Microsoft cabinet.
    (0, b"MSCF"),
    // compress(1), lzop.
    (0, b"\x1f\x9d"),
    (0, b"\x89LZO\0\r\n\x1a\n"),
    (0, b"xar!"),
    // cpio in binary, as it came from either kind of machine.
    (0, b"\xc7\x71"),
    (0, b"\x71\xc7"),
    // LHA: `-lh5-` behind two bytes of the header.
    (2, b"-lh"),
    (2, b"-lz"),
    // ISO 9660: the descriptor of the first volume.
    (0x8001, b"CD001"),
];

/// Of these, what is one packed file.
const PACKED: [&[u8]; 2] = [b"\x1f\x9d", b"\x89LZO"];
/// The number of the tar, behind those of the entries that our own reader has read.
const FIRST: u32 = 2_000_000;

/// Whether libarchive may read what nobody has read yet.
pub(super) fn serves(family: Family, bytes: &[u8], content: &Content<'_>) -> bool {
    let unread = content.doubts.iter().any(|doubt| doubt.kind == DoubtKind::Unread);
    unread
        && match family {
            // Entries in a method without a reader.
            Family::Zip => true,
            _ => MAGIC
                .iter()
                .any(|(at, magic)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic))),
        }
}

/// Adds the archive's entries to `content`.
pub(super) fn add(program: &Path, family: Family, bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget) {
    let until = Instant::now() + budget.time_left();
    // One packed file is no archive to `bsdtar`; `bsdcat` of the same package unpacks it, a packed tar too.
    let packed = PACKED.iter().any(|magic| bytes.starts_with(magic));
    let most = budget.bytes_left();
    let output = if packed {
        run(&program.with_file_name("bsdcat"), &[], bytes, most, until)
    } else {
        run(program, &["-cf", "-", "--format", "pax", "@-"], bytes, most, until)
    };
    let Ok(output) = output else { return };
    let says = |word: &[u8]| memchr::memmem::find(&output.complaint, word).is_some();
    let encrypted = says(b"ncrypt") || says(b"assphrase") || says(b"assword");
    // It leaves out what it cannot write, and only complains.
    if output.whole && output.complaint.is_empty() {
        content.doubts.retain(|doubt| doubt.kind != DoubtKind::Unread);
    } else if encrypted {
        content
            .doubts
            .push(whole(DoubtKind::Encrypted, "the archive is encrypted"));
    } else if output.bytes.len() as u64 > most {
        content
            .doubts
            .push(whole(DoubtKind::TooLarge, "it unpacks to more than the limit allows"));
    } else if !matches!(family, Family::Zip) {
        content
            .doubts
            .push(whole(DoubtKind::Broken, "the archive is damaged or of an unknown kind"));
    }
    if budget.produce(output.bytes.len() as u64).is_err() {
        return;
    }
    content.children.push(Child {
        path: PartPath(vec![FIRST]),
        bytes: Cow::Owned(output.bytes),
        hint: Hint {
            attachment: true,
            ..Hint::default()
        },
        alternative: true,
    });
}
