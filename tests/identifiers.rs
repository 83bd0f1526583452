//! Ready-made identifiers: what each finds, what it does not, and how a policy asks for them.

use cpr_milter::cpr::{Confidence, Detector, READY, Ready};
use time::macros::date;

/// Name, text, the identifier as written (empty: nothing), least confidence.
const CASES: &[(&str, &str, &str, Confidence)] = &[
    (
        "se_personnummer",
        "Personnummer: 811218-9876",
        "811218-9876",
        Confidence::Certain,
    ),
    (
        "se_personnummer",
        "hon har 19811218-9876 i passet",
        "19811218-9876",
        Confidence::Likely,
    ),
    ("se_personnummer", "8112189876", "8112189876", Confidence::Likely),
    ("se_personnummer", "order 811218-9875", "", Confidence::Possible),
    ("se_personnummer", "811318-9876", "", Confidence::Possible),
    ("se_personnummer", "1811218-98765", "", Confidence::Possible),
    (
        "no_foedselsnummer",
        "fødselsnummer 15076500565",
        "15076500565",
        Confidence::Certain,
    ),
    ("no_foedselsnummer", "150765 00565", "150765 00565", Confidence::Likely),
    (
        "no_foedselsnummer",
        "fødselsnummer 15076500566",
        "",
        Confidence::Possible,
    ),
    ("no_foedselsnummer", "konto 12345678901", "", Confidence::Possible),
    (
        "fi_hetu",
        "Henkilötunnus 131052-308T",
        "131052-308T",
        Confidence::Certain,
    ),
    ("fi_hetu", "131052-308T", "131052-308T", Confidence::Likely),
    ("fi_hetu", "131052-308U", "", Confidence::Possible),
    ("fi_hetu", "321052-308T", "", Confidence::Possible),
    ("is_kennitala", "kt. 120174-3399", "120174-3399", Confidence::Certain),
    (
        "is_kennitala",
        "Kennitala 120174-3389",
        "120174-3389",
        Confidence::Likely,
    ),
    ("is_kennitala", "120174-3389", "120174-3389", Confidence::Possible),
    ("is_kennitala", "120174-3391", "", Confidence::Possible),
    ("dk_passport", "Pasnummer: 210123456", "210123456", Confidence::Likely),
    (
        "dk_passport",
        "pas nr. 210123456 udløber",
        "210123456",
        Confidence::Likely,
    ),
    ("dk_passport", "Passport no. 210123456", "210123456", Confidence::Likely),
    ("dk_passport", "tlf 210123456", "", Confidence::Possible),
    (
        "dk_account",
        "Reg.nr. 9570 kontonr. 0012345678",
        "9570 kontonr. 0012345678",
        Confidence::Likely,
    ),
    ("dk_account", "konto 9570 12345678", "9570 12345678", Confidence::Likely),
    (
        "dk_account",
        "Kontonr.: 9570-0012345678",
        "9570-0012345678",
        Confidence::Likely,
    ),
    ("dk_account", "tlf. 9570 12345678", "", Confidence::Possible),
    (
        "iban",
        "IBAN DK50 0040 0440 1162 43",
        "DK50 0040 0440 1162 43",
        Confidence::Certain,
    ),
    ("iban", "DK5000400440116243", "DK5000400440116243", Confidence::Likely),
    ("iban", "IBAN DK50 0040 0440 1162 44", "", Confidence::Possible),
    (
        "payment_card",
        "Kort 4111 1111 1111 1111",
        "4111 1111 1111 1111",
        Confidence::Certain,
    ),
    ("payment_card", "378282246310005", "378282246310005", Confidence::Likely),
    ("payment_card", "4111 1111 1111 1112", "", Confidence::Possible),
    ("payment_card", "kort 0000000000000000", "", Confidence::Possible),
];

#[test]
fn each_finds_its_own_numbers_and_no_others() {
    for ready in READY {
        let detector =
            Detector::new(date!(2026 - 06 - 15), &[ready.identifier("own")]).expect("a ready-made pattern compiles");
        let cases: Vec<_> = CASES.iter().filter(|case| case.0 == ready.name).collect();
        assert!(cases.len() >= 3, "{}", ready.name);
        for &&(name, text, written, least) in &cases {
            let hits = detector.find(text);
            let own: Vec<_> = hits.iter().filter(|hit| hit.kind.word() == "own").collect();
            let found: Vec<&str> = own.iter().map(|hit| &text[hit.span.clone()]).collect();
            let wanted: Vec<&str> = if written.is_empty() { vec![] } else { vec![written] };
            assert_eq!(found, wanted, "{name}: {text}");
            assert!(own.iter().all(|hit| hit.confidence >= least), "{name}: {text}: {own:?}");
        }
    }
    assert!(CASES.iter().all(|case| Ready::named(case.0).is_some()));
}

#[test]
fn none_is_on_unless_asked_for() {
    let detector = Detector::new(date!(2026 - 06 - 15), &[]).expect("nothing to refuse");
    let kinds: Vec<String> = CASES
        .iter()
        .flat_map(|case| detector.find(case.1))
        .map(|hit| hit.kind.word().to_owned())
        .collect();
    assert!(kinds.iter().all(|kind| kind == "cpr"));
}
