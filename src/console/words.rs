//! What the console says of roles, states, events and the like, in Danish and English; `vocabulary` holds the rest.

pub(super) use super::vocabulary::WORDS;
use crate::cpr::Confidence;
use crate::policy::Language;
use crate::store::{Order, Role, State};
use crate::types::{Action, FateWord, Release};

/// Words of the audit trail.
const EVENTS: &[(&str, &str, &str)] = &[
    ("store_made", "Lageret blev oprettet", "The store was made"),
    ("held", "Mailen blev tilbageholdt", "The mail was held"),
    ("held_again", "Samme mail kom igen", "The same mail came again"),
    ("recorded", "Mailen blev noteret", "The mail was recorded"),
    ("viewed", "Set", "Looked at"),
    (
        "approved",
        "Godkendt; flere skal sige ja",
        "Approved; more people must agree",
    ),
    ("released", "Frigivet", "Released"),
    ("refused", "Afvist", "Refused"),
    ("deleted", "Slettet", "Deleted"),
    ("expired", "Udløbet", "Expired"),
    ("copy_added", "Kopi uden numrene lavet", "Copy without the numbers made"),
    ("sent", "Taget af mailserveren", "Taken by the mail server"),
    ("delayed", "Ikke taget endnu; prøves igen", "Not taken yet; tried again"),
    ("failed", "Kunne ikke leveres", "Could not be delivered"),
    (
        "lost",
        "Forbindelsen gik tabt; prøves igen",
        "The connection was lost; tried again",
    ),
    ("sent_again", "Sendt to gange", "Sent twice"),
    ("told", "Besked til afsenderen", "The sender was told"),
    ("shredded", "Indholdet blev slettet", "The content was destroyed"),
    ("purged", "Noterne blev slettet", "The record was destroyed"),
    (
        "people_added",
        "Beskyttede personer tilføjet",
        "Protected persons added",
    ),
    (
        "people_removed",
        "Beskyttede personer fjernet",
        "Protected persons removed",
    ),
    (
        "owners_added",
        "Lært hvis numre nogle er",
        "Learnt whose numbers some are",
    ),
    (
        "owners_removed",
        "Glemt hvis numre nogle er",
        "Forgot whose numbers some are",
    ),
    ("searched", "Søgt efter et nummer", "Searched for a number"),
    (
        "replayed",
        "Prøvet en politik på tidligere mails",
        "Tried a policy on past mail",
    ),
    ("listed", "Set på køen eller loggen", "Looked at the queue or the trail"),
    ("unmask_asked", "Bedt om at se numrene", "Asked to see the numbers"),
    ("unmasked", "Numrene blev vist", "The numbers were shown"),
    ("downloaded", "En del blev taget ud", "A part was taken out"),
    ("denied", "Nægtet", "Denied"),
    ("signed_in", "Logget ind", "Signed in"),
    ("sign_in_failed", "Kunne ikke logge ind", "Could not sign in"),
    ("signed_out", "Logget ud", "Signed out"),
    ("account_added", "Bruger oprettet", "Account made"),
    ("account_changed", "Bruger ændret", "Account changed"),
];

/// Keys that an address may name as what was done.
const DONE: [&str; 9] = [
    "released",
    "approved",
    "refused_done",
    "deleted",
    "unmasked",
    "unmask_waiting",
    "unmask_agreed",
    "masked",
    "account_changed",
];

fn pick(language: Language, (da, en): (&'static str, &'static str)) -> &'static str {
    match language {
        Language::Da => da,
        Language::En => en,
    }
}

/// The word with this key; empty for an unknown one.
pub(super) fn of(key: &str, language: Language) -> &'static str {
    let word = WORDS.iter().find(|(known, _, _)| *known == key);
    word.map_or("", |(_, da, en)| pick(language, (da, en)))
}

/// What was done, if the address says so with one of our own words.
pub(super) fn done(key: &str, language: Language) -> Option<&'static str> {
    DONE.contains(&key).then(|| of(key, language))
}

/// The words of an event of the audit trail.
pub(super) fn event(word: &str, language: Language) -> Option<&'static str> {
    let event = EVENTS.iter().find(|(known, _, _)| *known == word)?;
    Some(pick(language, (event.1, event.2)))
}

/// `kontrollant`.
pub(super) fn role(role: Role, language: Language) -> &'static str {
    let words = match role {
        Role::Reviewer => ("sagsbehandler", "reviewer"),
        Role::Dpo => ("databeskyttelsesrådgiver", "data protection officer"),
        Role::Auditor => ("revisor", "auditor"),
        Role::Administrator => ("administrator", "administrator"),
    };
    pick(language, words)
}

