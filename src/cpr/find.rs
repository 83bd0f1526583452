//! Finding identifiers in plain text: gathers readings, weighs them, keeps the best where two overlap.

use super::atoms::{self, Atom, Kind};
use super::features::Evidence;
use super::identifiers::Custom;
use super::labels::{Found, labels};
use super::score::{self, Document};
use super::shape::{self, Shape};
use super::{Confidence, IdKind, Identifier, IdentifierError, Secret, near, prose};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use time::Date;

/// The fewest digits in a row that a form has: the hospital's letter form has seven before its letters.
pub(super) const FEWEST: u32 = 7;

/// One identifier found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: IdKind,
    /// First to last byte of the written form.
    pub span: Range<usize>,
    /// The characters that make the number, one range a character: what redaction replaces.
    pub digits: Vec<Range<usize>>,
    /// Canonical characters.
    pub number: Secret,
    /// How sure.
    pub confidence: Confidence,
    /// Names of the features that made the confidence.
    pub why: Vec<&'static str>,
}

/// Finds identifiers; made once, used for many texts.
#[derive(Clone, Debug)]
pub struct Detector {
    today: Date,
    custom: Vec<Custom>,
}

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// In order of their start. Overlapping readings of the same digits are settled; but hits of different kinds may
    /// overlap, and the span of a number written in prose may enclose others or share its birth date with them.
    pub hits: Vec<Hit>,
    /// Readings of digits that are plainly something else, an invoice's number behind its label: nothing to report, but
    /// compared with protected persons, erased with the number, and kept out of texts of our own. They may overlap.
    pub faint: Vec<Hit>,
}

impl Detected {
    /// Both.
    pub fn all(self) -> impl Iterator<Item = Hit> {
        self.hits.into_iter().chain(self.faint)
    }
}

impl Detector {
    /// `today` bounds birth dates.
    ///
    /// # Errors
    /// When an identifier's name or pattern cannot be used.
    pub fn new(today: Date, identifiers: &[Identifier]) -> Result<Detector, IdentifierError> {
        let custom = identifiers.iter().map(Custom::new).collect::<Result<_, _>>()?;
        Ok(Detector { today, custom })
    }

    /// The hits alone.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        self.find_all(text).hits
    }

    /// Hits and faint readings.
    pub fn find_all(&self, text: &str) -> Detected {
        let (faint, readings): (Vec<Reading>, Vec<Reading>) = readings(text, self.today)
            .into_iter()
            .partition(|reading| reading.faint);
        let mut hits: Vec<Hit> = strongest(readings).into_iter().map(Reading::into_hit).collect();
        let numbers = hits.len();
        for custom in &self.custom {
            custom.find(text, &mut hits);
        }
        if hits.len() > numbers {
            hits.sort_by_key(|hit| (hit.span.start, hit.span.end));
        }
        Detected {
            hits,
            faint: faint.into_iter().map(Reading::into_faint).collect(),
        }
    }
}

/// One possible number with the evidence for it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// First to last byte of the written form.
    pub(super) span: Range<usize>,
    /// One range a character, in order.
    pub(super) digits: Vec<Range<usize>>,
    /// Canonical characters.
    pub(super) number: Secret,
    /// For and against.
    pub(super) evidence: Evidence,
    /// Date and serial stand apart, other text between them.
    pub(super) apart: bool,
    /// Plainly something else: see [`Detected::faint`].
    pub(super) faint: bool,
}

impl Reading {
    /// Whatever speaks for it, something plainer speaks against it.
    fn into_faint(self) -> Hit {
        Hit {
            confidence: Confidence::Possible,
            ..self.into_hit()
        }
    }

    fn into_hit(self) -> Hit {
        Hit {
            kind: IdKind::Cpr,
            span: self.span,
            digits: self.digits,
            number: self.number,
            confidence: self.evidence.confidence(),
            why: self.evidence.why(),
        }
    }
}

/// Every reading of the text, overlapping ones too.
pub(super) fn readings(text: &str, today: Date) -> Vec<Reading> {
    readings_in(text, today, atoms::clusters)
}

fn readings_in(
    text: &str,
    today: Date,
    clusters: impl FnOnce(&str, &mut dyn FnMut(&[Atom], Range<usize>)),
) -> Vec<Reading> {
    let mut document = Document::default();
    let mut shapes: Vec<Shape> = Vec::new();
    clusters(text, &mut |atoms, new| {
        for first in new {
            if !shape::begins(atoms, first) {
                continue;
            }
            shapes.extend(shape::read(text, atoms, first, today));
            if let Some((start, end, chars)) = run_of_ten(atoms, first)
                && !within_a_word(text, start, end)
            {
                document.rows.count(start, end, chars, today);
            }
        }
    });
    let mut found = Vec::new();
    for label in labels(text) {
        let Range { start, end } = label.span;
        if label.found != Found::Word {
            prose::read(text, &(start..end), label.found == Found::Hint, today, &mut found);
        } else {
            document.headings.note(text, start);
            prose::beside(text, end, today, &mut found);
            near::scanned(text, end, today, &mut found);
            near::spelled(text, end, today, &mut found);
        }
    }
    for shape in shapes {
        if let Some((evidence, faint)) = score::weigh(text, &shape, &document) {
            found.push(Reading {
                number: shape.cpr.secret(),
                span: shape.span,
                digits: shape.digits,
                evidence,
                apart: false,
                faint,
            });
        }
    }
    found
}

