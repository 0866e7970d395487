//! Programs that sign, for shipments.
#![cfg(unix)]

use crate::common;
use crate::program;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ownership_voucher::KeyType;
use program::{good, ov, pem};

const P256: KeyType = KeyType::Secp256r1;

/// Five vouchers of the owner 1, and programs: each signs by calling `ov` for what it has read.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("signer-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("in")).unwrap();
    for number in 1..=5 {
        let voucher = common::voucher(P256, number, 1);
        fs::write(path.join(format!("in/{number}.cbor")), voucher).unwrap();
    }
    let public = |n| {
        pem(
            "PUBLIC KEY",
            &common::key(P256, n).public_key().to_spki_der(),
        )
    };
    fs::write(path.join("next.pub"), public(9)).unwrap();
    fs::write(path.join("owner.pub"), public(1)).unwrap();
    path
}

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The signatures that a service would make, by the SHA-256 of what it gets.
fn answers(folder: &Path) {
    use ownership_voucher::{ExtendOptions, KeyOrChain, OwnerSigner as _, Policy, Voucher};
    let key = common::key(P256, 1);
    let next = KeyOrChain::Key(common::key(P256, 9).public_key());
    for number in 1..=5 {
        let bytes = fs::read(folder.join(format!("in/{number}.cbor"))).unwrap();
        let voucher = Voucher::parse(&bytes)
            .unwrap()
            .verify(&Policy::any_origin())
            .unwrap();
        let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
        let signature = key
            .sign(extension.algorithm(), &extension.to_be_signed())
            .unwrap();
        let prehash = extension.prehash().unwrap();
        fs::write(
            folder.join(format!("signature-{}", hex::encode(prehash.as_bytes()))),
            signature,
        )
        .unwrap();
    }
}

const EXTEND: &str = "extend in --any-origin --to next.pub --out-dir out --jobs 3 --signer-command";

#[test]
fn a_program_signs_a_shipment() {
    let folder = folder("good");
    answers(&folder);
    let here = folder.display();
    program(
        &folder,
        "message",
        &format!("cat {here}/signature-$(sha256sum | cut -c1-64)"),
    );
    program(
        &folder,
        "digest",
        &format!("cat {here}/signature-$(od -An -v -tx1 | tr -d ' \\n')"),
    );
    for (signer, input) in [("./message", ""), ("./digest", " --signer-input digest")] {
        let _ = fs::remove_dir_all(folder.join("out"));
        let (code, _, err) = ov(&folder, &format!("{EXTEND} {signer}{input}"));
        assert_eq!(code, 0, "{err}");
        good(&folder, "verify out --any-origin --owner next.pub");
        assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 5);
    }
    // What it is told.
    program(
        &folder,
        "told",
        "echo $OV_ALGORITHM $OV_OWNER $OV_GUID \"$#\" >&2; exit 7",
    );
    let (code, _, err) = ov(
        &folder,
        &format!("{} ./told", EXTEND.replace("-dir out", "-dir told.d")),
    );
    let owner = hex::encode(common::key(P256, 1).public_key().fingerprint());
    assert_eq!(code, 1, "{err}");
    assert!(err.contains(&format!("ES256 {owner}")), "{err}");
    assert!(
        err.contains(" 0\"}") || err.contains(" 0"),
        "no arguments: {err}"
    );
}

