//! What `ov` prints on a terminal of 80 columns: nothing is wider, and nothing is left out for that.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;

use crate::desk::{Desk, all_commands};
use crate::screen::{on_terminal, too_long, uncoloured};

/// What each command prints for people, where its output is not that of a table or of data.
const REPORTS: &[&str] = &[
    "show --manufacturer manufacturers.pem --owner mine.pub voucher.pem forged.cbor",
    "show shipment strange.cbor device.pem",
    "show sdo.ov",
    "audit --manufacturer maker.pub --owner buyer.pub shipment forged.cbor missing",
    "audit sdo.ov",
    "privacy shipment gateways forged.cbor",
    "privacy sdo.ov",
    "owned --owner mine.pub --owner maker.pub shipment forged.cbor strange.cbor",
    "owned --key mine.pem shipment",
    "fingerprint mine.pem buyer.pub manufacturers.pem",
    "credential voucher.pem",
    "delegate voucher20.cbor --allow fdo-2.0 --manufacturer maker20.pub --chain delegate.pem",
    "forks a.pem b.pem voucher.pem forged.cbor",
    "onetime find --keys mine.pub shipment forged.cbor",
    "check-proof voucher.pem --challenge c --proof p --any-origin",
    "check-proof voucher.pem --challenge c --proof p",
    "check-proof voucher.pem --challenge c --proof secret.hex",
    "check-proof shipment --challenge asked --proof proofs --any-origin",
];

/// Commands whose output is a table, data, or messages alone.
const OTHERS: &[&str] = &[
    "keygen -o k.pem --public k.pub",
    "keygen -o voucher.pem",
    "extend voucher.pem --key mine.pem --to buyer.pub -o a.pem",
    "extend voucher.pem --key mine.pem --to k.pub -o b.pem",
    "extend voucher.pem --key k.pem --to buyer.pub -o none.pem",
    "extend voucher.pem --key k.pem --key mine.pem --to none -o none.pem",
    "extend shipment --key k.pem --to buyer.pub --out-dir none",
    "extend shipment --to buyer.pub --to-be-signed messages/ --journal sales.jsonl",
    "new --device-info x --manufacturer maker.pub --epid --rv https://a.example --hmac-secret @secret.hex -o n.pem",
    "convert shipment strange.cbor --out-dir converted",
    "convert voucher.pem",
    "challenge voucher.pem --verifier x -o c",
    "challenge voucher.pem --verifier x --manufacturer maker.pub",
    "challenge shipment --verifier x --out-dir asked",
    "prove voucher.pem --challenge c --verifier x --key mine.pem -o p",
    "prove voucher.pem --challenge c --verifier y --key mine.pem",
    "prove voucher.pem --challenge c --verifier x --key k.pem",
    "prove shipment --challenge asked --verifier x --key mine.pem --out-dir proofs",
    "verify --manufacturer manufacturers.pem --owner buyer.pub shipment forged.cbor --expect 28",
    "verify sdo.ov",
    "verify",
    "verify --allow nothing voucher.pem",
    "new --refuse nothing",
    "extend voucher.pem",
    "owned voucher.pem",
    "onetime master -o m",
    "onetime keys --master m --order 1 --count 2",
    "onetime scan-key --master m -o s",
];

/// Nothing is wider than the terminal, and nothing is left out for that.
#[test]
fn everything_fits_into_80_columns() {
    let desk = Desk::new("fits");
    fs::create_dir(desk.0.join("messages")).unwrap();
    fs::write(desk.0.join("sdo.ov"), crate::sdo::vector("allow-owner")).unwrap();
    let mut seen = BTreeSet::new();
    for line in OTHERS.iter().chain(REPORTS) {
        let args: Vec<&str> = line.split(' ').collect();
        let (text, _) = on_terminal(&desk, 80, &[], &args);
        // Receipts are data.
        let mut long = too_long(&text, 80);
        long.retain(|line| !line.starts_with("{\"source\":"));
        assert_eq!(long, [""; 0], "{line}");
        seen.extend((1..=2).map(|words| {
            args.iter()
                .take(words)
                .copied()
                .collect::<Vec<_>>()
                .join(" ")
        }));
        if !REPORTS.contains(line) {
            continue;
        }
        assert!(
            text.lines().count() > 2 || line.starts_with("check"),
            "{line}: {text}"
        );
        // The same in a pipe, but for where lines end. Marks of links are other ones in each run.
        let (shown, piped) = (solid(&text), desk.out(line));
        for line in piped.lines() {
            let known = shown.contains(&solid(line)) || line.contains(" vouchers, first ");
            assert!(known, "{line}: {text}");
        }
        let short = line.starts_with("cred") || line.starts_with("check");
        assert!(short || !too_long(&piped, 80).is_empty(), "{line}");
    }
    // These print data: pages, scripts, and an address, which is one word.
    let data = ["", "onetime", "onetime address", "completions", "man"];
    for command in all_commands(&desk) {
        let tried = seen.contains(&command) || data.contains(&command.as_str());
        assert!(tried, "{command}");
    }
}

/// The text without blanks and the lines of trees.
fn solid(text: &str) -> String {
    let drawn = |c: &char| !c.is_whitespace() && !"│├└─".contains(*c);
    uncoloured(text).chars().filter(drawn).collect()
}
