//! Help, man pages and completions: they fit the screen, name exit codes and examples, and know
//! the values of options.
#![cfg(unix)]

use crate::desk;

use std::collections::BTreeSet;
use std::fs;

use desk::{Desk, all_commands};
use ownership_voucher::certificate::Permission;
use ownership_voucher::privacy::{DisclosureKind, Severity};
use ownership_voucher::{Allowance, Proved};

/// A part of a help text, without its heading.
fn section(help: &str, heading: &str) -> String {
    let start = format!("\n{heading}:\n");
    let (_, rest) = help.split_once(&start).unwrap_or_default();
    let lines = rest.lines().take_while(|line| line.starts_with(' '));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The commands of the examples: they are indented by six blanks, more where one goes on.
fn examples(help: &str) -> Vec<String> {
    let section = section(help, "Examples").replace("\\\n", "");
    let commands = section.lines().filter_map(|it| it.strip_prefix("      "));
    commands.map(words).collect()
}

/// The text with one blank between words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The exit codes.
fn codes(help: &str) -> BTreeSet<String> {
    let section = section(help, "Exit codes");
    let labels = section.lines().filter(|line| !line.starts_with("   "));
    let labels = labels.filter_map(|line| line.split_whitespace().next());
    labels.map(str::to_owned).collect()
}

#[test]
fn help_fits_into_80_columns() {
    let desk = Desk::new("help");
    let commands = all_commands(&desk);
    assert!(commands.len() >= 21, "{commands:?}");
    for command in commands {
        for flag in ["-h", "--help"] {
            let mut ov = desk.command();
            let args = command.split_whitespace().chain([flag]);
            let run = ov.args(args).env("COLUMNS", "80").output().unwrap();
            let help = String::from_utf8(run.stdout).unwrap();
            assert!(help.contains("\nUsage: ov"), "{command} {flag}: {help}");
            let long: Vec<_> = help.lines().filter(|it| it.chars().count() > 80).collect();
            assert_eq!(long, [""; 0], "{command} {flag}");
        }
    }
}

#[test]
fn every_example_works() {
    let desk = Desk::new("examples");
    for command in all_commands(&desk) {
        let short = examples(&desk.out(&format!("{command} -h")));
        let long = examples(&desk.out(&format!("{command} --help")));
        assert!(!long.is_empty(), "{command}");
        assert_eq!(short, long, "{command}");
        for line in long {
            assert!(line.starts_with(&format!("ov {command}")) || command.is_empty());
            let run = desk.shell(&line);
            let err = String::from_utf8_lossy(&run.stderr);
            assert_eq!(run.status.code(), Some(0), "{line}: {err}");
        }
    }
}

/// Arguments for which a command ends with a code; those of one command one after the other.
const CASES: &[(&str, &str, i32)] = &[
    ("verify", "--manufacturer manufacturers.pem shipment", 0),
    ("verify", "--any-origin forged.cbor", 1),
    ("verify", "--any-origin --expect 2 voucher.pem", 1),
    ("verify", "missing", 2),
    ("verify", "voucher.pem", 3),
    ("show", "voucher.pem", 0),
    ("show", "forged.cbor", 1),
    ("show", "missing", 2),
    ("audit", "voucher.pem", 0),
    ("audit", "forged.cbor", 1),
    ("audit", "missing", 2),
    (
        "new",
        "--device-info x --manufacturer maker.pub --epid --rv https://a.example --hmac-secret @secret.hex -o n.pem",
        0,
    ),
    (
        "new",
        "--device-info x --manufacturer missing --epid --rv https://a.example",
        2,
    ),
    (
        "extend",
        "voucher.pem --key mine.pem --to buyer.pub -o a.pem",
        0,
    ),
    ("extend", "forged.cbor --key mine.pem --to buyer.pub", 1),
    ("extend", "missing --key mine.pem --to buyer.pub", 2),
    ("convert", "voucher.pem -o c.pem", 0),
    ("convert", "strange.cbor", 1),
    ("convert", "missing", 2),
    ("keygen", "-o k.pem --public k.pub", 0),
    ("keygen", "-o k.pem", 2),
    ("fingerprint", "mine.pem buyer.pub", 0),
    ("fingerprint", "missing", 2),
    ("owned", "--owner mine.pub voucher.pem", 0),
    ("owned", "--owner buyer.pub voucher.pem", 1),
    ("owned", "--owner missing voucher.pem", 2),
    ("onetime master", "-o m", 0),
    ("onetime master", "-o m", 2),
    ("onetime keys", "--master m --order 1 --count 1", 0),
    ("onetime keys", "--master missing --order 1 --count 1", 2),
    ("onetime address", "--master m", 0),
    ("onetime address", "--master missing", 2),
    ("onetime scan-key", "--master m -o s", 0),
    ("onetime scan-key", "--master m -o s", 2),
    ("onetime find", "--scan-key s voucher.pem", 0),
    ("onetime find", "--scan-key s forged.cbor", 1),
    ("onetime find", "--scan-key s missing", 2),
    (
        "extend",
        "voucher.pem --key mine.pem --to k.pub -o b.pem",
        0,
    ),
    ("forks", "voucher.pem a.pem", 0),
    ("forks", "a.pem b.pem", 1),
    ("forks", "missing", 2),
    ("credential", "voucher.pem", 0),
    ("credential", "missing", 2),
    ("privacy", "voucher.pem", 0),
    ("privacy", "--refuse inherent voucher.pem", 1),
    ("privacy", "missing", 2),
    ("challenge", "voucher.pem --verifier x -o c", 0),
    ("challenge", "forged.cbor --verifier x", 1),
    ("challenge", "missing --verifier x", 2),
    (
        "prove",
        "voucher.pem --challenge c --verifier x --key mine.pem -o p",
        0,
    ),
    (
        "prove",
        "voucher.pem --challenge c --verifier y --key mine.pem",
        1,
    ),
    (
        "prove",
        "voucher.pem --challenge missing --verifier x --key mine.pem",
        2,
    ),
    (
        "check-proof",
        "voucher.pem --any-origin --challenge c --proof p",
        0,
    ),
    ("check-proof", "voucher.pem --challenge c --proof p", 3),
    (
        "check-proof",
        "voucher.pem --challenge c --proof secret.hex",
        1,
    ),
    (
        "check-proof",
        "voucher.pem --challenge missing --proof p",
        2,
    ),
    (
        "delegate",
        "voucher20.cbor --any-origin --allow fdo-2.0 --chain delegate.pem",
        0,
    ),
    (
        "delegate",
        "voucher20.cbor --any-origin --allow fdo-2.0 --chain delegate.pem --may provision",
        1,
    ),
    ("delegate", "voucher20.cbor --chain delegate.pem", 2),
    (
        "delegate",
        "voucher20.cbor --allow fdo-2.0 --to1d to1d.cbor",
        3,
    ),
    ("completions", "bash", 0),
    ("completions", "none", 2),
    ("man", "", 0),
    ("man", "--out-dir voucher.pem", 2),
];

#[test]
fn exit_codes_are_those_in_help() {
    let desk = Desk::new("codes");
    for (command, args, code) in CASES {
        let run = desk.ov(&format!("{command} {args}"));
        let err = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(*code), "{command} {args}: {err}");
    }
    for command in all_commands(&desk) {
        let mut told = codes(&desk.out(&format!("{command} --help")));
        assert!(told.contains("0"), "{command}: {told:?}");
        // Others try these: signals, and a closed output.
        told.retain(|code| !["128+N", "141"].contains(&code.as_str()));
        let seen = CASES.iter().filter(|case| case.0 == command);
        let seen: BTreeSet<String> = seen.map(|case| case.2.to_string()).collect();
        match command.as_str() {
            "" | "onetime" => assert!(seen.is_empty()),
            _ => assert_eq!(told, seen, "{command}"),
        }
    }
}

