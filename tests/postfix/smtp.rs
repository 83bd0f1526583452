//! The client side of a dialogue: sends what a case says, byte for byte, and remembers which mail it sent.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One connection to the private Postfix.
pub struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    pending: Vec<u8>,
    in_data: bool,
    mail: Vec<u8>,
    /// Mails whose dot was sent and not yet answered, oldest first; with pipelining there are several.
    unanswered: VecDeque<Vec<u8>>,
    after_354: bool,
    answered: Option<Vec<u8>>,
    transcript: String,
}

/// A whole reply, lines joined by ` / `.
pub type Reply = String;

impl Client {
    pub fn connect(port: u16) -> Result<Client, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| format!("no connection to Postfix: {e}"))?;
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .map_err(|e| e.to_string())?;
        let writer = stream.try_clone().map_err(|e| e.to_string())?;
        let mut client = Client {
            reader: BufReader::new(stream),
            writer,
            pending: Vec::new(),
            in_data: false,
            mail: Vec::new(),
            unanswered: VecDeque::new(),
            after_354: false,
            answered: None,
            transcript: String::new(),
        };
        let greeting = client.reply()?;
        greeting
            .starts_with("220")
            .then_some(client)
            .ok_or(format!("Postfix greets with {greeting}"))
    }

    /// Puts one line (or block of lines) into the buffer; commands in one buffer are pipelined.
    pub fn queue(&mut self, bytes: &[u8]) {
        if self.in_data && bytes == b"." {
            self.in_data = false;
            self.unanswered.push_back(std::mem::take(&mut self.mail));
        } else if self.in_data {
            self.mail.extend_from_slice(&unstuffed(bytes));
            self.mail.extend_from_slice(b"\r\n");
        } else {
            self.transcript
                .push_str(&format!("> {}\n", String::from_utf8_lossy(bytes)));
            if bytes.eq_ignore_ascii_case(b"DATA") {
                self.in_data = true;
                self.mail.clear();
            }
        }
        self.pending.extend_from_slice(bytes);
        self.pending.extend_from_slice(b"\r\n");
    }

    /// Sends what was queued.
    pub fn flush(&mut self) -> Result<(), String> {
        let bytes = std::mem::take(&mut self.pending);
        self.writer
            .write_all(&bytes)
            .map_err(|e| format!("Postfix hung up: {e}"))
    }

    /// The next reply, whole.
    pub fn reply(&mut self) -> Result<Reply, String> {
        self.flush_quietly();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self
                .reader
                .read_line(&mut line)
                .map_err(|e| format!("no reply from Postfix: {e}"))?;
            if read == 0 {
                return Err("Postfix closed the connection".to_owned());
            }
            let line = line.trim_end().to_owned();
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if last {
                break;
            }
        }
        let reply = lines.join(" / ");
        self.answered = if self.after_354 {
            self.unanswered.pop_front()
        } else {
            None
        };
        self.after_354 = reply.starts_with("354");
        self.transcript.push_str(&format!("< {reply}\n"));
        Ok(reply)
    }

    fn flush_quietly(&mut self) {
        if !self.pending.is_empty() {
            // The reply that Postfix gave before it hung up says more than the broken pipe.
            let _ = self.flush();
        }
    }

    /// The mail, dots unstuffed, if the last reply was the one to its final dot.
    pub fn answered(&mut self) -> Option<Vec<u8>> {
        self.answered.take()
    }

    /// Commands and replies, without the mails.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }
}

/// RFC 5321 §4.5.2: a leading dot more on the wire than in the mail.
fn unstuffed(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    for line in block.split_inclusive(|&b| b == b'\n') {
        out.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    out
}

/// The way there.
pub fn stuffed(block: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(block.len());
    for line in block.split_inclusive(|&b| b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out
}
