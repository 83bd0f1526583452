//! Packages built on ZIP, known by their entries: Office Open XML, OpenDocument, signed containers. Their XML parts are read
//! as XML; what else they hold is a doubt until they have readers of their own.

use crate::content::Content;
use crate::document::doubt;
use crate::types::{DoubtKind, PartPath, SealKind};

/// Adds the doubts and seals of packages.
pub(super) fn judge(content: &mut Content<'_>) {
    let named = |wanted: &str| {
        let name = |hint: &crate::content::Hint| hint.name.as_deref() == Some(wanted);
        content.children.iter().find(|child| name(&child.hint))
    };
    let kind = if named("[Content_Types].xml").is_some() {
        Some("Office document (OOXML)")
    } else {
        let open = |bytes: &[u8]| bytes.starts_with(b"application/vnd.oasis.opendocument");
        named("mimetype")
            .filter(|child| open(&child.bytes))
            .map(|_| "OpenDocument file")
    };
    let locked = named("META-INF/manifest.xml")
        .is_some_and(|child| memchr::memmem::find(&child.bytes, b"encryption-data").is_some());
    let signed = content
        .children
        .iter()
        .any(|child| child.hint.name.as_deref().is_some_and(is_signature));
    if let Some(kind) = kind {
        let reason = format!("{kind}: its text parts are read, the format is not yet read in full");
        content.doubts.push(doubt(DoubtKind::Unread, reason));
    }
    if locked {
        content
            .doubts
            .push(doubt(DoubtKind::Encrypted, "the document is encrypted"));
    }
    if signed {
        content.seals.push((PartPath::default(), SealKind::Signed));
    }
}

/// Signatures over the package: OOXML, OpenDocument and ASiC, JAR.
fn is_signature(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.starts_with("_XMLSIGNATURES/")
        || upper.starts_with("META-INF/")
            && (upper.contains("SIGNATURE")
                || [".SF", ".RSA", ".DSA", ".EC", ".P7S"]
                    .iter()
                    .any(|end| upper.ends_with(end)))
}
