//! The oracle: each recipient of each mail has exactly one fate, and no made-up number is anywhere but in copies that were
//! rightly delivered with it.

use crate::numbers::Planted;
use crate::play::{Played, Sent};
use crate::reader::{readable, views};
use crate::search::{Search, leaks};
use crate::sink::{Delivery, split};
use crate::story::{Closely, Fate, Notice};
use crate::world::World;
use std::time::{Duration, Instant};

/// What is wrong with the fates of this case's recipients now.
pub fn fates(world: &mut World, played: &Played, late: bool) -> Vec<String> {
    let taken = world.sink.taken();
    let mut failures = Vec::new();
    let mut held = Vec::new();
    for (id, address, expected) in played.case.expectations(late) {
        let (fate, closely) = expected.parts();
        let fate = match fate {
            Fate::Nothing if world.bare() => continue,
            _ if world.bare() => Fate::Delivered,
            fate => fate,
        };
        let copies = copies(&taken, &id, &address);
        let sent = played.sent.iter().rev().find(|sent| sent.id == id);
        let complaint = match (fate, sent) {
            (_, None) => Err("was never sent".to_owned()),
            (Fate::Delivered, Some(sent)) => delivered(&copies, sent, closely),
            (Fate::Redacted, Some(_)) => redacted(&copies, played, closely),
            (Fate::Held, Some(_)) => absent(&copies).map(|()| held.push(address.clone())),
            (Fate::Refused, Some(sent)) => absent(&copies).and_then(|()| refused(&taken, sent, &address)),
            (Fate::Nothing, Some(_)) => absent(&copies),
        };
        let complaint = complaint.and_then(|()| match (closely, copies.first()) {
            (Some(closely), Some(copy)) if !world.bare() => looks(copy, played, closely),
            _ => Ok(()),
        });
        if let Err(complaint) = complaint {
            failures.push(format!("{address} ({id}), expected {fate:?}: {complaint}"));
        }
    }
    if failures.is_empty() && !held.is_empty() {
        failures.extend(listed_as_held(world, played, &held));
    }
    if let (Some(wanted), false) = (played.case.story.incidents, world.bare())
        && wanted != played.holds.len()
    {
        failures.push(format!(
            "{} incidents in the quarantine, not {wanted}",
            played.holds.len()
        ));
    }
    if failures.is_empty() && !world.bare() {
        failures.extend(
            played
                .case
                .story
                .notices
                .iter()
                .filter_map(|(address, notice)| told(&taken, &played.case.names.line(address), notice, played).err()),
        );
    }
    failures
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn copies<'a>(taken: &'a [Delivery], id: &str, address: &str) -> Vec<&'a Delivery> {
    taken
        .iter()
        .filter(|d| same(&d.recipient(), address) && d.test_id().as_deref() == Some(id))
        .collect()
}

fn one<'a>(copies: &[&'a Delivery]) -> Result<&'a Delivery, String> {
    match copies {
        [copy] => Ok(copy),
        [] => Err("no copy came".to_owned()),
        many => Err(format!("{} copies came", many.len())),
    }
}

fn absent(copies: &[&Delivery]) -> Result<(), String> {
    if copies.is_empty() {
        Ok(())
    } else {
        Err("a copy came".to_owned())
    }
}

fn delivered(copies: &[&Delivery], sent: &Sent, closely: Option<&Closely>) -> Result<(), String> {
    let copy = one(copies)?;
    let (sent_header, sent_body) = split(&sent.data);
    let (header, body) = copy.split();
    if body != sent_body {
        return Err(format!(
            "the body is not as sent ({} bytes sent, {} came)",
            sent_body.len(),
            body.len()
        ));
    }
    let free = closely.is_some_and(|closely| closely.header_changes);
    if !free && memchr::memmem::find(header, sent_header).is_none() {
        return Err("the header is not as sent".to_owned());
    }
    Ok(())
}

fn redacted(copies: &[&Delivery], played: &Played, closely: Option<&Closely>) -> Result<(), String> {
    let copy = one(copies)?;
    let kept = |name: &str| closely.is_some_and(|closely| closely.keeps.iter().any(|keep| keep == name));
    let numbers: Vec<&Planted> = played
        .case
        .names
        .numbers
        .iter()
        .filter(|(name, _)| !kept(name))
        .map(|(_, number)| number)
        .collect();
    let search = Search::new(numbers.into_iter());
    match views(&copy.data).iter().find_map(|view| search.first(view)) {
        Some(owner) => Err(format!("the number {owner} is still in it")),
        None => Ok(()),
    }
}

/// In the session, or by a report: the failed recipient named in an `Action: failed` part.
fn refused(taken: &[Delivery], sent: &Sent, address: &str) -> Result<(), String> {
    if sent.reply.starts_with('5') {
        return Ok(());
    }
    let told = taken.iter().filter(|d| d.test_id().is_none()).any(|report| {
        let text = readable(&report.data).to_lowercase();
        text.contains("action: failed") && text.contains(&address.to_lowercase())
    });
    if told {
        Ok(())
    } else {
        Err("neither a 5xx reply nor a failed report told the sender".to_owned())
    }
}

