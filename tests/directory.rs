//! Groups that others keep, asked for real: an OpenLDAP server and Postfix's own tables, and what holds when they are
//! silent. Not knowing is never "not a member".

#[path = "directory/slapd.rs"]
mod slapd;
#[path = "directory/tables.rs"]
mod tables;

use cpr_milter::config::{self, Ldap};
use cpr_milter::cpr::{Confidence, IdKind};
use cpr_milter::directory::{Directory, NoAnswer};
use cpr_milter::policy::{self, Facts, Number, Policy, Redaction, Sighting, Source};
use cpr_milter::types::{Action, Address, Envelope, PlaceClass, Recipient};
use slapd::{PASSWORD, READER, Slapd};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use time::macros::date;

/// As an administrator writes it.
fn ldap(slapd: &Slapd, more: &str) -> Ldap {
    let url = match more.contains("urls:") {
        true => String::new(),
        false => format!("urls: [ldap://127.0.0.1:{}]\n", slapd.port),
    };
    let text = format!("base: dc=kommune,dc=example\nbind_dn: {READER}\n{url}{more}");
    let mut ldap: Ldap = serde_yaml::from_str(&text).expect("sound");
    ldap.password_file
        .get_or_insert_with(|| slapd.password(PASSWORD, 0o600));
    ldap
}

fn directory(ldap: Option<Ldap>, tables: &[(&str, String)], times: (u64, u64, u64)) -> config::Directory {
    let (refresh_seconds, stale_after_seconds, timeout_seconds) = times;
    config::Directory {
        ldap,
        tables: tables
            .iter()
            .map(|(name, spec)| ((*name).to_owned(), spec.clone()))
            .collect::<BTreeMap<_, _>>(),
        refresh_seconds,
        stale_after_seconds,
        timeout_seconds,
        ..config::Directory::default()
    }
}

const LONG: (u64, u64, u64) = (300, 600, 20);

/// A policy with one group of that kind, for which numbers are refused.
fn policy(group: &str) -> Policy {
    let source = format!(
        "version: 1\nname: P\nowner: dpo@kommune.example\n\
         groups:\n  inside: {{domains: [kommune.example]}}\n  team: {{{group}}}\n\
         rules:\n  - {{id: team, title: T, when: {{found: cpr, to: team}}, then: reject}}\n"
    );
    let loaded = policy::load(&source, "p.yaml", date!(2026 - 11 - 25), &|_| Err("none".to_owned()));
    loaded
        .unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "p.yaml", &source)))
        .policy
}

/// For each recipient: in the group, as a mail with a number shows.
async fn members(directory: &Directory, policy: &Policy, to: &[&str]) -> Result<Vec<bool>, NoAnswer> {
    let recipient = |raw: &&str| Recipient {
        raw: raw.as_bytes().to_vec(),
        address: Address::parse(raw.as_bytes()).ok(),
        args: Vec::new(),
    };
    let envelope = Envelope {
        sender_raw: b"<sag@kommune.example>".to_vec(),
        sender: Address::parse(b"sag@kommune.example").ok(),
        recipients: to.iter().map(recipient).collect(),
        ..Envelope::default()
    };
    let numbers = [Number {
        kind: IdKind::Cpr,
        protected: false,
        belongs_to: Vec::new(),
        sightings: vec![Sighting {
            confidence: Confidence::Certain,
            class: PlaceClass::Body,
            hidden: false,
            fake_redaction: false,
        }],
    }];
    let asks = policy.asks(&envelope, &numbers, &[]);
    let given = directory.ask(&asks, Instant::now() + Duration::from_secs(60)).await?;
    let decisions = policy.decide(&Facts {
        envelope: &envelope,
        today: date!(2026 - 11 - 25),
        numbers: &numbers,
        doubts: &[],
        tls_enforced: &vec![false; to.len()],
        next_hops: &[],
        redaction: Redaction::Assumed,
        given: &given,
    });
    assert_eq!(decisions.len(), to.len());
    Ok(decisions.iter().map(|d| d.action == Action::Reject).collect())
}

async fn count(directory: &Directory, group: &str) -> Result<Option<usize>, String> {
    let mut looked = directory.look(&[Source::Ldap(group.to_owned())]).await;
    looked.remove(0).1.map_err(|why| why.to_string())
}

