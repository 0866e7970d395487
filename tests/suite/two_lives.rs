//! A device through two full lives: factory, three owners, onboarding, resale, two more owners,
//! onboarding. Those who owned it before fail at each step.
#![cfg(feature = "pem")]

use crate::common;

use common::{device_with_certificate, directive, key};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Guid, HandOver, HmacSecret, KeyOrChain, KeyType, LocalKey,
    NewVoucher, OwnerSigner as _, Policy, VerifiedVoucher, Voucher,
};

/// The owners, by the number of their key: 0 made the device, 1 to 3 had it in its first life, 4 is
/// the key of the third for the second life, 5 and 6 had it then.
fn owner(number: u8) -> LocalKey {
    key(KeyType::Secp256r1, number)
}

/// What the device is and keeps: nothing else survives between the steps.
struct Device {
    key: LocalKey,
    credential: DeviceCredential,
    nonces: u8,
}

impl Device {
    fn nonce(&mut self) -> [u8; 16] {
        self.nonces += 1;
        [self.nonces; 16]
    }
}

fn verified(bytes: &[u8]) -> VerifiedVoucher<'static> {
    let voucher = Voucher::parse(bytes).unwrap().into_owned();
    voucher.verify(&Policy::any_origin()).unwrap()
}

fn hand_over(voucher: &VerifiedVoucher<'_>, from: u8, to: u8) -> VerifiedVoucher<'static> {
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let (signer, next) = (owner(from), KeyOrChain::Key(owner(to).public_key()));
    let hand_over = HandOver::new(&policy, &signer, &next, &options);
    hand_over.verified(voucher).unwrap().0
}

/// Who signs: the holder of this key, who may be a thief.
#[derive(Clone, Copy)]
enum Signer<'k> {
    /// The owner, in the ways of the library.
    Owner(&'k LocalKey),
    /// Somebody else. The message is the owner's; signature, and the key where the message names
    /// one and `own_name` says so, are the thief's.
    Thief {
        owner: &'k LocalKey,
        thief: &'k LocalKey,
        own_name: bool,
    },
}

impl Signer<'_> {
    fn sign(&self, message: &Unsigned) -> Result<Vec<u8>, Error> {
        let (owner, thief, own_name) = match self {
            Self::Owner(key) => return message.sign(*key),
            Self::Thief {
                owner,
                thief,
                own_name,
            } => (owner, thief, *own_name),
        };
        let mut forged = message.sign(*owner)?;
        let signature = thief.sign(message.algorithm(), &message.to_be_signed())?;
        let end = forged.len();
        forged[end - signature.len()..].copy_from_slice(&signature);
        let name = LocalKey::public_key(owner).to_spki_der();
        let place = forged.windows(name.len()).position(|part| part == name);
        if let (Some(at), true) = (place, own_name) {
            forged[at..at + name.len()].copy_from_slice(&LocalKey::public_key(thief).to_spki_der());
        }
        Ok(forged)
    }
}

/// TO0 and TO1: the owner leaves its address, the device proves itself and is sent there.
fn redirect(
    device: &Device,
    voucher: &VerifiedVoucher<'_>,
    signer: Signer<'_>,
) -> Result<Vec<u8>, Error> {
    let nonce = To0SignNonce([0xa0; 16]);
    let address = OwnerAddress {
        ip: None,
        dns: Some("owner.example.com".into()),
        port: 443,
        transport: Transport::Https,
    };
    let to0d = to0d(voucher, 3600, nonce);
    let to1d = signer.sign(&to1d(&[address], &to0d, voucher)?)?;
    let message = owner_sign(&to0d, &to1d);
    let registered = Registration::check(&message, &Policy::any_origin(), nonce)?;

    let nonce = To1ProofNonce([0xa1; 16]);
    let guid = device.credential.guid;
    let proof = prove_to_rv(guid, nonce, &device.key.public_key()).sign(&device.key)?;
    check_prove_to_rv(&proof, registered.voucher(), nonce)?;
    Ok(registered.to1d().to_vec())
}

/// TO2 up to the last check: the owner proves itself, entry by entry.
fn prove(
    device: &mut Device,
    voucher: &VerifiedVoucher<'_>,
    signer: Signer<'_>,
) -> Result<VerifiedOwner, Error> {
    let (hello, nonce) = (b"TO2.HelloDevice".as_slice(), ProveOvNonce(device.nonce()));
    let answer = ProveOvHdr::new(hello, nonce, ProveDvNonce([0xa2; 16]), b"xA");
    let answer = signer.sign(&answer.message(voucher)?)?;
    let credential = &device.credential;
    let secret = |algorithm, header: &[u8]| credential.header_hmac(algorithm, header).ok();
    let (mut verifier, _) = credential.facts().start(secret, hello, nonce, &answer)?;
    while let Some(number) = verifier.next() {
        verifier.entry(&next_entry(voucher, number)?)?;
    }
    Ok(verifier.finish()?)
}

