//! `cpr-milter.conf(5)`, out of the shipped file: its comments explain each key, and a test keeps it complete and true to
//! the defaults (`config::tests`).

use std::fmt::Write as _;

const SHIPPED: &str = include_str!("../../../packaging/cpr-milter.yaml");

const HEAD: &str = r#".SH NAME
cpr\-milter.conf \- the administrator's file of cpr\-milter
.SH SYNOPSIS
.I /etc/cpr\-milter/cpr\-milter.yaml
.SH DESCRIPTION
One YAML file. A key that is not known, or a value that cannot be, is an error with its line; the daemon does not start with
it, or goes on with the configuration that it has.
.B cpr\-milter config check
reads it as the daemons do,
.B cpr\-milter config show
prints every key with the value in force.
.PP
Who may mail what does not stand here but in the policy, which is another person's file.
.PP
"#;

const TAIL: &str = ".SH SEE ALSO\n.BR cpr\\-milter (8),\n.BR cpr\\-milter\\-policy (5)\n";

/// The page.
pub(super) fn page() -> String {
    let mut out = format!(
        ".TH CPR\\-MILTER.CONF 5 \"\" \"cpr-milter {}\" \"File formats\"\n",
        env!("CARGO_PKG_VERSION")
    );
    out.push_str(HEAD);
    let mut above: Vec<&str> = Vec::new();
    let mut group = "";
    let mut opened = false;
    for line in SHIPPED.lines() {
        let text = line.trim();
        if let Some(comment) = text.strip_prefix('#') {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            match example(comment) {
                Some((key, value)) => entry(&mut out, &full(group, line, key), value, &std::mem::take(&mut above)),
                None => above.push(comment),
            }
            continue;
        }
        if text.is_empty() {
            // What stands alone at the top speaks of the whole file.
            if !opened && !above.is_empty() {
                let _ = writeln!(out, "{}\n.SH KEYS", escaped(&above.join(" ")));
                opened = true;
            }
            above.clear();
            continue;
        }
        let (setting, comment) = text.split_once(" #").map_or((text, None), |(setting, comment)| {
            (setting.trim(), Some(comment.trim()))
        });
        let Some((key, value)) = setting.split_once(':') else {
            continue;
        };
        above.extend(comment);
        if line.starts_with(' ') {
            entry(
                &mut out,
                &full(group, line, key),
                value.trim(),
                &std::mem::take(&mut above),
            );
        } else if value.trim().is_empty() {
            group = key;
            let _ = writeln!(
                out,
                ".SS {}\n{}",
                escaped(key),
                escaped(&std::mem::take(&mut above).join(" "))
            );
        } else {
            group = "";
            entry(&mut out, key, value.trim(), &std::mem::take(&mut above));
        }
    }
    out.push_str(TAIL);
    out
}

fn full(group: &str, line: &str, key: &str) -> String {
    match line.starts_with(' ') {
        true => format!("{group}.{key}"),
        false => key.to_owned(),
    }
}

/// A setting that is commented out: `templates: /etc/…`.
fn example(comment: &str) -> Option<(&str, &str)> {
    let (key, value) = comment.split_once(": ")?;
    let word = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (word && !value.contains(' ')).then_some((key, value))
}

fn entry(out: &mut String, key: &str, value: &str, explained: &[&str]) {
    let _ = writeln!(
        out,
        ".TP\n.B {}: {}\n{}",
        escaped(key),
        escaped(value),
        escaped(&explained.join(" "))
    );
}

/// For roff: no line may begin a request, and hyphens stay hyphens.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_shipped_file_has_its_paragraph() {
        let page = page();
        let value: serde_yaml::Value = serde_yaml::from_str(SHIPPED).expect("shipped file");
        for (key, value) in value.as_mapping().expect("a mapping") {
            let key = key.as_str().expect("a word");
            match value.as_mapping() {
                Some(inner) => {
                    for inner in inner.keys().filter_map(|inner| inner.as_str()) {
                        assert!(page.contains(&format!("\n.B {key}.{inner}: ")), "{key}.{inner}");
                    }
                }
                None => assert!(page.contains(&format!("\n.B {key}: ")), "{key}"),
            }
        }
        assert!(
            page.contains("\n.B notices.templates: /etc/"),
            "a key without a default is explained too"
        );
    }
}
