//! All files of `tests/data/documents` in one table: places down, formats across, how many of the numbers in them were found and
//! what became of the file. The README shows this table; the test compares the two.

use super::collection::options;
use super::support;
use cpr_milter::config::Ocr;
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::inspect::{Input, Options};
use cpr_milter::redact::Targets;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One file and what a table says of it.
struct Row {
    path: PathBuf,
    digits: String,
    place: String,
    hidden: bool,
    least: Confidence,
}

impl Row {
    fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name in UTF-8")
    }

    fn options(&self) -> Options {
        // As the other tests ask, which need not read its pictures again.
        let mut options = match self.format() {
            "pdf" => super::pdf::options(),
            _ => options(self.name()),
        };
        if self.format() == "mail" {
            options.input = Input::Message;
        }
        if !self.place.contains("OCR") {
            options.programs.ocr = Ocr::Off;
        }
        options
    }

    /// The column of its format: archives and pictures share one, the others are known by their ending.
    fn format(&self) -> &'static str {
        let folder = self.path.parent().and_then(Path::file_name).unwrap_or_default();
        let name = self.name().trim_end_matches(".gz");
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match (folder.to_str().unwrap_or_default(), ending) {
            (_, "sqlite") => "SQLite",
            ("archives", _) | (_, "zip" | "cab" | "cpio" | "iso" | "xar" | "Z" | "lzo") => "archives",
            ("images", _) | ("painted", "png" | "jpg" | "tif" | "webp" | "gif" | "bmp") => "pictures",
            (_, "eml") => "mail",
            ("msg" | "tnef", _) => "msg, tnef",
            ("docx", _) => "docx",
            ("xlsx", _) => "xlsx",
            ("pptx", _) => "pptx",
            ("odt", _) => "odt",
            (_, ending) => COLUMNS.into_iter().find(|column| *column == ending).unwrap_or("other"),
        }
    }
}

/// In the order of the table.
const COLUMNS: [&str; 18] = [
    "docx",
    "xlsx",
    "pptx",
    "odt",
    "ods",
    "odp",
    "rtf",
    "doc",
    "xls",
    "ppt",
    "xlsb",
    "msg, tnef",
    "pdf",
    "pictures",
    "archives",
    "mail",
    "SQLite",
    "other",
];

/// A row of the README for a place in the words of a finding: without numbers of pages and cells.
fn kind(place: &str, hidden: bool) -> String {
    let starts = |start: &str| place.starts_with(start);
    let numbered = [
        "page",
        "slide",
        "footnote",
        "endnote",
        "notes of slide",
        "hidden slide",
        "note on page",
    ];
    let counted = |word: &&str| {
        place
            .strip_prefix(*word)
            .is_some_and(|rest| rest.trim().parse::<u32>().is_ok())
    };
    let word = match numbered.into_iter().find(|word| counted(word)) {
        Some("page") if hidden => "page: hidden or covered text",
        Some("notes of slide") => "speaker notes",
        Some("note on page") => "note on a page",
        Some(word) => word,
        None if starts("sheet ") && place.contains("formula in") => "formula",
        None if starts("sheet ") && place.contains("in a hidden") => "cell in a hidden row or column",
        None if starts("sheet ") && place.ends_with("not visible") => "cell with a format that shows nothing",
        None if starts("sheet ") => "cell",
        None if starts("hidden sheet ") => "cell of a hidden sheet",
        None if starts("property ") || place == "properties of the document" => "property",
        None if starts("header ") || starts("display name") => "header of a mail",
        None if starts("attribute ") => "attribute",
        None if place == "text" && hidden => "hidden text",
        None if place == "text in the picture, read by OCR" => "picture, read by OCR",
        None if place == "source" => "packed twice, columns, leftovers",
        None if place == "outside all parts" => "behind or between the parts",
        None => place,
    };
    word.to_owned()
}

fn confidence(word: &str) -> Confidence {
    match word {
        "certain" => Confidence::Certain,
        "likely" => Confidence::Likely,
        _ => Confidence::Possible,
    }
}

/// Every table below the folder, whatever its columns: they are known by their heads.
fn rows() -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/documents");
    let mut rows = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("tsv") => rows.extend(of_tsv(&folder, &path)),
                Some("yaml") => rows.extend(of_yaml(&folder, &path)),
                _ => {}
            }
        }
    }
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    rows
}

fn of_tsv(folder: &Path, table: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(table).expect("a table");
    let mut lines = text.lines();
    let heads: Vec<&str> = lines
        .next()
        .expect("heads")
        .trim_start_matches("# ")
        .split('\t')
        .collect();
    let column = |head: &str| heads.iter().position(|known| *known == head);
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |head: &str| column(head).and_then(|i| fields.get(i)).copied().unwrap_or_default();
        Row {
            path: folder.join(field("file")),
            digits: field("digits").trim_matches('-').to_owned(),
            // The table of pictures to paint over has no places: it is one.
            place: match column("place") {
                Some(_) => field("place").to_owned(),
                None => cpr_milter::types::Location::Ocr.to_string(),
            },
            hidden: field("hidden") == "hidden",
            least: confidence(field("least confidence")),
        }
    };
    lines.filter(|line| !line.starts_with('#')).map(row).collect()
}

