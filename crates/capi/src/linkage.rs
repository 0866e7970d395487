//! Links between the vouchers of a collection.
#![allow(dead_code)] // only C reads the numbers

use alloc::vec::Vec;
use core::ffi::c_char;

use super::buffer::{List, all};
use super::guard::{guard, plain};
use super::handle::{Handle, Refusal, at, index, object, present};
use super::name::{OV_NAMES_LINK, name_of};
use super::report::ov_error;
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::privacy::{LinkKind, Linkage, Linker};

/// The same current owner.
pub const OV_LINK_CURRENT_OWNER: i32 = 950;
/// The same key among the owners.
pub const OV_LINK_OWNER_KEY: i32 = 951;
/// The same issuer of an owner's certificate.
pub const OV_LINK_OWNER_ISSUER: i32 = 952;
/// The same additional data.
pub const OV_LINK_EXTRA_DATA: i32 = 953;
/// The same manufacturer key.
pub const OV_LINK_MANUFACTURER: i32 = 960;
/// The same issuer of the device certificate.
pub const OV_LINK_DEVICE_ISSUER: i32 = 961;
/// The same device certificate.
pub const OV_LINK_DEVICE_CERTIFICATE: i32 = 962;
/// Neighbouring serial numbers of device certificates.
pub const OV_LINK_DEVICE_SERIALS: i32 = 963;
/// The same device info.
pub const OV_LINK_DEVICE_INFO: i32 = 964;
/// The same rendezvous server.
pub const OV_LINK_RENDEZVOUS: i32 = 965;
/// The same Wi-Fi network.
pub const OV_LINK_WIFI: i32 = 966;
/// The same GUID.
pub const OV_LINK_GUID: i32 = 967;
/// Similar GUIDs.
pub const OV_LINK_GUID_NEIGHBOURS: i32 = 968;

/// Collects what links the vouchers of a collection. Vouchers are numbered from 0 in the order of
/// addition, and may be freed afterwards.
pub struct ov_linker {
    _private: [u8; 0],
}

object!(ov_linker: Option<Linker>, b"ov linkr");

/// The bytes of the key of a collection.
pub const OV_LINKER_KEY_BYTES: usize = 32;

/// Begins a collection. `key` is 32 random bytes, fresh for each collection. Marks of values that a
/// dictionary could guess are computed with this key. `OV_ERR_BAD_CALL` for another number of
/// bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linker_new(
    key: *const u8,
    len: usize,
    linker: *mut *mut ov_linker,
) -> ov_status {
    plain(|caller| {
        let key = caller.array(key, len)?;
        let out = caller.out(linker)?;
        let wrong = Refusal::argument("the key of a collection has 32 bytes");
        let key: [u8; OV_LINKER_KEY_BYTES] = key.try_into().map_err(|_| wrong)?;
        out.write(Handle::give(Some(Linker::new(key))));
        Ok(())
    })
}

/// Adds a voucher without verifying it. `number` may be NULL. `OV_ERR_ABSENT` after
/// `ov_linker_finish`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linker_add(
    linker: *mut ov_linker,
    voucher: *const ov_voucher,
    number: *mut u64,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.maybe_out(number)?;
        let linker = present(caller.get_mut(linker)?.as_mut())?;
        let added = linker.add(voucher)?;
        if let Some(out) = out {
            out.write(added as u64);
        }
        Ok(())
    })
}

/// Computes the links between the vouchers. The linker is empty afterwards and must still be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linker_finish(
    linker: *mut ov_linker,
    linkage: *mut *mut ov_linkage,
) -> ov_status {
    plain(|caller| {
        let out = caller.out(linkage)?;
        let linker = present(caller.get_mut(linker)?.take())?;
        out.write(Handle::give(links(linker.finish())));
        Ok(())
    })
}

/// Frees a linker and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linker_free(linker: *mut *mut ov_linker) -> ov_status {
    plain(|caller| caller.free(linker))
}

/// The links between the vouchers of a collection.
pub struct ov_linkage {
    _private: [u8; 0],
}

/// The contents of an `ov_linkage`.
pub(super) struct Links {
    linkage: Linkage,
    groups: List<ov_group>,
}

object!(ov_linkage: Links, b"ov links");

/// Totals of a collection.
#[repr(C)]
pub struct ov_linkage_summary {
    /// The number of vouchers.
    pub vouchers: u64,
    /// The number of groups of vouchers that have something in common.
    pub groups: u64,
    /// The number of different keys that currently own a voucher.
    pub owner_keys: u64,
    /// The number of vouchers whose owner's key also appears in another voucher.
    pub linked_owners: u64,
    /// The smallest anonymity set of an owner.
    pub smallest_anonymity_set: u64,
}