/// The proofs of a folder, and of one voucher, by a program. One that fails leaves its proof out.
#[test]
fn a_program_proves_a_folder() {
    use ownership_voucher::{OwnerSigner as _, sign::Algorithm};
    let folder = folder("prove");
    let who = "--verifier market.example.com --any-origin";
    good(&folder, &format!("challenge in {who} --out-dir c"));
    let here = folder.display();
    for number in 1..=5_u8 {
        let challenge = format!("c/{}.challenge.pem", hex::encode([number; 16]));
        let prove = format!("prove in/{number}.cbor --challenge {challenge} {who}");
        good(&folder, &format!("{prove} --to-be-signed m --force"));
        let message = fs::read(folder.join("m")).unwrap();
        let signature = common::key(P256, 1).sign(Algorithm::Es256, &message);
        let digest = ownership_voucher::digest::HashAlgorithm::Sha256.digest(&[&message]);
        let name = format!("signature-{}", hex::encode(digest.as_bytes()));
        fs::write(folder.join(name), signature.unwrap()).unwrap();
    }
    let sign = format!("cat {here}/signature-$(sha256sum | cut -c1-64)");
    program(&folder, "sign", &sign);
    let prove = format!("prove in --challenge c {who} --jobs 3");
    good(
        &folder,
        &format!("{prove} --out-dir p --signer-command ./sign"),
    );
    let check = "check-proof in --challenge c --any-origin";
    let out = good(&folder, &format!("{check} --proof p"));
    assert_eq!(out.matches("owns it, asked by").count(), 5, "{out}");
    program(
        &folder,
        "some",
        &format!("case $OV_GUID in 02*) echo locked >&2; exit 3;; esac; {sign}"),
    );
    let (code, _, err) = ov(
        &folder,
        &format!("{prove} --out-dir q --signer-command ./some"),
    );
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("in/2.cbor: no proof") && err.contains("locked"),
        "{err}"
    );
    assert!(err.contains("4 proofs, 1 not"), "{err}");
    assert_eq!(fs::read_dir(folder.join("q")).unwrap().count(), 4);
    // A signature of somebody else is no proof.
    program(
        &folder,
        "wrong",
        &format!("cat {here}/signature-* | head -c 64"),
    );
    let (code, _, err) = ov(
        &folder,
        &format!("{prove} --out-dir r --signer-command ./wrong"),
    );
    assert_eq!(code, 2, "{err}");
    assert!(
        fs::read_dir(folder.join("r")).unwrap().count() <= 1,
        "{err}"
    );
    let one = format!("c/{}.challenge.pem", hex::encode([3; 16]));
    good(
        &folder,
        &format!("prove in/3.cbor --challenge {one} {who} --signer-command ./sign -o 3.proof"),
    );
    good(
        &folder,
        &format!("check-proof in/3.cbor --challenge {one} --proof 3.proof --any-origin"),
    );
}

/// On a terminal the bar counts the files of a slow service, one by one.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_the_progress_by_file() {
    let folder = folder("progress");
    answers(&folder);
    let here = folder.display();
    let sign = format!("sleep 0.5; cat {here}/signature-$(sha256sum | cut -c1-64)");
    program(&folder, "slow", &sign);
    let (mut terminal, name) = crate::key_files::common_terminal();
    let far = fs::File::options().write(true).open(&name).unwrap();
    let args = format!("{EXTEND} ./slow --receipt r").replace("--jobs 3", "--jobs 1");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(&folder)
        .env("TERM", "xterm")
        .stderr(far)
        .spawn()
        .unwrap();
    let mut shown = String::new();
    while !shown.contains("5 vouchers extended") {
        shown += &crate::key_files::some(&mut terminal);
    }
    assert!(child.wait().unwrap().success(), "{shown}");
    for done in ["3 of 5 files", "4 of 5 files"] {
        assert!(shown.contains(done), "{done}: {shown:?}");
    }
}

/// As many at a time as `--jobs` says: each waits for two others, or fails.
#[test]
fn several_programs_run_at_a_time() {
    let folder = folder("several");
    answers(&folder);
    let here = folder.display();
    fs::create_dir_all(folder.join("running")).unwrap();
    program(
        &folder,
        "together",
        &format!(
            "hash=$(sha256sum | cut -c1-64); touch {here}/running/$hash; tries=0\n\
             while [ $(ls {here}/running | wc -l) -lt 3 ]; do\n\
             tries=$((tries + 1)); [ $tries -lt 100 ] || exit 1; sleep 0.1; done\n\
             cat {here}/signature-$hash"
        ),
    );
    let (code, _, err) = ov(&folder, &format!("{EXTEND} ./together"));
    assert_eq!(code, 0, "{err}");
}

