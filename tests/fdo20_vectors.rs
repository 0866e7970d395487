//! One named test for every file in `test-vectors/fdo20`: delegates of an owner, and messages of FDO 2.0, from
//! a generator that shares no code with this crate.
//!
//! A vector says what is given and what must come of it. Where it names the key that signed, the
//! message is also made anew here and must be the same to the byte: signatures are deterministic.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::certificate::{Delegate, Permission};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{
    Allowance, Error, Guid, HmacSecret, KeyOrChain, LocalKey, Policy, UnixTime, VerifiedVoucher,
};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let keys = std::fs::read_to_string(root.join("keys.json")).expect("part of the repository");
    let keys: &'static Value = Box::leak(Box::new(serde_json::from_str(&keys).expect("JSON")));
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(root.join("fdo20")).expect("part of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        trials.push(Trial::test(name.into_owned(), move || {
            let vector: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            run(&vector, keys)
        }));
    }
    assert!(trials.len() >= 200, "only {} vectors", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(vector: &Value, keys: &Value) -> Result<(), Failed> {
    let case = Case {
        given: &vector["given"],
        expect: &vector["expect"],
        keys,
    };
    match vector["check"].as_str() {
        Some("delegate") => case.delegate(),
        Some("to1d20") => case.to1d(),
        Some("device20") => case.device(),
        Some("setup20") => case.setup(),
        other => Err(format!("a vector about {other:?}").into()),
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(found: &T, wanted: &T) -> Result<(), Failed> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{found:?} found, {wanted:?} expected").into()),
    }
}

fn hex(value: &Value) -> Result<Vec<u8>, Failed> {
    Ok(hex::decode(value.as_str().ok_or("a text is missing")?)?)
}

fn all_hex(value: &Value) -> Result<Vec<Vec<u8>>, Failed> {
    let list = value.as_array().ok_or("a list is missing")?;
    list.iter().map(hex).collect()
}

struct Case<'v> {
    given: &'v Value,
    expect: &'v Value,
    keys: &'v Value,
}

/// What a case expects of delegates: none, or those that are valid at a time, if it says one.
type Delegates = Option<Option<UnixTime>>;

