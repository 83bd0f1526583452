//! The administrator's file: one YAML file, every key with a default but the paths.
//!
//! Who may mail what stands in the policy, which is another person's file. A file that cannot be read keeps a starting
//! daemon from starting and a running one on the configuration it has.

mod console;
mod directory;
mod ways;

pub use console::{Console, ConsoleAt, SecondFactor};
pub use directory::{Directory, Ldap};
pub use ways::{next_hops, tls_enforced};

use crate::content::Limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// `cpr-milter.yaml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The policy file.
    pub policy: PathBuf,
    /// Where Postfix reaches us: `unix:/path` or `inet:127.0.0.1:PORT` (loopback only).
    pub listen: String,
    /// Mode of the UNIX socket, octal as text.
    #[serde(default = "socket_mode")]
    pub socket_mode: String,
    /// Group of the UNIX socket.
    #[serde(default)]
    pub socket_group: Option<String>,
    /// The SQLite file.
    pub store: PathBuf,
    /// Folder with `store.pub`, `store.key` (courier and reviewers only) and `hash.key`.
    pub keys: PathBuf,
    /// SMTP listener without the milter, for what we send: `127.0.0.1:10026`.
    pub reinject: String,
    /// Our name in EHLO, notices and message IDs.
    #[serde(default = "hostname")]
    pub hostname: String,
    /// From header of notices.
    #[serde(default)]
    pub notices: Notices,
    /// Domains (with all below them) to which the administrator enforces TLS in Postfix.
    #[serde(default)]
    pub tls_enforced: Vec<String>,
    /// Hosts to which Postfix hands mail for these domains (with all below them), as `transport_maps` says.
    #[serde(default)]
    pub next_hops: BTreeMap<String, Vec<String>>,
    /// Secure gateways that a policy may send mail through, by name.
    #[serde(default)]
    pub gateways: BTreeMap<String, Gateway>,
    /// The session.
    #[serde(default)]
    pub milter: Milter,
    /// The inspection.
    #[serde(default)]
    pub limits: Limits,
    /// Programs that read what we do not.
    #[serde(default)]
    pub programs: Programs,
    /// Worker processes.
    #[serde(default)]
    pub workers: Workers,
    /// Retention.
    #[serde(default)]
    pub retention: Retention,
    /// The reviewers' web pages.
    #[serde(default)]
    pub console: Console,
    /// Groups that policies name and do not list.
    #[serde(default)]
    pub directory: Directory,
}

/// Notices to senders.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notices {
    /// From header; `cpr-milter@HOSTNAME` when empty.
    pub from: String,
    /// Folder with changed templates; the built-in ones where a file is missing.
    pub templates: Option<PathBuf>,
    /// At most so many an hour to one sender; then one summary.
    pub per_hour: u32,
}

/// A secure gateway: mail goes there over TLS with a certificate that is checked, or waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Name or address.
    pub host: String,
    /// SMTP port.
    #[serde(default = "smtp_port")]
    pub port: u16,
    /// How TLS begins.
    #[serde(default)]
    pub tls: GatewayTls,
    /// File of certificates (PEM) that its own must lead to; the system's when left out.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The name in its certificate, when it is not `host`.
    #[serde(default)]
    pub certificate: Option<String>,
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayTls {
    /// By STARTTLS (RFC 3207); not offered is a failure.
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Implicit,
}

/// The milter session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Milter {
    /// Connections at once: at least Postfix's smtpd and cleanup processes and a quarter more.
    pub connections: usize,
    /// Seconds a new connection may stay silent.
    pub first_command_seconds: u64,
    /// Seconds for one message at its end; below Postfix's `milter_content_timeout` (300).
    pub deadline_seconds: u64,
    /// Seconds between *progress* replies.
    pub progress_seconds: u64,
    /// Bytes of a message kept in memory; above it goes to an unlinked file.
    pub spool_memory: u64,
    /// Bytes of all messages in hand; above it new ones get 451.
    pub spool_total: u64,
    /// Postfix's `message_size_limit`, so that an edit never makes a mail too large.
    pub message_size_limit: u64,
}

/// Programs that are used when they are installed. What they would have read is a doubt otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Programs {
    /// Whether text in pictures is looked for.
    pub ocr: Ocr,
    /// Debian's `tesseract-ocr`.
    pub tesseract: PathBuf,
    /// Languages as Tesseract names them, joined with `+`; those that are not installed are left out.
    pub languages: String,
    /// Seconds for all pictures of one mail, those painted over in its redacted copy included.
    pub ocr_seconds: u32,
    /// Pixels of one picture; larger ones are not read.
    pub ocr_pixels: u64,
    /// Debian's `libarchive-tools`, for RAR and other archives without a reader of ours.
    pub bsdtar: PathBuf,
    /// Debian's `poppler-utils`: draws the pages of PDF documents that have to be read as pictures.
    pub pdftoppm: PathBuf,
}

