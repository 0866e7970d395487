//! `ov extend` sells nothing twice, and goes on where an earlier run has stopped.

use crate::common;
use crate::program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ownership_voucher::{KeyType, OwnerSigner as _, Policy, Voucher, file};
use program::{good, lines, names, ov, pem, text};

const P256: KeyType = KeyType::Secp256r1;

fn public_pem(n: u8) -> String {
    let key = common::key(P256, n).public_key();
    pem("PUBLIC KEY", &key.to_spki_der())
}

/// A folder with the keys 0 and 1, and the public keys 5, 6 and 7.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("extend-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for n in [0, 1] {
        let key = common::key(P256, n).to_pkcs8_der().unwrap();
        fs::write(path.join(format!("{n}.key")), pem("PRIVATE KEY", &key)).unwrap();
    }
    for n in [5, 6, 7] {
        fs::write(path.join(format!("{n}.pub")), public_pem(n)).unwrap();
    }
    path
}

/// Vouchers of one entry one after the other; they belong to the key 1.
fn shipment(folder: &Path, name: &str, guids: &[u8]) {
    let bytes: Vec<u8> = guids
        .iter()
        .flat_map(|&guid| common::voucher(P256, guid, 1))
        .collect();
    fs::write(folder.join(name), bytes).unwrap();
}

fn keys(folder: &Path, name: &str, numbers: &[u8]) {
    let text: String = numbers.iter().map(|&n| public_pem(n)).collect();
    fs::write(folder.join(name), text).unwrap();
}

/// The records of a journal, without its first line.
fn records(folder: &Path, name: &str) -> Vec<serde_json::Value> {
    let mut lines = lines(&text(&folder.join(name)));
    let header = serde_json::json!({"journal": "ownership-voucher", "version": 1});
    assert_eq!(lines.remove(0), header);
    lines
}

fn hex_guid(guid: u8) -> String {
    format!("{guid:02x}").repeat(16)
}

/// Owner of each voucher of a file, all of which must verify.
fn owners(path: &Path) -> Vec<[u8; 32]> {
    let bytes = fs::read(path).unwrap();
    let owner = |voucher: Result<std::borrow::Cow<'_, [u8]>, ownership_voucher::Error>| {
        let verified = Policy::any_origin()
            .verify(&voucher.unwrap())
            .unwrap()
            .into_owned();
        verified.owner().fingerprint()
    };
    file::Vouchers::new(&bytes).map(owner).collect()
}

fn owner(n: u8) -> [u8; 32] {
    common::key(P256, n).public_key().fingerprint()
}

#[test]
fn twice_to_one_buyer_is_done_once() {
    let folder = folder("once");
    shipment(&folder, "v", &[1, 2, 1]);
    let (code, _, err) = ov(&folder, "extend v --key 1.key --to 5.pub -o w --receipt r");
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("v[2]: a duplicate of v, handed over once"),
        "{err}"
    );
    assert_eq!(owners(&folder.join("w")), [owner(5); 2]);
    assert_eq!(lines(&text(&folder.join("r"))).len(), 2);
    // Also where each has a key of its own, and a folder for each.
    keys(&folder, "k", &[5, 6, 5]);
    good(
        &folder,
        "extend v --key 1.key --to-keys k --out-dir d --receipt r2",
    );
    assert_eq!(names(&folder.join("d")).len(), 2);
    assert_eq!(lines(&text(&folder.join("r2"))).len(), 2);
    // And where the vouchers come in other files, and out on the standard output.
    shipment(&folder, "v2", &[2]);
    let (code, out, err) = ov(&folder, "extend v v2 --key 1.key --to 5.pub");
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.matches("BEGIN OWNERSHIP VOUCHER").count(), 2);
    assert!(err.contains("v2: a duplicate of v[1]"), "{err}");
}