impl Case<'_> {
    fn sixteen(&self, name: &str) -> Result<[u8; 16], Failed> {
        Ok(<[u8; 16]>::try_from(hex(&self.given[name])?).map_err(|_| "16 bytes expected")?)
    }

    fn time(value: &Value) -> Result<Option<UnixTime>, Failed> {
        let time = value.as_str().map(UnixTime::from_rfc3339);
        Ok(time.transpose()?)
    }

    fn delegates(&self) -> Result<Delegates, Failed> {
        let given = &self.given["delegates"];
        match given.is_null() {
            true => Ok(None),
            false => Self::time(given).map(Some),
        }
    }

    fn policy() -> Policy<'static> {
        Policy::any_origin().allow(Allowance::Fdo20)
    }

    fn voucher(&self) -> Result<VerifiedVoucher<'static>, Failed> {
        let bytes = hex(&self.given["voucher"])?;
        Ok(Self::policy().verify(&bytes)?.into_owned())
    }

    /// The key that made the message, where the vector says so.
    fn builder(&self) -> Option<LocalKey> {
        let name = self.given["build"].as_str()?;
        let pem = self.keys[name].as_str().expect("a key of keys.json");
        Some(LocalKey::from_pem(pem.as_bytes()).expect("a private key"))
    }

    /// The delegate that made it, where one did.
    fn building_delegate(&self, voucher: &VerifiedVoucher<'_>) -> Result<Option<Delegate>, Failed> {
        match self.given["chain"].is_null() {
            true => Ok(None),
            false => Ok(Some(
                voucher.delegate(&all_hex(&self.given["chain"])?, None)?,
            )),
        }
    }

    /// Compares the verdict; what was accepted is returned where the vector says so.
    fn verdict<T>(&self, result: Result<T, Error>) -> Result<Option<T>, Failed> {
        let rejected = self.expect["verdict"] == "rejected";
        match result {
            Ok(_) if rejected => Err(format!("success; {} expected", self.expect).into()),
            Ok(accepted) => Ok(Some(accepted)),
            Err(error) if !rejected => Err(format!("unexpected {error:?}").into()),
            Err(error) => {
                let entry = error.entry().map(|entry| entry as u64);
                let wanted = (self.expect["kind"].as_str(), self.expect["entry"].as_u64());
                same(&(Some(error.kind().name()), entry), &wanted)?;
                Ok(None)
            }
        }
    }

    /// Whether the delegate is the one of the vector, or none.
    fn is_delegate(&self, found: Option<&Delegate>) -> Result<(), Failed> {
        let found = found.map(|delegate| hex::encode(delegate.key().fingerprint()));
        same(&found.as_deref(), &self.expect["delegate"].as_str())
    }

    fn delegate(&self) -> Result<(), Failed> {
        let (voucher, chain) = (self.voucher()?, all_hex(&self.given["chain"])?);
        let at = Self::time(&self.given["at"])?;
        let Some(delegate) = self.verdict(voucher.delegate(&chain, at))? else {
            return Ok(());
        };
        let names = delegate.permissions().map(Permission::name);
        same(&names.collect::<Value>(), &self.expect["permissions"])?;
        for permission in Permission::ALL {
            let named = delegate.permissions().any(|one| one == *permission);
            same(&delegate.may(*permission), &named)?;
        }
        let key = hex::encode(delegate.key().fingerprint());
        same(&Some(&*key), &self.expect["key"].as_str())?;
        same(delegate.owner(), voucher.owner())?;
        same(&delegate.checked_at(), &at)?;
        same(&Some(at.is_some()), &self.expect["checked"].as_bool())?;
        same(&delegate.chain().map(<[u8]>::to_vec).collect(), &chain)
    }

    /// The state of the device after 83, and after all entries.
    fn owner(&self) -> Result<VerifiedOwner, Error> {
        let bytes = |name: &str| hex(&self.given[name]).expect("bytes");
        let mut facts = DeviceFacts::new(Guid(self.sixteen("guid").expect("a GUID")));
        for name in self.given["allow"].as_array().into_iter().flatten() {
            let name = name.as_str().and_then(Allowance::from_name);
            facts = facts.allow(name.expect("an allowance that exists"));
        }
        if let Some(at) = self.delegates().expect("a time") {
            facts = facts.accept_delegates(at);
        }
        let secret = bytes("secret");
        let hmac = |algorithm: HashAlgorithm, header: &[u8]| Some(algorithm.hmac(&secret, header));
        let messages = all_hex(&self.given["messages"]).expect("messages");
        let (first, entries) = messages.split_first().expect("a message");
        let nonce = ProveOvNonce(self.sixteen("nonce").expect("a nonce"));
        let device_nonce = ProveDvNonce(self.sixteen("device_nonce").expect("a nonce"));
        let (mut verifier, hello) = facts.start20(hmac, nonce, device_nonce, first)?;
        if self.expect["key_exchange"].is_string() {
            let wanted = hex(&self.expect["key_exchange"]).expect("bytes");
            assert_eq!(hello.key_exchange(), wanted);
        }
        assert_eq!(hello.max_message(), u16::MAX);
        for entry in entries {
            verifier.entry(entry)?;
        }
        let owner = verifier.finish()?;
        assert_eq!(owner.nonce(), device_nonce);
        Ok(owner)
    }

    fn device(&self) -> Result<(), Failed> {
        let Some(owner) = self.verdict(self.owner())? else {
            return Ok(());
        };
        let key = hex::encode(owner.key().fingerprint());
        same(&Some(&*key), &self.expect["owner"].as_str())?;
        let entries = Some(u64::from(owner.entries()));
        same(&entries, &self.expect["entries"].as_u64())?;
        self.is_delegate(owner.delegate())?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let voucher = self.voucher()?;
        let exchange = hex(&self.expect["key_exchange"])?;
        let proof = ProveOvHdr20::new(ProveOvNonce(self.sixteen("nonce")?), &exchange);
        let unsigned = match self.building_delegate(&voucher)? {
            None => proof.message(&voucher)?,
            Some(delegate) => proof.message_by_delegate(&voucher, &delegate)?,
        };
        let mut made = vec![unsigned.sign(&key)?];
        for number in 0..owner.entries() {
            made.push(next_entry20(&voucher, number)?);
        }
        same(&made, &all_hex(&self.given["messages"])?)
    }

    /// The owner, the rendezvous server and the device come to the same verdict.
    fn to1d(&self) -> Result<(), Failed> {
        let (voucher, message) = (self.voucher()?, hex(&self.given["message"])?);
        let owner = self.owner()?;
        let delegates = self.delegates()?;
        let by_device = owner.check_to1d(&message).map_err(Error::from);
        self.verdict(by_device)?;
        let checked = match delegates {
            None => To1d::check(&message, &voucher),
            Some(at) => To1d::check_delegated(&message, &voucher, at),
        };
        let checked = self.verdict(checked)?;

        let to0d = to0d(&voucher, 3600, To0SignNonce(*b"@ABCDEFGHIJKLMNO"));
        let mut policy = Self::policy();
        if let Some(Some(at)) = delegates {
            policy = policy.with_time(at);
        }
        let nonce = To0SignNonce(*b"@ABCDEFGHIJKLMNO");
        let registration = owner_sign(&to0d, &message);
        let registered = Registration::check(&registration, &policy, nonce);
        // The server accepts delegates in any case.
        if self.expect["kind"] == "delegate-refused" {
            let found = registered?.delegate().map(|delegate| delegate.checked_at());
            return same(&found, &Some(None));
        }
        let registered = self.verdict(registered)?;
        let (Some(to1d), Some(registered)) = (checked, registered) else {
            return Ok(());
        };
        self.is_delegate(to1d.delegate())?;
        same(&registered.delegate(), &to1d.delegate())?;
        same(&addresses(&to1d), &self.expect["addresses"])?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let addresses = to1d.addresses();
        let unsigned = match self.building_delegate(&voucher)? {
            None => ownership_voucher::onboard::to1d(addresses, &to0d, &voucher)?,
            Some(delegate) => to1d_by_delegate(addresses, &to0d, &voucher, &delegate)?,
        };
        same(&unsigned.sign(&key)?, &message)
    }

    fn setup(&self) -> Result<(), Failed> {
        let (voucher, message) = (self.voucher()?, hex(&self.given["message"])?);
        let owner = self.owner()?;
        let nonce = SetupDvNonce(self.sixteen("setup_nonce")?);
        let Some(setup) = self.verdict(Setup20::check(&message, &owner, nonce))? else {
            return Ok(());
        };
        let name = setup.disposition().name();
        same(&Some(name), &self.expect["disposition"].as_str())?;
        let limit = setup.max_service_info();
        same(&limit.map(u64::from), &self.expect["limit"].as_u64())?;
        let resale = setup.disposition() == Disposition::Resale;
        same(&setup.new_credentials().is_some(), &resale)?;
        let Some(key) = self.builder() else {
            return Ok(());
        };
        let Some(new) = setup.new_credentials() else {
            let unsigned = match self.building_delegate(&voucher)? {
                None => setup_device20_kept(setup.disposition(), &voucher, limit)?,
                Some(delegate) => {
                    let disposition = setup.disposition();
                    setup_device20_kept_by_delegate(disposition, &voucher, &delegate, limit)?
                }
            };
            return same(&unsigned.sign(&key)?, &message);
        };
        let directive = RvDirective::new()
            .dns("rv2.example.com")
            .device_port(8443)
            .protocol(RvProtocol::Https);
        let next = KeyOrChain::Key(new.owner().clone());
        let terms = Replacement::new(new.guid(), &[directive], next)?;
        let made = setup_device20(&terms, &voucher, nonce, limit)?;
        same(&made.sign(&key)?, &message)?;
        // Device and new owner make the same of it, in the version of the voucher.
        let secret = HmacSecret::new(hex(&self.given["secret"])?);
        let credential = DeviceCredential::of(&voucher).with_secret(secret);
        let renewal = new.apply(&credential, &owner, CredentialReuse::Refused)?;
        let renewal = renewal.ok_or("credentials were kept")?;
        same(renewal.header(), &*hex(&self.expect["header"])?)?;
        same(renewal.hmac()?.as_bytes(), &*hex(&self.expect["hmac"])?)?;
        match terms.finish(&voucher, Some(&renewal.hmac()?))? {
            ResaleOutcome::Replaced(new) => {
                same(new.as_bytes(), &*hex(&self.expect["new_voucher"])?)
            }
            other => Err(format!("{other:?}").into()),
        }
    }
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
