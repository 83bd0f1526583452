//! From a reading to its confidence: adds up the features of the table, in one place.

use super::atoms::Kind;
use super::context::{self, Context};
use super::features::{self as f, Evidence};
use super::headings::Headings;
use super::lookalike::{self, Rows};
use super::number::{Cpr, Series};
use super::shape::{Grouping, Shape};

/// What the whole text has to say, gathered before the readings are weighed.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// CPR headings.
    pub(super) headings: Headings,
    /// Rows of ten-digit numbers.
    pub(super) rows: Rows,
}

/// Weighs one reading; `None` when it is part of a decimal, or so unusual that only a label would make it one.
pub(super) fn weigh(text: &str, shape: &Shape, document: &Document) -> Option<Evidence> {
    let context = context::around(text, &shape.span);
    let heading = document.headings.above(text, shape.span.start);
    let labelled = context.labelled() || heading;
    if !labelled && (shape.needs_label || lookalike::decimal(text, shape)) {
        return None;
    }
    let mut evidence = Evidence::default();
    form(shape, &mut evidence);
    number(&shape.cpr, &mut evidence);
    surroundings(context, heading, &mut evidence);
    lookalike::weigh(text, shape, &mut evidence);
    if shape.grouping == Grouping::Bare
        && let Some(rate) = document.rows.rate(shape.span.start)
    {
        evidence.when(rate > 60, f::LIST_FOR);
        evidence.when(rate < 35 && !labelled, f::LIST_AGAINST);
    }
    Some(evidence)
}

fn form(shape: &Shape, evidence: &mut Evidence) {
    let separator = shape.separator;
    match (shape.grouping, separator.kind) {
        (Grouping::Pairs | Grouping::Singles, _) => evidence.add(f::SPREAD),
        (_, Kind::Hyphen) => evidence.add(f::HYPHEN),
        // A soft hyphen between date and serial is a hyphen that somebody's program chose.
        (_, Kind::Soft) => evidence.add(f::HYPHEN),
        (_, Kind::Space) if !separator.wide => evidence.add(f::SPACE),
        (_, Kind::Slash) => evidence.add(f::SLASH),
        (_, Kind::Dot) => evidence.add(f::DOT),
        (_, Kind::Underscore) => evidence.add(f::UNDERSCORE),
        (_, Kind::Plus) => evidence.add(f::PLUS),
        (_, Kind::Column | Kind::Comma | Kind::Space) => evidence.add(f::COLUMNS),
        _ => {}
    }
    evidence.when(separator.line, f::LINE_BREAK);
    evidence.when(
        separator.spaced && !separator.line && separator.kind != Kind::Space,
        f::BLANKS,
    );
    evidence.when(shape.invisible && separator.kind != Kind::Soft, f::INVISIBLE);
    evidence.when(shape.cut, f::CUT);
    evidence.when(shape.chained, f::CHAINED);
    evidence.when(shape.parted_date, f::PARTED_DATE);
    evidence.when(shape.full_year, f::FULL_YEAR);
    evidence.when(shape.needs_label, f::UNUSUAL);
}

/// What the number itself says.
pub(super) fn number(cpr: &Cpr, evidence: &mut Evidence) {
    match cpr.series() {
        Series::Letters => evidence.add(f::LETTERS),
        _ if cpr.passes_modulus_11() => evidence.add(f::MODULUS_11),
        _ if cpr.on_date_without_modulus_11() => evidence.add(f::NO_MODULUS_11_LISTED),
        _ => evidence.add(f::NO_MODULUS_11),
    }
    evidence.when(cpr.series() == Series::Replacement, f::REPLACEMENT);
    evidence.when(cpr.birth().year() < 1900, f::OLD);
    evidence.when(cpr.series() != Series::Letters && cpr.serial_is_early(), f::EARLY);
}

fn surroundings(context: Context, heading: bool, evidence: &mut Evidence) {
    evidence.when(context.cpr, f::CPR_WORD);
    evidence.when(context.cpr_far, f::CPR_WORD_FAR);
    evidence.when(heading && !context.cpr, f::HEADING);
    evidence.when(context.birth, f::BIRTH_WORD);
    evidence.when(context.person, f::PERSON_WORD);
    evidence.when(context.name, f::NAME);
    evidence.when(context.other && !heading, f::OTHER_LABEL);
}
