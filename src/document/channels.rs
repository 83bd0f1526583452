//! Text by place, and within a place by what a reader is shown of it.

use crate::content::{SourceMap, View};
use crate::types::{Location, OfficePlace, PartPath};
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

/// What becomes of a character on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Shown,
    /// `\v`, white, tiny.
    Hidden,
    /// Deleted by a tracked change.
    Deleted,
    /// In the colour of the mark that it lies under.
    Covered,
}

/// Where a character comes from.
#[derive(Clone)]
pub(super) enum From {
    /// The byte stands for itself.
    Byte(usize),
    /// An escape.
    Escape(Range<usize>),
    /// Nowhere: a line break for the end of a paragraph.
    Nowhere,
}

/// A text and its way back.
#[derive(Clone, Default)]
pub(super) struct Sink {
    pub text: String,
    map: SourceMap,
}

impl Sink {
    pub fn push(&mut self, c: char, from: &From) {
        let at = self.text.len();
        self.text.push(c);
        match from {
            From::Byte(source) => self.map.linear(at, *source, c.len_utf8()),
            From::Escape(source) => self.map.unit(at..self.text.len(), source.clone()),
            From::Nowhere => {}
        }
    }

    /// A line of its own from here on.
    fn wall(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    pub fn view(self, location: Location, hidden: bool, fake_redaction: bool) -> Option<View> {
        let digits = self.text.contains(char::is_numeric) || (!hidden && !self.text.is_empty());
        digits.then(|| View {
            location,
            hidden,
            fake_redaction,
            text: self.text,
            map: self.map,
            part: PartPath::default(),
            spots: Vec::new(),
            guess: false,
        })
    }
}

/// The text of one place.
struct Channel<K> {
    place: K,
    shown: Sink,
    hidden: Sink,
    deleted: Sink,
    covered: Sink,
    /// Everything in order, once there is more than shown text: a number may stand half in each.
    all: Option<Sink>,
    last: Seen,
}

impl<K> Channel<K> {
    fn new(place: K) -> Channel<K> {
        Channel {
            place,
            shown: Sink::default(),
            hidden: Sink::default(),
            deleted: Sink::default(),
            covered: Sink::default(),
            all: None,
            last: Seen::Shown,
        }
    }

    fn push(&mut self, c: char, from: &From, seen: Seen) {
        let changed = std::mem::replace(&mut self.last, seen) != seen;
        let apart = match seen {
            Seen::Shown => None,
            Seen::Hidden => Some(&mut self.hidden),
            Seen::Deleted => Some(&mut self.deleted),
            Seen::Covered => Some(&mut self.covered),
        };
        if apart.is_some() && self.all.is_none() {
            self.all = Some(self.shown.clone());
        }
        if let Some(all) = &mut self.all {
            all.push(c, from);
        }
        match apart {
            None => self.shown.push(c, from),
            Some(sink) => {
                if changed {
                    sink.wall();
                }
                sink.push(c, from);
                if c == '\n' {
                    self.shown.push(c, &From::Nowhere);
                }
            }
        }
    }
}

/// All places of a document, in the order in which they first come.
pub(super) struct Channels<K> {
    all: Vec<Channel<K>>,
    index: HashMap<K, usize>,
    /// The one written to last.
    last: usize,
    /// What stands for programs that do not know Unicode escapes.
    pub skipped: Sink,
}

impl<K> Default for Channels<K> {
    fn default() -> Channels<K> {
        Channels {
            all: Vec::new(),
            index: HashMap::new(),
            last: 0,
            skipped: Sink::default(),
        }
    }
}

impl<K: Copy + Eq + Hash> Channels<K> {
    pub fn push(&mut self, place: K, c: char, from: &From, seen: Seen) {
        self.at(place).push(c, from, seen);
    }

    /// A line break between two groups of one place, footnotes for one.
    pub fn wall(&mut self, place: K) {
        let known = self.index.get(&place).and_then(|index| self.all.get_mut(*index));
        if let Some(channel) = known {
            channel.shown.wall();
            channel.all.iter_mut().for_each(Sink::wall);
        }
    }

    fn at(&mut self, place: K) -> &mut Channel<K> {
        if self.all.get(self.last).is_none_or(|channel| channel.place != place) {
            let next = self.all.len();
            self.last = *self.index.entry(place).or_insert(next);
            if self.last == next {
                self.all.push(Channel::new(place));
            }
        }
        &mut self.all[self.last]
    }

    pub fn len(&self) -> usize {
        let len =
            |channel: &Channel<K>| channel.all.as_ref().map_or(0, |all| all.text.len()) + channel.shown.text.len();
        self.all.iter().map(len).sum()
    }

    pub fn views(self, location: impl Fn(K) -> Location) -> Vec<View> {
        let mut views = Vec::new();
        for channel in self.all {
            let location = location(channel.place);
            let beside = matches!(&location, Location::Office(place) if place.is_hidden());
            views.extend(channel.shown.view(location.clone(), beside, false));
            views.extend(channel.covered.view(location, true, true));
            let deleted = Location::Office(OfficePlace::TrackedChange);
            let mixed = match channel.hidden.text.is_empty() {
                true => deleted.clone(),
                false => Location::HiddenText,
            };
            views.extend(channel.hidden.view(Location::HiddenText, true, false));
            views.extend(channel.deleted.view(deleted, true, false));
            views.extend(channel.all.and_then(|all| all.view(mixed, true, false)));
        }
        let mut skipped = self.skipped.view(Location::Source, true, false);
        // No way back: what stands in two encodings is not edited in one of them.
        if let Some(view) = &mut skipped {
            view.map = SourceMap::default();
        }
        views.extend(skipped);
        views
    }
}
