//! One mail or document -> [`Report`]: the walk over all parts at any depth.
//!
//! The walk knows no format: it asks `message` or `document` for the views and children of a thing, looks for
//! identifiers in every view, and goes on with the children. It runs inside a worker process (see `worker`); nothing here
//! starts one. `redact` takes the same road, so that what was found is what is removed.

mod aid;
mod archives;
mod closer;
mod pages;
mod program;
mod readings;
mod turned;
mod walk;
mod words;

pub use closer::{Examination, Excerpt, PartLine, examine, take_part};
pub use readings::Readings;
pub use walk::{Node, text_of};
pub(crate) use walk::{detect, open};

use crate::config::Programs;
use crate::content::{Budget, Limits};
use crate::cpr::{Detector, Hit, Identifier, IdentifierError};
use crate::types::{Finding, Location, PartPath, Place, Report, Style};
pub(crate) use aid::Aid;
use serde::{Deserialize, Serialize};
use time::Date;

/// How to read the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// By content.
    Auto,
    /// A mail.
    Message,
    /// A file as one would attach it.
    Document,
    /// Text; spans are byte offsets into it.
    Text,
}

/// Everything an inspection needs besides the bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Options {
    /// How to read the input.
    pub input: Input,
    /// File name, if it has one.
    pub name: Option<String>,
    /// What it may cost.
    pub limits: Limits,
    /// Bounds birth dates.
    pub today: Date,
    /// Custom identifiers of the policy.
    pub identifiers: Vec<Identifier>,
    /// Programs that read pictures and RAR.
    pub programs: Programs,
    /// How a copy looks where something was taken out.
    pub style: Style,
}

/// Inspects one mail or document. What cannot be read is a doubt in the report, never an error and never silence.
///
/// # Errors
/// Only when a custom identifier does not compile; a loaded policy has none of those.
pub fn inspect(bytes: &[u8], options: &Options) -> Result<Report, IdentifierError> {
    inspect_first(bytes, options).map(|(report, _)| report)
}

/// The same, with what a redaction of this mail need not read again.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_first(bytes: &[u8], options: &Options) -> Result<(Report, Readings), IdentifierError> {
    let detector = Detector::new(options.today, &options.identifiers)?;
    let mut budget = Budget::new(options.limits.clone());
    let mut aid = Aid::new(&options.programs, Readings::none(&options.programs));
    let report = inspect_again(&detector, &mut budget, &mut aid, bytes, options);
    Ok((report, aid.into_readings()))
}

/// The same with a detector that is already made, on a budget that may be shared.
pub fn inspect_with(detector: &Detector, budget: &mut Budget, bytes: &[u8], options: &Options) -> Report {
    let mut aid = Aid::new(&options.programs, Readings::none(&options.programs));
    inspect_again(detector, budget, &mut aid, bytes, options)
}

/// The same, with what programs have read already.
pub(crate) fn inspect_again(
    detector: &Detector,
    budget: &mut Budget,
    aid: &mut Aid<'_>,
    bytes: &[u8],
    options: &Options,
) -> Report {
    if options.input == Input::Text {
        return inspect_text(detector, bytes);
    }
    let mut walk = walk::Walk::new(detector, budget, aid);
    walk.node(&Node::root(bytes, options));
    walk.finish()
}

/// Plain text: no walk, no types, spans are offsets into the input.
fn inspect_text(detector: &Detector, bytes: &[u8]) -> Report {
    let (text, map) = text_of(bytes);
    let place = Place {
        part: PartPath::default(),
        name: None,
        media_type: "text/plain".to_owned(),
        attachment: false,
        location: Location::Text,
    };
    let finding = |hit: Hit| {
        let span = map.source_of(hit.span.clone()).unwrap_or(hit.span.clone());
        Finding {
            kind: hit.kind.clone(),
            number: hit.number.clone(),
            confidence: hit.confidence,
            place: place.clone(),
            span,
            hidden: false,
            fake_redaction: false,
            why: hit.why.iter().map(|&feature| feature.to_owned()).collect(),
        }
    };
    let found = detector.find_all(&text);
    Report {
        findings: found.hits.into_iter().map(finding).collect(),
        faint: found.faint.into_iter().map(finding).collect(),
        doubts: Vec::new(),
        seals: Vec::new(),
        parts: 1,
    }
}
