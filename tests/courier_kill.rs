//! The courier as a process: killed at each step of the dialogue, and two of them at once.

#[path = "courier_peer/mod.rs"]
mod courier_peer;
mod house;

use courier_peer::{Act, Listener};
use cpr_milter::store::{Duty, State, Verified};
use house::House;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A courier process, killed in the end.
struct Courier(Child);

impl Courier {
    fn start(house: &House) -> Courier {
        let mut command = house.command(&["courier"]);
        Courier(
            command
                .env("CPR_MILTER_LOG", "error")
                .stderr(Stdio::null())
                .spawn()
                .expect("a courier"),
        )
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: not in 30 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_courier_killed_at_any_step_loses_nothing_and_repeats_only_what_is_unknown() {
    for step in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        let listener = Listener::start(vec![(step, Act::Hang)]);
        let house = House::new(&listener.address());
        let id = house.hold("killed", Duty::SendOriginal, 1);
        let store = &house.store;
        let state = || store.show(&id).expect("show").recipients[0].state;
        let courier = Courier::start(&house);
        wait_for(step, || match step {
            "CONNECT" => store.next_due().expect("due") > Some(time::OffsetDateTime::now_utc()),
            "DOT" => !listener.received().is_empty(),
            _ => listener.commands().iter().any(|line| line.starts_with(step)),
        });
        drop(courier);
        assert_eq!(state(), State::Sending, "{step}");
        // Its lease is over.
        rusqlite::Connection::open(house.path().join("store.db"))
            .and_then(|sql| sql.execute("UPDATE outbox SET lease = 1 WHERE done IS NULL", []))
            .expect("a day later");
        let courier = Courier::start(&house);
        wait_for(step, || state() == State::Sent);
        drop(courier);
        assert_eq!(listener.accepted().len(), 1, "{step}");
        let whole = listener.received().len();
        assert_eq!(whole, if step == "DOT" { 2 } else { 1 }, "{step}");
        let same = |mail: &Vec<u8>| String::from_utf8_lossy(mail).contains("Message-ID: <killed@client.example>");
        assert!(listener.received().iter().all(same), "{step}");
        assert!(store.next_due().expect("due").is_none(), "{step}");
        assert!(matches!(store.verify(None), Ok(Verified::Sound(_))), "{step}");
    }
}

#[test]
fn two_couriers_on_one_store_send_each_mail_once() {
    let listener = Listener::start(Vec::new());
    let house = House::new(&listener.address());
    let bodies: Vec<String> = (0..30).map(|n| format!("mail-{n}-")).collect();
    for body in &bodies {
        house.hold(body, Duty::SendOriginal, 1);
    }
    let couriers = [Courier::start(&house), Courier::start(&house)];
    wait_for("thirty mails", || house.store.next_due().expect("due").is_none());
    drop(couriers);
    let accepted: Vec<String> = listener
        .accepted()
        .iter()
        .map(|mail| String::from_utf8_lossy(mail).into_owned())
        .collect();
    for body in &bodies {
        assert_eq!(accepted.iter().filter(|mail| mail.contains(body)).count(), 1, "{body}");
    }
    assert_eq!(accepted.len(), bodies.len());
    assert!(matches!(house.store.verify(None), Ok(Verified::Sound(_))));
}

#[test]
fn a_hangup_does_not_end_the_courier() {
    let listener = Listener::start(Vec::new());
    let house = House::new(&listener.address());
    house.hold("before", Duty::SendOriginal, 1);
    let courier = Courier::start(&house);
    let idle = || house.store.next_due().expect("due").is_none();
    wait_for("the first mail", idle);
    let pid = rustix::process::Pid::from_child(&courier.0);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("signalled");
    house.hold("after", Duty::SendOriginal, 1);
    wait_for("the second mail", idle);
    drop(courier);
    assert_eq!(listener.accepted().len(), 2);
}
