//! Tables of multiples of a point, and the digits that index them.
//!
//! # Digits
//!
//! An odd scalar `k < 2^W` is written as `W/w` digits of `w` bits, each odd and between `-(2^w - 1)`
//! and `2^w - 1`: as every bit of `(k + 2^W - 1) / 2` stands for `+1` or `-1` instead of 1 or 0.
//! There is no zero digit and no carry, so every lane does the same work. Of `u` and `n - u` one is
//! odd; using the second negates the product, which costs nothing.
//!
//! # Shapes
//!
//! A [`Shape`] cuts the digits into blocks of consecutive digits. A table holds, for the lowest
//! position of each block, the odd multiples `1, 3, .., 2^w - 1` of that power of two times the
//! point. One block of all digits is the classical window walk (few entries, one doubling per bit);
//! as many blocks as digits is a comb without any doubling.
//!
//! # Building
//!
//! First the doublings, one key per lane. Then the odd multiples by doubling their number: the
//! `2m` smallest are the `m` smallest and the same plus `2m` times the base. Those are affine
//! additions, and one inversion serves all of a level.
//!
//! An affine addition fails when both points have the same x. That would need `e = ±2m mod n` for
//! `e < 2m < n/2`, or a point whose order is not the prime `n`. Points off the curve must therefore
//! be refused before (see [`import`]); with that, no choice of key can stop the shared inversion.

use alloc::vec::Vec;

use super::{
    curve::Curve,
    domain::Entry,
    field::{Engine, Field, Kernel, Ring},
    group::{Double, Jacobian},
    invert::invert,
};
use crate::backend::lanes::MAX_LANES;

/// Residues of the coordinate field of an engine.
pub(super) type Fe<E, const B: u32> = <<E as Engine>::Fp as Ring>::Fe<B>;

/// How scalars are cut into digits, and which multiples a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Bits of a digit.
    pub(super) width: u32,
    /// Blocks of digits, each with its part of the table.
    pub(super) blocks: u32,
    /// Digits of a block.
    pub(super) digits: u32,
}

impl Shape {
    /// `blocks` blocks that cover `bits` bits.
    pub(super) const fn new(bits: u32, width: u32, blocks: u32) -> Self {
        Self {
            width,
            blocks,
            digits: bits.div_ceil(width * blocks),
        }
    }

    /// One block for each digit: no doublings.
    pub(super) const fn comb(bits: u32, width: u32) -> Self {
        Self::new(bits, width, bits.div_ceil(width))
    }

    /// Bits covered.
    pub(super) const fn bits(self) -> u32 {
        self.width * self.blocks * self.digits
    }

    /// Bits from the start of a block to the start of the next.
    pub(super) const fn spacing(self) -> u32 {
        self.width * self.digits
    }

    /// Entries of one block.
    pub(super) const fn block_entries(self) -> u32 {
        1 << (self.width - 1)
    }

    /// Entries of a table.
    pub(super) const fn entries(self) -> usize {
        (self.blocks * self.block_entries()) as usize
    }

    /// Powers of two times the point that building needs.
    const fn powers(self) -> usize {
        (self.blocks * self.width) as usize
    }
}

/// Scalars cut into words for [`digits`]: two more words than an integer of the curve has.
pub(super) const fn scalar_words<C: Curve>() -> usize {
    C::WORDS + 2
}

/// The digit at bit position `bit` of each lane: writes `base + (|digit| - 1) / 2` and returns the
/// lanes whose digit is negative. `words` is one group in the layout of
/// [`Ring::read`], holding `k` with bit [`Shape::bits`] set.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(super) fn digits(
    words: &[u64],
    lanes: usize,
    bit: u32,
    width: u32,
    base: &[u32],
    index: &mut [u32; MAX_LANES],
) -> u32 {
    // The digits are those of (k + 2^W - 1) / 2, which is (k + 2^W) / 2 rounded down for odd k.
    let (word, shift) = ((bit + 1) as usize / 64, (bit + 1) % 64);
    let low = &words[word * lanes..][..lanes];
    let high = &words[(word + 1) * lanes..][..lanes];
    let half = (1u32 << (width - 1)) - 1;
    let mut negative = 0;
    for lane in 0..lanes {
        let value = (low[lane] >> shift | high[lane] << 1 << (63 - shift)) as u32;
        let positive = value >> (width - 1) & 1;
        index[lane] = base[lane] + ((value ^ positive.wrapping_sub(1)) & half);
        negative |= (positive ^ 1) << lane;
    }
    negative
}

/// Buffers for [`build`], reused.
pub(super) struct Builder<E: Engine> {
    chain: Vec<Jacobian<E::Fp>>,
    prefix: Vec<Fe<E, 2>>,
    powers: Vec<E::Entry>,
}

impl<E: Engine> Default for Builder<E> {
    fn default() -> Self {
        Self {
            chain: Vec::new(),
            prefix: Vec::new(),
            powers: Vec::new(),
        }
    }
}

/// Additions that share one inversion, in groups of lanes: bounds the memory of [`Builder`].
const SHARED: usize = 1024;