#[test]
fn twice_to_two_buyers_is_refused_for_both() {
    let folder = folder("two-buyers");
    shipment(&folder, "v", &[1, 2, 1]);
    keys(&folder, "k", &[5, 6, 7]);
    for output in ["-o w", "--out-dir d"] {
        let args = format!("extend v --key 1.key --to-keys k --receipt r --force {output}");
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 1, "{err}");
        assert!(
            err.contains("v: not extended: v[2] is the same voucher"),
            "{err}"
        );
        assert!(
            err.contains("v[2]: not extended: v is the same voucher"),
            "{err}"
        );
        let receipts = lines(&text(&folder.join("r")));
        assert_eq!(receipts.len(), 1, "{output}");
        assert_eq!(receipts[0]["guid"], hex_guid(2));
    }
    assert_eq!(owners(&folder.join("w")), [owner(6)]);
    let only = format!("{}.pem", hex_guid(2));
    assert_eq!(names(&folder.join("d")), BTreeSet::from([only]));
}

/// The older state was sold already, to its own owner; and a folder has one name for both.
#[test]
fn two_states_of_one_device_are_refused() {
    let folder = folder("two-states");
    fs::create_dir(folder.join("in")).unwrap();
    shipment(&folder, "in/a", &[1, 2]);
    fs::write(folder.join("1.pub"), public_pem(1)).unwrap();
    good(&folder, "extend in/a --key 1.key --to 1.pub -o in/b");
    for output in ["-o w", "--out-dir d"] {
        let args = format!("extend in --key 1.key --to 5.pub {output}");
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 1, "{err}");
        assert_eq!(
            err.matches("another state of the same device").count(),
            4,
            "{err}"
        );
    }
    assert!(!folder.join("w").exists());
    assert_eq!(names(&folder.join("d")).len(), 0);
    // What cannot be sold at all is no reason to leave the other.
    let (code, _, err) = ov(&folder, "extend in --key 0.key --to 5.pub -o w");
    assert_eq!(
        (code, err.matches("does not hold the key").count()),
        (1, 4),
        "{err}"
    );
}

#[test]
fn keys_and_vouchers_have_one_number() {
    let folder = folder("number");
    shipment(&folder, "v", &[1, 2]);
    let refused = |args: &str, why: &str| {
        let (code, out, err) = ov(&folder, args);
        assert_eq!((code, out.as_str()), (2, ""), "{args}: {err}");
        assert!(err.contains(why), "{args}: {err}");
        assert!(!folder.join("w").exists(), "{args}");
    };
    keys(&folder, "k1", &[5]);
    keys(&folder, "k2", &[5, 6]);
    keys(&folder, "k3", &[5, 6, 7]);
    let with =
        |input: &str, keys: &str| format!("extend {input} --key 1.key --to-keys {keys} -o w");
    refused(&with("v", "k1"), "2 vouchers, but 1 key in the list");
    refused(&with("v", "k3"), "2 vouchers, but 3 keys in the list");
    refused(&with("v missing", "k2"), "every input has to be readable");
    refused(&with("v missing", "k2"), "missing: ");
    fs::write(
        folder.join("rest"),
        [
            file::to_pem(&common::voucher(P256, 1, 1)).as_bytes(),
            b"\0\x01",
        ]
        .concat(),
    )
    .unwrap();
    refused(&with("rest", "k1"), "rest[1]: the bytes after a PEM block");
    // A voucher that cannot be read keeps its place: the others get their own keys.
    let block = |guid| file::to_pem(&common::voucher(P256, guid, 1));
    let broken = block(1).replacen("\nh", "\n!", 1);
    fs::write(folder.join("b"), [broken, block(2), block(3)].concat()).unwrap();
    refused(
        &with("b", "k2"),
        "3 vouchers (1 of them unreadable), but 2 keys",
    );
    assert_eq!(ov(&folder, &with("b", "k3")).0, 1);
    assert_eq!(owners(&folder.join("w")), [owner(6), owner(7)]);
}

