//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2): of owners, public and private.

use alloc::collections::BTreeMap;
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ownership_voucher::{ErrorKind, KeyType, LocalKey, PublicKey};
use pkcs1::{RsaPrivateKey, UintRef};
use pkcs8::SecretDocument;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::named;
use super::refused::Refused;
use crate::report::Problem;

/// The key of a JWK.
pub(super) enum Jwk {
    Public(PublicKey),
    Private(LocalKey),
}

/// The maximum bytes of a set: a parsed one takes many times its size. 10^4 keys have 3 MiB.
const MOST: usize = 4 << 20;

/// The keys of a JWK, or of a set of them (RFC 7517 §5); `None` if these bytes are neither.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Result<Jwk, Refused>>> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    if bytes.len() > MOST {
        return Some(vec![Err(bad("JSON of more than 4 MiB"))]);
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let Value::Object(mut members) = value else {
        return None;
    };
    if let Some(Value::List(keys)) = members.remove("keys") {
        let mut read = Vec::new();
        for key in &keys {
            let key = match key {
                Value::Object(members) => checked(members),
                _ => Err(bad("a JWK that is no object")),
            };
            let ends = key.is_err();
            read.push(key);
            // The first that is refused is the error.
            if ends {
                break;
            }
        }
        return Some(read);
    }
    members.contains_key("kty").then(|| vec![checked(&members)])
}

type Members = BTreeMap<String, Value>;

/// The key, or why it is none; a private part is noted whatever else is wrong.
fn checked(members: &Members) -> Result<Jwk, Refused> {
    let private = ["d", "k"].iter().any(|name| members.contains_key(*name));
    key_of(members).map_err(|refused| refused.of(private))
}

