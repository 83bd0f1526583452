//! Plays one case in one world: sends its mails, does its things, and keeps what was said.

use crate::judge;
use crate::smtp::{Client, stuffed};
use crate::story::{Case, Mail, Step};
use crate::world::World;
use regex::Regex;
use std::time::{Duration, Instant};

/// One try to send one mail.
pub struct Sent {
    /// Its `X-Test-Id`.
    pub id: String,
    /// As the client sent it, dots unstuffed.
    pub data: Vec<u8>,
    /// Reply after the dot; empty when there was none.
    pub reply: String,
}

/// A case that has been played.
pub struct Played {
    pub case: Case,
    pub sent: Vec<Sent>,
    pub transcript: String,
    /// Incidents that this case made, oldest first.
    pub holds: Vec<String>,
    pub failures: Vec<String>,
}

/// From the first command to the last step.
pub fn play(world: &mut World, case: Case) -> Played {
    let before = listed(world);
    let mut played = Played {
        case,
        sent: Vec::new(),
        transcript: String::new(),
        holds: Vec::new(),
        failures: Vec::new(),
    };
    if let Err(error) = converse(world, &mut played) {
        played.failures.push(error);
    }
    wait(world, &mut played, false, &before);
    if world.bare() {
        return played;
    }
    for step in played.case.story.then.clone() {
        take(world, &mut played, &step);
    }
    if !played.case.story.then.is_empty() {
        wait(world, &mut played, true, &before);
    }
    played
}

/// Until everything expected is there; what is there too much shows at the end of the world.
fn wait(world: &mut World, played: &mut Played, late: bool, before: &[String]) {
    let deadline = Instant::now() + Duration::from_secs(played.case.story.patience);
    loop {
        played.holds = listed(world).into_iter().filter(|id| !before.contains(id)).collect();
        for (index, hold) in played.holds.iter().enumerate() {
            let name = if index == 0 {
                "hold".to_owned()
            } else {
                format!("hold{}", index + 1)
            };
            played.case.names.words.insert(name, hold.clone());
        }
        let failures = judge::fates(world, played, late);
        if failures.is_empty() || Instant::now() > deadline {
            let when = if late { "in the end: " } else { "" };
            played
                .failures
                .extend(failures.into_iter().map(|failure| format!("{when}{failure}")));
            return;
        }
        std::thread::sleep(Duration::from_millis(60));
    }
}

/// Incidents, oldest first; `quarantine list` shows the newest first.
fn listed(world: &mut World) -> Vec<String> {
    if world.bare() {
        return Vec::new();
    }
    let out = world.cli(&["quarantine", "list", "--limit", "0"], "");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let id = Regex::new(r"(?m)^([a-z0-9]{4}(?:-[a-z0-9]{4}){3})\b").expect("valid");
    let mut ids: Vec<String> = id.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    ids.reverse();
    ids
}

fn converse(world: &mut World, played: &mut Played) -> Result<(), String> {
    if played.case.story.dialogue.is_empty() {
        send_all(world, played)
    } else {
        follow(world, played)
    }
}

fn send_all(world: &mut World, played: &mut Played) -> Result<(), String> {
    let mails = played.case.story.mails.clone();
    let mut client = None;
    for (index, mail) in mails.iter().enumerate() {
        let id = format!("{}.{}", played.case.id, index + 1);
        let data = played.case.names.mail(&format!("X-Test-Id: {id}\n{}", mail.mail));
        let reply = if mail.sendmail {
            let to: Vec<String> = mail.to.iter().map(|to| played.case.names.line(to)).collect();
            world.sendmail(&played.case.names.line(&mail.from), &to, &data)?;
            "250 by sendmail".to_owned()
        } else {
            if client.is_none() {
                client = Some(greet(world)?);
            }
            let client = client.as_mut().expect("just connected");
            let reply = send(client, played, mail, &data);
            played.transcript = client.transcript().to_owned();
            reply?
        };
        let wanted = if world.bare() { "250" } else { mail.reply.as_str() };
        if !reply.starts_with(wanted) {
            played
                .failures
                .push(format!("mail {}: expected {wanted}, Postfix says {reply}", index + 1));
        }
        played.sent.push(Sent { id, data, reply });
    }
    Ok(())
}

fn greet(world: &World) -> Result<Client, String> {
    let mut client = Client::connect(world.smtp)?;
    client.queue(b"EHLO klient.example");
    client.reply()?;
    Ok(client)
}

