//! A policy and the files around it, through the program: included files, attached files of tests, files that were cut off,
//! gateways that nobody knows, and the git hook.

use cpr_milter::cli::lists::{Lists, Look};
use cpr_milter::cli::policy::open;
use cpr_milter::types::danish_date;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cpr-milter");

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("folder"));
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, text).expect("written");
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let out = Command::new(PROGRAM)
            .args(words)
            .current_dir(self.0.path())
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        (out.status.code(), said.into_owned())
    }

    fn check(&self) -> (Option<i32>, String) {
        self.run(&["policy", "check", "p.yaml"])
    }
}

fn policy(include: &str) -> String {
    format!(
        "version: 1\nname: Prøve\nowner: dpo@k.example\n{include}groups:\n  inside: {{domains: [k.example]}}\n\
         rules:\n  - id: outside\n    title: Ud af huset\n    when: {{found: cpr, to: outside}}\n    then: quarantine\n\
         tests:\n  - name: Stop\n    from: a@k.example\n    to: b@post.example\n    text: \"CPR {{cpr}}\"\n    expect: quarantine\n...\n"
    )
}

const MEDIA: &str = "groups:\n  media: {domains: [avis.example]}\nrules:\n  - id: media\n    title: Til medier\n    \
    when: {found: cpr, to: media}\n    then: reject\ntests:\n  - name: Avis\n    from: a@k.example\n    to: red@avis.example\n    \
    text: \"CPR {cpr}\"\n    expect: reject\n    because: media\n...\n";

fn hash(said: &str) -> &str {
    said.rsplit("hash ").next().expect("a hash").trim()
}

#[test]
fn an_included_file_counts_as_if_it_stood_in_the_policy_and_in_its_hash() {
    let folder = Folder::new(&[
        ("p.yaml", &policy("include: [./dele/medier.yaml]\n")),
        ("dele/medier.yaml", MEDIA),
    ]);
    let (status, said) = folder.check();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("2 tests passed, no warnings"), "{said}");
    let before = hash(&said).to_owned();
    folder.write("dele/medier.yaml", &MEDIA.replace("Til medier", "Til medierne"));
    let (_, said) = folder.check();
    assert_ne!(hash(&said), before);
}

#[test]
fn a_mistake_is_shown_in_the_file_in_which_it_stands() {
    let folder = Folder::new(&[("p.yaml", &policy("include: dele/medier.yaml\n"))]);
    for (from, to, expected) in [
        (
            "then: reject",
            "then: rejct",
            &["--> dele/medier.yaml:7:11", "then: rejct", "did you mean `reject`?"][..],
        ),
        (
            "id: media",
            "id: outside",
            &["--> dele/medier.yaml:4:9", "the first one stands in line 8 of p.yaml"],
        ),
        (
            "  media: {domains: [avis.example]}",
            "  inside: {domains: [avis.example]}",
            &["--> dele/medier.yaml:2:3", "line 6 of p.yaml"],
        ),
        (
            "groups:",
            "name: Medier\ngroups:",
            &["--> dele/medier.yaml:1:1", "`name` belongs into the policy"],
        ),
        (
            "expect: reject",
            "expect: quarantine",
            &["--> dele/medier.yaml:13:13", "got `reject` by rule `media`"],
        ),
        (
            "...\n",
            "",
            &["--> dele/medier.yaml:14:5", "the file does not end with `...`"],
        ),
    ] {
        assert!(MEDIA.contains(from), "{from}");
        folder.write("dele/medier.yaml", &MEDIA.replacen(from, to, 1));
        let (status, said) = folder.check();
        assert_eq!(status, Some(1), "{to}: {said}");
        for text in expected {
            assert!(said.contains(text), "{to}: “{text}” is not in\n{said}");
        }
    }
}

#[test]
fn circles_repeats_and_files_outside_the_folder_are_refused() {
    let end = "...\n";
    for (main, others, expected) in [
        (
            "a.yaml",
            &[("a.yaml", "include: b.yaml\n"), ("b.yaml", "include: ./a.yaml\n")][..],
            "in a circle: `a.yaml`, `b.yaml`, `a.yaml`",
        ),
        (
            "[a.yaml, a.yaml]",
            &[("a.yaml", "rules: []\n")],
            "`a.yaml` is included already",
        ),
        ("../a.yaml", &[], "it lies outside the folder of the policy file"),
        ("missing.yaml", &[], "the file `missing.yaml` cannot be read"),
    ] {
        let folder = Folder::new(&[("p.yaml", &policy(&format!("include: {main}\n")))]);
        for (name, text) in others {
            folder.write(name, &format!("{text}{end}"));
        }
        let (status, said) = folder.check();
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let folder = Folder::new(&[("p.yaml", &policy("include: f0.yaml\n"))]);
    for i in 0..20 {
        folder.write(&format!("f{i}.yaml"), &format!("include: f{}.yaml\n{end}", i + 1));
    }
    let (status, said) = folder.check();
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("--> f7.yaml:1:10") && said.contains("too deeply"),
        "{said}"
    );
}

