//! What other programs read for us: text in pictures (Tesseract), pages of PDF documents (pdftoppm) and archives (bsdtar), as views
//! and children of the same content that the readers give.

use super::program::{NoOutput, Output, run};
use super::readings::{Readings, Why};
use super::words::Words;
use super::{archives, pages};
use crate::config::{Ocr, Programs};
use crate::content::{Budget, Content, View};
use crate::document::{self, Family, Picture};
use crate::types::{DoubtKind, Location, PartPath};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Text of one picture; a page of small print is 10 kB.
const MOST_TEXT: u64 = 4 << 20;

/// Why no picture is ever read on this machine.
const OFF: &str = "OCR is switched off";
const MISSING: &str = "Tesseract is not installed";
/// Why this one is not.
pub(super) const UNREADABLE: &str = "OCR could not read it";

/// The programs, and what they have cost and said so far: a logo stands in every mail of a thread, and a redaction looks at
/// everything twice. One for each inspection or redaction.
pub(crate) struct Aid<'p> {
    programs: &'p Programs,
    readings: Readings,
}

impl<'p> Aid<'p> {
    pub(crate) fn new(programs: &'p Programs, readings: Readings) -> Aid<'p> {
        Aid { programs, readings }
    }

    /// For whoever looks at the same mail next.
    pub(crate) fn into_readings(self) -> Readings {
        self.readings.bounded()
    }

    /// No picture was left unread but for want of a reader: none at all could have been read before, either.
    pub(crate) fn reads_all_or_none(&self) -> bool {
        self.readings.reasons().all(|why| [OFF, MISSING].contains(&why))
    }

    /// Adds to `content` what a program reads in `bytes`.
    pub(crate) fn add(&mut self, family: Family, bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget) {
        match family {
            Family::Picture(kind) => self.picture(kind, bytes, content, budget),
            Family::Pdf if self.programs.ocr == Ocr::Auto => {
                pages::add(&self.programs.pdftoppm, bytes, content, budget, &mut self.readings.left);
            }
            Family::Other | Family::Zip if archives::serves(family, bytes, content) => {
                archives::add(&self.programs.bsdtar, family, bytes, content, budget);
            }
            _ => {}
        }
    }

    fn picture(&mut self, kind: Picture, bytes: &[u8], content: &mut Content<'_>, budget: &mut Budget) {
        let doubt = content
            .doubts
            .iter()
            .position(|doubt| doubt.kind == DoubtKind::NotOcred);
        let Some(doubt) = doubt else { return };
        let programs = self.programs;
        let words = self.readings.words(bytes, |left| {
            recognise(programs, left, kind, bytes, budget).map_err(Why::from)
        });
        match words {
            Ok(words) => {
                if document::picture_moves(bytes) {
                    if let Some(doubt) = content.doubts.get_mut(doubt) {
                        doubt.reason = "only the first picture of a moving one was read".to_owned();
                    }
                } else {
                    content.doubts.remove(doubt);
                }
                if let Err(spent) = budget.produce(words.text.len() as u64) {
                    content.doubts.push(whole(spent.doubt(), &spent.to_string()));
                }
                content.views.push(View {
                    location: Location::Ocr,
                    hidden: false,
                    fake_redaction: false,
                    text: words.text,
                    map: words.map,
                    part: PartPath::default(),
                    spots: Vec::new(),
                    guess: false,
                });
                content.words = words.boxes;
            }
            Err(why) => {
                if let Some(doubt) = content.doubts.get_mut(doubt) {
                    doubt.reason = format!("what the picture shows was not read: {why}");
                }
            }
        }
    }
}

/// Tesseract's table of a picture; the time that it takes is taken from `left`.
fn recognise(
    programs: &Programs,
    left: &mut Duration,
    kind: Picture,
    bytes: &[u8],
    budget: &Budget,
) -> Result<String, &'static str> {
    if programs.ocr == Ocr::Off {
        return Err(OFF);
    }
    // Given anything else, Tesseract takes its input for a list of file names and opens them.
    if kind == Picture::Heif {
        return Err("OCR does not read this kind of picture");
    }
    let (width, height) = document::picture_size(bytes).ok_or("its size is not known")?;
    if u64::from(width) * u64::from(height) > programs.ocr_pixels {
        return Err("it has more pixels than the limit allows");
    }
    let until = Instant::now() + (*left).min(budget.time_left());
    let program = &programs.tesseract;
    let told = |none| match none {
        NoOutput::Late => "OCR took longer than the limit allows",
        NoOutput::Missing => MISSING,
        NoOutput::NotStarted => "Tesseract could not be started",
    };
    let (wanted, page) = asked(programs, until).map_err(told)?;
    let mut table = String::new();
    for mode in [page, "11"] {
        let arguments = [
            "stdin",
            "stdout",
            "-l",
            &wanted,
            "--psm",
            mode,
            "-c",
            "tessedit_create_tsv=1",
        ];
        let output = run(program, &arguments, bytes, MOST_TEXT, until);
        *left = (*left).min(until.saturating_duration_since(Instant::now()));
        match output {
            Ok(Output { bytes, whole: true, .. }) => {
                table = String::from_utf8_lossy(&bytes).into_owned();
            }
            Ok(_) => return Err(UNREADABLE),
            Err(none) => return Err(told(none)),
        }
        if !Words::of(&table).ok_or(UNREADABLE)?.boxes.is_empty() {
            break;
        }
    }
    Ok(table)
}

/// Languages and page mode to ask for, by what is installed.
fn asked(programs: &Programs, until: Instant) -> Result<(String, &'static str), NoOutput> {
    let installed = languages(&programs.tesseract, until)?;
    let known = |wanted: &&str| installed.iter().any(|known| known == wanted);
    let wanted: Vec<&str> = programs.languages.split('+').filter(known).collect();
    let wanted = if wanted.is_empty() {
        "eng".to_owned()
    } else {
        wanted.join("+")
    };
    // Photographs and scans lie on their side: mode 1 turns them first, and needs data of its own for that. Where
    // neither finds a page, mode 11 looks for single words: a label in a photograph.
    let page = if known(&"osd") { "1" } else { "3" };
    Ok((wanted, page))
}

pub(super) fn whole(kind: DoubtKind, reason: &str) -> crate::content::ContentDoubt {
    crate::content::ContentDoubt {
        kind,
        part: PartPath::default(),
        location: Location::Whole,
        reason: reason.to_owned(),
    }
}

/// Languages that are installed; asked once in the life of a process.
fn languages(program: &Path, until: Instant) -> Result<Vec<String>, NoOutput> {
    static KNOWN: Mutex<Option<(PathBuf, Vec<String>)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, languages)) = known.as_ref()
        && path == program
    {
        return Ok(languages.clone());
    }
    let output = run(program, &["--list-langs"], b"", MOST_TEXT, until)?;
    if !output.whole {
        return Err(NoOutput::NotStarted);
    }
    let text = String::from_utf8_lossy(&output.bytes).into_owned();
    let languages: Vec<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.contains(' '))
        .map(str::to_owned)
        .collect();
    *known = Some((program.to_owned(), languages.clone()));
    Ok(languages)
}
