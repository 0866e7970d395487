//! Selling twice: within one call a state of ownership is handed over once, and across calls a
//! journal refuses what contradicts it.

use crate::common;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ownership_voucher::sign::Algorithm;
use ownership_voucher::transfer::{
    HandOverRequest, HandOverResult, Journal, Receipt, Recorded, Relation, Sale, find_forks,
    hand_over_each, hand_over_each_with, relation,
};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, HandOver, KeyOrChain, KeyType, LocalKey, OwnerSigner, Policy,
    PublicKey, VerifiedVoucher,
};

const P256: KeyType = KeyType::Secp256r1;

/// A voucher of one entry, and so of the key 1.
fn voucher(guid: u8) -> Vec<u8> {
    common::voucher(P256, guid, 1)
}

fn verified(bytes: &[u8]) -> VerifiedVoucher<'static> {
    Policy::any_origin().verify(bytes).unwrap().into_owned()
}

fn public(n: u8) -> PublicKey {
    common::key(P256, n).public_key()
}

/// Counts what it signs.
struct Counting(LocalKey, AtomicUsize);

impl Counting {
    fn new(n: u8) -> Self {
        Self(common::key(P256, n), AtomicUsize::new(0))
    }

    fn count(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl OwnerSigner for Counting {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.0.public_key())
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.1.fetch_add(1, Ordering::SeqCst);
        OwnerSigner::sign(&self.0, algorithm, message)
    }
}

