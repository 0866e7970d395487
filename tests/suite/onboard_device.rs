//! The device's side of TO2: the streaming verifier against whole-voucher verification.

use crate::common;

use common::{key, verified, voucher};
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::onboard::{
    DeviceError, DeviceFacts, DeviceVerifier, ProveDvNonce, ProveOvHdr, ProveOvNonce,
    VerifiedOwner, next_entry,
};
use ownership_voucher::{
    Allowance, ErrorKind, Guid, HmacSecret, KeyType, OwnerSigner as _, Policy, Voucher, audit,
};
use proptest::prelude::*;

const P256: KeyType = KeyType::Secp256r1;
const HELLO: &[u8] = b"the bytes of TO2.HelloDevice";
const NONCE: ProveOvNonce = ProveOvNonce([1; 16]);
const DEVICE_NONCE: ProveDvNonce = ProveDvNonce([2; 16]);
const SECRET: [u8; 32] = [0x5a; 32];
const GUID: u8 = 9;

fn hmac(algorithm: HashAlgorithm, header: &[u8]) -> Option<Digest> {
    Some(algorithm.hmac(&SECRET, header))
}

fn facts() -> DeviceFacts {
    DeviceFacts::new(Guid([GUID; 16]))
}

fn start(message: &[u8]) -> Result<DeviceVerifier, DeviceError> {
    facts()
        .start(hmac, HELLO, NONCE, message)
        .map(|(verifier, _)| verifier)
}

pub(crate) fn run(proof: &[u8], entries: &[Vec<u8>]) -> Result<VerifiedOwner, DeviceError> {
    let mut verifier = start(proof)?;
    for entry in entries {
        verifier.entry(entry)?;
    }
    verifier.finish()
}

pub(crate) fn kind_and_entry(error: DeviceError) -> (ErrorKind, Option<usize>) {
    (error.kind(), error.entry())
}

/// What `run` fails with.
fn fault(proof: &[u8], entries: &[Vec<u8>]) -> (ErrorKind, Option<usize>) {
    kind_and_entry(run(proof, entries).unwrap_err())
}

/// The messages of a voucher of `count` entries whose owner holds the key of that number.
fn messages(key_type: KeyType, guid: u8, count: u8) -> (Vec<u8>, Vec<Vec<u8>>) {
    let bytes = voucher(key_type, guid, count);
    let voucher = verified(Voucher::parse(&bytes).unwrap());
    let proof = ProveOvHdr::new(HELLO, NONCE, DEVICE_NONCE, b"key exchange");
    let proof = proof.message(&voucher).unwrap();
    let proof = proof.sign(&key(key_type, count)).unwrap();
    let entries = (0..count).map(|n| next_entry(&voucher, n).unwrap());
    (proof, entries.collect())
}

#[test]
fn a_voucher_message_by_message() {
    for key_type in [P256, KeyType::Secp384r1] {
        for count in [0, 1, 2, 5] {
            let (proof, entries) = messages(key_type, GUID, count);
            let (mut verifier, hello) = facts().start(hmac, HELLO, NONCE, &proof).unwrap();
            assert_eq!(hello.key_exchange(), b"key exchange");
            assert_eq!(hello.max_message(), 65535);
            assert_eq!(hello.sig_info(), [0x82, 0x26, 0x40]);
            for (number, entry) in entries.iter().enumerate() {
                assert_eq!(verifier.next(), Some(number as u8));
                verifier.entry(entry).unwrap();
            }
            assert_eq!(verifier.next(), None);
            let owner = verifier.finish().unwrap();
            assert_eq!(*owner.key(), key(key_type, count).public_key());
            assert_eq!(owner.entries(), count);
            assert_eq!(owner.nonce(), DEVICE_NONCE);
            assert_eq!(owner.guid(), Guid([GUID; 16]));
        }
    }
}

#[test]
fn two_hundred_and_fifty_five_entries_in_a_few_hundred_bytes() {
    // As docs/onboarding.md says; tests/no_alloc has the size without features.
    assert!(
        size_of::<DeviceVerifier>() <= 728,
        "{}",
        size_of::<DeviceVerifier>()
    );
    let (bytes, owner) = common::of_255_entries();
    let voucher = verified(Voucher::parse(&bytes).unwrap());
    let proof = ProveOvHdr::new(HELLO, NONCE, DEVICE_NONCE, b"key exchange");
    let proof = proof.message(&voucher).unwrap().sign(&owner).unwrap();
    let secret: Vec<u8> = (0..32).collect();
    let (mut verifier, _) = DeviceFacts::new(voucher.guid())
        .start(
            |hash, header| Some(hash.hmac(&secret, header)),
            HELLO,
            NONCE,
            &proof,
        )
        .unwrap();
    for entry in 0..255 {
        verifier
            .entry(&next_entry(&voucher, entry).unwrap())
            .unwrap();
    }
    assert_eq!(verifier.finish().unwrap().entries(), 255);
}

