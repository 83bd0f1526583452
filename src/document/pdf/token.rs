//! Content streams and CMaps in tokens, each with its place in the bytes: an edit replaces one operator and leaves every
//! other byte as it is, which a parser that writes everything anew cannot promise.

use std::ops::Range;

/// One operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    ArrayStart,
    ArrayEnd,
    DictStart,
    DictEnd,
    /// `true`, `false`, `null`, operators.
    Word(Range<usize>),
}

/// More operands than this before one operator are no content stream.
const OPERANDS: usize = 1 << 20;

/// Reads tokens from the start to the end, never fails: what is no token is skipped.
pub(super) struct Tokens<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// An operator with its operands.
pub(super) struct Operation {
    pub operands: Vec<(Token, Range<usize>)>,
    pub operator: Range<usize>,
    /// Operands and operator.
    pub range: Range<usize>,
}

impl<'b> Tokens<'b> {
    pub fn new(bytes: &'b [u8]) -> Tokens<'b> {
        Tokens { bytes, at: 0 }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// The next operator; operands left at the end are dropped, as viewers do.
    pub fn operation(&mut self, reuse: Vec<(Token, Range<usize>)>) -> Option<Operation> {
        let mut operands = reuse;
        operands.clear();
        let mut arrays = 0_usize;
        loop {
            let (token, range) = self.next_token()?;
            match token {
                Token::ArrayStart => arrays += 1,
                Token::ArrayEnd => arrays = arrays.saturating_sub(1),
                _ => {}
            }
            match token {
                // Viewers pass over other operators in an array; these end one that was left open.
                Token::Word(word)
                    if arrays > 0 && !matches!(self.bytes.get(word.clone())?, b"Tj" | b"TJ" | b"'" | b"\"" | b"ET") => {
                }
                Token::Word(word) if !matches!(self.bytes.get(word.clone())?, b"true" | b"false" | b"null") => {
                    let start = operands.first().map_or(range.start, |(_, first)| first.start);
                    return Some(Operation {
                        operands,
                        range: start..range.end,
                        operator: word,
                    });
                }
                token => {
                    if operands.len() >= OPERANDS {
                        operands.clear();
                    }
                    operands.push((token, range));
                }
            }
        }
    }

    /// The next token and its bytes.
    pub fn next_token(&mut self) -> Option<(Token, Range<usize>)> {
        loop {
            self.skip_space();
            let start = self.at;
            let token = match self.peek(0)? {
                b'(' => self.literal(),
                b'<' if self.peek(1) == Some(b'<') => self.mark(2, Token::DictStart),
                b'<' => self.hexadecimal(),
                b'>' if self.peek(1) == Some(b'>') => self.mark(2, Token::DictEnd),
                b'[' => self.mark(1, Token::ArrayStart),
                b']' => self.mark(1, Token::ArrayEnd),
                b'/' => self.name(),
                b')' | b'>' | b'{' | b'}' => {
                    self.at += 1;
                    continue;
                }
                _ => self.word(),
            };
            return Some((token, start..self.at));
        }
    }

    fn mark(&mut self, len: usize, token: Token) -> Token {
        self.at += len;
        token
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek(0) {
            if byte == b'%' {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        while self.peek(0).is_some_and(|b| !is_space(b) && !is_delimiter(b)) {
            self.at += 1;
        }
        let bytes = self.bytes.get(start..self.at).unwrap_or_default();
        number(bytes).map_or(Token::Word(start..self.at), Token::Number)
    }

    fn name(&mut self) -> Token {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek(0).filter(|b| !is_space(*b) && !is_delimiter(*b)) {
            self.at += 1;
            let escaped = (self.peek(0).and_then(hex), self.peek(1).and_then(hex));
            match (byte, escaped) {
                (b'#', (Some(high), Some(low))) => {
                    name.push(high << 4 | low);
                    self.at += 2;
                }
                _ => name.push(byte),
            }
        }
        Token::Name(name)
    }

    fn hexadecimal(&mut self) -> Token {
        self.at += 1;
        let (mut text, mut half) = (Vec::new(), None);
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            if byte == b'>' {
                break;
            }
            match (hex(byte), half.take()) {
                (Some(low), Some(high)) => text.push(high << 4 | low),
                (Some(high), None) => half = Some(high),
                (None, before) => half = before,
            }
        }
        text.extend(half.map(|high: u8| high << 4));
        Token::Text(text)
    }

    /// ISO 32000-1, 7.3.4.2.
    fn literal(&mut self) -> Token {
        self.at += 1;
        let (mut text, mut depth) = (Vec::new(), 0);
        while let Some(byte) = self.peek(0) {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 0 => break,
                b')' => depth -= 1,
                b'\\' => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        Token::Text(text)
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek(0) else {
            return;
        };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\n' => {}
            b'\r' if self.peek(0) == Some(b'\n') => self.at += 1,
            b'\r' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek(0) else {
                        break;
                    };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push(value as u8);
            }
            other => text.push(other),
        }
    }

    /// Behind `BI`: the image's dictionary and data are passed over, up to and with `EI`.
    pub fn skip_inline_image(&mut self) {
        while let Some((token, _)) = self.next_token() {
            if let Token::Word(word) = token
                && self.bytes.get(word) == Some(b"ID")
            {
                break;
            }
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        for found in memchr::memmem::find_iter(rest, b"EI") {
            let before = found == 0 || rest.get(found - 1).is_some_and(|b| is_space(*b));
            let tail = rest.get(found + 2..).unwrap_or_default();
            // Image data may hold these two letters; what follows the real ones reads as text.
            let plain = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~');
            if before && tail.first().is_none_or(|b| is_space(*b)) && tail.iter().take(8).all(plain) {
                self.at += found + 2;
                return;
            }
        }
        self.at = self.bytes.len();
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Numbers as viewers take them: `--5`, `1.2.3` and `5-3` occur.
fn number(bytes: &[u8]) -> Option<f64> {
    if !matches!(bytes.first()?, b'0'..=b'9' | b'+' | b'-' | b'.') || !bytes.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if let Ok(value) = text.parse::<f64>() {
        return value.is_finite().then_some(value);
    }
    let negative = text.starts_with('-');
    let text = text.trim_start_matches(['-', '+']);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let mut parts = text.get(..end)?.splitn(3, '.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or("0"));
    let value = format!("0{whole}.{fraction}0").parse::<f64>().ok()?;
    value.is_finite().then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Token> {
        let mut tokens = Tokens::new(bytes);
        std::iter::from_fn(|| tokens.next_token().map(|(token, _)| token)).collect()
    }

    #[test]
    fn strings_are_unescaped() {
        let text = |bytes: &[u8]| Token::Text(bytes.to_vec());
        assert_eq!(all(b"(a\\(b\\061\\\n2(c))"), [text(b"a(b12(c)")]);
        assert_eq!(all(b"<30 3 13>"), [text(b"0\x31\x30")]);
        assert_eq!(all(b"(open"), [text(b"open")]);
    }

    #[test]
    fn odd_numbers_are_numbers() {
        let numbers = [
            Token::Number(-5.0),
            Token::Number(1.2),
            Token::Number(5.0),
            Token::Number(0.5),
        ];
        assert_eq!(all(b"--5 1.2.3 5-3 .5"), numbers);
    }

    #[test]
    fn an_inline_image_is_passed_over() {
        let bytes = b"BI /W 1 ID \x01 EI\x02 x\nEI Q";
        let mut tokens = Tokens::new(bytes);
        tokens.next_token();
        tokens.skip_inline_image();
        assert_eq!(tokens.next_token().map(|(_, range)| range), Some(22..23));
    }
}
