//! Reads one group of the directory: its own addresses, those of its members, and of the groups within it. Any answer that
//! could be half of one is none.

use super::entry::{self, is_distinguished, name_of_member};
use crate::config;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, ldap_escape};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// For connecting to one server, and for one answer.
const ONE_ANSWER: Duration = Duration::from_secs(15);
/// Entries asked for at once.
const AT_ONCE: usize = 16;
/// A group of more is a mistake, or the whole country.
const MOST: usize = 500_000;
const PAGE: i32 = 500;

/// The directory of the organisation.
pub(super) struct Ldap {
    config: config::Ldap,
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// One connection.
type Handle = ldap3::Ldap;

impl Ldap {
    /// Looks at the password and the certificate authority; asks nobody.
    pub fn new(config: &config::Ldap) -> Result<Ldap, String> {
        let ldap = Ldap {
            tls: config.ca.as_ref().map(tls).transpose()?,
            config: config.clone(),
        };
        ldap.password()?;
        Ok(ldap)
    }

    /// Read at each connection, so that a new one counts at once.
    fn password(&self) -> Result<Zeroizing<String>, String> {
        let path = match (&self.config.password_file, &self.config.password_credential) {
            (Some(path), _) => path.clone(),
            (None, Some(name)) => credential(name)?,
            (None, None) => return Ok(Zeroizing::default()),
        };
        let wrong = |why: String| format!("the LDAP password {}: {why}", path.display());
        let meta = std::fs::metadata(&path).map_err(|error| wrong(error.to_string()))?;
        if meta.permissions().mode() & 0o007 != 0 {
            return Err(wrong("everybody may read it; chmod 640, group cpr-milter".to_owned()));
        }
        let text = Zeroizing::new(std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?);
        let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        // A name with an empty password is an anonymous bind that says yes (RFC 4513 §5.1.2).
        match password.is_empty() {
            true => Err(wrong("it is empty".to_owned())),
            false => Ok(password),
        }
    }

    /// The keys of all addresses in the group.
    pub async fn members(&self, group: &str) -> Result<HashSet<String>, String> {
        let mut handle = self.connect().await?;
        let read = Walk::new(&self.config).read(&mut handle, group).await;
        // Said politely; when it is not heard, the connection closes with the handle all the same.
        let _ = tokio::time::timeout(Duration::from_secs(1), handle.unbind()).await;
        read
    }

    /// To the first server that answers.
    async fn connect(&self) -> Result<Handle, String> {
        let mut why = Vec::new();
        for url in &self.config.urls {
            let connected = tokio::time::timeout(ONE_ANSWER, self.connect_to(url)).await;
            match connected.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(handle) => return Ok(handle),
                Err(error) => why.push(format!("{url}: {error}")),
            }
        }
        Err(why.join("; "))
    }

    async fn connect_to(&self, url: &str) -> Result<Handle, String> {
        let mut settings = LdapConnSettings::new().set_conn_timeout(ONE_ANSWER);
        settings = settings.set_starttls(self.config.start_tls && url.starts_with("ldap://"));
        if let Some(tls) = &self.tls {
            settings = settings.set_config(Arc::clone(tls));
        }
        let password = self.password()?;
        let (connection, mut handle) = LdapConnAsync::with_settings(settings, url).await.map_err(words)?;
        // It ends with the handle; what ends it earlier comes back as the error of a question.
        tokio::spawn(async move {
            let _ = connection.drive().await;
        });
        if !self.config.bind_dn.is_empty() {
            let bound = handle.simple_bind(&self.config.bind_dn, &password).await;
            bound.and_then(ldap3::LdapResult::success).map_err(words)?;
        }
        Ok(handle)
    }
}

