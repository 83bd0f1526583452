//! The one table that turns findings, places and doubts into words a caseworker understands, in Danish and English.
//!
//! A new [`Location`] or [`DoubtKind`] does not compile until it has words here.

use crate::cpr::{Confidence, IdKind, mask};
use crate::policy::Language;
use crate::types::{DoubtKind, DoubtLine, FoundLine, Location};

/// Characters of a subject, file name or title that a notice repeats.
const SHOWN: usize = 160;

/// `CPR-nummer i filen "notat.docx", i teksten (3 steder)`.
pub(super) fn found(line: &FoundLine, language: Language) -> String {
    let pick = |da: &'static str, en: &'static str| pick(language, da, en);
    let what = match (&line.kind, line.confidence) {
        (IdKind::Cpr, Confidence::Possible) => pick("muligt CPR-nummer", "possible CPR number").to_owned(),
        (IdKind::Cpr, _) => pick("CPR-nummer", "CPR number").to_owned(),
        (IdKind::Custom(name), _) => clean(name),
    };
    let place = place(&line.location, line.file.is_some(), language);
    let mut text = match &line.file {
        Some(file) => format!("{what} {} \"{}\", {place}", pick("i filen", "in the file"), clean(file)),
        None => format!("{what} {place}"),
    };
    if line.count > 1 {
        text.push_str(&format!(" ({} {})", line.count, pick("steder", "places")));
    }
    if line.fake_redaction {
        text.push_str(pick(
            " - sløret, men nummeret ligger der stadig nedenunder",
            " - blacked out, but the number is still there under the cover",
        ));
    } else if line.hidden && !says_hidden(&line.location) {
        text.push_str(pick(
            " - ses ikke på skærmen, men modtageren kan finde det frem",
            " - not visible on screen, but a recipient can recover it",
        ));
    }
    text
}

/// `filen "lukket.zip": er krypteret eller låst med adgangskode`.
pub(super) fn doubt(line: &DoubtLine, language: Language) -> String {
    let what = doubt_words(line.kind, language);
    match &line.file {
        Some(file) => format!("{} \"{}\": {what}", pick(language, "filen", "the file"), clean(file)),
        None => format!(
            "{} ({}): {what}",
            pick(language, "en del af mailen", "a part of the mail"),
            clean(&line.media_type)
        ),
    }
}

/// Why something was not read: `er krypteret eller låst med adgangskode`.
pub(crate) fn doubt_words(kind: DoubtKind, language: Language) -> &'static str {
    match language {
        Language::Da => doubt_da(kind),
        Language::En => doubt_en(kind),
    }
}

fn doubt_da(kind: DoubtKind) -> &'static str {
    match kind {
        DoubtKind::Malformed => "er opbygget, så mailprogrammer kan læse den forskelligt",
        DoubtKind::Unread => "er en filtype, som filteret ikke kan læse",
        DoubtKind::Encrypted => "er krypteret eller låst med adgangskode",
        DoubtKind::Broken => "er beskadiget",
        DoubtKind::TooLarge => "er for stor til at blive læst helt",
        DoubtKind::TooDeep => "ligger i for mange lag af arkiver eller mails",
        DoubtKind::TooSlow => "tog for lang tid at læse",
        DoubtKind::NotOcred => "er et billede, og teksten i det blev ikke læst",
    }
}

fn doubt_en(kind: DoubtKind) -> &'static str {
    match kind {
        DoubtKind::Malformed => "is built so that mail programs may read it differently",
        DoubtKind::Unread => "is a type of file that the filter cannot read",
        DoubtKind::Encrypted => "is encrypted or locked with a password",
        DoubtKind::Broken => "is damaged",
        DoubtKind::TooLarge => "is too large to be read in full",
        DoubtKind::TooDeep => "lies inside too many layers of archives or mails",
        DoubtKind::TooSlow => "took too long to read",
        DoubtKind::NotOcred => "is a picture, and the text in it was not read",
    }
}

/// Where, in words: `i mailens tekst`.
pub(crate) fn place(location: &Location, in_file: bool, language: Language) -> String {
    let pick = |da: &'static str, en: &'static str| pick(language, da, en).to_owned();
    match location {
        Location::Whole if in_file => pick("i filen som helhed", "in the file as a whole"),
        Location::Whole => pick("i mailen som helhed", "in the mail as a whole"),
        Location::Text if in_file => pick("i teksten", "in the text"),
        Location::Text => pick("i mailens tekst", "in the text of the mail"),
        Location::HiddenText => pick(
            "i skjult tekst, som modtageren kan finde frem",
            "in hidden text that a recipient can recover",
        ),
        Location::Attribute(name) => attribute(name, language).to_owned(),
        Location::Header { name, .. } => header(name, language),
        Location::DisplayName { header: name } => match language {
            Language::Da => format!("i navnet foran en mailadresse ({})", field(name, language)),
            Language::En => format!("in the name before a mail address ({})", field(name, language)),
        },
        Location::FileName if in_file => pick("i selve filnavnet", "in the file name itself"),
        Location::FileName => pick("i et filnavn", "in a file name"),
        Location::ArchiveComment => pick(
            "i arkivets (zip-filens) kommentar",
            "in the comment of the archive (zip file)",
        ),
        Location::Gap => pick(
            "i tekst mellem mailens dele, som de fleste mailprogrammer ikke viser",
            "in text between the parts of the mail, which most mail programs do not show",
        ),
        Location::Page(number) => format!("{} {number}", pick("på side", "on page")),
        Location::Annotation { page: 0 } => pick("i en note", "in a note"),
        Location::Annotation { page } => format!("{} {page}", pick("i en note på side", "in a note on page")),
        Location::FormField => pick("i et formularfelt", "in a form field"),
        Location::Bookmark => pick("i et bogmærke", "in a bookmark"),
        Location::Metadata => pick(
            "i dokumentets egenskaber (titel, forfatter, emneord)",
            "in the properties of the document (title, author, keywords)",
        ),
        Location::Ocr => pick(
            "i teksten på et billede (læst maskinelt)",
            "in the text of a picture (read by machine)",
        ),
        Location::Link => pick("i et link", "in a link"),
        Location::EarlierVersion => pick(
            "i en tidligere udgave af dokumentet, som stadig ligger i filen",
            "in an earlier version of the document that is still in the file",
        ),
        Location::Source => pick(
            "i kildeteksten bag det, der vises",
            "in the source behind what is shown",
        ),
        Location::Office(place) => super::places::office(place, language),
    }
}

