//! The words that speak for or against a number: Danish, Norwegian, Swedish, English, German. Data and its matcher.

use regex::Regex;
use std::sync::LazyLock;

/// What a word says of the number beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is a CPR number.
    Cpr,
    /// It belongs to a birth date.
    Birth,
    /// It belongs to a person.
    Person,
    /// It belongs to a file on a person: casework, treatment, school.
    Casework,
    /// It is the number of a case or a file; some offices take the person's own number for it.
    Case,
    /// It is something else.
    Other,
}

/// Stems; what follows them does not matter (`borger`, `borgeren`, `borgerens`). `=` at the end: the whole word only.
/// `*` at the start: also inside a word (`mitcprnr`).
const WORDS: &[(Says, &[&str])] = &[
    (
        Says::Cpr,
        &[
            "*cpr",
            "*personnummer",
            "personnr",
            "person nr",
            "person-nr",
            "pers.nr",
            "pers. nr",
            "persnr",
            "pers nr",
            "personal id",
            "personal identi",
            "civil registration",
            "civil reg",
            "personid",
            "person id",
            "person-id",
            "*fødselsnummer",
            "*fødselsnr",
            "*fodselsnummer",
            "erstatningsnummer",
            "personenkennz",
            "personennummer",
            "personenregister",
            "identitetsnummer",
            "identitetsbeteckning",
            "personal number",
            "national id",
            "national identi",
            "person number",
            "social security",
            "ssn=",
            "patient-id",
            "patient id",
            "patientid",
            "borgerid",
            "borger-id",
            "*civilregistration",
            "skattenummer",
            "skattenr",
            "tax id",
            "tax number",
            "sygesikringsnummer",
            "sygesikringsnr",
            "sundhedskortnummer",
            "sundhedskortnr",
            "identifikationsnummer",
            "nationalnummer",
            "dansk id",
            "danish id",
        ],
    ),
    (
        Says::Birth,
        &[
            "født", "foedt", "fødsel", "foedsel", "f.d.", "fdato", "born=", "birth", "dob=", "geboren", "geburt",
            "geb.", "född", "födel", "fodt=",
        ],
    ),
    (
        Says::Person,
        &[
            "borger",
            "patient",
            "elev=",
            "eleven",
            "barn",
            "ægtefælle",
            "samlever",
            "mor=",
            "mors=",
            "moren",
            "moderen",
            "far=",
            "fars=",
            "faren=",
            "faderen",
            "søn=",
            "sønnen",
            "datter",
            "klient",
            "medarbejder",
            "ansøger",
            "forælder",
            "forældre",
            "værge",
            "pårørende",
            "indehaver",
            "kontohaver",
            "kontoindehaver",
            "account holder",
            "policeholder",
            "forsikringstager",
            "abonnent=",
            "hr.",
            "fru=",
            "navn",
            "name=",
            "ansat",
            "beboer",
            "pensionist",
            "studerende",
            "partshør",
            "vedrørende",
            "vedr.",
            "identification number",
            "identity number",
            "citizen",
            "child",
            "spouse",
            "student",
            "employee",
            "applicant",
            "resident",
            "guardian",
            "mother",
            "father",
            "daughter",
            "son=",
            "bürger",
            "kinder",
            "ehefrau",
            "ehemann",
            "ehegatt",
            "schüler",
            "mitarbeiter",
            "antragsteller",
            "medborgare",
            "maka=",
            "anställd",
            "sökande",
            "innbygger",
            "pasient",
            "ektefelle",
            "søker=",
            "ansatt",
        ],
    ),
    (
        Says::Casework,
        &[
            "sagen ved",
            "vedrør",
            "angående",
            "ang.",
            "bevilg",
            "ansøg",
            "udbetal",
            "afgørelse",
            "henvendelse",
            "indlagt",
            "udskrevet",
            "henvist",
            "henvisning",
            "behandling",
            "klage",
            "aktindsigt",
            "underretning",
            "partshøring",
            "samtale",
            "bopæl",
            "adresse=",
            "adressen",
            "flyttet",
            "lønseddel",
            "ydelse",
            "kontanthjælp",
            "dagpenge",
            "sygemeld",
            "journal=",
            "journalen",
            "epikrise",
            "diagnose",
            "blodprøve",
            "recept",
            "sundhedskort",
            "sygesikring",
            "opholdstilladelse",
            "statsborger",
            "skolestart",
            "institution",
            "fuldmagt",
            "arving",
            "afdøde",
            "dødsbo",
            "samvær",
            "myndig",
            "noteret",
            "orienter",
            "talt med",
            "ringede",
            "opslag i registr",
            "application",
            "admitted",
            "discharged",
            "diagnosis",
            "referral",
            "prescription",
            "benefit",
            "residence permit",
        ],
    ),
    (
        Says::Case,
        &[
            "case=",
            "svensk personnummer",
            "svenskt personnummer",
            "swedish personal",
            "norsk fødselsnummer",
            "norwegian national",
            "sagsnr",
            "sagsnummer",
            "sags-",
            "sagsid",
            "sag nr",
            "sag-nr",
            "journalnr",
            "journalnummer",
            "journal nr",
            "j.nr",
            "j. nr",
            "jnr=",
            "aktnr",
            "case no",
            "case num",
            "case id",
            "saksnummer",
            "saksnr",
            "ärende",
            "sag=",
            "løbesag",
            "journalnummer",
            "esdh",
        ],
    ),
    (
        Says::Other,
        &[
            "deres ref",
            "vores ref",
            "ansøgningsn",
            "reference n",
            "referencen",
            "aktenzeichen",
            "medlemsnummer",
            "medlemsnr",
            "ref=",
            "ref:",
            "ref.",
            "reference=",
            "reference:",
            "pakke=",
            "voucher",
            "billet=",
            "booking=",
            "reservation=",
            "flight",
            "kvittering=",
            "abonnement",
            "police=",
            "skade=",
            "kode=",
            "pin=",
            "adgangskode",
            "password",
            "kodeord",
            "error=",
            "job=",
            "process=",
            "proces=",
            "event=",
            "ordrebekræftelse",
            "sending",
            "stregkode",
            "barcode",
            "fi-kreditor",
            "kreditor=",
            "debitor=",
            "unix",
            "exp=",
            "iat=",
            "ring på",
            "dato/tid",
            "tidspunkt",
            "mødetid",
            "backup",
            "log=",
            "screenshot",
            "skærmbillede",
            "indsæt",
            "seq=",
            "voucherkode",
            "time=",
            "*smtp id",
            "*smtpa id",
            "*smtps id",
            "*smtpsa id",
            "boundary",
            "*kto=",
            "kto.",
            "*kontoen=",
            "betalingsid",
            "betalings-id",
            "kreditnota",
            "rekvisition",
            "indkøbsordre",
            "po-nummer",
            "bookingn",
            "reservationsn",
            "aftalen",
            "leverandørn",
            "skadenr",
            "skadesn",
            "lånenr",
            "lånenummer",
            "regning nr",
            "regningsn",
            "f2:",
            "sbsys",
            "acadre",
            "captia",
            "workzone",
            "getorganized",
            "dokument-id",
            "akt-id",
            "akt id",
            "dok-id",
            "fragtbrev",
            "forsendelse",
            "waybill",
            "gls=",
            "postnord=",
            "dhl",
            "express=",
            "ups=",
            "part no",
            "item no",
            "model=",
            "model n",
            "sku=",
            "materialen",
            "reservedels",
            "katalogn",
            "lot=",
            "batch",
            "vvs",
            "nobb",
            "typen",
            "s/n",
            "sn:",
            "imei",
            "simkort",
            "aktivnr",
            "udstyrsn",
            "device",
            "mac=",
            "licens",
            "elmåler",
            "måler",
            "aftagen",
            "målepunkt",
            "forbrugern",
            "kort=",
            "*kortnr",
            "gavekort",
            "lånerkort",
            "rejsekort",
            "visa=",
            "dankort",
            "mastercard",
            "organisation n",
            "vat=",
            "vat n",
            "nhs",
            "kennitala",
            "hetu=",
            "y-tunnus",
            "steuern",
            "bbr",
            "kvitteringsn",
            "transaktion",
            "billetn",
            "su-nr",
            "eksamensn",
            "studien",
            "nemid",
            "mitid",
            "puk=",
            "ritm",
            "inc=",
            "incident",
            "support",
            "møde-id",
            "meeting id",
            "img",
            "dsc=",
            "bytes=",
            "byte=",
            "session",
            "request",
            "thread",
            "jobid",
            "job id",
            "pid=",
            "counter",
            "uptime",
            "size=",
            "packets",
            "sensor",
            "build-",
            "firmware",
            "checksum",
            "hash=",
            "commit=",
            "sha256",
            "sha1",
            "md5",
            "token",
            "error code",
            "fejlkode",
            "exit code",
            "offset",
            "inode",
            "mtime",
            "pkt=",
            "isrc",
            "ismn",
            "pmid",
            "arxiv",
            "utm",
            "epsg",
            "lat=",
            "lon=",
            "gps",
            "telefonnummer",
            "nummerplade",
            "autorisation",
            "ydernr",
            "rate=",
            "id_",
            "objectid",
            "object id",
            "node id",
            "user id",
            "userid",
            "bruger-id",
            "brugerid",
            "kørekortn",
            "passport",
            "pasnr",
            "pasnummer",
            "*konto=",
            "*kontonr",
            "*kontonummer",
            "*konto nr",
            "reg.nr",
            "reg. nr",
            "regnr",
            "reg.-nr",
            "registreringsnr",
            "registreringsnummer",
            "*faktura",
            "ordre=",
            "ordrenr",
            "ordrenummer",
            "ordre-",
            "ordre nr",
            "bestillingsn",
            "bestilling nr",
            "kundenr",
            "kundenummer",
            "kunde nr",
            "kunde-nr",
            "kunde-id",
            "debitorn",
            "kreditorn",
            "dokumentnr",
            "dokumentnummer",
            "dok.nr",
            "dok.id",
            "p-nr",
            "p-nummer",
            "pnummer",
            "p-enhed",
            "produktionsenhed",
            "cvr",
            "se-nr",
            "ean=",
            "ean-",
            "eannr",
            "gln",
            "gtin",
            "telefon=",
            "telefonn",
            "tlf",
            "mobil=",
            "mobiln",
            "mobiltelefon=",
            "fax=",
            "faxn",
            "phone=",
            "phone n",
            "telephone",
            "tel.",
            "tel=",
            "iban",
            "bic=",
            "swift",
            "isbn",
            "issn",
            "doi=",
            "track",
            "pakkenr",
            "pakkenummer",
            "pakke nr",
            "forsendelsesn",
            "consignment",
            "shipment",
            "parcel",
            "timestamp",
            "tidsstempel",
            "epoch",
            "unixtime",
            "ts=",
            "message-id",
            "message id",
            "messageid",
            "beskedid",
            "uuid",
            "guid",
            "matrikel",
            "bfe",
            "ejendomsnr",
            "ejendomsnummer",
            "serienr",
            "serienummer",
            "serial=",
            "serial n",
            "løbenr",
            "løbenummer",
            "varenr",
            "varenummer",
            "artikelnr",
            "artikelnummer",
            "invoice",
            "order no",
            "order num",
            "order:",
            "order id",
            "order=",
            "customer no",
            "customer num",
            "customer id",
            "account=",
            "account n",
            "ticket",
            "betalings",
            "girokort",
            "giro",
            "fik-",
            "kortnr",
            "kortnummer",
            "bilagsnr",
            "bilagsnummer",
            "bilag nr",
            "policenr",
            "policenummer",
            "police nr",
            "abonnementsn",
            "målernr",
            "målernummer",
            "installationsnr",
            "version=",
            "build=",
            "rechnung",
            "bestellnummer",
            "kundennummer",
            "sendungs",
            "organisationsn",
            "orgnr",
            "org.nr",
            "beställningsn",
            "ordernummer",
            "ordernr",
            "kundnummer",
            "kundnr",
        ],
    ),
];