fn looks(copy: &Delivery, played: &Played, closely: &Closely) -> Result<(), String> {
    let names = &played.case.names;
    let text = if closely.contains.is_empty() && closely.lacks.is_empty() {
        String::new()
    } else {
        readable(&copy.data)
    };
    if let Some(missing) = closely
        .contains
        .iter()
        .find(|wanted| !text.contains(&names.line(wanted)))
    {
        return Err(format!("the copy lacks “{missing}”"));
    }
    if let Some(extra) = closely
        .lacks
        .iter()
        .find(|unwanted| text.contains(&names.line(unwanted)))
    {
        return Err(format!("the copy holds “{extra}”"));
    }
    for wanted in &closely.bytes {
        if memchr::memmem::find(&copy.data, &names.mail(wanted)).is_none() {
            return Err(format!("the copy lacks the bytes “{wanted}”"));
        }
    }
    if let Some(missing) = closely
        .mail
        .iter()
        .find(|wanted| !copy.mail.contains(&names.line(wanted)))
    {
        return Err(format!("“{}” lacks “{missing}”", copy.mail));
    }
    if let Some(missing) = closely
        .rcpt
        .iter()
        .find(|wanted| !copy.rcpt[0].contains(&names.line(wanted)))
    {
        return Err(format!("“{}” lacks “{missing}”", copy.rcpt[0]));
    }
    Ok(())
}

fn listed_as_held(world: &mut World, played: &Played, held: &[String]) -> Vec<String> {
    let shown: String = played
        .holds
        .iter()
        .map(|hold| String::from_utf8_lossy(&world.cli(&["quarantine", "show", hold], "").stdout).into_owned())
        .collect();
    let lines: Vec<String> = shown.lines().map(str::to_lowercase).collect();
    held.iter()
        .filter(|address| {
            let address = address.to_lowercase();
            !lines
                .iter()
                .any(|line| line.contains(&address) && line.contains("held"))
        })
        .map(|address| format!("{address}: no hold lists it as held; `quarantine show` says:\n{shown}"))
        .collect()
}

fn told(taken: &[Delivery], address: &str, notice: &Notice, played: &Played) -> Result<(), String> {
    let mine = |d: &&Delivery| d.test_id().is_none() && same(&d.recipient(), address);
    let notices: Vec<&Delivery> = taken.iter().filter(mine).collect();
    let as_it_came: String = notices
        .iter()
        .map(|notice| String::from_utf8_lossy(&notice.data))
        .collect();
    if notices.len() != notice.count {
        let count = notices.len();
        return Err(format!(
            "{address} was told {count} times, not {}:\n{as_it_came}",
            notice.count
        ));
    }
    let names = &played.case.names;
    let text: String = notices.iter().map(|notice| readable(&notice.data)).collect();
    if let Some(missing) = notice
        .contains
        .iter()
        .find(|wanted| !text.contains(&names.line(wanted)))
    {
        return Err(format!("what {address} is told lacks “{missing}”:\n{as_it_came}"));
    }
    if let Some(extra) = notice
        .lacks
        .iter()
        .find(|unwanted| text.contains(&names.line(unwanted)))
    {
        return Err(format!("what {address} is told holds “{extra}”:\n{as_it_came}"));
    }
    Ok(())
}

/// All that can be said when nothing more will happen.
pub fn last_day(world: &mut World, all: &[Played]) -> Vec<String> {
    let mut failures = settle(world);
    for played in all.iter().filter(|played| played.failures.is_empty()) {
        let late = !world.bare();
        failures.extend(
            fates(world, played, late)
                .into_iter()
                .map(|f| format!("{}: at the end: {f}", played.case.name)),
        );
    }
    failures.extend(strays(world, all));
    failures.extend(leaks(world, all));
    if !world.bare() {
        let out = world.cli(&["audit", "verify"], "");
        if !out.status.success() {
            let text = format!(
                "{}{}",
                String::from_utf8_lossy(&out.stdout),
                String::from_utf8_lossy(&out.stderr)
            );
            failures.push(format!("audit verify: {text}"));
        }
    }
    failures
}

/// Postfix's queue is empty and nothing has come for two seconds.
fn settle(world: &World) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(40);
    let mut quiet = Instant::now();
    let mut count = world.sink.count();
    while quiet.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(100));
        let queue = world.queue();
        if queue.is_some() || world.sink.count() != count {
            quiet = Instant::now();
            count = world.sink.count();
        }
        if let (true, Some(queue)) = (Instant::now() > deadline, queue) {
            return vec![format!("Postfix's queue does not empty:\n{queue}")];
        }
    }
    Vec::new()
}

/// Copies that nobody was to get, copies for two, and copies that name recipients whom the mail itself does not name.
fn strays(world: &World, all: &[Played]) -> Vec<String> {
    let mut failures = Vec::new();
    for copy in world.sink.taken() {
        let address = copy.recipient();
        if copy.rcpt.len() != 1 {
            failures.push(format!("one transaction for {} recipients", copy.rcpt.len()));
        }
        let Some(id) = copy.test_id() else { continue };
        let Some(played) = all
            .iter()
            .find(|played| id.starts_with(&format!("{}.", played.case.id)))
        else {
            failures.push(format!("a mail {id} that nobody sent came to {address}"));
            continue;
        };
        let expected = played.case.expectations(true);
        let named = expected
            .iter()
            .any(|(expected, to, _)| *expected == id && same(to, &address));
        // Without the milter the recipients that stories only imply get their copy, too.
        if !named && !world.bare() {
            failures.push(format!(
                "{}: {address} got a mail that no expectation names",
                played.case.name
            ));
        }
        let sent = played
            .sent
            .iter()
            .rev()
            .find(|sent| sent.id == id)
            .map_or(String::new(), |sent| lossy(&sent.data));
        let text = lossy(&copy.data);
        let others = expected
            .iter()
            .filter(|(expected, to, _)| *expected == id && !same(to, &address));
        for (_, other, _) in others.filter(|(_, other, _)| text.contains(other) && !sent.contains(other)) {
            failures.push(format!("{}: the copy for {address} names {other}", played.case.name));
        }
    }
    failures
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_lowercase()
}
