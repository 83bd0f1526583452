//! The whole path of a mail, without Postfix: the real daemon with its workers, its store and the shipped policy, asked
//! through the milter protocol by a mail server of the tests' own. `cargo bench --bench gateway`
//!
//! Time per mail on one connection, and for the small text on four at once, as Postfix has them.

#[path = "../tests/milter/mta.rs"]
mod mta;

use cpr_milter::cpr::made_up;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mta::{Answer, Mail, Mta};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cpr-milter");

/// The daemon in a folder of its own; both go when it is dropped.
struct Gateway {
    path: PathBuf,
    daemon: Child,
    _dir: tempfile::TempDir,
}

impl Gateway {
    fn start() -> Gateway {
        let dir = tempfile::tempdir().expect("folder");
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/municipality.yaml");
        let config = dir.path().join("cpr-milter.yaml");
        let path = dir.path().join("milter.sock");
        let text = format!(
            "policy: {}\nlisten: unix:{}\nstore: store.db\nkeys: keys\nreinject: 127.0.0.1:1\nhostname: gw.kommune.example\n",
            policy.display(),
            path.display()
        );
        std::fs::write(&config, text).expect("configuration");
        let keys = dir.path().join("keys");
        let made = Command::new(PROGRAM)
            .args(["keys", "init"])
            .arg(keys)
            .output()
            .expect("keys init");
        assert!(
            made.status.success(),
            "keys init: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut run = Command::new(PROGRAM);
        run.arg("run").arg("--config").arg(&config).stderr(Stdio::null());
        let daemon = run.spawn().expect("the daemon starts");
        let gateway = Gateway {
            path,
            daemon,
            _dir: dir,
        };
        let patience = Instant::now() + Duration::from_secs(20);
        while !gateway.path.exists() {
            assert!(Instant::now() < patience, "the daemon did not open its socket");
            std::thread::sleep(Duration::from_millis(20));
        }
        gateway
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn text(bytes: usize) -> String {
    let line = "Kære borger, her er svaret på Deres henvendelse om byggesagen på matriklen.\r\n";
    line.repeat(bytes / line.len() + 1)
}

fn mail(from: &str, media_type: &str, body: String) -> Mail {
    let mut mail = Mail::new(&["borger@post.example"], "Svar", &body);
    mail.from = format!("<{from}@kommune.example>");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    mail.headers.extend([
        field("From", " Kommunen <sag@kommune.example>"),
        field("To", " <borger@post.example>"),
        field("Date", " Tue, 24 Nov 2026 00:00:00 +0100"),
        field("Message-ID", " <bench@kommune.example>"),
        field("MIME-Version", " 1.0"),
        field("Content-Type", &format!(" {media_type}")),
    ]);
    mail
}

/// Name, mail, and whether it ends in Postfix's queue.
fn mails() -> Vec<(&'static str, Mail, bool)> {
    let html = format!(
        "<html><body>{}</body></html>\r\n",
        text(30_000).replace("\r\n", "<br>\r\n")
    );
    let part =
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n".repeat(5_000_000 / 78);
    let attached = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nSe bilag.\r\n--b\r\nContent-Type: application/octet-stream\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=bilag.bin\r\n\r\n{part}--b--\r\n"
    );
    let number = made_up::hyphenated(&made_up::number(1));
    let hit = || format!("{}cpr-nr. {number}\r\n", text(3_500));
    vec![
        (
            "text_3_5_kB",
            mail("sag", "text/plain; charset=utf-8", text(3_500)),
            true,
        ),
        ("html_30_kB", mail("sag", "text/html; charset=utf-8", html), true),
        (
            "attachment_5_MB",
            mail("sag", "multipart/mixed; boundary=b", attached),
            true,
        ),
        (
            "redacted_3_5_kB",
            mail("aktindsigt", "text/plain; charset=utf-8", hit()),
            true,
        ),
        ("held_3_5_kB", mail("sag", "text/plain; charset=utf-8", hit()), false),
    ]
}

/// A mail that is held is held once; the next one must be another.
fn another(mail: &Mail, number: &mut u64) -> Mail {
    *number += 1;
    let mut mail = mail.clone();
    mail.headers.push(("X-Number".to_owned(), format!(" {number}")));
    mail
}

fn through_the_gateway(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let gateway = Gateway::start();
    let mut mta = runtime.block_on(Mta::connect(&gateway.path)).expect("connect");
    let mut group = criterion.benchmark_group("gateway");
    let mut number = 0;
    for (name, mail, queued) in mails() {
        group.throughput(Throughput::Bytes(mail.body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mail = another(&mail, &mut number);
                let answer = runtime.block_on(mta.deliver(&mail)).expect("delivered");
                assert_eq!(matches!(answer, Answer::Queued { .. }), queued, "{answer:?}");
            });
        });
    }
    let mut four: Vec<Mta> = (0..4)
        .map(|_| runtime.block_on(Mta::connect(&gateway.path)).expect("connect"))
        .collect();
    let (_, small, _) = mails().swap_remove(0);
    group.throughput(Throughput::Elements(4));
    group.bench_function("text_3_5_kB_four_at_once", |bencher| {
        bencher.iter(|| runtime.block_on(all_at_once(&mut four, &small)));
    });
    group.finish();
}

/// One mail on each connection.
async fn all_at_once(connections: &mut [Mta], mail: &Mail) {
    let [a, b, c, d] = connections else {
        panic!("four connections");
    };
    let answers = tokio::join!(a.deliver(mail), b.deliver(mail), c.deliver(mail), d.deliver(mail));
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert!(matches!(answer, Ok(Answer::Queued { .. })), "{answer:?}");
    }
}

criterion_group!(benches, through_the_gateway);
criterion_main!(benches);
