//! Ready-made identifiers, off until a policy says `use:`. Data: each with its pattern, its checksum, its words.

use super::{Checksum, Identifier};

/// One ready-made identifier.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// What a policy writes after `use:`.
    pub name: &'static str,
    /// For the manual.
    pub says: &'static str,
    pattern: &'static str,
    checksum: Option<Checksum>,
    context: &'static [&'static str],
}

/// All of them.
pub const READY: &[Ready] = &[
    Ready {
        name: "se_personnummer",
        says: "Swedish personnummer and samordningsnummer",
        pattern: r"\b(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+]?[0-9]{4}\b",
        checksum: Some(Checksum::Personnummer),
        context: &[
            "personnummer",
            "personnr",
            "samordningsnummer",
            "swedish",
            "svensk",
            "född",
        ],
    },
    Ready {
        name: "no_foedselsnummer",
        says: "Norwegian fødselsnummer and D-number",
        pattern: r"\b[0-7][0-9]{5}[ -]?[0-9]{5}\b",
        checksum: Some(Checksum::Foedselsnummer),
        context: &[
            "fødselsnummer",
            "fødselsnr",
            "fodselsnummer",
            "personnummer",
            "d-nummer",
            "norwegian",
            "norsk",
            "født",
        ],
    },
    Ready {
        name: "fi_hetu",
        says: "Finnish henkilötunnus (HETU)",
        pattern: r"\b[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]\b",
        checksum: Some(Checksum::Hetu),
        context: &["henkilötunnus", "hetu", "personbeteckning", "finnish", "finsk", "sotu"],
    },
    Ready {
        name: "is_kennitala",
        says: "Icelandic kennitala of a person",
        pattern: r"\b[0-3][0-9][01][0-9]{3}[- ]?[0-9]{3}[089]\b",
        checksum: Some(Checksum::Kennitala),
        context: &["kennitala", "kt.", "kennitölu", "icelandic", "islandsk"],
    },
    Ready {
        name: "dk_passport",
        says: "Danish passport number, beside its word",
        pattern: r"(?i)\bpas(?:sport)?[ -]?(?:nr|nummer|no|number)?[.:#]{0,2}[ \t]{0,3}(?:er )?(?P<number>[0-9]{9})\b",
        checksum: None,
        context: &["pas"],
    },
    Ready {
        name: "dk_account",
        says: "Danish bank account, registration number and account number, beside its word",
        pattern: r"(?i)(?:konto|kto|reg)[a-zæøå]{0,12}[ .:/-]{0,4}(?:nr|nummer)?[ .:]{0,4}(?P<number>[0-9]{4}(?:[ -]{1,3}|[ ,;-]{1,3}(?:konto|kto)[a-z.]{0,8}[ :.]{0,3})[0-9]{6,10})\b",
        checksum: None,
        context: &["bank", "konto", "kto", "reg"],
    },
    Ready {
        name: "iban",
        says: "International bank account number",
        pattern: r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        checksum: Some(Checksum::Iban),
        context: &["iban", "konto", "account", "bank", "bic"],
    },
    Ready {
        name: "payment_card",
        says: "Payment card: Dankort, Visa, Mastercard and others",
        pattern: r"\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b|\b[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}\b",
        checksum: Some(Checksum::Card),
        context: &[
            "kort",
            "card",
            "visa",
            "dankort",
            "mastercard",
            "udløb",
            "expir",
            "cvc",
            "cvv",
        ],
    },
];

impl Ready {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Ready> {
        READY.iter().find(|ready| ready.name == name)
    }

    /// As an identifier under the policy's own name for it.
    pub fn identifier(&self, name: &str) -> Identifier {
        Identifier {
            name: name.to_owned(),
            pattern: self.pattern.to_owned(),
            checksum: self.checksum,
            context: self.context.iter().map(|&word| word.to_owned()).collect(),
        }
    }
}
