//! What a person at a terminal sees: a table of its width, colours where the terminal has them, and
//! nothing that a terminal would obey but these.
#![cfg(unix)]

use crate::common;
use crate::desk;

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::FromRawFd as _;
use std::ptr::null_mut;

use desk::Desk;

/// The ways in which the words are coloured, told by other means than the program's.
const GREEN: &str = "\u{1b}[1m\u{1b}[32m";
const YELLOW: &str = "\u{1b}[1m\u{1b}[33m";
const RED: &str = "\u{1b}[1m\u{1b}[31m";
const END: &str = "\u{1b}[0m";

/// Both ends of a terminal, ours first.
#[expect(
    unsafe_code,
    reason = "safe crates ask for other features of what `ov` is made of"
)]
fn terminal(columns: u16) -> (File, File) {
    let (mut ours, mut theirs) = (-1, -1);
    let mut size = libc::winsize {
        // As `script` leaves it: the columns alone count.
        ws_row: 0,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: two places for descriptors, none for a name, no settings, and a size.
    let opened = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            null_mut(),
            null_mut(),
            &raw mut size,
        )
    };
    assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: both were opened here and belong to nobody else.
    unsafe { (File::from_raw_fd(ours), File::from_raw_fd(theirs)) }
}

/// What `ov` prints to a terminal with this number of columns and these variables, outputs and
/// messages together, and its exit code.
pub(crate) fn on_terminal(
    desk: &Desk,
    columns: u16,
    variables: &[(&str, &str)],
    args: &[&str],
) -> (String, i32) {
    let (mut ours, theirs) = terminal(columns);
    let mut ov = desk.command();
    ov.args(args).env("TERM", "xterm");
    ov.envs(variables.iter().copied());
    ov.stdin(theirs.try_clone().unwrap());
    ov.stdout(theirs.try_clone().unwrap());
    ov.stderr(theirs);
    let mut child = ov.spawn().unwrap();
    // It holds our copies of their end.
    drop(ov);
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    while let got @ 1.. = read_terminal(&mut ours, &mut part) {
        text.extend_from_slice(&part[..got]);
    }
    let code = child.wait().unwrap().code().unwrap();
    (String::from_utf8(text).unwrap().replace("\r\n", "\n"), code)
}

/// Reads what is written to the other end of a terminal: 0 bytes when that is closed and nothing is left.
pub(crate) fn read_terminal(ours: &mut File, part: &mut [u8]) -> usize {
    // A closed end is an error on Linux, which can come before the last text: a read finds nothing, then
    // come text and the close, and then the read sees the close. The next read begins behind all of it.
    let got = ours.read(part).or_else(|_| ours.read(part));
    got.unwrap_or(0)
}

fn run(desk: &Desk, columns: u16, args: &str) -> String {
    let args: Vec<&str> = args.split(' ').collect();
    on_terminal(desk, columns, &[], &args).0
}

/// The text without colours: without SGR (ECMA-48), and nothing else.
pub(crate) fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';');
        let (_, rest) = part.split_at(end.unwrap());
        plain += rest.strip_prefix('m').expect("a colour and nothing else");
    }
    plain
}

/// Lines with more columns; all characters that are used here take one.
pub(crate) fn too_long(text: &str, columns: usize) -> Vec<String> {
    let lines = uncoloured(text);
    let long = lines.lines().filter(|line| line.chars().count() > columns);
    long.map(str::to_owned).collect()
}

