//! `console:`, the reviewers' web pages.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The reviewers' web pages, served by the courier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// `127.0.0.1:8025` (loopback only) or `unix:/path`; empty: no console.
    pub listen: String,
    /// Mode of the UNIX socket, octal as text.
    pub socket_mode: String,
    /// Where reviewers find it, as they type it: `https://desk.kommune.example`. Empty: as it listens, without TLS.
    pub address: String,
    /// Header in which the proxy in front names who has signed in there; for UNIX sockets only. Empty: accounts have
    /// passwords.
    pub trusted_header: String,
    /// Whether an account must have a second factor.
    pub second_factor: SecondFactor,
    /// Minutes after which a session that nobody uses ends.
    pub idle_minutes: u32,
    /// Hours after which every session ends.
    pub session_hours: u32,
    /// Minutes for which what is masked may be seen.
    pub unmask_minutes: u32,
}

/// Whether passwords alone are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// No.
    Required,
    /// For accounts that were made without one.
    Optional,
}

impl Default for Console {
    fn default() -> Console {
        Console {
            listen: String::new(),
            socket_mode: "0660".to_owned(),
            address: String::new(),
            trusted_header: String::new(),
            second_factor: SecondFactor::Required,
            idle_minutes: 30,
            session_hours: 10,
            unmask_minutes: 10,
        }
    }
}

/// Where the console listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleAt {
    /// Loopback.
    Loopback(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

impl Console {
    /// `listen:` as a place; `None` when there is to be no console.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn place(&self) -> Result<Option<ConsoleAt>, String> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        if let Some(path) = self.listen.strip_prefix("unix:") {
            return match Path::new(path).is_absolute() {
                true => Ok(Some(ConsoleAt::Unix(PathBuf::from(path)))),
                false => Err("console.listen: the path of a UNIX socket begins with `/`".to_owned()),
            };
        }
        if !self.trusted_header.is_empty() {
            return Err(
                "console.trusted_header needs a UNIX socket (`listen: unix:/path`): on a port anybody on the machine could \
                 send the header"
                    .to_owned(),
            );
        }
        let address: Option<SocketAddr> = self.listen.parse().ok();
        match address.filter(|address| address.ip().is_loopback()) {
            Some(address) => Ok(Some(ConsoleAt::Loopback(address))),
            None => Err(format!(
                "console.listen: `{}` is neither a loopback ADDRESS:PORT such as 127.0.0.1:8025 nor `unix:/path`; a proxy \
                 with TLS in front makes it reachable from elsewhere",
                self.listen
            )),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.place()?;
        if !self.address.is_empty() && !self.address.starts_with("https://") && !self.address.starts_with("http://") {
            return Err("console.address begins with https:// (or http:// for trying)".to_owned());
        }
        let minutes = [self.idle_minutes, self.session_hours, self.unmask_minutes];
        if minutes.contains(&0) || self.unmask_minutes > 60 || self.session_hours > 24 || self.idle_minutes > 24 * 60 {
            return Err("console: idle_minutes is 1 to 1440, session_hours 1 to 24, unmask_minutes 1 to 60".to_owned());
        }
        Ok(())
    }
}
