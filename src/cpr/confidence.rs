//! How sure the detector is, in the three words that policies use.

use serde::{Deserialize, Serialize};

/// How sure we are that a span is an identifier. Ordered: `Possible < Likely < Certain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Ten digits with a possible date, and nothing that speaks for them.
    Possible,
    /// One strong sign: form, checksum or a word near by.
    Likely,
    /// A CPR word beside it, or form and checksum without a sign against.
    Certain,
}

impl Confidence {
    /// The word that stands in policies, JSON and notices.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}
