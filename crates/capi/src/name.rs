//! Names of numbers, versions, and times.

use core::ffi::c_char;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Refusal};
use super::names::{
    ALGORITHMS, ALLOWANCES, DISPOSITIONS, ENCODINGS, HASHES, KEY_TYPES, PERMISSIONS,
};
use super::report::ov_error;
use super::status::{BOUNDARY, OV_OK, ov_status};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::privacy::{DisclosureKind, LinkKind};
use ownership_voucher::voucher::RvVariable;
use ownership_voucher::{ErrorKind, Guid, UnixTime};

/// The version of this header; `ov_version` gives that of the library.
pub const OV_VERSION_MAJOR: u32 = 0;
/// The minor version. Before 1.0 it counts changes of the ABI, as does the SONAME.
pub const OV_VERSION_MINOR: u32 = 1;
/// The patch version.
pub const OV_VERSION_PATCH: u32 = 0;
/// The version in one number, for comparisons: 65536 times major, 256 times minor, patch.
pub const OV_VERSION_NUMBER: u32 = 0x0000_0100;

const fn is(number: u32, text: &str) -> bool {
    matches!(u32::from_str_radix(text, 10), Ok(found) if found == number)
}

// Does not compile if the numbers are not those of the package.
const _: [(); 1] = [(); (is(OV_VERSION_MAJOR, env!("CARGO_PKG_VERSION_MAJOR"))
    && is(OV_VERSION_MINOR, env!("CARGO_PKG_VERSION_MINOR"))
    && is(OV_VERSION_PATCH, env!("CARGO_PKG_VERSION_PATCH"))
    && OV_VERSION_NUMBER == (OV_VERSION_MAJOR << 16 | OV_VERSION_MINOR << 8 | OV_VERSION_PATCH))
    as usize];

/// Names of statuses, such as `signature-invalid`: those of `ov_status_name`.
pub const OV_NAMES_STATUS: i32 = 1;
/// Names of findings, such as `untagged-entry`.
pub const OV_NAMES_FINDING: i32 = 2;
/// Names of allowances, such as `legacy-untagged`.
pub const OV_NAMES_ALLOWANCE: i32 = 3;
/// Names of signature algorithms in COSE, such as `ES256`.
pub const OV_NAMES_ALGORITHM: i32 = 4;
/// Names of key types in FDO, such as `SECP256R1`.
pub const OV_NAMES_KEY: i32 = 5;
/// Names of key encodings in FDO, such as `X5CHAIN`.
pub const OV_NAMES_ENCODING: i32 = 6;
/// Names of hashes, such as `SHA-256`.
pub const OV_NAMES_HASH: i32 = 7;
/// Names of rendezvous variables in FDO, such as `RVDns`.
pub const OV_NAMES_RV_VARIABLE: i32 = 8;
/// Names of disclosures, such as `wifi-password`.
pub const OV_NAMES_DISCLOSURE: i32 = 9;
/// Names of links between vouchers, such as `current-owner`.
pub const OV_NAMES_LINK: i32 = 10;
/// Names of permissions of delegates, such as `redirect`.
pub const OV_NAMES_PERMISSION: i32 = 11;
/// Names of what becomes of a device's credentials in FDO 2.0, such as `resale`.
pub const OV_NAMES_DISPOSITION: i32 = 12;

/// The bytes of a GUID.
pub const OV_GUID_BYTES: usize = 16;
/// The bytes of the longest IP address, one of version 6.
pub const OV_IP_BYTES: usize = 16;
/// The bytes of a GUID as text, with its zero at the end.
pub const OV_GUID_TEXT_BYTES: usize = 37;

/// 9999-12-31T23:59:59Z.
const END_OF_RFC_3339: u64 = 253_402_300_799;

/// Room for the longest name and its zero.
const NAME: usize = 40;

/// A number and its name, with a zero at the end.
type Named = (i32, [u8; NAME]);

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which reports what is out of range"
)]
mod tables {
    use super::*;

    const fn name(text: &str) -> [u8; NAME] {
        let text = text.as_bytes();
        let (mut name, mut at) = ([0; NAME], 0);
        while at < text.len() {
            name[at] = text[at];
            at += 1;
        }
        // A name without room for its zero does not compile.
        name[at] = 0;
        name
    }

    macro_rules! table {
        ($name:ident: $all:expr, $item:pat => $code:expr, $text:expr) => {
            pub(super) static $name: [Named; $all.len()] = {
                let (mut table, mut at) = ([(0, [0; NAME]); $all.len()], 0);
                while at < table.len() {
                    let $item = $all[at];
                    table[at] = ($code, name($text));
                    at += 1;
                }
                table
            };
        };
    }

    table!(ERRORS: ErrorKind::ALL, kind => kind.code() as i32, kind.name());
    table!(CALLS: BOUNDARY, (code, text, _) => code, text);
    table!(FINDING: FindingKind::ALL, kind => kind.code() as i32, kind.name());
    table!(ALLOWANCE: ALLOWANCES, (code, allowance) => code, allowance.name());
    table!(ALGORITHM: ALGORITHMS, (code, algorithm) => code, algorithm.name());
    table!(KEY: KEY_TYPES, (code, key_type) => code, key_type.name());
    table!(ENCODING: ENCODINGS, (code, encoding) => code, encoding.name());
    table!(HASH: HASHES, (code, hash) => code, hash.name());
    table!(VARIABLE: RvVariable::ALL, variable => variable.code() as i32, variable.name());
    table!(DISCLOSURE: DisclosureKind::ALL, kind => kind.code() as i32, kind.name());
    table!(LINK: LinkKind::ALL, kind => kind.code() as i32, kind.name());
    table!(PERMISSION: PERMISSIONS, (code, permission) => code, permission.name());
    table!(DISPOSITION: DISPOSITIONS, (code, disposition) => code, disposition.name());
}

