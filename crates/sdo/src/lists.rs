//! Allow and deny lists, as SDO's rendezvous service kept them: SHA-256 of keys, and GUIDs.

use alloc::collections::BTreeSet;
use core::fmt::Write as _;

use alloc::string::String;

use ownership_voucher::key::Fingerprint;
use ownership_voucher::{Error, ErrorKind, Guid, PublicKey};

/// Keys, by the SHA-256 of their SubjectPublicKeyInfo, and devices, by their GUIDs.
///
/// The rendezvous service wrote key hashes in upper-case digits; either case is read.
///
/// ```
/// use ownership_voucher_sdo::KeyList;
/// let list: KeyList = "# a line for each\n3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596\n".parse()?;
/// assert_eq!(list.len(), 1);
/// # Ok::<(), ownership_voucher::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct KeyList {
    keys: BTreeSet<Fingerprint>,
    guids: BTreeSet<Guid>,
}

impl KeyList {
    /// The number of keys and GUIDs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len().saturating_add(self.guids.len())
    }

    /// Whether the list names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the key is in the list.
    #[must_use]
    pub fn has_key(&self, key: &PublicKey) -> bool {
        self.keys.contains(&Fingerprint(key.fingerprint()))
    }

    /// Whether the GUID is in the list.
    #[must_use]
    pub fn has_guid(&self, guid: Guid) -> bool {
        self.guids.contains(&guid)
    }
}

/// Words of 64 hexadecimal digits, or of 32 with dashes or without, between blanks, commas, semicolons and
/// quotation marks. What follows `#` in a line is passed over.
impl core::str::FromStr for KeyList {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut list = Self::default();
        let mut start = 0_usize;
        for line in text.split_inclusive('\n') {
            let words = line.split('#').next().unwrap_or_default();
            let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'');
            for word in words.split(separates).filter(|word| !word.is_empty()) {
                let fits = |wanted: usize| word.len() == wanted;
                let key = word.parse().ok().filter(|_| fits(64));
                match (key, word.parse::<Guid>()) {
                    (Some(key), _) => {
                        list.keys.insert(key);
                    }
                    (None, Ok(guid)) => {
                        list.guids.insert(guid);
                    }
                    (None, Err(_)) => {
                        let why = "a line with 64 hexadecimal digits of a key's SHA-256, or a GUID, expected";
                        return Err(Error::because(ErrorKind::BadArgument, why).at(start));
                    }
                }
            }
            start = start.saturating_add(line.len());
        }
        Ok(list)
    }
}

/// The name of a key in the lists of SDO's rendezvous service: SHA-256 of its SubjectPublicKeyInfo, in
/// upper-case digits.
#[must_use]
pub fn allow_list_form(key: &PublicKey) -> String {
    let mut text = String::with_capacity(64);
    for byte in key.fingerprint() {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownership_voucher::{KeyType, LocalKey};

    fn key() -> PublicKey {
        let key = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).unwrap();
        key.public_key()
    }

    #[test]
    fn lists_are_read_as_they_were_kept() {
        let digits = allow_list_form(&key());
        assert_eq!(digits, digits.to_uppercase());
        let lower = digits.to_lowercase();
        for text in [
            alloc::format!("{digits}\n"),
            alloc::format!("# keys\r\n{lower}\r\n\r\n"),
            alloc::format!("\"{digits}\", \"{}\";", "00".repeat(32)),
        ] {
            let list: KeyList = text.parse().unwrap();
            assert!(list.has_key(&key()) && !list.is_empty(), "{text}");
        }
        let list: KeyList = "".parse().unwrap();
        assert!(list.is_empty() && !list.has_key(&key()));
        let list: KeyList = "01020304-0506-0708-090a-0b0c0d0e0f10 # one"
            .parse()
            .unwrap();
        let guid = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        assert!(list.has_guid(Guid(guid)) && !list.has_guid(Guid([0; 16])));
    }

    #[test]
    fn what_is_neither_names_its_line() {
        let error = "# fine\nabc\n".parse::<KeyList>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadArgument);
        assert_eq!(error.offset(), Some(7));
        let named = alloc::format!("sha256:{}", "00".repeat(32));
        for text in ["ab".repeat(31), "é".into(), "sha256:12".into(), named] {
            assert!(text.parse::<KeyList>().is_err(), "{text}");
        }
    }
}