/// One failure leaves its voucher, and the rest goes on.
#[test]
fn a_failure_leaves_its_voucher() {
    let folder = folder("bad");
    answers(&folder);
    let first = fs::read(folder.join("in/1.cbor")).unwrap();
    let guid = ownership_voucher::Voucher::parse(&first)
        .unwrap()
        .guid()
        .to_string();
    let here = folder.display();
    let sign = format!("cat {here}/signature-$(sha256sum | cut -c1-64)");
    for (name, instead, why) in [
        (
            "fails",
            "echo the token is locked >&2; exit 3",
            "the token is locked",
        ),
        ("silent", "exit 0", "wrote no signature"),
        ("lies", "head -c 64 /dev/zero", "signature"),
        (
            "talks",
            "head -c 100000 /dev/zero",
            "wrote more than 4096 bytes",
        ),
        ("deaf", "exec <&-; exit 1", "exit status: 1"),
    ] {
        program(
            &folder,
            name,
            &format!("if [ $OV_GUID = {guid} ]; then {instead}; else {sign}; fi"),
        );
        let _ = fs::remove_dir_all(folder.join("out"));
        let (code, _, err) = ov(&folder, &format!("{EXTEND} ./{name}"));
        assert_eq!(code, 1, "{name}: {err}");
        assert!(
            err.contains("1.cbor: not extended: ") && err.contains(why),
            "{name}: {err}"
        );
        assert!(err.contains("4 vouchers extended, 1 not"), "{name}: {err}");
        assert_eq!(
            fs::read_dir(folder.join("out")).unwrap().count(),
            4,
            "{name}"
        );
        assert_eq!(fs::read(folder.join("in/1.cbor")).unwrap(), first);
    }
    let (code, _, err) = ov(
        &folder,
        &format!("{} ./missing", EXTEND.replace("-dir out", "-dir none")),
    );
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("cannot be run"), "{err}");
}

/// The two steps for a shipment: messages into a folder, signatures out of one.
#[test]
fn a_shipment_is_signed_in_two_steps() {
    use ownership_voucher::OwnerSigner as _;
    let folder = folder("steps");
    fs::create_dir(folder.join("signatures")).unwrap();
    let extend = "extend in --any-origin --to next.pub --journal journal";
    let messages = good(&folder, &format!("{extend} --to-be-signed messages/"));
    assert_eq!(messages.lines().count(), 5, "{messages}");
    // The same command again changes nothing.
    assert_eq!(
        good(&folder, &format!("{extend} --to-be-signed messages/")),
        messages
    );
    let key = common::key(P256, 1);
    let owner = hex::encode(key.public_key().fingerprint());
    for (number, line) in messages.lines().enumerate() {
        let [path, algorithm, by]: [&str; 3] =
            line.split("  ").collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((algorithm, by), ("ES256", &*owner));
        let message = fs::read(folder.join(path)).unwrap();
        let mut signature = key.sign(key.algorithm(), &message).unwrap();
        if number == 0 {
            signature[5] ^= 1;
        }
        if number != 1 {
            let name = path
                .replace("messages", "signatures")
                .replace(".tbs", ".sig");
            fs::write(folder.join(name), signature).unwrap();
        }
    }
    let second = format!("{extend} --signature signatures --out-dir out");
    let (code, _, err) = ov(&folder, &second);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("3 vouchers extended, 2 not"), "{err}");
    assert!(err.contains(".sig: "), "the missing file is named: {err}");
    good(&folder, "verify out --any-origin --owner next.pub");
    // The rest goes on once its signatures are right.
    for line in messages.lines().take(2) {
        let path = line.split("  ").next().unwrap();
        let message = fs::read(folder.join(path)).unwrap();
        let signature = key.sign(key.algorithm(), &message).unwrap();
        let name = path
            .replace("messages", "signatures")
            .replace(".tbs", ".sig");
        fs::write(folder.join(name), signature).unwrap();
    }
    let err = ov(&folder, &second).2;
    assert!(
        err.contains("2 vouchers extended, 0 not, 3 done before"),
        "{err}"
    );
    assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 5);
    // To somebody else it would be a second sale.
    let (code, _, err) = ov(
        &folder,
        &format!("{} --to-be-signed others/", extend.replace("next", "owner")),
    );
    assert_eq!(code, 1, "{err}");
    assert_eq!(
        fs::read_dir(folder.join("others")).unwrap().count(),
        0,
        "{err}"
    );
}

