//! quoted-printable (RFC 2045 §6.7) inside texts, vCard 2.1 and pasted mails: read leniently, never written.

/// Decodes; an equals sign that starts no escape stands for itself.
pub(super) fn decode(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while let Some(&b) = source.get(at) {
        let rest = source.get(at + 1..).unwrap_or_default();
        if b != b'=' {
            out.push(b);
            at += 1;
        } else if let Some(byte) = escape(rest) {
            out.push(byte);
            at += 3;
        } else if let Some(len) = soft_break(rest) {
            at += 1 + len;
        } else {
            out.push(b);
            at += 1;
        }
    }
    out
}

fn escape(rest: &[u8]) -> Option<u8> {
    let digit = |i: usize| char::from(*rest.get(i)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

/// Length of blanks and a line break.
fn soft_break(rest: &[u8]) -> Option<usize> {
    let blanks = rest.iter().take_while(|b| matches!(**b, b' ' | b'\t')).count();
    match rest.get(blanks..)? {
        [b'\r', b'\n', ..] => Some(blanks + 2),
        [b'\n', ..] => Some(blanks + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_soft_breaks() {
        assert_eq!(decode(b"=30=\r\n1= \n2=3g="), b"012=3g=");
    }
}
