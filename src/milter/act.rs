//! Tells Postfix: headers from the highest index down, the body in one run, recipients last, one final status.
//!
//! The order is not a taste. Postfix refuses anything else between two chunks of a body (`milter8.c`, `body_edit_lockout`),
//! and progress replies must have stopped before the first edit.

use super::fields::Edits;
use super::reply;
use super::settle::{Removal, Ruling};
use super::world::{Trouble, World};
use indymilter::{ActionError, ContextActions, SmtpReply, Status};
use std::ffi::CString;

/// Carries a ruling out.
///
/// # Errors
/// An edit was not taken: 4xx, with which Postfix drops all edits of this message.
pub async fn carry_out<W: World>(
    ruling: Ruling<W>,
    actions: &impl ContextActions,
    reply: &mut SmtpReply,
) -> Result<Status, Trouble> {
    match ruling {
        Ruling::Pass { seen, edits, removal } => {
            if let Some(edits) = edits {
                edit(actions, edits).await?;
            }
            if let Some(removal) = removal {
                remove(actions, &removal).await?;
            }
            Ok(passed(&seen))
        }
        Ruling::Discard { held } => Ok(discarded(&held)),
        Ruling::Reject { rule, incident } => Ok(reply::refuse(reply, &rule, &incident)),
    }
}

/// *Continue*, never *accept*: the signer behind us must still see the mail.
fn passed<S>(_inspected: &S) -> Status {
    Status::Continue
}

/// The mail is ours.
fn discarded<H>(_held: &H) -> Status {
    Status::Discard
}

async fn edit(actions: &impl ContextActions, edits: Edits) -> Result<(), Trouble> {
    for header in edits.headers {
        let (name, value) = (c_string(header.name)?, c_string(header.value)?);
        actions
            .change_header(name, header.index, Some(value))
            .await
            .map_err(failed)?;
    }
    if let Some(body) = edits.body {
        actions.replace_body(&body).await.map_err(failed)?;
    }
    Ok(())
}

async fn remove<H>(actions: &impl ContextActions, removal: &Removal<H>) -> Result<(), Trouble> {
    let (_held, addresses) = removal.addresses();
    for address in addresses {
        actions
            .delete_recipient(c_string(address.clone())?)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// NUL ends a string of the protocol: what stands behind it would be cut off in silence.
fn c_string(bytes: Vec<u8>) -> Result<CString, Trouble> {
    CString::new(bytes).map_err(|_| Trouble::Edit("a NUL byte in a header field or address".to_owned()))
}

fn failed(error: ActionError) -> Trouble {
    match error {
        ActionError::Io(_) => Trouble::Gone,
        other => Trouble::Edit(other.to_string()),
    }
}
