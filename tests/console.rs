//! The console, from outside: the real courier process, spoken to over HTTP.

#[path = "console/client.rs"]
mod client;
mod courier_peer;
#[path = "console/world.rs"]
mod world;

use client::Client;
use cpr_milter::console::{Access, ROUTES};
use cpr_milter::cpr::{Secret, made_up};
use cpr_milter::store::{Order, PersonNote, Role, Search, State, Verified};
use cpr_milter::types::Release;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;
use time::OffsetDateTime;
use world::{Mail, World, by};

fn number(seed: u32) -> String {
    made_up::hyphenated(&made_up::number(seed.into()))
}

/// Who may see which page, written down a second time: a new page, or one that opens to more, fails here first.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("GET", "/style.css", "anyone"),
    ("GET", "/sign-in", "anyone"),
    ("POST", "/sign-in", "anyone"),
    ("POST", "/language", "anyone"),
    ("POST", "/sign-out", "reviewer dpo auditor administrator"),
    ("GET", "/", "reviewer dpo auditor administrator"),
    ("GET", "/queue", "reviewer dpo auditor"),
    ("POST", "/queue/check", "reviewer dpo"),
    ("POST", "/queue/decide", "reviewer dpo"),
    ("GET", "/mail/{id}", "reviewer dpo auditor"),
    ("POST", "/mail/{id}/decide", "reviewer dpo"),
    ("GET", "/mail/{id}/copy", "reviewer dpo"),
    ("POST", "/mail/{id}/unmask", "reviewer dpo"),
    ("POST", "/mail/{id}/unmask/agree", "reviewer dpo"),
    ("POST", "/mail/{id}/mask", "reviewer dpo"),
    ("GET", "/mail/{id}/part/{part}", "reviewer dpo"),
    ("POST", "/mail/{id}/part/{part}", "reviewer dpo"),
    ("GET", "/trail", "dpo auditor"),
    ("GET", "/accounts", "administrator"),
    ("POST", "/accounts", "administrator"),
];

#[test]
fn every_page_is_in_the_table_and_opens_to_its_roles_alone() {
    let rows: Vec<(&str, &str, String)> = ROUTES
        .iter()
        .map(|row| {
            let who = match row.access {
                Access::Anyone => "anyone".to_owned(),
                Access::Roles(roles) => roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" "),
            };
            (row.method, row.path, who)
        })
        .collect();
    let expected: Vec<(&str, &str, String)> = EXPECTED
        .iter()
        .map(|(method, path, who)| (*method, *path, (*who).to_owned()))
        .collect();
    assert_eq!(rows, expected);

    let mut world = World::new("");
    let id = world.hold(&Mail::new("Svar", &number(1)));
    let people = Role::ALL.map(|role| (role, world.account(role.word(), role, true)));
    world.start();
    let path = |row: &str| row.replace("{id}", &id.to_string()).replace("{part}", "1");
    let mut nobody = Client::new(&world);
    for (method, row, who) in EXPECTED.iter().filter(|(_, _, who)| *who != "anyone") {
        let answer = nobody.ask(method, &path(row), "");
        assert_eq!(answer.status, 303, "{method} {row} for nobody: {who}");
        assert!(
            answer.header("location").is_some_and(|to| to.starts_with("/sign-in")),
            "{row}"
        );
    }
    for (role, person) in &people {
        let mut client = Client::signed_in(&world, person);
        // Signing out would end the session under test.
        for (method, row, who) in EXPECTED.iter().filter(|(_, row, _)| *row != "/sign-out") {
            let may = *who == "anyone" || who.split(' ').any(|word| word == role.word());
            let without = client.ask(method, &path(row), "");
            if *method == "POST" {
                assert_eq!(without.status, 403, "{method} {row} without token as {role:?}");
                let token = client
                    .get("/")
                    .header("location")
                    .map(str::to_owned)
                    .expect("first page");
                let token = client.get(&token).token();
                let with = client.post(&path(row), &[("token", &token)]);
                assert_eq!(with.status != 403, may, "{method} {row} as {role:?}: {}", with.status);
            } else {
                assert_eq!(
                    without.status != 403,
                    may,
                    "{method} {row} as {role:?}: {}",
                    without.status
                );
                assert!(without.status < 500, "{method} {row} as {role:?}\n{}", world.log());
            }
            if *row == "/sign-in" && *method == "POST" || *row == "/mail/{id}/unmask" {
                continue;
            }
        }
    }
    let denied = world.store.trail(None, 1000).expect("trail");
    let denied: Vec<_> = denied.iter().filter(|line| line.what == "denied").collect();
    assert!(
        denied.len() > 30 && denied.iter().any(|line| line.detail.contains("/accounts")),
        "{}",
        denied.len()
    );
}

