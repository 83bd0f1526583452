//! One mail: masked, unmasked, decided about.

use crate::client::Client;
use crate::number;
use crate::world::{self, Mail, World, by};
use cpr_milter::cpr::Secret;
use cpr_milter::store::{PersonNote, Role, State, Verified};
use cpr_milter::types::Release;
use time::OffsetDateTime;

#[test]
fn a_mail_is_shown_masked_and_in_clear_for_minutes_to_whoever_gave_a_reason() {
    let mut world = World::new("");
    let (lis, bo) = (
        world.account("lis", Role::Reviewer, true),
        world.account("bo", Role::Reviewer, false),
    );
    let eva = world.account("eva", Role::Auditor, true);
    let number = number(7);
    let mail = Mail {
        file: Some(("notat.txt", format!("cpr-nr. {number}, tlf. 12345678"))),
        ..Mail::new("Svar på aktindsigt", &number)
    };
    let id = world.hold(&mail);
    world.start();
    let page = format!("/mail/{id}");
    let mut client = Client::signed_in(&world, &lis);
    let shown = client.get(&page).body;
    assert!(
        shown.contains("Sagen vedrører cpr-nr.") && shown.contains("••••••-••••"),
        "{shown}"
    );
    assert!(
        shown.contains("notat.txt") && shown.contains("CPR ud af huset"),
        "{shown}"
    );
    assert!(!shown.contains(&number[..6]) && !shown.contains("12345678") && !shown.contains("Vestergade 12"));
    let part = format!("{page}/part/2");
    assert_eq!(
        client.submit(&page, &part, &[]).status,
        400,
        "an attachment is in clear, too"
    );
    assert_eq!(
        client
            .submit(&page, &format!("{page}/unmask"), &[("reason", " ")])
            .status,
        400
    );
    let answer = client.submit(
        &page,
        &format!("{page}/unmask"),
        &[("reason", "Kan ikke se hvis nummer det er")],
    );
    assert_eq!(
        answer.header("location"),
        Some(format!("{page}?done=unmasked").as_str()),
        "{}",
        answer.body
    );
    assert!(client.get(&page).body.contains(&number));
    let file = client.submit(&part, &part, &[]);
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    assert!(
        file.header("content-disposition")
            .is_some_and(|line| line.starts_with("attachment; filename=\"notat.txt\""))
    );
    assert!(file.body.contains(&number));
    assert_eq!(client.submit(&page, &format!("{page}/mask"), &[]).status, 303);
    assert!(!client.get(&page).body.contains(&number));
    // Nobody else sees it meanwhile, and whoever may not, does not.
    let mut other = Client::signed_in(&world, &bo);
    assert_eq!(
        other
            .submit(&page, &format!("{page}/unmask"), &[("reason", "nysgerrig")])
            .status,
        409
    );
    assert!(!other.get(&page).body.contains(&number));
    let mut auditor = Client::signed_in(&world, &eva);
    let record = auditor.get(&page).body;
    assert!(
        !record.contains("Sagen vedrører") && record.contains("The numbers were shown"),
        "{record}"
    );
    let deeds = world.deeds(&id);
    for (what, who) in [
        ("viewed", "lis"),
        ("unmasked", "lis"),
        ("downloaded", "lis"),
        ("denied", "bo"),
        ("viewed", "eva"),
    ] {
        assert!(
            deeds.contains(&(what.to_owned(), who.to_owned())),
            "{what} {who}: {deeds:?}"
        );
    }
    assert!(matches!(world.store.verify(None), Ok(Verified::Sound(_))));
    assert!(!world.log().contains(&number[..6]) && !world.log().contains("Svar på"));
}

