//! The daemon's side: a few warm workers, each replaced after some mails or any error.

use super::protocol::{Request, Response, lengths, pack, prefix, unpack};
use super::{Copy, Inspected, Uninspected, Unredacted};
use crate::inspect::{Examination, Options, PartLine, Readings};
use crate::redact::Targets;
use crate::types::{DoubtKind, PartPath};
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// The worker ends itself at `Limits::seconds`, part by part; this much later it is taken for hung and killed.
const GRACE: Duration = Duration::from_secs(10);

/// How workers are started and kept.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// The program; `/proc/self/exe` is right also after an upgrade has replaced the file.
    pub program: PathBuf,
    /// How many at once.
    pub count: usize,
    /// Mails after which a worker is replaced, so that no leak or corruption lives long.
    pub mails: u32,
    /// Address space of one worker, bytes.
    pub memory: u64,
}

impl PoolConfig {
    /// Workers of this same program, as the administrator set them.
    pub fn new(workers: &crate::config::Workers) -> PoolConfig {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        PoolConfig {
            program: PathBuf::from("/proc/self/exe"),
            count: if workers.count == 0 { cores } else { workers.count },
            mails: workers.mails.max(1),
            memory: workers.memory,
        }
    }
}

/// The pool of workers. Waiting callers are served in their order.
pub struct Pool {
    config: PoolConfig,
    slots: Semaphore,
    idle: Mutex<Vec<Worker>>,
}

struct Worker {
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
    served: u32,
}

/// How one try ended without an answer.
enum Broken {
    /// The worker died or spoke nonsense.
    Died(String),
    /// It did not answer in time.
    Late,
    /// It could not be started.
    NotStarted(String),
}