#[test]
fn a_form_from_another_site_is_refused_whatever_it_carries() {
    let mut world = World::new("");
    let id = world.hold(&Mail::new("Svar", &number(1)));
    let (lis, bo) = (
        world.account("lis", Role::Dpo, false),
        world.account("bo", Role::Dpo, false),
    );
    world.start();
    let mut client = Client::signed_in(&world, &lis);
    let mut other = Client::signed_in(&world, &bo);
    let page = format!("/mail/{id}");
    let deed = format!("{page}/decide");
    let fields = [("deed", "delete"), ("to", "0"), ("reason", "aftalt")];
    let theirs = other.get(&page).token();
    let own = client.get(&page).token();
    for token in ["", &theirs, "00", &own[1..]] {
        let mut all = vec![("token", token)];
        all.extend(fields);
        assert_eq!(client.post(&deed, &all).status, 403, "{token}");
    }
    let mut all = vec![("token", own.as_str())];
    all.extend(fields);
    for site in ["cross-site", "same-site"] {
        client.extra = vec![("Sec-Fetch-Site".to_owned(), site.to_owned())];
        assert_eq!(client.post(&deed, &all).status, 403, "{site}");
    }
    // GET never acts.
    assert_eq!(
        client
            .get(&format!("{deed}?deed=delete&to=0&reason=aftalt&token={own}"))
            .status,
        405
    );
    assert_eq!(world.store.show(&id).expect("show").recipients[0].state, State::Held);
    client.extra = vec![("Sec-Fetch-Site".to_owned(), "same-origin".to_owned())];
    assert_eq!(client.post(&deed, &all).status, 303);
    assert_eq!(world.store.show(&id).expect("show").recipients[0].state, State::Deleted);
}

#[test]
fn signing_in_wants_all_three_gives_a_new_id_and_says_nothing_of_what_was_wrong() {
    let mut world = World::new("");
    let lis = world.account("Lis Løg", Role::Reviewer, false);
    world.start();
    let mut client = Client::new(&world);
    client.get("/sign-in");
    let planted = client.cookie("desk");
    let code = lis.code(0);
    let wrong = |client: &mut Client, name: &str, password: &str, code: &str| {
        client.submit(
            "/sign-in",
            "/sign-in",
            &[("name", name), ("password", password), ("code", code)],
        )
    };
    let answers = [
        wrong(&mut client, "Lis Løg", "forkert adgangskode", &code),
        wrong(&mut client, "Lis Løg", world::PASSWORD, "000000"),
        wrong(&mut client, "Lis Løg", world::PASSWORD, ""),
        wrong(&mut client, "nobody", world::PASSWORD, &code),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("do not go together"), "{}", answer.body);
    }
    // Two spellings of a name are one person.
    let answer = wrong(&mut client, "lis løg", world::PASSWORD, &code);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = answer.header("set-cookie").expect("cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert_ne!(client.cookie("desk"), planted, "the id from before is worth nothing");
    assert_eq!(client.get("/queue").status, 200);
    let mut fixed = Client::new(&world);
    fixed.cookies = vec![("desk".to_owned(), planted)];
    assert_eq!(fixed.get("/queue").status, 303);
    // A code is used once.
    let mut again = Client::new(&world);
    assert_eq!(wrong(&mut again, "Lis Løg", world::PASSWORD, &code).status, 200);
    // Signing out ends it at the server, too.
    let held = client.cookie("desk");
    assert_eq!(client.submit("/queue", "/sign-out", &[]).status, 303);
    fixed.cookies = vec![("desk".to_owned(), held)];
    assert_eq!(fixed.get("/queue").status, 303);
}