#[test]
fn two_people_are_needed_to_see_a_protected_persons_number_and_to_release_it() {
    let mut world = World::new("");
    let (lis, bo) = (
        world.account("lis", Role::Dpo, true),
        world.account("bo", Role::Dpo, true),
    );
    let ida = world.account("ida", Role::Reviewer, true);
    let number = number(9);
    // Protected since yesterday only: the terms of the day the mail came wanted one reviewer.
    let id = world.hold(&Mail::new("Svar", &number));
    let secret = Secret::new(number.replace('-', ""));
    world
        .store
        .protect(&[secret], &PersonNote::default(), &by("root"))
        .expect("protected");
    world.start();
    let page = format!("/mail/{id}");
    let mut reviewer = Client::signed_in(&world, &ida);
    let release = [("deed", "release"), ("to", "0"), ("reason", "aftalt med borgeren")];
    let answer = reviewer.submit(&page, &format!("{page}/decide"), &release);
    assert_eq!(
        answer.status, 409,
        "today's policy leaves it to the DPO\n{}",
        answer.body
    );
    let mut first = Client::signed_in(&world, &lis);
    let asked = first.submit(&page, &format!("{page}/unmask"), &[("reason", "skal kende forskel")]);
    assert!(
        asked
            .header("location")
            .is_some_and(|to| to.ends_with("unmask_waiting"))
    );
    let waiting = first.get(&page).body;
    assert!(
        !waiting.contains(&number) && waiting.contains("Somebody else must agree"),
        "{waiting}"
    );
    let n = world.store.unmaskings(&id, OffsetDateTime::now_utc()).expect("wishes")[0]
        .n
        .to_string();
    let agree = [("n", n.as_str()), ("reason", "set sammen")];
    assert_eq!(
        first.submit(&page, &format!("{page}/unmask/agree"), &agree).status,
        409,
        "not to oneself"
    );
    let mut second = Client::signed_in(&world, &bo);
    assert!(second.get(&page).body.contains("wishes to see the numbers"));
    assert_eq!(
        second.submit(&page, &format!("{page}/unmask/agree"), &agree).status,
        303
    );
    assert!(first.get(&page).body.contains(&number));
    assert!(!second.get(&page).body.contains(&number), "agreeing is not asking");
    // Release: both, and twice the same is one.
    for (client, done) in [(0, "approved"), (0, "approved"), (1, "released")] {
        let client = if client == 0 { &mut first } else { &mut second };
        let answer = client.submit(&page, &format!("{page}/decide"), &release);
        assert_eq!(
            answer.header("location"),
            Some(format!("{page}?done={done}").as_str()),
            "{}",
            answer.body
        );
    }
    world.wait(|| world.store.show(&id).expect("show").recipients[0].state == State::Sent);
    let shown = first.get(&page).body;
    assert!(
        shown.contains("4Yb1Zk0vQhz9rD") && shown.contains("Taken by the mail server"),
        "{shown}"
    );
    let mails = world.mta.accepted();
    assert!(String::from_utf8_lossy(&mails[0]).contains(&number), "as it came");
}

#[test]
fn nobody_decides_about_their_own_mail_and_a_policy_that_refuses_today_is_obeyed() {
    let mut world = World::new("");
    let lis = world.account_of("lis", Role::Dpo, true, &["anna@kommune.example"]);
    let bo = world.account("bo", Role::Dpo, true);
    let own = world.hold(&Mail {
        sender: "anna@kommune.example",
        ..Mail::new("Min egen", &number(1))
    });
    let press = world.hold(&Mail {
        to: vec!["red@avis.example", "borger@post.example"],
        ..Mail::new("Til avisen", &number(2))
    });
    world.start();
    let mut client = Client::signed_in(&world, &lis);
    let page = format!("/mail/{own}");
    assert!(client.get(&page).body.contains("your own mail"));
    for deed in ["release", "redacted", "refuse", "delete"] {
        let fields = [("deed", deed), ("to", "0"), ("reason", "aftalt")];
        assert_eq!(
            client.submit("/queue", &format!("{page}/decide"), &fields).status,
            409,
            "{deed}"
        );
    }
    let unmask = client.submit("/queue", &format!("{page}/unmask"), &[("reason", "aftalt")]);
    assert_eq!(unmask.status, 409);
    assert!(world.deeds(&own).iter().filter(|(what, _)| what == "denied").count() >= 5);
    // Since it came, mail to newspapers is refused.
    let stricter = world::POLICY.replace(
        "...\n",
        "  - id: press\n    title: CPR til medier\n    when: {found: cpr, to: media}\n    then: reject\n...\n",
    );
    std::fs::write(world.path().join("policy.yaml"), stricter).expect("policy");
    let mut other = Client::signed_in(&world, &bo);
    let page = format!("/mail/{press}");
    let decide = format!("{page}/decide");
    let both = [("deed", "release"), ("to", "0"), ("to", "1"), ("reason", "aftalt")];
    let answer = other.submit(&page, &decide, &both);
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("press"), "{}", answer.body);
    let held = |n: usize| world.store.show(&press).expect("show").recipients[n].state;
    assert_eq!((held(0), held(1)), (State::Held, State::Held), "all or nothing");
    let citizen = [("deed", "release"), ("to", "1"), ("reason", "aftalt")];
    assert_eq!(other.submit(&page, &decide, &citizen).status, 303);
    // Without the numbers it may go to the newspaper, too.
    let copy = other.get(&format!("{page}/copy")).body;
    assert!(copy.contains("no number is in it") && copy.contains("<del>"), "{copy}");
    let redacted = [("deed", "redacted"), ("to", "0"), ("reason", "sløret")];
    let answer = other.submit(&page, &decide, &redacted);
    assert_eq!(answer.status, 303, "{}", answer.body);
    world.wait(|| held(0) == State::Sent && held(1) == State::Sent);
    let sent: Vec<String> = world
        .mta
        .accepted()
        .iter()
        .map(|mail| String::from_utf8_lossy(mail).into_owned())
        .collect();
    // The sender may have been told already; only a copy has the mail's own text.
    let copies = sent.iter().filter(|mail| mail.contains("Sagen vedr")).count();
    let whole = sent.iter().filter(|mail| mail.contains(&number(2))).count();
    assert_eq!((copies, whole), (2, 1));
}

