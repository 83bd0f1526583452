//! The labels that make unusual forms worth a look, found in a whole text: CPR words, and "the last four digits".
//!
//! A text has a label in every few thousand bytes at the most, so it is searched for the *heads* of labels first, as plain
//! strings (vector instructions of the `regex` crate); only where one stands is the pattern of the whole label tried.

use super::words::is_cpr;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of text that a label can take.
const LONGEST: usize = 64;

/// Head, in lower case, and the pattern that must follow at once. Of several that fit the first is taken.
const WORDS: &[(&str, &str)] = &[
    ("cpr", ""),
    ("personenkennz", ""),
    ("person", r"(?:al|en)?[ -]?(?:n(?:umm?er|umre|r)|id)"),
    ("pers", r"\.? ?nr"),
    ("fødselsn", "(?:umme)?r"),
    ("fodselsn", "(?:umme)?r"),
    ("civil reg", ""),
];

/// The first word of "the last four digits" in five languages, and the rest.
const PHRASES: &[&str] = &["sidste ", "last ", "final ", "letzten ", "sista ", "siste "];
const PHRASE_REST: &str = r"(?:fire|4|four|vier|fyra)(?: (?:cif|tal|dig|zif|sif|num|kontrol)|(?-u:\b))";

/// Danish words for the serial alone, in small letters or with a capital.
const HINTS: [&str; 10] = [
    "slutcif",
    "slutter på",
    "slutter med",
    "ender på",
    "ender med",
    "kontrolcif",
    "løbenum",
    "løbenr",
    "endelse",
    "suffix",
];

/// `de fire sidste`, `sidste del`: found by a head that is among the phrases.
const BEFORE_LAST: [&str; 2] = ["fire ", "4 "];
const LAST_PART: &str = "sidste del";

/// One label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// First to last byte.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) found: Found,
}

/// What a label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A CPR word.
    Word,
    /// The phrase "the last four digits".
    Phrase,
    /// `sidste fire` without `cifre`, `slutter på`, `kontrolcifre`: the phrase only where a CPR or birth word goes with it.
    Hint,
}

struct Matcher {
    words: Regex,
    phrases: Regex,
    whole_word: Regex,
    whole_phrase: Regex,
}

static MATCHER: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    let word_heads = WORDS.iter().flat_map(|(head, _)| casings(head));
    let phrase_heads = PHRASES.iter().chain(&HINTS).flat_map(|head| tails(head));
    let words = WORDS
        .iter()
        .map(|(head, rest)| format!("{}{rest}", regex::escape(head)));
    let phrases = PHRASES
        .iter()
        .map(|head| format!("{head}{PHRASE_REST}"))
        .chain(HINTS.iter().chain([&LAST_PART]).map(|hint| (*hint).to_owned()));
    let first_of = |patterns: Vec<String>| Regex::new(&format!("^(?i)(?:{})", patterns.join("|"))).ok();
    Some(Matcher {
        words: any_of(word_heads)?,
        phrases: any_of(phrase_heads)?,
        whole_word: first_of(words.collect())?,
        whole_phrase: first_of(phrases.collect())?,
    })
});

/// Beyond 32 strings the search takes twice the time.
fn any_of(strings: impl Iterator<Item = String>) -> Option<Regex> {
    let strings: Vec<String> = strings.map(|head| regex::escape(&head)).collect();
    Regex::new(&strings.join("|")).ok()
}

/// A head behind its first letter, which may be a capital; all in capitals only the Danish and the English one.
fn tails(head: &str) -> Vec<String> {
    let mut chars = head.chars();
    chars.next();
    let tail = chars.as_str().to_owned();
    let capitals = matches!(head, "sidste " | "last ").then(|| tail.to_uppercase());
    [tail].into_iter().chain(capitals).collect()
}

/// Where the head begins whose tail stands at `tail`.
fn head_of(text: &str, tail: Range<usize>) -> Option<usize> {
    let first = text.get(..tail.start)?.chars().next_back()?;
    let at = tail.start - first.len_utf8();
    let tail = text.get(tail)?;
    let lower = |head: &&&str| {
        let mut chars = head.chars();
        let same = chars
            .next()
            .is_some_and(|c| c == first || c.to_ascii_uppercase() == first);
        same && (chars.as_str() == tail || chars.as_str().to_uppercase() == tail && first.is_uppercase())
    };
    PHRASES.iter().chain(&HINTS).find(lower).map(|_| at)
}

fn capital(head: &str) -> String {
    let mut chars = head.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
    first.unwrap_or_default() + chars.as_str()
}

