//! What a voucher discloses to its holders, and what must not be written.
#![allow(dead_code)] // only C reads the numbers

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::ffi::c_char;

use super::buffer::{List, all};
use super::create::{change, ov_header, ov_new_voucher};
use super::extend::{self, ov_extend_options, ov_extension};
use super::file::asked;
use super::guard::{guard, plain};
use super::handle::{Handle, Refusal, object};
use super::name::{OV_NAMES_DISCLOSURE, name_of};
use super::report::{ov_error, place};
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::Limits;
use ownership_voucher::privacy::{Disclosure, DisclosureKind, PrivacyPolicy};

/// Inherent: every voucher has it, and FDO depends on it.
pub const OV_SEVERITY_INHERENT: i32 = 0;
/// Low: it discloses the technology used.
pub const OV_SEVERITY_LOW: i32 = 1;
/// Medium: it links vouchers of one owner, place or device to each other, or names a service.
pub const OV_SEVERITY_MEDIUM: i32 = 2;
/// High: it names a device, person, company or place in clear text.
pub const OV_SEVERITY_HIGH: i32 = 3;
/// Critical: a usable secret.
pub const OV_SEVERITY_CRITICAL: i32 = 4;

/// A Wi-Fi password in clear text.
pub const OV_DISCLOSURE_WIFI_PASSWORD: i32 = 900;
/// The name of a Wi-Fi network.
pub const OV_DISCLOSURE_WIFI_NAME: i32 = 901;
/// The name of a rendezvous server.
pub const OV_DISCLOSURE_RENDEZVOUS_NAME: i32 = 902;
/// The address of a rendezvous server.
pub const OV_DISCLOSURE_RENDEZVOUS_ADDRESS: i32 = 903;
/// A port of a rendezvous server.
pub const OV_DISCLOSURE_RENDEZVOUS_PORT: i32 = 904;
/// The hash of a server's certificate.
pub const OV_DISCLOSURE_SERVER_CERTIFICATE: i32 = 905;
/// The hash of a CA certificate that clients accept.
pub const OV_DISCLOSURE_CLIENT_CERTIFICATE: i32 = 906;
/// Whether the device asks a person for input.
pub const OV_DISCLOSURE_USER_INPUT: i32 = 907;
/// A rendezvous setting.
pub const OV_DISCLOSURE_RENDEZVOUS_SETTING: i32 = 908;
/// Rendezvous bytes that cannot be decoded and may hold a secret.
pub const OV_DISCLOSURE_RENDEZVOUS_OTHER: i32 = 909;
/// The GUID of the device.
pub const OV_DISCLOSURE_GUID: i32 = 910;
/// A GUID that does not look random.
pub const OV_DISCLOSURE_GUID_NOT_RANDOM: i32 = 911;
/// The device info: the manufacturer's description of the device.
pub const OV_DISCLOSURE_DEVICE_INFO: i32 = 912;
/// Device info that looks like a serial number.
pub const OV_DISCLOSURE_DEVICE_INFO_SERIAL: i32 = 913;
/// The device certificate, a lifelong identity of the device.
pub const OV_DISCLOSURE_DEVICE_CERTIFICATE: i32 = 914;
/// A name in the device certificate.
pub const OV_DISCLOSURE_DEVICE_CERTIFICATE_NAME: i32 = 915;
/// The serial number of the device certificate.
pub const OV_DISCLOSURE_DEVICE_CERTIFICATE_SERIAL: i32 = 916;
/// The date of the device certificate.
pub const OV_DISCLOSURE_DEVICE_CERTIFICATE_DATE: i32 = 917;
/// The issuer of the device certificate.
pub const OV_DISCLOSURE_DEVICE_ISSUER: i32 = 918;
/// The key of the manufacturer.
pub const OV_DISCLOSURE_MANUFACTURER_KEY: i32 = 920;
/// The key of an earlier owner.
pub const OV_DISCLOSURE_EARLIER_OWNER: i32 = 921;
/// The key of the current owner.
pub const OV_DISCLOSURE_CURRENT_OWNER: i32 = 922;
/// A key that appears earlier in the voucher.
pub const OV_DISCLOSURE_REPEATED_OWNER: i32 = 923;
/// A name in a certificate of an owner.
pub const OV_DISCLOSURE_OWNER_NAME: i32 = 924;
/// A certificate of an owner.
pub const OV_DISCLOSURE_OWNER_CERTIFICATE: i32 = 925;
/// The issuer of a certificate of an owner.
pub const OV_DISCLOSURE_OWNER_ISSUER: i32 = 926;
/// A name in a certificate of the manufacturer.
pub const OV_DISCLOSURE_MANUFACTURER_NAME: i32 = 927;
/// A certificate that was not inspected.
pub const OV_DISCLOSURE_UNREAD_CERTIFICATE: i32 = 928;
/// Additional data in an entry.
pub const OV_DISCLOSURE_EXTRA_DATA: i32 = 930;
/// The ephemeral key of a one-time address.
pub const OV_DISCLOSURE_EXTRA_ONE_TIME: i32 = 931;
/// Header fields that FDO does not require.
pub const OV_DISCLOSURE_HEADER_DATA: i32 = 932;
/// The number of sales of the device.
pub const OV_DISCLOSURE_ENTRY_COUNT: i32 = 933;
/// A private key in clear text.
pub const OV_DISCLOSURE_PRIVATE_KEY: i32 = 934;
/// A member of a COSE_Key that does not belong to a public key.
pub const OV_DISCLOSURE_KEY_DATA: i32 = 935;
/// The voucher discloses more than is listed.
pub const OV_DISCLOSURE_MORE_DISCLOSURES: i32 = 949;