#[test]
fn entries_out_of_turn_are_named() {
    use ErrorKind::WrongEntry;
    let (proof, entries) = messages(P256, GUID, 3);
    let pick = |order: &[usize]| {
        order
            .iter()
            .map(|&n| entries[n].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(fault(&proof, &pick(&[])), (WrongEntry, Some(0)));
    assert_eq!(fault(&proof, &pick(&[0, 1])), (WrongEntry, Some(2)));
    assert_eq!(fault(&proof, &pick(&[1])), (WrongEntry, Some(0)));
    assert_eq!(fault(&proof, &pick(&[0, 0])), (WrongEntry, Some(1)));
    assert_eq!(fault(&proof, &pick(&[0, 2])), (WrongEntry, Some(1)));
    assert_eq!(fault(&proof, &pick(&[0, 1, 2, 2])), (WrongEntry, Some(3)));
    // The number lies, and the entry is another one.
    let mut lies = pick(&[0, 2]);
    lies[1][1] = 1;
    assert_eq!(
        fault(&proof, &lies),
        (ErrorKind::PreviousHashMismatch, Some(1))
    );
}

#[test]
fn a_fault_is_remembered() {
    let (proof, entries) = messages(P256, GUID, 2);
    let mut verifier = start(&proof).unwrap();
    let error = verifier.entry(&entries[1]).unwrap_err();
    assert_eq!(verifier.entry(&entries[0]), Err(error));
    assert_eq!(verifier.finish().unwrap_err(), error);
}

/// A counter that lies: an entry more than there is is missing; one less leaves an older owner,
/// who did not sign.
#[test]
fn a_counter_that_lies() {
    let bytes = voucher(P256, GUID, 3);
    let parts = Parts::of(&bytes);
    let entries = parts.entry_messages();
    let more = parts.proof(4, 3);
    assert_eq!(fault(&more, &entries), (ErrorKind::WrongEntry, Some(3)));
    let fewer = parts.proof(2, 3);
    assert_eq!(fault(&fewer, &entries), (ErrorKind::WrongEntry, Some(2)));
    assert_eq!(
        fault(&fewer, &entries[..2]),
        (ErrorKind::WrongOwner, Some(1))
    );
    let none = parts.proof(0, 3);
    assert_eq!(fault(&none, &[]), (ErrorKind::WrongOwner, None));
}

#[test]
fn only_the_owner_proves() {
    let bytes = voucher(P256, GUID, 3);
    let parts = Parts::of(&bytes);
    let entries = parts.entry_messages();
    for signer in 0..6 {
        let result = run(&parts.proof(3, signer), &entries);
        match signer {
            3 => assert!(result.is_ok()),
            _ => assert_eq!(
                kind_and_entry(result.unwrap_err()),
                (ErrorKind::WrongOwner, Some(2))
            ),
        }
    }
}

#[test]
fn answers_to_another_question_are_refused() {
    let (proof, _) = messages(P256, GUID, 1);
    let fault = |result: Result<_, DeviceError>| result.map(|_: (_, _)| ()).unwrap_err().kind();
    let facts = facts();
    let other = ProveOvNonce([7; 16]);
    assert_eq!(
        fault(facts.start(hmac, HELLO, other, &proof)),
        ErrorKind::WrongNonce
    );
    assert_eq!(
        fault(facts.start(hmac, b"other", NONCE, &proof)),
        ErrorKind::HelloHashMismatch
    );
    let wrong = |algorithm: HashAlgorithm, header: &[u8]| Some(algorithm.hmac(b"wrong", header));
    assert_eq!(
        fault(facts.start(wrong, HELLO, NONCE, &proof)),
        ErrorKind::HmacMismatch
    );
    let none = |_, _: &[u8]| None;
    assert_eq!(
        fault(facts.start(none, HELLO, NONCE, &proof)),
        ErrorKind::SignerFailed
    );
    let (foreign, _) = messages(P256, 8, 1);
    assert_eq!(
        fault(facts.start(hmac, HELLO, NONCE, &foreign)),
        ErrorKind::WrongDevice
    );
}

#[test]
fn the_first_owner_is_the_one_that_the_device_remembers() {
    let (proof, _) = messages(P256, GUID, 1);
    let bytes = voucher(P256, GUID, 1);
    let voucher = Voucher::parse(&bytes).unwrap();
    let maker = voucher.manufacturer_key();
    let hash = HashAlgorithm::Sha256;
    let spki = maker.public_key().unwrap().to_spki_der();
    for (bytes, good) in [(maker.as_bytes(), true), (&*spki, true), (b"other", false)] {
        let facts = facts().with_manufacturer_hash(hash.digest(&[bytes]));
        let result = facts.start(hmac, HELLO, NONCE, &proof).map(drop);
        let wanted = if good {
            None
        } else {
            Some(ErrorKind::WrongManufacturer)
        };
        assert_eq!(result.err().map(|error| error.kind()), wanted);
    }
}

#[test]
fn entries_of_another_device_are_refused() {
    let (proof, mut entries) = messages(P256, GUID, 2);
    let (_, foreign) = messages(P256, 8, 2);
    entries[1] = foreign[1].clone();
    assert_eq!(
        fault(&proof, &entries),
        (ErrorKind::PreviousHashMismatch, Some(1))
    );
}

/// Deviations need the same allowances as in a whole voucher: here an entry without tag 18.
#[test]
fn allowances_are_those_of_whole_vouchers() {
    let bytes = voucher(P256, GUID, 1);
    let mut parts = Parts::of(&bytes);
    assert_eq!(parts.entries[0].remove(0), 0xd2);
    let (proof, entries) = (parts.proof(1, 1), parts.entry_messages());
    assert_eq!(fault(&proof, &entries), (ErrorKind::EntryUntagged, Some(0)));
    let facts = facts().allow(Allowance::LegacyUntagged);
    let (mut verifier, _) = facts.start(hmac, HELLO, NONCE, &proof).unwrap();
    verifier.entry(&entries[0]).unwrap();
    verifier.finish().unwrap();
}

/// Every bit of every message is authenticated, or fixed by the format; but for the nonce that the
/// device repeats, which stands where nothing signs it.
#[test]
fn no_single_bit_may_change() {
    let (proof, entries) = messages(P256, GUID, 2);
    let nonce = proof
        .windows(16)
        .position(|window| window == DEVICE_NONCE.0)
        .unwrap();
    for bit in 0..proof.len() * 8 {
        let mut bad = proof.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let open = (nonce..nonce + 16).contains(&(bit / 8));
        assert_eq!(run(&bad, &entries).is_ok(), open, "bit {bit} of ProveOVHdr");
    }
    for number in 0..2 {
        for bit in 0..entries[number].len() * 8 {
            let mut bad = entries.clone();
            bad[number][bit / 8] ^= 1 << (bit % 8);
            let (_, entry) = fault(&proof, &bad);
            // What stands in the last entry behind its hash is caught at the latest by the owner.
            assert_eq!(entry, Some(number), "bit {bit} of entry {number}");
        }
    }
}

/// A voucher in the pieces that travel, so that each can be changed.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) header: Vec<u8>,
    pub(crate) hmac: Vec<u8>,
    pub(crate) entries: Vec<Vec<u8>>,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let voucher = Voucher::parse(bytes).unwrap();
        Self {
            header: voucher.header_bytes().to_vec(),
            hmac: voucher.hmac_bytes().to_vec(),
            entries: voucher
                .entries()
                .map(|entry| entry.as_bytes().to_vec())
                .collect(),
        }
    }

    /// The whole voucher of these pieces.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let mut bytes = vec![0x85, 0x18, 101];
        bytes.extend(bstr(&self.header));
        bytes.extend(&self.hmac);
        bytes.extend([0xf6, 0x80 | self.entries.len() as u8]);
        bytes.extend(self.entries.concat());
        bytes
    }

    pub(crate) fn entry_messages(&self) -> Vec<Vec<u8>> {
        let message =
            |(number, entry): (usize, &Vec<u8>)| [&[0x82, number as u8], entry.as_slice()].concat();
        self.entries.iter().enumerate().map(message).collect()
    }

    /// TO2.ProveOVHdr made by hand: it says `count` entries, and the holder of that key signs it.
    pub(crate) fn proof(&self, count: u8, signer: u8) -> Vec<u8> {
        let signer = key(P256, signer);
        let hash = HashAlgorithm::Sha256.digest(&[HELLO]);
        let payload = [
            &[0x88],
            &*bstr(&self.header),
            &[count],
            &*self.hmac,
            &*bstr(&NONCE.0),
            &[0x82, 0x26, 0x40, 0x40, 0x82, 0x2f],
            &*bstr(hash.as_bytes()),
            &[0x19, 0x05, 0x14],
        ]
        .concat();
        let message = [
            b"\x84\x6aSignature1\x43\xa1\x01\x26\x40".as_slice(),
            &bstr(&payload),
        ]
        .concat();
        let signature = signer.sign(signer.algorithm(), &message).unwrap();
        [
            b"\xd2\x84\x43\xa1\x01\x26\xa2\x19\x01\x00".as_slice(),
            &bstr(&DEVICE_NONCE.0),
            b"\x19\x01\x01\x83\x0a\x01",
            &bstr(&signer.public_key().to_spki_der()),
            &bstr(&payload),
            &bstr(&signature),
        ]
        .concat()
    }
}