#[test]
fn man_pages_have_exit_codes_and_examples() {
    let desk = Desk::new("pages");
    assert_eq!(desk.ov("man --out-dir pages").status.code(), Some(0));
    for command in all_commands(&desk) {
        let name = format!("ov {command}").trim().replace(' ', "-");
        let page = fs::read_to_string(desk.0.join(format!("pages/{name}.1"))).unwrap();
        if command.is_empty() {
            assert_eq!(desk.out("man"), page);
        }
        let page = page
            .replace("\\-", "-")
            .replace("\\*(Aq", "'")
            .replace("\\\\", "\\");
        let page = page
            .replace("\\fR", "")
            .replace("\\fB", "")
            .replace("\\\n", "");
        let help = desk.out(&format!("{command} --help"));
        let (_, rest) = page.split_once(".SH \"EXIT STATUS\"\n").expect(&command);
        let (exits, shown) = rest.split_once(".SH EXAMPLES\n").expect(&command);
        for code in codes(&help) {
            assert!(
                exits.contains(&format!(".TP\n{code}\n")),
                "{command} {code}"
            );
        }
        let shown = words(shown);
        for example in examples(&help) {
            assert!(
                shown.contains(&format!(".nf {example} .fi")),
                "{example}: {shown}"
            );
        }
    }
}

