//! Device credentials: written with vouchers, shown, converted.

use super::*;

/// A voucher `v.pem`, and the key of its device as PKCS#8 and as SEC 1.
fn with_credentials(name: &str) -> (PathBuf, String) {
    let folder = folder(name);
    let (chain, key) = common::device_with_certificate();
    let chain: String = chain
        .iter()
        .map(|der| crate::program::pem("CERTIFICATE", der))
        .collect();
    fs::write(folder.join("chain.pem"), chain).unwrap();
    fs::write(folder.join("device.key"), key.to_pem().unwrap()).unwrap();
    let new = format!("new {MAKER} --device-chain chain.pem --device-info x");
    good(
        &folder,
        &format!("{new} --hmac-secret {} -o v.pem", secret(1)),
    );
    // The same key as SEC 1 (RFC 5915): in PKCS#8 the curve is outside of it.
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let begin = [0x30, 0x6b, 2, 1, 1, 4, 32];
    let at = pkcs8.windows(7).position(|part| part == begin).unwrap();
    let (secret_key, public) = pkcs8[at + 7..].split_at(32);
    let curve = hex::decode("a00a06082a8648ce3d030107").unwrap();
    let sec1 = [&[0x30, 0x77, 2, 1, 1, 4, 32], secret_key, &curve, public].concat();
    fs::write(folder.join("sec1.key"), sec1).unwrap();
    let write = format!("credential v.pem --hmac-secret {}", secret(1));
    good(
        &folder,
        &format!("{write} --device-key device.key --dialect go-fdo -o made.bin"),
    );
    (folder, write)
}

#[test]
fn credentials_are_written_and_shown() {
    let (folder, write) = with_credentials("credential");
    for (dialect, key) in [("reference", ""), ("go-fdo", " --device-key device.key")] {
        let name = format!("{dialect}.bin");
        good(
            &folder,
            &format!("{write}{key} --dialect {dialect} -o {name}"),
        );
        let (code, _, err) = ov(&folder, &format!("verify --hmac-secret @{name} v.pem"));
        assert_eq!(code, 0, "{err}");
        let shown = good(&folder, &format!("credential {name}"));
        assert!(shown.contains(&format!("dialect: {dialect}")), "{shown}");
        assert!(
            shown.contains("HMAC secret: yes") && !shown.contains(&secret(1)),
            "{shown}"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.join(&name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    good(
        &folder,
        "credential go-fdo.bin --dialect reference --inactive -o c.bin",
    );
    assert!(good(&folder, "credential c.bin").contains("active: no"));
}

#[test]
fn credentials_are_converted() {
    let (folder, write) = with_credentials("convert");
    good(
        &folder,
        "credential made.bin --device-key sec1.key --dialect fdo-rs -o fdo-rs.bin",
    );
    good(&folder, "credential fdo-rs.bin --inactive -o same.bin");
    let two = fs::read(folder.join("device.key")).unwrap().repeat(2);
    fs::write(folder.join("two.key"), two).unwrap();
    for (args, words) in [
        (format!("{write} -o x.bin"), "--dialect expected"),
        (
            format!("{write} --dialect go-fdo -o x.bin"),
            "no key; --hmac-secret and --device-key",
        ),
        (
            "credential v.pem --dialect reference -o x.bin".into(),
            "no HMAC secret; --hmac-secret",
        ),
        (
            format!(
                "credential v.pem --hmac-secret {} --dialect reference -o x.bin",
                secret(2)
            ),
            "the secret is that of another device",
        ),
        (
            format!("{write} --device-key 1.key --dialect go-fdo -o x.bin"),
            "the device certificate has the key",
        ),
        (
            format!("{write} --device-key two.key --dialect go-fdo -o x.bin"),
            "two.key: 2 private keys found; expected that of the device alone",
        ),
        (
            format!("{write} --device-key chain.pem --dialect go-fdo -o x.bin"),
            "expected a private key",
        ),
        (
            "credential made.bin --device-key 1.key --dialect go-fdo -o x.bin".into(),
            "the credential has the key",
        ),
        ("credential maker.pub".into(), "this is a public key"),
    ] {
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 2, "{args}");
        assert!(err.contains(words), "{args}: {err}");
        assert!(!folder.join("x.bin").exists());
    }
}

/// The key of a device may come in any form, and goes out as the software of the dialect reads it: here
/// SEC 1 in an array of numbers, PKCS#8 in a byte string.
#[test]
fn a_device_key_is_written_in_the_form_of_the_dialect() {
    let (folder, write) = with_credentials("device-key");
    let (_, key) = common::device_with_certificate();
    let pkcs8 = key.to_pkcs8_der().unwrap();
    let sec1 = fs::read(folder.join("sec1.key")).unwrap();
    let numbers: Vec<u8> = sec1
        .iter()
        .flat_map(|byte| match byte {
            0..24 => vec![*byte],
            _ => vec![0x18, *byte],
        })
        .collect();
    let public = key.public_key().to_spki_der();
    let (x, y) = public[public.len() - 64..].split_at(32);
    let d = &sec1[7..39];
    let [x, y, d] = [x, y, d].map(|part| {
        use base64ct::Encoding as _;
        base64ct::Base64UrlUnpadded::encode_string(part)
    });
    let jwk =
        format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{x}\",\"y\":\"{y}\",\"d\":\"{d}\"}}");
    fs::write(folder.join("device.jwk"), jwk).unwrap();
    let holds = |name: &str, part: &[u8]| {
        let bytes = fs::read(folder.join(name)).unwrap();
        bytes.windows(part.len()).any(|it| it == part)
    };
    for file in ["device.key", "sec1.key", "device.jwk"] {
        for (dialect, form) in [("go-fdo", &pkcs8[..]), ("fdo-rs", &numbers)] {
            good(
                &folder,
                &format!("{write} --device-key {file} --dialect {dialect} -o a.bin --force"),
            );
            assert!(holds("a.bin", form), "{file} {dialect}");
        }
    }
    // One that is in a credential is converted with it, and back.
    good(&folder, "credential made.bin --dialect fdo-rs -o b.bin");
    assert!(holds("b.bin", &numbers));
    good(&folder, "credential b.bin --dialect go-fdo -o c.bin");
    assert!(holds("c.bin", &pkcs8));
}
