//! `ov verify --expect`: what was to be delivered, and what was.

use alloc::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ownership_voucher::Guid;
use serde_json::json;

use crate::Failure;
use crate::input::Item;
use crate::lines::{BAD, Lines, PLAIN};
use crate::output::print_message;
use crate::report::{Standing, Verdict, count, object};
use crate::text::read_text;

/// A delivery note, and the vouchers that were found.
pub(crate) struct Delivery {
    expected: Expected,
    found: BTreeMap<Guid, Found>,
}

enum Expected {
    Number(usize),
    /// The GUIDs of the note.
    Devices(BTreeSet<Guid>),
}

/// The vouchers of one device.
struct Found {
    /// Those that were not rejected.
    good: usize,
    rejected: bool,
    /// The place of the first good one, and of the last.
    first: Option<Place>,
    last: Option<Place>,
}

#[derive(Clone)]
struct Place {
    name: String,
    source: alloc::sync::Arc<str>,
    index: usize,
    offset: Option<u64>,
}

impl Delivery {
    /// The note that the option names: a number, or a file.
    pub(crate) fn load(text: &str) -> Result<Self, Failure> {
        let expected = match text.parse() {
            Ok(number) => Expected::Number(number),
            Err(_) => Expected::Devices(guids(Path::new(text))?),
        };
        Ok(Self {
            expected,
            found: BTreeMap::new(),
        })
    }

    /// Records a voucher. One that cannot be read has no GUID.
    pub(crate) fn add(&mut self, verdict: &Verdict, item: &Item) {
        let Some(guid) = verdict.guid else { return };
        let found = self.found.entry(guid).or_insert(Found {
            good: 0,
            rejected: false,
            first: None,
            last: None,
        });
        if !matches!(
            verdict.standing(),
            Standing::Verified | Standing::Unanchored
        ) {
            found.rejected = true;
            return;
        }
        let place = Place {
            name: item.name(),
            source: item.source.clone(),
            index: item.index,
            offset: item.offset,
        };
        found.good = found.good.saturating_add(1);
        match &found.first {
            None => found.first = Some(place),
            Some(_) => found.last = Some(place),
        }
    }

    /// Names what is missing, extra and duplicate. Returns whether all is as expected.
    pub(crate) fn report(&self, json: bool, lines: &mut Lines) -> Result<bool, Failure> {
        let mut differences = [0_usize; 3];
        let mut tell = |number: usize, guid: &Guid, place: Option<&Place>, words: String| {
            let word = ["missing", "extra", "duplicate"]
                .get(number)
                .copied()
                .unwrap_or_default();
            if let Some(sum) = differences.get_mut(number) {
                *sum = sum.saturating_add(1);
            }
            match json {
                true => lines.line(&object(&[
                    ("record", json!("delivery")),
                    ("difference", json!(word)),
                    ("guid", json!(guid.to_string())),
                    ("source", json!(place.map(|place| &*place.source))),
                    ("index", json!(place.map(|place| place.index))),
                    ("file_offset", json!(place.and_then(|place| place.offset))),
                ])),
                false => lines.pieces(&[(BAD, word), (PLAIN, &format!("  {guid}{words}"))]),
            }
        };
        if let Expected::Devices(devices) = &self.expected {
            for guid in devices {
                match self.found.get(guid) {
                    Some(found) if found.good > 0 => {}
                    Some(_) => tell(0, guid, None, "  its voucher was rejected".into())?,
                    None => tell(0, guid, None, String::new())?,
                }
            }
        }
        let mut devices = 0_usize;
        for (guid, found) in self.found.iter().filter(|(_, found)| found.good > 0) {
            devices = devices.saturating_add(1);
            let Some(first) = &found.first else { continue };
            if let Expected::Devices(expected) = &self.expected
                && !expected.contains(guid)
            {
                tell(1, guid, Some(first), format!("  {}", first.name))?;
            }
            if let Some(last) = &found.last {
                let more = match found.good {
                    2 => String::new(),
                    good => format!(", {good} in all"),
                };
                let words = format!("  {}, and first {}{more}", last.name, first.name);
                tell(2, guid, Some(last), words)?;
            }
        }
        let [missing, extra, duplicate] = differences;
        let (expected, right) = match &self.expected {
            Expected::Number(number) => (*number, *number == devices),
            Expected::Devices(expected) => (expected.len(), missing == 0 && extra == 0),
        };
        let good = right && duplicate == 0;
        let mut summary = format!(
            "{} expected, {devices} found",
            count(expected, "device", "devices")
        );
        for (number, word) in [
            (missing, "missing"),
            (extra, "extra"),
            (duplicate, "duplicate"),
        ] {
            if number > 0 {
                summary += &format!(", {number} {word}");
            }
        }
        if good {
            summary += ": as expected";
        }
        match json {
            true => {
                lines.flush()?;
                print_message(&summary);
            }
            false => lines.line(&summary)?,
        }
        Ok(good)
    }
}

/// The GUIDs of a file.
fn guids(path: &Path) -> Result<BTreeSet<Guid>, Failure> {
    let text = read_text(path)?;
    let name = path.display();
    let mut guids = BTreeSet::new();
    for (number, line) in (1_usize..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let line = core::str::from_utf8(line.trim_ascii()).unwrap_or("?");
        if line.is_empty() {
            continue;
        }
        let fail = |why: &str| Failure::Message(format!("--expect: {name} line {number}: {why}"));
        let guid: Guid = line.parse().map_err(|_| {
            fail("32 hexadecimal digits of a GUID expected, with or without dashes, and nothing else")
        })?;
        if !guids.insert(guid) {
            return Err(fail(&format!("the GUID {guid} a second time")));
        }
    }
    match guids.is_empty() {
        true => Err(Failure::Message(format!(
            "--expect: {name} holds no GUID; a number, or a file with a GUID on each line expected"
        ))),
        false => Ok(guids),
    }
}
