//! An owner permits a service to register its address (FDO 2.0): `cargo run --example delegate`.
//!
//! The owner's key is in a safe. It signs the certificate of a CA once, the CA signs one for each service, and
//! the service signs to1d. Certificates are made by the crate `x509-cert`; this library only verifies them.

use std::error::Error;
use std::time::{Duration, SystemTime};

use ownership_voucher::certificate::Permission;
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::onboard::{
    OwnerAddress, To0SignNonce, To1d, Transport, to0d, to1d_by_delegate,
};
use ownership_voucher::{
    Allowance, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher, Policy, UnixTime,
};
use p256::ecdsa::{DerSignature, SigningKey};
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder, Result as Built};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::Encode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;

const OWNER: [u8; 32] = [1; 32];
const AUTHORITY: [u8; 32] = [2; 32];
const SERVICE: [u8; 32] = [3; 32];

/// What a certificate of a delegate says.
struct Profile {
    subject: Name,
    issuer: Name,
    /// Whether it signs other certificates: those of services, not those of other CAs.
    authority: bool,
    may: Permission,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    /// All three are required in every certificate of a chain.
    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> Built<Vec<Extension>> {
        let constraints = BasicConstraints {
            ca: self.authority,
            path_len_constraint: self.authority.then_some(0),
        };
        let usage = match self.authority {
            true => KeyUsages::DigitalSignature | KeyUsages::KeyCertSign,
            false => KeyUsages::DigitalSignature.into(),
        };
        let purpose = ObjectIdentifier::new_unwrap(self.may.oid());
        let subject = tbs.subject();
        Ok(vec![
            constraints.to_extension(subject, &[])?,
            KeyUsage(usage).to_extension(subject, &[])?,
            ExtendedKeyUsage(vec![purpose]).to_extension(subject, &[])?,
        ])
    }
}

/// The certificate of `subject` for one permission, signed by `issuer`, for a day.
fn issue(
    (subject, key): (&str, &[u8; 32]),
    (issuer, signer): (&str, &[u8; 32]),
    authority: bool,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let profile = Profile {
        subject: subject.parse()?,
        issuer: issuer.parse()?,
        authority,
        may: Permission::Redirect,
    };
    let key = SigningKey::from_slice(key)?;
    let spki = SubjectPublicKeyInfo::from_key(key.verifying_key())?;
    let validity = Validity::from_now(Duration::from_secs(24 * 60 * 60))?;
    let serial = SerialNumber::from(u64::from(authority) + 1);
    let builder = CertificateBuilder::new(profile, serial, validity, spki)?;
    let certificate = builder.build::<_, DerSignature>(&SigningKey::from_slice(signer)?)?;
    Ok(certificate.to_der()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    // A voucher of FDO 2.0. Its owner is still the manufacturer.
    let device = HmacSecret::new(vec![7; 32]);
    let owner = LocalKey::from_secret(KeyType::Secp256r1, &OWNER)?.public_key();
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(owner))
        .with_rendezvous(directive)
        .with_epid()
        .with_fdo20()
        .header()?
        .authenticate(&device)?;
    let voucher = made.verify(&Policy::hmac(&device).allow(Allowance::Fdo20))?;

    // The certificates, that of the service first. The owner's name is compared with nothing.
    let authority = "CN=Delegates,O=Example";
    let chain = [
        issue(
            ("CN=Address service,O=Example", &SERVICE),
            (authority, &AUTHORITY),
            false,
        )?,
        issue(
            (authority, &AUTHORITY),
            ("CN=Owner,O=Example", &OWNER),
            true,
        )?,
    ];
    let now = UnixTime::try_from(SystemTime::now())?;
    let delegate = voucher.delegate(&chain, Some(now))?;
    println!("{delegate:?}");
    assert!(delegate.may(Permission::Redirect) && !delegate.may(Permission::VoucherClaim));

    // The service signs, and whoever has the voucher can check it.
    let here = OwnerAddress {
        ip: None,
        dns: Some("owner.example.com".into()),
        port: 443,
        transport: Transport::Https,
    };
    let to0d = to0d(&voucher, 3600, To0SignNonce([5; 16]));
    let key = LocalKey::from_secret(KeyType::Secp256r1, &SERVICE)?;
    let message = to1d_by_delegate(&[here], &to0d, &voucher, &delegate)?.sign(&key)?;
    let to1d = To1d::check_delegated(&message, &voucher, Some(now))?;
    println!("the device will go to {:?}", to1d.addresses());
    println!("signed by {:?}", to1d.delegate());
    Ok(())
}
