//! Every operation on residues, of every engine, against `crypto-bigint`.
//!
//! Factors go in as limbs, at zero, at their documented maximum and at random, with any value below
//! the bound of their type; a different one in every lane. What comes out must be congruent, and
//! below the bound that the type promises.
//!
//! Two thousand cases for each operation in a normal run, 800 for P-384; a hundred thousand, and a fifth of
//! that on emulated lanes, with
//!
//! ```text
//! cargo test --release --lib residues::many -- --ignored
//! ```

use alloc::vec::Vec;

use p256::elliptic_curve::bigint::{NonZero, U1024};

use super::Random;
use crate::backend::{
    Backend,
    ecdsa::{
        curve::Curve,
        domain::{P256, P384},
        field::{Engine, Field, Lazy, Ring},
        invert::invert,
        limbs64::{Field64, Modulus64, Words},
        radix52::{Engine52, Field52, Modulus52},
    },
    lanes::{Emulated, MAX_LANES, Pair, Word},
    tests::{backends, on_ifma},
};

on_ifma!(p256_residues, p384_residues);
on_ifma!(long: many);

/// A ring whose residues can be made from limbs and taken apart.
trait Limbed: Ring {
    /// Bits of a limb.
    const RADIX: u32;
    /// Limbs of a residue.
    const LIMBS: usize;
    /// Whether residues are always reduced.
    const REDUCED: bool;
    fn build<const B: u32>(self, limbs: &[[u64; MAX_LANES]]) -> Self::Fe<B>;
    fn take_apart<const B: u32>(self, fe: &Self::Fe<B>) -> Vec<[u64; MAX_LANES]>;
}

impl<W: Word, M: Modulus52<L>, const L: usize> Limbed for Field52<W, M, L> {
    const RADIX: u32 = 52;
    const LIMBS: usize = L;
    const REDUCED: bool = false;
    fn build<const B: u32>(self, limbs: &[[u64; MAX_LANES]]) -> Self::Fe<B> {
        self.assemble(limbs)
    }
    fn take_apart<const B: u32>(self, fe: &Self::Fe<B>) -> Vec<[u64; MAX_LANES]> {
        self.limbs(fe).into()
    }
}

impl<M: Modulus64<N>, const N: usize> Limbed for Field64<M, N> {
    const RADIX: u32 = 64;
    const LIMBS: usize = N;
    const REDUCED: bool = true;
    fn build<const B: u32>(self, limbs: &[[u64; MAX_LANES]]) -> Self::Fe<B> {
        Words(core::array::from_fn(|i| limbs[i][0]))
    }
    fn take_apart<const B: u32>(self, fe: &Self::Fe<B>) -> Vec<[u64; MAX_LANES]> {
        fe.0.map(|word| [word; MAX_LANES]).into()
    }
}

/// Integers modulo the modulus of a ring, by `crypto-bigint`.
struct Reference<R: Limbed> {
    ring: R,
    modulus: NonZero<U1024>,
    /// The Montgomery radix.
    radix: U1024,
    random: Random,
}

/// One integer for each lane.
type Lanes = Vec<U1024>;

fn small(value: u64) -> U1024 {
    U1024::from_u64(value)
}

impl<R: Limbed> Reference<R> {
    fn new(ring: R, seed: u64) -> Self {
        let mut modulus = U1024::ZERO;
        for word in R::MODULUS.iter().rev() {
            modulus = modulus.shl(64).wrapping_add(&small(*word));
        }
        Self {
            ring,
            modulus: NonZero::new(modulus).expect("a prime"),
            radix: small(1).shl(R::RADIX * R::LIMBS as u32),
            random: Random(seed),
        }
    }

    fn reduced(&self, value: &U1024) -> U1024 {
        value.rem_vartime(&self.modulus)
    }

