//! The address of the owner: TO0.OwnerSign (22) registers it, as to1d, at a rendezvous server, and
//! TO1.RVRedirect (33) gives it to the device.
//!
//! ```text
//! owner:       to0d(voucher, nonce) ─▶ to1d(addresses, to0d) ─▶ signature ─▶ owner_sign ─▶ 22
//! rendezvous:  22 ─▶ Registration::check ─▶ voucher, to1d
//! device:      33 ─▶ To1d::read, believed when VerifiedOwner::check_to1d says so
//! ```

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use ciborium::Value;

use super::device::VerifiedOwner;
use super::message::{Kind, Signed, Unsigned, bstr, read_nonce, read_number};
use super::nonce::To0SignNonce;
use crate::cbor::{Reader, Span};
use crate::digest::{Digest, HashIndex};
use crate::error::{DeviceError, Error, ErrorKind};
use crate::key::NullSink;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::verify::VerifiedVoucher;
use crate::voucher::{is_host, is_server};
use crate::write;

/// The transport from a device to its owner, in an [`OwnerAddress`]: values of `TransportProtocol`.
///
/// FDO has a second list for the way to the rendezvous server, which is in the voucher:
/// [`RvProtocol`](crate::create::RvProtocol). The two have different numbers for the same transports,
/// and each has some that the other lacks. So they are two types, and nothing converts one to the other.
///
/// | | to the rendezvous server: `RvProtocol` | to the owner: `Transport` |
/// |---|---|---|
/// | REST, which leaves HTTP or HTTPS to the device | `Rest` 0 | |
/// | HTTP | `Http` 1 | `Http` 3 |
/// | HTTPS | `Https` 2 | `Https` 5 |
/// | TCP | `Tcp` 3 | `Tcp` 1 |
/// | TLS | `Tls` 4 | `Tls` 2 |
/// | CoAP over TCP, and over UDP | `CoapTcp` 5, `CoapUdp` 6 | |
/// | CoAP, and with security | | `Coap` 4, `Coaps` 6 |
///
/// ```
/// use ownership_voucher::create::RvProtocol;
/// use ownership_voucher::onboard::Transport;
/// assert_eq!((RvProtocol::Https as u8, Transport::Https.code()), (2, 5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of the FDO text
pub enum Transport {
    Tcp,
    Tls,
    Http,
    Coap,
    Https,
    Coaps,
    /// A code that FDO 1.1 does not define.
    Other(u8),
}

impl Transport {
    /// The code: 1 to 6, or that of [`Other`](Self::Other).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Tcp => 1,
            Self::Tls => 2,
            Self::Http => 3,
            Self::Coap => 4,
            Self::Https => 5,
            Self::Coaps => 6,
            Self::Other(code) => code,
        }
    }

    /// The stable name, in lower case; `other` for a code that FDO 1.1 does not define.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Coap => "coap",
            Self::Https => "https",
            Self::Coaps => "coaps",
            Self::Other(_) => "other",
        }
    }

    /// The transport with this code.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Tcp,
            2 => Self::Tls,
            3 => Self::Http,
            4 => Self::Coap,
            5 => Self::Https,
            6 => Self::Coaps,
            other => Self::Other(other),
        }
    }
}

/// An address of the owner, `RVTO2Addr`: a DNS name, an IP address, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "RVTO2Addr")]
pub struct OwnerAddress {
    /// `RVIP`.
    pub ip: Option<IpAddr>,
    /// `RVDNS`.
    pub dns: Option<String>,
    /// `RVPort`.
    pub port: u16,
    /// `RVProtocol`.
    pub transport: Transport,
}

impl OwnerAddress {
    /// Fails if no device could reach this address.
    fn check(&self) -> Result<(), Error> {
        let bad = |what| Err(Error::because(ErrorKind::Incomplete, what));
        if self.dns.as_deref().is_some_and(|dns| !is_host(dns)) {
            return bad("a host of the owner that is neither a DNS name nor an IP address");
        }
        if self.ip.is_some_and(|ip| !is_server(ip.to_canonical())) {
            return bad("an IP address of the owner that is that of no server");
        }
        if self.port == 0 {
            return bad("a port of the owner that is 0");
        }
        Ok(())
    }

    fn to_value(&self) -> Value {
        let ip = self.ip.map_or(Value::Null, |ip| match ip {
            IpAddr::V4(ip) => Value::Bytes(ip.octets().to_vec()),
            IpAddr::V6(ip) => Value::Bytes(ip.octets().to_vec()),
        });
        let dns = self.dns.clone().map_or(Value::Null, Value::Text);
        Value::Array(vec![
            ip,
            dns,
            self.port.into(),
            self.transport.code().into(),
        ])
    }

