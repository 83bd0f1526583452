//! yEnc (yenc.org, version 1.3): files as eight-bit text between `=ybegin` and `=yend` lines.

/// One file.
#[derive(Debug, PartialEq)]
pub(super) struct File {
    pub data: Vec<u8>,
    /// It is as long as its header says, and no piece of a larger one.
    pub whole: bool,
}

/// Files in a text.
pub(super) fn files(bytes: &[u8]) -> Vec<File> {
    let starts = memchr::memmem::find_iter(bytes, b"=ybegin ");
    let starts = starts.filter(|at| *at == 0 || bytes.get(at - 1) == Some(&b'\n'));
    starts.filter_map(|at| file(bytes, at)).collect()
}

/// The file whose header is at `at`.
fn file(bytes: &[u8], at: usize) -> Option<File> {
    let line = |from: usize| memchr::memchr(b'\n', bytes.get(from..)?).map(|len| from + len + 1);
    let mut start = line(at)?;
    let size = size(bytes.get(at..start)?);
    let piece = bytes.get(start..)?.starts_with(b"=ypart ");
    if piece {
        start = line(start)?;
    }
    // A file that was cut short has no end line; what there is of it is read.
    let rest = bytes.get(start..)?;
    let end = match rest.starts_with(b"=yend") {
        true => Some(0),
        false => memchr::memmem::find(rest, b"\n=yend"),
    };
    let data = decode(rest.get(..end.unwrap_or(rest.len()))?);
    let whole = end.is_some() && !piece && size == Some(data.len());
    Some(File { data, whole })
}

/// `size=` of the header line.
fn size(line: &[u8]) -> Option<usize> {
    let mut words = line.split(|b| b.is_ascii_whitespace());
    let digits = words.find_map(|word| word.strip_prefix(b"size="))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
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
        assert_eq!(files(&text), [File { data, whole: true }]);
        let cut = files(&text[..200]);
        assert!(cut.len() == 1 && !cut[0].whole);
        assert!(files(b"et ord =ybegin i en linje\n").is_empty());
    }
}
