//! Residues against plain integer arithmetic, at the extremes of their limbs.

use alloc::{vec, vec::Vec};

use super::Random;
use crate::backend::{
    Backend,
    ecdsa::{
        curve::{Curve, P256, P384},
        field::{Engine, Field, Ring},
        invert::invert,
        radix52::Engine52,
    },
    lanes::{Emulated, MAX_LANES, Pair, Word},
};

/// Integers modulo a prime, bit by bit: slow and plain.
struct Integers(Vec<u64>);

impl Integers {
    fn reduce(&self, mut value: Vec<u64>) -> Vec<u64> {
        value.resize(self.0.len() + 1, 0);
        while {
            let mut modulus = self.0.clone();
            modulus.push(0);
            value.iter().rev().ge(modulus.iter().rev())
        } {
            let mut borrow = false;
            for (i, word) in value.iter_mut().enumerate() {
                let m = self.0.get(i).copied().unwrap_or(0);
                let (step, under) = word.overflowing_sub(m);
                let (step, under_too) = step.overflowing_sub(u64::from(borrow));
                *word = step;
                borrow = under | under_too;
            }
        }
        value.truncate(self.0.len());
        value
    }

    fn add(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let mut carry = 0;
        let mut sum = vec![];
        for (a, b) in a.iter().zip(b) {
            let step = u128::from(*a) + u128::from(*b) + carry;
            sum.push(step as u64);
            carry = step >> 64;
        }
        sum.push(carry as u64);
        self.reduce(sum)
    }

    fn negate(&self, a: &[u64]) -> Vec<u64> {
        let a = self.reduce(a.to_vec());
        let mut borrow = false;
        let mut out = vec![];
        for (m, a) in self.0.iter().zip(&a) {
            let (step, under) = m.overflowing_sub(*a);
            let (step, under_too) = step.overflowing_sub(u64::from(borrow));
            out.push(step);
            borrow = under | under_too;
        }
        self.reduce(out)
    }

    fn sub(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        self.add(a, &self.negate(b))
    }

    fn mul(&self, a: &[u64], b: &[u64]) -> Vec<u64> {
        let a = self.reduce(a.to_vec());
        let mut sum = vec![0; self.0.len()];
        for bit in (0..64 * self.0.len()).rev() {
            sum = self.add(&sum, &sum);
            if b[bit / 64] >> (bit % 64) & 1 == 1 {
                sum = self.add(&sum, &a);
            }
        }
        sum
    }

    fn times(&self, k: u32, a: &[u64]) -> Vec<u64> {
        (0..k).fold(vec![0; self.0.len()], |sum, _| self.add(&sum, a))
    }

    /// `a / 2^bits`.
    fn halved(&self, a: &[u64], bits: u32) -> Vec<u64> {
        let mut value = self.reduce(a.to_vec());
        for _ in 0..bits {
            let mut carry = 0;
            if value[0] & 1 == 1 {
                for (word, m) in value.iter_mut().zip(&self.0) {
                    let sum = u128::from(*word) + u128::from(*m) + carry;
                    *word = sum as u64;
                    carry = sum >> 64;
                }
            }
            let mut top = carry as u64;
            for word in value.iter_mut().rev() {
                (*word, top) = (*word >> 1 | top << 63, *word & 1);
            }
        }
        value
    }
}

/// Extremes and random numbers below `2^(64·words)`.
fn samples(modulus: &[u64], random: &mut Random) -> Vec<Vec<u64>> {
    let words = modulus.len();
    let mut all = vec![vec![0; words], vec![u64::MAX; words], modulus.to_vec()];
    let mut one = vec![0; words];
    one[0] = 1;
    all.push(one);
    for change in [-2i64, -1, 1, 2] {
        let mut near = modulus.to_vec();
        near[0] = near[0].wrapping_add_signed(change);
        all.push(near);
    }
    // Limbs of 52 bits that are all ones or all zeros.
    for pattern in 0u32..32 {
        let mut value = vec![0u64; words];
        for bit in 0..64 * words {
            if pattern >> (bit / 52 % 5) & 1 == 1 {
                value[bit / 64] |= 1 << (bit % 64);
            }
        }
        all.push(value);
    }
    for _ in 0..60 {
        let bytes = random.bytes();
        let (chunks, _) = bytes.as_chunks();
        all.push(
            chunks[..words]
                .iter()
                .map(|c| u64::from_le_bytes(*c))
                .collect(),
        );
    }
    all
}

/// The same number in every lane.
fn spread<R: Ring>(value: &[u64]) -> Vec<u64> {
    value
        .iter()
        .flat_map(|word| core::iter::repeat_n(*word, R::LANES))
        .collect()
}

