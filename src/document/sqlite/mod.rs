//! SQLite databases: every table as rows under its headings, then the pages that no table owns (deleted rows, lost
//! pages), then all bytes as they are. Never rewritten: an index would no longer agree with its table.

mod freed;
mod page;

use super::{charset, doubt, sniff, view};
use crate::content::{Budget, Child, Content, Hint, SourceMap, Spent};
use crate::types::{DoubtKind, Location, PartPath};
use page::{File, Kind, Row, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) fn is_sqlite(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SQLite format 3\0")
}

/// Reads a database.
pub(super) fn read<'a>(bytes: &'a [u8], budget: &mut Budget) -> Content<'a> {
    let mut content = Content::default();
    match File::open(bytes) {
        Some(file) => {
            if file.is_cut() {
                content
                    .doubts
                    .push(doubt(DoubtKind::Broken, "the database is cut short"));
            }
            let mut reader = Reader {
                file,
                seen: BTreeSet::new(),
                content: &mut content,
                budget,
            };
            if let Err(spent) = reader.all() {
                content.doubts.push(doubt(spent.doubt(), spent.to_string()));
            }
        }
        None => content.doubts.push(doubt(DoubtKind::Broken, "the database is damaged")),
    }
    raw(&mut content, bytes, budget);
    content
}

/// All bytes, also those between the rows; text may be in UTF-16.
fn raw(content: &mut Content<'_>, bytes: &[u8], budget: &mut Budget) {
    if let Err(spent) = budget.produce(bytes.len() as u64) {
        content.doubts.push(doubt(spent.doubt(), spent.to_string()));
        return;
    }
    let mut readings = vec![charset::latin1(bytes)];
    match bytes.get(59) {
        Some(2) => readings.extend([0, 1].map(|skip| charset::utf16le(bytes, skip))),
        Some(3) => readings.extend([0, 1].map(|skip| charset::utf16be(bytes, skip))),
        _ => {}
    }
    for reading in readings {
        let mut source = view(Location::Source, reading);
        source.hidden = true;
        content.views.push(source);
    }
}

struct Reader<'r, 'a> {
    file: File<'a>,
    seen: BTreeSet<usize>,
    content: &'r mut Content<'a>,
    budget: &'r mut Budget,
}

impl Reader<'_, '_> {
    fn all(&mut self) -> Result<(), Spent> {
        let mut schema = Vec::new();
        self.tree(1, &mut schema)?;
        let names = ["type", "name", "tbl_name", "rootpage", "sql"].map(str::to_owned);
        self.push(&names, &schema, true)?;
        for row in &schema {
            let [Value::Text(kind), _, _, Value::Integer(root), Value::Text(sql), ..] = row.values.as_slice() else {
                continue;
            };
            if kind != "table" {
                continue;
            }
            let mut rows = Vec::new();
            if let Ok(root) = usize::try_from(*root) {
                self.tree(root, &mut rows)?;
            }
            self.push(&columns(sql), &rows, false)?;
        }
        for number in 1..=self.file.pages() {
            if let Some(kind) = self.file.kind(number) {
                self.budget.in_time()?;
                let rows = self.file.freed(number, kind);
                self.push(&[], &rows, true)?;
            }
            if let Some(kind) = self.file.kind(number).filter(|kind| *kind != Kind::TableInner)
                && self.seen.insert(number)
            {
                self.budget.in_time()?;
                let rows = self.file.rows(number, kind, self.budget)?;
                self.push(&[], &rows, true)?;
            }
        }
        Ok(())
    }

    /// The rows of a b-tree in order.
    fn tree(&mut self, root: usize, rows: &mut Vec<Row>) -> Result<(), Spent> {
        let mut todo = vec![root];
        while let Some(number) = todo.pop() {
            self.budget.in_time()?;
            let Some(kind) = self.file.kind(number).filter(|_| self.seen.insert(number)) else {
                continue;
            };
            match kind {
                Kind::TableInner | Kind::IndexInner => todo.extend(self.file.below(number, kind).into_iter().rev()),
                Kind::Table | Kind::Index => {}
            }
            if kind != Kind::TableInner {
                rows.extend(self.file.rows(number, kind, self.budget)?);
            }
        }
        Ok(())
    }

