//! Limits on the resources that a voucher may use.

/// Limits on everything in a voucher that its author chooses.
///
/// By default, every voucher seen in circulation is accepted with a wide margin. The largest of
/// them has 8484 bytes, seven entries and seven certificates. Raising a limit costs memory and time
/// at most in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) input: usize,
    pub(crate) entries: usize,
    pub(crate) certificates: usize,
    pub(crate) certificate: usize,
    pub(crate) depth: usize,
    pub(crate) device_info: usize,
    pub(crate) rendezvous: usize,
    pub(crate) findings: usize,
    pub(crate) certificate_checks: usize,
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

    /// The size of one voucher in bytes. Default 1 MiB, which is what go-fdo-server accepts in one
    /// upload; at most [`Limits::MAX_INPUT`].
    #[must_use]
    pub const fn input(&self) -> usize {
        self.input
    }

    /// Sets [`input`](Self::input); more than the maximum is the maximum.
    #[must_use]
    pub const fn with_input(mut self, most: usize) -> Self {
        self.input = least(most, Self::MAX_INPUT);
        self
    }

    /// The number of entries. Default 255, because TO2 has their number in one byte
    /// (`NumOVEntries`); at most [`Limits::MAX_ENTRIES`].
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.entries
    }

    /// Sets [`entries`](Self::entries); more than the maximum is the maximum.
    #[must_use]
    pub const fn with_entries(mut self, most: usize) -> Self {
        self.entries = least(most, Self::MAX_ENTRIES);
        self
    }

    /// The number of certificates in one chain. Default 16.
    #[must_use]
    pub const fn certificates(&self) -> usize {
        self.certificates
    }

    /// Sets [`certificates`](Self::certificates).
    #[must_use]
    pub const fn with_certificates(mut self, most: usize) -> Self {
        self.certificates = most;
        self
    }

    /// The size of one certificate in bytes. Default 64 KiB.
    #[must_use]
    pub const fn certificate(&self) -> usize {
        self.certificate
    }

    /// Sets [`certificate`](Self::certificate).
    #[must_use]
    pub const fn with_certificate(mut self, most: usize) -> Self {
        self.certificate = most;
        self
    }

    /// The nesting depth of arrays, maps and tags in a value whose structure the format leaves
    /// open. Default 16; at most [`Limits::MAX_DEPTH`].
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Sets [`depth`](Self::depth); more than the maximum is the maximum.
    #[must_use]
    pub const fn with_depth(mut self, most: usize) -> Self {
        self.depth = least(most, Self::MAX_DEPTH);
        self
    }

    /// The size of the device info in bytes. Default 64 KiB.
    #[must_use]
    pub const fn device_info(&self) -> usize {
        self.device_info
    }

    /// Sets [`device_info`](Self::device_info).
    #[must_use]
    pub const fn with_device_info(mut self, most: usize) -> Self {
        self.device_info = most;
        self
    }

    /// The number of rendezvous instructions in all directives together. Default 1024.
    #[must_use]
    pub const fn rendezvous(&self) -> usize {
        self.rendezvous
    }

    /// Sets [`rendezvous`](Self::rendezvous).
    #[must_use]
    pub const fn with_rendezvous(mut self, most: usize) -> Self {
        self.rendezvous = most;
        self
    }

    /// The number of deviations in one list, of remarks in addition to them, and of faults in one
    /// audit; the limit applies to each of these separately. Default 4096, because a voucher can
    /// hold one deviation in every second byte.
    ///
    /// A list that was cut off says so:
    /// [`FindingKind::MoreFindings`](crate::finding::FindingKind::MoreFindings). Findings that need an
    /// allowance are never left out; there are a few for each entry.
    #[must_use]
    pub const fn findings(&self) -> usize {
        self.findings
    }

    /// Sets [`findings`](Self::findings).
    #[must_use]
    pub const fn with_findings(mut self, most: usize) -> Self {
        self.findings = most;
        self
    }

    /// The number of signatures on certificates that are verified for the remarks on one voucher,
    /// in [`audit`](crate::audit()) and [`Voucher::findings`](crate::Voucher::findings), and when it is
    /// verified under the strict profile. Default 256: a chain of two certificates for each
    /// possible key.
    ///
    /// If signatures remain unchecked, this is noted, and the strict profile refuses it:
    /// [`FindingKind::CertificatesUnchecked`](crate::finding::FindingKind::CertificatesUnchecked).
    #[must_use]
    pub const fn certificate_checks(&self) -> usize {
        self.certificate_checks
    }

    /// Sets [`certificate_checks`](Self::certificate_checks).
    #[must_use]
    pub const fn with_certificate_checks(mut self, most: usize) -> Self {
        self.certificate_checks = most;
        self
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

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
