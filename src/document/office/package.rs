//! The parts of a package and how they point to each other.

use super::xml::{Event, Events, Part, decoded};
use crate::content::{Budget, Spent};
use std::collections::HashMap;

/// Relationships of the package's parts (Open Packaging Conventions, clause 9): by source part, then by id.
#[derive(Default)]
pub(super) struct Relations {
    by_id: HashMap<(String, String), String>,
    by_type: HashMap<String, Vec<(String, String)>>,
}

impl Relations {
    /// Adds those of one `.rels` part.
    pub fn learn(&mut self, part: &Part<'_>, budget: &Budget) -> Result<(), Spent> {
        let Some(source) = source_of(part.name) else {
            return Ok(());
        };
        let folder = source.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut events = Events::of(part.text);
        let mut all = Vec::new();
        while let Some(event) = events.next(budget)? {
            let Event::Start(tag) = event else { continue };
            if tag.name != "Relationship" || tag.get("TargetMode") == Some("External") {
                continue;
            }
            let get = |name| tag.get(name).map(decoded).unwrap_or_default();
            let path = resolve(&folder, &get("Target"));
            self.by_id.insert((source.clone(), get("Id")), path.clone());
            all.push((get("Type"), path));
        }
        self.by_type.insert(source, all);
        Ok(())
    }

    /// Where an id of a part points.
    pub fn by_id(&self, source: &str, id: &str) -> Option<String> {
        self.by_id.get(&(source.to_owned(), id.to_owned())).cloned()
    }

    /// Where a part points by a type that ends so.
    pub fn by_type(&self, source: &str, kind: &str) -> Option<&str> {
        let all = self.by_type.get(source)?;
        all.iter()
            .find(|(known, _)| known.ends_with(kind))
            .map(|(_, path)| path.as_str())
    }
}

/// `word/document.xml` for `word/_rels/document.xml.rels`.
fn source_of(rels: &str) -> Option<String> {
    let (folder, name) = rels.rsplit_once("_rels/")?;
    Some(format!("{folder}{}", name.strip_suffix(".rels")?))
}

/// A target relative to a folder, `..` and a leading slash carried out.
fn resolve(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|s| !s.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_from_the_folder_of_their_part() {
        assert_eq!(
            source_of("word/_rels/document.xml.rels").as_deref(),
            Some("word/document.xml")
        );
        assert_eq!(source_of("_rels/.rels").as_deref(), Some(""));
        assert_eq!(resolve("ppt/slides", "../notesSlides/n1.xml"), "ppt/notesSlides/n1.xml");
        assert_eq!(resolve("xl", "/xl/worksheets/s.xml"), "xl/worksheets/s.xml");
    }
}
