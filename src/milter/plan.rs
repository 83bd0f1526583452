//! Who owns what after the end of a message: from one fate per recipient to what Postfix is told and what we take over.
//! Pure; nothing here talks to anybody.
//!
//! Postfix's copy has one body. So either everybody who stays gets the same body (as it came, or the same redacted copy,
//! edited in place) and Postfix keeps custody of them; or we take the whole message over, discard it, and the courier
//! sends each copy. Never is custody of one body split (reliability B16).

use crate::store::Duty;
use crate::types::{FateWord, Recipient};
use std::collections::HashMap;

/// What becomes of the mail for one recipient, laxest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// As it came.
    Deliver,
    /// As it came, by the courier through the gateway that the decision names.
    Rerouted,
    /// This redacted copy.
    Redacted(usize),
    /// Kept for review.
    Hold,
    /// Refused.
    Refuse,
}

impl Fate {
    /// The word for notices.
    pub fn word(self) -> FateWord {
        match self {
            Fate::Deliver => FateWord::Delivered,
            Fate::Rerouted => FateWord::Rerouted,
            Fate::Redacted(_) => FateWord::Redacted,
            Fate::Hold => FateWord::Held,
            Fate::Refuse => FateWord::Refused,
        }
    }
}

/// What is to be done with the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan that nobody carries out is a lost mail"]
pub enum Plan {
    /// Postfix keeps it for at least one recipient.
    Pass {
        /// Edited in place to this redacted copy; `None`: as it came.
        copy: Option<usize>,
        /// Recipients that become ours; they are removed from Postfix's copy once they are held. May be empty.
        owned: Vec<(usize, Duty)>,
    },
    /// We own it for every recipient: stored, then discarded.
    TakeOver {
        /// All recipients.
        owned: Vec<(usize, Duty)>,
    },
    /// Refused to the client for every recipient.
    RejectAll,
}

/// What the plan must know besides the fates.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// For each redacted copy: it can be made from Postfix's by edits in place.
    pub in_place: &'a [bool],
    /// There is a sender who can be told that a recipient was refused. A bounce from `<>` has none: what would be refused
    /// for some of its recipients is held, for nobody would ever hear of it.
    pub sender: bool,
}

/// One fate for all repeats of an address, the strictest: Postfix removes all of them or none (`cleanup_del_rcpt`).
///
/// Repeats are found by the folded address, which is coarser than Postfix's comparison: two spellings of one mailbox must
/// not have two fates either. Two different redacted copies for one address are no fate; it is held.
pub fn one_fate_each(recipients: &[Recipient], fates: &[Fate]) -> Vec<Fate> {
    let mut strictest: HashMap<Vec<u8>, Fate> = HashMap::new();
    for (recipient, &fate) in recipients.iter().zip(fates) {
        strictest
            .entry(key(recipient))
            .and_modify(|had| *had = stricter(*had, fate))
            .or_insert(fate);
    }
    // A recipient without a fate cannot come out of `zip`; were one there, holding it is the safe answer.
    recipients
        .iter()
        .map(|r| strictest.get(&key(r)).copied().unwrap_or(Fate::Hold))
        .collect()
}

/// What repeats of one address have in common.
pub fn key(recipient: &Recipient) -> Vec<u8> {
    match &recipient.address {
        Some(address) => address.key().into_bytes(),
        None => recipient.raw.clone(),
    }
}

fn stricter(a: Fate, b: Fate) -> Fate {
    match (a, b) {
        (Fate::Redacted(x), Fate::Redacted(y)) if x != y => Fate::Hold,
        _ => a.max(b),
    }
}

/// The plan for these fates, one a recipient, repeats already agreed ([`one_fate_each`]).
pub fn plan(fates: &[Fate], with: Circumstances<'_>) -> Plan {
    if !fates.is_empty() && fates.iter().all(|&fate| fate == Fate::Refuse) {
        return Plan::RejectAll;
    }
    let fates: Vec<Fate> = fates.iter().map(|&fate| told(fate, with.sender)).collect();
    let mut staying = fates
        .iter()
        .copied()
        .filter(|fate| matches!(fate, Fate::Deliver | Fate::Rerouted | Fate::Redacted(_)));
    let Some(body) = staying.next() else {
        // Postfix would let a mail without recipients evaporate with a 250 (reliability A12).
        return Plan::TakeOver {
            owned: duties(&fates, |_| true),
        };
    };
    let copy = match body {
        Fate::Redacted(copy) => Some(copy),
        _ => None,
    };
    // What goes through a gateway never stays with Postfix; and beside it nothing does, as with two bodies.
    let ordinary = body != Fate::Rerouted;
    let editable = ordinary && copy.is_none_or(|copy| with.in_place.get(copy).copied().unwrap_or(false));
    if editable && staying.all(|other| other == body) {
        let owned = duties(&fates, |fate| fate != body);
        Plan::Pass { copy, owned }
    } else {
        Plan::TakeOver {
            owned: duties(&fates, |_| true),
        }
    }
}

fn told(fate: Fate, sender: bool) -> Fate {
    if fate == Fate::Refuse && !sender {
        Fate::Hold
    } else {
        fate
    }
}

