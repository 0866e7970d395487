//! The reader of the standard output closes it early: a report ends quietly, and what was to be
//! kept is an error.
#![cfg(unix)]

use crate::common;
use crate::desk;

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use desk::Desk;

/// The exit code and the standard error of `ov` whose output nobody reads.
fn unread(desk: &Desk, args: &str) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut ov = desk.command();
    ov.args(args.split_whitespace()).stdout(writer);
    let run = ov.output().unwrap();
    let err = String::from_utf8(run.stderr).unwrap();
    assert!(!err.contains("panicked"), "{args}: {err}");
    assert!(!err.to_lowercase().contains("broken pipe"), "{args}: {err}");
    (run.status.code(), err)
}

/// A folder with two continuations of one voucher, a proof, and vouchers sold to an address.
fn desk(name: &str) -> Desk {
    let desk = Desk::new(name);
    for args in [
        "keygen -o k.pem --public k.pub",
        "extend voucher.pem --key mine.pem --to buyer.pub -o a.pem",
        "extend voucher.pem --key mine.pem --to k.pub -o b.pem",
        "challenge voucher.pem --verifier x -o c",
        "prove voucher.pem --challenge c --verifier x --key mine.pem -o p",
        "onetime master -o m",
        "onetime scan-key --master m -o s",
    ] {
        assert!(desk.ov(args).status.success(), "{args}");
    }
    let address = desk.out("onetime address --master m");
    let sell = format!("extend voucher.pem --key mine.pem --to-address {address} -o mine2.pem");
    assert!(desk.ov(&sell).status.success());
    desk
}

#[test]
fn a_report_that_nobody_reads_ends_quietly() {
    let desk = desk("reports");
    for args in [
        "verify shipment",
        "verify --json shipment",
        "verify -q shipment",
        "show shipment",
        "show --json shipment",
        "show --diag shipment",
        "audit shipment",
        "audit --json shipment",
        "forks a.pem b.pem",
        "forks --json a.pem b.pem",
        "privacy shipment",
        "privacy --json shipment",
        "onetime find --any-origin --scan-key s mine2.pem",
        "onetime find --any-origin --json --scan-key s mine2.pem",
        "check-proof --any-origin voucher.pem --challenge c --proof p",
        "check-proof --any-origin --json voucher.pem --challenge c --proof p",
        "completions bash",
        "completions zsh",
        "man",
        "--help",
        "help extend",
        "--version",
    ] {
        assert_eq!(unread(&desk, args), (Some(141), String::new()), "{args}");
    }
}

/// As `head -1` does it: something is read, then the pipe is closed.
#[test]
fn a_reader_may_stop_after_the_first_line() {
    let desk = Desk::new("head");
    let voucher = common::voucher(ownership_voucher::KeyType::Secp256r1, 1, 0);
    fs::write(desk.0.join("many.cbor"), voucher.repeat(5000)).unwrap();
    for args in [
        "verify --any-origin many.cbor",
        "verify --any-origin --json many.cbor",
        "show many.cbor",
        "privacy many.cbor",
    ] {
        let mut ov = desk.command();
        ov.args(args.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = ov.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut [0; 80]).unwrap();
        drop(output);
        let run = child.wait_with_output().unwrap();
        assert_eq!(run.status.code(), Some(141), "{args}");
        assert_eq!(String::from_utf8(run.stderr).unwrap(), "", "{args}");
    }
}

#[test]
fn data_that_nobody_reads_is_an_error() {
    let desk = desk("data");
    for args in [
        "new --device-info x --manufacturer maker.pub --epid --rv https://a.example \
         --hmac-secret @secret.hex",
        "extend voucher.pem --key mine.pem --to buyer.pub",
        "extend voucher.pem --key mine.pem --to buyer.pub -f cbor",
        "extend voucher.pem --key mine.pem --to buyer.pub -o new.pem --receipt -",
        "extend voucher.pem --to-be-signed - --to buyer.pub",
        "convert shipment",
        "convert shipment -f base64 -o -",
        "keygen -o new.key",
        "keygen -o -",
        "onetime keys --master m --order 1 --count 1",
        "onetime address --master m",
        "challenge voucher.pem --verifier x",
        "prove voucher.pem --challenge c --verifier x --key mine.pem",
        "prove voucher.pem --challenge c --verifier x --to-be-signed -",
    ] {
        let (code, err) = unread(&desk, args);
        assert_eq!(code, Some(2), "{args}: {err}");
        let told = "cannot write to the standard output: its reader closed it before the end";
        assert!(err.contains(told), "{args}: {err}");
    }
    // Nothing remains of the hand-over whose receipt nobody read.
    assert!(!desk.0.join("new.pem").exists());
}

/// An error about a named pipe gives its name.
#[test]
fn a_named_pipe_that_nobody_reads_is_an_error() {
    let desk = Desk::new("named");
    let pipe = desk.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // More than a pipe holds, so that the reader is gone before all is written.
    let voucher = fs::read(desk.0.join("voucher.pem")).unwrap();
    fs::write(desk.0.join("many.pem"), voucher.repeat(1000)).unwrap();
    let reader = std::thread::spawn(move || {
        let mut file = fs::File::open(pipe).unwrap();
        file.read_exact(&mut [0; 80]).unwrap();
    });
    let run = desk.ov("convert many.pem -o pipe");
    reader.join().unwrap();
    let err = String::from_utf8(run.stderr).unwrap();
    let told = "ov: cannot write pipe: its reader closed it before the end\n";
    assert_eq!((run.status.code(), err.as_str()), (Some(2), told));
}

/// The sale is in the journal, no receipt is given, and the same command goes on.
#[test]
fn a_sale_that_nobody_reads_can_be_repeated() {
    let desk = Desk::new("sale");
    let sell = "extend shipment --key mine.pem --to buyer.pub --other-key-type \
                --journal journal --receipt receipts";
    let (code, err) = unread(&desk, sell);
    assert_eq!(code, Some(2), "{err}");
    let lines = |name: &str| {
        let text = fs::read_to_string(desk.0.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("receipts"), [""; 0]);
    let sold = lines("journal");
    assert!(sold.len() > 1, "{sold:?}");
    let again = desk.ov(&format!("{sell} -o sold.pem"));
    assert_eq!(
        again.status.code(),
        Some(0),
        "{:?}",
        String::from_utf8(again.stderr)
    );
    assert_eq!(lines("receipts").len(), 27);
    // One line before the sales, and no sale twice.
    assert_eq!(lines("journal").len(), 28);
    assert_eq!(lines("journal")[..sold.len()], sold);
    let other = desk.ov("extend voucher.pem --key mine.pem --to maker.pub --journal journal");
    assert_eq!(other.status.code(), Some(1));
}
