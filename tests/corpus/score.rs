//! Recall and precision by class and tier, false hits, exact spans.

use super::fill::Flavour;
use super::make::{Snippet, Tier};
use cpr_milter::cpr::{Confidence, Detector, Hit};
use std::collections::BTreeMap;

/// The three words, from the least sure.
pub const CONFIDENCES: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Numbers to find, or look-alike texts.
    pub all: usize,
    /// Found at each confidence or above; for look-alikes, texts with a hit.
    pub hit: [usize; 3],
    /// Found with the exact span and number.
    pub exact: usize,
}

impl Count {
    pub fn percent(&self, at: usize) -> f64 {
        100.0 * self.hit[at] as f64 / self.all.max(1) as f64
    }

    fn add(&mut self, other: Count) {
        self.all += other.all;
        self.exact += other.exact;
        for (sum, hits) in self.hit.iter_mut().zip(other.hit) {
            *sum += hits;
        }
    }
}

/// The score of a set of snippets.
#[derive(Default)]
pub struct Score {
    pub classes: BTreeMap<(Tier, String), Count>,
    /// Look-alikes whose digits have a possible date and modulus 11.
    pub adversarial: Count,
    /// Hits where nothing was to be found, at each confidence or above.
    pub false_hits: [usize; 3],
}

/// A snippet's outcome.
pub fn judge(detector: &Detector, snippet: &Snippet) -> (Count, [usize; 3], Vec<Hit>) {
    let hits = detector.find(&snippet.text);
    let mut count = Count::default();
    let mut false_hits = [0; 3];
    for (span, number) in &snippet.expected {
        count.all += 1;
        let near = |hit: &&Hit| hit.span.start < span.end && span.start < hit.span.end;
        let Some(hit) = hits
            .iter()
            .filter(near)
            .max_by_key(|hit| (hit.span == *span, hit.confidence))
        else {
            continue;
        };
        for (at, confidence) in CONFIDENCES.into_iter().enumerate() {
            count.hit[at] += usize::from(hit.confidence >= confidence);
        }
        count.exact += usize::from(hit.span == *span && hit.number.reveal() == number);
    }
    for hit in &hits {
        let right = snippet
            .expected
            .iter()
            .any(|(span, _)| hit.span.start < span.end && span.start < hit.span.end);
        for (at, confidence) in CONFIDENCES.into_iter().enumerate() {
            false_hits[at] += usize::from(!right && hit.confidence >= confidence);
        }
    }
    if snippet.tier == Tier::False {
        count.all = 1;
        count.hit = false_hits.map(|hits| hits.min(1));
    }
    (count, false_hits, hits)
}

impl Score {
    pub fn add(&mut self, snippet: &Snippet, count: Count, false_hits: [usize; 3]) {
        self.classes
            .entry((snippet.tier, snippet.class.clone()))
            .or_default()
            .add(count);
        if snippet.flavour == Some(Flavour::Adversarial) {
            self.adversarial.add(count);
        }
        for (sum, hits) in self.false_hits.iter_mut().zip(false_hits) {
            *sum += hits;
        }
    }

    /// Mean over the tier's classes of what is found (or hit falsely), in percent.
    pub fn mean(&self, tier: Tier, at: usize) -> f64 {
        let all: Vec<f64> = self
            .classes
            .iter()
            .filter(|((t, _), _)| *t == tier)
            .map(|(_, c)| c.percent(at))
            .collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    }

    /// The worst class of a tier.
    pub fn worst(&self, tier: Tier, at: usize) -> f64 {
        self.classes
            .iter()
            .filter(|((t, _), _)| *t == tier)
            .map(|(_, c)| c.percent(at))
            .fold(100.0, f64::min)
    }

    /// Right among all findings, in percent.
    pub fn precision(&self, at: usize) -> f64 {
        let right: usize = self
            .classes
            .iter()
            .filter(|((t, _), _)| *t != Tier::False)
            .map(|(_, c)| c.hit[at])
            .sum();
        100.0 * right as f64 / (right + self.false_hits[at]).max(1) as f64
    }

    /// Findings with the exact span among the right ones, in percent.
    pub fn exact(&self) -> f64 {
        let right = self.classes.iter().filter(|((t, _), _)| *t != Tier::False);
        let (exact, hit) = right.fold((0, 0), |(e, h), (_, c)| (e + c.exact, h + c.hit[0]));
        100.0 * exact as f64 / hit.max(1) as f64
    }

    /// For people: one line a class, then the sums.
    pub fn print(&self, title: &str, each_class: bool) {
        println!("\n== {title}");
        if each_class {
            println!(
                "{:8} {:24} {:>5} {:>9} {:>7} {:>8} {:>6}",
                "tier", "class", "n", "possible", "likely", "certain", "exact"
            );
            for ((tier, class), c) in &self.classes {
                let [p, l, k] = [0, 1, 2].map(|at| c.percent(at));
                println!(
                    "{:8} {class:24} {:5} {p:9.1} {l:7.1} {k:8.1} {:6}",
                    format!("{tier:?}").to_lowercase(),
                    c.all,
                    c.exact
                );
            }
        }
        println!(
            "{:>10} {:>6} {:>6} {:>6} {:>9} {:>13} {:>9}",
            "at", "must", "should", "hard", "precision", "negative docs", "adv2 hit"
        );
        for (at, confidence) in CONFIDENCES.into_iter().enumerate() {
            println!(
                "{:>10} {:6.2} {:6.2} {:6.2} {:9.2} {:13.2} {:9.2}",
                confidence.word(),
                self.mean(Tier::Must, at),
                self.mean(Tier::Should, at),
                self.mean(Tier::Hard, at),
                self.precision(at),
                self.mean(Tier::False, at),
                self.adversarial.percent(at),
            );
        }
        println!(
            "worst must class {:.1}; exact spans {:.2} %",
            self.worst(Tier::Must, 0),
            self.exact()
        );
    }
}
