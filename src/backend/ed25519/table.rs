//! Tables of multiples of one point, and the sums that are read from them.
//!
//! A table of width w holds, for every digit place i of radix 2^w, the points j · 2^(w i) · P for
//! j = 1 to 2^(w−1), so that k·P is one addition per signed digit and no doubling at all.

use alloc::vec::Vec;

use super::digits::{Digits, digit_count};
use super::field::Fe;
use super::point::{Affine, Extended, ONE, Sum, TWO_D};

use crate::backend::Avx512Ifma;
use crate::backend::isa::wide::W;

/// One point: limbs of y + x, y − x, 2 d x y and one word unused. Two cache lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(128))]
pub(super) struct Entry(pub(super) [u64; 16]);

/// The identity: what a digit of zero adds.
const IDENTITY: Entry = Entry([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/// Multiples of one point.
pub(super) struct Table {
    /// Bits of a digit.
    width: u32,
    /// Place i, multiple j at i · (2^(w−1) + 1) + j, the identity with j = 0 in front.
    entries: Vec<Entry>,
}

/// How many entries there are for one digit place.
const fn stride(width: u32) -> usize {
    (1 << (width - 1)) + 1
}

impl Table {
    /// Bytes that a table of this width takes.
    pub(super) const fn bytes(width: u32) -> usize {
        digit_count(width) * stride(width) * size_of::<Entry>()
    }

    /// Bits of a digit.
    pub(super) fn width(&self) -> u32 {
        self.width
    }
}

/// How many places are gathered at a time: the loads of many entries then wait for the caches
/// together, and the additions after them have their operands in the first cache.
const AT_ONCE: usize = 8;

/// Adds Σ digit · 2^(w i) · P to every lane, P and the digits being those of the lane, for tables
/// of one width.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_multiples(
    token: Avx512Ifma,
    sum: Sum,
    tables: &[&Table; 8],
    digits: &Digits,
) -> Sum {
    let width = tables[0].width;
    debug_assert!(tables.iter().all(|table| table.width == width));
    let mut sum = sum;
    let mut entries = [Affine::identity(token); AT_ONCE];
    let places = digit_count(width);
    for first in (0..places).step_by(AT_ONCE) {
        let count = AT_ONCE.min(places - first);
        for (place, entry) in (first..).zip(&mut entries[..count]) {
            *entry = gather(token, tables, place * stride(width), digits.place(place));
        }
        for (place, entry) in (first..).zip(&entries[..count]) {
            sum = sum.add_affine(entry, digits.place(place).1);
        }
    }
    sum
}

/// Turns the entries of a digit place, which start at `start`, into lanes, exchanging y + x and
/// y − x in the lanes where the digit is negative.
#[cfg_attr(not(debug_assertions), inline(always))]
fn gather(
    token: Avx512Ifma,
    tables: &[&Table; 8],
    start: usize,
    (size, negative): (&[u16; 8], u8),
) -> Affine {
    let zero = W::splat(token, 0);
    let (mut low, mut high) = ([zero; 8], [zero; 8]);
    for lane in 0..8 {
        let entry = &tables[lane].entries[start + usize::from(size[lane])];
        let (first, second) = halves(&entry.0);
        low[lane] = W::load(token, first);
        high[lane] = W::load(token, second);
    }
    let l = W::transpose(low);
    let h = W::transpose(high);
    let plus = Fe::from_limbs([l[0], l[1], l[2], l[3], l[4]]);
    let minus = Fe::from_limbs([l[5], l[6], l[7], h[0], h[1]]);
    Affine {
        plus: plus.blend(negative, &minus),
        minus: minus.blend(negative, &plus),
        product: Fe::from_limbs([h[2], h[3], h[4], h[5], h[6]]),
    }
}

/// Words 0 to 7 and 8 to 15.
#[cfg_attr(not(debug_assertions), inline(always))]
fn halves(words: &[u64; 16]) -> (&[u64; 8], &[u64; 8]) {
    let (first, second) = words.split_at(8);
    // Sixteen words are two times eight.
    (
        first.try_into().expect("8 words"),
        second.try_into().expect("8 words"),
    )
}

/// Scratch for building tables, reused.
#[derive(Default)]
pub(super) struct TableBuilder {
    /// Points 2^(w i) · P of eight keys.
    bases: Vec<[[u64; 8]; 20]>,
    /// Multiples before they are made affine.
    points: Vec<Extended>,
    /// Products of the Z of all points up to one.
    products: Vec<Fe>,
}

/// Builds tables of one width for the points in `lanes` of `point`, handing them out with their
/// lane.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn build(
    token: Avx512Ifma,
    workshop: &mut TableBuilder,
    point: &Extended,
    lanes: u8,
    width: u32,
    mut hand_out: impl FnMut(usize, Table),
) {
    let places = digit_count(width);
    // 2^(w i) · P of all eight points at once.
    workshop.bases.clear();
    let mut base = *point;
    for place in 0..places {
        if place > 0 {
            for _ in 1..width {
                base = base.double_without_t();
            }
            base = base.double();
        }
        let mut rows = [[0; 8]; 20];
        for (fe, rows) in [&base.x, &base.y, &base.z, &base.t]
            .iter()
            .zip(rows.chunks_exact_mut(5))
        {
            for (limb, row) in fe.limbs().iter().zip(rows) {
                limb.store(row);
            }
        }
        workshop.bases.push(rows);
    }
    for lane in 0..8 {
        if lanes >> lane & 1 == 1 {
            hand_out(lane, build_one(token, workshop, lane, width));
        }
    }
}

