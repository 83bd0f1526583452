//! The last look at a notice before it leaves: it must not carry what it warns of.
//!
//! Facts are masked where they are gathered; this is the second lock on the same door.

use crate::cpr::{Detector, mask};
use time::Date;

/// Masks every line that the template did not bring itself: a telephone number in the administrator's text stays.
pub(super) fn masked(body: &str, own_lines: &[String]) -> String {
    let lines = body.lines().map(|line| {
        if own_lines.iter().any(|own| own.trim() == line.trim()) {
            line.to_owned()
        } else {
            mask(line)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// No number is in `text`, once the `made` parts (dates in numbers, written by us) are out of it.
pub(super) fn is_clean(text: &str, made: &[&str], today: Date) -> bool {
    let mut rest = text.to_owned();
    for part in made.iter().filter(|part| !part.is_empty()) {
        rest = rest.replace(part, " ");
    }
    // A detector that cannot be made has found nothing, so nothing may be said.
    Detector::new(today, &[]).is_ok_and(|detector| detector.find_all(&rest).all().next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpr::made_up;

    #[test]
    fn each_lock_holds_by_itself() {
        let number = made_up::hyphenated(&made_up::number(4));
        let own = "Ring 33 12 34 56 78".to_owned();
        let text = masked(&format!("{own}\nfra sagen: {number}"), std::slice::from_ref(&own));
        assert!(text.starts_with(&own) && !text.contains(&number[..6]), "{text}");
        let today = Date::from_calendar_date(2026, time::Month::November, 23).expect("a date");
        assert!(!is_clean(&format!("cpr-nr. {number}"), &[], today));
        assert!(is_clean("uden tal", &[], today));
    }
}