#[test]
fn verdicts_are_a_table_of_the_width_of_the_terminal() {
    let desk = Desk::new("table");
    let verify =
        "verify --manufacturer manufacturers.pem --owner mine.pub shipment forged.cbor missing";
    for columns in [80, 100, 132, 200] {
        let seen = run(&desk, columns, verify);
        assert_eq!(too_long(&seen, columns.into()), [""; 0], "{columns}");
        let seen = uncoloured(&seen);
        let caption = "Also proved for each voucher unless stated otherwise: manufacturer, owner";
        assert_eq!(seen.lines().next(), Some(caption));
        let heading = seen.lines().nth(1).unwrap();
        assert!(heading.starts_with("VERDICT     VOUCHER "), "{heading}");
        let place = |word: &str| heading.find(word).unwrap();
        let rows: Vec<&str> = seen
            .lines()
            .filter(|it| it.starts_with("verified  "))
            .collect();
        assert_eq!(rows.len(), 27, "{columns}: {seen}");
        for row in &rows {
            let cells: Vec<char> = row.chars().collect();
            for column in ["VOUCHER", "GUID", "OWNER"] {
                let at = place(column);
                assert!(cells[at - 2..at].iter().all(|c| *c == ' '), "{row}");
                assert!(cells[at] != ' ', "{row}");
            }
            // The numbers of entries end where their heading ends.
            let end = place("ENTRIES") + "ENTRIES".len();
            assert!(
                cells[end - 1].is_ascii_digit() && cells[end] == ' ',
                "{row}"
            );
        }
        // The beginnings of GUIDs, and the ends of names.
        assert!(rows[0].contains("  151852"), "{}", rows[0]);
        assert!(rows[0].contains("-gw100-0001.cbor"), "{}", rows[0]);
        // Errors are complete, on lines of their own where they do not fit.
        let words: Vec<&str> = seen.split_whitespace().collect();
        let error = "the signature does not verify (entry 0, byte 392) (signature-invalid)";
        assert!(words.join(" ").contains(error), "{seen}");
        assert!(seen.contains("\nunread      missing"), "{seen}");
        assert!(seen.contains("\nrejected    forged.cbor "), "{seen}");
    }
    let wide = run(&desk, 200, verify);
    assert!(!wide.contains('…'), "{wide}");
    assert!(
        wide.contains("  151852d7f90e28be205a94ff77dbef9c  "),
        "{wide}"
    );
}

/// A terminal without a size has 80 columns, or as many as a variable says.
#[test]
fn a_terminal_of_unknown_width_has_80_columns() {
    let desk = Desk::new("unknown");
    let args = ["verify", "shipment"];
    let (seen, _) = on_terminal(&desk, 0, &[], &args);
    assert_eq!(too_long(&seen, 80), [""; 0]);
    assert!(seen.contains('…'));
    let (seen, _) = on_terminal(&desk, 0, &[("COLUMNS", "150")], &args);
    assert!(!seen.contains('…'));
    // Nothing is so narrow that it fails.
    for columns in [1, 7, 40] {
        let (seen, code) = on_terminal(&desk, columns, &[], &args);
        assert_eq!(code, 3, "{seen}");
    }
}

#[test]
fn what_is_asked_for_and_not_proved_is_said() {
    let desk = Desk::new("unproved");
    // Without entries the manufacturer has signed nothing.
    let voucher = common::voucher(ownership_voucher::KeyType::Secp256r1, 7, 0);
    fs::write(desk.0.join("none.cbor"), voucher).unwrap();
    let seen = run(&desk, 80, "verify --manufacturer maker.pub none.cbor");
    let seen = uncoloured(&seen);
    assert!(seen.contains("\nunanchored  none.cbor "), "{seen}");
    assert!(seen.contains("not proved: manufacturer"), "{seen}");
    assert!(seen.contains("1 intact, origin not checked"), "{seen}");
}

#[test]
fn a_pipe_gets_complete_lines() {
    let desk = Desk::new("complete");
    let name = format!("{}.cbor", "long-".repeat(40));
    let alder = desk.0.join("shipment/alder-gw100-0001.cbor");
    fs::copy(alder, desk.0.join(&name)).unwrap();
    for variables in [&[][..], &[("COLUMNS", "80")]] {
        let mut ov = desk.command();
        ov.args(["verify", "--manufacturer", "manufacturers.pem", &name]);
        let run = ov.envs(variables.iter().copied()).output().unwrap();
        let out = String::from_utf8(run.stdout).unwrap();
        let line = format!(
            "verified  {name}  151852d7f90e28be205a94ff77dbef9c  1 entry  owner 4fb62865e5497d6a  \
             proved also: manufacturer  manufacturer: manufacturers.pem, key 1\n1 voucher: 1 verified, 0 rejected\n"
        );
        assert_eq!(out, line);
    }
}

