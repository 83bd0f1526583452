//! Tables `desk`, `mark`: the queue, paged here and never in memory.

use super::incidents::{COLUMNS, IncidentRow, incident_row};
use super::{Failure, Tx};
use crate::store::Order;
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

/// A keyed hash that a mail is found by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// sender, unit, recipient, domain, attachment.
    pub kind: &'static str,
    /// The hash.
    pub hash: [u8; 32],
}

/// What the queue is sorted by.
pub struct Desk<'a> {
    /// 0 to 3.
    pub confidence: i64,
    /// Coarse places.
    pub places: &'a str,
    /// Different people.
    pub people: i64,
}

/// The order's `ORDER BY`.
fn order_by(order: Order) -> &'static str {
    match order {
        Order::Deadline => "incident.expires IS NULL, incident.expires, incident.n",
        Order::Oldest => "incident.received, incident.n",
        Order::Newest => "incident.received DESC, incident.n DESC",
        Order::People => "ifnull(d.people, incident.numbers) DESC, incident.expires, incident.n",
        Order::Confidence => "ifnull(d.confidence, 0) DESC, incident.expires, incident.n",
    }
}

/// Which mails. What is `None` or empty is not asked.
#[derive(Default)]
pub struct Wanted {
    /// With a recipient in this state.
    pub state: Option<&'static str>,
    /// With a recipient of this rule.
    pub rule: Option<String>,
    /// At least so sure.
    pub confidence: i64,
    /// Coarse place.
    pub place: Option<&'static str>,
    /// At least so many people.
    pub people: i64,
    /// Something in it could not be read.
    pub doubtful: bool,
    /// This mail alone.
    pub id: Option<String>,
    /// With one of these marks.
    pub marks: Vec<Mark>,
}

impl Wanted {
    fn sql(&self) -> (String, Vec<Value>) {
        let mut sql = String::from(" FROM incident LEFT JOIN desk d ON d.incident = incident.n WHERE 1 = 1");
        let mut values: Vec<Value> = Vec::new();
        match (self.state, &self.rule) {
            (None, None) => {}
            (state, rule) => {
                sql.push_str(" AND incident.n IN (SELECT r.incident FROM recipient r WHERE 1 = 1");
                if let Some(state) = state {
                    sql.push_str(" AND r.state = ?");
                    values.push(Value::Text(state.to_owned()));
                }
                if let Some(rule) = rule {
                    sql.push_str(" AND r.rule = ?");
                    values.push(Value::Text(rule.clone()));
                }
                sql.push(')');
            }
        }
        if self.confidence > 0 {
            sql.push_str(" AND ifnull(d.confidence, 3) >= ?");
            values.push(Value::Integer(self.confidence));
        }
        if let Some(place) = self.place {
            // Words of our own, blank on both sides.
            sql.push_str(" AND d.places LIKE ?");
            values.push(Value::Text(format!("% {place} %")));
        }
        if self.people > 0 {
            sql.push_str(" AND ifnull(d.people, incident.numbers) >= ?");
            values.push(Value::Integer(self.people));
        }
        if self.doubtful {
            sql.push_str(" AND incident.doubts <> '[]'");
        }
        if let Some(id) = &self.id {
            sql.push_str(" AND incident.id = ?");
            values.push(Value::Text(id.clone()));
        }
        if !self.marks.is_empty() {
            let one = "(m.kind = ? AND m.hash = ?)";
            let all = vec![one; self.marks.len()].join(" OR ");
            sql.push_str(&format!(
                " AND incident.n IN (SELECT m.incident FROM mark m WHERE {all})"
            ));
            for mark in &self.marks {
                values.push(Value::Text(mark.kind.to_owned()));
                values.push(Value::Blob(mark.hash.to_vec()));
            }
        }
        (sql, values)
    }
}

