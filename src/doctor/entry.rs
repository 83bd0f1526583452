//! Lists of milters as Postfix writes them: `inet:host:port, { unix:path, default_action=accept }` (MILTER_README).

use std::fmt;

/// One milter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `inet:127.0.0.1:8891`, `unix:path`.
    pub address: String,
    /// Settings for this milter alone.
    pub own: Vec<(String, String)>,
}

/// What stands behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The socket of `listen:`.
    Ours,
    /// Meant for us, but the path leads elsewhere from where the process runs.
    Unreachable,
    /// Signs what it passes on: must see the mail last.
    Signer,
    /// Refuses or verifies: must see the mail first.
    Filter,
    /// Anything else.
    Other,
}

impl Entry {
    /// The milter's own setting.
    pub fn own(&self, name: &str) -> Option<&str> {
        let found = self.own.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.own.is_empty() {
            return f.write_str(&self.address);
        }
        write!(f, "{{{}", self.address)?;
        for (name, value) in &self.own {
            write!(f, ",{name}={value}")?;
        }
        f.write_str("}")
    }
}

/// Splits at blanks and commas outside of braces.
pub fn words(list: &str) -> Vec<String> {
    let (mut words, mut depth) = (vec![String::new()], 0_usize);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match words.last_mut() {
            Some(word) if depth > 0 || !(c == ',' || c.is_whitespace()) => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Reads a list.
pub fn parse(list: &str) -> Vec<Entry> {
    words(list).iter().filter_map(|word| entry(word)).collect()
}

fn entry(word: &str) -> Option<Entry> {
    let Some(inner) = word.strip_prefix('{') else {
        return Some(Entry {
            address: word.to_owned(),
            own: Vec::new(),
        });
    };
    let mut parts = words(inner.trim_end_matches('}')).into_iter();
    let address = parts.next()?;
    let own = parts.filter_map(|part| {
        let (name, value) = part.trim_matches(['{', '}']).split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    Some(Entry {
        address,
        own: own.collect(),
    })
}

/// Writes a list without blanks, which `postconf -P` does not take.
pub fn write(entries: &[Entry]) -> String {
    let words: Vec<String> = entries.iter().map(Entry::to_string).collect();
    words.join(",")
}

/// What stands behind the entry. Daemons have the queue directory as their working directory, so that a relative path
/// works in and out of the chroot; an absolute one is another file inside.
pub fn kind(entry: &Entry, listen: &str, queue: &str, chroot: bool, rspamd_signs: bool) -> Kind {
    let local = |path: &str| {
        path.strip_prefix("local:")
            .or(path.strip_prefix("unix:"))
            .map(str::to_owned)
    };
    if let (Some(path), Some(ours)) = (local(&entry.address), listen.strip_prefix("unix:")) {
        let within = format!("{}/{}", queue.trim_end_matches('/'), path.trim_start_matches('/'));
        let absolute = path.starts_with('/');
        match (within == ours, path == ours) {
            (true, _) if !absolute || chroot => return Kind::Ours,
            (_, true) if !chroot => return Kind::Ours,
            (false, false) => {}
            _ => return Kind::Unreachable,
        }
    }
    let tcp = |address: &str| address.replace("localhost:", "127.0.0.1:").replace(['[', ']'], "");
    if listen.starts_with("inet:") && tcp(&entry.address) == tcp(listen) {
        return Kind::Ours;
    }
    by_name(&entry.address.to_lowercase(), rspamd_signs)
}

/// Signers and filters by the name of their socket, or the port that their packages and manuals use.
fn by_name(address: &str, rspamd_signs: bool) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| address.contains(word));
    let port = |ports: &[&str]| address.starts_with("inet") && ports.iter().any(|port| address.ends_with(port));
    if has(&["rspamd"]) || port(&[":11332"]) {
        return match rspamd_signs {
            true => Kind::Signer,
            false => Kind::Filter,
        };
    }
    if has(&["dkim", "openarc"]) || port(&[":8891", ":12301"]) {
        return Kind::Signer;
    }
    let filters = [
        "spamass",
        "clamav",
        "clmilter",
        "amavis",
        "mimedefang",
        "greylist",
        "opendmarc",
        "spf",
    ];
    match has(&filters) || port(&[":8893"]) {
        true => Kind::Filter,
        false => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        let list = "unix:a/b.sock, { inet:localhost:11332, default_action=accept, { content_timeout = 3s } }, inet:c:1";
        let entries = parse(list);
        assert_eq!(entries[0].address, "unix:a/b.sock");
        assert_eq!(entries[1].own("default_action"), Some("accept"));
        assert_eq!(parse(&write(&entries)), entries);
    }

    #[test]
    fn a_path_is_ours_only_where_it_leads_to_the_socket() {
        let kind = |address: &str, chroot| {
            let entry = Entry {
                address: address.to_owned(),
                own: Vec::new(),
            };
            kind(&entry, "unix:/q/c/m.sock", "/q", chroot, false)
        };
        assert_eq!(kind("unix:c/m.sock", true), Kind::Ours);
        assert_eq!(kind("unix:c/m.sock", false), Kind::Ours);
        assert_eq!(kind("unix:/c/m.sock", true), Kind::Ours);
        assert_eq!(kind("unix:/c/m.sock", false), Kind::Unreachable);
        assert_eq!(kind("unix:/q/c/m.sock", false), Kind::Ours);
        assert_eq!(kind("unix:/q/c/m.sock", true), Kind::Unreachable);
        assert_eq!(kind("unix:/run/opendkim.sock", true), Kind::Signer);
    }
}