/// Brings plain points to Montgomery form, in place, and says which are on the curve. Those that
/// are not are replaced by the generator, so that nothing built from them can fail.
pub(super) fn import<E: Engine, C: Curve<Entry = E::Entry>>(
    engine: E,
    points: &mut [E::Entry],
    on_curve: &mut Vec<bool>,
) {
    on_curve.clear();
    on_curve.resize(points.len(), false);
    for (points, on_curve) in points
        .chunks_mut(E::LANES)
        .zip(on_curve.chunks_mut(E::LANES))
    {
        engine.run(Import::<C> {
            points,
            on_curve,
            curve: core::marker::PhantomData,
        });
    }
}

struct Import<'a, C: Curve> {
    points: &'a mut [C::Entry],
    on_curve: &'a mut [bool],
    curve: core::marker::PhantomData<C>,
}

impl<E: Engine, C: Curve<Entry = E::Entry>> Kernel<E> for Import<'_, C> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let count = self.points.len();
        let index = lane_indices(count, |lane| lane);
        let (x, y) = f.load_entries(self.points, &index);
        let x: Fe<E, 2> = f.enter(&f.widen(&x));
        let y: Fe<E, 2> = f.enter(&f.widen(&y));
        let mut words = [0; 6 * MAX_LANES];
        for (word, lanes) in C::B.iter().zip(words.chunks_exact_mut(E::LANES)) {
            lanes.fill(*word);
        }
        let b: Fe<E, 2> = f.enter(&f.read(&words));
        // x³ - 3x + b - y²
        let xx: Fe<E, 2> = f.sqr(&x);
        let xxx: Fe<E, 2> = f.mul(&xx, &x);
        let yy: Fe<E, 2> = f.sqr(&y);
        let right: Fe<E, 4> = f.add(&xxx, &b);
        let two_x: Fe<E, 4> = f.add(&x, &x);
        let three_x: Fe<E, 6> = f.add(&two_x, &x);
        let left: Fe<E, 8> = f.add(&yy, &three_x);
        let good = f.is_zero(&f.sub::<4, 8, 12>(&right, &left));
        f.store_entries(&x, &y, self.points, &index, count);
        let bad = !good & (u32::MAX >> (32 - count));
        for (lane, on_curve) in self.on_curve.iter_mut().enumerate() {
            *on_curve = good >> lane & 1 == 1;
        }
        if bad != 0 {
            let mut generator = [C::G];
            let index = [0; MAX_LANES];
            let (x, y) = f.load_entries(&generator, &index);
            let x: Fe<E, 2> = f.enter(&f.widen(&x));
            let y: Fe<E, 2> = f.enter(&f.widen(&y));
            f.store_entries(&x, &y, &mut generator, &index, 1);
            for (lane, point) in self.points.iter_mut().enumerate() {
                if bad >> lane & 1 == 1 {
                    *point = generator[0];
                }
            }
        }
    }
}

/// `of(lane)` for each lane, the last of `count` repeated in lanes that have no work.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn lane_indices(count: usize, of: impl Fn(usize) -> usize) -> [u32; MAX_LANES] {
    let mut index = [0; MAX_LANES];
    for (lane, index) in index.iter_mut().enumerate() {
        *index = of(lane.min(count - 1)) as u32;
    }
    index
}

/// Builds the tables of `points` (of [`import`]), that of point `i` at `out[base[i]..]`.
pub(super) fn build<E: Engine>(
    engine: E,
    builder: &mut Builder<E>,
    shape: Shape,
    points: &[E::Entry],
    base: &[u32],
    out: &mut [E::Entry],
) {
    // As many keys at a time as keep the doublings in the cache, but all lanes busy.
    let keys = (4096 / shape.powers() / E::LANES).max(1) * E::LANES;
    for (points, base) in points.chunks(keys).zip(base.chunks(keys)) {
        engine.run(Powers {
            builder,
            shape,
            points,
        });
        let columns = points.len() * shape.blocks as usize;
        for (i, power) in builder.powers.iter().enumerate() {
            let (key, power_of_key) = (i / shape.powers(), i % shape.powers());
            let (block, step) = (
                power_of_key as u32 / shape.width,
                power_of_key as u32 % shape.width,
            );
            if step == 0 {
                out[(base[key] + block * shape.block_entries()) as usize] = *power;
            }
        }
        let groups = columns.div_ceil(E::LANES);
        for level in 0..shape.width - 1 {
            let at_once = (SHARED >> level).clamp(1, groups);
            let mut first = 0;
            while first < groups {
                let last = groups.min(first + at_once);
                engine.run(Level {
                    builder,
                    shape,
                    base,
                    out,
                    level,
                    columns,
                    groups: first..last,
                });
                first = last;
            }
        }
    }
}

/// Doubles each point and keeps, reduced and affine, the powers of two that [`Level`] needs.
struct Powers<'a, E: Engine> {
    builder: &'a mut Builder<E>,
    shape: Shape,
    points: &'a [E::Entry],
}

