//! A long `ov extend` that is stopped by a signal: no receipt without its voucher, nothing half
//! written that is taken for a voucher, and the next run goes on.
#![cfg(unix)]

use crate::common;
use crate::program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ownership_voucher::{Guid, KeyType, NewVoucher};
use program::{lines, names, ov, pem, text};
use serde_json::Value;

/// A folder with a shipment `v` of a maker who holds `0.key`, and a buyer `5.pub`.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stopped-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let maker = common::key(KeyType::Secp256r1, 0).to_pkcs8_der().unwrap();
    fs::write(path.join("0.key"), pem("PRIVATE KEY", &maker)).unwrap();
    let buyer = common::key(KeyType::Secp256r1, 5).public_key();
    fs::write(path.join("5.pub"), pem("PUBLIC KEY", &buyer.to_spki_der())).unwrap();
    many(&path);
    path
}

/// How many vouchers are sold by the runs that are stopped.
const MANY: u16 = 1500;

/// The shipment.
fn many(folder: &Path) {
    let maker = common::key(KeyType::Secp256r1, 0).public_key();
    let mut bytes = Vec::new();
    for number in 0..MANY {
        let mut guid = [0xab; 16];
        guid[..2].copy_from_slice(&number.to_be_bytes());
        let made = NewVoucher::new(Guid(guid), "Model 7", maker.clone().into())
            .with_rendezvous(common::directive())
            .with_epid()
            .header()
            .and_then(|header| header.authenticate(&common::device()))
            .unwrap();
        bytes.extend_from_slice(made.as_bytes());
    }
    fs::write(folder.join("v"), bytes).unwrap();
}

/// Complete vouchers in the folder.
fn vouchers(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".pem").map(str::to_owned))
        .collect()
}

fn receipts(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // A run that is killed may leave half a line, which the next one removes.
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let guid = |line: Value| line["guid"].as_str().unwrap().to_owned();
    lines(&text[..whole]).into_iter().map(guid).collect()
}

/// Starts to sell, sends the signal once some vouchers are out, and says how the run ended.
fn stopped(folder: &Path, signal: &str, args: &str) -> std::process::ExitStatus {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while vouchers(&folder.join("d")).len() < 20 {
        assert!(Instant::now() < deadline, "no vouchers");
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    child.wait().unwrap()
}

/// After any stop: every receipt has its voucher; the next run completes both and removes what is
/// not complete.
fn goes_on(folder: &Path, args: &str) {
    let (sold, known) = (vouchers(&folder.join("d")), receipts(&folder.join("r")));
    assert!(sold.len() < usize::from(MANY), "stopped before the end");
    assert!(
        known.iter().all(|guid| sold.contains(guid)),
        "no receipt before its voucher"
    );
    let (code, _, err) = ov(folder, args);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("done before and skipped"), "{err}");
    let (sold, known) = (vouchers(&folder.join("d")), receipts(&folder.join("r")));
    assert_eq!(sold.len(), usize::from(MANY));
    assert_eq!(known.len(), usize::from(MANY), "each has one receipt");
    assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), sold);
    assert_eq!(
        names(&folder.join("d")).len(),
        usize::from(MANY),
        "nothing temporary"
    );
    let first_line = 1;
    let journal = lines(&text(&folder.join("j")));
    assert_eq!(journal.len(), usize::from(MANY) + first_line);
}

const SELL: &str = "extend v --key 0.key --to 5.pub --out-dir d --receipt r --journal j";

#[test]
fn a_run_that_is_told_to_stop_leaves_everything_whole() {
    let folder = folder("term");
    let status = stopped(&folder, "-TERM", SELL);
    assert_eq!(status.code(), Some(143));
    let sold = vouchers(&folder.join("d"));
    // The group that was signed is not lost.
    assert!(sold.len() >= 256, "{}", sold.len());
    assert_eq!(
        receipts(&folder.join("r"))
            .into_iter()
            .collect::<BTreeSet<_>>(),
        sold
    );
    assert_eq!(
        names(&folder.join("d")).len(),
        sold.len(),
        "nothing temporary"
    );
    goes_on(&folder, SELL);
}

#[test]
fn a_run_that_is_killed_can_go_on() {
    let folder = folder("kill");
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(stopped(&folder, "-KILL", SELL).signal(), Some(9));
    // It may have been killed inside a line of the journal, before it signed anything for that.
    goes_on(&folder, &format!("{SELL} --repair-journal"));
}

/// One file for all appears whole or not at all, and so do its receipts.
#[test]
fn a_stopped_run_into_one_file_leaves_none() {
    let folder = folder("whole");
    for (signal, code) in [("-INT", 130), ("-HUP", 129)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args("extend v --key 0.key --to 5.pub -o w --receipt r".split(' '))
            .current_dir(&folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !names(&folder).iter().any(|name| name.starts_with(".r.")) {
            assert!(Instant::now() < deadline, "not started");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(200));
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let left = names(&folder);
        assert!(!left.contains("w") && !left.contains("r"), "{left:?}");
        assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
    }
}

/// The exit code does not depend on how far the run was.
#[test]
fn a_run_that_is_stopped_while_it_plans_says_so() {
    let folder = folder("plan");
    let many = fs::read(folder.join("v")).unwrap().repeat(100);
    fs::write(folder.join("v"), many).unwrap();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let child = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args("extend v --key 0.key --to 5.pub -o w --receipt r".split(' '))
            .current_dir(&folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !names(&folder).iter().any(|name| name.starts_with(".r.")) {
            assert!(Instant::now() < deadline, "not started");
            std::thread::sleep(Duration::from_millis(2));
        }
        let pid = child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(code));
        let err = String::from_utf8(ended.stderr).unwrap();
        assert!(err.contains("while the input was looked at"), "{err}");
    }
}
