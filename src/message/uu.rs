//! Files that were written into a text before there was MIME: uuencode (POSIX), and yEnc, which is only named.
//!
//! Mail programs still show them as attachments, so they are second readings of the text they stand in.

use memchr::memmem;

/// One file in a text.
pub(super) struct File {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Files in one text, at most; more make the text a doubt elsewhere (parts).
const MOST: usize = 100;

/// The uuencoded files of a text.
pub(super) fn files(text: &[u8]) -> Vec<File> {
    let mut files = Vec::new();
    if memmem::find(text, b"begin ").is_none() {
        return files;
    }
    let mut lines = text
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    while let Some(line) = lines.next() {
        let Some(name) = begin(line) else {
            continue;
        };
        let mut bytes = Vec::new();
        for line in lines.by_ref() {
            if line == b"end" || !decode_line(line, &mut bytes) {
                break;
            }
        }
        if !bytes.is_empty() && files.len() < MOST {
            files.push(File { name, bytes });
        }
    }
    files
}

/// Whether every yEnc file of a text has its end, and none is one of several pieces.
pub(super) fn has_whole_yenc(text: &[u8]) -> bool {
    let count = |line: &[u8]| memmem::find_iter(text, line).count();
    count(b"=ybegin ") == count(b"\n=yend ") && count(b"\n=ypart ") == 0
}

/// Whether a text holds a yEnc file: nothing here reads it.
pub(super) fn has_yenc(text: &[u8]) -> bool {
    memmem::find(text, b"=ybegin ").is_some_and(|i| i == 0 || text.get(i - 1) == Some(&b'\n'))
}

/// `begin 644 name`.
fn begin(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"begin ")?;
    let digits = rest.iter().take_while(|b| (b'0'..=b'7').contains(b)).count();
    let name = rest.get(digits..)?.strip_prefix(b" ")?;
    (3..=4)
        .contains(&digits)
        .then(|| String::from_utf8_lossy(name).trim().to_owned())
}

/// One line: its length, then groups of four; short lines (blanks lost in transport) are filled up.
fn decode_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(&first) = line.first() else {
        return true;
    };
    if !(b' '..=b'`').contains(&first) {
        return false;
    }
    let len = usize::from((first - b' ') & 63);
    let rest = line.get(1..).unwrap_or_default();
    let value = |i: usize| rest.get(i).map_or(0, |b| u32::from(b.wrapping_sub(b' ') & 63));
    let start = out.len();
    for group in 0..len.div_ceil(3) {
        let bits = (0..4).fold(0, |bits, n| bits << 6 | value(group * 4 + n));
        out.extend_from_slice(bits.to_be_bytes().get(1..).unwrap_or_default());
    }
    out.truncate(start + len);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_with_its_name() {
        let text = b"hej\r\nbegin 644 a b.txt\r\n#0V%T\r\n`\r\nend\r\nfarvel\r\n";
        let files = files(text);
        assert_eq!(files.len(), 1);
        assert_eq!(
            (files[0].name.as_str(), files[0].bytes.as_slice()),
            ("a b.txt", &b"Cat"[..])
        );
    }

    #[test]
    fn ordinary_text_has_no_files() {
        assert!(files(b"begin 2026 med\nen sag\nend\n").is_empty());
        assert!(files(b"begin 644\n").is_empty() && !has_yenc(b"x =ybegin y"));
        assert!(has_yenc(b"a\n=ybegin line=128"));
    }
}
