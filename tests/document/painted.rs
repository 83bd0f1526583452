//! Numbers painted over in the pixels of pictures (`tests/data/documents/painted`, made by its `make.py`; the pages of `images`
//! and the scanned pages of `pdf`): the box is one colour, the rest of the picture is as it was, OCR reads nothing any more, and no
//! other copy of the picture is left.

use super::collection::{bytes, folder, options, report, rows_of};
use super::support;
use cpr_milter::cpr::{Confidence, IdKind, Secret};
use cpr_milter::inspect::Options;
use cpr_milter::redact::{NotClean, Targets};
use cpr_milter::types::{Location, Style};
use image::{DynamicImage, GrayImage, ImageReader, Luma};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Brightness that packing with loss may move a pixel by.
const NOISE: u8 = 48;

fn has_tesseract() -> bool {
    let there = Path::new("/usr/bin/tesseract").exists();
    if !there {
        eprintln!("tesseract is not installed: pictures are not read");
    }
    there
}

pub fn copy(file: &[u8], digits: &str, options: &Options) -> Result<Vec<u8>, NotClean> {
    let targets = Targets::from([(IdKind::Cpr, Secret::new(digits.to_owned()))]);
    support::redact(file, &targets, options).map(|copy| copy.bytes)
}

/// The pages of a picture, grey, by decoders that the program does not use for this kind where there are any.
fn decoded(bytes: &[u8]) -> Vec<GrayImage> {
    if bytes.starts_with(b"II") || bytes.starts_with(b"MM") {
        return tiff_pages(bytes);
    }
    if bytes.starts_with(b"\x89PNG") {
        return vec![png_page(bytes)];
    }
    if bytes.starts_with(b"GIF") {
        return vec![gif_page(bytes)];
    }
    if bytes.starts_with(b"BM") {
        return vec![bitmap_page(bytes)];
    }
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .expect("a picture");
    vec![reader.decode().expect("sound").into_luma8()]
}

fn png_page(bytes: &[u8]) -> GrayImage {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().expect("sound");
    let mut data = vec![0; reader.output_buffer_size().expect("small")];
    let frame = reader.next_frame(&mut data).expect("sound");
    data.truncate(frame.buffer_size());
    let (width, height) = (frame.width, frame.height);
    let grey = |pixel: &[u8]| {
        let (colours, alpha) = pixel.split_at(pixel.len() - 1);
        let grey = colours.iter().map(|c| u32::from(*c)).sum::<u32>() / colours.len() as u32;
        ((grey * u32::from(alpha[0]) + 255 * (255 - u32::from(alpha[0]))) / 255) as u8
    };
    let samples = frame.color_type.samples();
    let data = data.chunks_exact(samples).map(grey).collect();
    GrayImage::from_raw(width, height, data).expect("sound")
}

fn gif_page(bytes: &[u8]) -> GrayImage {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(bytes).expect("sound");
    let frame = decoder.read_next_frame().expect("sound").expect("a picture");
    let rgba = image::RgbaImage::from_raw(frame.width.into(), frame.height.into(), frame.buffer.to_vec());
    DynamicImage::ImageRgba8(rgba.expect("sound")).into_luma8()
}

fn tiff_pages(bytes: &[u8]) -> Vec<GrayImage> {
    let mut decoder = tiff::decoder::Decoder::new(Cursor::new(bytes)).expect("sound");
    let mut pages = Vec::new();
    loop {
        let (width, height) = decoder.dimensions().expect("sound");
        let colour = decoder.colortype().expect("known");
        let tiff::decoder::DecodingResult::U8(data) = decoder.read_image().expect("sound") else {
            panic!("sixteen bits");
        };
        let row = data.len() / height as usize;
        let bits = usize::from(colour.bit_depth()) * usize::from(colour.num_samples());
        let page = GrayImage::from_fn(width, height, |x, y| {
            let row = &data[y as usize * row..][..row];
            let value = match bits {
                1 => row[x as usize / 8] >> (7 - x % 8) & 1,
                _ => row[x as usize * bits / 8..][..bits / 8]
                    .iter()
                    .fold(0, |all, c| all ^ c.rotate_left(3)),
            };
            Luma([if bits == 1 { value * 255 } else { value }])
        });
        pages.push(page);
        if !decoder.more_images() {
            return pages;
        }
        decoder.next_image().expect("sound");
    }
}

