//! Without file descriptors the milter waits, and goes on when there are some again. Alone in its binary: the limit is one
//! of the whole process.

#[path = "milter/mta.rs"]
mod mta;
#[path = "milter/world.rs"]
mod world;

use mta::{Answer, Mail, Mta};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;
use world::Gateway;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accept_loop_survives_emfile() {
    let gateway = Gateway::start().await;
    let before = getrlimit(Resource::Nofile);
    let few = Rlimit {
        current: Some(48),
        ..before
    };
    setrlimit(Resource::Nofile, few).expect("lower");
    let mut silent = Vec::new();
    // Each costs two descriptors here, ours and theirs; in the end neither side gets one.
    for _ in 0..60 {
        match Mta::silent(&gateway.path).await {
            Ok(mta) => silent.push(mta),
            Err(error) => assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error())),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(silent.len() < 48);
    drop(silent);
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut mta = Mta::connect(&gateway.path).await.expect("served again");
    let answer = mta
        .deliver(&Mail::new(&["hold@x.example"], "s", "NUMa"))
        .await
        .expect("deliver");
    assert_eq!(answer, Answer::Discarded);
    setrlimit(Resource::Nofile, before).expect("restore");
}
