//! How much a voucher may ask of its reader.

/// Bounds on everything in a voucher that its maker chooses.
///
/// The defaults let every voucher seen in circulation pass with a wide margin; the largest of
/// those has 8484 bytes, seven entries and seven certificates. Raising a bound costs memory and
/// time in proportion, never more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one voucher. Default 1 MiB, which is what go-fdo-server takes in one upload;
    /// never more than [`Limits::MAX_INPUT`].
    pub input: usize,
    /// Entries. Default 255: TO2 carries their number in one byte (`NumOVEntries`); never more than
    /// [`Limits::MAX_ENTRIES`].
    pub entries: usize,
    /// Certificates in one chain. Default 16.
    pub certificates: usize,
    /// Bytes of one certificate. Default 64 KiB.
    pub certificate: usize,
    /// Levels of arrays, maps and tags inside a value whose shape the format leaves open.
    /// Default 16; never more than [`Limits::MAX_DEPTH`].
    pub depth: usize,
    /// Bytes of the device info. Default 64 KiB.
    pub device_info: usize,
    /// Rendezvous instructions in all directives together. Default 1024.
    pub rendezvous: usize,
    /// Deviations in one list, remarks beside them, and faults in one audit: as many of each.
    /// Default 4096: nobody reads more, and a voucher can hold one in every second byte. A list that had to end says so:
    /// [`FindingKind::MoreFindings`](crate::FindingKind::MoreFindings). Findings that need an
    /// allowance are never left out; there are a few for each entry.
    pub findings: usize,
    /// Signatures under certificates that the remarks of one voucher verify, in
    /// [`audit`](crate::audit) and [`Voucher::remarks`](crate::Voucher::remarks), and its
    /// verification under the strict profile. Default 256: a chain of two certificates for every key
    /// that there may be. What goes unchecked is noted, and refused by the strict profile:
    /// [`FindingKind::CertificatesUnchecked`](crate::FindingKind::CertificatesUnchecked).
    pub certificate_checks: usize,
}

impl Limits {
    /// The most that [`input`](Self::input) may be: byte ranges are kept in 32 bits.
    pub const MAX_INPUT: usize = 16 << 20;
    /// The most that [`entries`](Self::entries) may be: errors keep their number in 16 bits.
    pub const MAX_ENTRIES: usize = 65535;
    /// The most that [`depth`](Self::depth) may be: each level takes some of the stack.
    pub const MAX_DEPTH: usize = 64;
    /// Labels in one map: headers, COSE_Key, OVEExtra. Fixed, because finding a repeated label
    /// costs the square of it.
    pub const MAX_LABELS: usize = 64;

    /// The default bounds.
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
