//! X.509 in the field: a PKI of two levels certifies a device whose key is in a TPM; its owner checks
//! the device's proof against the voucher's chain and the root, at a given time.
//!
//! The authorities are made here, with keys in memory that are thrown away. The key of the device
//! never leaves its TPM: the authority certifies what the TPM says is its public key.

mod common;

use std::str::FromStr as _;
use std::time::Duration;

use common::{SoftTpm, complaint, voucher};
use hardware::{Keeper as _, KeyKind, Secret, Signer};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::{
    DeviceProof, ProveDvNonce, SetupDvNonce, device_key, prove_device,
};
use ownership_voucher::{
    ErrorKind, ExtendOptions, Guid, HandOver, KeyOrChain, KeyType, LocalKey, NewVoucher,
    OwnerSigner as _, Policy, PublicKey, Roots, UnixTime, VerifiedVoucher,
};
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder, CrlBuilder};
use x509_cert::certificate::{Certificate, Rfc5280, TbsCertificate};
use x509_cert::crl::RevokedCert;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, CrlNumber, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

fn day(text: &str) -> UnixTime {
    UnixTime::from_rfc3339(text).expect("a day")
}

fn time(text: &str) -> Time {
    let since = Duration::from_secs(day(text).0);
    Time::UtcTime(x509_cert::der::asn1::UtcTime::from_unix_duration(since).expect("before 2050"))
}

/// What a certificate of this little PKI has in it.
struct Kind {
    subject: Name,
    issuer: Name,
    authority: bool,
}

impl BuilderProfile for Kind {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints {
            ca: self.authority,
            path_len_constraint: None,
        };
        let usage = match self.authority {
            true => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
            false => KeyUsages::DigitalSignature.into(),
        };
        let mut extensions = Vec::new();
        let first = constraints.to_extension(tbs.subject(), &extensions)?;
        extensions.push(first);
        let second = KeyUsage(usage).to_extension(tbs.subject(), &extensions)?;
        extensions.push(second);
        Ok(extensions)
    }
}

/// An authority: its certificate and its key.
struct Authority {
    certificate: Certificate,
    key: SigningKey,
}

fn name(text: &str) -> Name {
    Name::from_str(&format!("CN={text},O=Example")).expect("a name")
}

impl Authority {
    fn root(secret: u8, subject: &str) -> Self {
        let key = SigningKey::from_slice(&[secret; 32]).expect("below the order");
        let spki = key.verifying_key().to_public_key_der().expect("a key");
        let certificate = certificate(
            &key,
            (1, spki.as_bytes()),
            (name(subject), name(subject)),
            true,
            ["2020-01-01", "2045-01-01"],
        );
        Self { certificate, key }
    }

    fn below(&self, secret: u8, subject: &str, serial: u32) -> Self {
        let key = SigningKey::from_slice(&[secret; 32]).expect("below the order");
        let spki = key.verifying_key().to_public_key_der().expect("a key");
        let issuer = self.certificate.tbs_certificate().subject().clone();
        let names = (name(subject), issuer);
        let certificate = certificate(
            &self.key,
            (serial, spki.as_bytes()),
            names,
            true,
            ["2024-01-01", "2040-01-01"],
        );
        Self { certificate, key }
    }

    /// The certificate of a device, for the public key that its TPM told.
    fn certify(&self, device: &PublicKey, serial: u32, dates: [&str; 2]) -> Vec<u8> {
        let issuer = self.certificate.tbs_certificate().subject().clone();
        let names = (name("Device"), issuer);
        let made = certificate(
            &self.key,
            (serial, &device.to_spki_der()),
            names,
            false,
            dates,
        );
        made.to_der().expect("DER")
    }

    fn revoke(&self, serials: &[u32]) -> Vec<u8> {
        let number = CrlNumber::try_from(1_u128).expect("a number");
        let revoked = serials.iter().map(|&serial| RevokedCert {
            serial_number: SerialNumber::from(serial),
            revocation_date: time("2026-01-01"),
            crl_entry_extensions: None,
        });
        let list = CrlBuilder::<Rfc5280>::new_with_this_update(
            &self.certificate,
            number,
            time("2026-06-01"),
        );
        let list = list
            .expect("a list")
            .with_next_update(Some(time("2027-06-01")))
            .with_certificates(revoked)
            .build::<_, DerSignature>(&self.key);
        list.expect("a signed list").to_der().expect("DER")
    }

