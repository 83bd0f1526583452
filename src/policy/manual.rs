//! The manual page `cpr-milter-policy(5)`, printed from the tables of [`super::words`] so that it cannot say anything else
//! than the reader reads. In mdoc(7); the prose around the tables is in `manual.mdoc`.

use super::words::{self, Key, MAPS, Takes, Words};
use std::fmt::Write as _;

const PROSE: &str = include_str!("manual.mdoc");
/// A whole policy; a test loads it.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// The page.
pub fn manual() -> String {
    let mut page = String::new();
    for line in PROSE.lines() {
        match line.strip_prefix("@") {
            Some("maps") => maps(&mut page),
            Some("example") => page.push_str(&EXAMPLE.replace('\\', "\\e").replace("\n...", "\n\\&...")),
            Some(name) => vocabulary(&mut page, name),
            None => {
                let _ = writeln!(page, "{line}");
            }
        }
    }
    folded(&page)
}

/// Text lines are broken at 80 bytes, as mdoc(7) wants them; what is shown as it stands is not.
fn folded(page: &str) -> String {
    let mut out = String::new();
    let mut literal = false;
    for line in page.lines() {
        literal = (literal || line.starts_with(".Bd -literal")) && !line.starts_with(".Ed");
        let mut width = 0;
        for (i, word) in line.split(' ').enumerate() {
            let request = word.starts_with(['.', '\'']);
            if i > 0 && width + word.len() > 79 && !literal && !line.starts_with('.') && !request {
                out.push('\n');
                width = 0;
            } else if i > 0 {
                out.push(' ');
            }
            out.push_str(word);
            width += word.len() + 1;
        }
        out.push('\n');
    }
    out
}

/// Every map with its keys.
fn maps(page: &mut String) {
    for (name, keys) in MAPS {
        let _ = writeln!(page, ".Ss {}", heading(name));
        let _ = writeln!(page, ".Bl -tag -width Ds");
        for key in *keys {
            let _ = writeln!(page, ".It Ic {}", plain(key.name));
            let _ = writeln!(page, "{}", sentence(key));
        }
        let _ = writeln!(page, ".El");
    }
}

fn heading(name: &str) -> String {
    let plain = plain(&name.replace('`', ""));
    let mut letters = plain.chars();
    letters.next().map_or(plain.clone(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// What the key says, what it takes, and whether it must be there.
fn sentence(key: &Key) -> String {
    let needed = if key.required { "\nRequired." } else { "" };
    let mut says = key.says.chars();
    let first: String = says.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{}.{needed}\n{}", plain(&(first + says.as_str())), form(&key.takes))
}

fn form(takes: &Takes) -> String {
    let text = match takes {
        Takes::Line => "One line of text.".to_owned(),
        Takes::Text => "A text of any number of lines.".to_owned(),
        Takes::Address => "A mail address.".to_owned(),
        Takes::Date => "A date such as 2027-01-31.".to_owned(),
        Takes::Number(1, 1) => "The number 1.".to_owned(),
        Takes::Number(least, most) => format!("A number from {least} to {most}."),
        Takes::OneOf(words) => format!("One of: {}.", listed(words::of(words))),
        Takes::Known(words) => format!("One of: {}.", listed(words().into_iter())),
        Takes::SomeOf(words) => format!("One or a list of: {}.", listed(words::of(words))),
        Takes::OneOfOr(words, what) => format!("One of: {}; or the name of {what}.", listed(words::of(words))),
        Takes::Names(what) => format!("The name of {what}, or a list of such names."),
        Takes::Lines(what) => format!("{}, or a list of such.", capital(what)),
        Takes::Form(example, _) => format!("Written as: {example}."),
        Takes::Spoken => "A text, or a map with one text for each language: da, en.".to_owned(),
        Takes::Map(_) => "A map, see below.".to_owned(),
        Takes::Named(_) => "A map from names of your own to maps, see below.".to_owned(),
        Takes::List(_) => "A list of maps, see below.".to_owned(),
        Takes::Each(Some(words)) => format!(
            "One of: {}; or a map from recipients to such.",
            listed(words::of(words))
        ),
        Takes::Each(None) => "One id, or a map from recipients to ids.".to_owned(),
        Takes::Facts => "A map from names to facts, see TESTS.".to_owned(),
    };
    plain(&text)
}

fn capital(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// One closed set of words, by its name in `manual.mdoc`.
fn vocabulary(page: &mut String, name: &str) {
    let words: Words = match name {
        "found" => words::FOUND,
        "then" => words::ACTIONS,
        "confidence" => words::CONFIDENCES,
        "places" => words::PLACE_WORDS,
        "why" => words::REASONS,
        "direction" => words::DIRECTIONS,
        "delivery" => words::DELIVERIES,
        "number" => words::NUMBERS,
        "release" => words::ROLES,
        "mode" => words::MODES,
        "spot_check" => words::SPOT_CHECKS,
        _ => &[],
    };
    let _ = writeln!(page, ".Bl -tag -width Ds");
    for (word, says) in words {
        let _ = writeln!(page, ".It Cm {}\n{}.", plain(word), plain(&capital(says)));
    }
    let _ = writeln!(page, ".El");
}

/// A line that mdoc takes as text: no request at its start, no escape by accident, sentences on lines of their own.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('`', "").replace('…', "...");
    let text = text.replace(". ", ".\n");
    match text.strip_prefix(['.', '\'']) {
        Some(_) => format!("\\&{text}"),
        None => text,
    }
}
