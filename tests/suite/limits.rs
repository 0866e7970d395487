//! Every limit: what is at it passes, what is one past it does not, and no caller goes past those
//! that are fixed. The depth and the size of the input are in hostile.rs, the signatures of
//! certificates and RSA numbers of certificates beside their code.

use crate::common;

use common::{directive, fresh, key, verified, voucher};
use ownership_voucher::create::RvDirective;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{
    Allowance, ErrorKind, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, Limits, NewVoucher,
    Policy, PublicKey, Voucher, audit,
};

const P256: KeyType = KeyType::Secp256r1;

/// A CBOR head of 32 bits: long, and accepted all the same.
fn head(major: u8, value: usize) -> Vec<u8> {
    let value = u32::try_from(value).unwrap().to_be_bytes();
    [&[major << 5 | 26][..], &value].concat()
}

/// Reads under the default limits and one that is changed.
fn kind(bytes: &[u8], change: impl Fn(&mut Limits)) -> Option<ErrorKind> {
    let mut limits = Limits::new();
    change(&mut limits);
    let result = Voucher::parse_with(bytes, &limits);
    result.err().map(|error| error.kind())
}

/// That `bytes`, which hold `used` of something, pass a limit of `used` and not of one less, in
/// every way in which a limit is given.
fn holds(bytes: &[u8], used: usize, error: ErrorKind, set: impl Fn(&mut Limits, usize)) {
    assert_eq!(kind(bytes, |limits| set(limits, used)), None);
    assert_eq!(kind(bytes, |limits| set(limits, used - 1)), Some(error));
    let policy = |value| {
        let mut limits = Limits::new();
        set(&mut limits, value);
        Policy::any_origin().with_limits(limits)
    };
    // A voucher that was read under other limits: the policy's hold.
    let read = Voucher::parse(bytes).unwrap();
    let refused = read.clone().verify(&policy(used - 1)).unwrap_err();
    assert_eq!(refused.kind(), error, "{refused}");
    // And one that was read under wider limits than the default.
    let mut wide = Limits::new();
    set(&mut wide, usize::MAX);
    let wide = Voucher::parse_with(bytes, &wide).unwrap();
    let refused = wide.verify(&policy(used - 1)).unwrap_err();
    assert_eq!(refused.kind(), error, "{refused}");
    let accepted = read.verify(&policy(used)).err();
    assert_ne!(accepted.map(|other| other.kind()), Some(error));
    let found = audit(bytes, &policy(used - 1)).errors;
    assert_eq!(found[0].kind(), error);
}

fn fresh_with(change: impl Fn(NewVoucher) -> NewVoucher) -> Vec<u8> {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let voucher = NewVoucher::new(Guid([1; 16]), "Model 7", maker).with_rendezvous(directive());
    let header = change(voucher).header().unwrap();
    let made = header.authenticate(&HmacSecret::new(vec![1; 32])).unwrap();
    made.as_bytes().to_vec()
}

/// A voucher of key 0 with its device info, rendezvous info or entries in other bytes.
fn with_part(old: &[u8], new: &[u8]) -> Vec<u8> {
    let plain = fresh(P256, 1);
    let header = plain.header_bytes();
    let at = header
        .windows(old.len())
        .position(|part| part == old)
        .unwrap();
    let header = [&header[..at], new, &header[at + old.len()..]].concat();
    let content = [&head(2, header.len())[..], &header].concat();
    [
        &[0x85, 0x18, 0x65][..],
        &content,
        plain.hmac_bytes(),
        &[0xf6, 0x80],
    ]
    .concat()
}

#[test]
fn bytes() {
    let bytes = voucher(P256, 1, 1);
    holds(
        &bytes,
        bytes.len(),
        ErrorKind::LimitInput,
        |limits, value| {
            *limits = limits.with_input(value);
        },
    );
}

#[test]
fn entries() {
    holds(
        &voucher(P256, 1, 3),
        3,
        ErrorKind::LimitEntries,
        |limits, value| {
            *limits = limits.with_entries(value);
        },
    );
}

