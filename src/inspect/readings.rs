//! What programs have read of one mail and what time is left for reading more: handed from its inspection to its redaction, so that
//! nothing is read twice and the pictures of one mail have one budget, however often it is looked at.

use super::aid::UNREADABLE;
use super::words::Words;
use crate::config::Programs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// Bytes of tables that go along; what is over it is read again.
const MOST: usize = 16 << 20;

/// Why a picture was not read.
pub(super) type Why = Cow<'static, str>;

/// Tesseract's tables by the pictures that they were read in, and the time left.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Readings {
    pub(super) left: Duration,
    read: HashMap<[u8; 32], Result<String, Why>>,
}

/// Counts: the tables are content.
impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Readings({}, {:?} left)", self.read.len(), self.left)
    }
}

impl Readings {
    /// Nothing read, and all the time that one mail has.
    pub fn none(programs: &Programs) -> Readings {
        Readings {
            left: Duration::from_secs(u64::from(programs.ocr_seconds)),
            read: HashMap::new(),
        }
    }

    /// The words of this picture; `otherwise` gives its table when nobody has read it.
    pub(super) fn words(
        &mut self,
        picture: &[u8],
        otherwise: impl FnOnce(&mut Duration) -> Result<String, Why>,
    ) -> Result<Words, Why> {
        let left = &mut self.left;
        let table = self.read.entry(Sha256::digest(picture).into());
        match table.or_insert_with(|| otherwise(left)) {
            Ok(table) => Words::of(table).ok_or(Cow::Borrowed(UNREADABLE)),
            Err(why) => Err(why.clone()),
        }
    }

    /// Why pictures were left unread.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        self.read
            .values()
            .filter_map(|read| read.as_ref().err())
            .map(AsRef::as_ref)
    }

    /// As much of it as fits into a message to another process.
    pub(super) fn bounded(mut self) -> Readings {
        let mut room = MOST;
        self.read.retain(|_, table| {
            let length = table.as_ref().map_or(0, String::len);
            let fits = length <= room;
            room -= if fits { length } else { 0 };
            fits
        });
        self
    }
}
