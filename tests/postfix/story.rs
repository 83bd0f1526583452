//! The case files: what they may say, and how they are read. `tests/cases/README.md` explains them to their writers.

use crate::numbers::Planted;
use crate::text::Names;
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// One file of `tests/cases`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What happens, in one line.
    pub title: String,
    /// A file of `tests/cases/policies`, or a path from the root of the repository.
    #[serde(default = "standard")]
    pub policy: String,
    /// Runs with a Postfix and a milter of its own, because it stops, fills or breaks something.
    #[serde(default)]
    pub alone: bool,
    /// Lines for main.cf (implies `alone`).
    #[serde(default)]
    pub postfix: Vec<String>,
    /// The store lies on a disk of two megabytes (implies `alone`).
    #[serde(default)]
    pub small_store: bool,
    /// With a secure gateway behind it, a second Postfix (implies `alone`).
    #[serde(default)]
    pub gateway: bool,
    /// Whose own number is whose: addresses by the names of numbers.
    #[serde(default)]
    pub owners: BTreeMap<String, String>,
    /// Sent one after the other in one connection.
    #[serde(default)]
    pub mails: Vec<Mail>,
    /// Instead of `mails`: lines to send (`>`), replies to expect (`<`), things to do (`!`).
    #[serde(default)]
    pub dialogue: String,
    /// With `dialogue`: who gets what. A key `address #2` means the mail with `X-Test-Id: $id.2`.
    #[serde(default)]
    pub expect: BTreeMap<String, Expected>,
    /// What an address gets from us: notices and delivery reports.
    #[serde(default)]
    pub notices: BTreeMap<String, Notice>,
    /// How many incidents the case makes in the quarantine; not looked at when left out.
    #[serde(default)]
    pub incidents: Option<usize>,
    /// Seconds until everything expected must have happened, where a retry needs longer.
    #[serde(default = "patience")]
    pub patience: u64,
    /// What happens then.
    #[serde(default)]
    pub then: Vec<Step>,
    /// Who has what in the end, where that differs from `expect`.
    #[serde(default)]
    pub finally: BTreeMap<String, Expected>,
}

/// One mail in the short form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Without angle brackets; empty for the null sender.
    pub from: String,
    /// Without angle brackets.
    pub to: Vec<String>,
    /// Header and text; `X-Test-Id` is put on top.
    pub mail: String,
    /// Arguments of MAIL.
    #[serde(default)]
    pub mail_args: String,
    /// Arguments of each RCPT.
    #[serde(default)]
    pub rcpt_args: String,
    /// By sendmail(1) instead of SMTP.
    #[serde(default)]
    pub sendmail: bool,
    /// How the reply after the final dot begins.
    #[serde(default = "accepted")]
    pub reply: String,
    /// Who gets what.
    #[serde(default)]
    pub expect: BTreeMap<String, Expected>,
}

/// What becomes of one recipient's mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// One copy, every header line and the body as sent.
    Delivered,
    /// One copy, without the numbers.
    Redacted,
    /// No copy, and the quarantine lists it as held.
    Held,
    /// No copy, and the client or the sender was told so (5xx, or a failed report).
    Refused,
    /// No copy: the client was told to come back, or gave up, or a reviewer deleted it.
    Nothing,
}

/// A fate alone, or with more to look at.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// `borger@post.example: held`
    Word(Fate),
    /// `borger@post.example: {fate: redacted, contains: [...]}`
    Full(Box<Closely>),
}

/// Properties of the copy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closely {
    /// Which of the five.
    pub fate: Fate,
    /// Texts in the copy, as a person reads it.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Texts that are not in it.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Bytes that are in the copy exactly so.
    #[serde(default)]
    pub bytes: Vec<String>,
    /// Numbers that a redacted copy keeps.
    #[serde(default)]
    pub keeps: Vec<String>,
    /// Texts in the MAIL command that delivered it.
    #[serde(default)]
    pub mail: Vec<String>,
    /// Texts in the RCPT command that delivered it.
    #[serde(default)]
    pub rcpt: Vec<String>,
    /// Postfix itself changes header lines of this one (for instance names folded over its limit): compare the body alone.
    #[serde(default)]
    pub header_changes: bool,
}