/// The number that all lanes hold, brought out of Montgomery form.
fn leave<R: Ring, const B: u32>(ring: R, a: &R::Fe<B>) -> Vec<u64> {
    let mut words = vec![0; R::LANES * R::WORDS];
    ring.write(&ring.leave(a), &mut words);
    let value: Vec<u64> = words.iter().copied().step_by(R::LANES).collect();
    assert_eq!(words, spread::<R>(&value), "all lanes agree");
    value
}

/// Products of raw numbers, taken as Montgomery forms with the radix `2^bits`.
fn ring<R: Ring>(ring: R, bits: u32) {
    let mut random = Random(60);
    let integers = Integers(R::MODULUS.to_vec());
    let all = samples(R::MODULUS, &mut random);
    let read: Vec<R::Fe<2>> = all.iter().map(|a| ring.read(&spread::<R>(a))).collect();
    let plain: Vec<Vec<u64>> = all.iter().map(|a| integers.halved(a, bits)).collect();
    for i in 0..all.len() {
        let square: R::Fe<2> = ring.sqr(&read[i]);
        assert_eq!(leave(ring, &square), integers.mul(&plain[i], &plain[i]));
        assert_eq!(
            leave(ring, &ring.enter(&read[i])),
            integers.reduce(all[i].clone())
        );
        for j in [(i * 7 + 3) % all.len(), 1, 2] {
            let product: R::Fe<2> = ring.mul(&read[i], &read[j]);
            let expected = integers.mul(&plain[i], &plain[j]);
            assert_eq!(leave(ring, &product), expected);
            let (first, second): (R::Fe<2>, R::Fe<2>) =
                ring.mul2((&read[i], &read[j]), (&read[j], &read[j]));
            assert_eq!(leave(ring, &first), expected);
            assert_eq!(leave(ring, &second), integers.mul(&plain[j], &plain[j]));
        }
        let mut odd = vec![0; R::LANES * R::WORDS];
        let negated = ring.write_odd(&read[i], &mut odd);
        let value: Vec<u64> = odd.iter().copied().step_by(R::LANES).collect();
        let reduced = integers.reduce(all[i].clone());
        assert_eq!(value[0] & 1, 1);
        assert_eq!(negated & 1, u32::from(reduced[0] & 1 == 0));
        let back = if negated & 1 == 1 {
            integers.negate(&value)
        } else {
            value
        };
        assert_eq!(back, reduced);
    }
    for i in (0..all.len()).step_by(9) {
        let inverse = invert(ring, &read[i]);
        let product: R::Fe<2> = ring.mul(&inverse, &read[i]);
        let zero = plain[i].iter().all(|word| *word == 0);
        let mut one = vec![0; R::WORDS];
        one[0] = u64::from(!zero);
        assert_eq!(leave(ring, &product), one);
    }
    // A different number in every lane.
    for _ in 0..20 {
        let mut words = vec![0; R::LANES * R::WORDS];
        for lane in 0..R::LANES {
            let mut number = vec![0; R::WORDS];
            while number.iter().all(|word| *word == 0) {
                number = all[random.below(all.len() as u64) as usize].clone();
                number = integers.reduce(number);
            }
            for (word, value) in number.iter().enumerate() {
                words[word * R::LANES + lane] = *value;
            }
        }
        let numbers = ring.read(&words);
        let product: R::Fe<2> = ring.mul(&numbers, &invert(ring, &numbers));
        let mut one = vec![0; R::WORDS];
        one[0] = 1;
        assert_eq!(leave(ring, &product), one);
    }
}

