//! The words that all floors share: who sends to whom, what was found where, what is to be done.
//!
//! Data only. Reading mail is `message` and `document`, judging is `policy`, acting is `milter` and `courier`.

mod address;
mod clock;
mod decision;
mod envelope;
mod notice;
mod office;
mod place;
mod report;
mod style;

pub use address::{Address, AddressError, fold_local};
pub use clock::{danish_date, danish_time};
pub use decision::{Action, Decision, Judgement, Lifted, Matched, Release, RuleRef};
pub use envelope::{Client, Envelope, Notify, Recipient};
pub use notice::{DoubtLine, FateWord, FoundLine, NoticeFacts, Outcome};
pub use office::{Concealed, OfficePlace};
pub use place::{Location, PartPath, Place, PlaceClass};
pub use report::{Doubt, DoubtKind, Finding, Report, Seal, SealKind};
pub use style::Style;