#[test]
fn guessing_locks_a_name_out_whether_it_is_anybodys_or_not() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Reviewer, false);
    world.account("bo", Role::Administrator, false);
    world.start();
    let mut client = Client::new(&world);
    for name in ["lis", "nobody"] {
        let mut said = Vec::new();
        for _ in 0..6 {
            let fields = [("name", name), ("password", "gæt gæt gæt gæt"), ("code", "1")];
            said.push(
                client
                    .submit("/sign-in", "/sign-in", &fields)
                    .body
                    .contains("too many tries"),
            );
        }
        assert_eq!(said, [false, false, false, false, false, true], "{name}");
    }
    // The right ones do not help any more; another person is not locked out.
    assert_eq!(client.sign_in(&lis, 0).status, 200);
    let failed = world.store.trail(None, 50).expect("trail");
    let failed: Vec<_> = failed.iter().filter(|line| line.what == "sign_in_failed").collect();
    assert_eq!(failed.len(), 10);
    assert!(
        failed
            .iter()
            .all(|line| line.actor == "lis" || line.actor == "(unknown name)")
    );
}

#[test]
fn a_disabled_account_is_out_at_once_and_the_administrator_reads_no_mail() {
    let mut world = World::new("");
    let id = world.hold(&Mail::new("Svar", &number(1)));
    let lis = world.account("lis", Role::Reviewer, false);
    let root = world.account("root", Role::Administrator, true);
    world.start();
    let mut reviewer = Client::signed_in(&world, &lis);
    assert_eq!(reviewer.get("/queue").status, 200);
    let mut admin = Client::signed_in(&world, &root);
    assert_eq!(admin.get("/").header("location"), Some("/accounts"));
    for page in [
        "/queue".to_owned(),
        format!("/mail/{id}"),
        format!("/mail/{id}/copy"),
        "/trail".to_owned(),
    ] {
        assert_eq!(admin.get(&page).status, 403, "{page}");
    }
    let answer = admin.submit("/accounts", "/accounts", &[("name", "lis"), ("change", "disable")]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(reviewer.get("/queue").status, 303);
    assert_eq!(reviewer.sign_in(&lis, 1).status, 200);
    assert!(admin.get("/accounts").body.contains("disabled"));
}

#[test]
fn every_answer_has_the_headers_that_keep_browsers_in_line() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Dpo, true);
    let id = world.hold(&Mail::new("Svar", &number(1)));
    world.start();
    let mut client = Client::signed_in(&world, &lis);
    for page in [
        "/sign-in",
        "/style.css",
        "/queue",
        &format!("/mail/{id}"),
        &format!("/mail/{id}/copy"),
        "/trail",
        "/accounts",
        "/nowhere",
        "/mail/x",
        "/",
    ] {
        let answer = client.get(page);
        let csp = answer.header("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(csp.contains(part), "{page}: {csp}");
        }
        assert!(!csp.contains("unsafe") && !csp.contains("script"), "{csp}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{page}");
        }
    }
    // Behind TLS the cookie is bound to it and to this host.
    let mut https = World::new("  address: https://desk.kommune.example\n");
    https.account("lis", Role::Dpo, true);
    https.start();
    let answer = Client::new(&https).get("/sign-in");
    let cookie = answer.header("set-cookie").expect("cookie");
    assert!(
        cookie.starts_with("__Host-desk=") && cookie.contains("; Secure"),
        "{cookie}"
    );
}