impl Pool {
    /// A pool without workers yet; they start as mails come.
    pub fn new(config: PoolConfig) -> Pool {
        let slots = Semaphore::new(config.count.max(1));
        Pool {
            config,
            slots,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Inspects one mail in a worker. Waits for a free one until `until`.
    ///
    /// # Errors
    /// See [`Uninspected`]; never an empty report for a mail that was not read.
    pub async fn inspect(&self, mail: &[u8], options: &Options, until: Instant) -> Result<Inspected, Uninspected> {
        match self
            .ask(mail, &Request::Inspect(options.clone()), options, until)
            .await?
        {
            (Response::Inspected(report, readings), _) => Ok(Inspected { report, readings }),
            (Response::Refused(why), _) => Err(Uninspected::Unavailable(why)),
            _ => Err(Uninspected::Crashed("the answer does not fit the question".to_owned())),
        }
    }

    /// Redacts one mail, which was `seen`, in a worker and inspects the result there.
    ///
    /// # Errors
    /// See [`Unredacted`].
    pub async fn redact(
        &self,
        mail: &[u8],
        seen: &Inspected,
        targets: &Targets,
        options: &Options,
        until: Instant,
    ) -> Result<Copy, Unredacted> {
        let request = Request::Redact(options.clone(), targets.clone(), seen.readings.clone());
        match self.ask(mail, &request, options, until).await? {
            (Response::Redacted(report), bytes) => {
                // Small pictures that nobody read are let through, see `redact`.
                let doubtful = report.doubts.iter().any(|doubt| doubt.kind != DoubtKind::NotOcred);
                if report.holds_any(targets) || doubtful {
                    return Err(Unredacted::NotClean(
                        "a number was still found after redaction".to_owned(),
                    ));
                }
                Ok(Copy {
                    bytes,
                    inspected: Inspected {
                        report,
                        readings: Readings::default(),
                    },
                })
            }
            (Response::NotClean(why), _) => Err(Unredacted::NotClean(why.to_string())),
            (Response::Refused(why), _) => Err(Uninspected::Unavailable(why).into()),
            _ => Err(Uninspected::Crashed("the answer does not fit the question".to_owned()).into()),
        }
    }

    /// Inspects one mail with a closer look, for reviewers. It is no receipt: nothing passes by it.
    ///
    /// # Errors
    /// See [`Uninspected`].
    pub async fn examine(&self, mail: &[u8], options: &Options, until: Instant) -> Result<Examination, Uninspected> {
        let request = Request::Examine(options.clone());
        match self.ask(mail, &request, options, until).await? {
            (Response::Examined(examination), _) => Ok(examination),
            (Response::Refused(why), _) => Err(Uninspected::Unavailable(why)),
            _ => Err(Uninspected::Crashed("the answer does not fit the question".to_owned())),
        }
    }

    /// Takes one part out of a mail, decoded.
    ///
    /// # Errors
    /// See [`Uninspected`]; `Unavailable` also when there is no such part.
    pub async fn part(
        &self,
        mail: &[u8],
        path: &PartPath,
        options: &Options,
        until: Instant,
    ) -> Result<(PartLine, Vec<u8>), Uninspected> {
        let request = Request::Part(options.clone(), path.clone());
        match self.ask(mail, &request, options, until).await? {
            (Response::Part(line), bytes) => Ok((line, bytes)),
            (Response::Refused(why), _) => Err(Uninspected::Unavailable(why)),
            _ => Err(Uninspected::Crashed("the answer does not fit the question".to_owned())),
        }
    }

    /// One question, asked twice at most: a worker that dies may have been ill before; two in a row are the mail's doing.
    async fn ask(
        &self,
        mail: &[u8],
        request: &Request,
        options: &Options,
        until: Instant,
    ) -> Result<(Response, Vec<u8>), Uninspected> {
        let head = pack(request).map_err(|error| Uninspected::Unavailable(error.to_string()))?;
        let slot = timeout_at(until.into(), self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else {
            return Err(Uninspected::Unavailable("all workers are busy".to_owned()));
        };
        let patience = Duration::from_secs(u64::from(options.limits.seconds)) + GRACE;
        let mut why = String::new();
        for _ in 0..2 {
            let limit = until.min(Instant::now() + patience);
            match self.try_once(&head, mail, limit).await {
                Ok(answer) => return Ok(answer),
                Err(Broken::Died(error)) => {
                    tracing::warn!(error, "a worker broke off");
                    why = error;
                }
                // Short of time because others were slow: this mail may be tried again later.
                Err(Broken::Late) if limit == until => {
                    return Err(Uninspected::Unavailable(
                        "the deadline of the message was reached".to_owned(),
                    ));
                }
                Err(Broken::Late) => return Err(Uninspected::Late),
                Err(Broken::NotStarted(error)) => return Err(Uninspected::Unavailable(error)),
            }
        }
        Err(Uninspected::Crashed(why))
    }

    async fn try_once(&self, head: &[u8], mail: &[u8], limit: Instant) -> Result<(Response, Vec<u8>), Broken> {
        let mut worker = match self.take_idle() {
            Some(worker) => worker,
            None => self
                .start()
                .map_err(|error| Broken::NotStarted(format!("a worker cannot be started: {error}")))?,
        };
        // A worker that is not put back is dropped, and killed with that: after any error, and after a panic here too.
        let answer = match timeout_at(limit.into(), worker.exchange(head, mail)).await {
            Err(_) => return Err(Broken::Late),
            Ok(Err(error)) => return Err(Broken::Died(error.to_string())),
            Ok(Ok(answer)) => answer,
        };
        worker.served += 1;
        if worker.served < self.config.mails {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
        Ok(answer)
    }

    fn take_idle(&self) -> Option<Worker> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn start(&self) -> io::Result<Worker> {
        let mut child = Command::new(&self.config.program)
            .arg("worker")
            .arg(self.config.memory.to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pipe = || io::Error::other("no pipe");
        let input = child.stdin.take().ok_or_else(pipe)?;
        let output = child.stdout.take().ok_or_else(pipe)?;
        Ok(Worker {
            _child: child,
            input,
            output,
            served: 0,
        })
    }
}

impl Worker {
    async fn exchange(&mut self, head: &[u8], mail: &[u8]) -> io::Result<(Response, Vec<u8>)> {
        self.input.write_all(&prefix(head.len(), mail.len())).await?;
        self.input.write_all(head).await?;
        self.input.write_all(mail).await?;
        self.input.flush().await?;
        let mut first = [0; 16];
        self.output.read_exact(&mut first).await?;
        let (head, body) = lengths(first)?;
        let mut bytes = vec![0; head];
        self.output.read_exact(&mut bytes).await?;
        let response = unpack(&bytes)?;
        let mut copy = vec![0; body];
        self.output.read_exact(&mut copy).await?;
        Ok((response, copy))
    }
}
