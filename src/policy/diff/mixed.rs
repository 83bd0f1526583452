//! Mails in which kinds of numbers meet: thresholds and redaction can make more of them than of their parts.

use super::content::{Chosen, Kind};
use super::cover::Space;
use super::judge::{Ground, WAYS};
use super::outcome::Chance;
use super::{Change, Outcome};
use crate::policy::{Number, Policy};
use time::Date;

/// Mails drawn at random.
const MIXED: usize = 4_000;

impl Ground<'_> {
    /// Mails in which kinds of numbers meet, drawn at random, always the same: the first one that differs although none of
    /// its parts does.
    pub(super) fn mixed(&self, today: Date, space: &Space, cells: &[u16]) -> Option<Change> {
        let contents: Vec<Chosen> = self.every_content().collect();
        let mut chance = Chance(0x5eed);
        let rounds = MIXED / self.recipients.len().max(1) + 50;
        for _ in 0..rounds {
            let s = chance.below(self.senders.len());
            let l = chance.below(self.logins.len());
            let (sender, login) = (*self.senders.get(s)?, self.logins.get(l)?);
            let parts: Vec<Chosen> = (0..2 + chance.below(2))
                .filter_map(|_| contents.get(chance.below(contents.len())).copied())
                .collect();
            let one_person = chance.below(3) == 0;
            let own: Vec<usize> = match chance.below(2) {
                0 => Vec::new(),
                _ => (0..self.recipients.len() * self.ways())
                    .filter(|i| i % 2 == 1)
                    .collect(),
            };
            let pair = [0, 1].map(|p| {
                let numbers = self.meet(&parts, one_person, &own, self.policies[p]);
                self.judged(p, sender, login.as_deref(), &numbers, &[], today)
            });
            let [old, new] = &pair;
            let each = old.iter().zip(new).enumerate();
            for (i, (was, now)) in each.filter(|(_, (was, now))| !was.same(now)) {
                let (r, hop, tls) = (i / self.ways(), i / WAYS % self.hops.len(), i / 2 % 2);
                let differs = |part: &Chosen| {
                    [0, 1].iter().any(|own| {
                        let cell = [
                            s,
                            l,
                            part.kind,
                            part.confidence,
                            part.place,
                            part.hidden,
                            part.fake,
                            part.people,
                            r,
                            hop,
                            tls,
                            *own,
                        ];
                        cells.get(space.at(&cell)).is_some_and(|kind| *kind != 0)
                    })
                };
                if parts.iter().any(differs) {
                    continue;
                }
                let words = |c: &Chosen| {
                    let marks: [&[usize]; 2] = [&[c.hidden], &[c.fake]];
                    self.contents
                        .words(&[c.kind], &[c.confidence], &[c.place], marks, &[c.people])
                };
                let parts: Vec<String> = parts.iter().map(words).collect();
                let same = if one_person { " (of one person)" } else { "" };
                let content = format!("{}{same}", parts.join(" together with "));
                let mut conditions = self.conditions(&[l], &[hop], &[tls]);
                if own.contains(&i) {
                    conditions.push("to the person whose numbers these are".to_owned());
                }
                return Some(self.told(
                    content,
                    &[s],
                    &[r],
                    conditions,
                    &[Outcome::clone(was), Outcome::clone(now)],
                ));
            }
        }
        None
    }

    /// Numbers of several kinds in one mail; of one person: one number seen in several ways.
    fn meet(&self, parts: &[Chosen], one_person: bool, own: &[usize], policy: &Policy) -> Vec<Number> {
        let mut numbers: Vec<Number> = parts
            .iter()
            .flat_map(|part| self.contents.numbers(*part, own, policy))
            .collect();
        let protected = |part: &Chosen| self.contents.kinds.get(part.kind) == Some(&Kind::Protected);
        if one_person && let Some(mut first) = numbers.first().cloned() {
            let alike = numbers.iter().filter(|n| n.kind == first.kind);
            first.sightings = alike.flat_map(|n| n.sightings.iter().copied()).collect();
            first.protected = parts.iter().any(protected);
            numbers = vec![first];
        }
        numbers
    }
}