/// Every stem with its meaning, longest first, so that the matcher prefers `kontonummer` to `konto`.
struct Matcher {
    stems: Vec<(&'static str, Says, bool, bool)>,
    regex: Option<Regex>,
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
    let mut stems = Vec::new();
    for &(says, words) in WORDS {
        for word in words {
            let inside = word.starts_with('*');
            let whole = word.ends_with('=');
            stems.push((word.trim_start_matches('*').trim_end_matches('='), says, inside, whole));
        }
    }
    stems.sort_by_key(|stem| std::cmp::Reverse(stem.0.len()));
    let pattern = stems
        .iter()
        .map(|stem| format!("({})", regex::escape(stem.0)))
        .collect::<Vec<_>>()
        .join("|");
    Matcher {
        stems,
        regex: Regex::new(&pattern).ok(),
    }
});

/// A word found in a piece of lower-case text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// First byte.
    pub(super) start: usize,
    /// Byte after the last.
    pub(super) end: usize,
    /// What it says.
    pub(super) says: Says,
}

/// All words in a short piece of lower-case text, in order.
pub(super) fn words_in(lower: &str) -> Vec<Word> {
    let Some(regex) = &MATCHER.regex else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hit) = regex.find_at(lower, at) {
        let fitting = MATCHER.stems.iter().find(|stem| stem.0 == hit.as_str());
        let glued_before = lower
            .get(..hit.start())
            .is_some_and(|text| text.ends_with(char::is_alphabetic));
        let glued_after = lower
            .get(hit.end()..)
            .is_some_and(|text| text.starts_with(char::is_alphabetic));
        match fitting {
            Some(&(stem, says, inside, whole))
                if (inside || !glued_before)
                    && !(whole && glued_after)
                    && (stem != "cpr" || is_cpr(lower, hit.start(), hit.end())) =>
            {
                let end = hit.end() + word_rest(lower, hit.end());
                found.push(Word {
                    start: hit.start(),
                    end,
                    says,
                });
                at = end;
            }
            // Perhaps a shorter stem begins one character later.
            _ => at = hit.start() + hit.as_str().chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

/// How a word may go on after `cpr`: -nr, -nummer, -id, -dato, -løbenr, -kontoret, -oplysning, -registret; `Cprt` and other
/// abbreviations of programmers do not.
const AFTER_CPR: [&str; 12] = ["n", "id", "s", "dato", "l", "e", "k", "f", "o", "reg", "p", "v"];

/// Whether the letters `cpr` in a text are the word: alone, as the beginning of one of its compounds, or as the end of
/// `borgercpr`, `mitcprnr`, `eCPR` (and not of `ICPR`, `tcpr`).
pub(super) fn is_cpr(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or("");
    let glued = before.chars().rev().take_while(|c| c.is_alphabetic()).take(3).count();
    let rest: String = text
        .get(end..)
        .unwrap_or("")
        .chars()
        .take(4)
        .flat_map(char::to_lowercase)
        .collect();
    let goes_on = !rest.starts_with(char::is_alphabetic) || AFTER_CPR.iter().any(|part| rest.starts_with(part));
    (glued == 0 || glued >= 3 || glued == 1 && before.ends_with(['e', 'E'])) && goes_on
}

/// Length of the letters that go on after a stem: `borger|ens`. A compound's last part decides what it is: the rest of
/// `kontonummer` is the word's own.
fn word_rest(lower: &str, from: usize) -> usize {
    let rest = lower.get(from..).unwrap_or("");
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    // `borgercpr`: leave the second word to be found for itself.
    rest.get(..letters).and_then(|word| word.find("cpr")).unwrap_or(letters)
}

/// Finds the labels that make unusual forms worth a look, in a whole text: CPR words, and "the last four digits".
pub(super) static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)cpr|person(?:al|en)?[ -]?(?:n(?:umm?er|r)|id)|pers\.? ?nr|f(?:ø|o)dselsn(?:umme)?r|civil reg|personenkennz|(?-u:\b)(?:sidste|last|final|letzten|sista|siste) (?:fire|4|four|vier|fyra)(?: (?:cif|tal|dig|zif|sif|num|kontrol)|(?-u:\b))|(?-u:\b)(?:fire|4) sidste(?: (?:cif|tal))?|(?-u:\b)slutcif|(?-u:\b)(?:slutter|ender) (?:på|med)|(?-u:\b)kontrolcif|(?-u:\b)løbenum|(?-u:\b)løbenr|(?-u:\b)endelse|(?-u:\b)suffix|(?-u:\b)sidste del",
    )
    .ok()
});