fn duties(fates: &[Fate], ours: impl Fn(Fate) -> bool) -> Vec<(usize, Duty)> {
    let duty = |fate| match fate {
        Fate::Deliver => Duty::SendOriginal,
        Fate::Rerouted => Duty::Reroute,
        Fate::Redacted(copy) => Duty::SendCopy(copy),
        Fate::Hold => Duty::Hold,
        Fate::Refuse => Duty::Refuse,
    };
    fates
        .iter()
        .enumerate()
        .filter(|&(_, &fate)| ours(fate))
        .map(|(i, &fate)| (i, duty(fate)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Address;

    const ALL: [Fate; 6] = [
        Fate::Deliver,
        Fate::Rerouted,
        Fate::Redacted(0),
        Fate::Redacted(1),
        Fate::Hold,
        Fate::Refuse,
    ];

    fn each_combination(mut check: impl FnMut(&[Fate], Circumstances<'_>)) {
        for len in 1..=4_u32 {
            for code in 0..ALL.len().pow(len) {
                let fates: Vec<Fate> = (0..len).map(|i| ALL[code / ALL.len().pow(i) % ALL.len()]).collect();
                for bits in 0..8 {
                    let in_place = [bits & 1 != 0, bits & 2 != 0];
                    let sender = bits & 4 != 0;
                    check(
                        &fates,
                        Circumstances {
                            in_place: &in_place,
                            sender,
                        },
                    );
                }
            }
        }
    }

    /// What a recipient gets by the plan, from its text alone: by Postfix, by us, or a refusal.
    fn gets(plan: &Plan, i: usize) -> Vec<Fate> {
        let by_us = |owned: &[(usize, Duty)]| -> Vec<Fate> {
            owned
                .iter()
                .filter(|(r, _)| *r == i)
                .map(|(_, duty)| match duty {
                    Duty::Hold => Fate::Hold,
                    Duty::SendOriginal => Fate::Deliver,
                    Duty::Reroute => Fate::Rerouted,
                    Duty::SendCopy(c) => Fate::Redacted(*c),
                    Duty::Refuse => Fate::Refuse,
                })
                .collect()
        };
        match plan {
            Plan::RejectAll => vec![Fate::Refuse],
            Plan::TakeOver { owned } => by_us(owned),
            Plan::Pass { copy, owned } if owned.iter().all(|(r, _)| *r != i) => {
                vec![copy.map_or(Fate::Deliver, Fate::Redacted)]
            }
            Plan::Pass { owned, .. } => by_us(owned),
        }
    }

    #[test]
    fn every_recipient_gets_exactly_the_fate_that_was_decided() {
        each_combination(|fates, with| {
            let plan = plan(fates, with);
            for (i, &fate) in fates.iter().enumerate() {
                let all_refused = fates.iter().all(|&f| f == Fate::Refuse);
                let wanted = if fate == Fate::Refuse && !with.sender && !all_refused {
                    Fate::Hold
                } else {
                    fate
                };
                assert_eq!(gets(&plan, i), vec![wanted], "{fates:?} {with:?} {plan:?}");
            }
        });
    }

    #[test]
    fn bodies_are_never_mixed_and_postfix_is_never_left_without_recipients() {
        each_combination(|fates, with| {
            let plan = plan(fates, with);
            if let Plan::Pass { copy, owned } = &plan {
                assert!(owned.len() < fates.len(), "nobody stays: {fates:?}");
                assert!(
                    owned.iter().all(|(_, duty)| matches!(duty, Duty::Hold | Duty::Refuse)),
                    "{fates:?}"
                );
                if let Some(copy) = copy {
                    assert!(with.in_place[*copy], "{fates:?}");
                }
            }
        });
    }

    #[test]
    fn one_body_for_all_who_stay_is_left_with_postfix() {
        each_combination(|fates, with| {
            let mut bodies: Vec<Fate> = fates.iter().copied().filter(|f| *f < Fate::Hold).collect();
            bodies.dedup();
            let one = match bodies.as_slice() {
                [Fate::Deliver] => true,
                [Fate::Redacted(copy)] => with.in_place[*copy],
                _ => false,
            };
            assert_eq!(matches!(plan(fates, with), Plan::Pass { .. }), one, "{fates:?}");
        });
    }

    #[test]
    fn only_a_refusal_for_all_is_a_refusal_in_the_session() {
        each_combination(|fates, with| {
            let all = fates.iter().all(|&fate| fate == Fate::Refuse);
            assert_eq!(plan(fates, with) == Plan::RejectAll, all);
        });
    }

    fn recipient(raw: &str) -> Recipient {
        Recipient {
            raw: raw.into(),
            address: Address::parse(raw.as_bytes()).ok(),
            args: Vec::new(),
        }
    }

    #[test]
    fn repeats_of_one_address_share_the_strictest_fate() {
        let spellings = [
            "<a@x.example>",
            "a@x.example",
            "<\"a\"@X.example>",
            "<A@x.example>",
            "<b@x.example>",
        ];
        let recipients: Vec<Recipient> = spellings.iter().map(|raw| recipient(raw)).collect();
        for a in ALL {
            for b in ALL {
                let fates = [a, b, Fate::Deliver, a, Fate::Deliver];
                let agreed = one_fate_each(&recipients, &fates);
                assert!(agreed[..4].iter().all(|f| *f == agreed[0]), "{agreed:?}");
                assert!(agreed[0] >= a && agreed[0] >= b);
                assert_eq!(agreed[4], Fate::Deliver);
            }
        }
    }
}
