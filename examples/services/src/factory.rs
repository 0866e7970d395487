//! The factory tool: a key, a certificate, a voucher and a credential for each new device.

use std::str::FromStr as _;
use std::time::Duration;

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::onboard::{CredentialDialect, DeviceCredential};
use ownership_voucher::{Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher, Roots};
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::Validity;
use x509_cert::{Certificate, TbsCertificate};

use crate::{Failure, random};

/// Where the factory sends its devices.
const RENDEZVOUS: &str = "rv.example.com";

/// A factory: the manufacturer's key, which signs vouchers over, and the authority of its devices.
pub struct Factory {
    pub maker: LocalKey,
    authority: SigningKey,
    root: Certificate,
}

/// What leaves the factory: the voucher goes to the buyer, the credential stays in the device.
pub struct Made {
    pub voucher: Vec<u8>,
    pub credential: Vec<u8>,
}

impl Factory {
    /// A factory with new keys.
    pub fn new() -> Result<Self, Failure> {
        let key = LocalKey::generate(KeyType::Secp256r1, getrandom::fill)?;
        let authority = SigningKey::from_pkcs8_der(&key.to_pkcs8_der()?)?;
        let spki = authority.verifying_key().to_public_key_der()?;
        let name = Name::from_str("CN=Example device CA")?;
        let root = certificate(&authority, spki.as_bytes(), (&name, &name), true)?;
        Ok(Self {
            maker: LocalKey::generate(KeyType::Secp256r1, getrandom::fill)?,
            authority,
            root,
        })
    }

    /// The root of all its devices, for whoever verifies their vouchers.
    pub fn roots(&self) -> Result<Roots, Failure> {
        let mut roots = Roots::new();
        roots.add_der(&self.root.to_der()?)?;
        Ok(roots)
    }

    /// A new device.
    pub fn make(&self, device_info: &str) -> Result<Made, Failure> {
        let key = LocalKey::generate(KeyType::Secp256r1, getrandom::fill)?;
        let subject = Name::from_str("CN=Device")?;
        let names = (&subject, self.root.tbs_certificate().subject());
        let spki = key.public_key().to_spki_der();
        let leaf = certificate(&self.authority, &spki, names, false)?;
        let directive = RvDirective::new()
            .dns(RENDEZVOUS)
            .device_port(443)
            .protocol(RvProtocol::Https);
        let secret = HmacSecret::new(random::<32>()?.to_vec());
        let maker = KeyOrChain::Key(self.maker.public_key());
        let voucher = NewVoucher::new(Guid(random()?), device_info, maker)
            .with_rendezvous(directive)
            .with_device_chain(vec![leaf.to_der()?, self.root.to_der()?])
            .header()?
            .authenticate(&secret)?;
        let credential = DeviceCredential::of(&voucher)
            .with_secret(secret)
            .with_key(key.to_pkcs8_der()?);
        Ok(Made {
            voucher: voucher.as_bytes().to_vec(),
            credential: credential.to_cbor(CredentialDialect::GoFdo)?.to_vec(),
        })
    }
}

fn certificate(
    signer: &SigningKey,
    spki: &[u8],
    (subject, issuer): (&Name, &Name),
    authority: bool,
) -> Result<Certificate, Failure> {
    let profile = Profile {
        subject: subject.clone(),
        issuer: issuer.clone(),
        authority,
    };
    let serial = SerialNumber::new(&random::<16>()?.map(|byte| byte & 0x7f))?;
    let spki = SubjectPublicKeyInfo::from_der(spki)?;
    let validity = Validity::from_now(Duration::from_secs(20 * 365 * 24 * 3600))?;
    Ok(CertificateBuilder::new(profile, serial, validity, spki)?
        .build::<_, DerSignature>(signer)?)
}

/// What certificates of authority and device contain.
struct Profile {
    subject: Name,
    issuer: Name,
    authority: bool,
}

impl BuilderProfile for Profile {
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
        made: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let usage = match self.authority {
            true => KeyUsages::KeyCertSign,
            false => KeyUsages::DigitalSignature,
        };
        let constraints = BasicConstraints {
            ca: self.authority,
            path_len_constraint: None,
        };
        let mut extensions = vec![constraints.to_extension(made.subject(), &[])?];
        extensions.push(KeyUsage(usage.into()).to_extension(made.subject(), &extensions)?);
        Ok(extensions)
    }
}
