//! `ov extend` sells nothing twice, and goes on where an earlier run has stopped.

mod journal;

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
        err.contains("v[2]: duplicate of v, handed over once"),
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
    assert!(err.contains("v2: duplicate of v[1]"), "{err}");
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
        (code, err.matches("the voucher's owner is sha256:").count()),
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