#[test]
fn verdicts_have_colours_on_a_terminal() {
    let desk = Desk::new("colours");
    let green = format!("{GREEN}verified{END}");
    let yellow = format!("{YELLOW}unanchored{END}");
    let red = format!("{RED}rejected{END}");
    let maker = "--manufacturer manufacturers.pem";
    for args in [
        "keygen -o k.pem --public k.pub",
        "extend voucher.pem --key mine.pem --to buyer.pub -o a.pem",
        "extend voucher.pem --key mine.pem --to k.pub -o b.pem",
        "challenge voucher.pem --verifier x -o c",
        "prove voucher.pem --challenge c --verifier x --key mine.pem -o p",
    ] {
        assert!(desk.ov(args).status.success(), "{args}");
    }
    let check = "check-proof voucher.pem --challenge c --proof";
    for (args, colour) in [
        (format!("{check} p {maker}"), format!("{GREEN}proved{END}")),
        (
            format!("{check} p"),
            format!("{YELLOW}proved, origin not checked{END}"),
        ),
        (format!("{check} mine.pub"), format!("{RED}ov:{END} ")),
        (format!("{check} secret.hex"), red.clone()),
        ("forks a.pem b.pem".into(), format!("{RED}fork{END} ")),
        (
            "extend forged.cbor --key mine.pem --to k.pub".into(),
            format!("{RED}ov:{END} "),
        ),
        (format!("verify {maker} voucher.pem"), green.clone()),
        ("verify voucher.pem".into(), yellow),
        ("verify forged.cbor".into(), red.clone()),
        ("verify missing".into(), format!("{RED}unread{END}")),
        (format!("show {maker} voucher.pem"), green.clone()),
        (
            "show voucher.pem".into(),
            format!("{YELLOW}intact, origin not checked{END}"),
        ),
        ("show forged.cbor".into(), red.clone()),
        (format!("audit {maker} voucher.pem"), green),
        ("audit forged.cbor".into(), red),
        ("audit forged.cbor".into(), format!("{RED}error{END} ")),
        ("privacy strange.cbor".into(), format!("{RED}rejected{END}")),
        ("convert strange.cbor".into(), format!("{RED}ov:{END} ")),
        ("keygen -o voucher.pem".into(), format!("{RED}ov:{END} ")),
        ("verify".into(), format!("{RED}error:{END}")),
    ] {
        let seen = run(&desk, 80, &args);
        assert!(seen.contains(&colour), "{args}: {seen:?}");
        // JSON has none, wherever it goes.
        if args.starts_with("verify ") {
            let seen = run(&desk, 80, &format!("{args} --json"));
            let json = seen.lines().filter(|line| line.starts_with('{')).count();
            assert_eq!(json, 1, "{seen}");
            assert!(!seen.contains('\u{1b}'), "{args}: {seen:?}");
        }
    }
    let help = run(&desk, 80, "help verify");
    assert!(help.contains('\u{1b}') && uncoloured(&help).contains("\nExit codes:\n"));
}

