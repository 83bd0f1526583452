//! A browser without eyes: HTTP by hand, one cookie jar, forms sent back with their token.
#![allow(dead_code)] // Each test file uses its own half.

use crate::world::{PASSWORD, Person, World};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

pub struct Client {
    to: String,
    pub cookies: Vec<(String, String)>,
    pub language: &'static str,
    pub extra: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn token(&self) -> String {
        let found = self.body.split("name=\"token\" value=\"").nth(1);
        found
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned()
    }
}

impl Client {
    pub fn new(world: &World) -> Client {
        Client::to(&format!("127.0.0.1:{}", world.port))
    }

    /// `unix:/path` too.
    pub fn to(to: &str) -> Client {
        Client {
            to: to.to_owned(),
            cookies: Vec::new(),
            language: "en",
            extra: Vec::new(),
        }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={}", escaped(value)))
            .collect();
        self.ask("POST", path, &body.join("&"))
    }

    /// Sends a form of a page back, with its token.
    pub fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).token();
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.post(path, &all)
    }

    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: desk.kommune.example\r\nConnection: close\r\nAccept-Language: {}\r\n",
            self.language
        );
        if !cookies.is_empty() {
            head.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        for (key, value) in &self.extra {
            head.push_str(&format!("{key}: {value}\r\n"));
        }
        if method == "POST" {
            head.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        let answer = read(&self.to, &format!("{head}\r\n{body}"));
        for (_, line) in answer
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"))
        {
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((key, value)) = pair.split_once('=') {
                self.cookies.retain(|(known, _)| known != key);
                self.cookies.push((key.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub fn cookie(&self, name: &str) -> String {
        let mut all = self.cookies.iter();
        all.find(|(key, _)| key == name)
            .map_or_else(String::new, |(_, value)| value.clone())
    }

    /// Signs in; `steps` names the code: each can be used once.
    pub fn sign_in(&mut self, person: &Person, steps: i64) -> Answer {
        let code = person.code(steps);
        self.submit(
            "/sign-in",
            "/sign-in",
            &[("name", &person.name), ("password", PASSWORD), ("code", &code)],
        )
    }

    /// A browser in which somebody has signed in.
    pub fn signed_in(world: &World, person: &Person) -> Client {
        let mut client = Client::new(world);
        for steps in [-1, 0, 1] {
            let answer = client.sign_in(person, steps);
            if answer.status == 303 {
                return client;
            }
        }
        panic!("cannot sign in");
    }
}

fn read(to: &str, request: &str) -> Answer {
    let mut bytes = Vec::new();
    match to.strip_prefix("unix:") {
        Some(path) => {
            let mut stream = UnixStream::connect(path).expect("connected");
            stream.write_all(request.as_bytes()).expect("sent");
            stream.read_to_end(&mut bytes).expect("answer");
        }
        None => {
            let mut stream = TcpStream::connect(to).expect("connected");
            stream.write_all(request.as_bytes()).expect("sent");
            stream.read_to_end(&mut bytes).expect("answer");
        }
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    let chunked = headers
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case("transfer-encoding") && value.contains("chunked"));
    if chunked {
        body = unchunked(&body);
    }
    Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).expect("a size");
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    out
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
