//! The address of the owner: TO0.OwnerSign at the owner and the rendezvous server, to1d, and
//! TO1.ProveToRV.

use alloc::vec::Vec;
use core::ffi::c_char;
use core::net::IpAddr;

use super::buffer::{buffer, ov_buffer};
use super::delegate::{maybe, ov_delegate, time};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, at, index, object};
use super::key::ov_public_key;
use super::name::OV_IP_BYTES;
use super::names::ov_digest;
use super::onboard::ov_unsigned;
use super::policy::{Rules, ov_policy};
use super::report::ov_error;
use super::slice::{ov_slice, ov_str};
use super::status::ov_status;
use super::verify::{give_verified, ov_verified};
use ownership_voucher::Guid;
use ownership_voucher::onboard::{
    OwnerAddress, Registration, To0SignNonce, To1ProofNonce, To1d, Transport, check_prove_to_rv,
    owner_sign, prove_to_rv, to0d, to1d, to1d_by_delegate,
};

/// The bytes of a nonce of TO0, TO1 and TO2.
pub const OV_NONCE_BYTES: usize = 16;

const _: [u8; OV_NONCE_BYTES] = To0SignNonce([0; OV_NONCE_BYTES]).0;

/// TCP.
pub const OV_TRANSPORT_TCP: u8 = 1;
/// TLS.
pub const OV_TRANSPORT_TLS: u8 = 2;
/// HTTP.
pub const OV_TRANSPORT_HTTP: u8 = 3;
/// CoAP.
pub const OV_TRANSPORT_COAP: u8 = 4;
/// HTTPS.
pub const OV_TRANSPORT_HTTPS: u8 = 5;
/// CoAP over DTLS.
pub const OV_TRANSPORT_COAPS: u8 = 6;

// Does not compile if a number is another one in Rust.
const _: [(); 1] = [(); (Transport::Tcp.code() == OV_TRANSPORT_TCP
    && Transport::Tls.code() == OV_TRANSPORT_TLS
    && Transport::Http.code() == OV_TRANSPORT_HTTP
    && Transport::Coap.code() == OV_TRANSPORT_COAP
    && Transport::Https.code() == OV_TRANSPORT_HTTPS
    && Transport::Coaps.code() == OV_TRANSPORT_COAPS) as usize];

/// An address of the owner, `RVTO2Addr`: a DNS name, an IP address, or both.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_owner_address {
    /// The DNS name; length 0 if there is none.
    pub dns: ov_str,
    /// The number of bytes of the IP address: 4, 16, or 0 if there is none.
    pub ip_len: u8,
    /// The IP address, padded with zeros.
    pub ip: [u8; OV_IP_BYTES],
    /// The port.
    pub port: u16,
    /// The transport: an `OV_TRANSPORT_` number, or one that FDO 1.1 does not define.
    pub transport: u8,
}

impl ov_owner_address {
    fn of(address: &OwnerAddress) -> Self {
        let mut ip = [0; OV_IP_BYTES];
        let mut fill = |bytes: &[u8]| ip.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let ip_len = match address.ip {
            None => 0,
            Some(IpAddr::V4(v4)) => {
                fill(&v4.octets());
                4
            }
            Some(IpAddr::V6(v6)) => {
                fill(&v6.octets());
                16
            }
        };
        Self {
            dns: ov_str::of(address.dns.as_deref().unwrap_or_default()),
            ip_len,
            ip,
            port: address.port,
            transport: address.transport.code(),
        }
    }

    fn read(&self, caller: &Caller) -> Result<OwnerAddress, Refusal> {
        let [a, b, c, d, ..] = self.ip;
        let ip = match self.ip_len {
            0 => None,
            4 => Some(IpAddr::from([a, b, c, d])),
            16 => Some(IpAddr::from(self.ip)),
            _ => return Err(Refusal::argument("an IP address of neither 4 nor 16 bytes")),
        };
        let dns = caller.text(self.dns.data.cast::<c_char>(), self.dns.len)?;
        Ok(OwnerAddress {
            ip,
            dns: (!dns.is_empty()).then(|| dns.into()),
            port: self.port,
            transport: Transport::from_code(self.transport),
        })
    }
}

fn owner_addresses(
    caller: &Caller,
    addresses: *const ov_owner_address,
    count: usize,
) -> Result<Vec<OwnerAddress>, Refusal> {
    let addresses = caller.array(addresses, count)?.iter();
    addresses.map(|address| address.read(caller)).collect()
}