    /// A residue below `B` times the modulus in every lane.
    fn sample<const B: u32>(&mut self) -> (R::Fe<B>, Lanes) {
        let (limbs, values) = self.limbs(if R::REDUCED { 1 } else { B });
        (self.ring.build(&limbs), values)
    }

    /// The same as limbs, below `times` the modulus.
    fn limbs(&mut self, times: u32) -> (Vec<[u64; MAX_LANES]>, Lanes) {
        let mut limbs = alloc::vec![[0; MAX_LANES]; R::LIMBS];
        let mut values = Vec::new();
        let bound = self.modulus.wrapping_mul(&small(times.into()));
        let largest = u64::MAX >> (64 - R::RADIX);
        for lane in 0..R::LANES {
            let bytes = self.random.bytes();
            let choice = self.random.bytes();
            let (words, _) = bytes.as_chunks();
            let mut value = U1024::ZERO;
            for i in (0..R::LIMBS).rev() {
                let word = u64::from_le_bytes(words[i]) & largest;
                let limb = match choice[0] % 4 {
                    // At random, or an extreme in every limb.
                    0 => word,
                    _ => [0, largest, largest, word][usize::from(choice[1 + i] % 4)],
                };
                value = value.shl(R::RADIX).wrapping_add(&small(limb));
            }
            value = match choice[10] % 16 {
                0 => small(u64::from(choice[11] % 3)),
                1 => bound.wrapping_sub(&small(1 + u64::from(choice[11] % 3))),
                // About a multiple of the modulus.
                2 => {
                    let k = u64::from(choice[11]) % u64::from(times);
                    let near = self.modulus.wrapping_mul(&small(k));
                    near.wrapping_add(&small(u64::from(choice[12] % 3)))
                }
                _ => value,
            };
            // The limbs at their extremes, with what stands at the top cut off.
            while value >= bound {
                let top = value.bit_width_vartime() - 1;
                value = value.wrapping_sub(&small(1).shl(top));
            }
            for (i, limb) in limbs.iter_mut().enumerate() {
                let shifted = value.shr(R::RADIX * i as u32);
                limb[lane] = shifted.as_words()[0] & largest;
            }
            values.push(value);
        }
        (limbs, values)
    }

    /// Checks a result: in every lane below the bound of its type, and congruent to `expected`
    /// after it is multiplied by `factor`.
    #[track_caller]
    fn check<const B: u32>(
        &self,
        what: &str,
        got: &R::Fe<B>,
        factor: &U1024,
        expected: impl Fn(usize) -> U1024,
    ) {
        let times = if R::REDUCED { 1 } else { B };
        self.compare(what, &self.ring.take_apart(got), times, factor, &expected);
    }

    /// The same for limbs, which are below `times` the modulus: compiled once for each ring.
    #[track_caller]
    fn compare(
        &self,
        what: &str,
        limbs: &[[u64; MAX_LANES]],
        times: u32,
        factor: &U1024,
        expected: &dyn Fn(usize) -> U1024,
    ) {
        let bound = self.modulus.wrapping_mul(&small(times.into()));
        for lane in 0..R::LANES {
            let mut value = U1024::ZERO;
            for limb in limbs.iter().rev() {
                value = value.shl(R::RADIX).wrapping_add(&small(limb[lane]));
            }
            assert!(value < bound, "{what}: bound");
            let value = self.reduced(&self.reduced(&value).wrapping_mul(&self.reduced(factor)));
            assert_eq!(value, self.reduced(&expected(lane)), "{what}");
        }
    }

    /// `a - b` up to a multiple of the modulus; `b` is below 2^20 times of it.
    fn minus(&self, a: &U1024, b: &U1024) -> U1024 {
        let large = self.modulus.wrapping_mul(&small(1 << 20));
        a.wrapping_add(&large).wrapping_sub(b)
    }

