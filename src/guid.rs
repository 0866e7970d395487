//! The identifier of a device.

use core::fmt;

/// The identifier of a device in the protocol: 16 random bytes (FDO 1.1, Guid).
///
/// Printed as 32 lower-case hexadecimal digits without dashes, as go-fdo does;
/// [`hyphenated`](Self::hyphenated) has dashes. Both forms are read, in either case.
///
/// ```
/// use ownership_voucher::Guid;
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let guid: Guid = "3F1C6A0E-5B7D-4C2F-9A8E-01D2C3B4A596".parse()?;
/// assert_eq!(guid.to_string(), "3f1c6a0e5b7d4c2f9a8e01d2c3b4a596");
/// assert_eq!(guid.hyphenated().to_string(), "3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596");
/// assert_eq!(Guid::from(<[u8; 16]>::from(guid)), guid);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

/// The digits of each group in the form with dashes (RFC 9562 §4), in bytes.
const GROUPS: [usize; 5] = [4, 2, 2, 2, 6];

impl Guid {
    /// The form with dashes of RFC 9562 §4, for display.
    #[must_use]
    pub const fn hyphenated(self) -> Hyphenated {
        Hyphenated(self)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<[u8; 16]> for Guid {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl From<Guid> for [u8; 16] {
    fn from(guid: Guid) -> Self {
        guid.0
    }
}

#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for Guid {
    fn from(uuid: uuid::Uuid) -> Self {
        Self(uuid.into_bytes())
    }
}

#[cfg(feature = "uuid")]
impl From<Guid> for uuid::Uuid {
    fn from(guid: Guid) -> Self {
        Self::from_bytes(guid.0)
    }
}

/// The GUID in a text of 32 digits, without dashes or with all four.
pub(crate) fn read(text: &str) -> Option<Guid> {
    let dashes = text.contains('-');
    let mut digits = text.chars();
    let mut guid = [0; 16];
    let mut bytes = guid.iter_mut();
    for (number, group) in GROUPS.into_iter().enumerate() {
        if dashes && number > 0 && digits.next() != Some('-') {
            return None;
        }
        for byte in bytes.by_ref().take(group) {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
    }
    digits.next().is_none().then_some(Guid(guid))
}

/// A [`Guid`] that is printed with dashes, made by [`Guid::hyphenated`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hyphenated(Guid);

impl fmt::Display for Hyphenated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.0.iter();
        for (number, group) in GROUPS.into_iter().enumerate() {
            if number > 0 {
                f.write_str("-")?;
            }
            for byte in bytes.by_ref().take(group) {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Hyphenated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
