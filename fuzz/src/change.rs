//! A voucher taken apart, one part changed, and put together again; and the same as libFuzzer's
//! mutator.

use std::sync::LazyLock;

use libfuzzer_sys::fuzzer_mutate;

use crate::PREFIX;
use crate::dice::Dice;
use crate::keys::{ATTACKER, HONEST, Signer};
use crate::seal::seal;
use crate::tree::{Item, Node, Width};
use crate::vectors;

/// Vouchers to take parts from.
static POOL: LazyLock<Vec<Node>> = LazyLock::new(|| {
    let small = vectors::valid()
        .into_iter()
        .filter(|bytes| bytes.len() < 6000);
    small.filter_map(|bytes| Node::read(&bytes)).collect()
});

/// Items to put in the place of others, in CBOR.
const ITEMS: &[&[u8]] = &[
    b"\x00",
    b"\x01",
    b"\x05",
    b"\x06",
    b"\x0a",
    b"\x0b",
    b"\x20",
    b"\x26",
    b"\x2f",
    b"\x38\x22",
    b"\x38\x2a",
    b"\x39\x01\x00",
    b"\x39\x01\x01",
    b"\x18\x01",
    b"\x18\x64",
    b"\x18\x65",
    b"\x18\xc8",
    b"\x19\x01\x0a",
    b"\x1a\x00\x01\x00\x65",
    b"\x3a\x00\x01\x11\x70",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x40",
    b"\x41\x00",
    b"\x42\x18\x01",
    b"\x44\x7f\x00\x00\x01",
    b"\x60",
    b"\x61a",
    b"\x62\xff\xfe",
    b"\x80",
    b"\x81\x00",
    b"\x81\x80",
    b"\x9f\xff",
    b"\xa0",
    b"\xa1\x01\x26",
    b"\xa1\x04\x41\x00",
    b"\xa1\x3a\x00\x01\x11\x70\x41\x00",
    b"\xbf\xff",
    b"\xbf\x00\xff",
    b"\xd2\x00",
    b"\xd2\x84",
    b"\xf4",
    b"\xf5",
    b"\xf6",
    b"\xf7",
    b"\xf8\x1f",
    b"\xf8\x20",
    b"\xf9\x3c\x00",
    b"\xff",
    b"\x1c",
    b"\x5f\x41\x00\x41\x00\xff",
    b"\x5f\xff",
    b"\x7f\x61a\xff",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x00",
];

/// The steps from a number to one that is like it for those who cut it short.
const STEPS: &[i128] = &[
    1,
    -1,
    16,
    100,
    1 << 8,
    -(1 << 8),
    1 << 16,
    1 << 31,
    1 << 32,
    -(1 << 32),
];

fn item(dice: &mut Dice) -> Node {
    Node::new(Item::Raw(
        dice.pick(ITEMS).map_or(vec![0xf6], |item| item.to_vec()),
    ))
}

/// Some item of some voucher.
fn found(dice: &mut Dice) -> Option<Node> {
    let mut voucher = dice.pick(&POOL)?.clone();
    let mut number = dice.below(voucher.count());
    voucher.nth_mut(&mut number).cloned()
}

fn some_key(signers: &[Signer], dice: &mut Dice) -> Option<Node> {
    let signer = dice.pick(signers)?;
    let lies = [1, 5, 6, 10, 11, -70001];
    let label = if dice.once_in(4) {
        dice.pick(&lies).copied()
    } else {
        None
    };
    Some(signer.node(label, dice.below(3)))
}

/// Changes the string, the number or the head of an item.
fn alter(node: &mut Node, dice: &mut Dice) {
    if dice.once_in(6) {
        node.width = match dice.below(6) {
            0 => Width::Open,
            1 => Width::Shortest,
            power => Width::Wide(1 << (power - 2)),
        };
        return;
    }
    match &mut node.item {
        Item::Unsigned(number) | Item::Negative(number) => {
            let step = dice.pick(STEPS).copied().unwrap_or(1);
            *number = number.wrapping_add(step as u64);
            if dice.once_in(8) {
                *node = Node::int(!i128::from(*number));
            }
        }
        Item::Bytes(bytes) | Item::Text(bytes) => alter_bytes(bytes, dice),
        Item::Tag(number, _) => *number = number.wrapping_add(dice.below(300) as u64),
        Item::Wrapped(items) => {
            if dice.once_in(2) {
                items.push(item(dice));
            } else {
                node.item = Item::Array(core::mem::take(items));
            }
        }
        Item::Array(_) | Item::Map(_) | Item::Raw(_) => *node = item(dice),
    }
}

fn alter_bytes(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.push(0),
        2 => bytes.insert(0, 0),
        3 => bytes.fill(0),
        4 => bytes.fill(0xff),
        5 => bytes.reverse(),
        6 if !bytes.is_empty() => drop(bytes.remove(at)),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
    }
}

/// Moves, drops or doubles items of one list.
fn rearrange(items: &mut Vec<Node>, dice: &mut Dice) {
    let (from, to) = (dice.below(items.len()), dice.below(items.len()));
    match dice.below(6) {
        0 if !items.is_empty() => drop(items.remove(from)),
        1 if !items.is_empty() => items.insert(to, items[from].clone()),
        2 if !items.is_empty() => items.swap(from, to),
        3 => items.reverse(),
        4 => items.truncate(from),
        _ => items.insert(to, item(dice)),
    }
}