fn of_yaml(folder: &Path, table: &Path) -> Vec<Row> {
    #[derive(Deserialize)]
    struct Sample {
        file: String,
        digits: String,
        place: String,
        hidden: bool,
    }
    let text = std::fs::read_to_string(table).expect("a table");
    let samples: Vec<Sample> = serde_yaml::from_str(&text).expect("a table");
    let row = |sample: Sample| Row {
        path: folder.join(sample.file),
        digits: sample.digits,
        place: sample.place,
        hidden: sample.hidden,
        least: Confidence::Possible,
    };
    samples.into_iter().map(row).collect()
}

/// What was counted of one place in one format.
#[derive(Clone, Copy, Default)]
struct Count {
    files: usize,
    found: usize,
    redacted: usize,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.files += other.files;
        self.found += other.found;
        self.redacted += other.redacted;
    }

    /// `7`: found in all seven files, and all are redacted; `7q`: all go to quarantine instead; `7 (2q)`: two of them do.
    fn cell(self) -> String {
        let found = match self.files {
            0 => return String::new(),
            files if files == self.found => files.to_string(),
            files => format!("{}/{files}", self.found),
        };
        match self.files - self.redacted {
            0 => found,
            refused if refused == self.files => format!("{found}q"),
            refused => format!("{found} ({refused}q)"),
        }
    }
}

/// Reads and redacts one file; the misses in words.
fn measured(row: &Row) -> (Count, Option<String>) {
    let bytes = std::fs::read(&row.path).unwrap_or_else(|e| panic!("{}: {e}", row.path.display()));
    let options = row.options();
    let report = support::report(&bytes, &options);
    let fits = report.findings.iter().any(|f| {
        f.number.reveal() == row.digits
            && f.place.location.to_string() == row.place
            && f.hidden == row.hidden
            && f.confidence >= row.least
    });
    let targets = Targets::from([(IdKind::Cpr, Secret::new(row.digits.clone()))]);
    let count = Count {
        files: 1,
        found: usize::from(fits),
        redacted: usize::from(support::redact(&bytes, &targets, &options).is_ok()),
    };
    (
        count,
        (!fits).then(|| format!("{}: not found at {}", row.name(), row.place)),
    )
}

/// Rows by place, counts by format.
type Table = BTreeMap<String, BTreeMap<&'static str, Count>>;

fn counted(rows: &[Row]) -> (Table, Vec<String>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<(&Row, (Count, Option<String>))> = std::thread::scope(|scope| {
        let share = |first: usize| rows.iter().skip(first).step_by(threads);
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || share(first).map(|row| (row, measured(row))).collect::<Vec<_>>()))
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().expect("no panic"));
        done.flatten().collect()
    });
    let mut table = Table::new();
    let mut missed = Vec::new();
    for (row, (count, miss)) in results {
        for kind in [kind(&row.place, row.hidden), TOTAL.to_owned()] {
            table
                .entry(kind)
                .or_default()
                .entry(row.format())
                .or_default()
                .add(count);
        }
        missed.extend(miss);
    }
    (table, missed)
}

const TOTAL: &str = "**all places**";

fn printed(table: &Table) -> String {
    let all = &table[TOTAL];
    let columns: Vec<&str> = COLUMNS.into_iter().filter(|column| all.contains_key(column)).collect();
    let mut out = format!(
        "| place | {} |\n|---|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    let places = table.keys().filter(|kind| *kind != TOTAL);
    for kind in places.map(String::as_str).chain([TOTAL]) {
        let counts = &table[kind];
        let cells = columns
            .iter()
            .map(|column| counts.get(column).copied().unwrap_or_default().cell());
        writeln!(out, "| {kind} | {} |", cells.collect::<Vec<_>>().join(" | ")).expect("into a string");
    }
    out
}

#[test]
fn every_number_in_the_collection_is_found_and_the_readme_says_so() {
    let installed = |program: &str| Path::new("/usr/bin").join(program).exists();
    let all = rows();
    let (ocr, rar) = (installed("tesseract"), installed("bsdtar"));
    let readable = |row: &Row| (ocr || !row.place.contains("OCR")) && (rar || !row.name().ends_with(".rar"));
    let rows: Vec<Row> = all
        .into_iter()
        .filter(|row| !row.digits.is_empty())
        .filter(readable)
        .collect();
    let (table, missed) = counted(&rows);
    let printed = printed(&table);
    println!("{printed}");
    assert!(
        missed.is_empty(),
        "{} of {}:\n{}",
        missed.len(),
        rows.len(),
        missed.join("\n")
    );
    assert!(rows.len() >= 500, "{} files with a number", rows.len());
    if !(ocr && rar) {
        eprintln!("without tesseract and bsdtar the table is not the README's");
        return;
    }
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let shown = readme
        .split_once("<!-- recall -->\n")
        .and_then(|(_, rest)| rest.split_once("<!-- end -->"));
    let shown = shown.expect("the README has the table between its marks").0;
    assert!(
        shown == printed,
        "the README's table is not what was measured, which is:\n{printed}"
    );
}
