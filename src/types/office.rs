//! Places that office documents have, in the words of the programs that show them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where in a text document, spreadsheet or presentation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OfficePlace {
    /// Header at the top of each page.
    PageHeader,
    /// Footer at the bottom of each page.
    PageFooter,
    /// Footnote, by its number in the file.
    Footnote(u32),
    /// Endnote, by its number in the file.
    Endnote(u32),
    /// Comment in the margin, on a cell or on a slide.
    Comment,
    /// Text that a tracked change has deleted or replaced; still there until somebody accepts the change.
    TrackedChange,
    /// Text box, shape, WordArt.
    TextBox,
    /// The instructions behind a field (`HYPERLINK`, `MERGEFIELD`), not its result.
    FieldCode,
    /// Names, choices and defaults of form fields and content controls.
    FormField,
    /// Where a link goes, or its screen tip.
    Link,
    /// Alternative text of a picture or shape.
    AltText,
    /// Document property (title, author, own properties), by name.
    Property(String),
    /// Settings and variables of the document, tags.
    Settings,
    /// Names of styles, bookmarks, fonts and the like.
    Style,
    /// Building blocks (glossary) that travel with a template.
    BuildingBlock,
    /// Author of a change or comment.
    Author,
    /// Header, footer and other text of a sheet that is in no cell.
    Sheet(Concealed, String),
    /// One cell.
    Cell {
        /// Sheet name as shown on its tab.
        sheet: String,
        /// `B7`.
        cell: String,
        /// Hidden by whom.
        concealed: Concealed,
    },
    /// The formula in one cell.
    Formula {
        /// Sheet name as shown on its tab.
        sheet: String,
        /// `B7`.
        cell: String,
    },
    /// Name on the tab of a sheet.
    SheetName,
    /// Name that formulas use.
    DefinedName,
    /// The copy of its data that a pivot table keeps.
    PivotCache,
    /// Rule for what may be entered, with its messages and lists; filters.
    Validation,
    /// Chart: title, labels, and the copy of its data.
    Chart,
    /// Connection to other files and databases, with the data last fetched.
    External,
    /// Slide, by its number in the show.
    Slide(u32),
    /// Slide that the show leaves out.
    HiddenSlide(u32),
    /// Speaker's notes of a slide.
    Notes(u32),
    /// Slide master or layout.
    Master,
    /// Data that travels with the document and is shown nowhere.
    Data,
}

/// What keeps a sheet or a cell from being shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Concealed {
    /// Nothing.
    No,
    /// The sheet is hidden, or so hidden that the menu does not offer it.
    Sheet,
    /// Its row is hidden.
    Row,
    /// Its column is hidden.
    Column,
    /// Its number format or colour shows nothing.
    Format,
}

impl OfficePlace {
    /// The same place with its names changed, as masking does.
    pub fn with_names(self, change: impl Fn(&str) -> String) -> OfficePlace {
        use OfficePlace::*;
        match self {
            Property(name) => Property(change(&name)),
            Sheet(concealed, name) => Sheet(concealed, change(&name)),
            Cell { sheet, cell, concealed } => Cell {
                sheet: change(&sheet),
                cell,
                concealed,
            },
            Formula { sheet, cell } => Formula {
                sheet: change(&sheet),
                cell,
            },
            other => other,
        }
    }

    /// The sheet of a cell; any other place itself. For reports in which a whole column would be listed cell by cell.
    pub fn without_cell(self) -> OfficePlace {
        match self {
            OfficePlace::Cell { sheet, concealed, .. } => OfficePlace::Sheet(concealed, sheet),
            other => other,
        }
    }

    /// A reader does not see it without looking for it.
    pub fn is_hidden(&self) -> bool {
        use OfficePlace::*;
        match self {
            TrackedChange
            | FieldCode
            | FormField
            | Property(_)
            | Settings
            | Style
            | BuildingBlock
            | Author
            | Formula { .. }
            | DefinedName
            | PivotCache
            | Validation
            | External
            | HiddenSlide(_)
            | Master
            | Data => true,
            Sheet(concealed, _) | Cell { concealed, .. } => *concealed != Concealed::No,
            _ => false,
        }
    }
}

/// English words; names may hold a number and are for the caller to mask.
impl fmt::Display for OfficePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use OfficePlace::*;
        let word = match self {
            PageHeader => "page header",
            PageFooter => "page footer",
            Footnote(n) => return write!(f, "footnote {n}"),
            Endnote(n) => return write!(f, "endnote {n}"),
            Comment => "comment",
            TrackedChange => "tracked change",
            TextBox => "text box",
            FieldCode => "field code",
            FormField => "form field",
            Link => "link",
            AltText => "alternative text",
            Property(name) => return write!(f, "property {name}"),
            Settings => "document settings",
            Style => "style or bookmark name",
            BuildingBlock => "building block",
            Author => "author name",
            Sheet(Concealed::No, name) => return write!(f, "sheet {name}"),
            Sheet(_, name) => return write!(f, "hidden sheet {name}"),
            Cell { sheet, cell, concealed } => {
                return match concealed {
                    Concealed::No => write!(f, "sheet {sheet}, cell {cell}"),
                    Concealed::Sheet => write!(f, "hidden sheet {sheet}, cell {cell}"),
                    Concealed::Row => write!(f, "sheet {sheet}, cell {cell} in a hidden row"),
                    Concealed::Column => write!(f, "sheet {sheet}, cell {cell} in a hidden column"),
                    Concealed::Format => write!(f, "sheet {sheet}, cell {cell}, not visible"),
                };
            }
            Formula { sheet, cell } if cell.is_empty() => return write!(f, "sheet {sheet}, formula"),
            Formula { sheet, cell } => return write!(f, "sheet {sheet}, formula in {cell}"),
            SheetName => "sheet name",
            DefinedName => "defined name",
            PivotCache => "pivot cache",
            Validation => "data validation or filter",
            Chart => "chart",
            External => "external connection",
            Slide(n) => return write!(f, "slide {n}"),
            HiddenSlide(n) => return write!(f, "hidden slide {n}"),
            Notes(n) => return write!(f, "notes of slide {n}"),
            Master => "slide master",
            Data => "data shown nowhere",
        };
        f.write_str(word)
    }
}
