//! PDF: text as displayed and as hidden, everything beside the pages, all versions in the file; and a copy without some of
//! it. The syntax is lopdf's; the walk over glyphs is ours, because redaction must know for each glyph which operator drew
//! it, and no library says that.
//!
//! Reading numbers every character (see `units`); rebuilding reads again in the same order and so finds what each number
//! stands for. Nothing of the first reading has to be kept.

mod canvas;
mod cmap;
mod encoding;
mod erase;
mod file;
mod font;
mod label;
mod layout;
mod metrics;
mod object;
mod outline;
mod page;
mod paint;
mod recognised;
mod scan;
mod sfnt;
mod space;
mod state;
mod store;
mod streams;
mod strings;
mod token;
mod units;
mod unread;

use super::{charset, doubt, view};
use crate::content::{Budget, CannotEdit, Changes, Content, Hint, Limits};
use crate::types::{DoubtKind, Location, PartPath, SealKind};
use file::{Loaded, Unloadable};
use lopdf::{Dictionary, Document, Object, ObjectId};
use object::{dict, get, reference};
use page::Pages;
use paint::Work;
use std::collections::{BTreeMap, HashSet};
use store::Store;
use strings::{Seen, Strings};
use units::Units;

pub(super) use file::is_pdf;

/// Reads a PDF file.
pub(super) fn read<'a>(bytes: &'a [u8], _hint: &Hint, budget: &mut Budget) -> Content<'a> {
    read_with(bytes, budget, &mut Units::default()).0
}

/// Writes a copy without what is to go.
pub(super) fn rebuild(bytes: &[u8], content: &Content<'_>, changes: &Changes) -> Result<Vec<u8>, CannotEdit> {
    if !content.seals.is_empty() {
        return Err(CannotEdit::Sealed);
    }
    if content.doubts.iter().any(|doubt| doubt.kind == DoubtKind::Encrypted) {
        return Err(CannotEdit::Sealed);
    }
    let mut wanted = BTreeMap::new();
    for edit in &changes.texts {
        let view = content
            .views
            .get(edit.view)
            .ok_or(CannotEdit::Untraceable("there is no such text"))?;
        let units = view.map.source_of(edit.range.clone())?;
        wanted.extend(units.map(|unit| (unit, edit.with.clone())));
    }
    let mut units = Units::wanting(wanted);
    let (again, loaded) = read_with(bytes, &mut Budget::new(Limits::default()), &mut units);
    let loaded = loaded.ok_or_else(|| CannotEdit::Unsound("the PDF document is damaged".to_owned()))?;
    let texts = |content: &Content<'_>| content.views.iter().map(|view| view.text.clone()).collect::<Vec<_>>();
    if texts(&again) != texts(content) {
        return Err(CannotEdit::Unsound("it does not read twice alike".to_owned()));
    }
    erase::erase(loaded.doc, &units, content, changes)
}

/// Reads, the units numbered by `units`; gives the document, too, if there is one.
fn read_with<'a>(bytes: &'a [u8], budget: &mut Budget, units: &mut Units) -> (Content<'a>, Option<Loaded>) {
    let mut content = Content::default();
    let loaded = match file::load(bytes, budget) {
        Ok(loaded) => loaded,
        Err(why) => {
            content.doubts.push(match why {
                Unloadable::Locked => doubt(DoubtKind::Encrypted, "it is encrypted with a password"),
                Unloadable::Broken => doubt(DoubtKind::Broken, "the PDF document is damaged"),
                Unloadable::Spent(spent) => doubt(spent.doubt(), spent.to_string()),
            });
            let mut source = view(Location::Source, charset::latin1(bytes));
            source.hidden = true;
            content.views.push(source);
            return (content, None);
        }
    };
    if loaded.repaired {
        let reason = "its table of objects is damaged, and was made anew by searching";
        content.doubts.push(doubt(DoubtKind::Broken, reason));
    }
    if loaded.decrypted {
        content.seals.push((PartPath::default(), SealKind::Encrypted));
    }
    let mut seen = Seen::default();
    let mut reading = Reading {
        content: &mut content,
        budget,
        units,
        seen: &mut seen,
        work: Work::default(),
        broken: false,
    };
    reading.document(&loaded.doc, false);
    for version in file::versions(bytes, &loaded) {
        match file::earlier(bytes, &version, reading.budget) {
            Ok(Some(doc)) => reading.document(&doc, true),
            Ok(None) => {}
            Err(spent) => reading.content.doubts.push(doubt(spent.doubt(), spent.to_string())),
        }
    }
    reading.gaps(bytes);
    if reading.broken {
        content
            .doubts
            .push(doubt(DoubtKind::Broken, "a part of the PDF document is damaged"));
    }
    (content, Some(loaded))
}

/// One file being read.
struct Reading<'r, 'a> {
    content: &'r mut Content<'a>,
    budget: &'r mut Budget,
    units: &'r mut Units,
    seen: &'r mut Seen,
    work: Work,
    broken: bool,
}

