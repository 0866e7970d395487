//! One word for one thing: a variant is its stable name in camel case, and the constant in C is the
//! same in capitals.

use ownership_voucher::create::RvProtocol;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{ErrorKind, KeyType, Origin};

const HEADER: &str = concat!(
    include_str!("../../include/ownership_voucher_base.h"),
    include_str!("../../include/ownership_voucher.h")
);

fn camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(word).collect()
}

fn in_c(prefix: &str, name: &str, code: u16) -> bool {
    let name = name.replace('-', "_").to_uppercase();
    let define = format!("\n#define {prefix}{name} {code}\n");
    HEADER.contains(&define)
}

#[test]
fn errors() {
    for kind in ErrorKind::ALL {
        assert_eq!(format!("{kind:?}"), camel(kind.name()));
        assert!(in_c("OV_ERR_", kind.name(), kind.code()), "{kind:?}");
    }
}

#[test]
fn findings() {
    for kind in FindingKind::ALL {
        assert_eq!(format!("{kind:?}"), camel(kind.name()));
        assert!(in_c("OV_FINDING_", kind.name(), kind.code()), "{kind:?}");
    }
}

#[test]
fn names_are_displayed_in_any_width() {
    assert_eq!(ErrorKind::GuidZero.to_string(), "guid-zero");
    assert_eq!(RvProtocol::Https.to_string(), RvProtocol::Https.name());
    assert_eq!(
        format!("{:>6}|{:6}|", Origin::Hmac, Origin::Hmac),
        "  hmac|hmac  |"
    );
    assert_eq!(KeyType::Secp256r1.to_string(), "SECP256R1");
}
