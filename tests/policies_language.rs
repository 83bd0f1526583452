//! The one table of the language and what is made from it: the manual page and the JSON Schema say what the reader reads.

use cpr_milter::policy;
use std::path::Path;
use std::process::Command;
use time::macros::date;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_manual_page_is_the_one_that_the_table_makes() {
    let page = std::fs::read_to_string(root().join("packaging/man/cpr-milter-policy.5")).expect("the page");
    assert!(
        page == policy::manual(),
        "print it anew: cpr-milter policy manual > packaging/man/cpr-milter-policy.5"
    );
}

/// `mandoc` is in the list of packages that CI installs.
#[test]
fn the_manual_page_is_clean() {
    let out = Command::new("mandoc")
        .args(["-T", "lint", "-W", "style"])
        .arg(root().join("packaging/man/cpr-milter-policy.5"))
        .output()
        .expect("these tests need mandoc: apt-get install -y mandoc");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    // Whether the machine has an index of manual pages is no property of ours.
    let ours: Vec<&str> = said.lines().filter(|line| !line.contains("mandoc.db")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn the_policy_in_the_manual_is_sound_and_without_warnings() {
    let lists = |_: &str| Err("none".to_owned());
    let loaded = policy::load(policy::EXAMPLE, "example.yaml", date!(2026 - 11 - 25), &lists);
    let loaded =
        loaded.unwrap_or_else(|problems| panic!("{}", policy::render(&problems, "example.yaml", policy::EXAMPLE)));
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    assert!(loaded.tests.len() >= 6);
}