/// A list of what a voucher discloses.
pub struct ov_disclosures {
    _private: [u8; 0],
}

object!(ov_disclosures: List<ov_disclosure>, b"ov tells");

/// One disclosure of a voucher. Its texts are C strings and live as long as the list.
#[repr(C)]
pub struct ov_disclosure {
    /// An `OV_DISCLOSURE_` number.
    pub code: i32,
    /// An `OV_SEVERITY_` number.
    pub severity: i32,
    /// The byte offset in the voucher.
    pub offset: u64,
    /// The entry, counted from 0; `OV_NONE` for header, chain or the whole voucher.
    pub entry: u64,
    /// The stable name of the kind.
    pub name: *const c_char,
    /// The disclosed value; secrets are left out unless requested.
    pub value: *const c_char,
    /// A message for people.
    pub message: *const c_char,
    /// What can be done about it.
    pub advice: *const c_char,
}

fn give_disclosures(disclosures: Vec<Disclosure>) -> *mut ov_disclosures {
    let mut list = List::new();
    for found in disclosures {
        let code = i32::from(found.kind.code());
        let disclosure = ov_disclosure {
            code,
            severity: i32::from(found.kind.severity().code()),
            offset: found.offset as u64,
            entry: place(found.entry),
            name: name_of(OV_NAMES_DISCLOSURE, code),
            value: list.text(&found.value),
            message: list.text(&found.to_string()),
            advice: list.text(found.kind.advice()),
        };
        list.push(disclosure);
    }
    Handle::give(list)
}

/// Everything that a voucher discloses to a holder, in the order of the bytes. The voucher is not
/// verified. A Wi-Fi password is listed; its text is given only if `secrets` is set.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_disclosures(
    voucher: *const ov_voucher,
    secrets: bool,
    disclosures: *mut *mut ov_disclosures,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(disclosures)?;
        out.write(give_disclosures(
            voucher.disclosures(&Limits::new(), asked(secrets)),
        ));
        Ok(())
    })
}

/// The disclosures of the voucher that an extension will produce, before it is signed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_disclosures(
    extension: *const ov_extension,
    secrets: bool,
    disclosures: *mut *mut ov_disclosures,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(disclosures)?;
        out.write(give_disclosures(
            waiting.extension.disclosures(asked(secrets))?,
        ));
        Ok(())
    })
}

/// The disclosures of the voucher that a header will produce, before the device computes its HMAC.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_disclosures(
    header: *const ov_header,
    secrets: bool,
    disclosures: *mut *mut ov_disclosures,
) -> ov_status {
    plain(|caller| {
        let header = caller.get(header)?;
        let out = caller.out(disclosures)?;
        out.write(give_disclosures(header.disclosures(asked(secrets))));
        Ok(())
    })
}

/// The disclosures as an array of `count` elements. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn ov_disclosures_all(
    disclosures: *const ov_disclosures,
    count: *mut usize,
) -> *const ov_disclosure {
    all(|caller| Ok(caller.get(disclosures)?.items()), count)
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_disclosures_free(disclosures: *mut *mut ov_disclosures) -> ov_status {
    plain(|caller| caller.free(disclosures))
}

fn kind(code: i32) -> Result<DisclosureKind, Refusal> {
    let mut kinds = DisclosureKind::ALL.iter();
    let found = kinds.find(|kind| i32::from(kind.code()) == code);
    found
        .copied()
        .ok_or(Refusal::argument("an unknown kind of disclosure"))
}

/// Adds one kind to the policy, or everything that is strict for 0.
fn stricter(policy: PrivacyPolicy, code: i32) -> Result<PrivacyPolicy, Refusal> {
    if code != 0 {
        return Ok(policy.refuse(kind(code)?));
    }
    let strict = PrivacyPolicy::strict();
    let kinds = DisclosureKind::ALL.iter().copied();
    Ok(kinds
        .filter(|kind| strict.refuses(*kind))
        .fold(policy, PrivacyPolicy::refuse))
}

/// Refuses extensions that would disclose this: an `OV_DISCLOSURE_` number, or 0 for everything
/// that the writer of a voucher can leave out. `ov_verified_extend` and the hand-overs then fail
/// with `OV_ERR_DISCLOSURE`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extend_options_refuse_disclosure(
    options: *mut ov_extend_options,
    code: i32,
) -> ov_status {
    plain(|caller| {
        let options = caller.get_mut(options)?;
        let policy = stricter(options.privacy(), code)?;
        extend::change(options, |options| options.with_privacy(policy));
        Ok(())
    })
}

/// Refuses new vouchers that would disclose this: an `OV_DISCLOSURE_` number, or 0 for everything
/// that the writer of a voucher can leave out. Each call replaces the previous one.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_refuse_disclosures(
    new_voucher: *mut ov_new_voucher,
    codes: *const i32,
    count: usize,
) -> ov_status {
    plain(|caller| {
        let codes = caller.array(codes, count)?;
        let policy = codes
            .iter()
            .try_fold(PrivacyPolicy::new(), |policy, code| stricter(policy, *code))?;
        let held = caller.get_mut(new_voucher)?;
        change(held, |new| new.with_privacy(policy));
        Ok(())
    })
}
