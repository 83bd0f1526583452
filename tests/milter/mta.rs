//! A mail server that speaks the milter protocol as Postfix does, and carries out edits by Postfix's rules, so that a test
//! sees what each recipient would have received.

#![allow(dead_code)] // Each test binary uses its own part of it.

use indymilter::message::command::{
    Command, ConnInfoPayload, EnvAddrPayload, HeaderPayload, MacroPayload, OptNegPayload,
};
use indymilter::message::{self, Message, reply::Reply};
use indymilter::{Actions, MacroStage, ProtoOpts, SocketInfo};
use std::ffi::CString;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, BufStream};
use tokio::net::UnixStream;

/// One mail to send.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Mail {
    pub fn new(to: &[&str], subject: &str, body: &str) -> Mail {
        Mail {
            from: "<sender@kommune.example>".to_owned(),
            to: to.iter().map(|to| format!("<{to}>")).collect(),
            headers: vec![
                ("Subject".to_owned(), format!(" {subject}")),
                ("X-Two".to_owned(), " a\n\tb".to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        }
    }
}

/// What Postfix was left with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 250: this is in the queue now.
    Queued {
        to: Vec<String>,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// 250, and nothing in the queue.
    Discarded,
    /// 4xx.
    Deferred(String),
    /// 5xx.
    Refused(String),
}

/// One milter connection of an smtpd process.
pub struct Mta {
    stream: BufStream<UnixStream>,
    pub options: ProtoOpts,
    pub macros: Vec<(MacroStage, CString)>,
    /// Progress replies seen in the last message.
    pub progress: usize,
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

impl Mta {
    /// Connects and negotiates as Postfix 3.7 with `milter_protocol = 6`.
    pub async fn connect(path: &Path) -> io::Result<Mta> {
        Mta::with(path, Actions::all(), ProtoOpts::all()).await
    }

    /// Connects and negotiates with an offer of these.
    pub async fn with(path: &Path, actions: Actions, opts: ProtoOpts) -> io::Result<Mta> {
        let mut mta = Mta::silent(path).await?;
        mta.send(Command::OptNeg(OptNegPayload {
            version: 6,
            actions,
            opts,
        }))
        .await?;
        match mta.reply().await? {
            Reply::OptNeg { opts, macros, .. } => {
                mta.options = opts;
                mta.macros = macros.into_iter().collect();
            }
            other => panic!("no negotiation: {other:?}"),
        }
        mta.macros(
            MacroStage::Connect,
            &[("j", "mail.example"), ("{daemon_name}", "smtpd")],
        )
        .await?;
        let info = ConnInfoPayload {
            hostname: c("client.example"),
            socket_info: SocketInfo::Inet("192.0.2.7:2525".parse().expect("address")),
        };
        mta.step(Command::ConnInfo(info), ProtoOpts::NOREPLY_CONNECT).await?;
        Ok(mta)
    }

    /// Connects and says nothing.
    pub async fn silent(path: &Path) -> io::Result<Mta> {
        let stream = BufStream::new(UnixStream::connect(path).await?);
        Ok(Mta {
            stream,
            options: ProtoOpts::empty(),
            macros: Vec::new(),
            progress: 0,
        })
    }

    pub async fn send(&mut self, command: Command) -> io::Result<()> {
        message::write(&mut self.stream, command.into_message()).await
    }

    /// Raw bytes.
    pub async fn garbage(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// A packet with any letter.
    pub async fn packet(&mut self, kind: u8, payload: Vec<u8>) -> io::Result<()> {
        message::write(&mut self.stream, Message::new(kind, payload)).await
    }

    pub async fn reply(&mut self) -> io::Result<Reply> {
        let message = tokio::time::timeout(Duration::from_secs(10), message::read(&mut self.stream)).await;
        let message = message.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Reply::parse_reply(message).expect("a sound reply"))
    }

    /// A command whose answer is *continue*, or none where that was agreed.
    async fn step(&mut self, command: Command, quiet: ProtoOpts) -> io::Result<()> {
        self.send(command).await?;
        if !self.options.contains(quiet) {
            assert_eq!(self.reply().await?, Reply::Continue);
        }
        Ok(())
    }

    async fn macros(&mut self, stage: MacroStage, all: &[(&str, &str)]) -> io::Result<()> {
        let macros = all.iter().flat_map(|(name, value)| [c(name), c(value)]).collect();
        self.send(Command::DefMacros(MacroPayload { stage, macros })).await
    }

    pub async fn mail(&mut self, from: &str) -> io::Result<()> {
        self.macros(
            MacroStage::Mail,
            &[("{auth_authen}", "anna"), ("{mail_addr}", "sender@kommune.example")],
        )
        .await?;
        let args = vec![c(from), c("BODY=8BITMIME")];
        self.step(Command::Mail(EnvAddrPayload { args }), ProtoOpts::NOREPLY_MAIL)
            .await
    }

    pub async fn rcpt(&mut self, to: &str) -> io::Result<()> {
        let args = vec![c(to), c("NOTIFY=FAILURE")];
        self.step(Command::Rcpt(EnvAddrPayload { args }), ProtoOpts::NOREPLY_RCPT)
            .await
    }

    pub async fn data(&mut self) -> io::Result<()> {
        self.macros(MacroStage::Data, &[("i", "4fQ3x01zZz")]).await?;
        self.step(Command::Data, ProtoOpts::NOREPLY_DATA).await
    }

    pub async fn header(&mut self, name: &str, value: &str) -> io::Result<()> {
        let header = HeaderPayload {
            name: c(name),
            value: c(value),
        };
        self.step(Command::Header(header), ProtoOpts::NOREPLY_HEADER).await
    }

    pub async fn content(&mut self, mail: &Mail) -> io::Result<()> {
        for (name, value) in &mail.headers {
            self.header(name, value).await?;
        }
        self.step(Command::Eoh, ProtoOpts::NOREPLY_EOH).await?;
        for chunk in mail.body.chunks(65_535) {
            self.step(Command::BodyChunk(chunk.to_vec().into()), ProtoOpts::NOREPLY_BODY)
                .await?;
        }
        Ok(())
    }

    /// Postfix sends it at RSET, between messages, and also after a finished one.
    pub async fn abort(&mut self) -> io::Result<()> {
        self.send(Command::Abort).await
    }

    pub async fn quit(&mut self) -> io::Result<()> {
        self.send(Command::Quit).await
    }

    /// A whole message.
    pub async fn deliver(&mut self, mail: &Mail) -> io::Result<Answer> {
        self.mail(&mail.from).await?;
        for to in &mail.to {
            self.rcpt(to).await?;
        }
        self.data().await?;
        self.content(mail).await?;
        self.end(mail).await
    }

    /// End of message: carries out what we are told until the final answer.
    pub async fn end(&mut self, mail: &Mail) -> io::Result<Answer> {
        self.macros(MacroStage::Eom, &[("i", "4fQ3x01zZz")]).await?;
        self.send(Command::BodyEnd(Vec::new().into())).await?;
        self.progress = 0;
        let mut queue = Queue::new(mail);
        loop {
            let reply = self.reply().await?;
            match reply {
                Reply::Progress => {
                    assert!(
                        !queue.edited,
                        "progress after an edit: Postfix answers 451 (body_edit_lockout)"
                    );
                    self.progress += 1;
                }
                Reply::Continue => return Ok(queue.finish()),
                Reply::Discard => return Ok(Answer::Discarded),
                Reply::Tempfail => return Ok(Answer::Deferred("451".to_owned())),
                Reply::Reject => return Ok(Answer::Refused("550".to_owned())),
                Reply::ReplyCode { reply } => {
                    let text = reply.into_string().expect("text");
                    assert!(text.is_ascii(), "Postfix blanks what is not ASCII");
                    return Ok(match text.as_bytes().first() {
                        Some(b'4') => Answer::Deferred(text),
                        _ => Answer::Refused(text),
                    });
                }
                edit => queue.edit(edit),
            }
        }
    }
}

/// Postfix's queue file for one message.
struct Queue {
    to: Vec<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    edited: bool,
    /// 0 before, 1 in, 2 after the run of body chunks.
    body_run: u8,
}

impl Queue {
    fn new(mail: &Mail) -> Queue {
        let Mail { to, headers, body, .. } = mail.clone();
        Queue {
            to,
            headers,
            body,
            edited: false,
            body_run: 0,
        }
    }

    fn edit(&mut self, edit: Reply) {
        self.edited = true;
        if let Reply::ReplaceBody { chunk } = edit {
            assert!(self.body_run < 2, "the body is not one unbroken run");
            if self.body_run == 0 {
                self.body.clear();
            }
            self.body_run = 1;
            self.body.extend_from_slice(&chunk);
            return;
        }
        if self.body_run == 1 {
            self.body_run = 2;
        }
        match edit {
            Reply::ChangeHeader { name, index, value } => {
                let (name, value) = (name.into_string().expect("name"), value.into_string().expect("value"));
                assert!(!value.contains('\r'), "CRLF becomes CR CR LF");
                assert!(value.starts_with(' ') || value.is_empty(), "leading space");
                let same = |(n, _): &&mut (String, String)| n.eq_ignore_ascii_case(&name);
                let nth = usize::try_from(index - 1).expect("from 1");
                let field = self.headers.iter_mut().filter(same).nth(nth);
                field.expect("an index too high appends a new header").1 = value;
            }
            // `cleanup_del_rcpt`: byte for byte, all repeats, no error when nothing matches.
            Reply::DeleteRcpt { rcpt } => {
                let rcpt = rcpt.into_string().expect("address");
                let before = self.to.len();
                self.to.retain(|to| *to != rcpt);
                assert!(self.to.len() < before, "nothing was deleted by {rcpt}");
            }
            other => panic!("an edit that we never asked for: {other:?}"),
        }
    }

    fn finish(self) -> Answer {
        assert!(!self.to.is_empty(), "Postfix lets a mail without recipients evaporate");
        Answer::Queued {
            to: self.to,
            headers: self.headers,
            body: self.body,
        }
    }
}
