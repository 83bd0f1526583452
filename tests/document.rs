//! Files and texts as read and rebuilt: tables of cases, archives with and without faults, invariants.

#[path = "document/archives.rs"]
mod archives;
#[path = "document/collection.rs"]
mod collection;
#[path = "document/collection_hostile.rs"]
mod collection_hostile;
#[path = "document/hostile.rs"]
mod hostile;
#[path = "document/leaks.rs"]
mod leaks;
#[path = "document/gaps.rs"]
mod gaps;
#[path = "document/legacy.rs"]
mod legacy;
#[path = "document/legacy_hostile.rs"]
mod legacy_hostile;
#[path = "document/office.rs"]
mod office;
#[path = "document/office_hostile.rs"]
mod office_hostile;
#[path = "document/painted.rs"]
mod painted;
#[path = "document/pdf.rs"]
mod pdf;
#[path = "document/pdf_hostile.rs"]
mod pdf_hostile;
#[path = "document/properties.rs"]
mod properties;
#[path = "document/recall.rs"]
mod recall;
#[path = "document/said.rs"]
mod said;
#[path = "document/styles.rs"]
mod styles;
#[path = "document/support.rs"]
mod support;
#[path = "document/tables.rs"]
mod tables;
