//! One private world: Postfix on loopback, the milter and the courier beside it, the sink behind it, all in one folder
//! that goes when the world is dropped, also by a panic.

use crate::sink::Sink;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a world is made of.
pub struct Plan {
    /// File name in `tests/cases/policies`, or a path from the root.
    pub policy: String,
    /// Lines for main.cf.
    pub postfix: Vec<String>,
    /// The store on a disk of two megabytes.
    pub small_store: bool,
    /// Numbers of protected persons, one a line.
    pub people: String,
    /// A second Postfix, reached over TLS only, stands for the secure gateway `sikker_post`.
    pub gateway: bool,
    /// Lines for `people own`.
    pub owners: String,
    /// Without the milter: proves the harness itself.
    pub bare: bool,
}

/// A running world.
pub struct World {
    dir: tempfile::TempDir,
    plan: Plan,
    /// Where clients connect.
    pub smtp: u16,
    reinject: u16,
    /// Of the gateway.
    gateway: u16,
    /// What came out.
    pub sink: Sink,
    milter: Option<Child>,
    courier: Option<Child>,
    mounted: bool,
    /// Everything that commands printed, for the search for digits.
    pub printed: Vec<u8>,
}

impl World {
    pub fn start(plan: Plan) -> World {
        let sink = Sink::start();
        let (smtp, reinject) = free_ports();
        let (gateway, _) = free_ports();
        let dir = tempfile::Builder::new()
            .prefix("cpr-milter-test-")
            .tempdir()
            .expect("a temporary folder");
        let mut world = World {
            dir,
            plan,
            smtp,
            reinject,
            gateway,
            sink,
            milter: None,
            courier: None,
            mounted: false,
            printed: Vec::new(),
        };
        world.lay_out();
        if !world.plan.bare {
            world.prepare();
            world.start_milter();
            world.start_courier();
        }
        world.start_postfix();
        if world.plan.gateway {
            world.make_certificate("gateway.pem");
            world.start_gateway("gateway.pem");
        }
        world
    }

    /// The policy's name, for messages.
    pub fn name(&self) -> &str {
        &self.plan.policy
    }

