//! The program with a PKCS#11 token: from the first voucher to the proof of ownership, everything that
//! can go wrong, and shipments.

mod common;

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use common::{SoftToken, complaint, count_owned, tampering_shows, voucher};
use ownership_voucher::{ErrorKind, Policy, PublicKey, file};

fn key(token: &SoftToken, name: &str, kind: &str) -> PublicKey {
    let pem = token.good(&["key", name, "--make", kind]);
    fs::write(token.0.join(&format!("{name}.pem")), &pem).expect("written");
    PublicKey::from_pem(pem.as_bytes()).expect("a public key")
}

#[test]
fn every_kind_of_key_from_first_voucher_to_proof() {
    let token = SoftToken::new();
    token.good(&["secret", "device", "--make", "sha256"]);
    token.good(&["secret", "device-384", "--make", "sha384"]);
    let kinds = [
        ("p256", "", "device", "ES256"),
        ("p384", "", "device-384", "ES384"),
        ("rsa2048", "", "device", "RS256"),
        ("rsa2048", "--pss", "device", "PS256"),
        ("rsa3072", "", "device-384", "RS384"),
        ("rsa3072", "--pss", "device-384", "PS384"),
    ];
    for (kind, pss, secret, algorithm) in kinds {
        let [maker, buyer] = [format!("maker-{kind}"), format!("buyer-{kind}")];
        let (maker_key, buyer_key) = (key(&token, &maker, kind), key(&token, &buyer, kind));
        // The key that is there is found, not made anew.
        assert_eq!(key(&token, &maker, kind), maker_key);
        let (made, sold) = (format!("{kind}{pss}-0.pem"), format!("{kind}{pss}-1.pem"));
        let mut arguments = vec![
            "new", "--key", &maker, "--secret", secret, "--output", &made,
        ];
        arguments.extend((!pss.is_empty()).then_some(pss));
        token.good(&arguments);
        let to = format!("{buyer}.pem");
        token.good(&[
            "sell", "--key", &maker, "--to", &to, &made, "--output", &sold,
        ]);

        let bytes = voucher(&token.0.join(&sold));
        let policy = Policy::any_origin()
            .with_manufacturer(maker_key)
            .with_owner(buyer_key.clone());
        let verified = policy.verify(&bytes).expect("a good voucher");
        assert_eq!(
            verified.entry(0).expect("an entry").algorithm().name(),
            algorithm
        );
        assert_eq!(*verified.owner(), buyer_key);
        tampering_shows(&bytes);

        let said = token.good(&["verify", "--secret", secret, "--owner", &to, &sold]);
        assert!(
            said.trim_end().ends_with("verified: entries, hmac, owner"),
            "{said}"
        );
        let other = token.bad(&["verify", "--owner", &format!("maker-{kind}.pem"), &sold]);
        assert!(other.contains("the current owner is sha256:"), "{other}");

        let challenge = verified
            .challenge("market.example.com", [3; 32])
            .expect("a name");
        let pem = armour("OWNERSHIP CHALLENGE", &challenge.to_cbor());
        fs::write(token.0.join("challenge.pem"), pem).expect("written");
        let proof = format!("{kind}{pss}-proof.pem");
        let prove = |key: &str, verifier: &str, output: &str| {
            [
                "prove",
                "--key",
                key,
                "--verifier",
                verifier,
                "challenge.pem",
                &sold,
                "--output",
                output,
            ]
            .map(str::to_owned)
        };
        let arguments = prove(&buyer, "market.example.com", &proof);
        token.good(&arguments.each_ref().map(String::as_str));
        let mut proof = unarmour(&token.0.join(&proof));
        challenge.check(&verified, &proof).expect("a proof");
        let last = proof.len() - 1;
        proof[last] ^= 1;
        let error = challenge.check(&verified, &proof).expect_err("forged");
        assert_eq!(error.kind(), ErrorKind::SignatureInvalid);

        // Not the owner any more; and somebody else's question.
        let arguments = prove(&maker, "market.example.com", "none.pem");
        let text = token.bad(&arguments.each_ref().map(String::as_str));
        assert!(text.contains("the signer's key is sha256:"), "{text}");
        let arguments = prove(&buyer, "other.example.com", "none.pem");
        let text = token.bad(&arguments.each_ref().map(String::as_str));
        assert!(text.contains("another verifier"), "{text}");
        assert!(!token.0.join("none.pem").exists());
    }
}

