//! The detector beside the `regex` crate doing the simple equivalent, on the same texts in the same run.
//! `cargo bench --bench detect`, ratios: `cargo bench --bench detect -- --quick | grep -E "time|thrpt"`
//!
//! The texts are made here, from a fixed seed: text without digits, prose, mail, text taken from HTML, tables of numbers,
//! base64, hex, and near misses built to cost the most. `CPR_BENCH_TEXT=FILE` adds a text of your own.

use cpr_milter::cpr::{Detector, candidates, candidates_portable, made_up};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use regex::bytes::Regex;
use std::fmt::Write as _;
use std::hint::black_box;
use time::macros::date;

const SIZE: usize = 16 << 20;

const SENTENCES: [&str; 12] = [
    "Vi har modtaget din ansøgning om tilskud til ombygning af badeværelset og vender tilbage senest den 14. marts. ",
    "Sagen er sendt videre til teknisk forvaltning, som har en sagsbehandlingstid på otte til ti uger. ",
    "Du kan læse mere på https://www.kommune.example/borger/byggesag?sag=2026-0193&side=4 eller ringe på 44 55 66 77. ",
    "Mødet holdes i lokale 3.114 på rådhuset, og der er parkering i kælderen fra kl. 8.30 til 16.00. ",
    "Børnehaven åbner igen efter sommerferien, og forældrene får besked om den nye stuefordeling. ",
    "Kære Mette, tak for snakken i går; jeg vedhæfter referatet og de to tegninger, som vi talte om. ",
    "Regningen på 12.450,75 kr. skal betales inden den 1. i måneden på konto 3409 0012345678. ",
    "Hjemmeplejen kommer to gange om dagen, og medicinen doseres hver anden uge af sygeplejersken. ",
    "Afgørelsen kan påklages til Ankestyrelsen inden fire uger fra den dag, du har modtaget den. ",
    "Bemærk, at fristen er forlænget, så du har mulighed for at sende de manglende oplysninger ind. ",
    "Med venlig hilsen\r\nBorgerservice\r\nTorvet 1, 9999 Eksempelby\r\nTelefon 70 20 20 20\r\n\r\n",
    "Rapporten beskriver, hvordan støj fra vejen kan dæmpes med et hegn og en lavere hastighed. ",
];

/// A small generator of numbers (xorshift), the same at every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

fn until_full(mut add: impl FnMut(&mut String, &mut Dice)) -> String {
    let mut text = String::with_capacity(SIZE + 4096);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    while text.len() < SIZE {
        add(&mut text, &mut dice);
    }
    text
}

fn prose(text: &mut String, dice: &mut Dice) {
    let [.., last] = SENTENCES;
    text.push_str(SENTENCES.get(dice.below(12) as usize).unwrap_or(&last));
}

fn without_digits(text: &mut String, dice: &mut Dice) {
    let from = text.len();
    prose(text, dice);
    let words: String = text.drain(from..).filter(|c| !c.is_ascii_digit()).collect();
    text.push_str(&words);
}

fn mail(text: &mut String, dice: &mut Dice) {
    let n = dice.roll();
    let _ = write!(
        text,
        "Received: from mx{}.example (unknown [192.0.2.{}]) by mail.example (Postfix) with ESMTPS id {:X}\r\n\
         \tfor <borger{}@post.example>; Tue, 24 Nov 2026 10:{:02}:{:02} +0100 (CET)\r\nMessage-ID: <{:x}.{}@mail.example>\r\n\r\n",
        n % 9,
        n % 250,
        n,
        n % 1000,
        n % 60,
        n % 59,
        n,
        n % 100_000
    );
    for _ in 0..24 {
        prose(text, dice);
    }
    if dice.below(4) == 0 {
        let number = made_up::hyphenated(&made_up::number(dice.roll()));
        let _ = write!(text, "Vedr. cpr-nr. {number}\r\n");
    }
}

fn from_html(text: &mut String, dice: &mut Dice) {
    for _ in 0..6 {
        prose(text, dice);
        text.push('\n');
    }
    for row in 0..5 {
        let _ = writeln!(
            text,
            "{row}\t{}\u{a0}kr.\t{:02}.{:02}.2026",
            dice.below(90_000),
            dice.below(28),
            dice.below(12)
        );
    }
}

fn table(text: &mut String, dice: &mut Dice) {
    let (a, b, c) = (
        dice.below(10_000_000_000),
        dice.below(100_000_000),
        dice.below(1_000_000),
    );
    let _ = write!(text, "{a:010};{b:08};{c:06}\r\n");
}

fn digits(text: &mut String, dice: &mut Dice) {
    let _ = write!(text, "{:019}", dice.roll() >> 1);
}

fn base64(text: &mut String, dice: &mut Dice) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for _ in 0..76 {
        text.push(ALPHABET[dice.below(64) as usize].into());
    }
    text.push_str("\r\n");
}

fn hex(text: &mut String, dice: &mut Dice) {
    let _ = writeln!(
        text,
        "{:08x}  {:016x} {:016x}",
        dice.below(1 << 32),
        dice.roll(),
        dice.roll()
    );
}

/// Dates and serials that are one step short of a number, labels without numbers, and separators without end.
fn near_misses(text: &mut String, dice: &mut Dice) {
    let (d, m, y) = (dice.below(28) + 1, dice.below(12) + 1, dice.below(100));
    let _ = match dice.below(6) {
        0 => write!(text, "{d:02}{m:02}{y:02}-{:03} ", dice.below(1000)),
        1 => write!(text, "{d:02} {m:02} {y:02} - cpr-nr. "),
        2 => write!(text, "cpr cpr cpr-nummer: {d}.{m}.{y}- "),
        3 => write!(
            text,
            "født {d}. januar 19{y:02}, de sidste fire cifre er de sidste fire cifre "
        ),
        4 => write!(text, "{d:02}{m:02}{y:02} - - - - - - - > > > > {y:02} "),
        _ => write!(text, "{d:02}-{m:02}-{y:02}-{m:02}-{d:02}-{y:02}-"),
    };
}

fn detect(criterion: &mut Criterion) {
    let Ok(simple) = Regex::new(r"(?-u)\b[0-9]{6}[- ]?[0-9]{4}\b") else {
        return;
    };
    let Ok(detector) = Detector::new(date!(2026 - 11 - 24), &[]) else {
        return;
    };
    let mut texts = vec![
        ("without_digits", until_full(without_digits)),
        ("prose", until_full(prose)),
        ("mail", until_full(mail)),
        ("from_html", until_full(from_html)),
        ("table", until_full(table)),
        ("digits", until_full(digits)),
        ("base64", until_full(base64)),
        ("hex", until_full(hex)),
        ("near_misses", until_full(near_misses)),
    ];
    if let Some(file) = std::env::var_os("CPR_BENCH_TEXT") {
        let bytes = std::fs::read(&file).expect("CPR_BENCH_TEXT names a file");
        texts.push(("given", String::from_utf8_lossy(&bytes).into_owned()));
    }
    for (name, text) in &texts {
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        group.bench_function("detector", |b| b.iter(|| detector.find(black_box(text)).len()));
        group.bench_function("finder", |b| b.iter(|| candidates(black_box(text)).count()));
        group.bench_function("finder_portable", |b| {
            b.iter(|| candidates_portable(black_box(text)).count())
        });
        group.bench_function("regex", |b| {
            b.iter(|| simple.find_iter(black_box(text.as_bytes())).count())
        });
        group.finish();
    }
}

criterion_group!(benches, detect);
criterion_main!(benches);
