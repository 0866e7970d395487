//! Trusted certificates, and the fields of one certificate.

use alloc::sync::Arc;

use super::guard::{guard, plain};
use super::handle::{Handle, at, index, object, present};
use super::key::{give, ov_public_key};
use super::report::ov_error;
use super::slice::{ov_slice, ov_str};
use super::status::ov_status;
use ownership_voucher::Roots;
use ownership_voucher::certificate::CertificateInfo;

/// Certificates that the caller trusts. A certificate marked as an authority vouches for what it
/// signed; any other vouches for itself only.
pub struct ov_roots {
    _private: [u8; 0],
}

object!(ov_roots: Arc<Roots>, b"ov roots");

/// Creates an empty set.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_new(roots: *mut *mut ov_roots) -> ov_status {
    plain(|caller| {
        let out = caller.out(roots)?;
        out.write(Handle::give(Arc::new(Roots::new())));
        Ok(())
    })
}

/// Frees a set and sets the variable to NULL. Policies that were given the set keep its contents.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_free(roots: *mut *mut ov_roots) -> ov_status {
    plain(|caller| caller.free(roots))
}

/// Adds a certificate in DER. A duplicate is not added again.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_add_der(
    roots: *mut ov_roots,
    der: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let roots = caller.get_mut(roots)?;
        let der = caller.array(der, len)?;
        Ok(Arc::make_mut(roots).add_der(der)?)
    })
}

/// Adds a certificate revocation list in DER. From then on a path over a certificate in the list is
/// refused with `OV_ERR_CERTIFICATE_REVOKED`. A path over the authority of that list is refused in
/// the same way if the list was signed neither by that authority nor by another known authority of
/// the same name.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_add_crl_der(
    roots: *mut ov_roots,
    der: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let roots = caller.get_mut(roots)?;
        let der = caller.array(der, len)?;
        Ok(Arc::make_mut(roots).add_crl_der(der)?)
    })
}

/// Refuses paths over a certificate that no revocation list covers.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_require_revocation_lists(roots: *mut ov_roots) -> ov_status {
    plain(|caller| {
        Arc::make_mut(caller.get_mut(roots)?).require_revocation_lists();
        Ok(())
    })
}

/// The number of certificates.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_len(roots: *const ov_roots, len: *mut u64) -> ov_status {
    plain(|caller| {
        let roots = caller.get(roots)?;
        caller.out(len)?.write(roots.len() as u64);
        Ok(())
    })
}

/// The certificate with this number in DER, in the order of addition. It lives until the set is
/// changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_get(
    roots: *const ov_roots,
    number: u64,
    der: *mut ov_slice,
) -> ov_status {
    plain(|caller| {
        let roots = caller.get(roots)?;
        let out = caller.out(der)?;
        out.write(ov_slice::of(at(roots.iter().nth(index(number)?))?));
        Ok(())
    })
}

/// A parsed certificate.
pub struct ov_certificate {
    _private: [u8; 0],
}

object!(ov_certificate: CertificateInfo, b"ov certi");

/// The fields of a certificate. None of them has been verified.
#[repr(C)]
pub struct ov_certificate_info {
    /// The subject in the form of RFC 4514; control characters are escaped.
    pub subject: ov_str,
    /// The issuer, in the same form.
    pub issuer: ov_str,
    /// The serial number in hexadecimal.
    pub serial: ov_str,
    /// Start of validity, in seconds since 1970.
    pub not_before: u64,
    /// End of validity, in seconds since 1970 (inclusive).
    pub not_after: u64,
    /// The name of the signature algorithm, or its OID if it has no name here.
    pub signature_algorithm: ov_str,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// Whether it is marked as an authority.
    pub is_authority: bool,
    /// The X.509 version: 1, 2 or 3.
    pub version: u8,
}

/// Reads a certificate in DER.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_from_der(
    der: *const u8,
    len: usize,
    certificate: *mut *mut ov_certificate,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let der = caller.array(der, len)?;
        let out = caller.out(certificate)?;
        out.write(Handle::give(CertificateInfo::from_der(der)?));
        Ok(())
    })
}

/// Frees a certificate made by `ov_certificate_from_der`, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_free(certificate: *mut *mut ov_certificate) -> ov_status {
    plain(|caller| caller.free(certificate))
}

/// The fields of the certificate. The texts live as long as the certificate.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_get_info(
    certificate: *const ov_certificate,
    info: *mut ov_certificate_info,
) -> ov_status {
    plain(|caller| {
        let read = caller.get(certificate)?;
        let out = caller.out(info)?;
        out.write(ov_certificate_info {
            subject: ov_str::of(&read.subject),
            issuer: ov_str::of(&read.issuer),
            serial: ov_str::of(&read.serial),
            not_before: read.not_before.0,
            not_after: read.not_after.0,
            signature_algorithm: ov_str::of(&read.signature_algorithm),
            fingerprint: read.fingerprint,
            is_authority: read.is_authority,
            version: read.version,
        });
        Ok(())
    })
}

/// The public key of the certificate. `OV_ERR_ABSENT` for a type of key that FDO does not have.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_public_key(
    certificate: *const ov_certificate,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let read = caller.get(certificate)?;
        let out = caller.out(key)?;
        out.write(give(present(read.public_key.clone())?));
        Ok(())
    })
}