/// What comes only once is read twice nevertheless.
#[test]
fn the_standard_input_and_pipes_are_looked_at_first_too() {
    let folder = folder("stdin");
    shipment(&folder, "v", &[1, 2, 1]);
    keys(&folder, "k", &[5, 6, 5]);
    let script = "cat v | \"$0\" extend - --key 1.key --to-keys k -o w1 --receipt r1 &&
        mkfifo p && (cat v > p & \"$0\" extend p --key 1.key --to-keys k -o w2 --receipt r2)";
    let status = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_ov")])
        .current_dir(&folder)
        .status();
    assert!(status.unwrap().success());
    for n in [1, 2] {
        assert_eq!(owners(&folder.join(format!("w{n}"))), [owner(5), owner(6)]);
    }
}

#[test]
fn a_journal_lets_a_sale_be_repeated_and_no_other_be_made() {
    let folder = folder("journal");
    shipment(&folder, "v", &[1, 2]);
    shipment(&folder, "v3", &[3]);
    let sell = |input: &str, to: u8, out: &str| {
        let args = format!(
            "extend {input} --key 1.key --to {to}.pub --journal j -o {out} --receipt {out}.r"
        );
        ov(&folder, &args)
    };
    assert_eq!(sell("v", 5, "w1").0, 0);
    let recorded = text(&folder.join("j"));
    assert_eq!(sell("v", 5, "w2").0, 0, "the same sale again");
    assert_eq!(text(&folder.join("j")), recorded);
    assert_eq!(
        fs::read(folder.join("w1")).unwrap(),
        fs::read(folder.join("w2")).unwrap()
    );

    let (code, _, err) = sell("v v3", 6, "w3");
    assert_eq!(code, 1);
    let sales = records(&folder, "j");
    for (record, line) in sales.iter().take(2).zip(2..) {
        let at = record["at"].as_str().unwrap();
        assert_eq!(record["to"], hex::encode(owner(5)));
        let earlier = format!("sold on {at} to {}", hex::encode(owner(5)));
        assert!(err.contains(&earlier), "{err}");
        assert!(err.contains(&format!("(line {line} of j)")), "{err}");
    }
    assert_eq!(
        owners(&folder.join("w3")),
        [owner(6)],
        "only the third device"
    );
    assert_eq!(records(&folder, "j").len(), 3);
    // What a line says, computed from what was signed.
    let sold = fs::read(folder.join("w1")).unwrap();
    let sold = file::Vouchers::new(&sold).next().unwrap().unwrap();
    let sold = Voucher::parse(&sold).unwrap();
    let hash = ownership_voucher::digest::HashAlgorithm::Sha256;
    let state = hash.digest(&[sold.entry(0).unwrap().payload()]);
    assert_eq!(sales[0]["state"], state.to_string());
    assert_eq!(sales[0]["guid"], hex_guid(1));
    assert_eq!(sales[0]["source"], "v");
    assert_eq!(sales[1]["source"], "v[1]");
}

/// A whole journal, whose records begin at `header`, damaged in one way each.
fn damaged(whole: &str, header: usize) -> Vec<String> {
    let twice = |name: &str, value: &str| {
        let member = format!("\",\"{name}\":\"{value}\",\"guid\"");
        whole.replacen("\",\"guid\"", &member, 1)
    };
    vec![
        whole.replacen("\"state\"", "\"stat\"", 1),
        whole.replacen("{\"state", "\"state", 1),
        whole.replacen("\"to\":\"", "\"to\":\"0", 1),
        whole.replacen("\"at\":\"2", "\"at\":\"x", 1),
        // A member twice: its first value is of the sale, its last of another one, or of the same.
        twice("state", &"00".repeat(32)),
        twice("continuation", &"00".repeat(32)),
        whole.replacen("\"at\"", "\"source\":\"v\",\"at\"", 1),
        format!("{whole}\n"),
        format!("{whole}\0\0\0"),
        format!("{whole}{}", &whole[header..]),
        format!("{whole}{whole}"),
        // Whole objects that are no record, and the beginning of others.
        format!("{whole}{{\"a\":1}}"),
        format!("{whole}{{\"a\":1"),
        whole.replacen("\"version\":1", "\"version\":2", 1),
        whole[header..].into(),
    ]
}

#[test]
fn a_journal_that_is_cut_or_damaged_is_refused_and_left_alone() {
    let folder = folder("damaged");
    shipment(&folder, "v", &[1, 2]);
    let sell = |more: &str| {
        ov(
            &folder,
            &format!("extend v --key 1.key --to 5.pub --journal j -o {more}"),
        )
    };
    assert_eq!(sell("w1").0, 0);
    let whole = text(&folder.join("j"));
    let header = whole.find('\n').unwrap() + 1;
    let first = header + whole[header..].find('\n').unwrap() + 1;
    // A crash while the second line was written, or somebody who cut it after the sale, at every
    // kind of place: the user has to say which it was.
    for end in [first + 1, first + 40, whole.len() - 2] {
        let cut = &whole[..end];
        fs::write(folder.join("j"), cut).unwrap();
        let (code, out, err) = sell("w2");
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("ends inside line 3"), "{err}");
        assert!(err.contains("--repair-journal"), "{err}");
        assert_eq!(text(&folder.join("j")), cut, "left as it was");
        assert!(!folder.join("w2").exists());
        let (code, _, err) = sell("w3 --force --repair-journal");
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("the line is removed"), "{err}");
        let mended = text(&folder.join("j"));
        assert_eq!(records(&folder, "j").len(), 2, "{mended}");
        assert!(mended.starts_with(&whole[..first]));
    }
    // The device is named where the line still has it.
    fs::write(folder.join("j"), &whole[..whole.len() - 2]).unwrap();
    let (_, _, err) = sell("w2");
    assert!(err.contains(&hex_guid(2)), "{err}");
    // Only the end of the line is missing: the sale is known.
    fs::write(folder.join("j"), whole.trim_end()).unwrap();
    let (code, _, err) = sell("w1 --force");
    assert!(code == 0 && !err.contains("ends inside"), "{err}");
    assert_eq!(text(&folder.join("j")), whole);
    // The first line, cut.
    fs::write(folder.join("j"), &whole[..header - 1]).unwrap();
    assert_eq!(sell("w2").0, 2);
    assert_eq!(sell("w3 --force --repair-journal").0, 0);
    assert_eq!(records(&folder, "j").len(), 2);

    for before in &damaged(&whole, header) {
        fs::write(folder.join("j"), before).unwrap();
        for repair in ["", " --repair-journal"] {
            let (code, out, err) = sell(&format!("w2{repair}"));
            assert_eq!((code, out.as_str()), (2, ""), "{before}");
            assert!(err.contains("damaged"), "{err}");
            assert!(!folder.join("w2").exists(), "{before}");
            assert_eq!(&text(&folder.join("j")), before, "left as it was");
        }
    }
    fs::remove_file(folder.join("j")).unwrap();
    fs::create_dir(folder.join("j")).unwrap();
    assert_eq!(sell("w2").0, 2);
    assert!(!folder.join("w2").exists());
}