    /// The integers in memory.
    fn words(&self, words: &[u64]) -> Lanes {
        let lane = |lane: usize| {
            words
                .chunks_exact(R::LANES)
                .rev()
                .fold(U1024::ZERO, |sum, word| {
                    sum.shl(64).wrapping_add(&small(word[lane]))
                })
        };
        (0..R::LANES).map(lane).collect()
    }
}

/// What coordinates and scalars share.
fn ring<R: Limbed>(ring: R, cases: usize) {
    let mut n = Reference::new(ring, 70);
    let one = small(1);
    let radix = n.radix;
    n.check("one", &ring.one(), &one, |_| radix);
    for round in 0..cases.div_ceil(R::LANES) {
        let (a, x) = n.sample::<2>();
        let (b, y) = n.sample::<2>();
        let (wide, z) = n.sample::<4>();
        let product: R::Fe<2> = ring.mul(&a, &b);
        n.check("mul", &product, &radix, |i| x[i].wrapping_mul(&y[i]));
        let product: R::Fe<2> = ring.mul(&wide, &b);
        n.check("mul", &product, &radix, |i| z[i].wrapping_mul(&y[i]));
        let (first, second): (R::Fe<2>, R::Fe<2>) = ring.mul2((&a, &b), (&b, &b));
        n.check("mul2", &first, &radix, |i| x[i].wrapping_mul(&y[i]));
        n.check("mul2", &second, &radix, |i| y[i].wrapping_mul(&y[i]));
        let square: R::Fe<2> = ring.sqr(&a);
        n.check("sqr", &square, &radix, |i| x[i].wrapping_mul(&x[i]));
        let square: R::Fe<2> = ring.sqr(&wide);
        n.check("sqr", &square, &radix, |i| z[i].wrapping_mul(&z[i]));
        n.check("leave", &ring.leave(&a), &radix, |i| x[i]);
        n.check("enter", &ring.enter(&a), &one, |i| {
            n.reduced(&x[i].wrapping_mul(&n.reduced(&radix)))
        });
        let mask = n.random.below(1 << R::LANES) as u32;
        n.check("select", &ring.select(mask, &a, &b), &one, |i| {
            if mask >> i & 1 == 1 { x[i] } else { y[i] }
        });
        let mut words = alloc::vec![0; R::LANES * R::WORDS];
        ring.write(&a, &mut words);
        for (i, value) in n.words(&words).iter().enumerate() {
            assert_eq!(*value, n.reduced(&x[i]), "write");
        }
        n.check("read", &ring.read(&words), &one, |i| x[i]);
        let negated = ring.write_odd(&a, &mut words);
        for (i, value) in n.words(&words).iter().enumerate() {
            assert_eq!(value.as_words()[0] & 1, 1, "write_odd");
            assert!(value <= n.modulus.as_ref(), "write_odd");
            let expected = if negated >> i & 1 == 1 {
                n.minus(&U1024::ZERO, &x[i])
            } else {
                x[i]
            };
            assert_eq!(n.reduced(value), n.reduced(&expected), "write_odd");
        }
        if round % 4 == 0 {
            // All lanes are inverted together, so none may be zero.
            let zero = (0..R::LANES).filter(|i| n.reduced(&x[*i]) == U1024::ZERO);
            let mask = zero.fold(0, |mask, lane| mask | 1 << lane);
            let mut units = alloc::vec![0; R::LANES * R::WORDS];
            units[..R::LANES].fill(1);
            let some = ring.select(mask, &ring.enter(&ring.read(&units)), &a);
            let unit: R::Fe<2> = ring.mul(&invert(ring, &some), &some);
            n.check("invert", &unit, &one, |_| radix);
        }
    }
}

/// What only coordinates have.
fn field<F: Lazy + Limbed>(f: F, cases: usize) {
    sums(f, cases);
    lazy(f, cases);
    masked(f, cases);
    differences_of_squares(f, cases);
    products(f, cases);
}

