//! The number: what a CPR number is, and where one stands in a text.
//!
//! Pure: no I/O, no clock (today's date is handed in), no threads. Everything that reads mail comes here with plain
//! Unicode text and gets exact byte ranges of that text back; nothing here knows of mail or documents.
//!
//! From text to hit: `fold` says what a character is, `atoms` gathers digits that stand together, `shape` reads them
//! in every written form, `number` knows which are possible, `context`, `headings` and `lookalike` look around,
//! `features` holds the weights, `score` adds them up. `near` and `prose` read the forms that need a word beside them, which
//! `labels` finds; `vocabulary` is the list of all words. `identifiers`, `checksum` and `ready` find other numbers than CPR.
//!
//! Every rule names its source beside it, or the text in which it was learnt; `tests/corpus` measures them all.

mod atoms;
mod checksum;
mod confidence;
mod context;
mod exempt;
mod features;
mod find;
mod fold;
mod headings;
mod identifiers;
mod labels;
mod lanes;
mod lookalike;
pub mod made_up;
mod mask;
mod near;
mod number;
mod prose;
mod ready;
mod scan;
mod score;
mod secret;
mod shape;
mod vocabulary;
mod words;

pub use checksum::Checksum;
pub use confidence::Confidence;
pub use features::weight;
pub use find::{Detected, Detector, Hit};
pub use identifiers::{Identifier, IdentifierError};
pub use mask::{mask, mask_ascii};
pub use near::{LETTERS_LIKE_DIGITS, letters_as_digits};
pub use number::{Cpr, NumberError, Series};
pub use ready::{READY, Ready};
pub use scan::{candidates, candidates_portable};
pub use secret::{IdKind, Secret};
