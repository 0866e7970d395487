//! Trusted certificates, and the fields of one certificate.

use alloc::sync::Arc;
use core::ffi::c_char;

use super::buffer::List;
use super::guard::{guard, plain, value};
use super::handle::{Handle, at, index, object, present};
use super::key::{OV_FINGERPRINT_BYTES, give, ov_public_key};
use super::report::ov_error;
use super::slice::ov_slice;
use super::status::ov_status;
use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::file::PemBlocks;
use ownership_voucher::{Error, ErrorKind, Roots};

/// Certificates that the caller trusts. A certificate marked as a CA vouches for what it
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
/// refused with `OV_ERR_CERTIFICATE_REVOKED`. A path over the CA of that list is refused in
/// the same way if the list was signed neither by that CA nor by another known CA of
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

/// Adds every certificate (`CERTIFICATE`) and every revocation list (`X509 CRL`) among the PEM blocks of a
/// text. `count`, which may be NULL, is set to how many blocks those were. `OV_ERR_BAD_ARGUMENT` if there
/// are none; after any failure nothing is added.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_add_pem(
    roots: *mut ov_roots,
    text: *const u8,
    len: usize,
    count: *mut u64,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let roots = caller.get_mut(roots)?;
        let text = caller.array(text, len)?;
        let out = caller.maybe_out(count)?;
        let (mut more, mut added) = ((**roots).clone(), 0_u64);
        for block in PemBlocks::new(text) {
            let block = block?;
            match block.label() {
                "CERTIFICATE" => more.add_der(&block.decode()?)?,
                "X509 CRL" => more.add_crl_der(&block.decode()?)?,
                _ => continue,
            }
            added = added.saturating_add(1);
        }
        if added == 0 {
            let wanted = "a CERTIFICATE or X509 CRL in PEM expected";
            return Err(Error::because(ErrorKind::BadArgument, wanted).into());
        }
        *roots = Arc::new(more);
        out.map(|out| out.write(added));
        Ok(())
    })
}

/// The number of certificates.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_len(roots: *const ov_roots) -> u64 {
    value(0, |caller| {
        let roots = caller.get(roots)?;
        Ok(roots.len() as u64)
    })
}

/// The certificate with this number in DER, in the order of addition; NULL with length 0 past the last. It
/// lives until the set is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_roots_get(roots: *const ov_roots, number: u64) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let roots = caller.get(roots)?;
        Ok(ov_slice::of(at(roots.iter().nth(index(number)?))?))
    })
}

/// A parsed certificate.
pub struct ov_certificate {
    _private: [u8; 0],
}

/// The contents of an `ov_certificate`.
pub(super) struct Certificate {
    info: CertificateInfo,
    texts: List<ov_certificate_info>,
}

object!(ov_certificate: Certificate, b"ov certi");

/// The fields of a certificate. None of them has been verified. Texts are C strings and live as long as the
/// certificate.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_certificate_info {
    /// The subject in the form of RFC 4514; control characters are escaped.
    pub subject: *const c_char,
    /// The issuer, in the same form.
    pub issuer: *const c_char,
    /// The serial number in hexadecimal.
    pub serial: *const c_char,
    /// Start of validity, in seconds since 1970.
    pub not_before: u64,
    /// End of validity, in seconds since 1970 (inclusive).
    pub not_after: u64,
    /// The name of the signature algorithm, or its OID if it has no name here.
    pub signature_algorithm: *const c_char,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; OV_FINGERPRINT_BYTES],
    /// Whether it is marked as a CA.
    pub is_ca: bool,
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
        out.write(Handle::give(certificate_of(CertificateInfo::from_der(
            der,
        )?)));
        Ok(())
    })
}

/// Frees a certificate made by `ov_certificate_from_der`, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_free(certificate: *mut *mut ov_certificate) -> ov_status {
    plain(|caller| caller.free(certificate))
}

fn certificate_of(read: CertificateInfo) -> Certificate {
    let mut texts = List::new();
    let info = ov_certificate_info {
        subject: texts.text(&read.subject),
        issuer: texts.text(&read.issuer),
        serial: texts.text(&read.serial),
        not_before: read.not_before.0,
        not_after: read.not_after.0,
        signature_algorithm: texts.text(&read.signature_algorithm),
        fingerprint: read.fingerprint,
        is_ca: read.is_ca,
        version: read.version,
    };
    texts.push(info);
    Certificate { info: read, texts }
}

/// The fields of the certificate; NULL for a wrong handle. They live as long as the certificate.
#[unsafe(no_mangle)]
pub extern "C" fn ov_certificate_fields(
    certificate: *const ov_certificate,
) -> *const ov_certificate_info {
    value(core::ptr::null(), |caller| {
        let read = caller.get(certificate)?;
        Ok(core::ptr::from_ref(present(read.texts.items().first())?))
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
        out.write(give(present(read.info.public_key.clone())?));
        Ok(())
    })
}
