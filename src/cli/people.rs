//! `cpr-milter people`: protected persons, by numbers on standard input, one a line. Nothing typed is ever echoed: a line
//! that is no number is named by its line number.

use super::table::Said;
use crate::cpr::Secret;
use crate::store::{Decider, PersonNote, Store, StoreError};
use crate::types::Address;
use std::io::BufRead;

/// Lines named in an error; more are counted.
const NAMED_LINES: usize = 20;

/// `people add` and `people import`. Good lines are added even when others are bad: a typing mistake in one line must not
/// leave the others unprotected. Exit status 1 when a line was bad.
pub fn add(store: &Store, input: &mut dyn BufRead, note: &PersonNote, by: &Decider<'_>) -> Said {
    let (numbers, bad) = match read(input) {
        Ok(read) => read,
        Err(said) => return said,
    };
    if numbers.is_empty() {
        return said("No person was added".to_owned(), &bad);
    }
    match store.protect(&numbers, note, by) {
        // How many of them were new would answer who is on the list.
        Ok(_) => said(format!("{} persons are protected now", numbers.len()), &bad),
        Err(error) => failed(&error),
    }
}

/// `people remove`.
pub fn remove(store: &Store, input: &mut dyn BufRead, by: &Decider<'_>) -> Said {
    let (numbers, bad) = match read(input) {
        Ok(read) => read,
        Err(said) => return said,
    };
    if numbers.is_empty() {
        return said("No person was removed".to_owned(), &bad);
    }
    match store.unprotect(&numbers, by) {
        Ok(_) => said("None of them is protected any more".to_owned(), &bad),
        Err(error) => failed(&error),
    }
}

/// `people own`: lines of a number and a mail address. Exit status 1 when a line was bad.
pub fn own(store: &Store, input: &mut dyn BufRead, forget: bool, by: &Decider<'_>) -> Said {
    let mut pairs = Vec::new();
    let mut bad = Vec::new();
    for (i, line) in input.split(b'\n').enumerate() {
        let line = match line {
            Ok(line) => zeroize::Zeroizing::new(String::from_utf8_lossy(&line).into_owned()),
            Err(error) => return (format!("standard input could not be read: {}\n", error.kind()), 2),
        };
        let text = line.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let split = text.rsplit_once(|c: char| c.is_whitespace() || matches!(c, ';' | ','));
        let pair = split.and_then(|(number, address)| {
            let address = Address::parse(address.trim().as_bytes()).ok()?;
            let whole = !address.local.is_empty() && !address.domain.is_empty();
            Some((canonical(number)?, address)).filter(|_| whole)
        });
        match pair {
            Some(pair) => pairs.push(pair),
            None => bad.push(i + 1),
        }
    }
    let (done, result) = match (pairs.is_empty(), forget) {
        (true, _) => return said("Nothing was changed".to_owned(), &bad),
        (false, false) => ("are known now", store.own(&pairs, by)),
        (false, true) => ("are not known any more", store.disown(&pairs, by)),
    };
    match result {
        // How many of them were new would answer whose number is whose.
        Ok(_) => said(format!("{} pairs of number and address {done}", pairs.len()), &bad),
        Err(error) => failed(&error),
    }
}

/// `people count`.
pub fn count(store: &Store) -> Said {
    match store.protected_count() {
        Ok(count) => (format!("{count} protected persons\n"), 0),
        Err(error) => failed(&error),
    }
}

/// Numbers, each once, and the numbers of lines that hold none.
fn read(input: &mut dyn BufRead) -> Result<(Vec<Secret>, Vec<usize>), Said> {
    let mut numbers = Vec::new();
    let mut bad = Vec::new();
    for (i, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(|error| (format!("standard input could not be read: {}\n", error.kind()), 2))?;
        let line = zeroize::Zeroizing::new(String::from_utf8_lossy(&line).into_owned());
        let text = line.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match canonical(text) {
            Some(number) => numbers.push(number),
            None => bad.push(i + 1),
        }
    }
    numbers.sort();
    numbers.dedup();
    Ok((numbers, bad))
}

/// The ten characters of a number as a person writes it: separators off, a century in front of the year off, the last
/// four digits or the letter forms that hospitals use. The date must be one that a CPR number can have.
pub fn canonical(text: &str) -> Option<Secret> {
    let kept = text.chars().filter_map(|c| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10),
        c if c.is_ascii_alphanumeric() => Some(c.to_ascii_uppercase()),
        _ => None,
    });
    let mut number: String = kept.take(13).collect();
    let foreign = text
        .chars()
        .any(|c| c.is_alphanumeric() && !c.is_ascii_alphanumeric() && !('０'..='９').contains(&c));
    if number.len() == 12 {
        // 01011990-1234: the year with its century.
        number.replace_range(4..6, "");
    }
    let date = number.get(..6).filter(|date| date.bytes().all(|b| b.is_ascii_digit()));
    let sound = !foreign && number.len() == 10 && date.is_some_and(possible_date);
    let secret = Secret::new(number);
    sound.then_some(secret)
}

/// Day and month; replacement numbers have 60 added to the day.
fn possible_date(date: &str) -> bool {
    let part = |range| {
        date.get(range)
            .and_then(|digits: &str| digits.parse::<u32>().ok())
            .unwrap_or(0)
    };
    let (day, month) = (part(0..2), part(2..4));
    (1..=31).contains(&(if day > 60 { day - 60 } else { day })) && (1..=12).contains(&month)
}

fn said(done: String, bad: &[usize]) -> Said {
    if bad.is_empty() {
        return (format!("{done}.\n"), 0);
    }
    let named: Vec<String> = bad.iter().take(NAMED_LINES).map(usize::to_string).collect();
    let more = match bad.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (
        format!("{done}. No CPR number in line {}{more}.\n", named.join(", ")),
        1,
    )
}

fn failed(error: &StoreError) -> Said {
    (format!("{error}\n"), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for text in [
            "010190-1234",
            "0101901234",
            "01 01 90 1234",
            "01.01.1990-1234",
            "０１０１９０－１２３４",
            "010190/1234",
        ] {
            assert_eq!(
                canonical(text).as_ref().map(Secret::reveal),
                Some("0101901234"),
                "{text}"
            );
        }
        assert_eq!(
            canonical("610190-1234").as_ref().map(Secret::reveal),
            Some("6101901234")
        );
        assert_eq!(
            canonical("010190-ab12").as_ref().map(Secret::reveal),
            Some("010190AB12")
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "010190-123",
            "320190-1234",
            "011390-1234",
            "010190-12345",
            "Anna 010190-1234",
            "010190-123٤",
            "x",
        ] {
            assert!(canonical(text).is_none(), "{text}");
        }
    }
}
