//! CMaps (Adobe Technical Note 5014): how many bytes a code has, which CID it names, which text it stands for.

use super::token::{Token, Tokens};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Entries of one CMap; more than any font has glyphs.
const ENTRIES: usize = 70_000;

/// A parsed CMap.
#[derive(Default)]
pub(super) struct CMap {
    /// Code lengths in bytes with their lowest and highest code.
    space: Vec<(usize, u32, u32)>,
    /// First code -> last code, and the text of the first in UTF-16, counted up from there.
    texts: BTreeMap<u32, (u32, Vec<u16>)>,
    /// First code -> last code, and the CID of the first.
    cids: BTreeMap<u32, (u32, u32)>,
}

impl CMap {
    pub fn parse(bytes: &[u8]) -> CMap {
        let mut map = CMap::default();
        let mut tokens = Tokens::new(bytes);
        let mut reuse = Vec::new();
        let mut entries = 0;
        while let Some(operation) = tokens.operation(reuse) {
            let operands: Vec<&Token> = operation.operands.iter().map(|(token, _)| token).collect();
            match bytes.get(operation.operator.clone()).unwrap_or_default() {
                b"endcodespacerange" => map.codespace(&operands),
                b"endbfchar" | b"endcidchar" => {
                    for pair in operands.chunks(2) {
                        if let [from, to] = pair {
                            map.entry(from, from, to);
                        }
                    }
                }
                b"endbfrange" | b"endcidrange" => map.span(&operands),
                _ => {}
            }
            entries += operands.len();
            reuse = operation.operands;
            if entries > 4 * ENTRIES {
                break;
            }
        }
        map
    }

    fn codespace(&mut self, operands: &[&Token]) {
        for pair in operands.chunks(2) {
            if let [Token::Text(low), Token::Text(high)] = pair
                && self.space.len() < 100
            {
                self.space.push((low.len().clamp(1, 4), code(low), code(high)));
            }
        }
        self.space.sort_unstable();
    }

    fn span(&mut self, operands: &[&Token]) {
        let mut rest = operands;
        while let [Token::Text(from), Token::Text(to), tail @ ..] = rest {
            if let [Token::ArrayStart, list @ ..] = tail {
                let len = list.iter().take_while(|token| ***token != Token::ArrayEnd).count();
                for (i, value) in list.iter().take(len).enumerate() {
                    let at = code(from).saturating_add(i as u32);
                    self.insert(at, at, value);
                }
                rest = list.get(len + 1..).unwrap_or_default();
            } else if let [value, tail @ ..] = tail {
                self.insert(code(from), code(to), value);
                rest = tail;
            } else {
                return;
            }
        }
    }

    fn entry(&mut self, from: &Token, to: &Token, value: &Token) {
        if let (Token::Text(from), Token::Text(to)) = (from, to) {
            self.insert(code(from), code(to), value);
        }
    }

    fn insert(&mut self, from: u32, to: u32, value: &Token) {
        if self.texts.len() + self.cids.len() >= ENTRIES || to < from {
            return;
        }
        match value {
            Token::Number(cid) if *cid >= 0.0 => {
                self.cids.insert(from, (to, *cid as u32));
            }
            Token::Text(text) => {
                let units = match text.as_slice() {
                    [single] => vec![u16::from(*single)],
                    text => text
                        .chunks_exact(2)
                        .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
                        .collect(),
                };
                self.texts.insert(from, (to, units));
            }
            Token::Name(name) => {
                let units = super::encoding::named(name).map(|c| c.encode_utf16(&mut [0; 2]).to_vec());
                self.texts.insert(from, (to, units.unwrap_or_default()));
            }
            _ => {}
        }
    }

    /// Length of the code at the start of `bytes`; `None` without a codespace.
    pub fn code_len(&self, bytes: &[u8]) -> Option<usize> {
        let shortest = self.space.first()?.0;
        let fits = |(len, low, high): &&(usize, u32, u32)| {
            // Each byte must lie between those of the two ends (ISO 32000-1, 9.7.6.2).
            bytes.get(..*len).is_some_and(|code| {
                let (low, high) = (low.to_be_bytes(), high.to_be_bytes());
                let ends = low.iter().zip(&high).skip(4 - len);
                code.iter().zip(ends).all(|(b, (low, high))| b >= low && b <= high)
            })
        };
        Some(self.space.iter().find(fits).map_or(shortest, |(len, ..)| *len))
    }

    /// What a code stands for.
    pub fn text(&self, code: u32) -> Option<Text> {
        let (first, (last, units)) = self.texts.range(..=code).next_back()?;
        if code > *last {
            return None;
        }
        let mut units = units.clone();
        let end = units.last_mut()?;
        *end = end.wrapping_add((code - first) as u16);
        Text::of(&String::from_utf16_lossy(&units))
    }

    /// The CID of a code, when this CMap maps codes to CIDs.
    pub fn cid(&self, code: u32) -> Option<u32> {
        let (first, (last, cid)) = self.cids.range(..=code).next_back()?;
        (code <= *last).then(|| cid.saturating_add(code - first))
    }

    pub fn has_texts(&self) -> bool {
        !self.texts.is_empty()
    }
}

/// The number that up to four bytes make.
pub(super) fn code(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |code, byte| code << 8 | u32::from(*byte))
}

/// What one glyph stands for: mostly one character, several for a ligature.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    One(char),
    More(Rc<str>),
}

impl Text {
    /// NULs are no text.
    pub fn of(text: &str) -> Option<Text> {
        let mut chars = text.chars().filter(|c| *c != '\0');
        match (chars.next()?, chars.next()) {
            (one, None) => Some(Text::One(one)),
            _ => Some(Text::More(text.replace('\0', "").into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lists_and_single_codes_are_read() {
        let map = CMap::parse(
            b"1 begincodespacerange <00> <80> <8140> <9ffc> endcodespacerange \
              2 beginbfrange <10> <19> <0030> <20> <21> [<0041> <00660069>] endbfrange \
              1 beginbfchar <05> <00e6> endbfchar",
        );
        assert_eq!(map.text(0x15), Some(Text::One('5')));
        assert_eq!(map.text(0x21), Text::of("fi"));
        assert_eq!(map.text(0x05), Some(Text::One('æ')));
        assert_eq!(map.text(0x22), None);
        assert_eq!((map.code_len(b"\x10"), map.code_len(b"\x81\x50")), (Some(1), Some(2)));
    }
}
