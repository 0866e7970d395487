//! Texts that want too much: of memory, of time, of the stack.

use ownership_voucher::{ErrorKind, Limits, Policy};
use ownership_voucher_sdo::{Checker, DeviceCredential, KeyList, Piece, Records, Voucher};
use proptest::prelude::*;

fn kind(text: &str) -> ErrorKind {
    let limits = Limits::new().with_input(Limits::MAX_INPUT);
    Voucher::parse_with(text.as_bytes(), &limits)
        .unwrap_err()
        .kind()
}

fn vector(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/sdo");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    vector["text"].as_str().unwrap().to_owned()
}

#[test]
fn long_strings_and_many_members() {
    let long = "x".repeat(10 << 20);
    let head =
        "{\"sz\":0,\"oh\":{\"pv\":113,\"pe\":1,\"r\":[0],\"g\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"d\":";
    assert_eq!(kind(&format!("{head}\"{long}\"")), ErrorKind::LimitInput);
    assert_eq!(kind(&format!("{head}\"{long}")), ErrorKind::Truncated);
    let members: String = (0..100_000)
        .map(|number| format!("\"x{number}\":0,"))
        .collect();
    assert_eq!(kind(&format!("{{{members}\"z\":0}}")), ErrorKind::Member);
    let rendezvous =
        format!("{{\"sz\":0,\"oh\":{{\"pv\":113,\"pe\":1,\"r\":[1,[100001,{{{members}\"z\":0}}]]");
    assert_eq!(kind(&rendezvous), ErrorKind::LimitLabels);
    let instructions = ",[1,{\"delaysec\":1}]".repeat(2000);
    let many = format!("{{\"sz\":0,\"oh\":{{\"pv\":113,\"pe\":1,\"r\":[2000{instructions}]");
    assert_eq!(kind(&many), ErrorKind::LimitRvInstructions);
    // In an array that is passed over, each item costs no memory.
    let wide = format!(
        "{{\"sz\":0,\"oh\":{{\"pv\":113,\"pe\":1,\"r\":[1,[1,{{\"zz\":[{}0]}}]]",
        "0,".repeat(1 << 20)
    );
    assert_eq!(kind(&wide), ErrorKind::Truncated);
    for deep in ["[", "{\"a\":"] {
        let text = format!(
            "{{\"sz\":0,\"oh\":{{\"pv\":113,\"pe\":1,\"r\":[1,[1,{{\"zz\":{}",
            deep.repeat(1 << 20)
        );
        assert_eq!(kind(&text), ErrorKind::LimitDepth);
    }
    assert_eq!(kind(&"[".repeat(1 << 20)), ErrorKind::WrongType);
    assert_eq!(kind(&" ".repeat(1 << 20)), ErrorKind::Truncated);
}

#[test]
fn limits_of_the_caller() {
    let text = vector("p256-3");
    let parse = |limits: Limits| Voucher::parse_with(text.as_bytes(), &limits).map(|_| ());
    let limits = Limits::new;
    assert!(parse(limits()).is_ok());
    for (limits, kind) in [
        (limits().with_input(text.len() - 1), ErrorKind::LimitInput),
        (limits().with_entries(2), ErrorKind::LimitEntries),
        (limits().with_certificates(1), ErrorKind::LimitCertificates),
        (
            limits().with_certificate(100),
            ErrorKind::LimitCertificateSize,
        ),
        (limits().with_device_info(4), ErrorKind::LimitDeviceInfo),
        (limits().with_rendezvous(0), ErrorKind::LimitRvInstructions),
    ] {
        assert_eq!(parse(limits).unwrap_err().kind(), kind);
    }
    // As much as there is fits, and one byte less does not.
    let voucher = Voucher::parse(text.as_bytes()).unwrap();
    let certificate = voucher.device_chain().map(<[u8]>::len).max().unwrap();
    let info = voucher.device_info().len();
    for (room, less) in [(true, 0), (false, 1)] {
        assert_eq!(parse(limits().with_input(text.len() - less)).is_ok(), room);
        assert_eq!(parse(limits().with_device_info(info - less)).is_ok(), room);
        assert_eq!(
            parse(limits().with_certificate(certificate - less)).is_ok(),
            room
        );
        assert_eq!(parse(limits().with_entries(3 - less)).is_ok(), room);
        assert_eq!(parse(limits().with_certificates(2 - less)).is_ok(), room);
    }
}

#[test]
fn findings_are_limited() {
    let strings = vector("string-raw-bracket").replace("\"dn\"", "\"x[\":0,\"dn\"");
    let limits = Limits::new().with_findings(1);
    let policy = Policy::any_origin().with_limits(limits);
    let audit = Checker::new(&policy).audit(strings.as_bytes());
    assert!(audit.findings.len() <= 8, "{:?}", audit.findings);
}