/// Letters touch both ends: a name of a program's, not an entry of a list.
fn within_a_word(text: &str, start: usize, end: usize) -> bool {
    let letter = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at))
            .is_some_and(u8::is_ascii_alphabetic)
    };
    letter(start.checked_sub(1)) && letter(Some(end))
}

/// Ten digits with nothing between them, or a hyphen or blank after six, and no digit beside them.
fn run_of_ten(atoms: &[Atom], first: usize) -> Option<(usize, usize, [u8; 10])> {
    let touches = |at: usize| atoms.get(at).is_some_and(|atom| atom.gap.kind == Kind::Touching);
    if touches(first) || touches(first + 10) || !touches(first + 9) {
        return None;
    }
    let run = atoms.get(first..first + 10)?;
    let joined = |(n, atom): (usize, &Atom)| {
        atom.gap.kind == Kind::Touching
            || n == 6 && matches!(atom.gap.kind, Kind::Hyphen | Kind::Space) && !atom.gap.wide
    };
    if !run.iter().enumerate().skip(1).all(joined) {
        return None;
    }
    let mut chars = [b'0'; 10];
    for (slot, atom) in chars.iter_mut().zip(run) {
        *slot = b'0' + atom.value;
    }
    Some((run.first()?.start, run.last()?.end, chars))
}

/// Of overlapping readings the one with the most evidence; of equals the first. A number in prose takes nothing from
/// the numbers between its date and its serial: it stays beside them.
fn strongest(readings: Vec<Reading>) -> Vec<Reading> {
    let (mut kept, mut together): (Vec<Reading>, Vec<Reading>) =
        readings.into_iter().partition(|reading| reading.apart);
    together.sort_by_key(|reading| (Reverse(reading.evidence.sum()), reading.span.start));
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for reading in together {
        // What is taken does not overlap itself: only the last that starts before our end can reach into us.
        let nearest = taken.range(..reading.span.end).next_back();
        if nearest.is_none_or(|(_, &end)| end <= reading.span.start) {
            taken.insert(reading.span.start, reading.span.end);
            kept.push(reading);
        }
    }
    kept.sort_by_key(|reading| (reading.span.start, reading.span.end));
    kept
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 06 - 15);

    /// What stands between digits, or ends them, or looks as if.
    const SIGNS: [&str; 48] = [
        "",
        "",
        " ",
        "  ",
        "      ",
        "-",
        "-",
        "–",
        " - ",
        "\u{2011}",
        "\u{ad}",
        "\u{200b}",
        "/",
        ".",
        ",",
        ";",
        "\t",
        "\",\"",
        "\n",
        "\r\n> > ",
        "=\r\n",
        "=",
        "%2D",
        "%20",
        "%",
        "&nbsp;",
        "&#45;",
        "&",
        "\\u002d",
        "\\",
        "<b>",
        "</b>",
        "<br>",
        "</td><td>",
        "<",
        ">",
        "_",
        "+",
        "(",
        ")",
        "x",
        "æ",
        "€",
        "漢",
        ":",
        "@",
        "!",
        "                                                            ",
    ];

    fn piece() -> impl Strategy<Value = String> {
        let sign = || prop::sample::select(&SIGNS[..]);
        prop_oneof![
            4 => sign().prop_map(str::to_owned),
            2 => "[0-9]{1,12}",
            1 => "[0-9]{60,200}",
            1 => "[０-９٠-٩①-⑨]{1,10}",
            1 => any::<u64>().prop_map(made_up::number),
            2 => (any::<u64>(), sign()).prop_map(|(seed, sign)| {
                let number = made_up::number(seed);
                format!("{}{sign}{}", &number[..6], &number[6..])
            }),
            2 => (any::<u64>(), sign(), 1..=4_usize).prop_map(|(seed, sign, together)| {
                let number = made_up::number(seed);
                let groups: Vec<&str> = number.as_bytes().chunks(together).filter_map(|group| str::from_utf8(group).ok()).collect();
                groups.join(sign)
            }),
            1 => any::<u64>().prop_map(|seed| format!("{}1AB2", &made_up::number(seed)[..6])),
            1 => prop::sample::select(&["cpr-nr. ", "CPR\n", "født ", "konto ", "de sidste fire cifre er ", "tekst uden tal "][..]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        /// What is passed over at speed is what reading every byte would not have made a number of either.
        #[test]
        fn the_sieve_passes_over_no_reading(pieces in prop::collection::vec(piece(), 0..60)) {
            let text = pieces.concat();
            let shown = |readings: Vec<Reading>| -> Vec<(Range<usize>, Vec<&'static str>)> {
                readings.into_iter().map(|reading| (reading.span, reading.evidence.why())).collect()
            };
            prop_assert_eq!(
                shown(readings_in(&text, TODAY, atoms::clusters)),
                shown(readings_in(&text, TODAY, atoms::all_clusters)),
                "{:?}", text
            );
        }
    }
}
