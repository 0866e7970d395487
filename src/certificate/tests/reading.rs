//! Single certificates: what is in them, and bytes that are none.

use super::*;

#[test]
fn info_of_a_device() {
    let info = CertificateInfo::from_der(der("p256-leaf")).unwrap();
    assert_eq!(info.subject, "CN=P-256 device");
    assert_eq!(info.issuer, "CN=P-256 intermediate");
    assert_eq!(info.serial, "04d2");
    assert_eq!(info.not_before, date("2019-01-01"));
    assert_eq!(info.not_after, date("2049-01-01"));
    let key = PublicKey::from_certificate_der(der("p256-leaf")).unwrap();
    assert_eq!(info.public_key, Some(key));
    assert_eq!((info.is_ca, info.version), (false, 3));
    assert_eq!(info.signature_algorithm, "ecdsa-with-SHA256");
    let digest = crate::digest::HashAlgorithm::Sha256.digest(&[der("p256-leaf")]);
    assert_eq!(info.fingerprint, digest.as_bytes());
    assert!(CertificateInfo::from_der(der("p256-root")).unwrap().is_ca);
}

#[test]
fn info_of_odd_certificates() {
    let info = |name| CertificateInfo::from_der(der(name)).unwrap();
    assert_eq!(info("leaf-no-subject").subject, "");
    assert_eq!(info("leaf-serial-0").serial, "00");
    assert_eq!(info("leaf-serial-negative").serial, "-4d");
    assert_eq!(
        info("leaf-serial-long").serial,
        String::from("80") + &"00".repeat(31)
    );
    assert_eq!(info("leaf-v1").version, 1);
    assert_eq!(info("leaf-future").not_after, date("2055-01-01"));
    assert_eq!(info("p521-root").public_key, None);
    assert_eq!(
        info("rsa2048-leaf-pss-sha256").signature_algorithm,
        "RSASSA-PSS"
    );
    // The escape character, the comma, and the override of the text's direction.
    assert_eq!(
        info("leaf-control").subject,
        "CN=a\\1b[31m\\,b\\e2\\80\\aec"
    );
    // What a terminal takes for the same as escape and bracket, in the place of the override.
    let mut control = der("leaf-control").to_vec();
    let at = control.windows(3).position(|part| part == b"\xe2\x80\xae");
    let at = at.unwrap();
    control[at..at + 3].copy_from_slice(b"\xc2\x9bx");
    let subject = CertificateInfo::from_der(&control).unwrap().subject;
    assert_eq!(subject, "CN=a\\1b[31m\\,b\\c2\\9bxc");
}

#[test]
fn info_of_garbage() {
    for garbage in [&b""[..], b"\x30\x00", &[0x30; 100], &der("leaf")[..100]] {
        let error = CertificateInfo::from_der(garbage).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
    }
    let trailing = [der("leaf"), b"\0"].concat();
    assert!(CertificateInfo::from_der(&trailing).is_err());
}

/// Every entry point on these bytes, as leaf and as issuer; nothing may panic.
fn try_everything(bytes: &[u8], signatures: bool) {
    let _ = CertificateInfo::from_der(bytes);
    let mut trusted = Roots::new();
    let _ = trusted.add_der(bytes);
    if signatures {
        let at = Some("2026-11-23");
        let _ = findings(&[bytes, bytes], at);
        let _ = verify_path(&[bytes, bytes], &trusted, None, false, ErrorKind::OwnerPath);
        for pair in [[der("leaf"), bytes], [bytes, der("p256-root")]] {
            let _ = verify_path(&pair, &trusted, None, false, ErrorKind::OwnerPath);
        }
    }
}

#[test]
fn truncations_never_panic() {
    for (_, whole) in ALL {
        for end in 0..whole.len() {
            try_everything(&whole[..end], true);
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    flip_bits(397, 24);
}

#[test]
#[ignore = "long: run with --release -- --ignored"]
fn flipped_bits_never_panic_nor_do_their_signatures() {
    flip_bits(61, 1);
}

/// Flips every bit of every `apart`th byte. Signatures cost too much to be tried each time: at every
/// `step`th bit.
fn flip_bits(step: usize, apart: usize) {
    for (number, (_, whole)) in ALL.iter().enumerate() {
        // Another byte begins each certificate.
        for position in (number % apart..whole.len()).step_by(apart) {
            for bit in 0..8 {
                let mut bad = whole.to_vec();
                bad[position] ^= 1 << bit;
                try_everything(&bad, (position * 8 + bit + number) % step == 0);
            }
        }
    }
}
