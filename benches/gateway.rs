//! The whole path of a mail through the milter protocol, without Postfix: a mail server of the tests' own, the real
//! callbacks, and a world that is switched in one place ([`gateway`]): the tests' fake, until the daemon's own is given.
//!
//! What is measured with the fake is the gateway's own share: protocol, spool, judgement, plan, edits.

#[path = "../tests/milter/mta.rs"]
mod mta;
#[path = "../tests/milter/world.rs"]
mod world;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mta::{Answer, Mail, Mta};
use tokio::runtime::Runtime;
use world::Gateway;

/// The world under measurement.
async fn gateway() -> Gateway {
    Gateway::start().await
}

fn text(bytes: usize) -> String {
    let line = "Kære borger, her er svaret på Deres henvendelse om byggesagen på matriklen.\r\n";
    line.repeat(bytes / line.len() + 1)
}

fn mail(to: &str, media_type: &str, body: String) -> Mail {
    let mut mail = Mail::new(&[to], "Svar", &body);
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    mail.headers.extend([
        field("From", " Kommunen <sender@kommune.example>"),
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
    let hit = || format!("{}NUMa\r\n", text(3_500));
    vec![
        (
            "text_3_5_kB",
            mail("deliver@post.example", "text/plain; charset=utf-8", text(3_500)),
            true,
        ),
        (
            "html_30_kB",
            mail("deliver@post.example", "text/html; charset=utf-8", html),
            true,
        ),
        (
            "attachment_5_MB",
            mail("deliver@post.example", "multipart/mixed; boundary=b", attached),
            true,
        ),
        (
            "redacted_3_5_kB",
            mail("redact@post.example", "text/plain; charset=utf-8", hit()),
            true,
        ),
        (
            "held_3_5_kB",
            mail("hold@post.example", "text/plain; charset=utf-8", hit()),
            false,
        ),
    ]
}

fn through_the_gateway(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("runtime");
    let gateway = runtime.block_on(gateway());
    let mut mta = runtime.block_on(Mta::connect(&gateway.path)).expect("connect");
    let mut group = criterion.benchmark_group("gateway");
    for (name, mail, queued) in mails() {
        group.throughput(Throughput::Bytes(mail.body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let answer = runtime.block_on(mta.deliver(&mail)).expect("delivered");
                assert_eq!(matches!(answer, Answer::Queued { .. }), queued);
            });
            // The fake store keeps everything that it is told.
            let mut ledger = gateway.ledger.lock().expect("ledger");
            ledger.holds.clear();
            ledger.records.clear();
        });
    }
    group.finish();
}

criterion_group!(benches, through_the_gateway);
criterion_main!(benches);
