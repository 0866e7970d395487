//! Limits on the resources that a voucher may use.

/// Limits on everything in a voucher that its author chooses.
///
/// By default, every voucher seen in circulation is accepted with a wide margin. The largest of
/// them has 8484 bytes, seven entries and seven certificates. Raising a limit costs memory and time
/// at most in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The size of one voucher in bytes. Default 1 MiB, which is what go-fdo-server accepts in one
    /// upload; at most [`Limits::MAX_INPUT`].
    pub input: usize,
    /// The number of entries. Default 255, because TO2 has their number in one byte
    /// (`NumOVEntries`); at most [`Limits::MAX_ENTRIES`].
    pub entries: usize,
    /// The number of certificates in one chain. Default 16.
    pub certificates: usize,
    /// The size of one certificate in bytes. Default 64 KiB.
    pub certificate: usize,
    /// The nesting depth of arrays, maps and tags in a value whose structure the format leaves
    /// open. Default 16; at most [`Limits::MAX_DEPTH`].
    pub depth: usize,
    /// The size of the device info in bytes. Default 64 KiB.
    pub device_info: usize,
    /// The number of rendezvous instructions in all directives together. Default 1024.
    pub rendezvous: usize,
    /// The number of deviations in one list, of remarks in addition to them, and of faults in one
    /// audit; the limit applies to each of these separately. Default 4096, because a voucher can
    /// hold one deviation in every second byte.
    ///
    /// A list that was cut off says so:
    /// [`FindingKind::MoreFindings`](crate::FindingKind::MoreFindings). Findings that need an
    /// allowance are never left out; there are a few for each entry.
    pub findings: usize,
    /// The number of signatures on certificates that are verified for the remarks on one voucher,
    /// in [`audit`](crate::audit) and [`Voucher::remarks`](crate::Voucher::remarks), and when it is
    /// verified under the strict profile. Default 256: a chain of two certificates for each
    /// possible key.
    ///
    /// If signatures remain unchecked, this is noted, and the strict profile refuses it:
    /// [`FindingKind::CertificatesUnchecked`](crate::FindingKind::CertificatesUnchecked).
    pub certificate_checks: usize,
}

impl Limits {
    /// The maximum of [`input`](Self::input): byte ranges are stored in 32 bits.
    pub const MAX_INPUT: usize = 16 << 20;
    /// The maximum of [`entries`](Self::entries): errors store the entry number in 16 bits.
    pub const MAX_ENTRIES: usize = 65535;
    /// The maximum of [`depth`](Self::depth): each level uses stack space.
    pub const MAX_DEPTH: usize = 64;
    /// The number of labels in one map: headers, COSE_Key, OVEExtra. It is fixed, because the
    /// search for duplicate labels takes quadratic time.
    pub const MAX_LABELS: usize = 64;

    /// The default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            input: 1 << 20,
            entries: 255,
            certificates: 16,
            certificate: 64 << 10,
            depth: 16,
            device_info: 64 << 10,
            rendezvous: 1024,
            findings: 4096,
            certificate_checks: 256,
        }
    }

    /// Whether all that is read under these bounds may be read under `wider` too.
    pub(crate) const fn within(&self, wider: &Self) -> bool {
        self.input <= wider.input
            && self.entries <= wider.entries
            && self.certificates <= wider.certificates
            && self.certificate <= wider.certificate
            && self.depth <= wider.depth
            && self.device_info <= wider.device_info
            && self.rendezvous <= wider.rendezvous
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
