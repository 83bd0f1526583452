//! One file packed by one compressor: bzip2, xz, Zstandard, LZ4, lzip, LZMA. The decoders are crates in Rust; here is what
//! bounds them: bytes produced are counted as they come, memory is capped, and a decoder that panics is a damaged file.

use super::inflate::End;
use super::{charset, doubt, view};
use crate::content::{Budget, CannotEdit, Changes, Child, Content, Hint, Spent};
use crate::types::{DoubtKind, Location, PartPath};
use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Output below this is never a bomb, whatever its ratio (see `Limits::ratio`).
const RATIO_FROM: u64 = 1 << 20;
const CHUNK: usize = 32 << 10;
/// Memory one decoder may take for its dictionary, KiB; `xz -9` and `lzip -9` want 64 MiB, `zstd --ultra` 128 MiB.
const MEMORY_KIB: u32 = 256 << 10;

/// Which compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Lzip,
    Lzma,
}

/// Told by the first bytes.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    // `BZh` and `LZIP` can begin a word: the block mark, or the version byte, follows in the real ones.
    if bytes.starts_with(b"BZh") && matches!(bytes.get(4..6), Some(b"1A" | b"\x17r")) {
        return Some(Kind::Bzip2);
    }
    if bytes.starts_with(b"LZIP") && bytes.get(4).is_some_and(|version| *version < 2) {
        return Some(Kind::Lzip);
    }
    let kinds: [(&[u8], Kind); 3] = [
        (b"\xfd7zXZ\0", Kind::Xz),
        (b"\x28\xb5\x2f\xfd", Kind::Zstd),
        (b"\x04\x22\x4d\x18", Kind::Lz4),
    ];
    let known = kinds.iter().find(|(magic, _)| bytes.starts_with(magic));
    known
        .map(|(_, kind)| *kind)
        .or_else(|| is_lzma(bytes).then_some(Kind::Lzma))
}

/// LZMA alone has no magic number: the usual properties, a dictionary of a round size, a size that is unknown or modest.
fn is_lzma(bytes: &[u8]) -> bool {
    let Some((head, size)) = bytes.get(..13).and_then(|head| head.split_at_checked(5)) else {
        return false;
    };
    let size = size.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    head.starts_with(b"\x5d\0\0") && bytes.get(13) == Some(&0) && (size == u64::MAX || size < 1 << 40)
}

/// What came out, as far as it could be had.
pub(super) struct Unpacked {
    pub bytes: Vec<u8>,
    pub end: End,
}

/// Unpacks all streams in `packed`.
pub(super) fn unpack(kind: Kind, packed: &[u8], budget: &mut Budget) -> Unpacked {
    let mut bytes = Vec::new();
    let cap = cap(packed.len(), budget);
    let end = guarded(|| streams(kind, packed, cap, &mut bytes, budget));
    Unpacked { bytes, end }
}

/// Bytes that `packed` bytes may become.
pub(super) fn cap(packed: usize, budget: &Budget) -> u64 {
    (packed as u64).saturating_mul(budget.limits().ratio).max(RATIO_FROM)
}

/// Decoders of other people on hostile input: a panic in one is damage in the file.
pub(super) fn guarded(run: impl FnOnce() -> End) -> End {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(End::Broken)
}

fn streams(kind: Kind, packed: &[u8], cap: u64, into: &mut Vec<u8>, budget: &mut Budget) -> End {
    match kind {
        Kind::Bzip2 => pump(&mut bzip2::bufread::MultiBzDecoder::new(packed), cap, into, budget),
        Kind::Xz => {
            let mut reader = lzma_rust2::XzReader::new_mem_limit(packed, true, MEMORY_KIB);
            pump(&mut reader, cap, into, budget)
        }
        Kind::Lzip => pump(&mut lzma_rust2::LzipReader::new(packed), cap, into, budget),
        Kind::Lzma => match lzma_rust2::LzmaReader::new_mem_limit(packed, MEMORY_KIB, None) {
            Ok(mut reader) => pump(&mut reader, cap, into, budget),
            Err(error) => failed(&error),
        },
        Kind::Zstd | Kind::Lz4 => frames(kind, packed, cap, into, budget),
    }
}