    fn read(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<Self, Error> {
        let sink = &mut NullSink;
        let mut items = reader.array_of(4, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let ip = match reader.null() {
            true => None,
            false => Some(read_ip(reader.bytes(sink)?.of(bytes), at)?),
        };
        reader.next(&mut items)?;
        let dns = match reader.null() {
            true => None,
            // UTF-8 was checked by the reader.
            false => Some(core::str::from_utf8(reader.text(sink)?.of(bytes)).unwrap_or_default()),
        };
        reader.next(&mut items)?;
        let port = read_number(reader, sink)?;
        reader.next(&mut items)?;
        let transport = read_number(reader, sink)?;
        reader.close(&mut items)?;
        Ok(Self {
            ip,
            dns: dns.map(Into::into),
            port,
            transport: Transport::from_code(transport),
        })
    }
}

/// Four or sixteen bytes; go-fdo writes IPv4 addresses in sixteen (RFC 4291 §2.5.5.2).
fn read_ip(bytes: &[u8], at: usize) -> Result<IpAddr, Error> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::from(v4));
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(v6) => Ok(IpAddr::from(v6).to_canonical()),
        Err(_) => {
            Err(Error::because(ErrorKind::WrongSize, "4 or 16 bytes of address expected").at(at))
        }
    }
}

/// `To0d = [OwnershipVoucher, WaitSeconds, NonceTO0Sign]`: the owner's request to a rendezvous
/// server.
#[must_use]
pub fn to0d(voucher: &VerifiedVoucher<'_>, wait_seconds: u32, nonce: To0SignNonce) -> Vec<u8> {
    [
        write::array_head(3),
        voucher.as_bytes().to_vec(),
        write::to_bytes(&wait_seconds.into()),
        bstr(&nonce.0),
    ]
    .concat()
}

/// `to1d = [[+ RVTO2Addr], To0dHash]`, to be signed by the voucher's owner. It uses the hash
/// algorithm of the voucher's entries.
///
/// # Errors
/// [`ErrorKind::Incomplete`] if there is no address, or one with neither name nor IP address, with
/// a name that is neither a DNS name nor an IP address, with an IP address that cannot be that of a
/// server (unspecified, multicast, broadcast), or with port 0.
pub fn to1d(
    addresses: &[OwnerAddress],
    to0d: &[u8],
    voucher: &VerifiedVoucher<'_>,
) -> Result<Unsigned, Error> {
    let empty = |address: &OwnerAddress| address.ip.is_none() && address.dns.is_none();
    if addresses.is_empty() || addresses.iter().any(empty) {
        let why = "an address of the owner expected";
        return Err(Error::because(ErrorKind::Incomplete, why));
    }
    addresses.iter().try_for_each(OwnerAddress::check)?;
    let hash = voucher.entry_hash().digest(&[to0d]);
    let payload = Value::Array(vec![
        Value::Array(addresses.iter().map(OwnerAddress::to_value).collect()),
        write::hash(&hash),
    ]);
    let algorithm = voucher.claimed_owner().algorithm();
    let payload = write::to_bytes(&payload);
    Ok(Unsigned::new(voucher.owner().clone(), algorithm, payload))
}

/// TO0.OwnerSign: `[bstr .cbor To0d, to1d]`.
#[must_use]
pub fn owner_sign(to0d: &[u8], to1d: &[u8]) -> Vec<u8> {
    [write::array_head(2), bstr(to0d), to1d.to_vec()].concat()
}

/// The registration of an owner at a rendezvous server.
#[derive(Clone, Debug)]
pub struct Registration<'m> {
    voucher: VerifiedVoucher<'m>,
    wait_seconds: u32,
    to1d: &'m [u8],
}

