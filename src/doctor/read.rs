//! Asks `postconf`, `postmap`, `systemctl` and the file system. Reads only.

use super::facts::{Facts, House, Postfix, Reached, Step};
use super::routes;
use super::tables::{self, How, Listing};
use crate::config::Config;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Tables are read up to this size; a larger one is told as not listed.
const MOST: u64 = 64 << 20;
/// A union within a union within …
const DEPTH: usize = 4;

/// Why there is nothing to examine.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The program is not there.
    #[error("{program} cannot be run: {error}; is Postfix installed here? (Debian: apt-get install postfix)")]
    Absent {
        /// Its name.
        program: String,
        /// The system's word.
        error: std::io::Error,
    },
    /// It said no.
    #[error("{program} failed: {said}; check the folder given with --postfix, or run doctor as root")]
    Failed {
        /// Its name and arguments.
        program: String,
        /// Its last line.
        said: String,
    },
    /// The administrator's file does not fit.
    #[error("{0}")]
    House(String),
}

/// One Postfix.
pub struct Reader {
    folder: Option<PathBuf>,
    postmap: PathBuf,
}

impl Reader {
    /// `folder`: of `main.cf`; Postfix's own when none.
    pub fn new(folder: Option<PathBuf>, postmap: &Path) -> Reader {
        Reader {
            folder,
            postmap: postmap.to_owned(),
        }
    }

