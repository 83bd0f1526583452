//! Changes of an input: the engine's own, and such as reach what is packed: a member of a zip, a stream or object of a PDF, the
//! inside of gzip, changed and closed again with the right sums and lengths.

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibEncoder};
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzzer_mutate;
use std::io::{Cursor, Read, Write};

/// Bytes of one member that are looked at.
const LARGEST: u64 = 1 << 20;

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    /// One of 0 to `n - 1`.
    fn below(&mut self, n: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// As libFuzzer's custom mutator: the new input in `data`, its length returned.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed) << 20 | 0x9e37_79b9);
    let made = match dice.below(4) {
        0 => None,
        _ => inside(&data[..size], &mut dice, 3),
    };
    match made {
        Some(made) if made.len() <= max_size && !made.is_empty() => {
            data[..made.len()].copy_from_slice(&made);
            made.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

/// A change under the packing, or of plain bytes where there is none.
fn inside(bytes: &[u8], dice: &mut Dice, depth: u32) -> Option<Vec<u8>> {
    if depth == 0 {
        return Some(plain(bytes, dice));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        zip(bytes, dice, depth)
    } else if bytes.starts_with(b"\x1f\x8b") {
        let mut out = Vec::new();
        GzDecoder::new(bytes).take(LARGEST).read_to_end(&mut out).ok()?;
        let changed = inside(&out, dice, depth - 1)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&changed).ok()?;
        encoder.finish().ok()
    } else if bytes.starts_with(b"%PDF") {
        pdf(bytes, dice)
    } else {
        Some(plain(bytes, dice))
    }
}

fn zip(bytes: &[u8], dice: &mut Dice, depth: u32) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let chosen = dice.below(archive.len());
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..archive.len() {
        if i != chosen {
            writer.raw_copy_file(archive.by_index_raw(i).ok()?).ok()?;
            continue;
        }
        let (name, content) = {
            let mut entry = archive.by_index(i).ok()?;
            let mut content = Vec::new();
            entry.by_ref().take(LARGEST).read_to_end(&mut content).ok()?;
            (entry.name().ok()?.into_owned(), content)
        };
        let changed = inside(&content, dice, depth - 1)?;
        let method = if dice.below(3) == 0 {
            zip::CompressionMethod::Stored
        } else {
            zip::CompressionMethod::Deflated
        };
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(name, options).ok()?;
        writer.write_all(&changed).ok()?;
    }
    writer.finish().ok().map(Cursor::into_inner)
}

fn pdf(bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut document = lopdf::Document::load_mem(bytes).ok()?;
    let ids: Vec<_> = document.objects.keys().copied().collect();
    let id = *ids.get(dice.below(ids.len()))?;
    let other = *ids.get(dice.below(ids.len()))?;
    if dice.below(6) == 0 {
        // One object in another's place: loops and wrong kinds.
        let object = match dice.below(2) {
            0 => lopdf::Object::Reference(other),
            _ => document.objects.get(&other)?.clone(),
        };
        document.objects.insert(id, object);
    } else if let Ok(stream) = document.objects.get_mut(&id)?.as_stream_mut() {
        let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
        let changed = plain(content.get(..content.len().min(LARGEST as usize))?, dice);
        let mut packed = Vec::new();
        ZlibEncoder::new(changed.as_slice(), Compression::fast())
            .read_to_end(&mut packed)
            .ok()?;
        stream.dict.remove(b"DecodeParms");
        stream.dict.set("Filter", "FlateDecode");
        stream.set_content(packed);
    } else {
        return Some(plain(bytes, dice));
    }
    let mut out = Vec::new();
    document.save_to(&mut out).ok()?;
    Some(out)
}

/// Pieces that formats react to.
const TOKENS: [&[u8]; 40] = [
    b"010190-1234",
    b"0101901234",
    b"CPR ",
    b"<w:p>",
    b"</w:p>",
    b"<w:t>",
    b"</w:t>",
    b"<table>",
    b"<c r=\"XFD1048576\">",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&#x30;",
    b"&amp;",
    b"<style>",
    b"<!DOCTYPE x [<!ENTITY a \"b\">]>",
    b"{\\*",
    b"{\\pict ",
    b"\\bin100 ",
    b"\\'30",
    b"\\u48?",
    b"}",
    b"{",
    b" Tj ",
    b"[(01)-200(01)] TJ ",
    b"BT ",
    b" ET ",
    b" re f ",
    b"/Kids [1 0 R] ",
    b"<<",
    b">>",
    b"\r\n\r\n",
    b"--b\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"=?utf-8?q?=30?=",
    b"\r\nFrom a\r\n",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
];

fn plain(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let len = out.len();
    let from = dice.below(len + 1);
    let span = dice.below(64.min(len - from) + 1);
    match dice.below(10) {
        0 => out.extend_from_slice(&bytes[from..from + span]),
        1 => {
            let copy = bytes[from..from + span].repeat(1 + dice.below(40));
            out.splice(from..from, copy);
        }
        2 => drop(out.drain(from..from + span)),
        3 => out.truncate(from),
        4..=6 => {
            let token = TOKENS[dice.below(TOKENS.len())];
            out.splice(
                from..from + if dice.below(2) == 0 { 0 } else { span },
                token.iter().copied(),
            );
        }
        7 => {
            // A number in the file becomes another.
            let digit = (from..len).find(|at| bytes[*at].is_ascii_digit());
            if let Some(at) = digit {
                let end = (at..len).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(len);
                let values = [
                    "0",
                    "1",
                    "-1",
                    "65535",
                    "65536",
                    "2147483647",
                    "4294967295",
                    "999999999999999999999",
                    "1e9",
                    "0.5",
                ];
                out.splice(at..end, values[dice.below(values.len())].bytes());
            }
        }
        _ => {
            out.resize(len + 64, 0);
            let made = fuzzer_mutate(&mut out, len, len + 64);
            out.truncate(made);
        }
    }
    out
}