/// Everything that an option accepts by name, from the library.
fn names() -> Vec<(&'static str, Vec<String>)> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let severities = Severity::ALL.map(|it| it.name()).to_vec();
    let mut kinds: Vec<&str> = DisclosureKind::ALL.iter().map(|it| it.name()).collect();
    kinds.extend(&severities);
    kinds.push("strict");
    vec![
        ("--require", owned(Proved::FACTS.to_vec())),
        (
            "--allow",
            owned(Allowance::ALL.iter().map(|it| it.name()).collect()),
        ),
        ("--refuse", owned(kinds)),
        (
            "--may",
            owned(Permission::ALL.iter().map(|it| it.name()).collect()),
        ),
        ("--type", owned(vec!["p256", "p384", "ed25519"])),
        ("--encoding", owned(vec!["x509", "cosekey", "crypto"])),
        ("--hash", owned(vec!["sha256", "sha384"])),
        ("--format", owned(vec!["pem", "cbor", "base64"])),
    ]
}

#[test]
fn completions_know_the_values_of_options() {
    let desk = Desk::new("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = desk.out(&format!("completions {shell}"));
        for (option, names) in names() {
            let flag = option.trim_start_matches('-');
            // The line with the option and its values; in bash the values follow on the next.
            let lines: Vec<&str> = text.lines().collect();
            let here = |at: usize| match shell {
                "bash" if lines[at].trim() == format!("{option})") => lines[at + 1].to_owned(),
                "zsh" if lines[at].contains(&format!("{option}=[")) => {
                    // Values with descriptions have a line each.
                    let end = lines[at..].iter().position(|it| it.ends_with("' \\"));
                    lines[at..=at + end.unwrap()].concat()
                }
                "fish" if lines[at].contains(&format!(" -l {flag} ")) => {
                    let next = |it: &&str| it.starts_with("complete ");
                    let end = lines[at + 1..].iter().position(next);
                    lines[at..=at + end.unwrap()].join("\n")
                }
                // Their descriptions name the values: `clap_complete` offers none there.
                "powershell" if lines[at].contains(&format!("'{option}'")) => lines[at].to_owned(),
                "elvish" if lines[at].contains(&format!("cand {option} ")) => lines[at].to_owned(),
                _ => String::new(),
            };
            let offers: Vec<String> = (0..lines.len()).map(here).collect();
            for name in names {
                let whole = |text: &String| {
                    let letter = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
                    text.split(|c| !letter(c)).any(|word| word == name)
                };
                assert!(offers.iter().any(whole), "{shell} {option}: {name}");
            }
        }
    }
}

/// Options for files offer files, those for folders offer folders.
#[test]
fn completions_offer_files_and_folders() {
    let desk = Desk::new("hints");
    let fish = desk.out("completions fish");
    let of = |command: &str, option: &str| -> Vec<String> {
        let command = format!("__fish_ov_using_subcommand {command}\"");
        let option = format!(" -l {option} ");
        let lines = fish
            .lines()
            .filter(|it| it.contains(&command) && it.contains(&option));
        lines.map(str::to_owned).collect()
    };
    let folders = of("convert", "out-dir").concat();
    assert!(folders.contains("__fish_complete_directories"), "{folders}");
    for (command, option) in [
        ("verify", "manufacturer"),
        ("extend", "key"),
        ("extend", "crl"),
    ] {
        let files = of(command, option).concat();
        assert!(files.contains(" -r -F"), "{command} {option}: {files}");
    }
    let zsh = desk.out("completions zsh");
    assert!(zsh.contains("--out-dir=[") && zsh.contains(":DIR:_files -/"));
    assert!(zsh.contains(":FILE:_files'"));
}