#[test]
fn a_number_in_an_included_file_is_refused_at_its_place() {
    let number = made_up();
    let folder = Folder::new(&[
        ("p.yaml", &policy("include: a.yaml\n")),
        ("a.yaml", &format!("rules: []\n# fx {number}\n...\n")),
    ]);
    let (status, said) = folder.check();
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("a.yaml:2:6") && said.contains("this looks like a real CPR number"),
        "{said}"
    );
    assert!(!said.contains(&number), "{said}");
}

/// A number with modulus 11, computed here, so that none stands in this file.
fn made_up() -> String {
    let weights = [4u32, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let sum = |n: &String| {
        n.bytes()
            .zip(weights)
            .map(|(d, w)| u32::from(d - b'0') * w)
            .sum::<u32>()
    };
    let mut all = (1000..4000).map(|serial| format!("150372{serial}"));
    let number = all.find(|n| sum(n).is_multiple_of(11)).expect("one of eleven");
    format!("{}-{}", &number[..6], &number[6..])
}

/// Cut at each line: what loads is the whole file and nothing else.
#[test]
fn a_file_that_was_cut_off_does_not_come_into_force() {
    let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/small-business.yaml"));
    let shipped = shipped.expect("shipped");
    let folder = Folder::new(&[]);
    let ends: Vec<usize> = shipped.match_indices('\n').map(|(i, _)| i + 1).collect();
    let rules = shipped.find("\nrules:").expect("rules");
    for &end in ends
        .iter()
        .filter(|end| **end > rules && **end < shipped.len())
        .step_by(5)
    {
        folder.write("p.yaml", &shipped[..end]);
        let (status, said) = folder.check();
        assert_eq!(status, Some(1), "cut at byte {end}: {said}");
    }
    folder.write("p.yaml", &shipped);
    assert_eq!(folder.check().0, Some(0));
}

#[test]
fn html_and_attached_files_are_read_as_in_a_real_mail() {
    let tests = "tests:\n\
         \x20 - name: Brev\n    from: a@k.example\n    to: b@post.example\n    attachments: [bilag/brev.csv]\n    expect: quarantine\n    because: outside\n\
         \x20 - name: Pænt brev\n    from: a@k.example\n    to: b@post.example\n    attachments: [bilag/fri.csv]\n    expect: deliver\n\
         \x20 - name: Delt over mærker\n    from: a@k.example\n    to: b@post.example\n    html: \"<p>CPR <b>{cpr}</b></p>\"\n    expect: quarantine\n\
         \x20 - name: Skjult i HTML\n    from: a@k.example\n    to: b@post.example\n    html: \"<p>Hej<span style='display:none'>CPR {cpr}</span></p>\"\n    expect: quarantine\n    because: hidden\n\
         \x20 - name: Beskyttet i HTML\n    from: a@k.example\n    to: c@k.example\n    html: \"<p>CPR {a}</p>\"\n    given: {protected: [a]}\n    expect: reject\n\
         \x20 - name: Låst\n    from: a@k.example\n    to: b@post.example\n    text: Se vedlagte\n    attachments: [bilag/brudt.zip]\n    expect: warn\n";
    let rules = "rules:\n  - id: hidden\n    title: Skjult\n    when: {found: hidden, to: outside}\n    then: quarantine\n\
         \x20 - id: p\n    title: Beskyttet\n    when: {found: protected_person}\n    then: reject\n\
         \x20 - id: broken\n    title: Brudt\n    when: {found: unscannable, to: outside}\n    then: warn\n";
    let source = policy("").replacen("rules:\n", rules, 1).replacen("tests:\n", tests, 1);
    let folder = Folder::new(&[
        ("p.yaml", &source),
        ("bilag/brev.csv", &format!("navn;cpr\nAlma;{}\n", made_up())),
        ("bilag/fri.csv", "navn;klasse\nAlma;3a\n"),
        ("bilag/brudt.zip", "PK\u{3}\u{4}brudt"),
    ]);
    let (status, said) = folder.run(&["policy", "test", "p.yaml"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("7 tests passed"), "{said}");
    folder.write("p.yaml", &source.replacen("bilag/brev.csv", "bilag/vaek.csv", 1));
    let (status, said) = folder.run(&["policy", "test", "p.yaml"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("the file `bilag/vaek.csv` cannot be read"), "{said}");
}

#[test]
fn a_gateway_that_the_administrator_has_not_set_up_is_told_at_its_place() {
    let rules = "rules:\n  - id: secure\n    title: Sikker post\n    when: {found: cpr, to: outside}\n    then: reroute\n    gateway: sikkerpost\n";
    let source = policy("")
        .replacen("rules:\n", rules, 1)
        .replacen("then: quarantine\n", "then: quarantine\n    except: [rerouted]\n", 1)
        .replacen("expect: quarantine", "expect: reroute", 1);
    let config = "policy: p.yaml\nlisten: unix:/run/x.sock\nstore: s.db\nkeys: keys\nreinject: 127.0.0.1:10026\n";
    let folder = Folder::new(&[("p.yaml", &source), ("c.yaml", config)]);
    assert_eq!(folder.check().0, Some(0));
    let check = || folder.run(&["policy", "check", "p.yaml", "--config", "c.yaml"]);
    let (status, said) = check();
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("p.yaml:11:14: the gateway `sikkerpost` is not among `gateways`"),
        "{said}"
    );
    folder.write(
        "c.yaml",
        &format!("{config}gateways: {{sikkerpost: {{host: gw.example}}}}\n"),
    );
    let (status, said) = check();
    assert_eq!(status, Some(0), "{said}");
}

/// What the documentation says about git is tried, not only said.
#[test]
fn the_git_hook_lets_no_broken_policy_be_committed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::new(&[("p.yaml", &policy("include: media.yaml\n")), ("media.yaml", MEDIA)]);
    let path = format!(
        "{}:{}",
        Path::new(PROGRAM).parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let git = |words: &[&str]| {
        let out = Command::new("git")
            .args(["-c", "user.name=Lis", "-c", "user.email=lis@k.example"])
            .args(words)
            .current_dir(folder.0.path())
            .env("PATH", &path)
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .expect("git runs");
        let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        (out.status.success(), said.into_owned())
    };
    assert!(git(&["init", "--quiet"]).0);
    let hook = folder.0.path().join(".git/hooks/pre-commit");
    fs::copy(root.join("packaging/git/pre-commit"), &hook).expect("copied");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("executable");
    let commit = || {
        assert!(git(&["add", "-A"]).0);
        git(&["commit", "--quiet", "-m", "change"])
    };
    let (done, said) = commit();
    assert!(done, "{said}");
    folder.write("media.yaml", &MEDIA.replace("then: reject", "then: log"));
    let (done, said) = commit();
    assert!(
        !done && said.contains("media.yaml") && said.contains("got `quarantine` by rule `outside`"),
        "{said}"
    );
    // Judged is what is staged: a mend that is not added does not help.
    folder.write("media.yaml", MEDIA);
    let (done, said) = git(&["commit", "--quiet", "-m", "change"]);
    assert!(!done, "{said}");
    let (done, said) = {
        assert!(git(&["add", "-A"]).0);
        git(&["commit", "--quiet", "--allow-empty", "-m", "mended"])
    };
    assert!(done, "{said}");
}

/// A list is in force when it changes; what the policy includes, only with the policy itself.
#[test]
fn a_list_of_an_included_file_changes_by_itself_and_the_included_file_does_not() {
    let part = MEDIA.replace("{domains: [avis.example]}", "{file: lists/media.txt}");
    let folder = Folder::new(&[
        ("p.yaml", &policy("include: part.yaml\n")),
        ("part.yaml", &part),
        ("lists/media.txt", "avis.example\n"),
    ]);
    let path = folder.0.path().join("p.yaml");
    let today = danish_date(time::OffsetDateTime::now_utc());
    let opened = open(&path, today).expect("sound");
    let before = opened.loaded.policy.hash().to_owned();
    let mut lists = Lists::of(&path, &opened);
    assert!(matches!(lists.look(today), Look::Same));

    folder.write("part.yaml", &part.replace("title: Til medier", "title: Til aviser"));
    assert!(matches!(lists.look(today), Look::Same));
    assert!(
        matches!(lists.look(today), Look::Same),
        "an included file waits for SIGHUP"
    );

    folder.write("lists/media.txt", "avis.example\nblad.example\n");
    assert!(
        matches!(lists.look(today), Look::Same),
        "not before it has come to rest"
    );
    let Look::New(with_list) = lists.look(today) else {
        panic!("the list is not in force");
    };
    let with_both = open(&path, today).expect("sound").loaded.policy;
    assert_ne!(with_list.hash(), before);
    assert_ne!(
        with_list.hash(),
        with_both.hash(),
        "the included file came into force with the list"
    );
    assert_eq!(with_list.files(), with_both.files());
}
