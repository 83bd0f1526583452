//! Where an encoded word (RFC 2047 §2) stands in header text, read as leniently as mail programs do, and what only looks
//! like one: some programs decode that, others show it as it is.

use super::words::Atom;

/// An encoded word in a run of atoms.
pub(super) struct Found<'t> {
    pub(super) charset: String,
    pub(super) base64: bool,
    pub(super) payload: &'t [Atom],
    /// Behind `?=`.
    pub(super) end: usize,
    /// Where it ends can be read in two ways.
    pub(super) odd: bool,
}

/// What starts at some place.
pub(super) enum Start<'t> {
    /// An encoded word.
    Word(Found<'t>),
    /// Nearly one: not closed, without charset, with blanks where none belong.
    Nearly,
    /// Anything else.
    Other,
}

/// What starts at `at`. Blanks and question marks in the payload are tolerated, as mail programs do.
pub(super) fn at(atoms: &[Atom], at: usize) -> Start<'_> {
    let is = |i: usize, byte: u8| atoms.get(i).is_some_and(|a| a.byte == byte);
    if !(is(at, b'=') && is(at + 1, b'?')) {
        return Start::Other;
    }
    let start = at + 2;
    let Some(mark) = next(atoms, start, 80, |i| is(i, b'?')) else {
        return Start::Other;
    };
    let blanks = |from: usize| (from..from + 8).find(|i| !is(*i, b' ') && !is(*i, b'\t'));
    let letter = blanks(mark + 1).unwrap_or(mark + 1);
    let base64 = match atoms.get(letter).map(|a| a.byte.to_ascii_lowercase()) {
        Some(b'b') => true,
        Some(b'q') => false,
        _ => return Start::Other,
    };
    let second = blanks(letter + 1).unwrap_or(letter + 1);
    if !is(second, b'?') {
        return Start::Other;
    }
    let charset: String = letters(atoms, start..mark);
    let sound = !charset.is_empty() && charset.bytes().all(|b| b.is_ascii_graphic());
    let payload = second + 1;
    // The padding of base64 may stand before the end; any other `=?` begins a word of its own.
    let stop = |i: usize| is(i, b'?') && is(i + 1, b'=') || is(i, b'=') && is(i + 1, b'?') && !is(i + 2, b'=');
    match next(atoms, payload, usize::MAX, stop) {
        Some(end) if sound && second == mark + 2 && is(end, b'?') => Start::Word(Found {
            // RFC 2231 §5: a language may follow the charset.
            charset: charset.split('*').next().unwrap_or_default().to_owned(),
            base64,
            payload: atoms.get(payload..end).unwrap_or_default(),
            end: end + 2,
            odd: !base64 && goes_on(atoms, end + 2),
        }),
        _ => Start::Nearly,
    }
}

/// `?=30` in a Q word may be its end, or a question mark and an escape; another end must follow then.
fn goes_on(atoms: &[Atom], from: usize) -> bool {
    const FAR: usize = 2_000;
    let pair = |i: usize, a: u8, b: u8| {
        atoms.get(i).is_some_and(|x| x.byte == a) && atoms.get(i + 1).is_some_and(|x| x.byte == b)
    };
    let hex = |i: usize| atoms.get(i).is_some_and(|a| a.byte.is_ascii_hexdigit());
    hex(from)
        && hex(from + 1)
        && next(atoms, from, FAR, |i| pair(i, b'?', b'=') || pair(i, b'=', b'?')).is_some_and(|i| pair(i, b'?', b'='))
}

/// The first place from `from` on, and no further than `far`, of which `wanted` is true.
fn next(atoms: &[Atom], from: usize, far: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    (from..atoms.len().min(from.saturating_add(far))).find(|i| wanted(*i))
}

fn letters(atoms: &[Atom], range: std::ops::Range<usize>) -> String {
    let letters = atoms.get(range).unwrap_or_default();
    letters.iter().map(|a| char::from(a.byte)).collect()
}
