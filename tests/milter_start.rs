//! What an administrator can get wrong: each mistake keeps `cpr-milter run` from starting, in one sentence with what to do,
//! and a running one on what it has.

use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NOBODY: u32 = 65_534;

/// A sound installation in a folder.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("folder"));
        mode(place.0.path(), 0o755);
        for folder in ["store", "run", "keys"] {
            fs::create_dir(place.path(folder)).expect("folder");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(
            root.join("tests/cases/policies/standard.yaml"),
            place.path("policy.yaml"),
        )
        .expect("policy");
        let made = command().args(["keys", "init"]).arg(place.path("keys")).output();
        assert!(made.expect("the binary runs").status.success());
        place.configure("");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, more: &str) {
        let listen = format!("listen: unix:{}\n", self.path("run/m.sock").display());
        let listen = if more.contains("listen:") { "" } else { &listen };
        let paths = "policy: policy.yaml\nstore: store/s.db\nkeys: keys\nreinject: 127.0.0.1:10026\n";
        self.write("c.yaml", &format!("{paths}{listen}{more}"));
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn run(&self) -> Command {
        let mut run = command();
        run.args(["run", "--config"]).arg(self.path("c.yaml"));
        run.env("CPR_MILTER_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        run
    }

    /// Everything belongs to an ordinary user, who runs it.
    fn to_nobody(&self) {
        for name in [
            "",
            "store",
            "run",
            "keys",
            "keys/hash.key",
            "keys/store.pub",
            "c.yaml",
            "policy.yaml",
        ] {
            chown(self.path(name), Some(NOBODY), Some(NOBODY)).expect("chown");
        }
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("mode");
}

/// Status 2 within ten seconds, and words on standard error that hold these; says how many lines.
fn refuses(what: &str, mut run: Command, words: &[&str]) -> usize {
    run.env("CPR_MILTER_LOG", "error").stderr(Stdio::piped());
    let mut child = run.spawn().expect("the binary runs");
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.try_wait().expect("our child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("ours");
            panic!("{what}: it serves");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let out = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{what}: {said}");
    assert!(said.starts_with("cpr-milter: "), "{what}: {said}");
    for word in words {
        assert!(said.contains(word), "{what} does not say {word:?}: {said}");
    }
    said.lines().count()
}

fn one_sentence(what: &str, run: Command, words: &[&str]) {
    assert_eq!(refuses(what, run, words), 1, "{what}: one line");
}

#[test]
fn each_mistake_of_an_administrator_is_said_in_one_sentence_with_its_remedy() {
    type Mistake = (&'static str, fn(&Place), &'static [&'static str]);
    let mistakes: &[Mistake] = &[
        (
            "no configuration",
            |p| fs::remove_file(p.path("c.yaml")).expect("there"),
            &["c.yaml", "--config"],
        ),
        (
            "an empty configuration",
            |p| p.write("c.yaml", ""),
            &["policy", "shipped"],
        ),
        (
            "half a configuration",
            |p| p.write("c.yaml", "policy: policy.yaml\nlis"),
            &["c.yaml:3", "shipped"],
        ),
        (
            "no text",
            |p| fs::write(p.path("c.yaml"), b"\xff\xfe").expect("written"),
            &["UTF-8"],
        ),
        (
            "a wrong key",
            |p| p.configure("milter: {conections: 3}\n"),
            &["c.yaml:6", "connections"],
        ),
        (
            "no connections",
            |p| p.configure("milter: {connections: 0}\n"),
            &["connections is 0", "leave it out"],
        ),
        (
            "too many connections",
            |p| p.configure("milter: {connections: 9999999999}\n"),
            &["100000 at most"],
        ),
        (
            "no room",
            |p| p.configure("milter: {spool_total: 1000}\n"),
            &["spool_total", "at least twice"],
        ),
        (
            "a public port",
            |p| p.configure("listen: inet:0.0.0.0:8890\n"),
            &["other machines", "UNIX socket"],
        ),
        (
            "no group",
            |p| p.configure("socket_group: no-such-group\n"),
            &["socket_group", "no-such-group"],
        ),
        (
            "no policy",
            |p| fs::remove_file(p.path("policy.yaml")).expect("there"),
            &["policy.yaml", "check the name"],
        ),
        (
            "no keys",
            |p| fs::remove_dir_all(p.path("keys")).expect("there"),
            &["store.pub", "keys init"],
        ),
        (
            "no hash key",
            |p| fs::remove_file(p.path("keys/hash.key")).expect("there"),
            &["hash.key", "backup"],
        ),
        (
            "a key for all",
            |p| mode(&p.path("keys/hash.key"), 0o644),
            &["hash.key", "chmod 0640"],
        ),
        (
            "another hash key",
            |p| {
                make_its_store(p);
                p.write("keys/hash.key", &format!("{}\n", "0a".repeat(32)));
            },
            &["hash.key", "backup"],
        ),
        (
            "no folder for the store",
            |p| fs::remove_dir(p.path("store")).expect("there"),
            &["does not exist", "make it"],
        ),
        (
            "a store that is none",
            |p| p.write("store/s.db", &"no database ".repeat(20)),
            &["no store of ours", "restore"],
        ),
        (
            "no folder for the socket",
            |p| fs::remove_dir(p.path("run")).expect("there"),
            &["make its folder"],
        ),
        (
            "a file for a socket",
            |p| p.write("run/m.sock", ""),
            &["no socket", "move it away"],
        ),
        (
            "a long path",
            |p| p.configure(&format!("listen: unix:/tmp/{}\n", "x".repeat(110))),
            &["too long", "96"],
        ),
    ];
    for (what, spoil, words) in mistakes {
        let place = Place::new();
        spoil(&place);
        one_sentence(what, place.run(), words);
    }
}

/// Starts it for long enough to make its store.
fn make_its_store(place: &Place) {
    Daemon::start(place, Stdio::null()).stop();
}

fn await_path(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends with the test, also with one that fails.
struct Daemon(Child);

impl Daemon {
    fn start(place: &Place, log: impl Into<Stdio>) -> Daemon {
        let daemon = Daemon(place.run().stderr(log).spawn().expect("the binary runs"));
        await_path(&place.path("run/m.sock"));
        daemon
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().cast_signed()).expect("a process");
        kill_process(pid, signal).expect("signal");
    }

    fn stop(mut self) {
        self.signal(Signal::TERM);
        assert!(self.0.wait().expect("our child").success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_policy_with_a_mistake_is_shown_with_its_place() {
    let place = Place::new();
    for (text, words) in [
        ("", ["policy.yaml:1:1", "begin with"]),
        (
            "version: 1\nrules:\n  - id: a\n    then: quarantin\n",
            ["policy.yaml:4", "quarantine"],
        ),
        (
            "version: 1\nrules:\n  - {id: a, when: {found: cp",
            ["policy.yaml:3:19", "bracket is not closed"],
        ),
    ] {
        place.write("policy.yaml", text);
        refuses(text, place.run(), &words);
    }
}

#[test]
fn two_at_one_socket_or_port_are_one_too_many() {
    let place = Place::new();
    let first = Daemon::start(&place, Stdio::null());
    one_sentence("the socket is taken", place.run(), &["in use", "stop the other"]);
    first.stop();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    place.configure(&format!("listen: inet:{}\n", taken.local_addr().expect("address")));
    one_sentence("the port is taken", place.run(), &["another port"]);
}

/// Owners and modes say nothing to root: these run as an ordinary user.
#[test]
fn wrong_owners_are_said_in_one_sentence_too() {
    assert!(geteuid().is_root(), "run as root: it changes owners and users");
    type Mistake = (&'static str, fn(&Place), &'static [&'static str]);
    let mistakes: &[Mistake] = &[
        (
            "a configuration for root",
            |p| {
                chown(p.path("c.yaml"), Some(0), Some(0)).expect("chown");
                mode(&p.path("c.yaml"), 0o600);
            },
            &["c.yaml", "owner and mode"],
        ),
        (
            "a key for root",
            |p| {
                chown(p.path("keys/hash.key"), Some(0), Some(0)).expect("chown");
            },
            &["hash.key", "owner and group"],
        ),
        (
            "a key of somebody else",
            |p| {
                chown(p.path("keys/store.pub"), Some(1_234), Some(0)).expect("chown");
            },
            &["store.pub", "chown"],
        ),
        (
            "a store folder of root",
            |p| chown(p.path("store"), Some(0), Some(0)).expect("chown"),
            &["owner and mode"],
        ),
        (
            "a store of root",
            |p| {
                p.write("store/s.db", "");
                mode(&p.path("store/s.db"), 0o600);
            },
            &["owner and mode"],
        ),
        (
            "a socket folder of root",
            |p| chown(p.path("run"), Some(0), Some(0)).expect("chown"),
            &["run/m.sock", "write"],
        ),
        (
            "a group of others",
            |p| p.configure("socket_group: daemon\n"),
            &["socket_group", "add the user"],
        ),
        (
            "a port for root",
            |p| p.configure("listen: inet:127.0.0.1:79\n"),
            &["127.0.0.1:79", "above 1023"],
        ),
    ];
    for (what, spoil, words) in mistakes {
        let place = Place::new();
        place.to_nobody();
        spoil(&place);
        let mut run = place.run();
        run.uid(NOBODY).gid(NOBODY);
        one_sentence(what, run, words);
    }
}

#[test]
fn a_reload_that_fails_keeps_what_is_in_force_and_the_next_good_one_is_taken() {
    let place = Place::new();
    let log = fs::File::create(place.path("log")).expect("log");
    let daemon = Daemon::start(&place, log);
    let policy = fs::read_to_string(place.path("policy.yaml")).expect("policy");
    let config = fs::read_to_string(place.path("c.yaml")).expect("configuration");
    let spoilt: [(&str, Option<&str>); 7] = [
        ("policy.yaml", None),
        ("policy.yaml", Some("")),
        ("policy.yaml", Some(&policy[..policy.len() / 2 - 3])),
        ("policy.yaml", Some("version: 1\nrules: []\n")),
        ("c.yaml", None),
        ("c.yaml", Some(&config[..30])),
        ("c.yaml", Some("listen: inet:0.0.0.0:1\n")),
    ];
    let said = |words: &str| {
        let log = fs::read_to_string(place.path("log")).expect("log");
        log.lines().filter(|line| line.contains(words)).count()
    };
    for (i, (name, text)) in spoilt.into_iter().enumerate() {
        match text {
            Some(text) => place.write(name, text),
            None => fs::remove_file(place.path(name)).expect("there"),
        }
        daemon.signal(Signal::HUP);
        let deadline = Instant::now() + Duration::from_secs(10);
        while said("not reloaded, the old configuration and policy stay in force") <= i {
            assert!(Instant::now() < deadline, "{name} as {text:?} is in force");
            std::thread::sleep(Duration::from_millis(10));
        }
        place.write("policy.yaml", &policy);
        place.write("c.yaml", &config);
    }
    assert_eq!(said(" reloaded policy="), 0);
    daemon.signal(Signal::HUP);
    let deadline = Instant::now() + Duration::from_secs(10);
    while said(" reloaded policy=") == 0 {
        assert!(Instant::now() < deadline, "the good ones are not taken");
        std::thread::sleep(Duration::from_millis(10));
    }
    daemon.stop();
}
