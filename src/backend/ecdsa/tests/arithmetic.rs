//! Instructions against their definition, and entries of tables.

use alloc::{vec, vec::Vec};

use super::Random;
use crate::backend::{
    Backend,
    ecdsa::{
        curve::Curve,
        domain::{P256, P384},
        field::{Engine, Field},
        radix52::Engine52,
    },
    lanes::{Emulated, MAX_LANES, Pair, Word},
    tests::{backends, on_ifma},
};

on_ifma!(p256_entries, p384_entries, instructions);

/// Points come back from a table as they went in, lane by lane.
fn entries<F: Field, C: Curve<Entry = F::Entry>>(f: F) {
    use crate::backend::ecdsa::domain::Entry;
    let mut table = vec![C::Entry::ZERO; 40];
    let mut random = Random(62);
    for entry in &mut table {
        for word in entry.words_mut() {
            *word = random.below(u64::MAX) >> 1;
        }
    }
    let index: [u32; MAX_LANES] = core::array::from_fn(|lane| (7 * lane % 40) as u32);
    let (x, y) = f.load_entries(&table, &index);
    let mut copy = vec![C::Entry::ZERO; 40];
    f.store_entries(&x, &y, &mut copy, &index, F::LANES);
    for lane in 0..F::LANES {
        assert_eq!(copy[index[lane] as usize], table[index[lane] as usize]);
    }
    let minus = f.negate_where(&y, 0b1010_1010_1010_1010);
    let sum: F::Fe<2> = f.add(&minus, &y);
    assert_eq!(
        f.is_zero(&sum),
        0b1010_1010_1010_1010 & (u32::MAX >> (32 - F::LANES))
    );
    f.store_entries(&x, &y, &mut copy, &[39; MAX_LANES], 0);
    assert!(F::LANES > 5 || copy[39] == C::Entry::ZERO);
}

/// Radix 2^52 in plain words and in pairs of them, and 64-bit words; or vectors.
fn engines<C: Curve>()
where
    Engine52<Emulated, C>: Engine<Entry = C::Entry>,
    Engine52<Pair<Emulated>, C>: Engine<Entry = C::Entry>,
{
    for backend in backends() {
        match backend {
            Backend::Portable => {
                entries::<_, C>(C::Portable::default().fp());
                entries::<_, C>(Engine52::<Emulated, C>::new(()).fp());
                entries::<_, C>(Engine52::<Pair<Emulated>, C>::new(()).fp());
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => entries::<_, C>(C::ifma(token).fp()),
        }
    }
}

#[test]
fn p256_entries() {
    engines::<P256>();
}

#[test]
fn p384_entries() {
    engines::<P384>();
}

/// Each instruction against its definition.
fn word<W: Word>(token: W::Token) {
    let mut random = Random(63);
    for round in 0..200u32 {
        let mut vectors = [[0u64; MAX_LANES]; 3];
        for value in vectors.iter_mut().flatten() {
            *value = match random.below(5) {
                0 => u64::MAX,
                1 => random.below(3),
                _ => u64::from_le_bytes(*random.bytes().first_chunk().unwrap()),
            };
        }
        let [a, b, c] = vectors.map(|lanes| W::load(token, &lanes));
        let mask = random.below(1 << 16) as u32;
        let lane = |vector: usize, lane: usize| Emulated(vectors[vector][lane]);
        let same = |got: W, expected: &dyn Fn(usize) -> Emulated| {
            let mut lanes = [0; MAX_LANES];
            got.store(&mut lanes);
            for (i, value) in lanes[..W::LANES].iter().enumerate() {
                assert_eq!(Emulated(*value), expected(i));
            }
        };
        same(a.add(b), &|i| lane(0, i).add(lane(1, i)));
        same(a.sub(b), &|i| lane(0, i).sub(lane(1, i)));
        same(a.and(b), &|i| lane(0, i).and(lane(1, i)));
        same(a.or(b), &|i| lane(0, i).or(lane(1, i)));
        let count = round % 64;
        same(a.shl(count), &|i| lane(0, i).shl(count));
        same(a.shr(count), &|i| lane(0, i).shr(count));
        same(a.sra(count), &|i| lane(0, i).sra(count));
        same(a.madd_lo(b, c), &|i| {
            lane(0, i).madd_lo(lane(1, i), lane(2, i))
        });
        same(a.madd_hi(b, c), &|i| {
            lane(0, i).madd_hi(lane(1, i), lane(2, i))
        });
        same(W::select(mask, a, b), &|i| {
            Emulated::select(mask >> i, lane(0, i), lane(1, i))
        });
        for i in 0..W::LANES {
            assert_eq!(a.eq(b) >> i & 1, lane(0, i).eq(lane(1, i)));
            assert_eq!(a.lt(b) >> i & 1, lane(0, i).lt(lane(1, i)));
        }
        let rows: Vec<[u64; 8]> = (0..W::LANES)
            .map(|_| random.bytes())
            .map(|bytes| core::array::from_fn(|i| u64::from(bytes[i]) << 40 | round as u64))
            .collect();
        let words = W::from_rows(token, |lane| &rows[lane]);
        for (k, word) in words.iter().enumerate() {
            same(*word, &|i| Emulated(rows[i][k]));
        }
        let mut seen = 0;
        W::to_rows(words, |lane, row| {
            assert_eq!(*row, rows[lane]);
            seen |= 1u32 << lane;
        });
        assert_eq!(seen, u32::MAX >> (32 - W::LANES));
    }
}

#[test]
fn instructions() {
    for backend in backends() {
        match backend {
            Backend::Portable => word::<Pair<Emulated>>(()),
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => word::<crate::backend::isa::wide::W>(token),
        }
    }
}
