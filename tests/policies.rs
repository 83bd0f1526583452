//! Policies as a compliance officer meets them: the shipped ones are sound, and a mistake is shown where it stands.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn policy(command: &str, file: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_cpr-milter");
    Command::new(program)
        .args(["policy", command])
        .arg(file)
        .output()
        .expect("the program runs")
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

#[test]
fn the_shipped_policies_are_sound_and_pass_their_own_tests() {
    for (name, least) in [
        ("municipality.yaml", 12),
        ("hospital.yaml", 8),
        ("small-business.yaml", 8),
    ] {
        let output = policy("test", &shipped().join(name));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        assert!(
            said.lines().filter(|line| line.starts_with("ok ")).count() >= least,
            "{name}: {said}"
        );
    }
}

#[test]
fn a_mistake_is_shown_with_its_line_and_keeps_the_policy_from_loading() {
    let source = std::fs::read_to_string(shipped().join("municipality.yaml")).expect("shipped");
    let folder = tempfile::tempdir().expect("folder");
    std::fs::create_dir(folder.path().join("lists")).expect("lists");
    for list in std::fs::read_dir(shipped().join("lists")).expect("lists") {
        let list = list.expect("list");
        std::fs::copy(list.path(), folder.path().join("lists").join(list.file_name())).expect("copied");
    }
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, source.replacen("then: quarantine", "then: quarantaine", 1)).expect("written");
    let line = source
        .lines()
        .position(|line| line.contains("then: quarantine"))
        .expect("a rule")
        + 1;
    let output = policy("check", &broken);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!(":{line}:")), "the line {line} is named: {said}");
    assert!(
        said.contains("quarantine`") || said.contains("quarantine?"),
        "the likely word is named: {said}"
    );
}

#[test]
fn ready_made_identifiers_are_asked_for_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = std::fs::read_to_string(shipped().join("small-business.yaml")).expect("a shipped policy");
    let check = |identifiers: &str| {
        let file = folder.path().join("policy.yaml");
        std::fs::write(&file, format!("{base}\nidentifiers:\n{identifiers}")).expect("written");
        let lists = folder.path().join("lists");
        if !lists.exists() {
            std::fs::create_dir(&lists).expect("a folder");
            for list in std::fs::read_dir(shipped().join("lists")).expect("lists").flatten() {
                std::fs::copy(list.path(), lists.join(list.file_name())).expect("copied");
            }
        }
        let output = policy("check", &file);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = check("  svensk: {use: se_personnummer}\n  kort: {use: payment_card, context: [betaling]}\n");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check("  svensk: {use: se_personnumer}\n");
    assert_ne!(code, Some(0));
    assert!(said.contains("se_personnummer"), "{said}");
    let (code, said) = check("  svensk: {use: iban, pattern: 'x'}\n");
    assert_ne!(code, Some(0));
    assert!(said.contains("no place beside `use`"), "{said}");
    let (code, said) = check("  svensk: {context: [x]}\n");
    assert_ne!(code, Some(0));
    assert!(said.contains("needs `pattern` or `use`"), "{said}");
}