/// Such digits are no finding, unless they are a protected person's: then they go from the copy, too.
#[test]
fn a_redacted_copy_is_without_a_protected_number_behind_another_label() {
    let mut world = World::new("");
    let bo = world.account("bo", Role::Dpo, true);
    let (plain, protected) = (number(1), number(2).replace('-', ""));
    world
        .store
        .protect(&[Secret::new(protected.clone())], &PersonNote::default(), &by("bo"))
        .expect("protected");
    let id = world.hold(&Mail {
        file: Some(("faktura.txt", format!("Fakturanr. {protected} er betalt.\r\n"))),
        ..Mail::new("To numre", &plain)
    });
    world.start();
    let mut client = Client::signed_in(&world, &bo);
    let page = format!("/mail/{id}");
    let redacted = [("deed", "redacted"), ("to", "0"), ("reason", "sløret")];
    let answer = client.submit(&page, &format!("{page}/decide"), &redacted);
    assert_eq!(answer.status, 303, "{}", answer.body);
    world.wait(|| world.store.show(&id).expect("show").recipients[0].state == State::Sent);
    let sent = world.mta.accepted();
    let sent: Vec<_> = sent.iter().map(|mail| String::from_utf8_lossy(mail)).collect();
    assert!(sent.iter().any(|mail| mail.contains("er betalt")));
    assert!(
        !sent
            .iter()
            .any(|mail| mail.contains(&plain) || mail.contains(&protected))
    );
}

#[test]
fn several_mails_that_are_alike_are_decided_together_each_by_the_rules() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Reviewer, false);
    let alike = [1, 2].map(|n| world.hold(&Mail::new("Ens", &number(n))).to_string());
    let guarded = world.hold(&Mail {
        release: Release {
            by: "dpo".to_owned(),
            people: 1,
        },
        ..Mail::new("Kun DPO", &number(3))
    });
    let other = world.hold(&Mail {
        rule: "many",
        ..Mail::new("Anden regel", &number(4))
    });
    world.start();
    let mut client = Client::signed_in(&world, &lis);
    let guarded = guarded.to_string();
    let other = other.to_string();
    let mut fields = vec![("deed", "refuse"), ("id", alike[0].as_str()), ("id", other.as_str())];
    assert_eq!(
        client.submit("/queue", "/queue/check", &fields).status,
        400,
        "not alike"
    );
    fields = vec![
        ("deed", "release"),
        ("id", &alike[0]),
        ("id", &alike[1]),
        ("id", &guarded),
    ];
    let check = client.submit("/queue", "/queue/check", &fields);
    assert_eq!(check.status, 200, "{}", check.body);
    assert!(check.body.contains("This happens to all of them"));
    let states = || {
        let all = world.store.list(&cpr_milter::store::Filter::default()).expect("list");
        all.iter()
            .filter(|mail| mail.states.iter().any(|(state, _)| *state == State::Held))
            .count()
    };
    assert_eq!(states(), 4, "looking changes nothing");
    fields.push(("reason", "aftalt med lederen"));
    let done = client.submit("/queue", "/queue/decide", &fields);
    assert_eq!(done.status, 200);
    assert_eq!(done.body.matches("Released.").count(), 2, "{}", done.body);
    assert!(done.body.contains("role `dpo` alone"), "{}", done.body);
    assert_eq!(states(), 2);
}

#[test]
fn nothing_is_released_while_nobody_answers_what_todays_policy_asks() {
    let mut world = World::new("");
    let bo = world.account("bo", Role::Dpo, true);
    let id = world.hold(&Mail::new("Svar", &number(2)));
    // Since it came, a rule is about a group that the directory keeps; there is none.
    let asking = world::POLICY
        .replace("  media:", "  team: {ldap: Team}\n  media:")
        .replace("people: 3 or more, to: outside", "people: 3 or more, to: team");
    assert!(asking.contains("to: team") && asking.contains("ldap: Team"));
    std::fs::write(world.path().join("policy.yaml"), asking).expect("policy");
    world.start();
    let mut client = Client::signed_in(&world, &bo);
    let page = format!("/mail/{id}");
    let shown = client.get(&page);
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("LDAP group"), "{}", shown.body);
    let release = [("deed", "release"), ("to", "0"), ("reason", "aftalt")];
    let answer = client.submit("/queue", &format!("{page}/decide"), &release);
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert_eq!(world.store.show(&id).expect("show").recipients[0].state, State::Held);
    // To return it, nobody need be asked.
    let refuse = [("deed", "refuse"), ("to", "0"), ("reason", "aftalt")];
    assert_eq!(client.submit("/queue", &format!("{page}/decide"), &refuse).status, 303);
}
