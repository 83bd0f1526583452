//! The labelled corpus, made from the templates under `tests/data/detect/`: the same snippets on every run.
//!
//! A quarter of the snippets is held out: its figures are printed, its misses never shown, so that nobody tunes to them.

use super::fill::{Dice, Flavour, Values, lookalike, number};
use std::ops::Range;

/// How common a form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Must,
    Should,
    Hard,
    /// A look-alike: every hit is false.
    False,
}

/// One text with what is to be found in it.
pub struct Snippet {
    pub class: String,
    pub tier: Tier,
    pub flavour: Option<Flavour>,
    pub text: String,
    /// Exact byte ranges with the canonical number.
    pub expected: Vec<(Range<usize>, String)>,
    pub held_out: bool,
}

struct Class {
    name: String,
    tier: String,
    carriers: String,
    lines: Vec<String>,
}

fn classes(table: &str) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with("# ") && !line.is_empty()) {
        let heading = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')).filter(|l| {
            l.split(' ').count() <= 3
                && l.split(' ')
                    .all(|w| w.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b)))
        });
        match heading {
            Some(words) => {
                let words: Vec<&str> = words.split(' ').collect();
                classes.push(Class {
                    name: words[0].to_owned(),
                    tier: if words.len() == 3 { words[1] } else { "" }.to_owned(),
                    carriers: words[words.len() - 1].to_owned(),
                    lines: Vec::new(),
                });
            }
            None => classes
                .last_mut()
                .expect("a class comes first")
                .lines
                .push(unescape(line)),
        }
    }
    classes
}

fn unescape(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = |from: usize| {
            rest.get(from..from + 4)
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .and_then(char::from_u32)
        };
        let (c, length) = match rest.as_bytes().get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'\\') => ('\\', 2),
            Some(b'u') if code(at + 2).is_some() => (code(at + 2).unwrap_or(' '), 6),
            _ => ('\\', 1),
        };
        plain.push(c);
        rest = &rest[at + length..];
    }
    plain + rest
}

fn blocks(table: &str) -> Vec<String> {
    let body: Vec<&str> = table.lines().filter(|line| !line.starts_with("# ")).collect();
    body.join("\n")
        .split("\n%%\n")
        .map(|block| block.trim_end_matches('\n').to_owned())
        .collect()
}

/// All snippets.
pub fn corpus() -> Vec<Snippet> {
    let mut all = true_forms();
    all.extend(false_forms());
    all
}

fn true_forms() -> Vec<Snippet> {
    let carriers: Vec<(String, String)> = blocks(include_str!("../data/detect/carriers.txt"))
        .into_iter()
        .filter_map(|block| {
            block
                .split_once('\n')
                .map(|(kind, text)| (kind.to_owned(), text.to_owned()))
        })
        .collect();
    let mut seed = 0;
    let mut snippets = Vec::new();
    for class in classes(include_str!("../data/detect/true.txt")) {
        let templates: Vec<String> = match class.carriers.as_str() {
            "own" => class
                .lines
                .iter()
                .flat_map(|line| vec![line.clone(); 48_usize.div_ceil(class.lines.len())])
                .collect(),
            kind => {
                let fitting = carriers.iter().filter(|(k, _)| kind == "all" || k == kind);
                let forms = class.lines.iter().cycle();
                fitting
                    .zip(forms)
                    .map(|((_, text), form)| text.replace("{CPR}", &marked(form)))
                    .collect()
            }
        };
        for template in templates {
            seed += 1;
            snippets.push(true_snippet(&class, &template, seed));
        }
    }
    snippets
}

