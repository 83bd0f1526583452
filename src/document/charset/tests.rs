use super::*;

fn only(bytes: &[u8], declared: &[&str]) -> String {
    let all = readings(bytes, declared).all;
    assert_eq!(all.len(), 1, "one reading");
    all.into_iter().next().map(|r| r.text).unwrap_or_default()
}

#[test]
fn utf16_without_a_mark_is_found_by_its_nuls_whatever_is_declared() {
    let bytes: Vec<u8> = "Borger 0101 æøå".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let all = readings(&bytes, &["utf-8"]).all;
    let wide = all
        .iter()
        .find(|r| r.text == "Borger 0101 æøå")
        .expect("the UTF-16 reading");
    assert_eq!(wide.map.source_of(7..8), Ok(14..16));
    assert_eq!(wide.map.form(), Form::Utf16Le);
}

#[test]
fn a_declared_charset_that_fails_gives_way_to_utf8() {
    assert_eq!(only("født 1901".as_bytes(), &["us-ascii"]), "født 1901");
    assert_eq!(only("født 1901".as_bytes(), &[]), "født 1901");
    assert_eq!(only(b"f\xf8dt 1901", &["utf-8"]), "født 1901");
}

#[test]
fn readings_whose_digits_stand_apart_differently_are_both_given() {
    let all = readings("0101–90".as_bytes(), &["iso-8859-1"]).all;
    assert_eq!(all.len(), 2);
}

#[test]
fn stateful_charsets_are_read_and_their_direct_digits_can_be_edited() {
    let utf7 = readings(b"nr +ADAAMQ-23 +- x", &["utf-7"]).all;
    assert!(utf7.iter().any(|r| r.text == "nr 0123 + x"));
    let jp = readings(b"nr \x1b$B#0#1\x1b(B 23", &["iso-2022-jp"]).all;
    assert!(jp.iter().any(|r| r.text == "nr ０１ 23"));
    let kr = readings(b"\x1b$)Cnr \x0e#0#1\x0f 23", &["iso-2022-kr"]).all;
    assert!(kr.iter().any(|r| r.text == "nr ０１ 23"));
    let hz = readings(b"nr ~{#0#1~} 23", &["hz-gb-2312"]).all;
    let first = hz.first().expect("a reading");
    assert_eq!(first.text, "nr ０１ 23");
    assert!(first.map.source_of(3..6).is_err());
    assert_eq!(first.map.source_of(10..11), Ok(12..13));
}

#[test]
fn a_digit_after_a_bad_lead_byte_stays_a_digit() {
    let all = readings(b"\x81\xff0123", &["shift_jis"]).all;
    assert!(all.iter().all(|r| r.text.ends_with("0123")));
}

#[test]
fn an_unknown_label_is_told_when_it_matters() {
    assert!(!readings(b"abc", &["x-nobody"]).unknown);
    assert!(readings(b"abc\xf0\xf1", &["ebcdic-dk"]).unknown);
}

#[test]
fn a_large_binary_file_is_read_as_its_ascii_and_maps_back() {
    let mut bytes = vec![0; LARGE + 1];
    bytes[100..111].copy_from_slice(b"010190-1234");
    let reading = latin1(&bytes);
    let at = reading.text.find("010190-1234").expect("the number");
    assert_eq!((at, reading.map.source_of(at..at + 11)), (100, Ok(100..111)));
    for (form, read) in [
        (Form::Utf16Le, utf16le as fn(&[u8], usize) -> Reading),
        (Form::Utf16Be, utf16be),
    ] {
        let mut bytes = vec![0xfe; LARGE + 1];
        bytes[101..123].copy_from_slice(&form.encode("010190\u{a0}1234"));
        let reading = read(&bytes, 1);
        let at = reading.text.find("010190 1234").expect("the number");
        assert_eq!((at, reading.map.source_of(at..at + 11)), (50, Ok(101..123)));
        assert_eq!(reading.map.form(), form);
    }
}
