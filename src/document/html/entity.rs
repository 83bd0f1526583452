//! Character references in text and attribute values.

use super::names::{LEGACY, NAMED};

/// A decoded reference: the character, and how many bytes of source it took.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::document) struct Reference {
    pub character: char,
    pub len: usize,
}

/// The reference at the start of `text` (which begins with `&`); `None` when the ampersand is just one.
pub(in crate::document) fn reference(text: &str) -> Option<Reference> {
    match text.as_bytes().get(1)? {
        b'#' => numeric(text),
        b if b.is_ascii_alphabetic() => named(text),
        _ => None,
    }
}

/// `&#48;`, `&#x30;`, both also without semicolon.
fn numeric(text: &str) -> Option<Reference> {
    let (radix, start) = match text.as_bytes().get(2)? {
        b'x' | b'X' => (16, 3),
        _ => (10, 2),
    };
    let digits: &str = text.get(start..)?;
    let count = digits.bytes().take_while(|b| char::from(*b).is_digit(radix)).count();
    if count == 0 {
        return None;
    }
    let value = digits.get(..count)?.bytes().fold(0u32, |value, b| {
        let digit = char::from(b).to_digit(radix).unwrap_or(0);
        value.saturating_mul(radix).saturating_add(digit)
    });
    let end = start + count;
    let semicolon = text.as_bytes().get(end) == Some(&b';');
    Some(Reference {
        character: character(value),
        len: end + usize::from(semicolon),
    })
}

/// The numbers of the C1 controls mean windows-1252 (HTML Standard, 13.2.5.80).
fn character(value: u32) -> char {
    match u8::try_from(value) {
        Ok(byte @ 0x80..=0x9f) => {
            let byte = [byte];
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte);
            text.chars().next().unwrap_or('\u{fffd}')
        }
        // Word drops it, and the digits beside it touch.
        Ok(0) => '\u{200b}',
        _ => char::from_u32(value).unwrap_or('\u{fffd}'),
    }
}

fn named(text: &str) -> Option<Reference> {
    const LONGEST: usize = 32;
    let name = text.get(1..)?;
    let len = name.bytes().take(LONGEST).take_while(u8::is_ascii_alphanumeric).count();
    if name.as_bytes().get(len) == Some(&b';')
        && let Some(character) = name
            .get(..len)
            .and_then(|name| find(NAMED, name).or_else(|| find(LEGACY, name)))
    {
        return Some(Reference {
            character,
            len: len + 2,
        });
    }
    // The longest name that fits: `&nbsp1234` is a space and 1234.
    (2..=len.min(6)).rev().find_map(|len| {
        let character = find(LEGACY, name.get(..len)?)?;
        Some(Reference {
            character,
            len: len + 1,
        })
    })
}

fn find(table: &[(&str, char)], name: &str) -> Option<char> {
    let i = table.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    table.get(i).map(|(_, character)| *character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(char, usize)> {
        reference(text).map(|r| (r.character, r.len))
    }

    #[test]
    fn references_are_read_as_browsers_read_them() {
        assert_eq!(read("&#48;1"), Some(('0', 5)));
        assert_eq!(read("&#x30"), Some(('0', 5)));
        assert_eq!(read("&#0000000000048;"), Some(('0', 16)));
        assert_eq!(read("&#150;"), Some(('–', 6)));
        assert_eq!(read("&nbsp1234"), Some(('\u{a0}', 5)));
        assert_eq!(read("&hyphen;1"), Some(('‐', 8)));
        assert_eq!(read("&hyphen1"), None);
        assert_eq!(read("&oslash;"), Some(('ø', 8)));
        assert_eq!(read("&#99999999999;"), Some(('\u{fffd}', 14)));
        assert_eq!(read("& 1"), None);
        assert_eq!(read("&"), None);
    }

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        assert!(NAMED.is_sorted() && LEGACY.is_sorted());
        assert!(LEGACY.iter().all(|(name, _)| name.len() <= 6));
    }
}
