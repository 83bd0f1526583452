//! The texts of notices: built in, and changed by the administrator file by file.
//!
//! A changed file that is broken must never keep a sender from being told: the built-in one takes its place, and the
//! problem is reported. A name that no notice fills is an error, not an empty place.

use crate::policy::Language;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// What a notice is about; each has a template by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Some copies wait for review.
    Held,
    /// Some copies went without numbers.
    Redacted,
    /// Some copies were refused, by a rule or a reviewer.
    Refused,
    /// Delivered, and the sender should look again.
    Warned,
    /// Held, and sent as it came after all.
    Released,
    /// Held, and a copy without numbers sent after all.
    ReleasedRedacted,
    /// Nobody decided in time.
    Expired,
    /// The next hop would not take it.
    Undelivered,
    /// Many notices went to this sender; this is the last for a while.
    Summary,
    /// To a sender who is not one of ours, in the place of any report of failure: nothing of what was found.
    Outside,
}

impl Kind {
    /// All kinds, in the order of the manual.
    pub const ALL: [Kind; 10] = [
        Kind::Held,
        Kind::Redacted,
        Kind::Refused,
        Kind::Warned,
        Kind::Released,
        Kind::ReleasedRedacted,
        Kind::Expired,
        Kind::Undelivered,
        Kind::Summary,
        Kind::Outside,
    ];

    /// The word in file names and logs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Held => "held",
            Kind::Redacted => "redacted",
            Kind::Refused => "refused",
            Kind::Warned => "warned",
            Kind::Released => "released",
            Kind::ReleasedRedacted => "released_redacted",
            Kind::Expired => "expired",
            Kind::Undelivered => "undelivered",
            Kind::Summary => "summary",
            Kind::Outside => "outside",
        }
    }
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(
            (concat!("da/", $name, ".txt"), include_str!(concat!("../../policies/notices/da/", $name, ".txt"))),
            (concat!("en/", $name, ".txt"), include_str!(concat!("../../policies/notices/en/", $name, ".txt"))),
        )*]
    };
}

/// `facts` is included by the others.
const BUILT_IN: [(&str, &str); 22] = built_in![
    "facts",
    "held",
    "redacted",
    "refused",
    "warned",
    "released",
    "released_redacted",
    "expired",
    "undelivered",
    "summary",
    "outside"
];

const MINIMAL_DA: &str = include_str!("../../policies/notices/da/minimal.txt");
const MINIMAL_EN: &str = include_str!("../../policies/notices/en/minimal.txt");

/// Bytes of one template.
const LARGEST: u64 = 64 << 10;

/// A template of the administrator that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The file.
    pub file: PathBuf,
    /// From 1, if the mistake has a line.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; the built-in text is used", self.message)
    }
}

/// What templates may use. Everything in it is masked.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Fields {
    pub(super) received: String,
    pub(super) subject: Option<String>,
    pub(super) incident: String,
    pub(super) found: Vec<String>,
    pub(super) doubts: Vec<String>,
    pub(super) people: usize,
    pub(super) held: Vec<String>,
    pub(super) redacted: Vec<String>,
    pub(super) rerouted: Vec<String>,
    pub(super) refused: Vec<String>,
    pub(super) delivered: Vec<String>,
    pub(super) rules: Vec<RuleLine>,
    pub(super) policy: String,
    pub(super) contact: String,
    pub(super) until: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) reviewed: bool,
    pub(super) reply: Option<String>,
    pub(super) limit: u32,
    pub(super) hostname: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RuleLine {
    pub(super) id: String,
    pub(super) title: String,
    /// Its own words, line by line.
    pub(super) words: Vec<String>,
}

/// A text ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The texts in force.
pub struct Templates {
    changed: Environment<'static>,
    built_in: Environment<'static>,
}

