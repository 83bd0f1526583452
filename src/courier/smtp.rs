//! One recipient, one transaction, and an honest answer about how it ended.
//!
//! Exists because "sent" must mean that Postfix took it: the dialogue is driven command by command over lettre's
//! `SmtpConnection`, so that a failure before the final dot (safe to repeat) is told from one after it (nobody knows).
//! Addresses go out as they came in; lettre's own `Address` would refuse some that Postfix accepted. Not here: what is
//! sent, and when it is tried again.

use super::envelope::Transaction;
use super::gateway::Secured;
use super::lines::Lines;
use super::reply::{Reply, queue_id};
use crate::config::GatewayTls;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::commands::{Ehlo, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use std::cell::Cell;
use std::time::Duration;

/// How one transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a transaction that nobody settles is sent twice or never"]
pub enum Sent {
    /// The server took it: 250 after the dot.
    Accepted {
        /// What it said.
        reply: Reply,
        /// Queue ID, when it named one as Postfix does.
        queue_id: Option<String>,
    },
    /// It will never take this one: 5xx (but for "access denied" before the content), or an address that cannot be said in
    /// SMTP.
    Permanent(Reply),
    /// Surely not taken: 4xx, or cut off before the dot.
    Transient(Reply),
    /// There was nobody to talk to; the next mail will fare no better now.
    Away(Reply),
    /// The dot was sent, and no answer came: it may have been taken.
    Unknown(Reply),
}

/// How long to wait. Shorter than RFC 5321 §4.5.3.2 asks, since the peer is on this machine, but not for the dot: who
/// gives up early there makes duplicates.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// For the greeting and for the reply to a command.
    pub command: Duration,
    /// For a block of content to be taken, and for the reply to the dot.
    pub dot: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(60),
            dot: Duration::from_secs(600),
        }
    }
}

/// The way to the reinjection listener, or to a gateway: one connection at most, opened when needed, used for many
/// transactions.
pub struct Peer {
    server: String,
    hello: ClientId,
    timeouts: Timeouts,
    /// Of a gateway: nothing is said before TLS stands.
    secured: Option<Secured>,
    open: Option<Open>,
}

struct Open {
    connection: SmtpConnection,
    /// Extension keywords in capitals.
    offers: Vec<String>,
    used: bool,
}

/// How far the dialogue got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Mail,
    Rcpt,
    Data,
    Content,
    Dot,
}

/// Why the dialogue stopped.
enum Stop {
    /// The server said no (4xx or 5xx); the connection is still in step.
    Answered(Reply),
    /// Silence, nonsense, or a reply that does not belong here: the connection is of no more use.
    Broken(Reply),
}

impl Peer {
    /// `server` as `host:port`; `hostname` is our name in EHLO.
    pub fn new(server: &str, hostname: &str, timeouts: Timeouts) -> Peer {
        Peer {
            server: server.to_owned(),
            hello: ClientId::Domain(hostname.to_owned()),
            timeouts,
            secured: None,
            open: None,
        }
    }

    /// The way to a gateway on another machine.
    pub(super) fn secured(server: &str, hostname: &str, timeouts: Timeouts, secured: Secured) -> Peer {
        Peer {
            secured: Some(secured),
            ..Peer::new(server, hostname, timeouts)
        }
    }

    /// Sends one mail to one recipient. A connection that broke while it was idle is replaced once: nothing had been
    /// handed over on it.
    pub fn send(&mut self, transaction: &Transaction<'_>) -> Sent {
        let idle = self.open.as_ref().is_some_and(|open| open.used);
        match self.attempt(transaction) {
            (Sent::Transient(_), Phase::Mail) if idle && self.open.is_none() => self.attempt(transaction).0,
            (sent, _) => sent,
        }
    }