impl<'m> Registration<'m> {
    /// Checks TO0.OwnerSign: the voucher verifies under the policy, its owner signed to1d, to1d is
    /// about this To0d, and this is the answer to `nonce`, `NonceTO0Sign`.
    ///
    /// The server decides whether it accepts a voucher without entries; go-fdo does not.
    ///
    /// # Errors
    /// Parse errors in To0d, to1d or the voucher. The offset is that in the message or, for the
    /// voucher, that in the voucher. [`ErrorKind::WrongMessage`], [`ErrorKind::WrongNonce`],
    /// [`ErrorKind::To0dHashMismatch`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`], and those of [`Policy::verify`].
    pub fn check(
        message: &'m [u8],
        policy: &Policy<'_>,
        nonce: To0SignNonce,
    ) -> Result<Self, Error> {
        let limits = policy.limits();
        let most = limits.input.min(Limits::MAX_INPUT);
        if message.len() > most {
            let (found, wanted) = (message.len() as u64, most as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let sink = &mut NullSink;
        let mut reader = Reader::<Error>::new(message);
        let mut items = reader.array_of(2, sink)?;
        reader.next(&mut items)?;
        let to0d = reader.bytes(sink)?;
        reader.next(&mut items)?;
        let start = reader.position();
        let signed = Signed::read_item(&mut reader, message, limits, sink)?;
        let to1d = Span::new(start, reader.position());
        reader.close(&mut items)?;
        reader.finish("behind the message")?;
        let body = To1d::of(&signed, message)?;

        let mut reader = Reader::<Error>::over(message, to0d);
        let mut items = reader.array_of(3, sink)?;
        reader.next(&mut items)?;
        let voucher = reader.skip(limits.depth, sink)?;
        reader.next(&mut items)?;
        let wait_seconds = read_number(&mut reader, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let found = read_nonce(&mut reader, message, sink)?;
        reader.close(&mut items)?;
        reader.finish("behind To0d")?;

        if found != nonce.into() {
            return Err(Error::new(ErrorKind::WrongNonce).at(at));
        }
        let stored = body.to0d_hash;
        if stored != stored.algorithm().digest(&[to0d.of(message)]) {
            return Err(Error::new(ErrorKind::To0dHashMismatch).at(signed.payload.start()));
        }
        let voucher = policy.verify(voucher.of(message))?;
        let algorithm = voucher.claimed_owner().algorithm();
        signed.verify::<Error>(message, voucher.owner(), algorithm, &[])?;
        Ok(Self {
            voucher,
            wait_seconds,
            to1d: to1d.of(message),
        })
    }

    /// The voucher of the device.
    #[must_use]
    pub const fn voucher(&self) -> &VerifiedVoucher<'m> {
        &self.voucher
    }

    /// The duration of the registration that the owner requests, in seconds.
    #[must_use]
    pub const fn wait_seconds(&self) -> u32 {
        self.wait_seconds
    }

    /// The signed to1d for TO1.RVRedirect, to be sent unchanged.
    #[must_use]
    pub const fn to1d(&self) -> &'m [u8] {
        self.to1d
    }
}

/// The contents of a to1d.
#[derive(Clone, Debug)]
pub struct To1d {
    addresses: Vec<OwnerAddress>,
    to0d_hash: Digest,
}

impl To1d {
    /// The contents of a to1d, not verified. A device learns only in TO2 who its owner is, and then
    /// calls [`VerifiedOwner::check_to1d`].
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`].
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let signed = Signed::read::<Error>(message, &Limits::new(), &mut NullSink)?;
        Self::of(&signed, message)
    }

    fn of(signed: &Signed, message: &[u8]) -> Result<Self, Error> {
        Kind::To1d.check::<Error>(signed, message)?;
        let mut reader = signed.payload_reader::<Error>(message);
        let mut items = reader.array_of(2, &mut NullSink)?;
        reader.next(&mut items)?;
        let mut list = reader.array(&mut NullSink)?;
        let mut addresses = Vec::new();
        while reader.more(&mut list)? {
            addresses.push(OwnerAddress::read(&mut reader, message)?);
        }
        reader.next(&mut items)?;
        let hash = HashIndex::read(&mut reader, false, &mut NullSink)?;
        reader.close(&mut items)?;
        reader.finish("behind the payload")?;
        Ok(Self {
            addresses,
            to0d_hash: Digest::new(hash.algorithm, hash.value.of(message))
                .ok_or_else(|| Error::new(ErrorKind::HashLength).at(hash.item.start()))?,
        })
    }

    /// The contents of a to1d, after it was verified that the owner of a voucher signed it.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`].
    pub fn check(message: &[u8], voucher: &VerifiedVoucher<'_>) -> Result<Self, Error> {
        let signed = Signed::read::<Error>(message, &Limits::new(), &mut NullSink)?;
        let to1d = Self::of(&signed, message)?;
        let algorithm = voucher.claimed_owner().algorithm();
        signed.verify::<Error>(message, voucher.owner(), algorithm, &[])?;
        Ok(to1d)
    }

    /// The addresses, in the order in which to try them.
    #[must_use]
    pub fn addresses(&self) -> &[OwnerAddress] {
        &self.addresses
    }

    /// The hash of the To0d that was registered with it.
    #[must_use]
    pub const fn to0d_hash(&self) -> Digest {
        self.to0d_hash
    }
}

impl VerifiedOwner {
    /// Checks that the owner of the device signed a to1d. If not, an attacker may be in the middle,
    /// and TO2 must end. This needs no heap for P-256 and P-384.
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`].
    pub fn check_to1d(&self, message: &[u8]) -> Result<(), DeviceError> {
        let signed = Signed::read::<DeviceError>(message, &Limits::new(), &mut NullSink)?;
        Kind::To1d.check::<DeviceError>(&signed, message)?;
        self.check(&signed, message)
    }
}
