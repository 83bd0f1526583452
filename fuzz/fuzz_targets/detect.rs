//! Any bytes as text: no panic, ranges on character boundaries and in order, nothing left after masking.
#![no_main]

use cpr_milter::cpr::{Detector, mask};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::new(time::macros::date!(2026 - 06 - 15), &[]).expect("no identifiers"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for hit in DETECTOR.find(&text) {
        assert!(text.get(hit.span.clone()).is_some());
        let mut at = hit.span.start;
        for range in &hit.digits {
            assert!(range.start >= at && range.start < range.end && range.end <= hit.span.end);
            assert!(text.get(range.clone()).is_some());
            at = range.end;
        }
    }
    assert!(DETECTOR.find(&mask(&text)).is_empty());
});