/// The whole of onboarding, with these new credentials at its end.
fn onboard(
    device: &mut Device,
    voucher: &VerifiedVoucher<'_>,
    holder: &LocalKey,
    replacement: &Replacement,
    reuse: CredentialReuse,
) -> Result<ResaleOutcome, Error> {
    let redirect = redirect(device, voucher, Signer::Owner(holder))?;
    let owner = prove(device, voucher, Signer::Owner(holder))?;
    owner.check_to1d(&redirect)?;
    let setup_nonce = SetupDvNonce(device.nonce());
    let (guid, public) = (device.credential.guid, device.key.public_key());
    let proof = prove_device(guid, owner.nonce(), setup_nonce, b"xB", &public);
    let proof = proof.sign(&device.key)?;
    let proved = DeviceProof::check(&proof, voucher, ProveDvNonce([0xa2; 16]))?;
    let setup = setup_device(replacement, voucher, proved.setup_nonce())?.sign(holder)?;
    let setup = Setup::check(&setup, &owner, setup_nonce)?;
    let Some(renewal) = setup.apply(&device.credential, &owner, reuse)? else {
        return replacement.finish(voucher, None);
    };
    let renewal = renewal.with_secret(HmacSecret::new(vec![device.nonces; 32]));
    let outcome = replacement.finish(voucher, Some(&renewal.hmac()?))?;
    device.credential = renewal.credential().clone();
    Ok(outcome)
}

fn factory() -> (Device, VerifiedVoucher<'static>) {
    let (chain, device_key) = device_with_certificate();
    let secret = HmacSecret::new(vec![0x5a; 32]);
    let maker = KeyOrChain::Key(owner(0).public_key());
    let voucher = NewVoucher::new(Guid([1; 16]), "Model 7", maker)
        .with_rendezvous(directive())
        .with_device_chain(chain)
        .header()
        .and_then(|header| header.authenticate(&secret))
        .unwrap();
    let credential = DeviceCredential::of(&voucher).with_secret(secret);
    assert!(credential.has_manufacturer(&voucher));
    let device = Device {
        key: device_key,
        credential,
        nonces: 0,
    };
    (device, verified(voucher.as_bytes()))
}

fn replacement(guid: u8, to: u8) -> Replacement {
    let directive = RvDirective::new()
        .dns("rv2.example.com")
        .device_port(8443)
        .protocol(RvProtocol::Https);
    let owner = KeyOrChain::Key(owner(to).public_key());
    Replacement::new(Guid([guid; 16]), &[directive], owner).unwrap()
}

/// Nobody but its owner gets anywhere with a voucher: not at the rendezvous server, not with the
/// device, and not in the middle of an onboarding that the owner began.
fn everybody_else_fails(device: &mut Device, voucher: &VerifiedVoucher<'_>, holder: u8) {
    let holder_key = owner(holder);
    let proved = prove(device, voucher, Signer::Owner(&holder_key)).unwrap();
    let terms = replacement(9, 9);
    for other in (0..8).filter(|&other| other != holder) {
        let thief = owner(other);
        let signer = |own_name| Signer::Thief {
            owner: &holder_key,
            thief: &thief,
            own_name,
        };
        let kind = |result: Result<(), Error>| result.unwrap_err().kind();
        let registered = redirect(device, voucher, signer(false)).map(drop);
        assert_eq!(
            kind(registered),
            ErrorKind::SignatureInvalid,
            "TO0 by {other}"
        );
        let in_the_owners_name = prove(device, voucher, signer(false)).map(drop);
        assert_eq!(kind(in_the_owners_name), ErrorKind::SignatureInvalid);
        let in_its_own_name = prove(device, voucher, signer(true)).map(drop);
        assert_eq!(
            kind(in_its_own_name),
            ErrorKind::WrongOwner,
            "TO2 by {other}"
        );
        let setup = setup_device(&terms, voucher, SetupDvNonce([3; 16])).unwrap();
        let setup = signer(false).sign(&setup).unwrap();
        let setup = Setup::check(&setup, &proved, SetupDvNonce([3; 16])).map(drop);
        assert_eq!(
            kind(setup),
            ErrorKind::SignatureInvalid,
            "SetupDevice by {other}"
        );
    }
}