/// Builds the table of the point in `lane` of the bases, eight places at a time.
#[cfg_attr(not(debug_assertions), inline(always))]
fn build_one(token: Avx512Ifma, workshop: &mut TableBuilder, lane: usize, width: u32) -> Table {
    let places = digit_count(width);
    let multiples = 1usize << (width - 1);
    let TableBuilder {
        bases,
        points,
        products,
    } = workshop;
    points.clear();
    for first in (0..places).step_by(8) {
        let mut rows = [[0; 8]; 20];
        for slot in 0..8 {
            // Slots behind the last place repeat it and are not kept.
            let base = &bases[(first + slot).min(places - 1)];
            for (row, limb) in rows.iter_mut().zip(base) {
                row[slot] = limb[lane];
            }
        }
        let mut limbs = [W::splat(token, 0); 20];
        for (limb, row) in limbs.iter_mut().zip(&rows) {
            *limb = W::load(token, row);
        }
        let fe = |i: usize| {
            Fe::from_limbs([
                limbs[i],
                limbs[i + 1],
                limbs[i + 2],
                limbs[i + 3],
                limbs[i + 4],
            ])
        };
        let base = Extended {
            x: fe(0),
            y: fe(5),
            z: fe(10),
            t: fe(15),
        };
        let cached = base.cached(token);
        let mut point = base;
        points.push(point);
        for _ in 1..multiples {
            point = point.add_cached(&cached, 0);
            points.push(point);
        }
    }

    // All Z are inverted with one inversion: they are never zero.
    products.clear();
    let mut product = Fe::splat(token, ONE);
    for point in points.iter() {
        product = product.times(&point.z);
        products.push(product);
    }
    let mut inverse = product.invert();
    let two_d = Fe::splat(token, TWO_D);
    let mut entries = alloc::vec![IDENTITY; places * stride(width)];
    for index in (0..points.len()).rev() {
        let point = &points[index];
        let own = if index == 0 {
            inverse
        } else {
            inverse.times(&products[index - 1])
        };
        inverse = inverse.times(&point.z);
        let (x, y) = (point.x.times(&own), point.y.times(&own));
        let plus = y.plus(&x).carry();
        let minus = y.minus(&x).carry();
        let product = x.times(&y).times(&two_d);
        let (first, multiple) = (index / multiples * 8, index % multiples + 1);
        scatter(&plus, &minus, &product, |slot, entry| {
            if first + slot < places {
                entries[(first + slot) * stride(width) + multiple] = entry;
            }
        });
    }
    Table { width, entries }
}

/// Turns lanes into eight entries.
#[cfg_attr(not(debug_assertions), inline(always))]
fn scatter(plus: &Fe, minus: &Fe, product: &Fe, mut put: impl FnMut(usize, Entry)) {
    let (p, m, t) = (plus.limbs(), minus.limbs(), product.limbs());
    let low = W::transpose([p[0], p[1], p[2], p[3], p[4], m[0], m[1], m[2]]);
    let high = W::transpose([m[3], m[4], t[0], t[1], t[2], t[3], t[4], p[0].zero()]);
    for slot in 0..8 {
        let mut words = [0; 16];
        words[..8].copy_from_slice(&low[slot].lanes());
        words[8..].copy_from_slice(&high[slot].lanes());
        put(slot, Entry(words));
    }
}
