//! The one-time keys of an owner, and the place of each.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::derive::check_order;
use ownership_voucher::{Error, ErrorKind, PublicKey};

/// The maximum number of keys in a book.
const KEYS: usize = 1 << 26;

/// The origin of a key: the arguments of [`MasterSecret::key`](super::MasterSecret::key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place<'b> {
    /// The order.
    pub order: &'b str,
    /// The number of the key in the order.
    pub index: u32,
}

/// Public keys that were given to sellers, used to find vouchers when they arrive.
///
/// It holds no secret, so a warehouse can have one. It needs about 50 bytes for each key, and the
/// names of the orders. A search takes one hash and usually one table access, for any number of
/// keys.
#[derive(Clone, Default)]
pub struct KeyBook {
    orders: Vec<Box<str>>,
    entries: Vec<Entry>,
    /// Hash table of entries by the first bytes of their fingerprint, with two to four times as
    /// many slots as entries. 0 is a free slot; otherwise a slot holds the number of the entry plus
    /// one. The keys are hashed, and the makers of vouchers do not choose what is stored here.
    ///
    /// It is no crate, because nothing is ever removed and keys are hashes already: what remains are the
    /// thirty lines below, and `alloc` has no hash table. `hashbrown` would need a little less memory.
    table: Vec<u32>,
}

#[derive(Clone)]
struct Entry {
    /// SHA-256 of the SubjectPublicKeyInfo.
    fingerprint: [u8; 32],
    order: u32,
    index: u32,
}

impl KeyBook {
    /// An empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the keys of an order whose numbers start at `first`, as
    /// [`MasterSecret::public_keys`](super::MasterSecret::public_keys) returns them. A key that is
    /// already in the book keeps its place.
    ///
    /// # Errors
    /// [`ErrorKind::BadCall`] for an order of more than 64 bytes, numbers beyond 2^32 or more than
    /// 2^26 keys. The book is then unchanged.
    pub fn add(&mut self, order: &str, first: u32, keys: &[PublicKey]) -> Result<(), Error> {
        check_order(order)?;
        let total = self.entries.len().saturating_add(keys.len());
        if total > KEYS {
            let (found, wanted) = (total as u64, KEYS as u64);
            return Err(Error::count(ErrorKind::BadCall, found, wanted, "keys"));
        }
        let last = u32::try_from(keys.len().saturating_sub(1));
        // An order may be added in parts.
        let known = self.orders.last().is_some_and(|last| **last == *order);
        let orders = u32::try_from(self.orders.len().saturating_sub(usize::from(known)));
        let (Some(_), Ok(number)) = (last.ok().and_then(|last| first.checked_add(last)), orders)
        else {
            return Err(Error::because(ErrorKind::BadCall, "numbers past 2^32"));
        };
        if !known {
            self.orders.push(order.into());
        }
        self.reserve(total);
        for (index, key) in (first..=u32::MAX).zip(keys) {
            let entry = Entry {
                fingerprint: key.fingerprint(),
                order: number,
                index,
            };
            self.insert(entry);
        }
        Ok(())
    }

    /// The place of this key; `None` if the key is not in the book.
    #[must_use]
    pub fn find(&self, owner: &PublicKey) -> Option<Place<'_>> {
        let fingerprint = owner.fingerprint();
        let entry = self.probe(&fingerprint).find_map(|(_, number)| {
            let entry = self.entry(number?)?;
            (entry.fingerprint == fingerprint).then_some(entry)
        })?;
        let order = self.orders.get(usize::try_from(entry.order).ok()?)?;
        Some(Place {
            order,
            index: entry.index,
        })
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the book is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(number).ok()?)
    }

    /// The slots of the table in which this fingerprint may be, up to the first free one, with the
    /// entries there.
    fn probe(
        &self,
        fingerprint: &[u8; 32],
    ) -> impl Iterator<Item = (usize, Option<u32>)> + use<'_> {
        let [a, b, c, d, ..] = *fingerprint;
        let start = u32::from_le_bytes([a, b, c, d]) as usize;
        // The length is a power of two, or there is no table.
        let mask = self.table.len().saturating_sub(1);
        let mut done = self.table.is_empty();
        (0..self.table.len()).map_while(move |step| {
            if done {
                return None;
            }
            let place = start.wrapping_add(step) & mask;
            let number = self.table.get(place)?.checked_sub(1);
            done = number.is_none();
            Some((place, number))
        })
    }

    fn insert(&mut self, entry: Entry) {
        let mut free = None;
        for (place, number) in self.probe(&entry.fingerprint) {
            let Some(number) = number else {
                free = Some(place);
                break;
            };
            let known = self.entry(number);
            if known.is_some_and(|known| known.fingerprint == entry.fingerprint) {
                return;
            }
        }
        self.entries.push(entry);
        // There are fewer than 2^26, and twice as many slots.
        let number = u32::try_from(self.entries.len()).unwrap_or_default();
        if let Some(slot) = free.and_then(|place| self.table.get_mut(place)) {
            *slot = number;
        }
    }

    /// Makes the table large enough for this many entries.
    fn reserve(&mut self, total: usize) {
        if total.saturating_mul(2) <= self.table.len() {
            return;
        }
        let len = total.saturating_mul(2).max(16).next_power_of_two();
        self.table = vec![0; len];
        let entries = core::mem::replace(&mut self.entries, Vec::with_capacity(total));
        for entry in entries {
            self.insert(entry);
        }
    }
}

impl core::fmt::Debug for KeyBook {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (keys, orders) = (self.entries.len(), self.orders.len());
        write!(f, "{keys} keys of {orders} orders")
    }
}