    /// Everything, in one go.
    ///
    /// # Errors
    /// When Postfix does not say how it is set.
    pub fn facts<'a>(&self, config: &Config, inside: &'a dyn Fn(&str) -> bool) -> Result<Facts<'a>, Unread> {
        let main = self.postconf(&["-x"])?;
        let postfix = Postfix::parse(
            &stdout(&main),
            &stdout(&self.postconf(&[])?),
            &stdout(&self.postconf(&["-M"])?),
            &stdout(&self.postconf(&["-Px"])?),
            &String::from_utf8_lossy(&main.stderr),
        );
        let named = routes::tables(&postfix).into_iter().map(|(_, table)| table);
        let tables: BTreeMap<String, Listing> = named.map(|table| (table.clone(), self.table(&table, DEPTH))).collect();
        Ok(Facts {
            socket: reached(&config.listen, &postfix),
            house: house(config)?,
            open_files: open_files(),
            rspamd_signs: Path::new("/etc/rspamd/local.d/dkim_signing.conf").exists(),
            postfix,
            tables,
            inside,
        })
    }

    fn postconf(&self, arguments: &[&str]) -> Result<Output, Unread> {
        // Beside postmap, where a shell without /usr/sbin in its path does not look.
        let beside = self.postmap.with_file_name("postconf");
        let program = if beside.exists() {
            beside
        } else {
            PathBuf::from("postconf")
        };
        self.run(&program, arguments)
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Result<Output, Unread> {
        let name = program.display().to_string();
        let mut command = Command::new(program);
        if let Some(folder) = &self.folder {
            command.arg("-c").arg(folder);
        }
        let output = command.args(arguments).env("LC_ALL", "C").output();
        let output = output.map_err(|error| Unread::Absent {
            program: name.clone(),
            error,
        })?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Unread::Failed {
            program: name,
            said: said.lines().last().unwrap_or("it said nothing").to_owned(),
        })
    }

    fn table(&self, table: &str, depth: usize) -> Listing {
        match tables::how(table) {
            How::Inline(entries) => Listing::Entries(entries),
            How::Text(name) => text(name, tables::text),
            How::Patterns(name) => text(name, tables::patterns),
            How::Indexed(name) => self.indexed(table, name),
            How::Several(_) if depth == 0 => Listing::Unlisted("it is nested too deep".to_owned()),
            How::Several(parts) => self.several(&parts, depth - 1),
            How::Asked => Listing::Unlisted("tables of its type are asked for one key at a time".to_owned()),
        }
    }

    fn several(&self, parts: &[String], depth: usize) -> Listing {
        let mut all = Vec::new();
        for part in parts {
            match self.table(part, depth) {
                Listing::Entries(entries) => all.extend(entries),
                unlisted => return unlisted,
            }
        }
        Listing::Entries(all)
    }

    /// What Postfix reads is the index; its text may be newer or gone. `cdb` has no order to list by.
    fn indexed(&self, table: &str, name: &str) -> Listing {
        let table = table.strip_prefix("proxy:").unwrap_or(table);
        let pair = |line: &str| {
            let (key, value) = line.split_once('\t')?;
            // Marks of postalias(1), no aliases.
            let mark = key == "@" && value == "@" || key.starts_with("YP_");
            (!mark).then(|| (key.to_owned(), value.to_owned()))
        };
        match self.run(&self.postmap, &["-s", table]) {
            Ok(output) => Listing::Entries(included(stdout(&output).lines().filter_map(pair).collect())),
            Err(Unread::Failed { said, .. }) => match text(name, tables::text) {
                Listing::Unlisted(why) => Listing::Unlisted(format!("{said}; {why}")),
                listed => listed,
            },
            Err(error) => Listing::Unlisted(error.to_string()),
        }
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(name: &str, read: fn(&str) -> Vec<(String, String)>) -> Listing {
    match bounded(Path::new(name)) {
        Ok(text) => Listing::Entries(included(read(&text))),
        Err(why) => Listing::Unlisted(why),
    }
}

fn bounded(path: &Path) -> Result<String, String> {
    let fail = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let size = std::fs::metadata(path).map_err(fail)?.len();
    if size > MOST {
        return Err(format!("{} is larger than {MOST} bytes", path.display()));
    }
    let bytes = std::fs::read(path).map_err(fail)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// aliases(5): `:include:/file` stands for the addresses in it.
fn included(entries: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut all = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let files = value
            .split(',')
            .filter_map(|target| target.trim().trim_matches('"').strip_prefix(":include:"));
        for file in files {
            let text = bounded(Path::new(file.trim())).unwrap_or_default();
            let lines = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'));
            all.extend(lines.map(|line| (key.clone(), line.to_owned())));
        }
        all.push((key, value));
    }
    all
}

fn house(config: &Config) -> Result<House, Unread> {
    Ok(House {
        listen: config.listen.clone(),
        reinject: config.reinject_address().map_err(Unread::House)?,
        connections: u64::try_from(config.milter.connections).unwrap_or(u64::MAX),
        deadline: config.milter.deadline_seconds,
        size: config.milter.message_size_limit,
        vouches: !config.tls_enforced.is_empty(),
    })
}

fn reached(listen: &str, postfix: &Postfix) -> Reached {
    let Some(path) = listen.strip_prefix("unix:") else {
        return reached_tcp(listen);
    };
    if let Err(error) = UnixStream::connect(path) {
        return match error.kind() {
            ErrorKind::PermissionDenied => Reached::Unknown(format!("{path}: {error}")),
            _ => Reached::Missing(error.to_string()),
        };
    }
    let mut way = Vec::new();
    for step in Path::new(path).ancestors() {
        match std::fs::metadata(step) {
            Ok(file) => way.push(Step {
                path: step.display().to_string(),
                uid: file.uid(),
                gid: file.gid(),
                mode: file.mode() & 0o7777,
            }),
            Err(error) => return Reached::Unknown(format!("{}: {error}", step.display())),
        }
    }
    way.reverse();
    Reached::Answers {
        way,
        owner: user(postfix.main("mail_owner")),
    }
}

fn reached_tcp(listen: &str) -> Reached {
    let address = listen.trim_start_matches("inet:").replace("localhost:", "127.0.0.1:");
    let Ok(address) = address.parse::<SocketAddr>() else {
        return Reached::Unknown(format!("{listen} is no address"));
    };
    match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
        Ok(_) => Reached::Answers {
            way: Vec::new(),
            owner: Some((0, 0)),
        },
        Err(error) => Reached::Missing(error.to_string()),
    }
}

/// Uid and gid in /etc/passwd: Postfix's user is always a local one.
fn user(name: &str) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let of = |line: &str| {
        let mut columns = line.split(':');
        let known = columns.next()? == name;
        let (uid, gid) = (columns.nth(1)?.parse().ok()?, columns.next()?.parse().ok()?);
        known.then_some((uid, gid))
    };
    text.lines().find_map(of)
}

fn open_files() -> Option<u64> {
    let unit = ["show", "--property=LoadState,LimitNOFILE", "cpr-milter.service"];
    let output = Command::new("systemctl").args(unit).output().ok()?;
    let said = stdout(&output);
    let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    match value("LoadState") {
        Some("loaded") => value("LimitNOFILE")?.parse().ok(),
        _ => None,
    }
}