/// The same voucher with its last signature spelled otherwise: s is replaced by the order minus s.
fn respelled(bytes: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut bytes = bytes.to_vec();
    let start = bytes.len() - 32;
    let mut borrow = 0_i16;
    for i in (0..32).rev() {
        let difference = i16::from(ORDER[i]) - i16::from(bytes[start + i]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[start + i] = difference.rem_euclid(256) as u8;
    }
    bytes
}

/// Hands over to the owners that the numbers name, and says what became of each: the number of which
/// it is a duplicate, nothing for a sale, or the error.
fn sell(vouchers: &[Vec<u8>], to: &[u8], signer: &Counting) -> Vec<Result<Option<usize>, Error>> {
    let results = hand_over_each(&Policy::any_origin(), vouchers, |number, _| {
        let next = public(to[number]).into();
        Ok(HandOverRequest::new(signer, next, ExtendOptions::new()))
    });
    let sold: Vec<_> = results.iter().flatten().map(|(v, _)| v.clone()).collect();
    assert_eq!(find_forks(&sold), [], "what was given out");
    results
        .into_iter()
        .map(|result| Ok(result?.1.duplicate_of))
        .collect()
}

fn kinds(results: &[Result<Option<usize>, Error>]) -> Vec<Result<Option<usize>, ErrorKind>> {
    let kind = |result: &Result<_, Error>| result.clone().map_err(|error| error.kind());
    results.iter().map(kind).collect()
}

const DOUBLE: Result<Option<usize>, ErrorKind> = Err(ErrorKind::DoubleSale);

#[test]
fn twice_to_one_buyer_is_signed_once() {
    let signer = Counting::new(1);
    let shipment = [voucher(1), voucher(2), voucher(1), voucher(1)];
    let results = sell(&shipment, &[5, 6, 5, 5], &signer);
    assert_eq!(
        kinds(&results),
        [Ok(None), Ok(None), Ok(Some(0)), Ok(Some(0))]
    );
    assert_eq!(signer.count(), 2);

    let (policy, next, options) = (Policy::any_origin(), public(5).into(), ExtendOptions::new());
    let results = HandOver::new(&policy, &signer, &next, &options).all(&shipment);
    let (first, receipt) = results[0].clone().unwrap();
    let (third, repeated) = results[2].clone().unwrap();
    assert_eq!(first.as_bytes(), third.as_bytes());
    assert_eq!(
        (receipt.duplicate_of, repeated.duplicate_of),
        (None, Some(0))
    );
    assert_eq!(receipt.entry_hash, repeated.entry_hash);
    assert_eq!(signer.count(), 4);
}

#[test]
fn twice_to_two_buyers_is_refused_before_anything_is_signed() {
    let signer = Counting::new(1);
    let shipment = [voucher(1), voucher(2), voucher(1), voucher(1)];
    let results = sell(&shipment, &[5, 6, 7, 5], &signer);
    assert_eq!(kinds(&results), [DOUBLE, Ok(None), DOUBLE, DOUBLE]);
    assert_eq!(signer.count(), 1, "only the other device");
    let text = |number: usize| results[number].clone().unwrap_err().to_string();
    assert!(text(0).contains("is number 2"), "{}", text(0));
    assert!(text(2).contains("is number 0"), "{}", text(2));
}

/// Anybody can spell an ECDSA signature in a second way. It is the same state nevertheless.
#[test]
fn another_spelling_is_no_other_state() {
    let (plain, other) = (voucher(1), respelled(&voucher(1)));
    assert_ne!(plain, other);
    assert_eq!(
        relation(&verified(&plain), &verified(&other)),
        Relation::Same
    );
    let signer = Counting::new(1);
    let shipment = [plain, other];
    assert_eq!(kinds(&sell(&shipment, &[5, 6], &signer)), [DOUBLE, DOUBLE]);
    assert_eq!(signer.count(), 0);
    assert_eq!(
        kinds(&sell(&shipment, &[5, 5], &signer)),
        [Ok(None), Ok(Some(0))]
    );
}

/// An owner who bought a device back holds two states of it; the older one was sold already.
#[test]
fn two_states_of_one_device_are_refused() {
    let old = voucher(1);
    let back = {
        let next = public(1).into();
        let extension = verified(&old);
        let extension = extension.extend(&next, &ExtendOptions::new()).unwrap();
        let sold = extension.sign(&common::key(P256, 1)).unwrap();
        sold.as_bytes().to_vec()
    };
    let signer = Counting::new(1);
    let results = sell(&[old.clone(), back.clone()], &[5, 5], &signer);
    assert_eq!(kinds(&results), [DOUBLE, DOUBLE]);
    assert_eq!(signer.count(), 0);
    assert_eq!(kinds(&sell(&[back], &[5], &signer)), [Ok(None)]);
}

/// A copy that is not verified, or not the signer's, takes nobody's turn.
#[test]
fn a_forged_copy_blocks_nothing() {
    let signer = Counting::new(1);
    let mut forged = voucher(1);
    *forged.last_mut().unwrap() ^= 1;
    let results = sell(&[forged, voucher(1)], &[5, 6], &signer);
    assert_eq!(
        kinds(&results),
        [Err(ErrorKind::SignatureInvalid), Ok(None)]
    );
}

/// A journal in memory that can fail.
#[derive(Default)]
struct Memory {
    known: Mutex<BTreeMap<[u8; 32], Sale>>,
    calls: AtomicUsize,
    fails: bool,
}

impl Journal for Memory {
    fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Err(Error::journal("the disk is full"));
        }
        let mut known = self.known.lock().unwrap();
        let answers = sales.iter().map(|sale| match known.get(&sale.state) {
            Some(earlier) if earlier.continuation == sale.continuation => Recorded::Again,
            Some(earlier) => Recorded::Other(format!("sold as number {}", earlier.number)),
            None => {
                known.insert(sale.state, sale.clone());
                Recorded::New
            }
        });
        Ok(answers.collect())
    }
}

fn journalled(
    vouchers: &[Vec<u8>],
    to: &[u8],
    signer: &Counting,
    journal: &Memory,
) -> Vec<Result<Option<usize>, ErrorKind>> {
    let results = hand_over_each_with(&Policy::any_origin(), vouchers, journal, |number, _| {
        let next = public(to[number]).into();
        Ok(HandOverRequest::new(signer, next, ExtendOptions::new()))
    });
    let outcome = |result: HandOverResult<'_>| match result {
        Ok((_, receipt)) => Ok(receipt.duplicate_of),
        Err(error) => Err(error.kind()),
    };
    results.into_iter().map(outcome).collect()
}

