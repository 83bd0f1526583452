//! How things look on a page: times, addresses, numbers, text out of a mail. Everything out of a mail goes through here.

use super::words;
use crate::courier::{clean, place_words, spoken};
use crate::cpr::{IdKind, mask};
use crate::inspect::Excerpt;
use crate::policy::Language;
use crate::types::{Address, Location, OfficePlace, Place, Recipient, danish_time};
use time::OffsetDateTime;

const MONTHS: [(&str, &str); 12] = [
    ("jan.", "Jan"),
    ("feb.", "Feb"),
    ("mar.", "Mar"),
    ("apr.", "Apr"),
    ("maj", "May"),
    ("jun.", "Jun"),
    ("jul.", "Jul"),
    ("aug.", "Aug"),
    ("sep.", "Sep"),
    ("okt.", "Oct"),
    ("nov.", "Nov"),
    ("dec.", "Dec"),
];

/// `24. nov. 09.30`, `24 Nov 09:30`, Danish time.
pub(super) fn short(at: OffsetDateTime, language: Language) -> String {
    let local = danish_time(at);
    let month = MONTHS
        .get(usize::from(u8::from(local.month())) - 1)
        .copied()
        .unwrap_or_default();
    let (day, hour, minute) = (local.day(), local.hour(), local.minute());
    match language {
        Language::Da => format!("{day}. {} {hour:02}.{minute:02}", month.0),
        Language::En => format!("{day} {} {hour:02}:{minute:02}", month.1),
    }
}

/// In full.
pub(super) fn long(at: OffsetDateTime, language: Language) -> String {
    spoken(at, language)
}

/// How long: `3 dage`, `2 hours`.
pub(super) fn span(seconds: i64, language: Language) -> String {
    let seconds = seconds.max(0);
    let (n, da, en) = match seconds {
        0..3600 => (seconds / 60, ("minut", "minutter"), ("minute", "minutes")),
        3600..172_800 => (seconds / 3600, ("time", "timer"), ("hour", "hours")),
        _ => (seconds / 86_400, ("dag", "dage"), ("day", "days")),
    };
    let (one, many) = if language == Language::Da { da } else { en };
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Text out of a mail, on one line: numbers masked, nothing that turns the direction of writing.
pub(super) fn line(text: &str) -> String {
    clean(text)
}

/// All digits as dots, too: of context nobody needs any.
pub(super) fn dotted(text: &str) -> String {
    let masked = mask(text);
    plain(&masked)
        .chars()
        .map(|c| if c.is_numeric() { '•' } else { c })
        .collect()
}

/// In clear, on one line.
pub(super) fn plain(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text: String = text.chars().map(|c| if hostile(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands around a number, masked unless `clear`: before, the number, after.
pub(super) fn excerpt(excerpt: &Excerpt, clear: bool) -> (String, String, String) {
    if clear {
        return (plain(&excerpt.before), plain(&excerpt.number), plain(&excerpt.after));
    }
    // Masked as one text: a number may reach over the edges.
    let hidden: String = excerpt
        .number
        .chars()
        .map(|c| if c.is_alphanumeric() { '•' } else { c })
        .collect();
    (dotted(&excerpt.before), plain(&hidden), dotted(&excerpt.after))
}

/// An address of somebody outside: who it is need not be known for finding a mail in a list.
pub(super) fn stranger(recipient: &Recipient) -> String {
    match &recipient.address {
        Some(Address { local, domain }) if !domain.is_empty() => {
            let first: String = mask(local).chars().take(1).collect();
            format!("{first}•••@{}", line(domain))
        }
        Some(address) => line(&address.to_string()),
        None => line(&String::from_utf8_lossy(&recipient.raw)),
    }
}

/// An address in full, numbers in it masked.
pub(super) fn address(recipient: &Recipient) -> String {
    match &recipient.address {
        Some(address) => line(&address.to_string()),
        None => line(&String::from_utf8_lossy(&recipient.raw)),
    }
}

/// `CPR-nummer`.
pub(super) fn kind(kind: &IdKind, language: Language) -> String {
    match (kind, language) {
        (IdKind::Cpr, Language::Da) => "CPR-nummer".to_owned(),
        (IdKind::Cpr, Language::En) => "CPR number".to_owned(),
        (IdKind::Custom(name), _) => line(name),
    }
}

/// Where, in words: `i filen "notat.docx", i fodnote 2`.
pub(super) fn place(place: &Place, language: Language) -> String {
    let location = match place.location.clone() {
        Location::Office(inner) => Location::Office(OfficePlace::with_names(inner, mask)),
        other => other,
    };
    let words = place_words(&location, place.name.is_some(), language);
    match (&place.name, language) {
        (None, _) => words,
        (Some(name), Language::Da) => format!("i filen \"{}\", {words}", line(name)),
        (Some(name), Language::En) => format!("in the file \"{}\", {words}", line(name)),
    }
}

/// `12 kB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// What happened, in words; the audit trail's own word when it is a new one.
pub(super) fn event(word: &str, language: Language) -> String {
    words::event(word, language).map_or_else(|| word.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::made_up;

    #[test]
    fn no_digit_of_a_masked_excerpt_is_left() {
        let number = made_up::hyphenated(&made_up::number(3));
        let shown = excerpt(
            &Excerpt {
                before: format!("sag 2026-17, {} ", &number[..4]),
                number: number.clone(),
                after: " tlf. 12 34\u{202e}\n٣".to_owned(),
            },
            false,
        );
        let all = format!("{}{}{}", shown.0, shown.1, shown.2);
        assert!(!all.chars().any(char::is_numeric), "{all}");
        assert!(shown.1.contains('-') && !shown.2.contains('\u{202e}'));
    }

    #[test]
    fn a_stranger_keeps_the_domain() {
        let recipient = Recipient {
            raw: b"<borger@post.example>".to_vec(),
            address: Address::parse(b"borger@post.example").ok(),
            args: Vec::new(),
        };
        assert_eq!(stranger(&recipient), "b•••@post.example");
    }

    #[test]
    fn spans_are_spoken() {
        assert_eq!(span(59, Language::Da), "0 minutter");
        assert_eq!(span(3600, Language::En), "1 hour");
        assert_eq!(span(3 * 86_400, Language::Da), "3 dage");
        assert_eq!(span(-5, Language::En), "0 minutes");
    }
}