fn send(client: &mut Client, played: &Played, mail: &Mail, data: &[u8]) -> Result<String, String> {
    let names = &played.case.names;
    let from = format!("MAIL FROM:<{}> {}", names.line(&mail.from), names.line(&mail.mail_args));
    client.queue(from.trim_end().as_bytes());
    expect(client, "250")?;
    for to in mail.to.iter().flat_map(|to| numbered(to)) {
        let line = format!("RCPT TO:<{}> {}", names.line(&to), names.line(&mail.rcpt_args));
        client.queue(line.trim_end().as_bytes());
        expect(client, "250")?;
    }
    client.queue(b"DATA");
    expect(client, "354")?;
    let block = stuffed(data);
    client.queue(block.strip_suffix(b"\r\n").unwrap_or(&block));
    client.queue(b".");
    client.reply()
}

/// `borger{1..200}@post.example` is two hundred addresses.
fn numbered(to: &str) -> Vec<String> {
    let range = Regex::new(r"\{(\d+)\.\.(\d+)\}").expect("valid");
    let Some(found) = range.captures(to) else {
        return vec![to.to_owned()];
    };
    let number = |i: usize| found[i].parse::<u32>().expect("digits");
    (number(1)..=number(2))
        .map(|n| to.replace(&found[0], &n.to_string()))
        .collect()
}

fn expect(client: &mut Client, code: &str) -> Result<(), String> {
    let reply = client.reply()?;
    if reply.starts_with(code) {
        Ok(())
    } else {
        Err(format!(
            "expected {code}, Postfix says {reply}\n{}",
            client.transcript()
        ))
    }
}

/// `>` lines in a row are pipelined; `<` reads one reply; `!` does something.
fn follow(world: &mut World, played: &mut Played) -> Result<(), String> {
    let text = played.case.story.dialogue.clone();
    let mut client = Client::connect(world.smtp)?;
    for line in text.lines() {
        let (mark, rest) = line.split_at(line.len().min(1));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            ">" => client.queue(&played.case.names.mail(rest)),
            "<" => hear(world, played, &mut client, rest),
            "!" => {
                client.flush()?;
                if rest == "connect" {
                    played.transcript.push_str(client.transcript());
                    client = Client::connect(world.smtp)?;
                } else {
                    world.act(rest)?;
                }
            }
            "" | "#" => {}
            _ => return Err(format!("a line of a dialogue begins with > < ! or #, not: {line}")),
        }
    }
    played.transcript.push_str(client.transcript());
    Ok(())
}

fn hear(world: &World, played: &mut Played, client: &mut Client, wanted: &str) {
    let wanted = played.case.names.line(wanted);
    let reply = match client.reply() {
        Ok(reply) => reply,
        Err(error) => error,
    };
    let milter_less = world.bare() && wanted.starts_with(['4', '5']);
    if !milter_less && !reply.starts_with(&wanted) {
        played.failures.push(format!("expected {wanted}, Postfix says {reply}"));
    }
    if let Some((id, data)) = client
        .answered()
        .and_then(|mail| Some((crate::sink::test_id(&mail)?, mail)))
    {
        played.sent.push(Sent { id, data, reply });
    }
}

fn take(world: &mut World, played: &mut Played, step: &Step) {
    if let Some(act) = &step.act
        && let Err(error) = world.act(act)
    {
        played.failures.push(format!("! {act}: {error}"));
    }
    let Some(run) = &step.run else { return };
    let run = played.case.names.line(run);
    let out = world.cli(&words(&run), "");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    if out.status.code() != Some(step.exit) {
        played
            .failures
            .push(format!("`{run}` exits with {}, not {}:\n{text}", out.status, step.exit));
    }
    for wanted in &step.prints {
        if !text.contains(&played.case.names.line(wanted)) {
            played
                .failures
                .push(format!("`{run}` does not print “{wanted}” but:\n{text}"));
        }
    }
    for unwanted in &step.hides {
        if text.contains(&played.case.names.line(unwanted)) {
            played.failures.push(format!("`{run}` prints “{unwanted}”"));
        }
    }
}

/// Words of a command line; double quotes keep blanks together.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (index, piece) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(piece);
        } else {
            words.extend(piece.split_whitespace());
        }
    }
    words
}
