//! An SMTP server that does at each step what a test tells it to.
#![allow(dead_code)] // Each test file uses its own half.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does at one step.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Says this line.
    Say(&'static str),
    /// Closes the connection.
    Drop,
    /// Stays silent for longer than anyone waits.
    Hang,
}

#[derive(Default)]
struct State {
    plan: VecDeque<(&'static str, Act)>,
    commands: Vec<String>,
    envelopes: Vec<(String, String)>,
    accepted: Vec<Vec<u8>>,
    received: Vec<Vec<u8>>,
}

/// The server. Steps not in the plan go well.
pub struct Listener {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Listener {
    /// Each entry of `plan` is used once, at the first step of that name (CONNECT, EHLO, MAIL, RCPT, DATA, DOT).
    pub fn start(plan: Vec<(&'static str, Act)>) -> Listener {
        Listener::start_at("127.0.0.1:0", plan)
    }

    pub fn start_at(address: &str, plan: Vec<(&'static str, Act)>) -> Listener {
        let socket = TcpListener::bind(address).expect("a port");
        let address = socket.local_addr().expect("an address").to_string();
        let state = Arc::new(Mutex::new(State {
            plan: plan.into(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = serve(stream, &shared);
                });
            }
        });
        Listener { address, state }
    }

    /// An address where nobody listens.
    pub fn nobody() -> String {
        TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a port")
            .to_string()
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Contents that got a 250 after the dot, dot-stuffing undone.
    pub fn accepted(&self) -> Vec<Vec<u8>> {
        self.state.lock().expect("state").accepted.clone()
    }

    /// Contents that came whole, whatever was answered.
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.state.lock().expect("state").received.clone()
    }

    /// MAIL and RCPT of each accepted mail.
    pub fn envelopes(&self) -> Vec<(String, String)> {
        self.state.lock().expect("state").envelopes.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        // QUIT may still be on its way.
        std::thread::sleep(Duration::from_millis(50));
        self.state.lock().expect("state").commands.clone()
    }
}

fn act(state: &Mutex<State>, step: &str, otherwise: &'static str) -> Act {
    let mut state = state.lock().expect("state");
    match state.plan.iter().position(|(name, _)| *name == step) {
        Some(at) => state.plan.remove(at).map_or(Act::Drop, |(_, act)| act),
        None => Act::Say(otherwise),
    }
}

/// Does it; gives back the first digit said, or `None` when the connection is over.
fn perform(stream: &mut TcpStream, act: Act) -> std::io::Result<Option<u8>> {
    match act {
        Act::Say(line) => {
            stream.write_all(format!("{line}\r\n").as_bytes())?;
            Ok(line.bytes().next().filter(|_| !line.starts_with("421")))
        }
        Act::Drop => Ok(None),
        Act::Hang => {
            std::thread::sleep(Duration::from_secs(5));
            Ok(None)
        }
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let greeting = act(state, "CONNECT", "220 mx ESMTP");
    if perform(&mut stream, greeting)?.is_none() {
        return Ok(());
    }
    let (mut mail, mut rcpt) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end_matches("\r\n").to_owned();
        state.lock().expect("state").commands.push(line.clone());
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_owned();
        let next = match verb.as_str() {
            "EHLO" => act(state, "EHLO", "250-mx\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN"),
            "MAIL" => {
                mail = line;
                act(state, "MAIL", "250 2.1.0 Ok")
            }
            "RCPT" => {
                rcpt = line;
                act(state, "RCPT", "250 2.1.5 Ok")
            }
            "DATA" => act(state, "DATA", "354 End data with <CR><LF>.<CR><LF>"),
            "QUIT" => Act::Say("221 2.0.0 Bye"),
            _ => Act::Say("250 2.0.0 Ok"),
        };
        let Some(digit) = perform(&mut stream, next)? else {
            return Ok(());
        };
        if verb == "DATA" && digit == b'3' {
            let content = content(&mut reader)?;
            state.lock().expect("state").received.push(content.clone());
            let dot = act(state, "DOT", "250 2.0.0 Ok: queued as 4Yb1Zk0vQhz9rD");
            // Booked before it is said: whoever has read the 250 may ask at once what was accepted.
            if matches!(dot, Act::Say(line) if line.starts_with('2')) {
                let mut state = state.lock().expect("state");
                state.accepted.push(content);
                state.envelopes.push((mail.clone(), rcpt.clone()));
            }
            let said = perform(&mut stream, dot)?;
            if said.is_none() {
                return Ok(());
            }
        }
        if verb == "QUIT" {
            return Ok(());
        }
    }
}

fn content(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(content);
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
