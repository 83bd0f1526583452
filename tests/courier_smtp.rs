//! The dialogue against a peer that misbehaves at every step: what we say of a transaction must be what happened.

#[path = "courier_peer/mod.rs"]
mod courier_peer;

use courier_peer::{Act, Listener};
use cpr_milter::courier::{Peer, Sent, Timeouts, Transaction};
use std::time::Duration;

/// Far below [`Act::Hang`], and far above what a busy machine of two cores needs for an honest reply.
const QUICK: Timeouts = Timeouts {
    connect: Duration::from_millis(1_500),
    command: Duration::from_millis(1_500),
    dot: Duration::from_millis(1_500),
};

const MAIL: &[u8] = b"Subject: x\r\nMessage-ID: <a@kommune.example>\r\n\r\n.dot\r\n..two\r\nend\r\n";

fn send(peer: &mut Peer, content: &[&[u8]]) -> Sent {
    peer.send(&Transaction {
        sender: b"<anna@kommune.example>",
        sender_args: &[],
        recipient: b"<b@avis.example>",
        recipient_args: &[],
        content,
    })
}

fn word(sent: &Sent) -> &'static str {
    match sent {
        Sent::Accepted { .. } => "accepted",
        Sent::Permanent(_) => "permanent",
        Sent::Transient(_) => "transient",
        Sent::Away(_) => "away",
        Sent::Unknown(_) => "unknown",
    }
}

#[test]
fn every_failure_is_called_what_it_is() {
    use Act::{Drop, Hang, Say};
    let rows = [
        ("CONNECT", Say("220 hello"), "accepted"),
        ("CONNECT", Say("554 5.3.2 not today"), "away"),
        ("CONNECT", Say("421 4.3.2 busy"), "away"),
        ("CONNECT", Drop, "away"),
        ("CONNECT", Hang, "away"),
        ("EHLO", Say("502 5.5.1 what"), "away"),
        ("EHLO", Drop, "away"),
        ("MAIL", Say("451 4.3.0 later"), "transient"),
        ("MAIL", Say("421 4.3.2 closing"), "transient"),
        ("MAIL", Say("553 5.1.7 bad sender"), "permanent"),
        (
            "MAIL",
            Say("530 5.7.0 Must issue a STARTTLS command first"),
            "transient",
        ),
        ("MAIL", Say("354 go on"), "transient"),
        ("MAIL", Drop, "transient"),
        ("MAIL", Hang, "transient"),
        ("RCPT", Say("450 4.2.1 greylisted"), "transient"),
        ("RCPT", Say("550 5.1.1 no such user"), "permanent"),
        (
            "RCPT",
            Say("554 5.7.1 <b@avis.example>: Relay access denied"),
            "transient",
        ),
        ("RCPT", Say("421 4.3.2 closing"), "transient"),
        ("RCPT", Say("nonsense"), "transient"),
        ("RCPT", Drop, "transient"),
        ("RCPT", Hang, "transient"),
        ("DATA", Say("451 4.3.0 later"), "transient"),
        ("DATA", Say("554 5.5.1 no"), "permanent"),
        ("DATA", Say("250 2.0.0 out of order"), "transient"),
        ("DATA", Drop, "transient"),
        ("DATA", Hang, "transient"),
        ("DOT", Say("250 2.0.0 Ok: queued as 4Yb1Zk0vQhz9rD"), "accepted"),
        ("DOT", Say("451 4.7.1 milter says later"), "transient"),
        ("DOT", Say("421 4.3.0 closing"), "transient"),
        ("DOT", Say("554 5.7.1 content refused"), "permanent"),
        ("DOT", Say("552 5.3.4 too large"), "permanent"),
        ("DOT", Say("354 more"), "unknown"),
        ("DOT", Say("nonsense"), "unknown"),
        ("DOT", Drop, "unknown"),
        ("DOT", Hang, "unknown"),
    ];
    for (step, act, expected) in rows {
        let listener = Listener::start(vec![(step, act)]);
        let sent = send(
            &mut Peer::new(&listener.address(), "gw.kommune.example", QUICK),
            &[MAIL],
        );
        assert_eq!(word(&sent), expected, "{step} {act:?}: {sent:?}");
        let taken = usize::from(expected == "accepted");
        assert_eq!(listener.accepted().len(), taken, "{step} {act:?}");
    }
}

