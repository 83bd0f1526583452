//! Folding: what one character of the text, however it is written, is to the detector.
//!
//! Full-width and other decimal digits are digits, every dash is a dash, every blank a blank; zero-width characters
//! are nothing. Escapes of URLs (`%2D`), markup (`&nbsp;`, `&#45;`) and JSON (`\u002d`) count as the character they
//! stand for. Nothing is copied: each unit carries its length in the original, so the way back is exact.

/// What a unit of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Decimal digit of any script.
    Digit(u8),
    /// Takes no room on the page.
    Invisible,
    /// U+00AD: nothing, or a hyphen at the end of a line.
    SoftHyphen,
    /// Blank on the line.
    Space,
    /// End of line.
    Newline,
    /// Any dash or minus.
    Dash,
    /// Full stop, middle dot.
    Dot,
    /// `/` or `\`.
    Slash,
    /// Comma.
    Comma,
    /// Between columns or cells: `;`, tab, `|`, quotes.
    Column,
    /// `(`, `[`, `{`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// `_`.
    Underscore,
    /// `+`: a blank in URLs.
    Plus,
    /// `>`: a quote mark after a line end.
    Mark,
    /// Ends every number.
    Other,
}

/// The unit at a byte offset: its class and its length in bytes. `None` at the end or off a character boundary.
#[inline]
pub(super) fn unit(text: &str, at: usize) -> Option<(Class, usize)> {
    let byte = *text.as_bytes().get(at)?;
    if byte.is_ascii_digit() {
        return Some((Class::Digit(byte - b'0'), 1));
    }
    unit_without_digit(text, at, byte)
}

fn unit_without_digit(text: &str, at: usize, byte: u8) -> Option<(Class, usize)> {
    if byte.is_ascii() {
        let escaped = match byte {
            b'%' => percent(text, at),
            b'&' => entity(text, at),
            b'\\' => json(text, at),
            b'=' => soft_break(text, at),
            b'<' => tag(text, at),
            _ => None,
        };
        return Some(escaped.unwrap_or_else(|| (class(char::from(byte)), 1)));
    }
    let c = text.get(at..)?.chars().next()?;
    Some((class(c), c.len_utf8()))
}

/// Whether a digit can begin with this byte, raw or escaped. 0xC2 to 0xD8 lead Latin, Greek, Cyrillic, Hebrew: no decimal
/// digits there.
pub(super) fn begins(byte: u8) -> bool {
    byte.is_ascii_digit() || byte >= 0xd9 || matches!(byte, b'%' | b'&' | b'\\')
}

/// Classes of ASCII, looked up: gaps between digits are read often.
static ASCII: [Class; 128] = {
    let mut table = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = ascii(byte as u8);
        byte += 1;
    }
    table
};

const fn ascii(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' => Class::Digit(byte - b'0'),
        b' ' => Class::Space,
        b'\n' | b'\r' | 0x0b | 0x0c => Class::Newline,
        b'-' | b'~' => Class::Dash,
        b'.' => Class::Dot,
        b'/' | b'\\' => Class::Slash,
        b',' => Class::Comma,
        b';' | b'\t' | b'|' | b'"' | b'\'' => Class::Column,
        b'(' | b'[' | b'{' => Class::Open,
        b')' | b']' | b'}' => Class::Close,
        b'_' => Class::Underscore,
        b'+' => Class::Plus,
        b'>' => Class::Mark,
        _ => Class::Other,
    }
}

/// Class of one character.
pub(super) fn class(c: char) -> Class {
    if let Some(class) = ASCII.get(c as usize) {
        return *class;
    }
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Class::Space,
        '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Newline,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Class::Dash,
        '\u{58a}' | '\u{1806}' | '\u{207b}' | '\u{208b}' | '\u{2e3a}' | '\u{2e3b}' | '\u{30fc}' | '\u{af}' => {
            Class::Dash
        }
        '\u{ad}' => Class::SoftHyphen,
        '\u{b7}' | '\u{2024}' | '\u{ff0e}' | '\u{2219}' | '\u{22c5}' => Class::Dot,
        '\u{2044}' | '\u{2215}' | '\u{ff0f}' => Class::Slash,
        '\u{ff0c}' => Class::Comma,
        '\u{ff1b}' => Class::Column,
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2502}' | '\u{a6}' => Class::Column,
        '\u{ff3f}' => Class::Underscore,
        c if is_invisible(c) => Class::Invisible,
        c => wide_digit(c).map_or(Class::Other, Class::Digit),
    }
}

