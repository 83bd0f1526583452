//! The gateway with groups that others keep: lists that change under it, and a directory that is silent.

#[path = "directory/slapd.rs"]
#[allow(dead_code)] // Another test asks it more.
mod slapd;

#[path = "milter/mta.rs"]
mod mta;

use mta::{Answer, Mail, Mta};
use slapd::{PASSWORD, READER, Slapd};
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running gateway in a folder of its own.
struct Gateway {
    folder: tempfile::TempDir,
    child: Option<Child>,
}

const POLICY: &str = "version: 1
name: Prøvekommune
owner: dpo@kommune.example
groups:
  inside: {domains: [kommune.example]}
  media:  {file: media.txt}
  team:   {TEAM}
rules:
  - {id: media, title: Medier, when: {found: cpr, to: media}, then: reject}
  - {id: team, title: Holdet, when: {found: cpr, to: team}, then: reject}
default: {found_to_outside: log}
...
";

impl Gateway {
    fn new(team: &str, directory: &str) -> Gateway {
        let folder = tempfile::tempdir().expect("folder");
        let mut gateway = Gateway { folder, child: None };
        for name in ["store", "run"] {
            fs::create_dir(gateway.path(name)).expect("folder");
        }
        let made = command().args(["keys", "init"]).arg(gateway.path("keys")).output();
        assert!(made.expect("the binary runs").status.success());
        gateway.write("media.txt", "avis.example\n");
        gateway.write("policy.yaml", &POLICY.replace("TEAM", team));
        let paths = "policy: policy.yaml\nstore: store/s.db\nkeys: keys\nreinject: 127.0.0.1:10026\n";
        let listen = format!("listen: unix:{}\n", gateway.path("run/m.sock").display());
        gateway.write("c.yaml", &format!("{paths}{listen}{directory}"));
        gateway.start();
        gateway
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn start(&mut self) {
        let mut run = command();
        run.args(["run", "--config"])
            .arg(self.path("c.yaml"))
            .env("CPR_MILTER_LOG", "info");
        let log = File::create(self.path("log")).expect("log");
        run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(run.spawn().expect("the binary runs"));
        self.logged("serving");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits until the log says so.
    fn logged(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.log().contains(words) {
            assert!(
                Instant::now() < deadline,
                "the log does not say {words:?}: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    async fn send(&self, to: &str, body: &str) -> Answer {
        let mut mta = Mta::connect(&self.path("run/m.sock")).await.expect("it listens");
        let mut mail = Mail::new(&[to], "Sag", body);
        mail.headers
            .push(("From".to_owned(), " sender@kommune.example".to_owned()));
        mta.deliver(&mail).await.expect("an answer")
    }

    /// What becomes of a mail with a number: "queued", "refused" or "deferred".
    async fn fate(&self, to: &str) -> &'static str {
        let number = cpr_milter::cpr::made_up::number(5);
        let (date, serial) = number.split_at(6);
        match self.send(to, &format!("CPR-nr. {date}-{serial}\r\n")).await {
            Answer::Queued { .. } => "queued",
            Answer::Discarded => "discarded",
            Answer::Deferred(_) => "deferred",
            Answer::Refused(_) => "refused",
        }
    }

    fn hangup(&self) {
        let pid = self.child.as_ref().expect("it runs").id().try_into().expect("a pid");
        let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("our child");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_changes_is_in_force_without_a_signal_and_a_broken_one_changes_nothing() {
    let gateway = Gateway::new("addresses: [x@team.example]", "");
    assert_eq!(gateway.fate("a@avis.example").await, "refused");
    assert_eq!(gateway.fate("a@blad.example").await, "queued");
    gateway.write("media.txt", "avis.example\nblad.example\n");
    gateway.logged("a list has changed and is in force");
    assert_eq!(gateway.fate("a@blad.example").await, "refused");
    // Broken, empty, gone: each is told, and the last good list stays.
    for (name, change) in [
        ("broken", "to adresser@i en linje\n"),
        ("empty", "# nobody\n"),
        ("gone", ""),
    ] {
        let told = gateway.log().matches("cannot be used").count();
        match name {
            "gone" => fs::remove_file(gateway.path("media.txt")).expect("ours"),
            _ => gateway.write("media.txt", change),
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while gateway.log().matches("cannot be used").count() == told {
            assert!(Instant::now() < deadline, "{name}: {}", gateway.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(gateway.fate("a@blad.example").await, "refused", "{name}");
    }
    assert!(gateway.log().contains("media.txt:1"), "{}", gateway.log());
    // Put in place of the old one by a rename, as careful editors do.
    gateway.write("new.txt", "tv.example\n");
    fs::rename(gateway.path("new.txt"), gateway.path("media.txt")).expect("renamed");
    let deadline = Instant::now() + Duration::from_secs(30);
    while gateway.log().matches("a list has changed and is in force").count() < 2 {
        assert!(Instant::now() < deadline, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(gateway.fate("a@tv.example").await, "refused");
    assert_eq!(gateway.fate("a@blad.example").await, "queued");
    // The policy's own file changes on SIGHUP only, also when a list makes it be read again.
    gateway.write("policy.yaml", "nonsense");
    gateway.write("media.txt", "radio.example\n");
    let deadline = Instant::now() + Duration::from_secs(30);
    while gateway.log().matches("a list has changed and is in force").count() < 3 {
        assert!(Instant::now() < deadline, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(gateway.fate("a@radio.example").await, "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_with_findings_waits_for_the_directory_and_other_mail_does_not() {
    let mut slapd = Slapd::start();
    let password = slapd.password(PASSWORD, 0o600);
    slapd.down();
    let directory = format!(
        "directory:\n  ldap:\n    urls: [ldap://127.0.0.1:{}]\n    base: dc=kommune,dc=example\n    bind_dn: {READER}\n    password_file: {}\n  \
         refresh_seconds: 1\n  stale_after_seconds: 5\n  timeout_seconds: 3\n",
        slapd.port,
        password.display()
    );
    let gateway = Gateway::new("ldap: Aktindsigt-team", &directory);
    gateway.logged("its members are not known");
    let clean = gateway.send("anna@post.example", "Hej\r\n").await;
    assert!(matches!(clean, Answer::Queued { .. }), "{clean:?}");
    assert_eq!(gateway.fate("anna@post.example").await, "deferred");
    // Somebody who is on a list of the file waits too: who they are besides is not known.
    assert_eq!(gateway.fate("a@avis.example").await, "deferred");
    slapd.up();
    let deadline = Instant::now() + Duration::from_secs(30);
    while gateway.fate("anna@kommune.example").await == "deferred" {
        assert!(Instant::now() < deadline, "{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(gateway.fate("anna@kommune.example").await, "refused");
    assert_eq!(gateway.fate("Anna+x@Kommune.example").await, "refused");
    assert_eq!(gateway.fate("bo@post.example").await, "queued");
    slapd.down();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(
        gateway.fate("anna@kommune.example").await,
        "deferred",
        "the last answer is too old"
    );
    let log = gateway.log();
    assert!(!log.contains("anna") && !log.contains("kun til"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_asks_for_what_nobody_knows_does_not_come_into_force() {
    let slapd = Slapd::start();
    let password = slapd.password(PASSWORD, 0o600);
    let directory = format!(
        "directory:\n  ldap:\n    urls: [ldap://127.0.0.1:{}]\n    base: dc=kommune,dc=example\n    bind_dn: {READER}\n    password_file: {}\n  timeout_seconds: 5\n",
        slapd.port,
        password.display()
    );
    let gateway = Gateway::new("ldap: posix", &directory);
    assert_eq!(gateway.fate("carl@kommune.example").await, "refused");
    for (team, why) in [
        ("ldap: Misspelt", "no such group"),
        ("table: media", "no such table under `directory: tables`"),
    ] {
        gateway.write("policy.yaml", &POLICY.replace("TEAM", team));
        gateway.hangup();
        gateway.logged(why);
        assert_eq!(gateway.fate("carl@kommune.example").await, "refused", "{team}");
    }
    gateway.write("policy.yaml", &POLICY.replace("TEAM", "ldap: Aktindsigt-team"));
    gateway.hangup();
    gateway.logged("reloaded policy");
    assert_eq!(gateway.fate("anna@kommune.example").await, "refused");
    assert_eq!(gateway.fate("carl@kommune.example").await, "queued");

    // At the start it is refused in words.
    gateway.write("policy.yaml", &POLICY.replace("TEAM", "table: media"));
    let run = command()
        .args(["run", "--config"])
        .arg(gateway.path("c.yaml"))
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(
        !run.status.success() && said.contains("table `media` is asked for by the policy"),
        "{said}"
    );
}

/// At a desk without the directory, a policy can be checked and explained; with `--lookup`, it is asked.
#[test]
fn policies_are_checked_without_the_directory_and_with_it() {
    let mut slapd = Slapd::start();
    let password = slapd.password(PASSWORD, 0o600);
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    let tests = "tests:\n  - name: Holdet\n    from: a@kommune.example\n    to: [x@post.example, y@post.example]\n    text: \"{cpr}\"\n    \
                 given: {x@post.example: team}\n    expect: {x@post.example: reject, y@post.example: log}\n";
    let policy = POLICY.replace("TEAM", "ldap: Aktindsigt-team");
    let policy = policy.replace("...\n", &format!("{tests}...\n"));
    fs::write(path("media.txt"), "avis.example\n").expect("written");
    fs::write(path("p.yaml"), &policy).expect("written");
    let config = format!(
        "policy: p.yaml\nlisten: unix:m.sock\nstore: s.db\nkeys: keys\nreinject: 127.0.0.1:10026\ndirectory:\n  ldap:\n    \
         urls: [ldap://127.0.0.1:{}]\n    base: dc=kommune,dc=example\n    bind_dn: {READER}\n    password_file: {}\n",
        slapd.port,
        password.display()
    );
    fs::write(path("c.yaml"), config).expect("written");
    let number = cpr_milter::cpr::made_up::number(5);
    let (date, serial) = number.split_at(6);
    let mail = format!(
        "From: a@kommune.example\r\nTo: anna@kommune.example\r\nSubject: Sag\r\n\r\nCPR-nr. {date}-{serial}\r\n"
    );
    fs::write(path("mail.eml"), mail).expect("written");
    let run = |words: &[&str]| {
        let out = command()
            .current_dir(folder.path())
            .args(words)
            .output()
            .expect("the binary runs");
        let said = [out.stdout, out.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), out.status.code())
    };
    let check = ["policy", "check", "p.yaml"];
    let lookup = ["--lookup", "--config", "c.yaml"];
    let explain = ["policy", "explain", "mail.eml", "--policy", "p.yaml"];
    let (said, status) = run(&check);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("group `team`: its members are not known here"), "{said}");
    let (said, status) = run(&[&check[..], &lookup].concat());
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("LDAP group `Aktindsigt-team`: 3 addresses") && !said.contains("not known"),
        "{said}"
    );
    let (said, _) = run(&explain);
    assert!(
        said.contains("not known here") && !said.contains("reject, by rule `team`"),
        "{said}"
    );
    let (said, _) = run(&[&explain[..], &lookup].concat());
    assert!(
        said.contains("reject, by rule `team`") && !said.contains("not known here"),
        "{said}"
    );
    slapd.down();
    let (said, status) = run(&[&check[..], &lookup].concat());
    assert_eq!(status, Some(3), "{said}");
    let (said, status) = run(&[&explain[..], &lookup].concat());
    assert!(
        status == Some(2) && said.contains("the gateway would answer 4xx"),
        "{said}"
    );
    // A failing test says what it does not know.
    fs::write(
        path("p.yaml"),
        policy.replace("y@post.example: log", "y@post.example: reject"),
    )
    .expect("written");
    let (said, status) = run(&["policy", "test", "p.yaml"]);
    assert!(
        status == Some(1) && said.contains("is not asked in tests: say it with `given`"),
        "{said}"
    );
}
