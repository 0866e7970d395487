//! A plain proof of ownership between people, without FDO: a marketplace or a support desk asks the
//! holder of a voucher to prove possession of its owner's key.
//!
//! ```text
//! verifier:  voucher.challenge(name, nonce) ─▶ Challenge ─ to_cbor ─▶ …
//! owner:     Challenge::from_cbor ─▶ respond(voucher, name) ─▶ Unsigned ─ sign ─▶ proof
//! verifier:  Challenge::check(voucher, proof)
//! ```
//!
//! # Format
//!
//! ```cddl
//! Challenge = [
//!   "ov-ownership-v1",
//!   verifier: tstr,          ; who asks: 1 to 255 bytes, such as a host name
//!   guid:     bstr .size 16,
//!   state:    bstr .size 48, ; SHA-384, see below
//!   nonce:    bstr .size 32  ; fresh random bytes
//! ]
//! Proof = #6.18([            ; COSE_Sign1 (RFC 9052 §4.2)
//!   protected:   bstr .cbor { 1: alg },
//!   unprotected: {},
//!   payload:     bstr .cbor Challenge,    ; byte for byte as it was asked
//!   signature:   bstr
//! ])
//! ```
//!
//! All of it is in the shortest form, with definite lengths. The signature is made with the owner
//! key of the voucher, over the Sig_structure with external_aad = the CBOR of
//! `["ov-ownership-v1"]`. All FDO messages have another external_aad (empty in 1.1), so that no
//! proof is a valid FDO message, and no FDO message is a valid proof.
//!
//! The state is SHA-384 over the content of the last entry's payload, which contains the hash of
//! everything before it. Without entries it is SHA-384 over OVHeader ‖ HMac, as the first entry
//! would hash them. It does not cover the tag, the unprotected header and the signature of the last
//! entry, which anybody can change.
//!
//! # What it proves
//!
//! The owner key of this voucher answered this verifier, about this device and this state, after
//! the challenge was made. It does not prove that there is no newer state of the voucher.
//!
//! Both sides name the verifier. The owner states the name of the verifier that it is talking to,
//! so that a dishonest verifier cannot relay the challenge of another one.
//!
//! ```
//! use ownership_voucher::*;
//! use ownership_voucher::onboard::*;
//! # use ownership_voucher::create::{RvDirective, RvProtocol};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
//! # let key = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?;
//! # let secret = HmacSecret::new(vec![7; 32]);
//! # let rendezvous = RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https);
//! # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
//! #     .with_rendezvous(rendezvous).with_epid().header()?.authenticate(&secret)?;
//! # let next = KeyOrChain::Key(key.public_key());
//! # let factory = Voucher::parse(made.as_bytes())?.verify(&Policy::hmac(&secret))?;
//! # let sold = factory.extend(&next, &ExtendOptions::new())?.sign(&maker)?;
//! # let policy = Policy::manufacturer(maker.public_key());
//! # let voucher = Voucher::parse(sold.as_bytes())?.verify(&policy)?;
//! // The verifier asks. The nonce is 32 fresh random bytes; the challenge is kept.
//! let asked = voucher.challenge("market.example.com", [0x5a; 32])?;
//!
//! // The owner answers the one that it is talking to.
//! let received = Challenge::from_cbor(&asked.to_cbor())?;
//! let proof = received.respond(&voucher, "market.example.com")?.sign(&key)?;
//!
//! asked.check(&voucher, &proof)?;
//! # Ok(())
//! # }
//! ```

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

use super::message::{Kind, Signed, Unsigned, read_guid};
use crate::cbor::Reader;
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind};
use crate::key::NullSink;
use crate::limits::Limits;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;
use crate::write;

/// What the signature covers besides the message: `["ov-ownership-v1"]`.
const AAD: &[u8] = b"\x81\x6fov-ownership-v1";
const CONTEXT: &str = "ov-ownership-v1";
/// The size of the longest name in bytes.
const LONGEST_NAME: usize = 255;

/// A challenge to a party that claims to own a voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    verifier: String,
    guid: Guid,
    state: Digest,
    nonce: [u8; 32],
}

impl VerifiedVoucher<'_> {
    /// A challenge to prove ownership of this voucher. `verifier` is the name by which the owner
    /// knows the verifier; `nonce` is 32 fresh random bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] for a name that is empty, longer than 255 bytes, or contains
    /// hidden characters ([`is_hidden`](crate::text::is_hidden)).
    pub fn challenge(&self, verifier: &str, nonce: [u8; 32]) -> Result<Challenge, Error> {
        check_name(verifier)?;
        Ok(Challenge {
            verifier: verifier.into(),
            guid: self.guid(),
            state: state(self),
            nonce,
        })
    }
}

