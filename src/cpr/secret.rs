//! An identifier in memory: compared and hashed freely, printed never, wiped when dropped.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize;

/// What kind of identifier a finding is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdKind {
    /// A Danish CPR number (also replacement numbers and hospital letter forms).
    Cpr,
    /// An identifier of the policy's own `identifiers:`, by its name there.
    Custom(String),
}

impl IdKind {
    /// The word in policies and JSON: `cpr`, or the custom identifier's name.
    pub fn word(&self) -> &str {
        match self {
            IdKind::Cpr => "cpr",
            IdKind::Custom(name) => name,
        }
    }
}

/// The characters of one identifier in canonical form, without separators (for CPR ten of `0-9`, or the hospital's
/// letters in capitals). Equal numbers written differently are equal here. `Debug` masks; `Drop` wipes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// Takes canonical characters; the caller has removed separators.
    pub fn new(canonical: String) -> Secret {
        Secret(canonical)
    }

    /// The characters in clear, for hashing, comparing and `--reveal`; never for logs, notices or the store.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// As many marks as characters, none of them true: a birth date alone is already personal data.
    pub fn masked(&self) -> String {
        if self.0.chars().count() == 10 {
            "••••••-••••".to_owned()
        } else {
            "•".repeat(self.0.chars().count())
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(masked)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