impl Tx<'_> {
    /// How many mails are wanted, and the page of them.
    pub fn page(
        &self,
        wanted: &Wanted,
        order: Order,
        (offset, size): (i64, i64),
    ) -> Result<(i64, Vec<IncidentRow>), Failure> {
        let (from, mut values) = wanted.sql();
        let count = format!("SELECT count(*){from}");
        let all = self
            .0
            .query_row(&count, params_from_iter(values.iter()), |row| row.get(0))?;
        let sql = format!("SELECT {COLUMNS}{from} ORDER BY {} LIMIT ? OFFSET ?", order_by(order));
        values.extend([Value::Integer(size), Value::Integer(offset)]);
        let mut query = self.0.prepare(&sql)?;
        let rows = query.query_map(params_from_iter(values.iter()), incident_row)?;
        Ok((all, rows.collect::<Result<_, _>>()?))
    }

    /// What the queue knows of a mail; `None` when nobody has looked yet.
    pub fn desk(&self, incident: i64) -> Result<Option<(i64, String)>, Failure> {
        use rusqlite::OptionalExtension;
        let sql = "SELECT confidence, places FROM desk WHERE incident = ?1";
        let found = self.0.query_row(sql, [incident], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// Mails that can be opened and have no marks yet: row number and id, newest first.
    pub fn unmarked(&self, limit: i64) -> Result<Vec<(i64, String)>, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT i.n, i.id FROM incident i
             WHERE i.purged IS NULL AND NOT EXISTS (SELECT 1 FROM desk d WHERE d.incident = i.n) ORDER BY i.n DESC LIMIT ?1",
        )?;
        let rows = query.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes what a mail is found and sorted by.
    pub fn put_on_desk(&self, incident: i64, desk: &Desk<'_>, marks: &[Mark]) -> Result<(), Failure> {
        self.0.execute(
            "INSERT INTO desk (incident, confidence, places, people) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (incident) DO UPDATE SET confidence = excluded.confidence, places = excluded.places,
                people = excluded.people",
            params![incident, desk.confidence, desk.places, desk.people],
        )?;
        for mark in marks {
            self.0.execute(
                "INSERT INTO mark (incident, kind, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![incident, mark.kind, mark.hash],
            )?;
        }
        Ok(())
    }

    /// Other mails in which a person of this one stands: how many, counted up to a limit.
    pub fn seen_before(&self, incident: i64) -> Result<i64, Failure> {
        let mut query = self.0.prepare_cached(
            "SELECT count(*) FROM (SELECT DISTINCT o.incident FROM finding f JOIN finding o ON o.person = f.person
                WHERE f.incident = ?1 AND o.incident <> ?1 LIMIT 100)",
        )?;
        Ok(query.query_row([incident], |row| row.get(0))?)
    }

    /// Other mails with a person of this one, newest first.
    pub fn same_person(&self, incident: i64, limit: i64) -> Result<Vec<IncidentRow>, Failure> {
        let among = "SELECT o.incident FROM finding f JOIN finding o ON o.person = f.person WHERE f.incident = ?1";
        self.others(incident, among, limit)
    }

    /// Other mails with the same mark of this kind, newest first.
    pub fn same_mark(&self, incident: i64, kind: &'static str, limit: i64) -> Result<Vec<IncidentRow>, Failure> {
        let among = format!(
            "SELECT o.incident FROM mark m JOIN mark o ON o.kind = m.kind AND o.hash = m.hash
             WHERE m.incident = ?1 AND m.kind = '{kind}'"
        );
        self.others(incident, &among, limit)
    }

    fn others(&self, incident: i64, among: &str, limit: i64) -> Result<Vec<IncidentRow>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS} FROM incident WHERE incident.n <> ?1 AND incident.n IN ({among})
             ORDER BY incident.received DESC, incident.n DESC LIMIT ?2"
        );
        let mut query = self.0.prepare(&sql)?;
        let rows = query.query_map([incident, limit], incident_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Rules that recipients were held by, for choosing one.
    pub fn rules_held(&self) -> Result<Vec<String>, Failure> {
        let mut query = self
            .0
            .prepare("SELECT DISTINCT rule FROM recipient WHERE rule IS NOT NULL ORDER BY rule")?;
        let rows = query.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