#[test]
fn nobody_at_the_listener_is_away_and_loses_nothing() {
    let address = Listener::nobody();
    assert_eq!(
        word(&send(&mut Peer::new(&address, "gw.kommune.example", QUICK), &[MAIL])),
        "away"
    );
}

#[test]
fn content_arrives_byte_for_byte_over_one_connection() {
    let listener = Listener::start(vec![
        ("RCPT", Act::Say("250 2.1.5 Ok")),
        ("RCPT", Act::Say("550 5.1.1 no")),
    ]);
    let mut peer = Peer::new(&listener.address(), "gw.kommune.example", QUICK);
    let big: Vec<u8> = (0..40_000)
        .flat_map(|n: u32| format!(".{n}\r\nblåbær\r\n").into_bytes())
        .collect();
    assert_eq!(word(&send(&mut peer, &[b"Received: x\r\n", MAIL])), "accepted");
    assert_eq!(word(&send(&mut peer, &[MAIL])), "permanent");
    assert_eq!(word(&send(&mut peer, &[&big])), "accepted");
    peer.close();
    let mails = listener.accepted();
    assert_eq!(mails[0], [b"Received: x\r\n".as_slice(), MAIL].concat());
    assert!(mails[1] == big, "the large mail changed on its way");
    let said = listener.commands();
    assert_eq!(
        said.iter().filter(|line| line.starts_with("EHLO")).count(),
        2,
        "one connection: {said:?}"
    );
    assert!(
        said.iter().any(|line| line == "RSET"),
        "a refused transaction is ended: {said:?}"
    );
    assert_eq!(said.last().map(String::as_str), Some("QUIT"));
    assert!(
        said.contains(&"MAIL FROM:<anna@kommune.example> BODY=8BITMIME".to_owned()),
        "{said:?}"
    );
}

#[test]
fn a_connection_that_went_stale_is_replaced_and_nothing_is_sent_twice() {
    let listener = Listener::start(vec![("MAIL", Act::Say("250 Ok")), ("MAIL", Act::Drop)]);
    let mut peer = Peer::new(&listener.address(), "gw.kommune.example", QUICK);
    assert_eq!(word(&send(&mut peer, &[MAIL])), "accepted");
    assert_eq!(word(&send(&mut peer, &[MAIL])), "accepted");
    assert_eq!(listener.accepted().len(), 2);
}

#[test]
fn a_reply_is_kept_without_the_local_part() {
    let listener = Listener::start(vec![("RCPT", Act::Say("550 5.1.1 <b@avis.example>: user unknown"))]);
    let sent = send(
        &mut Peer::new(&listener.address(), "gw.kommune.example", QUICK),
        &[MAIL],
    );
    let Sent::Permanent(reply) = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(reply.to_string(), "550 5.1.1 <…@avis.example>: user unknown");
    assert_eq!(reply.status(), Some("5.1.1"));
}

#[test]
fn the_queue_id_is_read_from_the_last_reply() {
    let listener = Listener::start(vec![("DOT", Act::Say("250 2.0.0 Ok: queued as 4Yb1Zk0vQhz9rD"))]);
    let sent = send(
        &mut Peer::new(&listener.address(), "gw.kommune.example", QUICK),
        &[MAIL],
    );
    let Sent::Accepted { queue_id, .. } = sent else {
        panic!("{sent:?}")
    };
    assert_eq!(queue_id.as_deref(), Some("4Yb1Zk0vQhz9rD"));
}

#[test]
fn an_address_that_would_be_a_second_command_is_never_said() {
    let listener = Listener::start(Vec::new());
    let mut peer = Peer::new(&listener.address(), "gw.kommune.example", QUICK);
    let sent = peer.send(&Transaction {
        sender: b"<>",
        sender_args: &[],
        recipient: b"<b@avis.example>\r\nRCPT TO:<c@avis.example>",
        recipient_args: &[],
        content: &[MAIL],
    });
    assert_eq!(word(&sent), "permanent");
    assert!(
        listener.commands().iter().all(|line| line.starts_with("EHLO")),
        "{:?}",
        listener.commands()
    );
}
