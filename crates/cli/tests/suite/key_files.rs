//! Files of keys in the forms in which people hold them: `tests/key-files`, made by other programs, and
//! what `answers.txt` there says about each of them.

use crate::common;
use crate::program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{good, ov, text};

fn here() -> PathBuf {
    common::repository().join("crates/cli/tests/key-files")
}

/// A copy of the folder, with the passphrase of its keys.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("key-files-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for entry in fs::read_dir(here()).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, path.join(from.file_name().unwrap())).unwrap();
    }
    fs::write(path.join("passphrase"), "correct horse\n").unwrap();
    path
}

/// The rows of answers.txt: file, answer as `--key`, answer as `--owner`.
fn answers() -> Vec<(String, String, String)> {
    let table = text(&here().join("answers.txt"));
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = rows
        .map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            let mut cell = || cells.next().unwrap_or_else(|| panic!("{line}"));
            (cell(), cell(), cell())
        })
        .collect();
    assert!(rows.len() > 55, "{} rows", rows.len());
    rows
}

#[test]
fn every_file_has_its_answer() {
    let names: BTreeSet<String> = fs::read_dir(here())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["answers.txt", "make.py"].contains(&name.as_str()))
        .collect();
    let rows: BTreeSet<String> = answers().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(rows, names);
}

/// As a private key: the key of the voucher's owner signs, another key is read and refused, and what is no
/// private key is named.
#[test]
fn private_keys_are_read_or_named() {
    let folder = folder("private");
    let extend = "extend voucher.cbor --to public.pem --passphrase-file passphrase -o sold.pem";
    for (name, answer, _) in answers() {
        let _ = fs::remove_file(folder.join("sold.pem"));
        let (code, _, err) = ov(&folder, &format!("{extend} --key {name}"));
        let sold = folder.join("sold.pem").exists();
        match answer.as_str() {
            "read" => assert!(code == 0 && sold, "{name}: {err}"),
            "other" => {
                assert!(code == 1 && !sold, "{name}: {err}");
                assert!(err.contains("the signer's key is sha256:"), "{name}: {err}");
            }
            answer => {
                assert!(code == 2 && !sold, "{name}: {err}");
                assert!(err.contains(&format!("{name}: {answer}")), "{name}: {err}");
            }
        }
    }
}

/// As public keys: what is read is compared, a private key is never taken for one.
#[test]
fn public_keys_are_read_or_named() {
    let folder = folder("public");
    for (name, _, answer) in answers() {
        for option in ["--owner", "--manufacturer"] {
            let (code, _, err) = ov(&folder, &format!("verify voucher.cbor {option} {name}"));
            match answer.as_str() {
                "read" => assert_eq!(code, 1, "{option} {name}: {err}"),
                answer => {
                    assert_eq!(code, 2, "{option} {name}: {err}");
                    assert!(err.contains(&format!("{name}: {answer}")), "{name}: {err}");
                }
            }
        }
    }
}

/// The commands of the messages are those of the page for users.
#[test]
fn the_page_has_the_commands() {
    let page = text(&common::repository().join("docs/keys-and-files.md"));
    let folder = folder("page");
    let mut commands = BTreeSet::new();
    for (name, answer, _) in answers() {
        if ["read", "other"].contains(&answer.as_str()) {
            continue;
        }
        let (_, _, err) = ov(&folder, &format!("fingerprint {name}"));
        let quoted = err.split('`').skip(1).step_by(2).map(str::to_owned);
        commands.extend(quoted);
    }
    assert!(commands.len() > 9, "{commands:?}");
    for command in commands {
        assert!(page.contains(&command), "the page does not say `{command}`");
    }
}

#[test]
fn passphrases_come_from_a_file_or_a_descriptor() {
    let folder = folder("passphrase");
    let extend = "extend voucher.cbor --key encrypted.pem --to public.pem -o sold.pem --force";
    for (content, why) in [
        ("correct horse", ""),
        ("correct horse\r\n", ""),
        ("\u{feff}correct horse\n", ""),
        ("correct horse \n", "the passphrase is wrong"),
        ("wrong\n", "the passphrase is wrong"),
        ("correct horse\nbattery\n", "several lines found"),
        ("\n", "an empty passphrase"),
    ] {
        fs::write(folder.join("passphrase"), content).unwrap();
        let (code, _, err) = ov(&folder, &format!("{extend} --passphrase-file passphrase"));
        assert_eq!(code == 0, why.is_empty(), "{content:?}: {err}");
        assert!(err.contains(why), "{content:?}: {err}");
    }
    fs::write(folder.join("passphrase"), "correct horse\n").unwrap();
    // One descriptor for two keys.
    for (fd, redirection) in [("0", "<"), ("3", "3<")] {
        let keys = "--key encrypted.pem --key encrypted-scrypt.pem";
        let line = format!(
            "{} {extend} {keys} --passphrase-fd {fd} {redirection} passphrase",
            env!("CARGO_BIN_EXE_ov")
        );
        let run = Command::new("sh")
            .arg("-c")
            .arg(&line)
            .current_dir(&folder)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(0), "{line}: {err}");
    }
    let (code, _, err) = ov(
        &folder,
        &format!("{extend} --passphrase-file passphrase --passphrase-fd 0"),
    );
    assert_eq!(code, 2, "{err}");
}

