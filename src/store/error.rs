//! Why the store could not do what it was asked, in one sentence each for the administrator: what, where, what to do.

use super::IncidentId;
use std::path::PathBuf;

/// What can go wrong. Each of them is a 4xx to the client: nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// In words for the administrator.
    #[error("{0}")]
    Unusable(String),
    /// Another process holds the lock.
    #[error("the store {} is busy: another process has held its lock for more than 5 seconds; try again, and look for a backup or copy that locks it", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// No room.
    #[error("the disk under the store {} is full; make room or move the store, nothing needs a restart", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// May not be written.
    #[error("the store {} cannot be written; check owner and mode of the file and its folder, and that the file system is not mounted read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Deleted, or moved away, under a running program.
    #[error("the store {} is not there any more; put it back (held mail is in it), nothing needs a restart", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Damaged.
    #[error("the store {} is damaged or no store of ours; move it aside and restore the last backup (held mail is in it)", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer version.
    #[error("the store {} was written by a newer cpr-milter (schema {found}, this one knows {known}); install that version again", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// In the file.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A key file is missing, unsafe or unreadable.
    #[error("the key file {} {what}; {remedy}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// This process has no private key.
    #[error("this needs the private key, which this process does not have: run it as a user who may read store.key")]
    Sealed,
    /// The message key was destroyed.
    #[error("the content of {0} was destroyed (deleted, expired or past its retention)")]
    Shredded(IncidentId),
    /// No such incident.
    #[error("there is no incident {0}; `cpr-milter quarantine list` shows them")]
    Unknown(IncidentId),
    /// The request itself is wrong, or not allowed in this state.
    #[error("{0}")]
    Refused(String),
    /// Another courier has taken the job over.
    #[error("the job's lease ended and another courier has taken it over")]
    LeaseLost,
}

impl StoreError {
    /// The disk is full: answer 452 4.3.1 in place of 451 4.3.0.
    pub fn is_full(&self) -> bool {
        matches!(self, StoreError::Full { .. })
    }
}
