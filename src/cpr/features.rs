//! The model: every feature with its name and its weight, in one table.
//!
//! A weight is tenths of a unit of evidence, added up; a reading starts at 0. [`LIKELY`] and [`CERTAIN`] cut the sum into
//! the three words. Rule of thumb behind the numbers: one strong sign (form, checksum, person word) alone makes
//! *likely*; a CPR word, or form and checksum together, make *certain*; a contrary label near by takes one strong sign away.
//! Protected persons are compared at any confidence, so a reading is dropped only when it is plainly something else: by
//! [`super::lookalike::plainly`], or when the sum falls below [`POSSIBLE`]. The hyphen form survives every label.

use super::Confidence;

/// A reading below this is not reported: what speaks against it outweighs a possible date by far. Ten bare digits with a
/// possible date begin at 0 or a little below, so only a sign that *names* something else (an invoice's label, a telephone's
/// prefix, a payment line) or several weak ones reach it.
pub(super) const POSSIBLE: i32 = -25;
/// Sum from which a reading is likely.
pub(super) const LIKELY: i32 = 25;
/// Sum from which a reading is certain.
pub(super) const CERTAIN: i32 = 60;

/// One sign for or against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    /// Stands in [`super::Hit::why`].
    pub(super) name: &'static str,
    /// Tenths.
    pub(super) weight: i32,
}