    fn der(&self) -> Vec<u8> {
        self.certificate.to_der().expect("DER")
    }
}

fn certificate(
    signer: &SigningKey,
    (serial, spki): (u32, &[u8]),
    (subject, issuer): (Name, Name),
    authority: bool,
    [start, end]: [&str; 2],
) -> Certificate {
    let kind = Kind {
        subject,
        issuer,
        authority,
    };
    let spki = SubjectPublicKeyInfo::from_der(spki).expect("a key");
    let validity = Validity::new(time(start), time(end));
    let builder = CertificateBuilder::new(kind, SerialNumber::from(serial), validity, spki);
    let built = builder
        .expect("a certificate")
        .build::<_, DerSignature>(signer);
    built.expect("a signed certificate")
}

/// Roots that trust this authority, and lists.
fn roots(root: &Authority, lists: &[&[u8]]) -> Roots {
    let mut roots = Roots::new();
    roots.add_der(&root.der()).expect("a root");
    for list in lists {
        roots.add_crl_der(list).expect("a list");
    }
    roots
}

/// The voucher of the device, made in the factory and handed over to its owner.
fn handed_over(maker: &Signer, owner: &Signer, secret: &Secret, chain: Vec<Vec<u8>>) -> Vec<u8> {
    let key = |signer: &Signer| KeyOrChain::Key(signer.public_key().expect("a TPM's key"));
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let made = NewVoucher::new(Guid([0x5c; 16]), "Gateway 100", key(maker))
        .with_rendezvous(directive)
        .with_device_chain(chain)
        .header()
        .and_then(|header| header.authenticate(&**secret))
        .expect("the TPM's HMAC");
    let (policy, options, next) = (Policy::any_origin(), ExtendOptions::new(), key(owner));
    let hand_over = HandOver::new(&policy, &**maker, &next, &options);
    let (voucher, _) = hand_over.one(made.as_bytes()).expect("handed over");
    voucher.as_bytes().to_vec()
}

/// Paths to these roots, at a day of 2026.
fn policy(roots: &Roots) -> Policy<'_> {
    Policy::any_origin()
        .with_device_roots(roots)
        .with_time(day("2026-11-28"))
        .refuse_expired()
}

const GOOD: [&str; 2] = ["2026-01-01", "2030-01-01"];