fn key_of(members: &Members) -> Result<Jwk, Refused> {
    let text = |name: &str| match members.get(name) {
        Some(Value::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let private = members.contains_key("d");
    match (text("kty"), text("crv")) {
        (Some("EC"), Some(curve @ ("P-256" | "P-384"))) => {
            let (key_type, len) = match curve {
                "P-256" => (KeyType::Secp256r1, 32),
                _ => (KeyType::Secp384r1, 48),
            };
            let mut point = vec![4];
            for name in ["x", "y"] {
                point.extend_from_slice(&number(members, name, Some(len))?);
            }
            let public = PublicKey::from_sec1(&point).map_err(|error| message(&error))?;
            of_secret(members, private, key_type, len, public)
        }
        (Some("OKP"), Some("Ed25519")) => {
            let x = number(members, "x", Some(32))?;
            let x = x.first_chunk().ok_or_else(|| bad("a JWK without x"))?;
            let public = PublicKey::from_ed25519(x).map_err(|error| message(&error))?;
            of_secret(members, private, KeyType::Ed25519, 32, public)
        }
        (Some("RSA"), _) => {
            let (n, e) = (number(members, "n", None)?, number(members, "e", None)?);
            let public = PublicKey::from_rsa(&n, &e).map_err(|error| message(&error))?;
            match private {
                false => Ok(Jwk::Public(public)),
                true => rsa(members, &n, &e).map(Jwk::Private),
            }
        }
        (Some("oct"), _) => Err(other("a symmetric key as JWK, which owns nothing")),
        (Some("EC" | "OKP"), Some(_)) => Err(other("a JWK on a curve that FDO does not have")),
        _ => Err(other("a JWK of a kind that FDO does not have")),
    }
}

/// The private key if there is one. Public and private parts must belong together.
fn of_secret(
    members: &Members,
    private: bool,
    key_type: KeyType,
    len: usize,
    public: PublicKey,
) -> Result<Jwk, Refused> {
    if !private {
        return Ok(Jwk::Public(public));
    }
    let secret = number(members, "d", Some(len))?;
    let key = LocalKey::from_secret(key_type, &secret).map_err(|error| message(&error))?;
    match key.public_key() == public {
        true => Ok(Jwk::Private(key)),
        false => Err(bad(
            "a JWK whose public and private parts do not belong together",
        )),
    }
}

/// All numbers of RFC 7518 §6.3.2 are needed: without the primes nothing is computed with CRT.
fn rsa(members: &Members, n: &[u8], e: &[u8]) -> Result<LocalKey, Refused> {
    if members.contains_key("oth") {
        return Err(bad("an RSA key with more than two primes as JWK"));
    }
    let part = |name| {
        let more = "(p, q, dp, dq and qi are needed too)";
        let missing = |_| bad(format!("an RSA private key as JWK without {name} {more}"));
        number(members, name, None).map_err(missing)
    };
    let (d, p, q) = (part("d")?, part("p")?, part("q")?);
    let (dp, dq, qi) = (part("dp")?, part("dq")?, part("qi")?);
    let uint = |bytes| UintRef::new(bytes).map_err(|_| bad("a JWK with a bad number"));
    let key = RsaPrivateKey {
        modulus: uint(n)?,
        public_exponent: uint(e)?,
        private_exponent: uint(&d)?,
        prime1: uint(&p)?,
        prime2: uint(&q)?,
        exponent1: uint(&dp)?,
        exponent2: uint(&dq)?,
        coefficient: uint(&qi)?,
        other_prime_infos: None,
    };
    let der = SecretDocument::encode_msg(&key).map_err(|_| bad("a JWK with a bad number"))?;
    LocalKey::from_der(der.as_bytes()).map_err(|error| message(&error))
}

/// The bytes of a member, which have a fixed length for a curve (RFC 7518 §6.2.1.2).
fn number(
    members: &Members,
    name: &str,
    len: Option<usize>,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let Some(Value::Text(text)) = members.get(name) else {
        return Err(bad(format!("a JWK without {name}")));
    };
    let bytes = Base64UrlUnpadded::decode_vec(text.trim_end_matches('='));
    let bytes =
        Zeroizing::new(bytes.map_err(|_| bad(format!("a JWK whose {name} is no base64url")))?);
    match len {
        Some(len) if bytes.len() != len => Err(bad(format!(
            "a JWK whose {name} has {} bytes in place of {len}",
            bytes.len()
        ))),
        _ => Ok(bytes),
    }
}

/// A key that FDO has, in a JWK that is wrong.
fn bad(what: impl Into<String>) -> Refused {
    Refused::new(what, "")
}

/// A key that FDO does not have.
fn other(what: &str) -> Refused {
    Refused::new(what, named::KEYS)
}

fn message(error: &ownership_voucher::Error) -> Refused {
    let why = Problem::from(error).message;
    match error.kind() {
        ErrorKind::RsaModulus | ErrorKind::RsaExponent => other(&format!("a JWK ({why})")),
        _ => bad(format!("a JWK that is not usable ({why})")),
    }
}

/// What a JWK may hold. Texts are wiped; a name that is there twice is an error.
enum Value {
    Text(Zeroizing<String>),
    Object(Members),
    List(Vec<Self>),
    Other,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JWK")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(Zeroizing::new(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = Members::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name twice"));
                    }
                }
                Ok(Value::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Value::List(values))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7517 §A.2: a private key on P-256. RFC 8037 §A.1: an Ed25519 key.
    const EC: &str = r#"{"kty":"EC","crv":"P-256",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#;
    const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn one(text: &str) -> Result<Jwk, Refused> {
        let mut keys = read(text.as_bytes()).expect("a JWK");
        assert_eq!(keys.len(), 1);
        keys.remove(0)
    }

    fn refused(text: &str) -> String {
        match one(text) {
            Ok(_) => panic!("read: {text}"),
            Err(refused) => match refused.message("f", "x") {
                crate::Failure::Message(message) | crate::Failure::Rejected(message) => message,
                crate::Failure::Closed => panic!("closed"),
            },
        }
    }

    #[test]
    fn the_keys_of_the_standards_are_read() {
        for text in [EC, OKP] {
            assert!(matches!(one(text), Ok(Jwk::Private(_))), "{text}");
            let public = text.replace("\"d\":", "\"other\":");
            assert!(matches!(one(&public), Ok(Jwk::Public(_))), "{text}");
        }
        // With padding, as some programs write it.
        let padded = OKP.replace("PcHURo", "PcHURo=");
        assert!(one(&padded).is_ok());
        assert!(read(b"{\"keys\":[]}").expect("a set").is_empty());
        for other in ["", "{", "[]", "{\"a\":1}", "1", "{\"kty\":\"EC\"}x"] {
            assert!(read(other.as_bytes()).is_none(), "{other}");
        }
        let long = format!("{}{}", EC, " ".repeat(MOST));
        assert!(refused(&long).contains("more than 4 MiB"));
        // Two members of one name: readers disagree about which of them counts.
        let twice = EC.replace("\"kid\":\"1\"", "\"d\":\"AA\"");
        assert!(read(twice.as_bytes()).is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |from: &str, to: &str| refused(&EC.replace(from, to));
        for (message, why) in [
            (with("MKBC", ""), "x has 29 bytes in place of 32"),
            (with("MKBC", "AAAAMKBC"), "x has 35 bytes in place of 32"),
            (with("870M", ""), "d has 29 bytes in place of 32"),
            (with("4Etl", "5Etl"), "not usable"),
            (with("870M", "970M"), "do not belong together"),
            (with("MKBC", "M*BC"), "x is no base64url"),
            (with("\"y\"", "\"z\""), "without y"),
            (with("\"x\":\"MK", "\"x\":1,\"z\":\"MK"), "without x"),
            (with("P-256", "secp256k1"), "a curve that FDO does not have"),
            (with("\"EC\"", "\"XX\""), "a kind that FDO does not have"),
            (
                refused(r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#),
                "2048 or 3072 bits",
            ),
            (refused(r#"{"keys":[1]}"#), "no object"),
        ] {
            assert!(message.contains(why), "{message}");
        }
    }
}