/// On a terminal the passphrase is asked for and not shown; without one the options are named.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked_and_shows_nothing() {
    use std::io::Write as _;
    use std::os::unix::process::CommandExt as _;

    let folder = folder("terminal");
    let args = "extend voucher.cbor --key encrypted.pem --to public.pem -o sold.pem --force";
    let mut alone = Command::new(env!("CARGO_BIN_EXE_ov"));
    alone
        .args(args.split(' '))
        .current_dir(&folder)
        .stdin(Stdio::null());
    // SAFETY: setsid is safe to call between fork and exec; a session of its own has no terminal.
    unsafe {
        alone.pre_exec(|| {
            libc::setsid();
            Ok(())
        });
    }
    let run = alone.output().unwrap();
    let err = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{err}");
    assert!(
        err.contains("give --passphrase-file or --passphrase-fd"),
        "{err}"
    );

    for (typed, code) in [("correct horse\n", 0), ("wrong\n", 2), ("corr\u{3}", 2)] {
        let (mut terminal, name) = common_terminal();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ov"));
        child.args(args.split(' ')).current_dir(&folder);
        let slave = fs::File::options()
            .read(true)
            .write(true)
            .open(&name)
            .unwrap();
        child
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let fd = std::os::fd::AsRawFd::as_raw_fd(&slave);
        // SAFETY: both calls are safe between fork and exec, and the descriptor is open.
        unsafe {
            child.pre_exec(move || {
                libc::setsid();
                libc::ioctl(fd, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = child.spawn().unwrap();
        let mut shown = String::new();
        while !shown.contains("Passphrase of encrypted.pem: ") {
            shown += &some(&mut terminal);
        }
        terminal.write_all(typed.as_bytes()).unwrap();
        let run = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(code), "{typed:?}: {err}");
        shown += &some(&mut terminal);
        for part in ["corr", "horse", "wrong"] {
            assert!(!shown.contains(part), "{shown:?}");
        }
        // The terminal shows characters again.
        let mut modes = std::mem::MaybeUninit::<libc::termios>::uninit();
        // SAFETY: the descriptor is open, and the call fills what it returns 0 for.
        let modes = unsafe {
            assert_eq!(libc::tcgetattr(fd, modes.as_mut_ptr()), 0);
            modes.assume_init()
        };
        assert_ne!(modes.c_lflag & libc::ECHO, 0, "{typed:?}");
    }
}

/// A pseudo-terminal: its near end, and the name of the far end.
#[cfg(target_os = "linux")]
pub(crate) fn common_terminal() -> (fs::File, String) {
    use std::os::fd::AsRawFd as _;
    let near = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/ptmx")
        .unwrap();
    let fd = near.as_raw_fd();
    let mut name = [0_u8; 64];
    // SAFETY: the descriptor is that of a pseudo-terminal, and the name is as long as is said.
    unsafe {
        assert_eq!(libc::grantpt(fd), 0);
        assert_eq!(libc::unlockpt(fd), 0);
        assert_eq!(libc::ptsname_r(fd, name.as_mut_ptr().cast(), name.len()), 0);
    }
    let end = name.iter().position(|byte| *byte == 0).unwrap();
    (near, String::from_utf8(name[..end].to_vec()).unwrap())
}

/// What the terminal shows now.
#[cfg(target_os = "linux")]
pub(crate) fn some(terminal: &mut fs::File) -> String {
    let mut bytes = [0; 4096];
    let len = crate::screen::read_terminal(terminal, &mut bytes);
    assert_ne!(len, 0, "nothing more will be written");
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

/// A file that says how much to compute is refused before it is computed: computed, each would take minutes,
/// or more memory than there is.
#[test]
fn an_expensive_passphrase_costs_nothing() {
    let folder = folder("expensive");
    for file in [
        "encrypted-slow.pem",
        "encrypted-wide.pem",
        "encrypted-parallel.pem",
    ] {
        let (code, _, err) = ov(
            &folder,
            &format!("fingerprint {file} --passphrase-file passphrase"),
        );
        assert_eq!(code, 2, "{err}");
    }
}

/// Parameters of scrypt that RFC 7914 does not allow are refused before they are computed with.
#[test]
fn impossible_parameters_of_scrypt_are_refused() {
    let folder = folder("scrypt");
    let pem = fs::read(folder.join("encrypted-scrypt.pem")).unwrap();
    let block = ownership_voucher::file::PemBlocks::new(&pem).next();
    let der = block.unwrap().unwrap().decode().unwrap();
    // N, r and p in DER. Each is replaced by as many bytes.
    let parameters = [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
    let at = der.windows(10).position(|part| part == parameters).unwrap();
    for (parameters, shown) in [
        ([2, 1, 0, 2, 2, 0, 0x88, 2, 1, 1], "N = 0, r = 136, p = 1"),
        ([2, 1, 1, 2, 2, 0, 0x88, 2, 1, 1], "N = 1, r = 136, p = 1"),
        ([2, 2, 0x40, 1, 2, 1, 8, 2, 1, 1], "N = 16385, r = 8, p = 1"),
        ([2, 2, 0x40, 0, 2, 1, 0, 2, 1, 1], "N = 16384, r = 0, p = 1"),
        ([2, 2, 0x40, 0, 2, 1, 8, 2, 1, 0], "N = 16384, r = 8, p = 0"),
    ] {
        let mut der = der.to_vec();
        der[at..at + 10].copy_from_slice(&parameters);
        fs::write(folder.join("changed.der"), der).unwrap();
        let (code, _, err) = ov(
            &folder,
            "fingerprint changed.der --passphrase-file passphrase",
        );
        assert_eq!(code, 2, "{shown}: {err}");
        let expected = "a power of two above 1 expected for N";
        assert!(
            err.contains(shown) && err.contains(expected),
            "{shown}: {err}"
        );
    }
}

/// PBKDF2 without iterations is no derivation.
#[test]
fn no_iterations_of_pbkdf2_are_refused() {
    let folder = folder("pbkdf2");
    let mut der = fs::read(folder.join("encrypted.der")).unwrap();
    // The count, 2048, behind a salt; the salt takes the byte that 0 does not need.
    let count = [2, 2, 8, 0];
    let at = der.windows(4).position(|part| part == count).unwrap();
    let salt =
        (at - 20..at).find(|from| der[*from] == 4 && from + 2 + usize::from(der[from + 1]) == at);
    der[salt.unwrap() + 1] += 1;
    der[at..at + 4].copy_from_slice(&[0, 2, 1, 0]);
    fs::write(folder.join("changed.der"), der).unwrap();
    let (code, _, err) = ov(
        &folder,
        "fingerprint changed.der --passphrase-file passphrase",
    );
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("0 iterations of PBKDF2; 1 or more expected"),
        "{err}"
    );
}

/// RSA owners sell, with a key in each form; the vouchers are those of the vectors.
#[test]
fn rsa_owners_sell_and_prove() {
    let folder = folder("rsa");
    let keys: serde_json::Value =
        serde_json::from_str(&text(&common::repository().join("test-vectors/keys.json"))).unwrap();
    for (vector, owner, next) in [
        (
            "rsa2048restr-x509-2-entries",
            "rsa2048-owner-",
            "rsa2048-owner-c",
        ),
        (
            "rsapkcs-3072-x509-2-entries",
            "rsa3072-owner-",
            "rsa3072-owner-a",
        ),
        (
            "rsapss-2048-x509-2-entries",
            "rsa2048-owner-",
            "rsa2048-owner-c",
        ),
        (
            "rsapss-3072-x509-2-entries",
            "rsa3072-owner-",
            "rsa3072-owner-a",
        ),
    ] {
        let path = common::repository().join(format!("test-vectors/valid/{vector}.json"));
        let json: serde_json::Value = serde_json::from_str(&text(&path)).unwrap();
        let bytes = hex::decode(json["voucher"].as_str().unwrap()).unwrap();
        fs::write(folder.join("rsa.cbor"), bytes).unwrap();
        let all = keys.as_object().unwrap().iter();
        let all = all.filter(|(name, _)| name.starts_with(owner));
        let all: String = all.map(|(_, pem)| pem.as_str().unwrap()).collect();
        fs::write(folder.join("all.pem"), all).unwrap();
        let key = ownership_voucher::LocalKey::from_pem(keys[next].as_str().unwrap().as_bytes());
        let public = key.unwrap().public_key().to_spki_der();
        fs::write(folder.join("next.pub"), public).unwrap();
        good(
            &folder,
            "extend rsa.cbor --key all.pem --to next.pub -o sold.cbor -f cbor --force",
        );
        good(&folder, "verify --any-origin --owner next.pub sold.cbor");
        good(
            &folder,
            "challenge rsa.cbor --any-origin --verifier shop -o challenge --force",
        );
        good(
            &folder,
            "prove rsa.cbor --any-origin --verifier shop --challenge challenge --key all.pem -o proof --force",
        );
        good(
            &folder,
            "check-proof rsa.cbor --any-origin --challenge challenge --proof proof",
        );
    }
}
