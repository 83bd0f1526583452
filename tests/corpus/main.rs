//! The detector against a labelled corpus of its own, and against texts that nobody here wrote.
//!
//! `cargo test --test corpus -- --nocapture` prints the figures of the README. With `CORPUS_SHOW=class` (or `all`) the misses
//! of a class are shown, never those of the held-out part. The texts of others come from `tests/data/detect/fetch.sh`.

#![allow(clippy::cast_precision_loss)] // counts of a few thousand

mod fill;
mod make;
mod score;

use cpr_milter::cpr::Detector;
use make::{Snippet, Tier};
use score::Score;
use time::macros::date;

fn detector() -> Detector {
    Detector::new(date!(2026 - 06 - 15), &[]).expect("no identifiers, nothing to refuse")
}

fn scores() -> (Score, Score) {
    let detector = detector();
    let show = std::env::var("CORPUS_SHOW").unwrap_or_default();
    let (mut tuned, mut held_out) = (Score::default(), Score::default());
    for snippet in make::corpus() {
        let (count, false_hits, hits) = score::judge(&detector, &snippet);
        let score = if snippet.held_out { &mut held_out } else { &mut tuned };
        score.add(&snippet, count, false_hits);
        let asked = !snippet.held_out && (show == "all" || show == snippet.class);
        let wrong = count.exact < snippet.expected.len() || false_hits[0] > 0;
        if asked && wrong {
            show_miss(&snippet, &hits);
        }
    }
    (tuned, held_out)
}

fn show_miss(snippet: &Snippet, hits: &[cpr_milter::cpr::Hit]) {
    println!("-- {} {:?}: {:?}", snippet.class, snippet.flavour, snippet.text);
    for (span, _) in &snippet.expected {
        println!("     wanted {:?}", &snippet.text[span.clone()]);
    }
    for hit in hits {
        println!("     found {:?} {} {:?}", &snippet.text[hit.span.clone()], hit.confidence.word(), hit.why);
    }
}

#[test]
fn the_labelled_corpus_is_found_and_look_alikes_are_not() {
    let (tuned, held_out) = scores();
    tuned.print("tuned", true);
    held_out.print("held out", false);
}