/// The numbers of this kind and their names, in two parts.
fn tables(names: i32) -> Result<(&'static [Named], &'static [Named]), Refusal> {
    Ok(match names {
        OV_NAMES_STATUS => (&tables::ERRORS, &tables::CALLS),
        OV_NAMES_FINDING => (&tables::FINDING, &[]),
        OV_NAMES_ALLOWANCE => (&tables::ALLOWANCE, &[]),
        OV_NAMES_ALGORITHM => (&tables::ALGORITHM, &[]),
        OV_NAMES_KEY => (&tables::KEY, &[]),
        OV_NAMES_ENCODING => (&tables::ENCODING, &[]),
        OV_NAMES_HASH => (&tables::HASH, &[]),
        OV_NAMES_RV_VARIABLE => (&tables::VARIABLE, &[]),
        OV_NAMES_DISCLOSURE => (&tables::DISCLOSURE, &[]),
        OV_NAMES_LINK => (&tables::LINK, &[]),
        OV_NAMES_PERMISSION => (&tables::PERMISSION, &[]),
        OV_NAMES_DISPOSITION => (&tables::DISPOSITION, &[]),
        _ => return Err(Refusal::argument("an unknown kind of names")),
    })
}

/// The name of a number as a C string that lives as long as the library; `unknown` if there is none.
pub(super) fn name_of(names: i32, code: i32) -> *const c_char {
    let found = tables(names).ok().and_then(|(first, second)| {
        let mut all = first.iter().chain(second);
        all.find(|(known, _)| *known == code)
    });
    match found {
        Some((_, name)) => name.as_ptr().cast(),
        None if names == OV_NAMES_STATUS && code == OV_OK => c"ok".as_ptr(),
        None => c"unknown".as_ptr(),
    }
}

/// The stable name of a number, a C string: `ov_name(OV_NAMES_ALGORITHM, -7)` is `ES256`. `unknown` for a
/// number without a name. It lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn ov_name(names: i32, code: i32) -> *const c_char {
    value(c"unknown".as_ptr(), |_| Ok(name_of(names, code)))
}

/// The number with this name: what `ov_name` has in reverse.
#[unsafe(no_mangle)]
pub extern "C" fn ov_number(
    names: i32,
    name: *const c_char,
    len: usize,
    code: *mut i32,
) -> ov_status {
    plain(|caller| {
        let wanted = caller.text(name, len)?.as_bytes();
        let out = caller.out(code)?;
        let (first, second) = tables(names)?;
        let mut all = first.iter().chain(second);
        let found = all.find(|(_, name)| name.split(|byte| *byte == 0).next() == Some(wanted));
        let (code, _) = found.ok_or(Refusal::argument("a name that has no number"))?;
        out.write(*code);
        Ok(())
    })
}

/// The stable name of a status, such as `signature-invalid`, a C string: lower case with dashes. `ok` for
/// `OV_OK`, `unknown` for an undefined number. It lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn ov_status_name(status: ov_status) -> *const c_char {
    ov_name(OV_NAMES_STATUS, status)
}

/// The version of this library, such as `0.1.0`, a C string.
#[unsafe(no_mangle)]
pub extern "C" fn ov_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The version of this library in one number, as `OV_VERSION_NUMBER` is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn ov_version_number() -> u32 {
    OV_VERSION_NUMBER
}

/// Writes a text and a zero to room for `N` bytes.
pub(super) fn write_text<const N: usize>(
    caller: &Caller,
    out: *mut c_char,
    text: &str,
) -> Result<(), Refusal> {
    let room = caller.outs(out.cast::<u8>(), N)?;
    let bytes = text.bytes().chain(core::iter::repeat(0));
    room.iter_mut().zip(bytes).for_each(|(to, from)| {
        to.write(from);
    });
    Ok(())
}

/// A GUID as text, with a zero at the end: 32 digits as in reports and file names, or with dashes in
/// groups of 8, 4, 4, 4 and 12 digits.
#[unsafe(no_mangle)]
pub extern "C" fn ov_guid_text(guid: *const u8, dashes: bool, text: *mut c_char) -> ov_status {
    plain(|caller| {
        let guid = Guid(caller.fixed(guid)?);
        match dashes {
            true => write_text::<OV_GUID_TEXT_BYTES>(
                caller,
                text,
                &alloc::format!("{}", guid.hyphenated()),
            ),
            false => write_text::<OV_GUID_TEXT_BYTES>(caller, text, &alloc::format!("{guid}")),
        }
    })
}

/// Converts a time in RFC 3339, such as `2026-11-23T09:30:00Z`, to seconds since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn ov_time_parse(
    text: *const c_char,
    len: usize,
    seconds: *mut u64,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let text = caller.text(text, len)?;
        let out = caller.out(seconds)?;
        out.write(UnixTime::from_rfc3339(text)?.0);
        Ok(())
    })
}

/// Converts seconds since 1970 to a time in RFC 3339, UTC. Past the year 9999, which is the last that RFC 3339
/// can say, it gives `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_time_format(seconds: u64, text: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| {
        let out = caller.out(text)?;
        if seconds > END_OF_RFC_3339 {
            return Err(Refusal::argument("a time past the year 9999"));
        }
        let text = alloc::format!("{}", UnixTime(seconds));
        out.write(buffer(text.into_bytes()));
        Ok(())
    })
}
