//! One named test for every file in `test-vectors/messages`: messages of onboarding, device
//! credentials and proofs of ownership, from a generator that shares no code with this crate.
//!
//! A vector says what is given and what must come of it. Where it names the key that signed, the
//! message is also made anew here and must be the same to the byte: signatures are deterministic.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{
    Allowance, Error, Guid, HmacSecret, LocalKey, Policy, PublicKey, VerifiedVoucher,
};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let keys = std::fs::read_to_string(root.join("keys.json")).expect("part of the repository");
    let keys: &'static Value = Box::leak(Box::new(serde_json::from_str(&keys).expect("JSON")));
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(root.join("messages")).expect("part of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        trials.push(Trial::test(name.into_owned(), move || {
            let vector: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            run(&vector, keys)
        }));
    }
    assert!(trials.len() >= 290, "only {} vectors", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(vector: &Value, keys: &Value) -> Result<(), Failed> {
    let case = Case {
        given: &vector["given"],
        expect: &vector["expect"],
        keys,
    };
    let result = match vector["check"].as_str() {
        Some("device") => case.device(),
        Some("prove-to-rv") => case.prove_to_rv(),
        Some("prove-device") => case.prove_device(),
        Some("setup-device") => case.setup_device(),
        Some("to1d") => case.to1d(),
        Some("owner-sign") => case.owner_sign(),
        Some("credential") => case.credential(),
        Some("ownership") => case.ownership(),
        other => return Err(format!("a vector about {other:?}").into()),
    };
    let rejected = case.expect["verdict"] == "rejected";
    match result {
        Ok(()) if rejected => Err(format!("unexpected success; {} expected", case.expect).into()),
        Ok(()) => Ok(()),
        Err(Fault::Test(failed)) => Err(failed),
        Err(Fault::Found(error)) if !rejected => Err(format!("unexpected {error:?}").into()),
        Err(Fault::Found(error)) => {
            let entry = error.entry().map(|entry| entry as u64);
            let wanted = (case.expect["kind"].as_str(), case.expect["entry"].as_u64());
            same(&(Some(error.kind().name()), entry), &wanted).map_err(|fault| match fault {
                Fault::Test(failed) => failed,
                Fault::Found(error) => error.into(),
            })
        }
    }
}

/// What ends a case early: the verdict of the library, or a test that failed.
enum Fault {
    Found(Error),
    Test(Failed),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Found(error)
    }
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        Self::Found(error.into())
    }
}

fn failed(text: impl Into<String>) -> Fault {
    Fault::Test(text.into().into())
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(found: &T, wanted: &T) -> Result<(), Fault> {
    match found == wanted {
        true => Ok(()),
        false => Err(failed(format!("{found:?} found, {wanted:?} expected"))),
    }
}

struct Case<'v> {
    given: &'v Value,
    expect: &'v Value,
    keys: &'v Value,
}