fn says_hidden(location: &Location) -> bool {
    match location {
        Location::Office(place) => super::places::says_hidden(place),
        _ => matches!(
            location,
            Location::HiddenText | Location::Gap | Location::EarlierVersion | Location::Source
        ),
    }
}

fn attribute(name: &str, language: Language) -> &'static str {
    let (da, en) = match name.to_ascii_lowercase().as_str() {
        "href" | "src" | "action" => ("i et link", "in a link"),
        "alt" => (
            "i den alternative tekst til et billede",
            "in the alternative text of a picture",
        ),
        "title" => (
            "i en hjælpetekst, der vises, når musen holdes over",
            "in a text shown when the mouse rests on it",
        ),
        "value" | "placeholder" => ("i et formularfelt", "in a form field"),
        _ => ("i koden bag teksten", "in the code behind the text"),
    };
    pick(language, da, en)
}

fn header(name: &str, language: Language) -> String {
    if name.eq_ignore_ascii_case("subject") {
        return pick(language, "i emnefeltet", "in the subject").to_owned();
    }
    match language {
        Language::Da => format!("i mailens hoved ({})", field(name, language)),
        Language::En => format!("in the mail's header ({})", field(name, language)),
    }
}

fn field(name: &str, language: Language) -> String {
    let (da, en) = match name.to_ascii_lowercase().as_str() {
        "to" => ("feltet Til", "field To"),
        "cc" => ("feltet Cc", "field Cc"),
        "from" => ("feltet Fra", "field From"),
        "reply-to" => ("feltet Svar til", "field Reply-To"),
        "subject" => ("emnefeltet", "field Subject"),
        _ => return format!("{} {}", pick(language, "feltet", "field"), clean(name)),
    };
    pick(language, da, en).to_owned()
}

fn pick(language: Language, da: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Da => da,
        Language::En => en,
    }
}

/// For showing in a notice: masked, one line, bounded, and without the characters that reverse the direction of writing
/// (they make a file name look like another).
pub(crate) fn clean(text: &str) -> String {
    let unsafe_char = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    let masked = mask(text);
    let line: String = masked
        .chars()
        .take(4 * SHOWN)
        .map(|c| if unsafe_char(c) { ' ' } else { c })
        .collect();
    let mut words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > SHOWN {
        words = words.chars().take(SHOWN).collect::<String>() + "…";
    }
    words
}

/// The subject, without any digit at all: a notice must not carry half a number either.
pub(super) fn subject(text: &str) -> String {
    clean(text)
        .chars()
        .map(|c| if c.is_numeric() { '•' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(file: Option<&str>, location: Location) -> FoundLine {
        FoundLine {
            kind: IdKind::Cpr,
            confidence: Confidence::Certain,
            file: file.map(str::to_owned),
            location,
            count: 1,
            hidden: false,
            fake_redaction: false,
        }
    }

    #[test]
    fn places_read_as_a_caseworker_would_say_them() {
        let mut sheet = line(Some("notat.docx"), Location::Text);
        sheet.count = 3;
        assert_eq!(
            found(&sheet, Language::Da),
            "CPR-nummer i filen \"notat.docx\", i teksten (3 steder)"
        );
        assert_eq!(
            found(&sheet, Language::En),
            "CPR number in the file \"notat.docx\", in the text (3 places)"
        );
        let subject = Location::Header {
            name: "Subject".to_owned(),
            index: 1,
        };
        assert_eq!(found(&line(None, subject), Language::Da), "CPR-nummer i emnefeltet");
        let name = Location::DisplayName {
            header: "To".to_owned(),
        };
        assert_eq!(
            found(&line(None, name), Language::En),
            "CPR number in the name before a mail address (field To)"
        );
    }

    #[test]
    fn what_is_shown_is_masked_here_already() {
        let number = crate::cpr::made_up::hyphenated(&crate::cpr::made_up::number(4));
        assert!(!clean(&format!("notat {number}.docx")).contains(&number[..6]));
    }

    #[test]
    fn subjects_lose_every_digit_and_every_line_break() {
        assert_eq!(subject("Sag 2026-1\r\nBcc: x ٣"), "Sag ••••-• Bcc: x •");
        assert_eq!(clean("a\u{202e}fdp.exe"), "a fdp.exe");
        assert_eq!(clean(&"æ".repeat(500)).chars().count(), SHOWN + 1);
    }
}
