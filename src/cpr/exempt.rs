//! Birth dates on which numbers without modulus 11 have been issued.
//!
//! Data, not logic. Source: Det Centrale Personregister (CPR-kontoret), "Personnumre uden kontrolciffer (modulus 11
//! kontrol)", list of 10 May 2023, which calls itself "not necessarily exhaustive". So it only softens what a failing
//! checksum costs; a date that is missing here proves nothing.

use time::{Date, Month};

/// Years whose 1 January is on the list.
const FIRST_OF_JANUARY: [i32; 26] = [
    1960, 1962, 1964, 1965, 1966, 1967, 1969, 1970, 1974, 1975, 1978, 1980, 1981, 1982, 1983, 1984, 1985, 1986, 1987,
    1988, 1989, 1990, 1991, 1992, 1994, 1995,
];

/// The CPR office says that it has issued numbers without modulus 11 on this date.
pub(super) fn listed(birth: Date) -> bool {
    birth.month() == Month::January && birth.day() == 1 && FIRST_OF_JANUARY.binary_search(&birth.year()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn list_is_sorted_for_the_search() {
        assert!(FIRST_OF_JANUARY.is_sorted());
    }

    #[test]
    fn only_the_first_of_january_of_listed_years() {
        assert!(listed(date!(1990 - 01 - 01)));
        assert!(!listed(date!(1990 - 01 - 02)));
        assert!(!listed(date!(1993 - 01 - 01)));
    }
}