/// Whatever it is: a file that does not begin as a journal is none.
#[test]
fn a_file_of_somebody_else_is_no_journal() {
    let folder = folder("foreign");
    shipment(&folder, "v", &[1]);
    good(
        &folder,
        "extend v --key 1.key --to 5.pub -o sold --receipt r",
    );
    fs::write(folder.join("empty.json"), "{}").unwrap();
    fs::write(folder.join("open.json"), "{").unwrap();
    fs::write(folder.join("notes"), "my notes\n").unwrap();
    fs::write(folder.join("state.json"), "{\"state\":\"").unwrap();
    fs::write(folder.join("zeros"), [0; 40]).unwrap();
    for name in [
        "empty.json",
        "open.json",
        "notes",
        "state.json",
        "zeros",
        "r",
        "sold",
        "1.pub",
    ] {
        if name == "1.pub" {
            fs::write(folder.join(name), public_pem(1)).unwrap();
        }
        let before = fs::read(folder.join(name)).unwrap();
        for repair in ["", " --repair-journal"] {
            let args = format!("extend v --key 1.key --to 6.pub --journal {name} -o w{repair}");
            let (code, _, err) = ov(&folder, &args);
            assert_eq!(code, 2, "{name}");
            let why = if name == "open.json" {
                ""
            } else {
                "is no journal"
            };
            assert!(err.contains(why), "{name}: {err}");
            assert!(!folder.join("w").exists(), "{name}");
            if name == "open.json" {
                // One character says nothing: it may be the first of a journal.
                break;
            }
        }
        assert_eq!(fs::read(folder.join(name)).unwrap(), before, "{name}");
    }
}

