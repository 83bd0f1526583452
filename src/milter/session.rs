//! One milter connection: what is known of the client, and at most one message.
//!
//! The message is one value, made at MAIL, taken at its end. RSET, abort and a broken connection drop it, which frees
//! memory and nothing else: a hold is never undone here.

use super::fields::{Field, Mail};
use super::judge::Case;
use super::serve::{InHand, Shared};
use super::spool::{Share, Spool};
use super::tries::Tries;
use super::world::{Trouble, World};
use crate::types::{Address, Client, Envelope, Recipient};
use indymilter::ProtoOpts;
use std::sync::Arc;
use time::OffsetDateTime;

/// One connection.
pub struct Session<W: World> {
    shared: Arc<Shared<W>>,
    /// Options agreed in the negotiation.
    pub options: ProtoOpts,
    /// Who connected to Postfix.
    pub client: Client,
    message: Option<Message<W>>,
}

/// One message on its way in.
pub struct Message<W: World> {
    world: Arc<W>,
    tries: Arc<Tries<W::Key>>,
    envelope: Envelope,
    fields: Vec<Field>,
    body: Spool,
    share: Share,
    doom: Option<Trouble>,
    received: OffsetDateTime,
    in_hand: Option<InHand>,
}

/// A message that is whole.
pub struct Finished<W: World> {
    /// The snapshot taken at its MAIL.
    pub world: Arc<W>,
    /// It.
    pub case: Case,
    /// Other tries of it.
    pub tries: Arc<Tries<W::Key>>,
    /// Its bytes stay booked, and it counts as in hand, until this is dropped.
    pub held_open: (Share, Option<InHand>),
}

impl<W: World> Session<W> {
    /// A new connection.
    pub fn new(shared: Arc<Shared<W>>, options: ProtoOpts) -> Session<W> {
        Session {
            shared,
            options,
            client: Client::default(),
            message: None,
        }
    }

    /// MAIL: whatever was before is gone.
    pub fn begin(&mut self, mut args: Vec<Vec<u8>>, login: Option<String>) {
        // The old message is dropped first: its bytes and its place are free for this one.
        self.message = None;
        let sender_raw = if args.is_empty() { Vec::new() } else { args.remove(0) };
        let in_hand = self.shared.begin();
        let mut message = Message {
            world: self.shared.world(),
            tries: self.shared.tries(),
            share: Share::new(self.shared.bytes()),
            doom: in_hand.is_none().then_some(Trouble::Stopping),
            envelope: Envelope {
                sender: Address::parse(&sender_raw).ok(),
                sender_raw,
                sender_args: words(args),
                client: self.client.clone(),
                login,
                ..Envelope::default()
            },
            fields: Vec::new(),
            body: Spool::new(),
            received: OffsetDateTime::now_utc(),
            in_hand,
        };
        // Already over the budget: say so at the end of this message rather than after taking all of it in.
        if message.doom.is_none() {
            message.book(0);
        }
        self.message = Some(message);
    }

    /// The message in hand.
    pub fn message(&mut self) -> Option<&mut Message<W>> {
        self.message.as_mut()
    }

    /// RSET, a broken dialogue, a closed connection: the message is gone.
    pub fn forget(&mut self) {
        self.message = None;
    }

    /// End of the message.
    pub fn take(&mut self) -> Option<Message<W>> {
        self.message.take()
    }
}

impl<W: World> Message<W> {
    /// RCPT. The first argument is kept byte for byte.
    pub fn recipient(&mut self, mut args: Vec<Vec<u8>>) {
        if args.is_empty() {
            return self.doom(Trouble::Protocol("a recipient without an address"));
        }
        let raw = args.remove(0);
        if self.book(raw.len() + 100) {
            let address = Address::parse(&raw).ok();
            self.envelope.recipients.push(Recipient {
                raw,
                address,
                args: words(args),
            });
        }
    }

    /// One header field.
    pub fn header(&mut self, name: Vec<u8>, value: Vec<u8>) {
        // Twice: as it came, and in the whole mail at the end.
        if self.book(2 * (name.len() + value.len()) + 50) {
            self.fields.push(Field { name, value });
        }
    }

    /// One chunk of the body.
    pub async fn chunk(&mut self, chunk: &[u8]) {
        if !self.book(chunk.len()) {
            return;
        }
        let memory = self.world.milter().spool_memory;
        if let Err(trouble) = self.body.push(chunk, memory).await {
            self.doom(trouble);
        }
    }

    /// The answer will be a 4xx; with NOREPLY it cannot be given before the end. What was gathered is let go at once.
    pub fn doom(&mut self, trouble: Trouble) {
        self.fields = Vec::new();
        self.body = Spool::new();
        self.share = self.share.emptied();
        self.doom.get_or_insert(trouble);
    }

    fn book(&mut self, bytes: usize) -> bool {
        if self.doom.is_some() {
            return false;
        }
        match self.share.take(bytes, self.world.milter().spool_total) {
            Ok(()) => true,
            Err(trouble) => {
                self.doom(trouble);
                false
            }
        }
    }

    /// The whole message, or why it gets a 4xx.
    ///
    /// # Errors
    /// What went wrong on the way in.
    pub async fn finish(mut self, queue_id: Option<String>) -> Result<Finished<W>, Trouble> {
        if let Some(trouble) = self.doom {
            return Err(trouble);
        }
        if self.envelope.recipients.is_empty() {
            return Err(Trouble::Protocol("a message without recipients"));
        }
        self.envelope.queue_id = queue_id;
        let head = Mail::head(&self.fields)?;
        let at = head.len();
        let mail = Arc::new(Mail::of(self.fields, self.body.behind(head).await?, at));
        let case = Case {
            envelope: self.envelope,
            mail,
            received: self.received,
        };
        Ok(Finished {
            world: self.world,
            case,
            tries: self.tries,
            held_open: (self.share, self.in_hand),
        })
    }
}

fn words(args: Vec<Vec<u8>>) -> Vec<String> {
    args.iter()
        .map(|arg| String::from_utf8_lossy(arg).into_owned())
        .collect()
}