#[test]
fn credentials_have_a_largest_size() {
    let kind = |len: usize| {
        let error = DeviceCredential::parse(" ".repeat(len).as_bytes()).unwrap_err();
        error.kind()
    };
    assert_eq!(kind(1 << 20), ErrorKind::Truncated);
    assert_eq!(kind((1 << 20) + 1), ErrorKind::LimitInput);
}

#[test]
fn strings_have_a_largest_size() {
    let text = vector("p256-0");
    let host = |len: usize| {
        let text = text.replace("rv.example.net", &"x".repeat(len));
        Voucher::parse(text.as_bytes())
            .map(|_| ())
            .map_err(|error| error.kind())
    };
    // With their quotation marks.
    assert_eq!(host((64 << 10) - 2), Ok(()));
    assert_eq!(host((64 << 10) - 1), Err(ErrorKind::LimitInput));

    let secret = |digits: usize| {
        let text = format!("{{\"ST\":3,\"Secret\":\"{}\",7", "A".repeat(digits));
        DeviceCredential::parse(text.as_bytes()).unwrap_err().kind()
    };
    assert_eq!(secret(87_384), ErrorKind::WrongType);
    assert_eq!(secret(87_388), ErrorKind::LimitInput);
}

/// The second of two equal members is named with its place.
#[test]
fn members_of_a_credential_come_once() {
    let credential = |members: &str| {
        let owner = format!("{{\"pv\":113,\"pe\":1,{members},\"pkh\":[0,0,\"\"]}}");
        let text = format!("{{\"ST\":3,\"Secret\":\"AA==\",\"M\":{{\"d\":\"x\"}},\"O\":{owner}}}");
        let error = DeviceCredential::parse(text.as_bytes()).unwrap_err();
        (error.kind(), error.offset().map(|at| text[at..].to_owned()))
    };
    let guid = "\"g\":\"AAAAAAAAAAAAAAAAAAAAAA==\"";
    for member in [guid, "\"r\":[0]"] {
        let (kind, rest) = credential(&format!("{member},{member}"));
        assert_eq!(kind, ErrorKind::Member);
        assert!(rest.unwrap().starts_with(&format!(",{member},\"pkh\"")));
    }
}

/// The key of each owner is denied, and each of them is an error.
#[test]
fn errors_are_limited() {
    let text = vector("p256-3");
    let voucher = Voucher::parse(text.as_bytes()).unwrap();
    let mut denied = String::new();
    for entry in voucher.entries() {
        let digits = hex::encode_upper(entry.key().public_key().fingerprint());
        denied += &format!("{digits}\n");
    }
    let denied: KeyList = denied.parse().unwrap();
    for (limit, errors) in [(1, 1), (2, 2), (100, 3)] {
        let policy = Policy::any_origin().with_limits(Limits::new().with_findings(limit));
        let audit = Checker::new(&policy)
            .with_deny_list(&denied)
            .audit(text.as_bytes());
        assert_eq!(audit.errors.len(), errors, "{:?}", audit.errors);
    }
}

proptest! {
    /// No text makes a panic, and the verdict is that of the audit.
    #[test]
    fn any_change_of_a_voucher_is_judged(
        at in 0_usize..2735, byte in any::<u8>(), cut in 0_usize..3, insert in any::<bool>()
    ) {
        let mut text = vector("p256-3").into_bytes();
        let at = at % text.len();
        let end = (at + cut).min(text.len());
        text.splice(at..end, insert.then_some(byte));
        let policy = Policy::any_origin();
        let checker = Checker::new(&policy).allow_reformatted();
        let audit = checker.audit(&text);
        match checker.verify(&text) {
            Ok(_) => prop_assert!(audit.errors.is_empty()),
            Err(error) => prop_assert_eq!(Some(&error), audit.errors.first()),
        }
    }

    /// A stream is split the same in chunks of any size.
    #[test]
    fn chunks_do_not_matter(text in "[{}\\[\\]\",: \n]{0,80}", chunk in 1_usize..90) {
        let text = format!("{{\"sz\":{text}");
        let split = |chunk: usize| {
            let mut records = Records::new();
            let mut chunks = text.as_bytes().chunks(chunk);
            let mut found = Vec::new();
            while let Some(piece) = records.next_piece() {
                match piece {
                    Piece::Voucher(bytes) => found.push((records.offset(), bytes)),
                    Piece::More => match chunks.next() {
                        Some(chunk) => records.push(chunk),
                        None => records.finish(),
                    },
                }
            }
            found
        };
        prop_assert_eq!(split(chunk), split(text.len()));
    }

    #[test]
    fn credentials_of_any_text(text in ".{0,200}") {
        let _ = DeviceCredential::parse(text.as_bytes());
        let _ = DeviceCredential::parse(format!("{{\"ST\":{text}").as_bytes());
    }
}
