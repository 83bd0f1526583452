//! `directory:` of the administrator's file: where the groups are kept that policies name and do not list. Servers, paths
//! and accounts stand here and not in the policy: whoever may write the policy may not thereby reach what the gateway's
//! user can.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Directories and tables that policies may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Directory {
    /// The organisation's directory, for groups with `ldap`.
    pub ldap: Option<Ldap>,
    /// Postfix tables, as `type:name`, by the name that policies use for them.
    pub tables: BTreeMap<String, String>,
    /// Debian's `postfix`, asks tables.
    pub postmap: PathBuf,
    /// Folder of Postfix's `main.cf`; its own default when empty.
    pub postfix: Option<PathBuf>,
    /// Seconds for which an answer is taken as it is.
    pub refresh_seconds: u64,
    /// Seconds after which an answer is too old when no new one comes; then mail with findings gets a 4xx.
    pub stale_after_seconds: u64,
    /// Seconds that one mail waits for an answer.
    pub timeout_seconds: u64,
}

/// How the directory is reached, and how its groups look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// `ldaps://HOST[:PORT]`, or `ldap://` with `start_tls`; tried in order.
    pub urls: Vec<String>,
    /// TLS on an `ldap://` connection, before anything else is said.
    #[serde(default)]
    pub start_tls: bool,
    /// Certificate authority of the servers, PEM; the system's when empty.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Who asks; nobody (anonymous) when empty.
    #[serde(default)]
    pub bind_dn: String,
    /// File with the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// systemd credential with the password (`LoadCredential=` of the unit).
    #[serde(default)]
    pub password_credential: Option<String>,
    /// Where groups and people are looked for.
    pub base: String,
    /// Finds a group by the name that stands for `{group}`.
    #[serde(default = "group_filter")]
    pub group_filter: String,
    /// Finds a person by the name that stands for `{user}` in a POSIX group.
    #[serde(default = "user_filter")]
    pub user_filter: String,
    /// Attributes of a group that name its members' entries.
    #[serde(default = "member_attributes")]
    pub member_attributes: Vec<String>,
    /// Attributes with addresses, of people and of groups.
    #[serde(default = "mail_attributes")]
    pub mail_attributes: Vec<String>,
}

impl Default for Directory {
    fn default() -> Directory {
        Directory {
            ldap: None,
            tables: BTreeMap::new(),
            postmap: PathBuf::from("/usr/sbin/postmap"),
            postfix: None,
            refresh_seconds: 300,
            stale_after_seconds: 4 * 3600,
            timeout_seconds: 10,
        }
    }
}

fn group_filter() -> String {
    let kinds = ["groupOfNames", "groupOfUniqueNames", "posixGroup", "group", "mailGroup"];
    let kinds: String = kinds.map(|kind| format!("(objectClass={kind})")).concat();
    format!("(&(|{kinds})(cn={{group}}))")
}

fn user_filter() -> String {
    "(uid={user})".to_owned()
}

fn member_attributes() -> Vec<String> {
    ["member", "uniqueMember"].map(str::to_owned).to_vec()
}

fn mail_attributes() -> Vec<String> {
    ["mail", "mailLocalAddress", "mailAlternateAddress", "proxyAddresses"]
        .map(str::to_owned)
        .to_vec()
}

