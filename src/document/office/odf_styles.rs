//! Styles of OpenDocument, as far as they hide something.

use super::odf::style_marks;
use super::xml::{Event, Events, Part};
use crate::content::{Budget, Spent};
use std::collections::HashMap;

/// Styles that hide, by name.
#[derive(Default)]
pub(super) struct Styles {
    own: HashMap<String, Style>,
    /// The body is a spreadsheet.
    pub spreadsheet: bool,
    /// The body is a chart.
    pub chart: bool,
    /// The body is slides, on backgrounds of any colour.
    pub slides: bool,
}

#[derive(Clone, Default)]
struct Style {
    parent: String,
    hidden: bool,
    white: bool,
    black: bool,
    white_text_on: bool,
    black_behind: bool,
    table_away: bool,
    page_away: bool,
}

impl Styles {
    /// Learns the styles of a part; automatic ones of `content.xml` last.
    pub fn learn(&mut self, part: &Part<'_>, budget: &Budget) -> Result<(), Spent> {
        let mut events = Events::of(part.text);
        let mut name = String::new();
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            match tag.name {
                "spreadsheet" => {
                    self.spreadsheet = true;
                    return Ok(());
                }
                "text" | "presentation" | "drawing" | "chart" if events.parent(2) == "body" => {
                    self.chart = tag.name == "chart";
                    self.slides = matches!(tag.name, "presentation" | "drawing");
                    return Ok(());
                }
                "style" => {
                    name = tag.get("name").unwrap_or_default().to_owned();
                    let parent = tag.get("parent-style-name").unwrap_or_default().to_owned();
                    self.own.insert(
                        name.clone(),
                        Style {
                            parent,
                            ..Style::default()
                        },
                    );
                }
                "text-properties"
                | "paragraph-properties"
                | "table-properties"
                | "drawing-page-properties"
                | "table-cell-properties" => {
                    let Some(style) = self.own.get_mut(&name) else { continue };
                    let color = tag.get("color").map(str::to_ascii_lowercase);
                    let behind = tag.get("background-color").map(str::to_ascii_lowercase);
                    if tag.name == "text-properties" {
                        style.hidden |= tag.get("display") == Some("none");
                        style.white |= color.as_deref() == Some("#ffffff");
                        style.black |= color.as_deref() == Some("#000000");
                        style.black_behind |= behind.as_deref() == Some("#000000");
                    }
                    style.white_text_on |= behind.is_some_and(|b| b != "transparent" && b != "#ffffff");
                    style.table_away |= tag.name == "table-properties" && tag.get("display") == Some("false");
                    style.page_away |= tag.get("visibility") == Some("hidden");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn chain(&self, name: &str) -> impl Iterator<Item = &Style> {
        const GENERATIONS: usize = 16;
        let mut next = self.own.get(name);
        std::iter::from_fn(move || {
            let style = next?;
            next = self.own.get(&style.parent);
            Some(style)
        })
        .take(GENERATIONS)
    }

    /// What a style does to its text.
    pub fn marks(&self, name: &str) -> u8 {
        let any = |wanted: fn(&Style) -> bool| self.chain(name).any(wanted);
        let hidden = any(|s| s.hidden) || any(|s| s.white) && !self.slides && !any(|s| s.white_text_on);
        style_marks(hidden, any(|s| s.black_behind) && any(|s| s.black))
    }

    /// A sheet with this style is not shown.
    pub fn is_hidden_table(&self, name: &str) -> bool {
        self.chain(name).any(|style| style.table_away)
    }

    /// A slide with this style is left out of the show.
    pub fn is_hidden_page(&self, name: &str) -> bool {
        self.chain(name).any(|style| style.page_away)
    }
}