/// Each of two runs wants to sell the same vouchers to somebody else, at the same time.
#[test]
fn two_runs_do_not_get_past_each_other() {
    let folder = folder("race");
    let guids: Vec<u8> = (1..=60).collect();
    shipment(&folder, "v", &guids);
    let run = |to: u8| {
        Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(["extend", "v", "--key", "1.key", "--journal", "j"])
            .args(["--to", &format!("{to}.pub"), "--out-dir", &format!("d{to}")])
            .args(["--receipt", &format!("r{to}")])
            .current_dir(&folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = [5, 6, 7].map(run);
    let codes = children.map(|mut child| child.wait().unwrap().code().unwrap());
    let sold = [5, 6, 7].map(|to| names(&folder.join(format!("d{to}"))));
    for guid in &guids {
        let name = format!("{}.pem", hex_guid(*guid));
        let sales = sold.iter().filter(|names| names.contains(&name)).count();
        assert_eq!(sales, 1, "{name}");
    }
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    assert_eq!(records(&folder, "j").len(), 60);
}

/// From reading the journal to writing it, nobody else does either.
#[test]
fn a_run_waits_for_a_journal_that_is_in_use() {
    let folder = folder("wait");
    shipment(&folder, "v", &[1]);
    let journal = fs::File::create(folder.join("j")).unwrap();
    journal.lock().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args("extend v --key 1.key --to 5.pub --journal j -o w --receipt r".split(' '))
        .current_dir(&folder)
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    assert_eq!(text(&folder.join("j")), "");
    assert!(!folder.join("w").exists());
    // Unlocked without a change, as by a run that found nothing to sell.
    drop(journal);
    assert!(child.wait().unwrap().success());
    assert_eq!(records(&folder, "j").len(), 1);
}

#[test]
fn two_steps_go_through_the_journal() {
    let folder = folder("two-steps");
    shipment(&folder, "v", &[1]);
    let first = |to: u8, out: &str| {
        ov(
            &folder,
            &format!("extend v --to {to}.pub --journal j --to-be-signed {out}"),
        )
    };
    assert_eq!(first(5, "m").0, 0);
    // From here on a signature may exist: nobody else gets a message to sign.
    let (code, _, err) = first(6, "m6");
    assert_eq!(code, 1, "as with --key");
    assert!(
        err.contains("v: not extended") && err.contains("line 2 of j"),
        "{err}"
    );
    assert!(!folder.join("m6").exists());
    assert_eq!(first(5, "m --force").0, 0, "the same message again");
    let key = common::key(P256, 1);
    let sign = |message: &str| {
        let message = fs::read(folder.join(message)).unwrap();
        key.sign(key.algorithm(), &message).unwrap()
    };
    fs::write(folder.join("s"), sign("m")).unwrap();
    let second = |to: u8, out: &str, journal: &str| {
        let args = format!(
            "extend v --to {to}.pub --journal {journal} --signature s -o {out} --receipt {out}.r"
        );
        ov(&folder, &args)
    };
    assert_eq!(second(5, "w", "j").0, 0);
    assert_eq!(records(&folder, "j").len(), 1);
    // A signature that does not verify is no sale; one that does is, also at the second step.
    assert_eq!(second(6, "w6", "k").0, 2);
    assert_eq!(records(&folder, "k").len(), 0);
    assert_eq!(second(5, "w5", "k").0, 0);
    assert_eq!(records(&folder, "k").len(), 1);
    // A message that was made without the journal.
    good(&folder, "extend v --to 6.pub --to-be-signed m6");
    fs::write(folder.join("s"), sign("m6")).unwrap();
    let (code, _, err) = second(6, "w6", "j");
    assert_eq!(code, 1, "as with --key");
    // The signature is right; what is wrong is the sale.
    assert!(
        err.contains("v: not extended: ") && !err.contains("s: "),
        "{err}"
    );
    assert!(err.contains("line 2 of j"), "{err}");
    assert!(!folder.join("w6").exists() && !folder.join("w6.r").exists());
}

/// A sale to an address has a random look, and is the same when it is repeated.
#[test]
fn a_sale_to_an_address_can_be_repeated() {
    let folder = folder("address");
    shipment(&folder, "v", &[1, 2]);
    good(&folder, "onetime master -o m");
    let address = good(&folder, "onetime address --master m");
    let sell = |output: &str| {
        let args = format!("extend v --key 1.key --journal j {output} --to-address");
        ov(&folder, &format!("{args} {}", address.trim()))
    };
    assert_eq!(sell("--out-dir d --receipt r").0, 0);
    assert_eq!(sell("-o w").0, 0);
    assert_eq!(records(&folder, "j").len(), 2);
    let (code, _, err) = sell("--out-dir d --receipt r");
    assert!(
        code == 0 && err.contains("2 done before and skipped"),
        "{err}"
    );
    let owners: BTreeSet<_> = owners(&folder.join("w")).into_iter().collect();
    assert_eq!(owners.len(), 2, "a key for each");
}

#[test]
fn what_is_done_is_skipped_and_gets_its_receipt() {
    let folder = folder("resume");
    shipment(&folder, "v", &[1, 2, 3]);
    let args = "extend v --key 1.key --to 5.pub --out-dir d --receipt r";
    assert_eq!(ov(&folder, args).0, 0);
    let receipts = text(&folder.join("r"));
    let place = |guid: u8| folder.join(format!("d/{}.pem", hex_guid(guid)));
    let before = [1, 2, 3].map(|guid| fs::read(place(guid)).unwrap());
    // A voucher is missing, the receipt of another, and half of a third one's.
    fs::remove_file(place(1)).unwrap();
    let cut: Vec<&str> = receipts.lines().collect();
    fs::write(folder.join("r"), format!("{}\n{}", cut[0], &cut[2][..50])).unwrap();
    let (code, _, err) = ov(&folder, args);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("1 voucher extended, 0 not, 2 done before"),
        "{err}"
    );
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&text(&folder.join("r"))), sorted(&receipts));
    assert_eq!(text(&folder.join("r")).lines().count(), 3);
    assert_eq!([1, 2, 3].map(|guid| fs::read(place(guid)).unwrap()), before);

    // What was sold to somebody else is not sold, not even with --force.
    for force in ["", " --force"] {
        let args = format!("extend v --key 1.key --to 6.pub --out-dir d --receipt r6{force}");
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 1);
        assert_eq!(
            err.matches("continues this state otherwise").count(),
            3,
            "{err}"
        );
        assert!(!folder.join("r6").exists());
    }
    assert_eq!([1, 2, 3].map(|guid| fs::read(place(guid)).unwrap()), before);
    // Anything else is in the way, before anything is signed.
    fs::write(place(1), "something else").unwrap();
    let (code, _, err) = ov(&folder, args);
    assert_eq!(code, 2);
    assert!(err.contains("exists; --force replaces it"), "{err}");
    assert_eq!(fs::read(place(1)).unwrap(), b"something else");
    assert_eq!(ov(&folder, &format!("{args} --force")).0, 0);
    assert_eq!(fs::read(place(1)).unwrap(), before[0]);
    // Two runs would not see each other's receipts.
    let held = fs::File::open(folder.join("r")).unwrap();
    held.lock().unwrap();
    let (code, _, err) = ov(&folder, args);
    assert!(code == 2 && err.contains("another run"), "{err}");
    drop(held);
    // A file that holds no receipts gets none, nor one with a receipt that can be read in two ways.
    let twice = receipts.replacen("\"guid\"", "\"guid\":\"\",\"guid\"", 1);
    for other in ["my notes\n", &twice] {
        fs::write(folder.join("other"), other).unwrap();
        let (code, _, err) = ov(
            &folder,
            "extend v --key 1.key --to 5.pub --out-dir d2 --receipt other",
        );
        assert!(code == 2 && err.contains("no file of receipts"), "{err}");
        assert_eq!(text(&folder.join("other")), other);
    }
}