impl Templates {
    /// Reads the administrator's folder, if there is one; what cannot be used is listed and replaced.
    pub fn load(folder: Option<&Path>) -> (Templates, Vec<TemplateProblem>) {
        let mut templates = Templates {
            changed: environment(),
            built_in: environment(),
        };
        let mut problems = Vec::new();
        for (name, _) in folder.map_or(&[][..], |_| &BUILT_IN[..]) {
            let file = folder.unwrap_or(Path::new("")).join(name);
            if let Err(problem) = templates.replace(name, &file) {
                problems.push(problem);
            }
        }
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            problems.push(TemplateProblem {
                file: folder.to_owned(),
                line: None,
                message: "there is no such folder".to_owned(),
            });
        }
        (templates, problems)
    }

    /// Puts one changed file in place of the built-in one, if all that includes it still renders.
    fn replace(&mut self, name: &'static str, file: &Path) -> Result<(), TemplateProblem> {
        let problem = |line, message| TemplateProblem {
            file: file.to_owned(),
            line,
            message,
        };
        let Some(source) = read(file).map_err(|message| problem(None, message))? else {
            return Ok(());
        };
        if !is_facts(name) && subject_of(&source).is_none() {
            return Err(problem(
                Some(1),
                "the first line must be `Subject: ` and a subject".to_owned(),
            ));
        }
        let added = self.changed.add_template_owned(name, source);
        let tried = added.and_then(|()| try_out(&self.changed, name));
        tried.map_err(|error| {
            restore(&mut self.changed, name);
            problem(error.line(), in_words(&error))
        })
    }

    /// The text for these facts; never fails, since a sender must be told.
    pub(super) fn render(&self, kind: Kind, language: Language, fields: &Fields) -> Rendered {
        let name = format!("{}/{}.txt", folder_of(language), kind.word());
        render(&self.changed, &name, fields)
            .or_else(|_| render(&self.built_in, &name, fields))
            .unwrap_or_else(|error| {
                // A test renders every built-in text with every field empty and full.
                tracing::error!(template = %name, "a built-in notice does not render: {}", in_words(&error));
                minimal(language, &fields.contact, &fields.incident)
            })
    }

    /// The lines that stand in the file itself: the administrator's words, not facts of a mail.
    pub(super) fn own_lines(&self, kind: Kind, language: Language) -> Vec<String> {
        let folder = folder_of(language);
        let names = [format!("{folder}/{}.txt", kind.word()), format!("{folder}/facts.txt")];
        let sources = names.iter().filter_map(|name| self.changed.get_template(name).ok());
        sources
            .flat_map(|template| template.source().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

/// Looks at every template in the folder, for `cpr-milter policy check` and the like. Empty: all can be used.
pub fn check_templates(folder: &Path) -> Vec<TemplateProblem> {
    Templates::load(Some(folder)).1
}

/// The text that says nothing of the mail, for when the full one would carry a number.
pub(super) fn minimal(language: Language, contact: &str, incident: &str) -> Rendered {
    let source = match language {
        Language::Da => MINIMAL_DA,
        Language::En => MINIMAL_EN,
    };
    let text = source
        .replace("{{ contact }}", contact)
        .replace("{{ incident }}", incident);
    split(&text)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    for (name, _) in BUILT_IN {
        restore(&mut environment, name);
    }
    environment
}

fn restore(environment: &mut Environment<'static>, name: &str) {
    if let Some((name, source)) = BUILT_IN.into_iter().find(|(built_in, _)| *built_in == name) {
        // Cannot fail: a test parses every built-in text.
        let _ = environment.add_template(name, source);
    }
}

fn folder_of(language: Language) -> &'static str {
    match language {
        Language::Da => "da",
        Language::En => "en",
    }
}

fn is_facts(name: &str) -> bool {
    name.ends_with("/facts.txt")
}

fn read(file: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("it cannot be read ({error})")),
        Ok(metadata) if metadata.len() > LARGEST => return Err("it is larger than 64 KiB".to_owned()),
        Ok(_) => {}
    }
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim_start_matches('\u{feff}').to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err("it is not UTF-8 text".to_owned()),
        Err(error) => Err(format!("it cannot be read ({error})")),
    }
}

/// Renders with all fields full and with all of them empty, so that both ways of each condition are seen.
fn try_out(environment: &Environment<'_>, name: &str) -> Result<(), minijinja::Error> {
    let template = environment.get_template(name)?;
    for fields in [Fields::default(), full()] {
        template.render(&fields)?;
    }
    Ok(())
}

fn full() -> Fields {
    let text = || "text".to_owned();
    let list = || vec![text()];
    let rule = RuleLine {
        id: text(),
        title: text(),
        words: list(),
    };
    Fields {
        received: text(),
        subject: Some(text()),
        incident: text(),
        found: list(),
        doubts: list(),
        people: 2,
        held: list(),
        redacted: list(),
        rerouted: list(),
        refused: list(),
        delivered: list(),
        rules: vec![rule],
        policy: text(),
        contact: text(),
        until: Some(text()),
        recipient: Some(text()),
        reviewed: true,
        reply: Some(text()),
        limit: 20,
        hostname: text(),
    }
}

fn render(environment: &Environment<'_>, name: &str, fields: &Fields) -> Result<Rendered, minijinja::Error> {
    Ok(split(&environment.get_template(name)?.render(fields)?))
}

fn subject_of(text: &str) -> Option<&str> {
    let subject = text.lines().next()?.strip_prefix("Subject:")?.trim();
    (!subject.is_empty()).then_some(subject)
}

fn split(text: &str) -> Rendered {
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    Rendered {
        subject: subject_of(text).unwrap_or_default().to_owned(),
        body: body.trim_matches('\n').to_owned(),
    }
}

fn in_words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_text_renders_full_and_empty() {
        let environment = environment();
        for (name, source) in BUILT_IN {
            try_out(&environment, name).expect(name);
            assert_eq!(subject_of(source).is_some(), !is_facts(name), "{name}");
        }
        for kind in Kind::ALL {
            for language in [Language::Da, Language::En] {
                let rendered = Templates::load(None).0.render(kind, language, &full());
                assert!(!rendered.subject.is_empty() && rendered.body.len() > 200, "{kind:?}");
            }
        }
    }

    #[test]
    fn a_broken_file_is_named_and_replaced_by_the_built_in_text() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(folder.path().join("da")).expect("folder");
        let put = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("file");
        put("da/held.txt", b"Subject: x\n\n{% if found %}\n");
        put("da/warned.txt", b"Subject: x\n\n{{ numbers }}\n");
        put("da/expired.txt", b"No subject\n");
        put("da/facts.txt", b"\xff");
        put("da/refused.txt", "Subject: Afvist æ\n\nRing 33 12 34 56\n".as_bytes());
        let (templates, mut problems) = Templates::load(Some(folder.path()));
        problems.sort_by_key(|problem| problem.file.clone());
        let found: Vec<_> = problems
            .iter()
            .map(|p| (p.file.file_name().and_then(|n| n.to_str()), p.line))
            .collect();
        let expected = [
            (Some("expired.txt"), Some(1)),
            (Some("facts.txt"), None),
            (Some("held.txt"), Some(3)),
            (Some("warned.txt"), Some(3)),
        ];
        assert_eq!(found, expected);
        assert_eq!(
            templates.render(Kind::Refused, Language::Da, &full()).subject,
            "Afvist æ"
        );
        assert!(
            templates
                .render(Kind::Held, Language::Da, &full())
                .body
                .contains("FUNDET")
        );
        assert_eq!(check_templates(&folder.path().join("none")).len(), 1);
    }
}