#[test]
fn a_device_with_its_key_in_a_tpm() {
    let soft = SoftTpm::start();
    let tpm = soft.open();
    let device = tpm.make_key("0x81010010", KeyKind::P256).expect("made");
    let other = tpm.make_key("0x81010011", KeyKind::P256).expect("made");
    let maker = tpm.make_key("0x81010012", KeyKind::P256).expect("made");
    let owner = tpm.make_key("0x81010013", KeyKind::P256).expect("made");
    let secret = tpm
        .make_secret("0x81010014", HashAlgorithm::Sha256)
        .expect("made");
    let public = device.public_key().expect("a TPM's key");

    let root = Authority::root(1, "Root");
    let devices = root.below(2, "Devices", 10);
    let stranger = Authority::root(3, "Root");
    // The same names, and another key.
    let namesake = stranger.below(4, "Devices", 10);
    let leaf = devices.certify(&public, 100, GOOD);
    let voucher = |chain: &[Vec<u8>]| handed_over(&maker, &owner, &secret, chain.to_vec());
    let good = voucher(&[leaf.clone(), devices.der()]);

    let (clean, listed) = (devices.revoke(&[101]), devices.revoke(&[99, 100]));
    let (root_clean, root_listed) = (root.revoke(&[]), root.revoke(&[10]));
    let trusted = roots(&root, &[&clean, &root_clean]);
    let now = day("2026-11-28");
    let strict = policy(&trusted).with_hmac(&*secret);
    let verified = strict.verify(&good).expect("a path to the root");
    assert!(verified.proved().device_path && verified.proved().hmac);
    assert_eq!(device_key(&verified).expect("a certificate"), public);
    proves(&verified, &device, &other, &public);

    // Each of these differs from the good case in one thing.
    let refused = |bytes: &[u8], policy: Policy<'_>| {
        policy.verify(bytes).map(drop).expect_err("no path").kind()
    };
    let all = |bytes: &[u8]| refused(bytes, policy(&trusted));
    let expired = voucher(&[
        devices.certify(&public, 100, ["2025-01-01", "2026-11-27"]),
        devices.der(),
    ]);
    assert_eq!(all(&expired), ErrorKind::CertificateTime);
    let early = voucher(&[
        devices.certify(&public, 100, ["2026-11-29", "2030-01-01"]),
        devices.der(),
    ]);
    assert_eq!(all(&early), ErrorKind::CertificateTime);
    let then = policy(&trusted).with_time(day("2026-11-20"));
    then.verify(&expired).expect("valid at the time");
    Policy::any_origin()
        .with_device_roots(&trusted)
        .with_time(now)
        .verify(&expired)
        .expect("a finding alone");

    let revoked = |lists: &[&[u8]]| refused(&good, policy(&roots(&root, lists)));
    assert_eq!(revoked(&[&listed]), ErrorKind::CertificateRevoked);
    assert_eq!(revoked(&[&root_listed]), ErrorKind::CertificateRevoked);
    assert_eq!(revoked(&[&clean, &listed]), ErrorKind::CertificateRevoked);
    // A list under the right name by the wrong key.
    assert_eq!(revoked(&[&namesake.revoke(&[])]), ErrorKind::DevicePath);
    let late = policy(&trusted).with_time(day("2027-07-01"));
    assert_eq!(refused(&good, late), ErrorKind::CertificateTime);
    let mut complete = roots(&root, &[&clean]);
    complete.require_revocation_lists();
    assert_eq!(refused(&good, policy(&complete)), ErrorKind::DevicePath);
    complete.add_crl_der(&root_clean).expect("a list");
    policy(&complete).verify(&good).expect("a list for each");

    assert_eq!(
        refused(&good, policy(&roots(&stranger, &[]))),
        ErrorKind::DevicePath
    );
    // Certificates that do not sign each other are not written at all.
    let owner_key = KeyOrChain::Key(maker.public_key().expect("a TPM's key"));
    let unfit = NewVoucher::new(Guid([0x5c; 16]), "Gateway 100", owner_key)
        .with_rendezvous(
            RvDirective::new()
                .dns("rv.example.com")
                .device_port(443)
                .protocol(RvProtocol::Https),
        )
        .with_device_chain(vec![leaf.clone(), namesake.der()])
        .header();
    assert_eq!(
        unfit.map(drop).expect_err("no chain").kind(),
        ErrorKind::UnfitChain
    );
    let bare = voucher(std::slice::from_ref(&leaf));
    assert_eq!(all(&bare), ErrorKind::DevicePath);
    let of_namesake = voucher(&[namesake.certify(&public, 100, GOOD), namesake.der()]);
    assert_eq!(all(&of_namesake), ErrorKind::DevicePath);
    // The right root does vouch for a device of another key, whose proof this device cannot make.
    let foreign = other.public_key().expect("a TPM's key");
    let foreign = voucher(&[devices.certify(&foreign, 102, GOOD), devices.der()]);
    let foreign = policy(&trusted)
        .verify(&foreign)
        .expect("a path")
        .into_owned();
    let nonce = ProveDvNonce([1; 16]);
    let message =
        prove_device(foreign.guid(), nonce, SetupDvNonce([2; 16]), b"xB", &public).sign(&device);
    let error = DeviceProof::check(&message.expect("signed"), &foreign, nonce).map(drop);
    assert_eq!(
        error.expect_err("another device").kind(),
        ErrorKind::SignatureInvalid
    );
    // The chain of one device in the voucher of another: the header has its hash.
    let mut swapped = good.clone();
    let at = find(&swapped, &leaf);
    let other_leaf = devices.certify(&public, 107, GOOD);
    if other_leaf.len() == leaf.len() {
        swapped[at..at + leaf.len()].copy_from_slice(&other_leaf);
    } else {
        // ECDSA signatures differ in length by a byte or two; the serial number will do as well.
        let serial = at + find(&leaf, &[2, 1, 100]) + 2;
        swapped[serial] = 107;
    }
    assert_eq!(all(&swapped), ErrorKind::ChainHashMismatch);
}

