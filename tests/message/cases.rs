//! Mails of the tables under `tests/data/message`, with their numbers made up and written in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// One mail of a table and what must come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    mail: String,
    pub seen: Vec<String>,
    #[serde(default)]
    pub doubts: Vec<String>,
    #[serde(default)]
    pub kinds: Vec<String>,
    #[serde(default)]
    pub seals: Vec<String>,
}

/// Made up from a counter: the fourteenth of some month, in a form that the mail shows.
pub fn number(n: usize) -> String {
    format!("14{:02}{:02}-{:04}", n % 12 + 1, n % 90 + 10, n * 37 % 9000 + 1000)
}

/// The cases of one table.
pub fn table(name: &str) -> Vec<Case> {
    let path = format!("{}/tests/data/message/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the table is there");
    serde_yaml::from_str(&text).expect("the table is sound")
}

impl Case {
    /// The mail with `number` in it, line breaks as written.
    pub fn mail(&self, number: &str) -> Vec<u8> {
        let mut text = self.mail.replace("{cpr}", number);
        while let Some(start) = text.find('{').filter(|_| text.contains('}')) {
            let end = start + text[start..].find('}').expect("every form is closed");
            let (form, inside) = text[start + 1..end].split_once(':').expect("form:text");
            let written = write(form, inside);
            text.replace_range(start..=end, &written);
        }
        text.into_bytes()
    }

    /// The same with CRLF, unless it has line breaks of its own.
    pub fn crlf(&self, number: &str) -> Vec<u8> {
        let mail = String::from_utf8(self.mail(number)).expect("tables are UTF-8");
        if mail.contains('\r') {
            return mail.into_bytes();
        }
        mail.replace('\n', "\r\n").into_bytes()
    }
}

fn write(form: &str, inside: &str) -> String {
    let inside = &inside.replace('~', "\r\n");
    let base64 = STANDARD.encode(inside);
    match form {
        "b64" => base64,
        "b64wrap" => base64
            .as_bytes()
            .chunks(76)
            .map(|c| String::from_utf8_lossy(c))
            .collect::<Vec<_>>()
            .join("\n"),
        "nopad64" => {
            let short = base64.trim_end_matches('=');
            assert_ne!(short, base64, "the case needs padding");
            short.to_owned()
        }
        "junk64" => format!("{}!{}", &base64[..9], &base64[9..]),
        "uu" => {
            let mut line = vec![b' ' + inside.len() as u8];
            for group in inside.as_bytes().chunks(3) {
                let byte = |n: usize| group.get(n).map_or(0, |b| u32::from(*b));
                let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
                line.extend([18, 12, 6, 0].map(|shift| match (bits >> shift & 63) as u8 {
                    0 => b'`',
                    six => b' ' + six,
                }));
            }
            String::from_utf8(line).expect("ASCII")
        }
        "qp" => inside.bytes().map(|b| format!("={b:02X}")).collect(),
        "pct" => inside.bytes().map(|b| format!("%{b:02X}")).collect(),
        "loose" => format!("{}={}", &inside[..6], &inside[6..]),
        "hex" => {
            let bytes: Vec<u8> = (0..inside.len() / 2)
                .map(|i| u8::from_str_radix(&inside[2 * i..2 * i + 2], 16).expect("hex"))
                .collect();
            STANDARD.encode(bytes)
        }
        _ => panic!("no form {form}"),
    }
}
