//! A closer look for reviewers: the same walk, with what stands around each finding and the list of parts; and one part
//! taken out. Nothing here is kept: it is shown masked, or in clear to somebody who gave a reason.

use super::walk::{Node, Walk, open};
use super::{Aid, Options, Readings};
use crate::content::{Budget, View};
use crate::cpr::{Detector, Hit, IdentifierError};
use crate::types::{PartPath, Report};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Characters shown on each side of a number.
const AROUND: usize = 40;

/// What a closer look shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Examination {
    /// As from any inspection.
    pub report: Report,
    /// One a finding of the report, in their order.
    pub excerpts: Vec<Excerpt>,
    /// In the order of the walk, the mail itself first.
    pub parts: Vec<PartLine>,
}

/// A number with what stands around it, in clear: masked in `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Excerpt {
    /// Up to 40 characters.
    pub before: String,
    /// The number as it is written.
    pub number: String,
    /// Up to 40 characters.
    pub after: String,
}

/// One part of the mail. Its name may hold a number: mask before showing.
#[derive(Clone, Serialize, Deserialize)]
pub struct PartLine {
    /// Where in the whole.
    pub path: PartPath,
    /// Its file name, with those of what is around it.
    pub name: Option<String>,
    /// Declared or sniffed type.
    pub media_type: String,
    /// A file rather than the text of the mail.
    pub attachment: bool,
    /// Decoded.
    pub bytes: u64,
    /// SHA-256 of it, decoded.
    pub hash: [u8; 32],
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Excerpt(masked)")
    }
}

impl fmt::Debug for PartLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartLine({} {} bytes)", self.path, self.bytes)
    }
}

/// What the walk gathers beside its report.
#[derive(Default)]
pub(super) struct Closer {
    excerpts: Vec<Excerpt>,
    parts: Vec<PartLine>,
}

impl Closer {
    pub(super) fn enter(&mut self, node: &Node<'_>) {
        if !node.alternative {
            self.parts.push(line(node));
        }
    }

    pub(super) fn found(&mut self, view: &View, hit: &Hit) {
        self.excerpts.push(excerpt(&view.text, hit));
    }

    /// The finding is named by another view now.
    pub(super) fn found_again(&mut self, index: usize, view: &View, hit: &Hit) {
        if let Some(known) = self.excerpts.get_mut(index) {
            *known = excerpt(&view.text, hit);
        }
    }
}

fn line(node: &Node<'_>) -> PartLine {
    PartLine {
        path: node.path.clone(),
        name: node.name.clone(),
        media_type: node.hint.media_type.clone(),
        attachment: node.hint.attachment,
        bytes: node.bytes.len() as u64,
        hash: Sha256::digest(node.bytes).into(),
    }
}

fn excerpt(text: &str, hit: &Hit) -> Excerpt {
    let (before, rest) = text.split_at_checked(hit.span.start).unwrap_or((text, ""));
    let (number, after) = rest
        .split_at_checked(hit.span.end.saturating_sub(hit.span.start))
        .unwrap_or((rest, ""));
    let start = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(i, _)| i);
    Excerpt {
        before: before.get(start..).unwrap_or_default().to_owned(),
        number: number.to_owned(),
        after: after.chars().take(AROUND).collect(),
    }
}

/// Inspects one mail, with a closer look.
///
/// # Errors
/// Only when a custom identifier does not compile.
pub fn examine(bytes: &[u8], options: &Options) -> Result<Examination, IdentifierError> {
    let detector = Detector::new(options.today, &options.identifiers)?;
    let mut budget = Budget::new(options.limits.clone());
    let mut aid = Aid::new(&options.programs, Readings::none(&options.programs));
    let mut walk = Walk::new(&detector, &mut budget, &mut aid);
    walk.closer = Some(Closer::default());
    walk.node(&Node::root(bytes, options));
    let closer = walk.closer.take().unwrap_or_default();
    Ok(Examination {
        report: walk.finish(),
        excerpts: closer.excerpts,
        parts: closer.parts,
    })
}

/// One part, decoded; `None` when there is none at this place, or the budget does not reach it.
pub fn take_part(bytes: &[u8], path: &PartPath, options: &Options) -> Option<(PartLine, Vec<u8>)> {
    let mut budget = Budget::new(options.limits.clone());
    let mut aid = Aid::new(&options.programs, Readings::none(&options.programs));
    taken(&Node::root(bytes, options), path, &mut budget, &mut aid)
}

fn taken(node: &Node<'_>, path: &PartPath, budget: &mut Budget, aid: &mut Aid<'_>) -> Option<(PartLine, Vec<u8>)> {
    if node.path == *path {
        return Some((line(node), node.bytes.to_vec()));
    }
    budget.enter(node.depth).ok()?;
    let (_, content) = open(node, budget, aid);
    let mut children = content.children.iter().filter(|child| !child.alternative);
    children.find_map(|child| {
        let below = node.child(child);
        path.0
            .starts_with(&below.path.0)
            .then(|| taken(&below, path, budget, aid))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Programs;
    use crate::content::Limits;
    use crate::inspect::{Input, inspect};
    use std::path::Path;

    fn options() -> Options {
        Options {
            input: Input::Message,
            name: None,
            limits: Limits::default(),
            today: time::macros::date!(2026 - 11 - 25),
            identifiers: Vec::new(),
            programs: Programs::default(),
            style: crate::types::Style::default(),
        }
    }

    #[test]
    fn a_closer_look_finds_the_same_and_every_part_that_it_lists_can_be_taken_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mails");
        let (mut found, mut nested) = (0, 0);
        for file in std::fs::read_dir(folder).expect("samples").flatten() {
            if file.path().extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let bytes = std::fs::read(file.path()).expect("sample");
            let seen = examine(&bytes, &options()).expect("examined");
            let name = file.file_name();
            assert_eq!(seen.report, inspect(&bytes, &options()).expect("inspected"), "{name:?}");
            assert_eq!(seen.excerpts.len(), seen.report.findings.len(), "{name:?}");
            for excerpt in &seen.excerpts {
                assert!(excerpt.before.chars().count() <= AROUND && excerpt.after.chars().count() <= AROUND);
                assert!(!excerpt.number.is_empty());
                assert_eq!(format!("{excerpt:?}"), "Excerpt(masked)");
            }
            for part in &seen.parts {
                let (line, taken) = take_part(&bytes, &part.path, &options()).expect("taken");
                assert_eq!(
                    (line.hash, line.bytes),
                    (part.hash, taken.len() as u64),
                    "{name:?} {}",
                    part.path
                );
                nested += usize::from(part.path.0.len() > 1);
            }
            assert!(take_part(&bytes, &PartPath(vec![9, 9]), &options()).is_none());
            found += seen.excerpts.len();
        }
        assert!(found > 10 && nested > 0, "{found} findings, {nested} nested parts");
    }
}