/// Uncompressed, up to eight bits, by the table of colours.
fn bitmap_page(bytes: &[u8]) -> GrayImage {
    let long = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let (width, height, bits) = (long(18), long(22), usize::from(bytes[28]));
    let stride = (width as usize * bits).div_ceil(32) * 4;
    let (start, table) = (long(10) as usize, 14 + long(14) as usize);
    GrayImage::from_fn(width, height, |x, y| {
        let row = &bytes[start + (height - 1 - y) as usize * stride..];
        let at = x as usize * bits;
        let value = row[at / 8] >> (8 - bits - at % 8) & (0xff >> (8 - bits));
        Luma([bytes[table + 4 * usize::from(value)]])
    })
}

/// The box around all pixels that differ by more than `noise`: left, top, right, bottom.
fn changed(before: &GrayImage, after: &GrayImage, noise: u8) -> Option<[u32; 4]> {
    assert_eq!(before.dimensions(), after.dimensions());
    let mut found: Option<[u32; 4]> = None;
    for (x, y, pixel) in before.enumerate_pixels() {
        if pixel.0[0].abs_diff(after.get_pixel(x, y).0[0]) > noise {
            let [left, top, right, bottom] = found.unwrap_or([x, y, x, y]);
            found = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
        }
    }
    found
}

/// What is wrong with a picture that was painted over: filled areas must be of one colour, and all else as before.
fn faults(before: &[u8], after: &[u8], lossy: bool) -> Vec<String> {
    let (old, new) = (decoded(before), decoded(after));
    let noise = if lossy { NOISE } else { 0 };
    let mut faults = Vec::new();
    let mut boxes = 0;
    for (before, after) in old.iter().zip(&new) {
        let Some([left, top, right, bottom]) = changed(before, after, noise) else {
            continue;
        };
        boxes += 1;
        let area = (right - left + 1) * (bottom - top + 1);
        if area * 8 > before.width() * before.height() {
            faults.push(format!("{area} pixels changed"));
        }
        let values: Vec<u8> = (left..=right)
            .flat_map(|x| (top..=bottom).map(move |y| (x, y)))
            .map(|(x, y)| after.get_pixel(x, y).0[0])
            .collect();
        let (least, most) = (values.iter().min().expect("some"), values.iter().max().expect("some"));
        if most - least > if lossy { 12 } else { 0 } {
            faults.push(format!("the box is not of one colour: {least} to {most}"));
        }
    }
    if boxes != 1 {
        faults.push(format!("{boxes} pages changed"));
    }
    faults
}

/// Digits in a row that Tesseract reads in a picture; page mode 1 turns it first, 11 looks for single words.
fn most_digits(picture: &[u8], page: &str) -> usize {
    let mut child = Command::new("/usr/bin/tesseract")
        .args(["stdin", "stdout", "-l", "eng", "--psm", page])
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    child.stdin.take().expect("a pipe").write_all(picture).expect("written");
    let mut text = String::new();
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut text)
        .expect("read");
    let _ = child.wait();
    let runs = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    runs.map(|run| run.chars().filter(char::is_ascii_digit).count())
        .max()
        .unwrap_or(0)
}

fn is_picture(file: &str) -> bool {
    [".png", ".jpg", ".gif", ".tif", ".webp", ".bmp"]
        .iter()
        .any(|end| file.ends_with(end))
}

fn is_lossy(file: &str) -> bool {
    [".jpg", "page.webp"].iter().any(|end| file.ends_with(end)) || file == "jpeg.tif"
}

/// File, number, and whether it is painted over.
fn files(folder: &str, table: &str) -> Vec<(String, String, bool)> {
    let rows = rows_of(folder, table).into_iter();
    rows.map(|fields| {
        (
            fields[0].clone(),
            fields[1].clone(),
            fields.last().is_some_and(|last| last == "clean"),
        )
    })
    .collect()
}

