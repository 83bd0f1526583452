//! A client that saw a 4xx sends its mail again, and the second try is judged otherwise than the first. Whoever was taken
//! over at the first try must not get anything from the second.

#[path = "milter/mta.rs"]
mod mta;
#[path = "milter/world.rs"]
mod world;

use cpr_milter::store::Duty;
use indymilter::message::command::Command;
use mta::{Answer, Mail, Mta};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use world::Gateway;

/// What each recipient has by Postfix's queue (when the client saw 250) and by our store, all tries taken together.
fn fates(gateway: &Gateway, mail: &Mail, answers: &[(&Answer, bool)]) -> Vec<Vec<String>> {
    let mut fates = vec![Vec::new(); mail.to.len()];
    for (answer, seen) in answers.iter().filter(|(_, seen)| *seen) {
        match answer {
            Answer::Queued { to, body, .. } => {
                let text = String::from_utf8_lossy(body).into_owned();
                let whom = mail.to.iter().zip(&mut fates).filter(|(one, _)| to.contains(one));
                whom.for_each(|(_, fates)| fates.push(text.clone()));
            }
            Answer::Refused(_) => fates.iter_mut().for_each(|f| f.push("refused".to_owned())),
            Answer::Deferred(text) => panic!("{text} {seen}"),
            Answer::Discarded => {}
        }
    }
    for (recipient, duty, takeover) in gateway.owed() {
        fates[recipient].push(match duty {
            Duty::Hold => "held".to_owned(),
            Duty::Refuse => "refused".to_owned(),
            Duty::SendOriginal | Duty::Reroute => "NUMa\r\n".to_owned(),
            Duty::SendCopy(copy) => {
                let bytes = &takeover.copies[copy];
                String::from_utf8_lossy(&bytes[bytes.len() - 6..]).into_owned()
            }
        });
    }
    fates
}

/// Postfix answered 451 to the first try after we had said our last word (its `cleanup` died, its disk was full): nothing
/// of it is in its queue, but what we took over is ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_taken_over_gets_nothing_else_from_a_retry_under_another_policy() {
    let words = ["deliver", "redact", "hold", "reject"];
    let gateway = Gateway::start().await;
    gateway.ledger.lock().expect("ledger").remembers = true;
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let mut wanted = BTreeMap::from([("deliver", "NUMa\r\n"), ("redact", "XXXX\r\n")]);
    wanted.extend([("hold", "held"), ("reject", "refused")]);
    for code in 0..words.len().pow(4) {
        let word = |i: u32| words[code / words.len().pow(i) % words.len()];
        let (a, b) = (
            format!("{}-{}+a{code}", word(0), word(1)),
            format!("{}-{}+b{code}", word(2), word(3)),
        );
        let mail = Mail::new(&[&format!("{a}@x.example"), &format!("{b}@x.example")], "s", "NUMa\r\n");
        gateway.swap("first");
        let first = mta.deliver(&mail).await.expect("first try");
        gateway.swap("second");
        let second = mta.deliver(&mail).await.expect("second try");
        let refused_at_first = matches!(first, Answer::Refused(_));
        let has = fates(&gateway, &mail, &[(&first, false), (&second, true)]);
        let ours = !matches!(&first, Answer::Queued { .. } | Answer::Refused(_));
        for (i, has) in has.iter().enumerate() {
            let (then, now) = (word(2 * i as u32), word(2 * i as u32 + 1));
            let taken =
                ours || (!refused_at_first && matches!(&first, Answer::Queued { to, .. } if !to.contains(&mail.to[i])));
            let fate = wanted[if taken { then } else { now }];
            // A refusal is told twice when the second try is refused to the client as well; it is still one refusal.
            let mut has = has.clone();
            has.dedup_by(|x, y| x == y && x == "refused");
            assert_eq!(has, [fate], "{a} {b}, recipient {i}");
        }
    }
}

/// Our hold is still being written when Postfix has given up and the client is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_waits_for_a_hold_that_is_still_being_written() {
    let gateway = Gateway::with(|milter| milter.progress_seconds = 1).await;
    {
        let mut ledger = gateway.ledger.lock().expect("ledger");
        ledger.remembers = true;
        ledger.slow = 4;
    }
    let mail = Mail::new(&["hold-deliver@x.example"], "s", "NUMa\r\n");
    let mut gone = Mta::connect(&gateway.path).await.expect("connect");
    gone.mail(&mail.from).await.expect("mail");
    gone.rcpt(&mail.to[0]).await.expect("rcpt");
    gone.content(&mail).await.expect("content");
    gone.send(Command::BodyEnd(Vec::new().into())).await.expect("end");
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(gone);
    gateway.swap("second");
    let begun = Instant::now();
    let mut mta = Mta::connect(&gateway.path).await.expect("connect");
    let answer = mta.deliver(&mail).await.expect("second try");
    assert_eq!(answer, Answer::Discarded, "the first try holds it");
    assert!(begun.elapsed() > Duration::from_secs(2), "it waited");
    assert!(mta.progress > 0, "and kept Postfix waiting");
    assert_eq!(gateway.owed().len(), 1);
}
