//! What we ask of the MTA before the first message: actions, options, macros.
//!
//! The library drops a session whose wishes are not met with a line at `trace` only, so the check is made here, aloud.

use indymilter::{Actions, MacroStage, ProtoOpts};
use std::collections::HashMap;
use std::ffi::{CStr, CString};

/// Edits that we make. SMFIR_QUARANTINE is not among them: Postfix's hold queue is in clear text, and whoever may run
/// `postsuper` can release from it without trace.
pub const ACTIONS: Actions = Actions::ADD_HEADER
    .union(Actions::CHANGE_HEADER)
    .union(Actions::DELETE_RCPT)
    .union(Actions::REPLACE_BODY);

/// Without it header values cannot be rebuilt byte for byte.
const NEEDED: ProtoOpts = ProtoOpts::LEADING_SPACE;

/// Steps that never need an answer before the end of the message. Three times as many small mails a second pass with
/// these as with an answer to each step. No SKIP: a hit at the top never excuses not reading the rest.
const WANTED: ProtoOpts = ProtoOpts::NO_HELO
    .union(ProtoOpts::NO_UNKNOWN)
    .union(ProtoOpts::NOREPLY_CONNECT)
    .union(ProtoOpts::NOREPLY_MAIL)
    .union(ProtoOpts::NOREPLY_RCPT)
    .union(ProtoOpts::NOREPLY_DATA)
    .union(ProtoOpts::NOREPLY_HEADER)
    .union(ProtoOpts::NOREPLY_EOH)
    .union(ProtoOpts::NOREPLY_BODY);

/// Asking replaces Postfix's own list for the stage, so everything that we read is named. The queue ID exists from DATA on.
const MACROS: [(MacroStage, &CStr); 6] = [
    (MacroStage::Connect, c"j {daemon_name} {client_addr} {client_name}"),
    (
        MacroStage::Mail,
        c"i {auth_authen} {mail_addr} {client_addr} {client_name} {daemon_name} {tls_version}",
    ),
    (MacroStage::Rcpt, c"i {rcpt_addr}"),
    (MacroStage::Data, c"i"),
    (MacroStage::Eoh, c"i"),
    (MacroStage::Eom, c"i {auth_authen} {mail_addr}"),
];

/// The agreement for one session.
pub struct Agreed {
    /// What we ask for.
    pub options: ProtoOpts,
    /// What we ask for.
    pub macros: HashMap<MacroStage, CString>,
}

/// What can be agreed with an MTA that offers this.
///
/// # Errors
/// What is missing, for the log.
pub fn agree(actions: Actions, options: ProtoOpts) -> Result<Agreed, String> {
    let missing = ACTIONS.difference(actions);
    if !missing.is_empty() {
        return Err(format!("the mail server does not offer these actions: {missing:?}"));
    }
    if !options.contains(NEEDED) {
        return Err("the mail server does not offer protocol version 6; set milter_protocol = 6 in Postfix".to_owned());
    }
    Ok(Agreed {
        options: NEEDED | WANTED.intersection(options),
        macros: MACROS
            .iter()
            .map(|(stage, names)| (*stage, CString::from(*names)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_action_or_leading_space_is_refused() {
        assert!(agree(Actions::all(), ProtoOpts::all()).is_ok());
        for action in ACTIONS.iter() {
            assert!(agree(Actions::all().difference(action), ProtoOpts::all()).is_err());
        }
        assert!(agree(Actions::all(), ProtoOpts::all().difference(ProtoOpts::LEADING_SPACE)).is_err());
    }

    #[test]
    fn only_what_is_offered_is_asked_for_and_never_skip() {
        let agreed = agree(Actions::all(), NEEDED | ProtoOpts::NOREPLY_HEADER | ProtoOpts::SKIP);
        assert_eq!(agreed.map(|a| a.options).ok(), Some(NEEDED | ProtoOpts::NOREPLY_HEADER));
    }
}
