//! Packages built on ZIP: office documents are read by `office`; signed containers of all kinds are sealed.

use crate::content::{Budget, Content};
use crate::document::office;
use crate::types::{PartPath, SealKind};

/// Reads a package as what it is, and adds its seal.
pub(super) fn judge(content: &mut Content<'_>, archive: usize, budget: &mut Budget) {
    let names = content.children.iter().filter_map(|child| child.hint.name.as_deref());
    if names.into_iter().any(is_signature) {
        content.seals.push((PartPath::default(), SealKind::Signed));
    }
    office::read(content, archive, budget);
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