fn true_snippet(class: &Class, template: &str, seed: u64) -> Snippet {
    let modulus = !class.tier.ends_with('-');
    let mut written = number(seed, modulus);
    let spelled_zero = class.name == "lost_zero" && !written.starts_with('0');
    if spelled_zero {
        let date = format!("0{}", &written[1..6]);
        let serials = (1..9999).map(|serial| format!("{date}{serial:04}"));
        let fits = |n: &String| !date.starts_with("00") && cpr_milter::cpr::Checksum::Mod11.holds(n);
        written = serials
            .into_iter()
            .find(fits)
            .unwrap_or_else(|| number(1, true).replacen(&number(1, true)[..2], "01", 1));
    }
    let mut values = Values {
        dice: Dice(seed),
        number: written,
        x: String::new(),
    };
    if template.contains("{list}") {
        return list(class, seed);
    }
    let filled = values.fill(template);
    let (text, ranges) = unmark(&filled);
    let mut canonical = values.number.clone();
    if template.contains("{r}") {
        let day: u32 = canonical[..2].parse().unwrap_or(1);
        canonical.replace_range(..2, &(day + 60).to_string());
    }
    let span = ranges.first().map_or(0, |r| r.start)..ranges.last().map_or(0, |r| r.end);
    if class.name == "letter_form" {
        let tail: String = text[span.clone()].chars().rev().take(4).collect();
        canonical = format!("{}{}", &canonical[..6], tail.chars().rev().collect::<String>());
    }
    Snippet {
        class: class.name.clone(),
        tier: tier(&class.tier),
        flavour: None,
        held_out: seed.is_multiple_of(4),
        expected: vec![(span, canonical)],
        text,
    }
}

/// The form with its marks: all of it, when it has none of its own.
fn marked(form: &str) -> String {
    if form.contains('«') {
        form.to_owned()
    } else {
        format!("«{form}»")
    }
}

/// Numbers one a line, without any word.
fn list(class: &Class, seed: u64) -> Snippet {
    let mut text = String::new();
    let mut expected = Vec::new();
    for n in 0..12 {
        let written = number(seed * 100 + n, true);
        let start = text.len();
        text.push_str(&written);
        expected.push((start..text.len(), written));
        text.push('\n');
    }
    Snippet {
        class: class.name.clone(),
        tier: tier(&class.tier),
        flavour: None,
        held_out: seed.is_multiple_of(4),
        expected,
        text,
    }
}

fn tier(word: &str) -> Tier {
    match word.trim_end_matches(['+', '-']) {
        "must" => Tier::Must,
        "should" => Tier::Should,
        "hard" => Tier::Hard,
        other => panic!("no tier {other}"),
    }
}

/// Takes the marks `«»` out and gives what stood between them.
fn unmark(marked: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut ranges = Vec::new();
    let mut open = 0;
    for c in marked.chars() {
        match c {
            '«' => open = text.len(),
            '»' => ranges.push(open..text.len()),
            c => text.push(c),
        }
    }
    (text, ranges)
}

/// Frames that each phrase is put into.
const FRAMES: usize = 6;

fn false_forms() -> Vec<Snippet> {
    let frames = blocks(include_str!("../data/detect/frames.txt"));
    let mut seed = 1_000_000_u64;
    let mut snippets = Vec::new();
    for class in classes(include_str!("../data/detect/false.txt")) {
        for (place, line) in class.lines.iter().enumerate() {
            for n in 0..FRAMES {
                seed += 1;
                let flavour = [Flavour::Random, Flavour::Dated, Flavour::Adversarial][n % 3];
                let text = match class.carriers.as_str() {
                    "own" => line.clone(),
                    _ => frames[(place * 5 + n * 7) % frames.len()].replace("{X}", line),
                };
                let mut values = Values {
                    dice: Dice(seed),
                    number: String::new(),
                    x: lookalike(seed, flavour),
                };
                snippets.push(Snippet {
                    class: class.name.clone(),
                    tier: Tier::False,
                    flavour: Some(flavour),
                    text: values.fill(&text),
                    expected: Vec::new(),
                    held_out: seed.is_multiple_of(4),
                });
            }
        }
    }
    snippets
}