/// Sums and differences, some of them of multiples.
fn sums<F: Field + Limbed>(f: F, cases: usize) {
    let mut n = Reference::new(f, 71);
    let one = small(1);
    let times = |k: u64, value: &U1024| value.wrapping_mul(&small(k));
    for _ in 0..cases.div_ceil(F::LANES) {
        let (a, x) = n.sample::<2>();
        let (b, y) = n.sample::<2>();
        let (c, z) = n.sample::<2>();
        let (a4, x4) = n.sample::<4>();
        let (a5, x5) = n.sample::<5>();
        let (a8, x8) = n.sample::<8>();
        let sum: F::Fe<4> = f.add(&a, &b);
        n.check("add", &sum, &one, |i| x[i].wrapping_add(&y[i]));
        let sum: F::Fe<12> = f.add(&a8, &a4);
        n.check("add", &sum, &one, |i| x8[i].wrapping_add(&x4[i]));
        let difference: F::Fe<4> = f.sub(&a, &b);
        n.check("sub", &difference, &one, |i| n.minus(&x[i], &y[i]));
        let difference: F::Fe<12> = f.sub(&a4, &a8);
        n.check("sub", &difference, &one, |i| n.minus(&x4[i], &x8[i]));
        let got = f.sub_shifted2::<0, 1, 5>(&a5, &b, &c);
        n.check("sub_shifted2", &got, &one, |i| {
            n.minus(&x5[i], &y[i].wrapping_add(&times(2, &z[i])))
        });
        let got = f.sub_shifted::<3, 8>(&a8, &b);
        n.check("sub_shifted", &got, &one, |i| {
            n.minus(&x8[i], &times(8, &y[i]))
        });
        let got: F::Fe<8> = f.twice_sub(&a, &b);
        n.check("twice_sub", &got, &one, |i| {
            times(2, &n.minus(&x[i], &y[i]))
        });
        n.check::<12>("widen", &f.widen(&a8), &one, |i| x8[i]);
    }
}

/// What puts off carries, until it is carried after all.
fn lazy<F: Lazy + Limbed>(f: F, cases: usize) {
    let mut n = Reference::new(f, 75);
    let (one, radix) = (small(1), n.radix);
    let entered = |n: &Reference<F>, value: &U1024| {
        n.reduced(&n.reduced(value).wrapping_mul(&n.reduced(&radix)))
    };
    for _ in 0..cases.div_ceil(F::LANES) {
        let (a, x) = n.sample::<2>();
        let (b, y) = n.sample::<2>();
        let (a8, x8) = n.sample::<8>();
        let mask = n.random.below(1 << F::LANES) as u32;
        let sign = |n: &Reference<F>, i: usize, value: &U1024| match mask >> i & 1 {
            1 => n.minus(&U1024::ZERO, value),
            _ => *value,
        };
        let product = f.times::<2, 8, 2>(&f.factor(&a), &f.factor(&a8));
        n.check("times", &f.masked(&product), &radix, |i| {
            x[i].wrapping_mul(&x8[i])
        });
        let again = f.times::<2, 2, 2>(&product, &product);
        let square = radix.wrapping_mul(&radix);
        n.check(
            "times",
            &f.masked(&again),
            &n.reduced(&n.reduced(&square).wrapping_mul(&radix)),
            |i| {
                let product = n.reduced(&x[i].wrapping_mul(&x8[i]));
                product.wrapping_mul(&product)
            },
        );
        let signed = f.signed(&b, mask);
        let open: F::Open<4> = f.times_sub(&f.factor(&a), &f.factor(&a8), &signed);
        let of_open = |n: &Reference<F>, i: usize| {
            let product = n.reduced(&x[i].wrapping_mul(&x8[i]));
            n.minus(&product, &entered(n, &sign(n, i, &y[i])))
        };
        n.check("times_sub", &f.close(&open), &radix, |i| of_open(&n, i));
        let gap = f.gap::<2, 4, 12>(&signed, &open);
        n.check("gap", &f.masked(&gap), &radix, |i| {
            n.minus(
                &entered(&n, &sign(&n, i, &y[i])),
                &n.reduced(&of_open(&n, i)),
            )
        });
        let open = f.sqr_add_sub(&f.factor(&a), &a8, &b);
        n.check("sqr_add_sub", &f.close(&open), &radix, |i| {
            let sum = n
                .reduced(&x[i].wrapping_mul(&x[i]))
                .wrapping_add(&entered(&n, &x8[i]));
            n.minus(&sum, &entered(&n, &y[i].wrapping_mul(&small(2))))
        });
        let both = f.select_signed(mask, &f.signed(&a, 0), &f.signed(&b, 0));
        let open = f.select_open(mask, &f.open::<2, 2>(&both), &f.open(&f.signed(&b, 0)));
        n.check("select", &f.close(&open), &one, |i| match mask >> i & 1 {
            1 => x[i],
            _ => y[i],
        });
    }
}