/// The totals of a collection.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_info(
    linkage: *const ov_linkage,
    summary: *mut ov_linkage_summary,
) -> ov_status {
    plain(|caller| {
        let linkage = &caller.get(linkage)?.linkage;
        caller.out(summary)?.write(ov_linkage_summary {
            vouchers: linkage.vouchers() as u64,
            groups: linkage.groups().len() as u64,
            owner_keys: linkage.owner_keys() as u64,
            linked_owners: linkage.linked_owners() as u64,
            smallest_anonymity_set: linkage.smallest_anonymity_set() as u64,
        });
        Ok(())
    })
}

/// The bytes of the mark of a group.
pub const OV_MARK_BYTES: usize = 32;

/// Vouchers that have something in common.
#[repr(C)]
pub struct ov_group {
    /// An `OV_LINK_` number.
    pub code: i32,
    /// The number of vouchers, at least two.
    pub size: u64,
    /// The first voucher of the group.
    pub first: u64,
    /// The common value: the SHA-256 of a key's SubjectPublicKeyInfo or of a certificate; for other
    /// kinds a hash under the key of the collection.
    pub mark: [u8; OV_MARK_BYTES],
    /// The stable name of the kind, a C string.
    pub name: *const c_char,
    /// The common value as text, a C string; empty if it has no text.
    pub text: *const c_char,
}

fn links(linkage: Linkage) -> Links {
    let mut groups = List::new();
    for found in linkage.groups() {
        let code = i32::from(found.kind.code());
        let group = ov_group {
            code,
            size: found.size as u64,
            first: found.first as u64,
            mark: found.mark,
            name: name_of(OV_NAMES_LINK, code),
            text: groups.text(found.text.as_deref().unwrap_or_default()),
        };
        groups.push(group);
    }
    Links { linkage, groups }
}

/// The groups as an array of `count` elements, sorted by kind, the largest of a kind first. It lives as
/// long as the linkage.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_groups(
    linkage: *const ov_linkage,
    count: *mut usize,
) -> *const ov_group {
    all(|caller| Ok(caller.get(linkage)?.groups.items()), count)
}

/// The number of groups of a voucher, and the size of its owner's anonymity set. The set consists
/// of the vouchers whose owners share no key with other vouchers and that look like this one in all
/// else; its size is 1 if the owner's key appears in another voucher. Either parameter may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_voucher(
    linkage: *const ov_linkage,
    voucher: u64,
    groups: *mut u64,
    anonymity_set: *mut u64,
) -> ov_status {
    plain(|caller| {
        let linkage = &caller.get(linkage)?.linkage;
        let (groups, anonymity_set) = (caller.maybe_out(groups)?, caller.maybe_out(anonymity_set)?);
        let voucher = index(voucher)?;
        at((voucher < linkage.vouchers()).then_some(()))?;
        if let Some(out) = groups {
            out.write(linkage.groups_of(voucher).len() as u64);
        }
        if let Some(out) = anonymity_set {
            out.write(linkage.anonymity_set(voucher) as u64);
        }
        Ok(())
    })
}

/// The number of one of the groups that a voucher belongs to.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_group_of(
    linkage: *const ov_linkage,
    voucher: u64,
    number: u64,
    group: *mut u64,
) -> ov_status {
    plain(|caller| {
        let linkage = &caller.get(linkage)?.linkage;
        let out = caller.out(group)?;
        let group = linkage.groups_of(index(voucher)?).nth(index(number)?);
        out.write(at(group)? as u64);
        Ok(())
    })
}

/// Writes for each voucher the first voucher that is linked to it, directly or through others, by
/// groups of these kinds (`OV_LINK_` numbers). `room` is the number of elements that can be
/// written; it must be the number of vouchers.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_clusters(
    linkage: *const ov_linkage,
    codes: *const i32,
    count: usize,
    clusters: *mut u64,
    room: usize,
) -> ov_status {
    plain(|caller| {
        let linkage = &caller.get(linkage)?.linkage;
        let codes = caller.array(codes, count)?;
        let outs = caller.outs(clusters, room)?;
        let kinds = codes.iter().map(|code| {
            let mut kinds = LinkKind::ALL.iter();
            let found = kinds.find(|kind| i32::from(kind.code()) == *code);
            let unknown = Refusal::argument("an unknown kind of link");
            found.copied().ok_or(unknown)
        });
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        if room != linkage.vouchers() {
            return Err(Refusal::argument("room for another number of vouchers"));
        }
        for (out, cluster) in outs.iter_mut().zip(linkage.clusters(&kinds)) {
            out.write(cluster as u64);
        }
        Ok(())
    })
}

/// Frees a linkage and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_linkage_free(linkage: *mut *mut ov_linkage) -> ov_status {
    plain(|caller| caller.free(linkage))
}
