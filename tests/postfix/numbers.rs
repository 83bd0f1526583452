//! Made-up CPR numbers, the same in every run, different in every case: where one turns up, it is known whose it is.

use sha2::{Digest, Sha256};

const WEIGHTS: [u32; 10] = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];

/// One made-up number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Case and name in it, for messages: `07 cpr2`. Messages never print the digits.
    pub owner: String,
    digits: String,
}

impl Planted {
    /// `nomod…` fails modulus 11, as numbers issued since 2007 may; every other name passes it.
    pub fn new(case: &str, name: &str) -> Planted {
        let passes = !name.starts_with("nomod");
        let digits = (0..)
            .map(|round: u32| candidate(&format!("{case}/{name}/{round}")))
            .find(|digits| (checksum(digits) == 0) == passes)
            .expect("one in eleven passes");
        Planted {
            owner: format!("{case} {name}"),
            digits,
        }
    }

    /// Written as a case asks for it: `{cpr}` with hyphen, `{cpr:plain}`, `{cpr:space}`, and the pieces that a case puts
    /// tags or line breaks between.
    pub fn written(&self, form: &str) -> Option<String> {
        let (date, serial) = self.digits.split_at(6);
        Some(match form {
            "" | "hyphen" => format!("{date}-{serial}"),
            "plain" => self.digits.clone(),
            "space" => format!("{date} {serial}"),
            "date" => date.to_owned(),
            "serial" => serial.to_owned(),
            "first3" => self.digits[..3].to_owned(),
            "next3" => self.digits[3..6].to_owned(),
            _ => return None,
        })
    }

    /// Every form in which the number would be found in bytes that hold it: text, base64 at each of its three
    /// alignments, UTF-16 both ways, quoted-printable.
    pub fn forms(&self) -> Vec<Vec<u8>> {
        let mut forms = Vec::new();
        for form in ["plain", "hyphen", "space"] {
            let text = self.written(form).expect("known form");
            forms.extend(base64_alignments(text.as_bytes()));
            forms.push(text.bytes().flat_map(|b| [b, 0]).collect());
            forms.push(text.bytes().flat_map(|b| [0, b]).collect());
            forms.push(text.bytes().flat_map(|b| format!("={b:02X}").into_bytes()).collect());
            forms.push(text.replace('-', "=2D").into_bytes());
            forms.push(text.replace(' ', "=20").into_bytes());
            forms.push(text.into_bytes());
        }
        forms.sort();
        forms.dedup();
        forms
    }
}

/// A number born 1940 to 1999 with a serial of that century.
fn candidate(seed: &str) -> String {
    let hash = Sha256::digest(seed.as_bytes());
    let pick = |at: usize, low: u32, many: u32| low + u32::from(hash[at]) % many;
    let (day, month, year) = (pick(0, 1, 28), pick(1, 2, 11), pick(2, 40, 60));
    let serial = pick(3, 0, 4) * 1000 + pick(4, 1, 9) * 100 + pick(5, 1, 99);
    format!("{day:02}{month:02}{year:02}{serial:04}")
}

fn checksum(digits: &str) -> u32 {
    digits
        .bytes()
        .zip(WEIGHTS)
        .map(|(b, weight)| u32::from(b - b'0') * weight)
        .sum::<u32>()
        % 11
}

/// The characters of base64 that depend on `bytes` alone, wherever in the stream they begin.
fn base64_alignments(bytes: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine;
    (0..3)
        .map(|shift| {
            let mut padded = vec![0u8; shift];
            padded.extend_from_slice(bytes);
            let whole = padded.len() / 3 * 3;
            let text = base64::engine::general_purpose::STANDARD.encode(&padded[..whole]);
            text.as_bytes()[[0, 2, 3][shift]..].to_vec()
        })
        .collect()
}

#[test]
fn made_up_numbers_are_valid_stable_and_different() {
    let number = Planted::new("07", "cpr");
    assert_eq!(number, Planted::new("07", "cpr"));
    assert_ne!(number.written("plain"), Planted::new("08", "cpr").written("plain"));
    assert_eq!(checksum(&number.written("plain").unwrap()), 0);
    assert_ne!(checksum(&Planted::new("07", "nomod").written("plain").unwrap()), 0);
}

#[test]
fn a_number_is_found_in_base64_at_every_alignment() {
    use base64::Engine;
    let number = Planted::new("07", "cpr");
    let text = number.written("hyphen").unwrap();
    for before in ["", "x", "xy", "xyz"] {
        let stream = base64::engine::general_purpose::STANDARD.encode(format!("{before}{text} og mere"));
        let found = number
            .forms()
            .iter()
            .any(|form| memchr::memmem::find(stream.as_bytes(), form).is_some());
        assert!(found, "after {} bytes", before.len());
    }
}
