//! yEnc (yenc.org, version 1.3): files as eight-bit text between `=ybegin` and `=yend` lines.

use std::ops::Range;

/// Files in a text.
pub(super) fn files(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = memchr::memmem::find_iter(bytes, b"=ybegin ");
    let starts = starts.filter(|at| *at == 0 || bytes.get(at - 1) == Some(&b'\n'));
    starts
        .filter_map(|at| data(bytes, at))
        .map(|data| decode(bytes.get(data).unwrap_or_default()))
        .collect()
}

/// The encoded lines behind the header at `at`.
fn data(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let line = |from: usize| memchr::memchr(b'\n', bytes.get(from..)?).map(|len| from + len + 1);
    let mut start = line(at)?;
    if bytes.get(start..)?.starts_with(b"=ypart ") {
        start = line(start)?;
    }
    // A file that was cut short has no end line.
    let len = memchr::memmem::find(bytes.get(start..)?, b"\n=yend");
    Some(start..len.map_or(bytes.len(), |len| start + len))
}

fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {}
            b'=' => data.extend(bytes.next().map(|byte| byte.wrapping_sub(64 + 42))),
            _ => data.push(byte.wrapping_sub(42)),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_decoded_with_its_escapes() {
        let encode = |byte: u8| match byte.wrapping_add(42) {
            critical @ (0 | b'\r' | b'\n' | b'=') => vec![b'=', critical.wrapping_add(64)],
            plain => vec![plain],
        };
        let data: Vec<u8> = (0..=255).collect();
        let mut text = b"hej\n=ybegin line=128 size=256 name=a.bin\n".to_vec();
        text.extend(data.iter().flat_map(|byte| encode(*byte)));
        text.extend_from_slice(b"\r\n=yend size=256\n");
        assert_eq!(files(&text), [data]);
        assert!(files(b"et ord =ybegin i en linje\n").is_empty());
    }
}