#[test]
fn what_stands_in_a_mail_is_text_and_never_a_page() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Dpo, true);
    let evil = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    let quoted = "\"><svg/onload=alert(3)>";
    let number = number(5);
    let mail = Mail {
        text: format!("{{{{ 7*7 }}}} cpr-nr. {number} {evil}\r\n"),
        file: Some(("a<b>'&.txt", format!("{evil} cpr {number}"))),
        to: vec!["\"<script>x</script>\"@post.example", "borger@post.example"],
        sender: "\"<b>anna</b>\"@kommune.example",
        ..Mail::new(evil, &number)
    };
    let id = world.hold(&mail);
    let other = world.hold(&Mail::new(quoted, &number));
    world.start();
    let mut client = Client::signed_in(&world, &lis);
    let fields = [("reason", evil)];
    client.submit(&format!("/mail/{id}"), &format!("/mail/{id}/unmask"), &fields);
    for page in [
        "/queue".to_owned(),
        format!("/mail/{id}"),
        format!("/mail/{other}"),
        format!("/mail/{id}/copy"),
        format!("/queue?text={}", "%22%3E%3Cscript%3E"),
        format!("/mail/{id}?done=%3Cscript%3E"),
        "/trail".to_owned(),
    ] {
        let answer = client.get(&page);
        assert_eq!(answer.status, 200, "{page}\n{}", world.log());
        let body = answer.body.to_lowercase();
        for bad in ["<script", "<img", "<svg", "<b>", "onerror=alert(2)>\"", ">49<"] {
            assert!(!body.contains(bad), "{page}: {bad}\n{body}");
        }
    }
    let shown = client.get(&format!("/mail/{id}")).body;
    assert!(
        shown.contains("&lt;script&gt;") && shown.contains("{{ 7*7 }}"),
        "{shown}"
    );
}

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
    let stricter = format!(
        "{}  - id: press\n    title: CPR til medier\n    when: {{found: cpr, to: media}}\n    then: reject\n",
        world::POLICY
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
    let whole = sent.iter().filter(|mail| mail.contains(&number(2))).count();
    assert_eq!((sent.len(), whole), (2, 1));
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
fn the_queue_is_searched_sorted_and_says_what_was_seen_before() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Reviewer, false);
    let shared = number(11);
    let first = world.hold(&Mail::new("Første", &shared));
    let second = world.hold(&Mail {
        sender: "skole@skole.kommune.example",
        to: vec!["mor@anden.example"],
        file: Some(("liste.txt", format!("cpr {shared} {} {}", number(12), number(13)))),
        numbers: vec![shared.clone(), number(12), number(13)],
        rule: "many",
        ..Mail::new("Anden", &shared)
    });
    world.start();
    world.wait(|| world.store.unmarked(10).expect("marks").is_empty());
    let mut client = Client::signed_in(&world, &lis);
    let has = |body: &str| (body.contains("Første"), body.contains("Anden"));
    for (question, expected) in [
        ("", (true, true)),
        ("?text=borger@post.example", (true, false)),
        ("?text=BORGER@POST.example", (true, false)),
        ("?text=anden.example", (false, true)),
        ("?text=skole.kommune.example", (false, true)),
        ("?text=nobody@post.example", (false, false)),
        ("?text=%F0%9F%98%80@", (false, false)),
        ("?rule=many", (false, true)),
        ("?people=2", (false, true)),
        ("?place=attachment", (false, true)),
        ("?place=body", (true, false)),
        ("?state=sent", (false, false)),
        ("?state=all&confidence=certain", (true, true)),
        (&format!("?text={first}"), (true, false)),
    ] {
        let answer = client.get(&format!("/queue{question}"));
        assert_eq!(answer.status, 200, "{question}");
        assert_eq!(has(&answer.body), expected, "{question}");
    }
    let body = client.get("/queue?order=people").body;
    assert!(body.find("Anden") < body.find("Første"), "most people first");
    assert!(body.contains("Seen before: 1") && body.contains("b•••@post.example") && body.contains("aktindsigt"));
    let similar = client.get(&format!("/mail/{second}")).body;
    assert!(
        similar.contains("Same person") && similar.contains("Første"),
        "{similar}"
    );
    let listed = world.store.trail(None, 100).expect("trail");
    assert!(
        listed
            .iter()
            .any(|line| line.what == "listed" && line.detail.contains("\"searched\":true"))
    );
    assert!(
        !listed.iter().any(|line| line.detail.contains("post.example")),
        "what was searched for is not written down"
    );
}