#[test]
fn a_journal_lets_a_sale_be_repeated_and_no_other_be_made() {
    let (signer, journal) = (Counting::new(1), Memory::default());
    let shipment = [voucher(1), voucher(2), voucher(1)];
    let sold = [Ok(None), Ok(None), Ok(Some(0))];
    assert_eq!(journalled(&shipment, &[5, 6, 5], &signer, &journal), sold);
    assert_eq!(journalled(&shipment, &[5, 6, 5], &signer, &journal), sold);
    assert_eq!(journal.calls.load(Ordering::SeqCst), 2, "one group a call");
    let before = signer.count();
    let other = journalled(&shipment[..2], &[6, 6], &signer, &journal);
    assert_eq!(other, [DOUBLE, Ok(None)]);
    assert_eq!(signer.count(), before + 1);
    // Also where a copy is spelled otherwise: it is the same state, and another continuation.
    let spelled = [respelled(&shipment[0])];
    assert_eq!(journalled(&spelled, &[5], &signer, &journal), [DOUBLE]);
    assert_eq!(signer.count(), before + 1);

    let known = journal.known.lock().unwrap();
    let keys: Vec<_> = known
        .values()
        .map(|sale| (sale.guid.0[15], &sale.to))
        .collect();
    assert_eq!(known.len(), 2, "{keys:?}");
}

#[test]
fn a_single_hand_over_asks_the_journal_too() {
    let (signer, journal) = (Counting::new(1), Memory::default());
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let sell = |n: u8| {
        let next: KeyOrChain = public(n).into();
        let hand_over = HandOver::new(&policy, &signer, &next, &options);
        hand_over.with_journal(&journal).one(&voucher(1))
    };
    assert!(sell(5).is_ok());
    assert!(sell(5).is_ok());
    let error = sell(6).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoubleSale);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "sold as number 0");
    assert_eq!(signer.count(), 2);
    let next = public(6).into();
    let all = HandOver::new(&policy, &signer, &next, &options).with_journal(&journal);
    let two = [voucher(1), voucher(2)];
    let results = all.all(&two);
    assert_eq!(
        results[0].as_ref().unwrap_err().kind(),
        ErrorKind::DoubleSale
    );
    assert!(results[1].is_ok());
}

#[test]
fn nothing_is_signed_where_the_journal_fails() {
    let signer = Counting::new(1);
    let journal = Memory {
        fails: true,
        ..Memory::default()
    };
    let mut forged = voucher(3);
    *forged.last_mut().unwrap() ^= 1;
    let results = journalled(
        &[voucher(1), forged, voucher(2)],
        &[5; 3],
        &signer,
        &journal,
    );
    let failed = Err(ErrorKind::JournalFailed);
    assert_eq!(results, [failed, Err(ErrorKind::SignatureInvalid), failed]);
    assert_eq!(signer.count(), 0);
}

/// A journal that forgets to answer must not let a sale pass.
#[test]
fn a_journal_answers_for_every_sale() {
    struct Short;
    impl Journal for Short {
        fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
            Ok(sales.iter().skip(1).map(|_| Recorded::New).collect())
        }
    }
    let signer = Counting::new(1);
    let next = public(5).into();
    let two = [voucher(1), voucher(2)];
    let results = hand_over_each_with(&Policy::any_origin(), &two, &Short, |_, _| {
        Ok(HandOverRequest::new(
            &signer,
            KeyOrChain::clone(&next),
            ExtendOptions::new(),
        ))
    });
    for result in results {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::JournalFailed);
    }
    let voucher = verified(&voucher(1));
    let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
    let error = extension.record(&Short).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::JournalFailed);
    assert_eq!(signer.count(), 0);
}

#[test]
fn two_steps_go_through_the_journal() {
    let journal = Memory::default();
    let voucher = verified(&voucher(1));
    let options = ExtendOptions::new();
    let (first, second) = (public(5).into(), public(6).into());
    let extension = voucher.extend(&first, &options).unwrap();
    assert!(!extension.record(&journal).unwrap());
    // The signature comes later, perhaps in another process.
    assert!(extension.record(&journal).unwrap());
    let other = voucher.extend(&second, &options).unwrap();
    let error = other.record(&journal).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoubleSale);
}

