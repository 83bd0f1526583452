//! What stands around one span: the nearest labels, a name, the token it is glued to.
//!
//! Looks at a fixed number of bytes on both sides, never further: a word speaks of the number beside it, not of the
//! document.

use super::words::{Says, Word, words_in};
use std::ops::Range;

/// Bytes looked at before a span.
const BEFORE: usize = 120;
/// Bytes looked at after a span.
const AFTER: usize = 48;
/// A CPR word this near counts in full.
const NEAR: usize = 48;
/// Another label must be this near.
const LABEL_NEAR: usize = 32;
/// A label after the number must follow at once.
const LABEL_AFTER: usize = 14;
/// A CPR word after the number: `er hendes cpr-nummer`.
const CPR_AFTER: usize = 24;
/// A birth or person word must be this near.
const PERSON_NEAR: usize = 70;

/// What the surroundings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// A CPR word is the nearest label.
    pub(super) cpr: bool,
    /// A CPR word is there, further off or behind another label.
    pub(super) cpr_far: bool,
    /// A birth word.
    pub(super) birth: bool,
    /// A person word.
    pub(super) person: bool,
    /// A person word, in the sentence before.
    pub(super) person_far: bool,
    /// A name just before.
    pub(super) name: bool,
    /// A name just behind.
    pub(super) name_after: bool,
    /// Words of casework, treatment, school.
    pub(super) casework: bool,
    /// The nearest label says something else.
    pub(super) other: bool,
    /// And it stands directly before the number, or directly behind it.
    pub(super) other_direct: bool,
    /// The nearest label says case, journal, reference: perhaps the person's number was taken for it.
    pub(super) case: bool,
}

impl Context {
    /// Whether a form that needs a label has one.
    pub(super) fn labelled(self) -> bool {
        self.cpr
    }
}

/// The text up to `length` bytes before `at`.
pub(super) fn before(text: &str, at: usize, length: usize) -> &str {
    text.get(text.ceil_char_boundary(at.saturating_sub(length))..at)
        .unwrap_or("")
}

/// The text up to `length` bytes from `at` on.
pub(super) fn after(text: &str, at: usize, length: usize) -> &str {
    text.get(at..text.floor_char_boundary(at.saturating_add(length).min(text.len())))
        .unwrap_or("")
}

