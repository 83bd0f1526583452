//! Text that is displayed from right to left by an override mark (U+202E, Unicode Standard Annex 9): its digits stand in the source
//! in the other order than a reader sees.

use crate::content::{Budget, Content, SourceMap, View};

/// RIGHT-TO-LEFT OVERRIDE.
const OVERRIDE: char = '\u{202e}';
/// POP DIRECTIONAL FORMATTING, which ends it; the end of a line does, too.
const POP: char = '\u{202c}';

/// Adds, for each view with such a mark, the text as it is displayed.
pub(super) fn add(content: &mut Content<'_>, budget: &mut Budget) {
    let views = content.views.iter().filter(|view| view.text.contains(OVERRIDE));
    let mut more = Vec::new();
    for view in views {
        if budget.produce(view.text.len() as u64).is_err() {
            break;
        }
        let (text, map) = displayed(&view.text);
        more.push(View {
            location: view.location.clone(),
            hidden: view.hidden,
            fake_redaction: view.fake_redaction,
            text,
            map: map.through(&view.map),
            part: view.part.clone(),
            // They count the letters of the text as it is written.
            spots: Vec::new(),
            guess: view.guess,
        });
    }
    content.views.extend(more);
}

/// The text with all overridden stretches turned round, and where each letter comes from.
fn displayed(source: &str) -> (String, SourceMap) {
    let (mut text, mut map) = (String::with_capacity(source.len()), SourceMap::default());
    let mut put = |from: usize, letters: &str| {
        map.linear(text.len(), from, letters.len());
        text.push_str(letters);
    };
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let mut rest = at;
        while let Some(mark) = source.get(rest..at + line.len()).and_then(|left| left.find(OVERRIDE)) {
            let start = rest + mark + OVERRIDE.len_utf8();
            put(rest, source.get(rest..rest + mark).unwrap_or_default());
            let inside = source.get(start..at + line.len()).unwrap_or_default();
            let inside = inside
                .find([POP, '\n', '\r'])
                .and_then(|end| inside.get(..end))
                .unwrap_or(inside);
            for (place, letter) in inside.char_indices().rev() {
                put(
                    start + place,
                    inside.get(place..place + letter.len_utf8()).unwrap_or_default(),
                );
            }
            rest = start + inside.len();
        }
        put(rest, source.get(rest..at + line.len()).unwrap_or_default());
        at += line.len();
    }
    (text, map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_as_they_are_displayed_and_come_from_where_they_are() {
        let (text, map) = displayed("a \u{202e}321\u{202c} b\n\u{202e}54\nc");
        assert_eq!(text, "a 123\u{202c} b\n45\nc");
        assert_eq!(map.source_of(2..3), Ok(7..8));
        assert_eq!(map.source_of(4..5), Ok(5..6));
    }
}
