//! A program of the system that reads what we do not: bytes in on standard input, bytes out on standard output, within a
//! time and a length, and gone afterwards. It runs in the worker, under the worker's limits: no file of any length can be
//! written, no further descriptors are opened, memory is bounded.

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Threads that only copy need little stack; address space is limited.
const STACK: usize = 256 << 10;
/// What a program complains is looked at for a word, never shown: it may name what stands in the mail.
const COMPLAINT: u64 = 64 << 10;

/// What a program gave.
pub(super) struct Output {
    pub bytes: Vec<u8>,
    /// Standard error, for telling why.
    pub complaint: Vec<u8>,
    /// It ended by itself, with status 0, and gave no more than was asked for.
    pub whole: bool,
}

/// Why a program gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoOutput {
    /// It is not installed.
    Missing,
    /// It could not be started.
    NotStarted,
    /// It did not end in time, and was killed.
    Late,
}

/// A running program; dropping it kills it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program; `most` bounds the bytes it may give.
pub(super) fn run(
    program: &Path,
    arguments: &[&str],
    input: &[u8],
    most: u64,
    until: Instant,
) -> Result<Output, NoOutput> {
    let started = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("OMP_THREAD_LIMIT", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(started.map_err(|error| match error.kind() {
        ErrorKind::NotFound => NoOutput::Missing,
        _ => NoOutput::NotStarted,
    })?);
    limit_time(&running.0, until);
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (running.0.stdin.take(), running.0.stdout.take(), running.0.stderr.take())
    else {
        return Err(NoOutput::NotStarted);
    };
    // In a thread that nobody waits for: a program need not read all that it is given. The pipe breaks when it is gone.
    let input = input.to_vec();
    let feed = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || stdin.write_all(&input));
    feed.map_err(|_| NoOutput::NotStarted)?;
    let bytes = collect(stdout, most.saturating_add(1)).ok_or(NoOutput::NotStarted)?;
    let complaint = collect(stderr, COMPLAINT).ok_or(NoOutput::NotStarted)?;
    gather(&mut running, &bytes, &complaint, most, until)
}

/// The worker may be killed before it can kill the program; its processor time is bounded by the kernel.
fn limit_time(child: &Child, until: Instant) {
    let seconds = until.saturating_duration_since(Instant::now()).as_secs() + 2;
    let limit = Rlimit {
        current: Some(seconds),
        maximum: Some(seconds),
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // A program that has ended already needs no limit.
        let _ = prlimit(Some(pid), Resource::Cpu, limit);
    }
}

/// Reads a pipe in a thread of its own.
fn collect(pipe: impl Read + Send + 'static, most: u64) -> Option<Receiver<Vec<u8>>> {
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.take(most).read_to_end(&mut bytes);
        // Nobody waits any more when the program was late.
        let _ = sender.send(bytes);
    });
    thread.ok().map(|_| receiver)
}

fn gather(
    running: &mut Running,
    bytes: &Receiver<Vec<u8>>,
    complaint: &Receiver<Vec<u8>>,
    most: u64,
    until: Instant,
) -> Result<Output, NoOutput> {
    let left = || until.saturating_duration_since(Instant::now());
    let bytes = bytes.recv_timeout(left()).map_err(|_| NoOutput::Late)?;
    if bytes.len() as u64 > most {
        return Ok(Output {
            bytes,
            complaint: Vec::new(),
            whole: false,
        });
    }
    let complaint = complaint.recv_timeout(left()).map_err(|_| NoOutput::Late)?;
    loop {
        match running.0.try_wait() {
            Ok(Some(status)) => {
                return Ok(Output {
                    bytes,
                    complaint,
                    whole: status.success(),
                });
            }
            Ok(None) if !left().is_zero() => std::thread::sleep(Duration::from_millis(1)),
            _ => return Err(NoOutput::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], seconds: u64) -> Result<Output, NoOutput> {
        let until = Instant::now() + Duration::from_secs(seconds);
        run(Path::new("/bin/sh"), &["-c", script], input, 1 << 20, until)
    }

    #[test]
    fn what_it_gives_comes_back_with_its_status() {
        let input = vec![b'x'; 300_000];
        let output = shell("cat; echo no >&2", &input, 20).expect("output");
        assert!(output.whole && output.bytes == input && output.complaint == b"no\n");
        assert!(!shell("echo a; exit 3", b"", 20).expect("output").whole);
        // It need not read what it is given.
        assert!(shell("exec true", &vec![0; 3 << 20], 20).expect("output").whole);
    }

    #[test]
    fn a_program_that_is_late_is_killed_and_one_that_never_ends_is_cut() {
        let started = Instant::now();
        assert_eq!(shell("exec sleep 60", b"", 1).err(), Some(NoOutput::Late));
        assert_eq!(
            shell("exec >&- 2>&-; exec sleep 60", b"", 1).err(),
            Some(NoOutput::Late)
        );
        assert!(!shell("exec cat /dev/zero", b"", 20).expect("output").whole);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let until = Instant::now() + Duration::from_secs(1);
        let outcome = run(Path::new("/nowhere/tesseract"), &[], b"", 1, until);
        assert_eq!(outcome.err(), Some(NoOutput::Missing));
    }
}