impl Reading<'_, '_> {
    fn document(&mut self, doc: &Document, earlier: bool) {
        let mut store = Store::new(doc);
        let reached = reached(doc);
        let pages: Vec<ObjectId> = doc.page_iter().take(self.budget.limits().parts as usize + 1).collect();
        let mut reader = Pages {
            store: &mut store,
            budget: self.budget,
            units: self.units,
            work: &mut self.work,
            seen: self.seen,
            scans: HashSet::new(),
            earlier,
        };
        let left = left_out(doc, &pages);
        let left = left.iter().map(|id| (0, id));
        for (number, id) in (1..).zip(&pages).chain(left) {
            if number > reader.budget.limits().parts {
                let reason = "it has more pages than the limit allows";
                self.content.doubts.push(doubt(DoubtKind::TooLarge, reason));
                break;
            }
            if !reader.store.in_time(reader.budget) {
                break;
            }
            reader.earlier = earlier || !reached.contains(id);
            reader.page(self.content, number, *id);
        }
        reader.earlier = earlier;
        if pages.is_empty() && !earlier {
            self.broken = true;
        }
        let resources = pages
            .first()
            .and_then(|id| doc.get_dictionary(*id).ok())
            .and_then(|page| object::sub(doc, page, b"Resources").cloned())
            .unwrap_or_default();
        let texts = streams::rest(&mut reader, self.content, &resources, &reached);
        self.strings(doc, &pages, &reached, earlier, texts);
        self.broken |= !earlier && (store.broken || lost(doc, &reached));
        if let Some(spent) = store.spent {
            self.content.doubts.push(doubt(spent.doubt(), spent.to_string()));
        }
    }

    fn strings(
        &mut self,
        doc: &Document,
        pages: &[ObjectId],
        reached: &HashSet<ObjectId>,
        earlier: bool,
        texts: Vec<streams::Data>,
    ) {
        let mut strings = Strings::new(self.units);
        strings.info = reference(&doc.trailer, b"Info");
        for (number, id) in (1..).zip(pages) {
            let Some(page) = doc.get_dictionary(*id).ok() else {
                continue;
            };
            let notes = object::array(doc, page, b"Annots").iter();
            strings.pages.extend(
                notes
                    .filter_map(|note| note.as_reference().ok())
                    .map(|note| (note, number)),
            );
        }
        for (id, object) in &doc.objects {
            let dropped = earlier || !reached.contains(id);
            let place = dropped.then_some(Location::EarlierVersion);
            strings.object(doc, *id, object, place.as_ref(), self.seen);
        }
        for data in texts {
            strings.data(data.id, &data.bytes, &data.place, data.dropped, self.seen);
        }
        if let Object::Dictionary(info) = get(doc, &doc.trailer, b"Info")
            && strings.info.is_none()
        {
            // Written directly in the trailer, which no copy keeps.
            let object = Object::Dictionary(info.clone());
            strings.object(doc, (0, 0), &object, Some(&Location::Metadata), self.seen);
        }
        if strings.signed && !earlier {
            self.content.seals.push((PartPath::default(), SealKind::Signed));
        }
        self.content.views.extend(strings.views());
    }

    /// Bytes before the header and behind the end: no program shows them, and no copy keeps them.
    fn gaps(&mut self, bytes: &[u8]) {
        let start = memchr::memmem::find(bytes, b"%PDF-").unwrap_or(0);
        let end = memchr::memmem::rfind(bytes, b"%%EOF").map_or(bytes.len(), |at| at + 5);
        for gap in [bytes.get(..start), bytes.get(end..)].into_iter().flatten() {
            if gap.iter().all(|b| token::is_space(*b)) {
                continue;
            }
            let reading = charset::latin1(gap);
            let base = self.units.block(reading.text.chars().count(), |_, found| {
                found.push(units::Target::Dropped);
            });
            let mut text = String::new();
            let mut map = crate::content::SourceMap::new(crate::content::Form::Units);
            strings::write_units(&mut text, &mut map, reading.text.chars(), base);
            let mut gap = view(Location::Gap, reading);
            (gap.text, gap.map, gap.hidden) = (text, map, true);
            self.content.views.push(gap);
        }
    }
}

/// Pages that were taken out of the document, and stayed in the file.
fn left_out(doc: &Document, pages: &[ObjectId]) -> Vec<ObjectId> {
    let listed: HashSet<&ObjectId> = pages.iter().collect();
    let is_page = |object: &Object| dict(object).is_some_and(|dict| object::name(doc, dict, b"Type") == b"Page");
    let left = doc
        .objects
        .iter()
        .filter(|(id, object)| is_page(object) && !listed.contains(id));
    left.map(|(id, _)| *id).take(pages.len() + 1000).collect()
}

/// The objects that the document leads to.
fn reached(doc: &Document) -> HashSet<ObjectId> {
    let mut reached = HashSet::new();
    let mut todo: Vec<&Object> = doc.trailer.iter().map(|(_, value)| value).collect();
    while let Some(object) = todo.pop() {
        match object {
            Object::Reference(id) => {
                if reached.insert(*id) {
                    todo.extend(doc.objects.get(id));
                }
            }
            Object::Array(list) => todo.extend(list),
            other => todo.extend(
                dict(other)
                    .into_iter()
                    .flat_map(Dictionary::iter)
                    .map(|(_, value)| value),
            ),
        }
    }
    reached
}

/// Objects that the table lists, that the document needs, and that could not be read.
fn lost(doc: &Document, reached: &HashSet<ObjectId>) -> bool {
    use lopdf::xref::XrefEntry;
    let listed = |id: &ObjectId| match doc.reference_table.get(id.0) {
        Some(XrefEntry::Normal { offset, .. }) => *offset > 0,
        Some(XrefEntry::Compressed { .. }) => true,
        _ => false,
    };
    reached.iter().any(|id| !doc.objects.contains_key(id) && listed(id))
}