/// What the fields are hashes of, by another road than the library's.
#[test]
fn a_sale_is_described_by_what_is_signed() {
    use ownership_voucher::digest::HashAlgorithm::Sha256;
    let voucher = verified(&voucher(1));
    let next = public(5).into();
    let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
    let sale = extension.sale();
    let payload = voucher.entry(0).unwrap().payload().to_vec();
    assert_eq!(sale.state, Sha256.digest(&[&payload]).as_bytes());
    let message = extension.to_be_signed();
    assert_eq!(sale.continuation, Sha256.digest(&[&message]).as_bytes());
    assert_eq!((sale.guid, sale.to), (voucher.guid(), public(5)));

    let made = verified(&common::voucher(P256, 1, 0));
    let next = public(5).into();
    let sale = made.extend(&next, &ExtendOptions::new()).unwrap().sale();
    let digest = Sha256.digest(&[made.header_bytes(), made.hmac_bytes()]);
    assert_eq!(sale.state, digest.as_bytes());
}

#[test]
fn a_lost_receipt_is_issued_again() {
    let (policy, next, options) = (Policy::any_origin(), public(5).into(), ExtendOptions::new());
    let signer = Counting::new(1);
    let before = verified(&voucher(1));
    let (after, receipt) = HandOver::new(&policy, &signer, &next, &options)
        .verified(&before)
        .unwrap();
    assert_eq!(Receipt::between(&before, &after), Some(receipt));
    assert_eq!(
        before.state(),
        before.extend(&next, &options).unwrap().sale().state
    );
    // Neither backwards, nor of one state, nor over two entries, nor of another device.
    let made = verified(&common::voucher(P256, 1, 0));
    let other = verified(&voucher(2));
    for (a, b) in [
        (&after, &before),
        (&before, &before),
        (&made, &after),
        (&other, &after),
    ] {
        assert_eq!(Receipt::between(a, b), None);
    }
}

/// What can be refused without a signature is no sale: it is neither signed nor recorded, and the
/// voucher can go to somebody else.
#[test]
fn what_cannot_be_signed_is_not_recorded() {
    #[derive(Default)]
    struct Count(AtomicUsize);
    impl Journal for Count {
        fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
            self.0.fetch_add(sales.len(), Ordering::SeqCst);
            Ok(sales.iter().map(|_| Recorded::New).collect())
        }
    }
    let bytes = voucher(1);
    let maximum = bytes.len() + 100;
    let any = Policy::any_origin;
    let mut narrow = ExtendOptions::new();
    narrow = narrow.with_max_entry(100);
    // Also where the steps are made one by one, and nothing but the extension is asked.
    let base = verified(&bytes);
    let refused = base.extend(&KeyOrChain::Key(public(5)), &narrow);
    assert_eq!(
        refused.err().map(|error| error.kind()),
        Some(ErrorKind::LimitEntrySize)
    );
    // Entries of another key type are a deviation that a strict policy refuses.
    let mut other_type = ExtendOptions::new();
    other_type = other_type.allow_other_key_type();
    other_type = other_type.with_extra(-70001, vec![0; maximum]);
    let p384 = common::key(KeyType::Secp384r1, 5).public_key();
    let cases = [
        (any(), narrow, public(5), ErrorKind::LimitEntrySize),
        (any().strict(), other_type, p384, ErrorKind::Deviation),
    ];
    for (policy, options, next, kind) in cases {
        let (signer, journal, next) = (Counting::new(1), Count::default(), KeyOrChain::Key(next));
        let hand_over = HandOver::new(&policy, &signer, &next, &options).with_journal(&journal);
        let mut errors = vec![hand_over.one(&bytes).map(drop)];
        errors.extend(
            hand_over
                .all(&[&bytes])
                .into_iter()
                .map(|sold| sold.map(drop).map_err(Error::from)),
        );
        let deal = |_: usize, _: &VerifiedVoucher<'_>| {
            Ok(HandOverRequest::new(&signer, next.clone(), options.clone()))
        };
        let one = [&bytes];
        let sold = hand_over_each_with(&policy, &one, &journal, deal);
        errors.extend(
            sold.into_iter()
                .map(|sold| sold.map(drop).map_err(Error::from)),
        );
        for error in errors {
            assert_eq!(error.unwrap_err().kind(), kind);
        }
        assert_eq!((signer.count(), journal.0.load(Ordering::SeqCst)), (0, 0));
    }
}
