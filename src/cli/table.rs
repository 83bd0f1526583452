//! Tables for a terminal. Cells may hold text out of mails: no control character gets through to the terminal.

/// What a command says, and its exit status.
pub type Said = (String, i32);

/// Columns as wide as their widest cell, two blanks between them, the last one ragged.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = line(&widths, head.iter().copied());
    for row in &rows {
        out.push_str(&line(&widths, row.iter().map(String::as_str)));
    }
    out
}

fn line<'a>(widths: &[usize], cells: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (width, cell) in widths.iter().zip(cells) {
        out.push_str(cell);
        out.extend(std::iter::repeat_n(' ', width - cell.chars().count().min(*width) + 2));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Without control characters, and without the marks that turn the direction of writing.
pub fn plain(text: &str) -> String {
    let hostile = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if hostile(c) { ' ' } else { c }).collect()
}

/// `2026-11-24 08:15`, UTC.
pub fn minute(at: time::OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]");
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_escapes_do_not_get_through() {
        let rows = vec![
            vec!["æøå".to_owned(), "b\x1b[31m".to_owned()],
            vec!["a".to_owned(), "c".to_owned()],
        ];
        assert_eq!(table(&["X", "Y"], &rows), "X    Y\næøå  b [31m\na    c\n");
    }
}
