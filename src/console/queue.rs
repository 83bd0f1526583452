//! `GET /queue`: what waits.

use super::asked::{Asked, Fields, Running, Trouble};
use super::{Desk, show, words};
use crate::cpr::Confidence;
use crate::policy::{Answers, Language, Policy};
use crate::store::{Order, Search, State, Summary, Traits};
use crate::types::PlaceClass;
use minijinja::{Value, context};
use std::sync::Arc;
use time::OffsetDateTime;

/// Mails on a page.
const SIZE: usize = 25;
/// A deadline nearer than this is marked.
const SOON: i64 = 2 * 24 * 3600;

const CONFIDENCES: [Confidence; 3] = [Confidence::Possible, Confidence::Likely, Confidence::Certain];
pub(super) const PLACES: [(PlaceClass, &str); 5] = [
    (PlaceClass::Subject, "subject"),
    (PlaceClass::Header, "header"),
    (PlaceClass::FileName, "file_name"),
    (PlaceClass::Body, "body"),
    (PlaceClass::Attachment, "attachment"),
];

pub(super) fn page(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let search = search(&asked.query);
        let (wanted, actor, now) = (search.clone(), asked.account()?.name.clone(), asked.now);
        let (found, rules) = desk
            .review
            .with_store(move |store| {
                let found = store.queue(&wanted)?;
                store.listed(&wanted, found.all, &actor, now)?;
                Ok((found, store.rules_held()?))
            })
            .await?;
        let policy = desk.review.policy();
        let rows: Vec<Value> = found.rows.iter().map(|row| shown(row, &policy, &asked)).collect();
        let pages = found.all.div_ceil(SIZE).max(1);
        let link = |page: usize| format!("/queue?{}", question(&asked.query, page));
        let page = context! {
            rows,
            all => found.all,
            decides => asked.account()?.role.decides(),
            choices => choices(&search, &rules, asked.language),
            text => search.text,
            people => if search.people == 0 { String::new() } else { search.people.to_string() },
            doubtful => search.doubtful,
            narrowed => ["rule", "confidence", "place", "people", "doubtful", "order"].iter().any(|name| !asked.query.one(name).is_empty()),
            filtered => !question(&asked.query, 0).is_empty(),
            number => search.page + 1,
            pages,
            before => (search.page > 0).then(|| link(search.page - 1)),
            next => (search.page + 1 < pages).then(|| link(search.page + 1)),
            done => words::done(asked.query.one("done"), asked.language),
        };
        desk.page(&asked, "queue.html", page)
    })
}

/// The search that an address asks for; what it does not know, it does not ask.
fn search(query: &Fields) -> Search {
    let state = match query.one("state") {
        "all" => None,
        word => Some(State::from_word(word).unwrap_or(State::Held)),
    };
    let rule = query.one("rule");
    let order = query.one("order");
    Search {
        state,
        rule: (!rule.is_empty()).then(|| rule.chars().take(200).collect()),
        confidence: CONFIDENCES.into_iter().find(|c| c.word() == query.one("confidence")),
        place: PLACES
            .iter()
            .find(|(_, word)| *word == query.one("place"))
            .map(|(class, _)| *class),
        people: query.one("people").parse().unwrap_or(0),
        doubtful: !query.one("doubtful").is_empty(),
        text: query.one("text").chars().take(320).collect(),
        order: Order::ALL
            .iter()
            .find(|(_, word)| *word == order)
            .map_or(Order::default(), |(order, _)| *order),
        page: query.one("page").parse::<usize>().unwrap_or(1).clamp(1, 1_000_000) - 1,
        size: SIZE,
    }
}

/// The question of an address, for another page of the same search.
fn question(query: &Fields, page: usize) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if plain(&b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let kept = [
        "state",
        "rule",
        "confidence",
        "place",
        "people",
        "doubtful",
        "text",
        "order",
    ];
    let mut pairs: Vec<String> = kept
        .iter()
        .filter(|name| !query.one(name).is_empty())
        .map(|name| format!("{name}={}", escaped(query.one(name))))
        .collect();
    if page > 0 {
        pairs.push(format!("page={}", page + 1));
    }
    pairs.join("&")
}

fn choice(value: &str, word: &str, chosen: bool) -> Value {
    context! {value, word, chosen}
}