impl Directory {
    /// Relative paths count from the folder of the administrator's file.
    pub(super) fn resolve(&mut self, folder: &Path) {
        let ldap = self
            .ldap
            .iter_mut()
            .flat_map(|ldap| [&mut ldap.ca, &mut ldap.password_file]);
        for path in ldap.chain([&mut self.postfix]).flatten() {
            *path = folder.join(&path);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.timeout_seconds == 0 || self.timeout_seconds > 60 {
            return Err("directory.timeout_seconds must be between 1 and 60".to_owned());
        }
        if self.refresh_seconds == 0 || self.stale_after_seconds < self.refresh_seconds {
            return Err(
                "directory.refresh_seconds must be at least 1, and directory.stale_after_seconds not below it"
                    .to_owned(),
            );
        }
        let bad = self.tables.iter().find(|(_, table)| {
            let kind = table.split_once(':').map_or("", |(kind, _)| kind);
            kind.is_empty() || kind.starts_with('-') || table.contains(['\n', '\0'])
        });
        if let Some((name, table)) = bad {
            return Err(format!(
                "directory.tables.{name}: `{table}` is no Postfix table; write TYPE:NAME such as hash:/etc/postfix/media"
            ));
        }
        self.ldap.as_ref().map_or(Ok(()), Ldap::check)
    }
}

impl Ldap {
    fn check(&self) -> Result<(), String> {
        if self.urls.is_empty() {
            return Err("directory.ldap.urls is empty; write ldaps://HOST".to_owned());
        }
        for url in &self.urls {
            let (scheme, host) = url.split_once("://").unwrap_or(("", ""));
            let safe = match scheme {
                "ldaps" | "ldapi" => true,
                "ldap" => self.start_tls || is_loopback(host),
                _ => {
                    return Err(format!(
                        "directory.ldap.urls: `{url}` is no LDAP server; write ldaps://HOST"
                    ));
                }
            };
            if !safe {
                return Err(format!(
                    "directory.ldap.urls: to `{url}` the password would go in clear and anybody on the way could answer; \
                     write ldaps://, or start_tls: true"
                ));
            }
        }
        if self.base.is_empty() {
            return Err("directory.ldap.base is empty; write e.g. dc=kommune,dc=example".to_owned());
        }
        for (key, filter, name) in [
            ("group_filter", &self.group_filter, "{group}"),
            ("user_filter", &self.user_filter, "{user}"),
        ] {
            if !filter.contains(name) {
                return Err(format!(
                    "directory.ldap.{key} must hold {name}, which the name is put in place of"
                ));
            }
        }
        match (&self.password_file, &self.password_credential, self.bind_dn.is_empty()) {
            (Some(_), Some(_), _) => Err("directory.ldap has two passwords; keep one of password_file and \
                                          password_credential"
                .to_owned()),
            (None, None, false) => Err("directory.ldap.bind_dn needs password_file or password_credential".to_owned()),
            (Some(_), None, true) | (None, Some(_), true) => {
                Err("directory.ldap has a password and no bind_dn".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.split('/').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ldap(text: &str) -> Result<(), String> {
        let ldap: Ldap = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        ldap.check()
    }

    #[test]
    fn no_password_and_no_answer_crosses_a_network_in_clear() {
        for (urls, good) in [
            ("[ldaps://ldap.kommune.example]", true),
            ("[ldap://ldap.kommune.example]", false),
            ("[ldaps://a.example, ldap://b.example]", false),
            ("[ldap://ldap.kommune.example]\nstart_tls: true", true),
            ("[ldap://127.0.0.1:3890]", true),
            ("[ldap://127.0.0.1.evil.example]", false),
            ("[ldap://localhost.evil.example]", false),
            ("[\"ldap://[::1]:389\"]", true),
            ("[ldap.kommune.example]", false),
            ("[http://ldap.kommune.example]", false),
            ("[]", false),
        ] {
            assert_eq!(ldap(&format!("base: dc=x\nurls: {urls}\n")).is_ok(), good, "{urls}");
        }
    }

    #[test]
    fn a_password_never_stands_in_the_file_itself() {
        let error = ldap("base: dc=x\nurls: [ldaps://a]\nbind_dn: cn=a\npassword: x\n").expect_err("no such key");
        assert!(error.contains("unknown field"), "{error}");
        assert!(ldap("base: dc=x\nurls: [ldaps://a]\nbind_dn: cn=a\n").is_err());
        assert!(ldap("base: dc=x\nurls: [ldaps://a]\nbind_dn: cn=a\npassword_credential: ldap\n").is_ok());
    }
}
