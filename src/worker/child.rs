//! The worker's side: locks itself down, then answers requests until its input ends.

use super::protocol::{Request, Response, lengths, pack, prefix, unpack};
use crate::inspect::{examine, inspect_first, take_part};
use crate::redact::redact_seen;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};
use std::io::{self, Read, Write};

/// Parsers of nested formats recurse within `Limits::depth`; this is room for that, and the guard page behind it ends a
/// worker that goes deeper.
const STACK: usize = 64 << 20;

/// Serves requests on standard input until it ends. `memory` bounds the address space in bytes.
///
/// # Errors
/// When the process cannot be limited or the pipe breaks.
pub fn serve(memory: u64) -> io::Result<()> {
    confine(memory)?;
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(answer_all)?;
    worker
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("a parser panicked")))
}

/// No larger than allowed, no core file (it would hold the mail), no file written, no further descriptors, no life after
/// the daemon's.
fn confine(memory: u64) -> io::Result<()> {
    let exactly = |n| Rlimit {
        current: Some(n),
        maximum: Some(n),
    };
    setrlimit(Resource::As, exactly(memory))?;
    setrlimit(Resource::Core, exactly(0))?;
    setrlimit(Resource::Fsize, exactly(0))?;
    setrlimit(Resource::Nofile, exactly(16))?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

fn answer_all() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut first = [0; 16];
    loop {
        match input.read_exact(&mut first) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        let (head, body) = lengths(first)?;
        let mut bytes = vec![0; head];
        input.read_exact(&mut bytes)?;
        let request = unpack(&bytes)?;
        let mut mail = vec![0; body];
        input.read_exact(&mut mail)?;
        let (response, copy) = answer(&mail, request);
        let head = pack(&response)?;
        output.write_all(&prefix(head.len(), copy.len()))?;
        output.write_all(&head)?;
        output.write_all(&copy)?;
        output.flush()?;
    }
}

fn answer(mail: &[u8], request: Request) -> (Response, Vec<u8>) {
    match request {
        Request::Inspect(options) => match inspect_first(mail, &options) {
            Ok((report, readings)) => (Response::Inspected(report, readings), Vec::new()),
            Err(error) => (Response::Refused(error.to_string()), Vec::new()),
        },
        Request::Redact(options, targets, seen) => match redact_seen(mail, seen, &targets, &options) {
            Ok(redacted) => (Response::Redacted(redacted.report), redacted.bytes),
            Err(why) => (Response::NotClean(why), Vec::new()),
        },
        Request::Examine(options) => match examine(mail, &options) {
            Ok(examination) => (Response::Examined(examination), Vec::new()),
            Err(error) => (Response::Refused(error.to_string()), Vec::new()),
        },
        Request::Part(options, path) => match take_part(mail, &path, &options) {
            Some((line, bytes)) => (Response::Part(line), bytes),
            None => (Response::Refused("there is no such part".to_owned()), Vec::new()),
        },
    }
}