/// The default is that of TO2: 255, and the 256th is one too many. An entry repeated is not an
/// honest one, but reading does not ask.
#[test]
fn entries_by_default_and_at_most() {
    let one = voucher(P256, 1, 1);
    let parsed = Voucher::parse(&one).unwrap();
    let entry = parsed.entry(0).unwrap().as_bytes().to_vec();
    let front = &one[..one.len() - entry.len() - 1];
    for endless in [false, true] {
        let many = |count: usize| {
            let list = entry.repeat(count);
            match endless {
                false => [front, &head(4, count), &list].concat(),
                true => [front, &[0x9f], &list, &[0xff]].concat(),
            }
        };
        assert_eq!(kind(&many(255), |_| ()), None);
        assert_eq!(kind(&many(256), |_| ()), Some(ErrorKind::LimitEntries));
        // Errors keep the number of an entry in 16 bits, so 65535 are the most there can be, and
        // the last of them is known by its number.
        let unlimited = |limits: &mut Limits| {
            *limits = limits.with_entries(usize::MAX);
            *limits = limits.with_input(usize::MAX);
        };
        let most = many(65_535);
        assert_eq!(kind(&most, unlimited), None);
        assert_eq!(
            kind(&many(65_536), unlimited),
            Some(ErrorKind::LimitEntries)
        );
        let mut limits = Limits::new();
        unlimited(&mut limits);
        let mut broken = most;
        let last = front.len() + if endless { 1 } else { 5 } + 65_534 * entry.len();
        broken[last] = 0xd3;
        let error = Voucher::parse_with(&broken, &limits).unwrap_err();
        assert_eq!((error.offset(), error.entry()), (Some(last), Some(65_534)));
    }
}

#[test]
fn certificates_and_their_bytes() {
    // Signed by itself, so that it may follow itself in a chain.
    let certificate = std::fs::read("tests/certificates/self-signed.der").unwrap();
    let bytes = fresh_with(|new| new.with_device_chain(vec![certificate.clone(); 3]));
    holds(&bytes, 3, ErrorKind::LimitCertificates, |limits, value| {
        *limits = limits.with_certificates(value);
    });
    let len = certificate.len();
    holds(
        &bytes,
        len,
        ErrorKind::LimitCertificateSize,
        |limits, value| {
            *limits = limits.with_certificate(value);
        },
    );
    // The same for keys, in each of their spellings.
    let maker = KeyOrChain::Chain(vec![certificate.clone(); 2]);
    let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker);
    let header = new
        .with_rendezvous(directive())
        .with_epid()
        .header()
        .unwrap();
    let made = header.authenticate(&HmacSecret::new(vec![1; 32])).unwrap();
    holds(
        made.as_bytes(),
        2,
        ErrorKind::LimitCertificates,
        |limits, value| {
            *limits = limits.with_certificates(value);
        },
    );
    holds(
        made.as_bytes(),
        len,
        ErrorKind::LimitCertificateSize,
        |limits, value| {
            *limits = limits.with_certificate(value);
        },
    );
    let spki = key(P256, 0).public_key().to_spki_der();
    let old = [&[0x83, 0x0a, 0x01, 0x58, 91][..], &spki].concat();
    let bare = [&[0x83, 0x0a, 0x02][..], &head(2, len), &certificate].concat();
    holds(
        &with_part(&old, &bare),
        len,
        ErrorKind::LimitCertificateSize,
        |limits, value| {
            *limits = limits.with_certificate(value);
        },
    );
    // By default 16 certificates of 64 KiB.
    let many = |count| {
        [&[0x83, 0x0a, 0x02][..], &head(4, count), &{
            [&head(2, len)[..], &certificate].concat().repeat(count)
        }]
        .concat()
    };
    assert_eq!(kind(&with_part(&old, &many(16)), |_| ()), None);
    let error = kind(&with_part(&old, &many(17)), |_| ());
    assert_eq!(error, Some(ErrorKind::LimitCertificates));
}

