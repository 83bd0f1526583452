//! The console as people meet it: Debian's Chromium, driven by WebDriver. Pictures of what they saw stay in
//! `target/screenshots`.

mod courier_peer;
#[path = "console/world.rs"]
mod world;

use cpr_milter::cpr::made_up;
use cpr_milter::store::{Role, State};
use cpr_milter::types::Release;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use world::{Mail, PASSWORD, Person, World};

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// A chromedriver of our own; the browsers that it started end with it.
struct Driver {
    child: Child,
    port: u16,
    profile: tempfile::TempDir,
}

impl Driver {
    fn start() -> Driver {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a port")
            .port();
        let child = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: apt-get install chromium chromium-driver");
        world::wait_for(
            || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(),
            || "chromedriver".to_owned(),
        );
        Driver {
            child,
            port,
            profile: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A browser with nothing in it, that speaks this language.
    async fn browser(&self, name: &str, language: &str, (width, height): (u32, u32)) -> Browser {
        let profile = self.profile.path().join(name);
        // A window is never as narrow as a telephone; what is emulated is as long as its page.
        let phone = json!({"deviceMetrics": {"width": width, "height": 3200, "pixelRatio": 1.0, "touch": true}});
        let phone = (width < 500).then_some(phone);
        let mut options = json!({"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            format!("--window-size={width},{height}"), format!("--user-data-dir={}", profile.display()),
            format!("--accept-lang={language}"), "--force-prefers-reduced-motion",
        ], "prefs": {"intl.accept_languages": language}}});
        if let Some(phone) = phone {
            options["goog:chromeOptions"]["mobileEmulation"] = phone;
        }
        let capabilities = options.as_object().cloned().expect("an object");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("a browser");
        Browser { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Browser {
    client: Client,
}

impl Browser {
    async fn open(&self, world: &World, path: &str) {
        let url = format!("http://127.0.0.1:{}{path}", world.port);
        self.client.goto(&url).await.expect("page");
    }

    async fn fill(&self, css: &str, text: &str) {
        let field = self
            .client
            .find(Locator::Css(css))
            .await
            .unwrap_or_else(|_| panic!("no {css}"));
        field.send_keys(text).await.expect("typed");
    }

    async fn click(&self, css: &str) {
        let button = self
            .client
            .find(Locator::Css(css))
            .await
            .unwrap_or_else(|_| panic!("no {css}"));
        button.click().await.expect("clicked");
    }

    async fn follow(&self, text: &str) {
        let link = self
            .client
            .find(Locator::LinkText(text))
            .await
            .unwrap_or_else(|_| panic!("no link {text}"));
        link.click().await.expect("followed");
    }

    async fn text(&self) -> String {
        // Between two pages there is none.
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// The text of the page, once it holds this; after ten seconds without it the test fails.
    async fn until(&self, wanted: &str) -> String {
        let mut text = String::new();
        for _ in 0..200 {
            text = self.text().await;
            if text.contains(wanted) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never said {wanted:?}:\n{text}");
    }

    async fn sign_in(&self, world: &World, person: &Person, steps: i64) {
        self.open(world, "/sign-in").await;
        self.fill("#name", &person.name).await;
        self.fill("#password", PASSWORD).await;
        self.fill("#code", &person.code(steps)).await;
        self.click("form.stack button").await;
    }

    /// The whole page, however long.
    async fn picture(&self, name: &str) {
        let size = self
            .client
            .execute(
                "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]",
                vec![],
            )
            .await
            .expect("size");
        let (width, height) = self.client.get_window_size().await.expect("size");
        let whole = size[1].as_u64().unwrap_or(height).clamp(500, 6000);
        let width = u32::try_from(width).expect("small");
        let _ = self
            .client
            .set_window_size(width, u32::try_from(whole + 20).expect("small"))
            .await;
        let png = self.client.screenshot().await.expect("picture");
        let _ = self
            .client
            .set_window_size(width, u32::try_from(height).expect("small"))
            .await;
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("picture");
    }

    /// Nothing sticks out of the window sideways; each field has a label; each page a language, a title and one headline.
    async fn is_fit_for_everybody(&self, page: &str) {
        let script = r#"
            const wrong = [];
            const root = document.documentElement;
            if (root.scrollWidth > root.clientWidth + 1) wrong.push('wider than the window by ' + (root.scrollWidth - root.clientWidth));
            if (!root.lang) wrong.push('no language');
            if (!document.title.trim()) wrong.push('no title');
            if (document.querySelectorAll('h1').length !== 1) wrong.push('not one headline');
            if (!document.querySelector('main#content')) wrong.push('no main part');
            for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
                if (!(field.labels && field.labels.length) && !field.getAttribute('aria-label')) wrong.push('no label: ' + field.outerHTML);
                for (const id of (field.getAttribute('aria-describedby') || '').split(' ').filter(Boolean))
                    if (!document.getElementById(id)) wrong.push('no such description: ' + id);
            }
            const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            for (const id of ids) if (ids.filter(x => x === id).length > 1) wrong.push('twice: ' + id);
            const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
                return .2126 * r + .7152 * g + .0722 * b; };
            const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
            const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
                if (c.length === 3 || c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
            for (const e of document.querySelectorAll('body *')) {
                const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
                if (!own || !e.getClientRects().length) continue;
                const a = light(parse(getComputedStyle(e).color).slice(0, 3)), b = light(ground(e));
                const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
                if (ratio < 4.5) wrong.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
            }
            for (const e of document.querySelectorAll('button, input:not([type=hidden]), select, textarea')) {
                const box = e.getBoundingClientRect();
                if (box.width && (box.width < 20 || box.height < 20)) wrong.push('too small to hit: ' + e.outerHTML.slice(0, 80));
            }
            return wrong;
        "#;
        let wrong = self.client.execute(script, vec![]).await.expect("looked");
        assert_eq!(wrong, json!([]), "{page}");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("runtime")
}

fn number(seed: u64) -> String {
    made_up::hyphenated(&made_up::number(seed))
}

fn furnished() -> World {
    let world = World::new("");
    let mail = |subject, seed: u64, text: &str| Mail {
        text: format!("{text}\r\n"),
        ..Mail::new(subject, &number(seed))
    };
    world.hold(&Mail {
        to: vec![
            "redaktion@avis.example",
            "borger@post.example",
            "kollega@kommune.example",
        ],
        file: Some((
            "notat-om-sagen.txt",
            format!(
                "Borgerens cpr-nummer {} indgår i sagen. Partens cpr-nr.: {}.",
                number(2),
                number(3)
            ),
        )),
        numbers: vec![number(2), number(3)],
        ..mail(
            "Svar på anmodning om aktindsigt i byggesag",
            2,
            "Hermed de ønskede akter i sagen.",
        )
    });
    world.hold(&Mail {
        sender: "skole@kommune.example",
        to: vec!["mor@anden.example"],
        ..mail(
            "Klasseliste til forældremødet",
            2,
            &format!("Børnenes numre: cpr {} og cpr {}", number(2), number(5)),
        )
    });
    world.hold(&Mail {
        sender: "jobcenter@kommune.example",
        to: vec!["leder@firma.example", "løn@firma.example"],
        rule: "protected",
        release: Release {
            by: "dpo".to_owned(),
            people: 2,
        },
        ..mail(
            "Aftale om virksomhedspraktik",
            8,
            &format!("Praktikanten har cpr-nummer {} og begynder mandag.", number(8)),
        )
    });
    world
}

#[test]
fn a_reviewer_signs_in_with_a_second_factor_finds_a_mail_and_sees_its_numbers_for_a_reason() {
    let mut world = furnished();
    let lis = world.account("lis@kommune.example", Role::Reviewer, true);
    world.start();
    world.wait(|| world.store.unmarked(10).expect("marks").is_empty());
    let driver = Driver::start();
    runtime().block_on(async {
        let browser = driver.browser("lis", "da", WIDE).await;
        browser.open(&world, "/queue").await;
        browser.until("Kode fra din app").await;
        browser.picture("sign-in").await;
        browser.is_fit_for_everybody("sign-in").await;
        browser.fill("#name", &lis.name).await;
        browser.fill("#password", "en forkert adgangskode").await;
        browser.fill("#code", "000000").await;
        browser.click("form.stack button").await;
        browser.until("passer ikke sammen").await;
        browser.picture("sign-in-refused").await;
        browser.fill("#password", PASSWORD).await;
        browser.fill("#code", &lis.code(0)).await;
        browser.click("form.stack button").await;
        let queue = browser.until("3 mails").await;
        assert!(
            queue.contains("Klasseliste") && queue.contains("r•••@avis.example"),
            "{queue}"
        );
        browser.picture("queue").await;
        browser.is_fit_for_everybody("queue").await;
        browser.fill("#text", "avis.example").await;
        browser.click(".filter .go button").await;
        browser.until("1 mail").await;
        browser.follow("Svar på anmodning om aktindsigt i byggesag").await;
        let mail = browser.until("Alle cifre er dækket").await;
        assert!(mail.contains("••••••-••••") && !mail.contains(&number(2)), "{mail}");
        browser.picture("mail").await;
        browser.is_fit_for_everybody("mail").await;
        browser.click("summary").await;
        browser.fill("#clear-reason", "Må sammenligne med sagens parter").await;
        browser.click("details button").await;
        let clear = browser.until("Numrene er synlige for dig til").await;
        assert!(
            clear.contains(&number(2)) && clear.contains("Må sammenligne"),
            "{clear}"
        );
        browser.picture("mail-unmasked").await;
        browser.is_fit_for_everybody("mail-unmasked").await;
        browser.click("a[href$='/part/2']").await;
        browser.until("gemmes uden beskyttelse").await;
        browser.picture("attachment").await;
        browser.client.back().await.expect("back");
        browser.click(".clear button").await;
        browser.until("Numrene er dækket igen").await;
        // English, by the button; and it stays so.
        browser.click("button[name=language]").await;
        browser.until("All digits are covered").await;
        browser.picture("mail-english").await;
        browser.open(&world, "/queue").await;
        browser.until("Outside recipients").await;
        browser.client.close().await.expect("closed");
    });
}

#[test]
fn two_officers_release_with_four_eyes_and_a_mail_goes_back_to_its_sender() {
    let mut world = furnished();
    let people = [
        world.account("dorte", Role::Dpo, true),
        world.account("erik", Role::Dpo, true),
    ];
    world.start();
    world.wait(|| world.store.unmarked(10).expect("marks").is_empty());
    let driver = Driver::start();
    runtime().block_on(async {
        for (i, person) in people.iter().enumerate() {
            let browser = driver.browser(&person.name, "da", WIDE).await;
            browser.sign_in(&world, person, 0).await;
            browser.until("3 mails").await;
            browser.follow("Aftale om virksomhedspraktik").await;
            browser.until("To personer skal være enige").await;
            browser.click("#d-redacted").await;
            browser
                .fill("#reason", "Praktikstedet har ikke brug for nummeret")
                .await;
            if i == 0 {
                browser.picture("four-eyes").await;
                browser.follow("Se kopien først").await;
                browser.until("der er ingen numre i den").await;
                browser.picture("copy").await;
                browser.is_fit_for_everybody("copy").await;
                browser
                    .fill("#reason", "Praktikstedet har ikke brug for nummeret")
                    .await;
                browser.click("form.box button").await;
                let waiting = browser.until("En anden skal også sige ja").await;
                assert!(waiting.contains("Har sagt ja: dorte"), "{waiting}");
                browser.picture("approved").await;
            } else {
                browser.click(".decide fieldset button").await;
                browser.until("Frigivet").await;
                world.wait(|| !world.mta.accepted().is_empty());
                for _ in 0..100 {
                    if browser.text().await.contains("4Yb1Zk0vQhz9rD") {
                        break;
                    }
                    browser.client.refresh().await.expect("again");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                browser.until("Taget af mailserveren som").await;
                browser.picture("released").await;
                browser.is_fit_for_everybody("released").await;
                // Refusing another.
                browser.open(&world, "/queue").await;
                browser.follow("Klasseliste til forældremødet").await;
                browser.click("#d-refuse").await;
                browser.fill("#reason", "Listen skal sendes som sikker post").await;
                browser.click(".decide fieldset button").await;
                let refused = browser.until("Sendt tilbage").await;
                assert!(refused.contains("afvist"), "{refused}");
                browser.picture("refused").await;
                browser.follow("Log").await;
                browser.until("Frigivet").await;
                browser.picture("trail").await;
                browser.is_fit_for_everybody("trail").await;
            }
            browser.client.close().await.expect("closed");
        }
    });
    let sent = world.mta.accepted();
    assert!(
        sent.iter()
            .all(|mail| !String::from_utf8_lossy(mail).contains(&number(8))),
        "the copy without numbers"
    );
    let all = world.store.list(&cpr_milter::store::Filter::default()).expect("list");
    let states = |state| {
        all.iter()
            .filter(|mail| mail.states.iter().any(|(s, _)| *s == state))
            .count()
    };
    assert_eq!(
        (states(State::Sent), states(State::Refused), states(State::Held)),
        (1, 1, 1)
    );
}

#[test]
fn it_is_used_by_keyboard_and_on_a_telephone() {
    let mut world = furnished();
    let lis = world.account("lis", Role::Reviewer, false);
    let root = world.account("root", Role::Administrator, false);
    world.start();
    world.wait(|| world.store.unmarked(10).expect("marks").is_empty());
    let driver = Driver::start();
    runtime().block_on(async {
        let browser = driver.browser("phone", "da", PHONE).await;
        browser.open(&world, "/sign-in").await;
        // Name, Tab, password, Tab, code, Enter.
        browser
            .fill(
                "#name",
                &format!("lis\u{e004}{PASSWORD}\u{e004}{}\u{e007}", lis.code(0)),
            )
            .await;
        browser.until("3 mails").await;
        browser.picture("phone-queue").await;
        browser.is_fit_for_everybody("phone-queue").await;
        browser.follow("Svar på anmodning om aktindsigt i byggesag").await;
        browser.until("Alle cifre er dækket").await;
        browser.picture("phone-mail").await;
        browser.is_fit_for_everybody("phone-mail").await;
        // The first Tab leads past the bar; what has the focus can be seen.
        let active = |script: &'static str| browser.client.execute(script, vec![]);
        browser.fill("body", "\u{e004}").await;
        let first = active("return document.activeElement.className").await.expect("focus");
        assert_eq!(first, json!("skip"));
        let ring = active("return getComputedStyle(document.activeElement).outlineStyle")
            .await
            .expect("ring");
        assert_eq!(ring, json!("solid"));
        browser.picture("phone-skip").await;
        browser.client.close().await.expect("closed");
        // Several at once: nothing chosen, then two that are alike, and a look before the deed.
        let browser = driver.browser("desk", "da", WIDE).await;
        browser.sign_in(&world, &lis, 1).await;
        browser.until("3 mails").await;
        browser.click("#b-refuse").await;
        browser.click(".bulk button").await;
        browser.until("Vælg mindst én mail").await;
        browser.picture("message").await;
        browser.is_fit_for_everybody("message").await;
        browser.client.back().await.expect("back");
        browser.until("3 mails").await;
        for row in [1, 2] {
            browser.click(&format!("tbody tr:nth-child({row}) input")).await;
        }
        browser.click("#b-refuse").await;
        browser.click(".bulk button").await;
        browser.until("Det her sker med dem alle").await;
        browser.picture("bulk").await;
        browser.is_fit_for_everybody("bulk").await;
        browser.fill("#reason", "Skal sendes som sikker post").await;
        browser.click("form.box button").await;
        browser.until("Afsenderen får besked").await;
        browser.picture("bulk-done").await;
        browser.follow("← Kø").await;
        browser.until("1 mail").await;
        browser.client.close().await.expect("closed");
        let browser = driver.browser("root", "en", WIDE).await;
        browser.sign_in(&world, &root, 0).await;
        browser.until("Accounts are made on the command line").await;
        browser.picture("accounts").await;
        browser.is_fit_for_everybody("accounts").await;
        browser.client.close().await.expect("closed");
    });
}