/// Zstandard and LZ4 files are frames one after the other, some of which hold no data (RFC 8878 §3.1.2).
fn frames(kind: Kind, packed: &[u8], cap: u64, into: &mut Vec<u8>, budget: &mut Budget) -> End {
    let mut rest = packed;
    while !rest.is_empty() {
        let before = rest.len();
        let end = if let Some(behind) = skippable(rest) {
            rest = behind;
            End::Whole
        } else if kind == Kind::Lz4 {
            let end = pump(&mut lz4_flex::frame::FrameDecoder::new(&mut rest), cap, into, budget);
            let frame = packed.get(packed.len() - before..packed.len() - rest.len());
            match end {
                // The decoder takes the end of the input for the end of the frame.
                End::Whole if !frame.is_some_and(has_end_mark) => End::Broken,
                end => end,
            }
        } else {
            match ruzstd::decoding::StreamingDecoder::new(&mut rest) {
                Ok(mut reader) => pump(&mut reader, cap, into, budget),
                Err(_) => End::Broken,
            }
        };
        if end != End::Whole || rest.len() >= before {
            return if end == End::Whole { End::Broken } else { end };
        }
    }
    End::Whole
}

/// An LZ4 frame ends with an empty block, and a checksum when its flags say so (LZ4 frame format 1.6.1).
fn has_end_mark(frame: &[u8]) -> bool {
    let checksum = frame.get(4).is_some_and(|flags| flags & 4 != 0);
    let end = frame.len().saturating_sub(if checksum { 4 } else { 0 });
    frame.get(..end).is_some_and(|frame| frame.ends_with(&[0; 4]))
}

/// What follows a frame without data.
fn skippable(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let (magic, size) = head.split_at(4);
    let [low, tail @ ..] = magic else { return None };
    if low >> 4 != 5 || tail != b"\x2a\x4d\x18" {
        return None;
    }
    let size = u32::from_le_bytes(size.try_into().ok()?);
    Some(rest.get(size as usize..).unwrap_or_default())
}

/// Reads to the end, within the limits.
pub(super) fn pump(reader: &mut dyn Read, cap: u64, into: &mut Vec<u8>, budget: &mut Budget) -> End {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return End::Whole,
            Ok(made) => {
                if let Err(spent) = budget.produce(made as u64) {
                    return End::Spent(spent);
                }
                into.extend_from_slice(chunk.get(..made).unwrap_or_default());
                if into.len() as u64 > cap {
                    return End::Spent(Spent::Bytes);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return failed(&error),
        }
    }
}

fn failed(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::OutOfMemory => End::Spent(Spent::Bytes),
        _ => End::Broken,
    }
}

/// Reads a packed file.
pub(super) fn read<'a>(bytes: &'a [u8], hint: &Hint, budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    let Some(kind) = kind(bytes) else {
        return content;
    };
    let Unpacked { bytes: data, end } = unpack(kind, bytes, budget);
    match end {
        End::Whole => {}
        End::Broken => content.doubts.push(doubt(
            DoubtKind::Broken,
            "the compressed data is damaged, cut short or followed by something else",
        )),
        End::Spent(spent) => content.doubts.push(doubt(spent.doubt(), spent.to_string())),
    }
    if end != End::Whole && budget.produce(bytes.len() as u64).is_ok() {
        let mut source = view(Location::Source, charset::latin1(bytes));
        source.hidden = true;
        content.views.push(source);
    }
    content.children.push(Child {
        path: PartPath(vec![1]),
        bytes: Cow::Owned(data),
        hint: Hint {
            name: stem(hint),
            attachment: true,
            ..Hint::default()
        },
        alternative: false,
    });
    content
}

/// `bilag.txt.xz` holds `bilag.txt`.
fn stem(hint: &Hint) -> Option<String> {
    let name = hint.name.as_deref()?;
    let (stem, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "bz2" | "bz" | "xz" | "zst" | "lz4" | "lz" | "lzma" => Some(stem.to_owned()),
        "tbz" | "tbz2" | "txz" | "tzst" | "tlz" => Some(format!("{stem}.tar")),
        _ => Some(name.to_owned()),
    }
}

/// Packs the changed content with the same compressor.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    let whole = changes.texts.is_empty() && content.doubts.is_empty();
    let (Some(kind), Some((_, data)), true) = (kind(bytes), changes.children.last(), whole) else {
        return Err(CannotEdit::Unsupported("a damaged compressed file"));
    };
    pack(kind, data)
        .map_err(|_| CannotEdit::Unsound("the content could not be compressed again".to_owned()))?
        .ok_or(CannotEdit::Unsupported("there is no writer for this compressor"))
}

fn pack(kind: Kind, data: &[u8]) -> io::Result<Option<Vec<u8>>> {
    Ok(Some(match kind {
        Kind::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            writer.write_all(data)?;
            writer.finish()?
        }
        Kind::Xz => {
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(6))?;
            writer.write_all(data)?;
            writer.finish()?
        }
        Kind::Zstd => ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest),
        Kind::Lz4 => {
            let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
            writer.write_all(data)?;
            writer.finish().map_err(io::Error::other)?
        }
        Kind::Lzip | Kind::Lzma => return Ok(None),
    }))
}
