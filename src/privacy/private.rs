//! Private keys in unexpected parts of a voucher: in a COSE_Key with `d`, in additional data, in
//! the text of a PEM block or a JWK.

use crate::key::private::{Part, each_label, is_private_binary, pem_labels, private_jwk};
use crate::key::{KeyEncoding, KeyIndex};
use crate::voucher::Voucher;

impl Voucher<'_> {
    /// Whether the voucher contains a private key: in a COSE_Key, in additional data as DER, or
    /// anywhere as PEM or JWK. Every holder of the voucher could then sign as that owner.
    ///
    /// [`disclosures`](Self::disclosures) returns the place. Other contents of the voucher's file
    /// are not examined.
    ///
    /// ```
    /// # use ownership_voucher::{Error, Voucher};
    /// fn check(voucher: &Voucher<'_>) -> Result<(), String> {
    ///     match voucher.holds_private_key() {
    ///         true => Err(format!("{} holds a private key", voucher.guid())),
    ///         false => Ok(()),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn holds_private_key(&self) -> bool {
        let mut any = false;
        private_keys(self, |_| any = true);
        any
    }
}

/// A private key: what it is in, its offset and its entry.
pub(super) struct Found {
    pub(super) what: &'static str,
    pub(super) offset: usize,
    pub(super) entry: Option<usize>,
}

/// Reports every private key of a voucher.
pub(super) fn private_keys(voucher: &Voucher<'_>, mut found: impl FnMut(Found)) {
    let (bytes, index) = (voucher.as_bytes(), voucher.index());
    let mut cose = |key: &KeyIndex, entry| {
        if let Some(offset) = private_part(bytes, key) {
            let what = "d of a COSE_Key";
            found(Found {
                what,
                offset,
                entry,
            });
        }
    };
    cose(&index.manufacturer, None);
    for (number, entry) in index.entries.iter().enumerate() {
        cose(&entry.key, Some(number));
    }
    for entry in voucher.entries() {
        let offset = entry
            .index
            .extra
            .map_or(entry.range().start, |it| it.start());
        if entry.extra().any(|(_, value)| is_private_binary(value)) {
            found(Found {
                what: "DER or COSE_Key in additional data",
                offset,
                entry: Some(entry.number()),
            });
        }
    }
    let pem = pem_labels(bytes).map(|offset| ("PEM", offset));
    for (what, offset) in pem.chain(private_jwk(bytes).map(|offset| ("JWK", offset))) {
        let mut entries = voucher.entries();
        let entry = entries.find(|entry| entry.range().contains(&offset));
        found(Found {
            what,
            offset,
            entry: entry.map(|entry| entry.number()),
        });
    }
}

/// Reports every label of a COSE_Key that no public key has, with its offset and entry.
pub(super) fn other_labels(voucher: &Voucher<'_>, mut found: impl FnMut(usize, Option<usize>)) {
    let (bytes, index) = (voucher.as_bytes(), voucher.index());
    let mut look = |key: &KeyIndex, entry| {
        if key.encoding == KeyEncoding::CoseKey {
            let mut other = None;
            each_label(bytes, key.body, |part, at| match part {
                Part::Other => drop(other.get_or_insert(at)),
                Part::Public | Part::Private => {}
            });
            if let Some(at) = other {
                found(at, entry);
            }
        }
    };
    look(&index.manufacturer, None);
    for (number, entry) in index.entries.iter().enumerate() {
        look(&entry.key, Some(number));
    }
}

/// The position of the private part of a COSE_Key: under `d`, as a number or as the text of a JWK.
fn private_part(bytes: &[u8], key: &KeyIndex) -> Option<usize> {
    if key.encoding != KeyEncoding::CoseKey {
        return None;
    }
    let mut private = None;
    each_label(bytes, key.body, |part, at| {
        if part == Part::Private {
            private.get_or_insert(at);
        }
    });
    private
}
