//! A Wi-Fi password in rendezvous info, in every shape that somebody may have written it: nothing of the library
//! prints it unless secrets are asked for.
#![cfg(all(feature = "pem", feature = "x509", feature = "privacy"))]
use crate::passwords;

use std::fmt::Write as _;

use ownership_voucher::diagnostic;
use ownership_voucher::privacy::{DisclosureKind, Severity};
use ownership_voucher::text::Secrets;
use ownership_voucher::{Limits, Policy, Voucher, audit};
use passwords::*;

#[test]
fn nothing_of_the_library_prints_a_password_in_any_shape() {
    for (name, told, info) in shapes() {
        let bytes = voucher(&bstr(header(&info)));
        silent(&diagnostic::notation(&bytes, Secrets::Withheld).text, &name);
        let mut text = format!("{:?}", audit(&bytes, &Policy::any_origin()));
        let voucher = match Voucher::parse(&bytes) {
            Ok(voucher) => voucher,
            Err(error) => {
                assert_eq!(told, Broken, "{name}");
                silent(&format!("{error} {error:?}"), &name);
                continue;
            }
        };
        let info = voucher.rendezvous();
        write!(text, "{voucher:?} {info:?} {:?}", voucher.deviations()).unwrap();
        for instruction in info.instructions() {
            write!(text, "{instruction:?} {:?}", instruction.value()).unwrap();
            if !instruction.may_be_secret() {
                // What may be printed.
                let raw = instruction.raw().unwrap_or_default();
                write!(text, "{}", String::from_utf8_lossy(raw)).unwrap();
            }
        }
        let disclosures = voucher.disclosures(&Limits::new(), Secrets::Withheld);
        write!(text, "{disclosures:?}").unwrap();
        disclosures
            .iter()
            .for_each(|it| write!(text, "{it}").unwrap());
        silent(&text, &name);
        let worst = disclosures.iter().map(|it| it.kind.severity()).max();
        let expected = match told {
            Password => Severity::Critical,
            _ => Severity::High,
        };
        assert_eq!(worst, Some(expected), "{name}");
        let unread = disclosures
            .iter()
            .any(|it| it.kind == DisclosureKind::RendezvousOther);
        assert!(unread || told == Password, "{name}");
        // Whoever asks for secrets gets it.
        let all = voucher.disclosures(&Limits::new(), Secrets::Shown);
        let all: String = all.iter().map(ToString::to_string).collect();
        let spelled = [HALVES[0].to_owned(), hex::encode(HALVES[0])];
        assert!(spelled.iter().any(|it| all.contains(it)), "{name}: {all}");
    }
    for (name, _, bytes) in broken() {
        silent(&diagnostic::notation(&bytes, Secrets::Withheld).text, &name);
        let error = Voucher::parse(&bytes).map(drop).unwrap_err();
        silent(&format!("{error} {error:?}"), &name);
        let shown = diagnostic::notation(&bytes, Secrets::Shown).text;
        // In some of them only one half is left in one piece.
        let digits = HALVES.map(hex::encode).into_iter();
        let mut spelled = digits.chain(HALVES.map(String::from));
        assert!(spelled.any(|it| shown.contains(&it)), "{name}: {shown}");
    }
}

/// TO2.SetupDevice and device credentials hold rendezvous info too.
#[test]
fn the_diagnostic_of_what_is_no_voucher_prints_no_secret() {
    let unknown = array(&[&array(&[&array(&[&[0x18, 99], &bstr(tstr(PASSWORD))])])]);
    let (guid, hash) = (bstr([7; 16]), array(&[&[0x2f], &bstr([8; 32])]));
    let info = tstr("Model 7");
    let secret = bstr(PASSWORD.repeat(2));
    let numbers: Vec<Vec<u8>> = PASSWORD.bytes().map(|byte| vec![0x18, byte]).collect();
    let numbers: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
    let version = [0x18, 101];
    for (name, bytes) in [
        ("setup", array(&[&unknown, &guid, &bstr([9; 16]), &[0xf6]])),
        (
            "reference",
            array(&[&[0xf5], &version, &secret, &info, &guid, &unknown, &hash]),
        ),
        (
            "go-fdo",
            array(&[
                &[0xf5],
                &version,
                &info,
                &guid,
                &unknown,
                &hash,
                &secret,
                &secret,
            ]),
        ),
        (
            "fdo-rs",
            array(&[
                &[0xf5],
                &version,
                &info,
                &guid,
                &unknown,
                &hash,
                &array(&numbers),
            ]),
        ),
    ] {
        let shown = diagnostic::notation(&bytes, Secrets::Withheld);
        assert!(shown.error.is_none(), "{name}");
        silent(&shown.text, name);
        assert!(shown.text.contains("withheld"), "{name}: {}", shown.text);
        let hash = hex::encode([8; 32]);
        assert!(shown.text.contains(&hash) || name == "setup", "{name}");
    }
}