#[test]
fn a_number_in_a_picture_is_painted_over_and_nothing_else_changes() {
    if !has_tesseract() {
        return;
    }
    let mut wrong = Vec::new();
    let all = [("images", "ocr.tsv"), ("painted", "expected.tsv")];
    for (folder, (file, digits, clean)) in all
        .iter()
        .flat_map(|(folder, table)| files(folder, table).into_iter().map(move |row| (*folder, row)))
    {
        let before = bytes(folder, &file);
        let options = options(&file);
        let found = report(&before, &options);
        let seen = |finding: &&cpr_milter::types::Finding| {
            finding.number.reveal() == digits && finding.place.location == Location::Ocr
        };
        match found.findings.iter().find(seen) {
            Some(finding) if finding.confidence == Confidence::Likely => {}
            other => wrong.push(format!("{file}: found {:?}", other.map(|finding| finding.confidence))),
        }
        match copy(&before, &digits, &options) {
            Err(_) if !clean => {}
            Err(why) => wrong.push(format!("{file}: {why}")),
            Ok(_) if !clean => wrong.push(format!("{file}: was painted over")),
            Ok(after) if is_picture(&file) => {
                let faults = faults(&before, &after, is_lossy(&file));
                wrong.extend(faults.into_iter().map(|fault| format!("{file}: {fault}")));
                let page = if file.starts_with("turned") { "1" } else { "11" };
                if file != "two-pages.tif" && most_digits(&after, page) > 3 {
                    wrong.push(format!("{file}: OCR still reads digits"));
                }
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_copy_of_the_picture_goes() {
    if !has_tesseract() {
        return;
    }
    let rows = files("painted", "expected.tsv");
    let digits = |wanted: &str| rows.iter().find(|(file, ..)| file == wanted).expect("a row").1.clone();
    let telephone = copy(
        &bytes("painted", "telephone.jpg"),
        &digits("telephone.jpg"),
        &options("telephone.jpg"),
    );
    let telephone = telephone.expect("clean");
    let starts = memchr::memmem::find_iter(&telephone, b"\xff\xd8\xff").count();
    assert_eq!(starts, 1, "neither the small copy nor the one behind");
    assert!(memchr::memmem::find(&telephone, b"Telefon").is_none());
    // Which way is up is still told: tag 274, one short, 6.
    let up = b"\x12\x01\x03\0\x01\0\0\0\x06\0";
    assert!(memchr::memmem::find(&telephone, up).is_some());
    let dots = copy(&bytes("painted", "dots.jpg"), &digits("dots.jpg"), &options("dots.jpg")).expect("clean");
    assert_eq!(dots.get(13..18), Some(&[1, 0, 200, 0, 200][..]), "200 dots an inch");
    let small = copy(
        &bytes("painted", "with-small-copy.tif"),
        &digits("with-small-copy.tif"),
        &options("x.tif"),
    );
    assert_eq!(decoded(&small.expect("clean")).len(), 1);
    let docx = bytes("painted", "pictures.docx");
    let copy = copy(&docx, &digits("pictures.docx"), &options("pictures.docx")).expect("clean");
    for name in ["word/media/image1.png", "word/media/image2.jpg"] {
        let (before, after) = (entry(&docx, name), entry(&copy, name));
        let faults = faults(&before, &after, name.ends_with("jpg"));
        assert!(faults.is_empty(), "{name}: {faults:?}");
        assert!(most_digits(&after, "11") <= 3, "{name}");
    }
}

fn entry(archive: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut bytes = Vec::new();
    archive
        .by_name(name)
        .expect("an entry")
        .read_to_end(&mut bytes)
        .expect("sound");
    bytes
}

#[test]
fn a_scanned_page_is_painted_over_in_its_own_picture() {
    if !has_tesseract() {
        return;
    }
    let table = std::fs::read_to_string(folder("pdf").join("expected.yaml")).expect("the table");
    let mut wrong = Vec::new();
    let field = |line: &str, name: &str| {
        let rest = line
            .split(name)
            .nth(1)
            .expect("a field")
            .trim_start_matches([':', ' ', '"']);
        rest.split([',', '"']).next().expect("a value").to_owned()
    };
    let scans = table.lines().filter(|line| line.contains("file: scan-"));
    let scans = scans.map(|line| ("pdf", field(line, "file"), field(line, "digits")));
    let beside = files("gaps", "expected.tsv")
        .into_iter()
        .filter(|(file, _, clean)| file.starts_with("pdf-scan-") && *clean);
    let all: Vec<_> = scans
        .chain(beside.map(|(file, digits, _)| ("gaps", file, digits)))
        .collect();
    for (folder, file, digits) in &all {
        let before = bytes(folder, file);
        let options = if *folder == "pdf" {
            super::pdf::options()
        } else {
            options(file)
        };
        match copy(&before, digits, &options) {
            Err(why) => wrong.push(format!("{file}: {why}")),
            Ok(after) => {
                let faults = rendered_faults(&rendered(&before), &rendered(&after));
                wrong.extend(faults.into_iter().map(|fault| format!("{file}: {fault}")));
                if after.len() > before.len() * 2 + 20_000 {
                    wrong.push(format!("{file}: {} bytes are {}", before.len(), after.len()));
                }
            }
        }
    }
    assert!(all.len() >= 8);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each strip is read by itself, and the page as a whole.
#[test]
fn a_page_in_strips_is_painted_over_in_the_strip_with_the_number() {
    use super::pdf_hostile::{CATALOG, PAGES, packed, raw_file, stream};
    if !has_tesseract() {
        return;
    }
    let whole = &decoded(&bytes("images", "page.png"))[0];
    let (width, cut) = (whole.width(), whole.height() / 2);
    let strips = [(0, cut), (cut, whole.height())].map(|(from, to)| {
        let pixels = &whole.as_raw()[(from * width) as usize..(to * width) as usize];
        let rows = to - from;
        let dict = "/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8";
        packed(&format!("{dict} /Width {width} /Height {rows}"), pixels)
    });
    // At 150 dots an inch.
    let points = |dots: u32| f64::from(dots) * 0.48;
    let (wide, high, under) = (points(width), points(whole.height()), points(whole.height() - cut));
    let content = format!(
        "q {wide} 0 0 {} 0 {under} cm /A Do Q q {wide} 0 0 {under} 0 0 cm /B Do Q",
        high - under
    );
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 {wide} {high}] \
         /Resources << /XObject << /A 5 0 R /B 6 0 R >> >> >>"
    );
    let [above, below] = strips;
    let objects = [CATALOG, PAGES, &page, &stream("", &content)].map(|object| object.as_bytes().to_vec());
    let file = raw_file(&objects.into_iter().chain([above, below]).collect::<Vec<_>>());
    let copy = copy(&file, "2802600421", &super::pdf::options()).expect("clean");
    let faults = rendered_faults(&rendered(&file), &rendered(&copy));
    assert!(faults.is_empty(), "{faults:?}");
}

/// The first page as poppler shows it, in the dots of the scan.
fn rendered(pdf: &[u8]) -> GrayImage {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(pdf).expect("written");
    let output = Command::new("pdftoppm")
        .args(["-r", "150", "-gray", "-singlefile"])
        .arg(file.path())
        .output()
        .expect("pdftoppm is needed (apt install poppler-utils)");
    let page = output.stdout;
    // P5, width, height, 255, pixels.
    let mut fields = page.splitn(4, |b| b.is_ascii_whitespace());
    assert_eq!(fields.next(), Some(&b"P5"[..]));
    let mut number = || -> u32 {
        let text = std::str::from_utf8(fields.next().expect("a size")).expect("digits");
        text.parse().expect("a number")
    };
    let (width, height) = (number(), number());
    let start = page.len() - (width * height) as usize;
    GrayImage::from_raw(width, height, page[start..].to_vec()).expect("a page")
}

/// Poppler mends the pixels at the edges of what it scales: they may differ a little.
fn rendered_faults(before: &GrayImage, after: &GrayImage) -> Vec<String> {
    let Some([left, top, right, bottom]) = changed(before, after, 100) else {
        return vec!["nothing was painted".to_owned()];
    };
    let mut faults = Vec::new();
    if (right - left) * (bottom - top) * 20 > before.width() * before.height() {
        faults.push("more than a number was painted over".to_owned());
    }
    let inside = (left + 2..right - 1).flat_map(|x| (top + 2..bottom - 1).map(move |y| (x, y)));
    if inside.clone().any(|(x, y)| after.get_pixel(x, y).0[0] > 12) {
        faults.push("the box is not black".to_owned());
    }
    let mut png = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut png, after.width(), after.height());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("written");
    writer.write_image_data(after.as_raw()).expect("written");
    writer.finish().expect("written");
    if most_digits(&png.into_inner(), "11") > 3 {
        faults.push("OCR still reads digits".to_owned());
    }
    faults
}

#[test]
fn a_label_is_readable_in_the_picture_and_removal_leaves_paper() {
    if !has_tesseract() {
        return;
    }
    for (folder, file, digits) in [
        ("images", "page.png", "2802600421"),
        ("images", "page.gif", "2302730450"),
        ("images", "white-on-blue.png", "2108403015"),
    ] {
        let before = bytes(folder, file);
        for style in [Style::Label, Style::Remove] {
            let options = Options { style, ..options(file) };
            let after = copy(&before, digits, &options).unwrap_or_else(|why| panic!("{file}: {why}"));
            let (old, new) = (&decoded(&before)[0], &decoded(&after)[0]);
            let [left, top, right, bottom] = changed(old, new, 0).expect("a change");
            let mut values: Vec<u8> = (left..=right)
                .flat_map(|x| (top..=bottom).map(move |y| new.get_pixel(x, y).0[0]))
                .collect();
            let all = values.len();
            values.sort_unstable();
            values.dedup();
            match style {
                Style::Remove => assert_eq!(values, [new.get_pixel(2, 2).0[0]], "{file}: paper"),
                _ => {
                    assert_eq!(values.len(), 2, "{file}: box and letters");
                    let light = (left..=right)
                        .flat_map(|x| (top..=bottom).map(move |y| new.get_pixel(x, y).0[0]))
                        .filter(|value| *value == values[1])
                        .count();
                    assert!(
                        light * 20 > all && light * 3 < all,
                        "{file}: {light} of {all} pixels are letters"
                    );
                }
            }
            assert!(most_digits(&after, "11") <= 3, "{file}");
        }
    }
}
