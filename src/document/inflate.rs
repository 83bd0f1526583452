//! Inflate within the budget: bytes produced are counted, sizes that the file declares are not believed.

use crate::content::{Budget, Spent};
use flate2::{Decompress, FlushDecompress, Status};

/// Output below this is never a bomb, whatever its ratio (see `Limits::ratio`).
const RATIO_FROM: u64 = 1 << 20;
const CHUNK: usize = 32 << 10;

/// What came out.
pub(super) struct Inflated {
    /// All that was produced before the end, the damage or the limit.
    pub bytes: Vec<u8>,
    /// Input bytes that belong to the stream.
    pub used: usize,
    /// How it ended.
    pub end: End,
}

/// How an inflation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the stream.
    Whole,
    /// In the middle: damaged, or cut short.
    Broken,
    /// At a limit.
    Spent(Spent),
}

/// Inflates one raw deflate stream (RFC 1951) at the start of `input`.
pub(super) fn inflate(input: &[u8], budget: &mut Budget) -> Inflated {
    let mut stream = Decompress::new(false);
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let cap = (input.len() as u64)
        .saturating_mul(budget.limits().ratio)
        .max(RATIO_FROM);
    let end = loop {
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        let rest = input.get(before_in as usize..).unwrap_or_default();
        let status = stream.decompress(rest, &mut chunk, FlushDecompress::None);
        let made = (stream.total_out() - before_out) as usize;
        if let Err(spent) = budget.produce(made as u64) {
            break End::Spent(spent);
        }
        bytes.extend_from_slice(chunk.get(..made).unwrap_or_default());
        if bytes.len() as u64 > cap {
            break End::Spent(Spent::Bytes);
        }
        match status {
            Ok(Status::StreamEnd) => break End::Whole,
            Ok(_) if made > 0 || stream.total_in() > before_in => {}
            _ => break End::Broken,
        }
    };
    Inflated {
        bytes,
        used: stream.total_in() as usize,
        end,
    }
}

/// Deflates `bytes` into one raw stream.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory cannot fail; if it ever did, the empty stream would fail the re-inspection, not leak.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// The same in a zlib stream (RFC 1950).
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// CRC-32 as gzip and ZIP use it.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Limits;

    fn budget(produced_bytes: u64, ratio: u64) -> Budget {
        Budget::new(Limits {
            produced_bytes,
            ratio,
            ..Limits::default()
        })
    }

    #[test]
    fn a_bomb_ends_at_the_limit_and_not_at_its_declared_size() {
        let bomb = deflate(&vec![0; 8 << 20]);
        let out = inflate(&bomb, &mut budget(3 << 20, 100_000));
        assert_eq!(out.end, End::Spent(Spent::Bytes));
        assert!(out.bytes.len() <= 3 << 20);
        let out = inflate(&bomb, &mut budget(200 << 20, 200));
        assert_eq!(out.end, End::Spent(Spent::Bytes));
        assert!(out.bytes.len() < (2 << 20));
    }

    #[test]
    fn what_follows_the_stream_is_not_used() {
        let mut data = deflate(b"et referat");
        let len = data.len();
        data.extend_from_slice(b"and more");
        let out = inflate(&data, &mut budget(1 << 20, 200));
        assert_eq!(
            (out.end, out.used, out.bytes.as_slice()),
            (End::Whole, len, &b"et referat"[..])
        );
        assert_eq!(inflate(&data[..len - 2], &mut budget(1 << 20, 200)).end, End::Broken);
    }
}
