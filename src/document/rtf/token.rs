//! The syntax of RTF (specification 1.9.1, "RTF Syntax"): groups, control words, control symbols, text.

use std::ops::Range;

/// One token. Line breaks in the source are no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\name` with its parameter.
    Word(&'t str, Option<i32>),
    /// `\~` and the like.
    Symbol(u8),
    /// `\'hh`
    Hex(u8),
    /// The raw data behind `\bin`.
    Binary(Range<usize>),
    /// Bytes as they are.
    Text(Range<usize>),
}

/// All tokens with the bytes they stand in.
pub(super) struct Tokens<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    pub fn of(bytes: &'t [u8], at: usize) -> Tokens<'t> {
        Tokens { bytes, at }
    }

    /// Where the next token begins.
    pub fn position(&self) -> usize {
        self.at
    }

    fn text(&mut self) -> Token<'t> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|b| matches!(b, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0))
            .unwrap_or(rest.len());
        self.at += len;
        Token::Text(self.at - len..self.at)
    }

    fn control(&mut self) -> Option<Token<'t>> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let first = *rest.first()?;
        if !first.is_ascii_alphabetic() {
            return Some(self.symbol(rest, first));
        }
        // Word reads up to 32 letters; longer names are nobody's.
        let len = rest.iter().take(64).take_while(|b| b.is_ascii_alphabetic()).count();
        let name = std::str::from_utf8(rest.get(..len)?).ok()?;
        let mut end = len;
        let minus = rest.get(end) == Some(&b'-') && rest.get(end + 1).is_some_and(u8::is_ascii_digit);
        end += usize::from(minus);
        let digits = rest
            .get(end..)?
            .iter()
            .take(10)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let number = std::str::from_utf8(rest.get(end..end + digits)?).ok()?;
        let value = number.parse::<i64>().ok().map(|n| if minus { -n } else { n });
        let value = value.map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        end += digits;
        end += usize::from(rest.get(end) == Some(&b' '));
        self.at += 1 + end;
        if name == "bin" {
            let left = self.bytes.len() - self.at;
            let len = usize::try_from(value.unwrap_or(0)).unwrap_or(0).min(left);
            self.at += len;
            return Some(Token::Binary(self.at - len..self.at));
        }
        Some(Token::Word(name, value))
    }

    fn symbol(&mut self, rest: &[u8], first: u8) -> Token<'t> {
        let nibble = |i: usize| rest.get(i).and_then(|b| char::from(*b).to_digit(16));
        if first == b'\''
            && let (Some(high), Some(low)) = (nibble(1), nibble(2))
        {
            self.at += 4;
            return Token::Hex((high * 16 + low) as u8);
        }
        self.at += 2;
        Token::Symbol(first)
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = (Token<'t>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.bytes.get(self.at).is_some_and(|b| matches!(b, b'\r' | b'\n' | 0)) {
            self.at += 1;
        }
        let start = self.at;
        let token = match self.bytes.get(start)? {
            b'{' | b'}' => {
                self.at += 1;
                if self.bytes.get(start) == Some(&b'{') {
                    Token::Open
                } else {
                    Token::Close
                }
            }
            b'\\' => self.control()?,
            _ => self.text(),
        };
        Some((token, start..self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_their_parameter_and_one_space() {
        let mut tokens = Tokens::of(b"\\b0  1\\u-4 x\\'3a", 0);
        assert_eq!(tokens.next(), Some((Token::Word("b", Some(0)), 0..4)));
        assert_eq!(tokens.next(), Some((Token::Text(4..6), 4..6)));
        assert_eq!(tokens.next(), Some((Token::Word("u", Some(-4)), 6..11)));
        assert_eq!(tokens.next(), Some((Token::Text(11..12), 11..12)));
        assert_eq!(tokens.next(), Some((Token::Hex(0x3a), 12..16)));
        assert_eq!(tokens.next(), None);
    }

    #[test]
    fn raw_data_is_no_text_and_ends_with_the_file() {
        let mut tokens = Tokens::of(b"\\bin3 {}}\\bin99 ab", 0);
        assert_eq!(tokens.next(), Some((Token::Binary(6..9), 0..9)));
        assert_eq!(tokens.next(), Some((Token::Binary(16..18), 9..18)));
        assert_eq!(tokens.next(), None);
    }
}
