//! The options of an extension.

use alloc::vec::Vec;

use crate::digest::HashAlgorithm;
use crate::key::KeyEncoding;
#[cfg(feature = "privacy")]
use crate::privacy::PrivacyPolicy;

/// The options of an extension. The default adds nothing and permits no exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendOptions {
    pub(crate) extra: Vec<(i128, Vec<u8>)>,
    pub(crate) hash: Option<HashAlgorithm>,
    pub(crate) encoding: Option<KeyEncoding>,
    pub(crate) other_key_type: bool,
    pub(crate) experimental_key: bool,
    pub(crate) max_entry: usize,
    #[cfg(feature = "privacy")]
    pub(crate) privacy: PrivacyPolicy,
    pub(crate) ca_owner: bool,
    pub(crate) draft_aad: bool,
}

impl ExtendOptions {
    /// The default options.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            extra: Vec::new(),
            hash: None,
            encoding: None,
            other_key_type: false,
            experimental_key: false,
            max_entry: 65535,
            #[cfg(feature = "privacy")]
            privacy: PrivacyPolicy::new(),
            ca_owner: false,
            draft_aad: false,
        }
    }

    /// Adds a pair to OVEExtra. The type must be -65537 or below, which FDO leaves to applications;
    /// other types and duplicate ones are refused when the voucher is extended.
    #[must_use]
    pub fn with_extra(mut self, extra_type: i128, value: impl Into<Vec<u8>>) -> Self {
        self.extra.push((extra_type, value.into()));
        self
    }

    /// The hash algorithm. Default, also for `None`: the one that the voucher already uses, which every
    /// implementation reads.
    ///
    /// Implementations choose the first one differently if device and owner differ in strength. go-fdo
    /// chooses again for each entry that it writes, and then refuses its own entry if the first one has
    /// another hash: docs/interop.md in the repository lists the four pairs of keys, and `ov extend` warns
    /// of them. An entry whose hash deviates from the table of FDO 1.1 §3.3.2 has the finding
    /// [`HashTable`](crate::finding::FindingKind::HashTable).
    #[must_use]
    pub fn with_hash(mut self, hash: impl Into<Option<HashAlgorithm>>) -> Self {
        self.hash = hash.into();
        self
    }

    /// The encoding of a bare key. Default, also for `None`: that of the manufacturer's key.
    #[must_use]
    pub fn with_encoding(mut self, encoding: impl Into<Option<KeyEncoding>>) -> Self {
        self.encoding = encoding.into();
        self
    }

    /// The largest size of the new entry in bytes. Default 65535, the largest TO2.OVNextEntry.
    /// Small devices can receive 1300 or 4096.
    #[must_use]
    pub const fn with_max_entry(mut self, bytes: usize) -> Self {
        self.max_entry = bytes;
        self
    }

    /// Permits a next key whose type differs from the manufacturer's. Devices with a single
    /// compiled-in verifier, such as those of client-sdk-fidoiot, refuse the result.
    #[must_use]
    pub const fn allow_other_key_type(mut self) -> Self {
        self.other_key_type = true;
        self
    }

    /// Permits a next key of an experimental type where the manufacturer's is not. Requires
    /// [`allow_other_key_type`](Self::allow_other_key_type) too.
    #[must_use]
    pub const fn allow_experimental_key(mut self) -> Self {
        self.experimental_key = true;
        self
    }

    /// Permits a CA certificate as the first certificate of the next owner.
    ///
    /// By default this is refused. In most cases it is a chain in the wrong order or the wrong
    /// file, and the device would belong to the operator of the CA.
    #[must_use]
    pub const fn allow_ca_owner(mut self) -> Self {
        self.ca_owner = true;
        self
    }

    /// Permits another entry for an FDO 1.1 voucher whose entries are signed with the external data of FDO
    /// 2.0; the new one is signed so too.
    ///
    /// By default this is refused: neither devices of FDO 1.1 nor current software of FDO 2.0 read such
    /// vouchers.
    #[must_use]
    pub const fn allow_draft_aad(mut self) -> Self {
        self.draft_aad = true;
        self
    }

    /// Refuses an extension that would disclose what this policy refuses, in the existing voucher
    /// or in the new entry.
    #[cfg(feature = "privacy")]
    #[must_use]
    pub const fn with_privacy(mut self, policy: PrivacyPolicy) -> Self {
        self.privacy = policy;
        self
    }

    /// What [`with_privacy`](Self::with_privacy) set.
    #[cfg(feature = "privacy")]
    #[must_use]
    pub const fn privacy(&self) -> PrivacyPolicy {
        self.privacy
    }
}

impl Default for ExtendOptions {
    fn default() -> Self {
        Self::new()
    }
}
