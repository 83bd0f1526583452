//! Tables of Postfix, listed: by `postmap -s` where they are indexed, from their text where a person writes patterns.

use super::entry;

/// What is in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Keys or patterns with their values.
    Entries(Vec<(String, String)>),
    /// Why it cannot be listed.
    Unlisted(String),
}

/// How a table is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum How<'a> {
    /// `postmap -s`, and the text beside the index when that fails.
    Indexed(&'a str),
    /// `/pattern/ value` lines.
    Patterns(&'a str),
    /// `key value` lines.
    Text(&'a str),
    /// It stands in the name.
    Inline(Vec<(String, String)>),
    /// Others, one after the other.
    Several(Vec<String>),
    /// A server, or a type we do not know.
    Asked,
}

/// From `type:name`.
pub(super) fn how(table: &str) -> How<'_> {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let Some((kind, name)) = table.split_once(':') else {
        return How::Asked;
    };
    match kind {
        "hash" | "btree" | "lmdb" | "dbm" | "cdb" | "sdbm" => How::Indexed(name),
        "regexp" | "pcre" | "cidr" => How::Patterns(name),
        "texthash" => How::Text(name),
        "static" => How::Inline(vec![("*".to_owned(), unbraced(name).to_owned())]),
        "inline" => How::Inline(inline(name)),
        "unionmap" | "pipemap" => How::Several(entry::words(unbraced(name))),
        "fail" => How::Inline(Vec::new()),
        _ => How::Asked,
    }
}

fn unbraced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    inner.unwrap_or(text).trim()
}

/// `inline:{ key=value, { key = text with blanks } }` (DATABASE_README).
fn inline(name: &str) -> Vec<(String, String)> {
    let pair = |word: &String| {
        let (key, value) = unbraced(word).split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    entry::words(unbraced(name)).iter().filter_map(pair).collect()
}

/// Logical lines: without comments, continued where a line begins with a blank (postmap(1)).
fn logical(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match (line.starts_with([' ', '\t']), lines.last_mut()) {
            (true, Some(last)) => {
                last.push(' ');
                last.push_str(content);
            }
            _ => lines.push(content.to_owned()),
        }
    }
    lines
}

/// `key value` and aliases(5)' `key: value`.
pub(super) fn text(text: &str) -> Vec<(String, String)> {
    let pair = |line: String| {
        let (key, value) = match line.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            Some((key, value)) => (key, value),
            None => line.split_once(|c: char| c.is_whitespace())?,
        };
        let value = value.trim().trim_start_matches(':').trim();
        Some((key.trim_end_matches(':').to_owned(), value.to_owned()))
    };
    logical(text).into_iter().filter_map(pair).collect()
}

/// regexp_table(5), pcre_table(5), cidr_table(5): the pattern ends at the delimiter that it begins with; `if` and
/// `endif` carry no value.
pub(super) fn patterns(text: &str) -> Vec<(String, String)> {
    let pair = |line: String| {
        let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        if word == "if" || word == "endif" {
            return None;
        }
        let pattern = line.trim_start_matches('!');
        let end = match pattern
            .chars()
            .next()
            .filter(|c| !c.is_alphanumeric() && !matches!(c, '[' | ':'))
        {
            Some(mark) => closed(pattern, mark)?,
            None => pattern.find(char::is_whitespace)?,
        };
        let rest = &pattern[end..];
        let flags = rest.find(char::is_whitespace)?;
        Some((pattern[..end].to_owned(), rest[flags..].trim().to_owned()))
    };
    logical(text).into_iter().filter_map(pair).collect()
}

fn closed(pattern: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in pattern.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn every_form_of_text_is_listed() {
        let map = "# c\na@x.example b@y.example,\n  c@y.example\nroot: d\n\"two words\": e\n";
        let expected = [
            ("a@x.example", "b@y.example, c@y.example"),
            ("root", "d"),
            ("two words", "e"),
        ];
        assert_eq!(text(map), pairs(&expected));
        let map = "if /x/\n/^a\\/b/i REDIRECT c@y.example\n!/z/ OK\nendif\n10.0.0.0/8 DISABLE\n2001:db8::/32 X\n";
        let expected = [
            ("/^a\\/b/", "REDIRECT c@y.example"),
            ("/z/", "OK"),
            ("10.0.0.0/8", "DISABLE"),
            ("2001:db8::/32", "X"),
        ];
        assert_eq!(patterns(map), pairs(&expected));
        assert_eq!(
            how("inline:{ a=b, { c = d e } }"),
            How::Inline(pairs(&[("a", "b"), ("c", "d e")]))
        );
        assert_eq!(
            how("proxy:unionmap:{hash:/a, cdb:/b}"),
            How::Several(vec!["hash:/a".into(), "cdb:/b".into()])
        );
    }
}
