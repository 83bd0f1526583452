//! The detector by example (`data/detect/forms.tsv`) and by invariant: exact spans, no panic, nothing left after masking.

use cpr_milter::cpr::{Checksum, Confidence, Detector, Hit, IdKind, Identifier, made_up, mask, mask_ascii};
use proptest::prelude::*;
use time::macros::date;

fn detector() -> Detector {
    Detector::new(date!(2026 - 06 - 15), &[]).expect("no identifiers, nothing to refuse")
}

/// One line of the table.
struct Row {
    form: String,
    text: String,
    span: String,
    number: String,
    at_least: Option<Confidence>,
    at_most: Option<Confidence>,
}

fn rows() -> Vec<Row> {
    let table = include_str!("data/detect/forms.tsv");
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('\t').collect();
    assert_eq!(cells.len(), 6, "{line}");
    Row {
        form: cells[0].to_owned(),
        text: unescape(cells[1]),
        span: unescape(cells[2]),
        number: cells[3].to_owned(),
        at_least: tier(cells[4]),
        at_most: tier(cells[5]),
    }
}

fn tier(word: &str) -> Option<Confidence> {
    let known = [Confidence::Possible, Confidence::Likely, Confidence::Certain];
    let found = known.into_iter().find(|tier| tier.word() == word);
    assert!(found.is_some() || word == "none", "unknown tier {word}");
    found
}

fn unescape(cell: &str) -> String {
    let mut plain = String::new();
    let mut rest = cell;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (c, length) = match &rest[at + 1..at + 2] {
            "n" => ('\n', 2),
            "r" => ('\r', 2),
            "t" => ('\t', 2),
            "\\" => ('\\', 2),
            "u" => (
                u32::from_str_radix(&rest[at + 2..at + 6], 16)
                    .ok()
                    .and_then(char::from_u32)
                    .expect(cell),
                6,
            ),
            other => panic!("escape {other} in {cell}"),
        };
        plain.push(c);
        rest = &rest[at + length..];
    }
    plain + rest
}

/// Puts the numbers of a seed in place of the marks.
fn fill(template: &str, seed: u64) -> String {
    let with = made_up::number(seed);
    let without = made_up::without_mod11(seed);
    let year = format!("19{}", &with[4..6]);
    let parts = [
        ("{m}", &with[..]),
        ("{m6}", &with[..6]),
        ("{m4}", &with[6..]),
        ("{n}", &without[..]),
        ("{n6}", &without[..6]),
        ("{n4}", &without[6..]),
        ("{d}", &with[..2]),
        ("{mo}", &with[2..4]),
        ("{y}", &with[4..6]),
        ("{yyyy}", &year[..]),
        ("{s1}", &with[6..8]),
        ("{s2}", &with[8..]),
    ];
    parts
        .iter()
        .fold(template.to_owned(), |text, (sign, value)| text.replace(sign, value))
}

/// What is wrong with the hits of one filled row, if anything.
fn complaint(row: &Row, seed: u64) -> Option<String> {
    let text = fill(&row.text, seed);
    let hits = detector().find(&text);
    let top = hits.iter().map(|hit| hit.confidence).max();
    let say = |what: &str| {
        Some(format!(
            "{} (seed {seed}): {what}; {text:?} gave {}",
            row.form,
            shown(&text, &hits)
        ))
    };
    if row.at_most.is_none() || row.at_least.is_none() {
        return if top > row.at_most { say("too much") } else { None };
    }
    let (span, number) = (fill(&row.span, seed), fill(&row.number, seed));
    let Some(hit) = hits.iter().find(|hit| text[hit.span.clone()] == span) else {
        return say("span not found");
    };
    if hit.number.reveal() != number {
        return say("another number");
    }
    let fits = Some(hit.confidence) >= row.at_least && Some(hit.confidence) <= row.at_most;
    if fits { None } else { say("confidence") }
}