/// Where a recipient's copy stands.
pub(super) fn state(state: State, language: Language) -> &'static str {
    let words = match state {
        State::Held => ("venter", "waiting"),
        State::Sending => ("på vej", "on its way"),
        State::Unknown => ("uvist om sendt", "maybe sent"),
        State::Sent => ("sendt", "sent"),
        State::Failed => ("kunne ikke leveres", "undeliverable"),
        State::Refused => ("afvist", "refused"),
        State::Deleted => ("slettet", "deleted"),
        State::Expired => ("udløbet", "expired"),
    };
    pick(language, words)
}

/// How sure.
pub(super) fn confidence(confidence: Confidence, language: Language) -> &'static str {
    let words = match confidence {
        Confidence::Possible => ("mulig", "possible"),
        Confidence::Likely => ("sandsynlig", "likely"),
        Confidence::Certain => ("sikker", "certain"),
    };
    pick(language, words)
}

/// So sure, or surer.
pub(super) fn at_least(confidence: Confidence, language: Language) -> &'static str {
    let words = match confidence {
        Confidence::Possible => ("mindst mulig", "at least possible"),
        Confidence::Likely => ("mindst sandsynlig", "at least likely"),
        Confidence::Certain => ("sikker", "certain"),
    };
    pick(language, words)
}

/// A coarse place, by the policies' word.
pub(super) fn place(word: &str, language: Language) -> &'static str {
    let words = match word {
        "subject" => ("emne", "subject"),
        "header" => ("mailens hoved", "header"),
        "file_name" => ("filnavn", "file name"),
        "body" => ("mailens tekst", "text"),
        "attachment" => ("vedhæftet fil", "attachment"),
        _ => ("", ""),
    };
    pick(language, words)
}

/// An order of the queue.
pub(super) fn order(order: Order, language: Language) -> &'static str {
    let words = match order {
        Order::Deadline => ("Nærmeste frist først", "Nearest deadline first"),
        Order::Oldest => ("Ældste først", "Oldest first"),
        Order::Newest => ("Nyeste først", "Newest first"),
        Order::People => ("Flest personer først", "Most people first"),
        Order::Confidence => ("Sikreste fund først", "Surest findings first"),
    };
    pick(language, words)
}

/// What a policy does.
pub(super) fn action(action: &Action, language: Language) -> &'static str {
    let words = match action {
        Action::Deliver => ("leveret", "delivered"),
        Action::Log => ("leveret og noteret", "delivered and recorded"),
        Action::Warn => ("leveret med en advarsel", "delivered with a warning"),
        Action::Reroute(_) => ("sendt en sikker vej", "sent a secure way"),
        Action::Redact => ("sløret", "redacted"),
        Action::Quarantine => ("tilbageholdt", "held"),
        Action::Reject => ("afvist", "refused"),
    };
    pick(language, words)
}

/// What became of a recipient at first.
pub(super) fn fate(fate: FateWord, language: Language) -> &'static str {
    let words = match fate {
        FateWord::Delivered => ("leveret, som den var", "delivered as it was"),
        FateWord::Redacted => ("leveret uden numrene", "delivered without the numbers"),
        FateWord::Rerouted => ("sendt en sikker vej", "sent a secure way"),
        FateWord::Held => ("tilbageholdt", "held"),
        FateWord::Refused => ("afvist", "refused"),
    };
    pick(language, words)
}

/// `databeskyttelsesrådgiver, 2 personer`.
pub(super) fn terms(terms: &Release, language: Language) -> String {
    let by = match Role::from_word(&terms.by) {
        Some(known) => role(known, language).to_owned(),
        None => terms.by.clone(),
    };
    match (terms.people, language) {
        (0 | 1, _) => by,
        (n, Language::Da) => format!("{by}, {n} personer"),
        (n, Language::En) => format!("{by}, {n} people"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::VOCABULARY;

    #[test]
    fn every_event_of_the_audit_trail_has_words() {
        for (_, word, _) in VOCABULARY {
            assert!(event(word, Language::Da).is_some(), "{word}");
        }
        assert_eq!(EVENTS.len(), VOCABULARY.len());
    }

    #[test]
    fn keys_are_there_once_and_what_was_done_has_words() {
        let mut keys: Vec<&str> = WORDS.iter().map(|(key, _, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), WORDS.len());
        for key in DONE {
            assert!(done(key, Language::En).is_some_and(|words| !words.is_empty()), "{key}");
        }
        assert_eq!(done("<script>", Language::En), None);
    }
}