/// What depends on a mask of lanes, or makes one.
fn masked<F: Field + Limbed>(f: F, cases: usize) {
    let mut n = Reference::new(f, 72);
    let one = small(1);
    let times = |k: u64, value: &U1024| value.wrapping_mul(&small(k));
    for _ in 0..cases.div_ceil(F::LANES) {
        let (b, y) = n.sample::<2>();
        let (a4, x4) = n.sample::<4>();
        let (a8, x8) = n.sample::<8>();
        // A portable residue has one lane: all of the mask or nothing.
        let mask = n.random.below(1 << F::LANES) as u32;
        let signed: F::Fe<8> = f.sub_signed(&a4, &b, mask);
        n.check("sub_signed", &signed, &one, |i| {
            if mask >> i & 1 == 1 {
                x4[i].wrapping_add(&y[i])
            } else {
                n.minus(&x4[i], &y[i])
            }
        });
        let got = f.sub_signed_twice(&a4, &b, mask);
        n.check("sub_signed_twice", &got, &one, |i| {
            let twice = times(2, &y[i]);
            if mask >> i & 1 == 1 {
                x4[i].wrapping_add(&twice)
            } else {
                n.minus(&x4[i], &twice)
            }
        });
        let (reduced, r) = n.sample::<1>();
        if r.iter().all(|r| *r != U1024::ZERO) {
            let negated = f.negate_where(&reduced, mask);
            n.check("negate_where", &negated, &one, |i| {
                if mask >> i & 1 == 1 {
                    n.minus(&U1024::ZERO, &r[i])
                } else {
                    r[i]
                }
            });
        }
        let zero = f.is_zero(&a8);
        for (i, value) in x8.iter().enumerate() {
            assert_eq!(zero >> i & 1 == 1, n.reduced(value) == U1024::ZERO, "zero");
        }
        assert_eq!(zero & !f.may_be_zero(&a8), 0, "may_be_zero");
    }
}

/// Squares, less something.
fn differences_of_squares<F: Field + Limbed>(f: F, cases: usize) {
    let mut n = Reference::new(f, 73);
    let radix = n.radix;
    let times = |k: u64, value: &U1024| value.wrapping_mul(&small(k));
    for _ in 0..cases.div_ceil(F::LANES) {
        let (a, x) = n.sample::<2>();
        let (b, y) = n.sample::<2>();
        let (c, z) = n.sample::<2>();
        let (a4, x4) = n.sample::<4>();
        let got = f.sqr_sub2::<0, 1, 4>(&a4, &b, &c);
        n.check("sqr_sub2", &got, &radix, |i| {
            let less = y[i].wrapping_add(&times(2, &z[i]));
            n.minus(
                &n.reduced(&x4[i].wrapping_mul(&x4[i])),
                &n.reduced(&less.wrapping_mul(&n.reduced(&radix))),
            )
        });
        let got = f.sqr_sub::<3, 4>(&a4, &b);
        n.check("sqr_sub", &got, &radix, |i| {
            n.minus(
                &n.reduced(&x4[i].wrapping_mul(&x4[i])),
                &n.reduced(&times(8, &y[i]).wrapping_mul(&n.reduced(&radix))),
            )
        });
        let got = f.triple_difference(&a, &b);
        n.check("triple_difference", &got, &radix, |i| {
            let squares = n.minus(
                &n.reduced(&x[i].wrapping_mul(&x[i])),
                &n.reduced(&y[i].wrapping_mul(&y[i])),
            );
            times(3, &squares)
        });
    }
}