/// What the form offers.
fn choices(search: &Search, rules: &[String], language: Language) -> Value {
    let any = |chosen| choice("", words::of("any", language), chosen);
    let states = State::ALL.into_iter().map(|state| {
        let chosen = search.state == Some(state);
        choice(state.word(), words::state(state, language), chosen)
    });
    let all_states = choice("all", words::of("any", language), search.state.is_none());
    let rule = |rule: &String| choice(rule, &show::line(rule), search.rule.as_ref() == Some(rule));
    let sure = |c: Confidence| choice(c.word(), words::at_least(c, language), search.confidence == Some(c));
    let place =
        |(class, word): &(PlaceClass, &str)| choice(word, words::place(word, language), search.place == Some(*class));
    let order = |(order, word): &(Order, &str)| choice(word, words::order(*order, language), search.order == *order);
    context! {
        states => states.chain([all_states]).collect::<Vec<_>>(),
        rules => std::iter::once(any(search.rule.is_none())).chain(rules.iter().map(rule)).collect::<Vec<_>>(),
        confidences => std::iter::once(any(search.confidence.is_none())).chain(CONFIDENCES.map(sure)).collect::<Vec<_>>(),
        places => std::iter::once(any(search.place.is_none())).chain(PLACES.iter().map(place)).collect::<Vec<_>>(),
        orders => Order::ALL.iter().map(order).collect::<Vec<_>>(),
    }
}

/// Whose mail it is, as far as a list needs to say: the groups of the policy, or the domain.
pub(super) fn unit(traits: &Traits, policy: &Policy) -> String {
    let Some(envelope) = &traits.envelope else {
        return "–".to_owned();
    };
    let Some(sender) = &envelope.sender else {
        return "<>".to_owned();
    };
    // Groups of the directory are not asked for a list: it is quick, and the policy's own groups say enough.
    let groups = policy.groups_of(Some(sender), &Answers::offline(), &[]);
    let named: Vec<&str> = groups
        .into_iter()
        .filter(|name| !matches!(*name, "inside" | "outside"))
        .collect();
    match named.as_slice() {
        [] => show::line(&sender.domain),
        many => show::line(&many.join(", ")),
    }
}

fn shown((summary, traits): &(Summary, Traits), policy: &Policy, asked: &Asked) -> Value {
    let language = asked.language;
    let strangers: Vec<String> = traits
        .envelope
        .iter()
        .flat_map(|envelope| &envelope.recipients)
        .filter(|recipient| !policy.is_inside(recipient.address.as_ref()))
        .map(show::stranger)
        .collect();
    let facts = summary.facts.as_ref();
    let left = summary.expires.map(|at| (at - asked.now).whole_seconds());
    let seconds = |from: OffsetDateTime| (asked.now - from).whole_seconds();
    let states = summary.states.iter().map(|(state, n)| match n {
        1 => words::state(*state, language).to_owned(),
        n => format!("{n} {}", words::state(*state, language)),
    });
    context! {
        id => summary.id.to_string(),
        subject => facts.and_then(|facts| facts.subject.as_deref()).map_or_else(String::new, show::line),
        age => show::span(seconds(summary.received), language),
        received => show::long(summary.received, language),
        left => left.map(|left| show::span(left, language)),
        over => left.is_some_and(|left| left <= 0),
        soon => left.is_some_and(|left| left < SOON),
        held => summary.states.iter().any(|(state, _)| *state == State::Held),
        rules => summary.rules.iter().map(|rule| show::line(rule)).collect::<Vec<_>>(),
        unit => unit(traits, policy),
        strangers => strangers.iter().take(2).collect::<Vec<_>>(),
        more => strangers.len().saturating_sub(2),
        places => traits.places.iter().map(|word| words::place(word, language)).collect::<Vec<_>>(),
        people => facts.map_or(summary.numbers, |facts| facts.people),
        confidence => traits.confidence.map_or("–", |c| words::confidence(c, language)),
        unread => !summary.doubts.is_empty(),
        seen => traits.seen_before,
        states => states.collect::<Vec<_>>(),
    }
}

/// A reason to look at nothing.
pub(super) fn chosen(form: &Fields) -> Result<Vec<crate::store::IncidentId>, Trouble> {
    let ids = form.all("id").into_iter().map(crate::store::IncidentId::parse);
    match ids.collect::<Option<Vec<_>>>() {
        Some(ids) if !ids.is_empty() => Ok(ids),
        Some(_) => Err(Trouble::Wrong("nothing_chosen")),
        None => Err(Trouble::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_again() {
        let pairs = [
            ("state", "all"),
            ("text", "a b&c@x.example"),
            ("people", "3"),
            ("page", "4"),
            ("x", "y"),
        ];
        let query = Fields(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec());
        let search = search(&query);
        assert_eq!((search.state, search.people, search.page), (None, 3, 3));
        assert_eq!(
            question(&query, 4),
            "state=all&people=3&text=a%20b%26c%40x.example&page=5"
        );
    }

    #[test]
    fn nonsense_asks_for_what_is_held() {
        let pairs = [
            ("state", "x"),
            ("order", "x"),
            ("page", "-1"),
            ("people", "many"),
            ("confidence", "very"),
        ];
        let query = Fields(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec());
        let search = search(&query);
        assert_eq!(
            (search.state, search.order, search.page),
            (Some(State::Held), Order::Deadline, 0)
        );
        assert_eq!((search.people, search.confidence), (0, None));
    }
}
