//! Who is who among those who decide: two spellings of a name are one person, and nobody decides about mail of their own.
//!
//! Not here: whether somebody is who they say they are. Wherever this may be wrong it takes two for one, never one for two.

use crate::cpr::mask;
use crate::types::Envelope;
use icu_normalizer::ComposingNormalizer;

/// A name for comparing: masked as it is kept, one Unicode form, lower case, without blanks and what cannot be seen.
pub(super) fn same_form(name: &str) -> String {
    let one_form = ComposingNormalizer::new_nfkc().normalize(&mask(name)).to_lowercase();
    one_form.chars().filter(|c| !unseen(*c)).collect()
}

fn unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether `actor` may be the sender of this mail, by address, by its local part, or by the name it was handed in under.
pub(super) fn is_sender(actor: &str, envelope: &Envelope) -> bool {
    let mut addresses = Vec::new();
    let mut locals = Vec::new();
    if let Some(sender) = &envelope.sender {
        addresses.push(sender.key());
        locals.push(sender.local.as_str());
    }
    if let Some(login) = &envelope.login {
        addresses.push(login.clone());
        locals.push(login.rsplit_once('@').map_or(login.as_str(), |(local, _)| local));
    }
    // DOMAIN\anna and anna+archive are anna.
    let bare = |local: &str| {
        let name = local.rsplit('\\').next().unwrap_or(local);
        same_form(name.split_once('+').map_or(name, |(name, _)| name))
    };
    let actor = same_form(actor);
    if actor.contains('@') {
        // A login without a domain may be anybody's of that name.
        let login = envelope.login.as_deref().filter(|login| !login.contains('@'));
        let local = actor.split_once('@').map_or("", |(local, _)| local);
        return addresses
            .iter()
            .any(|address| without_tag(&same_form(address)) == without_tag(&actor))
            || login.is_some_and(|login| bare(login) == bare(local));
    }
    locals
        .iter()
        .any(|local| bare(local) == bare(&actor) || same_form(local) == actor)
}

/// `anna+archive@x` without its tag.
fn without_tag(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split_once('+').map_or(local, |(name, _)| name)),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Address;

    #[test]
    fn spellings_of_one_name_are_one_person() {
        for spelling in [
            "bo béa",
            "BO BÉA",
            " Bo  Béa\t",
            "Bo\u{a0}Béa",
            "bo\u{200b} be\u{301}a",
            "Ｂｏ béa",
            "bo béa\u{feff}\u{202e}",
        ] {
            assert_eq!(same_form(spelling), "bobéa", "{spelling:?}");
        }
        assert_ne!(same_form("bo.bea"), same_form("bo.eva"));
    }

    #[test]
    fn a_sender_is_known_by_every_name_they_have() {
        let number = crate::cpr::made_up::number(5);
        let mail = |sender: &str, login: Option<&str>| Envelope {
            sender: Address::parse(sender.as_bytes()).ok(),
            login: login.map(str::to_owned),
            ..Envelope::default()
        };
        let anna = "<anna+sag@kommune.example>";
        let own_number = format!("<{number}@kommune.example>");
        type Row<'a> = (&'a str, Option<&'a str>, &'a str, bool);
        let rows: &[Row<'_>] = &[
            (anna, None, "anna", true),
            (anna, None, " Anna ", true),
            (anna, None, "ANNA@Kommune.example", true),
            (anna, None, "anna+x@kommune.example", true),
            (anna, None, "anna@region.example", false),
            (anna, None, "an", false),
            (anna, None, "bo", false),
            ("<post@kommune.example>", Some("KOMMUNE\\anna"), "anna", true),
            ("<post@kommune.example>", Some("anna@kommune.example"), "anna", true),
            ("<post@kommune.example>", Some("anna"), "anna@kommune.example", true),
            ("<post@kommune.example>", Some("anna"), "bo@kommune.example", false),
            ("<>", None, "bo", false),
            (own_number.as_str(), None, number.as_str(), true),
        ];
        for (sender, login, actor, expected) in rows {
            assert_eq!(
                is_sender(actor, &mail(sender, *login)),
                *expected,
                "{sender} {login:?} {actor}"
            );
        }
    }
}
