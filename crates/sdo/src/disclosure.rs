//! What a voucher discloses to all who have it, and what links it to others.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use ownership_voucher::Error;
use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::privacy::{Disclosure, DisclosureKind, Linker, Traits};
use ownership_voucher::text::Secrets;

use crate::item::Key;
use crate::rendezvous::{Setting, Value, Variable};
use crate::voucher::Voucher;

impl Voucher<'_> {
    /// Everything that the voucher discloses to a holder, in the order of the bytes. It is not verified.
    ///
    /// A Wi-Fi password, and values that are not known and may be one, are shown only with
    /// [`Secrets::Shown`].
    #[must_use]
    pub fn disclosures(&self, secrets: Secrets) -> Vec<Disclosure> {
        let mut list: Vec<Disclosure> = Vec::new();
        let header = &self.index.header;
        for instruction in &header.rendezvous {
            for setting in &instruction.settings {
                list.push(tells(setting, secrets));
            }
        }
        list.extend(Disclosure::of_guid(header.guid, header.guid_span.start));
        let info = self.device_info();
        if !info.is_empty() {
            let kind = DisclosureKind::DeviceInfo;
            list.push(Disclosure::new(kind, header.info.start, None, &info));
        }
        self.device(&mut list);
        self.owners(&mut list);
        list.sort_by_key(|disclosure| disclosure.offset);
        list
    }

    fn device(&self, list: &mut Vec<Disclosure>) {
        let Some(chain) = &self.index.chain else {
            return;
        };
        for (number, (span, der)) in chain.certificates.iter().enumerate() {
            let mut add = |kind, value: &str| {
                list.push(Disclosure::new(kind, span.start, None, value));
            };
            let Ok(info) = CertificateInfo::from_der(der) else {
                add(DisclosureKind::UnreadCertificate, &number.to_string());
                continue;
            };
            if number == 0 {
                add(DisclosureKind::DeviceCertificate, &hex(&info.fingerprint));
                if !info.subject.is_empty() {
                    add(DisclosureKind::DeviceCertificateName, &info.subject);
                }
                add(DisclosureKind::DeviceCertificateSerial, &info.serial);
                let date = info.not_before.to_string();
                add(DisclosureKind::DeviceCertificateDate, &date);
            }
            if !info.issuer.is_empty() && info.issuer != info.subject {
                add(DisclosureKind::DeviceIssuer, &info.issuer);
            }
        }
    }

    fn owners(&self, list: &mut Vec<Disclosure>) {
        let maker = self.manufacturer_key();
        let name = |key: &Key| hex(&key.public_key().fingerprint());
        let kind = DisclosureKind::ManufacturerKey;
        list.push(Disclosure::new(
            kind,
            maker.range().start,
            None,
            &name(maker),
        ));
        let entries = self.entries().len();
        let end = self.index.voucher.end.saturating_sub(1);
        let at = self
            .entries()
            .next()
            .map_or(end, |entry| entry.range().start);
        let hops = entries.to_string();
        list.push(Disclosure::new(DisclosureKind::EntryCount, at, None, &hops));
        let mut seen = Vec::from([maker.public_key()]);
        for entry in self.entries() {
            let (number, key) = (entry.number(), entry.key());
            let at = key.range().start;
            let kind = match number.saturating_add(1) == entries {
                true => DisclosureKind::CurrentOwner,
                false => DisclosureKind::EarlierOwner,
            };
            list.push(Disclosure::new(kind, at, Some(number), &name(key)));
            if seen.contains(&key.public_key()) {
                let kind = DisclosureKind::RepeatedOwner;
                list.push(Disclosure::new(kind, at, Some(number), &name(key)));
            } else {
                seen.push(key.public_key());
            }
        }
    }

    /// Adds the voucher to a collection, in which FDO vouchers may be too, and returns its number.
    ///
    /// # Errors
    /// Those of [`Linker::add`].
    pub fn link(&self, linker: &mut Linker) -> Result<usize, Error> {
        let info = self.device_info();
        let mut traits = Traits {
            guid: self.guid(),
            device_info: &info,
            hosts: Vec::new(),
            wifi: Vec::new(),
            device_certificate: self.device_chain().next(),
            manufacturer: self.manufacturer_key().public_key().fingerprint(),
            owners: self
                .entries()
                .map(|entry| entry.key().public_key().fingerprint())
                .collect(),
        };
        for instruction in &self.index.header.rendezvous {
            for setting in &instruction.settings {
                match setting.variable {
                    Variable::Dns | Variable::IpAddress => traits.hosts.push(setting.value.words()),
                    Variable::WifiName | Variable::WifiPassword => {
                        traits.wifi.push(setting.value.words());
                    }
                    _ => {}
                }
            }
        }
        linker.add_traits(&traits)
    }
}

fn tells(setting: &Setting, secrets: Secrets) -> Disclosure {
    let kind = match setting.variable {
        Variable::WifiPassword => DisclosureKind::WifiPassword,
        Variable::WifiName => DisclosureKind::WifiName,
        Variable::Dns => DisclosureKind::RendezvousName,
        Variable::IpAddress => DisclosureKind::RendezvousAddress,
        Variable::DevicePort | Variable::OwnerPort => DisclosureKind::RendezvousPort,
        Variable::ServerCertHash => DisclosureKind::ServerCertificate,
        Variable::CaCertHash => DisclosureKind::ClientCertificate,
        Variable::UserInput => DisclosureKind::UserInput,
        Variable::Other => DisclosureKind::RendezvousOther,
        _ => DisclosureKind::RendezvousSetting,
    };
    let shown = matches!(secrets, Secrets::Shown) || !setting.may_be_secret();
    let words = match (&setting.value, shown) {
        (value, true) => value.words(),
        (_, false) if kind == DisclosureKind::WifiPassword => String::new(),
        (Value::Raw(raw), false) => format!("{} bytes withheld", raw.len()),
        (_, false) => String::from("withheld"),
    };
    let named = matches!(
        kind,
        DisclosureKind::RendezvousSetting
            | DisclosureKind::RendezvousPort
            | DisclosureKind::RendezvousOther
    );
    let words = match named {
        true => format!("{} {words}", setting.name),
        false => words,
    };
    Disclosure::new(kind, setting.offset, None, &words)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
