//! The closed sets of words of a policy, each word with what it means, and the names that are built in. Part of the one
//! table that [`super::words`] is.

use crate::types::PlaceClass;

/// A closed set of words, each with what it means.
pub type Words = &'static [(&'static str, &'static str)];

/// What `found:` may name, beside the file's own identifiers.
pub const FOUND: Words = &[
    ("cpr", "a CPR number, at any confidence unless `confidence` says more"),
    (
        "protected_person",
        "the number of a protected person, always at any confidence",
    ),
    (
        "fake_redaction",
        "a number that somebody tried to cover, and that is still there",
    ),
    ("hidden", "a number that is not shown but can be recovered"),
    ("anything_named", "a CPR number or any of the policy's own identifiers"),
    ("unscannable", "something could not be read; `why` narrows it"),
    (
        "malformed",
        "the mail is built so that mail programs read it in different ways",
    ),
];

/// What a rule may do, strictest first.
pub const ACTIONS: Words = &[
    ("reject", "refused, the sender gets the mail back"),
    ("quarantine", "held until a reviewer decides"),
    ("redact", "delivered without the numbers; held when that fails"),
    (
        "reroute",
        "sent through the secure gateway that `gateway` names, over TLS with a certificate that is checked, or not at all",
    ),
    ("warn", "delivered, and the sender is told"),
    ("log", "delivered, and recorded"),
];

/// What `default:` may do.
pub const DEFAULT_ACTIONS: Words = &[
    ("reject", "as in a rule"),
    ("quarantine", "as in a rule"),
    ("warn", "as in a rule"),
    ("log", "as in a rule"),
    ("deliver", "delivered, and nothing is recorded"),
];

/// What a test may expect.
pub const OUTCOMES: Words = &[
    ("reject", "refused"),
    ("quarantine", "held"),
    ("redact", "delivered without the numbers"),
    ("reroute", "sent through a secure gateway"),
    ("warn", "delivered, and the sender is told"),
    ("log", "delivered, and recorded"),
    ("deliver", "delivered, and nothing is recorded"),
];

/// How sure a find is, least sure first.
pub const CONFIDENCES: Words = &[
    (
        "possible",
        "ten digits with a possible date, and nothing that speaks for them",
    ),
    ("likely", "one strong sign: form, checksum or a word near by"),
    (
        "certain",
        "a word such as CPR beside it, or form and checksum without a sign against",
    ),
];

/// Where a number stands.
pub(super) const PLACE_WORDS: Words = &[
    ("subject", "the subject"),
    (
        "header",
        "any other header field, names of senders and recipients among them",
    ),
    ("file_name", "the name of an attached file"),
    ("body", "the text of the mail"),
    ("attachment", "within an attached file"),
];
pub(super) const PLACES: &[(&str, PlaceClass)] = &[
    ("subject", PlaceClass::Subject),
    ("header", PlaceClass::Header),
    ("file_name", PlaceClass::FileName),
    ("body", PlaceClass::Body),
    ("attachment", PlaceClass::Attachment),
];

/// Where a copy goes.
pub const DIRECTIONS: Words = &[
    ("outgoing", "to somebody outside, from whomever"),
    ("incoming", "from outside to somebody inside"),
    ("internal", "from inside to somebody inside"),
];
pub(super) const MODES: Words = &[
    ("enforce", "as if `mode` were left out"),
    ("watch", "recorded as what it would have done, until `enforce_from`"),
];
pub(super) const OVERRIDES: Words = &[("never", "no sender may overrule it; nobody may, in this version")];
pub(super) const DELIVERIES: Words = &[(
    TLS,
    "the administrator vouches that mail to this recipient goes over TLS that is enforced for that hop; not known counts as no",
)];
pub(super) const NUMBERS: Words = &[(
    OWN_NUMBER,
    "the recipient's own number: known to the gateway, or it is the address itself; not known counts as no",
)];
/// What stands where a number stood in a redacted copy.
pub const STYLES: Words = &[
    ("box", "a filled box; in text an X for each digit"),
    ("label", "`[CPR]`, in pictures and on pages within a box"),
    ("remove", "nothing"),
];
/// Who may release.
pub const ROLES: Words = &[
    ("reviewer", "anybody who may look at the quarantine"),
    ("dpo", "the data protection officer"),
];
/// Notices' languages.
pub const LANGUAGES: Words = &[("da", "Danish"), ("en", "English")];
/// What spot checks are taken from.
pub const SPOT_CHECKS: Words = &[
    ("redacted", "mails that would go out redacted"),
    ("excepted", "mails of which an exception lifted a number"),
];
/// Why something could not be read: every doubt but `malformed`, which has a word of its own.
pub const REASONS: Words = &[
    ("encrypted", "locked with a password or a key"),
    ("broken", "damaged, or not what it says it is"),
    ("too_large", "over the limit of bytes"),
    ("too_deep", "nested too deeply"),
    ("too_slow", "not finished in time"),
    ("unread", "of a kind that cannot be read"),
    ("not_ocred", "a picture whose text was not read"),
];

/// Ids that decisions use for reasons outside the file.
pub(super) const BUILT_IN_RULES: &[&str] = &[
    "default",
    "redaction_failed",
    "not_inspected",
    GATEWAYS_DIFFER,
    SPOT_CHECK_RULE,
];
/// Two rules name different gateways for one recipient: no order of the file may decide between them.
pub(super) const GATEWAYS_DIFFER: &str = "gateways_differ";
/// Held as one of a sample.
pub const SPOT_CHECK_RULE: &str = "spot_check";
/// The exception for numbers that a redacting rule removes from this recipient's copy.
pub(super) const REDACTED: &str = "redacted";
/// The exception for numbers for which a rule sends this recipient's copy through a secure gateway.
pub const REROUTED: &str = "rerouted";
pub(super) const INSIDE: &str = "inside";
pub(super) const OUTSIDE: &str = "outside";
/// Facts of a recipient or a number that a test can give.
pub(super) const OWN_NUMBER: &str = "belongs_to_recipient";
pub(super) const TLS: &str = "tls_enforced";
/// Who may be told, beside addresses.
pub(super) const TELL_SENDER: &str = "sender";
pub(super) const TELL_OWNER: &str = "owner";
