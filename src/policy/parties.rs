//! The half of a condition that asks who sends to whom. Shared by rules and exceptions.

use super::fields::Fields;
use super::groups::{Groups, Who};
use super::member::{Member, Need};
use super::problem::{Problems, quote};
use super::words::{DIRECTIONS, INSIDE, OUTSIDE};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Every part that is left out holds for everybody.
#[derive(Debug, Default)]
pub(super) struct Parties {
    pub from: Vec<Who>,
    pub to: Vec<Who>,
    direction: Option<Direction>,
    login: Option<GlobSet>,
    /// `login` as written.
    pub logins: Vec<String>,
}

/// Where a copy goes. Every copy has exactly one direction; what comes from outside and goes to the outside (a forwarded
/// mail) leaves the house and is outgoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Outgoing,
    Incoming,
    Internal,
}

impl Parties {
    pub fn read(fields: &Fields<'_>, groups: &Groups, problems: &mut Problems) -> Parties {
        let mut who = |key| {
            let words = fields.words(key, problems);
            words.iter().filter_map(|w| groups.resolve(w, problems)).collect()
        };
        let (from, to) = (who("from"), who("to"));
        let direction = match fields.one_of("direction", DIRECTIONS, problems) {
            Some("outgoing") => Some(Direction::Outgoing),
            Some("incoming") => Some(Direction::Incoming),
            Some("internal") => Some(Direction::Internal),
            _ => None,
        };
        let mut logins = Vec::new();
        let login = login(fields, &mut logins, problems);
        Parties {
            from,
            to,
            direction,
            login,
            logins,
        }
    }

    /// The sender's side holds, whoever the recipient is.
    pub fn sender_fits(&self, sender: &Member, login: Option<&str>, need: Need) -> bool {
        let logged_in = match (&self.login, login) {
            (None, _) => true,
            (Some(names), Some(login)) => names.is_match(login.to_lowercase()),
            (Some(_), None) => false,
        };
        logged_in && sender.fits(&self.from, need)
    }

    /// The key and word that can never hold together with `direction`.
    pub fn contradicted(&self, groups: &Groups) -> Option<(&'static str, &'static str)> {
        let only = |all: &[Who], such: &dyn Fn(&Who) -> bool| !all.is_empty() && all.iter().all(such);
        let inside = |who: &Who| groups.is_named_inside(*who);
        let outside = |who: &Who| *who == Who::Outside;
        match self.direction? {
            Direction::Outgoing if only(&self.to, &inside) => Some(("to", INSIDE)),
            Direction::Incoming | Direction::Internal if only(&self.to, &outside) => Some(("to", OUTSIDE)),
            Direction::Incoming if only(&self.from, &inside) => Some(("from", INSIDE)),
            Direction::Internal if only(&self.from, &outside) => Some(("from", OUTSIDE)),
            _ => None,
        }
    }

    /// The recipient's side holds.
    pub fn recipient_fits(&self, sender: &Member, recipient: &Member, need: Need) -> bool {
        let goes = |wanted: Direction| {
            let from = sender.sides().iter();
            let mut ways = from.flat_map(|from| recipient.sides().iter().map(|to| Direction::of(*from, *to)));
            match need {
                Need::Any => ways.any(|way| way == wanted),
                Need::All => ways.all(|way| way == wanted),
            }
        };
        self.direction.is_none_or(goes) && recipient.fits(&self.to, need)
    }
}

impl Direction {
    /// From and to the inside, or not.
    fn of(from: bool, to: bool) -> Direction {
        match (from, to) {
            (_, false) => Direction::Outgoing,
            (false, true) => Direction::Incoming,
            (true, true) => Direction::Internal,
        }
    }
}

fn login(fields: &Fields<'_>, logins: &mut Vec<String>, problems: &mut Problems) -> Option<GlobSet> {
    fields.node("login")?;
    let mut set = GlobSetBuilder::new();
    for word in fields.words("login", problems) {
        match GlobBuilder::new(&word.text.to_lowercase())
            .literal_separator(false)
            .build()
        {
            Ok(glob) => {
                logins.push(word.text.to_lowercase());
                set.add(glob);
            }
            Err(_) => problems.error(
                word.at,
                format!("{} is no login name", quote(&word.text)),
                "`*` stands for any characters, `?` for one",
            ),
        }
    }
    set.build().ok()
}
