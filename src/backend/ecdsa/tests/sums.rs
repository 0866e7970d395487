//! Affine sums of points that are so few that equal and opposite points and infinity turn up at
//! every step, in every lane, and where parts are joined.

use alloc::{vec, vec::Vec};
use core::marker::PhantomData;

use super::{Random, r256, r384};
use crate::backend::{
    Backend,
    ecdsa::{
        affine::{AddUp, Sums},
        curve::Curve,
        domain::{Entry, P256, P384},
        field::{Engine, Field, Kernel, Lazy, Ring},
        radix52::Engine52,
        scalar::{Digits, read_words},
        tables::{Shape, import, scalar_words},
        term::Term,
    },
    lanes::{Emulated, MAX_LANES, Pair},
    tests::{backends, on_ifma},
};

/// Multiples of the generator that appear, up to their sign.
const LARGEST: usize = 3;

/// Sets the sums to multiples of the generator (zero: infinity).
struct Begin<'a, E: Engine> {
    sums: &'a mut Sums<E>,
    points: &'a [E::Entry],
    multiples: &'a [i64],
}

impl<E: Engine> Kernel<E> for Begin<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        for multiples in self.multiples.chunks(E::LANES) {
            let mut index = [0; MAX_LANES];
            let (mut negative, mut infinite) = (0, 0);
            for (lane, multiple) in multiples.iter().enumerate() {
                index[lane] = (multiple.unsigned_abs().max(1) - 1) as u32;
                negative |= u32::from(*multiple < 0) << lane;
                infinite |= u32::from(*multiple == 0) << lane;
            }
            let (x, y) = f.load_entries(self.points, &index);
            let y = f.signed(&f.widen::<1, 2>(&y), negative);
            self.sums.push(f, &f.widen(&x), &y, infinite);
        }
    }
}

/// Plain coordinates of the sums, `None` for infinity.
struct Read<'a, E: Engine, C> {
    sums: &'a Sums<E>,
    curve: PhantomData<C>,
}

impl<E: Engine, C: Curve> Kernel<E> for Read<'_, E, C> {
    type Output = Vec<Option<Vec<u64>>>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) -> Self::Output {
        let f = engine.fp();
        let mut all = Vec::new();
        for slot in &self.sums.slots {
            let mut x = vec![0; C::WORDS * E::LANES];
            let mut y = x.clone();
            f.write(&f.leave(&slot.x), &mut x);
            f.write(&f.leave(&f.close(&f.open::<2, 2>(&slot.y))), &mut y);
            for lane in 0..E::LANES {
                let words = |from: &[u64]| -> Vec<u64> {
                    from.iter().skip(lane).step_by(E::LANES).copied().collect()
                };
                let finite = slot.infinite >> lane & 1 == 0;
                all.push(finite.then(|| [words(&x), words(&y)].concat()));
            }
        }
        all
    }
}

