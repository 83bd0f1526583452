//! Arguments, exit status, and two promises that hold for every command: a panic prints no content, and log lines come
//! from our own targets only.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The message of a panic can quote the text that was being sliced, and that text is somebody's mail.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()))
            .unwrap_or_default();
        eprintln!("cpr-milter: internal error at {place} (its text is withheld: it could quote a mail)");
    }));
    cpr_milter::cli::main()
}
