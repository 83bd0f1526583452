//! Accounts and signing in.

use crate::client::Client;
use crate::number;
use crate::world::{self, Mail, World};
use cpr_milter::store::Role;
use cpr_milter::types::Release;
use std::io::Write as _;
use std::process::{Command, Stdio};

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
