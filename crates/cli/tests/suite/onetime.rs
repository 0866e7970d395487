//! `ov onetime` and `ov extend` with one-time keys: from the buyer's secret to the second sale.

use crate::common;
use crate::program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::{KeyType, Policy, file};
use program::{good, ov};

const P256: KeyType = KeyType::Secp256r1;

/// A folder with a shipment of three vouchers and the key of their maker.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("onetime-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let shipment: Vec<u8> = (1..4)
        .flat_map(|guid| common::voucher(P256, guid, 0))
        .collect();
    fs::write(path.join("shipment"), shipment).unwrap();
    let key = common::key(P256, 0).to_pkcs8_der().unwrap();
    fs::write(path.join("maker.key"), &*key).unwrap();
    path
}

/// The owners of the vouchers in a file, which must verify.
fn owners(path: &Path) -> BTreeSet<[u8; 32]> {
    let bytes = fs::read(path).unwrap();
    let vouchers = file::Vouchers::new(&bytes).map(|voucher| voucher.unwrap());
    let owner = |bytes: std::borrow::Cow<'_, [u8]>| {
        let voucher = Policy::any_origin().verify(&bytes).unwrap();
        voucher.owner().fingerprint()
    };
    vouchers.map(owner).collect()
}

#[test]
fn sold_to_an_address_and_on_to_another() {
    let folder = folder("address");
    let run = |args: &str| good(&folder, args);
    run("onetime master --output a.master");
    run("onetime master --output b.master");
    let a = run("onetime address --master a.master");
    let b = run("onetime address --master b.master --number 3");
    assert!(a.starts_with("fdo1q") && a.trim().len() == 117);
    run("onetime scan-key --master a.master --output a.scan");
    run("onetime scan-key --master b.master --number 3 --output b.scan");

    let a = a.trim();
    run(&format!(
        "extend shipment --key maker.key --to-address {a} --output one.pem"
    ));
    assert_eq!(owners(&folder.join("one.pem")).len(), 3);
    let found = run("onetime find one.pem --scan-key a.scan --scan-key b.scan");
    assert_eq!(found.matches(a).count(), 3, "{found}");
    assert_eq!(run("onetime find one.pem --scan-key b.scan"), "");

    let b = b.trim();
    let sell = |master: &str, file: &str| {
        let args = format!("extend {file} --to-address {b} --output {master}.two");
        ov(&folder, &format!("{args} --master {master}"))
    };
    let (code, _, err) = sell("b.master", "one.pem");
    assert_eq!(code, 1);
    assert_eq!(
        err.matches("a key that the signer does not hold").count(),
        3,
        "{err}"
    );
    assert_eq!(sell("a.master", "one.pem").0, 0);
    let json = run("onetime find a.master.two --scan-key a.scan --scan-key b.scan --json");
    assert_eq!(
        json.matches(&format!("\"address\":\"{b}\"")).count(),
        3,
        "{json}"
    );
    assert!(
        json.lines().all(|line| line.contains("\"list\":null")),
        "{json}"
    );
}

#[test]
fn sold_to_a_list_and_on_by_it() {
    let folder = folder("list");
    let run = |args: &str| good(&folder, args);
    run("onetime master --output a.master");
    run("onetime keys --master a.master --order PO-1 --count 3 --output PO-1.pem");
    let printed = run("onetime keys --master a.master --order PO-1 --first 1 --count 2");
    assert!(
        fs::read_to_string(folder.join("PO-1.pem"))
            .unwrap()
            .ends_with(&printed)
    );
    run("extend shipment --key maker.key --to-keys PO-1.pem --output one.pem");
    assert_eq!(owners(&folder.join("one.pem")).len(), 3);
    let found = run("onetime find one.pem --keys PO-1.pem");
    for number in 0..3 {
        assert!(
            found.contains(&format!("key {number} of \"PO-1.pem\"")),
            "{found}"
        );
    }
    let found = run("onetime find one.pem --keys PO-1.pem --json");
    assert!(
        found.contains("\"list\":\"PO-1.pem\",\"number\":2"),
        "{found}"
    );

    // A list that is too short or too long is refused before anything is signed.
    for count in [2, 4] {
        run(&format!(
            "onetime keys --master a.master --order PO-2 --count {count} --output {count}.pem"
        ));
        let args = format!("extend shipment --key maker.key --to-keys {count}.pem --output no.pem");
        let (code, out, err) = ov(&folder, &args);
        assert_eq!((code, out.as_str()), (2, ""));
        let message = format!("3 vouchers, but {count} keys");
        assert!(err.contains(&message), "{err}");
        assert!(!folder.join("no.pem").exists());
    }

    // On to one key, signed with the keys of the order.
    run("keygen --output next.key --public next.pem");
    run("extend one.pem --master a.master --order PO-1 --count 3 --to next.pem --output two.pem");
    assert_eq!(owners(&folder.join("two.pem")).len(), 1);
    let args = "extend one.pem --master a.master --order PO-1 --count 2 --to next.pem -o three.pem";
    let (code, _, err) = ov(&folder, args);
    assert_eq!((code, err.matches("not extended").count()), (1, 1), "{err}");
}

#[test]
fn what_is_refused() {
    let folder = folder("refused");
    let run = |args: &str| good(&folder, args);
    run("onetime master --output a.master");
    let address = run("onetime address --master a.master");
    let wrong = address.trim().replacen('q', "p", 2);
    for (args, why) in [
        (
            format!("extend shipment --key maker.key --to-address {wrong}"),
            "checksum",
        ),
        ("extend shipment --key maker.key".into(), "--to"),
        (
            format!(
                "extend shipment --to-address {} --to-be-signed x",
                address.trim()
            ),
            "--key or --master",
        ),
        ("onetime master --output a.master".into(), "exists"),
        (
            "onetime address --master maker.key".into(),
            "64 hexadecimal digits",
        ),
        (
            "onetime find shipment --scan-key a.master".into(),
            "130 hexadecimal digits",
        ),
        (
            "onetime find shipment --keys maker.key".into(),
            "a private key found",
        ),
        ("onetime find shipment".into(), "--scan-key"),
        (
            format!(
                "onetime keys --master a.master --order {} --count 1",
                "x".repeat(65)
            ),
            "65 bytes",
        ),
        (
            "onetime keys --master a.master --order x --first 4294967295 --count 2".into(),
            "past 4294967295",
        ),
    ] {
        let (code, out, err) = ov(&folder, &args);
        assert_eq!((code, out.as_str()), (2, ""), "{args}: {err}");
        assert!(err.contains(why), "{args}: {err}");
    }
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder("secrets");
    good(&folder, "onetime master --output a.master");
    good(
        &folder,
        "onetime scan-key --master a.master --output a.scan",
    );
    for (name, len) in [("a.master", 65), ("a.scan", 131)] {
        let meta = fs::metadata(folder.join(name)).unwrap();
        assert_eq!(
            (meta.permissions().mode() & 0o777, meta.len()),
            (0o600, len)
        );
    }
}
