//! Dates as people read them and as mail writes them.
//!
//! In words, so that no date is ever taken for the first half of a CPR number, and in Danish time: a caseworker does
//! not reckon in UTC.

use crate::policy::Language;
use crate::types::danish_time;
use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, UtcOffset};

const MONTHS: [(&str, &str); 12] = [
    ("januar", "January"),
    ("februar", "February"),
    ("marts", "March"),
    ("april", "April"),
    ("maj", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("august", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
];

const DAYS: [(&str, &str); 7] = [
    ("mandag", "Monday"),
    ("tirsdag", "Tuesday"),
    ("onsdag", "Wednesday"),
    ("torsdag", "Thursday"),
    ("fredag", "Friday"),
    ("lørdag", "Saturday"),
    ("søndag", "Sunday"),
];

/// `mandag den 7. december 2026 kl. 09.30`, `Monday 7 December 2026 at 09:30`.
pub(crate) fn spoken(moment: OffsetDateTime, language: Language) -> String {
    let local = danish_time(moment);
    let month = MONTHS
        .get(usize::from(u8::from(local.month())) - 1)
        .copied()
        .unwrap_or_default();
    let day = DAYS
        .get(usize::from(local.weekday().number_days_from_monday()))
        .copied()
        .unwrap_or_default();
    let (number, year, hour, minute) = (local.day(), local.year(), local.hour(), local.minute());
    match language {
        Language::Da => format!("{} den {number}. {} {year} kl. {hour:02}.{minute:02}", day.0, month.0),
        Language::En => format!(
            "{} {number} {} {year} at {hour:02}:{minute:02} (Danish time)",
            day.1, month.1
        ),
    }
}

/// RFC 5322 §3.3 date.
pub(super) fn mail_date(moment: OffsetDateTime) -> String {
    // Fails only for years before 1900.
    moment
        .to_offset(UtcOffset::UTC)
        .format(&Rfc2822)
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 +0000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_are_words_in_danish_time() {
        let winter = datetime!(2026-12-07 08:30 UTC);
        assert_eq!(spoken(winter, Language::Da), "mandag den 7. december 2026 kl. 09.30");
        assert_eq!(
            spoken(winter, Language::En),
            "Monday 7 December 2026 at 09:30 (Danish time)"
        );
        let midnight = datetime!(2026-07-01 23:05 -02:00);
        assert_eq!(spoken(midnight, Language::Da), "torsdag den 2. juli 2026 kl. 03.05");
    }

    #[test]
    fn mail_dates_follow_rfc_5322() {
        assert_eq!(
            mail_date(datetime!(2026-11-23 23:58:07 +01:00)),
            "Mon, 23 Nov 2026 22:58:07 +0000"
        );
    }
}
