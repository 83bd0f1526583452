//! The words that Tesseract read, from its table: their text in lines as it prints it, and where each one stands.

use crate::content::{Form, SourceMap, WordBox};

/// What was read in a picture.
#[derive(Clone, Default)]
pub(super) struct Words {
    pub text: String,
    /// Each word's letters are the number of the word.
    pub map: SourceMap,
    pub boxes: Vec<WordBox>,
}

/// The text, or nothing of it: it is content.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.boxes.len())
    }
}

impl Words {
    /// Reads the table (`tesseract … tsv`): level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    /// Words are the rows of level 5. `None` when it is no such table: nothing was read then, whatever it says.
    pub fn of(table: &str) -> Option<Words> {
        if !table.starts_with("level\t") {
            return None;
        }
        let mut words = Words {
            map: SourceMap::new(Form::Units),
            ..Words::default()
        };
        let mut line = None;
        for row in table.lines() {
            let fields: Vec<&str> = row.splitn(12, '\t').collect();
            let [
                "5",
                page,
                block,
                paragraph,
                number,
                _,
                left,
                top,
                width,
                height,
                _,
                text,
            ] = fields[..]
            else {
                continue;
            };
            let text = text.trim();
            let place: Option<Vec<u32>> = [page, left, top, width, height]
                .map(|n| n.parse().ok())
                .into_iter()
                .collect();
            let (Some(&[page, left, top, width, height]), false) = (place.as_deref(), text.is_empty()) else {
                continue;
            };
            let (paragraph, here) = ((page, block, paragraph), (page, block, paragraph, number));
            let lines = words.boxes.last().map_or(0, |last: &WordBox| last.line);
            let (gap, line_number) = match line {
                None => ("", lines),
                Some((_, same)) if same == here => (" ", lines),
                Some((same, _)) if same == paragraph => ("\n", lines + 1),
                Some(_) => ("\n\n", lines + 1),
            };
            line = Some((paragraph, here));
            words.text.push_str(gap);
            let at = words.text.len();
            words.text.push_str(text);
            let unit = words.boxes.len();
            words.map.unit(at..words.text.len(), unit..unit + 1);
            words.boxes.push(WordBox {
                page: page.saturating_sub(1),
                line: line_number,
                left,
                top,
                width,
                height,
            });
        }
        if !words.text.is_empty() {
            words.text.push('\n');
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
        1\t1\t0\t0\t0\t0\t0\t0\t900\t400\t-1\t\n\
        5\t1\t1\t1\t1\t1\t43\t46\t73\t20\t96.2\tNotat\n\
        5\t1\t1\t1\t1\t2\t128\t51\t40\t15\t96.8\tom\n\
        5\t1\t1\t1\t2\t1\t42\t88\t96\t20\t92.2\tCPR-nr.\n\
        5\t1\t2\t1\t1\t1\t151\t88\t184\t20\t89.8\t280260-0421\n\
        5\t1\t2\t1\t1\t2\t400\t88\t184\t20\t95\t \n\
        5\t2\t1\t1\t1\t1\t1\t2\t3\t4\t95\tSide\n";

    #[test]
    fn words_stand_in_lines_and_paragraphs_and_know_their_box() {
        let words = Words::of(TABLE).expect("a table");
        assert_eq!(words.text, "Notat om\nCPR-nr.\n\n280260-0421\n\nSide\n");
        let at = words.text.find("0421").expect("the number");
        let unit = words.map.source_of(at..at + 1).expect("a word").start;
        let place = words.boxes.get(unit).expect("its box");
        assert_eq!(
            (place.left, place.top, place.width, place.height, place.page),
            (151, 88, 184, 20, 0)
        );
        assert_eq!(words.boxes.last().map(|last| (last.page, last.line)), Some((1, 3)));
        assert!(words.map.source_of(5..6).is_err(), "a blank is no word");
    }

    #[test]
    fn a_row_that_is_no_row_is_left_out() {
        let table = "level\tpage_num\n5\t1\t1\t1\t1\t1\t-3\t4\t5\t6\t7\tord\n5\t1\n\n";
        assert!(Words::of(table).is_some_and(|words| words.boxes.is_empty()));
    }

    /// A Tesseract without this table would give plain text, which must not pass for a picture without words.
    #[test]
    fn what_is_no_table_was_not_read() {
        assert!(Words::of("Notat om borgeren\n").is_none());
        assert!(Words::of("").is_none());
    }
}
