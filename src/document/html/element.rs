//! What the walker must know of elements by their name.

use super::style::Display;

/// How an HTML element is displayed unless style says otherwise; unknown ones are inline, as in browsers.
pub(super) fn display(name: &str) -> Display {
    match name {
        "td" | "th" => Display::Cell,
        "address" | "article" | "aside" | "blockquote" | "body" | "br" | "caption" | "center" | "col" | "colgroup"
        | "dd" | "details" | "dialog" | "dir" | "div" | "dl" | "dt" | "fieldset" | "figcaption" | "figure"
        | "footer" | "form" | "frame" | "frameset" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "head" | "header"
        | "hgroup" | "hr" | "html" | "iframe" | "legend" | "li" | "listing" | "main" | "menu" | "nav" | "object"
        | "ol" | "optgroup" | "option" | "p" | "plaintext" | "pre" | "script" | "search" | "section" | "select"
        | "style" | "summary" | "table" | "tbody" | "textarea" | "tfoot" | "thead" | "title" | "tr" | "ul" | "xmp" => {
            Display::Block
        }
        _ => Display::Inline,
    }
}

/// Elements without content and end tag.
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements whose content is no markup up to their end tag.
pub(super) fn is_raw(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "title" | "textarea" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext"
    )
}

/// Elements whose content a page does not show.
pub(super) fn is_hidden(name: &str) -> bool {
    matches!(
        name,
        "script" | "style" | "title" | "template" | "iframe" | "noembed" | "noframes" | "datalist"
    )
}

/// White space stays in these.
pub(super) fn is_pre(name: &str) -> bool {
    matches!(name, "pre" | "listing" | "xmp" | "plaintext" | "textarea")
}

/// An open `open` ends where `next` begins (HTML Standard, 13.1.2.4, the cases that mail has).
pub(super) fn ends(open: &str, next: &str) -> bool {
    match open {
        "p" => display(next) == Display::Block && !matches!(next, "br" | "option" | "script" | "style" | "select"),
        "li" => next == "li",
        "dt" | "dd" => matches!(next, "dt" | "dd"),
        "td" | "th" => matches!(next, "td" | "th" | "tr" | "tbody" | "tfoot"),
        "tr" => matches!(next, "tr" | "tbody" | "tfoot"),
        "option" => matches!(next, "option" | "optgroup"),
        _ => false,
    }
}

/// Elements of Office and OpenDocument XML (lower case, no prefix) between which a word goes on: runs, their properties,
/// marks in the text.
pub(super) fn runs_on(local: &str) -> bool {
    local.ends_with("pr")
        || local.starts_with("bookmark")
        || local.starts_with("comment")
        || matches!(
            local,
            "r" | "t"
                | "b"
                | "i"
                | "u"
                | "a"
                | "s"
                | "span"
                | "tspan"
                | "ins"
                | "del"
                | "deltext"
                | "hyperlink"
                | "smarttag"
                | "sdt"
                | "sdtcontent"
                | "fldsimple"
                | "instrtext"
                | "prooferr"
                | "fld"
                | "softhyphen"
                | "lastrenderedpagebreak"
                | "soft-page-break"
                | "nobreakhyphen"
                | "sym"
                | "fldchar"
                | "permstart"
                | "permend"
                | "reference-mark"
                | "change"
                | "change-start"
                | "change-end"
                // Visio: marks where the manner of letters, paragraphs and tabs changes.
                | "cp"
                | "pp"
                | "tp"
        )
}

/// Attributes that are addresses: what they hold is percent-encoded.
pub(super) fn is_address(attribute: &str) -> bool {
    matches!(
        attribute,
        "href" | "src" | "action" | "cite" | "background" | "poster" | "formaction" | "srcset" | "data" | "longdesc"
    ) || attribute.ends_with(":href")
}

/// Attributes whose value a reader is shown.
pub(super) fn is_shown(attribute: &str) -> bool {
    matches!(
        attribute,
        "alt" | "title" | "placeholder" | "value" | "label" | "summary" | "aria-label"
    )
}