/// As people write it: `cpr`, `Cpr`, `CPR`; three letters in every casing.
fn casings(head: &str) -> Vec<String> {
    let mut all = vec![head.to_owned(), head.to_uppercase()];
    all.push(capital(head));
    if head.len() == 3 {
        all.extend((0..8_u8).map(|bits| {
            let raised = |(n, c): (usize, char)| if bits >> n & 1 == 1 { c.to_ascii_uppercase() } else { c };
            head.chars().enumerate().map(raised).collect()
        }));
    }
    all.sort();
    all.dedup();
    all
}

/// All labels of a text, none overlapping: first the words in order, then the phrases and hints.
pub(super) fn labels(text: &str) -> impl Iterator<Item = Label> {
    let matcher = MATCHER.as_ref();
    let words = matcher
        .into_iter()
        .flat_map(move |matcher| matcher.words.find_iter(text));
    let phrases = matcher
        .into_iter()
        .flat_map(move |matcher| matcher.phrases.find_iter(text));
    let phrases = phrases.filter_map(move |tail| head_of(text, tail.range()));
    apart(words.filter_map(move |head| word(text, head.start())))
        .chain(apart(phrases.filter_map(move |head| phrase(text, head))))
}

fn apart(labels: impl Iterator<Item = Label>) -> impl Iterator<Item = Label> {
    let mut read = 0;
    labels.filter_map(move |label| {
        let label = Some(label).filter(|label| label.span.start >= read)?;
        read = label.span.end;
        Some(label)
    })
}

/// The text that a label at `at` can take.
fn room(text: &str, at: usize) -> Option<&str> {
    text.get(at..text.floor_char_boundary(at.saturating_add(LONGEST).min(text.len())))
}

/// The CPR word whose head stands at `at`.
fn word(text: &str, at: usize) -> Option<Label> {
    let span = at..at + MATCHER.as_ref()?.whole_word.find(room(text, at)?)?.end();
    let fits = span.len() != 3 || is_cpr(text, span.start, span.end);
    fits.then_some(Label {
        span,
        found: Found::Word,
    })
}

/// The phrase or hint whose head stands at `at`.
fn phrase(text: &str, at: usize) -> Option<Label> {
    let lead = text.get(..at)?;
    let Some(whole) = MATCHER.as_ref()?.whole_phrase.find(room(text, at)?) else {
        return before_last(text, lead);
    };
    // `sidste fire` alone, and every hint, is of two words at the most.
    let found = if whole.as_str().split(' ').count() > 2 {
        Found::Phrase
    } else {
        Found::Hint
    };
    let within_a_word = lead.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    (!within_a_word).then_some(Label {
        span: at..at + whole.end(),
        found,
    })
}

/// `de fire sidste`: the head stands behind the number of digits.
fn before_last(text: &str, lead: &str) -> Option<Label> {
    let before = BEFORE_LAST.iter().find(|before| lead.ends_with(**before))?;
    let last = text.get(lead.len()..)?.starts_with("sidste");
    last.then(|| Label {
        span: lead.len() - before.len()..lead.len() + "sidste".len(),
        found: Found::Hint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, bool)> {
        labels(text)
            .map(|label| (&text[label.span], label.found != Found::Word))
            .collect()
    }

    #[test]
    fn labels_are_found_in_all_casings_and_languages() {
        assert!(MATCHER.is_some());
        for (text, label) in [
            ("mit CpR-nr", "CpR"),
            ("Personnummer: ", "Personnummer"),
            ("PERSONNR.", "PERSONNR"),
            ("personal id", "personal id"),
            ("pers. nr", "pers. nr"),
            ("Fødselsnummer", "Fødselsnummer"),
            ("FØDSELSNR", "FØDSELSNR"),
            ("fodselsnr", "fodselsnr"),
            ("Civil registration", "Civil reg"),
            ("Personenkennzahl", "Personenkennz"),
        ] {
            assert_eq!(found(text), [(label, false)], "{text}");
        }
        for phrase in [
            "De sidste fire cifre",
            "the last 4 digits",
            "die letzten vier Ziffern",
            "sista fyra siffrorna",
        ] {
            assert!(matches!(found(phrase)[..], [(_, true)]), "{phrase}");
        }
    }

    #[test]
    fn heads_alone_and_phrases_within_words_are_none() {
        for text in [
            "personer",
            "personlig",
            "persisk",
            "sidste fredag",
            "outlast four digits",
            "fødselsdag",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("cpr cpr").len(), 2);
        assert_eq!(found("Cprt ICPR"), []);
    }
}