/// Zero-width, joiners, directional marks, variation selectors, tags: nothing on the page.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{20e3}' | '\u{300}'..='\u{33f}')
}

/// First characters of the decimal digits outside ASCII that turn up in mail: scripts, full-width, mathematical.
const ZEROES: [u32; 16] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xe50, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
    0x2080, 0x1fbf0,
];

fn wide_digit(c: char) -> Option<u8> {
    let code = u32::from(c);
    let circled = matches!(code, 0x2460..=0x2468).then(|| code - 0x2460 + 1);
    let superscript = matches!(code, 0x2074..=0x2079).then(|| code - 0x2070);
    let special = matches!(code, 0x24ea | 0x2070).then_some(0);
    let scripts = || {
        ZEROES
            .iter()
            .find(|&&zero| (zero..zero + 10).contains(&code))
            .map(|zero| code - zero)
    };
    circled
        .or(superscript)
        .or(special)
        .or_else(scripts)
        .and_then(|value| u8::try_from(value).ok())
}

/// `%2D`, `%E2%80%91`. A control character is no escape: `%01` may be a percent sign before a birth date.
fn percent(text: &str, at: usize) -> Option<(Class, usize)> {
    let byte_at = |at: usize| -> Option<u8> {
        let hex = text.get(at..at + 3)?.strip_prefix('%')?;
        if hex.starts_with('+') {
            None
        } else {
            u8::from_str_radix(hex, 16).ok()
        }
    };
    let first = byte_at(at)?;
    let length = match first {
        0x09 | 0x0a | 0x0d | 0x20..=0x7e => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut bytes = [first, 0, 0, 0];
    for (n, slot) in bytes.iter_mut().enumerate().take(length).skip(1) {
        *slot = byte_at(at + 3 * n)?;
    }
    let c = std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next()?;
    Some((class(c), 3 * length))
}

/// The entities that stand in or beside numbers; numeric ones in general.
fn entity(text: &str, at: usize) -> Option<(Class, usize)> {
    let bytes = text.as_bytes().get(at + 1..(at + 12).min(text.len()))?;
    let end = bytes.iter().position(|&b| b == b';')?;
    let name = text.get(at + 1..at + 1 + end)?;
    let c = match name {
        "nbsp" => '\u{a0}',
        "shy" => '\u{ad}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "minus" => '\u{2212}',
        "hyphen" | "dash" => '-',
        "thinsp" | "ensp" | "emsp" => ' ',
        "zwnj" | "zwj" | "lrm" | "rlm" => '\u{200b}',
        "quot" | "apos" => '"',
        "gt" => '>',
        "sol" => '/',
        "period" => '.',
        _ => numeric(name.strip_prefix('#')?)?,
    };
    Some((class(c), end + 2))
}

fn numeric(code: &str) -> Option<char> {
    let hex = code.strip_prefix(['x', 'X']);
    code_point(hex.unwrap_or(code), if hex.is_some() { 16 } else { 10 })
}

fn code_point(digits: &str, radix: u32) -> Option<char> {
    // The standard library would take a sign.
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    char::from_u32(plain.then(|| u32::from_str_radix(digits, radix).ok())??)
}

/// `\u002d`; other escapes are a backslash and a letter.
fn json(text: &str, at: usize) -> Option<(Class, usize)> {
    let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
    code_point(hex, 16).map(|c| (class(c), 6))
}

/// `=` before a line end: quoted-printable that nobody decoded.
fn soft_break(text: &str, at: usize) -> Option<(Class, usize)> {
    let rest = text.as_bytes().get(at + 1..)?;
    if rest.starts_with(b"\r\n") {
        Some((Class::Invisible, 3))
    } else if rest.starts_with(b"\n") {
        Some((Class::Invisible, 2))
    } else {
        None
    }
}

/// Whether a name of [`entity`] begins with these two letters.
pub(super) fn begins_entity(two: [u8; 2]) -> bool {
    matches!(
        &two,
        b"nb"
            | b"sh"
            | b"nd"
            | b"md"
            | b"mi"
            | b"hy"
            | b"da"
            | b"th"
            | b"en"
            | b"em"
            | b"zw"
            | b"lr"
            | b"rl"
            | b"qu"
            | b"ap"
            | b"gt"
            | b"so"
            | b"pe"
    )
}

/// Whether a name of [`tag`] begins with these two letters, or is the first alone.
pub(super) fn begins_tag([first, second]: [u8; 2]) -> bool {
    let lower = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
    let alone = matches!(lower[0], b'b' | b'i' | b'u' | b'a') && !second.is_ascii_alphanumeric();
    alone
        || matches!(
            &lower,
            b"em" | b"st" | b"sp" | b"fo" | b"wb" | b"sm" | b"su" | b"co" | b"tt" | b"ma" | b"br" | b"td" | b"th"
        )
}

/// Longest tag that is looked at.
const TAG: usize = 96;
/// Of the names of tags that matter.
const LONGEST_NAME: usize = 6;

/// A tag of HTML that nobody took out: one within a line is nothing, one that ends a block or cell parts columns.
fn tag(text: &str, at: usize) -> Option<(Class, usize)> {
    let bytes = text.as_bytes().get(at + 1..(at + TAG).min(text.len()))?;
    let slash = usize::from(bytes.first() == Some(&b'/'));
    let length = bytes
        .get(slash..)?
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let name = bytes.get(slash..slash + length)?;
    let mut lower = [0; LONGEST_NAME];
    let lower = lower.get_mut(..length)?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let class = match &*lower {
        b"b" | b"i" | b"u" | b"em" | b"strong" | b"span" | b"font" | b"a" | b"wbr" | b"small" | b"sup" | b"sub"
        | b"code" | b"tt" | b"mark" => Class::Invisible,
        b"br" => Class::Newline,
        b"td" | b"th" => Class::Column,
        _ => return None,
    };
    let end = bytes.iter().position(|&b| b == b'>')?;
    Some((class, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        let cases = [
            ("%2D", Class::Dash, 3),
            ("%20", Class::Space, 3),
            ("%E2%80%91", Class::Dash, 9),
            ("%30", Class::Digit(0), 3),
            ("&nbsp;", Class::Space, 6),
            ("&#8209;", Class::Dash, 7),
            ("&#x2d;", Class::Dash, 6),
            ("&#49;", Class::Digit(1), 5),
            ("\\u002d", Class::Dash, 6),
            ("=\r\n", Class::Invisible, 3),
            ("%01", Class::Other, 1),
            ("%+1", Class::Other, 1),
            ("&amp", Class::Other, 1),
        ];
        for (text, expected, length) in cases {
            assert_eq!(unit(text, 0), Some((expected, length)), "{text}");
        }
    }

    #[test]
    fn every_entity_and_tag_is_known_by_its_first_letters() {
        let letters = || b'a'..=b'z';
        for (a, b) in letters().flat_map(|a| letters().map(move |b| (a, b))) {
            let two = [a, b];
            let of = |names: &[&str]| names.iter().any(|name| name.as_bytes().starts_with(&two));
            let entities = [
                "nbsp", "shy", "ndash", "mdash", "minus", "hyphen", "dash", "thinsp", "ensp", "emsp", "zwnj", "zwj",
                "lrm", "rlm", "quot", "apos", "gt", "sol", "period",
            ];
            for name in entities {
                assert!(
                    unit(&format!("&{name};"), 0).is_some_and(|(_, length)| length > 1),
                    "{name}"
                );
            }
            assert_eq!(begins_entity(two), of(&entities));
            let tags = [
                "em", "strong", "span", "font", "wbr", "small", "sup", "sub", "code", "tt", "mark", "br", "td", "th",
            ];
            for name in tags.iter().chain(&["b", "i", "u", "a"]) {
                assert!(
                    unit(&format!("<{name}>"), 0).is_some_and(|(_, length)| length > 1),
                    "{name}"
                );
            }
            assert_eq!(begins_tag(two), of(&tags));
        }
        assert!(begins_tag(*b"A ") && begins_tag(*b"b>") && begins_tag(*b"TD") && !begins_tag(*b"p>"));
    }

    #[test]
    fn other_digits_have_their_value() {
        for (c, value) in [
            ('０', 0),
            ('９', 9),
            ('٣', 3),
            ('𝟘', 0),
            ('𝟿', 9),
            ('①', 1),
            ('⓪', 0),
            ('⁴', 4),
            ('₂', 2),
        ] {
            assert_eq!(class(c), Class::Digit(value));
        }
    }
}