/// A bare certificate in place of the device chain has the same size.
#[test]
fn bare_device_certificate() {
    let certificate = std::fs::read("tests/certificates/p256-leaf.der").unwrap();
    let chain = fresh_with(|new| new.with_device_chain(vec![certificate.clone()]));
    let at = chain
        .windows(certificate.len())
        .position(|part| part == certificate)
        .unwrap();
    let mut bare = chain.clone();
    // The head of the array stands before the head of the byte string, which has three bytes.
    assert_eq!(bare.remove(at - 4), 0x81);
    holds(
        &bare,
        certificate.len(),
        ErrorKind::LimitCertificateSize,
        |limits, value| {
            *limits = limits.with_certificate(value);
        },
    );
}

#[test]
fn device_info() {
    let bytes = fresh(P256, 1);
    let len = bytes.device_info().len();
    holds(
        bytes.as_bytes(),
        len,
        ErrorKind::LimitDeviceInfo,
        |limits, value| {
            *limits = limits.with_device_info(value);
        },
    );
    let old = [&[0x60 | 14][..], b"Model 7 (test)"].concat();
    let long = |len: usize| with_part(&old, &[&head(3, len)[..], &vec![b'a'; len]].concat());
    assert_eq!(kind(&long(64 << 10), |_| ()), None);
    assert_eq!(
        kind(&long((64 << 10) + 1), |_| ()),
        Some(ErrorKind::LimitDeviceInfo)
    );
}

#[test]
fn rendezvous_instructions() {
    let four = || directive().delay(1);
    let new = |last: RvDirective, before: usize| {
        let maker = KeyOrChain::Key(key(P256, 0).public_key());
        let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker).with_epid();
        let all = core::iter::repeat_with(four).take(before).chain([last]);
        all.fold(new, NewVoucher::with_rendezvous)
    };
    let made = new(directive(), 2).header().unwrap();
    let made = made.authenticate(&HmacSecret::new(vec![1; 32])).unwrap();
    let count = made.rendezvous().instructions().count();
    assert_eq!(count, 14);
    holds(
        made.as_bytes(),
        count,
        ErrorKind::LimitRvInstructions,
        |limits, value| {
            *limits = limits.with_rendezvous(value);
        },
    );
    // Directives of five, and one of four behind them: 1024; and one instruction more.
    assert!(new(directive(), 204).header().is_ok());
    let error = new(four(), 204).header().map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitRvInstructions);
}

/// Labels of one map are 64, whatever the caller says: the unprotected header, OVEExtra and a
/// COSE_Key each hold so many and no more.
#[test]
fn labels() {
    let one = voucher(P256, 1, 1);
    let parsed = Voucher::parse(&one).unwrap();
    let unprotected = parsed.entry(0).unwrap().range().start + 2 + 4;
    assert_eq!(one[unprotected], 0xa0);
    let pairs = |count: u8, value: &[u8]| {
        let pair = |label: u8| [&[0x18, 100 + label][..], value].concat();
        let list: Vec<u8> = (0..count).flat_map(pair).collect();
        [&head(5, count.into())[..], &list].concat()
    };
    let header = |count| {
        [
            &one[..unprotected],
            &pairs(count, &[0]),
            &one[unprotected + 1..],
        ]
        .concat()
    };
    assert_eq!(kind(&header(64), |_| ()), None);
    assert_eq!(kind(&header(65), |_| ()), Some(ErrorKind::LimitLabels));
    let spki = key(P256, 0).public_key().to_spki_der();
    let old = [&[0x83, 0x0a, 0x01, 0x58, 91][..], &spki].concat();
    let (x, y) = spki[27..].split_at(32);
    let cose_key = |count: u8| {
        let more = pairs(count - 4, &[0]);
        let parts = [
            &[0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 32][..],
            x,
            &[0x22, 0x58, 32],
            y,
        ];
        let front = [
            &[0x83, 0x0a, 0x03],
            &head(5, count.into())[..],
            &parts.concat(),
        ]
        .concat();
        with_part(&old, &[&front, &more[5..]].concat())
    };
    assert_eq!(kind(&cose_key(64), |_| ()), None);
    assert_eq!(kind(&cose_key(65), |_| ()), Some(ErrorKind::LimitLabels));
    let extended = |count: i128| {
        let voucher = verified(fresh(P256, 1));
        let mut options = ExtendOptions::new();
        for label in 0..count {
            options = options.with_extra(-65537 - label, [1]);
        }
        let next = KeyOrChain::Key(key(P256, 1).public_key());
        voucher
            .extend(&next, &options)?
            .sign(&key(P256, 0))
            .map(drop)
    };
    assert!(extended(64).is_ok());
    assert_eq!(extended(65).unwrap_err().kind(), ErrorKind::LimitLabels);
}