/// The same by the program: the TPM's public key, a certificate for it, a voucher with that chain, and
/// the device's proof.
#[test]
fn the_program_attests() {
    let soft = SoftTpm::start();
    let hw = |arguments: &[&str]| soft.hw(arguments).output().expect("hw runs");
    let good = |arguments: &[&str]| {
        let output = hw(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let pem = good(&["key", "0x81010001", "--make", "p384"]);
    let public = PublicKey::from_pem(pem.as_bytes()).expect("a public key");
    good(&["key", "0x81010002", "--make", "p256"]);
    good(&["secret", "0x81010003", "--make", "sha384"]);
    let root = Authority::root(1, "Root");
    let devices = root.below(2, "Devices", 10);
    let chain = [devices.certify(&public, 100, GOOD), devices.der()].map(|der| {
        let ending = pem_rfc7468::LineEnding::LF;
        pem_rfc7468::encode_string("CERTIFICATE", ending, &der).expect("PEM")
    });
    std::fs::write(soft.folder.join("chain.pem"), chain.concat()).expect("written");
    let device = [
        "--key",
        "0x81010002",
        "--secret",
        "0x81010003",
        "--chain",
        "chain.pem",
    ];
    good(&[&["new", "--output", "v.pem"], &device[..]].concat());
    let nonce = "000102030405060708090a0b0c0d0e0f";
    let attest = |key: &str, nonce: &str| {
        let arguments = [
            "attest", "--key", key, "--nonce", nonce, "v.pem", "--output", "proof",
        ];
        hw(&arguments)
    };
    let text = complaint(&attest("0x81010002", nonce));
    assert!(text.contains("the signer's key is sha256:"), "{text}");
    let text = complaint(&attest("0x81010001", "0x"));
    assert!(text.contains("32 hexadecimal digits expected"), "{text}");
    assert!(!soft.folder.join("proof").exists());
    let output = attest("0x81010001", nonce);
    assert!(output.status.success(), "{output:?}");

    let bytes = voucher(&soft.folder.join("v.pem"));
    let trusted = roots(&root, &[&devices.revoke(&[101])]);
    let verified = policy(&trusted).verify(&bytes).expect("a path to the root");
    let proof = std::fs::read(soft.folder.join("proof")).expect("a file");
    let asked = ProveDvNonce(std::array::from_fn(|number| number as u8));
    DeviceProof::check(&proof, &verified, asked).expect("the device of this voucher");
    let mut bad = proof.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    let error = DeviceProof::check(&bad, &verified, asked).expect_err("forged");
    assert_eq!(error.kind(), ErrorKind::SignatureInvalid);
    let error = DeviceProof::check(&proof, &verified, ProveDvNonce([0; 16])).expect_err("old");
    assert_eq!(error.kind(), ErrorKind::WrongNonce);
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    let mut windows = bytes.windows(part.len());
    windows
        .position(|window| window == part)
        .expect("it is in there")
}

/// The device proves itself to its owner; nobody else can, and no bit of the proof may change.
fn proves(voucher: &VerifiedVoucher<'_>, device: &Signer, other: &Signer, public: &PublicKey) {
    let (nonce, setup) = (ProveDvNonce([6; 16]), SetupDvNonce([7; 16]));
    let message = prove_device(voucher.guid(), nonce, setup, b"xB", public);
    let bytes = message.sign(device).expect("the device's TPM");
    let proof = DeviceProof::check(&bytes, voucher, nonce).expect("the device of this voucher");
    assert_eq!(
        (proof.key_exchange(), proof.setup_nonce()),
        (&b"xB"[..], setup)
    );

    let refused = |bytes: &[u8], nonce| {
        let checked = DeviceProof::check(bytes, voucher, nonce).map(drop);
        checked.expect_err("no proof").kind()
    };
    assert_eq!(
        refused(&bytes, ProveDvNonce([8; 16])),
        ErrorKind::WrongNonce
    );
    for back in [1, 20, 40, 63] {
        let mut bad = bytes.clone();
        let at = bad.len() - back;
        bad[at] ^= 4;
        assert_eq!(refused(&bad, nonce), ErrorKind::SignatureInvalid);
    }
    // Another key of the same TPM: told apart before and after it has signed.
    let error = message.sign(other).expect_err("another key");
    assert_eq!(error.kind(), ErrorKind::NotOwner);
    let signature = other
        .sign(message.algorithm(), &message.to_be_signed())
        .expect("signed");
    assert_eq!(
        message.finish(&signature).expect_err("wrong").kind(),
        ErrorKind::SignerAnswer
    );
    // And a key that is in no TPM at all, which says that it is the device.
    let thief = LocalKey::from_secret(KeyType::Secp256r1, &[9; 32]).expect("below the order");
    let thief_key = thief.public_key();
    let message = prove_device(voucher.guid(), nonce, setup, b"xB", &thief_key);
    let bytes = message.sign(&thief).expect("signed");
    assert_eq!(refused(&bytes, nonce), ErrorKind::SignatureInvalid);
}