    /// Rows as lines of cells, under their headings.
    fn push(&mut self, columns: &[String], rows: &[Row], hidden: bool) -> Result<(), Spent> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        if !columns.is_empty() {
            text.push_str("rowid\t");
            text.push_str(&columns.join("\t"));
            text.push('\n');
        }
        for row in rows {
            if let Some(id) = row.id {
                // Writing to a string cannot fail.
                let _ = write!(text, "{id}");
            }
            for (index, value) in row.values.iter().enumerate() {
                text.push('\t');
                self.value(&mut text, value, columns.get(index))?;
            }
            text.push('\n');
        }
        self.budget.produce(text.len() as u64)?;
        let location = if hidden { Location::HiddenText } else { Location::Text };
        let mut table = view(location, charset::utf8(text.as_bytes()));
        table.map = SourceMap::default();
        table.hidden = hidden;
        self.content.views.push(table);
        Ok(())
    }

    fn value(&mut self, text: &mut String, value: &Value, column: Option<&String>) -> Result<(), Spent> {
        let _ = match value {
            Value::Null => Ok(()),
            // A number has lost its leading zero.
            Value::Integer(n) if column.is_some_and(|name| name.to_ascii_lowercase().contains("cpr")) => {
                write!(text, "{n:010}")
            }
            Value::Integer(n) => write!(text, "{n}"),
            Value::Real(n) => write!(text, "{n}"),
            Value::Text(t) => write!(text, "{t}"),
            Value::Blob(raw) if sniff::is_known(raw) => return self.blob(raw),
            Value::Blob(raw) => write!(text, "{}", charset::latin1(raw).text),
        };
        Ok(())
    }

    /// A file in a cell.
    fn blob(&mut self, raw: &[u8]) -> Result<(), Spent> {
        if self.content.children.len() as u64 >= u64::from(self.budget.limits().parts) {
            return Err(Spent::Parts);
        }
        self.budget.produce(raw.len() as u64)?;
        let number = u32::try_from(self.content.children.len() + 1).unwrap_or(u32::MAX);
        self.content.children.push(Child {
            path: PartPath(vec![number]),
            bytes: Cow::Owned(raw.to_vec()),
            hint: Hint {
                attachment: true,
                ..Hint::default()
            },
            alternative: true,
        });
        Ok(())
    }
}

/// Names of the columns of a `CREATE TABLE`.
fn columns(sql: &str) -> Vec<String> {
    let Some(open) = sql.find('(') else {
        return Vec::new();
    };
    let mut columns = vec![String::new()];
    let mut depth = 0;
    for c in sql[open + 1..].chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => columns.push(String::new()),
            _ => {}
        }
        if c != ',' || depth > 0 {
            columns.last_mut().into_iter().for_each(|column| column.push(c));
        }
    }
    let first = |column: &String| {
        let word = column.trim().split([' ', '\n', '\t', '(']).next().unwrap_or_default();
        word.trim_matches(['"', '`', '[', ']', '\'']).to_owned()
    };
    let is_rule = |word: &String| {
        let word = word.to_ascii_uppercase();
        matches!(word.as_str(), "CONSTRAINT" | "PRIMARY" | "FOREIGN" | "UNIQUE" | "CHECK")
    };
    columns.iter().map(first).filter(|word| !is_rule(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_named_and_rules_are_not() {
        let sql = "CREATE TABLE \"borger\" (id INTEGER PRIMARY KEY, [cpr] TEXT CHECK(length(cpr) in (10, 11)), \
                   `navn`, UNIQUE(cpr))";
        assert_eq!(columns(sql), ["id", "cpr", "navn"]);
    }
}
