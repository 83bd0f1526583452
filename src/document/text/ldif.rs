//! LDIF (RFC 2849): values in base64 behind `::`, at any length, as directories write what is not plain ASCII.

use super::blocks;
use crate::content::{Budget, Content, Spent};
use crate::document::{base64, sniff};

/// Adds each value as a second reading.
pub(super) fn add(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) -> Result<(), Spent> {
    let begins = |line: &[u8]| line.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(b"dn:"));
    if !bytes.split(|&b| b == b'\n').any(begins) {
        return Ok(());
    }
    for (name, value) in values(bytes) {
        let data = base64::decode(&value);
        if sniff::is_known(&data) {
            blocks::push(content, data, budget)?;
        } else if blocks::reads_as_text(&data) {
            // The name says what the number is.
            blocks::push(content, [name.as_slice(), b": ", &data].concat(), budget)?;
        }
    }
    Ok(())
}

/// Names and encoded values, folded lines joined.
fn values(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut values: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut open = false;
    for line in bytes.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(more) = line.strip_prefix(b" ") {
            if let Some((_, value)) = values.last_mut().filter(|_| open) {
                value.extend_from_slice(more);
            }
            continue;
        }
        let parted = line
            .iter()
            .position(|&b| b == b':')
            .and_then(|at| line.split_at_checked(at));
        let parted = parted.filter(|(name, value)| is_name(name) && value.starts_with(b"::"));
        open = parted.is_some();
        values.extend(
            parted.map(|(name, value)| (name.to_vec(), value.get(2..).unwrap_or_default().trim_ascii().to_vec())),
        );
    }
    values
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b';' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_joined_over_folds_and_known_by_their_second_colon() {
        let text = b"dn: uid=a\r\ncn: A\r\nnote:: QUJD\r\n REVG\r\n end\r\nurl: a::b\r\n";
        assert_eq!(values(text), [(b"note".to_vec(), b"QUJDREVGend".to_vec())]);
    }
}
