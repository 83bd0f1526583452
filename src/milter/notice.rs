//! What is written down about a mail that the policy had something to say about: the store's `Incident` with the facts
//! that notices are made from. Everything in it that could hold a number is masked here, once.

use super::fields::Mail;
use super::judge::Case;
use super::plan::Fate;
use super::words;
use super::world::World;
use crate::cpr::{IdKind, mask};
use crate::store::{Incident, StoredFinding};
use crate::types::{
    Decision, DoubtLine, Finding, FoundLine, Location, NoticeFacts, OfficePlace, Outcome, Place, Recipient, Report,
};
use std::collections::BTreeSet;

/// Lines of each kind in a notice; more would not be read.
const LINES: usize = 200;
/// Cells named one by one; more of them are told by sheet.
const CELLS: usize = 12;

/// What is written down. `notify` when the sender is to hear of it.
pub fn incident<W: World>(
    world: &W,
    case: &Case,
    report: &Report,
    decisions: &[Decision],
    fates: &[Fate],
    notify: bool,
) -> Incident {
    let policy = world.policy();
    let people: BTreeSet<_> = report
        .findings
        .iter()
        .filter(|f| f.kind == IdKind::Cpr)
        .map(|f| &f.number)
        .collect();
    let facts = NoticeFacts {
        received: case.received,
        subject: subject(&case.mail),
        message_id: message_id(&case.mail),
        people: people.len(),
        found: found(report),
        doubts: doubt_lines(report),
        outcomes: outcomes(&case.envelope.recipients, decisions, fates),
        contact: policy.owner.to_owned(),
        policy: policy.name.to_owned(),
    };
    Incident {
        envelope: case.envelope.clone(),
        facts,
        notify,
        findings: stored(report),
        doubts: super::facts::doubts(report),
        policy_hash: policy.hash.to_owned(),
        received: case.received,
        judged: None,
    }
}

fn subject(mail: &Mail) -> Option<String> {
    let text = mask(&words::decode(mail.first(b"Subject")?));
    (!text.is_empty()).then_some(text)
}

fn message_id(mail: &Mail) -> Option<String> {
    let id = String::from_utf8_lossy(mail.first(b"Message-ID")?).trim().to_owned();
    let plain = id.len() <= 300 && id.chars().all(|c| c.is_ascii_graphic());
    (plain && !id.is_empty() && mask(&id) == id).then_some(id)
}

fn masked_name(place: &Place) -> Option<String> {
    place
        .name
        .as_deref()
        .map(|name| mask(&name.chars().filter(|c| !c.is_control()).collect::<String>()))
}

/// Equal lines counted together, in the order in which they were found.
fn found(report: &Report) -> Vec<FoundLine> {
    let mut lines: Vec<FoundLine> = Vec::new();
    let in_cell = |finding: &&Finding| matches!(finding.place.location, Location::Office(OfficePlace::Cell { .. }));
    let many = report.findings.iter().filter(in_cell).count() > CELLS;
    for finding in &report.findings {
        let file = masked_name(&finding.place);
        let location = match masked_location(&finding.place) {
            Location::Office(place) if many => Location::Office(place.without_cell()),
            location => location,
        };
        let same = |line: &&mut FoundLine| {
            line.kind == finding.kind
                && line.file == file
                && line.location == location
                && line.hidden == finding.hidden
                && line.fake_redaction == finding.fake_redaction
        };
        if let Some(line) = lines.iter_mut().find(same) {
            line.count += 1;
            line.confidence = line.confidence.max(finding.confidence);
        } else if lines.len() < LINES {
            lines.push(FoundLine {
                kind: finding.kind.clone(),
                confidence: finding.confidence,
                file,
                location,
                count: 1,
                hidden: finding.hidden,
                fake_redaction: finding.fake_redaction,
            });
        }
    }
    lines
}

/// Header and attribute names come from the mail; a number can stand in them too.
fn masked_location(place: &Place) -> Location {
    match place.location.clone() {
        Location::Attribute(name) => Location::Attribute(mask(&name)),
        Location::Header { name, index } => Location::Header {
            name: mask(&name),
            index,
        },
        Location::DisplayName { header } => Location::DisplayName { header: mask(&header) },
        Location::Office(place) => Location::Office(place.with_names(mask)),
        // Sheet names and the like: the whole part is said when the words of the place hold a number.
        other if mask(&other.to_string()) == other.to_string() => other,
        _ => Location::Whole,
    }
}

fn doubt_lines(report: &Report) -> Vec<DoubtLine> {
    let mut lines: Vec<DoubtLine> = Vec::new();
    for doubt in &report.doubts {
        let line = DoubtLine {
            kind: doubt.kind,
            file: masked_name(&doubt.place),
            media_type: mask(&doubt.place.media_type),
        };
        if lines.len() < LINES && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn outcomes(recipients: &[Recipient], decisions: &[Decision], fates: &[Fate]) -> Vec<Outcome> {
    let each = recipients.iter().zip(decisions).zip(fates);
    each.map(|((recipient, decision), fate)| Outcome {
        recipient: match &recipient.address {
            Some(address) => mask(&address.to_string()),
            None => mask(&String::from_utf8_lossy(&recipient.raw)),
        },
        fate: fate.word(),
        rule: decision.told.as_deref().cloned(),
    })
    .collect()
}

fn stored(report: &Report) -> Vec<StoredFinding> {
    let each = report.findings.iter();
    each.map(|finding| StoredFinding {
        kind: finding.kind.clone(),
        number: finding.number.clone(),
        confidence: finding.confidence,
        place: place_words(&finding.place),
    })
    .collect()
}

/// `notat.docx, footnote 2`, masked.
pub fn place_words(place: &Place) -> String {
    let location = masked_location(place);
    match masked_name(place) {
        Some(name) => format!("{name}, {location}"),
        None => location.to_string(),
    }
}