impl Case<'_> {
    fn hex(value: &Value) -> Result<Vec<u8>, Fault> {
        let text = value.as_str().ok_or_else(|| failed("a text is missing"))?;
        hex::decode(text).map_err(|error| failed(error.to_string()))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        Self::hex(&self.given[name]).map_err(|_| failed(format!("no {name}")))
    }

    fn wanted(&self, name: &str) -> Result<Vec<u8>, Fault> {
        Self::hex(&self.expect[name]).map_err(|_| failed(format!("no {name}")))
    }

    fn sixteen(&self, name: &str) -> Result<[u8; 16], Fault> {
        let bytes = self.bytes(name)?;
        bytes.try_into().map_err(|_| failed("16 bytes expected"))
    }

    fn nonce<N: From<[u8; 16]>>(&self) -> Result<N, Fault> {
        self.sixteen("nonce").map(N::from)
    }

    fn voucher(&self) -> Result<VerifiedVoucher<'static>, Fault> {
        let bytes = self.bytes("voucher")?;
        let verified = Policy::any_origin()
            .verify(&bytes)
            .map(VerifiedVoucher::into_owned);
        verified.map_err(|error| failed(format!("the voucher itself: {error:?}")))
    }

    fn messages(&self) -> Result<Vec<Vec<u8>>, Fault> {
        let list = self.given["messages"].as_array();
        let list = list.ok_or_else(|| failed("no messages"))?;
        list.iter().map(Self::hex).collect()
    }

    /// The key that made the message, where the vector says so and the library can sign with it.
    fn builder(&self) -> Option<LocalKey> {
        let name = self.given["build"].as_str()?;
        let pem = self.keys[name].as_str().expect("a key of keys.json");
        Some(LocalKey::from_pem(pem.as_bytes()).expect("a private key"))
    }

    /// The owner, after all messages of the device's side of TO2.
    fn verified_owner(&self, nonce: [u8; 16]) -> Result<VerifiedOwner, Fault> {
        let mut facts = DeviceFacts::new(Guid(self.sixteen("guid")?));
        for name in self.given["allow"].as_array().into_iter().flatten() {
            let name = name.as_str().and_then(Allowance::from_name);
            facts = facts.allow(name.expect("an allowance that exists"));
        }
        if !self.given["manufacturer_hash"].is_null() {
            let hash = Digest::from_bytes(&self.bytes("manufacturer_hash")?);
            facts = facts.with_manufacturer_hash(hash.expect("a hash"));
        }
        let (secret, hello) = (self.bytes("secret")?, self.bytes("hello")?);
        let hmac = |algorithm: HashAlgorithm, header: &[u8]| Some(algorithm.hmac(&secret, header));
        let messages = self.messages()?;
        let (first, entries) = messages
            .split_first()
            .ok_or_else(|| failed("no messages"))?;
        let (mut verifier, answer) = facts.start(hmac, &hello, ProveOvNonce(nonce), first)?;
        if self.expect["key_exchange"].is_string() {
            same(answer.key_exchange(), &*self.wanted("key_exchange")?)?;
        }
        for entry in entries {
            verifier.entry(entry)?;
        }
        Ok(verifier.finish()?)
    }

    fn device(&self) -> Result<(), Fault> {
        let owner = self.verified_owner(self.sixteen("nonce")?)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        same(&*self.wanted("owner")?, &owner.key().fingerprint())?;
        same(
            &Some(u64::from(owner.entries())),
            &self.expect["entries"].as_u64(),
        )?;
        same(&*self.wanted("device_nonce")?, &owner.nonce().0)?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let (voucher, hello) = (self.voucher()?, self.bytes("hello")?);
        let exchange = self.wanted("key_exchange")?;
        let proof = ProveOvHdr::new(&hello, self.nonce()?, owner.nonce(), &exchange);
        let mut made = vec![proof.message(&voucher)?.sign(&key)?];
        for number in 0..owner.entries() {
            made.push(next_entry(&voucher, number)?);
        }
        same(&made, &self.messages()?)
    }

    fn prove_to_rv(&self) -> Result<(), Fault> {
        let (voucher, message) = (self.voucher()?, self.bytes("message")?);
        check_prove_to_rv(&message, &voucher, self.nonce()?)?;
        match self.builder() {
            Some(key) => {
                let made = prove_to_rv(voucher.guid(), self.nonce()?, &key.public_key());
                same(&made.sign(&key)?, &message)
            }
            None => Ok(()),
        }
    }

    fn prove_device(&self) -> Result<(), Fault> {
        let (voucher, message) = (self.voucher()?, self.bytes("message")?);
        let proof = DeviceProof::check(&message, &voucher, self.nonce()?)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        same(proof.key_exchange(), &*self.wanted("key_exchange")?)?;
        same(&*self.wanted("setup_nonce")?, &proof.setup_nonce().0)?;
        match self.builder() {
            Some(key) => {
                let (guid, public) = (voucher.guid(), key.public_key());
                let (nonce, exchange) = (proof.setup_nonce(), proof.key_exchange());
                let made = prove_device(guid, self.nonce()?, nonce, exchange, &public);
                same(&made.sign(&key)?, &message)
            }
            None => Ok(()),
        }
    }

    fn setup_device(&self) -> Result<(), Fault> {
        let owner = self.verified_owner(self.sixteen("hello_nonce")?);
        let owner = owner.map_err(|_| failed("the messages before"))?;
        let message = self.bytes("message")?;
        let nonce: SetupDvNonce = self.nonce()?;
        let setup = Setup::check(&message, &owner, nonce);
        // Without a heap it is the same verdict.
        let place = |error: &Error| (error.kind(), error.offset());
        let without = owner.setup(&message, nonce).map_err(Error::from);
        same(
            &without.as_ref().map(Setup::guid).map_err(place),
            &setup.as_ref().map(Setup::guid).map_err(place),
        )?;
        let setup = setup?;
        let voucher = self.voucher()?;
        let secret = HmacSecret::new(self.bytes("secret")?);
        let credential = DeviceCredential::of(&voucher).with_secret(secret);
        let reuse = match self.given["reuse"].as_bool() {
            Some(true) => CredentialReuse::Allowed,
            _ => CredentialReuse::Refused,
        };
        let renewal = setup.apply(&credential, &owner, reuse)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        if self.expect["outcome"] == "reuse" {
            same(&renewal.is_none(), &true)?;
            let terms = Replacement::reuse(&voucher);
            same(
                &matches!(terms.finish(&voucher, None)?, ResaleOutcome::Reused),
                &true,
            )?;
            return self.rebuild_setup(&terms, &voucher, &message);
        }
        let renewal = renewal.ok_or_else(|| failed("credentials were kept"))?;
        same(&*self.wanted("new_guid")?, &setup.guid().0)?;
        same(&*self.wanted("new_owner")?, &setup.owner().fingerprint())?;
        same(renewal.header(), &*self.wanted("header")?)?;
        same(renewal.hmac()?.as_bytes(), &*self.wanted("hmac")?)?;
        let hash = renewal.credential().manufacturer_hash;
        same(hash.as_bytes(), &*self.wanted("manufacturer_hash")?)?;
        same(
            renewal.credential().rendezvous.as_slice(),
            setup.rendezvous(),
        )?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let terms = replacement(setup.guid(), setup.owner());
        let ResaleOutcome::Replaced(new) = terms.finish(&voucher, Some(&renewal.hmac()?))? else {
            return Err(failed("no new voucher"));
        };
        same(new.as_bytes(), &*self.wanted("new_voucher")?)?;
        drop(key);
        self.rebuild_setup(&terms, &voucher, &message)
    }

    fn rebuild_setup(
        &self,
        terms: &Replacement,
        voucher: &VerifiedVoucher<'_>,
        message: &[u8],
    ) -> Result<(), Fault> {
        match self.builder() {
            Some(key) => {
                let made = setup_device(terms, voucher, self.nonce()?)?.sign(&key)?;
                same(made.as_slice(), message)
            }
            None => Ok(()),
        }
    }

    fn to1d(&self) -> Result<(), Fault> {
        let (voucher, message) = (self.voucher()?, self.bytes("message")?);
        let to1d = To1d::check(&message, &voucher)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        same(&addresses(&to1d), &self.expect["addresses"])?;
        match self.builder() {
            Some(key) => {
                let to0d = to0d(&voucher, 3600, To0SignNonce(*b"@ABCDEFGHIJKLMNO"));
                let made = ownership_voucher::onboard::to1d(to1d.addresses(), &to0d, &voucher)?;
                same(&made.sign(&key)?, &message)
            }
            None => Ok(()),
        }
    }

    fn owner_sign(&self) -> Result<(), Fault> {
        let message = self.bytes("message")?;
        let policy = Policy::any_origin();
        let found = Registration::check(&message, &policy, self.nonce()?)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        same(&*self.wanted("guid")?, &found.voucher().guid().0)?;
        same(
            &Some(u64::from(found.wait_seconds())),
            &self.expect["wait_seconds"].as_u64(),
        )?;
        same(found.to1d(), &*self.wanted("to1d")?)?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let voucher = self.voucher()?;
        let to0d = to0d(&voucher, found.wait_seconds(), self.nonce()?);
        let addresses = To1d::read(found.to1d())?.addresses().to_vec();
        let made = ownership_voucher::onboard::to1d(&addresses, &to0d, &voucher)?.sign(&key)?;
        same(&owner_sign(&to0d, &made), &message)
    }

    fn credential(&self) -> Result<(), Fault> {
        let message = self.bytes("message")?;
        let (credential, dialect) = DeviceCredential::read(&message)?;
        if self.expect["verdict"] == "rejected" {
            return Ok(());
        }
        let name = match dialect {
            CredentialDialect::GoFdo => "go-fdo",
            CredentialDialect::FdoRs => "fdo-rs",
            _ => "reference",
        };
        same(&Some(name), &self.expect["dialect"].as_str())?;
        same(&Some(credential.active), &self.expect["active"].as_bool())?;
        same(&*self.wanted("guid")?, &credential.guid.0)?;
        same(
            &Some(&*credential.device_info),
            &self.expect["device_info"].as_str(),
        )?;
        same(&credential.rendezvous, &self.wanted("rendezvous")?)?;
        let hash = credential.manufacturer_hash;
        same(hash.as_bytes(), &*self.wanted("manufacturer_hash")?)?;
        let hmac = credential.header_hmac(HashAlgorithm::Sha256, b"header")?;
        same(hmac.as_bytes(), &*self.wanted("hmac")?)?;
        match self.expect["key"].is_null() {
            true => same(&credential.key().is_err(), &true)?,
            false => {
                let key = credential.key()?.public_key();
                same(&*self.wanted("key")?, &key.fingerprint())?;
            }
        }
        if self.expect["rewrite"] == true {
            same(credential.to_cbor(dialect)?.as_slice(), &*message)?;
        }
        Ok(())
    }

    fn ownership(&self) -> Result<(), Fault> {
        let voucher = self.voucher()?;
        let asked = self.bytes("challenge")?;
        let challenge = Challenge::from_cbor(&asked)?;
        same(&challenge.to_cbor(), &asked)?;
        let proof = self.bytes("proof")?;
        challenge.check(&voucher, &proof)?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let verifier = self.given["verifier"].as_str().unwrap_or_default();
        let nonce = std::array::from_fn(|n| 0x60 + n as u8);
        same(&voucher.challenge(verifier, nonce)?, &challenge)?;
        same(&challenge.respond(&voucher, verifier)?.sign(&key)?, &proof)
    }
}

/// The new credentials of the vectors, made by the library.
fn replacement(guid: Guid, owner: &PublicKey) -> Replacement {
    use ownership_voucher::KeyOrChain;
    use ownership_voucher::create::{RvDirective, RvProtocol};
    let directive = RvDirective::new()
        .dns("rv2.example.com")
        .device_port(8443)
        .protocol(RvProtocol::Https);
    Replacement::new(guid, &[directive], KeyOrChain::Key(owner.clone())).expect("complete")
}

/// `[[ip, name, port, transport], …]`.
fn addresses(to1d: &To1d) -> Value {
    let row = |address: &OwnerAddress| {
        serde_json::json!([
            address.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            address.dns.clone().unwrap_or_default(),
            address.port,
            address.transport.code(),
        ])
    };
    to1d.addresses().iter().map(row).collect()
}