/// A small multiple of the generator that is not infinity.
fn choice(random: &mut Random) -> i64 {
    let magnitude = 1 + random.below(LARGEST as u64) as i64;
    if random.below(2) == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// One table for each signature and term, all entries of a block the same, and digits that are as
/// positive or negative as can be.
fn laid_out<E: Engine<Entry = C::Entry>, C: Curve>(
    shape: Shape,
    terms: usize,
    points: &[C::Entry],
    multiples: &[Vec<i64>],
) -> (Vec<Vec<C::Entry>>, Vec<Vec<u64>>) {
    let stride = E::LANES * scalar_words::<C>();
    let mut tables = vec![Vec::new(); terms];
    let mut words = vec![vec![0u64; multiples.len() / E::LANES * stride]; terms];
    for (signature, multiples) in multiples.iter().enumerate() {
        let (group, lane) = (signature / E::LANES, signature % E::LANES);
        for (entry, multiple) in multiples.iter().enumerate() {
            let (term, block) = (entry / shape.blocks as usize, entry % shape.blocks as usize);
            for _ in 0..shape.block_entries() {
                tables[term].push(points[multiple.unsigned_abs() as usize - 1]);
            }
            if *multiple > 0 {
                words[term][group * stride + lane] |= 15 << (1 + 4 * block);
            }
        }
    }
    (tables, words)
}

/// Adds up random multiples, for a chunk of signatures, and compares with `multiple`.
fn sums<E: Engine<Entry = C::Entry>, C: Curve>(engine: E, multiple: impl Fn(i64) -> Vec<u8>) {
    let plain = |m: i64| {
        let bytes = multiple(m);
        let mut words = C::Entry::ZERO;
        let (x, y) = words.words_mut().split_at_mut(C::WORDS);
        read_words(&bytes[..C::BYTES], x);
        read_words(&bytes[C::BYTES..], y);
        words
    };
    let mut points: Vec<_> = (1..=LARGEST as i64).map(plain).collect();
    import::<E, C>(engine, &mut points, &mut Vec::new());

    let mut random = Random(70);
    let shape = Shape::new(8 * 4, 4, 8);
    for round in 0..24 {
        let groups = 1 + round % 3;
        let count = groups * E::LANES;
        // Zero as a beginning is infinity; the entries are never zero.
        let begun = round % 2 == 1;
        let terms = 1 + round / 2 % 2;
        let entries = terms * shape.blocks as usize;
        let first: Vec<i64> = (0..count).map(|_| random.below(5) as i64 % 4 - 2).collect();
        let multiples: Vec<Vec<i64>> = (0..count)
            .map(|_| (0..entries).map(|_| choice(&mut random)).collect())
            .collect();

        let (tables, words) = laid_out::<E, C>(shape, terms, &points, &multiples);
        let stride = E::LANES * scalar_words::<C>();
        let base: Vec<u32> = (0..count).map(|i| (i * shape.entries()) as u32).collect();
        let negative: Vec<u32> = (0..groups).map(|group| (group as u32) * 0x5a5a).collect();
        let comb = |term: usize| Term::<E> {
            table: &tables[term],
            base: &base,
            scalars: Digits {
                words: &words[term],
                stride,
                negative: &negative,
            },
        };
        let combs: Vec<_> = (0..terms).map(|term| (comb(term), shape)).collect();

        for most_parts in [1, 2, 3, 5, 16] {
            let mut sums = Sums::default();
            if begun {
                engine.run(Begin {
                    sums: &mut sums,
                    points: &points,
                    multiples: &first,
                });
            }
            engine.run(AddUp {
                sums: &mut sums,
                terms: &combs,
                groups,
                most_parts,
            });
            let right = engine.run(Read::<E, C> {
                sums: &sums,
                curve: PhantomData,
            });
            assert_eq!(right.len(), count);
            for (i, sum) in right.iter().enumerate() {
                let flip = negative[i / E::LANES] >> (i % E::LANES) & 1 == 1;
                let mut expected: i64 = multiples[i].iter().sum();
                expected = if flip { -expected } else { expected };
                expected += if begun { first[i] } else { 0 };
                let trace = (most_parts, begun, first[i], flip, &multiples[i]);
                let wanted = (expected != 0).then(|| plain(expected).words().to_vec());
                assert_eq!(*sum, wanted, "{trace:?}");
            }
        }
    }
}

fn engines<C: Curve>(multiple: impl Fn(i64) -> Vec<u8>)
where
    Engine52<Emulated, C>: Engine<Entry = C::Entry>,
    Engine52<Pair<Emulated>, C>: Engine<Entry = C::Entry>,
{
    for backend in backends() {
        match backend {
            Backend::Portable => {
                sums::<_, C>(C::Portable::default(), &multiple);
                sums::<_, C>(Engine52::<Emulated, C>::new(()), &multiple);
                sums::<_, C>(Engine52::<Pair<Emulated>, C>::new(()), &multiple);
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => sums::<_, C>(C::ifma(token), &multiple),
        }
    }
}

macro_rules! curve {
    ($name:ident, $curve:ty, $reference:ident) => {
        #[test]
        fn $name() {
            engines::<$curve>(|multiple| {
                let k = $reference::Number::from(multiple.unsigned_abs());
                $reference::key(&if multiple < 0 { -k } else { k })
            });
        }
    };
}

curve!(p256, P256, r256);
curve!(p384, P384, r384);
on_ifma!(p256, p384);