/// One change somewhere in the voucher.
pub fn change(voucher: &mut Node, signers: &[Signer], dice: &mut Dice) -> Option<()> {
    let mut number = dice.below(voucher.count());
    match dice.below(16) {
        0..6 => alter(voucher.nth_mut(&mut number)?, dice),
        6..9 => {
            // A list rather than one of the many items that have nothing in them.
            for _ in 0..8 {
                let mut number = dice.below(voucher.count());
                if let Some(items) = voucher.nth_mut(&mut number)?.children_mut() {
                    rearrange(items, dice);
                    break;
                }
            }
        }
        9 => rearrange(voucher.get_mut(4)?.children_mut()?, dice),
        10 => {
            let entry = dice.pick(&POOL)?.get(4)?.get(0)?.clone();
            let entries = voucher.get_mut(4)?.children_mut()?;
            entries.insert(dice.below(entries.len() + 1), entry);
        }
        11 | 12 => *some_place(voucher, dice)? = some_key(signers, dice)?,
        13 => *voucher.nth_mut(&mut number)? = found(dice)?,
        14 => {
            let mut from = dice.below(voucher.count());
            let copy = voucher.nth_mut(&mut from)?.clone();
            *voucher.nth_mut(&mut number)? = copy;
        }
        _ => {
            let node = voucher.nth_mut(&mut number)?;
            let inner = core::mem::replace(node, Node::int(0));
            node.item = match dice.below(4) {
                0 => Item::Wrapped(vec![inner]),
                1 => Item::Array(vec![inner]),
                2 => Item::Tag(18, vec![inner]),
                _ => inner.children().first().cloned().unwrap_or(inner).item,
            };
        }
    }
    Some(())
}

/// A place where a public key stands: in the header, or in an entry.
fn some_place<'v>(voucher: &'v mut Node, dice: &mut Dice) -> Option<&'v mut Node> {
    let count = voucher.get(4)?.children().len();
    match dice.below(count + 1).checked_sub(1) {
        None => voucher.get_mut(1)?.get_mut(0)?.get_mut(4),
        Some(number) => {
            let mut entry = voucher.get_mut(4)?.get_mut(number)?;
            while let Item::Tag(..) = entry.item {
                entry = entry.get_mut(0)?;
            }
            entry.get_mut(2)?.get_mut(0)?.get_mut(3)
        }
    }
}

/// The voucher with some changes; hashes and signatures made anew in most cases.
pub fn mutant(bytes: &[u8], signers: &[Signer], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut voucher = if dice.once_in(24) {
        dice.pick(&POOL)?.clone()
    } else {
        Node::read(bytes)?
    };
    for _ in 0..=dice.below(3) {
        change(&mut voucher, signers, dice);
    }
    if !dice.once_in(3) {
        seal(&mut voucher, signers, dice);
    }
    Some(voucher.to_vec())
}

/// Whose keys sign again what was changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of the vectors, so that changes get past hashes and signatures.
    Honest,
    /// An attacker's, who has none of those.
    Attacker,
}

/// The mutator of all targets whose input is [`PREFIX`] bytes of choices and a voucher.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, whose: Whose) -> usize {
    let mut dice = Dice::new(seed.into());
    if size <= PREFIX || dice.once_in(6) {
        return fuzzer_mutate(data, size, max_size);
    }
    if dice.once_in(3) {
        data[dice.below(PREFIX)] = dice.next() as u8;
    }
    let signers = match whose {
        Whose::Honest => &*HONEST,
        Whose::Attacker => &*ATTACKER,
    };
    let Some(voucher) = mutant(&data[PREFIX..size], signers, &mut dice) else {
        return fuzzer_mutate(data, size, max_size);
    };
    let room = data.len().min(max_size);
    let Some(place) = data[..room].get_mut(PREFIX..PREFIX + voucher.len()) else {
        return fuzzer_mutate(data, size, max_size);
    };
    place.copy_from_slice(&voucher);
    PREFIX + voucher.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownership_voucher::{Allowance, Policy};
    use std::collections::BTreeMap;

    /// How often mutants got which verdict.
    fn verdicts(signers: &[Signer]) -> BTreeMap<&'static str, usize> {
        let policy = Allowance::ALL
            .iter()
            .fold(Policy::any_origin(), |policy, &one| policy.allow(one));
        let mut found = BTreeMap::new();
        let small = vectors::valid()
            .into_iter()
            .filter(|bytes| bytes.len() < 1200);
        for (seed, bytes) in small.cycle().take(2000).enumerate() {
            let mut dice = Dice::new(seed as u64);
            let Some(mutant) = mutant(&bytes, signers, &mut dice) else {
                continue;
            };
            let verdict = policy
                .verify(&mutant)
                .map_or_else(|error| error.kind().name(), |_| "verified");
            *found.entry(verdict).or_default() += 1;
        }
        println!("{found:?}");
        found
    }

    /// Otherwise the targets would test the reader, and nothing behind it.
    #[test]
    fn mutants_reach_the_checks() {
        let found = verdicts(&HONEST);
        let count = |name| found.get(name).copied().unwrap_or(0);
        assert!(
            count("verified") > 200 && found.len() > 30,
            "{} verdicts",
            found.len()
        );
        for name in [
            "previous-hash-mismatch",
            "header-info-hash-mismatch",
            "chain-hash-mismatch",
            "signature-invalid",
        ] {
            assert!(count(name) > 0, "none was refused for {name}");
        }
        assert!(
            verdicts(&ATTACKER)
                .get("verified")
                .is_some_and(|&count| count > 100)
        );
    }
}
