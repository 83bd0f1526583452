//! Made-up values for the marks of a template: names, amounts, and above all digits.

use cpr_milter::cpr::made_up;

/// Digits of a look-alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Any.
    Random,
    /// A possible date, modulus 11 fails.
    Dated,
    /// A possible date, and modulus 11 holds.
    Adversarial,
}

/// SplitMix64: the same corpus on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[usize::try_from(self.roll() % from.len() as u64).unwrap_or(0)]
    }

    fn of(&mut self, alphabet: &str, count: usize) -> String {
        let signs: Vec<char> = alphabet.chars().collect();
        (0..count)
            .map(|_| signs[usize::try_from(self.roll() % signs.len() as u64).unwrap_or(0)])
            .collect()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

const FIRST: [&str; 16] = [
    "Anna", "Peter", "Søren", "Mette", "Åse", "Jens", "Lars", "Kirsten", "Fatima", "Ole", "Birgit", "Mohammed", "Ida",
    "Freja", "Bjørn", "Karen",
];
const LAST: [&str; 12] = [
    "Jensen",
    "Nielsen",
    "Hansen",
    "Østergaard",
    "Møller",
    "Ali",
    "Kjær",
    "Bang-Olsen",
    "Lund",
    "Thomsen",
    "Holm",
    "Eriksen",
];
const STREET: [&str; 8] = [
    "Vestergade 12",
    "Åboulevarden 3, 2. th.",
    "Skovvej 114",
    "Nørregade 7 B",
    "Kirkebakken 21",
    "Havnevej 1",
    "Ligustervænget 45",
    "Torvet 9, st.",
];
const CITY: [&str; 8] = [
    "Odense",
    "Århus",
    "Rønne",
    "Hjørring",
    "København",
    "Køge",
    "Esbjerg",
    "Vejle",
];
const WORD: [&str; 6] = ["borger", "post", "arkiv", "teknik", "skole", "drift"];
const MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DIGITS: [&str; 10] = ["nul", "et", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni"];
const TEENS: [&str; 10] = [
    "ti", "elleve", "tolv", "tretten", "fjorten", "femten", "seksten", "sytten", "atten", "nitten",
];
const TENS: [&str; 10] = [
    "",
    "",
    "tyve",
    "tredive",
    "fyrre",
    "halvtreds",
    "tres",
    "halvfjerds",
    "firs",
    "halvfems",
];

/// One snippet's values.
pub struct Values {
    pub dice: Dice,
    /// The CPR number of a true form.
    pub number: String,
    /// The ten digits of a look-alike.
    pub x: String,
}

/// A made-up number; modulus 11 as wanted.
pub fn number(seed: u64, modulus: bool) -> String {
    if modulus {
        made_up::number(seed)
    } else {
        made_up::without_mod11(seed)
    }
}

/// Ten digits in a flavour.
pub fn lookalike(seed: u64, flavour: Flavour) -> String {
    match flavour {
        Flavour::Random => format!(
            "{}{}",
            Dice(seed).of("123456789", 1),
            Dice(seed ^ 77).of("0123456789", 9)
        ),
        Flavour::Dated => made_up::without_mod11(seed),
        Flavour::Adversarial => made_up::number(seed),
    }
}

fn weighted(number: &str) -> u32 {
    number
        .bytes()
        .zip([4, 3, 2, 7, 6, 5, 4, 3, 2, 1])
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum()
}

/// The first serial from `serial` on that gives modulus 11.
fn holding(date: &str, serial: u64) -> String {
    (serial..serial + 100)
        .map(|s| format!("{date}{s:04}"))
        .find(|n| weighted(n).is_multiple_of(11))
        .unwrap_or_default()
}

/// Digits that a scanner misread: two or three of them.
fn scanned(number: &str, dice: &mut Dice, separator: &str) -> String {
    let confused = |c: char| match c {
        '0' => 'O',
        '1' => 'l',
        '5' => 'S',
        '8' => 'B',
        '2' => 'Z',
        c => c,
    };
    let mut out = String::new();
    let mut changed = 0;
    for (n, c) in number.chars().enumerate() {
        if n == 6 {
            out.push_str(separator);
        }
        let new = confused(c);
        if new != c && changed < 3 && (dice.below(2) == 0 || changed == 0) {
            changed += 1;
            out.push(new);
        } else {
            out.push(c);
        }
    }
    out
}

fn spelled(number: &str, between: &str, dash: &str) -> String {
    let words: Vec<&str> = number.bytes().map(|b| DIGITS[usize::from(b - b'0')]).collect();
    format!("{}{dash}{}", words[..6].join(between), words[6..].join(between))
}

/// As people say it: `første i elvte` is rare, `fjorten nul tre …` common.
fn pairs(number: &str) -> String {
    let pair = |at: usize| {
        let value: usize = number[at..at + 2].parse().unwrap_or(0);
        match value {
            0..=9 => format!("nul {}", DIGITS[value]),
            10..=19 => TEENS[value - 10].to_owned(),
            _ if value.is_multiple_of(10) => TENS[value / 10].to_owned(),
            _ => format!(
                "{}og{}",
                if value % 10 == 1 { "en" } else { DIGITS[value % 10] },
                TENS[value / 10]
            ),
        }
    };
    [0, 2, 4, 6, 8].map(pair).join(" ")
}

fn full_width(digits: &str) -> String {
    digits
        .chars()
        .filter_map(|c| char::from_u32(u32::from(c) - u32::from('0') + 0xff10))
        .collect()
}

impl Values {
    /// Replaces every known mark; other braces stay.
    pub fn fill(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (lead, tail) = rest.split_at(open);
            out.push_str(lead);
            let filled = tail
                .find('}')
                .filter(|&close| {
                    tail[1..close]
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                })
                .and_then(|close| self.mark(&tail[1..close]).map(|value| (value, close + 1)));
            match filled {
                Some((value, length)) => {
                    out.push_str(&value);
                    rest = &tail[length..];
                }
                None => {
                    out.push('{');
                    rest = &tail[1..];
                }
            }
        }
        out + rest
    }

    fn mark(&mut self, mark: &str) -> Option<String> {
        self.of_number(mark)
            .or_else(|| self.of_lookalike(mark))
            .or_else(|| self.of_world(mark))
    }

    fn of_number(&mut self, mark: &str) -> Option<String> {
        let n = self.number.clone();
        if n.is_empty() {
            return None;
        }
        let digit = |at: usize| n[at..=at].to_owned();
        let month: usize = n[2..4].parse().ok()?;
        Some(match mark {
            "d" => n[..2].to_owned(),
            "m" => n[2..4].to_owned(),
            "y" => n[4..6].to_owned(),
            "yyyy" => format!("19{}", &n[4..6]),
            "s" => n[6..].to_owned(),
            "d1" => digit(0),
            "d2" => digit(1),
            "m1" => digit(2),
            "m2" => digit(3),
            "y1" => digit(4),
            "y2" => digit(5),
            "s1" => digit(6),
            "s2" => digit(7),
            "s3" => digit(8),
            "s4" => digit(9),
            "z" => n[1..].to_owned(),
            "r" => (n[..2].parse::<u32>().ok()? + 60).to_string(),
            "fd" => full_width(&n[..2]),
            "fm" => full_width(&n[2..4]),
            "fy" => full_width(&n[4..6]),
            "fs" => full_width(&n[6..]),
            "month" => MONTHS[month - 1].to_owned(),
            "monthen" => MONTHS_EN[month - 1].to_owned(),
            "k" | "o" => {
                let year = if mark == "k" {
                    self.dice.below(24)
                } else {
                    58 + self.dice.below(42)
                };
                let date = format!("{}{year:02}", &n[..4]);
                let first = if mark == "k" {
                    4000 + self.dice.below(2900)
                } else {
                    5000 + self.dice.below(1900)
                };
                self.number = holding(if date.starts_with("2902") { "280205" } else { &date }, first);
                self.number[..6].to_owned()
            }
            "ks" | "os" => n[6..].to_owned(),
            "ocr" => scanned(&n, &mut self.dice, "-"),
            "ocrbare" => scanned(&n, &mut self.dice, ""),
            "spelled" => spelled(&n, " ", " "),
            "spelled_commas" => spelled(&n, ", ", ", "),
            "spelled_dash" => spelled(&n, " ", " bindestreg "),
            "spelled_pairs" => pairs(&n),
            _ => return None,
        })
    }

    fn of_lookalike(&mut self, mark: &str) -> Option<String> {
        let x = self.x.clone();
        if x.is_empty() {
            return None;
        }
        Some(match mark {
            "x" => x,
            "x6" => x[..6].to_owned(),
            "x4" => x[6..].to_owned(),
            "x46" => format!("{} {}", &x[..4], &x[4..]),
            "x334" => format!("{} {} {}", &x[..3], &x[3..6], &x[6..]),
            "x2" => [0, 2, 4, 6, 8].map(|at| &x[at..at + 2]).join(" "),
            "ids" => (0..40)
                .map(|_| self.dice.of("123456789", 1) + &self.dice.of("0123456789", 9) + "\n")
                .collect(),
            "idrows" => self.rows(";"),
            "idrows_comma" => self.rows(","),
            "idrows_tab" => self.rows("\t"),
            _ => return None,
        })
    }

    /// Rows of ids; one is the look-alike.
    fn rows(&mut self, sign: &str) -> String {
        let mut row = |id: String| {
            format!(
                "{id}{sign}{}{sign}{}\n",
                self.dice.below(90) + 10,
                self.dice.below(9000)
            )
        };
        let mut rows: String = (0..6)
            .map(|n| row((4_100_000_000_u64 + n * 7_919_993).to_string()))
            .collect();
        rows.push_str(&row(self.x.clone()));
        rows
    }

    fn of_world(&mut self, mark: &str) -> Option<String> {
        let dice = &mut self.dice;
        let two = |value: u64| format!("{value:02}");
        Some(match mark {
            "name" => format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST)),
            "first" => dice.pick(&FIRST).to_owned(),
            "street" => dice.pick(&STREET).to_owned(),
            "city" => dice.pick(&CITY).to_owned(),
            "word" => dice.pick(&WORD).to_owned(),
            "date" => match dice.below(3) {
                0 => format!(
                    "{:02}.{:02}.202{}",
                    dice.below(28) + 1,
                    dice.below(12) + 1,
                    dice.below(6)
                ),
                1 => format!("{}. {} 202{}", dice.below(28) + 1, dice.pick(&MONTHS), dice.below(6)),
                _ => format!(
                    "{:02}-{:02}-202{}",
                    dice.below(28) + 1,
                    dice.below(12) + 1,
                    dice.below(6)
                ),
            },
            "time" => format!("{:02}.{:02}", dice.below(24), dice.below(60)),
            "amount" => format!("{}.{:03},{:02}", dice.below(90) + 1, dice.below(1000), dice.below(100)),
            "hhmm" => two(dice.below(24)) + &two(dice.below(60)),
            "hh" => two(dice.below(24)),
            "mi" => two(dice.below(60)),
            "dd" => two(dice.below(28) + 1),
            "mm" => two(dice.below(12) + 1),
            "yy" => two(dice.below(27)),
            "y4" => (1990 + dice.below(37)).to_string(),
            "u" => (1_000_000_000 + dice.below(800_000_000)).to_string(),
            "bad6" => format!(
                "{:02}{:02}{:02}",
                dice.below(28) + 1,
                13 + dice.below(80),
                dice.below(100)
            ),
            _ => {
                let (kind, count) = mark.split_at(1);
                let count: usize = count.parse().ok()?;
                match kind {
                    "n" if count == 1 => dice.of("123456789", 1),
                    "n" => dice.of("123456789", 1) + &dice.of("0123456789", count - 1),
                    "h" => dice.of("0123456789abcdef", count),
                    "b" => dice.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count),
                    _ => return None,
                }
            }
        })
    }
}
