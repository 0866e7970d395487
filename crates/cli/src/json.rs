//! The JSON objects of the lines that `ov` reads again: journals and receipts.

use alloc::collections::BTreeMap;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

/// An object. If two members have one name, readers disagree about which of them counts, so that
/// such an object is refused.
#[derive(Debug)]
pub(crate) struct Object(BTreeMap<String, Value>);

impl Object {
    /// `None` if these bytes are not one object with different names.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The text of a member.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_once() {
        let object = Object::parse(br#"{"a":"x", "b":{"a":1}}"#).unwrap();
        assert_eq!((object.text("a"), object.text("b")), (Some("x"), None));
        for other in [
            r#"{"a":"x","a":"y"}"#,
            r#"{"a":"x","a":"x"}"#,
            // The same name, spelled otherwise.
            r#"{"a":"x","\u0061":"y"}"#,
            r#"{"a":"x"}{}"#,
            r#"["a"]"#,
            r#"{"a":"x""#,
            "",
        ] {
            assert!(Object::parse(other.as_bytes()).is_none(), "{other}");
        }
    }
}