/// `To0d`: the owner's request to a rendezvous server, to keep its address for `wait_seconds`.
/// `nonce` is `NonceTO0Sign` (16 bytes), from the server.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_to0d(
    verified: *const ov_verified,
    wait_seconds: u32,
    nonce: *const u8,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        let nonce = To0SignNonce(caller.fixed(nonce)?);
        let out = caller.out(bytes)?;
        out.write(buffer(to0d(&verified.voucher, wait_seconds, nonce)));
        Ok(())
    })
}

/// `to1d`: the addresses of the owner, in the order in which a device tries them, with the hash of
/// a `To0d`. The owner of the voucher has to sign it.
///
/// `OV_ERR_INCOMPLETE` if there is no address, or one that no device could reach.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_to1d(
    verified: *const ov_verified,
    addresses: *const ov_owner_address,
    count: usize,
    to0d: *const u8,
    to0d_len: usize,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let addresses = owner_addresses(caller, addresses, count)?;
        let to0d = caller.array(to0d, to0d_len)?;
        let out = caller.out(message)?;
        out.write(Handle::give(to1d(&addresses, to0d, &verified.voucher)?));
        Ok(())
    })
}

/// `to1d` of a voucher of FDO 2.0, as `ov_verified_to1d` makes it, to be signed by a delegate of the owner.
///
/// `OV_ERR_BAD_CALL` for a voucher of FDO 1.1, `OV_ERR_WRONG_OWNER` for a delegate of another owner,
/// `OV_ERR_DELEGATE_PERMISSION` for one without `OV_PERMISSION_REDIRECT`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_to1d_by_delegate(
    verified: *const ov_verified,
    delegate: *const ov_delegate,
    addresses: *const ov_owner_address,
    count: usize,
    to0d: *const u8,
    to0d_len: usize,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = &caller.get(verified)?.voucher;
        let delegate = caller.get(delegate)?;
        let addresses = owner_addresses(caller, addresses, count)?;
        let to0d = caller.array(to0d, to0d_len)?;
        let out = caller.out(message)?;
        let unsigned = to1d_by_delegate(&addresses, to0d, voucher, delegate)?;
        out.write(Handle::give(unsigned));
        Ok(())
    })
}

/// TO0.OwnerSign, of a `To0d` and the signed `to1d`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_owner_sign(
    to0d: *const u8,
    to0d_len: usize,
    to1d: *const u8,
    to1d_len: usize,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let to0d = caller.array(to0d, to0d_len)?;
        let to1d = caller.array(to1d, to1d_len)?;
        let out = caller.out(bytes)?;
        out.write(buffer(owner_sign(to0d, to1d)));
        Ok(())
    })
}

/// The check of a rendezvous server: this TO0.OwnerSign answers `nonce` (`NonceTO0Sign`, 16 bytes),
/// its voucher verifies under the policy, and the voucher's owner signed its to1d. A NULL policy is
/// `OV_ERR_BAD_CALL`.
///
/// `verified` is set to the voucher, `wait_seconds` to the duration that the owner requests, and
/// `to1d` to the part of `message` that TO1.RVRedirect sends unchanged. The last two may be NULL. A
/// delegate of the owner may have signed to1d, with certificates that are valid at the time of the
/// policy if it has one: `ov_to1d_check_delegated`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_registration_check(
    message: *const u8,
    len: usize,
    policy: *const ov_policy,
    nonce: *const u8,
    verified: *mut *mut ov_verified,
    wait_seconds: *mut u32,
    to1d: *mut ov_slice,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let nonce = To0SignNonce(caller.fixed(nonce)?);
        let out = caller.out(verified)?;
        let wait_seconds = caller.maybe_out(wait_seconds)?;
        let to1d = caller.maybe_out(to1d)?;
        let policy = Rules::given(caller, policy)?.policy();
        let registered = Registration::check(message, &policy, nonce)?;
        wait_seconds.map(|out| out.write(registered.wait_seconds()));
        to1d.map(|out| out.write(ov_slice::of(registered.to1d())));
        out.write(give_verified(registered.voucher().clone().into_owned()));
        Ok(())
    })
}

/// The contents of a to1d.
pub struct ov_to1d {
    _private: [u8; 0],
}

object!(ov_to1d: To1d, b"ov to1d\0");

