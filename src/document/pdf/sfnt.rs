//! The `cmap` table of an embedded TrueType font, backwards: which character a glyph shows. For files whose fonts do not say
//! it any other way.

use std::collections::HashMap;

/// Glyph -> character; empty when the font has no such table (subsets often do not).
pub(super) fn characters(font: &[u8]) -> HashMap<u32, char> {
    let mut glyphs = HashMap::new();
    let Some(cmap) = table(font, b"cmap") else {
        return glyphs;
    };
    let count = usize::from(u16_at(cmap, 2).unwrap_or(0)).min(32);
    for i in 0..count {
        let unicode = matches!(
            (u16_at(cmap, 4 + i * 8), u16_at(cmap, 6 + i * 8)),
            (Some(0), _) | (Some(3), Some(0 | 1 | 10))
        );
        let at = u32_at(cmap, 8 + i * 8).and_then(|at| usize::try_from(at).ok());
        if let Some(sub) = at.filter(|_| unicode).and_then(|at| cmap.get(at..)) {
            match u16_at(sub, 0) {
                Some(4) => segments(sub, &mut glyphs),
                Some(12) => groups(sub, &mut glyphs),
                _ => {}
            }
        }
    }
    glyphs
}

fn table<'f>(font: &'f [u8], tag: &[u8; 4]) -> Option<&'f [u8]> {
    let count = usize::from(u16_at(font, 4)?).min(64);
    let record = (0..count)
        .map(|i| 12 + i * 16)
        .find(|at| font.get(*at..*at + 4) == Some(tag))?;
    let at = usize::try_from(u32_at(font, record + 8)?).ok()?;
    let len = usize::try_from(u32_at(font, record + 12)?).ok()?;
    font.get(at..)?.get(..len)
}

fn put(glyphs: &mut HashMap<u32, char>, glyph: u32, code: u32) {
    // Symbol fonts keep ASCII at U+F000.
    let code = if (0xf020..=0xf07e).contains(&code) {
        code - 0xf000
    } else {
        code
    };
    if glyph != 0
        && let Some(c) = char::from_u32(code)
    {
        glyphs.entry(glyph).or_insert(c);
    }
}

/// Segments of a hostile table may overlap: this many codes are looked at.
const WORK: usize = 1 << 18;

/// Format 4.
fn segments(sub: &[u8], glyphs: &mut HashMap<u32, char>) {
    let mut work = 0;
    let double = usize::from(u16_at(sub, 6).unwrap_or(0));
    for i in (0..double.min(sub.len())).step_by(2) {
        let end = u16_at(sub, 14 + i);
        let start = u16_at(sub, 16 + double + i);
        let delta = u16_at(sub, 16 + 2 * double + i);
        let offset_at = 16 + 3 * double + i;
        let (Some(end), Some(start), Some(delta), Some(offset)) = (end, start, delta, u16_at(sub, offset_at)) else {
            return;
        };
        work += usize::from(end.saturating_sub(start)) + 1;
        if work > WORK {
            return;
        }
        for code in start..=end {
            let glyph = if offset == 0 {
                code.wrapping_add(delta)
            } else {
                let at = offset_at + usize::from(offset) + usize::from(code - start) * 2;
                match u16_at(sub, at).unwrap_or(0) {
                    0 => 0,
                    glyph => glyph.wrapping_add(delta),
                }
            };
            put(glyphs, u32::from(glyph), u32::from(code));
        }
    }
}

/// Format 12.
fn groups(sub: &[u8], glyphs: &mut HashMap<u32, char>) {
    let count = usize::try_from(u32_at(sub, 12).unwrap_or(0))
        .unwrap_or(0)
        .min(sub.len() / 12);
    let mut work = 0;
    for i in 0..count {
        let at = 16 + i * 12;
        let (Some(start), Some(end), Some(glyph)) = (u32_at(sub, at), u32_at(sub, at + 4), u32_at(sub, at + 8)) else {
            return;
        };
        let len = end.saturating_sub(start).min(0xffff);
        work += len as usize + 1;
        if work > WORK {
            return;
        }
        for step in 0..=len {
            put(glyphs, glyph.saturating_add(step), start.saturating_add(step));
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