macro_rules! features {
    ($($(#[$reason:meta])* $id:ident = $name:literal $weight:literal;)*) => {
        $($(#[$reason])* pub(super) const $id: Feature = Feature { name: $name, weight: $weight };)*
        const ALL: &[Feature] = &[$($id),*];
    };
}

features! {
    /// The checksum: one random date-valid number in eleven has it.
    MODULUS_11 = "modulus_11" 30;
    /// Fails, as numbers issued since 2007 and replacement numbers may.
    NO_MODULUS_11 = "no_modulus_11" -5;
    /// Fails on a date on which the CPR office says it has issued such numbers.
    NO_MODULUS_11_LISTED = "no_modulus_11_on_listed_date" -2;
    /// `DDMMYY-SSSS`, the way people write it.
    HYPHEN = "hyphen" 35;
    /// `DDMMYY SSSS`. Also how a date and a time of day look.
    SPACE = "space" 16;
    /// And modulus 11: of dates with a time of day one in eleven has it, and few of those stand apart from other numbers.
    SPACE_AND_SUM = "space_and_modulus_11" 20;
    /// `DDMMYY/SSSS`.
    SLASH = "slash" 20;
    /// `DDMMYY.SSSS`.
    DOT = "dot" -5;
    /// `DDMMYY_SSSS`, file names.
    UNDERSCORE = "underscore" 20;
    /// `DDMMYY+SSSS`, URLs.
    PLUS = "plus" 18;
    /// Date and serial in cells side by side.
    COLUMNS = "columns" 5;
    /// And more columns of numbers beside them: a table.
    COLUMNS_GO_ON = "columns_go_on" -15;
    /// Line end between date and serial.
    LINE_BREAK = "line_break" -5;
    /// Blanks beside the separator.
    BLANKS = "blanks_beside_separator" -3;
    /// Characters nobody sees, within the number: writers of ordinary text do not do that.
    INVISIBLE = "invisible_characters" 5;
    /// A reading that is cut out of a longer row at an invisible character.
    CUT = "cut_at_invisible_character" -20;
    /// Signs in the date: it is a date for people.
    PARTED_DATE = "date_with_signs" 4;
    /// Day or month of one digit: also how versions look.
    SHORT_DATE = "short_date" -10;
    /// Four-digit year that agrees with the seventh digit.
    FULL_YEAR = "four_digit_year" 4;
    /// Five pairs, or ten single digits: also how telephone numbers and table rows look.
    SPREAD = "spread_out" 2;
    /// Replacement number.
    REPLACEMENT = "replacement_number" -3;
    /// Hospital letter form: a rare shape.
    LETTERS = "letter_form" 12;
    /// Born so long ago that nobody of that age lives.
    OLD = "older_than_anyone" -25;
    /// Early in its date's series.
    EARLY = "early_serial" 3;
    /// A CPR word beside it, and no other label nearer.
    CPR_WORD = "cpr_word" 75;
    /// A CPR word further off, or behind another label.
    CPR_WORD_FAR = "cpr_word_far" 30;
    /// In the column, or the list, under a CPR heading.
    HEADING = "cpr_heading" 70;
    /// Born, birth date.
    BIRTH_WORD = "birth_word" 35;
    /// Citizen, patient, child.
    PERSON_WORD = "person_word" 30;
    /// The same, in the sentence before.
    PERSON_WORD_FAR = "person_word_far" 15;
    /// A name just before.
    NAME = "name_before" 30;
    /// A name just behind.
    NAME_AFTER = "name_behind" 25;
    /// The label nearest to it says something else: account, invoice, telephone.
    OTHER_LABEL = "other_label" -15;
    /// And stands directly before it: `Fakturanr. 0101901234`. Two strong signs would not outweigh it.
    OTHER_LABEL_DIRECT = "other_label_direct" -75;
    /// Case, journal, reference, directly before it. One random number in 300 passes date and modulus 11, but many offices
    /// take the person's number for the case's: with modulus 11 it stays *possible*.
    CASE_LABEL = "case_label" -45;
    /// Words of casework, treatment, school near by.
    CASEWORK = "casework" 30;
    /// Within a token that mixes letters and digits: hex, base64, identifiers.
    GLUED_CODE = "within_a_code" -60;
    /// Only letters that hexadecimal digits have touch it: `(cc0101901234)`.
    GLUED_HEX = "hexadecimal_letters_touch" -15;
    /// A longer word touches ten bare digits, and it says nothing of persons: `contest0101901234`.
    GLUED_WORD = "word_touches" -20;
    /// Letters touch it.
    GLUED_LETTERS = "letters_touch" -4;
    /// Further groups of digits hang on it by a sign, on both sides.
    LONGER_GROUP = "part_of_longer_groups" -60;
    /// A further group hangs on it, as in `010190-1234-2.pdf`.
    NEXT_GROUP = "group_beside" -5;
    /// Numbers without anything between them, as tables without cell borders give.
    CHAINED = "chained" -5;
    /// `+` and digits: telephone.
    PLUS_PREFIX = "plus_before" -75;
    /// `+71<…+…<`.
    PAYMENT_LINE = "payment_line" -75;
    /// `<…@…>`.
    MESSAGE_ID = "message_id" -90;
    /// An amount with two decimals.
    AMOUNT = "amount" -90;
    /// Serial reads as a time of day after a blank.
    TIME_OF_DAY = "time_of_day" -5;
    /// Ten digits from 1 without modulus 11: seconds since 1970.
    UNIX_TIME = "unix_time" -3;
    /// Four digits and a blank before ten: Danish account.
    REGISTRATION_NUMBER = "registration_number_before" -4;
    /// A URL's path or argument, and no label for it.
    URL = "in_url" -25;
    /// The local part of a mail address: `101115.2541@mail.example`.
    MAIL_ADDRESS = "mail_address" -45;
    /// A group of digits hangs on ten bare ones by a hyphen or dot, and it is no year: `ID71-0101901234`.
    HUNG = "hung_on_a_group" -12;
    /// Ten bare digits in a URL, or behind `key=`, and no word for a person there.
    BARE_KEY = "bare_in_url_or_key" -35;
    /// `key=0101901234`, `i2c@0101901234`, and the key is no CPR word.
    ASSIGNED = "assigned" -25;
    /// Between columns of other numbers.
    AMONG_NUMBERS = "among_columns_of_numbers" -5;
    /// Bank registration number and a hyphen before ten digits.
    ACCOUNT = "account_form" -75;
    /// Also a valid Swedish personal number (`YYMMDD-XXXX` with Luhn).
    SWEDISH = "swedish_personal_number" -15;
    /// Among ten-digit numbers nearly all of which have a possible date; of random ones three in a hundred have.
    LIST_OF_DATES = "list_of_dates" 35;
    /// Among ten-digit numbers of which most are possible CPR numbers with modulus 11.
    LIST_FOR = "list_of_numbers" 15;
    /// Among ten-digit numbers most of which are not.
    LIST_AGAINST = "list_of_other_numbers" -60;
    /// Birth date and "the last four digits" in words.
    PROSE = "prose" 35;
    /// And a CPR or birth word goes with it.
    PROSE_PERSONAL = "birth_or_cpr_word_with_it" 30;
    /// Another birth date is nearer to "the last four digits".
    FURTHER_DATE = "another_date_nearer" -30;
    /// Letters that look like digits.
    LOOKALIKE_LETTERS = "letters_like_digits" -52;
    /// Signs between the digits that no form has, after a CPR word: `CPR 010190:1234`.
    LOOSE = "loose_form" -10;
    /// And one of them within the serial, as in `CPR 12.05.90, 12.30`.
    LOOSE_SERIAL = "sign_within_serial" -30;
    /// Digits written as words.
    SPELLED = "spelled_out" -8;
    /// So unusual that it needs a label: lost zero, line end within the date.
    UNUSUAL = "unusual_form" -40;
    /// A custom identifier's pattern, when nothing else is asked of it.
    PATTERN = "pattern" 25;
    /// A custom identifier's checksum.
    CHECKSUM = "checksum" 30;
    /// A custom identifier's context word.
    CONTEXT = "context_word" 30;
}

/// The weight of a feature by its name in [`super::Hit::why`], in tenths; for `scan --why`.
pub fn weight(name: &str) -> Option<i32> {
    ALL.iter()
        .find(|feature| feature.name == name)
        .map(|feature| feature.weight)
}

/// Evidence for one reading.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    sum: i32,
    why: Vec<&'static str>,
}

impl Evidence {
    /// Adds a feature.
    pub(super) fn add(&mut self, feature: Feature) {
        self.sum += feature.weight;
        self.why.push(feature.name);
    }

    /// Adds a feature when it is there.
    pub(super) fn when(&mut self, there: bool, feature: Feature) {
        if there {
            self.add(feature);
        }
    }

    /// The sum, to compare readings of the same digits.
    pub(super) fn sum(&self) -> i32 {
        self.sum
    }

    /// The word for the sum.
    pub(super) fn confidence(&self) -> Confidence {
        match self.sum {
            CERTAIN.. => Confidence::Certain,
            LIKELY..CERTAIN => Confidence::Likely,
            _ => Confidence::Possible,
        }
    }

    /// The names of its features.
    pub(super) fn why(self) -> Vec<&'static str> {
        self.why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different_and_weights_matter() {
        let names: std::collections::HashSet<&str> = ALL.iter().map(|feature| feature.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|feature| feature.weight != 0));
    }

    #[test]
    fn the_tiers_that_policies_rely_on() {
        let tier = |features: &[Feature]| {
            let mut evidence = Evidence::default();
            features.iter().for_each(|&feature| evidence.add(feature));
            evidence.confidence()
        };
        assert_eq!(tier(&[]), Confidence::Possible);
        assert_eq!(tier(&[HYPHEN, NO_MODULUS_11]), Confidence::Likely);
        assert_eq!(tier(&[HYPHEN, NO_MODULUS_11, LINE_BREAK]), Confidence::Likely);
        assert_eq!(tier(&[HYPHEN, MODULUS_11]), Confidence::Certain);
        assert_eq!(tier(&[HYPHEN, MODULUS_11, OTHER_LABEL]), Confidence::Likely);
        assert_eq!(tier(&[MODULUS_11]), Confidence::Likely);
        assert_eq!(tier(&[MODULUS_11, OTHER_LABEL]), Confidence::Possible);
        assert_eq!(tier(&[CPR_WORD, NO_MODULUS_11]), Confidence::Certain);
        assert_eq!(tier(&[CPR_WORD, LOOKALIKE_LETTERS]), Confidence::Possible);
        assert_eq!(tier(&[HEADING, NO_MODULUS_11, UNIX_TIME]), Confidence::Certain);
        assert_eq!(tier(&[CPR_WORD, NO_MODULUS_11, UNUSUAL]), Confidence::Likely);
    }
}