/// One file for all vouchers, and one for all receipts: a run that was killed between the two.
#[test]
fn receipts_that_a_killed_run_did_not_name_are_written_again() {
    let folder = folder("recover");
    shipment(&folder, "v", &[1, 2, 3, 1]);
    // One that is not sold: it belongs to somebody else.
    fs::write(folder.join("x"), common::voucher(P256, 4, 0)).unwrap();
    let args = "extend v x --key 1.key --to 5.pub -o w --receipt r --journal j";
    let (code, ..) = ov(&folder, args);
    assert_eq!(code, 1, "x is not ours");
    let [sold, receipts, journal] = ["w", "r", "j"].map(|name| text(&folder.join(name)));
    assert_eq!(lines(&receipts).len(), 3);
    // The receipts still have the name of an unfinished file.
    let killed = || fs::rename(folder.join("r"), folder.join(".r.0123456789abcdef.tmp")).unwrap();
    killed();
    let (code, out, err) = ov(&folder, args);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("3 receipts were written now"), "{err}");
    assert!(err.contains("x: not extended"), "{err}");
    assert!(err.contains("handed over once"), "{err}");
    assert_eq!(text(&folder.join("r")), receipts);
    assert_eq!(text(&folder.join("w")), sold);
    assert_eq!(text(&folder.join("j")), journal);
    assert!(!names(&folder).iter().any(|name| name.ends_with(".tmp")));
    killed();
    let (code, ..) = ov(&folder, &args.replace("v x", "v"));
    assert_eq!((code, text(&folder.join("r"))), (0, receipts.clone()));
    killed();

    // Another command: for another owner, with fewer vouchers, in another order, with something
    // behind the vouchers. The file is in the way, and nothing is made.
    shipment(&folder, "fewer", &[1, 2]);
    shipment(&folder, "order", &[2, 1, 3]);
    shipment(&folder, "other", &[7]);
    for other in [
        args.replace("5.pub", "6.pub").replace(" --journal j", ""),
        args.replace("v x", "fewer"),
        args.replace("v x", "order"),
        args.replace("v x", "other"),
    ] {
        let (code, _, err) = ov(&folder, &other);
        assert_eq!(code, 2, "{other}: {err}");
        assert!(err.contains("w exists; --force replaces it"), "{err}");
        assert!(!folder.join("r").exists() && text(&folder.join("w")) == sold);
    }
    fs::write(
        folder.join("w"),
        format!("{sold}{}", &sold[..sold.len() / 3 + 90]),
    )
    .unwrap();
    assert_eq!(ov(&folder, args).0, 2);
    assert!(!folder.join("r").exists());
    // A journal that has another sale refuses this one here too.
    fs::write(folder.join("w"), &sold).unwrap();
    fs::remove_file(folder.join("j")).unwrap();
    let (code, _, err) = ov(&folder, "extend v --key 1.key --to 6.pub -o w6 --journal j");
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = ov(&folder, args);
    assert!(code != 0 && !folder.join("r").exists(), "{err}");
}