/// A signature that does not verify is no sale: the journal does not record it.
#[test]
fn a_wrong_signature_records_no_sale() {
    let folder = folder("wrong");
    fs::create_dir(folder.join("signatures")).unwrap();
    for number in 1..=5 {
        let bytes = fs::read(folder.join(format!("in/{number}.cbor"))).unwrap();
        let guid = ownership_voucher::Voucher::parse(&bytes).unwrap().guid();
        fs::write(folder.join(format!("signatures/{guid}.sig")), [7; 64]).unwrap();
    }
    let extend = "extend in --any-origin --signature signatures --out-dir out --journal journal";
    let (code, _, err) = ov(&folder, &format!("{extend} --to owner.pub"));
    assert_eq!(code, 1, "{err}");
    let journal = fs::read_to_string(folder.join("journal")).unwrap();
    assert_eq!(journal.lines().count(), 1, "the header alone: {journal}");
}

/// What `EXTEND` says about a program, after at most this number of seconds; then it is killed.
fn extend_within(folder: &Path, seconds: u64, args: &str) -> (Option<i32>, String) {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let _ = fs::remove_dir_all(folder.join("out"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(format!("{EXTEND} {args}").split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("said")).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(seconds) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{args}: not ended within {seconds} seconds");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let code = child.wait().unwrap().code();
    (code, fs::read_to_string(folder.join("said")).unwrap())
}

/// Programs that never end are killed, and fail for their vouchers.
#[test]
fn a_program_without_end_is_killed() {
    let folder = folder("endless");
    for (name, script, why) in [
        ("yes", "exec yes", "wrote more than 4096 bytes"),
        ("zero", "cat /dev/zero", "wrote more than 4096 bytes"),
        (
            "waits",
            "echo the token is asleep >&2; exec sleep 100",
            "did not end within 1 second (--signer-timeout): the token is asleep",
        ),
        (
            "closed",
            "exec >&- 2>&-; exec sleep 100",
            "did not end within 1 second (--signer-timeout)",
        ),
        (
            "complains",
            "exec yes >&2",
            "did not end within 1 second (--signer-timeout): y",
        ),
    ] {
        program(&folder, name, script);
        let (code, err) = extend_within(&folder, 20, &format!("./{name} --signer-timeout 1"));
        assert_eq!(code, Some(1), "{name}: {err}");
        assert!(err.contains(why), "{name}: {err}");
        assert!(err.contains("0 vouchers extended, 5 not"), "{name}: {err}");
    }
    let (code, err) = extend_within(&folder, 20, "./yes --signer-timeout 0");
    assert_eq!(code, Some(2), "{err}");
}

/// The slow program of one voucher does not stop the others.
#[test]
fn a_slow_program_leaves_its_voucher() {
    let folder = folder("slow");
    answers(&folder);
    let first = fs::read(folder.join("in/1.cbor")).unwrap();
    let guid = ownership_voucher::Voucher::parse(&first).unwrap().guid();
    let here = folder.display();
    program(
        &folder,
        "slow",
        &format!(
            "if [ $OV_GUID = {guid} ]; then exec sleep 100; fi; \
             cat {here}/signature-$(sha256sum | cut -c1-64)"
        ),
    );
    let (code, err) = extend_within(&folder, 40, "./slow --signer-timeout 5");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("1.cbor: not extended: "), "{err}");
    assert!(err.contains("4 vouchers extended, 1 not"), "{err}");
}

/// A process in the background holds the pipes after the program has ended.
#[test]
fn what_a_program_leaves_behind_is_not_waited_for() {
    let folder = folder("behind");
    answers(&folder);
    let here = folder.display();
    program(
        &folder,
        "agent",
        &format!("cat {here}/signature-$(sha256sum | cut -c1-64); sleep 60 &"),
    );
    let (code, err) = extend_within(&folder, 30, "./agent");
    assert_eq!(code, Some(0), "{err}");
    good(&folder, "verify out --any-origin --owner next.pub");
}