fn shown(text: &str, hits: &[Hit]) -> String {
    hits.iter()
        .map(|hit| {
            format!(
                "\n      {:?} {:?} {:?}",
                &text[hit.span.clone()],
                hit.confidence,
                hit.why
            )
        })
        .collect()
}

#[test]
fn every_form_of_the_table() {
    let rows = rows();
    assert!(rows.len() >= 300, "{}", rows.len());
    let complaints: Vec<String> = rows
        .iter()
        .flat_map(|row| (0..12).find_map(|seed| complaint(row, seed)))
        .collect();
    assert!(
        complaints.is_empty(),
        "{} rows:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn nothing_is_left_of_any_form_after_masking() {
    for row in rows() {
        let text = fill(&row.text, 3);
        let left = detector().find(&mask(&text));
        assert!(
            left.is_empty(),
            "{}: {text:?} leaves {}",
            row.form,
            shown(&mask(&text), &left)
        );
        let (plain, ascii) = (mask(&text), mask_ascii(&text));
        assert_eq!(plain.chars().count(), ascii.chars().count());
        assert!(
            plain
                .chars()
                .zip(ascii.chars())
                .all(|(a, b)| a == b || (a, b) == ('•', '*')),
            "{}",
            row.form
        );
    }
}

#[test]
fn digits_of_every_form_lie_in_its_span_and_make_the_number() {
    for row in rows() {
        let text = fill(&row.text, 5);
        for hit in detector().find(&text) {
            check_ranges(&text, &hit);
        }
    }
}

fn check_ranges(text: &str, hit: &Hit) {
    assert!(text.is_char_boundary(hit.span.start) && text.is_char_boundary(hit.span.end));
    let mut at = hit.span.start;
    for range in &hit.digits {
        assert!(range.start >= at && range.end <= hit.span.end && range.start < range.end);
        assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
        at = range.end;
    }
    assert_eq!(hit.number.reveal().len(), 10);
    assert_eq!(hit.digits.first().map(|range| range.start), Some(hit.span.start));
    assert_eq!(hit.digits.last().map(|range| range.end), Some(hit.span.end));
    assert!(!hit.why.is_empty());
}

#[test]
fn a_list_of_other_ids_does_not_speak_for_its_chance_hits() {
    let ids: String = (0..400_u64)
        .map(|n| format!("{}\n", 1_000_000_000 + n * 7_919_993 % 8_999_999_999))
        .collect();
    let likely = detector()
        .find(&ids)
        .into_iter()
        .filter(|hit| hit.confidence > Confidence::Possible)
        .count();
    assert_eq!(likely, 0);
}

#[test]
fn a_list_of_numbers_speaks_for_all_of_them() {
    let list: String = (0..50).map(|seed| made_up::number(seed) + "\n").collect();
    let hits = detector().find(&list);
    assert_eq!(hits.len(), 50);
    assert!(hits.iter().all(|hit| hit.why.contains(&"list_of_numbers")));
}

#[test]
fn a_thorough_detector_gives_the_copies_that_are_plainly_something_else() {
    let number = made_up::number(8);
    for text in [
        format!("Fakturanr. {number}"),
        format!("<{number}.ABC@mail.example>"),
        format!("commit 3f{number}e1"),
        format!("0.{number}"),
        format!("doi:10.1000/{number}"),
    ] {
        assert!(detector().find(&text).is_empty(), "{text}");
        let hits = detector().find_all(&text).all().collect::<Vec<_>>();
        assert!(hits.iter().any(|hit| hit.number.reveal() == number), "{text}");
    }
}

#[test]
fn a_number_in_prose_hides_no_number_between() {
    let inner = made_up::without_mod11(4);
    let text = format!("født 1. januar 1990, medlem {inner}, de sidste fire cifre er 1234");
    let numbers: Vec<String> = detector()
        .find(&text)
        .iter()
        .map(|hit| hit.number.reveal().to_owned())
        .collect();
    assert_eq!(numbers, ["0101901234".to_owned(), inner]);
}

#[test]
fn every_number_of_a_long_row_is_found() {
    for separator in [" ", ", ", "\n", ";", " \u{2013} "] {
        let numbers: Vec<String> = (0..3000)
            .map(|seed| made_up::hyphenated(&made_up::number(seed)))
            .collect();
        let hits = detector().find(&numbers.join(separator));
        assert_eq!(hits.len(), 3000, "{separator:?}");
        assert!(
            hits.iter()
                .zip(0..)
                .all(|(hit, seed)| hit.number.reveal() == made_up::number(seed))
        );
    }
}

#[test]
fn a_heading_speaks_for_rows_far_below_it() {
    let rows: String = (0..300)
        .map(|seed| format!("Navn {seed};{};By\n", made_up::without_mod11(seed)))
        .collect();
    let hits = detector().find(&format!("navn;cpr-nr;by\n{rows}"));
    assert_eq!(hits.len(), 300);
    assert!(hits.iter().all(|hit| hit.confidence == Confidence::Certain));
}

fn custom(pattern: &str, checksum: Option<Checksum>, context: &[&str]) -> Identifier {
    let context = context.iter().map(|&word| word.to_owned()).collect();
    Identifier {
        name: "medarbejder".to_owned(),
        pattern: pattern.to_owned(),
        checksum,
        context,
    }
}

fn find_custom(identifier: Identifier, text: &str) -> Vec<Hit> {
    Detector::new(date!(2026 - 06 - 15), &[identifier])
        .expect("a good pattern")
        .find(text)
}

#[test]
fn custom_identifiers_come_as_the_same_hits() {
    let hits = find_custom(custom(r"\bMA-\d{4}\b", None, &[]), "æ MA-1234, ma");
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].kind, IdKind::Custom("medarbejder".to_owned()));
    assert_eq!(hits[0].span, 3..10);
    assert_eq!(hits[0].number.reveal(), "MA1234");
    assert_eq!(hits[0].digits.len(), 6);
    assert_eq!(hits[0].confidence, Confidence::Likely);
}

