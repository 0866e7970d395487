//! What a report says beside its verdict: each check with what was compared, and headers edited after
//! signing. What is expected is computed here, from the text and with another library's hash.

use ownership_voucher::finding::FindingKind;
use ownership_voucher::privacy::Linker;
use ownership_voucher::{ErrorKind, Policy};
use ownership_voucher_sdo::{
    Audit, Checker, DeviceCredential, KeyList, Rule, Voucher, allow_list_form, is_start,
};
use sha2::{Digest, Sha256};

fn vector(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/sdo");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    vector["text"].as_str().unwrap().to_owned()
}

fn audit(text: &str) -> Audit<'_> {
    let policy = Policy::any_origin();
    let audit = Checker::new(&policy).audit(text.as_bytes());
    assert!(audit.findings.is_sorted_by_key(|finding| finding.offset));
    audit
}

/// The value of a member, from its first to its last character, which are those in `ends`.
fn value<'t>(text: &'t str, member: &str, ends: [char; 2]) -> &'t str {
    let start = text.find(&format!("\"{member}\":")).unwrap() + member.len() + 3;
    let mut depth = 0;
    for (at, found) in text[start..].char_indices() {
        if depth > 0 && found == ends[1] {
            depth -= 1;
        } else if found == ends[0] {
            depth += 1;
        }
        if depth == 0 {
            return &text[start..=start + at];
        }
    }
    panic!("{member} has no end");
}

#[test]
fn every_check_says_what_was_compared() {
    let text = vector("p256-3");
    let audit = audit(&text);
    let rules: Vec<_> = audit.checks.iter().map(|it| (it.rule, it.entry)).collect();
    let of_entry = [
        Rule::PreviousHash,
        Rule::HeaderInfoHash,
        Rule::Signature,
        Rule::OuterKey,
    ];
    let mut expected = vec![(Rule::ChainHash, None)];
    expected.extend((0..3).flat_map(|entry| of_entry.map(|rule| (rule, Some(entry)))));
    expected.push((Rule::DeviceChain, None));
    assert_eq!(rules, expected);

    let info = [value(&text, "g", ['"', '"']), value(&text, "d", ['"', '"'])].concat();
    let header = [
        value(&text, "oh", ['{', '}']),
        value(&text, "hmac", ['[', ']']),
    ]
    .concat();
    let mut before = header;
    let mut rest = &text[text.find("\"en\":").unwrap()..];
    for check in &audit.checks {
        assert!(check.holds());
        assert_eq!(check.expected, check.found, "{:?}", check.rule);
        let covered = match check.rule {
            Rule::ChainHash => value(&text, "dc", ['[', ']']).to_owned(),
            Rule::PreviousHash => before.clone(),
            Rule::HeaderInfoHash => info.clone(),
            Rule::Signature => {
                assert_eq!(check.algorithm, Some("ES256"));
                let body = value(rest, "bo", ['{', '}']);
                rest = &rest[rest.find(body).unwrap() + body.len()..];
                before = body.to_owned();
                assert!(rest[..rest.len().min(400)].contains(&text[check.range.clone()]));
                continue;
            }
            Rule::OuterKey => {
                assert_eq!(&text[check.range.clone()], "[0,0,[0]]");
                continue;
            }
            _ => {
                assert_eq!(&text[check.range.clone()], value(&text, "dc", ['[', ']']));
                continue;
            }
        };
        assert_eq!(check.algorithm, Some("SHA-256"));
        assert_eq!(
            check.found,
            Sha256::digest(covered).to_vec(),
            "{:?}",
            check.rule
        );
        assert!(text[check.range.clone()].starts_with("[32,8,"));
    }
}

#[test]
fn a_check_that_fails_says_so() {
    let text = vector("info-hash-last");
    let audit = audit(&text);
    let failing: Vec<_> = audit.checks.iter().filter(|it| !it.holds()).collect();
    let [check] = failing[..] else {
        panic!("{failing:?}");
    };
    assert_eq!(check.rule, Rule::HeaderInfoHash);
    assert_ne!(check.found, check.expected);
    let error = check.error.as_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::HeaderInfoHashMismatch);
    assert_eq!(error.offset(), Some(check.range.start));
    assert_eq!(error.entry(), check.entry);
}

fn says_edited(text: &str) -> bool {
    let audit = audit(text);
    let first = audit.errors.first().unwrap();
    assert_eq!((first.entry(), audit.proved.is_some()), (Some(0), false));
    let finding = |kind| audit.findings.iter().any(|finding| finding.kind == kind);
    let said = first.to_string().contains("edited after signing");
    assert_eq!(finding(FindingKind::SdoEdited), said, "{first}");
    said
}

