//! Whom a file names: exactly one owner where one is expected, and keys alone in a list of keys.

use crate::common;
use crate::program;

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::KeyType;
use program::{good, ov, pem};

const P256: KeyType = KeyType::Secp256r1;

fn public_pem(n: u8) -> String {
    pem(
        "PUBLIC KEY",
        &common::key(P256, n).public_key().to_spki_der(),
    )
}

fn certificate(name: &str) -> String {
    pem(
        "CERTIFICATE",
        &fs::read(common::repository().join(format!("tests/certificates/{name}.der"))).unwrap(),
    )
}

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("owners-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let private = common::key(P256, 5).to_pkcs8_der().unwrap();
    let key = common::key(P256, 1).to_pkcs8_der().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).unwrap();
    write("v", &common::voucher(P256, 1, 1));
    write("owner.key", &key);
    write("one.pub", public_pem(5).as_bytes());
    write("two.pub", (public_pem(5) + &public_pem(6)).as_bytes());
    write("same.pub", public_pem(5).repeat(2).as_bytes());
    write(
        "mixed.pem",
        (public_pem(5) + &certificate("leaf")).as_bytes(),
    );
    write(
        "mixed2.pem",
        (certificate("leaf") + &public_pem(5)).as_bytes(),
    );
    write("none.pem", b"no block at all\n-----BEGIN\n");
    let crl = pem("X509 CRL", b"0");
    write("other.pem", (public_pem(5) + &crl).as_bytes());
    let private_pem = pem("PRIVATE KEY", &private);
    write("private.pem", private_pem.as_bytes());
    write("private.der", &private);
    write("beside.pem", (public_pem(5) + &private_pem).as_bytes());
    write(
        "encrypted.pem",
        pem("ENCRYPTED PRIVATE KEY", b"0").as_bytes(),
    );
    write("private.jwk", br#"{"kty":"EC","crv":"P-256","d":"AAAA"}"#);
    path
}

/// Files that name no one owner, and what is said.
const REFUSED: [(&str, &str); 11] = [
    ("two.pub", "2 public keys found; expected exactly one owner"),
    ("same.pub", "2 public keys found"),
    ("mixed.pem", "1 public key and 1 certificate found"),
    ("mixed2.pem", "1 public key and 1 certificate found"),
    ("other.pem", "a PEM block X509 CRL found"),
    ("private.pem", "a private key found"),
    ("private.der", "a private key found"),
    ("beside.pem", "a private key found"),
    ("encrypted.pem", "a private key found"),
    ("private.jwk", "a private key found"),
    ("none.pem", "none.pem: "),
];

#[test]
fn exactly_one_next_owner() {
    let folder = folder("to");
    for (file, why) in REFUSED {
        for more in ["", " --bare-key", " --allow-ca-owner"] {
            let args = format!("extend v --key owner.key -o w --to {file}{more}");
            let (code, _, err) = ov(&folder, &args);
            assert_eq!(code, 2, "{args}: {err}");
            assert!(err.contains(why), "{args}: {err}");
            assert!(!folder.join("w").exists(), "{args}");
        }
    }
    let (_, _, err) = ov(&folder, "extend v --key owner.key -o w --to two.pub");
    assert!(err.contains("--to-keys takes a list"), "{err}");
    good(&folder, "extend v --key owner.key -o w --to one.pub");
}

#[test]
fn exactly_one_manufacturer_of_a_new_voucher() {
    let folder = folder("new");
    let new = "new --device-info m --epid --rv https://rv.example.com -o w";
    let new = format!("{new} --hmac-secret {} --manufacturer", "5a".repeat(32));
    for (file, why) in REFUSED {
        let (code, _, err) = ov(&folder, &format!("{new} {file}"));
        assert_eq!(code, 2, "{file}: {err}");
        assert!(err.contains(why), "{file}: {err}");
        assert!(!folder.join("w").exists(), "{file}");
    }
    good(&folder, &format!("{new} one.pub"));
}

