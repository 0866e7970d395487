//! Copies of one voucher that forked.

use alloc::vec::Vec;

use super::guard::plain;
use super::handle::{Handle, at, index, object, present};
use super::key::{give, ov_public_key};
use super::report::{OV_NONE, place};
use super::status::ov_status;
use super::verify::ov_verified;
use ownership_voucher::transfer::{Fork, Relation, find_forks, relation};

/// Different GUIDs.
pub const OV_RELATION_UNRELATED: i32 = 0;
/// The same state of ownership.
pub const OV_RELATION_SAME: i32 = 1;
/// The first is an older state of the second.
pub const OV_RELATION_OLDER: i32 = 2;
/// The first is a newer state of the second.
pub const OV_RELATION_NEWER: i32 = 3;
/// The same GUID with two different headers.
pub const OV_RELATION_OTHER_HEADER: i32 = 4;
/// Two different continuations of a common state: the device was sold twice.
pub const OV_RELATION_FORKED: i32 = 5;

/// The relation of `a` to `b`: an `OV_RELATION_` number. For a fork, `entry` is the first entry
/// that differs and `signer` the key that signed both; otherwise they are `OV_NONE` and NULL. Both
/// parameters may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_relation(
    a: *const ov_verified,
    b: *const ov_verified,
    kind: *mut i32,
    entry: *mut u64,
    signer: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let (a, b) = (caller.get(a)?, caller.get(b)?);
        let out = caller.out(kind)?;
        let (out_entry, out_signer) = (caller.maybe_out(entry)?, caller.maybe_out(signer)?);
        let (code, entry, signer) = match relation(&a.voucher, &b.voucher) {
            Relation::Unrelated => (OV_RELATION_UNRELATED, OV_NONE, None),
            Relation::Same => (OV_RELATION_SAME, OV_NONE, None),
            Relation::Older => (OV_RELATION_OLDER, OV_NONE, None),
            Relation::Newer => (OV_RELATION_NEWER, OV_NONE, None),
            Relation::OtherHeader => (OV_RELATION_OTHER_HEADER, OV_NONE, None),
            Relation::Forked { entry, signer } => (OV_RELATION_FORKED, entry as u64, Some(signer)),
        };
        out.write(code);
        if let Some(out) = out_entry {
            out.write(entry);
        }
        if let Some(out) = out_signer {
            out.write(signer.map_or(core::ptr::null_mut(), give));
        }
        Ok(())
    })
}

/// A list of forks.
pub struct ov_forks {
    _private: [u8; 0],
}

object!(ov_forks: Vec<Fork>, b"ov forks");

/// Two vouchers of a list that forked.
#[repr(C)]
pub struct ov_fork {
    /// The GUID of the device.
    pub guid: [u8; 16],
    /// Index of one voucher in the list.
    pub first: u64,
    /// Index of the other voucher.
    pub second: u64,
    /// The first entry that differs; `OV_NONE` if the headers differ.
    pub entry: u64,
}

/// Every fork among `count` verified vouchers.
#[unsafe(no_mangle)]
pub extern "C" fn ov_find_forks(
    vouchers: *const *const ov_verified,
    count: usize,
    forks: *mut *mut ov_forks,
) -> ov_status {
    plain(|caller| {
        let vouchers = caller.all(vouchers, count)?;
        let out = caller.out(forks)?;
        let copies = vouchers.iter().map(|held| (*held.voucher).clone());
        let copies: Vec<_> = copies.collect();
        out.write(Handle::give(find_forks(&copies)));
        Ok(())
    })
}

/// The number of forks.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_len(forks: *const ov_forks, len: *mut u64) -> ov_status {
    plain(|caller| {
        let forks = caller.get(forks)?;
        caller.out(len)?.write(forks.len() as u64);
        Ok(())
    })
}

/// The fork with this number, counted from 0.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_get(
    forks: *const ov_forks,
    number: u64,
    fork: *mut ov_fork,
) -> ov_status {
    plain(|caller| {
        let forks = caller.get(forks)?;
        let out = caller.out(fork)?;
        let found = at(forks.get(index(number)?))?;
        out.write(ov_fork {
            guid: found.guid.0,
            first: found.first as u64,
            second: found.second as u64,
            entry: place(found.entry),
        });
        Ok(())
    })
}

/// The key that signed both entries of a fork; `OV_ERR_ABSENT` if the headers differ.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_signer(
    forks: *const ov_forks,
    number: u64,
    signer: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let forks = caller.get(forks)?;
        let out = caller.out(signer)?;
        let found = at(forks.get(index(number)?))?;
        out.write(give(present(found.signer.clone())?));
        Ok(())
    })
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_free(forks: *mut *mut ov_forks) -> ov_status {
    plain(|caller| caller.free(forks))
}
