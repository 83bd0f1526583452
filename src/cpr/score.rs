//! From a reading to its confidence: adds up the features of the table, in one place.

use super::atoms::Kind;
use super::context::{self, Context, before};
use super::features::{self as f, Evidence};
use super::headings::Headings;
use super::lookalike::{self, Rows};
use super::number::{Cpr, Series};
use super::shape::{Grouping, Need, Shape};

/// What the whole text has to say, gathered before the readings are weighed.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// CPR headings.
    pub(super) headings: Headings,
    /// Rows of ten-digit numbers.
    pub(super) rows: Rows,
}

/// Weighs one reading; true when it is faint: its digits are plainly something else. `None` when the writing is so unusual
/// that only a label beside it would make it a number.
pub(super) fn weigh(text: &str, shape: &Shape, document: &Document) -> Option<(Evidence, bool)> {
    let context = context::around(text, &shape.span);
    let heading = document.headings.above(text, &shape.span);
    let labelled = context.labelled() || heading;
    let person = context.birth || context.person || context.name || context.cpr_far;
    let spread = matches!(shape.grouping, Grouping::Pairs | Grouping::Singles);
    let person = if spread {
        context.birth || context.cpr_far
    } else {
        person
    };
    let needs_met = match shape.needs {
        Need::Nothing => true,
        Need::Support => labelled || person || shape.cpr.passes_modulus_11(),
        Need::Label => labelled,
    };
    // `O10190-1234`: not a lost zero, but one that the scanner took for a letter.
    let nine = shape.digits.len() == 9 && before(text, shape.span.start, 4).ends_with(char::is_alphabetic);
    if nine || !needs_met && shape.needs == Need::Label {
        return None;
    }
    let plainly = !needs_met || !context.labelled() && lookalike::plainly(text, shape, heading);
    let mut evidence = Evidence::default();
    form(shape, &mut evidence);
    number(&shape.cpr, &mut evidence);
    surroundings(context, heading, shape.grouping == Grouping::Bare, &mut evidence);
    let named = context.person || context.birth || context.casework;
    lookalike::weigh(text, shape, labelled, named, &mut evidence);
    if let Some(row) = document.rows.around(shape.span.start) {
        // Dates without modulus 11 may be invoices numbered by the day: they neither speak for people nor against.
        evidence.when(row.dated() && row.rate() >= 35, f::LIST_OF_DATES);
        evidence.when(row.rate() > 60, f::LIST_FOR);
        evidence.when(row.rate() < 35 && !row.dated() && !labelled, f::LIST_AGAINST);
    }
    // `010190-1234`, `01.01.90-1234`: nothing else is written so, whatever the label says.
    let unmistakable = shape.separator.kind == Kind::Hyphen && shape.needs == Need::Nothing;
    let faint = plainly || evidence.sum() < f::POSSIBLE && !(unmistakable && context.other_direct);
    Some((evidence, faint))
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
    let column = |kind: Kind| matches!(kind, Kind::Column | Kind::Comma);
    let goes_on = column(shape.before.kind) || column(shape.after.kind);
    evidence.when(column(separator.kind) && goes_on, f::COLUMNS_GO_ON);
    evidence.when(separator.line, f::LINE_BREAK);
    evidence.when(
        separator.spaced && !separator.line && separator.kind != Kind::Space,
        f::BLANKS,
    );
    let space = separator.kind == Kind::Space && !separator.wide && !separator.line && !shape.parted_date;
    let apart = shape.before.kind == Kind::Break && shape.after.kind == Kind::Break;
    evidence.when(
        space && apart && shape.cpr.passes_modulus_11() && shape.grouping == Grouping::Parted,
        f::SPACE_AND_SUM,
    );
    evidence.when(shape.invisible && separator.kind != Kind::Soft, f::INVISIBLE);
    evidence.when(shape.cut, f::CUT);
    evidence.when(shape.chained, f::CHAINED);
    evidence.when(shape.parted_date, f::PARTED_DATE);
    evidence.when(shape.short_date && shape.parted_date && !shape.full_year, f::SHORT_DATE);
    evidence.when(shape.full_year, f::FULL_YEAR);
    evidence.when(shape.needs == Need::Label, f::UNUSUAL);
}

/// Nobody born before this year is alive (in 2026), and most files on them are closed.
const OLDEST: i32 = 1914;

/// What the number itself says.
pub(super) fn number(cpr: &Cpr, evidence: &mut Evidence) {
    match cpr.series() {
        Series::Letters => evidence.add(f::LETTERS),
        _ if cpr.passes_modulus_11() => evidence.add(f::MODULUS_11),
        _ if cpr.on_date_without_modulus_11() => evidence.add(f::NO_MODULUS_11_LISTED),
        _ => evidence.add(f::NO_MODULUS_11),
    }
    evidence.when(cpr.series() == Series::Replacement, f::REPLACEMENT);
    evidence.when(cpr.birth().year() < OLDEST, f::OLD);
    evidence.when(cpr.series() != Series::Letters && cpr.serial_is_early(), f::EARLY);
}

fn surroundings(context: Context, heading: bool, bare: bool, evidence: &mut Evidence) {
    evidence.when(context.cpr, f::CPR_WORD);
    evidence.when(context.cpr_far, f::CPR_WORD_FAR);
    evidence.when(heading && !context.cpr, f::HEADING);
    // `patientens kontonr.`: the label is the number's, the person is only its owner.
    if !context.other_direct {
        evidence.when(context.birth, f::BIRTH_WORD);
        evidence.when(context.person, f::PERSON_WORD);
        evidence.when(context.person_far && !context.person, f::PERSON_WORD_FAR);
        evidence.when(context.name, f::NAME);
        evidence.when(context.name_after && !context.name, f::NAME_AFTER);
        evidence.when(context.casework, f::CASEWORK);
    }
    if context.other && !heading {
        evidence.add(match (context.other_direct, context.case) {
            (true, false) => f::OTHER_LABEL_DIRECT,
            (true, true) if bare => f::CASE_LABEL,
            (true, true) | (false, _) => f::OTHER_LABEL,
        });
    }
}
