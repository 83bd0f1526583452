//! Danish time, of a moment that somebody else has read from a clock.

use time::{Date, Duration, Month, OffsetDateTime, UtcOffset, Weekday};

/// Central European (summer) time by the rule of directive 2000/84/EC: from 01:00 UTC on the last Sunday of March to
/// 01:00 UTC on the last Sunday of October.
pub fn danish_time(moment: OffsetDateTime) -> OffsetDateTime {
    let utc = moment.to_offset(UtcOffset::UTC);
    let summer = match (
        last_sunday(utc.year(), Month::March),
        last_sunday(utc.year(), Month::October),
    ) {
        (Some(begin), Some(end)) => {
            let one = Duration::hours(1);
            utc >= begin.midnight().assume_utc() + one && utc < end.midnight().assume_utc() + one
        }
        _ => false,
    };
    UtcOffset::from_hms(if summer { 2 } else { 1 }, 0, 0).map_or(utc, |offset| utc.to_offset(offset))
}

/// The date on Danish calendars at that moment: what `expires: 2027-01-31` in a policy means.
pub fn danish_date(moment: OffsetDateTime) -> Date {
    danish_time(moment).date()
}

fn last_sunday(year: i32, month: Month) -> Option<Date> {
    let last = Date::from_calendar_date(year, month, 31).ok()?;
    let back = match last.weekday() {
        Weekday::Sunday => 0,
        day => i64::from(day.number_days_from_monday()) + 1,
    };
    last.checked_sub(Duration::days(back))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn summer_time_begins_and_ends_on_the_last_sunday() {
        for (moment, hour) in [
            (datetime!(2026-03-29 00:59 UTC), 1),
            (datetime!(2026-03-29 01:00 UTC), 3),
            (datetime!(2026-10-25 00:59 UTC), 2),
            (datetime!(2026-10-25 01:00 UTC), 2),
            (datetime!(2024-03-31 01:00 UTC), 3),
        ] {
            assert_eq!(danish_time(moment).hour(), hour, "{moment}");
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_denmark() {
        assert_eq!(danish_date(datetime!(2027-01-31 22:59 UTC)), date!(2027 - 01 - 31));
        assert_eq!(danish_date(datetime!(2027-01-31 23:00 UTC)), date!(2027 - 02 - 01));
        assert_eq!(danish_date(datetime!(2027-07-31 22:00 UTC)), date!(2027 - 08 - 01));
    }
}
