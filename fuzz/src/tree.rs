//! Bytes as a tree of CBOR items that writes the same bytes again, to be changed in between.
//!
//! Byte strings that hold one array or map are opened: header, payload and protected header of a
//! voucher are written like that. Heads keep their width, so that odd spellings survive.

/// How the head of an item is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Shortest,
    /// This many bytes behind the first: 1, 2, 4 or 8, if the number fits.
    Wide(u8),
    /// Indefinite length; a string gets exactly one chunk.
    Open,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub width: Width,
    pub item: Item,
}

#[derive(Clone, Debug)]
pub enum Item {
    Unsigned(u64),
    /// The number is -1 - n.
    Negative(u64),
    Bytes(Vec<u8>),
    /// A byte string that holds items.
    Wrapped(Vec<Node>),
    Text(Vec<u8>),
    Array(Vec<Node>),
    /// Label, value, label, value.
    Map(Vec<Node>),
    Tag(u64, Vec<Node>),
    /// Simple values, floats, and whatever has no other place here.
    Raw(Vec<u8>),
}

const DEPTH: usize = 24;

impl Node {
    pub const fn new(item: Item) -> Self {
        Self {
            width: Width::Shortest,
            item,
        }
    }

    pub fn int(number: i128) -> Self {
        let magnitude = if number < 0 { !number } else { number };
        let magnitude = u64::try_from(magnitude).unwrap_or(u64::MAX);
        Self::new(match number {
            0.. => Item::Unsigned(magnitude),
            _ => Item::Negative(magnitude),
        })
    }

    pub fn bytes(bytes: &[u8]) -> Self {
        Self::new(Item::Bytes(bytes.to_vec()))
    }

    pub const fn array(items: Vec<Self>) -> Self {
        Self::new(Item::Array(items))
    }

    /// The item that fills the bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let node = read_item(&mut rest, DEPTH)?;
        rest.is_empty().then_some(node)
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The items inside.
    pub fn children(&self) -> &[Self] {
        match &self.item {
            Item::Wrapped(items) | Item::Array(items) | Item::Map(items) | Item::Tag(_, items) => {
                items
            }
            _ => &[],
        }
    }

    pub fn children_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.item {
            Item::Wrapped(items) | Item::Array(items) | Item::Map(items) | Item::Tag(_, items) => {
                Some(items)
            }
            _ => None,
        }
    }

    /// How many items there are, this one counted.
    pub fn count(&self) -> usize {
        1 + self.children().iter().map(Self::count).sum::<usize>()
    }

    /// The item of that number, counted as they are written.
    pub fn nth_mut(&mut self, number: &mut usize) -> Option<&mut Self> {
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        self.children_mut()?
            .iter_mut()
            .find_map(|child| child.nth_mut(number))
    }

    pub fn get(&self, place: usize) -> Option<&Self> {
        self.children().get(place)
    }

    pub fn get_mut(&mut self, place: usize) -> Option<&mut Self> {
        self.children_mut()?.get_mut(place)
    }

    /// The content of a byte or text string.
    pub fn content(&self) -> Option<Vec<u8>> {
        match &self.item {
            Item::Bytes(bytes) | Item::Text(bytes) => Some(bytes.clone()),
            Item::Wrapped(items) => Some(items.iter().flat_map(Self::to_vec).collect()),
            _ => None,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match &self.item {
            Item::Unsigned(number) => head(out, 0, *number, self.width),
            Item::Negative(number) => head(out, 1, *number, self.width),
            Item::Bytes(bytes) => string(out, 2, bytes, self.width),
            Item::Text(bytes) => string(out, 3, bytes, self.width),
            Item::Wrapped(_) => string(out, 2, &self.content().unwrap_or_default(), self.width),
            Item::Array(items) => list(out, 4, items.len(), items, self.width),
            Item::Map(items) => list(out, 5, items.len() / 2, items, self.width),
            Item::Tag(number, items) => {
                head(out, 6, *number, self.width);
                items.iter().for_each(|item| item.write(out));
            }
            Item::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }
}

fn head(out: &mut Vec<u8>, major: u8, number: u64, width: Width) {
    let least = match number {
        0..=23 => 0,
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let bytes = match width {
        Width::Wide(bytes @ (1 | 2 | 4 | 8)) => bytes.max(least),
        _ => least,
    };
    match bytes {
        0 => out.push(major << 5 | number as u8),
        _ => {
            out.push(major << 5 | 24 + bytes.trailing_zeros() as u8);
            out.extend_from_slice(&number.to_be_bytes()[8 - usize::from(bytes)..]);
        }
    }
}

fn string(out: &mut Vec<u8>, major: u8, content: &[u8], width: Width) {
    if width == Width::Open {
        out.push(major << 5 | 31);
    }
    head(out, major, content.len() as u64, width);
    out.extend_from_slice(content);
    if width == Width::Open {
        out.push(0xff);
    }
}

fn list(out: &mut Vec<u8>, major: u8, count: usize, items: &[Node], width: Width) {
    match width {
        Width::Open => out.push(major << 5 | 31),
        _ => head(out, major, count as u64, width),
    }
    items.iter().for_each(|item| item.write(out));
    if width == Width::Open {
        out.push(0xff);
    }
}

fn take<'b>(rest: &mut &'b [u8], len: u64) -> Option<&'b [u8]> {
    let (taken, behind) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    *rest = behind;
    Some(taken)
}