/// Sums, differences and combined products.
fn field<F: Field>(f: F, bits: u32) {
    let mut random = Random(61);
    let integers = Integers(F::MODULUS.to_vec());
    let all = samples(F::MODULUS, &mut random);
    let read: Vec<F::Fe<2>> = all.iter().map(|a| f.read(&spread::<F>(a))).collect();
    let plain: Vec<Vec<u64>> = all.iter().map(|a| integers.halved(a, bits)).collect();
    let z = |v: &[u64]| v.iter().all(|word| *word == 0);
    for i in 0..all.len() {
        for j in [(i * 5 + 1) % all.len(), 0, 1, i] {
            let k = (i + 3 * j + 2) % all.len();
            let (a, b, c) = (&read[i], &read[j], &read[k]);
            let (pa, pb, pc) = (&plain[i], &plain[j], &plain[k]);
            let n = &integers;
            let sum: F::Fe<4> = f.add(a, b);
            assert_eq!(leave(f, &sum), n.add(pa, pb));
            let difference: F::Fe<4> = f.sub(a, b);
            assert_eq!(leave(f, &difference), n.sub(pa, pb));
            let all_zero = f.is_zero(&difference);
            assert_eq!(all_zero & 1 == 1, z(&n.sub(pa, pb)));
            assert_eq!(all_zero & !f.may_be_zero(&difference), 0);
            let signed: F::Fe<8> = f.sub_signed(&f.widen::<2, 4>(a), b, 0);
            assert_eq!(leave(f, &signed), n.sub(pa, pb));
            let signed: F::Fe<8> = f.sub_signed(&f.widen::<2, 4>(a), b, u32::MAX);
            assert_eq!(leave(f, &signed), n.add(pa, pb));
            let eight = f.sub_shifted::<3, 4>(&sum, c);
            assert_eq!(leave(f, &eight), n.sub(&n.add(pa, pb), &n.times(8, pc)));
            let four = f.sub_shifted::<2, 2>(a, b);
            assert_eq!(leave(f, &four), n.sub(pa, &n.times(4, pb)));
            let three = f.sub_shifted2::<0, 1, 2>(a, b, c);
            let expected = n.sub(&n.sub(pa, pb), &n.times(2, pc));
            assert_eq!(leave(f, &three), expected);
            let square = f.sqr_sub::<3, 4>(&sum, c);
            let sum_squared = n.mul(&n.add(pa, pb), &n.add(pa, pb));
            assert_eq!(leave(f, &square), n.sub(&sum_squared, &n.times(8, pc)));
            let square = f.sqr_sub2::<0, 0, 2>(a, b, c);
            let expected = n.sub(&n.sub(&n.mul(pa, pa), pb), pc);
            assert_eq!(leave(f, &square), expected);
            let triple = f.triple_difference(a, b);
            let squares = n.sub(&n.mul(pa, pa), &n.mul(pb, pb));
            assert_eq!(leave(f, &triple), n.times(3, &squares));
            let products: F::Fe<4> = f.mul_add_mul(&signed, &sum, &difference, b);
            let expected = n.add(
                &n.mul(&n.add(pa, pb), &n.add(pa, pb)),
                &n.mul(&n.sub(pa, pb), pb),
            );
            assert_eq!(leave(f, &products), expected);
            let product: F::Fe<4> = f.mul_add_8sqr(&triple, a, c);
            let expected = n.add(
                &n.mul(&n.times(3, &squares), pa),
                &n.times(8, &n.mul(pc, pc)),
            );
            assert_eq!(leave(f, &product), expected);
            let chosen = f.select(0, a, b);
            assert_eq!(leave(f, &chosen), *pb);
            let chosen = f.select(u32::MAX, a, b);
            assert_eq!(leave(f, &chosen), *pa);
        }
    }
}

/// Points come back from a table as they went in, lane by lane.
fn entries<F: Field, C: Curve<Entry = F::Entry>>(f: F) {
    use crate::backend::ecdsa::curve::Entry;
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

fn engine<C: Curve, E: Engine<Entry = C::Entry>>(engine: E, bits: u32) {
    ring(engine.fp(), bits);
    ring(engine.scalars(), bits);
    field(engine.fp(), bits);
    entries::<E::Fp, C>(engine.fp());
}

/// Radix 2^52 in plain words and in pairs of them, 64-bit words, and vectors where there are any.
fn engines<C: Curve>(limbs: u32)
where
    Engine52<Emulated, C>: Engine<Entry = C::Entry>,
    Engine52<Pair<Emulated>, C>: Engine<Entry = C::Entry>,
{
    engine::<C, _>(C::Portable::default(), 8 * C::BYTES as u32);
    engine::<C, _>(Engine52::<Emulated, C>::new(()), 52 * limbs);
    engine::<C, _>(Engine52::<Pair<Emulated>, C>::new(()), 52 * limbs);
    for backend in super::backends() {
        #[cfg(target_arch = "x86_64")]
        if let Backend::Ifma(token) = backend {
            engine::<C, _>(C::ifma(token), 52 * limbs);
        }
        let _ = backend;
    }
}

#[test]
fn p256_residues() {
    engines::<P256>(5);
}

#[test]
fn p384_residues() {
    engines::<P384>(8);
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
    word::<Pair<Emulated>>(());
    for backend in super::backends() {
        #[cfg(target_arch = "x86_64")]
        if let Backend::Ifma(token) = backend {
            word::<crate::backend::x86_avx512::V8>(token);
            word::<Pair<crate::backend::x86_avx512::V8>>(token);
        }
        let _ = backend;
    }
}