#[test]
fn a_second_step_that_was_killed_gets_its_receipt() {
    let folder = folder("recover-step");
    shipment(&folder, "v", &[1]);
    assert_eq!(ov(&folder, "extend v --to 5.pub --to-be-signed tbs").0, 0);
    let message = fs::read(folder.join("tbs")).unwrap();
    let key = common::key(P256, 1);
    let signature = key.sign(key.algorithm(), &message).unwrap();
    fs::write(folder.join("sig"), signature).unwrap();
    let args = "extend v --to 5.pub --signature sig -o w --receipt r";
    let (code, _, err) = ov(&folder, args);
    assert_eq!(code, 0, "{err}");
    let [sold, receipt] = ["w", "r"].map(|name| text(&folder.join(name)));
    fs::remove_file(folder.join("r")).unwrap();
    let (code, _, err) = ov(&folder, args);
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        [text(&folder.join("w")), text(&folder.join("r"))],
        [sold, receipt]
    );
    fs::remove_file(folder.join("r")).unwrap();
    assert_eq!(ov(&folder, &args.replace("5.pub", "6.pub")).0, 2);
    assert!(!folder.join("r").exists());
}

#[test]
fn receipts_are_lines_of_json_and_nothing_else() {
    let folder = folder("receipts");
    let mut bytes = common::voucher(P256, 1, 1);
    *bytes.last_mut().unwrap() ^= 1;
    bytes.extend(common::voucher(P256, 2, 1));
    bytes.extend(common::voucher(P256, 2, 1));
    fs::write(folder.join("v"), bytes).unwrap();
    for output in ["-o w", "--out-dir d", "-f base64", "-f cbor -o w2"] {
        let args = format!("extend v --key 1.key --to 5.pub {output}");
        let output = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(args.split(' '))
            .current_dir(&folder)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stream = lines(&String::from_utf8(output.stderr).unwrap());
        let receipts: Vec<_> = stream
            .iter()
            .filter(|line| line["guid"].is_string())
            .collect();
        assert_eq!(receipts.len(), 1, "{args}");
        let others = stream.iter().filter(|line| line["message"].is_string());
        assert_eq!(others.count(), stream.len() - 1, "{args}");
    }
    let (code, out, err) = ov(&folder, "extend v --key 1.key --to 5.pub --receipt -");
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    let (_, out, _) = ov(&folder, "extend v --key 1.key --to 5.pub --receipt - -o w3");
    assert_eq!(lines(&out).len(), 1);
}