/// A list of findings ends where it is told to, says so, and leaves out nothing that a verdict
/// depends on.
#[test]
fn findings() {
    let numbers = [0x18, 0x00].repeat(50);
    let info = [&[0x81, 0x81, 0x82, 0x05, 0x98, 50][..], &numbers].concat();
    let old = fresh(P256, 1).rendezvous().as_bytes().to_vec();
    let bytes = with_part(&old, &info);
    let all = Voucher::parse(&bytes).unwrap().deviations();
    let more = |list: &[ownership_voucher::finding::Finding]| {
        list.iter()
            .filter(|one| one.kind == FindingKind::MoreFindings)
            .count()
    };
    // The long numbers, the head in five bytes, the value that is not a number.
    assert!(all.len() >= 51, "{}", all.len());
    assert_eq!(more(&all), 0);
    let limits = |findings| {
        let mut limits = Limits::new();
        limits = limits.with_findings(findings);
        limits
    };
    // Beside the deviations there is one remark: no entries.
    let voucher = Voucher::parse(&bytes).unwrap();
    let listed = |findings| voucher.findings(&Policy::any_origin().with_limits(limits(findings)));
    assert_eq!(listed(all.len()).len(), all.len() + 1);
    assert_eq!(more(&listed(all.len())), 0);
    let cut = listed(all.len() - 1);
    assert_eq!((cut.len(), more(&cut)), (all.len() + 1, 1));
    assert_eq!(cut.last().unwrap().kind, FindingKind::MoreFindings);
    assert_eq!(listed(0).len(), 1);
    // Remarks have room of their own, and so has a fault: an empty list means verified.
    let strict = Policy::any_origin().strict();
    let found = audit(&bytes, &strict);
    assert_eq!(found.errors.len(), all.len());
    assert_eq!(more(&found.findings), 0);
    assert_eq!(found.findings.len(), all.len() + 1);
    let found = audit(&bytes, &strict.clone().with_limits(limits(0)));
    assert_eq!(found.errors.len(), 1);
    assert!(found.proved.is_none());
    let found = audit(&bytes, &strict.clone().with_limits(limits(2)));
    assert_eq!((found.errors.len(), more(&found.findings)), (2, 1));
    assert!(
        found
            .findings
            .iter()
            .any(|one| one.kind == FindingKind::NoEntries)
    );
    // And the verdict is what it was.
    for findings in [0, 1, 4096] {
        let policy = Policy::any_origin().strict().with_limits(limits(findings));
        let error = policy.verify(&bytes).unwrap_err();
        assert_eq!(error, strict.verify(&bytes).unwrap_err());
    }
}

/// What needs an allowance is found however short the list.
#[test]
fn no_list_hides_an_allowance() {
    let one = voucher(P256, 1, 1);
    let place = Voucher::parse(&one)
        .unwrap()
        .entry(0)
        .unwrap()
        .range()
        .start;
    let mut untagged = one.clone();
    assert_eq!(untagged.remove(place), 0xd2);
    let mut limits = Limits::new();
    limits = limits.with_findings(0);
    let policy = Policy::any_origin().with_limits(limits);
    let error = policy.verify(&untagged).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EntryUntagged);
    assert!(
        policy
            .allow(Allowance::LegacyUntagged)
            .verify(&untagged)
            .is_ok()
    );
    let listed = Voucher::parse(&untagged)
        .unwrap()
        .findings(&Policy::any_origin().with_limits(limits));
    let untagged =
        |one: &ownership_voucher::finding::Finding| one.kind == FindingKind::UntaggedEntry;
    assert!(listed.iter().any(untagged));
}

