//! k·P for keys that are used too rarely for a table: eight keys, doublings shared by all digits.

use super::digits::{Digits, digit_count};
use super::field::Fe;
use super::point::{Cached, Extended};
use crate::backend::Avx512Ifma;
use crate::backend::isa::wide::W;

/// Bits of a digit.
pub(super) const WIDTH: u32 = 4;
/// Multiples of the key that are kept.
const MULTIPLES: usize = 1 << (WIDTH - 1);

/// One multiple: limbs of Y + X, Y − X, 2 Z, 2 d T and four words unused. Three cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Multiple([[u64; 8]; 3]);

/// The identity: what a digit of zero adds.
const IDENTITY: Multiple = Multiple([[1, 0, 0, 0, 0, 1, 0, 0], [0, 0, 2, 0, 0, 0, 0, 0], [0; 8]]);

/// Multiples 0 to 8 of eight points: about 14 kB, which stays in the first cache.
pub(super) struct Multiples([[Multiple; MULTIPLES + 1]; 8]);

impl Multiples {
    /// Nothing but identities.
    pub(super) const EMPTY: Self = Multiples([[IDENTITY; MULTIPLES + 1]; 8]);

    /// Sets multiple `index` of all eight points.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set(&mut self, index: usize, entry: &Cached) {
        let p = entry.plus.limbs();
        let m = entry.minus.limbs();
        let z = entry.double_z.limbs();
        let t = entry.product.limbs();
        let zero = p[0].zero();
        let parts = [
            W::transpose([p[0], p[1], p[2], p[3], p[4], m[0], m[1], m[2]]),
            W::transpose([m[3], m[4], z[0], z[1], z[2], z[3], z[4], t[0]]),
            W::transpose([t[1], t[2], t[3], t[4], zero, zero, zero, zero]),
        ];
        for lane in 0..8 {
            for (row, part) in self.0[lane][index].0.iter_mut().zip(&parts) {
                part[lane].store(row);
            }
        }
    }

    /// |digit| times the point of each lane, Y + X and Y − X exchanged where the digit is negative.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn gather(&self, token: Avx512Ifma, digits: &Digits, place: usize) -> (Cached, u8) {
        let zero = W::splat(token, 0);
        let mut parts = [[zero; 8]; 3];
        let (size, negative) = digits.place(place);
        for lane in 0..8 {
            let multiple = &self.0[lane][usize::from(size[lane])];
            for (part, row) in parts.iter_mut().zip(&multiple.0) {
                part[lane] = W::load(token, row);
            }
        }
        let [a, b, c] = parts;
        let (a, b, c) = (W::transpose(a), W::transpose(b), W::transpose(c));
        let plus = Fe::from_limbs([a[0], a[1], a[2], a[3], a[4]]);
        let minus = Fe::from_limbs([a[5], a[6], a[7], b[0], b[1]]);
        let entry = Cached {
            plus: plus.blend(negative, &minus),
            minus: minus.blend(negative, &plus),
            double_z: Fe::from_limbs([b[2], b[3], b[4], b[5], b[6]]),
            product: Fe::from_limbs([b[7], c[0], c[1], c[2], c[3]]),
        };
        (entry, negative)
    }
}

/// Returns Σ digit · 2^(4 i) · P for the point and the digits of each lane.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn multiply(
    token: Avx512Ifma,
    multiples: &mut Multiples,
    point: &Extended,
    digits: &Digits,
) -> Extended {
    let first = point.cached(token);
    multiples.set(1, &first);
    let mut multiple = *point;
    for index in 2..=MULTIPLES {
        multiple = multiple.add_cached(&first, 0);
        multiples.set(index, &multiple.cached(token));
    }

    let top = digit_count(WIDTH) - 1;
    let (entry, negative) = multiples.gather(token, digits, top);
    let mut sum = Extended::identity(token).add_cached_without_t(&entry, negative);
    for place in (0..top).rev() {
        for _ in 1..WIDTH {
            sum = sum.double_without_t();
        }
        sum = sum.double();
        let (entry, negative) = multiples.gather(token, digits, place);
        sum = if place > 0 {
            sum.add_cached_without_t(&entry, negative)
        } else {
            sum.add_cached(&entry, negative)
        };
    }
    sum
}
