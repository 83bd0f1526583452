//! Everything that the console says, in Danish and English: one table, so that neither language can miss a word.

use crate::cpr::Confidence;
use crate::policy::Language;
use crate::store::{Order, Role, State};
use crate::types::{Action, FateWord, Release};

/// Key, Danish, English. Templates say `t.key`.
pub(super) const WORDS: &[(&str, &str, &str)] = &[
    ("product", "Karantæne", "Quarantine"),
    ("skip", "Gå til indholdet", "Skip to the content"),
    ("signed_in_as", "Logget ind som", "Signed in as"),
    ("sign_in", "Log ind", "Sign in"),
    ("sign_out", "Log ud", "Sign out"),
    ("menu", "Sider", "Pages"),
    ("other_language", "English", "Dansk"),
    ("queue", "Kø", "Queue"),
    ("trail", "Log", "Audit trail"),
    ("accounts", "Brugere", "Accounts"),
    ("continue", "Fortsæt", "Continue"),
    ("back", "Tilbage", "Back"),
    ("cancel", "Fortryd", "Cancel"),
    ("problem", "Der er et problem", "There is a problem"),
    ("yes", "ja", "yes"),
    ("no", "nej", "no"),
    ("any", "Alle", "Any"),
    ("of", "af", "of"),
    // Signing in.
    ("name", "Brugernavn", "Name"),
    ("password", "Adgangskode", "Password"),
    ("code", "Kode fra din app", "Code from your app"),
    (
        "code_hint",
        "Seks cifre, som skifter hvert halve minut. Lad feltet være tomt, hvis din konto ikke har en app.",
        "Six digits that change every half minute. Leave it empty if your account has no app.",
    ),
    (
        "sign_in_failed",
        "Brugernavn, adgangskode og kode passer ikke sammen. En kode kan kun bruges én gang: vent på den næste.",
        "Name, password and code do not go together. A code can be used once: wait for the next one.",
    ),
    (
        "busy",
        "Der er travlt lige nu. Prøv igen om lidt.",
        "It is busy just now. Try again in a moment.",
    ),
    (
        "locked_out",
        "Der har været for mange forsøg med dette navn. Prøv igen om et kvarter.",
        "There were too many tries under this name. Try again in a quarter of an hour.",
    ),
    (
        "by_header",
        "Log ind på organisationens portal, og kom tilbage hertil. Virker det ikke, har du ingen konto her.",
        "Sign in at your organisation's portal, then come back here. If that does not help, you have no account here.",
    ),
    // The queue.
    ("waiting", "mails", "mails"),
    ("waiting_one", "mail", "mail"),
    ("queue_empty", "Ingen mails passer.", "No mail fits."),
    ("filter", "Find og sortér", "Find and sort"),
    ("more_filters", "Flere valg", "More choices"),
    ("filter_on", "Vis alle, der venter", "Show all that wait"),
    ("search", "Id, mailadresse eller domæne", "Id, mail address or domain"),
    (
        "search_hint",
        "Hele adressen på afsender eller modtager, et domæne eller mailens id.",
        "The whole address of sender or recipient, a domain, or the mail's id.",
    ),
    ("show", "Vis", "Show"),
    ("state", "Status", "State"),
    ("rule", "Regel", "Rule"),
    ("rules", "Regler", "Rules"),
    ("confidence", "Sikkerhed", "Confidence"),
    ("place", "Sted", "Place"),
    ("places", "Steder", "Places"),
    ("people", "Personer", "People"),
    ("people_at_least", "Mindst så mange personer", "At least so many people"),
    ("order", "Rækkefølge", "Order"),
    (
        "unread_only",
        "Kun mails med noget, der ikke kunne læses",
        "Only mail with something that could not be read",
    ),
    ("mail", "Mail", "Mail"),
    ("age", "Alder", "Age"),
    ("deadline", "Frist", "Deadline"),
    ("left_before", "om", "in"),
    ("over", "udløbet", "over"),
    ("unit", "Enhed", "Unit"),
    ("strangers", "Modtagere udenfor", "Outside recipients"),
    ("and_more", "flere", "more"),
    ("seen_before", "Set før", "Seen before"),
    ("times", "gange", "times"),
    ("not_all_read", "ikke alt læst", "not all read"),
    ("no_subject", "(uden emne)", "(no subject)"),
    ("page", "Side", "Page"),
    ("earlier", "Forrige", "Previous"),
    ("later", "Næste", "Next"),
    ("choose", "Vælg", "Choose"),
    ("with_chosen", "Med de valgte mails", "With the mails chosen"),
    (
        "bulk_hint",
        "Kun mails, som er tilbageholdt af samme regler, kan afgøres sammen. Du ser dem igen, før noget sker.",
        "Only mails held by the same rules can be decided together. You see them again before anything happens.",
    ),
    // Deeds.
    ("release", "Frigiv, som den er", "Release as it is"),
    (
        "redacted",
        "Frigiv en kopi uden numrene",
        "Release a copy without the numbers",
    ),
    ("refuse", "Send tilbage til afsenderen", "Return to the sender"),
    ("delete", "Slet", "Delete"),
    (
        "release_hint",
        "Mailen sendes med alt, hvad der står i den.",
        "The mail is sent with everything that is in it.",
    ),
    (
        "redacted_hint",
        "Numrene fjernes overalt, og kopien læses igen, før den sendes.",
        "The numbers are taken out everywhere, and the copy is read again before it is sent.",
    ),
    (
        "refuse_hint",
        "Modtageren får intet. Afsenderen får besked.",
        "The recipient gets nothing. The sender is told.",
    ),
    (
        "delete_hint",
        "Modtageren får intet, og ingen får besked.",
        "The recipient gets nothing, and nobody is told.",
    ),
    ("see_copy", "Se kopien først", "See the copy first"),
    ("reason", "Begrundelse", "Reason"),
    (
        "reason_hint",
        "Skrives i loggen. Skriv ikke numre; de bliver dækket.",
        "Goes into the audit trail. Write no numbers; they are covered.",
    ),
    ("carry_out", "Udfør", "Carry out"),
    // One mail.
    ("received", "Modtaget", "Received"),
    ("sender", "Afsender", "Sender"),
    ("login", "Logget ind som", "Signed in as"),
    ("policy", "Politik", "Policy"),
    ("policy_then", "da mailen kom", "when the mail came"),
    ("policy_now", "nu", "now"),
    ("same_policy", "uændret", "unchanged"),
    ("recipients", "Modtagere", "Recipients"),
    ("recipient", "Modtager", "Recipient"),
    ("outside", "udenfor", "outside"),
    ("inside", "inde i huset", "inside"),
    ("why", "Hvorfor", "Why"),
    ("why_today", "Reglerne i dag", "Today's rules"),
    ("would_today", "I dag ville den blive:", "Today it would be:"),
    ("no_rule_today", "Ingen regel passer mere.", "No rule fits any more."),
    ("numbers_made_it", "numre", "numbers"),
    ("number_made_it", "nummer", "number"),
    ("in_places", "Fundet", "Found"),
    ("watched", "kun observeret", "watched only"),
    ("lifted_by", "undtaget af", "lifted by"),
    ("releases", "Kan frigives af", "May be released by"),
    ("agreed", "Har sagt ja", "Have agreed"),
    ("copy_number", "(kopi ", "(copy "),
    (
        "refused_today",
        "Dagens politik afviser denne modtager.",
        "Today's policy refuses this recipient.",
    ),
    ("queue_id", "Taget af mailserveren som", "Taken by the mail server as"),
    ("last_reply", "Sidste svar", "Last reply"),
    ("tries", "forsøg", "tries"),
    (
        "others",
        "Andre modtagere af samme mail",
        "Other recipients of the same mail",
    ),
    ("decide", "Afgør", "Decide"),
    (
        "own_mail",
        "Det er din egen mail: en anden skal afgøre den.",
        "It is your own mail: somebody else must decide about it.",
    ),
    (
        "nothing_waits",
        "Her er ikke noget at afgøre.",
        "There is nothing to decide here.",
    ),
    (
        "not_your_role",
        "Din rolle kan ikke frigive til denne modtager.",
        "Your role cannot release to this recipient.",
    ),
    (
        "two_needed",
        "To personer skal være enige: den første godkender, den anden sender.",
        "Two people must agree: the first approves, the second sends.",
    ),
    ("found", "Fundet", "Found"),
    ("found_nothing", "Der er ikke fundet noget.", "Nothing was found."),
    ("different_people", "forskellige personer", "different people"),
    ("one_person", "person", "person"),
    ("hidden", "skjult", "hidden"),
    ("covered", "dækket, men ligger der stadig", "covered, but still there"),
    ("parts", "Mailens dele", "Parts of the mail"),
    ("found_here", "fund", "found"),
    ("take_out", "Tag ud", "Take out"),
    ("whole_mail", "Hele mailen", "The whole mail"),
    ("mail_text", "Mailens tekst", "Text of the mail"),
    ("no_name", "(uden navn)", "(no name)"),
    ("masked_note", "Alle cifre er dækket.", "All digits are covered."),
    ("see_clear", "Se numrene", "See the numbers"),
    (
        "see_clear_hint",
        "Kun hvis du ikke kan afgøre sagen uden. Det skrives i loggen og slutter efter nogle minutter. For nogle mails skal \
         en anden sige ja først.",
        "Only if you cannot decide without. It goes into the audit trail and ends after some minutes. For some mails \
         somebody else must agree first.",
    ),
    (
        "clear_until",
        "Numrene er synlige for dig til",
        "The numbers are visible to you until",
    ),
    ("mask_again", "Dæk igen", "Cover again"),
    (
        "wish_waits",
        "En anden skal sige ja, før du kan se numrene.",
        "Somebody else must agree before you see the numbers.",
    ),
    (
        "wishes_to_see",
        "vil se numrene i denne mail.",
        "wishes to see the numbers in this mail.",
    ),
    ("agree", "Giv tilladelse", "Agree"),
    ("similar", "Ligner", "Similar"),
    ("same_person", "Samme person", "Same person"),
    ("same_sender", "Samme afsender", "Same sender"),
    ("same_attachment", "Samme vedhæftede fil", "Same attachment"),
    ("none_similar", "Ingen andre mails ligner.", "No other mail is like it."),
    ("timeline", "Forløb", "Timeline"),
    ("at", "Hvornår", "When"),
    ("what", "Hvad", "What"),
    ("who", "Hvem", "Who"),
    ("detail", "Nærmere", "Details"),
    ("shredded", "Indholdet er slettet.", "The content was destroyed."),
    (
        "no_content",
        "Mailen kan ikke vises her.",
        "The mail is not shown here.",
    ),
    (
        "not_inspected",
        "Mailen kunne ikke læses igen:",
        "The mail could not be read again:",
    ),
    // The copy.
    ("copy", "Kopi uden numrene", "Copy without the numbers"),
    ("goes", "Det her fjernes", "This goes"),
    ("stays", "Kopiens dele", "Parts of the copy"),
    (
        "copy_clean",
        "Kopien er læst igen: der er ingen numre i den.",
        "The copy was read again: no number is in it.",
    ),
    ("copy_left", "fund er tilbage i kopien", "findings are left in the copy"),
    (
        "no_copy",
        "Der kan ikke laves en ren kopi:",
        "No clean copy can be made:",
    ),
    // Parts.
    ("part_title", "Tag en del ud", "Take a part out"),
    (
        "part_warning",
        "Filen gemmes uden beskyttelse på din computer. Den kan indeholde andres numre, og den kan være skadelig. Slet den, så \
         snart du er færdig. At du tager den ud, skrives i loggen.",
        "The file is saved on your computer without protection. It may hold other people's numbers, and it may be harmful. \
         Delete it as soon as you are done. That you take it out goes into the audit trail.",
    ),
    (
        "still_masked",
        "Du skal først bede om at se numrene i mailen, med en begrundelse.",
        "First ask to see the numbers in this mail, with a reason.",
    ),
    // Several at once.
    ("bulk_title", "Afgør flere mails", "Decide about several mails"),
    (
        "bulk_check",
        "Det her sker med dem alle:",
        "This happens to all of them:",
    ),
    ("bulk_done", "Det er gjort", "Done"),
    ("result", "Resultat", "Result"),
    ("to", "Til", "To"),
    // Accounts.
    ("role", "Rolle", "Role"),
    ("may_unmask", "Må se numre", "May see numbers"),
    ("second_factor", "App", "App"),
    ("sessions", "Åbne sessioner", "Open sessions"),
    ("disabled", "spærret", "disabled"),
    ("disable", "Spær", "Disable"),
    ("enable", "Åbn igen", "Enable"),
    ("end_sessions", "Log ud overalt", "Sign out everywhere"),
    (
        "accounts_hint",
        "Brugere oprettes på kommandolinjen: cpr-milter user add.",
        "Accounts are made on the command line: cpr-milter user add.",
    ),
    // What was done.
    (
        "released",
        "Frigivet. Mailen er sendt, når der står, at mailserveren har taget den.",
        "Released. The mail is sent when it says here that the mail server has taken it.",
    ),
    (
        "approved",
        "Din godkendelse er noteret. En anden skal også sige ja, før mailen sendes.",
        "Your approval is noted. Somebody else must agree, too, before the mail is sent.",
    ),
    (
        "refused_done",
        "Sendt tilbage. Afsenderen får besked.",
        "Returned. The sender is told.",
    ),
    ("deleted", "Slettet.", "Deleted."),
    (
        "unmasked",
        "Numrene er synlige for dig i nogle minutter.",
        "The numbers are visible to you for some minutes.",
    ),
    (
        "unmask_waiting",
        "Dit ønske er noteret. En anden skal sige ja først.",
        "Your wish is noted. Somebody else must agree first.",
    ),
    ("unmask_agreed", "Du har givet tilladelse.", "You have agreed."),
    ("masked", "Numrene er dækket igen.", "The numbers are covered again."),
    ("account_changed", "Brugeren er ændret.", "The account was changed."),
    // What went wrong.
    (
        "not_found",
        "Det findes ikke (mere).",
        "There is no such thing (any more).",
    ),
    (
        "forbidden",
        "Din rolle giver ikke adgang hertil.",
        "Your role does not give access to this.",
    ),
    (
        "forged",
        "Formularen var for gammel eller kom et andet sted fra. Der er ikke sket noget; gå tilbage og prøv igen.",
        "The form was too old, or came from elsewhere. Nothing has happened; go back and try again.",
    ),
    (
        "refused",
        "Det blev ikke gjort, fordi reglerne ikke tillader det.",
        "It was not done, because the rules do not allow it.",
    ),
    (
        "broken",
        "Det lykkedes ikke, og der er ikke sket noget. Prøv igen, og sig det til it-afdelingen, hvis det bliver ved.",
        "It did not succeed, and nothing has happened. Try again, and tell your IT department if it goes on.",
    ),
    ("reason_missing", "Skriv en begrundelse.", "Give a reason."),
    (
        "nobody_chosen",
        "Vælg mindst én modtager.",
        "Choose at least one recipient.",
    ),
    ("nothing_chosen", "Vælg mindst én mail.", "Choose at least one mail."),
    ("no_deed", "Vælg, hvad der skal ske.", "Choose what is to happen."),
    (
        "too_many",
        "Vælg højst 25 mails ad gangen.",
        "Choose 25 mails at a time, at most.",
    ),
    (
        "not_alike",
        "De valgte mails er tilbageholdt af forskellige regler. Afgør dem hver for sig.",
        "The mails chosen are held by different rules. Decide about each alone.",
    ),
];

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
    ("searched", "Søgt efter et nummer", "Searched for a number"),
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