#[test]
fn ten_thousand_mails_do_not_make_the_queue_slow() {
    let world = World::new("");
    world.hold(&Mail::new("Svar", &number(1)));
    let sql = rusqlite::Connection::open(world.path().join("store.db")).expect("database");
    sql.execute_batch(
        "WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
         INSERT INTO incident (n, id, received, expires, policy, rules, doubts, numbers, copies, content_pub, record_pub)
            SELECT i, printf('x%015d', i), received + i, expires + i, policy, rules, doubts, i % 7, 0, content_pub, record_pub
            FROM c, incident WHERE n = 1;
         WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
         INSERT INTO recipient (incident, number, address, state, rule, release_by, release_people, dsn)
            SELECT i, 0, address, CASE i % 10 WHEN 0 THEN 'sent' ELSE 'held' END, rule, release_by, release_people, dsn
            FROM c, recipient WHERE incident = 1;
         INSERT INTO desk SELECT n, n % 4, ' body ', n % 7 FROM incident;
         INSERT INTO finding SELECT n, 0, 'cpr', randomblob(32), 'likely', 1 FROM incident WHERE n > 1;
         INSERT INTO mark SELECT n, 'sender', randomblob(32) FROM incident;",
    )
    .expect("rows");
    let begun = Instant::now();
    let mut looks = 0;
    for (order, _) in Order::ALL {
        for page in [0, 10, 300] {
            let search = Search {
                state: Some(State::Held),
                order,
                page,
                size: 25,
                ..Search::default()
            };
            let found = world.store.queue(&search).expect("queue");
            assert_eq!((found.all, found.rows.len()), (9000, 25));
            looks += 1;
        }
    }
    let search = Search {
        state: Some(State::Held),
        rule: Some("outside".to_owned()),
        people: 3,
        text: "nobody@post.example".to_owned(),
        size: 25,
        ..Search::default()
    };
    assert_eq!(world.store.queue(&search).expect("queue").all, 0);
    let each = begun.elapsed() / (looks + 1);
    assert!(each.as_millis() < 500, "a page takes {each:?}");
}

