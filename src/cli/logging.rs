//! Log lines go to standard error, where systemd's journal takes them. Level by `CPR_MILTER_LOG` (`error`, `warn`, `info`,
//! `debug`); foreign crates are capped whatever it says, because indymilter prints headers and bodies at `trace`.

use std::io::IsTerminal;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(super) fn start() {
    let ours = match std::env::var("CPR_MILTER_LOG").as_deref() {
        Ok("error") => LevelFilter::ERROR,
        Ok("warn") => LevelFilter::WARN,
        Ok("debug" | "trace") => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    };
    let filter = Targets::new()
        .with_target("cpr_milter", ours)
        .with_target("indymilter", LevelFilter::from_level(Level::INFO).min(ours))
        .with_default(LevelFilter::WARN.min(ours));
    let to_terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(to_terminal);
    // The journal has its own clock.
    if to_terminal {
        tracing_subscriber::registry().with(filter).with(lines).init();
    } else {
        tracing_subscriber::registry()
            .with(filter)
            .with(lines.without_time())
            .init();
    }
}