impl Challenge {
    /// The name of the verifier.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// The GUID of the device.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.guid
    }

    /// The state of ownership.
    #[must_use]
    pub const fn state(&self) -> Digest {
        self.state
    }

    /// The challenge as CBOR: see the [format](self#format).
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        write::to_bytes(&Value::Array(vec![
            Value::Text(CONTEXT.into()),
            Value::Text(self.verifier.clone()),
            Value::Bytes(self.guid.0.to_vec()),
            Value::Bytes(self.state.as_bytes().to_vec()),
            Value::Bytes(self.nonce.to_vec()),
        ]))
    }

    /// The challenge in `bytes`.
    ///
    /// # Errors
    /// Parse errors for any deviation from the [format](self#format); [`ErrorKind::WrongMessage`]
    /// for another first item.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, Error> {
        let limits = Limits::new();
        if bytes.len() > limits.input {
            let (found, wanted) = (bytes.len() as u64, limits.input as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let sink = &mut NullSink;
        let mut reader = Reader::<Error>::new(bytes);
        let mut items = reader.array_of(5, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        if reader.text(sink)?.of(bytes) != CONTEXT.as_bytes() {
            return Err(Error::because(ErrorKind::WrongMessage, "not a challenge").at(at));
        }
        reader.next(&mut items)?;
        // UTF-8 was checked by the reader.
        let verifier = core::str::from_utf8(reader.text(sink)?.of(bytes)).unwrap_or_default();
        check_name(verifier)?;
        reader.next(&mut items)?;
        let guid = read_guid(&mut reader, bytes, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let state =
            Digest::new(HashAlgorithm::Sha384, reader.bytes(sink)?.of(bytes)).ok_or_else(|| {
                Error::because(ErrorKind::WrongSize, "48 bytes of state expected").at(at)
            })?;
        reader.next(&mut items)?;
        let at = reader.position();
        let nonce = <[u8; 32]>::try_from(reader.bytes(sink)?.of(bytes)).map_err(|_| {
            Error::because(ErrorKind::WrongSize, "32 bytes of nonce expected").at(at)
        })?;
        reader.close(&mut items)?;
        reader.finish("behind the challenge")?;
        let challenge = Self {
            verifier: verifier.into(),
            guid,
            state,
            nonce,
        };
        // One challenge has one encoding: the signed bytes are those of the challenge.
        match challenge.to_cbor() == bytes {
            true => Ok(challenge),
            false => Err(Error::because(ErrorKind::BadCbor, "not in shortest form")),
        }
    }

    /// The owner's answer, to be signed. [`Unsigned::sign`] takes any
    /// [`OwnerSigner`](crate::OwnerSigner). `verifier` is the verifier that the owner is talking
    /// to.
    ///
    /// # Errors
    /// [`ErrorKind::WrongVerifier`] if the challenge is from another verifier,
    /// [`ErrorKind::WrongDevice`] and [`ErrorKind::WrongState`] if it is about another device or
    /// another state of the voucher.
    pub fn respond(
        &self,
        voucher: &VerifiedVoucher<'_>,
        verifier: &str,
    ) -> Result<Unsigned, Error> {
        if self.verifier != verifier {
            return Err(Error::new(ErrorKind::WrongVerifier));
        }
        self.is_about(voucher)?;
        let algorithm = voucher.claimed_owner().algorithm();
        Ok(Unsigned::new(voucher.owner().clone(), algorithm, self.to_cbor()).with_aad(AAD))
    }

    /// Checks that the owner of this voucher gave this answer to this challenge.
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`]; [`ErrorKind::WrongVerifier`],
    /// [`ErrorKind::WrongDevice`], [`ErrorKind::WrongState`] and [`ErrorKind::WrongNonce`] for an
    /// answer to another challenge, or a challenge about another voucher;
    /// [`ErrorKind::AlgorithmMismatch`], [`ErrorKind::SignatureInvalid`].
    pub fn check(&self, voucher: &VerifiedVoucher<'_>, proof: &[u8]) -> Result<(), Error> {
        self.is_about(voucher)?;
        let signed = Signed::read::<Error>(proof, &Limits::new(), &mut NullSink)?;
        Kind::Ownership.check::<Error>(&signed, proof)?;
        let at = signed.payload.start();
        let answered = Self::from_cbor(signed.payload.of(proof)).map_err(|error| {
            let inner = error.offset().unwrap_or_default();
            Error::new(error.kind()).at(at.saturating_add(inner))
        })?;
        let differs = |kind| Err(Error::new(kind).at(at));
        if answered.verifier != self.verifier {
            return differs(ErrorKind::WrongVerifier);
        }
        if answered.guid != self.guid {
            return differs(ErrorKind::WrongDevice);
        }
        if answered.state != self.state {
            return differs(ErrorKind::WrongState);
        }
        if answered.nonce != self.nonce {
            return differs(ErrorKind::WrongNonce);
        }
        let algorithm = voucher.claimed_owner().algorithm();
        signed.verify(proof, voucher.owner(), algorithm, AAD)
    }

    fn is_about(&self, voucher: &VerifiedVoucher<'_>) -> Result<(), Error> {
        if self.guid != voucher.guid() {
            return Err(Error::new(ErrorKind::WrongDevice));
        }
        if self.state != state(voucher) {
            return Err(Error::new(ErrorKind::WrongState));
        }
        Ok(())
    }
}

/// The identity of a state of ownership.
fn state(voucher: &VerifiedVoucher<'_>) -> Digest {
    let hash = HashAlgorithm::Sha384;
    match voucher.entries().next_back() {
        Some(last) => hash.digest(&[last.payload()]),
        None => hash.digest(&[voucher.header_bytes(), voucher.hmac_bytes()]),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(crate::text::is_hidden) {
        let why = "a verifier's name has 1 to 255 bytes and no hidden characters";
        return Err(Error::because(ErrorKind::Incomplete, why));
    }
    Ok(())
}
