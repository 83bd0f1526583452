//! Finds the words of [`super::vocabulary`] in a short piece of text, and the labels for which a whole text is searched.

use super::vocabulary::VOCABULARY;
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word says of the number beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is a CPR number.
    Cpr,
    /// It belongs to a birth date.
    Birth,
    /// It belongs to a person.
    Person,
    /// It belongs to a file on a person: casework, treatment, school.
    Casework,
    /// It is the number of a case or a file; some offices take the person's own number for it.
    Case,
    /// It is a P-number or a personnummer.
    PNumber,
    /// It is something else.
    Other,
}

/// Every stem with its meaning, and a pattern of nothing but literals, longest first, so that `kontonummer` is preferred to
/// `konto` (and so that the regex crate runs it as one Aho-Corasick automaton).
struct Matcher {
    stems: HashMap<&'static str, Stem>,
    regex: Option<Regex>,
}

/// One stem.
#[derive(Clone, Copy)]
struct Stem {
    says: Says,
    /// Also inside a word.
    inside: bool,
    /// The whole word only.
    whole: bool,
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
    let mut stems = HashMap::new();
    for (says, words) in VOCABULARY {
        for word in words.split(',').map(str::trim) {
            let inside = word.starts_with('*');
            let whole = word.ends_with('=');
            let stem = word.trim_start_matches('*').trim_end_matches('=');
            stems.entry(stem).or_insert(Stem { says, inside, whole });
        }
    }
    let mut literals: Vec<&str> = stems.keys().copied().collect();
    literals.sort_by_key(|stem| (std::cmp::Reverse(stem.len()), *stem));
    let pattern = literals.into_iter().map(regex::escape).collect::<Vec<_>>().join("|");
    Matcher {
        stems,
        regex: Regex::new(&pattern).ok(),
    }
});

/// A word found in a piece of lower-case text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
    /// What it says.
    pub(super) says: Says,
}

/// All words in a short piece of lower-case text, in order.
pub(super) fn words_in(lower: &str) -> Vec<Word> {
    let Some(regex) = &MATCHER.regex else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hit) = regex.find_at(lower, at) {
        let stem = hit.as_str();
        let fitting = MATCHER.stems.get(stem);
        let glued_before = lower
            .get(..hit.start())
            .is_some_and(|text| text.ends_with(char::is_alphabetic));
        let glued_after = lower
            .get(hit.end()..)
            .is_some_and(|text| text.starts_with(char::is_alphabetic));
        match fitting {
            Some(&Stem { says, inside, whole })
                if (inside || !glued_before)
                    && !(whole && glued_after)
                    // `<a name="…">` names no person.
                    && (stem != "name" || !lower.get(hit.end()..).is_some_and(|rest| rest.starts_with('=')))
                    && (stem != "cpr" || is_cpr(lower, hit.start(), hit.end())) =>
            {
                let end = hit.end() + word_rest(lower, hit.end());
                found.push(Word {
                    start: hit.start(),
                    end,
                    says,
                });
                at = end;
            }
            // Perhaps a shorter stem begins one character later.
            _ => at = hit.start() + hit.as_str().chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// How a word may go on after `cpr`: -nr, -nummer, -id, -dato, -løbenr, -kontoret, -oplysning, -registret; `Cprt` and other
/// abbreviations of programmers do not.
const AFTER_CPR: [&str; 12] = ["n", "id", "s", "dato", "l", "e", "k", "f", "o", "reg", "p", "v"];

/// Whether the letters `cpr` in a text are the word: alone, as the beginning of one of its compounds, or as the end of
/// `borgercpr`, `mitcprnr`, `eCPR` (and not of `ICPR`, `tcpr`).
pub(super) fn is_cpr(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or("");
    let glued = before.chars().rev().take_while(|c| c.is_alphabetic()).take(3).count();
    let rest: String = text
        .get(end..)
        .unwrap_or("")
        .chars()
        .take(4)
        .flat_map(char::to_lowercase)
        .collect();
    let goes_on = !rest.starts_with(char::is_alphabetic) || AFTER_CPR.iter().any(|part| rest.starts_with(part));
    (glued == 0 || glued >= 3 || glued == 1 && before.ends_with(['e', 'E'])) && goes_on
}

/// Length of the letters that go on after a stem: `borger|ens`. A compound's last part decides what it is: the rest of
/// `kontonummer` is the word's own.
fn word_rest(lower: &str, from: usize) -> usize {
    let rest = lower.get(from..).unwrap_or("");
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    // `borgercpr`: leave the second word to be found for itself.
    rest.get(..letters).and_then(|word| word.find("cpr")).unwrap_or(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Vec<Says> {
        words_in(text).into_iter().map(|word| word.says).collect()
    }

    #[test]
    fn the_patterns_compile() {
        assert!(MATCHER.regex.is_some());
    }

    #[test]
    fn stems_match_at_the_start_of_words_only() {
        assert_eq!(says("borgerens"), [Says::Person]);
        assert_eq!(says("kontonummer 12"), [Says::Other]);
        assert_eq!(says("indlånskonto"), [Says::Other]);
        assert_eq!(says("kontoret i borgerkontoret"), [Says::Person]);
        assert_eq!(says("talte telefonisk"), []);
        assert_eq!(says("kontohaverens"), [Says::Person]);
        assert_eq!(says("ocean mean"), []);
        assert_eq!(says("mor morgen"), [Says::Person]);
        assert_eq!(says("borgercpr"), [Says::Person, Says::Cpr]);
        assert_eq!(says("cpr_nr"), [Says::Cpr]);
        assert_eq!(says("sagen vedrører"), [Says::Casework]);
    }

    #[test]
    fn stems_are_lower_case() {
        for (_, words) in VOCABULARY {
            assert_eq!(words, words.to_lowercase());
            assert!(words.split(',').all(|word| word.trim().len() >= 2));
        }
    }
}
