//! What the package ships beside the binary and takes from the same definitions as the command line: completions for bash,
//! zsh and fish, a manual page for each command, and the one of the administrator's file.

mod settings;

use super::fail;
use clap::Command;
use clap_complete::Shell;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// Writes all of it into `folder`.
pub(super) fn write(folder: &Path, command: Command) -> ExitCode {
    match all(folder, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format_args!("{}: {error}", folder.display())),
    }
}

fn all(folder: &Path, mut command: Command) -> io::Result<()> {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "cpr-milter", folder)?;
    }
    std::fs::write(folder.join("cpr-milter.conf.5"), settings::page())?;
    command.build();
    for sub in command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
    {
        page(folder, sub, &format!("cpr-milter {}", sub.get_name()))?;
    }
    Ok(())
}

/// `cpr-milter-policy-check(8)` and so on: one page a command that does something.
fn page(folder: &Path, command: &Command, called: &str) -> io::Result<()> {
    let subs: Vec<&Command> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
        .collect();
    if !subs.is_empty() {
        return subs
            .iter()
            .try_for_each(|sub| page(folder, sub, &format!("{called} {}", sub.get_name())));
    }
    let name = called.replace(' ', "-");
    let shown = command.clone().bin_name(called.to_owned()).display_name(name.clone());
    let mut text = Vec::new();
    clap_mangen::Man::new(shown)
        .title(&name)
        .section("8")
        .manual("cpr-milter")
        .source(env!("CARGO_PKG_VERSION"))
        .render(&mut text)?;
    std::fs::write(folder.join(format!("{name}.8")), text)
}