/// What a voucher is compared with: owners and manufacturers may be many, and nothing is passed over.
#[test]
fn what_is_compared_is_read_whole() {
    let folder = folder("compared");
    for (file, why) in REFUSED {
        for option in ["--owner", "--manufacturer"] {
            let (code, _, err) = ov(&folder, &format!("verify v {option} {file}"));
            if ["two.pub", "same.pub"].contains(&file) {
                assert_eq!(code, 1, "two others: {err}");
            } else {
                assert_eq!(code, 2, "{option} {file}: {err}");
                assert!(err.contains(why), "{option} {file}: {err}");
            }
        }
    }
    // Certificates are a chain, whose first is that of the owner.
    for option in ["--owner", "--manufacturer"] {
        let reversed = certificate("p256-root") + &certificate("leaf");
        fs::write(folder.join("reversed.pem"), reversed).unwrap();
        let (code, _, err) = ov(&folder, &format!("verify v {option} reversed.pem"));
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("begins with the root"), "{err}");
    }
}

/// One block that is passed over, and all keys behind it go to the wrong vouchers.
#[test]
fn a_list_of_keys_holds_keys_only() {
    let folder = folder("list");
    let extend = "extend v --key owner.key -o w --to-keys";
    for (file, why) in [
        ("mixed.pem", "1 public key and 1 certificate found"),
        ("mixed2.pem", "1 public key and 1 certificate found"),
        ("other.pem", "a PEM block X509 CRL found"),
        ("beside.pem", "a private key found"),
        ("private.pem", "a private key found"),
        ("none.pem", "none.pem: "),
    ] {
        let (code, _, err) = ov(&folder, &format!("{extend} {file}"));
        assert_eq!(code, 2, "{file}: {err}");
        assert!(err.contains(why), "{file}: {err}");
        assert!(!folder.join("w").exists(), "{file}");
    }
    good(&folder, &format!("{extend} one.pub"));
}

#[test]
fn an_address_is_given_once() {
    let folder = folder("rv");
    let new = "new --device-info m --epid --manufacturer one.pub --hmac-secret";
    let new = format!("{new} {} -o w", "5a".repeat(32));
    for (one, two) in [
        ("https://rv.example.com", "https://rv.example.com"),
        ("https://rv.example.com", "https://RV.example.com:443/"),
        ("http://[::1]:8080", "http://[0:0::1]:8080"),
    ] {
        let (code, _, err) = ov(&folder, &format!("{new} --rv {one} --rv {two}"));
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("given twice"), "{err}");
        assert!(!folder.join("w").exists());
    }
    let two = "--rv https://rv.example.com --rv http://rv.example.com";
    good(&folder, &format!("{new} {two}"));
}

#[test]
fn a_short_secret_is_warned_of() {
    let folder = folder("secret");
    let new =
        "new --device-info m --epid --rv https://a.example --manufacturer one.pub --force -o w";
    for (len, warned) in [(16, true), (31, true), (32, false), (48, false)] {
        let (code, _, err) = ov(
            &folder,
            &format!("{new} --hmac-secret {}", "5a".repeat(len)),
        );
        assert_eq!(code, 0, "{err}");
        assert_eq!(err.contains("32 are recommended"), warned, "{len}: {err}");
        let hash = format!("{new} --hash sha384 --hmac-secret {}", "5a".repeat(len));
        let (code, _, err) = ov(&folder, &hash);
        assert_eq!(code, 0, "{err}");
        assert_eq!(err.contains("48 are recommended"), len < 48, "{len}: {err}");
    }
    // What a file may mean is the same as on the command line.
    for secret in ["zz".repeat(16), "5a".repeat(16) + "5"] {
        fs::write(folder.join("s"), &secret).unwrap();
        for given in ["@s", secret.as_str()] {
            let (code, _, err) = ov(&folder, &format!("{new} --hmac-secret={given}"));
            assert_eq!(code, 2, "{given}: {err}");
            assert!(
                err.contains("expected hexadecimal digits"),
                "{given}: {err}"
            );
        }
    }
    let colons = format!("0x5a{}", ":5a".repeat(31));
    good(&folder, &format!("{new} --hmac-secret {colons}"));
    fs::write(
        folder.join("s"),
        format!("\u{feff}{}\r\n", "5A ".repeat(32)),
    )
    .unwrap();
    good(&folder, "verify w --hmac-secret @s");
}
