//! What was once left behind by a redaction, by its cause.

use super::collection::{options, report};
use cpr_milter::cpr::{IdKind, Secret};
use cpr_milter::redact::{Targets, redact};

/// The redacted text of a file with this one number.
fn redacted(name: &str, bytes: &[u8]) -> String {
    let options = options(name);
    let targets = Targets::from([(IdKind::Cpr, Secret::new("0101901234".to_owned()))]);
    assert!(
        report(bytes, &options).holds_any(&targets),
        "there is something to erase"
    );
    let copy = redact(bytes, &targets, &options).expect("redacted");
    String::from_utf8_lossy(&copy.bytes).into_owned()
}

/// What is erased beside it makes it look like a part of a word.
#[test]
fn a_number_that_touches_another_one_is_erased_too() {
    let html = "<p>CPR 010190-1234</p<p>010190-1234</p<p>010190-1234</p<p>010190-1234</p>";
    assert!(!redacted("a.html", html.as_bytes()).contains("0190"));
    let text = "CPR 010190-1234, 0101901234010190-1234, x0101901234x";
    assert!(!redacted("a.txt", text.as_bytes()).contains("0190"));
}