#[tokio::test]
async fn a_group_has_its_members_and_those_of_the_groups_in_it() {
    let slapd = Slapd::start();
    let directory = Directory::new(&directory(Some(ldap(&slapd, "")), &[], LONG)).expect("sound");
    let team = policy("ldap: Aktindsigt-team");
    let people = [
        ("anna@kommune.example", true),
        ("ANNA+sag@KOMMUNE.example.", true),
        ("anna.proeve@kommune.example", true),
        ("<\"bo b\"@rødovre.example>", true),
        ("\"Bo B\"@xn--rdovre-bya.example", true),
        ("carl@kommune.example", false),
        ("dorte@kommune.example", false),
        ("anna@kommune.example.evil.example", false),
    ];
    let asked: Vec<&str> = people.iter().map(|(raw, _)| *raw).collect();
    let expected: Vec<bool> = people.iter().map(|(_, is_in)| *is_in).collect();
    assert_eq!(members(&directory, &team, &asked).await, Ok(expected));
    // A group by its distinguished name, and one of POSIX kind.
    let by_name = policy("ldap: 'cn=Nested,ou=groups,dc=kommune,dc=example'");
    let asked = [
        "\"bo b\"@rødovre.example",
        "anna@kommune.example",
        "carl@kommune.example",
    ];
    assert_eq!(members(&directory, &by_name, &asked).await, Ok(vec![true, true, false]));
    let posix = policy("ldap: posix");
    assert_eq!(members(&directory, &posix, &asked).await, Ok(vec![false, false, true]));
    let both = policy("ldap: [posix, Aktindsigt-team], addresses: [x@post.example]");
    let asked = [
        "carl@kommune.example",
        "anna@kommune.example",
        "x@post.example",
        "y@post.example",
    ];
    assert_eq!(
        members(&directory, &both, &asked).await,
        Ok(vec![true, true, true, false])
    );
    assert_eq!(
        count(&directory, "Empty").await,
        Ok(Some(0)),
        "a group without members is one"
    );
}

#[tokio::test]
async fn what_is_no_whole_answer_is_none() {
    let slapd = Slapd::start();
    let with = |more: &str| Directory::new(&directory(Some(ldap(&slapd, more)), &[], LONG)).expect("sound");
    let directory_of = with("");
    for (group, why) in [
        ("No such group", "no such group"),
        ("Aktindsigt*", "no such group"),
        ("*)(cn=*", "no such group"),
        ("cn=gone,dc=kommune,dc=example", "no such group"),
        ("Twice", "several groups"),
        ("Without mail", "none of the group's 1 members has an address"),
        ("Hidden", "none of the group's 1 members has an address"),
    ] {
        let answer = count(&directory_of, group).await.expect_err(group);
        assert!(answer.contains(why), "{group}: {answer}");
        assert!(
            !answer.contains("dc=kommune") || group.contains("dc="),
            "names of entries: {answer}"
        );
    }
    let team = policy("ldap: No such group");
    let mails = members(&directory_of, &team, &["anna@kommune.example"]).await;
    assert!(matches!(mails, Err(NoAnswer::Silent(..))), "{mails:?}");
    for (more, why) in [
        ("group_filter: '(&(cn={group})'", "filter"),
        ("urls: [ldap://127.0.0.1:1]", "refused"),
    ] {
        let answer = count(&with(more), "posix").await.expect_err(more);
        assert!(answer.contains(why), "{more}: {answer}");
    }
    let elsewhere = Ldap {
        base: "dc=other".to_owned(),
        ..ldap(&slapd, "")
    };
    let elsewhere = Directory::new(&directory(Some(elsewhere), &[], LONG)).expect("sound");
    let answer = count(&elsewhere, "posix").await.expect_err("another base");
    assert!(answer.contains("directory.ldap.base"), "{answer}");
}

#[tokio::test]
async fn the_password_comes_from_a_file_that_not_everybody_reads_and_is_read_anew() {
    let slapd = Slapd::start();
    let config = |ldap: Ldap| directory(Some(ldap), &[], (1, 1, 20));
    let refused = |text: &str, mode: u32| {
        let ldap = ldap(&slapd, "");
        slapd.password(text, mode);
        Directory::new(&config(ldap)).err().unwrap_or_default()
    };
    assert!(refused(PASSWORD, 0o644).contains("everybody may read it"));
    assert!(
        refused("\n", 0o600).contains("empty"),
        "an empty one binds as nobody and is told yes"
    );
    assert_eq!(refused(PASSWORD, 0o640), "");
    let gone = Ldap {
        password_file: Some(slapd.path("none")),
        ..ldap(&slapd, "")
    };
    assert!(
        Directory::new(&config(gone))
            .err()
            .is_some_and(|why| why.contains("none"))
    );
    let credential = Ldap {
        password_file: None,
        password_credential: Some("ldap".to_owned()),
        ..ldap(&slapd, "")
    };
    assert!(
        Directory::new(&config(credential))
            .err()
            .is_some_and(|why| why.contains("LoadCredential=ldap"))
    );

    let wrong = Directory::new(&config(ldap(&slapd, ""))).expect("sound");
    slapd.password("wrong", 0o600);
    let answer = count(&wrong, "posix").await.expect_err("wrong password");
    assert!(
        answer.contains("refused name or password") && !answer.contains("wrong"),
        "{answer}"
    );
    slapd.password(&format!("{PASSWORD}\n"), 0o600);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(count(&wrong, "posix").await, Ok(Some(1)), "mended without a restart");
}

