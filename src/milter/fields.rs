//! The mail as the milter protocol delivers it, the mail as one run of bytes, and the way back: which header fields and
//! whether the body differ in a redacted copy.
//!
//! Header fields are bytes: with `LEADING_SPACE` name, colon, value and CRLF folds rebuild the field as it came. Nothing is
//! parsed here beyond the end of a field.

use super::world::Trouble;

/// One header field as Postfix sends it.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// As written.
    pub name: Vec<u8>,
    /// With leading blanks; folds are bare LF.
    pub value: Vec<u8>,
}

/// A whole mail, CRLF lines, with the places where its parts begin.
#[derive(Clone)]
pub struct Mail {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    body: usize,
}

/// One changed header field, in the words of `SMFIR_CHGHEADER`.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderEdit {
    /// As written in the original.
    pub name: Vec<u8>,
    /// From 1, among fields of the same name without regard to case, top first.
    pub index: i32,
    /// With leading blank; folds are bare LF.
    pub value: Vec<u8>,
}

/// What must be told to Postfix so that its copy becomes the redacted one.
pub struct Edits {
    /// Highest index first: a change of one never renumbers those still to come.
    pub headers: Vec<HeaderEdit>,
    /// The new body, when it differs.
    pub body: Option<Vec<u8>>,
}

/// Content never shows.
impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({} + {} bytes)", self.name.len(), self.value.len())
    }
}

/// Content never shows.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({} bytes, {} fields)", self.bytes.len(), self.fields.len())
    }
}

impl Field {
    /// Same field name, by the rule that Postfix counts with.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Mail {
    /// The header as it stands before the body, the empty line included.
    ///
    /// # Errors
    /// A field that Postfix cannot have sent: a line break before text that is no fold would begin a new field.
    pub fn head(fields: &[Field]) -> Result<Vec<u8>, Trouble> {
        let size: usize = fields.iter().map(|f| f.name.len() + f.value.len() + 16).sum();
        let mut bytes = Vec::with_capacity(size);
        for field in fields {
            if field.name.is_empty() || field.name.iter().any(|b| matches!(b, b'\r' | b'\n' | b':' | 0)) {
                return Err(Trouble::Protocol("a header field without a proper name"));
            }
            bytes.extend_from_slice(&field.name);
            bytes.push(b':');
            push_folded(&mut bytes, &field.value)?;
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        Ok(bytes)
    }

    /// A mail from its fields and its bytes, of which the body begins at `body` ([`Mail::head`] ends there).
    pub fn of(fields: Vec<Field>, bytes: Vec<u8>, body: usize) -> Mail {
        Mail { bytes, fields, body }
    }

    /// A mail from its bytes, CRLF lines. What has no proper header is all body.
    pub fn read(bytes: &[u8]) -> Mail {
        let (fields, body) = split(bytes).unwrap_or((Vec::new(), bytes));
        Mail::of(fields, bytes.to_vec(), bytes.len() - body.len())
    }

    /// The whole mail, CRLF lines.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its header fields, top first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Value of the first field of this name.
    pub fn first(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields.iter().find(|f| f.is(name)).map(|f| f.value.as_slice())
    }

    /// What turns this mail into `copy` without touching anything else; `None` when fields were added, removed, renamed
    /// or reordered, which cannot be said in edits by index.
    pub fn edits_to(&self, copy: &[u8]) -> Option<Edits> {
        let (fields, body) = split(copy)?;
        if fields.len() != self.fields.len() {
            return None;
        }
        let mut headers = Vec::new();
        for (i, (ours, theirs)) in self.fields.iter().zip(&fields).enumerate() {
            if !ours.is(&theirs.name) || theirs.value.contains(&0) {
                return None;
            }
            if bare(&ours.value) != theirs.value {
                let before = self.fields.iter().take(i).filter(|f| f.is(&ours.name)).count();
                headers.push(HeaderEdit {
                    name: ours.name.clone(),
                    index: i32::try_from(before + 1).ok()?,
                    // An empty value would delete the field (`milter8.c`, SMFIR_CHGHEADER).
                    value: if theirs.value.is_empty() {
                        b" ".to_vec()
                    } else {
                        theirs.value.clone()
                    },
                });
            }
        }
        headers.sort_by_key(|edit| std::cmp::Reverse(edit.index));
        let same = self.bytes.get(self.body..) == Some(body);
        Some(Edits {
            headers,
            body: (!same).then(|| body.to_vec()),
        })
    }
}

/// A value with CRLF folds. A line break must be followed by a blank, else it is no fold.
fn push_folded(bytes: &mut Vec<u8>, value: &[u8]) -> Result<(), Trouble> {
    let mut lines = value.split(|&b| b == b'\n');
    let trim = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    if let Some(first) = lines.next() {
        bytes.extend_from_slice(&trim(first));
    }
    for line in lines {
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Trouble::Protocol("a line break in a header field that is no fold"));
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&trim(line));
    }
    Ok(())
}