/// Looks around a span.
pub(super) fn around(text: &str, span: &Range<usize>) -> Context {
    let lead = before(text, span.start, BEFORE);
    let p_number = span.len() == 10 && text.as_bytes().get(span.start) == Some(&b'1');
    let lead_lower = lead.to_lowercase();
    let tail_lower = after(text, span.end, AFTER).to_lowercase();
    let mut context = Context {
        name: name_before(lead),
        name_after: name_after(after(text, span.end, AFTER)),
        birth: born(lead),
        ..Context::default()
    };
    let mut nearest_cpr: Option<usize> = None;
    let mut nearest_other: Option<Label> = None;
    let leading = words_in(&lead_lower)
        .into_iter()
        .map(|word| (lead_lower.len().saturating_sub(word.end), word, true));
    let trailing = words_in(&tail_lower).into_iter().map(|word| (word.start, word, false));
    for (distance, word, leads) in leading.chain(trailing) {
        // `0101901234 konto 1234 567890`: the label behind belongs to the number behind it.
        if !leads && labels_next(tail_lower.get(word.end..).unwrap_or("")) {
            continue;
        }
        let between = between(&lead_lower, &tail_lower, word, leads);
        let reach = |reach: usize| distance <= if leads { reach } else { LABEL_AFTER };
        // P-numbers have ten digits together, the first of them 1 (Erhvervsstyrelsen, CVR).
        let says = match word.says {
            Says::PNumber if p_number => Says::Other,
            says => says,
        };
        match says {
            Says::PNumber => {
                context.cpr_far |= leads && reach(LABEL_NEAR) && !between.contains('\n') && !barrier(between)
            }
            Says::Cpr if leads && other_sentence(lead, word.end) => {
                context.cpr_far = true;
            }
            Says::Cpr if leads || distance <= CPR_AFTER && speaks_back(between) => {
                nearest_cpr = Some(nearest_cpr.map_or(distance, |known| known.min(distance)));
            }
            Says::Other | Says::Case
                if reach(LABEL_NEAR)
                    && !between.contains('\n')
                    && !barrier(between)
                    && (leads || speaks_back(between)) =>
            {
                let label = Label {
                    distance,
                    direct: if word.says == Says::PNumber {
                        // Short for personnummer as well: it lowers, and rules nothing out.
                        false
                    } else if leads {
                        directly(between, lead_lower.get(word.start..word.end))
                    } else {
                        between.contains('(')
                    },
                    case: word.says == Says::Case,
                };
                if nearest_other.is_none_or(|known| distance < known.distance) {
                    nearest_other = Some(label);
                }
            }
            Says::Casework => context.casework |= reach(PERSON_NEAR),
            Says::Birth => context.birth |= reach(PERSON_NEAR),
            Says::Person if leads && other_sentence(lead, word.end) => context.person_far |= reach(PERSON_NEAR),
            Says::Person => context.person |= reach(PERSON_NEAR),
            Says::Cpr | Says::Other | Says::Case => {}
        }
    }
    let cpr_direct = |cpr: usize| {
        let rest = lead_lower.get(lead_lower.len().saturating_sub(cpr)..);
        rest.is_some_and(|rest| directly(rest, None))
    };
    if !nearest_cpr.is_some_and(cpr_direct) && unknown_label(lead) {
        nearest_other = Some(Label {
            distance: 0,
            direct: true,
            case: nearest_other.is_some_and(|known| known.direct && known.case),
        });
    }
    let other =
        nearest_other.filter(|other| nearest_cpr.is_none_or(|cpr| other.distance < cpr) && !either(&lead_lower));
    context.other = other.is_some();
    context.other_direct = other.is_some_and(|other| other.direct);
    context.case = other.is_some_and(|other| other.case);
    context.cpr = !context.other && nearest_cpr.is_some_and(|cpr| cpr <= NEAR);
    context.cpr_far = !context.cpr && (context.cpr_far || nearest_cpr.is_some());
    context
}

/// A label that says something else.
#[derive(Clone, Copy)]
struct Label {
    distance: usize,
    direct: bool,
    case: bool,
}

/// Words that may stand between a label and its number.
const CONNECTORS: [&str; 16] = [
    "nr",
    "nummer",
    "no",
    "num",
    "number",
    "id",
    "er",
    "på",
    "is",
    "n",
    "kto",
    "konto",
    "kontonr",
    "kontonummer",
    "og",
    "s",
];

/// Labels whose numbers come in groups: a bank's four digits, a country's two.
const GROUPED: [&str; 11] = [
    "kode", "konto", "kto", "reg", "bank", "account", "ean", "gln", "gtin", "iban", "isbn",
];

/// Nothing but signs and `nr.`, `er` stands between label and number; for some labels one short number too.
fn directly(between: &str, label: Option<&str>) -> bool {
    let grouped = label.is_some_and(|label| GROUPED.iter().any(|word| label.contains(word)));
    let mut numbers = 0;
    let mut words = between
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    between.len() <= 28
        && !between.contains([',', ';'])
        && words.all(|word| {
            let number = word.len() <= 5 && word.bytes().all(|b| b.is_ascii_digit());
            numbers += usize::from(number);
            CONNECTORS.contains(&word) || number && grouped && numbers <= 2
        })
}

/// Words before `nr.` that make no label of it: `dit nr. 0101901234`.
const NO_LABELS: [&str; 22] = [
    "med", "er", "og", "har", "det", "dit", "mit", "min", "din", "hans", "hendes", "deres", "vores", "under", "på",
    "til", "af", "for", "eller", "the", "my", "your",
];

