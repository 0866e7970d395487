//! The devices of `ov new --devices`: a table in CSV (RFC 4180) with a heading, or JSON lines.
//! Nothing in it is guessed: an unknown column, a row of another length and a name twice are errors.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::fmt;
use std::path::Path;

use ownership_voucher::digest::Digest;
use ownership_voucher::{Guid, HmacSecret};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::Failure;
use crate::cli::unhex;
use crate::csv::{SEPARATORS, fields};
use crate::material::certificates;
use crate::secret::secret_of_text;
use crate::text::read_text;

/// The columns, and the members in JSON.
const COLUMNS: [&str; 5] = ["guid", "device_info", "device_chain", "hmac_secret", "hmac"];

/// One device.
pub(super) struct Device {
    /// Its line in the file, from 1.
    pub(super) line: usize,
    pub(super) guid: Option<Guid>,
    pub(super) info: Option<String>,
    pub(super) chain: Option<Arc<Vec<Vec<u8>>>>,
    pub(super) mac: Option<Mac>,
}

/// What authenticates the header of a device.
pub(super) enum Mac {
    Secret(HmacSecret),
    Value(Digest),
}

/// The devices of a file.
pub(super) fn devices(path: &Path) -> Result<Vec<Device>, Failure> {
    let text = read_text(path)?;
    let name = path.display();
    let fail = |why: &str| Failure::Message(format!("--devices: {name} {why}"));
    let text = core::str::from_utf8(&text).map_err(|_| fail("is not text in UTF-8"))?;
    let json = text.trim_start().starts_with('{');
    let mut reader = Reader::default();
    let mut devices = Vec::new();
    let mut heading: Option<Heading<'_>> = None;
    for (line, row) in (1_usize..).zip(text.lines()) {
        if row.trim().is_empty() {
            continue;
        }
        let fail = |why: String| fail(&format!("line {line}: {why}"));
        let device = match (&heading, json) {
            (_, true) => {
                let Row(members) = serde_json::from_str(row)
                    .map_err(|error| fail(format!("a JSON object of texts expected: {error}")))?;
                let members = members.iter().map(|(name, value)| (&**name, &**value));
                reader.device(line, members)
            }
            (None, false) => {
                heading = Some(columns(row).map_err(fail)?);
                continue;
            }
            (Some(heading), false) => {
                let fields = fields(row, &[heading.separator])
                    .ok_or_else(|| fail("a quotation mark is open".into()))?;
                let names = &heading.names;
                if fields.len() != names.len() {
                    let (found, expected) = (fields.len(), names.len());
                    return Err(fail(format!("{found} fields found, {expected} expected")));
                }
                let members = names.iter().map(|name| &**name);
                let members = members.zip(fields.iter().map(|field| &**field));
                reader.device(line, members)
            }
        };
        devices.push(device.map_err(fail)?);
    }
    match devices.is_empty() {
        true => Err(fail(
            "holds no device; expected CSV with a heading, or a JSON object on each line",
        )),
        false => Ok(devices),
    }
}

/// The heading of CSV. Its separator is that of all rows.
struct Heading<'t> {
    names: Vec<Cow<'t, str>>,
    separator: char,
}

fn columns(row: &str) -> Result<Heading<'_>, String> {
    let separator = row.chars().find(|it| SEPARATORS.contains(it));
    let separator = separator.unwrap_or(',');
    let names = fields(row, &[separator]).ok_or("a quotation mark is open")?;
    let unknown = names.iter().find(|name| !COLUMNS.contains(&&***name));
    if let Some(name) = unknown {
        let known = COLUMNS.join(", ");
        return Err(format!(
            "a column {name:?} found; a heading of these expected: {known}"
        ));
    }
    let distinct: BTreeSet<&str> = names.iter().map(|name| &**name).collect();
    match distinct.len() == names.len() {
        true => Ok(Heading { names, separator }),
        false => Err("a column twice".into()),
    }
}

/// Reads devices, and each file of certificates once.
#[derive(Default)]
struct Reader {
    chains: BTreeMap<String, Arc<Vec<Vec<u8>>>>,
    guids: BTreeMap<Guid, usize>,
}

impl Reader {
    fn device<'t>(
        &mut self,
        line: usize,
        members: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Result<Device, String> {
        let mut device = Device {
            line,
            guid: None,
            info: None,
            chain: None,
            mac: None,
        };
        for (name, value) in members {
            if !COLUMNS.contains(&name) {
                let known = COLUMNS.join(", ");
                return Err(format!("a member {name:?} found; expected {known}"));
            }
            // An empty field is left to the options.
            if value.is_empty() {
                continue;
            }
            match name {
                "guid" => device.guid = Some(self.guid(line, value)?),
                "device_info" => device.info = Some(value.to_owned()),
                "device_chain" => device.chain = Some(self.chain(value)?),
                _ if device.mac.is_some() => {
                    return Err("hmac_secret and hmac; expected one of them".into());
                }
                "hmac_secret" => device.mac = Some(Mac::Secret(secret_of_text(value)?)),
                _ => {
                    let digest = unhex(value).and_then(|bytes| Digest::from_bytes(&bytes));
                    let wanted = "hmac: 64 or 96 hexadecimal digits expected";
                    device.mac = Some(Mac::Value(digest.ok_or(wanted)?));
                }
            }
        }
        Ok(device)
    }

    fn guid(&mut self, line: usize, text: &str) -> Result<Guid, String> {
        let guid: Guid = text.parse().map_err(|_| {
            "guid: 32 hexadecimal digits expected, with or without dashes".to_owned()
        })?;
        match self.guids.insert(guid, line) {
            Some(first) => Err(format!(
                "the GUID {guid} a second time, first in line {first}"
            )),
            None => Ok(guid),
        }
    }

    fn chain(&mut self, path: &str) -> Result<Arc<Vec<Vec<u8>>>, String> {
        if let Some(chain) = self.chains.get(path) {
            return Ok(Arc::clone(chain));
        }
        let chain = certificates(Path::new(path)).map_err(|failure| match failure {
            Failure::Message(message) | Failure::Rejected(message) => {
                format!("device_chain: {message}")
            }
            Failure::Closed => "device_chain: it was closed".into(),
        })?;
        let chain = Arc::new(chain);
        self.chains.insert(path.to_owned(), Arc::clone(&chain));
        Ok(chain)
    }
}

/// The members of a JSON object, all of them texts, each name once.
struct Row<'a>(BTreeMap<Text<'a>, Text<'a>>);

/// A text, borrowed where nothing in it is escaped.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(Cow<'a, str>);

impl core::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Texts)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Row<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name twice"));
                    }
                }
                Ok(Row(members))
            }
        }
        from.deserialize_map(Members)
    }
}