#[test]
fn two_lives() {
    let (mut device, made) = factory();
    let mut first_life = vec![made];
    for step in 0..3 {
        let voucher = hand_over(&first_life[usize::from(step)], step, step + 1);
        first_life.push(voucher);
    }
    let voucher = first_life[3].clone();
    everybody_else_fails(&mut device, &voucher, 3);

    // Onboarding with resale in mind: a fresh key for the next life.
    let terms = replacement(2, 4);
    let outcome = onboard(
        &mut device,
        &voucher,
        &owner(3),
        &terms,
        CredentialReuse::Refused,
    )
    .unwrap();
    let ResaleOutcome::Replaced(second) = outcome else {
        panic!("new credentials were set");
    };
    assert_eq!(device.credential.guid, Guid([2; 16]));
    assert!(device.credential.has_manufacturer(&second));

    // None of the first life's vouchers opens the device any more, whoever holds it.
    for (number, old) in first_life.iter().enumerate() {
        let error = prove(&mut device, old, Signer::Owner(&owner(number as u8))).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::WrongDevice,
            "the voucher of owner {number}"
        );
    }

    // The device itself confirms the new voucher by its HMAC, with its new secret.
    let credential = device.credential.clone();
    let policy = Policy::any_origin().with_hmac(&credential);
    let second = second.verify(&policy).unwrap();
    assert!(second.proved().hmac && second.entries().len() == 0);
    let first = hand_over(&second, 4, 5);
    let voucher = hand_over(&first, 5, 6);
    everybody_else_fails(&mut device, &voucher, 6);
    // Older states are genuine, and so are their owners' signatures: a device cannot know that it
    // was sold on. It is the newest owner who onboards it and so ends all of them.
    assert!(prove(&mut device, &first, Signer::Owner(&owner(5))).is_ok());

    let outcome = onboard(
        &mut device,
        &voucher,
        &owner(6),
        &replacement(3, 7),
        CredentialReuse::Refused,
    )
    .unwrap();
    assert!(matches!(outcome, ResaleOutcome::Replaced(_)));
    for (old, holder) in [
        (&second, 4),
        (&first, 5),
        (&voucher, 6),
        (&first_life[3], 3),
    ] {
        let error = prove(&mut device, old, Signer::Owner(&owner(holder))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongDevice);
    }
}

#[test]
fn credential_reuse_keeps_the_voucher() {
    let (mut device, made) = factory();
    let voucher = hand_over(&made, 0, 1);
    let same = Replacement::reuse(&voucher);
    let refused = onboard(
        &mut device,
        &voucher,
        &owner(1),
        &same,
        CredentialReuse::Refused,
    )
    .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CredentialReuse);
    for _ in 0..2 {
        let outcome = onboard(
            &mut device,
            &voucher,
            &owner(1),
            &same,
            CredentialReuse::Allowed,
        )
        .unwrap();
        assert!(matches!(outcome, ResaleOutcome::Reused));
        assert_eq!(device.credential.guid, Guid([1; 16]));
    }
}

#[test]
fn without_resale_no_voucher_is_left() {
    let (mut device, made) = factory();
    let voucher = hand_over(&made, 0, 1);
    let owner1 = owner(1);
    let proved = prove(&mut device, &voucher, Signer::Owner(&owner1)).unwrap();
    let terms = replacement(2, 4);
    let nonce = SetupDvNonce(device.nonce());
    let setup = setup_device(&terms, &voucher, nonce)
        .unwrap()
        .sign(&owner1)
        .unwrap();
    let setup = Setup::check(&setup, &proved, nonce).unwrap();
    let renewal = setup
        .apply(&device.credential, &proved, CredentialReuse::Refused)
        .unwrap()
        .unwrap();
    let hmac = renewal.hmac().unwrap();
    let outcome = terms.finish_without_resale(&voucher, Some(&hmac)).unwrap();
    assert!(matches!(outcome, ResaleOutcome::Ended));
    // A device that kept its credentials is noticed.
    let error = terms.finish_without_resale(&voucher, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCall);
}

/// Each side writes the replacement header for itself.
#[test]
fn device_and_owner_write_the_same_header() {
    let (mut device, made) = factory();
    let voucher = hand_over(&made, 0, 1);
    let proved = prove(&mut device, &voucher, Signer::Owner(&owner(1))).unwrap();
    let terms = replacement(2, 4);
    let nonce = SetupDvNonce(device.nonce());
    let setup = setup_device(&terms, &voucher, nonce)
        .unwrap()
        .sign(&owner(1))
        .unwrap();
    let setup = Setup::check(&setup, &proved, nonce).unwrap();
    assert_eq!(setup.guid(), Guid([2; 16]));
    assert_eq!(*setup.owner(), owner(4).public_key());
    let renewal = setup
        .apply(&device.credential, &proved, CredentialReuse::Refused)
        .unwrap()
        .unwrap();
    assert_eq!(renewal.header(), terms.header(&voucher).unwrap().as_bytes());
}
