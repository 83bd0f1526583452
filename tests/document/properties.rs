//! Invariants of reading and rebuilding, over arbitrary and over damaged input.

use super::support::{read, samples, table};
use cpr_milter::content::{Budget, Changes, Content, Form, Hint, Limits, TextEdit};
use cpr_milter::document::{self, Family};
use cpr_milter::types::DoubtKind;
use proptest::prelude::*;

/// Every ASCII digit of every view that has a source can be found there: as itself in the form of the source, or in an
/// escape that stands for it.
fn check_maps(bytes: &[u8], content: &Content<'_>) {
    // What a package has read itself comes behind its own bytes.
    let mut source = bytes.to_vec();
    content
        .absorbed
        .iter()
        .for_each(|part| source.extend_from_slice(&part.bytes));
    let bytes = source.as_slice();
    for view in &content.views {
        for (at, c) in view.text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            let Ok(source) = view.map.source_of(at..at + 1) else {
                continue;
            };
            let piece = bytes.get(source.clone()).expect("the source is in the file");
            let plain = view.map.form().encode(&c.to_string());
            let escape = piece.iter().any(|b| matches!(b, b'&' | b'%'));
            assert!(
                piece == plain || escape,
                "{c:?} at {at} of {:?} from {piece:?}",
                view.location
            );
        }
    }
}

/// Replaces the digit at `at` and checks that nothing else changed.
fn check_edit(bytes: &[u8], hint: &Hint, content: &Content<'_>, view: usize, at: usize) {
    let Ok(source) = content.views[view].map.source_of(at..at + 1) else {
        return;
    };
    let edit = TextEdit {
        view,
        range: at..at + 1,
        with: "x".to_owned(),
    };
    let changes = Changes {
        texts: vec![edit],
        children: Vec::new(),
    };
    let after = document::rebuild(bytes, hint, content, changes).expect("rebuilt");
    let with = content.views[view].map.form().encode("x");
    assert_eq!(after[..source.start], bytes[..source.start]);
    assert_eq!(after[source.start..source.start + with.len()], with);
    assert_eq!(after[source.start + with.len()..], bytes[source.end..]);
}

fn check(bytes: &[u8], hint: &Hint) {
    let content = read(bytes, hint);
    check_maps(bytes, &content);
    let same = document::rebuild(bytes, hint, &content, Changes::default());
    assert_eq!(same.as_deref(), Ok(bytes));
    if !matches!(document::family(bytes, hint), Family::Text | Family::Html) {
        return;
    }
    for (index, view) in content.views.iter().enumerate() {
        let digits = view.text.char_indices().filter(|(_, c)| c.is_ascii_digit());
        for (at, _) in digits.take(20) {
            check_edit(bytes, hint, &content, index, at);
        }
    }
}

#[test]
fn all_cases_map_back_and_are_edited_in_place() {
    for (name, media_type) in [
        ("html.yaml", "text/html"),
        ("text.yaml", "text/plain"),
        ("family.yaml", ""),
    ] {
        for case in table(name) {
            check(&case.bytes(), &case.hint(media_type));
        }
    }
}

fn hint() -> impl Strategy<Value = Hint> {
    let types = prop::sample::select(vec!["", "text/plain", "text/html", "application/zip", "text/xml"]);
    let labels = [
        "utf-8",
        "utf-16",
        "utf-16le",
        "utf-7",
        "iso-2022-jp",
        "shift_jis",
        "gb18030",
        "big5",
        "x-none",
        "hz",
    ];
    let charset = prop::option::of(prop::sample::select(labels.to_vec()));
    (types, charset, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(t, charset, attachment, flowed, delsp)| {
        Hint {
            media_type: t.to_owned(),
            charset: charset.map(str::to_owned),
            name: None,
            attachment,
            flowed,
            delsp,
            scan: false,
        }
    })
}

/// Markup broken at random places.
fn markup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "<b>",
        "</b>",
        "<p style='display:none'>",
        "<!--",
        "-->",
        "--!>",
        "<![CDATA[",
        "]]>",
        "<a href=\"%30",
        "\"",
        "'",
        ">",
        "<",
        "</",
        "&#4",
        "8;",
        "&nbsp",
        "&",
        "0101",
        "90-1234",
        " ",
        "\r\n",
        "<td>",
        "<script>",
        "</script",
        "\0",
        "<?xml ",
        "æ",
        "０",
        "\u{200b}",
        "<textarea>",
        "<style>.a{display:none}",
        "data:,",
        "<!",
        "%3",
        "=",
        "/",
        "> ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read_and_map_back(bytes in prop::collection::vec(any::<u8>(), 0..400), hint in hint()) {
        check(&bytes, &hint);
    }

    #[test]
    fn broken_markup_is_read_and_maps_back(bytes in markup(), hint in hint()) {
        check(&bytes, &hint);
    }

    #[test]
    fn wide_text_maps_back(text in "[0-9æ€𝟘 \r\n<>a-c-]{0,60}", form in 0..4usize) {
        let form = [Form::Utf16Le, Form::Utf16Be, Form::Utf32Le, Form::Utf32Be][form];
        let bytes = form.encode(&format!("\u{feff}{text}"));
        let content = read(&bytes, &Hint::default());
        let first = content.views.first().expect("a view");
        prop_assert_eq!(first.map.form(), form);
        check(&bytes, &Hint::default());
    }

    #[test]
    fn damaged_archives_end_within_their_limits(
        pick in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let all = samples(&[".zip", ".gz", ".docx", ".odt"]);
        let (_, mut bytes) = pick.get(&all).clone();
        for (at, value) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { produced_bytes: 2 << 20, ..Limits::default() };
        let mut budget = Budget::new(limits);
        let content = document::read(&bytes, &Hint::default(), &mut budget);
        let produced: usize = content.children.iter().chain(&content.absorbed).map(|child| child.bytes.len()).sum();
        prop_assert!(produced <= (2 << 20) + (32 << 10) * (content.children.len() + content.absorbed.len()));
        check_maps(&bytes, &content);
        let children = content.children.iter().enumerate().filter(|(_, c)| !c.alternative);
        let changes = Changes { texts: Vec::new(), children: children.map(|(i, _)| (i, b"new".to_vec())).collect() };
        let _ = document::rebuild(&bytes, &Hint::default(), &content, changes);
    }
}

#[test]
fn repetition_is_read_in_linear_time() {
    let pieces = [
        "<",
        "<!--",
        "</",
        "<a ",
        "<a href=\"",
        "&",
        "&#",
        "<script>",
        "<div>",
        "</div>",
        "<!",
        "<p a='",
        "--",
        "<td",
        "]]>",
        "<style>.a{",
        "data:,",
        "%3",
        "> 1-\n",
        "begin 644 a\n",
        "+AD",
        "\x1b$B",
        "~{",
        "\u{e6}",
        "PK\x03\x04",
        "PK\x05\x06",
        "=",
    ];
    for piece in pieces {
        for media_type in ["text/html", "text/xml", "text/plain", "application/zip"] {
            let bytes = piece.repeat((1 << 18) / piece.len()).into_bytes();
            let hint = Hint {
                media_type: media_type.to_owned(),
                ..Hint::default()
            };
            let started = std::time::Instant::now();
            let content = read(&bytes, &hint);
            assert!(
                started.elapsed().as_secs() < 5,
                "{piece:?} as {media_type} takes {:?}",
                started.elapsed()
            );
            assert!(
                content.doubts.iter().all(|doubt| doubt.kind != DoubtKind::TooSlow),
                "{piece:?} as {media_type}"
            );
        }
    }
}
