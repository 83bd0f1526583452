//! How a copy looks where a number was taken out.

use serde::{Deserialize, Serialize};

/// What stands where a number stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A filled box; in text an X for each digit.
    #[default]
    Box,
    /// `[CPR]`, in pictures and on pages within a box.
    Label,
    /// Nothing.
    Remove,
}

impl Style {
    /// All of them, in the order of the manual.
    pub const ALL: [Style; 3] = [Style::Box, Style::Label, Style::Remove];

    /// The word in policies and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Style::Box => "box",
            Style::Label => "label",
            Style::Remove => "remove",
        }
    }
}
