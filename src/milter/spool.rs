//! Where a message waits until it is whole: in memory, above a limit in an unlinked file, and always on the account of one
//! budget for all sessions, so that a hundred mails of 50 MB cannot take the machine down.

use super::world::Trouble;
use std::io::SeekFrom;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Bytes of all messages in hand.
#[derive(Debug, Default)]
pub struct Bytes(AtomicU64);

/// One message's share; given back when dropped.
#[derive(Debug)]
pub struct Share {
    all: Arc<Bytes>,
    mine: u64,
}

impl Share {
    /// Nothing yet.
    pub fn new(all: Arc<Bytes>) -> Share {
        Share { all, mine: 0 }
    }

    /// A share of the same account with nothing on it.
    pub fn emptied(&self) -> Share {
        Share::new(Arc::clone(&self.all))
    }

    /// Books `bytes` more.
    ///
    /// # Errors
    /// [`Trouble::Busy`] when all sessions together would be over `total`.
    pub fn take(&mut self, bytes: usize, total: u64) -> Result<(), Trouble> {
        let bytes = bytes as u64;
        let before = self.all.0.fetch_add(bytes, Ordering::Relaxed);
        self.mine += bytes;
        if before.saturating_add(bytes) > total {
            return Err(Trouble::Busy);
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.mine, Ordering::Relaxed);
    }
}

/// The body of one message.
pub enum Spool {
    /// Small.
    Memory(Vec<u8>),
    /// Large; the file has no name, so nothing is left behind however we end.
    File {
        /// Written to.
        file: tokio::fs::File,
        /// Bytes in it.
        len: usize,
    },
}

impl Spool {
    /// Empty.
    pub fn new() -> Spool {
        Spool::Memory(Vec::new())
    }

    /// Appends; moves to a file when more than `memory` bytes are there.
    ///
    /// # Errors
    /// The file failed.
    pub async fn push(&mut self, chunk: &[u8], memory: u64) -> Result<(), Trouble> {
        match self {
            Spool::Memory(bytes) if (bytes.len() + chunk.len()) as u64 <= memory => bytes.extend_from_slice(chunk),
            Spool::Memory(bytes) => {
                let mut file = tokio::fs::File::from_std(tempfile::tempfile()?);
                file.write_all(bytes).await?;
                file.write_all(chunk).await?;
                let len = bytes.len() + chunk.len();
                *self = Spool::File { file, len };
            }
            Spool::File { file, len } => {
                file.write_all(chunk).await?;
                *len += chunk.len();
            }
        }
        Ok(())
    }

    /// Everything that was pushed, behind `head`: a large body is in memory once, not twice.
    ///
    /// # Errors
    /// The file failed, or gives back less than was written.
    pub async fn behind(self, mut head: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        match self {
            Spool::Memory(bytes) => head.extend_from_slice(&bytes),
            Spool::File { mut file, len } => {
                file.flush().await?;
                file.seek(SeekFrom::Start(0)).await?;
                head.reserve_exact(len);
                let read = file.read_to_end(&mut head).await?;
                if read != len {
                    return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
                }
            }
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_bodies_come_back_from_the_file_as_they_went_in() {
        let mut spool = Spool::new();
        let mut all = b"head".to_vec();
        for i in 0..40_u8 {
            let chunk = vec![i; 1_000];
            spool.push(&chunk, 10_000).await.expect("push");
            all.extend(chunk);
        }
        assert!(matches!(spool, Spool::File { .. }));
        assert_eq!(spool.behind(b"head".to_vec()).await.expect("whole"), all);
    }

    #[test]
    fn shares_are_given_back() {
        let all = Arc::new(Bytes::default());
        let mut a = Share::new(Arc::clone(&all));
        let mut b = Share::new(Arc::clone(&all));
        assert!(a.take(60, 100).is_ok());
        assert!(matches!(b.take(60, 100), Err(Trouble::Busy)));
        drop(b);
        assert!(a.take(40, 100).is_ok());
        drop(a);
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
    }
}