/// Whether pictures are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ocr {
    /// When the program is there.
    Auto,
    /// Never.
    Off,
}

impl Default for Programs {
    fn default() -> Programs {
        Programs {
            ocr: Ocr::Auto,
            tesseract: PathBuf::from("/usr/bin/tesseract"),
            languages: "dan+eng".to_owned(),
            ocr_seconds: 8,
            ocr_pixels: 40_000_000,
            bsdtar: PathBuf::from("/usr/bin/bsdtar"),
            pdftoppm: PathBuf::from("/usr/bin/pdftoppm"),
        }
    }
}

/// Worker processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// How many at once; 0 means one a core.
    pub count: usize,
    /// Mails after which a worker is replaced, so that no leak lives long.
    pub mails: u32,
    /// Address space of one worker, bytes.
    pub memory: u64,
}

/// How long things are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days for content (at most 30).
    pub content_days: u32,
    /// Days for findings.
    pub findings_days: u32,
}

/// Why a configuration cannot be used, in one or two lines for the administrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {problem}", .place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default())]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// Line and column, from 1, when known.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do.
    pub problem: String,
}

/// More connections or workers than this are a slip of the keyboard.
const MOST: usize = 100_000;

impl Config {
    /// Reads and checks the file. Relative paths in it count from the file's folder.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        let fail = |problem: String| ConfigError {
            file: file.clone(),
            place: None,
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            fail(format!(
                "cannot be read: {error}; check its place (`--config FILE`), owner and mode"
            ))
        })?;
        let mut config: Config = serde_yaml::from_str(&text).map_err(|error| {
            let place = error.location().map(|at| (at.line(), at.column()));
            let problem = error.to_string();
            // The place stands in front already.
            let mut problem = problem.split(" at line ").next().unwrap_or(&problem).to_owned();
            problem.push_str("; the cpr-milter.yaml that is shipped shows every key");
            ConfigError {
                file: file.clone(),
                place,
                problem,
            }
        })?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.check().map_err(fail)?;
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        for path in [&mut self.policy, &mut self.store, &mut self.keys] {
            *path = folder.join(&path);
        }
        if let Some(templates) = &mut self.notices.templates {
            *templates = folder.join(&templates);
        }
        self.directory.resolve(folder);
        for ca in self.gateways.values_mut().filter_map(|gateway| gateway.ca.as_mut()) {
            *ca = folder.join(&ca);
        }
    }

    fn check(&self) -> Result<(), String> {
        self.reinject_address()?;
        let milter = &self.milter;
        if milter.connections == 0 {
            return Err("milter.connections is 0: no mail could be read; leave it out for 250".to_owned());
        }
        if milter.connections > MOST || self.workers.count > MOST {
            return Err(format!("milter.connections and workers.count are {MOST} at most"));
        }
        if milter.spool_total < milter.message_size_limit.saturating_mul(2) {
            return Err(
                "milter.spool_total must be at least twice milter.message_size_limit: a mail of that size would get \
                 451 for ever"
                    .to_owned(),
            );
        }
        if milter.deadline_seconds >= 300 {
            return Err(
                "milter.deadline_seconds must stay below Postfix's milter_content_timeout of 300 s: after it \
                        Postfix has answered the client, and a hold would be of a mail that is sent again"
                    .to_owned(),
            );
        }
        if milter.progress_seconds == 0 || milter.progress_seconds > 100 {
            return Err("milter.progress_seconds must be between 1 and 100".to_owned());
        }
        for (name, gateway) in &self.gateways {
            if gateway.host.trim().is_empty() || gateway.host.contains([':', '/', ' ']) && !gateway.host.contains("::")
            {
                return Err(format!(
                    "gateways.{name}.host is a name or an address alone; the port has its own key"
                ));
            }
        }
        if !(1..=30).contains(&self.retention.content_days) {
            return Err("retention.content_days must be between 1 and 30".to_owned());
        }
        let mut languages = self.programs.languages.chars();
        if !languages.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+')) {
            return Err("programs.languages is a list such as dan+eng (`tesseract --list-langs` shows all)".to_owned());
        }
        self.console.check()?;
        self.directory.check()?;
        if u64::from(self.limits.seconds) + 20 > milter.deadline_seconds {
            return Err("limits.seconds must be at least 20 below milter.deadline_seconds".to_owned());
        }
        Ok(())
    }

    /// `reinject:` as an address.
    ///
    /// # Errors
    /// When it is not `ADDRESS:PORT` on loopback.
    pub fn reinject_address(&self) -> Result<SocketAddr, String> {
        let address: Option<SocketAddr> = self.reinject.parse().ok();
        address.filter(|address| address.ip().is_loopback()).ok_or_else(|| {
            format!(
                "reinject: `{}` is not a loopback ADDRESS:PORT such as 127.0.0.1:10026",
                self.reinject
            )
        })
    }
}

