//! The device's side of TO2. It trusts nobody: whoever answers has to prove, entry by entry, that the
//! key in this device's credential leads to him.

use ownership_voucher::HmacSecret;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::*;

use crate::{Failure, random};

/// What a device has after its onboarding.
pub struct Onboarded {
    /// The credential of its next life.
    pub credential: Vec<u8>,
    /// SHA-256 of the owner's SubjectPublicKeyInfo.
    pub owner: [u8; 32],
    /// How often it had been sold.
    pub entries: u8,
}

/// Onboards the device with this credential to the service at `url`.
pub fn onboard(url: &str, credential: &[u8]) -> Result<Onboarded, Failure> {
    let (credential, dialect) = DeviceCredential::read(credential)?;
    let key = credential.key()?;
    let mut service = Service::new(url);

    let nonce = ProveOvNonce(random()?);
    let hello = HelloDevice::new(credential.guid, nonce, "ECDH256", 1).to_cbor();
    let answer = service.send(60, &hello)?;
    let hmac = |algorithm, header: &[u8]| credential.header_hmac(algorithm, header).ok();
    let (mut verifier, _) = credential.facts().start(hmac, &hello, nonce, &answer)?;
    while let Some(number) = verifier.next() {
        verifier.entry(&service.send(62, &get_next_entry(number))?)?;
    }
    let owner = verifier.finish()?;

    let setup_nonce = SetupDvNonce(random()?);
    let key_exchange = random::<32>()?;
    let device = key.public_key();
    let proof = prove_device(
        credential.guid,
        owner.nonce(),
        setup_nonce,
        &key_exchange,
        &device,
    );
    let answer = service.send(64, &proof.sign(&key)?)?;
    let setup = Setup::check(&answer, &owner, setup_nonce)?;
    // A secret of its own for each life.
    let renewal = setup
        .apply(&credential, &owner, CredentialReuse::Refused)?
        .ok_or("the owner has no new credentials for this device")?
        .with_secret(HmacSecret::new(random::<32>()?.to_vec()));
    let ready = DeviceServiceInfoReady {
        hmac: Some(renewal.hmac()?),
        max_service_info: None,
    };
    service.send(66, &ready.to_cbor())?;
    check_done2(&service.send(70, &done(owner.nonce()))?, setup_nonce)?;

    // Only now: until TO2.Done2 the old credential is the one that counts.
    Ok(Onboarded {
        credential: renewal.credential().to_cbor(dialect)?.to_vec(),
        owner: owner.key().fingerprint(),
        entries: owner.entries(),
    })
}

/// The owner service, and the session with it.
struct Service {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Service {
    fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            url: url.to_owned(),
            token: String::new(),
        }
    }

    fn send(&mut self, number: u8, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let url = format!("{}/fdo/101/msg/{number}", self.url);
        let request = self.agent.post(&url).header("authorization", &self.token);
        let mut answer = request.send(message)?;
        if let Some(token) = answer.headers().get("authorization") {
            self.token = token.to_str()?.to_owned();
        }
        // A message of TO2 has at most 65,535 bytes.
        let body = answer
            .body_mut()
            .with_config()
            .limit(65_535)
            .read_to_vec()?;
        match answer.status().is_success() {
            true => Ok(body),
            false => Err(format!("message {number}: {}", String::from_utf8_lossy(&body)).into()),
        }
    }
}