fn armour(label: &str, bytes: &[u8]) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, bytes).expect("PEM")
}

fn unarmour(path: &Path) -> Vec<u8> {
    let text = fs::read(path).expect("a file");
    let mut blocks = file::PemBlocks::new(&text);
    let block = blocks.next().expect("a block").expect("a good block");
    assert_eq!(block.label(), "OWNERSHIP PROOF");
    block.decode().expect("base64").to_vec()
}

#[test]
fn clear_errors_and_no_half_written_file() {
    let token = SoftToken::new();
    key(&token, "maker", "p256");
    key(&token, "large", "p384");
    token.good(&["secret", "device", "--make", "sha256"]);
    token.good(&[
        "new", "--key", "maker", "--secret", "device", "--output", "made.pem",
    ]);
    let sell = |key: &str, to: &str| {
        let arguments = [
            "sell", "--key", key, "--to", to, "made.pem", "--output", "sold.pem",
        ];
        token.bad(&arguments)
    };
    let cases = [
        (sell("nobody", "maker.pem"), "no key nobody"),
        (
            sell("device", "maker.pem"),
            "device is an HMAC secret, expected is a signing key",
        ),
        (sell("large", "maker.pem"), "the signer's key is sha256:"),
        (
            sell("maker", "large.pem"),
            "of another type than the manufacturer's",
        ),
        (sell("maker", "missing.pem"), "cannot read missing.pem"),
        (
            token.bad(&["secret", "maker"]),
            "maker is a signing key, expected is an HMAC secret",
        ),
        (token.bad(&["secret", "nothing"]), "no key nothing"),
        (
            token.bad(&["key", "maker", "--make", "p384"]),
            "expected is P384",
        ),
        (
            token.bad(&["--token", "other", "key", "maker"]),
            "no token or TPM: other",
        ),
        (
            token.bad(&["--module", "/nonexistent.so", "key", "maker"]),
            "no token or TPM",
        ),
    ];
    for (text, wanted) in cases {
        assert!(text.contains(wanted), "{text:?}, expected {wanted:?}");
    }
    fs::write(token.0.join("wrong"), "0000\n").expect("written");
    let text = token.bad(&["--pin-file", "wrong", "key", "maker"]);
    assert_eq!(text, "hw: wrong PIN; the hardware counts the attempts\n");

    // The secret is too short for what a P-384 manufacturer's header wants.
    let arguments = [
        "new", "--key", "large", "--secret", "device", "--output", "no.pem",
    ];
    let text = token.bad(&arguments);
    assert!(
        text.contains("expected is a key that this algorithm takes"),
        "{text}"
    );

    // What is there stays there.
    fs::write(token.0.join("sold.pem"), "precious").expect("written");
    let text = sell("maker", "maker.pem");
    assert!(
        text.contains("cannot write sold.pem: File exists"),
        "{text}"
    );
    assert_eq!(
        fs::read(token.0.join("sold.pem")).expect("a file"),
        b"precious"
    );
    let left: Vec<_> = fs::read_dir(token.0.join(""))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| name.contains("tmp") || name == "no.pem")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn fleet(token: &SoftToken, count: usize) -> PublicKey {
    key(token, "maker", "p256");
    let buyer = key(token, "buyer", "p256");
    token.good(&["secret", "device", "--make", "sha256"]);
    let count = count.to_string();
    token.good(&[
        "fleet", "--key", "maker", "--secret", "device", "--count", &count, "from",
    ]);
    buyer
}

