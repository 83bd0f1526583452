//! What the tests of documents share: cases from tables, and looking into contents.

use cpr_milter::content::{Budget, Content, Hint, Limits};
use cpr_milter::document;
use cpr_milter::inspect::{Options, Readings, inspect_first};
use cpr_milter::redact::{NotClean, Redacted, Targets, redact_seen};
use cpr_milter::types::{DoubtKind, Location, Report};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

/// What is the same for all tests of this process: OCR of one file takes a second, and several tests ask for it.
type Once<T> = LazyLock<Mutex<HashMap<u64, Arc<OnceLock<T>>>>>;

static SEEN: Once<(Report, Readings)> = LazyLock::new(Mutex::default);
static COPIES: Once<Result<(Vec<u8>, Report), NotClean>> = LazyLock::new(Mutex::default);

fn once<T>(table: &Once<T>, key: impl Hash) -> Arc<OnceLock<T>> {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let mut table = table.lock().expect("no panic");
    Arc::clone(table.entry(hasher.finish()).or_default())
}

fn seen(bytes: &[u8], options: &Options) -> Arc<OnceLock<(Report, Readings)>> {
    let seen = once(&SEEN, (bytes, format!("{options:?}")));
    seen.get_or_init(|| inspect_first(bytes, options).expect("no identifiers to compile"));
    seen
}

/// The report of a file.
pub fn report(bytes: &[u8], options: &Options) -> Report {
    seen(bytes, options).get().expect("just made").0.clone()
}

/// Its redacted copy, as a worker makes it after that inspection.
pub fn redact(bytes: &[u8], targets: &Targets, options: &Options) -> Result<Redacted, NotClean> {
    let wanted: Vec<String> = targets
        .iter()
        .map(|(kind, number)| format!("{kind:?} {}", number.reveal()))
        .collect();
    let copy = once(&COPIES, (bytes, wanted, format!("{options:?}")));
    let made = copy.get_or_init(|| {
        let readings = seen(bytes, options).get().expect("just made").1.clone();
        redact_seen(bytes, readings, targets, options).map(|copy| (copy.bytes, copy.report))
    });
    made.clone().map(|(bytes, report)| Redacted { bytes, report })
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    pub name: String,
    pub source: Option<String>,
    pub hex: Option<String>,
    pub encode: String,
    pub hint: CaseHint,
    pub family: String,
    pub unread: Option<String>,
    pub shown: Option<String>,
    pub any: bool,
    pub unfolded: Option<String>,
    pub hidden: Vec<String>,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<String>,
    pub doubts: Vec<DoubtKind>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct CaseHint {
    pub media_type: String,
    pub charset: Option<String>,
    pub name: Option<String>,
    pub attachment: bool,
    pub flowed: bool,
    pub delsp: bool,
}

impl Case {
    pub fn bytes(&self) -> Vec<u8> {
        if let Some(hex) = &self.hex {
            let digit = |i: usize| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal");
            return (0..hex.len()).step_by(2).map(digit).collect();
        }
        let text = self.source.as_deref().expect("source or hex");
        match self.encode.as_str() {
            "" => text.as_bytes().to_vec(),
            "latin1" => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
                .collect(),
            "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "utf-32le" => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            "utf-32be" => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            other => panic!("no such encoding: {other}"),
        }
    }

    pub fn hint(&self, media_type: &str) -> Hint {
        let declared = self.hint.media_type.as_str();
        Hint {
            media_type: if declared.is_empty() { media_type } else { declared }.to_owned(),
            charset: self.hint.charset.clone(),
            name: self.hint.name.clone(),
            attachment: self.hint.attachment,
            flowed: self.hint.flowed,
            delsp: self.hint.delsp,
            scan: false,
        }
    }
}

pub fn table(name: &str) -> Vec<Case> {
    let text = String::from_utf8(sample(name)).expect("UTF-8");
    serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/document")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn samples(extensions: &[&str]) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/document");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| extensions.iter().any(|extension| name.ends_with(extension)))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), sample(&name))).collect()
}

pub fn read<'a>(bytes: &'a [u8], hint: &Hint) -> Content<'a> {
    document::read(bytes, hint, &mut Budget::new(Limits::default()))
}

pub fn texts<'c>(content: &'c Content<'_>, location: &Location) -> Vec<&'c str> {
    content
        .views
        .iter()
        .filter(|v| v.location == *location)
        .map(|v| v.text.as_str())
        .collect()
}

pub fn kinds(content: &Content<'_>) -> Vec<DoubtKind> {
    let mut kinds: Vec<DoubtKind> = content.doubts.iter().map(|doubt| doubt.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// A program that is a script. Laid out by another process: what this one has open for writing, a child that another test starts may
/// hold open, and the program is then busy.
pub fn executable(path: &std::path::Path, script: &str) {
    let source = path.with_extension("txt");
    std::fs::write(&source, script).expect("written");
    let mut install = std::process::Command::new("install");
    let done = install
        .args(["-m", "755"])
        .arg(&source)
        .arg(path)
        .status()
        .expect("install runs");
    assert!(done.success());
}
