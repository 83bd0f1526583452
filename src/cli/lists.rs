//! The lists that a policy names, watched: a list that changes comes into force by itself, with the text of the policy that
//! is in force. The policy's own file changes on SIGHUP only.
//!
//! A list that is missing, broken, or makes the policy fail its tests changes nothing: the last good one stays in force,
//! and the log says so until it is mended.

use super::policy::{self, Opened};
use crate::policy::Policy;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use time::Date;

/// Between two looks. A list must look the same twice before it is read: an editor may be in the middle of it.
pub(super) const LOOK: Duration = Duration::from_secs(2);
/// Between two lines in the log about a list that is still broken.
const REMIND: Duration = Duration::from_secs(600);

/// How a file looked; `None` when it was not there. Times alone do not show a file that is put in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Option<Looked>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Looked {
    file: (u64, u64),
    len: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl Stamp {
    /// How it looks now.
    pub fn of(path: &Path) -> Stamp {
        let looked = |m: std::fs::Metadata| Looked {
            file: (m.dev(), m.ino()),
            len: m.len(),
            changed: (m.ctime(), m.ctime_nsec()),
            modified: (m.mtime(), m.mtime_nsec()),
        };
        Stamp(std::fs::metadata(path).ok().map(looked))
    }
}

/// Files as they looked before they were read.
pub type Stamps = Vec<(PathBuf, Stamp)>;

/// A file among them looks different now.
pub fn changed(stamps: &Stamps) -> bool {
    stamps.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
}

/// What became of a look.
#[derive(Debug)]
pub enum Look {
    /// Nothing to do.
    Same,
    /// The policy with the lists of now.
    New(Box<Policy>),
    /// The last good lists stay in force, since these cannot be used.
    Broken(String),
}

/// The lists of the policy in force.
pub struct Lists {
    path: PathBuf,
    source: String,
    read: Stamps,
    unsettled: Option<Stamps>,
    broken: Option<(Instant, String)>,
}

impl Lists {
    /// Those that were read with it.
    pub fn of(path: &Path, opened: &Opened) -> Lists {
        Lists {
            path: path.to_owned(),
            source: opened.source.clone(),
            read: opened.lists.clone(),
            unsettled: None,
            broken: None,
        }
    }

    /// Looks at the files, and reads them when they have changed and come to rest.
    pub fn look(&mut self, today: Date) -> Look {
        if !changed(&self.read) {
            self.unsettled = None;
            return self.remind();
        }
        let now: Stamps = self
            .read
            .iter()
            .map(|(path, _)| (path.clone(), Stamp::of(path)))
            .collect();
        if self.unsettled.as_ref() != Some(&now) {
            self.unsettled = Some(now);
            return Look::Same;
        }
        self.unsettled = None;
        match policy::open_text(&self.path, self.source.clone(), today) {
            Ok(opened) => {
                self.read = opened.lists;
                self.broken = None;
                Look::New(Box::new(opened.loaded.policy))
            }
            Err(refused) => {
                self.read = now;
                let why = refused.to_string().trim_end().to_owned();
                self.broken = Some((Instant::now(), why.clone()));
                Look::Broken(why)
            }
        }
    }

    fn remind(&mut self) -> Look {
        match &mut self.broken {
            Some((said, why)) if said.elapsed() >= REMIND => {
                *said = Instant::now();
                Look::Broken(why.clone())
            }
            _ => Look::Same,
        }
    }
}
