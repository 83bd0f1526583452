//! The queue.

use crate::client::Client;
use crate::number;
use crate::world::{Mail, World};
use cpr_milter::store::{Order, Role, Search, State};
use std::time::Instant;

#[test]
fn the_queue_is_searched_sorted_and_says_what_was_seen_before() {
    let mut world = World::new("");
    let lis = world.account("lis", Role::Reviewer, false);
    let shared = number(11);
    let first = world.hold(&Mail::new("Første", &shared));
    let second = world.hold(&Mail {
        sender: "skole@skole.kommune.example",
        to: vec!["mor@anden.example"],
        file: Some(("liste.txt", format!("cpr {shared} {} {}", number(12), number(13)))),
        numbers: vec![shared.clone(), number(12), number(13)],
        rule: "many",
        ..Mail::new("Anden", &shared)
    });
    world.start();
    world.wait(|| world.store.unmarked(10).expect("marks").is_empty());
    let mut client = Client::signed_in(&world, &lis);
    let has = |body: &str| (body.contains("Første"), body.contains("Anden"));
    for (question, expected) in [
        ("", (true, true)),
        ("?text=borger@post.example", (true, false)),
        ("?text=BORGER@POST.example", (true, false)),
        ("?text=anden.example", (false, true)),
        ("?text=skole.kommune.example", (false, true)),
        ("?text=nobody@post.example", (false, false)),
        ("?text=%F0%9F%98%80@", (false, false)),
        ("?rule=many", (false, true)),
        ("?people=2", (false, true)),
        ("?place=attachment", (false, true)),
        ("?place=body", (true, false)),
        ("?state=sent", (false, false)),
        ("?state=all&confidence=certain", (true, true)),
        (&format!("?text={first}"), (true, false)),
    ] {
        let answer = client.get(&format!("/queue{question}"));
        assert_eq!(answer.status, 200, "{question}");
        assert_eq!(has(&answer.body), expected, "{question}");
    }
    let body = client.get("/queue?order=people").body;
    assert!(body.find("Anden") < body.find("Første"), "most people first");
    assert!(body.contains("Seen before: 1") && body.contains("b•••@post.example") && body.contains("aktindsigt"));
    let similar = client.get(&format!("/mail/{second}")).body;
    assert!(
        similar.contains("Same person") && similar.contains("Første"),
        "{similar}"
    );
    let listed = world.store.trail(None, 100).expect("trail");
    assert!(
        listed
            .iter()
            .any(|line| line.what == "listed" && line.detail.contains("\"searched\":true"))
    );
    assert!(
        !listed.iter().any(|line| line.detail.contains("post.example")),
        "what was searched for is not written down"
    );
}

#[test]
fn ten_thousand_mails_do_not_make_the_queue_slow() {
    let world = World::new("");
    world.hold(&Mail::new("Svar", &number(1)));
    let sql = rusqlite::Connection::open(world.path().join("store.db")).expect("database");
    sql.execute_batch(
        "WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
         INSERT INTO incident (n, id, received, expires, policy, rules, doubts, numbers, copies, content_pub, record_pub)
            SELECT i, printf('x%015d', i), received + i, expires + i, policy, rules, doubts, i % 7, 0, content_pub, record_pub
            FROM c, incident WHERE n = 1;
         WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
         INSERT INTO recipient (incident, number, address, state, rule, release_by, release_people, dsn)
            SELECT i, 0, address, CASE i % 10 WHEN 0 THEN 'sent' ELSE 'held' END, rule, release_by, release_people, dsn
            FROM c, recipient WHERE incident = 1;
         INSERT INTO desk SELECT n, n % 4, ' body ', n % 7 FROM incident;
         INSERT INTO finding SELECT n, 0, 'cpr', randomblob(32), 'likely', 1 FROM incident WHERE n > 1;
         INSERT INTO mark SELECT n, 'sender', randomblob(32) FROM incident;",
    )
    .expect("rows");
    let begun = Instant::now();
    let mut looks = 0;
    for (order, _) in Order::ALL {
        for page in [0, 10, 300] {
            let search = Search {
                state: Some(State::Held),
                order,
                page,
                size: 25,
                ..Search::default()
            };
            let found = world.store.queue(&search).expect("queue");
            assert_eq!((found.all, found.rows.len()), (9000, 25));
            looks += 1;
        }
    }
    let search = Search {
        state: Some(State::Held),
        rule: Some("outside".to_owned()),
        people: 3,
        text: "nobody@post.example".to_owned(),
        size: 25,
        ..Search::default()
    };
    assert_eq!(world.store.queue(&search).expect("queue").all, 0);
    let each = begun.elapsed() / (looks + 1);
    println!("ten thousand mails: a page takes {each:?}");
    assert!(each.as_millis() < 500, "a page takes {each:?}");
}
