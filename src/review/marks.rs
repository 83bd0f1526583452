//! What held mail is found and sorted by in the queue, made from the mail once, after it came: keyed hashes and coarse words.

use super::{Review, ReviewError, until};
use crate::config::Ocr;
use crate::cpr::IdKind;
use crate::store::{Content, IncidentId, StoreError};
use crate::types::{FoundLine, Location, PlaceClass};
use std::collections::BTreeSet;

impl Review {
    /// Makes the marks of mails that have none, at most so many; gives back how many there were.
    ///
    /// # Errors
    /// The store failed; the rest is made the next time.
    pub async fn mark(&self, most: usize) -> Result<usize, ReviewError> {
        let ids = self.with_store(move |store| store.unmarked(most)).await?;
        for id in &ids {
            self.mark_one(id).await?;
        }
        Ok(ids.len())
    }

    async fn mark_one(&self, id: &IncidentId) -> Result<(), ReviewError> {
        let which = id.clone();
        let opened = self
            .with_store(move |store| match store.read(&which, Content::Original) {
                // Of what is only recorded there is no content.
                Err(StoreError::Shredded(_)) => store.record_of(&which),
                other => other,
            })
            .await;
        let opened = match opened {
            Ok(opened) => Some(opened),
            // What cannot be opened stays in the queue, and is not tried again every second.
            Err(ReviewError::Store(StoreError::Unusable(_) | StoreError::Shredded(_))) => None,
            Err(error) => return Err(error),
        };
        let attachments = match opened.as_ref().and_then(|opened| opened.mail.as_deref()) {
            Some(mail) => self.attachments(mail).await,
            None => Vec::new(),
        };
        let id = id.clone();
        self.with_store(move |store| {
            let found = opened.as_ref().map_or(&[][..], |opened| &opened.facts.found);
            let confidence = found.iter().map(|line| line.confidence).max();
            let people = opened.as_ref().map_or(0, |opened| opened.facts.people);
            let people = match found.iter().any(|line| line.kind == IdKind::Cpr) {
                true => people.max(1),
                false => people,
            };
            let places: BTreeSet<PlaceClass> = found.iter().map(class).collect();
            let envelope = opened.as_ref().map(|opened| &opened.envelope);
            store.put_on_desk(&id, (people, confidence), &places, envelope, &attachments)
        })
        .await
    }

    /// Hashes of attached files. A mail that cannot be taken apart has none; that is said elsewhere.
    async fn attachments(&self, mail: &[u8]) -> Vec<[u8; 32]> {
        let mut options = self.options(&self.policy());
        options.programs.ocr = Ocr::Off;
        let seen = self.pool.examine(mail, &options, until()).await;
        let parts = seen.map(|seen| seen.parts).unwrap_or_default();
        let files = parts.iter().filter(|part| part.attachment && part.path.0.len() <= 2);
        let hashes: BTreeSet<[u8; 32]> = files.map(|part| part.hash).collect();
        hashes.into_iter().collect()
    }
}

/// The coarse place of a line of facts, as [`crate::types::Place::class`] says of the finding.
fn class(line: &FoundLine) -> PlaceClass {
    match &line.location {
        Location::Header { name, .. } if name.eq_ignore_ascii_case("subject") && line.file.is_none() => {
            PlaceClass::Subject
        }
        Location::Header { .. } | Location::DisplayName { .. } => PlaceClass::Header,
        Location::FileName => PlaceClass::FileName,
        _ if line.file.is_some() => PlaceClass::Attachment,
        _ => PlaceClass::Body,
    }
}