/// Types a command; gives back its status and all that it said.
fn typed(world: &World, words: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
        .args(words)
        .arg("--config")
        .arg(world.path().join("cpr-milter.yaml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    child
        .stdin
        .take()
        .expect("input")
        .write_all(input.as_bytes())
        .expect("typed");
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn accounts_are_made_on_the_command_line_and_it_obeys_the_same_rules() {
    let mut world = World::new("  second_factor: optional\n");
    let id = world.hold(&Mail::new("Svar", &number(1))).to_string();
    let guarded = world.hold(&Mail {
        release: Release {
            by: "dpo".to_owned(),
            people: 1,
        },
        ..Mail::new("Kun DPO", &number(3))
    });
    let password = "en lang adgangskode";
    let add = |name: &str, more: &[&str], input: &str| {
        typed(
            &world,
            &[&["user", "add", name, "--role", "reviewer"], more].concat(),
            input,
        )
    };
    assert_eq!(add("lis", &[], "kort\n").0, Some(2), "too short");
    let (status, said) = add("lis", &["--mail", "lis@kommune.example"], &format!("{password}\n"));
    assert!(status == Some(0) && said.contains("otpauth://totp/cpr-milter:lis?secret=") && !said.contains(password));
    assert_eq!(add("LIS", &[], &format!("{password}\n")).0, Some(2), "taken");
    let (_, said) = add("bo", &["--password-only", "--generate"], "");
    let made = said
        .split("Password (shown this once): ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let made = made.expect("a password").to_owned();
    assert_eq!(add("ida", &["--elsewhere"], "").0, Some(0));
    let (_, list) = typed(&world, &["user", "list"], "");
    for line in ["password and code", "elsewhere", "lis@kommune.example"] {
        assert!(list.contains(line), "{list}");
    }
    assert!(!list.contains(&made) && !list.contains("argon2"));
    world.start();
    let mut client = Client::new(&world);
    let fields = [("name", "bo"), ("password", made.as_str()), ("code", "")];
    assert_eq!(client.submit("/sign-in", "/sign-in", &fields).status, 303);
    // A second factor cannot be left out by whoever has one; without a password nobody signs in.
    let mut other = Client::new(&world);
    for (name, word) in [("lis", password), ("ida", password), ("ida", "")] {
        let fields = [("name", name), ("password", word), ("code", "")];
        assert_eq!(other.submit("/sign-in", "/sign-in", &fields).status, 200, "{name}");
    }
    assert_eq!(typed(&world, &["user", "disable", "bo"], "").0, Some(0));
    assert_eq!(client.get("/queue").status, 303);
    let release = |id: &str, actor: &str| {
        typed(
            &world,
            &["quarantine", "release", id, "--actor", actor, "--reason", "aftalt"],
            "",
        )
    };
    for (id, actor, why) in [
        (id.as_str(), "nobody", "nobody of that name"),
        (id.as_str(), "bo", "nobody of that name"),
        (&guarded.to_string(), "lis", "role `dpo` alone"),
    ] {
        let (status, said) = release(id, actor);
        assert!(status == Some(2) && said.contains(why), "{actor}: {said}");
    }
    let stricter = world::POLICY.replace("then: quarantine\n  - id: many", "then: reject\n  - id: many");
    assert_ne!(stricter, world::POLICY);
    std::fs::write(world.path().join("policy.yaml"), stricter).expect("policy");
    let (status, said) = release(&id, "lis");
    assert!(status == Some(2) && said.contains("today's policy refuses"), "{said}");
    std::fs::write(world.path().join("policy.yaml"), world::POLICY).expect("policy");
    let (status, said) = release(&id, "lis");
    assert!(status == Some(0) && said.contains("in the outbox"), "{said}");
}

#[test]
fn a_proxy_that_signs_people_in_is_believed_on_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = format!("unix:{}", folder.path().join("console.sock").display());
    let mut world = World::at(&socket, "  trusted_header: X-Remote-User\n");
    world.account("lis", Role::Reviewer, false);
    world.account("bo", Role::Auditor, false);
    world.start();
    let mut client = Client::to(&socket);
    assert_eq!(client.get("/queue").status, 303, "nobody is named");
    assert!(client.get("/sign-in").body.contains("portal"));
    client.extra = vec![("X-Remote-User".to_owned(), "LIS".to_owned())];
    assert_eq!(
        client.get("/queue").header("location"),
        Some("/queue"),
        "a session is begun"
    );
    assert!(client.get("/queue").body.contains("lis"));
    // Another name in the same browser is another session; a stranger's is none.
    client.extra = vec![("X-Remote-User".to_owned(), "bo".to_owned())];
    client.get("/queue");
    assert!(client.get("/trail").status == 200);
    client.extra = vec![("X-Remote-User".to_owned(), "nobody".to_owned())];
    assert_eq!(client.get("/queue").status, 303);
    client.extra = vec![
        ("X-Remote-User".to_owned(), "lis".to_owned()),
        ("X-Remote-User".to_owned(), "bo".to_owned()),
    ];
    assert_eq!(client.get("/queue").status, 303, "two names are none");
    // Without the header the session alone does not count.
    client.extra = Vec::new();
    assert_eq!(client.get("/trail").status, 303);
}
