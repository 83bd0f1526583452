//! Who may see and do what; forms from elsewhere; headers; hostile mail.

use crate::client::Client;
use crate::number;
use crate::world::{Mail, World};
use cpr_milter::console::{Access, ROUTES};
use cpr_milter::store::{Role, State};

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
