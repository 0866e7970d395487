//! Every public type can be printed for debugging, and those that hold no callback of the caller can
//! be sent to other threads and shared with them.

use core::fmt::Debug;

use ownership_voucher::audit::Audit;
use ownership_voucher::batch::{Engine, Progress};
use ownership_voucher::certificate::{CertificateInfo, RootsSource};
use ownership_voucher::create::{NewHeader, RvDirective};
use ownership_voucher::digest::Digest;
use ownership_voucher::file::{PemBlock, PemBlocks, Piece, Splitter, Vouchers};
use ownership_voucher::finding::Finding;
use ownership_voucher::hmac::HmacSource;
use ownership_voucher::key::{Fingerprint, KeyView};
use ownership_voucher::onboard::{
    Challenge, DeviceCredential, DeviceError, DeviceFacts, DeviceProof, DeviceServiceInfoReady,
    DeviceVerifier, HelloDevice, OwnerHello, ProveOvHdr, Registration, Renewal, Setup, To1d,
    Unsigned, VerifiedOwner,
};
use ownership_voucher::transfer::{Fork, HandOverRequest, Receipt, Relation, Replacement, Sale};
use ownership_voucher::voucher::{Entry, KeyRing, RendezvousInfo};
use ownership_voucher::*;

fn all<T: Debug + Send + Sync>() {}

/// It would not compile.
#[test]
fn types_can_be_printed_and_shared() {
    all::<Audit<'_>>();
    all::<(Engine, Progress, BatchVerifier<'_>)>();
    all::<(CertificateInfo, Roots, RootsSource<'_>)>();
    all::<(NewHeader, NewVoucher, RvDirective)>();
    all::<(
        Digest,
        Error,
        ErrorKind,
        Finding,
        Allowance,
        Guid,
        UnixTime,
        Limits,
    )>();
    all::<(PemBlock<'_>, PemBlocks<'_>, Piece, Splitter, Vouchers<'_>)>();
    all::<(HmacSecret, HmacSource<'_>, Policy<'_>, Policy<'static>)>();
    all::<(KeyView<'_>, PublicKey, KeyType, LocalKey)>();
    all::<(Fingerprint, KeyRing<LocalKey>)>();
    all::<(
        Challenge,
        DeviceCredential,
        DeviceError,
        DeviceFacts,
        DeviceProof<'_>,
    )>();
    all::<(
        DeviceServiceInfoReady,
        DeviceVerifier,
        HelloDevice<'_>,
        OwnerHello<'_>,
    )>();
    all::<(
        ProveOvHdr<'_>,
        Registration<'_>,
        Renewal,
        Setup<'_>,
        To1d,
        Unsigned,
    )>();
    all::<VerifiedOwner>();
    all::<(
        Fork,
        HandOverRequest<'_>,
        Receipt,
        Relation,
        Replacement,
        Sale,
    )>();
    all::<(ExtendOptions, Extension<'_>, KeyOrChain)>();
    all::<(
        Entry<'_>,
        RendezvousInfo<'_>,
        Voucher<'_>,
        VerifiedVoucher<'_>,
        Rejected<'_>,
    )>();
    all::<(Proved, Origin)>();
}

/// A type that holds a callback can be shared as far as the callback can.
#[test]
fn hand_overs_can_be_printed() {
    fn printed<T: Debug>() {}
    printed::<HandOver<'_>>();
}

/// What is printed of a secret says nothing about it.
#[test]
fn secrets_are_not_printed() {
    let key = LocalKey::from_secret(KeyType::Secp256r1, &[0x5a; 32]).unwrap();
    let printed = format!("{key:?} {:?}", HmacSecret::new(vec![0x5a; 32]));
    assert!(
        printed.contains(&format!("{:?}", key.public_key())),
        "{printed}"
    );
    assert!(printed.contains("32 bytes"), "{printed}");
    for part in ["5a5a", "5A5A", "90, 90", "ZZ"] {
        assert!(!printed.contains(part), "{printed}");
    }
    let policy = Policy::hmac(HmacSecret::new(vec![0x5a; 32]));
    assert!(!format!("{policy:?}").contains("90"), "{policy:?}");
}