/// Faults that are not listed are said to be there, also where all findings are listed.
#[test]
fn faults_left_out_are_said() {
    let mut bytes = voucher(P256, 1, 3);
    let info = b"Model 7 (test)";
    let at = bytes
        .windows(info.len())
        .position(|part| part == info)
        .unwrap();
    bytes[at] ^= 1;
    let faults = audit(&bytes, &Policy::any_origin()).errors.len();
    assert_eq!(
        faults, 4,
        "the first entry's hash of the header, and the info in each"
    );
    for (findings, listed, said) in [(4, 4, false), (3, 3, true), (1, 1, true)] {
        let mut limits = Limits::new();
        limits = limits.with_findings(findings);
        let found = audit(&bytes, &Policy::any_origin().with_limits(limits));
        let more =
            |one: &ownership_voucher::finding::Finding| one.kind == FindingKind::MoreFindings;
        assert_eq!(found.errors.len(), listed);
        assert_eq!(
            found.findings.iter().any(more),
            said,
            "{:?}",
            found.findings
        );
    }
}

/// Owner keys of RSA have 2048 or 3072 bits, to the bit, and an odd exponent from 65537 to 2^32.
#[test]
fn rsa_numbers() {
    let spki = |modulus: &[u8], exponent: &[u8]| {
        let integer = |number: &[u8]| {
            let sign: &[u8] = if number[0] & 0x80 == 0 { &[] } else { &[0] };
            tlv(2, &[sign, number].concat())
        };
        let key = tlv(0x30, &[integer(modulus), integer(exponent)].concat());
        let rsa = [
            &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1][..],
            &[5, 0],
        ]
        .concat();
        tlv(
            0x30,
            &[tlv(0x30, &rsa), tlv(3, &[&[0], &key[..]].concat())].concat(),
        )
    };
    let modulus = |bits: usize| {
        let mut number = vec![0xff; bits.div_ceil(8)];
        number[0] = 0xff >> (bits.div_ceil(8) * 8 - bits);
        number
    };
    let read = |bits, exponent: &[u8]| {
        let key = PublicKey::from_spki_der(&spki(&modulus(bits), exponent));
        key.err().map(|error| error.kind())
    };
    let usual = [1, 0, 1];
    for bits in [2048, 3072] {
        assert_eq!(read(bits, &usual), None, "{bits}");
        assert_eq!(
            read(bits - 1, &usual),
            Some(ErrorKind::RsaModulus),
            "{bits} - 1"
        );
        assert_eq!(
            read(bits + 1, &usual),
            Some(ErrorKind::RsaModulus),
            "{bits} + 1"
        );
    }
    for bits in [512, 1024, 4096, 16_384, 262_144] {
        assert_eq!(read(bits, &usual), Some(ErrorKind::RsaModulus), "{bits}");
    }
    let exponent = Some(ErrorKind::RsaExponent);
    assert_eq!(read(2048, &[0xff, 0xff, 0xff, 0xff]), None);
    assert_eq!(read(2048, &[1, 0, 0, 0, 1]), exponent);
    assert_eq!(read(2048, &[0xff, 0xff]), exponent);
    assert_eq!(read(2048, &[1, 0, 2]), exponent);
    assert_eq!(read(2048, &[3]), exponent);
    assert_eq!(read(2048, &vec![0xff; 256]), exponent);
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    let size = match content.len() {
        0..=0x7f => vec![len[3]],
        0x80..=0xff => vec![0x81, len[3]],
        0x100..=0xffff => vec![0x82, len[2], len[3]],
        _ => vec![0x83, len[1], len[2], len[3]],
    };
    [&[tag][..], &size, content].concat()
}
