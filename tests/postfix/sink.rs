//! The outside world: an SMTP server that takes everything (but for people called `unknown.…`) and remembers it byte for
//! byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One transaction.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `MAIL` as it came, with its arguments.
    pub mail: String,
    /// Each `RCPT` as it came; more than one is itself a failure (a recipient might see another).
    pub rcpt: Vec<String>,
    /// The message, dots unstuffed, CRLF lines.
    pub data: Vec<u8>,
}

/// Listens until dropped.
pub struct Sink {
    /// Where.
    pub port: u16,
    taken: Arc<Mutex<Vec<Delivery>>>,
    stop: Arc<AtomicBool>,
}

impl Sink {
    pub fn start() -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (taken.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = shared.clone();
                if let Ok(stream) = stream {
                    // A peer that hangs up early is Postfix's business: it will come again.
                    std::thread::spawn(move || serve(stream, &shared));
                }
            }
        });
        Sink { port, taken, stop }
    }

    /// All transactions so far.
    pub fn taken(&self) -> Vec<Delivery> {
        self.taken.lock().expect("no panic under the lock").clone()
    }

    /// How many so far, without copying them.
    pub fn count(&self) -> usize {
        self.taken.lock().expect("no panic under the lock").len()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(stream: TcpStream, taken: &Mutex<Vec<Delivery>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    writer.write_all(b"220 sink.example ESMTP\r\n")?;
    let (mut mail, mut rcpt) = (String::new(), Vec::new());
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let reply = match line.get(..4).unwrap_or(&line).to_ascii_uppercase().as_str() {
            "EHLO" => {
                "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES"
            }
            "MAIL" => {
                (mail, rcpt) = (line, Vec::new());
                "250 2.1.0 Ok"
            }
            "RCPT" if line.contains("<unknown.") => "550 5.1.1 no such person here",
            "RCPT" => {
                rcpt.push(line);
                "250 2.1.5 Ok"
            }
            // A client that pipelines says DATA also when its recipients were refused (RFC 2920 §3.1).
            "DATA" if rcpt.is_empty() => "554 5.5.1 no valid recipients",
            "DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                let data = message(&mut reader)?;
                let delivery = Delivery {
                    mail: std::mem::take(&mut mail),
                    rcpt: std::mem::take(&mut rcpt),
                    data,
                };
                taken.lock().expect("no panic under the lock").push(delivery);
                "250 2.0.0 Ok"
            }
            "QUIT" => {
                writer.write_all(b"221 2.0.0 Bye\r\n")?;
                return Ok(());
            }
            _ => "250 2.0.0 Ok",
        };
        writer.write_all(format!("{reply}\r\n").as_bytes())?;
    }
}

/// Up to the dot alone on its line.
fn message(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let start = data.len();
        if reader.read_until(b'\n', &mut data)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &data[start..] == b".\r\n" {
            data.truncate(start);
            return Ok(data);
        }
        if data[start] == b'.' {
            data.remove(start);
        }
    }
}

impl Delivery {
    /// The recipient, as written between the angle brackets.
    pub fn recipient(&self) -> String {
        self.rcpt.first().map(|line| between_brackets(line)).unwrap_or_default()
    }

    /// Header block and body.
    pub fn split(&self) -> (&[u8], &[u8]) {
        split(&self.data)
    }

    /// Value of `X-Test-Id` in the header of the mail itself; `None` for notices and bounces.
    pub fn test_id(&self) -> Option<String> {
        test_id(&self.data)
    }
}

/// Header block and body of a mail with CRLF lines; the empty line belongs to neither.
pub fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memmem::find(mail, b"\r\n\r\n") {
        Some(at) => (&mail[..at + 2], &mail[at + 4..]),
        None => (mail, &[]),
    }
}

/// Value of `X-Test-Id` in the header.
pub fn test_id(mail: &[u8]) -> Option<String> {
    let (header, _) = split(mail);
    let header = String::from_utf8_lossy(header).into_owned();
    header
        .lines()
        .find_map(|line| line.strip_prefix("X-Test-Id: ").map(|id| id.trim().to_owned()))
}

/// What stands between the first `<` and the last `>` before the arguments.
pub fn between_brackets(command: &str) -> String {
    let start = command.find('<').map_or(0, |at| at + 1);
    let end = command.rfind('>').unwrap_or(command.len()).max(start);
    command[start..end].to_owned()
}