/// Major type, number (`None` for indefinite length), width.
fn read_head(rest: &mut &[u8]) -> Option<(u8, Option<u64>, Width)> {
    let first = take(rest, 1)?[0];
    let (major, info) = (first >> 5, first & 31);
    let bytes = match info {
        0..=23 => return Some((major, Some(info.into()), Width::Shortest)),
        24..=27 => 1 << (info - 24),
        31 if (2..=5).contains(&major) => return Some((major, None, Width::Open)),
        _ => return None,
    };
    let number = take(rest, bytes)?
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte));
    Some((major, Some(number), Width::Wide(bytes as u8)))
}

fn read_item(rest: &mut &[u8], depth: usize) -> Option<Node> {
    let depth = depth.checked_sub(1)?;
    let whole = *rest;
    let (major, number, mut width) = read_head(rest)?;
    let item = match (major, number) {
        (0, Some(number)) => Item::Unsigned(number),
        (1, Some(number)) => Item::Negative(number),
        (2 | 3, _) => {
            let len = match number {
                Some(len) => len,
                // One chunk with a shortest head; others are left to random bytes.
                None => read_head(rest).filter(|chunk| chunk.0 == major)?.1?,
            };
            let content = take(rest, len)?;
            if number.is_none() {
                take(rest, 1).filter(|end| *end == [0xff])?;
            }
            if major == 3 {
                Item::Text(content.to_vec())
            } else {
                wrapped(content, depth).unwrap_or_else(|| Item::Bytes(content.to_vec()))
            }
        }
        (4 | 5, _) => {
            let per = u64::from(major - 3);
            let mut left = number.map(|count| count.saturating_mul(per));
            let mut items = Vec::new();
            loop {
                match &mut left {
                    Some(0) => break,
                    Some(left) => *left -= 1,
                    None if rest.first() == Some(&0xff) => {
                        *rest = &rest[1..];
                        break;
                    }
                    None => {}
                }
                items.push(read_item(rest, depth)?);
            }
            if major == 4 {
                Item::Array(items)
            } else {
                Item::Map(items)
            }
        }
        (6, Some(number)) => Item::Tag(number, vec![read_item(rest, depth)?]),
        _ => {
            width = Width::Shortest;
            Item::Raw(whole[..whole.len() - rest.len()].to_vec())
        }
    };
    Some(Node { width, item })
}

/// The array or map that fills a byte string.
fn wrapped(content: &[u8], depth: usize) -> Option<Item> {
    if !matches!(content.first()? >> 5, 4 | 5) {
        return None;
    }
    let mut rest = content;
    let node = read_item(&mut rest, depth)?;
    rest.is_empty().then(|| Item::Wrapped(vec![node]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise every mutant would differ in more than the part that was changed.
    #[test]
    fn every_voucher_is_written_as_it_was_read() {
        let mut opened = 0;
        for voucher in crate::vectors::vouchers() {
            if let Some(node) = Node::read(&voucher) {
                assert_eq!(node.to_vec(), voucher);
                opened += 1;
            }
        }
        assert!(opened > 1000, "{opened} vouchers opened");
    }
}