impl<E: Engine> Kernel<E> for Powers<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let Builder {
            chain,
            prefix,
            powers,
        } = self.builder;
        let shape = self.shape;
        let keys = self.points.len();
        let groups = keys.div_ceil(E::LANES);
        chain.clear();
        prefix.clear();
        powers.clear();
        powers.resize(keys * shape.powers(), E::Entry::ZERO);

        let mut product: Fe<E, 2> = f.widen(&f.one());
        for group in 0..groups {
            let first = group * E::LANES;
            let index = lane_indices(keys - first, |lane| first + lane);
            let (x, y) = f.load_entries(self.points, &index);
            let mut point = Jacobian::from_affine(f, &x, &y);
            let mut at = 0;
            for block in 0..shape.blocks {
                for step in 0..shape.width {
                    while at < block * shape.spacing() + step {
                        point = engine.part(Double(&point));
                        at += 1;
                    }
                    prefix.push(product);
                    product = f.mul(&product, &point.z);
                    chain.push(point);
                }
            }
        }

        let mut inverse = invert(f, &product);
        for group in (0..groups).rev() {
            let first = group * E::LANES;
            let count = (keys - first).min(E::LANES);
            for power in (0..shape.powers()).rev() {
                let i = group * shape.powers() + power;
                let point = &chain[i];
                let z_inverse: Fe<E, 2> = f.mul(&inverse, &prefix[i]);
                inverse = f.mul(&inverse, &point.z);
                let zz: Fe<E, 2> = f.sqr(&z_inverse);
                let zzz: Fe<E, 2> = f.mul(&zz, &z_inverse);
                let x: Fe<E, 2> = f.mul(&point.x, &zz);
                let y: Fe<E, 2> = f.mul(&point.y2, &f.mul::<2, 1, 2>(&zzz, &f.half()));
                let (block, step) = (power as u32 / shape.width, power as u32 % shape.width);
                // An odd number of doublings has left the negative.
                let odd = (block * shape.spacing() + step) & 1;
                let zero: Fe<E, 2> = f.sub_shifted::<0, 2>(&y, &y);
                let y: Fe<E, 6> = f.sub_signed(&zero, &y, if odd == 1 { 0 } else { u32::MAX });
                let index = lane_indices(count, |lane| (first + lane) * shape.powers() + power);
                f.store_entries(&x, &y, powers, &index, count);
            }
        }
    }
}

/// Doubles the number of odd multiples of some columns (a column is one block of one key).
struct Level<'a, E: Engine> {
    builder: &'a mut Builder<E>,
    shape: Shape,
    base: &'a [u32],
    out: &'a mut [E::Entry],
    level: u32,
    columns: usize,
    groups: core::ops::Range<usize>,
}

impl<E: Engine> Kernel<E> for Level<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let Builder { prefix, powers, .. } = self.builder;
        let (shape, out) = (self.shape, self.out);
        let blocks = shape.blocks as usize;
        let have = 1u32 << self.level;
        let column_table = |column: usize| {
            self.base[column / blocks] as usize + column % blocks * shape.block_entries() as usize
        };
        let column_step = |column: usize| {
            column / blocks * shape.powers()
                + column % blocks * shape.width as usize
                + self.level as usize
                + 1
        };

        prefix.clear();
        let mut product: Fe<E, 2> = f.widen(&f.one());
        for group in self.groups.clone() {
            let first = group * E::LANES;
            let left = self.columns - first;
            let (step_x, _) = f.load_entries(
                powers,
                &lane_indices(left, |lane| column_step(first + lane)),
            );
            let table = lane_indices(left, |lane| column_table(first + lane));
            for entry in 0..have {
                let (x, _) = f.load_entries(out, &table.map(|base| base + entry));
                let difference: Fe<E, 2> = f.sub(&step_x, &x);
                prefix.push(product);
                product = f.mul(&product, &difference);
            }
        }

        let mut inverse = invert(f, &product);
        for group in self.groups.rev() {
            let first = group * E::LANES;
            let left = self.columns - first;
            let (step_x, step_y) = f.load_entries(
                powers,
                &lane_indices(left, |lane| column_step(first + lane)),
            );
            let table = lane_indices(left, |lane| column_table(first + lane));
            for entry in (0..have).rev() {
                let (x, y) = f.load_entries(out, &table.map(|base| base + entry));
                let difference: Fe<E, 2> = f.sub(&step_x, &x);
                let before = prefix.pop().expect("one prefix for each difference");
                let reciprocal: Fe<E, 2> = f.mul(&inverse, &before);
                inverse = f.mul(&inverse, &difference);
                let rise: Fe<E, 2> = f.sub(&step_y, &y);
                let slope: Fe<E, 2> = f.mul(&rise, &reciprocal);
                let x3 = f.sqr_sub2::<0, 0, 2>(&slope, &f.widen(&x), &f.widen(&step_x));
                let run: Fe<E, 3> = f.sub(&x, &x3);
                let product: Fe<E, 2> = f.mul(&slope, &run);
                let y3: Fe<E, 3> = f.sub(&product, &y);
                let to = table.map(|base| base + have + entry);
                f.store_entries(&x3, &y3, out, &to, left.min(E::LANES));
            }
        }
    }
}
