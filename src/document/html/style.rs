//! What inline style says of visibility. Style sheets are read for `display:none` and the like by simple selectors; what
//! they hide by other means is still found, only not called hidden.

use std::collections::HashSet;

/// What one `style` attribute (and the old presentational attributes) says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Not shown, and nothing in it either.
    pub hidden: bool,
    /// Text without size, until an element inside gives it one.
    pub tiny: Option<bool>,
    /// `visibility`, until an element inside says otherwise.
    pub unseen: Option<bool>,
    /// `display`, when given.
    pub display: Option<Display>,
    /// Text colour in canonical form.
    pub color: Option<String>,
    /// Background colour in canonical form.
    pub background: Option<String>,
    /// White space stays.
    pub pre: bool,
    /// From right to left against the nature of the letters.
    pub turned: bool,
}

/// How an element stands among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// In the line: what is in it touches what is beside it.
    Inline,
    /// In a line of its own.
    Block,
    /// A table cell.
    Cell,
}

/// Reads declarations such as `display: none; color: #fff`.
pub(super) fn declarations(css: &str) -> Style {
    let mut style = Style::default();
    let mut clipped = (false, false);
    let mut turned = (false, false);
    let css: String = css.to_ascii_lowercase();
    for declaration in css.split(';') {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let value: String = value.split_whitespace().filter(|word| *word != "!important").collect();
        let value = value.trim_end_matches("!important");
        match name.trim() {
            "display" if value == "none" => style.hidden = true,
            "display" => style.display = display(value),
            "visibility" => style.unseen = Some(value == "hidden" || value == "collapse"),
            "mso-hide" if value == "all" => style.hidden = true,
            "font-size" => style.tiny = Some(is_zero(value)),
            "opacity" if is_zero(value) => style.hidden = true,
            "max-height" | "height" | "max-width" | "width" if is_zero(value) => clipped.0 = true,
            "overflow" if value == "hidden" => clipped.1 = true,
            "color" => style.color = color(value),
            "background" | "background-color" => style.background = color(value),
            "unicode-bidi" => turned.0 = value.ends_with("override"),
            "direction" => turned.1 = value == "rtl",
            "white-space" => style.pre = value.starts_with("pre"),
            _ => {}
        }
    }
    style.hidden |= clipped == (true, true);
    style.turned = turned == (true, true);
    style
}

impl Style {
    /// Nothing of it is seen, unless an element inside overrules it.
    pub fn covers(&self) -> bool {
        self.hidden || self.tiny == Some(true) || self.unseen == Some(true)
    }
}

fn display(value: &str) -> Option<Display> {
    match value {
        "table-cell" => Some(Display::Cell),
        "contents" => None,
        _ if value.starts_with("inline") => Some(Display::Inline),
        _ => Some(Display::Block),
    }
}

/// `0`, `0px`, `0.0em`; a size of one pixel counts as none at all.
fn is_zero(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    number
        .parse::<f32>()
        .is_ok_and(|n| n <= 0.0 || (n <= 1.0 && value.ends_with("px")))
}

/// A colour as six hexadecimal digits, or as written when it is another name.
pub(super) fn color(value: &str) -> Option<String> {
    let value = value.trim().to_ascii_lowercase();
    let name = match value.as_str() {
        "" | "inherit" | "initial" | "unset" | "none" => return None,
        "white" => "ffffff".to_owned(),
        "black" => "000000".to_owned(),
        _ if value.starts_with('#') && value.len() == 4 => value.chars().skip(1).flat_map(|c| [c, c]).collect(),
        _ if value.starts_with("rgb") => from_rgb(&value)?,
        _ => value.trim_start_matches('#').to_owned(),
    };
    Some(name)
}

fn from_rgb(value: &str) -> Option<String> {
    let inner = value.split_once('(')?.1.trim_end_matches(')');
    let mut parts = inner
        .split([',', '/'])
        .map(|part| part.trim().parse::<f32>().unwrap_or(0.0));
    let mut hex = String::new();
    for _ in 0..3 {
        // Saturates, as colours do.
        hex.push_str(&format!("{:02x}", parts.next()? as u8));
    }
    match parts.next() {
        Some(0.0) => Some("transparent".to_owned()),
        _ => Some(hex),
    }
}

/// Classes and ids that a style sheet hides.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    classes: HashSet<String>,
    ids: HashSet<String>,
}

impl Hidden {
    /// Reads `.name { … }` and `#name { … }`, alone or in a list.
    pub fn learn(&mut self, sheet: &str) {
        for rule in sheet.split('}') {
            let Some((selectors, body)) = rule.rsplit_once('{') else {
                continue;
            };
            if !declarations(body).covers() {
                continue;
            }
            let selectors = selectors.rsplit('{').next().unwrap_or(selectors);
            for selector in selectors.split(',').map(str::trim) {
                let last = selector.split_whitespace().last().unwrap_or_default();
                if let Some((_, class)) = last.split_once('.') {
                    self.classes.insert(class.to_owned());
                } else if let Some((_, id)) = last.split_once('#') {
                    self.ids.insert(id.to_owned());
                }
            }
        }
    }

    /// An element with these attributes is hidden.
    pub fn covers(&self, class: &str, id: &str) -> bool {
        self.ids.contains(id) || class.split_whitespace().any(|class| self.classes.contains(class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hiding_in_its_usual_forms_is_seen() {
        for css in [
            "display:none",
            "DISPLAY : NONE !important",
            "x:y; visibility:hidden",
            "font-size:0",
            "font-size:0px",
            "font-size: 1px",
            "mso-hide:all",
            "opacity:0",
            "max-height:0; overflow:hidden",
        ] {
            assert!(declarations(css).covers(), "{css}");
        }
        for css in [
            "display:block",
            "font-size:10px",
            "opacity:0.9",
            "visibility:visible",
            "",
            ";;:",
        ] {
            assert!(!declarations(css).covers(), "{css}");
        }
    }

    #[test]
    fn colours_are_compared_in_one_form() {
        for white in ["#fff", "#FFFFFF", "white", "rgb(255, 255, 255)", "rgba(255,255,255,1)"] {
            assert_eq!(color(white).as_deref(), Some("ffffff"), "{white}");
        }
        assert_ne!(color("#fffffe"), color("#fff"));
    }

    #[test]
    fn a_sheet_hides_classes_and_ids() {
        let mut hidden = Hidden::default();
        hidden.learn("p{color:red} .a, td.b { display:none } @media print { #c {visibility:hidden} }");
        assert!(hidden.covers("x a", "") && hidden.covers("b", "") && hidden.covers("", "c"));
        assert!(!hidden.covers("p", "a"));
    }
}
