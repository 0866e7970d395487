//! The keys of a batch of vouchers: each once, numbered, counted and checked.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::backend::ecdsa::{Ecdsa, P256, P384};
use crate::key::{KeyIndex, KeyKind, PublicKey};

/// A key by its components without leading zeros, so that all its encodings are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Components<'v> {
    key_kind: KeyKind,
    a: &'v [u8],
    b: &'v [u8],
}

/// A distinct key of a batch.
pub(super) struct Key<'v> {
    pub(super) key_kind: KeyKind,
    a: &'v [u8],
    b: &'v [u8],
    /// The key, unless its point is not on the curve.
    pub(super) valid: Option<PublicKey>,
}

/// Numbers the distinct keys of a batch in the order of their first occurrence.
#[derive(Default)]
pub(super) struct Keys<'v> {
    known: BTreeMap<Components<'v>, u32>,
    pub(super) all: Vec<Key<'v>>,
}

impl<'v> Keys<'v> {
    /// The number of this key. A key that has not occurred before gets a new number.
    ///
    /// `hint` is the number of the key at the same place of the preceding voucher. In a shipment it
    /// is mostly the same key, and one comparison decides.
    pub(super) fn number(&mut self, bytes: &'v [u8], index: &KeyIndex, hint: Option<u32>) -> u32 {
        let key_kind = index.key_kind;
        let strip = |span: crate::cbor::Span| {
            let number = span.of(bytes);
            let zeros = match key_kind {
                // The bytes of Ed25519 are not a big-endian number.
                KeyKind::Ed25519 => 0,
                _ => number.iter().take_while(|&&byte| byte == 0).count(),
            };
            number.get(zeros..).unwrap_or_default()
        };
        let components = Components {
            key_kind,
            a: strip(index.a),
            b: strip(index.b),
        };
        if let Some((number, key)) = hint.and_then(|n| Some((n, self.all.get(n as usize)?)))
            && (key.key_kind, key.a, key.b) == (key_kind, components.a, components.b)
        {
            return number;
        }
        self.enter(components)
    }

    fn enter(&mut self, components: Components<'v>) -> u32 {
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(components).or_insert(next);
        if number == next {
            self.all.push(Key {
                key_kind: components.key_kind,
                a: components.a,
                b: components.b,
                valid: None,
            });
        }
        number
    }

    /// The number here of a key that was numbered elsewhere.
    #[cfg(feature = "parallel")]
    pub(super) fn adopt(&mut self, key: &Key<'v>) -> u32 {
        self.enter(Components {
            key_kind: key.key_kind,
            a: key.a,
            b: key.b,
        })
    }

    pub(super) fn get(&self, number: u32) -> Option<&Key<'v>> {
        self.all.get(number as usize)
    }
}

impl Key<'_> {
    /// Checks that the point is on its curve and stores the key.
    pub(super) fn check(&mut self) {
        let key = PublicKey::from_valid_parts(self.key_kind, self.a, self.b);
        let good = match self.key_kind {
            KeyKind::P256 => Ecdsa::<P256>::check_key(key.components()),
            KeyKind::P384 => Ecdsa::<P384>::check_key(key.components()),
            _ => PublicKey::from_parts::<crate::error::DeviceError>(self.key_kind, self.a, self.b)
                .is_ok(),
        };
        self.valid = good.then_some(key);
    }
}
