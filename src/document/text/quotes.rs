//! Encoded blocks in the quoted lines of a reply: `>` at the start of each line keeps them from being blocks.

/// The text without quote marks, when a line behind one announces or is an encoded block.
pub(super) fn without(bytes: &[u8]) -> Option<Vec<u8>> {
    let marked = |line: &[u8]| line.first() == Some(&b'>');
    let lines = || bytes.split_inclusive(|&b| b == b'\n');
    lines()
        .any(|line| marked(line) && is_encoded(bare(line)))
        .then(|| lines().flat_map(bare).copied().collect())
}

/// A line without the marks before it, and without the one blank that mail programs put behind each.
fn bare(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b">") {
        line = rest.strip_prefix(b" ").unwrap_or(rest);
    }
    line
}

fn is_encoded(line: &[u8]) -> bool {
    const NAME: &[u8] = b"content-transfer-encoding:";
    const BASE64: usize = 32;
    let line = line.trim_ascii_end();
    let field = line.get(..NAME.len());
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    field.is_some_and(|name| name.eq_ignore_ascii_case(NAME)) || line.len() >= BASE64 && line.iter().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off_when_something_encoded_is_behind_them() {
        let text = b"> > Content-Transfer-Encoding: base64\r\n> >\r\n>>QUJD\r\nhej\r\n";
        let plain = b"Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\nhej\r\n";
        assert_eq!(without(text).as_deref(), Some(&plain[..]));
        assert_eq!(without(b"> almindeligt svar\n> med citat\n"), None);
    }
}