/// What a match of [`LABEL`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A CPR word.
    Word,
    /// The phrase "the last four digits".
    Phrase,
    /// `slutter på`, `kontrolcifre`, `sidste fire`: the phrase only where a CPR or birth word goes with it.
    Hint,
}

/// Which of them it is.
pub(super) fn found(label: &str) -> Found {
    let lower = label.to_lowercase();
    let last = ["sidste", "last", "final", "letzten", "sista", "siste"];
    let hints = ["slut", "end", "kontrol", "løben", "suffix", "sidste del"];
    let first = lower.split(' ').next().unwrap_or("");
    if hints.iter().any(|hint| lower.starts_with(hint)) {
        Found::Hint
    } else if last.contains(&first) || matches!(first, "fire" | "4") {
        if lower.split(' ').count() > 2 {
            Found::Phrase
        } else {
            Found::Hint
        }
    } else {
        Found::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Vec<Says> {
        words_in(text).into_iter().map(|word| word.says).collect()
    }

    #[test]
    fn the_patterns_compile() {
        assert!(MATCHER.regex.is_some());
        assert!(LABEL.is_some());
    }

    #[test]
    fn stems_match_at_the_start_of_words_only() {
        assert_eq!(says("borgerens"), [Says::Person]);
        assert_eq!(says("kontonummer 12"), [Says::Other]);
        assert_eq!(says("indlånskonto"), [Says::Other]);
        assert_eq!(says("kontoret i borgerkontoret"), [Says::Person]);
        assert_eq!(says("talte telefonisk"), []);
        assert_eq!(says("kontohaverens"), [Says::Person]);
        assert_eq!(says("ocean mean"), []);
        assert_eq!(says("mor morgen"), [Says::Person]);
        assert_eq!(says("borgercpr"), [Says::Person, Says::Cpr]);
        assert_eq!(says("cpr_nr"), [Says::Cpr]);
        assert_eq!(says("sagen vedrører"), []);
    }

    #[test]
    fn stems_are_lower_case() {
        for (_, words) in WORDS {
            for word in *words {
                assert_eq!(*word, word.to_lowercase());
            }
        }
    }
}
