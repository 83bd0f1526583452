//! Whether Postfix gets through to the socket that `listen:` names.

use super::facts::{Facts, Reached, Step};
use super::{Finding, Fix, Severity};

pub(super) fn examine(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let listen = &facts.house.listen;
    let finding = |id, severity, what: String, action: String| Finding {
        id,
        severity,
        place: listen.clone(),
        what,
        why: "Postfix does not reach the milter, and its default action befalls every mail.".to_owned(),
        fixes: vec![Fix::hand(action.clone())],
        action,
    };
    match &facts.socket {
        Reached::Missing(why) => found.push(finding(
            "socket-missing",
            Severity::Loss,
            format!("nobody answers at the milter's socket: {why}."),
            "start the milter (systemctl start cpr-milter.socket cpr-milter)".to_owned(),
        )),
        Reached::Unknown(why) => found.push(finding(
            "socket-unknown",
            Severity::Note,
            format!("whether the milter's socket can be reached is not known: {why}."),
            "run doctor as root".to_owned(),
        )),
        Reached::Answers {
            way,
            owner: Some(owner),
        } => {
            if let Some((step, need)) = shut(way, *owner) {
                found.push(finding(
                    "socket-rights",
                    Severity::Loss,
                    format!(
                        "Postfix's daemons may not {need} {} (owner {}, group {}, mode {:04o}).",
                        step.path, step.uid, step.gid, step.mode
                    ),
                    format!(
                        "let group {} in: `socket_group:` and `socket_mode:` in cpr-milter.yaml, or chgrp and chmod of {}",
                        owner.1, step.path
                    ),
                ));
            }
        }
        Reached::Answers { owner: None, .. } => found.push(finding(
            "socket-unknown",
            Severity::Note,
            format!(
                "the user {} (mail_owner) is not known here.",
                facts.postfix.main("mail_owner")
            ),
            "check mail_owner".to_owned(),
        )),
    }
}

/// The first file on the way that does not let them through: search for folders, write for the socket (unix(7)).
fn shut(way: &[Step], (uid, gid): (u32, u32)) -> Option<(&Step, &'static str)> {
    let last = way.len().saturating_sub(1);
    way.iter().enumerate().find_map(|(at, step)| {
        let class = match (step.uid == uid, step.gid == gid) {
            (true, _) => step.mode >> 6,
            (false, true) => step.mode >> 3,
            (false, false) => step.mode,
        };
        let (bit, need) = if at == last { (2, "connect to") } else { (1, "enter") };
        (class & bit == 0).then_some((step, need))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_shut_door_is_named() {
        let step = |path: &str, uid, gid, mode| Step {
            path: path.to_owned(),
            uid,
            gid,
            mode,
        };
        let way = |folder, socket| {
            vec![
                step("/", 0, 0, 0o755),
                step("/q", 7, 9, folder),
                step("/q/m", 7, 9, socket),
            ]
        };
        assert!(shut(&way(0o750, 0o660), (5, 9)).is_none());
        assert_eq!(shut(&way(0o700, 0o660), (5, 9)).expect("shut").0.path, "/q");
        assert_eq!(shut(&way(0o750, 0o600), (5, 9)).expect("shut").1, "connect to");
        assert!(shut(&way(0o750, 0o660), (5, 8)).is_some(), "no group of theirs");
    }
}