fn bstr(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x59];
    match content.len() {
        short @ 0..24 => bytes[0] = 0x40 | short as u8,
        byte @ 24..256 => bytes = vec![0x58, byte as u8],
        long => bytes.extend((long as u16).to_be_bytes()),
    }
    bytes.extend(content);
    bytes
}

/// One change to the pieces of a voucher.
#[derive(Clone, Debug)]
enum Change {
    Header(prop::sample::Index, u8),
    Hmac(prop::sample::Index, u8),
    Entry(prop::sample::Index, prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Drop(prop::sample::Index),
    Repeat(prop::sample::Index),
    Foreign(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    use prop::sample::Index;
    let one = any::<Index>;
    let two = any::<(Index, Index)>;
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Header(at, byte)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Change::Hmac(at, byte)),
        any::<(Index, Index, u8)>().prop_map(|(n, at, byte)| Change::Entry(n, at, byte)),
        two().prop_map(|(n, at)| Change::Cut(n, at)),
        two().prop_map(|(a, b)| Change::Swap(a, b)),
        one().prop_map(Change::Drop),
        one().prop_map(Change::Repeat),
        one().prop_map(Change::Foreign),
    ]
}

fn apply(change: &Change, parts: &mut Parts) {
    let count = parts.entries.len();
    match change {
        Change::Header(at, byte) => *at.get_mut(&mut parts.header) = *byte,
        Change::Hmac(at, byte) => *at.get_mut(&mut parts.hmac) = *byte,
        _ if count == 0 => {}
        Change::Entry(n, at, byte) => {
            let entry: &mut Vec<u8> = n.get_mut(&mut parts.entries);
            if !entry.is_empty() {
                *at.get_mut(entry) = *byte;
            }
        }
        Change::Cut(n, at) => {
            let entry: &mut Vec<u8> = n.get_mut(&mut parts.entries);
            entry.truncate(at.index(entry.len().max(1)));
        }
        Change::Swap(a, b) => parts.entries.swap(a.index(count), b.index(count)),
        Change::Drop(n) => drop(parts.entries.remove(n.index(count))),
        Change::Repeat(n) => parts.entries.push(parts.entries[n.index(count)].clone()),
        Change::Foreign(n) => {
            let foreign = Parts::of(&voucher(P256, 8, count.min(5) as u8));
            let n = n.index(count.min(5));
            parts.entries[n] = foreign.entries[n].clone();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 700 } else { 2000 }))]

    /// Any voucher, cut into messages, gets the verdict of the whole; and what the device names is
    /// one of the faults of the whole, or one before the place where the whole cannot be read.
    #[test]
    fn the_verdict_is_that_of_the_whole_voucher(
        count in 0_u8..4,
        changes in proptest::collection::vec(change(), 0..3),
    ) {
        let mut parts = Parts::of(&voucher(P256, GUID, count));
        for change in &changes {
            apply(change, &mut parts);
        }
        let secret = HmacSecret::new(SECRET.to_vec());
        let owner = key(P256, count);
        let policy = Policy::any_origin().with_hmac(&secret).with_owner(owner.public_key());
        let whole = parts.whole();
        let verdict = Voucher::parse(&whole).and_then(|voucher| voucher.verify(&policy));
        let audit = audit(&whole, &policy);
        let proof = parts.proof(parts.entries.len() as u8, count);
        let streamed = run(&proof, &parts.entry_messages());
        prop_assert_eq!(streamed.is_ok(), verdict.is_ok(), "{:?} {:?}", streamed, verdict);
        if let Err(found) = streamed {
            let found = match kind_and_entry(found) {
                // On the wire there is one version, not two to compare.
                (ErrorKind::UnsupportedVersion, None) => (ErrorKind::VersionMismatch, None),
                // A GUID that is not the device's: in a whole voucher the HMAC says so.
                (ErrorKind::WrongDevice, None) => (ErrorKind::HmacMismatch, None),
                other => other,
            };
            let listed = audit.errors.iter().any(|e| (e.kind(), e.entry()) == found);
            // Where a length runs on, what it runs into is not the same in a message: a place where the
            // whole cannot be read is compared by its entry alone.
            let unread = Voucher::parse(&whole).err().map(|error| error.entry());
            let before = unread.is_some_and(|entry| found.1 < entry);
            let same = unread == Some(found.1);
            // A cut entry takes what follows into itself; a message ends where it ends.
            let cut = changes.iter().any(|change| matches!(change, Change::Cut(..)));
            prop_assert!(listed || before || same || cut, "{:?} {:?}", found, audit.errors);
        }
    }
}
