//! Wi-Fi passwords in rendezvous bytes that do not have the structure of instructions.

use crate::cbor::{Head, Items, Major, Reader, Span};
use crate::error::{DeviceError, ErrorKind, ReadError};
use crate::key::NullSink;
use crate::limits::Limits;

use super::variable::RvVariable;

/// Reports the place of every item after the code of RVWifiPw in an array, or under it in a map, at
/// any depth in these bytes. With `rest` the bytes are themselves the rest of an array.
///
/// It descends into arrays, maps, tags and byte strings, and stops where the bytes are not CBOR.
/// Each byte is examined once for each of at most [`Limits::MAX_DEPTH`] levels.
pub(crate) fn passwords(bytes: &[u8], span: Span, rest: bool, found: &mut impl FnMut(Span)) {
    let mut hunt = Hunt {
        reader: Reader::over(bytes, span),
        found,
    };
    hunt.sequence(rest, Limits::MAX_DEPTH);
}

struct Hunt<'a, 'f, F> {
    reader: Reader<'a, DeviceError>,
    found: &'f mut F,
}

impl<F: FnMut(Span)> Hunt<'_, '_, F> {
    fn sequence(&mut self, rest: bool, depth: usize) {
        let mut password = false;
        while let Some(next) = self.reader.peek() {
            // The end of an array that began earlier.
            if next == 0xff {
                let behind = self.reader.position().saturating_add(1);
                self.reader = self.reader.within(self.reader.rest(behind));
                password = false;
                continue;
            }
            let Ok(item) = self.value(password, depth) else {
                return;
            };
            password = rest && is_code(&item);
        }
    }

    fn item(&mut self, depth: usize) -> Result<Head, DeviceError> {
        let head = self.reader.head(&mut NullSink)?;
        match head.major {
            Major::Unsigned | Major::Negative | Major::Simple => {}
            _ if depth == 0 => return Err(<DeviceError as ReadError>::new(ErrorKind::LimitDepth)),
            Major::Bytes | Major::Text if head.is_indefinite() => {
                let mut chunks = Items::of(&head);
                while self.reader.more(&mut chunks)? {
                    let chunk = self.reader.head(&mut NullSink)?;
                    self.reader.content(&chunk)?;
                }
            }
            Major::Bytes | Major::Text => {
                let content = self.reader.content(&head)?;
                if head.major == Major::Bytes {
                    let inner = self.reader.within(content);
                    let outer = core::mem::replace(&mut self.reader, inner);
                    self.sequence(false, depth.saturating_sub(1));
                    self.reader = outer;
                }
            }
            Major::Tag => {
                self.item(depth.saturating_sub(1))?;
            }
            Major::Array | Major::Map => self.container(&head, depth.saturating_sub(1))?,
        }
        Ok(head)
    }

    fn container(&mut self, head: &Head, depth: usize) -> Result<(), DeviceError> {
        let mut items = Items::of(head);
        let mut password = false;
        while self.reader.more(&mut items)? {
            if head.major == Major::Map {
                let key = self.item(depth)?;
                self.value(is_code(&key), depth)?;
            } else {
                let item = self.value(password, depth)?;
                password = is_code(&item);
            }
        }
        Ok(())
    }

    /// Reads an item, which is a password where `password` says so. A number is none: it would be
    /// the second of a pair of numbers, such as a type and its encoding.
    fn value(&mut self, password: bool, depth: usize) -> Result<Head, DeviceError> {
        let start = self.reader.position();
        let simple = |byte: u8| matches!(byte >> 5, 0 | 1 | 7);
        if !password || self.reader.peek().is_none_or(simple) {
            return self.item(depth);
        }
        let result = self.item(depth);
        let end = match result {
            Ok(_) => self.reader.position(),
            Err(_) => self.reader.input().len(),
        };
        (self.found)(Span::new(start, end));
        result
    }
}

fn is_code(head: &Head) -> bool {
    head.major == Major::Unsigned && head.value == u64::from(RvVariable::WifiPw.code())
}