    /// No milter in it.
    pub fn bare(&self) -> bool {
        self.plan.bare
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lay_out(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        // Postfix's processes walk through it.
        fs::set_permissions(self.dir.path(), fs::Permissions::from_mode(0o755)).expect("our folder");
        for folder in ["run", "store", "keys", "postfix"] {
            fs::create_dir(self.path(folder)).expect("our folder");
        }
        fs::set_permissions(self.path("run"), fs::Permissions::from_mode(0o755)).expect("our folder");
        if self.plan.small_store {
            let store = self.path("store");
            let store = store.to_str().expect("UTF-8");
            let mounted = Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs", store])
                .status();
            assert!(
                mounted.is_ok_and(|s| s.success()),
                "mount -t tmpfs failed; the test needs root and CAP_SYS_ADMIN"
            );
            self.mounted = true;
        }
        let policies = root().join("tests/cases/policies");
        copy_folder(&policies, &self.path("policies"));
        self.lay_policy(&self.plan.policy.clone());
        let config = format!(
            "policy: {dir}/policies/current.yaml\nlisten: unix:{dir}/run/milter.sock\nsocket_group: postfix\n\
             store: {dir}/store/cpr-milter.db\nkeys: {dir}/keys\nreinject: 127.0.0.1:{reinject}\n\
             hostname: mail.kommune.example\ntls_enforced: [tls.example]\nnotices: {{per_hour: 100000}}\n",
            dir = self.dir.path().display(),
            reinject = self.reinject
        );
        let config = match self.plan.gateway {
            false => config,
            true => format!(
                "{config}next_hops: {{sikkerpost.example: [digital.example]}}\ngateways:\n  sikker_post:\n    host: 127.0.0.1\n    \
                 port: {}\n    ca: {}/gateway.pem\n    certificate: sikkerpost.example\n",
                self.gateway,
                self.dir.path().display()
            ),
        };
        fs::write(self.path("cpr-milter.yaml"), config).expect("our folder");
    }

    fn lay_policy(&self, name: &str) {
        let source = if name.contains('/') {
            root().join(name)
        } else {
            root().join("tests/cases/policies").join(format!("{name}.yaml"))
        };
        if let (true, Some(beside)) = (name.contains('/'), source.parent()) {
            copy_folder(beside, &self.path("policies"));
        }
        fs::copy(&source, self.path("policies/current.yaml"))
            .unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    }

    fn prepare(&mut self) {
        let keys = self.path("keys");
        let out = command()
            .args(["keys", "init"])
            .arg(&keys)
            .output()
            .expect("the binary runs");
        assert!(
            out.status.success(),
            "keys init: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        if !self.plan.people.is_empty() {
            let people = self.plan.people.clone();
            let out = self.cli(&["people", "add"], &people);
            assert!(
                out.status.success(),
                "people add: {}",
                String::from_utf8_lossy(&out.stderr)
            );
        }
        if !self.plan.owners.is_empty() {
            let owners = self.plan.owners.clone();
            let out = self.cli(
                &[
                    "people",
                    "own",
                    "--actor",
                    "it@kommune.example",
                    "--reason",
                    "Sagssystem",
                ],
                &owners,
            );
            assert!(
                out.status.success(),
                "people own: {}{}",
                String::from_utf8_lossy(&out.stdout),
                String::from_utf8_lossy(&out.stderr)
            );
        }
    }

    /// A certificate of its own, in a file with its key.
    fn make_certificate(&self, name: &str) {
        let (pem, key) = (self.path(name), self.path("gateway.key"));
        let out = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args(["-days", "30", "-subj", "/CN=sikkerpost.example"])
            .args(["-addext", "subjectAltName=DNS:sikkerpost.example"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(key)
            .arg("-out")
            .arg(pem)
            .output()
            .expect("openssl runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// A Postfix of its own that takes nothing in clear, and hands on to the same outside world.
    fn start_gateway(&self, certificate: &str) {
        let (reinject, _) = free_ports();
        let folder = self.dir.path().display().to_string();
        let mut options = vec!["--smtp".to_owned(), self.gateway.to_string()];
        options.extend(["--reinject".to_owned(), reinject.to_string()]);
        options.extend(["--next-hop".to_owned(), self.sink.port.to_string()]);
        for setting in [
            "myhostname = sikkerpost.example",
            "smtpd_tls_security_level = encrypt",
            "smtpd_tls_received_header = yes",
            &format!("smtpd_tls_cert_file = {folder}/{certificate}"),
            &format!("smtpd_tls_key_file = {folder}/gateway.key"),
        ] {
            options.extend(["--set".to_owned(), setting.to_owned()]);
        }
        self.lab_in("gateway", "start", &options);
    }

    /// Runs a command of the binary on this world's configuration.
    pub fn cli(&mut self, words: &[&str], input: &str) -> Output {
        use std::io::Write;
        let mut child = command()
            .args(words)
            .arg("--config")
            .arg(self.path("cpr-milter.yaml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // A command that does not read its input closes it: no failure.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let out = child.wait_with_output().expect("the binary runs");
        self.printed.extend_from_slice(&out.stdout);
        self.printed.extend_from_slice(&out.stderr);
        out
    }

    fn daemon(&self, word: &str) -> Child {
        let log = |name: String| {
            let file = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.path(&name))
                .expect("our folder");
            Stdio::from(file)
        };
        command()
            .args([word, "--config"])
            .arg(self.path("cpr-milter.yaml"))
            .env("CPR_MILTER_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(log(format!("{word}.out")))
            .stderr(log(format!("{word}.log")))
            .spawn()
            .expect("the binary runs")
    }

    fn start_milter(&mut self) {
        self.milter = Some(self.daemon("run"));
        let socket = self.path("run/milter.sock");
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            let child = self.milter.as_mut().expect("just started");
            let ended = child.try_wait().expect("our child").is_some();
            if ended || Instant::now() > deadline {
                panic!("cpr-milter run does not listen:\n{}", self.log("run.log"));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn start_courier(&mut self) {
        let mut child = self.daemon("courier");
        std::thread::sleep(Duration::from_millis(200));
        let ended = child.try_wait().expect("our child").is_some();
        assert!(!ended, "cpr-milter courier ended at once:\n{}", self.log("courier.log"));
        self.courier = Some(child);
    }

    /// The end of one of the logs.
    pub fn log(&self, name: &str) -> String {
        let text = fs::read(self.path(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn lab(&self, word: &str, options: &[String]) {
        self.lab_in("postfix", word, options);
    }

    fn lab_in(&self, folder: &str, word: &str, options: &[String]) {
        let out = Command::new("bash")
            .arg(root().join("packaging/lab/postfix.sh"))
            .arg(word)
            .arg(self.path(folder))
            .args(options)
            .output()
            .expect("bash runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    fn start_postfix(&self) {
        let mut options = vec![
            "--smtp".to_owned(),
            self.smtp.to_string(),
            "--reinject".to_owned(),
            self.reinject.to_string(),
            "--next-hop".to_owned(),
            self.sink.port.to_string(),
        ];
        if !self.plan.bare {
            options.extend([
                "--milter".to_owned(),
                format!("unix:{}", self.path("run/milter.sock").display()),
            ]);
        }
        for setting in &self.plan.postfix {
            options.extend([
                "--set".to_owned(),
                setting.replace("{dir}", &self.dir.path().display().to_string()),
            ]);
        }
        self.lab("start", &options);
    }

    /// The `!` things of a dialogue.
    pub fn act(&mut self, what: &str) -> Result<(), String> {
        let words: Vec<&str> = what.split_whitespace().collect();
        match words.as_slice() {
            ["sleep", seconds] => {
                std::thread::sleep(Duration::from_millis(
                    (seconds.parse::<f64>().unwrap_or(1.0) * 1000.0) as u64,
                ));
            }
            _ if self.plan.bare => {}
            ["kill", "milter"] => stop(self.milter.take(), Signal::KILL)?,
            ["stop", "milter"] => stop(self.milter.take(), Signal::TERM)?,
            ["signal", "milter", "TERM"] => signal(self.milter.as_ref(), Signal::TERM)?,
            ["await", "milter"] => await_end(self.milter.take())?,
            ["start", "milter"] => self.start_milter(),
            ["stop", "courier"] => stop(self.courier.take(), Signal::TERM)?,
            ["kill", "courier"] => stop(self.courier.take(), Signal::KILL)?,
            ["start", "courier"] => self.start_courier(),
            ["stop", "postfix"] => self.lab("stop", &[]),
            ["start", "postfix"] => self.start_postfix(),
            ["stop", "gateway"] => self.lab_in("gateway", "stop", &[]),
            // Another one in its place: the name is right, and nobody whom the configuration trusts vouches for it.
            ["swap", "gateway"] => {
                self.lab_in("gateway", "stop", &[]);
                for name in ["pem", "key"] {
                    let from = self.path(&format!("gateway.{name}"));
                    fs::rename(from, self.path(&format!("trusted.{name}"))).map_err(|e| e.to_string())?;
                }
                self.make_certificate("gateway.pem");
                fs::rename(self.path("gateway.pem"), self.path("other.pem")).map_err(|e| e.to_string())?;
                self.start_gateway("other.pem");
                fs::copy(self.path("trusted.pem"), self.path("gateway.pem")).map_err(|e| e.to_string())?;
            }
            ["trusted", "gateway"] => {
                fs::copy(self.path("trusted.key"), self.path("gateway.key")).map_err(|e| e.to_string())?;
                self.start_gateway("gateway.pem");
            }
            ["policy", name] => {
                self.lay_policy(name);
                signal(self.milter.as_ref(), Signal::HUP)?;
                std::thread::sleep(Duration::from_millis(1500));
            }
            ["fill", "store"] => self.fill_store(),
            ["empty", "store"] => fs::remove_file(self.path("store/ballast")).map_err(|e| e.to_string())?,
            _ => return Err(format!("`! {what}` is none of the things that cases can do")),
        }
        Ok(())
    }

    fn fill_store(&self) {
        use std::io::Write;
        let mut file = fs::File::create(self.path("store/ballast")).expect("our folder");
        for size in [4096, 512, 1] {
            while file.write_all(&vec![0u8; size]).is_ok() {}
        }
    }

    /// What waits in Postfix's queue, as `postqueue -p` prints it; `None` when it is empty.
    pub fn queue(&self) -> Option<String> {
        let out = Command::new("postqueue")
            .arg("-c")
            .arg(self.path("postfix/etc"))
            .arg("-p")
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        (!text.contains("Mail queue is empty")).then_some(text)
    }

    /// Runs sendmail(1) on this Postfix.
    pub fn sendmail(&self, from: &str, to: &[String], mail: &[u8]) -> Result<(), String> {
        use std::io::Write;
        let mut child = Command::new("sendmail")
            .arg("-C")
            .arg(self.path("postfix/etc"))
            .args(["-i", "-f", if from.is_empty() { "<>" } else { from }, "--"])
            .args(to)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("sendmail: {error}"))?;
        let unix_lines = String::from_utf8_lossy(mail).replace("\r\n", "\n");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(unix_lines.as_bytes())
            .map_err(|error| error.to_string())?;
        let out = child.wait_with_output().map_err(|error| error.to_string())?;
        out.status
            .success()
            .then_some(())
            .ok_or_else(|| String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Each by its own process id or pid file; a failure here must not hide the test's own.
        let _ = stop(self.milter.take(), Signal::TERM);
        let _ = stop(self.courier.take(), Signal::TERM);
        let script = root().join("packaging/lab/postfix.sh");
        let _ = Command::new("bash")
            .arg(script)
            .arg("stop")
            .arg(self.path("postfix"))
            .output();
        if self.plan.gateway {
            let _ = Command::new("bash")
                .arg(root().join("packaging/lab/postfix.sh"))
                .arg("stop")
                .arg(self.path("gateway"))
                .output();
        }
        if self.mounted {
            let _ = Command::new("umount").arg(self.path("store")).status();
        }
        if std::env::var_os("CPR_LAB_KEEP").is_some() {
            eprintln!("kept: {}", self.dir.path().display());
            self.dir.disable_cleanup(true);
        }
    }
}

fn signal(child: Option<&Child>, signal: Signal) -> Result<(), String> {
    let child = child.ok_or("it does not run")?;
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or("no process id")?;
    kill_process(pid, signal).map_err(|error| error.to_string())
}

fn stop(child: Option<Child>, with: Signal) -> Result<(), String> {
    if child.is_none() {
        return Ok(());
    }
    signal(child.as_ref(), with)?;
    await_end(child)
}

fn await_end(child: Option<Child>) -> Result<(), String> {
    let Some(mut child) = child else { return Ok(()) };
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err("it did not end within 30 seconds of the signal".to_owned())
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy_folder(from: &Path, to: &Path) {
    let _ = fs::create_dir_all(to);
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("our folder");
        }
    }
}

/// Two ports that nobody listens on, below those that the system gives to outgoing connections (so that none of these
/// takes one before Postfix does), and no two worlds the same.
fn free_ports() -> (u16, u16) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id() % 10_000;
    let mut free = std::iter::repeat_with(|| {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000;
        u16::try_from(port).expect("below 32000")
    })
    .filter(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    let mut port = || free.next().expect("endless");
    (port(), port())
}