    /// Says goodbye. Nothing depends on the answer.
    pub fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            let _ = open.connection.quit();
        }
    }

    /// Drops the connection without a word.
    pub(super) fn abandon(&mut self) {
        self.open = None;
    }

    fn attempt(&mut self, transaction: &Transaction<'_>) -> (Sent, Phase) {
        let mut open = match self.open.take().map_or_else(|| self.connect(), Ok) {
            Ok(open) => open,
            Err(reply) => return (Sent::Away(reply), Phase::Mail),
        };
        let commands = match transaction.commands(&open.offers) {
            Ok(commands) => commands,
            Err(refused) => {
                self.open = Some(open);
                return (Sent::Permanent(Reply::ours(refused.to_string())), Phase::Mail);
            }
        };
        open.used = true;
        let phase = Cell::new(Phase::Mail);
        let ended = self.dialogue(
            &mut open.connection,
            [&commands.mail, &commands.rcpt],
            transaction.content,
            &phase,
        );
        let phase = phase.get();
        let (sent, usable) = judge(ended, phase, self.secured.is_none());
        if usable && (phase == Phase::Dot || open.connection.command(Rset).is_ok()) {
            self.open = Some(open);
        }
        (sent, phase)
    }

    fn dialogue(
        &self,
        connection: &mut SmtpConnection,
        [mail, rcpt]: [&str; 2],
        content: &[&[u8]],
        phase: &Cell<Phase>,
    ) -> Result<Response, Stop> {
        let quick = Some(self.timeouts.command);
        let patient = Some(self.timeouts.dot);
        connection
            .set_timeout(quick)
            .map_err(|_| Stop::Broken(Reply::ours("the connection failed")))?;
        expect(connection.command(format_args!("{mail}\r\n")), 2)?;
        phase.set(Phase::Rcpt);
        expect(connection.command(format_args!("{rcpt}\r\n")), 2)?;
        phase.set(Phase::Data);
        expect(connection.command("DATA\r\n"), 3)?;
        phase.set(Phase::Content);
        connection
            .set_timeout(patient)
            .map_err(|_| Stop::Broken(Reply::ours("the connection failed")))?;
        let blocks = Lines::new(content).chain(std::iter::from_fn(|| {
            // Asked for once more when all is written: what comes next is the dot.
            phase.set(Phase::Dot);
            None
        }));
        expect(connection.message_iter(blocks), 2)
    }

    /// A second EHLO, since of the first lettre keeps only the extensions that it knows, and DSN is not among them.
    fn connect(&self) -> Result<Open, Reply> {
        let timeout = Some(self.timeouts.connect.min(self.timeouts.command));
        let wrapped = self.secured.as_ref().filter(|s| s.how == GatewayTls::Implicit);
        let mut connection = SmtpConnection::connect(
            self.server.as_str(),
            timeout,
            &self.hello,
            wrapped.map(|s| &s.parameters),
            None,
        )
        .map_err(|error| Reply::of_error(&error))?;
        if let Some(secured) = &self.secured {
            if secured.how == GatewayTls::Starttls {
                connection
                    .starttls(&secured.parameters, &self.hello)
                    .map_err(|error| Reply::of_error(&error))?;
            }
            if !connection.is_encrypted() {
                return Err(Reply::ours("4.7.5 the connection to the gateway is not encrypted"));
            }
        }
        let reply = connection
            .command(Ehlo::new(self.hello.clone()))
            .map_err(|error| Reply::of_error(&error))?;
        let words = reply
            .message()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next());
        let offers = words.map(str::to_ascii_uppercase).collect();
        Ok(Open {
            connection,
            offers,
            used: false,
        })
    }
}

/// What came of it, and whether the connection can go on.
fn judge(ended: Result<Response, Stop>, phase: Phase, listener: bool) -> (Sent, bool) {
    match ended {
        Ok(response) => {
            let sent = Sent::Accepted {
                queue_id: queue_id(&response),
                reply: Reply::of(&response),
            };
            (sent, true)
        }
        // 421: the server is closing the channel (RFC 5321 §3.8). It has not taken the mail.
        Err(Stop::Answered(reply)) if reply.code == Some(421) => (Sent::Transient(reply), false),
        // The listener is ours, and there to take all that we send: "access denied" before any content is a mistake in its
        // configuration. To believe it would send every released mail back, and the reports of that with it.
        Err(Stop::Answered(reply))
            if listener && before_content(phase) && reply.status().is_some_and(|s| s.starts_with("5.7.")) =>
        {
            (Sent::Transient(reply), true)
        }
        Err(Stop::Answered(reply)) if reply.code.is_some_and(|code| code >= 500) => (Sent::Permanent(reply), true),
        Err(Stop::Answered(reply)) => (Sent::Transient(reply), true),
        Err(Stop::Broken(reply)) if phase == Phase::Dot => (Sent::Unknown(reply), false),
        Err(Stop::Broken(reply)) => (Sent::Transient(reply), false),
    }
}

fn before_content(phase: Phase) -> bool {
    matches!(phase, Phase::Mail | Phase::Rcpt | Phase::Data)
}

/// The reply, if its first digit is `class`.
fn expect(result: Result<Response, LettreError>, class: u8) -> Result<Response, Stop> {
    match result {
        Ok(response) => {
            let positive = match response.code().severity {
                Severity::PositiveCompletion => 2,
                Severity::PositiveIntermediate => 3,
                _ => 0,
            };
            if positive == class {
                Ok(response)
            } else {
                Err(Stop::Broken(Reply::of(&response)))
            }
        }
        Err(error) if error.status().is_some() => Err(Stop::Answered(Reply::of_error(&error))),
        Err(error) => Err(Stop::Broken(Reply::of_error(&error))),
    }
}
