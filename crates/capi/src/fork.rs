//! Copies of one voucher that forked.

use alloc::vec::Vec;

use super::buffer::all;
use super::guard::plain;
use super::handle::{Handle, at, index, object, present};
use super::key::{give, ov_public_key};
use super::name::OV_GUID_BYTES;
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

/// The contents of an `ov_forks`.
pub(super) struct Forks {
    found: Vec<Fork>,
    items: Vec<ov_fork>,
}

object!(ov_forks: Forks, b"ov forks");

/// Two vouchers of a list that forked.
#[repr(C)]
pub struct ov_fork {
    /// The GUID of the device.
    pub guid: [u8; OV_GUID_BYTES],
    /// Index of one voucher in the list.
    pub first: u64,
    /// Index of the other voucher.
    pub second: u64,
    /// The first entry that differs; `OV_NONE` if the headers differ.
    pub entry: u64,
}

/// Every fork among `count` verified vouchers. NULL among them is passed over, so that the handles of
/// `ov_batch_verify` can be given as they are.
#[unsafe(no_mangle)]
pub extern "C" fn ov_find_forks(
    vouchers: *const *const ov_verified,
    count: usize,
    forks: *mut *mut ov_forks,
) -> ov_status {
    plain(|caller| {
        let vouchers = caller.array(vouchers, count)?;
        let out = caller.out(forks)?;
        let (mut copies, mut numbers) = (Vec::new(), Vec::new());
        for (number, &voucher) in vouchers.iter().enumerate() {
            if let Some(held) = caller.maybe(voucher)? {
                copies.push((*held.voucher).clone());
                numbers.push(number as u64);
            }
        }
        let found = find_forks(&copies);
        let number = |place: usize| numbers.get(place).copied().unwrap_or(OV_NONE);
        let items = found.iter().map(|fork| ov_fork {
            guid: fork.guid.0,
            first: number(fork.first),
            second: number(fork.second),
            entry: place(fork.entry),
        });
        let items = items.collect();
        out.write(Handle::give(Forks { found, items }));
        Ok(())
    })
}

/// The forks as an array of `count` elements. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_all(forks: *const ov_forks, count: *mut usize) -> *const ov_fork {
    all(|caller| Ok(&*caller.get(forks)?.items), count)
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
        let found = at(forks.found.get(index(number)?))?;
        out.write(give(present(found.signer.clone())?));
        Ok(())
    })
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_forks_free(forks: *mut *mut ov_forks) -> ov_status {
    plain(|caller| caller.free(forks))
}
