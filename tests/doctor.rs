//! `cpr-milter doctor` on real configurations of Postfix, read by the real `postconf`: `tests/doctor/faults.yaml` has one
//! fault each. For every one: exactly these findings; and after the lines that `--fix` prints were executed, none that a
//! command could have mended.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use tempfile::TempDir;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    fault: String,
    #[serde(default)]
    postconf: Vec<Vec<String>>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    index: BTreeMap<String, String>,
    #[serde(default)]
    ours: BTreeMap<String, serde_yaml::Value>,
    /// Mode of the socket, or `gone`.
    #[serde(default)]
    socket: Option<String>,
    find: Vec<String>,
    #[serde(default)]
    left: Vec<String>,
}

/// Configurations at once: most of the time goes into starting `postconf`.
const AT_ONCE: usize = 6;

/// One configuration in a folder of its own, with a socket that answers.
struct Place {
    folder: TempDir,
    _socket: Option<UnixListener>,
}

const MAIN: &str = "compatibility_level = 3.6
queue_directory = @DIR@/queue
data_directory = @DIR@/data
myhostname = mail.kommune.example
mydomain = kommune.example
myorigin = kommune.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
message_size_limit = 51200000
message_strip_characters = \\0
smtpd_forbid_bare_newline = normalize
milter_default_action = tempfail
milter_protocol = 6
smtpd_milters = unix:cpr-milter/milter.sock
non_smtpd_milters = $smtpd_milters
";

const REINJECT: &str = "127.0.0.1:10026 inet n - n - - smtpd
  -o smtpd_milters= -o mynetworks=127.0.0.0/8
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
";

const POLICY: &str = "version: 1
name: Prøve
owner: dpo@kommune.example
groups:
  inside: {domains: [kommune.example]}
rules:
  - id: outside
    title: CPR ud af huset
    when: {found: cpr, to: outside}
    then: quarantine
tests:
  - name: holdes
    from: anna@kommune.example
    to: borger@post.example
    text: \"Vedrører {cpr}\"
    expect: quarantine
...
";

impl Place {
    fn new(fault: &Fault) -> Place {
        let folder = tempfile::tempdir().expect("folder");
        let dir = folder.path();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).expect("mode");
        fs::create_dir_all(dir.join("queue/cpr-milter")).expect("queue");
        let master = fs::read_to_string("/usr/share/postfix/master.cf.dist").expect("Debian's master.cf");
        let socket = socket(&dir.join("queue/cpr-milter/milter.sock"), fault.socket.as_deref());
        let place = Place {
            folder,
            _socket: socket,
        };
        place.write("main.cf", MAIN);
        place.write("master.cf", &format!("{master}{REINJECT}"));
        place.write("policy.yaml", POLICY);
        place.write("cpr-milter.yaml", &place.ours(fault));
        for (name, text) in &fault.files {
            place.write(name, text);
        }
        for (program, table) in &fault.index {
            place.postfix(program, std::slice::from_ref(table));
        }
        for arguments in &fault.postconf {
            place.postfix("postconf", arguments);
        }
        place
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn with_dir(&self, text: &str) -> String {
        text.replace("@DIR@", &self.dir().display().to_string())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir().join(name), self.with_dir(text)).expect("written");
    }

    fn ours(&self, fault: &Fault) -> String {
        let base = "policy: policy.yaml\nlisten: unix:@DIR@/queue/cpr-milter/milter.sock\nstore: s.db\nkeys: keys\n\
                    reinject: 127.0.0.1:10026\n";
        let extra = match fault.ours.is_empty() {
            true => String::new(),
            false => serde_yaml::to_string(&fault.ours).expect("yaml"),
        };
        format!("{base}{extra}")
    }

    fn postfix(&self, program: &str, arguments: &[String]) {
        let arguments = arguments.iter().map(|argument| self.with_dir(argument));
        let mut command = Command::new(format!("/usr/sbin/{program}"));
        succeed(command.arg("-c").arg(self.dir()).args(arguments));
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cpr-milter"));
        command
            .arg("doctor")
            .arg("--config")
            .arg(self.dir().join("cpr-milter.yaml"));
        command.arg("--postfix").arg(self.dir()).args(arguments);
        command.output().expect("doctor")
    }

    /// The ids, sorted, repeats included.
    fn found(&self) -> Vec<String> {
        let output = self.doctor(&["--format", "json"]);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let id = |line: &str| {
            let finding: serde_json::Value = serde_json::from_str(line).expect("one object a line");
            finding["id"].as_str().expect("an id").to_owned()
        };
        let mut ids: Vec<String> = text.lines().map(id).collect();
        ids.sort();
        let expected = i32::from(!ids.is_empty());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(expected), "{ids:?} {said}");
        ids
    }

    /// Executes what `--fix` prints; returns it.
    fn mend(&self) -> String {
        let output = self.doctor(&["--fix"]);
        let script = String::from_utf8(output.stdout).expect("UTF-8");
        let mut shell = Command::new("sh");
        shell.args(["-euc", &script]).env("PATH", "/usr/sbin:/usr/bin:/bin");
        let said = succeed(&mut shell);
        assert!(!said.contains("unmatched"), "{script}{said}");
        script
    }
}

fn socket(path: &Path, mode: Option<&str>) -> Option<UnixListener> {
    if mode == Some("gone") {
        return None;
    }
    let socket = UnixListener::bind(path).expect("socket");
    let mode = u32::from_str_radix(mode.unwrap_or("0660"), 8).expect("octal");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
    chown(path, None, Some(postfix_group())).expect("run as root: the socket is given to Postfix's group");
    Some(socket)
}

fn postfix_group() -> u32 {
    let groups = fs::read_to_string("/etc/group").expect("groups");
    let line = groups.lines().find(|line| line.starts_with("postfix:"));
    let line = line.expect("Postfix is not installed: apt-get install postfix");
    line.split(':').nth(2).expect("gid").parse().expect("number")
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("program");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn faults() -> Vec<Fault> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/faults.yaml");
    serde_yaml::from_str(&fs::read_to_string(file).expect("table")).expect("sound table")
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

#[test]
fn every_fault_is_found_and_the_printed_lines_mend_it() {
    let faults = faults();
    assert!(faults.len() >= 60, "only {} faults", faults.len());
    let waiting = Mutex::new(faults.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(fault) = waiting.lock().expect("no panic under the lock").next() else {
                        return;
                    };
                    let problem = judge(fault).err();
                    wrong.lock().expect("no panic under the lock").extend(problem);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic under the lock");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn judge(fault: &Fault) -> Result<(), String> {
    let place = Place::new(fault);
    let found = place.found();
    if found != sorted(&fault.find) {
        return Err(format!("{}: found {found:?}, not {:?}", fault.fault, fault.find));
    }
    let script = place.mend();
    let left = place.found();
    if left != sorted(&fault.left) {
        let text = place.doctor(&[]).stdout;
        let text = String::from_utf8_lossy(&text).into_owned();
        return Err(format!("{}: after\n{script}still {left:?}\n{text}", fault.fault));
    }
    match fault.left.is_empty() || script.contains("# by hand: ") {
        true => Ok(()),
        false => Err(format!("{}: left without a word:\n{script}", fault.fault)),
    }
}