/// A label that no list has, by its form: `lotnummer`, `Art.nr.`, `F2-nummer`, `Aftale-id:`, `orderId":`, directly before the
/// number, and nothing in it speaks of a person.
fn unknown_label(lead: &str) -> bool {
    let signs = |c: char| matches!(c, ' ' | ':' | '.' | '#' | '=' | '"' | '\'' | '(' | '-');
    let trimmed = lead.trim_end_matches(signs);
    if lead.len() - trimmed.len() > 4 {
        return false;
    }
    let line = trimmed.rsplit(['\n', '\t', ';', ',', '|']).next().unwrap_or("");
    let mut words = line
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let word = words.next().unwrap_or("");
    let lower = word.to_lowercase();
    let alone = matches!(lower.as_str(), "nr" | "nummer" | "number" | "no" | "num" | "id");
    let compound = ["nr", "nummer", "number"]
        .iter()
        .any(|end| lower.len() > end.len() && lower.ends_with(end))
        || word.len() > 2 && (word.ends_with("ID") || word.ends_with("Id"));
    let name = if alone { words.next().unwrap_or("") } else { word };
    let start = (name.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    let label = name.to_lowercase();
    let numeral = label.chars().all(|c| c.is_ascii_digit());
    (alone || compound)
        && !numeral
        && !NO_LABELS.contains(&label.as_str())
        && !words_in(&line.get(start..).unwrap_or("").to_lowercase())
            .iter()
            .any(|word| word.says != Says::Other)
}

/// A number follows the label at once.
fn labels_next(rest: &str) -> bool {
    let rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
    let rest = ["nr", "nummer", "no"]
        .iter()
        .find_map(|word| rest.strip_prefix(word))
        .unwrap_or(rest);
    rest.trim_start_matches(['.', ':', ' ', '#', '+', '(', '=', '\t', '"'])
        .starts_with(|c: char| c.is_ascii_digit())
}

/// `CPR/CVR-nr.`, `cpr- eller p-nr.`: one label for either, and ten digits settle which.
fn either(lead: &str) -> bool {
    let Some(cpr) = lead.rfind("cpr") else { return false };
    let rest = lead.get(cpr..).unwrap_or("");
    let joint = ["/", " eller ", " or ", " oder ", "/-"]
        .iter()
        .filter_map(|sign| rest.find(sign))
        .min();
    joint.is_some_and(|at| at <= 12) && rest.len() <= NEAR && !rest.bytes().any(|byte| byte.is_ascii_digit())
}

/// The text between a word and the span.
fn between<'t>(lead: &'t str, tail: &'t str, word: Word, leads: bool) -> &'t str {
    if leads {
        lead.get(word.end..).unwrap_or("")
    } else {
        tail.get(..word.start).unwrap_or("")
    }
}

/// A longer number, or the pairs of a telephone number, stand between: the label is that one's.
fn barrier(between: &str) -> bool {
    let runs = || between.split(|c: char| !c.is_ascii_digit()).map(str::len);
    runs().any(|digits| digits >= 6) || runs().sum::<usize>() >= 8
}

/// The sentence that holds the word ends before the span: `CPR oplyses ikke. Brug sagsnummeret`. Abbreviations go on with
/// a small letter or a digit (`cpr. nr. 0101901234`). Looks at the text as written; `at` comes from its lower-case copy.
fn other_sentence(lead: &str, at: usize) -> bool {
    let rest = lead.get(at..).unwrap_or("");
    rest.match_indices(['.', '!', '?']).any(|(end, _)| {
        let next = rest.get(end + 1..).unwrap_or("");
        let word = next.trim_start_matches([' ', '\n', '\r']);
        let mut letters = word.chars();
        next.len() > word.len()
            && letters.next().is_some_and(char::is_uppercase)
            && word.contains(' ')
            && letters.next().is_some_and(char::is_lowercase)
    })
}

/// After the number only `(cpr)`, ` - cpr`, ` er cpr` speak back; after a line end, a full stop or a semicolon the next
/// label belongs to what follows it.
fn speaks_back(between: &str) -> bool {
    !between.contains(['\n', ';', ',', '.', '\t', '|']) && !between.bytes().any(|byte| byte.is_ascii_digit())
}

/// Two capitalised words directly before, as in `Anders Jensen, 010190 1234`.
fn name_before(lead: &str) -> bool {
    // Address blocks have it on the line above.
    let above = lead.trim_end_matches([' ', '\t', '>']);
    let above = above
        .strip_suffix('\n')
        .map_or(lead, |line| line.trim_end_matches('\r'));
    let line = above.rsplit('\n').next().unwrap_or("");
    let trimmed = line.trim_end_matches([' ', ',', ':', ';', '(', '\t', '-', '\u{a0}', '|', '"']);
    if line.len() - trimmed.len() > 8 {
        return false;
    }
    let mut words = trimmed
        .rsplit([' ', '\u{a0}', ',', ';', '\t', '|', '"'])
        .filter(|word| !word.is_empty());
    let mut name = || words.next().is_some_and(is_name);
    name() && name()
}

/// Two capitalised words directly behind, as in `010190 1234 Anders Jensen`, `0101901234;Jensen, Anders`.
fn name_after(tail: &str) -> bool {
    let line = tail.split(['\n', '\r']).next().unwrap_or("");
    let rest = line.trim_start_matches([' ', ',', ':', ';', ')', '\t', '-', '\u{a0}', '|', '"']);
    if rest.len() == line.len() || line.len() - rest.len() > 4 {
        return false;
    }
    let mut words = rest
        .split([' ', '\u{a0}', ',', ';', '\t', '|', '"'])
        .filter(|word| !word.is_empty());
    let mut name = || words.next().is_some_and(is_name);
    name() && name()
}

/// `Jens Jensen, f. 010190-1234`.
fn born(lead: &str) -> bool {
    let word = lead.trim_end();
    [" f.", ",f.", "(f."].iter().any(|sign| word.ends_with(sign))
}

fn is_name(word: &str) -> bool {
    let word = word.trim_matches(['"', ',', ';']);
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase)
        && word.chars().count() >= 2
        && chars.clone().any(char::is_lowercase)
        && chars.all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Context {
        let start = text.find('#').unwrap_or(0);
        around(text, &(start..start + 1))
    }

    #[test]
    fn the_nearest_label_wins() {
        assert!(at("CPR-nr.: #").cpr);
        assert!(at("Konto 1234 #").other);
        assert!(at("cpr og konto #").other);
        assert!(at("cpr og konto #").cpr_far);
        assert!(at("konto og cpr #").cpr);
        assert!(!at("konto og cpr #").other);
    }

    #[test]
    fn a_label_for_either_is_a_cpr_label() {
        assert!(at("CPR/CVR-nr.: #").cpr);
        assert!(at("CPR- eller CVR-nummer #").cpr);
        assert!(at("CVR/CPR #").cpr);
        assert!(!at("cpr 12 / cvr #").cpr);
    }

    #[test]
    fn a_label_belongs_to_the_first_number_after_it() {
        assert!(!at("Faktura 12345678 til #").other);
        assert!(at("Faktura #, CPR: x").other);
        assert!(!at("# Faktura følger").cpr);
        assert!(at("# (CPR)").cpr);
        assert!(at("# er hendes cpr-nummer").cpr);
        assert!(!at("Borgerkontoret #").other);
    }

    #[test]
    fn names_are_two_capitalised_words() {
        assert!(at("Kære Anders And, #").name);
        assert!(at("Åse Øster-Lund (#").name);
        assert!(at("Anna Hansen\r\n#").name);
        assert!(!at("Anna Hansen\n\n#").name);
        assert!(!at("Sagen vedrører #").name);
        assert!(!at("FAKTURA NR #").name);
    }
}