/// <https://no-color.org> and <https://bixense.com/clicolors/>.
#[test]
fn colours_follow_terminal_and_environment() {
    let desk = Desk::new("environment");
    for args in [
        &["verify", "voucher.pem", "forged.cbor", "missing"][..],
        &["show", "voucher.pem"],
        &["audit", "voucher.pem", "forged.cbor"],
        &["verify", "--nothing"],
        &["keygen", "-o", "voucher.pem"],
        &["help", "verify"],
    ] {
        let (coloured, code) = on_terminal(&desk, 80, &[], args);
        assert!(coloured.contains('\u{1b}'), "{args:?}: {coloured}");
        for (variables, wanted) in [
            (&[("NO_COLOR", "1")][..], false),
            (&[("NO_COLOR", "")], true),
            (&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (&[("CLICOLOR", "0")], false),
            (&[("TERM", "dumb")], false),
            // A build server is no better a terminal.
            (&[("TERM", "dumb"), ("CI", "true")], false),
        ] {
            let (seen, other) = on_terminal(&desk, 80, variables, args);
            assert_eq!(
                seen.contains('\u{1b}'),
                wanted,
                "{args:?} {variables:?}: {seen}"
            );
            // Colour carries nothing that words do not.
            assert_eq!(uncoloured(&seen), uncoloured(&coloured), "{args:?}");
            assert_eq!(other, code);
        }
        // Where there is no terminal.
        for (variables, wanted) in [
            (&[][..], false),
            (&[("TERM", "xterm"), ("CLICOLOR", "1")], false),
            (&[("CLICOLOR_FORCE", "1")], true),
            (&[("CLICOLOR_FORCE", "")], false),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            let mut ov = desk.command();
            let run = ov
                .args(args)
                .envs(variables.iter().copied())
                .output()
                .unwrap();
            let seen = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
            assert_eq!(
                seen.contains('\u{1b}'),
                wanted,
                "{args:?} {variables:?}: {seen}"
            );
            let plain = desk.command().args(args).output().unwrap();
            let plain = String::from_utf8([plain.stdout, plain.stderr].concat()).unwrap();
            assert_eq!(uncoloured(&seen), plain, "{args:?}");
        }
    }
}

/// Vouchers and keys are bytes: they are written as they are. Receipts and messages among them are
/// JSON.
#[test]
fn data_is_never_coloured() {
    let desk = Desk::new("data-colours");
    let mut ov = desk.command();
    ov.args("extend forged.cbor --key mine.pem --to buyer.pub".split(' '));
    let err = ov.env("CLICOLOR_FORCE", "1").output().unwrap().stderr;
    let told: serde_json::Value = serde_json::from_slice(&err).unwrap();
    let message = told["message"].as_str().unwrap();
    assert!(
        message.starts_with("forged.cbor: not extended: "),
        "{message}"
    );
    let plain = desk.ov("convert -f cbor voucher.pem").stdout;
    let mut ov = desk.command();
    ov.args(["convert", "-f", "cbor", "voucher.pem"]);
    let forced = ov.env("CLICOLOR_FORCE", "1").output().unwrap().stdout;
    assert!(!plain.is_empty());
    assert_eq!(plain, forced);
}

/// ESC, CSI in C1, right-to-left override, DEL and a line end, in the name of a file.
const NAME: &str = "v\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\nok.cbor";

#[test]
fn names_cannot_move_the_cursor_between_colours() {
    let desk = Desk::new("names");
    for (from, to) in [
        ("gateways/alder-gw100-0001.cbor", format!("in/{NAME}")),
        ("forged.cbor", format!("in/f{NAME}")),
        ("strange.cbor", format!("in/{}{NAME}", "日本".repeat(20))),
    ] {
        fs::create_dir_all(desk.0.join("in")).unwrap();
        fs::copy(desk.0.join(from), desk.0.join(to)).unwrap();
    }
    let option = format!("--no{NAME}");
    for args in [
        &["verify", "in"][..],
        &["verify", NAME],
        &["show", "in"],
        &["audit", "in"],
        &["privacy", "in"],
        &["forks", "in"],
        &["convert", NAME],
        &["keygen", "-o", NAME, "--public", "no/p"],
        &["verify", "--owner", NAME, "in"],
        &["verify", "--at", NAME, "in"],
        &["verify", "--require", NAME, "in"],
        &[option.as_str()],
        &[NAME],
    ] {
        for columns in [30, 80, 300] {
            let (seen, _) = on_terminal(&desk, columns, &[], args);
            let plain = uncoloured(&seen);
            let obeyed = |c: &char| *c != '\n' && (c.is_control() || *c == '\u{202e}');
            let obeyed: Vec<char> = plain.chars().filter(obeyed).collect();
            assert_eq!(obeyed, [], "{args:?}: {seen:?}");
            assert!(!seen.contains("\u{1b}[2J"), "{args:?}: {seen:?}");
            assert!(!plain.contains("\nok.cbor"), "{args:?}: {seen:?}");
        }
    }
}

#[test]
fn help_fits_the_terminal() {
    let desk = Desk::new("help-width");
    for (columns, most) in [(80, 80), (90, 90), (200, 100)] {
        for args in ["--help", "-h", "verify --help", "extend -h", "help privacy"] {
            let help = run(&desk, columns, args);
            assert_eq!(too_long(&help, most), [""; 0], "{columns} {args}");
            let longest = uncoloured(&help).lines().map(|it| it.chars().count()).max();
            assert!(longest.unwrap() > most - 15, "{columns} {args}: {help}");
        }
    }
}