/// What an address is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// How many messages.
    pub count: usize,
    /// Texts in all of them together.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Texts in none of them.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// One thing after the mails.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A command of cpr-milter, without `--config`.
    #[serde(default)]
    pub run: Option<String>,
    /// One of the `!` things of dialogues.
    #[serde(default)]
    pub act: Option<String>,
    /// Exit status of the command.
    #[serde(default)]
    pub exit: i32,
    /// Texts in what it prints.
    #[serde(default)]
    pub prints: Vec<String>,
    /// Texts that it does not print.
    #[serde(default)]
    pub hides: Vec<String>,
}

/// A story with its placeholders' values.
#[derive(Clone)]
pub struct Case {
    /// `c07` for `07-….yaml`.
    pub id: String,
    /// File name without ending.
    pub name: String,
    /// As written.
    pub story: Story,
    /// Values.
    pub names: Names,
}

fn patience() -> u64 {
    15
}

fn standard() -> String {
    "standard".to_owned()
}

fn accepted() -> String {
    "250".to_owned()
}

impl Expected {
    /// The fate and, if given, what else to look at.
    pub fn parts(&self) -> (Fate, Option<&Closely>) {
        match self {
            Expected::Word(fate) => (*fate, None),
            Expected::Full(closely) => (closely.fate, Some(closely)),
        }
    }
}

impl Case {
    /// All cases in the order of their names; `CPR_CASES=03,17` picks some.
    pub fn all(folder: &Path) -> Vec<Case> {
        let picked = std::env::var("CPR_CASES").ok();
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("tests/cases")
            .map(|entry| entry.expect("tests/cases").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
            .collect();
        files.sort();
        let cases: Vec<Case> = files.iter().map(|path| Case::read(path)).collect();
        match picked {
            Some(picked) => cases
                .into_iter()
                .filter(|case| picked.split(',').any(|id| case.id[1..] == *id))
                .collect(),
            None => cases,
        }
    }

    /// One file.
    pub fn read(path: &Path) -> Case {
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("readable");
        let story = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("tests/cases/{name}.yaml: {error}"));
        let id = format!("c{}", name.split('-').next().expect("a number first"));
        let mut names = Names::default();
        names.words.insert("id".to_owned(), id.clone());
        for found in Regex::new(r"\{((?:cpr|nomod|p)\d?)(?::\w+)?\}")
            .expect("valid")
            .captures_iter(&text)
        {
            names.numbers.insert(found[1].to_owned(), Planted::new(&id, &found[1]));
        }
        Case { id, name, story, names }
    }

    /// Numbers of protected persons in it.
    pub fn protected(&self) -> impl Iterator<Item = &Planted> {
        self.names
            .numbers
            .iter()
            .filter(|(name, _)| name.starts_with('p'))
            .map(|(_, number)| number)
    }

    /// Lines for `people own`.
    pub fn owners(&self) -> String {
        let line = |(name, address): (&String, &String)| {
            let number = self.names.numbers.get(name)?.written("")?;
            Some(format!("{number} {}\n", self.names.line(address)))
        };
        self.story.owners.iter().filter_map(line).collect()
    }

    /// Expectations by (test id, address), placeholders filled in; `late` lays `finally` over them.
    pub fn expectations(&self, late: bool) -> Vec<(String, String, Expected)> {
        let mut all = BTreeMap::new();
        let mut add = |mail: usize, map: &BTreeMap<String, Expected>| {
            for (key, expected) in map {
                let (address, number) = key.split_once(" #").unwrap_or((key, ""));
                let number = number.parse().unwrap_or(mail);
                all.insert(
                    (format!("{}.{number}", self.id), self.names.line(address)),
                    expected.clone(),
                );
            }
        };
        add(1, &self.story.expect);
        for (index, mail) in self.story.mails.iter().enumerate() {
            add(index + 1, &mail.expect);
        }
        if late {
            add(1, &self.story.finally);
        }
        all.into_iter()
            .map(|((id, address), expected)| (id, address, expected))
            .collect()
    }

    /// It needs a Postfix and a milter of its own.
    pub fn alone(&self) -> bool {
        self.story.alone
            || self.story.gateway
            || !self.story.owners.is_empty()
            || self.story.small_store
            || !self.story.postfix.is_empty()
    }
}
