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
            said.lines()
                .filter(|line| line.starts_with("ok ") || line.starts_with("lapsed "))
                .count()
                >= least,
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

fn check(folder: &Path, bytes: &[u8]) -> (Option<i32>, String) {
    let file = folder.join("p.yaml");
    std::fs::write(&file, bytes).expect("written");
    let output = policy("check", &file);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

const SMALL: &str = "version: 1\nname: Prøve\nowner: dpo@k.example\ngroups:\n  inside: {domains: [k.example]}\n";

#[test]
fn a_file_in_another_encoding_is_shown_where_it_begins() {
    let folder = tempfile::tempdir().expect("folder");
    let ansi: Vec<u8> = SMALL
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("latin-1"))
        .collect();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(SMALL.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (bytes, expected) in [
        (&ansi[..], "p.yaml:2:9"),
        (&utf16, "this file is saved as UTF-16"),
        (b"version: 1\n\0\xff\xfe", "this file is no text"),
    ] {
        let (status, said) = check(folder.path(), bytes);
        assert_eq!(status, Some(1), "{said}");
        assert!(
            said.contains(expected) && said.contains("save the file as UTF-8"),
            "{said}"
        );
    }
}

#[test]
fn a_list_outside_the_policys_folder_is_neither_read_nor_shown() {
    let folder = tempfile::tempdir().expect("folder");
    let inner = folder.path().join("inner");
    std::fs::create_dir_all(inner.join("lists")).expect("folder");
    std::fs::write(folder.path().join("secret"), "AGE-SECRET-KEY-EXAMPLE\n").expect("written");
    let outside = folder.path().join("secret").display().to_string();
    for path in ["../secret", "lists/../../secret", &outside] {
        let (status, said) = check(&inner, format!("{SMALL}  media: {{file: {path}}}\n").as_bytes());
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("it lies outside the folder of the policy file"), "{said}");
        assert!(!said.contains("AGE-SECRET"), "{said}");
    }
    std::fs::write(inner.join("lists/a.txt"), b"# for\xe6ldre\na.example\n").expect("written");
    let (_, said) = check(&inner, format!("{SMALL}  media: {{file: ./lists/a.txt}}\n").as_bytes());
    assert!(
        said.contains("./lists/a.txt:1:6: this file is not saved as UTF-8"),
        "{said}"
    );
}

#[test]
fn explain_judges_for_nobody_else_than_was_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let explain = |options: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cpr-milter"))
            .args([
                "policy",
                "explain",
                "tests/data/mails/03-svar-til-borger.eml",
                "--policy",
            ])
            .arg(shipped().join("municipality.yaml"))
            .args(options)
            .current_dir(root)
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said.into_owned())
    };
    for wrong in [
        "hej",
        "Anna <a@b.example>",
        "a@b.example,c@d.example",
        "@b.example",
        "a@",
        "",
    ] {
        let (status, said) = explain(&["--to", wrong]);
        assert_eq!(status, Some(2), "{wrong}: {said}");
        assert!(said.contains("is no mail address"), "{said}");
    }
    let (status, said) = explain(&[
        "--from",
        "<>",
        "--to",
        "<a@b.example>",
        "--to",
        "kollega@kommune.example",
    ]);
    assert_eq!(status, Some(0), "{said}");
    for line in [
        "from    <> (outside)",
        "to      a@b.example (outside)",
        "to      kollega@kommune.example (inside)",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn the_style_of_redaction_is_box_label_or_remove() {
    let source = std::fs::read_to_string(shipped().join("small-business.yaml")).expect("shipped");
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("styled.yaml");
    for (lines, status, said) in [
        ("redaction: {style: label}", 0, ""),
        ("redaction: {style: remove}", 0, ""),
        ("redaction: {style: labels}", 1, "label"),
        ("redaction: {colour: black}", 1, "style"),
    ] {
        std::fs::write(&file, source.replacen("\nrules:", &format!("\n{lines}\nrules:"), 1)).expect("written");
        let output = policy("check", &file);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(status), "{lines}: {told}");
        assert!(told.contains(said), "{lines}: {told}");
    }
}