fn ship<'a>(into: &'a str, sessions: &'a str) -> [&'a str; 9] {
    [
        "ship",
        "--key",
        "maker",
        "--to",
        "buyer.pem",
        "--sessions",
        sessions,
        "from",
        into,
    ]
}

/// Waits until so many files are there.
fn wait_for(folder: &Path, count: usize, child: &mut Child) {
    let start = Instant::now();
    while fs::read_dir(folder).map_or(0, Iterator::count) < count {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        assert!(
            child.try_wait().expect("a child").is_none(),
            "it ended too early"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_thousand_hand_overs_by_one_session_and_by_four() {
    let token = SoftToken::new();
    let buyer = fleet(&token, 1000);
    for sessions in ["1", "4"] {
        let into = format!("into-{sessions}");
        let said = token.good(&ship(&into, sessions));
        println!("{said}");
        assert!(
            said.starts_with("1000 handed over, 0 were before, 0 are as they were"),
            "{said}"
        );
        assert_eq!(count_owned(&token.0.join(&into), &buyer), 1000);
    }
    tampering_shows(&voucher(&token.0.join("into-4/000123.cbor")));
    // Once more, and nothing is signed over a second time.
    let before = fs::read(token.0.join("into-4/000999.cbor")).expect("a file");
    let said = token.good(&ship("into-4", "4"));
    assert!(
        said.starts_with("0 handed over, 1000 were before, 0 are as they were"),
        "{said}"
    );
    assert_eq!(
        fs::read(token.0.join("into-4/000999.cbor")).expect("a file"),
        before
    );
}

#[test]
fn a_token_that_goes_away_half_way() {
    let token = SoftToken::new();
    let buyer = fleet(&token, 400);
    let mut child = token.hw(&ship("into", "3"));
    let mut child = child
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("hw runs");
    wait_for(&token.0.join("into"), 20, &mut child);
    fs::rename(token.0.join("tokens"), token.0.join("pulled")).expect("pulled out");
    let text = complaint(&child.wait_with_output().expect("it ends"));
    assert!(text.contains("the hardware has gone away"), "{text}");
    let done = count_owned(&token.0.join("into"), &buyer);
    assert!((20..400).contains(&done), "{done}");

    let text = token.bad(&ship("into", "3"));
    assert!(text.contains("no token or TPM"), "{text}");
    fs::rename(token.0.join("pulled"), token.0.join("tokens")).expect("put back");
    let said = token.good(&ship("into", "3"));
    let wanted = format!("{} handed over, {done} were before, 0 are", 400 - done);
    assert!(said.starts_with(&wanted), "{said}");
    assert_eq!(count_owned(&token.0.join("into"), &buyer), 400);
}

#[test]
fn a_process_that_is_killed_half_way() {
    let token = SoftToken::new();
    let buyer = fleet(&token, 400);
    let mut done = 0;
    for more in [30, 60] {
        let mut child = token.hw(&ship("into", "4")).spawn().expect("hw runs");
        wait_for(&token.0.join("into"), done + more, &mut child);
        child.kill().expect("it runs");
        child.wait().expect("it ran");
        let into = token.0.join("into");
        for entry in fs::read_dir(&into).expect("a folder") {
            let path = entry.expect("a file").path();
            // A draft may be left, under a name that nobody takes for a voucher.
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
            {
                fs::remove_file(path).expect("removed");
            }
        }
        done = count_owned(&into, &buyer);
        assert!(done < 400, "it was too fast");
    }
    let said = token.good(&ship("into", "4"));
    let wanted = format!("{} handed over, {done} were before, 0 are", 400 - done);
    assert!(said.starts_with(&wanted), "{said}");
    assert_eq!(count_owned(&token.0.join("into"), &buyer), 400);
}
