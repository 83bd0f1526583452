//! Compressed RTF of Outlook ([MS-OXRTFCP]): LZ77 over a ring of 4096 bytes that begins with words common in RTF.

use crate::content::{Budget, Spent};

const RING: usize = 4096;
const START: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The RTF; `None` when the bytes are not this format.
pub(super) fn decompress(bytes: &[u8], budget: &mut Budget) -> Result<Option<Vec<u8>>, Spent> {
    let (Some(magic), Some(data)) = (bytes.get(8..12), bytes.get(16..)) else {
        return Ok(None);
    };
    match magic {
        b"MELA" => {
            budget.produce(data.len() as u64)?;
            Ok(Some(data.to_vec()))
        }
        b"LZFu" => {
            let out = unpack(data, usize::try_from(budget.bytes_left()).unwrap_or(usize::MAX));
            budget.produce(out.len() as u64)?;
            Ok(Some(out))
        }
        _ => Ok(None),
    }
}

/// Unpacks what there is; a stream that is cut short gives what came before. One byte in makes at most 9 out.
fn unpack(data: &[u8], most: usize) -> Vec<u8> {
    let mut ring = [b' '; RING];
    ring[..START.len()].copy_from_slice(START);
    let mut at = START.len();
    let mut out = Vec::new();
    let mut input = data.iter().copied();
    'all: while let Some(flags) = input.next() {
        for bit in 0..8 {
            let Some(first) = input.next() else {
                break 'all;
            };
            if flags >> bit & 1 == 0 {
                out.push(first);
                ring[at] = first;
                at = (at + 1) % RING;
                continue;
            }
            let Some(second) = input.next() else {
                break 'all;
            };
            let offset = usize::from(first) << 4 | usize::from(second) >> 4;
            if offset == at || out.len() > most {
                break 'all;
            }
            for i in 0..usize::from(second & 15) + 2 {
                let byte = ring[(offset + i) % RING];
                out.push(byte);
                ring[at] = byte;
                at = (at + 1) % RING;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    /// The examples of [MS-OXRTFCP] 3.1 and 3.2.
    #[test]
    fn the_examples_of_the_specification_unpack() {
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3\x20hel\x09\0\x20bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04\x20WXYZ\x0d\x6e\x7d\x01\x0e\xb0";
        let mut budget = Budget::new(Limits::default());
        let text = |bytes: &[u8], budget: &mut Budget| decompress(bytes, budget).expect("in budget").expect("LZFu");
        assert_eq!(
            text(simple, &mut budget),
            b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
        );
        assert_eq!(text(crossing, &mut budget), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
    }
}