/// CRLF as bare LF, the form that the protocol uses for folds.
fn bare(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, tail)) = rest.split_first() {
        if !(first == b'\r' && (tail.is_empty() || tail.first() == Some(&b'\n'))) {
            out.push(first);
        }
        rest = tail;
    }
    out
}

/// Header fields (in the protocol's form) and body of a mail with CRLF lines.
fn split(mail: &[u8]) -> Option<(Vec<Field>, &[u8])> {
    let mut fields: Vec<Field> = Vec::new();
    let mut rest = mail;
    loop {
        let end = memchr::memmem::find(rest, b"\r\n")?;
        let (line, tail) = (rest.get(..end)?, rest.get(end + 2..)?);
        rest = tail;
        match line.first() {
            None => return Some((fields, rest)),
            Some(b' ' | b'\t') => {
                let last = fields.last_mut()?;
                last.value.push(b'\n');
                last.value.extend_from_slice(line);
            }
            Some(_) => {
                let colon = memchr::memchr(b':', line)?;
                fields.push(Field {
                    name: line.get(..colon)?.to_vec(),
                    value: line.get(colon + 1..)?.to_vec(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mail(fields: Vec<Field>, body: &str) -> Mail {
        let mut bytes = Mail::head(&fields).expect("sound");
        let at = bytes.len();
        bytes.extend_from_slice(body.as_bytes());
        Mail::of(fields, bytes, at)
    }

    fn field(name: &str, value: &str) -> Field {
        Field {
            name: name.into(),
            value: value.into(),
        }
    }

    #[test]
    fn a_mail_is_rebuilt_with_crlf_and_leading_blanks_as_they_came() {
        let fields = vec![field("Subject", " a\n\tb"), field("X", "c"), field("Y", "  d")];
        let mail = mail(fields, "body\r\n");
        assert_eq!(mail.bytes(), b"Subject: a\r\n\tb\r\nX:c\r\nY:  d\r\n\r\nbody\r\n");
    }

    #[test]
    fn a_line_break_that_is_no_fold_is_refused() {
        assert!(Mail::head(&[field("X", " a\nBcc: b")]).is_err());
        assert!(Mail::head(&[field("X", " a\n")]).is_err());
        assert!(Mail::head(&[field("X: a\nY", " a")]).is_err());
    }

    #[test]
    fn edits_count_equal_names_without_case_and_go_from_the_highest_index_down() {
        let fields = vec![
            field("A", " 1"),
            field("a", " 2"),
            field("B", " 3"),
            field("A", " 4\n 5"),
        ];
        let mail = mail(fields, "x");
        let copy = b"A: 1\r\na: two\r\nB:\r\nA: 4\r\n five\r\n\r\nx";
        let edits = mail.edits_to(copy).expect("same fields");
        let said: Vec<_> = edits
            .headers
            .iter()
            .map(|h| (h.name.clone(), h.index, h.value.clone()))
            .collect();
        assert_eq!(
            said,
            vec![
                (b"A".to_vec(), 3, b" 4\n five".to_vec()),
                (b"a".to_vec(), 2, b" two".to_vec()),
                (b"B".to_vec(), 1, b" ".to_vec()),
            ]
        );
        assert!(edits.body.is_none());
    }

    #[test]
    fn added_removed_or_renamed_fields_are_no_edits() {
        let mail = mail(vec![field("A", " 1"), field("B", " 2")], "x");
        for copy in [
            "A: 1\r\n\r\nx",
            "A: 1\r\nC: 2\r\n\r\nx",
            "A: 1\r\nB: 2\r\nC: 3\r\n\r\nx",
            "no mail",
            "A: \0\r\nB: 2\r\n\r\nx",
        ] {
            assert!(mail.edits_to(copy.as_bytes()).is_none(), "{copy:?}");
        }
    }

    proptest! {
        /// Carrying out the edits as Postfix does gives exactly the copy's fields and body.
        #[test]
        fn edits_make_the_copy(
            values in prop::collection::vec(("[ab]", " [xy]{0,3}(\n [xy]{1,2})?", " [xy]{0,3}(\n [xy]{1,2})?"), 0..8),
            body in "[xy\r\n]{0,12}", new_body in "[xy\r\n]{0,12}",
        ) {
            let old = values.iter().map(|(n, v, _)| field(n, v)).collect();
            let new: Vec<Field> = values.iter().map(|(n, _, v)| field(n, v)).collect();
            let mail = mail(old, &body);
            let copy = self::mail(new.clone(), &new_body);
            let edits = mail.edits_to(copy.bytes()).expect("same fields");
            let mut postfix = mail.fields().to_vec();
            for edit in &edits.headers {
                let target = postfix.iter_mut().filter(|f| f.is(&edit.name)).nth(edit.index as usize - 1).expect("there");
                target.value = edit.value.clone();
            }
            prop_assert_eq!(postfix, new);
            prop_assert_eq!(edits.body.unwrap_or(body.into_bytes()), new_body.into_bytes());
        }
    }
}
