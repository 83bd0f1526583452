//! A mail or document without the numbers that must not go out, inspected again before anyone trusts it.
//!
//! The walk is that of `inspect`, taken back: edits in views, new bytes of children, the format's own `rebuild`. No format
//! is known here, and nothing is ever serialised anew that was not edited.

mod edits;
mod glued;

use crate::content::{Budget, CannotEdit, Changes, View};
use crate::cpr::{Detector, IdKind, IdentifierError, Secret};
use crate::document;
use crate::inspect::{Aid, Input, Node, Options, Readings, inspect_again, open, text_of};
use crate::message;
use crate::types::{Doubt, DoubtKind, Location, PartPath, Report};
use edits::Writer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The identifiers that must be gone from the copy.
pub type Targets = BTreeSet<(IdKind, Secret)>;

/// A copy without the targets, and what an inspection of it found.
#[derive(Debug)]
pub struct Redacted {
    /// The whole mail or document.
    pub bytes: Vec<u8>,
    /// Its inspection: none of the targets is in it, and nothing in it is in doubt but what logos show.
    pub report: Report,
}

/// Why there is no clean copy. The mail belongs in quarantine then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum NotClean {
    /// A part that holds a target cannot be edited.
    #[error("part {part} cannot be edited: {why}")]
    CannotEdit {
        /// Which part.
        part: String,
        /// Why.
        why: String,
    },
    /// A doubt: nobody can say that the rest is free of numbers.
    #[error("part {part} was not surely read: {reason}")]
    Doubtful {
        /// Which part.
        part: String,
        /// Why.
        reason: String,
    },
    /// The result still held a target.
    #[error("a number was still found after redaction")]
    StillThere,
    /// A custom identifier does not compile.
    #[error("{0}")]
    Identifier(String),
}

impl From<IdentifierError> for NotClean {
    fn from(error: IdentifierError) -> NotClean {
        NotClean::Identifier(error.to_string())
    }
}

/// Removes all targets and inspects the result.
///
/// # Errors
/// Why there is no clean copy; nothing is half done.
pub fn redact(bytes: &[u8], targets: &Targets, options: &Options) -> Result<Redacted, NotClean> {
    redact_seen(bytes, Readings::none(&options.programs), targets, options)
}

/// The same for a mail that was inspected: pictures are not read again, and reading those that were painted over takes what is
/// left of the mail's time. A copy that could not be read within it is not clean.
///
/// # Errors
/// As [`redact`].
pub fn redact_seen(bytes: &[u8], seen: Readings, targets: &Targets, options: &Options) -> Result<Redacted, NotClean> {
    let detector = Detector::new(options.today, &options.identifiers)?;
    let mut budget = Budget::new(options.limits.clone());
    let mut aid = Aid::new(&options.programs, seen);
    let mut eraser = Eraser {
        writer: Writer {
            detector: &detector,
            targets,
            style: options.style,
        },
        budget: &mut budget,
        aid: &mut aid,
        logos: BTreeSet::new(),
    };
    let edited = if options.input == Input::Text {
        eraser.text(bytes)?
    } else {
        eraser.node(&Node::root(bytes, options))?
    };
    let logos = eraser.logos;
    let bytes = edited.unwrap_or_else(|| bytes.to_vec());
    let mut budget = Budget::new(options.limits.clone());
    let report = inspect_again(&detector, &mut budget, &mut aid, &bytes, options);
    let logos = if aid.reads_all_or_none() {
        logos
    } else {
        BTreeSet::new()
    };
    verify(&report, targets, &logos)?;
    Ok(Redacted { bytes, report })
}

/// Nobody trusts an edit: no target may be found in the result, and no place of it may be in doubt. One doubt is let
/// through: a small picture that nobody read. A logo stands under most mails, and refusing them all where OCR is not
/// installed would make redaction useless without making anybody safer: the policy has seen the same doubt, and holds
/// the mail where a rule says so (`why: [not_ocred]`), which is stricter than to redact. A picture that could be a
/// page is another matter: what was taken out of the text could stand there. So is one that was left unread by chance, late
/// or after a fault: the inspection before may have read it, and found in it what is to be taken out.
fn verify(report: &Report, targets: &Targets, logos: &BTreeSet<PartPath>) -> Result<(), NotClean> {
    if report.holds_any(targets) {
        return Err(NotClean::StillThere);
    }
    let bears = |doubt: &&Doubt| doubt.kind == DoubtKind::NotOcred && logos.contains(&doubt.place.part);
    match report.doubts.iter().find(|doubt| !bears(doubt)) {
        None => Ok(()),
        Some(doubt) => Err(NotClean::Doubtful {
            part: doubt.place.part.to_string(),
            reason: doubt.reason.clone(),
        }),
    }
}

struct Eraser<'e, 'p> {
    writer: Writer<'e>,
    budget: &'e mut Budget,
    aid: &'e mut Aid<'p>,
    /// Small pictures that were met on the way.
    logos: BTreeSet<PartPath>,
}

impl Eraser<'_, '_> {
    /// New bytes of a node, `None` when nothing in it had to go.
    fn node(&mut self, node: &Node<'_>) -> Result<Option<Vec<u8>>, NotClean> {
        let refuse = |why: CannotEdit| NotClean::CannotEdit {
            part: node.path.to_string(),
            why: why.to_string(),
        };
        if let Err(spent) = self.budget.enter(node.depth) {
            return Err(NotClean::Doubtful {
                part: node.path.to_string(),
                reason: spent.to_string(),
            });
        }
        let (family, content) = open(node, self.budget, self.aid);
        self.meet(node);
        let mut changes = Changes {
            texts: self.writer.edits(&content.views),
            ..Changes::default()
        };
        for (i, child) in content.children.iter().enumerate() {
            // A second reading has no bytes of its own: if the number is still there after the first reading's edits, the
            // inspection of the result says so.
            if child.alternative {
                self.meet(&node.child(child));
                continue;
            }
            if let Some(bytes) = self.node(&node.child(child))? {
                changes.children.push((i, bytes));
            }
        }
        if changes.texts.is_empty() && changes.children.is_empty() {
            return Ok(None);
        }
        let rebuilt = match family {
            document::Family::Mail => message::rebuild(node.bytes, &content, changes),
            _ => document::rebuild(node.bytes, &node.hint, &content, changes),
        };
        rebuilt.map(Some).map_err(refuse)
    }

    /// Keeps in mind which parts are small pictures. A strip of a scanned page is no logo, however small.
    fn meet(&mut self, node: &Node<'_>) {
        let small = |size| !node.hint.scan && !document::could_be_a_page(size);
        if document::picture_size(node.bytes).is_some_and(small) {
            self.logos.insert(node.path.clone());
        }
    }

    fn text(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, NotClean> {
        let refuse = |why: CannotEdit| NotClean::CannotEdit {
            part: String::new(),
            why: why.to_string(),
        };
        let (text, map) = text_of(bytes);
        let view = View {
            location: Location::Text,
            hidden: false,
            fake_redaction: false,
            text,
            map,
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        };
        let mut splices = Vec::new();
        for edit in self.writer.edits(std::slice::from_ref(&view)) {
            splices.extend(view.splices([&edit]).map_err(refuse)?);
        }
        if splices.is_empty() {
            return Ok(None);
        }
        crate::content::splice(bytes, splices).map(Some).map_err(refuse)
    }
}
