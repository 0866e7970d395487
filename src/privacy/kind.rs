//! Kinds of disclosures and of links between vouchers, with their stable names and numbers.

use crate::numbered::numbered_enum;

/// The severity of a disclosure. A higher number is more severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Severity {
    /// 0: present in every voucher, and necessary for FDO.
    Inherent = 0,
    /// 1: discloses technology: ports, products, how the holder found the server.
    Low = 1,
    /// 2: links vouchers of one owner, place or device to each other, or names a service.
    Medium = 2,
    /// 3: names a device, person, company or place in clear text.
    High = 3,
    /// 4: a secret that grants access.
    Critical = 4,
}

impl Severity {
    /// Every severity, in ascending order of numbers.
    pub const ALL: [Self; 5] = [
        Self::Inherent,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The stable number, 0 to 4.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inherent => "inherent",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

macro_rules! disclosures {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $severity:ident,
        $text:literal, $advice:literal;)*) => {
        numbered_enum! {
            /// The kind of a disclosure. [`code`](Self::code) and [`name`](Self::name) are stable.
            DisclosureKind;
            /// A description in words.
            pub text;
            $($(#[$doc])* $variant = $code, $name, $text;)*
        }

        impl DisclosureKind {
            /// The severity of this kind.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Advice on how to avoid the disclosure.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

disclosures! {
    /// RVWifiPw: a password in clear text. The value is withheld unless it is requested.
    WifiPassword = 900, "wifi-password", Critical, "a Wi-Fi password in clear",
        "change that password; rendezvous info is no place for it, and only onboarding replaces the info";
    /// RVWifiSsid: the name of a network, which public maps resolve to a place.
    WifiName = 901, "wifi-name", High, "the name of a Wi-Fi network",
        "use a name that is used in many places, or none: devices can be given networks on site";
    /// RVDns: the host name of a rendezvous server.
    RendezvousName = 902, "rendezvous-name", Medium, "the name of a rendezvous server",
        "use a server that serves many owners, not one with the owner's name";
    /// RVIPAddress: the address of a rendezvous server.
    RendezvousAddress = 903, "rendezvous-address", Medium, "the address of a rendezvous server",
        "use a server that serves many owners; IP addresses are listed in public registries";
    /// RVDevPort or RVOwnerPort.
    RendezvousPort = 904, "rendezvous-port", Low, "a port of a rendezvous server",
        "unusual ports mark a server; use the usual ones";
    /// RVSvCertHash: the hash of the server's certificate.
    ServerCertificate = 905, "server-certificate", Medium, "the hash of a server's certificate",
        "the same as for the server's name: a certificate of one owner identifies the devices of that owner";
    /// RVClCertHash: the hash of a certificate that clients accept.
    ClientCertificate = 906, "client-certificate", Medium, "the hash of a CA for clients",
        "the same as for the server's name: a certificate of one owner identifies the devices of that owner";
    /// RVUserInput: whether a person is asked for an address.
    UserInput = 907, "user-input", Low, "whether the device asks a person for input",
        "nothing, if the device is meant to ask";
    /// RVMedium, RVProtocol, RVDelaysec and the flags.
    RendezvousSetting = 908, "rendezvous-setting", Inherent, "a setting of the rendezvous",
        "nothing";
    /// RVExtRV, variables that FDO 1.1 does not define, invalid values, and bytes that do not have
    /// the structure of directives. Whatever cannot be parsed may contain a password, so its value
    /// is withheld like a password.
    RendezvousOther = 909, "rendezvous-other", High, "rendezvous bytes that cannot be read and may hold a secret",
        "ask their author what they mean";
    /// OVGuid.
    Guid = 910, "guid", Inherent, "the GUID of the device",
        "replace it with fresh random bytes at every onboarding";
    /// A GUID that does not look like random bytes; see [`Disclosure`](super::Disclosure) for the
    /// rules.
    GuidNotRandom = 911, "guid-not-random", Medium, "a GUID that does not look random",
        "take 16 bytes from a random generator: other GUIDs disclose time, place or order of production";
    /// OVDeviceInfo.
    DeviceInfo = 912, "device-info", Low, "what the manufacturer says about the device",
        "state the model only";
    /// An OVDeviceInfo that appears to contain a serial number; see
    /// [`Disclosure`](super::Disclosure) for the rules.
    DeviceInfoSerial = 913, "device-info-serial", High, "device info that looks like a serial number",
        "leave serial numbers out: the device has its GUID";
    /// The certificate of the device: its SHA-256 fingerprint.
    DeviceCertificate = 914, "device-certificate", Medium, "the certificate of the device, its identity for life",
        "an owner cannot change it; EPID devices have none";
    /// The subject of the device certificate, unless it is empty.
    DeviceCertificateName = 915, "device-certificate-name", High, "a name in the device certificate",
        "ask the manufacturer for certificates with an empty subject or a random name";
    /// The serial number of the device certificate.
    DeviceCertificateSerial = 916, "device-certificate-serial", Medium, "the serial number of the device certificate",
        "ask the manufacturer for random serial numbers: rising ones disclose order and size of production";
    /// The first second of the device certificate's validity period: when the device was made.
    DeviceCertificateDate = 917, "device-certificate-date", Low, "the date of the device certificate",
        "ask the manufacturer for certificates that all begin on one day";
    /// The issuer of the device certificate, unless it is empty.
    DeviceIssuer = 918, "device-issuer", Medium, "the issuer of the device certificate",
        "a CA for many customers and models discloses least";
    /// The key that signs the first entry: the SHA-256 of its SubjectPublicKeyInfo.
    ManufacturerKey = 920, "manufacturer-key", Inherent, "the key of the manufacturer",
        "nothing: every device of a production line has it";
    /// The key of an owner who has sold the device.
    EarlierOwner = 921, "earlier-owner", Medium, "the key of an earlier owner",
        "owners take a fresh key for each voucher, or onboard the device and sell it with a new voucher";
    /// The key of the current owner.
    CurrentOwner = 922, "current-owner", Medium, "the key of the current owner",
        "take a fresh key for each voucher; the same key in two of them links them";
    /// A key that owns the device twice, or that is the manufacturer's.
    RepeatedOwner = 923, "repeated-owner", Medium, "a key that an earlier part of the voucher holds",
        "take a fresh key: this one discloses that the device came back, or that the manufacturer kept it";
    /// A subject in the certificates of an owner's key, unless it is empty.
    OwnerName = 924, "owner-name", High, "a name in a certificate of an owner",
        "use a bare key in place of the certificate";
    /// A certificate of an owner's key: its serial number, with or without a name.
    OwnerCertificate = 925, "owner-certificate", Medium, "a certificate of an owner",
        "use a bare key in place of the certificate: serial number and issuer identify the holder";
    /// The issuer of an owner's last certificate, unless it is empty or the certificate is
    /// self-issued.
    OwnerIssuer = 926, "owner-issuer", High, "the issuer of a certificate of an owner",
        "use a bare key in place of the certificate";
    /// A subject in the certificates of the manufacturer's key.
    ManufacturerName = 927, "manufacturer-name", Medium, "a name in a certificate of the manufacturer",
        "nothing, where it is printed on the device anyhow";
    /// A certificate that cannot be parsed, or that this build does not parse.
    UnreadCertificate = 928, "unread-certificate", Medium, "a certificate that was not looked into",
        "look at it with other tools: nobody verified its contents";
    /// A pair of OVEExtra: its type and size.
    ExtraData = 930, "extra-data", Medium, "additional data in an entry",
        "leave it out, or ask its author what it means; later owners cannot remove it";
    /// A pair of OVEExtra that holds the ephemeral key of a one-time address: 33 random-looking
    /// bytes that disclose something only to the addressee.
    ExtraOneTime = 931, "extra-one-time", Inherent, "the ephemeral key of a one-time address",
        "nothing: without the scan key it is a random point. It does disclose that the addressee uses such addresses";
    /// Header fields that FDO does not require: their writer can put any text there.
    HeaderData = 932, "header-data", Medium, "fields in a header that FDO does not ask for",
        "ask their author what they mean; nobody has signed unprotected ones, so cut those off";
    /// The number of entries: how often the device was sold.
    EntryCount = 933, "entry-count", Inherent, "how often the device was sold",
        "onboard the device and sell it with a new voucher";
    /// A private key: `d` in a COSE_Key, DER in additional data, PEM anywhere. The key itself is
    /// never disclosed.
    PrivateKey = 934, "private-key", Critical, "a private key in clear",
        "take this key out of use: whoever has a copy can sign as its owner; send files with the voucher alone";
    /// A member of a COSE_Key that no public key has: FDO does not require it, and it may be
    /// secret.
    KeyData = 935, "key-data", High, "a member of a COSE_Key that is no part of a public key",
        "ask the author of the key what it means; if it is a private key, take it out of use";
    /// More disclosures exist than are listed.
    MoreDisclosures = 949, "more-disclosures", Medium, "there are more disclosures than are listed",
        "raise the limit, or refuse a voucher that holds so much";
}

impl DisclosureKind {
    /// The stable number, 900 to 949.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

numbered_enum! {
    /// The kind of a link between vouchers. [`code`](Self::code) and [`name`](Self::name) are stable.
    LinkKind;
    /// A description in words.
    pub text;

    /// The same current owner: the key of the last entry, or the manufacturer's if there are no
    /// entries.
    CurrentOwner = 950, "current-owner", "the same current owner";
    /// The same key in any entry: of the current owner or an earlier one. Keys are compared by
    /// value, not by their encoding.
    OwnerKey = 951, "owner-key", "the same key among the owners";
    /// The same issuer of a certificate of an owner's key.
    OwnerIssuer = 952, "owner-issuer", "the same issuer of an owner's certificate";
    /// The same bytes under the same type of additional data.
    ExtraData = 953, "extra-data", "the same additional data";
    /// The same manufacturer key.
    Manufacturer = 960, "manufacturer", "the same manufacturer key";
    /// The same issuer of the device certificate.
    DeviceIssuer = 961, "device-issuer", "the same issuer of the device certificate";
    /// The same device certificate: one device, in several states or under several vouchers.
    DeviceCertificate = 962, "device-certificate", "the same device certificate";
    /// Serial numbers of device certificates by one issuer that differ by at most 16.
    DeviceSerials = 963, "device-serials", "neighbouring serial numbers of device certificates";
    /// The same device info.
    DeviceInfo = 964, "device-info", "the same device info";
    /// The same host name or address of a rendezvous server, or hash of its certificate.
    Rendezvous = 965, "rendezvous", "the same rendezvous server";
    /// The same Wi-Fi name or password.
    Wifi = 966, "wifi", "the same Wi-Fi network";
    /// The same GUID: copies or states of one voucher.
    Guid = 967, "guid", "the same GUID";
    /// GUIDs that begin with the same eight bytes or differ by at most 16: they are not random.
    GuidNeighbours = 968, "guid-neighbours", "GUIDs that are alike";
}

impl LinkKind {
    /// The stable number, 950 to 999.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether the link is about owners, who can use other keys, and not about the device and its
    /// manufacturer.
    #[must_use]
    pub const fn is_about_owners(self) -> bool {
        self.code() < 960
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_names_differ() {
        let disclosures = DisclosureKind::ALL
            .iter()
            .map(|kind| (kind.code(), kind.name()));
        let links = LinkKind::ALL.iter().map(|kind| (kind.code(), kind.name()));
        for list in [disclosures.collect::<alloc::vec::Vec<_>>(), links.collect()] {
            assert!(list.iter().all(|(code, _)| (900..1000).contains(code)));
            assert!(list.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let mut names: alloc::vec::Vec<_> = list.iter().map(|(_, name)| name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), list.len());
        }
        assert!(Severity::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
