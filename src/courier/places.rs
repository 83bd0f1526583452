//! Places in office documents in words a caseworker understands, in Danish and English. A new place does not compile until it
//! has words here.

use super::words::clean;
use crate::policy::Language;
use crate::types::{Concealed, OfficePlace};

/// `i fodnote 2`.
pub(super) fn office(place: &OfficePlace, language: Language) -> String {
    match language {
        Language::Da => danish(place),
        Language::En => english(place),
    }
}

/// The words themselves say that it is not on screen.
pub(super) fn says_hidden(place: &OfficePlace) -> bool {
    match place {
        OfficePlace::Sheet(concealed, _) | OfficePlace::Cell { concealed, .. } => *concealed != Concealed::No,
        OfficePlace::TrackedChange
        | OfficePlace::HiddenSlide(_)
        | OfficePlace::PivotCache
        | OfficePlace::Data
        | OfficePlace::Formula { .. } => true,
        _ => false,
    }
}

fn danish(place: &OfficePlace) -> String {
    use OfficePlace::*;
    let words = match place {
        PageHeader => "i sidehovedet",
        PageFooter => "i sidefoden",
        Footnote(n) => return format!("i fodnote {n}"),
        Endnote(n) => return format!("i slutnote {n}"),
        Comment => "i en kommentar",
        TrackedChange => "i en registreret ændring (slettet tekst, som stadig ligger i filen)",
        TextBox => "i et tekstfelt",
        FieldCode => "i koden bag et felt",
        FormField => "i et formularfelts indstillinger",
        Link => "i et link",
        AltText => "i den alternative tekst til et billede",
        Property(name) => return format!("i dokumentets egenskaber ({})", clean(name)),
        Settings => "i dokumentets indstillinger",
        Style => "i navnet på en typografi eller et bogmærke",
        BuildingBlock => "i en byggeblok, der følger med skabelonen",
        Author => "i navnet på en forfatter",
        Sheet(Concealed::No, name) => return format!("på arket \"{}\"", clean(name)),
        Sheet(_, name) => return format!("på det skjulte ark \"{}\"", clean(name)),
        Cell { sheet, cell, concealed } => {
            let sheet = clean(sheet);
            return match concealed {
                Concealed::No => format!("på arket \"{sheet}\", celle {cell}"),
                Concealed::Sheet => format!("på det skjulte ark \"{sheet}\", celle {cell}"),
                Concealed::Row => format!("på arket \"{sheet}\", celle {cell} i en skjult række"),
                Concealed::Column => format!("på arket \"{sheet}\", celle {cell} i en skjult kolonne"),
                Concealed::Format => format!("på arket \"{sheet}\", celle {cell}, hvor teksten er gjort usynlig"),
            };
        }
        Formula { sheet, cell } if cell.is_empty() => return format!("i en formel på arket \"{}\"", clean(sheet)),
        Formula { sheet, cell } => return format!("i formlen bag celle {cell} på arket \"{}\"", clean(sheet)),
        SheetName => "i navnet på et ark",
        DefinedName => "i et navn, som formlerne bruger",
        PivotCache => "i de skjulte data bag en pivottabel",
        Validation => "i en regel for indtastning eller et filter",
        Chart => "i et diagram eller tallene bag det",
        External => "i en forbindelse til andre data",
        Slide(n) => return format!("på dias {n}"),
        HiddenSlide(n) => return format!("på det skjulte dias {n}"),
        Notes(n) => return format!("i noterne til dias {n}"),
        Master => "i diasmasteren",
        Data => "i data, der følger med filen uden at blive vist",
    };
    words.to_owned()
}

fn english(place: &OfficePlace) -> String {
    use OfficePlace::*;
    let words = match place {
        PageHeader => "in the page header",
        PageFooter => "in the page footer",
        Footnote(n) => return format!("in footnote {n}"),
        Endnote(n) => return format!("in endnote {n}"),
        Comment => "in a comment",
        TrackedChange => "in a tracked change (deleted text that is still in the file)",
        TextBox => "in a text box",
        FieldCode => "in the code behind a field",
        FormField => "in the settings of a form field",
        Link => "in a link",
        AltText => "in the alternative text of a picture",
        Property(name) => return format!("in the document's properties ({})", clean(name)),
        Settings => "in the document's settings",
        Style => "in the name of a style or bookmark",
        BuildingBlock => "in a building block that travels with the template",
        Author => "in the name of an author",
        Sheet(Concealed::No, name) => return format!("on the sheet \"{}\"", clean(name)),
        Sheet(_, name) => return format!("on the hidden sheet \"{}\"", clean(name)),
        Cell { sheet, cell, concealed } => {
            let sheet = clean(sheet);
            return match concealed {
                Concealed::No => format!("on the sheet \"{sheet}\", cell {cell}"),
                Concealed::Sheet => format!("on the hidden sheet \"{sheet}\", cell {cell}"),
                Concealed::Row => format!("on the sheet \"{sheet}\", cell {cell} in a hidden row"),
                Concealed::Column => format!("on the sheet \"{sheet}\", cell {cell} in a hidden column"),
                Concealed::Format => {
                    format!("on the sheet \"{sheet}\", cell {cell}, where the text was made invisible")
                }
            };
        }
        Formula { sheet, cell } if cell.is_empty() => return format!("in a formula on the sheet \"{}\"", clean(sheet)),
        Formula { sheet, cell } => {
            return format!("in the formula behind cell {cell} on the sheet \"{}\"", clean(sheet));
        }
        SheetName => "in the name of a sheet",
        DefinedName => "in a name that formulas use",
        PivotCache => "in the hidden data behind a pivot table",
        Validation => "in a rule for what may be entered, or a filter",
        Chart => "in a chart or the figures behind it",
        External => "in a connection to other data",
        Slide(n) => return format!("on slide {n}"),
        HiddenSlide(n) => return format!("on the hidden slide {n}"),
        Notes(n) => return format!("in the notes of slide {n}"),
        Master => "in the slide master",
        Data => "in data that travels with the file and is not shown",
    };
    words.to_owned()
}