/// Products, and sums of products.
fn products<F: Field + Limbed>(f: F, cases: usize) {
    let mut n = Reference::new(f, 74);
    let one = small(1);
    let radix = n.radix;
    let times = |k: u64, value: &U1024| value.wrapping_mul(&small(k));
    for _ in 0..cases.div_ceil(F::LANES) {
        let (b, y) = n.sample::<2>();
        let (c, z) = n.sample::<2>();
        let (a4, x4) = n.sample::<4>();
        let (b4, y4) = n.sample::<4>();
        let (a8, x8) = n.sample::<8>();
        let got: F::Fe<8> = f.twice_mul_add_mul(&a8, &a4, &b4, &b);
        n.check("twice_mul_add_mul", &got, &radix, |i| {
            let first = x8[i].wrapping_mul(&x4[i]);
            times(2, &first.wrapping_add(&y4[i].wrapping_mul(&y[i])))
        });
        let got: F::Fe<4> = f.mul_add_sqr(&a4, &a8, &c);
        n.check("mul_add_sqr", &got, &radix, |i| {
            let first = x4[i].wrapping_mul(&x8[i]);
            first.wrapping_add(&z[i].wrapping_mul(&z[i]))
        });
        let got: F::Fe<4> = f.twice_mul(&a4, &b4);
        n.check("twice_mul", &got, &radix, |i| {
            times(2, &x4[i].wrapping_mul(&y4[i]))
        });
        let got = f.four_sqr(&a4);
        n.check("four_sqr", &got, &radix, |i| {
            times(4, &x4[i].wrapping_mul(&x4[i]))
        });
        let got: F::Fe<2> = f.mul(&f.half(), &b);
        n.check("half", &f.add::<2, 2, 4>(&got, &got), &one, |i| y[i]);
    }
}

fn engine<E: Engine>(engine: E, cases: usize)
where
    E::Fp: Limbed,
    E::Fn: Limbed,
{
    ring(engine.fp(), cases);
    ring(engine.scalars(), cases);
    field(engine.fp(), cases);
}

/// The most cases on emulated lanes, which are a hundred times slower than vectors. What these compute
/// is proved for all inputs elsewhere, on the same code.
const EMULATED: usize = 20_000;

/// Radix 2^52 in plain words and in pairs of them, and 64-bit words; or vectors.
macro_rules! engines {
    ($curve:ty, $cases:expr) => {
        for backend in backends() {
            match backend {
                Backend::Portable => {
                    engine(<$curve as Curve>::Portable::default(), $cases);
                    engine(Engine52::<Emulated, $curve>::new(()), $cases.min(EMULATED));
                    engine(
                        Engine52::<Pair<Emulated>, $curve>::new(()),
                        $cases.min(EMULATED) / 8,
                    );
                }
                #[cfg(target_arch = "x86_64")]
                Backend::Ifma(token) => engine(<$curve as Curve>::ifma(token), $cases),
            }
        }
    };
}

#[test]
fn p256_residues() {
    engines!(P256, 2_000);
}

#[test]
fn p384_residues() {
    engines!(P384, 800);
}

#[test]
#[ignore = "long: run with --release -- --ignored"]
fn many() {
    engines!(P256, 100_000);
    engines!(P384, 100_000);
}