#[test]
fn checksum_and_context_raise_custom_identifiers() {
    let tier = |text: &str| find_custom(custom(r"\b\d{11}\b", Some(Checksum::Luhn), &["kort"]), text)[0].confidence;
    assert_eq!(tier("79927398714"), Confidence::Possible);
    assert_eq!(tier("79927398713"), Confidence::Likely);
    assert_eq!(tier("Kort 79927398714"), Confidence::Likely);
    assert_eq!(tier("Kort 79927398713"), Confidence::Certain);
}

#[test]
fn custom_identifiers_are_found_across_the_pieces_of_a_long_text() {
    let text = "MA-1234 æ".repeat(40_000);
    let hits = find_custom(custom(r"MA-\d{4}", None, &[]), &text);
    assert_eq!(hits.len(), 40_000);
    assert!(hits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
}

#[test]
fn bad_identifiers_are_refused_in_words() {
    let refused = |identifier: Identifier| {
        Detector::new(date!(2026 - 06 - 15), &[identifier])
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(refused(custom("(", None, &[])).contains("not a regular expression"));
    assert!(refused(custom("", None, &[])).contains("empty"));
    assert!(refused(custom("x*", None, &[])).contains("empty text"));
    assert!(refused(custom(r"(?=a)b", None, &[])).contains("linear time"));
    assert!(refused(custom(r"(\d{1000}){1000}", None, &[])).contains("too large"));
    assert!(
        refused(Identifier {
            name: "cpr".to_owned(),
            ..custom("x", None, &[])
        })
        .contains("taken")
    );
    assert!(
        refused(Identifier {
            name: " ".to_owned(),
            ..custom("x", None, &[])
        })
        .contains("no name")
    );
}

#[test]
fn rows_without_end_cost_no_memory_and_find_nothing() {
    for piece in [
        "1 ",
        "1",
        "1-",
        "0 1 ",
        "1\u{200b}",
        "cpr ",
        "cpr\t",
        "sidste fire cifre ",
        "%30",
        "&#48;",
        "\n> ",
    ] {
        let text = piece.repeat(60_000);
        let hits = detector().find(&text);
        assert!(hits.iter().all(|hit| hit.span.end <= text.len()), "{piece:?}");
    }
}

const SEPARATORS: [&str; 18] = [
    "-", " ", "", " - ", "\u{2013}", "\u{2011}", "\u{ad}", "\u{a0}", "\u{2009}", "/", ".", "\t", ";", "-\n", "-\r\n> ",
    "_", "\u{200b}", "%2D",
];

/// Words that say nothing for or against a number. Random letters would now and then spell a label (`gls`, `kto`).
const WORDS: [&str; 24] = [
    "og", "men", "så", "Derfor", "huset", "vejret", "æbler", "Østers", "ål", "grøn", "hurtigt", "læser", "€", "i går",
    "nogle", "TRÆ", "vindue", "Blå", "sommer", "under", "mange", "cykler", "’", "rejser",
];

fn context() -> impl Strategy<Value = String> {
    let word = prop::sample::select(&WORDS[..]);
    let sign = prop::sample::select(&[" ", ", ", ". ", "\n", "  ", "… "][..]);
    prop::collection::vec((word, sign), 0..6)
        .prop_map(|pairs| pairs.into_iter().map(|(word, sign)| format!("{word}{sign}")).collect())
}

proptest! {
    #[test]
    fn found_with_its_exact_span(
        seed in any::<u64>(),
        sum in any::<bool>(),
        separator in prop::sample::select(&SEPARATORS[..]),
        lead in context(),
        last in "[a-zæø (\"\n:]",
        next in "[ ,;)\n\"a-zæø]",
        tail in context(),
    ) {
        let (lead, tail) = (format!("{lead}{last}"), format!("{next}{tail}"));
        let number = if sum { made_up::number(seed) } else { made_up::without_mod11(seed) };
        let written = format!("{}{separator}{}", &number[..6], &number[6..]);
        let text = format!("{lead}{written}{tail}");
        let hits = detector().find(&text);
        let hit = hits.iter().find(|hit| hit.span == (lead.len()..lead.len() + written.len()));
        prop_assert!(hit.is_some_and(|hit| hit.number.reveal() == number), "{text:?} gave {}", shown(&text, &hits));
        prop_assert!(detector().find(&mask(&text)).is_empty());
    }

    #[test]
    fn never_panics_and_ranges_are_sound(text in any::<String>()) {
        for hit in detector().find(&text) {
            check_ranges(&text, &hit);
        }
    }

    #[test]
    fn any_bytes_as_text_are_safe(bytes in prop::collection::vec(prop_oneof![any::<u8>(), b'0'..=b'9', Just(b'-'), Just(b' ')], 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        for hit in detector().find(&text) {
            check_ranges(&text, &hit);
        }
        prop_assert!(detector().find(&mask(&text)).is_empty());
    }

    #[test]
    fn numberlike_text_is_masked_whole(
        text in "([0-9]|[0-9]{2}|[0-9]{4}|0101|90|1234|[-./ ,;\n\u{ad}\u{200b}０１%&#>+_|\"a]|CPR |cpr;|født |jan |januar 1990|sidste fire cifre er |%30|&#48;|O|l|nul |et ){0,60}"
    ) {
        let hits = detector().find(&text);
        for hit in &hits {
            check_ranges(&text, hit);
        }
        let together: Vec<&Hit> = hits.iter().filter(|hit| !hit.why.contains(&"prose")).collect();
        prop_assert!(together.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
        let masked = mask(&text);
        let left = detector().find(&masked);
        prop_assert!(left.is_empty(), "{text:?} -> {masked:?} leaves {}", shown(&masked, &left));
    }
}
