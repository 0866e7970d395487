//! Names, compared as in RFC 5280 §7.1: a CA may encode its name in its certificate and in its
//! revocation lists with different string types, case and blanks.

use alloc::string::String;
use alloc::vec::Vec;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};

/// A name in a form that is equal for all its encodings. Characters that Unicode composes in
/// several ways are not unified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<Part>);

/// A RelativeDistinguishedName, whose attributes are unordered.
type Part = Vec<(Option<ObjectIdentifier>, Value)>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Text(String),
    /// Something else, head included: equal only where its bytes are.
    Other(Vec<u8>),
}

/// The longest name that is parsed, in bytes: its parts take ten times as much.
const LONGEST: usize = 1 << 16;

impl Name {
    /// The name with this content. If it cannot be parsed, or is too long, it is equal only to the
    /// same bytes.
    pub(super) fn of(content: &[u8]) -> Self {
        let unread = || alloc::vec![alloc::vec![(None, Value::Other(content.to_vec()))]];
        let parts = match content.len() {
            0..=LONGEST => read(content).ok(),
            _ => None,
        };
        Self(parts.unwrap_or_else(unread))
    }
}

fn read(content: &[u8]) -> der::Result<Vec<Part>> {
    let mut reader = SliceReader::new(content)?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        let set = AnyRef::decode(&mut reader)?;
        set.tag().assert_eq(Tag::Set)?;
        let mut attributes = SliceReader::new(set.value())?;
        let mut part = Part::new();
        while !attributes.is_finished() {
            part.push(attributes.sequence(|attribute| {
                let kind = ObjectIdentifier::decode(attribute)?;
                let value = attribute.tlv_bytes()?;
                Ok::<_, der::Error>((Some(kind), self::value(value)))
            })?);
        }
        part.sort();
        parts.push(part);
    }
    Ok(parts)
}

fn value(whole: &[u8]) -> Value {
    let text = AnyRef::from_der(whole).ok().and_then(text);
    text.map_or_else(
        || Value::Other(whole.to_vec()),
        |text| Value::Text(folded(&text)),
    )
}

fn text(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => core::str::from_utf8(bytes).ok().map(Into::into),
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, []) = bytes.as_chunks() else {
                return None;
            };
            let units = units.iter().copied().map(u16::from_be_bytes);
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

/// In lower case, without leading and trailing blanks, and with one blank for several.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Name;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).expect("short")], content].concat()
    }

    /// An attribute of the type 2.5.4.`kind`.
    fn attribute(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
        tlv(
            0x30,
            &[&[6, 3, 0x55, 4, kind], &tlv(tag, text)[..]].concat(),
        )
    }

    fn common(tag: u8, text: &[u8]) -> Vec<u8> {
        tlv(0x31, &attribute(3, tag, text))
    }

    #[test]
    fn spellings_of_one_name() {
        let name = Name::of(&common(12, b"Maker 7"));
        for (tag, text) in [
            (12, &b"Maker 7"[..]),
            (19, b"Maker 7"),
            (22, b"Maker 7"),
            (20, b"Maker 7"),
            (30, b"\0M\0a\0k\0e\0r\0 \x007"),
            (12, b"MAKER 7"),
            (19, b"  maker   7 "),
        ] {
            assert_eq!(Name::of(&common(tag, text)), name, "{tag} {text:?}");
        }
        let umlaut = Name::of(&common(12, "\u{dc}nit".as_bytes()));
        assert_eq!(Name::of(&common(20, b"\xfcNIT")), umlaut);
        // The attributes of one part have no order.
        let (one, two) = (attribute(3, 12, b"a"), attribute(10, 12, b"b"));
        let together = |one: &[u8], two: &[u8]| Name::of(&tlv(0x31, &[one, two].concat()));
        assert_eq!(together(&one, &two), together(&two, &one));
    }

    /// Longer ones than any CA has are compared as bytes: reading them takes memory.
    #[test]
    fn long_names_are_not_read() {
        let long = |text: &[u8], times| common(12, text).repeat(times);
        let (few, many) = (5000, 7000);
        assert_eq!(Name::of(&long(b"a", few)), Name::of(&long(b"A", few)));
        assert_ne!(Name::of(&long(b"a", many)), Name::of(&long(b"A", many)));
        assert_eq!(Name::of(&long(b"a", many)), Name::of(&long(b"a", many)));
    }

    #[test]
    fn names_that_are_not_the_same() {
        let name = Name::of(&common(12, b"Maker 7"));
        for other in [
            common(12, b"Maker 8"),
            common(12, b"Maker7"),
            // Another type of attribute, another type of value, bytes that are no text.
            tlv(0x31, &attribute(10, 12, b"Maker 7")),
            common(4, b"Maker 7"),
            common(12, b"Maker\xff7"),
            common(30, b"\0M\0a\0k\0e\0r\0 \x007\0"),
            // More or fewer parts.
            [common(12, b"Maker 7"), common(12, b"Maker 7")].concat(),
            Vec::new(),
            // No name.
            b"Maker 7".to_vec(),
            tlv(0x30, &attribute(3, 12, b"Maker 7")),
        ] {
            assert_ne!(Name::of(&other), name, "{other:?}");
        }
        let (one, two) = (common(12, b"a"), common(12, b"b"));
        let parts = |one: &[u8], two: &[u8]| Name::of(&[one, two].concat());
        assert_ne!(parts(&one, &two), parts(&two, &one));
        assert_eq!(Name::of(b"no name"), Name::of(b"no name"));
        assert_ne!(Name::of(b"no name"), Name::of(b"no other"));
    }
}
