//! Where one recipient's copy stands, and the one table of what may follow what.

/// Where one recipient's copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waiting for review.
    Held,
    /// In the outbox.
    Sending,
    /// In the outbox; a try may have been delivered.
    Unknown,
    /// The MTA answered 250.
    Sent,
    /// The next hop refused it for good; the sender was told.
    Failed,
    /// Refused by a rule or a reviewer; the sender was told.
    Refused,
    /// Deleted by a reviewer.
    Deleted,
    /// Nobody decided in time; the sender was told.
    Expired,
}

/// What happens to a recipient's copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The last approval of a release.
    Release,
    /// A reviewer refuses.
    Refuse,
    /// A reviewer deletes.
    Delete,
    /// The time is up.
    Expire,
    /// The MTA took it.
    Sent,
    /// It will be tried again.
    Retry,
    /// The MTA refused it for good.
    Fail,
    /// The connection was lost after the final dot.
    Lose,
}

/// Every legal transition. What is not here is refused; final states have no row.
pub const TRANSITIONS: [(State, Step, State); 12] = [
    (State::Held, Step::Release, State::Sending),
    (State::Held, Step::Refuse, State::Refused),
    (State::Held, Step::Delete, State::Deleted),
    (State::Held, Step::Expire, State::Expired),
    (State::Sending, Step::Sent, State::Sent),
    (State::Sending, Step::Retry, State::Sending),
    (State::Sending, Step::Fail, State::Failed),
    (State::Sending, Step::Lose, State::Unknown),
    (State::Unknown, Step::Sent, State::Sent),
    (State::Unknown, Step::Retry, State::Unknown),
    (State::Unknown, Step::Fail, State::Failed),
    (State::Unknown, Step::Lose, State::Unknown),
];

impl State {
    /// All states, in the order of the manual.
    pub const ALL: [State; 8] = [
        State::Held,
        State::Sending,
        State::Unknown,
        State::Sent,
        State::Failed,
        State::Refused,
        State::Deleted,
        State::Expired,
    ];

    /// The word in the store, in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            State::Held => "held",
            State::Sending => "sending",
            State::Unknown => "unknown",
            State::Sent => "sent",
            State::Failed => "failed",
            State::Refused => "refused",
            State::Deleted => "deleted",
            State::Expired => "expired",
        }
    }

    /// The state with this word.
    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Nothing more will happen.
    pub fn is_final(self) -> bool {
        !TRANSITIONS.iter().any(|(from, _, _)| *from == self)
    }

    /// What follows, if `step` is legal here.
    pub fn after(self, step: Step) -> Option<State> {
        let row = TRANSITIONS.iter().find(|(from, by, _)| *from == self && *by == step);
        row.map(|(_, _, to)| *to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
    }

    #[test]
    fn no_row_leads_back_to_held_and_each_pair_has_one_row() {
        for (i, (from, step, to)) in TRANSITIONS.iter().enumerate() {
            assert_ne!(*to, State::Held);
            let twins = TRANSITIONS
                .iter()
                .skip(i + 1)
                .filter(|(f, s, _)| f == from && s == step);
            assert_eq!(twins.count(), 0, "{from:?} {step:?}");
        }
    }

    #[test]
    fn only_the_open_states_are_not_final() {
        let open: Vec<State> = State::ALL.into_iter().filter(|state| !state.is_final()).collect();
        assert_eq!(open, [State::Held, State::Sending, State::Unknown]);
    }
}
