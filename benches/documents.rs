//! Documents inside one process, as a worker of the gateway reads them: the small files of the tests' collection and the large
//! ones that `benches/documents.sh` makes (which sets them beside other programs). `cargo bench --bench documents`
//!
//! No OCR: that is Tesseract's time.

use cpr_milter::config::{Ocr, Programs};
use cpr_milter::content::{Budget, Limits};
use cpr_milter::cpr::Detector;
use cpr_milter::inspect::{Input, Options, inspect_with};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn options(path: &Path) -> Options {
    Options {
        input: Input::Document,
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
        limits: Limits::default(),
        today: time::macros::date!(2026 - 11 - 25),
        identifiers: Vec::new(),
        programs: Programs {
            ocr: Ocr::Off,
            ..Programs::default()
        },
        style: cpr_milter::types::Style::default(),
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), std::fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

fn took(detector: &Detector, path: &Path, bytes: &[u8]) -> Duration {
    let options = options(path);
    let started = Instant::now();
    let report = inspect_with(detector, &mut Budget::new(options.limits.clone()), bytes, &options);
    std::hint::black_box(report);
    started.elapsed()
}

/// Every file of the collection three times; the best of each counts.
fn collection(detector: &Detector) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/documents");
    let folders = std::fs::read_dir(root).expect("the collection");
    let mut times: Vec<(Duration, PathBuf)> = folders
        .flat_map(|folder| files(&folder.expect("an entry").path()))
        .filter(|(path, _)| !path.ends_with("expected.tsv"))
        .filter_map(|(path, bytes)| Some(((0..3).map(|_| took(detector, &path, &bytes)).min()?, path)))
        .collect();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].0;
    println!(
        "collection: {} files, median {:.2?}, 90 % {:.2?}, 99 % {:.2?}",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99)
    );
    for (time, path) in times.iter().rev().take(5) {
        println!(
            "  {time:.2?}  {}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
}

fn documents(criterion: &mut Criterion) {
    let detector = Detector::new(time::macros::date!(2026 - 11 - 25), &[]).expect("no identifiers");
    collection(&detector);
    let large = std::env::var_os("CPR_BENCH_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/documents"),
        PathBuf::from,
    );
    let mut group = criterion.benchmark_group("documents");
    group.sample_size(20);
    for (path, bytes) in files(&large)
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end != "ldb"))
    {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let options = options(path);
        group.bench_function(name, |bencher| {
            let budget = || Budget::new(options.limits.clone());
            bencher.iter_batched_ref(
                budget,
                |budget| inspect_with(&detector, budget, bytes, &options),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, documents);
criterion_main!(benches);