/// Only where nothing else fails: otherwise anything may have happened.
#[test]
fn an_edited_header_is_recognised() {
    for name in ["edited-host", "edited-version", "edited-hmac"] {
        assert!(says_edited(&vector(name)), "{name}");
    }
    for (name, other) in [
        // The last entry has another hash than the signer made.
        ("info-hash-last", "rv.example.net"),
        ("signature-other-key", "rv.example.net"),
    ] {
        let text = vector(name).replace(other, "rx.example.net");
        assert!(!says_edited(&text), "{name}");
    }
    // A chain whose hash is gone from the header: that fault is of no single check.
    let text = vector("p256-3");
    let hash = format!(",\"hdc\":{}", value(&text, "hdc", ['[', ']']));
    let audit = audit(&text.replace(&hash, "")).errors.len();
    assert_eq!(audit, 2);
    let without = text.replace(&hash, "");
    assert!(
        !self::audit(&without).errors[1]
            .to_string()
            .contains("edited")
    );
}

/// Without an entry the manufacturer has signed nothing: a list that allows its key says nothing of who
/// wrote the header.
#[test]
fn an_allowed_manufacturer_is_proved_by_an_entry() {
    let policy = Policy::any_origin();
    for (name, proves) in [("p256-0", false), ("p256-1", true)] {
        let text = vector(name);
        let plain = Checker::new(&policy).audit(text.as_bytes());
        let maker = plain
            .voucher
            .unwrap()
            .manufacturer_key()
            .public_key()
            .clone();
        let list: KeyList = allow_list_form(&maker).parse().unwrap();
        let checker = Checker::new(&policy).with_allow_list(&list);
        let proved = *checker.verify(text.as_bytes()).unwrap().proved();
        assert_eq!(proved.entries > 0, proves, "{name}");
        assert_eq!(proved.manufacturer.is_some(), proves, "{name}");
    }
}

/// A credential is known by its first member, also with white space; a voucher and other texts are not.
#[test]
fn a_credential_is_known_by_its_start() {
    let known = |text: &str| DeviceCredential::is_start(text.as_bytes());
    let long = format!("{{\"ST\":10,\"Secret\":\"{}\"}}", "A".repeat(600));
    assert!(known("{\"ST\":10}") && known(" {\n \"ST\" : 10 }") && known(&long));
    assert!(!known("{\"st\":10}") && !known("[\"ST\"]") && !known("") && !known("{\"ST"));
    assert!(!known(&vector("p256-3")));
    // Its beginning alone is looked at.
    assert!(!known(&format!("{}{{\"ST\":10}}", " ".repeat(512))));
}

/// A device that keeps its credentials answers with a hash of type 0 in place of an HMAC.
#[test]
fn an_answer_without_hmac_is_explained() {
    let explained = |text: &str| {
        let error = audit(text).errors.remove(0);
        assert_eq!(error.kind(), ErrorKind::UnsupportedHashType);
        error.to_string().contains("has made no HMAC")
    };
    assert!(explained(&vector("hmac-reuse")));
    let text = vector("p256-3");
    assert!(!explained(
        &text.replace("\"hmac\":[32,108,", "\"hmac\":[32,77,")
    ));
}

/// Vouchers are linked by their rendezvous hosts and by their Wi-Fi networks.
#[test]
fn hosts_and_networks_link_vouchers() {
    let kinds = |names: [&str; 2]| {
        let mut linker = Linker::new([7; 32]);
        for name in names {
            let text = vector(name);
            let voucher = Voucher::parse(text.as_bytes()).unwrap();
            voucher.link(&mut linker).unwrap();
        }
        let linkage = linker.finish();
        let kinds = linkage.groups().iter().map(|group| group.kind.name());
        kinds.map(String::from).collect::<Vec<_>>()
    };
    let has = |list: &[String], word: &str| list.iter().any(|kind| kind.contains(word));
    let same = kinds(["p256-1", "p256-3"]);
    assert!(has(&same, "rendezvous") && !has(&same, "wifi"), "{same:?}");
    let every = kinds(["rendezvous-every", "rendezvous-every"]);
    assert!(
        has(&every, "rendezvous") && has(&every, "wifi"),
        "{every:?}"
    );
    let other = kinds(["rendezvous-every", "rendezvous-ipv4"]);
    assert!(
        !has(&other, "rendezvous") && !has(&other, "wifi"),
        "{other:?}"
    );
}

/// A voucher is known by its first member, by the two members that none lacks, or by its wrapper.
#[test]
fn a_voucher_is_known_by_its_start() {
    let known = |text: &str| is_start(text.as_bytes());
    for text in [
        "{\"sz\":0,",
        "\u{feff} {\"sz\":0,",
        "[{\"sz\":0,",
        "{\"oh\":{\"pv\":113",
        "[ {\"hmac\":[], \"oh\":{\"pv\":113",
        "[\"0a1F\",3,113,{\"sz\":0,",
        "[\"+a1F\",3,113,{\"sz\":0,",
        "[ \"\" , 3 , 113 , {\"oh\":{\"pv\":113",
    ] {
        assert!(known(text), "{text}");
    }
    for text in [
        "",
        "{",
        "{\"oh\":{\"pe\":1",
        "{\"o\":{\"pv\":113",
        "\"oh\":{\"pv\":113",
        "[\"0a1F\",3,113,{\"a\":1",
        "[\"0a1F\",3,113,\"oh\",\"pv\"",
        "[\"00",
        "[\"00\":",
    ] {
        assert!(!known(text), "{text}");
    }
}