fn smtp_port() -> u16 {
    25
}

fn socket_mode() -> String {
    "0660".to_owned()
}

fn hostname() -> String {
    "localhost".to_owned()
}

impl Default for Notices {
    fn default() -> Notices {
        Notices {
            from: String::new(),
            templates: None,
            per_hour: 20,
        }
    }
}

impl Default for Milter {
    fn default() -> Milter {
        Milter {
            connections: 250,
            first_command_seconds: 10,
            deadline_seconds: 200,
            progress_seconds: 10,
            spool_memory: 256 << 10,
            spool_total: 1 << 30,
            message_size_limit: 51_200_000,
        }
    }
}

impl Default for Workers {
    fn default() -> Workers {
        Workers {
            count: 0,
            mails: 200,
            memory: 2 << 30,
        }
    }
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            content_days: 14,
            findings_days: 90,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(extra: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cpr-milter.yaml");
        let base = "policy: p.yaml\nlisten: unix:/run/x.sock\nstore: s.db\nkeys: keys\nreinject: 127.0.0.1:10026\n";
        std::fs::write(&path, format!("{base}{extra}")).expect("written");
        Config::load(&path)
    }

    #[test]
    fn defaults_are_sound_and_paths_count_from_the_file() {
        let config = load("").expect("defaults");
        assert!(config.policy.is_absolute() && config.policy.ends_with("p.yaml"));
    }

    #[test]
    fn the_shipped_file_is_sound_and_holds_every_key_with_its_default() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/cpr-milter.yaml");
        let config = Config::load(&shipped).expect("shipped file");
        let text = std::fs::read_to_string(&shipped).expect("text");
        let all = serde_yaml::to_value(&config).expect("keys");
        for (key, value) in all.as_mapping().expect("a mapping") {
            let key = key.as_str().expect("a word");
            assert!(text.contains(&format!("{key}:")), "{key} is missing");
            for inner in value
                .as_mapping()
                .into_iter()
                .flatten()
                .filter_map(|(inner, _)| inner.as_str())
            {
                assert!(text.contains(&format!(" {inner}:")), "{key}.{inner} is missing");
            }
        }
        let defaults = load("").expect("defaults");
        for (shipped, default) in [
            (
                serde_yaml::to_value(&config.milter),
                serde_yaml::to_value(&defaults.milter),
            ),
            (
                serde_yaml::to_value(&config.limits),
                serde_yaml::to_value(&defaults.limits),
            ),
            (
                serde_yaml::to_value(&config.programs),
                serde_yaml::to_value(&defaults.programs),
            ),
            (
                serde_yaml::to_value(&config.workers),
                serde_yaml::to_value(&defaults.workers),
            ),
            (
                serde_yaml::to_value(&config.console),
                serde_yaml::to_value(&defaults.console),
            ),
            (
                serde_yaml::to_value(&config.retention),
                serde_yaml::to_value(&defaults.retention),
            ),
            (
                serde_yaml::to_value(&config.directory),
                serde_yaml::to_value(&defaults.directory),
            ),
        ] {
            assert_eq!(shipped.expect("value"), default.expect("value"));
        }
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        let error = load("milter:\n  conections: 3\n").expect_err("unknown key");
        assert_eq!(error.place.map(|(line, _)| line), Some(7));
        assert!(error.to_string().contains("conections"), "{error}");
    }

    #[test]
    fn the_console_listens_on_loopback_or_a_socket_and_trusts_a_header_there_alone() {
        assert_eq!(load("").expect("defaults").console.place(), Ok(None));
        assert!(load("console: {listen: '127.0.0.1:8025'}\n").is_ok());
        assert!(load("console: {listen: 'unix:/run/x.sock', trusted_header: X-Remote-User}\n").is_ok());
        for wrong in [
            "{listen: '0.0.0.0:8025'}",
            "{listen: 'unix:x.sock'}",
            "{listen: '127.0.0.1:8025', trusted_header: X-Remote-User}",
            "{listen: '127.0.0.1:8025', idle_minutes: 0}",
            "{address: desk.kommune.example}",
        ] {
            assert!(load(&format!("console: {wrong}\n")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_loopback_is_sent_to() {
        let mut config = load("").expect("defaults");
        config.reinject = "192.0.2.1:25".to_owned();
        assert!(config.reinject_address().is_err());
    }
}
