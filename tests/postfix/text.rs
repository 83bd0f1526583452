//! The text of cases with its placeholders filled in, as bytes.
//!
//! `$id` is the case, `$hold` (`$hold2`, …) what it has made in the quarantine. `{cpr}`, `{cpr2:plain}`, `{nomod}`, `{p}` are
//! made-up numbers (`p…` of protected persons). `{name|argument}` applies a function, also to other functions:
//!
//! | function | makes |
//! |---|---|
//! | `{base64\|…}` `{b64\|…}` | base64 in lines of 76, in one line |
//! | `{qp\|…}` | quoted-printable with every byte written out |
//! | `{utf16\|…}` `{latin1\|…}` | other charsets |
//! | `{gzip\|name\|…}` `{zip\|name\|…}` `{lockedzip\|name\|…}` | archives with one entry |
//! | `{fill\|20M}` | so many bytes of harmless lines |
//! | `{long\|90K}` `{folded\|90K}` | so many bytes of harmless words in one line, in the folds of a header field |
//! | `{x\|e6f8}` | raw bytes |
//! | `{crlf\|…}` | nothing but its argument, for text in which braces would confuse |
//!
//! Braces around anything else stay as they are.

use crate::numbers::Planted;
use base64::Engine;
use std::collections::BTreeMap;
use std::io::Write;

/// What placeholders stand for in one case.
#[derive(Clone, Default)]
pub struct Names {
    /// Values of `$id`, `$hold`.
    pub words: BTreeMap<String, String>,
    /// Made-up numbers by name.
    pub numbers: BTreeMap<String, Planted>,
}

impl Names {
    /// All bytes of `template`, whose line ends become CRLF.
    pub fn mail(&self, template: &str) -> Vec<u8> {
        self.expand(&template.replace("\r\n", "\n").replace('\n', "\r\n"))
    }

    /// For addresses, commands and expectations.
    pub fn line(&self, template: &str) -> String {
        String::from_utf8_lossy(&self.expand(template)).into_owned()
    }

    fn expand(&self, template: &str) -> Vec<u8> {
        // The longer name first: `$hold2` before `$hold`.
        let words = self.words.iter().rev();
        let template = words.fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("${name}"), value)
        });
        self.fill_braces(&template)
    }

    fn fill_braces(&self, template: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(template.len());
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            out.extend_from_slice(&rest.as_bytes()[..open]);
            let replaced = closing(&rest[open..]).and_then(|close| {
                let value = self.value(&rest[open + 1..open + close])?;
                Some((value, open + close + 1))
            });
            match replaced {
                Some((value, end)) => {
                    out.extend_from_slice(&value);
                    rest = &rest[end..];
                }
                None => {
                    out.push(b'{');
                    rest = &rest[open + 1..];
                }
            }
        }
        out.extend_from_slice(rest.as_bytes());
        out
    }

    fn value(&self, inner: &str) -> Option<Vec<u8>> {
        if let Some((function, argument)) = inner.split_once('|') {
            return self.apply(function, argument);
        }
        let (name, form) = inner.split_once(':').unwrap_or((inner, ""));
        let number = self.numbers.get(name)?;
        Some(number.written(form)?.into_bytes())
    }

    fn apply(&self, function: &str, argument: &str) -> Option<Vec<u8>> {
        let standard = base64::engine::general_purpose::STANDARD;
        let named = || {
            argument
                .split_once('|')
                .map(|(name, content)| (self.line(name), self.expand(content)))
        };
        Some(match function {
            "base64" => in_lines(standard.encode(self.expand(argument)).as_bytes(), 76, b"\r\n"),
            "b64" => standard.encode(self.expand(argument)).into_bytes(),
            "qp" => {
                let hex: String = self.expand(argument).iter().map(|b| format!("={b:02X}")).collect();
                in_lines(hex.as_bytes(), 72, b"=\r\n")
            }
            "utf16" => self.line(argument).encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "latin1" => self
                .line(argument)
                .chars()
                .map(|c| u8::try_from(c).expect("Latin-1"))
                .collect(),
            "gzip" => gzip(named()?),
            "zip" => zip(named()?),
            "lockedzip" => locked(zip(named()?)),
            "fill" => fill(size(argument)),
            "long" => "ord ".repeat(size(argument) / 4).into_bytes(),
            "folded" => "et ord til i hovedet\n ".repeat(size(argument) / 22).into_bytes(),
            "x" => (0..argument.len() / 2)
                .map(|i| u8::from_str_radix(&argument[2 * i..2 * i + 2], 16).expect("hexadecimal"))
                .collect(),
            "crlf" => self.expand(argument),
            _ => return None,
        })
    }
}

/// Offset of the brace that closes the one at 0.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn in_lines(bytes: &[u8], width: usize, end: &[u8]) -> Vec<u8> {
    bytes.chunks(width).collect::<Vec<_>>().join(end)
}

fn gzip((name, content): (String, Vec<u8>)) -> Vec<u8> {
    let mut writer = flate2::GzBuilder::new()
        .filename(name)
        .write(Vec::new(), flate2::Compression::default());
    writer.write_all(&content).expect("to memory");
    writer.finish().expect("to memory")
}

fn zip((name, content): (String, Vec<u8>)) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file(name, options).expect("to memory");
    writer.write_all(&content).expect("to memory");
    writer.finish().expect("to memory").into_inner()
}

/// Sets "encrypted" in the local header (flags at 6) and the central one (flags at 8); APPNOTE 4.4.4. Nobody has the
/// password, least of all we.
fn locked(mut bytes: Vec<u8>) -> Vec<u8> {
    for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = memchr::memmem::find(&bytes, signature).expect("just written");
        bytes[at + flags] |= 1;
    }
    bytes
}

/// Lines of 76 characters, so that no hop breaks them, without a digit.
/// `20M` or `90K`.
fn size(text: &str) -> usize {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "K" => 1 << 10,
        "M" => 1 << 20,
        other => panic!("size {text}: {other} is neither K nor M"),
    };
    number.parse::<usize>().expect("a number before K or M") * unit
}

fn fill(bytes: usize) -> Vec<u8> {
    let line = b"Sagen er under behandling, og afgoerelsen kommer med posten i naeste uge.ab\r\n";
    line.iter()
        .copied()
        .cycle()
        .take(bytes / line.len() * line.len())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.words.insert("id".into(), "c07".into());
        names.numbers.insert("cpr".into(), Planted::new("c07", "cpr"));
        names
    }

    #[test]
    fn numbers_functions_and_foreign_braces() {
        let cpr = names().numbers["cpr"].written("").unwrap();
        assert_eq!(
            names().line("$id p { color: red } {cpr}"),
            format!("c07 p {{ color: red }} {cpr}")
        );
        let inner = base64::engine::general_purpose::STANDARD.encode(&cpr);
        assert_eq!(names().line("{b64|{cpr}}"), inner);
        assert_eq!(names().mail("a\nb{x|00ff}"), b"a\r\nb\x00\xff");
    }

    #[test]
    fn archives_open_again() {
        let bytes = names().expand("{zip|a.txt.gz|{gzip|a.txt|hej}}");
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("zip");
        let mut text = String::new();
        let entry = archive.by_index(0).expect("entry");
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(entry), &mut text).expect("gzip");
        assert_eq!(text, "hej");
    }
}