/// Reads a to1d, unverified. A device learns only in TO2 who its owner is, and then calls
/// `ov_device_verifier_check_to1d`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_read(
    message: *const u8,
    len: usize,
    to1d: *mut *mut ov_to1d,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let out = caller.out(to1d)?;
        out.write(Handle::give(To1d::read(message)?));
        Ok(())
    })
}

/// Reads a to1d, and verifies that the owner of this voucher signed it. If a delegate signed it, that is
/// `OV_ERR_DELEGATE_REFUSED`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_check(
    message: *const u8,
    len: usize,
    verified: *const ov_verified,
    to1d: *mut *mut ov_to1d,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let verified = caller.get(verified)?;
        let out = caller.out(to1d)?;
        out.write(Handle::give(To1d::check(message, &verified.voucher)?));
        Ok(())
    })
}

/// Reads a to1d, and verifies that the owner of this voucher signed it or, if the voucher is one of FDO 2.0, a
/// delegate of the owner: `ov_to1d_delegate` says so. The delegate's certificates must be valid `at` this time,
/// in seconds since 1970; with `OV_NONE` their dates are not checked.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_check_delegated(
    message: *const u8,
    len: usize,
    verified: *const ov_verified,
    at: u64,
    to1d: *mut *mut ov_to1d,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let voucher = &caller.get(verified)?.voucher;
        let out = caller.out(to1d)?;
        let checked = To1d::check_delegated(message, voucher, time(at))?;
        out.write(Handle::give(checked));
        Ok(())
    })
}

/// The delegate that signed a to1d in the place of the owner; `OV_ERR_ABSENT` if there is none, or if
/// the to1d was read without a check.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_delegate(
    to1d: *const ov_to1d,
    delegate: *mut *mut ov_delegate,
) -> ov_status {
    plain(|caller| {
        let to1d = caller.get(to1d)?;
        let out = caller.out(delegate)?;
        out.write(maybe(to1d.delegate())?);
        Ok(())
    })
}

/// Frees a to1d and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_free(to1d: *mut *mut ov_to1d) -> ov_status {
    plain(|caller| caller.free(to1d))
}

/// The number of addresses.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_len(to1d: *const ov_to1d) -> u64 {
    value(0, |caller| {
        let to1d = caller.get(to1d)?;
        Ok(to1d.addresses().len() as u64)
    })
}

/// The address with this number, counted from 0. Its name lives as long as the to1d.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_address(
    to1d: *const ov_to1d,
    number: u64,
    address: *mut ov_owner_address,
) -> ov_status {
    plain(|caller| {
        let to1d = caller.get(to1d)?;
        let out = caller.out(address)?;
        let found = at(to1d.addresses().get(index(number)?))?;
        out.write(ov_owner_address::of(found));
        Ok(())
    })
}

/// The hash of the `To0d` that was registered with it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_to1d_to0d_hash(to1d: *const ov_to1d) -> ov_digest {
    value(ov_digest::NONE, |caller| {
        let to1d = caller.get(to1d)?;
        Ok(ov_digest::of(&to1d.to0d_hash()))
    })
}

/// TO1.ProveToRV, to be signed by the device with this GUID (16 bytes) and this key. `nonce` is
/// `NonceTO1Proof` (16 bytes), from the rendezvous server. An RSA key signs with PKCS#1 v1.5 unless
/// `ov_unsigned_use_pss` is called.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_to_rv(
    guid: *const u8,
    nonce: *const u8,
    device: *const ov_public_key,
    message: *mut *mut ov_unsigned,
) -> ov_status {
    plain(|caller| {
        let guid = Guid(caller.fixed(guid)?);
        let nonce = To1ProofNonce(caller.fixed(nonce)?);
        let device = caller.get(device)?;
        let out = caller.out(message)?;
        out.write(Handle::give(prove_to_rv(guid, nonce, device)));
        Ok(())
    })
}

/// The check of a rendezvous server: the device of this voucher answered `nonce` (`NonceTO1Proof`,
/// 16 bytes) with this TO1.ProveToRV.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_to_rv_check(
    message: *const u8,
    len: usize,
    verified: *const ov_verified,
    nonce: *const u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let verified = caller.get(verified)?;
        let nonce = To1ProofNonce(caller.fixed(nonce)?);
        Ok(check_prove_to_rv(message, &verified.voucher, nonce)?)
    })
}
