//! Destinations (groups that are not body text), and what kind of place each of them is.

use crate::types::{Location, OfficePlace};

/// Where the text of a group goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Body,
    Header,
    Footer,
    Footnote(u32),
    Endnote(u32),
    Comment,
    Author,
    TextBox,
    FieldCode,
    FormField,
    AltText,
    Property(&'static str),
    Settings,
    Style,
    Data,
    /// Hexadecimal data: a picture.
    Picture,
    /// A picture that stands a second time in another format.
    SecondPicture,
    /// Hexadecimal data: an embedded object.
    Object,
    /// Hexadecimal data of another kind.
    Blob,
    Fonts,
    Colours,
}

impl Place {
    pub fn location(self) -> Location {
        use OfficePlace as P;
        let place = match self {
            Place::Body => return Location::Text,
            Place::Header => P::PageHeader,
            Place::Footer => P::PageFooter,
            Place::Footnote(n) => P::Footnote(n),
            Place::Endnote(n) => P::Endnote(n),
            Place::Comment => P::Comment,
            Place::Author => P::Author,
            Place::TextBox => P::TextBox,
            Place::FieldCode => P::FieldCode,
            Place::FormField => P::FormField,
            Place::AltText => P::AltText,
            Place::Property(name) => P::Property(name.to_owned()),
            Place::Settings => P::Settings,
            Place::Style | Place::Fonts => P::Style,
            _ => P::Data,
        };
        Location::Office(place)
    }

    /// The group holds hexadecimal data rather than text.
    pub fn is_data(self) -> bool {
        matches!(
            self,
            Place::Picture | Place::SecondPicture | Place::Object | Place::Blob
        )
    }
}

/// The place that a control word at the start of a group makes of it; `None` when the word is no destination.
pub(super) fn of(word: &str) -> Option<Place> {
    Some(match word {
        "header" | "headerl" | "headerr" | "headerf" => Place::Header,
        "footer" | "footerl" | "footerr" | "footerf" => Place::Footer,
        "footnote" => Place::Footnote(0),
        "annotation" => Place::Comment,
        "atnauthor" | "atnid" | "revtbl" => Place::Author,
        "shptxt" | "txbx" | "dptxbxtext" => Place::TextBox,
        "fldinst" | "xe" | "tc" | "tcn" | "rxe" | "bxe" => Place::FieldCode,
        "formfield" | "ffname" | "ffdeftext" | "ffl" | "ffhelptext" | "ffstattext" | "ffentrymcr" | "ffexitmcr"
        | "ffformat" => Place::FormField,
        "sn" => Place::Data,
        "sv" => Place::AltText,
        "title" => Place::Property("title"),
        "subject" => Place::Property("subject"),
        "author" => Place::Property("author"),
        "manager" => Place::Property("manager"),
        "company" => Place::Property("company"),
        "operator" => Place::Property("last saved by"),
        "category" => Place::Property("category"),
        "keywords" => Place::Property("keywords"),
        "comment" | "doccomm" => Place::Property("comments"),
        "hlinkbase" => Place::Property("link base"),
        "info" => Place::Property("information"),
        "userprops" | "propname" | "staticval" | "linkval" => Place::Property("own properties"),
        "docvar" | "template" | "passwordhash" | "xmlnstbl" | "mailmerge" | "private1" => Place::Settings,
        "fonttbl" => Place::Fonts,
        "colortbl" => Place::Colours,
        "stylesheet" | "bkmkstart" | "bkmkend" | "listtable" | "listoverridetable" | "listname" | "liststylename"
        | "latentstyles" | "lsdlockedexcept" | "filetbl" => Place::Style,
        "pict" => Place::Picture,
        "nonshppict" => Place::SecondPicture,
        "objdata" => Place::Object,
        "themedata" | "colorschememapping" | "datastore" | "objsect" | "fontemb" | "fontfile" => Place::Blob,
        "objclass" | "objname" | "objtime" | "objalias" | "generator" | "htmltag" | "mhtmltag" | "rsidtbl"
        | "pgptbl" | "xmlname" | "xmlattrname" | "xmlattrvalue" | "protusertbl" | "userprotect" => Place::Data,
        _ => return None,
    })
}

/// Groups without a text of their own, whose inner groups belong to the text around them.
pub(super) fn is_transparent(word: &str) -> bool {
    matches!(
        word,
        "field"
            | "fldrslt"
            | "shp"
            | "shpinst"
            | "shppict"
            | "shprslt"
            | "object"
            | "result"
            | "ud"
            | "upr"
            | "sp"
            | "shpgrp"
            | "do"
            | "rtf"
            | "pntext"
            | "listtext"
            | "pntxta"
            | "pntxtb"
            | "atrfstart"
            | "atrfend"
            | "background"
            | "picprop"
            | "nesttableprops"
            | "pn"
            | "moMath"
            | "mmath"
            | "ftnsep"
            | "ftnsepc"
            | "ftncn"
            | "aftnsep"
            | "aftnsepc"
            | "aftncn"
    )
}

/// Text that a control word or symbol stands for (specification, "Special Characters").
pub(super) fn character(word: &str) -> Option<char> {
    Some(match word {
        "par" | "line" | "sect" | "page" | "column" | "row" | "nestrow" | "softline" | "softpage" | "lbr" => '\n',
        "tab" | "cell" | "nestcell" => '\t',
        "emdash" => '\u{2014}',
        "endash" => '\u{2013}',
        "emspace" => '\u{2003}',
        "enspace" => '\u{2002}',
        "qmspace" => '\u{2005}',
        "bullet" => '\u{2022}',
        "lquote" => '\u{2018}',
        "rquote" => '\u{2019}',
        "ldblquote" => '\u{201c}',
        "rdblquote" => '\u{201d}',
        "zwbo" => '\u{200b}',
        "zwnbo" => '\u{2060}',
        "zwj" => '\u{200d}',
        "zwnj" => '\u{200c}',
        _ => return None,
    })
}