/// Trusts this authority and no other.
fn tls(ca: &PathBuf) -> Result<Arc<rustls::ClientConfig>, String> {
    let wrong = |why: String| format!("directory.ldap.ca {}: {why}", ca.display());
    let certificates = CertificateDer::pem_file_iter(ca).map_err(|error| wrong(error.to_string()))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("no certificate in it; it must be PEM".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Where systemd puts it (systemd.exec(5), `LoadCredential=`).
fn credential(name: &str) -> Result<PathBuf, String> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    let folder = folder.ok_or_else(|| {
        format!("the LDAP password: there is no credential `{name}`; the unit needs LoadCredential={name}:/path")
    })?;
    match name.contains('/') || name.is_empty() {
        true => Err("the LDAP password: the credential's name is no file name".to_owned()),
        false => Ok(PathBuf::from(folder).join(name)),
    }
}

/// One group on its way to being read.
struct Walk<'c> {
    config: &'c config::Ldap,
    attributes: Vec<String>,
    /// Distinguished names that were asked for, in lower case.
    seen: HashSet<String>,
    waiting: Vec<String>,
    addresses: HashSet<String>,
    /// Members without an entry: people who left.
    gone: usize,
    /// The same of those that are named by `memberUid`.
    unknown: usize,
}

impl<'c> Walk<'c> {
    fn new(config: &'c config::Ldap) -> Walk<'c> {
        let attributes = config.mail_attributes.iter().chain(&config.member_attributes);
        Walk {
            attributes: attributes.cloned().chain(["memberUid".to_owned()]).collect(),
            config,
            seen: HashSet::new(),
            waiting: Vec::new(),
            addresses: HashSet::new(),
            gone: 0,
            unknown: 0,
        }
    }

    async fn read(mut self, handle: &mut Handle, group: &str) -> Result<HashSet<String>, String> {
        let found = match is_distinguished(group) {
            true => base(handle.clone(), group.to_owned(), self.attributes.clone()).await?,
            false => self.find(handle, &self.config.group_filter, "{group}", group).await?,
        };
        let mut found = found.into_iter();
        let entry = match (found.next(), found.next()) {
            (Some(entry), None) => entry,
            (None, _) => {
                return Err("the directory has no such group; look at its name and directory.ldap.base".to_owned());
            }
            (Some(_), Some(_)) => {
                return Err("the directory has several groups of this name; write its distinguished name".to_owned());
            }
        };
        self.seen.insert(entry.dn.to_lowercase());
        self.take(handle, entry).await?;
        while !self.waiting.is_empty() {
            self.round(handle).await?;
        }
        // Without the group itself.
        let members = self.seen.len() - 1 + self.unknown;
        if self.gone + self.unknown > 0 {
            let gone = self.gone + self.unknown;
            tracing::debug!(group, members, gone, "members of the group have no entry");
        }
        match (self.addresses.is_empty(), members) {
            // Rights that hide people look just so; nobody is a member would be a guess.
            (true, 1..) => Err(format!(
                "none of the group's {members} members has an address that can be read; look at \
                 directory.ldap.mail_attributes and at what directory.ldap.bind_dn may read"
            )),
            _ => Ok(self.addresses),
        }
    }

    /// The next few members, all at once.
    async fn round(&mut self, handle: &mut Handle) -> Result<(), String> {
        let mut asked = JoinSet::new();
        for _ in 0..AT_ONCE {
            let Some(name) = self.waiting.pop() else { break };
            asked.spawn(base(handle.clone(), name, self.attributes.clone()));
        }
        while let Some(answer) = asked.join_next().await {
            let entries = answer.map_err(|_| "what the directory sent cannot be read".to_owned())??;
            self.gone += usize::from(entries.is_empty());
            for entry in entries {
                self.take(handle, entry).await?;
            }
        }
        Ok(())
    }

    /// Addresses of this entry are in; its members are to be asked for.
    async fn take(&mut self, handle: &mut Handle, entry: SearchEntry) -> Result<(), String> {
        if self.addresses.len().max(self.seen.len()) > MOST {
            return Err(format!("the group has more than {MOST} members"));
        }
        for name in &self.config.mail_attributes {
            let values = all_values(handle, &entry, name).await?;
            self.addresses.extend(values.iter().filter_map(|v| entry::address(v)));
        }
        for name in &self.config.member_attributes {
            for value in all_values(handle, &entry, name).await? {
                let member = name_of_member(&value);
                if self.seen.insert(member.to_lowercase()) {
                    self.waiting.push(member.to_owned());
                }
            }
        }
        for user in all_values(handle, &entry, "memberUid").await? {
            let people = self.find(handle, &self.config.user_filter, "{user}", &user).await?;
            self.unknown += usize::from(people.is_empty());
            for person in people {
                if self.seen.insert(person.dn.to_lowercase()) {
                    self.waiting.push(person.dn);
                }
            }
        }
        Ok(())
    }

    async fn find(&self, handle: &Handle, filter: &str, hole: &str, name: &str) -> Result<Vec<SearchEntry>, String> {
        let filter = filter.replace(hole, &ldap_escape(name));
        search(
            handle.clone(),
            &self.config.base,
            Scope::Subtree,
            &filter,
            self.attributes.clone(),
        )
        .await
    }
}

/// All values, also of an attribute that comes in pieces.
async fn all_values(handle: &Handle, entry: &SearchEntry, name: &str) -> Result<Vec<String>, String> {
    let first = entry::values(&entry.attrs, name)?;
    let (mut all, mut more) = (first.values, first.more);
    while let Some(next) = more {
        let piece = base(handle.clone(), entry.dn.clone(), vec![next]).await?;
        let piece = piece.first().ok_or("a group went while it was read")?;
        let values = entry::values(&piece.attrs, name)?;
        if values.values.is_empty() || all.len() > MOST {
            return Err("a large group was not read to its end".to_owned());
        }
        all.extend(values.values);
        more = values.more;
    }
    Ok(all)
}

/// The entry of that name; none when there is none.
async fn base(handle: Handle, name: String, attributes: Vec<String>) -> Result<Vec<SearchEntry>, String> {
    search(handle, &name, Scope::Base, "(objectClass=*)", attributes).await
}

async fn search(
    mut handle: Handle,
    base: &str,
    scope: Scope,
    filter: &str,
    attributes: Vec<String>,
) -> Result<Vec<SearchEntry>, String> {
    let adapters: Vec<Box<dyn Adapter<'_, String, Vec<String>>>> = match scope {
        Scope::Base => vec![Box::new(EntriesOnly::new())],
        _ => vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(PAGE))],
    };
    let handle = handle.with_timeout(ONE_ANSWER);
    let stream = handle
        .streaming_search_with(adapters, base, scope, filter, attributes)
        .await;
    let mut stream = stream.map_err(words)?;
    let mut entries = Vec::new();
    while let Some(entry) = stream.next().await.map_err(words)? {
        entries.push(SearchEntry::construct(entry));
        if entries.len() > MOST {
            return Err(format!("more than {MOST} entries"));
        }
    }
    let ended = stream.finish().await;
    // noSuchObject of a member: the entry went, its name stayed in the group.
    if ended.rc == 32 && matches!(scope, Scope::Base) {
        return Ok(Vec::new());
    }
    ended.success().map(|_| entries).map_err(words)
}

/// Without distinguished names and diagnostics, which name people.
fn words(error: LdapError) -> String {
    let LdapError::LdapResult { result } = error else {
        return error.to_string();
    };
    let what = match result.rc {
        3 => "the server's time limit was reached",
        4 => "the server's size limit was reached; raise it for directory.ldap.bind_dn",
        8 | 13 => "the server wants TLS; write ldaps://, or start_tls: true",
        10 => "the server refers to another one; name that in directory.ldap.urls",
        32 => "no such entry; look at directory.ldap.base",
        49 => "the server refused name or password (directory.ldap.bind_dn)",
        50 => "directory.ldap.bind_dn may not read this",
        51 | 52 => "the server is busy or stops",
        _ => "the server refused",
    };
    format!("{what} (LDAP result {})", result.rc)
}