#[test]
fn unfinished_files_are_no_vouchers_and_do_not_stay() {
    let folder = folder("leftovers");
    let out = folder.join("d");
    fs::create_dir(&out).unwrap();
    shipment(&folder, "v", &[1]);
    let (guid, random) = (hex_guid(2), "0123456789abcdef");
    let left = [
        format!(".{guid}.pem.{random}.tmp"),
        format!(".{guid}.cbor.{random}.tmp"),
    ];
    let others = [
        format!(".notes.txt.{random}.tmp"),
        format!(".{guid}.pem.tmp"),
        format!("{guid}.pem.{random}.tmp"),
    ];
    for name in left.iter().chain(&others[..1]) {
        fs::write(out.join(name), file::to_pem(&common::voucher(P256, 2, 1))).unwrap();
    }
    for command in [
        "verify d",
        "convert d",
        "forks d",
        "privacy d",
        "audit d",
        "show d",
    ] {
        let (code, _, err) = ov(&folder, command);
        assert_eq!(code, 2, "{command}");
        assert!(err.contains("no voucher found"), "{command}: {err}");
    }
    for name in &others[1..] {
        fs::write(out.join(name), "").unwrap();
    }
    good(&folder, "extend v --key 1.key --to 5.pub --out-dir d");
    let mut expected: BTreeSet<String> = others.into();
    expected.insert(format!("{}.pem", hex_guid(1)));
    assert_eq!(names(&out), expected);
    fs::write(folder.join(format!(".w.{random}.tmp")), "half").unwrap();
    good(&folder, "extend v --key 1.key --to 5.pub -o w");
    assert!(!names(&folder).iter().any(|name| name.ends_with(".tmp")));
}

/// A folder is looked at as in a shipment: the same sale is done, another one is refused.
#[test]
fn two_steps_into_a_folder_sell_once() {
    let folder = folder("two-folder");
    shipment(&folder, "v", &[1]);
    let name = format!("d/{}.pem", hex_guid(1));
    let sign = |to: u8| {
        good(
            &folder,
            &format!("extend v --to {to}.pub --to-be-signed m{to} --force"),
        );
        let message = fs::read(folder.join(format!("m{to}"))).unwrap();
        let signer = common::key(P256, 1);
        let signature = signer.sign(signer.algorithm(), &message).unwrap();
        fs::write(folder.join(format!("s{to}")), signature).unwrap();
    };
    sign(5);
    sign(6);
    let sell = |to: u8| format!("extend v --to {to}.pub --signature s{to} --out-dir d");
    good(&folder, &sell(5));
    let sold = fs::read(folder.join(&name)).unwrap();
    for more in ["", " --force", " -f cbor", " -f cbor --force"] {
        let (code, _, err) = ov(&folder, &format!("{}{more}", sell(6)));
        assert_eq!(code, 1, "{more}: {err}");
        assert!(err.contains("continues this state otherwise"), "{err}");
        let first = format!("extend v --to 6.pub --to-be-signed m --out-dir d{more}");
        let (code, _, err) = ov(&folder, &first);
        assert_eq!(code, 1, "{more}: {err}");
        assert!(!folder.join("m").exists(), "{more}");
    }
    // The journal is not told of what is refused.
    assert_eq!(ov(&folder, &format!("{} --journal j", sell(6))).0, 1);
    good(&folder, &format!("{} --journal j --receipt r", sell(5)));
    assert_eq!(lines(&text(&folder.join("r"))).len(), 1);
    assert_eq!(names(&folder.join("d")).len(), 1);
    assert_eq!(fs::read(folder.join(&name)).unwrap(), sold);
    // Nor is the input replaced.
    fs::copy(folder.join("v"), folder.join(&name)).unwrap();
    let before = fs::read(folder.join(&name)).unwrap();
    let own = format!("extend {name} --to 5.pub --signature s5 --out-dir d --force");
    let (code, _, err) = ov(&folder, &own);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("are the same file"), "{err}");
    assert_eq!(fs::read(folder.join(&name)).unwrap(), before);
}