#[tokio::test]
async fn tls_trusts_the_named_authority_and_no_other() {
    let slapd = Slapd::start();
    let (plain, tls) = (slapd.port, slapd.tls_port);
    let path = |name: &str| slapd.path(name).display().to_string();
    for (more, good) in [
        (format!("urls: [ldaps://localhost:{tls}]\nca: {}", path("ca.pem")), true),
        (
            format!(
                "urls: [ldap://localhost:{plain}]\nstart_tls: true\nca: {}",
                path("ca.pem")
            ),
            true,
        ),
        (
            format!("urls: [ldaps://localhost:{tls}]\nca: {}", path("other.pem")),
            false,
        ),
        (
            format!(
                "urls: [ldap://localhost:{plain}]\nstart_tls: true\nca: {}",
                path("other.pem")
            ),
            false,
        ),
        (format!("urls: [ldaps://localhost:{tls}]"), false),
        // The certificate is localhost's.
        (
            format!("urls: [ldaps://127.0.0.1:{tls}]\nca: {}", path("ca.pem")),
            false,
        ),
        // The first that answers.
        (
            format!(
                "urls: [ldaps://localhost:1, ldaps://localhost:{tls}]\nca: {}",
                path("ca.pem")
            ),
            true,
        ),
    ] {
        let directory = Directory::new(&directory(Some(ldap(&slapd, &more)), &[], LONG)).expect("sound");
        let answer = count(&directory, "posix").await;
        assert_eq!(answer.is_ok(), good, "{more}: {answer:?}");
    }
    let no_pem = Ldap {
        ca: Some(slapd.path("slapd.conf")),
        ..ldap(&slapd, "")
    };
    let refused = Directory::new(&directory(Some(no_pem), &[], LONG)).err();
    assert!(refused.is_some_and(|why| why.contains("PEM")));
}

#[tokio::test]
async fn the_last_good_list_holds_to_its_limit_and_no_longer() {
    let mut slapd = Slapd::start();
    let directory = Directory::new(&directory(Some(ldap(&slapd, "")), &[], (1, 6, 5))).expect("sound");
    let team = policy("ldap: posix");
    let asked = ["carl@kommune.example", "anna@kommune.example"];
    assert_eq!(members(&directory, &team, &asked).await, Ok(vec![true, false]));
    let read = Instant::now();
    slapd.down();
    let mut last = None;
    while read.elapsed() < Duration::from_secs(20) {
        let before = read.elapsed();
        match members(&directory, &team, &asked).await {
            Ok(answer) => {
                assert_eq!(answer, [true, false]);
                assert!(before < Duration::from_millis(6500), "older than its limit");
                last = Some(before);
            }
            Err(why) => {
                assert!(matches!(why, NoAnswer::Silent(..)), "{why}");
                assert!(read.elapsed() >= Duration::from_secs(6), "given up before its limit");
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(last.is_some_and(|last| last > Duration::from_secs(3)), "{last:?}");
    slapd.up();
    slapd.modify(
        "dn: cn=posix,ou=groups,dc=kommune,dc=example\nchangetype: modify\nreplace: memberUid\nmemberUid: anna\n",
    );
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let again = members(&directory, &team, &asked).await;
    assert_eq!(
        again,
        Ok(vec![false, true]),
        "it answers again, with the members of now"
    );
}

/// A server that takes the connection and says nothing.
#[tokio::test]
async fn a_hanging_server_costs_a_mail_the_timeout_and_no_more() {
    let slapd = Slapd::start();
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = hole.local_addr().expect("an address").port();
    let silent = ldap(&slapd, &format!("urls: [ldap://127.0.0.1:{port}]"));
    let directory = Directory::new(&directory(Some(silent), &[], (300, 600, 2))).expect("sound");
    let team = policy("ldap: posix");
    let began = Instant::now();
    let answer = members(&directory, &team, &["carl@kommune.example"]).await;
    assert!(
        matches!(&answer, Err(NoAnswer::Silent(_, why)) if why.contains("in time")),
        "{answer:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// More members than a server gives out in one answer.
#[tokio::test]
async fn a_large_group_is_read_whole_or_not_at_all() {
    let slapd = Slapd::start();
    let person = |i: usize| {
        format!(
            "dn: uid=p{i},ou=people,dc=kommune,dc=example\nchangetype: add\nobjectClass: inetOrgPerson\nuid: p{i}\n\
             cn: P\nsn: P\nmail: p{i}@kommune.example\n\n"
        )
    };
    let member = |i: usize| format!("member: uid=p{i},ou=people,dc=kommune,dc=example\n");
    let people: String = (0..700).map(person).collect();
    let members: String = (0..700).map(member).collect();
    let group = "dn: cn=Many,ou=groups,dc=kommune,dc=example\nchangetype: add\nobjectClass: groupOfNames\ncn: Many\n";
    slapd.modify(&format!("{people}{group}{members}"));
    let at = |ldap: Ldap| Directory::new(&directory(Some(ldap), &[], LONG)).expect("sound");
    assert_eq!(count(&at(ldap(&slapd, "")), "Many").await, Ok(Some(700)));
    // Every person as a "group" of this name: 700 answers, where the server gives 100 at a time.
    let all = Ldap {
        group_filter: "(&(objectClass=inetOrgPerson)(!(cn={group})))".to_owned(),
        ..ldap(&slapd, "")
    };
    let answer = count(&at(all), "x").await.expect_err("many groups");
    assert!(answer.contains("several groups"), "{answer}");
}
